//! Jobs as people see them, and what they may do about one.
use super::{FORGET, FORWARD, LANES, TOPIC};
use crate::{
    Result,
    clock::Time,
    db::{Arg, SystemRead, TenantRead, TenantTx},
    id::TenantId,
    jobs::{JobId, JobState},
};
use std::collections::BTreeMap;

row! {
    /// A job as the monitor shows it.
    pub struct Job {
        pub id: JobId, pub kind: String, pub state: String, pub lane: Option<String>, pub priority: i64, pub attempt: i64,
        pub max_attempts: i64, pub run_at: Time, pub last_error: Option<String>, pub created_at: Time, pub started_at: Option<Time>,
        pub finished_at: Option<Time>,
    }
}

/// What the monitor looks through at most.
const LOOKED: usize = 20_000;

/// A page of jobs.
pub struct Found {
    pub jobs: Vec<Job>,
    /// Where to go on, if that was not all.
    pub from: Option<JobId>,
}

/// Jobs, the latest first. The few that are dead have an index of their own; others are looked for among the latest.
pub fn list(
    tx: &mut TenantRead,
    state: Option<JobState>,
    kind: Option<&str>,
    before: JobId,
    rows: i64,
) -> Result<Found> {
    const ALL: &str = "
        select id, kind, state, lane, priority, attempt, max_attempts, run_at, last_error, created_at, started_at, finished_at
          from jobs
         where tenant_id = $1 and id < $2
         order by id desc
         limit $3";
    const DEAD: &str = "
        select id, kind, state, lane, priority, attempt, max_attempts, run_at, last_error, created_at, started_at, finished_at
          from jobs
         where tenant_id = $1 and id < $2 and state = 'dead'
         order by id desc
         limit $3";
    let sql = if state == Some(JobState::Dead) { DEAD } else { ALL };
    let step = if state.is_none() && kind.is_none() { rows } else { 500 };
    let fits = |job: &Job| {
        let known = state.is_none_or(|state| match job.state.as_str() {
            "later" | "behind" => state == JobState::Ready,
            other => state.as_str() == other,
        });
        known && kind.is_none_or(|kind| job.kind == kind)
    };
    let (mut jobs, mut looked, mut from) = (Vec::new(), 0, before);
    loop {
        let some: Vec<Job> = tx.all(sql, args![from, step])?;
        let last = i64::try_from(some.len()) != Ok(step);
        looked += some.len();
        for job in some {
            from = job.id;
            if fits(&job) {
                jobs.push(job);
                if i64::try_from(jobs.len()) == Ok(rows) {
                    return Ok(Found { jobs, from: None });
                }
            }
        }
        if last || looked >= LOOKED {
            return Ok(Found { jobs, from: (!last).then_some(from) });
        }
    }
}

/// A kind, and how many of it wait, run and are dead.
pub type Count = (String, i64, i64, i64);

/// For each kind how many wait, run and are dead, among the latest 20,000; and whether that is all.
pub fn summary(tx: &mut TenantRead) -> Result<(Vec<Count>, bool)> {
    let counts: Vec<Count> = tx.all(
        "select kind, count(*) filter (where state in ('ready', 'later', 'behind')), count(*) filter (where state = 'running'), count(*)
           from (select kind, state from jobs where tenant_id = $1 order by id desc limit 20001) j
          group by kind",
        args![],
    )?;
    let dead: Vec<(String, i64)> = tx.all(
        "select kind, count(*)
           from (select kind from jobs where tenant_id = $1 and state = 'dead' limit 20000) j
          group by kind",
        args![],
    )?;
    let complete = counts.iter().map(|(.., all)| all).sum::<i64>() <= LOOKED as i64;
    let mut kinds = BTreeMap::<String, (i64, i64, i64)>::new();
    for (kind, ready, running, _) in counts {
        kinds.insert(kind, (ready, running, 0));
    }
    for (kind, dead) in dead {
        kinds.entry(kind).or_default().2 = dead;
    }
    kinds.retain(|_, counts| *counts != (0, 0, 0));
    Ok((kinds.into_iter().map(|(kind, (ready, running, dead))| (kind, ready, running, dead)).collect(), complete))
}

/// One job. Errors: `Missing`.
pub fn get(tx: &mut TenantRead, id: JobId) -> Result<Job> {
    tx.get(
        "select id, kind, state, lane, priority, attempt, max_attempts, run_at, last_error, created_at, started_at, finished_at
           from jobs
          where tenant_id = $1 and id = $2",
        args![id],
    )
}

/// Makes a job due now: a dead or cancelled one begins anew at the end of its lane. False: its state does not allow it.
pub fn retry(tx: &mut TenantTx, id: JobId) -> Result<bool> {
    let now = tx.now();
    let lane = get(tx, id)?.lane;
    let seq = lock(tx, lane.as_deref(), 1)?;
    let changed = tx.run(
        "update jobs
            set state = case when state = 'later' or lane is null then 'ready' else 'behind' end,
                attempt = case when state = 'later' then attempt else 0 end,
                lane_seq = case when state = 'later' then lane_seq else $4::bigint end,
                run_at = $3, finished_at = null
          where tenant_id = $1 and id = $2 and state in ('later', 'dead', 'cancelled')",
        args![id, now, seq],
    )?;
    after_change(tx, lane.as_deref())?;
    Ok(changed == 1)
}

/// Puts a job away that is not running. False: its state does not allow it.
pub fn cancel(tx: &mut TenantTx, id: JobId) -> Result<bool> {
    let now = tx.now();
    let lane = get(tx, id)?.lane;
    lock(tx, lane.as_deref(), 0)?;
    let changed = tx.run(
        "update jobs set state = 'cancelled', finished_at = $3
          where tenant_id = $1 and id = $2 and state in ('ready', 'later', 'behind', 'dead')",
        args![id, now],
    )?;
    after_change(tx, lane.as_deref())?;
    Ok(changed == 1)
}

/// Locks the lane, if there is one, and reserves `places` in it; the last of them.
fn lock(tx: &mut TenantTx, lane: Option<&str>, places: i64) -> Result<Option<i64>> {
    let Some(lane) = lane else { return Ok(None) };
    let locked = tx.insert::<(TenantId, String, i64), _>(LANES, [[lane.arg(), places.arg()]])?;
    Ok(locked.first().map(|(_, _, tail)| *tail))
}

fn after_change(tx: &mut TenantTx, lane: Option<&str>) -> Result<()> {
    let now = tx.now();
    if let Some(lane) = lane {
        tx.run(FORWARD, args![lane, now])?;
        tx.run(FORGET, args![lane])?;
    }
    tx.ring(TOPIC, "");
    Ok(())
}

/// How many jobs are ready and how many are dead, of all tenants: up to 10,000.
pub fn count(tx: &mut SystemRead) -> Result<(i64, i64)> {
    tx.get(
        "select (select count(*) from (select 1 from jobs where state = 'ready' limit 10000) r),
                (select count(*) from (select 1 from jobs where state = 'dead' limit 10000) d)",
        args![],
    )
}
