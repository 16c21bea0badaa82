//! OpenAI's side: chat completions, Responses, embeddings, transcription, the list of models. Local servers are spoken to the
//! same way: what only OpenAI's own newer models refuse is refused for ids that begin with `gpt-5`, `gpt-6` or `o`.

mod chat;
mod embeddings;
mod responses;
mod transcriptions;

use axum::{
    extract::{Request, State},
    http::request::Parts,
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{Models, Play, Vendor, Wrong, answer_get, bearer, key_is_good, strict, think::Prompt};
pub use {chat::Chat, embeddings::Embeddings, responses::Responses, transcriptions::transcriptions};

const SERVED: &[&str] = &[
    "gpt-6-luna",
    "gpt-6-sol",
    "gpt-6-astra",
    "gpt-5.6-luna",
    "text-embedding-3-small",
    "text-embedding-3-large",
    "gpt-transcribe",
];
/// Shut down by November 2026.
const GONE: &[&str] = &["gpt-4", "gpt-4-turbo", "gpt-3.5-turbo", "o1", "o3-mini", "o4-mini", "gpt-4.1-nano"];
/// When every simulated answer was made: a fixed second, so that recordings compare.
const CREATED: u64 = 1_795_158_000;

/// What chats and Responses say when they will not.
const REFUSAL: &str = "(simulated) I'm sorry, I can't help with that.";

pub async fn list(State(models): State<Models>, request: Request) -> Response {
    answer_get::<OpenAi>(models, request, |head| {
        door(head)?;
        let data: Vec<Value> = SERVED.iter().map(|id| model(id)).collect();
        Ok(json!({ "object": "list", "data": data }))
    })
    .await
}

pub async fn one(State(models): State<Models>, request: Request) -> Response {
    answer_get::<OpenAi>(models, request, |head| {
        door(head)?;
        let id = head.uri.path().rsplit_once("/models/").map_or("", |(_, id)| id);
        if SERVED.contains(&id) { Ok(model(id)) } else { Err(retired(id)) }
    })
    .await
}

fn model(id: &str) -> Value {
    json!({ "id": id, "object": "model", "created": CREATED, "owned_by": "openai" })
}

/// The vendor.
pub struct OpenAi;

impl Vendor for OpenAi {
    const NAME: &'static str = "openai";

    fn wrong(play: &Play, model: &str) -> Option<Wrong> {
        Some(match play {
            Play::Overloaded => {
                Wrong::new(503, "server_error", "The server is currently overloaded.").code("server_is_overloaded")
            }
            Play::Rate { after, dated } => Wrong {
                wait: Some((*after, *dated)),
                ..Wrong::new(429, "requests", "Rate limit reached for requests.").code("rate_limit_exceeded")
            },
            Play::DailyQuota => Wrong {
                wait: Some((3600, false)),
                ..Wrong::new(429, "requests", "Rate limit reached for requests per day.").code("rate_limit_exceeded")
            },
            Play::NoMoney => Wrong::new(
                429,
                "insufficient_quota",
                "You exceeded your current quota, please check your plan and billing details.",
            )
            .code("credit_balance_exhausted"),
            Play::BadKey => wrong(401, "Incorrect API key provided: sk-inv***lid.").code("invalid_api_key"),
            Play::Retired => retired(model),
            Play::TooLong => wrong(400, "This model's maximum context length is 400000 tokens.")
                .code("context_length_exceeded")
                .param("messages"),
            Play::Busy => wrong(409, "The resource is locked by another request"),
            Play::Dislikes { parameter } => {
                wrong(400, format!("Unsupported parameter: '{parameter}' is not supported with this model."))
                    .code("unsupported_parameter")
                    .param(parameter)
            }
            Play::Fails { status } => {
                Wrong::new(*status, "server_error", "The server had an error while processing your request.")
            }
            _ => return None,
        })
    }

    fn error(wrong: &Wrong, _: u64) -> Value {
        json!({ "error": { "message": wrong.message, "type": wrong.kind, "param": wrong.param, "code": wrong.code } })
    }

    fn headers(number: u64) -> Vec<(&'static str, String)> {
        vec![
            ("x-request-id", format!("req_sim_{number:06}")),
            ("openai-version", "2020-10-01".into()),
            ("openai-processing-ms", "1".into()),
            ("x-ratelimit-limit-requests", "1000".into()),
            ("x-ratelimit-remaining-requests", "999".into()),
            ("x-ratelimit-reset-requests", "6m0s".into()),
        ]
    }
}

fn door(head: &Parts) -> Result<(), Wrong> {
    match bearer(&head.headers) {
        None => Err(Wrong::new(401, "invalid_request_error", "You didn't provide an API key.")),
        key if key_is_good(key) => Ok(()),
        _ => Err(Wrong::new(401, "invalid_request_error", "Incorrect API key provided: sk-inv***lid.")
            .code("invalid_api_key")),
    }
}

fn wrong(status: u16, message: impl Into<String>) -> Wrong {
    Wrong::new(status, "invalid_request_error", message)
}

fn retired(model: &str) -> Wrong {
    wrong(404, format!("The model `{model}` does not exist or you do not have access to it.")).code("model_not_found")
}

fn unknown(body: &Value, fields: &[&str]) -> Result<(), Wrong> {
    match body.as_object() {
        None => Err(wrong(400, "We could not parse the JSON body of your request.")),
        Some(body) => match body.keys().find(|name| !fields.contains(&name.as_str())) {
            Some(name) => {
                Err(wrong(400, format!("Unknown parameter: '{name}'.")).code("unknown_parameter").param(name))
            }
            None => Ok(()),
        },
    }
}

fn named(body: &Value) -> Result<String, Wrong> {
    let Some(model) = body["model"].as_str().filter(|model| !model.is_empty()) else {
        return Err(wrong(400, "you must provide a model parameter"));
    };
    if GONE.contains(&model) { Err(retired(model)) } else { Ok(model.into()) }
}

/// Models that think, and are particular.
fn thinks(model: &str) -> bool {
    model.starts_with("gpt-5")
        || model.starts_with("gpt-6")
        || (model.starts_with('o') && model[1..].starts_with(|c: char| c.is_ascii_digit()))
}

fn warm(body: &Value, model: &str) -> Result<(), Wrong> {
    match body["temperature"].as_f64() {
        Some(warmth) if thinks(model) && warmth != 1.0 => {
            let message = format!(
                "Unsupported value: 'temperature' does not support {warmth} with this model. Only the default (1) value is supported."
            );
            Err(wrong(400, message).code("unsupported_value").param("temperature"))
        }
        Some(warmth) if !(0.0..=2.0).contains(&warmth) => {
            Err(wrong(400, "Invalid 'temperature'").code("decimal_above_max_value").param("temperature"))
        }
        _ => Ok(()),
    }
}

/// `tool` is where name and parameters stand: in `function` for chats, at the top for Responses.
fn tools<'a>(body: &'a Value, prompt: &mut Prompt, inside: impl Fn(&'a Value) -> &'a Value) -> Result<(), Wrong> {
    for (index, tool) in body["tools"].as_array().into_iter().flatten().enumerate() {
        let function = inside(tool);
        let (Some("function"), Some(name)) = (tool["type"].as_str(), function["name"].as_str()) else {
            return Err(wrong(400, format!("Missing required parameter: 'tools[{index}].name'."))
                .code("missing_required_parameter"));
        };
        if function["strict"] == true
            && let Some(fault) = strict::fault(&function["parameters"])
        {
            let message = format!("Invalid schema for function '{name}': In context=(), {fault}.");
            return Err(wrong(400, message)
                .code("invalid_function_parameters")
                .param(format!("tools[{index}].function.parameters")));
        }
        prompt.hear(function["description"].as_str().unwrap_or_default());
        prompt.tools.push((name.into(), function["parameters"].clone()));
    }
    let choice = &body["tool_choice"];
    if !choice.is_null() && prompt.tools.is_empty() {
        return Err(wrong(400, "'tool_choice' is only allowed when 'tools' are specified.").param("tool_choice"));
    }
    match choice {
        Value::String(word) if word == "required" => prompt.must_call = Some(None),
        Value::String(word) if word == "none" => prompt.must_not_call = true,
        Value::Object(_) => prompt.must_call = Some(inside(choice)["name"].as_str().map(Into::into)),
        _ => {}
    }
    Ok(())
}

fn shape(format: &Value, param: &str) -> Result<Option<Value>, Wrong> {
    match format["type"].as_str() {
        None | Some("text") => Ok(None),
        Some("json_object") => Ok(Some(json!({ "type": "object" }))),
        Some("json_schema") => {
            let inside = if format["json_schema"].is_object() { &format["json_schema"] } else { format };
            let Some(name) = inside["name"].as_str() else {
                return Err(wrong(400, format!("Missing required parameter: '{param}.name'."))
                    .code("missing_required_parameter"));
            };
            if inside["strict"] == true
                && let Some(fault) = strict::fault(&inside["schema"])
            {
                let message = format!("Invalid schema for response_format '{name}': In context=(), {fault}.");
                return Err(wrong(400, message).code("invalid_json_schema").param(param));
            }
            Ok(Some(inside["schema"].clone()))
        }
        Some(other) => {
            Err(wrong(400, format!("Invalid value: '{other}'.")).code("invalid_value").param(format!("{param}.type")))
        }
    }
}

/// Whether a `data:` URL holds an image.
fn image(url: &str) -> Result<(), Wrong> {
    let fault = || wrong(400, "Invalid image data.").code("invalid_image").param("image_url");
    if url.starts_with("https://") {
        return Ok(());
    }
    let (kind, data) = url.strip_prefix("data:").and_then(|url| url.split_once(";base64,")).ok_or_else(fault)?;
    let sound = kind.starts_with("image/") && BASE64_STANDARD.decode(data).is_ok_and(|bytes| !bytes.is_empty());
    if sound { Ok(()) } else { Err(fault()) }
}

fn call_id(number: u64, index: usize) -> String {
    format!("call_sim_{number:06}_{index}")
}
