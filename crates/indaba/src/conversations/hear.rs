//! What a message does to its conversation: what is shown of it, whether it opens again, who waits for whom.
use super::{AuthorKind, Conversation, Direction, MessageId, State, WINDOW, save};
use crate::{Result, clock::Time, db::TenantTx};
use std::time::Duration;

/// A message that was stored, as far as its conversation shows it.
#[derive(Clone, Debug)]
pub struct News {
    /// The message.
    pub id: MessageId,
    /// When it went, by the provider or by us.
    pub at: Time,
    /// `text`, `image`, …
    pub kind: String,
    /// Begins with its text.
    pub preview: String,
    /// Which way.
    pub direction: Direction,
    /// How far it has come.
    pub state: &'static str,
    /// Who wrote it.
    pub author: AuthorKind,
    /// Their id.
    pub author_id: Option<[u8; 16]>,
    /// Their name, to show it without asking.
    pub author_name: Option<String>,
    /// Where it came from, as the provider writes it.
    pub address: Option<String>,
    /// Somebody said it. WhatsApp's own word about them (they changed their number) is neither to be read nor an answer.
    pub said: bool,
    /// Part of an import of old chats: nothing is unread or opened again because of it.
    pub history: bool,
}

/// Takes in a stored message, in memory; [`save`] writes it. True: this opened the conversation again.
pub fn hear(conversation: &mut Conversation, news: &News, now: Time) -> bool {
    let mut reopened = false;
    if news.direction == Direction::Inbound && news.said {
        if !news.history {
            conversation.unread_count += 1;
        }
        if conversation.last_inbound_at.is_none_or(|last| last < news.at) {
            conversation.last_inbound_at = Some(news.at);
            conversation.window_ends_at = Some(news.at + WINDOW);
            conversation.address = news.address.clone().or(conversation.address.take());
        }
        // what comes late does not open again what was closed after it
        let late = now.since(news.at) > Duration::from_secs(24 * 60 * 60);
        if conversation.state != State::Open && !news.history && !late {
            if conversation.state == State::Closed {
                conversation.waiting_since = None; // what was before is settled: they wait since this message
            }
            (conversation.state, conversation.snoozed_until) = (State::Open, None);
            reopened = true;
        }
    } else {
        conversation.address = conversation.address.take().or_else(|| news.address.clone());
        // who answers has read what was there to answer; from the phone nobody tells us otherwise
        let person =
            matches!(news.author, AuthorKind::User | AuthorKind::Phone) && news.direction == Direction::Outbound;
        if person && !news.history && conversation.last_inbound_at.is_none_or(|last| last <= news.at) {
            conversation.unread_count = 0;
        }
    }
    if conversation.last_message_id.is_none_or(|last| last < news.id) {
        conversation.last_message_id = Some(news.id);
        conversation.last_message_at = news.at;
        conversation.last_message_kind = Some(news.kind.clone());
        conversation.last_message_preview = Some(news.preview.clone());
        conversation.last_message_direction = Some(news.direction);
        conversation.last_message_state = Some(news.state.to_owned());
        conversation.last_message_author = Some(news.author);
        conversation.last_message_author_id = news.author_id.map(|id| id.to_vec());
        conversation.last_author_name = news.author_name.clone();
    }
    wait(conversation, news);
    reopened
}

/// Who wrote and had no answer waits, until somebody of ours writes: a campaign is no answer, and old chats that are imported ask for none.
/// One that fails or is taken back is none after all: who sees that calls [`wait_since`]. An answer that is told of late leaves what came
/// after it unanswered: of that, the newest is known.
fn wait(conversation: &mut Conversation, news: &News) {
    let asks =
        news.direction == Direction::Inbound && news.said && !news.history && conversation.state != State::Closed;
    let answers = news.direction == Direction::Outbound && news.author != AuthorKind::Campaign;
    match conversation.waiting_since {
        None if asks => conversation.waiting_since = Some(news.at),
        Some(since) if answers && news.at >= since => {
            conversation.waiting_since = conversation.last_inbound_at.filter(|last| *last > news.at);
        }
        _ => {}
    }
}

/// Since when they wait for us is another moment now; this is what it was when it was locked. The conversation as it is.
pub fn wait_since(tx: &mut TenantTx, before: Conversation, since: Option<Time>) -> Result<Conversation> {
    let after = Conversation { waiting_since: since, ..before.clone() };
    save(tx, &[before], std::slice::from_ref(&after))?;
    Ok(after)
}
