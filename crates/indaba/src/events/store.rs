//! All the SQL of events.
use super::Event;
use crate::{
    Result,
    clock::Time,
    db::{Arg, SystemRead, TenantRead, TenantTx, Value},
    id::TenantId,
};
use serde::{Serialize, Serializer};
use std::time::Duration;

/// What a transaction rings, with its tenant, when it has appended events.
pub const TOPIC: &str = "events";

/// Numbers the events of a transaction and writes them down.
pub fn add(tx: &mut TenantTx, events: &[Event]) -> Result<()> {
    let (now, count) = (tx.now(), i64::try_from(events.len()).expect("few events in one transaction"));
    let (last,): (i64,) = tx.get(
        "insert into event_counters (tenant_id, last_seq) values ($1, $2)
             on conflict (tenant_id) do update set last_seq = event_counters.last_seq + excluded.last_seq
         returning last_seq",
        args![count],
    )?;
    let ids: Vec<String> = events.iter().map(ids).collect();
    let seqs: Vec<i64> = (last - count + 1..=last).collect();
    tx.insert_only(
        "insert into events (tenant_id, seq, kind, at, ids, patch) values ($1, $2, $3, $4, $5, $6)",
        events
            .iter()
            .enumerate()
            .map(|(i, event)| [seqs[i].arg(), event.kind.arg(), Value::I64(now.0), ids[i].arg(), event.patch.arg()]),
    )?;
    let tenant = tx.tenant();
    tx.ring(TOPIC, tenant);
    Ok(())
}

fn ids(event: &Event) -> String {
    struct Ids<'a>(&'a Event);
    impl Serialize for Ids<'_> {
        fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
            to.collect_map(self.0.ids.iter().map(|(name, id)| (name, id)))
        }
    }
    serde_json::to_string(&Ids(event)).expect("names and ids are texts")
}

row! {
    /// An event.
    pub struct Row { pub seq: i64, pub kind: String, pub at: Time, pub ids: String, pub patch: String }
}

/// Where a tenant's events begin and end.
pub struct Head {
    /// The oldest that is kept; one more than the newest, when none is.
    pub first: i64,
    /// The newest; 0 before the first.
    pub last: i64,
}

/// Where the events begin and end now.
pub fn head(tx: &mut TenantRead) -> Result<Head> {
    let last = tx.find::<(i64,)>("select last_seq from event_counters where tenant_id = $1", args![])?;
    let first = tx.find::<(i64,)>("select seq from events where tenant_id = $1 order by seq limit 1", args![])?;
    let last = last.map_or(0, |(seq,)| seq);
    Ok(Head { first: first.map_or(last + 1, |(seq,)| seq), last })
}

/// Events after the one numbered `after`, in order.
pub fn page(tx: &mut TenantRead, after: i64, limit: i64) -> Result<Vec<Row>> {
    tx.all(
        "select seq, kind, at, ids, patch
           from events
          where tenant_id = $1 and seq > $2
          order by seq
          limit $3",
        args![after, limit],
    )
}

/// How far two events may stand in the other order than their times: as long as a transaction takes, and as the clocks of two nodes differ.
const APART: Duration = Duration::from_secs(600);

/// The number of the first event that is from `at` or later. There is no index on their times: they ascend with the numbers.
fn since(tx: &mut TenantRead, at: Time) -> Result<i64> {
    let Head { first, last } = head(tx)?;
    let (mut from, mut to) = (first, last + 1);
    while from < to {
        let middle = from + (to - from) / 2;
        match tx.find::<(Time,)>("select at from events where tenant_id = $1 and seq = $2", args![middle])? {
            Some((then,)) if then >= at => to = middle,
            _ => from = middle + 1, // one that is gone was among the oldest
        }
    }
    Ok(from)
}

/// Gives another patch to the events of one kind that carry an id and are from about `at`.
pub fn retell(tx: &mut TenantTx, kind: &str, at: Time, id: &str, patch: &str) -> Result<()> {
    let (from, to) = (since(tx, at - APART)?, since(tx, at + APART)?);
    tx.run(
        "update events set patch = $6 where tenant_id = $1 and seq >= $2 and seq < $3 and kind = $4 and ids like $5",
        args![from, to, kind, format!("%\"{id}\"%"), patch],
    )
    .map(drop)
}

/// Tenants that have events, from one on.
pub fn tenants(tx: &mut SystemRead, from: TenantId, limit: i64) -> Result<Vec<TenantId>> {
    let all = tx.all::<(TenantId,)>(
        "select tenant_id from event_counters where tenant_id > $1 order by tenant_id limit $2",
        args![from, limit],
    )?;
    Ok(all.into_iter().map(|(tenant,)| tenant).collect())
}

/// Deletes up to 500 of the oldest events, as far as they are from before `end`; how many.
pub fn forget(tx: &mut TenantTx, end: Time) -> Result<u64> {
    let oldest: Vec<(i64, Time)> =
        tx.all("select seq, at from events where tenant_id = $1 order by seq limit 500", args![])?;
    match oldest.iter().take_while(|(_, at)| *at < end).last() {
        Some((last, _)) => tx.run("delete from events where tenant_id = $1 and seq <= $2", args![last]),
        None => Ok(0),
    }
}

/// The time of the oldest event.
pub fn oldest(tx: &mut TenantRead) -> Result<Option<Time>> {
    let at = tx.find::<(Time,)>("select at from events where tenant_id = $1 order by seq limit 1", args![])?;
    Ok(at.map(|(at,)| at))
}
