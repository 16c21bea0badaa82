//! Routes of numbers.
use super::{GatewayId, Instance, InstanceId, LinkStep, State, SyncState, gateways, link::Settings, store};
use crate::{
    Error, Result,
    app::App,
    clock::Time,
    db::{SystemRead, TenantTx},
    events,
    http::{Admin, After, Json, Page, Path, Problem, Viewer},
    id::TenantId,
};
use axum::{
    extract::State as Axum,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use indaba_providers::Build;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::{HashMap, hash_map::Entry};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What this room answers to.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, super::form::create))
        .routes(routes!(get, super::form::change, delete))
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

/// A number.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Instance)]
pub struct View {
    /// Its id.
    pub id: InstanceId,
    /// `waha`, `evolution`, `cloud`.
    pub provider: String,
    /// What the team calls it.
    pub name: String,
    /// What carries it.
    pub gateway: GatewayView,
    /// How it is doing.
    pub state: State,
    /// How far linking has come.
    #[schema(required)]
    pub link_step: Option<LinkStep>,
    /// Why it needs somebody, and what to do.
    #[schema(required)]
    pub state_reason: Option<String>,
    /// E.164 with `+`, once it is linked.
    #[schema(required)]
    pub phone: Option<String>,
    /// The name it shows to others.
    #[schema(required)]
    pub push_name: Option<String>,
    /// What it can do, by name: `poll`, `pairingCode`, `templates`…
    #[schema(value_type = HashMap<String, bool>)]
    pub capabilities: indaba_providers::Capabilities,
    /// Just what the gateway was given.
    pub hook_url: String,
    /// What Meta calls it; null where Meta does not carry it.
    #[schema(required)]
    pub cloud: Option<CloudView>,
    /// Which of the codes is shown now, while it waits for a scan.
    #[schema(required)]
    pub code: Option<CodeView>,
    /// The import of its chats.
    pub sync: SyncView,
    /// Until when sending waits, wholly or only to people who never wrote: `stateReason` says which.
    #[schema(required)]
    pub paused_until: Option<Time>,
    /// When a message last came in.
    #[schema(required)]
    pub last_inbound_at: Option<Time>,
    /// When one last went out.
    #[schema(required)]
    pub last_outbound_at: Option<Time>,
    /// When its gateway last called.
    #[schema(required)]
    pub last_hook_at: Option<Time>,
    /// When it was made.
    pub created_at: Time,
}

/// What carries a number.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = InstanceGateway)]
pub struct GatewayView {
    /// Its id.
    pub id: GatewayId,
    /// What it is called.
    pub name: String,
    /// `operator` or `tenant`.
    pub owner: &'static str,
}

/// What Meta calls a number of the Cloud API.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstanceCloud)]
pub struct CloudView {
    /// The number's id.
    pub phone_number_id: String,
    /// The WhatsApp Business account's id.
    pub waba_id: String,
    /// The Meta app's id, if it was given.
    #[schema(required)]
    pub app_id: Option<String>,
}

/// Which code is shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstanceCode)]
pub struct CodeView {
    /// The first is 1.
    pub attempt: i64,
    /// After so many the gateway gives up.
    pub attempts: i64,
    /// Until when it can be scanned.
    #[schema(required)]
    pub expires_at: Option<Time>,
}

/// The import of a number's chats.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstanceSync)]
pub struct SyncView {
    /// How it is doing.
    pub state: SyncState,
    /// Chats imported so far.
    pub chats: i64,
    /// Of how many, if the gateway tells.
    #[schema(required)]
    pub total: Option<i64>,
    /// When it ended.
    #[schema(required)]
    pub finished_at: Option<Time>,
}

/// A number as people see it; `gateway` is what carries it.
fn view(of: &Instance, gateway: &gateways::Gateway, now: Time) -> View {
    let build = Build { version: gateway.version.clone(), engine: gateway.engine.clone(), tier: None };
    View {
        id: of.id,
        provider: of.provider.clone(),
        name: of.name.clone(),
        gateway: GatewayView { id: gateway.id, name: gateway.name.clone(), owner: gateway.owner() },
        state: of.shown(now),
        link_step: of.link_step,
        state_reason: of.reason(now),
        phone: of.own_phone.clone(),
        push_name: of.push_name.clone(),
        capabilities: of.capabilities(&build),
        hook_url: of.hook_url.clone(),
        cloud: (of.provider == gateways::META).then(|| CloudView {
            phone_number_id: of.external_name.clone(),
            waba_id: of.account.clone().unwrap_or_default(),
            app_id: Settings::read(&of.settings).app_id,
        }),
        code: code_view(of),
        sync: sync_view(of),
        paused_until: of.waits(now),
        last_inbound_at: of.last_inbound_at,
        last_outbound_at: of.last_outbound_at,
        last_hook_at: of.last_hook_at,
        created_at: of.created_at,
    }
}

fn code_view(of: &Instance) -> Option<CodeView> {
    let scan = of.link_step == Some(LinkStep::Scan);
    scan.then_some(CodeView { attempt: of.code_attempt, attempts: super::CODES, expires_at: of.code_expires_at })
}

fn sync_view(of: &Instance) -> SyncView {
    SyncView { state: of.sync_state, chats: of.sync_chats, total: of.sync_total, finished_at: of.sync_finished_at }
}

/// What an open browser changes when a number does. Its capabilities follow from its gateway and are fetched with it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Patch {
    id: InstanceId,
    name: String,
    state: State,
    link_step: Option<LinkStep>,
    state_reason: Option<String>,
    phone: Option<String>,
    push_name: Option<String>,
    code: Option<CodeView>,
    sync: SyncView,
    paused_until: Option<Time>,
}

/// Appends `instance.state`: something that shows of this number has changed.
pub(super) fn tell(tx: &mut TenantTx, of: &Instance) -> Result<()> {
    tell_with(tx, of, None)
}

/// The same for one that is connected; what came since then may have been missed.
pub(super) fn tell_missed(tx: &mut TenantTx, of: &Instance, since: Time) -> Result<()> {
    tell_with(tx, of, Some(since))
}

fn tell_with(tx: &mut TenantTx, of: &Instance, missed_since: Option<Time>) -> Result<()> {
    let now = tx.now();
    let patch = Patch {
        id: of.id,
        name: of.name.clone(),
        state: of.shown(now),
        link_step: of.link_step,
        state_reason: of.reason(now),
        phone: of.own_phone.clone(),
        push_name: of.push_name.clone(),
        code: code_view(of),
        sync: sync_view(of),
        paused_until: of.waits(now),
    };
    let patch = json!({ "instance": patch, "missedSince": missed_since });
    events::append(tx, "instance.state", &[("instance", &of.id)], &patch)
}

/// Appends `instance.state` for one that was deleted.
pub(super) fn tell_gone(tx: &mut TenantTx, id: InstanceId) -> Result<()> {
    let patch = json!({ "instance": { "id": id, "deleted": true } });
    events::append(tx, "instance.state", &[("instance", &id)], &patch)
}

/// A number as the audit log keeps it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Told {
    id: InstanceId,
    name: String,
    provider: String,
    gateway: GatewayId,
    external_name: String,
}

pub(super) fn told(of: &Instance) -> Told {
    Told {
        id: of.id,
        name: of.name.clone(),
        provider: of.provider.clone(),
        gateway: of.gateway_id,
        external_name: of.external_name.clone(),
    }
}

/// Numbers with their gateways, which may be the operator's and so are read apart.
async fn views(app: &App, tenant: TenantId, rows: Vec<Instance>) -> Result<Vec<View>> {
    let wanted: Vec<GatewayId> = rows.iter().map(|row| row.gateway_id).collect();
    let gateways =
        app.db.system_read("show whose gateway carries a number", move |tx| find_all(tx, tenant, &wanted)).await?;
    let now = app.clock.now();
    rows.iter()
        .map(|row| {
            let gateway =
                gateways.get(&row.gateway_id).ok_or_else(|| Error::Internal("a number without its gateway".into()))?;
            Ok(view(row, gateway, now))
        })
        .collect()
}

fn find_all(tx: &mut SystemRead, tenant: TenantId, ids: &[GatewayId]) -> Result<HashMap<GatewayId, gateways::Gateway>> {
    let mut all = HashMap::new();
    for &id in ids {
        if let Entry::Vacant(place) = all.entry(id) {
            place.insert(gateways::store::get(tx, tenant, id)?);
        }
    }
    Ok(all)
}

/// A number as people see it. Errors: `Missing`.
pub async fn one(app: &App, tenant: TenantId, id: InstanceId) -> Result<View> {
    let row = app.db.read(tenant, move |tx| store::get(tx, id)).await?;
    let mut views = views(app, tenant, vec![row]).await?;
    Ok(views.remove(0))
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

/// One number.
#[utoipa::path(get, path = "/api/instances/{id}", tag = "instances", params(("id" = InstanceId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem)))]
async fn get(Axum(app): Axum<App>, who: Viewer, Path(id): Path<InstanceId>) -> Result<Json<View>> {
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
    super::start(&app, who.tenant, id).await?;
    noted(&app, &who, id, "instance.start").await
}

/// Stops it; it stays linked.
#[utoipa::path(post, path = "/api/instances/{id}/stop", tag = "instances", params(("id" = InstanceId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn stop(Axum(app): Axum<App>, who: Admin, Path(id): Path<InstanceId>) -> Result<Json<View>> {
    super::stop(&app, who.tenant, id).await?;
    noted(&app, &who, id, "instance.stop").await
}

/// Unlinks the phone: a new code must be scanned. The history stays.
#[utoipa::path(post, path = "/api/instances/{id}/logout", tag = "instances", params(("id" = InstanceId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn logout(Axum(app): Axum<App>, who: Admin, Path(id): Path<InstanceId>) -> Result<Json<View>> {
    super::logout(&app, who.tenant, id).await?;
    noted(&app, &who, id, "instance.logout").await
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
    super::create::move_to(&app, &who, id, to.gateway_id).await?;
    one(&app, who.tenant, id).await.map(Json)
}

/// Writes into the audit log what was done at the gateway, and answers with the number.
async fn noted(app: &App, who: &crate::http::Who, id: InstanceId, action: &'static str) -> Result<Json<View>> {
    let asked = who.clone();
    app.db
        .write(who.tenant, move |tx| {
            let row = store::get(tx, id)?;
            crate::audit::record(tx, &asked, action, &(), &told(&row))
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
