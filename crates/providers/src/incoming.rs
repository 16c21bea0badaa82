//! What a gateway tells us, in words that belong to no wire. Times are milliseconds UTC as the wire gave them: they may be
//! missing, and may lie in the future (the room has a clock, this crate has none).

use serde::{Deserialize, Serialize};

use crate::content::is_false;
use crate::{Address, Content, Context, Person, Quoted};

/// One thing that happened. A hook becomes a list of these, each of which is safe to apply twice and in any order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Incoming {
    /// A message, ours or theirs.
    Message(Box<Message>),
    /// A message of ours went further, or failed.
    Status(Status),
    /// An emoji was put on a message, or taken off.
    Reaction(Reaction),
    /// A message says something else now.
    Edited(Edited),
    /// A message was deleted for everyone.
    Revoked(Revoked),
    /// Someone voted in a poll.
    PollVote(PollVote),
    /// The state of the link to WhatsApp.
    Session(Session),
    /// A call.
    Call(Call),
    /// Someone is typing, or online.
    Presence(Presence),
    /// The address book says this of a person.
    Contact(ContactSeen),
    /// A person is known by another id now.
    Rekeyed(Rekeyed),
    /// A person stopped or resumed marketing messages.
    Preference(Preference),
    /// A template was approved, rejected, paused…
    Template(TemplateChange),
    /// Something about the number or the account: quality, name, limits, restrictions.
    Account(Account),
    /// Understood, and of no use to us.
    Ignored(Ignored),
}

/// A message that was received, or that our own number sent (from the phone, or through the gateway).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// The key of the message at WhatsApp; the same in every event about it.
    pub provider_id: String,
    /// What the gateway's own calls need to name it.
    pub reference: String,
    /// The conversation, as it was addressed: replies go there.
    pub chat: Address,
    /// The contact: the other side also when the message is ours.
    pub person: Person,
    /// Our own number sent it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub from_me: bool,
    /// Sent on the phone or through the gateway, where the wire says so. A hint: a message is known to be ours by its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// When it was written, often in whole seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// Rises in the order in which the gateway told of messages, where the wire says: it sorts those of one second. By the gateway's own
    /// clock; not to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<i64>,
    /// What it says.
    pub content: Content,
    /// The message it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quoted: Option<Quoted>,
    /// What else is true of it.
    #[serde(default, skip_serializing_if = "Context::is_empty")]
    pub context: Context,
    /// How far it had come already (history, our own messages).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<StatusState>,
    /// It is from before: a history batch, not something that happened now.
    #[serde(default, skip_serializing_if = "is_false")]
    pub history: bool,
}

impl Message {
    /// What `messages.content` holds: the content, with `"context"` when there is any.
    pub fn stored(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(&self.content).expect("the vocabulary is plain JSON");
        if !self.context.is_empty() {
            value["context"] = serde_json::to_value(&self.context).expect("the vocabulary is plain JSON");
        }
        value
    }
}

/// Where a message of our own number was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Origin {
    /// On the phone, or in another of its linked programs.
    App,
    /// Through the gateway's API.
    Api,
}

/// How far a message of ours has come. Applied forward only; `Failed` wins only before `Delivered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// Which message.
    pub provider_id: String,
    /// The contact's side of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<Address>,
    /// How far.
    pub state: StatusState,
    /// When; where the wire says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// Our own id, where it came along with the send.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub correlation: Option<String>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<StatusError>,
    /// Other ids of the contact that came along.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// What Meta charges it as: `type/category`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<String>,
}

/// In order: a later one implies those before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StatusState {
    /// It never left, or was refused.
    Failed,
    /// WhatsApp has it.
    Sent,
    /// A device of the contact has it.
    Delivered,
    /// It was seen.
    Read,
    /// A voice note was listened to.
    Played,
}

/// Why a message failed, in the wire's own words.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct StatusError {
    /// The wire's code, `131047`.
    pub code: String,
    /// A sentence for a person.
    pub detail: String,
}

/// A reaction. One person has one on a message: the newest counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reaction {
    /// The message it is on.
    pub target: String,
    /// The conversation.
    pub chat: Address,
    /// The contact.
    pub person: Person,
    /// It is ours.
    #[serde(default, skip_serializing_if = "is_false")]
    pub from_me: bool,
    /// Empty: taken off.
    pub emoji: String,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

/// A message that says something else now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Edited {
    /// The message.
    pub target: String,
    /// The conversation.
    pub chat: Address,
    /// Our own number edited it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub from_me: bool,
    /// Its text or caption now; nothing else can change. `None` when the gateway lost it: show only that it was edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

/// A message that was deleted for everyone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revoked {
    /// The message.
    pub target: String,
    /// The conversation, where it is told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chat: Option<Address>,
    /// Our own number deleted it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub from_me: bool,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

/// A vote: the whole present choice of one voter. The newest counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PollVote {
    /// The poll's message.
    pub poll: String,
    /// The poll is ours.
    #[serde(default, skip_serializing_if = "is_false")]
    pub poll_from_me: bool,
    /// The conversation.
    pub chat: Address,
    /// The contact.
    pub person: Person,
    /// Our own number voted.
    #[serde(default, skip_serializing_if = "is_false")]
    pub from_me: bool,
    /// Empty: withdrawn. `None`: there was a vote, but the gateway could not read it.
    #[serde(default)]
    pub options: Option<Vec<String>>,
    /// Only to order votes by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

/// The link between a gateway and WhatsApp.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Session {
    /// The state to show.
    pub state: SessionState,
    /// How far linking has come.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<Step>,
    /// Why it needs attention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The wire's own word.
    pub raw: String,
    /// Our own number, E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Our own LID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lid: Option<String>,
    /// The name the number shows to others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub push_name: Option<String>,
    /// When this state began, or of an answer: when it was so. By the gateway's own clock, which may be wrong: only to be compared with
    /// others of the same gateway.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// The code to scan, where the wire sends it along.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<crate::Code>,
}

/// As in `instances.state`; `new` and `paused` are the room's own. A short return from connected to linking/preparing and back is
/// normal: the room keeps showing connected for a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SessionState {
    /// A state this build does not know, or none told: nothing changes.
    #[default]
    Unknown,
    /// On the way: see the step.
    Linking,
    /// Messages flow.
    Connected,
    /// A person must act: see the reason.
    Attention,
    /// Stopped, or unlinked.
    Disconnected,
    /// WhatsApp has shut the number out.
    Banned,
}

/// As in `instances.link_step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Step {
    /// The gateway is getting ready.
    Preparing,
    /// A code waits to be scanned.
    Scan,
    /// The last code ran out.
    Expired,
    /// The phone answered.
    Linking,
    /// Chats are coming over.
    Syncing,
    /// The phone or WhatsApp said no: see the reason.
    Refused,
}

/// Why a number needs attention.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// Nobody scanned in time.
    CodeExpired,
    /// The link broke and did not come back.
    Failed,
    /// The phone unlinked us.
    LoggedOut,
    /// Another program took our place.
    Replaced,
    /// The account asks for its passkey, at the gateway's own page.
    Passkey,
    /// The passkey has to be confirmed on the phone.
    PasskeyConfirmation,
    /// WhatsApp has restricted the number.
    Restricted,
    /// WhatsApp has banned the number.
    Banned,
    /// The gateway's WhatsApp client is too old.
    OutdatedClient,
    /// The phone has as many linked devices as it may.
    TooManyDevices,
    /// WhatsApp cannot be reached from the gateway.
    Network,
    /// It was stopped.
    Stopped,
    /// Its own access token is not taken any more.
    Token,
    /// The gateway does not take our key any more.
    Key,
}

/// A call, ringing or over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// The same for every event of one call.
    pub provider_id: String,
    /// Who.
    pub chat: Address,
    /// The contact.
    pub person: Person,
    /// We called.
    #[serde(default, skip_serializing_if = "is_false")]
    pub from_me: bool,
    /// With picture.
    #[serde(default, skip_serializing_if = "is_false")]
    pub video: bool,
    /// How far.
    pub state: CallState,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

/// How far a call has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CallState {
    /// It rings.
    Ringing,
    /// Someone answered.
    Accepted,
    /// It was turned down.
    Rejected,
    /// Nobody answered.
    Missed,
    /// It is over.
    Ended,
}

/// Someone is typing, or online. Never stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Presence {
    /// The conversation.
    pub chat: Address,
    /// What they do.
    pub state: PresenceState,
    /// When they were last seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_seen: Option<i64>,
}

/// What someone does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum PresenceState {
    /// Writes.
    Typing,
    /// Speaks.
    Recording,
    /// Has stopped.
    Paused,
    /// Looks.
    Online,
    /// Is away.
    Offline,
}

/// What the gateway's address book says of a person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ContactSeen {
    /// Their address.
    pub chat: Address,
    /// Their ids and name.
    pub person: Person,
}

/// A person is known by another id now; history stays with them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rekeyed {
    /// As before.
    pub from: Address,
    /// As now.
    pub to: Address,
    /// Other ids that came along.
    pub person: Person,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

/// A person's word on marketing messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Preference {
    /// Who.
    pub person: Person,
    /// True: no more of them.
    pub opted_out: bool,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

/// A template changed at Meta.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct TemplateChange {
    /// Meta's id of it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its language.
    pub language: String,
    /// The new state, lower case, as Meta names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
    /// The new category, lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// The new quality, lower case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
    /// Why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

/// Something about the number or the account that a person should see.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Account {
    /// What it is about, `phone_number_quality_update`.
    pub field: String,
    /// What happened, `FLAGGED`.
    pub event: String,
    /// The state the number is in because of it.
    pub state: SessionState,
    /// A sentence for a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Until when, if told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// When.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

/// Why something was passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reason", content = "name", rename_all = "camelCase")]
pub enum Ignored {
    /// It belongs to a group.
    Group,
    /// A story.
    Story,
    /// A channel, or a broadcast list.
    Newsletter,
    /// Another event tells the same.
    Told(String),
    /// WhatsApp's own housekeeping.
    Protocol(String),
    /// It says nothing new: a message of ours that is still on its way.
    Pending,
    /// An event we have no use for; its name.
    Unused(String),
}
