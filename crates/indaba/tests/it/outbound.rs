//! Replies: queued, sent through a real WAHA over HTTP, and their ticks.
mod fate;
mod pace;

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
