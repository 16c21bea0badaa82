//! How the vendors are spoken to, and what becomes of each answer. No test leaves this machine.

mod asking;
#[path = "../../../../tests/broken.rs"]
mod broken;
mod fixtures;
mod mutation;
mod simulated;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream};
use indaba_llm::{Answer, Body, Call, Chat, Cut, Endpoint, Llm, Model, Pace, Turn, Wire, find_vendor};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;

/// What the far end does with one call.
#[derive(Clone)]
enum Does {
    Answers(u16, Vec<(&'static str, String)>, Bytes),
    /// In these pieces; the last may be a cut.
    Streams(Vec<Result<Bytes, &'static str>>),
    Hangs,
    Refuses,
    /// Never ends.
    Floods,
}

/// A network that answers from a script and remembers what was asked.
#[derive(Default)]
struct Script {
    does: Mutex<VecDeque<Does>>,
    asked: Mutex<Vec<(String, Value)>>,
}

impl Script {
    fn of(does: impl IntoIterator<Item = Does>) -> Arc<Self> {
        Arc::new(Self { does: Mutex::new(does.into_iter().collect()), asked: Mutex::default() })
    }

    /// The bodies that were sent, each with its host.
    fn asked(&self) -> Vec<(String, Value)> {
        self.asked.lock().unwrap().clone()
    }
}

impl Wire for Script {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Answer, Cut>> {
        let body = if let Body::Json(body) = call.body { body } else { Value::Null };
        self.asked.lock().unwrap().push((call.url.host_str().unwrap_or_default().to_owned(), body));
        let next = self.does.lock().unwrap().pop_front().expect("nobody was to be asked any more");
        async move {
            let body = match next {
                Does::Answers(status, headers, body) => {
                    let headers =
                        headers.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_str(v).unwrap()));
                    return Ok(Answer::whole(status, headers.collect(), body));
                }
                Does::Hangs => std::future::pending().await,
                Does::Refuses => return Err(Cut("connection refused".into())),
                Does::Floods => stream::repeat_with(|| Ok(Bytes::from(vec![b' '; 1 << 20]))).boxed(),
                Does::Streams(pieces) => stream::iter(pieces).map(|piece| piece.map_err(|cut| Cut(cut.into()))).boxed(),
            };
            Ok(Answer { status: 200, headers: HeaderMap::new(), body })
        }
        .boxed()
    }
}

/// A client whose chance is always the middle.
fn llm(wire: Arc<Script>) -> Llm {
    Llm::over(wire, Pace::default(), || "2026-11-20T07:00:00Z".parse().unwrap(), || 0.5)
}

fn model(kind: &str, id: &str) -> Model {
    let vendor = find_vendor(kind).unwrap_or_else(|| panic!("{kind} is in all()"));
    Model::new(Endpoint::of(vendor, format!("{kind} of a test"), Some("k-123".into())), id)
}

fn hello() -> Chat {
    Chat::new(vec![Turn::user("Hello")], 1024)
}

const MINUTE: Duration = Duration::from_secs(60);
