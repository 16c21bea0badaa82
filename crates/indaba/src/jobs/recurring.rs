//! Jobs that recur: a row for each (`recurring_jobs`) says when it is due next. Whoever moves that row on enqueues the job, in the same
//! transaction: so there is one owner at a time, however many nodes look.
use super::{HOUSE, Kinds, New, enqueue_many};
use crate::{Result, app::App, clock::Time, db::SystemTx};
use croner::Cron;
use std::sync::Arc;

/// A job of the house and when it is due.
#[derive(Clone)]
pub(super) struct Every {
    name: &'static str,
    cron: Arc<Cron>,
    job: New,
}

impl Every {
    pub fn new(name: &'static str, cron: &'static str, job: New) -> Every {
        let cron = cron.parse().expect("a schedule in our own registry is valid");
        Every { name, cron: Arc::new(cron), job }
    }

    /// The first moment after `now` at which it is due.
    fn after(&self, now: Time) -> Time {
        let at =
            jiff::Timestamp::from_millisecond(now.0).unwrap_or(jiff::Timestamp::MAX).to_zoned(jiff::tz::TimeZone::UTC);
        match self.cron.find_next_occurrence(&at, false) {
            Ok(next) => Time(next.timestamp().as_millisecond()),
            Err(_) => Time::MAX, // the schedule has run out of dates
        }
    }
}

/// Enqueues what is due. A time missed many times over (the server was off, the clock jumped ahead) is made up for once; after a jump
/// back the next time is worked out anew, so that nothing sleeps until the old clock returns.
pub(super) async fn tick(app: &App, kinds: &Kinds) -> Result<()> {
    if kinds.every.is_empty() {
        return Ok(());
    }
    let rows: Vec<(String, Time)> = app
        .db
        .system_read("look at recurring jobs", |tx| tx.all("select name, next_at from recurring_jobs", args![]))
        .await?;
    let now = app.clock.now();
    for every in &kinds.every {
        let next = every.after(now);
        let known = rows.iter().find(|(name, _)| name == every.name).map(|(_, at)| *at);
        if known.is_some_and(|at| at > now && at <= next) {
            continue;
        }
        let every = every.clone();
        app.db.system("enqueue recurring jobs", move |tx| step(tx, &every, known, now, next)).await?;
    }
    Ok(())
}

fn step(tx: &mut SystemTx, every: &Every, known: Option<Time>, now: Time, next: Time) -> Result<()> {
    let Some(known) = known else {
        tx.run(
            "insert into recurring_jobs (name, next_at) values ($1, $2) on conflict do nothing",
            args![every.name, next],
        )?;
        return Ok(());
    };
    let ours = tx.run(
        "update recurring_jobs set next_at = $3 where name = $1 and next_at = $2",
        args![every.name, known, next],
    )?;
    if ours == 1 && known <= now {
        tx.as_tenant(HOUSE, |tx| enqueue_many(tx, [every.job.clone()]))?;
    }
    Ok(())
}
