//! One message, in no vendor's shape.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Address;

/// The five states of a message on the wire, and the error.
pub mod ack {
    /// It will never arrive.
    pub const ERROR: i8 = -1;
    /// On its way to WhatsApp.
    pub const PENDING: i8 = 0;
    /// One tick.
    pub const SERVER: i8 = 1;
    /// Two ticks.
    pub const DEVICE: i8 = 2;
    /// Two blue ticks.
    pub const READ: i8 = 3;
    /// Heard.
    pub const PLAYED: i8 = 4;

    /// The name on the wire.
    pub fn name(ack: i8) -> &'static str {
        match ack {
            ERROR => "ERROR",
            PENDING => "PENDING",
            SERVER => "SERVER",
            DEVICE => "DEVICE",
            READ => "READ",
            PLAYED => "PLAYED",
            _ => "UNKNOWN",
        }
    }

    /// The number of a name.
    pub fn number(name: &str) -> Option<i8> {
        (ERROR..=PLAYED).find(|n| self::name(*n).eq_ignore_ascii_case(name))
    }
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Author {
    /// The business.
    Me(Via),
    /// A person, by phone digits.
    Person(String),
}

impl Author {
    /// Whether the business wrote it.
    pub fn is_me(&self) -> bool {
        matches!(self, Author::Me(_))
    }

    /// How reactions and votes are kept apart: the phone, or `me`.
    pub fn key(&self) -> &str {
        match self {
            Author::Me(_) => "me",
            Author::Person(phone) => phone,
        }
    }
}

/// Where the business wrote from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// A gateway's API.
    Api,
    /// The owner's own phone.
    Phone,
}

/// The kind of a file that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Form {
    /// A photo.
    Image,
    /// A film.
    Video,
    /// A voice note.
    Voice,
    /// A sound file.
    Audio,
    /// Any file.
    Document,
    /// A sticker.
    Sticker,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// Words.
    Text(String),
    /// A file and its caption.
    Media {
        /// What it is shown as.
        form: Form,
        /// Its id on the shelf.
        file: String,
        /// Words below it.
        caption: Option<String>,
    },
    /// A place.
    Location {
        /// Degrees.
        latitude: f64,
        /// Degrees.
        longitude: f64,
        /// Its name.
        name: Option<String>,
    },
    /// Contact cards, as vCards.
    Contacts(Vec<String>),
    /// A question with options.
    Poll {
        /// The question.
        name: String,
        /// The answers.
        options: Vec<String>,
        /// Whether more than one may be chosen.
        multiple: bool,
    },
}

impl Content {
    /// The words of it, if it has any.
    pub fn body(&self) -> Option<&str> {
        match self {
            Content::Text(text) => Some(text),
            Content::Media { caption, .. } => caption.as_deref(),
            _ => None,
        }
    }

    /// A short name of the kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Content::Text(_) => "text",
            Content::Media { form, .. } => match form {
                Form::Image => "image",
                Form::Video => "video",
                Form::Voice => "voice",
                Form::Audio => "audio",
                Form::Document => "document",
                Form::Sticker => "sticker",
            },
            Content::Location { .. } => "location",
            Content::Contacts(_) => "contacts",
            Content::Poll { .. } => "poll",
        }
    }

    /// Its file on the shelf.
    pub fn file(&self) -> Option<&str> {
        match self {
            Content::Media { file, .. } => Some(file),
            _ => None,
        }
    }
}

/// What a gateway makes of the file of an inbound message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Download {
    /// It is fetched and can be had.
    #[default]
    Ok,
    /// It could not be fetched.
    Failed,
    /// The gateway is set not to fetch such files.
    Filtered,
}

/// A choice in a poll.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// The id of the act itself.
    pub id: String,
    /// All that is chosen.
    pub options: Vec<String>,
    /// When, in ms.
    pub at_ms: i64,
}

/// Something below a message that its reader can tap. Only gateways that have such messages offer it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Choice {
    /// What it is part of.
    pub kind: ChoiceKind,
    /// What the sender calls it.
    pub id: String,
    /// What stands on it.
    pub title: String,
    /// What stands below that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// What a [`Choice`] is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChoiceKind {
    /// A button.
    Button,
    /// A row of a list.
    Row,
    /// A button of a template.
    Template,
}

/// One message of a chat.
#[derive(Debug, Clone)]
pub struct Message {
    /// The raw id, `3EB0…`.
    pub id: String,
    /// Its chat.
    pub chat: Address,
    /// Who wrote it.
    pub author: Author,
    /// When, in ms.
    pub at_ms: i64,
    /// What it says.
    pub content: Content,
    /// See [`ack`]. Meaningful for the business's own messages.
    pub ack: i8,
    /// The raw id of the message it answers.
    pub quoted: Option<String>,
    /// What can be tapped below it.
    pub choices: Vec<Choice>,
    /// What was tapped, when the message is a tap.
    pub chosen: Option<Choice>,
    /// Emoji by who reacted ([`Author::key`]).
    pub reactions: BTreeMap<String, String>,
    /// Choices by who voted.
    pub votes: BTreeMap<String, Vote>,
    /// It was changed after it was sent.
    pub edited: bool,
    /// It was deleted for everyone.
    pub revoked: bool,
    /// The business marked it.
    pub starred: bool,
    /// The business has read it (inbound only).
    pub seen: bool,
    /// What becomes of its file on the way (inbound only).
    pub download: Download,
    /// 32 bytes in base64 that clients add to a message.
    pub secret: String,
}
