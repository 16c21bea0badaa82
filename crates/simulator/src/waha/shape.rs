//! A message in WAHA's shapes: the common one, and NOWEB's raw one underneath it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::{Engine, Gateway, shape_engines};
use crate::world::{Address, Author, Content, Form, Line, Message, Person, Shown, Via, World, ack};

/// When a message is told: the details of its raw form differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tense {
    /// Just sent by the API, in the answer or the hook.
    Sent,
    /// Come from somewhere, in a hook.
    Arrived,
    /// Read from the store.
    Stored,
}

/// A look at a line's messages through one gateway.
pub struct Lens<'a> {
    pub world: &'a World,
    pub line: &'a str,
    pub gateway: &'a Gateway,
}

/// `…@c.us` as the engines say it inside.
pub fn net(jid: &str) -> String {
    jid.replace("@c.us", "@s.whatsapp.net")
}

impl Lens<'_> {
    fn owner(&self) -> Option<&Line> {
        self.world.line(self.line)
    }

    /// The jid of who wrote it.
    pub fn author_jid(&self, author: &Author) -> String {
        match author {
            Author::Me(_) => format!("{}@c.us", self.line),
            Author::Person(phone) => self.world.person(phone).jid(),
        }
    }

    /// `{fromMe}_{chat}_{raw}[_{participant}]` of any id in any chat.
    pub fn id_of(&self, raw: &str, from_me: bool, chat: &Address, author: &Author) -> String {
        let chat_jid = self.world.jid(chat);
        match chat {
            Address::Person(_) | Address::Newsletter(_) => format!("{from_me}_{chat_jid}_{raw}"),
            _ => format!("{from_me}_{chat_jid}_{raw}_{}", self.author_jid(author)),
        }
    }

    /// The full id of a message.
    pub fn id(&self, message: &Message) -> String {
        self.id_of(&message.id, message.author.is_me(), &message.chat, &message.author)
    }

    /// A raw key, as NOWEB's.
    pub fn key_of(&self, raw: &str, chat: &Address, author: &Author) -> Value {
        let mut key = json!({
            "remoteJid": net(&self.world.jid(chat)),
            "fromMe": author.is_me(),
            "id": raw,
        });
        let alt = |person: &Person| (person.shown == Shown::Lid).then(|| format!("{}@s.whatsapp.net", person.phone));
        if let Address::Person(phone) = chat {
            let person = self.world.person(phone);
            if person.shown != Shown::Phone {
                key["addressingMode"] = json!("lid");
            }
            if let Some(alt) = alt(&person) {
                key["remoteJidAlt"] = json!(alt);
            }
        } else if let Author::Person(phone) = author
            && !matches!(chat, Address::Newsletter(_))
        {
            let person = self.world.person(phone);
            key["participant"] = json!(net(&person.jid()));
            if let Some(alt) = alt(&person) {
                key["participantAlt"] = json!(alt);
            }
        }
        key
    }

    /// The raw key of a message.
    pub fn key(&self, message: &Message) -> Value {
        self.key_of(&message.id, &message.chat, &message.author)
    }

    /// NOWEB's raw message around any content.
    pub fn raw_of(
        &self,
        key: Value,
        content: Value,
        at_ms: i64,
        ack: i8,
        tense: Tense,
        push_name: Option<&str>,
    ) -> Value {
        let mut raw = json!({"key": key, "message": content});
        match tense {
            // A 64 bit number of the protocol, as text.
            Tense::Sent => {
                raw["messageTimestamp"] = json!((at_ms / 1000).to_string());
                raw["status"] = json!("PENDING");
            }
            Tense::Arrived | Tense::Stored => {
                raw["messageTimestamp"] = json!(at_ms / 1000);
                raw["status"] = json!(ack + 1);
            }
        }
        if let Some(name) = push_name {
            raw["pushName"] = json!(name);
        }
        raw
    }

    /// NOWEB's raw message.
    pub fn raw(&self, message: &Message, tense: Tense) -> Value {
        let content = match message.revoked {
            true => Value::Null,
            false => self.content(message, tense),
        };
        let name = self.push_name(&message.author, tense);
        let mut raw = self.raw_of(self.key(message), content, message.at_ms, message.ack, tense, name.as_deref());
        if message.revoked {
            raw["messageStubType"] = json!(1);
        }
        if !message.votes.is_empty() {
            let updates: Vec<Value> = message
                .votes
                .iter()
                .map(|(who, vote)| {
                    let chosen =
                        vote.options.iter().map(|option| buffer(&BASE64_STANDARD.encode(Sha256::digest(option))));
                    json!({
                        "pollUpdateMessageKey": {
                            "remoteJid": net(&self.world.jid(&message.chat)), "fromMe": who == "me", "id": vote.id,
                        },
                        "vote": {"selectedOptions": chosen.collect::<Vec<_>>()},
                        "senderTimestampMs": vote.at_ms,
                    })
                })
                .collect();
            raw["pollUpdates"] = json!(updates);
        }
        raw
    }

    pub fn push_name(&self, author: &Author, tense: Tense) -> Option<String> {
        match (author, tense) {
            (Author::Person(phone), _) => Some(self.world.person(phone).push_name),
            (Author::Me(Via::Phone), _) => Some(self.world.person(self.line).push_name),
            (Author::Me(Via::Api), _) => None,
        }
    }

    /// The protocol's content of a message.
    pub fn content(&self, message: &Message, tense: Tense) -> Value {
        let quote = message.quoted.as_deref().map(|raw| self.quote(raw));
        let mut content = self.bare(message, quote.is_some());
        if let (Some(quote), Some(part)) = (quote, content.as_object_mut().and_then(|parts| parts.values_mut().next()))
            && part.is_object()
        {
            part["contextInfo"] = quote;
        }
        if message.author == Author::Me(Via::Api) {
            let secret = match tense {
                Tense::Stored => buffer(&message.secret),
                _ => json!(message.secret),
            };
            content["messageContextInfo"] = json!({"messageSecret": secret});
        }
        content
    }

    /// Content without what surrounds it.
    fn bare(&self, message: &Message, quotes: bool) -> Value {
        match &message.content {
            Content::Text(text) if quotes || message.author == Author::Me(Via::Api) || self.hidden(message) => {
                json!({"extendedTextMessage": {"text": text}})
            }
            Content::Text(text) => json!({"conversation": text}),
            Content::Media { form, file, caption } => {
                let Some(found) = self.world.shelf.get(file) else {
                    return json!({"conversation": "(this file is gone)"});
                };
                let mut part = json!({
                    "mimetype": found.mimetype,
                    "fileLength": found.bytes.len().to_string(),
                    "url": "https://mmg.whatsapp.net/simulated",
                    "directPath": "/simulated",
                    "mediaKey": "AAAA",
                });
                if let Some(caption) = caption {
                    part["caption"] = json!(caption);
                }
                let name = match form {
                    Form::Image => "imageMessage",
                    Form::Video => "videoMessage",
                    Form::Voice | Form::Audio => {
                        part["ptt"] = json!(*form == Form::Voice);
                        "audioMessage"
                    }
                    Form::Document => {
                        part["fileName"] = json!(found.filename);
                        part["title"] = json!(found.filename);
                        "documentMessage"
                    }
                    Form::Sticker => "stickerMessage",
                };
                json!({name: part})
            }
            Content::Location { latitude, longitude, name } => {
                let mut part = json!({"degreesLatitude": latitude, "degreesLongitude": longitude});
                if let Some(name) = name {
                    part["name"] = json!(name);
                }
                json!({"locationMessage": part})
            }
            Content::Contacts(cards) => match cards.as_slice() {
                [card] => json!({"contactMessage": {"displayName": card_name(card), "vcard": card}}),
                cards => {
                    let all: Vec<Value> =
                        cards.iter().map(|card| json!({"displayName": card_name(card), "vcard": card})).collect();
                    json!({"contactsArrayMessage": {"displayName": format!("{} contacts", all.len()), "contacts": all}})
                }
            },
            Content::Poll { name, options, multiple } => {
                let options: Vec<Value> = options.iter().map(|option| json!({"optionName": option})).collect();
                json!({"pollCreationMessageV3": {
                    "name": name, "options": options, "selectableOptionsCount": i32::from(!multiple),
                }})
            }
        }
    }

    fn hidden(&self, message: &Message) -> bool {
        message.chat.phone().is_some_and(|phone| self.world.person(phone).shown != Shown::Phone)
    }

    /// The context of an answer: what it answers.
    fn quote(&self, raw: &str) -> Value {
        let quoted = self.owner().and_then(|owner| owner.message(raw));
        let mut quote = json!({"stanzaId": raw});
        if let Some(quoted) = quoted {
            quote["participant"] = json!(net(&self.author_jid(&quoted.author)));
            quote["quotedMessage"] = self.bare(quoted, false);
        }
        quote
    }

    /// `replyTo` of the common shape.
    fn reply_to(&self, message: &Message) -> Value {
        let Some(raw) = message.quoted.as_deref() else { return Value::Null };
        let Some(quoted) = self.owner().and_then(|owner| owner.message(raw)) else { return json!({"id": raw}) };
        json!({
            "id": raw,
            "participant": self.author_jid(&quoted.author),
            "body": quoted.content.body(),
            "hasMedia": quoted.content.file().is_some(),
            "media": null,
            "_data": self.bare(quoted, false),
        })
    }

    /// The common shape: a WAMessage. `media` is what stands there for its file.
    pub fn message(&self, message: &Message, tense: Tense, media: Value) -> Value {
        let has_media = message.content.file().is_some() && !message.revoked;
        let mut shape = self.frame(&message.id, message, message.at_ms, message.ack);
        shape.insert("body".into(), if message.revoked { Value::Null } else { json!(message.content.body()) });
        shape.insert("hasMedia".into(), json!(has_media));
        shape.insert("media".into(), if has_media { media } else { Value::Null });
        shape.insert("location".into(), place(message));
        let cards = match &message.content {
            Content::Contacts(cards) => json!(cards),
            _ => Value::Null,
        };
        shape.insert("vCards".into(), cards);
        shape.insert("replyTo".into(), self.reply_to(message));
        shape.insert("_data".into(), self.data(message, tense));
        Value::Object(shape)
    }

    /// The fields that every message has, for a message or an act on it (with an id of its own).
    pub fn frame(&self, raw: &str, message: &Message, at_ms: i64, ack: i8) -> Map<String, Value> {
        let from_me = message.author.is_me();
        let chat = self.world.jid(&message.chat);
        let source = if message.author == Author::Me(Via::Api) { "api" } else { "app" };
        // WEBJS says who sent it and to whom; the others name the chat, whoever wrote. (from docs)
        let webjs = self.gateway.engine == Engine::Webjs;
        let me = format!("{}@c.us", self.line);
        let mut shape = Map::new();
        shape.insert("id".into(), json!(self.id_of(raw, from_me, &message.chat, &message.author)));
        shape.insert("timestamp".into(), json!(at_ms / 1000));
        shape.insert("from".into(), json!(if webjs && from_me { &me } else { &chat }));
        shape.insert("fromMe".into(), json!(from_me));
        shape.insert("source".into(), json!(source));
        if webjs {
            shape.insert("to".into(), json!(if from_me { &chat } else { &me }));
        }
        if matches!(message.chat, Address::Group(_) | Address::Status | Address::Broadcast(_)) {
            shape.insert("to".into(), json!(chat));
            shape.insert("participant".into(), json!(self.author_jid(&message.author)));
        }
        shape.insert("ack".into(), json!(ack));
        shape.insert("ackName".into(), json!(ack::name(ack)));
        for null in ["body", "media", "location", "vCards", "replyTo"] {
            shape.insert(null.into(), Value::Null);
        }
        shape.insert("hasMedia".into(), json!(false));
        shape
    }

    /// The engine's own form under `_data`.
    pub fn data(&self, message: &Message, tense: Tense) -> Value {
        match self.gateway.engine {
            Engine::Noweb => self.raw(message, tense),
            Engine::Gows => shape_engines::gows(self, message),
            Engine::Webjs => shape_engines::webjs(self, message),
        }
    }

    /// What the API answers when it has sent a message.
    pub fn sent(&self, message: &Message) -> Value {
        match self.gateway.engine {
            Engine::Noweb => self.raw(message, Tense::Sent),
            // from docs
            Engine::Gows => json!({"id": self.id(message), "_data": shape_engines::gows(self, message)}),
            Engine::Webjs => shape_engines::webjs_answer(self, message),
        }
    }
}

/// Bytes as Node's JSON has them in the store.
fn buffer(base64: &str) -> Value {
    json!({"type": "Buffer", "data": base64})
}

/// `location` of the common shape: texts. What comes from outside leaves out what is not there.
fn place(message: &Message) -> Value {
    let Content::Location { latitude, longitude, name } = &message.content else { return Value::Null };
    let mut place = json!({"live": false, "latitude": latitude.to_string(), "longitude": longitude.to_string()});
    if message.author == Author::Me(Via::Api) {
        for absent in ["name", "address", "url", "description", "thumbnail"] {
            place[absent] = Value::Null;
        }
    }
    if let Some(name) = name {
        place["name"] = json!(name);
    }
    place
}

/// The name on a card.
pub fn card_name(card: &str) -> &str {
    card.lines().find_map(|line| line.strip_prefix("FN:")).map_or("Contact", str::trim)
}
