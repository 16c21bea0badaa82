//! Numbers on Evolution gateways, from the code to the last tick, against the simulator's Evolution over real HTTP both ways; and two ways
//! side by side in one inbox.
use crate::support::office::{Office, in_an_office, new_phone, path_of};
use axum::{body::Body, http::Method};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test]
async fn a_number_is_linked_by_its_hooks_and_a_text_makes_the_whole_trip() {
    in_an_office(async |office| {
        let phone = new_phone();
        let (made, instance) = office.evolution("Sales", &phone).await;
        let place = format!("/api/instances/{}", made["id"].as_str().unwrap());
        let linked = office.who.get(&place).await.ok();
        assert_eq!(
            (&linked["provider"], &linked["phone"]),
            (&json!("evolution"), &json!(format!("+{phone}"))),
            "{linked}"
        );
        assert_eq!((&linked["capabilities"]["poll"], &linked["cloud"]), (&json!(true), &Value::Null));

        let asha = new_phone();
        office.writes(&phone, &asha, "Asha", "Is the flat still free?").await;
        let talk = office.talk(&asha).await;
        assert_eq!((&talk["contact"]["name"], &talk["instance"]["provider"]), (&json!("Asha"), &json!("evolution")));
        office.answer(&talk, "It is.").await.ok();
        office.becomes(&talk, "It is.", "delivered").await;
        office.control(&format!("numbers/{phone}/chats/{asha}/open"), json!({})).await;
        office.becomes(&talk, "It is.", "read").await;
        let chat = office.chat(&phone, &asha).await;
        assert_eq!(chat.iter().filter(|one| one["fromMe"] == true).count(), 1, "sent once: {chat:?}");
        assert_eq!(office.thread(&talk).await.len(), 2, "the echo of our own message is not a message");

        // from the owner's phone, past us
        let typed = json!({ "from": "me", "chat": asha, "body": "From the phone" });
        office.control(&format!("numbers/{phone}/messages"), typed).await;
        let seen = office
            .until("the phone's own message is there", async || {
                office.thread(&talk).await.into_iter().find(|one| one["body"] == "From the phone")
            })
            .await;
        assert_eq!((&seen["direction"], &seen["author"]["kind"]), (&json!("outbound"), &json!("phone")));

        // what it needs, looked at; and what it cannot do, said
        let checked = office.who.post(&format!("{place}/check"), json!({})).await.ok();
        assert!(checked["steps"].as_array().unwrap().iter().all(|step| step["ok"] == true), "{checked}");
        assert_eq!(office.who.post(&format!("{place}/stop"), json!({})).await.problem(409), "gateway-refused");
        let keys = json!({ "settings": { "accessToken": "EAAsomething" } });
        assert_eq!(office.who.patch(&place, keys).await.fields(), ["/settings"]);

        // signed out on the phone, linked again
        office.house.wait(Duration::from_secs(1));
        office.control(&format!("sessions/{instance}/unlink"), json!({})).await;
        office
            .until("it needs somebody", async || {
                let now = office.who.get(&place).await.ok();
                (now["state"] != "connected").then_some(())
            })
            .await;
        office.house.wait(Duration::from_secs(1));
        office.who.post(&format!("{place}/start"), json!({})).await.ok();
        office.scan(&made, &instance, &phone).await;
        assert_eq!(office.who.delete(&place).await.status, 204);
        office.house.run_jobs().await;
        let left = office.look("sessions").await;
        assert!(!left["items"].as_array().unwrap().iter().any(|one| one["name"] == *instance), "{left}");
    })
    .await;
}

#[tokio::test]
async fn a_hook_is_believed_for_its_header_and_reaches_its_own_number_alone() {
    in_an_office(async |office| {
        let (phone, other_phone) = (new_phone(), new_phone());
        let (made, instance) = office.evolution("Sales", &phone).await;
        let (other, other_instance) = office.evolution("Rentals", &other_phone).await;
        let row = async |name: &str| -> Value {
            let call = reqwest::Client::new().get(format!("{}/webhook/find/{name}", office.sim.evolution_url()));
            call.header("apikey", "simulator").send().await.unwrap().json().await.unwrap()
        };
        let token = async |name: &str| row(name).await["headers"]["x-indaba-token"].as_str().unwrap().to_owned();
        let (word, others) = (token(&instance).await, token(&other_instance).await);
        assert!(word.len() >= 32 && word != others);
        let said = |name: &str, id: &str| {
            json!({
                "event": "messages.upsert", "instance": name, "apikey": "the-instance-token-in-clear",
                "data": { "key": { "remoteJid": "27840000001@s.whatsapp.net", "fromMe": false, "id": id }, "pushName": "Asha",
                          "message": { "conversation": "hello" }, "messageType": "conversation", "messageTimestamp": 1_795_157_000 },
            })
            .to_string()
        };
        let post = async |path: &str, word: Option<&str>, body: String| -> u16 {
            let mut who = office.house.nobody().with("content-type", "application/json");
            if let Some(word) = word {
                who = who.with("x-indaba-token", word);
            }
            who.send(Method::POST, path, Body::from(body)).await.status.as_u16()
        };
        let path = path_of(&made);
        let before = office.count("select count(*) from hooks").await;
        assert_eq!(post(&path, None, said(&instance, "E1")).await, 401);
        assert_eq!(post(&path, Some("another"), said(&instance, "E1")).await, 401);
        assert_eq!(post(&path, Some(&others), said(&instance, "E1")).await, 401, "another number's word");
        assert_eq!(office.count("select count(*) from hooks").await, before);
        // with the right word, but about another number of the same gateway: kept for the operator
        assert_eq!(post(&path, Some(&word), said(&other_instance, "E2")).await, 200);
        assert_eq!(office.count("select count(*) from stray_hooks").await, 1);
        assert_eq!(post(&path, Some(&word), said(&instance, "E3")).await, 200);
        let talk = office.talk("27840000001").await;
        assert_eq!(talk["instanceId"], made["id"]);
        let kept = office.house.app.db.system_read("check a statement", |tx| {
            tx.all::<(Vec<u8>,)>("select body from hooks", indaba::args![])
        });
        let kept = kept.await.unwrap();
        assert!(kept.iter().all(|(body,)| !String::from_utf8_lossy(body).contains("the-instance-token-in-clear")));

        // Evolution stops calling when it hears that nobody is there
        office.who.delete(&format!("/api/instances/{}", other["id"].as_str().unwrap())).await;
        office.house.run_jobs().await;
        assert_eq!(post(&path_of(&other), Some(&others), said(&other_instance, "E4")).await, 404);
    })
    .await;
}

#[tokio::test]
async fn an_evolution_that_cannot_be_used_is_refused_with_what_to_mend() {
    in_an_office(async |office| {
        let url = office.sim.evolution_url();
        let ask = async |provider: &str, url: &str, key: &str| {
            let form = json!({ "name": "Sales", "provider": provider, "settings": { "url": url, "apiKey": key } });
            office.who.post("/api/instances", form).await.fields()
        };
        assert_eq!(ask("evolution", &url, "wrong").await, ["/settings/apiKey"]);
        assert_eq!(ask("evolution", "http://127.0.0.1:1", "simulator").await, ["/settings/url"]);
        assert_eq!(ask("evolution", "http://10.0.0.1", "simulator").await, ["/settings/url"]);
        let extra = json!({ "name": "Sales", "provider": "evolution", "settings": { "url": url, "apiKey": "simulator", "wabaId": "1" } });
        assert_eq!(office.who.post("/api/instances", extra).await.fields(), ["/settings/wabaId"]);

        let gateway = json!({ "kind": "evolution", "url": url, "apiKey": "simulator", "name": "Umhlanga" });
        let added = office.who.post("/api/gateways", gateway).await.ok();
        assert_eq!((&added["kind"], &added["health"]["state"]), (&json!("evolution"), &json!("ok")));
        assert!(added["health"]["version"].as_str().unwrap().starts_with("2.3"), "{added}");
        let place = format!("/api/gateways/{}", added["id"].as_str().unwrap());
        assert_eq!(office.who.get(&format!("{place}/setup")).await.problem(409), "no-shared-hooks");
        let form = json!({ "name": "Sales", "provider": "evolution", "gatewayId": added["id"] });
        let made = office.who.post("/api/instances", form).await.ok();
        assert_eq!(made["gateway"]["name"], "Umhlanga");
        assert_eq!(office.who.get("/api/gateways").await.ok()["items"][0]["instances"], 1);
    })
    .await;
}

#[tokio::test]
async fn a_number_that_its_gateway_forgot_is_made_again() {
    in_an_office(async |office| {
        let phone = new_phone();
        let (made, instance) = office.evolution("Sales", &phone).await;
        let place = format!("/api/instances/{}", made["id"].as_str().unwrap());
        let gone = reqwest::Client::new().delete(format!("{}/instance/delete/{instance}", office.sim.evolution_url()));
        assert!(gone.header("apikey", "simulator").send().await.unwrap().status().is_success());
        office.house.wait(Duration::from_secs(1));
        let now = office.who.post(&format!("{place}/sync-status"), json!({})).await.ok();
        assert_eq!(now["state"], "disconnected");
        office.house.wait(Duration::from_secs(1));
        office.who.post(&format!("{place}/start"), json!({})).await.ok();
        let waiting = async || office.who.get(&place).await.ok()["linkStep"] == "scan";
        office.until("a code waits", async || waiting().await.then_some(())).await;
        office.who.post(&format!("{place}/sync-status"), json!({})).await.ok();
        assert!(waiting().await, "that it says \"connecting\" meanwhile does not take the code back");
        office.scan(&made, &instance, &phone).await;
        let asha = new_phone();
        office.writes(&phone, &asha, "Asha", "Hello again").await;
        let talk = office.talk(&asha).await;
        office.answer(&talk, "Hello").await.ok();
        office.becomes(&talk, "Hello", "delivered").await;
    })
    .await;
}

#[tokio::test]
async fn two_ways_stand_side_by_side_in_one_inbox() {
    in_an_office(async |office: Office| {
        let phone = new_phone();
        office.evolution("Rentals", &phone).await;
        let number = office.at_meta(json!({})).await;
        office.connect(&number, "Sales").await;
        let (asha, sipho) = (new_phone(), new_phone());
        office.writes(&phone, &asha, "Asha", "To the linked one").await;
        office.writes(&number.get("phone"), &sipho, "Sipho", "To the one at Meta").await;
        let (one, two) = (office.talk(&asha).await, office.talk(&sipho).await);
        let mut ways: Vec<String> =
            office.inbox().await.iter().map(|row| row["instance"]["provider"].as_str().unwrap().to_owned()).collect();
        ways.sort();
        assert_eq!(ways, ["cloud", "evolution"]);
        for talk in [&one, &two] {
            office.answer(talk, "Good morning").await.ok();
            office.becomes(talk, "Good morning", "delivered").await;
        }
        // the same customer on both numbers: one contact, a conversation on each
        office.writes(&number.get("phone"), &asha, "Asha", "And here").await;
        office.until("both are there", async || (office.inbox().await.len() == 3).then_some(())).await;
        let all = office.inbox().await;
        let hers: Vec<&Value> = all.iter().filter(|row| row["contact"]["phone"] == *format!("+{asha}")).collect();
        assert_eq!(hers.len(), 2);
        assert_eq!(hers[0]["contact"]["id"], hers[1]["contact"]["id"]);
        // a day later only the linked one takes a free text
        office.house.wait(Duration::from_secs(25 * 3600));
        office.answer(&one, "Still here").await.ok();
        assert_eq!(office.answer(&two, "Still here").await.problem(409), "outside-window");
    })
    .await;
}
