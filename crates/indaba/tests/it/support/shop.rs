//! A linked number on a simulated WAHA, and the people who write to it. Hooks are signed with the number's own secret and posted to the real
//! route in process; what goes out goes over real HTTP.
use super::{Caller, House, MORNING, Reply};
use axum::{body::Body, http::Method};
use hmac::{KeyInit, Mac};
use indaba::{
    db::TenantTx,
    http::Role,
    instances::InstanceId,
    messages::{self, inbound::Told},
};
use indaba_providers::Incoming;
use indaba_simulator::{Config, Running, Simulator};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

/// A number that is linked.
pub struct Shop {
    pub house: House,
    /// A program of the house's with an admin's key: unlike a sign-in it does not end when days pass.
    pub who: Caller,
    pub waha: Running,
    /// Its id with us.
    pub id: String,
    /// Its name at the gateway.
    pub session: String,
    /// Where its hooks go.
    pub path: String,
    /// What signs them.
    pub secret: String,
}

/// The number itself.
pub const OWN: &str = "27820001000";
/// Who usually writes.
pub const ASHA: &str = "27820001001";

/// Settings under which sending needs no patience.
pub const BRISK: &[(&str, &str)] = &[("INDABA_PACE_LINKED_MIN_MS", "0"), ("INDABA_PACE_LINKED_MAX_MS", "0")];

/// The story of a shop with one linked number, on each database.
pub async fn in_a_shop(story: impl AsyncFn(Shop)) {
    in_a_shop_with(&[], story).await
}

/// The same with other settings.
pub async fn in_a_shop_with(settings: &[(&str, &str)], story: impl AsyncFn(Shop)) {
    let all: Vec<(&str, &str)> = BRISK.iter().chain(settings).copied().collect();
    super::each_db_with(&all, async |house| {
        let shop = Shop::open(house, config()).await;
        story(shop).await
    })
    .await
}

/// The story of a shop that its gateway reaches over real HTTP.
pub async fn in_an_open_shop(story: impl AsyncFn(Shop)) {
    // our own address must be known before the number is made: the gateway is told of it then
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}");
    let all: Vec<(&str, &str)> = BRISK.iter().copied().chain([("INDABA_PUBLIC_URL", &*url)]).collect();
    super::each_db_with(&all, async |house| {
        house.listen_at(address).await;
        let shop = Shop::open(house, config()).await;
        story(shop).await
    })
    .await
}

/// The gateway's time goes on while ours stands still: it begins a while before.
fn config() -> Config {
    config_at(&Arc::new(AtomicI64::new(MORNING.0 - 600_000)))
}

/// A gateway whose time goes on from here, and can be moved.
pub fn config_at(time: &Arc<AtomicI64>) -> Config {
    let (start, time) = (Instant::now(), time.clone());
    let now = move || time.load(Ordering::SeqCst) + i64::try_from(start.elapsed().as_millis()).unwrap();
    Config { clock: Arc::new(now), ..Config::fast() }
}

impl Shop {
    /// Links a number of the house's.
    pub async fn open(house: House, config: Config) -> Shop {
        let waha = Simulator::start(config).await.expect("a simulator on a free port");
        Shop::on(house, waha).await
    }

    async fn on(house: House, waha: Running) -> Shop {
        let form =
            json!({ "provider": "waha", "name": "Sales", "settings": { "url": waha.url(), "apiKey": "simulator" } });
        let made = house.admin.post("/api/instances", form).await.ok();
        let id = made["id"].as_str().unwrap().to_owned();
        let hook = made["hookUrl"].as_str().unwrap();
        let path = hook[hook.find("/api/").unwrap()..].to_owned();
        let sessions: Value =
            reqwest::get(format!("{}/control/sessions", waha.url())).await.unwrap().json().await.unwrap();
        let sessions = sessions.as_array().or(sessions["items"].as_array()).unwrap().clone();
        let session = sessions.last().unwrap()["name"].as_str().unwrap().to_owned();
        let ask = reqwest::Client::new()
            .get(format!("{}/api/sessions/{session}", waha.url()))
            .header("x-api-key", "simulator");
        let known: Value = ask.send().await.unwrap().json().await.unwrap();
        let secret = known["config"]["webhooks"][0]["hmac"]["key"].as_str().unwrap().to_owned();
        let who = house.key(Role::Admin).await;
        let shop = Shop { house, who, waha, id, session, path, secret };
        for _ in 0..200 {
            if shop.sync().await["linkStep"] == "scan" {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        shop.control(&format!("sessions/{}/scan", shop.session), json!({ "phone": OWN, "pushName": "Kusasa" })).await;
        assert_eq!(shop.sync().await["state"], "connected");
        shop.house.run_jobs().await;
        shop
    }

    /// Another number of the same house, on the same gateway's program.
    pub async fn another(&self) -> Shop {
        Shop::open(self.house.clone(), config()).await
    }

    pub async fn sync(&self) -> Value {
        self.who.post(&format!("/api/instances/{}/sync-status", self.id), json!({})).await.ok()
    }

    /// Plays the other side.
    pub async fn control(&self, path: &str, body: Value) -> Value {
        let call = reqwest::Client::new().post(format!("{}/control/{path}", self.waha.url())).json(&body);
        let answer = call.send().await.unwrap();
        assert!(answer.status().is_success(), "{path}: {}", answer.status());
        answer.json().await.unwrap_or_default()
    }

    /// What was asked of the gateway at paths that end so.
    pub async fn asked(&self, path: &str) -> usize {
        let url = format!("{}/control/recording?limit=500", self.waha.url());
        let all: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        all["items"].as_array().unwrap().iter().filter(|one| one["path"].as_str().unwrap().ends_with(path)).count()
    }

    /// The number as it is shown.
    pub async fn number(&self) -> Value {
        self.who.get(&format!("/api/instances/{}", self.id)).await.ok()
    }

    /// Makes the gateway misbehave.
    pub async fn fault(&self, path: &str, harm: Value, count: u32) {
        self.control("faults", json!({ "on": { "path": path }, "count": count, "do": harm })).await;
    }

    /// Every message that was sent through the gateway.
    pub async fn effects(&self) -> Vec<Value> {
        let all: Value =
            reqwest::get(format!("{}/control/effects", self.waha.url())).await.unwrap().json().await.unwrap();
        all["items"].as_array().cloned().unwrap_or_default()
    }

    /// The texts that went out, in their order.
    pub async fn sent(&self) -> Vec<String> {
        let all = self.effects().await;
        all.iter().map(|one| one["body"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The signature WAHA puts on a body.
    pub fn sign(&self, body: &[u8]) -> String {
        let mut mac = hmac::Hmac::<sha2::Sha512>::new_from_slice(self.secret.as_bytes()).unwrap();
        mac.update(body);
        hex::encode(mac.finalize().into_bytes())
    }

    /// A hook as WAHA posts it, with this body and signature.
    pub async fn post(&self, path: &str, body: impl Into<Vec<u8>>, signature: Option<&str>) -> Reply {
        let mut who = self.house.nobody().with("content-type", "application/json");
        if let Some(signature) = signature {
            who = who.with("x-webhook-hmac", signature).with("x-webhook-hmac-algorithm", "sha512");
        }
        who.send(Method::POST, path, Body::from(body.into())).await
    }

    /// A signed hook that tells of an event.
    pub async fn tell(&self, event: &str, payload: Value) {
        let body = self.envelope(event, payload).to_string();
        let reply = self.post(&self.path, body.clone(), Some(&self.sign(body.as_bytes()))).await;
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    /// The same as JSON.
    pub fn envelope(&self, event: &str, payload: Value) -> Value {
        json!({
            "id": format!("evt_{}", indaba::id::encode(&indaba::id::mint(MORNING))),
            "timestamp": MORNING.0,
            "event": event,
            "session": self.session,
            "me": { "id": format!("{OWN}@c.us"), "pushName": "Kusasa" },
            "payload": payload,
            "engine": "NOWEB",
            "environment": { "version": "2026.6.1", "engine": "NOWEB", "tier": "PLUS" },
        })
    }

    /// Somebody writes: the hook is stored and understood.
    pub async fn receive(&self, from: &str, id: &str, text: &str) {
        self.tell("message.any", written(from, id, text)).await;
        self.house.run_jobs().await;
    }

    /// Facts that this gateway's wire has no words for, taken in as they would be from a hook.
    pub async fn take_in(&self, facts: Vec<Incoming>) {
        let instance: InstanceId = self.id.parse().unwrap();
        let facts = Arc::new(facts);
        let taken = move |tx: &mut TenantTx| {
            let told: Vec<Told> = facts.iter().map(|incoming| Told { instance, incoming }).collect();
            messages::inbound::receive(tx, &told)
        };
        self.house.app.db.write(self.house.tenant, taken).await.unwrap();
        self.house.run_jobs().await;
    }

    /// The open conversations, newest first.
    pub async fn inbox(&self) -> Vec<Value> {
        self.who.get("/api/conversations").await.ok()["items"].as_array().unwrap().clone()
    }

    /// The messages of a conversation, oldest first.
    pub async fn thread(&self, conversation: &Value) -> Vec<Value> {
        let path = format!("/api/conversations/{}/messages", conversation["id"].as_str().unwrap());
        let mut all = self.who.get(&path).await.ok()["items"].as_array().unwrap().clone();
        all.reverse();
        all
    }

    /// Asks until it is so: the gateway is another program and takes its time.
    pub async fn until<T>(&self, ask: impl AsyncFn() -> Option<T>) -> T {
        for _ in 0..300 {
            self.house.run_jobs().await;
            if let Some(found) = ask().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let jobs = self.who.get("/api/jobs").await.ok();
        panic!("it never became so: {:?}\njobs {jobs}", self.inbox().await);
    }

    /// The conversation with the newest message, and its messages.
    pub async fn newest(&self) -> (Value, Vec<Value>) {
        let place = self.inbox().await.first().expect("a conversation").clone();
        let thread = self.thread(&place).await;
        (place, thread)
    }
}

/// A text message as WAHA tells of it, written this very morning.
pub fn written(from: &str, id: &str, text: &str) -> Value {
    json!({
        "id": format!("false_{from}@c.us_{id}"),
        "timestamp": MORNING.0 / 1000,
        "from": format!("{from}@c.us"),
        "fromMe": false,
        "source": "app",
        "body": text,
        "hasMedia": false,
        "media": null,
        "ack": 2,
        "ackName": "DEVICE",
        "_data": { "pushName": "Asha" },
    })
}
