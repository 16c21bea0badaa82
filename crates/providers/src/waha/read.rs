//! From WAHA's events to the neutral vocabulary.

use serde_json::Value;

use super::wire;
use crate::content::{Content, Context, MediaRef, Quoted};
use crate::kept::{LONGEST_ID, name, odd, passed_over, typed};
use crate::lenient::{clean, time};
use crate::{
    Address, Call, CallState, Hook, Ignored, Incoming, Message, Origin, Person, PollVote, Presence, PresenceState,
    Reaction, Reason, Revoked, Session, SessionState, Status, StatusError, StatusState, Step, Unreadable, proto,
};

/// Everything a hook says: none or one thing, for WAHA sends one event a hook.
pub fn hook(hook: &Hook) -> Result<Vec<Incoming>, Unreadable> {
    let hook: wire::Hook = hook.json()?;
    let event = hook.event.as_deref().ok_or_else(|| odd("there is no event"))?;
    let payload = hook.payload.as_deref();
    let at = hook.timestamp.and_then(time);
    Ok(vec![match event {
        // `message` says what `message.any` says of others' messages. It is read all the same: a shared gateway may have been set up with it
        // alone, and a message that comes twice is stored once.
        "message.any" | "message" => {
            let message = typed::<wire::Message>(payload, "payload")?;
            match self::message(message, hook.me.as_ref())? {
                // a message has whole seconds, its envelope milliseconds
                Ok(message) => Incoming::Message(Box::new(Message { order: at, ..message })),
                Err(ignored) => Incoming::Ignored(ignored),
            }
        }
        "message.ack" | "message.ack.group" => ack(&typed::<wire::Message>(payload, "payload")?, at)?,
        "message.reaction" => reaction(typed(payload, "payload")?, hook.me.as_ref())?,
        "message.edited" => edited(typed(payload, "payload")?)?,
        "message.revoked" => revoked(typed(payload, "payload")?)?,
        "poll.vote" => poll_vote(typed(payload, "payload")?, true)?,
        "poll.vote.failed" => poll_vote(typed(payload, "payload")?, false)?,
        "session.status" => Incoming::Session(session_status(typed(payload, "payload")?, hook.me.as_ref(), at)),
        "presence.update" => presence(typed(payload, "payload")?)?,
        "call.received" => call(typed(payload, "payload")?, CallState::Ringing)?,
        "call.accepted" => call(typed(payload, "payload")?, CallState::Accepted)?,
        "call.rejected" => call(typed(payload, "payload")?, CallState::Rejected)?,
        name if name.starts_with("group.") => Incoming::Ignored(Ignored::Group),
        name => Incoming::Ignored(Ignored::Unused(name.chars().take(100).collect())),
    }])
}

/// `{true|false}_{chat}_{raw}[_{participant}]`, taken apart. A bare raw id has no chat.
#[derive(Debug, PartialEq, Eq)]
pub struct Id<'a> {
    pub from_me: bool,
    pub chat: Option<&'a str>,
    pub raw: &'a str,
}

/// The only part that is the same in every event about a message is the raw id.
pub fn id(full: &str) -> Option<Id<'_>> {
    let (from_me, rest) = match (full.strip_prefix("true_"), full.strip_prefix("false_")) {
        (Some(rest), _) => (true, Some(rest)),
        (_, Some(rest)) => (false, Some(rest)),
        _ => (false, None),
    };
    let parts = rest.and_then(|rest| {
        // a chat has one `@`, and no `_` after it
        let server = rest.find('@')?;
        let (chat, rest) = rest.split_at(server + rest[server..].find('_')?);
        let rest = &rest[1..];
        let raw =
            rest.rsplit_once('_').filter(|(_, participant)| participant.contains('@')).map_or(rest, |(raw, _)| raw);
        Some((chat, raw))
    });
    let id = match parts {
        Some((chat, raw)) => Id { from_me, chat: Some(chat), raw },
        None => Id { from_me, chat: None, raw: rest.unwrap_or(full) },
    };
    (!id.raw.is_empty() && id.raw.len() <= LONGEST_ID).then_some(id)
}

fn raw_id(full: Option<&str>) -> Result<&str, Unreadable> {
    full.and_then(id).map(|id| id.raw).ok_or_else(|| odd("a message id is missing, or longer than 512 characters"))
}

/// Whose message, and on which conversation. What belongs to no person is passed over.
fn whose(
    full: &str,
    from_me: bool,
    from: Option<&str>,
    to: Option<&str>,
    data: Option<&wire::Data>,
    me: Option<&wire::Me>,
) -> Result<Result<(Address, Person), Ignored>, Unreadable> {
    // the id's own chat is right on every engine; `from` is the chat on NOWEB and GOWS, the sender on WEBJS
    let named = id(full).and_then(|id| id.chat);
    let chat = named.or(if from_me { to.or(from) } else { from }).ok_or_else(|| odd("there is no chat"))?;
    let chat = Address::parse(chat).ok_or_else(|| odd("the chat is no address"))?;
    if let Some(ignored) = passed_over(&chat) {
        return Ok(Err(ignored));
    }
    let mut person = Person::at(&chat);
    let own = |address: &Address| {
        me.is_some_and(|me| {
            [&me.id, &me.lid].into_iter().flatten().any(|own| Address::parse(own).as_ref() == Some(address))
        })
    };
    let mut learn = |text: Option<&str>| {
        if let Some(address) = text.and_then(Address::parse)
            && address.is_person()
            && !own(&address)
        {
            person.learn(&address);
        }
    };
    if !from_me {
        learn(from);
    }
    if let Some(data) = data {
        if let Some(key) = &data.key {
            learn(key.remote_jid.as_deref());
            learn(key.remote_jid_alt.as_deref());
            learn(key.sender_pn.as_deref().filter(|_| !from_me));
        }
        if let Some(info) = &data.info {
            learn(if from_me { info.recipient_alt.as_deref() } else { info.sender_alt.as_deref() });
        }
        if !from_me {
            let info = data.info.as_ref().and_then(|info| info.push_name.as_deref());
            person.name = name(data.push_name.as_deref().or(info).or(data.notify_name.as_deref()));
        }
    }
    Ok(Ok((chat, person)))
}

/// One message, from an event or from history.
pub fn message(message: wire::Message, me: Option<&wire::Me>) -> Result<Result<Message, Ignored>, Unreadable> {
    let reference = message.id.clone().ok_or_else(|| odd("the message has no id"))?;
    let provider_id = raw_id(Some(&reference))?.to_owned();
    let data = message.data.as_ref();
    let whose = whose(&reference, message.from_me, message.from.as_deref(), message.to.as_deref(), data, me)?;
    let (chat, person) = match whose {
        Ok(whose) => whose,
        Err(ignored) => return Ok(Err(ignored)),
    };
    let tree = proto_of(data);
    let inner = tree.as_ref().and_then(proto::inner);
    let (context, quoted_inside) = inner.as_ref().map(proto::context).unwrap_or_default();
    let context = Context { forwarded: context.forwarded || data.is_some_and(|data| data.is_forwarded), ..context };
    let quoted = message
        .reply_to
        .as_ref()
        .and_then(|quoted| {
            Some(Quoted {
                provider_id: id(quoted.id.as_deref()?)?.raw.to_owned(),
                author: quoted.participant.as_deref().and_then(Address::parse),
                text: quoted.body.clone(),
            })
        })
        .or(quoted_inside);
    let from_me = message.from_me;
    let origin = match message.source.as_deref() {
        Some("api") if from_me => Some(Origin::Api),
        Some("app") if from_me => Some(Origin::App),
        _ => None,
    };
    let state = if from_me { state(message.ack, message.ack_name.as_deref()) } else { None };
    let at = message.timestamp.and_then(time);
    Ok(match content(&message, inner.as_ref()) {
        Ok(content) => Ok(Message {
            provider_id,
            reference,
            chat,
            person,
            from_me,
            origin,
            at,
            order: None,
            content,
            quoted,
            context,
            state,
            history: false,
        }),
        Err(ignored) => Err(ignored),
    })
}

/// WhatsApp's own message, where the engine passes it on. It may be megabytes of thumbnails as numbers, and may be nested too deep to read: then
/// there is none.
fn proto_of(data: Option<&wire::Data>) -> Option<Value> {
    let raw = data.and_then(|data| data.message.as_deref().or(data.message_of_gows.as_deref()))?;
    serde_json::from_str(raw.get()).ok().filter(Value::is_object)
}

/// WAHA's own fields first (they are the same on every engine), then what the engine says.
fn content(message: &wire::Message, inner: Option<&proto::Inner>) -> Result<Content, Ignored> {
    if let Some(inner) = inner
        && let "protocolMessage" | "reactionMessage" | "encReactionMessage" | "pollUpdateMessage" | "keepInChatMessage"
        | "pinInChatMessage" = inner.name
    {
        return Err(match inner.name {
            "reactionMessage" | "encReactionMessage" => Ignored::Told("reaction".into()),
            "pollUpdateMessage" => Ignored::Told("poll vote".into()),
            name => Ignored::Protocol(name.into()),
        });
    }
    let body = || message.body.clone();
    let kind = message.data.as_ref().and_then(|data| data.kind.as_deref());
    if let Some(place) = &message.location
        && let (Some(latitude), Some(longitude)) = (place.latitude, place.longitude)
    {
        return Ok(Content::Location {
            latitude,
            longitude,
            name: place.name.clone().or_else(|| place.description.clone()),
            address: place.address.clone(),
            url: place.url.clone(),
            live: place.live,
        });
    }
    if !message.v_cards.is_empty() {
        return Ok(Content::Contacts {
            contacts: message.v_cards.iter().take(256).map(|vcard| proto::card(vcard)).collect(),
        });
    }
    let says = inner.map(proto::content);
    if message.has_media || message.media.is_some() {
        return Ok(media(message, says, kind));
    }
    match says {
        // captions, edits and replies to buttons are folded into `body`; what the engine says has their kind
        Some(Content::Text { text }) => Ok(Content::Text { text: body().unwrap_or(text) }),
        Some(content @ Content::Unsupported { .. }) => Ok(body().map_or(content, |text| Content::Text { text })),
        Some(content) => Ok(content),
        None => match (kind, body()) {
            (Some("poll_creation"), _) => {
                let data = message.data.as_ref();
                Ok(Content::Poll {
                    question: data.and_then(|data| data.poll_name.clone()).or_else(body).unwrap_or_default(),
                    options: data
                        .into_iter()
                        .flat_map(|data| &data.poll_options)
                        .filter_map(|option| option.name.clone())
                        .collect(),
                    multiple: data.and_then(|data| data.poll_selectable_options_count) != Some(1.0),
                })
            }
            (Some("list_response"), Some(title)) => Ok(Content::ListReply { id: None, title, description: None }),
            (Some("buttons_response" | "template_button_reply"), Some(title)) => {
                Ok(Content::ButtonReply { id: None, title })
            }
            (
                Some(
                    name @ ("e2e_notification"
                    | "notification_template"
                    | "gp2"
                    | "protocol"
                    | "ciphertext"
                    | "revoked"),
                ),
                _,
            ) => Err(Ignored::Protocol(name.into())),
            (_, Some(text)) => Ok(Content::Text { text }),
            (Some(name), None) if name != "chat" => {
                Ok(Content::Unsupported { name: name.chars().take(100).collect(), detail: None })
            }
            // keys handed around before a first message, and the like
            (_, None) => Err(Ignored::Protocol("empty".into())),
        },
    }
}

/// A message with a file: WAHA's URL and type, the engine's measures and kind.
fn media(message: &wire::Message, says: Option<Content>, kind: Option<&str>) -> Content {
    let given = message.media.as_ref();
    let mut file = says.as_ref().and_then(|content| content.media().cloned()).unwrap_or_default();
    if let Some(given) = given {
        file.url = given.url.clone();
        file.name = given.filename.clone().or(file.name);
        file.mime = given.mimetype.clone().or(file.mime);
        // kept in the gateway's bucket: the URL is signed and needs no key
        file.id = given.s3.as_ref().filter(|s3| s3.is_object()).map(|_| "s3".to_owned());
        // the reason holds stack traces: what matters is that there is one
        file.error = given
            .error
            .as_ref()
            .filter(|error| !error.is_null())
            .map(|_| "the gateway could not fetch the file".to_owned());
    }
    let caption = message.body.clone();
    let mime = file.mime.clone().unwrap_or_default().to_ascii_lowercase();
    match (says, kind, mime.split('/').next().unwrap_or_default()) {
        (Some(Content::Image { .. }), ..) | (None, Some("image"), _) => Content::Image { caption, media: file },
        (Some(Content::Video { .. }), ..) | (None, Some("video"), _) => Content::Video { caption, media: file },
        (Some(Content::Voice { .. }), ..) | (None, Some("ptt"), _) => Content::Voice { media: file },
        (Some(Content::Audio { .. }), ..) | (None, Some("audio"), _) => Content::Audio { media: file },
        (Some(Content::Sticker { .. }), ..) | (None, Some("sticker"), _) => Content::Sticker { media: file },
        (Some(Content::Document { .. }), ..) | (None, Some("document"), _) => {
            Content::Document { caption, media: file }
        }
        (_, _, "image") if mime.starts_with("image/webp") => Content::Sticker { media: file },
        (_, _, "image") => Content::Image { caption, media: file },
        (_, _, "video") => Content::Video { caption, media: file },
        // only voice notes are opus in ogg on WhatsApp
        (_, _, "audio") if mime.contains("opus") => Content::Voice { media: file },
        (_, _, "audio") => Content::Audio { media: file },
        _ => Content::Document { caption, media: file },
    }
}

/// ERROR -1, PENDING 0, SERVER 1, DEVICE 2, READ 3, PLAYED 4. The name decides when the number is missing.
fn state(ack: Option<f64>, name: Option<&str>) -> Option<StatusState> {
    match (ack.map(|ack| ack as i64), name) {
        (Some(-1), _) | (None, Some("ERROR")) => Some(StatusState::Failed),
        (Some(1), _) | (None, Some("SERVER")) => Some(StatusState::Sent),
        (Some(2), _) | (None, Some("DEVICE")) => Some(StatusState::Delivered),
        (Some(3), _) | (None, Some("READ")) => Some(StatusState::Read),
        (Some(4), _) | (None, Some("PLAYED")) => Some(StatusState::Played),
        _ => None,
    }
}

fn ack(ack: &wire::Message, at: Option<i64>) -> Result<Incoming, Unreadable> {
    let full = ack.id.as_deref();
    let provider_id = raw_id(full)?.to_owned();
    let named = full.and_then(id).and_then(|id| id.chat).or(ack.from.as_deref());
    let chat = named.and_then(Address::parse);
    if let Some(ignored) = chat.as_ref().and_then(passed_over) {
        return Ok(Incoming::Ignored(ignored));
    }
    let Some(state) = state(ack.ack, ack.ack_name.as_deref()) else {
        return Ok(Incoming::Ignored(Ignored::Pending));
    };
    let error = (state == StatusState::Failed)
        .then(|| StatusError { code: "-1".into(), detail: "WhatsApp could not deliver the message".into() });
    Ok(Incoming::Status(Status { provider_id, chat, state, at, correlation: None, error, person: None, price: None }))
}

fn reaction(message: wire::Message, me: Option<&wire::Me>) -> Result<Incoming, Unreadable> {
    let reaction = message.reaction.as_ref().ok_or_else(|| odd("there is no reaction"))?;
    let target = raw_id(reaction.message_id.as_deref())?.to_owned();
    let full = message.id.as_deref().or(reaction.message_id.as_deref()).unwrap_or_default();
    let whose =
        whose(full, message.from_me, message.from.as_deref(), message.to.as_deref(), message.data.as_ref(), me)?;
    Ok(match whose {
        Ok((chat, person)) => Incoming::Reaction(Reaction {
            target,
            chat,
            person,
            from_me: message.from_me,
            emoji: reaction.text.clone().unwrap_or_default().chars().take(32).collect(),
            at: message.timestamp.and_then(time),
        }),
        Err(ignored) => Incoming::Ignored(ignored),
    })
}

fn edited(message: wire::Message) -> Result<Incoming, Unreadable> {
    let full = message.id.as_deref().unwrap_or_default();
    // the id is the edit's own; on WEBJS there is but one
    let target = raw_id(message.edited_message_id.as_deref().or(message.id.as_deref()))?.to_owned();
    let whose = whose(full, message.from_me, message.from.as_deref(), message.to.as_deref(), None, None)?;
    Ok(match whose {
        Ok((chat, _)) => Incoming::Edited(crate::Edited {
            target,
            chat,
            from_me: message.from_me,
            // NOWEB before 2026.7.2 could lose the text; it is still inside
            text: message.body.clone().or_else(|| proto::edited_text(&proto_of(message.data.as_ref())?)),
            at: message.timestamp.and_then(time),
        }),
        Err(ignored) => Incoming::Ignored(ignored),
    })
}

fn revoked(revoked: wire::Revoked) -> Result<Incoming, Unreadable> {
    let told = revoked.after.as_ref().or(revoked.before.as_ref());
    let before = revoked.before.as_ref().and_then(|before| before.id.as_deref());
    let target = raw_id(revoked.revoked_message_id.as_deref().or(before))?.to_owned();
    let from_me = told.is_some_and(|message| message.from_me);
    let whose = told
        .map(|m| whose(m.id.as_deref().unwrap_or_default(), m.from_me, m.from.as_deref(), m.to.as_deref(), None, None));
    let chat = match whose {
        Some(Ok(Err(ignored))) => return Ok(Incoming::Ignored(ignored)),
        Some(Ok(Ok((chat, _)))) => Some(chat),
        Some(Err(_)) | None => None,
    };
    Ok(Incoming::Revoked(Revoked {
        target,
        chat,
        from_me,
        at: told.and_then(|message| message.timestamp).and_then(time),
    }))
}

fn poll_vote(event: wire::PollVote, readable: bool) -> Result<Incoming, Unreadable> {
    let (Some(vote), Some(poll)) = (event.vote, event.poll) else { return Err(odd("there is no vote or no poll")) };
    let target = raw_id(poll.id.as_deref())?.to_owned();
    let full = vote.id.as_deref().or(poll.id.as_deref()).unwrap_or_default();
    let whose = whose(full, vote.from_me, vote.from.as_deref(), vote.to.as_deref(), None, None)?;
    Ok(match whose {
        Ok((chat, person)) => Incoming::PollVote(PollVote {
            poll: target,
            poll_from_me: poll.from_me,
            chat,
            person,
            from_me: vote.from_me,
            options: readable.then_some(vote.selected_options),
            at: vote.timestamp.and_then(time),
        }),
        Err(ignored) => Incoming::Ignored(ignored),
    })
}

fn presence(event: wire::Presences) -> Result<Incoming, Unreadable> {
    let chat = event.id.as_deref().and_then(Address::parse).ok_or_else(|| odd("the chat is no address"))?;
    if let Some(ignored) = passed_over(&chat) {
        return Ok(Incoming::Ignored(ignored));
    }
    let Some(presence) = event.presences.first() else {
        return Ok(Incoming::Ignored(Ignored::Unused("presence.update".into())));
    };
    let state = match presence.last_known_presence.as_deref() {
        Some("typing") => PresenceState::Typing,
        Some("recording") => PresenceState::Recording,
        Some("paused") => PresenceState::Paused,
        Some("online") => PresenceState::Online,
        Some("offline") => PresenceState::Offline,
        _ => return Ok(Incoming::Ignored(Ignored::Unused("presence.update".into()))),
    };
    Ok(Incoming::Presence(Presence { chat, state, last_seen: presence.last_seen.and_then(time) }))
}

fn call(call: wire::Call, state: CallState) -> Result<Incoming, Unreadable> {
    let provider_id = call.id.filter(|id| id.len() <= LONGEST_ID).ok_or_else(|| odd("the call has no id"))?;
    let chat = call.from.as_deref().and_then(Address::parse).ok_or_else(|| odd("the caller is no address"))?;
    if call.is_group || !chat.is_person() {
        return Ok(Incoming::Ignored(Ignored::Group));
    }
    let person = Person::at(&chat);
    let at = call.timestamp.and_then(time);
    Ok(Incoming::Call(Call { provider_id, chat, person, from_me: false, video: call.is_video, state, at }))
}

fn session_status(event: wire::SessionStatus, me: Option<&wire::Me>, at: Option<i64>) -> Session {
    let status = event.status.unwrap_or_default();
    let began = event.statuses.iter().rev().find(|entry| entry.status.as_deref() == Some(status.as_str()));
    let before = event.statuses.iter().rev().filter_map(|entry| entry.status.as_deref()).find(|entry| *entry != status);
    Session { at: began.and_then(|entry| entry.timestamp).and_then(time).or(at), ..session(&status, before, me) }
}

/// WAHA's word for the state, and what it was before, if that is told.
pub fn session(status: &str, before: Option<&str>, me: Option<&wire::Me>) -> Session {
    let (state, step, reason) = match status {
        // the phone answered, and the connection is made anew with its keys
        "STARTING" if before == Some("SCAN_QR_CODE") => (SessionState::Linking, Some(Step::Linking), None),
        "STARTING" => (SessionState::Linking, Some(Step::Preparing), None),
        "SCAN_QR_CODE" => (SessionState::Linking, Some(Step::Scan), None),
        "WORKING" => (SessionState::Connected, None, None),
        // nobody scanned any of the codes: a restart brings new ones
        "FAILED" if before == Some("SCAN_QR_CODE") => {
            (SessionState::Linking, Some(Step::Expired), Some(Reason::CodeExpired))
        }
        "FAILED" => (SessionState::Attention, None, Some(Reason::Failed)),
        "STOPPED" => (SessionState::Disconnected, None, Some(Reason::Stopped)),
        "PASSKEY_REQUIRED" => (SessionState::Attention, None, Some(Reason::Passkey)),
        "PASSKEY_CONFIRMATION_REQUIRED" => (SessionState::Attention, None, Some(Reason::PasskeyConfirmation)),
        _ => (SessionState::Unknown, None, None),
    };
    let id = me.and_then(|me| me.id.as_deref()).and_then(Address::parse);
    Session {
        state,
        step,
        reason,
        raw: status.chars().take(50).collect(),
        phone: id.as_ref().and_then(|id| id.phone().map(str::to_owned)),
        lid: me.and_then(|me| me.lid.as_deref()).and_then(Address::parse).map(|lid| lid.to_string()),
        push_name: me.and_then(|me| name(me.push_name.as_deref())),
        at: None,
        code: None,
    }
}

/// The items of a list that are messages with people, as history.
pub fn history(list: &[u8]) -> Result<(usize, Vec<Message>), crate::CallError> {
    let items: Vec<Value> = serde_json::from_slice(&clean(list))
        .map_err(|_| crate::CallError::Strange("a list of messages of another shape".into()))?;
    let count = items.len();
    let messages = items
        .into_iter()
        .filter_map(|item| serde_json::from_value::<wire::Message>(item).ok())
        .filter_map(|item| message(item, None).ok()?.ok())
        .map(|message| Message { history: true, ..message })
        .collect();
    Ok((count, messages))
}

/// A file's place, out of a message asked for once more.
pub fn media_of(body: &[u8]) -> Option<MediaRef> {
    let item = serde_json::from_slice::<wire::Message>(&clean(body)).ok()?;
    let found = media(&item, None, None);
    found.media().cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_taken_apart() {
        let parts = |full| id(full).map(|id| (id.from_me, id.chat, id.raw));
        assert_eq!(parts("false_27820001001@c.us_3EB0AAAA"), Some((false, Some("27820001001@c.us"), "3EB0AAAA")));
        assert_eq!(
            parts("true_120363000000000001@g.us_3EB0_27820001000@c.us"),
            Some((true, Some("120363000000000001@g.us"), "3EB0"))
        );
        assert_eq!(parts("false_status@broadcast_AB_27820001001@c.us"), Some((false, Some("status@broadcast"), "AB")));
        assert_eq!(parts("true_1@lid_A_B"), Some((true, Some("1@lid"), "A_B")));
        assert_eq!(parts("3EB0AAAA"), Some((false, None, "3EB0AAAA")));
        assert_eq!(parts("true_3EB0"), Some((true, None, "3EB0")));
        assert_eq!(parts(""), None);
        assert_eq!(parts("false_27820001001@c.us_"), None);
        assert_eq!(parts(&"9".repeat(513)), None);
    }
}
