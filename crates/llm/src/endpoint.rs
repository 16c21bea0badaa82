//! Where a model lives: a server, a key, a name, and what it can do. Rows of settings become these.

use std::{collections::BTreeSet, fmt, time::Duration};

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::Vendor;

/// A vendor's server and the key we have for it.
#[derive(Clone)]
pub struct Endpoint {
    /// Names this server *and key* in logs and in what is remembered about it: a pause holds for everyone who shares it.
    pub id: String,
    /// Whose wire it speaks.
    pub vendor: &'static dyn Vendor,
    /// Where. Gemini's ends in the API version, OpenAI's in `/v1`, Claude's in nothing.
    pub base: Url,
    /// The key; local servers may need none.
    pub key: Option<SecretString>,
    /// How the key is sent; the vendor's newest way when unset.
    pub auth: Option<Auth>,
    /// Claude's `anthropic-version`; the newest when unset.
    pub version: Option<String>,
    /// Longest wait for one answer, and for its first byte.
    pub timeout: Duration,
}

impl Endpoint {
    /// The vendor's own server.
    pub fn of(vendor: &'static dyn Vendor, id: impl Into<String>, key: Option<SecretString>) -> Self {
        let base = Url::parse(vendor.base()).expect("each vendor's base is a URL: a test reads them all");
        Self { id: id.into(), vendor, base, key, auth: None, version: None, timeout: vendor.timeout() }
    }

    /// The same server elsewhere.
    pub fn at(mut self, base: Url) -> Self {
        self.base = base;
        self
    }

    /// `base` with more segments, each escaped.
    pub(crate) fn url(&self, segments: &[&str]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        url
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("id", &self.id)
            .field("vendor", &self.vendor.kind())
            .field("base", &self.base.as_str())
            .finish_non_exhaustive()
    }
}

/// The header that carries the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Auth {
    /// `Authorization: Bearer …`
    Bearer,
    /// `x-api-key: …`
    XApiKey,
    /// `x-goog-api-key: …`
    XGoogApiKey,
}

/// One model of an endpoint.
#[derive(Debug, Clone)]
pub struct Model {
    /// Its server.
    pub at: Endpoint,
    /// Its name there. Vendors retire models every few months: always a setting.
    pub id: String,
    /// What it can do; begin with [`Vendor::can`].
    pub can: Can,
    /// What it does not take, known beforehand; [`crate::Llm`] learns more.
    pub without: BTreeSet<Knob>,
}

impl Model {
    /// A model that can do what its vendor can.
    pub fn new(at: Endpoint, id: impl Into<String>) -> Self {
        let can = at.vendor.can();
        Self { at, id: id.into(), can, without: BTreeSet::new() }
    }
}

/// What a model or a vendor can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Can {
    /// See.
    pub images: bool,
    /// Hear, within a chat.
    pub audio: bool,
    /// Use tools.
    pub tools: bool,
    /// Keep to a shape. Without it the answer is only checked.
    pub schema: bool,
    /// Turn texts into vectors.
    pub embeddings: bool,
    /// Write down recordings.
    pub transcription: bool,
}

/// A part of a request that some models refuse, and that can be left out or written another way without changing what is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Knob {
    /// `temperature` and its kin.
    Temperature,
    /// How hard to think.
    Effort,
    /// Who asks.
    User,
    /// The cache's name.
    Cache,
    /// `max_tokens` or `max_completion_tokens`: the other one.
    OtherMaxTokens,
    /// Whether the vendor may keep the talk.
    Store,
    /// Usage in streams.
    StreamUsage,
}

impl Knob {
    /// The knob behind a parameter's name in a vendor's complaint.
    pub fn named(parameter: &str) -> Option<Self> {
        Some(match parameter {
            "temperature" | "top_p" | "top_k" | "topP" | "topK" => Self::Temperature,
            "reasoning_effort"
            | "reasoning.effort"
            | "reasoning"
            | "output_config.effort"
            | "effort"
            | "thinking"
            | "thinking_level"
            | "thinkingLevel"
            | "thinkingConfig" => Self::Effort,
            "safety_identifier" | "metadata" | "metadata.user_id" | "user" => Self::User,
            "prompt_cache_key" | "cache_control" => Self::Cache,
            "max_tokens" | "max_completion_tokens" => Self::OtherMaxTokens,
            "store" => Self::Store,
            "stream_options" | "stream_options.include_usage" => Self::StreamUsage,
            _ => return None,
        })
    }
}
