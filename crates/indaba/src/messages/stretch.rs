//! A page of a conversation, as its thread shows it.
//!
//! Notes come with the messages they were written among, as a list of their own: a thread needs no second request, and a program that
//! reads messages never takes a note for one. The ids of both carry their time, so a page ends for both at the same id.
use super::{MessageId, View, view};
use crate::{
    Result,
    conversations::{ConversationId, notes},
    db::TenantRead,
    http::{After, Page},
};
use serde::Serialize;

/// How many notes a page has at most; it ends at the last of them, however few its messages are.
const MOST_NOTES: usize = 100;

/// One page of a conversation, newest first.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = MessagePage)]
pub struct Stretch {
    /// The messages on it.
    pub items: Vec<View>,
    /// The notes that were written among them, newest first: only the team sees these.
    pub notes: Vec<notes::View>,
    /// What to give as `after` for the next page; null on the last.
    #[schema(required)]
    pub next: Option<String>,
}

/// One page: what came before this message, or [`MessageId::MAX`].
pub fn read(tx: &mut TenantRead, of: ConversationId, before: MessageId, after: &After) -> Result<Stretch> {
    let mut page = Page::of(view::page(tx, of, before, after.rows())?, after, |message| message.id);
    let oldest = page.items.last().filter(|_| page.next.is_some()).map_or(MessageId::NIL, |last| last.id);
    let mut notes = notes::between(tx, of, oldest, before, MOST_NOTES as i64 + 1)?;
    if notes.len() > MOST_NOTES {
        notes.truncate(MOST_NOTES);
        let end = MessageId(notes[MOST_NOTES - 1].id.0);
        page.items.retain(|message| message.id > end);
        page = Page { items: page.items, next: None }.going_on(Some(end));
    }
    Ok(Stretch { items: page.items, notes, next: page.next })
}
