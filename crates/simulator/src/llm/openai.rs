//! OpenAI's side: chat completions, Responses, embeddings, transcription, the list of models. Local servers are spoken to the
//! same way: what only OpenAI's own newer models refuse is refused for ids that begin with `gpt-5`, `gpt-6` or `o`.

use axum::{
    RequestExt as _,
    extract::{Multipart, Request, State},
    http::request::Parts,
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use super::{
    Models, Play, Side, Wrong, answer, answer_get, bearer, finish, key_is_good, strict,
    think::{self, Prompt, Said, Stop, chunks},
};

/// Names that `POST /v1/chat/completions` takes (SDK 3.51.0).
const CHAT_FIELDS: &[&str] = &[
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
/// Names that `POST /v1/responses` takes (SDK 3.51.0).
const RESPONSE_FIELDS: &[&str] = &[
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

pub async fn chat(State(models): State<Models>, request: Request) -> Response {
    answer::<Chat>(models, request).await
}

pub async fn responses(State(models): State<Models>, request: Request) -> Response {
    answer::<Responses>(models, request).await
}

pub async fn embeddings(State(models): State<Models>, request: Request) -> Response {
    answer::<Embeddings>(models, request).await
}

pub async fn list(State(models): State<Models>, request: Request) -> Response {
    answer_get::<Chat>(models, request, |head| {
        door(head)?;
        let data: Vec<Value> = SERVED.iter().map(|id| model(id)).collect();
        Ok(json!({ "object": "list", "data": data }))
    })
    .await
}

pub async fn one(State(models): State<Models>, request: Request) -> Response {
    answer_get::<Chat>(models, request, |head| {
        door(head)?;
        let id = head.uri.path().rsplit_once("/models/").map_or("", |(_, id)| id);
        if SERVED.contains(&id) { Ok(model(id)) } else { Err(retired(id)) }
    })
    .await
}

fn model(id: &str) -> Value {
    json!({ "id": id, "object": "model", "created": CREATED, "owned_by": "openai" })
}

/// Takes the file and says how large it was.
pub async fn transcriptions(State(models): State<Models>, request: Request) -> Response {
    let number = models.number();
    let (head, body) = request.into_parts();
    let again = Request::from_parts(head.clone(), body);
    let (fields, got) = match again.extract::<Multipart, _>().await {
        Ok(form) => fields(form).await,
        Err(_) => (Map::new(), Err(wrong(400, "Expected multipart/form-data"))),
    };
    let got = door(&head).and(got);
    let model = fields.get("model").and_then(Value::as_str).unwrap_or_default().to_owned();
    let play = models.next_play(&model);
    let got = got.and_then(|size| {
        if model.is_empty() {
            return Err(wrong(400, "you must provide a model parameter"));
        }
        if GONE.contains(&model.as_str()) {
            return Err(retired(&model));
        }
        match &play {
            Some(Play::Say { text }) => Ok(json!({ "text": text, "usage": { "type": "duration", "seconds": 1 } })),
            Some(play) if Chat::wrong(play, &model).is_some() => Err(Chat::wrong(play, &model).unwrap_or_else(|| retired(&model))),
            _ => Ok(json!({ "text": format!("(simulated) A recording of {size} bytes."), "usage": { "type": "duration", "seconds": size.div_ceil(4000) } })),
        }
    });
    finish::<Chat>(&models, &head, Value::Object(fields), &model, got, number)
}

/// The fields for the recording, and the size of the file.
async fn fields(mut form: Multipart) -> (Map<String, Value>, Result<usize, Wrong>) {
    let mut fields = Map::new();
    let mut size = Err(wrong(400, "file is a required field").param("file"));
    loop {
        match form.next_field().await {
            Ok(None) => return (fields, size),
            Ok(Some(field)) => {
                let name = field.name().unwrap_or_default().to_owned();
                let file = field.file_name().map(|file| json!({ "name": file, "type": field.content_type() }));
                let Ok(bytes) = field.bytes().await else { return (fields, Err(wrong(400, "The form is broken off"))) };
                let value = match file {
                    Some(mut file) => {
                        file["size"] = bytes.len().into();
                        let ending = file["name"]
                            .as_str()
                            .and_then(|name| name.rsplit_once('.'))
                            .map_or("", |(_, ending)| ending);
                        let known =
                            ["flac", "mp3", "mp4", "mpeg", "mpga", "m4a", "ogg", "wav", "webm"].contains(&ending);
                        size = match (known, bytes.is_empty()) {
                            (false, _) => Err(wrong(400, format!("Unrecognized file format: {ending:?}"))),
                            (_, true) => {
                                Err(wrong(400, "Audio file is too short. Minimum audio length is 0.1 seconds.")
                                    .code("audio_too_short"))
                            }
                            _ => Ok(bytes.len()),
                        };
                        file
                    }
                    None => String::from_utf8_lossy(&bytes).into_owned().into(),
                };
                fields.insert(name, value);
            }
            Err(_) => return (fields, Err(wrong(400, "The form is broken off"))),
        }
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

fn chat_prompt(head: &Parts, body: &Value) -> Result<Prompt, Wrong> {
    door(head)?;
    unknown(body, CHAT_FIELDS)?;
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
                return Err(
                    wrong(400, format!("Invalid value for 'content' in {at}: expected a string, got null.")).param(at)
                );
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

fn responses_prompt(head: &Parts, body: &Value) -> Result<Prompt, Wrong> {
    door(head)?;
    unknown(body, RESPONSE_FIELDS)?;
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
        return Err(wrong(400, "Invalid 'max_output_tokens': integer below minimum value. Expected a value >= 16.")
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
                    return Err(wrong(400, format!("No tool call found for function call output with call_id {id}."))
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
                        format!("Item with id '{id}' not found. Items are not persisted when `store` is set to false."),
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

fn play_wrong(play: &Play, model: &str) -> Option<Wrong> {
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

fn error_body(wrong: &Wrong) -> Value {
    json!({ "error": { "message": wrong.message, "type": wrong.kind, "param": wrong.param, "code": wrong.code } })
}

fn error_headers(number: u64) -> Vec<(&'static str, String)> {
    vec![
        ("x-request-id", format!("req_sim_{number:06}")),
        ("openai-version", "2020-10-01".into()),
        ("openai-processing-ms", "1".into()),
        ("x-ratelimit-limit-requests", "1000".into()),
        ("x-ratelimit-remaining-requests", "999".into()),
        ("x-ratelimit-reset-requests", "6m0s".into()),
    ]
}

/// What chats and Responses say when they will not.
const REFUSAL: &str = "(simulated) I'm sorry, I can't help with that.";

/// Chat completions.
struct Chat;

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

fn call_id(number: u64, index: usize) -> String {
    format!("call_sim_{number:06}_{index}")
}

impl Side for Chat {
    const NAME: &'static str = "openai";

    fn prompt(head: &Parts, body: &Value) -> Result<Prompt, Wrong> {
        chat_prompt(head, body)
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

    fn events(prompt: &Prompt, said: &Said, number: u64) -> Vec<(Option<&'static str>, String)> {
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

    fn wrong(play: &Play, model: &str) -> Option<Wrong> {
        play_wrong(play, model)
    }

    fn error(wrong: &Wrong, _: u64) -> Value {
        error_body(wrong)
    }

    fn error_event(wrong: &Wrong, _: u64) -> (Option<&'static str>, String) {
        let wrong = Wrong { kind: "server_error", code: Some("server_is_overloaded"), ..wrong.clone() };
        (None, error_body(&wrong).to_string())
    }

    fn headers(number: u64) -> Vec<(&'static str, String)> {
        error_headers(number)
    }
}

/// Responses.
struct Responses;

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
    const NAME: &'static str = "openai";

    fn prompt(head: &Parts, body: &Value) -> Result<Prompt, Wrong> {
        responses_prompt(head, body)
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

    fn events(prompt: &Prompt, said: &Said, number: u64) -> Vec<(Option<&'static str>, String)> {
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

    fn wrong(play: &Play, model: &str) -> Option<Wrong> {
        play_wrong(play, model)
    }

    fn error(wrong: &Wrong, _: u64) -> Value {
        error_body(wrong)
    }

    fn error_event(wrong: &Wrong, _: u64) -> (Option<&'static str>, String) {
        let data = json!({ "type": "error", "sequence_number": 99, "code": "server_is_overloaded", "message": wrong.message, "param": null });
        (Some("error"), data.to_string())
    }

    fn headers(number: u64) -> Vec<(&'static str, String)> {
        error_headers(number)
    }
}

/// Embeddings. The texts travel in [`Prompt::said`], as JSON with what else the answer needs.
struct Embeddings;

impl Side for Embeddings {
    const NAME: &'static str = "openai";

    fn prompt(head: &Parts, body: &Value) -> Result<Prompt, Wrong> {
        door(head)?;
        unknown(body, &["input", "model", "encoding_format", "dimensions", "user"])?;
        let model = named(body)?;
        let texts: Vec<&str> = match &body["input"] {
            Value::String(text) => vec![text],
            Value::Array(texts) => texts.iter().map(Value::as_str).collect::<Option<_>>().unwrap_or_default(),
            _ => Vec::new(),
        };
        if texts.is_empty() || texts.iter().any(|text| text.is_empty()) || texts.len() > 2048 {
            return Err(wrong(400, "'$.input' is invalid. Please check the API reference.").param("input"));
        }
        let most = if model.contains("3-large") { 3072 } else { 1536 };
        let dimensions = match &body["dimensions"] {
            Value::Null => most,
            given => match given.as_u64() {
                Some(given @ 1..) if given <= most => given,
                _ => {
                    return Err(wrong(
                        400,
                        format!("Invalid value for 'dimensions'. Must be less than or equal to {most}."),
                    )
                    .param("dimensions"));
                }
            },
        };
        let mut prompt = Prompt { model, ..Prompt::default() };
        texts.iter().for_each(|text| prompt.hear(text));
        prompt.said =
            json!({ "texts": texts, "dimensions": dimensions, "base64": body["encoding_format"] == "base64" })
                .to_string();
        Ok(prompt)
    }

    fn whole(prompt: &Prompt, _: &Said, _: u64) -> Value {
        let asked: Value = serde_json::from_str(&prompt.said).unwrap_or_default();
        let dimensions = asked["dimensions"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
        let one = |(index, text): (usize, &Value)| {
            let vector = think::vector(text.as_str().unwrap_or_default(), dimensions);
            let embedding = if asked["base64"] == true {
                let bytes: Vec<u8> = vector.iter().flat_map(|number| number.to_le_bytes()).collect();
                BASE64_STANDARD.encode(bytes).into()
            } else {
                json!(vector)
            };
            json!({ "object": "embedding", "index": index, "embedding": embedding })
        };
        let data: Vec<Value> = asked["texts"].as_array().into_iter().flatten().enumerate().map(one).collect();
        let tokens = prompt.input_tokens();
        json!({ "object": "list", "data": data, "model": prompt.model, "usage": { "prompt_tokens": tokens, "total_tokens": tokens } })
    }

    fn events(_: &Prompt, _: &Said, _: u64) -> Vec<(Option<&'static str>, String)> {
        Vec::new()
    }

    fn wrong(play: &Play, model: &str) -> Option<Wrong> {
        play_wrong(play, model)
    }

    fn error(wrong: &Wrong, _: u64) -> Value {
        error_body(wrong)
    }

    fn error_event(wrong: &Wrong, _: u64) -> (Option<&'static str>, String) {
        (None, error_body(wrong).to_string())
    }

    fn headers(number: u64) -> Vec<(&'static str, String)> {
        error_headers(number)
    }
}
