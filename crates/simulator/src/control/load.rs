//! The load generator: posts hooks with ids of their own to one target, and counts what comes back.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Done, Failure, Take};
use crate::{
    sim::Sim,
    waha,
    world::{Refused, message_id},
};

/// Bounds: a slip of the finger must not take the machine down.
const MOST: u64 = 2_000_000;
const LONGEST_S: u64 = 3_600;
const WIDEST: usize = 1_024;
const RUNS: usize = 50;

/// What to post, how fast, and to whom.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// A session whose own webhook is the target: URL, key and custom headers are taken from it.
    session: Option<String>,
    /// Else: the target.
    url: Option<String>,
    /// Else: the key to sign with.
    hmac_key: Option<String>,
    /// Else: the session's name in the hooks. Default `load`.
    name: Option<String>,
    /// How many hooks.
    count: u64,
    /// So many in a second; as fast as it goes when left out.
    rate: Option<f64>,
    /// So many at the same time.
    #[serde(default = "eight")]
    concurrency: usize,
    /// It ends after so many seconds at the latest.
    #[serde(default = "minute")]
    seconds: u64,
    /// From so many customers.
    #[serde(default = "hundred")]
    customers: u64,
    /// The words are filled up to this many bytes of hook.
    #[serde(default)]
    bytes: usize,
    /// How many of a hundred are sent a second time, byte for byte.
    #[serde(default)]
    repeat_percent: u64,
    /// The first customer's number; the others follow it.
    #[serde(default = "first")]
    first_phone: u64,
    /// Answer only when it is done.
    #[serde(default)]
    wait: bool,
}

fn eight() -> usize {
    8
}
fn minute() -> u64 {
    60
}
fn hundred() -> u64 {
    100
}
fn first() -> u64 {
    27_820_100_000
}

/// One run.
struct Run {
    plan: Plan,
    started: Instant,
    stop: CancellationToken,
    next: AtomicU64,
    score: Mutex<Score>,
}

#[derive(Default)]
struct Score {
    accepted: u64,
    refused: BTreeMap<u16, u64>,
    failed: u64,
    /// Microseconds of each answer.
    took: Vec<u32>,
    ended: Option<Duration>,
    open: usize,
}

impl Run {
    fn score(&self) -> MutexGuard<'_, Score> {
        self.score.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    fn json(&self, id: u64) -> Value {
        let score = self.score();
        let mut took = score.took.clone();
        took.sort_unstable();
        let at = |percent: usize| {
            let place = (took.len().saturating_sub(1)) * percent / 100;
            took.get(place).map(|us| f64::from(*us) / 1000.0)
        };
        let elapsed = score.ended.unwrap_or_else(|| self.started.elapsed()).as_secs_f64();
        let answered = score.accepted + score.refused.values().sum::<u64>();
        json!({
            "id": id,
            "done": score.ended.is_some(),
            "accepted": score.accepted,
            "refused": score.refused,
            "failed": score.failed,
            "seconds": elapsed,
            "perSecond": if elapsed > 0.0 { answered as f64 / elapsed } else { 0.0 },
            "latencyMs": {"p50": at(50), "p90": at(90), "p99": at(99), "max": at(100)},
        })
    }
}

/// All runs, the latest ones.
#[derive(Default)]
pub(crate) struct Loads(Mutex<(u64, BTreeMap<u64, Arc<Run>>)>);

impl Loads {
    fn runs(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Arc<Run>>)> {
        self.0.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    /// Ends and forgets all.
    pub(crate) fn clear(&self) {
        let mut runs = self.runs();
        runs.1.values().for_each(|run| run.stop.cancel());
        runs.1.clear();
    }
}

pub async fn begin(State(sim): State<Arc<Sim>>, Take(mut plan): Take<Plan>) -> Done<(StatusCode, Json<Value>)> {
    let bad = |why: &str| Failure(StatusCode::BAD_REQUEST, why.to_owned());
    let within = (1..=MOST).contains(&plan.count)
        && (1..=LONGEST_S).contains(&plan.seconds)
        && (1..=WIDEST).contains(&plan.concurrency)
        && (1..=1_000_000).contains(&plan.customers)
        && plan.repeat_percent <= 100
        && plan.bytes <= 1_000_000
        && plan.rate.is_none_or(|rate| rate > 0.0 && rate.is_finite());
    if !within {
        return Err(bad("count is 1-2000000, seconds 1-3600, concurrency 1-1024, customers 1-1000000, \
                        repeatPercent 0-100, bytes 0-1000000, rate above 0"));
    }
    let caster = match &plan.session {
        Some(name) => sim.waha.caster(name)?,
        None => {
            let url = plan.url.take().ok_or_else(|| bad("`session` or `url` is needed"))?;
            let name = plan.name.clone().unwrap_or_else(|| "load".into());
            sim.waha.caster_to(&name, url, plan.hmac_key.take())
        }
    };
    let wait = plan.wait;
    let run = Arc::new(Run {
        started: Instant::now(),
        stop: sim.closed.child_token(),
        next: AtomicU64::new(0),
        score: Mutex::new(Score { open: plan.concurrency, ..Score::default() }),
        plan,
    });
    let id = {
        let mut runs = sim.loads.runs();
        if runs.1.len() >= RUNS {
            runs.1.pop_first();
        }
        runs.0 += 1;
        let id = runs.0;
        runs.1.insert(id, run.clone());
        id
    };
    let caster = Arc::new(caster);
    let workers: Vec<_> =
        (0..run.plan.concurrency).map(|_| tokio::spawn(work(sim.clone(), run.clone(), caster.clone()))).collect();
    if wait {
        for worker in workers {
            let _ = worker.await;
        }
        return Ok((StatusCode::OK, Json(run.json(id))));
    }
    Ok((StatusCode::ACCEPTED, Json(run.json(id))))
}

async fn work(sim: Arc<Sim>, run: Arc<Run>, caster: Arc<waha::Caster>) {
    let plan = &run.plan;
    let end = run.started + Duration::from_secs(plan.seconds);
    let client = sim.hooks.client().clone();
    loop {
        let n = run.next.fetch_add(1, Ordering::Relaxed);
        if n >= plan.count || run.stop.is_cancelled() || Instant::now() >= end {
            break;
        }
        if let Some(rate) = plan.rate {
            let due = run.started + Duration::from_secs_f64(n as f64 / rate);
            tokio::select! {
                () = tokio::time::sleep_until(due.min(end).into()) => {}
                () = run.stop.cancelled() => break,
            }
        }
        let phone = plan.first_phone + n % plan.customers;
        let words = format!("Load message {n}");
        let (headers, body) = caster.text(&phone.to_string(), &message_id(), &words, plan.bytes, sim.now_ms());
        let repeats = 1 + u64::from(n % 100 < plan.repeat_percent);
        for _ in 0..repeats {
            let sent = Instant::now();
            let post = post(&client, caster.url(), &headers, body.clone());
            let status = tokio::select! { status = post => status, () = run.stop.cancelled() => None };
            let took = u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX);
            let mut score = run.score();
            match status {
                Some(status) if (200..300).contains(&status) => score.accepted += 1,
                Some(status) => *score.refused.entry(status).or_default() += 1,
                None => score.failed += 1,
            }
            score.took.push(took);
        }
    }
    let mut score = run.score();
    score.open -= 1;
    if score.open == 0 {
        score.ended = Some(run.started.elapsed());
    }
}

async fn post(client: &reqwest::Client, url: &str, headers: &[(String, String)], body: Bytes) -> Option<u16> {
    let mut request = client.post(url).timeout(Duration::from_secs(30)).body(body);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let answer = request.send().await.ok()?;
    let status = answer.status().as_u16();
    // The connection is used again only once the answer is read.
    let _ = answer.bytes().await;
    Some(status)
}

fn run(sim: &Sim, id: u64) -> Done<Arc<Run>> {
    Ok(sim.loads.runs().1.get(&id).cloned().ok_or(Refused::Missing("such load"))?)
}

pub async fn show(State(sim): State<Arc<Sim>>, Path(id): Path<u64>) -> Done<Json<Value>> {
    Ok(Json(run(&sim, id)?.json(id)))
}

pub async fn cancel(State(sim): State<Arc<Sim>>, Path(id): Path<u64>) -> Done<Json<Value>> {
    let run = run(&sim, id)?;
    run.stop.cancel();
    Ok(Json(run.json(id)))
}
