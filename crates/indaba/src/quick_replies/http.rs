//! `/api/quick-replies`: everybody's, and one's own.
use super::{Change, Mine, New, QuickReplyId, Scope, View, change, create, get, page, remove, view};
use crate::{
    Result,
    app::App,
    audit,
    http::{After, Agent, Json, Page, Path, Problem, Viewer},
};
use axum::{extract::State, http::StatusCode};
use serde_json::{Value, json};
use utoipa_axum::{router::OpenApiRouter, routes};

/// This room's routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, make)).routes(routes!(edit, delete))
}

/// Everybody's quick replies and one's own, by shortcut.
#[utoipa::path(get, path = "/api/quick-replies", tag = "quick replies", params(After),
    responses((status = 200, body = Page<View>)))]
async fn list(State(app): State<App>, who: Viewer, after: After) -> Result<Json<Page<View>>> {
    let (last, of, rows) = (after.key::<(String, QuickReplyId)>()?, Mine::of(&who), after.rows());
    let found = app.db.read(who.tenant, move |tx| {
        let last = last.as_ref().map_or(("", QuickReplyId::NIL), |(shortcut, id)| (shortcut, *id));
        page(tx, of, last, rows)
    });
    Ok(Json(Page::of(found.await?, &after, |reply| (reply.shortcut.clone(), reply.id))))
}

/// Makes a quick reply.
#[utoipa::path(post, path = "/api/quick-replies", tag = "quick replies", request_body = New,
    responses((status = 201, body = View), (status = 403, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn make(State(app): State<App>, who: Agent, Json(new): Json<New>) -> Result<(StatusCode, Json<View>)> {
    let made = app.db.write(who.tenant, move |tx| {
        let made = create(tx, &who, &new)?;
        let made = view(tx, &made)?;
        audit::record(tx, &who, "quick-reply.create", &(), &kept(&made))?;
        Ok(made)
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// Changes a quick reply.
#[utoipa::path(patch, path = "/api/quick-replies/{id}", tag = "quick replies", params(("id" = QuickReplyId, Path)), request_body = Change,
    responses((status = 200, body = View), (status = 403, body = Problem), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    who: Agent,
    Path(id): Path<QuickReplyId>,
    Json(asked): Json<Change>,
) -> Result<Json<View>> {
    let changed = app.db.write(who.tenant, move |tx| {
        let before = get(tx, Mine::of(&who), id)?;
        let after = change(tx, &who, &before, &asked)?;
        let (before, after) = (view(tx, &before)?, view(tx, &after)?);
        audit::record(tx, &who, "quick-reply.change", &kept(&before), &kept(&after))?;
        Ok(after)
    });
    changed.await.map(Json)
}

/// Deletes a quick reply. Messages that were made from it stay as they are.
#[utoipa::path(delete, path = "/api/quick-replies/{id}", tag = "quick replies", params(("id" = QuickReplyId, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn delete(State(app): State<App>, who: Agent, Path(id): Path<QuickReplyId>) -> Result<StatusCode> {
    let deleted = app.db.write(who.tenant, move |tx| {
        let before = get(tx, Mine::of(&who), id)?;
        let shown = view(tx, &before)?;
        remove(tx, &who, &before)?;
        audit::record(tx, &who, "quick-reply.delete", &kept(&shown), &())
    });
    deleted.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the audit log keeps: everybody's whole, of one's own not what it says.
fn kept(reply: &View) -> Value {
    match reply.scope {
        Scope::All => json!(reply),
        Scope::Me => json!({ "id": reply.id, "scope": reply.scope, "shortcut": reply.shortcut }),
    }
}
