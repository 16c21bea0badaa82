//! What was there before us, and what came while nobody listened: chats imported when a person asks, and gaps filled whenever a number is
//! connected again. Both take in old messages as if they had come just now, but as history: nothing becomes unread because of them.
use super::inbound::{self, Told};
use crate::{
    Error, Result,
    app::App,
    audit,
    clock::Time,
    contacts, conversations,
    db::TenantTx,
    events::Event,
    http::Who,
    instances::{self, InstanceId, SyncState},
    jobs::{self, Job, JobCx, JobError, Priority},
};
use indaba_providers::{CallError, Capability, Chat, History, Incoming, Message};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Chats asked for at a time: WAHA looks up a picture for each.
const CHATS: u32 = 20;
/// Messages of each chat.
const MESSAGES: u32 = 20;
/// Messages of a gap asked for at a time, and how many such pages at most.
const GAP: u32 = 100;
const GAP_PAGES: u32 = 50;
/// A gap is filled from so long before it: what was on its way when the line broke, and clocks that differ.
const MARGIN: Duration = Duration::from_secs(15 * 60);

/// Imports a page of a number's chats as contacts and conversations, each with its newest messages; then the next page. Safe to repeat:
/// what is here already stays as it is.
#[derive(Serialize, Deserialize)]
pub struct ImportChats {
    /// Which number.
    pub instance: InstanceId,
    /// Where the page begins; none for the first.
    pub after: Option<String>,
    /// Chats imported by the pages before.
    pub done: i64,
}

impl Job for ImportChats {
    const KIND: &'static str = "chats.import";
    const PRIORITY: Priority = Priority::Campaign;

    fn lane(&self) -> Option<String> {
        Some(format!("history:{}", self.instance))
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        match self.page(cx).await {
            Err(JobError::Retry(why)) if cx.last => {
                self.give_up(cx).await?;
                Err(JobError::Fail(why))
            }
            Err(JobError::Fail(why)) => {
                self.give_up(cx).await?;
                Err(JobError::Fail(why))
            }
            other => other,
        }
    }
}

impl ImportChats {
    async fn page(&self, cx: &JobCx) -> Result<(), JobError> {
        let reach = match instances::reach(&cx.app, cx.tenant, self.instance).await {
            Err(Error::Missing) => return Ok(()), // deleted meanwhile
            other => other?,
        };
        let chats = reach.provider.chats(&reach.link, self.after.as_deref(), CHATS).await.map_err(again)?;
        let mut messages: Vec<Message> = Vec::new();
        for chat in &chats.items {
            let of = History { chat: Some(chat.chat.clone()), limit: MESSAGES, ..History::default() };
            match reach.provider.history(&reach.link, &of).await {
                Ok(page) => messages.extend(page.items),
                Err(CallError::NotSupported(_) | CallError::NotFound(_)) => {
                    messages.extend(chat.last.as_deref().cloned())
                }
                Err(e) => return Err(again(e)),
            }
        }
        let told = as_history(messages);
        let (instance, done) = (self.instance, self.done + chats.items.len() as i64);
        let (people, next) = (chats.items, chats.next);
        cx.write(move |tx| {
            take_in(tx, instance, &told)?;
            people.iter().filter(|chat| chat.chat.is_person()).try_for_each(|chat| keep(tx, instance, chat))?;
            match &next {
                Some(after) => {
                    instances::set_sync(tx, instance, SyncState::Running, done, None)?;
                    jobs::enqueue(tx, &ImportChats { instance, after: Some(after.clone()), done })
                }
                None => instances::set_sync(tx, instance, SyncState::Done, done, Some(done)),
            }
        })
        .await?;
        Ok(())
    }

    async fn give_up(&self, cx: &JobCx) -> Result<()> {
        let (instance, done) = (self.instance, self.done);
        cx.write(move |tx| instances::set_sync(tx, instance, SyncState::Failed, done, None)).await
    }
}

/// A chat is a contact and a conversation even if it holds no message that we can read.
fn keep(tx: &mut TenantTx, instance: InstanceId, chat: &Chat) -> Result<()> {
    let mut person = chat.person.clone();
    person.learn(&chat.chat);
    let found = contacts::recognise(tx, &[contacts::Sighting { instance, person: &person, wrote: false }])?;
    let pairs: Vec<_> = found.contacts.iter().map(|contact| (instance, contact.id)).collect();
    conversations::of(tx, &pairs).map(drop)
}

/// Messages as facts about the past, the oldest first. They come the newest first, also those of one second.
fn as_history(mut messages: Vec<Message>) -> Vec<Incoming> {
    messages.reverse();
    messages.sort_by_key(|message| message.at);
    messages.into_iter().map(|message| Incoming::Message(Box::new(Message { history: true, ..message }))).collect()
}

fn take_in(tx: &mut TenantTx, instance: InstanceId, incoming: &[Incoming]) -> Result<()> {
    // a message that cannot be kept takes none of the others with it
    let told = incoming.iter().map(|incoming| Told { instance, incoming }).filter(inbound::can_be_kept);
    inbound::receive(tx, &told.collect::<Vec<_>>())
}

/// What of a gateway's refusal may pass, and what will not.
fn again(error: CallError) -> JobError {
    match error {
        CallError::Wait(after) => JobError::Snooze(after),
        CallError::WrongState(_) => JobError::Retry("the number is not linked".into()),
        CallError::NotSupported(_) | CallError::Gone | CallError::Invalid(_) | CallError::TooOld(_) => {
            JobError::Fail(error.to_string())
        }
        other => JobError::Retry(other.to_string()),
    }
}

/// Starts the import of a number's chats; one that runs goes on. Errors: 409 when the gateway keeps no history or the number is not linked.
pub async fn import(app: &App, who: &Who, instance: InstanceId) -> Result<()> {
    let reach = instances::reach(app, who.tenant, instance).await?;
    if !reach.capabilities.history {
        return Err(instances::link::problem(CallError::NotSupported(Capability::History)));
    }
    if reach.state != instances::State::Connected {
        return Err(Error::conflict(
            "not-linked",
            "The number is not linked",
            "Link it first; then its chats can be imported.",
        ));
    }
    let asked = who.clone();
    app.db
        .write(who.tenant, move |tx| {
            if instances::get(tx, instance)?.sync_state == SyncState::Running {
                return Ok(());
            }
            instances::set_sync(tx, instance, SyncState::Running, 0, None)?;
            jobs::enqueue(tx, &ImportChats { instance, after: None, done: 0 })?;
            audit::record(tx, &asked, "instance.sync_chats", &(), &serde_json::json!({ "id": instance }))
        })
        .await
}

/// Fetches what came while a number was not connected, or its gateway could not reach us.
#[derive(Serialize, Deserialize)]
pub struct FillGap {
    /// Which number.
    pub instance: InstanceId,
    /// When the gap began; left out by the version before: with the last message that came in.
    #[serde(default)]
    pub since: Option<Time>,
}

impl Job for FillGap {
    const KIND: &'static str = "history.fill";

    fn lane(&self) -> Option<String> {
        Some(format!("history:{}", self.instance))
    }

    fn unique(&self) -> Option<String> {
        Some(self.instance.to_string())
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let instance = self.instance;
        let reach = match instances::reach(&cx.app, cx.tenant, instance).await {
            Err(Error::Missing) => return Ok(()), // deleted meanwhile
            other => other?,
        };
        if !reach.capabilities.history {
            return Ok(());
        }
        let since = match self.since {
            Some(since) => since,
            None => {
                let row = cx.read(move |tx| instances::get(tx, instance)).await?;
                row.last_inbound_at.unwrap_or(row.created_at)
            }
        } - MARGIN;
        let mut of = History { since: Some(since.0), limit: GAP, ..History::default() };
        let (mut missed, mut failed) = (Vec::<Message>::new(), None);
        for page in 1.. {
            let found = match reach.provider.history(&reach.link, &of).await {
                Ok(found) => found,
                Err(e) => {
                    failed = Some(again(e)); // what came before it is kept all the same
                    break;
                }
            };
            missed.extend(found.items);
            of.after = found.next;
            if of.after.is_none() {
                break;
            }
            if page == GAP_PAGES {
                tracing::warn!(instance.id = %instance, "a gap of {instance} is longer than what is fetched of it");
                break;
            }
        }
        missed.reverse(); // they come the newest first
        // a missed message is news, however late; one of our own number is history
        let told: Vec<Incoming> = missed
            .into_iter()
            .map(|message| Incoming::Message(Box::new(Message { history: message.from_me, ..message })))
            .collect();
        for some in told.chunks(GAP as usize) {
            let some = some.to_vec();
            cx.write(move |tx| take_in(tx, instance, &some)).await?;
        }
        failed.map_or(Ok(()), Err)
    }
}

/// Follows `instance.state`: a number that is connected may have missed something since it was last seen so.
pub fn follow(tx: &mut TenantTx, event: &Event) -> Result<()> {
    let patch: serde_json::Value = serde_json::from_str(event.patch()).unwrap_or_default();
    let since: Option<Time> = patch["missedSince"].as_str().and_then(|since| since.parse().ok());
    match (event.id::<InstanceId>("instance"), since) {
        (Some(instance), Some(since)) => jobs::enqueue(tx, &FillGap { instance, since: Some(since) }),
        _ => Ok(()),
    }
}
