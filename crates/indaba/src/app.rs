//! What every handler and every job has at hand: one value, cheap to clone.
use crate::{
    bus::{self, Bus},
    clock::Clock,
    config::Config,
    db::Db,
    http::{limits::Limits, who::Identify},
    passwords::Hasher,
    secrets::Secrets,
};
use std::{ops::Deref, sync::Arc};

/// The running server.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What it is made of.
pub struct Parts {
    /// What the operator has set.
    pub config: Config,
    /// The time, or a test's.
    pub clock: Clock,
    /// All rows.
    pub db: Db,
    /// The bell between nodes.
    pub bus: Arc<dyn Bus>,
    /// Seals what must be read again.
    pub secrets: Secrets,
    /// Counts requests.
    pub limits: Limits,
    /// Makes and checks hashes of passwords.
    pub hasher: Hasher,
    /// Says whom a credential names.
    pub identify: Arc<dyn Identify>,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> App {
        parts.db.keep_time(parts.clock.clone());
        bus::attach(&parts.bus, &parts.db);
        App(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
