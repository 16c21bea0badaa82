//! `/api/audit`: the log, and the log as CSV.
use super::{AuditId, Entry, Filter, page};
use crate::{
    Error, Result,
    app::App,
    clock::Time,
    http::{
        Admin, After, Json, Page, Problem, Query, csv,
        who::{ApiKeyId, UserId},
    },
};
use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa_axum::{router::OpenApiRouter, routes};

/// This room's routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(export))
}

/// Who changed what, when, and how it was before.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
struct AuditEntry {
    id: AuditId,
    at: Time,
    actor: AuditActor,
    /// `conversation.pause`
    action: String,
    subject: AuditSubject,
    /// The fields that were changed, as they were.
    #[schema(value_type = Option<Object>)]
    before: Option<Box<RawValue>>,
    /// The same, as they became.
    #[schema(value_type = Option<Object>)]
    after: Option<Box<RawValue>>,
    request_id: Option<String>,
}

#[derive(Serialize, utoipa::ToSchema)]
struct AuditActor {
    /// `user`, `apiKey` or `system`.
    kind: String,
    id: Option<String>,
    /// As it was called then.
    name: String,
}

#[derive(Serialize, utoipa::ToSchema)]
struct AuditSubject {
    kind: String,
    id: Option<String>,
}

fn actor_id(entry: &Entry) -> Option<String> {
    let id = entry.actor_id?.0;
    match entry.actor_kind.as_str() {
        "user" => Some(UserId(id).to_string()),
        "apiKey" => Some(ApiKeyId(id).to_string()),
        _ => None,
    }
}

impl From<Entry> for AuditEntry {
    fn from(entry: Entry) -> AuditEntry {
        let id = actor_id(&entry);
        let raw = |text: Option<String>| text.and_then(|text| RawValue::from_string(text).ok());
        AuditEntry {
            id: entry.id,
            at: entry.created_at,
            actor: AuditActor { kind: entry.actor_kind, id, name: entry.actor_name },
            action: entry.action,
            subject: AuditSubject { kind: entry.subject_kind, id: entry.subject_id },
            before: raw(entry.before),
            after: raw(entry.after),
            request_id: entry.request_id,
        }
    }
}

/// Which entries are wanted.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The id of what was changed.
    subject: Option<String>,
    /// The id of the user or API key who did it.
    actor: Option<String>,
    /// What was done: `conversation.pause`.
    action: Option<String>,
}

impl Wanted {
    fn filter(self) -> Result<Filter> {
        let actor = self.actor.map(|text| {
            let user = text.parse::<UserId>().map(|id| id.0);
            user.or_else(|_| text.parse::<ApiKeyId>().map(|id| id.0))
                .map_err(|_| Error::field("actor", "the id of a user or an API key"))
        });
        Ok(Filter { subject: self.subject, actor: actor.transpose()?, action: self.action })
    }
}

/// The audit log, newest first.
#[utoipa::path(get, path = "/api/audit", tag = "audit", params(Wanted, After),
    responses((status = 200, body = Page<AuditEntry>), (status = 422, body = Problem)))]
async fn list(
    State(app): State<App>,
    who: Admin,
    Query(wanted): Query<Wanted>,
    after: After,
) -> Result<Json<Page<AuditEntry>>> {
    let filter = wanted.filter()?;
    let (before, rows) = (after.key::<AuditId>()?.unwrap_or(AuditId::MAX), after.rows());
    let entries = app.db.read(who.tenant, move |tx| page(tx, &filter, before, rows)).await?;
    Ok(Json(Page::of(entries, &after, |entry| entry.id).map(AuditEntry::from)))
}

/// The audit log as CSV, newest first: the same filters, all pages.
#[utoipa::path(get, path = "/api/audit/export", tag = "audit", params(Wanted),
    responses((status = 200, content_type = "text/csv", body = String)))]
async fn export(State(app): State<App>, who: Admin, Query(wanted): Query<Wanted>) -> Result<Response> {
    let (filter, tenant) = (wanted.filter()?, who.tenant);
    let head = csv::line([
        "at",
        "actor kind",
        "actor id",
        "actor",
        "action",
        "subject kind",
        "subject id",
        "before",
        "after",
        "request id",
    ]);
    let first = stream::once(async move { Ok::<_, Error>(head) });
    // page by page: no snapshot is held open, and what is added meanwhile is newer than where we read
    let pages = stream::try_unfold(Some(AuditId::MAX), move |before| {
        let (app, filter) = (app.clone(), filter.clone());
        async move {
            let Some(before) = before else { return Ok(None) };
            let entries = app.db.read(tenant, move |tx| page(tx, &filter, before, 500)).await?;
            let next = entries.last().map(|entry| entry.id).filter(|_| entries.len() == 500);
            Ok(Some((entries.iter().map(csv_line).collect::<String>(), next)))
        }
    });
    let body = Body::from_stream(futures_util::StreamExt::chain(first, pages));
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"audit.csv\""),
    ];
    Ok((headers, body).into_response())
}

fn csv_line(entry: &Entry) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    csv::line([
        entry.created_at.to_string().as_str(),
        &entry.actor_kind,
        &actor_id(entry).unwrap_or_default(),
        &entry.actor_name,
        &entry.action,
        &entry.subject_kind,
        &text(&entry.subject_id),
        &text(&entry.before),
        &text(&entry.after),
        &text(&entry.request_id),
    ])
}
