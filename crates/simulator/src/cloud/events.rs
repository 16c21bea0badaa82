//! What happens in the world, as Meta's hooks tell it.

use std::sync::Arc;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    Gateway,
    account::{Media, State},
    cards,
    people::{bsuid, shown_phone},
    post::Change,
    refusal::Refusal,
    wamid::wamid,
};
use crate::{
    sim::Sim,
    world::{Author, ChoiceKind, Content, Download, Form, Happening, Message, Person, Via, World},
};

/// A file that somebody sent can be fetched for seven days.
const INBOUND_LIVES_MS: i64 = 7 * 24 * 3_600_000;

/// How a person is named by one number's hooks.
pub struct Named {
    /// The phone, when the business may see it.
    pub phone: Option<String>,
    /// The business-scoped id.
    pub bsuid: String,
    name: String,
    username: Option<String>,
}

impl Named {
    /// For the portfolio `business`.
    pub fn of(business: &str, person: &Person) -> Named {
        Named {
            phone: shown_phone(person).map(str::to_owned),
            bsuid: bsuid(business, person),
            name: person.push_name.clone(),
            username: person.username.clone(),
        }
    }

    /// The word in a `wamid`.
    pub fn who(&self) -> &str {
        self.phone.as_deref().unwrap_or(&self.bsuid)
    }

    /// The item of `contacts`.
    pub fn contact(&self) -> Value {
        let mut contact = json!({"profile": {"name": self.name}});
        if let Some(username) = &self.username {
            contact["profile"]["username"] = username.as_str().into();
        }
        if let Some(phone) = &self.phone {
            contact["wa_id"] = phone.as_str().into();
        }
        contact["user_id"] = self.bsuid.as_str().into();
        contact
    }
}

/// One number, and the world it looks at.
pub struct Lens<'a> {
    pub world: &'a World,
    pub id: &'a str,
    pub line: &'a str,
    pub waba: &'a str,
    pub business: &'a str,
}

impl Lens<'_> {
    /// A person as this number sees them.
    pub fn named(&self, phone: &str) -> Named {
        Named::of(self.business, &self.world.person(phone))
    }

    /// The name of a message of this number.
    pub fn wamid(&self, message: &Message) -> String {
        let who = message.chat.phone().map(|phone| self.named(phone).who().to_owned()).unwrap_or_default();
        wamid(&who, message.author.is_me(), &message.id)
    }

    /// `value` of `messages`, with nothing in it yet.
    pub fn value(&self, person: Option<&Named>) -> Value {
        let mut value = json!({
            "messaging_product": "whatsapp",
            "metadata": {"display_phone_number": self.line, "phone_number_id": self.id},
        });
        if let Some(person) = person {
            value["contacts"] = json!([person.contact()]);
        }
        value
    }

    /// The change of `field` that this makes.
    pub fn change(&self, field: &str, event: String, value: Value, chat: Option<&str>) -> Change {
        Change {
            waba: self.waba.to_owned(),
            number: Some(self.id.to_owned()),
            time_s: None,
            field: field.to_owned(),
            value,
            event,
            chat: chat.map(str::to_owned),
        }
    }

    /// A message of somebody, without its content.
    pub fn frame(&self, person: &Named, raw: &str, at_ms: i64, kind: &str) -> Value {
        let mut message = json!({});
        if let Some(phone) = &person.phone {
            message["from"] = phone.as_str().into();
        }
        message["from_user_id"] = person.bsuid.as_str().into();
        message["id"] = wamid(person.who(), false, raw).into();
        message["timestamp"] = (at_ms.div_euclid(1_000)).to_string().into();
        message["type"] = kind.into();
        message
    }

    /// `context` of an answer.
    fn context(&self, quoted: &str) -> Option<Value> {
        let quoted = self.world.line(self.line)?.message(quoted)?;
        let from = match &quoted.author {
            Author::Me(_) => Some(self.line.to_owned()),
            Author::Person(phone) => self.named(phone).phone,
        };
        let mut context = json!({"id": self.wamid(quoted)});
        if let Some(from) = from {
            context["from"] = from.into();
        }
        Some(context)
    }
}

impl Gateway {
    /// Tells what happened on a line, for the number that has it.
    pub(crate) fn tell(&self, sim: &Arc<Sim>, world: &World, line: &str, happening: &Happening) {
        let mut state = self.state();
        let Some((id, waba)) = state
            .numbers
            .iter()
            .find(|(_, number)| number.phone == line)
            .map(|(id, number)| (id.clone(), number.waba.clone()))
        else {
            return;
        };
        let business = state.business(&waba).to_owned();
        let lens = Lens { world, id: &id, line, waba: &waba, business: &business };
        for change in self.changes(sim, &mut state, &lens, happening) {
            self.emit(sim, &state, &change);
        }
    }

    fn changes(&self, sim: &Arc<Sim>, state: &mut State, lens: &Lens<'_>, happening: &Happening) -> Vec<Change> {
        let now = state.now(sim);
        let of = |message: &Message| message.chat.phone().map(str::to_owned);
        // Groups, newsletters and stories are not for numbers of this kind.
        let phone = match happening {
            Happening::Message(message)
            | Happening::Ack { message, .. }
            | Happening::Edited { message, .. }
            | Happening::Revoked { message, .. } => of(message),
            Happening::Reaction { to, .. } => of(to),
            Happening::Vote { poll, .. } => of(poll),
            Happening::Call { from, .. } => Some(from.clone()),
            Happening::Presence { .. } | Happening::Group { .. } => None,
        };
        let Some(phone) = phone else { return Vec::new() };
        let person = lens.named(&phone);
        let number = state.numbers.get_mut(lens.id).expect("the caller has found it");
        let blocked = number.blocked.contains(&phone);
        let message = |mut message: Value, content: Option<(&str, Value)>| {
            let kind = message["type"].as_str().unwrap_or_default().to_owned();
            if let Some((name, content)) = content {
                message[name] = content;
            }
            let mut value = lens.value(Some(&person));
            value["messages"] = json!([message]);
            vec![lens.change("messages", format!("messages.{kind}"), value, Some(&phone))]
        };
        let unsupported = |raw: &str, at_ms: i64, what: &str| {
            let mut made = lens.frame(&person, raw, at_ms, "unsupported");
            let mut error = Refusal::known(131_051).in_hook();
            (error["title"], error["message"]) = ("Message type unknown".into(), "Message type unknown".into());
            made["errors"] = json!([error]);
            message(made, Some(("unsupported", json!({"type": what}))))
        };
        match happening {
            Happening::Message(said) => match &said.author {
                Author::Me(Via::Api) => Vec::new(),
                Author::Me(Via::Phone) if number.coexistence => echo(state, lens, &person, said, now),
                Author::Me(Via::Phone) => Vec::new(),
                Author::Person(_) => {
                    let at = said.at_ms + now - sim.now_ms();
                    number.heard.entry(phone.clone()).and_modify(|heard| *heard = at.max(*heard)).or_insert(at);
                    if blocked {
                        return Vec::new();
                    }
                    if let Content::Poll { .. } = &said.content {
                        return unsupported(&said.id, said.at_ms, "poll_creation");
                    }
                    if said.download != Download::Ok && said.content.file().is_some() {
                        let mut made = lens.frame(&person, &said.id, said.at_ms, "unsupported");
                        made["errors"] = json!([Refusal::known(131_052).in_hook()]);
                        return message(made, None);
                    }
                    let (kind, content) = content(state, lens, said, now);
                    let mut made = lens.frame(&person, &said.id, said.at_ms, kind);
                    if let Some(context) = said.quoted.as_deref().and_then(|quoted| lens.context(quoted)) {
                        made["context"] = context;
                    }
                    message(made, Some((kind, content)))
                }
            },
            _ if blocked => Vec::new(),
            Happening::Reaction { id, by: Author::Person(_), to, emoji, at_ms } => {
                number.heard.insert(phone.clone(), now);
                let mut reaction = json!({"message_id": lens.wamid(to)});
                // Without one, it was taken back.
                if !emoji.is_empty() {
                    reaction["emoji"] = emoji.as_str().into();
                }
                message(lens.frame(&person, id, *at_ms, "reaction"), Some(("reaction", reaction)))
            }
            Happening::Edited { id, message: edited, at_ms } if !edited.author.is_me() => {
                let (kind, content) = content(state, lens, edited, now);
                let edit = json!({"original_message_id": lens.wamid(edited), "message": {"type": kind, kind: content}});
                message(lens.frame(&person, id, *at_ms, "edit"), Some(("edit", edit)))
            }
            Happening::Revoked { id, message: gone, at_ms } if !gone.author.is_me() => {
                let revoke = json!({"original_message_id": lens.wamid(gone)});
                message(lens.frame(&person, id, *at_ms, "revoke"), Some(("revoke", revoke)))
            }
            Happening::Vote { id, by: Author::Person(_), at_ms, .. } => unsupported(id, *at_ms, "poll_update"),
            Happening::Call { id, state: word, at_ms, .. } => call(lens, &person, &phone, id, word, *at_ms),
            Happening::Ack { message: sent, .. } => {
                super::statuses::of_ack(number, lens, &person, sent, sim.now_ms()).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }
}

/// `type` and what it holds.
fn content<'a>(state: &mut State, lens: &Lens<'_>, message: &Message, now: i64) -> (&'a str, Value) {
    if let Some(chosen) = &message.chosen {
        let mut reply = json!({"id": chosen.id, "title": chosen.title});
        return match chosen.kind {
            ChoiceKind::Button => ("interactive", json!({"type": "button_reply", "button_reply": reply})),
            ChoiceKind::Template => ("button", json!({"payload": chosen.id, "text": chosen.title})),
            ChoiceKind::Row => {
                if let Some(description) = &chosen.description {
                    reply["description"] = description.as_str().into();
                }
                ("interactive", json!({"type": "list_reply", "list_reply": reply}))
            }
        };
    }
    match &message.content {
        Content::Text(text) => ("text", json!({"body": text})),
        Content::Location { latitude, longitude, name } => {
            let mut place = json!({"latitude": latitude, "longitude": longitude});
            if let Some(name) = name {
                place["name"] = name.as_str().into();
            }
            ("location", place)
        }
        Content::Contacts(vcards) => ("contacts", vcards.iter().map(|card| cards::from_vcard(card)).collect()),
        // Told as unsupported before anybody asks here.
        Content::Poll { name, .. } => ("text", json!({"body": name})),
        Content::Media { form, file, caption } => {
            let kind = match form {
                Form::Image => "image",
                Form::Video => "video",
                Form::Voice | Form::Audio => "audio",
                Form::Document => "document",
                Form::Sticker => "sticker",
            };
            let found = lens.world.shelf.get(file);
            let mime = found.map_or("application/octet-stream", |file| &file.mimetype).to_owned();
            let sha256 = found.map(|file| BASE64_STANDARD.encode(Sha256::digest(&file.bytes)));
            let id = state.keep(Media {
                waba: lens.waba.to_owned(),
                number: lens.id.to_owned(),
                file: file.clone(),
                mime: mime.clone(),
                expires_ms: now + INBOUND_LIVES_MS,
            });
            let mut media = json!({"mime_type": mime, "sha256": sha256, "id": id});
            match form {
                Form::Voice => media["voice"] = true.into(),
                Form::Audio => media["voice"] = false.into(),
                Form::Sticker => media["animated"] = false.into(),
                Form::Document => {
                    media["filename"] =
                        found.and_then(|file| file.filename.clone()).unwrap_or_else(|| "file".into()).into();
                }
                _ => {}
            }
            if let Some(caption) = caption.as_deref().filter(|caption| !caption.is_empty()) {
                media["caption"] = caption.into();
            }
            (kind, media)
        }
    }
}

/// What the owner wrote on the phone that shares the number.
fn echo(state: &mut State, lens: &Lens<'_>, person: &Named, message: &Message, now: i64) -> Vec<Change> {
    let (kind, content) = content(state, lens, message, now);
    let mut made = json!({
        "from": lens.line, "id": lens.wamid(message), "timestamp": (message.at_ms / 1_000).to_string(), "type": kind, kind: content,
    });
    if let Some(phone) = &person.phone {
        made["to"] = phone.as_str().into();
    }
    made["to_user_id"] = person.bsuid.as_str().into();
    let mut value = lens.value(None);
    value["message_echoes"] = json!([made]);
    vec![lens.change("smb_message_echoes", "smb_message_echoes".into(), value, message.chat.phone())]
}

/// A call of a person. That it was answered on another device is not told.
fn call(lens: &Lens<'_>, person: &Named, phone: &str, id: &str, word: &str, at_ms: i64) -> Vec<Change> {
    let mut call = json!({
        "id": format!("wacid.{}", BASE64_STANDARD.encode(id)),
        "to": lens.line,
        "direction": "USER_INITIATED",
        "timestamp": (at_ms / 1_000).to_string(),
    });
    if let Some(phone) = &person.phone {
        call["from"] = phone.as_str().into();
    }
    call["from_user_id"] = person.bsuid.as_str().into();
    match word {
        "received" => {
            call["event"] = "connect".into();
            call["session"] = json!({"sdp_type": "offer", "sdp": "v=0\r\n"});
        }
        "rejected" => {
            call["event"] = "terminate".into();
            call["status"] = "FAILED".into();
        }
        _ => return Vec::new(),
    }
    let mut value = lens.value(Some(person));
    value["calls"] = json!([call]);
    vec![lens.change("calls", "calls".into(), value, Some(phone))]
}
