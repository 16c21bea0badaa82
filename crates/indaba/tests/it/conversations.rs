//! The list of conversations, and what people do with one.
use crate::support::{ASHA, OWN, Shop, in_a_shop, written};
use indaba::{clock::Time, http::Role};
use serde_json::{Value, json};
use std::time::Duration;

/// Six customers write, one a minute; the last is the newest.
async fn six(shop: &Shop) -> Vec<Value> {
    for n in 0..6 {
        shop.house.wait(Duration::from_secs(60));
        let mut message = written(&format!("2782000400{n}"), &format!("M{n}"), &format!("text {n}"));
        message["timestamp"] = json!(shop.house.app.clock.now().0 / 1000);
        message["_data"]["pushName"] = json!(format!("Customer {n}"));
        shop.tell("message.any", message).await;
        shop.house.run_jobs().await;
    }
    let mut all = shop.inbox().await;
    all.reverse();
    all
}

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

fn path(place: &Value) -> String {
    format!("/api/conversations/{}", place["id"].as_str().unwrap())
}

#[tokio::test]
async fn the_list_has_filters_sorts_and_pages() {
    in_a_shop(async |shop| {
        let all = six(&shop).await;
        let sipho = shop.house.person("Sipho", Role::Agent).await;
        let id = sipho.get("/api/me").await.ok()["user"]["id"].clone();
        shop.who.patch(&path(&all[1]), json!({ "assigneeId": id })).await.ok();
        shop.who.post(&format!("{}/read", path(&all[2])), json!({})).await.ok();
        shop.house.wait(Duration::from_secs(60));
        shop.who.post(&format!("{}/messages", path(&all[3])), json!({ "kind": "text", "body": "yes" })).await.ok();
        shop.who.post(&format!("{}/close", path(&all[4])), json!({})).await.ok();

        assert_eq!(names(&shop, "").await, ["3", "5", "2", "1", "0"]);
        assert_eq!(names(&shop, "sort=oldest").await, ["0", "1", "2", "5", "3"]);
        assert_eq!(names(&shop, "sort=unread").await, ["3", "5", "1", "0", "2"]);
        assert_eq!(names(&shop, "sort=waiting").await, ["0", "1", "2", "5", "3"], "3 has an answer");
        assert_eq!(names(&shop, "sort=waiting&assignee=none").await, ["0", "2", "5", "3"]);
        assert_eq!(names(&shop, "sort=window").await, ["0", "1", "2", "3", "5"]);
        assert_eq!(names(&shop, "sort=window&state=all&q=customer").await, ["0", "1", "2", "3", "4", "5"]);
        assert_eq!(names(&shop, "state=closed").await, ["4"]);
        assert_eq!(names(&shop, "state=all").await, ["3", "5", "4", "2", "1", "0"]);
        assert_eq!(names(&shop, "unread=true").await, ["3", "5", "1", "0"]);
        assert_eq!(names(&shop, "waiting=them").await, ["3"]);
        assert_eq!(names(&shop, "waiting=us").await, ["5", "2", "1", "0"]);
        assert_eq!(names(&shop, &format!("assignee={}", id.as_str().unwrap())).await, ["1"]);
        assert_eq!(names(&shop, "assignee=none").await, ["3", "5", "2", "0"]);
        assert_eq!(names(&shop, &format!("instanceId={}", shop.id)).await.len(), 5);
        assert_eq!(names(&shop, "instanceId=ins_01h455vb4pex5vsknk084sn02q").await.len(), 0);
        assert_eq!(names(&shop, "q=customer+5").await, ["5"]);
        assert_eq!(names(&shop, "q=customer&sort=oldest").await, ["0", "1", "2", "5", "3"]);
        assert_eq!(names(&shop, "q=0820004002").await, ["2"]);
        assert_eq!(names(&shop, "q=27820004002").await, ["2"]);
        let mine = sipho.get("/api/conversations?assignee=me").await.ok();
        assert_eq!(mine["items"].as_array().unwrap().len(), 1);
        assert_eq!(mine["items"][0]["assignee"]["name"], "Sipho");
        let counts = sipho.get("/api/conversations/counts").await.ok();
        assert_eq!(counts, json!({ "open": 5, "unread": 4, "unassigned": 4, "mine": 1 }));

        for bad in ["state=x", "sort=x", "waiting=x", "assignee=x", "instanceId=x", "unread=x", "limit=0"] {
            shop.who.get(&format!("/api/conversations?{bad}")).await.problem(422);
        }
        shop.who.get("/api/conversations?after=forged").await.problem(400);
        assert_eq!(shop.who.get("/api/conversations?assignee=me").await.fields(), ["assignee"], "a key is nobody");
    })
    .await;
}

#[tokio::test]
async fn who_waits_waits_since_their_first_message_without_an_answer() {
    in_a_shop(async |shop| {
        let start = shop.house.app.clock.now().0;
        let minute = async |n: i64| {
            shop.house.wait(Duration::from_secs(60));
            assert_eq!(shop.house.app.clock.now().0, start + n * 60_000);
        };
        let tell = async |id: &str, ours: bool, at: i64| {
            let mut message = written(ASHA, id, id);
            message["timestamp"] = json!((start + at * 60_000) / 1000);
            if ours {
                message["id"] = json!(format!("true_{ASHA}@c.us_{id}"));
                message["fromMe"] = json!(true);
                message["to"] = message["from"].clone();
                message["from"] = json!(format!("{OWN}@c.us"));
            }
            shop.tell("message.any", message).await;
            shop.house.run_jobs().await;
        };
        // minutes since the start; none: nobody waits
        let since = async || {
            let place = shop.who.get("/api/conversations?state=all").await.ok()["items"][0].clone();
            let at = place["waitingSince"].as_str()?.to_owned();
            let Time(at) = serde_json::from_value(json!(at)).unwrap();
            Some((at - start) / 60_000)
        };
        minute(1).await;
        tell("one", false, 1).await;
        minute(2).await;
        tell("two", false, 2).await;
        assert_eq!(since().await, Some(1), "since the first");
        minute(3).await;
        tell("three", true, 3).await;
        assert_eq!(since().await, None, "an answer from the phone is one");
        minute(4).await;
        tell("five", false, 4).await;
        tell("four", true, 3).await;
        assert_eq!(since().await, Some(4), "what we said before they wrote again is no answer to it");
        let (place, _) = shop.newest().await;
        shop.who.post(&format!("{}/close", path(&place)), json!({})).await.ok();
        assert_eq!(since().await, None, "resolved: the matter is settled");
        minute(5).await;
        tell("six", false, 5).await;
        assert_eq!(since().await, Some(5));
        shop.who.post(&format!("{}/messages", path(&place)), json!({ "kind": "text", "body": "yes" })).await.ok();
        assert_eq!(since().await, None);
        shop.house.run_jobs().await;
        minute(6).await;
        tell("seven", false, 6).await;
        let no = json!({ "kind": "answer", "status": 400, "body": { "message": "no", "error": "Bad Request", "statusCode": 400 } });
        shop.fault("/api/sendText", no, 1).await;
        minute(7).await;
        let messages = format!("{}/messages", path(&place));
        let refused = shop.who.post(&messages, json!({ "kind": "text", "body": "no" })).await.ok();
        assert_eq!(since().await, None);
        shop.house.run_jobs().await;
        assert_eq!(since().await, Some(6), "an answer that failed is none");
        let refused = format!("/api/messages/{}", refused["id"].as_str().unwrap());
        shop.who.post(&format!("{refused}/resend"), json!({})).await.ok();
        assert_eq!(since().await, None, "it is on its way again");
        let second = shop.who.post(&messages, json!({ "kind": "text", "body": "and" })).await.ok();
        let second = format!("/api/messages/{}", second["id"].as_str().unwrap());
        shop.who.post(&format!("{second}/cancel"), json!({})).await.ok();
        assert_eq!(since().await, None, "the other one still answers");
        shop.who.post(&format!("{refused}/cancel"), json!({})).await.ok();
        assert_eq!(since().await, Some(6), "and now none does");
        // a day later no window is open any more: the order is that of the newest
        shop.house.wait(Duration::from_secs(25 * 60 * 60));
        let sorted = shop.who.get("/api/conversations?sort=window").await.ok();
        assert_eq!(sorted["items"][0]["id"], place["id"]);
    })
    .await;
}

#[tokio::test]
async fn one_request_brings_a_whole_conversation() {
    in_a_shop(async |shop| {
        for n in 0..60 {
            shop.tell("message.any", written(ASHA, &format!("M{n:02}"), &format!("text {n:02}"))).await;
        }
        shop.house.run_jobs().await;
        let (place, _) = shop.newest().await;
        let whole = shop.who.get(&format!("{}?include=messages,contact", path(&place))).await.ok();
        let items = whole["messages"]["items"].as_array().unwrap();
        assert_eq!((items.len(), &items[0]["body"]), (50, &json!("text 59")));
        assert_eq!(whole["contactDetail"]["identities"][0]["value"], "+27820001001");
        let next = whole["messages"]["next"].as_str().unwrap();
        let rest = shop.who.get(&format!("{}/messages?after={next}", path(&place))).await.ok();
        assert_eq!((rest["items"].as_array().unwrap().len(), &rest["next"]), (10, &json!(null)));
        assert!(shop.who.get(&path(&place)).await.ok().get("messages").is_none());
        shop.house.stranger().await.get(&format!("{}/messages", path(&place))).await.problem(404);
    })
    .await;
}

#[tokio::test]
async fn a_conversation_is_begun_assigned_closed_and_opened() {
    in_a_shop(async |shop| {
        let begun = shop.who.post("/api/conversations", json!({ "phone": "+27820004009" })).await;
        assert_eq!(begun.status, 201, "{begun:?}");
        let begun = begun.json();
        assert_eq!((&begun["lastMessage"], &begun["windowEndsAt"]), (&json!(null), &json!(null)));
        let again = shop
            .who
            .post("/api/conversations", json!({ "contactId": begun["contact"]["id"], "instanceId": shop.id }))
            .await
            .ok();
        assert_eq!(again["id"], begun["id"]);
        assert_eq!(shop.who.post("/api/conversations", json!({})).await.fields(), ["/phone"]);

        let nobody = json!({ "assigneeId": "usr_01h455vb4pex5vsknk084sn02q" });
        assert_eq!(shop.who.patch(&path(&begun), nobody).await.fields(), ["/assigneeId"]);
        let stranger = shop.house.stranger().await.get("/api/me").await.ok()["user"]["id"].clone();
        assert_eq!(shop.who.patch(&path(&begun), json!({ "assigneeId": stranger })).await.fields(), ["/assigneeId"]);
        let me = shop.house.admin.get("/api/me").await.ok()["user"]["id"].clone();
        let both = shop.who.patch(&path(&begun), json!({ "assigneeId": me, "state": "closed" })).await.ok();
        assert_eq!((&both["assignee"]["name"], &both["state"]), (&json!("Naledi"), &json!("closed")));
        let counts = async || shop.house.admin.get("/api/conversations/counts").await.ok();
        assert_eq!(counts().await, json!({ "open": 0, "unread": 0, "unassigned": 0, "mine": 0 }));
        shop.who.patch(&path(&begun), json!({ "state": "open" })).await.ok();
        assert_eq!(counts().await, json!({ "open": 1, "unread": 0, "unassigned": 0, "mine": 1 }));
        let free = shop.who.patch(&path(&begun), json!({ "assigneeId": null })).await.ok();
        assert_eq!(free["assignee"], json!(null));
        assert_eq!(shop.who.patch(&path(&begun), json!({ "state": "snoozed" })).await.fields(), ["/state"]);
        let log = shop.house.admin.get("/api/audit?action=conversation.close").await.ok();
        assert_eq!(log["items"].as_array().unwrap().len(), 1);
    })
    .await;
}
