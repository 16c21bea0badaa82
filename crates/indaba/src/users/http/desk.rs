//! `/api/me/preferences`: whether one is at work, and what one is called for.
use super::me::person;
use crate::{
    Result,
    app::App,
    http::{Json, Problem, Viewer},
    users::desk::{self, Change, Preferences},
};
use axum::extract::State;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(show, change))
}

/// Whether one is at work, and what one is called for, in this workspace.
#[utoipa::path(get, path = "/api/me/preferences", tag = "me", responses((status = 200, body = Preferences)))]
async fn show(State(app): State<App>, who: Viewer) -> Result<Json<Preferences>> {
    let ((user, _), now) = (person(&who)?, app.clock.now());
    app.db.read(who.tenant, move |tx| desk::preferences(tx, user, now)).await.map(Json)
}

/// Changes it; everyone who watches sees whether one is at work. It is nobody's business but one's own: no audit entry.
#[utoipa::path(patch, path = "/api/me/preferences", tag = "me", request_body = Change,
    responses((status = 200, body = Preferences), (status = 422, body = Problem)))]
async fn change(State(app): State<App>, who: Viewer, Json(to): Json<Change>) -> Result<Json<Preferences>> {
    let (user, _) = person(&who)?;
    to.check()?;
    let changed = app.db.write(who.tenant, move |tx| desk::change(tx, user, &to)).await?;
    desk::tell(&app, who.tenant, user, changed.presence());
    Ok(Json(changed))
}
