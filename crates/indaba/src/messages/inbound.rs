//! What gateways tell us becomes rows: messages with their contacts and conversations, and everything that happens to messages later.
//!
//! All of one tenant's that waits is taken in together, so that a statement serves many messages. Everything here may come twice, late,
//! and in any order: what is older than what we know changes nothing, and what is about a message that we do not have yet is parked.
use super::{Message, MessageId, echo, moment, people, row, search::doc, store, updates};
use crate::{
    Error, Result,
    contacts::{self, Sighting, Touch},
    conversations::{self, Conversation, ConversationId, Direction},
    db::TenantTx,
    events,
    instances::{self, InstanceId},
    jobs,
    media::{self, FetchMedia, MediaId, Source},
    search,
};
use indaba_providers::{self as providers, Content, Incoming, Origin, Person};
use serde::Serialize;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet, HashMap};

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

type Key<'a> = (InstanceId, &'a str);

/// Takes in what was told, in its order. Errors: `Malformed` for what cannot be kept (and nothing of it all is).
pub fn receive(tx: &mut TenantTx, told: &[Told]) -> Result<()> {
    let keys = keys(told)?;
    people::told(tx, told)?;
    let mut known: HashMap<(InstanceId, String), Message> = store::known(tx, &keys.into_iter().collect::<Vec<_>>())?
        .into_iter()
        .filter_map(|message| Some(((message.instance_id, message.provider_id.clone()?), message)))
        .collect();
    // messages before numbers, as whoever sends locks them
    sessions(tx, told)?;
    let parked = messages(tx, told, &mut known)?;
    people::old_names(tx, told, &mut known)?;
    let unparked: Vec<(InstanceId, Incoming)> = parked
        .into_iter()
        .filter_map(|(instance, payload)| Some((instance, serde_json::from_str(&payload).ok()?)))
        .collect();
    let late = unparked.iter().map(|(instance, incoming)| Told { instance: *instance, incoming });
    updates::apply(tx, told.iter().copied().chain(late), &mut known)
}

/// Applies what was parked for a message that we have now; the echo of the message itself is dropped with it.
pub fn unpark(tx: &mut TenantTx, instance: InstanceId, provider_id: &str) -> Result<()> {
    let parked = store::unpark(tx, &[(instance, provider_id)])?;
    let parked: Vec<Incoming> = parked.iter().filter_map(|(_, payload)| serde_json::from_str(payload).ok()).collect();
    let told = parked.iter().filter(|incoming| !matches!(incoming, Incoming::Message(_)));
    let told: Vec<Told> = told.map(|incoming| Told { instance, incoming }).collect();
    if told.is_empty() { Ok(()) } else { receive(tx, &told) }
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

/// A message that is not here yet, and on which number it was.
type Fresh<'a> = (InstanceId, &'a providers::Message);

/// Stores the messages that are new, with their contacts and conversations. Gives what was parked for them.
fn messages(
    tx: &mut TenantTx,
    told: &[Told],
    known: &mut HashMap<(InstanceId, String), Message>,
) -> Result<Vec<(InstanceId, String)>> {
    let now = tx.now();
    let calls: Vec<(InstanceId, providers::Message)> = told.iter().filter_map(row::call).collect();
    let fresh = fresh(tx, told, &calls, known)?;
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    let writers = writers(tx, &fresh)?;
    people::fold(tx, &writers.merged, known)?;
    let pairs: Vec<_> =
        fresh.iter().zip(&writers.contacts).map(|((instance, _), contact)| (*instance, contact.id)).collect();
    let (places, opened) = conversations::of(tx, &pairs)?;

    let mut files: Vec<(MediaId, Source)> = Vec::new();
    let mut rows: Vec<Message> = Vec::with_capacity(fresh.len());
    for (((instance, message), place), contact) in fresh.iter().zip(&places).zip(&writers.contacts) {
        let row = row::of(message, *instance, place, contact, now, known, &rows, &mut files);
        rows.push(row);
    }
    let sources: Vec<(MediaId, &Source)> = files.iter().map(|(id, source)| (*id, source)).collect();
    let files = media::expect(tx, &sources)?;
    let new: BTreeSet<MessageId> =
        store::insert(tx, &rows.iter().collect::<Vec<_>>())?.into_iter().map(|(id,)| id).collect();
    let (fresh, rows): (Vec<Fresh>, Vec<Message>) =
        fresh.into_iter().zip(rows).filter(|(_, row)| new.contains(&row.id)).unzip();

    let (places, reopened) = hear(tx, &places, &fresh, &rows)?;
    search::add(tx, &rows.iter().filter_map(doc).collect::<Vec<_>>())?;
    for place in places.values().filter(|place| opened.contains(&place.id) || reopened.contains(&place.id)) {
        let patch = json!({ "conversation": place.view() });
        events::append(tx, "conversation.opened", &conversations::ids(place), &patch)?;
    }
    show(tx, &fresh, &rows, &places, known, &files)?;
    let keys: Vec<Key> = fresh.iter().map(|(instance, message)| (*instance, message.provider_id.as_str())).collect();
    let parked = store::unpark(tx, &keys)?;
    known.extend(rows.into_iter().filter_map(|row| Some(((row.instance_id, row.provider_id.clone()?), row))));
    Ok(parked)
}

/// Those that are not here yet, in the order in which they were written.
fn fresh<'a>(
    tx: &mut TenantTx,
    told: &[Told<'a>],
    calls: &'a [(InstanceId, providers::Message)],
    known: &HashMap<(InstanceId, String), Message>,
) -> Result<Vec<Fresh<'a>>> {
    let messages = told.iter().filter_map(|one| match one.incoming {
        Incoming::Message(message) => Some((one.instance, &**message)),
        _ => None,
    });
    let mut fresh: Vec<Fresh> = Vec::new();
    let mut seen: BTreeSet<Key> = BTreeSet::new();
    let mut sending: HashMap<InstanceId, bool> = HashMap::new();
    for (instance, message) in messages.chain(calls.iter().map(|(instance, message)| (*instance, message))) {
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
    // gateways post side by side: the time tells the order, and within a second the order in which they told of it
    let now = tx.now();
    fresh.sort_by_key(|(_, message)| (moment(message.at, now), message.order));
    Ok(fresh)
}

/// The contacts they were written with, in the same order.
fn writers(tx: &mut TenantTx, fresh: &[Fresh]) -> Result<contacts::Recognised> {
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
        .map(|((instance, message), person)| {
            let wrote = !message.from_me && row::said(message);
            Sighting { instance: *instance, person, wrote }
        })
        .collect();
    contacts::recognise(tx, &sightings)
}

/// What conversations and contacts show of new messages: the conversations as they are now, and those that are open again.
fn hear(
    tx: &mut TenantTx,
    places: &[Conversation],
    fresh: &[Fresh],
    rows: &[Message],
) -> Result<(BTreeMap<ConversationId, Conversation>, BTreeSet<ConversationId>)> {
    let now = tx.now();
    let before: BTreeMap<ConversationId, Conversation> = places.iter().map(|place| (place.id, place.clone())).collect();
    let mut after = before.clone();
    let mut reopened = BTreeSet::new();
    let mut touches: BTreeMap<contacts::ContactId, Touch> = BTreeMap::new();
    for (row, (_, message)) in rows.iter().zip(fresh) {
        let place = after.get_mut(&row.conversation_id).expect("every row has its conversation");
        if conversations::hear(place, &row::news(row, message), now) {
            reopened.insert(place.id);
        }
        let id = place.contact_id;
        let touch = touches.entry(id).or_insert(Touch { id, name: None, phone: None, wrote: false, at: None });
        touch.wrote |= !message.from_me && !message.history && row::said(message);
        touch.at = touch.at.max(Some(row.created_at));
    }
    let (was, is): (Vec<_>, Vec<_>) = before.into_values().zip(after.values().cloned()).unzip();
    conversations::save(tx, &was, &is)?;
    contacts::touch(tx, &touches.into_values().collect::<Vec<_>>())?;
    Ok((after, reopened))
}

/// Tells of new messages, has their files fetched, and notes that their numbers are alive.
fn show(
    tx: &mut TenantTx,
    fresh: &[Fresh],
    rows: &[Message],
    places: &BTreeMap<ConversationId, Conversation>,
    known: &HashMap<(InstanceId, String), Message>,
    files: &[media::Media],
) -> Result<()> {
    let mut inbound: BTreeMap<InstanceId, bool> = BTreeMap::new();
    for (row, (instance, message)) in rows.iter().zip(fresh) {
        *inbound.entry(*instance).or_default() |= row.direction == Direction::Inbound;
        if let Some(media) = row.media_id {
            jobs::enqueue(tx, &FetchMedia { media })?;
        }
        if message.history {
            continue;
        }
        let place = &places[&row.conversation_id];
        let quoted = row.reply_to.and_then(|id| known.values().chain(rows).find(|other| other.id == id));
        let file = row.media_id.and_then(|id| files.iter().find(|file| file.id == id)).map(media::Media::view);
        let event = if row.direction == Direction::Inbound { "message.received" } else { "message.sent" };
        let patch = Shown { message: row.view(quoted, Vec::new(), file), conversation: place.view() };
        updates::tell(tx, event, row, place.contact_id, &patch)?;
    }
    let now = tx.now();
    for (instance, inbound) in inbound {
        instances::touch(tx, instance, None, inbound.then_some(now))?;
    }
    Ok(())
}

/// What an open browser shows of a new message.
#[derive(Serialize)]
struct Shown {
    message: super::View,
    conversation: conversations::View,
}
