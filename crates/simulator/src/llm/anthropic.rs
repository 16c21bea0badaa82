//! Anthropic's side: Messages, counting, the list of models. Both API versions, both headers for the key.

use axum::{
    extract::{Request, State},
    http::request::Parts,
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    Event, Models, Play, Side, Vendor, Wrong, answer_get, bearer, header, key_is_good, strict,
    think::{Prompt, Said, Stop, chunks},
};

const NEW: &str = "2026-10-21";

/// Names that `POST /v1/messages` takes (SDK 2.10.0), and the three that only the older version takes.
const FIELDS: &[&str] = &[
    "cache_control",
    "container",
    "diagnostics",
    "inference_geo",
    "max_tokens",
    "messages",
    "metadata",
    "model",
    "output_config",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "system",
    "thinking",
    "tool_choice",
    "tools",
    "user_profile_id",
    "workspace_id",
];
const SAMPLING: &[&str] = &["temperature", "top_p", "top_k"];

/// `(id, lifecycle)`.
const SERVED: &[(&str, &str)] = &[
    ("claude-haiku-5-5", "active"),
    ("claude-sonnet-5-5", "active"),
    ("claude-opus-5-5", "active"),
    ("claude-haiku-4-5", "deprecated"),
    ("claude-opus-4-1", "retired"),
];

pub async fn list(State(models): State<Models>, request: Request) -> Response {
    answer_get::<Anthropic>(models, request, |head| {
        door(head)?;
        let model = |(id, lifecycle): &(&str, &str)| {
            let leaves = (*lifecycle != "active").then_some("2026-12-31T00:00:00Z");
            json!({ "type": "model", "id": id, "display_name": title(id), "created_at": "2026-01-01T00:00:00Z", "lifecycle": lifecycle,
                "retires_at": leaves, "deprecated_at": leaves, "max_input_tokens": 200_000, "max_tokens": 64_000, "capabilities": null, "line": null })
        };
        let data: Vec<Value> = SERVED.iter().map(model).collect();
        Ok(json!({ "first_id": data[0]["id"], "last_id": data[data.len() - 1]["id"], "data": data, "has_more": false }))
    })
    .await
}

/// `claude-haiku-5-5` is Claude Haiku 5.5.
fn title(id: &str) -> String {
    let mut words = id.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
    });
    let name = [words.next().unwrap_or_default(), words.next().unwrap_or_default()].join(" ");
    format!("{name} {}", words.collect::<Vec<_>>().join("."))
}

/// The vendor.
pub struct Anthropic;
/// Messages.
pub struct Messages;
/// The same request, of which only the tokens are counted.
pub struct Counting;

/// The headers that every request must have.
fn door(head: &Parts) -> Result<&str, Wrong> {
    let key = header(&head.headers, "x-api-key").or_else(|| bearer(&head.headers));
    if key.is_none() {
        return Err(Wrong::new(401, "authentication_error", "x-api-key or Authorization header is required"));
    }
    if !key_is_good(key) {
        return Err(Wrong::new(401, "authentication_error", "invalid x-api-key"));
    }
    match header(&head.headers, "anthropic-version") {
        Some(version @ ("2023-06-01" | NEW)) => Ok(version),
        Some(other) => Err(invalid(format!("anthropic-version: \"{other}\" is not a valid version"))),
        None => Err(invalid("anthropic-version: header is required")),
    }
}

fn invalid(message: impl Into<String>) -> Wrong {
    Wrong::new(400, "invalid_request_error", message)
}

fn read(head: &Parts, body: &Value, counting: bool) -> Result<Prompt, Wrong> {
    let version = door(head)?;
    let Some(fields) = body.as_object() else { return Err(invalid("Input should be an object")) };
    for name in fields.keys() {
        if SAMPLING.contains(&name.as_str()) {
            if version == NEW {
                return Err(invalid(format!("{name}: `{name}` is not supported in version {NEW}")));
            }
        } else if !FIELDS.contains(&name.as_str()) {
            return Err(invalid(format!("{name}: Extra inputs are not permitted")));
        }
    }
    let Some(model) = body["model"].as_str().filter(|model| !model.is_empty()) else {
        return Err(invalid("model: Field required"));
    };
    if gone(model) {
        return Err(retired(model));
    }
    let max_output = body["max_tokens"].as_u64();
    if max_output.is_none() && !counting {
        return Err(invalid("max_tokens: Field required"));
    }
    let mut prompt = Prompt {
        model: model.into(),
        max_output: max_output.filter(|most| *most > 0),
        stream: body["stream"] == true,
        ..Prompt::default()
    };
    match &body["system"] {
        Value::Null => {}
        Value::String(words) => prompt.hear(words),
        Value::Array(blocks) => {
            for (index, block) in blocks.iter().enumerate() {
                match (block["type"].as_str(), block["text"].as_str()) {
                    (Some("text"), Some(words)) => prompt.hear(words),
                    _ => return Err(invalid(format!("system.{index}: Input should be a text block"))),
                }
            }
        }
        _ => return Err(invalid("system: Input should be a valid string or list")),
    }
    tools(body, &mut prompt)?;
    if let Some(format) = body["output_config"].get("format") {
        if format["type"] != "json_schema" {
            return Err(invalid("output_config.format.type: Input should be 'json_schema'"));
        }
        if let Some(fault) = strict::fault(&format["schema"]) {
            return Err(invalid(format!("output_config.format.schema: {fault}")));
        }
        prompt.schema = Some(format["schema"].clone());
    }
    if let Some(effort) = body["output_config"].get("effort")
        && !matches!(effort.as_str(), Some("low" | "medium" | "high" | "xhigh" | "max"))
    {
        return Err(invalid("output_config.effort: Input should be 'low', 'medium', 'high', 'xhigh' or 'max'"));
    }
    turns(&body["messages"], version, &mut prompt)?;
    Ok(prompt)
}

fn tools(body: &Value, prompt: &mut Prompt) -> Result<(), Wrong> {
    for (index, tool) in body["tools"].as_array().into_iter().flatten().enumerate() {
        let Some(name) = tool["name"].as_str() else {
            return Err(invalid(format!("tools.{index}.name: Field required")));
        };
        if tool["input_schema"]["type"] != "object" {
            return Err(invalid(format!("tools.{index}.input_schema.type: Input should be 'object'")));
        }
        if tool["strict"] == true
            && let Some(fault) = strict::fault(&tool["input_schema"])
        {
            return Err(invalid(format!("tools.{index}.input_schema: {fault}")));
        }
        prompt.hear(tool["description"].as_str().unwrap_or_default());
        prompt.tools.push((name.into(), tool["input_schema"].clone()));
    }
    let choice = &body["tool_choice"];
    if !choice.is_null() && prompt.tools.is_empty() {
        return Err(invalid("tool_choice may only be specified while providing tools"));
    }
    match choice["type"].as_str() {
        Some("auto") => {}
        Some("any") => prompt.must_call = Some(None),
        Some("none") => prompt.must_not_call = true,
        Some("tool") => {
            match choice["name"].as_str().filter(|name| prompt.tools.iter().any(|(tool, _)| tool == name)) {
                Some(name) => prompt.must_call = Some(Some(name.into())),
                None => return Err(invalid("tool_choice.name: Tool not found in provided tools")),
            }
        }
        _ if choice.is_null() => {}
        _ => return Err(invalid("tool_choice: Input tag found does not match any of the expected tags")),
    }
    Ok(())
}

fn turns(messages: &Value, version: &str, prompt: &mut Prompt) -> Result<(), Wrong> {
    let Some(messages) = messages.as_array().filter(|messages| !messages.is_empty()) else {
        return Err(invalid("messages: at least one message is required"));
    };
    let mut open: Vec<String> = Vec::new(); // tool calls that wait for their results
    for (index, message) in messages.iter().enumerate() {
        let assistant = match message["role"].as_str() {
            Some("user") => false,
            Some("assistant") => true,
            _ => return Err(invalid(format!("messages.{index}.role: Input should be 'user' or 'assistant'"))),
        };
        let at = format!("messages.{index}.content");
        let one;
        let blocks = match &message["content"] {
            Value::String(text) => {
                one = [json!({ "type": "text", "text": text })];
                &one[..]
            }
            Value::Array(blocks) => blocks,
            _ => return Err(invalid(format!("{at}: Input should be a valid string or list"))),
        };
        if blocks.is_empty() {
            return Err(invalid(format!("messages.{index}: all messages must have non-empty content")));
        }
        let answered: Vec<&str> = blocks.iter().filter_map(|block| block["tool_use_id"].as_str()).collect();
        if let Some(id) = answered.iter().find(|id| !open.iter().any(|one| one == *id)) {
            return Err(invalid(format!("{at}: unexpected `tool_use_id` found in `tool_result` blocks: {id}")));
        }
        if let Some(id) = open.iter().find(|id| !answered.contains(&id.as_str())) {
            return Err(invalid(format!(
                "{at}: `tool_use` ids were found without `tool_result` blocks immediately after: {id}"
            )));
        }
        open.clear();
        let mut said: Vec<String> = Vec::new();
        for (place, block) in blocks.iter().enumerate() {
            let at = format!("{at}.{place}");
            match block["type"].as_str() {
                Some("text") => match block["text"].as_str() {
                    Some("") => return Err(invalid(format!("{at}.text: text content blocks must be non-empty"))),
                    Some(words) => said.push(words.into()),
                    None => return Err(invalid(format!("{at}.text: Field required"))),
                },
                Some("image") => {
                    image(&block["source"], &at)?;
                    prompt.images += 1;
                }
                Some("tool_use") if assistant => match (block["id"].as_str(), block["name"].as_str()) {
                    (Some(id), Some(_)) if block["input"].is_object() => open.push(id.to_owned()),
                    _ => return Err(invalid(format!("{at}: a tool_use needs id, name and an object as input"))),
                },
                Some("tool_result") if !assistant => {
                    let words = block["content"].as_str().or(block["content"][0]["text"].as_str()).unwrap_or_default();
                    said.push(words.into());
                    prompt.after_tool = true;
                }
                Some("thinking") if assistant && block["signature"].is_string() => {}
                Some("redacted_thinking") if assistant => {}
                Some("document") if !assistant || version != NEW => {}
                _ => return Err(invalid(format!("{at}: Input tag found does not match any of the expected tags"))),
            }
        }
        if !assistant {
            prompt.after_tool = !answered.is_empty();
            prompt.said = said.join(" ");
        }
        said.iter().for_each(|words| prompt.hear(words));
    }
    if messages.last().is_some_and(|last| last["role"] == "assistant") {
        return Err(invalid(
            "This model does not support assistant message prefill. The conversation must end with a user message.",
        ));
    }
    Ok(())
}

fn image(source: &Value, at: &str) -> Result<(), Wrong> {
    match source["type"].as_str() {
        Some("base64") => {
            if !matches!(source["media_type"].as_str(), Some("image/jpeg" | "image/png" | "image/gif" | "image/webp")) {
                return Err(invalid(format!(
                    "{at}.source.media_type: Input should be 'image/jpeg', 'image/png', 'image/gif' or 'image/webp'"
                )));
            }
            let decoded = source["data"].as_str().and_then(|data| BASE64_STANDARD.decode(data).ok());
            decoded
                .filter(|bytes| !bytes.is_empty())
                .map(drop)
                .ok_or_else(|| invalid(format!("{at}.source.data: invalid base64 data")))
        }
        Some("url" | "file") => Ok(()),
        _ => Err(invalid(format!("{at}.source: Input tag found does not match any of the expected tags"))),
    }
}

/// Opus 4.1 and older are retired.
fn gone(model: &str) -> bool {
    ["claude-2", "claude-instant", "claude-3", "claude-sonnet-4-0", "claude-opus-4-0", "claude-opus-4-1"]
        .iter()
        .any(|old| model.starts_with(old))
}

fn retired(model: &str) -> Wrong {
    Wrong::new(404, "not_found_error", format!("model: {model}"))
}

fn usage(prompt: &Prompt, output: u64) -> Value {
    json!({ "input_tokens": prompt.input_tokens(), "output_tokens": output, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
        "cache_creation": { "ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0 },
        "output_tokens_details": { "thinking_tokens": 0 }, "service_tier": "standard" })
}

fn blocks(said: &Said, number: u64) -> Vec<Value> {
    let mut blocks = Vec::new();
    if !said.text.is_empty() {
        blocks.push(json!({ "type": "text", "text": said.text, "citations": null }));
    }
    for (index, (name, input)) in said.calls.iter().enumerate() {
        blocks.push(
            json!({ "type": "tool_use", "id": format!("toolu_sim_{number:06}_{index}"), "name": name, "input": input }),
        );
    }
    blocks
}

/// `(stop_reason, stop_details)`.
fn stop(said: &Said) -> (&'static str, Value) {
    match &said.stop {
        Stop::Done => ("end_turn", Value::Null),
        Stop::Length => ("max_tokens", Value::Null),
        Stop::Tools => ("tool_use", Value::Null),
        Stop::Refused(category) => (
            "refusal",
            json!({ "type": "refusal", "category": category, "explanation": "(simulated) This is not answered." }),
        ),
        Stop::Blocked => ("refusal", json!({ "type": "refusal", "category": null, "explanation": null })),
    }
}

impl Vendor for Anthropic {
    const NAME: &'static str = "anthropic";

    fn wrong(play: &Play, model: &str) -> Option<Wrong> {
        Some(match play {
            Play::Overloaded => Wrong::new(529, "overloaded_error", "Overloaded"),
            Play::Rate { after, dated } => Wrong {
                wait: Some((*after, *dated)),
                ..Wrong::new(429, "rate_limit_error", "This request would exceed your rate limit.")
            },
            Play::DailyQuota => Wrong {
                wait: Some((3600, false)),
                ..Wrong::new(429, "rate_limit_error", "This request would exceed your daily limit.")
            },
            Play::NoMoney => Wrong::new(429, "rate_limit_error", "Your organization's spend limit is reached.")
                .code("enforced_spend_limit_reached"),
            Play::BadKey => Wrong::new(401, "authentication_error", "invalid x-api-key"),
            Play::Retired => retired(model),
            Play::TooLong => invalid("prompt is too long: 1000001 tokens > 1000000 maximum"),
            Play::Busy => Wrong::new(409, "conflict_error", "The resource is in use"),
            Play::Dislikes { parameter } => {
                invalid(format!("{parameter}: `{parameter}` is not supported by this model"))
            }
            Play::Fails { status } => Wrong::new(*status, "api_error", "Internal server error"),
            _ => return None,
        })
    }

    fn error(wrong: &Wrong, number: u64) -> Value {
        let mut error = json!({ "type": wrong.kind, "message": wrong.message });
        if let Some(code) = wrong.code {
            error["details"] = json!({ "error_code": code });
        }
        json!({ "type": "error", "error": error, "request_id": format!("req_sim_{number:06}") })
    }

    fn headers(number: u64) -> Vec<(&'static str, String)> {
        vec![
            ("request-id", format!("req_sim_{number:06}")),
            ("anthropic-organization-id", "org-simulated".into()),
            ("anthropic-ratelimit-requests-limit", "1000".into()),
            ("anthropic-ratelimit-requests-remaining", "999".into()),
        ]
    }
}

impl Side for Messages {
    type Vendor = Anthropic;

    fn prompt(head: &Parts, body: &Value) -> Result<Prompt, Wrong> {
        read(head, body, false)
    }

    fn whole(prompt: &Prompt, said: &Said, number: u64) -> Value {
        let (reason, details) = stop(said);
        json!({ "id": format!("msg_sim_{number:06}"), "type": "message", "role": "assistant", "model": prompt.model,
            "content": blocks(said, number), "stop_reason": reason, "stop_sequence": null, "stop_details": details, "container": null,
            "usage": usage(prompt, said.output_tokens) })
    }

    fn events(prompt: &Prompt, said: &Said, number: u64) -> Vec<Event> {
        let mut events = Vec::new();
        let mut event = |name: &'static str, mut data: Value| {
            data["type"] = name.into();
            events.push((Some(name), data.to_string()));
        };
        let mut message = Self::whole(prompt, said, number);
        message["content"] = json!([]);
        message["stop_reason"] = Value::Null;
        message["stop_details"] = Value::Null;
        message["usage"]["output_tokens"] = json!(1);
        event("message_start", json!({ "message": message }));
        event("ping", json!({}));
        for (index, mut block) in blocks(said, number).into_iter().enumerate() {
            let mut deltas = Vec::new();
            if block["type"] == "text" {
                deltas.extend(chunks(&said.text).into_iter().map(|text| json!({ "type": "text_delta", "text": text })));
                block["text"] = "".into();
            } else {
                let arguments = block["input"].to_string();
                deltas.push(json!({ "type": "input_json_delta", "partial_json": "" }));
                deltas.extend(
                    chunks(&arguments)
                        .into_iter()
                        .map(|piece| json!({ "type": "input_json_delta", "partial_json": piece })),
                );
                block["input"] = json!({});
            }
            event("content_block_start", json!({ "index": index, "content_block": block }));
            for delta in deltas {
                event("content_block_delta", json!({ "index": index, "delta": delta }));
            }
            event("content_block_stop", json!({ "index": index }));
        }
        let (reason, details) = stop(said);
        let delta = json!({ "stop_reason": reason, "stop_sequence": null, "stop_details": details, "container": null });
        event("message_delta", json!({ "delta": delta, "usage": usage(prompt, said.output_tokens) }));
        event("message_stop", json!({}));
        events
    }

    fn error_event(wrong: &Wrong, number: u64) -> Event {
        (Some("error"), Anthropic::error(wrong, number).to_string())
    }
}

impl Side for Counting {
    type Vendor = Anthropic;

    fn prompt(head: &Parts, body: &Value) -> Result<Prompt, Wrong> {
        read(head, body, true)
    }

    fn whole(prompt: &Prompt, _: &Said, _: u64) -> Value {
        json!({ "input_tokens": prompt.input_tokens() })
    }
}
