//! `POST /v1/responses`.

use axum::http::request::Parts;
use serde_json::{Value, json};

use super::{CREATED, OpenAi, REFUSAL, call_id, door, image, named, shape, tools, unknown, warm, wrong};
use crate::llm::{
    Event, Side, Wrong,
    think::{Prompt, Said, Stop, chunks},
};

/// Names that `POST /v1/responses` takes (SDK 3.51.0).
const FIELDS: &[&str] = &[
    "background",
    "context_management",
    "conversation",
    "include",
    "input",
    "instructions",
    "max_output_tokens",
    "max_tool_calls",
    "metadata",
    "model",
    "moderation",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
];

/// Responses.
pub struct Responses;

fn output(said: &Said, number: u64) -> Vec<Value> {
    let mut output = Vec::new();
    let content = match said.stop {
        Stop::Refused(_) => Some(json!({ "type": "refusal", "refusal": REFUSAL })),
        _ if said.text.is_empty() => None,
        _ => Some(json!({ "type": "output_text", "text": said.text, "annotations": [], "logprobs": [] })),
    };
    if let Some(content) = content {
        let status = if said.stop == Stop::Length { "incomplete" } else { "completed" };
        output.push(json!({ "type": "message", "id": format!("msg_sim_{number:06}"), "role": "assistant", "status": status, "content": [content] }));
    }
    for (index, (name, arguments)) in said.calls.iter().enumerate() {
        output.push(json!({ "type": "function_call", "id": format!("fc_sim_{number:06}_{index}"), "call_id": call_id(number, index), "name": name,
            "arguments": arguments.to_string(), "status": "completed" }));
    }
    output
}

impl Side for Responses {
    type Vendor = OpenAi;

    fn prompt(head: &Parts, body: &Value) -> Result<Prompt, Wrong> {
        door(head)?;
        unknown(body, FIELDS)?;
        let model = named(body)?;
        warm(body, &model)?;
        let mut prompt = Prompt {
            max_output: body["max_output_tokens"].as_u64(),
            stream: body["stream"] == true,
            schema: shape(&body["text"]["format"], "text.format")?,
            model,
            ..Prompt::default()
        };
        if prompt.max_output.is_some_and(|most| most < 16) {
            return Err(wrong(
                400,
                "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16.",
            )
            .code("integer_below_min_value")
            .param("max_output_tokens"));
        }
        prompt.hear(body["instructions"].as_str().unwrap_or_default());
        tools(body, &mut prompt, |tool| tool)?;
        let one;
        let items = match &body["input"] {
            Value::String(words) => {
                one = [json!({ "role": "user", "content": words })];
                &one[..]
            }
            Value::Array(items) if !items.is_empty() => items,
            _ => {
                return Err(wrong(400, "Missing required parameter: 'input'.")
                    .code("missing_required_parameter")
                    .param("input"));
            }
        };
        let mut open: Vec<&str> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let at = format!("input[{index}]");
            match item["type"].as_str() {
                Some("function_call") => {
                    match (item["call_id"].as_str(), item["name"].as_str(), item["arguments"].as_str()) {
                        (Some(id), Some(_), Some(_)) => open.push(id),
                        _ => {
                            return Err(wrong(400, format!("Missing required parameter in {at}."))
                                .code("missing_required_parameter")
                                .param(at));
                        }
                    }
                }
                Some("function_call_output") => {
                    let id = item["call_id"].as_str().unwrap_or_default();
                    if !open.contains(&id) {
                        return Err(wrong(
                            400,
                            format!("No tool call found for function call output with call_id {id}."),
                        )
                        .param("input"));
                    }
                    open.retain(|one| *one != id);
                    prompt.said = item["output"].as_str().unwrap_or_default().to_owned();
                    prompt.after_tool = true;
                    let said = prompt.said.clone();
                    prompt.hear(&said);
                }
                Some("reasoning") => {
                    if body["store"] == false && !item["encrypted_content"].is_string() {
                        let id = item["id"].as_str().unwrap_or_default();
                        return Err(wrong(
                            404,
                            format!(
                                "Item with id '{id}' not found. Items are not persisted when `store` is set to false."
                            ),
                        )
                        .param("input"));
                    }
                }
                None | Some("message") => message(item, &at, &mut prompt)?,
                Some(other) => {
                    return Err(wrong(400, format!("Invalid value: '{other}'."))
                        .code("invalid_value")
                        .param(format!("{at}.type")));
                }
            }
        }
        if let Some(id) = open.first() {
            return Err(wrong(400, format!("No tool output found for function call {id}.")).param("input"));
        }
        Ok(prompt)
    }

    fn whole(prompt: &Prompt, said: &Said, number: u64) -> Value {
        let (status, why) = match said.stop {
            Stop::Length => ("incomplete", json!({ "reason": "max_output_tokens" })),
            Stop::Blocked => ("incomplete", json!({ "reason": "content_filter" })),
            _ => ("completed", Value::Null),
        };
        let (input, written) = (prompt.input_tokens(), said.output_tokens);
        json!({ "id": format!("resp_sim_{number:06}"), "object": "response", "created_at": CREATED, "status": status, "error": null,
            "incomplete_details": why, "instructions": null, "max_output_tokens": prompt.max_output, "model": prompt.model,
            "output": output(said, number), "parallel_tool_calls": true, "previous_response_id": null, "store": false, "temperature": 1.0,
            "tool_choice": "auto", "tools": [], "top_p": 1.0, "truncation": "disabled", "metadata": {}, "text": { "format": { "type": "text" } },
            "usage": { "input_tokens": input, "input_tokens_details": { "cached_tokens": 0, "cache_write_tokens": 0 },
                "output_tokens": written, "output_tokens_details": { "reasoning_tokens": 0 }, "total_tokens": input + written } })
    }

    fn events(prompt: &Prompt, said: &Said, number: u64) -> Vec<Event> {
        let whole = Self::whole(prompt, said, number);
        let mut begun = whole.clone();
        begun["status"] = "in_progress".into();
        begun["output"] = json!([]);
        begun["usage"] = Value::Null;
        begun["incomplete_details"] = Value::Null;
        let mut events = Vec::new();
        let mut event = |name: &'static str, mut data: Value| {
            data["type"] = name.into();
            data["sequence_number"] = events.len().into();
            events.push((Some(name), data.to_string()));
        };
        event("response.created", json!({ "response": begun }));
        event("response.in_progress", json!({ "response": begun }));
        for (index, item) in output(said, number).into_iter().enumerate() {
            let id = item["id"].clone();
            let mut empty = item.clone();
            empty["status"] = "in_progress".into();
            if item["type"] == "message" {
                empty["content"] = json!([]);
                event("response.output_item.added", json!({ "output_index": index, "item": empty }));
                let part = &item["content"][0];
                let refused = part["type"] == "refusal";
                let field = if refused { "refusal" } else { "text" };
                let text = part[field].as_str().unwrap_or_default();
                let mut blank = part.clone();
                blank[field] = "".into();
                let at = json!({ "item_id": id, "output_index": index, "content_index": 0 });
                let with = |more: Value| {
                    let mut data = at.clone();
                    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
                        data.extend(more);
                    }
                    data
                };
                event("response.content_part.added", with(json!({ "part": blank })));
                for piece in chunks(text) {
                    if refused {
                        event("response.refusal.delta", with(json!({ "delta": piece })));
                    } else {
                        event("response.output_text.delta", with(json!({ "delta": piece, "logprobs": [] })));
                    }
                }
                if refused {
                    event("response.refusal.done", with(json!({ "refusal": text })));
                } else {
                    event("response.output_text.done", with(json!({ "text": text, "logprobs": [] })));
                }
                event("response.content_part.done", with(json!({ "part": part })));
            } else {
                empty["arguments"] = "".into();
                event("response.output_item.added", json!({ "output_index": index, "item": empty }));
                let arguments = item["arguments"].as_str().unwrap_or_default();
                for piece in chunks(arguments) {
                    event(
                        "response.function_call_arguments.delta",
                        json!({ "item_id": id, "output_index": index, "delta": piece }),
                    );
                }
                event(
                    "response.function_call_arguments.done",
                    json!({ "item_id": id, "output_index": index, "arguments": arguments, "name": item["name"] }),
                );
            }
            event("response.output_item.done", json!({ "output_index": index, "item": item }));
        }
        let last = if whole["status"] == "incomplete" { "response.incomplete" } else { "response.completed" };
        event(last, json!({ "response": whole }));
        events
    }

    fn error_event(wrong: &Wrong, _: u64) -> Event {
        let data = json!({ "type": "error", "sequence_number": 99, "code": "server_is_overloaded", "message": wrong.message, "param": null });
        (Some("error"), data.to_string())
    }
}

fn message(item: &Value, at: &str, prompt: &mut Prompt) -> Result<(), Wrong> {
    let role = item["role"].as_str().unwrap_or_default();
    let mut said: Vec<&str> = Vec::new();
    match &item["content"] {
        Value::String(words) => said.push(words),
        Value::Array(parts) => {
            for (place, part) in parts.iter().enumerate() {
                match (part["type"].as_str(), role) {
                    (Some("input_text"), "user" | "system" | "developer") | (Some("output_text"), "assistant") => {
                        said.push(part["text"].as_str().unwrap_or_default());
                    }
                    (Some("refusal"), "assistant") => {}
                    (Some("input_image"), "user") => {
                        image(part["image_url"].as_str().unwrap_or_default())?;
                        prompt.images += 1;
                    }
                    (other, _) => {
                        let message = format!("Invalid value: '{}'.", other.unwrap_or_default());
                        return Err(wrong(400, message)
                            .code("invalid_value")
                            .param(format!("{at}.content[{place}].type")));
                    }
                }
            }
        }
        _ => {
            return Err(
                wrong(400, format!("Missing required parameter: '{at}.content'.")).code("missing_required_parameter")
            );
        }
    }
    let words = said.join(" ");
    prompt.hear(&words);
    match role {
        "user" => {
            prompt.said = words;
            prompt.after_tool = false;
        }
        "assistant" | "system" | "developer" => {}
        _ => {
            return Err(wrong(400, format!("Invalid value: '{role}'."))
                .code("invalid_value")
                .param(format!("{at}.role")));
        }
    }
    Ok(())
}
