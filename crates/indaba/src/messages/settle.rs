//! What becomes of a message that was handed to its gateway, and what a person decides when nobody knows.
use super::{Message, MessageId, State, inbound, store, updates::settled};
use crate::{
    Error, Result,
    clock::Time,
    conversations::{AuthorKind, Direction},
    db::TenantTx,
    events, instances, jobs, search,
};
use indaba_providers::{SendError, Sent, Session, SessionState};
use serde_json::json;
use std::time::Duration;

/// What becomes of the job.
#[derive(Debug, PartialEq)]
pub enum Next {
    /// It is settled.
    Done,
    /// Again after this long.
    After(Duration),
    /// Again with backoff, for this reason.
    Retry(String),
}

/// How long a number that is not ready is left alone.
const NOT_LINKED: Duration = Duration::from_secs(60);

/// How long a gateway is left alone that does not let us in.
const SHUT: Duration = Duration::from_secs(300);

/// How soon a message with an unclear fate is looked up.
const LOOK: Duration = Duration::from_secs(1);

/// Writes down how the sending went. `first`: to somebody who never wrote; `last`: no attempt is left.
pub fn settle(
    tx: &mut TenantTx,
    id: MessageId,
    outcome: &Result<Sent, SendError>,
    first: bool,
    last: bool,
) -> Result<Next> {
    let mut message = store::locked(tx, id)?;
    let now = tx.now();
    let error = match outcome {
        Ok(sent) => {
            reached(tx, &mut message, sent, now)?;
            if first {
                instances::unlock(tx, message.instance_id)?;
            }
            return Ok(Next::Done);
        }
        Err(error) => error,
    };
    if message.state != State::Sending {
        return Ok(Next::Done); // a status has told more meanwhile
    }
    let (code, detail) = match error {
        // its fate is not known: it stays `sending`, is looked up, and becomes `unknown` after a while
        SendError::Unknown { .. } => return Ok(Next::After(LOOK)),
        SendError::Wait { after } => {
            instances::pause(tx, message.instance_id, now + *after)?;
            requeue(tx, &mut message)?;
            return Ok(Next::After(*after));
        }
        SendError::NotLinked { .. } | SendError::InstanceGone => {
            requeue(tx, &mut message)?;
            return Ok(Next::After(NOT_LINKED));
        }
        SendError::GatewayLocked { detail } => {
            instances::refused(tx, message.instance_id, detail)?;
            requeue(tx, &mut message)?;
            return Ok(Next::After(SHUT));
        }
        SendError::Retry { detail } if !last => {
            requeue(tx, &mut message)?;
            return Ok(Next::Retry(detail.clone()));
        }
        SendError::Retry { .. } => ("unreachable", "The gateway could not be reached for a while.".to_owned()),
        SendError::Refused { code, detail } => (code.as_str(), detail.clone()),
        SendError::NotOnWhatsApp => ("not-on-whatsapp", "This number is not on WhatsApp.".into()),
        SendError::Locked { until } => {
            let until = instances::lock(tx, message.instance_id, first, until.map(Time))?;
            message.error_code = Some("account-locked".into());
            message.error_detail =
                Some(format!("WhatsApp has locked this number for a while. It is tried again at {until}."));
            requeue(tx, &mut message)?;
            return Ok(Next::After(until.since(now)));
        }
        SendError::Banned { until } => {
            let session = Session { state: SessionState::Banned, ..Session::default() };
            let known = instances::get(tx, message.instance_id)?.state_at;
            instances::answered(tx, message.instance_id, &session, known)?;
            if let Some(until) = until {
                instances::pause(tx, message.instance_id, Time(*until))?;
            }
            ("banned", "WhatsApp has banned this number.".into())
        }
        SendError::NotSupported { capability } => {
            instances::capability_is_off(tx, message.instance_id, *capability)?;
            ("not-supported", "This number's gateway cannot send that.".into())
        }
    };
    message.provider_id = None; // it never got there: its id may be used again
    fail(tx, &mut message, code, detail)?;
    Ok(Next::Done)
}

/// The gateway has it: also after a status had told so, or a person had given it up.
pub fn reached(tx: &mut TenantTx, message: &mut Message, sent: &Sent, now: Time) -> Result<()> {
    let at = sent.at.map_or(now, |at| Time(at).min(now));
    let echo =
        store::known(tx, &[(message.instance_id, &sent.provider_id)])?.into_iter().find(|echo| echo.id != message.id);
    if let Some(echo) = echo {
        // its echo came first and was taken for a message from the phone
        store::remove(tx, echo.id)?;
        search::remove(tx, &[echo.id.0])?;
        let patch = json!({ "message": { "id": echo.id, "conversationId": echo.conversation_id, "removed": true } });
        events::append(tx, "message.deleted", &echo.ids(), &patch)?;
    }
    message.provider_id = Some(sent.provider_id.clone());
    message.provider_ref = Some(sent.reference.clone());
    if message.state == State::Cancelled || message.state == State::Failed {
        message.state = State::Sending;
    }
    message.advance(State::Sent, at);
    settled(tx, &[&*message])?;
    inbound::unpark(tx, message.instance_id, &sent.provider_id)
}

/// It surely was not sent: it waits again.
fn requeue(tx: &mut TenantTx, message: &mut Message) -> Result<()> {
    message.state = State::Queued;
    message.provider_id = None;
    settled(tx, &[&*message])
}

/// It will not be sent.
pub fn fail(tx: &mut TenantTx, message: &mut Message, code: &str, detail: String) -> Result<()> {
    message.state = State::Failed;
    (message.error_code, message.error_detail) = (Some(code.to_owned()), Some(detail));
    settled(tx, &[&*message])
}

/// Nobody knows whether it was sent: from here on a person decides. False: a status has told more meanwhile.
pub fn give_up(tx: &mut TenantTx, id: MessageId) -> Result<bool> {
    let mut message = store::locked(tx, id)?;
    if message.state != State::Sending {
        return Ok(false);
    }
    message.state = State::Unknown;
    message.error_code = Some("unknown".into());
    message.error_detail = Some("The gateway did not say whether it was sent. Look at the phone, then decide.".into());
    settled(tx, &[&message])?;
    Ok(true)
}

/// A person decides about a message. Errors: 409 when its state leaves nothing to decide.
pub fn decide(tx: &mut TenantTx, id: MessageId, what: Decision) -> Result<Message> {
    let mut message = store::locked(tx, id)?;
    let allowed = match what {
        Decision::MarkSent => message.state == State::Unknown,
        Decision::Resend => matches!(message.state, State::Failed | State::Unknown | State::Cancelled),
        Decision::Cancel => matches!(message.state, State::Queued | State::Failed | State::Unknown),
    };
    if !allowed || message.direction != Direction::Outbound || message.author == AuthorKind::Phone {
        let title = match what {
            Decision::MarkSent => "Only an unknown message can be marked as sent",
            Decision::Resend => "This message cannot be sent again",
            Decision::Cancel => "This message has left already",
        };
        return Err(Error::conflict("wrong-state", title, format!("It is {} now.", message.state)));
    }
    (message.error_code, message.error_detail) = (None, None);
    match what {
        Decision::MarkSent => {
            message.advance(State::Sent, tx.now());
        }
        Decision::Resend => {
            (message.state, message.provider_id, message.provider_ref) = (State::Queued, None, None);
            message.sent_at = None; // it failed after it was sent: it is sent anew
            jobs::enqueue(tx, &super::jobs::SendMessage { message: id, conversation: message.conversation_id })?;
        }
        Decision::Cancel => message.state = State::Cancelled,
    }
    settled(tx, &[&message])?;
    Ok(message)
}

/// What a person may decide about a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It is on the phone: it was sent.
    MarkSent,
    /// Send it again.
    Resend,
    /// Do not send it; of one whose fate is unclear, ask no more.
    Cancel,
}
