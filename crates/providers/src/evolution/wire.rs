//! Evolution's own shapes, read with every field optional. Only what is used.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::lenient::{flag, list, number, object, text};

/// Every hook. `date_time` is local time marked as UTC, and `apikey` is a secret: neither is read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Hook {
    #[serde(deserialize_with = "text")]
    pub event: Option<String>,
    #[serde(deserialize_with = "text")]
    pub instance: Option<String>,
    /// Our own JID, once linked.
    #[serde(deserialize_with = "text")]
    pub sender: Option<String>,
    pub data: Option<Box<RawValue>>,
}

/// A message: in events, in answers to sends, in the gateway's store.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Message {
    #[serde(deserialize_with = "object")]
    pub key: Option<Key>,
    #[serde(deserialize_with = "text")]
    pub push_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    pub message: Option<Box<RawValue>>,
    pub context_info: Option<Box<RawValue>>,
    #[serde(deserialize_with = "text")]
    pub message_type: Option<String>,
    #[serde(deserialize_with = "number")]
    pub message_timestamp: Option<f64>,
    pub poll_updates: Option<Value>,
    /// In the store: how far it has come, each step an entry.
    #[serde(rename = "MessageUpdate", deserialize_with = "list")]
    pub updates: Vec<Update>,
}

/// WhatsApp's name of a message, with the other form of the address that versions add in different places.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Key {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub remote_jid: Option<String>,
    #[serde(deserialize_with = "text")]
    pub remote_jid_alt: Option<String>,
    #[serde(deserialize_with = "text")]
    pub sender_pn: Option<String>,
    #[serde(deserialize_with = "text")]
    pub sender_lid: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub from_me: bool,
}

/// `messages.update`, and an entry of `MessageUpdate`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Update {
    #[serde(deserialize_with = "text")]
    pub key_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub remote_jid: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub from_me: bool,
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
}

/// `messages.edited`: WhatsApp's own `protocolMessage`, of any type.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Edited {
    #[serde(deserialize_with = "object")]
    pub key: Option<Key>,
    #[serde(rename = "type", deserialize_with = "text")]
    pub kind: Option<String>,
    pub edited_message: Option<Box<RawValue>>,
    #[serde(deserialize_with = "number")]
    pub timestamp_ms: Option<f64>,
}

/// `messages.delete`: a key by itself, or a row with a key inside.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Deleted {
    #[serde(deserialize_with = "object")]
    pub key: Option<Key>,
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub remote_jid: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub from_me: bool,
}

/// `connection.update` and `status.instance`, and the same of a row of `fetchInstances`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct State {
    #[serde(deserialize_with = "text")]
    pub state: Option<String>,
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "number")]
    pub status_reason: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub disconnection_reason_code: Option<f64>,
    #[serde(deserialize_with = "text")]
    pub wuid: Option<String>,
    #[serde(deserialize_with = "text")]
    pub owner_jid: Option<String>,
    #[serde(deserialize_with = "text")]
    pub profile_name: Option<String>,
}

/// `qrcode.updated`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct QrUpdated {
    #[serde(deserialize_with = "object")]
    pub qrcode: Option<Qr>,
    #[serde(deserialize_with = "text")]
    pub message: Option<String>,
}

/// The answer of `connect`: a code to scan, or the state, or that it went wrong.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Qr {
    #[serde(deserialize_with = "text")]
    pub pairing_code: Option<String>,
    #[serde(deserialize_with = "text")]
    pub code: Option<String>,
    #[serde(deserialize_with = "object")]
    pub instance: Option<State>,
    #[serde(deserialize_with = "flag")]
    pub error: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Contact {
    #[serde(deserialize_with = "text")]
    pub remote_jid: Option<String>,
    #[serde(deserialize_with = "text")]
    pub push_name: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub is_group: bool,
}

/// A row of `findChats`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Chat {
    #[serde(deserialize_with = "text")]
    pub remote_jid: Option<String>,
    #[serde(deserialize_with = "text")]
    pub push_name: Option<String>,
    #[serde(deserialize_with = "text")]
    pub profile_pic_url: Option<String>,
    pub last_message: Option<Box<RawValue>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Call {
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub from: Option<String>,
    #[serde(deserialize_with = "text")]
    pub chat_id: Option<String>,
    #[serde(deserialize_with = "text")]
    pub date: Option<String>,
    #[serde(deserialize_with = "text")]
    pub status: Option<String>,
    #[serde(deserialize_with = "flag")]
    pub is_video: bool,
    #[serde(deserialize_with = "flag")]
    pub is_group: bool,
}

/// The page of `findMessages`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Found {
    #[serde(deserialize_with = "object")]
    pub messages: Option<Records>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Records {
    #[serde(deserialize_with = "number")]
    pub pages: Option<f64>,
    #[serde(deserialize_with = "number")]
    pub current_page: Option<f64>,
    #[serde(deserialize_with = "list")]
    pub records: Vec<Value>,
}

/// `getBase64FromMediaMessage`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct File {
    #[serde(deserialize_with = "text")]
    pub mimetype: Option<String>,
    #[serde(deserialize_with = "text")]
    pub base64: Option<String>,
}

/// The setting of the hook, as far as it is checked.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Webhook {
    #[serde(deserialize_with = "flag")]
    pub enabled: bool,
    pub headers: Option<Value>,
    #[serde(deserialize_with = "list")]
    pub events: Vec<String>,
}
