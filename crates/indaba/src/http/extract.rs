//! What a handler takes from a request, and how it is refused: always problem+json, always with the place of the fault.
use crate::{Error, Result, app::App, error::Field};
use axum::{
    body::{Bytes, HttpBody},
    extract::{FromRequest, FromRequestParts, OptionalFromRequest, Request},
    http::{HeaderMap, header, request::Parts},
    response::{IntoResponse, Response},
};
use serde::{Serialize, de::DeserializeOwned};
use std::borrow::Cow;

/// A JSON body, of a request or of an answer.
///
/// Of a request: at most `limits.body_bytes`; without `\0` and without halves of surrogate pairs, which PostgreSQL would not store.
/// Errors: 400 not JSON (or nested deeper than 128), 413, 415, 422 JSON of another shape, with a pointer.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<App> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Json<T>> {
        if !is_json(request.headers()) {
            return Err(Error::Unsupported("Send the body as application/json.".into()));
        }
        read_json(&body(request, app.config.limits.body_bytes).await?).map(Json)
    }
}

/// A body that may be left out: `Option<Json<T>>`.
impl<T: DeserializeOwned> OptionalFromRequest<App> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &App) -> Result<Option<Json<T>>> {
        let named = request.headers().contains_key(header::CONTENT_TYPE);
        let json = is_json(request.headers());
        let body = body(request, app.config.limits.body_bytes).await?;
        match (body.is_empty(), json) {
            (true, _) => Ok(None),
            (false, true) => read_json(&body).map(|body| Some(Json(body))),
            (false, false) if named => Err(Error::Unsupported("Send the body as application/json.".into())),
            (false, false) => Err(Error::Unsupported("Say what the body is: content-type: application/json.".into())),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(header::CONTENT_TYPE, "application/json")], body).into_response(),
            Err(e) => Error::Internal(format!("an answer does not become JSON: {e}")).into_response(),
        }
    }
}

/// A whole body of at most `limit` bytes. Errors: 413; 400 when the connection breaks.
pub async fn body(request: Request, limit: usize) -> Result<Bytes> {
    // what its head says, where it says so
    if HttpBody::size_hint(request.body()).lower() > limit as u64 {
        return Err(too_large(limit));
    }
    let limited = http_body_util::Limited::new(request.into_body(), limit);
    match http_body_util::BodyExt::collect(limited).await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(e) if e.is::<http_body_util::LengthLimitError>() => Err(too_large(limit)),
        Err(_) => Err(Error::Malformed("The body broke off.".into())),
    }
}

fn too_large(limit: usize) -> Error {
    Error::TooLarge(format!("Send at most {limit} bytes."))
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) else { return false };
    let mut parts = kind.split(';').map(|part| part.trim().to_ascii_lowercase());
    let kind = parts.next().unwrap_or_default();
    let json = kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"));
    json && parts.all(|part| part.strip_prefix("charset=").is_none_or(|set| set.trim_matches('"') == "utf-8"))
}

/// Reads JSON that came from outside.
pub fn read_json<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    let body = clean(body);
    let mut json = serde_json::Deserializer::from_slice(&body);
    let value = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let path = pointer(e.path());
        let e = e.into_inner();
        let text = e.to_string();
        let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
        if e.is_data() { shape(path, text) } else { Error::Malformed(format!("This is not JSON: {e}.")) }
    })?;
    json.end().map_err(|e| Error::Malformed(format!("This is not JSON: {e}.")))?;
    Ok(value)
}

/// What serde says about a value of another shape, as a field of a 422.
fn shape(path: String, text: &str) -> Error {
    let named = |start: &str| text.strip_prefix(start).and_then(|rest| rest.split('`').next());
    match (named("missing field `"), named("unknown field `")) {
        (Some(field), _) => Error::field(format!("{path}/{field}"), "is missing"),
        (_, Some(field)) => {
            Error::field(format!("{}/{field}", path.trim_end_matches(&format!("/{field}"))), "is not known")
        }
        _ => Error::field(path, text),
    }
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    path.iter().fold(String::new(), |mut out, segment| {
        match segment {
            Segment::Seq { index } => out.push_str(&format!("/{index}")),
            Segment::Map { key } => out.push_str(&format!("/{}", key.replace('~', "~0").replace('/', "~1"))),
            Segment::Enum { .. } | Segment::Unknown => {}
        }
        out
    })
}

/// JSON without the escapes that are no text: `\u0000`, and halves of surrogate pairs. Most bodies have none and are given back as they are.
pub fn clean(body: &[u8]) -> Cow<'_, [u8]> {
    let escape = |at: usize| -> Option<u16> {
        let digits = body.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u16::from_str_radix(std::str::from_utf8(digits).ok().filter(|text| !text.starts_with('+'))?, 16).ok()
    };
    let is_bad = |at: usize, code: u16| match code {
        0 | 0xdc00..=0xdfff => true,
        0xd800..=0xdbff => !matches!(escape(at + 6), Some(0xdc00..=0xdfff)),
        _ => false,
    };
    let (mut out, mut kept, mut at) = (Vec::new(), 0, 0);
    while let Some(step) = body[at..].iter().position(|&byte| byte == b'\\') {
        at += step;
        at += match escape(at) {
            Some(code) if is_bad(at, code) => {
                out.extend_from_slice(&body[kept..at]);
                kept = at + 6;
                6
            }
            Some(0xd800..=0xdbff) => 12, // a whole pair
            Some(_) => 6,
            None => 2,
        };
        if at >= body.len() {
            break;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(body);
    }
    out.extend_from_slice(&body[kept.min(body.len())..]);
    Cow::Owned(out)
}

/// Query parameters. Errors: 422 with the parameter's name. For `limit` and `after` see [`super::After`].
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Query<T>> {
        read_query(parts.uri.query().unwrap_or_default()).map(Query)
    }
}

pub(super) fn read_query<T: DeserializeOwned>(query: &str) -> Result<T> {
    let query = if query.contains("%00") { Cow::Owned(query.replace("%00", "")) } else { Cow::Borrowed(query) };
    let pairs = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(query.as_bytes()));
    serde_path_to_error::deserialize(pairs).map_err(|e| {
        let path = pointer(e.path());
        match shape(path, &e.into_inner().to_string()) {
            Error::Invalid(mut fields) => {
                fields.iter_mut().for_each(|field| field.pointer = field.pointer.trim_start_matches('/').to_owned());
                Error::Invalid(fields)
            }
            other => other,
        }
    })
}

/// Parts of the path. What cannot be an id names nothing: 404.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Path<T>> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(of)) => Ok(Path(of)),
            Err(axum::extract::rejection::PathRejection::FailedToDeserializePathParams(_)) => Err(Error::Missing),
            Err(e) => Err(Error::Internal(format!("a route without its path: {e}"))),
        }
    }
}

/// Collects wrong fields, so that a form shows all of them at once.
#[derive(Default)]
pub struct Check(Vec<Field>);

impl Check {
    /// Notes `detail` against `pointer` unless `holds`.
    pub fn that(&mut self, holds: bool, pointer: &str, detail: &str) -> &mut Check {
        if !holds {
            self.0.push(Field { pointer: pointer.into(), detail: detail.into() });
        }
        self
    }

    /// A name: what is left after trimming has 1 to `most` characters and no control characters.
    pub fn name(&mut self, text: &str, pointer: &str, most: usize) -> &mut Check {
        let count = text.trim().chars().count();
        self.that((1..=most).contains(&count), pointer, &format!("has 1 to {most} characters"));
        self.that(!text.chars().any(char::is_control), pointer, "has no control characters")
    }

    /// `Ok` if nothing was wrong.
    pub fn done(&mut self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(std::mem::take(&mut self.0))) }
    }
}

/// For a field whose null means something: it is `Some` when it is there, if only as null. `#[serde(default, deserialize_with = "given")]`.
pub fn given<'de, D: serde::Deserializer<'de>, T: serde::Deserialize<'de>>(
    from: D,
) -> Result<Option<Option<T>>, D::Error> {
    serde::Deserialize::deserialize(from).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Form {
        first_name: String,
        tags: Option<Vec<i64>>,
    }

    fn form(body: &str) -> Result<Form> {
        read_json(body.as_bytes())
    }

    fn pointed(e: Error) -> String {
        let Error::Invalid(fields) = e else { panic!("{e:?}") };
        fields[0].pointer.clone()
    }

    #[test]
    fn a_wrong_shape_is_pointed_at() {
        assert_eq!(pointed(form("{}").unwrap_err()), "/firstName");
        assert_eq!(pointed(form(r#"{"firstName":5}"#).unwrap_err()), "/firstName");
        assert_eq!(pointed(form(r#"{"firstName":"a","tags":[1,"x"]}"#).unwrap_err()), "/tags/1");
        let deep = format!(r#"{{"firstName":"a","other":{}"#, "[".repeat(100_000));
        for bad in [deep.as_str(), "", "{", r#"{"firstName":"a"}x"#, "nul", r#"{"firstName":"\ud83d"#] {
            assert!(matches!(form(bad).unwrap_err(), Error::Malformed(_)), "{:.20}", bad);
        }
    }

    #[test]
    fn what_is_no_text_is_left_out() {
        let name = |json: &str| form(&format!(r#"{{"firstName":"{json}"}}"#)).unwrap().first_name;
        assert_eq!(name(r"a\u0000b"), "ab");
        assert_eq!(name(r"a\\u0000b"), r"a\u0000b", "a backslash and some letters");
        assert_eq!(name(r"\ud800x\udc00"), "x");
        assert_eq!(name(r"\ud83d\ude00\ud83d"), "😀");
        assert_eq!(name(r"\ud83d\ud83d\ude00"), "😀");
        assert!(matches!(clean(br#"{"a":"\n\u0041"}"#), Cow::Borrowed(_)));
        for odd in [&b"\\"[..], b"\\u", b"\\u00", b"\\u+000", b"\\ud800\\u", b"\\u0000"] {
            clean(odd);
        }
    }
}
