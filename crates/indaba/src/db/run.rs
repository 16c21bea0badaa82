//! How closures become transactions on a database thread.
use super::{
    Bell, Conn, Ring,
    queue::Queue,
    tx::{self, Base, State},
};
use crate::{Error, Result, clock::Clock, id::TenantId, request};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Whose rows a closure may touch.
#[derive(Clone, Copy, Debug)]
pub(super) enum Scope {
    Tenant(TenantId),
    /// Everybody's, for this reason.
    System(&'static str),
}

impl Scope {
    fn tenant(self) -> Option<TenantId> {
        match self {
            Scope::Tenant(tenant) => Some(tenant),
            Scope::System(_) => None,
        }
    }
}

/// A closure on its way to a database thread and its answer on the way back.
pub(super) trait Work: Send {
    fn scope(&self) -> Scope;
    fn reads(&self) -> bool;
    /// False: the caller went away before we began.
    fn wanted(&self) -> bool;
    /// Runs the closure; false: undo what it did.
    fn run(&mut self, conn: &mut dyn Conn) -> bool;
    /// What it rang; asked only after the commit.
    fn bells(&mut self) -> Vec<Bell>;
    fn answer(self: Box<Self>, committed: Result<()>);
}

pub(super) struct Call<T, F> {
    scope: Scope,
    reads: bool,
    f: F,
    out: Option<Result<T>>,
    bells: Vec<Bell>,
    clock: Clock,
    request: Option<Arc<str>>,
    to: oneshot::Sender<Result<T>>,
}

impl<T, F> Call<T, F> {
    pub fn new(scope: Scope, reads: bool, f: F, clock: Clock, to: oneshot::Sender<Result<T>>) -> Call<T, F> {
        Call { scope, reads, f, out: None, bells: Vec::new(), clock, request: request::current(), to }
    }
}

impl<T: Send, F: FnMut(Base) -> Result<T> + Send> Work for Call<T, F> {
    fn scope(&self) -> Scope {
        self.scope
    }

    fn reads(&self) -> bool {
        self.reads
    }

    fn wanted(&self) -> bool {
        !self.to.is_closed()
    }

    fn run(&mut self, conn: &mut dyn Conn) -> bool {
        let mut state = State::new(self.clock.now(), self.request.clone());
        let f = &mut self.f;
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let out = f(Base { conn: &mut *conn, state: &mut state })?;
            if state.failed {
                return Err(Error::Statement("a failed statement was passed over".into()));
            }
            tx::finish(conn, &mut state)?;
            Ok(out)
        }));
        self.bells = state.bells;
        self.out.insert(ran.unwrap_or(Err(Error::Panicked))).is_ok()
    }

    fn bells(&mut self) -> Vec<Bell> {
        if matches!(self.out, Some(Ok(_))) { std::mem::take(&mut self.bells) } else { Vec::new() }
    }

    fn answer(self: Box<Self>, committed: Result<()>) {
        let _ = self.to.send(match (self.out, committed) {
            (Some(Ok(value)), Ok(())) => Ok(value),
            (Some(Err(e)), _) | (_, Err(e)) => Err(e),
            (None, Ok(())) => Err(Error::Closed),
        });
    }
}

/// A database thread. However it ends, its queue closes and everyone who waits is answered `Closed`.
pub(super) fn spawn(
    name: &str,
    queue: &Arc<Queue<Box<dyn Work>>>,
    mut each: impl FnMut(Box<dyn Work>, &Queue<Box<dyn Work>>) + Send + 'static,
) -> thread::JoinHandle<()> {
    struct Guard(Arc<Queue<Box<dyn Work>>>);
    impl Drop for Guard {
        fn drop(&mut self) {
            if thread::panicking() {
                self.0.close();
                while self.0.try_pop().is_some() {}
            }
        }
    }
    let guard = Guard(queue.clone());
    let body = move || {
        while let Some(work) = guard.0.pop() {
            each(work, &guard.0);
        }
    };
    thread::Builder::new().name(name.into()).spawn(body).expect("a thread at start-up")
}

/// SQLite's writer: everything that waits shares one commit, each closure in a savepoint of its own.
pub(super) fn group(conn: &mut dyn Conn, first: Box<dyn Work>, queue: &Queue<Box<dyn Work>>, ring: &OnceLock<Ring>) {
    let (start, mut done, mut next) = (Instant::now(), Vec::new(), Some(first));
    let mut result = conn.control("begin immediate");
    while let Some(mut work) = next {
        if result.is_ok() && work.wanted() {
            result = conn.control("savepoint s").and_then(|()| {
                if !work.run(conn) {
                    conn.control("rollback to s")?;
                }
                conn.control("release s")
            });
        }
        done.push(work);
        let more = result.is_ok() && done.len() < 256 && start.elapsed() < Duration::from_millis(2);
        next = if more { queue.try_pop() } else { None };
    }
    if result.is_ok() {
        result = conn.control("commit");
    }
    if result.is_err() {
        let _ = conn.control("rollback");
    }
    tell(&mut done, &result, ring);
    for work in done {
        work.answer(result.clone());
    }
}

/// One closure, one transaction; a lost race is run again.
pub(super) fn alone(conn: &mut dyn Conn, mut work: Box<dyn Work>, ring: &OnceLock<Ring>) {
    if !work.wanted() {
        return;
    }
    let begin = if work.reads() { "begin read only" } else { "begin" };
    let mut result = Ok(());
    for attempt in 1..=6u32 {
        conn.retry();
        result = conn.control(begin).and_then(|()| conn.scope(work.scope().tenant())).and_then(|()| {
            let end = if work.run(conn) { "commit" } else { "rollback" };
            conn.control(end)
        });
        if result.is_err() {
            let _ = conn.control("rollback");
        }
        if !conn.retry() || attempt == 6 {
            break;
        }
        // with jitter: else the losers meet again
        let jitter = u64::from(rand::random::<u8>()) % (4 << attempt);
        thread::sleep(Duration::from_millis((2 << attempt) + jitter));
    }
    let mut done = [work];
    tell(&mut done, &result, ring);
    let [work] = done;
    work.answer(result);
}

/// Rings, once each, the bells of all that was just committed.
fn tell(done: &mut [Box<dyn Work>], result: &Result<()>, ring: &OnceLock<Ring>) {
    let (Ok(()), Some(ring)) = (result, ring.get()) else { return };
    let mut bells: Vec<Bell> = Vec::new();
    for work in done {
        for bell in work.bells() {
            if !bells.contains(&bell) {
                bells.push(bell);
            }
        }
    }
    if !bells.is_empty() {
        ring(bells);
    }
}
