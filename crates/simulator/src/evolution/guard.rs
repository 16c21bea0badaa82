//! Evolution's gate: first whether the instance is there, then its name, and only then the key.

use std::sync::Arc;

use axum::{
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;

use super::{answer::Refusal, instance::Reason};
use crate::{
    gate::{About, Asked, Gate, json},
    sim::Sim,
};

/// Groups of routes whose third segment is an instance.
const OF_INSTANCE: [&str; 6] = ["instance", "message", "chat", "webhook", "settings", "call"];

/// The gate.
#[derive(Default)]
pub struct Evolution;

impl Gate for Evolution {
    /// Its own limit is 136 MB.
    const BODY: usize = 136 * 1024 * 1024;

    fn about(&self, asked: &Asked) -> About {
        let key = |name: &str| asked.body.pointer(&format!("/key/{name}")).and_then(Value::as_str).map(str::to_owned);
        About {
            session: in_path(asked).or_else(|| asked.text("instanceName")),
            chat: asked.text("number").or_else(|| asked.text("remoteJid")).or_else(|| key("remoteJid")),
        }
    }

    fn admit(&self, sim: &Arc<Sim>, asked: &Asked, about: &About) -> Result<(), Response> {
        admit(sim, asked, about).map_err(IntoResponse::into_response)
    }

    fn too_large(&self) -> Response {
        Refusal(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large".into()).into_response()
    }

    /// A proxy before it: Evolution itself counts nothing.
    fn too_many(&self, _: &Sim) -> Response {
        json(StatusCode::TOO_MANY_REQUESTS, &json!({"message": "Too Many Requests"}))
    }

    fn crash(&self, _: &Sim, _: &Asked, message: &str) -> Response {
        Refusal::crash(message).into_response()
    }

    /// What WhatsApp answers to a send is caught, and passed on in words.
    fn timelock(&self, _: &Sim, _: &Asked) -> Response {
        Refusal::bad("Error: server returned error 463").into_response()
    }

    fn not_implemented(&self, _: &Sim, _: &Asked) -> Response {
        Refusal::crash("Method not available in the Baileys service").into_response()
    }

    /// The owner unlinks the device, and the client inside is gone.
    fn expired(&self, sim: &Arc<Sim>, _: &Asked, about: &About) -> Response {
        let name = about.session.as_deref().unwrap_or_default();
        let _ = sim.evolution.with(name, |instance| sim.evolution.close(sim, instance, Reason::LOGGED_OUT));
        Refusal::crash("Connection Closed").into_response()
    }

    fn dress(&self, headers: &mut HeaderMap) {
        headers.insert("x-powered-by", HeaderValue::from_static("Express"));
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
}

/// The instance that the path names.
fn in_path(asked: &Asked) -> Option<String> {
    match asked.segments().as_slice() {
        [group, _, name] if OF_INSTANCE.contains(&group.as_str()) => Some(name.clone()),
        _ => None,
    }
}

fn admit(sim: &Sim, asked: &Asked, about: &About) -> Result<(), Refusal> {
    let path = asked.uri.path();
    // Whoever reaches the port may write to it: `evolution` and `meta` are the channels' own hooks.
    if path == "/" || ["/webhook/evolution", "/webhook/meta"].contains(&path) {
        return Ok(());
    }
    let named = in_path(asked);
    let token = match &named {
        Some(name) => Some(sim.evolution.token(name).ok_or_else(|| Refusal::no_instance(name))?),
        None => None,
    };
    let creating = asked.method == Method::POST && path == "/instance/create";
    if creating
        && let Some(name) = &about.session
        && sim.evolution.token(name).is_some()
    {
        return Err(Refusal::forbidden(format!("This name \"{name}\" is already in use.")));
    }
    let sent = asked.headers.get("apikey").map(HeaderValue::as_bytes).unwrap_or_default();
    let global = bool::from(sent.ct_eq(sim.config.api_key.as_bytes()));
    let own = token.is_some_and(|token| bool::from(sent.ct_eq(token.as_bytes())));
    // A token of any instance opens the list: it sees itself there.
    let listed = path == "/instance/fetchInstances" && sim.evolution.has_token(sent);
    if global || own || listed { Ok(()) } else { Err(Refusal::unauthorized()) }
}
