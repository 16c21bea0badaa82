//! Numbers as the phone page and the control API have them, whichever gateway they are linked to.

use std::{sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::Value;

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

/// A session of a gateway: what may be linked to one phone.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct View {
    /// Which gateway: `waha`, `evolution`…
    pub gateway: &'static str,
    /// Name at the gateway.
    pub name: String,
    /// Its status, in the gateway's own word.
    pub status: &'static str,
    /// Whether it is linked and working.
    pub linked: bool,
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

/// What a phone, and only a phone, does with a gateway's sessions.
pub trait Links {
    /// All sessions.
    fn views(&self) -> Vec<View>;

    /// One session.
    fn view(&self, name: &str) -> Option<View>;

    /// Whose code this is, or whose pairing code; nothing when it is nobody's here.
    fn wanted(&self, scan: &Scan) -> Option<String>;

    /// A phone links itself. Answers the session's name.
    fn scan(&self, sim: &Arc<Sim>, scan: &Scan, phone: &str, push_name: Option<&str>) -> Result<String, Refused>;

    /// The phone's owner unlinks the device.
    fn withdraw(&self, sim: &Arc<Sim>, name: &str) -> Result<(), Refused>;

    /// The code on the screen runs out now.
    fn expire_code(&self, sim: &Arc<Sim>, name: &str) -> Result<(), Refused>;

    /// Sets a status by force and tells it, as when a connection flaps. `reason` is the gateway's number for why.
    fn force(&self, sim: &Arc<Sim>, name: &str, status: &str, reason: Option<u16>) -> Result<(), Refused>;
}

impl Sim {
    /// The gateways that phones link to.
    fn linking(&self) -> [&dyn Links; 2] {
        [&self.waha, &self.evolution]
    }

    /// All sessions of all gateways.
    pub(crate) fn sessions(&self) -> Vec<View> {
        self.linking().iter().flat_map(|gateway| gateway.views()).collect()
    }

    /// One session.
    pub(crate) fn session(&self, name: &str) -> Option<View> {
        self.linking().iter().find_map(|gateway| gateway.view(name))
    }

    /// The gateway that has a session.
    pub(crate) fn gateway_of(&self, name: &str) -> Result<&dyn Links, Refused> {
        let gateway = self.linking().into_iter().find(|gateway| gateway.view(name).is_some());
        gateway.ok_or(Refused::Missing("such session"))
    }

    /// A phone links itself, wherever that code is shown.
    pub(crate) fn scan(self: &Arc<Self>, scan: &Scan, phone: &str, push_name: Option<&str>) -> Result<String, Refused> {
        let gateways = self.linking();
        let shown = gateways.iter().find(|gateway| gateway.wanted(scan).is_some());
        shown.unwrap_or(&gateways[0]).scan(self, scan, phone, push_name)
    }

    /// Waits until a session is linked.
    pub(crate) async fn until_linked(&self, name: &str, at_most: Duration) -> bool {
        let end = tokio::time::Instant::now() + at_most;
        let mut news = self.bell.listen();
        loop {
            if self.session(name).is_some_and(|view| view.linked) {
                return true;
            }
            // A change of a session rings the bell; one that was missed is seen at the next.
            match tokio::time::timeout_at(end, news.recv()).await {
                Err(_) => return false,
                Ok(Err(tokio::sync::broadcast::error::RecvError::Closed)) => return false,
                Ok(_) => {}
            }
        }
    }
}
