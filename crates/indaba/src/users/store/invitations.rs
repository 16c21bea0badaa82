//! The rows of people who were asked to join.
use crate::{
    Result,
    clock::Time,
    db::{SystemRead, SystemTx, TenantRead, TenantTx},
    http::Role,
    id::TenantId,
    users::tokens::{REFRESH_LASTS, hash},
};

id! {
    /// An invitation.
    InvitationId, "inv"
}

row! {
    /// Somebody who was asked to join.
    pub struct Invitation {
        pub id: InvitationId,
        pub email: String,
        pub role: Role,
        pub created_at: Time,
        pub expires_at: Time,
    }
}

/// Invites, or invites again: the former invitation to the same address no longer works.
pub fn invite(tx: &mut TenantTx, email: &str, role: Role, token_hash: &[u8], until: Time) -> Result<Invitation> {
    let now = tx.now();
    tx.get(
        "insert into invitations (tenant_id, id, email, role, token_hash, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant_id, email) do update
            set id = excluded.id, role = excluded.role, token_hash = excluded.token_hash, created_at = excluded.created_at, expires_at = excluded.expires_at
         returning id, email, role, created_at, expires_at",
        args![InvitationId::at(now), email, role, token_hash, now, until],
    )
}

pub fn invitations(tx: &mut TenantRead, before: InvitationId, limit: i64) -> Result<Vec<Invitation>> {
    tx.all(
        "select id, email, role, created_at, expires_at from invitations
          where tenant_id = $1 and id < $2 order by id desc limit $3",
        args![before, limit],
    )
}

pub fn take_back(tx: &mut TenantTx, id: InvitationId) -> Result<Invitation> {
    tx.get(
        "delete from invitations where tenant_id = $1 and id = $2 returning id, email, role, created_at, expires_at",
        args![id],
    )
}

row! {
    /// An invitation, found by its token.
    pub struct Invited {
        pub tenant_id: TenantId,
        pub tenant_name: String,
        pub id: InvitationId,
        pub email: String,
        pub role: Role,
    }
}

/// The invitation that this token opens. Errors: `Missing`, also when it is too late.
pub fn get_invited(tx: &mut SystemRead, token: &str) -> Result<Invited> {
    let now = tx.now();
    tx.get(
        "select i.tenant_id, t.name as tenant_name, i.id, i.email, i.role
           from invitations i join tenants t on t.id = i.tenant_id
          where i.token_hash = $1 and i.expires_at > $2 and t.suspended_at is null",
        args![hash(token), now],
    )
}

/// Forgets invitations that lapsed a month ago, at most 500 at a time.
pub fn sweep_invitations(tx: &mut SystemTx) -> Result<u64> {
    let before = tx.now() - REFRESH_LASTS;
    tx.run(
        "delete from invitations where token_hash in (select token_hash from invitations where expires_at <= $1 limit 500)",
        args![before],
    )
}
