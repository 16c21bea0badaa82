//! `/api/conversations/{id}/notes`. The thread has them among its messages: `GET /api/conversations/{id}/messages`.
use super::{LONGEST, MOST_MENTIONS, Note, NoteId, View, store};
use crate::{
    Error, Result,
    app::App,
    audit,
    conversations::{self, AuthorKind, ConversationId},
    http::{After, Agent, Check, Json, Page, Path, Problem, Role, Viewer, who::UserId},
};
use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

/// The routes of notes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(remove))
}

/// One page of a conversation's notes, newest first.
#[utoipa::path(get, path = "/api/conversations/{id}/notes", tag = "conversations", params(("id" = ConversationId, Path), After),
    responses((status = 200, body = Page<View>), (status = 404, body = Problem)))]
async fn list(
    State(app): State<App>,
    who: Viewer,
    Path(id): Path<ConversationId>,
    after: After,
) -> Result<Json<Page<View>>> {
    let (before, rows) = (after.key()?.unwrap_or(NoteId::MAX), after.rows());
    let found = app.db.read(who.tenant, move |tx| {
        let place = conversations::get(tx, id)?;
        store::page(tx, place.id, before, rows)
    });
    Ok(Json(Page::of(found.await?, &after, |note| note.id).map(|note| note.view())))
}

#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewNote)]
struct New {
    #[schema(min_length = 1, max_length = 4096)]
    body: String,
    /// The users it names.
    #[serde(default)]
    mentions: Vec<UserId>,
}

/// Writes a note: the team sees it, the contact never does.
#[utoipa::path(post, path = "/api/conversations/{id}/notes", tag = "conversations", params(("id" = ConversationId, Path)), request_body = New,
    responses((status = 201, body = View), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn create(
    State(app): State<App>,
    who: Agent,
    Path(id): Path<ConversationId>,
    Json(mut new): Json<New>,
) -> Result<(StatusCode, Json<View>)> {
    let body = new.body.trim().to_owned();
    new.mentions.sort_unstable();
    new.mentions.dedup();
    Check::default()
        .that((1..=LONGEST).contains(&body.chars().count()), "/body", &format!("has 1 to {LONGEST} characters"))
        .that(new.mentions.len() <= MOST_MENTIONS, "/mentions", &format!("has at most {MOST_MENTIONS}"))
        .done()?;
    let mentions = (!new.mentions.is_empty()).then(|| json!(new.mentions).to_string());
    let made = app.db.write(who.tenant, move |tx| {
        let place = conversations::locked(tx, id)?; // it is not merged into another meanwhile
        let note = Note {
            id: NoteId::at(tx.now()),
            conversation_id: place.id,
            author: AuthorKind::of(&who.actor),
            author_id: who.actor.id().unwrap_or_default().to_vec(),
            body: body.clone(),
            mentions: mentions.clone(),
            created_at: tx.now(),
            author_name: Some(who.actor.name().to_owned()),
        };
        let made = super::write(tx, &place, note, &new.mentions)?;
        audit::record(tx, &who, "note.create", &(), &kept(&made))?;
        Ok(made)
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// Deletes a note, with its words; its author may, and an admin.
#[utoipa::path(delete, path = "/api/notes/{id}", tag = "conversations", params(("id" = NoteId, Path)),
    responses((status = 204), (status = 403, body = Problem), (status = 404, body = Problem)))]
async fn remove(State(app): State<App>, who: Agent, Path(id): Path<NoteId>) -> Result<StatusCode> {
    app.db
        .write(who.tenant, move |tx| {
            let note = store::get(tx, id)?;
            if who.role < Role::Admin && !note.is_by(&who) {
                return Err(Error::Forbidden("Its author may delete a note, and an admin.".into()));
            }
            super::delete(tx, &note)?;
            audit::record(tx, &who, "note.delete", &kept(&note.view()), &())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the audit log keeps of a note: never what it says.
fn kept(note: &View) -> serde_json::Value {
    json!({ "id": note.id, "conversationId": note.conversation_id, "mentions": note.mentions })
}
