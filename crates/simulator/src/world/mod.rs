//! WhatsApp itself, as far as it is needed: people, the business's own numbers, their chats and messages.
//!
//! The world knows no gateway and no HTTP. Whatever happens in it is told as a [`Happening`]; each gateway turns
//! that into its own hooks. Everything is in memory and bounded: the oldest messages and files go first.

mod acks;
mod address;
mod deeds;
mod groups;
mod happening;
mod media;
mod message;
mod people;

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::Arc,
};

use rand::RngExt as _;

pub use acks::{AckPolicy, Step};
pub use address::{Address, digits};
pub use deeds::NewMessage;
pub use groups::{Group, GroupChange, Role};
pub use happening::Happening;
pub use media::{File, Shelf, extension};
pub use message::{Author, Choice, ChoiceKind, Content, Download, Form, Message, Via, Vote, ack};
pub use people::{Person, Shown};

/// Milliseconds since 1970, UTC. Handed in, so that a test can hold the time still.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How many messages one chat keeps.
const CHAT_KEEPS: usize = 2_000;
/// How many messages there are in all.
const WORLD_KEEPS: usize = 200_000;
/// How many numbers, people, or chats of one number there may be.
const MANY: usize = 50_000;

/// Why the world did not do something.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refused {
    /// The address is not one of WhatsApp's.
    #[error("'{0}' is not an address on WhatsApp")]
    NoAddress(String),
    /// There is no such message, number or group.
    #[error("there is no {0}")]
    Missing(&'static str),
    /// It exists, but this cannot be done with it.
    #[error("{0}")]
    Cannot(&'static str),
}

/// All that WhatsApp holds.
pub struct World {
    pub(crate) clock: Clock,
    pub(crate) people: BTreeMap<String, Person>,
    pub(crate) lines: BTreeMap<String, Line>,
    /// Photos, voice notes and documents.
    pub shelf: Shelf,
    /// What happens to a message that the business sends, unless its number or its reader has a policy of their own.
    pub acks: AckPolicy,
    messages: usize,
}

/// A WhatsApp account of the business: the phone that owns the chats, linked to a gateway or not.
pub struct Line {
    /// The number, digits only.
    pub phone: String,
    /// Its own policy for acks.
    pub acks: Option<AckPolicy>,
    pub(crate) chats: BTreeMap<Address, Chat>,
    pub(crate) groups: BTreeMap<String, Group>,
    /// Which chat a message id is in.
    index: HashMap<String, Address>,
}

/// One thread of a line.
#[derive(Default)]
pub struct Chat {
    pub(crate) messages: VecDeque<Message>,
    /// When something last happened in it.
    pub last_at_ms: i64,
}

impl World {
    /// An empty world.
    pub fn new(clock: Clock, acks: AckPolicy) -> World {
        World { clock, people: BTreeMap::new(), lines: BTreeMap::new(), shelf: Shelf::default(), acks, messages: 0 }
    }

    /// Now, by the clock that was handed in.
    pub fn now_ms(&self) -> i64 {
        (self.clock)()
    }

    /// Forgets everything but the policy.
    pub fn clear(&mut self) {
        *self = World::new(self.clock.clone(), self.acks);
    }

    /// The line of `phone`, made if it is new.
    pub fn line_mut(&mut self, phone: &str) -> Result<&mut Line, Refused> {
        if !self.lines.contains_key(phone) {
            if self.lines.len() >= MANY {
                return Err(Refused::Cannot("there are too many numbers"));
            }
            self.person_mut(phone)?;
            self.lines.insert(
                phone.to_owned(),
                Line {
                    phone: phone.to_owned(),
                    acks: None,
                    chats: BTreeMap::new(),
                    groups: BTreeMap::new(),
                    index: HashMap::new(),
                },
            );
        }
        Ok(self.lines.get_mut(phone).expect("it was there or has just been put there"))
    }

    /// All lines, by phone.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.lines.values()
    }

    /// The line of `phone`, if there is one.
    pub fn line(&self, phone: &str) -> Option<&Line> {
        self.lines.get(phone)
    }

    /// Forgets a chat and all that is in it.
    pub fn forget(&mut self, line: &str, chat: &Address) {
        let Some(owner) = self.lines.get_mut(line) else { return };
        let Some(gone) = owner.chats.remove(chat) else { return };
        self.messages -= gone.messages.len();
        gone.messages.iter().for_each(|message| drop(owner.index.remove(&message.id)));
    }

    /// Puts a message into its chat, and lets the oldest go when there are too many.
    fn store(&mut self, line: &str, message: Message) -> Result<(), Refused> {
        let crowded = self.messages >= WORLD_KEEPS;
        let owner = self.line_mut(line)?;
        if !owner.chats.contains_key(&message.chat) && owner.chats.len() >= MANY {
            return Err(Refused::Cannot("this number has too many chats"));
        }
        owner.index.insert(message.id.clone(), message.chat.clone());
        let chat = owner.chats.entry(message.chat.clone()).or_default();
        chat.last_at_ms = chat.last_at_ms.max(message.at_ms);
        // A message may be written into the past (sample data): the chat stays in the order of its times.
        let place = chat.messages.iter().rposition(|other| other.at_ms <= message.at_ms).map_or(0, |at| at + 1);
        chat.messages.insert(place, message);
        match (crowded || chat.messages.len() > CHAT_KEEPS).then(|| chat.messages.pop_front()).flatten() {
            Some(gone) => drop(owner.index.remove(&gone.id)),
            None => self.messages += 1,
        }
        Ok(())
    }
}

impl Line {
    /// A message by its raw id.
    pub fn message(&self, id: &str) -> Option<&Message> {
        self.chats.get(self.index.get(id)?)?.messages.iter().rev().find(|message| message.id == id)
    }

    /// The same, to be changed.
    pub(crate) fn message_mut(&mut self, id: &str) -> Option<&mut Message> {
        self.chats.get_mut(self.index.get(id)?)?.messages.iter_mut().rev().find(|message| message.id == id)
    }

    /// Chats with what they are, the latest first.
    pub fn chats(&self) -> Vec<(&Address, &Chat)> {
        let mut chats: Vec<_> = self.chats.iter().collect();
        chats.sort_by_key(|(_, chat)| std::cmp::Reverse(chat.last_at_ms));
        chats
    }

    /// One chat.
    pub fn chat(&self, address: &Address) -> Option<&Chat> {
        self.chats.get(address)
    }
}

impl Chat {
    /// Messages, the oldest first.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter()
    }

    /// How many inbound messages the business has not read.
    pub fn unread(&self) -> usize {
        self.messages.iter().filter(|message| !message.author.is_me() && !message.seen).count()
    }
}

/// A message id as WhatsApp's clients make them.
pub fn message_id() -> String {
    let bytes: [u8; 9] = rand::rng().random();
    format!("3EB0{}", hex::encode_upper(bytes))
}
