//! The rows of people, and of who is where; those of sign-ins, invitations and API keys are in `store/`. Who signs in is found across all
//! tenants; a team is one tenant's.
mod invitations;
mod keys;
mod sign_ins;

use super::desk::Desk;
use crate::{
    Error, Result,
    clock::Time,
    db::{SystemRead, SystemTx, TenantRead, TenantTx},
    http::{
        Role,
        who::{SignInId, UserId},
    },
    id::TenantId,
};

pub use invitations::InvitationId;
pub(super) use invitations::{Invitation, get_invited, invitations, invite, sweep_invitations, take_back};
pub(super) use keys::{ApiKey, KnownKey, NewKey, add_key, find_key, find_key_by_id, keys, remove_key, touch_key};
pub(super) use sign_ins::{
    Browser, Rotated, SignIn, add_sign_in, end_sign_in, find_known, find_sign_in, move_sign_in, rotate, sign_ins,
    sweep_sign_ins, touch_sign_in,
};

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
