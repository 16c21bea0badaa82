//! GOWS and WEBJS answer in shapes of their own (from docs).

use indaba_simulator::{Config, Engine};
use serde_json::{Value, json};

use crate::house::{House, SHOP, THANDI};

async fn house(engine: Engine) -> House {
    let house = House::with(Config { engine, ..Config::fast() }).await;
    house.linked().await;
    house
}

fn text() -> Value {
    json!({"session": "default", "chatId": format!("{THANDI}@c.us"), "text": "Hello"})
}

#[tokio::test]
async fn gows_answers_an_id_and_names_the_chat() {
    let house = house(Engine::Gows).await;
    let sent = house.good("POST", "/api/sendText", text()).await;
    assert!(sent["id"].as_str().unwrap().starts_with(&format!("true_{THANDI}@c.us_3EB0")));
    assert_eq!(sent["_data"]["Info"]["IsFromMe"], true);
    let customer = json!({"phone": "27820001002", "lid": "111222333444", "shown": "lid", "name": "Pieter"});
    house.good("POST", "/control/customers", customer).await;
    house.writes("27820001002", "Hidden").await;
    let told = house.hooks.nth("message", 1).await;
    assert_eq!(told["engine"], "GOWS");
    assert_eq!(told["payload"]["from"], "111222333444@lid");
    assert_eq!(told["payload"]["_data"]["Info"]["SenderAlt"], "27820001002@s.whatsapp.net");
    assert_eq!(told["payload"]["_data"]["Info"]["PushName"], "Pieter");
    let chats = house.good("GET", "/api/default/chats?sortBy=id&sortOrder=asc", Value::Null).await;
    assert_eq!(chats[0]["id"], "111222333444@lid");
    let bare = house.good("POST", "/api/sendText", json!({"session": "default", "chatId": THANDI, "text": "x"})).await;
    assert!(bare["id"].is_string(), "digits alone are an address");
}

#[tokio::test]
async fn webjs_says_who_sent_it_to_whom() {
    let house = house(Engine::Webjs).await;
    let sent = house.good("POST", "/api/sendText", text()).await;
    let id = sent["id"]["_serialized"].as_str().unwrap().to_owned();
    assert_eq!(sent["id"]["remote"], format!("{THANDI}@c.us"));
    let own = house.hooks.nth("message.any", 1).await;
    assert_eq!(
        (&own["payload"]["from"], &own["payload"]["to"]),
        (&json!(format!("{SHOP}@c.us")), &json!(format!("{THANDI}@c.us")))
    );
    let ack = house.hooks.nth("message.ack", 1).await;
    assert_eq!((&ack["payload"]["id"], &ack["payload"]["body"]), (&json!(id), &json!("Hello")), "a whole message");
    house.writes(THANDI, "Hi").await;
    let (one, other) = (house.hooks.nth("message", 1).await, house.hooks.nth("message.any", 2).await);
    assert_ne!(one["id"], other["id"]);
    assert_eq!(house.call("GET", "/api/default/chats/all/messages", Value::Null).await.0, 501);
    let contact = house.good("GET", &format!("/api/contacts?session=default&contactId={THANDI}"), Value::Null).await;
    assert_eq!(contact["number"], THANDI);
}
