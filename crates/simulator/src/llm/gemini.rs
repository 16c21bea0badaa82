//! Google's side: generateContent, its stream, embeddings, counting, the list of models; under `/v1` and `/v1beta`.
//!
//! Proto-JSON takes camelCase and snake_case, and the SDKs mix them, so both are read here. Answers are camelCase.

use axum::{
    extract::{Request, State},
    http::request::Parts,
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use super::{
    Models, Play, Side, Wrong, answer, answer_get, header, key_is_good,
    think::{self, Prompt, Said, Stop, chunks},
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
const SERVED: &[&str] =
    &["gemini-3.8-flash", "gemini-3.5-flash-lite", "gemini-4-hydrogen", "gemini-embedding-2", "gemini-embedding-001"];
/// The stand-in for a signature that documentation allows.
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

pub async fn call(State(models): State<Models>, request: Request) -> Response {
    match request.uri().path().rsplit_once(':').map(|(_, method)| method) {
        Some("generateContent" | "streamGenerateContent") => answer::<Gemini>(models, request).await,
        Some("embedContent") => answer::<Vectors<false>>(models, request).await,
        Some("batchEmbedContents") => answer::<Vectors<true>>(models, request).await,
        Some("countTokens") => answer::<Counting>(models, request).await,
        _ => answer_get_missing(models, request).await,
    }
}

async fn answer_get_missing(models: Models, request: Request) -> Response {
    let number = models.number();
    let (head, _) = request.into_parts();
    super::finish::<Gemini>(
        &models,
        &head,
        Value::Null,
        "",
        Err(Wrong::new(404, "NOT_FOUND", "Method not found.")),
        number,
    )
}

pub async fn list(State(models): State<Models>, request: Request) -> Response {
    answer_get::<Gemini>(models, request, |head| {
        door(head)?;
        Ok(json!({ "models": SERVED.iter().map(|id| model(id)).collect::<Vec<_>>() }))
    })
    .await
}

pub async fn one(State(models): State<Models>, request: Request) -> Response {
    answer_get::<Gemini>(models, request, |head| {
        door(head)?;
        let id = head.uri.path().rsplit_once("/models/").map_or("", |(_, id)| id);
        if SERVED.contains(&id) { Ok(model(id)) } else { Err(missing(head, id)) }
    })
    .await
}

fn model(id: &str) -> Value {
    let methods =
        if id.contains("embedding") { json!(["embedContent"]) } else { json!(["generateContent", "countTokens"]) };
    json!({ "name": format!("models/{id}"), "version": "001", "displayName": id.replace('-', " "), "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536, "supportedGenerationMethods": methods })
}

fn door(head: &Parts) -> Result<(), Wrong> {
    let query = head.uri.query().unwrap_or_default();
    let key =
        header(&head.headers, "x-goog-api-key").or_else(|| query.split('&').find_map(|one| one.strip_prefix("key=")));
    match key {
        None => {
            Err(Wrong::new(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers. Please use API Key."))
        }
        key if key_is_good(key) => Ok(()),
        _ => Err(bad_key()),
    }
}

fn bad_key() -> Wrong {
    Wrong::new(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.").code("API_KEY_INVALID")
}

fn invalid(message: impl Into<String>) -> Wrong {
    Wrong::new(400, "INVALID_ARGUMENT", message)
}

fn version(head: &Parts) -> &str {
    if head.uri.path().contains("/v1beta/") { "v1beta" } else { "v1" }
}

fn missing(head: &Parts, id: &str) -> Wrong {
    let version = version(head);
    Wrong::new(
        404,
        "NOT_FOUND",
        format!("models/{id} is not found for API version {version}, or is not supported for generateContent."),
    )
}

/// The model in the path. Escapes are for ids such as `sim-json:{"a":1}`.
fn named(head: &Parts) -> Result<String, Wrong> {
    let path = head.uri.path();
    let id = path.rsplit_once("/models/").map_or("", |(_, rest)| rest).rsplit_once(':').map_or("", |(id, _)| id);
    let mut bytes = Vec::with_capacity(id.len());
    let mut rest = id.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let code = more
            .get(..2)
            .and_then(|two| std::str::from_utf8(two).ok())
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        if let (b'%', Some(code)) = (first, code) {
            bytes.push(code);
            rest = &more[2..];
        } else {
            bytes.push(*first);
            rest = more;
        }
    }
    let id = String::from_utf8_lossy(&bytes).into_owned();
    if ["gemini-1.0", "gemini-1.5", "gemini-2.0", "gemini-pro", "text-embedding-004"]
        .iter()
        .any(|old| id.starts_with(old))
        || id.is_empty()
    {
        return Err(missing(head, &id));
    }
    Ok(id)
}

/// snake_case keys as camelCase, but not inside what belongs to the caller.
fn camel(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let each = fields.iter().map(|(key, value)| {
                let mut name = String::with_capacity(key.len());
                let mut up = false;
                for letter in key.chars() {
                    if letter == '_' {
                        up = true;
                    } else if std::mem::take(&mut up) {
                        name.extend(letter.to_uppercase());
                    } else {
                        name.push(letter);
                    }
                }
                let theirs = matches!(
                    name.as_str(),
                    "args"
                        | "response"
                        | "parametersJsonSchema"
                        | "responseJsonSchema"
                        | "parameters"
                        | "responseSchema"
                );
                let value = if theirs { value.clone() } else { camel(value) };
                (name, value)
            });
            Value::Object(each.collect::<Map<_, _>>())
        }
        Value::Array(values) => values.iter().map(camel).collect(),
        other => other.clone(),
    }
}

fn unknown(value: &Value, fields: &[&str], at: &str) -> Result<(), Wrong> {
    let name = value.as_object().and_then(|value| value.keys().find(|name| !fields.contains(&name.as_str())));
    name.map_or(Ok(()), |name| {
        Err(invalid(format!("Invalid JSON payload received. Unknown name \"{name}\"{at}: Cannot find field.")))
    })
}

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
struct Gemini;

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

fn error_of(wrong: &Wrong) -> Value {
    let mut details = Vec::new();
    match wrong.code {
        Some("PER_DAY") => details.push(json!({ "@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{
            "quotaMetric": "generativelanguage.googleapis.com/generate_requests", "quotaId": "GenerateRequestsPerDayPerProjectPerModel" }] })),
        Some(reason) => details.push(json!({ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com" })),
        None => {}
    }
    if let Some((seconds, _)) = wrong.wait {
        details
            .push(json!({ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s") }));
    }
    let mut error = json!({ "code": wrong.status, "message": wrong.message, "status": status_word(wrong) });
    if !details.is_empty() {
        error["details"] = details.into();
    }
    json!({ "error": error })
}

/// Errors of the common way come with words of another vendor.
fn status_word(wrong: &Wrong) -> &str {
    match (wrong.kind, wrong.status) {
        (word, _) if word.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_') => word,
        (_, 400 | 413) => "INVALID_ARGUMENT",
        (_, 503 | 529) => "UNAVAILABLE",
        _ => "INTERNAL",
    }
}

fn play_wrong(play: &Play, model: &str) -> Option<Wrong> {
    Some(match play {
        Play::Overloaded => Wrong::new(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
        Play::Rate { after, dated } => Wrong {
            wait: Some((*after, *dated)),
            ..Wrong::new(429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota).")
        },
        Play::DailyQuota => Wrong {
            wait: Some((3600, false)),
            ..Wrong::new(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.").code("PER_DAY")
        },
        Play::NoMoney => Wrong::new(402, "PAYMENT_REQUIRED", "Your prepaid credit is used up."),
        Play::BadKey => bad_key(),
        Play::Retired => Wrong::new(404, "NOT_FOUND", format!("models/{model} is no longer available.")),
        Play::TooLong => {
            invalid("The input token count (1048577) exceeds the maximum number of tokens allowed (1048576).")
        }
        Play::Busy => Wrong::new(409, "ABORTED", "The operation was aborted."),
        Play::Dislikes { parameter } => invalid(format!("{parameter} is not supported for this model.")),
        Play::Fails { status } => Wrong::new(*status, "INTERNAL", "An internal error has occurred."),
        _ => return None,
    })
}

impl Side for Gemini {
    const NAME: &'static str = "gemini";

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

    fn events(prompt: &Prompt, said: &Said, number: u64) -> Vec<(Option<&'static str>, String)> {
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

    fn wrong(play: &Play, model: &str) -> Option<Wrong> {
        play_wrong(play, model)
    }

    fn error(wrong: &Wrong, _: u64) -> Value {
        error_of(wrong)
    }

    fn error_event(wrong: &Wrong, _: u64) -> (Option<&'static str>, String) {
        let wrong = Wrong { status: 503, kind: "UNAVAILABLE", ..wrong.clone() };
        (None, error_of(&wrong).to_string())
    }

    fn headers(_: u64) -> Vec<(&'static str, String)> {
        vec![("server-timing", "gfet4t7; dur=1".into()), ("x-content-type-options", "nosniff".into())]
    }
}

/// countTokens.
struct Counting;

impl Side for Counting {
    const NAME: &'static str = "gemini";

    fn prompt(head: &Parts, body: &Value) -> Result<Prompt, Wrong> {
        read(head, body)
    }

    fn whole(prompt: &Prompt, _: &Said, _: u64) -> Value {
        json!({ "totalTokens": prompt.input_tokens() })
    }

    fn events(_: &Prompt, _: &Said, _: u64) -> Vec<(Option<&'static str>, String)> {
        Vec::new()
    }

    fn wrong(play: &Play, model: &str) -> Option<Wrong> {
        play_wrong(play, model)
    }

    fn error(wrong: &Wrong, number: u64) -> Value {
        Gemini::error(wrong, number)
    }

    fn error_event(wrong: &Wrong, number: u64) -> (Option<&'static str>, String) {
        Gemini::error_event(wrong, number)
    }

    fn headers(number: u64) -> Vec<(&'static str, String)> {
        Gemini::headers(number)
    }
}

/// embedContent, or many at once. The texts travel in [`Prompt::said`], as JSON.
struct Vectors<const MANY: bool>;

impl<const MANY: bool> Side for Vectors<MANY> {
    const NAME: &'static str = "gemini";

    fn prompt(head: &Parts, body: &Value) -> Result<Prompt, Wrong> {
        door(head)?;
        let model = named(head)?;
        let body = camel(body);
        let one;
        let requests = if MANY {
            unknown(&body, &["requests"], "")?;
            body["requests"].as_array().map(Vec::as_slice).unwrap_or_default()
        } else {
            one = [body];
            &one[..]
        };
        if requests.is_empty() || requests.len() > 100 {
            return Err(invalid("* BatchEmbedContentsRequest.requests: at most 100 requests can be in one batch"));
        }
        let mut prompt = Prompt { model, ..Prompt::default() };
        let mut asked = Vec::new();
        for request in requests {
            unknown(
                request,
                &["model", "content", "taskType", "title", "outputDimensionality", "autoTruncate"],
                " at 'requests[0]'",
            )?;
            if MANY && request["model"].as_str() != Some(&format!("models/{}", prompt.model)) {
                return Err(invalid(
                    "* BatchEmbedContentsRequest.requests[0].model: must match the model of the request",
                ));
            }
            let words: String = request["content"]["parts"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|part| part["text"].as_str())
                .collect();
            if words.is_empty() {
                return Err(invalid("* EmbedContentRequest.content: content is not specified"));
            }
            let dimensions = request["outputDimensionality"].as_u64().unwrap_or(3072);
            if !(1..=3072).contains(&dimensions) {
                return Err(invalid("output_dimensionality must be between 1 and 3072"));
            }
            prompt.hear(&words);
            asked.push(json!({ "text": words, "dimensions": dimensions }));
        }
        prompt.said = Value::Array(asked).to_string();
        Ok(prompt)
    }

    fn whole(prompt: &Prompt, _: &Said, _: u64) -> Value {
        let asked: Vec<Value> = serde_json::from_str(&prompt.said).unwrap_or_default();
        let one = |asked: &Value| {
            let dimensions = asked["dimensions"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(1);
            json!({ "values": think::vector(asked["text"].as_str().unwrap_or_default(), dimensions) })
        };
        let vectors: Vec<Value> = asked.iter().map(one).collect();
        let usage = json!({ "promptTokenCount": prompt.input_tokens() });
        if MANY {
            json!({ "embeddings": vectors, "usageMetadata": usage })
        } else {
            json!({ "embedding": vectors[0], "usageMetadata": usage })
        }
    }

    fn events(_: &Prompt, _: &Said, _: u64) -> Vec<(Option<&'static str>, String)> {
        Vec::new()
    }

    fn wrong(play: &Play, model: &str) -> Option<Wrong> {
        play_wrong(play, model)
    }

    fn error(wrong: &Wrong, number: u64) -> Value {
        Gemini::error(wrong, number)
    }

    fn error_event(wrong: &Wrong, number: u64) -> (Option<&'static str>, String) {
        Gemini::error_event(wrong, number)
    }

    fn headers(number: u64) -> Vec<(&'static str, String)> {
        Gemini::headers(number)
    }
}
