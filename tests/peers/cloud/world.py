"""The simulated Meta as a process of its own, with a number, its people and an address for hooks."""

import base64
import time

from side_by_side import Simulated

PHONE = "27820001000"
SECRET = "0123456789abcdef0123456789abcdef"
WORD = "the word of the handshake"
VERSION = "v26.0"

# People. One has no phone number that a business would be told.
ASHA, ASHA_NAME = "27820001001", "Ìyá Àṣà 🌍"
NOMSA, NOMSA_NAME, NOMSA_ID = "27820001002", "Nomsa Дlamini", "ZA.13491208655302741918"
NOBODY = "27820000000"  # ends in zeros: not on WhatsApp

# The smallest picture there is: one grey pixel.
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==")

ORDER = {  # named variables, a header, and two kinds of buttons
    "name": "order_ready",
    "language": "en_US",
    "parameterFormat": "NAMED",
    "components": [
        {
            "type": "HEADER",
            "format": "TEXT",
            "text": "Order {{order}}",
            "example": {"header_text_named_params": [{"param_name": "order", "example": "A-17"}]},
        },
        {
            "type": "BODY",
            "text": "Hi {{first_name}}, order {{order_no}} is ready.",
            "example": {
                "body_text_named_params": [
                    {"param_name": "first_name", "example": "Ana"},
                    {"param_name": "order_no", "example": "A-17"},
                ]
            },
        },
        {
            "type": "BUTTONS",
            "buttons": [
                {"type": "URL", "text": "Track", "url": "https://shop.example/t/{{1}}", "example": ["https://shop.example/t/A-17"]},
                {"type": "QUICK_REPLY", "text": "Thanks"},
            ],
        },
    ],
}
HELLO = {
    "name": "hello",
    "language": "sw",
    "components": [{"type": "BODY", "text": "Habari {{1}}, karibu {{2}}.", "example": {"body_text": [["Ana", "nyumbani"]]}}],
}


class World(Simulated):
    """Each test begins with an empty world in which there is one number, and two people."""

    simulator = "gateways"

    def setUp(self):
        self.control("POST", "reset")
        number = {"phone": PHONE, "name": "Acme Homes", "appSecret": SECRET}
        self.number = self.control("POST", "cloud/numbers", number)
        self.id, self.waba, self.token = (self.number[key] for key in ["phoneNumberId", "wabaId", "accessToken"])
        self.control("POST", "customers", {"phone": ASHA, "name": ASHA_NAME})
        nomsa = {"phone": NOMSA, "name": NOMSA_NAME, "shown": "lidOnly", "bsuid": NOMSA_ID, "username": "nomsa.d"}
        self.control("POST", "customers", nomsa)
        for phone in [ASHA, NOMSA, NOBODY]:
            self.window(phone)

    def graph(self, path, body):
        """What no library of the test can do."""
        return self.http("POST", f"{self.url}/graph/{VERSION}/{path}", body, {"authorization": f"Bearer {self.token}"})

    def window(self, phone, is_open=True):
        self.control("POST", f"cloud/numbers/{self.id}/window", {"phone": phone, "open": is_open})

    def fails(self, code, by="response"):
        """The next message fails so."""
        self.control("POST", f"cloud/numbers/{self.id}/fail", {"code": code, "by": by})

    def writes(self, person, body=None, **more):
        """Somebody writes to the number. Answers the message as the control API has it."""
        return self.control("POST", f"numbers/{PHONE}/messages", {"from": person, "body": body, **more})

    def last(self, person=ASHA):
        """The last message between the number and somebody."""
        return self.control("GET", f"numbers/{PHONE}/chats/{person}/messages")["items"][-1]

    def template(self, template):
        return self.control("POST", f"cloud/accounts/{self.waba}/templates", template)

    def deliveries(self):
        """How the deliveries of hooks stand."""
        return self.control("GET", "hooks")["items"]

    def requests(self):
        """What Meta was asked, the oldest first."""
        return self.control("GET", "recording")["items"]

    def clear(self):
        self.control("DELETE", "recording")

    def eventually(self, what, within=10):
        """The first answer that is not nothing."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            if found := what():
                return found
            time.sleep(0.02)
        raise AssertionError(f"nothing came in {within} s")

    def chat(self, person):
        """What was said between the number and somebody, the oldest first."""
        return self.control("GET", f"numbers/{PHONE}/chats/{person}/messages")["items"]
