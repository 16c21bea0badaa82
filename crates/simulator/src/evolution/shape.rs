//! A message in Evolution's shape: in hooks, in answers to sends, and in its store.

use serde_json::{Map, Value, json};

use super::{
    channel,
    instance::{Channel, Instance},
    shape_content as content,
};
use crate::world::{Address, Author, Content, Message, Shown, Via, World, ack};

/// What a message is looked at through: whose chats, and by which instance.
pub struct Lens<'a> {
    pub world: &'a World,
    pub line: &'a str,
    pub instance: &'a Instance,
}

/// The word of a status.
pub fn status(ack: i8) -> &'static str {
    match ack {
        ack::ERROR => "ERROR",
        ack::PENDING => "PENDING",
        ack::SERVER => "SERVER_ACK",
        ack::DEVICE => "DELIVERY_ACK",
        ack::READ => "READ",
        _ => "PLAYED",
    }
}

/// What wrote a message, guessed from its id as the server does.
fn source(id: &str) -> &'static str {
    match (id, id.chars().count()) {
        (id, 20) if id.starts_with("3A") => "ios",
        (id, 22) if id.starts_with("3E") => "web",
        (_, 21 | 32) => "android",
        (id, _) if id.starts_with("3F") => "desktop",
        (_, 18) => "desktop",
        _ => "unknown",
    }
}

/// A phone as WhatsApp's JID.
pub fn net(phone: &str) -> String {
    format!("{phone}@s.whatsapp.net")
}

impl Lens<'_> {
    /// How WhatsApp itself names a chat: by a hidden id, if that is what the business sees.
    pub fn addressed(&self, chat: &Address) -> String {
        match chat {
            Address::Person(phone) => match self.world.person(phone) {
                person if person.shown == Shown::Phone => net(phone),
                person => format!("{}@lid", person.lid),
            },
            other => other.to_string(),
        }
    }

    /// How 2.3.7 names it: by the phone, where that is known.
    pub fn shown(&self, chat: &Address) -> String {
        match chat {
            Address::Person(phone) if self.world.person(phone).shown != Shown::LidOnly => net(phone),
            other => self.addressed(other),
        }
    }

    /// WhatsApp's name of a message. One that the API has sent has less of it.
    pub fn key(&self, id: &str, chat: &Address, author: &Author, sent: bool) -> Value {
        let mut key = json!({"remoteJid": self.shown(chat), "fromMe": author.is_me(), "id": id});
        if sent {
            return key;
        }
        key["participant"] = "".into();
        match chat {
            Address::Person(phone) => {
                let person = self.world.person(phone);
                let lid = format!("{}@lid", person.lid);
                (key["addressingMode"], key["remoteJidAlt"]) = match person.shown {
                    Shown::Phone => ("pn".into(), lid.into()),
                    // Also the phone: both fields have been overwritten.
                    Shown::Lid => ("lid".into(), net(phone).into()),
                    Shown::LidOnly => ("lid".into(), Value::Null),
                };
                if key["remoteJidAlt"].is_null() {
                    key.as_object_mut().map(|key| key.remove("remoteJidAlt"));
                }
            }
            _ => {
                let who = Address::Person(self.author(author).to_owned());
                (key["participant"], key["addressingMode"]) = (self.addressed(&who).into(), "pn".into());
            }
        }
        key
    }

    fn author<'a>(&'a self, author: &'a Author) -> &'a str {
        match author {
            Author::Me(_) => self.line,
            Author::Person(phone) => phone,
        }
    }

    /// The name of whoever wrote. For our own it is a word.
    fn push_name(&self, author: &Author) -> Value {
        match author {
            Author::Me(_) => "Você".into(),
            Author::Person(phone) => self.world.person(phone).push_name.into(),
        }
    }

    /// A message: `sent` by a call of the API, or come from elsewhere.
    pub fn message(&self, message: &Message, sent: bool) -> Value {
        if self.instance.channel != Channel::Baileys {
            return channel::message(self, message);
        }
        let (kind, inside) = content::of(self.world, message, sent);
        let context = self.context(message, sent);
        let bare = matches!(kind, "conversation" | "documentMessage") && context.is_none();
        let status = match (&message.author, sent) {
            (Author::Me(_), true) => "PENDING",
            (Author::Me(_), false) => "SERVER_ACK",
            _ => "DELIVERY_ACK",
        };
        let key = self.key(&message.id, &message.chat, &message.author, sent);
        let mut data = self.frame(key, &message.author, status, kind, inside, message.at_ms);
        if !bare {
            data["contextInfo"] = json!(context);
        }
        if let Content::Media { file, .. } = &message.content
            && self.instance.webhook.as_ref().is_some_and(|hook| hook.with_files())
            && let Some(found) = self.world.shelf.get(file)
        {
            use base64::{Engine as _, prelude::BASE64_STANDARD};
            data["message"]["base64"] = BASE64_STANDARD.encode(&found.bytes).into();
        }
        data
    }

    fn frame(&self, key: Value, author: &Author, status: &str, kind: &str, inside: Value, at_ms: i64) -> Value {
        let source = source(key["id"].as_str().unwrap_or_default());
        json!({
            "key": key,
            "pushName": self.push_name(author),
            "status": status,
            "message": inside,
            "messageType": kind,
            "messageTimestamp": at_ms / 1000,
            "instanceId": self.instance.id,
            "source": source,
        })
    }

    /// What a message says beside its words: what it answers. The API adds more than the phone does.
    fn context(&self, message: &Message, sent: bool) -> Option<Value> {
        let mut context = Map::new();
        if sent && matches!(message.content, Content::Text(_)) {
            context.insert("ephemeralSettingTimestamp".into(), content::long(message.at_ms / 1000 - 172_800));
            context.insert("disappearingMode".into(), json!({"initiator": "CHANGED_IN_CHAT"}));
        }
        if let Some(id) = &message.quoted {
            context.insert("stanzaId".into(), id.as_str().into());
            if let Some(quoted) = self.world.line(self.line).and_then(|line| line.message(id)) {
                let who = Address::Person(self.author(&quoted.author).to_owned());
                context.insert("participant".into(), self.addressed(&who).into());
                context.insert("quotedMessage".into(), content::of(self.world, quoted, true).1);
            }
        }
        if context.is_empty() {
            return None;
        }
        context.insert("mentionedJid".into(), json!([]));
        context.insert("groupMentions".into(), json!([]));
        context.insert("statusAttributions".into(), json!([]));
        Some(Value::Object(context))
    }

    /// A reaction: a message of its own.
    pub fn reaction(&self, id: &str, by: &Author, to: &Message, emoji: &str, at_ms: i64, sent: bool) -> Value {
        let inside = json!({"reactionMessage": {
            "key": {"remoteJid": self.addressed(&to.chat), "fromMe": to.author.is_me(), "id": to.id},
            "text": emoji,
            "senderTimestampMs": content::long(at_ms),
        }});
        let key = self.key(id, &to.chat, by, sent);
        let status = if sent {
            "PENDING"
        } else if by.is_me() {
            "SERVER_ACK"
        } else {
            "DELIVERY_ACK"
        };
        self.frame(key, by, status, "reactionMessage", inside, at_ms)
    }

    /// A choice in a poll, read with the poll's own key; nothing is read without it.
    pub fn vote(&self, id: &str, by: &Author, poll: &Message, options: &[String], at_ms: i64, read: bool) -> Value {
        let Content::Poll { options: offered, .. } = &poll.content else { return Value::Null };
        let voter = Address::Person(self.author(by).to_owned());
        let vote = if read { json!({"selectedOptions": options}) } else { json!({"selectedOptions": []}) };
        let inside = json!({"pollUpdateMessage": {
            "pollCreationMessageKey": {
                "remoteJid": self.addressed(&poll.chat), "fromMe": poll.author.is_me(), "id": poll.id,
            },
            "vote": vote,
            "senderTimestampMs": content::long(at_ms),
        }});
        let key = self.key(id, &poll.chat, by, false);
        let status = if by.is_me() { "SERVER_ACK" } else { "DELIVERY_ACK" };
        let mut data = self.frame(key, by, status, "pollUpdateMessage", inside, at_ms);
        if read {
            let voters = |name: &String| if options.contains(name) { vec![self.addressed(&voter)] } else { vec![] };
            data["pollUpdates"] = offered.iter().map(|name| json!({"name": name, "voters": voters(name)})).collect();
        }
        data
    }

    /// WhatsApp's own word for an edit or a deletion.
    pub fn protocol(&self, message: &Message, edit: bool, at_ms: i64) -> Value {
        let key = json!({
            "remoteJid": self.addressed(&message.chat), "fromMe": message.author.is_me(), "id": message.id,
        });
        match edit {
            false => json!({"key": key, "type": "REVOKE"}),
            true => json!({
                "key": key,
                "type": "MESSAGE_EDIT",
                "editedMessage": content::of(self.world, message, true).1,
                "timestampMs": at_ms.to_string(),
            }),
        }
    }

    /// Whether the API has sent it.
    pub fn by_us(&self, message: &Message) -> bool {
        message.author == Author::Me(Via::Api)
    }

    /// Whether the API is just doing this: what phones do is told otherwise.
    pub fn by_api(&self, message: &Message) -> bool {
        self.by_us(message) && self.instance.doing.contains(&message.id)
    }
}

#[cfg(test)]
mod tests {
    use super::source;

    #[test]
    fn what_wrote_a_message_is_guessed_from_its_id() {
        assert_eq!(source("3A5E0000000000000001"), "ios");
        assert_eq!(source("3EB0AAAAAAAAAAAAAAAAAA"), "web");
        assert_eq!(source("3EB0AAAA01"), "unknown");
        assert_eq!(source(&"A".repeat(32)), "android");
    }
}
