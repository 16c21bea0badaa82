//! Anthropic's Messages API. Source: the shapes in `anthropic` 2.10.0 (Python) and its documentation, read 2026-11.
//!
//! - Version `2026-10-21` refuses `temperature`, so it goes out only where an endpoint is set to an older version.
//! - Thoughts come back as blocks that must be returned unchanged within a tool loop: they are [`Part::Kept`].
//! - A stream is gathered into the message it stands for and then read as one: there is one reading of a message.

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    Ask, Auth, Body, Call, Can, Chat, Choice, Class, Delta, Effort, Endpoint, Error, Event, Head, Kept, Knob, Listed,
    Part, Reading, Reply, Role, Stop, ToolCall, Turn, Usage, Vendor,
    vendor::{base64, essence, json as parse, shaped, take},
};

const KIND: &str = "claude";
const VERSION: &str = "2026-10-21";

/// Claude.
pub struct Claude;

impl Vendor for Claude {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn base(&self) -> &'static str {
        "https://api.anthropic.com"
    }

    fn can(&self) -> Can {
        Can { images: true, audio: false, tools: true, schema: true, embeddings: false, transcription: false }
    }

    fn chat(&self, ask: &Ask) -> Result<Call, Error> {
        let chat = ask.chat;
        let mut body = json!({ "model": ask.model.id, "max_tokens": chat.max_output, "messages": messages(chat)? });
        if let Some(system) = &chat.system {
            body["system"] = if chat.cache.is_some() && ask.takes(Knob::Cache) {
                json!([{ "type": "text", "text": system, "cache_control": { "type": "ephemeral" } }])
            } else {
                json!(system)
            };
        }
        let mut output = Map::new();
        if let Some(effort) = chat.effort.filter(|_| ask.takes(Knob::Effort)) {
            let word = match effort {
                Effort::None | Effort::Low => "low",
                Effort::Medium => "medium",
                Effort::High => "high",
            };
            output.insert("effort".into(), word.into());
        }
        if let Some(answer) = chat.answer.as_ref().filter(|_| ask.model.can.schema) {
            output.insert("format".into(), json!({ "type": "json_schema", "schema": answer.shape() }));
        }
        if !output.is_empty() {
            body["output_config"] = output.into();
        }
        if !chat.tools.is_empty() {
            let tool = |tool: &crate::Tool| json!({ "name": tool.name, "description": tool.description, "strict": true, "input_schema": tool.parameters.shape() });
            body["tools"] = chat.tools.iter().map(tool).collect();
            match &chat.choice {
                Choice::Auto => {}
                Choice::Any => body["tool_choice"] = json!({ "type": "any" }),
                Choice::Named(name) => body["tool_choice"] = json!({ "type": "tool", "name": name }),
                Choice::None => body["tool_choice"] = json!({ "type": "none" }),
            }
        }
        if let Some(temperature) =
            chat.temperature.filter(|_| ask.takes(Knob::Temperature) && version(&ask.model.at) < VERSION)
        {
            body["temperature"] = json!(temperature);
        }
        if let Some(user) = chat.user.as_ref().filter(|_| ask.takes(Knob::User)) {
            body["metadata"] = json!({ "user_id": user });
        }
        if ask.stream {
            body["stream"] = json!(true);
        }
        let at = &ask.model.at;
        Call::post(at, at.url(&["v1", "messages"]), Auth::Bearer, Body::Json(body))?
            .header("anthropic-version", version(at))
    }

    fn reply(&self, body: &[u8]) -> Result<Reply, Error> {
        read(shaped(body)?)
    }

    fn reading(&self) -> Box<dyn Reading> {
        Box::new(Stream::default())
    }

    fn failure(&self, head: &Head, body: &[u8]) -> Error {
        match parse(body) {
            Ok(body) if body["error"].is_object() => fault(head, &body),
            _ => Error::new(head.class(), "the answer is not one of this vendor's errors"),
        }
    }

    fn list(&self, at: &Endpoint) -> Result<Call, Error> {
        let mut url = at.url(&["v1", "models"]);
        url.set_query(Some("limit=1000"));
        Call::get(at, url, Auth::Bearer)?.header("anthropic-version", version(at))
    }

    fn listed(&self, body: &[u8]) -> Result<Vec<Listed>, Error> {
        #[derive(Deserialize)]
        struct Page {
            data: Vec<Row>,
        }
        #[derive(Deserialize)]
        struct Row {
            id: String,
            display_name: Option<String>,
            lifecycle: Option<String>,
            retires_at: Option<String>,
        }
        let page: Page = shaped(body)?;
        let served = page.data.into_iter().filter(|row| row.lifecycle.as_deref() != Some("retired"));
        Ok(served
            .map(|row| Listed {
                name: row.display_name.unwrap_or_else(|| row.id.clone()),
                id: row.id,
                retires_at: row.retires_at,
            })
            .collect())
    }
}

fn version(at: &Endpoint) -> &str {
    at.version.as_deref().unwrap_or(VERSION)
}

fn messages(chat: &Chat) -> Result<Vec<Value>, Error> {
    let mut messages = Vec::with_capacity(chat.turns.len());
    for turn in &chat.turns {
        let role = match turn.role {
            Role::User => "user",
            Role::Assistant => "assistant",
        };
        match turn.parts.as_slice() {
            [Part::Text { text }] if !text.is_empty() => messages.push(json!({ "role": role, "content": text })),
            parts => {
                let mut blocks =
                    parts.iter().filter_map(|part| block(part).transpose()).collect::<Result<Vec<_>, _>>()?;
                blocks.sort_by_key(|block| block["type"] != "tool_result"); // results must come before words
                if !blocks.is_empty() {
                    messages.push(json!({ "role": role, "content": blocks }));
                }
            }
        }
    }
    Ok(messages)
}

/// One block; nothing for what must not be sent: an empty text is an error there.
fn block(part: &Part) -> Result<Option<Value>, Error> {
    Ok(Some(match part {
        Part::Text { text } if text.is_empty() => return Ok(None),
        Part::Text { text } => json!({ "type": "text", "text": text }),
        Part::Image { mime, bytes } => {
            let mime = essence(mime);
            if !matches!(mime.as_str(), "image/jpeg" | "image/png" | "image/gif" | "image/webp") {
                return Err(Error::unable("Claude sees jpeg, png, gif and webp"));
            }
            json!({ "type": "image", "source": { "type": "base64", "media_type": mime, "data": base64(bytes) } })
        }
        Part::Audio { .. } => return Err(Error::unable("Claude does not hear")),
        Part::ToolCall(call) => {
            let input = if call.arguments.is_object() { call.arguments.clone() } else { json!({}) };
            json!({ "type": "tool_use", "id": call.id, "name": call.name, "input": input })
        }
        Part::ToolResult(result) if result.failed => {
            json!({ "type": "tool_result", "tool_use_id": result.id, "content": result.text, "is_error": true })
        }
        Part::ToolResult(result) => json!({ "type": "tool_result", "tool_use_id": result.id, "content": result.text }),
        Part::Kept(kept) if kept.vendor == KIND => kept.data.clone(),
        Part::Kept(_) => return Ok(None),
    }))
}

#[derive(Deserialize)]
struct Message {
    #[serde(default)]
    id: String,
    #[serde(default)]
    model: String,
    content: Vec<Value>,
    stop_reason: Option<String>,
    #[serde(default)]
    stop_details: Value,
    #[serde(default)]
    usage: Counts,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Counts {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    output_tokens_details: Option<Details>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Details {
    thinking_tokens: Option<u64>,
}

impl From<Counts> for Usage {
    fn from(counts: Counts) -> Self {
        let cached = counts.cache_read_input_tokens.unwrap_or(0);
        let cache_written = counts.cache_creation_input_tokens.unwrap_or(0);
        Self {
            input: counts.input_tokens.unwrap_or(0).saturating_add(cached).saturating_add(cache_written),
            cached,
            cache_written,
            output: counts.output_tokens.unwrap_or(0),
            thinking: counts.output_tokens_details.and_then(|details| details.thinking_tokens).unwrap_or(0),
            estimated: false,
        }
    }
}

fn read(message: Message) -> Result<Reply, Error> {
    let usage = Usage::from(message.usage);
    let stop = match message.stop_reason.as_deref() {
        Some("refusal") => {
            let category = message.stop_details["category"].as_str().unwrap_or("unspecified");
            let why = message.stop_details["explanation"].as_str().unwrap_or("the model would not answer");
            return Err(Error::new(Class::Refused(category.into()), why).code("refusal").cost(usage));
        }
        Some("model_context_window_exceeded") => {
            return Err(Error::new(Class::TooLong, "the talk no longer fits the model")
                .code("model_context_window_exceeded")
                .cost(usage));
        }
        Some("max_tokens") => Stop::Length,
        Some("tool_use") => Stop::Tools,
        Some(_) => Stop::Done,
        None => return Err(Error::unreadable("the message does not say why it ends")),
    };
    let mut parts = Vec::with_capacity(message.content.len());
    for mut block in message.content {
        let part = match block["type"].as_str() {
            Some("text") => Part::Text { text: text(&mut block, "text")? },
            Some("tool_use") => Part::ToolCall(ToolCall {
                id: text(&mut block, "id")?,
                name: text(&mut block, "name")?,
                arguments: take(&mut block, "input"),
            }),
            Some(_) => Part::Kept(Kept { vendor: KIND.into(), data: block }),
            None => return Err(Error::unreadable("a block of the message has no type")),
        };
        parts.push(part);
    }
    let turn = Turn { role: Role::Assistant, parts };
    let request_id = Some(message.id).filter(|id| !id.is_empty());
    Ok(Reply { turn, json: None, stop, usage, vendor: KIND.into(), model: message.model, request_id })
}

fn text(block: &mut Value, field: &str) -> Result<String, Error> {
    match block.get_mut(field).map(Value::take) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(Error::unreadable(format!("a block of the message has no {field}"))),
    }
}

/// The message that the events stand for.
#[derive(Default)]
struct Stream {
    message: Option<Map<String, Value>>,
    blocks: Vec<Value>,
    /// The arguments of the tool call that is being written.
    arguments: String,
    over: bool,
}

impl Reading for Stream {
    fn take(&mut self, event: &Event, show: &mut Vec<Delta>) -> Result<bool, Error> {
        let mut data = parse(event.data.as_bytes())?;
        let kind = data["type"].as_str().unwrap_or(&event.name).to_owned();
        match kind.as_str() {
            "message_start" => match take(&mut data, "message") {
                Value::Object(message) => self.message = Some(message),
                _ => return Err(Error::unreadable("the stream starts without a message")),
            },
            "content_block_start" => {
                if self.blocks.len() >= 1000 || !data["content_block"].is_object() {
                    return Err(Error::unreadable("the stream starts a block that is none"));
                }
                self.blocks.push(take(&mut data, "content_block"));
                self.arguments.clear();
            }
            "content_block_delta" => {
                let Some(block) = self.blocks.last_mut() else {
                    return Err(Error::unreadable("the stream adds to no block"));
                };
                let delta = &data["delta"];
                let add = |block: &mut Value, to: &str, more: &Value| {
                    if let Some(more) = more.as_str() {
                        match block.get_mut(to) {
                            Some(Value::String(text)) => text.push_str(more),
                            _ => block[to] = more.into(), // a block is an object
                        }
                    }
                };
                match delta["type"].as_str() {
                    Some("text_delta") => {
                        add(block, "text", &delta["text"]);
                        if let Some(text) = delta["text"].as_str() {
                            show.push(Delta::Text { text: text.into() });
                        }
                    }
                    Some("input_json_delta") => {
                        self.arguments.push_str(delta["partial_json"].as_str().unwrap_or_default())
                    }
                    Some("thinking_delta") => add(block, "thinking", &delta["thinking"]),
                    Some("signature_delta") => add(block, "signature", &delta["signature"]),
                    _ => {}
                }
            }
            "content_block_stop" => {
                if let Some(block) = self.blocks.last_mut()
                    && block["type"] == "tool_use"
                    && !self.arguments.is_empty()
                {
                    block["input"] = crate::vendor::arguments(&std::mem::take(&mut self.arguments));
                }
            }
            "message_delta" => {
                let Some(message) = &mut self.message else {
                    return Err(Error::unreadable("the stream goes on before it starts"));
                };
                if let Value::Object(delta) = take(&mut data, "delta") {
                    message.extend(delta);
                }
                if let Value::Object(more) = take(&mut data, "usage") {
                    // cumulative: what is named replaces what was said at the start
                    match message.get_mut("usage") {
                        Some(Value::Object(usage)) => {
                            usage.extend(more.into_iter().filter(|(_, count)| !count.is_null()))
                        }
                        _ => drop(message.insert("usage".into(), more.into())),
                    }
                }
            }
            "message_stop" => {
                self.over = true;
                return Ok(true);
            }
            "error" => {
                let kind = data["error"]["type"].as_str().unwrap_or_default();
                let head = Head { status: status(kind), headers: &HeaderMap::new(), now: jiff::Timestamp::UNIX_EPOCH };
                return Err(fault(&head, &data));
            }
            _ => {} // ping, and whatever comes next year
        }
        Ok(false)
    }

    fn whole(&mut self) -> Result<Reply, Error> {
        let Some(mut message) = self.message.take().filter(|_| self.over) else {
            return Err(Error::new(Class::Transient, "the stream broke off"));
        };
        message.insert("content".into(), std::mem::take(&mut self.blocks).into());
        read(
            Message::deserialize(Value::Object(message))
                .map_err(|_| Error::unreadable("the stream makes no message"))?,
        )
    }
}

/// The status an error of this type comes with when it does not come in a stream.
fn status(kind: &str) -> u16 {
    match kind {
        "authentication_error" => 401,
        "billing_error" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "conflict_error" => 409,
        "request_too_large" => 413,
        "rate_limit_error" => 429,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        "invalid_request_error" => 400,
        _ => 500,
    }
}

fn fault(head: &Head, body: &Value) -> Error {
    let error = &body["error"];
    let kind = error["type"].as_str().unwrap_or_default();
    let message = error["message"].as_str().unwrap_or_default();
    let code = error["details"]["error_code"].as_str();
    let class = match (kind, code) {
        (_, Some("enforced_spend_limit_reached" | "contract_spend_limit_reached")) | ("billing_error", _) => {
            Class::Money
        }
        ("authentication_error" | "permission_error", _) => Class::Key,
        ("not_found_error", _) => Class::Retired,
        ("request_too_large", _) => Class::TooLong,
        ("overloaded_error", _) => Class::Overloaded(head.wait()),
        ("rate_limit_error", _) => Class::Rate(head.wait()),
        ("invalid_request_error", _) if head.status < 500 => invalid(message),
        _ => head.class(),
    };
    let mut error = Error::new(class, message).code(code.unwrap_or(kind));
    error.request_id = body["request_id"].as_str().map(Into::into);
    error
}

/// A 400 says in words alone what it is about.
fn invalid(message: &str) -> Class {
    let lower = message.to_lowercase();
    if lower.contains("credit balance") {
        return Class::Money;
    }
    if lower.contains("prompt is too long") || lower.contains("exceed context") || lower.contains("context window") {
        return Class::TooLong;
    }
    let names = ["temperature", "top_p", "top_k", "output_config.effort", "thinking", "cache_control", "metadata"];
    let knob = names.into_iter().find(|name| lower.starts_with(name) || lower.contains(&format!("`{name}`")));
    knob.and_then(Knob::named).map_or(Class::Rejected, Class::Parameter)
}
