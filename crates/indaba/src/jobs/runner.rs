//! A worker: claims what is due in batches, runs it side by side, and writes down in batches what became of it.
use super::{
    JobCx, JobError,
    kinds::{Done, How, Kind, Kinds, Payload},
    recurring,
    store::{self, Claimed, Finished, Outcome, WorkerId},
};
use crate::{Error, Result, app::App, clock::Time, id::TenantId, request};
use futures_util::{FutureExt, future::join_all};
use std::{
    any::Any,
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::{Notify, mpsc},
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// How often a worker looks without being woken: the net under the bus.
pub const POLL: Duration = Duration::from_secs(1);
/// The most that one claim takes.
pub const BATCH: usize = 128;
/// The most jobs of batch kinds in hand.
const BATCHED: usize = 8 * BATCH;
/// The first wait after a failure; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// Who says "at once" may not turn in circles.
const SHORTEST_SNOOZE: Duration = Duration::from_millis(100);
/// Bytes of a reason that are kept.
const LONGEST_REASON: usize = 2000;

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
        let claim = app.db.system("claim jobs", move |tx| store::claim(tx, me, BATCH, 0, turns)).await?;
        if claim.jobs.is_empty() && !claim.more {
            break;
        }
        turns = claim.turns;
        count += claim.jobs.len();
        let finished: Vec<Finished> = join_all(worker.runs(claim.jobs)).await.into_iter().flatten().collect();
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
    /// Jobs in hand that run alone, and those of batch kinds.
    alone: AtomicUsize,
    batched: AtomicUsize,
    freed: Notify,
}

impl Worker {
    fn new(app: App, kinds: Arc<Kinds>, options: Options) -> Arc<Worker> {
        let me = WorkerId::at(app.clock.now());
        let (alone, batched, freed) = (AtomicUsize::new(0), AtomicUsize::new(0), Notify::new());
        Arc::new(Worker { app, kinds, me, options, alone, batched, freed })
    }

    async fn work(self: Arc<Self>, stop: CancellationToken) {
        while let Err(e) = self.renew().await {
            tracing::warn!(error = %e, "a worker cannot begin: {e}");
            if stop.run_until_cancelled(tokio::time::sleep(POLL)).await.is_none() {
                return;
            }
        }
        let (to, results) = mpsc::unbounded_channel();
        let finisher = tokio::spawn(self.clone().finish(results));
        let keeper = tokio::spawn(self.clone().keep_house());
        let mut tasks = JoinSet::new();
        let hands: Arc<Mutex<HashMap<super::JobId, Finished>>> = Arc::default();
        self.claim(&stop, &mut tasks, &to, &hands).await;

        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(self.options.grace, ended).await.is_err() {
            tasks.shutdown().await;
            let rest: Vec<Finished> =
                hands.lock().expect("no panic under this lock").drain().map(|(_, job)| job).collect();
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
    async fn claim(
        self: &Arc<Self>,
        stop: &CancellationToken,
        tasks: &mut JoinSet<()>,
        to: &mpsc::UnboundedSender<Vec<Finished>>,
        hands: &Arc<Mutex<HashMap<super::JobId, Finished>>>,
    ) {
        let mut bells = self.app.bus.listen(store::TOPIC);
        let (mut turns, mut more, mut wait) = ([TenantId::NIL; 4], true, POLL);
        while !stop.is_cancelled() {
            while tasks.try_join_next().is_some() {}
            let free = self.options.workers.saturating_sub(self.alone.load(Ordering::Relaxed));
            let full = free == 0 || self.batched.load(Ordering::Relaxed) >= BATCHED;
            if !more || full {
                tokio::select! {
                    _ = stop.cancelled() => break,
                    _ = bells.next() => {}
                    () = self.freed.notified(), if full => {}
                    () = tokio::time::sleep(wait) => {}
                }
                while bells.try_next().is_some() {}
                more = true;
                continue;
            }
            if free < BATCH.min(self.options.workers / 2) && !tasks.is_empty() {
                // a few places are free: let some more become so, rather than claim one job at a time
                let pause = tokio::time::sleep(Duration::from_millis(3));
                tokio::select! { _ = stop.cancelled() => break, () = pause => {} }
            }
            let (me, room, kept) =
                (self.me, free.min(BATCH), (self.options.workers / 8).saturating_sub(free.saturating_sub(BATCH)));
            match self.app.db.system("claim jobs", move |tx| store::claim(tx, me, room, kept, turns)).await {
                Ok(claim) => {
                    turns = claim.turns;
                    more = claim.more;
                    let now = self.app.clock.now();
                    wait = claim.next.map_or(POLL, |at| at.since(now).clamp(Duration::from_millis(5), POLL));
                    self.begin(claim.jobs, tasks, to, hands, now);
                }
                Err(e) => {
                    tracing::warn!(error = %e, "no jobs could be claimed: {e}");
                    let pause = tokio::time::sleep(POLL);
                    tokio::select! { _ = stop.cancelled() => break, () = pause => {} }
                }
            }
        }
    }

    fn begin(
        self: &Arc<Self>,
        jobs: Vec<Claimed>,
        tasks: &mut JoinSet<()>,
        to: &mpsc::UnboundedSender<Vec<Finished>>,
        hands: &Arc<Mutex<HashMap<super::JobId, Finished>>>,
        now: Time,
    ) {
        {
            let mut hands = hands.lock().expect("no panic under this lock");
            for job in &jobs {
                metrics::histogram!("indaba_job_wait_seconds", "kind" => job.kind.clone())
                    .record(now.since(job.run_at).as_secs_f64());
                hands.insert(job.id, finished(job, Outcome::Again(now, false, None)));
            }
        }
        for run in self.runs(jobs) {
            let (to, hands) = (to.clone(), hands.clone());
            tasks.spawn(async move {
                let done = run.await;
                let mut hands = hands.lock().expect("no panic under this lock");
                done.iter().for_each(|job| drop(hands.remove(&job.id)));
                let _ = to.send(done);
            });
        }
    }

    /// One future for each job that runs alone, one for all those of a batch kind.
    fn runs(self: &Arc<Self>, jobs: Vec<Claimed>) -> Vec<impl Future<Output = Vec<Finished>> + Send + use<>> {
        let mut batches = HashMap::<String, Vec<Claimed>>::new();
        let mut runs = Vec::new();
        for job in jobs {
            if matches!(self.kinds.get(&job.kind), Some(Kind { how: How::Many { .. }, .. })) {
                self.batched.fetch_add(1, Ordering::Relaxed);
                batches.entry(job.kind.clone()).or_default().push(job);
            } else {
                self.alone.fetch_add(1, Ordering::Relaxed);
                runs.push(vec![job]);
            }
        }
        runs.extend(batches.into_values());
        runs.into_iter().map(|jobs| self.clone().run(jobs)).collect()
    }

    async fn run(self: Arc<Self>, jobs: Vec<Claimed>) -> Vec<Finished> {
        let start = Instant::now();
        let kind = self.kinds.get(&jobs[0].kind);
        let done = match kind {
            None => vec![Err(JobError::Retry("this version knows no such kind of job".into()))],
            Some(kind) => match &kind.how {
                How::One(run) => {
                    let [job] = &jobs[..] else { unreachable!("jobs of this kind come alone") };
                    vec![match run(&job.payload, self.cx(job)) {
                        Ok(work) => guarded(kind, spanned(job, work)).await.unwrap_or_else(Err),
                        Err(e) => Err(unreadable(&e)),
                    }]
                }
                How::Many { .. } => self.batch(kind, &jobs).await,
            },
        };
        let took = start.elapsed().as_secs_f64();
        metrics::histogram!("indaba_job_seconds", "kind" => kind.map_or("unknown", |kind| kind.name)).record(took);
        let now = self.app.clock.now();
        jobs.iter().zip(done).map(|(job, done)| finished(job, outcome(job, done, now))).collect()
    }

    async fn batch(&self, kind: &Kind, jobs: &[Claimed]) -> Vec<Done> {
        let How::Many { decode, run } = &kind.how else { unreachable!("a batch kind") };
        let mut done: Vec<Option<Done>> = jobs.iter().map(|_| None).collect();
        let (mut places, mut given) = (Vec::new(), Vec::new());
        let read = |job: &Claimed| -> Result<(Payload, JobCx), JobError> {
            Ok((decode(&job.payload).map_err(|e| unreadable(&e))?, self.cx(job)))
        };
        for (place, job) in jobs.iter().enumerate() {
            match read(job) {
                Ok(job) => {
                    places.push(place);
                    given.push(job);
                }
                Err(e) => done[place] = Some(Err(e)),
            }
        }
        let answers = if given.is_empty() { Ok(Vec::new()) } else { guarded(kind, run(self.app.clone(), given)).await };
        match answers {
            Ok(answers) => places.iter().zip(answers).for_each(|(&place, answer)| done[place] = Some(answer)),
            Err(JobError::Fail(_)) if places.len() > 1 => {
                // one of them made it panic: which?
                for &place in &places {
                    let Ok(job) = read(&jobs[place]) else { continue };
                    let answer = guarded(kind, run(self.app.clone(), vec![job])).await;
                    done[place] = answer.map_or_else(|e| Some(Err(e)), |mut answers| answers.pop());
                }
            }
            Err(e) => places.iter().for_each(|&place| done[place] = Some(Err(e.clone()))),
        }
        let unanswered = || Err(JobError::Retry("its batch gave no answer for it".into()));
        done.into_iter().map(|answer| answer.unwrap_or_else(unanswered)).collect()
    }

    fn cx(&self, job: &Claimed) -> JobCx {
        JobCx {
            app: self.app.clone(),
            tenant: job.tenant_id,
            job: job.id,
            attempt: u32::try_from(job.attempt).unwrap_or(u32::MAX),
            last: job.attempt >= job.max_attempts,
            request: job.request_id.as_deref().map(Arc::from),
        }
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
                        tokio::time::sleep(POLL).await;
                        // one that cannot be written must not hold up the others
                        left.extend(shared.iter().map(|job| vec![job.clone()]));
                    }
                }
            }
            self.freed.notify_one();
        }
    }

    fn put_down(&self, jobs: &[Finished]) {
        for job in jobs {
            let many = matches!(self.kinds.get(&job.kind), Some(Kind { how: How::Many { .. }, .. }));
            if many { &self.batched } else { &self.alone }.fetch_sub(1, Ordering::Relaxed);
            note(job);
        }
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
            tokio::time::sleep((self.options.lease / 3).min(Duration::from_secs(5))).await;
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

fn spanned(job: &Claimed, work: impl Future<Output = Done> + Send) -> impl Future<Output = Done> + Send {
    let span = tracing::info_span!(
        "job", job.id = %job.id, job.kind = %job.kind, job.attempt = job.attempt, tenant.id = %job.tenant_id,
        request.id = job.request_id.as_deref()
    );
    let request = job.request_id.as_deref().map(Arc::from);
    async move {
        match request {
            Some(id) => request::within(id, work).await,
            None => work.await,
        }
    }
    .instrument(span)
}

/// Runs it within the kind's time, and catches its panic.
async fn guarded<T>(kind: &Kind, work: impl Future<Output = T> + Send) -> Result<T, JobError> {
    match tokio::time::timeout(kind.timeout, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(panic)) => Err(JobError::Fail(format!("it panicked: {}", text(&*panic)))),
        Err(_) => Err(JobError::Retry(format!("it took longer than {} s", kind.timeout.as_secs()))),
    }
}

fn text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a word")
}

fn unreadable(e: &serde_json::Error) -> JobError {
    JobError::Fail(format!("its payload cannot be read: {e}"))
}

fn finished(job: &Claimed, outcome: Outcome) -> Finished {
    Finished {
        tenant: job.tenant_id,
        id: job.id,
        kind: job.kind.clone(),
        lane: job.lane.clone(),
        attempt: job.attempt,
        request: job.request_id.clone(),
        outcome,
    }
}

fn outcome(job: &Claimed, done: Done, now: Time) -> Outcome {
    match done {
        Ok(()) => Outcome::Done,
        Err(JobError::Snooze(wait)) => Outcome::Again(now + wait.max(SHORTEST_SNOOZE), false, None),
        Err(JobError::Retry(reason)) if job.attempt < job.max_attempts => {
            Outcome::Again(now + backoff(job.attempt), true, Some(tidy(reason)))
        }
        Err(JobError::Retry(reason) | JobError::Fail(reason)) => Outcome::Dead(tidy(reason)),
    }
}

/// A reason as it can be stored: it may come from outside, or from a panic.
fn tidy(mut reason: String) -> String {
    reason.retain(|c| c != '\0'); // PostgreSQL refuses it
    reason.truncate(reason.floor_char_boundary(LONGEST_REASON));
    reason
}

/// How long to wait after the attempt with this number: doubling, with a tenth of jitter either way, so that what failed together does
/// not come back together.
fn backoff(attempt: i64) -> Duration {
    let doublings = u32::try_from(attempt - 1).unwrap_or(0).min(16);
    let wait = (FIRST_WAIT * (1 << doublings)).min(LONGEST_WAIT);
    wait.mul_f64(0.9 + 0.2 * f64::from(rand::random::<u8>()) / 255.0)
}

fn note(job: &Finished) {
    let kind = job.kind.clone();
    let (id, request) = (job.id, job.request.as_deref());
    let outcome = match &job.outcome {
        Outcome::Done => "done",
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
    metrics::counter!("indaba_jobs_total", "kind" => kind, "outcome" => outcome).increment(1);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_to_an_hour_at_most() {
        for (attempt, seconds) in [(1, 5), (2, 10), (3, 20), (8, 640), (11, 3600), (99, 3600)] {
            let wait = backoff(attempt).as_secs_f64() / f64::from(seconds);
            assert!((0.89..=1.11).contains(&wait), "attempt {attempt}: {wait}");
        }
    }
}
