//! Votes. Each side of a conversation has one present choice in a poll, kept with the poll; the newest counts.
use super::{Message, MessageId, store};
use crate::{Error, Result, clock::Time, conversations::ConversationId, db::TenantTx, events};
use indaba_providers::Content;
use serde_json::{Value, json};

/// The whole present choice of one side; none was withdrawn.
pub struct Vote<'a> {
    /// Our own number voted, on the phone.
    pub from_me: bool,
    /// What is chosen.
    pub options: &'a [String],
    /// The provider's time of it.
    pub at: Option<i64>,
}

/// Writes a vote down and tells of it. One that is older than what is known, or the same, changes nothing.
pub fn vote(tx: &mut TenantTx, poll: &mut Message, vote: &Vote) -> Result<()> {
    if poll.kind != "poll" || poll.deleted_at.is_some() {
        return Ok(());
    }
    let mut content = read(poll);
    let offered: Vec<&str> = content["options"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let options: Vec<&String> = vote.options.iter().filter(|option| offered.contains(&option.as_str())).collect();
    let options = json!(options);
    let side = if vote.from_me { "outbound" } else { "inbound" };
    let at = super::moment(vote.at, tx.now()).0;
    let before = &content["votes"][side];
    if before["at"].as_i64().is_some_and(|last| last > at) {
        return Ok(());
    }
    let same = before["options"] == options;
    content["votes"][side] = json!({ "options": options, "at": at });
    poll.content = Some(content.to_string());
    store::set_content(tx, poll)?;
    if same {
        return Ok(());
    }
    let patch =
        json!({ "message": { "id": poll.id, "conversationId": poll.conversation_id, "content": shown(content) } });
    events::append(tx, "message.voted", &poll.ids(), &patch)
}

/// Which answer of which poll of ours a pressed button or a chosen row stands for: `poll:<our id>:<n>`, as it was sent where there are no
/// polls.
pub fn pressed(content: &Content) -> Option<(MessageId, usize)> {
    let (Content::ButtonReply { id: Some(id), .. } | Content::ListReply { id: Some(id), .. }) = content else {
        return None;
    };
    let (poll, at) = id.strip_prefix("poll:")?.rsplit_once(':')?;
    Some((poll.parse().ok()?, at.parse().ok()?))
}

/// Counts a pressed answer, if the poll was asked in this conversation: whoever presses says the id, and may say anything.
pub fn press(
    tx: &mut TenantTx,
    (poll, at): (MessageId, usize),
    place: ConversationId,
    told: Option<i64>,
) -> Result<()> {
    let mut poll = match store::locked(tx, poll) {
        Err(Error::Missing) => return Ok(()),
        other => other?,
    };
    let Some(option) = read(&poll)["options"][at].as_str().map(str::to_owned) else { return Ok(()) };
    if poll.conversation_id != place {
        return Ok(());
    }
    vote(tx, &mut poll, &Vote { from_me: false, options: &[option], at: told })
}

fn read(poll: &Message) -> Value {
    poll.content.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or(json!({}))
}

/// A poll's content as the API shows it: `votes` is a list, `[{"direction","options","at"}]`, the earliest first.
pub fn shown(mut content: Value) -> Value {
    let kept = content["votes"].take();
    let mut votes: Vec<(i64, Value)> = kept
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(side, vote)| {
            let at = vote["at"].as_i64()?;
            Some((at, json!({ "direction": side, "options": vote["options"], "at": Time(at) })))
        })
        .collect();
    votes.sort_by_key(|(at, _)| *at);
    content["votes"] = votes.into_iter().map(|(_, vote)| vote).collect();
    content
}
