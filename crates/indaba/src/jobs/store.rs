//! All the SQL of jobs. Here: how they come in, and how old ones go.
mod claim;
mod finish;
mod monitor;

use super::{JobId, New};
use crate::{
    Result,
    clock::Time,
    db::{Arg, Dialect, SystemRead, SystemTx, TenantTx, Value},
    id::TenantId,
};
use claim::{DUE, SURVEY, TAKE, TURN, TURN_AND_TAKE};
use finish::{DONE, LOST, NOT_DONE};
use std::collections::BTreeMap;

pub use claim::{Claim, Claimed, claim};
pub use finish::{Finished, Outcome, adopt, finish, lost, renew, resign, take_back};
pub use monitor::{Job, cancel, count, get, list, retry, summary};

id! {
    /// A process that runs jobs, for as long as it lives.
    WorkerId, "wrk"
}

/// What a transaction rings when a job is due.
pub const TOPIC: &str = "jobs";

const ADD: &str = "
    insert into jobs (tenant_id, id, kind, payload, state, priority, lane, lane_seq, unique_key, run_at, attempt, max_attempts, request_id, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13) on conflict do nothing";

/// Locks lanes, makes the missing ones, and reserves a stretch of places in each. Always in the order of their keys.
const LANES: &str = "
    insert into job_lanes (tenant_id, lane, tail) values ($1, $2, $3)
        on conflict (tenant_id, lane) do update set tail = job_lanes.tail + excluded.tail
    returning tenant_id, lane, tail";

/// The first unfinished job of a lane comes forward, unless it has already.
const FORWARD: &str = "
    update jobs set state = case when run_at > $3 then 'later' else 'ready' end
     where tenant_id = $1 and lane = $2 and finished_at is null and state = 'behind'
       and lane_seq = (select min(b.lane_seq) from jobs b where b.tenant_id = $1 and b.lane = $2 and b.finished_at is null)";

/// A lane without unfinished jobs is forgotten.
const FORGET: &str = "
    delete from job_lanes
     where tenant_id = $1 and lane = $2
       and not exists (select 1 from jobs j where j.tenant_id = $1 and j.lane = $2 and j.finished_at is null)";

/// The statements that must cost the same however many jobs wait: a test looks at their plans. By database.
#[doc(hidden)]
pub const STEADY: [(Dialect, &[&str]); 2] = [
    (Dialect::Sqlite, &[SURVEY, DUE, TURN, TAKE, LOST, FORWARD, FORGET, DONE, NOT_DONE]),
    (Dialect::Postgres, &[SURVEY, DUE, TURN_AND_TAKE.postgres, LOST, FORWARD, FORGET, DONE, NOT_DONE]),
];

/// Adds jobs as the last but one thing a transaction does: its lanes stay locked until it commits.
pub fn add(tx: &mut TenantTx, jobs: &[New]) -> Result<()> {
    let (now, request) = (tx.now(), tx.request());
    let mut tails = BTreeMap::<&str, i64>::new();
    for lane in jobs.iter().filter_map(|job| job.lane.as_deref()) {
        *tails.entry(lane).or_default() += 1;
    }
    let lanes: Vec<&str> = tails.keys().copied().collect();
    if !lanes.is_empty() {
        let counts: Vec<i64> = tails.values().copied().collect();
        let rows = lanes.iter().zip(&counts).map(|(lane, count)| [lane.arg(), count.arg()]);
        for (_, lane, tail) in tx.insert::<(TenantId, String, i64), _>(LANES, rows)? {
            let next = tails.get_mut(lane.as_str()).expect("a lane we named");
            *next = tail - *next; // the place before our first
        }
    }
    let ids: Vec<JobId> = jobs.iter().map(|_| JobId::at(now)).collect();
    let mut seqs = Vec::with_capacity(jobs.len());
    for job in jobs {
        seqs.push(job.lane.as_deref().map(|lane| {
            let seq = tails.get_mut(lane).expect("a lane we counted");
            *seq += 1;
            *seq
        }));
    }
    let attempts: Vec<i64> = jobs.iter().map(|job| job.attempts.into()).collect();
    let rows = jobs.iter().enumerate().map(|(i, job)| {
        let (state, at) = state(job, now);
        [
            Value::Bytes(&ids[i].0),
            job.kind.arg(),
            job.payload.arg(),
            Value::Text(state),
            job.priority.arg(),
            job.lane.arg(),
            seqs[i].arg(),
            job.unique.arg(),
            Value::I64(at.0),
            attempts[i].arg(),
            job.request.as_deref().or(request.as_deref()).map_or(Value::Null, Value::Text),
            Value::I64(now.0),
        ]
    });
    tx.insert_only(ADD, rows)?;
    if !lanes.is_empty() {
        tx.run_for(FORWARD, lanes.iter().map(|lane| [lane.arg(), now.arg()]))?;
    }
    if jobs.iter().any(|job| due_soon(job, now)) {
        tx.ring(TOPIC, "");
    }
    Ok(())
}

/// Adds jobs of many tenants, without lanes, in one statement.
pub fn add_across(tx: &mut SystemTx, jobs: &[(TenantId, New)]) -> Result<()> {
    let now = tx.now();
    debug_assert!(jobs.iter().all(|(_, job)| job.lane.is_none()), "lanes need a tenant's own transaction");
    let ids: Vec<JobId> = jobs.iter().map(|_| JobId::at(now)).collect();
    let attempts: Vec<i64> = jobs.iter().map(|(_, job)| job.attempts.into()).collect();
    let request = tx.request();
    let rows = jobs.iter().enumerate().map(|(i, (tenant, job))| {
        let (state, at) = state(job, now);
        [
            tenant.arg(),
            Value::Bytes(&ids[i].0),
            job.kind.arg(),
            job.payload.arg(),
            Value::Text(state),
            job.priority.arg(),
            Value::Null,
            Value::Null,
            job.unique.arg(),
            Value::I64(at.0),
            attempts[i].arg(),
            job.request.as_deref().or(request.as_deref()).map_or(Value::Null, Value::Text),
            Value::I64(now.0),
        ]
    });
    tx.insert_only(ADD, rows)?;
    if jobs.iter().any(|(_, job)| due_soon(job, now)) {
        tx.ring(TOPIC, "");
    }
    Ok(())
}

fn state(job: &New, now: Time) -> (&'static str, Time) {
    match (job.at, &job.lane) {
        (at, Some(_)) => ("behind", at.unwrap_or(now)),
        (Some(at), None) if at > now => ("later", at),
        (_, None) => ("ready", now),
    }
}

/// Others find what is due later by their poll.
fn due_soon(job: &New, now: Time) -> bool {
    job.at.is_none_or(|at| at <= now + super::runner::POLL)
}

/// The next tenant that has jobs, finished or not.
pub fn next_tenant(tx: &mut SystemRead, after: TenantId) -> Result<Option<TenantId>> {
    let next = tx.find::<(TenantId,)>(
        "select tenant_id from jobs where tenant_id > $1 order by tenant_id limit 1",
        args![after],
    )?;
    Ok(next.map(|(tenant,)| tenant))
}

/// Looks at 500 of a tenant's jobs that are older than `finished` and deletes those that finished before it, or died before `dead`.
/// Where to go on, if there are more.
pub fn forget(tx: &mut SystemTx, tenant: TenantId, after: JobId, finished: Time, dead: Time) -> Result<Option<JobId>> {
    let old: Vec<(JobId,)> = tx.all(
        "select id from jobs where tenant_id = $1 and id > $2 and id < $3 order by id limit 500",
        args![tenant, after, JobId::at(finished)],
    )?;
    let Some((last,)) = old.last() else { return Ok(None) };
    tx.run(
        "delete from jobs
          where tenant_id = $1 and id > $2 and id <= $3 and finished_at < case when state = 'dead' then $5::bigint else $4::bigint end",
        args![tenant, after, last, finished, dead],
    )?;
    Ok((old.len() == 500).then_some(*last))
}
