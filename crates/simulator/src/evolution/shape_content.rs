//! What is inside a message, as WhatsApp's own clients write it: bytes are objects of numbered numbers, numbers of 64
//! bits are pairs.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::world::{Content, File, Form, Message, World};

/// What WhatsApp's clients call a message with a file.
pub fn kind(form: Form) -> &'static str {
    match form {
        Form::Image => "imageMessage",
        Form::Video => "videoMessage",
        Form::Voice | Form::Audio => "audioMessage",
        Form::Document => "documentMessage",
        Form::Sticker => "stickerMessage",
    }
}

/// A number of 64 bits.
pub fn long(value: i64) -> Value {
    // Both halves as they stand in memory: the lower one may look negative.
    json!({"low": value as i32, "high": (value >> 32) as i32, "unsigned": false})
}

/// The same without a sign.
fn unsigned(value: u64) -> Value {
    json!({"low": value as i32, "high": (value >> 32) as i32, "unsigned": true})
}

/// Bytes: `{"0":1,"1":2}`.
fn bytes(bytes: &[u8]) -> Value {
    let fields: Map<String, Value> = bytes.iter().enumerate().map(|(at, byte)| (at.to_string(), json!(byte))).collect();
    Value::Object(fields)
}

fn secret(message: &Message) -> Value {
    bytes(&Sha256::digest(message.secret.as_bytes()))
}

/// The kind of a message and what is inside it. `sent` by the API, it carries less.
pub fn of(world: &World, message: &Message, sent: bool) -> (&'static str, Value) {
    let (kind, inside) = match &message.content {
        Content::Text(text) => ("conversation", json!(text)),
        Content::Media { form, file, caption } => media(world.shelf.get(file), *form, caption.as_deref(), message),
        Content::Location { latitude, longitude, name } => {
            let mut place = json!({"degreesLatitude": latitude, "degreesLongitude": longitude});
            if let Some(name) = name {
                place["name"] = name.as_str().into();
            }
            if !sent {
                place["jpegThumbnail"] = secret(message);
            }
            ("locationMessage", place)
        }
        Content::Contacts(cards) => contacts(cards),
        Content::Poll { name, options, multiple } => {
            let most = if *multiple { options.len() } else { 1 };
            let options: Vec<Value> = options.iter().map(|option| json!({"optionName": option})).collect();
            let kind = if *multiple { "pollCreationMessage" } else { "pollCreationMessageV3" };
            (kind, json!({"options": options, "name": name, "selectableOptionsCount": most}))
        }
    };
    let mut whole = json!({kind: inside});
    if matches!(message.content, Content::Poll { .. }) || (kind == "conversation" && !sent) {
        whole["messageContextInfo"] = json!({"threadId": [], "messageSecret": secret(message)});
        if kind == "conversation" {
            whole["messageContextInfo"]["deviceListMetadataVersion"] = 2.into();
        }
    }
    (kind, whole)
}

fn media(file: Option<&File>, form: Form, caption: Option<&str>, message: &Message) -> (&'static str, Value) {
    let (data, mimetype) = file.map_or((&[][..], "application/octet-stream"), |file| (&file.bytes, &file.mimetype));
    let hash = bytes(&Sha256::digest(data));
    let path = format!("/o1/v/{}", message.id);
    let mut inside = json!({
        "url": format!("https://mmg.whatsapp.net{path}"),
        "mimetype": mimetype,
        "fileSha256": hash,
        "fileLength": unsigned(data.len() as u64),
        "mediaKey": secret(message),
        "fileEncSha256": bytes(&Sha256::digest(hash.to_string())),
        "directPath": path,
        "mediaKeyTimestamp": long(message.at_ms / 1000),
    });
    let kind = kind(form);
    if let Some(caption) = caption {
        inside["caption"] = caption.into();
    }
    match form {
        Form::Image | Form::Video => {
            let (width, height) = size(data).unwrap_or((1280, 960));
            (inside["width"], inside["height"]) = (width.into(), height.into());
            inside["jpegThumbnail"] = secret(message);
            for empty in ["interactiveAnnotations", "scanLengths", "annotations"] {
                inside[empty] = json!([]);
            }
            if form == Form::Video {
                (inside["seconds"], inside["gifPlayback"]) = (1.into(), false.into());
            }
        }
        Form::Voice | Form::Audio => {
            (inside["seconds"], inside["ptt"]) = (1.into(), (form == Form::Voice).into());
            if form == Form::Voice {
                inside["waveform"] = bytes(&Sha256::digest(message.id.as_bytes()));
            }
        }
        Form::Document => {
            let name = file.and_then(|file| file.filename.as_deref()).unwrap_or("file");
            (inside["title"], inside["fileName"]) = (name.into(), name.into());
            if mimetype == "application/pdf" {
                inside["pageCount"] = 1.into();
            }
        }
        Form::Sticker => inside["isAnimated"] = false.into(),
    }
    (kind, inside)
}

/// Width and height of a picture.
fn size(data: &[u8]) -> Option<(u32, u32)> {
    image::ImageReader::new(std::io::Cursor::new(data)).with_guessed_format().ok()?.into_dimensions().ok()
}

/// One card, or several in a list.
fn contacts(cards: &[String]) -> (&'static str, Value) {
    let name = |card: &str| {
        let line = card.lines().find_map(|line| line.strip_prefix("FN:"));
        line.unwrap_or_default().trim().to_owned()
    };
    let one = |card: &String| json!({"displayName": name(card), "vcard": card});
    match cards {
        [card] => ("contactMessage", one(card)),
        cards => {
            let contacts: Vec<Value> = cards.iter().map(one).collect();
            ("contactsArrayMessage", json!({"displayName": format!("{} contacts", cards.len()), "contacts": contacts}))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::long;

    #[test]
    fn a_number_of_64_bits_is_a_pair_as_captured() {
        let captured = serde_json::json!({"low": -1631558533, "high": 410, "unsigned": false});
        let value = (410i64 << 32) + i64::from((-1631558533i32) as u32);
        assert_eq!(long(value), captured);
    }
}
