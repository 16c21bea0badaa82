//! The phone page at `/`: a person's WhatsApp, for whoever tries Indaba out. It uses the control API alone.

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, header},
    response::{
        IntoResponse, Sse,
        sse::{Event, KeepAlive},
    },
    routing::get,
};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::{
    control::view,
    range,
    sim::Sim,
    world::{Address, Happening, World},
};

/// What a page learns of something that happened.
pub(crate) fn news(world: &World, line: &str, happening: &Happening) -> Value {
    let of = |kind: &str, chat: &Address, message: Value| json!({"kind": kind, "number": line, "chat": chat, "message": message});
    match happening {
        Happening::Message(message)
        | Happening::Ack { message, .. }
        | Happening::Reaction { to: message, .. }
        | Happening::Edited { message, .. }
        | Happening::Revoked { message, .. }
        | Happening::Vote { poll: message, .. } => of("message", &message.chat, view::message(world, line, message)),
        Happening::Presence { chat, state, .. } => {
            json!({"kind": "presence", "number": line, "chat": chat, "state": state})
        }
        Happening::Call { id, from, state, .. } => {
            json!({"kind": "call", "number": line, "chat": Address::Person(from.clone()), "id": id, "state": state})
        }
        Happening::Group { group, .. } => {
            json!({"kind": "group", "number": line, "chat": Address::Group(group.id.clone())})
        }
    }
}

/// One file of the page: path, type, content.
type Part = (&'static str, &'static str, &'static [u8]);

const PARTS: &[Part] = &[
    ("/", "text/html; charset=utf-8", include_bytes!("phone.html")),
    ("/phone/phone.css", "text/css; charset=utf-8", include_bytes!("phone.css")),
    ("/phone/desk.css", "text/css; charset=utf-8", include_bytes!("desk.css")),
    ("/phone/thread.css", "text/css; charset=utf-8", include_bytes!("thread.css")),
    ("/phone/phone.js", "text/javascript; charset=utf-8", include_bytes!("phone.js")),
    ("/phone/page.js", "text/javascript; charset=utf-8", include_bytes!("page.js")),
    ("/phone/thread.js", "text/javascript; charset=utf-8", include_bytes!("thread.js")),
    ("/phone/voice.js", "text/javascript; charset=utf-8", include_bytes!("voice.js")),
    ("/phone/icon.svg", "image/svg+xml", include_bytes!("icon.svg")),
    ("/phone/voice-note.ogg", "audio/ogg; codecs=opus", include_bytes!("voice-note.ogg")),
];

/// Nothing from elsewhere, nothing inline.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
                      media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// A ready voice note.
pub(crate) const VOICE_NOTE: &[u8] = include_bytes!("voice-note.ogg");

/// The page and its parts.
pub(crate) fn router() -> Router {
    PARTS.iter().fold(Router::new(), |router, (path, mimetype, content)| {
        let headers = [
            (header::CONTENT_TYPE, *mimetype),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::CACHE_CONTROL, "no-cache"),
        ];
        router.route(
            path,
            get(async move |asked: HeaderMap| (headers, range::answer(&asked, Bytes::from_static(content)))),
        )
    })
}

/// What happens, as it happens. A page that is too slow is told to read everything again.
pub(crate) async fn stream(State(sim): State<Arc<Sim>>) -> impl IntoResponse {
    let news = stream::unfold(sim.bell.listen(), |mut listener| async move {
        let text = match listener.recv().await {
            Ok(text) => text,
            Err(RecvError::Lagged(_)) => json!({"kind": "reset"}).to_string(),
            Err(RecvError::Closed) => return None,
        };
        Some((Ok::<_, std::convert::Infallible>(Event::default().data(text)), listener))
    });
    Sse::new(news).keep_alive(KeepAlive::default())
}
