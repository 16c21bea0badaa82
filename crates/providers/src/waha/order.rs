//! What we write to a WAHA: addresses, the configuration of a session, the bodies of sends; and the names in their answers.

use base64::Engine as _;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{read, wire};
use crate::content::Card;
use crate::http::Order;
use crate::{Address, Body, CallError, Capability, File, Link, SendError, Sent, Setup, http, lenient};

/// WAHA's form of an address.
pub fn chat_id(address: &Address) -> Result<String, CallError> {
    match address {
        Address::Phone(phone) => Ok(format!("{}@c.us", &phone[1..])),
        Address::Lid(id) | Address::Group(id) | Address::Jid(id) => Ok(id.clone()),
        Address::Bsuid(_) => {
            Err(CallError::Invalid("this person has no phone number that a linked device can reach".into()))
        }
    }
}

/// A session: our hook, signed with the first key, and what makes the engine keep what we read.
pub fn config(link: &Link, setup: &Setup, events: &[&str]) -> Value {
    let mut hook = json!({
        "url": setup.hook_url.as_str(),
        "events": events,
        // with ours down for a while: 2, 4, 8 … s, 17 minutes in all
        "retries": { "policy": "exponential", "delaySeconds": 2, "attempts": 10 },
        "customHeaders": [{ "name": "X-Indaba-Instance", "value": setup.instance }],
    });
    if let Some(key) = link.secrets.keys.first() {
        hook["hmac"] = json!({ "key": key.expose_secret() });
    }
    json!({
        "metadata": { "indaba.instance": setup.instance },
        // groups, stories and channels are not read: they need not come
        "ignore": { "status": true, "groups": true, "channels": true, "broadcast": true },
        "client": { "deviceName": setup.device, "browserName": "Chrome" },
        // without the store there are no chats, contacts, history or replies on NOWEB; not online, so that the owner's phone keeps ringing
        "noweb": { "markOnline": false, "store": { "enabled": true, "fullSync": setup.full_history } },
        "gows": { "storage": { "messages": true, "groups": true, "chats": true, "labels": true } },
        "webjs": { "tagsEventsOn": true },
        "webhooks": [hook],
    })
}

/// What to call for a message, and with what.
pub fn order(body: &Body) -> Result<Order, SendError> {
    let light = |call, needs, body| Order { call, body, needs, patience: http::PATIENCE };
    let heavy = |call, needs, file: &File, caption: &Option<String>| {
        let mut body = json!({ "file": attached(file) });
        if let Some(caption) = caption {
            body["caption"] = caption.as_str().into();
        }
        Order { call, body, needs: Some(needs), patience: http::PATIENCE_FILES }
    };
    Ok(match body {
        Body::Text { text } => light("sendText", None, json!({ "text": text })),
        Body::Image { file, caption } => heavy("sendImage", Capability::Image, file, caption),
        Body::Video { file, caption } => heavy("sendVideo", Capability::Video, file, caption),
        Body::Document { file, caption } => heavy("sendFile", Capability::Document, file, caption),
        Body::Audio { file } => heavy("sendFile", Capability::Audio, file, &None),
        Body::Voice { file } => {
            let mut order = heavy("sendVoice", Capability::Voice, file, &None);
            // opus in ogg is what WhatsApp plays as a voice note; anything else the gateway has to convert
            order.body["convert"] = (!file.mime.to_ascii_lowercase().starts_with("audio/ogg")).into();
            order
        }
        Body::Location { latitude, longitude, name, address } => {
            let title = [name.as_deref(), address.as_deref()].into_iter().flatten().collect::<Vec<_>>().join(", ");
            light(
                "sendLocation",
                Some(Capability::Location),
                json!({ "latitude": latitude, "longitude": longitude, "title": title }),
            )
        }
        Body::Contacts { contacts } => light(
            "sendContactVcard",
            Some(Capability::Contacts),
            json!({ "contacts": contacts.iter().map(vcard).collect::<Vec<_>>() }),
        ),
        Body::Poll { question, options, multiple } => light(
            "sendPoll",
            Some(Capability::Poll),
            json!({ "poll": { "name": question, "options": options, "multipleAnswers": multiple } }),
        ),
        Body::Sticker { .. } => return Err(SendError::NotSupported { capability: Capability::Sticker }),
        Body::Buttons { .. } => return Err(SendError::NotSupported { capability: Capability::Buttons }),
        Body::Template(_) => return Err(SendError::NotSupported { capability: Capability::Templates }),
    })
}

/// In the request itself: the gateway may not be able to reach us.
fn attached(file: &File) -> Value {
    json!({ "mimetype": file.mime, "filename": file.name, "data": base64::engine::general_purpose::STANDARD.encode(&file.bytes) })
}

fn vcard(card: &Card) -> Value {
    let escape = |text: &str| {
        text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "").replace(',', "\\,").replace(';', "\\;")
    };
    let mut lines = vec!["BEGIN:VCARD".to_owned(), "VERSION:3.0".to_owned(), format!("FN:{}", escape(&card.name))];
    lines.extend(card.organization.as_deref().map(|org| format!("ORG:{};", escape(org))));
    for phone in &card.phones {
        let digits: String = phone.value.chars().filter(char::is_ascii_digit).collect();
        let known = phone.whatsapp.as_deref().map_or(digits.as_str(), |phone| phone.trim_start_matches('+'));
        lines.push(format!("TEL;type=CELL;type=VOICE;waid={known}:{}", escape(&phone.value)));
    }
    lines.extend(card.emails.iter().map(|email| format!("EMAIL:{}", escape(&email.value))));
    lines.push("END:VCARD".to_owned());
    json!({ "vcard": lines.join("\n") })
}

/// The names of what was sent, out of any engine's answer.
pub fn sent(answer: wire::Sent, to: &Address) -> Option<Sent> {
    let data = answer.data.as_ref();
    let key = answer.key.as_ref().or(data.and_then(|data| data.key.as_ref()));
    let at = answer.timestamp.or(answer.message_timestamp).and_then(lenient::time);
    let from_key = || {
        let key = key?;
        let chat = key.remote_jid.as_deref().and_then(Address::parse);
        let chat = chat.as_ref().map_or_else(|| chat_id(to), chat_id).ok()?;
        Some(format!("true_{chat}_{}", key.id.as_deref()?))
    };
    let inside = || data.and_then(|data| data.id.clone().or_else(|| data.info.as_ref()?.id.clone()));
    let reference = answer.id.clone().or_else(from_key).or_else(inside)?;
    let id = read::id(&reference)?;
    let (provider_id, chat) = (id.raw.to_owned(), id.chat.and_then(Address::parse));
    let reference = match id.chat {
        Some(_) => reference,
        None => format!("true_{}_{provider_id}", chat_id(to).ok()?),
    };
    Some(Sent { provider_id, reference, to: chat.filter(|chat| chat != to && chat.is_person()), at, held: false })
}
