//! `/chat/find…`: what the server has in its database. It is made of messages: `offset` is the size of a page.

use std::sync::Arc;

use axum::extract::State;
use serde_json::{Value, json};

use super::{
    answer::{Answer, ok},
    input::{Input, Kind},
    instance::{Instance, iso},
    send::jid,
    shape::{Lens, status},
};
use crate::{
    sim::Sim,
    world::{Address, Content, Message, World, ack},
};

/// The phone whose messages are in the store: that of the instance, open or not.
fn line(instance: &Instance) -> Option<String> {
    instance.me.as_ref().map(|me| me.phone.clone()).or_else(|| instance.line().map(str::to_owned))
}

/// Reads the store of an instance; one that never was linked has nothing in it.
fn stored<T: Default>(sim: &Sim, name: &str, read: impl FnOnce(&Lens<'_>) -> T) -> T {
    let world = sim.world();
    let state = sim.evolution.state();
    let found = state.get(name).and_then(|instance| Some((instance, line(instance)?)));
    found.map(|(instance, line)| read(&Lens { world: &world, line: &line, instance })).unwrap_or_default()
}

/// A row of messages: as the hook had it, but for what only the store knows.
fn row(lens: &Lens<'_>, message: &Message) -> Value {
    let mut row = lens.message(message, lens.by_us(message));
    row["id"] = lens.instance.row(&message.id).into();
    if row.get("contextInfo").is_none() {
        row["contextInfo"] = Value::Null;
    }
    // A channel gives our own no name in its hooks; here they have one.
    if message.author.is_me() {
        row["pushName"] = "Você".into();
    }
    row
}

pub async fn messages(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    input.check(&[("where", Kind::Object, false)])?;
    let number = |name: &str, other: u64| input.body[name].as_u64().filter(|n| *n > 0).unwrap_or(other);
    let (size, page) = (number("offset", 50), number("page", 1));
    let key = |name: &str| input.body.pointer(&format!("/where/key/{name}")).and_then(Value::as_str);
    let from_me = input.body.pointer("/where/key/fromMe") == Some(&Value::Bool(true));
    let time = |end: &str| {
        let text = input.body.pointer(&format!("/where/messageTimestamp/{end}"))?.as_str()?;
        Some(text.parse::<jiff::Timestamp>().ok()?.as_second())
    };
    // One end alone is passed over.
    let between = time("gte").zip(time("lte"));
    let (total, records) = stored(&sim, &input.instance, |lens| {
        let mut found: Vec<&Message> = all(lens.world, lens.line)
            .filter(|message| {
                let at = message.at_ms / 1000;
                key("id").is_none_or(|id| id == message.id)
                    && key("remoteJid").is_none_or(|jid| jid == lens.shown(&message.chat))
                    // A no is passed over.
                    && (!from_me || message.author.is_me())
                    && between.is_none_or(|(from, to)| (from..=to).contains(&at))
            })
            .collect();
        found.sort_by_key(|message| std::cmp::Reverse(message.at_ms));
        let skipped = usize::try_from(size.saturating_mul(page - 1)).unwrap_or(usize::MAX);
        let shown = found.iter().skip(skipped).take(usize::try_from(size).unwrap_or(usize::MAX));
        let records: Vec<Value> = shown.map(|message| record(lens, message)).collect();
        (found.len() as u64, records)
    });
    ok(&json!({"messages": {
        "total": total, "pages": total.div_ceil(size), "currentPage": page, "records": records,
    }}))
}

fn all<'a>(world: &'a World, line: &str) -> impl Iterator<Item = &'a Message> {
    world.line(line).into_iter().flat_map(|line| line.chats()).flat_map(|(_, chat)| chat.messages())
}

/// What `findMessages` selects: each step of the ticks is an entry.
fn record(lens: &Lens<'_>, message: &Message) -> Value {
    let mut record = row(lens, message);
    record.as_object_mut().map(|record| record.remove("status"));
    let reached = if message.author.is_me() { message.ack } else { ack::PENDING };
    record["MessageUpdate"] = (ack::SERVER..=reached).map(|step| json!({"status": status(step)})).collect();
    record
}

pub async fn chats(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    input.check(&[("where", Kind::Object, false)])?;
    let only = input.body.pointer("/where/remoteJid").and_then(Value::as_str).map(jid);
    let number = |name: &str| input.body[name].as_u64().and_then(|n| usize::try_from(n).ok());
    let (take, skip) = (number("take").filter(|n| *n > 0).unwrap_or(usize::MAX), number("skip").unwrap_or(0));
    let now = sim.now_ms();
    let rows: Vec<Value> = stored(&sim, &input.instance, |lens| {
        let chats = lens.world.line(lens.line).map(|line| line.chats()).unwrap_or_default();
        let chats = chats.into_iter().filter(|(_, chat)| chat.messages().next().is_some());
        let chats = chats.filter(|(address, _)| only.as_ref().is_none_or(|only| *only == lens.shown(address)));
        chats
            .skip(skip)
            .take(take)
            .map(|(address, chat)| {
                let last = chat.messages().next_back().expect("a chat without messages was left out");
                let inbound = chat.messages().rfind(|message| !message.author.is_me());
                let name =
                    |phone: &str| lens.instance.contacts.get(&lens.addressed(&Address::Person(phone.into()))).cloned();
                json!({
                    "id": lens.instance.row(&lens.shown(address)),
                    "remoteJid": lens.shown(address),
                    "pushName": address.phone().and_then(name),
                    "profilePicUrl": null,
                    "updatedAt": iso(last.at_ms),
                    "windowStart": inbound.map(|message| iso(message.at_ms)),
                    "windowExpires": inbound.map(|message| iso(message.at_ms + 86_400_000)),
                    "windowActive": inbound.is_some_and(|message| message.at_ms + 86_400_000 > now),
                    "lastMessage": last_message(lens, last),
                    "unreadCount": chat.unread(),
                    "isSaved": true,
                })
            })
            .collect()
    });
    ok(&json!(rows))
}

/// The last message of a chat: of files only the caption is left.
fn last_message(lens: &Lens<'_>, message: &Message) -> Value {
    let mut last = row(lens, message);
    if let (Content::Media { caption, .. }, Some(kind)) = (&message.content, last["messageType"].as_str()) {
        let left = caption.as_ref().map_or(json!({}), |caption| json!({"caption": caption}));
        last["message"] = json!({kind: left});
    }
    (last["participant"], last["sessionId"]) = (Value::Null, Value::Null);
    last["status"] = if message.author.is_me() { status(message.ack).into() } else { Value::Null };
    last
}

pub async fn contacts(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    input.check(&[("where", Kind::Object, false)])?;
    let only = input.body.pointer("/where/remoteJid").and_then(Value::as_str);
    let only = only.map(|only| if only.contains('@') { only.to_owned() } else { jid(only) });
    let number = |name: &str| input.body[name].as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    let size = number("offset").unwrap_or(usize::MAX);
    let skip = number("page").map_or(0, |page| size.saturating_mul(page - 1));
    let rows: Vec<Value> = sim
        .evolution
        .with(&input.instance, |instance| {
            let known = instance.contacts.iter().filter(|(jid, _)| only.as_ref().is_none_or(|only| only == *jid));
            let shown = known.skip(skip).take(size);
            shown.map(|(jid, name)| contact(instance, jid, name)).collect()
        })
        .unwrap_or_default();
    ok(&json!(rows))
}

fn contact(instance: &Instance, jid: &str, name: &str) -> Value {
    let group = jid.ends_with("@g.us");
    let saved = !name.is_empty();
    json!({
        "id": instance.row(jid),
        "remoteJid": jid,
        "pushName": name,
        "profilePicUrl": null,
        "createdAt": iso(instance.created_ms),
        "updatedAt": iso(instance.updated_ms),
        "instanceId": instance.id,
        "isGroup": group,
        "isSaved": saved,
        "type": if group { "group" } else if saved { "contact" } else { "group_member" },
    })
}
