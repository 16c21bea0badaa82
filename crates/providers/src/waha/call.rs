//! One call to a WAHA: its address, its key, and what its refusals mean.

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use secrecy::ExposeSecret;
use serde_json::Value;

use super::wire::Failure;
use crate::http::{LONGEST, LONGEST_LIST, PATIENCE, PATIENCE_FILES, Reply, exchange, wait};
use crate::{CallError, Capability, Link};

/// Slow down: WhatsApp's own word for it, inside a 500.
const OVERLIMIT: Duration = Duration::from_secs(60);

pub struct Gateway<'a>(pub &'a Link);

impl Gateway<'_> {
    /// The session's name, which goes into paths: only what WAHA itself allows.
    pub fn session(&self) -> Result<&str, CallError> {
        let name = self.0.external_name.as_str();
        let fits =
            (1..=54).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        if fits { Ok(name) } else { Err(CallError::Invalid("this is no name of a WAHA session".into())) }
    }

    /// The gateway's base with a path below it.
    pub fn url(&self, path: &str) -> Result<url::Url, CallError> {
        let mut url = self.0.url.clone();
        let base = url.path().trim_end_matches('/').to_owned();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        url.set_path(&format!("{base}{path}"));
        url.set_query(query);
        url.set_fragment(None);
        Ok(url)
    }

    pub fn request(
        &self,
        method: Method,
        segments: &[&str],
        query: &[(&str, String)],
    ) -> Result<RequestBuilder, CallError> {
        let mut url = self.url(&path(segments)?)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.0.http.request(method, url).header("accept", "application/json");
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
            // a proxy before the gateway, whose page this is: the gateway never saw the request
            404 | 405 => CallError::Unreachable(format!("{} with {}", reply.status.as_u16(), reply.what())),
            408 => CallError::Cut("the gateway gave up waiting for the request".into()),
            413 => CallError::Invalid("the file is larger than the gateway takes".into()),
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
                if locked(&inside) {
                    CallError::AccountLocked
                } else if inside.contains("rate-overlimit") {
                    CallError::Wait(OVERLIMIT)
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

/// WhatsApp's reach-out timelock: `…server returned error 463`. The number alone, not inside a longer one.
fn locked(message: &str) -> bool {
    message.match_indices("463").any(|(at, found)| {
        let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let bytes = message.as_bytes();
        !digit(at.checked_sub(1).and_then(|before| bytes.get(before))) && !digit(bytes.get(at + found.len()))
    })
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

/// Fit for a log and a screen: not endless, and without the numbers of people.
fn quiet(text: &str) -> String {
    let mut quiet = String::new();
    let mut digits = String::new();
    for c in text.chars().take(2_000).chain([' ']) {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        // years and codes stay
        quiet.push_str(if digits.len() > 6 { "…" } else { &digits });
        digits.clear();
        quiet.push(c);
    }
    quiet.trim_end().to_owned()
}

/// `/a/b%40c`: every segment escaped, none of them a way up.
pub fn path(segments: &[&str]) -> Result<String, CallError> {
    let mut path = String::new();
    for segment in segments {
        if segment.is_empty() || segment.bytes().all(|byte| byte == b'.') {
            return Err(CallError::Invalid("an empty name in the path".into()));
        }
        path.push('/');
        for byte in segment.bytes() {
            if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
                path.push(char::from(byte));
            } else {
                path.push_str(&format!("%{byte:02X}"));
            }
        }
    }
    Ok(path)
}

/// `/api/files/…` out of a file's URL, whatever host the gateway believes to have. `None` if it is no such path.
pub fn file_path(url: &str) -> Option<String> {
    // parsing resolves `..`, also when escaped
    let url = url::Url::parse(url).ok()?;
    let at = url.path().find("/api/files/")?;
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{}{query}", &url.path()[at..]))
}

/// Whether a file may be fetched from here: a host with a name, on which the caller's client has its rules (they work when names are looked up),
/// or the gateway's own host. A gateway must not make us call `169.254.169.254`.
pub fn named(url: &str, gateway: &url::Url) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    let plain = matches!(url.scheme(), "http" | "https") && url.username().is_empty();
    plain
        && match url.host() {
            Some(url::Host::Domain(name)) if name != "localhost" && !name.ends_with(".localhost") => true,
            host => host.is_some() && host == gateway.host(),
        }
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

    #[test]
    fn a_bucket_has_a_name_or_is_the_gateways_host() {
        let gateway = "http://10.0.0.5:3000".parse().unwrap();
        for yes in ["https://bucket.s3.example/a?sig=1", "http://10.0.0.5:9000/bucket/a"] {
            assert!(named(yes, &gateway), "{yes}");
        }
        for no in [
            "http://169.254.169.254/x",
            "http://[::1]/x",
            "http://localhost/x",
            "http://x.localhost/",
            "file:///x",
            "http://2130706433/",
            "http://a@b/",
            "x",
        ] {
            assert!(!named(no, &gateway), "{no}");
        }
    }

    #[test]
    fn segments_are_escaped() {
        assert_eq!(path(&["api", "27820001001@c.us", "a/b c"]).unwrap(), "/api/27820001001%40c.us/a%2Fb%20c");
        assert!(path(&["api", ".."]).is_err());
        assert!(path(&["api", ""]).is_err());
    }

    #[test]
    fn numbers_of_people_do_not_reach_a_log() {
        assert_eq!(quiet("no LID for 27820001001@c.us, error 463 in 2026"), "no LID for …@c.us, error 463 in 2026");
        assert!(
            locked("2 UNKNOWN: server returned error 463") && locked("463") && !locked("14630") && !locked("error 46")
        );
    }
}
