//! Numbers of Meta's Cloud API. There is no gateway of anybody's: each number has an access token, and the secret of the Meta app that signs its
//! hooks. Both are proved when the number is made, and whoever holds the token owns the number.
use super::{
    GatewayId, InstanceId, answered, create, gateways,
    link::{self, InstanceSecrets, Settings, app_key},
    routes, store, view,
};
use crate::{
    Error, Result,
    app::App,
    audit,
    clock::Time,
    http::{Check, Who},
    id::TenantId,
};
use indaba_providers::{CallError, Check as Checked, CheckStep, Extras, Link, Pin, Provider, Secrets, Session};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use utoipa::ToSchema;

/// What a number of the Cloud API takes. Secrets are never given back.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloudSettings {
    /// The number's id at Meta, digits.
    phone_number_id: String,
    /// The WhatsApp Business account's id, digits.
    waba_id: String,
    /// A token of a system user with `whatsapp_business_messaging` and `whatsapp_business_management`.
    #[schema(value_type = String)]
    access_token: SecretString,
    /// The Meta app's id, digits. With it the app secret is proved too.
    app_id: Option<String>,
    /// The Meta app's secret: it signs hooks. Only where the operator has a Meta app of its own it may be left out.
    #[schema(value_type = Option<String>)]
    app_secret: Option<SecretString>,
    /// What Meta is to say in its handshake; made here, if left out.
    #[schema(value_type = Option<String>)]
    verify_token: Option<SecretString>,
    /// The number's PIN, six digits: registers it. Left out: it is registered already.
    #[schema(value_type = Option<String>)]
    pin: Option<SecretString>,
}

/// New keys of a number.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CloudChange {
    /// Another access token. It is tried first.
    #[schema(value_type = Option<String>)]
    access_token: Option<SecretString>,
    /// The Meta app's new secret; hooks signed with the old one are believed too, until there is a newer one.
    #[schema(value_type = Option<String>)]
    app_secret: Option<SecretString>,
    /// The number's PIN, six digits: registers it again, and subscribes its account anew.
    #[schema(value_type = Option<String>)]
    pin: Option<SecretString>,
}

fn digits(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A token or secret as it is pasted: printable, and without the white space around it.
fn pasted(secret: &SecretString) -> Option<SecretString> {
    let text = secret.expose_secret().trim();
    let fits = (8..=2_000).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| text.into())
}

/// Six digits, with or without white space around them.
fn is_pin(pin: &SecretString) -> bool {
    let pin = pin.expose_secret().trim();
    pin.len() == 6 && digits(pin, 6)
}

const PIN: &str = "The number's PIN has six digits.";
const ID: &str = "A number of digits, as Meta's page “API Setup” shows it.";
const PASTED: &str = "Paste all of it: at least 8 characters, no spaces.";

impl CloudSettings {
    /// Without the white space of pasting. Errors: 422 with each field that is wrong.
    fn tidy(self) -> Result<CloudSettings> {
        let trimmed = |text: &str| text.trim().to_owned();
        let filled = |secret: Option<SecretString>| secret.filter(|secret| !secret.expose_secret().trim().is_empty());
        let (app_secret, verify_token, pin) = (filled(self.app_secret), filled(self.verify_token), filled(self.pin));
        let app_id = self.app_id.as_deref().map(trimmed).filter(|id| !id.is_empty());
        let (phone_number_id, waba_id) = (trimmed(&self.phone_number_id), trimmed(&self.waba_id));
        let token = pasted(&self.access_token);
        let mut check = Check::default();
        check.that(digits(&phone_number_id, 32), "/settings/phoneNumberId", ID);
        check.that(digits(&waba_id, 32), "/settings/wabaId", ID);
        check.that(token.is_some(), "/settings/accessToken", PASTED);
        check.that(app_id.as_deref().is_none_or(|id| digits(id, 32)), "/settings/appId", ID);
        let fits = |secret: &Option<SecretString>| secret.as_ref().is_none_or(|secret| pasted(secret).is_some());
        check.that(fits(&app_secret), "/settings/appSecret", PASTED);
        check.that(fits(&verify_token), "/settings/verifyToken", PASTED);
        check.that(pin.as_ref().is_none_or(is_pin), "/settings/pin", PIN);
        check.done()?;
        Ok(CloudSettings {
            phone_number_id,
            waba_id,
            access_token: token.expect("just checked"),
            app_id,
            app_secret: app_secret.as_ref().and_then(pasted),
            verify_token: verify_token.as_ref().and_then(pasted),
            pin: pin.map(|pin| pin.expose_secret().trim().into()),
        })
    }
}

/// What speaks to Meta.
fn provider() -> Result<&'static dyn Provider> {
    link::provider(gateways::META)
}

/// Makes a number: its token, its ids and the app's secret are proved, its account is subscribed with our hook URL, and it is registered when there
/// is a PIN.
///
/// The row comes before the subscription: Meta calls our URL, with the verify token, before it answers.
pub(super) async fn create(app: &App, who: &Who, name: String, settings: CloudSettings) -> Result<InstanceId> {
    let settings = settings.tidy()?;
    let (gateway, app_secret) = gateway(app, who.tenant, settings.app_secret.as_ref()).await?;
    let token = settings.verify_token.clone().unwrap_or_else(|| link::random_token(32).into());
    let secrets = InstanceSecrets {
        hook_secrets: vec![link::text(&app_secret)],
        key: Some(link::text(&settings.access_token)),
        more: [(link::VERIFY_TOKEN.to_owned(), link::text(&token))].into(),
    };
    let mut link = link_to(app, gateway, &settings.phone_number_id).await?;
    link.key = settings.access_token.clone();
    link.secrets = Secrets { keys: vec![app_secret.clone()], verify_token: Some(token) };
    link.extras = Extras {
        waba_id: Some(settings.waba_id.clone()),
        app_id: settings.app_id.clone(),
        pin: settings.pin.clone().map(Pin),
    };
    prove(&link).await?;

    let id = InstanceId::at(app.clock.now());
    gateways::take_place(app, who.tenant, Some(gateway), None).await?;
    let made = settle(app, who, id, gateway, name, &link, &secrets).await;
    if made.is_err() {
        create::take_back(app, who, id, gateway).await?;
    }
    made.map(|()| id)
}

/// On which gateway it is, and what signs its hooks: the tenant's own app, or the operator's.
async fn gateway(app: &App, tenant: TenantId, own: Option<&SecretString>) -> Result<(GatewayId, SecretString)> {
    if let Some(secret) = own {
        return Ok((gateways::of_meta(app, tenant).await?, secret.clone()));
    }
    let known = app.db.system_read("speak to a gateway", gateways::store::metas_of_operator).await?;
    let known = known
        .ok_or_else(|| Error::field("/settings/appSecret", "The app's secret is missing: it signs what Meta sends."))?;
    let gateway = gateways::open(app, known.id).await?;
    Ok((known.id, gateway.secrets.hook_secret.into()))
}

async fn link_to(app: &App, gateway: GatewayId, number: &str) -> Result<Link> {
    gateways::open(app, gateway).await?.link(app, number)
}

/// Errors: 422 at the field that is wrong.
async fn prove(link: &Link) -> Result<Checked> {
    let checked = provider()?.check(link).await.map_err(|e| refused(e, link))?;
    // that the account is not subscribed is what comes next
    let wrong = |step: &&CheckStep| !step.ok && step.name != "subscription";
    match checked.steps.iter().find(wrong) {
        None => Ok(checked),
        Some(step) => Err(at_field(step)),
    }
}

fn at_field(step: &CheckStep) -> Error {
    let pointer = match step.name.as_str() {
        "number" => "/settings/phoneNumberId",
        "account" => "/settings/wabaId",
        "secret" => "/settings/appSecret",
        "version" => return Error::Unavailable(format!("INDABA_GRAPH_URL is wrong: {}.", step.detail)),
        _ => "/settings/accessToken",
    };
    Error::field(pointer, sentence(&step.detail))
}

/// With a capital and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.trim().chars();
    let first: String = letters.next().map(|first| first.to_uppercase().collect()).unwrap_or_default();
    let text = first + letters.as_str();
    if text.ends_with(['.', '!', '?']) { text } else { text + "." }
}

/// What Meta refused, at the field that makes it so.
fn refused(error: CallError, link: &Link) -> Error {
    let field = |name: &str, why: &str| Error::field(format!("/settings/{name}"), sentence(why));
    match error {
        CallError::Denied(why) => field("accessToken", &why),
        CallError::Gone => field("phoneNumberId", "Meta knows no such number, or the access token may not use it"),
        CallError::Invalid(why) => {
            let told = why.to_lowercase();
            if link.extras.pin.is_some() && told.contains("pin") {
                field("pin", &why)
            } else if told.contains("appsecret_proof") {
                field("appSecret", "The app secret is not that of the app whose token this is")
            } else if told.contains("callback") || told.contains("verify_token") {
                Error::conflict(
                    "hook-unreachable",
                    "Meta did not reach this Indaba",
                    format!(
                        "{} Its address must be open to the internet by https. Ask the operator to look at INDABA_PUBLIC_URL.",
                        sentence(&why)
                    ),
                )
            } else {
                Error::conflict("gateway-refused", "Meta refused", sentence(&why))
            }
        }
        CallError::Unreachable(_) | CallError::Cut(_) | CallError::Strange(_) => {
            Error::Unavailable("Meta does not answer as it should. Nothing was changed: try again in a minute.".into())
        }
        other => link::problem(other),
    }
}

async fn settle(
    app: &App,
    who: &Who,
    id: InstanceId,
    gateway: GatewayId,
    name: String,
    link: &Link,
    secrets: &InstanceSecrets,
) -> Result<()> {
    let (tenant, asked) = (who.tenant, who.clone());
    let token = link::random_token(32);
    let hook_url = create::hook_url(app, gateways::META, &token);
    let setup = create::setup(&hook_url, id)?;
    let (sealed, number) = (secrets.seal(app, tenant, id), link.external_name.clone());
    let (key, extras) = (app_key(&secrets.hook_secrets[0]), link.extras.clone());
    app.db
        .write(tenant, move |tx| {
            let now = tx.now();
            let new = store::New {
                id,
                gateway,
                provider: gateways::META,
                name: &name,
                external_name: &number,
                hook_token: &token,
                hook_url: &hook_url,
                secrets: &sealed,
                settings: &Settings { app_id: extras.app_id.clone() }.text(),
                app_key: Some(&key),
                account: extras.waba_id.as_deref(),
            };
            if !store::insert(tx, &new, now)? {
                return Err(Error::conflict(
                    "number-taken",
                    "This number is connected already",
                    "A phone number id can be used once. If it is not among your numbers, another workspace has it.",
                ));
            }
            tx.ring(routes::BELL, id);
            let made = view::told(&store::get(tx, id)?);
            audit::record(tx, &asked, "instance.create", &(), &made)
        })
        .await?;
    let created = provider()?.create(link, &setup).await.map_err(|e| refused(e, link))?;
    let session = created.session;
    app.db.write(tenant, move |tx| answered(tx, id, &session, Time::default())).await
}

/// Gives a number new keys, or registers it again. They are tried first; a number that stood still because of the old ones goes on.
pub(super) async fn renew(app: &App, who: &Who, id: InstanceId, change: CloudChange) -> Result<()> {
    let (tenant, asked) = (who.tenant, who.clone());
    let access = app.db.read(tenant, move |tx| store::access(tx, id)).await?;
    if access.provider != gateways::META {
        return Err(Error::field("/settings", "This number has no keys of its own: its gateway has them."));
    }
    let mut check = Check::default();
    let fits = |secret: &Option<SecretString>| secret.as_ref().is_none_or(|secret| pasted(secret).is_some());
    check.that(fits(&change.access_token), "/settings/accessToken", PASTED);
    check.that(fits(&change.app_secret), "/settings/appSecret", PASTED);
    check.that(change.pin.as_ref().is_none_or(is_pin), "/settings/pin", PIN);
    check.done()?;
    let mut own = InstanceSecrets::open(app, tenant, id, &access.secrets)?;
    let before = own.hook_secrets.first().cloned().unwrap_or_default();
    if let Some(token) = change.access_token.as_ref().and_then(pasted) {
        own.key = Some(link::text(&token));
    }
    let secret = change.app_secret.as_ref().and_then(pasted).map(|secret| link::text(&secret));
    if let Some(secret) = &secret {
        own.renew_secret(secret);
    }
    let mut link = link_to(app, access.gateway_id, &access.external_name).await?;
    own.complete(&mut link, &access.settings, access.account);
    prove(&link).await?;
    link.extras.pin = change.pin.map(|pin| Pin(pin.expose_secret().trim().into()));
    let looked = match &link.extras.pin {
        Some(_) => {
            let setup = create::setup(&access.hook_url, id)?;
            provider()?.create(&link, &setup).await.map(|created| created.session)
        }
        None => provider()?.status(&link).await,
    };
    let session: Session = looked.map_err(|e| refused(e, &link))?;

    // the app's other numbers get its new secret too, if Meta has confirmed it (which takes the app's id) and it is the same app (which a
    // new token leaves open)
    let proved = link.extras.app_id.is_some() && change.access_token.is_none();
    let old_key = app_key(&before);
    let others = app.db.read(tenant, move |tx| store::of_app(tx, &old_key)).await?;
    let mut sealed = vec![(id, own.seal(app, tenant, id))];
    if let Some(secret) = secret.as_ref().filter(|_| proved) {
        for (other, secrets) in others.into_iter().filter(|(other, _)| *other != id) {
            let mut theirs = InstanceSecrets::open(app, tenant, other, &secrets)?;
            theirs.renew_secret(secret);
            sealed.push((other, theirs.seal(app, tenant, other)));
        }
    }
    let (key, known) = (app_key(&own.hook_secrets[0]), access.state_at);
    app.db
        .write(tenant, move |tx| {
            for (number, secrets) in &sealed {
                store::set_app(tx, *number, &key, secrets)?;
                tx.ring(routes::BELL, number);
            }
            let before = view::told(&store::get(tx, id)?);
            answered(tx, id, &session, known)?;
            let after = view::told(&store::get(tx, id)?);
            audit::record(tx, &asked, "instance.renew", &before, &after)
        })
        .await
}

/// The operator's Meta app has this secret now: its numbers, of all tenants, are verified with it, and found by it.
pub(super) async fn take_over(app: &App, gateway: GatewayId, secret: &SecretString) -> Result<()> {
    let secret = link::text(secret);
    let key = app_key(&secret);
    let wanted = key.clone();
    let others = app.db.system_read("speak to a gateway", move |tx| store::of_other_apps(tx, gateway, &wanted)).await?;
    for (tenant, id) in others {
        let access = app.db.read(tenant, move |tx| store::access(tx, id)).await?;
        let mut secrets = InstanceSecrets::open(app, tenant, id, &access.secrets)?;
        secrets.renew_secret(&secret);
        let (sealed, key) = (secrets.seal(app, tenant, id), key.clone());
        app.db
            .write(tenant, move |tx| {
                store::set_app(tx, id, &key, &sealed)?;
                tx.ring(routes::BELL, id);
                Ok(())
            })
            .await?;
    }
    Ok(())
}

impl InstanceSecrets {
    /// A new secret of the app comes first; the one before is still believed.
    fn renew_secret(&mut self, new: &str) {
        self.hook_secrets.retain(|known| known != new);
        self.hook_secrets.insert(0, new.to_owned());
        self.hook_secrets.truncate(2);
    }
}
