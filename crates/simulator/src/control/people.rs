//! Numbers of the business, customers, and when ticks move.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Done, Failure, Take, view};
use crate::{
    sim::Sim,
    world::{AckPolicy, File, Refused, Shown, digits},
};

/// Sessions by the phone they are linked to.
fn sessions_of(sim: &Sim) -> Vec<(String, String)> {
    let working = sim.sessions().into_iter().filter(|view| view.linked);
    working.filter_map(|view| Some((view.phone?, view.name))).collect()
}

pub async fn numbers(State(sim): State<Arc<Sim>>) -> Json<Value> {
    let sessions = sessions_of(&sim);
    let world = sim.world();
    let items: Vec<Value> = world
        .lines()
        .map(|line| {
            let own = sessions.iter().filter(|(phone, _)| *phone == line.phone).map(|(_, name)| name.clone());
            view::line(&world, line, &own.collect::<Vec<_>>())
        })
        .collect();
    Json(json!({"items": items}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Number {
    phone: String,
    name: Option<String>,
}

pub async fn make_number(State(sim): State<Arc<Sim>>, Take(new): Take<Number>) -> Done<(StatusCode, Json<Value>)> {
    let phone = digits(&new.phone).ok_or(Refused::NoAddress(new.phone))?;
    let mut world = sim.world();
    world.line_mut(&phone)?;
    if let Some(name) = new.name {
        world.person_mut(&phone)?.push_name = name;
    }
    let line = world.line(&phone).expect("it has just been made");
    Ok((StatusCode::CREATED, Json(view::line(&world, line, &[]))))
}

/// Ticks of one number; null goes back to the policy of all.
pub async fn number_acks(
    State(sim): State<Arc<Sim>>,
    Path(phone): Path<String>,
    Take(acks): Take<Option<AckPolicy>>,
) -> Done<Json<Value>> {
    let phone = digits(&phone).ok_or(Refused::NoAddress(phone))?;
    let mut world = sim.world();
    world.line_mut(&phone)?.acks = acks;
    Ok(Json(json!(acks.unwrap_or(world.acks))))
}

pub async fn acks(State(sim): State<Arc<Sim>>) -> Json<Value> {
    Json(json!(sim.world().acks))
}

pub async fn set_acks(State(sim): State<Arc<Sim>>, Take(acks): Take<AckPolicy>) -> Json<Value> {
    sim.world().acks = acks;
    Json(json!(acks))
}

pub async fn customers(State(sim): State<Arc<Sim>>) -> Json<Value> {
    let world = sim.world();
    let customers = world.people().filter(|person| world.line(&person.phone).is_none());
    Json(json!({"items": customers.map(view::person).collect::<Vec<_>>()}))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Customer {
    phone: String,
    /// What they call themselves, and how the business has saved them unless `savedAs` says otherwise.
    name: Option<String>,
    saved_as: Option<String>,
    /// Digits of the hidden id.
    lid: Option<String>,
    shown: Option<Shown>,
    /// The name chosen instead of a number, for gateways that tell it.
    username: Option<String>,
    /// The business-scoped id at Meta; left out, one is made from the phone.
    bsuid: Option<String>,
    on_whats_app: Option<bool>,
    /// Their own policy for ticks; left out or null, that of the number.
    acks: Option<AckPolicy>,
    /// A profile picture.
    picture: Option<Picture>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Picture {
    mimetype: String,
    data: String,
}

/// Makes a customer, or changes one.
pub async fn make_customer(State(sim): State<Arc<Sim>>, Take(new): Take<Customer>) -> Done<(StatusCode, Json<Value>)> {
    let phone = digits(&new.phone).ok_or(Refused::NoAddress(new.phone))?;
    let picture = match new.picture {
        None => None,
        Some(picture) => {
            let bytes = BASE64_STANDARD.decode(&picture.data);
            let bytes = bytes.map_err(|_| Failure(StatusCode::BAD_REQUEST, "the picture is not base64".into()))?;
            Some(File { mimetype: picture.mimetype, filename: None, bytes: bytes.into() })
        }
    };
    let mut world = sim.world();
    let picture = picture.map(|picture| world.shelf.put(picture));
    let person = world.person_mut(&phone)?;
    if let Some(name) = new.name {
        person.push_name = name;
    }
    person.name = new.saved_as.or(person.name.take());
    if let Some(lid) = new.lid {
        person.lid = lid;
    }
    person.username = new.username.or(person.username.take());
    person.bsuid = new.bsuid.or(person.bsuid.take());
    person.shown = new.shown.unwrap_or(person.shown);
    person.exists = new.on_whats_app.unwrap_or(person.exists);
    person.acks = new.acks;
    person.picture = picture.or(person.picture.take());
    let answer = view::person(person);
    sim.bell.ring(&json!({"kind": "customer", "customer": answer}));
    Ok((StatusCode::CREATED, Json(answer)))
}
