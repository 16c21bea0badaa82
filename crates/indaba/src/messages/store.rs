//! All SQL of messages; that of hooks is in `store/hooks.rs`.
pub mod hooks;

use super::{Message, MessageId};
use crate::{
    Result,
    clock::Time,
    conversations::{AuthorKind, ConversationId, Direction},
    db::{Arg, TenantRead, TenantTx},
    instances::{self, InstanceId},
    search,
};

/// The select of messages with their authors' names, and what follows the joins.
macro_rules! messages {
    ($rest:literal) => {
        concat!(
            "select m.id, m.conversation_id, m.instance_id, m.direction, m.author, m.author_id, m.kind, m.body, m.content, m.state,
                    m.provider_id, m.provider_ref, m.error_code, m.error_detail, m.reply_to, m.quoted_id, m.media_id, m.attempt,
                    m.asked_at, m.created_at, m.sent_at, m.delivered_at, m.read_at, m.edited_at, m.deleted_at,
                    coalesce(k.name, u.name, a.name) as author_name
               from messages m
               left join contacts k on k.tenant_id = m.tenant_id and k.id = m.author_id
               left join users u on u.id = m.author_id
               left join api_keys a on a.tenant_id = m.tenant_id and a.id = m.author_id
             ",
            $rest
        )
    };
}

pub fn get(tx: &mut TenantRead, id: MessageId) -> Result<Message> {
    tx.get(messages!("where m.tenant_id = $1 and m.id = $2"), args![id])
}

/// The same, and nobody else changes it until this transaction ends.
pub fn locked(tx: &mut TenantTx, id: MessageId) -> Result<Message> {
    tx.get(messages!("where m.tenant_id = $1 and m.id = $2 for update of m"), args![id])
}

/// One page of a conversation, newest first. `before` is the last id of the page above, or `MessageId::MAX`.
pub fn page(tx: &mut TenantRead, of: ConversationId, before: MessageId, rows: i64) -> Result<Vec<Message>> {
    tx.all(
        messages!("where m.tenant_id = $1 and m.conversation_id = $2 and m.id < $3 order by m.id desc limit $4"),
        args![of, before, rows],
    )
}

/// Messages by their ids.
pub fn all(tx: &mut TenantRead, ids: &[MessageId]) -> Result<Vec<Message>> {
    tx.all_for(messages!("where m.tenant_id = $1 and m.id = $2"), ids.iter().map(|id| [id.arg()]))
}

row! {
    /// As much of a message as a search compares.
    pub struct Wording { pub id: MessageId, pub kind: String, pub body: Option<String>, pub content: Option<String> }
}

/// The messages that a search means by these ids (`search::span`).
pub fn wordings(tx: &mut TenantRead, found: &[[u8; 16]]) -> Result<Vec<Wording>> {
    let spans: Vec<([u8; 16], [u8; 16])> = found.iter().copied().map(search::span).collect();
    tx.all_for(
        "select id, kind, body, case when kind = 'document' then content end as content
           from messages
          where tenant_id = $1 and id >= $2 and id <= $3",
        spans.iter().map(|(first, last)| [first[..].arg(), last[..].arg()]),
    )
}

/// Messages by their provider's ids, locked.
pub fn known(tx: &mut TenantTx, keys: &[(InstanceId, &str)]) -> Result<Vec<Message>> {
    tx.all_for(
        messages!("where m.tenant_id = $1 and m.instance_id = $2 and m.provider_id = $3 for update of m"),
        keys.iter().map(|(instance, id)| [instance.arg(), id.arg()]),
    )
}

/// How many of these are here.
pub fn have(tx: &mut TenantRead, keys: &[(InstanceId, &str)]) -> Result<usize> {
    let found: Vec<(MessageId,)> = tx.all_for(
        "select id from messages where tenant_id = $1 and instance_id = $2 and provider_id = $3",
        keys.iter().map(|(instance, id)| [instance.arg(), id.arg()]),
    )?;
    Ok(found.len())
}

/// Adds messages; the ids of those that were not there yet.
pub fn insert(tx: &mut TenantTx, messages: &[&Message]) -> Result<Vec<(MessageId,)>> {
    tx.insert(
        "insert into messages (tenant_id, id, conversation_id, instance_id, direction, author, author_id, kind, body, content, state,
                               provider_id, provider_ref, reply_to, quoted_id, media_id, created_at, sent_at, delivered_at, read_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
         on conflict (tenant_id, instance_id, provider_id) where provider_id is not null do nothing
         returning id",
        messages.iter().map(|of| {
            [
                of.id.arg(),
                of.conversation_id.arg(),
                of.instance_id.arg(),
                of.direction.arg(),
                of.author.arg(),
                of.author_id.arg(),
                of.kind.arg(),
                of.body.arg(),
                of.content.arg(),
                of.state.arg(),
                of.provider_id.arg(),
                of.provider_ref.arg(),
                of.reply_to.arg(),
                of.quoted_id.arg(),
                of.media_id.arg(),
                of.created_at.arg(),
                of.sent_at.arg(),
                of.delivered_at.arg(),
                of.read_at.arg(),
            ]
        }),
    )
}

/// How far messages have come, and when they were sent.
pub fn states(tx: &mut TenantRead, of: &[&Message]) -> Result<Vec<(MessageId, super::State, Option<Time>)>> {
    tx.all_for(
        "select id, state, sent_at from messages where tenant_id = $1 and id = $2",
        of.iter().map(|message| [message.id.arg()]),
    )
}

/// Writes how far messages have come.
pub fn set_states(tx: &mut TenantTx, messages: &[&Message]) -> Result<()> {
    tx.run_for(
        "update messages
            set state = $3, error_code = $4, error_detail = $5, sent_at = $6, delivered_at = $7, read_at = $8, provider_id = $9,
                provider_ref = $10, attempt = $11, asked_at = $12
          where tenant_id = $1 and id = $2",
        messages.iter().map(|of| {
            [
                of.id.arg(),
                of.state.arg(),
                of.error_code.arg(),
                of.error_detail.arg(),
                of.sent_at.arg(),
                of.delivered_at.arg(),
                of.read_at.arg(),
                of.provider_id.arg(),
                of.provider_ref.arg(),
                of.attempt.arg(),
                of.asked_at.arg(),
            ]
        }),
    )
    .map(drop)
}

/// Writes what a message says now.
pub fn set_content(tx: &mut TenantTx, of: &Message) -> Result<()> {
    tx.run(
        "update messages set body = $3, content = $4, edited_at = $5, deleted_at = $6, media_id = $7 where tenant_id = $1 and id = $2",
        args![of.id, of.body, of.content, of.edited_at, of.deleted_at, of.media_id],
    )
    .map(drop)
}

/// Removes a row that turned out to be the echo of another.
pub fn remove(tx: &mut TenantTx, id: MessageId) -> Result<()> {
    tx.run("delete from message_reactions where tenant_id = $1 and message_id = $2", args![id])?;
    tx.run("delete from messages where tenant_id = $1 and id = $2", args![id]).map(drop)
}

/// Whether a message of this number is just being handed to its gateway.
pub fn is_sending(tx: &mut TenantRead, instance: InstanceId) -> Result<bool> {
    let found: Option<(MessageId,)> = tx.find(
        "select id from messages where tenant_id = $1 and instance_id = $2 and state = 'sending' limit 1",
        args![instance],
    )?;
    Ok(found.is_some())
}

/// The newest messages that came in, for a read mark.
pub fn newest_inbound(tx: &mut TenantRead, of: ConversationId, rows: i64) -> Result<Vec<Message>> {
    let mut page = page(tx, of, MessageId::MAX, rows)?;
    page.retain(|message| message.direction == Direction::Inbound);
    Ok(page)
}

/// Moves up to 500 messages into another conversation; how many went.
pub fn fold(tx: &mut TenantTx, from: ConversationId, into: ConversationId) -> Result<u64> {
    tx.run(
        "update messages set conversation_id = $3
          where tenant_id = $1 and id in (select id from messages where tenant_id = $1 and conversation_id = $2 limit 500)",
        args![from, into],
    )
}

row! {
    /// One side's reaction.
    #[derive(Clone, Debug, PartialEq)]
    pub struct Reaction {
        pub message_id: MessageId,
        pub direction: Direction,
        pub author: AuthorKind,
        pub author_id: Option<Vec<u8>>,
        pub emoji: String,
        pub at: Time,
        pub author_name: Option<String>,
    }
}

pub fn reactions(tx: &mut TenantRead, of: &[MessageId]) -> Result<Vec<Reaction>> {
    tx.all_for(
        "select r.message_id, r.direction, r.author, r.author_id, r.emoji, r.at, coalesce(k.name, u.name) as author_name
           from message_reactions r
           left join contacts k on k.tenant_id = r.tenant_id and k.id = r.author_id
           left join users u on u.id = r.author_id
          where r.tenant_id = $1 and r.message_id = $2",
        of.iter().map(|id| [id.arg()]),
    )
}

/// Puts one side's reaction on a message, or with an empty emoji takes it off; the newest counts. False: nothing changed.
pub fn react(tx: &mut TenantTx, reaction: &Reaction) -> Result<bool> {
    let Reaction { message_id, direction, author, author_id, emoji, at, .. } = reaction;
    let done = tx.run(
        "insert into message_reactions (tenant_id, message_id, direction, author, author_id, emoji, at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant_id, message_id, direction) do update
            set author = excluded.author, author_id = excluded.author_id, emoji = excluded.emoji, at = excluded.at
          where message_reactions.at <= excluded.at and message_reactions.emoji <> excluded.emoji",
        args![message_id, direction, author, author_id, emoji, at],
    )?;
    Ok(done > 0)
}

/// Keeps updates for messages that are not here yet.
pub fn park(tx: &mut TenantTx, updates: &[(InstanceId, String, String)]) -> Result<()> {
    let now = tx.now();
    let ids: Vec<[u8; 16]> = updates.iter().map(|_| crate::id::mint(now)).collect();
    tx.insert_only(
        "insert into parked_updates (tenant_id, instance_id, provider_id, id, payload, at) values ($1, $2, $3, $4, $5, $6)",
        updates
            .iter()
            .zip(&ids)
            .map(|((instance, of, payload), id)| [instance.arg(), of.arg(), id[..].arg(), payload.arg(), now.arg()]),
    )
    .map(drop)
}

/// Takes out what was kept for these messages, in the order it came.
pub fn unpark(tx: &mut TenantTx, keys: &[(InstanceId, &str)]) -> Result<Vec<(InstanceId, String)>> {
    let mut found: Vec<(InstanceId, String, Vec<u8>)> = tx.all_for(
        "delete from parked_updates where tenant_id = $1 and instance_id = $2 and provider_id = $3 returning instance_id, payload, id",
        keys.iter().map(|(instance, of)| [instance.arg(), of.arg()]),
    )?;
    found.sort_by(|a, b| a.2.cmp(&b.2));
    Ok(found.into_iter().map(|(instance, payload, _)| (instance, payload)).collect())
}

/// Forgets what has waited longer than anything is worth.
pub fn forget_parked(tx: &mut TenantTx, before: Time) -> Result<u64> {
    tx.run(
        "delete from parked_updates
          where tenant_id = $1 and at < $2
            and id in (select id from parked_updates where tenant_id = $1 and at < $2 order by at limit 500)",
        args![before],
    )
}

/// Whether anything ever went out in this conversation.
pub fn has_sent(tx: &mut TenantRead, of: ConversationId) -> Result<bool> {
    let found: Option<(MessageId,)> = tx.find(
        "select id from messages
          where tenant_id = $1 and conversation_id = $2 and direction = 'outbound' and sent_at is not null limit 1",
        args![of],
    )?;
    Ok(found.is_some())
}

const DAY_MS: i64 = 86_400_000;

/// A turn to send on this number: `None` when it is ours, else the moment of the next. `gap_ms` is until the one after ours. With a
/// `budget` it is to somebody new, of whom there may be only so many on one day (UTC).
pub fn turn(tx: &mut TenantTx, instance: InstanceId, gap_ms: i64, budget: Option<u32>) -> Result<Option<Time>> {
    let now = tx.now();
    let (next, day) = (now.0 + gap_ms, instances::day(now));
    let (firsts, most) = (i64::from(budget.is_some()), budget.map_or(i64::MAX, i64::from));
    if most == 0 {
        return Ok(Some(Time((day + 1) * DAY_MS)));
    }
    let ours = tx.run(
        "insert into send_paces (tenant_id, instance_id, next_at, day, firsts) values ($1, $2, $3, $5, $6)
         on conflict (tenant_id, instance_id) do update
            set next_at = excluded.next_at, day = excluded.day,
                firsts = case when send_paces.day = excluded.day then send_paces.firsts + excluded.firsts else excluded.firsts end
          where send_paces.next_at <= $4 and (excluded.firsts = 0 or send_paces.day <> excluded.day or send_paces.firsts < $7)",
        args![instance, next, now, day, firsts, most],
    )?;
    if ours > 0 {
        return Ok(None);
    }
    let (at,): (Time,) =
        tx.get("select next_at from send_paces where tenant_id = $1 and instance_id = $2", args![instance])?;
    Ok(Some(if at > now { at } else { Time((day + 1) * DAY_MS) }))
}
