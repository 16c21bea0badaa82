//! Whether somebody is at their desk, and what they want to be called for there. Each workspace has its own answer: an agency's people
//! look after one all day and after another once a week.
use super::{UserId, store};
use crate::{
    Error, Result,
    app::App,
    clock::Time,
    db::{TenantRead, TenantTx},
    http::{Check, Who},
    id::TenantId,
};
use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

words! {
    /// Whether somebody is there to answer.
    pub enum Availability {
        /// They are.
        Available = "available",
        /// They said that they are not, or did nothing for a while.
        Away = "away",
    }
}

words! {
    /// Which conversations somebody is called for.
    pub enum Alerts {
        /// Their own.
        Mine = "mine",
        /// Their own, and those that are nobody's.
        Team = "team",
        /// All.
        All = "all",
    }
}

row! {
    /// What somebody says of themselves, as their row says.
    #[derive(Clone, Debug)]
    pub struct Desk {
        pub away: bool,
        pub idle_minutes: i64,
        pub active_at: Time,
        pub alerts: Alerts,
        pub quiet: bool,
        pub quiet_from: String,
        pub quiet_until: String,
    }
}

/// Whether somebody is there, for everyone to see.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    availability: Availability,
    /// When they become away unless they do something; null: not by themselves, or they are already.
    active_until: Option<Time>,
}

impl Presence {
    /// From the three columns that say so.
    pub(super) fn new(away: bool, idle_minutes: i64, active_at: Time, now: Time) -> Presence {
        let idle = Duration::from_secs(60 * u64::try_from(idle_minutes).unwrap_or(0));
        let until = (idle_minutes > 0).then(|| active_at + idle);
        match away || until.is_some_and(|until| until <= now) {
            true => Presence { availability: Availability::Away, active_until: None },
            false => Presence { availability: Availability::Available, active_until: until },
        }
    }
}

/// What somebody says of themselves, as they see it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Preferences {
    #[serde(flatten)]
    presence: Presence,
    /// Whether they said themselves that they are away.
    away: bool,
    /// After how many minutes without a move they are away; 0: never.
    idle_minutes: i64,
    /// Which conversations they are called for.
    alerts: Alerts,
    /// Whether nothing rings between `quietFrom` and `quietUntil`, by the clock of the device that would ring.
    quiet: bool,
    #[schema(example = "22:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    quiet_from: String,
    #[schema(example = "07:00", pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$")]
    quiet_until: String,
}

impl Preferences {
    fn new(of: Desk, now: Time) -> Preferences {
        let presence = Presence::new(of.away, of.idle_minutes, of.active_at, now);
        let Desk { away, idle_minutes, alerts, quiet, quiet_from, quiet_until, .. } = of;
        Preferences { presence, away, idle_minutes, alerts, quiet, quiet_from, quiet_until }
    }
}

/// What somebody changes about it.
#[derive(Clone, Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = PreferencesChange)]
pub(super) struct Change {
    away: Option<bool>,
    /// 0: never.
    #[schema(minimum = 0, maximum = 480)]
    idle_minutes: Option<i64>,
    alerts: Option<Alerts>,
    quiet: Option<bool>,
    #[schema(example = "22:00")]
    quiet_from: Option<String>,
    #[schema(example = "07:00")]
    quiet_until: Option<String>,
}

impl Change {
    /// Errors: 422 with each field that is wrong.
    pub(super) fn check(&self) -> Result<()> {
        let mut check = Check::default();
        let minutes = self.idle_minutes.unwrap_or_default();
        check.that((0..=480).contains(&minutes), "/idleMinutes", "is 0 (never) to 480");
        for (time, pointer) in [(&self.quiet_from, "/quietFrom"), (&self.quiet_until, "/quietUntil")] {
            check.that(time.as_deref().is_none_or(is_clock), pointer, "is a time such as 22:00");
        }
        check.done()
    }
}

/// Whether this is a time of the day: `07:00`.
fn is_clock(text: &str) -> bool {
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()); // `+7` is a number, too
    let two = |part: &str, most: u8| digits(part) && part.parse().is_ok_and(|n: u8| n <= most);
    text.split_once(':').is_some_and(|(hours, minutes)| two(hours, 23) && two(minutes, 59))
}

pub(super) fn preferences(tx: &mut TenantRead, user: UserId, now: Time) -> Result<Preferences> {
    Ok(Preferences::new(store::desk(tx, user)?, now))
}

/// Changes what is given. Whoever changes something is at work.
pub(super) fn change(tx: &mut TenantTx, user: UserId, to: &Change) -> Result<Preferences> {
    let (before, now) = (store::desk(tx, user)?, tx.now());
    let after = Desk {
        away: to.away.unwrap_or(before.away),
        idle_minutes: to.idle_minutes.unwrap_or(before.idle_minutes),
        active_at: now,
        alerts: to.alerts.unwrap_or(before.alerts),
        quiet: to.quiet.unwrap_or(before.quiet),
        quiet_from: to.quiet_from.clone().unwrap_or(before.quiet_from),
        quiet_until: to.quiet_until.clone().unwrap_or(before.quiet_until),
    };
    store::set_desk(tx, user, &after)?;
    Ok(Preferences::new(after, now))
}

/// Shows everyone who watches that somebody came or went. It passes: who looks later asks for the team.
pub(super) fn tell(app: &App, tenant: TenantId, user: UserId, presence: &Presence) {
    #[derive(Serialize)]
    struct Told<'p> {
        id: UserId,
        #[serde(flatten)]
        presence: &'p Presence,
    }
    let patch = json!({ "user": Told { id: user, presence } });
    app.live.tell(app, tenant, "user.availability", &[("user", &user)], &patch);
}

impl Preferences {
    pub(super) fn presence(&self) -> &Presence {
        &self.presence
    }
}

/// Browsers say it more often than it needs to be written down.
const OFTEN: Duration = Duration::from_secs(30);

/// `{"kind":"active"}` over the live stream: the person has just done something.
pub fn heard_active(app: App, who: Who, _: serde_json::Value) -> BoxFuture<'static, Result<()>> {
    Box::pin(async move {
        let Some(user) = who.user() else { return Err(Error::Forbidden("A program is never away.".into())) };
        let told = app.db.write(who.tenant, move |tx| {
            let now = tx.now();
            let Some((away, idle_minutes)) = store::set_active(tx, user, now - OFTEN)? else { return Ok(None) };
            Ok(Some(Presence::new(away, idle_minutes, now, now)))
        });
        if let Some(presence) = told.await? {
            tell(&app, who.tenant, user, &presence);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_the_day_is_written_with_four_digits() {
        assert!(["00:00", "07:30", "23:59"].into_iter().all(is_clock));
        assert!(!["", "7:30", "24:00", "12:60", "+7:30", "12.30", "12:3", "１２:00"].into_iter().any(is_clock));
    }
}
