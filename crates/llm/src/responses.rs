//! OpenAI's Responses: the path on which its newer models think and use tools at once. Source: the shapes in `openai` 3.51.0
//! (Python) and its documentation, read 2026-11.
//!
//! `store` is false: OpenAI keeps nothing, so thoughts come back encrypted and are handed in again as [`Part::Kept`].
//! A stream ends with the whole response in one event; only that is read.

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Ask, Auth, Call, Can, Chat, Choice, Class, Delta, Endpoint, Error, Event, Head, Kept, Knob, Listed, Part, Reading,
    Reply, Role, Stop, ToolCall, Turn, Usage, Vendor, openai,
    vendor::{arguments, arguments_text, json as parse, shaped, take},
};

const KIND: &str = "openai-responses";

/// OpenAI by Responses.
pub struct Responses;

impl Vendor for Responses {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn base(&self) -> &'static str {
        "https://api.openai.com/v1"
    }

    fn can(&self) -> Can {
        Can { images: true, audio: false, tools: true, schema: true, embeddings: false, transcription: false }
    }

    fn chat(&self, ask: &Ask) -> Result<Call, Error> {
        let chat = ask.chat;
        let mut body = json!({ "model": ask.model.id, "input": input(chat)?, "max_output_tokens": chat.max_output });
        if let Some(system) = &chat.system {
            body["instructions"] = json!(system);
        }
        if ask.takes(Knob::Store) {
            body["store"] = false.into();
        }
        if let Some(effort) = chat.effort.filter(|_| ask.takes(Knob::Effort)) {
            body["reasoning"] = json!({ "effort": openai::effort_word(effort) });
        }
        if let Some(answer) = chat.answer.as_ref().filter(|_| ask.model.can.schema) {
            let (name, schema) = (answer.name(), answer.shape());
            body["text"] =
                json!({ "format": { "type": "json_schema", "name": name, "strict": true, "schema": schema } });
        }
        if !chat.tools.is_empty() {
            let tool = |tool: &crate::Tool| {
                let (name, description, parameters) = (&tool.name, &tool.description, tool.parameters.shape());
                json!({ "type": "function", "name": name, "description": description, "parameters": parameters, "strict": true })
            };
            body["tools"] = chat.tools.iter().map(tool).collect();
            body["include"] = json!(["reasoning.encrypted_content"]);
            match &chat.choice {
                Choice::Auto => {}
                Choice::Any => body["tool_choice"] = "required".into(),
                Choice::Named(name) => body["tool_choice"] = json!({ "type": "function", "name": name }),
                Choice::None => body["tool_choice"] = "none".into(),
            }
        }
        if let Some(temperature) = chat.temperature.filter(|_| ask.takes(Knob::Temperature)) {
            body["temperature"] = json!(temperature);
        }
        if let Some(user) = chat.user.as_ref().filter(|_| ask.takes(Knob::User)) {
            body["safety_identifier"] = json!(user);
        }
        if let Some(cache) = chat.cache.as_ref().filter(|_| ask.takes(Knob::Cache)) {
            body["prompt_cache_key"] = json!(cache);
        }
        if ask.stream {
            body["stream"] = true.into();
        }
        openai::post(&ask.model.at, &["responses"], body)
    }

    fn reply(&self, body: &[u8]) -> Result<Reply, Error> {
        read(shaped(body)?)
    }

    fn reading(&self) -> Box<dyn Reading> {
        Box::new(Stream(None))
    }

    fn failure(&self, head: &Head, body: &[u8]) -> Error {
        openai::failure(head, body)
    }

    fn list(&self, at: &Endpoint) -> Result<Call, Error> {
        Call::get(at, at.url(&["models"]), Auth::Bearer)
    }

    fn listed(&self, body: &[u8]) -> Result<Vec<Listed>, Error> {
        openai::listed(body)
    }
}

fn input(chat: &Chat) -> Result<Vec<Value>, Error> {
    let mut input = Vec::new();
    for turn in &chat.turns {
        // words and images of a turn are one message; calls, results and thoughts are items of their own, in their place
        let mut said: Vec<Value> = Vec::new();
        for part in &turn.parts {
            let item = match part {
                Part::Text { text } if text.is_empty() => continue,
                Part::Text { text } => {
                    said.push(json!({ "type": "input_text", "text": text }));
                    continue;
                }
                Part::Image { mime, bytes } => {
                    said.push(
                        json!({ "type": "input_image", "image_url": openai::data_url(mime, bytes), "detail": "auto" }),
                    );
                    continue;
                }
                Part::Audio { .. } => return Err(Error::unable("the Responses API does not hear")),
                Part::ToolCall(call) => {
                    json!({ "type": "function_call", "call_id": call.id, "name": call.name, "arguments": arguments_text(&call.arguments) })
                }
                Part::ToolResult(result) => {
                    json!({ "type": "function_call_output", "call_id": result.id, "output": result.text })
                }
                Part::Kept(kept) if kept.vendor == KIND => kept.data.clone(),
                Part::Kept(_) => continue,
            };
            say(turn.role, &mut said, &mut input);
            input.push(item);
        }
        say(turn.role, &mut said, &mut input);
    }
    Ok(input)
}

fn say(role: Role, said: &mut Vec<Value>, input: &mut Vec<Value>) {
    if said.is_empty() {
        return;
    }
    let mut parts = std::mem::take(said);
    input.push(match role {
        Role::User if parts.len() == 1 && parts[0]["type"] == "input_text" => {
            json!({ "role": "user", "content": parts[0]["text"].take() })
        }
        Role::User => json!({ "role": "user", "content": parts }),
        Role::Assistant => {
            let words: String = parts.iter().filter_map(|part| part["text"].as_str()).collect();
            json!({ "role": "assistant", "content": words })
        }
    });
}

#[derive(Deserialize)]
struct Response {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    model: String,
    status: Option<String>,
    #[serde(default)]
    error: Value,
    #[serde(default)]
    incomplete_details: Value,
    #[serde(default)]
    output: Vec<Value>,
    #[serde(default)]
    usage: Option<Counts>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Counts {
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    input_tokens_details: InputDetails,
    output_tokens_details: OutputDetails,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct InputDetails {
    cached_tokens: Option<u64>,
    cache_write_tokens: Option<u64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct OutputDetails {
    reasoning_tokens: Option<u64>,
}

impl From<Counts> for Usage {
    fn from(counts: Counts) -> Self {
        Self {
            input: counts.input_tokens.unwrap_or(0),
            cached: counts.input_tokens_details.cached_tokens.unwrap_or(0),
            cache_written: counts.input_tokens_details.cache_write_tokens.unwrap_or(0),
            output: counts.output_tokens.unwrap_or(0),
            thinking: counts.output_tokens_details.reasoning_tokens.unwrap_or(0),
            estimated: false,
        }
    }
}

fn read(response: Response) -> Result<Reply, Error> {
    let usage = response.usage.map_or(Usage { estimated: true, ..Usage::default() }, Usage::from);
    let status = response.status.as_deref().unwrap_or("completed");
    let why = response.incomplete_details["reason"].as_str().unwrap_or_default();
    let mut stop = match (status, why) {
        ("completed", _) => Stop::Done,
        ("incomplete", "max_output_tokens") => Stop::Length,
        ("incomplete", "content_filter") => {
            return Err(Error::new(Class::Refused(why.into()), "the vendor's filter took the answer away")
                .code(why)
                .cost(usage));
        }
        ("failed", _) => {
            let head = Head { status: 500, headers: &HeaderMap::new(), now: jiff::Timestamp::UNIX_EPOCH };
            return Err(openai::fault(&head, &json!({ "error": response.error })).cost(usage));
        }
        _ => {
            return Err(Error::new(Class::Transient, format!("the response is {status} {why}"))
                .code(status)
                .cost(usage));
        }
    };
    let mut parts = Vec::new();
    for mut item in response.output {
        match item["type"].as_str() {
            Some("message") => {
                for part in item["content"].as_array().into_iter().flatten() {
                    match (part["type"].as_str(), part["text"].as_str(), part["refusal"].as_str()) {
                        (Some("output_text"), Some(text), _) => parts.push(Part::Text { text: text.into() }),
                        (Some("refusal"), _, Some(why)) => {
                            return Err(Error::new(Class::Refused("refusal".into()), why).code("refusal").cost(usage));
                        }
                        _ => {}
                    }
                }
            }
            Some("function_call") => {
                let (Some(id), Some(name)) = (item["call_id"].as_str(), item["name"].as_str()) else {
                    return Err(Error::unreadable("a function call has no id or no name"));
                };
                let arguments = arguments(item["arguments"].as_str().unwrap_or_default());
                parts.push(Part::ToolCall(ToolCall { id: id.into(), name: name.into(), arguments }));
                stop = if stop == Stop::Done { Stop::Tools } else { stop };
            }
            Some("reasoning") if item["encrypted_content"].is_string() => {
                if let Some(fields) = item.as_object_mut() {
                    fields.remove("status"); // set only on the way out
                }
                parts.push(Part::Kept(Kept { vendor: KIND.into(), data: item }));
            }
            _ => {}
        }
    }
    let turn = Turn { role: Role::Assistant, parts };
    Ok(Reply { turn, json: None, stop, usage, vendor: KIND.into(), model: response.model, request_id: response.id })
}

struct Stream(Option<Value>);

impl Reading for Stream {
    fn take(&mut self, event: &Event, show: &mut Vec<Delta>) -> Result<bool, Error> {
        if event.data.trim() == "[DONE]" {
            return Ok(true);
        }
        let mut data = parse(event.data.as_bytes())?;
        match data["type"].as_str().unwrap_or(&event.name) {
            "response.output_text.delta" => {
                if let Some(text) = data["delta"].as_str() {
                    show.push(Delta::Text { text: text.into() });
                }
                Ok(false)
            }
            "response.completed" | "response.incomplete" | "response.failed" => {
                self.0 = Some(take(&mut data, "response"));
                Ok(true)
            }
            "error" => {
                // here the fields of the error stand at the top
                let error = if data["error"].is_object() { take(&mut data, "error") } else { data };
                let head = Head { status: 500, headers: &HeaderMap::new(), now: jiff::Timestamp::UNIX_EPOCH };
                Err(openai::fault(&head, &json!({ "error": error })))
            }
            _ => Ok(false),
        }
    }

    fn whole(&mut self) -> Result<Reply, Error> {
        let Some(response) = self.0.take() else { return Err(Error::new(Class::Transient, "the stream broke off")) };
        read(Response::deserialize(response).map_err(|_| Error::unreadable("the stream ends without a response"))?)
    }
}
