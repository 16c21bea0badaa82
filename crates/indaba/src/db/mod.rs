//! The database. A transaction is a closure that runs on a database thread: it cannot await, so nothing slow can happen inside.
//!
//! Rooms get a [`TenantTx`] (or a [`TenantRead`], which cannot write): `$1` is the tenant in every statement, bound here.
//! The few places that must see all tenants open a [`SystemTx`] with a reason.
pub mod dialect;
mod disk;
mod gather;
mod link;
mod many;
mod migrate;
mod postgres;
mod queue;
mod run;
mod sqlite;
mod texts;
mod tx;
#[macro_use]
mod value;
mod watch;
#[macro_use]
mod words;

pub use dialect::{Sql, Texts};
pub use gather::{Batch, Gather};
pub use link::Link;
pub use texts::text;
pub use tx::{AtEnd, Bell, SystemRead, SystemTx, TenantRead, TenantTx};
pub use value::{Arg, Column, FromRow, Row, Value};

use crate::{Error, Result, clock::Clock, id::TenantId};
use postgres::Pg;
use run::{Call, Scope, Waiting};
use std::{
    fs::File,
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;
use tx::Base;
use watch::Watch;

/// How many closures may wait for a thread before callers are told `Busy`.
const WAITING: usize = 16_384;

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
    /// Statements without arguments, all in one.
    fn batch(&mut self, sql: &str) -> Result<()>;
    /// Opens a transaction, for the rows of a tenant or (None) of everybody.
    fn begin(&mut self, reads: bool, tenant: Option<TenantId>) -> Result<()>;
    /// Errors: `Closed` if it may have happened all the same.
    fn commit(&mut self) -> Result<()>;
    fn rollback(&mut self);
    /// Says whose rows the following statements may touch: a tenant's, or (None) everybody's. SQLite has no such lock.
    fn scope(&mut self, tenant: Option<TenantId>) -> Result<()>;
    /// When the running closure must have ended.
    fn until(&mut self, deadline: Option<Instant>);
    /// Whether the last failure deserves another try. Asking clears it.
    fn again(&mut self) -> Again;
    /// Whether the database understands the statement; with `many`, also for many rows (true: with a tenant in `$1`).
    fn check(&mut self, sql: &str, many: Option<bool>) -> Result<()>;
    /// Which database this is; for the few places where the text of a statement must differ.
    fn dialect(&self) -> Dialect;
}

/// Why a closure may be run again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Again {
    /// It may not.
    #[default]
    No,
    /// It lost a race: a deadlock, or rows that changed under it.
    Race,
    /// The line was cut before the commit.
    Line,
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

struct Inner {
    writes: Arc<Waiting>,
    reads: Arc<Waiting>,
    /// SQLite's writer and who tends its log come second and go last: a reader cannot take the log (`-wal`) into the file, and would
    /// leave it beside.
    threads: Mutex<[Vec<thread::JoinHandle<()>>; 2]>,
    watch: Arc<Watch>,
    clock: OnceLock<Clock>,
    dialect: Dialect,
    /// The directory's, held for as long as the database is open.
    lock: Mutex<Option<File>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        // nobody can ask any more: the threads end
        self.writes.close();
        self.reads.close();
    }
}

/// Where the rows are and how they are kept.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `postgres://…`; without it the rows are in `indaba.db` in the data directory (SQLite).
    pub url: Option<String>,
    /// The directory of this server. With SQLite no other server may use it at the same time.
    pub data_dir: PathBuf,
    /// What a commit waits for on SQLite.
    pub synchronous: Synchronous,
    /// SQLite's reader threads, each with a connection of its own.
    pub readers: usize,
    /// PostgreSQL's threads, each with a connection of its own, made when it is first needed.
    pub connections: usize,
    /// A closure that runs for longer is logged.
    pub slow: Duration,
    /// A closure that runs for longer is stopped, and its caller told to try later.
    pub limit: Duration,
    /// Migrations beside the program's own, as (`9001_name.sql`, text): for tests of this layer.
    pub extra: &'static [(&'static str, &'static str)],
}

impl Settings {
    /// SQLite in this directory, with the defaults.
    pub fn in_dir(data_dir: impl Into<PathBuf>) -> Settings {
        Settings {
            url: None,
            data_dir: data_dir.into(),
            synchronous: Synchronous::Full,
            readers: 4,
            connections: 16,
            slow: Duration::from_millis(50),
            limit: Duration::from_secs(5),
            extra: &[],
        }
    }
}

/// SQLite's `synchronous`. PostgreSQL has its own `synchronous_commit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Synchronous {
    /// A commit is on the disk when it is answered.
    Full,
    /// The last commits may be lost when the power fails; nothing else, and never when only the program is killed.
    Normal,
}

impl Db {
    /// Opens the database, brings it up to this program, and starts its threads. Blocks for as long as that takes, some milliseconds.
    /// Errors: `Unavailable` with a sentence for the operator: another server has the directory, the database is newer, the role is too mighty.
    pub fn open(settings: &Settings) -> Result<Db> {
        match &settings.url {
            None => Db::sqlite(settings),
            // the client blocks, which the runtime's threads refuse
            Some(url) => {
                thread::scope(|s| s.spawn(|| Db::postgres(url, settings)).join().unwrap_or(Err(Error::Panicked)))
            }
        }
    }

    fn sqlite(settings: &Settings) -> Result<Db> {
        let lock = disk::lock(&settings.data_dir)?;
        let path = settings.data_dir.join("indaba.db");
        let watch = Arc::new(Watch::new(settings.slow, settings.limit));
        let (writes, reads) = (Arc::new(Waiting::new(WAITING)), Arc::new(Waiting::new(WAITING)));
        let (mut lite, grown) = sqlite::writer(&path, settings)?;
        migrate::run(&mut lite, settings.extra)?;
        let mut readers = Vec::new();
        for _ in 0..settings.readers {
            let mut lite = sqlite::reader(&path)?;
            readers
                .push(run::spawn("db-read", &reads, &watch, move |work, _, watch| run::alone(&mut lite, work, watch)));
        }
        let writer = run::spawn("db-write", &writes, &watch, move |first, queue, watch| {
            run::group(&mut lite, first, queue, watch);
        });
        let kept = settings.clone();
        let log = thread::Builder::new().name("db-log".into()).spawn(move || {
            if let Err(e) = sqlite::tend_log(&path, &kept, &grown) {
                tracing::warn!("nobody tends the log of the database but its writer: {e}");
            }
        });
        let last = vec![writer, log.expect("a thread at start-up")];
        Ok(Db::of(Dialect::Sqlite, (writes, reads), [readers, last], watch, Some(lock)))
    }

    fn postgres(url: &str, settings: &Settings) -> Result<Db> {
        let link = Arc::new(Link::new(url)?);
        let watch = Arc::new(Watch::new(settings.slow, settings.limit));
        let queue = Arc::new(Waiting::new(WAITING));
        let mut first = Pg::new(link.clone(), settings.limit);
        first.begin(true, None).and_then(|()| first.commit()).map_err(|e| match link.connect() {
            Ok(_) => e,
            Err(e) => Error::Unavailable(format!("The PostgreSQL server does not answer: {}", postgres::told(&e))),
        })?;
        postgres::check_server(&mut first)?;
        migrate::run(&mut first, settings.extra)?;
        drop(first);
        let mut threads = Vec::new();
        for _ in 0..settings.connections {
            let mut pg = Pg::new(link.clone(), settings.limit);
            threads.push(run::spawn("db", &queue, &watch, move |work, _, watch| run::alone(&mut pg, work, watch)));
        }
        Ok(Db::of(Dialect::Postgres, (queue.clone(), queue), [threads, Vec::new()], watch, None))
    }

    fn of(
        dialect: Dialect,
        (writes, reads): (Arc<Waiting>, Arc<Waiting>),
        threads: [Vec<thread::JoinHandle<()>>; 2],
        watch: Arc<Watch>,
        lock: Option<File>,
    ) -> Db {
        let (threads, lock) = (Mutex::new(threads), Mutex::new(lock));
        Db(Arc::new(Inner { writes, reads, threads, watch, clock: OnceLock::new(), dialect, lock }))
    }

    /// Comes back when a database thread has died of a defect: nothing can be promised any more, the process must end.
    pub async fn died(&self) {
        self.0.watch.died().await;
    }

    /// Which database this is.
    pub fn dialect(&self) -> Dialect {
        self.0.dialect
    }

    /// Who is told, after each commit, what the committed closures rang (see [`TenantRead::ring`]). Once, at start-up.
    pub fn on_commit(&self, ring: impl Fn(Vec<Bell>) + Send + Sync + 'static) {
        let _ = self.0.watch.ring.set(Box::new(ring));
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
        let mut threads = self.0.threads.lock().expect("no panic under this lock");
        for (queue, threads) in [&self.0.reads, &self.0.writes].into_iter().zip(threads.iter_mut()) {
            queue.close();
            threads.drain(..).for_each(|thread| drop(thread.join()));
        }
        drop(self.0.lock.lock().expect("no panic under this lock").take());
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
    queue.push(Box::new(Call::new(scope, reads, f, clock, to))).map_err(|_| {
        db.watch.meters.refused.increment(1);
        Error::Busy
    })?;
    answer.await.unwrap_or(Err(Error::Closed))
}
