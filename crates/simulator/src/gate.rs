//! What stands before every route of every gateway: the recording, the key, and faults.
//!
//! A gateway says what is its own with a [`Gate`]; the rest is the same for all of them.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use serde_json::{Map, Value};

use crate::{
    faults::{Case, Harm},
    serve::Line,
    sim::Sim,
};

/// How much an endless answer has, in pieces of 64 KiB.
const ENDLESS: usize = 16 * 1024;

/// The number of this request in the recording, for handlers.
#[derive(Debug, Clone, Copy)]
pub struct Seq(pub u64);

/// What of a request is looked at before any handler.
pub struct Asked {
    /// `GET`…
    pub method: Method,
    /// As the gateway sees it.
    pub uri: Uri,
    /// All of them.
    pub headers: HeaderMap,
    /// The body, if it is JSON.
    pub body: Value,
}

/// What a request is about, in the gateway's words: faults may be for one number or one chat.
#[derive(Default)]
pub struct About {
    /// The gateway's name of the number.
    pub session: Option<String>,
    /// The chat, as the caller writes it.
    pub chat: Option<String>,
}

/// How one gateway lets requests in, and how it says what is said by no handler of it.
pub trait Gate: Default + Send + Sync + 'static {
    /// The largest body it takes, in bytes.
    const BODY: usize;

    /// What the request is about.
    fn about(&self, asked: &Asked) -> About;

    /// Whether the caller may come in; the answer, if not.
    #[allow(clippy::result_large_err)] // once for a request
    fn admit(&self, sim: &Arc<Sim>, asked: &Asked, about: &About) -> Result<(), Response>;

    /// A body that is too large.
    fn too_large(&self) -> Response;

    /// 429, without `Retry-After`.
    fn too_many(&self, sim: &Sim) -> Response;

    /// An exception that nobody caught.
    fn crash(&self, sim: &Sim, asked: &Asked, message: &str) -> Response;

    /// WhatsApp's reach-out time lock: error 463.
    fn timelock(&self, sim: &Sim, asked: &Asked) -> Response;

    /// It cannot do that.
    fn not_implemented(&self, sim: &Sim, asked: &Asked) -> Response;

    /// The number is no longer linked (or the token no longer good): makes it so, and says so.
    fn expired(&self, sim: &Arc<Sim>, asked: &Asked, about: &About) -> Response;

    /// The last look at a handler's answer.
    fn finish(&self, _sim: &Sim, _asked: &Asked, answer: Response) -> Response {
        answer
    }

    /// Headers that stand on every answer.
    fn dress(&self, _headers: &mut HeaderMap) {}
}

/// The layer that lets a request in, or does to it what a fault says.
pub async fn pass<G: Gate>(
    State(sim): State<Arc<Sim>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
    next: Next,
) -> Response {
    let gate = G::default();
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, G::BODY).await else { return gate.too_large() };
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let seq = sim.recording.begin(sim.now_ms(), parts.method.as_str(), path, query, &parts.headers, &bytes);
    let asked = Asked {
        method: parts.method.clone(),
        uri: parts.uri.clone(),
        headers: parts.headers.clone(),
        body: serde_json::from_slice(&bytes).unwrap_or_default(),
    };
    let about = gate.about(&asked);
    let mut request = Request::from_parts(parts, Body::from(bytes));
    request.extensions_mut().insert(Seq(seq));
    let mut answer = match gate.admit(&sim, &asked, &about) {
        Err(refused) => refused,
        Ok(()) => match sim.faults.on_request(case(&asked, &about)) {
            None => gate.finish(&sim, &asked, next.run(request).await),
            Some((id, harm)) => {
                sim.recording.fault(seq, id);
                if let Harm::Delay { ms } = harm {
                    tokio::time::sleep(Duration::from_millis(ms)).await;
                }
                let real = match harm.effect() {
                    true => Some(gate.finish(&sim, &asked, next.run(request).await)),
                    false => None,
                };
                spoil(&gate, &sim, &asked, &about, &line, harm, real).await
            }
        },
    };
    gate.dress(answer.headers_mut());
    sim.recording.end(seq, answer.status().as_u16());
    answer
}

fn case<'a>(asked: &'a Asked, about: &'a About) -> Case<'a> {
    Case {
        method: asked.method.as_str(),
        path: asked.uri.path(),
        session: about.session.as_deref(),
        chat_id: about.chat.as_deref(),
        event: "",
    }
}

/// What a fault makes of the answer.
async fn spoil<G: Gate>(
    gate: &G,
    sim: &Arc<Sim>,
    asked: &Asked,
    about: &About,
    line: &Line,
    harm: Harm,
    real: Option<Response>,
) -> Response {
    match harm {
        Harm::Delay { .. } => real.expect("a delayed request takes effect"),
        Harm::Answer { status, headers, body, .. } => given(status, &headers, body),
        Harm::TooMany { retry_after_s, date } => {
            let after = match date {
                false => retry_after_s.to_string(),
                true => {
                    let at = sim.now_ms() / 1000 + i64::try_from(retry_after_s).unwrap_or(0);
                    let at = jiff::Timestamp::from_second(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
                    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
                }
            };
            let mut answer = gate.too_many(sim);
            answer.headers_mut().insert(header::RETRY_AFTER, after.parse().expect("digits and dates are visible"));
            answer
        }
        Harm::Crash { message, .. } => gate.crash(sim, asked, &message),
        Harm::Timelock => gate.timelock(sim, asked),
        Harm::NotImplemented => gate.not_implemented(sim, asked),
        Harm::Expired => gate.expired(sim, asked, about),
        Harm::Hang { .. } => std::future::pending().await,
        Harm::Cut { .. } => match line.cut().await {},
        Harm::Redirect { to } => {
            let mut answer = StatusCode::FOUND.into_response();
            let to = HeaderValue::from_str(&to).unwrap_or(HeaderValue::from_static("/elsewhere"));
            answer.headers_mut().insert(header::LOCATION, to);
            answer
        }
        Harm::Html { .. } => {
            let page = "<!doctype html><title>Sign in</title><h1>Please sign in</h1>";
            ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
        }
        Harm::Endless { .. } => {
            let spaces = Bytes::from_static(&[b' '; 64 * 1024]);
            let body = stream::iter(0..ENDLESS).map(move |_| Ok::<_, std::io::Error>(spaces.clone()));
            let body = body.take_until(Box::pin(tokio::time::sleep(Duration::from_secs(600))));
            ([(header::CONTENT_TYPE, "application/json; charset=utf-8")], Body::from_stream(body)).into_response()
        }
        Harm::Truncate => {
            let (parts, body) = real.expect("a truncated request takes effect").into_parts();
            let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
            let half = stream::once(std::future::ready(Ok(whole.slice(..whole.len() / 2))));
            // The half must be on its way before the end: what is only buffered is lost with the connection.
            let end = stream::once(async {
                tokio::time::sleep(Duration::from_millis(20)).await;
                Err(std::io::Error::from(std::io::ErrorKind::ConnectionAborted))
            });
            let cut = half.chain(end);
            Response::from_parts(parts, Body::from_stream(cut))
        }
        // These are for hooks: a rule with them is never taken for a request.
        Harm::Drop | Harm::Duplicate { .. } | Harm::Reorder { .. } => real.unwrap_or_default(),
    }
}

/// Any answer, word for word.
fn given(status: u16, headers: &Map<String, Value>, body: Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = match body {
        Value::Null => status.into_response(),
        Value::String(text) => (status, text).into_response(),
        body => json(status, &body),
    };
    for (name, value) in headers {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
            answer.headers_mut().insert(name, value);
        }
    }
    answer
}

/// JSON as Express sends it.
pub fn json(status: StatusCode, body: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json; charset=utf-8")], axum::Json(body)).into_response()
}

impl Asked {
    /// A field of the query.
    pub fn query(&self, name: &str) -> Option<String> {
        let query = self.uri.query()?;
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// A text of the body.
    pub fn text(&self, name: &str) -> Option<String> {
        self.body.get(name).and_then(Value::as_str).map(str::to_owned)
    }

    /// The segments of the path, percent signs undone.
    pub fn segments(&self) -> Vec<String> {
        self.uri.path().split('/').skip(1).map(decode).collect()
    }
}

/// Percent signs of one path segment, undone.
fn decode(segment: &str) -> String {
    // A plus is a plus in a path; only the form decoder would make a blank of it.
    let kept = segment.replace('+', "%2B");
    url::form_urlencoded::parse(format!("x={kept}").as_bytes()).next().map_or_else(String::new, |(_, v)| v.into_owned())
}
