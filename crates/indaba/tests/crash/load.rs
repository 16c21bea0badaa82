//! Hooks as the gateway posts them, and replies as the team writes them, from many callers at once.
use super::server::{Account, Server, get, post};
use anyhow::{Context, Result, ensure};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha512;
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinHandle;

const POSTERS: usize = 16;
const WRITERS: usize = 4;
const CUSTOMERS: usize = 8;

/// What became of a hook.
#[derive(Clone, Copy, Debug)]
pub enum Posted {
    /// The server said 200.
    Answered,
    /// It died first.
    Unanswered,
}

/// Everything that was asked of the server, over all its lives.
pub struct Load {
    /// The number it goes through.
    pub account: Account,
    /// Every hook, by its raw message id.
    pub posted: HashMap<String, Posted>,
    /// Every message accepted with 201: id and text.
    pub accepted: Vec<(String, String)>,
    conversations: Vec<String>,
    next: Arc<AtomicU64>,
}

/// Callers that are at it.
pub struct Flight {
    over: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<()>>,
    hooks: Arc<Mutex<HashMap<String, Posted>>>,
    accepted: Arc<Mutex<Vec<(String, String)>>>,
}

impl Flight {
    /// Hooks that have their 200.
    pub fn answered(&self) -> usize {
        let hooks = self.hooks.lock().expect("no panic under this lock");
        hooks.values().filter(|posted| matches!(posted, Posted::Answered)).count()
    }
}

impl Load {
    /// Nothing asked yet.
    pub fn new(account: Account) -> Load {
        Load { account, posted: HashMap::new(), accepted: Vec::new(), conversations: Vec::new(), next: Arc::default() }
    }

    /// Each customer writes once, so that there are conversations to answer in.
    pub async fn greet(&mut self, server: &Server) -> Result<()> {
        let http = reqwest::Client::new();
        for _ in 0..CUSTOMERS {
            let id = self.fresh();
            ensure!(hook(&http, &server.url, &self.account, &id).await, "a first hook was not answered 200");
            self.posted.insert(id, Posted::Answered);
        }
        for _ in 0..200 {
            let page = get(&format!("{}/api/conversations?limit=100", server.url), Some(&self.account.key)).await?;
            let ids = page["items"].as_array().context("conversations")?.iter();
            self.conversations = ids.filter_map(|item| item["id"].as_str().map(str::to_owned)).collect();
            if self.conversations.len() == CUSTOMERS {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::bail!("of {CUSTOMERS} customers {} became conversations within 10 s", self.conversations.len())
    }

    /// Lets all callers loose on the server.
    pub fn start(&self, server: &Server) -> Flight {
        let over = Arc::new(AtomicBool::new(false));
        let (hooks, accepted) = (Arc::<Mutex<HashMap<_, _>>>::default(), Arc::<Mutex<Vec<_>>>::default());
        let mut tasks = Vec::new();
        for _ in 0..POSTERS {
            let (http, url, account) = (reqwest::Client::new(), server.url.clone(), self.account.clone());
            let (over, hooks, next) = (over.clone(), hooks.clone(), self.next.clone());
            tasks.push(tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let id = name(next.fetch_add(1, Ordering::Relaxed));
                    hooks.lock().expect("no panic under this lock").insert(id.clone(), Posted::Unanswered);
                    if !hook(&http, &url, &account, &id).await {
                        return; // the server is dead
                    }
                    hooks.lock().expect("no panic under this lock").insert(id, Posted::Answered);
                }
            }));
        }
        for writer in 0..WRITERS {
            let (url, key) = (server.url.clone(), self.account.key.clone());
            let (over, accepted, next) = (over.clone(), accepted.clone(), self.next.clone());
            let conversations = self.conversations.clone();
            tasks.push(tokio::spawn(async move {
                for turn in writer.. {
                    let conversation = &conversations[turn % conversations.len()];
                    let text = format!("reply {}", next.fetch_add(1, Ordering::Relaxed));
                    let url = format!("{url}/api/conversations/{conversation}/messages");
                    match post(&url, &key, json!({ "kind": "text", "body": text })).await {
                        Ok(message) => {
                            let id = message["id"].as_str().unwrap_or_default().to_owned();
                            accepted.lock().expect("no panic under this lock").push((id, text));
                        }
                        Err(_) => return, // the server is dead
                    }
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                    tokio::time::sleep(Duration::from_millis(15)).await;
                }
            }));
        }
        Flight { over, tasks, hooks, accepted }
    }

    /// Waits until a first message was accepted, so that a kill can find one on its way.
    pub async fn under_way(&self, flight: &Flight) {
        for _ in 0..500 {
            if !flight.accepted.lock().expect("no panic under this lock").is_empty() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Calls them back; gives the hooks that have no answer.
    pub async fn stop(&mut self, flight: Flight) -> Vec<String> {
        flight.over.store(true, Ordering::Relaxed);
        for task in flight.tasks {
            let _ = task.await;
        }
        let hooks = std::mem::take(&mut *flight.hooks.lock().expect("no panic under this lock"));
        let unanswered =
            hooks.iter().filter(|(_, posted)| matches!(posted, Posted::Unanswered)).map(|(id, _)| id.clone()).collect();
        self.posted.extend(hooks);
        self.accepted.append(&mut flight.accepted.lock().expect("no panic under this lock"));
        unanswered
    }

    /// A gateway repeats, byte for byte, what was not answered.
    pub async fn post_again(&mut self, server: &Server, ids: Vec<String>) -> Result<()> {
        let http = reqwest::Client::new();
        for id in ids {
            ensure!(hook(&http, &server.url, &self.account, &id).await, "a repeated hook was not answered 200");
            self.posted.insert(id, Posted::Answered);
        }
        Ok(())
    }

    fn fresh(&self) -> String {
        name(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

/// A raw message id; the same number always gives the same hook.
fn name(n: u64) -> String {
    format!("3EB0C0FFEE{n:010X}")
}

/// Posts the hook of one inbound text, signed; whether it was answered 200.
async fn hook(http: &reqwest::Client, url: &str, account: &Account, id: &str) -> bool {
    let body = body(account, id).to_string();
    let mut mac =
        <Hmac<Sha512> as KeyInit>::new_from_slice(account.secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body.as_bytes());
    let answer = http
        .post(format!("{url}{}", account.hook_path))
        .header("content-type", "application/json")
        .header("x-webhook-hmac", hex::encode(mac.finalize().into_bytes()))
        .header("x-webhook-hmac-algorithm", "sha512")
        .timeout(Duration::from_secs(20))
        .body(body)
        .send()
        .await;
    answer.is_ok_and(|answer| answer.status() == 200)
}

fn body(account: &Account, id: &str) -> Value {
    let n = u64::from_str_radix(&id[10..], 16).unwrap_or(0);
    let phone = format!("2782000{:04}", 2000 + n % CUSTOMERS as u64);
    json!({
        "id": format!("evt_{}", id.to_lowercase()), "timestamp": 1_795_150_000_000_u64 + n, "event": "message.any", "session": account.session,
        "me": { "id": "27820001000@c.us", "pushName": "Crash" }, "engine": "NOWEB", "environment": { "version": "2026.6.1", "engine": "NOWEB" },
        "payload": {
            "id": format!("false_{phone}@c.us_{id}"), "timestamp": 1_795_150_000 + n / 1000, "from": format!("{phone}@c.us"), "fromMe": false,
            "source": "app", "body": format!("message {n}"), "hasMedia": false, "media": null, "ack": 2, "ackName": "DEVICE", "replyTo": null,
            "_data": { "key": { "remoteJid": format!("{phone}@s.whatsapp.net"), "fromMe": false, "id": id }, "pushName": format!("Customer {}", n % 8) },
        },
    })
}
