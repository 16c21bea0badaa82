//! The bell: after a commit it wakes whoever waits for the rows, on this node and on the others. It carries no data and promises
//! nothing: the truth is in the database, and everyone who listens also looks there by himself now and then.
//!
//! A transaction rings with `tx.ring("jobs", "")`; [`attach`] passes what was committed on to the bus.
mod memory;
mod postgres;

pub use memory::Memory;
pub use postgres::Postgres;

use crate::{
    Result,
    db::{Bell, Db},
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};
use tokio::sync::broadcast;

/// How bells reach the other nodes.
pub trait Bus: Send + Sync + 'static {
    /// Rings on every node, this one first. Never blocks and never fails: a bell that is lost costs latency.
    fn ring(&self, bells: Vec<Bell>);

    /// All that is rung for `topic` from now on.
    fn listen(&self, topic: &'static str) -> Ears;
}

/// The bus that goes with a database: in memory for SQLite, by the server for PostgreSQL. Call it on the runtime.
pub fn open(database: Option<&str>) -> Result<Arc<dyn Bus>> {
    Ok(match database {
        None => Arc::new(Memory::default()),
        Some(url) => Arc::new(Postgres::join(url)?),
    })
}

/// From now on, what transactions ring is rung here once they are on disk.
pub fn attach(bus: &Arc<dyn Bus>, db: &Db) {
    let bus = bus.clone();
    db.on_commit(move |bells| bus.ring(bells));
}

/// What one hears.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Heard {
    /// A bell with this key.
    Key(Arc<str>),
    /// Some were missed (too slow, or the line was down): anything may have been rung.
    Missed,
}

/// A listener to one topic. While nobody takes them, at most 256 bells are kept; then it hears [`Heard::Missed`].
pub struct Ears(broadcast::Receiver<Heard>);

impl Ears {
    /// The next bell; waits for it. Safe to drop half-way (in `select!`).
    pub async fn next(&mut self) -> Heard {
        match self.0.recv().await {
            Ok(heard) => heard,
            Err(broadcast::error::RecvError::Lagged(_)) => Heard::Missed,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await, // the program is ending
        }
    }

    /// The next bell, if one was rung already.
    pub fn try_next(&mut self) -> Option<Heard> {
        match self.0.try_recv() {
            Ok(heard) => Some(heard),
            Err(broadcast::error::TryRecvError::Lagged(_)) => Some(Heard::Missed),
            Err(_) => None,
        }
    }
}

/// The listeners of this node.
#[derive(Default)]
struct Hub(Mutex<HashMap<&'static str, broadcast::Sender<Heard>>>);

impl Hub {
    fn listen(&self, topic: &'static str) -> Ears {
        let mut topics = self.0.lock().expect("no panic under this lock");
        Ears(topics.entry(topic).or_insert_with(|| broadcast::channel(256).0).subscribe())
    }

    fn deliver(&self, topic: &str, key: &str) {
        if let Some(to) = self.0.lock().expect("no panic under this lock").get(topic) {
            let _ = to.send(Heard::Key(key.into())); // fails when nobody listens just now
        }
    }

    fn missed(&self) {
        for to in self.0.lock().expect("no panic under this lock").values() {
            let _ = to.send(Heard::Missed);
        }
    }
}
