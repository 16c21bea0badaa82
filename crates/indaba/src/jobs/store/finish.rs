//! What becomes of jobs that were taken: also of those whose worker died with them in its hands.
use super::{FORGET, FORWARD, LANES, TOPIC, WorkerId, claim::Claimed};
use crate::{
    Result,
    clock::Time,
    db::{Arg, SystemTx, Value},
    events,
    id::TenantId,
    jobs::{HOUSE, JobId},
};
use std::collections::BTreeSet;

/// What became of a claimed job.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Again, from this moment on; whether this attempt counted; why.
    Again(Time, bool, Option<String>),
    /// Set aside.
    Dead(String),
}

/// A claimed job and what became of it.
#[derive(Clone, Debug)]
pub struct Finished {
    pub tenant: TenantId,
    pub id: JobId,
    pub kind: String,
    pub lane: Option<String>,
    pub attempt: i64,
    pub request: Option<String>,
    pub outcome: Outcome,
}

pub(super) const DONE: &str = "
    update jobs set state = 'done', worker = null, finished_at = $5
     where tenant_id = $1 and id = $2 and state = 'running' and attempt = $3 and worker = $4";

pub(super) const NOT_DONE: &str = "
    update jobs set state = $5, worker = null, attempt = attempt - 1 + $6, run_at = coalesce($7, run_at),
                    last_error = coalesce($8, last_error), finished_at = $9
     where tenant_id = $1 and id = $2 and state = 'running' and attempt = $3 and worker = $4
    returning id";

/// Writes down what became of jobs that `worker` had in its hands. Those it no longer has (its lease ran out) are left alone.
pub fn finish(tx: &mut SystemTx, worker: WorkerId, finished: &[Finished]) -> Result<()> {
    let now = tx.now();
    let left: BTreeSet<(TenantId, &str)> = finished
        .iter()
        .filter(|job| !matches!(job.outcome, Outcome::Again(..)))
        .filter_map(|job| Some((job.tenant, job.lane.as_deref()?)))
        .collect();
    if !left.is_empty() {
        tx.insert::<(TenantId, String, i64), _>(
            LANES,
            left.iter().map(|(tenant, lane)| [tenant.arg(), lane.arg(), Value::I64(0)]),
        )?;
    }
    let done = finished.iter().filter(|job| job.outcome == Outcome::Done);
    tx.run_for(DONE, done.map(|job| [job.tenant.arg(), job.id.arg(), job.attempt.arg(), worker.arg(), now.arg()]))?;
    let not_done = finished.iter().filter_map(|job| {
        let (state, counted, at, error, end) = match &job.outcome {
            Outcome::Done => return None,
            Outcome::Again(at, counted, error) => {
                let state = if *at > now { "later" } else { "ready" };
                (state, i64::from(*counted), Value::I64(at.0), error.arg(), Value::Null)
            }
            Outcome::Dead(reason) => ("dead", 1, Value::Null, reason.arg(), Value::I64(now.0)),
        };
        let key = [job.tenant.arg(), job.id.arg(), job.attempt.arg(), worker.arg()];
        Some([key[0], key[1], key[2], key[3], Value::Text(state), Value::I64(counted), at, error, end])
    });
    let changed: BTreeSet<JobId> = tx.insert::<(JobId,), _>(NOT_DONE, not_done)?.into_iter().map(|(id,)| id).collect();
    come_forward(tx, &left)?;
    for job in finished.iter().filter(|job| job.tenant != HOUSE && changed.contains(&job.id)) {
        if let Outcome::Dead(reason) = &job.outcome {
            let patch =
                serde_json::json!({ "job": { "id": job.id, "kind": job.kind, "state": "dead", "lastError": reason } });
            tx.as_tenant(job.tenant, |tx| events::append(tx, "job.dead", &[("job", &job.id)], &patch))?;
        }
    }
    Ok(())
}

/// After jobs have left these lanes, which are locked: the next of each comes forward; empty ones are forgotten.
fn come_forward(tx: &mut SystemTx, lanes: &BTreeSet<(TenantId, &str)>) -> Result<()> {
    if lanes.is_empty() {
        return Ok(());
    }
    let now = tx.now();
    if tx.run_for(FORWARD, lanes.iter().map(|(tenant, lane)| [tenant.arg(), lane.arg(), now.arg()]))? > 0 {
        tx.ring(TOPIC, "");
    }
    tx.run_for(FORGET, lanes.iter().map(|(tenant, lane)| [tenant.arg(), lane.arg()]))?;
    Ok(())
}

/// Says that the worker `me` is alive until `until`.
pub fn renew(tx: &mut SystemTx, me: WorkerId, until: Time) -> Result<()> {
    tx.run(
        "insert into job_workers (id, lease_until) values ($1, $2)
             on conflict (id) do update set lease_until = excluded.lease_until",
        args![me, until],
    )?;
    Ok(())
}

/// The worker `me` is gone.
pub fn resign(tx: &mut SystemTx, me: WorkerId) -> Result<()> {
    tx.run("delete from job_workers where id = $1", args![me])?;
    Ok(())
}

pub(super) const LOST: &str = "
    with recursive w (worker) as (
        select (select worker from jobs where state = 'running' order by worker limit 1)
        union all
        select (select j.worker from jobs j where j.state = 'running' and j.worker > w.worker order by j.worker limit 1)
          from w
         where w.worker is not null
    )
    select worker from w
     where worker is not null and not exists (select 1 from job_workers l where l.id = w.worker and l.lease_until >= $1)";

/// Workers that have jobs in their hands and no lease: they died. One step down the index for each worker.
pub fn lost(tx: &mut SystemTx) -> Result<Vec<WorkerId>> {
    let now = tx.now();
    let lost: Vec<(WorkerId,)> = tx.all(LOST, args![now])?;
    tx.run("delete from job_workers where lease_until < $1", args![now])?;
    Ok(lost.into_iter().map(|(worker,)| worker).collect())
}

/// Takes up to 500 jobs out of the hands of a worker that died; true: there may be more. The attempt counts: a job that kills its
/// worker must not do so for ever.
pub fn take_back(tx: &mut SystemTx, dead: WorkerId) -> Result<bool> {
    let now = tx.now();
    let jobs: Vec<Claimed> = tx.all(
        "select tenant_id, id, kind, payload, lane, attempt, max_attempts, request_id, run_at, 0 as share
           from jobs
          where state = 'running' and worker = $1
          limit 500",
        args![dead],
    )?;
    let more = jobs.len() == 500;
    let finished: Vec<Finished> = jobs
        .into_iter()
        .map(|job| Finished {
            outcome: if job.attempt < job.max_attempts {
                Outcome::Again(now, true, Some("its worker died".into()))
            } else {
                Outcome::Dead(format!("its worker died; that was attempt {}", job.attempt))
            },
            tenant: job.tenant_id,
            id: job.id,
            kind: job.kind,
            lane: job.lane,
            attempt: job.attempt,
            request: job.request_id,
        })
        .collect();
    if !finished.is_empty() {
        finish(tx, dead, &finished)?;
        tx.ring(TOPIC, "");
    }
    Ok(more)
}

/// When only one server can be alive (SQLite: it holds the lock of the data directory), what others left running is taken back at once.
pub fn adopt(tx: &mut SystemTx) -> Result<()> {
    tx.run("delete from job_workers", args![])?;
    Ok(())
}
