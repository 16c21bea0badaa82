"""The simulated model vendors as a process of its own, and our crate as another."""

import json
import os
import pathlib
import subprocess
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[3]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "debug" / "examples"
KEY = "sk-peer"

SHAPE = {
    "type": "object",
    "properties": {"intent": {"type": "string", "enum": ["book", "ask"]}, "reply": {"type": "string"}},
    "required": ["intent", "reply"],
    "additionalProperties": False,
}
HANDOVER = {
    "type": "object",
    "properties": {"reason": {"type": "string"}},
    "required": ["reason"],
    "additionalProperties": False,
}
# Bytes whose base64 has both letters in which its two alphabets differ.
PNG = b"\x89PNG\r\n\x1a\n\xfb\xff\xfe\xfb"
OGG = b"OggS" + bytes(5000)


class World(unittest.TestCase):
    """Tests that talk to the simulator. Each begins with an empty recording."""

    @classmethod
    def setUpClass(cls):
        cls.process = subprocess.Popen([TARGET / "vendors"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        cls.url = cls.process.stdout.readline().strip()

    @classmethod
    def tearDownClass(cls):
        cls.process.stdin.close()  # it ends when its input does
        cls.process.wait(10)
        cls.process.stdout.close()

    def setUp(self):
        self.control("DELETE", "requests")

    def control(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}/control/{path}", data=data, method=method, headers={"content-type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def play(self, model, *plays):
        self.control("POST", "plays", {"model": model, "plays": list(plays)})

    def requests(self):
        return self.control("GET", "requests")

    def ours(self, operations):
        """Has our crate do these, and gives what came of each."""
        process = subprocess.run(
            [TARGET / "operations"], input=json.dumps(operations), capture_output=True, text=True, timeout=120, check=False
        )
        self.assertEqual(process.returncode, 0, process.stderr)
        return [json.loads(line) for line in process.stdout.splitlines()]
