//! Making a number on a gateway of linked devices, and moving it to another. Numbers of Meta's Cloud API are made in [`super::cloud`].
use super::{GatewayId, Instance, InstanceId, answered, gateways, jobs, link, routes, store, view};
use crate::{Error, Result, app::App, audit, clock::Time, http::Who};
use indaba_providers::Setup;

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
    let gateway_id = gateways::take_place(app, who.tenant, wanted.gateway, wanted.kind).await?;
    let id = InstanceId::at(app.clock.now());
    match settle(app, who, id, gateway_id, wanted.name).await {
        Ok(()) => Ok(id),
        Err(e) => {
            take_back(app, who, id, gateway_id).await?;
            Err(e)
        }
    }
}

/// The gateway refused a new number: its row goes, and its place is free again.
pub(super) async fn take_back(app: &App, who: &Who, id: InstanceId, gateway_id: GatewayId) -> Result<()> {
    let tenant = who.tenant;
    app.db
        .system("place a number on a gateway", move |tx| {
            tx.as_tenant(tenant, |tx| {
                let now = tx.now();
                // with a hook already there the row stays as one that was deleted
                let gone = store::forget(tx, id)? == 1 || store::delete(tx, id, now)? == 1;
                tracing::debug!(instance.id = %id, gone, "the gateway refused a new number");
                Ok(())
            })?;
            tx.ring(routes::BELL, id);
            gateways::store::leave(tx, gateway_id).map(drop)
        })
        .await
}

async fn settle(app: &App, who: &Who, id: InstanceId, gateway_id: GatewayId, name: String) -> Result<()> {
    let gateway = gateways::open(app, gateway_id).await?;
    let provider = gateways::provider(&gateway.keys.kind)?;
    if provider.own_keys() {
        return Err(Error::field("/provider", "A number on the Cloud API is added with its own settings."));
    }
    let place = place(app, provider.kind(), id);
    let (tenant, asked) = (who.tenant, who.clone());
    let (sealed, kind) = (place.secrets.seal(app, tenant, id), provider.kind());
    let (token, url, external) = (place.token.clone(), place.hook_url.clone(), place.external_name.clone());
    app.db
        .write(tenant, move |tx| {
            let now = tx.now();
            let new = store::New {
                id,
                gateway: gateway_id,
                provider: kind,
                name: &name,
                external_name: &external,
                hook_token: &token,
                hook_url: &url,
                secrets: &sealed,
                settings: "{}",
                app_key: None,
                account: None,
            };
            if !store::insert(tx, &new, now)? {
                return Err(Error::Busy); // a random name is taken: nobody has seen that
            }
            tx.ring(routes::BELL, id);
            let made = view::told(&store::get(tx, id)?);
            audit::record(tx, &asked, "instance.create", &(), &made)
        })
        .await?;
    let mut link = gateway.link(app, &place.external_name)?;
    link.secrets = place.secrets.for_provider();
    let created = provider.create(&link, &setup(&place.hook_url, id)?).await.map_err(link::problem)?;
    let mut secrets = place.secrets;
    secrets.key = created.key.as_ref().map(link::text);
    let sealed = secrets.key.is_some().then(|| secrets.seal(app, tenant, id));
    let session = created.session;
    app.db
        .write(tenant, move |tx| {
            if let Some(sealed) = &sealed {
                store::set_secrets(tx, id, sealed)?;
            }
            answered(tx, id, &session, Time::default())
        })
        .await
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
        hook_url: hook_url(app, kind, &token),
        token,
        secrets: link::InstanceSecrets { hook_secrets: vec![link::text(&link::random_secret())], ..Default::default() },
    }
}

/// Where a number's hooks go.
pub(super) fn hook_url(app: &App, kind: &str, token: &str) -> String {
    format!("{}/api/webhooks/{kind}/{token}", app.config.public_url())
}

/// What a gateway is told of a number.
pub(super) fn setup(hook_url: &str, id: InstanceId) -> Result<Setup> {
    let hook_url = hook_url.parse().map_err(|e| Error::Internal(format!("our own hook URL does not parse: {e}")))?;
    Ok(Setup { hook_url, instance: id.to_string(), device: "Indaba".into(), full_history: false })
}

/// Makes a number again that its gateway has forgotten, with the hooks it had. Its old key is worth nothing any more: the gateway's own is
/// used, and a new one kept.
pub(super) async fn make_again(
    app: &App,
    who: crate::id::TenantId,
    id: InstanceId,
) -> Result<indaba_providers::Session> {
    let access = app.db.read(who, move |tx| store::access(tx, id)).await?;
    let gateway = gateways::open(app, access.gateway_id).await?;
    let provider = gateways::provider(&gateway.keys.kind)?;
    let mut own = link::InstanceSecrets::open(app, who, id, &access.secrets)?;
    let mut link = gateway.link(app, &access.external_name)?;
    if provider.own_keys() {
        own.complete(&mut link, &access.settings, access.account);
    }
    link.secrets = own.for_provider();
    let created = provider.create(&link, &setup(&access.hook_url, id)?).await.map_err(link::problem)?;
    if let Some(key) = &created.key {
        own.key = Some(link::text(key));
        let sealed = own.seal(app, who, id);
        app.db.write(who, move |tx| store::set_secrets(tx, id, &sealed).map(drop)).await?;
    }
    Ok(created.session)
}

/// Moves it to another gateway: it is linked anew there, and keeps its history.
pub async fn move_to(app: &App, who: &Who, id: InstanceId, to: GatewayId) -> Result<()> {
    let tenant = who.tenant;
    let before = app.db.read(tenant, move |tx| store::get(tx, id)).await?;
    if before.gateway_id == to {
        return Ok(());
    }
    if before.provider == gateways::META {
        return Err(Error::conflict(
            "not-movable",
            "A number on the Cloud API has no gateway",
            "It stays with Meta. To link it to a phone instead, take it off the Cloud API there and add it anew.",
        ));
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
    if provider.own_keys() {
        return Err(Error::field("/gatewayId", "Only linked devices can be moved to another gateway."));
    }
    let mut place = place(app, provider.kind(), id);
    place.external_name = format!("{}_{}", place.external_name, link::random_token(6)); // a name the old gateway's hooks do not carry
    let mut link = gateway.link(app, &place.external_name)?;
    link.secrets = place.secrets.for_provider();
    let created = provider.create(&link, &setup(&place.hook_url, id)?).await.map_err(link::problem)?;
    let mut secrets = place.secrets;
    secrets.key = created.key.as_ref().map(link::text);
    let (sealed, asked, kind) = (secrets.seal(app, tenant, id), who.clone(), provider.kind());
    let (external, url, token, session) = (place.external_name, place.hook_url, place.token, created.session);
    app.db
        .write(tenant, move |tx| {
            store::set_gateway(tx, id, to, kind, &external, &token, &url, &sealed)?;
            let leave =
                jobs::Leave { gateway: old.gateway_id, external_name: old.external_name.clone(), instance: None };
            crate::jobs::enqueue(tx, &leave)?;
            answered(tx, id, &session, Time::default())?;
            tx.ring(routes::BELL, id);
            let moved = view::told(&store::get(tx, id)?);
            audit::record(tx, &asked, "instance.move", &view::told(&old), &moved)
        })
        .await
}
