//! WAHA, as version 2026.6.1 answers on the wire.
//!
//! Shapes come from captures of a real 2026.4.1 server with engine NOWEB (tests/fixtures). What a later version or
//! another engine does differently is taken from its documentation and marked "from docs".

mod caster;
mod chats;
mod contacts;
mod envelope;
mod events;
mod files;
mod groups;
mod guard;
mod input;
mod keys;
mod link;
mod refusal;
mod send;
mod send_parts;
mod session;
mod sessions;
mod settings;
mod shape;
mod shape_engines;
mod wait;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{any, delete, get, post, put},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{Config, gate::pass, sim::Sim};
pub(crate) use caster::Caster;
pub use envelope::sign;
pub use settings::Webhook;

/// Which of WAHA's engines answers. They differ in shapes, not in what they do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Engine {
    /// A socket in Node.
    #[default]
    Noweb,
    /// A socket in Go.
    Gows,
    /// A browser.
    Webjs,
}

impl Engine {
    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Noweb => "NOWEB",
            Engine::Gows => "GOWS",
            Engine::Webjs => "WEBJS",
        }
    }
}

/// Which WAHA this is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Release {
    /// The free image of April 2026: one session named `default`, and no media.
    #[serde(rename = "2026.4.1")]
    V2026_4_1,
    /// Everything that was for sale is in the free image.
    #[default]
    #[serde(rename = "2026.6.1")]
    V2026_6_1,
}

impl Release {
    /// The version on the wire.
    pub fn version(self) -> &'static str {
        match self {
            Release::V2026_4_1 => "2026.4.1",
            Release::V2026_6_1 => "2026.6.1",
        }
    }
}

/// One WAHA server.
pub struct Gateway {
    engine: Engine,
    release: Release,
    api_key: String,
    base_url: String,
    hooks: Vec<Webhook>,
    state: Mutex<State>,
    /// Counts changes of any session's status, for those who wait for one.
    changed: watch::Sender<u64>,
}

#[derive(Default)]
struct State {
    sessions: BTreeMap<String, session::Session>,
    keys: BTreeMap<String, keys::Key>,
}

impl Gateway {
    pub(crate) fn new(config: &Config) -> Gateway {
        Gateway {
            engine: config.engine,
            release: config.release,
            api_key: config.api_key.clone(),
            base_url: config.base_url.trim_end_matches('/').to_owned(),
            hooks: config.global_hooks.clone(),
            state: Mutex::default(),
            changed: watch::Sender::new(0),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    /// Forgets all sessions and keys, without a word to anyone.
    pub(crate) fn clear(&self) {
        *self.state() = State::default();
        self.changed.send_modify(|count| *count += 1);
    }

    /// `GET /api/server/version`, and part of every hook.
    fn environment(&self) -> Value {
        json!({
            "version": self.release.version(),
            "engine": self.engine.name(),
            "tier": "CORE",
            "browser": null,
            "platform": "linux/x64",
            "worker": {"id": "w1"},
        })
    }
}

/// Every route of the API that is played; all else is answered as Express does.
pub(crate) fn router(sim: Arc<Sim>) -> Router {
    let routes = Router::new()
        .route("/ping", get(sessions::ping))
        .route("/health", get(sessions::health))
        .route("/api/server/version", get(sessions::version))
        .route("/api/version", get(sessions::version))
        .route("/api/server/status", get(sessions::server_status))
        .route("/api/keys", get(keys::list).post(keys::create))
        .route("/api/keys/{id}", put(keys::update).delete(keys::remove))
        .route("/api/sessions", get(sessions::list).post(sessions::create))
        .route("/api/sessions/", get(sessions::list).post(sessions::create))
        .route("/api/sessions/{session}", get(sessions::show).put(sessions::update).delete(sessions::remove))
        .route("/api/sessions/{session}/me", get(sessions::me))
        .route("/api/sessions/{session}/start", post(sessions::start))
        .route("/api/sessions/{session}/stop", post(sessions::stop))
        .route("/api/sessions/{session}/restart", post(sessions::restart))
        .route("/api/sessions/{session}/logout", post(sessions::logout))
        .route("/api/{session}/auth/qr", get(sessions::qr))
        .route("/api/{session}/auth/request-code", post(sessions::request_code))
        .route("/api/{session}/new-message-id", get(send::new_message_id))
        .route("/api/sendText", post(send::text))
        .route("/api/sendImage", post(send::image))
        .route("/api/sendFile", post(send::file))
        .route("/api/sendVoice", post(send::voice))
        .route("/api/sendVideo", post(send::video))
        .route("/api/sendPoll", post(send::poll))
        .route("/api/sendPollVote", post(send_parts::poll_vote))
        .route("/api/sendLocation", post(send::location))
        .route("/api/sendContactVcard", post(send::contacts))
        .route("/api/forwardMessage", post(send::forward))
        .route("/api/reaction", put(send_parts::reaction))
        .route("/api/star", put(send_parts::star))
        .route("/api/sendSeen", post(send_parts::seen))
        .route("/api/startTyping", post(send_parts::start_typing))
        .route("/api/stopTyping", post(send_parts::stop_typing))
        .route("/api/{session}/presence", post(send_parts::presence).get(send_parts::presences))
        .route("/api/{session}/presence/{chat}", get(send_parts::presence_of))
        .route("/api/{session}/presence/{chat}/subscribe", post(send_parts::subscribe))
        .route("/api/{session}/calls/reject", post(send_parts::reject_call))
        .route("/api/{session}/chats", get(chats::list))
        .route("/api/{session}/chats/overview", get(chats::overview).post(chats::overview_of))
        .route("/api/{session}/chats/{chat}", delete(chats::remove))
        .route("/api/{session}/chats/{chat}/picture", get(chats::picture))
        .route("/api/{session}/chats/{chat}/messages", get(chats::messages))
        .route("/api/{session}/chats/{chat}/messages/read", post(chats::read))
        .route(
            "/api/{session}/chats/{chat}/messages/{message}",
            get(chats::message).put(send_parts::edit).delete(send_parts::revoke),
        )
        .route("/api/contacts/all", get(contacts::all))
        .route("/api/contacts", get(contacts::show))
        .route("/api/contacts/check-exists", get(contacts::exists))
        .route("/api/checkNumberStatus", get(contacts::exists))
        .route("/api/contacts/profile-picture", get(contacts::picture))
        .route("/api/{session}/contacts/{contact}", get(contacts::one))
        .route("/api/{session}/lids", get(contacts::lids))
        .route("/api/{session}/lids/count", get(contacts::lid_count))
        .route("/api/{session}/lids/{lid}", get(contacts::lid))
        .route("/api/{session}/lids/pn/{phone}", get(contacts::lid_of))
        .route("/api/{session}/groups", get(groups::list).post(groups::create))
        .route("/api/{session}/groups/count", get(groups::count))
        .route("/api/{session}/groups/{group}", get(groups::show))
        .route("/api/{session}/groups/{group}/participants/v2", get(groups::participants))
        .route("/api/files/{session}/{file}", get(files::show))
        .fallback(any(refusal::no_route))
        .method_not_allowed_fallback(refusal::no_route)
        .layer(DefaultBodyLimit::disable());
    routes.layer(middleware::from_fn_with_state(sim.clone(), pass::<guard::Waha>)).with_state(sim)
}
