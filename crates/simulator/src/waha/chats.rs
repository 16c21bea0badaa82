//! Routes that read chats and messages.

use std::{collections::HashMap, sync::Arc};

use axum::extract::{Path, Query, State};
use serde_json::{Value, json};

use super::{
    Engine,
    input::{Input, raw_id},
    refusal::{Answer, Refusal, created, ok},
    session::Session,
    shape::{Lens, Tense, net},
    wait::{self, Ready},
};
use crate::{
    sim::Sim,
    world::{Address, Chat, Message, Refused, World, ack},
};

/// The query, as texts.
pub type Words = Query<HashMap<String, String>>;

/// A number of the query.
pub fn number(query: &HashMap<String, String>, name: &str) -> Result<Option<i64>, Refusal> {
    match query.get(name).map(String::as_str) {
        None | Some("") => Ok(None),
        Some(text) => text.parse().map(Some).map_err(|_| {
            Refusal::bad(json!([format!("{name} must be a number conforming to the specified constraints")]))
        }),
    }
}

/// `limit` and `offset`, applied.
pub fn page<T>(
    items: impl Iterator<Item = T>,
    query: &HashMap<String, String>,
    default: Option<usize>,
) -> Result<Vec<T>, Refusal> {
    let [limit, offset] =
        [number(query, "limit")?, number(query, "offset")?].map(|n| n.map(|n| usize::try_from(n).unwrap_or(0)));
    Ok(items.skip(offset.unwrap_or(0)).take(limit.or(default).unwrap_or(usize::MAX)).collect())
}

fn descending(query: &HashMap<String, String>) -> bool {
    query.get("sortOrder").is_none_or(|order| order != "asc")
}

/// The name of a chat: as the business has saved it, or of the group.
fn name(world: &World, line: &str, chat: &Address) -> Option<String> {
    match chat {
        Address::Person(phone) => Some(world.person(phone).label().to_owned()),
        Address::Group(id) => Some(world.line(line)?.group(id)?.subject.clone()),
        _ => None,
    }
}

/// The engine's own form of a chat.
fn raw_chat(sim: &Sim, world: &World, line: &str, address: &Address, chat: &Chat) -> Value {
    let jid = world.jid(address);
    let at = chat.last_at_ms / 1000;
    let name = name(world, line, address);
    match sim.waha.engine {
        Engine::Noweb => json!({"id": net(&jid), "conversationTimestamp": at, "name": name}),
        Engine::Gows => json!({"id": jid, "name": name, "conversationTimestamp": at}),
        // from docs
        Engine::Webjs => {
            let (user, server) = jid.split_once('@').unwrap_or((&jid, ""));
            json!({
                "id": {"server": server, "user": user, "_serialized": jid},
                "name": name, "isGroup": matches!(address, Address::Group(_)),
                "unreadCount": chat.unread(), "timestamp": at, "archived": false, "pinned": false, "isMuted": false,
            })
        }
    }
}

/// Chats of a line in the order that was asked for.
fn sorted<'a>(
    world: &'a World,
    line: &str,
    query: &HashMap<String, String>,
) -> Result<Vec<(&'a Address, &'a Chat)>, Refusal> {
    let Some(owner) = world.line(line) else { return Ok(Vec::new()) };
    let mut chats = owner.chats();
    match query.get("sortBy").map(String::as_str) {
        None | Some("conversationTimestamp") => {}
        Some("id") => chats.sort_by_key(|(address, _)| std::cmp::Reverse(world.jid(address))),
        Some("name") => chats.sort_by_key(|(address, _)| std::cmp::Reverse(name(world, line, address))),
        Some(_) => {
            let text = "sortBy must be one of the following values: conversationTimestamp, id, name";
            return Err(Refusal::bad(json!([text])));
        }
    }
    if !descending(query) {
        chats.reverse();
    }
    Ok(chats)
}

pub async fn list(State(sim): State<Arc<Sim>>, Path(session): Path<String>, query: Words) -> Answer {
    let ready = wait::working(&sim, &session).await?;
    let world = sim.world();
    let chats = page(sorted(&world, &ready.line, &query)?.into_iter(), &query, None)?;
    let chats: Vec<Value> =
        chats.into_iter().map(|(address, chat)| raw_chat(&sim, &world, &ready.line, address, chat)).collect();
    Ok(ok(&json!(chats)))
}

fn overview_json(sim: &Sim, ready: &Ready, query: &HashMap<String, String>, ids: &[String]) -> Result<Value, Refusal> {
    let world = sim.world();
    let lens = Lens { world: &world, line: &ready.line, gateway: &sim.waha };
    let wanted: Vec<Address> = ids.iter().filter_map(|id| world.resolve(id)).collect();
    let chats = sorted(&world, &ready.line, query)?;
    let chats = chats.into_iter().filter(|(address, _)| ids.is_empty() || wanted.contains(address));
    let chats: Vec<Value> = page(chats, query, Some(20))?
        .into_iter()
        .map(|(address, chat)| {
            let last = chat.messages().next_back();
            json!({
                "id": world.jid(address),
                "name": name(&world, &ready.line, address),
                "picture": picture_url(sim, &world, address),
                "lastMessage": last.map(|message| lens.message(message, Tense::Stored, Value::Null)),
                "_chat": raw_chat(sim, &world, &ready.line, address, chat),
            })
        })
        .collect();
    Ok(json!(chats))
}

pub async fn overview(State(sim): State<Arc<Sim>>, Path(session): Path<String>, query: Words) -> Answer {
    let ready = wait::working(&sim, &session).await?;
    let ids: Vec<String> = query.get("ids").map_or_else(Vec::new, |ids| ids.split(',').map(str::to_owned).collect());
    Ok(ok(&overview_json(&sim, &ready, &query, &ids)?))
}

pub async fn overview_of(State(sim): State<Arc<Sim>>, Path(session): Path<String>, input: Input) -> Answer {
    let ready = wait::working(&sim, &session).await?;
    // from docs: mandatory since 2026.5.1
    let Some(pagination) = input.0.get("pagination").and_then(Value::as_object) else {
        return Err(Refusal::bad(json!(["pagination should not be null or undefined"])));
    };
    let words = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let query = pagination.iter().map(|(key, value)| (key.clone(), words(value))).collect();
    let ids = input.0.pointer("/filter/ids").and_then(Value::as_array);
    let ids: Vec<String> = ids.into_iter().flatten().map(words).collect();
    Ok(created(&overview_json(&sim, &ready, &query, &ids)?))
}

/// What the filters of the query leave.
fn passes(message: &Message, query: &HashMap<String, String>) -> Result<bool, Refusal> {
    let at = message.at_ms / 1000;
    let from = number(query, "filter.timestamp.gte")?.is_none_or(|from| at >= from);
    let to = number(query, "filter.timestamp.lte")?.is_none_or(|to| at <= to);
    let mine = query.get("filter.fromMe").is_none_or(|mine| (mine == "true") == message.author.is_me());
    let acked = query.get("filter.ack").is_none_or(|name| ack::number(name) == Some(message.ack));
    Ok(from && to && mine && acked)
}

/// Whether files are to be fetched: yes, unless it is said.
fn download(query: &HashMap<String, String>) -> bool {
    query.get("downloadMedia").is_none_or(|download| download != "false")
}

fn shown(sim: &Sim, lens: &Lens<'_>, session: &str, message: &Message, with_files: bool) -> Value {
    let media = with_files.then(|| {
        let mut state = sim.waha.state();
        let session: Option<&mut Session> = state.sessions.get_mut(session);
        session.map_or(Value::Null, |session| sim.waha.offer(sim, lens.world, session, message))
    });
    lens.message(message, Tense::Stored, media.unwrap_or_default())
}

pub async fn messages(
    State(sim): State<Arc<Sim>>,
    Path((session, chat)): Path<(String, String)>,
    query: Words,
) -> Answer {
    let ready = wait::working(&sim, &session).await?;
    let world = sim.world();
    let lens = Lens { world: &world, line: &ready.line, gateway: &sim.waha };
    let Some(owner) = world.line(&ready.line) else { return Ok(ok(&json!([]))) };
    let mut found: Vec<&Message> = Vec::new();
    match (chat.as_str(), sim.waha.engine) {
        ("all", Engine::Noweb | Engine::Gows) => {
            owner.chats().into_iter().for_each(|(_, chat)| found.extend(chat.messages()));
            found.sort_by_key(|message| message.at_ms);
        }
        ("all", Engine::Webjs) => return Err(Refusal::not_implemented(&sim.waha)),
        (chat, _) => {
            let address = world.resolve(chat).ok_or_else(|| Refused::NoAddress(chat.to_owned()))?;
            found.extend(owner.chat(&address).into_iter().flat_map(Chat::messages));
        }
    }
    if descending(&query) {
        found.reverse();
    }
    let mut kept = Vec::with_capacity(found.len());
    for message in found {
        if passes(message, &query)? {
            kept.push(message);
        }
    }
    let with_files = download(&query);
    let messages: Vec<Value> = page(kept.into_iter(), &query, Some(10))?
        .into_iter()
        .map(|message| shown(&sim, &lens, &ready.session, message, with_files))
        .collect();
    Ok(ok(&json!(messages)))
}

pub async fn message(
    State(sim): State<Arc<Sim>>,
    Path((session, _chat, id)): Path<(String, String, String)>,
    query: Words,
) -> Answer {
    let ready = wait::working(&sim, &session).await?;
    let raw = raw_id(&id)?;
    let world = sim.world();
    let lens = Lens { world: &world, line: &ready.line, gateway: &sim.waha };
    let found = world.line(&ready.line).and_then(|owner| owner.message(raw));
    let found = found.ok_or_else(|| Refusal::missing("Message not found"))?;
    Ok(ok(&shown(&sim, &lens, &ready.session, found, download(&query))))
}

pub async fn read(State(sim): State<Arc<Sim>>, Path((session, chat)): Path<(String, String)>) -> Answer {
    let ready = wait::working(&sim, &session).await?;
    let mut world = sim.world();
    let address = world.resolve(&chat).ok_or_else(|| Refused::NoAddress(chat.clone()))?;
    let seen = world.see(&ready.line, &address, None);
    let lens = Lens { world: &world, line: &ready.line, gateway: &sim.waha };
    let owner = world.line(&ready.line);
    let ids: Vec<String> = seen.iter().filter_map(|raw| Some(lens.id(owner?.message(raw)?))).collect();
    sim.bell.ring(&json!({"kind": "seen", "number": ready.line, "chat": address, "ids": seen}));
    Ok(created(&json!({"ids": ids})))
}

pub async fn remove(State(sim): State<Arc<Sim>>, Path((session, chat)): Path<(String, String)>) -> Answer {
    let ready = wait::working(&sim, &session).await?;
    let mut world = sim.world();
    let address = world.resolve(&chat).ok_or_else(|| Refused::NoAddress(chat.clone()))?;
    world.forget(&ready.line, &address);
    Ok(ok(&json!({"result": true})))
}

/// The picture of a person, if they have one: a file that needs no session.
pub fn picture_url(sim: &Sim, world: &World, address: &Address) -> Option<String> {
    let id = world.person(address.phone()?).picture?;
    Some(format!("{}/control/media/{id}", sim.waha.base_url))
}

pub async fn picture(State(sim): State<Arc<Sim>>, Path((session, chat)): Path<(String, String)>) -> Answer {
    wait::working(&sim, &session).await?;
    let world = sim.world();
    let address = world.resolve(&chat).ok_or(Refused::NoAddress(chat))?;
    Ok(ok(&json!({"url": picture_url(&sim, &world, &address)})))
}
