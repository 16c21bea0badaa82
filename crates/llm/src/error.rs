//! What can go wrong, told apart by what one does about it.

use std::{fmt, time::Duration};

use crate::{Knob, Usage};

/// What kind of failure it is. The table in [`crate::retry`] says what follows from each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// The network, a time-out, or the vendor's server failed; the same call may well succeed.
    Transient,
    /// The vendor has more work than it can do.
    Overloaded(Option<Duration>),
    /// We ask too fast; how long to wait, if it said so. Holds for the key, not for the one call.
    Rate(Option<Duration>),
    /// The day's allowance is used up.
    Quota(Option<Duration>),
    /// No credit, or a spending limit was reached. A person must act.
    Money,
    /// The key is wrong or may not do this. A person must act.
    Key,
    /// The vendor serves no such model (any more). A person must choose another.
    Retired,
    /// Another request holds a lock.
    Busy,
    /// This model does not take a part of the request that can be left out.
    Parameter(Knob),
    /// More than the model can read.
    TooLong,
    /// The model would not answer, or its vendor's filter took the answer away. The category is the vendor's word.
    Refused(String),
    /// A good answer with nothing in it, mostly because thinking used up [`crate::Chat::max_output`].
    Empty,
    /// The answer does not have the shape that was asked for.
    Misshapen,
    /// What came back is not what this vendor sends: HTML, a redirect, more than we read, broken JSON.
    Unreadable,
    /// The vendor refused the request itself: a fault of ours.
    Rejected,
    /// This vendor or model cannot do what was asked; nothing was sent.
    Unable,
    /// It was not asked: it failed too often just now, or another asked too fast.
    Resting(Duration),
}

/// A failure at one model: its [`Facts`], which are read as if they were its own. Displays without a key, a prompt or an answer in it.
#[derive(Debug, Clone)]
pub struct Error(Box<Facts>);

/// What is known about a failure.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What to do about it.
    pub class: Class,
    /// The vendor's kind.
    pub vendor: &'static str,
    /// The endpoint's id.
    pub endpoint: String,
    /// The model's id.
    pub model: String,
    /// The HTTP status, if there was one.
    pub status: Option<u16>,
    /// The vendor's own code or type.
    pub code: Option<String>,
    /// The vendor's words or ours, at most 300 characters. A vendor may repeat a piece of the request here: show it to the
    /// people of the tenant, keep it out of logs.
    pub detail: String,
    /// What the vendor calls the request.
    pub request_id: Option<String>,
    /// What it cost all the same; a refusal is billed.
    pub usage: Option<Usage>,
    /// `x-should-retry`: `false` forbids what the table would try again.
    pub again: Option<bool>,
}

impl Error {
    pub(crate) fn new(class: Class, detail: impl Into<String>) -> Self {
        let mut detail: String = detail.into();
        if let Some((cut, _)) = detail.char_indices().nth(300) {
            detail.truncate(cut);
        }
        Self(Box::new(Facts {
            class,
            vendor: "",
            endpoint: String::new(),
            model: String::new(),
            status: None,
            code: None,
            detail,
            request_id: None,
            usage: None,
            again: None,
        }))
    }

    pub(crate) fn unreadable(why: impl fmt::Display) -> Self {
        Self::new(Class::Unreadable, why.to_string())
    }

    pub(crate) fn unable(why: &str) -> Self {
        Self::new(Class::Unable, why)
    }

    pub(crate) fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into()).filter(|code: &String| !code.is_empty());
        self
    }

    pub(crate) fn cost(mut self, usage: Usage) -> Self {
        self.usage = Some(usage);
        self
    }
}

impl std::ops::Deref for Error {
    type Target = Facts;
    fn deref(&self) -> &Facts {
        &self.0
    }
}

impl std::ops::DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Facts {
        &mut self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {:?}", self.vendor, self.model, self.class)?;
        if let Some(status) = self.status {
            write!(f, ", status {status}")?;
        }
        if let Some(code) = &self.code {
            write!(f, ", {code}")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, ", request {id}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// No model gave an answer. Every failure on the way, in order; never empty.
#[derive(Debug, Clone)]
pub struct Failed(pub Vec<Error>);

impl Failed {
    /// What ended it.
    pub fn last(&self) -> &Error {
        self.0.last().expect("a failure has at least one cause")
    }

    /// When the same question may be asked again, or `None` if a person must act first (or the model will not answer at all).
    pub fn again_after(&self) -> Option<Duration> {
        if matches!(self.last().class, Class::Refused(_)) {
            return None;
        }
        self.0.iter().filter_map(|error| crate::retry::later(&error.class)).min()
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            write!(f, "{}{error}", if index == 0 { "" } else { "; " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Failed {}
