//! The row that a message becomes when it comes in.
use super::{Message, MessageId, State, inbound::Told, moment};
use crate::{
    clock::Time,
    contacts::Contact,
    conversations::{AuthorKind, Conversation, Direction, News},
    instances::InstanceId,
    media::{MediaId, Source},
};
use indaba_providers::{self as providers, Content, Incoming, Origin, StatusState};
use serde_json::json;
use std::{collections::HashMap, time::Duration};

/// WhatsApp's own limit of a text that comes in, in characters.
const LONGEST_RECEIVED: usize = 65_536;

/// The row that a message becomes.
#[allow(clippy::too_many_arguments, reason = "all that a row is made of")]
pub(super) fn of(
    message: &providers::Message,
    instance: InstanceId,
    place: &Conversation,
    contact: &Contact,
    now: Time,
    known: &HashMap<(InstanceId, String), Message>,
    earlier: &[Message],
    files: &mut Vec<(MediaId, Source)>,
) -> Message {
    let at = moment(message.at, now);
    let id = MessageId::at(if now.since(at) > Duration::from_secs(60) { at } else { now });
    let inbound = !message.from_me;
    let media_id = message.content.media().map(|file| {
        let source = Source {
            instance,
            media: file.clone(),
            provider_id: message.provider_id.clone(),
            reference: message.reference.clone(),
            chat: message.chat.clone(),
            from_me: message.from_me,
            message: id.to_string(),
            conversation: place.id.to_string(),
        };
        let media = MediaId::at(now);
        files.push((media, source));
        media
    });
    let quoted = message.quoted.as_ref();
    let reply_to = quoted.and_then(|quoted| {
        let earlier = earlier
            .iter()
            .find(|row| row.instance_id == instance && row.provider_id.as_ref() == Some(&quoted.provider_id));
        known.get(&(instance, quoted.provider_id.clone())).or(earlier).map(|row| row.id)
    });
    let state = match (inbound, message.state) {
        (true, _) => State::Received,
        (false, None | Some(StatusState::Sent)) => State::Sent,
        (false, Some(StatusState::Delivered)) => State::Delivered,
        (false, Some(StatusState::Read | StatusState::Played)) => State::Read,
        (false, Some(StatusState::Failed)) => State::Failed,
    };
    let sent = (!inbound && state != State::Failed).then_some(at);
    Message {
        id,
        conversation_id: place.id,
        instance_id: instance,
        direction: if inbound { Direction::Inbound } else { Direction::Outbound },
        author: if inbound { AuthorKind::Contact } else { AuthorKind::Phone },
        author_id: inbound.then(|| contact.id.0.to_vec()),
        kind: message.content.kind().to_owned(),
        body: message.content.text().and_then(kept),
        content: content(message, reply_to),
        state,
        provider_id: Some(message.provider_id.clone()),
        provider_ref: Some(message.reference.clone()),
        error_code: None,
        error_detail: None,
        reply_to,
        quoted_id: quoted.filter(|_| reply_to.is_none()).map(|quoted| quoted.provider_id.clone()),
        media_id,
        attempt: 0,
        asked_at: None,
        created_at: at,
        sent_at: sent,
        delivered_at: sent.filter(|_| matches!(state, State::Delivered | State::Read)),
        read_at: sent.filter(|_| state == State::Read),
        edited_at: None,
        deleted_at: None,
        author_name: contact.name.clone().filter(|_| inbound),
    }
}

/// A text as we keep it. None if there is nothing in it.
pub(super) fn kept(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.chars().filter(|c| *c != '\0').take(LONGEST_RECEIVED).collect())
}

/// What a message says besides its text; where its file lies at the gateway is nobody's business. None for a plain text.
pub(super) fn content(message: &providers::Message, reply_to: Option<MessageId>) -> Option<String> {
    let lost = message.quoted.as_ref().filter(|_| reply_to.is_none());
    if matches!(message.content, Content::Text { .. }) && message.context.is_empty() && lost.is_none() {
        return None;
    }
    let mut content = message.stored();
    let fields = content.as_object_mut().expect("content is an object");
    for told_elsewhere in ["media", "text", "caption"] {
        fields.remove(told_elsewhere);
    }
    if let Some(quoted) = lost {
        let theirs = quoted.author.as_ref().is_none_or(|author| {
            *author == message.chat || message.person.identities().iter().any(|(_, id)| *id == author.as_str())
        });
        fields.insert("quoted".into(), json!({ "text": quoted.text, "fromMe": !theirs }));
    }
    Some(content.to_string())
}

pub(super) fn news(row: &Message, message: &providers::Message) -> News {
    News {
        id: row.id,
        at: row.created_at,
        kind: row.kind.clone(),
        preview: row.preview(),
        direction: row.direction,
        state: row.state.as_str(),
        author: row.author,
        author_id: row.author_id.as_deref().and_then(|id| id.try_into().ok()),
        author_name: row.author_name.clone(),
        address: Some(message.chat.to_string()),
        said: said(message),
        history: message.history,
    }
}

/// Somebody said it; not WhatsApp's own word about them.
pub(super) fn said(message: &providers::Message) -> bool {
    !matches!(message.content, Content::System { .. })
}

/// A call is shown as a message of its conversation.
pub(super) fn call(told: &Told) -> Option<(InstanceId, providers::Message)> {
    let Incoming::Call(call) = told.incoming else { return None };
    let message = providers::Message {
        provider_id: call.provider_id.clone(),
        reference: call.provider_id.clone(),
        chat: call.chat.clone(),
        person: call.person.clone(),
        from_me: call.from_me,
        origin: Some(Origin::App),
        at: call.at,
        content: Content::Call { video: call.video, state: call.state },
        quoted: None,
        context: Default::default(),
        state: None,
        order: None,
        history: false,
    };
    Some((told.instance, message))
}
