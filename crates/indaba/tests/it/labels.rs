//! Labels: who makes them, what they do to conversations and their lists, and how they leave again.
use crate::support::{ASHA, MORNING, Shop, in_a_shop, written};
use axum::http::Method;
use futures_util::future::join_all;
use indaba::http::Role;
use indaba_providers::{Address, Content, Incoming, Message, Person, Rekeyed};
use serde_json::{Value, json};
use std::time::Duration;

async fn label(shop: &Shop, name: &str, colour: &str) -> String {
    let made = shop.who.post("/api/labels", json!({ "name": name, "colour": colour })).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["id"].as_str().unwrap().to_owned()
}

fn path(place: &Value) -> String {
    format!("/api/conversations/{}", place["id"].as_str().unwrap())
}

/// Customers write one after the other, a minute apart; their conversations, the oldest first.
async fn customers(shop: &Shop, count: usize) -> Vec<Value> {
    for n in 0..count {
        shop.house.wait(Duration::from_secs(60));
        let mut message = written(&format!("2782000400{n}"), &format!("M{n}"), "hello");
        message["timestamp"] = json!(shop.house.app.clock.now().0 / 1000);
        message["_data"]["pushName"] = json!(format!("Customer {n}"));
        shop.tell("message.any", message).await;
        shop.house.run_jobs().await;
    }
    let mut all = shop.inbox().await;
    all.reverse();
    all
}

/// The last figure of each customer's name, all pages of a list.
async fn names(shop: &Shop, query: &str) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = shop.who.get(&format!("/api/conversations?limit=2&{query}&after={after}")).await.ok();
        let items = page["items"].as_array().unwrap();
        all.extend(items.iter().map(|one| one["contact"]["name"].as_str().unwrap()[9..].to_owned()));
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => return all,
        }
    }
}

/// The patches of the events of one kind, in their order.
async fn told(shop: &Shop, kind: &'static str) -> Vec<Value> {
    let read = shop.house.app.db.read(shop.house.tenant, move |tx| {
        tx.all::<(String,)>(
            "select patch from events where tenant_id = $1 and kind = $2 order by seq",
            indaba::args![kind],
        )
    });
    read.await.unwrap().iter().map(|(patch,)| serde_json::from_str(patch).unwrap()).collect()
}

#[tokio::test]
async fn managers_make_labels_and_agents_put_them_on() {
    in_a_shop(async |shop| {
        let manager = shop.house.person("Mpho", Role::Manager).await;
        let agent = shop.house.person("Sipho", Role::Agent).await;
        let hot = manager.post("/api/labels", json!({ "name": "  Hot   lead ", "colour": "amber" })).await.ok();
        assert_eq!((&hot["name"], &hot["colour"]), (&json!("Hot lead"), &json!("amber")));
        let plain = manager.post("/api/labels", json!({ "name": "Buyer" })).await.ok();
        assert_eq!(plain["colour"], "stone");
        let listed = agent.get("/api/labels").await.ok();
        let said: Vec<&str> =
            listed["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!((said, &listed["next"]), (vec!["Buyer", "Hot lead"], &json!(null)));
        let first = agent.get("/api/labels?limit=1").await.ok();
        let rest = agent.get(&format!("/api/labels?limit=1&after={}", first["next"].as_str().unwrap())).await.ok();
        assert_eq!((&rest["items"][0]["name"], &rest["next"]), (&json!("Hot lead"), &json!(null)));

        let place = &customers(&shop, 1).await[0];
        assert_eq!(place["labels"], json!([]));
        let (hot, plain) = (&hot["id"], &plain["id"]);
        let on = agent.patch(&path(place), json!({ "labels": [hot, plain, hot] })).await.ok();
        assert_eq!(on["labels"], json!([hot, plain]), "each once, as they were put on");
        assert_eq!(shop.inbox().await[0]["labels"], json!([hot, plain]));
        agent.patch(&path(place), json!({ "labels": [hot, plain] })).await.ok();
        let off = agent.patch(&path(place), json!({ "labels": [plain] })).await.ok();
        assert_eq!(off["labels"], json!([plain]));
        let frames = told(&shop, "conversation.labelled").await;
        assert_eq!(frames.len(), 2, "what changes nothing is not told");
        assert_eq!(frames[1]["conversation"]["labels"], json!([plain]));
        let log = shop.house.admin.get("/api/audit?action=conversation.label").await.ok();
        assert_eq!(log["items"][0]["before"]["labels"], json!([hot, plain]));
        assert_eq!(log["items"][0]["actor"]["name"], "Sipho");

        // a new message keeps them, and so does an answer
        shop.receive("27820004000", "M9", "again").await;
        agent.post(&format!("{}/messages", path(place)), json!({ "kind": "text", "body": "yes" })).await.ok();
        assert_eq!(shop.inbox().await[0]["labels"], json!([plain]));
        assert_eq!(told(&shop, "message.queued").await[0]["conversation"]["labels"], json!([plain]));

        let id = plain.as_str().unwrap();
        let renamed =
            manager.patch(&format!("/api/labels/{id}"), json!({ "name": "BUYER", "colour": "leaf" })).await.ok();
        assert_eq!((&renamed["name"], &renamed["colour"]), (&json!("BUYER"), &json!("leaf")));
        assert_eq!(told(&shop, "label.updated").await[0]["label"]["name"], "BUYER");
    })
    .await;
}

#[tokio::test]
async fn two_who_label_one_conversation_at_the_same_moment_both_have_their_way() {
    in_a_shop(async |shop| {
        let place = &customers(&shop, 1).await[0];
        let move_of = |id: &str| format!("{}/labels/{id}", path(place));
        let mut labels = Vec::new();
        for n in 0..8 {
            labels.push(label(&shop, &format!("Label {n}"), "leaf").await);
        }
        let (off, on) = labels.split_at(4);
        shop.who.patch(&path(place), json!({ "labels": off })).await.ok();
        let (sipho, lindiwe) =
            (shop.house.person("Sipho", Role::Agent).await, shop.house.person("Lindiwe", Role::Agent).await);
        let taken = off.iter().map(async |id| sipho.delete(&move_of(id)).await);
        let put = on.iter().map(async |id| lindiwe.put(&move_of(id), json!({})).await);
        let (taken, put) = tokio::join!(join_all(taken), join_all(put));
        assert!(taken.iter().chain(&put).all(|reply| reply.status == 200), "{taken:?} {put:?}");
        let carried = shop.inbox().await[0]["labels"].clone();
        let mut sorted: Vec<String> = serde_json::from_value(carried.clone()).unwrap();
        sorted.sort();
        assert_eq!(sorted, on, "nobody's move undid another's");
        assert_eq!(told(&shop, "conversation.labelled").await.last().unwrap()["conversation"]["labels"], carried);
        for id in on {
            assert_eq!(names(&shop, &format!("label={id}")).await, ["0"]);
        }
        let log = shop.house.admin.get("/api/audit?action=conversation.label").await.ok();
        assert_eq!(log["items"].as_array().unwrap().len(), 9);

        // the same once more changes nothing, and is not told
        assert_eq!(sipho.delete(&move_of(&off[0])).await.ok()["labels"], carried);
        assert_eq!(lindiwe.put(&move_of(&on[0]), json!({})).await.ok()["labels"], carried);
        assert_eq!(told(&shop, "conversation.labelled").await.len(), 9);
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_label_is_said_kindly() {
    in_a_shop(async |shop| {
        let hot = label(&shop, "Hot", "rose").await;
        let place = &customers(&shop, 1).await[0];
        let long = "x".repeat(200);
        for name in ["", "   ", "\u{a0}", "a\nb", &long] {
            assert_eq!(shop.who.post("/api/labels", json!({ "name": name })).await.fields()[0], "/name", "{name:?}");
            assert_eq!(
                shop.who.patch(&format!("/api/labels/{hot}"), json!({ "name": name })).await.fields()[0],
                "/name"
            );
        }
        shop.who.post("/api/labels", json!({})).await.problem(422);
        shop.who.post("/api/labels", json!({ "name": "x", "colour": "#ff0000" })).await.problem(422);
        for same in ["hot", " HOT ", "Hot"] {
            assert_eq!(shop.who.post("/api/labels", json!({ "name": same })).await.problem(409), "label-exists");
        }
        let cold = label(&shop, "Cold", "indigo").await;
        let taken = shop.who.patch(&format!("/api/labels/{cold}"), json!({ "name": "hOT" })).await;
        assert_eq!(taken.problem(409), "label-exists");
        shop.who.patch(&format!("/api/labels/{cold}"), json!({ "name": "COLD" })).await.ok();
        shop.house.person("Sipho", Role::Agent).await.post("/api/labels", json!({ "name": "Mine" })).await.problem(403);

        let theirs = shop.house.stranger().await.post("/api/labels", json!({ "name": "Hot" })).await.ok();
        let put = async |labels: Value| shop.who.patch(&path(place), json!({ "labels": labels })).await;
        assert_eq!(put(json!([hot, theirs["id"]])).await.fields(), ["/labels/1"]);
        assert_eq!(put(json!(["lbl_01h455vb4pex5vsknk084sn02q"])).await.fields(), ["/labels/0"]);
        for shape in [json!(["hot"]), json!("hot"), json!([1])] {
            put(shape).await.problem(422);
        }
        assert_eq!(shop.inbox().await[0]["labels"], json!([]), "all or nothing");
        let mut many = vec![hot.clone(), cold];
        for n in 0..98 {
            many.push(label(&shop, &format!("Label {n}"), "plum").await);
        }
        let full = shop.who.post("/api/labels", json!({ "name": "One more" })).await;
        assert_eq!(full.problem(409), "too-many-labels");
        assert_eq!(put(json!(many[..21])).await.fields(), ["/labels"]);
        assert_eq!(put(json!(vec![&hot; 101])).await.fields(), ["/labels"]);
        put(json!(many[..20])).await.ok();
        let one = |id: &str| format!("{}/labels/{id}", path(place));
        assert_eq!(shop.who.put(&one(&many[20]), json!({})).await.problem(409), "labels-full");
        shop.who.put(&one(&many[19]), json!({})).await.ok();
        for nobodys in [theirs["id"].as_str().unwrap(), "lbl_01h455vb4pex5vsknk084sn02q", "hot"] {
            shop.who.put(&one(nobodys), json!({})).await.problem(404);
        }
        assert_eq!(shop.who.delete(&one(theirs["id"].as_str().unwrap())).await.ok()["labels"], json!(many[..20]));
        shop.house.person("Vera", Role::Viewer).await.put(&one(&hot), json!({})).await.problem(403);
        shop.who.get("/api/conversations?label=x").await.problem(422);
        shop.house.stranger().await.send(Method::DELETE, &format!("/api/labels/{hot}"), "".into()).await.problem(404);
    })
    .await;
}

#[tokio::test]
async fn a_list_by_label_has_every_order_and_follows_its_conversations() {
    in_a_shop(async |shop| {
        let (hot, cold) = (label(&shop, "Hot", "amber").await, label(&shop, "Cold", "indigo").await);
        let all = customers(&shop, 6).await;
        for n in [0, 1, 2, 4, 5] {
            let labels = if n == 2 { json!([cold, hot]) } else { json!([hot]) };
            shop.who.patch(&path(&all[n]), json!({ "labels": labels })).await.ok();
        }
        shop.who.post(&format!("{}/read", path(&all[4])), json!({})).await.ok();
        shop.house.wait(Duration::from_secs(60));
        shop.who.post(&format!("{}/messages", path(&all[1])), json!({ "kind": "text", "body": "yes" })).await.ok();
        let by = async |query: &str| names(&shop, &format!("label={hot}&{query}")).await;
        assert_eq!(by("").await, ["1", "5", "4", "2", "0"]);
        assert_eq!(by("sort=oldest").await, ["0", "2", "4", "5", "1"]);
        assert_eq!(by("sort=unread").await, ["1", "5", "2", "0", "4"]);
        assert_eq!(by("sort=waiting").await, ["0", "2", "4", "5", "1"]);
        assert_eq!(by("sort=window").await, ["0", "1", "2", "4", "5"]);
        assert_eq!(by("state=all").await, ["1", "5", "4", "2", "0"]);
        assert_eq!(by("waiting=them").await, ["1"]);
        assert_eq!(by("unread=true&sort=oldest").await, ["0", "2", "5", "1"]);
        assert_eq!(by("q=customer&sort=waiting").await, ["0", "2", "4", "5", "1"]);
        assert_eq!(names(&shop, &format!("label={cold}")).await, ["2"]);
        assert_eq!(names(&shop, "label=lbl_01h455vb4pex5vsknk084sn02q").await.len(), 0);

        // resolved, opened by a new message, and taken off
        shop.who.post(&format!("{}/close", path(&all[0])), json!({})).await.ok();
        assert_eq!(
            (by("").await, by("state=closed").await),
            (vec!["1".into(), "5".into(), "4".into(), "2".into()], vec!["0".to_owned()])
        );
        assert_eq!(by("state=all&sort=oldest").await, ["0", "2", "4", "5", "1"]);
        shop.house.wait(Duration::from_secs(60));
        let mut again = written("27820004000", "M10", "still there?");
        again["_data"]["pushName"] = json!("Customer 0");
        again["timestamp"] = json!(shop.house.app.clock.now().0 / 1000);
        shop.tell("message.any", again).await;
        shop.house.run_jobs().await;
        let order: Vec<String> = by("").await;
        assert_eq!(order[1..], ["1", "5", "4", "2"]);
        shop.who.patch(&path(&all[1]), json!({ "labels": [] })).await.ok();
        assert_eq!(by("sort=oldest").await[..3], ["2", "4", "5"]);

        // deleted it is nowhere, and may be made anew
        assert_eq!(shop.who.delete(&format!("/api/labels/{hot}")).await.status, 204);
        shop.who.delete(&format!("/api/labels/{hot}")).await.problem(404);
        assert_eq!(shop.who.patch(&path(&all[5]), json!({ "labels": [hot] })).await.fields(), ["/labels/0"]);
        shop.house.run_jobs().await;
        assert_eq!(by("state=all").await.len(), 0);
        let left: Vec<Value> =
            shop.inbox().await.iter().map(|one| one["labels"].clone()).filter(|of| *of != json!([])).collect();
        assert_eq!(left, [json!([cold])]);
        assert_eq!(told(&shop, "label.deleted").await[0]["label"], json!({ "id": hot, "removed": true }));
        label(&shop, "hot", "stone").await;
    })
    .await;
}

#[tokio::test]
async fn two_who_become_one_keep_the_labels_of_both() {
    in_a_shop(async |shop| {
        let (hot, cold) = (label(&shop, "Hot", "amber").await, label(&shop, "Cold", "indigo").await);
        shop.receive(ASHA, "A1", "from the old number").await;
        shop.receive("27820007777", "B1", "from the new number").await;
        for one in shop.inbox().await {
            let old = one["contact"]["phone"] == "+27820001001";
            let labels = if old { json!([hot]) } else { json!([cold]) };
            shop.who.patch(&path(&one), json!({ "labels": labels })).await.ok();
        }
        let (from, to) = (Address::parse(ASHA).unwrap(), Address::parse("27820007777").unwrap());
        let person = Person::at(&to);
        shop.take_in(vec![
            Incoming::Rekeyed(Rekeyed { from, to: to.clone(), person: person.clone(), at: Some(MORNING.0) }),
            Incoming::Message(Box::new(Message {
                provider_id: "SYSTEM".into(),
                reference: "SYSTEM".into(),
                chat: to,
                person,
                from_me: false,
                origin: None,
                at: Some(MORNING.0),
                order: None,
                content: Content::System { event: "number-changed".into(), text: Some("Asha changed".into()) },
                quoted: None,
                context: Default::default(),
                state: None,
                history: false,
            })),
        ])
        .await;
        let inbox = shop.inbox().await;
        assert_eq!(inbox.len(), 1, "{inbox:?}");
        let mut labels: Vec<&str> =
            inbox[0]["labels"].as_array().unwrap().iter().map(|id| id.as_str().unwrap()).collect();
        labels.sort_unstable();
        assert_eq!(labels, [hot.as_str(), cold.as_str()]);
        for id in [&hot, &cold] {
            let listed = shop.who.get(&format!("/api/conversations?label={id}")).await.ok();
            assert_eq!(listed["items"].as_array().unwrap().len(), 1);
            assert_eq!(listed["items"][0]["id"], inbox[0]["id"]);
        }
    })
    .await;
}
