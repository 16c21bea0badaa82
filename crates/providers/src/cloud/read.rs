//! From Meta's webhooks to the neutral vocabulary. One body holds entries, they hold changes, and those hold messages, statuses and errors: each is read
//! by itself, so that an odd one costs nothing but itself.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::call::sentence;
use crate::content::{Card, CardLine, Content, Context, MediaRef, OrderItem, Quoted, Referral};
use crate::lenient::{number as lenient_number, object, text as lenient_text, time};
use crate::proto::{flag, items, number, text};
use crate::{
    Account, Address, Call, CallState, ContactSeen, Edited, Hook, Ignored, Incoming, Message, Origin, Person,
    Preference, Reaction, Rekeyed, Revoked, SessionState, Status, StatusError, StatusState, TemplateChange, Unreadable,
};

/// Names are cut here: they are shown in lists.
const LONGEST_NAME: usize = 200;
/// As long as ids get at Meta, and a little more.
const LONGEST_ID: usize = 512;
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

fn odd(what: &str) -> Unreadable {
    Unreadable::NotAsExpected(what.to_owned())
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
    /// When Meta says it happened: account events only.
    at: Option<i64>,
    /// What our own number is called: as shown, and by its id.
    own: [Option<String>; 2],
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
        let people = self.value["contacts"].as_array().map(Vec::as_slice).unwrap_or_default();
        let named = people.iter().find(|contact| {
            let is = |key: &str, known: &Option<String>| {
                known.is_some() && text(contact, key).and_then(|id| parse(&id)).map(|id| id.to_string()) == *known
            };
            is("user_id", &person.bsuid) || is("wa_id", &person.phone)
        });
        if let Some(contact) = named.or(if let [only] = people { Some(only) } else { None }) {
            for key in ["wa_id", "user_id", "parent_user_id"] {
                if let Some(id) = text(contact, key) {
                    learn(&mut person, &id);
                }
            }
            person.name = name(text(&contact["profile"], "name"));
            person.username = username(&contact["profile"]);
        }
        let chat = person.phone.as_deref().or(person.bsuid.as_deref()).or(person.parent_bsuid.as_deref());
        let chat = chat.and_then(Address::parse).ok_or_else(|| odd("nobody is named"))?;
        Ok((chat, person))
    }

    /// A message of theirs, or (an echo) one that our own number sent from its phone.
    fn message(&self, message: &Value, from_me: bool) -> Result<Vec<Incoming>, Unreadable> {
        if message.get("group_id").is_some() {
            return Ok(vec![Incoming::Ignored(Ignored::Group)]);
        }
        let ids = if from_me {
            ["to", "to_user_id", "to_parent_user_id"]
        } else {
            ["from", "from_user_id", "from_parent_user_id"]
        };
        let (chat, mut person) = self.who(ids.map(|key| text(message, key)))?;
        if from_me {
            person.name = None;
        }
        self.message_of(message, from_me, chat, person)
    }

    fn message_of(
        &self,
        message: &Value,
        from_me: bool,
        chat: Address,
        person: Person,
    ) -> Result<Vec<Incoming>, Unreadable> {
        let provider_id = id(message, "id")?;
        let at = number(message, "timestamp").and_then(time);
        let kind = text(message, "type").unwrap_or_default();
        let body = &message[&kind];
        let target = |key: &str| id(body, key);
        match kind.as_str() {
            "reaction" => {
                // without an emoji it was taken off
                let emoji = text(body, "emoji").unwrap_or_default().chars().take(32).collect();
                let target = target("message_id")?;
                return Ok(vec![Incoming::Reaction(Reaction { target, chat, person, from_me, emoji, at })]);
            }
            "revoke" => {
                let (target, chat) = (target("original_message_id")?, Some(chat));
                return Ok(vec![Incoming::Revoked(Revoked { target, chat, from_me, at })]);
            }
            "edit" => {
                let target = target("original_message_id")?;
                let text = content(&body["message"]).text().map(str::to_owned);
                return Ok(vec![Incoming::Edited(Edited { target, chat, from_me, text, at })]);
            }
            _ => {}
        }
        let context = &message["context"];
        let quoted = text(context, "id").filter(|id| id.len() <= LONGEST_ID).map(|provider_id| Quoted {
            provider_id,
            // sometimes the id of our number, which looks like a phone number
            author: text(context, "from")
                .filter(|from| self.own[1].as_ref().is_none_or(|own| own != from))
                .and_then(|from| parse(&from)),
            text: None,
        });
        let mut says = Vec::new();
        let (mut chat, mut person) = (chat, person);
        let content = match system(&kind, body) {
            Some((content, to)) => {
                if let Some(to) = to.filter(|to| *to != chat) {
                    let mut now = Person::at(&to);
                    for key in ["wa_id", "new_wa_id", "user_id", "parent_user_id"] {
                        if let Some(id) = text(body, key) {
                            learn(&mut now, &id);
                        }
                    }
                    now.name = person.name.clone();
                    let rekeyed = Rekeyed { from: chat.clone(), to: to.clone(), person: now.clone(), at };
                    says.push(Incoming::Rekeyed(rekeyed));
                    (chat, person) = (to, now);
                }
                content
            }
            None => content(message),
        };
        says.push(Incoming::Message(Box::new(Message {
            reference: provider_id.clone(),
            provider_id,
            chat,
            person,
            from_me,
            origin: from_me.then_some(Origin::App),
            at,
            content,
            quoted,
            context: Context {
                forwarded: flag(context, "forwarded") || flag(context, "frequently_forwarded"),
                often_forwarded: flag(context, "frequently_forwarded"),
                referral: referral(message),
                ..Context::default()
            },
            state: None,
            history: false,
        })));
        Ok(says)
    }

    fn status(&self, status: &Value) -> Result<Incoming, Unreadable> {
        let provider_id = id(status, "id")?;
        if text(status, "recipient_type").as_deref() == Some("group") {
            return Ok(Incoming::Ignored(Ignored::Group));
        }
        let state = match text(status, "status").as_deref() {
            Some("sent") => StatusState::Sent,
            Some("delivered") => StatusState::Delivered,
            Some("read") => StatusState::Read,
            Some("played") => StatusState::Played,
            Some("failed") => StatusState::Failed,
            other => {
                let name = format!("status {}", short(other.unwrap_or_default()));
                return Ok(Incoming::Ignored(Ignored::Unused(name)));
            }
        };
        let ids = ["recipient_id", "recipient_user_id", "recipient_parent_user_id"].map(|key| text(status, key));
        let who = self.who(ids).ok().map(|(chat, mut person)| {
            // before 2026-05 it was spelled so
            if let Some(id) = text(status, "parent_recipient_user_id") {
                learn(&mut person, &id);
            }
            (chat, person)
        });
        let error = status["errors"].get(0).map(|error| StatusError {
            code: text(error, "code").map(|code| short(&code)).unwrap_or_default(),
            detail: sentence(error),
        });
        let pricing = &status["pricing"];
        let price = match (text(pricing, "type"), text(pricing, "category")) {
            (Some(kind), Some(category)) => Some(short(&format!("{kind}/{category}"))),
            (None, Some(category)) => Some(short(&category)),
            _ => None,
        };
        let (chat, person) = who.unzip();
        Ok(Incoming::Status(Status {
            provider_id,
            chat,
            state,
            at: number(status, "timestamp").and_then(time),
            correlation: text(status, "biz_opaque_callback_data").filter(|data| data.len() <= LONGEST_ID),
            error,
            person,
            price,
        }))
    }

    /// What the number's phone had before it came to the Cloud API, in chunks of any order.
    fn history(&self) -> Result<Vec<Incoming>, Unreadable> {
        let mut says = Vec::new();
        for part in items(self.value, "history") {
            for error in items(part, "errors") {
                says.push(Incoming::Account(self.error(error)));
            }
            for thread in items_of(part, "threads") {
                let context = &thread["context"];
                let ids = [text(context, "wa_id").or_else(|| text(thread, "id")), text(context, "user_id"), None];
                let Ok((chat, mut person)) = self.who(ids) else { continue };
                person.username = person.username.or_else(|| username(context));
                for message in items_of(thread, "messages") {
                    let from_me = text(message, "from").is_some_and(|from| self.is_own(&from));
                    let state = text(&message["history_context"], "status").and_then(|status| match status.as_str() {
                        "ERROR" => Some(StatusState::Failed),
                        "SENT" => Some(StatusState::Sent),
                        "DELIVERED" => Some(StatusState::Delivered),
                        "READ" => Some(StatusState::Read),
                        "PLAYED" => Some(StatusState::Played),
                        _ => None,
                    });
                    let whom = if from_me { Person { name: None, ..person.clone() } } else { person.clone() };
                    let read = self.message_of(message, from_me, chat.clone(), whom).unwrap_or_default();
                    says.extend(read.into_iter().map(|incoming| match incoming {
                        Incoming::Message(message) => {
                            let state = state.filter(|_| from_me);
                            Incoming::Message(Box::new(Message { history: true, state, ..*message }))
                        }
                        other => other,
                    }));
                    if says.len() > MOST {
                        return Ok(says);
                    }
                }
            }
        }
        if says.is_empty() { Ok(vec![Incoming::Ignored(Ignored::Unused("history".into()))]) } else { Ok(says) }
    }

    fn calls(&self) -> Result<Vec<Incoming>, Unreadable> {
        let mut says = Vec::new();
        for call in items(self.value, "calls") {
            says.push(self.call(call)?);
        }
        for status in items(self.value, "statuses") {
            let state = match text(status, "status").as_deref() {
                Some("RINGING") => CallState::Ringing,
                Some("ACCEPTED") => CallState::Accepted,
                Some("REJECTED") => CallState::Rejected,
                _ => continue,
            };
            let (chat, person) = self.who([text(status, "recipient_id"), text(status, "recipient_user_id"), None])?;
            let at = number(status, "timestamp").and_then(time);
            let provider_id = id(status, "id")?;
            says.push(Incoming::Call(Call { provider_id, chat, person, from_me: true, video: false, state, at }));
        }
        for error in items(self.value, "errors") {
            says.push(Incoming::Account(self.error(error)));
        }
        if says.is_empty() { Ok(vec![Incoming::Ignored(Ignored::Unused("calls".into()))]) } else { Ok(says) }
    }

    fn call(&self, call: &Value) -> Result<Incoming, Unreadable> {
        let provider_id = id(call, "id")?;
        let from_me = text(call, "direction").as_deref() == Some("BUSINESS_INITIATED");
        let sides = if from_me { ["to", "from"] } else { ["from", "to"] };
        let other = sides.iter().filter_map(|side| text(call, side)).find(|side| !self.is_own(side));
        let user = text(call, if from_me { "to_user_id" } else { "from_user_id" });
        let (chat, person) = self.who([other, user, None])?;
        let state = match (text(call, "event").as_deref(), text(call, "status").as_deref()) {
            // of our own call: they answered
            (Some("connect"), _) if from_me => CallState::Accepted,
            (Some("connect" | "call_created"), _) => CallState::Ringing,
            (Some("terminate"), Some("COMPLETED")) => CallState::Ended,
            (Some("terminate"), Some("REJECTED")) => CallState::Rejected,
            (Some("terminate"), _) => CallState::Missed,
            _ => return Ok(Incoming::Ignored(Ignored::Unused("calls".into()))),
        };
        let at = number(call, "timestamp").and_then(time);
        Ok(Incoming::Call(Call { provider_id, chat, person, from_me, video: false, state, at }))
    }

    fn template(&self) -> TemplateChange {
        let value = self.value;
        let lower = |key: &str| text(value, key).map(|word| short(&word).to_lowercase());
        let mut change = TemplateChange {
            id: text(value, "message_template_id").unwrap_or_default(),
            name: text(value, "message_template_name").unwrap_or_default(),
            language: text(value, "message_template_language").unwrap_or_default(),
            at: self.at,
            ..TemplateChange::default()
        };
        match self.field {
            "message_template_status_update" => {
                change.state = lower("event");
                change.category = lower("message_template_category");
                let reasons = [
                    text(value, "reason").filter(|reason| reason != "NONE"),
                    text(&value["rejection_info"], "reason"),
                    text(&value["other_info"], "title"),
                    text(&value["other_info"], "description"),
                    text(&value["disable_info"], "disable_date"),
                ];
                let reasons: Vec<String> = reasons.into_iter().flatten().collect();
                change.reason =
                    Some(reasons.join(": ").chars().take(1000).collect()).filter(|all: &String| !all.is_empty());
            }
            "message_template_quality_update" => change.quality = lower("new_quality_score"),
            "template_category_update" => {
                change.category = lower("new_category");
                // announced a day before
                change.reason = lower("correct_category").map(|category| format!("will become {category}"));
            }
            // only that it says something else now: it is fetched again
            _ => {}
        }
        change
    }

    fn account(&self, value: &Value) -> Account {
        let first = |keys: &[&str]| keys.iter().find_map(|key| text(value, key));
        let event = first(&["event", "decision", "status"]).or_else(|| text(&value["alert_info"], "alert_type"));
        let event = short(&event.unwrap_or_default());
        let ban = text(&value["ban_info"], "waba_ban_state");
        let state = match (event.as_str(), ban.as_deref()) {
            ("DISABLED_UPDATE", Some("DISABLE")) => SessionState::Banned,
            ("DISABLED_UPDATE", Some("REINSTATE")) | ("ACCOUNT_RECONNECTED", _) => SessionState::Connected,
            ("DISABLED_UPDATE", Some(_)) | ("ACCOUNT_RESTRICTION", _) => SessionState::Attention,
            ("ACCOUNT_DELETED" | "ACCOUNT_OFFBOARDED", _) => SessionState::Disconnected,
            ("PARTNER_REMOVED", _) if value["disconnection_info"].is_object() => SessionState::Disconnected,
            _ => SessionState::Unknown,
        };
        let restrictions = || items(value, "restriction_info");
        let details: Vec<String> = match (self.field, event.as_str()) {
            ("phone_number_quality_update" | "business_capability_update", _) => {
                first(&["max_daily_conversations_per_business", "current_limit", "max_daily_conversation_per_phone"])
                    .into_iter()
                    .collect()
            }
            ("phone_number_name_update", _) => {
                let reason = text(value, "rejection_reason").filter(|reason| reason != "NONE");
                [text(value, "requested_verified_name"), reason].into_iter().flatten().collect()
            }
            ("account_alerts", _) => text(&value["alert_info"], "alert_description").into_iter().collect(),
            ("business_username_updates", _) => text(value, "username").into_iter().collect(),
            ("security", _) => text(value, "requester").into_iter().collect(),
            ("flows", _) => text(value, "message").into_iter().collect(),
            (_, "DISABLED_UPDATE") => ban.into_iter().chain(text(&value["ban_info"], "waba_ban_date")).collect(),
            (_, "ACCOUNT_RESTRICTION") => restrictions().filter_map(|one| text(one, "restriction_type")).collect(),
            (_, "ACCOUNT_VIOLATION") => {
                let info = &value["violation_info"];
                [text(info, "violation_type"), text(info, "remediation")].into_iter().flatten().collect()
            }
            (_, "PARTNER_REMOVED") => text(&value["disconnection_info"], "reason").into_iter().collect(),
            (_, "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE") => text(value, "country").into_iter().collect(),
            (_, "VOLUME_BASED_PRICING_TIER_UPDATE") => {
                let info = &value["volume_tier_info"];
                ["pricing_category", "region", "tier"].iter().filter_map(|key| text(info, key)).collect()
            }
            (_, "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE") => {
                text(&value["partner_client_certification_info"], "status").into_iter().collect()
            }
            _ => Vec::new(),
        };
        Account {
            field: self.field.to_owned(),
            event,
            state,
            detail: Some(details.join(", ").chars().take(1000).collect()).filter(|detail: &String| !detail.is_empty()),
            until: restrictions().filter_map(|one| number(one, "expiration")).filter_map(time).max(),
            at: self.at,
        }
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

fn name(text: Option<String>) -> Option<String> {
    let name: String = text?.trim().chars().filter(|c| !c.is_control()).take(LONGEST_NAME).collect();
    Some(name).filter(|name| !name.is_empty())
}

fn username(of: &Value) -> Option<String> {
    name(text(of, "username")).map(|name| name.trim_start_matches('@').to_owned()).filter(|name| !name.is_empty())
}

fn id(value: &Value, key: &str) -> Result<String, Unreadable> {
    text(value, key)
        .filter(|id| id.len() <= LONGEST_ID)
        .ok_or_else(|| odd("a message id is missing, or longer than 512 characters"))
}

/// WhatsApp's own word about a person, and the address they have from now on.
fn system(kind: &str, body: &Value) -> Option<(Content, Option<Address>)> {
    if kind != "system" {
        return None;
    }
    let event = text(body, "type").unwrap_or_default();
    let to = |keys: &[&str]| keys.iter().find_map(|key| parse(&text(body, key)?));
    let (event, to) = match event.as_str() {
        "user_changed_number" | "customer_changed_number" => {
            ("number-changed".to_owned(), to(&["wa_id", "new_wa_id", "user_id"]))
        }
        "user_changed_user_id" => ("id-changed".to_owned(), to(&["user_id", "wa_id"])),
        "customer_identity_changed" | "user_identity_changed" => ("identity-changed".to_owned(), None),
        other => (short(&other.replace('_', "-")), None),
    };
    Some((Content::System { event, text: text(body, "body") }, to))
}

fn referral(message: &Value) -> Option<Referral> {
    if let Some(ad) = message.get("referral").filter(|ad| ad.is_object()) {
        return Some(Referral {
            url: text(ad, "source_url"),
            id: text(ad, "source_id"),
            kind: text(ad, "source_type"),
            headline: text(ad, "headline"),
            text: text(ad, "body"),
            click_id: text(ad, "ctwa_clid"),
        });
    }
    let product = message["context"].get("referred_product").filter(|product| product.is_object())?;
    Some(Referral { id: text(product, "product_retailer_id"), kind: Some("product".into()), ..Referral::default() })
}

fn media(file: &Value) -> MediaRef {
    MediaRef {
        url: text(file, "url"),
        id: text(file, "id"),
        mime: text(file, "mime_type"),
        name: text(file, "filename"),
        sha256: text(file, "sha256"),
        size_bytes: number(file, "file_size").filter(|size| (0.0..1e13).contains(size)).map(|size| size as u64),
        animated: flag(file, "animated"),
        ..MediaRef::default()
    }
}

/// What a message says, by its `type`. What this build does not know, or what has nothing inside, is unsupported: never an error.
fn content(message: &Value) -> Content {
    let kind = text(message, "type").unwrap_or_default();
    let body = &message[&kind];
    let caption = || text(body, "caption");
    let unsupported = || {
        let error = message["errors"].get(0).map(sentence).filter(|detail| !detail.is_empty());
        let name = text(&message["unsupported"], "type").unwrap_or_else(|| kind.clone());
        Content::Unsupported { name: short(&name), detail: error }
    };
    if body.is_null() {
        return unsupported();
    }
    match kind.as_str() {
        "text" => text(body, "body").map_or_else(unsupported, |text| Content::Text { text }),
        "image" => Content::Image { caption: caption(), media: media(body) },
        "video" => Content::Video { caption: caption(), media: media(body) },
        "audio" if flag(body, "voice") => Content::Voice { media: media(body) },
        "audio" => Content::Audio { media: media(body) },
        "voice" => Content::Voice { media: media(body) },
        "document" => Content::Document { caption: caption(), media: media(body) },
        "sticker" => Content::Sticker { media: media(body) },
        "location" => match (number(body, "latitude"), number(body, "longitude")) {
            (Some(latitude), Some(longitude)) => Content::Location {
                latitude,
                longitude,
                name: text(body, "name"),
                address: text(body, "address"),
                url: text(body, "url"),
                live: false,
            },
            _ => unsupported(),
        },
        "contacts" => Content::Contacts { contacts: items(message, "contacts").map(card).collect() },
        "interactive" => interactive(body).unwrap_or_else(unsupported),
        "button" => Content::ButtonReply { id: text(body, "payload"), title: text(body, "text").unwrap_or_default() },
        "order" => Content::Order {
            text: text(body, "text"),
            catalog: text(body, "catalog_id"),
            items: items(body, "product_items")
                .map(|item| OrderItem {
                    id: text(item, "product_retailer_id").unwrap_or_default(),
                    name: None,
                    quantity: number(item, "quantity").unwrap_or(1.0),
                    price: number(item, "item_price"),
                    currency: text(item, "currency"),
                })
                .collect(),
        },
        _ => unsupported(),
    }
}

fn interactive(body: &Value) -> Option<Content> {
    let kind = text(body, "type")?;
    let reply = body.get(&kind)?;
    let title = || text(reply, "title").unwrap_or_default();
    Some(match kind.as_str() {
        "button_reply" => Content::ButtonReply { id: text(reply, "id"), title: title() },
        "list_reply" => {
            Content::ListReply { id: text(reply, "id"), title: title(), description: text(reply, "description") }
        }
        "nfm_reply" => {
            let answers = text(reply, "response_json");
            Content::FormReply {
                name: text(reply, "name").unwrap_or_default(),
                text: text(reply, "body"),
                answers: answers.map_or(Value::Null, |json| serde_json::from_str(&json).unwrap_or(Value::String(json))),
            }
        }
        "call_permission_reply" => Content::FormReply { name: kind, text: None, answers: reply.clone() },
        _ => return None,
    })
}

fn card(contact: &Value) -> Card {
    let label = |line: &Value| text(line, "type").map(|label| label.to_ascii_lowercase());
    let whole = &contact["name"];
    let parts = || {
        let parts: Vec<String> = ["first_name", "last_name"].iter().filter_map(|key| text(whole, key)).collect();
        parts.join(" ")
    };
    let lines = |list: &str, key: &str| -> Vec<CardLine> {
        let line = |line: &Value| {
            let whatsapp = text(line, "wa_id").and_then(|id| parse(&id)?.phone().map(str::to_owned));
            Some(CardLine { value: text(line, key).or_else(|| whatsapp.clone())?, label: label(line), whatsapp })
        };
        items(contact, list).filter_map(line).collect()
    };
    Card {
        name: text(whole, "formatted_name").unwrap_or_else(parts),
        organization: text(&contact["org"], "company"),
        phones: lines("phones", "phone"),
        emails: lines("emails", "email"),
    }
}

fn preference(told: &Value) -> Result<Vec<Incoming>, Unreadable> {
    let mut person = Person::default();
    for key in ["wa_id", "user_id", "parent_user_id"] {
        if let Some(id) = text(told, key) {
            learn(&mut person, &id);
        }
    }
    if person.identities().is_empty() {
        return Err(odd("nobody is named"));
    }
    let opted_out = match text(told, "value").as_deref() {
        Some("stop") => true,
        Some("resume" | "signup") => false,
        _ => return Ok(vec![Incoming::Ignored(Ignored::Unused("user_preferences".into()))]),
    };
    let at = number(told, "timestamp").and_then(time);
    Ok(vec![Incoming::Preference(Preference { person, opted_out, at })])
}

/// Of the parent ids, which only linked portfolios have, too.
fn rekeyed(told: &Value) -> Result<Vec<Incoming>, Unreadable> {
    let at = number(told, "timestamp").and_then(time);
    let mut person = Person::default();
    for id in [text(told, "wa_id"), text(&told["user_id"], "current"), text(&told["parent_user_id"], "current")] {
        learn(&mut person, &id.unwrap_or_default());
    }
    let pair = |key: &str| {
        let id = |which: &str| parse(&text(&told[key], which)?);
        Some((id("previous")?, id("current")?))
    };
    let changes: Vec<Incoming> = [pair("user_id"), pair("parent_user_id")]
        .into_iter()
        .flatten()
        .map(|(from, to)| Incoming::Rekeyed(Rekeyed { from, to, person: person.clone(), at }))
        .collect();
    if changes.is_empty() { Err(odd("no id has changed")) } else { Ok(changes) }
}

/// The address book of the number's phone.
fn address_book(told: &Value) -> Result<Vec<Incoming>, Unreadable> {
    let contact = &told["contact"];
    if text(told, "type").as_deref() != Some("contact") || text(told, "action").as_deref() != Some("add") {
        return Ok(vec![Incoming::Ignored(Ignored::Unused("smb_app_state_sync".into()))]);
    }
    let mut person = Person::default();
    for key in ["phone_number", "user_id"] {
        if let Some(id) = text(contact, key) {
            learn(&mut person, &id);
        }
    }
    person.name = name(text(contact, "full_name").or_else(|| text(contact, "first_name")));
    person.username = username(contact);
    let chat = person.phone.as_deref().or(person.bsuid.as_deref()).and_then(Address::parse);
    let chat = chat.ok_or_else(|| odd("nobody is named"))?;
    Ok(vec![Incoming::Contact(ContactSeen { chat, person })])
}
