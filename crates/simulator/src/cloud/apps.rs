//! Accounts and apps: what they are, who hears about whom, and what a token is worth.

use std::{collections::HashMap, sync::Arc};

use axum::{
    body::Bytes,
    extract::{Path, Query, State as FromState},
};
use serde_json::{Value, json};

use super::{
    VERSION,
    account::{Callback, Caller, FIELDS, MANAGEMENT, State, Waba},
    fields, handshake, numbers,
    refusal::{Answer, Refusal, ok, success},
};
use crate::sim::Sim;

/// Queries and forms.
pub type Words = HashMap<String, String>;

/// A body that is JSON, a form or nothing, together with the query: Graph takes parameters from all of them.
pub fn words(query: &Words, bytes: &[u8]) -> Value {
    // What belongs to the call and not to what is changed.
    let own = |key: &str| matches!(key, "access_token" | "appsecret_proof" | "fields" | "format" | "debug");
    let mut all: Value = query
        .iter()
        .filter(|(key, _)| !own(key))
        .map(|(key, value)| (key.clone(), Value::from(value.as_str())))
        .collect();
    match serde_json::from_slice::<Value>(bytes) {
        Ok(Value::Object(map)) => map.into_iter().for_each(|(key, value)| all[key] = value),
        _ => url::form_urlencoded::parse(bytes).filter(|(key, _)| !key.is_empty()).for_each(|(key, value)| {
            all[key.as_ref()] = value.as_ref().into();
        }),
    }
    all
}

/// `GET /{waba}`.
pub fn show(waba: &Waba, id: &str, asked: Option<&str>) -> Answer {
    let all = json!({
        "id": id,
        "name": waba.name,
        "currency": "USD",
        "timezone_id": "1",
        "message_template_namespace": "6d1f7b2a_6f1d_4c7c_9b8e_000000000000",
        "account_review_status": "APPROVED",
        "business_verification_status": "verified",
        "country": "ZA",
        "ownership_type": "SELF",
        "status": "ACTIVE",
        "owner_business_info": {"name": waba.name, "id": waba.business},
        "on_behalf_of_business_info": null,
        "primary_business_location": null,
        "marketing_messages_lite_api_status": "INELIGIBLE",
        "marketing_messages_onboarding_status": "INELIGIBLE_COUNTRY_NOT_SUPPORTED",
        "disable_marketing_messages_on_cloud_api": false,
        "is_enabled_for_insights": false,
        "subscribed_apps": null,
        "health_status": {
            "can_send_message": "AVAILABLE",
            "entities": [{"entity_type": "WABA", "id": id, "can_send_message": "AVAILABLE"}],
        },
    });
    let usual = ["id", "name", "timezone_id", "message_template_namespace", "currency"];
    Ok(ok(&fields::select(&all, asked, &usual, "WhatsAppBusinessAccount")?))
}

pub async fn subscribed(FromState(sim): FromState<Arc<Sim>>, caller: Caller, Path(id): Path<String>) -> Answer {
    let mut state = sim.cloud.state();
    let waba = state.waba(&caller, "get", &id)?.clone();
    caller.needs(MANAGEMENT)?;
    let seen = |(app, callback): (&String, &Option<Callback>)| {
        let name = state.apps.get(app).map_or("", |app| &app.name);
        let data = json!({"id": app, "name": name, "link": format!("https://www.facebook.com/games/?app_id={app}")});
        let mut seen = json!({"whatsapp_business_api_data": data});
        if let Some(callback) = callback {
            seen["override_callback_uri"] = callback.url.as_str().into();
        }
        seen
    };
    Ok(ok(&json!({"data": waba.subscribed.iter().map(seen).collect::<Vec<_>>()})))
}

/// First without, then with a callback of its own: both at once are refused.
pub async fn subscribe(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Words>,
    bytes: Bytes,
) -> Answer {
    let there = {
        let mut state = sim.cloud.state();
        let waba = state.waba(&caller, "post", &id)?;
        caller.needs(MANAGEMENT)?;
        waba.subscribed.contains_key(&caller.app)
    };
    let callback = numbers::callback(&words(&query, &bytes))?;
    if let Some(callback) = &callback {
        if !there {
            return Err(Refusal::param(
                "Before override the current callback uri, your app must be subscribed to receive messages for WhatsApp Business Account",
            ));
        }
        handshake::verify(&sim, callback).await?;
    }
    // Without one, the app's own callback counts again.
    sim.cloud.state().waba(&caller, "post", &id)?.subscribed.insert(caller.app.clone(), callback);
    success()
}

pub async fn unsubscribe(FromState(sim): FromState<Arc<Sim>>, caller: Caller, Path(id): Path<String>) -> Answer {
    let mut state = sim.cloud.state();
    let waba = state.waba(&caller, "delete", &id)?;
    caller.needs(MANAGEMENT)?;
    waba.subscribed.remove(&caller.app);
    success()
}

/// `POST /{app}/subscriptions`: the app's own callback and fields. It takes the app's token: `id|secret`.
pub async fn set_subscription(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Words>,
    bytes: Bytes,
) -> Answer {
    own_app(&sim, &caller, "post", &id)?;
    let words = words(&query, &bytes);
    let need = |key: &str| {
        let text = words[key].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        text.ok_or_else(|| Refusal::missing(key))
    };
    let object = need("object")?;
    if object != "whatsapp_business_account" {
        return Err(Refusal::one_of("object", &["whatsapp_business_account"], object));
    }
    let callback = Callback { url: need("callback_url")?, token: need("verify_token")? };
    let wanted: Vec<String> = match &words["fields"] {
        Value::Array(list) => list.iter().filter_map(|one| one.as_str().map(str::to_owned)).collect(),
        Value::String(list) => list.split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect(),
        _ => Vec::new(),
    };
    if let Some((at, other)) = wanted.iter().enumerate().find(|(_, field)| !FIELDS.contains(&field.as_str())) {
        return Err(Refusal::one_of(format!("fields[{at}]"), FIELDS, other.as_str()));
    }
    handshake::verify(&sim, &callback).await?;
    let mut state = sim.cloud.state();
    let app = state.apps.get_mut(&id).ok_or_else(|| Refusal::object("post", &id))?;
    app.callback = Some(callback);
    if !wanted.is_empty() {
        app.fields = wanted.into_iter().collect();
    }
    success()
}

pub async fn subscriptions(FromState(sim): FromState<Arc<Sim>>, caller: Caller, Path(id): Path<String>) -> Answer {
    own_app(&sim, &caller, "get", &id)?;
    let state = sim.cloud.state();
    let app = state.apps.get(&id).ok_or_else(|| Refusal::object("get", &id))?;
    let fields: Vec<Value> = app.fields.iter().map(|name| json!({"name": name, "version": VERSION})).collect();
    let list = app.callback.iter().map(|callback| {
        json!({"object": "whatsapp_business_account", "callback_url": callback.url, "active": true, "fields": fields})
    });
    Ok(ok(&json!({"data": list.collect::<Vec<_>>()})))
}

pub async fn remove_subscription(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Answer {
    own_app(&sim, &caller, "delete", &id)?;
    if let Some(app) = sim.cloud.state().apps.get_mut(&id) {
        app.callback = None;
    }
    success()
}

/// Only the app's own token is good for this.
fn own_app(sim: &Sim, caller: &Caller, method: &str, id: &str) -> Result<(), Refusal> {
    if caller.app != id || !sim.cloud.state().apps.contains_key(id) {
        return Err(Refusal::object(method, id));
    }
    if caller.scopes.is_empty() {
        return Ok(());
    }
    Err(Refusal::param("This method must be called with an app access_token."))
}

/// `GET /debug_token`.
pub async fn debug_token(FromState(sim): FromState<Arc<Sim>>, _caller: Caller, Query(query): Query<Words>) -> Answer {
    let input = query.get("input_token").filter(|token| !token.is_empty());
    let input = input.ok_or_else(|| Refusal::missing("input_token"))?;
    let state = sim.cloud.state();
    let now = state.now(&sim);
    let Some(token) = state.tokens.get(input) else {
        let error = json!({"code": 190, "message": "Invalid OAuth access token - Cannot parse access token"});
        return Ok(ok(&json!({"data": {"error": error, "is_valid": false, "scopes": []}})));
    };
    let wabas: Vec<&String> = token.wabas.iter().collect();
    let granular: Vec<Value> = token.scopes.iter().map(|scope| json!({"scope": scope, "target_ids": wabas})).collect();
    let mut data = json!({
        "app_id": token.app,
        "type": "SYSTEM_USER",
        "application": state.apps.get(&token.app).map(|app| &app.name),
        "data_access_expires_at": 0,
        "expires_at": token.expires_ms.map_or(0, |at| (at - state.skew_ms).div_euclid(1_000)),
        "is_valid": true,
        "issued_at": token.issued_ms.div_euclid(1_000),
        "scopes": token.scopes,
        "granular_scopes": granular,
        "user_id": "122100000000000000",
    });
    if token.expires_ms.is_some_and(|at| at <= now) {
        data["is_valid"] = false.into();
        data["error"] =
            json!({"code": 190, "message": "Error validating access token: Session has expired", "subcode": 463});
    }
    Ok(ok(&json!({"data": data})))
}

/// `GET /oauth/access_token`: the app's own token for its secret.
pub async fn access_token(FromState(sim): FromState<Arc<Sim>>, Query(query): Query<Words>, bytes: Bytes) -> Answer {
    let words = words(&query, &bytes);
    let (id, secret) =
        (words["client_id"].as_str().unwrap_or_default(), words["client_secret"].as_str().unwrap_or_default());
    let state = sim.cloud.state();
    let good = state.apps.get(id).is_some_and(|app| app.secret == secret);
    if !good {
        return Err(Refusal::param("Error validating client secret."));
    }
    Ok(ok(&json!({"access_token": format!("{id}|{secret}"), "token_type": "bearer"})))
}

/// What kind of thing an id names.
pub enum Node {
    /// A number.
    Number,
    /// An account.
    Waba,
    /// A template.
    Template,
    /// A file.
    Media,
    /// A file on its way up.
    Upload,
}

impl State {
    /// What `id` is, for this caller.
    pub fn node(&self, caller: &Caller, id: &str) -> Option<Node> {
        let seen = |waba: &str| caller.reaches(waba);
        if self.numbers.get(id).is_some_and(|number| seen(&number.waba)) {
            Some(Node::Number)
        } else if self.wabas.contains_key(id) && seen(id) {
            Some(Node::Waba)
        } else if self.templates.get(id).is_some_and(|template| seen(&template.waba)) {
            Some(Node::Template)
        } else if self.media.get(id).is_some_and(|media| seen(&media.waba)) {
            Some(Node::Media)
        } else if id.starts_with("upload:") {
            Some(Node::Upload)
        } else {
            None
        }
    }
}
