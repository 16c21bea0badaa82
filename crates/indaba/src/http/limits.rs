//! How much is too much: requests of a user and of a tenant, tries to sign in, hooks of an instance (A6). Counted in this process.
use super::who::{Asked, Who};
use crate::{Error, Result, app::App, config};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue},
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
    num::NonZeroU32,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

type Key = [u8; 16];
type Limiter = RateLimiter<Key, DashMapStateStore<Key>, DefaultClock, StateInformationMiddleware>;

/// The counters of this process.
pub struct Limits {
    user: Limited,
    tenant: Limited,
    sign_in: Limited,
    hooks: Limited,
}

struct Limited {
    limiter: Limiter,
    per_minute: u32,
    asked: AtomicU32,
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

    fn take(&self, key: Key) -> Result<Left, (Left, Duration)> {
        // those who were not seen for a while are forgotten, now and then
        if self.asked.fetch_add(1, Ordering::Relaxed) % 8192 == 8191 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        match self.limiter.check_key(&key) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let used = u64::from(self.per_minute.saturating_sub(remaining));
                let reset_s = (used * 60).div_ceil(u64::from(self.per_minute));
                Ok(Left { limit: self.per_minute, remaining, reset_s })
            }
            Err(not_yet) => {
                let wait = not_yet.wait_time_from(DefaultClock::default().now());
                Err((
                    Left { limit: self.per_minute, remaining: 0, reset_s: wait.as_secs_f64().ceil().max(1.0) as u64 },
                    wait,
                ))
            }
        }
    }
}

impl Limits {
    /// All counters at zero.
    pub fn new(limits: &config::Limits) -> Limits {
        Limits {
            user: Limited::new(limits.user_per_minute),
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
            self.sign_in.take(key).map(drop).map_err(|(_, wait)| Error::TooMany(wait))
        })
    }

    /// One hook of this instance or gateway. Errors: `TooMany`.
    pub fn hook(&self, of: Key) -> Result<()> {
        self.hooks.take(of).map(drop).map_err(|(_, wait)| Error::TooMany(wait))
    }

    fn request(&self, who: &Who) -> Result<Left, (Left, Duration)> {
        let own = self.user.take(who.actor.id().unwrap_or_default())?;
        let all = self.tenant.take(who.tenant.0)?;
        Ok(if all.remaining < own.remaining { all } else { own })
    }
}

/// The middleware: counts requests of those who are known.
pub(super) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(Asked(Some(Ok(who)))) = request.extensions().get::<Asked>() else { return next.run(request).await };
    match app.limits.request(who) {
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
        let left: Vec<_> = (0..3).map(|_| few.take([1; 16]).map(|left| left.remaining).unwrap_or(99)).collect();
        assert_eq!(left, [2, 1, 0]);
        let (left, wait) = few.take([1; 16]).map(|_| ()).unwrap_err();
        assert!(left.remaining == 0 && wait > Duration::from_secs(10) && wait <= Duration::from_secs(20), "{wait:?}");
        assert!(few.take([2; 16]).is_ok());
    }
}
