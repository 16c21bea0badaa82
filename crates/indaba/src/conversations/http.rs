//! The routes of conversations themselves; those of their messages are in the room `messages`.
use super::{Counts, Cursor, Filter, LabelId, Sort, View, change, labels, list, locked, notes, store};
use crate::{
    Error, Result,
    app::App,
    audit,
    contacts::{self, ContactId},
    conversations::{Conversation, ConversationId, Direction, State as Doing},
    db::TenantTx,
    http::{After, Agent, Json, Page, Path, Problem, Query, Viewer, who::UserId},
    instances::InstanceId,
};
use axum::{extract::State, http::StatusCode};
use serde::Deserialize;
use serde_json::json;
use utoipa_axum::{router::OpenApiRouter, routes};

/// This room's routes.
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_them, create))
        .routes(routes!(counts))
        .routes(routes!(edit))
        .routes(routes!(close))
        .merge(labels::http::routes())
        .merge(notes::http::routes())
}

words! {
    /// Which states a list shows.
    pub enum Shown {
        /// Open ones.
        Open = "open",
        /// Put off.
        Snoozed = "snoozed",
        /// Resolved.
        Closed = "closed",
        /// All.
        All = "all",
    }
}

words! {
    /// Whose turn it is.
    pub enum Waiting {
        /// They wrote last.
        Us = "us",
        /// We wrote last.
        Them = "them",
    }
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Which states; open ones by default.
    #[param(inline)]
    state: Option<Shown>,
    /// `me`, `none` or a user's id.
    assignee: Option<String>,
    /// On this number.
    instance_id: Option<InstanceId>,
    /// Only those with this label.
    label: Option<LabelId>,
    /// Only those with unread messages.
    unread: Option<bool>,
    /// Whose turn it is.
    #[param(inline)]
    waiting: Option<Waiting>,
    /// In which order; newest first by default.
    #[param(inline)]
    sort: Option<Sort>,
    /// The beginning of a contact's name or number.
    q: Option<String>,
}

/// One page of conversations.
#[utoipa::path(get, path = "/api/conversations", tag = "conversations", params(Asked, After),
    responses((status = 200, body = Page<View>)))]
async fn list_them(
    State(app): State<App>,
    who: Viewer,
    Query(asked): Query<Asked>,
    after: After,
) -> Result<Json<Page<View>>> {
    let cursor: Option<Cursor> = after.key()?;
    let assignee = match asked.assignee.as_deref() {
        None | Some("") => None,
        Some("none") => Some(None),
        Some("me") => {
            Some(Some(who.user().ok_or_else(|| Error::field("assignee", "An API key is nobody: name a user."))?))
        }
        Some(id) => Some(Some(id.parse::<UserId>().map_err(|e| Error::field("assignee", e.to_string()))?)),
    };
    let filter = Filter {
        state: match asked.state.unwrap_or(Shown::Open) {
            Shown::Open => Some(Doing::Open),
            Shown::Snoozed => Some(Doing::Snoozed),
            Shown::Closed => Some(Doing::Closed),
            Shown::All => None,
        },
        assignee,
        instance: asked.instance_id,
        label: asked.label,
        unread: asked.unread.unwrap_or(false),
        waiting: asked.waiting.map(|turn| if turn == Waiting::Us { Direction::Inbound } else { Direction::Outbound }),
        q: asked.q.filter(|q| !q.trim().is_empty()),
    };
    let (sort, now, rows) = (asked.sort.unwrap_or(Sort::Newest), app.clock.now(), after.rows());
    let found = app.db.read(who.tenant, move |tx| list::page(tx, &filter, sort, cursor, now, rows)).await?;
    Ok(Json(Page::of(found, &after, |last| list::cursor(sort, last, now)).map(|one| one.view())))
}

/// How many conversations are open, unread, nobody's and mine.
#[utoipa::path(get, path = "/api/conversations/counts", tag = "conversations", responses((status = 200, body = Counts)))]
async fn counts(State(app): State<App>, who: Viewer) -> Result<Json<Counts>> {
    let me = who.user().unwrap_or(UserId::NIL);
    app.db.read(who.tenant, move |tx| store::counts(tx, me)).await.map(Json)
}

/// With whom to begin, and on which number.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewConversation)]
struct New {
    /// With this contact,
    contact_id: Option<ContactId>,
    /// or with this number; without `+` it is one of the workspace's country.
    phone: Option<String>,
    /// On this number; without it, on the one last used with them, else the oldest.
    instance_id: Option<InstanceId>,
}

/// Begins a conversation, or gives the one that there is.
#[utoipa::path(post, path = "/api/conversations", tag = "conversations", request_body = New,
    responses((status = 201, body = View), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn create(State(app): State<App>, who: Agent, Json(new): Json<New>) -> Result<(StatusCode, Json<View>)> {
    let made = app.db.write(who.tenant, move |tx| {
        let contact = contacts::whom(tx, new.contact_id, new.phone.as_deref(), "")?;
        let (conversation, new) = super::begin(tx, contact.id, new.instance_id)?;
        let view = conversation.view();
        if new {
            audit::record(
                tx,
                &who,
                "conversation.create",
                &(),
                &json!({ "id": view.id, "contactId": view.contact.id }),
            )?;
        }
        Ok(view)
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// What a person may change of a conversation.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = ConversationChange)]
struct Edit {
    /// Who answers; null for nobody.
    #[serde(default, deserialize_with = "crate::http::given")]
    #[schema(value_type = Option<UserId>)]
    assignee_id: Option<Option<UserId>>,
    /// `open` or `closed`.
    state: Option<Doing>,
    /// All its labels: what is left out is taken off. To put one on or take one off, whoever else does: `…/labels/{labelId}`.
    labels: Option<Vec<LabelId>>,
}

/// Assigns, labels, closes or opens a conversation.
#[utoipa::path(patch, path = "/api/conversations/{id}", tag = "conversations", params(("id" = ConversationId, Path)), request_body = Edit,
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 422, body = Problem)))]
async fn edit(
    State(app): State<App>,
    who: Agent,
    Path(id): Path<ConversationId>,
    Json(said): Json<Edit>,
) -> Result<Json<View>> {
    if said.state == Some(Doing::Snoozed) {
        return Err(Error::field("/state", "one of open, closed"));
    }
    labels::check_length(said.labels.as_deref().unwrap_or_default(), "/labels")?;
    let done = app.db.write(who.tenant, move |tx| {
        let mut now = locked(tx, id)?; // before its labels, whatever else is asked
        if let Some(assignee) = said.assignee_id {
            if let Some(user) = assignee {
                contacts::check_user(tx, user, "/assigneeId")?;
            }
            now = told(tx, &who, id, "conversation.assigned", "conversation.assign", |it| it.assignee_id = assignee)?;
        }
        if let Some(asked) = &said.labels {
            let wanted = labels::wanted(tx, asked, "/labels")?;
            now = told(tx, &who, id, "conversation.labelled", "conversation.label", |it| it.set_labels(&wanted))?;
        }
        if let Some(state) = said.state {
            now = put(tx, &who, id, state)?;
        }
        Ok(now.view())
    });
    done.await.map(Json)
}

/// Closes a conversation: it is resolved until the contact writes again.
#[utoipa::path(post, path = "/api/conversations/{id}/close", tag = "conversations", params(("id" = ConversationId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem)))]
async fn close(State(app): State<App>, who: Agent, Path(id): Path<ConversationId>) -> Result<Json<View>> {
    app.db.write(who.tenant, move |tx| Ok(put(tx, &who, id, Doing::Closed)?.view())).await.map(Json)
}

fn put(tx: &mut TenantTx, who: &Agent, id: ConversationId, state: Doing) -> Result<Conversation> {
    let (event, action) = match state {
        Doing::Closed => ("conversation.closed", "conversation.close"),
        _ => ("conversation.opened", "conversation.open"),
    };
    told(tx, who, id, event, action, |it| {
        (it.state, it.snoozed_until) = (state, None);
        if state == Doing::Closed {
            it.waiting_since = None; // resolved without an answer: the matter is settled
        }
    })
}

/// Changes a conversation, tells of it and writes it in the log, if anything is different.
pub(super) fn told(
    tx: &mut TenantTx,
    who: &Agent,
    id: ConversationId,
    event: &'static str,
    action: &'static str,
    f: impl FnOnce(&mut Conversation),
) -> Result<Conversation> {
    let (before, after) = change(tx, id, event, who.user(), f)?;
    if before != after {
        let kept = |of: &Conversation| json!({ "id": of.id, "state": of.state, "assigneeId": of.assignee_id, "labels": of.label_ids() });
        audit::record(tx, who, action, &kept(&before), &kept(&after))?;
    }
    Ok(after)
}
