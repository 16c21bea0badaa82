//! `/api/api-keys`: keys for programs. A key is shown once.
use crate::{
    Error, Result,
    app::App,
    audit,
    clock::Time,
    http::{Admin, After, Check, Json, Page, Path, Problem, Role, who::ApiKeyId},
    users::{
        is_scope,
        store::{self, ApiKey, NewKey},
        tokens,
    },
};
use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(remove))
}

/// A key for programs.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApiKey)]
struct ApiKeyView {
    id: ApiKeyId,
    name: String,
    role: Role,
    /// How it begins, to tell it from others.
    prefix: String,
    /// What it is restricted to (`contacts:read`, `messages:write`, `media`); empty: everything its role may.
    scopes: Vec<String>,
    created_at: Time,
    expires_at: Option<Time>,
    last_used_at: Option<Time>,
}

impl From<ApiKey> for ApiKeyView {
    fn from(of: ApiKey) -> ApiKeyView {
        let ApiKey { id, name, prefix, role, scopes, created_at, expires_at, last_used_at } = of;
        let scopes = serde_json::from_str(&scopes).unwrap_or_default();
        ApiKeyView { id, name, role, prefix, scopes, created_at, expires_at, last_used_at }
    }
}

/// The key itself is only in this answer.
#[derive(Serialize, utoipa::ToSchema)]
struct MadeApiKey {
    #[serde(flatten)]
    api_key: ApiKeyView,
    #[schema(example = "ik_…")]
    key: String,
}

/// The API keys, the latest first.
#[utoipa::path(get, path = "/api/api-keys", tag = "users", params(After),
    responses((status = 200, body = Page<ApiKeyView>)))]
async fn list(State(app): State<App>, who: Admin, after: After) -> Result<Json<Page<ApiKeyView>>> {
    let (before, rows) = (after.key()?.unwrap_or(ApiKeyId::MAX), after.rows());
    let keys = app.db.read(who.tenant, move |tx| store::keys(tx, before, rows)).await?;
    Ok(Json(Page::of(keys, &after, |key| key.id).map(ApiKeyView::from)))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct NewApiKey {
    #[schema(min_length = 1, max_length = 80)]
    name: String,
    role: Role,
    #[serde(default)]
    scopes: Vec<String>,
    expires_at: Option<Time>,
}

/// Makes a key for a program.
#[utoipa::path(post, path = "/api/api-keys", tag = "users", request_body = NewApiKey,
    responses((status = 201, body = MadeApiKey), (status = 422, body = Problem)))]
async fn create(
    State(app): State<App>,
    who: Admin,
    Json(form): Json<NewApiKey>,
) -> Result<(StatusCode, Json<MadeApiKey>)> {
    let mut check = Check::default();
    check.name(&form.name, "/name", 80);
    check.that(form.scopes.len() <= 50, "/scopes", "has at most 50");
    for (at, scope) in form.scopes.iter().enumerate() {
        check.that(is_scope(scope), &format!("/scopes/{at}"), "is a name after /api/, alone or with :read or :write");
    }
    check.that(form.expires_at.is_none_or(|at| at > app.clock.now()), "/expiresAt", "is past");
    check.done()?;
    let scopes = serde_json::to_string(&form.scopes).map_err(|e| Error::Internal(e.to_string()))?;
    let (key, hash) = tokens::secret("ik_");
    let new = NewKey {
        name: form.name.trim().into(),
        prefix: key[..10].into(),
        hash,
        role: form.role,
        scopes,
        expires_at: form.expires_at,
    };
    let made = app.db.write(who.tenant, move |tx| {
        let made = ApiKeyView::from(store::add_key(tx, &new)?);
        audit::record(tx, &who, "api-key.create", &(), &made)?;
        Ok(made)
    });
    Ok((StatusCode::CREATED, Json(MadeApiKey { api_key: made.await?, key })))
}

/// Withdraws a key; takes effect at once.
#[utoipa::path(delete, path = "/api/api-keys/{id}", tag = "users", params(("id" = ApiKeyId, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
async fn remove(State(app): State<App>, who: Admin, Path(id): Path<ApiKeyId>) -> Result<StatusCode> {
    app.db
        .write(who.tenant, move |tx| {
            let before = ApiKeyView::from(store::remove_key(tx, id)?);
            audit::record(tx, &who, "api-key.delete", &before, &())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
