//! The shapes of GOWS and WEBJS, as far as their documentation tells. (all of it: from docs)

use serde_json::{Value, json};

use super::shape::{Lens, Tense, net};
use crate::world::{Address, Author, Content, Form, Message, Shown};

/// GOWS: the Go library's event, with its upper-case names.
pub fn gows(lens: &Lens<'_>, message: &Message) -> Value {
    let chat = lens.world.jid(&message.chat);
    let alt = match &message.author {
        Author::Person(phone) => {
            let person = lens.world.person(phone);
            if person.shown == Shown::Lid { format!("{}@s.whatsapp.net", person.phone) } else { String::new() }
        }
        Author::Me(_) => String::new(),
    };
    let at = jiff::Timestamp::from_millisecond(message.at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    json!({
        "Info": {
            "Chat": net(&chat),
            "Sender": net(&lens.author_jid(&message.author)),
            "SenderAlt": alt,
            "IsFromMe": message.author.is_me(),
            "IsGroup": matches!(message.chat, Address::Group(_)),
            "AddressingMode": if chat.ends_with("@lid") { "lid" } else { "pn" },
            "ID": message.id,
            "PushName": lens.push_name(&message.author, Tense::Arrived).unwrap_or_default(),
            "Timestamp": at.to_string(),
            "Type": if message.content.file().is_some() { "media" } else { "text" },
            "MediaType": message.content.file().map_or("", |_| message.content.kind()),
        },
        "Message": lens.content(message, Tense::Arrived),
    })
}

/// WEBJS: the browser's own message.
pub fn webjs(lens: &Lens<'_>, message: &Message) -> Value {
    let chat = lens.world.jid(&message.chat);
    let me = format!("{}@c.us", lens.line);
    let from_me = message.author.is_me();
    json!({
        "id": id(lens, message),
        "body": message.content.body().unwrap_or_default(),
        "type": kind(&message.content),
        "t": message.at_ms / 1000,
        "notifyName": lens.push_name(&message.author, Tense::Arrived).unwrap_or_default(),
        "from": if from_me { &me } else { &chat },
        "to": if from_me { &chat } else { &me },
        "ack": message.ack,
    })
}

/// WEBJS: what the API answers.
pub fn webjs_answer(lens: &Lens<'_>, message: &Message) -> Value {
    json!({
        "_data": webjs(lens, message),
        "id": id(lens, message),
        "ack": message.ack,
        "hasMedia": message.content.file().is_some(),
        "body": message.content.body().unwrap_or_default(),
        "type": kind(&message.content),
        "timestamp": message.at_ms / 1000,
        "from": format!("{}@c.us", lens.line),
        "to": lens.world.jid(&message.chat),
        "deviceType": "web",
        "fromMe": true,
        "hasQuotedMsg": message.quoted.is_some(),
    })
}

fn id(lens: &Lens<'_>, message: &Message) -> Value {
    json!({
        "fromMe": message.author.is_me(),
        "remote": lens.world.jid(&message.chat),
        "id": message.id,
        "_serialized": lens.id(message),
    })
}

fn kind(content: &Content) -> &'static str {
    match content {
        Content::Text(_) => "chat",
        Content::Media { form: Form::Voice, .. } => "ptt",
        Content::Contacts(_) => "vcard",
        Content::Poll { .. } => "poll_creation",
        other => other.kind(),
    }
}
