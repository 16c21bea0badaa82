//! Google's side: generateContent, its stream, embeddings, counting, the list of models; under `/v1` and `/v1beta`.
//!
//! Proto-JSON takes camelCase and snake_case, and the SDKs mix them, so both are read here. Answers are camelCase.

mod generate;
mod vectors;

use axum::{
    extract::{Request, State},
    http::request::Parts,
    response::Response,
};
use serde_json::{Map, Value, json};

use super::{Models, Play, Vendor, Wrong, answer, answer_get, finish, header, key_is_good};
use generate::{Counting, Generating};
use vectors::Vectors;

const SERVED: &[&str] =
    &["gemini-3.8-flash", "gemini-3.5-flash-lite", "gemini-4-hydrogen", "gemini-embedding-2", "gemini-embedding-001"];

pub async fn call(state: State<Models>, request: Request) -> Response {
    match request.uri().path().rsplit_once(':').map(|(_, method)| method) {
        Some("generateContent" | "streamGenerateContent") => answer::<Generating>(state, request).await,
        Some("embedContent") => answer::<Vectors<false>>(state, request).await,
        Some("batchEmbedContents") => answer::<Vectors<true>>(state, request).await,
        Some("countTokens") => answer::<Counting>(state, request).await,
        _ => no_method(state, request).await,
    }
}

async fn no_method(State(models): State<Models>, request: Request) -> Response {
    let (number, (head, _)) = (models.number(), request.into_parts());
    let missing = Err(Wrong::new(404, "NOT_FOUND", "Method not found."));
    finish::<Gemini>(&models, &head, Value::Null, "", missing, number)
}

pub async fn list(State(models): State<Models>, request: Request) -> Response {
    answer_get::<Gemini>(models, request, |head| {
        door(head)?;
        Ok(json!({ "models": SERVED.iter().map(|id| model(id)).collect::<Vec<_>>() }))
    })
    .await
}

pub async fn one(State(models): State<Models>, request: Request) -> Response {
    answer_get::<Gemini>(models, request, |head| {
        door(head)?;
        let id = head.uri.path().rsplit_once("/models/").map_or("", |(_, id)| id);
        if SERVED.contains(&id) { Ok(model(id)) } else { Err(missing(head, id)) }
    })
    .await
}

fn model(id: &str) -> Value {
    let methods =
        if id.contains("embedding") { json!(["embedContent"]) } else { json!(["generateContent", "countTokens"]) };
    json!({ "name": format!("models/{id}"), "version": "001", "displayName": id.replace('-', " "), "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536, "supportedGenerationMethods": methods })
}

/// The vendor.
pub struct Gemini;

impl Vendor for Gemini {
    const NAME: &'static str = "gemini";

    fn wrong(play: &Play, model: &str) -> Option<Wrong> {
        Some(match play {
            Play::Overloaded => Wrong::new(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
            Play::Rate { after, dated } => Wrong {
                wait: Some((*after, *dated)),
                ..Wrong::new(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).")
            },
            Play::DailyQuota => Wrong {
                wait: Some((3600, false)),
                ..Wrong::new(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.").code("PER_DAY")
            },
            Play::NoMoney => Wrong::new(402, "PAYMENT_REQUIRED", "Your prepaid credit is used up."),
            Play::BadKey => bad_key(),
            Play::Retired => Wrong::new(404, "NOT_FOUND", format!("models/{model} is no longer available.")),
            Play::TooLong => {
                invalid("The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).")
            }
            Play::Busy => Wrong::new(409, "ABORTED", "The operation was aborted."),
            Play::Dislikes { parameter } => invalid(format!("{parameter} is not supported for this model.")),
            Play::Fails { status } => Wrong::new(*status, "INTERNAL", "An internal error has occurred."),
            _ => return None,
        })
    }

    fn error(wrong: &Wrong, _: u64) -> Value {
        let mut details = Vec::new();
        match wrong.code {
            Some("PER_DAY") => details.push(json!({ "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{
                "quotaMetric": "generativelanguage.googleapis.com/generate_requests", "quotaId": "GenerateRequestsPerDayPerProjectPerModel" }] })),
            Some(reason) => details.push(json!({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com" })),
            None => {}
        }
        if let Some((seconds, _)) = wrong.wait {
            details.push(
                json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s") }),
            );
        }
        let mut error = json!({ "code": wrong.status, "message": wrong.message, "status": status_word(wrong) });
        if !details.is_empty() {
            error["details"] = details.into();
        }
        json!({ "error": error })
    }

    fn headers(_: u64) -> Vec<(&'static str, String)> {
        vec![("server-timing", "gfet4t7; dur=1".into()), ("x-content-type-options", "nosniff".into())]
    }
}

/// Errors of the common way come with words of another vendor.
fn status_word(wrong: &Wrong) -> &str {
    match (wrong.kind, wrong.status) {
        (word, _) if word.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_') => word,
        (_, 400 | 413) => "INVALID_ARGUMENT",
        (_, 503 | 529) => "UNAVAILABLE",
        _ => "INTERNAL",
    }
}

fn door(head: &Parts) -> Result<(), Wrong> {
    let query = head.uri.query().unwrap_or_default();
    let key =
        header(&head.headers, "x-goog-api-key").or_else(|| query.split('&').find_map(|one| one.strip_prefix("key=")));
    match key {
        None => {
            Err(Wrong::new(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers. Please use API Key."))
        }
        key if key_is_good(key) => Ok(()),
        _ => Err(bad_key()),
    }
}

fn bad_key() -> Wrong {
    Wrong::new(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.").code("API_KEY_INVALID")
}

fn invalid(message: impl Into<String>) -> Wrong {
    Wrong::new(400, "INVALID_ARGUMENT", message)
}

fn version(head: &Parts) -> &str {
    if head.uri.path().contains("/v1beta/") { "v1beta" } else { "v1" }
}

fn missing(head: &Parts, id: &str) -> Wrong {
    let version = version(head);
    Wrong::new(
        404,
        "NOT_FOUND",
        format!("models/{id} is not found for API version {version}, or is not supported for generateContent."),
    )
}

/// The model in the path. Escapes are for ids such as `sim-json:{"a":1}`.
fn named(head: &Parts) -> Result<String, Wrong> {
    let path = head.uri.path();
    let id = path.rsplit_once("/models/").map_or("", |(_, rest)| rest).rsplit_once(':').map_or("", |(id, _)| id);
    let mut bytes = Vec::with_capacity(id.len());
    let mut rest = id.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let code = more
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        if let (b'%', Some(code)) = (first, code) {
            bytes.push(code);
            rest = &more[2..];
        } else {
            bytes.push(*first);
            rest = more;
        }
    }
    let id = String::from_utf8_lossy(&bytes).into_owned();
    if ["gemini-1.0", "gemini-1.5", "gemini-2.0", "gemini-pro", "text-embedding-004"]
        .iter()
        .any(|old| id.starts_with(old))
        || id.is_empty()
    {
        return Err(missing(head, &id));
    }
    Ok(id)
}

/// snake_case keys as camelCase, but not inside what belongs to the caller.
fn camel(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let each = fields.iter().map(|(key, value)| {
                let mut name = String::with_capacity(key.len());
                let mut up = false;
                for letter in key.chars() {
                    if letter == '_' {
                        up = true;
                    } else if std::mem::take(&mut up) {
                        name.extend(letter.to_uppercase());
                    } else {
                        name.push(letter);
                    }
                }
                let theirs = matches!(
                    name.as_str(),
                    "args"
                        | "response"
                        | "parametersJsonSchema"
                        | "responseJsonSchema"
                        | "parameters"
                        | "responseSchema"
                );
                let value = if theirs { value.clone() } else { camel(value) };
                (name, value)
            });
            Value::Object(each.collect::<Map<_, _>>())
        }
        Value::Array(values) => values.iter().map(camel).collect(),
        other => other.clone(),
    }
}

fn unknown(value: &Value, fields: &[&str], at: &str) -> Result<(), Wrong> {
    let name = value.as_object().and_then(|value| value.keys().find(|name| !fields.contains(&name.as_str())));
    name.map_or(Ok(()), |name| {
        Err(invalid(format!("Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field.")))
    })
}
