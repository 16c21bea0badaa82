//! What a vendor's file must say. All of it is translation: no network, no clock, no state.

use std::{collections::BTreeSet, time::Duration};

use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use jiff::{Timestamp, fmt::rfc2822};
use reqwest::{
    Method,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use secrecy::ExposeSecret;
use serde_json::Value;
use url::Url;

use crate::{
    Audio, Auth, Can, Chat, Class, Delta, Embed, Embedded, Endpoint, Error, Event, Knob, Listed, Model, Reply,
    Transcript,
};

/// A way to speak to models, one file each.
///
/// What a vendor does not have keeps its default, which answers [`Class::Unable`]; [`Vendor::can`] says so beforehand.
pub trait Vendor: Send + Sync {
    /// What it is called in settings, such as `claude`.
    fn kind(&self) -> &'static str;

    /// Its own server, or the usual address of a local one.
    fn base(&self) -> &'static str;

    /// How long an answer may take.
    fn timeout(&self) -> Duration {
        Duration::from_secs(60)
    }

    /// What its models can do at best.
    fn can(&self) -> Can;

    /// A chat, as this vendor wants to be asked.
    fn chat(&self, ask: &Ask) -> Result<Call, Error>;

    /// The answer to it.
    fn reply(&self, body: &[u8]) -> Result<Reply, Error>;

    /// Reads the answer piece by piece, when `Ask::stream` was set.
    fn reading(&self) -> Box<dyn Reading>;

    /// An answer that is no success.
    fn failure(&self, head: &Head, body: &[u8]) -> Error;

    /// Which models there are. Also the cheapest test of a key.
    fn list(&self, at: &Endpoint) -> Result<Call, Error>;

    /// The answer to it.
    fn listed(&self, body: &[u8]) -> Result<Vec<Listed>, Error>;

    /// Texts to vectors.
    fn embed(&self, _: &Model, _: &Embed) -> Result<Call, Error> {
        Err(Error::unable("this vendor makes no vectors"))
    }

    /// The answer to it.
    fn embedded(&self, _: &[u8]) -> Result<Embedded, Error> {
        Err(Error::unable("this vendor makes no vectors"))
    }

    /// A recording to text.
    fn transcribe(&self, _: &Model, _: &Audio) -> Result<Call, Error> {
        Err(Error::unable("this vendor writes down no recordings"))
    }

    /// The answer to it.
    fn transcript(&self, _: &[u8]) -> Result<Transcript, Error> {
        Err(Error::unable("this vendor writes down no recordings"))
    }
}

/// A question for one model.
pub struct Ask<'a> {
    /// Whom.
    pub model: &'a Model,
    /// What.
    pub chat: &'a Chat,
    /// Piece by piece?
    pub stream: bool,
    /// What this model was found not to take, besides [`Model::without`].
    pub learned: &'a BTreeSet<Knob>,
}

impl Ask<'_> {
    /// Whether a part of the request may be sent.
    pub fn takes(&self, knob: Knob) -> bool {
        !self.model.without.contains(&knob) && !self.learned.contains(&knob)
    }

    /// Errors when the model is known not to be able to do what is asked.
    pub(crate) fn check(&self) -> Result<(), Error> {
        use crate::Part::*;
        let can = &self.model.can;
        if !can.images && self.chat.has(|part| matches!(part, Image { .. })) {
            return Err(Error::unable("this model does not see"));
        }
        if !can.audio && self.chat.has(|part| matches!(part, Audio { .. })) {
            return Err(Error::unable("this model does not hear"));
        }
        if !can.tools && !self.chat.tools.is_empty() {
            return Err(Error::unable("this model uses no tools"));
        }
        if self.chat.turns.is_empty() {
            return Err(Error::new(Class::Rejected, "there is nothing to answer"));
        }
        Ok(())
    }
}

/// A request, ready to be sent.
#[derive(Debug)]
pub struct Call {
    /// `GET` or `POST`.
    pub method: Method,
    /// Where; never with a key in it.
    pub url: Url,
    /// Headers; the key's value is marked as sensitive and does not print.
    pub headers: HeaderMap,
    /// The body.
    pub body: Body,
}

/// The body of a request.
pub enum Body {
    /// None.
    Empty,
    /// `application/json`.
    Json(Value),
    /// `multipart/form-data` with one file.
    Form(Form),
}

/// Fields, and one file named `file`.
pub struct Form {
    /// The fields, in order.
    pub fields: Vec<(&'static str, String)>,
    /// Its name.
    pub name: String,
    /// Its type.
    pub mime: String,
    /// Its bytes.
    pub bytes: Bytes,
}

impl std::fmt::Debug for Body {
    /// Says what kind of body it is; what it says is nobody's business.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "Empty",
            Self::Json(_) => "Json",
            Self::Form(_) => "Form",
        })
    }
}

impl Call {
    /// `GET url`, with the key.
    pub(crate) fn get(at: &Endpoint, url: Url, auth: Auth) -> Result<Self, Error> {
        Self::made(Method::GET, at, url, auth, Body::Empty)
    }

    /// `POST url`, with the key.
    pub(crate) fn post(at: &Endpoint, url: Url, auth: Auth, body: Body) -> Result<Self, Error> {
        Self::made(Method::POST, at, url, auth, body)
    }

    fn made(method: Method, at: &Endpoint, url: Url, auth: Auth, body: Body) -> Result<Self, Error> {
        let mut call = Self { method, url, headers: HeaderMap::new(), body };
        if let Some(key) = &at.key {
            let key = key.expose_secret().trim();
            let (name, value) = match at.auth.unwrap_or(auth) {
                Auth::Bearer => ("authorization", format!("Bearer {key}")),
                Auth::XApiKey => ("x-api-key", key.to_owned()),
                Auth::XGoogApiKey => ("x-goog-api-key", key.to_owned()),
            };
            let Ok(mut value) = HeaderValue::from_str(&value) else {
                return Err(Error::new(Class::Key, "the key has characters in it that no key has"));
            };
            value.set_sensitive(true);
            call.headers.insert(name, value);
        }
        Ok(call)
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Result<Self, Error> {
        let Ok(value) = HeaderValue::from_str(value) else {
            return Err(Error::new(Class::Rejected, format!("the setting behind {name} cannot be sent")));
        };
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }
}

/// Reads one answer piece by piece.
pub trait Reading: Send {
    /// Takes in one event and says what is new to show. `true` when it was the last. A vendor's error in the stream comes out here.
    fn take(&mut self, event: &Event, show: &mut Vec<Delta>) -> Result<bool, Error>;

    /// The whole answer, after the last event; an error if the stream broke off before its end.
    fn whole(&mut self) -> Result<Reply, Error>;
}

/// The top of an answer that is no success.
pub struct Head<'a> {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// Our clock, for `Retry-After` as a date when the answer has no `Date` of its own.
    pub now: Timestamp,
}

/// Longest wait we believe in.
const DAY: Duration = Duration::from_secs(86_400);

impl Head<'_> {
    /// A header's text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }

    /// How long to wait: `retry-after-ms`, or `retry-after` as seconds or as an HTTP date (counted from the answer's own
    /// `date`, so that a clock that is wrong here or there does no harm). At most a day.
    pub fn wait(&self) -> Option<Duration> {
        let seconds = |text: &str, per: f64| {
            let number: f64 = text.parse().ok()?;
            (number.is_finite() && number >= 0.0)
                .then(|| Duration::try_from_secs_f64(number / per).unwrap_or(DAY).min(DAY))
        };
        let date = |text: &str| rfc2822::parse(text).ok().map(|at| at.timestamp());
        if let Some(wait) = self.get("retry-after-ms").and_then(|text| seconds(text, 1000.0)) {
            return Some(wait);
        }
        let text = self.get("retry-after")?;
        seconds(text, 1.0).or_else(|| {
            let from = self.get("date").and_then(date).unwrap_or(self.now);
            let ms = date(text)?.as_millisecond().saturating_sub(from.as_millisecond());
            Some(Duration::from_millis(ms.max(0).cast_unsigned()).min(DAY))
        })
    }

    /// What a status alone says; a vendor's file looks at the body first.
    pub(crate) fn class(&self) -> Class {
        match self.status {
            300..=399 => Class::Unreadable,
            401 | 403 => Class::Key,
            402 => Class::Money,
            404 | 410 => Class::Retired,
            408 => Class::Transient,
            409 => Class::Busy,
            413 => Class::TooLong,
            429 => Class::Rate(self.wait()),
            503 | 529 => Class::Overloaded(self.wait()),
            500..=599 => Class::Transient,
            _ => Class::Rejected,
        }
    }
}

/// A body as JSON, or an error that quotes nothing of it.
pub(crate) fn json(body: &[u8]) -> Result<Value, Error> {
    serde_json::from_slice(body).map_err(|error| match body.first() {
        None => Error::unreadable("the answer is empty"),
        Some(b'<') => Error::unreadable("the answer is a page of HTML, not JSON"),
        _ => Error::unreadable(format!("the answer is not JSON: {:?} in line {}", error.classify(), error.line())),
    })
}

/// The same, into the vendor's shape.
pub(crate) fn shaped<T: serde::de::DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let value = json(body)?;
    T::deserialize(value).map_err(|_| Error::unreadable("the answer is JSON, but not of this vendor's shape"))
}

/// Takes a field out of an object; null where there is none. (`value[key]` to change would panic on what is no object.)
pub(crate) fn take(value: &mut Value, key: &str) -> Value {
    value.get_mut(key).map(Value::take).unwrap_or_default()
}

/// Tool arguments as the model wrote them: an object if that is what they are, else the text.
pub(crate) fn arguments(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ Value::Object(_)) => value,
        _ if text.trim().is_empty() => Value::Object(Default::default()),
        _ => Value::String(text.to_owned()),
    }
}

/// The other way.
pub(crate) fn arguments_text(arguments: &Value) -> String {
    match arguments {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    BASE64_STANDARD.encode(bytes)
}

/// `image/jpeg` from `Image/JPEG; x=y`.
pub(crate) fn essence(mime: &str) -> String {
    mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&'static str, &str)]) -> Option<u64> {
        let headers: HeaderMap =
            headers.iter().map(|(k, v)| (HeaderName::from_static(k), HeaderValue::from_str(v).unwrap())).collect();
        let now = "2026-11-20T07:00:00Z".parse().unwrap();
        Head { status: 429, headers: &headers, now }.wait().map(|wait| u64::try_from(wait.as_millis()).unwrap())
    }

    #[test]
    fn retry_after_is_read_in_each_of_its_forms() {
        assert_eq!(wait(&[("retry-after", "7")]), Some(7000));
        assert_eq!(wait(&[("retry-after", "0.25")]), Some(250));
        assert_eq!(wait(&[("retry-after-ms", "1500"), ("retry-after", "7")]), Some(1500));
        assert_eq!(wait(&[("retry-after", "Fri, 20 Nov 2026 07:00:30 GMT")]), Some(30_000));
        let their_clock_is_an_hour_ahead =
            [("retry-after", "Fri, 20 Nov 2026 08:00:05 GMT"), ("date", "Fri, 20 Nov 2026 08:00:00 GMT")];
        assert_eq!(wait(&their_clock_is_an_hour_ahead), Some(5000));
        assert_eq!(wait(&[("retry-after", "Thu, 19 Nov 2026 07:00:30 GMT")]), Some(0), "a time that is over");
    }

    #[test]
    fn a_mad_retry_after_is_no_danger() {
        for text in ["", "soon", "-1", "NaN", "inf", "Fri, 99 Nov 2026 07:00:30 GMT"] {
            assert_eq!(wait(&[("retry-after", text)]), None, "{text:?}");
        }
        for text in ["1e300", "99999999999999999999", "Fri, 20 Nov 9998 07:00:30 GMT"] {
            assert_eq!(wait(&[("retry-after", text)]), Some(86_400_000), "{text:?}");
        }
    }
}
