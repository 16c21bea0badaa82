//! What handlers read from a request: the body, checked against its schema, and which instance is meant.

use std::collections::HashMap;

use axum::{
    body::Bytes,
    extract::{FromRequest, Path, Query, Request},
};
use serde_json::Value;

use super::answer::Refusal;

/// What a schema wants of a property.
#[derive(Clone, Copy)]
pub enum Kind {
    /// A text.
    Text,
    /// A number.
    Number,
    /// A whole number.
    Integer,
    /// Yes or no.
    Bool,
    /// An object.
    Object,
    /// A list with at least so many items.
    List(usize),
    /// One of these texts.
    OneOf(&'static [&'static str]),
}

/// A property of a body: its name, what it is, whether it must be there.
pub type Property = (&'static str, Kind, bool);

/// A JSON body and the instance the call is about.
pub struct Input {
    /// The instance's name: the query overrides the path, after the key was checked against the path.
    pub instance: String,
    /// The body; no body is an empty object.
    pub body: Value,
}

impl<S: Send + Sync> FromRequest<S> for Input {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        use axum::RequestExt as _;
        let mut request = request;
        let path = request.extract_parts::<Path<HashMap<String, String>>>().await.map(|Path(path)| path);
        let query = request.extract_parts::<Query<HashMap<String, String>>>().await.map(|Query(query)| query);
        let named = query.ok().and_then(|mut query| query.remove("instanceName"));
        let instance = named.or_else(|| path.ok()?.remove("instance")).unwrap_or_default();
        let bytes = Bytes::from_request(request, state).await.map_err(|_| Refusal::bad("request aborted"))?;
        let body = match bytes.is_empty() {
            true => Value::Object(Default::default()),
            // from source: the body parser's words come through the handler of all errors
            false => serde_json::from_slice(&bytes)
                .map_err(|error| Refusal::crash(format!("Unexpected token in JSON at position {}", error.column())))?,
        };
        Ok(Input { instance, body })
    }
}

impl Input {
    /// A text that is there.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.body.get(name)?.as_str()
    }

    /// Refuses a body as the schema does: everything that is wrong, in one list.
    pub fn check(&self, properties: &[Property]) -> Result<(), Refusal> {
        check(&self.body, "instance", properties)
    }
}

/// The same for a part of a body; `at` is how the validator names it.
pub fn check(body: &Value, at: &str, properties: &[Property]) -> Result<(), Refusal> {
    let mut wrong = Vec::new();
    for (name, kind, _) in properties {
        let Some(value) = body.get(name) else { continue };
        let of = if at == "instance" { (*name).to_owned() } else { format!("{at}.{name}") };
        let bad = |what: &str| Some(format!("{of} is not of a type(s) {what}"));
        wrong.extend(match kind {
            Kind::Text | Kind::OneOf(_) if !value.is_string() => bad("string"),
            Kind::Number if !value.is_number() => bad("number"),
            Kind::Integer if !value.is_i64() && !value.is_u64() => bad("integer"),
            Kind::Bool if !value.is_boolean() => bad("boolean"),
            Kind::Object if !value.is_object() => bad("object"),
            Kind::List(_) if !value.is_array() => bad("array"),
            Kind::List(least) if value.as_array().is_some_and(|items| items.len() < *least) => {
                Some(format!("{of} does not meet minimum length of {least}"))
            }
            Kind::OneOf(words) if !words.iter().any(|word| value == word) => {
                Some(format!("{of} is not one of enum values: {}", words.join(",")))
            }
            _ => None,
        });
    }
    for (name, _, must) in properties {
        if *must && body.get(name).is_none() {
            wrong.push(format!("{at} requires property \"{name}\""));
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(Refusal::schema(wrong)) }
}
