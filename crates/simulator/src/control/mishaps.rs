//! Faults, the recording, and how hooks were delivered.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Done, Failure, Take};
use crate::{faults::Rule, sim::Sim};

pub async fn faults(State(sim): State<Arc<Sim>>) -> Json<Value> {
    Json(json!({"items": sim.faults.list()}))
}

pub async fn add_fault(State(sim): State<Arc<Sim>>, Take(rule): Take<Rule>) -> Done<(StatusCode, Json<Value>)> {
    let fault = sim.faults.add(rule);
    let fault = fault.ok_or_else(|| Failure(StatusCode::CONFLICT, "there are too many faults".into()))?;
    Ok((StatusCode::CREATED, Json(json!(fault))))
}

pub async fn clear_faults(State(sim): State<Arc<Sim>>) -> StatusCode {
    sim.faults.clear();
    sim.hooks.release(&sim);
    StatusCode::NO_CONTENT
}

pub async fn remove_fault(State(sim): State<Arc<Sim>>, Path(id): Path<u64>) -> StatusCode {
    let status = if sim.faults.remove(id) { StatusCode::NO_CONTENT } else { StatusCode::NOT_FOUND };
    sim.hooks.release(&sim);
    status
}

/// Filters of the recording.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tape {
    /// Starts with this.
    path: Option<String>,
    method: Option<String>,
    /// Only with a larger `seq`.
    after: Option<u64>,
    limit: Option<usize>,
}

pub async fn recording(State(sim): State<Arc<Sim>>, Query(query): Query<Tape>) -> Json<Value> {
    let items = sim.recording.requests(query.limit.unwrap_or(1_000), |request| {
        query.path.as_deref().is_none_or(|path| request.path.starts_with(path))
            && query.method.as_deref().is_none_or(|method| request.method.eq_ignore_ascii_case(method))
            && query.after.is_none_or(|after| request.seq > after)
    });
    Json(json!({"items": items, "requests": sim.recording.count()}))
}

pub async fn clear_recording(State(sim): State<Arc<Sim>>) -> StatusCode {
    sim.recording.clear();
    StatusCode::NO_CONTENT
}

/// Filters of effects and hooks.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Narrow {
    session: Option<String>,
    number: Option<String>,
    chat: Option<String>,
    event: Option<String>,
    state: Option<String>,
    /// Effects: only what took effect at least so often.
    min_count: Option<u32>,
    /// Hooks: only with a larger `seq`.
    after: Option<u64>,
    limit: Option<usize>,
}

fn fits(wanted: Option<&String>, there: &str) -> bool {
    wanted.is_none_or(|wanted| wanted == there)
}

pub async fn effects(State(sim): State<Arc<Sim>>, Query(query): Query<Narrow>) -> Json<Value> {
    let items = sim.recording.effects(|effect| {
        fits(query.session.as_ref(), &effect.session)
            && fits(query.number.as_ref(), &effect.number)
            && fits(query.chat.as_ref(), &effect.chat)
            && query.min_count.is_none_or(|min| effect.count >= min || effect.id_count >= min)
    });
    let most = items.iter().map(|effect| effect.count.max(effect.id_count)).max();
    Json(json!({"items": items, "mostOften": most.unwrap_or(0)}))
}

pub async fn hooks(State(sim): State<Arc<Sim>>, Query(query): Query<Narrow>) -> Json<Value> {
    let items = sim.hooks.deliveries(query.limit.unwrap_or(1_000), |delivery| {
        fits(query.session.as_ref(), &delivery.session)
            && fits(query.event.as_ref(), &delivery.event)
            && fits(query.state.as_ref(), delivery.state)
            && query.after.is_none_or(|after| delivery.seq > after)
    });
    Json(json!({"items": items, "waiting": sim.hooks.waiting()}))
}
