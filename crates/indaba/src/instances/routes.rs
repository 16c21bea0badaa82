//! Where a hook goes: the token in its URL names a number or a gateway. Kept in memory, because every hook asks; cleared by the bell
//! `numbers` whenever a number or a gateway changes, and by itself after a minute.
use super::{
    GatewayId, InstanceId,
    gateways::{self, store as gateway_store},
    link::{self, GatewaySecrets, InstanceSecrets},
    store,
};
use crate::{Result, app::App, id::TenantId};
use indaba_providers::{Provider, Secrets};
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
}

/// Whose a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum To {
    /// One number, on this gateway.
    Instance(TenantId, InstanceId, GatewayId),
    /// A number that was deleted: its hooks are dropped.
    Deleted,
    /// A gateway: the body says which of its numbers.
    Gateway(GatewayId),
}

/// The memory of where hooks go.
pub struct HookRoutes {
    tokens: Cache<String, Option<Arc<HookRoute>>>,
    names: Cache<(GatewayId, String), Option<(TenantId, InstanceId)>>,
}

impl Default for HookRoutes {
    fn default() -> Self {
        let life = Duration::from_secs(60);
        HookRoutes {
            tokens: Cache::builder().max_capacity(20_000).time_to_live(life).build(),
            names: Cache::builder().max_capacity(20_000).time_to_live(life).build(),
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
        let found = app
            .db
            .system_read("route a hook", move |tx| store::by_external_name(tx, gateway, &name))
            .await?
            .map(|to| (to.tenant_id, to.id));
        self.names.insert(key, found);
        Ok(found)
    }

    /// Forgets everything: it is looked up again.
    pub fn clear(&self) {
        self.tokens.invalidate_all();
        self.names.invalidate_all();
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
        return Ok(Some(HookRoute { provider: link::provider(&found.provider)?, secrets, to }));
    }
    let Some(found) = gateway else { return Ok(None) };
    let secrets = GatewaySecrets::open(app, found.id, &found.secrets)?;
    Ok(Some(HookRoute {
        provider: gateways::provider(&found.kind)?,
        secrets: Secrets { keys: vec![secrets.hook_secret.into()], verify_token: None },
        to: To::Gateway(found.id),
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
