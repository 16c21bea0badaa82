//! All the SQL of events.
use super::Event;
use crate::{
    Result,
    db::{Arg, TenantTx, Value},
};

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
    let ids = event.ids.iter().map(|(name, id)| ((*name).to_owned(), id.as_str().into())).collect();
    serde_json::Value::Object(ids).to_string()
}
