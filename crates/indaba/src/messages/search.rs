//! Finding messages and contacts by their words.
use super::{Message, MessageId, store};
use crate::{
    Result,
    app::App,
    clock::Time,
    contacts,
    conversations::{self, ConversationId, Direction},
    db::TenantRead,
    http::{After, Json, Page, Query as Params, Viewer},
    search::{self, Doc, Kind, Query},
};
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::{cmp::Reverse, collections::BTreeSet};

words! {
    /// What was found.
    pub enum Found as SearchResultKind {
        /// A contact.
        Contact = "contact",
        /// A message.
        Message = "message",
    }
}

/// Something that was found.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SearchResult)]
pub struct Hit {
    /// What it is.
    pub kind: Found,
    /// The contact, or the one the message was written with.
    pub contact: contacts::Summary,
    /// Where the message is.
    #[schema(required)]
    pub conversation_id: Option<ConversationId>,
    /// The message.
    #[schema(required)]
    pub message: Option<MessageHit>,
    /// The words around what was looked for.
    pub snippet: String,
}

/// A message that was found.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MessageHit {
    /// Its id.
    pub id: MessageId,
    /// Its kind.
    pub kind: String,
    /// Which way it went.
    pub direction: Direction,
    /// Begins with its text.
    pub preview: String,
    /// When.
    pub created_at: Time,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Asked {
    /// Words; the last may be only begun. Nothing in it is an operator.
    q: String,
}

/// Messages and contacts with these words: contacts first, then messages, the newest first.
#[utoipa::path(get, path = "/api/search", tag = "search", params(Asked, After), responses((status = 200, body = Page<Hit>)))]
pub(super) async fn find(
    State(app): State<App>,
    who: Viewer,
    Params(asked): Params<Asked>,
    after: After,
) -> Result<Json<Page<Hit>>> {
    let before: Option<MessageId> = after.key()?;
    let rows = after.rows();
    let found = app.db.read(who.tenant, move |tx| {
        let mut hits = Vec::new();
        if before.is_none() {
            hits.extend(people(tx, &asked.q)?);
        }
        let wanted = rows - i64::try_from(hits.len()).unwrap_or(0);
        hits.extend(messages(tx, &asked.q, before.unwrap_or(MessageId::MAX), wanted)?);
        Ok(hits)
    });
    // only messages have a next page: at most five contacts come first
    let last = |hit: &Hit| hit.message.as_ref().map_or(MessageId::MAX, |message| message.id);
    Ok(Json(Page::of(found.await?, &after, last)))
}

fn people(tx: &mut TenantRead, q: &str) -> Result<Vec<Hit>> {
    let mut hits = Vec::new();
    for id in contacts::find(tx, q, 5)? {
        let contact = contacts::get(tx, id)?.summary();
        let snippet = contact.name.clone().or(contact.phone.clone()).unwrap_or_default();
        hits.push(Hit { kind: Found::Contact, contact, conversation_id: None, message: None, snippet });
    }
    Ok(hits)
}

fn messages(tx: &mut TenantRead, q: &str, before: MessageId, wanted: i64) -> Result<Vec<Hit>> {
    let (Some(query), Ok(wanted)) = (Query::read(q), usize::try_from(wanted)) else { return Ok(Vec::new()) };
    let mut found: Vec<MessageId> = Vec::new();
    search::walk(tx, Kind::Message, &query, before.0, wanted, |tx, ids| {
        let wordings = store::wordings(tx, ids)?.into_iter().filter(|message| {
            let words = words(&message.kind, message.body.as_deref(), message.content.as_deref());
            message.id < before && query.fits_words(&words)
        });
        let mut fitting: Vec<MessageId> = wordings.map(|message| message.id).collect();
        fitting.sort_unstable_by_key(|id| Reverse(*id));
        found.extend(fitting);
        Ok(found.len() >= wanted)
    })?;
    found.truncate(wanted);
    let mut messages = store::all(tx, &found)?;
    messages.sort_unstable_by_key(|message| Reverse(message.id));
    let places: BTreeSet<ConversationId> = messages.iter().map(|message| message.conversation_id).collect();
    let contacts = conversations::contacts(tx, &places.into_iter().collect::<Vec<_>>())?;
    let hits = messages.into_iter().filter_map(|message| {
        Some(Hit {
            kind: Found::Message,
            contact: contacts.get(&message.conversation_id)?.clone(),
            conversation_id: Some(message.conversation_id),
            snippet: snippet(message.body.as_deref().unwrap_or_default(), &query),
            message: Some(MessageHit {
                id: message.id,
                kind: message.kind.clone(),
                direction: message.direction,
                preview: message.preview(),
                created_at: message.created_at,
            }),
        })
    });
    Ok(hits.collect())
}

/// Up to 120 characters, with the first word that was looked for near their beginning.
fn snippet(text: &str, query: &Query) -> String {
    let at = query.place(text).unwrap_or(0);
    let before: Vec<usize> = text[..at].char_indices().map(|(at, _)| at).rev().take(30).collect();
    let start = before.last().copied().unwrap_or(at);
    let start = if start == 0 { 0 } else { text[start..at].find(char::is_whitespace).map_or(start, |n| start + n + 1) };
    let mut out: String = if start > 0 { "…".into() } else { String::new() };
    let mut rest = text[start..].chars();
    out.extend(rest.by_ref().take(120).map(|c| if c.is_control() { ' ' } else { c }));
    if rest.next().is_some() {
        out.push('…');
    }
    out
}

/// What a message is found by.
pub(super) fn doc(message: &Message) -> Option<Doc> {
    let words = words(&message.kind, message.body.as_deref(), message.content.as_deref());
    (!words.is_empty()).then_some(Doc { kind: Kind::Message, id: message.id.0, words })
}

/// The words of its text, and of a document's name.
pub(super) fn words(kind: &str, body: Option<&str>, content: Option<&str>) -> Vec<String> {
    let mut words = search::words(body.unwrap_or_default());
    if kind == "document" {
        let content: Option<Value> = content.and_then(|text| serde_json::from_str(text).ok());
        words.extend(content.and_then(|content| Some(search::words(content["name"].as_str()?))).unwrap_or_default());
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_shows_the_word_in_its_place() {
        let long = format!("{} the kitchen of the flat {}", "word ".repeat(50), "more ".repeat(50));
        let shown = snippet(&long, &Query::read("kitch").unwrap());
        assert!(shown.starts_with('…') && shown.ends_with('…') && shown.contains("the kitchen"), "{shown}");
        assert_eq!(snippet("short", &Query::read("x").unwrap()), "short");
        assert_eq!(snippet("", &Query::read("x").unwrap()), "");
        snippet("ééééé\u{1F600}".repeat(99).as_str(), &Query::read("é").unwrap());
    }
}
