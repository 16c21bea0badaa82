//! Errors as answers: problem+json (RFC 9457). The one place where an [`Error`] becomes a status.
use crate::{Error, error::Field, request};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// What every error answer holds.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// `/problems/outside-window`: stable, for programs.
    #[serde(rename = "type")]
    pub kind: String,
    /// What is the matter, in a few words.
    pub title: String,
    /// The HTTP status once more.
    pub status: u16,
    /// What to do about it, for a person.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub detail: String,
    /// To name when asking for help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The wrong fields, for 422.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<Field>,
}

impl Problem {
    /// One made of its parts, with the id of the running request.
    pub fn new(status: StatusCode, slug: &str, title: &str, detail: impl Into<String>) -> Problem {
        Problem {
            kind: format!("/problems/{slug}"),
            title: title.into(),
            status: status.as_u16(),
            detail: detail.into(),
            request_id: request::current().map(|id| id.as_ref().to_owned()),
            errors: Vec::new(),
        }
    }
}

impl From<Error> for Problem {
    fn from(e: Error) -> Problem {
        use StatusCode as S;
        type Told = (StatusCode, &'static str, &'static str, Cow<'static, str>);
        let (status, slug, title, detail): Told = match e {
            Error::Malformed(detail) => (S::BAD_REQUEST, "malformed", "The request cannot be read", detail.into()),
            Error::Unauthorized => (S::UNAUTHORIZED, "unauthorized", "Sign in first", "".into()),
            Error::WrongCredentials => {
                let detail = "The e-mail or the password is wrong.";
                (S::UNAUTHORIZED, "credentials", "This did not sign you in", detail.into())
            }
            Error::Forbidden(detail) => (S::FORBIDDEN, "forbidden", "You may not do this", detail.into()),
            Error::Missing => (S::NOT_FOUND, "missing", "There is no such thing", "".into()),
            Error::Unique(_) => (S::CONFLICT, "exists", "It exists already", "Choose another name or value.".into()),
            Error::ForeignKey(_) => {
                (S::CONFLICT, "refers", "It refers to something that is not there", "Reload and try again.".into())
            }
            Error::Conflict { slug, title, detail } => (S::CONFLICT, slug, title, detail),
            Error::TooLarge(detail) => (S::PAYLOAD_TOO_LARGE, "too-large", "That is too large", detail.into()),
            Error::Unsupported(detail) => {
                (S::UNSUPPORTED_MEDIA_TYPE, "unsupported", "This media type is not taken", detail.into())
            }
            Error::Invalid(errors) => {
                let detail = errors.first().map(|field| format!("{}: {}", field.pointer, field.detail));
                let title = "Some fields are wrong";
                let problem = Problem::new(S::UNPROCESSABLE_ENTITY, "invalid", title, detail.unwrap_or_default());
                return Problem { errors, ..problem };
            }
            Error::TooMany(wait) => {
                let detail = format!("Try again in {} s.", wait.as_secs_f64().ceil().max(1.0));
                (S::TOO_MANY_REQUESTS, "too-many", "Too many requests", detail.into())
            }
            Error::Busy => (S::SERVICE_UNAVAILABLE, "busy", "The server is busy", "Try again in a moment.".into()),
            Error::Closed => {
                let detail = "Whether it was done is not known: look before you try again.";
                (S::SERVICE_UNAVAILABLE, "closed", "The server is stopping", detail.into())
            }
            Error::Unavailable(detail) => {
                (S::SERVICE_UNAVAILABLE, "unavailable", "Something we need does not answer", detail.into())
            }
            Error::Panicked | Error::Statement(_) | Error::Internal(_) => {
                let detail = "The fault is ours; it is in the log under this request id.";
                (S::INTERNAL_SERVER_ERROR, "internal", "Something went wrong", detail.into())
            }
        };
        Problem::new(status, slug, title, detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_vec(&self).expect("strings become JSON");
        let status = StatusCode::from_u16(self.status).expect("it was one");
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response()
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let wait = match &self {
            Error::TooMany(wait) => Some(wait.as_secs_f64().ceil().max(1.0)),
            Error::Busy | Error::Closed | Error::Unavailable(_) => Some(1.0),
            _ => None,
        };
        if matches!(self, Error::Panicked | Error::Statement(_) | Error::Internal(_)) {
            tracing::error!(error = %self, "a request failed: {self}");
        }
        let mut answer = Problem::from(self).into_response();
        if let Some(wait) = wait {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait as u64));
        }
        if answer.status() == StatusCode::UNAUTHORIZED {
            answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        answer
    }
}
