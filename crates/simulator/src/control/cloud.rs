//! Meta, as a test or a demo holds it: numbers, templates, tokens, limits, and what is reported.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Done, Failure, Take};
use crate::{
    cloud::{self, Batch, Changed, NewNumber, NewTemplate},
    sim::Sim,
    world::{Refused, digits},
};

fn there(found: bool, what: &'static str) -> Done<StatusCode> {
    if found { Ok(StatusCode::NO_CONTENT) } else { Err(Refused::Missing(what).into()) }
}

pub async fn numbers(State(sim): State<Arc<Sim>>) -> Json<Value> {
    Json(json!({"items": sim.cloud.all(&sim)}))
}

pub async fn make(State(sim): State<Arc<Sim>>, Take(new): Take<NewNumber>) -> Done<(StatusCode, Json<Value>)> {
    let made = sim.cloud.make(&sim, new)?;
    sim.bell.ring(&json!({"kind": "number", "number": {"phone": made["phone"], "name": made["name"]}}));
    Ok((StatusCode::CREATED, Json(made)))
}

pub async fn show(State(sim): State<Arc<Sim>>, Path(id): Path<String>) -> Done<Json<Value>> {
    Ok(Json(sim.cloud.seen(&sim, &id).ok_or(Refused::Missing("such number"))?))
}

pub async fn alter(
    State(sim): State<Arc<Sim>>,
    Path(id): Path<String>,
    Take(changed): Take<Changed>,
) -> Done<Json<Value>> {
    there(sim.cloud.alter(&id, changed), "such number")?;
    show(State(sim), Path(id)).await
}

pub async fn fail(
    State(sim): State<Arc<Sim>>,
    Path(id): Path<String>,
    Take(failure): Take<cloud::Failure>,
) -> Done<StatusCode> {
    there(sim.cloud.fail(&id, failure), "such number")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Window {
    phone: String,
    open: bool,
}

pub async fn window(
    State(sim): State<Arc<Sim>>,
    Path(id): Path<String>,
    Take(window): Take<Window>,
) -> Done<StatusCode> {
    let phone = digits(&window.phone).ok_or(Refused::NoAddress(window.phone))?;
    there(sim.cloud.window(&sim, &id, &phone, window.open), "such number")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    field: String,
    value: Value,
}

/// Of an account, or of one of its numbers.
pub async fn event(State(sim): State<Arc<Sim>>, Path(id): Path<String>, Take(event): Take<Event>) -> Done<StatusCode> {
    there(sim.cloud.happens(&sim, &id, &event.field, event.value), "such account or number")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Said {
    /// `messages` when left out.
    field: Option<String>,
    /// Whose it is: a phone.
    from: Option<String>,
    /// What stands in it: `messages`, `statuses`, `errors`, `user_preferences`…
    value: Value,
}

pub async fn said(State(sim): State<Arc<Sim>>, Path(id): Path<String>, Take(said): Take<Said>) -> Done<StatusCode> {
    let from = match said.from {
        None => None,
        Some(from) => Some(digits(&from).ok_or(Refused::NoAddress(from))?),
    };
    let field = said.field.unwrap_or_else(|| "messages".into());
    there(sim.cloud.said(&sim, &id, &field, from.as_deref(), said.value), "such number")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advance {
    seconds: i64,
}

pub async fn advance(State(sim): State<Arc<Sim>>, Take(advance): Take<Advance>) -> Json<Value> {
    Json(json!({"aheadMs": sim.cloud.advance(advance.seconds.saturating_mul(1_000))}))
}

pub async fn batch(State(sim): State<Arc<Sim>>, Take(batch): Take<Batch>) -> Json<Value> {
    sim.cloud.batch(batch);
    Json(json!(batch))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Grant {
    app_id: String,
    scopes: Option<Vec<String>>,
    #[serde(default)]
    waba_ids: Vec<String>,
    /// For ever when left out.
    seconds: Option<i64>,
}

pub async fn grant(State(sim): State<Arc<Sim>>, Take(grant): Take<Grant>) -> Done<(StatusCode, Json<Value>)> {
    let lives_ms = grant.seconds.map(|seconds| seconds.saturating_mul(1_000));
    let token = sim.cloud.grant(&sim, &grant.app_id, grant.scopes, grant.waba_ids, lives_ms);
    let token = token.ok_or(Refused::Missing("such app"))?;
    Ok((StatusCode::CREATED, Json(json!({"accessToken": token}))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expire {
    token: String,
    #[serde(default = "yes")]
    expired: bool,
}

fn yes() -> bool {
    true
}

pub async fn expire(State(sim): State<Arc<Sim>>, Take(expire): Take<Expire>) -> Done<StatusCode> {
    there(sim.cloud.expire(&sim, &expire.token, expire.expired), "such token")
}

pub async fn templates(State(sim): State<Arc<Sim>>, Path(waba): Path<String>) -> Json<Value> {
    Json(json!({"items": sim.cloud.templates_of(&waba)}))
}

pub async fn put_template(
    State(sim): State<Arc<Sim>>,
    Path(waba): Path<String>,
    Take(new): Take<NewTemplate>,
) -> Done<(StatusCode, Json<Value>)> {
    let made = sim.cloud.put_template(&waba, new).ok_or(Refused::Missing("such account"))?;
    Ok((StatusCode::CREATED, Json(made)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdict {
    /// `APPROVED`, `REJECTED`, `PAUSED`, `DISABLED`…
    event: Option<String>,
    reason: Option<String>,
    /// `GREEN`, `YELLOW`, `RED`, `UNKNOWN`.
    quality: Option<String>,
    category: Option<String>,
}

/// Meta's judgement of a template; each part is told.
pub async fn judge(
    State(sim): State<Arc<Sim>>,
    Path(id): Path<String>,
    Take(verdict): Take<Verdict>,
) -> Done<Json<Value>> {
    let mut seen = None;
    if let Some(event) = &verdict.event {
        seen = sim.cloud.judge(&sim, &id, event, verdict.reason.as_deref());
    }
    if let Some(quality) = &verdict.quality {
        seen = sim.cloud.requalify(&sim, &id, quality).or(seen);
    }
    if let Some(category) = &verdict.category {
        seen = sim.cloud.recategorise(&sim, &id, category).or(seen);
    }
    let nothing = verdict.event.is_none() && verdict.quality.is_none() && verdict.category.is_none();
    if nothing {
        return Err(Failure(StatusCode::BAD_REQUEST, "`event`, `quality` or `category` is needed".into()));
    }
    Ok(Json(seen.ok_or(Refused::Missing("such template"))?))
}
