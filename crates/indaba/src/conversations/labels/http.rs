//! `/api/labels`, and the labels of one conversation: each is put on and taken off by itself, so that two who do it at the same moment
//! both have their way. `PATCH /api/conversations/{id}` says all of them at once.
use super::{Colour, LONGEST_NAME, LabelId, View, store};
use crate::{
    Result,
    app::App,
    audit,
    conversations::{self, ConversationId, http::told},
    http::{After, Agent, Check, Json, Manager, Page, Path, Problem, Viewer},
};
use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of labels.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(edit, remove)).routes(routes!(put_on, take_off))
}

/// The labels, by name. There are at most 100: one page of that length has them all.
#[utoipa::path(get, path = "/api/labels", tag = "conversations", params(After),
    responses((status = 200, body = Page<View>)))]
async fn list(State(app): State<App>, who: Viewer, after: After) -> Result<Json<Page<View>>> {
    let (from, rows) = (after.key::<String>()?.unwrap_or_default(), after.rows());
    let found = app.db.read(who.tenant, move |tx| store::page(tx, &from, rows)).await?;
    Ok(Json(Page::of(found, &after, |label| label.folded.clone()).map(|label| label.view())))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewLabel)]
struct New {
    #[schema(min_length = 1, max_length = 40)]
    name: String,
    /// `stone` if it is not said.
    colour: Option<Colour>,
}

/// Makes a label.
#[utoipa::path(post, path = "/api/labels", tag = "conversations", request_body = New,
    responses((status = 201, body = View), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn create(State(app): State<App>, who: Manager, Json(new): Json<New>) -> Result<(StatusCode, Json<View>)> {
    Check::default().name(&new.name, "/name", LONGEST_NAME).done()?;
    let made = app.db.write(who.tenant, move |tx| {
        let made = super::create(tx, &new.name, new.colour.unwrap_or(Colour::Stone))?.view();
        audit::record(tx, &who, "label.create", &(), &made)?;
        Ok(made)
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = LabelChange)]
struct Edit {
    #[schema(min_length = 1, max_length = 40)]
    name: Option<String>,
    colour: Option<Colour>,
}

/// Renames a label, or gives it another colour.
#[utoipa::path(patch, path = "/api/labels/{id}", tag = "conversations", params(("id" = LabelId, Path)), request_body = Edit,
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    who: Manager,
    Path(id): Path<LabelId>,
    Json(said): Json<Edit>,
) -> Result<Json<View>> {
    if let Some(name) = &said.name {
        Check::default().name(name, "/name", LONGEST_NAME).done()?;
    }
    let changed = app.db.write(who.tenant, move |tx| {
        let (before, after) = super::edit(tx, id, said.name.as_deref(), said.colour)?;
        if before != after {
            audit::record(tx, &who, "label.update", &before.view(), &after.view())?;
        }
        Ok(after.view())
    });
    changed.await.map(Json)
}

/// Deletes a label: conversations that carry it go on without.
#[utoipa::path(delete, path = "/api/labels/{id}", tag = "conversations", params(("id" = LabelId, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
async fn remove(State(app): State<App>, who: Manager, Path(id): Path<LabelId>) -> Result<StatusCode> {
    app.db
        .write(who.tenant, move |tx| {
            let gone = super::delete(tx, id)?.view();
            audit::record(tx, &who, "label.delete", &gone, &())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Puts a label on a conversation, after those that it carries. One that it carries stays where it is.
#[utoipa::path(put, path = "/api/conversations/{id}/labels/{labelId}", tag = "conversations",
    params(("id" = ConversationId, Path), ("labelId" = LabelId, Path)),
    responses((status = 200, body = conversations::View), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn put_on(
    State(app): State<App>,
    who: Agent,
    Path((id, label)): Path<(ConversationId, LabelId)>,
) -> Result<Json<conversations::View>> {
    let done = app.db.write(who.tenant, move |tx| {
        let carried = conversations::locked(tx, id)?.label_ids(); // before the label, as everybody does
        let labels = super::with(tx, carried, label)?;
        Ok(told(tx, &who, id, "conversation.labelled", "conversation.label", |it| it.set_labels(&labels))?.view())
    });
    done.await.map(Json)
}

/// Takes a label off a conversation. One that it does not carry, or that there is no more, is off already.
#[utoipa::path(delete, path = "/api/conversations/{id}/labels/{labelId}", tag = "conversations",
    params(("id" = ConversationId, Path), ("labelId" = LabelId, Path)),
    responses((status = 200, body = conversations::View), (status = 404, body = Problem)))]
async fn take_off(
    State(app): State<App>,
    who: Agent,
    Path((id, label)): Path<(ConversationId, LabelId)>,
) -> Result<Json<conversations::View>> {
    let done = app.db.write(who.tenant, move |tx| {
        Ok(told(tx, &who, id, "conversation.labelled", "conversation.label", |it| it.drop_label(label))?.view())
    });
    done.await.map(Json)
}
