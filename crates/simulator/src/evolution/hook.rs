//! The hook of an instance: its setting, and an event as it goes over the wire. There is no signature.

use std::sync::Arc;

use axum::extract::State;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::{
    Gateway, SERVER_URL,
    answer::{Answer, Refusal, created, ok},
    input::{Input, Kind, check},
    instance::{Instance, iso},
};
use crate::{
    faults::Case,
    hooks::{Parcel, Policy, Retries},
    sim::Sim,
};

/// All events that can be wanted.
const EVENTS: [&str; 31] = [
    "APPLICATION_STARTUP",
    "QRCODE_UPDATED",
    "MESSAGES_SET",
    "MESSAGES_UPSERT",
    "MESSAGES_EDITED",
    "MESSAGES_UPDATE",
    "MESSAGES_DELETE",
    "SEND_MESSAGE",
    "SEND_MESSAGE_UPDATE",
    "CONTACTS_SET",
    "CONTACTS_UPSERT",
    "CONTACTS_UPDATE",
    "PRESENCE_UPDATE",
    "CHATS_SET",
    "CHATS_UPSERT",
    "CHATS_UPDATE",
    "CHATS_DELETE",
    "GROUPS_UPSERT",
    "GROUP_UPDATE",
    "GROUP_PARTICIPANTS_UPDATE",
    "CONNECTION_UPDATE",
    "LABELS_EDIT",
    "LABELS_ASSOCIATION",
    "CALL",
    "TYPEBOT_START",
    "TYPEBOT_CHANGE_STATUS",
    "REMOVE_INSTANCE",
    "LOGOUT_INSTANCE",
    "INSTANCE_CREATE",
    "INSTANCE_DELETE",
    "STATUS_INSTANCE",
];

/// Ten tries: 5 s, doubled up to 300 s, 20 % more or less.
const RETRIES: Retries = Retries { policy: Policy::Doubling, delay_s: 5.0, attempts: 9 };
/// These are believed: no try follows.
const BELIEVED: &[u16] = &[400, 401, 403, 404, 422];

/// The setting.
#[derive(Debug, Clone)]
pub struct Webhook {
    pub url: String,
    pub headers: Value,
    enabled: bool,
    events: Vec<String>,
    by_events: bool,
    base64: bool,
    created_ms: i64,
    updated_ms: i64,
}

impl Webhook {
    /// Reads a setting. What is left out stays as it was in `before`; only events must be given.
    pub fn of(given: &Value, before: Option<&Webhook>, now_ms: i64) -> Result<Webhook, Refusal> {
        let Some(events) = given.get("events").and_then(Value::as_array) else {
            let why = Refusal::no_client("length");
            // Create catches what `set` does not.
            return Err(if before.is_none() { Refusal::bad(why) } else { Refusal::crash(why) });
        };
        let events: Vec<String> = match events.is_empty() {
            true => EVENTS.iter().map(|event| (*event).to_owned()).collect(),
            false => events.iter().filter_map(|event| event.as_str().map(str::to_owned)).collect(),
        };
        let flag = |name: &str, old: Option<bool>| given.get(name).and_then(Value::as_bool).or(old).unwrap_or(false);
        Ok(Webhook {
            url: given["url"].as_str().unwrap_or_default().to_owned(),
            headers: given.get("headers").or(before.map(|before| &before.headers)).cloned().unwrap_or_default(),
            enabled: true,
            events,
            by_events: flag("byEvents", before.map(|before| before.by_events)),
            base64: flag("base64", before.map(|before| before.base64)),
            created_ms: before.map_or(now_ms, |before| before.created_ms),
            updated_ms: now_ms,
        })
    }

    fn row(&self, instance: &Instance) -> Value {
        json!({
            "id": instance.row("webhook"),
            "url": self.url,
            "headers": self.headers,
            "enabled": self.enabled,
            "events": self.events,
            "webhookByEvents": self.by_events,
            "webhookBase64": self.base64,
            "createdAt": iso(self.created_ms),
            "updatedAt": iso(self.updated_ms),
            "instanceId": instance.id,
        })
    }

    /// Whether files stand in the hook itself.
    pub fn with_files(&self) -> bool {
        self.enabled && self.base64
    }
}

pub async fn set(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    input.check(&[("webhook", Kind::Object, true)])?;
    let given = &input.body["webhook"];
    check(
        given,
        "webhook",
        &[("enabled", Kind::Bool, true), ("url", Kind::Text, true), ("events", Kind::List(0), false)],
    )?;
    let unknown = given["events"].as_array().into_iter().flatten().enumerate();
    let unknown: Vec<String> = unknown
        .filter(|(_, event)| !EVENTS.iter().any(|known| event == known))
        .map(|(at, _)| format!("webhook.events[{at}] is not one of enum values: {}", EVENTS.join(",")))
        .collect();
    if !unknown.is_empty() {
        return Err(Refusal::schema(unknown));
    }
    let now = sim.now_ms();
    let row: Option<Result<Value, Refusal>> = sim.evolution.with(&input.instance, |instance| {
        let fresh = Webhook {
            url: String::new(),
            headers: Value::Null,
            enabled: true,
            events: Vec::new(),
            by_events: false,
            base64: false,
            created_ms: now,
            updated_ms: now,
        };
        let mut hook = Webhook::of(given, Some(instance.webhook.as_ref().unwrap_or(&fresh)), now)?;
        hook.enabled = given["enabled"] == true;
        if !hook.enabled {
            hook.events.clear();
        }
        let row = hook.row(instance);
        instance.webhook = Some(hook);
        Ok(row)
    });
    created(&row.ok_or_else(|| Refusal::no_instance(&input.instance))??)
}

pub async fn find(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    let row = sim
        .evolution
        .with(&input.instance, |instance| instance.webhook.as_ref().map_or(Value::Null, |hook| hook.row(instance)));
    ok(&row.ok_or_else(|| Refusal::no_instance(&input.instance))?)
}

impl Gateway {
    /// Posts an event to the instance's hook, if it is wanted. `chat` is for faults.
    pub(super) fn emit(&self, sim: &Arc<Sim>, instance: &Instance, event: &str, data: &Value, chat: Option<&str>) {
        let Some(hook) = instance.webhook.as_ref().filter(|hook| hook.enabled) else { return };
        let name = event.replace(['.', '-'], "_").to_uppercase();
        if !hook.events.contains(&name) || !(hook.url.starts_with("http://") || hook.url.starts_with("https://")) {
            return;
        }
        let at_ms = sim.now_ms();
        let mut envelope = json!({
            "event": event,
            "instance": instance.name,
            "data": data,
            "destination": hook.url,
            "date_time": iso(at_ms),
            "server_url": SERVER_URL,
            "apikey": instance.token,
        });
        if event == "messages.set" {
            (envelope["isLatest"], envelope["progress"]) = (true.into(), 100.into());
        }
        if let Some(sender) = instance.own_jid() {
            envelope["sender"] = sender.into();
        }
        let parcel = Parcel {
            url: match hook.by_events {
                true => format!("{}/{}", hook.url, name.replace('_', "-").to_lowercase()),
                false => hook.url.clone(),
            },
            headers: headers(hook.headers.as_object(), at_ms),
            body: envelope.to_string().into(),
            retries: RETRIES,
            believed: BELIEVED,
            strict: false,
            // There is no id of a delivery.
            id: String::new(),
            event: event.to_owned(),
            session: instance.name.clone(),
        };
        let case = Case { session: Some(&instance.name), chat_id: chat, event, ..Case::default() };
        sim.hooks.offer(sim, case, parcel.clone(), || parcel.clone());
    }
}

/// The headers of a hook: its own, and a token instead of `jwt_key`.
fn headers(own: Option<&Map<String, Value>>, at_ms: i64) -> Vec<(String, String)> {
    let mut headers = vec![
        ("Accept".to_owned(), "application/json, text/plain, */*".to_owned()),
        ("Content-Type".to_owned(), "application/json".to_owned()),
        ("User-Agent".to_owned(), "axios/1.13.2".to_owned()),
    ];
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let key = own.and_then(|own| own.get("jwt_key"));
    for (name, value) in own.into_iter().flatten() {
        let replaced = name == "jwt_key" || (key.is_some() && name.eq_ignore_ascii_case("authorization"));
        if !replaced {
            headers.push((name.clone(), text(value)));
        }
    }
    if let Some(key) = key {
        headers.push(("Authorization".to_owned(), format!("Bearer {}", jwt(&text(key), at_ms / 1000))));
    }
    headers
}

/// A JSON web token of ten minutes, HS256.
fn jwt(key: &str, at_s: i64) -> String {
    let claims = format!(r#"{{"iat":{at_s},"exp":{},"app":"evolution","action":"webhook"}}"#, at_s + 600);
    let coded = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", coded(r#"{"alg":"HS256","typ":"JWT"}"#), coded(&claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::jwt;

    #[test]
    fn a_token_is_that_of_the_real_server() {
        let captured = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpYXQiOjE3OTUxNTA2OTYsImV4cCI6MTc5NTE1MTI5NiwiYXBwIjoiZXZvbHV0aW9uIiwiYWN0aW9uIjoid2ViaG9vayJ9.nsy_5DHUxhBTCIPIJj8pmH1MDyh3EL6CV5946zEJW74";
        assert_eq!(jwt("jwtsecret", 1795150696), captured);
    }
}
