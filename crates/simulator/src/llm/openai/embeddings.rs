//! `POST /v1/embeddings`.

use axum::http::request::Parts;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{OpenAi, door, named, unknown, wrong};
use crate::llm::{
    Side, Wrong,
    think::{self, Prompt, Said},
};

/// Embeddings. The texts travel in [`Prompt::said`], as JSON with what else the answer needs.
pub struct Embeddings;

impl Side for Embeddings {
    type Vendor = OpenAi;

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
}
