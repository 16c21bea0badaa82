//! The audit log: who changed what, when, and how it was before. Handlers write it in the transaction of the change.
mod http;
mod store;

pub use http::routes;
pub use store::{Entry, Filter, page};

use crate::{
    Result,
    db::TenantTx,
    http::{Who, idempotency},
};
use serde::Serialize;
use serde_json::{Map, Value, json};

id! {
    /// One entry.
    AuditId, "aud"
}

/// The longest `before` or `after` that is kept, as JSON.
const LONGEST: usize = 16 * 1024;

/// Notes that `who` did `action` (`noun.verb`). What is the same in `before` and `after` is left out, secrets are blotted out; the
/// subject is whatever has an `id` in one of them. Give `&()` where there is no before, or no after.
pub fn record(
    tx: &mut TenantTx,
    who: &Who,
    action: &'static str,
    before: &impl Serialize,
    after: &impl Serialize,
) -> Result<()> {
    let (before, after) = (told(before), told(after));
    let subject = [&after, &before].into_iter().find_map(|value| value.get("id")?.as_str().map(str::to_owned));
    let (before, after) = differences(before, after);
    let kind = action.split('.').next().unwrap_or(action);
    store::add(tx, who, action, kind, subject.as_deref(), text(before).as_deref(), text(after).as_deref())?;
    idempotency::effect(tx, who)
}

fn told(value: &impl Serialize) -> Value {
    let mut value = serde_json::to_value(value).unwrap_or(Value::Null);
    redact(&mut value);
    value
}

/// Blots out what a name says is secret, at any depth.
fn redact(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.iter_mut().for_each(|(name, value)| match is_secret(name) {
            true if !value.is_null() => *value = json!("•••"),
            true => {}
            false => redact(value),
        }),
        Value::Array(items) => items.iter_mut().for_each(redact),
        Value::String(text) if url::Url::parse(text).is_ok_and(|url| url.password().is_some()) => *value = json!("•••"),
        _ => {}
    }
}

fn is_secret(name: &str) -> bool {
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric()).collect::<String>().to_ascii_lowercase();
    ["password", "secret", "token", "credential", "hash"].iter().any(|word| name.contains(word))
        || ["key", "apikey", "accesskey", "privatekey", "hookurl"].contains(&name.as_str())
}

/// Only the fields that differ, of two objects.
fn differences(before: Value, after: Value) -> (Value, Value) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            let only = |of: &Map<String, Value>, other: &Map<String, Value>| -> Value {
                of.iter()
                    .filter(|(name, value)| other.get(*name) != Some(value))
                    .map(|(n, v)| (n.clone(), v.clone()))
                    .collect()
            };
            (only(&before, &after), only(&after, &before))
        }
        other => other,
    }
}

fn text(value: Value) -> Option<String> {
    let text = match value {
        Value::Null => return None,
        value => value.to_string(),
    };
    if text.len() <= LONGEST {
        return Some(text);
    }
    let cut = text.floor_char_boundary(LONGEST - 1024);
    Some(json!({ "cut": &text[..cut] }).to_string()).filter(|text| text.len() <= 2 * LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_differences_are_kept_and_no_secret() {
        let (before, after) = differences(
            told(
                &json!({"id": "x", "name": "a", "role": "agent", "settings": {"apiKey": "s3cret", "url": "http://u:p@h", "at": "http://h"}}),
            ),
            told(&json!({"id": "x", "name": "b", "role": "agent", "accessToken": "t", "hookUrl": null})),
        );
        assert_eq!(before, json!({"name": "a", "settings": {"apiKey": "•••", "url": "•••", "at": "http://h"}}));
        assert_eq!(after, json!({"name": "b", "accessToken": "•••", "hookUrl": null}));
        assert_eq!(differences(Value::Null, json!({"id": 1})), (Value::Null, json!({"id": 1})));
        assert_eq!(text(Value::Null), None);
        assert!(text(json!("ä".repeat(40_000))).unwrap().len() < 2 * LONGEST);
    }
}
