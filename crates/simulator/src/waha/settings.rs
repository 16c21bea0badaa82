//! A session's configuration: kept as it was given, and checked as WAHA checks it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::refusal::Refusal;
use crate::hooks::Retries;

/// The events of 2026.4.1, in the order of its own error message. (from docs: 2026.6.1 has the same)
pub const EVENTS: [&str; 31] = [
    "session.status",
    "message",
    "message.reaction",
    "message.any",
    "message.ack",
    "message.ack.group",
    "message.waiting",
    "message.revoked",
    "message.edited",
    "state.change",
    "group.join",
    "group.leave",
    "group.v2.join",
    "group.v2.leave",
    "group.v2.update",
    "group.v2.participants",
    "presence.update",
    "poll.vote",
    "poll.vote.failed",
    "chat.archive",
    "call.received",
    "call.accepted",
    "call.rejected",
    "label.upsert",
    "label.deleted",
    "label.chat.added",
    "label.chat.deleted",
    "event.response",
    "event.response.failed",
    "engine.event",
    "*",
];

/// One webhook, in WAHA's own words.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Where to.
    pub url: String,
    /// Which events; `*` is all but `state.change` and `engine.event`.
    #[serde(default)]
    pub events: Vec<String>,
    /// How it is signed.
    #[serde(default)]
    pub hmac: Option<Hmac>,
    /// When it is tried again.
    #[serde(default)]
    pub retries: Option<Retries>,
    /// Headers to add.
    #[serde(default)]
    pub custom_headers: Option<Vec<Header>>,
}

/// The key of a signature.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Hmac {
    /// Its bytes are the text's UTF-8.
    pub key: Option<String>,
}

/// A header to add.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Header {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

impl Webhook {
    /// Whether it wants this event.
    pub fn wants(&self, event: &str) -> bool {
        self.events.iter().any(|wanted| match wanted.as_str() {
            "*" => !matches!(event, "state.change" | "engine.event"),
            wanted => wanted == event,
        })
    }
}

/// The webhooks of a configuration that was checked.
pub fn webhooks(config: &Value) -> Vec<Webhook> {
    config.get("webhooks").and_then(|hooks| serde_json::from_value(hooks.clone()).ok()).unwrap_or_default()
}

/// Whether the configuration says to keep quiet about this kind of chat.
pub fn ignores(config: &Value, kind: &str) -> bool {
    config.pointer(&format!("/ignore/{kind}")).and_then(Value::as_bool).unwrap_or(false)
}

/// Looks at a configuration as WAHA's validator does, and says all that is wrong with it.
pub fn check(config: &Value) -> Result<(), Refusal> {
    let mut wrong = Vec::new();
    let hooks = match config.get("webhooks") {
        None | Some(Value::Null) => &[][..],
        Some(Value::Array(hooks)) => hooks,
        Some(_) => {
            wrong.push("config.webhooks must be an array".to_owned());
            &[]
        }
    };
    for (at, hook) in hooks.iter().enumerate() {
        let at = format!("config.webhooks.{at}");
        let url = hook.get("url").and_then(Value::as_str).and_then(|url| url::Url::parse(url).ok());
        if !url.is_some_and(|url| matches!(url.scheme(), "http" | "https")) {
            wrong.push(format!("{at}.url must be a URL address"));
        }
        let known = |event: &Value| event.as_str().is_some_and(|event| EVENTS.contains(&event));
        match hook.get("events").and_then(Value::as_array) {
            Some(events) if events.iter().all(known) => {}
            Some(_) => wrong
                .push(format!("{at}.each value in events must be one of the following values: {}", EVENTS.join(", "))),
            None => wrong.push(format!("{at}.events must be an array")),
        }
        let retries = hook.get("retries").filter(|retries| !retries.is_null());
        if retries.is_some_and(|retries| serde_json::from_value::<Retries>(retries.clone()).is_err()) {
            wrong.push(format!(
                "{at}.retries.policy must be one of the following values: linear, exponential, constant"
            ));
        }
        if wrong.is_empty() && serde_json::from_value::<Webhook>(hook.clone()).is_err() {
            wrong.push(format!("{at}.nested property webhooks must be either object or array"));
        }
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Refusal::bad(json!(wrong))),
    }
}

/// Looks at the name of a new session.
pub fn check_name(name: &str) -> Result<(), Refusal> {
    let mut wrong = Vec::new();
    if name.len() > 54 {
        wrong.push("name must be shorter than or equal to 54 characters");
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')) {
        wrong.push("name must match /^[a-zA-Z0-9_-]*$/ regular expression");
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(Refusal::bad(json!(wrong))),
    }
}
