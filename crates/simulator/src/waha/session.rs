//! A session: its status, what it is linked to, and how both move.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
};

use serde_json::{Map, Value, json};

use super::Gateway;
use crate::sim::Sim;

/// How often a QR code is renewed before the session gives up.
pub const QR_ATTEMPTS: u32 = 6;
/// How many statuses a hook tells of.
const HISTORY: usize = 3;

/// The state of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Not running.
    Stopped,
    /// On the way.
    Starting,
    /// Waits for a phone.
    ScanQrCode,
    /// Linked.
    Working,
    /// Gave up.
    Failed,
}

impl Status {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Status::Stopped => "STOPPED",
            Status::Starting => "STARTING",
            Status::ScanQrCode => "SCAN_QR_CODE",
            Status::Working => "WORKING",
            Status::Failed => "FAILED",
        }
    }
}

impl Status {
    /// The status of a name.
    pub fn parse(name: &str) -> Option<Status> {
        let all = [Status::Stopped, Status::Starting, Status::ScanQrCode, Status::Working, Status::Failed];
        all.into_iter().find(|status| status.name() == name)
    }
}

/// What the session keeps of a phone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Linked {
    /// Nothing: it needs a scan.
    #[default]
    No,
    /// Credentials of this phone.
    To(Me),
    /// Credentials that the phone has withdrawn: every start fails until a logout.
    Withdrawn,
}

/// The account a session is linked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Me {
    /// Digits.
    pub phone: String,
    /// Without `@lid`.
    pub lid: String,
    /// What the business calls itself.
    pub push_name: String,
}

impl Me {
    /// On the wire.
    pub fn json(&self) -> Value {
        json!({
            "id": format!("{}@c.us", self.phone),
            "pushName": self.push_name,
            "lid": format!("{}@lid", self.lid),
        })
    }
}

/// A code to scan.
#[derive(Debug, Clone)]
pub struct Qr {
    /// What is drawn.
    pub value: String,
    /// Counts from 1.
    pub attempt: u32,
    /// When it is renewed.
    pub expires_at_ms: i64,
}

/// A session.
#[derive(Default)]
pub struct Session {
    pub name: String,
    /// As it was given; null when it never was.
    pub config: Value,
    pub webhooks: Vec<super::Webhook>,
    pub status: Option<Status>,
    pub history: VecDeque<(Status, i64)>,
    pub linked: Linked,
    /// Known since it was last WORKING.
    pub me: Option<Me>,
    pub qr: Option<Qr>,
    /// A pairing code and the digits it was made for.
    pub pairing: Option<(String, String)>,
    pub presence: Option<String>,
    /// When the API last did something with it.
    pub activity: Option<i64>,
    /// Counts starts and stops: a timer of an earlier life does nothing.
    pub epoch: u64,
    /// Files that can be fetched, by name: id on the shelf, and until when (ms).
    pub files: HashMap<String, (String, i64)>,
    /// Chats whose presence is told.
    pub subscribed: Vec<String>,
    /// The last presence of each.
    pub presences: HashMap<String, (String, i64)>,
}

impl Session {
    /// Its status; one that was never started is stopped.
    pub fn status(&self) -> Status {
        self.status.unwrap_or(Status::Stopped)
    }

    /// Whether an engine runs for it, also one that failed.
    pub fn running(&self) -> bool {
        self.status() != Status::Stopped
    }

    /// The business's phone, while it is linked and working.
    pub fn line(&self) -> Option<&str> {
        match &self.linked {
            Linked::To(me) if self.status() == Status::Working => Some(&me.phone),
            _ => None,
        }
    }

    /// SessionInfo.
    pub fn json(&self, with_engine: bool, engine: &str) -> Value {
        let running = self.running();
        let timestamps = match (running, self.activity) {
            (false, _) => json!({"activity": null}),
            (true, Some(at)) => json!({"activity": at}),
            (true, None) => json!({}),
        };
        let mut info = json!({
            "name": self.name,
            "status": self.status().name(),
            "config": self.config,
            "me": self.me.as_ref().map(Me::json),
            "presence": self.presence,
            "timestamps": timestamps,
        });
        if with_engine {
            info["engine"] = if running { json!({"engine": engine}) } else { Value::Object(Map::new()) };
        }
        info
    }

    /// The payload of `session.status`.
    fn status_payload(&self) -> Value {
        let statuses: Vec<Value> =
            self.history.iter().map(|(status, at)| json!({"status": status.name(), "timestamp": at})).collect();
        json!({"name": self.name, "status": self.status().name(), "statuses": statuses})
    }
}

impl Gateway {
    /// Sets a status, tells it in a hook, and wakes those who wait for it. A status that is set again is told again.
    pub(super) fn set(&self, sim: &Arc<Sim>, session: &mut Session, status: Status) {
        session.status = Some(status);
        if session.history.len() == HISTORY {
            session.history.pop_front();
        }
        session.history.push_back((status, sim.now_ms()));
        if status != Status::ScanQrCode {
            (session.qr, session.pairing) = (None, None);
        }
        let payload = session.status_payload();
        self.emit(sim, session, &["session.status"], &payload, None);
        self.changed.send_modify(|count| *count += 1);
        sim.bell.ring(&json!({"kind": "session", "name": session.name, "status": status.name()}));
    }

    /// Starts a session: STARTING now, and what follows after a while.
    pub(super) fn start_session(&self, sim: &Arc<Sim>, session: &mut Session) {
        session.epoch += 1;
        self.set(sim, session, Status::Starting);
        self.go_on_later(sim, session);
    }

    /// Stops a session. It keeps what it is linked to.
    pub(super) fn stop_session(&self, sim: &Arc<Sim>, session: &mut Session) {
        session.epoch += 1;
        session.activity = None;
        session.presence = None;
        session.presences.clear();
        if session.running() {
            self.set(sim, session, Status::Stopped);
        }
    }

    /// Forgets the phone; a session that runs starts again and shows a new code.
    pub(super) fn log_out(&self, sim: &Arc<Sim>, session: &mut Session) {
        let ran = session.running();
        self.stop_session(sim, session);
        (session.linked, session.me) = (Linked::No, None);
        if ran {
            self.start_session(sim, session);
        }
    }

    /// From STARTING to what the credentials allow.
    pub(super) fn go_on_later(&self, sim: &Arc<Sim>, session: &Session) {
        let (owner, name, epoch) = (sim.clone(), session.name.clone(), session.epoch);
        sim.spawn(async move {
            tokio::time::sleep(owner.config.link_delay).await;
            owner.waha.of(&name, epoch, |session| match &session.linked {
                Linked::To(me) => {
                    session.me = Some(me.clone());
                    owner.waha.set(&owner, session, Status::Working);
                }
                Linked::Withdrawn => owner.waha.set(&owner, session, Status::Failed),
                Linked::No => owner.waha.show_code(&owner, session, 1),
            });
        });
    }

    /// Shows a new code; after the last one the session has failed.
    pub(super) fn show_code(&self, sim: &Arc<Sim>, session: &mut Session, attempt: u32) {
        if attempt > QR_ATTEMPTS {
            return self.set(sim, session, Status::Failed);
        }
        let life = sim.config.qr_life[usize::from(attempt > 1)];
        let life_ms = i64::try_from(life.as_millis()).unwrap_or(i64::MAX);
        session.qr =
            Some(Qr { value: crate::code::scan(), attempt, expires_at_ms: sim.now_ms().saturating_add(life_ms) });
        session.pairing = None;
        self.set(sim, session, Status::ScanQrCode);
        let (owner, name, epoch) = (sim.clone(), session.name.clone(), session.epoch);
        sim.spawn(async move {
            tokio::time::sleep(life).await;
            owner.waha.of(&name, epoch, |session| {
                // Unless somebody has asked for the next one before.
                if session.qr.as_ref().is_some_and(|qr| qr.attempt == attempt) {
                    owner.waha.show_code(&owner, session, attempt + 1);
                }
            });
        });
    }

    /// Does something with a session, if it is still in the same life.
    fn of(&self, name: &str, epoch: u64, work: impl FnOnce(&mut Session)) {
        if let Some(session) = self.state().sessions.get_mut(name).filter(|session| session.epoch == epoch) {
            work(session);
        }
    }
}
