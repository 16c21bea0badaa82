//! Whether a request comes from one of our own pages. A browser sends our cookies also when another site makes it ask; what it
//! says in `Origin` and `Sec-Fetch-Site` that site cannot choose.
use crate::{Error, app::App};
use axum::http::{HeaderMap, header};

/// Whether the headers say that one of our pages asks (or one that `cors_origins` names).
pub fn is_ours(app: &App, headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    match text(header::ORIGIN.as_str()) {
        Some(origin) => is_known(app, headers, origin),
        None => text("sec-fetch-site") == Some("same-origin"),
    }
}

/// Whether the headers name a foreign page. Programs name none, and browsers always do when they open a WebSocket.
pub fn is_foreign(app: &App, headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) && !is_ours(app, headers)
}

fn is_known(app: &App, headers: &HeaderMap, origin: &str) -> bool {
    let origin = origin.trim_end_matches('/');
    if app.config.cors_origins.iter().any(|known| known.trim_end_matches('/').eq_ignore_ascii_case(origin)) {
        return true;
    }
    if app.config.public_url().eq_ignore_ascii_case(origin) {
        return true;
    }
    // nobody said how we are reached: then by the name the request was sent to
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let said = origin.split_once("://").map(|(_, host)| host);
    !app.config.has_public_url() && host.is_some() && host == said
}

/// The answer to a change asked for by another site.
pub fn foreign() -> Error {
    Error::Forbidden("This came from another site's page. Open Indaba at its own address.".into())
}
