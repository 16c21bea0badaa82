//! One call to a WAHA: its address, its key, and what its refusals mean.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::wire::Failure;
use crate::http::{self, LONGEST, LONGEST_LIST, PATIENCE, PATIENCE_FILES, Reply, exchange, quiet, timelock, wait};
use crate::{CallError, Capability, Link};

pub struct Gateway<'a>(pub &'a Link);

impl Gateway<'_> {
    /// The session's name, which goes into paths: only what WAHA itself allows.
    pub fn session(&self) -> Result<&str, CallError> {
        self.0.name(54, "a WAHA session")
    }

    pub fn request(
        &self,
        method: Method,
        segments: &[&str],
        query: &[(&str, String)],
    ) -> Result<RequestBuilder, CallError> {
        let request = http::request(self.0, method, segments, query)?;
        Ok(request.header("x-api-key", self.0.key.expose_secret()))
    }

    /// Sends it; a refusal becomes an error. `needs` is what is missing when the engine says it has no such thing.
    pub async fn send(
        &self,
        request: RequestBuilder,
        patience: Duration,
        needs: Option<Capability>,
    ) -> Result<Reply, CallError> {
        self.taken(exchange(request, patience, LONGEST).await?, needs)
    }

    fn taken(&self, reply: Reply, needs: Option<Capability>) -> Result<Reply, CallError> {
        if reply.status.is_success() { Ok(reply) } else { Err(self.refusal(&reply, needs)) }
    }

    pub async fn get(&self, segments: &[&str], query: &[(&str, String)]) -> Result<Reply, CallError> {
        self.send(self.request(Method::GET, segments, query)?, PATIENCE, None).await
    }

    /// A list, which the gateway may take long to put together.
    pub async fn get_long(&self, segments: &[&str], query: &[(&str, String)]) -> Result<Reply, CallError> {
        let request = self.request(Method::GET, segments, query)?;
        self.taken(exchange(request, PATIENCE_FILES, LONGEST_LIST).await?, Some(Capability::History))
    }

    pub async fn post(&self, segments: &[&str], body: &Value) -> Result<Reply, CallError> {
        let request = self.request(Method::POST, segments, &[])?;
        self.send(if body.is_null() { request } else { request.json(body) }, PATIENCE, None).await
    }

    pub async fn put(&self, segments: &[&str], body: &Value) -> Result<Reply, CallError> {
        self.send(self.request(Method::PUT, segments, &[])?.json(body), PATIENCE, None).await
    }

    pub async fn delete(&self, segments: &[&str]) -> Result<Reply, CallError> {
        self.send(self.request(Method::DELETE, segments, &[])?, PATIENCE, None).await
    }

    /// What an answer that is no success means. Five shapes, one rule for the sentence in them.
    pub fn refusal(&self, reply: &Reply, needs: Option<Capability>) -> CallError {
        if let Some(wait) = wait(reply) {
            return CallError::Wait(wait);
        }
        let failure = serde_json::from_slice::<Failure>(&reply.body).ok();
        let known = failure.is_some();
        let failure = failure.unwrap_or_default();
        let why = sentence(&failure);
        let missing = |why: String| needs.map_or(CallError::Invalid(why), CallError::NotSupported);
        match reply.status.as_u16() {
            401 => CallError::Denied("the API key is wrong".into()),
            403 => CallError::Denied("the API key may not do this with this session".into()),
            404 if why.starts_with("Cannot ") => missing(why),
            404 if why == "Session not found" => CallError::Gone,
            404 if known => CallError::NotFound(why),
            404 | 405 | 408 | 413 => http::before_it(reply),
            422 if failure.status.is_some() => CallError::WrongState(failure.status.unwrap_or_default()),
            422 if why.starts_with("Session ") && why.ends_with("does not exist") => CallError::Gone,
            422 if why.contains("Plus version") || why.contains("WAHA Core support") => {
                CallError::TooOld("2026.6.1".into())
            }
            400..=499 => {
                CallError::Invalid(if known { why } else { format!("{} with {}", reply.status.as_u16(), reply.what()) })
            }
            501 => missing(why),
            status => {
                let inside = failure.exception.and_then(|exception| exception.message).unwrap_or_default();
                if timelock(&inside) {
                    CallError::AccountLocked
                } else if inside.contains(http::OVERLIMIT) {
                    CallError::Wait(http::OVERLIMIT_WAIT)
                } else if inside.starts_with("Message id be in format") {
                    CallError::Invalid("the gateway does not understand the id of the message".into())
                } else if known {
                    CallError::Strange(format!("{status}: {}", quiet(&inside)))
                } else {
                    CallError::Strange(format!("{status} with {}", reply.what()))
                }
            }
        }
    }
}

/// `message` if text, else its list joined, else `error` if text, else `error.message`, else `detail`, else `exception.message`.
fn sentence(failure: &Failure) -> String {
    let text = |value: Option<&Value>| match value? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Array(list) => {
            let list: Vec<&str> = list.iter().filter_map(Value::as_str).collect();
            Some(list.join("; ")).filter(|text| !text.is_empty())
        }
        _ => None,
    };
    let nested = || failure.error.as_ref()?.get("message");
    text(failure.message.as_ref())
        .or_else(|| text(failure.error.as_ref()))
        .or_else(|| text(nested()))
        .or_else(|| failure.detail.clone())
        .or_else(|| failure.exception.as_ref()?.message.clone())
        .map(|text| quiet(&text))
        .unwrap_or_default()
}

/// `/api/files/…` out of a file's URL, whatever host the gateway believes to have. `None` if it is no such path.
pub fn file_path(url: &str) -> Option<String> {
    // parsing resolves `..`, also when escaped
    let url = url::Url::parse(url).ok()?;
    let at = url.path().find("/api/files/")?;
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{}{query}", &url.path()[at..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_files_path_is_kept_and_nothing_else() {
        assert_eq!(file_path("http://localhost:3000/api/files/s/A.jpeg").as_deref(), Some("/api/files/s/A.jpeg"));
        assert_eq!(
            file_path("https://waha.example/gw/api/files/s/A%20b.pdf?x=1").as_deref(),
            Some("/api/files/s/A%20b.pdf?x=1")
        );
        for no in [
            "http://h/api/files/../sessions",
            "http://h/api/files/%2e%2e/sessions",
            "http://h/other/A",
            "/api/files/s/A",
            "ftp:x",
            "",
        ] {
            assert_eq!(file_path(no), None, "{no}");
        }
    }
}
