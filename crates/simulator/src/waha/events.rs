//! What happens in the world, as WAHA's hooks tell it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{
    Engine, Gateway,
    groups::group_json,
    session::Session,
    settings::ignores,
    shape::{Lens, Tense, net},
};
use crate::{
    sim::Sim,
    world::{Address, Author, Happening, Message, Shown, Via, World, ack},
};

impl Gateway {
    /// Tells every session that is linked to this line and works. What happens while it does not is not told later.
    pub(crate) fn tell(&self, sim: &Arc<Sim>, world: &World, line: &str, happening: &Happening) {
        let lens = Lens { world, line, gateway: self };
        let mut state = self.state();
        for session in state.sessions.values_mut().filter(|session| session.line() == Some(line)) {
            if !self.ignored(session, happening) {
                self.tell_one(sim, &lens, session, happening);
            }
        }
    }

    fn ignored(&self, session: &Session, happening: &Happening) -> bool {
        if matches!(happening, Happening::Group { .. }) {
            return ignores(&session.config, "groups");
        }
        let Some(chat) = happening.chat() else { return false };
        match chat {
            Address::Person(_) => false,
            Address::Group(_) => ignores(&session.config, "groups"),
            Address::Newsletter(_) => ignores(&session.config, "channels"),
            Address::Broadcast(_) => ignores(&session.config, "broadcast"),
            Address::Status => ignores(&session.config, "status"),
        }
    }

    fn tell_one(&self, sim: &Arc<Sim>, lens: &Lens<'_>, session: &mut Session, happening: &Happening) {
        let world = lens.world;
        let (names, payload, chat): (&[&str], Value, Address) = match happening {
            Happening::Message(message) => {
                let media = self.offer(sim, world, session, message);
                let names: &[&str] =
                    if message.author.is_me() { &["message.any"] } else { &["message", "message.any"] };
                (names, lens.message(message, tense(message), media), message.chat.clone())
            }
            Happening::Ack { message, reader } => {
                let group = !matches!(message.chat, Address::Person(_));
                let name: &[&str] = if group { &["message.ack.group"] } else { &["message.ack"] };
                (name, self.ack(lens, message, reader.as_deref()), message.chat.clone())
            }
            Happening::Reaction { id, by, to, emoji, at_ms } => {
                let payload = json!({
                    "id": lens.id_of(id, by.is_me(), &to.chat, by),
                    "timestamp": at_ms / 1000,
                    "from": world.jid(&to.chat),
                    "fromMe": by.is_me(),
                    "source": "app",
                    "reaction": {"text": emoji, "messageId": lens.id(to)},
                });
                (&["message.reaction"], payload, to.chat.clone())
            }
            Happening::Edited { id, message, at_ms } => {
                (&["message.edited"], edited(lens, id, message, *at_ms), message.chat.clone())
            }
            Happening::Revoked { id, message, at_ms } => {
                (&["message.revoked"], revoked(lens, id, message, *at_ms), message.chat.clone())
            }
            Happening::Vote { id, by, poll, options, at_ms, unreadable } => {
                let payload = json!({
                    "vote": {
                        "id": lens.id_of(id, by.is_me(), &poll.chat, by),
                        "to": if by.is_me() { world.jid(&poll.chat) } else { "me".into() },
                        "from": if by.is_me() { "me".into() } else { world.jid(&poll.chat) },
                        "fromMe": by.is_me(),
                        "selectedOptions": options,
                        // ms on NOWEB, though the documentation shows seconds; seconds when it could not be read.
                        "timestamp": if *unreadable { at_ms / 1000 } else { *at_ms },
                    },
                    "poll": {
                        "id": lens.id(poll),
                        "to": if poll.author.is_me() { world.jid(&poll.chat) } else { "me".into() },
                        "from": if poll.author.is_me() { "me".into() } else { world.jid(&poll.chat) },
                        "fromMe": poll.author.is_me(),
                    },
                });
                let name: &[&str] = if *unreadable { &["poll.vote.failed"] } else { &["poll.vote"] };
                (name, payload, poll.chat.clone())
            }
            Happening::Presence { chat, who, state, at_ms } => {
                let jid = world.jid(chat);
                session.presences.insert(jid.clone(), (state.clone(), *at_ms));
                if !session.subscribed.contains(&jid) {
                    return;
                }
                let who = world.person(who).jid();
                (&["presence.update"], presence(&jid, &who, state, *at_ms), chat.clone())
            }
            Happening::Call { id, from, video, state, at_ms } => {
                let person = world.person(from);
                let jid = net(&person.jid());
                let word = match state.as_str() {
                    "received" => "offer",
                    "accepted" => "accept",
                    _ => "reject",
                };
                let at = jiff::Timestamp::from_millisecond(*at_ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
                let payload = json!({
                    "id": id, "from": person.jid(), "timestamp": at_ms / 1000, "isVideo": video, "isGroup": false,
                    "_data": {
                        "chatId": jid, "from": jid, "id": id, "date": format!("{at:.3}"),
                        "isVideo": video, "isGroup": false, "status": word, "offline": false,
                    },
                });
                let name: &[&str] = match state.as_str() {
                    "received" => &["call.received"],
                    "accepted" => &["call.accepted"],
                    _ => &["call.rejected"],
                };
                (name, payload, Address::Person(from.clone()))
            }
            Happening::Group { group, change, at_ms } => {
                let chat = Address::Group(group.id.clone());
                for (name, payload) in group_json(world, lens.line, group, change, *at_ms) {
                    self.emit(sim, session, &[name], &payload, Some(&chat.to_string()));
                }
                return;
            }
        };
        self.emit(sim, session, names, &payload, Some(&world.jid(&chat)));
    }

    fn ack(&self, lens: &Lens<'_>, message: &Message, reader: Option<&str>) -> Value {
        // WEBJS tells the whole message. (from docs)
        if self.engine == Engine::Webjs {
            return lens.message(message, Tense::Stored, Value::Null);
        }
        let mut payload = json!({
            "id": lens.id(message),
            "from": lens.world.jid(&message.chat),
            "fromMe": message.author.is_me(),
            "ack": message.ack,
            "ackName": ack::name(message.ack),
        });
        if let (Address::Group(_), Some(reader)) = (&message.chat, reader) {
            let person = lens.world.person(reader);
            let jid = if person.shown == Shown::Phone { format!("{reader}@c.us") } else { person.jid() };
            payload["_data"] = json!({
                "key": lens.key(message),
                "receipt": {"userJid": net(&jid), "readTimestamp": message.at_ms / 1000},
            });
        }
        payload
    }
}

/// Just sent by the API, or come from somewhere.
fn tense(message: &Message) -> Tense {
    if message.author == Author::Me(Via::Api) { Tense::Sent } else { Tense::Arrived }
}

/// A presence on the wire.
pub fn presence(chat: &str, who: &str, state: &str, at_ms: i64) -> Value {
    let last_seen = if state == "offline" { json!(at_ms / 1000) } else { Value::Null };
    json!({"id": chat, "presences": [{"participant": who, "lastKnownPresence": state, "lastSeen": last_seen}]})
}

/// The raw form of an act on a message: edit or revoke. The API's answer and the hook's `_data` are the same.
pub fn act_raw(lens: &Lens<'_>, id: &str, message: &Message, at_ms: i64, edit: bool) -> Value {
    let tense = tense(message);
    let sent = tense == Tense::Sent;
    let mut protocol = json!({"key": lens.key(message)});
    protocol["type"] = match (edit, sent) {
        (true, true) => json!("MESSAGE_EDIT"),
        (true, false) => json!(14),
        (false, true) => json!("REVOKE"),
        (false, false) => json!(0),
    };
    if edit {
        let words = message.content.body().unwrap_or_default();
        protocol["editedMessage"] =
            if sent { json!({"extendedTextMessage": {"text": words}}) } else { json!({"conversation": words}) };
        if sent {
            protocol["timestampMs"] = json!(at_ms.to_string());
        }
    }
    let mut content = json!({"protocolMessage": protocol});
    if sent {
        content["messageContextInfo"] = json!({"messageSecret": message.secret});
    }
    let name = lens.push_name(&message.author, tense);
    let key = lens.key_of(id, &message.chat, &message.author);
    let ack = if sent { ack::PENDING } else { ack::DEVICE };
    lens.raw_of(key, content, at_ms, ack, tense, name.as_deref())
}

fn act_message(lens: &Lens<'_>, id: &str, message: &Message, at_ms: i64, edit: bool) -> Value {
    let ack = if tense(message) == Tense::Sent { ack::PENDING } else { ack::DEVICE };
    let mut shape = lens.frame(id, message, at_ms, ack);
    if edit {
        shape.insert("body".into(), json!(message.content.body()));
    }
    shape.insert("_data".into(), act_raw(lens, id, message, at_ms, edit));
    Value::Object(shape)
}

fn edited(lens: &Lens<'_>, id: &str, message: &Message, at_ms: i64) -> Value {
    // On WEBJS the act has the message's own id. (from docs)
    let id = if lens.gateway.engine == Engine::Webjs { &message.id } else { id };
    let mut payload = act_message(lens, id, message, at_ms, true);
    payload["editedMessageId"] = json!(message.id);
    payload
}

fn revoked(lens: &Lens<'_>, id: &str, message: &Message, at_ms: i64) -> Value {
    let after = act_message(lens, id, message, at_ms, false);
    json!({
        "_data": after["_data"].clone(),
        "after": after,
        "before": null,
        "revokedMessageId": message.id,
    })
}
