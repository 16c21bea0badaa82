//! Routes of gateways.
use super::{Gateway, GatewayId, Health, Offer, provider, store};
use crate::{
    Error, Result,
    app::App,
    audit,
    clock::Time,
    http::{Admin, After, Json, Page, Path, Problem, Who},
    instances::{form::name, routes},
};
use axum::{extract::State, http::StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

/// What this part of the room answers to.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, create))
        .routes(routes!(change, delete))
        .routes(routes!(check))
        .routes(routes!(setup))
}

/// A gateway.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Gateway)]
pub struct View {
    /// Its id.
    pub id: GatewayId,
    /// What it is called.
    pub name: String,
    /// `waha`, `evolution`.
    pub kind: String,
    /// Where it answers. The operator's addresses are the operator's business.
    #[schema(required)]
    pub url: Option<String>,
    /// `operator` or `tenant`.
    pub owner: &'static str,
    /// Where it stands.
    #[schema(required)]
    pub region: Option<String>,
    /// Numbers it can carry.
    pub capacity: i64,
    /// Numbers it carries.
    pub instances: i64,
    /// It takes no new ones.
    pub draining: bool,
    /// How the last look at it went.
    pub health: HealthView,
    /// When it was added.
    pub created_at: Time,
}

/// How the last look at a gateway went.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GatewayHealth)]
pub struct HealthView {
    /// In a word.
    pub state: Health,
    /// What it runs, `2026.6.1`.
    #[schema(required)]
    pub version: Option<String>,
    /// `NOWEB`, `GOWS`, `WEBJS`.
    #[schema(required)]
    pub engine: Option<String>,
    /// What was wrong.
    #[schema(required)]
    pub detail: Option<String>,
    /// When that was.
    #[schema(required)]
    pub checked_at: Option<Time>,
}

impl Gateway {
    /// `operator` or `tenant`.
    pub fn owner(&self) -> &'static str {
        if self.tenant_id.is_some() { "tenant" } else { "operator" }
    }

    fn is_for(&self, who: &Who) -> bool {
        self.tenant_id.is_some() || who.operator
    }

    fn view(&self, who: &Who) -> View {
        View { url: self.is_for(who).then(|| self.url.clone()), ..self.told() }
    }

    /// As the audit log of a workspace has it.
    fn told(&self) -> View {
        View {
            owner: self.owner(),
            url: self.tenant_id.map(|_| self.url.clone()),
            id: self.id,
            name: self.name.clone(),
            kind: self.kind.clone(),
            region: self.region.clone(),
            capacity: self.capacity,
            instances: self.instances,
            draining: self.draining,
            health: HealthView {
                state: self.health,
                version: self.version.clone(),
                engine: self.engine.clone(),
                detail: self.health_detail.clone(),
                checked_at: self.checked_at,
            },
            created_at: self.created_at,
        }
    }
}

async fn one(app: &App, who: &Who, id: GatewayId) -> Result<Gateway> {
    let tenant = who.tenant;
    app.db.system_read("show gateways", move |tx| store::get(tx, tenant, id)).await
}

/// One of the tenant's own, or any for the operator. Errors: `Missing`; 403.
async fn own(app: &App, who: &Who, id: GatewayId) -> Result<Gateway> {
    let gateway = one(app, who, id).await?;
    if gateway.is_for(who) {
        return Ok(gateway);
    }
    Err(Error::Forbidden("This gateway belongs to the operator, who alone may change it.".into()))
}

/// The gateways that numbers may be put on: the tenant's own, and the operator's.
#[utoipa::path(get, path = "/api/gateways", tag = "gateways", params(After), responses((status = 200, body = Page<View>)))]
async fn list(State(app): State<App>, who: Admin, after: After) -> Result<Json<Page<View>>> {
    let (tenant, from, rows) = (who.tenant, after.key()?.unwrap_or(GatewayId::NIL), after.rows());
    let rows = app.db.system_read("show gateways", move |tx| store::page(tx, tenant, from, rows)).await?;
    Ok(Json(Page::of(rows, &after, |row| row.id).map(|row| row.view(&who))))
}

/// A gateway of one's own.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NewGateway)]
pub struct New {
    /// `waha`, `evolution`.
    kind: String,
    /// What to call it; its host, if left out.
    name: Option<String>,
    /// Where it answers.
    url: String,
    /// Its API key. Never given back.
    #[serde(default)]
    #[schema(value_type = String)]
    api_key: SecretString,
    /// Where it stands.
    region: Option<String>,
    /// Numbers it can carry.
    capacity: Option<i64>,
}

/// Adds a gateway, which must answer and take the key. One that is known at this address gets the new key.
#[utoipa::path(post, path = "/api/gateways", tag = "gateways", request_body = New,
    responses((status = 201, body = View), (status = 422, body = Problem)))]
async fn create(State(app): State<App>, who: Admin, Json(new): Json<New>) -> Result<(StatusCode, Json<View>)> {
    let offer = Offer {
        tenant: Some(who.tenant),
        name: new.name.as_deref().map(name).transpose()?,
        region: region(new.region)?,
        capacity: new.capacity.map(capacity).transpose()?,
        ..Offer::of(new.kind, new.url, new.api_key)
    };
    let id = super::find_or_add(&app, offer).await?;
    let made = one(&app, &who, id).await?;
    let (asked, told, view) = (who.0.clone(), made.told(), made.view(&who));
    app.db.write(who.tenant, move |tx| audit::record(tx, &asked, "gateway.add", &(), &told)).await?;
    Ok((StatusCode::CREATED, Json(view)))
}

fn capacity(n: i64) -> Result<i64> {
    if (1..=10_000).contains(&n) { Ok(n) } else { Err(Error::field("/capacity", "1 to 10000")) }
}

fn region(given: Option<String>) -> Result<Option<String>> {
    let region = given.map(|region| region.trim().to_owned()).filter(|region| !region.is_empty());
    if region.as_ref().is_some_and(|region| region.chars().count() > 60) {
        return Err(Error::field("/region", "at most 60 characters"));
    }
    Ok(region)
}

/// What may change about a gateway.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = GatewayChange)]
pub struct Change {
    /// What to call it.
    name: Option<String>,
    /// Where it stands; null: nobody says.
    #[serde(default, deserialize_with = "crate::http::given")]
    #[schema(value_type = Option<String>)]
    region: Option<Option<String>>,
    /// Numbers it can carry.
    capacity: Option<i64>,
    /// Takes no new numbers.
    draining: Option<bool>,
    /// Another API key. It is tried first.
    #[schema(value_type = Option<String>)]
    api_key: Option<SecretString>,
}

/// A gateway after a change, as the audit log has it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    #[serde(flatten)]
    view: View,
    key_changed: bool,
}

fn configured() -> Error {
    Error::conflict(
        "configured",
        "This gateway is named in the configuration",
        "Change its key, or leave it out, in the server's configuration, and restart.",
    )
}

/// Changes one of the tenant's own gateways; for the operator, any, but for its key, which the configuration has.
#[utoipa::path(patch, path = "/api/gateways/{id}", tag = "gateways", params(("id" = GatewayId, Path)), request_body = Change,
    responses((status = 200, body = View), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn change(
    State(app): State<App>,
    who: Admin,
    Path(id): Path<GatewayId>,
    Json(change): Json<Change>,
) -> Result<Json<View>> {
    let before = own(&app, &who, id).await?;
    let name = change.name.as_deref().map(name).transpose()?;
    let region = change.region.map(region).transpose()?;
    let capacity = change.capacity.map(capacity).transpose()?;
    let key_changed = change.api_key.is_some();
    if let Some(key) = change.api_key {
        if before.tenant_id.is_none() {
            return Err(configured());
        }
        let offer = Offer { tenant: before.tenant_id, ..Offer::of(before.kind.clone(), before.url.clone(), key) };
        super::find_or_add(&app, offer).await?;
    }
    let asked = who.0.clone();
    let changed = app.db.system("change a gateway", move |tx| {
        let before = store::locked(tx, asked.tenant, id)?;
        let after = Gateway {
            name: name.clone().unwrap_or_else(|| before.name.clone()),
            region: region.clone().unwrap_or_else(|| before.region.clone()),
            capacity: capacity.unwrap_or(before.capacity),
            draining: change.draining.unwrap_or(before.draining),
            ..before.clone()
        };
        store::change(tx, &after)?;
        let told = Told { view: after.told(), key_changed };
        tx.as_tenant(asked.tenant, |tx| audit::record(tx, &asked, "gateway.change", &before.told(), &told))?;
        Ok(after.view(&asked))
    });
    changed.await.map(Json)
}

/// Removes one of the tenant's own gateways (for the operator, any), once no number is on it.
#[utoipa::path(delete, path = "/api/gateways/{id}", tag = "gateways", params(("id" = GatewayId, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn delete(State(app): State<App>, who: Admin, Path(id): Path<GatewayId>) -> Result<StatusCode> {
    let gateway = own(&app, &who, id).await?;
    if super::is_configured(&app, &gateway) {
        return Err(configured());
    }
    let before = gateway.told();
    let asked = who.0.clone();
    app.db
        .system("change a gateway", move |tx| {
            if store::delete(tx, id)? == 0 {
                return Err(Error::conflict(
                    "gateway-in-use",
                    "There are numbers on this gateway",
                    "Delete or move them first.",
                ));
            }
            tx.ring(routes::BELL, id);
            tx.as_tenant(asked.tenant, |tx| audit::record(tx, &asked, "gateway.remove", &before, &()))
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Looks at a gateway now.
#[utoipa::path(post, path = "/api/gateways/{id}/check", tag = "gateways", params(("id" = GatewayId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem)))]
async fn check(State(app): State<App>, who: Admin, Path(id): Path<GatewayId>) -> Result<Json<View>> {
    one(&app, &who, id).await?;
    super::check(&app, id).await?;
    one(&app, &who, id).await.map(|gateway| Json(gateway.view(&who)))
}

/// What to set at a gateway whose one global hook serves all its numbers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SharedSetup {
    /// Where its hooks go.
    url: String,
    /// What it sends.
    events: Vec<&'static str>,
    /// Signs them.
    secret: String,
}

/// What to set at one of the tenant's own gateways, if it calls one URL for all its numbers.
#[utoipa::path(get, path = "/api/gateways/{id}/setup", tag = "gateways", params(("id" = GatewayId, Path)),
    responses((status = 200, body = SharedSetup), (status = 403, body = Problem), (status = 404, body = Problem),
              (status = 409, body = Problem)))]
async fn setup(State(app): State<App>, who: Admin, Path(id): Path<GatewayId>) -> Result<Json<SharedSetup>> {
    own(&app, &who, id).await?;
    let gateway = super::open(&app, id).await?;
    let provider = provider(&gateway.keys.kind)?;
    if !provider.shared_hooks() {
        return Err(Error::conflict(
            "no-shared-hooks",
            "This gateway needs no set-up",
            "Each of its numbers has a hook of its own, which is set when the number is added.",
        ));
    }
    let token = &gateway.keys.hook_token;
    let secret = SecretString::from(gateway.secrets.hook_secret.as_str());
    Ok(Json(SharedSetup {
        url: format!("{}/api/webhooks/{}/{token}", app.config.public_url(), provider.kind()),
        events: provider.events().to_vec(),
        secret: secret.expose_secret().to_owned(),
    }))
}
