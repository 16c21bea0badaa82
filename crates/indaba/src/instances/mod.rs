//! Numbers: one WhatsApp number of a tenant, on one gateway. On screen an instance is a *number*.
mod cloud;
mod create;
mod form;
pub mod gateways;
pub mod http;
pub mod jobs;
pub mod link;
mod qr;
pub mod routes;
mod store;

pub use gateways::GatewayId;
pub use link::{Reach, reach};
pub use store::Addressed;

use crate::{
    Error, Result,
    app::App,
    audit,
    clock::Time,
    db::{TenantRead, TenantTx},
    http::Who,
    id::TenantId,
};
use indaba_providers::{
    Address, Build, CallError, Capabilities, Capability, CheckStep, Reason, Session, SessionState, Step,
};
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
        /// Sending waits: WhatsApp asked for it, or a person.
        Paused = "paused",
        /// Stopped or signed out.
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
        pub state_reason: Option<String>,
        pub state_at: Time,
        pub paused_until: Option<Time>,
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
        pub created_at: Time,
    }
}

/// How many codes a gateway shows before it gives up; WAHA shows six.
pub const CODES: i64 = 6;

/// How long a code can be scanned when the provider does not say.
pub const CODE_LIFE: Duration = Duration::from_secs(60);

/// A short dip of a connected number (`WORKING` → `STARTING` → `WORKING`) is normal and not shown for this long.
const DIP: Duration = Duration::from_secs(60);

impl Instance {
    /// The state to show: sending may wait although the gateway is connected.
    pub fn shown(&self, now: Time) -> State {
        match self.state {
            State::Connected if self.paused_until.is_some_and(|until| until > now) => State::Paused,
            state => state,
        }
    }

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

/// Takes in what the gateway says of the link: a `session.status` hook, the answer to a call, the minute's reconciliation.
///
/// The newest word counts, by the gateway's own time; one from the future counts as now, so that a wrong clock cannot silence what
/// follows. A short dip of a connected number changes nothing by itself: it is looked at again a minute later.
pub fn receive(tx: &mut TenantTx, id: InstanceId, session: &Session) -> Result<()> {
    let before = match store::get(tx, id) {
        Err(Error::Missing) => return Ok(()), // deleted meanwhile
        other => other?,
    };
    let now = tx.now();
    if session.phone.is_some() || session.push_name.is_some() {
        store::set_owner(tx, id, session.phone.as_deref(), session.push_name.as_deref())?;
    }
    let Some((state, step)) = meaning(session) else { return Ok(()) };
    let at = session.at.map_or(now, |at| Time(at).min(now));
    // Evolution says "connecting" all the while a code waits, and its hooks keep no order: without a time of its own that takes no code back
    let vague = session.at.is_none() && (state, step) == (State::Linking, Some(LinkStep::Preparing));
    let waits = before.link_step == Some(LinkStep::Scan) && before.code_expires_at.is_some_and(|end| end > now);
    if vague && waits {
        return Ok(());
    }
    if before.state == State::Connected && (state, step) == (State::Linking, Some(LinkStep::Preparing)) {
        return jobs::look_again(tx, id, now + DIP);
    }
    let reason = session.reason.map(sentence);
    if store::set_state(tx, id, state, step, reason, at)? == 0 {
        return Ok(()); // something newer is known
    }
    // a new code is told with its time; an answer that only repeats what is known has none
    if step == Some(LinkStep::Scan) && (before.link_step != step || (session.at.is_some() && at > before.state_at)) {
        let attempt = if before.link_step == step { before.code_attempt + 1 } else { 1 };
        let expires = session.code.as_ref().and_then(|code| code.expires_at).map_or(now + CODE_LIFE, Time);
        store::set_code(tx, id, attempt, Some(expires))?;
    }
    changed(tx, id, &before)
}

/// Tells the open browsers, if anything that shows has changed.
fn changed(tx: &mut TenantTx, id: InstanceId, before: &Instance) -> Result<()> {
    let after = store::get(tx, id)?;
    let face = |of: &Instance| {
        let words = (of.state, of.link_step, of.code_attempt, of.paused_until);
        (words, of.state_reason.clone(), of.own_phone.clone(), of.push_name.clone(), of.sync_state, of.sync_chats)
    };
    if face(&after) == face(before) {
        return Ok(());
    }
    let linked = before.state != State::Connected && after.state == State::Connected;
    http::tell_with(tx, &after, linked)
}

/// What a gateway's state means here; None: nothing that we know.
fn meaning(session: &Session) -> Option<(State, Option<LinkStep>)> {
    let step = session.step.map(|step| match step {
        Step::Preparing => LinkStep::Preparing,
        Step::Scan => LinkStep::Scan,
        Step::Expired => LinkStep::Expired,
        Step::Linking => LinkStep::Linking,
        Step::Syncing => LinkStep::Syncing,
        Step::Refused => LinkStep::Refused,
    });
    match session.state {
        SessionState::Unknown => None,
        SessionState::Linking => Some((State::Linking, step.or(Some(LinkStep::Preparing)))),
        SessionState::Connected => Some((State::Connected, None)),
        SessionState::Attention => Some((State::Attention, step)),
        SessionState::Disconnected => Some((State::Disconnected, None)),
        SessionState::Banned => Some((State::Banned, None)),
    }
}

/// A reason as a sentence with what to do about it (UX-C4).
fn sentence(reason: Reason) -> &'static str {
    match reason {
        Reason::CodeExpired => "Nobody scanned the code in time. Ask for a new one.",
        Reason::Failed => "The link broke and did not come back. Link the number again.",
        Reason::LoggedOut => "The phone signed this link out. Nothing is lost: link it again.",
        Reason::Replaced => "Another program has taken this link over. Close it there, then link again.",
        Reason::Passkey => "WhatsApp asks for the account's passkey. Confirm it on the gateway's own page.",
        Reason::PasskeyConfirmation => "WhatsApp asks to confirm a passkey. Do it on the phone.",
        Reason::Restricted => "WhatsApp has restricted this number. Wait, and answer rather than start conversations.",
        Reason::Banned => "WhatsApp has banned this number. Appeal in WhatsApp on the phone.",
        Reason::OutdatedClient => "The gateway's WhatsApp client is too old. Ask its operator to upgrade it.",
        Reason::TooManyDevices => "The phone has as many linked devices as it may. Remove one there, then try again.",
        Reason::Network => "The gateway cannot reach WhatsApp just now. It tries again by itself.",
        Reason::Stopped => "It was stopped. Start it to receive messages again.",
        Reason::Token => {
            "Meta does not take its access token any more. Enter a new one; what you send waits until then."
        }
        Reason::Key => "Its gateway does not take our API key any more. Enter the new one among the gateways.",
    }
}

/// No sends on this number before `until`: WhatsApp or its gateway asked for it.
pub fn pause(tx: &mut TenantTx, id: InstanceId, until: Time) -> Result<()> {
    let before = store::get(tx, id)?;
    if before.paused_until.is_some_and(|already| already >= until) {
        return Ok(());
    }
    store::set_pause(tx, id, Some(until))?;
    changed(tx, id, &before)
}

/// Nothing can be sent on it until somebody acts, for this reason. The next look that finds it well ends that.
pub fn trouble(tx: &mut TenantTx, id: InstanceId, why: &str) -> Result<()> {
    let before = store::get(tx, id)?;
    if before.state != State::Connected {
        return Ok(()); // what is known already says more
    }
    let now = tx.now();
    store::set_state(tx, id, State::Attention, None, Some(why), now)?;
    changed(tx, id, &before)
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
    http::tell(tx, &after)
}

/// Notes when hooks, messages in and messages out were last seen. Call it once for a batch.
pub fn touch(
    tx: &mut TenantTx,
    id: InstanceId,
    hook: Option<Time>,
    inbound: Option<Time>,
    outbound: Option<Time>,
) -> Result<()> {
    store::touch(tx, id, hook, inbound, outbound).map(drop)
}

/// How far the import of its chats has come; every open browser sees it.
pub fn set_sync(tx: &mut TenantTx, id: InstanceId, state: SyncState, chats: i64, total: Option<i64>) -> Result<()> {
    let before = store::get(tx, id)?;
    let finished = matches!(state, SyncState::Done | SyncState::Failed).then(|| tx.now());
    store::set_sync(tx, id, state, chats, total, finished)?;
    changed(tx, id, &before)
}

/// Asks the gateway how the number is doing, and takes in what it says. Errors: 409 or 503, what the gateway makes of it.
pub async fn sync_status(app: &App, tenant: TenantId, id: InstanceId) -> Result<()> {
    jobs::look(app, tenant, id).await
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
    let session = session.map_err(link::problem)?;
    app.db.write(tenant, move |tx| receive(tx, id, &session)).await
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
    let session = reach.provider.stop(&reach.link).await.map_err(link::problem)?;
    app.db.write(tenant, move |tx| receive(tx, id, &session)).await
}

/// Unlinks the device: a new code must be scanned. The history stays.
pub async fn logout(app: &App, tenant: TenantId, id: InstanceId) -> Result<()> {
    let reach = reach(app, tenant, id).await?;
    let session = reach.provider.logout(&reach.link).await.map_err(link::problem)?;
    app.db.write(tenant, move |tx| receive(tx, id, &session)).await
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
                http::tell_gone(tx, id)?;
                audit::record(tx, &who, "instance.delete", &http::told(&before), &())?;
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
            http::tell(tx, &after)?;
            audit::record(tx, &asked, "instance.rename", &http::told(&before), &http::told(&after))?;
            Ok(after)
        })
        .await
}
