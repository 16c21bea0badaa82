//! What a number can do, by provider and gateway version. A hole found at run time switches its flag off.

use serde::{Deserialize, Serialize};

macro_rules! capabilities {
    ($($(#[$doc:meta])* $field:ident $variant:ident)*) => {
        /// One thing a number may be able to do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase")]
        pub enum Capability { $($(#[$doc])* $variant,)* }

        /// What a number can do. As JSON: `{"pairingCode":true,"poll":false,…}`, every flag present.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "camelCase", default)]
        pub struct Capabilities { $($(#[$doc])* pub $field: bool,)* }

        impl Capabilities {
            /// Whether it is there.
            pub fn has(&self, what: Capability) -> bool {
                match what { $(Capability::$variant => self.$field,)* }
            }

            /// The same, with one switched off (or on).
            pub fn with(mut self, what: Capability, on: bool) -> Self {
                match what { $(Capability::$variant => self.$field = on,)* }
                self
            }
        }

        impl Capability {
            /// Every one of them.
            pub const ALL: &'static [Capability] = &[$(Capability::$variant,)*];
        }
    };
}

capabilities! {
    /// Linked by scanning a QR code.
    qr Qr
    /// Linked by typing a code on the phone.
    pairing_code PairingCode
    /// We choose the id of a message, so that one whose answer was lost can be looked up.
    own_message_id OwnMessageId
    /// The gateway carries our own id along and gives it back with each status.
    correlation Correlation
    /// Hooks carry a signature over the body.
    signed_hooks SignedHooks
    /// Chats and earlier messages can be read.
    history History
    /// Sends pictures.
    image Image
    /// Sends films.
    video Video
    /// Sends sound files.
    audio Audio
    /// Sends voice notes.
    voice Voice
    /// Sends files.
    document Document
    /// Sends stickers.
    sticker Sticker
    /// Sends places.
    location Location
    /// Sends contact cards.
    contacts Contacts
    /// Sends polls.
    poll Poll
    /// Its polls have up to twelve answers, not ten.
    long_polls LongPolls
    /// Tells who voted for what.
    poll_votes PollVotes
    /// Sends reply buttons and lists.
    buttons Buttons
    /// Sends templates that Meta approved.
    templates Templates
    /// Quotes the message that is answered.
    reply Reply
    /// Sends reactions.
    reactions Reactions
    /// Marks what was received as read.
    mark_read MarkRead
    /// Shows the contact that we are typing.
    typing Typing
    /// Tells us that the contact is typing or online.
    presence Presence
    /// Changes the text of what was sent.
    edit Edit
    /// Deletes what was sent, for everyone.
    delete Delete
    /// Tells whether a number is on WhatsApp.
    on_whatsapp OnWhatsapp
    /// Tells of calls.
    calls Calls
    /// Free text only within 24 h of the contact's last message; outside it a template.
    window_24h Window24h
}

impl Capabilities {
    /// How many answers a poll may have, also where buttons or a list stand in for it.
    pub fn most_answers(&self) -> usize {
        if self.long_polls { 12 } else { 10 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_have_camel_case_names_and_can_be_switched() {
        let some = Capabilities::default().with(Capability::PairingCode, true).with(Capability::Window24h, true);
        assert!(some.has(Capability::PairingCode) && !some.has(Capability::Poll));
        let json = serde_json::to_value(some).unwrap();
        assert_eq!(json["pairingCode"], true);
        assert_eq!(json["window24h"], true);
        assert_eq!(json["poll"], false);
        assert_eq!(json.as_object().unwrap().len(), Capability::ALL.len());
    }
}
