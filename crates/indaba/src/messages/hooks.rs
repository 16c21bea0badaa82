//! The durable inbox: a hook is on disk before its gateway gets the 200, and only then is anybody's time spent on understanding it.
//!
//! Nothing is parsed on this way but what tells whom it is for. Many callers share one transaction, and those of one tenant share jobs.
use super::{
    HookId, inbound,
    whose::{self, Place},
};
use crate::{
    Error, Result,
    app::App,
    clock::Time,
    db::{Arg, Db, Dialect, Gather, SystemTx, TenantTx},
    http::extract,
    id::TenantId,
    instances::{
        self, InstanceId,
        routes::{HookRoute, To},
    },
    jobs::{self, BatchJob, Given, Job, JobCx, JobError, New},
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
use indaba_providers::{Addressee, Handshake, Hook, Incoming, Part};
use serde::{Deserialize, Serialize};
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    num::NonZeroU32,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

/// How long a gateway may take to send a body.
const SLOW: Duration = Duration::from_secs(10);
/// What a gateway is told when it should try again.
const AGAIN: &str = "10";
/// How long bodies are kept, and doubles recognised.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How many hooks share a job at most: few enough that one tenant's rush does not hold up the others for long.
const TOGETHER: usize = 32;
/// How many are understood in one transaction.
const STEP: usize = 128;

/// A hook that has proved where it comes from, on its way to disk.
#[derive(Clone)]
struct Stored {
    tenant: TenantId,
    instance: InstanceId,
    provider: &'static str,
    dedupe_key: Vec<u8>,
    body: Bytes,
    request: Option<Arc<str>>,
}

/// What the route needs besides the database.
pub struct Intake {
    gather: Arc<Gather<Stored, ()>>,
    budget: DefaultKeyedRateLimiter<InstanceId>,
}

impl Intake {
    /// For this database; `per_minute` hooks are taken of each number.
    pub fn new(db: &Db, per_minute: u32) -> Intake {
        let each = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MAX);
        let gathered = db.clone();
        let lanes = if db.dialect() == Dialect::Postgres { 4 } else { 1 }; // SQLite has one writer
        let gather = Gather::new(lanes, move |items: Vec<Stored>| {
            let db = gathered.clone();
            async move {
                let count = items.len();
                db.system("take in hooks", move |tx| store(tx, &items)).await?;
                Ok(vec![(); count])
            }
        });
        Intake { gather, budget: RateLimiter::keyed(Quota::per_minute(each)) }
    }
}

/// Writes hooks that are new, with the jobs that will understand them: those of one tenant that came together share a job.
fn store(tx: &mut SystemTx, hooks: &[Stored]) -> Result<()> {
    let now = tx.now();
    let ids: Vec<HookId> = hooks.iter().map(|_| HookId::at(now)).collect();
    let new: Vec<(HookId,)> = tx.insert(
        "insert into hooks (tenant_id, id, instance_id, provider, dedupe_key, body, received_at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant_id, instance_id, dedupe_key) do nothing
         returning id",
        hooks.iter().zip(&ids).map(|(hook, id)| {
            [
                hook.tenant.arg(),
                id.arg(),
                hook.instance.arg(),
                hook.provider.arg(),
                hook.dedupe_key.arg(),
                hook.body[..].arg(),
                now.arg(),
            ]
        }),
    )?;
    let new: HashSet<HookId> = new.into_iter().map(|(id,)| id).collect();
    let mut tenants: BTreeMap<TenantId, Vec<(HookId, &Stored)>> = BTreeMap::new();
    for (id, hook) in ids.into_iter().zip(hooks).filter(|(id, _)| new.contains(id)) {
        tenants.entry(hook.tenant).or_default().push((id, hook));
    }
    let together = tenants.iter().flat_map(|(tenant, hooks)| hooks.chunks(TOGETHER).map(move |some| (*tenant, some)));
    let made: Vec<(TenantId, New)> = together
        .map(|(tenant, some)| {
            let job =
                ProcessHook { hooks: some.iter().map(|(id, hook)| (*id, hook.request.clone())).collect(), hook: None };
            let request = if let [(_, only)] = some { only.request.clone() } else { None };
            (tenant, New::of_batch(&job).request(request))
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
        // Evolution stops calling when it hears that nobody is there; the others would only try again
        return if route.provider.kind() == "evolution" { Answer::Gone } else { Answer::Ok };
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
                let provider = route.provider.kind();
                let session =
                    if let Addressee::Instance(name) | Addressee::Account(name) = part.to { Some(name) } else { None };
                let (key, body) = (part.dedupe_key.into_bytes(), part.body);
                let stray = move |tx: &mut SystemTx| {
                    whose::stray(tx, gateway, provider, session.as_deref(), &key, &body, reason)
                };
                app.db.system("take in hooks", stray).await
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
        let hook = Stored { tenant, instance, provider, dedupe_key, body, request: request::current() };
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

/// Understands hooks: what they tell becomes rows.
///
/// Many are taken together. One that cannot be understood is set aside with its reason, and so is one that the rest of its tenant's
/// batch fails with: then they are taken one by one.
#[derive(Serialize, Deserialize)]
pub struct ProcessHook {
    /// Which, of one tenant, and the requests that brought them.
    #[serde(default)]
    pub hooks: Vec<(HookId, Option<Arc<str>>)>,
    /// One hook: so a job looked before they were shared.
    #[serde(default, skip_serializing)]
    pub hook: Option<HookId>,
}

row! {
    /// A hook as it was stored.
    pub struct Waiting {
        pub tenant_id: TenantId,
        pub id: HookId,
        pub instance_id: InstanceId,
        pub provider: String,
        pub body: Vec<u8>,
    }
}

/// A hook that was read, or the reason why not.
struct Understood {
    hook: HookId,
    instance: InstanceId,
    told: Result<Vec<Incoming>, String>,
}

impl BatchJob for ProcessHook {
    const KIND: &'static str = "hook.process";
    const ATTEMPTS: u32 = 12;

    async fn run(app: &App, jobs: &[Given<ProcessHook>]) -> Vec<Result<(), JobError>> {
        let mut wanted: Vec<(TenantId, HookId)> = Vec::new();
        let mut requests: HashMap<HookId, Arc<str>> = HashMap::new();
        for given in jobs {
            for (hook, request) in &given.job.hooks {
                wanted.push((given.cx.tenant, *hook));
                requests.extend(request.clone().map(|request| (*hook, request)));
            }
            wanted.extend(given.job.hook.map(|hook| (given.cx.tenant, hook)));
        }
        let mut failed: HashMap<HookId, JobError> = HashMap::new();
        for some in wanted.chunks(STEP) {
            failed.extend(step(app, some, &requests).await);
        }
        let outcome = |given: &Given<ProcessHook>| {
            let mut hooks = given.job.hooks.iter().map(|(hook, _)| hook).chain(&given.job.hook);
            hooks.find_map(|hook| failed.get(hook).cloned())
        };
        jobs.iter().map(|given| outcome(given).map_or(Ok(()), Err)).collect()
    }
}

/// Understands some hooks; those that must be tried again, with the reason.
async fn step(
    app: &App,
    wanted: &[(TenantId, HookId)],
    requests: &HashMap<HookId, Arc<str>>,
) -> Vec<(HookId, JobError)> {
    let keys = wanted.to_vec();
    let read = app.db.system_read("understand hooks", move |tx| {
        tx.all_for::<Waiting, 2>(
            "select tenant_id, id, instance_id, provider, body from hooks where tenant_id = $1 and id = $2 and processed_at is null",
            keys.iter().map(|(tenant, hook)| [tenant.arg(), hook.arg()]),
        )
    });
    let waiting = match read.await {
        Ok(waiting) => waiting,
        Err(e) => return wanted.iter().map(|(_, hook)| (*hook, JobError::from(e.clone()))).collect(),
    };
    let mut tenants: BTreeMap<TenantId, Vec<Understood>> = BTreeMap::new();
    for hook in waiting {
        tenants.entry(hook.tenant_id).or_default().push(understand(hook));
    }
    // all at once: on SQLite they share a commit
    let taken = tenants.into_iter().map(|(tenant, mut hooks)| async move {
        hooks.sort_by_key(|hook| hook.hook);
        take_in(app, tenant, hooks, requests).await
    });
    futures_util::future::join_all(taken).await.into_iter().flatten().collect()
}

fn understand(hook: Waiting) -> Understood {
    let told = match indaba_providers::find(&hook.provider) {
        None => Err(format!("this version does not speak {}", hook.provider)),
        Some(provider) => {
            let body = Hook::stored(hook.body);
            catch_unwind(AssertUnwindSafe(|| provider.read(&body)))
                .unwrap_or_else(|_| Err(indaba_providers::Unreadable::NotAsExpected("reading it panicked".into())))
                .map_err(|e| e.to_string())
        }
    };
    Understood { hook: hook.id, instance: hook.instance_id, told }
}

/// Takes in one tenant's hooks; those that must be tried again, with the reason.
async fn take_in(
    app: &App,
    tenant: TenantId,
    hooks: Vec<Understood>,
    requests: &HashMap<HookId, Arc<str>>,
) -> Vec<(HookId, JobError)> {
    let hooks = Arc::new(hooks);
    let all = hooks.clone();
    let Err(e) = app.db.write(tenant, move |tx| apply(tx, &all)).await else {
        passing(app, tenant, &hooks).await;
        return Vec::new();
    };
    let mut again = Vec::new();
    for at in 0..hooks.len() {
        if is_passing(&e) {
            again.push((hooks[at].hook, JobError::from(e.clone())));
            continue;
        }
        let one = hooks.clone();
        let alone = app.db.write(tenant, move |tx| apply(tx, &one[at..=at])).await;
        match alone {
            Ok(()) => {}
            Err(e) if is_passing(&e) => again.push((hooks[at].hook, JobError::from(e))),
            Err(e) => {
                let id = hooks[at].hook;
                let request = requests.get(&id).map(|id| &**id);
                tracing::warn!(hook.id = %id, tenant.id = %tenant, request.id = request, "a hook was set aside: {e}");
                let reason = e.to_string();
                if let Err(e) = app.db.write(tenant, move |tx| done(tx, &[(id, Some(reason.clone()))])).await {
                    again.push((id, JobError::from(e)));
                }
            }
        }
    }
    again
}

/// What a later try may not meet again.
fn is_passing(e: &Error) -> bool {
    matches!(e, Error::Busy | Error::Closed | Error::Unavailable(_))
}

fn apply(tx: &mut TenantTx, hooks: &[Understood]) -> Result<()> {
    let told: Vec<inbound::Told> = hooks
        .iter()
        .flat_map(|hook| hook.told.iter().flatten().map(|incoming| inbound::Told { instance: hook.instance, incoming }))
        .collect();
    inbound::receive(tx, &told)?;
    let now = tx.now();
    let mut numbers: Vec<InstanceId> = hooks.iter().map(|hook| hook.instance).collect();
    numbers.sort_unstable();
    numbers.dedup();
    for instance in numbers {
        instances::touch(tx, instance, Some(now), None, None)?;
    }
    let outcome: Vec<(HookId, Option<String>)> =
        hooks.iter().map(|hook| (hook.hook, hook.told.as_ref().err().cloned())).collect();
    done(tx, &outcome)
}

fn done(tx: &mut TenantTx, hooks: &[(HookId, Option<String>)]) -> Result<()> {
    let now = tx.now();
    tx.run_for(
        "update hooks set processed_at = $3, error = $4 where tenant_id = $1 and id = $2",
        hooks.iter().map(|(hook, error)| [hook.arg(), now.arg(), error.arg()]),
    )
    .map(drop)
}

/// What is shown in passing and not kept: who is typing.
async fn passing(app: &App, tenant: TenantId, hooks: &[Understood]) {
    for hook in hooks {
        for incoming in hook.told.iter().flatten() {
            let Incoming::Presence(presence) = incoming else { continue };
            super::http::show_typing(app, tenant, hook.instance, presence).await;
        }
    }
}

/// Forgets hooks that are a week old, and updates whose message never came. A job of the house.
#[derive(Serialize, Deserialize)]
pub struct ForgetHooks {}

impl Job for ForgetHooks {
    const KIND: &'static str = "hook.forget";

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let before = cx.app.clock.now() - KEPT;
        let tenants = cx
            .app
            .db
            .system_read("forget old hooks", |tx| tx.all::<(TenantId,)>("select id from tenants order by id", args![]));
        for (tenant,) in tenants.await? {
            while cx.app.db.write(tenant, move |tx| forget(tx, before)).await? >= 500 {}
            while cx.app.db.write(tenant, move |tx| super::store::forget_parked(tx, before)).await? >= 500 {}
        }
        let strays = move |tx: &mut SystemTx| tx.run("delete from stray_hooks where received_at < $1", args![before]);
        cx.app.db.system("forget old hooks", strays).await?;
        Ok(())
    }
}

/// An id says when it was made, so no other index is needed.
fn forget(tx: &mut TenantTx, before: Time) -> Result<u64> {
    let last = HookId({
        let mut id = [0; 16];
        id[..6].copy_from_slice(&before.0.max(0).to_be_bytes()[2..]);
        id
    });
    tx.run(
        "delete from hooks
          where tenant_id = $1 and id in (select id from hooks where tenant_id = $1 and id < $2 order by id limit 500)",
        args![last],
    )
}
