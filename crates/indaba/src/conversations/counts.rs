//! How many conversations are open and unread, by assignee: kept by the transactions that change one, written as their last but one
//! statement, because everyone who changes a conversation of the tenant queues for the row.
use super::{Conversation, State, store};
use crate::{
    Result,
    db::{AtEnd, TenantTx},
    http::who::UserId,
};
use std::{any::Any, collections::BTreeMap};

/// What the views' badges say.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, utoipa::ToSchema)]
#[schema(as = ConversationCounts)]
pub struct Counts {
    /// Open ones.
    pub open: i64,
    /// Open ones with unread messages.
    pub unread: i64,
    /// Open ones that nobody has taken.
    pub unassigned: i64,
    /// Open ones of the person who asks.
    pub mine: i64,
}

#[derive(Default)]
struct Pending(BTreeMap<UserId, (i64, i64)>);

impl Counts {
    /// This conversation counts from now on.
    pub(super) fn add(tx: &mut TenantTx, of: &Conversation) {
        note(tx, of, 1);
    }

    /// As it was, it counts no longer.
    pub(super) fn remove(tx: &mut TenantTx, of: &Conversation) {
        note(tx, of, -1);
    }
}

fn note(tx: &mut TenantTx, of: &Conversation, by: i64) {
    if of.state == State::Open {
        let assignee = of.assignee_id.unwrap_or(UserId::NIL);
        let (open, unread) = tx.at_end::<Pending>().0.entry(assignee).or_default();
        *open += by;
        *unread += if of.unread_count > 0 { by } else { 0 };
    }
}

impl AtEnd for Pending {
    fn finish(self: Box<Self>, tx: &mut TenantTx) -> Result<()> {
        let changed: Vec<(UserId, i64, i64)> = self
            .0
            .into_iter()
            .filter(|(_, change)| *change != (0, 0))
            .map(|(assignee, (open, unread))| (assignee, open, unread))
            .collect();
        store::count(tx, &changed)
    }

    fn any(&mut self) -> &mut dyn Any {
        self
    }
}
