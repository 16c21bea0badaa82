//! Routes that act on a message or a chat: react, star, vote, edit, revoke, read, type; and calls.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Value, json};

use super::{
    Engine,
    events::{act_raw, presence as presence_json},
    input::{Input, raw_id, undefined},
    refusal::{self, Answer, Refusal, created, empty, ok},
    shape::{Lens, Tense, net},
    wait::{self, Ready},
};
use crate::{
    sim::Sim,
    world::{Address, Author, Happening, Message, Refused, Via, World},
};

const API: Author = Author::Me(Via::Api);

/// The answer to an act that is a message of its own.
fn act_answer(sim: &Sim, lens: &Lens<'_>, id: &str, message: &Message, raw: Value) -> Value {
    match sim.waha.engine {
        Engine::Noweb => raw,
        // from docs: the act's id, and the engine's own form.
        Engine::Gows => json!({"id": lens.id_of(id, true, &message.chat, &API), "_data": raw}),
        Engine::Webjs => json!({"id": {
            "fromMe": true, "remote": lens.world.jid(&message.chat), "id": id,
            "_serialized": lens.id_of(id, true, &message.chat, &API),
        }}),
    }
}

fn message_of(world: &World, line: &str, id: &str) -> Result<Message, Refusal> {
    world.line(line).and_then(|line| line.message(id)).cloned().ok_or_else(|| Refusal::missing("Message not found"))
}

pub async fn reaction(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    let ready = wait::working(&sim, input.session()?).await?;
    let raw = raw_id(input.text("messageId").ok_or_else(|| undefined("split"))?)?.to_owned();
    let emoji = input.text("reaction").unwrap_or_default();
    message_of(&sim.world(), &ready.line, &raw)?;
    let at_ms = sim.now_ms();
    let id = sim.act(&ready.line, |world, out| world.react(&ready.line, &raw, API, emoji, out))?;
    let world = sim.world();
    let lens = Lens { world: &world, line: &ready.line, gateway: &sim.waha };
    let message = message_of(&world, &ready.line, &raw)?;
    let content = json!({"reactionMessage": {
        "key": lens.key(&message), "text": emoji, "senderTimestampMs": at_ms.to_string(),
    }});
    let key = lens.key_of(&id, &message.chat, &API);
    let raw = lens.raw_of(key, content, at_ms, 0, Tense::Sent, None);
    Ok(ok(&act_answer(&sim, &lens, &id, &message, raw)))
}

pub async fn star(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    let ready = wait::working(&sim, input.session()?).await?;
    let raw = raw_id(input.text("messageId").ok_or_else(|| undefined("split"))?)?.to_owned();
    let on = input.0.get("star").and_then(Value::as_bool).unwrap_or(true);
    sim.act(&ready.line, |world, _| world.star(&ready.line, &raw, on))?;
    Ok(empty(StatusCode::OK))
}

pub async fn poll_vote(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    let ready = wait::working(&sim, input.session()?).await?;
    let raw = raw_id(input.text("pollMessageId").ok_or_else(|| undefined("split"))?)?.to_owned();
    let votes = input.texts("votes").unwrap_or_default();
    let id = sim.act(&ready.line, |world, out| world.vote(&ready.line, &raw, API, votes, false, out))?;
    let world = sim.world();
    let lens = Lens { world: &world, line: &ready.line, gateway: &sim.waha };
    let poll = message_of(&world, &ready.line, &raw)?;
    let content = json!({"pollUpdateMessage": {"pollCreationMessageKey": lens.key(&poll)}});
    let raw = lens.raw_of(lens.key_of(&id, &poll.chat, &API), content, sim.now_ms(), 0, Tense::Sent, None);
    Ok(created(&act_answer(&sim, &lens, &id, &poll, raw)))
}

pub async fn edit(
    State(sim): State<Arc<Sim>>,
    Path((session, _chat, message)): Path<(String, String, String)>,
    input: Input,
) -> Answer {
    let text = input.text("text").ok_or_else(|| undefined("match"))?;
    act_on(&sim, &session, &message, true, |world, line, raw, out| world.edit(line, raw, &API, text, out)).await
}

pub async fn revoke(
    State(sim): State<Arc<Sim>>,
    Path((session, _chat, message)): Path<(String, String, String)>,
) -> Answer {
    act_on(&sim, &session, &message, false, |world, line, raw, out| world.revoke(line, raw, &API, out)).await
}

async fn act_on(
    sim: &Arc<Sim>,
    session: &str,
    message: &str,
    edit: bool,
    deed: impl FnOnce(&mut World, &str, &str, &mut Vec<Happening>) -> Result<String, Refused>,
) -> Answer {
    let ready = wait::working(sim, session).await?;
    let raw = raw_id(message)?.to_owned();
    message_of(&sim.world(), &ready.line, &raw)?;
    let id = sim.act(&ready.line, |world, out| deed(world, &ready.line, &raw, out))?;
    let world = sim.world();
    let lens = Lens { world: &world, line: &ready.line, gateway: &sim.waha };
    let message = message_of(&world, &ready.line, &raw)?;
    let raw = act_raw(&lens, &id, &message, sim.now_ms(), edit);
    Ok(ok(&act_answer(sim, &lens, &id, &message, raw)))
}

/// The session and the chat that a body names.
async fn chat_of(sim: &Arc<Sim>, input: &Input) -> Result<(Ready, Address), Refusal> {
    let ready = wait::working(sim, input.session()?).await?;
    let chat = input.chat()?;
    let address = sim.world().resolve(chat).ok_or_else(|| Refused::NoAddress(chat.to_owned()))?;
    Ok((ready, address))
}

pub async fn seen(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    let (ready, chat) = chat_of(&sim, &input).await?;
    let one = input.text("messageId").map(|id| vec![id.to_owned()]);
    let ids = input.texts("messageIds").filter(|ids| !ids.is_empty()).or(one);
    let ids = ids.map(|ids| ids.iter().map(|id| raw_id(id).map(str::to_owned)).collect::<Result<Vec<_>, _>>());
    let seen = sim.world().see(&ready.line, &chat, ids.transpose()?.as_deref());
    sim.bell.ring(&json!({"kind": "seen", "number": ready.line, "chat": chat, "ids": seen}));
    Ok(empty(StatusCode::CREATED))
}

pub async fn start_typing(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    typing(&sim, &input, "typing").await
}

pub async fn stop_typing(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    typing(&sim, &input, "paused").await
}

async fn typing(sim: &Arc<Sim>, input: &Input, state: &str) -> Answer {
    let (ready, chat) = chat_of(sim, input).await?;
    sim.bell.ring(&json!({"kind": "typing", "number": ready.line, "chat": chat, "state": state}));
    Ok(created(&json!({"result": true})))
}

pub async fn presence(State(sim): State<Arc<Sim>>, Path(session): Path<String>, input: Input) -> Answer {
    let presence = input.text("presence").unwrap_or_default().to_owned();
    match presence.as_str() {
        "online" | "offline" => {
            wait::working(&sim, &session).await?;
            if let Some(session) = sim.waha.state().sessions.get_mut(&session) {
                session.presence = Some(presence);
            }
        }
        "typing" | "recording" | "paused" => {
            let Some(chat) = input.text("chatId") else {
                return Err(Refusal::Detail(format!("'{presence}' presence requires 'chatId' field.")));
            };
            let ready = wait::working(&sim, &session).await?;
            let chat = sim.world().resolve(chat).ok_or_else(|| Refused::NoAddress(chat.to_owned()))?;
            sim.bell.ring(&json!({"kind": "typing", "number": ready.line, "chat": chat, "state": presence}));
        }
        _ => {
            let text = "presence must be one of the following values: offline, online, typing, recording, paused";
            return Err(Refusal::bad(json!([text])));
        }
    }
    Ok(empty(StatusCode::CREATED))
}

/// A chat of a session by any form of its id, as the gateway names it, and who is on the other side.
fn named(sim: &Sim, chat: &str) -> Result<String, Refusal> {
    let world = sim.world();
    let address = world.resolve(chat).ok_or_else(|| Refused::NoAddress(chat.to_owned()))?;
    Ok(world.jid(&address))
}

pub async fn subscribe(State(sim): State<Arc<Sim>>, Path((session, chat)): Path<(String, String)>) -> Answer {
    wait::working(&sim, &session).await?;
    let jid = named(&sim, &chat)?;
    if let Some(session) = sim.waha.state().sessions.get_mut(&session)
        && !session.subscribed.contains(&jid)
        && session.subscribed.len() < 10_000
    {
        session.subscribed.push(jid);
    }
    Ok(empty(StatusCode::CREATED))
}

pub async fn presence_of(State(sim): State<Arc<Sim>>, Path((session, chat)): Path<(String, String)>) -> Answer {
    wait::working(&sim, &session).await?;
    let jid = named(&sim, &chat)?;
    let state = sim.waha.state();
    let known = state.sessions.get(&session).and_then(|session| session.presences.get(&jid));
    Ok(ok(
        &known.map_or_else(|| json!({"id": jid, "presences": []}), |(state, at)| presence_json(&jid, &jid, state, *at))
    ))
}

pub async fn presences(State(sim): State<Arc<Sim>>, Path(session): Path<String>) -> Answer {
    wait::working(&sim, &session).await?;
    let state = sim.waha.state();
    let all: Vec<Value> = state.sessions.get(&session).map_or_else(Vec::new, |session| {
        session.presences.iter().map(|(jid, (state, at))| presence_json(jid, jid, state, *at)).collect()
    });
    Ok(ok(&json!(all)))
}

pub async fn reject_call(State(sim): State<Arc<Sim>>, Path(session): Path<String>, input: Input) -> Answer {
    let ready = wait::working(&sim, &session).await?;
    let (Some(from), Some(id)) = (input.text("from"), input.text("id")) else {
        return Err(Refusal::bad(json!(["from should not be empty", "id should not be empty"])));
    };
    let from = sim.world().resolve(&net(from).replace("@s.whatsapp.net", "@c.us"));
    let Some(Address::Person(from)) = from else {
        return Err(Refused::NoAddress(input.text("from").unwrap_or_default().to_owned()).into());
    };
    let call = Happening::Call { id: id.to_owned(), from, video: false, state: "rejected".into(), at_ms: sim.now_ms() };
    sim.act(&ready.line, |_, out| {
        out.push(call);
        Ok(())
    })?;
    Ok(refusal::created(&json!({"result": true})))
}
