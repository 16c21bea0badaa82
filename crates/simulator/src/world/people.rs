//! People on WhatsApp: customers, and the business itself.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{AckPolicy, Address, MANY, Refused, World, address::digits};

/// What a business sees of a person's number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Shown {
    /// The phone.
    #[default]
    Phone,
    /// A hidden id (LID), with the phone beside it where the wire allows.
    Lid,
    /// A hidden id, and nobody knows the phone.
    LidOnly,
}

/// Somebody with WhatsApp.
#[derive(Debug, Clone)]
pub struct Person {
    /// Digits only.
    pub phone: String,
    /// The hidden id, without `@lid`.
    pub lid: String,
    /// How the business has saved them; nothing when it has not.
    pub name: Option<String>,
    /// What they call themselves.
    pub push_name: String,
    /// The name they chose instead of a number, without `@`.
    pub username: Option<String>,
    /// Their business-scoped id at Meta, when a test wants a certain one.
    pub bsuid: Option<String>,
    /// What the business sees of their number.
    pub shown: Shown,
    /// False: the number is not on WhatsApp.
    pub exists: bool,
    /// Their own policy for acks (a phone that is off: everything held).
    pub acks: Option<AckPolicy>,
    /// Profile picture: a file on the shelf.
    pub picture: Option<String>,
}

impl Person {
    fn new(phone: &str) -> Person {
        // A stable 15 digit id that nothing can be read from.
        let hash = Sha256::digest(phone.as_bytes());
        let number = u64::from_be_bytes(hash[..8].try_into().expect("a SHA-256 has 32 bytes"));
        Person {
            phone: phone.to_owned(),
            lid: (100_000_000_000_000 + number % 900_000_000_000_000).to_string(),
            name: None,
            push_name: phone.to_owned(),
            username: None,
            bsuid: None,
            shown: Shown::Phone,
            // Numbers that end in seven zeros are nobody's, so that a test need not prepare one.
            exists: !phone.ends_with("0000000"),
            acks: None,
            picture: None,
        }
    }

    /// How gateways name them: `…@c.us`, or `…@lid` for who hides the number.
    pub fn jid(&self) -> String {
        match self.shown {
            Shown::Phone => format!("{}@c.us", self.phone),
            Shown::Lid | Shown::LidOnly => format!("{}@lid", self.lid),
        }
    }

    /// The name to show: as saved, else their own.
    pub fn label(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.push_name)
    }
}

impl World {
    /// A person by phone digits, made if unknown.
    pub fn person_mut(&mut self, phone: &str) -> Result<&mut Person, Refused> {
        let phone = digits(phone).ok_or_else(|| Refused::NoAddress(phone.to_owned()))?;
        if !self.people.contains_key(&phone) {
            if self.people.len() >= MANY {
                return Err(Refused::Cannot("there are too many people"));
            }
            self.people.insert(phone.clone(), Person::new(&phone));
        }
        Ok(self.people.get_mut(&phone).expect("it was there or has just been put there"))
    }

    /// A person by phone digits, as they are or would be.
    pub fn person(&self, phone: &str) -> Person {
        self.people.get(phone).cloned().unwrap_or_else(|| Person::new(phone))
    }

    /// Who has this hidden id (with or without `@lid`).
    pub fn by_lid(&self, lid: &str) -> Option<&Person> {
        let lid = lid.strip_suffix("@lid").unwrap_or(lid);
        self.people.values().find(|person| person.lid == lid)
    }

    /// Everybody, by phone.
    pub fn people(&self) -> impl Iterator<Item = &Person> {
        self.people.values()
    }

    /// Reads an address in any form, hidden ids too.
    pub fn resolve(&self, text: &str) -> Option<Address> {
        match text.strip_suffix("@lid") {
            Some(lid) => self.by_lid(lid).map(|person| Address::Person(person.phone.clone())),
            None => Address::parse(text),
        }
    }

    /// How gateways name a chat.
    pub fn jid(&self, address: &Address) -> String {
        match address {
            Address::Person(phone) => self.person(phone).jid(),
            other => other.to_string(),
        }
    }
}
