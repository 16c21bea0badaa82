//! Does what it reads from standard input, a JSON list of operations, and prints what came of each, a line of JSON each.
//! `scripts/peers` compares what it sends with what the vendors' own SDKs send.
//!
//! An operation: `{"kind": "claude", "base": "http://127.0.0.1:…", "model": "…", "chat": {…}, "stream": true}`; instead of
//! `chat` there may be `embed`, `audio` or `list`.

use std::{io::stdin, time::Duration};

use indaba_llm::{Audio, Chat, Embed, Endpoint, Failed, Llm, Model, client, find_vendor};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Operation {
    kind: String,
    base: String,
    model: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    stream: bool,
    #[serde(default)]
    chat: Option<Chat>,
    #[serde(default)]
    embed: Option<Embed>,
    #[serde(default)]
    audio: Option<Audio>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().expect("nobody has chosen before");
    let llm = Llm::new(client(reqwest::Client::builder()).expect("a client without files or certificates"));
    let operations: Vec<Operation> = serde_json::from_reader(stdin()).expect("standard input is a list of operations");
    for operation in operations {
        println!("{}", operation.run(&llm).await);
    }
}

impl Operation {
    async fn run(self, llm: &Llm) -> Value {
        let within = Duration::from_secs(30);
        let vendor = find_vendor(&self.kind).unwrap_or_else(|| panic!("no vendor is called {}", self.kind));
        let mut at =
            Endpoint::of(vendor, &self.kind, Some("sk-peer".into())).at(self.base.parse().expect("base is a URL"));
        at.version = self.version;
        let model = Model::new(at.clone(), self.model);
        let failed = |failed: Failed| json!({ "failed": failed.to_string() });
        if let Some(chat) = &self.chat {
            let models = [model];
            let done = if self.stream {
                llm.chat_streamed(&models, chat, within, &mut |_| {}).await
            } else {
                llm.chat(&models, chat, within).await
            };
            done.map_or_else(failed, |done| json!({ "reply": done.value }))
        } else if let Some(embed) = &self.embed {
            llm.embed(&model, embed, within)
                .await
                .map_or_else(failed, |done| json!({ "vectors": done.value.vectors.len() }))
        } else if let Some(audio) = &self.audio {
            llm.transcribe(&[model], audio, within).await.map_or_else(failed, |done| json!({ "text": done.value.text }))
        } else {
            llm.list(&at, within)
                .await
                .map_or_else(|error| failed(Failed(vec![error])), |listed| json!({ "models": listed.len() }))
        }
    }
}
