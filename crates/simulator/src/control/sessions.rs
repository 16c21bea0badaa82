//! What a phone does with sessions, and the whole at a glance.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Done, Failure, Take};
use crate::{link::Scan, sim::Sim, world::Refused};

/// How long a scan may take; it is a matter of milliseconds unless the configuration says otherwise.
const PATIENCE: Duration = Duration::from_secs(20);

pub async fn overview(State(sim): State<Arc<Sim>>) -> Json<Value> {
    let sessions = sim.sessions();
    let world = sim.world();
    Json(json!({
        "simulator": env!("CARGO_PKG_VERSION"),
        "waha": {"version": sim.config.release, "engine": sim.config.engine},
        "evolution": {"version": crate::evolution::VERSION},
        "sessions": sessions.len(),
        "numbers": world.lines().count(),
        "customers": world.people().count(),
        "hooksWaiting": sim.hooks.waiting(),
        "requests": sim.recording.count(),
        "faults": sim.faults.list().len(),
    }))
}

pub async fn reset(State(sim): State<Arc<Sim>>) -> StatusCode {
    sim.reset();
    StatusCode::NO_CONTENT
}

pub async fn list(State(sim): State<Arc<Sim>>) -> Json<Value> {
    Json(json!({"items": sim.sessions()}))
}

fn view(sim: &Sim, name: &str) -> Done<Json<Value>> {
    Ok(Json(json!(sim.session(name).ok_or(Refused::Missing("such session"))?)))
}

pub async fn show(State(sim): State<Arc<Sim>>, Path(name): Path<String>) -> Done<Json<Value>> {
    view(&sim, &name)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Link {
    phone: String,
    push_name: Option<String>,
    /// The text of a QR code.
    qr: Option<String>,
    /// A pairing code.
    code: Option<String>,
    /// Answer at once, while the session is still STARTING.
    #[serde(default)]
    no_wait: bool,
}

pub async fn scan(State(sim): State<Arc<Sim>>, Path(name): Path<String>, Take(link): Take<Link>) -> Done<Json<Value>> {
    linked(&sim, Scan::Of(name), link).await
}

pub async fn scan_code(State(sim): State<Arc<Sim>>, Take(link): Take<Link>) -> Done<Json<Value>> {
    let code = link.qr.clone().ok_or_else(|| Failure(StatusCode::BAD_REQUEST, "`qr` is missing".into()))?;
    linked(&sim, Scan::Code(code), link).await
}

pub async fn pair(State(sim): State<Arc<Sim>>, Take(link): Take<Link>) -> Done<Json<Value>> {
    let code = link.code.clone().ok_or_else(|| Failure(StatusCode::BAD_REQUEST, "`code` is missing".into()))?;
    linked(&sim, Scan::Pairing(code), link).await
}

async fn linked(sim: &Arc<Sim>, scan: Scan, link: Link) -> Done<Json<Value>> {
    let phone = crate::world::digits(&link.phone).ok_or_else(|| Refused::NoAddress(link.phone.clone()))?;
    let name = sim.scan(&scan, &phone, link.push_name.as_deref())?;
    if !link.no_wait && !sim.until_linked(&name, PATIENCE).await {
        return Err(Failure(StatusCode::CONFLICT, "the session was not linked".into()));
    }
    view(sim, &name)
}

pub async fn unlink(State(sim): State<Arc<Sim>>, Path(name): Path<String>) -> Done<Json<Value>> {
    sim.gateway_of(&name)?.withdraw(&sim, &name)?;
    view(&sim, &name)
}

pub async fn expire(State(sim): State<Arc<Sim>>, Path(name): Path<String>) -> Done<Json<Value>> {
    sim.gateway_of(&name)?.expire_code(&sim, &name)?;
    view(&sim, &name)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Force {
    status: String,
    reason: Option<u16>,
}

pub async fn force(
    State(sim): State<Arc<Sim>>,
    Path(name): Path<String>,
    Take(force): Take<Force>,
) -> Done<Json<Value>> {
    sim.gateway_of(&name)?.force(&sim, &name, &force.status, force.reason)?;
    view(&sim, &name)
}
