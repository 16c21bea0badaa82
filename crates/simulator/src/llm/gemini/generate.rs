//! `generateContent`, its stream, and `countTokens`, which reads the same.

use axum::http::request::Parts;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{Gemini, camel, door, invalid, named, unknown};
use crate::llm::{
    Event, Side, Vendor as _, Wrong,
    think::{Prompt, Said, Stop, chunks},
};

const FIELDS: &[&str] = &[
    "contents",
    "systemInstruction",
    "generationConfig",
    "tools",
    "toolConfig",
    "safetySettings",
    "cachedContent",
    "labels",
    "store",
    "serviceTier",
    "model",
];
const CONFIG: &[&str] = &[
    "maxOutputTokens",
    "temperature",
    "topP",
    "topK",
    "seed",
    "candidateCount",
    "stopSequences",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "responseFormat",
    "presencePenalty",
    "frequencyPenalty",
    "responseLogprobs",
    "logprobs",
    "thinkingConfig",
    "responseModalities",
    "mediaResolution",
    "speechConfig",
    "imageConfig",
    "audioTimestamp",
];
/// The stand-in for a signature that documentation allows.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

fn read(head: &Parts, body: &Value) -> Result<Prompt, Wrong> {
    door(head)?;
    let model = named(head)?;
    let body = camel(body);
    unknown(&body, FIELDS, "")?;
    let config = &body["generationConfig"];
    unknown(config, CONFIG, " at 'generation_config'")?;
    let thinking = &config["thinkingConfig"];
    if thinking.get("thinkingLevel").is_some() && thinking.get("thinkingBudget").is_some() {
        return Err(invalid("You can only set one of thinking budget or thinking level."));
    }
    match thinking["thinkingLevel"].as_str().map(str::to_uppercase).as_deref() {
        None | Some("LOW" | "MEDIUM" | "HIGH" | "XHIGH") => {}
        Some("MINIMAL") if !model.starts_with("gemini-3.8") => {}
        Some(level) => return Err(invalid(format!("Thinking level {level} is not supported for this model."))),
    }
    let json = config["responseMimeType"] == "application/json";
    let schema = config.get("responseJsonSchema").or(config.get("responseSchema")).cloned();
    if schema.is_some() && !json {
        return Err(invalid("Function calling with a response mime type: response schema needs 'application/json'."));
    }
    let mut prompt = Prompt {
        model,
        max_output: config["maxOutputTokens"].as_u64(),
        stream: head.uri.path().ends_with(":streamGenerateContent"),
        schema: schema.or_else(|| json.then(|| json!({ "type": "object" }))),
        ..Prompt::default()
    };
    if prompt.stream && !head.uri.query().unwrap_or_default().contains("alt=sse") {
        return Err(invalid("This simulator streams with alt=sse only."));
    }
    for part in body["systemInstruction"]["parts"].as_array().into_iter().flatten() {
        prompt.hear(part["text"].as_str().unwrap_or_default());
    }
    tools(&body, &mut prompt)?;
    contents(&body["contents"], &mut prompt)?;
    Ok(prompt)
}

fn tools(body: &Value, prompt: &mut Prompt) -> Result<(), Wrong> {
    for declared in body["tools"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|tool| tool["functionDeclarations"].as_array().into_iter().flatten())
    {
        let Some(name) = declared["name"].as_str().filter(|name| !name.is_empty()) else {
            return Err(invalid(
                "* GenerateContentRequest.tools[0].function_declarations[0].name: [REQUIRED_FIELD_MISSING]",
            ));
        };
        let schema =
            declared.get("parametersJsonSchema").or(declared.get("parameters")).cloned().unwrap_or(Value::Null);
        prompt.hear(declared["description"].as_str().unwrap_or_default());
        prompt.tools.push((name.into(), schema));
    }
    let calling = &body["toolConfig"]["functionCallingConfig"];
    match calling["mode"].as_str() {
        Some("ANY") => prompt.must_call = Some(calling["allowedFunctionNames"][0].as_str().map(Into::into)),
        Some("NONE") => prompt.must_not_call = true,
        _ => {}
    }
    Ok(())
}

fn contents(contents: &Value, prompt: &mut Prompt) -> Result<(), Wrong> {
    let Some(contents) = contents.as_array().filter(|contents| !contents.is_empty()) else {
        return Err(invalid("* GenerateContentRequest.contents: contents is not specified"));
    };
    for content in contents {
        let role = content["role"].as_str().unwrap_or("user");
        if !matches!(role, "user" | "model") {
            return Err(invalid("Please use a valid role: user, model."));
        }
        let mut said: Vec<String> = Vec::new();
        let mut calls = 0;
        let mut after_tool = false;
        let Some(parts) = content["parts"].as_array().filter(|parts| !parts.is_empty()) else {
            return Err(invalid("* GenerateContentRequest.contents.parts: contents.parts must not be empty."));
        };
        for part in parts {
            if let Some(text) = part["text"].as_str() {
                said.push(text.into());
            } else if let Some(blob) = part.get("inlineData") {
                let data = blob["data"].as_str().unwrap_or_default().replace('-', "+").replace('_', "/");
                if BASE64_STANDARD.decode(&data).map_or(true, |bytes| bytes.is_empty()) {
                    return Err(invalid(
                        "Invalid value at 'contents[0].parts[0].inline_data.data' (TYPE_BYTES), Base64 decoding failed",
                    ));
                }
                match blob["mimeType"].as_str().unwrap_or_default().split_once('/') {
                    Some(("image", _)) => prompt.images += 1,
                    Some(("audio", _)) => prompt.sounds += 1,
                    _ => return Err(invalid("Unsupported MIME type")),
                }
            } else if let Some(call) = part.get("functionCall") {
                calls += 1;
                if call["name"].as_str().is_none() || role != "model" {
                    return Err(invalid("A function call belongs to a model turn and has a name."));
                }
                let signature = part["thoughtSignature"].as_str();
                let signed = signature.is_some_and(|text| {
                    text == NO_SIGNATURE || BASE64_STANDARD.decode(text.replace('-', "+").replace('_', "/")).is_ok()
                });
                if calls == 1
                    && !signed
                    && (prompt.model.starts_with("gemini-3") || prompt.model.starts_with("gemini-4"))
                {
                    return Err(invalid("Function call is missing a thought_signature in functionCall parts."));
                }
            } else if let Some(result) = part.get("functionResponse") {
                if result["name"].as_str().is_none() || !result["response"].is_object() {
                    return Err(invalid("A function response has a name and an object as its response."));
                }
                let words = result["response"]
                    .as_object()
                    .and_then(|fields| fields.values().next())
                    .cloned()
                    .unwrap_or_default();
                said.push(words.as_str().map_or_else(|| words.to_string(), Into::into));
                after_tool = true;
            } else {
                return Err(invalid(
                    "* GenerateContentRequest.contents[0].parts[0].data: required oneof field 'data' must have one initialized field",
                ));
            }
        }
        let words = said.join(" ");
        prompt.hear(&words);
        if role == "user" {
            prompt.said = words;
            prompt.after_tool = after_tool;
        }
    }
    Ok(())
}

fn usage(prompt: &Prompt, said: &Said) -> Value {
    let (input, output) = (prompt.input_tokens(), said.output_tokens);
    json!({ "promptTokenCount": input, "candidatesTokenCount": output, "totalTokenCount": input + output,
        "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": input }] })
}

/// generateContent.
pub struct Generating;

fn response(prompt: &Prompt, number: u64, parts: Vec<Value>, finish: Option<&str>, usage: Value) -> Value {
    let mut candidate = json!({ "content": { "role": "model", "parts": parts }, "index": 0 });
    if let Some(finish) = finish {
        candidate["finishReason"] = finish.into();
    }
    json!({ "candidates": [candidate], "usageMetadata": usage, "modelVersion": prompt.model, "responseId": format!("sim{number:06}") })
}

fn finish(said: &Said) -> &'static str {
    match said.stop {
        Stop::Done | Stop::Tools => "STOP",
        Stop::Length => "MAX_TOKENS",
        Stop::Refused(_) => "SAFETY",
        Stop::Blocked => "PROHIBITED_CONTENT",
    }
}

fn calls(said: &Said, number: u64) -> Vec<Value> {
    let call = |(index, (name, args)): (usize, &(String, Value))| {
        let mut part =
            json!({ "functionCall": { "id": format!("fc_sim_{number:06}_{index}"), "name": name, "args": args } });
        if index == 0 {
            part["thoughtSignature"] = BASE64_STANDARD.encode(format!("simulated thought {number:06}")).into();
        }
        part
    };
    said.calls.iter().enumerate().map(call).collect()
}

fn blocked(prompt: &Prompt, number: u64) -> Value {
    let input = prompt.input_tokens();
    json!({ "promptFeedback": { "blockReason": "PROHIBITED_CONTENT" }, "usageMetadata": { "promptTokenCount": input, "totalTokenCount": input },
        "modelVersion": prompt.model, "responseId": format!("sim{number:06}") })
}

impl Side for Generating {
    type Vendor = Gemini;

    fn prompt(head: &Parts, body: &Value) -> Result<Prompt, Wrong> {
        read(head, body)
    }

    fn whole(prompt: &Prompt, said: &Said, number: u64) -> Value {
        if said.stop == Stop::Blocked {
            return blocked(prompt, number);
        }
        let mut parts = Vec::new();
        if !said.text.is_empty() {
            parts.push(json!({ "text": said.text }));
        }
        parts.extend(calls(said, number));
        let mut response = response(prompt, number, parts, Some(finish(said)), usage(prompt, said));
        if matches!(said.stop, Stop::Refused(_))
            && let Some(candidate) = response["candidates"][0].as_object_mut()
        {
            candidate.remove("content");
            let rating =
                json!([{ "category": "HARM_CATEGORY_DANGEROUS_CONTENT", "probability": "HIGH", "blocked": true }]);
            candidate.insert("safetyRatings".into(), rating);
        }
        response
    }

    fn events(prompt: &Prompt, said: &Said, number: u64) -> Vec<Event> {
        if said.stop == Stop::Blocked || matches!(said.stop, Stop::Refused(_)) {
            return vec![(None, Self::whole(prompt, said, number).to_string())];
        }
        let so_far = || json!({ "promptTokenCount": prompt.input_tokens(), "totalTokenCount": prompt.input_tokens() });
        let mut pieces: Vec<Value> = chunks(&said.text).into_iter().map(|text| json!({ "text": text })).collect();
        pieces.extend(calls(said, number));
        let mut events: Vec<Value> =
            pieces.into_iter().map(|part| response(prompt, number, vec![part], None, so_far())).collect();
        events.push(response(prompt, number, vec![json!({ "text": "" })], Some(finish(said)), usage(prompt, said)));
        events.into_iter().map(|event| (None, event.to_string())).collect()
    }

    fn error_event(wrong: &Wrong, number: u64) -> Event {
        let wrong = Wrong { status: 503, kind: "UNAVAILABLE", ..wrong.clone() };
        (None, Gemini::error(&wrong, number).to_string())
    }
}

/// countTokens.
pub struct Counting;

impl Side for Counting {
    type Vendor = Gemini;

    fn prompt(head: &Parts, body: &Value) -> Result<Prompt, Wrong> {
        read(head, body)
    }

    fn whole(prompt: &Prompt, _: &Said, _: u64) -> Value {
        json!({ "totalTokens": prompt.input_tokens() })
    }
}
