//! What customers write and do becomes conversations and messages, however oddly it is told.
use crate::support::{ASHA, MORNING, OWN, in_a_shop, written};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_text_makes_a_contact_a_conversation_and_a_message() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "Is the flat still free?").await;
        let (place, thread) = shop.newest().await;
        assert_eq!(place["contact"]["name"], "Asha");
        assert_eq!(place["contact"]["phone"], "+27820001001");
        assert_eq!((&place["state"], &place["unreadCount"]), (&json!("open"), &json!(1)));
        assert_eq!(place["lastMessage"]["preview"], "Is the flat still free?");
        assert_eq!(place["lastMessage"]["direction"], "inbound");
        assert_eq!(place["windowEndsAt"], "2026-11-21T07:00:00.000Z");
        assert_eq!(thread.len(), 1);
        let message = &thread[0];
        assert_eq!((&message["kind"], &message["state"]), (&json!("text"), &json!("received")));
        assert_eq!((&message["author"]["kind"], &message["author"]["name"]), (&json!("contact"), &json!("Asha")));
        assert_eq!(message["createdAt"], "2026-11-20T07:00:00.000Z");

        shop.receive(ASHA, "A2", "Hello?").await;
        shop.receive(ASHA, "A2", "Hello?").await; // told again, in another hook
        let (place, thread) = shop.newest().await;
        assert_eq!((thread.len(), &place["unreadCount"]), (2, &json!(2)));
        assert_eq!(shop.inbox().await.len(), 1);
        let counts = shop.who.get("/api/conversations/counts").await.ok();
        assert_eq!(counts, json!({ "open": 1, "unread": 1, "unassigned": 1, "mine": 0 }));
        let contact = shop.who.get("/api/contacts").await.ok()["items"][0].clone();
        assert_eq!((&contact["status"], &contact["identities"][0]["kind"]), (&json!("active"), &json!("phone")));
    })
    .await;
}

#[tokio::test]
async fn many_at_once_are_taken_in_together() {
    in_a_shop(async |shop| {
        for n in 0..40 {
            let from = format!("2782000{:04}", 2000 + n % 8);
            let mut message = written(&from, &format!("M{n}"), &format!("text {n}"));
            message["timestamp"] = json!(MORNING.0 / 1000 - 40 + n);
            shop.tell("message.any", message).await;
        }
        shop.house.run_jobs().await;
        let inbox = shop.inbox().await;
        assert_eq!(inbox.len(), 8);
        for place in &inbox {
            let thread = shop.thread(place).await;
            assert_eq!(thread.len(), 5);
            let mut texts: Vec<u32> =
                thread.iter().map(|m| m["body"].as_str().unwrap()[5..].parse().unwrap()).collect();
            assert_eq!(place["unreadCount"], 5);
            assert_eq!(place["lastMessage"]["preview"], format!("text {}", texts.last().unwrap()));
            assert!(texts.is_sorted(), "{texts:?}");
            texts.dedup();
            assert_eq!(texts.len(), 5);
        }
        let counts = shop.who.get("/api/conversations/counts").await.ok();
        assert_eq!(counts, json!({ "open": 8, "unread": 8, "unassigned": 8, "mine": 0 }));
    })
    .await;
}

#[tokio::test]
async fn times_that_cannot_be_true_are_now() {
    in_a_shop(async |shop| {
        for (id, at) in
            [("A1", json!(0)), ("A2", json!(4_102_444_800_i64)), ("A3", json!("1795150000")), ("A4", Value::Null)]
        {
            let mut message = written(ASHA, id, id);
            message["timestamp"] = at;
            shop.tell("message.any", message).await;
        }
        shop.house.run_jobs().await;
        let (_, thread) = shop.newest().await;
        let times: Vec<_> =
            thread.iter().map(|m| (m["body"].as_str().unwrap(), m["createdAt"].as_str().unwrap())).collect();
        let now = "2026-11-20T07:00:00.000Z";
        assert_eq!(times.len(), 4);
        assert_eq!(
            times[0],
            ("A3", "2026-11-20T04:46:40.000Z"),
            "an old one sorts where it belongs; numbers may be strings"
        );
        assert!(times[1..].iter().all(|(_, at)| *at == now), "{times:?}");
    })
    .await;
}

#[tokio::test]
async fn odd_text_is_kept_as_far_as_it_is_text() {
    in_a_shop(async |shop| {
        let body = shop.envelope("message.any", written(ASHA, "A1", "HERE")).to_string();
        let body = body.replace("HERE", r"a\u0000b \ud83d c \ud83d\ude00");
        assert_eq!(shop.post(&shop.path, body.clone(), Some(&shop.sign(body.as_bytes()))).await.status, 200);
        shop.house.run_jobs().await;
        let (_, thread) = shop.newest().await;
        assert_eq!(thread[0]["body"], "ab  c 😀");
    })
    .await;
}

#[tokio::test]
async fn groups_stories_and_channels_are_passed_over() {
    in_a_shop(async |shop| {
        for chat in ["120363000000000001@g.us", "status@broadcast", "120363000000000002@newsletter", "1@broadcast"] {
            let mut message = written(ASHA, "G1", "hello all");
            message["id"] = json!(format!("false_{chat}_G1_{ASHA}@c.us"));
            message["from"] = json!(chat);
            message["to"] = json!(chat);
            message["participant"] = json!(format!("{ASHA}@c.us"));
            shop.tell("message.any", message).await;
        }
        for event in ["group.v2.join", "label.upsert", "no.such.event", "engine.event", "presence.update"] {
            shop.tell(event, json!({ "id": "x" })).await;
        }
        shop.house.run_jobs().await;
        assert!(shop.inbox().await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_hidden_id_and_its_phone_number_become_one_contact() {
    in_a_shop(async |shop| {
        let lid = |id: &str, text: &str, phone: Option<&str>| {
            let mut message = written("111222333444", id, text);
            message["id"] = json!(format!("false_111222333444@lid_{id}"));
            message["from"] = json!("111222333444@lid");
            if let Some(phone) = phone {
                message["_data"] = json!({ "key": { "remoteJid": "111222333444@lid", "remoteJidAlt": format!("{phone}@s.whatsapp.net") } });
            }
            message
        };
        shop.receive(ASHA, "P1", "from the phone").await;
        shop.tell("message.any", lid("L1", "hidden", None)).await;
        shop.house.run_jobs().await;
        let inbox = shop.inbox().await;
        assert_eq!(inbox.len(), 2, "two strangers, as far as anybody knows");

        shop.tell("message.any", lid("L2", "it is me", Some(ASHA))).await;
        shop.house.run_jobs().await;
        let (place, thread) = shop.newest().await;
        assert_eq!(shop.inbox().await.len(), 1);
        let bodies: Vec<_> = thread.iter().map(|m| m["body"].as_str().unwrap()).collect();
        assert_eq!(bodies, ["from the phone", "hidden", "it is me"]);
        assert_eq!(place["unreadCount"], 3);
        assert_eq!(place["contact"]["phone"], "+27820001001");
        // the old addresses lead to the new one
        for old in &inbox {
            let found = shop.who.get(&format!("/api/conversations/{}", old["id"].as_str().unwrap())).await.ok();
            assert_eq!(found["id"], place["id"]);
            let contact = shop.who.get(&format!("/api/contacts/{}", old["contact"]["id"].as_str().unwrap())).await.ok();
            assert_eq!(contact["identities"].as_array().unwrap().len(), 2);
        }
        let counts = shop.who.get("/api/conversations/counts").await.ok();
        assert_eq!((&counts["open"], &counts["unread"]), (&json!(1), &json!(1)));
    })
    .await;
}

#[tokio::test]
async fn what_the_owner_writes_on_the_phone_is_shown_as_such() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "Hello?").await;
        let mut own = written(ASHA, "O1", "Answered from my phone");
        own["id"] = json!(format!("true_{ASHA}@c.us_O1"));
        own["from"] = json!(format!("{OWN}@c.us"));
        own["to"] = json!(format!("{ASHA}@c.us"));
        own["fromMe"] = json!(true);
        shop.tell("message.any", own).await;
        shop.house.run_jobs().await;
        let (place, thread) = shop.newest().await;
        assert_eq!(shop.inbox().await.len(), 1);
        let own = thread.last().unwrap();
        assert_eq!((&own["direction"], &own["author"]["kind"]), (&json!("outbound"), &json!("phone")));
        assert_eq!(place["lastMessage"]["direction"], "outbound");
        assert_eq!(place["unreadCount"], 0, "who answers has read");
    })
    .await;
}

#[tokio::test]
async fn reactions_edits_and_deletions_find_their_message_also_when_they_come_first() {
    in_a_shop(async |shop| {
        let react = |emoji: &str, at: i64| {
            json!({ "id": format!("false_{ASHA}@c.us_R{at}"), "timestamp": MORNING.0 / 1000 + at - 10, "from": format!("{ASHA}@c.us"),
                    "fromMe": false, "reaction": { "text": emoji, "messageId": format!("false_{ASHA}@c.us_A1") } })
        };
        shop.tell("message.reaction", react("👍", 1)).await;
        shop.house.run_jobs().await;
        shop.receive(ASHA, "A1", "Is it fre?").await;
        let (_, thread) = shop.newest().await;
        assert_eq!(thread[0]["reactions"][0]["emoji"], "👍", "it had come before its message");
        shop.tell("message.reaction", react("❤️", 3)).await;
        shop.house.run_jobs().await;
        shop.tell("message.reaction", react("😀", 2)).await; // late
        shop.house.run_jobs().await;
        assert_eq!(shop.newest().await.1[0]["reactions"], json!([{
            "emoji": "❤️", "at": "2026-11-20T06:59:53.000Z",
            "by": { "kind": "contact", "id": shop.newest().await.0["contact"]["id"], "name": "Asha" } }]));
        shop.tell("message.reaction", react("", 4)).await;
        shop.house.run_jobs().await;
        assert_eq!(shop.newest().await.1[0]["reactions"], json!([]));

        let mut edited = written(ASHA, "E1", "Is it free?");
        edited["editedMessageId"] = json!("A1");
        shop.tell("message.edited", edited).await;
        shop.house.run_jobs().await;
        let (place, thread) = shop.newest().await;
        assert_eq!((&thread[0]["body"], thread.len()), (&json!("Is it free?"), 1));
        assert!(thread[0]["editedAt"].is_string());
        assert_eq!(place["lastMessage"]["preview"], "Is it free?");

        shop.tell("message.revoked", json!({ "after": written(ASHA, "V1", ""), "before": null, "revokedMessageId": "A1" })).await;
        shop.house.run_jobs().await;
        let (_, thread) = shop.newest().await;
        assert!(thread[0]["deletedAt"].is_string() && thread[0]["body"].is_null(), "{thread:?}");
    })
    .await;
}

#[tokio::test]
async fn a_closed_conversation_opens_again_and_an_old_message_does_not_open_it() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "Hello").await;
        let (place, _) = shop.newest().await;
        let path = format!("/api/conversations/{}", place["id"].as_str().unwrap());
        assert_eq!(shop.who.post(&format!("{path}/close"), json!({})).await.ok()["state"], "closed");
        assert_eq!(shop.who.get("/api/conversations/counts").await.ok()["open"], 0);
        shop.house.wait(Duration::from_secs(3 * 24 * 3600));
        shop.receive(ASHA, "A2", "from three days ago").await;
        assert!(shop.inbox().await.is_empty());
        let mut fresh = written(ASHA, "A3", "still there?");
        fresh["timestamp"] = json!(shop.house.app.clock.now().0 / 1000);
        shop.tell("message.any", fresh).await;
        shop.house.run_jobs().await;
        assert_eq!(shop.inbox().await.len(), 1);
        assert_eq!(shop.who.get("/api/conversations/counts").await.ok()["open"], 1);
    })
    .await;
}

#[tokio::test]
async fn a_flood_of_states_is_one_state() {
    in_a_shop(async |shop| {
        for n in 0..30 {
            let at = MORNING.0 + n;
            let state = if n == 29 { "FAILED" } else { "STARTING" };
            shop.tell(
                "session.status",
                json!({ "name": shop.session, "status": state, "statuses": [{ "status": state, "timestamp": at }] }),
            )
            .await;
        }
        shop.house.wait(Duration::from_secs(1));
        shop.house.run_jobs().await;
        let seen = shop.who.get(&format!("/api/instances/{}", shop.id)).await.ok();
        assert_eq!(seen["state"], "attention", "{seen}");
    })
    .await;
}

#[tokio::test]
async fn messages_of_one_second_keep_the_order_in_which_they_were_told() {
    in_a_shop(async |shop| {
        // gateways post side by side: the third arrives first
        for (n, id) in [(2, "third"), (0, "first"), (1, "second")] {
            let mut hook = shop.envelope("message.any", written(ASHA, id, id));
            hook["timestamp"] = json!(MORNING.0 - 600_000 + n);
            let body = hook.to_string();
            assert_eq!(shop.post(&shop.path, body.clone(), Some(&shop.sign(body.as_bytes()))).await.status, 200);
        }
        shop.house.run_jobs().await;
        let (place, thread) = shop.newest().await;
        let texts: Vec<&str> = thread.iter().map(|one| one["body"].as_str().unwrap()).collect();
        assert_eq!(texts, ["first", "second", "third"]);
        assert_eq!(place["lastMessage"]["preview"], "third");
    })
    .await;
}

#[tokio::test]
async fn an_answer_to_something_with_an_impossible_id_is_an_answer_all_the_same() {
    in_a_shop(async |shop| {
        // the sender's program chooses what it calls the message it answers
        let mut payload = written(ASHA, "A1", "Yes, that one");
        payload["replyTo"] = json!({ "id": "9".repeat(400), "body": "Which one?" });
        shop.tell("message.any", payload).await;
        shop.house.run_jobs().await;
        let (_, thread) = shop.newest().await;
        assert_eq!((thread.len(), &thread[0]["body"]), (1, &json!("Yes, that one")));
    })
    .await;
}
