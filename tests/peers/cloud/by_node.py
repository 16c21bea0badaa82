"""whatsapp-api-js, turned to the simulator: a process of its own (peer.mjs) that is given orders."""

import json
import pathlib
import queue
import subprocess
import threading

from side_by_side import ROOT
from world import SECRET, VERSION, WORD

PROGRAM = pathlib.Path(__file__).parent / "peer.mjs"
PACKAGES = ROOT / ".scratch" / "peers" / "node"  # where scripts/peers puts them


def make(name, *of):
    """`new name(…of)` there."""
    return {"make": name, "of": list(of)}


class Node:
    """The client with the number of the test, and what it has received."""

    def __init__(self, world, **more):
        settings = {"token": world.token, "appSecret": SECRET, "webhookVerifyToken": WORD, "v": VERSION, **more}
        self.world = world
        self.process = subprocess.Popen(
            ["node", PROGRAM, PACKAGES, world.url, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        world.addCleanup(self.close)
        self.url = json.loads(self.process.stdout.readline())["url"]
        self.hooks, self.answers = [], queue.Queue()
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            said = json.loads(line)
            if "hook" in said:
                self.hooks.append(said["hook"])
            else:
                self.answers.put(said)

    def close(self):
        self.process.stdin.close()  # it ends when its input does
        self.process.wait(10)
        self.reader.join(10)
        self.process.stdout.close()

    def order(self, **order):
        """What came of it; an exception there is one here."""
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = self.answers.get(timeout=30)
        if "threw" in answer:
            raise RuntimeError(answer["threw"])
        return answer["done"]

    def call(self, name, *given):
        return self.order(call=name, **{"with": list(given)})

    def send(self, to, kind, *of, context=None, tracker=None):
        """Sends `new kind(…of)`; answers Meta's answer."""
        return self.call("sendMessage", self.world.id, to, make(kind, *of), context, tracker)
