//! The routes of people: getting in (`auth`), oneself (`me`, `desk`), the team, and keys.
mod auth;
mod desk;
mod keys;
mod me;
mod team;

use super::{
    store::{self, Browser, Membership, User},
    tokens::{ACCESS_LASTS, Claims, REFRESH_LASTS, Refresh},
};
use crate::{
    Error, Result,
    app::App,
    http::{
        Json, Role,
        client::Client,
        who::{ACCESS, REFRESH, UserId},
    },
    id::TenantId,
    tenants::{self, TenantView},
};
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;

/// This room's routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(auth::routes())
        .merge(me::routes())
        .merge(desk::routes())
        .merge(team::routes())
        .merge(keys::routes())
}

/// Who is signed in, and where.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Session {
    user: SessionUser,
    tenant: TenantView,
    role: Role,
    /// Every workspace this person is in.
    tenants: Vec<SessionTenant>,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct SessionUser {
    id: UserId,
    email: String,
    name: String,
}

#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct SessionTenant {
    id: TenantId,
    name: String,
    slug: String,
    role: Role,
}

impl From<Membership> for SessionTenant {
    fn from(of: Membership) -> SessionTenant {
        SessionTenant { id: of.id, name: of.name, slug: of.slug, role: of.role }
    }
}

/// Looks up the person and the tenants they are in. Errors: `Unauthorized` if `tenant` is none of them.
async fn session(app: &App, user: UserId, tenant: TenantId) -> Result<(User, Session)> {
    let (user, all) = app
        .db
        .system_read("show a session", move |tx| Ok((store::get_user(tx, user)?, store::memberships(tx, user)?)))
        .await?;
    let own = app.db.read(tenant, tenants::get).await?;
    let role = all.iter().find(|of| of.id == tenant).ok_or(Error::Unauthorized)?.role;
    let told = SessionUser { id: user.id, email: user.email.clone(), name: user.name.clone() };
    let tenants = all.into_iter().map(SessionTenant::from).collect();
    Ok((user, Session { user: told, tenant: own.into(), role, tenants }))
}

/// The answer that signs a browser in: the session and its cookies.
async fn signed_in(
    app: &App,
    client: &Client,
    status: StatusCode,
    user: UserId,
    tenant: TenantId,
    refresh: &Refresh,
) -> Result<Response> {
    let (user, session) = session(app, user, tenant).await?;
    let claims = Claims::new(user.id, refresh.sign_in, tenant, user.auth_version, app.clock.now());
    let mut headers = HeaderMap::new();
    set_cookie(&mut headers, client, ACCESS, &claims.sign(&app.secrets)?, "/", ACCESS_LASTS.as_secs());
    set_cookie(&mut headers, client, REFRESH, &refresh.text(&app.secrets), "/api/auth", REFRESH_LASTS.as_secs());
    Ok((status, headers, Json(session)).into_response())
}

/// A new access token for a sign-in that goes on: what it may do, or where, has changed.
async fn access_again(app: &App, client: &Client, claims: Claims) -> Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    set_cookie(&mut headers, client, ACCESS, &claims.sign(&app.secrets)?, "/", ACCESS_LASTS.as_secs());
    Ok(headers)
}

/// Takes both cookies away.
fn forget_cookies(client: &Client) -> HeaderMap {
    let mut headers = HeaderMap::new();
    set_cookie(&mut headers, client, ACCESS, "", "/", 0);
    set_cookie(&mut headers, client, REFRESH, "", "/api/auth", 0);
    headers
}

fn set_cookie(headers: &mut HeaderMap, client: &Client, name: &str, value: &str, path: &str, seconds: u64) {
    let secure = if client.tls { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    headers.append(header::SET_COOKIE, HeaderValue::try_from(text).expect("tokens are plain"));
}

fn browser(client: &Client) -> Browser {
    Browser { user_agent: client.user_agent.clone(), ip: client.ip.to_string() }
}
