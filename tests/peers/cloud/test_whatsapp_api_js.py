"""whatsapp-api-js, driving the simulated Meta and receiving its hooks."""

import base64

from by_node import Node, make
from world import ASHA, ASHA_NAME, HELLO, NOBODY, NOMSA, NOMSA_ID, NOMSA_NAME, ORDER, PHONE, PNG, WORD, World

B64 = base64.b64encode(PNG).decode()


def phone(digits):
    return {"phone": digits}


class Js(World):
    def setUp(self):
        super().setUp()
        self.js = Node(self)

    def send(self, *message, to=None, **more):
        """Sends it to Asha. Answers its id."""
        answer = self.js.send(to or phone(ASHA), *message, **more)
        self.assertNotIn("error", answer)
        return answer["messages"][0]["id"]


class Drives(Js):
    def test_words_reach_a_phone(self):
        answer = self.js.send(phone(f"+{ASHA}"), "Text", "Ẹ káàbọ̀ 🏡", True, tracker="indaba:1")
        [contact] = answer["contacts"]
        self.assertEqual((contact["input"], contact["wa_id"]), (f"+{ASHA}", ASHA))
        self.assertEqual(self.last()["body"], "Ẹ káàbọ̀ 🏡")
        self.send("Text", "And", context=answer["messages"][0]["id"])
        self.assertEqual(self.last()["quoted"]["body"], "Ẹ káàbọ̀ 🏡")

    def test_words_reach_a_person_without_a_phone(self):
        for to in [{"bsuid": NOMSA_ID}, NOMSA_ID]:
            [contact] = self.js.send(to, "Text", "Sawubona")["contacts"]
            self.assertEqual((contact["user_id"], contact.get("wa_id")), (NOMSA_ID, None))
        self.assertEqual([said["body"] for said in self.chat(NOMSA)], ["Sawubona", "Sawubona"])

    def test_buttons_lists_and_a_link(self):
        buttons = make("ActionButtons", make("Button", "yes", "Yes"), make("Button", "no", "No"))
        words = [make("Body", "Shall we?"), make("Header", "A question"), make("Footer", "Acme")]
        self.send("Interactive", buttons, *words)
        self.assertEqual([choice["id"] for choice in self.last()["choices"]], ["yes", "no"])
        rows = [make("Row", "b", "Blue", "in stock"), make("Row", "r", "Red")]
        self.send("Interactive", make("ActionList", "Colours", make("ListSection", "All", *rows)), make("Body", "Which?"))
        self.assertEqual([choice["title"] for choice in self.last()["choices"]], ["Blue", "Red"])
        self.send("Interactive", make("ActionCTA", "Open", "https://shop.example/"), make("Body", "Look"))
        self.assertIn("Look", self.last()["body"])

    def test_reactions_places_and_cards(self):
        said = self.send("Text", "Done")
        self.send("Reaction", said, "👍")
        self.assertEqual([one["emoji"] for one in self.last()["reactions"]], ["👍"])
        self.send("Reaction", said)
        self.assertEqual(self.last()["reactions"], [])
        self.send("Location", 28.0473, -26.2041, "Office", "1 Main Rd")
        self.assertEqual((self.last()["location"]["latitude"], self.last()["location"]["longitude"]), (-26.2041, 28.0473))
        self.send("Contacts", [make("Name", "Ana Pérez", "Ana"), make("Phone", "+27831234567", "CELL", "27831234567")])
        self.assertIn("Ana Pérez", self.last()["contacts"][0])

    def test_a_file_goes_up_is_sent_comes_down_and_is_deleted(self):
        id = self.js.order(upload=self.id, mime="image/png", name="dot.png", bytes=B64)["id"]
        self.send("Image", id, True, "A dot")
        self.assertEqual((self.last()["kind"], self.last()["body"]), ("image", "A dot"))
        where = self.js.call("retrieveMedia", id, self.id)
        self.assertEqual((where["mime_type"], where["file_size"]), ("image/png", len(PNG)))
        self.assertEqual(self.js.order(fetch=where["url"]), {"status": 200, "bytes": B64})
        self.assertEqual(self.js.call("deleteMedia", id, self.id), {"success": True})
        error = self.js.call("retrieveMedia", id)["error"]
        self.assertEqual((error["code"], error["error_subcode"]), (100, 33))
        self.assertEqual(self.js.order(fetch=where["url"])["status"], 404)

    def test_templates_are_sent(self):
        self.template(ORDER)
        self.template(HELLO)
        components = [
            make("HeaderComponent", make("HeaderParameter", "A-17", "order")),
            make("BodyComponent", make("BodyParameter", "Aṣà", "first_name"), make("BodyParameter", "A-17", "order_no")),
            make("URLComponent", "A-17"),
            make("PayloadComponent", "thanks"),
        ]
        answer = self.js.send(phone(ASHA), "Template", "order_ready", make("Language", "en_US"), *components)
        self.assertEqual(answer["messages"][0]["message_status"], "accepted")
        self.assertIn("Hi Aṣà, order A-17 is ready.", self.last()["body"])
        self.window(ASHA, False)
        self.send("Template", "hello", "sw", make("BodyComponent", *(make("BodyParameter", word) for word in ["Aṣà", "nyumbani"])))
        self.assertEqual(self.last()["body"], "Habari Aṣà, karibu nyumbani.")

    def test_people_are_blocked(self):
        self.writes(ASHA, "Hello")
        self.js.call("blockUser", self.id, phone(ASHA))
        self.assertEqual(self.js.send(phone(ASHA), "Text", "Hello")["error"]["code"], 130403)
        self.js.call("unblockUser", self.id, phone(ASHA))
        self.send("Text", "Hello")

    def test_errors_are_meta_s_own(self):
        """It has no classes for them: it hands on the answer."""
        for code in [131047, 131026, 131056, 130429, 80007, 131031, 131016]:
            with self.subTest(code):
                self.fails(code)
                error = self.js.send(phone(ASHA), "Text", "Hello")["error"]
                self.assertEqual((error["code"], error["type"]), (code, "OAuthException"))
                self.assertTrue(error["error_data"]["details"])
        self.assertEqual(self.js.send(phone(ASHA), "Template", "nothing", "en")["error"]["code"], 132001)
        self.assertEqual(self.js.call("sendMessage", "1", phone(ASHA), make("Text", "Hello"))["error"]["code"], 100)
        self.assertEqual(Node(self, token="EAAGnothing").send(phone(ASHA), "Text", "Hello")["error"]["code"], 190)
        self.control("POST", "cloud/tokens/expire", {"token": self.token})
        error = self.js.send(phone(ASHA), "Text", "Hello")["error"]
        self.assertEqual((error["code"], error["error_subcode"]), (190, 463))


class Receives(Js):
    """Meta's hooks, by the library's own handlers for Node's server. It looks at each signature."""

    def setUp(self):
        super().setUp()
        self.subscribe(self.js.url)

    def subscribe(self, url, word=WORD):
        """The library cannot do this itself."""
        self.graph(f"{self.waba}/subscribed_apps", {})
        self.graph(self.id, {"webhook_configuration": {"override_callback_uri": url, "verify_token": word}})

    def hook(self, on, wanted=lambda hook: True):
        """The first of these that is wanted; it is taken out."""
        found = self.eventually(lambda: [one for one in self.js.hooks if one["on"] == on and wanted(one)])
        self.js.hooks.remove(found[0])
        return found[0]

    def status(self, id, word):
        return self.hook("status", lambda hook: (hook["id"], hook["status"]) == (id, word))

    def message(self):
        return self.hook("message")["message"]

    def test_the_handshake(self):
        with self.assertRaisesRegex(AssertionError, "2200"):
            self.subscribe(self.js.url, "another word")

    def test_words_and_who_wrote_them(self):
        self.writes(ASHA, "Ẹ káàbọ̀ 🏡 / \\")
        hook = self.hook("message")
        self.assertEqual((hook["from"], hook["name"], hook["phoneID"]), (ASHA, ASHA_NAME, self.id))
        self.assertEqual((hook["message"]["type"], hook["message"]["text"]["body"]), ("text", "Ẹ káàbọ̀ 🏡 / \\"))
        self.eventually(lambda: {(one["state"], one["lastStatus"]) for one in self.deliveries()} == {("delivered", 200)})

    def test_a_person_without_a_phone_is_answered(self):
        self.writes(NOMSA, "Sawubona")
        hook = self.hook("message")
        self.assertEqual((hook["from"], hook["name"], hook["recipient"]), (NOMSA_ID, NOMSA_NAME, {"bsuid": NOMSA_ID}))
        sent = self.send("Text", "Yebo", to=hook["recipient"])
        self.assertEqual(self.last(NOMSA)["body"], "Yebo")
        self.assertEqual(self.status(sent, "delivered")["recipient"], {"bsuid": NOMSA_ID})

    def test_read_and_typing(self):
        ids = []
        for body in ["One", "Two"]:
            self.writes(ASHA, body)
            ids.append(self.message()["id"])
        self.assertEqual(self.js.call("markAsRead", self.id, ids[0]), {"success": True})
        self.assertEqual([message["seenByBusiness"] for message in self.chat(ASHA)], [True, False])
        self.assertEqual(self.js.call("markAsRead", self.id, ids[1], "text"), {"success": True})
        self.assertEqual([message["seenByBusiness"] for message in self.chat(ASHA)], [True, True])

    def test_what_is_tapped(self):
        rows = make("ActionList", "Colours", make("ListSection", "All", make("Row", "b", "Blau", "vorrätig")))
        for action, option, kind in [
            (make("ActionButtons", make("Button", "no", "Nö")), {"id": "no", "title": "Nö"}, "button_reply"),
            (rows, {"id": "b", "title": "Blau", "description": "vorrätig"}, "list_reply"),
        ]:
            sent = self.send("Interactive", action, make("Body", "Which?"))
            self.control("POST", f"numbers/{PHONE}/messages/{self.last()['id']}/choose", {"option": option["id"]})
            message = self.message()
            self.assertEqual(message["interactive"], {"type": kind, kind: option})
            self.assertEqual(message["context"], {"from": PHONE, "id": sent})

    def test_a_file_that_comes_is_fetched(self):
        self.writes(ASHA, "A dot", kind="image", file={"mimetype": "image/png", "data": B64})
        image = self.message()["image"]
        self.assertEqual((image["caption"], image["mime_type"]), ("A dot", "image/png"))
        where = self.js.call("retrieveMedia", image["id"], self.id)
        self.assertEqual(self.js.order(fetch=where["url"])["bytes"], B64)

    def test_how_far_a_message_has_come(self):
        sent = self.send("Text", "Hello", tracker="indaba:1")
        for word in ["sent", "delivered", "read"]:
            if word == "read":
                self.control("POST", f"numbers/{PHONE}/chats/{ASHA}/open")
            status = self.status(sent, word)
            self.assertEqual((status["phone"], status["biz_opaque_callback_data"]), (ASHA, "indaba:1"))
            self.assertNotIn("error", status)

    def test_why_a_message_failed(self):
        failed = self.status(self.send("Text", "Hello", to=phone(NOBODY)), "failed")
        self.assertEqual((failed["phone"], failed["error"]["code"]), (NOBODY, 131026))
        self.window(ASHA, False)
        failed = self.status(self.send("Text", "Hello"), "failed")
        self.assertEqual((failed["phone"], failed["error"]["code"]), (ASHA, 131047))

    def test_what_is_not_signed_with_the_secret_is_refused(self):
        wrong = Node(self, appSecret="another secret")
        self.subscribe(wrong.url)
        self.writes(ASHA, "Hello")
        self.eventually(lambda: any(one["lastStatus"] == 401 for one in self.deliveries()))
        self.assertEqual(wrong.hooks, [])
