//! Polls, places and contact cards as people write them: checked against WhatsApp's limits, and made into what is kept and sent.
use crate::{
    Error, Result,
    contacts::{self, ContactId},
    db::TenantRead,
    http::Check,
    tenants,
};
use indaba_providers::{Body, Card, CardLine, Content};
use serde::Deserialize;
use std::collections::BTreeSet;

/// WhatsApp's limits, in characters and answers.
const LONGEST_QUESTION: usize = 255;
const LONGEST_ANSWER: usize = 100;
const ANSWERS: std::ops::RangeInclusive<usize> = 2..=12;
/// As many as a phone shows in one message.
const MOST_CARDS: usize = 10;
const LONGEST_NAME: usize = 200;
const LONGEST_ADDRESS: usize = 400;

/// A poll to send.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewPoll)]
pub struct Poll {
    /// What is asked; 1 to 255 characters.
    pub question: String,
    /// 2 to 12 answers of 1 to 100 characters, each another; at most 10 where the number has not the capability `longPolls`.
    #[schema(min_items = 2, max_items = 12)]
    pub options: Vec<String>,
    /// More than one may be chosen.
    #[serde(default)]
    pub multiple: bool,
}

/// A place to send.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewLocation)]
pub struct Place {
    /// Degrees north, -90 to 90.
    pub latitude: f64,
    /// Degrees east, -180 to 180.
    pub longitude: f64,
    /// What it is called; at most 200 characters.
    pub name: Option<String>,
    /// Where it is, in words; at most 400 characters.
    pub address: Option<String>,
}

/// A contact card to send: of a contact of ours, or of a name and a phone number.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewContactCard)]
pub struct NewCard {
    /// This contact, with the name and the number we know.
    pub contact_id: Option<ContactId>,
    /// Or: the name; 1 to 200 characters.
    pub name: Option<String>,
    /// And the number; without `+` it is one of the workspace's country.
    pub phone: Option<String>,
    /// Where they work.
    pub organization: Option<String>,
}

/// What is left of a text that may be left out.
fn some(text: &Option<String>) -> Option<String> {
    text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn fits(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.trim().chars().count())
}

impl Poll {
    /// Notes what WhatsApp would refuse.
    pub fn check(&self, check: &mut Check) {
        check.that(fits(&self.question, LONGEST_QUESTION), "/poll/question", "has 1 to 255 characters");
        check.that(ANSWERS.contains(&self.options.len()), "/poll/options", "A poll has 2 to 12 answers.");
        let mut seen = BTreeSet::new();
        for (at, option) in self.options.iter().enumerate() {
            let pointer = format!("/poll/options/{at}");
            check.that(fits(option, LONGEST_ANSWER), &pointer, "has 1 to 100 characters");
            check.that(option.trim().is_empty() || seen.insert(option.trim()), &pointer, "is there twice");
        }
    }

    /// As it is kept.
    pub fn content(&self) -> Content {
        Content::Poll {
            question: self.question.trim().to_owned(),
            options: self.options.iter().map(|option| option.trim().to_owned()).collect(),
            multiple: self.multiple,
        }
    }
}

impl Place {
    /// Notes what is no place on earth.
    pub fn check(&self, check: &mut Check) {
        check.that((-90.0..=90.0).contains(&self.latitude), "/location/latitude", "is between -90 and 90");
        check.that((-180.0..=180.0).contains(&self.longitude), "/location/longitude", "is between -180 and 180");
        let short = |text: &Option<String>, most| text.as_deref().is_none_or(|text| text.chars().count() <= most);
        check.that(short(&self.name, LONGEST_NAME), "/location/name", "has at most 200 characters");
        check.that(short(&self.address, LONGEST_ADDRESS), "/location/address", "has at most 400 characters");
    }

    /// As it is kept.
    pub fn content(&self) -> Content {
        Content::Location {
            latitude: self.latitude,
            longitude: self.longitude,
            name: some(&self.name),
            address: some(&self.address),
            url: None,
            live: false,
        }
    }
}

/// Notes what is no list of cards. Whether contacts and numbers exist is asked later, by [`cards`].
pub fn check_cards(cards: &[NewCard], check: &mut Check) {
    check.that((1..=MOST_CARDS).contains(&cards.len()), "/contacts", "A message holds 1 to 10 contact cards.");
    for (at, card) in cards.iter().enumerate() {
        let one = |field: &str| format!("/contacts/{at}{field}");
        match card.contact_id {
            Some(_) => {
                let alone = card.name.is_none() && card.phone.is_none();
                check.that(alone, &one(""), "Give either contactId, or name and phone.");
            }
            None => {
                let name = card.name.as_deref().unwrap_or_default();
                check.name(name, &one("/name"), LONGEST_NAME);
                check.that(card.phone.is_some(), &one("/phone"), "is missing");
            }
        }
        let short = card.organization.as_deref().is_none_or(|text| text.chars().count() <= LONGEST_NAME);
        check.that(short, &one("/organization"), "has at most 200 characters");
    }
}

/// The cards as they are kept. Errors: 422 for a contact that is not there or has no number, and for a phone that is none.
pub fn cards(tx: &mut TenantRead, new: &[NewCard]) -> Result<Content> {
    let country = tenants::get(tx)?.country;
    let mut contacts = Vec::with_capacity(new.len());
    for (at, card) in new.iter().enumerate() {
        let at = |field: &str| format!("/contacts/{at}/{field}");
        let (name, phone, whatsapp) = match card.contact_id {
            Some(id) => {
                let contact = match contacts::get(tx, id) {
                    Err(Error::Missing) => return Err(Error::field(at("contactId"), "There is no such contact.")),
                    other => other?,
                };
                let without = || Error::field(at("contactId"), "This contact has no phone number that we know.");
                let phone = contact.phone.ok_or_else(without)?;
                (contact.name.unwrap_or_else(|| phone.clone()), phone.clone(), Some(phone))
            }
            None => {
                let typed = card.phone.as_deref().unwrap_or_default();
                let phone = contacts::e164(typed, country.as_deref()).map_err(|why| Error::field(at("phone"), why))?;
                (some(&card.name).unwrap_or_default(), phone, None)
            }
        };
        let line = CardLine { value: phone, label: Some("cell".into()), whatsapp };
        contacts.push(Card { name, organization: some(&card.organization), phones: vec![line], emails: Vec::new() });
    }
    Ok(Content::Contacts { contacts })
}

/// What a provider sends of a kept content. None if it is of a kind that is not sent so.
pub fn body(content: Content) -> Option<Body> {
    match content {
        Content::Poll { question, options, multiple } => Some(Body::Poll { question, options, multiple }),
        Content::Location { latitude, longitude, name, address, .. } => {
            Some(Body::Location { latitude, longitude, name, address })
        }
        Content::Contacts { contacts } => Some(Body::Contacts { contacts }),
        _ => None,
    }
}
