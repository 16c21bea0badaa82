//! Chats of a number, and what is neither a message nor done with one.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Done, Failure, Take, view};
use crate::{
    range,
    sim::Sim,
    world::{Address, GroupChange, Happening, Refused, digits, message_id},
};

#[derive(Deserialize)]
pub struct Limit {
    limit: Option<usize>,
}

pub async fn list(
    State(sim): State<Arc<Sim>>,
    Path(phone): Path<String>,
    Query(query): Query<Limit>,
) -> Done<Json<Value>> {
    let world = sim.world();
    let line = world.line(&phone).ok_or(Refused::Missing("such number"))?;
    let chats = line.chats().into_iter().take(query.limit.unwrap_or(200));
    let items: Vec<Value> = chats.map(|(address, chat)| view::chat(&world, &phone, address, chat)).collect();
    Ok(Json(json!({"items": items})))
}

fn address(sim: &Sim, chat: &str) -> Done<Address> {
    Ok(sim.world().resolve(chat).ok_or_else(|| Refused::NoAddress(chat.to_owned()))?)
}

/// Messages of a chat, the oldest first; the last `limit` of them.
pub async fn messages(
    State(sim): State<Arc<Sim>>,
    Path((phone, chat)): Path<(String, String)>,
    Query(query): Query<Limit>,
) -> Done<Json<Value>> {
    let chat = address(&sim, &chat)?;
    let world = sim.world();
    let line = world.line(&phone).ok_or(Refused::Missing("such number"))?;
    let messages = line.chat(&chat).into_iter().flat_map(|chat| chat.messages().rev());
    let mut items: Vec<Value> =
        messages.take(query.limit.unwrap_or(200)).map(|message| view::message(&world, &phone, message)).collect();
    items.reverse();
    Ok(Json(json!({"items": items, "name": view::chat_name(&world, &phone, &chat)})))
}

/// The customer opens the chat: everything in it is read.
pub async fn open(State(sim): State<Arc<Sim>>, Path((phone, chat)): Path<(String, String)>) -> Done<Json<Value>> {
    let chat = address(&sim, &chat)?;
    let read = sim.act(&phone, |world, out| world.open(&phone, &chat, out))?;
    Ok(Json(json!({"read": read})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typing {
    /// Left out, the customer whose chat it is.
    from: Option<String>,
    /// `typing`, `recording`, `paused`, `online` or `offline`.
    #[serde(default = "typing_word")]
    state: String,
}

fn typing_word() -> String {
    "typing".into()
}

pub async fn typing(
    State(sim): State<Arc<Sim>>,
    Path((phone, chat)): Path<(String, String)>,
    Take(typing): Take<Typing>,
) -> Done<StatusCode> {
    let chat = address(&sim, &chat)?;
    if !["typing", "recording", "paused", "online", "offline"].contains(&typing.state.as_str()) {
        return Err(Failure(StatusCode::BAD_REQUEST, "there is no such state".into()));
    }
    let from = typing.from.as_deref().or(chat.phone()).unwrap_or_default();
    let who = digits(from).ok_or_else(|| Refused::NoAddress(from.to_owned()))?;
    let at_ms = sim.now_ms();
    sim.act(&phone, |_, out| {
        out.push(Happening::Presence { chat, who, state: typing.state, at_ms });
        Ok(())
    })?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewGroup {
    id: Option<String>,
    subject: String,
    #[serde(default)]
    members: Vec<String>,
}

pub async fn make_group(
    State(sim): State<Arc<Sim>>,
    Path(phone): Path<String>,
    Take(new): Take<NewGroup>,
) -> Done<(StatusCode, Json<Value>)> {
    let group = sim.act(&phone, |world, out| world.make_group(&phone, new.id, &new.subject, &new.members, out))?;
    Ok((StatusCode::CREATED, Json(json!({"chat": Address::Group(group.id), "subject": group.subject}))))
}

#[derive(Deserialize)]
pub struct Change {
    subject: Option<String>,
    #[serde(flatten)]
    change: GroupChange,
}

pub async fn change_group(
    State(sim): State<Arc<Sim>>,
    Path((phone, group)): Path<(String, String)>,
    Take(new): Take<Change>,
) -> Done<Json<Value>> {
    let id = group.strip_suffix("@g.us").unwrap_or(&group);
    let group =
        sim.act(&phone, |world, out| world.change_group(&phone, id, new.change, new.subject.as_deref(), out))?;
    Ok(Json(json!({"chat": Address::Group(group.id), "subject": group.subject, "members": group.members})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Call {
    from: String,
    id: Option<String>,
    #[serde(default)]
    video: bool,
    /// `received`, `accepted` or `rejected`.
    state: Option<String>,
}

pub async fn call(
    State(sim): State<Arc<Sim>>,
    Path(phone): Path<String>,
    Take(call): Take<Call>,
) -> Done<(StatusCode, Json<Value>)> {
    let from = digits(&call.from).ok_or(Refused::NoAddress(call.from))?;
    let state = call.state.unwrap_or_else(|| "received".into());
    if !["received", "accepted", "rejected"].contains(&state.as_str()) {
        return Err(Failure(StatusCode::BAD_REQUEST, "a call is received, accepted or rejected".into()));
    }
    let id = call.id.unwrap_or_else(message_id);
    let happening = Happening::Call { id: id.clone(), from, video: call.video, state, at_ms: sim.now_ms() };
    sim.act(&phone, |_, out| {
        out.push(happening);
        Ok(())
    })?;
    Ok((StatusCode::CREATED, Json(json!({"id": id}))))
}

/// A file, for the phone page. Types that a browser could run are handed over as plain bytes.
pub async fn media(State(sim): State<Arc<Sim>>, Path(id): Path<String>, asked: HeaderMap) -> Done<Response> {
    let file = sim.world().shelf.get(&id).cloned().ok_or(Refused::Missing("such file"))?;
    let shown = ["image/png", "image/jpeg", "image/webp", "image/gif", "audio/", "video/"];
    let plain = !shown.iter().any(|kind| file.mimetype.starts_with(kind));
    let mimetype = if plain { "application/octet-stream".to_owned() } else { file.mimetype };
    let disposition = if plain { "attachment" } else { "inline" };
    let headers = [
        (header::CONTENT_TYPE, mimetype),
        (header::CONTENT_DISPOSITION, disposition.to_owned()),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "private, max-age=3600".to_owned()),
    ];
    Ok((headers, range::answer(&asked, file.bytes)).into_response())
}
