//! What it takes to speak to a number's gateway: keys are opened here, and nowhere else.
use super::{InstanceId, State, gateways, store};
use crate::{Error, Result, app::App, clock::Time, id::TenantId, secrets::Place};
use indaba_providers::{Build, CallError, Capabilities, Extras, Link, Provider, Secrets};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A number within reach.
pub struct Reach {
    /// How its gateway speaks.
    pub provider: &'static dyn Provider,
    /// Where, and with which key.
    pub link: Link,
    /// What it can do.
    pub capabilities: Capabilities,
    /// How it is doing, as last known.
    pub state: State,
    /// The gateway's own time of that state.
    pub state_at: Time,
    /// No sends before this.
    pub paused_until: Option<Time>,
    /// No sends before this to people who never wrote.
    pub firsts_paused_until: Option<Time>,
    /// When the number was made.
    pub created_at: Time,
}

/// What is sealed in `instances.secrets`.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct InstanceSecrets {
    /// What signs its hooks; while it is being replaced, the old one comes second.
    pub hook_secrets: Vec<String>,
    /// A key of its own, where the gateway gave it one; else the gateway's is used.
    pub key: Option<String>,
    /// What only some providers need: `verifyToken`.
    pub more: BTreeMap<String, String>,
}

/// What stands in `instances.settings`: what only some providers need, and is no secret.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct Settings {
    /// Cloud: the Meta app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
}

impl Settings {
    /// As they are stored.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("plain JSON")
    }

    /// From the row.
    pub fn read(text: &str) -> Settings {
        serde_json::from_str(text).unwrap_or_default()
    }
}

/// By what a Meta app is known here: numbers whose hooks are signed with the same secret belong to one app.
pub(super) fn app_key(secret: &str) -> Vec<u8> {
    Sha256::digest([b"meta app\n", secret.as_bytes()].concat()).to_vec()
}

/// What is sealed in `gateways.secrets`.
#[derive(Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct GatewaySecrets {
    pub key: String,
    pub hook_secret: String,
    /// What a provider says when it asks whether the gateway's own hook URL is ours.
    pub verify_token: String,
}

impl InstanceSecrets {
    fn place(tenant: TenantId, id: &InstanceId) -> Place<'_> {
        Place { tenant: Some(tenant), table: "instances", row: &id.0, column: "secrets" }
    }

    pub fn seal(&self, app: &App, tenant: TenantId, id: InstanceId) -> Vec<u8> {
        app.secrets.seal(Self::place(tenant, &id), &serde_json::to_vec(self).expect("plain JSON"))
    }

    pub fn open(app: &App, tenant: TenantId, id: InstanceId, sealed: &[u8]) -> Result<InstanceSecrets> {
        parse(&app.secrets.open(Self::place(tenant, &id), sealed)?)
    }

    /// As a provider takes them.
    pub fn for_provider(&self) -> Secrets {
        Secrets {
            keys: self.hook_secrets.iter().map(|key| SecretString::from(key.as_str())).collect(),
            verify_token: self.more.get(VERIFY_TOKEN).map(|token| SecretString::from(token.as_str())),
        }
    }

    /// Puts into a link what is the number's own.
    pub fn complete(&self, link: &mut Link, settings: &str, account: Option<String>) {
        if let Some(key) = &self.key {
            link.key = SecretString::from(key.as_str());
        }
        link.secrets = self.for_provider();
        link.extras = Extras { waba_id: account, app_id: Settings::read(settings).app_id, pin: None };
    }
}

/// The name of the verify token among [`InstanceSecrets::more`].
pub(super) const VERIFY_TOKEN: &str = "verifyToken";

impl GatewaySecrets {
    fn place(id: &gateways::GatewayId) -> Place<'_> {
        Place { tenant: None, table: "gateways", row: &id.0, column: "secrets" }
    }

    pub fn seal(&self, app: &App, id: gateways::GatewayId) -> Vec<u8> {
        app.secrets.seal(Self::place(&id), &serde_json::to_vec(self).expect("plain JSON"))
    }

    pub fn open(app: &App, id: gateways::GatewayId, sealed: &[u8]) -> Result<GatewaySecrets> {
        parse(&app.secrets.open(Self::place(&id), sealed)?)
    }

    /// As a provider takes them.
    pub fn for_provider(&self) -> Secrets {
        let token = Some(self.verify_token.as_str()).filter(|token| !token.is_empty());
        Secrets { keys: vec![self.hook_secret.as_str().into()], verify_token: token.map(SecretString::from) }
    }
}

fn parse<T: for<'de> Deserialize<'de>>(plain: &[u8]) -> Result<T> {
    serde_json::from_slice(plain).map_err(|e| Error::Internal(format!("a sealed value is not what we wrote: {e}")))
}

/// Everything that speaking to this number takes. Errors: `Missing` (also deleted or another tenant's).
pub async fn reach(app: &App, tenant: TenantId, id: InstanceId) -> Result<Reach> {
    let access = app.db.read(tenant, move |tx| store::access(tx, id)).await?;
    let gateway = gateways::open(app, access.gateway_id).await?;
    let own = InstanceSecrets::open(app, tenant, id, &access.secrets)?;
    let provider = provider(&access.provider)?;
    let build = gateway.build();
    let mut link = gateway.link(app, &access.external_name)?;
    own.complete(&mut link, &access.settings, access.account);
    Ok(Reach {
        capabilities: super::without(provider.capabilities(&build), &access.capabilities_off),
        provider,
        link,
        state: access.state,
        state_at: access.state_at,
        paused_until: access.paused_until,
        firsts_paused_until: access.firsts_paused_until,
        created_at: access.created_at,
    })
}

/// The provider of this kind. Errors: 422 for one that this build does not have.
pub(super) fn provider(kind: &str) -> Result<&'static dyn Provider> {
    indaba_providers::find(kind).ok_or_else(|| {
        let known: Vec<&str> = indaba_providers::all().iter().map(|provider| provider.kind()).collect();
        Error::field("/provider", format!("one of {}", known.join(", ")))
    })
}

/// A gateway that was opened.
pub(super) struct OpenGateway {
    pub keys: gateways::store::Keys,
    pub secrets: GatewaySecrets,
}

impl OpenGateway {
    pub fn build(&self) -> Build {
        Build { version: self.keys.version.clone(), engine: self.keys.engine.clone(), tier: None }
    }

    /// A link to one of its instances, with the gateway's own key and secret.
    pub fn link(&self, app: &App, external_name: &str) -> Result<Link> {
        // where Meta's API is, the operator says for every tenant; and may say otherwise after an upgrade
        let metas = self.keys.kind == gateways::META && self.keys.tenant_id.is_some();
        let url = if metas { &app.config.graph_url } else { &self.keys.url };
        let url = url.parse().map_err(|e| Error::Internal(format!("a gateway's URL does not parse: {e}")))?;
        Ok(Link {
            http: if self.keys.tenant_id.is_some() && !metas { app.net.guarded() } else { app.net.trusted() },
            url,
            key: SecretString::from(self.secrets.key.as_str()),
            external_name: external_name.into(),
            build: self.build(),
            secrets: self.secrets.for_provider(),
            extras: Default::default(),
        })
    }
}

/// What a person is told when a call to a gateway failed.
pub fn problem(error: CallError) -> Error {
    match error {
        CallError::Unreachable(_) | CallError::Cut(_) | CallError::Strange(_) => Error::Unavailable(
            "The gateway does not answer as it should. Try again; if it stays so, check that it runs.".into(),
        ),
        CallError::Wait(after) => Error::TooMany(after),
        CallError::Invalid(detail) => Error::conflict("gateway-refused", "The gateway refused", detail),
        CallError::Denied(_) => Error::conflict(
            "gateway-denied",
            "The gateway does not let us in",
            "Its API key has changed: enter the new one.",
        ),
        CallError::Locked(detail) => Error::conflict("gateway-locked", "The gateway is locked", detail),
        CallError::Gone => Error::conflict(
            "gateway-forgot",
            "The gateway does not know this number any more",
            "Start it: it is made again, and linked with a new code.",
        ),
        CallError::NotFound(detail) => Error::conflict("not-found-there", "The gateway did not find it", detail),
        CallError::WrongState(state) => {
            Error::conflict("wrong-state", "The number is not ready for this", format!("It is in the state {state}."))
        }
        CallError::TooOld(version) => Error::conflict(
            "upgrade-gateway",
            "The gateway is too old for this",
            format!("Upgrade it to {version} or later."),
        ),
        CallError::NotSupported(_) => {
            Error::conflict("not-supported", "This number cannot do that", "Its gateway does not offer it.")
        }
        CallError::AccountLocked => Error::conflict(
            "account-locked",
            "WhatsApp has locked first messages from this number",
            "Replies still go. Wait, and answer rather than start conversations.",
        ),
    }
}

/// Random text of this many letters and digits, for URLs and names.
pub(super) fn random_token(length: usize) -> String {
    use rand::distr::{Alphanumeric, SampleString};
    Alphanumeric.sample_string(&mut rand::rng(), length)
}

/// A new secret to sign hooks with: 32 random bytes in hex.
pub(super) fn random_secret() -> SecretString {
    SecretString::from(hex::encode(rand::random::<[u8; 32]>()))
}

/// For putting a new secret into a sealed record.
pub(super) fn text(secret: &SecretString) -> String {
    secret.expose_secret().to_owned()
}
