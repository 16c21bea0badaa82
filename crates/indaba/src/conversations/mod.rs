//! Conversations: one for each contact on each number, for ever; open, snoozed or closed.
//!
//! What a list shows of a conversation (its last message, how many are unread) is kept in its row by whoever stores a message, and so
//! are the counts of the views: a page never counts.
mod counts;
mod hear;
pub mod http;
pub mod labels;
mod list;
pub mod notes;
mod store;

pub use counts::Counts;
pub use hear::{News, hear, wait_since};
pub use labels::LabelId;
pub use list::{Cursor, Filter, Sort, page};
pub use store::Conversation;

use crate::{
    Error, Result,
    clock::Time,
    contacts::{self, ContactId, Summary},
    db::{TenantRead, TenantTx},
    events,
    http::who::{Actor, UserId},
    id,
    instances::{self, InstanceId},
};
use serde::Serialize;
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

id! {
    /// A conversation.
    ConversationId, "cnv"
}
id! {
    /// A message. The type stands here because a conversation shows its last one.
    MessageId, "msg"
}
id! {
    /// A stretch of a conversation, from open to closed.
    SpellId, "spl"
}

words! {
    /// How a conversation is doing.
    pub enum State as ConversationState {
        /// Somebody may have to answer.
        Open = "open",
        /// Put off until a moment.
        Snoozed = "snoozed",
        /// Resolved; a new message opens it again.
        Closed = "closed",
    }
}

words! {
    /// Which way a message went.
    pub enum Direction {
        /// From the contact to us.
        Inbound = "inbound",
        /// From us to the contact.
        Outbound = "outbound",
    }
}

words! {
    /// Who wrote a message.
    pub enum AuthorKind {
        /// The other side.
        Contact = "contact",
        /// A person of ours.
        User = "user",
        /// The language model.
        Assistant = "assistant",
        /// A campaign.
        Campaign = "campaign",
        /// A rule.
        Rule = "rule",
        /// A program with an API key.
        Api = "api",
        /// Somebody of ours on the phone itself, past Indaba.
        Phone = "phone",
    }
}

words! {
    /// What the assistant does in a conversation.
    pub enum Mode as AssistantMode {
        /// Nothing.
        Off = "off",
        /// Proposes.
        Suggest = "suggest",
        /// Answers.
        Auto = "auto",
    }
}

impl AuthorKind {
    /// What somebody who asks for something here is as an author.
    pub fn of(actor: &Actor) -> AuthorKind {
        match actor {
            Actor::User { .. } => AuthorKind::User,
            Actor::ApiKey { .. } => AuthorKind::Api,
            Actor::System => AuthorKind::Rule,
        }
    }
}

/// How long after an inbound message a provider with a service window takes free text.
pub const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Who wrote something.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Author {
    /// What they are.
    pub kind: AuthorKind,
    /// Their id, where they have one.
    #[schema(required)]
    pub id: Option<String>,
    /// Their name.
    #[schema(required)]
    pub name: Option<String>,
}

impl Author {
    /// From the columns of a row.
    pub fn of(kind: AuthorKind, id: Option<[u8; 16]>, name: Option<String>) -> Author {
        let id = id.and_then(|id| {
            let prefix = match kind {
                AuthorKind::Contact => "con",
                AuthorKind::User => "usr",
                AuthorKind::Api => "key",
                AuthorKind::Campaign => "cmp",
                AuthorKind::Rule => "rul",
                AuthorKind::Assistant | AuthorKind::Phone => return None,
            };
            Some(format!("{prefix}_{}", id::encode(&id)))
        });
        Author { kind, id, name }
    }
}

/// A conversation as the API shows it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Conversation)]
pub struct View {
    /// Its id.
    pub id: ConversationId,
    /// With whom.
    pub contact: contacts::Summary,
    /// On which number.
    pub instance_id: InstanceId,
    /// The number in a few words.
    pub instance: InstanceView,
    /// How it is doing.
    pub state: State,
    /// Until when it is put off.
    #[schema(required)]
    pub snoozed_until: Option<Time>,
    /// Who answers.
    #[schema(required)]
    pub assignee: Option<Person>,
    /// How many inbound messages nobody has read.
    pub unread_count: i64,
    /// Its labels, by their ids; what they say is in `/api/labels`. One that is not there was deleted a moment ago.
    pub labels: Vec<LabelId>,
    /// The newest message.
    #[schema(required)]
    pub last_message: Option<LastMessage>,
    /// When the service window ends or ended; null before the first inbound message.
    #[schema(required)]
    pub window_ends_at: Option<Time>,
    /// Their first message that nobody has answered; null when nobody waits for us.
    #[schema(required)]
    pub waiting_since: Option<Time>,
    /// What the assistant does here.
    pub assistant: AssistantView,
    /// When it began.
    pub created_at: Time,
}

/// A number in a few words.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = InstanceSummary)]
pub struct InstanceView {
    /// Its id.
    pub id: InstanceId,
    /// Its name.
    pub name: String,
    /// How it reaches WhatsApp.
    pub provider: String,
}

/// A person of ours in a few words.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = UserSummary)]
pub struct Person {
    /// Who.
    pub id: UserId,
    /// Their name.
    pub name: String,
}

/// The newest message in a few words.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct LastMessage {
    /// Its id.
    pub id: MessageId,
    /// Its kind.
    pub kind: String,
    /// Begins with its text; at most 160 characters.
    pub preview: String,
    /// Which way it went.
    pub direction: Direction,
    /// How far it has come.
    pub state: String,
    /// Who wrote it.
    pub author: Author,
    /// When.
    pub at: Time,
}

/// What the assistant does in a conversation.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConversationAssistant)]
pub struct AssistantView {
    /// Null: as everywhere on this number.
    #[schema(required)]
    pub mode: Option<Mode>,
    /// Silent until then.
    #[schema(required)]
    pub paused_until: Option<Time>,
}

/// The conversation. Errors: `Missing`. One that was merged leads to the one it became.
pub fn get(tx: &mut TenantRead, id: ConversationId) -> Result<Conversation> {
    store::get(tx, id)
}

/// With whom these conversations are.
pub fn contacts(tx: &mut TenantRead, of: &[ConversationId]) -> Result<BTreeMap<ConversationId, Summary>> {
    let all = store::contacts(tx, of)?.into_iter();
    Ok(all.map(|(of, id, name, phone)| (of, Summary { id, name, phone })).collect())
}

/// The conversation of a contact on a number, if there is one.
pub fn find(tx: &mut TenantRead, instance: InstanceId, contact: ContactId) -> Result<Option<ConversationId>> {
    store::find(tx, instance, contact)
}

/// The same, locked: nobody else changes it until this transaction ends.
pub fn locked(tx: &mut TenantTx, id: ConversationId) -> Result<Conversation> {
    let id = store::get(tx, id)?.id;
    store::locked(tx, &[id])?.pop().ok_or(Error::Missing)
}

/// Finds or makes the conversations of these pairs, locked, in their order; and which of them are new.
pub fn of(
    tx: &mut TenantTx,
    pairs: &[(InstanceId, ContactId)],
) -> Result<(Vec<Conversation>, BTreeSet<ConversationId>)> {
    let mut wanted: Vec<(InstanceId, ContactId)> = pairs.to_vec();
    wanted.sort_unstable();
    wanted.dedup();
    let mut found = store::of_pairs(tx, &wanted)?;
    wanted.retain(|pair| !found.iter().any(|known| (known.instance_id, known.contact_id) == *pair));
    let mut created = BTreeSet::new();
    if !wanted.is_empty() {
        created = store::insert(tx, &wanted)?.into_iter().collect();
        found.extend(store::of_pairs(tx, &wanted)?);
        let spells: Vec<ConversationId> = created.iter().copied().collect();
        store::begin_spells(tx, &spells)?;
        for new in found.iter().filter(|one| created.contains(&one.id)) {
            Counts::add(tx, new);
        }
    }
    let by_pair = |pair: &(InstanceId, ContactId)| {
        found.iter().find(|one| (one.instance_id, one.contact_id) == *pair).cloned().ok_or(Error::Busy)
    };
    Ok((pairs.iter().map(by_pair).collect::<Result<_>>()?, created))
}

/// The conversation of a contact on a number, made if there is none; without a number: the one last used with them, else the oldest
/// number there is. Errors: `Missing` for an unknown number; 409 when there is none at all.
pub fn begin(tx: &mut TenantTx, contact: ContactId, instance: Option<InstanceId>) -> Result<(Conversation, bool)> {
    let instance = match instance {
        Some(id) => instances::get(tx, id)?.id,
        None => {
            let mut known = store::of_contact(tx, contact)?;
            known.sort_by_key(|one| std::cmp::Reverse(one.last_message_at));
            let usable = known.into_iter().find(|one| instances::get(tx, one.instance_id).is_ok());
            let first = usable.map(|one| one.instance_id);
            let first = first.or(instances::page(tx, InstanceId::NIL, 1)?.first().map(|one| one.id));
            first.ok_or_else(|| Error::conflict("no-number", "There is no number yet", "Link a number first."))?
        }
    };
    let (mut found, created) = of(tx, &[(instance, contact)])?;
    let conversation = found.remove(0);
    let new = !created.is_empty();
    if new {
        events::append(
            tx,
            "conversation.opened",
            &ids(&conversation),
            &json!({ "conversation": conversation.view() }),
        )?;
    }
    Ok((conversation, new))
}

/// Writes conversations that were changed in memory since they were locked, and keeps the counts. `before` has them as they were.
pub fn save(tx: &mut TenantTx, before: &[Conversation], after: &[Conversation]) -> Result<()> {
    let mut changed: Vec<(&Conversation, &Conversation)> = Vec::new();
    let mut reopened = Vec::new();
    for (before, after) in before.iter().zip(after) {
        if before == after {
            continue;
        }
        Counts::remove(tx, before);
        Counts::add(tx, after);
        match (before.state, after.state) {
            (State::Closed, State::Open | State::Snoozed) => reopened.push(after.id),
            (State::Open | State::Snoozed, State::Closed) => store::end_spell(tx, after.id, None)?,
            _ => {}
        }
        changed.push((before, after));
    }
    store::begin_spells(tx, &reopened)?;
    store::save(tx, &changed.iter().map(|(_, after)| *after).collect::<Vec<_>>())?;
    labels::follow(tx, &changed)
}

/// Changes one conversation and tells the open browsers what is different. `None`: nothing was.
pub fn change(
    tx: &mut TenantTx,
    id: ConversationId,
    event: &'static str,
    by: Option<UserId>,
    change: impl FnOnce(&mut Conversation),
) -> Result<(Conversation, Conversation)> {
    let before = locked(tx, id)?;
    let mut after = before.clone();
    change(&mut after);
    if before == after {
        return Ok((before, after));
    }
    save(tx, std::slice::from_ref(&before), std::slice::from_ref(&after))?;
    if before.state != State::Closed && after.state == State::Closed {
        store::set_closer(tx, after.id, by)?;
    }
    let after = store::get(tx, after.id)?; // names of people come with the row
    events::append(tx, event, &ids(&after), &json!({ "conversation": after.view() }))?;
    Ok((before, after))
}

/// Everything is read: the count goes to 0. Gives the conversation, and the newest inbound message if there was anything to read.
pub fn read(tx: &mut TenantTx, id: ConversationId) -> Result<(Conversation, bool)> {
    let before = locked(tx, id)?;
    if before.unread_count == 0 {
        return Ok((before, false));
    }
    let mut after = before.clone();
    after.unread_count = 0;
    save(tx, std::slice::from_ref(&before), std::slice::from_ref(&after))?;
    let patch = json!({ "conversation": { "id": after.id, "unreadCount": 0 } });
    events::append(tx, "conversation.read", &ids(&after), &patch)?;
    Ok((after, true))
}

/// The last message has come further: what the list shows of it follows.
pub fn advance(tx: &mut TenantTx, changes: &[(ConversationId, MessageId, &'static str)]) -> Result<()> {
    store::advance(tx, changes)
}

/// The text of the last message is another now (it was edited or deleted).
pub fn reword(tx: &mut TenantTx, id: ConversationId, message: MessageId, preview: &str) -> Result<()> {
    store::reword(tx, id, message, preview)
}

/// Two contacts became one: the conversations of the one are the other's now. Where both had one on the same number, the rows of the
/// first are to be moved to the second: (gone, stays).
pub fn merge_contact(
    tx: &mut TenantTx,
    from: ContactId,
    into: ContactId,
) -> Result<Vec<(ConversationId, ConversationId)>> {
    let mut folded = Vec::new();
    for gone in store::of_contact(tx, from)? {
        let both: Vec<Conversation> = store::of_pairs(tx, &[(gone.instance_id, into)])?;
        let Some(stays) = both.into_iter().next() else {
            store::give(tx, gone.id, into)?;
            continue;
        };
        let gone = store::locked(tx, &[gone.id])?.pop().ok_or(Error::Busy)?;
        let mut after = stays.clone();
        let newer = gone.last_message_id > stays.last_message_id;
        if newer {
            let keep = after;
            after = Conversation {
                id: keep.id,
                contact_id: keep.contact_id,
                contact_name: keep.contact_name,
                contact_phone: keep.contact_phone,
                state: keep.state,
                snoozed_until: keep.snoozed_until,
                assignee_id: keep.assignee_id,
                assignee_name: keep.assignee_name,
                labels: keep.labels,
                assistant_mode: keep.assistant_mode,
                assistant_paused_until: keep.assistant_paused_until,
                created_at: keep.created_at,
                ..gone.clone()
            };
        }
        after.unread_count = stays.unread_count + gone.unread_count;
        after.last_inbound_at = stays.last_inbound_at.max(gone.last_inbound_at);
        after.window_ends_at = stays.window_ends_at.max(gone.window_ends_at);
        after.waiting_since = [stays.waiting_since, gone.waiting_since].into_iter().flatten().min();
        let mut all = stays.label_ids();
        all.extend(gone.label_ids().into_iter().filter(|id| !stays.label_ids().contains(id)));
        all.truncate(labels::MOST_ON_ONE);
        after.set_labels(&all);
        if gone.state == State::Open {
            (after.state, after.snoozed_until) = (State::Open, None);
        }
        Counts::remove(tx, &gone);
        store::fold(tx, gone.id, stays.id)?;
        save(tx, &[stays], std::slice::from_ref(&after))?;
        folded.push((gone.id, after.id));
    }
    Ok(folded)
}

/// The contact is reached at another address now: replies go there.
pub fn readdress(tx: &mut TenantTx, contact: ContactId, from: &str, to: &str) -> Result<()> {
    store::readdress(tx, contact, from, to)
}

/// What an event about a conversation carries.
pub fn ids(of: &Conversation) -> [(&'static str, &dyn std::fmt::Display); 3] {
    [("conversation", &of.id), ("contact", &of.contact_id), ("instance", &of.instance_id)]
}

/// The first characters of a text, on one line.
pub fn preview(text: &str) -> String {
    let mut out = String::new();
    for (count, c) in text.trim_start().chars().enumerate() {
        if count == 160 {
            out.push('…');
            break;
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out.truncate(out.trim_end().len());
    out
}
