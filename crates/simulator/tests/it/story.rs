//! From a scan to blue ticks.

use indaba_simulator::{AckPolicy, Config};
use serde_json::{Value, json};

use crate::house::{House, KEY, SHOP, THANDI};

#[tokio::test]
async fn a_session_is_scanned_and_a_message_goes_both_ways() {
    let house = House::new().await;
    let body = json!({"name": "default", "start": true, "config": house.config(&["*"])});
    let created = house.good("POST", "/api/sessions", body).await;
    assert_eq!(created["status"], "STARTING");
    assert_eq!(house.hooks.nth("session.status", 2).await["payload"]["status"], "SCAN_QR_CODE");

    let raw = house.good("GET", "/api/default/auth/qr?format=raw", Value::Null).await;
    let code = raw["value"].as_str().unwrap();
    assert!(code.starts_with("2@"));
    let scan = json!({"qr": code, "phone": format!("+{SHOP}"), "pushName": "Demo Shop"});
    assert_eq!(house.good("POST", "/control/scan", scan).await["status"], "WORKING");
    let statuses = ["STARTING", "SCAN_QR_CODE", "STARTING", "WORKING"];
    house.hooks.nth("session.status", 4).await;
    let mut told: Vec<Value> = house.hooks.of("session.status");
    told.sort_by_key(|envelope| {
        envelope["payload"]["statuses"].as_array().unwrap().last().unwrap()["timestamp"].as_i64()
    });
    let working = told.iter().find(|envelope| envelope["payload"]["status"] == "WORKING").unwrap();
    assert_eq!(working["me"]["id"], "27820001000@c.us");
    assert_eq!(told.len(), statuses.len());

    let written = house.writes(THANDI, "Hello, is the flat still available?").await;
    let told = house.hooks.nth("message.any", 1).await;
    assert_eq!(told["payload"]["body"], "Hello, is the flat still available?");
    assert_eq!(told["payload"]["id"], format!("false_{THANDI}@c.us_{}", written["id"].as_str().unwrap()));
    assert_eq!(house.hooks.nth("message", 1).await["id"], told["id"], "both names of one message have one id");

    let id = house.sends(THANDI, "Yes it is").await;
    let own = house.hooks.nth("message.any", 2).await;
    assert_eq!((&own["payload"]["source"], &own["payload"]["ack"]), (&json!("api"), &json!(0)));
    let acks = [house.hooks.nth("message.ack", 1).await, house.hooks.nth("message.ack", 2).await];
    let mut names = acks.map(|ack| ack["payload"]["ackName"].as_str().unwrap().to_owned());
    names.sort();
    assert_eq!(names, ["DEVICE", "SERVER"]);
    assert_eq!(house.message(&id).await["ackName"], "DEVICE");

    let opened = house.good("POST", &format!("/control/numbers/{SHOP}/chats/{THANDI}/open"), json!({})).await;
    assert_eq!(opened["read"], json!([id]));
    assert_eq!(house.hooks.nth("message.ack", 3).await["payload"]["ackName"], "READ");
}

#[tokio::test]
async fn ticks_can_be_held_and_never_go_back() {
    let house = House::with(Config { acks: AckPolicy::HELD, ..Config::fast() }).await;
    house.linked().await;
    let id = house.sends(THANDI, "Hold on").await;
    let ack = |ack: &'static str| {
        let path = format!("/control/numbers/{SHOP}/messages/{id}/ack");
        let house = &house;
        async move { house.good("POST", &path, json!({"ack": ack})).await["moved"].clone() }
    };
    assert_eq!(house.message(&id).await["ackName"], "PENDING");
    assert_eq!(ack("DEVICE").await, true);
    assert_eq!(ack("SERVER").await, false, "a tick never goes back");
    assert_eq!(ack("ERROR").await, false, "what has arrived cannot fail");
    assert_eq!(house.message(&id).await["ackName"], "DEVICE");
}

#[tokio::test]
async fn hooks_are_signed_over_their_exact_bytes() {
    let house = House::new().await;
    house.linked().await;
    for hook in house.hooks.all() {
        assert_eq!(hook.header("x-webhook-hmac"), indaba_simulator::waha::sign(KEY, &hook.body));
        assert_eq!(hook.header("x-webhook-hmac-algorithm"), "sha512");
        assert_eq!(hook.header("x-webhook-timestamp"), hook.json()["timestamp"].to_string());
        assert_eq!(hook.header("x-indaba-instance"), "i1");
        assert_eq!(hook.header("user-agent"), "WAHA/2026.6.1");
        assert_eq!(hook.json()["metadata"], json!({"tenant": "t1", "instance": "i1"}));
    }
}
