//! Messages, what becomes of ours, calls, and what the number's phone had before.

use serde_json::Value;

use super::content::{content, referral, system};
use super::{MOST, Reading, id, items_of, learn, parse, short, username};
use crate::cloud::call::sentence;
use crate::content::{Context, Quoted};
use crate::kept::LONGEST_ID;
use crate::lenient::time;
use crate::proto::{flag, items, number, text};
use crate::{
    Address, Call, CallState, Edited, Ignored, Incoming, Message, Origin, Person, Reaction, Rekeyed, Revoked, Status,
    StatusError, StatusState, Unreadable,
};

impl Reading<'_> {
    /// A message of theirs, or (an echo) one that our own number sent from its phone.
    pub(super) fn message(&self, message: &Value, from_me: bool) -> Result<Vec<Incoming>, Unreadable> {
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

    pub(super) fn message_of(
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
            order: None,
            history: false,
        })));
        Ok(says)
    }

    pub(super) fn status(&self, status: &Value) -> Result<Incoming, Unreadable> {
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
    pub(super) fn history(&self) -> Result<Vec<Incoming>, Unreadable> {
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

    pub(super) fn calls(&self) -> Result<Vec<Incoming>, Unreadable> {
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

    pub(super) fn call(&self, call: &Value) -> Result<Incoming, Unreadable> {
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
}
