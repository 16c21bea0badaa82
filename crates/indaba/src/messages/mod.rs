//! Messages: how they come in (`hooks.rs` keeps, `understand.rs` reads, `inbound.rs` stores, `updates.rs` changes), how they go out
//! (`compose.rs` queues, `outbound.rs` hands over, `settle.rs` concludes), how they are shown (`view.rs`) and found (`search.rs`).
mod compose;
mod echo;
pub mod history;
pub mod hooks;
pub mod http;
pub mod inbound;
pub mod jobs;
pub mod outbound;
mod parts;
mod people;
mod polls;
mod preview;
mod row;
mod search;
mod settle;
mod store;
mod stretch;
mod understand;
mod updates;
mod view;
mod watch;
mod whose;

pub use crate::conversations::MessageId;
pub use echo::ReleaseEcho;
pub use hooks::Intake;
pub use people::FoldConversation;
pub use preview::{PreviewLink, follow as preview_link};
pub use stretch::Stretch;
pub use understand::{ForgetHooks, ProcessHook};
pub use view::{Problem, Quoted, ReactionView, View, view, views};
pub use watch::{Watch, WatchAll};

use crate::{
    Result,
    clock::Time,
    conversations::{AuthorKind, ConversationId, Direction},
    db::TenantRead,
    instances::InstanceId,
    media::MediaId,
};

id! {
    /// A call that a gateway made to us.
    HookId, "hok"
}

words! {
    /// How far a message has come.
    pub enum State as MessageState {
        /// It came in.
        Received = "received",
        /// It waits to be sent.
        Queued = "queued",
        /// It is being handed to the gateway.
        Sending = "sending",
        /// WhatsApp has it.
        Sent = "sent",
        /// A device of the contact has it.
        Delivered = "delivered",
        /// It was seen.
        Read = "read",
        /// It was refused; the error says why.
        Failed = "failed",
        /// Nobody knows whether it was sent: a person decides.
        Unknown = "unknown",
        /// A person took it back before it was sent.
        Cancelled = "cancelled",
    }
}

impl State {
    /// It did not get there, and will not by itself.
    pub fn is_lost(self) -> bool {
        matches!(self, State::Failed | State::Cancelled)
    }

    /// Whether a status that says `next` moves a message on from here. Forward only; a failure counts only before delivery, and what
    /// was delivered after all has not failed.
    pub fn may_become(self, next: State) -> bool {
        use State::{Cancelled, Delivered, Failed, Queued, Read, Sending, Sent, Unknown};
        match next {
            // also of one that was given up: the gateway, or its phone, knows better
            Sent => matches!(self, Queued | Sending | Unknown | Cancelled),
            Failed => matches!(self, Queued | Sending | Unknown | Sent),
            Delivered => matches!(self, Queued | Sending | Unknown | Sent | Failed | Cancelled),
            Read => matches!(self, Queued | Sending | Unknown | Sent | Failed | Cancelled | Delivered),
            _ => false,
        }
    }
}

row! {
    /// A message as its row says, with its author's name.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Message {
        pub id: MessageId,
        pub conversation_id: ConversationId,
        pub instance_id: InstanceId,
        pub direction: Direction,
        pub author: AuthorKind,
        pub author_id: Option<Vec<u8>>,
        pub kind: String,
        pub body: Option<String>,
        pub content: Option<String>,
        pub state: State,
        pub provider_id: Option<String>,
        pub provider_ref: Option<String>,
        pub error_code: Option<String>,
        pub error_detail: Option<String>,
        pub reply_to: Option<MessageId>,
        pub quoted_id: Option<String>,
        pub media_id: Option<MediaId>,
        pub attempt: i64,
        pub asked_at: Option<Time>,
        pub created_at: Time,
        pub sent_at: Option<Time>,
        pub delivered_at: Option<Time>,
        pub read_at: Option<Time>,
        pub edited_at: Option<Time>,
        pub deleted_at: Option<Time>,
        pub author_name: Option<String>,
    }
}

impl Message {
    /// What an event about it names.
    fn ids(&self) -> [(&'static str, &dyn std::fmt::Display); 3] {
        [("message", &self.id), ("conversation", &self.conversation_id), ("instance", &self.instance_id)]
    }

    /// What a list shows of it: its text, else what it is.
    pub fn preview(&self) -> String {
        if self.deleted_at.is_some() {
            return "Deleted".into();
        }
        let text = crate::conversations::preview(self.body.as_deref().unwrap_or_default());
        if text.is_empty() { named(&self.kind).into() } else { text }
    }

    /// Moves the state on; false when it does not.
    fn advance(&mut self, next: State, at: Time) -> bool {
        if !self.state.may_become(next) {
            return false;
        }
        self.state = next;
        // what is delivered was sent: a status that never came leaves no hole
        if matches!(next, State::Sent | State::Delivered | State::Read) {
            self.sent_at.get_or_insert(at);
            (self.error_code, self.error_detail) = (None, None);
        }
        if matches!(next, State::Delivered | State::Read) {
            self.delivered_at.get_or_insert(at);
        }
        if next == State::Read {
            self.read_at.get_or_insert(at);
        }
        true
    }
}

/// A kind in words, for a preview without text.
fn named(kind: &str) -> &'static str {
    match kind {
        "image" => "Photo",
        "video" => "Video",
        "audio" => "Audio",
        "voice" => "Voice message",
        "document" => "Document",
        "sticker" => "Sticker",
        "location" => "Location",
        "contacts" => "Contact card",
        "poll" => "Poll",
        "call" => "Call",
        "order" => "Order",
        "template" => "Template",
        "text" => "",
        _ => "Message",
    }
}

/// The message. Errors: `Missing`.
pub fn get(tx: &mut TenantRead, id: MessageId) -> Result<Message> {
    store::get(tx, id)
}

/// The moment of a message: the provider's word as far as it can be true. WhatsApp began in 2009, and nothing comes from the future.
fn moment(told: Option<i64>, now: Time) -> Time {
    const FIRST: i64 = 1_230_768_000_000; // 2009-01-01
    told.filter(|at| (FIRST..=now.0).contains(at)).map_or(now, Time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_only_goes_forward() {
        use State::*;
        for (from, to, may) in [
            (Sending, Sent, true),
            (Unknown, Sent, true),
            (Delivered, Sent, false),
            (Read, Delivered, false),
            (Sent, Failed, true),
            (Delivered, Failed, false),
            (Failed, Delivered, true),
            (Failed, Sent, false),
            (Received, Read, false),
            (Cancelled, Sent, true),
            (Cancelled, Delivered, true),
            (Read, Read, false),
        ] {
            assert_eq!(from.may_become(to), may, "{from} to {to}");
        }
    }

    #[test]
    fn a_time_is_believed_only_if_it_can_be_true() {
        let now = Time(1_795_150_000_000);
        for (told, then) in [
            (None, now),
            (Some(0), now),
            (Some(-5), now),
            (Some(i64::MAX), now),
            (Some(now.0 + 1), now),
            (Some(1_400_000_000_000), Time(1_400_000_000_000)),
        ] {
            assert_eq!(moment(told, now), then);
        }
    }
}
