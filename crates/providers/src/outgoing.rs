//! What we send, in words that belong to no wire.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::{Address, Button, Card};

/// One message to send.
#[derive(Debug, Clone, PartialEq)]
pub struct Outgoing {
    /// The conversation: the address the contact last wrote from.
    pub to: Address,
    /// Our own id of the message (`msg_…`). It travels along where the wire can carry it, and the id of the message is made from it where we
    /// may choose that ([`crate::Provider::own_id`]).
    pub correlation: String,
    /// What to send.
    pub body: Body,
    /// The message it answers.
    pub reply_to: Option<MessageRef>,
    /// Nothing was ever exchanged with this address: ask first whether it is on WhatsApp.
    pub first: bool,
    /// Let WhatsApp show a preview of a link in the text.
    pub link_preview: bool,
}

impl Outgoing {
    /// A plain text.
    pub fn text(to: Address, correlation: impl Into<String>, text: impl Into<String>) -> Outgoing {
        Outgoing {
            to,
            correlation: correlation.into(),
            body: Body::Text { text: text.into() },
            reply_to: None,
            first: false,
            link_preview: true,
        }
    }
}

/// A message that exists, as calls about it need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRef {
    /// Its provider id.
    pub provider_id: String,
    /// Its full reference, as [`crate::Message::reference`] or [`Sent::reference`] gave it.
    pub reference: String,
    /// Its conversation.
    pub chat: Address,
    /// Our own number wrote it.
    pub from_me: bool,
}

/// What to send.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    /// Text.
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image {
        /// The file.
        file: File,
        /// Below it.
        caption: Option<String>,
    },
    /// A film.
    Video {
        /// The file.
        file: File,
        /// Below it.
        caption: Option<String>,
    },
    /// A sound file.
    Audio {
        /// The file.
        file: File,
    },
    /// A voice note: `audio/ogg; codecs=opus`, mono.
    Voice {
        /// The file.
        file: File,
    },
    /// Any other file.
    Document {
        /// The file.
        file: File,
        /// Below it.
        caption: Option<String>,
    },
    /// A sticker: `image/webp`, 512 pixels square.
    Sticker {
        /// The file.
        file: File,
    },
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// The name of the place.
        name: Option<String>,
        /// Its address.
        address: Option<String>,
    },
    /// Contact cards.
    Contacts {
        /// At least one.
        contacts: Vec<Card>,
    },
    /// A poll. Where there are none, buttons or a list stand in for it.
    Poll {
        /// The question.
        question: String,
        /// 2 to 12 answers.
        options: Vec<String>,
        /// More than one may be chosen.
        multiple: bool,
    },
    /// Text with reply buttons, or with a list when `list` names its button.
    Buttons {
        /// The text.
        text: String,
        /// Above it.
        header: Option<String>,
        /// Below it.
        footer: Option<String>,
        /// The button that opens the list.
        list: Option<String>,
        /// What can be chosen.
        buttons: Vec<Button>,
    },
    /// A template that Meta approved.
    Template(TemplateCall),
}

/// A file to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its type, with parameters.
    pub mime: String,
    /// Its name, with the extension that goes with the type.
    pub name: String,
    /// All of it.
    pub bytes: Bytes,
}

/// A template with its variables.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateCall {
    /// Its name.
    pub name: String,
    /// Its language, exactly as approved.
    pub language: String,
    /// Variables of a text header.
    pub header: Vec<Parameter>,
    /// The file of a media header.
    pub media: Option<File>,
    /// Variables of the body, in order.
    pub body: Vec<Parameter>,
    /// Variables of buttons.
    pub buttons: Vec<ButtonParameter>,
}

/// One variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Parameter {
    /// Its name in a template with named variables; `None` in one with numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its value.
    pub text: String,
}

/// A variable of a button.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ButtonParameter {
    /// Which button, from 0.
    pub index: u8,
    /// `url`, `quick_reply`, `copy_code`.
    pub kind: String,
    /// Its value.
    pub text: String,
}

/// The gateway took the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Sent {
    /// The key of the message at WhatsApp.
    pub provider_id: String,
    /// What the gateway's own calls need to name it.
    pub reference: String,
    /// The address as WhatsApp has it, when it differs from ours (a ninth digit in Brazil): the same person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Address>,
    /// The gateway's own time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// Meta holds it back for now (template pacing).
    #[serde(default, skip_serializing_if = "crate::content::is_false")]
    pub held: bool,
}
