//! All SQL of conversations, but for the list (`list.rs`).
use super::{
    AssistantView, Author, AuthorKind, ConversationId, Counts, Direction, InstanceView, LastMessage, MessageId, Mode,
    Person, SpellId, State, View, labels, notes,
};
use crate::{
    Result,
    clock::Time,
    contacts::{ContactId, Summary},
    db::{Arg, TenantRead, TenantTx},
    http::who::UserId,
    instances::InstanceId,
};

row! {
    /// A conversation as its row says, with the names it is shown with.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Conversation {
        pub id: ConversationId,
        pub instance_id: InstanceId,
        pub contact_id: ContactId,
        pub address: Option<String>,
        pub state: State,
        pub snoozed_until: Option<Time>,
        pub assignee_id: Option<UserId>,
        pub unread_count: i64,
        pub labels: Option<String>,
        pub last_inbound_at: Option<Time>,
        pub window_ends_at: Option<Time>,
        pub waiting_since: Option<Time>,
        pub last_message_id: Option<MessageId>,
        pub last_message_kind: Option<String>,
        pub last_message_preview: Option<String>,
        pub last_message_direction: Option<Direction>,
        pub last_message_state: Option<String>,
        pub last_message_author: Option<AuthorKind>,
        pub last_message_author_id: Option<Vec<u8>>,
        pub last_message_at: Time,
        pub assistant_mode: Option<Mode>,
        pub assistant_paused_until: Option<Time>,
        pub created_at: Time,
        pub contact_name: Option<String>,
        pub contact_phone: Option<String>,
        pub instance_name: String,
        pub provider: String,
        pub assignee_name: Option<String>,
        pub last_author_name: Option<String>,
    }
}

/// The select of conversations with the names they are shown with, and what follows `from … join …`.
macro_rules! conversations {
    ($rest:literal) => {
        concat!(
            "select c.id, c.instance_id, c.contact_id, c.address, c.state, c.snoozed_until, c.assignee_id, c.unread_count, c.labels, c.last_inbound_at, c.window_ends_at, c.waiting_since, c.last_message_id, c.last_message_kind, c.last_message_preview,
                    c.last_message_direction, c.last_message_state, c.last_message_author, c.last_message_author_id, c.last_message_at,
                    c.assistant_mode, c.assistant_paused_until, c.created_at, k.name as contact_name, k.phone as contact_phone,
                    i.name as instance_name, i.provider, u.name as assignee_name,
                    coalesce(a.name, p.name) as last_author_name
               from conversations c
               join contacts k on k.tenant_id = c.tenant_id and k.id = c.contact_id
               join instances i on i.tenant_id = c.tenant_id and i.id = c.instance_id
               left join users u on u.id = c.assignee_id
               left join users a on a.id = c.last_message_author_id
               left join api_keys p on p.tenant_id = c.tenant_id and p.id = c.last_message_author_id
             ",
            $rest
        )
    };
}
pub(super) use conversations;

impl Conversation {
    /// As the API shows it.
    pub fn view(&self) -> View {
        let last = || {
            let kind = self.last_message_author?;
            let id = self.last_message_author_id.as_deref().and_then(|id| id.try_into().ok());
            let name =
                if kind == AuthorKind::Contact { self.contact_name.clone() } else { self.last_author_name.clone() };
            Some(LastMessage {
                id: self.last_message_id?,
                kind: self.last_message_kind.clone()?,
                preview: self.last_message_preview.clone().unwrap_or_default(),
                direction: self.last_message_direction?,
                state: self.last_message_state.clone()?,
                author: Author::of(kind, id, name),
                at: self.last_message_at,
            })
        };
        View {
            id: self.id,
            contact: self.contact(),
            instance_id: self.instance_id,
            instance: InstanceView {
                id: self.instance_id,
                name: self.instance_name.clone(),
                provider: self.provider.clone(),
            },
            state: self.state,
            snoozed_until: self.snoozed_until,
            assignee: self.assignee_id.map(|id| Person { id, name: self.assignee_name.clone().unwrap_or_default() }),
            unread_count: self.unread_count,
            labels: self.label_ids(),
            last_message: last(),
            window_ends_at: self.window_ends_at,
            waiting_since: self.waiting_since,
            assistant: AssistantView { mode: self.assistant_mode, paused_until: self.assistant_paused_until },
            created_at: self.created_at,
        }
    }

    /// The other side in a few words.
    pub fn contact(&self) -> Summary {
        Summary { id: self.contact_id, name: self.contact_name.clone(), phone: self.contact_phone.clone() }
    }
}

pub fn get(tx: &mut TenantRead, id: ConversationId) -> Result<Conversation> {
    tx.get(
        conversations!(
            "join conversations asked on asked.tenant_id = c.tenant_id and coalesce(asked.merged_into, asked.id) = c.id
              where c.tenant_id = $1 and asked.tenant_id = $1 and asked.id = $2"
        ),
        args![id],
    )
}

/// A conversation, and the id, name and phone of whom it is with.
type With = (ConversationId, ContactId, Option<String>, Option<String>);

/// With whom these conversations are. One that was merged leads to the one it became.
pub fn contacts(tx: &mut TenantRead, of: &[ConversationId]) -> Result<Vec<With>> {
    tx.all_for(
        "select asked.id, k.id, k.name, k.phone
           from conversations asked
           join conversations c on c.tenant_id = asked.tenant_id and c.id = coalesce(asked.merged_into, asked.id)
           join contacts k on k.tenant_id = c.tenant_id and k.id = c.contact_id
          where asked.tenant_id = $1 and asked.id = $2",
        of.iter().map(|id| [id.arg()]),
    )
}

pub fn find(tx: &mut TenantRead, instance: InstanceId, contact: ContactId) -> Result<Option<ConversationId>> {
    let found: Option<(ConversationId,)> = tx.find(
        "select id from conversations where tenant_id = $1 and instance_id = $2 and contact_id = $3 and merged_into is null",
        args![instance, contact],
    )?;
    Ok(found.map(|(id,)| id))
}

pub fn locked(tx: &mut TenantTx, ids: &[ConversationId]) -> Result<Vec<Conversation>> {
    tx.all_for(conversations!("where c.tenant_id = $1 and c.id = $2 for update of c"), ids.iter().map(|id| [id.arg()]))
}

/// The conversations of these pairs that exist, locked.
pub fn of_pairs(tx: &mut TenantTx, pairs: &[(InstanceId, ContactId)]) -> Result<Vec<Conversation>> {
    tx.all_for(
        conversations!("where c.tenant_id = $1 and c.instance_id = $2 and c.contact_id = $3 and c.merged_into is null for update of c"),
        pairs.iter().map(|(instance, contact)| [instance.arg(), contact.arg()]),
    )
}

pub fn of_contact(tx: &mut TenantRead, contact: ContactId) -> Result<Vec<Conversation>> {
    tx.all(conversations!("where c.tenant_id = $1 and c.contact_id = $2 and c.merged_into is null"), args![contact])
}

/// Makes the conversations of these pairs; the ids of those that another transaction had not made meanwhile.
pub fn insert(tx: &mut TenantTx, pairs: &[(InstanceId, ContactId)]) -> Result<Vec<ConversationId>> {
    let now = tx.now();
    let ids: Vec<ConversationId> = pairs.iter().map(|_| ConversationId::at(now)).collect();
    let new: Vec<(ConversationId,)> = tx.insert(
        "insert into conversations (tenant_id, id, instance_id, contact_id, state, last_message_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant_id, contact_id, instance_id) where merged_into is null do nothing
         returning id",
        ids.iter().zip(pairs).map(|(id, (instance, contact))| {
            [id.arg(), instance.arg(), contact.arg(), State::Open.arg(), now.arg(), now.arg()]
        }),
    )?;
    Ok(new.into_iter().map(|(id,)| id).collect())
}

pub fn begin_spells(tx: &mut TenantTx, of: &[ConversationId]) -> Result<()> {
    let now = tx.now();
    let ids: Vec<SpellId> = of.iter().map(|_| SpellId::at(now)).collect();
    tx.insert_only(
        "insert into conversation_spells (tenant_id, id, conversation_id, opened_at) values ($1, $2, $3, $4)",
        ids.iter().zip(of).map(|(id, of)| [id.arg(), of.arg(), now.arg()]),
    )
    .map(drop)
}

pub fn end_spell(tx: &mut TenantTx, of: ConversationId, by: Option<UserId>) -> Result<()> {
    let now = tx.now();
    tx.run(
        "update conversation_spells set closed_at = $3, closed_by = $4
          where tenant_id = $1 and conversation_id = $2 and closed_at is null",
        args![of, now, by],
    )
    .map(drop)
}

/// Who closed it, noted beside when.
pub fn set_closer(tx: &mut TenantTx, of: ConversationId, by: Option<UserId>) -> Result<()> {
    let now = tx.now();
    tx.run(
        "update conversation_spells set closed_by = $4 where tenant_id = $1 and conversation_id = $2 and closed_at = $3",
        args![of, now, by],
    )
    .map(drop)
}

/// Writes all that changes in a conversation.
pub fn save(tx: &mut TenantTx, conversations: &[&Conversation]) -> Result<()> {
    let unread: Vec<bool> = conversations.iter().map(|of| of.unread_count > 0).collect();
    tx.run_for(
        "update conversations
            set address = $3, state = $4, snoozed_until = $5, assignee_id = $6, unread_count = $7, unread = $8,
                last_inbound_at = $9, window_ends_at = $10, last_message_id = $11, last_message_kind = $12,
                last_message_preview = $13, last_message_direction = $14, last_message_state = $15, last_message_author = $16,
                last_message_author_id = $17, last_message_at = $18, assistant_mode = $19, assistant_paused_until = $20, labels = $21,
                waiting_since = $22
          where tenant_id = $1 and id = $2",
        conversations.iter().zip(&unread).map(|(of, unread)| {
            [
                of.id.arg(),
                of.address.arg(),
                of.state.arg(),
                of.snoozed_until.arg(),
                of.assignee_id.arg(),
                of.unread_count.arg(),
                unread.arg(),
                of.last_inbound_at.arg(),
                of.window_ends_at.arg(),
                of.last_message_id.arg(),
                of.last_message_kind.arg(),
                of.last_message_preview.arg(),
                of.last_message_direction.arg(),
                of.last_message_state.arg(),
                of.last_message_author.arg(),
                of.last_message_author_id.arg(),
                of.last_message_at.arg(),
                of.assistant_mode.arg(),
                of.assistant_paused_until.arg(),
                of.labels.arg(),
                of.waiting_since.arg(),
            ]
        }),
    )
    .map(drop)
}

pub fn advance(tx: &mut TenantTx, changes: &[(ConversationId, MessageId, &'static str)]) -> Result<()> {
    tx.run_for(
        "update conversations set last_message_state = $4 where tenant_id = $1 and id = $2 and last_message_id = $3",
        changes.iter().map(|(id, message, state)| [id.arg(), message.arg(), state.arg()]),
    )
    .map(drop)
}

pub fn reword(tx: &mut TenantTx, id: ConversationId, message: MessageId, preview: &str) -> Result<()> {
    tx.run(
        "update conversations set last_message_preview = $4 where tenant_id = $1 and id = $2 and last_message_id = $3",
        args![id, message, preview],
    )
    .map(drop)
}

/// The conversation is another contact's now.
pub fn give(tx: &mut TenantTx, id: ConversationId, to: ContactId) -> Result<()> {
    tx.run("update conversations set contact_id = $3 where tenant_id = $1 and id = $2", args![id, to]).map(drop)
}

/// Replies that went there go elsewhere.
pub fn readdress(tx: &mut TenantTx, of: ContactId, from: &str, to: &str) -> Result<()> {
    tx.run(
        "update conversations set address = $4 where tenant_id = $1 and contact_id = $2 and address = $3",
        args![of, from, to],
    )
    .map(drop)
}

/// The conversation is part of another now.
pub fn fold(tx: &mut TenantTx, gone: ConversationId, into: ConversationId) -> Result<()> {
    labels::store::clear(tx, gone)?;
    notes::store::fold(tx, gone, into)?;
    tx.run(
        "update conversations set merged_into = $3 where tenant_id = $1 and (id = $2 or merged_into = $2)",
        args![gone, into],
    )?;
    tx.run(
        "update conversation_spells set conversation_id = $3 where tenant_id = $1 and conversation_id = $2",
        args![gone, into],
    )
    .map(drop)
}

/// Adds to the counts; in the order of their keys, so that two who do this do not wait for each other.
pub fn count(tx: &mut TenantTx, changes: &[(UserId, i64, i64)]) -> Result<()> {
    tx.insert_only(
        "insert into conversation_counts (tenant_id, assignee_id, open, unread) values ($1, $2, $3, $4)
         on conflict (tenant_id, assignee_id) do update
            set open = conversation_counts.open + excluded.open, unread = conversation_counts.unread + excluded.unread",
        changes.iter().map(|(assignee, open, unread)| [assignee.arg(), open.arg(), unread.arg()]),
    )
    .map(drop)
}

/// The counts as one person sees them.
pub fn counts(tx: &mut TenantRead, me: UserId) -> Result<Counts> {
    let rows: Vec<(UserId, i64, i64)> =
        tx.all("select assignee_id, open, unread from conversation_counts where tenant_id = $1", args![])?;
    let mut counts = Counts::default();
    for (assignee, open, unread) in rows {
        counts.open += open;
        counts.unread += unread;
        counts.unassigned += if assignee == UserId::NIL { open } else { 0 };
        counts.mine += if assignee == me && me != UserId::NIL { open } else { 0 };
    }
    Ok(counts)
}
