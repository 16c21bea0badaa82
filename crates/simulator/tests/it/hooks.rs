//! How hooks are delivered: again, redirected, late, twice, out of order, and in great number.

use axum::http::{Method, StatusCode};
use indaba_simulator::{Config, Webhook};
use serde_json::{Value, json};

use crate::house::{House, KEY, SHOP, THANDI, until};

async fn session(house: &House, retries: Value) {
    let mut config = house.config(&["session.status"]);
    config["webhooks"][0]["retries"] = retries;
    house.good("POST", "/api/sessions", json!({"name": "default", "config": config})).await;
}

#[tokio::test]
async fn a_retry_repeats_every_byte_and_its_request_id() {
    let house = House::new().await;
    session(&house, json!({"policy": "constant", "delaySeconds": 1, "attempts": 3})).await;
    house.hooks.answers([StatusCode::INTERNAL_SERVER_ERROR, StatusCode::NOT_FOUND, StatusCode::UNAUTHORIZED]);
    house.good("POST", "/control/sessions/default/status", json!({"status": "FAILED"})).await;
    let calls = until("four tries", || Some(house.hooks.all()).filter(|calls| calls.len() == 4)).await;
    for call in &calls {
        assert_eq!(call.body, calls[0].body);
        for header in ["x-webhook-request-id", "x-webhook-timestamp", "x-webhook-hmac"] {
            assert_eq!(call.header(header), calls[0].header(header));
        }
    }
    let deliveries = house.good("GET", "/control/hooks", Value::Null).await;
    assert_eq!(deliveries["items"][0]["state"], "delivered");
    assert_eq!(deliveries["items"][0]["attempts"], 4);
}

#[tokio::test]
async fn after_the_last_try_a_hook_is_lost() {
    let house = House::new().await;
    session(&house, json!({"policy": "exponential", "delaySeconds": 1, "attempts": 2})).await;
    house.hooks.answers([StatusCode::BAD_GATEWAY; 3]);
    house.good("POST", "/control/sessions/default/status", json!({"status": "FAILED"})).await;
    let path = "/control/hooks?state=gaveUp";
    let given_up = loop {
        let items = house.good("GET", path, Value::Null).await["items"].clone();
        if !items.as_array().unwrap().is_empty() {
            break items;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((&given_up[0]["attempts"], &given_up[0]["lastStatus"]), (&json!(3), &json!(502)));
    assert_eq!(house.hooks.all().len(), 3);
}

#[tokio::test]
async fn a_redirect_turns_the_hook_into_an_empty_get() {
    let house = House::new().await;
    session(&house, json!({"policy": "constant", "delaySeconds": 1, "attempts": 3})).await;
    house.hooks.answers([(StatusCode::FOUND, [("location", "/elsewhere")])]);
    house.good("POST", "/control/sessions/default/status", json!({"status": "FAILED"})).await;
    let calls = until("two calls", || Some(house.hooks.all()).filter(|calls| calls.len() == 2)).await;
    assert_eq!((&calls[1].method, calls[1].uri.path(), calls[1].body.len()), (&Method::GET, "/elsewhere", 0));
    let deliveries = house.good("GET", "/control/hooks", Value::Null).await;
    assert_eq!(deliveries["items"][0]["state"], "delivered", "the 200 at the end counts, and the event is lost");
}

#[tokio::test]
async fn with_a_global_webhook_everything_comes_twice() {
    let receiver = House::new().await;
    let hook: Webhook = serde_json::from_value(json!({"url": receiver.hooks.url, "events": ["message.any"]})).unwrap();
    let house = House::with(Config { global_hooks: vec![hook], ..Config::fast() }).await;
    house.linked().await;
    house.writes(THANDI, "Once").await;
    let own = house.hooks.nth("message.any", 1).await;
    let global = receiver.hooks.nth("message.any", 1).await;
    assert_eq!(own["id"], global["id"]);
    let unsigned = receiver.hooks.all();
    assert_eq!(unsigned[0].header("x-webhook-hmac"), "", "no key, no signature");
}

#[tokio::test]
async fn hooks_can_be_dropped_doubled_and_turned_round() {
    let house = House::new().await;
    house.linked().await;
    let fault = async |fault: Value| house.good("POST", "/control/faults", fault).await;
    let on = json!({"event": "message.any"});
    fault(json!({"on": on, "count": 1, "do": {"kind": "drop"}})).await;
    fault(json!({"on": on, "count": 1, "do": {"kind": "duplicate", "times": 3}})).await;
    fault(json!({"on": on, "count": 1, "do": {"kind": "duplicate", "times": 2, "newIds": true}})).await;
    house.writes(THANDI, "dropped").await;
    house.writes(THANDI, "thrice").await;
    house.hooks.nth("message.any", 3).await;
    house.writes(THANDI, "twice with new ids").await;
    house.hooks.nth("message.any", 5).await;
    let told = house.hooks.of("message.any");
    let of = |body: &str| told.iter().filter(|hook| hook["payload"]["body"] == body).collect::<Vec<_>>();
    assert_eq!(of("dropped").len(), 0);
    let thrice = of("thrice");
    assert!(thrice.len() == 3 && thrice.iter().all(|hook| hook["id"] == thrice[0]["id"]));
    let twice = of("twice with new ids");
    assert!(twice.len() == 2 && twice[0]["id"] != twice[1]["id"] && twice[0]["payload"] == twice[1]["payload"]);

    fault(json!({"on": on, "count": 3, "do": {"kind": "reorder", "span": 3}})).await;
    for body in ["one", "two", "three"] {
        house.writes(THANDI, body).await;
    }
    house.hooks.nth("message.any", 8).await;
    let order: Vec<Value> =
        house.hooks.of("message.any")[5..].iter().map(|hook| hook["payload"]["body"].clone()).collect();
    assert_eq!(order, ["three", "two", "one"]);
}

#[tokio::test]
async fn what_is_held_back_is_let_go_with_its_fault() {
    let house = House::new().await;
    house.linked().await;
    let fault = json!({"on": {"event": "message.any"}, "do": {"kind": "reorder", "span": 10}});
    let id = house.good("POST", "/control/faults", fault).await["id"].clone();
    house.writes(THANDI, "one").await;
    house.writes(THANDI, "two").await;
    house.hooks.nth("message", 2).await;
    assert_eq!(house.hooks.of("message.any").len(), 0);
    house.good("DELETE", &format!("/control/faults/{id}"), Value::Null).await;
    assert_eq!(house.hooks.nth("message.any", 1).await["payload"]["body"], "two");
}

#[tokio::test]
async fn a_load_is_signed_distinct_and_counted() {
    let house = House::new().await;
    house.linked().await;
    house.hooks.answers([StatusCode::SERVICE_UNAVAILABLE; 2]);
    let before = house.hooks.all().len();
    let plan = json!({
        "session": "default", "count": 40, "concurrency": 4, "customers": 7, "bytes": 3000, "repeatPercent": 10, "wait": true,
    });
    let run = house.good("POST", "/control/load", plan).await;
    assert_eq!((&run["accepted"], &run["refused"], &run["failed"]), (&json!(48), &json!({"503": 2}), &json!(0)));
    assert!(run["done"] == true && run["latencyMs"]["p99"].as_f64().unwrap() > 0.0);
    let calls = house.hooks.all().split_off(before);
    let mut ids: Vec<String> = calls.iter().map(|call| call.json()["payload"]["id"].to_string()).collect();
    assert_eq!(ids.len(), 50, "40, and 10 of the first hundred sent again");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 40);
    for call in &calls {
        assert_eq!(call.header("x-webhook-hmac"), indaba_simulator::waha::sign(KEY, &call.body));
        assert!((2_990..=3_000).contains(&call.body.len()), "{} bytes", call.body.len());
        assert_eq!(call.json()["me"]["id"], format!("{SHOP}@c.us"));
    }
    let (status, _) =
        house.call("POST", "/control/load", json!({"url": "http://127.0.0.1:1", "count": 3_000_000})).await;
    assert_eq!(status, 400);
}
