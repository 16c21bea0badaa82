//! How a message goes out once it is queued: taken by a worker, handed to the gateway with no transaction open, and settled
//! (`settle.rs`). Each step is one conditional statement, so that a message is never in two hands.
use super::{Message, MessageId, State, compose::Kind, parts, store, updates};
use crate::{
    Error, Result,
    clock::Time,
    contacts,
    conversations::{self, Direction},
    db::{TenantRead, TenantTx},
    instances, media,
};
use indaba_providers::{Address, Body, File, MessageRef, Outgoing};

/// A message in a worker's hand.
pub struct Order {
    /// It.
    pub message: Message,
    /// Where it goes.
    pub to: Address,
    /// Nothing was ever exchanged with this address.
    pub first: bool,
    /// What it answers.
    pub reply_to: Option<MessageRef>,
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

/// Takes a queued message to send it: from here to [`settle`](super::settle::settle) it is `sending`. `own_id` is the id it will have at WhatsApp, where we may
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
    let mut new = false;
    if turn.gap_ms > 0 {
        // tried before, it was counted before
        new = order.first && order.message.attempt == 0 && !store::has_sent(tx, order.message.conversation_id)?;
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
    updates::settled(tx, &[&*message])?;
    if new {
        instances::wrote_first(tx, message.instance_id)?; // everybody locks the conversation before its number
    }
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
pub fn reference(message: &Message, chat: &Address) -> Option<MessageRef> {
    let provider_id = message.provider_id.clone()?;
    Some(MessageRef {
        reference: message.provider_ref.clone().unwrap_or_else(|| provider_id.clone()),
        provider_id,
        chat: chat.clone(),
        from_me: message.direction == Direction::Outbound,
    })
}

/// As a provider takes it. Errors: 422-like sentence when its file is not here.
pub fn outgoing(order: &Order, bytes: Option<bytes::Bytes>) -> Result<Outgoing> {
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
        Ok(Kind::Poll | Kind::Location | Kind::Contacts) => {
            let content = message.content.as_deref().and_then(|content| serde_json::from_str(content).ok());
            let unread = || Error::Malformed("its content cannot be read".into());
            content.and_then(parts::body).ok_or_else(unread)?
        }
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
