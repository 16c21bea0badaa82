//! A simulated gateway, a link to one number on it, and the hooks that arrive from it, read as the server does.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use indaba_providers::{
    Address, Addressee, Body, File, Handshake, Hook, Incoming, Link, LookedUp, Message, MessageRef, Outgoing, Provider,
    Secrets, SendError, Sent, SessionState, Setup, Step,
};
use indaba_simulator::{Config, Running, Simulator};
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::peer;

/// The business.
pub const PHONE: &str = "27820001000";
/// A customer.
pub const ASHA: &str = "27820001001";
/// What a gateway that asks for a word must know.
pub const WORD: &str = "the word of the handshake";

pub struct House {
    pub provider: &'static dyn Provider,
    pub simulator: Running,
    pub link: Link,
    pub hook_url: String,
    hooks: mpsc::UnboundedReceiver<Hook>,
    /// What was told and has not been asked for.
    kept: Vec<Incoming>,
    /// Keeps it until it is asked for, because what belongs together comes in any order; otherwise the next question drops it.
    pub keeps: bool,
}

impl House {
    /// `url` says where on the simulator the provider's gateway is, `name` what the number is called there.
    pub async fn new(
        provider: &'static dyn Provider,
        config: Config,
        url: impl Fn(&Running) -> String,
        name: &str,
    ) -> House {
        let (to, hooks) = mpsc::unbounded_channel();
        let receive = async |State(to): State<mpsc::UnboundedSender<Hook>>, headers: HeaderMap, body: Bytes| {
            // nobody listens any more: the test is over
            let _ = to.send(Hook { headers, query: vec![], body });
        };
        // as the server does it: the provider answers
        let shake = async move |Query(query): Query<Vec<(String, String)>>| -> Response {
            let secrets = Secrets { verify_token: Some(WORD.to_owned().into()), ..Secrets::default() };
            match provider.handshake(&secrets, &Hook { query, ..Hook::default() }) {
                Handshake::Answer(challenge) => challenge.into_response(),
                _ => StatusCode::FORBIDDEN.into_response(),
            }
        };
        let app = axum::Router::new().route("/hook", post(receive).get(shake)).with_state(to);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let hook_url = format!("http://{}/hook", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        let simulator = Simulator::start(config).await.unwrap();
        let mut link = peer::link(&url(&simulator), "");
        link.key = "simulator".to_owned().into();
        link.external_name = name.into();
        link.build = Default::default();
        House { provider, simulator, link, hooks, hook_url, kept: vec![], keeps: false }
    }

    /// Plays the people, or a mishap.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let url = format!("{}/control/{path}", self.simulator.url());
        let answer = self.link.http.post(url).json(&body).send().await.unwrap();
        assert!(answer.status().is_success(), "{path} {body}: {}", answer.text().await.unwrap());
        answer.json().await.unwrap_or(Value::Null)
    }

    /// What the control API shows.
    pub async fn look(&self, path: &str) -> Value {
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

    /// The next hook, verified, and what each part of it says.
    pub async fn next(&mut self) -> Option<(Hook, Vec<Incoming>)> {
        let hook = tokio::time::timeout(Duration::from_secs(10), self.hooks.recv()).await.ok()??;
        self.provider.verify(&self.link.secrets, &hook).unwrap();
        assert!(self.provider.kind() != "cloud" || hook.body.is_ascii(), "Meta escapes other letters");
        let mut all = Vec::new();
        for part in self.provider.split(&hook) {
            match &part.to {
                Addressee::Instance(name) => assert_eq!(*name, self.link.external_name),
                Addressee::Account(waba) => assert_eq!(Some(waba), self.link.extras.waba_id.as_ref()),
                Addressee::Caller => panic!("for nobody: {part:?}"),
            }
            all.extend(self.provider.read(&Hook::stored(part.body)).unwrap());
        }
        Some((hook, all))
    }

    /// Waits for a hook that says this.
    pub async fn told<T>(&mut self, what: &str, wanted: impl Fn(Incoming) -> Option<T>) -> T {
        if !self.keeps {
            self.kept.clear();
        }
        loop {
            let found = self.kept.iter().enumerate().find_map(|(at, incoming)| Some((at, wanted(incoming.clone())?)));
            if let Some((at, found)) = found {
                self.kept.remove(at);
                return found;
            }
            let Some((_, all)) = self.next().await else { panic!("never told: {what}; only {:#?}", self.kept) };
            self.kept.extend(all);
        }
    }

    pub async fn message(&mut self, kind: &str) -> Message {
        self.told(kind, |incoming| match incoming {
            Incoming::Message(message) if message.content.kind() == kind => Some(*message),
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

    /// We send; the echo is there, and the message is found again where the gateway can.
    pub async fn sends(&mut self, body: Body) -> Result<Sent, SendError> {
        let provider = self.provider;
        let correlation = format!("msg_{body:?}");
        self.link.build = provider.check(&self.link).await.unwrap().build;
        let mut message = Outgoing::text(asha(), correlation, "");
        message.body = body;
        let sent = provider.send(&self.link, &message).await?;
        // the echo has our id, whoever is first
        let id = sent.provider_id.clone();
        let echo = self
            .told("the echo", |incoming| match incoming {
                Incoming::Message(message) if message.provider_id == id => Some(*message),
                _ => None,
            })
            .await;
        assert!(echo.from_me && echo.chat == asha(), "{echo:?}");
        if let Some(own) = provider.own_id(&self.link.build, &message.correlation) {
            assert_eq!(sent.provider_id, own);
            assert!(matches!(
                provider.find_sent(&self.link, &asha(), &message.correlation).await.unwrap(),
                LookedUp::Found { .. }
            ));
        }
        assert_eq!(provider.find_sent(&self.link, &asha(), "msg_never").await.unwrap(), LookedUp::NotSeen);
        Ok(sent)
    }

    pub async fn connected(&mut self) -> indaba_providers::Session {
        self.told("connected", |incoming| match incoming {
            Incoming::Session(session) if session.state == SessionState::Connected => Some(session),
            _ => None,
        })
        .await
    }

    /// Makes the number, scans its code, and hears that it is connected.
    pub async fn links(&mut self) -> indaba_providers::Session {
        let created = self.provider.create(&self.link, &self.setup()).await.unwrap();
        assert!(created.without.is_empty(), "{:?}", created.without);
        if let Some(key) = created.key {
            self.link.key = key;
        }
        let scan = self
            .told("a code", |incoming| match incoming {
                Incoming::Session(session) if session.step == Some(Step::Scan) => Some(session),
                _ => None,
            })
            .await;
        assert_eq!(scan.state, SessionState::Linking);
        let code = self.provider.qr(&self.link).await.unwrap();
        assert!(code.value.len() > 20);
        self.control("scan", json!({"qr": code.value, "phone": PHONE, "pushName": "Demo Shop"})).await;
        let session = self.connected().await;
        assert_eq!(session.phone.as_deref(), Some("+27820001000"));
        assert_eq!(session.push_name.as_deref(), Some("Demo Shop"));
        session
    }
}

/// Asks again and again, for ten seconds at most.
pub async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), asking).await.unwrap_or_else(|_| panic!("waited 10 s for {what}"));
}

/// How a send ends whose request has come (`is_there`) and is never answered: from then on the clock runs by itself.
pub async fn unanswered(
    sending: impl Future<Output = Result<Sent, SendError>> + Send + 'static,
    is_there: impl AsyncFnMut() -> bool,
) -> SendError {
    let sending = tokio::spawn(sending);
    until("the request", is_there).await;
    tokio::time::pause();
    let error = sending.await.unwrap().unwrap_err();
    tokio::time::resume();
    error
}

pub fn asha() -> Address {
    Address::parse(ASHA).unwrap()
}

/// What names a message that came.
pub fn name(message: &Message) -> MessageRef {
    MessageRef {
        provider_id: message.provider_id.clone(),
        reference: message.reference.clone(),
        chat: message.chat.clone(),
        from_me: message.from_me,
    }
}

/// What names a message that we sent.
pub fn of(sent: &Sent) -> MessageRef {
    MessageRef { provider_id: sent.provider_id.clone(), reference: sent.reference.clone(), chat: asha(), from_me: true }
}

pub fn file(mime: &str, name: &str) -> File {
    File { mime: mime.into(), name: name.into(), bytes: Bytes::from_static(b"a file's bytes") }
}
