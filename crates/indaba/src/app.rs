//! What every handler and every job has at hand: one value, cheap to clone.
use crate::{clock::Clock, db::Db};
use std::{ops::Deref, sync::Arc};

/// The running server.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What it is made of.
pub struct Parts {
    /// The time, or a test's.
    pub clock: Clock,
    /// All rows.
    pub db: Db,
}

impl App {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> App {
        parts.db.keep_time(parts.clock.clone());
        App(Arc::new(parts))
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
