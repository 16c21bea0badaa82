//! Gateways: one that is gone, one of the operator's, one that several numbers share, and from one to another.
use crate::{
    numbers::{act, control, number, sessions, until, waha},
    support::{ASHA, House, each_db, each_db_with, in_a_shop, written},
};
use indaba::{args, instances::jobs::Reconcile, jobs, users};
use serde_json::{Value, json};
use std::time::Duration;

/// A number that is linked; its id and the gateway's name of it.
async fn linked(house: &House, waha: &indaba_simulator::Running) -> (String, String) {
    let (id, session) = number(house, waha).await;
    until(async || act(&house.admin, &id, "sync-status").await, |now| now["linkStep"] == "scan").await;
    control(waha, &format!("sessions/{session}/scan"), json!({ "phone": "27820001000", "pushName": "Kusasa" })).await;
    assert_eq!(act(&house.admin, &id, "sync-status").await["state"], "connected");
    (id, session)
}

async fn show(house: &House, id: &str) -> Value {
    house.admin.get(&format!("/api/instances/{id}")).await.ok()
}

/// What the audit log says was done last of this kind: before and after.
async fn noted(house: &House, action: &str) -> (Value, Value) {
    let log = house.admin.get(&format!("/api/audit?action={action}")).await.ok();
    (log["items"][0]["before"].clone(), log["items"][0]["after"].clone())
}

#[tokio::test]
async fn a_gateway_that_is_gone_shows_on_its_numbers_until_it_is_back() {
    each_db(async |house| {
        let waha = waha().await;
        let (id, _) = linked(&house, &waha).await;
        let gateway = show(&house, &id).await["gateway"]["id"].as_str().unwrap().to_owned();
        let look = async || house.admin.post(&format!("/api/gateways/{gateway}/check"), json!({})).await.ok();
        assert_eq!(look().await["health"]["state"], "ok");
        let fault = json!({ "on": { "path": "/api/server/version" }, "count": 4, "do": { "kind": "crash" } });
        control(&waha, "faults", fault).await;

        assert_eq!(look().await["health"]["state"], "down");
        assert_eq!(show(&house, &id).await["state"], "connected", "once may be chance");
        assert_eq!(look().await["health"]["state"], "down");
        assert_eq!(show(&house, &id).await["state"], "connected", "twice in a moment is once");
        house.wait(Duration::from_secs(60));
        assert_eq!(look().await["health"]["state"], "down");
        let now = show(&house, &id).await;
        assert_eq!((&now["state"], &now["trouble"]), (&json!("attention"), &json!("gatewayDown")));
        assert!(now["stateReason"].as_str().unwrap().starts_with("Its gateway does not answer."), "{now}");
        look().await;
        let told = house.app.db.system_read("check a statement", |tx| {
            tx.get::<(i64,)>(
                "select count(*) from events where kind = 'instance.state' and patch like '%gatewayDown%'",
                args![],
            )
        });
        assert_eq!(told.await.unwrap().0, 1, "open browsers hear of it, once");

        assert_eq!(look().await["health"]["state"], "ok");
        let now = show(&house, &id).await;
        assert_eq!(
            (&now["state"], &now["trouble"], &now["stateReason"]),
            (&json!("connected"), &Value::Null, &Value::Null)
        );
        waha.stop().await;

        // who asks for it learns of it at once, and so does the gateway's row
        house.admin.post(&format!("/api/instances/{id}/sync-status"), json!({})).await.problem(503);
        assert_eq!(house.admin.get("/api/gateways").await.ok()["items"][0]["health"]["state"], "down");
    })
    .await;
}

#[tokio::test]
async fn every_minute_each_number_is_looked_at() {
    each_db(async |house| {
        let waha = waha().await;
        let (id, session) = number(&house, &waha).await;
        until(async || act(&house.admin, &id, "sync-status").await, |now| now["linkStep"] == "scan").await;
        // nobody listens for hooks in this house: only a look can show that it was scanned
        control(&waha, &format!("sessions/{session}/scan"), json!({ "phone": "27820001000", "pushName": "Kusasa" }))
            .await;
        assert_eq!(show(&house, &id).await["state"], "linking");
        house.app.db.write(house.tenant, |tx| jobs::enqueue(tx, &Reconcile {})).await.unwrap();
        house.run_jobs().await;
        assert_eq!(show(&house, &id).await["state"], "connected");
        waha.stop().await;
    })
    .await;
}

#[tokio::test]
async fn the_operator_sees_to_the_operators_gateway() {
    let waha = waha().await;
    let settings =
        [("INDABA_GATEWAY_KIND", "waha"), ("INDABA_GATEWAY_URL", waha.url()), ("INDABA_GATEWAY_KEY", "simulator")];
    each_db_with(&settings, async |house| {
        let seen = house.admin.get("/api/gateways").await.ok()["items"][0].clone();
        let path = format!("/api/gateways/{}", seen["id"].as_str().unwrap());
        house.admin.patch(&path, json!({ "draining": true })).await.problem(403);

        let named = house.app.db.system("check a statement", |tx| users::set_operator(tx, "naledi@kusasa.test", true));
        assert!(named.await.unwrap());
        let (operator, _) = signed_in(&house).await;
        let seen = operator.get("/api/gateways").await.ok()["items"][0].clone();
        assert_eq!(seen["url"], waha.url());
        let change = json!({ "draining": true, "region": " Cape Town ", "capacity": 12 });
        let now = operator.patch(&path, change).await.ok();
        assert_eq!(
            (&now["draining"], &now["region"], &now["capacity"]),
            (&json!(true), &json!("Cape Town"), &json!(12))
        );
        let (before, after) = noted(&house, "gateway.change").await;
        assert_eq!((&before["draining"], &after["draining"]), (&json!(false), &json!(true)));
        assert_eq!(operator.patch(&path, json!({ "region": "x".repeat(61) })).await.fields(), ["/region"]);
        let full = operator.post("/api/instances", json!({ "name": "Sales" })).await;
        assert!(full.problem(409).contains("no-gateway"), "it is drained");
        assert_eq!(operator.patch(&path, json!({ "region": null })).await.ok()["region"], Value::Null);
        // what the configuration says is changed there
        assert!(operator.patch(&path, json!({ "apiKey": "another" })).await.problem(409).contains("configured"));
        assert!(operator.delete(&path).await.problem(409).contains("configured"));
        assert_eq!(before["url"], Value::Null, "the log of a workspace has no address of the operator's");
    })
    .await;
    waha.stop().await;
}

async fn signed_in(house: &House) -> (crate::support::Caller, Value) {
    let form = json!({ "email": "naledi@kusasa.test", "password": crate::support::PASSWORD });
    let reply = house.nobody().post("/api/auth/sign-in", form).await;
    (house.nobody().bearer(&reply.cookie("indaba_access").unwrap()), reply.json())
}

#[tokio::test]
async fn a_number_moves_to_another_gateway_and_keeps_its_history() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "is the flat free?").await;
        let old = shop.number().await;
        let other = waha().await;
        let form = json!({ "kind": "waha", "url": other.url(), "apiKey": "simulator", "name": "The new one" });
        let new = shop.house.admin.post("/api/gateways", form).await.json();
        let to = new["id"].as_str().unwrap();
        let path = format!("/api/instances/{}/move", shop.id);
        shop.house.admin.post(&path, json!({ "gatewayId": "gtw_01m7wy8efye0081hc21w7jwttj" })).await.problem(404);

        let moved = shop.house.admin.post(&path, json!({ "gatewayId": to })).await.ok();
        assert_eq!((&moved["gateway"]["name"], &moved["id"]), (&json!("The new one"), &json!(shop.id)));
        assert_ne!(moved["hookUrl"], old["hookUrl"]);
        assert!(["new", "linking"].contains(&moved["state"].as_str().unwrap()), "{moved}");
        shop.house.run_jobs().await;
        assert_eq!((sessions(&shop.waha).await.len(), sessions(&other).await.len()), (0, 1), "it leaves the old one");
        let carried = shop.house.admin.get("/api/gateways").await.ok();
        let carried: Vec<&Value> = carried["items"].as_array().unwrap().iter().map(|of| &of["instances"]).collect();
        assert_eq!(carried, [&json!(0), &json!(1)]);
        let (before, after) = noted(&shop.house, "instance.move").await;
        assert_eq!((&before["gateway"], &after["gateway"]), (&old["gateway"]["id"], &json!(to)));

        // what the old gateway still says is nobody's; what the new one says is theirs
        let late = shop.envelope("message.any", written(ASHA, "A2", "hello?")).to_string();
        let reply = shop.post(&shop.path, late.clone(), Some(&shop.sign(late.as_bytes()))).await;
        assert!([200, 401, 404].contains(&reply.status.as_u16()), "{reply:?}");
        let session = sessions(&other).await.pop().unwrap()["name"].as_str().unwrap().to_owned();
        until(async || act(&shop.who, &shop.id, "sync-status").await, |now| now["linkStep"] == "scan").await;
        control(&other, &format!("sessions/{session}/scan"), json!({ "phone": "27820001000" })).await;
        assert_eq!(shop.sync().await["state"], "connected");
        shop.house.run_jobs().await;
        let (place, thread) = shop.newest().await;
        assert_eq!((thread.len(), &place["instanceId"]), (1, &json!(shop.id)));
        let talk = format!("/api/conversations/{}/messages", place["id"].as_str().unwrap());
        shop.who.post(&talk, json!({ "kind": "text", "body": "Yes, it is." })).await;
        shop.house.run_jobs().await;
        let sent: Value = reqwest::get(format!("{}/control/effects", other.url())).await.unwrap().json().await.unwrap();
        assert_eq!(sent["items"][0]["body"], "Yes, it is.");
        other.stop().await;
    })
    .await;
}

#[tokio::test]
async fn one_url_of_a_gateway_serves_all_its_numbers_and_each_hook_is_signed() {
    in_a_shop(async |shop| {
        let gateway = shop.number().await["gateway"]["id"].as_str().unwrap().to_owned();
        let setup = shop.house.admin.get(&format!("/api/gateways/{gateway}/setup")).await.ok();
        let url = setup["url"].as_str().unwrap();
        let path = &url[url.find("/api/").unwrap()..];
        let body = shop.envelope("message.any", written(ASHA, "A1", "hello")).to_string();
        let by = |secret: &str, body: &str| {
            use hmac::{KeyInit, Mac};
            let mut mac = hmac::Hmac::<sha2::Sha512>::new_from_slice(secret.as_bytes()).unwrap();
            mac.update(body.as_bytes());
            hex::encode(mac.finalize().into_bytes())
        };
        let secret = setup["secret"].as_str().unwrap();
        for (signature, why) in [(None, "none"), (Some(by(&shop.secret, &body)), "the number's own secret")] {
            assert_eq!(shop.post(path, body.clone(), signature.as_deref()).await.status, 401, "{why}");
        }
        shop.house.run_jobs().await;
        assert!(shop.inbox().await.is_empty());

        assert_eq!(shop.post(path, body.clone(), Some(&by(secret, &body))).await.status, 200);
        let stray = body.replace(&shop.session, "somebody_elses");
        assert_eq!(
            shop.post(path, stray.clone(), Some(&by(secret, &stray))).await.status,
            200,
            "kept for the operator"
        );
        shop.house.run_jobs().await;
        assert_eq!(shop.newest().await.1.len(), 1);
    })
    .await;
}
