//! `/api/me`: what people see and change about themselves.
use super::{Session, access_again, auth::near, forget_cookies, session};
use crate::{
    Error, Result,
    app::App,
    audit,
    clock::Time,
    http::{
        Actor, After, Check, Json, Page, Path, Problem, Viewer, Who,
        client::Client,
        who::{SignInId, UserId},
    },
    id::TenantId,
    passwords,
    users::{
        self,
        store::{self, SignIn},
        tokens::Claims,
    },
};
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(me, change))
        .routes(routes!(password))
        .routes(routes!(switch))
        .routes(routes!(join))
        .routes(routes!(sign_ins, end_all))
        .routes(routes!(end_one))
}

/// Who asks, if it is a person. Errors: 403 for an API key.
pub(super) fn person(who: &Who) -> Result<(UserId, SignInId)> {
    match who.actor {
        Actor::User { id, sign_in, .. } => Ok((id, sign_in)),
        _ => Err(Error::Forbidden("This is for people: an API key has no self.".into())),
    }
}

/// The session, and whether this person runs the installation.
#[derive(Serialize, utoipa::ToSchema)]
struct Me {
    #[serde(flatten)]
    session: Session,
    operator: bool,
}

/// Who is signed in, and where.
#[utoipa::path(get, path = "/api/me", tag = "me", responses((status = 200, body = Me), (status = 401, body = Problem)))]
async fn me(State(app): State<App>, who: Viewer) -> Result<Json<Me>> {
    let (user, _) = person(&who)?;
    let (_, session) = session(&app, user, who.tenant).await?;
    Ok(Json(Me { session, operator: who.operator }))
}

#[derive(Deserialize, utoipa::ToSchema)]
struct MeChange {
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
}

/// Changes one's name.
#[utoipa::path(patch, path = "/api/me", tag = "me", request_body = MeChange,
    responses((status = 200, body = Me), (status = 422, body = Problem)))]
async fn change(State(app): State<App>, who: Viewer, Json(change): Json<MeChange>) -> Result<Json<Me>> {
    let (user, _) = person(&who)?;
    if let Some(name) = change.name {
        Check::default().name(&name, "/name", 80).done()?;
        let by = who.0.clone();
        app.db
            .system("change one's own name", move |tx| {
                let before = store::get_user(tx, user)?;
                store::rename_user(tx, user, name.trim())?;
                tx.ring("auth", user);
                tx.as_tenant(by.tenant, |tx| {
                    let told = |name: &str| json!({ "id": user, "name": name });
                    audit::record(tx, &by, "user.rename", &told(&before.name), &told(name.trim()))
                })
            })
            .await?;
    }
    me(State(app), who).await
}

#[derive(Deserialize, utoipa::ToSchema)]
struct PasswordChange {
    #[schema(format = "password")]
    current: String,
    /// 8 to 1024 bytes, and not one that everybody tries first.
    #[schema(format = "password")]
    new: String,
}

/// Changes one's password. All other browsers are signed out.
#[utoipa::path(put, path = "/api/me/password", tag = "me", request_body = PasswordChange,
    responses((status = 204), (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn password(
    State(app): State<App>,
    who: Viewer,
    client: Client,
    Json(form): Json<PasswordChange>,
) -> Result<Response> {
    let (id, sign_in) = person(&who)?;
    app.limits.sign_in(&[&id.to_string()])?;
    if form.current.len() > *passwords::LENGTH.end() {
        return Err(Error::field("/current", "has at most 1024 bytes"));
    }
    let user = app.db.system_read("change one's own password", move |tx| store::get_user(tx, id)).await?;
    if let Some(fault) = passwords::fault(&form.new, &near(&user.email, &user.name)) {
        return Err(Error::field("/new", fault));
    }
    if !app.hasher.verify(form.current, user.password_hash).await? {
        return Err(Error::field("/current", "is not your password"));
    }
    let (hash, by) = (app.hasher.hash(form.new).await?, who.0.clone());
    let user = app
        .db
        .system("change one's own password", move |tx| {
            store::set_password(tx, id, &hash)?;
            store::end_all(tx, id, Some(sign_in))?;
            tx.as_tenant(by.tenant, |tx| audit::record(tx, &by, "user.password", &(), &json!({ "id": id })))?;
            store::get_user(tx, id)
        })
        .await?;
    let claims = Claims::new(id, sign_in, who.tenant, user.auth_version, app.clock.now());
    Ok((StatusCode::NO_CONTENT, access_again(&app, &client, claims).await?).into_response())
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct Switch {
    tenant_id: TenantId,
}

/// Goes to another of one's workspaces, on this browser.
#[utoipa::path(post, path = "/api/me/tenant", tag = "me", request_body = Switch,
    responses((status = 200, body = Session), (status = 404, body = Problem)))]
async fn switch(State(app): State<App>, who: Viewer, client: Client, Json(to): Json<Switch>) -> Result<Response> {
    let (user, sign_in) = person(&who)?;
    go(&app, &client, user, sign_in, to.tenant_id).await
}

async fn go(app: &App, client: &Client, user: UserId, sign_in: SignInId, tenant: TenantId) -> Result<Response> {
    app.db
        .system("go to another tenant", move |tx| {
            // a tenant one is not in is missing, whether it exists or not
            if !store::memberships(tx, user)?.iter().any(|of| of.id == tenant) {
                return Err(Error::Missing);
            }
            store::move_sign_in(tx, sign_in, tenant)
        })
        .await?;
    let (user, session) = session(app, user, tenant).await?;
    let claims = Claims::new(user.id, sign_in, tenant, user.auth_version, app.clock.now());
    Ok((access_again(app, client, claims).await?, Json(session)).into_response())
}

#[derive(Deserialize, utoipa::ToSchema)]
struct Join {
    /// The token of the invitation.
    token: String,
}

/// Joins the workspace that invited one, and goes there.
#[utoipa::path(post, path = "/api/me/invitations", tag = "me", request_body = Join,
    responses((status = 200, body = Session), (status = 403, body = Problem), (status = 409, body = Problem)))]
async fn join(State(app): State<App>, who: Viewer, client: Client, Json(form): Json<Join>) -> Result<Response> {
    let (id, sign_in) = person(&who)?;
    let tenant = app
        .db
        .system("join by invitation", move |tx| {
            let user = store::get_user(tx, id)?;
            users::accept(tx, &user, &form.token)
        })
        .await?;
    go(&app, &client, id, sign_in, tenant).await
}

/// A browser that is signed in.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct SignInView {
    id: SignInId,
    user_agent: String,
    ip: String,
    created_at: Time,
    last_used_at: Time,
    /// Whether it is the one that asks.
    current: bool,
}

impl SignInView {
    fn new(of: SignIn, current: SignInId) -> SignInView {
        SignInView {
            id: of.id,
            user_agent: of.user_agent,
            ip: of.ip,
            created_at: of.created_at,
            last_used_at: of.last_used_at,
            current: of.id == current,
        }
    }
}

/// Where one is signed in, the latest first.
#[utoipa::path(get, path = "/api/me/sign-ins", tag = "me", params(After),
    responses((status = 200, body = Page<SignInView>)))]
async fn sign_ins(State(app): State<App>, who: Viewer, after: After) -> Result<Json<Page<SignInView>>> {
    let (user, current) = person(&who)?;
    let (before, rows) = (after.key()?.unwrap_or(SignInId::MAX), after.rows());
    let all = app.db.system_read("list one's sign-ins", move |tx| store::sign_ins(tx, user, before, rows)).await?;
    Ok(Json(Page::of(all, &after, |of| of.id).map(|of| SignInView::new(of, current))))
}

/// Signs out everywhere, here too; takes effect at once.
#[utoipa::path(delete, path = "/api/me/sign-ins", tag = "me", responses((status = 204)))]
async fn end_all(State(app): State<App>, who: Viewer, client: Client) -> Result<Response> {
    let (user, _) = person(&who)?;
    app.db
        .system("sign out everywhere", move |tx| {
            store::end_all(tx, user, None)?;
            tx.as_tenant(who.tenant, |tx| audit::record(tx, &who, "user.sign-out", &(), &json!({ "id": user })))
        })
        .await?;
    Ok((StatusCode::NO_CONTENT, forget_cookies(&client)).into_response())
}

/// Signs one browser out.
#[utoipa::path(delete, path = "/api/me/sign-ins/{id}", tag = "me", params(("id" = SignInId, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
async fn end_one(State(app): State<App>, who: Viewer, Path(id): Path<SignInId>) -> Result<StatusCode> {
    let (user, _) = person(&who)?;
    app.db
        .system("sign out", move |tx| {
            if !store::end_sign_in(tx, user, id)? {
                return Err(Error::Missing);
            }
            tx.as_tenant(who.tenant, |tx| audit::record(tx, &who, "sign-in.end", &json!({ "id": id }), &()))
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
