//! One call to an Evolution: its address, its key, and what its refusals mean.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::Value;

use crate::http::{self, LONGEST, PATIENCE, Reply, exchange, quiet, timelock, wait};
use crate::{CallError, Capability, Link, SendError};

/// What a call on a number without a connection ends with: the client inside is missing, or has just gone.
const NOT_CONNECTED: [&str; 6] = [
    "'onWhatsApp'",
    "'readMessages'",
    "'sendMessage'",
    "'waUploadToServer'",
    "Connection Closed",
    "instance is not connected",
];

/// What a call can end with when WhatsApp has done it, or may have: everything that goes wrong in a send is a 400.
const AFTER: [&str; 3] = ["Prisma", "Timed Out", "timed out"];

pub struct Gateway<'a>(pub &'a Link);

impl Gateway<'_> {
    /// The instance's name, which goes into paths. The server itself takes any, even an empty one that it cannot delete.
    pub fn instance(&self) -> Result<&str, CallError> {
        self.0.name(60, "an Evolution instance")
    }

    pub fn request(
        &self,
        method: Method,
        segments: &[&str],
        query: &[(&str, &str)],
    ) -> Result<RequestBuilder, CallError> {
        let request = http::request(self.0, method, segments, query)?;
        Ok(request.header("apikey", self.0.key.expose_secret()))
    }

    /// Sends it; a refusal becomes an error. `needs` is what is missing when the server says it has no such thing.
    pub async fn send(
        &self,
        request: RequestBuilder,
        patience: Duration,
        longest: usize,
        needs: Option<Capability>,
    ) -> Result<Reply, CallError> {
        let reply = exchange(request, patience, longest).await?;
        if reply.status.is_success() { Ok(reply) } else { Err(refusal(&reply, needs)) }
    }

    /// `GET /<group>/<what>/<instance>`.
    pub async fn get(&self, group: &str, what: &str, query: &[(&str, &str)]) -> Result<Reply, CallError> {
        let request = self.request(Method::GET, &[group, what, self.instance()?], query)?;
        self.send(request, PATIENCE, LONGEST, None).await
    }

    /// `POST /<group>/<what>/<instance>`.
    pub async fn post(
        &self,
        group: &str,
        what: &str,
        body: &Value,
        needs: Option<Capability>,
    ) -> Result<Reply, CallError> {
        let request = self.request(Method::POST, &[group, what, self.instance()?], &[])?;
        let request = if body.is_null() { request } else { request.json(body) };
        self.send(request, PATIENCE, LONGEST, needs).await
    }

    pub async fn delete(&self, group: &str, what: &str, body: Option<&Value>) -> Result<Reply, CallError> {
        let request = self.request(Method::DELETE, &[group, what, self.instance()?], &[])?;
        let request = if let Some(body) = body { request.json(body) } else { request };
        self.send(request, PATIENCE, LONGEST, Some(Capability::Delete)).await
    }
}

/// What an answer to a send that is no success means.
pub fn send_refusal(reply: &Reply, needs: Option<Capability>) -> SendError {
    let nobody = || {
        let body: Value = reply.json().ok()?;
        let first = body["response"]["message"].get(0)?;
        (first["exists"] == false).then_some(())
    };
    if reply.status.as_u16() == 400 && nobody().is_some() {
        return SendError::NotOnWhatsApp;
    }
    refusal(reply, needs).into()
}

/// What an answer that is no success means: `{"status","error","response":{"message":X}}`, where X is a text, a list of texts, a list of lists or
/// of objects. A 500 with a message is Evolution's own, thrown before or in place of the effect only when it says that there is no connection.
pub fn refusal(reply: &Reply, needs: Option<Capability>) -> CallError {
    let body: Option<Value> = reply.object().ok().flatten();
    let body = body.unwrap_or_default();
    if body["code"] == "LICENSE_REQUIRED" {
        return CallError::Locked(
            "this Evolution server waits for its licence to be activated; version 2.3.7 needs none".into(),
        );
    }
    if let Some(wait) = wait(reply) {
        return CallError::Wait(wait);
    }
    let known = body.is_object();
    let why = quiet(&sentence(&body["response"]["message"]));
    let shown = || if known { why.clone() } else { reply.what().to_owned() };
    let status = reply.status.as_u16();
    let away = NOT_CONNECTED.iter().any(|word| why.contains(word)) || why.ends_with("is not connected");
    match status {
        401 => CallError::Denied("the API key is wrong, or belongs to another instance".into()),
        403 if why.contains("already in use") => CallError::Invalid(why),
        403 => CallError::Denied(format!("the API key may not do this ({})", shown())),
        404 if why.ends_with("instance does not exist")
            || (why.starts_with("Instance ") && why.ends_with("not found")) =>
        {
            CallError::Gone
        }
        404 if why.starts_with("Cannot ") => needs.map_or(CallError::Invalid(why), CallError::NotSupported),
        404 if known => CallError::NotFound(why),
        404 | 405 | 408 | 413 => http::before_it(reply),
        400 | 500 if away => CallError::WrongState("close".into()),
        400 | 500 if why.contains("Method not available") => {
            needs.map_or(CallError::Invalid(why), CallError::NotSupported)
        }
        400 | 500 if timelock(&why) => CallError::AccountLocked,
        400 | 500 if why.contains(http::OVERLIMIT) => CallError::Wait(http::OVERLIMIT_WAIT),
        // how the look-up of numbers says that there is no connection
        400 if known && body.as_object().is_some_and(serde_json::Map::is_empty) => {
            CallError::WrongState("close".into())
        }
        // thrown after WhatsApp had the message: its answer was late, or the server's own database failed
        400 if AFTER.iter().any(|word| why.contains(word)) => CallError::Strange(format!("400: {why}")),
        400..=499 => CallError::Invalid(if known { why } else { format!("{status} with {}", reply.what()) }),
        _ => CallError::Strange(format!("{status}: {}", shown())),
    }
}

/// The texts in it, whatever lists they are in.
fn sentence(message: &Value) -> String {
    fn collect<'a>(message: &'a Value, into: &mut Vec<&'a str>, depth: usize) {
        match message {
            Value::String(text) => into.push(text),
            Value::Array(list) if depth < 3 => list.iter().take(20).for_each(|item| collect(item, into, depth + 1)),
            _ => {}
        }
    }
    let mut texts = Vec::new();
    collect(message, &mut texts, 0);
    texts.join("; ")
}
