//! `POST /v1/chat/completions`.

use axum::http::request::Parts;
use serde_json::{Value, json};

use super::{CREATED, OpenAi, REFUSAL, call_id, door, image, named, shape, thinks, tools, unknown, warm, wrong};
use crate::llm::{
    Event, Side, Vendor as _, Wrong,
    think::{Prompt, Said, Stop, chunks},
};

/// Names that `POST /v1/chat/completions` takes (SDK 3.51.0).
const FIELDS: &[&str] = &[
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "messages",
    "metadata",
    "modalities",
    "model",
    "moderation",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
    "web_search_options",
];

/// Chat completions.
pub struct Chat;

fn usage(prompt: &Prompt, said: &Said) -> Value {
    let (input, output) = (prompt.input_tokens(), said.output_tokens);
    json!({ "prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output,
        "prompt_tokens_details": { "cached_tokens": 0, "cache_write_tokens": 0, "audio_tokens": 0 },
        "completion_tokens_details": { "reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0 } })
}

fn finish_reason(said: &Said) -> &'static str {
    match said.stop {
        Stop::Done | Stop::Refused(_) => "stop",
        Stop::Length => "length",
        Stop::Tools => "tool_calls",
        Stop::Blocked => "content_filter",
    }
}

impl Side for Chat {
    type Vendor = OpenAi;

    fn prompt(head: &Parts, body: &Value) -> Result<Prompt, Wrong> {
        door(head)?;
        unknown(body, FIELDS)?;
        let model = named(body)?;
        if thinks(&model) && body.get("max_tokens").is_some() {
            let message = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
            return Err(wrong(400, message).code("unsupported_parameter").param("max_tokens"));
        }
        warm(body, &model)?;
        let mut prompt = Prompt {
            max_output: body["max_completion_tokens"].as_u64().or(body["max_tokens"].as_u64()),
            stream: body["stream"] == true,
            stream_usage: body["stream_options"]["include_usage"] == true,
            schema: shape(&body["response_format"], "response_format")?,
            model,
            ..Prompt::default()
        };
        if !prompt.stream && !body["stream_options"].is_null() {
            return Err(wrong(400, "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
                .param("stream_options"));
        }
        tools(body, &mut prompt, |tool| &tool["function"])?;
        if prompt.model.starts_with("gpt-5.6-luna") && !prompt.tools.is_empty() && body["reasoning_effort"] != "none" {
            let message = "Function tools with reasoning_effort are not supported for this model in /v1/chat/completions. Please use /v1/responses instead.";
            return Err(wrong(400, message).param("reasoning_effort"));
        }
        let Some(messages) = body["messages"].as_array().filter(|messages| !messages.is_empty()) else {
            return Err(wrong(400, "Invalid 'messages': empty array. Expected an array with minimum length 1.")
                .code("empty_array")
                .param("messages"));
        };
        let mut open: Vec<&str> = Vec::new();
        for (index, message) in messages.iter().enumerate() {
            let at = format!("messages.[{index}]");
            let role = message["role"].as_str().unwrap_or_default();
            if !matches!(role, "developer" | "system" | "user" | "assistant" | "tool") {
                return Err(wrong(400, format!("Invalid value: '{role}'."))
                    .code("invalid_value")
                    .param(format!("{at}.role")));
            }
            if role == "tool" {
                let id = message["tool_call_id"].as_str().unwrap_or_default();
                if !open.contains(&id) {
                    return Err(wrong(
                        400,
                        "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
                    )
                    .param(at));
                }
                open.retain(|one| *one != id);
            } else if let Some(id) = open.first() {
                let message = format!(
                    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. Missing: {id}"
                );
                return Err(wrong(400, message).param(at));
            }
            let mut said: Vec<&str> = Vec::new();
            match &message["content"] {
                Value::String(words) => said.push(words),
                Value::Array(parts) => {
                    for (place, part) in parts.iter().enumerate() {
                        match (part["type"].as_str(), role) {
                            (Some("text"), _) if part["text"].is_string() => {
                                said.push(part["text"].as_str().unwrap_or_default())
                            }
                            (Some("refusal"), "assistant") => {}
                            (Some("image_url"), "user") => {
                                image(part["image_url"]["url"].as_str().unwrap_or_default())?;
                                prompt.images += 1;
                            }
                            (Some("input_audio"), "user")
                                if matches!(part["input_audio"]["format"].as_str(), Some("wav" | "mp3")) =>
                            {
                                prompt.sounds += 1
                            }
                            _ => {
                                return Err(wrong(400, format!("Invalid content type in {at}.content[{place}]."))
                                    .code("invalid_value"));
                            }
                        }
                    }
                }
                Value::Null if role == "assistant" && message["tool_calls"].is_array() => {}
                _ => {
                    return Err(wrong(
                        400,
                        format!("Invalid value for 'content' in {at}: expected a string, got null."),
                    )
                    .param(at));
                }
            }
            for call in message["tool_calls"].as_array().into_iter().flatten() {
                match (call["id"].as_str(), call["function"]["name"].as_str(), call["function"]["arguments"].as_str()) {
                    (Some(id), Some(_), Some(_)) => open.push(id),
                    _ => {
                        return Err(wrong(
                            400,
                            format!("A tool call in {at} needs id, function.name and function.arguments as a string."),
                        ));
                    }
                }
            }
            let words = said.join(" ");
            prompt.hear(&words);
            if matches!(role, "user" | "tool") {
                prompt.said = words;
                prompt.after_tool = role == "tool";
            }
        }
        if let Some(id) = open.first() {
            return Err(wrong(
                400,
                format!("An assistant message with 'tool_calls' must be followed by tool messages. Missing: {id}"),
            ));
        }
        Ok(prompt)
    }

    fn whole(prompt: &Prompt, said: &Said, number: u64) -> Value {
        let refused = matches!(said.stop, Stop::Refused(_));
        let content = if refused || (said.text.is_empty() && !said.calls.is_empty()) {
            Value::Null
        } else {
            said.text.clone().into()
        };
        let mut message = json!({ "role": "assistant", "content": content, "refusal": refused.then_some(REFUSAL), "annotations": [] });
        if !said.calls.is_empty() {
            let call = |(index, (name, arguments)): (usize, &(String, Value))| json!({ "id": call_id(number, index), "type": "function", "function": { "name": name, "arguments": arguments.to_string() } });
            message["tool_calls"] = said.calls.iter().enumerate().map(call).collect();
        }
        json!({ "id": format!("chatcmpl-sim{number:06}"), "object": "chat.completion", "created": CREATED, "model": prompt.model,
            "choices": [{ "index": 0, "message": message, "logprobs": null, "finish_reason": finish_reason(said) }],
            "usage": usage(prompt, said), "service_tier": "default", "system_fingerprint": "fp_simulated" })
    }

    fn events(prompt: &Prompt, said: &Said, number: u64) -> Vec<Event> {
        let mut events = Vec::new();
        let mut chunk = |choices: Value, usage: Value| {
            let mut chunk = json!({ "id": format!("chatcmpl-sim{number:06}"), "object": "chat.completion.chunk", "created": CREATED,
                "model": prompt.model, "service_tier": "default", "system_fingerprint": "fp_simulated", "choices": choices });
            if prompt.stream_usage {
                chunk["usage"] = usage;
            }
            events.push((None, chunk.to_string()));
        };
        let mut delta = |delta: Value, finish: Option<&str>| {
            chunk(json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish }]), Value::Null);
        };
        let refused = matches!(said.stop, Stop::Refused(_));
        let content = if said.calls.is_empty() && !refused { json!("") } else { Value::Null };
        delta(json!({ "role": "assistant", "content": content, "refusal": null }), None);
        if refused {
            chunks(REFUSAL).into_iter().for_each(|piece| delta(json!({ "refusal": piece }), None));
        }
        chunks(&said.text).into_iter().for_each(|piece| delta(json!({ "content": piece }), None));
        for (index, (name, arguments)) in said.calls.iter().enumerate() {
            let function = json!({ "name": name, "arguments": "" });
            delta(
                json!({ "tool_calls": [{ "index": index, "id": call_id(number, index), "type": "function", "function": function }] }),
                None,
            );
            for piece in chunks(&arguments.to_string()) {
                delta(json!({ "tool_calls": [{ "index": index, "function": { "arguments": piece } }] }), None);
            }
        }
        delta(json!({}), Some(finish_reason(said)));
        if prompt.stream_usage {
            chunk(json!([]), usage(prompt, said));
        }
        events.push((None, "[DONE]".into()));
        events
    }

    fn error_event(wrong: &Wrong, number: u64) -> Event {
        let wrong = Wrong { kind: "server_error", code: Some("server_is_overloaded"), ..wrong.clone() };
        (None, OpenAi::error(&wrong, number).to_string())
    }
}
