//! A hook as it goes over the wire: envelope, signature, headers; and what faults make of it.

use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use rand::RngExt as _;
use serde_json::{Value, json};
use sha2::Sha512;

use super::{
    Gateway, Webhook,
    session::{Me, Session},
};
use crate::{chance::letters, faults::Case, hooks::Parcel, sim::Sim};

/// The signature of `body`: HMAC-SHA512 in lower-case hex.
pub fn sign(key: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha512>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(body);
    hex::encode(mac.finalize().into_bytes())
}

impl Gateway {
    /// Posts an event to every webhook of the session that wants it, under each of its names. `chat` is for faults.
    pub(super) fn emit(&self, sim: &Arc<Sim>, session: &Session, names: &[&str], payload: &Value, chat: Option<&str>) {
        let at = sim.now_ms();
        // `message` and `message.any` of one message carry one id on NOWEB and GOWS.
        let id = event_id(at);
        for name in names {
            let id = if self.engine == super::Engine::Webjs { event_id(at) } else { id.clone() };
            for hook in session.webhooks.iter().chain(&self.hooks).filter(|hook| hook.wants(name)) {
                let make = |id: &str| self.parcel_with(session, hook, id, at, name, payload);
                let case = Case { session: Some(&session.name), chat_id: chat, event: name, ..Case::default() };
                sim.hooks.offer(sim, case, make(&id), || make(&event_id(at)));
            }
        }
    }

    /// An event with an id of its own, for one webhook.
    pub(super) fn parcel(&self, session: &Session, hook: &Webhook, at: i64, event: &str, payload: &Value) -> Parcel {
        self.parcel_with(session, hook, &event_id(at), at, event, payload)
    }

    fn parcel_with(
        &self,
        session: &Session,
        hook: &Webhook,
        id: &str,
        at: i64,
        event: &str,
        payload: &Value,
    ) -> Parcel {
        let mut envelope = json!({
            "id": id,
            "timestamp": at,
            "event": event,
            "session": session.name,
            "me": session.me.as_ref().map(Me::json),
            "payload": payload,
            "engine": self.engine.name(),
            "environment": self.environment(),
        });
        // Absent when it was not set.
        if let Some(metadata) = session.config.get("metadata").filter(|metadata| !metadata.is_null()) {
            envelope["metadata"] = metadata.clone();
        }
        let body = envelope.to_string();
        let mut headers = vec![
            ("Content-Type".to_owned(), "application/json".to_owned()),
            ("User-Agent".to_owned(), format!("WAHA/{}", self.release.version())),
        ];
        headers.extend(hook.custom_headers.iter().flatten().map(|header| (header.name.clone(), header.value.clone())));
        headers.push(("X-Webhook-Request-Id".to_owned(), request_id()));
        headers.push(("X-Webhook-Timestamp".to_owned(), at.to_string()));
        if let Some(key) = hook.hmac.as_ref().and_then(|hmac| hmac.key.as_deref()) {
            headers.push(("X-Webhook-Hmac".to_owned(), sign(key, body.as_bytes())));
            headers.push(("X-Webhook-Hmac-Algorithm".to_owned(), "sha512".to_owned()));
        }
        Parcel {
            url: hook.url.clone(),
            headers,
            body: body.into(),
            retries: hook.retries.unwrap_or_default(),
            believed: &[],
            strict: false,
            id: id.to_owned(),
            event: event.to_owned(),
            session: session.name.clone(),
        }
    }
}

/// `evt_` and a ULID in lower case: 48 bits of time, 80 of chance.
fn event_id(at_ms: i64) -> String {
    const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
    let chance: u128 = rand::rng().random();
    let number = u128::try_from(at_ms).unwrap_or(0) << 80 | chance >> 48;
    let text: String =
        (0..26).rev().map(|place| char::from(LETTERS[((number >> (place * 5)) & 31) as usize])).collect();
    format!("evt_{text}")
}

/// 17 letters and digits, as WAHA's.
fn request_id() -> String {
    letters(17, b"0123456789abcdefghijklmnopqrstuvwxyz")
}

#[cfg(test)]
mod tests {
    use super::{event_id, request_id, sign};

    #[test]
    fn signatures_are_those_of_the_real_server() {
        let own = br#"{"event":"message","session":"default","engine":"WEBJS"}"#;
        assert_eq!(
            sign("my-secret-key", own),
            "208f8a55dde9e05519e898b10b89bf0d0b3b0fdf11fdbf09b6b90476301b98d8097c462b2b17a6ce93b6b47a136cf2e78a33a63f6752c2c1631777076153fa89"
        );
        let body = r#"{"id":"evt_01test","timestamp":1795150000000,"event":"message","session":"t1_i1","payload":{"id":"false_27820001001@c.us_3EB0AAAA","from":"27820001001@c.us","fromMe":false,"body":"Sawubona 👋"}}"#;
        assert_eq!(
            sign("indaba-test-secret", body.as_bytes()),
            "f2df302ea970b2772244b9bb931ada15be1683b8bbd605f22992ebea07c56de1a606b2ba38a0d726dc686a332966b472f85e13999922676f89d5c7662939e35d"
        );
    }

    #[test]
    fn ids_have_the_shape_of_the_real_ones() {
        // The first ten letters are the time: those of a captured event.
        assert!(event_id(1795151286021).starts_with("evt_01m7vnnkr5"), "{}", event_id(1795151286021));
        assert_eq!(event_id(1795151286021).len(), "evt_01m7vnnkr5bfw49kj0m7t1jdq0".len());
        assert_eq!(request_id().len(), "3b2ozl7e6mwoi27eg".len());
    }
}
