//! WAHA's gate: its key, and what it says when no handler of it does.

use std::sync::Arc;

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::refusal::{self, Crashed, Refusal};
use crate::{
    gate::{About, Asked, Gate},
    link::Links as _,
    sim::Sim,
};

/// The gate.
#[derive(Default)]
pub struct Waha;

impl Gate for Waha {
    const BODY: usize = 50 * 1024 * 1024;

    fn about(&self, asked: &Asked) -> About {
        let parts = asked.segments();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let session = match parts.as_slice() {
            ["api", "sessions", name, ..] | ["api", "files", name, ..] if !name.is_empty() => Some((*name).to_owned()),
            ["api", name, "auth" | "chats" | "contacts" | "lids" | "groups" | "presence" | "calls", ..]
            | ["api", name, "new-message-id"] => Some((*name).to_owned()),
            ["api", "sessions"] => asked.text("name"),
            _ => asked.text("session").or_else(|| asked.query("session")),
        };
        let chat = match parts.as_slice() {
            ["api", _, "chats" | "presence", chat, ..] => Some((*chat).to_owned()),
            _ => asked.text("chatId"),
        };
        About { session, chat }
    }

    fn admit(&self, sim: &Arc<Sim>, asked: &Asked, about: &About) -> Result<(), Response> {
        if asked.uri.path() == "/ping" {
            return Ok(());
        }
        let sent = asked.headers.get("x-api-key").and_then(|value| value.to_str().ok()).map(str::to_owned);
        // from docs: the key may stand in the query since 2026.4.3.
        let sent = sent
            .or_else(|| (sim.waha.release != super::Release::V2026_4_1).then(|| asked.query("x-api-key")).flatten());
        let admitted = sim.waha.admit(sent.as_deref(), &asked.method, asked.uri.path(), about.session.as_deref());
        admitted.map_err(IntoResponse::into_response)
    }

    fn too_large(&self) -> Response {
        Refusal::Nest(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large".into()).into_response()
    }

    fn too_many(&self, _: &Sim) -> Response {
        refusal::answer(StatusCode::TOO_MANY_REQUESTS, &json!({"message": "Too Many Requests", "statusCode": 429}))
    }

    fn crash(&self, sim: &Sim, asked: &Asked, message: &str) -> Response {
        refusal::crash(&sim.waha, &Crashed("Error", message.to_owned()), sim.now_ms(), echo(asked))
    }

    fn timelock(&self, sim: &Sim, asked: &Asked) -> Response {
        self.crash(sim, asked, "2 UNKNOWN: server returned error 463")
    }

    fn not_implemented(&self, sim: &Sim, _: &Asked) -> Response {
        Refusal::not_implemented(&sim.waha).into_response()
    }

    fn expired(&self, sim: &Arc<Sim>, _: &Asked, about: &About) -> Response {
        let session = about.session.clone().unwrap_or_default();
        let _ = sim.waha.withdraw(sim, &session);
        Refusal::Status { session, status: "FAILED", expected: vec!["WORKING"] }.into_response()
    }

    /// A crash gets its body here: it echoes the request.
    fn finish(&self, sim: &Sim, asked: &Asked, answer: Response) -> Response {
        let Some(crashed) = answer.extensions().get::<Crashed>() else { return answer };
        refusal::crash(&sim.waha, crashed, sim.now_ms(), echo(asked))
    }

    fn dress(&self, headers: &mut HeaderMap) {
        headers.insert("x-powered-by", HeaderValue::from_static("Express"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
}

fn echo(asked: &Asked) -> Value {
    let query: serde_json::Map<String, Value> =
        url::form_urlencoded::parse(asked.uri.query().unwrap_or_default().as_bytes())
            .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
            .collect();
    json!({"path": asked.uri.path(), "method": asked.method.as_str(), "body": asked.body, "query": query})
}
