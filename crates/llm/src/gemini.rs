//! Google's generateContent. Source: the shapes in `google-genai` 3.3.0 (Python) and its documentation, read 2026-11.
//!
//! - A wrong key is a 400, a prompt that is blocked a 200 without candidates.
//! - A part may carry a `thoughtSignature` that must come back with it; it is a [`Part::Kept`] before that part.
//! - Every event of a stream is a whole response with the next pieces; there is no last one, so the end of the body with a
//!   `finishReason` seen is the end.
//! - Fields come in camelCase, but proto-JSON allows snake_case and servers in between make use of it: we read camelCase only,
//!   which is what Google itself sends.

use std::time::Duration;

use reqwest::header::HeaderMap;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::{
    Ask, Auth, Body, Call, Can, Choice, Class, Delta, Effort, Embed, Embedded, Endpoint, Error, Event, Head, Kept,
    Knob, Listed, Model, Part, Purpose, Reading, Reply, Role, Stop, ToolCall, Turn, Usage, Vendor,
    vendor::{base64, essence, json as parse, shaped, take},
};

const KIND: &str = "gemini";

/// What Google's documentation says to send where a call was not made by Gemini and so has no signature of its own.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// Gemini.
pub struct Gemini;

impl Vendor for Gemini {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn base(&self) -> &'static str {
        "https://generativelanguage.googleapis.com/v1beta"
    }

    fn can(&self) -> Can {
        Can { images: true, audio: true, tools: true, schema: true, embeddings: true, transcription: false }
    }

    fn chat(&self, ask: &Ask) -> Result<Call, Error> {
        let chat = ask.chat;
        let contents = chat.turns.iter().filter_map(|turn| content(turn).transpose()).collect::<Result<Vec<_>, _>>()?;
        let mut body = json!({ "contents": contents });
        if let Some(system) = &chat.system {
            body["systemInstruction"] = json!({ "parts": [{ "text": system }] });
        }
        let mut config = Map::new();
        config.insert("maxOutputTokens".into(), chat.max_output.into());
        if let Some(answer) = chat.answer.as_ref().filter(|_| ask.model.can.schema) {
            config.insert("responseMimeType".into(), "application/json".into());
            config.insert("responseJsonSchema".into(), answer.shape().clone());
        }
        if let Some(effort) = chat.effort.filter(|_| ask.takes(Knob::Effort)) {
            let level = match effort {
                Effort::None | Effort::Low => "LOW", // MINIMAL is an error on 3.8
                Effort::Medium => "MEDIUM",
                Effort::High => "HIGH",
            };
            config.insert("thinkingConfig".into(), json!({ "thinkingLevel": level }));
        }
        if let Some(temperature) = chat.temperature.filter(|_| ask.takes(Knob::Temperature)) {
            config.insert("temperature".into(), json!(temperature));
        }
        body["generationConfig"] = config.into();
        if !chat.tools.is_empty() {
            let tool = |tool: &crate::Tool| json!({ "name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters.shape() });
            body["tools"] = json!([{ "functionDeclarations": chat.tools.iter().map(tool).collect::<Vec<_>>() }]);
            let calling = match &chat.choice {
                Choice::Auto => None,
                Choice::Any => Some(json!({ "mode": "ANY" })),
                Choice::Named(name) => Some(json!({ "mode": "ANY", "allowedFunctionNames": [name] })),
                Choice::None => Some(json!({ "mode": "NONE" })),
            };
            if let Some(calling) = calling {
                body["toolConfig"] = json!({ "functionCallingConfig": calling });
            }
        }
        let at = &ask.model.at;
        let mut url = at.url(&[
            "models",
            &format!(
                "{}:{}",
                name(&ask.model.id),
                if ask.stream { "streamGenerateContent" } else { "generateContent" }
            ),
        ]);
        if ask.stream {
            url.set_query(Some("alt=sse"));
        }
        Call::post(at, url, Auth::XGoogApiKey, Body::Json(body))
    }

    fn reply(&self, body: &[u8]) -> Result<Reply, Error> {
        let mut gathered = Gathered::default();
        gathered.add(shaped(body)?, &mut Vec::new())?;
        gathered.reply()
    }

    fn reading(&self) -> Box<dyn Reading> {
        Box::new(Stream::default())
    }

    fn failure(&self, head: &Head, body: &[u8]) -> Error {
        match parse(body) {
            Ok(Value::Array(mut one)) if one.first().is_some_and(|body| body["error"].is_object()) => {
                fault(head, &one.swap_remove(0))
            }
            Ok(body) if body["error"].is_object() => fault(head, &body),
            _ => Error::new(head.class(), "the answer is not one of this vendor's errors"),
        }
    }

    fn list(&self, at: &Endpoint) -> Result<Call, Error> {
        let mut url = at.url(&["models"]);
        url.set_query(Some("pageSize=1000"));
        Call::get(at, url, Auth::XGoogApiKey)
    }

    fn listed(&self, body: &[u8]) -> Result<Vec<Listed>, Error> {
        #[derive(Deserialize)]
        struct Page {
            #[serde(default)]
            models: Vec<Row>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Row {
            name: String,
            display_name: Option<String>,
        }
        let page: Page = shaped(body)?;
        let listed = |row: Row| {
            let id = name(&row.name).to_owned();
            Listed { name: row.display_name.unwrap_or_else(|| id.clone()), id, retires_at: None }
        };
        Ok(page.models.into_iter().map(listed).collect())
    }

    fn embed(&self, model: &Model, embed: &Embed) -> Result<Call, Error> {
        let id = name(&model.id);
        let task = match embed.purpose {
            Purpose::Document => "RETRIEVAL_DOCUMENT",
            Purpose::Query => "RETRIEVAL_QUERY",
        };
        let request = |text: &String| {
            let mut one = json!({ "model": format!("models/{id}"), "content": { "parts": [{ "text": text }] }, "taskType": task });
            if let Some(dimensions) = embed.dimensions {
                one["outputDimensionality"] = dimensions.into();
            }
            one
        };
        let requests: Vec<Value> = embed.texts.iter().map(request).collect();
        let url = model.at.url(&["models", &format!("{id}:batchEmbedContents")]);
        Call::post(&model.at, url, Auth::XGoogApiKey, Body::Json(json!({ "requests": requests })))
    }

    fn embedded(&self, body: &[u8]) -> Result<Embedded, Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Answer {
            embeddings: Vec<One>,
            usage_metadata: Option<Counts>,
        }
        #[derive(Deserialize)]
        struct One {
            values: Vec<f32>,
        }
        let answer: Answer = shaped(body)?;
        let usage = answer.usage_metadata.map(Usage::from).unwrap_or_default();
        Ok(Embedded { vectors: answer.embeddings.into_iter().map(|one| one.values).collect(), usage })
    }
}

/// People paste `models/gemini-…`.
fn name(id: &str) -> &str {
    id.strip_prefix("models/").unwrap_or(id)
}

/// One turn; nothing if nothing of it can be sent.
fn content(turn: &Turn) -> Result<Option<Value>, Error> {
    let mut parts = Vec::with_capacity(turn.parts.len());
    let mut signature: Option<&Value> = None;
    let mut calls = 0;
    for part in &turn.parts {
        let mut one = match part {
            Part::Text { text } if text.is_empty() => continue,
            Part::Text { text } => json!({ "text": text }),
            Part::Image { mime, bytes } | Part::Audio { mime, bytes } => {
                json!({ "inlineData": { "mimeType": essence(mime), "data": base64(bytes) } })
            }
            Part::ToolCall(call) => {
                calls += 1;
                let args = if call.arguments.is_object() { call.arguments.clone() } else { json!({}) };
                json!({ "functionCall": { "id": call.id, "name": call.name, "args": args } })
            }
            Part::ToolResult(result) => {
                let key = if result.failed { "error" } else { "output" };
                json!({ "functionResponse": { "id": result.id, "name": result.name, "response": { key: result.text } } })
            }
            Part::Kept(kept) => {
                if kept.vendor == KIND {
                    signature = Some(&kept.data["thoughtSignature"]);
                }
                continue;
            }
        };
        if let Some(signature) = signature.take() {
            one["thoughtSignature"] = signature.clone();
        } else if calls == 1 && matches!(part, Part::ToolCall(_)) {
            one["thoughtSignature"] = NO_SIGNATURE.into(); // only the first call of a turn has one
        }
        parts.push(one);
    }
    if let Some(signature) = signature {
        parts.push(json!({ "text": "", "thoughtSignature": signature }));
    }
    let role = match turn.role {
        Role::User => "user",
        Role::Assistant => "model",
    };
    Ok((!parts.is_empty()).then(|| json!({ "role": role, "parts": parts })))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    candidates: Vec<Candidate>,
    #[serde(default)]
    prompt_feedback: Value,
    usage_metadata: Option<Counts>,
    #[serde(default)]
    model_version: String,
    response_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    #[serde(default)]
    content: Option<Content>,
    finish_reason: Option<String>,
    finish_message: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Value>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Counts {
    prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
    tool_use_prompt_token_count: Option<u64>,
}

impl From<Counts> for Usage {
    fn from(counts: Counts) -> Self {
        let thinking = counts.thoughts_token_count.unwrap_or(0);
        Self {
            input: counts
                .prompt_token_count
                .unwrap_or(0)
                .saturating_add(counts.tool_use_prompt_token_count.unwrap_or(0)),
            cached: counts.cached_content_token_count.unwrap_or(0),
            cache_written: 0,
            output: counts.candidates_token_count.unwrap_or(0).saturating_add(thinking),
            thinking,
            estimated: false,
        }
    }
}

/// One response, or all the pieces of a stream.
#[derive(Default)]
struct Gathered {
    parts: Vec<Part>,
    calls: usize,
    finish: Option<(String, String)>,
    blocked: Option<String>,
    usage: Usage,
    model: String,
    id: Option<String>,
}

impl Gathered {
    fn add(&mut self, response: Response, show: &mut Vec<Delta>) -> Result<(), Error> {
        if let Some(counts) = response.usage_metadata {
            self.usage = counts.into();
        }
        if !response.model_version.is_empty() {
            self.model = response.model_version;
        }
        self.id = response.response_id.or(self.id.take());
        if let Some(reason) = response.prompt_feedback["blockReason"].as_str() {
            self.blocked = Some(reason.to_owned());
        }
        let Some(candidate) = response.candidates.into_iter().next() else { return Ok(()) };
        for part in candidate.content.map(|content| content.parts).unwrap_or_default() {
            self.part(part, show)?;
        }
        if let Some(reason) = candidate.finish_reason {
            self.finish = Some((reason, candidate.finish_message.unwrap_or_default()));
        }
        Ok(())
    }

    fn part(&mut self, mut part: Value, show: &mut Vec<Delta>) -> Result<(), Error> {
        if part["thought"] == true {
            return Ok(()); // a summary for people, not for sending back
        }
        if let Some(signature) = part.get("thoughtSignature") {
            let data = json!({ "thoughtSignature": signature });
            self.parts.push(Part::Kept(Kept { vendor: KIND.into(), data }));
        }
        if let Some(Value::String(more)) = part.get_mut("text").map(Value::take) {
            if !more.is_empty() {
                show.push(Delta::Text { text: more.clone() });
                match self.parts.last_mut() {
                    Some(Part::Text { text }) => text.push_str(&more),
                    _ => self.parts.push(Part::Text { text: more }),
                }
            }
        } else if let Some(call) = part.get_mut("functionCall") {
            let Some(name) = call["name"].as_str().map(str::to_owned) else {
                return Err(Error::unreadable("a function call has no name"));
            };
            self.calls += 1;
            let id = call["id"].as_str().map_or_else(|| format!("call_{}", self.calls), str::to_owned);
            let arguments = Some(take(call, "args")).filter(Value::is_object).unwrap_or_else(|| json!({}));
            self.parts.push(Part::ToolCall(ToolCall { id, name, arguments }));
        }
        Ok(())
    }

    fn reply(&mut self) -> Result<Reply, Error> {
        if let Some(reason) = self.blocked.take() {
            return Err(Error::new(Class::Refused(reason), "the question was blocked")
                .code("blocked")
                .cost(self.usage));
        }
        let Some((reason, message)) = self.finish.take() else {
            return Err(Error::unreadable("the answer does not say why it ends"));
        };
        let stop = match reason.as_str() {
            "STOP" if self.calls > 0 => Stop::Tools,
            "STOP" | "FINISH_REASON_UNSPECIFIED" => Stop::Done,
            "MAX_TOKENS" => Stop::Length,
            "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "TOO_MANY_TOOL_CALLS" | "MALFORMED_RESPONSE" => {
                return Err(Error::new(Class::Misshapen, message).code(reason).cost(self.usage));
            }
            "MISSING_THOUGHT_SIGNATURE" => {
                return Err(Error::new(Class::Rejected, message).code(reason).cost(self.usage));
            }
            "OTHER" | "CONTINUATION" => {
                return Err(Error::new(Class::Transient, message).code(reason).cost(self.usage));
            }
            // SAFETY, RECITATION, LANGUAGE, BLOCKLIST, PROHIBITED_CONTENT, SPII, ESCALATION, MODEL_ARMOR, IMAGE_…
            _ => return Err(Error::new(Class::Refused(reason.clone()), message).code(reason).cost(self.usage)),
        };
        Ok(Reply {
            turn: Turn { role: Role::Assistant, parts: std::mem::take(&mut self.parts) },
            json: None,
            stop,
            usage: self.usage,
            vendor: KIND.into(),
            model: std::mem::take(&mut self.model),
            request_id: self.id.take(),
        })
    }
}

#[derive(Default)]
struct Stream(Gathered);

impl Reading for Stream {
    fn take(&mut self, event: &Event, show: &mut Vec<Delta>) -> Result<bool, Error> {
        let mut data = parse(event.data.as_bytes())?;
        if let Value::Array(one) = &mut data
            && one.len() == 1
        {
            data = one.swap_remove(0);
        }
        if data["error"].is_object() {
            let status = data["error"]["code"].as_u64().and_then(|code| u16::try_from(code).ok()).unwrap_or(500);
            return Err(fault(&Head { status, headers: &HeaderMap::new(), now: jiff::Timestamp::UNIX_EPOCH }, &data));
        }
        let response =
            Response::deserialize(data).map_err(|_| Error::unreadable("an event of the stream is no response"))?;
        self.0.add(response, show)?;
        Ok(false)
    }

    fn whole(&mut self) -> Result<Reply, Error> {
        if self.0.finish.is_none() && self.0.blocked.is_none() {
            return Err(Error::new(Class::Transient, "the stream broke off"));
        }
        self.0.reply()
    }
}

fn fault(head: &Head, body: &Value) -> Error {
    let error = &body["error"];
    let status = error["status"].as_str().unwrap_or_default();
    let message = error["message"].as_str().unwrap_or_default();
    let details = error["details"].as_array().map(Vec::as_slice).unwrap_or_default();
    let of = |kind: &str| details.iter().find(|one| one["@type"].as_str().is_some_and(|name| name.ends_with(kind)));
    let reason = of("ErrorInfo").and_then(|info| info["reason"].as_str());
    let wait = head.wait().or_else(|| of("RetryInfo").and_then(|info| seconds(info["retryDelay"].as_str()?)));
    let daily = of("QuotaFailure").and_then(|quota| quota["violations"].as_array()).is_some_and(|violations| {
        violations.iter().any(|one| one["quotaId"].as_str().is_some_and(|id| id.contains("PerDay")))
    });
    let lower = message.to_lowercase();
    let class = match (head.status, status) {
        (400, _) if matches!(reason, Some("API_KEY_INVALID" | "API_KEY_EXPIRED" | "API_KEY_SERVICE_BLOCKED")) => {
            Class::Key
        }
        (402, _) | (400, "FAILED_PRECONDITION") => Class::Money, // "please enable billing"
        (400, _) if lower.contains("exceeds the maximum number of tokens") || lower.contains("token count") => {
            Class::TooLong
        }
        (400, _)
            if lower.contains("thinking level")
                || lower.contains("thinking_level")
                || lower.contains("thinkinglevel") =>
        {
            Class::Parameter(Knob::Effort)
        }
        (400, _) if lower.contains("temperature") => Class::Parameter(Knob::Temperature),
        (429, _) if daily => Class::Quota(wait),
        (429, _) => Class::Rate(wait),
        _ => head.class(),
    };
    Error::new(class, message).code(reason.unwrap_or(status))
}

/// `7s`, `1.5s`.
fn seconds(text: &str) -> Option<Duration> {
    let number: f64 = text.strip_suffix('s')?.parse().ok()?;
    (number >= 0.0)
        .then(|| Duration::try_from_secs_f64(number).unwrap_or(Duration::MAX).min(Duration::from_secs(86_400)))
}
