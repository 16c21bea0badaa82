//! The courier: posts hooks and tries again, in memory only, as gateways do. What waits is lost when we stop.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use bytes::Bytes;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::{
    faults::{Case, Harm},
    sim::Sim,
};

/// How many hooks may wait or be under way.
const WAITING: usize = 100_000;
/// How many are posted at the same time.
const AT_ONCE: usize = 256;
/// How many deliveries are remembered.
const REMEMBERED: usize = 10_000;

/// When a hook is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Retries {
    /// How waits grow.
    pub policy: Policy,
    /// The first wait, in the gateway's seconds.
    #[serde(rename = "delaySeconds")]
    pub delay_s: f64,
    /// Tries after the first.
    pub attempts: u32,
}

impl Default for Retries {
    fn default() -> Self {
        Retries { policy: Policy::Constant, delay_s: 2.0, attempts: 15 }
    }
}

/// How waits between tries grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Policy {
    /// d, d, d…
    Constant,
    /// d, 2d, 3d…
    Linear,
    /// 2d, 4d, 8d…, each up to 20 % longer.
    Exponential,
    /// d, 2d, 4d… up to five minutes, each 20 % shorter or longer. Evolution's; WAHA has no word for it.
    #[serde(skip)]
    Doubling,
}

impl Retries {
    /// The wait before try number `n` after the first, in the gateway's seconds; `jitter` is between 0 and 1.
    pub fn wait_s(&self, n: u32, jitter: f64) -> f64 {
        match self.policy {
            Policy::Constant => self.delay_s,
            Policy::Linear => f64::from(n) * self.delay_s,
            Policy::Exponential => 2f64.powi(n.min(30).cast_signed()) * self.delay_s * (1.0 + 0.2 * jitter),
            Policy::Doubling => {
                let wait = (2f64.powi(n.clamp(1, 30).cast_signed() - 1) * self.delay_s).min(300.0);
                (wait * (1.0 + 0.2 * (2.0 * jitter - 1.0))).max(self.delay_s)
            }
        }
    }
}

/// A hook, ready to be posted as often as it takes: the bytes never change.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// To whom.
    pub url: String,
    /// All headers, signature included.
    pub headers: Vec<(String, String)>,
    /// The signed bytes.
    pub body: Bytes,
    /// When to try again.
    pub retries: Retries,
    /// Answers after which it is not tried again.
    pub believed: &'static [u16],
    /// Nothing but 200 counts, redirects are not followed, and certificates are looked at.
    pub strict: bool,
    /// For the log: the event's id.
    pub id: String,
    /// For the log: which event.
    pub event: String,
    /// For the log: which session.
    pub session: String,
}

/// How a delivery stands.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Counts from 1.
    pub seq: u64,
    /// The event's id.
    pub id: String,
    /// Which event.
    pub event: String,
    /// Which session.
    pub session: String,
    /// To whom.
    pub url: String,
    /// `pending`, `delivered`, `gaveUp` or `dropped` (no room).
    pub state: &'static str,
    /// Tries so far.
    pub attempts: u32,
    /// The last answer.
    pub last_status: Option<u16>,
}

/// The courier.
pub struct Courier {
    client: reqwest::Client,
    strict: reqwest::Client,
    places: Arc<Semaphore>,
    waiting: AtomicUsize,
    second: Duration,
    log: Mutex<(u64, VecDeque<Delivery>)>,
    /// Parcels held back to be sent the last first, by the fault that holds them.
    held: Mutex<HashMap<u64, Vec<Parcel>>>,
}

impl Courier {
    /// `second` is how long one of the gateway's seconds lasts.
    pub fn new(second: Duration) -> anyhow::Result<Courier> {
        let client = reqwest::Client::builder()
            // WAHA does not look at certificates, and follows redirects: a POST becomes a GET without a body.
            .tls_danger_accept_invalid_certs(true)
            .redirect(reqwest::redirect::Policy::limited(5))
            // It has no limit of its own worth the name.
            .timeout(Duration::from_secs(600))
            .build()
            .context("make the courier's HTTP client")?;
        let strict = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(30))
            .build()
            .context("make the courier's strict HTTP client")?;
        Ok(Courier {
            client,
            strict,
            places: Arc::new(Semaphore::new(AT_ONCE)),
            waiting: AtomicUsize::new(0),
            second,
            log: Mutex::default(),
            held: Mutex::default(),
        })
    }

    fn log(&self) -> MutexGuard<'_, (u64, VecDeque<Delivery>)> {
        self.log.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    /// Hooks that wait or are under way.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The client, for others who play a gateway that posts.
    pub fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// The one that follows no redirect and looks at certificates.
    pub fn strict(&self) -> &reqwest::Client {
        &self.strict
    }

    /// Deliveries that match, the oldest first.
    pub fn deliveries(&self, limit: usize, keep: impl Fn(&Delivery) -> bool) -> Vec<Delivery> {
        self.log().1.iter().filter(|delivery| keep(delivery)).take(limit).cloned().collect()
    }

    /// Forgets what was delivered. What is under way goes on.
    pub fn clear(&self) {
        self.log().1.clear();
    }

    /// Sends a parcel, unless a fault makes something else of it. `fresh` makes it once more with an id of its own.
    pub fn offer(&self, sim: &Arc<Sim>, case: Case<'_>, parcel: Parcel, fresh: impl Fn() -> Parcel) {
        match sim.faults.on_hook(case) {
            Some((_, Harm::Drop)) => {}
            Some((_, Harm::Delay { ms })) => self.send_after(sim, parcel, Duration::from_millis(ms)),
            Some((fault, Harm::Reorder { span })) => self.hold(sim, fault, span, parcel),
            Some((_, Harm::Duplicate { times, new_ids })) => {
                for _ in 1..times.min(100) {
                    self.send(sim, if new_ids { fresh() } else { parcel.clone() });
                }
                self.send(sim, parcel);
            }
            _ => self.send(sim, parcel),
        }
    }

    /// Posts a parcel, apart from all others and in no order with them, until it is accepted or given up.
    pub fn send(&self, sim: &Arc<Sim>, parcel: Parcel) {
        self.send_after(sim, parcel, Duration::ZERO);
    }

    /// The same, after a while.
    pub fn send_after(&self, sim: &Arc<Sim>, parcel: Parcel, delay: Duration) {
        let room = self.waiting.fetch_add(1, Ordering::Relaxed) < WAITING;
        let seq = self.note(&parcel, if room { "pending" } else { "dropped" });
        if !room {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            tracing::warn!("no room for another hook: dropped");
            return;
        }
        let owner = sim.clone();
        sim.spawn(async move {
            tokio::time::sleep(delay).await;
            owner.hooks.deliver(seq, &parcel).await;
            owner.hooks.waiting.fetch_sub(1, Ordering::Relaxed);
        });
    }

    /// Holds a parcel back until `span` of them are there, then sends them the last first.
    pub fn hold(&self, sim: &Arc<Sim>, fault: u64, span: usize, parcel: Parcel) {
        let full = {
            let mut held = self.held.lock().unwrap_or_else(|broken| broken.into_inner());
            let pile = held.entry(fault).or_default();
            pile.push(parcel);
            if pile.len() >= span.max(2) { held.remove(&fault) } else { None }
        };
        if let Some(pile) = full {
            self.send_in_turn(sim, pile);
        }
    }

    /// Lets everything go that is held back.
    pub fn release(&self, sim: &Arc<Sim>) {
        let piles = std::mem::take(&mut *self.held.lock().unwrap_or_else(|broken| broken.into_inner()));
        for pile in piles.into_values() {
            self.send_in_turn(sim, pile);
        }
    }

    /// Sends the last first; each waits for the one before, so that the order is sure.
    fn send_in_turn(&self, sim: &Arc<Sim>, pile: Vec<Parcel>) {
        let parcels: Vec<_> = pile.into_iter().rev().map(|parcel| (self.note(&parcel, "pending"), parcel)).collect();
        self.waiting.fetch_add(parcels.len(), Ordering::Relaxed);
        let owner = sim.clone();
        sim.spawn(async move {
            for (seq, parcel) in parcels {
                owner.hooks.deliver(seq, &parcel).await;
                owner.hooks.waiting.fetch_sub(1, Ordering::Relaxed);
            }
        });
    }

    fn note(&self, parcel: &Parcel, state: &'static str) -> u64 {
        let mut log = self.log();
        log.0 += 1;
        let seq = log.0;
        if log.1.len() >= REMEMBERED {
            log.1.pop_front();
        }
        log.1.push_back(Delivery {
            seq,
            id: parcel.id.clone(),
            event: parcel.event.clone(),
            session: parcel.session.clone(),
            url: parcel.url.clone(),
            state,
            attempts: 0,
            last_status: None,
        });
        seq
    }

    fn tried(&self, seq: u64, state: &'static str, attempts: u32, status: Option<u16>) {
        let mut log = self.log();
        let first = log.1.front().map_or(0, |delivery| delivery.seq);
        let place = seq.checked_sub(first).and_then(|place| usize::try_from(place).ok());
        if let Some(delivery) = place.and_then(|place| log.1.get_mut(place)) {
            (delivery.state, delivery.attempts, delivery.last_status) = (state, attempts, status);
        }
    }

    async fn deliver(&self, seq: u64, parcel: &Parcel) {
        for n in 0..=parcel.retries.attempts {
            let (status, retry_after) = self.post(parcel).await;
            let good = if parcel.strict { 200..201 } else { 200..300 };
            if status.is_some_and(|status| good.contains(&status)) {
                return self.tried(seq, "delivered", n + 1, status);
            }
            let believed = status.is_some_and(|status| parcel.believed.contains(&status));
            if n == parcel.retries.attempts || believed {
                return self.tried(seq, "gaveUp", n + 1, status);
            }
            self.tried(seq, "pending", n + 1, status);
            let wait = parcel.retries.wait_s(n + 1, rand::rng().random()).max(retry_after.unwrap_or(0.0));
            tokio::time::sleep(self.second.mul_f64(wait.clamp(0.0, 86_400.0))).await;
        }
    }

    /// One try: the final status, after redirects, and its Retry-After in seconds.
    async fn post(&self, parcel: &Parcel) -> (Option<u16>, Option<f64>) {
        let Ok(_place) = self.places.acquire().await else { return (None, None) };
        let client = if parcel.strict { &self.strict } else { &self.client };
        let mut request = client.post(&parcel.url).body(parcel.body.clone());
        for (name, value) in &parcel.headers {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(answer) => {
                let after = answer.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
                (Some(answer.status().as_u16()), after)
            }
            Err(_) => (None, None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Policy, Retries};

    #[test]
    fn waits_grow_as_the_policy_says() {
        let of = |policy| Retries { policy, delay_s: 1.0, attempts: 3 };
        let waits = |policy| [1, 2, 3].map(|n| of(policy).wait_s(n, 0.0));
        assert_eq!(waits(Policy::Constant), [1.0, 1.0, 1.0]);
        assert_eq!(waits(Policy::Linear), [1.0, 2.0, 3.0]);
        assert_eq!(waits(Policy::Exponential), [2.0, 4.0, 8.0]);
        assert!((of(Policy::Exponential).wait_s(1, 1.0) - 2.4).abs() < 1e-9, "20 % at most");
        let doubling = Retries { policy: Policy::Doubling, delay_s: 5.0, attempts: 9 };
        assert_eq!([1, 2, 3, 9].map(|n| doubling.wait_s(n, 0.5)), [5.0, 10.0, 20.0, 300.0]);
        assert_eq!(doubling.wait_s(1, 0.0), 5.0, "never less than the first");
    }
}
