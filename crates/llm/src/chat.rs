//! What is asked of a model and what it answers, in words that belong to no vendor.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::Schema;

/// One question to a model: everything it is told, and the bounds of its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Chat {
    /// Standing instructions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
    /// The talk so far, oldest first. It ends with what the model shall answer to.
    pub turns: Vec<Turn>,
    /// What the model may ask us to do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<Tool>,
    /// Whether it must.
    #[serde(default)]
    pub choice: Choice,
    /// The shape the answer must have. [`Reply::json`] is then always there, unless the model calls a tool first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Schema>,
    /// Most tokens of the answer. Thinking counts against it, so less than 1,024 may leave nothing to read.
    pub max_output: u32,
    /// How hard it may think; its own default when unset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effort: Option<Effort>,
    /// Left out where a model no longer takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature: Option<f64>,
    /// An opaque hash of who asks, for the vendor's abuse control. Never a name or a number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// A name shared by calls that begin with the same instructions, so that the vendor may keep them warm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache: Option<String>,
}

impl Chat {
    /// A question with nothing but these turns.
    pub fn new(turns: Vec<Turn>, max_output: u32) -> Self {
        Self {
            system: None,
            turns,
            tools: Vec::new(),
            choice: Choice::Auto,
            answer: None,
            max_output,
            effort: None,
            temperature: None,
            user: None,
            cache: None,
        }
    }

    pub(crate) fn has(&self, what: fn(&Part) -> bool) -> bool {
        self.turns.iter().flat_map(|turn| &turn.parts).any(what)
    }
}

/// Who speaks in a turn. The result of a tool belongs to a `User` turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// The person who asks, or our tools.
    User,
    /// The model.
    Assistant,
}

/// One turn of the talk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Turn {
    /// Who speaks.
    pub role: Role,
    /// What is said, in order.
    pub parts: Vec<Part>,
}

impl Turn {
    /// A person's words.
    pub fn user(text: impl Into<String>) -> Self {
        Self { role: Role::User, parts: vec![Part::Text { text: text.into() }] }
    }

    /// Words the model said before.
    pub fn assistant(text: impl Into<String>) -> Self {
        Self { role: Role::Assistant, parts: vec![Part::Text { text: text.into() }] }
    }
}

/// A piece of a turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Part {
    /// Words.
    Text {
        /// The words.
        text: String,
    },
    /// A raster image: jpeg, png, gif or webp.
    Image {
        /// Such as `image/jpeg`.
        mime: String,
        /// The file.
        #[serde(with = "base64_bytes")]
        bytes: Bytes,
    },
    /// Sound, for models that hear.
    Audio {
        /// Such as `audio/ogg`.
        mime: String,
        /// The file.
        #[serde(with = "base64_bytes")]
        bytes: Bytes,
    },
    /// The model asks us to do something.
    ToolCall(ToolCall),
    /// What came of it.
    ToolResult(ToolResult),
    /// Something only its own vendor understands (a thought, a signature) that must be handed back unchanged, in its place.
    Kept(Kept),
}

/// A tool the model wants to use.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToolCall {
    /// Names this call in its result.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments: an object, or the text itself where the model wrote no valid JSON.
    pub arguments: Value,
}

/// What a tool answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ToolResult {
    /// The call it answers.
    pub id: String,
    /// The tool; Gemini wants both.
    pub name: String,
    /// What the model reads.
    pub text: String,
    /// Whether it went wrong.
    #[serde(default)]
    pub failed: bool,
}

/// A vendor's own piece, kept verbatim.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Kept {
    /// Whose: other vendors skip it.
    pub vendor: String,
    /// What.
    pub data: Value,
}

/// Something the model may ask us to do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tool {
    /// What it is called; letters, digits, `_` and `-`.
    pub name: String,
    /// When to use it, in words for the model.
    pub description: String,
    /// The shape of its arguments.
    pub parameters: Schema,
}

/// Whether the model uses a tool.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Choice {
    /// As it likes.
    #[default]
    Auto,
    /// It must use one.
    Any,
    /// It must use this one.
    Named(String),
    /// It must not.
    None,
}

/// How hard a model thinks before it answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Effort {
    /// As little as the vendor allows.
    None,
    /// A little.
    Low,
    /// Some.
    Medium,
    /// A lot.
    High,
}

/// What a model answered.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reply {
    /// Its turn, ready to be appended to [`Chat::turns`] when a tool loop goes on.
    pub turn: Turn,
    /// The answer as JSON, where [`Chat::answer`] gave a shape. It has that shape.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub json: Option<Value>,
    /// Why it stopped.
    pub stop: Stop,
    /// What it cost.
    pub usage: Usage,
    /// The vendor's kind.
    pub vendor: String,
    /// The model that answered, in the vendor's own words.
    pub model: String,
    /// What the vendor calls this request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl Reply {
    /// All its words.
    pub fn text(&self) -> String {
        self.turn
            .parts
            .iter()
            .filter_map(|part| if let Part::Text { text } = part { Some(text.as_str()) } else { None })
            .collect()
    }

    /// The tools it wants to use, in order.
    pub fn tool_calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.turn.parts.iter().filter_map(|part| if let Part::ToolCall(call) = part { Some(call) } else { None })
    }
}

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Stop {
    /// It had said everything.
    Done,
    /// [`Chat::max_output`] was reached: the answer is cut off.
    Length,
    /// It waits for its tools.
    Tools,
}

/// What an answer cost, in tokens, counted the same way for every vendor.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Everything read, from the cache or not.
    pub input: u64,
    /// Of these, read from the cache.
    pub cached: u64,
    /// Of these, written to the cache.
    pub cache_written: u64,
    /// Everything written, thoughts too.
    pub output: u64,
    /// Of these, thoughts.
    pub thinking: u64,
    /// The server did not say, so this is a quarter of the characters.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub estimated: bool,
}

/// A piece of an answer as it is being written.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Delta {
    /// More words.
    Text {
        /// The words.
        text: String,
    },
    /// What was shown so far is void: the answer broke off and is asked for again.
    Restart,
}

/// Texts to be turned into vectors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Embed {
    /// One vector each.
    pub texts: Vec<String>,
    /// How long the vectors shall be, where the model lets one choose.
    #[serde(default)]
    pub dimensions: Option<u32>,
    /// What they are for, where the model cares.
    #[serde(default)]
    pub purpose: Purpose,
}

/// What a vector is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Purpose {
    /// To be found.
    #[default]
    Document,
    /// To find with.
    Query,
}

/// Vectors, one for each text and in that order. Only vectors of one model and one length can be compared.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Embedded {
    /// The vectors: as many as were asked for, all of one length, all numbers finite.
    pub vectors: Vec<Vec<f32>>,
    /// What they cost.
    pub usage: Usage,
}

/// A recording to be written down.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Audio {
    /// Such as `audio/ogg; codecs=opus`.
    pub mime: String,
    /// The file.
    #[serde(with = "base64_bytes")]
    pub bytes: Bytes,
    /// ISO 639-1, where it is known.
    #[serde(default)]
    pub language: Option<String>,
}

/// What was heard.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Transcript {
    /// The words.
    pub text: String,
    /// What it cost in tokens, where the vendor counts tokens.
    pub usage: Usage,
    /// The length of the recording, where the vendor counts time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub heard: Option<Duration>,
}

/// A model the vendor offers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Listed {
    /// What it is called in a request.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// When it goes, where the vendor says so (RFC 3339).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retires_at: Option<String>,
}

mod base64_bytes {
    use super::*;

    pub fn serialize<S: Serializer>(bytes: &Bytes, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&BASE64_STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Bytes, D::Error> {
        let text = String::deserialize(from)?;
        BASE64_STANDARD.decode(text).map(Bytes::from).map_err(serde::de::Error::custom)
    }
}
