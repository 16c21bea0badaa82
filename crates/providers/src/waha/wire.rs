//! WAHA's own shapes, read with every field optional. Only what is used.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::lenient::{flag, list, number, object, text};

/// Every hook.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Hook {
    #[serde(deserialize_with = "text")]
    pub event: Option<String>,
    #[serde(deserialize_with = "text")]
    pub session: Option<String>,
    #[serde(deserialize_with = "number")]
    pub timestamp: Option<f64>,
    #[serde(deserialize_with = "object")]
    pub me: Option<Me>,
    pub payload: Option<Box<RawValue>>,
}

/// Just whom a hook concerns.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Head {
    #[serde(deserialize_with = "text")]
    pub event: Option<String>,
    #[serde(deserialize_with = "text")]
    pub session: Option<String>,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Me {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub lid: Option<String>,
    #[serde(deserialize_with = "text")]
    pub push_name: Option<String>,
}

/// WAMessage: in events, history, chat overviews and some answers.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Message {
    #[serde(deserialize_with = "id")]
    pub id: Option<String>,
    #[serde(deserialize_with = "number")]
    pub timestamp: Option<f64>,
    #[serde(deserialize_with = "text")]
    pub from: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub from_me: bool,
    #[serde(deserialize_with = "text")]
    pub source: Option<String>,
    #[serde(deserialize_with = "text")]
    pub to: Option<String>,
    #[serde(deserialize_with = "text")]
    pub participant: Option<String>,
    #[serde(deserialize_with = "text")]
    pub body: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub has_media: bool,
    #[serde(deserialize_with = "object")]
    pub media: Option<Media>,
    #[serde(deserialize_with = "number")]
    pub ack: Option<f64>,
    #[serde(deserialize_with = "text")]
    pub ack_name: Option<String>,
    #[serde(deserialize_with = "object")]
    pub location: Option<Location>,
    #[serde(deserialize_with = "list")]
    pub v_cards: Vec<String>,
    #[serde(deserialize_with = "object")]
    pub reply_to: Option<ReplyTo>,
    #[serde(rename = "_data", deserialize_with = "object")]
    pub data: Option<Data>,
    #[serde(deserialize_with = "text")]
    pub edited_message_id: Option<String>,
    #[serde(deserialize_with = "object")]
    pub reaction: Option<Reaction>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Media {
    #[serde(deserialize_with = "text")]
    pub url: Option<String>,
    #[serde(deserialize_with = "text")]
    pub filename: Option<String>,
    #[serde(deserialize_with = "text")]
    pub mimetype: Option<String>,
    pub s3: Option<serde_json::Value>,
    pub error: Option<serde_json::Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Location {
    #[serde(deserialize_with = "flag")]
    pub live: bool,
    #[serde(deserialize_with = "number")]
    pub latitude: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub longitude: Option<f64>,
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub address: Option<String>,
    #[serde(deserialize_with = "text")]
    pub url: Option<String>,
    #[serde(deserialize_with = "text")]
    pub description: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ReplyTo {
    #[serde(deserialize_with = "id")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub participant: Option<String>,
    #[serde(deserialize_with = "text")]
    pub body: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Reaction {
    #[serde(deserialize_with = "text")]
    pub text: Option<String>,
    #[serde(deserialize_with = "id")]
    pub message_id: Option<String>,
}

/// What the engine itself says: NOWEB `key`, `pushName`, `message`; GOWS `Info`, `Message`; WEBJS `type`, `notifyName`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Data {
    #[serde(deserialize_with = "object")]
    pub key: Option<Key>,
    #[serde(deserialize_with = "text")]
    pub push_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub notify_name: Option<String>,
    pub message: Option<Box<RawValue>>,
    #[serde(rename = "Message")]
    pub message_of_gows: Option<Box<RawValue>>,
    #[serde(rename = "Info", deserialize_with = "object")]
    pub info: Option<Info>,
    #[serde(rename = "type", deserialize_with = "text")]
    pub kind: Option<String>,
    #[serde(deserialize_with = "text")]
    pub poll_name: Option<String>,
    #[serde(deserialize_with = "list")]
    pub poll_options: Vec<PollOption>,
    #[serde(deserialize_with = "number")]
    pub poll_selectable_options_count: Option<f64>,
    #[serde(deserialize_with = "flag")]
    pub is_forwarded: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PollOption {
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Key {
    #[serde(deserialize_with = "text")]
    pub remote_jid: Option<String>,
    #[serde(deserialize_with = "text")]
    pub remote_jid_alt: Option<String>,
    #[serde(deserialize_with = "text")]
    pub sender_pn: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub from_me: bool,
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub struct Info {
    #[serde(deserialize_with = "text")]
    pub push_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub sender_alt: Option<String>,
    #[serde(deserialize_with = "text")]
    pub recipient_alt: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Revoked {
    #[serde(deserialize_with = "object")]
    pub after: Option<Message>,
    #[serde(deserialize_with = "object")]
    pub before: Option<Message>,
    #[serde(deserialize_with = "id")]
    pub revoked_message_id: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct PollVote {
    #[serde(deserialize_with = "object")]
    pub vote: Option<Vote>,
    #[serde(deserialize_with = "object")]
    pub poll: Option<Vote>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Vote {
    #[serde(deserialize_with = "id")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub to: Option<String>,
    #[serde(deserialize_with = "text")]
    pub from: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub from_me: bool,
    #[serde(deserialize_with = "list")]
    pub selected_options: Vec<String>,
    #[serde(deserialize_with = "number")]
    pub timestamp: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Presences {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "list")]
    pub presences: Vec<Presence>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Presence {
    #[serde(deserialize_with = "text")]
    pub last_known_presence: Option<String>,
    #[serde(deserialize_with = "number")]
    pub last_seen: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Call {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub from: Option<String>,
    #[serde(deserialize_with = "number")]
    pub timestamp: Option<f64>,
    #[serde(deserialize_with = "flag")]
    pub is_video: bool,
    #[serde(deserialize_with = "flag")]
    pub is_group: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SessionStatus {
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "list")]
    pub statuses: Vec<StatusAt>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct StatusAt {
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "number")]
    pub timestamp: Option<f64>,
}

/// SessionInfo: the answer of most session calls.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SessionInfo {
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "object")]
    pub me: Option<Me>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Version {
    #[serde(deserialize_with = "text")]
    pub version: Option<String>,
    #[serde(deserialize_with = "text")]
    pub engine: Option<String>,
    #[serde(deserialize_with = "text")]
    pub tier: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ChatOverview {
    #[serde(deserialize_with = "id")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub picture: Option<String>,
    #[serde(deserialize_with = "object")]
    pub last_message: Option<Message>,
    #[serde(rename = "_chat", deserialize_with = "object")]
    pub chat: Option<RawChat>,
    #[serde(deserialize_with = "number")]
    pub conversation_timestamp: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RawChat {
    #[serde(deserialize_with = "number")]
    pub conversation_timestamp: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub timestamp: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Contact {
    #[serde(deserialize_with = "id")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub pushname: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Lid {
    #[serde(deserialize_with = "text")]
    pub lid: Option<String>,
    #[serde(deserialize_with = "text")]
    pub pn: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Exists {
    #[serde(deserialize_with = "flag")]
    pub number_exists: bool,
    #[serde(deserialize_with = "id")]
    pub chat_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub pn: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Capping {
    #[serde(deserialize_with = "text")]
    pub capping_status: Option<String>,
    #[serde(deserialize_with = "number")]
    pub total_quota: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub used_quota: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub cycle_end: Option<f64>,
}

/// The answer to a send, in any engine's shape.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Sent {
    #[serde(deserialize_with = "id")]
    pub id: Option<String>,
    #[serde(deserialize_with = "object")]
    pub key: Option<Key>,
    #[serde(deserialize_with = "number")]
    pub timestamp: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub message_timestamp: Option<f64>,
    #[serde(rename = "_data", deserialize_with = "object")]
    pub data: Option<SentData>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SentData {
    #[serde(deserialize_with = "id")]
    pub id: Option<String>,
    #[serde(deserialize_with = "object")]
    pub key: Option<Key>,
    #[serde(rename = "Info", deserialize_with = "object")]
    pub info: Option<SentInfo>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SentInfo {
    #[serde(rename = "ID", deserialize_with = "text")]
    pub id: Option<String>,
}

/// All five error shapes in one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Failure {
    pub message: Option<serde_json::Value>,
    pub error: Option<serde_json::Value>,
    #[serde(deserialize_with = "text")]
    pub detail: Option<String>,
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "object")]
    pub exception: Option<Exception>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Exception {
    #[serde(deserialize_with = "text")]
    pub message: Option<String>,
}

/// An id: text, or an object that has it as `_serialized`, `id`, or in parts (`fromMe`, `remote`, `id`).
fn id<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    use serde_json::Value;
    Ok(match Value::deserialize(from)? {
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(parts) => {
            let part = |name: &str| parts.get(name).and_then(Value::as_str);
            let remote = || part("remote").or_else(|| parts.get("remote")?.get("_serialized")?.as_str());
            match (part("_serialized"), part("id")) {
                (Some(whole), _) => Some(whole.to_owned()),
                (None, Some(raw)) if raw.contains('_') => Some(raw.to_owned()),
                (None, Some(raw)) => Some(match remote() {
                    Some(chat) => {
                        let mine = parts.get("fromMe").and_then(Value::as_bool).unwrap_or(false);
                        format!("{mine}_{chat}_{raw}")
                    }
                    None => raw.to_owned(),
                }),
                (None, None) => None,
            }
        }
        _ => None,
    }
    .filter(|id| !id.is_empty()))
}
