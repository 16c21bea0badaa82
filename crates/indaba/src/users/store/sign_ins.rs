//! The rows of browsers that are signed in.
use crate::{
    Result,
    clock::Time,
    db::{SystemRead, SystemTx},
    http::{
        Role,
        who::{SignInId, UserId},
    },
    id::TenantId,
    secrets::Secrets,
    users::tokens::{GRACE, REFRESH_LASTS, Refresh},
};

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

pub struct Browser {
    pub user_agent: String,
    pub ip: String,
}

pub fn add_sign_in(
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

pub fn find_sign_in(tx: &mut SystemRead, id: SignInId) -> Result<Option<SignIn>> {
    tx.find(
        "select id, user_id, tenant_id, token_hash, former_hash, rotated_at, user_agent, ip, created_at, last_used_at, expires_at
           from sign_ins where id = $1",
        args![id],
    )
}

/// What becomes of a refresh token that was shown.
pub enum Rotated {
    /// It was the one in use (or the one just before, within the grace): the next one is good now.
    Next(SignIn, Refresh),
    /// An old one of ours: somebody has a copy. The sign-in was ended.
    Reused(SignIn),
    /// Signed out, or expired.
    Ended,
}

/// Changes the refresh token for the next. Of two tabs that come at once the second is given what the first was.
pub fn rotate(tx: &mut SystemTx, token: &Refresh, secrets: &Secrets) -> Result<Rotated> {
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

pub fn move_sign_in(tx: &mut SystemTx, id: SignInId, to: TenantId) -> Result<()> {
    tx.run("update sign_ins set tenant_id = $2 where id = $1", args![id, to]).map(drop)
}

/// Ends one; false: it is not (or no longer) one of this person's.
pub fn end_sign_in(tx: &mut SystemTx, user: UserId, id: SignInId) -> Result<bool> {
    let ended = tx.run("delete from sign_ins where user_id = $1 and id = $2", args![user, id])?;
    tx.ring("auth", user);
    Ok(ended == 1)
}

pub fn sign_ins(tx: &mut SystemRead, user: UserId, before: SignInId, limit: i64) -> Result<Vec<SignIn>> {
    tx.all(
        "select id, user_id, tenant_id, token_hash, former_hash, rotated_at, user_agent, ip, created_at, last_used_at, expires_at
           from sign_ins where user_id = $1 and id < $2 order by id desc limit $3",
        args![user, before, limit],
    )
}

/// Forgets sign-ins that nobody came back to, at most 500 at a time.
pub fn sweep_sign_ins(tx: &mut SystemTx) -> Result<u64> {
    let now = tx.now();
    tx.run("delete from sign_ins where id in (select id from sign_ins where expires_at <= $1 limit 500)", args![now])
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
pub fn find_known(tx: &mut SystemRead, sign_in: SignInId, tenant: TenantId) -> Result<Option<Known>> {
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

pub fn touch_sign_in(tx: &mut SystemTx, id: SignInId) -> Result<()> {
    let now = tx.now();
    tx.run("update sign_ins set last_used_at = $2 where id = $1 and last_used_at < $2", args![id, now]).map(drop)
}
