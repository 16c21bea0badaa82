//! What can go wrong, as far as anyone treats it differently. This type alone becomes an HTTP answer (`http/problem.rs`).
use crate::db::Value;
use std::{borrow::Cow, time::Duration};

/// The crate's own.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Error {
    /// A row with this key is there already (409).
    #[error("it exists already: {0}")]
    Unique(String),
    /// It points at a row that is not there, or is another tenant's (409).
    #[error("it refers to nothing: {0}")]
    ForeignKey(String),
    /// Lost a race too often, or too much is waiting: try again later (503).
    #[error("busy")]
    Busy,
    /// The database went away. After a write has begun this means: the effect is not known (503).
    #[error("the database is closed")]
    Closed,
    /// No such row, or another tenant's (404).
    #[error("missing")]
    Missing,
    /// A closure panicked; it was undone (500).
    #[error("a database closure panicked")]
    Panicked,
    /// The database refused a statement: a defect of ours (500).
    #[error("{0}")]
    Statement(String),
    /// The request cannot be read (400).
    #[error("{0}")]
    Malformed(String),
    /// Nobody we know, or no longer (401).
    #[error("sign in first")]
    Unauthorized,
    /// The e-mail or the password is wrong; which of them is not said (401).
    #[error("wrong e-mail or password")]
    WrongCredentials,
    /// Known, but not allowed to (403); says who is.
    #[error("{0}")]
    Forbidden(String),
    /// The state of things does not allow it now (409). `slug` names the problem type.
    #[error("{title}: {detail}")]
    Conflict {
        /// Last part of the problem's `type`.
        slug: &'static str,
        /// What is the matter, in a few words.
        title: &'static str,
        /// What to do about it.
        detail: Cow<'static, str>,
    },
    /// More bytes than we take (413).
    #[error("{0}")]
    TooLarge(String),
    /// A media type we do not take (415).
    #[error("{0}")]
    Unsupported(String),
    /// Readable, but wrong in these fields (422).
    #[error("{} field(s) are wrong", .0.len())]
    Invalid(Vec<Field>),
    /// Too many requests; how long to wait (429).
    #[error("too many requests")]
    TooMany(Duration),
    /// Something we stand on does not answer: a gateway, the disk (503).
    #[error("{0}")]
    Unavailable(String),
    /// A defect, or a machine in trouble (500). The text is for the log, never for the answer.
    #[error("{0}")]
    Internal(String),
}

/// A wrong field: where (`/email`, a JSON pointer) and what is wrong with it, for a person.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Field {
    /// JSON pointer into the body, or the name of a query parameter.
    pub pointer: String,
    /// What to change.
    pub detail: String,
}

impl Error {
    /// A column that does not hold what its row type says: a defect of ours.
    pub fn column(want: &str, got: Value<'_>) -> Error {
        Error::Statement(format!("a column holds {got:?}, not {want}"))
    }

    /// One wrong field.
    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Error {
        Error::Invalid(vec![Field { pointer: pointer.into(), detail: detail.into() }])
    }

    /// 409 with a problem type of its own.
    pub fn conflict(slug: &'static str, title: &'static str, detail: impl Into<Cow<'static, str>>) -> Error {
        Error::Conflict { slug, title, detail: detail.into() }
    }
}
