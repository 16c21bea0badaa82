//! What is wrong with a number, in a word, and in a sentence with what to do about it (UX-C4).
use indaba_providers::Reason;

words! {
    /// Why a number does not work as it should.
    pub enum Trouble {
        /// The last code ran out.
        CodeExpired = "codeExpired",
        /// The link broke.
        Failed = "failed",
        /// The phone ended it.
        LoggedOut = "loggedOut",
        /// Another program has it.
        Replaced = "replaced",
        /// The account wants its passkey.
        Passkey = "passkey",
        /// The account wants its passkey confirmed.
        PasskeyConfirmation = "passkeyConfirmation",
        /// WhatsApp lets it do less.
        Restricted = "restricted",
        /// WhatsApp will not have it.
        Banned = "banned",
        /// The gateway is too old for WhatsApp.
        OutdatedClient = "outdatedClient",
        /// The phone has no room for another device.
        TooManyDevices = "tooManyDevices",
        /// The gateway does not reach WhatsApp.
        Network = "network",
        /// Somebody stopped it.
        Stopped = "stopped",
        /// Meta refuses its token.
        Token = "token",
        /// The gateway refuses our key.
        Key = "key",
        /// Its gateway, or Meta, does not send for it, and says why.
        Refused = "refused",
        /// Too much in too short a time.
        SlowDown = "slowDown",
        /// It may not write to new people for a while.
        NoFirsts = "noFirsts",
        /// It may not write at all for a while.
        NoSends = "noSends",
        /// Nobody answers where its gateway was.
        GatewayDown = "gatewayDown",
        /// The gateway answers, and refuses: a licence, a bill, a key.
        GatewayLocked = "gatewayLocked",
    }
}

impl Trouble {
    /// For who reads the API; the UI has its own, in each language.
    pub fn sentence(self) -> &'static str {
        match self {
            Trouble::CodeExpired => "Nobody scanned the code in time. Ask for a new one.",
            Trouble::Failed => "The link broke and did not come back. Link the number again.",
            Trouble::LoggedOut => "The phone signed this link out. Nothing is lost: link it again.",
            Trouble::Replaced => "Another program has taken this link over. Close it there, then link again.",
            Trouble::Passkey => "WhatsApp asks for the account's passkey. Confirm it on the gateway's own page.",
            Trouble::PasskeyConfirmation => "WhatsApp asks to confirm a passkey. Do it on the phone.",
            Trouble::Restricted => {
                "WhatsApp has restricted this number. Wait, and answer rather than start conversations."
            }
            Trouble::Banned => "WhatsApp has banned this number. Appeal in WhatsApp on the phone.",
            Trouble::OutdatedClient => "The gateway's WhatsApp client is too old. Ask its operator to upgrade it.",
            Trouble::TooManyDevices => {
                "The phone has as many linked devices as it may. Remove one there, then try again."
            }
            Trouble::Network => "The gateway cannot reach WhatsApp just now. It tries again by itself.",
            Trouble::Stopped => "It was paused, and is still linked. Resume it to send and receive again.",
            Trouble::Token => {
                "Meta does not take its access token any more. Enter a new one; what you send waits until then."
            }
            Trouble::Key => "Its gateway does not take our API key any more. Enter the new one among the gateways.",
            Trouble::Refused => "It may not send just now. See to what is said about it; messages wait until then.",
            Trouble::SlowDown => "WhatsApp or the gateway asked to slow down. Messages wait and go by themselves.",
            Trouble::NoFirsts => {
                "WhatsApp does not let this number write to new people for now. Replies still go; first messages wait and are tried again. \
                 Answer rather than start conversations."
            }
            Trouble::NoSends => {
                "WhatsApp has locked this number for sending. Messages wait and are tried again. Meanwhile send nothing from elsewhere."
            }
            Trouble::GatewayDown => "Its gateway does not answer. What you send waits, and what comes in waits there.",
            Trouble::GatewayLocked => "Its gateway answers, but refuses to work. See to it among the gateways.",
        }
    }
}

impl From<Reason> for Trouble {
    fn from(reason: Reason) -> Trouble {
        match reason {
            Reason::CodeExpired => Trouble::CodeExpired,
            Reason::Failed => Trouble::Failed,
            Reason::LoggedOut => Trouble::LoggedOut,
            Reason::Replaced => Trouble::Replaced,
            Reason::Passkey => Trouble::Passkey,
            Reason::PasskeyConfirmation => Trouble::PasskeyConfirmation,
            Reason::Restricted => Trouble::Restricted,
            Reason::Banned => Trouble::Banned,
            Reason::OutdatedClient => Trouble::OutdatedClient,
            Reason::TooManyDevices => Trouble::TooManyDevices,
            Reason::Network => Trouble::Network,
            Reason::Stopped => Trouble::Stopped,
            Reason::Token => Trouble::Token,
            Reason::Key => Trouble::Key,
        }
    }
}
