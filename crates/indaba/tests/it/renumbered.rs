//! People change their number, and WhatsApp says so in the conversation.
use crate::support::{ASHA, MORNING, Shop, in_a_shop};
use indaba_providers::{Address, Content, Incoming, Message, Person, Rekeyed};
use serde_json::{Value, json};

/// The number Asha has from now on.
const NEW: &str = "27820007777";

fn phone(digits: &str) -> Address {
    Address::parse(digits).unwrap()
}

fn message(from: &str, id: &str, content: Content) -> Incoming {
    Incoming::Message(Box::new(Message {
        provider_id: id.into(),
        reference: id.into(),
        chat: phone(from),
        person: Person::at(&phone(from)),
        from_me: false,
        origin: None,
        at: Some(MORNING.0),
        order: None,
        content,
        quoted: None,
        context: Default::default(),
        state: None,
        history: false,
    }))
}

fn text(from: &str, id: &str, text: &str) -> Incoming {
    message(from, id, Content::Text { text: text.into() })
}

/// What Meta sends: the fact, and a message of its own in the conversation.
fn changes_number(from: &str, to: &str) -> Vec<Incoming> {
    let word = Content::System { event: "number-changed".into(), text: Some("Asha changed their number.".into()) };
    vec![
        Incoming::Rekeyed(Rekeyed {
            from: phone(from),
            to: phone(to),
            person: Person::at(&phone(to)),
            at: Some(MORNING.0),
        }),
        message(to, "SYSTEM", word),
    ]
}

async fn bodies(shop: &Shop, place: &Value) -> Vec<String> {
    shop.thread(place).await.iter().map(|one| one["body"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn who_changes_their_number_keeps_their_conversation() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "from the old number").await;
        let (before, _) = shop.newest().await;
        shop.take_in(changes_number(ASHA, NEW)).await;
        let (after, thread) = shop.newest().await;
        assert_eq!((&after["id"], &after["contact"]["id"]), (&before["id"], &before["contact"]["id"]));
        assert_eq!((&after["contact"]["phone"], &after["contact"]["name"]), (&json!("+27820007777"), &json!("Asha")));
        assert_eq!(thread[1]["kind"], "system");
        let path = format!("/api/conversations/{}/messages", after["id"].as_str().unwrap());
        shop.who.post(&path, json!({ "kind": "text", "body": "Noted" })).await.ok();
        shop.receive(NEW, "A2", "from the new number").await;
        assert_eq!(
            bodies(&shop, &after).await,
            ["from the old number", "Asha changed their number.", "Noted", "from the new number"]
        );
        assert_eq!(shop.effects().await[0]["chat"], format!("{NEW}@c.us"), "replies go to the new number");
        let found = async |number: &str| {
            let found = shop.who.get(&format!("/api/contacts?search={number}")).await.ok()["items"].clone();
            found.as_array().unwrap().len()
        };
        assert_eq!((found("0820007777").await, found("0820001001").await), (1, 0));

        // told once more it changes nothing, and whoever has the old number now is somebody else
        shop.take_in(changes_number(ASHA, NEW)).await;
        shop.receive(ASHA, "B1", "Who is this?").await;
        let inbox = shop.inbox().await;
        assert_eq!(inbox.len(), 2);
        assert_ne!(inbox[0]["contact"]["id"], after["contact"]["id"]);
    })
    .await;
}

#[tokio::test]
async fn two_contacts_that_turn_out_to_be_one_become_one() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "old").await;
        let (first, _) = shop.newest().await;
        shop.receive(NEW, "A2", "new").await;
        assert_eq!(shop.inbox().await.len(), 2);
        shop.take_in(changes_number(ASHA, NEW)).await;
        let inbox = shop.inbox().await;
        assert_eq!(inbox.len(), 1, "{inbox:?}");
        assert_eq!(inbox[0]["contact"]["id"], first["contact"]["id"], "the older one stays");
        assert_eq!(inbox[0]["contact"]["phone"], "+27820007777");
        assert_eq!(bodies(&shop, &inbox[0]).await, ["old", "new", "Asha changed their number."]);
        assert_eq!(inbox[0]["unreadCount"], 2);
        let contacts = shop.who.get("/api/contacts").await.ok()["items"].as_array().unwrap().clone();
        assert_eq!(contacts.len(), 1);
        assert_eq!(
            contacts[0]["identities"],
            json!([{ "kind": "phone", "value": "+27820007777", "instanceId": null }])
        );
    })
    .await;
}

#[tokio::test]
async fn what_was_written_under_the_old_number_may_come_in_the_same_breath() {
    in_a_shop(async |shop| {
        shop.receive(ASHA, "A1", "Hello").await;
        let mut facts = changes_number(ASHA, NEW);
        facts.push(text(ASHA, "A2", "I get a new number today"));
        facts.push(text(NEW, "A3", "Here it is"));
        shop.take_in(facts).await;
        let inbox = shop.inbox().await;
        assert_eq!(inbox.len(), 1, "{inbox:?}");
        assert_eq!(shop.thread(&inbox[0]).await.len(), 4);
        // of somebody nobody here knows nothing is kept
        let fact = changes_number("27820008888", "27820009999").remove(0);
        shop.take_in(vec![fact]).await;
        assert_eq!(shop.who.get("/api/contacts").await.ok()["items"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_stranger_who_writes_and_changes_their_number_in_one_breath_is_one_person() {
    in_a_shop(async |shop| {
        let mut facts = vec![text(ASHA, "A1", "Hello, I am new here")];
        facts.extend(changes_number(ASHA, NEW));
        shop.take_in(facts).await;
        shop.take_in(vec![text(NEW, "A2", "It is me")]).await;
        let inbox = shop.inbox().await;
        assert_eq!(inbox.len(), 1, "{inbox:?}");
        let told = bodies(&shop, &inbox[0]).await;
        assert!(told.contains(&"Hello, I am new here".into()) && told.contains(&"It is me".into()), "{told:?}");
        let people = shop.who.get("/api/contacts").await.ok();
        assert_eq!(people["items"].as_array().unwrap().len(), 1, "{people}");
        assert_eq!(people["items"][0]["phone"], format!("+{NEW}"));
    })
    .await;
}

#[tokio::test]
async fn whatsapps_own_word_is_no_message_of_the_person() {
    in_a_shop(async |shop| {
        let word = |id: &str| {
            message(ASHA, id, Content::System { event: "identity-changed".into(), text: Some("A new phone.".into()) })
        };
        shop.take_in(vec![word("S1")]).await;
        let (place, thread) = shop.newest().await;
        assert_eq!((thread.len(), &thread[0]["body"]), (1, &json!("A new phone.")));
        assert_eq!((&place["unreadCount"], &place["windowEndsAt"]), (&json!(0), &json!(null)));
        assert_eq!(shop.who.get("/api/contacts").await.ok()["items"][0]["status"], "new", "they have not written");

        shop.receive(ASHA, "A1", "Hello").await;
        let (open, _) = shop.newest().await;
        assert_eq!((&open["unreadCount"], &open["windowEndsAt"]), (&json!(1), &json!("2026-11-21T07:00:00.000Z")));
        let path = format!("/api/conversations/{}", place["id"].as_str().unwrap());
        shop.who.post(&format!("{path}/close"), json!({})).await.ok();
        shop.take_in(vec![word("S2")]).await;
        assert!(shop.inbox().await.is_empty(), "it opens nothing again");
        let closed = shop.who.get(&path).await.ok();
        assert_eq!((&closed["unreadCount"], &closed["lastMessage"]["kind"]), (&json!(1), &json!("system")));
    })
    .await;
}
