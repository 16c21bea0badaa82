//! The database. A transaction is a closure that runs on a database thread: it cannot await, so nothing slow can happen inside.
//!
//! Rooms get a [`TenantTx`] (or a [`TenantRead`], which cannot write): `$1` is the tenant in every statement, bound here.
//! The few places that must see all tenants open a [`SystemTx`] with a reason.
mod gather;
mod many;
mod postgres;
mod queue;
mod run;
mod sqlite;
mod tx;
#[macro_use]
mod value;
#[macro_use]
mod words;

pub use gather::Gather;
pub use tx::{AtEnd, Bell, SystemRead, SystemTx, TenantRead, TenantTx};
pub use value::{Arg, Column, FromRow, Row, Value};

use crate::{Error, Result, clock::Clock, id::TenantId};
use queue::Queue;
use run::{Call, Scope, Work};
use std::{
    path::Path,
    sync::{Arc, Mutex, OnceLock},
    thread,
};
use tokio::sync::oneshot;
use tx::Base;

/// What a database must do for us; everything else is above it.
trait Conn {
    fn query(&mut self, sql: &'static str, args: &[Value], each: &mut dyn FnMut(&Row) -> Result<()>) -> Result<u64>;
    /// One statement for many rows; `first` is `$1` of each.
    fn many(
        &mut self,
        sql: &'static str,
        first: Option<Value>,
        rows: &[&[Value]],
        each: &mut dyn FnMut(&Row) -> Result<()>,
    ) -> Result<u64>;
    fn batch(&mut self, sql: &str) -> Result<()>;
    fn control(&mut self, sql: &'static str) -> Result<()>;
    /// Says whose rows the following statements may touch: a tenant's, or (None) everybody's. SQLite has no such lock.
    fn scope(&mut self, tenant: Option<TenantId>) -> Result<()>;
    /// Whether the last failure was a lost race that deserves another try. Asking clears it.
    fn retry(&mut self) -> bool;
    /// Which database this is; for the few places where the text of a statement must differ.
    fn dialect(&self) -> Dialect;
}

/// Which database a statement runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// One file, one writer.
    Sqlite,
    /// A server, many writers.
    Postgres,
}

/// The database: cheap to clone, one for the whole program.
#[derive(Clone)]
pub struct Db(Arc<Inner>);

type Ring = Box<dyn Fn(Vec<Bell>) + Send + Sync>;

struct Inner {
    writes: Arc<Queue<Box<dyn Work>>>,
    reads: Arc<Queue<Box<dyn Work>>>,
    threads: Mutex<Vec<thread::JoinHandle<()>>>,
    ring: Arc<OnceLock<Ring>>,
    clock: OnceLock<Clock>,
    dialect: Dialect,
}

impl Db {
    /// Opens (or makes) the SQLite file at `path` with one writer and `readers` reader threads. `sync` is SQLite's `synchronous`.
    pub fn sqlite(path: &Path, sync: &str, readers: usize) -> Result<Db> {
        let (writes, reads) = (Arc::new(Queue::new(16_384)), Arc::new(Queue::new(16_384)));
        let ring: Arc<OnceLock<Ring>> = Arc::default();
        let mut lite = sqlite::open(path, true, sync)?;
        let bell = ring.clone();
        let mut threads =
            vec![run::spawn("db-write", &writes, move |first, queue| run::group(&mut lite, first, queue, &bell))];
        for _ in 0..readers {
            let mut lite = sqlite::open(path, false, sync)?;
            let bell = ring.clone();
            threads.push(run::spawn("db-read", &reads, move |work, _| run::alone(&mut lite, work, &bell)));
        }
        let inner = Inner {
            writes,
            reads,
            threads: Mutex::new(threads),
            ring,
            clock: OnceLock::new(),
            dialect: Dialect::Sqlite,
        };
        Ok(Db(Arc::new(inner)))
    }

    /// Connects `connections` threads to the PostgreSQL server at `url`. Call it off the runtime: the client blocks.
    pub fn postgres(url: &str, connections: usize) -> Result<Db> {
        let queue = Arc::new(Queue::new(16_384));
        let ring: Arc<OnceLock<Ring>> = Arc::default();
        let mut threads = Vec::new();
        for _ in 0..connections {
            let mut pg = postgres::open(url)?;
            let bell = ring.clone();
            threads.push(run::spawn("db", &queue, move |work, _| run::alone(&mut pg, work, &bell)));
        }
        let inner = Inner {
            writes: queue.clone(),
            reads: queue,
            threads: Mutex::new(threads),
            ring,
            clock: OnceLock::new(),
            dialect: Dialect::Postgres,
        };
        Ok(Db(Arc::new(inner)))
    }

    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// Who is told, after each commit, what the committed closures rang (see [`TenantRead::ring`]). Once, at start-up.
    pub fn on_commit(&self, ring: impl Fn(Vec<Bell>) + Send + Sync + 'static) {
        let _ = self.0.ring.set(Box::new(ring));
    }

    /// Whose time transactions tell (see [`TenantRead::now`]); the machine's, if nobody says. Once, at start-up.
    pub fn keep_time(&self, clock: Clock) {
        let _ = self.0.clock.set(clock);
    }

    /// Runs `f` in one transaction on the rows of one tenant; `Ok` commits, `Err` undoes. The answer comes when it is on disk.
    /// `f` may run again after a lost race (PostgreSQL). Errors: what `f` gives; `Busy`, `Closed`, `Panicked`.
    pub async fn write<T: Send + 'static>(
        &self,
        tenant: TenantId,
        mut f: impl FnMut(&mut TenantTx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        ask(&self.0, Scope::Tenant(tenant), false, move |base| f(&mut TenantTx(TenantRead { base, tenant }))).await
    }

    /// Runs `f` on one snapshot of one tenant's rows.
    pub async fn read<T: Send + 'static>(
        &self,
        tenant: TenantId,
        mut f: impl FnMut(&mut TenantRead) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        ask(&self.0, Scope::Tenant(tenant), true, move |base| f(&mut TenantRead { base, tenant })).await
    }

    /// Runs `f` in one transaction over all tenants. The reasons are few, and listed by a snapshot test.
    pub async fn system<T: Send + 'static>(
        &self,
        reason: &'static str,
        mut f: impl FnMut(&mut SystemTx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        ask(&self.0, Scope::System(reason), false, move |base| f(&mut SystemTx(SystemRead { base }))).await
    }

    /// Runs `f` on one snapshot over all tenants.
    pub async fn system_read<T: Send + 'static>(
        &self,
        reason: &'static str,
        mut f: impl FnMut(&mut SystemRead) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        ask(&self.0, Scope::System(reason), true, move |base| f(&mut SystemRead { base })).await
    }

    /// Takes no more work, finishes what is queued, and is back when every thread has ended. Call it off the runtime.
    pub fn close(&self) {
        self.0.writes.close();
        self.0.reads.close();
        for thread in self.0.threads.lock().expect("no panic under this lock").drain(..) {
            let _ = thread.join();
        }
    }
}

async fn ask<T: Send + 'static>(
    db: &Inner,
    scope: Scope,
    reads: bool,
    f: impl FnMut(Base) -> Result<T> + Send + 'static,
) -> Result<T> {
    let (to, answer) = oneshot::channel();
    let queue = if reads { &db.reads } else { &db.writes };
    let clock = db.clock.get().cloned().unwrap_or_default();
    queue.push(Box::new(Call::new(scope, reads, f, clock, to))).map_err(|_| Error::Busy)?;
    answer.await.unwrap_or(Err(Error::Closed))
}
