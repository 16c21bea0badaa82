//! Numbers and gateways, against the simulator's WAHA over real HTTP. Here their states are fetched; that hooks move them too is told in
//! `hooks.rs`.
use crate::support::{Caller, House, MORNING, config_at, each_db, each_db_with};
use indaba::{
    http::Role,
    instances::{self, InstanceId, LinkStep, State},
};
use indaba_providers::{Session, SessionState, Step};
use indaba_simulator::{Running, Simulator};
use serde_json::{Value, json};
use std::{
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

pub async fn waha() -> Running {
    let time = Arc::new(AtomicI64::new(MORNING.0 - 600_000));
    Simulator::start(config_at(&time)).await.expect("a simulator on a free port")
}

pub async fn control(waha: &Running, path: &str, body: Value) -> Value {
    let answer =
        reqwest::Client::new().post(format!("{}/control/{path}", waha.url())).json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.json().await.unwrap_or_default()
}

pub async fn sessions(waha: &Running) -> Vec<Value> {
    let answer = reqwest::get(format!("{}/control/sessions", waha.url())).await.unwrap();
    let all: Value = answer.json().await.unwrap();
    all.as_array().or(all["items"].as_array()).unwrap().clone()
}

/// A number of the house's, on the house's own gateway; its id and the gateway's name of it.
pub async fn number(house: &House, waha: &Running) -> (String, String) {
    let form = json!({ "provider": "waha", "name": "Sales", "settings": { "url": waha.url(), "apiKey": "simulator" } });
    let made = house.admin.post("/api/instances", form).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    assert!(["new", "linking"].contains(&made["state"].as_str().unwrap()), "{made}");
    let session = sessions(waha).await.pop().unwrap();
    (made["id"].as_str().unwrap().into(), session["name"].as_str().unwrap().into())
}

pub async fn act(who: &Caller, id: &str, what: &str) -> Value {
    who.post(&format!("/api/instances/{id}/{what}"), json!({})).await.ok()
}

#[tokio::test]
async fn a_number_is_made_scanned_stopped_and_linked_again() {
    each_db(async |house| {
        let waha = waha().await;
        let (id, name) = number(&house, &waha).await;
        let waiting =
            until(async || act(&house.admin, &id, "sync-status").await, |now| now["linkStep"] == "scan").await;
        assert_eq!((&waiting["state"], &waiting["code"]["attempt"]), (&json!("linking"), &json!(1)), "{waiting}");

        let code = house.admin.with("accept", "application/json").get(&format!("/api/instances/{id}/qr")).await.ok();
        assert!(code["dataUrl"].as_str().unwrap().starts_with("data:image/png;base64,"), "{code}");
        assert_eq!(code["attempts"], 6);
        let picture = house.admin.get(&format!("/api/instances/{id}/qr")).await;
        assert_eq!(
            (picture.headers["content-type"].to_str().unwrap(), &picture.body[..4]),
            ("image/png", &b"\x89PNG"[..])
        );
        let typed =
            house.admin.post(&format!("/api/instances/{id}/pairing-code"), json!({ "phone": "+27 82 000 1000" })).await;
        assert_eq!(typed.ok()["code"].as_str().unwrap().len(), 9, "four, a hyphen, four");

        control(&waha, &format!("sessions/{name}/scan"), json!({ "phone": "27820001000", "pushName": "Kusasa" })).await;
        let linked = act(&house.admin, &id, "sync-status").await;
        assert_eq!(
            (&linked["state"], &linked["phone"], &linked["linkStep"]),
            (&json!("connected"), &json!("+27820001000"), &json!(null))
        );
        assert_eq!(linked["capabilities"]["pairingCode"], true);
        house.admin.get(&format!("/api/instances/{id}/qr")).await.problem(409);

        house.wait(Duration::from_secs(1));
        let paused = act(&house.admin, &id, "stop").await;
        assert_eq!((&paused["state"], &paused["trouble"]), (&json!("paused"), &json!("stopped")), "it stays linked");
        house.wait(Duration::from_secs(1));
        act(&house.admin, &id, "start").await;
        let again =
            until(async || act(&house.admin, &id, "sync-status").await, |now| now["state"] == "connected").await;
        assert_eq!(again["phone"], "+27820001000");
        house.wait(Duration::from_secs(1));
        act(&house.admin, &id, "logout").await;
        let out = until(async || act(&house.admin, &id, "sync-status").await, |now| now["linkStep"] == "scan").await;
        assert_eq!(out["state"], "linking", "logged out: a new code");
        waha.stop().await;
    })
    .await;
}

/// Asks until it is so: the gateway is another program and takes its time.
pub async fn until(ask: impl AsyncFn() -> Value, so: impl Fn(&Value) -> bool) -> Value {
    let mut last = Value::Null;
    for _ in 0..200 {
        last = ask().await;
        if so(&last) {
            return last;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it never became so: {last}");
}

#[tokio::test]
async fn starting_a_number_that_failed_brings_it_back_or_brings_a_new_code() {
    each_db(async |house| {
        let waha = waha().await;
        let (id, name) = number(&house, &waha).await;
        let look = async || act(&house.admin, &id, "sync-status").await;
        until(look, |now| now["linkStep"] == "scan").await;
        house.wait(Duration::from_secs(1));
        assert_eq!(look().await["code"]["attempt"], 1, "looking again does not make it another code");

        for _ in 0..6 {
            control(&waha, &format!("sessions/{name}/expire-qr"), json!({})).await;
        }
        assert_eq!(look().await["state"], "attention");
        house.wait(Duration::from_secs(1));
        act(&house.admin, &id, "start").await;
        until(look, |now| now["linkStep"] == "scan").await;

        let phone = json!({ "phone": "27820001000" });
        control(&waha, &format!("sessions/{name}/scan"), phone).await;
        house.wait(Duration::from_secs(1));
        until(look, |now| now["state"] == "connected").await;
        control(&waha, &format!("sessions/{name}/status"), json!({ "status": "FAILED" })).await;
        house.wait(Duration::from_secs(1));
        until(look, |now| now["state"] == "attention").await;
        house.wait(Duration::from_secs(1));
        act(&house.admin, &id, "start").await;
        until(look, |now| now["state"] == "connected").await;

        control(&waha, &format!("sessions/{name}/unlink"), json!({})).await;
        house.wait(Duration::from_secs(1));
        until(look, |now| now["state"] == "attention").await;
        house.wait(Duration::from_secs(1));
        act(&house.admin, &id, "start").await;
        until(look, |now| now["linkStep"] == "scan").await;
        waha.stop().await;
    })
    .await;
}

#[tokio::test]
async fn a_deleted_number_leaves_its_gateway_and_gives_back_its_place() {
    each_db(async |house| {
        let waha = waha().await;
        let (id, _) = number(&house, &waha).await;
        let gateway = house.admin.get("/api/gateways").await.ok()["items"][0].clone();
        assert_eq!(
            (&gateway["owner"], &gateway["instances"], &gateway["health"]["state"]),
            (&json!("tenant"), &json!(1), &json!("ok"))
        );
        let path = format!("/api/gateways/{}", gateway["id"].as_str().unwrap());
        assert!(house.admin.delete(&path).await.problem(409).contains("gateway-in-use"));
        let renamed = house.admin.patch(&format!("/api/instances/{id}"), json!({ "name": " Rentals " })).await.ok();
        assert_eq!(renamed["name"], "Rentals");

        assert_eq!(house.admin.delete(&format!("/api/instances/{id}")).await.status, 204);
        house.admin.get(&format!("/api/instances/{id}")).await.problem(404);
        assert_eq!(house.admin.get("/api/instances").await.ok()["items"], json!([]));
        assert_eq!(sessions(&waha).await.len(), 1, "the gateway hears of it from a job");
        house.run_jobs().await;
        assert_eq!(sessions(&waha).await.len(), 0);
        assert_eq!(house.admin.delete(&path).await.status, 204);
        waha.stop().await;
    })
    .await;
}

#[tokio::test]
async fn on_an_operators_gateway_a_number_needs_only_a_name() {
    let waha = waha().await;
    let settings = [
        ("INDABA_GATEWAY_KIND", "waha"),
        ("INDABA_GATEWAY_URL", waha.url()),
        ("INDABA_GATEWAY_KEY", "simulator"),
        ("INDABA_GATEWAY_CAPACITY", "1"),
    ];
    each_db_with(&settings, async |house| {
        let made = house.admin.post("/api/instances", json!({ "name": "Sales" })).await;
        assert_eq!(made.status, 201, "{made:?}");
        let made = made.json();
        assert_eq!(made["gateway"]["owner"], "operator");
        assert!(made["hookUrl"].as_str().unwrap().starts_with("http://indaba.test/api/webhooks/waha/"));
        let full = house.admin.post("/api/instances", json!({ "name": "Second" })).await;
        assert!(full.problem(409).contains("no-gateway"));
        // another tenant sees that there is one, but neither its address nor what is on it
        let stranger = house.stranger().await;
        let seen = stranger.get("/api/gateways").await.ok()["items"][0].clone();
        assert_eq!((&seen["owner"], &seen["url"]), (&json!("operator"), &json!(null)));
        let path = format!("/api/gateways/{}", seen["id"].as_str().unwrap());
        stranger.patch(&path, json!({ "draining": true })).await.problem(403);
        stranger.get(&format!("{path}/setup")).await.problem(403);
        stranger.get(&format!("/api/instances/{}", made["id"].as_str().unwrap())).await.problem(404);
    })
    .await;
    waha.stop().await;
}

#[tokio::test]
async fn a_gateway_that_cannot_be_used_is_refused_with_what_to_mend() {
    each_db(async |house| {
        let waha = waha().await;
        let ask = async |url: &str, key: &str| {
            let form = json!({ "name": "Sales", "provider": "waha", "settings": { "url": url, "apiKey": key } });
            house.admin.post("/api/instances", form).await.fields()
        };
        assert_eq!(ask(waha.url(), "wrong").await, ["/settings/apiKey"]);
        for bad in [
            "http://10.0.0.1:3000",
            "http://127.0.0.1:1",
            "ftp://127.0.0.1",
            "nonsense",
            "",
            "http://a:b@127.0.0.1/",
            "http://[::1]/",
        ] {
            assert_eq!(ask(bad, "simulator").await, ["/settings/url"], "{bad}");
        }
        let blank = house.admin.post("/api/instances", json!({ "name": "  " })).await;
        assert_eq!(blank.fields(), ["/name"]);
        let none = house.admin.post("/api/instances", json!({ "name": "Sales" })).await;
        assert!(none.problem(409).contains("no-gateway"));
        let other =
            json!({ "name": "Sales", "provider": "pigeon", "settings": { "url": waha.url(), "apiKey": "simulator" } });
        assert_eq!(house.admin.post("/api/instances", other).await.fields(), ["/provider"]);
        let agent = house.key(Role::Agent).await;
        agent.post("/api/instances", json!({ "name": "Sales" })).await.problem(403);
        // a gateway that refuses in the middle leaves nothing behind
        control(
            &waha,
            "faults",
            json!({ "on": { "method": "POST", "path": "/api/sessions" }, "do": { "kind": "crash" } }),
        )
        .await;
        let form = json!({ "name": "Sales", "settings": { "url": waha.url(), "apiKey": "simulator" } });
        house.admin.post("/api/instances", form).await.problem(503);
        assert_eq!(house.admin.get("/api/instances").await.ok()["items"], json!([]));
        assert_eq!(house.admin.get("/api/gateways").await.ok()["items"][0]["instances"], 0);
        waha.stop().await;
    })
    .await;
}

#[tokio::test]
async fn older_news_changes_nothing_and_a_dip_is_looked_at_again() {
    each_db(async |house| {
        let waha = waha().await;
        let (id, _) = number(&house, &waha).await;
        let id: InstanceId = id.parse().unwrap();
        let tenant = house.tenant;
        let hear = async |state: SessionState, step: Option<Step>, at: i64| {
            let session = Session { state, step, at: Some(at), ..Session::default() };
            house
                .app
                .db
                .write(tenant, move |tx| {
                    instances::receive(tx, id, &session)?;
                    let now = instances::get(tx, id)?;
                    Ok((now.state, now.link_step))
                })
                .await
                .unwrap()
        };
        house.wait(Duration::from_secs(3600));
        let at = MORNING.0;
        assert_eq!(
            hear(SessionState::Linking, Some(Step::Scan), at + 1000).await,
            (State::Linking, Some(LinkStep::Scan))
        );
        assert_eq!(hear(SessionState::Connected, None, at + 3000).await, (State::Connected, None));
        assert_eq!(hear(SessionState::Linking, Some(Step::Scan), at + 2000).await.0, State::Connected, "older");
        assert_eq!(hear(SessionState::Linking, Some(Step::Preparing), at + 4000).await.0, State::Connected, "a dip");
        assert_eq!(hear(SessionState::Unknown, None, at + 5000).await.0, State::Connected, "a word we do not know");
        // a clock far ahead of ours does not silence what follows
        assert_eq!(hear(SessionState::Disconnected, None, at + 10 * 365 * 86_400_000).await.0, State::Disconnected);
        house.wait(Duration::from_secs(1));
        let now = house.app.clock.now().0;
        assert_eq!(hear(SessionState::Connected, None, now).await.0, State::Connected);
        waha.stop().await;
    })
    .await;
}

#[tokio::test]
async fn chats_that_were_there_before_are_imported_once_and_wake_nobody() {
    each_db(async |house| {
        let waha = waha().await;
        let (id, name) = number(&house, &waha).await;
        let early = house.admin.post(&format!("/api/instances/{id}/sync-chats"), json!({})).await;
        assert!(early.problem(409).contains("not-linked"));
        until(async || act(&house.admin, &id, "sync-status").await, |now| now["linkStep"] == "scan").await;
        control(&waha, &format!("sessions/{name}/scan"), json!({ "phone": "27820001000", "pushName": "Kusasa" })).await;
        until(async || act(&house.admin, &id, "sync-status").await, |now| now["state"] == "connected").await;
        for customer in 0..25 {
            for (minute, text) in ["Hello", "Is the flat still there?"].iter().enumerate() {
                let at = MORNING.0 - 3_600_000 + i64::try_from(minute).unwrap(); // in one second
                let from = format!("278200020{customer:02}");
                let said = json!({ "from": from, "name": format!("Customer {customer}"), "body": text, "at": at });
                control(&waha, "numbers/27820001000/messages", said).await;
            }
        }
        for _ in 0..2 {
            let asked = house.admin.post(&format!("/api/instances/{id}/sync-chats"), json!({})).await;
            assert_eq!((asked.status.as_u16(), &asked.json()["sync"]["state"]), (202, &json!("running")));
            house.run_jobs().await;
            let sync = house.admin.get(&format!("/api/instances/{id}")).await.ok()["sync"].clone();
            assert_eq!((&sync["state"], &sync["chats"]), (&json!("done"), &json!(25)), "{sync}");
            let all = house.admin.get("/api/conversations?limit=100").await.ok()["items"].as_array().unwrap().clone();
            assert_eq!(all.len(), 25, "the second import adds nothing");
            assert!(all.iter().all(|one| one["unreadCount"] == 0), "nothing old is unread");
            let first = all[0]["id"].as_str().unwrap();
            let messages = house.admin.get(&format!("/api/conversations/{first}/messages")).await.ok()["items"].clone();
            let texts: Vec<&str> =
                messages.as_array().unwrap().iter().map(|one| one["body"].as_str().unwrap()).collect();
            assert_eq!(texts, ["Is the flat still there?", "Hello"]);
        }
        waha.stop().await;
    })
    .await;
}
