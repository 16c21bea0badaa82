//! What happened, for gateways to tell.

use super::{Address, Author, Group, GroupChange, Message};

/// Something that happened on a line. Messages are as they were at that moment.
#[derive(Debug, Clone)]
pub enum Happening {
    /// A message appeared in a chat.
    Message(Message),
    /// A tick moved. In a group, `reader` is whose phone told it.
    Ack {
        /// The message, with its new ack.
        message: Message,
        /// Digits of the reader.
        reader: Option<String>,
    },
    /// Somebody reacted; an empty emoji takes the reaction back.
    Reaction {
        /// The id of the act itself.
        id: String,
        /// Who.
        by: Author,
        /// To what.
        to: Message,
        /// With what.
        emoji: String,
        /// When.
        at_ms: i64,
    },
    /// A message has new words.
    Edited {
        /// The id of the act itself.
        id: String,
        /// The message as it is now.
        message: Message,
        /// When.
        at_ms: i64,
    },
    /// A message was deleted for everyone.
    Revoked {
        /// The id of the act itself.
        id: String,
        /// What is left of it.
        message: Message,
        /// When.
        at_ms: i64,
    },
    /// Somebody chose in a poll; the options are the whole choice.
    Vote {
        /// The id of the act itself.
        id: String,
        /// Who.
        by: Author,
        /// The poll.
        poll: Message,
        /// All that is chosen now.
        options: Vec<String>,
        /// When.
        at_ms: i64,
        /// The vote could not be read by the gateway.
        unreadable: bool,
    },
    /// Somebody is typing, recording, or stopped.
    Presence {
        /// In which chat.
        chat: Address,
        /// Digits.
        who: String,
        /// `online`, `offline`, `typing`, `recording` or `paused`.
        state: String,
        /// When.
        at_ms: i64,
    },
    /// A call.
    Call {
        /// Its id.
        id: String,
        /// Digits of the caller.
        from: String,
        /// With picture.
        video: bool,
        /// `received`, `accepted` or `rejected`.
        state: String,
        /// When.
        at_ms: i64,
    },
    /// Something about a group.
    Group {
        /// The group as it is now.
        group: Group,
        /// What changed.
        change: GroupChange,
        /// When.
        at_ms: i64,
    },
}

impl Happening {
    /// In which chat it happened; a call and what becomes of a group are in none.
    pub fn chat(&self) -> Option<&Address> {
        match self {
            Happening::Message(message)
            | Happening::Ack { message, .. }
            | Happening::Reaction { to: message, .. }
            | Happening::Edited { message, .. }
            | Happening::Revoked { message, .. }
            | Happening::Vote { poll: message, .. } => Some(&message.chat),
            Happening::Presence { chat, .. } => Some(chat),
            Happening::Call { .. } | Happening::Group { .. } => None,
        }
    }
}
