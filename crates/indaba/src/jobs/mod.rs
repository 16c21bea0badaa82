//! Work to do. A job is a row, enqueued in the transaction that makes it true, and run at least once by some worker: so it is
//! written to be safe to run twice.
//!
//! States: `ready`; `running`; `done`; `dead` (set aside with its reason, for a person to look at); `cancelled`. Two more are ours:
//! `later` (not due yet) and `behind` (an earlier job of its lane is not finished). A claim therefore only reads the head of one index,
//! however many rows wait. A lane is a row too (`job_lanes`): the lock under which its jobs come and go in order.
mod attempt;
pub mod http;
mod kinds;
mod recurring;
mod runner;
mod store;
mod tidy;

pub use kinds::Kinds;
pub use runner::{Options, Running, run_due, start};
pub use store::adopt;
#[doc(hidden)]
pub use store::{STEADY, TOPIC};
pub use tidy::Tidy;

use crate::{
    Error, Result,
    app::App,
    clock::Time,
    db::{Arg, AtEnd, SystemTx, TenantRead, TenantTx, Value},
    id::TenantId,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{any::Any, future::Future, sync::Arc, time::Duration};

id! {
    /// A piece of work.
    JobId, "job"
}

words! {
    /// How far a job is.
    pub enum JobState {
        /// It waits: for a worker, for its time, or for an earlier job of its lane.
        Ready = "ready",
        /// A worker has it.
        Running = "running",
        /// It is done.
        Done = "done",
        /// It failed for good, and waits for a person to look at it.
        Dead = "dead",
        /// A person decided that it is not done.
        Cancelled = "cancelled",
    }
}

/// Whose jobs those are that belong to no tenant: the installation's own housekeeping.
pub const HOUSE: TenantId = TenantId::NIL;

/// Who waits for it. A job of a higher class goes before every job of a lower one; within a class, tenants take turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Priority {
    /// A person looks at the screen.
    Person,
    /// A contact waits for the assistant.
    Assistant,
    /// What follows hooks and events.
    Follower,
    /// Bulk: campaigns, imports, clean-up.
    Campaign,
}

impl Priority {
    /// From the most to the least urgent.
    pub const ALL: [Priority; 4] = [Priority::Person, Priority::Assistant, Priority::Follower, Priority::Campaign];
}

impl Arg for Priority {
    fn arg(&self) -> Value<'_> {
        Value::I64(*self as i64)
    }
}

/// A kind of job: its fields are its payload (ids, not copies), `run` is what it does.
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `noun.verb`.
    const KIND: &'static str;
    /// How often it is tried before it is set aside. The waits between double from 5 s: eight tries take about ten minutes.
    const ATTEMPTS: u32 = 8;
    /// Who waits for it.
    const PRIORITY: Priority = Priority::Follower;
    /// How long one attempt may take; then it is dropped and tried again.
    const TIMEOUT: Duration = Duration::from_secs(300);

    /// Jobs of one lane of a tenant (`out:<conversation>`) run one at a time, in the order they were enqueued.
    fn lane(&self) -> Option<String> {
        None
    }

    /// While a job of this kind with this key has not begun, another one is not added. One that has begun no longer counts: it may have
    /// read what the new one is about. What must not run side by side needs a lane besides.
    fn unique(&self) -> Option<String> {
        None
    }

    /// Does it. No transaction is open.
    fn run(&self, cx: &JobCx) -> impl Future<Output = Result<(), JobError>> + Send;
}

/// A kind whose jobs are run many at a time, whosever they are, so that they can share their statements. They have no lanes.
pub trait BatchJob: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// `noun.verb`.
    const KIND: &'static str;
    /// How often it is tried before it is set aside.
    const ATTEMPTS: u32 = 8;
    /// Who waits for it.
    const PRIORITY: Priority = Priority::Follower;
    /// How long one batch may take.
    const TIMEOUT: Duration = Duration::from_secs(300);

    /// As [`Job::unique`].
    fn unique(&self) -> Option<String> {
        None
    }

    /// Does up to 128 of them and answers for each, in their order. A batch that panics is run again one by one, to find the one that did.
    fn run(app: &App, jobs: &[Given<Self>]) -> impl Future<Output = Vec<Result<(), JobError>>> + Send
    where
        Self: Sized;
}

/// One job of a batch.
pub struct Given<J> {
    /// What to do.
    pub job: J,
    /// For whom.
    pub cx: JobCx,
}

/// What a job has at hand.
#[derive(Clone)]
pub struct JobCx {
    /// The running server.
    pub app: App,
    /// Whose job it is; [`HOUSE`] for the installation's own.
    pub tenant: TenantId,
    /// Its id.
    pub job: JobId,
    /// The first attempt is 1.
    pub attempt: u32,
    /// True: there is no further attempt after this one.
    pub last: bool,
    /// The request that enqueued it, if one did.
    pub request: Option<Arc<str>>,
}

impl JobCx {
    /// A transaction on the tenant's rows.
    pub async fn write<T: Send + 'static>(
        &self,
        f: impl FnMut(&mut TenantTx) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.app.db.write(self.tenant, f).await
    }

    /// A snapshot of the tenant's rows.
    pub async fn read<T: Send + 'static>(
        &self,
        f: impl FnMut(&mut TenantRead) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.app.db.read(self.tenant, f).await
    }
}

/// Why a job is not done.
#[derive(Clone, Debug, PartialEq)]
pub enum JobError {
    /// Again after a wait that doubles, as long as attempts are left; then it is dead with this reason.
    Retry(String),
    /// Again after this long. Does not count as an attempt.
    Snooze(Duration),
    /// Never again: dead with this reason.
    Fail(String),
}

/// What the database could not do now it may do later.
impl From<Error> for JobError {
    fn from(e: Error) -> JobError {
        JobError::Retry(e.to_string())
    }
}

/// A job that is about to become a row.
#[derive(Clone, Debug)]
pub struct New {
    kind: &'static str,
    payload: String,
    priority: Priority,
    attempts: u32,
    lane: Option<String>,
    unique: Option<String>,
    at: Option<Time>,
    request: Option<Arc<str>>,
}

impl New {
    /// One of a kind that runs one at a time.
    pub fn of<J: Job>(job: &J) -> New {
        New {
            kind: J::KIND,
            payload: payload(job),
            priority: J::PRIORITY,
            attempts: J::ATTEMPTS,
            lane: job.lane(),
            unique: job.unique(),
            at: None,
            request: None,
        }
    }

    /// One of a kind that runs in batches.
    pub fn of_batch<J: BatchJob>(job: &J) -> New {
        New {
            kind: J::KIND,
            payload: payload(job),
            priority: J::PRIORITY,
            attempts: J::ATTEMPTS,
            lane: None,
            unique: job.unique(),
            at: None,
            request: None,
        }
    }

    /// Not before `time`.
    pub fn at(mut self, time: Time) -> New {
        self.at = Some(time);
        self
    }

    /// On behalf of this request, when the transaction itself serves many.
    pub fn request(mut self, id: Option<Arc<str>>) -> New {
        self.request = id;
        self
    }
}

fn payload(job: &impl Serialize) -> String {
    serde_json::to_string(job).expect("the fields of a job are plain data with string keys")
}

/// Adds a job to the tenant's. It becomes a row as the transaction ends, together with all the others it adds.
pub fn enqueue<J: Job>(tx: &mut TenantTx, job: &J) -> Result<()> {
    enqueue_many(tx, [New::of(job)])
}

/// The same, not to be run before `at`.
pub fn enqueue_at<J: Job>(tx: &mut TenantTx, job: &J, at: Time) -> Result<()> {
    enqueue_many(tx, [New::of(job).at(at)])
}

/// Adds many jobs, of one kind or several; jobs of one lane keep their order.
pub fn enqueue_many(tx: &mut TenantTx, jobs: impl IntoIterator<Item = New>) -> Result<()> {
    tx.at_end::<Pending>().0.extend(jobs);
    Ok(())
}

/// Adds jobs to many tenants' in one statement, at once. They can have no lanes. For the hook route, where callers of all tenants
/// share one transaction.
pub fn enqueue_across(tx: &mut SystemTx, jobs: &[(TenantId, New)]) -> Result<()> {
    store::add_across(tx, jobs)
}

/// The jobs that a transaction adds.
#[derive(Default)]
struct Pending(Vec<New>);

impl AtEnd for Pending {
    fn finish(self: Box<Self>, tx: &mut TenantTx) -> Result<()> {
        store::add(tx, &self.0)
    }

    fn any(&mut self) -> &mut dyn Any {
        self
    }
}
