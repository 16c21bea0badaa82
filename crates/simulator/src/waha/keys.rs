//! API keys with less than all rights (from docs: `actions` since 2026.4.3).

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::{Method, StatusCode},
};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use super::{
    Gateway,
    input::Input,
    refusal::{self, Answer, Refusal},
};
use crate::sim::Sim;

/// How many keys there may be.
const MANY: usize = 10_000;

/// A key.
pub struct Key {
    key: String,
    is_admin: bool,
    is_active: bool,
    session: Option<String>,
    actions: Value,
}

impl Gateway {
    /// Whether this key opens this route.
    pub(super) fn admit(
        &self,
        sent: Option<&str>,
        method: &Method,
        path: &str,
        session: Option<&str>,
    ) -> Result<(), Refusal> {
        let sent = sent.ok_or(Refusal::Unauthorized)?;
        if sent.as_bytes().ct_eq(self.api_key.as_bytes()).into() {
            return Ok(());
        }
        let state = self.state();
        let key =
            state.keys.values().find(|key| key.is_active && bool::from(sent.as_bytes().ct_eq(key.key.as_bytes())));
        let key = key.ok_or(Refusal::Unauthorized)?;
        let own = key.session.is_some() && key.session.as_deref() == session;
        let allowed = key.actions.get(action(method, path)).and_then(Value::as_bool);
        if key.is_admin || (own && allowed.unwrap_or(action(method, path) != "delete")) {
            return Ok(());
        }
        Err(Refusal::Nest(StatusCode::FORBIDDEN, "Forbidden resource".into()))
    }
}

/// Which right a route needs.
fn action(method: &Method, path: &str) -> &'static str {
    let control = ["/start", "/stop", "/restart", "/logout"].iter().any(|end| path.ends_with(end));
    match (method, path.starts_with("/api/sessions")) {
        (&Method::GET, _) => "read",
        (&Method::DELETE, true) => "delete",
        (_, true) if control => "control",
        (_, true) => "setting",
        _ if path.contains("/auth/") => "control",
        _ => "send",
    }
}

fn json(id: &str, key: &Key) -> Value {
    json!({
        "id": id, "key": key.key, "isActive": key.is_active, "isAdmin": key.is_admin,
        "session": key.session, "actions": key.actions,
    })
}

fn read(input: &Value, key: String) -> Key {
    Key {
        key,
        is_admin: input.get("isAdmin").and_then(Value::as_bool).unwrap_or(false),
        is_active: input.get("isActive").and_then(Value::as_bool).unwrap_or(true),
        session: input.get("session").and_then(Value::as_str).map(str::to_owned),
        actions: input.get("actions").cloned().unwrap_or_default(),
    }
}

pub async fn list(State(sim): State<Arc<Sim>>) -> Answer {
    let keys: Vec<Value> = sim.waha.state().keys.iter().map(|(id, key)| json(id, key)).collect();
    Ok(refusal::ok(&json!(keys)))
}

pub async fn create(State(sim): State<Arc<Sim>>, Input(input): Input) -> Answer {
    let mut state = sim.waha.state();
    let session = input.get("session").and_then(Value::as_str);
    if session.is_some_and(|name| !state.sessions.contains_key(name)) {
        return Err(Refusal::unprocessable("Session does not exist"));
    }
    if state.keys.len() >= MANY {
        return Err(Refusal::unprocessable("There are too many keys"));
    }
    let (id, key) = (uuid::Uuid::now_v7().simple(), uuid::Uuid::new_v4().simple());
    let (id, key) = (format!("key_id_{id}"), read(&input, format!("key_{key}")));
    let answer = refusal::created(&json(&id, &key));
    state.keys.insert(id, key);
    Ok(answer)
}

pub async fn update(State(sim): State<Arc<Sim>>, Path(id): Path<String>, Input(input): Input) -> Answer {
    let mut state = sim.waha.state();
    let there = state.keys.get_mut(&id).ok_or_else(|| Refusal::missing("API key not found"))?;
    *there = read(&input, there.key.clone());
    Ok(refusal::ok(&json(&id, there)))
}

pub async fn remove(State(sim): State<Arc<Sim>>, Path(id): Path<String>) -> Answer {
    sim.waha.state().keys.remove(&id);
    Ok(refusal::ok(&json!({"result": true})))
}
