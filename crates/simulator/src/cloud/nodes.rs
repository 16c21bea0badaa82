//! `/{id}`: what happens depends on what the id names.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, Query, State as FromState},
    http::{HeaderMap, header},
};

use super::{
    account::Caller,
    apps::{self, Node, Words},
    fields, media, numbers,
    refusal::{Answer, Refusal},
    templates,
};
use crate::sim::Sim;

pub async fn show(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Words>,
    headers: HeaderMap,
) -> Answer {
    let asked = fields::asked(&query);
    let missing = || Refusal::object("get", &id);
    let state = sim.cloud.state();
    match state.node(&caller, &id) {
        Some(Node::Number) => {
            numbers::show(&state, &id, state.numbers.get(&id).ok_or_else(missing)?, &caller.app, asked)
        }
        Some(Node::Waba) => apps::show(state.wabas.get(&id).ok_or_else(missing)?, &id, asked),
        Some(Node::Template) => templates::show(state.templates.get(&id).ok_or_else(missing)?, &id, asked),
        Some(Node::Upload) => media::progress(&state, &caller, &id),
        Some(Node::Media) => {
            let media = state.media.get(&id).cloned().ok_or_else(missing)?;
            let now = state.now(&sim);
            drop(state);
            // Only the number that a file came to may ask for it under its name.
            if media.expires_ms <= now || query.get("phone_number_id").is_some_and(|number| *number != media.number) {
                return Err(missing());
            }
            let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
            media::show(&sim, &media, &id, host)
        }
        None => Err(missing()),
    }
}

pub async fn change(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Words>,
    headers: HeaderMap,
    bytes: Bytes,
) -> Answer {
    let node = sim.cloud.state().node(&caller, &id);
    match node {
        Some(Node::Number) => numbers::set(&sim, &caller, &id, &apps::words(&query, &bytes)).await,
        Some(Node::Template) => templates::edit(&sim, &caller, &id, &bytes),
        Some(Node::Upload) => media::piece(&sim, &caller, &id, &headers, &bytes),
        _ => Err(Refusal::object("post", &id)),
    }
}

pub async fn remove(FromState(sim): FromState<Arc<Sim>>, caller: Caller, Path(id): Path<String>) -> Answer {
    let mut state = sim.cloud.state();
    match state.node(&caller, &id) {
        Some(Node::Media) => media::remove(&mut state, &id),
        _ => Err(Refusal::object("delete", &id)),
    }
}
