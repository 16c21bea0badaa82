//! A hook route with nothing around it: axum, the signature, callers gathered four batches at a time, two statements for each batch. The
//! first version of this layer was measured so; what the server makes of the same callers stands beside it.
use crate::{
    calls::Hooks,
    process::{self, Listening},
};
use anyhow::{Context, Result};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use hmac::{Hmac, KeyInit, Mac};
use indaba::{
    clock::Time,
    db::{Arg, Batch, Db, Gather, Settings},
    id::TenantId,
};
use sha2::{Digest, Sha256, Sha512};
use std::{collections::HashSet, sync::Arc};
use tokio::net::TcpListener;

/// Hooks and jobs with no more columns than they need.
const TABLES: &[(&str, &str)] = &[(
    "9002_bare_hooks.sql",
    "create table bare_hooks (
       tenant_id uuid not null, id uuid not null, dedupe_key text collate \"C\" not null, body bytea not null, received_at bigint not null,
       primary key (tenant_id, id), unique (tenant_id, dedupe_key)
     );
     create table bare_jobs (
       tenant_id uuid not null, id uuid not null, kind text collate \"C\" not null, payload text not null,
       state text not null default 'ready', run_at bigint not null, primary key (tenant_id, id)
     );
     create index bare_jobs_ready on bare_jobs (run_at) where state = 'ready';",
)];

const SECRET: &str = "a secret of at least thirty-two characters";

type One = (String, Bytes);

#[derive(Clone)]
struct Route {
    key: Hmac<Sha512>,
    gather: Arc<Gather<One, ()>>,
}

/// Serves it on a free port until the standard input ends, with its tables in the PostgreSQL database of this URL.
pub async fn serve(url: String) -> Result<()> {
    let settings = Settings { url: Some(url), extra: TABLES, ..Settings::in_dir(std::env::temp_dir()) };
    let db = tokio::task::spawn_blocking(move || Db::open(&settings)).await??;
    let (tenant, of) = (TenantId::at(Time(1)), db.clone());
    let gather = Gather::new(move |batch: Arc<Batch<One, ()>>| {
        let db = of.clone();
        async move {
            db.write(tenant, move |tx| {
                store(tx, batch.items())?;
                Ok(vec![(); batch.items().len()])
            })
            .await
        }
    });
    let key = <Hmac<Sha512> as KeyInit>::new_from_slice(SECRET.as_bytes()).context("HMAC takes keys of any length")?;
    let routes = Router::new().route("/hooks", post(take)).with_state(Route { key, gather });
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    process::listening(listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    tokio::task::spawn_blocking(|| std::io::stdin().lines().map_while(Result::ok).for_each(drop)).await?;
    Ok(tokio::task::spawn_blocking(move || db.close()).await?)
}

async fn take(State(route): State<Route>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut mac = route.key.clone();
    mac.update(&body);
    let signed = headers.get("x-webhook-hmac").and_then(|told| hex::decode(told.as_bytes()).ok());
    if signed.is_none_or(|signed| mac.verify_slice(&signed).is_err()) {
        return StatusCode::UNAUTHORIZED;
    }
    match route.gather.one((hex::encode(Sha256::digest(&body)), body)).await {
        Ok(()) => StatusCode::OK,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn store(tx: &mut indaba::db::TenantTx, hooks: &[One]) -> indaba::Result<()> {
    let now = tx.now();
    let ids: Vec<TenantId> = hooks.iter().map(|_| TenantId::at(now)).collect();
    let new: Vec<(TenantId,)> = tx.insert(
        "insert into bare_hooks (tenant_id, id, dedupe_key, body, received_at) values ($1, $2, $3, $4, $5)
         on conflict (tenant_id, dedupe_key) do nothing returning id",
        ids.iter().zip(hooks).map(|(id, (key, body))| [id.arg(), key.arg(), body[..].arg(), now.arg()]),
    )?;
    let new: HashSet<TenantId> = new.into_iter().map(|(id,)| id).collect();
    tx.insert_only(
        "insert into bare_jobs (tenant_id, id, kind, payload, run_at) values ($1, $2, 'hook.process', $3, $4)",
        ids.iter().filter(|id| new.contains(id)).map(|id| [id.arg(), "{}".arg(), now.arg()]),
    )?;
    Ok(())
}

/// Starts it, with its tables in the PostgreSQL database of this URL.
pub fn start(url: &str) -> Result<Listening> {
    Listening::start(&["route", url])
}

/// The hooks that it takes.
pub fn hooks(at_s: i64) -> Hooks {
    Hooks { secret: SECRET.into(), session: "ten_1-ins_2".into(), people: 1_000, first: 1, at_s }
}
