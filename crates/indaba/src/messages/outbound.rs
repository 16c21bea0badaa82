//! How a message goes out. It is queued in the transaction of the request, taken by a worker, handed to the gateway with no transaction
//! open, and settled. Each step is one conditional statement, so that a message is never in two hands.
use super::{Message, MessageId, State, inbound, store};
use crate::{
    Error, Result,
    clock::Time,
    contacts::{self, Touch},
    conversations::{self, AuthorKind, Conversation, Direction, News},
    db::{TenantRead, TenantTx},
    http::{Actor, Who},
    instances::{self, InstanceId},
    jobs,
    media::{self, Kind as MediaKind, MediaId},
    search,
};
use indaba_providers::{Address, Capabilities, Capability, Outgoing, SendError, Sent, Session, SessionState};
use serde::Deserialize;
use serde_json::json;
use std::time::Duration;

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
}

/// WhatsApp's limits, in characters.
const LONGEST_TEXT: usize = 4_096;
const LONGEST_CAPTION: usize = 1_024;

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
        }
        check.done()
    }

    fn capability(&self) -> Option<Capability> {
        match self.kind {
            Kind::Text => None,
            Kind::Image => Some(Capability::Image),
            Kind::Video => Some(Capability::Video),
            Kind::Audio => Some(Capability::Audio),
            Kind::Voice => Some(Capability::Voice),
            Kind::Document => Some(Capability::Document),
        }
    }
}

/// Who writes a message, from whoever asks for it.
pub fn author(who: &Who) -> (AuthorKind, Option<[u8; 16]>, Option<String>) {
    let name = Some(who.actor.name().to_owned()).filter(|name| !name.is_empty());
    match &who.actor {
        Actor::User { id, .. } => (AuthorKind::User, Some(id.0), name),
        Actor::ApiKey { id, .. } => (AuthorKind::Api, Some(id.0), name),
        Actor::System => (AuthorKind::Rule, None, None),
    }
}

/// Queues a message in a conversation. Errors: 409 for what the number cannot do, or outside the service window; 422 for a file that
/// does not fit.
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
    if let Some(missing) = new.capability().filter(|capability| !can.has(*capability)) {
        return Err(Error::conflict(
            "not-supported",
            "This number cannot send that",
            format!("Its gateway does not offer {missing:?}. Send it as a document, or as text."),
        ));
    }
    let file = new.media_id.map(|id| file(tx, id, new.kind)).transpose()?;
    let quoted = new.reply_to.map(|id| quotable(tx, id, &before)).transpose()?;
    let (author, author_id, author_name) = author(who);
    let body = new.body.clone().filter(|body| !body.is_empty());
    let message = Message {
        id: MessageId::at(now),
        conversation_id: before.id,
        instance_id: before.instance_id,
        direction: Direction::Outbound,
        author,
        author_id: author_id.map(|id| id.to_vec()),
        kind: new.kind.as_str().to_owned(),
        body,
        content: None,
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
    search::add(tx, &inbound::doc(&message).into_iter().collect::<Vec<_>>())?;
    jobs::enqueue(tx, &super::jobs::SendMessage { message: message.id, conversation: before.id })?;
    let view = message.view(quoted.as_ref(), Vec::new(), file.as_ref().map(media::Media::view));
    let patch = json!({ "message": view, "conversation": after.view() });
    inbound::tell(tx, "message.queued", &message, before.contact_id, &patch)?;
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
        Kind::Text => false,
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

/// A message in a worker's hand.
pub struct Order {
    /// It.
    pub message: Message,
    /// Where it goes.
    pub to: Address,
    /// Nothing was ever exchanged with this address.
    pub first: bool,
    /// What it answers.
    pub reply_to: Option<indaba_providers::MessageRef>,
    /// Its file.
    pub file: Option<media::Media>,
}

/// What a worker finds when it comes for a message.
pub enum Taken {
    /// To be sent now.
    Order(Box<Order>),
    /// It was being handed over when somebody stopped: look it up.
    Adrift(Box<Order>),
    /// The number may send again at this moment.
    NotYet(Time),
    /// Somebody was here before: nothing is left to do.
    Nothing,
}

/// What a number's pace allows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Turn {
    /// How long the number waits before its next message; 0: it keeps no pace.
    pub gap_ms: i64,
    /// How many people who never wrote it may write to on one day.
    pub new_chats: u32,
    /// No messages before this to people who never wrote.
    pub firsts_from: Option<Time>,
}

/// Takes a queued message to send it: from here to [`settle`] it is `sending`. `own_id` is the id it will have at WhatsApp, where we may
/// choose that.
pub fn take(tx: &mut TenantTx, id: MessageId, own_id: Option<&str>, turn: &Turn) -> Result<Taken> {
    let message = match store::locked(tx, id) {
        Err(Error::Missing) => return Ok(Taken::Nothing),
        other => other?,
    };
    let state = message.state;
    if !matches!(state, State::Queued | State::Sending) {
        return Ok(Taken::Nothing);
    }
    let mut order = order(tx, message)?;
    if state == State::Sending {
        return Ok(Taken::Adrift(Box::new(order)));
    }
    let now = tx.now();
    if let Some(from) = turn.firsts_from.filter(|from| order.first && *from > now) {
        return Ok(Taken::NotYet(from));
    }
    if turn.gap_ms > 0 {
        // tried before, it was counted before
        let new = order.first && order.message.attempt == 0 && !store::has_sent(tx, order.message.conversation_id)?;
        let budget = new.then_some(turn.new_chats);
        if let Some(next) = store::turn(tx, order.message.instance_id, turn.gap_ms, budget)? {
            return Ok(Taken::NotYet(next));
        }
    }
    let message = &mut order.message;
    message.state = State::Sending;
    message.attempt += 1;
    message.asked_at = Some(now);
    message.provider_id = own_id.map(str::to_owned).or(message.provider_id.take());
    (message.error_code, message.error_detail) = (None, None);
    inbound::settled(tx, &[&*message])?;
    Ok(Taken::Order(Box::new(order)))
}

/// What sending it takes.
pub fn order(tx: &mut TenantRead, message: Message) -> Result<Order> {
    let place = conversations::get(tx, message.conversation_id)?;
    let address = match place.address.as_deref().and_then(Address::parse) {
        Some(address) => Some(address),
        None => contacts::address(tx, place.contact_id, place.instance_id)?,
    };
    let to = address.ok_or_else(|| Error::Malformed("nobody knows where to send it".into()))?;
    let quoted = message.reply_to.map(|id| store::get(tx, id)).transpose()?;
    let reply_to = quoted.and_then(|quoted| reference(&quoted, &to));
    let file = message.media_id.map(|id| media::get(tx, id)).transpose()?;
    Ok(Order { first: place.last_inbound_at.is_none(), message, to, reply_to, file })
}

/// A message as calls about it need it; None if WhatsApp never had it.
pub fn reference(message: &Message, chat: &Address) -> Option<indaba_providers::MessageRef> {
    let provider_id = message.provider_id.clone()?;
    Some(indaba_providers::MessageRef {
        reference: message.provider_ref.clone().unwrap_or_else(|| provider_id.clone()),
        provider_id,
        chat: chat.clone(),
        from_me: message.direction == Direction::Outbound,
    })
}

/// What becomes of the job.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// It is settled.
    Done,
    /// Again after this long.
    After(Duration),
    /// Again with backoff, for this reason.
    Retry(String),
}

/// How long a number that is not ready is left alone.
const NOT_LINKED: Duration = Duration::from_secs(60);
/// How long a gateway is left alone that does not let us in.
const SHUT: Duration = Duration::from_secs(300);
/// How soon a message with an unclear fate is looked up.
const LOOK: Duration = Duration::from_secs(1);

/// Writes down how the sending went. `first`: to somebody who never wrote; `last`: no attempt is left.
pub fn settle(
    tx: &mut TenantTx,
    id: MessageId,
    outcome: &Result<Sent, SendError>,
    first: bool,
    last: bool,
) -> Result<Next> {
    let mut message = store::locked(tx, id)?;
    let now = tx.now();
    let error = match outcome {
        Ok(sent) => {
            reached(tx, &mut message, sent, now)?;
            if first {
                instances::unlock(tx, message.instance_id)?;
            }
            return Ok(Next::Done);
        }
        Err(error) => error,
    };
    if message.state != State::Sending {
        return Ok(Next::Done); // a status has told more meanwhile
    }
    let (code, detail) = match error {
        // its fate is not known: it stays `sending`, is looked up, and becomes `unknown` after a while
        SendError::Unknown { .. } => return Ok(Next::After(LOOK)),
        SendError::Wait { after } => {
            instances::pause(tx, message.instance_id, now + *after)?;
            requeue(tx, &mut message)?;
            return Ok(Next::After(*after));
        }
        SendError::NotLinked { .. } | SendError::InstanceGone => {
            requeue(tx, &mut message)?;
            return Ok(Next::After(NOT_LINKED));
        }
        SendError::GatewayLocked { detail } => {
            instances::trouble(tx, message.instance_id, detail)?;
            requeue(tx, &mut message)?;
            return Ok(Next::After(SHUT));
        }
        SendError::Retry { detail } if !last => {
            requeue(tx, &mut message)?;
            return Ok(Next::Retry(detail.clone()));
        }
        SendError::Retry { .. } => ("unreachable", "The gateway could not be reached for a while.".to_owned()),
        SendError::Refused { code, detail } => (code.as_str(), detail.clone()),
        SendError::NotOnWhatsApp => ("not-on-whatsapp", "This number is not on WhatsApp.".into()),
        SendError::Locked { until } => {
            let until = instances::lock(tx, message.instance_id, first, until.map(Time))?;
            message.error_code = Some("account-locked".into());
            message.error_detail =
                Some(format!("WhatsApp has locked this number for a while. It is tried again at {until}."));
            requeue(tx, &mut message)?;
            return Ok(Next::After(until.since(now)));
        }
        SendError::Banned { until } => {
            let session = Session { state: SessionState::Banned, ..Session::default() };
            let known = instances::get(tx, message.instance_id)?.state_at;
            instances::answered(tx, message.instance_id, &session, known)?;
            if let Some(until) = until {
                instances::pause(tx, message.instance_id, Time(*until))?;
            }
            ("banned", "WhatsApp has banned this number.".into())
        }
        SendError::NotSupported { capability } => {
            instances::capability_is_off(tx, message.instance_id, *capability)?;
            ("not-supported", "This number's gateway cannot send that.".into())
        }
    };
    message.provider_id = None; // it never got there: its id may be used again
    fail(tx, &mut message, code, detail)?;
    Ok(Next::Done)
}

/// The gateway has it: also after a status had told so, or a person had given it up.
pub fn reached(tx: &mut TenantTx, message: &mut Message, sent: &Sent, now: Time) -> Result<()> {
    let at = sent.at.map_or(now, |at| Time(at).min(now));
    let echo =
        store::known(tx, &[(message.instance_id, &sent.provider_id)])?.into_iter().find(|echo| echo.id != message.id);
    if let Some(echo) = echo {
        // its echo came first and was taken for a message from the phone
        store::remove(tx, echo.id)?;
        search::remove(tx, &[echo.id.0])?;
        let patch = json!({ "message": { "id": echo.id, "conversationId": echo.conversation_id, "removed": true } });
        crate::events::append(
            tx,
            "message.deleted",
            &[("message", &echo.id), ("conversation", &echo.conversation_id)],
            &patch,
        )?;
    }
    message.provider_id = Some(sent.provider_id.clone());
    message.provider_ref = Some(sent.reference.clone());
    if message.state == State::Cancelled || message.state == State::Failed {
        message.state = State::Sending;
    }
    message.advance(State::Sent, at);
    inbound::settled(tx, &[&*message])?;
    instances::touch(tx, message.instance_id, None, None, Some(now))?;
    inbound::unpark(tx, message.instance_id, &sent.provider_id)
}

/// It surely was not sent: it waits again.
fn requeue(tx: &mut TenantTx, message: &mut Message) -> Result<()> {
    message.state = State::Queued;
    message.provider_id = None;
    inbound::settled(tx, &[&*message])
}

/// It will not be sent.
pub fn fail(tx: &mut TenantTx, message: &mut Message, code: &str, detail: String) -> Result<()> {
    message.state = State::Failed;
    (message.error_code, message.error_detail) = (Some(code.to_owned()), Some(detail));
    inbound::settled(tx, &[&*message])
}

/// Nobody knows whether it was sent: from here on a person decides. False: a status has told more meanwhile.
pub fn give_up(tx: &mut TenantTx, id: MessageId) -> Result<bool> {
    let mut message = store::locked(tx, id)?;
    if message.state != State::Sending {
        return Ok(false);
    }
    message.state = State::Unknown;
    message.error_code = Some("unknown".into());
    message.error_detail = Some("The gateway did not say whether it was sent. Look at the phone, then decide.".into());
    inbound::settled(tx, &[&message])?;
    Ok(true)
}

/// A person decides about a message. Errors: 409 when its state leaves nothing to decide.
pub fn decide(tx: &mut TenantTx, id: MessageId, what: Decision) -> Result<Message> {
    let mut message = store::locked(tx, id)?;
    let allowed = match what {
        Decision::MarkSent => message.state == State::Unknown,
        Decision::Resend => matches!(message.state, State::Failed | State::Unknown | State::Cancelled),
        Decision::Cancel => message.state == State::Queued,
    };
    if !allowed || message.direction != Direction::Outbound || message.author == AuthorKind::Phone {
        let title = match what {
            Decision::MarkSent => "Only an unknown message can be marked as sent",
            Decision::Resend => "This message cannot be sent again",
            Decision::Cancel => "This message has left already",
        };
        return Err(Error::conflict("wrong-state", title, format!("It is {} now.", message.state)));
    }
    (message.error_code, message.error_detail) = (None, None);
    match what {
        Decision::MarkSent => {
            message.advance(State::Sent, tx.now());
        }
        Decision::Resend => {
            (message.state, message.provider_id, message.provider_ref) = (State::Queued, None, None);
            jobs::enqueue(tx, &super::jobs::SendMessage { message: id, conversation: message.conversation_id })?;
        }
        Decision::Cancel => message.state = State::Cancelled,
    }
    inbound::settled(tx, &[&message])?;
    Ok(message)
}

/// What a person may decide about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is on the phone: it was sent.
    MarkSent,
    /// Send it again.
    Resend,
    /// Do not send it.
    Cancel,
}

/// As a provider takes it. Errors: 422-like sentence when its file is not here.
pub fn outgoing(order: &Order, bytes: Option<bytes::Bytes>) -> Result<Outgoing> {
    use indaba_providers::{Body, File};
    let message = &order.message;
    let text = message.body.clone();
    let file = || {
        let media = order.file.as_ref().ok_or(Error::Missing)?;
        let name = media.name.clone().unwrap_or_else(|| format!("file.{}", extension(&media.mime)));
        Ok::<_, Error>(File { mime: media.mime.clone(), name, bytes: bytes.clone().ok_or(Error::Missing)? })
    };
    let body = match message.kind.parse::<Kind>() {
        Ok(Kind::Text) => Body::Text { text: text.unwrap_or_default() },
        Ok(Kind::Image) => Body::Image { file: file()?, caption: text },
        Ok(Kind::Video) => Body::Video { file: file()?, caption: text },
        Ok(Kind::Audio) => Body::Audio { file: file()? },
        Ok(Kind::Voice) => Body::Voice { file: file()? },
        Ok(Kind::Document) => Body::Document { file: file()?, caption: text },
        Err(_) => return Err(Error::Malformed(format!("messages of kind {} are not sent", message.kind))),
    };
    Ok(Outgoing {
        to: order.to.clone(),
        correlation: message.id.to_string(),
        body,
        reply_to: order.reply_to.clone(),
        first: order.first,
        link_preview: true,
    })
}

/// What a file's name should end in.
fn extension(mime: &str) -> &'static str {
    match mime.split(';').next().unwrap_or_default() {
        "image/jpeg" => "jpg",
        "image/png" => "png",
        "image/webp" => "webp",
        "image/gif" => "gif",
        "video/mp4" => "mp4",
        "audio/ogg" => "ogg",
        "audio/mpeg" => "mp3",
        "audio/mp4" => "m4a",
        "audio/webm" => "webm",
        "audio/wav" => "wav",
        "application/pdf" => "pdf",
        "text/plain" => "txt",
        _ => "bin",
    }
}

/// A number's sends follow each other at this distance, at random between the two.
pub fn gap_ms(min: u64, max: u64) -> i64 {
    let gap = if max > min { rand::random_range(min..=max) } else { max };
    i64::try_from(gap).unwrap_or(0)
}

/// On which number a message to this contact goes, and in which conversation.
pub fn place(tx: &mut TenantTx, contact: contacts::ContactId, instance: Option<InstanceId>) -> Result<Conversation> {
    conversations::begin(tx, contact, instance).map(|(conversation, _)| conversation)
}
