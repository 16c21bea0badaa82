//! The floor under every provider's calls: one request, one bounded answer, and an honest word on whether it may have had an effect.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::lenient::clean;
use crate::{CallError, Capability, Download, Link};

/// How long a call may take in all, unless it says otherwise.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);
/// The same for files.
pub(crate) const PATIENCE_FILES: Duration = Duration::from_secs(120);
/// Longer answers are cut off.
pub(crate) const LONGEST: usize = 1 << 20;
/// Longer lists are cut off.
pub(crate) const LONGEST_LIST: usize = 16 << 20;
/// What "slow down" means when it does not say how long.
const A_WHILE: Duration = Duration::from_secs(60);
/// Nobody waits longer than this.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// The client to build a [`crate::Link`] with: follows no redirect, bounded connects. The caller adds its rules on private addresses (a
/// resolver) and has installed a process-wide rustls provider.
pub fn client() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        // Node closes an idle connection after 5 s: a send on one that is just closing would end as unknown
        .pool_idle_timeout(Duration::from_secs(3))
        .tcp_nodelay(true)
        .referer(false)
        .user_agent(concat!("Indaba/", env!("CARGO_PKG_VERSION")))
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// The body as JSON; an empty one is null.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        let body = clean(&self.body);
        let body = if body.trim_ascii().is_empty() { &b"null"[..] } else { &body };
        serde_json::from_slice(body)
            .map_err(|_| CallError::Strange(format!("{} with {}", self.status.as_u16(), self.what())))
    }

    /// The body as an object; `None` when it is empty or null. (Derived structs would read a list too, field by field.)
    pub fn object<T: DeserializeOwned>(&self) -> Result<Option<T>, CallError> {
        match self.body.trim_ascii_start().first() {
            None | Some(b'{' | b'n') => self.json(),
            Some(_) => Err(self.strange()),
        }
    }

    /// The object that must be there.
    pub fn some<T: DeserializeOwned>(&self) -> Result<T, CallError> {
        self.object()?.ok_or_else(|| self.strange())
    }

    /// What time it was at the peer, ms, in whole seconds: when it says so.
    pub fn date(&self) -> Option<i64> {
        Some(date(self.headers.get(DATE)?.to_str().ok()?)?.as_millisecond())
    }

    fn strange(&self) -> CallError {
        CallError::Strange(format!("{} with {}", self.status.as_u16(), self.what()))
    }

    /// What the body seems to be, without a word of it.
    pub fn what(&self) -> &'static str {
        let start = self.body.trim_ascii_start();
        match start.first() {
            None => "an empty body",
            Some(b'<') => "a web page instead of JSON",
            Some(b'{' | b'[') => "JSON of another shape",
            Some(_) => "something that is not JSON",
        }
    }
}

/// Sends a request and reads the whole answer, at most `longest` bytes of it. Any status is an answer, but a redirect: that is refused here, since
/// following it could carry the key elsewhere or turn a POST into a GET.
pub(crate) async fn exchange(request: RequestBuilder, patience: Duration, longest: usize) -> Result<Reply, CallError> {
    let response = request.timeout(patience).send().await.map_err(told)?;
    let (status, headers) = (response.status(), response.headers().clone());
    if status.is_redirection() {
        return Err(CallError::Strange(format!("{} redirects elsewhere; check the gateway's URL", status.as_u16())));
    }
    let mut body = Vec::new();
    let mut pieces = response.bytes_stream();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(told)?;
        if body.len() + piece.len() > longest {
            return Err(CallError::Strange(format!("{} with more than {longest} bytes", status.as_u16())));
        }
        body.extend_from_slice(&piece);
    }
    Ok(Reply { status, headers, body: body.into() })
}

/// Sends a request and hands on the body as it comes, at most `max_bytes` of it. An answer that is not a success is read and returned as a reply.
pub(crate) async fn download(request: RequestBuilder, max_bytes: u64) -> Result<Result<Download, Reply>, CallError> {
    let response = request.timeout(PATIENCE_FILES).send().await.map_err(told)?;
    let (status, headers) = (response.status(), response.headers().clone());
    if status.is_redirection() {
        return Err(CallError::Strange(format!("{} redirects elsewhere", status.as_u16())));
    }
    if !status.is_success() {
        let mut body = Vec::new();
        let mut pieces = response.bytes_stream();
        while let Some(piece) = pieces.next().await {
            body.extend_from_slice(&piece.map_err(told)?);
            if body.len() > 64 << 10 {
                break;
            }
        }
        return Ok(Err(Reply { status, headers, body: body.into() }));
    }
    let size_bytes = response.content_length();
    let too_long = move || CallError::Invalid(format!("the file is larger than {max_bytes} bytes"));
    if size_bytes.is_some_and(|size| size > max_bytes) {
        return Err(too_long());
    }
    let mime = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let mut left = max_bytes;
    let mut over = false;
    let body = response
        .bytes_stream()
        .map(move |piece| {
            let piece = piece.map_err(told)?;
            left = left.checked_sub(piece.len() as u64).ok_or_else(too_long)?;
            Ok(piece)
        })
        // after the first error there is nothing more
        .take_while(move |piece| {
            let go_on = !over;
            over = piece.is_err();
            std::future::ready(go_on)
        })
        .boxed();
    Ok(Ok(Download { mime, size_bytes, body }))
}

/// Whether any byte of the request can have been written. The URL stays out of it: paths hold phone numbers.
fn told(error: reqwest::Error) -> CallError {
    let error = error.without_url();
    let mut why = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        why = inner.to_string();
        cause = inner.source();
    }
    if error.is_connect() || error.is_builder() {
        CallError::Unreachable(why)
    } else if error.is_timeout() {
        CallError::Cut("no answer in time".into())
    } else {
        CallError::Cut(format!("the connection broke: {why}"))
    }
}

/// `Retry-After`, in seconds or as a date. A date counts from the answer's own `Date`, so that two clocks need not agree.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds.clamp(0.0, LONGEST_WAIT.as_secs_f64())).ok();
    }
    let then = date(text)?;
    let now = headers.get(DATE).and_then(|value| date(value.to_str().ok()?)).unwrap_or_else(jiff::Timestamp::now);
    let seconds = then.as_second().saturating_sub(now.as_second()).max(0);
    Some(Duration::from_secs(seconds.unsigned_abs()).min(LONGEST_WAIT))
}

/// How long to wait after a 429, or a 503 that says so.
pub(crate) fn wait(reply: &Reply) -> Option<Duration> {
    match (reply.status, retry_after(&reply.headers)) {
        (StatusCode::TOO_MANY_REQUESTS, told) => Some(told.unwrap_or(A_WHILE)),
        (StatusCode::SERVICE_UNAVAILABLE, told) => told,
        _ => None,
    }
}

fn date(text: &str) -> Option<jiff::Timestamp> {
    jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok()
}

/// What stands before a gateway says: it never saw the request, did not wait for it, or does not take so much.
pub(crate) fn before_it(reply: &Reply) -> CallError {
    match reply.status.as_u16() {
        408 => CallError::Cut("the gateway gave up waiting for the request".into()),
        413 => CallError::Invalid("the file is larger than the gateway takes".into()),
        // a proxy's own page
        status => CallError::Unreachable(format!("{status} with {}", reply.what())),
    }
}

/// A request of a gateway, still without a key.
pub(crate) fn request<K: AsRef<str>, V: AsRef<str>>(
    link: &Link,
    method: Method,
    segments: &[&str],
    query: &[(K, V)],
) -> Result<RequestBuilder, CallError> {
    let at = if segments.is_empty() { "/".to_owned() } else { path(segments)? };
    let mut url = below(&link.url, &at);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    Ok(link.http.request(method, url).header("accept", "application/json"))
}

/// One send: which call, its body, what it is called when the gateway lacks it, and how long it may take.
pub(crate) struct Order {
    pub call: &'static str,
    pub body: Value,
    pub needs: Option<Capability>,
    pub patience: Duration,
}

/// A gateway's base with a path (and query) below it.
pub(crate) fn below(base: &url::Url, path: &str) -> url::Url {
    let mut url = base.clone();
    let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url.set_query(query);
    url.set_fragment(None);
    url
}

/// `/a/b%40c`: every segment escaped, none of them a way up.
pub(crate) fn path(segments: &[&str]) -> Result<String, CallError> {
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

/// Whether a file may be fetched from here: a host with a name, on which the caller's client has its rules (they work when names are looked up),
/// or the gateway's own host. A gateway must not make us call `169.254.169.254`.
pub(crate) fn named(url: &str, gateway: &url::Url) -> bool {
    let Ok(url) = url::Url::parse(url) else { return false };
    let plain = matches!(url.scheme(), "http" | "https") && url.username().is_empty();
    plain
        && match url.host() {
            Some(url::Host::Domain(name)) if name != "localhost" && !name.ends_with(".localhost") => true,
            host => host.is_some() && host == gateway.host(),
        }
}

/// Slow down: WhatsApp's own word for it, inside a gateway's error.
pub(crate) const OVERLIMIT: &str = "rate-overlimit";
/// For how long, then.
pub(crate) const OVERLIMIT_WAIT: Duration = Duration::from_secs(60);

/// WhatsApp's reach-out timelock: `…server returned error 463`. The number alone, not inside a longer one.
pub(crate) fn timelock(message: &str) -> bool {
    message.match_indices("463").any(|(at, found)| {
        let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        let bytes = message.as_bytes();
        !digit(at.checked_sub(1).and_then(|before| bytes.get(before))) && !digit(bytes.get(at + found.len()))
    })
}

/// Fit for a log and a screen: not endless, and without the numbers of people.
pub(crate) fn quiet(text: &str) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn retry_after_comes_in_two_forms() {
        let seconds = |pairs: &[(&'static str, &'static str)]| retry_after(&headers(pairs)).map(|wait| wait.as_secs());
        assert_eq!(seconds(&[("retry-after", "7")]), Some(7));
        assert_eq!(seconds(&[("retry-after", "-7")]), Some(0));
        assert_eq!(seconds(&[("retry-after", "99999999999999")]), Some(24 * 3600));
        assert_eq!(
            seconds(&[("date", "Fri, 20 Nov 2026 07:00:00 GMT"), ("retry-after", "Fri, 20 Nov 2026 07:01:30 GMT")]),
            Some(90)
        );
        assert_eq!(
            seconds(&[("date", "Fri, 20 Nov 2026 07:00:00 GMT"), ("retry-after", "Fri, 20 Nov 2026 06:00:00 GMT")]),
            Some(0)
        );
        assert_eq!(seconds(&[("retry-after", "soon")]), None);
        assert_eq!(seconds(&[("retry-after", "NaN")]), None);
        assert_eq!(seconds(&[]), None);
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
            timelock("2 UNKNOWN: server returned error 463")
                && timelock("463")
                && !timelock("14630")
                && !timelock("error 46")
        );
    }
}
