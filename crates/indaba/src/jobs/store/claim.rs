//! Taking jobs that are due: by priority, and tenants in turn, without looking at those that wait.
use super::WorkerId;
use crate::{
    Result,
    clock::Time,
    db::{Dialect, SystemTx, Texts},
    id::TenantId,
    jobs::{JobId, Priority},
};
use std::collections::BTreeMap;

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

pub(super) const SURVEY: &str = "
    select exists (select 1 from jobs where state = 'ready' and priority = 0) as p0,
           exists (select 1 from jobs where state = 'ready' and priority = 1) as p1,
           exists (select 1 from jobs where state = 'ready' and priority = 2) as p2,
           exists (select 1 from jobs where state = 'ready' and priority = 3) as p3,
           exists (select 1 from jobs where state = 'later' and run_at <= $1) as due,
           (select run_at from jobs where state = 'later' and run_at > $1 order by run_at limit 1) as next";

/// What locks rows is materialized: inside `in (…)` PostgreSQL may run it once for each row it looks at, and locks rows that it has passed by
/// then. They are nobody's, and everybody who looks meanwhile believes that they are somebody's.
pub(super) const DUE: &str = "
    with due as materialized (
        select tenant_id, id from jobs where state = 'later' and run_at <= $1 order by run_at limit 512 for update skip locked
    )
    update jobs set state = 'ready' where (tenant_id, id) in (select tenant_id, id from due)";

/// The next tenants, in the order of their ids, that have something ready: one step down the index for each.
pub(super) const TURN: &str = "
    with recursive turn (tenant_id, n) as (
        select (select tenant_id from jobs where state = 'ready' and priority = $1 and tenant_id >= $2 order by tenant_id limit 1), 1
        union all
        select (select j.tenant_id from jobs j where j.state = 'ready' and j.priority = $1 and j.tenant_id > t.tenant_id order by j.tenant_id limit 1), t.n + 1
          from turn t
         where t.tenant_id is not null and t.n < $3
    )
    select tenant_id from turn where tenant_id is not null";

pub(super) const TAKE: &str = "
    update jobs set state = 'running', worker = $4, attempt = attempt + 1, started_at = $5
     where tenant_id = $1 and id in (select id from jobs where state = 'ready' and priority = $2 and tenant_id = $1 order by id limit $3)
    returning tenant_id, id, kind, payload, lane, attempt, max_attempts, request_id, run_at, $3 as share";

/// [`TURN`] and [`TAKE`] in one statement, around what other workers have in their hands.
pub(super) const TURN_AND_TAKE: Texts = Texts::postgres(
    "
    with recursive turn (tenant_id, n) as (
        select (select tenant_id from jobs where state = 'ready' and priority = $1 and tenant_id >= $2 order by tenant_id limit 1), 1::bigint
        union all
        select (select j.tenant_id from jobs j where j.state = 'ready' and j.priority = $1 and j.tenant_id > t.tenant_id order by j.tenant_id limit 1), t.n + 1
          from turn t
         where t.tenant_id is not null and t.n < $3
    ), served as (
        select tenant_id, ($3 - 1) / count(*) over () + 1 as share from turn where tenant_id is not null
    ), picked as materialized (
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

fn after(tenant: TenantId) -> TenantId {
    TenantId(u128::from_be_bytes(tenant.0).wrapping_add(1).to_be_bytes())
}
