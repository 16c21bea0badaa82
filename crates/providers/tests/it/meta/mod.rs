//! The whole of `cloud` against the simulator of Meta, over HTTP: every call, every hook, verified and read.

mod account;
mod faults;
mod talk;

use indaba_providers::{
    Address, Body, Cloud, Extras, Incoming, Outgoing, Provider, Secrets, SendError, Sent, Status, StatusState,
};
use indaba_simulator::{Config, Running};
use serde_json::{Value, json};

use crate::house::{House, PHONE, WORD, asha};

/// A number that is not subscribed yet.
async fn house() -> House {
    house_with(json!({})).await
}

/// The same; `more` goes into the control API's call that makes it.
async fn house_with(more: Value) -> House {
    let mut house = House::new(&Cloud, Config::fast(), |simulator: &Running| simulator.url().to_owned(), "").await;
    house.keeps = true;
    let mut new = json!({"phone": PHONE, "name": "Demo Shop"});
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = house.control("cloud/numbers", new).await;
    let word = |key: &str| made[key].as_str().unwrap().to_owned();
    house.link.url = format!("{}{}", house.simulator.url(), word("path")).parse().unwrap();
    house.link.key = word("accessToken").into();
    house.link.external_name = word("phoneNumberId");
    house.link.secrets = Secrets { keys: vec![word("appSecret").into()], verify_token: Some(WORD.to_owned().into()) };
    house.link.extras = Extras { waba_id: Some(word("wabaId")), app_id: Some(word("appId")), ..Extras::default() };
    house
}

/// A number whose hooks come to us.
async fn linked() -> House {
    let house = house().await;
    Cloud.create(&house.link, &house.setup()).await.unwrap();
    house
}

impl House {
    /// The path of something about our number in the control API.
    fn number(&self, rest: &str) -> String {
        format!("cloud/numbers/{}{rest}", self.link.external_name)
    }

    fn waba(&self) -> &str {
        self.link.extras.waba_id.as_deref().unwrap()
    }

    async fn status(&mut self, id: &str, state: StatusState) -> Status {
        self.told(&format!("{state:?} of {id}"), |incoming| match incoming {
            Incoming::Status(status) if status.provider_id == id && status.state == state => Some(status),
            _ => None,
        })
        .await
    }

    async fn sends_to(&self, to: Address, body: Body) -> Result<Sent, SendError> {
        Cloud.send(&self.link, &Outgoing { body, ..Outgoing::text(to, "msg_1", "") }).await
    }

    async fn says(&self, text: &str) -> Result<Sent, SendError> {
        self.sends_to(asha(), Body::Text { text: text.into() }).await
    }

    /// What the person's phone shows last.
    async fn shown(&self, who: &str) -> Value {
        let chat = self.look(&format!("numbers/{PHONE}/chats/{who}/messages")).await;
        chat["items"].as_array().unwrap().last().unwrap().clone()
    }

    async fn fault(&self, on: Value, harm: Value) {
        self.control("faults", json!({"on": on, "count": 1, "do": harm})).await;
    }
}
