//! What was received, and what came of it. The proof that nothing was sent twice is made from this.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{Mutex, MutexGuard},
};

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

/// How many requests are kept.
const REQUESTS: usize = 20_000;
/// How many effects are kept.
const EFFECTS: usize = 200_000;
/// How many bytes of a body are kept, once long texts in it are shortened.
const BODY: usize = 32 * 1024;

/// One request.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// Counts from 1.
    pub seq: u64,
    /// Unix ms.
    pub at: i64,
    /// `GET`…
    pub method: String,
    /// Decoded by nobody: as it stood in the request line.
    pub path: String,
    /// Without the question mark.
    pub query: String,
    /// By their names in lower case. What is no text is left out; of several with one name the last stands.
    pub headers: BTreeMap<String, String>,
    /// JSON with long texts shortened; else text; null when empty.
    pub body: Value,
    /// What was answered; null when nothing was, or not yet.
    pub status: Option<u16>,
    /// The fault that was played.
    pub fault: Option<u64>,
    /// How many messages it sent.
    pub effects: u32,
}

/// A message that the business's side had us send.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// Its raw id.
    pub id: String,
    /// The gateway's name of the number.
    pub session: String,
    /// The business's phone.
    pub number: String,
    /// The chat.
    pub chat: String,
    /// `text`, `image`…
    pub kind: String,
    /// Words or caption.
    pub body: Option<String>,
    /// SHA-256 of chat, kind, words and file: the same content to the same chat has the same one.
    pub fingerprint: String,
    /// How many requests with this content took effect.
    pub count: u32,
    /// How many requests with this id took effect (more than 1 only with ids the caller chose).
    pub id_count: u32,
    /// The requests, by `seq`.
    pub requests: Vec<u64>,
}

/// The recording.
#[derive(Default)]
pub struct Recording(Mutex<Tape>);

#[derive(Default)]
struct Tape {
    seq: u64,
    requests: VecDeque<Request>,
    effects: Vec<Effect>,
    by_content: HashMap<(String, String), Vec<usize>>,
}

impl Recording {
    fn tape(&self) -> MutexGuard<'_, Tape> {
        self.0.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    /// A request came in. Answers its number.
    pub fn begin(&self, at: i64, method: &str, path: &str, query: &str, headers: &HeaderMap, body: &[u8]) -> u64 {
        let body = shorten(body);
        let text =
            |(name, value): (&HeaderName, &HeaderValue)| Some((name.to_string(), value.to_str().ok()?.to_owned()));
        let headers = headers.iter().filter_map(text).collect();
        let mut tape = self.tape();
        tape.seq += 1;
        let seq = tape.seq;
        if tape.requests.len() >= REQUESTS {
            tape.requests.pop_front();
        }
        tape.requests.push_back(Request {
            seq,
            at,
            method: method.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            body,
            status: None,
            fault: None,
            effects: 0,
        });
        seq
    }

    /// A fault is played on it.
    pub fn fault(&self, seq: u64, fault: u64) {
        if let Some(request) = self.tape().find(seq) {
            request.fault = Some(fault);
        }
    }

    /// It was answered.
    pub fn end(&self, seq: u64, status: u16) {
        if let Some(request) = self.tape().find(seq) {
            request.status = Some(status);
        }
    }

    /// It sent a message. `file` is what was attached.
    #[allow(clippy::too_many_arguments)] // the columns of one row, all of one kind
    pub fn effect(
        &self,
        seq: u64,
        session: &str,
        number: &str,
        id: &str,
        chat: &str,
        kind: &str,
        body: Option<&str>,
        file: &[u8],
    ) {
        let mut hash = Sha256::new();
        for part in [chat.as_bytes(), kind.as_bytes(), body.unwrap_or_default().as_bytes(), file] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        let fingerprint = hex::encode(hash.finalize());
        let mut tape = self.tape();
        if let Some(request) = tape.find(seq) {
            request.effects += 1;
        }
        let key = (number.to_owned(), fingerprint.clone());
        let same = tape.by_content.get(&key).cloned().unwrap_or_default();
        let known = same.iter().copied().find(|at| tape.effects[*at].id == id);
        if let Some(at) = known {
            tape.effects[at].id_count += 1;
            tape.effects[at].requests.push(seq);
        } else if tape.effects.len() < EFFECTS {
            let count = same.first().map_or(0, |at| tape.effects[*at].count);
            tape.effects.push(Effect {
                id: id.to_owned(),
                session: session.to_owned(),
                number: number.to_owned(),
                chat: chat.to_owned(),
                kind: kind.to_owned(),
                body: body.map(str::to_owned),
                fingerprint,
                count,
                id_count: 1,
                requests: vec![seq],
            });
            let at = tape.effects.len() - 1;
            tape.by_content.entry(key.clone()).or_default().push(at);
        }
        let all = tape.by_content.get(&key).cloned().unwrap_or_default();
        for at in all {
            tape.effects[at].count += 1;
        }
    }

    /// Requests that match, the oldest first.
    pub fn requests(&self, limit: usize, keep: impl Fn(&Request) -> bool) -> Vec<Request> {
        self.tape().requests.iter().filter(|request| keep(request)).take(limit).cloned().collect()
    }

    /// Messages that were sent, the oldest first.
    pub fn effects(&self, keep: impl Fn(&Effect) -> bool) -> Vec<Effect> {
        self.tape().effects.iter().filter(|effect| keep(effect)).cloned().collect()
    }

    /// How many requests there were in all.
    pub fn count(&self) -> u64 {
        self.tape().seq
    }

    /// Forgets everything but the count, so that a number is never used twice.
    pub fn clear(&self) {
        let mut tape = self.tape();
        *tape = Tape { seq: tape.seq, ..Tape::default() };
    }
}

impl Tape {
    fn find(&mut self, seq: u64) -> Option<&mut Request> {
        let first = self.requests.front()?.seq;
        self.requests.get_mut(usize::try_from(seq.checked_sub(first)?).ok()?)
    }
}

/// A body that can be looked at: texts over 2 kB (files in base64) keep only their start.
fn shorten(body: &[u8]) -> Value {
    if body.is_empty() {
        return Value::Null;
    }
    match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            clip(&mut value);
            match value.to_string().len() > BODY {
                true => Value::String(format!("({} bytes of JSON)", body.len())),
                false => value,
            }
        }
        Err(_) => Value::String(String::from_utf8_lossy(&body[..body.len().min(BODY)]).into_owned()),
    }
}

fn clip(value: &mut Value) {
    match value {
        Value::String(text) if text.len() > 2_048 => {
            let start: String = text.chars().take(40).collect();
            *text = format!("{start}… ({} bytes)", text.len());
        }
        Value::Array(items) => items.iter_mut().for_each(clip),
        Value::Object(fields) => fields.values_mut().for_each(clip),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::Recording;

    #[test]
    fn the_same_words_to_the_same_chat_are_counted() {
        let recording = Recording::default();
        for (id, body) in [("A", "hello"), ("B", "hello"), ("C", "other"), ("A", "hello")] {
            let seq = recording.begin(0, "POST", "/api/sendText", "", &HeaderMap::new(), b"{}");
            recording.effect(seq, "s", "2782", id, "2783@c.us", "text", Some(body), &[]);
        }
        let seen: Vec<_> = recording.effects(|_| true).into_iter().map(|e| (e.id, e.count, e.id_count)).collect();
        assert_eq!(seen, [("A".to_owned(), 3, 2), ("B".to_owned(), 3, 1), ("C".to_owned(), 1, 1)]);
    }

    #[test]
    fn a_request_is_found_again_after_a_clear() {
        let recording = Recording::default();
        recording.begin(0, "GET", "/a", "", &HeaderMap::new(), b"");
        recording.clear();
        let headers = HeaderMap::from_iter([("Accept".parse().unwrap(), HeaderValue::from_static("text/plain"))]);
        let seq = recording.begin(0, "GET", "/b", "", &headers, b"");
        recording.end(seq, 204);
        assert_eq!(seq, 2);
        let [request] = &recording.requests(9, |_| true)[..] else { panic!("one request") };
        assert_eq!((request.status, request.headers["accept"].as_str()), (Some(204), "text/plain"));
    }
}
