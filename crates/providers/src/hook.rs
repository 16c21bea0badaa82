//! A call that a gateway makes to us, before anybody has understood it.

use bytes::Bytes;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::Unreadable;
use crate::lenient::clean;

/// One hook. Signatures are over `body` as it came; [`crate::Provider::read`] looks at nothing but `body`, so that a stored hook can
/// be read again.
#[derive(Debug, Clone, Default)]
pub struct Hook {
    /// As they came.
    pub headers: HeaderMap,
    /// The query of the URL, decoded.
    pub query: Vec<(String, String)>,
    /// The bytes on the wire.
    pub body: Bytes,
}

impl Hook {
    /// Longer bodies are not parsed. (The server refuses them before; this is the net below.)
    pub const MAX_BYTES: usize = 4 << 20;

    /// A hook whose headers are gone: read again from the store.
    pub fn stored(body: impl Into<Bytes>) -> Hook {
        Hook { body: body.into(), ..Hook::default() }
    }

    /// A header's value. `None` also when it is there twice (then nobody can say which one counts) or is not ASCII.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.get_all(name).iter();
        let first = values.next()?;
        if values.next().is_some() { None } else { first.to_str().ok() }
    }

    /// A parameter of the query.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body, an object, as typed JSON. `\u0000`, lone surrogates and bytes that are not UTF-8 are dropped first: they would make one bad
    /// character cost the whole message. Depth is limited to 128 by the parser.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Unreadable> {
        if self.body.len() > Self::MAX_BYTES {
            return Err(Unreadable::TooLong);
        }
        // a derived struct would read a list too, field by field
        if self.body.trim_ascii_start().first() != Some(&b'{') {
            return Err(Unreadable::NotAsExpected("the body is no JSON object".into()));
        }
        serde_json::from_slice(&clean(&self.body)).map_err(|e| Unreadable::NotAsExpected(place(&e)))
    }

    /// SHA-256 of the body, in hex. Retries repeat a body byte for byte, and two different bodies must never look the same: a WAHA event id
    /// is shared by `message` and `message.any`, so ids alone would lose one of them.
    pub fn hash(&self) -> String {
        hex::encode(Sha256::digest(&self.body))
    }
}

/// What is wrong and where, without a word of the content: parser messages can quote it.
fn place(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Io => "cannot be read",
        serde_json::error::Category::Syntax => "is not JSON",
        serde_json::error::Category::Data => "has another shape",
        serde_json::error::Category::Eof => "ends too early",
    };
    format!("the body {what} at line {} column {}", error.line(), error.column())
}

/// One addressee's share of a hook: a row of its own in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Whom it concerns.
    pub to: Addressee,
    /// Unique within the addressee: the same for a retry of the same hook, different for everything else.
    pub dedupe_key: String,
    /// A body that [`crate::Provider::read`] reads like a hook of its own. Shared with the hook when it is the whole of it.
    pub body: Bytes,
    /// Of parts for one addressee that wait together with the same word here, only the newest needs work: gateways flood with these.
    pub collapse: Option<&'static str>,
}

/// Whom a part of a hook concerns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Addressee {
    /// The instance with this external name on the gateway that signed.
    Instance(String),
    /// Every instance of this account (Meta's WABA id).
    Account(String),
    /// The body does not say: the instance whose URL was called.
    Caller,
}

/// The answer to a gateway that asks whether the URL is ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Handshake {
    /// 200, `text/plain`, with just this.
    Answer(String),
    /// 403.
    Refused,
    /// 404: this provider has none.
    None,
}
