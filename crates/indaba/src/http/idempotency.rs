//! `Idempotency-Key`: a change that is asked for twice under one key is made once, and answered twice.
//!
//! The row is written before the work begins; [`effect`], which `audit::record` calls in the transaction that makes the change,
//! marks that it was made. So a request that was cut off can be run again if nothing had happened yet, and is refused if it had.
//! Answers that changed nothing are not kept: the same key may then try again. Kept answers are sealed (an API key is shown in one).
use super::{
    extract::body,
    who::{Asked, Who},
};
use crate::{
    Error, Result,
    app::App,
    clock::Time,
    db::{TenantRead, TenantTx},
    secrets::Place,
};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};

/// The request's header.
pub const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says on an answer that it is the one of an earlier request.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// How long a key is remembered.
pub const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// One use of a key: what its row is found by.
#[derive(Debug)]
pub(crate) struct Once {
    principal: Vec<u8>,
    route: String,
    key: String,
    started_at: Time,
}

row! {
    /// What is known of an earlier request.
    pub struct Earlier {
        pub body_hash: Vec<u8>,
        pub started_at: Time,
        pub done_at: Option<Time>,
        pub status: Option<i64>,
        pub answer: Option<Vec<u8>>,
    }
}

/// The middleware: looks only at changes by someone known that carry a key.
pub(super) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let who = request.extensions().get::<Asked>().and_then(|asked| asked.0.clone()?.ok());
    // uploads are kept by their content: twice the same is one
    let upload =
        request.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"multipart/"));
    let value = request.headers().get(KEY).cloned().filter(|_| !upload && !request.method().is_safe());
    let (Some(who), Some(value)) = (who, value) else { return next.run(request).await };
    match once(&app, who, value, request, next).await {
        Ok(answer) => answer,
        Err(e) => e.into_response(),
    }
}

async fn once(app: &App, who: Who, value: HeaderValue, request: Request, next: Next) -> Result<Response> {
    let key = value.to_str().ok().map(|text| text.trim_matches('"').to_owned());
    let key = key.filter(|key| (1..=255).contains(&key.len()));
    let key = key.ok_or_else(|| Error::Malformed("Idempotency-Key has 1 to 255 visible characters.".into()))?;
    let (mut parts, rest) = request.into_parts();
    let whole = body(Request::new(rest), app.config.limits.body_bytes).await?;
    let hash = Sha256::digest(&whole).to_vec();
    let once = Arc::new(Once {
        principal: who.actor.id().unwrap_or_default().to_vec(),
        route: format!("{} {}", parts.method, parts.uri.path()),
        key,
        started_at: app.clock.now(),
    });

    let (mine, asked) = (once.clone(), hash.clone());
    let wait = Duration::from_secs(app.config.limits.request_s) * 2;
    if let Some(earlier) = app.db.write(who.tenant, move |tx| begin(tx, &mine, &asked, wait)).await? {
        return replay(app, &who, &once, &hash, earlier, wait);
    }
    let tenant = who.tenant;
    parts.extensions.insert(Asked(Some(Ok(Who { once: Some(once.clone()), ..who.clone() }))));
    let answer = next.run(Request::from_parts(parts, Body::from(whole))).await;
    if !answer.status().is_success() {
        app.db.write(tenant, move |tx| forget(tx, &once)).await?;
        return Ok(answer);
    }
    let (parts, whole) = answer.into_parts();
    let whole = to_bytes(whole, usize::MAX).await.map_err(|e| Error::Internal(format!("an answer broke off: {e}")))?;
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kept = [kind.as_bytes(), b"\n", &whole].concat();
    let (sealed, status) = (app.secrets.seal(place(&who, &once), &kept), i64::from(parts.status.as_u16()));
    app.db.write(tenant, move |tx| keep(tx, &once, status, &sealed)).await?;
    Ok(Response::from_parts(parts, Body::from(whole)))
}

fn place<'a>(who: &Who, once: &'a Once) -> Place<'a> {
    Place { tenant: Some(who.tenant), table: "idempotency_keys", row: once.key.as_bytes(), column: "answer" }
}

fn replay(app: &App, who: &Who, once: &Once, hash: &[u8], earlier: Earlier, wait: Duration) -> Result<Response> {
    if earlier.body_hash != hash {
        return Err(Error::field("Idempotency-Key", "was used with another body; a new request needs a new key"));
    }
    match (earlier.status, earlier.answer) {
        (Some(status), Some(sealed)) => {
            let kept = app.secrets.open(place(who, once), &sealed)?;
            let end = kept.iter().position(|&byte| byte == b'\n').unwrap_or(0);
            let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
            let mut answer =
                (status.unwrap_or(StatusCode::OK), kept[(end + 1).min(kept.len())..].to_vec()).into_response();
            answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
            answer.headers_mut().remove(header::CONTENT_TYPE);
            if let Ok(kind) = HeaderValue::from_bytes(&kept[..end])
                && !kind.is_empty()
            {
                answer.headers_mut().insert(header::CONTENT_TYPE, kind);
            }
            Ok(answer)
        }
        (status, None)
            if status.is_some() || (earlier.done_at.is_some() && app.clock.now().since(earlier.started_at) > wait) =>
        {
            Err(Error::conflict(
                "already-done",
                "This was done already",
                "The first request was carried out, but its answer was lost. Look up the result instead of asking again.",
            ))
        }
        _ => Err(Error::conflict(
            "in-flight",
            "A request with this key is being answered",
            "Wait for its answer, or ask again in a moment.",
        )),
    }
}

/// Claims the key. `None`: it is ours now. A request that was cut off before it changed anything gives its key up after `wait`.
fn begin(tx: &mut TenantTx, once: &Once, hash: &[u8], wait: Duration) -> Result<Option<Earlier>> {
    let (now, principal) = (once.started_at, &once.principal);
    let claimed = tx.run(
        "insert into idempotency_keys (tenant_id, principal, route, key, body_hash, started_at)
         values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        args![principal, once.route, once.key, hash, now],
    )?;
    if claimed == 1 {
        return Ok(None);
    }
    let taken = tx.run(
        "update idempotency_keys set started_at = $6, done_at = null, status = null, answer = null, body_hash = $5
          where tenant_id = $1 and principal = $2 and route = $3 and key = $4
            and (started_at < $7 or (done_at is null and status is null and body_hash = $5 and started_at < $8))",
        args![principal, once.route, once.key, hash, now, now - KEPT, now - wait],
    )?;
    if taken == 1 {
        return Ok(None);
    }
    earlier(tx, once).map(Some)
}

fn earlier(tx: &mut TenantRead, once: &Once) -> Result<Earlier> {
    tx.get(
        "select body_hash, started_at, done_at, status, answer from idempotency_keys
          where tenant_id = $1 and principal = $2 and route = $3 and key = $4",
        args![once.principal, once.route, once.key],
    )
}

/// Marks, in the transaction that makes the change, that it was made. Errors: 409 when another request has taken the key over.
pub fn effect(tx: &mut TenantTx, who: &Who) -> Result<()> {
    let Some(once) = &who.once else { return Ok(()) };
    let now = tx.now();
    let marked = tx.run(
        "update idempotency_keys set done_at = $6
          where tenant_id = $1 and principal = $2 and route = $3 and key = $4 and started_at = $5",
        args![once.principal, once.route, once.key, once.started_at, now],
    )?;
    match marked {
        1 => Ok(()),
        _ => Err(Error::conflict(
            "in-flight",
            "This took too long",
            "The same request was sent again and is being answered.",
        )),
    }
}

fn keep(tx: &mut TenantTx, once: &Once, status: i64, answer: &[u8]) -> Result<()> {
    tx.run(
        "update idempotency_keys set status = $6, answer = $7
          where tenant_id = $1 and principal = $2 and route = $3 and key = $4 and started_at = $5",
        args![once.principal, once.route, once.key, once.started_at, status, answer],
    )
    .map(drop)
}

/// The key may be used again, unless something was changed under it: then only that is known from now on.
fn forget(tx: &mut TenantTx, once: &Once) -> Result<()> {
    tx.run(
        "delete from idempotency_keys
          where tenant_id = $1 and principal = $2 and route = $3 and key = $4 and started_at = $5 and done_at is null",
        args![once.principal, once.route, once.key, once.started_at],
    )?;
    tx.run(
        "update idempotency_keys set status = 0
          where tenant_id = $1 and principal = $2 and route = $3 and key = $4 and started_at = $5",
        args![once.principal, once.route, once.key, once.started_at],
    )
    .map(drop)
}

/// Forgets keys that are older than a day, at most 500 at a time; how many there were. For the housekeeping job.
pub fn sweep(tx: &mut crate::db::SystemTx) -> Result<u64> {
    let before = tx.now() - KEPT;
    tx.run(
        "delete from idempotency_keys where (tenant_id, principal, route, key) in
           (select tenant_id, principal, route, key from idempotency_keys where started_at < $1 limit 500)",
        args![before],
    )
}
