"""pywa, driving the simulated Meta and receiving its hooks."""

import base64
import logging

import by_pywa
import httpx
from pywa import errors, types
from pywa.types import templates
from receive import Receiver
from world import ASHA, ASHA_NAME, HELLO, NOBODY, NOMSA, NOMSA_ID, NOMSA_NAME, ORDER, PHONE, PNG, WORD, World

B64 = base64.b64encode(PNG).decode()


class Drives(World):
    def setUp(self):
        super().setUp()
        self.wa = by_pywa.client(self)

    def test_words_reach_a_phone(self):
        sent = self.wa.send_message(f"+{ASHA}", "Ẹ káàbọ̀ 🏡", preview_url=True, tracker="indaba:1")
        self.assertTrue(sent.id.startswith("wamid."))
        self.assertEqual(sent.chat.id, ASHA)
        self.assertEqual(self.last()["body"], "Ẹ káàbọ̀ 🏡")
        answer = self.wa.send_message(ASHA, "And", reply_to_message_id=sent.id)
        self.assertNotEqual(answer.id, sent.id)
        self.assertEqual(self.last()["quoted"]["body"], "Ẹ káàbọ̀ 🏡")

    def test_words_reach_a_person_without_a_phone(self):
        sent = self.wa.send_message(NOMSA_ID, "Sawubona")
        self.assertEqual(sent.chat.id, NOMSA_ID)
        body = self.requests()[-1]["body"]
        self.assertEqual((body.get("to"), body["recipient"]), (None, NOMSA_ID))
        self.assertEqual(self.last(NOMSA)["body"], "Sawubona")

    def test_buttons_lists_and_a_link(self):
        buttons = [types.Button("Yes", "yes"), types.Button("No", "no")]
        self.wa.send_message(ASHA, "Shall we?", header="A question", footer="Acme", buttons=buttons)
        self.assertEqual([choice["id"] for choice in self.last()["choices"]], ["yes", "no"])
        rows = [types.SectionRow("Blue", "b", "in stock"), types.SectionRow("Red", "r")]
        self.wa.send_message(ASHA, "Which?", buttons=types.SectionList("Colours", [types.Section("All", rows)]))
        self.assertEqual([choice["title"] for choice in self.last()["choices"]], ["Blue", "Red"])
        self.wa.send_message(ASHA, "Look", buttons=types.URLButton("Open", "https://shop.example/"))
        self.assertIn("Look", self.last()["body"])

    def test_reactions_places_and_cards(self):
        said = self.wa.send_message(ASHA, "Done")
        self.wa.send_reaction(ASHA, "👍", said.id)
        self.assertEqual([one["emoji"] for one in self.last()["reactions"]], ["👍"])
        self.wa.remove_reaction(ASHA, said.id)
        self.assertEqual(self.last()["reactions"], [])
        self.wa.send_location(ASHA, -26.2041, 28.0473, name="Office", address="1 Main Rd")
        self.assertEqual(self.last()["location"]["latitude"], -26.2041)
        name = types.Contact.Name(formatted_name="Ana Pérez", first_name="Ana")
        phones = [types.Contact.Phone(phone="+27831234567", type="CELL", wa_id="27831234567")]
        self.wa.send_contact(ASHA, types.Contact(name=name, phones=phones))
        self.assertIn("Ana Pérez", self.last()["contacts"][0])

    def test_a_file_goes_up_is_sent_comes_down_and_is_deleted(self):
        media = self.wa.upload_media(PNG, mime_type="image/png", filename="dot.png")
        self.wa.send_image(ASHA, media, caption="A dot")
        self.assertEqual((self.last()["kind"], self.last()["body"]), ("image", "A dot"))
        where = self.wa.get_media_url(media.id)
        self.assertEqual((where.mime_type, int(where.file_size)), ("image/png", len(PNG)))
        self.assertEqual(self.wa.get_media_bytes(where.url), PNG)
        self.assertTrue(self.wa.delete_media(media.id, phone_id=self.id))
        with self.assertRaises(errors.WhatsAppError) as raised:
            self.wa.get_media_url(media.id)
        self.assertEqual((raised.exception.code, raised.exception.subcode), (100, 33))
        with self.assertRaises(httpx.HTTPStatusError):
            self.wa.get_media_bytes(where.url)
        self.wa.send_document(ASHA, b"%PDF-1.4", filename="menu.pdf", mime_type="application/pdf")
        self.assertEqual(self.last()["media"]["filename"], "menu.pdf")

    def test_templates_are_listed_and_sent(self):
        for number in range(30):
            self.template({**HELLO, "name": f"hello_{number:02}"})
        self.template(ORDER)
        first = self.wa.get_templates(pagination=types.Pagination(limit=25))
        # By the cursor: following `next` with pywa 4.5.0 ends in its own TypeError (its page of templates takes no `item_factory`).
        rest = self.wa.get_templates(pagination=types.Pagination(limit=25, after=first.after))
        self.assertEqual((first.has_next, rest.has_next, first.total_count), (True, False, 31))
        self.assertEqual(len({template.name for template in [*first, *rest]}), 31)
        [order] = self.wa.get_templates(name="order_ready")
        self.assertEqual((order.status, order.parameter_format), (templates.TemplateStatus.APPROVED, templates.ParamFormat.NAMED))
        self.assertEqual(order.components[1].text, ORDER["components"][1]["text"])
        self.assertEqual(self.wa.get_template(order.id).name, "order_ready")
        sent = self.wa.send_template(
            ASHA,
            "order_ready",
            templates.TemplateLanguage.ENGLISH_US,
            [
                templates.HeaderText.params(order="A-17"),
                templates.BodyText.params(first_name="Aṣà", order_no="A-17"),
                templates.URLButton.params(url_variable="A-17", index=0),
                templates.QuickReplyButton.params(callback_data="thanks", index=1),
            ],
        )
        self.assertEqual(sent.status, types.sent_update.SentTemplateStatus.ACCEPTED)
        self.assertIn("Hi Aṣà, order A-17 is ready.", self.last()["body"])
        self.window(ASHA, False)
        params = [templates.BodyText.params("Aṣà", "nyumbani")]
        self.wa.send_template(ASHA, "hello_07", templates.TemplateLanguage.SWAHILI, params)
        self.assertEqual(self.last()["body"], "Habari Aṣà, karibu nyumbani.")

    def test_what_is_there(self):
        number = self.wa.get_business_phone_number()
        self.assertEqual((number.verified_name, number.throughput["level"]), ("Acme Homes", "STANDARD"))
        self.assertEqual([one.id for one in self.wa.get_business_phone_numbers()], [self.id])
        self.assertEqual(self.wa.get_business_account().id, self.waba)
        self.wa.update_business_profile(about="Homes", websites=["https://shop.example/"])
        self.assertEqual(self.wa.get_business_profile().about, "Homes")

    def test_each_error_is_the_one_its_users_know(self):
        for code, error in [
            (131047, errors.ReEngagementMessage),
            (131026, errors.MessageUndeliverable),
            (131056, errors.TooManyMessages),
            (130429, errors.RateLimitHit),
            (80007, errors.RateLimitIssues),
            (131048, errors.SpamRateLimitHit),
            (131031, errors.AccountLocked),
            (368, errors.TemporarilyBlocked),
            (131016, errors.ServiceUnavailable),
        ]:
            with self.subTest(code):
                self.fails(code)
                with self.assertRaises(error) as raised:
                    self.wa.send_message(ASHA, "Hello")
                self.assertEqual(raised.exception.code, code)
                self.assertTrue(raised.exception.details)

    def test_errors_of_tokens_numbers_templates_and_words(self):
        with self.assertRaises(errors.ExpiredAccessToken):
            by_pywa.client(self, token="EAAGnothing").send_message(ASHA, "Hello")
        with self.assertRaises(errors.TemplateNotExists):
            self.wa.send_template(ASHA, "nothing", templates.TemplateLanguage.ENGLISH)
        self.template(HELLO)
        with self.assertRaises(errors.TemplateParamCountMismatch):
            self.wa.send_template(ASHA, "hello", templates.TemplateLanguage.SWAHILI, [templates.BodyText.params("Aṣà")])
        with self.assertRaises(errors.RecipientCannotBeSender):
            self.wa.send_message(PHONE, "Hello")
        for wrong in [lambda: self.wa.send_message(ASHA, "x" * 5000), lambda: self.wa.send_message(ASHA, "Hi", sender="1")]:
            with self.assertRaises(errors.WhatsAppError) as raised:
                wrong()
            self.assertEqual(raised.exception.code, 100)
        self.control("POST", "cloud/tokens/expire", {"token": self.token})
        with self.assertRaises(errors.ExpiredAccessToken) as raised:
            self.wa.send_message(ASHA, "Hello")
        self.assertEqual(raised.exception.subcode, 463)


class Receives(World):
    """Meta's hooks, by the routes that pywa puts into a Flask application. pywa looks at each signature."""

    def setUp(self):
        super().setUp()
        logging.getLogger("pywa").setLevel(logging.CRITICAL)  # it tells of each hook that it refuses, as it is to
        self.receiver = Receiver()
        self.addCleanup(self.receiver.close)
        self.wa = by_pywa.client(self, server=self.receiver.app, webhook_endpoint="/hooks", skip_duplicate_updates=False)
        self.got = []
        for on in [self.wa.on_message, self.wa.on_callback_button, self.wa.on_callback_selection, self.wa.on_message_status]:
            on(lambda _, update: self.got.append(update))
        self.wa.delete_waba_callback_url()  # the same call subscribes the app to the account
        self.wa.override_phone_callback_url(f"{self.receiver.url}/hooks", WORD)

    def update(self, kind, wanted=lambda update: True):
        """The first update of this kind that is wanted; it is taken out."""
        found = self.eventually(lambda: [one for one in self.got if type(one) is kind and wanted(one)])
        self.got.remove(found[0])
        return found[0]

    def status(self, sent, word):
        return self.update(types.MessageStatus, lambda status: (status.id, status.status) == (sent.id, word))

    def test_the_handshake(self):
        for url, word in [(f"{self.receiver.url}/hooks", "another word"), (f"{self.receiver.url}/elsewhere", WORD)]:
            with self.assertRaises(errors.WhatsAppError) as raised:
                self.wa.override_phone_callback_url(url, word)
            self.assertEqual(raised.exception.code, 2200)
        app, url = self.number["appId"], f"{self.receiver.url}/hooks"
        token = self.wa.get_app_access_token(app, self.number["appSecret"])
        self.assertTrue(self.wa.set_app_callback_url(app, token, url, WORD, ["messages"]))
        self.assertTrue(self.wa.override_waba_callback_url(url, WORD))
        self.assertEqual(self.wa.get_business_phone_number().webhook_configuration["whatsapp_business_account"], url)
        self.assertTrue(self.wa.delete_phone_callback_url())
        self.writes(ASHA, "By the account's callback")
        self.assertEqual(self.update(types.Message).text, "By the account's callback")

    def test_words_and_who_wrote_them(self):
        self.writes(ASHA, "Ẹ káàbọ̀ 🏡 / \\")
        message = self.update(types.Message)
        self.assertEqual((message.type, message.text), (types.MessageType.TEXT, "Ẹ káàbọ̀ 🏡 / \\"))
        self.assertEqual((message.from_user.name, message.from_user.wa_id), (ASHA_NAME, ASHA))
        self.assertTrue(message.from_user.bsuid.startswith("ZA."))
        self.assertEqual((message.metadata.phone_number_id, message.waba_id), (self.id, self.waba))
        answer = message.reply("Good", quote=True)
        self.writes(ASHA, "Indeed", replyTo=self.last()["id"])
        self.assertEqual(self.update(types.Message).reply_to_message.id, answer.id)
        self.eventually(lambda: {(one["state"], one["lastStatus"]) for one in self.deliveries()} == {("delivered", 200)})

    def test_a_person_without_a_phone_is_answered(self):
        self.writes(NOMSA, "Sawubona")
        message = self.update(types.Message)
        user = message.from_user
        self.assertEqual((user.name, user.wa_id, user.bsuid, user.username), (NOMSA_NAME, None, NOMSA_ID, "nomsa.d"))
        sent = message.reply("Yebo")
        self.assertEqual(self.last(NOMSA)["body"], "Yebo")
        self.assertEqual(self.status(sent, "delivered").from_user.bsuid, NOMSA_ID)

    def test_read_and_typing(self):
        for body in ["One", "Two"]:
            self.writes(ASHA, body)
        one, two = (self.update(types.Message, lambda message, body=body: message.text == body) for body in ["One", "Two"])
        self.assertTrue(one.mark_as_read())
        self.assertEqual([message["seenByBusiness"] for message in self.chat(ASHA)], [True, False])
        self.assertTrue(two.indicate_typing())
        self.assertEqual([message["seenByBusiness"] for message in self.chat(ASHA)], [True, True])
        two.react("👍")
        self.assertEqual(self.last()["reactions"][0]["emoji"], "👍")

    def test_what_is_tapped(self):
        sent = self.wa.send_message(ASHA, "Shall we?", buttons=[types.Button("Yes", "yes"), types.Button("Nö", "no")])
        self.control("POST", f"numbers/{PHONE}/messages/{self.last()['id']}/choose", {"option": "no"})
        button = self.update(types.CallbackButton)
        self.assertEqual((button.data, button.title, button.reply_to_message.id), ("no", "Nö", sent.id))
        rows = [types.SectionRow("Blau", "b", "vorrätig")]
        sent = self.wa.send_message(ASHA, "Which?", buttons=types.SectionList("Colours", [types.Section("All", rows)]))
        self.control("POST", f"numbers/{PHONE}/messages/{self.last()['id']}/choose", {"option": "b"})
        row = self.update(types.CallbackSelection)
        self.assertEqual((row.data, row.title, row.description), ("b", "Blau", "vorrätig"))
        self.assertEqual(row.reply_to_message.id, sent.id)
        self.template(ORDER)
        params = [
            templates.HeaderText.params(order="A-17"),
            templates.BodyText.params(first_name="Aṣà", order_no="A-17"),
            templates.URLButton.params(url_variable="A-17", index=0),
            templates.QuickReplyButton.params(callback_data="thanks", index=1),
        ]
        self.wa.send_template(ASHA, "order_ready", templates.TemplateLanguage.ENGLISH_US, params)
        self.control("POST", f"numbers/{PHONE}/messages/{self.last()['id']}/choose", {"option": "Thanks"})
        button = self.update(types.CallbackButton)
        self.assertEqual((button.type, button.data, button.title), (types.MessageType.BUTTON, "thanks", "Thanks"))

    def test_files_that_come_are_fetched(self):
        self.writes(ASHA, "A dot", kind="image", file={"mimetype": "image/png", "data": B64})
        image = self.update(types.Message)
        self.assertEqual((image.caption, image.image.mime_type), ("A dot", "image/png"))
        self.assertEqual(image.get_media_bytes(), PNG)
        self.writes(ASHA, kind="voice", file={"mimetype": "audio/ogg; codecs=opus", "data": base64.b64encode(b"OggS").decode()})
        voice = self.update(types.Message).audio
        self.assertEqual((voice.mime_type, voice.voice), ("audio/ogg; codecs=opus", True))
        file = {"mimetype": "application/pdf", "filename": "menú.pdf", "data": B64}
        self.writes(ASHA, kind="document", file=file)
        self.assertEqual(self.update(types.Message).document.filename, "menú.pdf")

    def test_places_cards_and_reactions_that_come(self):
        self.writes(ASHA, kind="location", latitude=-26.2041, longitude=28.0473, place="Café Àṣà")
        place = self.update(types.Message).location
        self.assertEqual((place.latitude, place.longitude, place.name), (-26.2041, 28.0473, "Café Àṣà"))
        card = "BEGIN:VCARD\nVERSION:3.0\nFN:Ana Pérez\nTEL;type=CELL;waid=27831234567:+27 83 123 4567\nEND:VCARD"
        self.writes(ASHA, kind="contacts", contacts=[card])
        [contact] = self.update(types.Message).contacts
        self.assertEqual((contact.name.formatted_name, contact.phones[0].wa_id), ("Ana Pérez", "27831234567"))
        said = self.wa.send_message(ASHA, "Done")
        raw = self.last()["id"]
        for emoji in ["🎉", ""]:
            self.control("POST", f"numbers/{PHONE}/messages/{raw}/reaction", {"from": ASHA, "emoji": emoji})
            reaction = self.update(types.Message, lambda message: message.type == types.MessageType.REACTION).reaction
            self.assertEqual((reaction.message_id, reaction.emoji), (said.id, emoji or None))

    def test_how_far_a_message_has_come(self):
        sent = self.wa.send_message(ASHA, "Hello", tracker="indaba:1")
        for word in ["sent", "delivered", "read"]:
            if word == "read":
                self.control("POST", f"numbers/{PHONE}/chats/{ASHA}/open")
            status = self.status(sent, word)
            self.assertEqual((status.tracker, status.from_user.wa_id, status.error), ("indaba:1", ASHA, None))
            if word == "sent":
                self.assertEqual((status.pricing.model, status.pricing.category), ("PMP", "service"))

    def test_why_a_message_failed(self):
        sent = self.wa.send_message(NOBODY, "Hello")
        failed = self.status(sent, "failed")
        self.assertIsInstance(failed.error, errors.MessageUndeliverable)
        self.assertEqual((failed.from_user.wa_id, failed.from_user.bsuid), (NOBODY, None))
        self.window(ASHA, False)
        failed = self.status(self.wa.send_message(ASHA, "Hello"), "failed")
        self.assertIsInstance(failed.error, errors.ReEngagementMessage)
        self.fails(131049, by="status")
        failed = self.status(self.wa.send_message(ASHA, "Hello"), "failed")
        self.assertIsInstance(failed.error, errors.MessageUndeliverableDueToHealthyEcosystemEngagement)

    def test_what_is_not_signed_with_the_secret_is_refused(self):
        wrong = by_pywa.client(self, server=(other := Receiver()).app, app_secret="another secret", verify_token=WORD)
        self.addCleanup(other.close)
        wrong.on_message(lambda _, update: self.got.append(update))
        wrong.override_phone_callback_url(f"{other.url}/", WORD)
        self.writes(ASHA, "Hello")
        self.eventually(lambda: any(one["lastStatus"] == 403 for one in self.deliveries()))
        self.assertEqual(self.got, [])
