//! How much is too much: requests of a user and of a tenant, looks of a user into conversations, tries to sign in, hooks of an instance (A6).
//!
//! Each process counts for itself. Nodes on one PostgreSQL also tell each other each second what they have counted in this minute,
//! so that a limit holds for all of them together, give or take that second.
use super::who::{Asked, Who};
use crate::{
    Error, Result,
    app::App,
    config,
    db::{Db, Dialect, SystemTx, Value},
    registry,
};
use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method},
    middleware::Next,
    response::{IntoResponse, Response},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::DashMapStateStore,
};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio_util::sync::CancellationToken;

type Key = [u8; 16];
type Limiter = RateLimiter<Key, DashMapStateStore<Key>, DefaultClock, StateInformationMiddleware>;

/// The counters of this process.
pub struct Limits {
    user: Limited,
    looks: Limited,
    tenant: Limited,
    sign_in: Limited,
    hooks: Limited,
    /// What all nodes have counted in this minute; none on SQLite, where there is one.
    shared: Option<Shared>,
}

struct Limited {
    limiter: Limiter,
    per_minute: u32,
    asked: AtomicU32,
}

/// This minute's counts, by key.
#[derive(Default)]
struct Shared(Mutex<(i64, HashMap<Key, Count>)>);

#[derive(Clone, Copy, Default)]
struct Count {
    /// Told by the database.
    known: i64,
    /// Counted here since.
    fresh: i64,
}

fn minute() -> i64 {
    jiff::Timestamp::now().as_second() / 60
}

impl Shared {
    /// One more for this key, if all nodes together are below `limit`. Else: the time to the next minute.
    fn take(&self, key: Key, limit: u32) -> Result<(), Duration> {
        let mut counts = self.0.lock().expect("no panic under this lock");
        let now = minute();
        if counts.0 != now {
            *counts = (now, HashMap::new());
        }
        let count = counts.1.entry(key).or_default();
        if count.known + count.fresh >= i64::from(limit) {
            let second = jiff::Timestamp::now().as_second().rem_euclid(60);
            return Err(Duration::from_secs(u64::try_from(60 - second).unwrap_or(60)));
        }
        count.fresh += 1;
        Ok(())
    }

    /// Tells the others what was counted here, and hears what they have.
    async fn tell(&self, db: &Db) -> Result<()> {
        let (minute, told) = {
            let counts = self.0.lock().expect("no panic under this lock");
            (
                counts.0,
                counts
                    .1
                    .iter()
                    .filter(|(_, count)| count.fresh > 0)
                    .map(|(key, count)| (*key, count.fresh))
                    .collect::<Vec<_>>(),
            )
        };
        if told.is_empty() {
            return Ok(());
        }
        let sent = told.clone();
        let heard = db.system("count requests over all nodes", move |tx| add(tx, minute, &sent)).await?;
        let mut counts = self.0.lock().expect("no panic under this lock");
        if counts.0 == minute {
            for (key, fresh) in told {
                counts.1.entry(key).or_default().fresh -= fresh;
            }
            for (key, known) in heard {
                counts.1.entry(key).or_default().known = known;
            }
        }
        Ok(())
    }
}

fn add(tx: &mut SystemTx, minute: i64, counts: &[(Key, i64)]) -> Result<Vec<(Key, i64)>> {
    let rows = counts.iter().map(|(key, fresh)| [Value::Bytes(key), Value::I64(minute), Value::I64(*fresh)]);
    let all: Vec<(Vec<u8>, i64)> = tx.insert(
        "insert into rate_counts (key, minute, count) values ($1, $2, $3)
         on conflict (key, minute) do update set count = rate_counts.count + excluded.count
         returning key, count",
        rows,
    )?;
    tx.run("delete from rate_counts where minute < $1", args![minute - 1])?;
    Ok(all.into_iter().filter_map(|(key, count)| Some((key.try_into().ok()?, count))).collect())
}

/// What is left, for the answer's headers.
#[derive(Clone, Copy)]
struct Left {
    limit: u32,
    remaining: u32,
    reset_s: u64,
}

impl Limited {
    fn new(per_minute: u32) -> Limited {
        let most = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        let limiter = RateLimiter::keyed(Quota::per_minute(most)).with_middleware::<StateInformationMiddleware>();
        Limited { limiter, per_minute, asked: AtomicU32::new(0) }
    }

    fn take(&self, key: Key, shared: Option<&Shared>) -> Result<Left, (Left, Duration)> {
        let none = |wait: Duration| {
            let reset_s = wait.as_secs_f64().ceil().max(1.0) as u64;
            (Left { limit: self.per_minute, remaining: 0, reset_s }, wait)
        };
        // those who were not seen for a while are forgotten, now and then
        if self.asked.fetch_add(1, Ordering::Relaxed) % 8192 == 8191 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        match self.limiter.check_key(&key) {
            Ok(state) => {
                shared.map_or(Ok(()), |shared| shared.take(key, self.per_minute)).map_err(none)?;
                let remaining = state.remaining_burst_capacity();
                let used = u64::from(self.per_minute.saturating_sub(remaining));
                let reset_s = (used * 60).div_ceil(u64::from(self.per_minute));
                Ok(Left { limit: self.per_minute, remaining, reset_s })
            }
            Err(not_yet) => Err(none(not_yet.wait_time_from(DefaultClock::default().now()))),
        }
    }
}

impl Limits {
    /// All counters at zero. Nodes on PostgreSQL may be many, and count together.
    pub fn new(limits: &config::Limits, on: Dialect) -> Limits {
        Limits {
            shared: (on == Dialect::Postgres).then(Shared::default),
            user: Limited::new(limits.user_per_minute),
            looks: Limited::new(limits.looks_per_minute.max(limits.user_per_minute)),
            tenant: Limited::new(limits.tenant_per_minute),
            sign_in: Limited::new(limits.sign_in_per_minute),
            hooks: Limited::new(limits.hooks_per_minute),
        }
    }

    /// One try to sign in by each of these (an address, an e-mail). Errors: `TooMany`.
    pub fn sign_in(&self, by: &[&str]) -> Result<()> {
        by.iter().try_for_each(|by| {
            let sum = Sha256::digest(by.as_bytes());
            let key = sum[..16].try_into().expect("32 bytes have 16");
            self.sign_in.take(key, self.shared.as_ref()).map(drop).map_err(|(_, wait)| Error::TooMany(wait))
        })
    }

    /// One hook of this instance or gateway. Errors: `TooMany`.
    pub fn hook(&self, of: Key) -> Result<()> {
        self.hooks.take(of, None).map(drop).map_err(|(_, wait)| Error::TooMany(wait))
    }

    /// Tells the other nodes what was counted here, and hears from them.
    pub async fn tell(&self, db: &Db) -> Result<()> {
        match &self.shared {
            Some(shared) => shared.tell(db).await,
            None => Ok(()),
        }
    }

    /// A look into a conversation or a file; the nodes count it beside the user's requests.
    fn look(&self, who: &Who) -> Result<Left, (Left, Duration)> {
        self.looks.take(who.actor.id().unwrap_or_default().map(|byte| !byte), self.shared.as_ref())
    }

    fn request(&self, who: &Who) -> Result<Left, (Left, Duration)> {
        let own = self.user.take(who.actor.id().unwrap_or_default(), self.shared.as_ref())?;
        let all = self.tenant.take(who.tenant.0, self.shared.as_ref())?;
        Ok(if all.remaining < own.remaining { all } else { own })
    }
}

/// Keeps the nodes' counts together until `stop`. Ends at once where there is only one node.
pub async fn share(app: App, stop: CancellationToken) {
    while app.limits.shared.is_some() {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
        }
        if let Err(e) = app.limits.tell(&app.db).await {
            tracing::warn!(error = %e, "the nodes do not know each other's counts: {e}");
        }
    }
}

/// The middleware: counts requests of those who are known.
pub(super) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(Asked(Some(Ok(who)))) = request.extensions().get::<Asked>() else { return next.run(request).await };
    let path = request.extensions().get::<MatchedPath>();
    let looks = request.method() == Method::GET && path.is_some_and(|path| registry::LOOKS.contains(&path.as_str()));
    match if looks { app.limits.look(who) } else { app.limits.request(who) } {
        Ok(left) => {
            let mut answer = next.run(request).await;
            tell(answer.headers_mut(), left);
            answer
        }
        Err((left, wait)) => {
            let mut answer = Error::TooMany(wait).into_response();
            tell(answer.headers_mut(), left);
            answer
        }
    }
}

/// Both ways of saying it: the draft's (`RateLimit`, `RateLimit-Policy`) and the three headers that most clients know.
fn tell(headers: &mut HeaderMap, left: Left) {
    let Left { limit, remaining, reset_s } = left;
    for (name, value) in [
        ("ratelimit-policy", format!("\"minute\";q={limit};w=60")),
        ("ratelimit", format!("\"minute\";r={remaining};t={reset_s}")),
        ("ratelimit-limit", limit.to_string()),
        ("ratelimit-remaining", remaining.to_string()),
        ("ratelimit-reset", reset_s.to_string()),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(&value).expect("digits"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_its_own_count_and_is_told_how_long_to_wait() {
        let few = Limited::new(3);
        let left: Vec<_> = (0..3).map(|_| few.take([1; 16], None).map(|left| left.remaining).unwrap_or(99)).collect();
        assert_eq!(left, [2, 1, 0]);
        let (left, wait) = few.take([1; 16], None).map(|_| ()).unwrap_err();
        assert!(left.remaining == 0 && wait > Duration::from_secs(10) && wait <= Duration::from_secs(20), "{wait:?}");
        assert!(few.take([2; 16], None).is_ok());
    }
}
