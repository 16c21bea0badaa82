//! The channels that need no phone: whoever posts to `/webhook/evolution` writes a message, and Meta posts to `/webhook/meta`.
//! Nothing is asked of either: who reaches the port may write.

use std::{collections::HashMap, sync::Arc};

use axum::extract::{Query, State};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    Gateway,
    answer::{Answer, Refusal, ok},
    input::Input,
    instance::{Channel, Instance},
    shape::Lens,
    shape_content::kind,
};
use crate::{
    sim::Sim,
    world::{Address, Author, Content, File, Form, Happening, Message, NewMessage},
};

pub async fn evolution(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    let body = &input.body;
    let number = body["numberId"].as_str().unwrap_or_default();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let image = &body["message"]["imageMessage"];
    let content = match image.is_object() {
        true => {
            let data = body["message"]["base64"].as_str().unwrap_or_default();
            let bytes = BASE64_STANDARD.decode(data).unwrap_or_default().into();
            let mimetype = text(&image["mimetype"]).unwrap_or_else(|| "image/jpeg".into());
            let file = sim.world().shelf.put(File { mimetype, filename: None, bytes });
            Content::Media { form: Form::Image, file, caption: text(&image["caption"]) }
        }
        false => Content::Text(text(&body["message"]["conversation"]).unwrap_or_default()),
    };
    let jid = body["key"]["remoteJid"].as_str().unwrap_or_default();
    arrive(&sim, Channel::Evolution, number, jid, text(&body["pushName"]), text(&body["key"]["id"]), content)
}

/// Meta's texts; what else it sends is passed over.
pub async fn meta(State(sim): State<Arc<Sim>>, input: Input) -> Answer {
    let changes = input.body["entry"].as_array().into_iter().flatten().flat_map(|entry| entry["changes"].as_array());
    for value in changes.flatten().map(|change| &change["value"]) {
        let number = value["metadata"]["phone_number_id"].as_str().unwrap_or_default();
        let name = value["contacts"][0]["profile"]["name"].as_str();
        for message in value["messages"].as_array().into_iter().flatten() {
            let text = |value: &Value| value.as_str().map(str::to_owned);
            let content = Content::Text(text(&message["text"]["body"]).unwrap_or_default());
            let from = message["from"].as_str().unwrap_or_default();
            arrive(&sim, Channel::Business, number, from, name.map(str::to_owned), text(&message["id"]), content)?;
        }
    }
    ok(&json!({"status": "success"}))
}

/// Meta asks whether we are who we say.
pub async fn meta_asks(Query(query): Query<HashMap<String, String>>) -> Answer {
    match (query.get("hub.verify_token").map(String::as_str), query.get("hub.challenge")) {
        (Some("evolution"), Some(challenge)) => ok(&challenge.parse().unwrap_or_else(|_| json!(challenge))),
        _ => ok(&json!("Error, wrong validation token")),
    }
}

/// Writes a message to whichever instance of a channel has this number.
fn arrive(
    sim: &Arc<Sim>,
    channel: Channel,
    number: &str,
    from: &str,
    name: Option<String>,
    id: Option<String>,
    content: Content,
) -> Answer {
    let there = sim
        .evolution
        .state()
        .values()
        .any(|instance| instance.channel == channel && instance.number.as_deref() == Some(number));
    if let (true, Some(Address::Person(phone))) = (there, Address::parse(from)) {
        sim.act(number, |world, out| {
            if let Some(name) = name {
                world.person_mut(&phone)?.push_name = name;
            }
            let mut new = NewMessage::of(Address::Person(phone.clone()), Author::Person(phone), content);
            new.id = id;
            world.write(number, new, out)
        })?;
    }
    ok(&json!({"status": "success"}))
}

/// Whether this is a linked device: a channel cannot do all that one can.
pub fn only_baileys(sim: &Sim, input: &Input) -> Result<(), Refusal> {
    let channel = sim.evolution.with(&input.instance, |instance| instance.channel);
    match channel {
        Some(Channel::Evolution) => Err(Refusal::bad("Method not available on Evolution Channel")),
        Some(Channel::Business) => Err(Refusal::bad("Method not available on WhatsApp Business API")),
        _ => Ok(()),
    }
}

/// A message as a channel has it: less of everything.
pub fn message(lens: &Lens<'_>, message: &Message) -> Value {
    let sent = message.author.is_me();
    let from = match (&message.chat, sent) {
        // What is sent goes to the bare number.
        (Address::Person(phone), true) => phone.clone(),
        (chat, _) => lens.shown(chat),
    };
    let (kind, inside) = match &message.content {
        Content::Media { form, file, caption } => {
            let found = lens.world.shelf.get(file);
            let kind = kind(*form);
            let inside = match sent {
                true => json!({"mediaUrl": format!("{}/media/{file}", super::SERVER_URL)}),
                false => json!({
                    kind: {"caption": caption, "mimetype": found.map(|file| &file.mimetype)},
                    "base64": found.map(|file| BASE64_STANDARD.encode(&file.bytes)),
                }),
            };
            (kind, inside)
        }
        other => ("conversation", json!({"conversation": other.body().unwrap_or_default()})),
    };
    let mut data = json!({
        "key": {"id": message.id, "remoteJid": from, "fromMe": sent},
        "message": inside,
        "messageType": kind,
        "messageTimestamp": message.at_ms / 1000,
        "source": "unknown",
        "instanceId": lens.instance.id,
    });
    if let Author::Person(phone) = &message.author {
        data["pushName"] = lens.world.person(phone).push_name.into();
    }
    data
}

impl Gateway {
    /// Of all that happens, a channel tells messages, and of whom: as objects, where a linked device has lists.
    pub(super) fn tell_channel(
        &self,
        sim: &Arc<Sim>,
        lens: &Lens<'_>,
        known: bool,
        happening: &Happening,
    ) -> Option<(String, String)> {
        let Happening::Message(message) = happening else { return None };
        let instance: &Instance = lens.instance;
        let sent = message.author.is_me();
        let event = if sent { "send.message" } else { "messages.upsert" };
        self.emit(sim, instance, event, &self::message(lens, message), Some(&lens.shown(&message.chat)));
        let Author::Person(phone) = &message.author else { return None };
        let (jid, name) = (lens.shown(&message.chat), lens.world.person(phone).push_name);
        let mut contact = json!({"pushName": name, "instanceId": instance.id});
        // On Meta's the address is forgotten.
        if instance.channel == Channel::Evolution {
            contact["remoteJid"] = jid.clone().into();
        }
        self.emit(sim, instance, if known { "contacts.update" } else { "contacts.upsert" }, &contact, None);
        if instance.channel == Channel::Evolution {
            let chat = json!({"remoteJid": jid, "instanceId": instance.id});
            self.emit(sim, instance, if known { "chats.update" } else { "chats.upsert" }, &chat, None);
        }
        Some((jid, name))
    }
}
