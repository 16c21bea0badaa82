//! How closures become transactions on a database thread.
use super::{
    Again, Bell, Conn,
    queue::Queue,
    sqlite::Lite,
    tx::{self, Base, State},
    watch::Watch,
};
use crate::{Error, Result, clock::Clock, id::TenantId, request};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
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
    fn run(&mut self, conn: &mut dyn Conn, watch: &Watch) -> bool;
    /// What it rang; asked only after the commit.
    fn bells(&mut self) -> Vec<Bell>;
    fn answer(self: Box<Self>, committed: Result<()>);
}

/// What waits for the threads.
pub(super) type Waiting = Queue<Box<dyn Work>>;

pub(super) struct Call<T, F> {
    scope: Scope,
    reads: bool,
    f: F,
    out: Option<Result<T>>,
    bells: Vec<Bell>,
    clock: Clock,
    request: Option<Arc<str>>,
    asked: Instant,
    to: oneshot::Sender<Result<T>>,
}

impl<T, F> Call<T, F> {
    pub fn new(scope: Scope, reads: bool, f: F, clock: Clock, to: oneshot::Sender<Result<T>>) -> Call<T, F> {
        let (request, asked) = (request::current(), Instant::now());
        Call { scope, reads, f, out: None, bells: Vec::new(), clock, request, asked, to }
    }

    /// Says in the log what took so long.
    fn complain(&self, state: &State, took: Duration, stopped: bool) {
        let took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        let (longest_ms, statement) = (u64::try_from(state.longest.0.as_millis()).unwrap_or(u64::MAX), state.longest.1);
        let request = self.request.as_deref();
        let (tenant, reason) = match self.scope {
            Scope::Tenant(tenant) => (Some(tracing::field::display(tenant)), None),
            Scope::System(reason) => (None, Some(reason)),
        };
        let did = if stopped { "was stopped after" } else { "took" };
        tracing::warn!(
            tenant.id = tenant,
            reason,
            request.id = request,
            took_ms,
            longest_ms,
            statement,
            "a transaction {did} {took_ms} ms"
        );
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

    fn run(&mut self, conn: &mut dyn Conn, watch: &Watch) -> bool {
        let start = Instant::now();
        watch.meters.waited.record(start - self.asked);
        let until = start + watch.limit;
        conn.until(Some(until));
        let mut state = State::new(self.clock.now(), self.request.clone(), until);
        let f = &mut self.f;
        let ran = catch_unwind(AssertUnwindSafe(|| {
            let out = f(Base { conn: &mut *conn, state: &mut state })?;
            if state.failed {
                return Err(Error::Statement("a failed statement was passed over".into()));
            }
            tx::finish(conn, &mut state)?;
            Ok(out)
        }));
        conn.until(None);
        let took = start.elapsed();
        watch.meters.closure.record(took);
        let stopped = took >= watch.limit && !matches!(ran, Ok(Ok(_)));
        if took >= watch.slow {
            if stopped { &watch.meters.stopped } else { &watch.meters.slow }.increment(1);
            self.complain(&state, took, stopped);
        }
        self.bells = state.bells;
        self.out.insert(ran.unwrap_or(Err(Error::Panicked))).is_ok()
    }

    fn bells(&mut self) -> Vec<Bell> {
        if matches!(self.out, Some(Ok(_))) { std::mem::take(&mut self.bells) } else { Vec::new() }
    }

    fn answer(self: Box<Self>, committed: Result<()>) {
        // what the closure owned or answered may panic when it is dropped: not with our thread
        let _ = catch_unwind(AssertUnwindSafe(move || {
            let _ = self.to.send(match (self.out, committed) {
                (Some(Ok(value)), Ok(())) => Ok(value),
                (Some(Err(e)), _) | (_, Err(e)) => Err(e),
                (None, Ok(())) => Err(Error::Closed),
            });
        }));
    }
}

/// A database thread. However it ends, its queue closes and everyone who waits is answered `Closed`.
pub(super) fn spawn(
    name: &str,
    queue: &Arc<Waiting>,
    watch: &Arc<Watch>,
    mut each: impl FnMut(Box<dyn Work>, &Waiting, &Watch) + Send + 'static,
) -> thread::JoinHandle<()> {
    struct Guard(Arc<Waiting>, Arc<Watch>);
    impl Drop for Guard {
        fn drop(&mut self) {
            if thread::panicking() {
                self.0.close();
                while self.0.try_pop().is_some() {}
                self.1.mourn();
            }
        }
    }
    let guard = Guard(queue.clone(), watch.clone());
    let gauge = watch.meters.waiting[usize::from(name == "db-read")].clone();
    let body = move || {
        while let Some((work, behind)) = guard.0.pop() {
            gauge.set(u32::try_from(behind).unwrap_or(u32::MAX));
            each(work, &guard.0, &guard.1);
        }
    };
    thread::Builder::new().name(name.into()).spawn(body).expect("a thread at start-up")
}

/// SQLite's writer: everything that waits shares one commit, each closure in a savepoint of its own.
///
/// A closure with nothing before it needs none: if it fails, the transaction is undone and begins anew. Savepoints are not cheap: at
/// each of them full-text search writes out what it has gathered.
pub(super) fn group(lite: &mut Lite, first: Box<dyn Work>, queue: &Waiting, watch: &Watch) {
    let (start, mut done, mut next) = (Instant::now(), Vec::new(), Some(first));
    let (mut result, mut kept) = (lite.control("begin immediate"), false);
    while let Some(mut work) = next {
        if result.is_ok() && work.wanted() {
            result = if kept { behind(lite, &mut *work, watch) } else { ahead(lite, &mut *work, watch, &mut kept) };
        }
        done.push(work);
        let more = result.is_ok() && done.len() < 256 && start.elapsed() < Duration::from_millis(2);
        next = if more { queue.try_pop() } else { None };
    }
    if result.is_ok() {
        result = lite.control("commit");
    }
    if result.is_err() {
        lite.rollback();
    }
    watch.meters.group.record(u32::try_from(done.len()).unwrap_or(u32::MAX));
    watch.meters.transaction.record(start.elapsed());
    tell(&mut done, &result, watch);
    for work in done {
        work.answer(result.clone());
    }
}

/// A closure that has the transaction to itself so far.
fn ahead(lite: &mut Lite, work: &mut dyn Work, watch: &Watch, kept: &mut bool) -> Result<()> {
    *kept = work.run(lite, watch);
    if *kept && !lite.in_transaction() {
        return Err(Error::Busy);
    }
    if !*kept {
        lite.rollback();
        lite.control("begin immediate")?;
    }
    Ok(())
}

/// A closure behind others whose work must stay.
fn behind(lite: &mut Lite, work: &mut dyn Work, watch: &Watch) -> Result<()> {
    lite.control("savepoint s")?;
    let keep = work.run(lite, watch);
    if !lite.in_transaction() {
        return Err(Error::Busy); // a stopped write or a full disk: SQLite has undone the whole group
    }
    if !keep {
        lite.control("rollback to s")?;
    }
    lite.control("release s")
}

/// One closure, one transaction; a lost race is run again, and so is what a cut line interrupted before its commit.
pub(super) fn alone(conn: &mut dyn Conn, mut work: Box<dyn Work>, watch: &Watch) {
    if !work.wanted() {
        return;
    }
    let start = Instant::now();
    let mut races = 0;
    let result = loop {
        let result = once(conn, &mut *work, watch);
        let wait = match conn.again() {
            Again::No => break result,
            Again::Race if races == 5 => break result,
            Again::Race => {
                races += 1;
                // with jitter: else the losers meet again
                Duration::from_millis((2 << races) + u64::from(rand::random::<u8>()) % (4 << races))
            }
            // a server that restarts is back soon; one that stays away is not waited for by everyone
            Again::Line if start.elapsed().max(watch.reached(false)) > watch.limit => break result,
            Again::Line => Duration::from_millis(50 + u64::from(rand::random::<u8>())),
        };
        watch.meters.again.increment(1);
        thread::sleep(wait);
    };
    watch.meters.transaction.record(start.elapsed());
    let mut done = [work];
    tell(&mut done, &result, watch);
    let [work] = done;
    work.answer(result);
}

fn once(conn: &mut dyn Conn, work: &mut dyn Work, watch: &Watch) -> Result<()> {
    conn.begin(work.reads(), work.scope().tenant())?;
    watch.reached(true);
    if work.run(conn, watch) {
        return conn.commit();
    }
    conn.rollback();
    Ok(())
}

/// Rings, once each, the bells of all that was just committed.
fn tell(done: &mut [Box<dyn Work>], result: &Result<()>, watch: &Watch) {
    let (Ok(()), Some(ring)) = (result, watch.ring.get()) else { return };
    let mut bells: Vec<Bell> = Vec::new();
    for work in done {
        for bell in work.bells() {
            if !bells.contains(&bell) {
                bells.push(bell);
            }
        }
    }
    if !bells.is_empty() && catch_unwind(AssertUnwindSafe(|| ring(bells))).is_err() {
        tracing::error!("who rings the bells panicked: this one was not heard");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn when_a_thread_dies_everyone_is_told_and_the_program_learns_it() {
        let watch = Arc::new(Watch::new(Duration::from_secs(1), Duration::from_secs(1)));
        let queue = Arc::new(Waiting::new(8));
        let ask = || {
            let (to, answer) = oneshot::channel();
            let call = Call::new(Scope::System("a test"), true, |_: Base| Ok(()), Clock::System, to);
            (queue.push(Box::new(call)).is_ok(), answer)
        };
        let (first, second) = (ask(), ask());
        let thread = spawn("db-read", &queue, &watch, |_, _, _| panic!("on purpose"));
        assert!(first.1.await.is_err() && second.1.await.is_err()); // `Db` makes `Closed` of it
        watch.died().await;
        assert!(thread.join().is_err());
        assert!(!ask().0, "a queue without threads takes nothing");
    }
}
