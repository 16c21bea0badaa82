//! Every capture of the real server that shows an answer or a hook, held against the simulator's.
//!
//! A capture was taken from 2026.4.1, engine NOWEB. Shapes are compared, not values: the same fields with the same kinds
//! of values. Where 2026.6.1 is known to answer otherwise, the simulator plays the old release for that capture.

use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

use indaba_simulator::{AckPolicy, Config, Release};
use serde_json::{Value, json};

use crate::house::{House, SHOP, THANDI};

/// A request and its answer as they went over the wire.
struct Capture {
    name: String,
    method: String,
    path: String,
    raw_body: Vec<u8>,
    accept: String,
    key: Option<String>,
    status: u16,
    content_type: Option<String>,
    answer: Vec<u8>,
}

fn fixtures() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"))
}

fn read(name: &str) -> Vec<u8> {
    fs::read(fixtures().join(format!("{name}.http"))).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Head and body of one message.
fn split(bytes: &[u8]) -> (String, Vec<u8>) {
    let at = bytes.windows(2).position(|two| two == b"\n\n").expect("a blank line");
    (String::from_utf8(bytes[..at].to_vec()).unwrap().replace('\r', ""), bytes[at + 2..].to_vec())
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn capture(name: &str) -> Capture {
    let bytes: Vec<u8> = read(name).into_iter().filter(|byte| *byte != b'\r').collect();
    let start = bytes.windows(10).position(|ten| ten.starts_with(b"\nHTTP/1.1 ")).expect("an answer") + 1;
    let (head, body) = split(&bytes[..start]);
    let (answer_head, answer) = split(&bytes[start..]);
    let mut words = head.lines().next().unwrap().split(' ');
    let (method, path) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
    let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
    let raw_body = body[..length.min(body.len())].to_vec();
    Capture {
        name: name.to_owned(),
        method,
        path,
        raw_body,
        accept: header(&head, "accept").unwrap_or("*/*").to_owned(),
        key: header(&head, "x-api-key").map(str::to_owned),
        status: answer_head.split(' ').nth(1).unwrap().parse().unwrap(),
        content_type: header(&answer_head, "content-type").map(str::to_owned),
        answer,
    }
}

impl Capture {
    fn json(&self) -> Value {
        serde_json::from_slice(self.answer.trim_ascii()).unwrap_or_default()
    }
}

/// The kinds of a value's parts: `{"id":"string"}`. A list has the kinds of all its items.
fn kinds(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("string"),
        Value::Array(items) => {
            let mut all: Vec<Value> = items.iter().map(kinds).collect();
            all.sort_by_key(Value::to_string);
            all.dedup();
            json!(all)
        }
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), kinds(value))).collect(),
    }
}

/// Takes parts away that are compared by nobody: what the sender put in, and stacks.
fn without(mut value: Value, paths: &[&str]) -> Value {
    for path in paths {
        let (parent, name) = path.rsplit_once('/').unwrap();
        if let Some(parent) = value.pointer_mut(parent).and_then(Value::as_object_mut) {
            parent.remove(name);
        }
    }
    value
}

async fn ask(house: &House, capture: &Capture, path: &str, body: Option<Value>) -> (u16, Option<String>, Vec<u8>) {
    let url = format!("{}{path}", house.simulator.url());
    let mut request = house.client.request(capture.method.parse().unwrap(), url).header("Accept", &capture.accept);
    request = match capture.key.as_deref() {
        Some("<WAHA_API_KEY>") => request.header("X-Api-Key", "simulator"),
        Some(other) => request.header("X-Api-Key", other),
        None => request,
    };
    let bytes = body.map_or_else(|| capture.raw_body.clone(), |body| body.to_string().into_bytes());
    if !bytes.is_empty() {
        request = request.header("Content-Type", "application/json").body(bytes);
    }
    let answer = request.send().await.unwrap();
    let kind = answer.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), kind, answer.bytes().await.unwrap().to_vec())
}

/// Asks as the capture asked, and holds status, type and shape of the answers together.
async fn same(house: &House, name: &str) -> Value {
    same_but(house, name, None, None, &[]).await
}

async fn same_but(house: &House, name: &str, path: Option<&str>, body: Option<Value>, leave: &[&str]) -> Value {
    let capture = capture(name);
    let path = path.map_or_else(|| capture.path.clone(), str::to_owned);
    let (status, kind, bytes) = ask(house, &capture, &path, body).await;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert_eq!(status, capture.status, "{}: {text}", capture.name);
    assert_eq!(kind, capture.content_type, "{}: {text}", capture.name);
    let got: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let (is, was) = (without(got.clone(), leave), without(capture.json(), leave));
    assert_eq!(kinds(&is), kinds(&was), "{}: {is} against {was}", capture.name);
    got
}

/// The same, and the very same values.
async fn equal(house: &House, name: &str) {
    let got = same(house, name).await;
    assert_eq!(got, capture(name).json(), "{name}");
}

fn old() -> Config {
    Config { release: Release::V2026_4_1, ..Config::fast() }
}

/// A session that stays STARTING.
fn slow() -> Config {
    Config { link_delay: Duration::from_secs(600), ..Config::fast() }
}

#[tokio::test]
async fn before_there_is_a_session() {
    let house = House::new().await;
    for name in [
        "waha-api-ping",
        "waha-api-no-key",
        "waha-api-bad-key",
        "waha-api-bad-json",
        "waha-api-get-404",
        "waha-api-start-404",
        "waha-api-start",
        "waha-api-start-again",
        "waha-api-delete",
        "waha-api-qr-no-session",
        "waha-api-sendtext-no-session",
        "waha-api-chats-not-working",
        "waha-api-seed-route-404",
        "waha-api-seed-route-chats-404",
        "waha-api-validation-error",
    ] {
        equal(&house, name).await;
    }
    let version = same(&house, "waha-api-version").await;
    assert_eq!(version["version"], "2026.6.1", "the release we play is later than the captures");
}

#[tokio::test]
async fn the_old_free_image() {
    let house = House::with(old()).await;
    equal(&house, "waha-api-version").await;
    equal(&house, "waha-api-list-all-before").await;
    equal(&house, "waha-api-get-default-stopped").await;
    equal(&house, "waha-api-get-non-default-core").await;
    equal(&house, "waha-api-create-without-start").await;
    equal(&house, "waha-sim-sendimage-core").await;
}

#[tokio::test]
async fn a_session_that_starts() {
    let house = House::with(slow()).await;
    equal(&house, "waha-api-create-start").await;
    equal(&house, "waha-api-create-exists").await;
    equal(&house, "waha-api-get-starting").await;
    equal(&house, "waha-api-list").await;
    equal(&house, "waha-api-me-null").await;
    equal(&house, "waha-api-start-already-running").await;
    equal(&house, "waha-api-qr-not-ready").await;
    equal(&house, "waha-api-sendtext-not-working").await;
    equal(&house, "waha-api-stop").await;
    equal(&house, "waha-api-get-stopped-with-config").await;
    equal(&house, "waha-api-sendtext-stopped").await;
    house.good("POST", "/api/sessions/default/start", Value::Null).await;
    equal(&house, "waha-sim-put-config").await;
    equal(&house, "waha-api-delete").await;
    equal(&house, "waha-sim-create").await;
}

#[tokio::test]
async fn a_session_that_waits_for_a_scan() {
    let house = House::new().await;
    house.good("POST", "/api/sessions", json!({"name": "default", "start": true})).await;
    let raw = same(&house, "waha-sim-qr-raw").await;
    assert!(raw["value"].as_str().unwrap().starts_with("2@"));
    same(&house, "waha-sim-qr-json-base64").await;
    let png = capture("waha-sim-qr-png");
    let (status, kind, bytes) = ask(&house, &png, &png.path, None).await;
    assert_eq!((status, kind.as_deref()), (200, Some("image/png")));
    assert!(bytes.starts_with(b"\x89PNG"));
    let code = same(&house, "waha-sim-request-code").await;
    assert_eq!(code["code"].as_str().unwrap().len(), "ABCD-1234".len());
}

/// A session as the captures had it: linked, some chats, and messages with the ids that the requests name.
async fn as_captured() -> House {
    let acks = AckPolicy::HELD;
    let house = House::with(Config { acks, ..Config::fast() }).await;
    house.linked().await;
    let customers = [
        json!({"phone": THANDI, "name": "Thandi", "savedAs": "Thandi M"}),
        json!({"phone": "27820001002", "name": "Thandi", "lid": "111222333444", "shown": "lid"}),
    ];
    for customer in customers {
        house.good("POST", "/control/customers", customer).await;
    }
    let write = async |body: Value| house.good("POST", &format!("/control/numbers/{SHOP}/messages"), body).await;
    let hello = "Hello, is the flat still available?";
    write(json!({"from": THANDI, "id": "3EB0AAAA0000000001", "body": hello})).await;
    write(json!({"from": THANDI, "id": "3EB0AAAA0000000003", "body": "Replying", "replyTo": "3EB0AAAA0000000001"}))
        .await;
    write(json!({"from": "me", "chat": THANDI, "id": "3EB0AAAA0000000005", "body": "Sent from the phone"})).await;
    house
}

#[tokio::test]
async fn sends() {
    let house = as_captured().await;
    let sent = same(&house, "waha-sim-sendtext").await;
    assert_eq!(sent["status"], "PENDING");
    same(&house, "waha-sim-sendtext-reply").await;
    same(&house, "waha-sim-sendlocation").await;
    same(&house, "waha-sim-sendpoll").await;
    same(&house, "waha-sim-reaction").await;
    let id = sent["key"]["id"].as_str().unwrap();
    let path = format!("/api/default/chats/{THANDI}%40c.us/messages/true_{THANDI}%40c.us_{id}");
    let edited = same_but(&house, "waha-sim-edit", Some(&path), None, &[]).await;
    assert_eq!(edited["message"]["protocolMessage"]["key"]["id"], id);
    same_but(&house, "waha-sim-delete", Some(&path), None, &[]).await;
    equal(&house, "waha-sim-sendseen").await;
    equal(&house, "waha-sim-starttyping").await;
    equal(&house, "waha-sim-stoptyping").await;
    equal(&house, "waha-sim-presence").await;
    equal(&house, "waha-sim-presence-bad").await;
    for crash in ["waha-sim-sendtext-500", "waha-sim-sendtext-badid"] {
        let got = same_but(&house, crash, None, None, &[]).await;
        let was = capture(crash).json();
        assert_eq!(got["exception"]["message"], was["exception"]["message"]);
        assert_eq!(got["request"], was["request"], "a crash echoes the request");
    }
}

#[tokio::test]
async fn reads() {
    let house = as_captured().await;
    equal(&house, "waha-sim-check-exists").await;
    equal(&house, "waha-sim-check-exists-no").await;
    equal(&house, "waha-sim-contact").await;
    equal(&house, "waha-sim-contacts-all").await;
    equal(&house, "waha-sim-lid").await;
    equal(&house, "waha-sim-lids").await;
    equal(&house, "waha-sim-lid-pn").await;
    equal(&house, "waha-sim-lid-bad").await;
    equal(&house, "waha-sim-message-get-404").await;
    equal(&house, "waha-sim-file-404").await;
    same(&house, "waha-sim-read").await;
    // As in the capture: the last three are a poll with a vote, a text, and an answer to the customer.
    same(&house, "waha-sim-sendtext-reply").await;
    same(&house, "waha-sim-sendtext").await;
    let poll = same(&house, "waha-sim-sendpoll").await;
    let poll = poll["_data"]["key"]["id"].as_str().unwrap().to_owned();
    let vote = json!({"from": THANDI, "options": ["Morning"]});
    house.good("POST", &format!("/control/numbers/{SHOP}/messages/{poll}/vote"), vote).await;
    same(&house, "waha-sim-messages").await;
    same(&house, "waha-sim-chats-overview").await;
    same(&house, "waha-sim-chats").await;
    // The capture was taken before anything else was asked of the session.
    same_but(&house, "waha-sim-get-working", None, None, &["/config", "/timestamps/activity"]).await;
}

#[tokio::test]
async fn a_session_that_failed() {
    let house = as_captured().await;
    house.sends(THANDI, "Something the API did").await;
    house.good("POST", "/control/sessions/default/unlink", json!({})).await;
    let failed = same_but(&house, "waha-sim-get-failed", None, None, &["/config"]).await;
    assert_eq!(failed["status"], "FAILED");
}

/// The envelope and the headers of a captured hook.
fn captured_hook(name: &str) -> (String, Value) {
    let (head, body) =
        split(&read(&format!("waha-webhook-{name}")).into_iter().filter(|b| *b != b'\r').collect::<Vec<_>>());
    (head, serde_json::from_slice(body.trim_ascii()).unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// Holds a hook against a captured one.
fn hook_like(name: &str, got: &Value, leave: &[&str]) {
    let (_, was) = captured_hook(name);
    assert_eq!(got["event"], was["event"], "{name}");
    let leave: Vec<&str> = leave.iter().chain(&["/metadata"]).copied().collect();
    let (is, was) = (without(got.clone(), &leave), without(was, &leave));
    assert_eq!(kinds(&is), kinds(&was), "{name}: {is} against {was}");
}

#[tokio::test]
async fn hooks_of_sessions() {
    let house = House::new().await;
    house.linked().await;
    let all: BTreeMap<String, Value> = house
        .hooks
        .of("session.status")
        .into_iter()
        .map(|hook| (hook["payload"]["status"].as_str().unwrap().to_owned(), hook))
        .collect();
    hook_like("session.status-scan_qr_code-sim", &all["SCAN_QR_CODE"], &[]);
    hook_like("session.status-working-sim", &all["WORKING"], &[]);
    let first = house.hooks.all().into_iter().next().unwrap();
    for name in ["session.status-starting-1", "session.status-starting-sim", "retry-fail-1", "retry-fail-2-retry"] {
        hook_like(name, &house.hooks.of("session.status")[0], &[]);
    }
    // Every header of the capture is there; what Node's client adds by itself is not compared.
    let (head, _) = captured_hook("session.status-starting-1");
    for line in head.lines().skip(1) {
        let name = line.split(':').next().unwrap();
        assert!(
            name == "Accept-Encoding" || name == "Connection" || !first.header(name).is_empty(),
            "{name} is missing"
        );
    }
    assert_eq!(first.header("x-webhook-request-id").len(), 17);
    house.good("POST", "/control/sessions/default/status", json!({"status": "STARTING"})).await;
    hook_like("session.status-starting-3", &house.hooks.nth("session.status", 5).await, &["/me"]);
    house.good("POST", "/control/sessions/default/unlink", json!({})).await;
    hook_like("session.status-failed-sim", &house.hooks.nth("session.status", 6).await, &[]);
    house.good("POST", "/api/sessions/default/stop", Value::Null).await;
    let stopped = house.hooks.nth("session.status", 7).await;
    hook_like("session.status-stopped-sim", &stopped, &[]);
    hook_like("session.status-stopped", &stopped, &["/me"]);
}

#[tokio::test]
async fn hooks_of_what_others_write() {
    let house = as_captured().await;
    let at = format!("/control/numbers/{SHOP}");
    let write = async |body: Value| house.good("POST", &format!("{at}/messages"), body).await;
    let last = async |event: &str, id: &str| {
        let id = id.to_owned();
        let find = || house.hooks.of(event).into_iter().find(|hook| hook["payload"].to_string().contains(&id));
        crate::house::until(event, find).await
    };
    hook_like("message-text-sim", &last("message", "3EB0AAAA0000000001\"").await, &[]);
    hook_like("message.any-text-sim", &last("message.any", "3EB0AAAA0000000001\"").await, &[]);
    hook_like("message-reply-sim", &last("message", "c.us_3EB0AAAA0000000003").await, &[]);
    hook_like("message.any-own-app-text-sim", &last("message.any", "3EB0AAAA0000000005").await, &[]);
    write(json!({"from": "27820001002", "id": "3EB0AAAA0000000002", "body": "From a LID chat"})).await;
    hook_like("message-lid-sim", &last("message", "3EB0AAAA0000000002").await, &[]);
    let group = json!({"id": "120363000000000001", "subject": "Tenants", "members": ["27820001003"]});
    house.good("POST", &format!("{at}/groups"), group).await;
    write(json!({"from": "27820001003", "chat": "120363000000000001@g.us", "id": "3EB0AAAA0000000004", "body": "Group hello"})).await;
    hook_like("message-group-sim", &last("message", "3EB0AAAA0000000004").await, &[]);
    write(json!({"from": THANDI, "id": "3EB0AAAA0000000006", "kind": "location", "latitude": -26.2041, "longitude": 28.0473, "place": "Site office"})).await;
    hook_like("message-location-sim", &last("message", "3EB0AAAA0000000006").await, &[]);
    write(json!({"from": THANDI, "chat": "status@broadcast", "id": "3EB0AAAA0000000010", "body": "A status"})).await;
    hook_like("message-status-sim", &last("message", "3EB0AAAA0000000010").await, &[]);
    let photo = json!({"mimetype": "image/jpeg", "data": "/9j/4AAQ"});
    write(json!({"from": THANDI, "id": "3EB0AAAA0000000011", "kind": "image", "body": "Broken tap", "file": photo, "download": "failed"})).await;
    // A Baileys photo sometimes says that it is no voice note; ours never does.
    hook_like("message-media-download-failed-sim", &last("message", "3EB0AAAA0000000011").await, &[]);
    house
        .good("POST", &format!("{at}/messages/3EB0AAAA0000000005/reaction"), json!({"from": THANDI, "emoji": "👍"}))
        .await;
    hook_like("message.reaction-sim", &last("message.reaction", "3EB0AAAA0000000005").await, &[]);
    house.good("POST", &format!("{at}/messages/3EB0AAAA0000000003/edit"), json!({"body": "Replying (edited)"})).await;
    hook_like("message.edited-sim", &last("message.edited", "3EB0AAAA0000000003").await, &[]);
    house.good("POST", &format!("{at}/messages/3EB0AAAA0000000001/revoke"), json!({})).await;
    hook_like("message.revoked-sim", &last("message.revoked", "3EB0AAAA0000000001").await, &[]);
}

#[tokio::test]
async fn hooks_of_what_the_api_does() {
    let house = as_captured().await;
    let id = house.sends(THANDI, "Hi from the API").await;
    same(&house, "waha-sim-sendtext-reply").await;
    same(&house, "waha-sim-sendlocation").await;
    let poll = same(&house, "waha-sim-sendpoll").await;
    let poll = poll["_data"]["key"]["id"].as_str().unwrap().to_owned();
    let own = async |what: &str| {
        let what = what.to_owned();
        let find = || {
            house.hooks.of("message.any").into_iter().find(|hook| hook["payload"]["_data"].to_string().contains(&what))
        };
        crate::house::until("own message", find).await
    };
    hook_like("message.any-own-api-reply-sim", &own("Yes it is").await, &[]);
    hook_like("message.any-own-api-location-sim", &own("locationMessage").await, &[]);
    hook_like("message.any-own-api-text-sim", &own("pollCreationMessageV3").await, &[]); // a poll, in spite of its name
    let at = format!("/control/numbers/{SHOP}/messages");
    for (n, (ack, name)) in
        [("SERVER", "server"), ("DEVICE", "device"), ("READ", "read"), ("PLAYED", "played")].into_iter().enumerate()
    {
        house.good("POST", &format!("{at}/{id}/ack"), json!({"ack": ack})).await;
        let told = house.hooks.nth("message.ack", n + 1).await;
        hook_like(&format!("message.ack-{name}-sim"), &told, &[]);
        assert_eq!(told["payload"]["ackName"], ack);
    }
    let lost = house.sends(THANDI, "Will not arrive").await;
    house.good("POST", &format!("{at}/{lost}/ack"), json!({"ack": "ERROR"})).await;
    hook_like("message.ack-error-sim", &house.hooks.nth("message.ack", 5).await, &[]);
    house.good("POST", &format!("{at}/{poll}/vote"), json!({"from": THANDI, "options": ["Morning"]})).await;
    let vote = house.hooks.nth("poll.vote", 1).await;
    hook_like("poll.vote-sim", &vote, &[]);
    assert!(vote["payload"]["vote"]["timestamp"].as_i64().unwrap() > 100_000_000_000, "ms on NOWEB");
    let unreadable = json!({"from": THANDI, "options": ["Morning"], "unreadable": true});
    house.good("POST", &format!("{at}/{poll}/vote"), unreadable).await;
    hook_like("poll.vote.failed-sim", &house.hooks.nth("poll.vote.failed", 1).await, &[]);
    let react =
        json!({"session": "default", "messageId": format!("false_{THANDI}@c.us_3EB0AAAA0000000003"), "reaction": "❤"});
    house.good("PUT", "/api/reaction", react).await;
    hook_like("message.reaction-own-sim", &house.hooks.nth("message.reaction", 1).await, &[]);
    let message = format!("/api/default/chats/{THANDI}%40c.us/messages/{id}");
    house.good("PUT", &message, json!({"text": "Hi (edited)"})).await;
    hook_like("message.edited-own-sim", &house.hooks.nth("message.edited", 1).await, &[]);
    house.good("DELETE", &message, Value::Null).await;
    hook_like("message.revoked-own-sim", &house.hooks.nth("message.revoked", 1).await, &[]);
}

#[tokio::test]
async fn hooks_of_groups_calls_and_typing() {
    let house = as_captured().await;
    let at = format!("/control/numbers/{SHOP}");
    let group = json!({"id": "120363000000000001", "subject": "Tenants", "members": ["27820001003"]});
    house.good("POST", &format!("{at}/groups"), group).await;
    hook_like("group.join-sim", &house.hooks.nth("group.join", 1).await, &[]);
    hook_like(
        "group.v2.join-sim",
        &house.hooks.nth("group.v2.join", 1).await,
        &["/payload/_data/_eventId", "/payload/_data/_timestampMs"],
    );
    let own = json!({"session": "default", "chatId": "120363000000000001@g.us", "text": "To all"});
    let own = house.good("POST", "/api/sendText", own).await;
    let own = own["key"]["id"].as_str().unwrap().to_owned();
    house.good("POST", &format!("{at}/messages/{own}/ack"), json!({"ack": "READ", "reader": "27820001003"})).await;
    hook_like("message.ack.group-sim", &house.hooks.nth("message.ack.group", 1).await, &[]);
    let change = format!("{at}/groups/120363000000000001");
    house.good("POST", &change, json!({"change": "renamed", "subject": "Tenants A"})).await;
    hook_like("group.v2.update-sim", &house.hooks.nth("group.v2.update", 1).await, &[]);
    house.good("POST", &change, json!({"change": "members", "how": "join", "who": ["27820001004"]})).await;
    hook_like(
        "group.v2.participants-join-sim",
        &house.hooks.nth("group.v2.participants", 1).await,
        &["/payload/_data/author"],
    );
    house.good("POST", &change, json!({"change": "members", "how": "leave", "who": [SHOP]})).await;
    hook_like(
        "group.v2.participants-leave-sim",
        &house.hooks.nth("group.v2.participants", 2).await,
        &["/payload/_data/author"],
    );
    house.good("POST", &change, json!({"change": "left"})).await;
    hook_like("group.v2.leave-sim", &house.hooks.nth("group.v2.leave", 1).await, &["/payload/_data/author"]);
    for state in ["received", "accepted", "rejected"] {
        house.good("POST", &format!("{at}/calls"), json!({"from": THANDI, "id": "CALL0001", "state": state})).await;
        hook_like(&format!("call.{state}-sim"), &house.hooks.nth(&format!("call.{state}"), 1).await, &[]);
    }
    house.good("POST", &format!("/api/default/presence/{THANDI}%40c.us/subscribe"), Value::Null).await;
    for (n, state) in ["typing", "offline"].into_iter().enumerate() {
        house.good("POST", &format!("{at}/chats/{THANDI}/typing"), json!({"state": state})).await;
        hook_like(&format!("presence.update-{state}-sim"), &house.hooks.nth("presence.update", n + 1).await, &[]);
    }
}

/// Labels are a matter of business phones that the simulator does not play.
const NOT_PLAYED: [&str; 2] = ["waha-webhook-label.chat.added-sim", "waha-webhook-label.upsert-sim"];

#[test]
fn every_capture_is_compared() {
    let code = include_str!("captures.rs");
    for entry in fs::read_dir(fixtures()).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = file.strip_suffix(".http") else { continue };
        let short = name.strip_prefix("waha-webhook-").unwrap_or(name);
        // Three families are named by their state in a loop.
        let family = ["message.ack-", "call.", "presence.update-"].iter().any(|start| short.starts_with(start));
        let named = code.contains(&format!("\"{short}\"")) || NOT_PLAYED.contains(&name);
        assert!(named || family, "{name} is compared with nothing");
    }
}
