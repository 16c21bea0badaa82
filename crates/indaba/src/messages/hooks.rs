//! The durable inbox: a hook is on disk before its gateway gets the 200, and only then is anybody's time spent on understanding it.
//!
//! Nothing is parsed on this way but what tells whom it is for. Many callers share one transaction, and those of one tenant share jobs.
use super::{
    HookId,
    store::{
        self,
        hooks::{Arrived, Stray},
    },
    understand::ProcessHook,
    whose::{self, Place},
};
use crate::{
    Error, Result,
    app::App,
    db::{Batch, Db, Gather, SystemTx},
    http::extract,
    id::TenantId,
    instances::{
        self, InstanceId,
        routes::{HookRoute, To},
    },
    jobs::{self, New},
    request,
};
use axum::{
    extract::{Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing,
};
use bytes::Bytes;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use indaba_providers::{Addressee, Handshake, Hook, Part};
use std::{collections::BTreeMap, num::NonZeroU32, sync::Arc, time::Duration};

/// How long a gateway may take to send a body.
const SLOW: Duration = Duration::from_secs(10);
/// What a gateway is told when it should try again.
const AGAIN: &str = "10";
/// How many hooks share a job at most: few enough that one tenant's rush does not hold up the others for long.
const TOGETHER: usize = 32;

/// What the route needs besides the database.
pub struct Intake {
    gather: Arc<Gather<Arrived, ()>>,
    budget: DefaultKeyedRateLimiter<InstanceId>,
}

impl Intake {
    /// For this database; `per_minute` hooks are taken of each number.
    pub fn new(db: &Db, per_minute: u32) -> Intake {
        let each = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MAX);
        let gathered = db.clone();
        let gather = Gather::new(move |batch: Arc<Batch<Arrived, ()>>| {
            let db = gathered.clone();
            async move {
                db.system("take in hooks", move |tx| {
                    let arrived = batch.items();
                    take_in(tx, arrived)?;
                    Ok(vec![(); arrived.len()])
                })
                .await
            }
        });
        Intake { gather, budget: RateLimiter::keyed(Quota::per_minute(each)) }
    }
}

/// Writes hooks that are new, with the jobs that will understand them: those of one tenant that came together share a job.
fn take_in(tx: &mut SystemTx, hooks: &[Arrived]) -> Result<()> {
    let mut tenants: BTreeMap<TenantId, Vec<(HookId, &Arrived)>> = BTreeMap::new();
    for (id, hook) in store::hooks::insert(tx, hooks)? {
        tenants.entry(hook.tenant).or_default().push((id, hook));
    }
    let together = tenants.iter().flat_map(|(tenant, hooks)| hooks.chunks(TOGETHER).map(move |some| (*tenant, some)));
    let made: Vec<(TenantId, New)> = together
        .map(|(tenant, some)| {
            let hooks = some.iter().map(|(id, hook)| (*id, hook.request.clone())).collect();
            let request = if let [(_, only)] = some { only.request.clone() } else { None };
            (tenant, New::of_batch(&ProcessHook { hooks, hook: None }).request(request))
        })
        .collect();
    jobs::enqueue_across(tx, &made)
}

/// The public routes: a signature opens them, not a credential, so they stand outside of what goes around the API.
pub fn routes() -> axum::Router<App> {
    axum::Router::new()
        .route("/api/webhooks/whatsapp", routing::post(by_default).get(greet_default))
        .route("/api/webhooks/{provider}/{hookToken}", routing::post(by_token).get(greet))
}

/// The same for the OpenAPI document.
#[derive(utoipa::OpenApi)]
#[openapi(paths(by_default, by_token, greet_default, greet))]
pub struct Document;

/// A hook of the operator's first gateway, as that gateway signs it.
#[utoipa::path(post, path = "/api/webhooks/whatsapp", tag = "webhooks", security(()),
    responses((status = 200, description = "It is on disk"), (status = 401, description = "Not signed by that gateway"),
              (status = 503, description = "Come again: over the number's budget, or no room")))]
async fn by_default(State(app): State<App>, request: Request) -> Response {
    answer(take(&app, None, instances::routes::DEFAULT, request).await)
}

/// A hook of the number or gateway that the token names.
#[utoipa::path(post, path = "/api/webhooks/{provider}/{hookToken}", tag = "webhooks", security(()),
    params(("provider" = String, Path), ("hookToken" = String, Path)),
    responses((status = 200, description = "It is on disk"), (status = 401, description = "Not signed with its secret"),
              (status = 404, description = "Nobody has this token"),
              (status = 503, description = "Come again: over the number's budget, or no room")))]
async fn by_token(
    State(app): State<App>,
    Path((provider, token)): Path<(String, String)>,
    request: Request,
) -> Response {
    answer(take(&app, Some(&provider), &token, request).await)
}

/// What a gateway is told. A body has nothing in it that it would read.
enum Answer {
    Ok,
    Gone,
    Unknown,
    Unsigned,
    Encoded,
    Slow,
    TooLarge,
    Later,
    Broken,
}

fn answer(answer: Answer) -> Response {
    let status = match answer {
        Answer::Ok => StatusCode::OK,
        Answer::Gone | Answer::Unknown => StatusCode::NOT_FOUND,
        Answer::Unsigned => StatusCode::UNAUTHORIZED,
        Answer::Encoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Answer::Slow => StatusCode::REQUEST_TIMEOUT,
        Answer::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Answer::Broken => StatusCode::BAD_REQUEST,
        Answer::Later => return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, AGAIN)]).into_response(),
    };
    status.into_response()
}

async fn take(app: &App, provider: Option<&str>, token: &str, request: Request) -> Answer {
    if app.disk.is_low() {
        return Answer::Later;
    }
    let route = match app.hook_routes.find(app, token).await {
        Ok(Some(route)) if provider.is_none_or(|name| name == route.provider.kind()) => route,
        Ok(_) => return Answer::Unknown,
        Err(_) => return Answer::Later,
    };
    if route.to == To::Deleted && route.app.is_none() {
        return if route.provider.hears_404() { Answer::Gone } else { Answer::Ok };
    }
    let hook = match read(app, request).await {
        Ok(hook) => hook,
        Err(answer) => return answer,
    };
    if let Err(refused) = route.provider.verify(&route.secrets, &hook) {
        metrics::counter!("indaba_hooks_refused_total", "provider" => route.provider.kind()).increment(1);
        tracing::debug!(provider = route.provider.kind(), "a hook was refused: {refused}");
        return Answer::Unsigned;
    }
    for part in route.provider.split(&hook) {
        let stored = match whose::place(app, &route, &part.to).await {
            Ok(Place::Number(tenant, instance)) => keep(app, &route, &[(tenant, instance)], part).await,
            Ok(Place::Numbers(all)) => keep(app, &route, &all, part).await,
            Ok(Place::Dropped) => Ok(()),
            Ok(Place::Nobody(gateway, reason)) => {
                let name = match part.to {
                    Addressee::Instance(name) | Addressee::Account(name) => Some(name),
                    Addressee::Caller => None,
                };
                let (dedupe_key, body) = (part.dedupe_key.into_bytes(), part.body);
                let stray = Stray { gateway, provider: route.provider.kind(), name, dedupe_key, body, reason };
                app.db.system("take in hooks", move |tx| store::hooks::keep_stray(tx, &stray)).await
            }
            Err(e) => Err(e),
        };
        match stored {
            Ok(()) => {}
            Err(Error::TooMany(_)) => return Answer::Later,
            Err(e) => {
                tracing::warn!("a hook was not stored: {e}");
                return Answer::Later;
            }
        }
    }
    Answer::Ok
}

/// A row for each number that a part is about. Errors: 429 when one is over its budget.
async fn keep(app: &App, route: &HookRoute, numbers: &[(TenantId, InstanceId)], part: Part) -> Result<()> {
    let dedupe_key = hex::decode(&part.dedupe_key).unwrap_or_else(|_| part.dedupe_key.into_bytes());
    for &(tenant, instance) in numbers {
        if app.intake.budget.check_key(&instance).is_err() {
            metrics::counter!("indaba_hooks_over_budget_total").increment(1);
            return Err(Error::TooMany(SLOW));
        }
        let (provider, dedupe_key, body) = (route.provider.kind(), dedupe_key.clone(), part.body.clone());
        let hook = Arrived { tenant, instance, provider, dedupe_key, body, request: request::current() };
        app.intake.gather.one(hook).await?;
    }
    Ok(())
}

/// The whole of a hook, within the limits.
async fn read(app: &App, request: Request) -> Result<Hook, Answer> {
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|how| how.as_bytes() != b"identity") {
        return Err(Answer::Encoded); // no gateway does that; what a small body unpacks to nobody knows
    }
    let query = query(request.uri().query());
    let (parts, rest) = request.into_parts();
    let body = body(Request::new(rest), app.config.limits.hook_bytes).await.map_err(|status| match status {
        StatusCode::REQUEST_TIMEOUT => Answer::Slow,
        StatusCode::PAYLOAD_TOO_LARGE => Answer::TooLarge,
        _ => Answer::Broken,
    })?;
    Ok(Hook { headers: parts.headers, query, body })
}

/// A body of at most `most` bytes that does not take all day. Errors: 408, 413, or 400 when it breaks off.
pub async fn body(request: Request, most: usize) -> Result<Bytes, StatusCode> {
    match tokio::time::timeout(SLOW, extract::body(request, most)).await {
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
        Ok(Err(Error::TooLarge(_))) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Ok(Ok(body)) => Ok(body),
    }
}

fn query(text: Option<&str>) -> Vec<(String, String)> {
    let pairs = text.map(|text| url::form_urlencoded::parse(text.as_bytes()).into_owned());
    pairs.into_iter().flatten().collect()
}

/// A provider asks whether the URL of the operator's first gateway is ours.
#[utoipa::path(get, path = "/api/webhooks/whatsapp", tag = "webhooks", security(()),
    responses((status = 200, description = "Its challenge"), (status = 403, description = "Another verify token")))]
async fn greet_default(State(app): State<App>, request: Request) -> Response {
    handshake(&app, None, instances::routes::DEFAULT, request).await
}

/// A provider asks whether the URL of a number or gateway is ours.
#[utoipa::path(get, path = "/api/webhooks/{provider}/{hookToken}", tag = "webhooks", security(()),
    params(("provider" = String, Path), ("hookToken" = String, Path)),
    responses((status = 200, description = "Its challenge"), (status = 403, description = "Another verify token"),
              (status = 404, description = "Nobody has this token")))]
async fn greet(State(app): State<App>, Path((provider, token)): Path<(String, String)>, request: Request) -> Response {
    handshake(&app, Some(&provider), &token, request).await
}

/// A gateway asks whether the URL is ours.
async fn handshake(app: &App, provider: Option<&str>, token: &str, request: Request) -> Response {
    let asked = Hook { headers: request.headers().clone(), query: query(request.uri().query()), body: Bytes::new() };
    let route = match app.hook_routes.find(app, token).await {
        Ok(Some(route)) if provider.is_none_or(|name| name == route.provider.kind()) => route,
        Ok(_) => return StatusCode::NOT_FOUND.into_response(),
        Err(_) => return answer(Answer::Later),
    };
    match route.provider.handshake(&route.secrets, &asked) {
        Handshake::Answer(text) => ([(header::CONTENT_TYPE, "text/plain")], text).into_response(),
        Handshake::Refused => StatusCode::FORBIDDEN.into_response(),
        Handshake::None => StatusCode::NOT_FOUND.into_response(),
    }
}
