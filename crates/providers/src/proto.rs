//! WhatsApp's own message, as gateways for linked devices pass it on: the protobuf written as JSON, by Baileys (WAHA's NOWEB, Evolution)
//! or whatsmeow (WAHA's GOWS). Fields of use only; bytes, 64-bit numbers and names differ by library and version.
//!
//! Sources: fixtures of waha and evolution; names of rarer kinds from WhatsApp's published protobuf.

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::content::{Button, Card, CardLine, Content, Context, MediaRef, OrderItem, Quoted, Referral};
use crate::{Address, CallState};

/// Wrappers within wrappers are followed so far.
const DEEPEST: usize = 6;
/// Longer lists are cut.
const MOST: usize = 256;

/// Fields that are not the message itself.
const BESIDES: [&str; 7] = [
    "messageContextInfo",
    "senderKeyDistributionMessage",
    "fastRatchetKeySenderKeyDistributionMessage",
    "deviceListMetadata",
    // Evolution's own
    "base64",
    "mediaUrl",
    "speechToText",
];

/// An id of our choice for a message of ours: made from our own id, so that it is the same whenever it is asked for; `3EB0` and 18 hex digits, as
/// WhatsApp Web makes its own.
pub(crate) fn web_id(correlation: &str) -> String {
    format!("3EB0{}", hex::encode_upper(&Sha256::digest(correlation.as_bytes())[..9]))
}

/// What one message holds: its field's name (`imageMessage`) and that field.
pub(crate) struct Inner<'a> {
    pub name: &'a str,
    pub value: &'a Value,
    pub view_once: bool,
}

/// Takes off the wrappers. `None` when nothing but housekeeping is inside.
pub(crate) fn inner(message: &Value) -> Option<Inner<'_>> {
    let mut view_once = false;
    let mut message = message;
    for _ in 0..DEEPEST {
        let (name, value) =
            message.as_object()?.iter().find(|(name, value)| !BESIDES.contains(&name.as_str()) && !value.is_null())?;
        view_once |= name.starts_with("viewOnce");
        match (name.as_str(), value.get("message")) {
            (
                "ephemeralMessage"
                | "viewOnceMessage"
                | "viewOnceMessageV2"
                | "viewOnceMessageV2Extension"
                | "documentWithCaptionMessage"
                | "deviceSentMessage"
                | "editedMessage"
                | "associatedChildMessage",
                Some(inside),
            ) => message = inside,
            _ => return Some(Inner { name, value, view_once }),
        }
    }
    None
}

/// What the message says. Housekeeping (`protocolMessage`, reactions, votes: they have events of their own) is left to the caller by name.
pub(crate) fn content(inner: &Inner) -> Content {
    let value = inner.value;
    let caption = || text(value, "caption");
    match inner.name {
        "conversation" => Content::Text { text: value.as_str().unwrap_or_default().to_owned() },
        "extendedTextMessage" => Content::Text { text: text(value, "text").unwrap_or_default() },
        "imageMessage" => Content::Image { caption: caption(), media: media(value) },
        "videoMessage" | "ptvMessage" => Content::Video { caption: caption(), media: media(value) },
        "audioMessage" if flag(value, "ptt") => Content::Voice { media: media(value) },
        "audioMessage" => Content::Audio { media: media(value) },
        "documentMessage" => Content::Document { caption: caption(), media: media(value) },
        "stickerMessage" | "lottieStickerMessage" => Content::Sticker { media: media(value) },
        "locationMessage" | "liveLocationMessage" => {
            match (number(value, "degreesLatitude"), number(value, "degreesLongitude")) {
                (Some(latitude), Some(longitude)) => Content::Location {
                    latitude,
                    longitude,
                    name: text(value, "name"),
                    address: text(value, "address"),
                    url: text(value, "url"),
                    live: inner.name == "liveLocationMessage",
                },
                _ => unsupported(inner.name),
            }
        }
        "contactMessage" => Content::Contacts { contacts: vec![contact(value)] },
        "contactsArrayMessage" => Content::Contacts { contacts: items(value, "contacts").map(contact).collect() },
        "pollCreationMessage"
        | "pollCreationMessageV2"
        | "pollCreationMessageV3"
        | "pollCreationMessageV4"
        | "pollCreationMessageV5" => Content::Poll {
            question: text(value, "name").unwrap_or_default(),
            options: items(value, "options").filter_map(|option| text(option, "optionName")).collect(),
            multiple: number(value, "selectableOptionsCount").or(number(value, "selectableCount")) != Some(1.0),
        },
        "buttonsResponseMessage" => Content::ButtonReply {
            id: text(value, "selectedButtonId").or_else(|| text(value, "selectedButtonID")),
            title: text(value, "selectedDisplayText").unwrap_or_default(),
        },
        "templateButtonReplyMessage" => Content::ButtonReply {
            id: text(value, "selectedId").or_else(|| text(value, "selectedID")),
            title: text(value, "selectedDisplayText").unwrap_or_default(),
        },
        "listResponseMessage" => Content::ListReply {
            id: value
                .get("singleSelectReply")
                .and_then(|reply| text(reply, "selectedRowId").or_else(|| text(reply, "selectedRowID"))),
            title: text(value, "title").unwrap_or_default(),
            description: text(value, "description"),
        },
        "interactiveResponseMessage" => {
            let flow = value.get("nativeFlowResponseMessage");
            let answers = flow.and_then(|flow| text(flow, "paramsJson").or_else(|| text(flow, "paramsJSON")));
            let answers =
                answers.map_or(Value::Null, |json| serde_json::from_str(&json).unwrap_or(Value::String(json)));
            let name = flow.and_then(|flow| text(flow, "name")).unwrap_or_default();
            let shown = value.get("body").and_then(|body| text(body, "text"));
            if name == "quick_reply" {
                return Content::ButtonReply { id: text(&answers, "id"), title: shown.unwrap_or_default() };
            }
            Content::FormReply { name, text: shown, answers }
        }
        "buttonsMessage" => Content::Buttons {
            text: text(value, "contentText").unwrap_or_default(),
            header: text(value, "text"),
            footer: text(value, "footerText"),
            list: None,
            buttons: items(value, "buttons")
                .map(|button| Button {
                    id: text(button, "buttonId").or_else(|| text(button, "buttonID")).unwrap_or_default(),
                    title: button.get("buttonText").and_then(|label| text(label, "displayText")).unwrap_or_default(),
                    ..Button::default()
                })
                .collect(),
        },
        "listMessage" => Content::Buttons {
            text: text(value, "description").unwrap_or_default(),
            header: text(value, "title"),
            footer: text(value, "footerText"),
            list: text(value, "buttonText"),
            buttons: items(value, "sections")
                .flat_map(|section| items(section, "rows"))
                .take(MOST)
                .map(|row| Button {
                    id: text(row, "rowId").or_else(|| text(row, "rowID")).unwrap_or_default(),
                    title: text(row, "title").unwrap_or_default(),
                    description: text(row, "description"),
                    ..Button::default()
                })
                .collect(),
        },
        "orderMessage" => Content::Order {
            text: text(value, "message"),
            catalog: None,
            // the lines of the order are behind a call of their own, which gateways do not offer
            items: vec![OrderItem {
                id: text(value, "orderId").or_else(|| text(value, "orderID")).unwrap_or_default(),
                name: text(value, "orderTitle"),
                quantity: number(value, "itemCount").unwrap_or(1.0),
                price: number(value, "totalAmount1000").map(|thousandths| thousandths / 1000.0),
                currency: text(value, "totalCurrencyCode"),
            }],
        },
        "call" | "callLogMesssage" | "callLogMessage" => Content::Call {
            video: flag(value, "isVideo"),
            state: match text(value, "callOutcome").as_deref() {
                Some("CONNECTED" | "0") => CallState::Ended,
                Some("REJECTED" | "3") => CallState::Rejected,
                Some("ACCEPTED_ELSEWHERE" | "4") => CallState::Accepted,
                _ => CallState::Missed,
            },
        },
        name => unsupported(name),
    }
}

/// What is true of the message besides its content, and what it answers.
pub(crate) fn context(inner: &Inner) -> (Context, Option<Quoted>) {
    let Some(info) = inner.value.get("contextInfo").filter(|info| info.is_object()) else {
        return (Context { view_once: inner.view_once, ..Context::default() }, None);
    };
    let ad = info.get("externalAdReply").filter(|ad| ad.is_object());
    let hops = number(info, "forwardingScore").unwrap_or(0.0);
    let context = Context {
        forwarded: flag(info, "isForwarded"),
        often_forwarded: flag(info, "isForwarded") && hops > 4.0,
        view_once: inner.view_once || flag(inner.value, "viewOnce"),
        mentions: items(info, "mentionedJid")
            .chain(items(info, "mentionedJID"))
            .filter_map(|jid| Address::parse(jid.as_str()?))
            .collect(),
        referral: ad.map(|ad| Referral {
            url: text(ad, "sourceUrl").or_else(|| text(ad, "sourceURL")),
            id: text(ad, "sourceId").or_else(|| text(ad, "sourceID")),
            kind: text(ad, "sourceType"),
            headline: text(ad, "title"),
            text: text(ad, "body"),
            click_id: text(ad, "ctwaClid"),
        }),
    };
    let quoted = text(info, "stanzaId").or_else(|| text(info, "stanzaID")).map(|provider_id| Quoted {
        provider_id,
        author: text(info, "participant").and_then(|jid| Address::parse(&jid)),
        text: info
            .get("quotedMessage")
            .and_then(self::inner)
            .and_then(|inner| content(&inner).text().map(str::to_owned)),
    });
    (context, quoted)
}

/// The new text of an edit: a `protocolMessage` with an `editedMessage` inside.
pub(crate) fn edited_text(message: &Value) -> Option<String> {
    let edited = inner(message).filter(|inner| inner.name == "protocolMessage")?.value.get("editedMessage")?;
    content(&inner(edited)?).text().map(str::to_owned).filter(|text| !text.is_empty())
}

fn unsupported(name: &str) -> Content {
    Content::Unsupported { name: name.chars().take(100).collect(), detail: None }
}

fn media(value: &Value) -> MediaRef {
    let pixels = |name| number(value, name).filter(|n| (1.0..=100_000.0).contains(n)).map(|n| n as u32);
    MediaRef {
        mime: text(value, "mimetype"),
        name: text(value, "fileName").or_else(|| text(value, "title")),
        size_bytes: number(value, "fileLength").filter(|n| (0.0..1e13).contains(n)).map(|n| n as u64),
        width: pixels("width"),
        height: pixels("height"),
        duration_ms: number(value, "seconds").filter(|n| (0.0..1e8).contains(n)).map(|n| (n * 1000.0) as u64),
        animated: flag(value, "gifPlayback") || flag(value, "isAnimated"),
        ..MediaRef::default()
    }
}

fn contact(value: &Value) -> Card {
    let mut card = text(value, "vcard").map(|vcard| card(&vcard)).unwrap_or_default();
    if let Some(name) = text(value, "displayName") {
        card.name = name;
    }
    card
}

/// Reads what is of use in a vCard (RFC 2426, 6350): names, organisation, numbers, addresses of mail. Never fails; odd lines are left out.
pub(crate) fn card(vcard: &str) -> Card {
    let mut card = Card::default();
    let unfolded = vcard.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let mut labels: Vec<(String, String)> = Vec::new();
    for line in unfolded.lines().take(500) {
        let Some((key, value)) = line.split_once(':') else { continue };
        let (value, mut parts) = (unescape(value), key.split(';'));
        let name = parts.next().unwrap_or_default();
        let (group, name) = name.rsplit_once('.').map_or((None, name), |(group, name)| (Some(group), name));
        let parameters: Vec<&str> = parts.collect();
        let parameter = |wanted: &str| {
            parameters.iter().find_map(|part| {
                part.split_once('=').filter(|(key, _)| key.eq_ignore_ascii_case(wanted)).map(|(_, v)| v)
            })
        };
        let label = || {
            let grouped =
                group.and_then(|group| labels.iter().find(|(of, _)| of == group)).map(|(_, label)| label.clone());
            let typed = || parameter("type").map(|kind| kind.split(',').next().unwrap_or(kind).to_ascii_lowercase());
            grouped.or_else(typed).filter(|label| !label.is_empty())
        };
        match name.to_ascii_uppercase().as_str() {
            "FN" if card.name.is_empty() => card.name = value,
            "ORG" => {
                card.organization = Some(value.trim_end_matches(';').replace(';', ", ")).filter(|org| !org.is_empty())
            }
            "X-ABLABEL" => {
                if let Some(group) = group {
                    labels.push((group.to_owned(), value.trim_matches(|c| "_$!<>".contains(c)).to_owned()));
                }
            }
            "TEL" if card.phones.len() < MOST => {
                let whatsapp =
                    parameter("waid").and_then(Address::parse).and_then(|address| address.phone().map(str::to_owned));
                card.phones.push(CardLine { label: label(), whatsapp, value });
            }
            "EMAIL" if card.emails.len() < MOST => card.emails.push(CardLine { label: label(), whatsapp: None, value }),
            _ => {}
        }
    }
    card
}

fn unescape(value: &str) -> String {
    let mut plain = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => plain.push('\n'),
                Some(other) => plain.push(other),
                None => {}
            },
            c => plain.push(c),
        }
    }
    plain.trim().to_owned()
}

/// A text field; numbers become their digits, empty is nothing.
pub(crate) fn text(value: &Value, name: &str) -> Option<String> {
    match field(value, name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A number field, also as text or as two halves.
pub(crate) fn number(value: &Value, name: &str) -> Option<f64> {
    match field(value, name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Object(long) => {
            let half = |name| long.get(name).and_then(Value::as_i64);
            Some(half("high")? as f64 * 4_294_967_296.0 + f64::from(half("low")? as u32))
        }
        _ => None,
    }
    .filter(|number| number.is_finite())
}

pub(crate) fn flag(value: &Value, name: &str) -> bool {
    field(value, name).and_then(Value::as_bool).unwrap_or(false)
}

pub(crate) fn items<'a>(value: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    field(value, name).and_then(Value::as_array).into_iter().flatten().take(MOST)
}

/// Baileys writes `ptt`, whatsmeow `PTT`.
fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let fields: &Map<String, Value> = value.as_object()?;
    fields.get(name).or_else(|| fields.get(&name.to_ascii_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn says(message: Value) -> Content {
        content(&inner(&message).unwrap())
    }

    #[test]
    fn wrappers_are_taken_off() {
        let voice = json!({"messageContextInfo": {"a": 1}, "ephemeralMessage": {"message": {"viewOnceMessageV2": {"message":
            {"audioMessage": {"mimetype": "audio/ogg; codecs=opus", "ptt": true, "seconds": 5, "fileLength": {"low": 9990, "high": 0, "unsigned": true}}}}}}});
        let found = inner(&voice).unwrap();
        assert!(found.view_once);
        let Content::Voice { media } = content(&found) else { panic!() };
        assert_eq!((media.duration_ms, media.size_bytes), (Some(5000), Some(9990)));
        let mut deep = json!({"conversation": "x"});
        for _ in 0..50 {
            deep = json!({"ephemeralMessage": {"message": deep}});
        }
        assert!(inner(&deep).is_none());
        assert!(inner(&json!({"messageContextInfo": {}})).is_none());
        assert!(inner(&json!([])).is_none());
    }

    #[test]
    fn every_kind_is_read() {
        assert_eq!(says(json!({"conversation": "hi"})), Content::Text { text: "hi".into() });
        assert_eq!(
            says(
                json!({"listResponseMessage": {"title": "Blue", "singleSelectReply": {"selectedRowId": "opt_2"}, "description": "in stock"}})
            ),
            Content::ListReply { id: Some("opt_2".into()), title: "Blue".into(), description: Some("in stock".into()) }
        );
        assert_eq!(
            says(
                json!({"interactiveResponseMessage": {"body": {"text": "Sent"}, "nativeFlowResponseMessage": {"name": "flow", "paramsJson": "{\"a\":1}"}}})
            ),
            Content::FormReply { name: "flow".into(), text: Some("Sent".into()), answers: json!({"a": 1}) }
        );
        assert_eq!(
            says(
                json!({"pollCreationMessageV3": {"name": "When?", "selectableOptionsCount": 0, "options": [{"optionName": "A"}, {"optionName": "B"}]}})
            ),
            Content::Poll { question: "When?".into(), options: vec!["A".into(), "B".into()], multiple: true }
        );
        assert_eq!(
            says(json!({"eventMessage": {}})),
            Content::Unsupported { name: "eventMessage".into(), detail: None }
        );
        assert_eq!(says(json!({"locationMessage": {"degreesLatitude": "x"}})).kind(), "unsupported");
    }

    #[test]
    fn a_vcard_gives_its_names_and_numbers() {
        let card = card(
            "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Jane \\, Doe\r\nORG:Company;Sales;\r\nitem1.X-ABLabel:_$!<Home>!$_\r\nitem1.TEL;waid=27820001009:+27 82 000\r\n  1009\r\nTEL;type=CELL,VOICE:011 5\r\nEMAIL;TYPE=work:j@example.com\r\nBROKEN\r\nEND:VCARD",
        );
        assert_eq!(card.name, "Jane , Doe");
        assert_eq!(card.organization.as_deref(), Some("Company, Sales"));
        assert_eq!(
            card.phones[0],
            CardLine {
                value: "+27 82 000 1009".into(),
                label: Some("Home".into()),
                whatsapp: Some("+27820001009".into())
            }
        );
        assert_eq!(card.phones[1], CardLine { value: "011 5".into(), label: Some("cell".into()), whatsapp: None });
        assert_eq!(card.emails[0].label.as_deref(), Some("work"));
    }
}
