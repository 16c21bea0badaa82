//! Sessions: codes that run out, pairing, stops and starts, keys, and what is not allowed.

use indaba_simulator::Config;
use serde_json::{Value, json};

use crate::house::{House, SHOP, THANDI};

#[tokio::test]
async fn a_code_that_nobody_scans_is_renewed_and_given_up() {
    let house = House::new().await;
    let body = json!({"name": "default", "start": true, "config": house.config(&["session.status"])});
    house.good("POST", "/api/sessions", body).await;
    house.hooks.nth("session.status", 2).await;
    let code = async || house.good("GET", "/control/sessions/default", Value::Null).await["qr"].clone();
    let first = code().await;
    for attempt in 2..=6 {
        let view = house.good("POST", "/control/sessions/default/expire-qr", json!({})).await;
        assert_eq!((&view["status"], &view["attempt"]), (&json!("SCAN_QR_CODE"), &json!(attempt)));
    }
    let late = json!({"qr": first, "phone": SHOP});
    assert_eq!(house.call("POST", "/control/scan", late).await.0, 409, "an old code cannot be scanned");
    let view = house.good("POST", "/control/sessions/default/expire-qr", json!({})).await;
    assert_eq!(view["status"], "FAILED");
    // STARTING, six codes, FAILED.
    house.hooks.nth("session.status", 8).await;
    assert_eq!(house.call("POST", "/api/sessions/default/start", Value::Null).await.0, 422, "a failed one still runs");
    house.good("POST", "/api/sessions/default/restart", Value::Null).await;
    house.hooks.nth("session.status", 11).await;
    assert_ne!(code().await, Value::Null, "STOPPED, STARTING, and a new code");
}

#[tokio::test]
async fn codes_run_out_by_themselves() {
    let qr_life = [std::time::Duration::from_millis(10); 2];
    let house = House::with(Config { qr_life, ..Config::fast() }).await;
    let body = json!({"name": "default", "start": true, "config": house.config(&["session.status"])});
    house.good("POST", "/api/sessions", body).await;
    assert_eq!(house.hooks.nth("session.status", 8).await["payload"]["status"], "FAILED");
}

#[tokio::test]
async fn a_pairing_code_links_the_phone_it_was_made_for() {
    let house = House::new().await;
    let body = json!({"name": "default", "start": true});
    house.good("POST", "/api/sessions", body).await;
    let ask = |phone: &str| json!({"phoneNumber": phone});
    assert_eq!(house.call("POST", "/api/default/auth/request-code", ask("+27820001000")).await.0, 500, "digits only");
    let code = house.good("POST", "/api/default/auth/request-code", ask(SHOP)).await["code"].clone();
    let wrong = json!({"code": "AAAA-0000", "phone": SHOP});
    assert_eq!(house.call("POST", "/control/pair", wrong).await.0, 409);
    assert_eq!(house.call("POST", "/control/pair", json!({"code": code, "phone": THANDI})).await.0, 409);
    let linked = house.good("POST", "/control/pair", json!({"code": code, "phone": SHOP, "pushName": "Shop"})).await;
    assert_eq!((&linked["status"], &linked["pushName"]), (&json!("WORKING"), &json!("Shop")));
    let me = house.good("GET", "/api/sessions/default/me", Value::Null).await;
    assert_eq!(me["id"], format!("{SHOP}@c.us"));
}

#[tokio::test]
async fn a_stop_keeps_the_phone_and_a_logout_forgets_it() {
    let house = House::new().await;
    house.linked().await;
    house.good("POST", "/api/sessions/default/stop", Value::Null).await;
    house.writes(THANDI, "While you were away").await;
    house.good("POST", "/api/sessions/default/start", Value::Null).await;
    // Four of linking, STOPPED, STARTING, WORKING.
    assert_eq!(house.hooks.nth("session.status", 7).await["payload"]["status"], "WORKING");
    assert_eq!(house.hooks.of("message").len(), 0, "what came meanwhile is not told");
    let missed = house
        .good("GET", "/api/default/chats/all/messages?filter.timestamp.gte=1&downloadMedia=false", Value::Null)
        .await;
    assert_eq!(missed[0]["body"], "While you were away", "but can be read");
    let out = house.good("POST", "/api/sessions/default/logout", Value::Null).await;
    assert_eq!((&out["status"], &out["me"]), (&json!("STARTING"), &Value::Null));
    assert_eq!(house.hooks.nth("session.status", 10).await["payload"]["status"], "SCAN_QR_CODE");
    house.good("DELETE", "/api/sessions/default", Value::Null).await;
    assert_eq!(house.hooks.nth("session.status", 11).await["payload"]["status"], "STOPPED");
    assert_eq!(house.call("GET", "/api/sessions/default", Value::Null).await.0, 404);
}

#[tokio::test]
async fn many_sessions_and_each_hears_its_own() {
    let house = House::new().await;
    house.linked().await;
    let body = json!({"name": "second", "start": true, "config": house.config(&["message.any"])});
    house.good("POST", "/api/sessions", body).await;
    house.good("POST", "/api/sessions", json!({"name": "third"})).await;
    let names = async |query: &str| {
        let list = house.good("GET", &format!("/api/sessions{query}"), Value::Null).await;
        list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["default", "second"]);
    assert_eq!(names("?all=true").await, ["default", "second", "third"]);
    // The call waits until the code is there.
    house.good("GET", "/api/second/auth/qr?format=raw", Value::Null).await;
    house.good("POST", "/control/sessions/second/scan", json!({"phone": "27820002000"})).await;
    house
        .good("POST", "/control/numbers/27820002000/messages", json!({"from": THANDI, "body": "For the second"}))
        .await;
    house.writes(THANDI, "For the first").await;
    let told = [house.hooks.nth("message.any", 1).await, house.hooks.nth("message.any", 2).await];
    for hook in told {
        let wanted = if hook["session"] == "second" { "For the second" } else { "For the first" };
        assert_eq!(hook["payload"]["body"], wanted);
    }
}

#[tokio::test]
async fn what_a_session_ignores_is_not_told() {
    let house = House::new().await;
    let mut config = house.config(&["message.any", "group.v2.join"]);
    config["ignore"] = json!({"status": true, "groups": true, "channels": true, "broadcast": true});
    house.good("POST", "/api/sessions", json!({"name": "default", "start": true, "config": config})).await;
    house.good("GET", "/api/default/auth/qr?format=raw", Value::Null).await;
    house.good("POST", "/control/sessions/default/scan", json!({"phone": SHOP})).await;
    let at = format!("/control/numbers/{SHOP}");
    house.good("POST", &format!("{at}/groups"), json!({"id": "12036", "subject": "G", "members": [THANDI]})).await;
    for chat in ["12036@g.us", "status@broadcast", "99@newsletter", "77@broadcast"] {
        house.good("POST", &format!("{at}/messages"), json!({"from": THANDI, "chat": chat, "body": "psst"})).await;
    }
    house.writes(THANDI, "Told").await;
    assert_eq!(house.hooks.nth("message.any", 1).await["payload"]["body"], "Told");
    assert_eq!(house.hooks.all().len(), 1);
}

#[tokio::test]
async fn names_and_settings_are_checked() {
    let house = House::new().await;
    for name in ["a b", "../x", &"n".repeat(55)] {
        let (status, body) = house.call("POST", "/api/sessions", json!({"name": name, "start": true})).await;
        assert!(status == 400 && body["message"].is_array(), "{name}: {status} {body}");
    }
    let hook = |hook: Value| json!({"name": "x", "config": {"webhooks": [hook]}});
    for bad in [
        json!({"url": "ftp://a.example/", "events": ["*"]}),
        json!({"url": "http://a.example/"}),
        json!({"url": "http://a.example/", "events": ["*"], "retries": {"policy": "sometimes"}}),
    ] {
        assert_eq!(house.call("POST", "/api/sessions", hook(bad)).await.0, 400);
    }
    assert_eq!(house.call("POST", "/api/sendText", json!({"chatId": THANDI, "text": "x"})).await.0, 400);
    let made = house.good("POST", "/api/sessions", json!({})).await;
    assert!(made["name"].as_str().unwrap().starts_with("session_"));
}

#[tokio::test]
async fn a_key_of_one_session_opens_only_that() {
    let house = House::new().await;
    house.linked().await;
    house.good("POST", "/api/sessions", json!({"name": "other"})).await;
    let key =
        json!({"isAdmin": false, "session": "default", "isActive": true, "actions": {"read": true, "send": false}});
    let key = house.good("POST", "/api/keys", key).await;
    let call = async |method: &str, path: &str, body: Value| {
        let url = format!("{}{path}", house.simulator.url());
        let call = house.client.request(method.parse().unwrap(), url).header("x-api-key", key["key"].as_str().unwrap());
        call.json(&body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(call("GET", "/api/sessions/default", Value::Null).await, 200);
    assert_eq!(call("GET", "/api/sessions/other", Value::Null).await, 403);
    assert_eq!(call("POST", "/api/sendText", json!({"session": "default", "chatId": THANDI, "text": "x"})).await, 403);
    assert_eq!(call("DELETE", "/api/sessions/default", Value::Null).await, 403);
    let id = key["id"].as_str().unwrap();
    house.good("DELETE", &format!("/api/keys/{id}"), Value::Null).await;
    assert_eq!(call("GET", "/api/sessions/default", Value::Null).await, 401);
    let query = format!("{}/api/sessions?x-api-key=simulator", house.simulator.url());
    assert_eq!(house.client.get(query).send().await.unwrap().status(), 200);
}
