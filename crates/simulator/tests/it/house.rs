//! A simulator, a receiver of hooks, and words to talk to both.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use indaba_simulator::{Config, Running, Simulator};
use serde_json::{Value, json};

/// The business.
pub const SHOP: &str = "27820001000";
/// A customer.
pub const THANDI: &str = "27820001001";
/// The key in every signed capture.
pub const KEY: &str = "my-secret-key";

/// A call that the receiver got.
#[derive(Clone)]
pub struct Hook {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Hook {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a hook is JSON")
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Default)]
struct Inbox {
    got: Vec<Hook>,
    answers: VecDeque<Response>,
}

/// Where hooks go.
#[derive(Clone, Default)]
pub struct Receiver {
    inbox: Arc<Mutex<Inbox>>,
    pub url: String,
}

impl Receiver {
    async fn start() -> Receiver {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let receiver = Receiver { url, ..Receiver::default() };
        let app = Router::new().fallback(take).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    /// The next calls are answered so, one after the other; then 200 again.
    pub fn answers(&self, answers: impl IntoIterator<Item = impl IntoResponse>) {
        self.inbox.lock().unwrap().answers.extend(answers.into_iter().map(IntoResponse::into_response));
    }

    /// All calls so far.
    pub fn all(&self) -> Vec<Hook> {
        self.inbox.lock().unwrap().got.clone()
    }

    /// Envelopes of one event so far.
    pub fn of(&self, event: &str) -> Vec<Value> {
        let json = self.all().into_iter().filter(|hook| !hook.body.is_empty()).map(|hook| hook.json());
        json.filter(|envelope| envelope["event"] == event).collect()
    }

    /// The envelope of the `n`th call of an event (from 1), once it is there.
    pub async fn nth(&self, event: &str, n: usize) -> Value {
        until(&format!("{event} number {n}"), || self.of(event).get(n - 1).cloned()).await
    }
}

async fn take(State(receiver): State<Receiver>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let mut inbox = receiver.inbox.lock().unwrap();
    inbox.got.push(Hook { method, uri, headers, body });
    inbox.answers.pop_front().unwrap_or_else(|| StatusCode::OK.into_response())
}

/// Asks until there is an answer, for ten seconds at most.
pub async fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "there is no {what}");
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
}

/// A simulator and a receiver.
pub struct House {
    pub simulator: Running,
    pub hooks: Receiver,
    pub client: reqwest::Client,
}

impl House {
    pub async fn new() -> House {
        House::with(Config::fast()).await
    }

    pub async fn with(config: Config) -> House {
        let simulator = Simulator::start(config).await.expect("the simulator starts");
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        House { simulator, hooks: Receiver::start().await, client }
    }

    /// A call with the key: status and JSON (null when the body is empty).
    pub async fn call(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let answer = self.send(method, path, body).await.expect("there is an answer");
        let status = answer.status().as_u16();
        let bytes = answer.bytes().await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
    }

    /// The same, with everything that may go wrong.
    pub async fn send(&self, method: &str, path: &str, body: Value) -> reqwest::Result<reqwest::Response> {
        let url = format!("{}{path}", self.simulator.url());
        let mut request = self.client.request(method.parse().unwrap(), url).header("X-Api-Key", "simulator");
        if !body.is_null() {
            request = request.json(&body);
        }
        request.send().await
    }

    /// A call that must succeed.
    pub async fn good(&self, method: &str, path: &str, body: Value) -> Value {
        let (status, answer) = self.call(method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {answer}");
        answer
    }

    /// The configuration of a capture's session, with our receiver.
    pub fn config(&self, events: &[&str]) -> Value {
        json!({
            "metadata": {"tenant": "t1", "instance": "i1"},
            "noweb": {"markOnline": true, "store": {"enabled": true, "fullSync": false}},
            "webhooks": [{
                "url": self.hooks.url, "events": events, "hmac": {"key": KEY},
                "retries": {"policy": "constant", "delaySeconds": 1, "attempts": 3},
                "customHeaders": [{"name": "X-Indaba-Instance", "value": "i1"}],
            }],
        })
    }

    /// A session `default` that hears everything, linked to the shop.
    pub async fn linked(&self) {
        self.good("POST", "/api/sessions", json!({"name": "default", "start": true, "config": self.config(&["*"])}))
            .await;
        self.hooks.nth("session.status", 2).await;
        let scan = json!({"phone": SHOP, "pushName": "Demo Shop"});
        let session = self.good("POST", "/control/sessions/default/scan", scan).await;
        assert_eq!(session["status"], "WORKING");
        self.hooks.nth("session.status", 4).await;
    }

    /// A customer writes.
    pub async fn writes(&self, from: &str, body: &str) -> Value {
        self.good("POST", &format!("/control/numbers/{SHOP}/messages"), json!({"from": from, "body": body})).await
    }

    /// The shop sends through the API; answers the raw id.
    pub async fn sends(&self, to: &str, text: &str) -> String {
        let body = json!({"session": "default", "chatId": format!("{to}@c.us"), "text": text});
        let sent = self.good("POST", "/api/sendText", body).await;
        sent["key"]["id"].as_str().expect("NOWEB answers a key").to_owned()
    }

    /// A message as the phone has it.
    pub async fn message(&self, id: &str) -> Value {
        self.good("GET", &format!("/control/numbers/{SHOP}/messages/{id}"), Value::Null).await
    }
}
