//! Meta's Cloud API for WhatsApp (Graph API v26.0), as it is on the wire.
//!
//! It answers under `/graph/v26.0/…`, with any version or none, and for programs that can be given a host only under `/v26.0/…`. People, chats and ticks are
//! those of the world that all gateways share; apps, accounts, numbers, templates and files are kept here. Shapes come from Meta's OpenAPI description
//! and from the test data of clients that follow it (tests/fixtures/cloud); what nobody has seen is said where it is.
//!
//! What is as at Meta and easily forgotten: bodies of hooks are ASCII (`\u00e9`, `\/`) before they are signed; a send that is answered 200 proves nothing,
//! and most failures come later as a status; a person may have no phone number; a business-scoped id in `to` is answered 200 and never heard of again.
//!
//! Not played: groups, flows (beyond sending one), calls (beyond telling that somebody calls), catalogues, payments.

mod account;
mod apps;
mod cards;
mod choices;
mod events;
mod fields;
mod guard;
mod handshake;
mod hydrate;
mod judge;
mod manage;
mod media;
mod messages;
mod nodes;
mod numbers;
mod order;
mod pace;
mod people;
mod post;
mod refusal;
mod shape;
mod statuses;
mod templates;
mod wamid;

use std::sync::{Arc, Mutex, MutexGuard};

use axum::{
    Router,
    extract::{DefaultBodyLimit, Request},
    http::Uri,
    middleware,
    routing::{any, get, post},
};
use tower::ServiceExt as _;

use crate::{gate::pass, sim::Sim};
pub(crate) use account::Failure;
use account::State;
pub(crate) use manage::{Changed, NewNumber, NewTemplate};
pub(crate) use post::Batch;
pub use post::sign;

/// The newest version of the API; calls of any other one are taken as calls of this one.
const VERSION: &str = "v26.0";

/// Meta.
#[derive(Default)]
pub struct Gateway {
    state: Mutex<State>,
    post: post::Post,
}

impl Gateway {
    /// Never take the world while holding it.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|broken| broken.into_inner())
    }

    /// Forgets everything, without a word to anyone.
    pub(crate) fn clear(&self) {
        *self.state() = State::default();
        self.post.clear();
    }
}

/// Whether a request is for Meta.
pub(crate) fn is_ours(path: &str) -> bool {
    let first = path.split('/').nth(1).unwrap_or_default();
    matches!(first, "graph" | "whatsapp_business") || guard::is_version(first)
}

/// Every path that is played; all else is answered as Meta does.
pub(crate) fn router(sim: Arc<Sim>) -> Router {
    let routes = Router::new()
        .route("/debug_token", get(apps::debug_token))
        .route("/oauth/access_token", get(apps::access_token).post(apps::access_token))
        .route("/whatsapp_business/attachments/", get(media::download))
        .route("/{id}", get(nodes::show).post(nodes::change).delete(nodes::remove))
        .route("/{id}/messages", post(messages::send))
        .route("/{id}/media", post(media::upload))
        .route("/{id}/register", post(numbers::register))
        .route("/{id}/deregister", post(numbers::deregister))
        .route("/{id}/request_code", post(numbers::request_code))
        .route("/{id}/verify_code", post(numbers::verify_code))
        .route("/{id}/whatsapp_business_profile", get(numbers::profile).post(numbers::set_profile))
        .route("/{id}/settings", get(numbers::settings).post(numbers::set_settings))
        .route("/{id}/block_users", get(numbers::blocked).post(numbers::block).delete(numbers::unblock))
        .route("/{id}/phone_numbers", get(numbers::list))
        .route("/{id}/message_templates", get(templates::list).post(templates::create).delete(templates::remove))
        .route("/{id}/subscribed_apps", get(apps::subscribed).post(apps::subscribe).delete(apps::unsubscribe))
        .route(
            "/{id}/subscriptions",
            get(apps::subscriptions).post(apps::set_subscription).delete(apps::remove_subscription),
        )
        .route("/{id}/uploads", post(media::announce))
        .fallback(any(guard::no_route))
        .method_not_allowed_fallback(guard::no_route)
        .layer(DefaultBodyLimit::disable())
        .with_state(sim.clone());
    let below = routes.map_request(|mut request: Request| {
        *request.uri_mut() = below(request.uri());
        request
    });
    Router::new().fallback_service(below).layer(middleware::from_fn_with_state(sim, pass::<guard::Meta>))
}

/// The same place without `/graph` and the version. The gate has recorded it as it came. A slash at the end makes no difference to Graph; pywa
/// sets a number's callback at one.
fn below(uri: &Uri) -> Uri {
    let path = guard::inside(uri.path());
    let path = match path.strip_suffix('/') {
        Some(rest) if !rest.is_empty() && !path.starts_with("/whatsapp_business/") => rest,
        _ => path,
    };
    let place = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    place.parse().unwrap_or_else(|_| uri.clone())
}
