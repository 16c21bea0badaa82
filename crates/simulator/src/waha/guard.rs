//! What stands before every WAHA route: the recording, the key, and faults.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, Bytes, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use serde_json::{Value, json};

use super::{
    input::Seq,
    refusal::{self, Crashed, Refusal},
};
use crate::{
    faults::{Case, Harm},
    serve::Line,
    sim::Sim,
};

/// WAHA's limit for a body.
const BODY: usize = 50 * 1024 * 1024;
/// How much an endless answer has, in pieces of 64 KiB.
const ENDLESS: usize = 16 * 1024;

/// What of a request is looked at more than once.
struct Seen {
    method: Method,
    uri: Uri,
    body: Value,
    session: Option<String>,
    chat: Option<String>,
}

pub async fn guard(
    State(sim): State<Arc<Sim>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(bytes) = to_bytes(body, BODY).await else {
        let text = "request entity too large";
        return Refusal::Nest(StatusCode::PAYLOAD_TOO_LARGE, text.into()).into_response();
    };
    let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
    let seq = sim.recording.begin(sim.now_ms(), parts.method.as_str(), &path, &query, &bytes);
    let seen = Seen::of(&parts.method, &parts.uri, &bytes);
    let refused = (path != "/ping").then(|| admit(&sim, &parts.headers, &seen).err()).flatten();
    let mut answer = match refused {
        Some(refusal) => refusal.into_response(),
        None => {
            let case = Case {
                method: parts.method.as_str(),
                path: &path,
                session: seen.session.as_deref(),
                chat_id: seen.chat.as_deref(),
                event: "",
            };
            let fault = sim.faults.on_request(case);
            let mut request = Request::from_parts(parts, Body::from(bytes));
            request.extensions_mut().insert(Seq(seq));
            match fault {
                None => finish(&sim, &seen, next.run(request).await),
                Some((id, harm)) => {
                    sim.recording.fault(seq, id);
                    if let Harm::Delay { ms } = harm {
                        tokio::time::sleep(Duration::from_millis(ms)).await;
                    }
                    let real = match harm.effect() {
                        true => Some(finish(&sim, &seen, next.run(request).await)),
                        false => None,
                    };
                    spoil(&sim, &seen, &line, harm, real).await
                }
            }
        }
    };
    let headers = answer.headers_mut();
    headers.insert("x-powered-by", HeaderValue::from_static("Express"));
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    sim.recording.end(seq, answer.status().as_u16());
    answer
}

/// Whether the caller may come in.
fn admit(sim: &Sim, headers: &HeaderMap, seen: &Seen) -> Result<(), Refusal> {
    let sent = headers.get("x-api-key").and_then(|value| value.to_str().ok()).map(str::to_owned);
    // from docs: the key may stand in the query since 2026.4.3.
    let sent =
        sent.or_else(|| (sim.waha.release != super::Release::V2026_4_1).then(|| seen.query("x-api-key")).flatten());
    sim.waha.admit(sent.as_deref(), &seen.method, seen.uri.path(), seen.session.as_deref())
}

/// A crash gets its body here: it echoes the request.
fn finish(sim: &Sim, seen: &Seen, answer: Response) -> Response {
    let Some(crashed) = answer.extensions().get::<Crashed>() else { return answer };
    refusal::crash(&sim.waha, crashed, sim.now_ms(), seen.echo())
}

/// What a fault makes of the answer.
async fn spoil(sim: &Arc<Sim>, seen: &Seen, line: &Line, harm: Harm, real: Option<Response>) -> Response {
    match harm {
        Harm::Delay { .. } => real.expect("a delayed request takes effect"),
        Harm::Answer { status, headers, body, .. } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut answer = match body {
                Value::Null => status.into_response(),
                Value::String(text) => (status, text).into_response(),
                body => refusal::answer(status, &body),
            };
            for (name, value) in &headers {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(&value)) {
                    answer.headers_mut().insert(name, value);
                }
            }
            answer
        }
        Harm::TooMany { retry_after_s, date } => {
            let after = match date {
                false => retry_after_s.to_string(),
                true => {
                    let at = sim.now_ms() / 1000 + i64::try_from(retry_after_s).unwrap_or(0);
                    let at = jiff::Timestamp::from_second(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
                    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
                }
            };
            let body = json!({"message": "Too Many Requests", "statusCode": 429});
            let mut answer = refusal::answer(StatusCode::TOO_MANY_REQUESTS, &body);
            answer.headers_mut().insert(header::RETRY_AFTER, after.parse().expect("digits and dates are visible"));
            answer
        }
        Harm::Crash { message, .. } => crash(sim, seen, &message),
        Harm::Timelock => crash(sim, seen, "2 UNKNOWN: server returned error 463"),
        Harm::NotImplemented => Refusal::not_implemented(&sim.waha).into_response(),
        Harm::Expired => {
            let name = seen.session.clone().unwrap_or_default();
            let _ = sim.waha.withdraw(sim, &name);
            Refusal::Status { session: name, status: "FAILED", expected: vec!["WORKING"] }.into_response()
        }
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

fn crash(sim: &Sim, seen: &Seen, message: &str) -> Response {
    refusal::crash(&sim.waha, &Crashed("Error", message.to_owned()), sim.now_ms(), seen.echo())
}

impl Seen {
    fn of(method: &Method, uri: &Uri, bytes: &[u8]) -> Seen {
        let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let mut seen = Seen { method: method.clone(), uri: uri.clone(), body, session: None, chat: None };
        let parts: Vec<String> = uri.path().split('/').skip(1).map(decode).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let in_body = |name: &str| seen.body.get(name).and_then(Value::as_str).map(str::to_owned);
        let session = match parts.as_slice() {
            ["api", "sessions", name, ..] | ["api", "files", name, ..] if !name.is_empty() => Some((*name).to_owned()),
            ["api", name, "auth" | "chats" | "contacts" | "lids" | "groups" | "presence" | "calls", ..]
            | ["api", name, "new-message-id"] => Some((*name).to_owned()),
            ["api", "sessions"] => in_body("name"),
            _ => in_body("session").or_else(|| seen.query("session")),
        };
        let chat = match parts.as_slice() {
            ["api", _, "chats" | "presence", chat, ..] => Some((*chat).to_owned()),
            _ => in_body("chatId"),
        };
        (seen.session, seen.chat) = (session, chat);
        seen
    }

    fn query(&self, name: &str) -> Option<String> {
        let query = self.uri.query()?;
        url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    fn echo(&self) -> Value {
        let query: serde_json::Map<String, Value> =
            url::form_urlencoded::parse(self.uri.query().unwrap_or_default().as_bytes())
                .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
                .collect();
        json!({"path": self.uri.path(), "method": self.method.as_str(), "body": self.body, "query": query})
    }
}

/// Percent signs of one path segment, undone.
fn decode(segment: &str) -> String {
    // A plus is a plus in a path; only the form decoder would make a blank of it.
    let kept = segment.replace('+', "%2B");
    url::form_urlencoded::parse(format!("x={kept}").as_bytes()).next().map_or_else(String::new, |(_, v)| v.into_owned())
}
