//! Where a message goes.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// A chat. A person is always named by the phone, also where a gateway shows a hidden id (LID) instead.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A person, by phone digits.
    Person(String),
    /// A group, by the digits before `@g.us`.
    Group(String),
    /// A newsletter (channel).
    Newsletter(String),
    /// A broadcast list.
    Broadcast(String),
    /// Everybody's stories.
    Status,
}

impl Address {
    /// Reads what a caller wrote: digits with or without `+`, `…@c.us`, `…@s.whatsapp.net` with or without a device,
    /// `…@g.us`, `…@newsletter`, `status@broadcast`. A LID is not read here: only the world knows whose it is.
    pub fn parse(text: &str) -> Option<Address> {
        let text = text.trim();
        let (user, server) = text.split_once('@').unwrap_or((text, "c.us"));
        match server {
            "c.us" | "s.whatsapp.net" => digits(user.split(':').next()?).map(Address::Person),
            "g.us" => (!user.is_empty()).then(|| Address::Group(user.to_owned())),
            "newsletter" => (!user.is_empty()).then(|| Address::Newsletter(user.to_owned())),
            "broadcast" if user == "status" => Some(Address::Status),
            "broadcast" => (!user.is_empty()).then(|| Address::Broadcast(user.to_owned())),
            _ => None,
        }
    }

    /// The phone of a person.
    pub fn phone(&self) -> Option<&str> {
        match self {
            Address::Person(phone) => Some(phone),
            _ => None,
        }
    }
}

/// Phone digits as WhatsApp has them: 5 to 15, a leading `+` and blanks left out.
pub fn digits(text: &str) -> Option<String> {
    let plain: String = text.trim().trim_start_matches('+').chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let fits = (5..=15).contains(&plain.len()) && plain.bytes().all(|b| b.is_ascii_digit());
    fits.then_some(plain)
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Person(phone) => write!(out, "{phone}@c.us"),
            Address::Group(id) => write!(out, "{id}@g.us"),
            Address::Newsletter(id) => write!(out, "{id}@newsletter"),
            Address::Broadcast(id) => write!(out, "{id}@broadcast"),
            Address::Status => out.write_str("status@broadcast"),
        }
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Address::parse(&text).ok_or_else(|| D::Error::custom(format!("'{text}' is not an address")))
    }
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn every_form_of_a_person_is_one_address() {
        let thandi = Some(Address::Person("27820001001".into()));
        for form in [
            "27820001001",
            "+27 82 000 1001",
            "27820001001@c.us",
            "27820001001@s.whatsapp.net",
            "27820001001:7@s.whatsapp.net",
        ] {
            assert_eq!(Address::parse(form), thandi, "{form}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for form in ["", "hello", "@c.us", "1234@c.us", "1234567890123456@c.us", "111222333444@lid", "a@b"] {
            assert_eq!(Address::parse(form), None, "{form}");
        }
    }
}
