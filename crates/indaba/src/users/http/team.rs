//! `/api/users` and `/api/invitations`: who is in the tenant, and who is asked in.
use crate::{
    Error, Result,
    app::App,
    audit,
    clock::Time,
    http::{Admin, After, Json, Page, Path, Problem, Role, Viewer, who::UserId},
    users::{
        self, InvitationId,
        desk::Presence,
        fold_email,
        store::{self, Invitation, Member},
        tokens,
    },
};
use axum::{extract::State, http::StatusCode};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use utoipa_axum::{router::OpenApiRouter, routes};

/// How long an invitation works.
const INVITED_FOR: Duration = Duration::from_secs(7 * 24 * 60 * 60);

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(change, remove))
        .routes(routes!(invitations, invite))
        .routes(routes!(take_back))
}

/// One of the team.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
struct UserView {
    id: UserId,
    name: String,
    email: String,
    role: Role,
    /// Since when they are in this workspace.
    created_at: Time,
    #[serde(flatten)]
    presence: Presence,
}

impl UserView {
    fn new(of: Member, now: Time) -> UserView {
        let presence = Presence::new(of.away, of.idle_minutes, of.active_at, now);
        UserView { id: of.id, name: of.name, email: of.email, role: of.role, created_at: of.created_at, presence }
    }
}

/// What the audit log keeps of them: not whether they were at their desk.
fn told(of: &Member) -> serde_json::Value {
    json!({ "id": of.id, "name": of.name, "email": of.email, "role": of.role, "createdAt": of.created_at })
}

/// The team.
#[utoipa::path(get, path = "/api/users", tag = "users", params(After), responses((status = 200, body = Page<UserView>)))]
async fn list(State(app): State<App>, who: Viewer, after: After) -> Result<Json<Page<UserView>>> {
    let (from, rows) = (after.key()?.unwrap_or(UserId::NIL), after.rows());
    let team = app.db.read(who.tenant, move |tx| store::team(tx, from, rows)).await?;
    let now = app.clock.now();
    Ok(Json(Page::of(team, &after, |member| member.id).map(|member| UserView::new(member, now))))
}

#[derive(Deserialize, utoipa::ToSchema)]
struct UserChange {
    role: Role,
}

/// Gives one of the team another role.
#[utoipa::path(patch, path = "/api/users/{id}", tag = "users", params(("id" = UserId, Path)), request_body = UserChange,
    responses((status = 200, body = UserView), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn change(
    State(app): State<App>,
    who: Admin,
    Path(id): Path<UserId>,
    Json(to): Json<UserChange>,
) -> Result<Json<UserView>> {
    let changed = app.db.write(who.tenant, move |tx| {
        let (before, after) = users::change_role(tx, id, to.role)?;
        audit::record(tx, &who, "user.role", &told(&before), &told(&after))?;
        Ok(UserView::new(after, tx.now()))
    });
    Ok(Json(changed.await?))
}

/// Takes somebody out of the team. What they wrote stays.
#[utoipa::path(delete, path = "/api/users/{id}", tag = "users", params(("id" = UserId, Path)),
    responses((status = 204), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn remove(State(app): State<App>, who: Admin, Path(id): Path<UserId>) -> Result<StatusCode> {
    app.db
        .write(who.tenant, move |tx| {
            let before = users::remove(tx, id)?;
            audit::record(tx, &who, "user.remove", &told(&before), &())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Somebody who was asked to join.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Invitation)]
struct InvitationView {
    id: InvitationId,
    email: String,
    role: Role,
    /// Where they join. Given once, when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    created_at: Time,
    expires_at: Time,
}

impl InvitationView {
    fn new(of: Invitation, url: Option<String>) -> InvitationView {
        let Invitation { id, email, role, created_at, expires_at } = of;
        InvitationView { id, email, role, url, created_at, expires_at }
    }
}

/// Who was asked to join and has not yet, the latest first.
#[utoipa::path(get, path = "/api/invitations", tag = "users", params(After),
    responses((status = 200, body = Page<InvitationView>)))]
async fn invitations(State(app): State<App>, who: Admin, after: After) -> Result<Json<Page<InvitationView>>> {
    let (before, rows) = (after.key()?.unwrap_or(InvitationId::MAX), after.rows());
    let all = app.db.read(who.tenant, move |tx| store::invitations(tx, before, rows)).await?;
    Ok(Json(Page::of(all, &after, |of| of.id).map(|of| InvitationView::new(of, None))))
}

#[derive(Deserialize, utoipa::ToSchema)]
struct NewInvitation {
    #[schema(format = "email")]
    email: String,
    role: Role,
}

/// Invites somebody. Asking again makes a new link, and the former one no longer works.
#[utoipa::path(post, path = "/api/invitations", tag = "users", request_body = NewInvitation,
    responses((status = 201, body = InvitationView), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn invite(
    State(app): State<App>,
    who: Admin,
    Json(form): Json<NewInvitation>,
) -> Result<(StatusCode, Json<InvitationView>)> {
    let email = fold_email(&form.email).ok_or_else(|| Error::field("/email", "is not an e-mail address"))?;
    let (token, hash) = tokens::secret("");
    let until = app.clock.now() + INVITED_FOR;
    let invited = app
        .db
        .write(who.tenant, move |tx| {
            if store::has_email(tx, &email)? {
                let title = "They are in the team already";
                return Err(Error::conflict("in-team", title, "Change their role instead."));
            }
            let invited = store::invite(tx, &email, form.role, &hash, until)?;
            let view = InvitationView::new(invited, None);
            audit::record(tx, &who, "invitation.create", &(), &view)?;
            Ok(view)
        })
        .await?;
    let url = format!("{}/sign-up?invitation={token}", app.config.public_url());
    Ok((StatusCode::CREATED, Json(InvitationView { url: Some(url), ..invited })))
}

/// Takes an invitation back.
#[utoipa::path(delete, path = "/api/invitations/{id}", tag = "users", params(("id" = InvitationId, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
async fn take_back(State(app): State<App>, who: Admin, Path(id): Path<InvitationId>) -> Result<StatusCode> {
    app.db
        .write(who.tenant, move |tx| {
            let before = store::take_back(tx, id)?;
            audit::record(tx, &who, "invitation.delete", &InvitationView::new(before, None), &())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
