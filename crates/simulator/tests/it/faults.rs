//! Faults on requests, and the proof of what took effect.

use serde_json::{Value, json};
use std::time::Duration;

use crate::house::{House, SHOP, THANDI, until};

fn text(body: &str) -> Value {
    json!({"session": "default", "chatId": format!("{THANDI}@c.us"), "text": body})
}

/// A linked house with one fault on the next text.
async fn with_fault(harm: Value) -> House {
    let house = House::new().await;
    house.linked().await;
    let fault = json!({"on": {"method": "POST", "path": "/api/send*"}, "count": 1, "do": harm});
    house.good("POST", "/control/faults", fault).await;
    house
}

async fn effects(house: &House) -> Vec<(String, u64)> {
    let effects = house.good("GET", "/control/effects?session=default", Value::Null).await;
    let items = effects["items"].as_array().unwrap();
    items.iter().map(|one| (one["body"].as_str().unwrap().to_owned(), one["count"].as_u64().unwrap())).collect()
}

#[tokio::test]
async fn a_connection_is_cut_before_or_after_the_effect() {
    for effect in [false, true] {
        let house = with_fault(json!({"kind": "cut", "effect": effect})).await;
        let error = house.send("POST", "/api/sendText", text("Hello")).await.unwrap_err();
        assert!(!error.is_timeout() && error.status().is_none(), "{error:?}");
        assert_eq!(effects(&house).await.len(), usize::from(effect));
        let recording = house.good("GET", "/control/recording?path=/api/sendText", Value::Null).await;
        assert_eq!(recording["items"][0]["status"], Value::Null, "it was never answered");
        assert_eq!(recording["items"][0]["fault"], 1);
        // The next one, on a new connection, goes through.
        assert_eq!(house.call("POST", "/api/sendText", text("Hello again")).await.0, 201);
    }
}

#[tokio::test]
async fn what_is_sent_twice_is_seen() {
    let house = with_fault(json!({"kind": "crash", "effect": true})).await;
    assert_eq!(house.call("POST", "/api/sendText", text("Once, please")).await.0, 500);
    assert_eq!(house.call("POST", "/api/sendText", text("Once, please")).await.0, 201);
    assert_eq!(house.call("POST", "/api/sendText", text("Another")).await.0, 201);
    let seen = effects(&house).await;
    assert_eq!(seen, [("Once, please".to_owned(), 2), ("Once, please".to_owned(), 2), ("Another".to_owned(), 1)]);
    let twice = house.good("GET", "/control/effects?minCount=2", Value::Null).await;
    assert_eq!((twice["items"].as_array().unwrap().len(), &twice["mostOften"]), (2, &json!(2)));
    house.good("DELETE", "/control/recording", Value::Null).await;
    assert_eq!(effects(&house).await, []);
}

#[tokio::test]
async fn a_chosen_id_is_sent_once_however_often_it_is_asked_for() {
    let house = House::new().await;
    house.linked().await;
    let id = house.good("GET", "/api/default/new-message-id", Value::Null).await["id"].clone();
    let mut body = text("Mine");
    body["id"] = id.clone();
    for _ in 0..2 {
        let sent = house.good("POST", "/api/sendText", body.clone()).await;
        assert_eq!(sent["key"]["id"], id);
    }
    let chat = house.good("GET", &format!("/control/numbers/{SHOP}/chats/{THANDI}/messages"), Value::Null).await;
    assert_eq!(chat["items"].as_array().unwrap().len(), 1, "the phone shows one");
    let effects = house.good("GET", "/control/effects", Value::Null).await;
    assert_eq!(
        (&effects["items"][0]["idCount"], &effects["mostOften"]),
        (&json!(2), &json!(2)),
        "but it was asked twice"
    );
}

#[tokio::test]
async fn answers_that_are_no_answers() {
    let house = with_fault(json!({"kind": "tooMany", "retryAfterS": 7})).await;
    let answer = house.send("POST", "/api/sendText", text("a")).await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (429, &"7".parse().unwrap()));

    let fault = async |harm: Value| {
        house.good("POST", "/control/faults", json!({"count": 1, "on": {"path": "/api/sendText"}, "do": harm})).await
    };
    fault(json!({"kind": "tooMany", "date": true})).await;
    let answer = house.send("POST", "/api/sendText", text("a")).await.unwrap();
    let date = answer.headers()["retry-after"].to_str().unwrap().to_owned();
    assert!(date.ends_with(" GMT") && date.len() == "Fri, 20 Nov 2026 05:08:14 GMT".len(), "{date}");

    fault(json!({"kind": "redirect", "to": "https://elsewhere.example/"})).await;
    let answer = house.send("POST", "/api/sendText", text("a")).await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (302, &"https://elsewhere.example/".parse().unwrap())
    );

    fault(json!({"kind": "html"})).await;
    let answer = house.send("POST", "/api/sendText", text("a")).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().starts_with("<!doctype html>"));

    fault(json!({"kind": "timelock"})).await;
    let (status, body) = house.call("POST", "/api/sendText", text("a")).await;
    assert!(status == 500 && body["exception"]["message"].as_str().unwrap().contains("463"));
    assert_eq!(body["request"]["body"], text("a"));

    fault(json!({"kind": "notImplemented"})).await;
    let (status, body) = house.call("POST", "/api/sendText", text("a")).await;
    assert_eq!((status, &body["error"]), (501, &json!("Not Implemented")));

    fault(json!({"kind": "answer", "status": 418, "headers": {"x-tea": "rooibos"}, "body": {"a": 1}})).await;
    let answer = house.send("POST", "/api/sendText", text("a")).await.unwrap();
    assert_eq!((answer.status().as_u16(), &answer.headers()["x-tea"]), (418, &"rooibos".parse().unwrap()));

    fault(json!({"kind": "endless"})).await;
    let mut answer = house.send("POST", "/api/sendText", text("a")).await.unwrap();
    let mut size = 0;
    while size < 1_000_000 {
        size += answer.chunk().await.unwrap().expect("it does not end").len();
    }
    drop(answer);
    assert_eq!(effects(&house).await, [], "none of these took effect");

    fault(json!({"kind": "truncate"})).await;
    let answer = house.send("POST", "/api/sendText", text("Half")).await.unwrap();
    assert!(answer.status() == 201 && answer.bytes().await.is_err());
    fault(json!({"kind": "delay", "ms": 5})).await;
    assert_eq!(house.call("POST", "/api/sendText", text("Late")).await.0, 201);
    assert_eq!(effects(&house).await.len(), 2);
}

#[tokio::test]
async fn a_hanging_call_ends_with_its_caller_or_the_simulator() {
    let house = with_fault(json!({"kind": "hang", "effect": true})).await;
    let client = house.client.clone();
    let url = format!("{}/api/sendText", house.simulator.url());
    let call = client.post(url).header("X-Api-Key", "simulator").json(&text("Hang on"));
    let error = call.timeout(Duration::from_millis(100)).send().await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(effects(&house).await.len(), 1);
    let fault = json!({"on": {"path": "/api/sendText"}, "do": {"kind": "hang"}});
    house.good("POST", "/control/faults", fault).await;
    let hanging = {
        let (client, url) = (house.client.clone(), format!("{}/api/sendText", house.simulator.url()));
        tokio::spawn(async move { client.post(url).header("X-Api-Key", "simulator").json(&text("b")).send().await })
    };
    loop {
        let recording = house.good("GET", "/control/recording?path=/api/sendText", Value::Null).await;
        if recording["items"].as_array().unwrap().len() == 2 {
            break;
        }
    }
    house.simulator.stop().await;
    assert!(hanging.await.unwrap().is_err());
}

#[tokio::test]
async fn an_expired_session_fails_until_it_is_logged_out() {
    let house = with_fault(json!({"kind": "expired"})).await;
    let (status, body) = house.call("POST", "/api/sendText", text("a")).await;
    assert_eq!((status, &body["status"]), (422, &json!("FAILED")));
    let status = async || house.good("GET", "/control/sessions/default", Value::Null).await["status"].clone();
    assert_eq!(status().await, "FAILED");
    house.good("POST", "/api/sessions/default/restart", Value::Null).await;
    until("a second failure", || {
        let failed =
            house.hooks.of("session.status").iter().filter(|hook| hook["payload"]["status"] == "FAILED").count();
        (failed == 2).then_some(())
    })
    .await;
    house.good("POST", "/api/sessions/default/logout", Value::Null).await;
    let scan = json!({"phone": SHOP});
    until("a new code", || {
        let last = house.hooks.of("session.status");
        last.iter().filter(|hook| hook["payload"]["status"] == "SCAN_QR_CODE").nth(1).map(|_| ())
    })
    .await;
    assert_eq!(house.good("POST", "/control/sessions/default/scan", scan).await["status"], "WORKING");
}

#[tokio::test]
async fn rules_pick_their_requests() {
    let house = House::new().await;
    house.linked().await;
    let rule = json!({
        "on": {"path": "/api/sendText", "session": "default", "chatId": format!("{THANDI}@c.us")},
        "skip": 1, "count": 1, "do": {"kind": "crash"},
    });
    let id = house.good("POST", "/control/faults", rule).await["id"].clone();
    let mut other = text("a");
    other["chatId"] = json!("27820001009@c.us");
    let mut statuses = Vec::new();
    for body in [text("a"), other, text("b"), text("c")] {
        statuses.push(house.call("POST", "/api/sendText", body).await.0);
    }
    assert_eq!(statuses, [201, 201, 500, 201]);
    let list = house.good("GET", "/control/faults", Value::Null).await;
    assert_eq!((&list["items"][0]["done"], &list["items"][0]["passed"]), (&json!(1), &json!(1)));
    house.good("DELETE", &format!("/control/faults/{id}"), Value::Null).await;
    assert_eq!(house.call("DELETE", &format!("/control/faults/{id}"), Value::Null).await.0, 404);
    assert_eq!(house.call("POST", "/control/faults", json!({"do": {"kind": "melt"}})).await.0, 400);
}
