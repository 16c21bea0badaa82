//! Messages as the API shows them: with what they quote, their reactions and their files, each looked up once for a whole page.
use super::{Message, MessageId, State, polls, store};
use crate::{
    Result,
    clock::Time,
    conversations::{Author, AuthorKind, ConversationId, Direction},
    db::TenantRead,
    media,
};
use serde::Serialize;
use serde_json::Value;

/// A message as the API shows it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Message)]
pub struct View {
    /// Its id.
    pub id: MessageId,
    /// In this conversation.
    pub conversation_id: ConversationId,
    /// Which way it went.
    pub direction: Direction,
    /// Who wrote it.
    pub author: Author,
    /// `text`, `image`, `voice`, `poll`, `unsupported`, …
    pub kind: String,
    /// Its text, or what was written below its file.
    #[schema(required)]
    pub body: Option<String>,
    /// What more it says, by its kind.
    #[schema(value_type = Object)]
    pub content: Value,
    /// How far it has come.
    pub state: State,
    /// Why it failed, may have, or waits.
    #[schema(required)]
    pub error: Option<Problem>,
    /// The message it answers, if we have it.
    #[schema(required)]
    pub reply_to: Option<MessageId>,
    /// That message in a few words.
    #[schema(required)]
    pub quoted: Option<Quoted>,
    /// At most one of each side.
    pub reactions: Vec<ReactionView>,
    /// Its file.
    #[schema(required)]
    pub media: Option<media::View>,
    /// When it was written.
    pub created_at: Time,
    /// When it was last changed.
    #[schema(required)]
    pub edited_at: Option<Time>,
    /// When it was deleted for everyone.
    #[schema(required)]
    pub deleted_at: Option<Time>,
    /// When WhatsApp had it.
    #[schema(required)]
    pub sent_at: Option<Time>,
    /// When a device of the contact had it.
    #[schema(required)]
    pub delivered_at: Option<Time>,
    /// When it was seen.
    #[schema(required)]
    pub read_at: Option<Time>,
}

/// Why a message failed.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
#[schema(as = MessageError)]
pub struct Problem {
    /// Stable: `not-on-whatsapp`, `outside-window`, …, or the provider's own.
    pub code: String,
    /// A sentence for a person.
    #[schema(required)]
    pub detail: Option<String>,
}

/// The message that is answered, in a few words.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub struct Quoted {
    /// Its id, if we have it.
    #[schema(required)]
    pub id: Option<MessageId>,
    /// Its kind.
    pub kind: String,
    /// Begins with its text.
    pub preview: String,
    /// Which way it went.
    pub direction: Direction,
    /// Who wrote it.
    pub author: Author,
}

/// One side's reaction.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Reaction)]
pub struct ReactionView {
    /// What was put on the message.
    pub emoji: String,
    /// By whom.
    pub by: Author,
    /// When.
    pub at: Time,
}

impl store::Reaction {
    /// As the API shows it.
    pub fn view(&self) -> ReactionView {
        let by = Author::of(self.author, bytes(self.author_id.as_deref()), self.author_name.clone());
        ReactionView { emoji: self.emoji.clone(), by, at: self.at }
    }
}

fn bytes(id: Option<&[u8]>) -> Option<[u8; 16]> {
    id.and_then(|id| id.try_into().ok())
}

impl Message {
    /// Who wrote it.
    pub fn author(&self) -> Author {
        Author::of(self.author, bytes(self.author_id.as_deref()), self.author_name.clone())
    }

    /// As the API shows it, with what belongs to it.
    pub fn view(&self, quoted: Option<&Message>, reactions: Vec<ReactionView>, media: Option<media::View>) -> View {
        let content = self.content.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let quoted = quoted.map(|of| Quoted {
            id: Some(of.id),
            kind: of.kind.clone(),
            preview: of.preview(),
            direction: of.direction,
            author: of.author(),
        });
        let content: Value = content.unwrap_or_else(|| Value::Object(Default::default()));
        let content = if self.kind == "poll" { polls::shown(content) } else { content };
        // what we never had is shown as the provider quoted it
        let told = || {
            let text = content.get("quoted")?;
            let direction = if text["fromMe"] == true { Direction::Outbound } else { Direction::Inbound };
            let kind = if direction == Direction::Outbound { AuthorKind::Phone } else { AuthorKind::Contact };
            Some(Quoted {
                id: None,
                kind: "text".into(),
                preview: crate::conversations::preview(text["text"].as_str()?),
                direction,
                author: Author { kind, id: None, name: None },
            })
        };
        View {
            id: self.id,
            conversation_id: self.conversation_id,
            direction: self.direction,
            author: self.author(),
            kind: self.kind.clone(),
            body: self.body.clone(),
            state: self.state,
            error: self.error_code.clone().map(|code| Problem { code, detail: self.error_detail.clone() }),
            reply_to: self.reply_to,
            quoted: quoted.or_else(told),
            content,
            reactions,
            media,
            created_at: self.created_at,
            edited_at: self.edited_at,
            deleted_at: self.deleted_at,
            sent_at: self.sent_at,
            delivered_at: self.delivered_at,
            read_at: self.read_at,
        }
    }
}

/// One message with all that belongs to it.
pub fn view(tx: &mut TenantRead, message: &Message) -> Result<View> {
    Ok(views(tx, std::slice::from_ref(message))?.remove(0))
}

/// Many messages with all that belongs to them.
pub fn views(tx: &mut TenantRead, messages: &[Message]) -> Result<Vec<View>> {
    let ids: Vec<MessageId> = messages.iter().map(|message| message.id).collect();
    let reactions = store::reactions(tx, &ids)?;
    let mut wanted: Vec<MessageId> = messages.iter().filter_map(|message| message.reply_to).collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted.retain(|id| !ids.contains(id));
    let others = store::all(tx, &wanted)?;
    let files: Vec<media::MediaId> = messages.iter().filter_map(|message| message.media_id).collect();
    let files = media::all(tx, &files)?;
    Ok(messages
        .iter()
        .map(|message| {
            let quoted = message.reply_to.and_then(|id| messages.iter().chain(&others).find(|other| other.id == id));
            let reactions = reactions.iter().filter(|of| of.message_id == message.id && !of.emoji.is_empty());
            let file = message.media_id.and_then(|id| files.iter().find(|file| file.id == id));
            message.view(quoted, reactions.map(store::Reaction::view).collect(), file.map(media::Media::view))
        })
        .collect())
}

/// One page of a conversation, newest first.
pub fn page(tx: &mut TenantRead, of: ConversationId, before: MessageId, rows: i64) -> Result<Vec<View>> {
    let messages = store::page(tx, of, before, rows)?;
    views(tx, &messages)
}
