//! `embedContent` and `batchEmbedContents`.

use axum::http::request::Parts;
use serde_json::{Value, json};

use super::{Gemini, camel, door, invalid, named, unknown};
use crate::llm::{
    Side, Wrong,
    think::{self, Prompt, Said},
};

/// embedContent, or many at once. The texts travel in [`Prompt::said`], as JSON.
pub struct Vectors<const MANY: bool>;

impl<const MANY: bool> Side for Vectors<MANY> {
    type Vendor = Gemini;

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
}
