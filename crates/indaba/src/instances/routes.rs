//! Where a hook goes: the token in its URL names a number or a gateway. Kept in memory, because every hook asks; cleared by the bell
//! `numbers` whenever a number or a gateway changes, and by itself after a minute.
use super::{
    GatewayId, InstanceId,
    gateways::{self, store as gateway_store},
    link::{self, GatewaySecrets, InstanceSecrets},
    store,
};
use crate::{Result, app::App, id::TenantId};
use indaba_providers::{Addressee, Provider, Secrets};
use moka::sync::Cache;
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

/// The bell that is rung when a number or a gateway changes.
pub const BELL: &str = "numbers";

/// `/api/webhooks/whatsapp` has no token: it is the operator's first gateway.
pub const DEFAULT: &str = "whatsapp";

/// Whom a token names.
#[derive(Clone)]
pub struct HookRoute {
    /// The wire it speaks.
    pub provider: &'static dyn Provider,
    /// What its hooks are verified with.
    pub secrets: Secrets,
    /// Whose it is.
    pub to: To,
    /// The Meta app whose secret signs: its hooks may be about any of the app's numbers.
    pub app: Option<Arc<[u8]>>,
}

/// Whose a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// One number, on this gateway.
    Instance(TenantId, InstanceId, GatewayId),
    /// A number that was deleted: its hooks are dropped. At Meta its URL may still serve others of its account.
    Deleted,
    /// A gateway: the body says which of its numbers.
    Gateway(GatewayId),
}

/// Numbers with their tenants.
pub type Numbers = Arc<[(TenantId, InstanceId)]>;

/// The memory of where hooks go.
pub struct HookRoutes {
    tokens: Cache<String, Option<Arc<HookRoute>>>,
    names: Cache<(GatewayId, String), Option<(TenantId, InstanceId)>>,
    apps: Cache<(Arc<[u8]>, Addressee), Numbers>,
}

impl Default for HookRoutes {
    fn default() -> Self {
        let life = Duration::from_secs(60);
        HookRoutes {
            tokens: Cache::builder().max_capacity(20_000).time_to_live(life).build(),
            names: Cache::builder().max_capacity(20_000).time_to_live(life).build(),
            apps: Cache::builder().max_capacity(20_000).time_to_live(life).build(),
        }
    }
}

impl HookRoutes {
    /// Whom this token names. None: nobody (404).
    pub async fn find(&self, app: &App, token: &str) -> Result<Option<Arc<HookRoute>>> {
        if let Some(known) = self.tokens.get(token) {
            return Ok(known);
        }
        let found = look_up(app, token.to_owned()).await?.map(Arc::new);
        self.tokens.insert(token.to_owned(), found.clone());
        Ok(found)
    }

    /// The number that a gateway calls by this name.
    pub async fn named(&self, app: &App, gateway: GatewayId, name: &str) -> Result<Option<(TenantId, InstanceId)>> {
        let key = (gateway, name.to_owned());
        if let Some(known) = self.names.get(&key) {
            return Ok(known);
        }
        let name = name.to_owned();
        let found = app.db.system_read("route a hook", move |tx| store::by_external_name(tx, gateway, &name)).await?;
        self.names.insert(key, found);
        Ok(found)
    }

    /// The numbers of a Meta app that something is about: one, or all of a business account.
    pub async fn of_app(&self, app: &App, key: &Arc<[u8]>, to: &Addressee) -> Result<Numbers> {
        let asked = (key.clone(), to.clone());
        if let Some(known) = self.apps.get(&asked) {
            return Ok(known);
        }
        let (key, to) = asked.clone();
        let found = app.db.system_read("route a hook", move |tx| match &to {
            Addressee::Instance(name) => store::by_app(tx, &key, name),
            Addressee::Account(account) => store::by_account(tx, &key, account),
            Addressee::Caller => Ok(Vec::new()),
        });
        let found: Numbers = found.await?.into();
        self.apps.insert(asked, found.clone());
        Ok(found)
    }

    /// Forgets everything: it is looked up again.
    pub fn clear(&self) {
        self.tokens.invalidate_all();
        self.names.invalidate_all();
        self.apps.invalidate_all();
    }
}

async fn look_up(app: &App, token: String) -> Result<Option<HookRoute>> {
    let (instance, gateway) = app
        .db
        .system_read("route a hook", move |tx| {
            if token == DEFAULT {
                return Ok((None, gateway_store::first_of_operator(tx)?));
            }
            match store::by_hook_token(tx, &token)? {
                Some(instance) => Ok((Some(instance), None)),
                None => Ok((None, gateway_store::by_hook_token(tx, &token)?)),
            }
        })
        .await?;
    if let Some(found) = instance {
        let secrets = InstanceSecrets::open(app, found.tenant_id, found.id, &found.secrets)?.for_provider();
        let to = match (found.deleted_at, found.gateway_id) {
            (None, Some(gateway)) => To::Instance(found.tenant_id, found.id, gateway),
            _ => To::Deleted,
        };
        let provider = link::provider(&found.provider)?;
        return Ok(Some(HookRoute { provider, secrets, to, app: found.app_key.map(Arc::from) }));
    }
    let Some(found) = gateway else { return Ok(None) };
    let secrets = GatewaySecrets::open(app, found.id, &found.secrets)?;
    let metas = found.kind == gateways::META && !secrets.hook_secret.is_empty();
    Ok(Some(HookRoute {
        provider: gateways::provider(&found.kind)?,
        secrets: secrets.for_provider(),
        to: To::Gateway(found.id),
        app: metas.then(|| link::app_key(&secrets.hook_secret).into()),
    }))
}

/// Keeps the memory fresh until the server stops.
pub async fn follow(app: App, stop: CancellationToken) {
    let mut bells = app.bus.listen(BELL);
    loop {
        tokio::select! {
            _ = bells.next() => app.hook_routes.clear(), // which one changed, or that some were missed: all are looked up again
            () = stop.cancelled() => return,
        }
    }
}
