//! Numbers: what they are, registering them, their settings, profile and block list.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, Query, State as FromState},
};
use rand::RngExt as _;
use serde_json::{Map, Value, json};

use super::{
    account::{Callback, Caller, MANAGEMENT, MESSAGING, Number, State},
    apps::{Words, words},
    fields, handshake,
    people::{bsuid, canonical, country, display},
    refusal::{Answer, Refusal, ok, success},
    shape,
};
use crate::{sim::Sim, world::digits};

const NODE: &str = "WhatsAppBusinessPhoneNumber";
const USUAL: &[&str] = &[
    "verified_name",
    "code_verification_status",
    "display_phone_number",
    "quality_rating",
    "platform_type",
    "throughput",
    "webhook_configuration",
    "id",
];

/// All that can be asked of a number, as the caller's app sees it.
pub fn view(state: &State, id: &str, number: &Number, app: &str) -> Value {
    let (country, code) = country(&number.phone);
    let waba = state.wabas.get(&number.waba);
    let mut hooks = Map::new();
    let of_app = state.apps.get(app).and_then(|app| app.callback.as_ref());
    let of_waba = waba.and_then(|waba| waba.subscribed.get(app)?.as_ref());
    for (key, callback) in
        [("application", of_app), ("whatsapp_business_account", of_waba), ("phone_number", number.callbacks.get(app))]
    {
        if let Some(callback) = callback {
            hooks.insert(key.into(), callback.url.as_str().into());
        }
    }
    let can = if number.status() == "CONNECTED" { "AVAILABLE" } else { "BLOCKED" };
    json!({
        "id": id,
        "display_phone_number": display(&number.phone),
        "verified_name": number.name,
        "quality_rating": number.quality,
        "quality_score": {"score": number.quality},
        "code_verification_status": if number.registered { "VERIFIED" } else { "NOT_VERIFIED" },
        "name_status": number.name_status,
        "new_name_status": "NONE",
        "status": number.status(),
        "platform_type": if number.registered { "CLOUD_API" } else { "NOT_APPLICABLE" },
        "host_platform": "CLOUD_API",
        "throughput": {"level": if number.rules.per_second.is_none_or(|most| most > 80) { "HIGH" } else { "STANDARD" }},
        "account_mode": "LIVE",
        "is_official_business_account": false,
        "is_on_biz_app": number.coexistence,
        "is_pin_enabled": number.pin.is_some(),
        "whatsapp_business_manager_messaging_limit": number.tier,
        "messaging_limit_tier": number.tier,
        "webhook_configuration": hooks,
        "health_status": {
            "can_send_message": can,
            "entities": [{"entity_type": "PHONE_NUMBER", "id": id, "can_send_message": can}],
        },
        "country_code": country,
        "country_dial_code": code,
        "certificate": null,
        "new_certificate": null,
        "conversational_automation": null,
        "eligibility_for_api_business_global_search": "NON_ELIGIBLE_UNDEFINED_COUNTRY",
        "is_preverified_number": false,
        "last_onboarded_time": "2026-01-01T00:00:00+0000",
        "search_visibility": "VISIBLE",
        "username": null,
        "unified_cert_status": "APPROVED",
    })
}

pub fn show(state: &State, id: &str, number: &Number, app: &str, asked: Option<&str>) -> Answer {
    Ok(ok(&fields::select(&view(state, id, number, app), asked, USUAL, NODE)?))
}

/// Numbers of an account.
pub async fn list(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Words>,
) -> Answer {
    let mut state = sim.cloud.state();
    state.waba(&caller, "get", &id)?;
    let state = &*state;
    let own = state.numbers.iter().filter(|(_, number)| number.waba == id);
    let seen = own.map(|(key, number)| {
        fields::select(&view(state, key, number, &caller.app), fields::asked(&query), USUAL, NODE)
    });
    let next = |after: &str| format!("{id}/phone_numbers?after={after}");
    Ok(ok(&fields::page(seen.collect::<Result<_, _>>()?, &query, next)?))
}

/// `{"override_callback_uri","verify_token"}`; an empty URL takes it away.
pub fn callback(body: &Value) -> Result<Option<Callback>, Refusal> {
    let text = |key: &str| match &body[key] {
        Value::Null => Ok(None),
        Value::String(text) if text.is_empty() => Ok(None),
        Value::String(text) => Ok(Some(text.clone())),
        _ => Err(Refusal::param(format!("Param {key} must be a string."))),
    };
    let Some(url) = text("override_callback_uri")? else { return Ok(None) };
    let token = text("verify_token")?.ok_or_else(|| Refusal::missing("verify_token"))?;
    // At Meta it must be https; here it may be the next process.
    let good = url::Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if good {
        Ok(Some(Callback { url, token }))
    } else {
        Err(Refusal::param("Param override_callback_uri must be a valid URI."))
    }
}

/// `POST /{number}`: its callback, and whatever else is set there.
pub async fn set(sim: &Arc<Sim>, caller: &Caller, id: &str, body: &Value) -> Answer {
    caller.needs(MANAGEMENT)?;
    sim.cloud.state().number(caller, "post", id)?;
    let known = ["webhook_configuration", "new_display_name", "pin", "search_visibility", "messaging_product"];
    let map = body.as_object().filter(|map| !map.is_empty()).ok_or_else(|| Refusal::param("Invalid parameter"))?;
    if let Some(key) = map.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(Refusal::unexpected(key, ""));
    }
    // All of it is looked at before any of it is done.
    let pin = map.get("pin").map(six_digits).transpose()?;
    let callback = map.get("webhook_configuration").map(callback).transpose()?;
    if let Some(Some(callback)) = &callback {
        handshake::verify(sim, callback).await?;
    }
    let mut state = sim.cloud.state();
    let number = state.number(caller, "post", id)?;
    match callback {
        Some(Some(callback)) => drop(number.callbacks.insert(caller.app.clone(), callback)),
        Some(None) => drop(number.callbacks.remove(&caller.app)),
        None => {}
    }
    number.pin = pin.or(number.pin.take());
    if let Some(name) = map.get("new_display_name").and_then(Value::as_str) {
        name.clone_into(&mut number.name);
        "PENDING_REVIEW".clone_into(&mut number.name_status);
    }
    success()
}

fn six_digits(value: &Value) -> Result<String, Refusal> {
    let text = value.as_str().map(str::to_owned).or_else(|| value.as_u64().map(|number| number.to_string()));
    let text = text.filter(|text| text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit()));
    text.ok_or_else(|| Refusal::param("Param pin must be 6 characters long."))
}

fn json_of(bytes: &Bytes) -> Result<Value, Refusal> {
    if bytes.is_empty() {
        return Ok(json!({}));
    }
    let value = serde_json::from_slice::<Value>(bytes).ok().filter(Value::is_object);
    value.ok_or_else(|| Refusal::param("Param body must be a JSON object."))
}

pub async fn register(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    let mut state = sim.cloud.state();
    let number = state.number(&caller, "post", &id)?;
    caller.needs(MANAGEMENT)?;
    let body = json_of(&bytes)?;
    shape::product(&body)?;
    let pin = body.get("pin").ok_or_else(|| Refusal::missing("pin"))?;
    let pin = six_digits(pin)?;
    if number.pin.as_ref().is_some_and(|own| *own != pin) {
        number.tries += 1;
        return Err(if number.tries > 10 { Refusal::known(133_016) } else { Refusal::known(133_005) });
    }
    (number.pin, number.registered, number.tries) = (Some(pin), true, 0);
    success()
}

pub async fn deregister(FromState(sim): FromState<Arc<Sim>>, caller: Caller, Path(id): Path<String>) -> Answer {
    let mut state = sim.cloud.state();
    let number = state.number(&caller, "post", &id)?;
    caller.needs(MANAGEMENT)?;
    if !number.registered {
        return Err(Refusal::known(133_010));
    }
    number.registered = false;
    success()
}

pub async fn request_code(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Words>,
    bytes: Bytes,
) -> Answer {
    let mut state = sim.cloud.state();
    let number = state.number(&caller, "post", &id)?;
    caller.needs(MANAGEMENT)?;
    let words = words(&query, &bytes);
    let method = words["code_method"].as_str().ok_or_else(|| Refusal::missing("code_method"))?;
    if !["SMS", "VOICE"].contains(&method) {
        return Err(Refusal::one_of("code_method", &["SMS", "VOICE"], method));
    }
    words["language"].as_str().ok_or_else(|| Refusal::missing("language"))?;
    number.code = Some(rand::rng().random_range(100_000..1_000_000).to_string());
    success()
}

pub async fn verify_code(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Words>,
    bytes: Bytes,
) -> Answer {
    let mut state = sim.cloud.state();
    let number = state.number(&caller, "post", &id)?;
    caller.needs(MANAGEMENT)?;
    let words = words(&query, &bytes);
    let code = words["code"].as_str().ok_or_else(|| Refusal::missing("code"))?;
    if number.code.as_deref() != Some(&code.replace('-', "")) {
        return Err(Refusal::known(136_025));
    }
    number.code = None;
    success()
}

/// What a profile can hold, and how long it may be.
const PROFILE: &[(&str, usize)] = &[
    ("about", 139),
    ("address", 256),
    ("description", 512),
    ("email", 128),
    ("vertical", 64),
    ("profile_picture_handle", 4_096),
];

pub async fn profile(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Words>,
) -> Answer {
    let mut state = sim.cloud.state();
    let number = state.number(&caller, "get", &id)?;
    let mut all = json!({"about": null, "address": null, "description": null, "email": null, "profile_picture_url": null, "websites": null, "vertical": "UNDEFINED", "messaging_product": "whatsapp"});
    for (key, value) in &number.profile {
        match key.as_str() {
            "profile_picture_handle" => {
                all["profile_picture_url"] = "https://pps.whatsapp.net/v/t61.24694-24/1.jpg".into()
            }
            key => all[key] = value.clone(),
        }
    }
    let shown = fields::select(&all, fields::asked(&query), &["messaging_product"], "WhatsAppBusinessProfile")?;
    Ok(ok(&json!({"data": [shown]})))
}

pub async fn set_profile(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    let mut state = sim.cloud.state();
    let number = state.number(&caller, "post", &id)?;
    caller.needs(MESSAGING)?;
    let body = json_of(&bytes)?;
    shape::product(&body)?;
    let all = || body.as_object().into_iter().flatten().filter(|(key, _)| *key != "messaging_product");
    for (key, value) in all() {
        let longest = PROFILE.iter().find(|(known, _)| known == key).map(|(_, longest)| *longest);
        match (key.as_str(), longest, value) {
            ("websites", _, Value::Array(sites)) if sites.len() <= 2 => {}
            (_, Some(longest), Value::String(text)) if text.chars().count() <= longest => {}
            (key, Some(longest), _) => {
                return Err(Refusal::param(format!("Param {key} must be a string of at most {longest} characters.")));
            }
            ("websites", ..) => return Err(Refusal::param("Param websites must be an array of at most 2 URLs.")),
            (key, ..) => return Err(Refusal::unexpected(key, "")),
        }
    }
    number.profile.extend(all().map(|(key, value)| (key.clone(), value.clone())));
    success()
}

/// Calling, and whatever else was set.
pub async fn settings(FromState(sim): FromState<Arc<Sim>>, caller: Caller, Path(id): Path<String>) -> Answer {
    let mut state = sim.cloud.state();
    let number = state.number(&caller, "get", &id)?;
    let mut all = json!({"calling": {"status": "DISABLED", "call_icon_visibility": "DEFAULT", "callback_permission_status": "DISABLED"}});
    number.settings.iter().for_each(|(key, value)| all[key] = value.clone());
    Ok(ok(&all))
}

pub async fn set_settings(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    let mut state = sim.cloud.state();
    let number = state.number(&caller, "post", &id)?;
    caller.needs(MANAGEMENT)?;
    let body = json_of(&bytes)?;
    let known = ["calling", "storage_configuration", "user_identity_change", "payload_encryption"];
    let all = || body.as_object().into_iter().flatten();
    if let Some((key, _)) = all().find(|(key, _)| !known.contains(&key.as_str())) {
        return Err(Refusal::unexpected(key, ""));
    }
    number.settings.extend(all().map(|(key, value)| (key.clone(), value.clone())));
    success()
}

pub async fn blocked(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Words>,
) -> Answer {
    let mut state = sim.cloud.state();
    let number = state.number(&caller, "get", &id)?;
    let people = number.blocked.iter().map(|phone| json!({"messaging_product": "whatsapp", "wa_id": phone})).collect();
    let next = |after: &str| format!("{id}/block_users?after={after}");
    Ok(ok(&fields::page(people, &query, next)?))
}

pub async fn block(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    change_blocked(&sim, &caller, &id, &bytes, true)
}

pub async fn unblock(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    bytes: Bytes,
) -> Answer {
    change_blocked(&sim, &caller, &id, &bytes, false)
}

/// Only who wrote in the last day can be blocked.
fn change_blocked(sim: &Sim, caller: &Caller, id: &str, bytes: &Bytes, block: bool) -> Answer {
    let body = json_of(bytes)?;
    let world = sim.world();
    let mut state = sim.cloud.state();
    let now = state.now(sim);
    let waba = state.number(caller, "post", id)?.waba.clone();
    let business = state.business(&waba).to_owned();
    let number = state.number(caller, "post", id)?;
    caller.needs(MESSAGING)?;
    shape::product(&body)?;
    let users = body["block_users"].as_array().filter(|users| !users.is_empty());
    let users = users.ok_or_else(|| Refusal::missing("block_users"))?;
    let (mut done, mut failed) = (Vec::new(), Vec::new());
    for user in users {
        let input = user["user"].as_str().or(user["user_id"].as_str()).unwrap_or_default();
        let by_id = world.people().find(|person| bsuid(&business, person) == input);
        let phone = by_id.map(|person| person.phone.clone()).or_else(|| digits(input).map(|phone| canonical(&phone)));
        let fits = phone.filter(|phone| !block || super::messages::is_open(number.heard.get(phone), now));
        let Some(phone) = fits else {
            let error = json!({"code": 139_101, "message": "Failed to block the user", "error_data": {"details": "The user has not written in the last 24 hours"}});
            failed.push(json!({"input": input, "errors": [error]}));
            continue;
        };
        if block {
            number.blocked.insert(phone.clone())
        } else {
            number.blocked.remove(&phone)
        };
        done.push(json!({"input": input, "wa_id": phone}));
    }
    let key = if block { "added_users" } else { "removed_users" };
    let mut users = json!({key: done});
    if !failed.is_empty() {
        users["failed_users"] = failed.into();
    }
    Ok(ok(&json!({"messaging_product": "whatsapp", "block_users": users})))
}
