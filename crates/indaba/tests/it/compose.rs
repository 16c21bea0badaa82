//! Polls, places and contact cards out of the composer: checked, sent through each kind of gateway, and answered.
use crate::support::{
    ASHA, Caller, OWN, Shop, in_a_shop, in_an_open_shop,
    office::{Office, in_an_office, new_phone},
};
use indaba::{args, http::Role};
use serde_json::{Value, json};

fn path(place: &Value) -> String {
    format!("/api/conversations/{}/messages", place["id"].as_str().unwrap())
}

async fn with_asha(shop: &Shop) -> Value {
    shop.receive(ASHA, "A1", "When can I come?").await;
    shop.newest().await.0
}

async fn say(who: &Caller, place: &Value, message: Value) -> Value {
    let reply = who.post(&path(place), message).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    reply.json()
}

fn when() -> Value {
    json!({ "kind": "poll", "poll": { "question": " When can you come? ", "options": ["Morning", " Noon ", "Evening"] } })
}

fn card() -> Value {
    json!({ "kind": "contacts", "contacts": [{ "name": "Zoë Adams", "phone": "+27 82 000 0044", "organization": "Kusasa" }] })
}

fn place() -> Value {
    let at = json!({ "latitude": -26.2041, "longitude": 28.0473, "name": "The flat", "address": "1 Main Rd" });
    json!({ "kind": "location", "location": at })
}

/// What is on the customer's phone.
async fn phone(shop: &Shop) -> Vec<Value> {
    let url = format!("{}/control/numbers/{OWN}/chats/{ASHA}/messages?limit=100", shop.waha.url());
    let all: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    all["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_poll_is_asked_and_its_votes_come_back() {
    in_an_open_shop(async |shop| {
        let words = json!({ "from": ASHA, "name": "Asha", "body": "When can I come?" });
        shop.control(&format!("numbers/{OWN}/messages"), words).await;
        let talk = shop.until(async || shop.inbox().await.pop()).await;
        let mut asked = when();
        asked["poll"]["multiple"] = json!(true);
        let asked = say(&shop.who, &talk, asked).await;
        assert_eq!((&asked["kind"], &asked["body"]), (&json!("poll"), &json!("When can you come?")));
        assert_eq!(asked["content"]["options"], json!(["Morning", "Noon", "Evening"]));
        assert_eq!((&asked["content"]["multiple"], &asked["content"]["votes"]), (&json!(true), &json!([])));

        let shown = shop.until(async || phone(&shop).await.into_iter().find(|one| one["kind"] == "poll")).await;
        assert_eq!((&shown["poll"]["name"], &shown["poll"]["multiple"]), (&json!("When can you come?"), &json!(true)));
        let id = shown["id"].as_str().unwrap();
        let poll = async || shop.thread(&talk).await.into_iter().find(|one| one["id"] == asked["id"]).unwrap();
        let votes = async |from: &str, options: &[&str]| {
            let choice = json!({ "from": from, "options": options });
            shop.control(&format!("numbers/{OWN}/messages/{id}/vote"), choice).await;
        };
        let until = async |direction: &str, options: &[&str]| {
            shop.until(async || {
                let all = poll().await["content"]["votes"].clone();
                let of = all.as_array().unwrap().iter().find(|vote| vote["direction"] == direction)?.clone();
                (of["options"] == json!(options)).then_some(of)
            })
            .await
        };
        votes(ASHA, &["Morning", "Evening"]).await;
        let vote = until("inbound", &["Morning", "Evening"]).await;
        assert!(vote["at"].as_str().unwrap().ends_with('Z'), "{vote}");
        votes("me", &["Noon"]).await; // on the owner's own phone
        until("outbound", &["Noon"]).await;
        votes(ASHA, &[]).await;
        until("inbound", &[]).await;
        let told = shop.house.app.db.read(shop.house.tenant, |tx| {
            tx.all::<(String,)>(
                "select patch from events where tenant_id = $1 and kind = 'message.voted' order by seq",
                args![],
            )
        });
        let told = told.await.unwrap();
        assert_eq!(told.len(), 3, "{told:?}");
        assert!(told[0].0.contains("Evening") && !told[0].0.contains("\"at\":1"), "{}", told[0].0);
        assert_eq!(poll().await["editedAt"], Value::Null);
        assert_eq!(shop.inbox().await[0]["lastMessage"]["preview"], "When can you come?");
    })
    .await;
}

#[tokio::test]
async fn a_place_and_a_card_arrive_on_the_phone() {
    in_a_shop(async |shop| {
        let talk = with_asha(&shop).await;
        let sent = say(&shop.who, &talk, place()).await;
        assert_eq!((&sent["body"], &sent["content"]["latitude"]), (&json!("The flat"), &json!(-26.2041)));
        say(&shop.who, &talk, json!({ "kind": "location", "location": { "latitude": 0, "longitude": -180 } })).await;
        shop.who.patch("/api/tenant", json!({ "country": "ZA" })).await.ok();
        let mut national = card();
        national["contacts"][0]["phone"] = json!("082 000 0044");
        let sent = say(&shop.who, &talk, national).await;
        assert_eq!(sent["content"]["contacts"][0]["phones"][0]["value"], "+27820000044", "in the workspace's country");
        let own = json!({ "kind": "contacts", "contacts": [{ "contactId": talk["contact"]["id"] }, { "name": "A", "phone": "+254712345678" }] });
        assert_eq!(say(&shop.who, &talk, own).await["body"], "Asha");
        shop.house.run_jobs().await;
        let there = phone(&shop).await;
        let [flat, sea, zoe, asha] = &there[..] else { panic!("{there:?}") };
        assert_eq!(flat["location"], json!({ "latitude": -26.2041, "longitude": 28.0473, "name": "The flat, 1 Main Rd" }));
        assert_eq!(sea["location"]["longitude"], -180.0);
        let vcard = zoe["contacts"][0].as_str().unwrap();
        assert!(vcard.contains("FN:Zoë Adams") && vcard.contains("waid=27820000044") && vcard.contains("ORG:Kusasa"));
        assert_eq!(asha["contacts"].as_array().unwrap().len(), 2);
        let (listed, thread) = shop.newest().await;
        assert!(thread[1..].iter().all(|one| one["state"] == "sent"), "{thread:?}");
        assert_eq!(listed["lastMessage"]["preview"], "Asha");
        let found = shop.who.get("/api/search?q=flat").await.ok();
        assert_eq!(found["items"][0]["message"]["kind"], "location");
    })
    .await;
}

#[tokio::test]
async fn what_whatsapp_would_refuse_is_said_at_its_place() {
    in_a_shop(async |shop| {
        let talk = with_asha(&shop).await;
        let wrong = async |message: Value| shop.who.post(&path(&talk), message).await.fields();
        let poll = |question: String, options: Vec<String>| json!({ "kind": "poll", "poll": { "question": question, "options": options } });
        let texts = |all: &[&str]| all.iter().map(|text| text.to_string()).collect::<Vec<_>>();
        let many = |count: usize| (0..count).map(|n| format!("Answer {n}")).collect::<Vec<_>>();
        let asked = |options: Vec<String>| poll("When?".into(), options);
        for (message, pointers) in [
            (poll(" ".into(), many(2)), vec!["/poll/question"]),
            (poll("?".repeat(256), many(2)), vec!["/poll/question"]),
            (asked(many(0)), vec!["/poll/options"]),
            (asked(many(1)), vec!["/poll/options"]),
            (asked(many(13)), vec!["/poll/options"]),
            (asked(texts(&["Yes", "", " "])), vec!["/poll/options/1", "/poll/options/2"]),
            (asked(texts(&["Yes", "No", " Yes "])), vec!["/poll/options/2"]),
            (asked(vec!["Yes".into(), "x".repeat(101)]), vec!["/poll/options/1"]),
            (json!({ "kind": "poll" }), vec!["/poll"]),
            (json!({ "kind": "poll", "poll": { "question": "When?", "options": ["a", 5] } }), vec!["/poll/options/1"]),
            (json!({ "kind": "poll", "poll": { "question": "When?" } }), vec!["/poll/options"]),
            (json!({ "kind": "poll", "poll": { "question": "When?", "options": ["a", "b"], "colour": 1 } }), vec!["/poll/colour"]),
            (json!({ "kind": "text", "body": "x", "poll": { "question": "When?", "options": ["a", "b"] } }), vec!["/poll"]),
            (json!({ "kind": "location", "body": "x", "location": { "latitude": 91, "longitude": -180.1 } }), vec!["/body", "/location/latitude", "/location/longitude"]),
            (json!({ "kind": "location", "location": { "latitude": "NaN", "longitude": 1 } }), vec!["/location/latitude"]),
            (json!({ "kind": "location", "location": { "latitude": null, "longitude": 1 } }), vec!["/location/latitude"]),
            (json!({ "kind": "location", "location": { "latitude": 1, "longitude": 1, "name": "x".repeat(201), "address": "x".repeat(401) } }), vec!["/location/name", "/location/address"]),
            (json!({ "kind": "location" }), vec!["/location"]),
            (json!({ "kind": "contacts", "contacts": [] }), vec!["/contacts"]),
            (json!({ "kind": "contacts", "contacts": vec![json!({ "name": "A", "phone": "+27820000044" }); 11] }), vec!["/contacts"]),
            (json!({ "kind": "contacts", "contacts": [{ "name": "A", "phone": "12" }] }), vec!["/contacts/0/phone"]),
            (json!({ "kind": "contacts", "contacts": [{ "name": "A", "phone": "my number" }] }), vec!["/contacts/0/phone"]),
            (json!({ "kind": "contacts", "contacts": [{ "phone": "+27820000044" }] }), vec!["/contacts/0/name"]),
            (json!({ "kind": "contacts", "contacts": [{ "name": "A" }] }), vec!["/contacts/0/phone"]),
            (json!({ "kind": "contacts", "contacts": [{ "contactId": talk["contact"]["id"], "name": "A" }] }), vec!["/contacts/0"]),
            (json!({ "kind": "contacts", "contacts": [{ "contactId": "con_01h455vb4pex5vsknk084sn02q" }] }), vec!["/contacts/0/contactId"]),
        ] {
            assert_eq!(wrong(message.clone()).await, pointers, "{message}");
        }
        // no number of JSON, and too large to be one of ours
        for body in [r#"{"kind":"location","location":{"latitude":NaN,"longitude":1}}"#, r#"{"kind":"location","location":{"latitude":1e999,"longitude":1}}"#] {
            let who = shop.who.with("content-type", "application/json");
            assert_eq!(who.send(axum::http::Method::POST, &path(&talk), body.into()).await.status, 400, "{body}");
        }
        let viewer = shop.house.key(Role::Viewer).await;
        viewer.post(&path(&talk), when()).await.problem(403);
        // a contact of somebody else's is nobody
        let stranger = shop.house.stranger().await;
        let theirs = stranger.post("/api/contacts", json!({ "name": "Their", "phone": "+27820000077" })).await.ok();
        let card = json!({ "kind": "contacts", "contacts": [{ "contactId": theirs["id"] }] });
        assert_eq!(wrong(card).await, ["/contacts/0/contactId"]);
        assert_eq!(shop.thread(&talk).await.len(), 1, "nothing of it was kept");
        assert_eq!(shop.who.get("/api/instances").await.ok()["items"][0]["capabilities"]["longPolls"], true);
        say(&shop.who, &talk, asked(many(12))).await;
    })
    .await;
}

#[tokio::test]
async fn a_program_sends_a_poll_to_a_number_nobody_knows_and_once() {
    in_a_shop(async |shop| {
        let mut message = when();
        message["to"] = json!({ "phone": "+27820009999" });
        let who = shop.who.with("idempotency-key", "a poll, once");
        let first = who.post("/api/messages/send", message.clone()).await;
        assert_eq!(first.status, 201, "{first:?}");
        assert_eq!(who.post("/api/messages/send", message.clone()).await.json()["id"], first.json()["id"]);
        message["poll"]["options"] = json!(["Another"]);
        who.post("/api/messages/send", message.clone()).await.problem(422);
        assert_eq!(shop.who.post("/api/messages/send", message).await.fields(), ["/poll/options"]);
        shop.house.run_jobs().await;
        let effects = shop.effects().await;
        assert_eq!(effects.len(), 1, "{effects:?}");
        assert_eq!(shop.asked("/api/sendPoll").await, 1);
    })
    .await;
}

/// A poll with so many answers.
fn long(count: usize) -> Value {
    let options: Vec<String> = (1..=count).map(|n| format!("Slot {n}")).collect();
    json!({ "kind": "poll", "poll": { "question": "Which one?", "options": options } })
}

/// Eleven answers are refused before anything is queued, ten are taken.
async fn takes_ten(office: &Office, talk: &Value) -> Value {
    assert_eq!(office.who.get("/api/instances").await.ok()["items"][0]["capabilities"]["longPolls"], false);
    let before = office.thread(talk).await.len();
    let refused = office.who.post(&path(talk), long(11)).await;
    assert_eq!(refused.fields(), ["/poll/options"]);
    assert!(refused.json()["errors"][0]["detail"].as_str().unwrap().contains("at most 10"), "{refused:?}");
    assert_eq!(office.thread(talk).await.len(), before);
    say(&office.who, talk, long(10)).await
}

/// The customer presses one of the answers of the last message on the phone.
async fn press(office: &Office, number: &str, customer: &str, title: &str) {
    let asked = office
        .until("the answers are there", async || {
            office
                .chat(number, customer)
                .await
                .pop()
                .filter(|one| one["choices"].as_array().is_some_and(|all| !all.is_empty()))
        })
        .await;
    let id = asked["id"].as_str().unwrap();
    office.control(&format!("numbers/{number}/messages/{id}/choose"), json!({ "option": title })).await;
}

#[tokio::test]
async fn where_there_are_no_polls_buttons_or_a_list_stand_in() {
    in_an_office(async |office| {
        let number = office.at_meta(json!({})).await;
        office.connect(&number, "Sales").await;
        let (phone, asha) = (number.get("phone"), new_phone());
        office.writes(&phone, &asha, "Asha", "When can I come?").await;
        let talk = office.talk(&asha).await;
        let votes = async |asked: &Value, options: Value| {
            office
                .until("the vote is counted", async || {
                    let all = office.thread(&talk).await;
                    let poll = all.iter().find(|one| one["id"] == asked["id"])?;
                    (poll["content"]["votes"][0]["options"] == options).then_some(())
                })
                .await
        };
        let asked = say(&office.who, &talk, when()).await;
        press(&office, &phone, &asha, "Noon").await;
        votes(&asked, json!(["Noon"])).await;
        let all = office.thread(&talk).await;
        assert!(all.iter().any(|one| one["kind"] == "buttonReply" && one["body"] == "Noon"), "{all:?}");

        let days = ["Monday", "Tuesday", "Wednesday", "Thursday", "The last Friday of the month, early"];
        let list = say(&office.who, &talk, json!({ "kind": "poll", "poll": { "question": "Which day?", "options": days } })).await;
        press(&office, &phone, &asha, "The last Friday of the…").await;
        votes(&list, json!([days[4]])).await;

        // two that are cut to the same stand there with their numbers
        let early = ["At the office, before lunch", "At the office, before supper"];
        let alike = json!({ "kind": "poll", "poll": { "question": "Where?", "options": early } });
        let alike = say(&office.who, &talk, alike).await;
        press(&office, &phone, &asha, "2. At the office, b…").await;
        votes(&alike, json!([early[1]])).await;
        takes_ten(&office, &talk).await;

        let mut several = when();
        several["poll"]["multiple"] = json!(true);
        let refused = office.who.post(&path(&talk), several).await;
        assert_eq!(refused.problem(409), "not-supported");
        assert!(refused.json()["detail"].as_str().unwrap().contains("one answer"), "{refused:?}");
        for message in [place(), card()] {
            let sent = say(&office.who, &talk, message).await;
            office.until("it has arrived", async || {
                let all = office.thread(&talk).await;
                all.iter().any(|one| one["id"] == sent["id"] && one["state"] == "delivered").then_some(())
            })
            .await;
        }

        // whoever presses says the id: a poll of another conversation is none of theirs
        let (bob, other) = (new_phone(), list["id"].as_str().unwrap());
        office.writes(&phone, &bob, "Bob", "Hello").await;
        office.talk(&bob).await;
        let reply = json!({ "type": "button_reply", "button_reply": { "id": format!("poll:{other}:0"), "title": "Monday" } });
        let message = json!({ "from": bob, "id": "wamid.B2", "timestamp": "1795157900", "type": "interactive", "interactive": reply });
        let value = json!({
            "messaging_product": "whatsapp", "metadata": { "phone_number_id": number.0["phoneNumberId"], "display_phone_number": phone },
            "contacts": [{ "profile": { "name": "Bob" }, "wa_id": bob }], "messages": [message],
        });
        let entry = json!({ "id": number.0["wabaId"], "time": 1_795_157_900, "changes": [{ "field": "messages", "value": value }] });
        let body = json!({ "object": "whatsapp_business_account", "entry": [entry] }).to_string();
        let made = office.who.get("/api/instances").await.ok()["items"][0].clone();
        let hook = crate::support::office::path_of(&made);
        let signature = crate::support::office::signed(&number.get("appSecret"), &body);
        assert_eq!(office.post(&hook, &body, Some(&signature)).await.status, 200);
        let bobs = office.talk(&bob).await;
        office.until("his answer is here", async || {
            office.thread(&bobs).await.iter().any(|one| one["kind"] == "buttonReply").then_some(())
        })
        .await;
        votes(&list, json!([days[4]])).await;
    })
    .await;
}

#[tokio::test]
async fn an_evolution_sends_them_too() {
    in_an_office(async |office| {
        let (own, asha) = (new_phone(), new_phone());
        office.evolution("Sales", &own).await;
        office.writes(&own, &asha, "Asha", "When can I come?").await;
        let talk = office.talk(&asha).await;
        let asked = say(&office.who, &talk, when()).await;
        say(&office.who, &talk, place()).await;
        say(&office.who, &talk, card()).await;
        let there = office
            .until("all are on the phone", async || Some(office.chat(&own, &asha).await).filter(|all| all.len() == 4))
            .await;
        assert_eq!((&there[2]["kind"], &there[3]["kind"]), (&json!("location"), &json!("contacts")), "{there:?}");
        let id = there[1]["id"].as_str().unwrap();
        office
            .control(&format!("numbers/{own}/messages/{id}/vote"), json!({ "from": asha, "options": ["Evening"] }))
            .await;
        office
            .until("the vote is counted", async || {
                let all = office.thread(&talk).await;
                let poll = all.iter().find(|one| one["id"] == asked["id"])?;
                (poll["content"]["votes"][0]["options"] == json!(["Evening"])).then_some(())
            })
            .await;
        let ten = takes_ten(&office, &talk).await;
        office
            .until("it is on the phone", async || {
                let all = office.chat(&own, &asha).await;
                all.iter().any(|one| one["poll"]["name"] == ten["body"]).then_some(())
            })
            .await;
    })
    .await;
}

#[tokio::test]
async fn what_a_gateway_turns_out_not_to_do_is_not_offered_again() {
    in_a_shop(async |shop| {
        let place = with_asha(&shop).await;
        assert_eq!(shop.number().await["capabilities"]["poll"], true);
        let not_there =
            json!({ "statusCode": 501, "message": "not implemented by the engine", "error": "Not Implemented" });
        shop.fault("/api/sendPoll", json!({ "kind": "answer", "status": 501, "body": not_there }), 1).await;
        let asked = say(&shop.who, &place, when()).await;
        shop.house.run_jobs().await;
        let (_, thread) = shop.newest().await;
        let failed = thread.iter().find(|one| one["id"] == asked["id"]).unwrap();
        assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("not-supported")));
        assert_eq!(shop.number().await["capabilities"]["poll"], false);
        shop.who.post(&path(&place), when()).await.problem(409);
        say(&shop.who, &place, json!({ "kind": "text", "body": "Then I ask in words." })).await;
        shop.house.run_jobs().await;
        assert_eq!(shop.sent().await, ["Then I ask in words."], "the rest goes on");
    })
    .await;
}
