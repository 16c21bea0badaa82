//! The work that messages make: sending, reacting, marking as read.
use super::{
    Message, MessageId, State, outbound,
    outbound::{Order, Taken, Turn},
    settle::{self, Next},
    store,
};
use crate::{
    Error,
    blobs::BlobKey,
    conversations::{self, ConversationId},
    http::Who,
    instances::{self, link::Reach},
    jobs::{Job, JobCx, JobError, Priority},
    media,
};
use indaba_providers::{Address, CallError, Capability, LookedUp, SendError, Sent};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Sends one queued message through its number.
///
/// A message found already `sending` was cut off mid-call: it is looked up where the provider can (absence proves nothing) and otherwise
/// becomes `unknown` after the grace time. It is never sent again by itself.
#[derive(Serialize, Deserialize)]
pub struct SendMessage {
    /// Which.
    pub message: MessageId,
    /// Its lane: replies keep their order.
    pub conversation: ConversationId,
}

/// The longest wait before a message that is adrift is looked up again.
const LOOK_AGAIN: Duration = Duration::from_secs(15);
/// How long a number that is not connected is left alone.
const NOT_CONNECTED: Duration = Duration::from_secs(30);

impl Job for SendMessage {
    const KIND: &'static str = "message.send";
    const PRIORITY: Priority = Priority::Person;
    const TIMEOUT: Duration = Duration::from_secs(180);

    fn lane(&self) -> Option<String> {
        Some(format!("out:{}", self.conversation))
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let id = self.message;
        let message = match cx.read(move |tx| store::get(tx, id)).await {
            Err(Error::Missing) => return Ok(()),
            other => other?,
        };
        if !matches!(message.state, State::Queued | State::Sending) {
            return Ok(());
        }
        let reach = match instances::link::reach(&cx.app, cx.tenant, message.instance_id).await {
            Err(Error::Missing) => return gone(cx, id).await,
            other => other?,
        };
        let now = cx.app.clock.now();
        if message.state == State::Queued {
            if let Some(until) = reach.paused_until.filter(|until| *until > now) {
                return Err(JobError::Snooze(until.since(now)));
            }
            if reach.state != instances::State::Connected {
                return Err(JobError::Snooze(NOT_CONNECTED));
            }
        }
        let own_id =
            reach.provider.own_id(&reach.link.build, &id.to_string()).filter(|_| reach.capabilities.own_message_id);
        let pace = &cx.app.config.pace;
        let linked = !reach.capabilities.window_24h;
        let turn = Turn {
            gap_ms: if linked { outbound::gap_ms(pace.linked_min_ms, pace.linked_max_ms) } else { 0 },
            new_chats: instances::new_chats(pace.new_chats_per_day, reach.created_at, now),
            firsts_from: reach.firsts_paused_until,
        };
        match cx.write(move |tx| outbound::take(tx, id, own_id.as_deref(), &turn)).await {
            Ok(Taken::Nothing) => Ok(()),
            Ok(Taken::NotYet(at)) => Err(JobError::Snooze(at.since(now).max(Duration::from_millis(10)))),
            Ok(Taken::Adrift(order)) => adrift(cx, &reach, &order).await,
            Ok(Taken::Order(order)) => send(cx, &reach, &order).await,
            Err(Error::Malformed(why)) => refuse(cx, id, "no-address", why).await,
            Err(e) => Err(e.into()),
        }
    }
}

/// Hands it over; no transaction can be open here.
async fn send(cx: &JobCx, reach: &Reach, order: &Order) -> Result<(), JobError> {
    let id = order.message.id;
    let outgoing = match bytes(cx, order).await.and_then(|bytes| outbound::outgoing(order, bytes)) {
        Ok(outgoing) => outgoing,
        Err(e) => return refuse(cx, id, "no-file", format!("Its file cannot be read: {e}")).await,
    };
    let outcome = reach.provider.send(&reach.link, &outgoing).await;
    if let Err(e) = &outcome {
        tracing::info!(message.id = %id, provider = reach.provider.kind(), "message {id} was not sent: {e}");
    }
    settle(cx, order, outcome).await
}

async fn settle(cx: &JobCx, order: &Order, outcome: Result<Sent, SendError>) -> Result<(), JobError> {
    let (id, first, last) = (order.message.id, order.first, cx.last);
    match cx.write(move |tx| settle::settle(tx, id, &outcome, first, last)).await? {
        Next::Done => Ok(()),
        Next::After(wait) => Err(JobError::Snooze(wait)),
        Next::Retry(why) => Err(JobError::Retry(why)),
    }
}

async fn bytes(cx: &JobCx, order: &Order) -> Result<Option<bytes::Bytes>, Error> {
    let Some(file) = &order.file else { return Ok(None) };
    media::ready(file)?;
    let key = BlobKey::of(cx.tenant, file.blob_key.as_deref().ok_or(Error::Missing)?)?;
    cx.app.blobs.bytes(&key).await.map(Some)
}

/// It was being handed over when a worker died or the gateway fell silent.
async fn adrift(cx: &JobCx, reach: &Reach, order: &Order) -> Result<(), JobError> {
    let id = order.message.id;
    if let Some(sent) = look_up(reach, order).await {
        return settle(cx, order, Ok(sent)).await;
    }
    let grace = Duration::from_secs(cx.app.config.sending.unknown_after_s);
    let waited = cx.app.clock.now().since(order.message.asked_at.unwrap_or_default());
    if waited < grace {
        // it is found within seconds, or hardly ever: the waits double
        let wait = waited.clamp(Duration::from_secs(1), LOOK_AGAIN);
        return Err(JobError::Snooze(wait.min(grace - waited)));
    }
    cx.write(move |tx| settle::give_up(tx, id)).await?;
    Ok(())
}

/// By our own id; never by its text.
pub(super) async fn look_up(reach: &Reach, order: &Order) -> Option<Sent> {
    let correlation = order.message.id.to_string();
    match reach.provider.find_sent(&reach.link, &order.to, &correlation).await {
        Ok(LookedUp::Found { sent, .. }) => Some(sent),
        Ok(LookedUp::NotSeen) | Err(_) => None,
    }
}

async fn gone(cx: &JobCx, id: MessageId) -> Result<(), JobError> {
    refuse(cx, id, "number-removed", "The number it was to go out on was removed.".into()).await
}

/// Nothing of it was handed over, and nothing will be.
async fn refuse(cx: &JobCx, id: MessageId, code: &'static str, why: String) -> Result<(), JobError> {
    cx.write(move |tx| {
        let mut message = store::locked(tx, id)?;
        match message.state {
            State::Queued | State::Sending => settle::fail(tx, &mut message, code, why.clone()),
            _ => Ok(()),
        }
    })
    .await?;
    Ok(())
}

/// Puts our reaction on a message, or takes it off.
#[derive(Serialize, Deserialize)]
pub struct React {
    /// On which.
    pub message: MessageId,
    /// In its lane, so that a reaction does not overtake what it is put on.
    pub conversation: ConversationId,
    /// Empty: off.
    pub emoji: String,
}

impl Job for React {
    const KIND: &'static str = "message.react";
    const ATTEMPTS: u32 = 5;
    const PRIORITY: Priority = Priority::Person;

    fn lane(&self) -> Option<String> {
        Some(format!("out:{}", self.conversation))
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let id = self.message;
        let order = cx.read(move |tx| {
            let message = store::get(tx, id)?;
            outbound::order(tx, message)
        });
        let order = match order.await {
            Err(Error::Missing | Error::Malformed(_)) => return Ok(()),
            other => other?,
        };
        let reach = match instances::link::reach(&cx.app, cx.tenant, order.message.instance_id).await {
            Err(Error::Missing) => return Ok(()),
            other => other?,
        };
        let Some(on) = outbound::reference(&order.message, &order.to) else { return Ok(()) };
        match reach.provider.react(&reach.link, &on, &self.emoji).await {
            Ok(()) => Ok(()),
            Err(SendError::Wait { after }) => Err(JobError::Snooze(after)),
            Err(e @ (SendError::Retry { .. } | SendError::NotLinked { .. } | SendError::Unknown { .. }))
                if !cx.last =>
            {
                Err(JobError::Retry(e.to_string())) // putting on the same emoji twice changes nothing
            }
            Err(SendError::NotSupported { capability }) => off(cx, &order.message, capability).await,
            Err(e) => Err(JobError::Fail(e.to_string())),
        }
    }
}

async fn off(cx: &JobCx, message: &Message, capability: Capability) -> Result<(), JobError> {
    let instance = message.instance_id;
    cx.write(move |tx| instances::capability_is_off(tx, instance, capability)).await?;
    Ok(())
}

/// Tells WhatsApp that what came in was read.
#[derive(Serialize, Deserialize)]
pub struct MarkRead {
    /// In this conversation, up to now.
    pub conversation: ConversationId,
}

impl Job for MarkRead {
    const KIND: &'static str = "conversation.read";
    const ATTEMPTS: u32 = 3;

    fn unique(&self) -> Option<String> {
        Some(self.conversation.to_string())
    }

    async fn run(&self, cx: &JobCx) -> Result<(), JobError> {
        let id = self.conversation;
        let found = cx.read(move |tx| {
            let place = conversations::get(tx, id)?;
            let newest = store::newest_inbound(tx, place.id, 30)?;
            Ok((place, newest))
        });
        let (place, newest) = match found.await {
            Err(Error::Missing) => return Ok(()),
            other => other?,
        };
        let Some(chat) = place.address.as_deref().and_then(Address::parse) else { return Ok(()) };
        let on: Vec<_> = newest.iter().filter_map(|message| outbound::reference(message, &chat)).collect();
        let reach = match instances::link::reach(&cx.app, cx.tenant, place.instance_id).await {
            Err(Error::Missing) => return Ok(()),
            other => other?,
        };
        if reach.capabilities.presence {
            // somebody looks at this conversation: from now on they see when the contact types; not worth a retry
            let _ = reach.provider.watch(&reach.link, &chat).await;
        }
        if on.is_empty() || !reach.capabilities.mark_read {
            return Ok(());
        }
        match reach.provider.mark_read(&reach.link, &chat, &on).await {
            Ok(()) => Ok(()),
            Err(CallError::NotSupported(capability)) => {
                let instance = place.instance_id;
                cx.write(move |tx| instances::capability_is_off(tx, instance, capability)).await?;
                Ok(())
            }
            // a tick that the contact does not see is nothing to keep anybody busy with
            Err(e) if cx.last => {
                tracing::debug!("a read mark was not set: {e}");
                Ok(())
            }
            Err(e) => Err(JobError::Retry(e.to_string())),
        }
    }
}

/// Whether a person's decision about a message can be taken from the gateway: `Some` if it has it after all.
pub(super) async fn check(app: &crate::app::App, who: &Who, id: MessageId) -> Result<Option<Sent>, Error> {
    let order = app.db.read(who.tenant, move |tx| {
        let message = store::get(tx, id)?;
        outbound::order(tx, message)
    });
    let order = order.await?;
    if !matches!(order.message.state, State::Unknown | State::Sending) {
        return Ok(None);
    }
    let reach = instances::link::reach(app, who.tenant, order.message.instance_id).await?;
    Ok(look_up(&reach, &order).await)
}
