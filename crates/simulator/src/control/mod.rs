//! The control API: plays the people and the mishaps. README.md is its reference.

mod chats;
mod cloud;
mod load;
mod messages;
mod mishaps;
mod people;
mod sessions;
pub(crate) mod view;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Request},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::{sim::Sim, world::Refused};
pub(crate) use load::Loads;

/// How large a body may be: a file in base64 and some words.
const BODY: usize = 40 * 1024 * 1024;

/// All of `/control`.
pub(crate) fn router(sim: Arc<Sim>) -> Router {
    Router::new()
        .route("/", get(sessions::overview))
        .route("/reset", post(sessions::reset))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{name}", get(sessions::show))
        .route("/sessions/{name}/scan", post(sessions::scan))
        .route("/sessions/{name}/unlink", post(sessions::unlink))
        .route("/sessions/{name}/logout", post(sessions::unlink))
        .route("/sessions/{name}/expire-qr", post(sessions::expire))
        .route("/sessions/{name}/status", post(sessions::force))
        .route("/scan", post(sessions::scan_code))
        .route("/pair", post(sessions::pair))
        .route("/numbers", get(people::numbers).post(people::make_number))
        .route("/numbers/{phone}/acks", put(people::number_acks))
        .route("/numbers/{phone}/messages", post(messages::write))
        .route("/numbers/{phone}/messages/{id}", get(messages::show))
        .route("/numbers/{phone}/messages/{id}/reaction", post(messages::react))
        .route("/numbers/{phone}/messages/{id}/vote", post(messages::vote))
        .route("/numbers/{phone}/messages/{id}/choose", post(messages::choose))
        .route("/numbers/{phone}/messages/{id}/edit", post(messages::edit))
        .route("/numbers/{phone}/messages/{id}/revoke", post(messages::revoke))
        .route("/numbers/{phone}/messages/{id}/ack", post(messages::ack))
        .route("/numbers/{phone}/chats", get(chats::list))
        .route("/numbers/{phone}/chats/{chat}/messages", get(chats::messages))
        .route("/numbers/{phone}/chats/{chat}/open", post(chats::open))
        .route("/numbers/{phone}/chats/{chat}/typing", post(chats::typing))
        .route("/numbers/{phone}/groups", post(chats::make_group))
        .route("/numbers/{phone}/groups/{group}", post(chats::change_group))
        .route("/numbers/{phone}/calls", post(chats::call))
        .route("/customers", get(people::customers).post(people::make_customer))
        .route("/acks", get(people::acks).put(people::set_acks))
        .route("/media/{id}", get(chats::media))
        .route("/stream", get(crate::phone::stream))
        .route("/faults", get(mishaps::faults).post(mishaps::add_fault).delete(mishaps::clear_faults))
        .route("/faults/{id}", delete(mishaps::remove_fault))
        .route("/recording", get(mishaps::recording).delete(mishaps::clear_recording))
        .route("/effects", get(mishaps::effects))
        .route("/hooks", get(mishaps::hooks))
        .route("/load", post(load::begin))
        .route("/load/{id}", get(load::show).delete(load::cancel))
        .route("/cloud/numbers", get(cloud::numbers).post(cloud::make))
        .route("/cloud/numbers/{id}", get(cloud::show).patch(cloud::alter))
        .route("/cloud/numbers/{id}/fail", post(cloud::fail))
        .route("/cloud/numbers/{id}/window", post(cloud::window))
        .route("/cloud/numbers/{id}/said", post(cloud::said))
        .route("/cloud/events/{id}", post(cloud::event))
        .route("/cloud/accounts/{id}/templates", get(cloud::templates).post(cloud::put_template))
        .route("/cloud/templates/{id}", post(cloud::judge))
        .route("/cloud/tokens", post(cloud::grant))
        .route("/cloud/tokens/expire", post(cloud::expire))
        .route("/cloud/advance", post(cloud::advance))
        .route("/cloud/batch", put(cloud::batch))
        .fallback(async || Failure(StatusCode::NOT_FOUND, "there is no such route".into()))
        .layer(DefaultBodyLimit::max(BODY))
        .with_state(sim)
}

/// Why the control API did not do something: `{"error": "…"}`.
pub(crate) struct Failure(pub StatusCode, pub String);

/// A handler's answer.
pub(crate) type Done<T> = Result<T, Failure>;

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        (self.0, axum::Json(json!({"error": self.1}))).into_response()
    }
}

impl From<Refused> for Failure {
    fn from(why: Refused) -> Failure {
        let status = match &why {
            Refused::NoAddress(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Refused::Missing(_) => StatusCode::NOT_FOUND,
            Refused::Cannot(_) => StatusCode::CONFLICT,
        };
        Failure(status, why.to_string())
    }
}

/// A JSON body, whatever its content type says; no body is `{}`.
pub(crate) struct Take<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Take<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        let bytes =
            Bytes::from_request(request, state).await.map_err(|error| Failure(error.status(), error.body_text()))?;
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        serde_json::from_slice(bytes).map(Take).map_err(|error| Failure(StatusCode::BAD_REQUEST, error.to_string()))
    }
}
