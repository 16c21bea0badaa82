//! Keeps an eye on the database threads: how long closures take, what is measured, that the threads live and that the server is there.
use super::Bell;
use crate::Error;
use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};
use std::{
    sync::{Mutex, OnceLock},
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// Who is told what the committed closures rang.
pub(super) type Ring = Box<dyn Fn(Vec<Bell>) + Send + Sync>;

/// What all threads of one database share.
pub(super) struct Watch {
    pub ring: OnceLock<Ring>,
    /// A closure that runs for longer is logged.
    pub slow: Duration,
    /// A closure that runs for longer is stopped.
    pub limit: Duration,
    pub meters: Meters,
    died: watch::Sender<bool>,
    /// Since when no connection could be made (PostgreSQL).
    down: Mutex<Option<Instant>>,
}

impl Watch {
    pub fn new(slow: Duration, limit: Duration) -> Watch {
        let (died, down) = (watch::Sender::new(false), Mutex::new(None));
        Watch { ring: OnceLock::new(), slow, limit, meters: Meters::new(), died, down }
    }

    /// A database thread ends with a panic of ours: nothing can be promised any more.
    pub fn mourn(&self) {
        self.died.send_replace(true);
    }

    /// Comes back when a database thread has died.
    pub async fn died(&self) {
        let _ = self.died.subscribe().wait_for(|died| *died).await;
    }

    /// Notes whether the server could be reached; how long it has been away.
    pub fn reached(&self, yes: bool) -> Duration {
        let mut down = self.down.lock().expect("no panic under this lock");
        if yes {
            *down = None;
            return Duration::ZERO;
        }
        down.get_or_insert_with(Instant::now).elapsed()
    }
}

/// What `/metrics` tells about the database. The handles belong to the recorder that is installed when the database is opened.
pub(super) struct Meters {
    /// Closures that wait for a thread, after each was taken.
    pub waiting: [Gauge; 2],
    /// From asking to the start of the closure.
    pub waited: Histogram,
    /// The closure alone.
    pub closure: Histogram,
    /// From `begin` until it was on disk.
    pub transaction: Histogram,
    /// How many closures shared a commit (SQLite).
    pub group: Histogram,
    /// Races lost and lines cut that were run again.
    pub again: Counter,
    /// Answered `Busy` because too much was waiting.
    pub refused: Counter,
    /// Over the mark that is logged, and stopped.
    pub slow: Counter,
    pub stopped: Counter,
}

impl Meters {
    fn new() -> Meters {
        Meters {
            waiting: [gauge!("indaba_db_waiting", "queue" => "write"), gauge!("indaba_db_waiting", "queue" => "read")],
            waited: histogram!("indaba_db_waited_seconds"),
            closure: histogram!("indaba_db_closure_seconds"),
            transaction: histogram!("indaba_db_transaction_seconds"),
            group: histogram!("indaba_db_group_closures"),
            again: counter!("indaba_db_run_again_total"),
            refused: counter!("indaba_db_refused_total"),
            slow: counter!("indaba_db_slow_total"),
            stopped: counter!("indaba_db_stopped_total"),
        }
    }
}

/// What the caller of a closure is told that ran for too long.
pub(super) fn took_too_long() -> Error {
    Error::Unavailable("the database took too long and was stopped".into())
}
