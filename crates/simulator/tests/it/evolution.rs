//! Evolution: every exchange and hook of a real 2.3.7 server held against the simulator's, and what the captures do not show.
//!
//! Shapes are compared, not values: the same fields with the same kinds of values; null stands for anything. The server of the
//! captures had no WhatsApp: its messages came by its other channels, and shapes of a linked device from its own library.

use std::{fs, path::PathBuf, time::Duration};

use axum::http::StatusCode;
use indaba_simulator::Config;
use serde_json::{Value, json};

use crate::house::{Hook, House, SHOP, THANDI, until};

/// Kept once, where the provider reads them, too.
fn fixture(name: &str) -> String {
    let at = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../providers/fixtures/evolution")).join(name);
    fs::read_to_string(&at).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn lines(name: &str) -> Vec<Value> {
    fixture(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Why `ours` has another shape than `seen`, if it has. Unless `whole`, ours may have more fields.
fn differs(seen: &Value, ours: &Value, whole: bool, at: &str) -> Option<String> {
    match (seen, ours) {
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Array(seen), Value::Array(ours)) => ours.iter().enumerate().find_map(|(n, ours)| {
            let mut why = seen.iter().map(|seen| differs(seen, ours, whole, &format!("{at}/{n}")));
            // Like any of them.
            let first = why.next()?;
            if first.is_none() || why.any(|why| why.is_none()) { None } else { first }
        }),
        // Bytes: numbers by number.
        (Value::Object(seen), Value::Object(ours)) if seen.contains_key("0") && ours.contains_key("0") => None,
        (Value::Object(seen), Value::Object(ours)) => {
            let missing = seen.iter().find(|(name, value)| !value.is_null() && !ours.contains_key(*name));
            let more = ours.iter().find(|(name, value)| whole && !value.is_null() && !seen.contains_key(*name));
            let odd = missing.map(|(name, _)| format!("{at}/{name} is missing"));
            let odd = odd.or_else(|| more.map(|(name, _)| format!("{at}/{name} is not in the capture")));
            odd.or_else(|| {
                seen.iter().find_map(|(name, seen)| differs(seen, ours.get(name)?, whole, &format!("{at}/{name}")))
            })
        }
        (seen, ours) if std::mem::discriminant(seen) == std::mem::discriminant(ours) => None,
        (seen, ours) => Some(format!("{at}: {seen} was seen, {ours} is ours")),
    }
}

/// Rows of the store without what each message says: which is the last of a chat is chance.
fn beside(answer: &Value) -> Value {
    match answer {
        Value::Object(fields) if fields.contains_key("messageTimestamp") => fields
            .iter()
            .filter(|(name, _)| *name != "message")
            .map(|(name, part)| (name.clone(), part.clone()))
            .collect(),
        Value::Object(fields) => fields.iter().map(|(name, part)| (name.clone(), beside(part))).collect(),
        Value::Array(items) => items.iter().map(beside).collect(),
        other => other.clone(),
    }
}

/// A call of an instance's owner, with any key.
async fn call(house: &House, method: &str, path: &str, key: &str, body: &Value) -> (u16, Value) {
    let url = format!("{}{path}", house.simulator.evolution_url());
    let mut request = house.client.request(method.parse().unwrap(), url);
    if !key.is_empty() {
        request = request.header("apikey", key);
    }
    if !body.is_null() {
        request = request.json(body);
    }
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap_or_default())
}

async fn good(house: &House, method: &str, path: &str, body: Value) -> Value {
    let (status, answer) = call(house, method, path, "simulator", &body).await;
    assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
    answer
}

/// The real server's hooks went here.
const THERE: &str = "http://127.0.0.1:18090";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_exchange_and_hook_has_the_captured_shape() {
    // No code comes in time: the server of the captures could not reach WhatsApp.
    let house = House::with(Config { link_delay: Duration::from_secs(60), ..Config::fast() }).await;
    let here = house.hooks.url.trim_end_matches("/hook").to_owned();
    let mut tokens = std::collections::HashMap::new();
    let mut wrong = Vec::new();
    for (n, exchange) in lines("exchanges.jsonl").iter().enumerate() {
        let (method, path) = (exchange["method"].as_str().unwrap(), exchange["path"].as_str().unwrap());
        let seen = exchange["status"].as_u64().unwrap();
        let body: Value = serde_json::from_str(&exchange["request"].to_string().replace(THERE, &here)).unwrap();
        let named = path.split('?').next().unwrap().split('/').nth(3).unwrap_or("acme-1");
        // A refused token is that of another instance.
        let owner = if seen == 401 { "acme-1" } else { named };
        let key = match exchange["key"].as_str().unwrap() {
            "global" => "simulator",
            "instance" => tokens.get(owner).map_or("", String::as_str),
            "none" => "",
            other => other,
        };
        let said = body.to_string();
        if said.contains("fail500") && path == "/webhook/evolution" {
            house.hooks.answers([StatusCode::INTERNAL_SERVER_ERROR; 2]);
        } else if said.contains("fail401") && path == "/webhook/evolution" {
            house.hooks.answers([StatusCode::UNAUTHORIZED]);
        }
        let before = house.hooks.all().len();
        let (status, answer) = call(&house, method, path, key, &body).await;
        if u64::from(status) != seen {
            wrong.push(format!("{n} {method} {path}: {status} {answer}, not {seen}"));
        }
        let rows = path.contains("/chat/find");
        let (theirs, ours) = match rows {
            true => (beside(&exchange["response"]), beside(&answer)),
            false => (exchange["response"].clone(), answer.clone()),
        };
        if let Some(why) = differs(&theirs, &ours, true, "") {
            wrong.push(format!("{n} {method} {path}: {why}"));
        }
        if path.starts_with("/instance/create") && status == 201 {
            tokens
                .insert(body["instanceName"].as_str().unwrap().to_owned(), answer["hash"].as_str().unwrap().to_owned());
        }
        if path.starts_with("/instance/connect/") {
            // There it fell back at once.
            house.good("POST", &format!("/control/sessions/{named}/status"), json!({"status": "close"})).await;
        }
        if path.starts_with("/webhook/evolution") {
            // Each is told, as often as it takes, before the setting changes.
            let tries = if said.contains("fail500") { 3 } else { 1 };
            until("the hook", || (house.hooks.all().len() >= before + tries).then_some(())).await;
        }
    }
    assert_eq!(wrong, Vec::<String>::new());

    let tries = || house.hooks.all().into_iter().filter(|hook| hook.uri.path() == "/fail500").collect::<Vec<_>>();
    // There may be more by now: the courier does not wait for us.
    let tried = until("three tries", || (tries().len() >= 3).then(tries)).await;
    assert!(tried.windows(2).all(|two| two[0].body == two[1].body), "a try is the same, byte for byte");
    let refused = house.hooks.all().into_iter().filter(|hook| hook.uri.path() == "/fail401").count();
    assert_eq!(refused, 1, "a refusal is believed");
    for name in [
        "chats-update",
        "chats-upsert",
        "connection-update-connecting",
        "contacts-upsert",
        "contacts-upsert-meta-no-jid",
        "instance-create",
        "instance-delete",
        "messages-upsert-by-events-url",
        "messages-upsert-image-base64",
        "messages-upsert-meta-channel",
        "messages-upsert-text",
        "refused-401-not-retried",
        "remove-instance",
        "retry-1-of-2-after-500",
        "retry-2-of-2-after-500",
        "send-message-document",
        "send-message-text",
    ] {
        hook_as_captured(&house, name).await;
    }
}

async fn hook_as_captured(house: &House, name: &str) {
    let capture = fixture(&format!("{name}.http")).replace('\r', "");
    let (head, body) = capture.split_once("\n\n").unwrap();
    let seen: Value = serde_json::from_str(body.trim()).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    let fits = |hook: &Hook| {
        // What is fetched from here is no hook.
        if hook.body.is_empty() {
            return false;
        }
        let ours = hook.json();
        hook.uri.path() == path
            && ours["event"] == seen["event"]
            && ours["instance"] == seen["instance"]
            && ours["data"]["messageType"] == seen["data"]["messageType"]
    };
    let all = || house.hooks.all().into_iter().filter(fits).collect::<Vec<_>>();
    let ours = until(name, || all().into_iter().next()).await;
    assert_eq!(differs(&seen, &ours.json(), true, ""), None, "{name}: {}", ours.json());
    for line in head.lines().skip(1) {
        let (header, value) = line.split_once(':').unwrap();
        match header.to_ascii_lowercase().as_str() {
            "content-length" | "host" | "connection" | "accept-encoding" => {}
            // A token of this minute.
            "authorization" if value.contains("eyJ") => {
                assert!(ours.header("authorization").starts_with("Bearer eyJ"), "{name}: {header}");
            }
            _ => assert_eq!(ours.header(header), value.trim(), "{name}: {header}"),
        }
    }
}

/// A linked instance that tells everything.
async fn linked(house: &House) {
    let hook = json!({"url": house.hooks.url, "events": [], "headers": {"x-indaba-token": "s3cret"}});
    let body = json!({"instanceName": "t7-i3", "integration": "WHATSAPP-BAILEYS", "webhook": hook});
    good(house, "POST", "/instance/create", body).await;
    good(house, "GET", "/instance/connect/t7-i3", Value::Null).await;
    house.hooks.nth("qrcode.updated", 1).await;
    let view = house.good("POST", "/control/sessions/t7-i3/scan", json!({"phone": SHOP})).await;
    assert_eq!((&view["gateway"], &view["status"]), (&json!("evolution"), &json!("open")));
    until("open", || house.hooks.of("connection.update").into_iter().find(|hook| hook["data"]["state"] == "open"))
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_phones_write_has_the_shape_of_the_library() {
    let house = House::new().await;
    linked(&house).await;
    house.good("POST", "/control/customers", json!({"phone": THANDI, "name": "Thandi", "shown": "lid"})).await;
    let at = format!("/control/numbers/{SHOP}/messages");
    let file = |mimetype: &str| json!({"mimetype": mimetype, "data": "AAAA", "filename": "a.pdf"});
    let sent = house.sends_by("t7-i3", THANDI, "Hello").await;
    let poll = json!({"name": "q", "options": ["a", "b"], "multiple": false});
    let asked = good(
        &house,
        "POST",
        "/message/sendPoll/t7-i3",
        json!({"number": THANDI, "name": "q", "selectableCount": 1, "values": ["a", "b"]}),
    )
    .await;
    let asked = asked["key"]["id"].as_str().unwrap().to_owned();
    // These are answers to lists, buttons and flows, and a place that moves: no phone here can write them.
    let not_played = ["liveLocation", "listReply", "tmplReply", "interactiveReply"];
    for shape in lines("baileys-shapes.jsonl") {
        let case = shape["case"].as_str().unwrap();
        if not_played.contains(&case) {
            continue;
        }
        let event = shape["event"].as_str().unwrap();
        let before = house.hooks.of(event).len();
        let (path, mut body) = match case {
            "text" => (at.clone(), json!({"body": "hi"})),
            "ext" => (at.clone(), json!({"body": "see", "replyTo": sent})),
            "image" => (at.clone(), json!({"kind": "image", "body": "roof", "file": file("image/jpeg")})),
            "audio" => (at.clone(), json!({"kind": "voice", "file": file("audio/ogg; codecs=opus")})),
            "doc" => (at.clone(), json!({"kind": "document", "body": "cap", "file": file("application/pdf")})),
            "sticker" => (at.clone(), json!({"kind": "sticker", "file": file("image/webp")})),
            "location" => {
                (at.clone(), json!({"kind": "location", "latitude": -26.2, "longitude": 28.04, "place": "Joburg"}))
            }
            "contact" => (at.clone(), json!({"kind": "contacts", "contacts": ["BEGIN:VCARD\nFN:A\nEND:VCARD"]})),
            "poll" => (at.clone(), json!({"kind": "poll", "poll": poll})),
            "reaction" => (format!("{at}/{sent}/reaction"), json!({"emoji": "👍"})),
            "pollUpdate" => (format!("{at}/{asked}/vote"), json!({"options": ["a"]})),
            "edit" | "revoke" => {
                let words = house.writes(THANDI, "words").await["id"].as_str().unwrap().to_owned();
                (format!("{at}/{words}/{case}"), json!({}))
            }
            other => panic!("how is {other} written?"),
        };
        match case {
            "edit" => body["body"] = "new".into(),
            "revoke" => {}
            _ => body["from"] = THANDI.into(),
        }
        house.good("POST", &path, body).await;
        let ours = house.hooks.nth(event, before + 1).await["data"].clone();
        // A choice is read since 2.3.7, and a place has an address when it is a shop's.
        let mut seen = shape["data"].clone();
        for part in ["/message/pollUpdateMessage/vote", "/message/locationMessage/address"] {
            seen.pointer_mut(part).map(Value::take);
        }
        assert_eq!(differs(&seen, &ours, false, case), None, "{case}: {ours}");
        if let Some(kind) = seen["messageType"].as_str() {
            assert_eq!(ours["messageType"], kind, "{case}");
        }
    }
    let vote =
        house.hooks.of("messages.upsert").into_iter().find(|hook| hook["data"]["messageType"] == "pollUpdateMessage");
    let vote = vote.unwrap()["data"].clone();
    assert_eq!(vote["pollUpdates"][0]["name"], "a");
    assert_eq!(vote["pollUpdates"][0]["voters"].as_array().unwrap().len(), 1);
    assert_eq!(vote["pollUpdates"][1]["voters"], json!([]));
    // Since 2.3.7 both fields have the phone of who is hidden, where it is known; contacts keep the hidden id.
    assert_eq!(
        (&vote["key"]["remoteJid"], &vote["key"]["remoteJidAlt"]),
        (&json!(format!("{THANDI}@s.whatsapp.net")), &json!(format!("{THANDI}@s.whatsapp.net")))
    );
    assert!(house.hooks.of("contacts.upsert")[0]["data"]["remoteJid"].as_str().unwrap().ends_with("@lid"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unreachable_whatsapp_floods_until_something_happens() {
    let house = House::new().await;
    linked(&house).await;
    let told = house.hooks.of("connection.update").len();
    house.good("POST", "/control/sessions/t7-i3/status", json!({"status": "unreachable"})).await;
    let connecting = house.hooks.nth("connection.update", told + 5).await;
    assert_eq!(connecting["data"]["state"], "connecting");
    let (status, answer) =
        call(&house, "POST", "/message/sendText/t7-i3", "simulator", &json!({"number": THANDI, "text": "x"})).await;
    assert_eq!((status, &answer["response"]["message"]), (500, &json!("Connection Closed")));
    house.good("POST", "/control/sessions/t7-i3/status", json!({"status": "close", "reason": 403})).await;
    let ended = house.hooks.nth("status.instance", 1).await;
    assert_eq!(ended["data"]["disconnectionReasonCode"], 403);
    house.hooks.nth("logout.instance", 1).await;
    let closed = until("closed", || {
        house.hooks.of("connection.update").into_iter().find(|hook| hook["data"]["state"] == "close")
    });
    assert_eq!(closed.await["data"]["statusReason"], 403);
    let row = good(&house, "GET", "/instance/fetchInstances?instanceName=t7-i3", Value::Null).await;
    assert_eq!((&row[0]["connectionStatus"], &row[0]["disconnectionReasonCode"]), (&json!("close"), &json!(403)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_there_is_told_when_it_is_linked() {
    let house = House::new().await;
    house.writes(THANDI, "Before the link").await;
    linked(&house).await;
    let history = house.hooks.nth("messages.set", 1).await;
    assert_eq!(history["data"][0]["message"]["conversation"], "Before the link");
    assert_eq!((&history["isLatest"], &history["progress"]), (&json!(true), &json!(100)));
    assert_eq!(house.hooks.nth("contacts.upsert", 1).await["data"][0]["remoteJid"], format!("{THANDI}@s.whatsapp.net"));
    assert_eq!(house.hooks.nth("chats.set", 1).await["data"][0]["unreadMessages"], 1);
    // Restarted, it has heard that before.
    good(&house, "POST", "/instance/restart/t7-i3", Value::Null).await;
    until("open again", || {
        (house.hooks.of("connection.update").iter().filter(|hook| hook["data"]["state"] == "open").count() == 2)
            .then_some(())
    })
    .await;
    house.writes(THANDI, "Now").await;
    house.hooks.nth("contacts.update", 1).await;
    assert_eq!(house.hooks.of("messages.set").len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_phone_linked_to_both_gateways_is_told_to_both() {
    let house = House::new().await;
    house.linked().await;
    linked(&house).await;
    house.writes(THANDI, "To both").await;
    assert_eq!(house.hooks.nth("message.any", 1).await["payload"]["body"], "To both");
    assert_eq!(house.hooks.nth("messages.upsert", 1).await["data"]["message"]["conversation"], "To both");
    let id = house.sends(THANDI, "By WAHA").await;
    let other = house.hooks.nth("messages.upsert", 2).await;
    assert_eq!((&other["data"]["key"]["id"], &other["data"]["key"]["fromMe"]), (&json!(id), &json!(true)));
    assert_eq!(house.hooks.of("send.message").len(), 0, "that is for what its own API sends");
    let numbers = house.good("GET", "/control/numbers", Value::Null).await;
    assert_eq!(numbers["items"][0]["sessions"], json!(["default", "t7-i3"]));
}

impl House {
    /// An instance sends a text; the message's id.
    async fn sends_by(&self, instance: &str, to: &str, text: &str) -> String {
        let sent =
            good(self, "POST", &format!("/message/sendText/{instance}"), json!({"number": to, "text": text})).await;
        sent["key"]["id"].as_str().unwrap().to_owned()
    }
}
