//! What a phone does with a session: scan its code, type its pairing code, unlink it. Played by the control API.

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Duration, timeout};

use super::{
    Gateway,
    session::{Linked, Me, QR_ATTEMPTS, Session, Status},
};
use crate::{sim::Sim, world::Refused};

/// How a phone links itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scan {
    /// It is held before the screen of this session.
    Of(String),
    /// It has read this code.
    Code(String),
    /// Its owner types this pairing code.
    Pairing(String),
}

/// A session as the phone page and tests see it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// Name at the gateway.
    pub name: String,
    /// Its status.
    pub status: &'static str,
    /// Digits of the linked phone.
    pub phone: Option<String>,
    /// Its name.
    pub push_name: Option<String>,
    /// What stands on the screen now.
    pub qr: Option<String>,
    /// Which code this is.
    pub attempt: Option<u32>,
    /// Of how many.
    pub attempts: u32,
    /// When it is renewed.
    pub expires_at: Option<i64>,
    /// The pairing code, if one was asked for.
    pub pairing_code: Option<String>,
    /// The phone it was asked for.
    pub pairing_phone: Option<String>,
    /// Metadata of its configuration.
    pub metadata: Value,
    /// Addresses of its webhooks.
    pub hooks: Vec<String>,
}

impl View {
    fn of(session: &Session) -> View {
        View {
            name: session.name.clone(),
            status: session.status().name(),
            phone: session.me.as_ref().map(|me| me.phone.clone()),
            push_name: session.me.as_ref().map(|me| me.push_name.clone()),
            qr: session.qr.as_ref().map(|qr| qr.value.clone()),
            attempt: session.qr.as_ref().map(|qr| qr.attempt),
            attempts: QR_ATTEMPTS,
            expires_at: session.qr.as_ref().map(|qr| qr.expires_at_ms),
            pairing_code: session.pairing.as_ref().map(|(code, _)| code.clone()),
            pairing_phone: session.pairing.as_ref().map(|(_, phone)| phone.clone()),
            metadata: session.config.get("metadata").cloned().unwrap_or(json!({})),
            hooks: session.webhooks.iter().map(|hook| hook.url.clone()).collect(),
        }
    }
}

impl Gateway {
    /// All sessions.
    pub(crate) fn views(&self) -> Vec<View> {
        self.state().sessions.values().map(View::of).collect()
    }

    /// One session.
    pub(crate) fn view(&self, name: &str) -> Option<View> {
        self.state().sessions.get(name).map(View::of)
    }

    /// A phone links itself: SCAN_QR_CODE → STARTING → WORKING.
    pub(crate) fn scan(
        &self,
        sim: &Arc<Sim>,
        scan: &Scan,
        phone: &str,
        push_name: Option<&str>,
    ) -> Result<String, Refused> {
        let me = {
            let mut world = sim.world();
            world.line_mut(phone)?;
            let person = world.person_mut(phone)?;
            if let Some(name) = push_name {
                person.push_name = name.to_owned();
            }
            Me { phone: person.phone.clone(), lid: person.lid.clone(), push_name: person.push_name.clone() }
        };
        let mut state = self.state();
        let session = match scan {
            Scan::Of(name) => state.sessions.get_mut(name).ok_or(Refused::Missing("such session"))?,
            Scan::Code(value) => state
                .sessions
                .values_mut()
                .find(|session| session.qr.as_ref().is_some_and(|qr| qr.value == *value))
                .ok_or(Refused::Cannot("that code is not shown (any more)"))?,
            Scan::Pairing(code) => {
                let plain = |code: &str| code.replace('-', "").to_uppercase();
                let fits = |session: &Session| session.pairing.as_ref().is_some_and(|(c, _)| plain(c) == plain(code));
                let found = state.sessions.values_mut().find(|session| fits(session));
                let session = found.ok_or(Refused::Cannot("nobody asked for that pairing code"))?;
                if session.pairing.as_ref().is_some_and(|(_, asked_for)| asked_for != phone) {
                    return Err(Refused::Cannot("that pairing code is for another phone"));
                }
                session
            }
        };
        if session.status() != Status::ScanQrCode {
            return Err(Refused::Cannot("that session does not wait for a scan"));
        }
        session.epoch += 1;
        session.linked = Linked::To(me);
        self.set(sim, session, Status::Starting);
        self.go_on_later(sim, session);
        Ok(session.name.clone())
    }

    /// Waits until a session has this status.
    pub(crate) async fn until(&self, name: &str, status: Status, at_most: Duration) -> bool {
        let mut changes = self.changed.subscribe();
        let there = || self.state().sessions.get(name).map(Session::status) == Some(status);
        let wait = async {
            while !there() {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        timeout(at_most, wait).await.is_ok() && there()
    }

    /// The phone's owner unlinks the device: the session fails, and fails again until it is logged out.
    pub(crate) fn withdraw(&self, sim: &Arc<Sim>, name: &str) -> Result<(), Refused> {
        self.change(name, |session| {
            session.epoch += 1;
            session.linked = Linked::Withdrawn;
            self.set(sim, session, Status::Failed);
        })
    }

    /// The code on the screen runs out now.
    pub(crate) fn expire_code(&self, sim: &Arc<Sim>, name: &str) -> Result<(), Refused> {
        self.change(name, |session| {
            if let Some(attempt) = session.qr.as_ref().map(|qr| qr.attempt) {
                self.show_code(sim, session, attempt + 1);
            }
        })
    }

    /// Sets a status by force and tells it, as when a connection flaps.
    pub(crate) fn force(&self, sim: &Arc<Sim>, name: &str, status: Status) -> Result<(), Refused> {
        self.change(name, |session| {
            session.epoch += 1;
            match status {
                Status::ScanQrCode => {
                    (session.linked, session.me) = (Linked::No, None);
                    self.show_code(sim, session, 1);
                }
                status => self.set(sim, session, status),
            }
        })
    }

    fn change(&self, name: &str, work: impl FnOnce(&mut Session)) -> Result<(), Refused> {
        let mut state = self.state();
        state.sessions.get_mut(name).map(work).ok_or(Refused::Missing("such session"))
    }
}
