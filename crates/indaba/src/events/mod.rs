//! What happened. An event is a row, appended in the transaction that makes it true and numbered there, per tenant and without gaps:
//! the order of the numbers is the order of the commits. From events come the live stream, the jobs that follow, and the counters that
//! are kept beside them (`registry.rs`).
pub mod http;
mod live;
mod socket;
mod store;
mod tidy;

use crate::{
    Error, Result,
    clock::Time,
    db::{AtEnd, TenantTx},
    registry,
};
use serde::Serialize;
use std::{any::Any, fmt::Display, str::FromStr};

pub use live::{Hearer, Live};
pub use store::TOPIC;
pub use tidy::Tidy;

/// Something that happened, before it has its number.
#[derive(Clone, Debug)]
pub struct Event {
    /// `noun.past`.
    pub kind: &'static str,
    ids: Vec<(&'static str, String)>,
    patch: String,
}

impl Event {
    /// The id that it carries under `name`, if it has one of that kind.
    pub fn id<T: FromStr>(&self, name: &str) -> Option<T> {
        self.ids.iter().find(|(known, _)| *known == name)?.1.parse().ok()
    }

    /// The patch, as JSON.
    pub fn patch(&self) -> &str {
        &self.patch
    }
}

/// What follows an event in the same transaction: keeps a counter, or enqueues the job that goes on from here.
pub type Follower = fn(&mut TenantTx, &Event) -> Result<()>;

/// Says that something happened: which rows it is about (`message`, `conversation`, …, as printed ids) and what a browser must change to
/// show it, as a JSON object. What follows it (`registry.rs`) is done at once; its number it gets as the transaction ends.
pub fn append(
    tx: &mut TenantTx,
    kind: &'static str,
    ids: &[(&'static str, &dyn Display)],
    patch: &impl Serialize,
) -> Result<()> {
    append_to(tx, registry::FOLLOWERS, kind, ids, patch)
}

/// Takes back what events told of a row, which were appended at `at`: those of `kind` that carry `id` say `patch` from now on. Whoever was away
/// is told no more than that.
pub fn retell(tx: &mut TenantTx, kind: &'static str, at: Time, id: &dyn Display, patch: &impl Serialize) -> Result<()> {
    store::retell(tx, kind, at, &id.to_string(), &text(kind, patch)?)
}

fn text(kind: &str, patch: &impl Serialize) -> Result<String> {
    serde_json::to_string(patch).map_err(|e| Error::Internal(format!("the patch of {kind}: {e}")))
}

fn append_to(
    tx: &mut TenantTx,
    followers: &[(&str, Follower)],
    kind: &'static str,
    ids: &[(&'static str, &dyn Display)],
    patch: &impl Serialize,
) -> Result<()> {
    let ids = ids.iter().map(|(name, id)| (*name, id.to_string())).collect();
    let event = Event { kind, ids, patch: text(kind, patch)? };
    for (_, follow) in followers.iter().filter(|(of, _)| *of == kind) {
        follow(tx, &event)?;
    }
    tx.at_end::<Pending>().0.push(event);
    Ok(())
}

/// The events of a transaction. They are numbered last of all, because the tenant's counter stays locked from there to the commit.
#[derive(Default)]
struct Pending(Vec<Event>);

impl AtEnd for Pending {
    fn finish(self: Box<Self>, tx: &mut TenantTx) -> Result<()> {
        store::add(tx, &self.0)
    }

    fn any(&mut self) -> &mut dyn Any {
        self
    }

    fn last(&self) -> bool {
        true
    }
}
