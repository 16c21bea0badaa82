//! `/api/health` for people, probes and load balancers; `/metrics` for Prometheus.
use crate::{
    Error, Result,
    app::App,
    http::{Anyone, Json},
};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use secrecy::ExposeSecret;
use serde::Serialize;
use std::{sync::OnceLock, time::Duration};
use subtle::ConstantTimeEq;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The health routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(health)).routes(routes!(live)).routes(routes!(ready))
}

/// How the server is.
#[derive(Serialize, utoipa::ToSchema)]
struct Health {
    /// `ok`, `degraded` or `stopping`.
    status: &'static str,
    version: &'static str,
    /// What was looked at; for the operator, or with the metrics token.
    #[serde(skip_serializing_if = "Option::is_none")]
    checks: Option<Vec<HealthCheck>>,
}

#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct HealthCheck {
    name: &'static str,
    ok: bool,
    /// What is the matter, or a figure.
    #[serde(skip_serializing_if = "String::is_empty")]
    detail: String,
    took_ms: f64,
}

/// How the server is: 200, or 503 when it should get no requests.
#[utoipa::path(get, path = "/api/health", tag = "health", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health)))]
async fn health(State(app): State<App>, Anyone(who): Anyone, headers: HeaderMap) -> Response {
    let (ok, checks) = look(&app).await;
    let told = who.is_some_and(|who| who.operator) || has_token(&app, &headers);
    answer(&app, ok, told.then_some(checks))
}

/// Whether the process runs at all. Looks at nothing: a slow disk is no reason to be killed.
#[utoipa::path(get, path = "/api/health/live", tag = "health", security(()), responses((status = 200, body = Health)))]
async fn live() -> Json<Health> {
    Json(Health { status: "ok", version: env!("CARGO_PKG_VERSION"), checks: None })
}

/// Whether it can do its work: the database answers and the server is not stopping.
#[utoipa::path(get, path = "/api/health/ready", tag = "health", security(()),
    responses((status = 200, body = Health), (status = 503, body = Health)))]
async fn ready(State(app): State<App>) -> Response {
    let (ok, _) = look(&app).await;
    answer(&app, ok, None)
}

fn answer(app: &App, ok: bool, checks: Option<Vec<HealthCheck>>) -> Response {
    let stopping = app.stop.is_cancelled();
    let status = if stopping {
        "stopping"
    } else if ok {
        "ok"
    } else {
        "degraded"
    };
    let code = if ok && !stopping { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(Health { status, version: env!("CARGO_PKG_VERSION"), checks })).into_response()
}

async fn look(app: &App) -> (bool, Vec<HealthCheck>) {
    let start = std::time::Instant::now();
    let asked = app.db.system_read("health", |tx| tx.get::<(i64,)>("select count(*) from secret_keys", args![]));
    let (ok, detail) = match tokio::time::timeout(Duration::from_secs(3), asked).await {
        Ok(Ok(_)) => (true, String::new()),
        Ok(Err(e)) => (false, e.to_string()),
        Err(_) => (false, "no answer in 3 s".into()),
    };
    let took_ms = start.elapsed().as_secs_f64() * 1000.0;
    let mut checks = vec![HealthCheck { name: "database", ok, detail, took_ms }];
    let free = format!("{:.0} % free", app.disk.free() * 100.0);
    checks.push(HealthCheck { name: "disk", ok: !app.disk.is_low(), detail: free, took_ms: 0.0 });
    (checks.iter().all(|check| check.ok), checks)
}

fn has_token(app: &App, headers: &HeaderMap) -> bool {
    let told = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match (&app.config.metrics_token, told) {
        (Some(token), Some(told)) => token.expose_secret().as_bytes().ct_eq(told.as_bytes()).into(),
        _ => false,
    }
}

/// The recorder of this process: one, however many servers run in it (tests).
pub fn recorder() -> &'static PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE.get_or_init(|| {
        let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".into()), &seconds)
            .expect("the list of buckets is not empty");
        let recorder = builder.build_recorder();
        let handle = recorder.handle();
        let _ = metrics::set_global_recorder(recorder); // fails only if another was there first
        handle
    })
}

/// `GET /metrics` on the main listener: only with the token.
pub async fn metrics(State(app): State<App>, headers: HeaderMap) -> Result<Response> {
    match (&app.config.metrics_token, has_token(&app, &headers)) {
        (None, _) => Err(Error::Missing),
        (Some(_), false) => Err(Error::Unauthorized),
        (Some(_), true) => Ok(metrics_text().await.into_response()),
    }
}

/// The figures, as Prometheus reads them.
pub async fn metrics_text() -> impl IntoResponse {
    let handle = recorder();
    handle.run_upkeep();
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], handle.render())
}
