//! People: signing up and in, what they may do in a tenant, invitations, and the API keys of programs.
mod desk;
mod http;
mod identify;
pub mod jobs;
mod store;
mod tokens;

pub use crate::http::who::{ApiKeyId, SignInId, UserId};
pub use desk::{Availability, heard_active};
pub use http::routes;
pub use identify::Identities;
pub use store::{InvitationId, Member, User};

use crate::{
    Error, Result, audit,
    db::{SystemTx, TenantRead, TenantTx},
    http::{Actor, Role, Who},
    id::TenantId,
    tenants::{self, NewTenant},
};
use serde_json::json;
use std::sync::Arc;
use store::Browser;
use tokens::Refresh;

/// An e-mail as it is kept and compared: trimmed and in lower case. `None` if it is not written like one.
pub fn fold_email(text: &str) -> Option<String> {
    let folded = text.trim().to_lowercase();
    let (local, domain) = folded.rsplit_once('@')?;
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"@,;<>()[]\"\\".contains(c);
    let labels = domain.split('.').all(|label| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
    });
    let fits = (1..=64).contains(&local.len()) && folded.len() <= 254 && local.chars().all(plain) && labels;
    (fits && domain.contains('.')).then_some(folded)
}

/// One of this tenant's team. Errors: `Missing`.
pub fn get_member(tx: &mut TenantRead, user: UserId) -> Result<Member> {
    store::get_member(tx, user)
}

/// Makes somebody the operator of this installation, or no longer. False: nobody has this e-mail.
pub fn set_operator(tx: &mut SystemTx, email: &str, operator: bool) -> Result<bool> {
    match fold_email(email) {
        Some(email) => store::set_operator(tx, &email, operator),
        None => Ok(false),
    }
}

/// Who signs up, checked and with the password hashed.
#[derive(Clone)]
struct NewUser {
    email: String,
    name: String,
    password_hash: String,
}

/// Makes a person and their tenant, or lets them into the one that invited them.
fn sign_up(
    tx: &mut SystemTx,
    new: &NewUser,
    tenant: Option<&NewTenant>,
    invitation: Option<&str>,
) -> Result<(User, TenantId)> {
    let invited = match invitation {
        Some(token) => Some(store::get_invited(tx, token).map_err(|_| lapsed())?),
        None => None,
    };
    if invited.as_ref().is_some_and(|invited| invited.email != new.email) {
        return Err(Error::field("/email", "is not the one that was invited"));
    }
    let user = store::add_user(tx, &new.email, &new.name, &new.password_hash)?;
    let (tenant, role) = match (invited, tenant) {
        (Some(invited), _) => {
            tx.as_tenant(invited.tenant_id, |tx| store::take_back(tx, invited.id).map(drop))?;
            (invited.tenant_id, invited.role)
        }
        (None, Some(tenant)) => (tenants::create(tx, tenant)?.id, Role::Admin),
        (None, None) => return Err(Error::field("/tenantName", "is missing")),
    };
    let who = person(&user, SignInId::NIL, tenant, role);
    tx.as_tenant(tenant, |tx| {
        store::join(tx, user.id, role)?;
        audit::record(tx, &who, "user.join", &(), &json!({ "id": user.id, "email": user.email, "role": role }))
    })?;
    Ok((user, tenant))
}

fn lapsed() -> Error {
    Error::conflict("invitation-lapsed", "This invitation no longer works", "Ask for a new one.")
}

fn person(user: &User, sign_in: SignInId, tenant: TenantId, role: Role) -> Who {
    let actor = Actor::User { id: user.id, name: user.name.as_str().into(), sign_in };
    Who { tenant, actor, role, operator: user.operator, scopes: Arc::from([]), once: None }
}

/// Begins a sign-in on this browser, in this tenant.
fn begin(tx: &mut SystemTx, user: &User, tenant: TenantId, role: Role, browser: &Browser) -> Result<Refresh> {
    let first = Refresh::first(SignInId::at(tx.now()));
    store::add_sign_in(tx, user.id, tenant, &first, browser)?;
    let who = person(user, first.sign_in, tenant, role);
    let told = json!({ "id": first.sign_in, "ip": browser.ip, "userAgent": browser.user_agent });
    tx.as_tenant(tenant, |tx| audit::record(tx, &who, "sign-in.begin", &(), &told))?;
    Ok(first)
}

/// Lets somebody who has signed up before into the tenant that invited them.
fn accept(tx: &mut SystemTx, user: &User, token: &str) -> Result<TenantId> {
    let invited = store::get_invited(tx, token).map_err(|_| lapsed())?;
    if invited.email != user.email {
        return Err(Error::Forbidden("This invitation is for another e-mail.".into()));
    }
    let who = person(user, SignInId::NIL, invited.tenant_id, invited.role);
    tx.as_tenant(invited.tenant_id, |tx| {
        store::take_back(tx, invited.id)?;
        if store::join(tx, user.id, invited.role)? {
            let told = json!({ "id": user.id, "email": user.email, "role": invited.role });
            audit::record(tx, &who, "user.join", &(), &told)?;
        }
        Ok(())
    })?;
    Ok(invited.tenant_id)
}

/// Gives one of the team another role. Errors: 409 when no admin would be left.
fn change_role(tx: &mut TenantTx, user: UserId, role: Role) -> Result<(Member, Member)> {
    tenants::lock(tx)?; // two admins cannot take the role from each other at once
    let before = store::get_member(tx, user)?;
    if before.role == Role::Admin && role != Role::Admin && store::admins_besides(tx, user)? == 0 {
        return Err(last_admin());
    }
    store::set_role(tx, user, role)?;
    let after = store::get_member(tx, user)?;
    Ok((before, after))
}

/// Takes somebody out of the team; they stay a user. Errors: 409 for the last admin.
fn remove(tx: &mut TenantTx, user: UserId) -> Result<Member> {
    tenants::lock(tx)?;
    let before = store::get_member(tx, user)?;
    if before.role == Role::Admin && store::admins_besides(tx, user)? == 0 {
        return Err(last_admin());
    }
    store::leave(tx, user)?;
    Ok(before)
}

fn last_admin() -> Error {
    Error::conflict("last-admin", "Nobody else is an admin", "Make somebody else an admin first.")
}

/// Whether this is written like a scope: `contacts`, `messages:write`.
fn is_scope(text: &str) -> bool {
    let (room, may) = text.split_once(':').unwrap_or((text, "read"));
    let named = (1..=40).contains(&room.len()) && room.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    named && ["read", "write"].contains(&may)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_email_is_folded_or_refused() {
        assert_eq!(fold_email(" Asha@Example.CO.za ").as_deref(), Some("asha@example.co.za"));
        assert_eq!(fold_email("ÄNNE@bücher.example").as_deref(), Some("änne@bücher.example"));
        let long = format!("{}@example.com", "x".repeat(65));
        for bad in ["", "a", "a@b", "@b.c", "a@", "a b@c.d", "a@b..c", "a@-b.c", "a@b.c,d@e.f", "<a@b.c>", &long] {
            assert_eq!(fold_email(bad), None, "{bad}");
        }
    }
}
