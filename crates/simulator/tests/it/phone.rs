//! The phone page: whole, from here alone, and told what happens.

use serde_json::{Value, json};

use crate::house::{House, SHOP, THANDI};

#[tokio::test]
async fn the_page_comes_whole_and_calls_nobody() {
    let house = House::new().await;
    let page = house.send("GET", "/", Value::Null).await.unwrap();
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    let html = page.text().await.unwrap();
    assert!(html.contains("Simulation."), "it says what it is");
    let parts = html.split('"').filter(|part| part.starts_with("/phone/"));
    for part in parts.chain(["/phone/page.js", "/phone/thread.js", "/phone/voice.js", "/phone/voice-note.ogg"]) {
        let answer = house.send("GET", part, Value::Null).await.unwrap();
        assert_eq!(answer.status(), 200, "{part}");
        let text = String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned();
        let outside = text.replace("http://www.w3.org/", "");
        assert!(!outside.contains("http://") && !outside.contains("https://"), "{part} calls elsewhere");
    }
    assert_eq!(house.send("GET", "/ready", Value::Null).await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_stream_tells_what_happens() {
    let house = House::new().await;
    house.linked().await;
    let mut stream = house.send("GET", "/control/stream", Value::Null).await.unwrap();
    house.writes(THANDI, "Do you see me?").await;
    let mut heard = String::new();
    while !heard.contains("\n\n") {
        heard.push_str(&String::from_utf8_lossy(&stream.chunk().await.unwrap().expect("it goes on")));
    }
    let news: Value = serde_json::from_str(heard.trim().strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(
        (&news["kind"], &news["number"], &news["message"]["body"]),
        (&json!("message"), &json!(SHOP), &json!("Do you see me?"))
    );
}

#[tokio::test]
async fn a_browsers_recording_becomes_a_voice_note() {
    use base64::{Engine as _, prelude::BASE64_STANDARD};
    let house = House::new().await;
    house.linked().await;
    let webm = BASE64_STANDARD.encode(include_bytes!("../../src/phone/voice-note.webm"));
    let written = json!({"from": THANDI, "kind": "voice", "file": {"mimetype": "audio/webm", "data": webm}});
    house.good("POST", &format!("/control/numbers/{SHOP}/messages"), written).await;
    let media = house.hooks.nth("message.any", 1).await["payload"]["media"].clone();
    assert_eq!(media["mimetype"], "audio/ogg; codecs=opus");
    let path = media["url"].as_str().unwrap().strip_prefix("http://localhost:3000").unwrap().to_owned();
    let bytes = house.send("GET", &path, Value::Null).await.unwrap().bytes().await.unwrap();
    assert!(bytes.starts_with(b"OggS"));
    assert_eq!(bytes, include_bytes!("../../src/phone/voice-note.ogg").as_slice());
}
