//! What can go wrong, told apart by what the caller does next.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Capability;

/// A hook that did not prove where it comes from. Answer 401, store nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Refused {
    /// For the log and the number's health page; without any secret.
    pub why: &'static str,
}

/// A hook that proved its origin and cannot be understood. Answer 200, keep it with the reason, show it to the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Longer than [`crate::Hook::MAX_BYTES`].
    #[error("the body is too long")]
    TooLong,
    /// Where the shape differs; never what it says.
    #[error("{0}")]
    NotAsExpected(String),
}

/// Why a message was not sent, or may have been. Each kind is a different thing for the pipeline to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum SendError {
    /// Not now: the peer refused before acting and wants us to slow down. Pause the instance so long, then send.
    #[error("told to wait {}s", after.as_secs())]
    Wait {
        /// From now.
        after: Duration,
    },
    /// Surely not done (no byte of the request was written, or the peer refused before acting): send again with backoff.
    #[error("not reached: {detail}")]
    Retry {
        /// For the log.
        detail: String,
    },
    /// The message itself is refused, for good.
    #[error("refused ({code}): {detail}")]
    Refused {
        /// Stable, kebab-case: `too-large`, `bad-request`, `outside-window`, `upgrade-gateway`…, or the wire's number.
        code: String,
        /// A sentence for a person.
        detail: String,
    },
    /// The number is not linked at present.
    #[error("the number is not linked: {detail}")]
    NotLinked {
        /// The gateway's word for the state.
        detail: String,
    },
    /// There is nobody at this address.
    #[error("this number is not on WhatsApp")]
    NotOnWhatsApp,
    /// WhatsApp refuses first messages from this number for a while (error 463). Replies still go.
    #[error("WhatsApp has locked first messages from this number")]
    Locked {
        /// ms, if told.
        until: Option<i64>,
    },
    /// WhatsApp has shut the number out.
    #[error("WhatsApp has banned this number")]
    Banned {
        /// ms, if told.
        until: Option<i64>,
    },
    /// The gateway does not let us in (key, licence): its operator must act.
    #[error("the gateway does not let us in: {detail}")]
    GatewayLocked {
        /// A sentence for the operator.
        detail: String,
    },
    /// The gateway does not know the instance any more.
    #[error("the gateway does not know this number any more")]
    InstanceGone,
    /// This gateway cannot do it: switch the capability off and fall back.
    #[error("this number cannot do that ({capability:?})")]
    NotSupported {
        /// Which.
        capability: Capability,
    },
    /// Nobody knows whether it was sent: a timeout, a cut connection, a bare 500, an answer that makes no sense. Never sent again by itself.
    #[error("not known whether it was sent: {detail}")]
    Unknown {
        /// For the log and the person who decides.
        detail: String,
    },
}

/// Why another call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No byte of the request was written: wrong address, gateway down.
    #[error("the gateway cannot be reached: {0}")]
    Unreachable(String),
    /// The request was written, and no whole answer came in time.
    #[error("the gateway did not answer: {0}")]
    Cut(String),
    /// The key is wrong, or may not do this.
    #[error("the gateway does not let us in: {0}")]
    Denied(String),
    /// The gateway is locked until its operator acts (licence).
    #[error("the gateway is locked: {0}")]
    Locked(String),
    /// The gateway does not know the instance.
    #[error("the gateway does not know this number")]
    Gone,
    /// What was asked for is not there.
    #[error("not found: {0}")]
    NotFound(String),
    /// The instance is in a state in which this cannot be done; the gateway's word for it.
    #[error("the number is in state {0}")]
    WrongState(String),
    /// The gateway is too old for this; the version it takes.
    #[error("the gateway is too old: {0} or later is needed")]
    TooOld(String),
    /// This gateway cannot do it.
    #[error("this gateway cannot do that ({0:?})")]
    NotSupported(Capability),
    /// Slow down.
    #[error("told to wait {}s", .0.as_secs())]
    Wait(Duration),
    /// The request is wrong.
    #[error("refused: {0}")]
    Invalid(String),
    /// WhatsApp refuses first messages from this number (error 463).
    #[error("WhatsApp has locked first messages from this number")]
    AccountLocked,
    /// An answer that makes no sense: a redirect, a web page, an endless body, a bare 500.
    #[error("the gateway answered strangely: {0}")]
    Strange(String),
}

impl SendError {
    /// A message that cannot be sent as it is; `detail` says what to do.
    pub(crate) fn bad(detail: impl Into<String>) -> SendError {
        SendError::Refused { code: "bad-request".into(), detail: detail.into() }
    }
}

impl From<CallError> for SendError {
    /// The careful reading: whatever does not prove that nothing was sent is [`SendError::Unknown`].
    fn from(error: CallError) -> SendError {
        match error {
            CallError::Unreachable(detail) => SendError::Retry { detail },
            CallError::Denied(detail) | CallError::Locked(detail) => SendError::GatewayLocked { detail },
            CallError::Gone => SendError::InstanceGone,
            CallError::WrongState(detail) => SendError::NotLinked { detail },
            CallError::TooOld(version) => SendError::Refused {
                code: "upgrade-gateway".into(),
                detail: format!("The gateway is too old for this. Upgrade it to {version} or later."),
            },
            CallError::NotSupported(capability) => SendError::NotSupported { capability },
            CallError::Wait(after) => SendError::Wait { after },
            CallError::Invalid(detail) => SendError::bad(detail),
            CallError::AccountLocked => SendError::Locked { until: None },
            CallError::NotFound(detail) => SendError::Refused { code: "not-found".into(), detail },
            CallError::Cut(detail) | CallError::Strange(detail) => SendError::Unknown { detail },
        }
    }
}
