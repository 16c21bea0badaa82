//! Gateways: servers that speak a provider's wire. The operator's carry the numbers of many tenants; a tenant's own only its own.
pub mod http;
pub(super) mod store;

use super::{
    link::{GatewaySecrets, OpenGateway, problem, random_secret, random_token, text},
    view,
};
use crate::{Error, Result, app::App, clock::Time, config, db::SystemTx, id::TenantId};
use indaba_providers::{CallError, Check, Provider};
use secrecy::SecretString;
use std::time::Duration;

id! {
    /// A gateway.
    GatewayId, "gtw"
}

words! {
    /// Whether a gateway answers.
    pub enum Health as GatewayHealthState {
        /// Nobody has looked yet.
        Unknown = "unknown",
        /// It answered the last time.
        Ok = "ok",
        /// It did not; no new number is placed on it.
        Down = "down",
        /// It answers, and refuses: a licence, a key.
        Locked = "locked",
    }
}

row! {
    /// A gateway as people see it: without its keys.
    #[derive(Clone, Debug)]
    pub struct Gateway {
        pub id: GatewayId,
        pub tenant_id: Option<TenantId>,
        pub kind: String,
        pub name: String,
        pub url: String,
        pub region: Option<String>,
        pub capacity: i64,
        pub instances: i64,
        pub draining: bool,
        pub health: Health,
        pub health_detail: Option<String>,
        pub version: Option<String>,
        pub engine: Option<String>,
        pub checked_at: Option<Time>,
        pub created_at: Time,
    }
}

/// The kind of gateway that is Meta itself: nobody's server, reached with each number's own token.
pub const META: &str = "cloud";

/// A gateway of one's own carries as many numbers as its machine can bear; nobody else's count on it.
const OWN_CAPACITY: i64 = 1000;

/// What the operator, or a tenant, says of a gateway that is to be used.
pub struct Offer {
    /// None: the operator's.
    pub tenant: Option<TenantId>,
    /// `waha`; `simulator` and `native` speak its wire.
    pub kind: String,
    /// For people; the host, if left out.
    pub name: Option<String>,
    /// Where it answers.
    pub url: String,
    /// Its API key.
    pub key: SecretString,
    /// Signs its global hooks; made here, if left out.
    pub hook_secret: Option<SecretString>,
    /// What it says when it asks whether the URL of its global hooks is ours.
    pub verify_token: Option<SecretString>,
    /// Where it stands.
    pub region: Option<String>,
    /// Numbers it can carry.
    pub capacity: Option<i64>,
}

impl Offer {
    /// A gateway of the operator's of which no more is said.
    pub fn of(kind: String, url: String, key: SecretString) -> Offer {
        Offer {
            tenant: None,
            kind,
            name: None,
            url,
            key,
            hook_secret: None,
            verify_token: None,
            region: None,
            capacity: None,
        }
    }
}

/// The wire that a gateway of this kind speaks. Errors: 422 for a kind that this build does not know.
pub fn provider(kind: &str) -> Result<&'static dyn Provider> {
    super::link::provider(match kind {
        "simulator" | "native" => "waha",
        kind => kind,
    })
    .map_err(|_| Error::field("/kind", "is not a kind of gateway that we can speak to"))
}

/// A gateway with its keys opened. Errors: `Missing`.
pub(super) async fn open(app: &App, id: GatewayId) -> Result<OpenGateway> {
    let keys = app.db.system_read("speak to a gateway", move |tx| store::keys(tx, id)).await?;
    let secrets = GatewaySecrets::open(app, id, &keys.secrets)?;
    Ok(OpenGateway { keys, secrets })
}

/// `http://host:port`, as it is stored and compared: no path at its end, no credentials. Errors: 422.
fn tidy(url: &str) -> Result<String> {
    let wrong = |why: &str| Error::field("/url", why);
    let parsed: url::Url = url.trim().parse().map_err(|_| wrong("a whole URL, such as https://waha.example.com"))?;
    if !matches!(parsed.scheme(), "http" | "https") || parsed.host_str().is_none_or(str::is_empty) {
        return Err(wrong("begins with http:// or https://"));
    }
    if !parsed.username().is_empty()
        || parsed.password().is_some()
        || parsed.query().is_some()
        || parsed.fragment().is_some()
    {
        return Err(wrong("a server and perhaps a path: no name, password, query or fragment"));
    }
    if parsed.as_str().len() > 500 {
        return Err(wrong("at most 500 characters"));
    }
    Ok(parsed.as_str().trim_end_matches('/').to_owned())
}

/// The gateway that this offer describes: the one we know at this address, or a new one. It must answer, and take the key.
/// Errors: 422 with what to mend.
pub async fn find_or_add(app: &App, offer: Offer) -> Result<GatewayId> {
    let url = tidy(&offer.url)?;
    let provider = provider(&offer.kind)?;
    if offer.tenant.is_some() {
        if offer.kind == META {
            return Err(Error::field("/kind", "The Cloud API has no gateway: add the number with its access token."));
        }
        app.net.check(&url).map_err(|why| Error::field("/url", why.to_string()))?;
    }
    let (tenant, kind, at) = (offer.tenant, offer.kind.clone(), url.clone());
    let known = app.db.system_read("speak to a gateway", move |tx| store::by_url(tx, tenant, &kind, &at)).await?;
    let id = known.as_ref().map_or_else(|| GatewayId::at(app.clock.now()), |known| known.id);
    // what is not said anew stays
    let before = known.as_ref().map(|known| GatewaySecrets::open(app, id, &known.secrets)).transpose()?;
    let kept = |given: &Option<SecretString>, before: Option<String>| given.as_ref().map(text).or(before);
    let (old_secret, old_token) = before.map(|it| (it.hook_secret, it.verify_token)).unzip();
    let gateway = OpenGateway {
        secrets: GatewaySecrets {
            key: text(&offer.key),
            hook_secret: kept(&offer.hook_secret, old_secret).unwrap_or_else(|| text(&random_secret())),
            verify_token: kept(&offer.verify_token, old_token).unwrap_or_default(),
        },
        keys: known.clone().unwrap_or_else(|| store::Keys {
            id,
            tenant_id: tenant,
            kind: offer.kind.clone(),
            url: url.clone(),
            secrets: Vec::new(),
            hook_token: random_token(32),
            version: None,
            engine: None,
        }),
    };
    // the operator's gateway may come up after us: it is looked at later, and then every minute
    let check = match tenant {
        Some(_) => Some(provider.check(&gateway.link(app, "")?).await.map_err(mend)?),
        None => None,
    };
    if let Some(step) = check.as_ref().and_then(|check| check.steps.iter().find(|step| !step.ok)) {
        let pointer = if step.name == "key" { "/apiKey" } else { "/url" };
        return Err(Error::field(pointer, step.detail.clone()));
    }
    let sealed = gateway.secrets.seal(app, id);
    let name = offer.name.clone().unwrap_or_else(|| host(&url));
    let capacity = offer.capacity.unwrap_or(OWN_CAPACITY);
    app.db
        .system("change a gateway", move |tx| {
            if known.is_some() {
                store::set_secrets(tx, id, &sealed)?;
            } else {
                let (keys, region, now) = (&gateway.keys, offer.region.as_deref(), tx.now());
                store::insert(
                    tx,
                    id,
                    tenant,
                    &keys.kind,
                    &name,
                    &url,
                    &sealed,
                    &keys.hook_token,
                    region,
                    capacity,
                    now,
                )?;
            }
            if let Some(check) = &check {
                note(tx, id, Ok(check))?;
            }
            tx.ring(super::routes::BELL, id);
            Ok(())
        })
        .await?;
    Ok(id)
}

fn host(url: &str) -> String {
    url.parse::<url::Url>().ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_else(|| "Gateway".into())
}

/// What a person who entered a gateway is told when it does not answer as it should.
fn mend(error: CallError) -> Error {
    match error {
        CallError::Unreachable(_) | CallError::Cut(_) => {
            Error::field("/url", "Nothing answers there. Check the address, and that the gateway runs.")
        }
        CallError::Denied(_) => Error::field("/apiKey", "The gateway does not take this key."),
        CallError::Strange(_) | CallError::NotFound(_) | CallError::Invalid(_) => {
            Error::field("/url", "Something answers there, but not a gateway of this kind.")
        }
        other => problem(other),
    }
}

/// Two looks that fail within this time are one: several may be asked for at once.
const SAME_LOOK: Duration = Duration::from_secs(30);

/// Writes down what a look at a gateway showed. Its numbers show it too: one that does not answer for the second time, or another that does.
fn note(tx: &mut SystemTx, id: GatewayId, looked: Result<&Check, &CallError>) -> Result<()> {
    let (now, (before, last)) = (tx.now(), store::health(tx, id)?);
    let health = match looked {
        Ok(check) => {
            let step = check.steps.iter().find(|step| !step.ok);
            let health = if step.is_none() { Health::Ok } else { Health::Locked };
            let (version, engine) = (check.build.version.as_deref(), check.build.engine.as_deref());
            store::set_health(tx, id, health, step.map(|step| step.detail.as_str()), version, engine, now)?;
            // one that is only old works, with less
            let shut = check.steps.iter().any(|step| !step.ok && step.name != "version");
            if shut { Health::Locked } else { Health::Ok }
        }
        Err(error) => {
            let health = if matches!(error, CallError::Denied(_) | CallError::Locked(_)) {
                Health::Locked
            } else {
                Health::Down
            };
            let again =
                last.filter(|last| (before, health) == (Health::Down, Health::Down) && now.since(*last) < SAME_LOOK);
            store::set_health(tx, id, health, Some(&error.to_string()), None, None, again.unwrap_or(now))?;
            if health == Health::Down && (before != Health::Down || again.is_some()) {
                return Ok(()); // it may be back in a minute
            }
            health
        }
    };
    let mut numbers = super::store::set_gateway_health(tx, id, health)?;
    numbers.sort_unstable(); // whoever tells several tenants takes their events in this order
    for (tenant, number) in numbers {
        tx.as_tenant(tenant, |tx| {
            let number = super::store::get(tx, number)?;
            view::tell(tx, &number)
        })?;
    }
    Ok(())
}

/// Looks at a gateway and writes down how it is. At Meta there is nothing to look at without a number.
pub async fn check(app: &App, id: GatewayId) -> Result<()> {
    let gateway = open(app, id).await?;
    if gateway.keys.kind == META && gateway.secrets.key.is_empty() {
        return Ok(());
    }
    let looked = provider(&gateway.keys.kind)?.check(&gateway.link(app, "")?).await;
    app.db.system("change a gateway", move |tx| note(tx, id, looked.as_ref())).await
}

/// What stands for Meta among a tenant's gateways: its numbers have their keys themselves.
pub(super) async fn of_meta(app: &App, tenant: TenantId) -> Result<GatewayId> {
    let id = GatewayId::at(app.clock.now());
    let sealed = GatewaySecrets::default().seal(app, id);
    let token = random_token(32);
    app.db
        .system("change a gateway", move |tx| {
            if let Some(known) = store::by_url(tx, Some(tenant), META, META)? {
                return Ok(known.id);
            }
            let (name, now) = ("WhatsApp Cloud API", tx.now());
            store::insert(tx, id, Some(tenant), META, name, META, &sealed, &token, None, OWN_CAPACITY, now)?;
            Ok(id)
        })
        .await
}

/// Whether the configuration names this gateway: its key, and whether it is there, are said there.
fn is_configured(app: &App, gateway: &Gateway) -> bool {
    let set = &app.config.gateway;
    let url = set.url.as_deref().and_then(|url| tidy(url).ok());
    gateway.tenant_id.is_none() && set.kind.as_deref() == Some(&*gateway.kind) && url.as_deref() == Some(&*gateway.url)
}

/// Takes a place for a new number: on this gateway, or else on the operator's least loaded healthy one. Errors: 409 when there is none.
pub async fn take_place(
    app: &App,
    tenant: TenantId,
    wanted: Option<GatewayId>,
    kind: Option<String>,
) -> Result<GatewayId> {
    let full = || {
        Error::conflict(
            "gateway-full",
            "This gateway takes no more numbers",
            "It is full or being emptied. Choose another, or ask its operator.",
        )
    };
    let none = || {
        Error::conflict(
            "no-gateway",
            "There is no gateway with room",
            "Connect a gateway of your own (its URL and API key), or ask the operator for one.",
        )
    };
    app.db
        .system("place a number on a gateway", move |tx| match wanted {
            Some(id) => {
                store::get(tx, tenant, id)?; // its own, or the operator's
                if store::take_place_on(tx, id)? == 1 { Ok(id) } else { Err(full()) }
            }
            None => store::take_place(tx, kind.as_deref())?.map(|(id,)| id).ok_or_else(none),
        })
        .await
}

/// Makes (or brings in line) the operator's first gateway, as the configuration names it. For start-up. The numbers of a Meta app whose secret is
/// another one now take it over.
pub async fn from_config(app: &App, set: &config::Gateway) -> Result<()> {
    let (Some(kind), Some(url)) = (&set.kind, &set.url) else { return Ok(()) };
    let key = set.key.clone().unwrap_or_else(|| SecretString::from(""));
    let offer = Offer {
        hook_secret: set.hook_secret.clone(),
        verify_token: set.verify_token.clone(),
        region: set.region.clone(),
        capacity: Some(set.capacity.into()),
        ..Offer::of(kind.clone(), url.clone(), key)
    };
    let id = find_or_add(app, offer).await?;
    if let Some(secret) = set.hook_secret.as_ref().filter(|_| kind == META) {
        super::cloud::take_over(app, id, secret).await?;
    }
    let app = app.clone();
    tokio::spawn(async move { check(&app, id).await });
    Ok(())
}
