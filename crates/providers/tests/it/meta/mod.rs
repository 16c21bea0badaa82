//! The whole of `cloud` against the simulator of Meta, over HTTP: every call, every hook, verified and read.

mod account;
mod faults;
mod talk;

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse;
use indaba_providers::{
    Address, Addressee, Body, Cloud, Extras, File, Handshake, Hook, Incoming, Link, Message, MessageRef, Outgoing,
    Provider, Secrets, SendError, Sent, Setup, Status, StatusState,
};
use indaba_simulator::{Config, Running, Simulator};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::peer;

pub const PHONE: &str = "27820001000";
pub const ASHA: &str = "27820001001";
const TOKEN: &str = "the word of the handshake";

/// A simulator, a number on it, and the hooks that arrive from it.
pub struct House {
    pub simulator: Running,
    pub link: Link,
    pub hooks: mpsc::UnboundedReceiver<Hook>,
    pub hook_url: String,
    pub waba: String,
    pub app: String,
    pub token: String,
    /// What was told and has not been asked for.
    kept: Vec<Incoming>,
}

type Post = mpsc::UnboundedSender<Hook>;

/// The handshake is answered by the provider itself, as the server does.
async fn shake(Query(query): Query<Vec<(String, String)>>) -> axum::response::Response {
    let secrets = Secrets { verify_token: Some(TOKEN.to_owned().into()), ..Secrets::default() };
    match Cloud.handshake(&secrets, &Hook { query, ..Hook::default() }) {
        Handshake::Answer(challenge) => challenge.into_response(),
        _ => StatusCode::FORBIDDEN.into_response(),
    }
}

async fn receive(State(to): State<Post>, headers: HeaderMap, body: Bytes) {
    let _ = to.send(Hook { headers, query: vec![], body });
}

pub async fn house() -> House {
    house_with(json!({})).await
}

/// A number that is not subscribed yet. `more` goes into the control API's call that makes it.
pub async fn house_with(more: Value) -> House {
    let (to, hooks) = mpsc::unbounded_channel();
    let app = axum::Router::new().route("/hook", axum::routing::post(receive).get(shake)).with_state(to);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hook_url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    let simulator = Simulator::start(Config::fast()).await.unwrap();
    let mut link = peer::link(simulator.url(), "v26.0");
    let mut new = json!({"phone": PHONE, "name": "Demo Shop"});
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let made = control(&link, simulator.url(), "cloud/numbers", new).await;
    let word = |key: &str| made[key].as_str().unwrap().to_owned();
    link.url = format!("{}{}", simulator.url(), word("path")).parse().unwrap();
    link.key = word("accessToken").into();
    link.external_name = word("phoneNumberId");
    link.build = Default::default();
    link.secrets = Secrets { keys: vec![word("appSecret").into()], verify_token: Some(TOKEN.to_owned().into()) };
    link.extras = Extras { waba_id: Some(word("wabaId")), app_id: Some(word("appId")), ..Extras::default() };
    House {
        simulator,
        link,
        hooks,
        hook_url,
        waba: word("wabaId"),
        app: word("appId"),
        token: word("accessToken"),
        kept: vec![],
    }
}

/// The same, and its hooks come to us.
pub async fn linked() -> House {
    let house = house().await;
    Cloud.create(&house.link, &house.setup()).await.unwrap();
    house
}

async fn control(link: &Link, url: &str, path: &str, body: Value) -> Value {
    let answer = link.http.post(format!("{url}/control/{path}")).json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{path} {body}: {}", answer.text().await.unwrap());
    answer.json().await.unwrap_or(Value::Null)
}

impl House {
    pub async fn control(&self, path: &str, body: Value) -> Value {
        control(&self.link, self.simulator.url(), path, body).await
    }

    pub async fn ask(&self, path: &str) -> Value {
        let url = format!("{}/control/{path}", self.simulator.url());
        self.link.http.get(url).send().await.unwrap().json().await.unwrap()
    }

    pub fn setup(&self) -> Setup {
        Setup {
            hook_url: self.hook_url.parse().unwrap(),
            instance: "ins_1".into(),
            device: "Indaba".into(),
            full_history: false,
        }
    }

    /// The path of something about our number in the control API.
    pub fn number(&self, rest: &str) -> String {
        format!("cloud/numbers/{}{rest}", self.link.external_name)
    }

    /// The next hook, verified.
    pub async fn next(&mut self) -> Option<Hook> {
        let hook = tokio::time::timeout(Duration::from_secs(10), self.hooks.recv()).await.ok()??;
        Cloud.verify(&self.link.secrets, &hook).unwrap();
        assert!(hook.body.is_ascii(), "other letters are escaped");
        Some(hook)
    }

    /// Waits until we are told this; each hook that comes is verified, split and read as the server does it. What else comes is kept.
    pub async fn told<T>(&mut self, what: &str, wanted: impl Fn(&Incoming) -> Option<T>) -> T {
        loop {
            if let Some(at) = self.kept.iter().position(|incoming| wanted(incoming).is_some()) {
                return wanted(&self.kept.remove(at)).expect("just looked at");
            }
            let Some(hook) = self.next().await else { panic!("never told: {what}; only {:#?}", self.kept) };
            for part in Cloud.split(&hook) {
                match &part.to {
                    Addressee::Instance(number) => assert_eq!(*number, self.link.external_name),
                    Addressee::Account(waba) => assert_eq!(*waba, self.waba),
                    Addressee::Caller => panic!("for nobody: {part:?}"),
                }
                self.kept.extend(Cloud.read(&Hook::stored(part.body)).unwrap());
            }
        }
    }

    pub async fn message(&mut self, kind: &str) -> Message {
        self.told(kind, |incoming| match incoming {
            Incoming::Message(message) if message.content.kind() == kind => Some((**message).clone()),
            _ => None,
        })
        .await
    }

    pub async fn status(&mut self, id: &str, state: StatusState) -> Status {
        self.told(&format!("{state:?} of {id}"), |incoming| match incoming {
            Incoming::Status(status) if status.provider_id == id && status.state == state => Some(status.clone()),
            _ => None,
        })
        .await
    }

    /// The customer writes; what we are told of it.
    pub async fn writes(&mut self, mut body: Value) -> Message {
        let kind = body["kind"].as_str().unwrap_or("text").to_owned();
        body["from"] = body.get("from").cloned().unwrap_or(ASHA.into());
        body["name"] = body.get("name").cloned().unwrap_or("Asha".into());
        self.control(&format!("numbers/{PHONE}/messages"), body).await;
        self.message(&kind).await
    }

    pub async fn sends(&self, body: Body) -> Result<Sent, SendError> {
        self.sends_to(asha(), body).await
    }

    pub async fn sends_to(&self, to: Address, body: Body) -> Result<Sent, SendError> {
        let mut message = Outgoing::text(to, "msg_1", "");
        message.body = body;
        Cloud.send(&self.link, &message).await
    }

    pub async fn says(&self, text: &str) -> Result<Sent, SendError> {
        self.sends(Body::Text { text: text.into() }).await
    }

    /// What the person's phone shows last.
    pub async fn shown(&self, who: &str) -> Value {
        let chat = self.ask(&format!("numbers/{PHONE}/chats/{who}/messages")).await;
        chat["items"].as_array().unwrap().last().unwrap().clone()
    }

    pub async fn fault(&self, on: Value, harm: Value) {
        self.control("faults", json!({"on": on, "count": 1, "do": harm})).await;
    }
}

pub fn asha() -> Address {
    Address::parse(ASHA).unwrap()
}

pub fn name(message: &Message) -> MessageRef {
    MessageRef {
        provider_id: message.provider_id.clone(),
        reference: message.reference.clone(),
        chat: message.chat.clone(),
        from_me: message.from_me,
    }
}

pub fn file(mime: &str, name: &str) -> File {
    File { mime: mime.into(), name: name.into(), bytes: Bytes::from_static(b"a file's bytes") }
}
