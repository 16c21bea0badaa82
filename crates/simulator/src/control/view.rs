//! Chats and messages as the control API and the phone page have them.

use serde_json::{Value, json};

use crate::world::{AckPolicy, Address, Author, Chat, Content, Line, Message, Person, Via, World, ack};

/// A person.
pub fn person(person: &Person) -> Value {
    json!({
        "phone": person.phone,
        "lid": person.lid,
        "name": person.label(),
        "pushName": person.push_name,
        "username": person.username,
        "shown": person.shown,
        "onWhatsApp": person.exists,
        "acks": person.acks,
        "pictureUrl": person.picture.as_ref().map(|id| format!("/control/media/{id}")),
    })
}

/// A number of the business.
pub fn line(world: &World, line: &Line, sessions: &[String]) -> Value {
    let policy: AckPolicy = line.acks.unwrap_or(world.acks);
    json!({
        "phone": line.phone,
        "name": world.person(&line.phone).push_name,
        "sessions": sessions,
        "chats": line.chats().len(),
        "acks": policy,
    })
}

/// The name of a chat.
pub fn chat_name(world: &World, line: &str, chat: &Address) -> String {
    match chat {
        Address::Person(phone) => world.person(phone).label().to_owned(),
        Address::Group(id) => {
            world.line(line).and_then(|line| line.group(id)).map_or_else(|| id.clone(), |group| group.subject.clone())
        }
        Address::Status => "Status updates".into(),
        other => other.to_string(),
    }
}

/// A chat in the list.
pub fn chat(world: &World, line: &str, address: &Address, chat: &Chat) -> Value {
    json!({
        "chat": address,
        "phone": address.phone(),
        "name": chat_name(world, line, address),
        "lastAt": chat.last_at_ms,
        "unreadByBusiness": chat.unread(),
        "lastMessage": chat.messages().next_back().map(|last| message(world, line, last)),
    })
}

fn author(world: &World, line: &str, author: &Author) -> Value {
    match author {
        Author::Me(via) => json!({
            "phone": line,
            "name": world.person(line).push_name,
            "via": if *via == Via::Api { "api" } else { "phone" },
        }),
        Author::Person(phone) => json!({"phone": phone, "name": world.person(phone).label(), "via": null}),
    }
}

/// A message.
pub fn message(world: &World, line: &str, message: &Message) -> Value {
    let quoted = message.quoted.as_deref().map(|id| {
        let quoted = world.line(line).and_then(|line| line.message(id));
        json!({
            "id": id,
            "fromMe": quoted.map(|quoted| quoted.author.is_me()),
            "kind": quoted.map(|quoted| quoted.content.kind()),
            "body": quoted.and_then(|quoted| quoted.content.body()),
        })
    });
    let mut view = json!({
        "id": message.id,
        "number": line,
        "chat": message.chat,
        "fromMe": message.author.is_me(),
        "author": author(world, line, &message.author),
        "at": message.at_ms,
        "kind": message.content.kind(),
        "body": message.content.body(),
        "ack": message.ack,
        "ackName": ack::name(message.ack),
        "quoted": quoted,
        "choices": message.choices,
        "chosen": message.chosen,
        "reactions": message.reactions.iter().map(|(by, emoji)| json!({"by": by, "emoji": emoji})).collect::<Vec<_>>(),
        "edited": message.edited,
        "revoked": message.revoked,
        "starred": message.starred,
        "seenByBusiness": message.seen,
    });
    match &message.content {
        Content::Media { file, .. } => {
            let found = world.shelf.get(file);
            view["media"] = json!({
                "url": format!("/control/media/{file}"),
                "mimetype": found.map(|found| &found.mimetype),
                "filename": found.and_then(|found| found.filename.as_ref()),
                "sizeBytes": found.map(|found| found.bytes.len()),
            });
        }
        Content::Location { latitude, longitude, name } => {
            view["location"] = json!({"latitude": latitude, "longitude": longitude, "name": name});
        }
        Content::Contacts(cards) => view["contacts"] = json!(cards),
        Content::Poll { name, options, multiple } => {
            let votes: Value = message.votes.iter().map(|(who, vote)| (who.clone(), json!(vote.options))).collect();
            view["poll"] = json!({"name": name, "options": options, "multiple": multiple, "votes": votes});
        }
        Content::Text(_) => {}
    }
    view
}
