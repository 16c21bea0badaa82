//! What happens in the world, as Evolution's hooks tell it.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{
    Gateway,
    instance::{Channel, Instance},
    shape::{Lens, net, status},
};
use crate::{
    sim::Sim,
    world::{Address, Group, GroupChange, Happening, Message, Person, Role, Shown, World},
};

impl Gateway {
    /// Tells every instance that is linked to this line and open. What happens while it is not, it never hears of.
    pub(crate) fn tell(&self, sim: &Arc<Sim>, world: &World, line: &str, happening: &Happening) {
        let mut state = self.state();
        for instance in state.values_mut().filter(|instance| instance.line() == Some(line)) {
            if instance.channel != Channel::Baileys {
                let chat = happening.chat();
                let known =
                    chat.is_some_and(|chat| instance.contacts.contains_key(&net(chat.phone().unwrap_or_default())));
                let told = self.tell_channel(sim, &Lens { world, line, instance }, known, happening);
                instance.contacts.extend(told);
            } else if !ignored(instance, happening) {
                self.tell_one(sim, world, line, instance, happening);
            }
        }
    }

    fn tell_one(&self, sim: &Arc<Sim>, world: &World, line: &str, instance: &mut Instance, happening: &Happening) {
        let lens = Lens { world, line, instance };
        let emit = |chat: &Address, event: &str, data: &Value| {
            self.emit(sim, lens.instance, event, data, Some(&lens.shown(chat)));
        };
        match happening {
            Happening::Message(message) => {
                let sent = lens.by_api(message);
                emit(
                    &message.chat,
                    if sent { "send.message" } else { "messages.upsert" },
                    &lens.message(message, sent),
                );
                if !sent {
                    self.tell_contact(sim, world, instance, message);
                }
            }
            Happening::Ack { message, .. } => {
                let chat = lens.addressed(&message.chat);
                let update = json!({
                    "keyId": message.id,
                    "remoteJid": chat,
                    "fromMe": true,
                    "participant": null,
                    "status": status(message.ack),
                    "instanceId": lens.instance.id,
                    "messageId": lens.instance.row(&message.id),
                });
                emit(&message.chat, "messages.update", &update);
                let chats = json!([{"remoteJid": chat, "instanceId": lens.instance.id, "unreadMessages": 0}]);
                emit(&message.chat, "chats.upsert", &chats);
            }
            Happening::Reaction { id, by, to, emoji, at_ms } => {
                let sent = by.is_me() && lens.instance.doing.contains(&to.id);
                let event = if sent { "send.message" } else { "messages.upsert" };
                emit(&to.chat, event, &lens.reaction(id, by, to, emoji, *at_ms, sent));
            }
            Happening::Edited { message, at_ms, .. } => {
                let edit = lens.protocol(message, true, *at_ms);
                if lens.by_api(message) {
                    return emit(&message.chat, "send.message.update", &edit);
                }
                emit(&message.chat, "messages.edited", &edit);
                // Any update without a status of its own has this one, since 2.3.7.
                let update = json!({
                    "keyId": message.id,
                    "remoteJid": lens.addressed(&message.chat),
                    "fromMe": message.author.is_me(),
                    "participant": null,
                    "status": "SERVER_ACK",
                    "message": {"editedMessage": {"message": edit["editedMessage"]}},
                    "instanceId": lens.instance.id,
                    "messageId": lens.instance.row(&message.id),
                });
                emit(&message.chat, "messages.update", &update);
            }
            Happening::Revoked { message, at_ms, .. } => {
                if lens.by_api(message) {
                    return emit(&message.chat, "messages.delete", &deleted(&lens, message));
                }
                emit(&message.chat, "messages.edited", &lens.protocol(message, false, *at_ms));
                let mut key = lens.key(&message.id, &message.chat, &message.author, false);
                key["remoteJid"] = lens.addressed(&message.chat).into();
                key["status"] = "DELETED".into();
                emit(&message.chat, "messages.delete", &key);
            }
            Happening::Vote { id, by, poll, options, at_ms, unreadable } => {
                emit(&poll.chat, "messages.upsert", &lens.vote(id, by, poll, options, *at_ms, !unreadable));
            }
            Happening::Presence { chat, who, state, at_ms } => {
                let known = match state.as_str() {
                    "typing" => "composing",
                    "online" => "available",
                    "offline" => "unavailable",
                    other => other,
                };
                let mut presence = json!({"lastKnownPresence": known});
                if state == "offline" {
                    presence["lastSeen"] = json!(at_ms / 1000);
                }
                let who = lens.addressed(&Address::Person(who.clone()));
                emit(chat, "presence.update", &json!({"id": lens.addressed(chat), "presences": {who: presence}}));
            }
            Happening::Call { id, from, video, state, at_ms } => {
                let chat = Address::Person(from.clone());
                let word = match state.as_str() {
                    "received" => "offer",
                    "accepted" => "accept",
                    _ => "reject",
                };
                let from = lens.addressed(&chat);
                let call = json!({
                    "chatId": from, "from": from, "id": id, "date": super::instance::iso(*at_ms),
                    "offline": false, "status": word, "isVideo": video, "isGroup": false,
                });
                emit(&chat, "call", &call);
            }
            Happening::Group { group, change, .. } => {
                let chat = Address::Group(group.id.clone());
                let (event, data) = group_event(&lens, group, change);
                emit(&chat, event, &data);
            }
        }
    }

    /// What was there before the link: people, chats, and messages, each as a list.
    pub(super) fn tell_history(&self, sim: &Arc<Sim>, world: &World, instance: &mut Instance) {
        let Some(line) = instance.line().and_then(|line| world.line(line)) else { return };
        let mut known = BTreeMap::new();
        {
            let lens = Lens { world, line: &line.phone, instance };
            let id = &lens.instance.id;
            let chats = line.chats();
            let people = chats.iter().filter_map(|(chat, _)| Some((lens.addressed(chat), world.person(chat.phone()?))));
            known.extend(people.map(|(jid, person)| (jid, person.label().to_owned())));
            let contacts: Vec<Value> = known
                .iter()
                .map(|(jid, name)| json!({"remoteJid": jid, "pushName": name, "profilePicUrl": null, "instanceId": id}))
                .collect();
            let rows: Vec<Value> = chats
                .iter()
                .map(|(chat, inside)| {
                    let name = chat.phone().map(|phone| world.person(phone).label().to_owned());
                    json!({"remoteJid": lens.addressed(chat), "instanceId": id, "name": name, "unreadMessages": inside.unread()})
                })
                .collect();
            let messages: Vec<Value> = chats
                .iter()
                .flat_map(|(_, chat)| chat.messages())
                .map(|message| lens.message(message, lens.by_us(message)))
                .collect();
            for (event, list) in [("contacts.upsert", contacts), ("chats.set", rows), ("messages.set", messages)] {
                if !list.is_empty() {
                    self.emit(sim, lens.instance, event, &json!(list), None);
                }
            }
        }
        instance.contacts.extend(known);
    }

    /// After each message: who wrote it, as an object. The first time, and each time after it.
    fn tell_contact(&self, sim: &Arc<Sim>, world: &World, instance: &mut Instance, message: &Message) {
        let Address::Person(phone) = &message.chat else { return };
        let person = world.person(phone);
        let jid = jid(&person);
        // Of our own messages it takes no name, and forgets the one it had.
        let name = if message.author.is_me() { String::new() } else { person.push_name.clone() };
        let contact = json!({"remoteJid": jid, "pushName": name, "profilePicUrl": null, "instanceId": instance.id});
        let known = instance.contacts.insert(jid, name).is_some();
        self.emit(sim, instance, if known { "contacts.update" } else { "contacts.upsert" }, &contact, None);
    }
}

/// As WhatsApp names a person: contacts keep the hidden id.
fn jid(person: &Person) -> String {
    if person.shown == Shown::Phone { net(&person.phone) } else { format!("{}@lid", person.lid) }
}

/// Newsletters never come, stories and groups only when it is set so.
fn ignored(instance: &Instance, happening: &Happening) -> bool {
    if matches!(happening, Happening::Group { .. }) {
        return instance.setting("groupsIgnore");
    }
    let Some(chat) = happening.chat() else { return false };
    match chat {
        Address::Person(_) => false,
        Address::Group(_) => instance.setting("groupsIgnore"),
        Address::Newsletter(_) => true,
        Address::Broadcast(_) | Address::Status => !instance.setting("readStatus"),
    }
}

/// A message that the API has deleted: the row that is gone.
fn deleted(lens: &Lens<'_>, message: &Message) -> Value {
    let whole = lens.message(message, true);
    json!({
        "id": lens.instance.row(&message.id),
        "instanceId": lens.instance.id,
        "key": whole["key"],
        "messageType": whole["messageType"],
        "status": "DELETED",
        "source": whole["source"],
        "messageTimestamp": whole["messageTimestamp"],
        "pushName": whole["pushName"],
        "participant": null,
        "message": whole["message"],
    })
}

fn group_event(lens: &Lens<'_>, group: &Group, change: &GroupChange) -> (&'static str, Value) {
    let id = format!("{}@g.us", group.id);
    let member = |phone: &String| lens.addressed(&Address::Person(phone.clone()));
    let changed = |action: &str, who: &[String]| {
        let data: Vec<Value> = who
            .iter()
            .map(|phone| json!({"jid": member(phone), "phoneNumber": phone, "name": lens.world.person(phone).label(), "imgUrl": null}))
            .collect();
        let who: Vec<String> = who.iter().map(member).collect();
        (
            "group-participants.update",
            json!({"id": id, "participants": who, "action": action, "participantsData": data}),
        )
    };
    match change {
        GroupChange::Joined => {
            let members: Vec<Value> =
                group.members.iter().map(|(phone, role)| json!({"id": member(phone), "admin": admin(*role)})).collect();
            let whole = json!([{
                "id": id, "subject": group.subject, "desc": group.description, "creation": group.made_at_ms / 1000,
                "size": members.len(), "participants": members, "addressingMode": "pn",
            }]);
            ("groups.upsert", whole)
        }
        GroupChange::Left => changed("remove", &[lens.line.to_owned()]),
        // It can be wanted under a name that it is never told under.
        GroupChange::Renamed => ("groups.update", json!([{"id": id, "subject": group.subject}])),
        GroupChange::Members { how, who } => {
            let action = match how.as_str() {
                "join" => "add",
                "leave" => "remove",
                other => other,
            };
            changed(action, who)
        }
    }
}

fn admin(role: Role) -> Value {
    match role {
        Role::SuperAdmin => "superadmin".into(),
        Role::Admin => "admin".into(),
        _ => Value::Null,
    }
}
