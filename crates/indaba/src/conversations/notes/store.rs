//! All SQL of notes.
use super::NoteId;
use crate::{
    Result,
    clock::Time,
    conversations::{AuthorKind, ConversationId, MessageId},
    db::{TenantRead, TenantTx},
};

row! {
    /// A note as its row says, with its author's name.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Note {
        pub id: NoteId,
        pub conversation_id: ConversationId,
        pub author: AuthorKind,
        pub author_id: Vec<u8>,
        pub body: String,
        pub mentions: Option<String>,
        pub created_at: Time,
        pub author_name: Option<String>,
    }
}

/// The select of notes, and what follows `from … join …`.
macro_rules! notes {
    ($rest:literal) => {
        concat!(
            "select n.id, n.conversation_id, n.author, n.author_id, n.body, n.mentions, n.created_at, coalesce(u.name, p.name) as author_name
               from notes n
               left join users u on u.id = n.author_id
               left join api_keys p on p.tenant_id = n.tenant_id and p.id = n.author_id
             ",
            $rest
        )
    };
}

pub fn get(tx: &mut TenantRead, id: NoteId) -> Result<Note> {
    tx.get(notes!("where n.tenant_id = $1 and n.id = $2"), args![id])
}

/// One page of a conversation's, newest first.
pub fn page(tx: &mut TenantRead, of: ConversationId, before: NoteId, rows: i64) -> Result<Vec<Note>> {
    tx.all(
        notes!("where n.tenant_id = $1 and n.conversation_id = $2 and n.id < $3 order by n.id desc limit $4"),
        args![of, before, rows],
    )
}

/// The newest `rows` of those that were written after one message and before another.
pub fn between(
    tx: &mut TenantRead,
    of: ConversationId,
    after: MessageId,
    before: MessageId,
    rows: i64,
) -> Result<Vec<Note>> {
    tx.all(
        notes!(
            "where n.tenant_id = $1 and n.conversation_id = $2 and n.id > $3 and n.id < $4 order by n.id desc limit $5"
        ),
        args![of, after, before, rows],
    )
}

pub fn insert(tx: &mut TenantTx, note: &Note) -> Result<()> {
    tx.run(
        "insert into notes (tenant_id, id, conversation_id, author, author_id, body, mentions, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
        args![note.id, note.conversation_id, note.author, note.author_id, note.body, note.mentions, note.created_at],
    )
    .map(drop)
}

pub fn delete(tx: &mut TenantTx, id: NoteId) -> Result<()> {
    tx.run("delete from notes where tenant_id = $1 and id = $2", args![id]).map(drop)
}

/// The conversation is part of another now.
pub fn fold(tx: &mut TenantTx, gone: ConversationId, into: ConversationId) -> Result<()> {
    tx.run("update notes set conversation_id = $3 where tenant_id = $1 and conversation_id = $2", args![gone, into])
        .map(drop)
}
