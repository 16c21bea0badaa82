//! Replies: queued, sent through a real WAHA over HTTP, their ticks, and what becomes of them when the gateway misbehaves.
use crate::support::{ASHA, Caller, MORNING, OWN, Shop, in_a_shop, in_a_shop_with, in_an_open_shop, written};
use indaba::{
    args,
    http::Role,
    instances::{self, InstanceId},
};
use serde_json::{Value, json};
use std::time::Duration;

/// A conversation with Asha, who has just written.
async fn with_asha(shop: &Shop) -> Value {
    shop.receive(ASHA, "A1", "Is the flat free?").await;
    shop.newest().await.0
}

fn path(place: &Value) -> String {
    format!("/api/conversations/{}/messages", place["id"].as_str().unwrap())
}

async fn say(who: &Caller, place: &Value, text: &str) -> Value {
    let reply = who.post(&path(place), json!({ "kind": "text", "body": text })).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.json()
}

async fn message(shop: &Shop, place: &Value, id: &Value) -> Value {
    shop.thread(place).await.into_iter().find(|message| message["id"] == *id).expect("the message")
}

/// A status hook about a message that went out.
async fn ack(shop: &Shop, id: &str, ack: i64, name: &str) {
    let payload = json!({ "id": format!("true_{ASHA}@c.us_{id}"), "from": format!("{ASHA}@c.us"), "fromMe": true, "ack": ack, "ackName": name });
    shop.tell("message.ack", payload).await;
    shop.house.run_jobs().await;
}

/// The id WhatsApp knows a message by.
async fn provider_id(shop: &Shop, id: &Value) -> String {
    let id: indaba::messages::MessageId = id.as_str().unwrap().parse().unwrap();
    let tenant = shop.house.tenant;
    let found = shop.house.app.db.read(tenant, move |tx| {
        tx.get::<(String,)>("select provider_id from messages where tenant_id = $1 and id = $2", args![id])
    });
    found.await.expect("it has one").0
}

#[tokio::test]
async fn a_reply_is_queued_sent_delivered_and_read() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        let agent = shop.house.person("Sipho", Role::Agent).await;
        let queued = say(&agent, &place, "Yes, come and see it.").await;
        assert_eq!((&queued["state"], &queued["author"]["name"]), (&json!("queued"), &json!("Sipho")));
        assert_eq!(shop.newest().await.0["lastMessage"]["state"], "queued");
        assert!(shop.sent().await.is_empty());

        shop.house.run_jobs().await;
        assert_eq!(shop.sent().await, ["Yes, come and see it."]);
        let (listed, thread) = shop.newest().await;
        assert_eq!(thread.last().unwrap()["state"], "sent");
        assert_eq!(listed["lastMessage"]["state"], "sent");
        assert_eq!(listed["lastMessage"]["author"]["name"], "Sipho");

        let id = provider_id(&shop, &queued["id"]).await;
        ack(&shop, &id, 3, "READ").await;
        ack(&shop, &id, 2, "DEVICE").await; // late: it changes nothing
        ack(&shop, &id, -1, "ERROR").await; // and so does this
        let (listed, thread) = shop.newest().await;
        let read = thread.last().unwrap();
        assert_eq!((&read["state"], &listed["lastMessage"]["state"]), (&json!("read"), &json!("read")));
        assert!(read["sentAt"].is_string() && read["deliveredAt"].is_string() && read["readAt"].is_string());
    })
    .await;
}

#[tokio::test]
async fn replies_keep_their_order_and_are_sent_once() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        for n in 0..8 {
            say(&shop.who, &place, &format!("line {n}")).await;
        }
        shop.house.run_jobs().await;
        shop.house.run_jobs().await;
        assert_eq!(shop.sent().await, (0..8).map(|n| format!("line {n}")).collect::<Vec<_>>());
        assert!(shop.effects().await.iter().all(|one| one["count"] == 1));
    })
    .await;
}

#[tokio::test]
async fn the_length_of_a_text_is_whatsapps() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        let ask = async |body: Value| shop.who.post(&path(&place), body).await;
        for (text, fits) in
            [(String::new(), false), (" \n".into(), false), ("é".repeat(4096), true), ("é".repeat(4097), false)]
        {
            let reply = ask(json!({ "kind": "text", "body": text })).await;
            if fits {
                assert_eq!(reply.status, 201, "{reply:?}");
            } else {
                assert_eq!(reply.fields(), ["/body"]);
            }
        }
        assert_eq!(ask(json!({ "kind": "image" })).await.fields(), ["/mediaId"]);
        assert_eq!(
            ask(json!({ "kind": "voice", "body": "x", "mediaId": "med_01h455vb4pex5vsknk084sn02q" })).await.fields(),
            ["/body"]
        );
        assert_eq!(
            ask(json!({ "kind": "image", "mediaId": "med_01h455vb4pex5vsknk084sn02q" })).await.fields(),
            ["/mediaId"]
        );
        assert_eq!(
            ask(json!({ "kind": "text", "body": "x", "replyTo": "msg_01h455vb4pex5vsknk084sn02q" })).await.fields(),
            ["/replyTo"]
        );
        ask(json!({ "kind": "pigeon", "body": "x" })).await.problem(422);
        ask(json!({ "kind": "text", "body": "x", "colour": "red" })).await.problem(422);
    })
    .await;
}

#[tokio::test]
async fn an_idempotency_key_sends_once() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        let who = shop.who.with("idempotency-key", "once");
        let first = who.post(&path(&place), json!({ "kind": "text", "body": "Hello" })).await.ok();
        let second = who.post(&path(&place), json!({ "kind": "text", "body": "Hello" })).await.ok();
        assert_eq!(first["id"], second["id"]);
        who.post(&path(&place), json!({ "kind": "text", "body": "Another" })).await.problem(422);
        shop.house.run_jobs().await;
        assert_eq!(shop.sent().await, ["Hello"]);
    })
    .await;
}

#[tokio::test]
async fn a_reply_quotes_the_message_it_answers() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        let question = shop.newest().await.1[0].clone();
        let reply = shop
            .who
            .post(&path(&place), json!({ "kind": "text", "body": "Yes", "replyTo": question["id"] }))
            .await
            .ok();
        assert_eq!(reply["quoted"]["preview"], "Is the flat free?");
        shop.house.run_jobs().await;
        let recording: Value = reqwest::get(format!("{}/control/recording?path=/api/sendText", shop.waha.url()))
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let body = &recording["items"][0]["body"];
        assert!(body["reply_to"].as_str().unwrap().contains("A1"), "{body}");

        let mut answer = written(ASHA, "A2", "When?");
        answer["replyTo"] = json!({ "id": provider_id(&shop, &reply["id"]).await, "body": "Yes" });
        shop.tell("message.any", answer).await;
        shop.house.run_jobs().await;
        let last = shop.newest().await.1.pop().unwrap();
        assert_eq!((&last["replyTo"], &last["quoted"]["preview"]), (&reply["id"], &json!("Yes")));
    })
    .await;
}

#[tokio::test]
async fn the_echo_of_our_own_send_is_not_another_message() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        let sent = say(&shop.who, &place, "Hello").await;
        shop.house.run_jobs().await;
        let id = provider_id(&shop, &sent["id"]).await;
        let mut echo = written(ASHA, &id, "Hello");
        echo["id"] = json!(format!("true_{ASHA}@c.us_{id}"));
        echo["from"] = json!(format!("{OWN}@c.us"));
        echo["to"] = json!(format!("{ASHA}@c.us"));
        echo["fromMe"] = json!(true);
        echo["source"] = json!("api");
        shop.tell("message.any", echo).await;
        shop.house.run_jobs().await;
        let (_, thread) = shop.newest().await;
        assert_eq!(thread.len(), 2);
        assert_eq!(thread[1]["author"]["kind"], "api");
    })
    .await;
}

#[tokio::test]
async fn what_surely_did_not_happen_is_tried_again() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        shop.fault("/api/sendText", json!({ "kind": "tooMany", "retryAfterS": 3 }), 1).await;
        let sent = say(&shop.who, &place, "Patience").await;
        shop.house.run_jobs().await;
        assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "queued");
        let number = shop.who.get(&format!("/api/instances/{}", shop.id)).await.ok();
        assert_eq!(number["state"], "paused", "the whole number waits: {number}");
        shop.house.wait(Duration::from_secs(4));
        shop.house.run_jobs().await;
        assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "sent");
        assert_eq!(shop.sent().await, ["Patience"]);
    })
    .await;
}

#[tokio::test]
async fn what_whatsapp_refuses_has_failed_and_says_why() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        let no = json!({ "kind": "answer", "status": 400, "body": { "message": "no", "error": "Bad Request", "statusCode": 400 } });
        shop.fault("/api/sendText", no, 1).await;
        let refused = say(&shop.who, &place, "One").await;
        shop.house.run_jobs().await;
        let failed = message(&shop, &place, &refused["id"]).await;
        assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("bad-request")), "{failed}");
        assert_eq!(shop.newest().await.0["lastMessage"]["state"], "failed");

        // somebody who is not on WhatsApp
        let nobody = json!({ "to": { "phone": "+27820000000" }, "kind": "text", "body": "Hello?" });
        let sent = shop.who.post("/api/messages/send", nobody).await.ok();
        shop.house.run_jobs().await;
        let place = json!({ "id": sent["conversationId"] });
        let failed = message(&shop, &place, &sent["id"]).await;
        assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("not-on-whatsapp")));

        // a person tries again, with another outcome
        let path = format!("/api/messages/{}", refused["id"].as_str().unwrap());
        assert_eq!(shop.who.post(&format!("{path}/cancel"), json!({})).await.ok()["state"], "cancelled", "given up");
        assert_eq!(shop.who.post(&format!("{path}/resend"), json!({})).await.ok()["state"], "queued", "or not");
        shop.house.run_jobs().await;
        assert_eq!(shop.sent().await, ["One"]);
    })
    .await;
}

#[tokio::test]
async fn a_message_with_an_unclear_fate_is_never_sent_again_by_itself() {
    // each of these leaves open whether the message went; the first column says whether it did
    for (effect, harm) in [
        (false, json!({ "kind": "cut" })),
        (true, json!({ "kind": "cut", "effect": true })),
        (true, json!({ "kind": "crash", "effect": true })),
        (false, json!({ "kind": "crash" })),
        (false, json!({ "kind": "html" })),
        (false, json!({ "kind": "redirect" })),
        (true, json!({ "kind": "truncate" })),
    ] {
        in_a_shop(async |shop| {
            let place = with_asha(&shop).await;
            shop.fault("/api/sendText", harm.clone(), 1).await;
            let sent = say(&shop.who, &place, "Once").await;
            for _ in 0..60 {
                shop.house.run_jobs().await;
                shop.house.wait(Duration::from_secs(10));
            }
            shop.house.run_jobs().await;
            let left = message(&shop, &place, &sent["id"]).await;
            let went = shop.effects().await.len();
            assert_eq!(went, usize::from(effect), "{harm}: {left}");
            let state = left["state"].as_str().unwrap();
            match effect {
                true => assert!(["sent", "delivered", "unknown"].contains(&state), "{harm}: {state}"),
                false => assert!(["failed", "unknown"].contains(&state), "{harm}: {state}"),
            }
            if state == "unknown" {
                let path = format!("/api/messages/{}", sent["id"].as_str().unwrap());
                assert_eq!(left["error"]["code"], "unknown");
                shop.who.post(&format!("{path}/check"), json!({})).await.ok();
                shop.who.post(&format!("{path}/mark-sent"), json!({})).await.ok();
                assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "sent");
            }
        })
        .await;
    }
}

#[tokio::test]
async fn a_worker_that_dies_in_the_middle_leaves_no_double() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        let sent = say(&shop.who, &place, "In the middle").await;
        let id: indaba::messages::MessageId = sent["id"].as_str().unwrap().parse().unwrap();
        // the state in which a process that was killed leaves it
        let tenant = shop.house.tenant;
        shop.house
            .app
            .db
            .write(tenant, move |tx| indaba::messages::outbound::take(tx, id, None, &Default::default()).map(drop))
            .await
            .unwrap();
        shop.house.run_jobs().await;
        assert!(shop.effects().await.is_empty(), "it is looked up, not sent");
        assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "sending");
        for _ in 0..40 {
            shop.house.wait(Duration::from_secs(10));
            shop.house.run_jobs().await;
        }
        assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "unknown");
        assert!(shop.effects().await.is_empty());
        // and a status that comes after all settles it
        let path = format!("/api/messages/{}", sent["id"].as_str().unwrap());
        assert_eq!(shop.who.post(&format!("{path}/resend"), json!({})).await.ok()["state"], "queued");
        shop.house.run_jobs().await;
        assert_eq!(shop.sent().await, ["In the middle"]);
    })
    .await;
}

#[tokio::test]
async fn a_queued_message_can_be_taken_back_and_nothing_goes_while_the_number_is_not_linked() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        let fail = json!({ "name": shop.session, "status": "FAILED", "statuses": [{ "status": "FAILED", "timestamp": MORNING.0 + 1 }] });
        shop.house.wait(Duration::from_secs(1));
        shop.tell("session.status", fail).await;
        shop.house.run_jobs().await;
        let sent = say(&shop.who, &place, "Wait for me").await;
        shop.house.run_jobs().await;
        assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "queued");
        let path = format!("/api/messages/{}", sent["id"].as_str().unwrap());
        assert_eq!(shop.who.post(&format!("{path}/cancel"), json!({})).await.ok()["state"], "cancelled");
        shop.house.wait(Duration::from_secs(120));
        shop.house.run_jobs().await;
        assert!(shop.effects().await.is_empty());
        assert_eq!(shop.who.post(&format!("{path}/mark-sent"), json!({})).await.problem(409), "wrong-state");
    })
    .await;
}

#[tokio::test]
async fn a_message_to_a_number_makes_the_contact_and_the_conversation() {
    in_a_shop(async |shop| {
        let ask = async |to: Value| {
            shop.who.post("/api/messages/send", json!({ "to": to, "kind": "text", "body": "Hello" })).await
        };
        shop.house.admin.patch("/api/tenant", json!({ "country": "ZA" })).await.ok();
        let sent = ask(json!({ "phone": "082 000 1005" })).await;
        assert_eq!(sent.status, 201, "{sent:?}");
        shop.house.run_jobs().await;
        assert_eq!(shop.effects().await[0]["chat"], "27820001005@c.us");
        let contact = shop.who.get("/api/contacts").await.ok()["items"][0].clone();
        assert_eq!((&contact["phone"], &contact["status"]), (&json!("+27820001005"), &json!("new")));
        let again = ask(json!({ "contactId": contact["id"] })).await.ok();
        assert_eq!(again["conversationId"], sent.json()["conversationId"]);
        assert_eq!(ask(json!({ "phone": "not a number" })).await.fields(), ["/to/phone"]);
        assert_eq!(ask(json!({})).await.fields(), ["/to"]);
        ask(json!({ "contactId": "con_01h455vb4pex5vsknk084sn02q" })).await.problem(404);
    })
    .await;
}

#[tokio::test]
async fn reactions_and_read_marks_reach_whatsapp() {
    in_a_shop(async |shop| {
        // the gateway knows the message, too
        shop.control(
            &format!("numbers/{OWN}/messages"),
            json!({ "from": ASHA, "body": "Is the flat free?", "id": "A1" }),
        )
        .await;
        let place = with_asha(&shop).await;
        let question = shop.newest().await.1[0].clone();
        let react = format!("/api/messages/{}/reactions", question["id"].as_str().unwrap());
        let shown = shop.who.post(&react, json!({ "emoji": "👍🏽" })).await.ok();
        assert_eq!(
            (&shown["reactions"][0]["emoji"], &shown["reactions"][0]["by"]["kind"]),
            (&json!("👍🏽"), &json!("api"))
        );
        for bad in ["hello", "👍 👍", &"👍".repeat(20)] {
            assert_eq!(shop.who.post(&react, json!({ "emoji": bad })).await.fields(), ["/emoji"]);
        }
        let read = format!("/api/conversations/{}/read", place["id"].as_str().unwrap());
        assert_eq!(shop.who.post(&read, json!({})).await.ok()["unreadCount"], 0);
        assert_eq!(shop.house.admin.get("/api/conversations/counts").await.ok()["unread"], 0);
        shop.house.run_jobs().await;
        let recording: Value = reqwest::get(format!("{}/control/recording?limit=500", shop.waha.url()))
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        let called = |path: &str| {
            recording["items"]
                .as_array()
                .unwrap()
                .iter()
                .any(|one| one["path"] == path && one["status"].as_i64() < Some(300))
        };
        assert!(called("/api/reaction") && called("/api/sendSeen"), "{recording}");
        assert_eq!(shop.who.post(&react, json!({ "emoji": "" })).await.ok()["reactions"], json!([]));
        let typing = format!("/api/conversations/{}/typing", place["id"].as_str().unwrap());
        assert_eq!(shop.who.post(&typing, json!({ "on": true })).await.status, 204);
    })
    .await;
}

#[tokio::test]
async fn a_number_keeps_its_pace() {
    let pace = [("INDABA_PACE_LINKED_MIN_MS", "3000"), ("INDABA_PACE_LINKED_MAX_MS", "3000")];
    in_a_shop_with(&pace, async |shop| {
        let place = with_asha(&shop).await;
        for n in 0..3 {
            say(&shop.who, &place, &format!("line {n}")).await;
        }
        shop.house.run_jobs().await;
        assert_eq!(shop.sent().await.len(), 1);
        for n in 2..=3 {
            shop.house.wait(Duration::from_secs(2));
            shop.house.run_jobs().await;
            shop.house.wait(Duration::from_secs(1));
            shop.house.run_jobs().await;
            assert_eq!(shop.sent().await.len(), n);
        }
    })
    .await;
}

#[tokio::test]
async fn a_message_with_an_unclear_fate_is_shown_as_soon_as_the_operator_wants() {
    in_a_shop_with(&[("INDABA_SENDING_UNKNOWN_AFTER_S", "3")], async |shop| {
        let place = with_asha(&shop).await;
        shop.fault("/api/sendText", json!({ "kind": "cut" }), 1).await;
        let sent = say(&shop.who, &place, "Once").await;
        shop.house.run_jobs().await;
        assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "sending");
        for _ in 0..3 {
            shop.house.wait(Duration::from_secs(1));
            shop.house.run_jobs().await;
        }
        assert_eq!(message(&shop, &place, &sent["id"]).await["state"], "unknown");
        assert!(shop.effects().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn an_account_lock_makes_first_messages_wait_5_15_and_60_minutes() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        let stranger = "27820001005";
        let locked = json!({ "path": "/api/sendText", "chatId": format!("{stranger}@c.us") });
        shop.control("faults", json!({ "on": locked, "count": 3, "do": { "kind": "timelock" } })).await;
        let to = json!({ "to": { "phone": format!("+{stranger}") }, "kind": "text", "body": "Good morning" });
        let sent = shop.who.post("/api/messages/send", to).await.ok();
        let there = json!({ "id": sent["conversationId"] });
        let mut from = MORNING;
        for minutes in [5, 15, 60] {
            shop.house.run_jobs().await;
            let waits = message(&shop, &there, &sent["id"]).await;
            assert_eq!((&waits["state"], &waits["error"]["code"]), (&json!("queued"), &json!("account-locked")));
            let number = shop.number().await;
            from = from + Duration::from_secs(minutes * 60);
            // answers go: the number is not paused, its new chats are
            assert_eq!((&number["state"], &number["pausedUntil"]), (&json!("connected"), &json!(null)), "{minutes}");
            assert_eq!(number["newChatsPausedUntil"], json!(from), "{minutes}");
            assert!(number["stateReason"].as_str().unwrap().contains("new people"), "{number}");
            if minutes == 5 {
                // the minute's look at the gateway does not take the reason away, and answers still go
                assert_eq!(shop.sync().await["newChatsPausedUntil"], json!(from));
                say(&shop.who, &place, "It is free").await;
                shop.house.run_jobs().await;
                assert_eq!(shop.sent().await, ["It is free"]);
            }
            shop.house.wait(Duration::from_secs(minutes * 60));
        }
        shop.house.run_jobs().await;
        assert_eq!(shop.sent().await, ["It is free", "Good morning"]);
        let (number, sent) = (shop.number().await, message(&shop, &there, &sent["id"]).await);
        assert_eq!((&number["newChatsPausedUntil"], &number["stateReason"]), (&json!(null), &json!(null)));
        assert_eq!((&sent["state"], &sent["error"]), (&json!("sent"), &json!(null)));
    })
    .await;
}

#[tokio::test]
async fn when_even_an_answer_is_refused_the_whole_number_waits() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        shop.fault("/api/sendText", json!({ "kind": "timelock" }), 1).await;
        say(&shop.who, &place, "One").await;
        shop.house.run_jobs().await;
        shop.receive("27820001006", "B1", "Hello").await;
        let other = shop.newest().await.0;
        say(&shop.who, &other, "Two").await;
        shop.house.wait(Duration::from_secs(299));
        shop.house.run_jobs().await;
        assert!(shop.effects().await.is_empty());
        assert!(shop.number().await["stateReason"].as_str().unwrap().starts_with("WhatsApp has locked this number"));
        shop.house.wait(Duration::from_secs(1));
        shop.house.run_jobs().await;
        let mut sent = shop.sent().await;
        sent.sort();
        assert_eq!(sent, ["One", "Two"]);
        assert_eq!(shop.number().await["state"], "connected");
    })
    .await;
}

#[tokio::test]
async fn a_new_number_writes_to_few_new_people_a_day() {
    let pace = [
        ("INDABA_PACE_LINKED_MIN_MS", "1"),
        ("INDABA_PACE_LINKED_MAX_MS", "1"),
        ("INDABA_PACE_NEW_CHATS_PER_DAY", "4"),
    ];
    in_a_shop_with(&pace, async |shop| {
        let place = with_asha(&shop).await;
        let go_on = async |by: u64| {
            for _ in 0..4 {
                shop.house.wait(Duration::from_secs(by / 4));
                shop.house.run_jobs().await;
            }
        };
        let write = async |to: &str, text: &str| {
            let to = json!({ "to": { "phone": to }, "kind": "text", "body": text });
            shop.who.post("/api/messages/send", to).await.ok();
        };
        for phone in ["+27820001010", "+27820001011", "+27820001012", "+27820001013"] {
            write(phone, phone).await;
        }
        go_on(4).await;
        let sent = shop.sent().await;
        assert_eq!(sent.len(), 1, "a quarter of its budget on its first day: {sent:?}");
        say(&shop.who, &place, "an answer").await;
        go_on(4).await;
        write(&sent[0], "and one more thing").await;
        go_on(4).await;
        assert_eq!(shop.sent().await[1..], ["an answer", "and one more thing"], "only new people count");
        go_on(24 * 3600).await;
        assert_eq!(shop.sent().await.len(), 5, "{:?}", shop.sent().await);
    })
    .await;
}

#[tokio::test]
async fn the_whole_trip_over_real_http() {
    in_an_open_shop(async |shop| {
        let words = json!({ "from": ASHA, "name": "Asha", "body": "Over the wire" });
        shop.control(&format!("numbers/{OWN}/messages"), words).await;
        let place = shop.until(async || shop.inbox().await.pop()).await;
        say(&shop.who, &place, "And back").await;
        let is = async |state: &str| (shop.thread(&place).await.pop().unwrap()["state"] == state).then_some(());
        shop.until(async || is("delivered").await).await;
        shop.control(&format!("numbers/{OWN}/chats/{ASHA}/open"), json!({})).await;
        shop.until(async || is("read").await).await;
        assert_eq!(shop.thread(&place).await.len(), 2, "the echoes of our own message are not messages");
    })
    .await;
}

#[tokio::test]
async fn a_card_counts_what_went_out_today() {
    let pace = [
        ("INDABA_PACE_LINKED_MIN_MS", "1000"),
        ("INDABA_PACE_LINKED_MAX_MS", "1000"),
        ("INDABA_PACE_NEW_CHATS_PER_DAY", "40"),
    ];
    in_a_shop_with(&pace, async |shop| {
        let place = with_asha(&shop).await;
        let counted = async || {
            let number = shop.number().await;
            json!([number["sentToday"], number["newChatsToday"], number["newChatsBudget"]])
        };
        let budget = 10; // a quarter of forty on its first day
        let program = shop.house.key(Role::Viewer).await; // outlives the tokens of people
        assert_eq!(counted().await, json!([0, 0, budget]));
        say(&shop.who, &place, "One").await;
        say(&shop.who, &place, "Two").await;
        let to = json!({ "to": { "phone": "+27820001015" }, "kind": "text", "body": "Good morning" });
        shop.who.post("/api/messages/send", to.clone()).await.ok();
        for _ in 0..4 {
            shop.house.run_jobs().await;
            shop.house.wait(Duration::from_secs(10));
        }
        assert_eq!(counted().await, json!([3, 1, budget]));
        // who was written to once is no new chat any more
        shop.who.post("/api/messages/send", to).await.ok();
        shop.house.run_jobs().await;
        assert_eq!(counted().await, json!([4, 1, budget]));
        // nobody knew about one, until a person had seen it on the phone
        shop.house.wait(Duration::from_secs(10));
        shop.fault("/api/sendText", json!({ "kind": "html" }), 1).await;
        let unclear = say(&shop.who, &place, "Three").await;
        for _ in 0..60 {
            shop.house.run_jobs().await;
            shop.house.wait(Duration::from_secs(10));
        }
        assert_eq!(counted().await, json!([4, 1, budget]));
        let path = format!("/api/messages/{}", unclear["id"].as_str().unwrap());
        shop.who.post(&format!("{path}/mark-sent"), json!({})).await.ok();
        assert_eq!(counted().await, json!([5, 1, budget]));
        shop.house.wait(Duration::from_secs(24 * 60 * 60));
        let tomorrow = program.get(&format!("/api/instances/{}", shop.id)).await.ok();
        assert_eq!((&tomorrow["sentToday"], &tomorrow["newChatsToday"]), (&json!(0), &json!(0)));
    })
    .await;
}

#[tokio::test]
async fn when_the_whole_pause_ends_first_the_card_says_that_new_chats_still_wait() {
    in_a_shop(async |shop| {
        let (db, tenant, id): (_, _, InstanceId) = (&shop.house.app.db, shop.house.tenant, shop.id.parse().unwrap());
        let begun = shop.house.app.clock.now();
        let (minute, hour) = (begun + Duration::from_secs(60), begun + Duration::from_secs(3600));
        db.write(tenant, move |tx| instances::lock(tx, id, true, Some(hour))).await.unwrap();
        db.write(tenant, move |tx| instances::pause(tx, id, minute)).await.unwrap();
        let both = shop.number().await;
        assert_eq!(
            (&both["state"], &both["pausedUntil"], &both["newChatsPausedUntil"]),
            (&json!("paused"), &json!(minute), &json!(hour))
        );
        assert!(both["stateReason"].as_str().unwrap().contains("slow down"), "{both}");
        shop.house.wait(Duration::from_secs(60));
        shop.house.run_jobs().await;
        let one = shop.number().await;
        assert_eq!(
            (&one["state"], &one["pausedUntil"], &one["newChatsPausedUntil"]),
            (&json!("connected"), &json!(null), &json!(hour))
        );
        assert!(one["stateReason"].as_str().unwrap().contains("new people"), "{one}");
        let row = db.read(tenant, move |tx| instances::get(tx, id)).await.unwrap();
        assert_eq!((row.paused_until, row.firsts_paused_until), (None, Some(hour)), "the job took one of them away");
        shop.house.wait(Duration::from_secs(3540));
        shop.house.run_jobs().await;
        let row = db.read(tenant, move |tx| instances::get(tx, id)).await.unwrap();
        assert_eq!((row.paused_until, row.firsts_paused_until), (None, None));
    })
    .await;
}
