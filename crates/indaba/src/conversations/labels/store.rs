//! All SQL of labels.
use super::{Colour, LabelId};
use crate::{
    Result,
    clock::Time,
    conversations::{Conversation, ConversationId},
    db::{Arg, TenantRead, TenantTx},
};

row! {
    /// A label as its row says.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Label { pub id: LabelId, pub name: String, pub folded: String, pub colour: Colour, pub created_at: Time }
}

pub fn get(tx: &mut TenantRead, id: LabelId) -> Result<Label> {
    tx.get(
        "select id, name, folded, colour, created_at from labels where tenant_id = $1 and id = $2 and deleted_at is null",
        args![id],
    )
}

pub fn find(tx: &mut TenantRead, folded: &str) -> Result<Option<Label>> {
    tx.find(
        "select id, name, folded, colour, created_at from labels where tenant_id = $1 and folded = $2 and deleted_at is null",
        args![folded],
    )
}

/// One page, by name.
pub fn page(tx: &mut TenantRead, after: &str, rows: i64) -> Result<Vec<Label>> {
    tx.all(
        "select id, name, folded, colour, created_at from labels
          where tenant_id = $1 and folded > $2 and deleted_at is null
          order by folded limit $3",
        args![after, rows],
    )
}

/// How many there are; there are never many.
pub fn count(tx: &mut TenantRead) -> Result<i64> {
    tx.get("select count(*) from labels where tenant_id = $1 and deleted_at is null", args![]).map(|(n,)| n)
}

pub fn insert(tx: &mut TenantTx, label: &Label) -> Result<()> {
    tx.run(
        "insert into labels (tenant_id, id, name, folded, colour, created_at) values ($1, $2, $3, $4, $5, $6)",
        args![label.id, label.name, label.folded, label.colour, label.created_at],
    )
    .map(drop)
}

pub fn update(tx: &mut TenantTx, label: &Label) -> Result<()> {
    tx.run(
        "update labels set name = $3, folded = $4, colour = $5 where tenant_id = $1 and id = $2 and deleted_at is null",
        args![label.id, label.name, label.folded, label.colour],
    )
    .map(drop)
}

pub fn delete(tx: &mut TenantTx, id: LabelId) -> Result<()> {
    let now = tx.now();
    tx.run("update labels set deleted_at = $3 where tenant_id = $1 and id = $2", args![id, now]).map(drop)
}

/// The row itself goes, when nothing carries the label any more.
pub fn forget(tx: &mut TenantTx, id: LabelId) -> Result<()> {
    tx.run("delete from labels where tenant_id = $1 and id = $2 and deleted_at is not null", args![id]).map(drop)
}

/// Those of these ids that are labels, held: none of them is deleted before this transaction ends.
pub fn hold(tx: &mut TenantTx, ids: &[LabelId]) -> Result<Vec<LabelId>> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    let found: Vec<(LabelId,)> = tx.all_for(
        "select id from labels where tenant_id = $1 and id = $2 and deleted_at is null for no key update",
        ids.iter().map(|id| [id.arg()]),
    )?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

/// Some conversations that carry the label.
pub fn carriers(tx: &mut TenantRead, id: LabelId, rows: i64) -> Result<Vec<ConversationId>> {
    let found: Vec<(ConversationId,)> = tx.all(
        "select conversation_id from conversation_labels where tenant_id = $1 and label_id = $2 limit $3",
        args![id, rows],
    )?;
    Ok(found.into_iter().map(|(id,)| id).collect())
}

pub fn put_on(tx: &mut TenantTx, pairs: &[(&Conversation, LabelId)]) -> Result<()> {
    tx.insert_only(
        "insert into conversation_labels (tenant_id, conversation_id, label_id, state, last_message_at)
         values ($1, $2, $3, $4, $5) on conflict do nothing",
        pairs.iter().map(|(of, label)| [of.id.arg(), label.arg(), of.state.arg(), of.last_message_at.arg()]),
    )
    .map(drop)
}

pub fn take_off(tx: &mut TenantTx, pairs: &[(ConversationId, LabelId)]) -> Result<()> {
    tx.run_for(
        "delete from conversation_labels where tenant_id = $1 and conversation_id = $2 and label_id = $3",
        pairs.iter().map(|(of, label)| [of.arg(), label.arg()]),
    )
    .map(drop)
}

/// The conversations stand elsewhere in the lists now.
pub fn moved(tx: &mut TenantTx, conversations: &[&Conversation]) -> Result<()> {
    tx.run_for(
        "update conversation_labels set state = $3, last_message_at = $4 where tenant_id = $1 and conversation_id = $2",
        conversations.iter().map(|of| [of.id.arg(), of.state.arg(), of.last_message_at.arg()]),
    )
    .map(drop)
}

/// The conversation is part of another now, which carries its labels.
pub fn clear(tx: &mut TenantTx, of: ConversationId) -> Result<()> {
    tx.run("delete from conversation_labels where tenant_id = $1 and conversation_id = $2", args![of]).map(drop)
}
