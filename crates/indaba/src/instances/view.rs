//! Numbers as people, open browsers and the audit log see them.
use super::{GatewayId, Instance, InstanceId, LinkStep, State, SyncState, Trouble, gateways, link::Settings, store};
use crate::{
    Error, Result,
    app::App,
    clock::Time,
    db::{SystemRead, TenantTx},
    events,
    id::TenantId,
};
use indaba_providers::Build;
use serde::Serialize;
use serde_json::json;
use std::collections::{HashMap, hash_map::Entry};
use utoipa::ToSchema;

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
    /// What is wrong with it, in a word.
    #[schema(required)]
    pub trouble: Option<Trouble>,
    /// The same in a sentence, with what to do.
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
    /// Until when nothing is sent: messages wait and go by themselves.
    #[schema(required)]
    pub paused_until: Option<Time>,
    /// Until when nobody is written to who never wrote. Answers go, and the state does not show it.
    #[schema(required)]
    pub new_chats_paused_until: Option<Time>,
    /// Messages that went out from here today. The day is that of UTC, as for the budget.
    pub sent_today: i64,
    /// People who never wrote and were written to today.
    pub new_chats_today: i64,
    /// How many of them are safe today: it grows in the number's first week. Null where Meta sets the limits.
    #[schema(required)]
    pub new_chats_budget: Option<u32>,
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
fn view(of: &Instance, gateway: &gateways::Gateway, new_chats_per_day: u32, now: Time) -> View {
    let build = Build { version: gateway.version.clone(), engine: gateway.engine.clone(), tier: None };
    let capabilities = of.capabilities(&build);
    let budget = (!capabilities.window_24h).then(|| super::new_chats(new_chats_per_day, of.created_at, now));
    let (sent_today, new_chats_today) = of.today(now);
    View {
        id: of.id,
        provider: of.provider.clone(),
        name: of.name.clone(),
        gateway: GatewayView { id: gateway.id, name: gateway.name.clone(), owner: gateway.owner() },
        state: of.shown(now),
        link_step: of.link_step,
        trouble: of.wrong(now),
        state_reason: of.reason(now),
        phone: of.own_phone.clone(),
        push_name: of.push_name.clone(),
        capabilities,
        hook_url: of.hook_url.clone(),
        cloud: (of.provider == gateways::META).then(|| CloudView {
            phone_number_id: of.external_name.clone(),
            waba_id: of.account.clone().unwrap_or_default(),
            app_id: Settings::read(&of.settings).app_id,
        }),
        code: code_view(of),
        sync: sync_view(of),
        paused_until: of.paused(now),
        new_chats_paused_until: of.new_chats_paused(now),
        sent_today,
        new_chats_today,
        new_chats_budget: budget,
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
    trouble: Option<Trouble>,
    state_reason: Option<String>,
    phone: Option<String>,
    push_name: Option<String>,
    code: Option<CodeView>,
    sync: SyncView,
    paused_until: Option<Time>,
    new_chats_paused_until: Option<Time>,
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
        trouble: of.wrong(now),
        state_reason: of.reason(now),
        phone: of.own_phone.clone(),
        push_name: of.push_name.clone(),
        code: code_view(of),
        sync: sync_view(of),
        paused_until: of.paused(now),
        new_chats_paused_until: of.new_chats_paused(now),
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
    state: State,
}

pub(super) fn told(of: &Instance) -> Told {
    Told {
        id: of.id,
        name: of.name.clone(),
        provider: of.provider.clone(),
        gateway: of.gateway_id,
        external_name: of.external_name.clone(),
        state: of.state,
    }
}

/// Numbers with their gateways, which may be the operator's and so are read apart.
pub(super) async fn views(app: &App, tenant: TenantId, rows: Vec<Instance>) -> Result<Vec<View>> {
    let wanted: Vec<GatewayId> = rows.iter().map(|row| row.gateway_id).collect();
    let gateways =
        app.db.system_read("show whose gateway carries a number", move |tx| find_all(tx, tenant, &wanted)).await?;
    let now = app.clock.now();
    rows.iter()
        .map(|row| {
            let gateway =
                gateways.get(&row.gateway_id).ok_or_else(|| Error::Internal("a number without its gateway".into()))?;
            Ok(view(row, gateway, app.config.pace.new_chats_per_day, now))
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
