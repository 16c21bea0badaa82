//! A house that Meta can call, and Meta: numbers of the Cloud API in the simulator, over real HTTP both ways.
use super::{Caller, House, MORNING, Reply, each_db_with};
use axum::{body::Body, http::Method};
use hmac::{KeyInit, Mac};
use indaba::http::Role;
use indaba_simulator::{Config, Running, Simulator};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

/// A house, and who is at the other side.
pub struct Office {
    pub house: House,
    /// A program of the house's with an admin's key.
    pub who: Caller,
    pub sim: Arc<Running>,
}

/// The story of a house that gateways reach over real HTTP, on each database.
pub async fn in_an_office(story: impl AsyncFn(Office)) {
    in_an_office_with(&[], story).await
}

/// The same with other settings; `{graph}` in them is where Meta answers.
pub async fn in_an_office_with(settings: &[(&str, &str)], story: impl AsyncFn(Office)) {
    let start = Instant::now();
    let now = move || MORNING.0 - 600_000 + i64::try_from(start.elapsed().as_millis()).unwrap();
    let config = Config { clock: Arc::new(now), ..Config::fast() };
    let sim = Arc::new(Simulator::start(config).await.expect("a simulator on a free port"));
    let graph = format!("{}/graph/v26.0", sim.url());
    // our own address must be known before a number is made: the other side is told of it then
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}");
    let filled: Vec<(&str, String)> =
        settings.iter().map(|(name, value)| (*name, value.replace("{graph}", &graph))).collect();
    let mut all = vec![
        ("INDABA_PACE_LINKED_MIN_MS", "0"),
        ("INDABA_PACE_LINKED_MAX_MS", "0"),
        ("INDABA_PUBLIC_URL", &*url),
        ("INDABA_GRAPH_URL", &*graph),
    ];
    all.extend(filled.iter().map(|(name, value)| (*name, &**value)));
    each_db_with(&all, async |house| {
        house.listen_at(address).await;
        let who = house.key(Role::Admin).await;
        story(Office { house, who, sim: sim.clone() }).await
    })
    .await
}

/// What Meta's pages show of a number.
#[derive(Clone, Debug)]
pub struct AtMeta(pub Value);

impl AtMeta {
    /// One of its values.
    pub fn get(&self, name: &str) -> String {
        self.0[name].as_str().unwrap_or_else(|| panic!("{name} of {}", self.0)).to_owned()
    }

    /// The form that connects it.
    pub fn form(&self, name: &str) -> Value {
        let settings: Value = ["phoneNumberId", "wabaId", "accessToken", "appSecret", "appId"]
            .map(|key| (key.to_owned(), self.0[key].clone()))
            .into_iter()
            .collect();
        json!({ "provider": "cloud", "name": name, "settings": settings })
    }
}

/// A phone number that no other story has.
pub fn new_phone() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("27830{:06}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The signature Meta puts on a body.
pub fn signed(secret: &str, body: &str) -> String {
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body.as_bytes());
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

impl Office {
    /// Plays the other side.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let call = reqwest::Client::new().post(format!("{}/control/{path}", self.sim.url())).json(&body);
        let answer = call.send().await.unwrap();
        let (status, text) = (answer.status(), answer.text().await.unwrap());
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// Looks at the other side.
    pub async fn look(&self, path: &str) -> Value {
        reqwest::get(format!("{}/control/{path}", self.sim.url())).await.unwrap().json().await.unwrap()
    }

    /// A number at Meta: in this account and app, if they are named.
    pub async fn at_meta(&self, more: Value) -> AtMeta {
        let mut wanted = json!({ "phone": new_phone(), "name": "Kusasa Homes" });
        for (key, value) in more.as_object().unwrap() {
            wanted[key] = value.clone();
        }
        AtMeta(self.control("cloud/numbers", wanted).await)
    }

    /// Connects it.
    pub async fn connect(&self, number: &AtMeta, name: &str) -> Value {
        self.who.post("/api/instances", number.form(name)).await.ok()
    }

    /// Somebody writes to a number of ours.
    pub async fn writes(&self, phone: &str, from: &str, name: &str, text: &str) -> Value {
        let said = json!({ "from": from, "name": name, "body": text });
        self.control(&format!("numbers/{phone}/messages"), said).await
    }

    /// A number on an Evolution gateway of the house's own, linked to this phone; the number, and what the gateway calls it.
    pub async fn evolution(&self, name: &str, phone: &str) -> (Value, String) {
        let settings = json!({ "url": self.sim.evolution_url(), "apiKey": "simulator" });
        let form = json!({ "provider": "evolution", "name": name, "settings": settings });
        let made = self.who.post("/api/instances", form).await.ok();
        let instance = self.session_of(&made).await;
        self.scan(&made, &instance, phone).await;
        (made, instance)
    }

    /// What the gateway calls a number: the session that has its hook URL.
    pub async fn session_of(&self, made: &Value) -> String {
        let url = made["hookUrl"].as_str().unwrap();
        let all = self.look("sessions").await;
        let all = all["items"].as_array().unwrap();
        let ours = all.iter().find(|one| one["hooks"].to_string().contains(url));
        ours.unwrap_or_else(|| panic!("no session calls {url}: {all:?}"))["name"].as_str().unwrap().to_owned()
    }

    /// A phone scans its code; it connects.
    pub async fn scan(&self, made: &Value, instance: &str, phone: &str) {
        let place = format!("/api/instances/{}", made["id"].as_str().unwrap());
        self.until("a code waits", async || {
            let now = self.who.get(&place).await.ok();
            (now["linkStep"] == "scan").then_some(())
        })
        .await;
        self.control(&format!("sessions/{instance}/scan"), json!({ "phone": phone, "pushName": "Kusasa" })).await;
        self.until("it is connected", async || {
            let now = self.who.get(&place).await.ok();
            (now["state"] == "connected").then_some(())
        })
        .await;
    }

    /// What stands in a customer's chat with a number of ours, oldest first.
    pub async fn chat(&self, phone: &str, customer: &str) -> Vec<Value> {
        let all = self.look(&format!("numbers/{phone}/chats/{customer}/messages?limit=100")).await;
        all["items"].as_array().cloned().unwrap_or_default()
    }

    /// Asks until it is so.
    pub async fn until<T>(&self, what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
        for _ in 0..1_000 {
            self.house.run_jobs().await;
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it never became so that {what}: {:?}", self.inbox().await);
    }

    /// The open conversations, newest first.
    pub async fn inbox(&self) -> Vec<Value> {
        self.who.get("/api/conversations").await.ok()["items"].as_array().unwrap().clone()
    }

    /// The conversation with this customer, as soon as there is one.
    pub async fn talk(&self, customer: &str) -> Value {
        let phone = format!("+{customer}");
        self.until("there is a conversation", async || {
            self.inbox().await.into_iter().find(|one| one["contact"]["phone"] == *phone)
        })
        .await
    }

    /// Its messages, oldest first.
    pub async fn thread(&self, talk: &Value) -> Vec<Value> {
        let path = format!("/api/conversations/{}/messages", talk["id"].as_str().unwrap());
        let mut all = self.who.get(&path).await.ok()["items"].as_array().unwrap().clone();
        all.reverse();
        all
    }

    /// Answers in a conversation.
    pub async fn answer(&self, talk: &Value, text: &str) -> Reply {
        let path = format!("/api/conversations/{}/messages", talk["id"].as_str().unwrap());
        self.who.post(&path, json!({ "kind": "text", "body": text })).await
    }

    /// Waits until a message of the conversation is in this state.
    pub async fn becomes(&self, talk: &Value, body: &str, state: &str) -> Value {
        self.until(&format!("{body} is {state}"), async || {
            self.thread(talk).await.into_iter().find(|one| one["body"] == body && one["state"] == state)
        })
        .await
    }

    /// A hook as Meta posts it.
    pub async fn post(&self, path: &str, body: &str, signature: Option<&str>) -> Reply {
        let mut who = self.house.nobody().with("content-type", "application/json");
        if let Some(signature) = signature {
            who = who.with("x-hub-signature-256", signature);
        }
        who.send(Method::POST, path, Body::from(body.to_owned())).await
    }

    /// One number to read off the database: what the API does not show.
    pub async fn count(&self, sql: &'static str) -> i64 {
        let count =
            self.house.app.db.system_read("check a statement", move |tx| tx.get::<(i64,)>(sql, indaba::args![]));
        count.await.unwrap().0
    }
}

/// The path of a hook URL.
pub fn path_of(instance: &Value) -> String {
    let url = instance["hookUrl"].as_str().unwrap();
    url[url.find("/api/").unwrap()..].to_owned()
}
