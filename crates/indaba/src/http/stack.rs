//! What every request passes through, from the outside in: its id and log line, a net for panics, security headers, a time limit,
//! and for the API: who asks, whether too often, and the idempotency key.
use super::{
    idempotency, limits,
    problem::Problem,
    who::{self, Asked},
};
use crate::{app::App, registry, request};
use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version, header},
    middleware::{Next, from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use metrics::{Counter, Histogram};
use std::{
    any::Any,
    collections::HashMap,
    sync::{Arc, RwLock},
    time::{Duration, Instant},
};
use tower_http::{
    catch_panic::CatchPanicLayer,
    compression::{CompressionLayer, Predicate, predicate::SizeAbove},
    cors::{AllowOrigin, CorsLayer},
};
use tracing::Instrument;

/// The request id's header, in and out.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Around the API's routes: who asks, then the idempotency key.
pub fn api(routes: Router<App>, app: &App) -> Router<App> {
    let routes = routes
        .method_not_allowed_fallback(not_allowed)
        .layer(from_fn_with_state(app.clone(), idempotency::layer))
        .layer(from_fn_with_state(app.clone(), limits::layer))
        .layer(from_fn_with_state(app.clone(), identify))
        .layer(from_fn_with_state(app.clone(), in_time))
        .layer(CompressionLayer::new().compress_when(SizeAbove::new(1024).and(is_text)));
    match cors(app) {
        Some(cors) => routes.layer(cors),
        None => routes,
    }
}

/// Media are compressed already; everything else of ours is text.
fn is_text(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.starts_with("text/") || kind.starts_with("application/json") || kind.starts_with("application/problem+json")
}

/// For the origins that `cors_origins` names; the list is empty by default, and then no browser lets another site in.
fn cors(app: &App) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = app.config.cors_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    if origins.is_empty() {
        return None;
    }
    let told = ["x-request-id", "retry-after", "ratelimit", "ratelimit-policy", "idempotency-replayed"];
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, idempotency::KEY, REQUEST_ID])
        .expose_headers(told.map(HeaderName::from_static))
        .max_age(Duration::from_secs(3600));
    Some(cors)
}

/// Around everything.
pub fn outer(routes: Router<App>) -> Router<App> {
    routes
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(shield))
        .layer(from_fn_with_state(Counted::default(), name))
}

async fn identify(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let asked = who::identify(&app, &parts).await;
    if let Some(Ok(who)) = &asked {
        tracing::Span::current()
            .record("tenant.id", tracing::field::display(who.tenant))
            .record("actor.id", tracing::field::display(&who.actor));
    }
    parts.extensions.insert(Asked(asked));
    next.run(Request::from_parts(parts, body)).await
}

/// A request that takes too long, or whose body trickles in, is given up.
async fn in_time(State(app): State<App>, request: Request, next: Next) -> Response {
    let kind = request.headers().get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    let upload = kind.starts_with(b"multipart/form-data") && registry::UPLOADS.contains(&request.uri().path());
    let limits = &app.config.limits;
    let limit = Duration::from_secs(if upload { limits.upload_s } else { limits.request_s });
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => {
            let detail = "Whether it was done is not known: look before you try again.";
            Problem::new(StatusCode::REQUEST_TIMEOUT, "timeout", "This took too long", detail).into_response()
        }
    }
}

async fn not_allowed(method: Method) -> Response {
    let detail = format!("{method} is not among what can be done here.");
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", "This cannot be done here", detail).into_response()
}

fn panicked(reason: Box<dyn Any + Send + 'static>) -> Response {
    let text = reason.downcast_ref::<&str>().map(|text| text.to_string());
    let text = text.or_else(|| reason.downcast_ref::<String>().cloned()).unwrap_or_default();
    crate::Error::Internal(format!("a handler panicked: {text}")).into_response()
}

/// What was counted of each route, so that a request looks its counters up only once they are known.
#[derive(Clone, Default)]
struct Counted(Arc<RwLock<HashMap<Arc<str>, Vec<Counts>>>>);

#[derive(Clone)]
struct Counts {
    method: Method,
    status: u16,
    requests: Counter,
    seconds: Histogram,
}

impl Counted {
    fn note(&self, method: &Method, route: &str, status: u16, took: Duration) {
        let fits = |counts: &&Counts| counts.status == status && counts.method == *method;
        let known =
            self.0.read().expect("no panic under this lock").get(route).and_then(|all| all.iter().find(fits).cloned());
        let counts = known.unwrap_or_else(|| {
            let labels = [("method", method.to_string()), ("route", route.to_owned()), ("status", status.to_string())];
            let requests = metrics::counter!("indaba_http_requests_total", &labels);
            let seconds = metrics::histogram!("indaba_http_request_seconds", &labels[..2]);
            let counts = Counts { method: method.clone(), status, requests, seconds };
            // methods that nobody knows are not remembered: there is no end to them
            if matches!(method.as_str(), "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS") {
                self.0.write().expect("no panic under this lock").entry(route.into()).or_default().push(counts.clone());
            }
            counts
        });
        counts.requests.increment(1);
        counts.seconds.record(took.as_secs_f64());
    }
}

/// Gives the request its id, and the log one line about how it went.
async fn name(State(counted): State<Counted>, request: Request, next: Next) -> Response {
    let id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).and_then(request::read);
    let id = id.unwrap_or_else(request::mint);
    let value = HeaderValue::from_str(&id).expect("ids are made of header characters");
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    // a path may hold a token (hooks, invitations): the route is logged where there is one
    let path = if route.is_none() { request.uri().path().to_owned() } else { String::new() };
    let span = tracing::info_span!(
        "request",
        request.id = %id,
        method = %method,
        tenant.id = tracing::field::Empty,
        actor.id = tracing::field::Empty
    );
    let start = Instant::now();
    let mut answer = request::within(id, next.run(request)).instrument(span.clone()).await;
    answer.headers_mut().insert(REQUEST_ID, value);
    let (status, took) = (answer.status().as_u16(), start.elapsed());
    let route = route.as_ref().map(MatchedPath::as_str);
    counted.note(&method, route.unwrap_or_default(), status, took);
    let took_ms = took.as_secs_f64() * 1000.0;
    let shown = route.unwrap_or(&path);
    let _entered = span.enter();
    // hooks come by the thousand, and reading changes nothing: what people and programs change is worth a line
    let worth = !method.is_safe() && !shown.starts_with("/api/webhooks");
    match status {
        500.. => tracing::warn!(route = shown, status, took_ms, "{method} {shown} answered {status}"),
        _ if worth => tracing::info!(route = shown, status, took_ms, "{method} {shown} answered {status}"),
        _ => tracing::debug!(route = shown, status, took_ms, "{method} {shown} answered {status}"),
    }
    answer
}

const CSP: &str = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; \
                   object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// Security headers, unless the route has set stricter ones of its own.
async fn shield(request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api");
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CONTENT_SECURITY_POLICY, CSP);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(header::REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(self), microphone=(self), geolocation=(), payment=()");
    if api {
        set(header::CACHE_CONTROL, "no-store");
    }
    answer
}
