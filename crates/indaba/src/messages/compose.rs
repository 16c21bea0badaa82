//! What can be sent, and how it is queued: in the transaction of the request, together with the job that will send it.
use super::{Message, MessageId, State, parts, search::doc, store, updates};
use crate::{
    Error, Result,
    clock::Time,
    contacts::{self, Touch},
    conversations::{self, AuthorKind, Conversation, Direction, News},
    db::{TenantRead, TenantTx},
    http::Who,
    jobs,
    media::{self, Kind as MediaKind, MediaId},
    quick_replies::{self, QuickReplyId},
    search,
};
use indaba_providers::{Capabilities, Capability, Content, LONGEST_CAPTION, LONGEST_TEXT};
use serde::Deserialize;
use serde_json::json;

words! {
    /// What can be sent.
    pub enum Kind as NewMessageKind {
        /// Text.
        Text = "text",
        /// A picture.
        Image = "image",
        /// A film.
        Video = "video",
        /// A recording.
        Audio = "audio",
        /// A voice note.
        Voice = "voice",
        /// Any file.
        Document = "document",
        /// A question with answers to choose from.
        Poll = "poll",
        /// A place.
        Location = "location",
        /// Contact cards.
        Contacts = "contacts",
    }
}

/// A message to send.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewMessage)]
pub struct New {
    /// What it is.
    pub kind: Kind,
    /// The text (1 to 4,096 characters), or what stands below a file (at most 1,024).
    pub body: Option<String>,
    /// The file, from `POST /api/media`.
    pub media_id: Option<MediaId>,
    /// The message it answers.
    pub reply_to: Option<MessageId>,
    /// The poll, of a message of that kind.
    pub poll: Option<parts::Poll>,
    /// The place, of a message of that kind.
    pub location: Option<parts::Place>,
    /// The contact cards, of a message of that kind.
    pub contacts: Option<Vec<parts::NewCard>>,
    /// The quick reply it was made from: counted there.
    pub quick_reply_id: Option<QuickReplyId>,
}

impl New {
    /// Errors: 422 with each field that is wrong.
    pub fn check(&self) -> Result<()> {
        let mut check = crate::http::Check::default();
        let body = self.body.as_deref().unwrap_or_default();
        let length = body.chars().count();
        match self.kind {
            Kind::Text => {
                check.that(!body.trim().is_empty(), "/body", "A message has at least one character.");
                check.that(length <= LONGEST_TEXT, "/body", "WhatsApp takes at most 4,096 characters.");
                check.that(self.media_id.is_none(), "/mediaId", "A text has no file.");
            }
            Kind::Audio | Kind::Voice => {
                check.that(length == 0, "/body", "WhatsApp shows no text below a recording.");
                check.that(self.media_id.is_some(), "/mediaId", "is missing");
            }
            Kind::Image | Kind::Video | Kind::Document => {
                check.that(length <= LONGEST_CAPTION, "/body", "Below a file WhatsApp takes at most 1,024 characters.");
                check.that(self.media_id.is_some(), "/mediaId", "is missing");
            }
            Kind::Poll | Kind::Location | Kind::Contacts => {
                check.that(self.body.is_none(), "/body", "All that it says stands in its own field.");
                check.that(self.media_id.is_none(), "/mediaId", "It has no file.");
            }
        }
        for (pointer, given, kind) in [
            ("/poll", self.poll.is_some(), Kind::Poll),
            ("/location", self.location.is_some(), Kind::Location),
            ("/contacts", self.contacts.is_some(), Kind::Contacts),
        ] {
            let wanted = self.kind == kind;
            check.that(given || !wanted, pointer, "is missing");
            check.that(!given || wanted, pointer, "belongs to a message of that kind");
        }
        if let Some(poll) = &self.poll {
            poll.check(&mut check);
        }
        if let Some(place) = &self.location {
            place.check(&mut check);
        }
        if let Some(cards) = &self.contacts {
            parts::check_cards(cards, &mut check);
        }
        check.done()
    }

    /// What it says besides its text. Errors: 422 for a card that cannot be made.
    fn content(&self, tx: &mut TenantRead) -> Result<Option<Content>> {
        if let Some(cards) = &self.contacts {
            return parts::cards(tx, cards).map(Some);
        }
        let poll = self.poll.as_ref().map(parts::Poll::content);
        Ok(poll.or_else(|| self.location.as_ref().map(parts::Place::content)))
    }

    /// Errors: 409 for what the number cannot send; 422 for a poll with more answers than its polls have. Where there are no polls, the provider
    /// lets buttons or a list stand in for one.
    fn possible(&self, can: &Capabilities) -> Result<()> {
        let most = can.most_answers();
        if self.poll.as_ref().is_some_and(|poll| poll.options.len() > most) {
            return Err(Error::field("/poll/options", format!("A poll of this number has at most {most} answers.")));
        }
        let instead = match self.kind {
            Kind::Poll if can.poll => return Ok(()),
            Kind::Poll if can.buttons && self.poll.as_ref().is_none_or(|poll| !poll.multiple) => return Ok(()),
            Kind::Poll if can.buttons => "Its polls are buttons, of which one is pressed: ask for one answer only.",
            Kind::Poll => "Its gateway offers no polls. Ask in a text.",
            Kind::Location | Kind::Contacts => "Its gateway does not offer that. Write it as text.",
            _ => "Its gateway does not offer that. Send it as a document, or as text.",
        };
        match self.capability() {
            Some(missing) if !can.has(missing) => {
                Err(Error::conflict("not-supported", "This number cannot send that", instead))
            }
            _ => Ok(()),
        }
    }

    fn capability(&self) -> Option<Capability> {
        match self.kind {
            Kind::Text => None,
            Kind::Image => Some(Capability::Image),
            Kind::Video => Some(Capability::Video),
            Kind::Audio => Some(Capability::Audio),
            Kind::Voice => Some(Capability::Voice),
            Kind::Document => Some(Capability::Document),
            Kind::Poll => Some(Capability::Poll),
            Kind::Location => Some(Capability::Location),
            Kind::Contacts => Some(Capability::Contacts),
        }
    }
}

/// Who writes a message, from whoever asks for it.
pub fn author(who: &Who) -> (AuthorKind, Option<[u8; 16]>, Option<String>) {
    let name = Some(who.actor.name().to_owned()).filter(|name| !name.is_empty());
    (AuthorKind::of(&who.actor), who.actor.id(), name)
}

/// Queues a message in a conversation. Errors: 409 for what the number cannot do, or outside the service window; 422 for a file or a poll
/// that does not fit.
pub fn queue(
    tx: &mut TenantTx,
    conversation: conversations::ConversationId,
    who: &Who,
    new: &New,
    can: &Capabilities,
) -> Result<super::View> {
    let now = tx.now();
    let before = conversations::locked(tx, conversation)?;
    window(&before, can, now)?;
    new.possible(can)?;
    let content = new.content(tx)?;
    let file = new.media_id.map(|id| file(tx, id, new.kind)).transpose()?;
    let quoted = new.reply_to.map(|id| quotable(tx, id, &before)).transpose()?;
    let (author, author_id, author_name) = author(who);
    let said = content.as_ref().and_then(Content::text).map(str::to_owned);
    let body = new.body.clone().filter(|body| !body.is_empty()).or(said);
    let message = Message {
        id: MessageId::at(now),
        conversation_id: before.id,
        instance_id: before.instance_id,
        direction: Direction::Outbound,
        author,
        author_id: author_id.map(|id| id.to_vec()),
        kind: new.kind.as_str().to_owned(),
        body,
        content: content.map(|content| serde_json::to_string(&content).expect("the vocabulary is plain JSON")),
        state: State::Queued,
        provider_id: None,
        provider_ref: None,
        error_code: None,
        error_detail: None,
        reply_to: new.reply_to,
        quoted_id: None,
        media_id: new.media_id,
        attempt: 0,
        asked_at: None,
        created_at: now,
        sent_at: None,
        delivered_at: None,
        read_at: None,
        edited_at: None,
        deleted_at: None,
        author_name: author_name.clone(),
    };
    store::insert(tx, &[&message])?;
    let mut after = before.clone();
    let news = News {
        id: message.id,
        at: now,
        kind: message.kind.clone(),
        preview: message.preview(),
        direction: Direction::Outbound,
        state: State::Queued.as_str(),
        author,
        author_id,
        author_name,
        address: None,
        said: true,
        history: false,
    };
    conversations::hear(&mut after, &news, now);
    conversations::save(tx, std::slice::from_ref(&before), std::slice::from_ref(&after))?;
    let touch = Touch { id: before.contact_id, name: None, phone: None, wrote: false, at: Some(now) };
    contacts::touch(tx, &[touch])?;
    search::add(tx, &doc(&message).into_iter().collect::<Vec<_>>())?;
    jobs::enqueue(tx, &super::jobs::SendMessage { message: message.id, conversation: before.id })?;
    if before.unread_count > 0 && after.unread_count == 0 {
        jobs::enqueue(tx, &super::jobs::MarkRead { conversation: before.id })?; // an answer reads: the customer sees it, too
    }
    if let Some(id) = new.quick_reply_id {
        quick_replies::used(tx, who, id)?;
    }
    let view = message.view(quoted.as_ref(), Vec::new(), file.as_ref().map(media::Media::view));
    let patch = json!({ "message": view, "conversation": after.view() });
    updates::tell(tx, "message.queued", &message, before.contact_id, &patch)?;
    Ok(view)
}

/// Errors: 409 when only a template may be sent now.
pub fn window(conversation: &Conversation, can: &Capabilities, now: Time) -> Result<()> {
    if can.window_24h && conversation.window_ends_at.is_none_or(|end| end <= now) {
        return Err(Error::conflict("outside-window", "The service window is closed", "Send a template instead."));
    }
    Ok(())
}

fn file(tx: &mut TenantRead, id: MediaId, kind: Kind) -> Result<media::Media> {
    let file = match media::get(tx, id) {
        Err(Error::Missing) => return Err(Error::field("/mediaId", "There is no such file.")),
        other => other?,
    };
    media::ready(&file)?;
    let fits = match kind {
        Kind::Image => file.kind == MediaKind::Image,
        Kind::Video => file.kind == MediaKind::Video,
        Kind::Audio | Kind::Voice => file.kind == MediaKind::Audio,
        Kind::Document => true,
        Kind::Text | Kind::Poll | Kind::Location | Kind::Contacts => false,
    };
    if !fits {
        return Err(Error::field("/kind", format!("This file is {}, not {kind}. Send it as a document.", file.mime)));
    }
    Ok(file)
}

fn quotable(tx: &mut TenantRead, id: MessageId, place: &Conversation) -> Result<Message> {
    match store::get(tx, id) {
        Ok(message) if message.conversation_id == place.id && message.provider_id.is_some() => Ok(message),
        Ok(_) | Err(Error::Missing) => {
            Err(Error::field("/replyTo", "There is no such message here, or it was never sent."))
        }
        Err(e) => Err(e),
    }
}
