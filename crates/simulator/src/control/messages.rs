//! Writing and what is done with a message, as a customer or from the owner's phone.

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
    ogg,
    sim::Sim,
    world::{Author, Content, Download, File, Form, NewMessage, Refused, Via, World, ack as acks, digits},
};

/// A message to be written.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct New {
    /// A phone, or `me` for the owner's own phone.
    from: String,
    /// The writer's name, when they are new.
    name: Option<String>,
    /// The chat; left out, the writer's own.
    chat: Option<String>,
    /// `text` when left out.
    kind: Option<String>,
    /// Words, or the caption.
    body: Option<String>,
    file: Option<Attached>,
    latitude: Option<f64>,
    longitude: Option<f64>,
    /// The name of a place.
    place: Option<String>,
    /// vCards.
    contacts: Option<Vec<String>>,
    poll: Option<Poll>,
    /// Raw id of the message it answers.
    reply_to: Option<String>,
    /// Its raw id.
    id: Option<String>,
    /// Unix ms.
    at: Option<i64>,
    #[serde(default)]
    download: Download,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attached {
    mimetype: String,
    filename: Option<String>,
    data: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Poll {
    name: String,
    options: Vec<String>,
    #[serde(default)]
    multiple: bool,
}

fn bad(why: &str) -> Failure {
    Failure(StatusCode::BAD_REQUEST, why.to_owned())
}

fn author(from: &str) -> Done<Author> {
    match from {
        "me" => Ok(Author::Me(Via::Phone)),
        phone => Ok(Author::Person(digits(phone).ok_or_else(|| Refused::NoAddress(phone.to_owned()))?)),
    }
}

fn content(new: &mut New, world: &mut World) -> Done<Content> {
    let words = || new.body.clone().filter(|body| !body.is_empty());
    let form = match new.kind.as_deref().unwrap_or("text") {
        "text" => return Ok(Content::Text(new.body.clone().ok_or_else(|| bad("a text needs a body"))?)),
        "location" => {
            let (Some(latitude), Some(longitude)) = (new.latitude, new.longitude) else {
                return Err(bad("a location needs latitude and longitude"));
            };
            return Ok(Content::Location { latitude, longitude, name: new.place.clone() });
        }
        "contacts" => return Ok(Content::Contacts(new.contacts.take().ok_or_else(|| bad("`contacts` is missing"))?)),
        "poll" => {
            let poll = new.poll.take().ok_or_else(|| bad("`poll` is missing"))?;
            return Ok(Content::Poll { name: poll.name, options: poll.options, multiple: poll.multiple });
        }
        "image" => Form::Image,
        "video" => Form::Video,
        "voice" => Form::Voice,
        "audio" => Form::Audio,
        "document" => Form::Document,
        "sticker" => Form::Sticker,
        _ => return Err(bad("there is no such kind of message")),
    };
    let file = new.file.take().ok_or_else(|| bad("`file` is missing"))?;
    let bytes = BASE64_STANDARD.decode(&file.data).map_err(|_| bad("the file's data is not base64"))?;
    let mut file = File { mimetype: file.mimetype, filename: file.filename, bytes: bytes.into() };
    // Browsers record WebM; a WhatsApp voice note is Ogg.
    if form == Form::Voice
        && !ogg::is_ogg(&file.bytes)
        && let Some(repacked) = ogg::from_webm(&file.bytes)
    {
        (file.mimetype, file.bytes) = ("audio/ogg; codecs=opus".into(), repacked.into());
    }
    let file = world.shelf.put(file);
    Ok(Content::Media { form, file, caption: words() })
}

/// Writes a message. The same `id` twice writes it once.
pub async fn write(
    State(sim): State<Arc<Sim>>,
    Path(phone): Path<String>,
    Take(mut new): Take<New>,
) -> Done<(StatusCode, Json<Value>)> {
    let line = digits(&phone).ok_or(Refused::NoAddress(phone))?;
    let author = author(&new.from)?;
    let chat = match (&new.chat, &author) {
        (Some(chat), _) => sim.world().resolve(chat).ok_or_else(|| Refused::NoAddress(chat.clone()))?,
        (None, Author::Person(phone)) => crate::world::Address::Person(phone.clone()),
        (None, Author::Me(_)) => return Err(bad("an own message needs a chat")),
    };
    let content = {
        let mut world = sim.world();
        if let (Author::Person(phone), Some(name)) = (&author, &new.name) {
            world.person_mut(phone)?.push_name = name.clone();
        }
        content(&mut new, &mut world)?
    };
    let own = author.is_me();
    let message = sim.act(&line, |world, out| {
        let message = NewMessage {
            quoted: new.reply_to,
            id: new.id,
            at_ms: new.at,
            download: new.download,
            ..NewMessage::of(chat, author, content)
        };
        world.write(&line, message, out)
    })?;
    if own {
        sim.move_ticks(&line, &message);
    }
    Ok((StatusCode::CREATED, Json(view::message(&sim.world(), &line, &message))))
}

/// A message by number and raw id, as it is now.
fn shown(sim: &Sim, phone: &str, id: &str) -> Done<Json<Value>> {
    let world = sim.world();
    let message = world.line(phone).and_then(|line| line.message(id)).ok_or(Refused::Missing("such message"))?;
    Ok(Json(view::message(&world, phone, message)))
}

pub async fn show(State(sim): State<Arc<Sim>>, Path((phone, id)): Path<(String, String)>) -> Done<Json<Value>> {
    shown(&sim, &phone, &id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reaction {
    from: String,
    #[serde(default)]
    emoji: String,
}

pub async fn react(
    State(sim): State<Arc<Sim>>,
    Path((phone, id)): Path<(String, String)>,
    Take(reaction): Take<Reaction>,
) -> Done<Json<Value>> {
    let by = author(&reaction.from)?;
    sim.act(&phone, |world, out| world.react(&phone, &id, by, &reaction.emoji, out))?;
    shown(&sim, &phone, &id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    from: String,
    #[serde(default)]
    options: Vec<String>,
    /// The gateway cannot read it: `poll.vote.failed`.
    #[serde(default)]
    unreadable: bool,
}

pub async fn vote(
    State(sim): State<Arc<Sim>>,
    Path((phone, id)): Path<(String, String)>,
    Take(choice): Take<Choice>,
) -> Done<Json<Value>> {
    let by = author(&choice.from)?;
    sim.act(&phone, |world, out| world.vote(&phone, &id, by, choice.options, choice.unreadable, out))?;
    shown(&sim, &phone, &id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tap {
    /// Left out, the customer whose chat it is.
    from: Option<String>,
    /// The id or the words of what is tapped.
    option: String,
}

/// Taps a button or a row of a list. Answers the message that this is.
pub async fn choose(
    State(sim): State<Arc<Sim>>,
    Path((phone, id)): Path<(String, String)>,
    Take(tap): Take<Tap>,
) -> Done<(StatusCode, Json<Value>)> {
    let message = sim.act(&phone, |world, out| {
        let chat = world.line(&phone).and_then(|line| line.message(&id)).map(|message| message.chat.clone());
        let from = tap.from.as_deref().or(chat.as_ref().and_then(|chat| chat.phone())).unwrap_or_default();
        let by = Author::Person(digits(from).ok_or(Refused::Missing("such message"))?);
        world.choose(&phone, &id, by, &tap.option, out)
    })?;
    Ok((StatusCode::CREATED, Json(view::message(&sim.world(), &phone, &message))))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    body: String,
}

/// Whoever wrote it edits it.
pub async fn edit(
    State(sim): State<Arc<Sim>>,
    Path((phone, id)): Path<(String, String)>,
    Take(words): Take<Words>,
) -> Done<Json<Value>> {
    sim.act(&phone, |world, out| {
        let by = world.author_of(&phone, &id)?;
        world.edit(&phone, &id, &by, &words.body, out)
    })?;
    shown(&sim, &phone, &id)
}

/// Whoever wrote it deletes it for everyone.
pub async fn revoke(State(sim): State<Arc<Sim>>, Path((phone, id)): Path<(String, String)>) -> Done<Json<Value>> {
    sim.act(&phone, |world, out| {
        let by = world.author_of(&phone, &id)?;
        world.revoke(&phone, &id, &by, out)
    })?;
    shown(&sim, &phone, &id)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tick {
    /// `ERROR`, `SERVER`, `DEVICE`, `READ` or `PLAYED`.
    ack: String,
    /// In a group: whose phone tells it.
    reader: Option<String>,
}

pub async fn ack(
    State(sim): State<Arc<Sim>>,
    Path((phone, id)): Path<(String, String)>,
    Take(tick): Take<Tick>,
) -> Done<Json<Value>> {
    let to = acks::number(&tick.ack).ok_or_else(|| bad("there is no such ack"))?;
    let moved = sim.act(&phone, |world, out| world.ack(&phone, &id, to, tick.reader.as_deref(), out))?;
    let mut view = shown(&sim, &phone, &id)?;
    view.0["moved"] = json!(moved);
    Ok(view)
}
