//! All SQL of quick replies.
use super::{QuickReply, QuickReplyId};
use crate::{
    Result,
    db::{TenantRead, TenantTx},
    http::who::UserId,
};

/// Everybody's and this person's, by shortcut.
pub fn page(
    tx: &mut TenantRead,
    of: UserId,
    (shortcut, id): (&str, QuickReplyId),
    rows: i64,
) -> Result<Vec<QuickReply>> {
    tx.all(
        "select id, owner_id, shortcut, title, body, media_id, uses, created_at, updated_at
           from quick_replies
          where tenant_id = $1 and owner_id in ($2, $3) and (shortcut, id) > ($4, $5)
          order by shortcut, id
          limit $6",
        args![UserId::NIL, of, shortcut, id, rows],
    )
}

pub fn get(tx: &mut TenantRead, of: UserId, id: QuickReplyId) -> Result<QuickReply> {
    tx.get(
        "select id, owner_id, shortcut, title, body, media_id, uses, created_at, updated_at
           from quick_replies
          where tenant_id = $1 and id = $2 and owner_id in ($3, $4)",
        args![id, UserId::NIL, of],
    )
}

pub fn by_shortcut(tx: &mut TenantRead, owner: UserId, shortcut: &str) -> Result<Option<QuickReplyId>> {
    let found: Option<(QuickReplyId,)> = tx.find(
        "select id from quick_replies where tenant_id = $1 and owner_id = $2 and shortcut = $3",
        args![owner, shortcut],
    )?;
    Ok(found.map(|(id,)| id))
}

pub fn count(tx: &mut TenantRead, owner: UserId) -> Result<i64> {
    let (count,) = tx.get("select count(*) from quick_replies where tenant_id = $1 and owner_id = $2", args![owner])?;
    Ok(count)
}

/// False: its shortcut is taken.
pub fn add(tx: &mut TenantTx, new: &QuickReply) -> Result<bool> {
    let QuickReply { id, owner_id, shortcut, title, body, media_id, uses, created_at, updated_at } = new;
    let done = tx.run(
        "insert into quick_replies (tenant_id, id, owner_id, shortcut, title, body, media_id, uses, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
         on conflict (tenant_id, owner_id, shortcut) do nothing",
        args![id, owner_id, shortcut, title, body, media_id, uses, created_at, updated_at],
    )?;
    Ok(done > 0)
}

/// False: it is gone.
pub fn save(tx: &mut TenantTx, of: &QuickReply) -> Result<bool> {
    let done = tx.run(
        "update quick_replies set owner_id = $3, shortcut = $4, title = $5, body = $6, media_id = $7, updated_at = $8
          where tenant_id = $1 and id = $2",
        args![of.id, of.owner_id, of.shortcut, of.title, of.body, of.media_id, of.updated_at],
    )?;
    Ok(done > 0)
}

pub fn remove(tx: &mut TenantTx, id: QuickReplyId) -> Result<()> {
    tx.run("delete from quick_replies where tenant_id = $1 and id = $2", args![id]).map(drop)
}

pub fn count_use(tx: &mut TenantTx, of: UserId, id: QuickReplyId) -> Result<()> {
    tx.run(
        "update quick_replies set uses = uses + 1 where tenant_id = $1 and id = $2 and owner_id in ($3, $4)",
        args![id, UserId::NIL, of],
    )
    .map(drop)
}
