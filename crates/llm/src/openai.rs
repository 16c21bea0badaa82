//! OpenAI's chat completions, and what others who speak it share. Source: the shapes in `openai` 3.51.0 (Python) and its
//! documentation, read 2026-11.
//!
//! Newer models take tools together with thinking only in [`crate::responses`]; here their effort must be left at none.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Ask, Audio, Auth, Body, Call, Can, Chat, Choice, Class, Delta, Effort, Embed, Embedded, Endpoint, Error, Event,
    Form, Head, Knob, Listed, Model, Part, Reading, Reply, Role, Stop, ToolCall, Transcript, Turn, Usage, Vendor,
    vendor::{arguments, arguments_text, base64, essence, json as parse, shaped},
};

/// OpenAI by chat completions.
pub struct OpenAi;

impl Vendor for OpenAi {
    fn kind(&self) -> &'static str {
        "openai"
    }

    fn base(&self) -> &'static str {
        "https://api.openai.com/v1"
    }

    fn can(&self) -> Can {
        Can { images: true, audio: true, tools: true, schema: true, embeddings: true, transcription: true }
    }

    fn chat(&self, ask: &Ask) -> Result<Call, Error> {
        let mut body = body(ask, "max_completion_tokens", "max_tokens")?;
        let chat = ask.chat;
        if let Some(effort) = chat.effort.filter(|_| ask.takes(Knob::Effort)) {
            body["reasoning_effort"] = effort_word(effort).into();
        }
        if ask.takes(Knob::Store) {
            body["store"] = false.into();
        }
        if let Some(user) = chat.user.as_ref().filter(|_| ask.takes(Knob::User)) {
            body["safety_identifier"] = json!(user);
        }
        if let Some(cache) = chat.cache.as_ref().filter(|_| ask.takes(Knob::Cache)) {
            body["prompt_cache_key"] = json!(cache);
        }
        post(&ask.model.at, &["chat", "completions"], body)
    }

    fn reply(&self, body: &[u8]) -> Result<Reply, Error> {
        read(self.kind(), shaped(body)?)
    }

    fn reading(&self) -> Box<dyn Reading> {
        Box::new(Stream::new(self.kind()))
    }

    fn failure(&self, head: &Head, body: &[u8]) -> Error {
        failure(head, body)
    }

    fn list(&self, at: &Endpoint) -> Result<Call, Error> {
        Call::get(at, at.url(&["models"]), Auth::Bearer)
    }

    fn listed(&self, body: &[u8]) -> Result<Vec<Listed>, Error> {
        listed(body)
    }

    fn embed(&self, model: &Model, embed: &Embed) -> Result<Call, Error> {
        self::embed(model, embed)
    }

    fn embedded(&self, body: &[u8]) -> Result<Embedded, Error> {
        embedded(body)
    }

    fn transcribe(&self, model: &Model, audio: &Audio) -> Result<Call, Error> {
        transcribe(model, audio)
    }

    fn transcript(&self, body: &[u8]) -> Result<Transcript, Error> {
        transcript(body)
    }
}

pub(crate) fn post(at: &Endpoint, path: &[&str], body: Value) -> Result<Call, Error> {
    Call::post(at, at.url(path), Auth::Bearer, Body::Json(body))
}

pub(crate) fn effort_word(effort: Effort) -> &'static str {
    match effort {
        Effort::None => "none",
        Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High => "high",
    }
}

/// What every speaker of chat completions is asked. `most` is what the limit is called here, `other` what it is called elsewhere.
pub(crate) fn body(ask: &Ask, most: &str, other: &str) -> Result<Value, Error> {
    let chat = ask.chat;
    let mut body = json!({ "model": ask.model.id, "messages": messages(chat)? });
    body[if ask.takes(Knob::OtherMaxTokens) { most } else { other }] = chat.max_output.into();
    if let Some(answer) = chat.answer.as_ref().filter(|_| ask.model.can.schema) {
        body["response_format"] = json!({ "type": "json_schema", "json_schema": { "name": answer.name(), "strict": true, "schema": answer.shape() } });
    }
    if !chat.tools.is_empty() {
        let tool = |tool: &crate::Tool| {
            let (name, description, parameters) = (&tool.name, &tool.description, tool.parameters.shape());
            json!({ "type": "function", "function": { "name": name, "description": description, "parameters": parameters, "strict": true } })
        };
        body["tools"] = chat.tools.iter().map(tool).collect();
        match &chat.choice {
            Choice::Auto => {}
            Choice::Any => body["tool_choice"] = "required".into(),
            Choice::Named(name) => body["tool_choice"] = json!({ "type": "function", "function": { "name": name } }),
            Choice::None => body["tool_choice"] = "none".into(),
        }
    }
    if let Some(temperature) = chat.temperature.filter(|_| ask.takes(Knob::Temperature)) {
        body["temperature"] = json!(temperature);
    }
    if ask.stream {
        body["stream"] = true.into();
        if ask.takes(Knob::StreamUsage) {
            body["stream_options"] = json!({ "include_usage": true });
        }
    }
    Ok(body)
}

fn messages(chat: &Chat) -> Result<Vec<Value>, Error> {
    let mut messages = Vec::with_capacity(chat.turns.len() + 1);
    if let Some(system) = &chat.system {
        messages.push(json!({ "role": "system", "content": system }));
    }
    for turn in &chat.turns {
        match turn.role {
            Role::User => user(turn, &mut messages)?,
            Role::Assistant => assistant(turn, &mut messages),
        }
    }
    Ok(messages)
}

/// Results of tools are messages of their own and come first: they must follow the calls.
fn user(turn: &Turn, messages: &mut Vec<Value>) -> Result<(), Error> {
    let mut parts = Vec::new();
    for part in &turn.parts {
        match part {
            Part::ToolResult(result) => {
                messages.push(json!({ "role": "tool", "tool_call_id": result.id, "content": result.text }))
            }
            Part::Text { text } => parts.push(json!({ "type": "text", "text": text })),
            Part::Image { mime, bytes } => {
                parts.push(json!({ "type": "image_url", "image_url": { "url": data_url(mime, bytes) } }))
            }
            Part::Audio { mime, bytes } => {
                let format = match essence(mime).as_str() {
                    "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
                    "audio/mpeg" | "audio/mp3" => "mp3",
                    _ => {
                        return Err(Error::unable(
                            "OpenAI hears wav and mp3 in a chat; others can be transcribed first",
                        ));
                    }
                };
                parts
                    .push(json!({ "type": "input_audio", "input_audio": { "data": base64(bytes), "format": format } }));
            }
            Part::ToolCall(_) | Part::Kept(_) => {}
        }
    }
    match (parts.as_mut_slice(), turn.parts.as_slice()) {
        ([], _) => {}
        ([one], [Part::Text { .. }]) => messages.push(json!({ "role": "user", "content": one["text"].take() })),
        _ => messages.push(json!({ "role": "user", "content": parts })),
    }
    Ok(())
}

fn assistant(turn: &Turn, messages: &mut Vec<Value>) {
    let mut words = String::new();
    let mut calls = Vec::new();
    for part in &turn.parts {
        match part {
            Part::Text { text } => words.push_str(text),
            Part::ToolCall(call) => calls.push(json!({
                "id": call.id, "type": "function", "function": { "name": call.name, "arguments": arguments_text(&call.arguments) } })),
            _ => {}
        }
    }
    let content = if words.is_empty() { Value::Null } else { words.into() };
    if !calls.is_empty() {
        messages.push(json!({ "role": "assistant", "content": content, "tool_calls": calls }));
    } else if !content.is_null() {
        messages.push(json!({ "role": "assistant", "content": content }));
    }
}

pub(crate) fn data_url(mime: &str, bytes: &[u8]) -> String {
    format!("data:{};base64,{}", essence(mime), base64(bytes))
}

#[derive(Deserialize)]
pub(crate) struct Completion {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    model: String,
    choices: Vec<Chosen>,
    #[serde(default)]
    usage: Option<Counts>,
}

#[derive(Deserialize)]
struct Chosen {
    message: Message,
    finish_reason: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Message {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<Called>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Called {
    index: Option<usize>,
    id: Option<String>,
    function: Function,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Function {
    name: Option<String>,
    arguments: Option<Value>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Counts {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<PromptDetails>,
    completion_tokens_details: Option<CompletionDetails>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CompletionDetails {
    reasoning_tokens: Option<u64>,
}

impl From<Counts> for Usage {
    fn from(counts: Counts) -> Self {
        let read = counts.prompt_tokens_details.unwrap_or_default();
        Self {
            input: counts.prompt_tokens.unwrap_or(0),
            cached: read.cached_tokens.unwrap_or(0),
            cache_written: read.cache_write_tokens.unwrap_or(0),
            output: counts.completion_tokens.unwrap_or(0),
            thinking: counts.completion_tokens_details.and_then(|details| details.reasoning_tokens).unwrap_or(0),
            estimated: false,
        }
    }
}

/// Reads a completion. Without `usage` (local servers) the cost is 0 and marked as estimated: who knows the question fills it in.
pub(crate) fn read(vendor: &str, completion: Completion) -> Result<Reply, Error> {
    let usage = completion.usage.map_or(Usage { estimated: true, ..Usage::default() }, Usage::from);
    let Some(chosen) = completion.choices.into_iter().next() else {
        return Err(Error::unreadable("the answer holds no choice"));
    };
    let refused = |why: String, code: &str| Err(Error::new(Class::Refused(code.into()), why).code(code).cost(usage));
    if let Some(why) = chosen.message.refusal.filter(|why| !why.is_empty()) {
        return refused(why, "refusal");
    }
    let stop = match chosen.finish_reason.as_deref() {
        Some("content_filter") => return refused("the vendor's filter took the answer away".into(), "content_filter"),
        Some("length") => Stop::Length,
        Some("tool_calls" | "function_call") => Stop::Tools,
        _ => Stop::Done,
    };
    let mut parts = Vec::new();
    if let Some(text) = chosen.message.content.filter(|text| !text.is_empty()) {
        parts.push(Part::Text { text });
    }
    for (index, called) in chosen.message.tool_calls.unwrap_or_default().into_iter().enumerate() {
        let Some(name) = called.function.name else { return Err(Error::unreadable("a tool call has no name")) };
        let arguments = match called.function.arguments {
            Some(Value::String(text)) => arguments(&text),
            Some(object @ Value::Object(_)) => object, // some local servers
            _ => json!({}),
        };
        let id = called.id.filter(|id| !id.is_empty()).unwrap_or_else(|| format!("call_{}", index + 1));
        parts.push(Part::ToolCall(ToolCall { id, name, arguments }));
    }
    let stop = if parts.iter().any(|part| matches!(part, Part::ToolCall(_))) && stop == Stop::Done {
        Stop::Tools
    } else {
        stop
    };
    let turn = Turn { role: Role::Assistant, parts };
    Ok(Reply {
        turn,
        json: None,
        stop,
        usage,
        vendor: vendor.into(),
        model: completion.model,
        request_id: completion.id,
    })
}

/// The completion that the chunks stand for.
pub(crate) struct Stream {
    vendor: &'static str,
    id: Option<String>,
    model: String,
    message: Message,
    finish: Option<String>,
    usage: Option<Counts>,
    over: bool,
}

impl Stream {
    pub fn new(vendor: &'static str) -> Self {
        Self {
            vendor,
            id: None,
            model: String::new(),
            message: Message::default(),
            finish: None,
            usage: None,
            over: false,
        }
    }
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    choices: Vec<Grown>,
    #[serde(default)]
    usage: Option<Counts>,
}

#[derive(Deserialize)]
struct Grown {
    #[serde(default)]
    delta: Option<Message>,
    #[serde(default)]
    finish_reason: Option<String>,
}

fn grow(text: &mut Option<String>, more: Option<String>) {
    if let Some(more) = more {
        text.get_or_insert_default().push_str(&more);
    }
}

impl Reading for Stream {
    fn take(&mut self, event: &Event, show: &mut Vec<Delta>) -> Result<bool, Error> {
        if event.data.trim() == "[DONE]" {
            self.over = true;
            return Ok(true);
        }
        let data = parse(event.data.as_bytes())?;
        if data.get("error").is_some_and(|error| !error.is_null()) {
            return Err(fault(
                &Head { status: 500, headers: &HeaderMap::new(), now: jiff::Timestamp::UNIX_EPOCH },
                &data,
            ));
        }
        let chunk = Chunk::deserialize(data).map_err(|_| Error::unreadable("an event of the stream is no chunk"))?;
        self.id = self.id.take().or(chunk.id);
        if let Some(model) = chunk.model {
            self.model = model;
        }
        if chunk.usage.is_some() {
            self.usage = chunk.usage;
        }
        let Some(grown) = chunk.choices.into_iter().next() else { return Ok(false) };
        if grown.finish_reason.is_some() {
            self.finish = grown.finish_reason;
        }
        let Some(delta) = grown.delta else { return Ok(false) };
        if let Some(text) = delta.content.clone().filter(|text| !text.is_empty()) {
            show.push(Delta::Text { text });
        }
        grow(&mut self.message.content, delta.content);
        grow(&mut self.message.refusal, delta.refusal);
        for more in delta.tool_calls.unwrap_or_default() {
            let calls = self.message.tool_calls.get_or_insert_default();
            let index =
                more.index.unwrap_or(if more.id.is_some() { calls.len() } else { calls.len().saturating_sub(1) });
            if index > calls.len() || index >= 128 {
                return Err(Error::unreadable("a tool call of the stream is out of order"));
            }
            if index == calls.len() {
                calls.push(Called::default());
            }
            let call = &mut calls[index];
            call.id = call.id.take().or(more.id);
            grow(&mut call.function.name, more.function.name);
            match (&mut call.function.arguments, more.function.arguments) {
                (Some(Value::String(text)), Some(Value::String(more))) => text.push_str(&more),
                (arguments @ None, Some(more)) => *arguments = Some(more),
                _ => {}
            }
        }
        Ok(false)
    }

    fn whole(&mut self) -> Result<Reply, Error> {
        // some local servers close without [DONE]; a finish reason proves that it is all there
        if !self.over && self.finish.is_none() {
            return Err(Error::new(Class::Transient, "the stream broke off"));
        }
        let chosen = Chosen { message: std::mem::take(&mut self.message), finish_reason: self.finish.take() };
        let model = std::mem::take(&mut self.model);
        read(self.vendor, Completion { id: self.id.take(), model, choices: vec![chosen], usage: self.usage.take() })
    }
}

pub(crate) fn failure(head: &Head, body: &[u8]) -> Error {
    match parse(body) {
        Ok(Value::Array(mut one)) if one.len() == 1 => fault(head, &one.swap_remove(0)),
        Ok(body) => fault(head, &body),
        Err(_) => Error::new(head.class(), "the answer is not one of this vendor's errors"),
    }
}

/// `{"error": {message, type, param, code}}`, or of local servers `{"error": "words"}`.
pub(crate) fn fault(head: &Head, body: &Value) -> Error {
    let error = &body["error"];
    let message = error.as_str().or(error["message"].as_str()).unwrap_or_default();
    let kind = error["type"].as_str().unwrap_or_default();
    let code = error["code"].as_str().unwrap_or_default();
    let lower = message.to_lowercase();
    let class = match (head.status, kind, code) {
        (_, "insufficient_quota", _)
        | (
            _,
            _,
            "insufficient_quota"
            | "credit_balance_exhausted"
            | "organization_spend_limit_exceeded"
            | "project_spend_limit_exceeded"
            | "organization_usage_limit_exceeded"
            | "billing_hard_limit_reached"
            | "billing_not_active",
        ) => Class::Money,
        (_, _, "invalid_api_key") => Class::Key,
        (_, _, "model_not_found") => Class::Retired,
        (_, _, "context_length_exceeded") => Class::TooLong,
        (_, _, "content_filter" | "content_policy_violation" | "invalid_prompt") => Class::Refused(code.into()),
        (_, _, code) if code.ends_with("_policy") => Class::Refused(code.into()),
        (_, _, "server_is_overloaded") => Class::Overloaded(head.wait()),
        (_, _, "rate_limit_exceeded") => Class::Rate(head.wait()),
        (400, _, "unsupported_value" | "unsupported_parameter" | "unknown_parameter") => {
            error["param"].as_str().and_then(Knob::named).map_or(Class::Rejected, Class::Parameter)
        }
        (400, ..) if lower.contains("context length") || lower.contains("context size") => Class::TooLong,
        _ => head.class(),
    };
    Error::new(class, message).code(if code.is_empty() { kind } else { code })
}

pub(crate) fn listed(body: &[u8]) -> Result<Vec<Listed>, Error> {
    #[derive(Deserialize)]
    struct Page {
        data: Vec<Row>,
    }
    #[derive(Deserialize)]
    struct Row {
        id: String,
    }
    let page: Page = shaped(body)?;
    Ok(page.data.into_iter().map(|row| Listed { name: row.id.clone(), id: row.id, retires_at: None }).collect())
}

pub(crate) fn embed(model: &Model, embed: &Embed) -> Result<Call, Error> {
    let mut body = json!({ "model": model.id, "input": embed.texts, "encoding_format": "float" });
    if let Some(dimensions) = embed.dimensions {
        body["dimensions"] = dimensions.into();
    }
    post(&model.at, &["embeddings"], body)
}

pub(crate) fn embedded(body: &[u8]) -> Result<Embedded, Error> {
    #[derive(Deserialize)]
    struct Answer {
        data: Vec<One>,
        #[serde(default)]
        usage: Option<Counts>,
    }
    #[derive(Deserialize)]
    struct One {
        index: Option<usize>,
        embedding: Vec<f32>,
    }
    let mut answer: Answer = shaped(body)?;
    answer.data.sort_by_key(|one| one.index); // stable: without an index, as they came
    let usage = answer.usage.map_or(Usage { estimated: true, ..Usage::default() }, Usage::from);
    Ok(Embedded { vectors: answer.data.into_iter().map(|one| one.embedding).collect(), usage })
}

pub(crate) fn transcribe(model: &Model, audio: &Audio) -> Result<Call, Error> {
    let mime = essence(&audio.mime);
    let ending = match mime.as_str() {
        "audio/ogg" | "audio/opus" | "application/ogg" => "ogg",
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/mp4" | "audio/x-m4a" | "audio/m4a" | "audio/aac" => "m4a",
        "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
        "audio/webm" | "video/webm" => "webm",
        "audio/flac" | "audio/x-flac" => "flac",
        "video/mp4" => "mp4",
        _ => return Err(Error::unable("this kind of recording cannot be written down")),
    };
    let mut fields = vec![("model", model.id.clone()), ("response_format", "json".into())];
    if let Some(language) = &audio.language {
        fields.push(("language", language.clone()));
    }
    // the server goes by the name's ending
    let form = Form { fields, name: format!("recording.{ending}"), mime, bytes: audio.bytes.clone() };
    Call::post(&model.at, model.at.url(&["audio", "transcriptions"]), Auth::Bearer, Body::Form(form))
}

pub(crate) fn transcript(body: &[u8]) -> Result<Transcript, Error> {
    #[derive(Deserialize)]
    struct Answer {
        text: String,
        #[serde(default)]
        usage: Cost,
    }
    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Cost {
        input_tokens: Option<u64>,
        output_tokens: Option<u64>,
        seconds: Option<f64>,
    }
    let answer: Answer = shaped(body)?;
    let usage = Usage {
        input: answer.usage.input_tokens.unwrap_or(0),
        output: answer.usage.output_tokens.unwrap_or(0),
        ..Usage::default()
    };
    let heard = answer.usage.seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    Ok(Transcript { text: answer.text, usage, heard })
}
