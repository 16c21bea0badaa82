//! The audit log's rows.
use super::AuditId;
use crate::{
    Error, Result,
    clock::Time,
    db::{TenantRead, TenantTx},
    http::Who,
};

row! {
    /// One entry, as it is kept.
    pub struct Entry {
        pub id: AuditId,
        pub actor_kind: String,
        pub actor_id: Option<ActorId>,
        pub actor_name: String,
        pub action: String,
        pub subject_kind: String,
        pub subject_id: Option<String>,
        pub before: Option<String>,
        pub after: Option<String>,
        pub request_id: Option<String>,
        pub created_at: Time,
    }
}

/// A user's or a key's id; the kind beside it says which.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ActorId(pub [u8; 16]);

impl crate::db::Column for ActorId {
    fn column(value: crate::db::Value<'_>) -> Result<ActorId> {
        match value {
            crate::db::Value::Bytes(bytes) => {
                bytes.try_into().map(ActorId).map_err(|_| Error::column("an actor", value))
            }
            other => Err(Error::column("an actor", other)),
        }
    }
}

/// Which entries are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// What was changed: its id as printed.
    pub subject: Option<String>,
    /// Who did it.
    pub actor: Option<[u8; 16]>,
    /// What was done: `conversation.pause`.
    pub action: Option<String>,
}

pub(super) fn add(
    tx: &mut TenantTx,
    who: &Who,
    action: &str,
    subject_kind: &str,
    subject_id: Option<&str>,
    before: Option<&str>,
    after: Option<&str>,
) -> Result<()> {
    let (now, request) = (tx.now(), tx.request());
    let actor = who.actor.id();
    let actor = actor.as_ref().map(|id| &id[..]);
    tx.run(
        "insert into audit_entries (tenant_id, id, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, before, after, request_id, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        args![
            AuditId::at(now),
            who.actor.kind(),
            actor,
            who.actor.name(),
            action,
            subject_kind,
            subject_id,
            before,
            after,
            request.as_deref(),
            now
        ],
    )
    .map(drop)
}

/// One page, newest first; each statement walks the index of the rarest thing asked for.
pub fn page(tx: &mut TenantRead, of: &Filter, before: AuditId, limit: i64) -> Result<Vec<Entry>> {
    let actor = of.actor.as_ref().map(|id| &id[..]);
    match (&of.subject, actor, &of.action) {
        (Some(subject), actor, action) => tx.all(
            "select id, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, before, after, request_id, created_at
               from audit_entries
              where tenant_id = $1 and subject_id = $2 and id < $3
                and ($4::uuid is null or actor_id = $4) and ($5::text is null or action = $5)
              order by id desc limit $6",
            args![subject, before, actor, action, limit],
        ),
        (None, Some(actor), action) => tx.all(
            "select id, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, before, after, request_id, created_at
               from audit_entries
              where tenant_id = $1 and actor_id = $2 and id < $3 and ($4::text is null or action = $4)
              order by id desc limit $5",
            args![actor, before, action, limit],
        ),
        (None, None, Some(action)) => tx.all(
            "select id, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, before, after, request_id, created_at
               from audit_entries
              where tenant_id = $1 and action = $2 and id < $3
              order by id desc limit $4",
            args![action, before, limit],
        ),
        (None, None, None) => tx.all(
            "select id, actor_kind, actor_id, actor_name, action, subject_kind, subject_id, before, after, request_id, created_at
               from audit_entries
              where tenant_id = $1 and id < $2
              order by id desc limit $3",
            args![before, limit],
        ),
    }
}
