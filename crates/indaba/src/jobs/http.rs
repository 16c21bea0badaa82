//! `/api/jobs`: the monitor. What waits, what runs, what was set aside; try again, cancel.
use super::{
    JobId, JobState, Priority,
    store::{self, Job},
};
use crate::{
    Error, Result,
    app::App,
    clock::Time,
    db::TenantTx,
    http::{Admin, After, Json, Page, Path, Problem, Query, Who},
};
use axum::{Extension, extract::State};
use serde::{Deserialize, Serialize};
use utoipa_axum::{router::OpenApiRouter, routes};

/// Writes an action on a job into the audit log, in its transaction.
pub type Note = fn(&mut TenantTx, &Who, &'static str, &JobView, &JobView) -> Result<()>;

/// These routes. The audit log is a room, which the floor does not know: so it is handed in.
pub fn routes(note: Note) -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(summary))
        .routes(routes!(retry))
        .routes(routes!(cancel))
        .layer(Extension(note))
}

/// A piece of work.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Job)]
pub struct JobView {
    id: JobId,
    /// `noun.verb`
    kind: String,
    state: JobState,
    /// Jobs of one lane run one at a time, in order.
    lane: Option<String>,
    /// `person`, `assistant`, `follower` or `campaign`: who waits for it.
    priority: &'static str,
    /// How often it was tried.
    attempt: i64,
    max_attempts: i64,
    /// Not before.
    run_at: Time,
    last_error: Option<String>,
    created_at: Time,
    started_at: Option<Time>,
    finished_at: Option<Time>,
}

impl From<Job> for JobView {
    fn from(of: Job) -> JobView {
        let priority = match Priority::ALL.get(usize::try_from(of.priority).unwrap_or(usize::MAX)) {
            Some(Priority::Person) => "person",
            Some(Priority::Assistant) => "assistant",
            Some(Priority::Follower) | None => "follower",
            Some(Priority::Campaign) => "campaign",
        };
        JobView {
            id: of.id,
            kind: of.kind,
            state: of.state.parse().unwrap_or(JobState::Ready), // `later` and `behind` are ready, but not yet
            lane: of.lane,
            priority,
            attempt: of.attempt,
            max_attempts: of.max_attempts,
            run_at: of.run_at,
            last_error: of.last_error,
            created_at: of.created_at,
            started_at: of.started_at,
            finished_at: of.finished_at,
        }
    }
}

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those in this state.
    state: Option<JobState>,
    /// Only those of this kind.
    kind: Option<String>,
}

/// The jobs of the workspace, the latest first. A page may be short and still have a next one: no page looks through more than 20,000.
#[utoipa::path(get, path = "/api/jobs", tag = "jobs", params(Which, After),
    responses((status = 200, body = Page<JobView>)))]
async fn list(
    State(app): State<App>,
    who: Admin,
    Query(which): Query<Which>,
    after: After,
) -> Result<Json<Page<JobView>>> {
    let before = after.key()?.unwrap_or(JobId::MAX);
    let rows = after.rows();
    let (state, kind) = (which.state, which.kind);
    let found = app.db.read(who.tenant, move |tx| store::list(tx, state, kind.as_deref(), before, rows)).await?;
    Ok(Json(Page::of(found.jobs, &after, |job| job.id).going_on(found.from).map(JobView::from)))
}

#[derive(Serialize, utoipa::ToSchema)]
struct Summary {
    kinds: Vec<KindSummary>,
    /// False: there are more than 20,000 jobs, and only the latest of them were counted.
    complete: bool,
}

/// How many jobs of a kind there are.
#[derive(Serialize, utoipa::ToSchema)]
struct KindSummary {
    kind: String,
    ready: i64,
    running: i64,
    dead: i64,
}

/// How many jobs wait, run and were set aside, of each kind.
#[utoipa::path(get, path = "/api/jobs/summary", tag = "jobs", responses((status = 200, body = Summary)))]
async fn summary(State(app): State<App>, who: Admin) -> Result<Json<Summary>> {
    let (counts, complete) = app.db.read(who.tenant, store::summary).await?;
    let kinds = counts.into_iter().map(|(kind, ready, running, dead)| KindSummary { kind, ready, running, dead });
    Ok(Json(Summary { kinds: kinds.collect(), complete }))
}

/// Tries a job again now: one that was set aside or cancelled begins anew, one that waits for its next attempt need not wait.
#[utoipa::path(post, path = "/api/jobs/{id}/retry", tag = "jobs", params(("id" = JobId, Path)),
    responses((status = 200, body = JobView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn retry(
    State(app): State<App>,
    who: Admin,
    Extension(note): Extension<Note>,
    Path(id): Path<JobId>,
) -> Result<Json<JobView>> {
    act(&app, who, "job.retry", id, note, store::retry).await
}

/// Cancels a job that has not begun or waits for its next attempt, or puts away one that was set aside.
#[utoipa::path(post, path = "/api/jobs/{id}/cancel", tag = "jobs", params(("id" = JobId, Path)),
    responses((status = 200, body = JobView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn cancel(
    State(app): State<App>,
    who: Admin,
    Extension(note): Extension<Note>,
    Path(id): Path<JobId>,
) -> Result<Json<JobView>> {
    act(&app, who, "job.cancel", id, note, store::cancel).await
}

async fn act(
    app: &App,
    who: Admin,
    action: &'static str,
    id: JobId,
    note: Note,
    change: fn(&mut TenantTx, JobId) -> Result<bool>,
) -> Result<Json<JobView>> {
    let after = app.db.write(who.tenant, move |tx| {
        let before: JobView = store::get(tx, id)?.into();
        if !change(tx, id)? {
            let now: JobView = store::get(tx, id)?.into();
            let detail = match now.state {
                JobState::Running => "It is running: wait until this attempt has ended.",
                JobState::Done => "It is done.",
                JobState::Cancelled => "It is cancelled already.",
                JobState::Ready | JobState::Dead => "It is about to run anyway.",
            };
            return Err(Error::conflict("job-state", "The job is not in a state for that", detail));
        }
        let after: JobView = store::get(tx, id)?.into();
        note(tx, &who, action, &before, &after)?;
        Ok(after)
    });
    Ok(Json(after.await?))
}
