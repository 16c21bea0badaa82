//! The rows of people, sign-ins, invitations and API keys. Who signs in is found across all tenants; a team is one tenant's.
use super::{
    desk::Desk,
    tokens::{GRACE, REFRESH_LASTS, Refresh},
};
use crate::{
    Error, Result,
    clock::Time,
    db::{SystemRead, SystemTx, TenantRead, TenantTx},
    http::{
        Role,
        who::{ApiKeyId, SignInId, UserId},
    },
    id::TenantId,
    secrets::Secrets,
};

id! {
    /// An invitation.
    InvitationId, "inv"
}

row! {
    /// A person.
    pub struct User {
        pub id: UserId,
        pub email: String,
        pub name: String,
        pub password_hash: Option<String>,
        pub auth_version: i64,
        pub operator: bool,
    }
}

row! {
    /// A tenant that somebody is in.
    pub struct Membership {
        pub id: TenantId,
        pub name: String,
        pub slug: String,
        pub role: Role,
    }
}

row! {
    /// One of a team.
    pub struct Member {
        pub id: UserId,
        pub name: String,
        pub email: String,
        pub role: Role,
        pub created_at: Time,
        pub away: bool,
        pub idle_minutes: i64,
        pub active_at: Time,
    }
}

row! {
    /// A browser that is signed in.
    pub struct SignIn {
        pub id: SignInId,
        pub user_id: UserId,
        pub tenant_id: TenantId,
        pub token_hash: Vec<u8>,
        pub former_hash: Option<Vec<u8>>,
        pub rotated_at: Time,
        pub user_agent: String,
        pub ip: String,
        pub created_at: Time,
        pub last_used_at: Time,
        pub expires_at: Time,
    }
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

row! {
    /// A key for programs.
    pub struct ApiKey {
        pub id: ApiKeyId,
        pub name: String,
        pub prefix: String,
        pub role: Role,
        /// JSON
        pub scopes: String,
        pub created_at: Time,
        pub expires_at: Option<Time>,
        pub last_used_at: Option<Time>,
    }
}

// ---- people

/// Adds a person. Errors: 409 for an e-mail that somebody has.
pub(super) fn add_user(tx: &mut SystemTx, email: &str, name: &str, password_hash: &str) -> Result<User> {
    let now = tx.now();
    tx.find(
        "insert into users (id, email, name, password_hash, created_at) values ($1, $2, $3, $4, $5)
         on conflict (email) do nothing returning id, email, name, password_hash, auth_version, operator",
        args![UserId::at(now), email, name, password_hash, now],
    )?
    .ok_or_else(|| Error::conflict("email-taken", "This e-mail is taken", "Sign in with it, or use another."))
}

/// Whether anybody has signed up here yet: the first person needs no invitation.
pub(super) fn has_people(tx: &mut SystemRead) -> Result<bool> {
    Ok(tx.find::<(UserId,)>("select id from users limit 1", args![])?.is_some())
}

pub(super) fn find_user_by_email(tx: &mut SystemRead, email: &str) -> Result<Option<User>> {
    tx.find("select id, email, name, password_hash, auth_version, operator from users where email = $1", args![email])
}

pub(super) fn get_user(tx: &mut SystemRead, id: UserId) -> Result<User> {
    tx.get("select id, email, name, password_hash, auth_version, operator from users where id = $1", args![id])
}

pub(super) fn rename_user(tx: &mut SystemTx, id: UserId, name: &str) -> Result<()> {
    tx.run("update users set name = $2 where id = $1", args![id, name]).map(drop)
}

/// Everything signed for this person so far ends, here and on the other nodes.
pub(super) fn end_all(tx: &mut SystemTx, user: UserId, but: Option<SignInId>) -> Result<()> {
    tx.run("update users set auth_version = auth_version + 1 where id = $1", args![user])?;
    tx.run("delete from sign_ins where user_id = $1 and id <> $2", args![user, but.unwrap_or(SignInId::NIL)])?;
    tx.ring("auth", user);
    Ok(())
}

pub(super) fn set_password(tx: &mut SystemTx, user: UserId, hash: &str) -> Result<()> {
    tx.run("update users set password_hash = $2 where id = $1", args![user, hash]).map(drop)
}

/// Makes somebody the operator, or no longer. False: there is no such person.
pub(super) fn set_operator(tx: &mut SystemTx, email: &str, operator: bool) -> Result<bool> {
    tx.ring("auth", "");
    Ok(tx.run("update users set operator = $2 where email = $1", args![email, operator])? == 1)
}

// ---- who is where

pub(super) fn memberships(tx: &mut SystemRead, user: UserId) -> Result<Vec<Membership>> {
    tx.all(
        "select t.id, t.name, t.slug, m.role from memberships m join tenants t on t.id = m.tenant_id
          where m.user_id = $1 and t.suspended_at is null order by t.name, t.id",
        args![user],
    )
}

/// Where this person was at work last.
pub(super) fn last_tenant(tx: &mut SystemRead, user: UserId) -> Result<Option<TenantId>> {
    let last: Option<(TenantId,)> = tx.find(
        "select tenant_id from sign_ins where user_id = $1 order by last_used_at desc, id desc limit 1",
        args![user],
    )?;
    Ok(last.map(|(id,)| id))
}

/// Adds somebody to this tenant. False: they are in it already.
pub(super) fn join(tx: &mut TenantTx, user: UserId, role: Role) -> Result<bool> {
    let now = tx.now();
    let added = tx.run(
        "insert into memberships (tenant_id, user_id, role, created_at) values ($1, $2, $3, $4) on conflict do nothing",
        args![user, role, now],
    )?;
    Ok(added == 1)
}

pub(super) fn team(tx: &mut TenantRead, after: UserId, limit: i64) -> Result<Vec<Member>> {
    tx.all(
        "select u.id, u.name, u.email, m.role, m.created_at, m.away, m.idle_minutes, m.active_at
           from memberships m join users u on u.id = m.user_id
          where m.tenant_id = $1 and m.user_id > $2
          order by m.user_id
          limit $3",
        args![after, limit],
    )
}

pub(super) fn get_member(tx: &mut TenantRead, user: UserId) -> Result<Member> {
    tx.get(
        "select u.id, u.name, u.email, m.role, m.created_at, m.away, m.idle_minutes, m.active_at
           from memberships m join users u on u.id = m.user_id
          where m.tenant_id = $1 and m.user_id = $2",
        args![user],
    )
}

pub(super) fn has_email(tx: &mut TenantRead, email: &str) -> Result<bool> {
    let found: Option<(UserId,)> = tx.find(
        "select m.user_id from memberships m join users u on u.id = m.user_id where m.tenant_id = $1 and u.email = $2",
        args![email],
    )?;
    Ok(found.is_some())
}

pub(super) fn admins_besides(tx: &mut TenantRead, user: UserId) -> Result<i64> {
    let (count,): (i64,) = tx.get(
        "select count(*) from memberships where tenant_id = $1 and role = 'admin' and user_id <> $2",
        args![user],
    )?;
    Ok(count)
}

pub(super) fn set_role(tx: &mut TenantTx, user: UserId, role: Role) -> Result<()> {
    tx.run("update memberships set role = $3 where tenant_id = $1 and user_id = $2", args![user, role])?;
    tx.ring("auth", user);
    Ok(())
}

pub(super) fn leave(tx: &mut TenantTx, user: UserId) -> Result<()> {
    tx.run("delete from memberships where tenant_id = $1 and user_id = $2", args![user])?;
    tx.run("delete from sign_ins where tenant_id = $1 and user_id = $2", args![user])?;
    tx.ring("auth", user);
    Ok(())
}

pub(super) fn desk(tx: &mut TenantRead, user: UserId) -> Result<Desk> {
    tx.get(
        "select away, idle_minutes, active_at, alerts, quiet, quiet_from, quiet_until
           from memberships where tenant_id = $1 and user_id = $2",
        args![user],
    )
}

pub(super) fn set_desk(tx: &mut TenantTx, user: UserId, to: &Desk) -> Result<()> {
    tx.run(
        "update memberships
            set away = $3, idle_minutes = $4, active_at = $5, alerts = $6, quiet = $7, quiet_from = $8, quiet_until = $9
          where tenant_id = $1 and user_id = $2",
        args![user, to.away, to.idle_minutes, to.active_at, to.alerts, to.quiet, to.quiet_from, to.quiet_until],
    )
    .map(drop)
}

/// Notes that somebody has just done something, unless that was noted after `before`: whether they say that they are away, and after how
/// many idle minutes they are.
pub(super) fn set_active(tx: &mut TenantTx, user: UserId, before: Time) -> Result<Option<(bool, i64)>> {
    let now = tx.now();
    tx.find(
        "update memberships set active_at = $3 where tenant_id = $1 and user_id = $2 and active_at <= $4
         returning away, idle_minutes",
        args![user, now, before],
    )
}

// ---- sign-ins

pub(super) struct Browser {
    pub user_agent: String,
    pub ip: String,
}

pub(super) fn add_sign_in(
    tx: &mut SystemTx,
    user: UserId,
    tenant: TenantId,
    token: &Refresh,
    browser: &Browser,
) -> Result<()> {
    let now = tx.now();
    tx.run(
        "insert into sign_ins (id, user_id, tenant_id, token_hash, rotated_at, user_agent, ip, created_at, last_used_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $5, $5, $8)",
        args![token.sign_in, user, tenant, token.hash(), now, browser.user_agent, browser.ip, now + REFRESH_LASTS],
    )
    .map(drop)
}

pub(super) fn find_sign_in(tx: &mut SystemRead, id: SignInId) -> Result<Option<SignIn>> {
    tx.find(
        "select id, user_id, tenant_id, token_hash, former_hash, rotated_at, user_agent, ip, created_at, last_used_at, expires_at
           from sign_ins where id = $1",
        args![id],
    )
}

/// What becomes of a refresh token that was shown.
pub(super) enum Rotated {
    /// It was the one in use (or the one just before, within the grace): the next one is good now.
    Next(SignIn, Refresh),
    /// An old one of ours: somebody has a copy. The sign-in was ended.
    Reused(SignIn),
    /// Signed out, or expired.
    Ended,
}

/// Changes the refresh token for the next. Of two tabs that come at once the second is given what the first was.
pub(super) fn rotate(tx: &mut SystemTx, token: &Refresh, secrets: &Secrets) -> Result<Rotated> {
    let (now, next) = (tx.now(), token.next(secrets));
    let rotated = tx.run(
        "update sign_ins set token_hash = $3, former_hash = $2, rotated_at = $4, last_used_at = $4, expires_at = $5
          where id = $1 and token_hash = $2 and expires_at > $4",
        args![token.sign_in, token.hash(), next.hash(), now, now + REFRESH_LASTS],
    )?;
    let Some(known) = find_sign_in(tx, token.sign_in)? else { return Ok(Rotated::Ended) };
    if rotated == 1 {
        return Ok(Rotated::Next(known, next));
    }
    if known.expires_at <= now {
        return Ok(Rotated::Ended);
    }
    if known.former_hash == Some(token.hash())
        && known.token_hash == next.hash()
        && now.since(known.rotated_at) <= GRACE
    {
        return Ok(Rotated::Next(known, next));
    }
    end_sign_in(tx, known.user_id, known.id)?;
    Ok(Rotated::Reused(known))
}

pub(super) fn move_sign_in(tx: &mut SystemTx, id: SignInId, to: TenantId) -> Result<()> {
    tx.run("update sign_ins set tenant_id = $2 where id = $1", args![id, to]).map(drop)
}

/// Ends one; false: it is not (or no longer) one of this person's.
pub(super) fn end_sign_in(tx: &mut SystemTx, user: UserId, id: SignInId) -> Result<bool> {
    let ended = tx.run("delete from sign_ins where user_id = $1 and id = $2", args![user, id])?;
    tx.ring("auth", user);
    Ok(ended == 1)
}

pub(super) fn sign_ins(tx: &mut SystemRead, user: UserId, before: SignInId, limit: i64) -> Result<Vec<SignIn>> {
    tx.all(
        "select id, user_id, tenant_id, token_hash, former_hash, rotated_at, user_agent, ip, created_at, last_used_at, expires_at
           from sign_ins where user_id = $1 and id < $2 order by id desc limit $3",
        args![user, before, limit],
    )
}

/// Forgets sign-ins that nobody came back to, at most 500 at a time.
pub(super) fn sweep_sign_ins(tx: &mut SystemTx) -> Result<u64> {
    let now = tx.now();
    tx.run("delete from sign_ins where id in (select id from sign_ins where expires_at <= $1 limit 500)", args![now])
}

/// Forgets invitations that lapsed a month ago, at most 500 at a time.
pub(super) fn sweep_invitations(tx: &mut SystemTx) -> Result<u64> {
    let before = tx.now() - REFRESH_LASTS;
    tx.run(
        "delete from invitations where token_hash in (select token_hash from invitations where expires_at <= $1 limit 500)",
        args![before],
    )
}

row! {
    /// What is asked about a sign-in at each request.
    pub struct Known {
        pub user_id: UserId,
        pub name: String,
        pub auth_version: i64,
        pub operator: bool,
        pub role: Role,
        pub last_used_at: Time,
        pub expires_at: Time,
    }
}

/// The person behind a sign-in, as they are in this tenant; none when either has ended.
pub(super) fn find_known(tx: &mut SystemRead, sign_in: SignInId, tenant: TenantId) -> Result<Option<Known>> {
    tx.find(
        "select s.user_id, u.name, u.auth_version, u.operator, m.role, s.last_used_at, s.expires_at
           from sign_ins s
           join users u on u.id = s.user_id
           join memberships m on m.user_id = s.user_id and m.tenant_id = $2
           join tenants t on t.id = m.tenant_id
          where s.id = $1 and t.suspended_at is null",
        args![sign_in, tenant],
    )
}

pub(super) fn touch_sign_in(tx: &mut SystemTx, id: SignInId) -> Result<()> {
    let now = tx.now();
    tx.run("update sign_ins set last_used_at = $2 where id = $1 and last_used_at < $2", args![id, now]).map(drop)
}

// ---- invitations

/// Invites, or invites again: the former invitation to the same address no longer works.
pub(super) fn invite(tx: &mut TenantTx, email: &str, role: Role, token_hash: &[u8], until: Time) -> Result<Invitation> {
    let now = tx.now();
    tx.get(
        "insert into invitations (tenant_id, id, email, role, token_hash, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant_id, email) do update
            set id = excluded.id, role = excluded.role, token_hash = excluded.token_hash, created_at = excluded.created_at, expires_at = excluded.expires_at
         returning id, email, role, created_at, expires_at",
        args![InvitationId::at(now), email, role, token_hash, now, until],
    )
}

pub(super) fn invitations(tx: &mut TenantRead, before: InvitationId, limit: i64) -> Result<Vec<Invitation>> {
    tx.all(
        "select id, email, role, created_at, expires_at from invitations
          where tenant_id = $1 and id < $2 order by id desc limit $3",
        args![before, limit],
    )
}

pub(super) fn take_back(tx: &mut TenantTx, id: InvitationId) -> Result<Invitation> {
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
pub(super) fn get_invited(tx: &mut SystemRead, token: &str) -> Result<Invited> {
    let now = tx.now();
    tx.get(
        "select i.tenant_id, t.name as tenant_name, i.id, i.email, i.role
           from invitations i join tenants t on t.id = i.tenant_id
          where i.token_hash = $1 and i.expires_at > $2 and t.suspended_at is null",
        args![super::tokens::hash(token), now],
    )
}

// ---- API keys

pub(super) struct NewKey {
    pub name: String,
    pub prefix: String,
    pub hash: Vec<u8>,
    pub role: Role,
    pub scopes: String,
    pub expires_at: Option<Time>,
}

pub(super) fn add_key(tx: &mut TenantTx, new: &NewKey) -> Result<ApiKey> {
    let now = tx.now();
    tx.get(
        "insert into api_keys (tenant_id, id, name, prefix, hash, role, scopes, created_at, expires_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         returning id, name, prefix, role, scopes, created_at, expires_at, last_used_at",
        args![ApiKeyId::at(now), new.name, new.prefix, new.hash, new.role, new.scopes, now, new.expires_at],
    )
}

pub(super) fn keys(tx: &mut TenantRead, before: ApiKeyId, limit: i64) -> Result<Vec<ApiKey>> {
    tx.all(
        "select id, name, prefix, role, scopes, created_at, expires_at, last_used_at from api_keys
          where tenant_id = $1 and id < $2 order by id desc limit $3",
        args![before, limit],
    )
}

pub(super) fn remove_key(tx: &mut TenantTx, id: ApiKeyId) -> Result<ApiKey> {
    let removed = tx.get(
        "delete from api_keys where tenant_id = $1 and id = $2
         returning id, name, prefix, role, scopes, created_at, expires_at, last_used_at",
        args![id],
    )?;
    tx.ring("auth", id);
    Ok(removed)
}

row! {
    /// What is asked about a key at each request.
    pub struct KnownKey {
        pub tenant_id: TenantId,
        pub id: ApiKeyId,
        pub name: String,
        pub role: Role,
        pub scopes: String,
        pub expires_at: Option<Time>,
        pub last_used_at: Option<Time>,
    }
}

pub(super) fn find_key(tx: &mut SystemRead, hash: &[u8]) -> Result<Option<KnownKey>> {
    tx.find(
        "select k.tenant_id, k.id, k.name, k.role, k.scopes, k.expires_at, k.last_used_at
           from api_keys k join tenants t on t.id = k.tenant_id
          where k.hash = $1 and t.suspended_at is null",
        args![hash],
    )
}

pub(super) fn find_key_by_id(tx: &mut TenantRead, id: ApiKeyId) -> Result<Option<KnownKey>> {
    tx.find(
        "select k.tenant_id, k.id, k.name, k.role, k.scopes, k.expires_at, k.last_used_at
           from api_keys k join tenants t on t.id = k.tenant_id
          where k.tenant_id = $1 and k.id = $2 and t.suspended_at is null",
        args![id],
    )
}

pub(super) fn touch_key(tx: &mut TenantTx, id: ApiKeyId) -> Result<()> {
    let now = tx.now();
    tx.run("update api_keys set last_used_at = $3 where tenant_id = $1 and id = $2", args![id, now]).map(drop)
}
