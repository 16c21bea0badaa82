//! The vendors' side of language models: Anthropic Messages, OpenAI (chat completions, Responses, embeddings, transcription)
//! and Gemini (generateContent, embeddings), on one port, as on the wire. Facts: the vendors' SDKs and documentation, read 2026-11.
//!
//! What a model answers is made from the prompt alone and says that it is simulated ([`think`]). Everything else is a
//! [`Play`], chosen by the model's id (`sim-no-money`, `sim-slow:1500`, …; see [`Play::named`]) so that any client can pick
//! it without a side channel, or set for any id by `POST control/plays`. What was received is at `GET control/requests`,
//! with its keys struck out.

mod anthropic;
mod gemini;
mod openai;
mod play;
mod sent;
mod strict;
mod think;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Json, Router,
    body::{Body, to_bytes},
    extract::{DefaultBodyLimit, Request, State},
    http::{HeaderMap, Method, StatusCode, request::Parts},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use play::Play;
use think::{Prompt, Said};

/// What Anthropic and Google accept at most; OpenAI accepts more.
const MAX_BODY: usize = 32 << 20;
/// Bytes of bodies that are remembered.
const MAX_REMEMBERED: usize = 64 << 20;
/// Requests that are remembered.
const MAX_REQUESTS: usize = 1000;

/// The simulated vendors. Cheap to clone; all clones are one.
#[derive(Clone, Default)]
pub struct Models(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    count: u64,
    requests: VecDeque<Seen>,
    remembered: usize,
    plays: HashMap<String, VecDeque<Play>>,
    /// How often a model id with a number in it has played.
    played: HashMap<String, u64>,
}

/// A request that was received.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Counts from 1.
    pub number: u64,
    /// `anthropic`, `openai` or `gemini`.
    pub vendor: &'static str,
    /// `GET`, `POST`.
    pub method: String,
    /// The path as sent.
    pub path: String,
    /// The query as sent, keys struck out.
    pub query: String,
    /// The headers by name; a key reads `struck out`.
    pub headers: std::collections::BTreeMap<String, String>,
    /// The model that was asked for.
    pub model: String,
    /// The body; a form is an object of its fields.
    pub body: Value,
    /// What was answered. The head of a stream is 200 whatever follows.
    pub status: u16,
    #[serde(skip)]
    size: usize,
}

/// Plays for a model, one for each request, in order. Afterwards it answers as ever.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    model: String,
    plays: Vec<Play>,
    /// How many times they are played through.
    #[serde(default = "once")]
    times: usize,
}

fn once() -> usize {
    1
}

impl Models {
    /// Nobody has asked anything yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Has the model do these, one for each request.
    pub fn play(&self, model: impl Into<String>, plays: impl IntoIterator<Item = Play>) {
        self.lock().plays.entry(model.into()).or_default().extend(plays);
    }

    /// What was received, oldest first.
    pub fn requests(&self) -> Vec<Seen> {
        self.lock().requests.iter().cloned().collect()
    }

    /// Forgets everything: requests, plays and counts.
    pub fn clear(&self) {
        *self.lock() = Inner::default();
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// What a model does with this request: what was set for it, or what its id says, or nothing special.
    fn next_play(&self, model: &str) -> Option<Play> {
        let mut inner = self.lock();
        if let Some(play) = inner.plays.get_mut(model).and_then(VecDeque::pop_front) {
            return Some(play);
        }
        let (play, times) = Play::named(model)?;
        let Some(times) = times else { return Some(play) };
        let played = inner.played.entry(model.to_owned()).or_default();
        *played += 1;
        (*played <= times).then_some(play)
    }

    fn remember(&self, mut seen: Seen) {
        let mut inner = self.lock();
        seen.size = seen.body.to_string().len();
        inner.remembered += seen.size;
        inner.requests.push_back(seen);
        while inner.requests.len() > MAX_REQUESTS || (inner.remembered > MAX_REMEMBERED && inner.requests.len() > 1) {
            if let Some(gone) = inner.requests.pop_front() {
                inner.remembered -= gone.size;
            }
        }
    }

    fn number(&self) -> u64 {
        let mut inner = self.lock();
        inner.count += 1;
        inner.count
    }
}

/// All vendors on one port. The base URLs: `{here}` for Anthropic, `{here}/v1` for OpenAI, `{here}/v1beta` (or `/v1`) for Gemini.
pub fn router(models: Models) -> Router {
    Router::new()
        .route("/v1/messages", post(answer::<anthropic::Messages>))
        .route("/v1/messages/count_tokens", post(answer::<anthropic::Counting>))
        .route("/v1/chat/completions", post(answer::<openai::Chat>))
        .route("/v1/responses", post(answer::<openai::Responses>))
        .route("/v1/embeddings", post(answer::<openai::Embeddings>))
        .route("/v1/audio/transcriptions", post(openai::transcriptions))
        .route("/v1/models", get(list))
        .route("/v1/models/{*model}", get(one).post(gemini::call))
        .route("/v1beta/models", get(gemini::list))
        .route("/v1beta/models/{*model}", get(gemini::one).post(gemini::call))
        .route("/control/requests", get(requests).delete(forget))
        .route("/control/plays", post(order))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(models)
}

async fn requests(State(models): State<Models>) -> Json<Vec<Seen>> {
    Json(models.requests())
}

async fn forget(State(models): State<Models>) -> StatusCode {
    models.clear();
    StatusCode::NO_CONTENT
}

async fn order(State(models): State<Models>, Json(order): Json<Order>) -> StatusCode {
    for _ in 0..order.times.min(10_000) {
        models.play(order.model.clone(), order.plays.iter().cloned());
    }
    StatusCode::NO_CONTENT
}

/// Three vendors have a `GET /v1/models`; their headers tell who is asked.
async fn list(state: State<Models>, request: Request) -> Response {
    if request.headers().contains_key("anthropic-version") {
        anthropic::list(state, request).await
    } else if request.headers().contains_key("x-goog-api-key") {
        gemini::list(state, request).await
    } else {
        openai::list(state, request).await
    }
}

async fn one(state: State<Models>, request: Request) -> Response {
    if request.headers().contains_key("x-goog-api-key") {
        gemini::one(state, request).await
    } else {
        openai::one(state, request).await
    }
}

/// What a vendor says instead of an answer.
#[derive(Debug, Clone)]
struct Wrong {
    status: u16,
    /// The vendor's type or status word.
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
    /// Seconds to wait, and whether to say so as a date.
    wait: Option<(u64, bool)>,
}

impl Wrong {
    fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, code: None, param: None, message: message.into(), wait: None }
    }

    fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }

    fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }
}

/// A vendor: how it refuses, and what stands on its answers.
trait Vendor: Send + Sync + 'static {
    /// Its name in the recording.
    const NAME: &'static str;

    /// The error of a play that is one.
    fn wrong(play: &Play, model: &str) -> Option<Wrong>;

    /// The body of an error.
    fn error(wrong: &Wrong, number: u64) -> Value;

    /// What goes on top of every answer.
    fn headers(number: u64) -> Vec<(&'static str, String)>;
}

/// An event of a stream: its name, if it has one, and its data.
type Event = (Option<&'static str>, String);

/// What a vendor can be asked.
trait Side: Send + Sync + 'static {
    /// Who is asked.
    type Vendor: Vendor;

    /// Reads and checks a request, as strictly as the vendor does.
    fn prompt(head: &Parts, body: &Value) -> Result<Prompt, Wrong>;

    /// The answer in one piece.
    fn whole(prompt: &Prompt, said: &Said, number: u64) -> Value;

    /// The answer as events, where it can be had so.
    fn events(_: &Prompt, _: &Said, _: u64) -> Vec<Event> {
        Vec::new()
    }

    /// An error after the stream has begun.
    fn error_event(wrong: &Wrong, number: u64) -> Event {
        (None, Self::Vendor::error(wrong, number).to_string())
    }
}

/// Whether a vendor would take this key.
fn key_is_good(key: Option<&str>) -> bool {
    key.is_some_and(|key| !key.is_empty() && !key.contains("invalid"))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers.get("authorization")?.to_str().ok()?.strip_prefix("Bearer ").map(str::trim)
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// The way of every question, whoever it is put to.
async fn answer<S: Side>(State(models): State<Models>, request: Request) -> Response {
    let number = models.number();
    let (head, body) = request.into_parts();
    let body = match to_bytes(body, MAX_BODY).await {
        Ok(body) => body,
        Err(_) => {
            let wrong = Wrong::new(413, "request_too_large", "Request exceeds the maximum size");
            return finish::<S::Vendor>(&models, &head, Value::Null, "", Err(wrong), number);
        }
    };
    let Ok(body) = serde_json::from_slice::<Value>(&body) else {
        let wrong = Wrong::new(400, "invalid_request_error", "The request body is not valid JSON");
        return finish::<S::Vendor>(&models, &head, Value::Null, "", Err(wrong), number);
    };
    let prompt = match S::prompt(&head, &body) {
        Ok(prompt) => prompt,
        Err(wrong) => return finish::<S::Vendor>(&models, &head, body, "", Err(wrong), number),
    };
    let model = prompt.model.clone();
    let play = models.next_play(&model);
    if let Some(play) = &play
        && let Some(wrong) = S::Vendor::wrong(play, &model)
    {
        return finish::<S::Vendor>(&models, &head, body, &model, Err(wrong), number);
    }
    // remembered before the answer: a client that hangs up is remembered too
    models.remember(seen::<S::Vendor>(&head, body, &model, 200, number));
    let mut response = sent::send::<S>(&prompt, play, number).await;
    dress::<S::Vendor>(&mut response, number);
    response
}

/// Answers what needs no thinking, and remembers it.
fn finish<V: Vendor>(
    models: &Models,
    head: &Parts,
    body: Value,
    model: &str,
    got: Result<Value, Wrong>,
    number: u64,
) -> Response {
    let mut response = match got {
        Ok(value) => Json(value).into_response(),
        Err(wrong) => error::<V>(&wrong, number),
    };
    models.remember(seen::<V>(head, body, model, response.status().as_u16(), number));
    dress::<V>(&mut response, number);
    response
}

fn error<V: Vendor>(wrong: &Wrong, number: u64) -> Response {
    let status = StatusCode::from_u16(wrong.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Json(V::error(wrong, number))).into_response();
    if let Some((seconds, dated)) = wrong.wait {
        let value = if dated {
            let at =
                jiff::Timestamp::now().saturating_add(jiff::Span::new().seconds(i64::try_from(seconds).unwrap_or(0)));
            at.map_or_else(|_| seconds.to_string(), |at| at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
        } else {
            seconds.to_string()
        };
        if let Ok(value) = value.parse() {
            response.headers_mut().insert("retry-after", value);
        }
    }
    response
}

fn dress<V: Vendor>(response: &mut Response, number: u64) {
    for (name, value) in V::headers(number) {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
}

fn seen<V: Vendor>(head: &Parts, body: Value, model: &str, status: u16, number: u64) -> Seen {
    let struck = |name: &str, value: &str| match name {
        "authorization" if value.starts_with("Bearer ") => "Bearer struck out".to_owned(),
        "authorization" | "x-api-key" | "x-goog-api-key" | "cookie" => "struck out".to_owned(),
        _ => value.to_owned(),
    };
    let headers = head
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), struck(name.as_str(), &String::from_utf8_lossy(value.as_bytes()))));
    let query = head.uri.query().unwrap_or_default();
    let query: Vec<String> = query
        .split('&')
        .map(|one| if one.starts_with("key=") { "key=struck out".to_owned() } else { one.to_owned() })
        .collect();
    Seen {
        number,
        vendor: V::NAME,
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: query.join("&"),
        headers: headers.collect(),
        model: model.to_owned(),
        body,
        status,
        size: 0,
    }
}

/// Answers a request that has no body.
async fn answer_get<V: Vendor>(
    models: Models,
    request: Request,
    got: impl FnOnce(&Parts) -> Result<Value, Wrong>,
) -> Response {
    let number = models.number();
    let (head, _) = request.into_parts();
    debug_assert_eq!(head.method, Method::GET);
    let got = got(&head);
    finish::<V>(&models, &head, Value::Null, "", got, number)
}

/// A body of pieces, each sent as it comes.
fn pieces(stream: impl futures_util::Stream<Item = Result<Bytes, std::io::Error>> + Send + 'static) -> Body {
    Body::from_stream(stream)
}
