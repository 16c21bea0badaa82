//! Numbers: one WhatsApp number of a tenant, on one gateway. On screen an instance is a *number*.
mod cloud;
mod create;
mod form;
pub mod gateways;
mod heard;
mod holds;
pub mod http;
pub mod jobs;
pub mod link;
mod qr;
pub mod routes;
mod store;
mod trouble;
mod view;

pub use gateways::GatewayId;
pub use heard::{answered, receive, refused};
pub use holds::{EndHold, day, lock, new_chats, pause, unlock};
pub use link::{Reach, reach};
pub use trouble::Trouble;
pub use view::{View, one};

use crate::{
    Error, Result,
    app::App,
    audit,
    clock::Time,
    db::{SystemRead, TenantRead, TenantTx},
    http::Who,
    id::TenantId,
};
use indaba_providers::{Address, Build, CallError, Capabilities, Capability, CheckStep, Reason, Session, Step};
use std::time::Duration;

id! {
    /// A number.
    InstanceId, "ins"
}

words! {
    /// How a number is doing.
    pub enum State as InstanceState {
        /// Made, and its gateway has not said anything yet.
        New = "new",
        /// Somebody has to do something on the phone, or is doing it.
        Linking = "linking",
        /// Messages come and go.
        Connected = "connected",
        /// It needs somebody: see the reason.
        Attention = "attention",
        /// It waits: WhatsApp asked it to, or somebody stopped it.
        Paused = "paused",
        /// Signed out, or its gateway has forgotten it.
        Disconnected = "disconnected",
        /// WhatsApp has banned it.
        Banned = "banned",
    }
}

words! {
    /// How far linking has come.
    pub enum LinkStep {
        /// The gateway starts.
        Preparing = "preparing",
        /// A code is there to be scanned.
        Scan = "scan",
        /// The last code ran out.
        Expired = "expired",
        /// Scanned; the devices shake hands.
        Linking = "linking",
        /// Linked; chats are being imported.
        Syncing = "syncing",
        /// The phone or WhatsApp said no: see the reason.
        Refused = "refused",
    }
}

words! {
    /// How the import of a number's chats is doing.
    pub enum SyncState {
        /// Never asked for.
        Idle = "idle",
        /// Under way.
        Running = "running",
        /// All chats are in.
        Done = "done",
        /// It gave up; it can be started again.
        Failed = "failed",
    }
}

row! {
    /// A number as its row says.
    #[derive(Clone, Debug)]
    pub struct Instance {
        pub id: InstanceId,
        pub gateway_id: GatewayId,
        pub provider: String,
        pub name: String,
        pub external_name: String,
        pub account: Option<String>,
        pub settings: String,
        pub hook_url: String,
        pub own_phone: Option<String>,
        pub push_name: Option<String>,
        pub state: State,
        pub link_step: Option<LinkStep>,
        pub trouble: Option<Trouble>,
        pub state_reason: Option<String>,
        pub state_at: Time,
        pub paused_until: Option<Time>,
        pub firsts_paused_until: Option<Time>,
        pub hold: Option<Trouble>,
        pub gateway_health: gateways::Health,
        pub locks: i64,
        pub locked_at: Option<Time>,
        pub seen_at: Option<Time>,
        pub code_attempt: i64,
        pub code_expires_at: Option<Time>,
        pub capabilities_off: String,
        pub sync_state: SyncState,
        pub sync_chats: i64,
        pub sync_total: Option<i64>,
        pub sync_finished_at: Option<Time>,
        pub last_inbound_at: Option<Time>,
        pub last_outbound_at: Option<Time>,
        pub last_hook_at: Option<Time>,
        pub counted_day: i64,
        pub sent_today: i64,
        pub firsts_today: i64,
        pub created_at: Time,
    }
}

/// How many codes a gateway shows before it gives up; WAHA shows six.
pub const CODES: i64 = 6;

/// How long a code can be scanned when the provider does not say.
pub const CODE_LIFE: Duration = Duration::from_secs(60);

impl Instance {
    /// What it can do, as far as anyone knows: by provider and gateway version, less the holes found at run time.
    pub fn capabilities(&self, build: &Build) -> Capabilities {
        indaba_providers::find(&self.provider)
            .map(|provider| without(provider.capabilities(build), &self.capabilities_off))
            .unwrap_or_default()
    }
}

/// The capabilities less those in a comma-separated list.
fn without(mut all: Capabilities, off: &str) -> Capabilities {
    for &capability in Capability::ALL {
        if off.split(',').any(|name| name == word(capability)) {
            all = all.with(capability, false);
        }
    }
    all
}

fn word(capability: Capability) -> String {
    serde_json::to_value(capability).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The number. Errors: `Missing`, also when it was deleted or is another tenant's.
pub fn get(tx: &mut TenantRead, id: InstanceId) -> Result<Instance> {
    store::get(tx, id)
}

/// One page of the tenant's numbers, oldest first; `after` is the last id of the page before, or `InstanceId::NIL`.
pub fn page(tx: &mut TenantRead, after: InstanceId, limit: i64) -> Result<Vec<Instance>> {
    store::page(tx, after, limit)
}

/// A hole in what the gateway can do, found by trying (501): the flag goes off, until the gateway is another one.
pub fn capability_is_off(tx: &mut TenantTx, id: InstanceId, capability: Capability) -> Result<()> {
    let before = store::get(tx, id)?;
    let word = word(capability);
    if before.capabilities_off.split(',').any(|known| known == word) {
        return Ok(());
    }
    let list = [before.capabilities_off.as_str(), &word].join(",");
    store::set_capabilities_off(tx, id, list.trim_start_matches(','))?;
    let after = store::get(tx, id)?;
    view::tell(tx, &after)
}

/// Notes when hooks and messages in were last seen. Call it once for a batch.
pub fn touch(tx: &mut TenantTx, id: InstanceId, hook: Option<Time>, inbound: Option<Time>) -> Result<()> {
    store::touch(tx, id, hook, inbound).map(drop)
}

/// Notes that messages went out, and counts them.
pub fn sent(tx: &mut TenantTx, id: InstanceId, count: i64) -> Result<()> {
    store::count(tx, id, count, 0).map(drop)
}

/// Counts somebody who never wrote and is written to for the first time.
pub fn wrote_first(tx: &mut TenantTx, id: InstanceId) -> Result<()> {
    store::count(tx, id, 0, 1).map(drop)
}

/// One page of the tenants' connected numbers of which nothing was heard since `before`, with their tenants.
pub fn silent(tx: &mut SystemRead, before: Time, after: InstanceId, limit: i64) -> Result<Vec<(TenantId, InstanceId)>> {
    store::silent(tx, before, after, limit)
}

/// Restarts a number that is connected and tells nothing: gateways go deaf. At most once in a while: false, when it was just done.
pub async fn restart_deaf(app: &App, tenant: TenantId, id: InstanceId, reach: &Reach, every: Duration) -> Result<bool> {
    let before = app.clock.now() - every;
    if app.db.write(tenant, move |tx| store::take_restart(tx, id, before)).await? == 0 {
        return Ok(false);
    }
    let (session, known) = (reach.provider.restart(&reach.link).await.map_err(link::problem)?, reach.state_at);
    app.db.write(tenant, move |tx| answered(tx, id, &session, known)).await?;
    Ok(true)
}

/// How far the import of its chats has come; every open browser sees it.
pub fn set_sync(tx: &mut TenantTx, id: InstanceId, state: SyncState, chats: i64, total: Option<i64>) -> Result<()> {
    let before = store::get(tx, id)?;
    let finished = matches!(state, SyncState::Done | SyncState::Failed).then(|| tx.now());
    store::set_sync(tx, id, state, chats, total, finished)?;
    heard::changed(tx, id, &before)
}

/// Asks the gateway how the number is doing, and takes in what it says; of one that does not answer the health is noted. Errors: 409 or 503,
/// what the gateway makes of it.
pub async fn sync_status(app: &App, tenant: TenantId, id: InstanceId) -> Result<()> {
    let looked = jobs::look(app, tenant, id, None).await;
    if matches!(looked, Err(Error::Unavailable(_))) {
        let gateway = app.db.read(tenant, move |tx| store::get(tx, id)).await?.gateway_id;
        gateways::check(app, gateway).await?;
    }
    looked
}

/// How long a failed session that was restarted gets to show whether its keys still hold, and how often we look.
const REVIVAL: (Duration, Duration) = (Duration::from_secs(6), Duration::from_millis(200));

/// Starts it, from whatever state it is in: one that has failed is restarted; one that the gateway has forgotten is made again, with the
/// hooks it had.
pub async fn start(app: &App, tenant: TenantId, id: InstanceId) -> Result<()> {
    let reach = reach(app, tenant, id).await?;
    let session = match reach.provider.start(&reach.link).await {
        Err(CallError::Gone) => Ok(create::make_again(app, tenant, id).await?),
        Ok(session) if session.reason == Some(Reason::Failed) => revive(&reach).await,
        other => other,
    };
    let (session, known) = (session.map_err(link::problem)?, reach.state_at);
    app.db.write(tenant, move |tx| answered(tx, id, &session, known)).await
}

/// A failed session is restarted. If it fails again, its phone has signed it out and its keys are of no more use: they are wiped, and a
/// new code comes.
async fn revive(reach: &Reach) -> std::result::Result<Session, CallError> {
    let mut session = reach.provider.restart(&reach.link).await?;
    let (patience, pause) = REVIVAL;
    let end = tokio::time::Instant::now() + patience;
    while session.step == Some(Step::Preparing) && tokio::time::Instant::now() < end {
        tokio::time::sleep(pause).await;
        session = reach.provider.status(&reach.link).await?;
    }
    if session.reason == Some(Reason::Failed) {
        reach.provider.logout(&reach.link).await?;
        session = reach.provider.start(&reach.link).await?;
    }
    Ok(session)
}

/// Stops it; it stays linked.
pub async fn stop(app: &App, tenant: TenantId, id: InstanceId) -> Result<()> {
    let reach = reach(app, tenant, id).await?;
    let (session, known) = (reach.provider.stop(&reach.link).await.map_err(link::problem)?, reach.state_at);
    app.db.write(tenant, move |tx| answered(tx, id, &session, known)).await
}

/// Unlinks the device: a new code must be scanned. The history stays.
pub async fn logout(app: &App, tenant: TenantId, id: InstanceId) -> Result<()> {
    let reach = reach(app, tenant, id).await?;
    let (mut session, known) = (reach.provider.logout(&reach.link).await.map_err(link::problem)?, reach.state_at);
    if session.reason == Some(Reason::Stopped) {
        session.reason = Some(Reason::LoggedOut); // it was stopped before: now it is not linked either
    }
    app.db.write(tenant, move |tx| answered(tx, id, &session, known)).await
}

/// Looks at everything that a number needs, each with a tick or a reason.
pub async fn check(app: &App, tenant: TenantId, id: InstanceId) -> Result<Vec<CheckStep>> {
    let reach = reach(app, tenant, id).await?;
    let mut steps = match reach.provider.check(&reach.link).await {
        Ok(check) => check.steps,
        Err(CallError::Denied(why)) => {
            vec![CheckStep::new("reach", true, "the gateway answers"), CheckStep::new("key", false, why)]
        }
        Err(error) => vec![CheckStep::new("reach", false, error.to_string())],
    };
    let called = app.db.read(tenant, move |tx| store::get(tx, id)).await?.last_hook_at;
    steps.push(match called {
        Some(at) => CheckStep::new("hooks", true, format!("the last call came at {at}")),
        None => CheckStep::new("hooks", false, "no call has come yet: write to the number from a phone"),
    });
    Ok(steps)
}

/// A code to scan, drawn: the picture, and until when it can be scanned.
pub async fn code(app: &App, tenant: TenantId, id: InstanceId) -> Result<(Vec<u8>, Time)> {
    let reach = reach(app, tenant, id).await?;
    let code = match reach.provider.qr(&reach.link).await {
        Ok(code) => code,
        Err(CallError::WrongState(_)) => {
            return Err(Error::conflict(
                "no-code",
                "There is no code to scan now",
                "It is linked already, or still preparing. Start it if it was stopped.",
            ));
        }
        Err(e) => return Err(link::problem(e)),
    };
    let known = app.db.read(tenant, move |tx| store::get(tx, id)).await?.code_expires_at;
    let now = app.clock.now();
    let until = code.expires_at.map(Time).or(known.filter(|at| *at > now)).unwrap_or(now + CODE_LIFE);
    Ok((qr::png(&code.value)?, until))
}

/// A code to type on the phone with this number (E.164).
pub async fn pairing_code(app: &App, tenant: TenantId, id: InstanceId, phone: &str) -> Result<String> {
    let reach = reach(app, tenant, id).await?;
    if !reach.capabilities.pairing_code {
        return Err(link::problem(CallError::NotSupported(Capability::PairingCode)));
    }
    let plain: String = phone.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
    let address = Address::parse(&plain).filter(|address| address.phone().is_some());
    let address =
        address.ok_or_else(|| Error::field("/phone", "a number with its country code, such as +27 82 000 0000"))?;
    reach.provider.pairing_code(&reach.link, &address).await.map_err(link::problem)
}

/// Deletes it here at once, and at its gateway by a job. The history stays.
pub async fn delete(app: &App, who: &Who, id: InstanceId) -> Result<()> {
    let (tenant, who) = (who.tenant, who.clone());
    app.db
        .system("place a number on a gateway", move |tx| {
            let gateway = tx.as_tenant(tenant, |tx| {
                let before = store::get(tx, id)?;
                let now = tx.now();
                store::delete(tx, id, now)?;
                let external_name = before.external_name.clone();
                let leave = jobs::Leave { gateway: before.gateway_id, external_name, instance: Some(id) };
                crate::jobs::enqueue(tx, &leave)?;
                view::tell_gone(tx, id)?;
                audit::record(tx, &who, "instance.delete", &view::told(&before), &())?;
                Ok(before.gateway_id)
            })?;
            gateways::store::leave(tx, gateway)?;
            tx.ring(routes::BELL, id);
            Ok(())
        })
        .await
}

/// Another name.
pub async fn rename(app: &App, who: &Who, id: InstanceId, name: String) -> Result<Instance> {
    let asked = who.clone();
    app.db
        .write(who.tenant, move |tx| {
            let before = store::get(tx, id)?;
            store::rename(tx, id, &name)?;
            let after = store::get(tx, id)?;
            view::tell(tx, &after)?;
            audit::record(tx, &asked, "instance.rename", &view::told(&before), &view::told(&after))?;
            Ok(after)
        })
        .await
}
