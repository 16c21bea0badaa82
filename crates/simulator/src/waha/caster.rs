//! Hooks for the load generator: one customer's text after another, signed, without a world behind them.

use bytes::Bytes;
use serde_json::json;

use super::{
    Gateway, Webhook,
    session::Session,
    settings::Hmac,
    shape::{Lens, Tense},
};
use crate::world::{Address, Author, NewMessage, Refused, World};

/// Makes hooks for one target.
pub struct Caster {
    gateway: Gateway,
    session: Session,
    hook: Webhook,
    line: String,
}

impl Gateway {
    /// A gateway of the same kind without any state.
    fn twin(&self) -> Gateway {
        Gateway {
            engine: self.engine,
            release: self.release,
            api_key: String::new(),
            base_url: self.base_url.clone(),
            hooks: Vec::new(),
            state: Default::default(),
            changed: tokio::sync::watch::Sender::new(0),
        }
    }

    /// Hooks as this session would post them to its first webhook.
    pub(crate) fn caster(&self, name: &str) -> Result<Caster, Refused> {
        let state = self.state();
        let session = state.sessions.get(name).ok_or(Refused::Missing("such session"))?;
        let hook = session.webhooks.first().ok_or(Refused::Cannot("that session has no webhook"))?.clone();
        Ok(Caster {
            gateway: self.twin(),
            line: session.me.as_ref().map_or_else(|| "27820001000".into(), |me| me.phone.clone()),
            session: Session {
                name: session.name.clone(),
                config: session.config.clone(),
                me: session.me.clone(),
                ..Session::default()
            },
            hook,
        })
    }

    /// Hooks of a session that need not exist.
    pub(crate) fn caster_to(&self, name: &str, url: String, key: Option<String>) -> Caster {
        let hmac = key.map(|key| Hmac { key: Some(key) });
        Caster {
            gateway: self.twin(),
            line: "27820001000".into(),
            session: Session { name: name.to_owned(), ..Session::default() },
            hook: Webhook { url, events: vec!["*".into()], hmac, retries: None, custom_headers: None },
        }
    }
}

impl Caster {
    /// Where they go.
    pub fn url(&self) -> &str {
        &self.hook.url
    }

    /// A `message.any` with these words from this phone, filled up to `bytes`.
    pub fn text(&self, phone: &str, id: &str, words: &str, bytes: usize, at_ms: i64) -> (Vec<(String, String)>, Bytes) {
        let make = |words: &str| {
            let mut world = World::new(std::sync::Arc::new(move || at_ms), Default::default());
            let chat = Address::Person(phone.to_owned());
            let new = NewMessage {
                id: Some(id.to_owned()),
                ..NewMessage::text(chat, Author::Person(phone.to_owned()), words)
            };
            let message = world.write(&self.line, new, &mut Vec::new()).expect("an empty world has room");
            let lens = Lens { world: &world, line: &self.line, gateway: &self.gateway };
            let payload = lens.message(&message, Tense::Arrived, json!(null));
            self.gateway.parcel(&self.session, &self.hook, at_ms, "message.any", &payload)
        };
        let mut parcel = make(words);
        if let Some(missing) = bytes.checked_sub(parcel.body.len()).filter(|missing| *missing > 0) {
            // The words stand in the body twice: as they are, and inside `_data`.
            parcel = make(&format!("{words} {}", "x".repeat((missing / 2).saturating_sub(1))));
        }
        (parcel.headers, parcel.body)
    }
}
