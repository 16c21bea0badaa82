//! From Evolution's events to the neutral vocabulary.

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{order, wire};
use crate::content::{Content, MediaRef};
use crate::kept::{id, name, odd, passed_over, typed};
use crate::lenient::time;
use crate::{
    Address, Call, CallState, Code, ContactSeen, Edited, Hook, Ignored, Incoming, Message, Origin, Person, PollVote,
    Presence, PresenceState, Reaction, Reason, Revoked, Session, SessionState, Status, StatusError, StatusState, Step,
    Unreadable, proto,
};

/// Longer lists are cut.
const MOST: usize = 10_000;

/// Everything a hook says. Data is one object or a list of them, by version and channel.
pub fn hook(hook: &Hook) -> Result<Vec<Incoming>, Unreadable> {
    let hook: wire::Hook = hook.json()?;
    let event = hook.event.as_deref().ok_or_else(|| odd("there is no event"))?;
    let data = hook.data.as_deref();
    let one = |incoming| Ok(vec![incoming]);
    match event {
        "messages.upsert" => each(data, |data| message_event(data, Origin::App)),
        "send.message" => each(data, |data| message_event(data, Origin::Api)),
        "messages.set" => each(data, |data| {
            Ok(match message(data, Origin::App)? {
                Ok(Incoming::Message(message)) => {
                    // it does not say where it was written
                    Incoming::Message(Box::new(Message { history: true, origin: None, ..*message }))
                }
                Ok(_) => Incoming::Ignored(Ignored::Protocol("messages.set".into())),
                Err(ignored) => Incoming::Ignored(ignored),
            })
        }),
        "messages.update" => each(data, status),
        "messages.edited" => each(data, edited),
        "messages.delete" => each(data, deleted),
        "contacts.upsert" | "contacts.update" => each(data, contact),
        "presence.update" => each(data, presence),
        "call" => each(data, call),
        "connection.update" | "status.instance" => one(Incoming::Session(connection(&typed(data, "data")?))),
        "qrcode.updated" => one(Incoming::Session(qr(typed(data, "data")?))),
        "logout.instance" => one(Incoming::Session(ended("logout", Reason::LoggedOut))),
        "remove.instance" => one(Incoming::Session(ended("remove", Reason::LoggedOut))),
        "instance.delete" => one(Incoming::Ignored(Ignored::Told("remove.instance".into()))),
        name if name.starts_with("group") => one(Incoming::Ignored(Ignored::Group)),
        name => one(Incoming::Ignored(Ignored::Unused(name.chars().take(100).collect()))),
    }
}

/// Reads the one object, or each of the list. In a list an odd one is left out; alone, it is the hook that is odd.
fn each(
    data: Option<&RawValue>,
    read: impl Fn(&RawValue) -> Result<Incoming, Unreadable>,
) -> Result<Vec<Incoming>, Unreadable> {
    let data = data.ok_or_else(|| odd("there is no data"))?;
    if !data.get().starts_with('[') {
        return Ok(vec![read(data)?]);
    }
    let list: Vec<&RawValue> = serde_json::from_str(data.get()).map_err(|_| odd("the list has another shape"))?;
    Ok(list.into_iter().take(MOST).filter_map(|item| read(item).ok()).collect())
}

/// The conversation of a key and everybody it names: which field has the phone number differs by version, and either form may be missing.
fn whose(key: &wire::Key) -> Result<Result<(Address, Person), Ignored>, Unreadable> {
    let chat = key.remote_jid.as_deref().and_then(Address::parse).ok_or_else(|| odd("the chat is no address"))?;
    if let Some(ignored) = passed_over(&chat) {
        return Ok(Err(ignored));
    }
    let mut person = Person::at(&chat);
    let sender = [&key.sender_pn, &key.sender_lid].into_iter().filter(|_| !key.from_me);
    for other in [&key.remote_jid_alt].into_iter().chain(sender).filter_map(Option::as_deref) {
        if let Some(other) = Address::parse(other).filter(Address::is_person) {
            person.learn(&other);
        }
    }
    Ok(Ok((chat, person)))
}

fn message_event(data: &RawValue, origin: Origin) -> Result<Incoming, Unreadable> {
    Ok(message(data, origin)?.unwrap_or_else(Incoming::Ignored))
}

/// A message, a reaction or a vote: they come by the same event.
fn message(data: &RawValue, origin: Origin) -> Result<Result<Incoming, Ignored>, Unreadable> {
    let event: wire::Message = typed(Some(data), "data")?;
    let key = event.key.clone().ok_or_else(|| odd("the message has no key"))?;
    let provider_id = id(key.id.as_deref())?;
    let (chat, mut person) = match whose(&key)? {
        Ok(whose) => whose,
        Err(ignored) => return Ok(Err(ignored)),
    };
    // for our own messages it is the word "Você"
    person.name = name(event.push_name.as_deref().filter(|_| !key.from_me));
    let at = event.message_timestamp.and_then(time);
    let tree = tree(event.message.as_deref());
    let inner = tree.as_ref().and_then(|tree| inner(tree, event.message_type.as_deref()));
    match inner.as_ref().map(|inner| (inner.name, inner.value)) {
        Some(("reactionMessage", value)) => {
            let target = id(value.pointer("/key/id").and_then(Value::as_str))?;
            let emoji = value["text"].as_str().unwrap_or_default().chars().take(32).collect();
            return Ok(Ok(Incoming::Reaction(Reaction { target, chat, person, from_me: key.from_me, emoji, at })));
        }
        Some(("pollUpdateMessage", value)) => {
            let poll = id(value.pointer("/pollCreationMessageKey/id").and_then(Value::as_str))?;
            let poll_from_me = value.pointer("/pollCreationMessageKey/fromMe") == Some(&Value::Bool(true));
            let options = chosen(event.poll_updates.as_ref(), value.pointer("/vote/selectedOptions"));
            let from_me = key.from_me;
            return Ok(Ok(Incoming::PollVote(PollVote { poll, poll_from_me, chat, person, from_me, options, at })));
        }
        Some((
            name @ ("protocolMessage" | "encReactionMessage" | "keepInChatMessage" | "pinInChatMessage"
            | "albumMessage"),
            _,
        )) => return Ok(Err(Ignored::Protocol(name.into()))),
        _ => {}
    }
    let url = tree.as_ref().and_then(|tree| tree["mediaUrl"].as_str()).map(str::to_owned);
    let nothing = Value::Null;
    let (content, context, quoted) = match (&inner, event.message_type.as_deref()) {
        (Some(inner), _) => {
            let (context, quoted) = context(inner, event.context_info.as_deref());
            (proto::content(inner), context, quoted)
        }
        // a file that was sent by its address: nothing else is told of it
        (None, Some(kind)) if url.is_some() => {
            let inner = proto::Inner { name: kind, value: &nothing, view_once: false };
            (proto::content(&inner), Default::default(), None)
        }
        // keys handed around before a first message, and the like
        (None, _) => return Ok(Err(Ignored::Protocol("empty".into()))),
    };
    let jid = person.phone.as_deref().and_then(Address::parse).unwrap_or_else(|| chat.clone());
    let jid = order::jid(&jid).map_err(|_| odd("the chat is no address"))?;
    let reached = event.updates.iter().filter_map(|update| state(update.status.as_deref())).max();
    Ok(Ok(Incoming::Message(Box::new(Message {
        reference: order::reference(key.from_me, &jid, &provider_id),
        provider_id,
        chat,
        person,
        from_me: key.from_me,
        origin: key.from_me.then_some(origin),
        at,
        content: with_url(content, url),
        quoted,
        context,
        state: state(event.status.as_deref()).max(reached).filter(|_| key.from_me),
        order: None,
        history: false,
    }))))
}

/// WhatsApp's own message. It may be megabytes of thumbnails as numbers, and may be nested too deep to read: then there is none.
fn tree(raw: Option<&RawValue>) -> Option<Value> {
    serde_json::from_str(raw?.get()).ok().filter(Value::is_object)
}

/// The kind that the server names, if the message has it; else what is inside.
fn inner<'a>(tree: &'a Value, kind: Option<&str>) -> Option<proto::Inner<'a>> {
    let inner = proto::inner(tree);
    let named = kind.and_then(|kind| tree.as_object()?.get_key_value(kind)).filter(|(_, value)| !value.is_null());
    match (named, inner) {
        (Some((name, value)), Some(inner)) if inner.name != name && value.get("message").is_none() => {
            Some(proto::Inner { name, value, view_once: inner.view_once })
        }
        (_, inner) => inner,
    }
}

/// `extendedTextMessage` becomes `conversation`, and its `contextInfo` moves beside the message.
fn context(inner: &proto::Inner, beside: Option<&RawValue>) -> (crate::Context, Option<crate::Quoted>) {
    let beside = beside.and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok()).filter(Value::is_object);
    match beside {
        Some(info) => {
            let value = json!({ "contextInfo": info, "viewOnce": inner.value.get("viewOnce") });
            proto::context(&proto::Inner { name: inner.name, value: &value, view_once: inner.view_once })
        }
        None => proto::context(inner),
    }
}

/// Where the server has put the file in a bucket of its own.
fn with_url(mut content: Content, url: Option<String>) -> Content {
    if let Content::Image { media, .. }
    | Content::Video { media, .. }
    | Content::Audio { media }
    | Content::Voice { media }
    | Content::Document { media, .. }
    | Content::Sticker { media } = &mut content
    {
        *media = MediaRef { url, ..std::mem::take(media) };
    }
    content
}

/// This voter's whole present choice: the answers that have voters. Without any answers the poll is not in the server's database, and nothing was read.
fn chosen(updates: Option<&Value>, selected: Option<&Value>) -> Option<Vec<String>> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match updates.and_then(Value::as_array).filter(|answers| !answers.is_empty()) {
        Some(answers) => {
            let voted = |answer: &&Value| answer["voters"].as_array().is_some_and(|voters| !voters.is_empty());
            Some(answers.iter().filter(voted).filter_map(|answer| text(&answer["name"])).take(256).collect())
        }
        None => {
            let selected: Vec<String> = selected?.as_array()?.iter().filter_map(text).take(256).collect();
            Some(selected).filter(|selected| !selected.is_empty())
        }
    }
}

/// Baileys' words, and Meta's on that channel.
fn state(status: Option<&str>) -> Option<StatusState> {
    match status? {
        "ERROR" | "FAILED" => Some(StatusState::Failed),
        "SERVER_ACK" | "SENT" => Some(StatusState::Sent),
        "DELIVERY_ACK" | "DELIVERED" => Some(StatusState::Delivered),
        "READ" => Some(StatusState::Read),
        "PLAYED" => Some(StatusState::Played),
        _ => None,
    }
}

fn status(data: &RawValue) -> Result<Incoming, Unreadable> {
    let update: wire::Update = typed(Some(data), "data")?;
    let provider_id = id(update.key_id.as_deref())?;
    let chat = update.remote_jid.as_deref().and_then(Address::parse);
    if let Some(ignored) = chat.as_ref().and_then(passed_over) {
        return Ok(Incoming::Ignored(ignored));
    }
    if !update.from_me {
        // that we have read theirs
        return Ok(Incoming::Ignored(Ignored::Unused("messages.update".into())));
    }
    let Some(state) = state(update.status.as_deref()) else {
        return Ok(Incoming::Ignored(match update.status.as_deref() {
            Some("PENDING") => Ignored::Pending,
            Some("EDITED") => Ignored::Told("messages.edited".into()),
            // 2.3.6 says this of every update that it does not know: a deletion has an event of its own
            Some("DELETED") => Ignored::Told("messages.delete".into()),
            _ => Ignored::Unused("messages.update".into()),
        }));
    };
    let error = (state == StatusState::Failed)
        .then(|| StatusError { code: "ERROR".into(), detail: "WhatsApp could not deliver the message".into() });
    Ok(Incoming::Status(Status {
        provider_id,
        chat,
        state,
        at: None,
        correlation: None,
        error,
        person: None,
        price: None,
    }))
}

/// Any protocol message comes as this, deletions too; by name or by number.
fn edited(data: &RawValue) -> Result<Incoming, Unreadable> {
    let event: wire::Edited = typed(Some(data), "data")?;
    let revoke = match (event.kind.as_deref(), &event.edited_message) {
        (Some("MESSAGE_EDIT" | "14"), _) => false,
        (Some("REVOKE" | "0") | None, None) => true,
        (Some("REVOKE" | "0"), Some(_)) => true,
        (None, Some(_)) => false,
        (Some(other), _) => return Ok(Incoming::Ignored(Ignored::Protocol(other.chars().take(100).collect()))),
    };
    let key = event.key.ok_or_else(|| odd("there is no key"))?;
    let target = id(key.id.as_deref())?;
    let at = event.timestamp_ms.and_then(time);
    let (chat, _) = match whose(&key)? {
        Ok(whose) => whose,
        Err(ignored) => return Ok(Incoming::Ignored(ignored)),
    };
    if revoke {
        return Ok(Incoming::Revoked(Revoked { target, chat: Some(chat), from_me: key.from_me, at }));
    }
    let text = tree(event.edited_message.as_deref())
        .and_then(|tree| proto::content(&proto::inner(&tree)?).text().map(str::to_owned));
    Ok(Incoming::Edited(Edited { target, chat, from_me: key.from_me, text, at }))
}

fn deleted(data: &RawValue) -> Result<Incoming, Unreadable> {
    let event: wire::Deleted = typed(Some(data), "data")?;
    let key = event.key.unwrap_or(wire::Key {
        id: event.id,
        remote_jid: event.remote_jid,
        from_me: event.from_me,
        ..wire::Key::default()
    });
    let target = id(key.id.as_deref())?;
    let chat = key.remote_jid.as_deref().and_then(Address::parse);
    if let Some(ignored) = chat.as_ref().and_then(passed_over) {
        return Ok(Incoming::Ignored(ignored));
    }
    Ok(Incoming::Revoked(Revoked { target, chat, from_me: key.from_me, at: None }))
}

fn contact(data: &RawValue) -> Result<Incoming, Unreadable> {
    let contact: wire::Contact = typed(Some(data), "data")?;
    let Some(chat) = contact.remote_jid.as_deref().and_then(Address::parse) else {
        // the Meta channel can leave it out
        return Ok(Incoming::Ignored(Ignored::Unused("a contact without an address".into())));
    };
    if let Some(ignored) = passed_over(&chat) {
        return Ok(Incoming::Ignored(ignored));
    }
    let person = Person { name: name(contact.push_name.as_deref()), ..Person::at(&chat) };
    Ok(Incoming::Contact(ContactSeen { chat, person }))
}

fn presence(data: &RawValue) -> Result<Incoming, Unreadable> {
    let event: Value = serde_json::from_str(data.get()).map_err(|_| odd("the data has another shape"))?;
    let chat = event["id"].as_str().and_then(Address::parse).ok_or_else(|| odd("the chat is no address"))?;
    if let Some(ignored) = passed_over(&chat) {
        return Ok(Incoming::Ignored(ignored));
    }
    let presence = event["presences"].as_object().and_then(|presences| presences.values().next());
    let state = match presence.and_then(|presence| presence["lastKnownPresence"].as_str()) {
        Some("composing") => PresenceState::Typing,
        Some("recording") => PresenceState::Recording,
        Some("paused") => PresenceState::Paused,
        Some("available") => PresenceState::Online,
        Some("unavailable") => PresenceState::Offline,
        _ => return Ok(Incoming::Ignored(Ignored::Unused("presence.update".into()))),
    };
    let last_seen = presence.and_then(|presence| presence["lastSeen"].as_f64()).and_then(time);
    Ok(Incoming::Presence(Presence { chat, state, last_seen }))
}

/// From memory of the library inside, not seen: `offer`, `ringing`, `timeout`, `reject`, `accept`, `terminate`.
fn call(data: &RawValue) -> Result<Incoming, Unreadable> {
    let call: wire::Call = typed(Some(data), "data")?;
    let provider_id = id(call.id.as_deref())?;
    let chat = call.from.or(call.chat_id);
    let chat = chat.as_deref().and_then(Address::parse).ok_or_else(|| odd("the caller is no address"))?;
    if call.is_group || !chat.is_person() {
        return Ok(Incoming::Ignored(Ignored::Group));
    }
    let state = match call.status.as_deref() {
        Some("offer" | "ringing") => CallState::Ringing,
        Some("accept") => CallState::Accepted,
        Some("reject") => CallState::Rejected,
        Some("timeout") => CallState::Missed,
        Some("terminate") => CallState::Ended,
        _ => return Ok(Incoming::Ignored(Ignored::Unused("call".into()))),
    };
    let at = call.date.and_then(|date| match date.parse::<f64>() {
        Ok(number) => time(number),
        Err(_) => date.parse::<jiff::Timestamp>().ok().map(|at| at.as_millisecond()),
    });
    let person = Person::at(&chat);
    Ok(Incoming::Call(Call { provider_id, chat, person, from_me: false, video: call.is_video, state, at }))
}

/// `close` comes only when the server will not connect again by itself; `refused` when nobody scanned any code.
pub fn connection(told: &wire::State) -> Session {
    let raw = told.state.as_deref().or(told.status.as_deref()).unwrap_or_default();
    let code = told.status_reason.or(told.disconnection_reason_code).map(|code| code as i64);
    let (state, step, reason) = match raw {
        "connecting" => (SessionState::Linking, Some(Step::Preparing), None),
        "open" => (SessionState::Connected, None, None),
        "close" | "closed" => closed(code),
        "refused" => (SessionState::Linking, Some(Step::Expired), Some(Reason::CodeExpired)),
        _ => (SessionState::Unknown, None, None),
    };
    let own = told.wuid.as_deref().or(told.owner_jid.as_deref()).and_then(Address::parse);
    Session {
        state,
        step,
        reason,
        raw: raw.chars().take(50).collect(),
        phone: own.as_ref().and_then(|own| own.phone().map(str::to_owned)),
        push_name: name(told.profile_name.as_deref()),
        ..Session::default()
    }
}

/// Baileys' `DisconnectReason`.
fn closed(code: Option<i64>) -> (SessionState, Option<Step>, Option<Reason>) {
    let attention = |reason| (SessionState::Attention, None, Some(reason));
    match code {
        Some(401 | 406) => attention(Reason::LoggedOut),
        Some(402) => attention(Reason::Restricted),
        Some(403) => (SessionState::Banned, None, Some(Reason::Banned)),
        Some(405) => attention(Reason::OutdatedClient),
        Some(440) => attention(Reason::Replaced),
        Some(408 | 428 | 503) => attention(Reason::Network),
        Some(411 | 500 | 515) => attention(Reason::Failed),
        _ => (SessionState::Disconnected, None, None),
    }
}

fn ended(raw: &str, reason: Reason) -> Session {
    Session { state: SessionState::Disconnected, reason: Some(reason), raw: raw.into(), ..Session::default() }
}

fn qr(told: wire::QrUpdated) -> Session {
    match told.qrcode.and_then(|qr| code(&qr)) {
        Some(code) => Session {
            state: SessionState::Linking,
            step: Some(Step::Scan),
            raw: "qrcode".into(),
            code: Some(code),
            ..Session::default()
        },
        // 30 codes, and nobody scanned one
        None if told.message.is_some() => Session {
            state: SessionState::Linking,
            step: Some(Step::Expired),
            reason: Some(Reason::CodeExpired),
            raw: "qrcode limit".into(),
            ..Session::default()
        },
        None => Session {
            state: SessionState::Linking,
            step: Some(Step::Preparing),
            raw: "qrcode".into(),
            ..Session::default()
        },
    }
}

/// The code to scan. It holds for 45 s, but nobody tells since when.
pub fn code(qr: &wire::Qr) -> Option<Code> {
    let value = qr.code.clone().filter(|code| code.len() <= 2048)?;
    Some(Code { value, expires_at: None })
}

/// A message out of the server's store.
pub fn stored(raw: &RawValue) -> Option<Message> {
    match message(raw, Origin::App).ok()?.ok()? {
        // the store does not say where it was written
        Incoming::Message(message) => Some(Message { history: true, origin: None, ..*message }),
        _ => None,
    }
}
