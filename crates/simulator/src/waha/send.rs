//! Routes that send a message. Each takes effect once: it is in the chat, recorded, told, and its ticks will move.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Path, State},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    input::{Input, raw_id, undefined},
    refusal::{self, Answer, Refusal},
    shape::{Lens, Tense},
    wait,
};
use crate::{
    gate::Seq,
    sim::Sim,
    world::{Author, Content, File, Form, NewMessage, Refused, Via, message_id},
};

/// The most characters WhatsApp takes in one text.
const LONGEST: usize = 65_536;

/// A send that has been understood.
struct Order {
    content: Content,
    /// Bytes of its file, for the recording.
    file: Bytes,
    /// Whether the answer is the common shape on NOWEB, too.
    common: bool,
}

impl Order {
    fn of(content: Content) -> Order {
        Order { content, file: Bytes::new(), common: false }
    }
}

/// Sends: waits for the session, finds the chat, lets `make` read the rest.
async fn send(
    sim: &Arc<Sim>,
    seq: u64,
    input: &Input,
    make: impl FnOnce(&Arc<Sim>, &Input) -> Result<Order, Refusal>,
) -> Answer {
    let ready = wait::working(sim, input.session()?).await?;
    let chat = input.chat()?;
    let address = sim.world().resolve(chat).ok_or_else(|| Refused::NoAddress(chat.to_owned()))?;
    let quoted = match input.text("reply_to") {
        Some(id) if !id.is_empty() => Some(raw_id(id)?.to_owned()),
        _ => None,
    };
    // from docs: since 2026.4.3 the caller may choose the id.
    let id = match input.text("id") {
        Some(id) if !id.is_empty() => Some(raw_id(id)?.to_owned()),
        _ => None,
    };
    let order = make(sim, input)?;
    let (kind, body) = (order.content.kind(), order.content.body().map(str::to_owned));
    let message = sim.act(&ready.line, |world, out| {
        let mut new = NewMessage::of(address, Author::Me(Via::Api), order.content);
        (new.quoted, new.id) = (quoted, id);
        let message = world.write(&ready.line, new, out)?;
        // Recorded while nothing else can happen: an effect is never seen without its record.
        let chat = message.chat.to_string();
        sim.recording.effect(seq, &ready.session, &ready.line, &message.id, &chat, kind, body.as_deref(), &order.file);
        Ok(message)
    })?;
    sim.move_ticks(&ready.line, &message);
    let world = sim.world();
    let lens = Lens { world: &world, line: &ready.line, gateway: &sim.waha };
    Ok(refusal::created(&match order.common {
        true => lens.message(&message, Tense::Sent, Value::Null),
        false => lens.sent(&message),
    }))
}

pub async fn new_message_id(State(sim): State<Arc<Sim>>, Path(session): Path<String>) -> Answer {
    wait::working(&sim, &session).await?;
    Ok(refusal::ok(&json!({"id": message_id()})))
}

pub async fn text(State(sim): State<Arc<Sim>>, Extension(Seq(seq)): Extension<Seq>, input: Input) -> Answer {
    send(&sim, seq, &input, |_, input| {
        let text = input.text("text").ok_or_else(|| undefined("match"))?;
        if text.chars().count() > LONGEST {
            return Err(Refusal::Crash("Error", "the message is too long".into()));
        }
        Ok(Order::of(Content::Text(text.to_owned())))
    })
    .await
}

pub async fn image(State(sim): State<Arc<Sim>>, Extension(Seq(seq)): Extension<Seq>, input: Input) -> Answer {
    media(&sim, seq, &input, Form::Image).await
}

pub async fn file(State(sim): State<Arc<Sim>>, Extension(Seq(seq)): Extension<Seq>, input: Input) -> Answer {
    media(&sim, seq, &input, Form::Document).await
}

pub async fn voice(State(sim): State<Arc<Sim>>, Extension(Seq(seq)): Extension<Seq>, input: Input) -> Answer {
    media(&sim, seq, &input, Form::Voice).await
}

pub async fn video(State(sim): State<Arc<Sim>>, Extension(Seq(seq)): Extension<Seq>, input: Input) -> Answer {
    media(&sim, seq, &input, Form::Video).await
}

async fn media(sim: &Arc<Sim>, seq: u64, input: &Input, form: Form) -> Answer {
    sim.waha.media_allowed()?;
    input.session()?;
    let file = read_file(sim, input.0.get("file")).await?;
    send(sim, seq, input, |sim, input| {
        let bytes = file.bytes.clone();
        let caption = input.text("caption").filter(|caption| !caption.is_empty()).map(str::to_owned);
        // An audio file that is sent as a file is an audio message; a voice note has no caption.
        let id = sim.world().shelf.put(file);
        let caption = if form == Form::Voice { None } else { caption };
        Ok(Order { content: Content::Media { form, file: id, caption }, file: bytes, common: false })
    })
    .await
}

/// `{"mimetype","filename"?,"data"}` or `{"mimetype","filename"?,"url"}`.
async fn read_file(sim: &Arc<Sim>, file: Option<&Value>) -> Result<File, Refusal> {
    const LARGEST: usize = 50 * 1024 * 1024;
    let file = file.filter(|file| file.is_object()).ok_or_else(|| undefined("url"))?;
    let text = |name: &str| file.get(name).and_then(Value::as_str);
    let failed = |why: &str| Refusal::Crash("Error", why.to_owned());
    let bytes = match (text("data"), text("url")) {
        (Some(data), _) => BASE64_STANDARD.decode(data).map_err(|_| failed("the file's data is not base64"))?.into(),
        (None, Some(url)) => {
            let answer = sim.hooks.client().get(url).send().await.map_err(|_| failed("fetch failed"))?;
            if answer.content_length().is_some_and(|length| length > LARGEST as u64) {
                return Err(failed("the file is too large"));
            }
            answer.bytes().await.map_err(|_| failed("fetch failed"))?
        }
        (None, None) => return Err(failed("Either file.url or file.data is required")),
    };
    Ok(File {
        mimetype: text("mimetype").unwrap_or("application/octet-stream").to_owned(),
        filename: text("filename").map(str::to_owned),
        bytes,
    })
}

pub async fn poll(State(sim): State<Arc<Sim>>, Extension(Seq(seq)): Extension<Seq>, input: Input) -> Answer {
    send(&sim, seq, &input, |_, input| {
        let poll = input.0.get("poll").ok_or_else(|| undefined("name"))?;
        let options = poll.get("options").and_then(Value::as_array).ok_or_else(|| undefined("map"))?;
        let content = Content::Poll {
            name: poll.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(),
            options: options.iter().filter_map(|option| option.as_str().map(str::to_owned)).collect(),
            multiple: poll.get("multipleAnswers").and_then(Value::as_bool).unwrap_or(false),
        };
        // A poll is answered in the common shape, also on NOWEB.
        Ok(Order { common: sim.waha.engine == super::Engine::Noweb, ..Order::of(content) })
    })
    .await
}

pub async fn location(State(sim): State<Arc<Sim>>, Extension(Seq(seq)): Extension<Seq>, input: Input) -> Answer {
    send(&sim, seq, &input, |_, input| {
        let degrees = |name: &str| {
            let value = input.0.get(name)?;
            value.as_f64().or_else(|| value.as_str()?.parse().ok())
        };
        let (Some(latitude), Some(longitude)) = (degrees("latitude"), degrees("longitude")) else {
            return Err(Refusal::Crash("Error", "latitude and longitude are required".into()));
        };
        Ok(Order::of(Content::Location { latitude, longitude, name: input.text("title").map(str::to_owned) }))
    })
    .await
}

pub async fn contacts(State(sim): State<Arc<Sim>>, Extension(Seq(seq)): Extension<Seq>, input: Input) -> Answer {
    send(&sim, seq, &input, |_, input| {
        let contacts = input.0.get("contacts").and_then(Value::as_array).ok_or_else(|| undefined("map"))?;
        Ok(Order::of(Content::Contacts(contacts.iter().map(card).collect())))
    })
    .await
}

/// A vCard as it was given, or made of name and number.
fn card(contact: &Value) -> String {
    let text = |name: &str| contact.get(name).and_then(Value::as_str).unwrap_or_default();
    if !text("vcard").is_empty() {
        return text("vcard").to_owned();
    }
    let (name, phone, organization) = (text("fullName"), text("phoneNumber"), text("organization"));
    let id = match text("whatsappId") {
        "" => phone.chars().filter(char::is_ascii_digit).collect(),
        id => id.to_owned(),
    };
    let organization = if organization.is_empty() { String::new() } else { format!("ORG:{organization};\n") };
    format!("BEGIN:VCARD\nVERSION:3.0\nFN:{name}\n{organization}TEL;type=CELL;type=VOICE;waid={id}:{phone}\nEND:VCARD")
}

pub async fn forward(State(sim): State<Arc<Sim>>, Extension(Seq(seq)): Extension<Seq>, input: Input) -> Answer {
    send(&sim, seq, &input, |sim, input| {
        let id = raw_id(input.text("messageId").ok_or_else(|| undefined("split"))?)?.to_owned();
        let state = sim.waha.state();
        let line = state.sessions.get(input.session()?).and_then(|session| session.line().map(str::to_owned));
        drop(state);
        let world = sim.world();
        let message = line.and_then(|line| world.line(&line)?.message(&id).cloned());
        let message = message.ok_or_else(|| Refusal::missing("Message not found"))?;
        let file = message.content.file().and_then(|file| world.shelf.get(file)).map(|file| file.bytes.clone());
        Ok(Order {
            content: message.content,
            file: file.unwrap_or_default(),
            common: sim.waha.engine == super::Engine::Noweb,
        })
    })
    .await
}
