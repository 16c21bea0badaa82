//! Notes: what the team writes to itself in a conversation.
//!
//! A note is no message: it has a table, routes and an event of its own, so that nothing that sends, counts, searches or hands out
//! messages can come upon one. Its id carries its time as a message's does: that is its place in the thread.
pub(super) mod http;
pub(super) mod store;

pub use store::Note;

use super::{Author, Conversation, ConversationId, MessageId};
use crate::{
    Result,
    clock::Time,
    contacts,
    db::{TenantRead, TenantTx},
    events,
    http::who::{UserId, Who},
};
use serde::Serialize;
use serde_json::json;

id! {
    /// A note.
    NoteId, "nte"
}

/// The longest note, in characters.
pub const LONGEST: usize = 4096;
/// How many people one may name.
pub const MOST_MENTIONS: usize = 20;

/// A note as the API shows it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Note)]
pub struct View {
    /// Its id.
    pub id: NoteId,
    /// In this conversation.
    pub conversation_id: ConversationId,
    /// Who wrote it.
    pub author: Author,
    /// What it says. People it names stand there as `@` and their name.
    pub body: String,
    /// Whom it names.
    pub mentions: Vec<UserId>,
    /// When.
    pub created_at: Time,
}

impl Note {
    /// As the API shows it.
    pub fn view(&self) -> View {
        let author = self.author_id.as_slice().try_into().ok();
        View {
            id: self.id,
            conversation_id: self.conversation_id,
            author: Author::of(self.author, author, self.author_name.clone()),
            body: self.body.clone(),
            mentions: self.mentions.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default(),
            created_at: self.created_at,
        }
    }

    fn is_by(&self, who: &Who) -> bool {
        self.author == super::AuthorKind::of(&who.actor)
            && who.actor.id().is_some_and(|id| id[..] == self.author_id[..])
    }
}

/// The newest `rows` notes that were written after one message and before another.
pub fn between(
    tx: &mut TenantRead,
    of: ConversationId,
    after: MessageId,
    before: MessageId,
    rows: i64,
) -> Result<Vec<View>> {
    Ok(store::between(tx, of, after, before, rows)?.iter().map(Note::view).collect())
}

/// Writes a note. Errors: 422 when it names somebody who is not here.
fn write(tx: &mut TenantTx, place: &Conversation, note: Note, mentions: &[UserId]) -> Result<View> {
    for (at, user) in mentions.iter().enumerate() {
        contacts::check_user(tx, *user, &format!("/mentions/{at}"))?;
    }
    store::insert(tx, &note)?;
    let view = note.view();
    let mut ids = super::ids(place).to_vec();
    ids.push(("note", &view.id));
    events::append(tx, "conversation.noted", &ids, &json!({ "note": view }))?;
    Ok(view)
}

/// Takes a note away, with its words: also out of the event that told of it, which browsers that were away have yet to read.
fn delete(tx: &mut TenantTx, note: &Note) -> Result<()> {
    store::delete(tx, note.id)?;
    let ids: [(&'static str, &dyn std::fmt::Display); 2] =
        [("conversation", &note.conversation_id), ("note", &note.id)];
    let patch = json!({ "note": { "id": note.id, "conversationId": note.conversation_id, "removed": true } });
    events::retell(tx, "conversation.noted", note.created_at, &note.id, &patch)?;
    events::append(tx, "note.deleted", &ids, &patch)
}
