"""The same things done by pywa, by whatsapp-api-js and by our provider, and what each sent compared field by field.

A difference is mended, or it stands in differences.json with its reason. One that stands there and no longer occurs fails too.
"""

import base64
import email
import email.policy
import json
import logging
import pathlib
import urllib.parse

import by_pywa
from by_node import Node, make
from pywa import types
from pywa.types import templates
from receive import Receiver
from side_by_side import Differences
from world import ASHA, HELLO, NOMSA_ID, ORDER, PNG, VERSION, WORD, World

B64 = base64.b64encode(PNG).decode()
OGG = b"OggS" + bytes(400)
PDF = b"%PDF-1.4\n%%EOF\n"
MARK = "msg_01jd"  # our own id of the message, which comes back with its statuses


def form(kind, text):
    """The fields of a multipart form by their names, in no order: (type, file name, content)."""
    whole = f"content-type: {kind}\r\n\r\n{text}"
    parts = email.message_from_string(whole, policy=email.policy.HTTP).iter_parts()
    return {
        part.get_param("name", header="content-disposition"): {
            "type": str(part.get("content-type", "")),
            "filename": part.get_filename() or "",
            "content": part.get_payload(),
        }
        for part in parts
    }


def sent(request):
    """What of a request is compared: everything but where and when it was received."""
    headers, body = dict(request["headers"]), request["body"]
    kind = headers.get("content-type", "")
    if kind.startswith("multipart/"):
        body = {"form": form(kind, body)}
        headers["content-type"] = kind.split(";")[0]  # the boundary is by chance
    query = dict(urllib.parse.parse_qsl(request["query"]))
    if "hsm_id" in query:
        query["hsm_id"] = "an id"  # each deletes a template of its own
    whole = {"method": request["method"], "path": request["path"], "query": query, "headers": headers, "body": body}
    return {key: value for key, value in whole.items() if value not in ({}, None)}


class Same(World):
    def setUp(self):
        super().setUp()
        logging.getLogger("pywa").setLevel(logging.CRITICAL)
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.wa = by_pywa.client(self, server=self.receiver.app, webhook_endpoint="/hooks")
        self.js = Node(self)
        self.hook = f"{self.receiver.url}/hooks"
        got = []
        self.wa.on_message(lambda _, update: got.append(update))
        self.wa.delete_waba_callback_url()
        self.wa.override_phone_callback_url(self.hook, WORD)
        self.writes(ASHA, "Hello")
        self.inbound = self.eventually(lambda: got)[0].id
        self.template(ORDER)
        self.template(HELLO)
        self.media = self.wa.upload_media(PNG, mime_type="image/png", filename="dot.png").id

    def ours(self, *calls):
        """Has our provider do these."""
        work = {"url": f"{self.url}/graph/{VERSION}", "token": self.token, "number": self.id, "account": self.waba, "calls": calls}
        for came in self.does("cloud_calls", work):
            self.assertNotIn("failed", came)

    def js_sends(self, *message, **more):
        answer = self.js.send({"phone": ASHA}, *message, tracker=MARK, **more)
        self.assertNotIn("error", answer)

    def js_sends_file(self, name, mime, content, *message):
        id = self.js.order(upload=self.id, mime=mime, name=name, bytes=base64.b64encode(content).decode())["id"]
        self.js_sends(message[0], id, True, *message[1:])

    def operations(self):
        """By name: done by pywa, by whatsapp-api-js (where it can), and by us."""
        wa, js, to = self.wa, self.js, {"tracker": MARK}

        def send(body, whom=ASHA, **more):
            return [{"send": {"to": whom, "correlation": MARK, "body": body, **more}}]

        def file(mime, name, content):
            return {"mime": mime, "name": name, "bytes": base64.b64encode(content).decode()}

        order = [
            templates.HeaderText.params(order="A-17"),
            templates.BodyText.params(first_name="Aṣà", order_no="A-17"),
            templates.URLButton.params(url_variable="A-17", index=0),
            templates.QuickReplyButton.params(callback_data="thanks", index=1),
        ]
        order_js = [
            make("HeaderComponent", make("HeaderParameter", "A-17", "order")),
            make("BodyComponent", make("BodyParameter", "Aṣà", "first_name"), make("BodyParameter", "A-17", "order_no")),
            make("URLComponent", "A-17"),
            make("PayloadComponent", "thanks"),
        ]
        order_ours = {
            "name": "order_ready",
            "language": "en_US",
            "header": [{"name": "order", "text": "A-17"}],
            "body": [{"name": "first_name", "text": "Aṣà"}, {"name": "order_no", "text": "A-17"}],
            "buttons": [{"index": 0, "kind": "url", "text": "A-17"}, {"index": 1, "kind": "quick_reply", "text": "thanks"}],
        }
        hello = {"name": "hello", "language": "sw", "body": [{"text": "Aṣà"}, {"text": "nyumbani"}]}
        hello_js = make("BodyComponent", make("BodyParameter", "Aṣà"), make("BodyParameter", "nyumbani"))
        yes_no = [types.Button("Yes", "yes"), types.Button("No", "no")]
        yes_no_js = make("ActionButtons", make("Button", "yes", "Yes"), make("Button", "no", "No"))
        yes_no_ours = [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}]
        rows = [types.SectionRow("Blue", "b", "in stock"), types.SectionRow("Red", "r")]
        rows_js = [make("Row", "b", "Blue", "in stock"), make("Row", "r", "Red")]
        rows_ours = [{"id": "b", "title": "Blue", "description": "in stock"}, {"id": "r", "title": "Red"}]
        name = types.Contact.Name(formatted_name="Ana Pérez", first_name="Ana")
        card = types.Contact(
            name=name,
            phones=[types.Contact.Phone(phone="+27 83 123 4567", type="CELL", wa_id="27831234567")],
            emails=[types.Contact.Email(email="ana@shop.example", type="WORK")],
            org=types.Contact.Org(company="Acme"),
        )
        card_js = [
            make("Name", "Ana Pérez", "Ana"),
            make("Phone", "+27 83 123 4567", "CELL", "27831234567"),
            make("Email", "ana@shop.example", "WORK"),
            make("Organization", "Acme"),
        ]
        card_ours = {
            "name": "Ana Pérez",
            "organization": "Acme",
            "phones": [{"value": "+27 83 123 4567", "label": "cell", "whatsapp": "+27831234567"}],
            "emails": [{"value": "ana@shop.example", "label": "work"}],
        }
        draft = templates.Template(
            name="greeting",
            category=templates.TemplateCategory.UTILITY,
            language=templates.TemplateLanguage.ENGLISH_US,
            parameter_format=templates.ParamFormat.NAMED,
            components=[templates.BodyText("Hi {{first_name}}, welcome.", first_name="Ana")],
        )
        example = {"body_text_named_params": [{"param_name": "first_name", "example": "Ana"}]}
        body = {"type": "BODY", "text": "Hi {{first_name}}, welcome.", "example": example}
        draft_ours = {
            "name": "greeting",
            "language": "en_US",
            "category": "utility",
            "parameterFormat": "named",
            "components": [body],
        }
        return {
            "text": (
                lambda: wa.send_message(ASHA, "Ẹ káàbọ̀ 🏡 https://shop.example/", preview_url=True, **to),
                lambda: self.js_sends("Text", "Ẹ káàbọ̀ 🏡 https://shop.example/", True),
                send({"text": "Ẹ káàbọ̀ 🏡 https://shop.example/"}, linkPreview=True),
            ),
            "text without a preview": (
                lambda: wa.send_message(ASHA, "Hello", **to),
                lambda: self.js_sends("Text", "Hello"),
                send({"text": "Hello"}),
            ),
            "answer": (
                lambda: wa.send_message(ASHA, "Yes", preview_url=True, reply_to_message_id=self.inbound, **to),
                lambda: self.js_sends("Text", "Yes", True, context=self.inbound),
                send({"text": "Yes"}, linkPreview=True, replyTo=self.inbound),
            ),
            "no phone": (
                lambda: wa.send_message(NOMSA_ID, "Sawubona", preview_url=True, **to),
                lambda: js.send({"bsuid": NOMSA_ID}, "Text", "Sawubona", True, tracker=MARK),
                send({"text": "Sawubona"}, NOMSA_ID, linkPreview=True),
            ),
            "buttons": (
                lambda: wa.send_message(ASHA, "Shall we?", header="A question", footer="Acme", buttons=yes_no, **to),
                lambda: self.js_sends(
                    "Interactive", yes_no_js, make("Body", "Shall we?"), make("Header", "A question"), make("Footer", "Acme")
                ),
                send({"buttons": {"text": "Shall we?", "header": "A question", "footer": "Acme", "buttons": yes_no_ours}}),
            ),
            "list": (
                lambda: wa.send_message(ASHA, "Which?", buttons=types.SectionList("Colours", [types.Section("All", rows)]), **to),
                lambda: self.js_sends(
                    "Interactive", make("ActionList", "Colours", make("ListSection", None, *rows_js)), make("Body", "Which?")
                ),
                send({"buttons": {"text": "Which?", "list": "Colours", "buttons": rows_ours}}),
            ),
            "link": (
                lambda: wa.send_message(ASHA, "Look", buttons=types.URLButton("Open", "https://shop.example/"), **to),
                lambda: self.js_sends("Interactive", make("ActionCTA", "Open", "https://shop.example/"), make("Body", "Look")),
                send({"buttons": {"text": "Look", "buttons": [{"title": "Open", "url": "https://shop.example/"}]}}),
            ),
            "reaction": (
                lambda: wa.send_reaction(ASHA, "👍", self.inbound),
                lambda: js.send({"phone": ASHA}, "Reaction", self.inbound, "👍"),
                [{"react": {"to": ASHA, "message": self.inbound, "emoji": "👍"}}],
            ),
            "reaction taken back": (
                lambda: wa.remove_reaction(ASHA, self.inbound),
                lambda: js.send({"phone": ASHA}, "Reaction", self.inbound),
                [{"react": {"to": ASHA, "message": self.inbound, "emoji": ""}}],
            ),
            "place": (
                lambda: wa.send_location(ASHA, -26.2041, 28.0473, name="Office", address="1 Main Rd", **to),
                lambda: self.js_sends("Location", 28.0473, -26.2041, "Office", "1 Main Rd"),
                send({"location": {"latitude": -26.2041, "longitude": 28.0473, "name": "Office", "address": "1 Main Rd"}}),
            ),
            "card": (
                lambda: wa.send_contact(ASHA, card, **to),
                lambda: self.js_sends("Contacts", card_js),
                send({"contacts": [card_ours]}),
            ),
            "picture": (
                lambda: wa.send_image(ASHA, wa.upload_media(PNG, "image/png", "dot.png"), caption="A dot", **to),
                lambda: self.js_sends_file("dot.png", "image/png", PNG, "Image", "A dot"),
                send({"image": {"file": file("image/png", "dot.png", PNG), "caption": "A dot"}}),
            ),
            "voice": (
                lambda: wa.send_voice(ASHA, wa.upload_media(OGG, "audio/ogg", "voice.ogg"), **to),
                lambda: self.js_sends_file("voice.ogg", "audio/ogg", OGG, "Audio", True),
                send({"voice": {"file": file("audio/ogg", "voice.ogg", OGG)}}),
            ),
            "document": (
                lambda: wa.send_document(
                    ASHA, wa.upload_media(PDF, "application/pdf", "menu.pdf"), filename="menu.pdf", caption="Menu", **to
                ),
                lambda: self.js_sends_file("menu.pdf", "application/pdf", PDF, "Document", "Menu", "menu.pdf"),
                send({"document": {"file": file("application/pdf", "menu.pdf", PDF), "caption": "Menu"}}),
            ),
            "template, named": (
                lambda: wa.send_template(ASHA, "order_ready", templates.TemplateLanguage.ENGLISH_US, order, **to),
                lambda: self.js_sends("Template", "order_ready", make("Language", "en_US"), *order_js),
                send({"template": order_ours}),
            ),
            "template, numbered": (
                lambda: wa.send_template(
                    ASHA, "hello", templates.TemplateLanguage.SWAHILI, [templates.BodyText.params("Aṣà", "nyumbani")], **to
                ),
                lambda: self.js_sends("Template", "hello", "sw", hello_js),
                send({"template": hello}),
            ),
            "read": (
                lambda: wa.mark_message_as_read(self.inbound),
                lambda: js.call("markAsRead", self.id, self.inbound),
                [{"read": self.inbound}],
            ),
            "typing": (
                lambda: wa.indicate_typing(self.inbound),
                lambda: js.call("markAsRead", self.id, self.inbound, "text"),
                [{"typing": self.inbound}],
            ),
            "download": (
                lambda: wa.get_media_bytes(wa.get_media_url(self.media).url),
                lambda: js.order(fetch=js.call("retrieveMedia", self.media, self.id)["url"]),
                [{"download": self.media}],
            ),
            "templates": (lambda: wa.get_templates(pagination=types.Pagination(limit=100)), None, ["templates"]),
            "number": (lambda: wa.get_business_phone_number(), None, ["status"]),
            "hooks": (
                lambda: (
                    wa.delete_waba_callback_url(),
                    wa.override_waba_callback_url(self.hook, WORD),
                    wa.override_phone_callback_url(self.hook, WORD),
                    wa.get_business_phone_number(),
                ),
                None,
                [{"hooks": {"url": self.hook, "verifyToken": WORD}}],
            ),
            "new template": (lambda: wa.create_template(draft), None, [{"submit": draft_ours}]),
            "template removed": (
                lambda: wa.delete_template("old", template_id=self.find("old")),
                None,
                lambda: self.ours({"remove": {"id": self.find("old"), "name": "old"}}),
            ),
        }

    def prepare(self, name):
        """Some can be done once only: before they are done again."""
        if name == "template removed":
            self.template({**HELLO, "name": "old"})
        if name == "new template" and (made := self.find("greeting")):
            self.control("POST", f"cloud/templates/{made}", {"event": "DELETED"})

    def find(self, name):
        """Meta's id of a template."""
        found = self.control("GET", f"cloud/accounts/{self.waba}/templates")["items"]
        return next((template["id"] for template in found if template["name"] == name), None)

    def done(self, name, what):
        """What it sends to Meta."""
        self.prepare(name)
        self.clear()
        if callable(what):
            what()
        else:
            self.ours(*what)
        requests = self.requests()
        self.assertEqual({request["status"] for request in requests}, {200}, f"{name}: {requests}")
        requests = [sent(request) for request in requests]
        if len(requests) > 1 and requests[0]["path"].endswith("/media"):
            body = requests[1]["body"]
            body[body["type"]]["id"] = "an id"  # each sends the file that it has sent up itself
        return requests

    def test_our_provider_sends_what_they_send(self):
        differences = Differences(pathlib.Path(__file__).parent / "differences.json")
        for name, (pywa, js, ours) in self.operations().items():
            mine = self.done(name, ours)
            for library, theirs in [("pywa", pywa), ("whatsapp-api-js", js)]:
                if theirs is None:
                    continue
                requests = self.done(name, theirs)
                self.assertEqual(len(requests), len(mine), f"{library}, {name}: {requests}")
                for a, b in zip(requests, mine, strict=True):
                    differences.rewritten("text", library, name, lambda key, request=a: unfold(request, key))
                    differences.compare(library, name, a, b)
        differences.settle(self)


def unfold(request, key):
    """Reads what stands there as the text of its JSON."""
    text = request.get("body", {}).get(key)
    if isinstance(text, str):
        request["body"][key] = json.loads(text)
    return isinstance(text, str)
