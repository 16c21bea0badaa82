//! All the SQL of jobs.
use super::{HOUSE, JobId, JobState, New, Priority};
use crate::{
    Result,
    clock::Time,
    db::{Arg, Dialect, SystemRead, SystemTx, TenantRead, TenantTx, Texts, Value},
    events,
    id::TenantId,
};
use std::collections::{BTreeMap, BTreeSet};

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

row! {
    /// A job in a worker's hands.
    pub struct Claimed {
        pub tenant_id: TenantId, pub id: JobId, pub kind: String, pub payload: String, pub lane: Option<String>,
        pub attempt: i64, pub max_attempts: i64, pub request_id: Option<String>, pub run_at: Time, pub share: i64,
    }
}

/// What one claim found.
pub struct Claim {
    /// Now ours.
    pub jobs: Vec<Claimed>,
    /// More may be due this moment.
    pub more: bool,
    /// When the next of those that are not due will be.
    pub next: Option<Time>,
    /// For each priority, the first tenant of the next round.
    pub turns: [TenantId; 4],
    /// There was no room for those that nobody waits for.
    pub kept: bool,
}

row! {
    /// What there is to claim, at one look.
    pub struct Survey { pub p0: bool, pub p1: bool, pub p2: bool, pub p3: bool, pub due: bool, pub next: Option<Time> }
}

const SURVEY: &str = "
    select exists (select 1 from jobs where state = 'ready' and priority = 0) as p0,
           exists (select 1 from jobs where state = 'ready' and priority = 1) as p1,
           exists (select 1 from jobs where state = 'ready' and priority = 2) as p2,
           exists (select 1 from jobs where state = 'ready' and priority = 3) as p3,
           exists (select 1 from jobs where state = 'later' and run_at <= $1) as due,
           (select run_at from jobs where state = 'later' and run_at > $1 order by run_at limit 1) as next";

const DUE: &str = "
    update jobs set state = 'ready'
     where (tenant_id, id) in (select tenant_id, id from jobs where state = 'later' and run_at <= $1 order by run_at limit 512 for update skip locked)";

/// The next tenants, in the order of their ids, that have something ready: one step down the index for each.
const TURN: &str = "
    with recursive turn (tenant_id, n) as (
        select (select tenant_id from jobs where state = 'ready' and priority = $1 and tenant_id >= $2 order by tenant_id limit 1), 1
        union all
        select (select j.tenant_id from jobs j where j.state = 'ready' and j.priority = $1 and j.tenant_id > t.tenant_id order by j.tenant_id limit 1), t.n + 1
          from turn t
         where t.tenant_id is not null and t.n < $3
    )
    select tenant_id from turn where tenant_id is not null";
const TAKE: &str = "
    update jobs set state = 'running', worker = $4, attempt = attempt + 1, started_at = $5
     where tenant_id = $1 and id in (select id from jobs where state = 'ready' and priority = $2 and tenant_id = $1 order by id limit $3)
    returning tenant_id, id, kind, payload, lane, attempt, max_attempts, request_id, run_at, $3 as share";

/// [`TURN`] and [`TAKE`] in one statement, around what other workers have in their hands.
const TURN_AND_TAKE: Texts = Texts::postgres(
    "
    with recursive turn (tenant_id, n) as (
        select (select tenant_id from jobs where state = 'ready' and priority = $1 and tenant_id >= $2 order by tenant_id limit 1), 1::bigint
        union all
        select (select j.tenant_id from jobs j where j.state = 'ready' and j.priority = $1 and j.tenant_id > t.tenant_id order by j.tenant_id limit 1), t.n + 1
          from turn t
         where t.tenant_id is not null and t.n < $3
    ), served as (
        select tenant_id, ($3 - 1) / count(*) over () + 1 as share from turn where tenant_id is not null
    ), picked as (
        select p.tenant_id, p.id, s.share
          from served s
         cross join lateral (select j.tenant_id, j.id from jobs j
                              where j.state = 'ready' and j.priority = $1 and j.tenant_id = s.tenant_id
                              order by j.id limit s.share for update skip locked) p
         limit $3
    )
    update jobs set state = 'running', worker = $4, attempt = attempt + 1, started_at = $5
      from picked
     where jobs.tenant_id = picked.tenant_id and jobs.id = picked.id
    returning jobs.tenant_id, jobs.id, kind, payload, lane, attempt, max_attempts, request_id, run_at, share",
);

/// Takes up to `urgent` due jobs for the worker `me`, at most `other` of them for whom nobody waits: by priority, and within a priority
/// an equal share for each tenant that has some, beginning with the tenant after the last one served. `turns` is what the claim before
/// gave back.
pub fn claim(tx: &mut SystemTx, me: WorkerId, urgent: usize, other: usize, turns: [TenantId; 4]) -> Result<Claim> {
    let now = tx.now();
    let there: Survey = tx.get(SURVEY, args![now])?;
    let promoted = if there.due { tx.run(DUE, args![now])? } else { 0 };
    let mut got = Claim { jobs: Vec::new(), more: promoted == 512, next: there.next, turns, kept: false };
    for (turn, priority) in Priority::ALL.into_iter().enumerate() {
        if promoted == 0 && ![there.p0, there.p1, there.p2, there.p3][turn] {
            continue;
        }
        let room = if priority <= Priority::Assistant { urgent } else { other.max(got.jobs.len()) };
        if got.jobs.len() == room {
            got.more |= !got.jobs.is_empty();
            got.kept = true;
            continue;
        }
        loop {
            let from = got.turns[turn];
            let last = take(tx, me, priority, from, room, &mut got)?;
            if got.jobs.len() == room {
                got.more = true;
                got.turns[turn] = last.map_or(TenantId::NIL, after);
                break;
            }
            got.turns[turn] = TenantId::NIL; // the last tenant of the round was reached: the next round begins
            if from == TenantId::NIL {
                break;
            }
        }
    }
    got.jobs.sort_unstable_by_key(|job| job.id);
    Ok(got)
}

/// One priority, from one tenant on; the last tenant served.
fn take(
    tx: &mut SystemTx,
    me: WorkerId,
    priority: Priority,
    from: TenantId,
    room: usize,
    got: &mut Claim,
) -> Result<Option<TenantId>> {
    let now = tx.now();
    let left = i64::try_from(room - got.jobs.len()).expect("a claim is small");
    let mut last = None;
    if tx.dialect() == Dialect::Postgres {
        let taken: Vec<Claimed> = tx.all(TURN_AND_TAKE, args![priority, from, left, me, now])?;
        let mut counts = BTreeMap::<TenantId, i64>::new();
        for job in &taken {
            let count = counts.entry(job.tenant_id).or_default();
            *count += 1;
            got.more |= *count == job.share;
        }
        got.jobs.extend(taken);
        last = counts.last_key_value().map(|(tenant, _)| *tenant);
    } else {
        let tenants: Vec<(TenantId,)> = tx.all(TURN, args![priority, from, left])?;
        let share = (left - 1) / i64::try_from(tenants.len().max(1)).expect("a claim is small") + 1;
        for (tenant,) in tenants {
            let share = share.min(i64::try_from(room - got.jobs.len()).expect("a claim is small"));
            if share == 0 {
                break;
            }
            let taken: Vec<Claimed> = tx.all(TAKE, args![tenant, priority, share, me, now])?;
            got.more |= i64::try_from(taken.len()) == Ok(share);
            got.jobs.extend(taken);
            last = Some(tenant);
        }
    }
    Ok(last)
}

/// The statements that must cost the same however many jobs wait: a test looks at their plans. By database.
#[doc(hidden)]
pub const STEADY: [(Dialect, &[&str]); 2] = [
    (Dialect::Sqlite, &[SURVEY, DUE, TURN, TAKE, LOST, FORWARD, FORGET, DONE, NOT_DONE]),
    (Dialect::Postgres, &[SURVEY, DUE, TURN_AND_TAKE.postgres, LOST, FORWARD, FORGET, DONE, NOT_DONE]),
];

fn after(tenant: TenantId) -> TenantId {
    TenantId(u128::from_be_bytes(tenant.0).wrapping_add(1).to_be_bytes())
}

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

const DONE: &str = "
    update jobs set state = 'done', worker = null, finished_at = $5
     where tenant_id = $1 and id = $2 and state = 'running' and attempt = $3 and worker = $4";
const NOT_DONE: &str = "
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

const LOST: &str = "
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
