//! What happens to messages later: states, reactions, new texts, votes. What is about a message that we do not have yet is parked.
use super::{
    Message, MessageId, State,
    inbound::Told,
    moment,
    polls::{self, Vote},
    preview, row,
    search::doc,
    store::{self, Reaction},
};
use crate::{
    Error, Result,
    clock::Time,
    contacts,
    conversations::{self, AuthorKind, Conversation, ConversationId, Direction},
    db::TenantTx,
    events,
    instances::{self, InstanceId},
    search,
};
use indaba_providers::{self as providers, Content, Incoming, StatusState};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Applies what happened to messages later: states, reactions, new texts, votes. What is about a message we do not have is parked.
pub(super) fn apply<'a>(
    tx: &mut TenantTx,
    told: impl Iterator<Item = Told<'a>>,
    known: &mut HashMap<(InstanceId, String), Message>,
) -> Result<()> {
    let now = tx.now();
    let mut moved: BTreeSet<(InstanceId, String)> = BTreeSet::new();
    let mut waiting: Vec<(InstanceId, String, String)> = Vec::new();
    for Told { instance, incoming } in told {
        let about = match incoming {
            Incoming::Status(status) => status.provider_id.as_str(),
            Incoming::Reaction(reaction) => &reaction.target,
            Incoming::Edited(edited) => &edited.target,
            Incoming::Revoked(revoked) => &revoked.target,
            Incoming::PollVote(vote) => &vote.poll,
            Incoming::Call(call) => &call.provider_id,
            Incoming::Message(message) => match &message.content {
                Content::PollVote { poll, .. } => poll,
                Content::ButtonReply { .. } | Content::ListReply { .. } if !message.from_me => {
                    let place = known.get(&(instance, message.provider_id.clone())).map(|row| row.conversation_id);
                    if let (Some(answer), Some(place)) = (polls::pressed(&message.content), place) {
                        polls::press(tx, answer, place, message.at)?;
                    }
                    continue;
                }
                _ if message.from_me => &message.provider_id, // the echo of ours: how far it has come
                _ => continue,
            },
            _ => continue,
        };
        let key = (instance, about.to_owned());
        if !known.contains_key(&key)
            && let Incoming::Status(providers::Status { correlation: Some(ours), .. }) = incoming
            && let Ok(id) = ours.parse::<MessageId>()
        {
            match store::locked(tx, id) {
                Ok(message) if message.instance_id == instance && message.provider_id.is_none() => {
                    known.insert(key.clone(), Message { provider_id: Some(about.to_owned()), ..message });
                    moved.insert(key.clone());
                }
                Ok(_) | Err(Error::Missing) => {}
                Err(e) => return Err(e),
            }
        }
        let Some(message) = known.get_mut(&key) else {
            if !matches!(incoming, Incoming::Message(_) | Incoming::Call(_)) {
                waiting.push((instance, key.1, serde_json::to_string(incoming).expect("the vocabulary is plain JSON")));
            }
            continue;
        };
        match incoming {
            Incoming::Status(status) if message.direction == Direction::Outbound => {
                let next = match status.state {
                    StatusState::Failed => State::Failed,
                    StatusState::Sent => State::Sent,
                    StatusState::Delivered => State::Delivered,
                    StatusState::Read | StatusState::Played => State::Read,
                };
                if message.advance(next, moment(status.at, now)) {
                    if next == State::Failed {
                        let error = status.error.clone().unwrap_or_default();
                        let code = if error.code.is_empty() { "refused".into() } else { error.code };
                        let detail =
                            if error.detail.is_empty() { "WhatsApp did not deliver it.".into() } else { error.detail };
                        (message.error_code, message.error_detail) = (Some(code), Some(detail));
                    }
                    moved.insert(key);
                }
            }
            Incoming::Message(vote) if matches!(vote.content, Content::PollVote { .. }) => {
                if let Content::PollVote { options, .. } = &vote.content {
                    polls::vote(tx, message, &Vote { from_me: vote.from_me, options, at: vote.at })?;
                }
            }
            Incoming::Message(echo) if message.direction == Direction::Outbound => {
                let reached = match echo.state {
                    Some(StatusState::Delivered) => State::Delivered,
                    Some(StatusState::Read | StatusState::Played) => State::Read,
                    _ => State::Sent,
                };
                let named = message.provider_ref.is_none();
                message.provider_ref.get_or_insert_with(|| echo.reference.clone());
                if message.advance(reached, moment(echo.at, now)) || named {
                    moved.insert(key);
                }
            }
            Incoming::Reaction(reaction) => {
                let (direction, author) = if reaction.from_me {
                    (Direction::Outbound, AuthorKind::Phone)
                } else {
                    (Direction::Inbound, AuthorKind::Contact)
                };
                let author_id = (!reaction.from_me).then(|| contact_of(tx, message)).transpose()?;
                let row = Reaction {
                    message_id: message.id,
                    direction,
                    author,
                    author_id,
                    emoji: reaction.emoji.chars().take(32).collect(),
                    at: moment(reaction.at, now),
                    author_name: None,
                };
                reacted(tx, message, &row)?;
            }
            Incoming::Edited(edited) => edit(tx, message, edited.text.as_deref(), moment(edited.at, now))?,
            Incoming::Revoked(revoked) => revoke(tx, message, moment(revoked.at, now))?,
            Incoming::PollVote(vote) => {
                if let Some(options) = &vote.options {
                    polls::vote(tx, message, &Vote { from_me: vote.from_me, options, at: vote.at })?;
                }
            }
            Incoming::Call(call) if message.kind == "call" => {
                let content = Content::Call { video: call.video, state: call.state };
                let content = serde_json::to_string(&content).expect("the vocabulary is plain JSON");
                if message.content.as_ref() != Some(&content) {
                    message.content = Some(content);
                    changed(tx, message, "message.edited")?;
                }
            }
            _ => {}
        }
    }
    store::park(tx, &waiting)?;
    let moved: Vec<&Message> = moved.iter().map(|key| &known[key]).collect();
    settled(tx, &moved)
}

/// Writes the new states of messages and tells of them.
pub(super) fn settled(tx: &mut TenantTx, moved: &[&Message]) -> Result<()> {
    if moved.is_empty() {
        return Ok(());
    }
    let before = store::states(tx, moved)?.into_iter().map(|(id, state, sent)| (id, (state, sent)));
    let before: BTreeMap<MessageId, (State, Option<Time>)> = before.collect();
    store::set_states(tx, moved)?;
    let shown: BTreeMap<ConversationId, (ConversationId, MessageId, &'static str)> =
        moved.iter().map(|of| (of.conversation_id, *of)).fold(BTreeMap::new(), |mut newest, (place, of)| {
            let entry = newest.entry(place).or_insert((place, of.id, of.state.as_str()));
            if entry.1 <= of.id {
                *entry = (place, of.id, of.state.as_str());
            }
            newest
        });
    conversations::advance(tx, &shown.into_values().collect::<Vec<_>>())?;
    let mut waits: BTreeMap<ConversationId, Option<Time>> = BTreeMap::new();
    let mut sent: BTreeMap<InstanceId, i64> = BTreeMap::new();
    for of in moved {
        let Some((was, was_sent)) = before.get(&of.id) else { continue };
        if was.is_lost() != of.state.is_lost() && of.author != AuthorKind::Campaign {
            let place = wait(tx, of)?;
            waits.insert(of.conversation_id, place.waiting_since);
        }
        if was_sent.is_none() && of.sent_at.is_some() {
            *sent.entry(of.instance_id).or_default() += 1; // here alone: whoever tells of it, and however often
        }
    }
    for (instance, count) in sent {
        instances::sent(tx, instance, count)?;
    }
    for of in moved {
        let event = match of.state {
            State::Sent => "message.sent",
            State::Delivered => "message.delivered",
            State::Read => "message.read",
            State::Failed => "message.failed",
            State::Unknown => "message.unknown",
            State::Sending => "message.sending",
            State::Cancelled => "message.cancelled",
            State::Queued | State::Received => "message.queued",
        };
        let error = of.error_code.clone().map(|code| super::Problem { code, detail: of.error_detail.clone() });
        let mut patch = json!({ "message": {
            "id": of.id, "conversationId": of.conversation_id, "state": of.state, "error": error,
            "sentAt": of.sent_at, "deliveredAt": of.delivered_at, "readAt": of.read_at,
        }});
        if let Some(since) = waits.get(&of.conversation_id) {
            patch["conversation"] = json!({ "id": of.conversation_id, "waitingSince": since });
        }
        events::append(tx, event, &of.ids(), &patch)?;
    }
    Ok(())
}

/// How many of the newest messages are looked at for another answer.
const NEWEST: i64 = 50;

/// An answer came to nothing, or went out after all: since when its conversation waits follows.
fn wait(tx: &mut TenantTx, of: &Message) -> Result<Conversation> {
    let place = conversations::locked(tx, of.conversation_id)?;
    let Some(last) = place.last_inbound_at else { return Ok(place) };
    let since = match place.waiting_since {
        Some(since) if !of.state.is_lost() && since <= of.created_at => Some(last).filter(|last| *last > of.created_at),
        None if of.state.is_lost() && place.state != conversations::State::Closed => {
            let answers = |other: &Message| {
                let ours = other.direction == Direction::Outbound && other.author != AuthorKind::Campaign;
                ours && !other.state.is_lost() && other.created_at >= last
            };
            let newest = store::page(tx, place.id, MessageId::MAX, NEWEST)?;
            (!newest.iter().any(answers)).then_some(last)
        }
        other => other,
    };
    conversations::wait_since(tx, place, since)
}

fn contact_of(tx: &mut TenantTx, message: &Message) -> Result<Vec<u8>> {
    match (&message.author_id, message.author) {
        (Some(id), AuthorKind::Contact) => Ok(id.clone()),
        _ => Ok(conversations::get(tx, message.conversation_id)?.contact_id.0.to_vec()),
    }
}

/// Stores a reaction and tells of it.
pub(super) fn reacted(tx: &mut TenantTx, message: &Message, reaction: &Reaction) -> Result<()> {
    if !store::react(tx, reaction)? {
        return Ok(());
    }
    let all = store::reactions(tx, &[message.id])?;
    let shown: Vec<_> = all.iter().filter(|of| !of.emoji.is_empty()).map(Reaction::view).collect();
    let patch =
        json!({ "message": { "id": message.id, "conversationId": message.conversation_id, "reactions": shown } });
    events::append(tx, "message.reacted", &message.ids(), &patch)
}

fn edit(tx: &mut TenantTx, message: &mut Message, new: Option<&str>, at: Time) -> Result<()> {
    if message.deleted_at.is_some() || message.edited_at.is_some_and(|last| last > at) {
        return Ok(());
    }
    message.edited_at = Some(at);
    if let Some(new) = new.and_then(row::kept) {
        message.body = Some(new); // a text, or what stands below a file: the file stays
        search::remove(tx, &[message.id.0])?;
        search::add(tx, &doc(message).into_iter().collect::<Vec<_>>())?;
    }
    changed(tx, message, "message.edited")
}

/// The sender took it back: what it said goes, that there was something stays.
fn revoke(tx: &mut TenantTx, message: &mut Message, at: Time) -> Result<()> {
    if message.deleted_at.is_some() {
        return Ok(());
    }
    preview::forget(tx, message)?;
    message.deleted_at = Some(at);
    (message.body, message.content, message.media_id) = (None, None, None);
    search::remove(tx, &[message.id.0])?;
    changed(tx, message, "message.deleted")
}

/// Writes what a message says now and tells of it.
fn changed(tx: &mut TenantTx, message: &Message, event: &'static str) -> Result<()> {
    store::set_content(tx, message)?;
    conversations::reword(tx, message.conversation_id, message.id, &message.preview())?;
    let content: Option<Value> = message.content.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let mut patch = json!({ "message": {
        "id": message.id, "conversationId": message.conversation_id, "body": message.body, "content": content.unwrap_or(json!({})),
        "editedAt": message.edited_at, "deletedAt": message.deleted_at,
    }});
    if message.deleted_at.is_some() {
        patch["message"]["media"] = Value::Null;
    }
    events::append(tx, event, &message.ids(), &patch)
}

/// Tells of a message with its conversation.
pub(super) fn tell(
    tx: &mut TenantTx,
    event: &'static str,
    message: &Message,
    contact: contacts::ContactId,
    patch: &impl Serialize,
) -> Result<()> {
    let ids: [(&'static str, &dyn std::fmt::Display); 4] = [
        ("message", &message.id),
        ("conversation", &message.conversation_id),
        ("contact", &contact),
        ("instance", &message.instance_id),
    ];
    events::append(tx, event, &ids, patch)
}
