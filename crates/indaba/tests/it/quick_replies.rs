//! Quick replies: everybody's and one's own, their shortcuts, their files, and how often they are used.
use crate::support::{ASHA, House, each_db, in_a_shop};
use axum::{body::Body, http::Method};
use indaba::{args, http::Role};
use serde_json::{Value, json};

const PATH: &str = "/api/quick-replies";

fn reply(scope: &str, shortcut: &str) -> Value {
    json!({ "scope": scope, "shortcut": shortcut, "title": "Greeting", "body": "Good day {{contact.first_name|there}}" })
}

fn at(reply: &Value) -> String {
    format!("{PATH}/{}", reply["id"].as_str().unwrap())
}

fn shortcuts(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|one| one["shortcut"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn agents_have_their_own_and_managers_keep_those_of_all() {
    each_db(async |house| {
        let (manager, sipho, lindiwe) = (
            house.person("Thandi", Role::Manager).await,
            house.person("Sipho", Role::Agent).await,
            house.person("Lindiwe", Role::Agent).await,
        );
        let shared = manager.post(PATH, reply("all", "/Hello")).await;
        assert_eq!(shared.status, 201, "{shared:?}");
        let shared = shared.json();
        assert_eq!(
            (&shared["shortcut"], &shared["scope"], &shared["uses"]),
            (&json!("hello"), &json!("all"), &json!(0))
        );
        let own = sipho.post(PATH, reply("me", "bye")).await.ok();
        sipho.post(PATH, reply("all", "x")).await.problem(403);
        sipho.patch(&at(&shared), json!({ "title": "Mine" })).await.problem(403);
        sipho.delete(&at(&shared)).await.problem(403);
        sipho.patch(&at(&own), json!({ "scope": "all" })).await.problem(403);
        for other in [&lindiwe, &manager, &house.stranger().await] {
            other.patch(&at(&own), json!({ "title": "Not yours" })).await.problem(404);
            other.delete(&at(&own)).await.problem(404);
        }
        assert_eq!(shortcuts(&sipho.get(PATH).await.ok()), ["bye", "hello"]);
        assert_eq!(shortcuts(&lindiwe.get(PATH).await.ok()), ["hello"]);
        assert_eq!(shortcuts(&house.key(Role::Viewer).await.get(PATH).await.ok()), ["hello"]);
        assert!(shortcuts(&house.stranger().await.get(PATH).await.ok()).is_empty());

        let changed = sipho.patch(&at(&own), json!({ "shortcut": "See-You", "body": "Bye, {{user.name}}" })).await.ok();
        assert_eq!((&changed["shortcut"], &changed["title"]), (&json!("see-you"), &json!("Greeting")));
        let given = manager.post(PATH, reply("me", "mine")).await.ok();
        assert_eq!(manager.patch(&at(&given), json!({ "scope": "all" })).await.ok()["scope"], "all");
        assert_eq!(shortcuts(&lindiwe.get(PATH).await.ok()), ["hello", "mine"]);
        assert_eq!(sipho.delete(&at(&own)).await.status, 204);
        sipho.delete(&at(&own)).await.problem(404);

        let told = house.admin.get("/api/audit?action=quick-reply.change").await.ok();
        assert_eq!(told["items"].as_array().unwrap().len(), 2, "{told}");
        let events = house.app.db.read(house.tenant, |tx| {
            tx.all::<(String,)>(
                "select patch from events where tenant_id = $1 and kind = 'quick_reply.changed'",
                args![],
            )
        });
        let events = events.await.unwrap();
        assert!(
            events.len() == 6 && events.iter().all(|(patch,)| patch == "{}"),
            "nothing of one's own is told: {events:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_is_said_at_its_field() {
    each_db(async |house| {
        let who = &house.admin;
        for (field, value) in [
            ("shortcut", json!("")),
            ("shortcut", json!("two words")),
            ("shortcut", json!("a/b")),
            ("shortcut", json!("x".repeat(33))),
            ("title", json!("  ")),
            ("title", json!("x".repeat(81))),
            ("body", json!(" ")),
            ("body", json!("x".repeat(4097))),
            ("body", json!("Dear {{contact.nickname}}")),
            ("body", json!("Dear {{contact.name")),
            ("body", json!(5)),
            ("mediaId", json!("med_01h455vb4pex5vsknk084sn02q")),
            ("scope", json!("team")),
            ("colour", json!("red")),
        ] {
            let mut wrong = reply("all", "hello");
            wrong[field] = value;
            assert_eq!(who.post(PATH, wrong.clone()).await.fields(), [format!("/{field}")], "{wrong}");
        }
        let good = who
            .post(PATH, json!({ "scope": "all", "shortcut": "Sawubona_1", "title": "é", "body": "x".repeat(4096) }))
            .await
            .ok();
        assert_eq!(good["shortcut"], "sawubona_1");
        assert_eq!(who.post(PATH, reply("all", "SAWUBONA_1")).await.problem(409), "shortcut-taken");
        let own = who.post(PATH, reply("me", "sawubona_1")).await.ok();
        assert_eq!(who.patch(&at(&own), json!({ "scope": "all" })).await.problem(409), "shortcut-taken");
        assert_eq!(who.patch(&at(&own), json!({ "body": "{{}}" })).await.fields(), ["/body"]);
        who.patch(&at(&own), json!({})).await.ok();
        let program = house.key(Role::Manager).await;
        assert_eq!(program.post(PATH, reply("me", "own")).await.fields(), ["/scope"]);
        program.post(PATH, reply("all", "program")).await.ok();
        for limit in ["0", "-1", "1000000000"] {
            assert_eq!(who.get(&format!("{PATH}?limit={limit}")).await.fields(), ["limit"]);
        }
        assert_eq!(who.get(&format!("{PATH}?after=forged")).await.status, 400);
    })
    .await;
}

/// A file of the house's.
async fn upload(house: &House, name: &str, bytes: &str) -> Value {
    let form = format!(
        "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: text/plain\r\n\r\n{bytes}\r\n--b--\r\n"
    );
    let who = house.admin.with("content-type", "multipart/form-data; boundary=b");
    who.send(Method::POST, "/api/media", Body::from(form)).await.ok()
}

#[tokio::test]
async fn a_file_goes_with_it_and_each_use_is_counted() {
    in_a_shop(async |shop| {
        let house = &shop.house;
        let file = upload(house, "prices.txt", "R 9,500").await;
        let mut new = reply("all", "prices");
        (new["body"], new["mediaId"]) = (json!(""), file["id"].clone());
        let prices = house.admin.post(PATH, new.clone()).await.ok();
        assert_eq!(prices["media"]["name"], "prices.txt");
        let stranger = house.stranger().await;
        new["scope"] = json!("me");
        assert_eq!(stranger.post(PATH, new).await.fields(), ["/mediaId"]);
        let long = json!({ "body": "x".repeat(1025) });
        assert_eq!(house.admin.patch(&at(&prices), long).await.fields(), ["/body"]);
        let bare = json!({ "mediaId": null });
        assert_eq!(house.admin.patch(&at(&prices), bare).await.fields(), ["/body"], "nothing would be left of it");

        shop.receive(ASHA, "A1", "What does it cost?").await;
        let talk = shop.newest().await.0;
        let path = format!("/api/conversations/{}/messages", talk["id"].as_str().unwrap());
        let (sipho, lindiwe) = (house.person("Sipho", Role::Agent).await, house.person("Lindiwe", Role::Agent).await);
        let own = sipho.post(PATH, reply("me", "own")).await.ok();
        let answer = json!({ "kind": "document", "mediaId": file["id"], "quickReplyId": prices["id"] });
        let sent = sipho.post(&path, answer).await;
        assert_eq!(sent.status, 201, "{sent:?}");
        for who in [&sipho, &lindiwe] {
            // another's own is not counted, and the message goes all the same
            who.post(&path, json!({ "kind": "text", "body": "Good day Asha", "quickReplyId": own["id"] })).await.ok();
        }
        let gone = json!({ "kind": "text", "body": "x", "quickReplyId": "qrp_01h455vb4pex5vsknk084sn02q" });
        sipho.post(&path, gone).await.ok();
        sipho.post(&path, json!({ "kind": "text", "body": "x", "quickReplyId": "prices" })).await.problem(422);
        let uses =
            |list: Value| list["items"].as_array().unwrap().iter().map(|one| one["uses"].clone()).collect::<Vec<_>>();
        assert_eq!(uses(sipho.get(PATH).await.ok()), [json!(1), json!(1)]);
        shop.house.run_jobs().await;
        assert_eq!(shop.effects().await.len(), 4);
    })
    .await;
}

#[tokio::test]
async fn a_long_list_comes_in_pages_and_has_an_end() {
    each_db(async |house| {
        for n in 0..300 {
            house.admin.post(PATH, reply("me", &format!("r{n:03}"))).await.ok();
        }
        assert_eq!(house.admin.post(PATH, reply("me", "one-more")).await.problem(409), "list-full");
        let shared = house.admin.post(PATH, reply("all", "r150")).await.ok();
        let moved = house.admin.patch(&at(&shared), json!({ "scope": "me", "shortcut": "moved" })).await;
        assert_eq!(moved.problem(409), "list-full", "nor does one come in by another door");
        let log = house.admin.get("/api/audit?action=quick-reply.create&limit=2").await.ok();
        let kept = |n: usize| log["items"][n]["after"]["body"].is_string();
        assert_eq!((kept(0), kept(1)), (true, false), "what people keep for themselves is not in the log");
        let mut all: Vec<Value> = Vec::new();
        let mut next = String::new();
        loop {
            let page = house.admin.get(&format!("{PATH}?limit=100{next}")).await.ok();
            all.extend(page["items"].as_array().unwrap().clone());
            let Some(after) = page["next"].as_str() else { break };
            next = format!("&after={after}");
        }
        assert_eq!(all.len(), 301);
        assert!(all.is_sorted_by_key(|one| one["shortcut"].as_str().unwrap().to_owned()));
    })
    .await;
}
