//! What the other calls of a provider take and give.

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Address, Build, CallError, MediaRef, Message, Person, Session, StatusState};

/// Some of a list, and where the rest begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// In the order asked for.
    pub items: Vec<T>,
    /// Hand it back to get the next page; `None` at the end. Opaque.
    pub next: Option<String>,
}

/// Where a list goes on that is counted.
pub(crate) fn cursor(after: Option<&str>) -> Result<u64, CallError> {
    after.map_or(Ok(0), |after| after.parse().map_err(|_| CallError::Invalid("a cursor of another list".into())))
}

/// Leaves out of `events` those that are not named in a refusal which lists the known ones. Errors: that refusal, when all or none would go.
pub(crate) fn leave_out(events: &mut Vec<&str>, refusal: String) -> Result<Vec<String>, CallError> {
    let known: Vec<&str> = refusal.split([',', ' ', ':', ';']).map(str::trim).collect();
    let (keep, drop): (Vec<&str>, Vec<&str>) = events.iter().partition(|event| known.contains(event));
    if drop.is_empty() || keep.is_empty() {
        return Err(CallError::Invalid(refusal));
    }
    *events = keep;
    Ok(drop.into_iter().map(str::to_owned).collect())
}

/// What a gateway is told when an instance is made.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Where its hooks go: the final URL, since redirects lose bodies. They are signed with the first of [`crate::Secrets::keys`].
    pub hook_url: url::Url,
    /// Our id of the instance, carried along in hooks.
    pub instance: String,
    /// What the phone shows in its list of linked devices.
    pub device: String,
    /// Ask for older history too, where the gateway can.
    pub full_history: bool,
}

/// An instance was made.
#[derive(Debug, Clone, Default)]
pub struct Created {
    /// Its state now.
    pub session: Session,
    /// A key of its own, to be used from now on and kept sealed.
    pub key: Option<secrecy::SecretString>,
    /// Events the gateway does not know, so that nothing comes of them.
    pub without: Vec<String>,
}

/// A code to scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Code {
    /// What the picture says (`2@…`); the server draws it.
    pub value: String,
    /// Until when it can be scanned, if the gateway tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<i64>,
}

/// A gateway answered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Check {
    /// What it runs.
    pub build: Build,
    /// What was looked at, in order, each with a tick or a reason.
    pub steps: Vec<CheckStep>,
}

impl Check {
    /// Every step passed.
    pub fn ok(&self) -> bool {
        self.steps.iter().all(|step| step.ok)
    }
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckStep {
    /// `reach`, `key`, `version`, `session`, `subscription`, `secret`…
    pub name: String,
    /// A tick.
    pub ok: bool,
    /// What was found, or what to do about it.
    pub detail: String,
}

impl CheckStep {
    /// A step with its outcome.
    pub fn new(name: &str, ok: bool, detail: impl Into<String>) -> CheckStep {
        CheckStep { name: name.into(), ok, detail: detail.into() }
    }
}

/// One conversation at the gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Chat {
    /// Where replies go.
    pub chat: Address,
    /// The other side.
    pub person: Person,
    /// Its picture, which expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<String>,
    /// What was said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Box<Message>>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
}

/// Which earlier messages are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// One conversation; `None` is all of them (back-fill after a gap).
    pub chat: Option<Address>,
    /// Not older than this, ms.
    pub since: Option<i64>,
    /// The page after that one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: u32,
}

/// What is known of a message whose answer was lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookedUp {
    /// It was sent.
    Found {
        /// Its names.
        sent: crate::Sent,
        /// How far it has come.
        state: Option<StatusState>,
    },
    /// The gateway does not show it. That proves nothing: it may still be on its way, or not kept.
    NotSeen,
}

/// The file of a message, as fetching it needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct MediaSource {
    /// As the content names it.
    pub media: MediaRef,
    /// The message: asked again when the file is gone from the gateway.
    pub message: crate::MessageRef,
}

/// A file on its way. It ends with an error when it is longer than was allowed.
pub struct Download {
    /// As the gateway declares it; not to be believed.
    pub mime: Option<String>,
    /// As the gateway declares it.
    pub size_bytes: Option<u64>,
    /// The bytes.
    pub body: BoxStream<'static, Result<Bytes, CallError>>,
}

impl Download {
    /// All of it, in memory.
    pub async fn bytes(mut self) -> Result<Bytes, CallError> {
        let mut all = Vec::new();
        while let Some(piece) = self.body.next().await {
            all.extend_from_slice(&piece?);
        }
        Ok(all.into())
    }
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download")
            .field("mime", &self.mime)
            .field("size_bytes", &self.size_bytes)
            .finish_non_exhaustive()
    }
}

/// What WhatsApp shows of a business beside its chats. In a change, what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Profile {
    /// The line under the name, up to 139 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<String>,
    /// Where it is, up to 256 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What it does, up to 512 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its mailbox, up to 128 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// At most two pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub websites: Option<Vec<String>>,
    /// Its trade, one of Meta's words: `RETAIL`, `RESTAURANT`, ….
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vertical: Option<String>,
}

/// How much a number may do, as far as its gateway tells.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Limits {
    /// First messages to new people in the present cycle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_chats: Option<Quota>,
    /// First messages to new people are refused (error 463).
    pub locked: bool,
    /// Until when, if told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<i64>,
    /// Meta's tier, `TIER_250`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<String>,
    /// `green`, `yellow`, `red`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
    /// Messages a second.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_second: Option<u32>,
}

/// So many of so many.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Quota {
    /// Used.
    pub used: u64,
    /// In all; `None`: without limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// The gateway's own word: `none`, `first-warning`, `second-warning`, `capped`.
    pub level: String,
    /// When it starts again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
}

/// A template at Meta.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Template {
    /// Meta's id; empty before it is submitted.
    pub id: String,
    /// Lower case, digits and `_`.
    pub name: String,
    /// `en_US`.
    pub language: String,
    /// `marketing`, `utility`, `authentication`.
    pub category: String,
    /// `approved`, `pending`, `rejected`, `paused`… as Meta names it, lower case.
    pub state: String,
    /// `named` or `positional`.
    pub parameter_format: String,
    /// Meta's own shape: header, body, footer, buttons with their examples.
    pub components: Vec<Value>,
    /// `green`, `yellow`, `red`, `unknown`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quality: Option<String>,
    /// Why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}
