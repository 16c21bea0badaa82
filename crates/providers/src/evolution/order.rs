//! What we write to an Evolution: addresses, the setting of an instance, the bodies of sends; and the names in their answers.

use base64::Engine as _;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::{HEADER, wire};
use crate::http::Order;
use crate::{Address, Body, CallError, Capability, File, Link, MessageRef, SendError, Sent, Setup, http, kept};

/// Evolution's form of an address, as `number`: digits, or the JID where there are none.
pub fn number(address: &Address) -> Result<String, CallError> {
    match address {
        Address::Phone(phone) => Ok(phone[1..].to_owned()),
        Address::Lid(id) | Address::Group(id) | Address::Jid(id) => Ok(id.clone()),
        Address::Bsuid(_) => {
            Err(CallError::Invalid("this person has no phone number that a linked device can reach".into()))
        }
    }
}

/// The same as WhatsApp's JID.
pub fn jid(address: &Address) -> Result<String, CallError> {
    match address {
        Address::Phone(phone) => Ok(format!("{}@s.whatsapp.net", &phone[1..])),
        other => number(other),
    }
}

/// `true_<jid>_<id>`: what calls about a message need.
pub fn reference(from_me: bool, jid: &str, id: &str) -> String {
    format!("{from_me}_{jid}_{id}")
}

/// WhatsApp's key of a message, out of a reference.
pub fn key(message: &MessageRef) -> Result<Value, CallError> {
    let inside = message.reference.split_once('_').and_then(|(_, rest)| {
        let server = rest.find('@')?;
        let (jid, _) = rest.split_at(server + rest[server..].find('_')?);
        Some(jid.to_owned())
    });
    let jid = inside.map_or_else(|| jid(&message.chat), Ok)?;
    Ok(json!({ "id": message.provider_id, "remoteJid": jid, "fromMe": message.from_me }))
}

/// Our hook. `headers` are always given: left out, old ones would stay.
pub fn hook(link: &Link, setup: &Setup, events: &[&str]) -> Value {
    let mut headers = json!({});
    if let Some(key) = link.secrets.keys.first() {
        headers[HEADER] = key.expose_secret().into();
    }
    // not `byEvents`, which changes the URL, nor `base64`: files would make hooks of 100 MB
    json!({ "enabled": true, "url": setup.hook_url.as_str(), "byEvents": false, "base64": false, "headers": headers, "events": events })
}

/// How the number behaves: groups are not read and need not come; not online, so that the owner's phone keeps ringing.
pub fn settings(setup: &Setup) -> Value {
    json!({
        "rejectCall": false, "msgCall": "", "groupsIgnore": true, "alwaysOnline": false,
        "readMessages": false, "readStatus": false, "syncFullHistory": setup.full_history,
    })
}

/// What to call for a message, and with what.
pub fn order(body: &Body) -> Result<Order, SendError> {
    let light = |call, needs, body| Order { call, body, needs, patience: http::PATIENCE };
    let heavy = |call, needs, body| Order { call, body, needs: Some(needs), patience: http::PATIENCE_FILES };
    let media = |kind: &str, file: &File, caption: &Option<String>| {
        let mut body =
            json!({ "mediatype": kind, "mimetype": file.mime, "fileName": file.name, "media": encoded(file) });
        if let Some(caption) = caption {
            body["caption"] = caption.as_str().into();
        }
        body
    };
    Ok(match body {
        Body::Text { text } => light("sendText", None, json!({ "text": text })),
        Body::Image { file, caption } => heavy("sendMedia", Capability::Image, media("image", file, caption)),
        Body::Video { file, caption } => heavy("sendMedia", Capability::Video, media("video", file, caption)),
        Body::Document { file, caption } => heavy("sendMedia", Capability::Document, media("document", file, caption)),
        Body::Audio { file } => heavy("sendMedia", Capability::Audio, media("audio", file, &None)),
        Body::Voice { file } => heavy(
            "sendWhatsAppAudio",
            Capability::Voice,
            // opus in ogg is what WhatsApp plays as a voice note; anything else the server has to convert
            json!({ "audio": encoded(file), "encoding": !file.mime.to_ascii_lowercase().starts_with("audio/ogg") }),
        ),
        Body::Sticker { file } => heavy("sendSticker", Capability::Sticker, json!({ "sticker": encoded(file) })),
        Body::Location { latitude, longitude, name, address } => light(
            "sendLocation",
            Some(Capability::Location),
            // both texts are required
            json!({
                "latitude": latitude, "longitude": longitude,
                "name": name.as_deref().unwrap_or_default(), "address": address.as_deref().unwrap_or_default(),
            }),
        ),
        Body::Contacts { contacts } => {
            let cards: Option<Vec<Value>> = contacts.iter().map(card).collect();
            let cards = cards.filter(|cards| !cards.is_empty()).ok_or_else(|| {
                SendError::bad("A contact without a phone number cannot be sent through this number.")
            })?;
            light("sendContact", Some(Capability::Contacts), json!({ "contact": cards }))
        }
        Body::Poll { question, options, multiple } => {
            if !(2..=10).contains(&options.len()) {
                return Err(SendError::bad("A poll on this number has 2 to 10 answers."));
            }
            let most = if *multiple { options.len() } else { 1 };
            light(
                "sendPoll",
                Some(Capability::Poll),
                json!({ "name": question, "selectableCount": most, "values": options }),
            )
        }
        // over a linked device they often do not show, and some versions fail on them
        Body::Buttons { .. } => return Err(SendError::NotSupported { capability: Capability::Buttons }),
        Body::Template(_) => return Err(SendError::NotSupported { capability: Capability::Templates }),
    })
}

/// In the request itself: the gateway may not be able to reach us. Bare base64, without `data:`.
fn encoded(file: &File) -> String {
    base64::engine::general_purpose::STANDARD.encode(&file.bytes)
}

/// One number a card: there is room for no more.
fn card(card: &crate::Card) -> Option<Value> {
    let phone = card.phones.first()?;
    let digits: String = phone.value.chars().filter(char::is_ascii_digit).collect();
    let known = phone.whatsapp.as_deref().map_or(digits, |phone| phone.trim_start_matches('+').to_owned());
    let mut made = json!({ "fullName": card.name, "phoneNumber": phone.value, "wuid": known });
    if let Some(organization) = &card.organization {
        made["organization"] = organization.as_str().into();
    }
    if let Some(email) = card.emails.first() {
        made["email"] = email.value.as_str().into();
    }
    Some(made)
}

/// The names of what was sent. Brazilian, Mexican and Argentine numbers come back rewritten.
pub fn sent(answer: wire::Message, to: &Address) -> Option<Sent> {
    let at = answer.message_timestamp.and_then(crate::lenient::time);
    let key = answer.key?;
    let provider_id = kept::id(key.id.as_deref()).ok()?;
    let chat = key.remote_jid.as_deref().and_then(Address::parse).filter(Address::is_person);
    let at_jid = jid(chat.as_ref().unwrap_or(to)).ok()?;
    let reference = reference(true, &at_jid, &provider_id);
    Some(Sent { provider_id, reference, to: chat.filter(|chat| chat != to), at, held: false })
}
