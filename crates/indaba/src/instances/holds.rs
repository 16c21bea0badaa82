//! When sending waits: because a gateway asked for it, or because WhatsApp has locked the account. Messages wait with it, and go by
//! themselves when it is over.
use super::{Instance, InstanceId, State, Trouble, gateways::Health, heard::changed, store};
use crate::{
    Result,
    clock::Time,
    db::TenantTx,
    jobs::{self, Job, JobCx, JobError},
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long sending waits after the first, the second and each further account lock in a row, when nobody says how long.
const LOCKED: [Duration; 3] = [Duration::from_secs(5 * 60), Duration::from_secs(15 * 60), Duration::from_secs(60 * 60)];
/// After so long without a lock the next one is the first again.
const FORGIVEN: Duration = Duration::from_secs(24 * 60 * 60);
/// In its first days a number writes to fewer new people.
const WARM_UP_DAYS: u32 = 7;

impl Instance {
    /// The state to show: sending may wait although the gateway is connected, and of a gateway that is gone nobody knows.
    pub fn shown(&self, now: Time) -> State {
        match (self.state, self.paused(now)) {
            (State::Connected, _) if self.cut_off().is_some() => State::Attention,
            (State::Connected, Some(_)) => State::Paused,
            (state, _) => state,
        }
    }

    /// Until when nothing is sent.
    pub fn paused(&self, now: Time) -> Option<Time> {
        self.paused_until.filter(|until| *until > now)
    }

    /// Until when nobody is written to who never wrote; everything else goes.
    pub fn new_chats_paused(&self, now: Time) -> Option<Time> {
        self.firsts_paused_until.filter(|until| *until > now)
    }

    /// Why it is not as it should be.
    pub fn wrong(&self, now: Time) -> Option<Trouble> {
        let held = match (self.state, self.paused(now), self.new_chats_paused(now)) {
            (State::Connected, Some(_), _) => self.hold,
            (State::Connected, None, Some(_)) => Some(Trouble::NoFirsts),
            _ => None,
        };
        self.cut_off().or(held).or(self.trouble)
    }

    /// The same in a sentence: the gateway's own, if it gave one.
    pub fn reason(&self, now: Time) -> Option<String> {
        let wrong = self.wrong(now);
        let told = self.state_reason.clone().filter(|_| wrong == self.trouble);
        told.or_else(|| wrong.map(|wrong| wrong.sentence().to_owned()))
    }

    /// Its gateway cannot be spoken to. What was wrong before says more, and stays.
    fn cut_off(&self) -> Option<Trouble> {
        match (self.gateway_health, self.state) {
            (Health::Down, State::Connected | State::Linking) => Some(Trouble::GatewayDown),
            (Health::Locked, State::Connected | State::Linking) => Some(Trouble::GatewayLocked),
            _ => None,
        }
    }

    /// How many messages went out on the day (UTC) of `now`, and how many of them to people who never wrote.
    pub fn today(&self, now: Time) -> (i64, i64) {
        if self.counted_day == day(now) { (self.sent_today, self.firsts_today) } else { (0, 0) }
    }
}

/// No sends on this number before `until`: WhatsApp or its gateway asked for it.
pub fn pause(tx: &mut TenantTx, id: InstanceId, until: Time) -> Result<()> {
    let before = store::locked(tx, id)?;
    if before.paused_until.is_some_and(|already| already >= until) {
        return Ok(());
    }
    let why = before.hold.filter(|_| before.paused(tx.now()).is_some());
    hold(tx, &before, Some(until), before.firsts_paused_until, why.unwrap_or(Trouble::SlowDown))
}

/// WhatsApp has locked the account (error 463): 5, 15, then 60 minutes long no messages go to people who never wrote, or none at all if
/// even an answer was refused. `told`: until when, if WhatsApp said so. Gives the moment from which it is tried again.
pub fn lock(tx: &mut TenantTx, id: InstanceId, first: bool, told: Option<Time>) -> Result<Time> {
    let (before, now) = (store::locked(tx, id)?, tx.now());
    let wait = |locks: i64| LOCKED[usize::try_from(locks).unwrap_or(0).min(LOCKED.len() - 1)];
    let last = before.locked_at.filter(|last| before.locks > 0 && now.since(*last) < FORGIVEN);
    let lasts = last.map(|last| last + wait(before.locks - 1)).filter(|until| *until > now);
    let until = match lasts {
        // the same lock once more: this one was on its way when it fell
        Some(until) => until,
        None => {
            let locks = last.map_or(0, |_| before.locks);
            store::set_locks(tx, id, locks + 1, now)?;
            tracing::info!(instance.id = %id, locks = locks + 1, first, "WhatsApp has locked the account of {id}");
            metrics::counter!("indaba_account_locks_total").increment(1);
            now + wait(locks)
        }
    };
    let until = told.filter(|told| *told > now).unwrap_or(until);
    let held = if first { before.firsts_paused_until } else { before.paused_until };
    let until = held.map_or(until, |held| held.max(until));
    match first {
        true => hold(tx, &before, before.paused_until, Some(until), before.hold.unwrap_or(Trouble::NoFirsts))?,
        false => hold(tx, &before, Some(until), before.firsts_paused_until, Trouble::NoSends)?,
    }
    Ok(until)
}

/// A first message went through: the next lock is the first again.
pub fn unlock(tx: &mut TenantTx, id: InstanceId) -> Result<()> {
    store::forget_locks(tx, id).map(drop)
}

/// The day of a moment, counted from 1970, UTC: what is counted by the day begins anew with it.
pub fn day(at: Time) -> i64 {
    at.0.div_euclid(86_400_000)
}

/// How many new people a number may write to on one day: all of its budget after its first week, a part of it before.
pub fn new_chats(budget: u32, made: Time, now: Time) -> u32 {
    let days = u32::try_from(now.since(made).as_secs() / 86_400).unwrap_or(u32::MAX);
    let part = (days.saturating_add(2)).min(WARM_UP_DAYS + 1);
    (u64::from(budget) * u64::from(part)).div_ceil(u64::from(WARM_UP_DAYS + 1)).try_into().unwrap_or(budget)
}

fn hold(tx: &mut TenantTx, before: &Instance, all: Option<Time>, firsts: Option<Time>, why: Trouble) -> Result<()> {
    let id = before.id;
    store::set_pause(tx, id, all, firsts, Some(why))?;
    for until in [all, firsts].into_iter().flatten() {
        jobs::enqueue_at(tx, &EndHold { instance: id, until: Some(until) }, until)?;
    }
    changed(tx, id, before)
}

/// Shows that sending goes on.
#[derive(Serialize, Deserialize)]
pub struct EndHold {
    /// On which number.
    pub instance: InstanceId,
    /// The moment at which something ends. Jobs from before there were two have none.
    #[serde(default)]
    pub until: Option<Time>,
}

impl Job for EndHold {
    const KIND: &'static str = "instance.resume";

    fn unique(&self) -> Option<String> {
        Some(format!("{} {}", self.instance, self.until.unwrap_or(Time(0))))
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let id = self.instance;
        let ended = cx.write(move |tx| {
            let before = match store::locked(tx, id) {
                Err(crate::Error::Missing) => return Ok(()),
                other => other?,
            };
            // what was told to wait longer meanwhile has a job of its own
            let (all, firsts) = (before.paused(tx.now()), before.new_chats_paused(tx.now()));
            store::set_pause(tx, id, all, firsts, before.hold.filter(|_| all.is_some()))?;
            changed(tx, id, &before)
        });
        Ok(ended.await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_number_warms_up() {
        let day = |days: u64| new_chats(50, Time(0), Time(0) + Duration::from_secs(days * 86_400));
        assert_eq!([day(0), day(1), day(3), day(6), day(7), day(4000)], [13, 19, 32, 50, 50, 50]);
        assert_eq!((new_chats(0, Time(0), Time(0)), new_chats(1, Time(0), Time(0))), (0, 1));
    }
}
