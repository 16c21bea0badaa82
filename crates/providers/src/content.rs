//! What a message says, in words that belong to no wire. The JSON of [`Content`] is what `messages.content` holds.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Address;

/// The longest text that WhatsApp sends, in characters: Cloud API v23.0, `text.body`. Linked devices take more, their gateways do not all.
pub const LONGEST_TEXT: usize = 4_096;
/// The longest text below a file, in characters: Cloud API v23.0, `caption`.
pub const LONGEST_CAPTION: usize = 1_024;

/// The content of one message. As JSON: `{"kind":"image","caption":"kitchen","media":{…}}`; what is missing is left out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Content {
    /// Text with WhatsApp's own formatting (`*bold*`).
    Text {
        /// The text.
        text: String,
    },
    /// A picture.
    Image {
        /// What was written below it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
        /// The file.
        media: MediaRef,
    },
    /// A film, also the round ones and those that play as GIF.
    Video {
        /// What was written below it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
        /// The file.
        media: MediaRef,
    },
    /// A sound file.
    Audio {
        /// The file.
        media: MediaRef,
    },
    /// A voice note, recorded on the spot.
    Voice {
        /// The file.
        media: MediaRef,
    },
    /// Any other file.
    Document {
        /// What was written below it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caption: Option<String>,
        /// The file.
        media: MediaRef,
    },
    /// A sticker.
    Sticker {
        /// The file.
        media: MediaRef,
    },
    /// A place.
    Location {
        /// Degrees north.
        latitude: f64,
        /// Degrees east.
        longitude: f64,
        /// The name of the place.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// Its address.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        address: Option<String>,
        /// Its page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        url: Option<String>,
        /// A position that went on moving.
        #[serde(default, skip_serializing_if = "is_false")]
        live: bool,
    },
    /// Contact cards.
    Contacts {
        /// At least one.
        contacts: Vec<Card>,
    },
    /// A poll. Its votes are kept by the room: the last one of each voter counts.
    Poll {
        /// The question.
        question: String,
        /// The answers offered.
        options: Vec<String>,
        /// More than one may be chosen.
        #[serde(default, skip_serializing_if = "is_false")]
        multiple: bool,
    },
    /// A vote that came as a message of its own.
    PollVote {
        /// Provider id of the poll.
        poll: String,
        /// The whole present choice; empty when it was withdrawn.
        options: Vec<String>,
    },
    /// Text with buttons or a list to choose from.
    Buttons {
        /// The text.
        text: String,
        /// Above it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        header: Option<String>,
        /// Below it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        footer: Option<String>,
        /// The button that opens the list; without it the buttons are shown themselves.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        list: Option<String>,
        /// What can be chosen.
        buttons: Vec<Button>,
    },
    /// A button that was pressed.
    ButtonReply {
        /// Our id of it, when one came along.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// What it said.
        title: String,
    },
    /// A row of a list that was chosen.
    ListReply {
        /// Our id of it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        /// What it said.
        title: String,
        /// The line below.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        description: Option<String>,
    },
    /// A form (WhatsApp Flow, address) that was filled in.
    FormReply {
        /// Which.
        name: String,
        /// What is shown for it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The answers, as they came.
        answers: Value,
    },
    /// A template that was sent.
    Template {
        /// Its name.
        name: String,
        /// Its language, `en_US`.
        language: String,
        /// The text with its variables filled in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// The file of its header.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        media: Option<MediaRef>,
        /// Its buttons.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        buttons: Vec<Button>,
    },
    /// A shopping basket.
    Order {
        /// What was written with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Which catalogue.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        catalog: Option<String>,
        /// What is in it.
        items: Vec<OrderItem>,
    },
    /// A call.
    Call {
        /// With picture.
        #[serde(default, skip_serializing_if = "is_false")]
        video: bool,
        /// How it ended.
        state: crate::CallState,
    },
    /// Something WhatsApp says itself: a changed number, a changed security code.
    System {
        /// What happened, `number-changed`.
        event: String,
        /// WhatsApp's own sentence.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<String>,
    },
    /// A kind that this build does not show.
    Unsupported {
        /// The wire's own name of it.
        name: String,
        /// The wire's own reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detail: Option<String>,
    },
}

impl Content {
    /// The kind, as in `messages.kind` and the JSON.
    pub fn kind(&self) -> &'static str {
        match self {
            Content::Text { .. } => "text",
            Content::Image { .. } => "image",
            Content::Video { .. } => "video",
            Content::Audio { .. } => "audio",
            Content::Voice { .. } => "voice",
            Content::Document { .. } => "document",
            Content::Sticker { .. } => "sticker",
            Content::Location { .. } => "location",
            Content::Contacts { .. } => "contacts",
            Content::Poll { .. } => "poll",
            Content::PollVote { .. } => "pollVote",
            Content::Buttons { .. } => "buttons",
            Content::ButtonReply { .. } => "buttonReply",
            Content::ListReply { .. } => "listReply",
            Content::FormReply { .. } => "formReply",
            Content::Template { .. } => "template",
            Content::Order { .. } => "order",
            Content::Call { .. } => "call",
            Content::System { .. } => "system",
            Content::Unsupported { .. } => "unsupported",
        }
    }

    /// The words in it: what `messages.body` holds, what is searched and previewed.
    pub fn text(&self) -> Option<&str> {
        match self {
            Content::Text { text } | Content::Buttons { text, .. } => Some(text),
            Content::Image { caption, .. } | Content::Video { caption, .. } | Content::Document { caption, .. } => {
                caption.as_deref()
            }
            Content::Location { name, address, .. } => name.as_deref().or(address.as_deref()),
            Content::Contacts { contacts } => contacts.first().map(|card| card.name.as_str()),
            Content::Poll { question, .. } => Some(question),
            Content::ButtonReply { title, .. } | Content::ListReply { title, .. } => Some(title),
            Content::FormReply { text, .. }
            | Content::Template { text, .. }
            | Content::Order { text, .. }
            | Content::System { text, .. } => text.as_deref(),
            Content::Audio { .. }
            | Content::Voice { .. }
            | Content::Sticker { .. }
            | Content::PollVote { .. }
            | Content::Call { .. }
            | Content::Unsupported { .. } => None,
        }
    }

    /// The file in it.
    pub fn media(&self) -> Option<&MediaRef> {
        match self {
            Content::Image { media, .. }
            | Content::Video { media, .. }
            | Content::Audio { media }
            | Content::Voice { media }
            | Content::Document { media, .. }
            | Content::Sticker { media } => Some(media),
            Content::Template { media, .. } => media.as_ref(),
            _ => None,
        }
    }
}

/// A file at the provider, as the message names it; [`crate::Provider::download`] fetches it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MediaRef {
    /// Where the gateway keeps it, for minutes. Not to be fetched by anything but the provider, nor shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The provider's id of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// As the sender declared it, with its parameters: `audio/ogg; codecs=opus`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    /// The file's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its length.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Its hash, hex or base64 as the wire has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// Pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// How long it plays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// It moves (a sticker), or plays as a GIF (a film).
    #[serde(skip_serializing_if = "is_false")]
    pub animated: bool,
    /// Why the gateway could not fetch it. It may still be had by asking again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// One contact card.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Card {
    /// The full name.
    pub name: String,
    /// The organisation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// Numbers as they were written.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub phones: Vec<CardLine>,
    /// E-mail addresses.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub emails: Vec<CardLine>,
}

/// A line of a contact card.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct CardLine {
    /// The number or address.
    pub value: String,
    /// `home`, `work`, `cell`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The E.164 phone number WhatsApp knows for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub whatsapp: Option<String>,
}

/// Something that can be pressed or chosen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Button {
    /// Our id, which comes back with the reply.
    pub id: String,
    /// What it says.
    pub title: String,
    /// The line below (lists).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// It opens a page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// It calls a number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

/// One line of an order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OrderItem {
    /// The shop's id of it.
    pub id: String,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// How many.
    pub quantity: f64,
    /// Each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub price: Option<f64>,
    /// ISO 4217.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub currency: Option<String>,
}

/// The message that is answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Quoted {
    /// Its provider id.
    pub provider_id: String,
    /// Who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<Address>,
    /// What it said, in case we never had it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// What is true of a message besides its content.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Context {
    /// It was passed on.
    #[serde(skip_serializing_if = "is_false")]
    pub forwarded: bool,
    /// It was passed on more than five times.
    #[serde(skip_serializing_if = "is_false")]
    pub often_forwarded: bool,
    /// It was meant to be seen once.
    #[serde(skip_serializing_if = "is_false")]
    pub view_once: bool,
    /// Who is named in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Address>,
    /// The advertisement or product it came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
}

impl Context {
    /// Nothing is said.
    pub fn is_empty(&self) -> bool {
        *self == Context::default()
    }
}

/// The advertisement or product that led to a message.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Referral {
    /// Its page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Meta's id of the advertisement or post, or the shop's of the product.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `ad`, `post`, `product`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub headline: Option<String>,
    /// What it said below.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Meta's click id: starts the 72 h in which messages are free.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub click_id: Option<String>,
}

pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}
