//! The forms of a number: what makes one and what changes one, each provider with fields of its own.
use super::{
    GatewayId, InstanceId,
    cloud::{self, CloudChange, CloudSettings},
    create, gateways,
    http::{View, one},
};
use crate::{
    Error, Result,
    app::App,
    error::Field,
    http::{Admin, Json, Path, Problem, extract},
};
use axum::{extract::State, http::StatusCode};
use secrecy::SecretString;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use utoipa::ToSchema;

/// A number that is to be made.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = NewInstance)]
pub struct New {
    /// What the team calls it, 1 to 100 characters.
    name: String,
    /// `waha`, `evolution` or `cloud`; left out: any gateway of the operator's.
    provider: Option<String>,
    /// A gateway that is known already.
    gateway_id: Option<GatewayId>,
    /// A gateway of one's own, or what Meta's Cloud API takes.
    #[schema(value_type = Option<InstanceSettings>)]
    settings: Option<Value>,
}

/// How a number is reached: by a gateway of one's own, or by Meta's Cloud API.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "the document's alone: which of them it is, the provider says")]
enum InstanceSettings {
    Gateway(GatewaySettings),
    Cloud(CloudSettings),
}

/// How to reach a gateway of one's own.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GatewaySettings {
    /// Where it answers, `https://waha.example.com`.
    url: String,
    /// Its API key. Never given back.
    #[serde(default)]
    #[schema(value_type = String)]
    api_key: SecretString,
}

/// A name that is not blank and not endless. Errors: 422.
pub(super) fn name(text: &str) -> Result<String> {
    let text = text.trim();
    match text.chars().count() {
        1..=100 => Ok(text.to_owned()),
        _ => Err(Error::field("/name", "1 to 100 characters")),
    }
}

/// Makes a number. On a gateway its session is made with our hook URL, a signing key of its own and our events, and is started; at Meta its token is
/// proved, and its business account subscribed.
#[utoipa::path(post, path = "/api/instances", tag = "instances", request_body = New,
    responses((status = 201, body = View), (status = 409, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn create(
    State(app): State<App>,
    who: Admin,
    Json(new): Json<New>,
) -> Result<(StatusCode, Json<View>)> {
    let name = name(&new.name);
    let id = match new.provider.as_deref() {
        Some(gateways::META) => {
            let settings = settings(new.settings.unwrap_or_else(|| Value::Object(Default::default())))?;
            cloud::create(&app, &who, name?, settings).await?
        }
        provider => {
            let name = name?;
            let mut gateway = new.gateway_id;
            if let Some(given) = new.settings {
                gateway = Some(own_gateway(&app, &who, provider, settings(given)?).await?);
            }
            create::create(&app, &who, create::Wanted { name, gateway, kind: new.provider }).await?
        }
    };
    Ok((StatusCode::CREATED, Json(one(&app, who.tenant, id).await?)))
}

/// Reads what belongs to one provider. Errors: 422 at the field.
fn settings<T: DeserializeOwned>(given: Value) -> Result<T> {
    extract::read_json(&serde_json::to_vec(&given).expect("it was JSON")).map_err(in_settings)
}

async fn own_gateway(app: &App, who: &Admin, provider: Option<&str>, settings: GatewaySettings) -> Result<GatewayId> {
    let offer = gateways::Offer {
        tenant: Some(who.tenant),
        kind: provider.unwrap_or("waha").to_owned(),
        name: None,
        url: settings.url,
        key: settings.api_key,
        hook_secret: None,
        verify_token: None,
        region: None,
        capacity: None,
    };
    gateways::find_or_add(app, offer).await.map_err(in_settings)
}

/// The fields of a gateway stand under `/settings` here.
fn in_settings(error: Error) -> Error {
    let place = |field: Field| match field.pointer.as_str() {
        "/kind" => Field { pointer: "/provider".into(), ..field },
        pointer => Field { pointer: format!("/settings{pointer}"), ..field },
    };
    match error {
        Error::Invalid(fields) => Error::Invalid(fields.into_iter().map(place).collect()),
        other => other,
    }
}

/// What may change about a number.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstanceChange)]
pub struct Change {
    /// What the team calls it.
    name: Option<String>,
    /// New keys of a number of the Cloud API, which are tried first; or its PIN, to register it again.
    settings: Option<CloudChange>,
}

/// Renames a number, or gives it new keys.
#[utoipa::path(patch, path = "/api/instances/{id}", tag = "instances", params(("id" = InstanceId, Path)), request_body = Change,
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 422, body = Problem)))]
pub(super) async fn change(
    State(app): State<App>,
    who: Admin,
    Path(id): Path<InstanceId>,
    Json(change): Json<Change>,
) -> Result<Json<View>> {
    let name = change.name.as_deref().map(name).transpose()?;
    if let Some(settings) = change.settings {
        cloud::renew(&app, &who, id, settings).await?;
    }
    if let Some(name) = name {
        super::rename(&app, &who, id, name).await?;
    }
    one(&app, who.tenant, id).await.map(Json)
}
