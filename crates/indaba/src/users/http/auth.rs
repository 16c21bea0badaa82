//! `/api/auth`: getting in and out. Open to strangers, and slow for those who try too often.
use super::{Session, browser, forget_cookies, signed_in};
use crate::{
    Error, Result,
    app::App,
    audit,
    config::SignUp as Who,
    http::{
        Check, Json, Path, Problem, Role,
        client::Client,
        origin,
        who::{self, ACCESS, REFRESH},
    },
    id::TenantId,
    passwords,
    tenants::{NewTenant, check_time_zone, is_country, time_zone_of},
    users::{
        self, NewUser, fold_email,
        store::{self, Rotated},
        tokens::{Claims, Refresh},
    },
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(sign_up))
        .routes(routes!(sign_in))
        .routes(routes!(refresh))
        .routes(routes!(sign_out))
        .routes(routes!(invitation))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct SignUp {
    #[schema(format = "email")]
    email: String,
    /// 8 to 1024 bytes, and not one that everybody tries first.
    #[schema(format = "password")]
    password: String,
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    /// The workspace to make. Not needed with an invitation.
    #[schema(min_length = 1, max_length = 80)]
    tenant_name: Option<String>,
    /// Two capital letters.
    country: Option<String>,
    #[schema(example = "Africa/Johannesburg")]
    time_zone: Option<String>,
    /// The token of an invitation.
    invitation: Option<String>,
}

/// Signs up: makes a person and their workspace, or lets them into the one that invited them.
#[utoipa::path(post, path = "/api/auth/sign-up", tag = "auth", request_body = SignUp, security(()),
    responses((status = 201, body = Session), (status = 403, body = Problem), (status = 409, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
async fn sign_up(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    Json(form): Json<SignUp>,
) -> Result<Response> {
    from_us(&app, &headers)?;
    app.limits.sign_in(&[&client.ip.to_string()])?;
    let email = fold_email(&form.email);
    let mut check = Check::default();
    check.that(email.is_some(), "/email", "is not an e-mail address").name(&form.name, "/name", 80);
    if let Some(fault) = passwords::fault(&form.password, &near(&form.email, &form.name)) {
        check.that(false, "/password", fault);
    }
    if form.invitation.is_none() {
        check.name(form.tenant_name.as_deref().unwrap_or_default(), "/tenantName", 80);
    }
    check.that(form.country.as_deref().is_none_or(is_country), "/country", "is a country's two capital letters");
    check.that(form.time_zone.as_deref().is_none_or(check_time_zone), "/timeZone", "is not a time zone we know");
    check.done()?;

    let password_hash = app.hasher.hash(form.password).await?;
    let new = NewUser { email: email.unwrap_or_default(), name: form.name.trim().into(), password_hash };
    let tenant = form.tenant_name.map(|name| NewTenant {
        name: name.trim().into(),
        time_zone: form.time_zone.unwrap_or_else(|| time_zone_of(form.country.as_deref()).into()),
        locale: form.country.as_deref().map_or_else(|| "en".into(), |country| format!("en-{country}")),
        country: form.country,
    });
    let (from, invitation) = (browser(&client), form.invitation);
    let closed = app.config.sign_up == Who::Invite && invitation.is_none();
    let (user, tenant, token) = app
        .db
        .system("sign up", move |tx| {
            if closed && store::has_people(tx)? {
                return Err(Error::Forbidden("Here people join by invitation. Ask an admin for one.".into()));
            }
            let (user, tenant) = users::sign_up(tx, &new, tenant.as_ref(), invitation.as_deref())?;
            let role = role_in(tx, &user, tenant)?;
            let token = users::begin(tx, &user, tenant, role, &from)?;
            Ok((user.id, tenant, token))
        })
        .await?;
    signed_in(&app, &client, StatusCode::CREATED, user, tenant, &token).await
}

fn role_in(tx: &mut crate::db::SystemTx, user: &store::User, tenant: TenantId) -> Result<Role> {
    let all = store::memberships(tx, user.id)?;
    Ok(all.iter().find(|of| of.id == tenant).ok_or(Error::Unauthorized)?.role)
}

/// The parts of a name and an e-mail that must not make a password.
pub(super) fn near<'t>(email: &'t str, name: &'t str) -> Vec<&'t str> {
    name.split_whitespace().chain(email.split(['@', '.', '+'])).chain([email]).collect()
}

/// Another site's page cannot sign anybody in or out.
fn from_us(app: &App, headers: &HeaderMap) -> Result<()> {
    if origin::is_foreign(app, headers) { Err(origin::foreign()) } else { Ok(()) }
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct SignIn {
    #[schema(format = "email")]
    email: String,
    #[schema(format = "password")]
    password: String,
    /// Which workspace; else the one of last time.
    tenant_id: Option<TenantId>,
}

/// Signs in. A wrong e-mail and a wrong password are answered alike, and take as long.
#[utoipa::path(post, path = "/api/auth/sign-in", tag = "auth", request_body = SignIn, security(()),
    responses((status = 200, body = Session), (status = 401, body = Problem), (status = 429, body = Problem)))]
async fn sign_in(
    State(app): State<App>,
    client: Client,
    headers: HeaderMap,
    Json(form): Json<SignIn>,
) -> Result<Response> {
    from_us(&app, &headers)?;
    if form.password.len() > *passwords::LENGTH.end() {
        return Err(Error::field("/password", "has at most 1024 bytes"));
    }
    let email = fold_email(&form.email).unwrap_or_default();
    app.limits.sign_in(&[&client.ip.to_string(), &email])?;
    let user = app.db.system_read("sign in", move |tx| store::find_user_by_email(tx, &email)).await?;
    let known = user.as_ref().and_then(|user| user.password_hash.clone());
    let right = app.hasher.verify(form.password, known).await?;
    let Some(user) = user.filter(|_| right) else { return Err(Error::WrongCredentials) };

    let (from, wanted, id) = (browser(&client), form.tenant_id, user.id);
    let (tenant, token) = app
        .db
        .system("sign in", move |tx| {
            let all = store::memberships(tx, user.id)?;
            let last = store::last_tenant(tx, user.id)?;
            let find = |id: TenantId| all.iter().find(|of| of.id == id);
            let at = match wanted {
                Some(id) => find(id).ok_or_else(|| Error::field("/tenantId", "is none of yours"))?,
                None => last.and_then(find).or(all.first()).ok_or_else(homeless)?,
            };
            Ok((at.id, users::begin(tx, &user, at.id, at.role, &from)?))
        })
        .await?;
    signed_in(&app, &client, StatusCode::OK, id, tenant, &token).await
}

fn homeless() -> Error {
    Error::Forbidden("You are in no workspace any more. Ask an admin for an invitation.".into())
}

/// Changes the refresh token for a new one and gives a new access token. Two tabs may ask at once. An old token shown again ends the
/// sign-in: somebody has a copy.
#[utoipa::path(post, path = "/api/auth/refresh", tag = "auth", security(()),
    responses((status = 200, body = Session), (status = 401, body = Problem)))]
async fn refresh(State(app): State<App>, client: Client, headers: HeaderMap) -> Result<Response> {
    let text = who::cookie(&headers, REFRESH).ok_or(Error::Unauthorized)?;
    if !origin::is_ours(&app, &headers) {
        return Err(origin::foreign());
    }
    match rotate(&app, &client, text).await {
        Err(Error::Unauthorized) => Ok((forget_cookies(&client), Error::Unauthorized).into_response()),
        other => other,
    }
}

async fn rotate(app: &App, client: &Client, text: &str) -> Result<Response> {
    let shown = Refresh::read(text, &app.secrets)?;
    let secrets = app.secrets.clone();
    let found = app
        .db
        .system("refresh a sign-in", move |tx| {
            let rotated = store::rotate(tx, &shown, &secrets)?;
            let known = match &rotated {
                Rotated::Next(known, _) | Rotated::Reused(known) => known,
                Rotated::Ended => return Ok(None),
            };
            if let Rotated::Reused(_) = rotated {
                let user = store::get_user(tx, known.user_id)?;
                let who = users::person(&user, known.id, known.tenant_id, Role::Viewer);
                let told = json!({ "id": known.id, "reason": "an old refresh token was shown" });
                tx.as_tenant(known.tenant_id, |tx| audit::record(tx, &who, "sign-in.end", &(), &told))?;
                return Ok(None);
            }
            // no longer in that tenant: go on in another
            let all = store::memberships(tx, known.user_id)?;
            let Some(at) = all.iter().find(|of| of.id == known.tenant_id).or(all.first()).map(|of| of.id) else {
                store::end_sign_in(tx, known.user_id, known.id)?;
                return Ok(None);
            };
            if at != known.tenant_id {
                store::move_sign_in(tx, known.id, at)?;
            }
            let Rotated::Next(known, next) = rotated else { return Ok(None) };
            Ok(Some((known.user_id, at, next)))
        })
        .await?;
    let Some((user, tenant, next)) = found else { return Err(Error::Unauthorized) };
    signed_in(app, client, StatusCode::OK, user, tenant, &next).await
}

/// Signs this browser out. Always works.
#[utoipa::path(post, path = "/api/auth/sign-out", tag = "auth", security(()), responses((status = 204)))]
async fn sign_out(State(app): State<App>, client: Client, headers: HeaderMap) -> Result<Response> {
    let shown = who::cookie(&headers, REFRESH).and_then(|text| Refresh::read(text, &app.secrets).ok());
    let by_cookie = headers.contains_key(axum::http::header::COOKIE);
    if by_cookie && !origin::is_ours(&app, &headers) {
        return Err(origin::foreign());
    }
    // an access token alone will do too: a program that holds one has no refresh cookie
    let token = match who::credential(&headers) {
        Some((who::Credential::Token(token), _)) => Some(token),
        _ => who::cookie(&headers, ACCESS).map(str::to_owned),
    };
    let claims = token.and_then(|token| Claims::read(&token, &app.secrets, app.clock.now()).ok());
    if let Some(id) = shown.map(|of| of.sign_in).or(claims.map(|claims| claims.sign_in)) {
        app.db
            .system("sign out", move |tx| {
                let Some(known) = store::find_sign_in(tx, id)? else { return Ok(()) };
                store::end_sign_in(tx, known.user_id, id)?;
                let user = store::get_user(tx, known.user_id)?;
                let who = users::person(&user, id, known.tenant_id, Role::Viewer);
                tx.as_tenant(known.tenant_id, |tx| audit::record(tx, &who, "sign-in.end", &json!({ "id": id }), &()))
            })
            .await?;
    }
    Ok((StatusCode::NO_CONTENT, forget_cookies(&client)).into_response())
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct InvitedTo {
    email: String,
    tenant_name: String,
    role: Role,
}

/// What an invitation is to, for whoever holds its token.
#[utoipa::path(get, path = "/api/auth/invitations/{token}", tag = "auth", security(()), params(("token" = String, Path)),
    responses((status = 200, body = InvitedTo), (status = 404, body = Problem)))]
async fn invitation(State(app): State<App>, client: Client, Path(token): Path<String>) -> Result<Json<InvitedTo>> {
    app.limits.sign_in(&[&client.ip.to_string()])?;
    let invited = app.db.system_read("show an invitation", move |tx| store::get_invited(tx, &token)).await?;
    Ok(Json(InvitedTo { email: invited.email, tenant_name: invited.tenant_name, role: invited.role }))
}
