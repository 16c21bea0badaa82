//! Hooks: their shapes against the examples, their signature, who hears them, and what happens when nobody takes them.

use axum::{http::StatusCode, response::IntoResponse as _};
use indaba_simulator::cloud::sign;
use serde_json::{Value, json};

use super::{ASHA, Meta, PHONE, callback, example, lacks};
use crate::house::{Hook, until};

/// The first hook in which something stands at `pointer` of its first change's value.
async fn hook(meta: &Meta, pointer: &str) -> Value {
    let found = || {
        let values = meta.house.hooks.all().into_iter().filter(|hook| !hook.body.is_empty()).map(|hook| hook.json());
        values.into_iter().find(|body| body["entry"][0]["changes"][0]["value"].pointer(pointer).is_some())
    };
    until(pointer, found).await
}

fn check(case: &str, was: &Value, is: &Value, but: &[&str]) {
    let mut gone = Vec::new();
    lacks(was, is, "", &mut gone);
    gone.retain(|path| !but.iter().any(|but| path.ends_with(but)));
    assert!(gone.is_empty(), "{case}: {gone:?} in {is}");
}

#[tokio::test]
async fn hooks_have_what_the_examples_have() {
    let meta = Meta::warm().await;
    let data = "YSBmaWxlJ3MgYnl0ZXM=";
    let hello = hook(&meta, "/messages/0/text").await;
    let sent = meta.sends("text", json!({"body": "Is it?"})).await;
    meta.writes(json!({"kind": "image", "body": "kitchen", "file": {"mimetype": "image/jpeg", "data": data}})).await;
    meta.writes(json!({"kind": "location", "latitude": -26.2, "longitude": 28.04, "place": "Office"})).await;
    let card = "BEGIN:VCARD\nVERSION:3.0\nN:P;Ana;;;\nFN:Ana P\nTEL;type=CELL;waid=27831234567:+27 83 123 4567\nEMAIL;type=WORK:a@x.example\nORG:Acme\nURL;type=WORK:https://x.example\nBDAY:2000-01-01\nEND:VCARD";
    meta.writes(json!({"kind": "contacts", "contacts": [card]})).await;
    let first =
        meta.house.good("GET", &format!("/control/numbers/{PHONE}/chats/{ASHA}/messages"), Value::Null).await["items"]
            .clone();
    let raw =
        first.as_array().unwrap().iter().find(|one| one["fromMe"] == true).unwrap()["id"].as_str().unwrap().to_owned();
    let act = async |what: &str, body: Value| {
        meta.house.good("POST", &format!("/control/numbers/{PHONE}/messages/{raw}/{what}"), body).await
    };
    act("reaction", json!({"from": ASHA, "emoji": "👍"})).await;
    meta.house.good("POST", &format!("/control/numbers/{PHONE}/chats/{ASHA}/open"), json!({})).await;
    for (kind, choice) in [
        (
            "button",
            json!({"type": "button", "body": {"text": "?"}, "action": {"buttons": [{"type": "reply", "reply": {"id": "b", "title": "Yes"}}]}}),
        ),
        (
            "list",
            json!({"type": "list", "body": {"text": "?"}, "action": {"button": "Open", "sections": [{"rows": [{"id": "r", "title": "Row", "description": "more"}]}]}}),
        ),
    ] {
        meta.sends("interactive", choice).await;
        let chat =
            meta.house.good("GET", &format!("/control/numbers/{PHONE}/chats/{ASHA}/messages"), Value::Null).await;
        let last = chat["items"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
        let option = if kind == "button" { "b" } else { "r" };
        meta.house
            .good("POST", &format!("/control/numbers/{PHONE}/messages/{last}/choose"), json!({"option": option}))
            .await;
    }
    meta.writes(json!({"kind": "poll", "poll": {"name": "?", "options": ["a"]}})).await;
    let edited = meta.writes(json!({"body": "tpyo"})).await["id"].as_str().unwrap().to_owned();
    meta.house.good("POST", &format!("/control/numbers/{PHONE}/messages/{edited}/edit"), json!({"body": "typo"})).await;
    meta.house.good("POST", &format!("/control/numbers/{PHONE}/messages/{edited}/revoke"), json!({})).await;

    let older = &["/user_id", "/parent_user_id"];
    for (file, case, pointer, but) in [
        ("meta-webhooks.jsonl", "Text Message", "/messages/0/text", &[][..]),
        ("meta-webhooks.jsonl", "Image Message", "/messages/0/image", &[]),
        ("meta-webhooks.jsonl", "Location Message", "/messages/0/location", &["/address", "/url"]),
        ("meta-webhooks.jsonl", "Reaction Message", "/messages/0/reaction", &[]),
        ("meta-webhooks.jsonl", "Interactive List Reply Message", "/messages/0/interactive/list_reply", &[]),
        ("meta-webhooks.jsonl", "Interactive Button Reply Message", "/messages/0/interactive/button_reply", &[]),
        ("meta-webhooks.jsonl", "Unsupported Message", "/messages/0/unsupported", &[]),
        ("pywa-updates.jsonl", "callback_button/button", "/messages/0/interactive/button_reply", older),
        ("pywa-updates.jsonl", "callback_selection/description", "/messages/0/interactive/list_reply", older),
        ("pywa-updates.jsonl", "deleted_message/revoke", "/messages/0/revoke", older),
        ("pywa-updates.jsonl", "message_status/sent", "/statuses/0", &["/parent_user_id", "/conversation", "/profile"]),
    ] {
        let was = example(file, case)["hook"].clone();
        check(case, &was, &hook(&meta, pointer).await, but);
    }
    // an edit carries the message as it is now
    let edit = hook(&meta, "/messages/0/edit").await["entry"][0]["changes"][0]["value"]["messages"][0]["edit"].clone();
    assert_eq!(edit["message"], json!({"type": "text", "text": {"body": "typo"}}));
    let contact =
        hook(&meta, "/messages/0/contacts").await["entry"][0]["changes"][0]["value"]["messages"][0]["contacts"][0]
            .clone();
    assert_eq!(
        (&contact["name"]["formatted_name"], &contact["phones"][0]["wa_id"]),
        (&json!("Ana P"), &json!("27831234567"))
    );
    let of_sent = |word: &str| {
        let is = |body: &Value| {
            let status = &body["entry"][0]["changes"][0]["value"]["statuses"][0];
            status["id"] == sent.as_str() && status["status"] == word
        };
        meta.house.hooks.all().iter().map(Hook::json).find(|body| is(body))
    };
    for word in ["sent", "delivered", "read"] {
        let told = until(word, || of_sent(word)).await;
        assert_eq!(told["entry"][0]["changes"][0]["value"]["contacts"][0]["wa_id"], ASHA);
    }
    assert_eq!(hello["entry"][0]["id"], meta.waba);
}

#[tokio::test]
async fn before_v24_statuses_had_a_conversation() {
    let meta = Meta::new(json!({"rules": {"conversation": true}})).await;
    meta.writes(json!({"body": "Hello"})).await;
    meta.sends("text", json!({"body": "x"})).await;
    let was = example("pywa-updates.jsonl", "message_status/sent")["hook"].clone();
    // What pywa's example has and real hooks have not: names beside a status (its issue 188).
    check("sent", &was, &hook(&meta, "/statuses/0").await, &["/parent_user_id", "/profile"]);
    meta.said("/fail", json!({"code": 130_472})).await;
    meta.sends("text", json!({"body": "y"})).await;
    let was = example("pywa-updates.jsonl", "message_status/failed")["hook"].clone();
    check("failed", &was, &hook(&meta, "/statuses/0/errors").await, &["/parent_user_id", "/profile"]);
}

#[tokio::test]
async fn hooks_are_signed_over_the_escaped_bytes() {
    let meta = Meta::new(json!({"appSecret": "indaba-app-secret"})).await;
    meta.writes(json!({"body": "Olá 👋 a/b"})).await;
    let hook = until("a hook", || meta.house.hooks.all().first().cloned()).await;
    let text = std::str::from_utf8(&hook.body).unwrap();
    assert!(text.contains(r#""body":"Ol\u00e1 \ud83d\udc4b a\/b""#), "{text}");
    assert_eq!(hook.header("x-hub-signature-256"), sign(&meta.secret, &hook.body));
    assert_eq!(hook.header("content-type"), "application/json");
    let again = serde_json::to_vec(&hook.json()).unwrap();
    assert_ne!(
        sign(&meta.secret, &again),
        hook.header("x-hub-signature-256"),
        "written otherwise, it is another signature"
    );
}

#[tokio::test]
async fn what_is_not_answered_200_is_told_again() {
    let meta = Meta::new(json!({})).await;
    let moved = (StatusCode::FOUND, [("location", "/elsewhere")]).into_response();
    meta.house.hooks.answers([
        StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        StatusCode::NO_CONTENT.into_response(),
        moved,
    ]);
    meta.writes(json!({"body": "Hello"})).await;
    let calls = until("four tries", || Some(meta.house.hooks.all()).filter(|calls| calls.len() == 4)).await;
    assert!(
        calls.iter().all(|call| call.body == calls[0].body && call.uri.path() == "/hook"),
        "no redirect is followed"
    );
    let delivered = meta.house.good("GET", "/control/hooks", Value::Null).await;
    assert_eq!(
        (&delivered["items"][0]["event"], &delivered["items"][0]["session"]),
        (&json!("messages.text"), &json!(meta.number))
    );
}

#[tokio::test]
async fn the_narrower_callback_is_heard_and_the_word_is_asked_for() {
    let meta = Meta::new(json!({})).await;
    let other = crate::house::House::new().await;
    let url = callback().await;
    let set = |url: &str, word: &str| json!({"override_callback_uri": url, "verify_token": word});
    let path = format!("{}/subscribed_apps", meta.waba);
    let (_, refused) = meta.call("POST", &path, set(&url, "another")).await;
    assert_eq!(refused["error"]["code"], 2200, "{refused}");
    let (_, refused) = meta.call("POST", &path, set(&other.hooks.url, "vt")).await;
    assert_eq!(refused["error"]["code"], 2200, "200 without the challenge is not enough");
    meta.good("POST", &path, set(&url, "vt")).await;
    let listed = meta.good("GET", &path, Value::Null).await;
    assert_eq!(listed["data"][0]["override_callback_uri"], url);
    meta.writes(json!({"body": "Hello"})).await;
    let told = async || meta.house.good("GET", "/control/hooks", Value::Null).await["items"].clone();
    assert_eq!(told().await[0]["url"], url, "the account's own before the app's");
    meta.good("DELETE", &path, Value::Null).await;
    meta.writes(json!({"body": "Is anybody there?"})).await;
    assert_eq!(told().await.as_array().unwrap().len(), 1, "nobody is subscribed");
    let (_, refused) = meta.call("POST", &path, set(&url, "vt")).await;
    assert!(refused["error"]["message"].as_str().unwrap().contains("must be subscribed"), "{refused}");

    // the app's own callback takes the app's own token
    let url_of = |path: &str| format!("{}/graph/v26.0/{path}", meta.house.simulator.url());
    let own = format!("{}|{}", meta.app, meta.secret);
    let fields = [
        ("object", "whatsapp_business_account"),
        ("callback_url", &url),
        ("verify_token", "vt"),
        ("fields", "messages"),
    ];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let request = meta.house.client.post(url_of(&format!("{}/subscriptions", meta.app))).bearer_auth(&own);
    let answer = request.header("content-type", "application/x-www-form-urlencoded").body(body).send().await.unwrap();
    assert_eq!(answer.json::<Value>().await.unwrap(), json!({"success": true}));
    let listed =
        meta.house.client.get(url_of(&format!("{}/subscriptions", meta.app))).bearer_auth(&own).send().await.unwrap();
    assert_eq!(listed.json::<Value>().await.unwrap()["data"][0]["callback_url"], url);
    let (_, refused) = meta.call("GET", &format!("{}/subscriptions", meta.app), Value::Null).await;
    assert_eq!(refused["error"]["code"], 100, "a user's token is not good for it");
}

#[tokio::test]
async fn a_business_scoped_id_in_to_is_taken_and_never_heard_of_again() {
    let meta = Meta::warm().await;
    let body = json!({"messaging_product": "whatsapp", "to": "ZA.12345", "type": "text", "text": {"body": "x"}});
    let sent = meta.good("POST", &format!("{}/messages", meta.number), body).await;
    let id = sent["messages"][0]["id"].as_str().unwrap().to_owned();
    meta.sends("text", json!({"body": "y"})).await;
    hook(&meta, "/statuses/0").await;
    let about = |hook: &Hook| hook.json()["entry"][0]["changes"][0]["value"]["statuses"][0]["id"] == id.as_str();
    assert!(!meta.house.hooks.all().iter().any(about));
}
