//! What a phone does with a session: scan its code, type its pairing code, unlink it. Played by the control API.

use std::sync::Arc;

use serde_json::json;

use super::{
    Gateway,
    session::{Linked, Me, QR_ATTEMPTS, Session, Status},
};
use crate::{
    link::{Links, Scan, View},
    sim::Sim,
    world::Refused,
};

fn view(session: &Session) -> View {
    View {
        gateway: "waha",
        name: session.name.clone(),
        status: session.status().name(),
        linked: session.status() == Status::Working,
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

/// Whether a session shows what was scanned or typed.
fn shows(session: &Session, scan: &Scan) -> bool {
    let plain = |code: &str| code.replace('-', "").to_uppercase();
    match scan {
        Scan::Of(name) => session.name == *name,
        Scan::Code(value) => session.qr.as_ref().is_some_and(|qr| qr.value == *value),
        Scan::Pairing(code) => session.pairing.as_ref().is_some_and(|(shown, _)| plain(shown) == plain(code)),
    }
}

impl Links for Gateway {
    fn views(&self) -> Vec<View> {
        self.state().sessions.values().map(view).collect()
    }

    fn view(&self, name: &str) -> Option<View> {
        self.state().sessions.get(name).map(view)
    }

    fn wanted(&self, scan: &Scan) -> Option<String> {
        self.state().sessions.values().find(|session| shows(session, scan)).map(|session| session.name.clone())
    }

    /// SCAN_QR_CODE → STARTING → WORKING.
    fn scan(&self, sim: &Arc<Sim>, scan: &Scan, phone: &str, push_name: Option<&str>) -> Result<String, Refused> {
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
        let session = state.sessions.values_mut().find(|session| shows(session, scan)).ok_or(match scan {
            Scan::Of(_) => Refused::Missing("such session"),
            Scan::Code(_) => Refused::Cannot("that code is not shown (any more)"),
            Scan::Pairing(_) => Refused::Cannot("nobody asked for that pairing code"),
        })?;
        let another = |(_, asked_for): &(String, String)| asked_for != phone;
        if matches!(scan, Scan::Pairing(_)) && session.pairing.as_ref().is_some_and(another) {
            return Err(Refused::Cannot("that pairing code is for another phone"));
        }
        if session.status() != Status::ScanQrCode {
            return Err(Refused::Cannot("that session does not wait for a scan"));
        }
        session.epoch += 1;
        session.linked = Linked::To(me);
        self.set(sim, session, Status::Starting);
        self.go_on_later(sim, session);
        Ok(session.name.clone())
    }

    /// The session fails, and fails again until it is logged out.
    fn withdraw(&self, sim: &Arc<Sim>, name: &str) -> Result<(), Refused> {
        self.change(name, |session| {
            session.epoch += 1;
            session.linked = Linked::Withdrawn;
            self.set(sim, session, Status::Failed);
        })
    }

    fn expire_code(&self, sim: &Arc<Sim>, name: &str) -> Result<(), Refused> {
        self.change(name, |session| {
            if let Some(attempt) = session.qr.as_ref().map(|qr| qr.attempt) {
                self.show_code(sim, session, attempt + 1);
            }
        })
    }

    fn force(&self, sim: &Arc<Sim>, name: &str, status: &str, _reason: Option<u16>) -> Result<(), Refused> {
        let status = Status::parse(status).ok_or(Refused::Cannot("there is no such status"))?;
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
}

impl Gateway {
    fn change(&self, name: &str, work: impl FnOnce(&mut Session)) -> Result<(), Refused> {
        let mut state = self.state();
        state.sessions.get_mut(name).map(work).ok_or(Refused::Missing("such session"))
    }
}
