//! From Meta's webhooks to the neutral vocabulary. One body holds entries, they hold changes, and those hold messages, statuses and errors: each is read
//! by itself, so that an odd one costs nothing but itself.

mod account;
mod content;
mod message;

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use self::account::{address_book, preference, rekeyed};
use super::call::sentence;
use crate::kept::{self, name, odd};
use crate::lenient::{number as lenient_number, object, text as lenient_text, time};
use crate::proto::text;
use crate::{Account, Address, Hook, Ignored, Incoming, Person, Unreadable};

/// A batch of history has thousands of messages; nothing has more than this.
const MOST: usize = 50_000;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Envelope {
    #[serde(deserialize_with = "lenient_text")]
    object: Option<String>,
    entry: Option<Box<RawValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    #[serde(deserialize_with = "lenient_text")]
    id: Option<String>,
    #[serde(deserialize_with = "lenient_number")]
    time: Option<f64>,
    changes: Option<Box<RawValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawChange {
    #[serde(deserialize_with = "lenient_text")]
    field: Option<String>,
    value: Option<Box<RawValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Head {
    #[serde(deserialize_with = "object")]
    metadata: Option<Metadata>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    #[serde(deserialize_with = "lenient_text")]
    phone_number_id: Option<String>,
}

/// One thing that an account or a number reports.
pub struct Change {
    /// The account (or the portfolio) that it is about.
    pub entry: String,
    time: Option<f64>,
    field: String,
    value: Box<RawValue>,
}

impl Change {
    /// The number that it is about, if it is about one.
    pub fn number(&self) -> Option<String> {
        serde_json::from_str::<Head>(self.value.get()).ok()?.metadata?.phone_number_id
    }

    /// The same as an entry with nothing else in it.
    pub fn write(&self, into: &mut String) {
        let head = json!({ "id": self.entry, "time": self.time.map(|time| time as i64) }).to_string();
        let field = Value::from(self.field.as_str());
        into.push_str(&head[..head.len() - 1]);
        into.push_str(&format!(",\"changes\":[{{\"field\":{field},\"value\":{}}}]}}", self.value.get()));
    }
}

/// The pieces of a list, unread; nothing when it is none.
fn pieces(list: Option<&RawValue>) -> Vec<&RawValue> {
    let list = list.map(RawValue::get).filter(|list| list.starts_with('['));
    list.and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default()
}

/// What a body reports, one by one.
pub fn changes(hook: &Hook) -> Result<Vec<Change>, Unreadable> {
    let envelope: Envelope = hook.json()?;
    if envelope.object.as_deref() != Some("whatsapp_business_account") {
        return Err(odd("it is not about a WhatsApp Business account"));
    }
    let mut changes = Vec::new();
    for entry in pieces(envelope.entry.as_deref()) {
        let Ok(entry) = serde_json::from_str::<Entry>(entry.get()) else { continue };
        for change in pieces(entry.changes.as_deref()) {
            let Ok(RawChange { field, value: Some(value) }) = serde_json::from_str(change.get()) else { continue };
            let (entry, time, field) = (entry.id.clone().unwrap_or_default(), entry.time, field.unwrap_or_default());
            changes.push(Change { entry, time, field, value });
        }
    }
    if changes.is_empty() { Err(odd("there is nothing in it")) } else { Ok(changes) }
}

fn short(name: &str) -> String {
    name.chars().take(100).collect()
}

/// Everything a body says. Only when nothing in it could be read is it the body that is odd.
pub fn hook(hook: &Hook) -> Result<Vec<Incoming>, Unreadable> {
    let mut says = Vec::new();
    let mut wrong = None;
    for change in changes(hook)? {
        match serde_json::from_str::<Value>(change.value.get()) {
            Ok(value) if value.is_object() => {
                let change = Reading {
                    field: &change.field,
                    value: &value,
                    book: Book::of(&value),
                    at: change.time.and_then(time),
                    own: [
                        text(&value["metadata"], "display_phone_number"),
                        text(&value["metadata"], "phone_number_id"),
                    ],
                };
                match change.says() {
                    Ok(some) => says.extend(some),
                    Err(error) => wrong = Some(error),
                }
            }
            _ => wrong = Some(odd("a value has another shape, or is nested too deep")),
        }
    }
    match wrong {
        Some(error) if says.is_empty() => Err(error),
        _ => Ok(says),
    }
}

/// One change being read.
struct Reading<'a> {
    field: &'a str,
    value: &'a Value,
    /// The address book that came along.
    book: Book<'a>,
    /// When Meta says it happened: account events only.
    at: Option<i64>,
    /// What our own number is called: as shown, and by its id.
    own: [Option<String>; 2],
}

/// The people that a change names, found by their ids: a batch may name a thousand.
struct Book<'a> {
    people: &'a [Value],
    /// Who has a `user_id` and a `wa_id`; the first, where several have the same.
    places: [HashMap<String, usize>; 2],
}

impl Book<'_> {
    fn of(value: &Value) -> Book<'_> {
        let people = value["contacts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let places = ["user_id", "wa_id"].map(|key| {
            let id = |contact| text(contact, key).and_then(|id| parse(&id)).map(|id| id.to_string());
            let ids = people.iter().enumerate().rev().filter_map(|(place, contact)| Some((id(contact)?, place)));
            ids.collect()
        });
        Book { people, places }
    }

    /// The first with one of these ids; else the only one there is.
    fn find(&self, user: Option<&str>, phone: Option<&str>) -> Option<&Value> {
        let place = |at: usize, id: Option<&str>| self.places[at].get(id?);
        let named = place(0, user).into_iter().chain(place(1, phone)).min();
        named.map_or(if let [only] = self.people { Some(only) } else { None }, |place| Some(&self.people[*place]))
    }
}

impl Reading<'_> {
    fn says(&self) -> Result<Vec<Incoming>, Unreadable> {
        let value = self.value;
        let one = |incoming| Ok(vec![incoming]);
        match self.field {
            "messages" => self.messages(),
            "smb_message_echoes" => self.each("message_echoes", |echo| self.message(echo, true)),
            "history" => self.history(),
            "calls" => self.calls(),
            "smb_app_state_sync" => self.each("state_sync", address_book),
            "user_preferences" => self.each("user_preferences", preference),
            "user_id_update" => self.each("user_id_update", rekeyed),
            "message_template_status_update"
            | "message_template_quality_update"
            | "message_template_components_update"
            | "template_category_update" => one(Incoming::Template(self.template())),
            field if field.starts_with("group") => one(Incoming::Ignored(Ignored::Group)),
            "account_update"
            | "account_alerts"
            | "account_review_update"
            | "account_settings_update"
            | "business_capability_update"
            | "business_username_updates"
            | "flows"
            | "phone_number_name_update"
            | "phone_number_quality_update"
            | "security" => one(Incoming::Account(self.account(value))),
            field => one(Incoming::Ignored(Ignored::Unused(short(field)))),
        }
    }

    /// Reads each item of a list. Odd ones are left out, unless there is nothing else.
    fn each(
        &self,
        list: &str,
        read: impl Fn(&Value) -> Result<Vec<Incoming>, Unreadable>,
    ) -> Result<Vec<Incoming>, Unreadable> {
        let mut says = Vec::new();
        let mut wrong = None;
        for item in self.value[list].as_array().into_iter().flatten().take(MOST) {
            match read(item) {
                Ok(some) => says.extend(some),
                Err(error) => wrong = Some(error),
            }
        }
        match wrong {
            Some(error) if says.is_empty() => Err(error),
            None if says.is_empty() => Ok(vec![Incoming::Ignored(Ignored::Unused(short(self.field)))]),
            _ => Ok(says),
        }
    }

    fn messages(&self) -> Result<Vec<Incoming>, Unreadable> {
        let mut says = Vec::new();
        let mut wrong = None;
        let mut take = |read: Result<Vec<Incoming>, Unreadable>| match read {
            Ok(some) => says.extend(some),
            Err(error) => wrong = Some(error),
        };
        for message in self.value["messages"].as_array().into_iter().flatten().take(MOST) {
            take(self.message(message, false));
        }
        for status in self.value["statuses"].as_array().into_iter().flatten().take(MOST) {
            take(self.status(status).map(|status| vec![status]));
        }
        for error in self.value["errors"].as_array().into_iter().flatten().take(100) {
            take(Ok(vec![Incoming::Account(self.error(error))]));
        }
        match wrong {
            Some(error) if says.is_empty() => Err(error),
            // clicks, conversation routing
            None if says.is_empty() => Ok(vec![Incoming::Ignored(Ignored::Unused("messages".into()))]),
            _ => Ok(says),
        }
    }

    /// What went wrong without a message.
    fn error(&self, error: &Value) -> Account {
        Account {
            field: short(self.field),
            event: text(error, "code").map(|code| short(&code)).unwrap_or_default(),
            detail: Some(sentence(error)).filter(|detail| !detail.is_empty()),
            at: self.at,
            ..Account::default()
        }
    }

    fn is_own(&self, text: &str) -> bool {
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        !text.is_empty() && self.own.iter().flatten().any(|own| digits(own) == digits(text))
    }

    /// Who: by the ids beside the message, and by the address book that came along. A field's name says nothing of its form: `from` has been seen with
    /// a business-scoped id in it.
    fn who(&self, ids: [Option<String>; 3]) -> Result<(Address, Person), Unreadable> {
        let mut person = Person::default();
        for id in ids.iter().flatten() {
            learn(&mut person, id);
        }
        if let Some(contact) = self.book.find(person.bsuid.as_deref(), person.phone.as_deref()) {
            for key in ["wa_id", "user_id", "parent_user_id"] {
                if let Some(id) = text(contact, key) {
                    learn(&mut person, &id);
                }
            }
            person.name = name(text(&contact["profile"], "name").as_deref());
            person.username = username(&contact["profile"]);
        }
        let chat = person.phone.as_deref().or(person.bsuid.as_deref()).or(person.parent_bsuid.as_deref());
        let chat = chat.and_then(Address::parse).ok_or_else(|| odd("nobody is named"))?;
        Ok((chat, person))
    }
}

/// A list without the limit of small ones.
fn items_of<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    value[name].as_array().into_iter().flatten().take(MOST)
}

/// A phone number as people write it, or a business-scoped id.
fn parse(id: &str) -> Option<Address> {
    let id = id.trim();
    if id.contains('@') {
        return None;
    }
    let bare: String = id.chars().filter(|c| !matches!(c, ' ' | '(' | ')')).collect();
    Address::parse(&bare)
}

fn learn(person: &mut Person, id: &str) {
    if let Some(address) = parse(id) {
        person.learn(&address);
    }
}

fn username(of: &Value) -> Option<String> {
    name(text(of, "username").as_deref())
        .map(|name| name.trim_start_matches('@').to_owned())
        .filter(|name| !name.is_empty())
}

/// The id of a message in this field.
fn id(value: &Value, key: &str) -> Result<String, Unreadable> {
    kept::id(text(value, key).as_deref())
}
