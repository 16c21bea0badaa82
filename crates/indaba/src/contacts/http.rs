//! The routes of contacts.
use super::{
    Change, Contact, ContactId, Filter, Status, View, audited, by_phone, change, check_user, e164, get, page, view,
    views,
};
use crate::{
    Error, Result,
    app::App,
    audit,
    http::{After, Agent, Check, Json, Page, Path, Problem, Query, Viewer},
    tenants,
};
use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

/// This room's routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(one, edit, archive))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Asked {
    /// The beginning of a name or number.
    search: Option<String>,
    /// Only these; without it all but the archived.
    #[param(inline)]
    status: Option<Status>,
}

/// One page of contacts, by name.
#[utoipa::path(get, path = "/api/contacts", tag = "contacts", params(Asked, After),
    responses((status = 200, body = Page<View>)))]
async fn list(
    State(app): State<App>,
    who: Viewer,
    Query(asked): Query<Asked>,
    after: After,
) -> Result<Json<Page<View>>> {
    let key: Option<(String, ContactId)> = after.key()?;
    let search = asked.search.filter(|text| !text.trim().is_empty());
    let filter = Filter { status: asked.status, search };
    let rows = after.rows();
    let page = app
        .db
        .read(who.tenant, move |tx| {
            let found = page(tx, &filter, key.clone(), rows)?;
            let keys: Vec<(String, ContactId)> = found.iter().map(|(key, contact)| (key.clone(), contact.id)).collect();
            let views = views(tx, found.into_iter().map(|(_, contact)| contact).collect())?;
            Ok(keys.into_iter().zip(views).collect::<Vec<_>>())
        })
        .await?;
    Ok(Json(Page::of(page, &after, |(key, _)| key.clone()).map(|(_, view)| view)))
}

/// A contact to be made.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewContact)]
struct New {
    /// What people call them.
    name: Option<String>,
    /// Their number; without `+` it is one of the workspace's country.
    phone: String,
}

/// Makes a contact; 409 when the number is somebody's already.
#[utoipa::path(post, path = "/api/contacts", tag = "contacts", request_body = New,
    responses((status = 201, body = View), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create(State(app): State<App>, who: Agent, Json(new): Json<New>) -> Result<(StatusCode, Json<View>)> {
    let mut check = Check::default();
    if let Some(name) = &new.name {
        check.name(name, "/name", 200);
    }
    check.done()?;
    let made = app
        .db
        .write(who.tenant, move |tx| {
            let country = tenants::get(tx)?.country;
            let phone = e164(&new.phone, country.as_deref()).map_err(|why| Error::field("/phone", why))?;
            let (contact, made) = by_phone(tx, &phone, new.name.as_deref())?;
            if !made {
                let detail = format!("Open {} instead.", contact.id);
                return Err(Error::conflict("exists", "There is a contact with this number", detail));
            }
            let view = view(tx, contact.id)?;
            audit::record(tx, &who, "contact.create", &(), &view)?;
            Ok(view)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// One contact.
#[utoipa::path(get, path = "/api/contacts/{id}", tag = "contacts", params(("id" = ContactId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem)))]
async fn one(State(app): State<App>, who: Viewer, Path(id): Path<ContactId>) -> Result<Json<View>> {
    app.db.read(who.tenant, move |tx| view(tx, id)).await.map(Json)
}

/// Changes what people say of a contact.
#[utoipa::path(patch, path = "/api/contacts/{id}", tag = "contacts", params(("id" = ContactId, Path)), request_body = Change,
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    who: Agent,
    Path(id): Path<ContactId>,
    Json(said): Json<Change>,
) -> Result<Json<View>> {
    let mut check = Check::default();
    if let Some(name) = &said.name {
        check.name(name, "/name", 200);
    }
    check.done()?;
    apply(app, who, id, said, "contact.edit").await
}

/// Archives a contact: out of the lists, until they write again.
#[utoipa::path(delete, path = "/api/contacts/{id}", tag = "contacts", params(("id" = ContactId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem)))]
async fn archive(State(app): State<App>, who: Agent, Path(id): Path<ContactId>) -> Result<Json<View>> {
    apply(app, who, id, Change { status: Some(Status::Archived), ..Change::default() }, "contact.archive").await
}

async fn apply(app: App, who: Agent, id: ContactId, said: Change, action: &'static str) -> Result<Json<View>> {
    let changed = app.db.write(who.tenant, move |tx| {
        if let Some(Some(owner)) = said.owner_id {
            check_user(tx, owner, "/ownerId")?;
        }
        let before: Contact = get(tx, id)?;
        let after = change(tx, id, &said)?;
        audit::record(tx, &who, action, &audited(&before), &audited(&after))?;
        view(tx, after.id)
    });
    changed.await.map(Json)
}
