//! One attempt at a job, or at a batch of them: run within its time, its panic caught, and what is to become of it.
use super::{
    JobCx, JobError,
    kinds::{Done, How, Kind, Kinds, Payload},
    store::{Claimed, Finished, Outcome},
};
use crate::{Result, app::App, clock::Time, request};
use futures_util::FutureExt;
use std::{
    any::Any,
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::Instrument;

/// The first wait after a failure; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_secs(5);
const LONGEST_WAIT: Duration = Duration::from_secs(3600);
/// Who says "at once" may not turn in circles.
const SHORTEST_SNOOZE: Duration = Duration::from_millis(100);
/// Bytes of a reason that are kept.
const LONGEST_REASON: usize = 2000;

/// Runs one job, or many of one batch kind.
pub async fn run(app: &App, kinds: &Kinds, jobs: Vec<Claimed>) -> Vec<Finished> {
    let start = Instant::now();
    let kind = kinds.get(&jobs[0].kind);
    let done = match kind {
        None => vec![Err(JobError::Retry("this version knows no such kind of job".into()))],
        Some(kind) => match &kind.how {
            How::One(run) => {
                let [job] = &jobs[..] else { unreachable!("jobs of this kind come alone") };
                vec![match run(&job.payload, cx(app, job)) {
                    Ok(work) => guarded(kind, spanned(job, work)).await.unwrap_or_else(Err),
                    Err(e) => Err(unreadable(&e)),
                }]
            }
            How::Many { .. } => batch(app, kind, &jobs).await,
        },
    };
    let took = start.elapsed().as_secs_f64();
    if let Some(kind) = kind {
        kind.meters.took.record(took);
    }
    let now = app.clock.now();
    jobs.iter().zip(done).map(|(job, done)| finished(job, outcome(job, done, now))).collect()
}

async fn batch(app: &App, kind: &Kind, jobs: &[Claimed]) -> Vec<Done> {
    let How::Many { decode, run } = &kind.how else { unreachable!("a batch kind") };
    let mut done: Vec<Option<Done>> = jobs.iter().map(|_| None).collect();
    let (mut places, mut given) = (Vec::new(), Vec::new());
    let read = |job: &Claimed| -> Result<(Payload, JobCx), JobError> {
        Ok((decode(&job.payload).map_err(|e| unreadable(&e))?, cx(app, job)))
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
    let answers = if given.is_empty() { Ok(Vec::new()) } else { guarded(kind, run(app.clone(), given)).await };
    match answers {
        Ok(answers) => places.iter().zip(answers).for_each(|(&place, answer)| done[place] = Some(answer)),
        Err(JobError::Fail(_)) if places.len() > 1 => {
            // one of them made it panic: which?
            for &place in &places {
                let Ok(job) = read(&jobs[place]) else { continue };
                let answer = guarded(kind, run(app.clone(), vec![job])).await;
                done[place] = answer.map_or_else(|e| Some(Err(e)), |mut answers| answers.pop());
            }
        }
        Err(e) => places.iter().for_each(|&place| done[place] = Some(Err(e.clone()))),
    }
    let unanswered = || Err(JobError::Retry("its batch gave no answer for it".into()));
    done.into_iter().map(|answer| answer.unwrap_or_else(unanswered)).collect()
}

fn cx(app: &App, job: &Claimed) -> JobCx {
    JobCx {
        app: app.clone(),
        tenant: job.tenant_id,
        job: job.id,
        attempt: u32::try_from(job.attempt).unwrap_or(u32::MAX),
        last: job.attempt >= job.max_attempts,
        request: job.request_id.as_deref().map(Arc::from),
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

pub fn finished(job: &Claimed, outcome: Outcome) -> Finished {
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
