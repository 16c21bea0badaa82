//! What is no message: templates, the account, people's wishes, their new ids, the address book of the number's phone.

use serde_json::Value;

use super::{Reading, learn, parse, short, username};
use crate::kept::{name, odd};
use crate::lenient::time;
use crate::proto::{items, number, text};
use crate::{
    Account, Address, ContactSeen, Ignored, Incoming, Person, Preference, Rekeyed, SessionState, TemplateChange,
    Unreadable,
};

impl Reading<'_> {
    pub(super) fn template(&self) -> TemplateChange {
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

    pub(super) fn account(&self, value: &Value) -> Account {
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

pub(super) fn preference(told: &Value) -> Result<Vec<Incoming>, Unreadable> {
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
pub(super) fn rekeyed(told: &Value) -> Result<Vec<Incoming>, Unreadable> {
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
pub(super) fn address_book(told: &Value) -> Result<Vec<Incoming>, Unreadable> {
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
    person.name = name(text(contact, "full_name").or_else(|| text(contact, "first_name")).as_deref());
    person.username = username(contact);
    let chat = person.phone.as_deref().or(person.bsuid.as_deref()).and_then(Address::parse);
    let chat = chat.ok_or_else(|| odd("nobody is named"))?;
    Ok(vec![Incoming::Contact(ContactSeen { chat, person })])
}
