//! Who is meant: WhatsApp names one person in several ways, and more than one of them may be known.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Where a message goes to or comes from. As text (and as JSON): `+27820001001`, `111222333444@lid`,
/// `US.13491208655302741918`, `1203630…@g.us`, or any other JID as it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Address {
    /// A phone number in E.164, with its `+`.
    Phone(String),
    /// WhatsApp's hidden id of a person, `<digits>@lid`.
    Lid(String),
    /// Meta's business-scoped user id, `CC.<letters and digits>`: never to be sent as if it were a phone number.
    Bsuid(String),
    /// A group, `<digits>@g.us`.
    Group(String),
    /// Anything else that has an `@`: newsletters, `status@broadcast`, ids that are not numbers.
    Jid(String),
}

impl Address {
    /// Reads any of the forms that gateways use. `None` if it is none of them (empty, a name, 513 characters).
    pub fn parse(text: &str) -> Option<Address> {
        let text = text.trim();
        if text.is_empty() || text.len() > 256 || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return None;
        }
        let Some((user, server)) = text.rsplit_once('@') else {
            return if is_bsuid(text) { Some(Address::Bsuid(text.into())) } else { phone(text).map(Address::Phone) };
        };
        // `27820001001:12@s.whatsapp.net` is one device of a person
        let user = user.split(':').next().unwrap_or(user);
        if user.is_empty() || server.is_empty() {
            return None;
        }
        Some(match server {
            "c.us" | "s.whatsapp.net" => match phone(user) {
                Some(phone) => Address::Phone(phone),
                None => Address::Jid(format!("{user}@c.us")),
            },
            "lid" => Address::Lid(format!("{user}@lid")),
            "g.us" => Address::Group(format!("{user}@g.us")),
            _ => Address::Jid(format!("{user}@{server}")),
        })
    }

    /// The phone number, with its `+`.
    pub fn phone(&self) -> Option<&str> {
        if let Address::Phone(phone) = self { Some(phone) } else { None }
    }

    /// The digits of the phone number, without `+`.
    pub fn digits(&self) -> Option<&str> {
        self.phone().map(|phone| &phone[1..])
    }

    /// True for one person, false for groups, channels, stories and broadcast lists.
    pub fn is_person(&self) -> bool {
        match self {
            Address::Phone(_) | Address::Lid(_) | Address::Bsuid(_) => true,
            Address::Group(_) => false,
            Address::Jid(jid) => jid.ends_with("@c.us"),
        }
    }

    /// As text; [`Address::parse`] reads it back.
    pub fn as_str(&self) -> &str {
        match self {
            Address::Phone(s) | Address::Lid(s) | Address::Bsuid(s) | Address::Group(s) | Address::Jid(s) => s,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Address::parse(&text).ok_or_else(|| serde::de::Error::custom("not an address"))
    }
}

/// E.164 with its `+`, from digits with or without `+`, spaces, hyphens and brackets. 7 to 15 digits, the first not 0.
fn phone(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, '+' | '-' | ' ' | '(' | ')')).collect();
    let fits =
        (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    fits.then(|| format!("+{digits}"))
}

fn is_bsuid(text: &str) -> bool {
    let Some((country, rest)) = text.split_once('.') else { return false };
    let id = rest.strip_prefix("ENT.").unwrap_or(rest);
    country.len() == 2
        && country.bytes().all(|b| b.is_ascii_uppercase())
        && (1..=128).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// A person, by every name that one event told us. Any part may be missing; a phone number is never guessed from a LID.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Person {
    /// E.164 with `+`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// `<digits>@lid`; unique within the instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lid: Option<String>,
    /// Meta's business-scoped user id; unique within a business portfolio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bsuid: Option<String>,
    /// The portfolio-wide form of it, where portfolios are linked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parent_bsuid: Option<String>,
    /// Any other id of a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jid: Option<String>,
    /// Shown only; people change it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// The name they gave themselves (push name) or the phone's address book has. Never our own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl Person {
    /// A person of whom one address is known.
    pub fn at(address: &Address) -> Person {
        let mut person = Person::default();
        person.learn(address);
        person
    }

    /// Adds an address; the first of each kind stays.
    pub fn learn(&mut self, address: &Address) {
        let place = match address {
            Address::Phone(_) => &mut self.phone,
            Address::Lid(_) => &mut self.lid,
            Address::Bsuid(id) if id.contains(".ENT.") => &mut self.parent_bsuid,
            Address::Bsuid(_) => &mut self.bsuid,
            Address::Jid(_) if address.is_person() => &mut self.jid,
            Address::Jid(_) | Address::Group(_) => return,
        };
        place.get_or_insert_with(|| address.to_string());
    }

    /// Every id as (kind, value), in the order in which a contact is best looked up. Kinds: `phone`, `lid`, `bsuid`, `jid`.
    pub fn identities(&self) -> Vec<(&'static str, &str)> {
        [("phone", &self.phone), ("lid", &self.lid), ("bsuid", &self.bsuid), ("jid", &self.jid)]
            .into_iter()
            .filter_map(|(kind, value)| value.as_deref().map(|value| (kind, value)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_an_address_is_read() {
        let phone = Address::Phone("+27820001001".into());
        for form in [
            "27820001001",
            "+27820001001",
            "27820001001@c.us",
            "27820001001@s.whatsapp.net",
            "27820001001:7@s.whatsapp.net",
        ] {
            assert_eq!(Address::parse(form), Some(phone.clone()), "{form}");
        }
        assert_eq!(Address::parse("111222333444@lid"), Some(Address::Lid("111222333444@lid".into())));
        assert_eq!(Address::parse("111222333444:3@lid"), Some(Address::Lid("111222333444@lid".into())));
        assert_eq!(Address::parse("120363000000000001@g.us"), Some(Address::Group("120363000000000001@g.us".into())));
        assert_eq!(Address::parse("status@broadcast"), Some(Address::Jid("status@broadcast".into())));
        assert_eq!(Address::parse("US.13491208655302741918"), Some(Address::Bsuid("US.13491208655302741918".into())));
        assert_eq!(Address::parse("CC.ENT.abc"), Some(Address::Bsuid("CC.ENT.abc".into())));
        assert_eq!(Address::parse("0@c.us"), Some(Address::Jid("0@c.us".into())));
        for nothing in ["", " ", "@", "@c.us", "hello", "12", &"9".repeat(513), "us.1", "a\0@c.us"] {
            assert_eq!(Address::parse(nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn what_is_printed_is_read_back() {
        for text in ["+27820001001", "1@lid", "US.1", "1@g.us", "status@broadcast", "0@c.us"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
    }
}
