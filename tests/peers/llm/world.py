"""The simulated model vendors as a process of its own, and our crate as another."""

from side_by_side import Simulated

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


class World(Simulated):
    """Each test begins with an empty recording."""

    simulator = "vendors"

    def setUp(self):
        self.control("DELETE", "requests")

    def play(self, model, *plays):
        self.control("POST", "plays", {"model": model, "plays": list(plays)})

    def requests(self):
        return self.control("GET", "requests")
