//! The routes of messages, and those of conversations that show or move messages.
use super::{
    MessageId, State as How, Stretch, View,
    compose::{self, New},
    history, jobs as work, parts, search,
    settle::{self, Decision},
    store, stretch, view,
};
use crate::{
    Error, Result,
    app::App,
    audit,
    contacts::{self, ContactId},
    conversations::{self, ConversationId, Direction},
    http::{Admin, After, Agent, Json, Path, Problem, Query, Role, Viewer, Who},
    id::TenantId,
    instances::{self, InstanceId},
    jobs,
    quick_replies::QuickReplyId,
};
use axum::{
    extract::State,
    http::{Method, StatusCode},
};
use futures_util::future::BoxFuture;
use indaba_providers::{Address, PresenceState};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;
use utoipa_axum::{router::OpenApiRouter, routes};

/// This room's routes; those of hooks are in [`super::hooks::routes`].
pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(conversation))
        .routes(routes!(read))
        .routes(routes!(typing))
        .routes(routes!(list, send))
        .routes(routes!(send_to))
        .routes(routes!(check))
        .routes(routes!(mark_sent))
        .routes(routes!(resend))
        .routes(routes!(cancel))
        .routes(routes!(react))
        .routes(routes!(search::find))
        .routes(routes!(sync_chats))
}

/// Imports the number's chats as contacts and conversations, in the background; `sync` shows how far it has come.
#[utoipa::path(post, path = "/api/instances/{id}/sync-chats", tag = "instances", params(("id" = InstanceId, Path)),
    responses((status = 202, body = instances::View), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn sync_chats(
    State(app): State<App>,
    who: Admin,
    Path(id): Path<InstanceId>,
) -> Result<(StatusCode, Json<instances::View>)> {
    history::import(&app, &who, id).await?;
    Ok((StatusCode::ACCEPTED, Json(instances::one(&app, who.tenant, id).await?)))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Include {
    /// `messages`, `contact` or both, with a comma.
    include: Option<String>,
}

/// A conversation, with what was asked to come along.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ConversationDetail)]
struct Detail {
    #[serde(flatten)]
    conversation: conversations::View,
    /// The newest 50 messages, and the notes among them.
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Stretch>,
    /// The contact with all that is known of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_detail: Option<contacts::View>,
}

/// One conversation; `include` saves two more requests.
#[utoipa::path(get, path = "/api/conversations/{id}", tag = "conversations", params(("id" = ConversationId, Path), Include),
    responses((status = 200, body = Detail), (status = 404, body = Problem)))]
async fn conversation(
    State(app): State<App>,
    who: Viewer,
    Path(id): Path<ConversationId>,
    Query(asked): Query<Include>,
) -> Result<Json<Detail>> {
    let parts = asked.include.unwrap_or_default();
    let wants = |part: &str| parts.split(',').any(|asked| asked.trim() == part);
    let (messages, contact) = (wants("messages"), wants("contact"));
    let detail = app.db.read(who.tenant, move |tx| {
        let found = conversations::get(tx, id)?;
        let after = After::first(50);
        let messages = match messages {
            true => Some(stretch::read(tx, found.id, MessageId::MAX, &after)?),
            false => None,
        };
        let contact_detail = if contact { Some(contacts::view(tx, found.contact_id)?) } else { None };
        Ok(Detail { conversation: found.view(), messages, contact_detail })
    });
    detail.await.map(Json)
}

/// One page of a conversation's messages, newest first, and the notes among them.
#[utoipa::path(get, path = "/api/conversations/{id}/messages", tag = "messages", params(("id" = ConversationId, Path), After),
    responses((status = 200, body = Stretch), (status = 404, body = Problem)))]
async fn list(
    State(app): State<App>,
    who: Viewer,
    Path(id): Path<ConversationId>,
    after: After,
) -> Result<Json<Stretch>> {
    let before: MessageId = after.key()?.unwrap_or(MessageId::MAX);
    let found = app.db.read(who.tenant, move |tx| {
        let place = conversations::get(tx, id)?;
        stretch::read(tx, place.id, before, &after)
    });
    found.await.map(Json)
}

/// Sends a message: it is queued, and goes out in its turn.
#[utoipa::path(post, path = "/api/conversations/{id}/messages", tag = "messages", params(("id" = ConversationId, Path)), request_body = New,
    responses((status = 201, body = View), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn send(
    State(app): State<App>,
    who: Agent,
    Path(id): Path<ConversationId>,
    Json(new): Json<New>,
) -> Result<(StatusCode, Json<View>)> {
    new.check()?;
    let place = app.db.read(who.tenant, move |tx| conversations::get(tx, id)).await?;
    queue(&app, who, place, new).await
}

async fn queue(
    app: &App,
    who: Agent,
    place: conversations::Conversation,
    new: New,
) -> Result<(StatusCode, Json<View>)> {
    let can = capabilities(app, who.tenant, place.instance_id).await?;
    let queued = app.db.write(who.tenant, move |tx| {
        let view = compose::queue(tx, place.id, &who, &new, &can)?;
        audit::record(tx, &who, "message.send", &(), &sent(&view))?;
        Ok(view)
    });
    Ok((StatusCode::CREATED, Json(queued.await?)))
}

/// What the audit log keeps of a message: never what it says.
fn sent(view: &View) -> serde_json::Value {
    json!({ "id": view.id, "conversationId": view.conversation_id, "kind": view.kind, "state": view.state })
}

/// What a number can do. Errors: 409 when it was removed.
async fn capabilities(app: &App, tenant: TenantId, instance: InstanceId) -> Result<indaba_providers::Capabilities> {
    match instances::link::reach(app, tenant, instance).await {
        Ok(reach) => Ok(reach.capabilities),
        Err(Error::Missing) => Err(Error::conflict(
            "number-removed",
            "The number of this conversation was removed",
            "Begin a conversation on another number.",
        )),
        Err(e) => Err(e),
    }
}

/// To whom a message goes.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = Recipient)]
struct To {
    /// To this number; without `+` it is one of the workspace's country.
    phone: Option<String>,
    /// Or to this contact.
    contact_id: Option<ContactId>,
}

/// A message and to whom it goes.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = AddressedMessage)]
struct Addressed {
    /// From this number; without it, from the one last used with them, else the oldest.
    instance_id: Option<InstanceId>,
    to: To,
    kind: compose::Kind,
    body: Option<String>,
    media_id: Option<crate::media::MediaId>,
    reply_to: Option<MessageId>,
    poll: Option<parts::Poll>,
    location: Option<parts::Place>,
    contacts: Option<Vec<parts::NewCard>>,
    quick_reply_id: Option<QuickReplyId>,
}

/// Sends a message to a phone number or a contact: the contact and the conversation are made when there are none.
#[utoipa::path(post, path = "/api/messages/send", tag = "messages", request_body = Addressed,
    responses((status = 201, body = View), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn send_to(State(app): State<App>, who: Agent, Json(asked): Json<Addressed>) -> Result<(StatusCode, Json<View>)> {
    let Addressed {
        instance_id: instance,
        to,
        kind,
        body,
        media_id,
        reply_to,
        poll,
        location,
        contacts,
        quick_reply_id,
    } = asked;
    let new = New { kind, body, media_id, reply_to, poll, location, contacts, quick_reply_id };
    new.check()?;
    let place = app.db.write(who.tenant, move |tx| {
        let contact = contacts::whom(tx, to.contact_id, to.phone.as_deref(), "/to")?;
        conversations::begin(tx, contact.id, instance).map(|(place, _)| place)
    });
    queue(&app, who, place.await?, new).await
}

/// Asks the gateway whether an unclear message was sent after all.
#[utoipa::path(post, path = "/api/messages/{id}/check", tag = "messages", params(("id" = MessageId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem)))]
async fn check(State(app): State<App>, who: Agent, Path(id): Path<MessageId>) -> Result<Json<View>> {
    let found = match work::check(&app, &who, id).await {
        Err(Error::Malformed(_)) => None,
        other => other?,
    };
    let shown = app.db.write(who.tenant, move |tx| {
        if let Some(sent) = &found {
            let mut message = store::locked(tx, id)?;
            let before = message.state;
            let now = tx.now();
            settle::reached(tx, &mut message, sent, now)?;
            let kept = |state: How| json!({ "id": id, "state": state });
            audit::record(tx, &who, "message.check", &kept(before), &kept(message.state))?;
        }
        let message = store::get(tx, id)?;
        view(tx, &message)
    });
    shown.await.map(Json)
}

/// A person has seen an unclear message on the phone: it was sent.
#[utoipa::path(post, path = "/api/messages/{id}/mark-sent", tag = "messages", params(("id" = MessageId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn mark_sent(State(app): State<App>, who: Agent, Path(id): Path<MessageId>) -> Result<Json<View>> {
    decide(app, who, id, Decision::MarkSent, "message.mark-sent").await
}

/// Sends a message again that failed, was taken back, or whose fate is unclear.
#[utoipa::path(post, path = "/api/messages/{id}/resend", tag = "messages", params(("id" = MessageId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn resend(State(app): State<App>, who: Agent, Path(id): Path<MessageId>) -> Result<Json<View>> {
    decide(app, who, id, Decision::Resend, "message.resend").await
}

/// Takes a message back that still waits.
#[utoipa::path(post, path = "/api/messages/{id}/cancel", tag = "messages", params(("id" = MessageId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 409, body = Problem)))]
async fn cancel(State(app): State<App>, who: Agent, Path(id): Path<MessageId>) -> Result<Json<View>> {
    decide(app, who, id, Decision::Cancel, "message.cancel").await
}

async fn decide(app: App, who: Agent, id: MessageId, what: Decision, action: &'static str) -> Result<Json<View>> {
    let decided = app.db.write(who.tenant, move |tx| {
        let before = store::get(tx, id)?.state;
        let message = settle::decide(tx, id, what)?;
        let kept = |state: How| json!({ "id": id, "state": state });
        audit::record(tx, &who, action, &kept(before), &kept(message.state))?;
        view(tx, &message)
    });
    decided.await.map(Json)
}

/// A reaction.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewReaction)]
struct Emoji {
    /// One emoji; empty takes the reaction off.
    emoji: String,
}

/// Puts our reaction on a message, or takes it off.
#[utoipa::path(post, path = "/api/messages/{id}/reactions", tag = "messages", params(("id" = MessageId, Path)), request_body = Emoji,
    responses((status = 200, body = View), (status = 404, body = Problem), (status = 409, body = Problem), (status = 422, body = Problem)))]
async fn react(
    State(app): State<App>,
    who: Agent,
    Path(id): Path<MessageId>,
    Json(asked): Json<Emoji>,
) -> Result<Json<View>> {
    let emoji = asked.emoji.trim().to_owned();
    // an emoji may be made of many characters (families, flags), but of no letters
    if emoji.chars().count() > 16 || emoji.chars().any(|c| c.is_alphabetic() || c.is_control() || c.is_whitespace()) {
        return Err(Error::field("/emoji", "is one emoji, or empty"));
    }
    let message = app.db.read(who.tenant, move |tx| store::get(tx, id)).await?;
    if !capabilities(&app, who.tenant, message.instance_id).await?.reactions {
        return Err(Error::conflict(
            "not-supported",
            "This number cannot send reactions",
            "Answer with a message instead.",
        ));
    }
    let shown = app.db.write(who.tenant, move |tx| {
        let message = store::locked(tx, id)?;
        if message.provider_id.is_none() || message.deleted_at.is_some() {
            return Err(Error::conflict(
                "wrong-state",
                "This message is not on WhatsApp",
                "React to one that was sent.",
            ));
        }
        let (author, author_id, author_name) = compose::author(&who);
        let reaction = store::Reaction {
            message_id: id,
            direction: Direction::Outbound,
            author,
            author_id: author_id.map(|id| id.to_vec()),
            emoji: emoji.clone(),
            at: tx.now(),
            author_name,
        };
        super::updates::reacted(tx, &message, &reaction)?;
        jobs::enqueue(tx, &work::React { message: id, conversation: message.conversation_id, emoji: emoji.clone() })?;
        audit::record(tx, &who, "message.react", &(), &json!({ "id": id, "emoji": emoji }))?;
        view(tx, &message)
    });
    shown.await.map(Json)
}

/// Marks a conversation as read, here and on WhatsApp.
#[utoipa::path(post, path = "/api/conversations/{id}/read", tag = "conversations", params(("id" = ConversationId, Path)),
    responses((status = 200, body = conversations::View), (status = 404, body = Problem)))]
async fn read(State(app): State<App>, who: Agent, Path(id): Path<ConversationId>) -> Result<Json<conversations::View>> {
    mark_read(&app, &who, id).await.map(Json)
}

/// The same for whoever says so over the live stream.
pub async fn mark_read(app: &App, who: &Who, id: ConversationId) -> Result<conversations::View> {
    let read = app.db.write(who.tenant, move |tx| {
        let (place, news) = conversations::read(tx, id)?;
        if news {
            jobs::enqueue(tx, &work::MarkRead { conversation: place.id })?;
        }
        Ok(place.view())
    });
    read.await
}

/// Whether somebody types.
#[derive(Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Typing {
    /// They do, or have stopped.
    on: bool,
}

/// Shows the contact that somebody types. Nothing is kept of it.
#[utoipa::path(post, path = "/api/conversations/{id}/typing", tag = "conversations", params(("id" = ConversationId, Path)), request_body = Typing,
    responses((status = 204), (status = 404, body = Problem)))]
async fn typing(
    State(app): State<App>,
    who: Agent,
    Path(id): Path<ConversationId>,
    Json(asked): Json<Typing>,
) -> Result<StatusCode> {
    type_in(&app, &who, id, asked.on).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The same for whoever says so over the live stream. A gateway that does not do it, or not now, is no error.
pub async fn type_in(app: &App, who: &Who, id: ConversationId, on: bool) -> Result<()> {
    let place = app.db.read(who.tenant, move |tx| conversations::get(tx, id)).await?;
    app.live.tell(
        app,
        who.tenant,
        "user.typing",
        &[("conversation", &place.id)],
        &json!({ "on": on, "by": who.actor.id().map(|_| who.actor.to_string()), "name": who.actor.name() }),
    );
    let Some(chat) = place.address.as_deref().and_then(Address::parse) else { return Ok(()) };
    let (app, tenant) = (app.clone(), who.tenant);
    tokio::spawn(async move {
        let Ok(reach) = instances::link::reach(&app, tenant, place.instance_id).await else { return };
        if !reach.capabilities.typing || reach.state != instances::State::Connected {
            return;
        }
        let state = if on { PresenceState::Typing } else { PresenceState::Paused };
        let call = reach.provider.typing(&reach.link, &chat, state, None);
        let _ = tokio::time::timeout(Duration::from_secs(5), call).await; // it is shown for seconds only
    });
    Ok(())
}

/// Shows whoever watches that a contact types.
pub(super) async fn show_typing(
    app: &App,
    tenant: TenantId,
    instance: InstanceId,
    presence: &indaba_providers::Presence,
) {
    let on = match presence.state {
        PresenceState::Typing | PresenceState::Recording => true,
        PresenceState::Paused => false,
        PresenceState::Online | PresenceState::Offline => return,
    };
    let chat = presence.chat.clone();
    let place = app.db.read(tenant, move |tx| {
        contacts::at(tx, instance, &chat)?.map_or(Ok(None), |contact| conversations::find(tx, instance, contact))
    });
    if let Ok(Some(place)) = place.await {
        app.live.tell(app, tenant, "contact.typing", &[("conversation", &place)], &json!({ "on": on }));
    }
}

/// `{"kind":"read","conversation":"cnv_…"}` over the live stream.
pub fn heard_read(app: App, who: Who, said: serde_json::Value) -> BoxFuture<'static, Result<()>> {
    Box::pin(async move {
        let said: Said = read_said(said)?;
        may(&who)?;
        mark_read(&app, &who, said.conversation).await.map(drop)
    })
}

/// `{"kind":"typing","conversation":"cnv_…","on":true}` over the live stream.
pub fn heard_typing(app: App, who: Who, said: serde_json::Value) -> BoxFuture<'static, Result<()>> {
    Box::pin(async move {
        let said: Said = read_said(said)?;
        may(&who)?;
        type_in(&app, &who, said.conversation, said.on.unwrap_or(true)).await
    })
}

/// As for the routes that do the same.
fn may(who: &Who) -> Result<()> {
    who.at_least(Role::Agent)?;
    who.within_scopes(&Method::POST, "/api/conversations")
}

#[derive(Deserialize)]
struct Said {
    conversation: ConversationId,
    on: Option<bool>,
}

fn read_said(said: serde_json::Value) -> Result<Said> {
    serde_json::from_value(said).map_err(|e| Error::Malformed(e.to_string()))
}
