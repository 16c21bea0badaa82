//! Ways to reach WhatsApp, one file each, behind one trait and one neutral vocabulary.
//!
//! This crate knows no SQL, no tenant and no HTTP server, and keeps no state: everything about one number comes in with a
//! [`Link`], everything it learns goes out as a value. The vocabulary ([`Content`], [`Incoming`], [`Outgoing`]) is what the
//! rooms, the database and the screens speak; a provider translates between it and its own wire, and nothing else.
//!
//! To add a provider: `src/<name>.rs`, its `fixtures/<name>/`, one line in [`all`].

mod address;
mod calls;
mod capability;
mod cloud;
mod content;
mod error;
mod evolution;
mod hook;
mod http;
mod incoming;
mod kept;
mod lenient;
mod link;
mod outgoing;
mod proto;
mod provider;
mod signature;
mod waha;

pub use address::{Address, Person};
pub use calls::{
    Chat, Check, CheckStep, Code, Created, Download, History, Limits, LookedUp, MediaSource, Page, Profile, Quota,
    Setup, Template,
};
pub use capability::{Capabilities, Capability};
pub use cloud::Cloud;
pub use content::{
    Button, Card, CardLine, Content, Context, LONGEST_CAPTION, LONGEST_TEXT, MediaRef, OrderItem, Quoted, Referral,
};
pub use error::{CallError, Refused, SendError, Unreadable};
pub use evolution::Evolution;
pub use hook::{Addressee, Handshake, Hook, Part};
pub use http::client;
pub use incoming::{
    Account, Call, CallState, ContactSeen, Edited, Ignored, Incoming, Message, Origin, PollVote, Preference, Presence,
    PresenceState, Reaction, Reason, Rekeyed, Revoked, Session, SessionState, Status, StatusError, StatusState, Step,
    TemplateChange,
};
pub use link::{Build, Extras, Link, Pin, Secrets};
pub use outgoing::{Body, ButtonParameter, File, MessageRef, Outgoing, Parameter, Sent, TemplateCall};
pub use provider::Provider;
pub use waha::Waha;

/// Every provider of this build. A gateway that speaks another's wire (our simulator, `native`) is not one of its own.
pub fn all() -> &'static [&'static dyn Provider] {
    static ALL: &[&dyn Provider] = &[&Waha, &Evolution, &Cloud];
    ALL
}

/// The provider of this kind, such as `waha`.
pub fn find(kind: &str) -> Option<&'static dyn Provider> {
    all().iter().copied().find(|provider| provider.kind() == kind)
}
