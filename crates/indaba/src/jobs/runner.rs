//! A worker: claims what is due in batches, runs it side by side, and writes down in batches what became of it.
use super::{
    JobId, attempt,
    kinds::{How, Kind, Kinds},
    recurring,
    store::{self, Claim, Claimed, Finished, Outcome, WorkerId},
};
use crate::{Error, Result, app::App, clock::Time, db::Dialect, id::TenantId};
use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::{Notify, Semaphore, mpsc},
    task::{JoinHandle, JoinSet},
    time::{Instant, sleep, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

/// How often a worker looks without being woken: the net under the bus.
pub const POLL: Duration = Duration::from_secs(1);
/// The most that one claim takes.
pub const BATCH: usize = 128;
/// The most jobs in hand: claimed, and not yet written down.
const IN_HAND: usize = 16 * BATCH;
/// When only a few places are free, so long is waited for more, rather than to claim one job at a time.
const GATHER: Duration = Duration::from_millis(3);
/// After a claim that left nothing the next one waits so long: what comes in meanwhile shares its transactions. A job that comes after a
/// quiet moment does not wait.
const PACE: Duration = Duration::from_millis(20);

/// How a worker works.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Jobs that run at a time, not counting batches.
    pub workers: usize,
    /// How long its jobs are its own without a sign of life.
    pub lease: Duration,
    /// How long a stop waits for what is running.
    pub grace: Duration,
}

impl Default for Options {
    fn default() -> Options {
        Options { workers: 128, lease: Duration::from_secs(60), grace: Duration::from_secs(8) }
    }
}

/// A worker at work. Drop it and it works on; [`Running::stop`] ends it.
pub struct Running {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    /// Claims no more, waits a while for what is running, gives the rest back, and is back when all that is written down.
    pub async fn stop(self) {
        self.stop.cancel();
        let _ = self.task.await;
    }
}

/// Starts a worker.
pub fn start(app: App, kinds: Arc<Kinds>, options: Options) -> Running {
    let stop = CancellationToken::new();
    let worker = Worker::new(app, kinds, options);
    let task = tokio::spawn(worker.work(stop.clone()));
    Running { stop, task }
}

/// Runs what is due, and what that makes due, until nothing is: for tests, where the clock stands still. How many jobs were run.
pub async fn run_due(app: &App, kinds: &Arc<Kinds>) -> Result<usize> {
    let worker = Worker::new(app.clone(), kinds.clone(), Options::default());
    worker.renew().await?;
    let (mut turns, mut count) = ([TenantId::NIL; 4], 0);
    loop {
        recurring::tick(app, kinds).await?;
        worker.take_back().await?;
        let me = worker.me;
        let claim = app.db.system("claim jobs", move |tx| store::claim(tx, me, BATCH, BATCH, turns)).await?;
        if claim.jobs.is_empty() && !claim.more {
            break;
        }
        turns = claim.turns;
        count += claim.jobs.len();
        let finished: Vec<Finished> =
            join_all(worker.parts(claim.jobs).into_iter().map(|(jobs, _)| attempt::run(app, kinds, jobs)))
                .await
                .into_iter()
                .flatten()
                .collect();
        if !finished.is_empty() {
            app.db.system("finish jobs", move |tx| store::finish(tx, me, &finished)).await?;
        }
    }
    let me = worker.me;
    app.db.system("end a worker", move |tx| store::resign(tx, me)).await?;
    Ok(count)
}

struct Worker {
    app: App,
    kinds: Arc<Kinds>,
    me: WorkerId,
    options: Options,
    /// Jobs that run alone and have not ended.
    alone: AtomicUsize,
    /// Lets so many of them run at a time.
    gate: Semaphore,
    /// Jobs claimed and not yet written down.
    in_hand: AtomicUsize,
    /// Jobs whose attempt has not ended, as they are given back if it is cut off.
    attempts: Mutex<HashMap<JobId, Finished>>,
    freed: Notify,
}

/// What is under way: attempts, and the way to whoever writes down what became of them.
struct Hall {
    tasks: JoinSet<()>,
    to: mpsc::UnboundedSender<Vec<Finished>>,
}

impl Worker {
    fn new(app: App, kinds: Arc<Kinds>, options: Options) -> Arc<Worker> {
        Arc::new(Worker {
            me: WorkerId::at(app.clock.now()),
            alone: AtomicUsize::new(0),
            gate: Semaphore::new(options.workers),
            in_hand: AtomicUsize::new(0),
            attempts: Mutex::default(),
            freed: Notify::new(),
            app,
            kinds,
            options,
        })
    }

    async fn work(self: Arc<Self>, stop: CancellationToken) {
        while let Err(e) = self.renew().await {
            tracing::warn!(error = %e, "a worker cannot begin: {e}");
            if stop.run_until_cancelled(sleep(POLL)).await.is_none() {
                return;
            }
        }
        let (to, results) = mpsc::unbounded_channel();
        let finisher = tokio::spawn(self.clone().finish(results));
        let keeper = tokio::spawn(self.clone().keep_house());
        let mut hall = Hall { tasks: JoinSet::new(), to };
        self.claim(&stop, &mut hall).await;

        let Hall { mut tasks, to } = hall;
        let ended = async { while tasks.join_next().await.is_some() {} };
        if timeout(self.options.grace, ended).await.is_err() {
            tasks.shutdown().await;
            let rest: Vec<Finished> =
                self.attempts.lock().expect("no panic under this lock").drain().map(|(_, job)| job).collect();
            tracing::warn!(jobs = rest.len(), "{} jobs were cut off and go back to the queue", rest.len());
            let _ = to.send(rest);
        }
        drop(to);
        let _ = finisher.await;
        keeper.abort();
        let me = self.me;
        if let Err(e) = self.app.db.system("end a worker", move |tx| store::resign(tx, me)).await {
            tracing::warn!(error = %e, "a worker could not say goodbye: {e}"); // its lease will run out
        }
    }

    /// Claims and starts jobs until told to stop.
    async fn claim(self: &Arc<Self>, stop: &CancellationToken, hall: &mut Hall) {
        // side by side while much waits: SQLite has one writer, which need not wait for us in between
        let lanes = if self.app.db.dialect() == Dialect::Sqlite { 2 } else { 4 };
        let mut bells = self.app.bus.listen(store::TOPIC);
        let mut claims = FuturesUnordered::new();
        let (mut wanted, mut woken, mut starved, mut expected) = (1, false, false, 0);
        let (mut turns, mut wait, mut gather, mut due) = ([TenantId::NIL; 4], POLL, Instant::now(), Instant::now());
        loop {
            while hall.tasks.try_join_next().is_some() {}
            while claims.len() < wanted && !stop.is_cancelled() && due <= Instant::now() {
                // of each claim under way as many jobs are expected to run alone as of the last
                let free =
                    self.options.workers.saturating_sub(self.alone.load(Ordering::Relaxed) + claims.len() * expected);
                let few = free < BATCH.min(self.options.workers) / 4 && Instant::now() < gather;
                let many = self.in_hand.load(Ordering::Relaxed) + claims.len() * BATCH >= IN_HAND;
                if free == 0 || few || many {
                    starved = true;
                    break;
                }
                let urgent = free.min(BATCH);
                claims.push(self.claim_once(urgent, urgent.min(free.saturating_sub(self.options.workers / 8)), turns));
            }
            if stop.is_cancelled() && claims.is_empty() {
                return;
            }
            tokio::select! {
                () = stop.cancelled(), if !stop.is_cancelled() => {}
                Some(claim) = claims.next() => match claim {
                    Ok(Claim { jobs, more, next, turns: after, kept }) => {
                        let now = self.app.clock.now();
                        turns = after;
                        wait = next.map_or(POLL, |at| at.since(now).clamp(Duration::from_millis(5), POLL));
                        wanted = if more { lanes } else { usize::from(std::mem::take(&mut woken)) };
                        starved |= kept;
                        gather = Instant::now() + GATHER;
                        due = if more { Instant::now() } else { Instant::now() + PACE };
                        expected = self.begin(jobs, hall, now);
                    }
                    Err(e) => {
                        tracing::warn!(error = %e, "no jobs could be claimed: {e}");
                        wanted = 0; // until the next poll
                    }
                },
                _ = bells.next() => {
                    while bells.try_next().is_some() {}
                    (woken, wanted) = (true, wanted.max(1));
                }
                () = self.freed.notified(), if starved => (starved, wanted) = (false, wanted.max(1)),
                () = sleep_until(gather), if starved && Instant::now() < gather => {}
                () = sleep_until(due), if claims.len() < wanted && Instant::now() < due => {}
                () = sleep(wait), if wanted == 0 => wanted = 1,
            }
        }
    }

    async fn claim_once(&self, urgent: usize, other: usize, turns: [TenantId; 4]) -> Result<Claim> {
        let me = self.me;
        self.app.db.system("claim jobs", move |tx| store::claim(tx, me, urgent, other, turns)).await
    }

    /// Starts claimed jobs; how many of them run alone.
    fn begin(self: &Arc<Self>, jobs: Vec<Claimed>, hall: &mut Hall, now: Time) -> usize {
        self.in_hand.fetch_add(jobs.len(), Ordering::Relaxed);
        {
            let mut attempts = self.attempts.lock().expect("no panic under this lock");
            for job in &jobs {
                if let Some(kind) = self.kinds.get(&job.kind) {
                    kind.meters.wait.record(now.since(job.run_at).as_secs_f64());
                }
                attempts.insert(job.id, attempt::finished(job, Outcome::Again(now, false, None)));
            }
        }
        let mut count = 0;
        for (jobs, alone) in self.parts(jobs) {
            count += usize::from(alone);
            self.alone.fetch_add(usize::from(alone), Ordering::Relaxed);
            let (worker, to) = (self.clone(), hall.to.clone());
            hall.tasks.spawn(async move {
                let pass = if alone { worker.gate.acquire().await.ok() } else { None };
                let done = attempt::run(&worker.app, &worker.kinds, jobs).await;
                drop(pass);
                let mut attempts = worker.attempts.lock().expect("no panic under this lock");
                done.iter().for_each(|job| drop(attempts.remove(&job.id)));
                worker.alone.fetch_sub(usize::from(alone), Ordering::Relaxed);
                worker.freed.notify_one();
                let _ = to.send(done);
            });
        }
        count
    }

    /// Each job by itself, or together with the others of its batch kind; true: by itself.
    fn parts(&self, jobs: Vec<Claimed>) -> Vec<(Vec<Claimed>, bool)> {
        let mut batches = HashMap::<String, Vec<Claimed>>::new();
        let mut parts = Vec::new();
        for job in jobs {
            match self.kinds.get(&job.kind) {
                Some(Kind { how: How::Many { .. }, .. }) => batches.entry(job.kind.clone()).or_default().push(job),
                _ => parts.push((vec![job], true)),
            }
        }
        parts.extend(batches.into_values().map(|jobs| (jobs, false)));
        parts
    }

    /// Writes down what became of jobs, as many as there are at a time.
    async fn finish(self: Arc<Self>, mut results: mpsc::UnboundedReceiver<Vec<Finished>>) {
        while let Some(first) = results.recv().await {
            let mut finished = first;
            while finished.len() < 4 * BATCH
                && let Ok(next) = results.try_recv()
            {
                finished.extend(next);
            }
            let mut left = vec![finished];
            while let Some(jobs) = left.pop() {
                let (me, shared) = (self.me, Arc::new(jobs));
                let jobs = shared.clone();
                match self.app.db.system("finish jobs", move |tx| store::finish(tx, me, &jobs)).await {
                    Ok(()) => self.put_down(&shared),
                    Err(Error::Closed) => return, // they come back when our lease has run out
                    Err(e) => {
                        tracing::warn!(error = %e, jobs = shared.len(), "finished jobs could not be written down yet: {e}");
                        sleep(POLL).await;
                        // one that cannot be written must not hold up the others
                        left.extend(shared.iter().map(|job| vec![job.clone()]));
                    }
                }
            }
            self.freed.notify_one();
        }
    }

    fn put_down(&self, jobs: &[Finished]) {
        self.in_hand.fetch_sub(jobs.len(), Ordering::Relaxed);
        jobs.iter().for_each(|job| note(job, self.kinds.get(&job.kind)));
    }

    /// Renews the lease, takes back what dead workers left, enqueues what recurs.
    async fn keep_house(self: Arc<Self>) {
        let mut renewed = None::<Instant>;
        loop {
            if let Err(e) = recurring::tick(&self.app, &self.kinds).await {
                tracing::warn!(error = %e, "recurring jobs were not looked at: {e}");
            }
            if renewed.is_none_or(|at| at.elapsed() >= self.options.lease / 3) {
                let kept = async {
                    self.renew().await?;
                    self.take_back().await?;
                    self.count().await
                };
                let kept = kept.await;
                match kept {
                    Ok(()) => renewed = Some(Instant::now()),
                    Err(e) => tracing::warn!(error = %e, "a worker's lease was not renewed: {e}"),
                }
            }
            sleep((self.options.lease / 3).min(Duration::from_secs(5))).await;
        }
    }

    /// How many jobs wait and are dead, for the metrics: up to 10,000.
    async fn count(&self) -> Result<()> {
        let (ready, dead) = self.app.db.system_read("count jobs", store::count).await?;
        metrics::gauge!("indaba_jobs_ready").set(ready as f64);
        metrics::gauge!("indaba_jobs_dead").set(dead as f64);
        Ok(())
    }

    async fn renew(&self) -> Result<()> {
        let (me, until) = (self.me, self.app.clock.now() + self.options.lease);
        self.app.db.system("renew a worker's lease", move |tx| store::renew(tx, me, until)).await
    }

    async fn take_back(&self) -> Result<()> {
        for dead in self.app.db.system("find dead workers", store::lost).await? {
            tracing::warn!(worker.id = %dead, "worker {dead} died; its jobs go back to the queue");
            while self.app.db.system("take back a dead worker's jobs", move |tx| store::take_back(tx, dead)).await? {}
        }
        Ok(())
    }
}

fn note(job: &Finished, known: Option<&Kind>) {
    let kind = &job.kind;
    let (id, request) = (job.id, job.request.as_deref());
    let outcome = match &job.outcome {
        Outcome::Done => {
            if let Some(kind) = known {
                return kind.meters.done.increment(1);
            }
            "done"
        }
        Outcome::Again(at, counted, reason) => {
            if *counted {
                let reason = reason.as_deref().unwrap_or_default();
                tracing::info!(job.id = %id, job.kind = kind, tenant.id = %job.tenant, request.id = request, "job {id} is tried again at {at}: {reason}");
            }
            "again"
        }
        Outcome::Dead(reason) => {
            tracing::warn!(job.id = %id, job.kind = kind, tenant.id = %job.tenant, request.id = request, "job {id} ({kind}) is set aside: {reason}");
            "dead"
        }
    };
    metrics::counter!("indaba_jobs_total", "kind" => kind.clone(), "outcome" => outcome).increment(1);
}
