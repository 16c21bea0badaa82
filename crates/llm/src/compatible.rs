//! Any server that speaks chat completions: Ollama, llama.cpp, vLLM and the many others. Source: their documentation, read 2026-11.
//!
//! They are asked for as little as possible (no `store`, no `strict` keys of OpenAI's own), may need no key, may not say what an
//! answer cost, and may take a minute to load a model. A JSON answer may come fenced in Markdown; [`crate::Llm`] takes that off.

use std::time::Duration;

use crate::{
    Ask, Audio, Auth, Call, Can, Embed, Embedded, Endpoint, Error, Head, Listed, Model, Reading, Reply, Transcript,
    Vendor, openai, vendor::shaped,
};

/// A server that speaks chat completions.
pub struct Compatible;

impl Vendor for Compatible {
    fn kind(&self) -> &'static str {
        "compatible"
    }

    fn base(&self) -> &'static str {
        "http://127.0.0.1:11434/v1"
    }

    fn timeout(&self) -> Duration {
        Duration::from_secs(120)
    }

    fn can(&self) -> Can {
        Can { images: true, audio: false, tools: true, schema: true, embeddings: true, transcription: true }
    }

    fn chat(&self, ask: &Ask) -> Result<Call, Error> {
        openai::post(&ask.model.at, &["chat", "completions"], openai::body(ask, "max_tokens", "max_completion_tokens")?)
    }

    fn reply(&self, body: &[u8]) -> Result<Reply, Error> {
        openai::read(self.kind(), shaped(body)?)
    }

    fn reading(&self) -> Box<dyn Reading> {
        Box::new(openai::Stream::new(self.kind()))
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

    fn embed(&self, model: &Model, embed: &Embed) -> Result<Call, Error> {
        openai::embed(model, embed)
    }

    fn embedded(&self, body: &[u8]) -> Result<Embedded, Error> {
        openai::embedded(body)
    }

    fn transcribe(&self, model: &Model, audio: &Audio) -> Result<Call, Error> {
        openai::transcribe(model, audio)
    }

    fn transcript(&self, body: &[u8]) -> Result<Transcript, Error> {
        openai::transcript(body)
    }
}
