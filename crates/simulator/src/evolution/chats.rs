//! `/chat/…`: what is done with messages and chats.

use std::{sync::Arc, time::Duration};

use axum::{extract::State, http::StatusCode};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    answer::{Answer, Refusal, created, ok},
    input::{Input, Kind, Property, check},
    send::{doing, jid, shown, whom},
};
use crate::{
    gate,
    sim::Sim,
    world::{Author, Content, Download, Happening, Refused, Via, World, extension},
};

const API: Author = Author::Me(Via::Api);
/// The parts of WhatsApp's name of a message.
const KEY: [Property; 3] = [("id", Kind::Text, true), ("remoteJid", Kind::Text, true), ("fromMe", Kind::Bool, true)];

pub async fn numbers(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    input.check(&[("numbers", Kind::List(1), false)])?;
    if sim.evolution.ready(&input.instance, "onWhatsApp").is_err() {
        // Nothing at all is said.
        return Ok(gate::json(StatusCode::BAD_REQUEST, &json!({})));
    }
    let world = sim.world();
    let asked = input.body["numbers"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let rows: Vec<Value> = asked
        .map(|number| {
            let mut row = json!({"jid": jid(number), "exists": false, "number": number});
            if let Ok(address) = whom(&world, number) {
                row["exists"] = true.into();
                if let Some(phone) = address.phone() {
                    row["name"] = world.person(phone).push_name.into();
                    // A word, not an id.
                    row["lid"] = "lid".into();
                }
            }
            row
        })
        .collect();
    ok(&json!(rows))
}

pub async fn read(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    input.check(&[("readMessages", Kind::List(1), true)])?;
    let messages = input.body["readMessages"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (at, key) in messages.iter().enumerate() {
        check(key, &format!("readMessages[{at}]"), &KEY)?;
    }
    let line = sim.evolution.ready(&input.instance, "readMessages");
    let line = line.map_err(|why| Refusal::failed(&["Read messages fail", &Refusal::thrown(&why)]))?;
    for key in messages {
        let jid = key["remoteJid"].as_str().unwrap_or_default();
        // Those of whom only a LID is known are passed over, without a word.
        if jid.ends_with("@lid") {
            continue;
        }
        let mut world = sim.world();
        let Some(chat) = world.resolve(jid) else { continue };
        let seen = world.see(&line, &chat, Some(&[key["id"].as_str().unwrap_or_default().to_owned()]));
        sim.bell.ring(&json!({"kind": "seen", "number": line, "chat": chat, "ids": seen}));
    }
    created(&json!({"message": "Read messages", "read": "success"}))
}

pub async fn presence(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    const WORDS: [&str; 5] = ["unavailable", "available", "composing", "recording", "paused"];
    let own: [Property; 3] =
        [("number", Kind::Text, true), ("presence", Kind::OneOf(&WORDS), true), ("delay", Kind::Number, true)];
    input.check(&own)?;
    let line = sim.evolution.ready(&input.instance, "onWhatsApp");
    let line = line.map_err(|why| Refusal::bad(Refusal::thrown(&why)))?;
    let number = input.text("number").unwrap_or_default();
    // The refusal of a number is made a text on its way.
    let chat = whom(&sim.world(), number).map_err(|_| Refusal::bad("Error: [object Object]"))?;
    let word = input.text("presence").unwrap_or_default();
    let tell = |state: &str| {
        sim.bell.ring(&json!({"kind": "typing", "number": line, "chat": chat, "state": state}));
    };
    tell(if word == "composing" { "typing" } else { word });
    // The call takes as long as it is to be seen.
    let delay = input.body["delay"].as_f64().unwrap_or_default().clamp(0.0, 60_000.0);
    tokio::time::sleep(Duration::from_secs_f64(sim.config.second.as_secs_f64() * delay / 1000.0)).await;
    tell("paused");
    created(&json!({"presence": word}))
}

pub async fn picture(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    let number = input.text("number").unwrap_or_default();
    let world = sim.world();
    let picture = world.resolve(&jid(number)).and_then(|chat| world.person(chat.phone()?).picture);
    let url = picture.map(|id| format!("https://pps.whatsapp.net/v/{id}.jpg"));
    ok(&json!({"wuid": jid(number), "profilePictureUrl": url}))
}

pub async fn profile(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    sim.evolution.ready(&input.instance, "onWhatsApp").map_err(Refusal::crash)?;
    let number = input.text("number").unwrap_or_default();
    let world = sim.world();
    let person = whom(&world, number)?.phone().map(|phone| world.person(phone));
    ok(&json!({
        "wuid": jid(number),
        "name": person.map(|person| person.push_name),
        "numberExists": true,
        "picture": null,
        "status": {"status": null},
        "isBusiness": false,
        "email": null,
        "description": null,
        "website": null,
    }))
}

/// Of a message in the store, or of one that is handed in whole.
pub async fn file(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    let id = input.body.pointer("/message/key/id").and_then(Value::as_str).unwrap_or_default();
    let line = sim.evolution.with(&input.instance, |instance| instance.me.as_ref().map(|me| me.phone.clone()));
    let line = line.flatten().unwrap_or_default();
    let (message, found) = {
        let world = sim.world();
        let message = world.line(&line).and_then(|line| line.message(id)).cloned();
        let message = message.ok_or_else(|| Refusal::bad("Message not found"))?;
        let found = message.content.file().and_then(|file| world.shelf.get(file)).cloned();
        (message, found)
    };
    let Content::Media { caption, .. } = &message.content else {
        // Since 2.3.7 words are no error any more.
        return match message.content {
            Content::Text(_) => created(&Value::Null),
            _ => Err(Refusal::bad("The message is not of the media type")),
        };
    };
    let gone = || Refusal::bad("Error: Failed to fetch stream from https://mmg.whatsapp.net");
    let file = found.filter(|_| message.download == Download::Ok).ok_or_else(gone)?;
    let raw = shown(&sim, &input.instance, &line, |lens| lens.message(&message, true));
    let raw = raw.ok_or_else(|| Refusal::no_instance(&input.instance))?;
    let kind = raw["messageType"].as_str().unwrap_or_default();
    let inside = &raw["message"][kind];
    let mut answer = json!({
        "mediaType": kind,
        "fileName": file.filename.clone().unwrap_or_else(|| format!("{}.{}", message.id, extension(&file.mimetype))),
        "size": {"fileLength": inside["fileLength"]},
        "mimetype": file.mimetype,
        "base64": BASE64_STANDARD.encode(&file.bytes),
        "buffer": null,
    });
    for side in ["height", "width"] {
        if !inside[side].is_null() {
            answer["size"][side] = inside[side].clone();
        }
    }
    if let Some(caption) = caption {
        answer["caption"] = caption.as_str().into();
    }
    created(&answer)
}

pub async fn edit(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    let key = &input.body["key"];
    input.check(&[("number", Kind::Text, false), ("text", Kind::Text, false), ("key", Kind::Object, false)])?;
    check(key, "key", &KEY)?;
    let text = input.text("text").unwrap_or_default();
    let id = key["id"].as_str().unwrap_or_default();
    let wanted = jid(input.text("number").unwrap_or_default());
    let line = sim.evolution.ready(&input.instance, "sendMessage").map_err(Refusal::crash)?;
    let theirs = shown(&sim, &input.instance, &line, |lens| {
        let message = lens.world.line(&line).and_then(|line| line.message(id));
        message.map_or(Value::Null, |message| lens.shown(&message.chat).into())
    });
    match theirs {
        None | Some(Value::Null) => return Err(Refusal::missing("Message not found")),
        Some(theirs) if theirs != wanted.as_str() => return Err(Refusal::bad("RemoteJid does not match")),
        _ => {}
    }
    act_on(&sim, &input, &line, id, true, |world, out| world.edit(&line, id, &API, text, out)).await
}

pub async fn revoke(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    input.check(&KEY)?;
    let id = input.text("id").unwrap_or_default();
    let line = sim
        .evolution
        .ready(&input.instance, "sendMessage")
        .map_err(|why| Refusal::failed(&["Error while deleting message for everyone", &Refusal::thrown(&why)]))?;
    let answer = act_on(&sim, &input, &line, id, false, |world, out| world.revoke(&line, id, &API, out)).await;
    // The status of this one is 201, as though something had been made.
    answer.map(|mut answer| {
        *answer.status_mut() = StatusCode::CREATED;
        answer
    })
}

/// Edits or deletes; the answer is WhatsApp's own message about it.
async fn act_on(
    sim: &Arc<Sim>,
    input: &Input,
    line: &str,
    id: &str,
    edit: bool,
    deed: impl FnOnce(&mut World, &mut Vec<Happening>) -> Result<String, Refused>,
) -> Answer {
    doing(sim, &input.instance, id, true);
    let acted = sim.act(line, deed);
    doing(sim, &input.instance, id, false);
    let (act, at_ms) = (acted?, sim.now_ms());
    let answer = shown(sim, &input.instance, line, |lens| {
        let message = lens.world.line(line).and_then(|line| line.message(id));
        message.map_or(Value::Null, |message| {
            json!({
                "key": lens.key(&act, &message.chat, &API, true),
                "message": {"protocolMessage": lens.protocol(message, edit, at_ms)},
                "messageTimestamp": (at_ms / 1000).to_string(),
                "status": "PENDING",
            })
        })
    });
    ok(&answer.ok_or_else(|| Refusal::no_instance(&input.instance))?)
}

pub async fn block(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    input.check(&[("number", Kind::Text, true), ("status", Kind::OneOf(&["block", "unblock"]), true)])?;
    sim.evolution.ready(&input.instance, "updateBlockStatus").map_err(Refusal::crash)?;
    created(&json!({"block": "success"}))
}

pub async fn archive(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    input.check(&[("archive", Kind::Bool, true)])?;
    sim.evolution.ready(&input.instance, "chatModify").map_err(Refusal::crash)?;
    let number = input.text("chat").map(jid).unwrap_or_default();
    created(&json!({"chatId": number, "archived": true}))
}
