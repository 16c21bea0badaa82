//! What people do: files, polls, hidden numbers, groups, and the owner's own phone.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use indaba_simulator::{Config, sample};
use serde_json::{Value, json};

use crate::house::{House, SHOP, THANDI, until};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n not really";

#[tokio::test]
async fn a_photo_comes_in_and_can_be_fetched_for_a_while() {
    let clock = std::sync::Arc::new(std::sync::atomic::AtomicI64::new(1_795_150_000_000));
    let hands = clock.clone();
    let now = std::sync::Arc::new(move || hands.load(std::sync::atomic::Ordering::SeqCst));
    let house = House::with(Config {
        clock: now,
        files_lifetime_s: 180,
        second: std::time::Duration::from_secs(1),
        ..Config::fast()
    })
    .await;
    house.linked().await;
    let photo = json!({"mimetype": "image/png", "filename": "a.png", "data": BASE64_STANDARD.encode(PNG)});
    let written = json!({"from": THANDI, "kind": "image", "body": "The roof", "file": photo});
    house.good("POST", &format!("/control/numbers/{SHOP}/messages"), written).await;
    let told = house.hooks.nth("message.any", 1).await["payload"].clone();
    assert_eq!(
        (&told["hasMedia"], &told["body"], &told["media"]["mimetype"]),
        (&json!(true), &json!("The roof"), &json!("image/png"))
    );
    let url = told["media"]["url"].as_str().unwrap();
    let path = url.strip_prefix("http://localhost:3000").expect("WAHA thinks it is at its own address");
    let file = house.send("GET", path, Value::Null).await.unwrap();
    assert_eq!(file.headers()["content-type"], "image/png");
    assert_eq!(file.bytes().await.unwrap(), PNG);
    let keyless = house.client.get(format!("{}{path}", house.simulator.url())).send().await.unwrap();
    assert_eq!(keyless.status(), 401);
    clock.fetch_add(181_000, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(house.call("GET", path, Value::Null).await.0, 404);
    // Reading the message fetches it again.
    let id = told["id"].as_str().unwrap();
    let again = format!("/api/default/chats/{THANDI}/messages/{id}?downloadMedia=true");
    house.good("GET", &again, Value::Null).await;
    assert_eq!(house.send("GET", path, Value::Null).await.unwrap().status(), 200);
    let history =
        house.good("GET", &format!("/api/default/chats/{THANDI}/messages?downloadMedia=false"), Value::Null).await;
    assert_eq!((&history[0]["hasMedia"], &history[0]["media"]), (&json!(true), &Value::Null));
}

#[tokio::test]
async fn the_api_sends_every_kind_and_the_phone_shows_it() {
    let house = House::new().await;
    house.linked().await;
    let to = |rest: Value| {
        let mut body = json!({"session": "default", "chatId": format!("{THANDI}@c.us")});
        body.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        body
    };
    let file = |mimetype: &str| json!({"mimetype": mimetype, "filename": "a.pdf", "data": BASE64_STANDARD.encode(PNG)});
    let sends = [
        ("sendImage", json!({"file": file("image/png"), "caption": "Look"}), "image"),
        ("sendFile", json!({"file": file("application/pdf")}), "document"),
        ("sendVoice", json!({"file": file("audio/ogg; codecs=opus")}), "voice"),
        ("sendVideo", json!({"file": file("video/mp4")}), "video"),
        ("sendLocation", json!({"latitude": -26.2, "longitude": 28.04, "title": "Office"}), "location"),
        (
            "sendContactVcard",
            json!({"contacts": [{"fullName": "Jo", "phoneNumber": "+27 82 000 1009", "whatsappId": "27820001009"}]}),
            "contacts",
        ),
        ("sendPoll", json!({"poll": {"name": "When?", "options": ["A", "B"], "multipleAnswers": false}}), "poll"),
    ];
    for (route, rest, kind) in sends {
        let sent = house.good("POST", &format!("/api/{route}"), to(rest)).await;
        let id = sent["key"]["id"].as_str().or(sent["_data"]["key"]["id"].as_str()).unwrap();
        let shown = house.message(id).await;
        assert_eq!((&shown["kind"], &shown["author"]["via"]), (&json!(kind), &json!("api")));
        if let Some(url) = shown["media"]["url"].as_str() {
            let bytes = house.send("GET", url, Value::Null).await.unwrap().bytes().await.unwrap();
            assert_eq!(bytes, PNG);
        }
    }
    let effects = house.good("GET", "/control/effects", Value::Null).await;
    assert_eq!((effects["items"].as_array().unwrap().len(), &effects["mostOften"]), (7, &json!(1)));
    let broken = to(json!({"file": {"mimetype": "image/png", "data": "not base64!"}}));
    assert_eq!(house.call("POST", "/api/sendImage", broken).await.0, 500);
    assert_eq!(house.call("POST", "/api/sendImage", to(json!({}))).await.0, 500);
}

#[tokio::test]
async fn a_number_that_nobody_sees_stays_unseen() {
    let house = House::new().await;
    house.linked().await;
    let zanele = json!({"phone": "27820001008", "name": "Zanele", "lid": "555666777888", "shown": "lidOnly"});
    house.good("POST", "/control/customers", zanele).await;
    house.writes("27820001008", "Guess who").await;
    house.hooks.nth("message.any", 1).await;
    let hook = String::from_utf8(house.hooks.all().last().unwrap().body.to_vec()).unwrap();
    assert!(hook.contains("555666777888@lid") && !hook.contains("27820001008"), "{hook}");
    let lid = house.good("GET", "/api/default/lids/555666777888%40lid", Value::Null).await;
    assert_eq!(lid, json!({"lid": "555666777888@lid", "pn": null}));
    // An answer to the hidden id arrives.
    let body = json!({"session": "default", "chatId": "555666777888@lid", "text": "Hello you"});
    house.good("POST", "/api/sendText", body).await;
    let chat = house.good("GET", &format!("/control/numbers/{SHOP}/chats/27820001008/messages"), Value::Null).await;
    assert_eq!(chat["items"][1]["body"], "Hello you");
}

#[tokio::test]
async fn the_owner_writes_from_the_phone_and_others_are_not_there() {
    let house = House::new().await;
    house.linked().await;
    let own = json!({"from": "me", "chat": THANDI, "body": "From my pocket"});
    house.good("POST", &format!("/control/numbers/{SHOP}/messages"), own).await;
    let told = house.hooks.nth("message.any", 1).await["payload"].clone();
    assert_eq!((&told["fromMe"], &told["source"]), (&json!(true), &json!("app")));
    assert_eq!(house.hooks.of("message").len(), 0, "own messages are message.any alone");
    let id = house.sends("27820000000", "Anybody there?").await;
    until("an error", || house.hooks.of("message.ack").into_iter().find(|hook| hook["payload"]["ackName"] == "ERROR"))
        .await;
    assert_eq!(house.message(&id).await["ackName"], "ERROR");
}

#[tokio::test]
async fn bad_requests_of_the_control_api_say_why() {
    let house = House::new().await;
    house.linked().await;
    let at = format!("/control/numbers/{SHOP}/messages");
    let cases = [
        ("POST", at.as_str(), json!({"from": "nobody", "body": "x"}), 422),
        ("POST", &at, json!({"from": THANDI}), 400),
        ("POST", &at, json!({"from": THANDI, "kind": "image"}), 400),
        ("POST", &at, json!({"from": "me", "body": "x"}), 400),
        ("POST", &at, json!({"from": THANDI, "bodi": "x"}), 400),
        ("POST", "/control/sessions/none/scan", json!({"phone": SHOP}), 404),
        ("POST", "/control/sessions/default/scan", json!({"phone": SHOP}), 409),
        ("GET", "/control/numbers/1234567/chats", Value::Null, 404),
        ("GET", "/control/nothing", Value::Null, 404),
        ("PUT", "/control/acks", json!({"server": "soon"}), 400),
    ];
    for (method, path, body, wanted) in cases {
        let (status, answer) = house.call(method, path, body).await;
        assert!(status == wanted && answer["error"].is_string(), "{method} {path}: {status} {answer}");
    }
    house.good("POST", "/control/reset", json!({})).await;
    let whole = house.good("GET", "/control", Value::Null).await;
    assert_eq!((&whole["sessions"], &whole["numbers"], &whole["customers"]), (&json!(0), &json!(0), &json!(0)));
}

#[tokio::test]
async fn the_sample_is_written_once() {
    let house = House::new().await;
    house.linked().await;
    let now = 1_795_160_000_000;
    let filled = sample::fill(house.simulator.url(), SHOP, now).await.unwrap();
    assert!(filled.customers >= 8 && filled.messages >= 35);
    house.hooks.nth("message.any", filled.messages).await;
    sample::fill(house.simulator.url(), SHOP, now).await.unwrap();
    let chats = house.good("GET", &format!("/control/numbers/{SHOP}/chats"), Value::Null).await;
    let chats = chats["items"].as_array().unwrap();
    assert_eq!(chats.len(), filled.customers);
    assert_eq!(house.hooks.of("message.any").len(), filled.messages);
    let kinds: std::collections::BTreeSet<String> = house
        .hooks
        .of("message.any")
        .iter()
        .filter_map(|hook| Some(hook["payload"]["media"]["mimetype"].as_str()?.to_owned()))
        .collect();
    assert!(
        kinds.contains("image/jpeg") && kinds.contains("audio/ogg; codecs=opus") && kinds.contains("application/pdf")
    );
}
