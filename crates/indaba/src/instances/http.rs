//! Routes of numbers.
use super::{
    GatewayId, InstanceId, cloud, create, form, gateways, store,
    view::{View, one, told, views},
};
use crate::{
    Result,
    app::App,
    audit,
    clock::Time,
    http::{Admin, After, Json, Page, Path, Problem, Viewer, Who},
};
use axum::{
    extract::State as Axum,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What this room answers to.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(get, change, delete))
        .routes(routes!(check))
        .routes(routes!(start))
        .routes(routes!(stop))
        .routes(routes!(logout))
        .routes(routes!(sync_status))
        .routes(routes!(move_to))
        .routes(routes!(code))
        .routes(routes!(pairing_code))
        .merge(gateways::http::routes())
}

/// The tenant's numbers, oldest first.
#[utoipa::path(get, path = "/api/instances", tag = "instances", params(After), responses((status = 200, body = Page<View>)))]
async fn list(Axum(app): Axum<App>, who: Viewer, after: After) -> Result<Json<Page<View>>> {
    let (from, rows) = (after.key()?.unwrap_or(InstanceId::NIL), after.rows());
    let rows = app.db.read(who.tenant, move |tx| super::page(tx, from, rows)).await?;
    let page = Page::of(rows, &after, |row| row.id);
    let views = views(&app, who.tenant, page.items).await?;
    Ok(Json(Page { items: views, next: page.next }))
}

/// Makes a number. On a gateway its session is made with our hook URL, a signing key of its own and our events, and is started; at Meta its token is
/// proved, and its business account subscribed.
#[utoipa::path(post, path = "/api/instances", tag = "instances", request_body = form::New,
    responses((status = 201, body = View), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create(Axum(app): Axum<App>, who: Admin, Json(new): Json<form::New>) -> Result<(StatusCode, Json<View>)> {
    let name = form::name(&new.name);
    let id = match new.provider.as_deref() {
        Some(gateways::META) => {
            let settings = form::settings(new.settings.unwrap_or_else(|| json!({})))?;
            cloud::create(&app, &who, name?, settings).await?
        }
        provider => {
            let name = name?;
            let mut gateway = new.gateway_id;
            if let Some(given) = new.settings {
                gateway = Some(form::own_gateway(&app, who.tenant, provider, form::settings(given)?).await?);
            }
            create::create(&app, &who, create::Wanted { name, gateway, kind: new.provider }).await?
        }
    };
    Ok((StatusCode::CREATED, Json(one(&app, who.tenant, id).await?)))
}

/// One number.
#[utoipa::path(get, path = "/api/instances/{id}", tag = "instances", params(("id" = InstanceId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem)))]
async fn get(Axum(app): Axum<App>, who: Viewer, Path(id): Path<InstanceId>) -> Result<Json<View>> {
    one(&app, who.tenant, id).await.map(Json)
}

/// Renames a number, or gives it new keys.
#[utoipa::path(patch, path = "/api/instances/{id}", tag = "instances", params(("id" = InstanceId, Path)), request_body = form::Change,
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn change(
    Axum(app): Axum<App>,
    who: Admin,
    Path(id): Path<InstanceId>,
    Json(change): Json<form::Change>,
) -> Result<Json<View>> {
    let name = change.name.as_deref().map(form::name).transpose()?;
    if let Some(settings) = change.settings {
        cloud::renew(&app, &who, id, settings).await?;
    }
    if let Some(name) = name {
        super::rename(&app, &who, id, name).await?;
    }
    one(&app, who.tenant, id).await.map(Json)
}

/// Deletes a number, here and at its gateway. Its history stays.
#[utoipa::path(delete, path = "/api/instances/{id}", tag = "instances", params(("id" = InstanceId, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
async fn delete(Axum(app): Axum<App>, who: Admin, Path(id): Path<InstanceId>) -> Result<StatusCode> {
    super::delete(&app, &who, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Starts it: it connects, or a new code comes.
#[utoipa::path(post, path = "/api/instances/{id}/start", tag = "instances", params(("id" = InstanceId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn start(Axum(app): Axum<App>, who: Admin, Path(id): Path<InstanceId>) -> Result<Json<View>> {
    noted(&app, &who, id, "instance.start", super::start(&app, who.tenant, id)).await
}

/// Stops it; it stays linked.
#[utoipa::path(post, path = "/api/instances/{id}/stop", tag = "instances", params(("id" = InstanceId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn stop(Axum(app): Axum<App>, who: Admin, Path(id): Path<InstanceId>) -> Result<Json<View>> {
    noted(&app, &who, id, "instance.stop", super::stop(&app, who.tenant, id)).await
}

/// Unlinks the phone: a new code must be scanned. The history stays.
#[utoipa::path(post, path = "/api/instances/{id}/logout", tag = "instances", params(("id" = InstanceId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn logout(Axum(app): Axum<App>, who: Admin, Path(id): Path<InstanceId>) -> Result<Json<View>> {
    noted(&app, &who, id, "instance.logout", super::logout(&app, who.tenant, id)).await
}

/// Asks the gateway how the number is doing, now.
#[utoipa::path(post, path = "/api/instances/{id}/sync-status", tag = "instances", params(("id" = InstanceId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 503, body = Problem)))]
async fn sync_status(Axum(app): Axum<App>, who: Viewer, Path(id): Path<InstanceId>) -> Result<Json<View>> {
    super::sync_status(&app, who.tenant, id).await?;
    one(&app, who.tenant, id).await.map(Json)
}

/// A look at everything that a number needs.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstanceCheck)]
pub struct Checked {
    /// What was looked at, in order.
    steps: Vec<Step>,
}

/// One thing that was looked at.
#[derive(Serialize, ToSchema)]
#[schema(as = InstanceCheckStep)]
pub struct Step {
    /// `reach`, `key`, `version`, `number`, `account`, `session`, `subscription`, `secret`, `hooks`.
    name: String,
    /// All is well.
    ok: bool,
    /// What was found, or what to do about it.
    detail: String,
}

/// Looks at everything that a number needs: its gateway, its keys, its subscription, and whether hooks come.
#[utoipa::path(post, path = "/api/instances/{id}/check", tag = "instances", params(("id" = InstanceId, Path)),
    responses((status = 200, body = Checked), (status = 404, body = Problem)))]
async fn check(Axum(app): Axum<App>, who: Admin, Path(id): Path<InstanceId>) -> Result<Json<Checked>> {
    let steps = super::check(&app, who.tenant, id).await?.into_iter();
    Ok(Json(Checked { steps: steps.map(|it| Step { name: it.name, ok: it.ok, detail: it.detail }).collect() }))
}

/// Where a number is to go.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstanceMove)]
pub struct Move {
    /// The other gateway.
    gateway_id: GatewayId,
}

/// Moves a number to another gateway: it is linked anew there and keeps its history.
#[utoipa::path(post, path = "/api/instances/{id}/move", tag = "instances", params(("id" = InstanceId, Path)), request_body = Move,
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn move_to(
    Axum(app): Axum<App>,
    who: Admin,
    Path(id): Path<InstanceId>,
    Json(to): Json<Move>,
) -> Result<Json<View>> {
    create::move_to(&app, &who, id, to.gateway_id).await?;
    one(&app, who.tenant, id).await.map(Json)
}

/// Has it done at the gateway, writes into the audit log how the number was before and after, and answers with it.
async fn noted(
    app: &App,
    who: &Who,
    id: InstanceId,
    action: &'static str,
    done: impl Future<Output = Result<()>>,
) -> Result<Json<View>> {
    let before = app.db.read(who.tenant, move |tx| store::get(tx, id)).await?;
    done.await?;
    let asked = who.clone();
    app.db
        .write(who.tenant, move |tx| {
            let after = told(&store::get(tx, id)?);
            audit::record(tx, &asked, action, &told(&before), &after)
        })
        .await?;
    one(app, who.tenant, id).await.map(Json)
}

/// A code to scan.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Code {
    /// The picture, `data:image/png;base64,…`.
    data_url: String,
    /// Until when it can be scanned.
    expires_at: Time,
    /// The first is 1.
    attempt: i64,
    /// After so many the gateway gives up.
    attempts: i64,
}

/// The code to scan now: a PNG, or JSON when that is what is accepted.
#[utoipa::path(get, path = "/api/instances/{id}/qr", tag = "instances", params(("id" = InstanceId, Path)),
    responses((status = 200, content((Code = "application/json"), (Vec<u8> = "image/png"))), (status = 409, body = Problem)))]
async fn code(Axum(app): Axum<App>, who: Admin, Path(id): Path<InstanceId>, headers: HeaderMap) -> Result<Response> {
    let (picture, expires_at) = super::code(&app, who.tenant, id).await?;
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or_default();
    if !accepts.contains("application/json") {
        let kind = [(header::CONTENT_TYPE, "image/png"), (header::CACHE_CONTROL, "no-store")];
        return Ok((kind, picture).into_response());
    }
    let attempt = app.db.read(who.tenant, move |tx| store::get(tx, id)).await?.code_attempt.max(1);
    let data_url = format!("data:image/png;base64,{}", STANDARD.encode(picture));
    Ok(Json(Code { data_url, expires_at, attempt, attempts: super::CODES }).into_response())
}

/// The phone that is to be linked.
#[derive(Deserialize, ToSchema)]
pub struct Phone {
    /// With its country code, `+27 82 000 0000`.
    phone: String,
}

/// A code to type on the phone.
#[derive(Serialize, ToSchema)]
pub struct PairingCode {
    /// `ABCD-1234`.
    code: String,
}

/// A code to type on the phone, in place of a scan.
#[utoipa::path(post, path = "/api/instances/{id}/pairing-code", tag = "instances", params(("id" = InstanceId, Path)), request_body = Phone,
    responses((status = 200, body = PairingCode), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn pairing_code(
    Axum(app): Axum<App>,
    who: Admin,
    Path(id): Path<InstanceId>,
    Json(phone): Json<Phone>,
) -> Result<Json<PairingCode>> {
    let code = super::pairing_code(&app, who.tenant, id, &phone.phone).await?;
    Ok(Json(PairingCode { code }))
}
