//! The forms of a number: what makes one and what changes one, each provider with fields of its own.
use super::{
    GatewayId,
    cloud::{CloudChange, CloudSettings},
    gateways,
};
use crate::{Error, Result, app::App, error::Field, http::extract, id::TenantId};
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
    pub name: String,
    /// `waha`, `evolution` or `cloud`; left out: any gateway of the operator's.
    pub provider: Option<String>,
    /// A gateway that is known already.
    pub gateway_id: Option<GatewayId>,
    /// A gateway of one's own, or what Meta's Cloud API takes.
    #[schema(value_type = Option<InstanceSettings>)]
    pub settings: Option<Value>,
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

/// Reads what belongs to one provider. Errors: 422 at the field.
pub(super) fn settings<T: DeserializeOwned>(given: Value) -> Result<T> {
    extract::read_json(&serde_json::to_vec(&given).expect("it was JSON")).map_err(in_settings)
}

/// The gateway of its own that a tenant names, made if it is new.
pub(super) async fn own_gateway(
    app: &App,
    tenant: TenantId,
    provider: Option<&str>,
    settings: GatewaySettings,
) -> Result<GatewayId> {
    let kind = provider.unwrap_or("waha").to_owned();
    let offer = gateways::Offer { tenant: Some(tenant), ..gateways::Offer::of(kind, settings.url, settings.api_key) };
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
    pub name: Option<String>,
    /// New keys of a number of the Cloud API, which are tried first; or its PIN, to register it again.
    pub settings: Option<CloudChange>,
}
