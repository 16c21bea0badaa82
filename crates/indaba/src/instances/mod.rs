//! Numbers: one WhatsApp number of a tenant, on one gateway. On screen an instance is a *number*.
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
    Address, Build, CallError, Capabilities, Capability, Reason, Session, SessionState, Setup, Step,
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

/// What a new number takes.
pub struct Wanted {
    /// For people.
    pub name: String,
    /// A gateway of choice; else the operator's least loaded one.
    pub gateway: Option<GatewayId>,
    /// Only gateways of this kind, when there is no choice.
    pub kind: Option<String>,
}

/// Makes a number: a row, a place on a gateway, and there a session with our hook URL, a signing key of its own and our events, started.
///
/// The row comes first, so that a hook that is faster than the gateway's answer finds it. When the gateway refuses, the row goes again.
pub async fn create(app: &App, who: &Who, wanted: Wanted) -> Result<InstanceId> {
    let tenant = who.tenant;
    let gateway_id = gateways::take_place(app, tenant, wanted.gateway, wanted.kind).await?;
    let id = InstanceId::at(app.clock.now());
    match settle(app, who, id, gateway_id, wanted.name).await {
        Ok(()) => Ok(id),
        Err(e) => {
            app.db
                .system("place a number on a gateway", move |tx| {
                    let gone = tx.as_tenant(tenant, |tx| store::forget(tx, id))?;
                    tracing::debug!(instance.id = %id, gone, "the gateway refused a new number");
                    gateways::store::leave(tx, gateway_id).map(drop)
                })
                .await?;
            Err(e)
        }
    }
}

async fn settle(app: &App, who: &Who, id: InstanceId, gateway_id: GatewayId, name: String) -> Result<()> {
    let gateway = gateways::open(app, gateway_id).await?;
    let provider = gateways::provider(&gateway.keys.kind)?;
    let place = place(app, provider.kind(), id);
    let (tenant, asked) = (who.tenant, who.clone());
    let (sealed, kind) = (place.secrets.seal(app, tenant, id), provider.kind());
    let (token, url, external) = (place.token.clone(), place.hook_url.clone(), place.external_name.clone());
    app.db
        .write(tenant, move |tx| {
            let now = tx.now();
            store::insert(tx, id, gateway_id, kind, &name, &external, &token, &url, &sealed, "{}", now)?;
            tx.ring(routes::BELL, id);
            let made = http::told(&store::get(tx, id)?);
            audit::record(tx, &asked, "instance.create", &(), &made)
        })
        .await?;
    let mut link = gateway.link(app, &place.external_name)?;
    link.secrets = place.secrets.for_provider();
    let setup = place.setup(id)?;
    let created = provider.create(&link, &setup).await.map_err(link::problem)?;
    if let Some(key) = &created.key {
        let mut secrets = place.secrets;
        secrets.key = Some(link::text(key));
        let sealed = secrets.seal(app, tenant, id);
        app.db.write(tenant, move |tx| store::set_secrets(tx, id, &sealed).map(drop)).await?;
    }
    let session = created.session;
    app.db.write(tenant, move |tx| receive(tx, id, &session)).await
}

/// What a number is called at a gateway, and how that gateway reaches us.
struct Place {
    external_name: String,
    token: String,
    hook_url: String,
    secrets: link::InstanceSecrets,
}

fn place(app: &App, kind: &str, id: InstanceId) -> Place {
    let token = link::random_token(32);
    Place {
        // opaque: what a tenant calls its number is nobody else's business
        external_name: format!("ind_{}", crate::id::encode(&id.0)),
        hook_url: format!("{}/api/webhooks/{kind}/{token}", app.config.public_url()),
        token,
        secrets: link::InstanceSecrets { hook_secrets: vec![link::text(&link::random_secret())], ..Default::default() },
    }
}

impl Place {
    fn setup(&self, id: InstanceId) -> Result<Setup> {
        let hook_url =
            self.hook_url.parse().map_err(|e| Error::Internal(format!("our own hook URL does not parse: {e}")))?;
        Ok(Setup { hook_url, instance: id.to_string(), device: "Indaba".into(), full_history: false })
    }
}

/// How long a failed session that was restarted gets to show whether its keys still hold, and how often we look.
const REVIVAL: (Duration, Duration) = (Duration::from_secs(6), Duration::from_millis(200));

/// Starts it, from whatever state it is in: one that has failed is restarted; one that the gateway has forgotten is made again, with the
/// hooks it had.
pub async fn start(app: &App, tenant: TenantId, id: InstanceId) -> Result<()> {
    let reach = reach(app, tenant, id).await?;
    let session = match reach.provider.start(&reach.link).await {
        Err(CallError::Gone) => {
            let hook_url =
                reach.hook_url.parse().map_err(|e| Error::Internal(format!("a hook URL does not parse: {e}")))?;
            let setup = Setup { hook_url, instance: id.to_string(), device: "Indaba".into(), full_history: false };
            reach.provider.create(&reach.link, &setup).await.map(|created| created.session)
        }
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
                let leave = jobs::Leave { gateway: before.gateway_id, external_name: before.external_name.clone() };
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

/// Moves it to another gateway: it is linked anew there, and keeps its history.
pub async fn move_to(app: &App, who: &Who, id: InstanceId, to: GatewayId) -> Result<()> {
    let tenant = who.tenant;
    let before = app.db.read(tenant, move |tx| store::get(tx, id)).await?;
    if before.gateway_id == to {
        return Ok(());
    }
    gateways::take_place(app, tenant, Some(to), None).await?;
    let moved = resettle(app, who, &before, to).await;
    let give_back = if moved.is_ok() { before.gateway_id } else { to };
    app.db.system("place a number on a gateway", move |tx| gateways::store::leave(tx, give_back).map(drop)).await?;
    moved
}

async fn resettle(app: &App, who: &Who, before: &Instance, to: GatewayId) -> Result<()> {
    let (tenant, id, old) = (who.tenant, before.id, before.clone());
    let gateway = gateways::open(app, to).await?;
    let provider = gateways::provider(&gateway.keys.kind)?;
    let mut place = place(app, provider.kind(), id);
    place.external_name = format!("{}_{}", place.external_name, link::random_token(6)); // a name the old gateway's hooks do not carry
    let mut link = gateway.link(app, &place.external_name)?;
    link.secrets = place.secrets.for_provider();
    let created = provider.create(&link, &place.setup(id)?).await.map_err(link::problem)?;
    let mut secrets = place.secrets;
    secrets.key = created.key.as_ref().map(link::text);
    let (sealed, asked, kind) = (secrets.seal(app, tenant, id), who.clone(), provider.kind());
    let (external, url, token, session) = (place.external_name, place.hook_url, place.token, created.session);
    app.db
        .write(tenant, move |tx| {
            store::set_gateway(tx, id, to, kind, &external, &token, &url, &sealed)?;
            let leave = jobs::Leave { gateway: old.gateway_id, external_name: old.external_name.clone() };
            crate::jobs::enqueue(tx, &leave)?;
            receive(tx, id, &session)?;
            tx.ring(routes::BELL, id);
            let moved = http::told(&store::get(tx, id)?);
            audit::record(tx, &asked, "instance.move", &http::told(&old), &moved)
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
