//! What gateways tell us becomes rows: messages with their contacts and conversations, and everything that happens to messages later.
//!
//! All of one tenant's that waits is taken in together, so that a statement serves many messages. Everything here may come twice, late,
//! and in any order: what is older than what we know changes nothing, and what is about a message that we do not have yet is parked.
use super::{
    Message, MessageId, State, echo, moment,
    store::{self, Reaction},
};
use crate::{
    Error, Result,
    clock::Time,
    contacts::{self, Contact, Sighting, Touch},
    conversations::{self, AuthorKind, Conversation, ConversationId, Direction, News},
    db::TenantTx,
    events,
    instances::{self, InstanceId},
    jobs::{self, Job, JobCx, JobError},
    media::{self, FetchMedia, MediaId, Source},
    search::{self, Doc, Kind},
};
use indaba_providers::{self as providers, Content, Incoming, Origin, Person, StatusState};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

/// Something that happened on a number.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// On which.
    pub instance: InstanceId,
    /// What.
    pub incoming: &'a Incoming,
}

/// Provider ids are shorter; what is longer is no id.
const LONGEST_ID: usize = 255;
/// WhatsApp's own limit of a text.
const LONGEST_TEXT: usize = 65_536;

type Key<'a> = (InstanceId, &'a str);

/// Takes in what was told, in its order. Errors: `Malformed` for what cannot be kept (and nothing of it all is).
pub fn receive(tx: &mut TenantTx, told: &[Told]) -> Result<()> {
    let keys = keys(told)?;
    people(tx, told)?;
    let mut known: HashMap<(InstanceId, String), Message> = store::known(tx, &keys.into_iter().collect::<Vec<_>>())?
        .into_iter()
        .filter_map(|message| Some(((message.instance_id, message.provider_id.clone()?), message)))
        .collect();
    // messages before numbers, as whoever sends locks them
    sessions(tx, told)?;
    let parked = messages(tx, told, &mut known)?;
    old_names(tx, told, &mut known)?;
    let unparked: Vec<(InstanceId, Incoming)> = parked
        .into_iter()
        .filter_map(|(instance, payload)| Some((instance, serde_json::from_str(&payload).ok()?)))
        .collect();
    let late = unparked.iter().map(|(instance, incoming)| Told { instance: *instance, incoming });
    updates(tx, told.iter().copied().chain(late), &mut known)
}

/// Applies what was parked for a message that we have now; the echo of the message itself is dropped with it.
pub fn unpark(tx: &mut TenantTx, instance: InstanceId, provider_id: &str) -> Result<()> {
    let parked = store::unpark(tx, &[(instance, provider_id)])?;
    let parked: Vec<Incoming> = parked.iter().filter_map(|(_, payload)| serde_json::from_str(payload).ok()).collect();
    let told = parked.iter().filter(|incoming| !matches!(incoming, Incoming::Message(_)));
    let told: Vec<Told> = told.map(|incoming| Told { instance, incoming }).collect();
    if told.is_empty() { Ok(()) } else { receive(tx, &told) }
}

/// The newest word on each number's link; gateways flood with these.
fn sessions(tx: &mut TenantTx, told: &[Told]) -> Result<()> {
    let mut newest: BTreeMap<InstanceId, &providers::Session> = BTreeMap::new();
    let mut all: Vec<(InstanceId, providers::Session)> = Vec::new();
    for one in told {
        match one.incoming {
            Incoming::Session(session) => {
                let last = newest.entry(one.instance).or_insert(session);
                if session.at >= last.at {
                    *last = session;
                }
            }
            Incoming::Account(account) if account.state != providers::SessionState::Unknown => {
                let session = providers::Session { state: account.state, at: account.at, ..Default::default() };
                all.push((one.instance, session));
            }
            _ => {}
        }
    }
    all.extend(newest.into_iter().map(|(instance, session)| (instance, session.clone())));
    all.sort_by_key(|(instance, _)| *instance); // everybody locks them in this order
    all.iter().try_for_each(|(instance, session)| instances::receive(tx, *instance, session))
}

/// What the address book says of contacts we have.
fn people(tx: &mut TenantTx, told: &[Told]) -> Result<()> {
    let mut seen: Vec<(InstanceId, Person)> = Vec::new();
    for one in told {
        let (chat, mut person) = match one.incoming {
            Incoming::Contact(contact) => (&contact.chat, contact.person.clone()),
            Incoming::Rekeyed(rekeyed) => {
                let found = contacts::rekey(tx, one.instance, rekeyed)?;
                fold(tx, &found.merged, &mut HashMap::new())?;
                continue;
            }
            Incoming::Preference(preference) => {
                contacts::prefer(tx, one.instance, &preference.person, preference.opted_out)?;
                continue;
            }
            _ => continue,
        };
        person.learn(chat);
        if chat.is_person() {
            seen.push((one.instance, person));
        }
    }
    if seen.is_empty() {
        return Ok(());
    }
    let sightings: Vec<Sighting> =
        seen.iter().map(|(instance, person)| Sighting { instance: *instance, person, wrote: false }).collect();
    let found = contacts::recognise_known(tx, &sightings)?;
    fold(tx, &found.merged, &mut HashMap::new())
}

/// Names that people gave up. Only now: what they wrote under them may have come in the same breath.
fn old_names(tx: &mut TenantTx, told: &[Told], known: &mut HashMap<(InstanceId, String), Message>) -> Result<()> {
    for one in told {
        let Incoming::Rekeyed(rekeyed) = one.incoming else { continue };
        // a stranger until just now: who first wrote in this breath has the new name, too
        let found = contacts::rekey(tx, one.instance, rekeyed)?;
        fold(tx, &found.merged, known)?;
        if let Some(contact) = contacts::leave_name(tx, one.instance, rekeyed)? {
            conversations::readdress(tx, contact, rekeyed.from.as_str(), rekeyed.to.as_str())?;
        }
    }
    Ok(())
}

/// The messages that anything here is about.
fn keys<'a>(told: &[Told<'a>]) -> Result<BTreeSet<Key<'a>>> {
    let mut keys = BTreeSet::new();
    for one in told {
        let ids: [Option<&str>; 2] = match one.incoming {
            Incoming::Message(message) => {
                let poll =
                    if let Content::PollVote { poll, .. } = &message.content { Some(poll.as_str()) } else { None };
                [Some(&message.provider_id), poll.or(message.quoted.as_ref().map(|quoted| quoted.provider_id.as_str()))]
            }
            Incoming::Status(status) => [Some(&status.provider_id), None],
            Incoming::Reaction(reaction) => [Some(&reaction.target), None],
            Incoming::Edited(edited) => [Some(&edited.target), None],
            Incoming::Revoked(revoked) => [Some(&revoked.target), None],
            Incoming::PollVote(vote) => [Some(&vote.poll), None],
            Incoming::Call(call) => [Some(&call.provider_id), None],
            _ => [None, None],
        };
        let fits = |id: &str| (1..=LONGEST_ID).contains(&id.len());
        let [own, other] = ids;
        if let Some(id) = own.filter(|id| !fits(id)) {
            return Err(Error::Malformed(format!("a message id of {} characters", id.len())));
        }
        // what a sender's program calls the message it answers is no reason to lose the answer
        keys.extend([own, other.filter(|id| fits(id))].into_iter().flatten().map(|id| (one.instance, id)));
    }
    Ok(keys)
}

/// Whether it has an id that can be kept.
pub fn can_be_kept(one: &Told) -> bool {
    keys(std::slice::from_ref(one)).is_ok()
}

/// Stores the messages that are new, with their contacts and conversations. Gives what was parked for them.
fn messages(
    tx: &mut TenantTx,
    told: &[Told],
    known: &mut HashMap<(InstanceId, String), Message>,
) -> Result<Vec<(InstanceId, String)>> {
    let now = tx.now();
    let calls: Vec<(InstanceId, providers::Message)> = told.iter().filter_map(call).collect();
    let mut fresh: Vec<(InstanceId, &providers::Message)> = Vec::new();
    let mut seen: BTreeSet<Key> = BTreeSet::new();
    let mut sending: HashMap<InstanceId, bool> = HashMap::new();
    let told_messages = told.iter().filter_map(|one| match one.incoming {
        Incoming::Message(message) => Some((one.instance, &**message)),
        _ => None,
    });
    for (instance, message) in told_messages.chain(calls.iter().map(|(instance, message)| (*instance, message))) {
        let vote = matches!(message.content, Content::PollVote { .. });
        let new = !known.contains_key(&(instance, message.provider_id.clone()))
            && seen.insert((instance, &message.provider_id));
        if vote || !new || !message.chat.is_person() {
            continue;
        }
        // our own send may be told of before the gateway has answered it
        if message.from_me && message.origin != Some(Origin::App) && !message.history {
            let busy = match sending.get(&instance) {
                Some(busy) => *busy,
                None => *sending.entry(instance).or_insert(store::is_sending(tx, instance)?),
            };
            if busy {
                echo::park(tx, instance, message)?;
                continue;
            }
        }
        fresh.push((instance, message));
    }
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    // gateways post side by side: the time tells the order, and within a second the order in which they told of it
    fresh.sort_by_key(|(_, message)| (moment(message.at, now), message.order));

    let people: Vec<Person> = fresh
        .iter()
        .map(|(_, message)| {
            let mut person = message.person.clone();
            person.learn(&message.chat);
            person
        })
        .collect();
    let sightings: Vec<Sighting> = fresh
        .iter()
        .zip(&people)
        .map(|((instance, message), person)| Sighting {
            instance: *instance,
            person,
            wrote: !message.from_me && said(message),
        })
        .collect();
    let recognised = contacts::recognise(tx, &sightings)?;
    fold(tx, &recognised.merged, known)?;
    let pairs: Vec<_> =
        fresh.iter().zip(&recognised.contacts).map(|((instance, _), contact)| (*instance, contact.id)).collect();
    let (places, opened) = conversations::of(tx, &pairs)?;

    let mut files: Vec<(MediaId, Source)> = Vec::new();
    let mut rows: Vec<Message> = Vec::with_capacity(fresh.len());
    for (((instance, message), place), contact) in fresh.iter().zip(&places).zip(&recognised.contacts) {
        let row = row(message, *instance, place, contact, now, known, &rows, &mut files);
        rows.push(row);
    }
    let sources: Vec<(MediaId, &Source)> = files.iter().map(|(id, source)| (*id, source)).collect();
    let expected = media::expect(tx, &sources)?;
    let new: BTreeSet<MessageId> =
        store::insert(tx, &rows.iter().collect::<Vec<_>>())?.into_iter().map(|(id,)| id).collect();

    // what the conversations show of it
    let mut after: BTreeMap<ConversationId, (Conversation, Conversation)> =
        places.iter().map(|place| (place.id, (place.clone(), place.clone()))).collect();
    let mut reopened = BTreeSet::new();
    let mut touches: BTreeMap<contacts::ContactId, Touch> = BTreeMap::new();
    for (row, (_, message)) in rows.iter().zip(&fresh).filter(|(row, _)| new.contains(&row.id)) {
        let (_, place) = after.get_mut(&row.conversation_id).expect("every row has its conversation");
        if conversations::hear(place, &news(row, message), now) {
            reopened.insert(place.id);
        }
        let id = place.contact_id;
        let touch = touches.entry(id).or_insert(Touch { id, name: None, phone: None, wrote: false, at: None });
        touch.wrote |= !message.from_me && !message.history && said(message);
        touch.at = touch.at.max(Some(row.created_at));
    }
    let (before, saved): (Vec<_>, Vec<_>) = after.values().cloned().unzip();
    conversations::save(tx, &before, &saved)?;
    contacts::touch(tx, &touches.into_values().collect::<Vec<_>>())?;
    let docs: Vec<Doc> = rows.iter().filter(|row| new.contains(&row.id)).filter_map(doc).collect();
    search::add(tx, &docs)?;

    for place in saved.iter().filter(|place| opened.contains(&place.id) || reopened.contains(&place.id)) {
        events::append(
            tx,
            "conversation.opened",
            &conversations::ids(place),
            &json!({ "conversation": place.view() }),
        )?;
    }
    let mut inbound: BTreeMap<InstanceId, bool> = BTreeMap::new();
    for (row, (instance, message)) in rows.iter().zip(&fresh).filter(|(row, _)| new.contains(&row.id)) {
        *inbound.entry(*instance).or_default() |= row.direction == Direction::Inbound;
        if let Some(media) = row.media_id {
            jobs::enqueue(tx, &FetchMedia { media })?;
        }
        if message.history {
            continue;
        }
        let (_, place) = &after[&row.conversation_id];
        let quoted = row.reply_to.and_then(|id| known.values().chain(&rows).find(|other| other.id == id));
        let file = row.media_id.and_then(|id| expected.iter().find(|file| file.id == id)).map(media::Media::view);
        let event = if row.direction == Direction::Inbound { "message.received" } else { "message.sent" };
        let patch = Shown { message: row.view(quoted, Vec::new(), file), conversation: place.view() };
        tell(tx, event, row, place.contact_id, &patch)?;
    }
    for (instance, inbound) in inbound {
        instances::touch(tx, instance, None, inbound.then_some(now), None)?;
    }
    let parked: Vec<Key> = fresh
        .iter()
        .zip(&rows)
        .filter(|(_, row)| new.contains(&row.id))
        .map(|((instance, message), _)| (*instance, message.provider_id.as_str()))
        .collect();
    let parked = store::unpark(tx, &parked)?;
    for row in rows.into_iter().filter(|row| new.contains(&row.id)) {
        if let Some(id) = row.provider_id.clone() {
            known.insert((row.instance_id, id), row);
        }
    }
    Ok(parked)
}

/// What an open browser shows of a new message.
#[derive(Serialize)]
struct Shown {
    message: super::View,
    conversation: conversations::View,
}

/// A call is shown as a message of its conversation.
fn call(told: &Told) -> Option<(InstanceId, providers::Message)> {
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

/// The row that a message becomes.
#[allow(clippy::too_many_arguments, reason = "all that a row is made of")]
fn row(
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
fn kept(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.chars().filter(|c| *c != '\0').take(LONGEST_TEXT).collect())
}

/// What a message says besides its text; where its file lies at the gateway is nobody's business. None for a plain text.
fn content(message: &providers::Message, reply_to: Option<MessageId>) -> Option<String> {
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

fn news(row: &Message, message: &providers::Message) -> News {
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
fn said(message: &providers::Message) -> bool {
    !matches!(message.content, Content::System { .. })
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

/// Applies what happened to messages later: states, reactions, new texts, votes. What is about a message we do not have is parked.
fn updates<'a>(
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
                    voted(tx, message, vote.from_me, options, vote.at)?;
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
                    voted(tx, message, vote.from_me, options, vote.at)?;
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
        let patch = json!({ "message": {
            "id": of.id, "conversationId": of.conversation_id, "state": of.state, "error": error,
            "sentAt": of.sent_at, "deliveredAt": of.delivered_at, "readAt": of.read_at,
        }});
        let ids: [(&'static str, &dyn std::fmt::Display); 3] =
            [("message", &of.id), ("conversation", &of.conversation_id), ("instance", &of.instance_id)];
        events::append(tx, event, &ids, &patch)?;
    }
    Ok(())
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
    let ids: [(&'static str, &dyn std::fmt::Display); 2] =
        [("message", &message.id), ("conversation", &message.conversation_id)];
    events::append(tx, "message.reacted", &ids, &patch)
}

fn edit(tx: &mut TenantTx, message: &mut Message, new: Option<&str>, at: Time) -> Result<()> {
    if message.deleted_at.is_some() || message.edited_at.is_some_and(|last| last > at) {
        return Ok(());
    }
    message.edited_at = Some(at);
    if let Some(new) = new.and_then(kept) {
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
    message.deleted_at = Some(at);
    (message.body, message.content, message.media_id) = (None, None, None);
    search::remove(tx, &[message.id.0])?;
    changed(tx, message, "message.deleted")
}

/// The whole present choice of one side of the conversation; the newest counts.
fn voted(tx: &mut TenantTx, message: &mut Message, from_me: bool, options: &[String], at: Option<i64>) -> Result<()> {
    let mut content: Value =
        message.content.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(json!({}));
    let side = if from_me { "outbound" } else { "inbound" };
    let at = at.unwrap_or(tx.now().0);
    if message.kind != "poll" || content["votes"][side]["at"].as_i64().is_some_and(|last| last > at) {
        return Ok(());
    }
    content["votes"][side] = json!({ "options": options, "at": at });
    message.content = Some(content.to_string());
    changed(tx, message, "message.edited")
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
    let ids: [(&'static str, &dyn std::fmt::Display); 2] =
        [("message", &message.id), ("conversation", &message.conversation_id)];
    events::append(tx, event, &ids, &patch)
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

/// Two contacts became one: their conversations on the same number too.
fn fold(
    tx: &mut TenantTx,
    merged: &[(contacts::ContactId, contacts::ContactId)],
    known: &mut HashMap<(InstanceId, String), Message>,
) -> Result<()> {
    for (from, into) in merged {
        for (gone, stays) in conversations::merge_contact(tx, *from, *into)? {
            for message in known.values_mut().filter(|message| message.conversation_id == gone) {
                message.conversation_id = stays;
            }
            if store::fold(tx, gone, stays)? >= 500 {
                jobs::enqueue(tx, &FoldConversation { gone, stays })?;
            }
            let place = conversations::get(tx, stays)?;
            let patch = json!({ "conversation": place.view(), "gone": gone });
            events::append(tx, "conversation.merged", &conversations::ids(&place), &patch)?;
        }
    }
    Ok(())
}

/// Moves the messages of a conversation that became part of another, 500 at a time.
#[derive(Serialize, Deserialize)]
pub struct FoldConversation {
    /// From here.
    pub gone: ConversationId,
    /// To here.
    pub stays: ConversationId,
}

impl Job for FoldConversation {
    const KIND: &'static str = "conversation.fold";

    fn unique(&self) -> Option<String> {
        Some(self.gone.to_string())
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let (gone, stays) = (self.gone, self.stays);
        while cx.write(move |tx| store::fold(tx, gone, stays)).await? >= 500 {}
        Ok(())
    }
}
