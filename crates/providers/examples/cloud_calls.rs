//! Makes the calls that it reads from standard input with the provider `cloud`, and prints what came of each, a line of JSON each.
//! `scripts/peers` compares what it sends with what programs send that we did not write.
//!
//! It reads `{"url": "http://127.0.0.1:…/graph/v26.0", "token": "…", "number": "…", "account": "…", "calls": […]}`; a call is `{"send": {…}}`,
//! `{"react": {…}}`, `{"read": "wamid…"}`, `{"typing": "wamid…"}`, `{"download": "id"}`, `"templates"`, `{"submit": {…}}`, `{"remove": {…}}`,
//! `{"hooks": {…}}` or `"status"`.

use std::io::stdin;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use indaba_providers::{
    Address, Body, Build, Button, ButtonParameter, Card, Cloud, Extras, File, Link, MediaRef, MediaSource, MessageRef,
    Outgoing, Parameter, PresenceState, Provider as _, Secrets, Setup, Template, TemplateCall, client,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Work {
    url: String,
    token: String,
    number: String,
    account: String,
    calls: Vec<Call>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
enum Call {
    Send(Message),
    React { to: String, message: String, emoji: String },
    Read(String),
    Typing(String),
    Download(String),
    Templates,
    Submit(Template),
    Remove(Template),
    Hooks { url: String, verify_token: String },
    Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Message {
    to: String,
    correlation: String,
    #[serde(default)]
    reply_to: Option<String>,
    #[serde(default)]
    link_preview: bool,
    body: Said,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Attached {
    mime: String,
    name: String,
    /// Base64.
    bytes: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
enum Said {
    Text(String),
    Image {
        file: Attached,
        caption: Option<String>,
    },
    Voice {
        file: Attached,
    },
    Document {
        file: Attached,
        caption: Option<String>,
    },
    Location {
        latitude: f64,
        longitude: f64,
        name: Option<String>,
        address: Option<String>,
    },
    Contacts(Vec<Card>),
    Buttons {
        text: String,
        header: Option<String>,
        footer: Option<String>,
        list: Option<String>,
        buttons: Vec<Button>,
    },
    Template {
        name: String,
        language: String,
        #[serde(default)]
        header: Vec<Parameter>,
        body: Vec<Parameter>,
        #[serde(default)]
        buttons: Vec<ButtonParameter>,
    },
}

fn file(attached: Attached) -> File {
    let bytes = BASE64_STANDARD.decode(attached.bytes).expect("a file is base64");
    File { mime: attached.mime, name: attached.name, bytes: bytes.into() }
}

fn address(text: &str) -> Address {
    Address::parse(text).unwrap_or_else(|| panic!("{text} is nobody's address"))
}

/// A message of theirs, by its id.
fn message(id: &str) -> MessageRef {
    MessageRef { provider_id: id.into(), reference: id.into(), chat: address("27820001001"), from_me: false }
}

fn outgoing(of: Message) -> Outgoing {
    let body = match of.body {
        Said::Text(text) => Body::Text { text },
        Said::Image { file: attached, caption } => Body::Image { file: file(attached), caption },
        Said::Voice { file: attached } => Body::Voice { file: file(attached) },
        Said::Document { file: attached, caption } => Body::Document { file: file(attached), caption },
        Said::Location { latitude, longitude, name, address } => Body::Location { latitude, longitude, name, address },
        Said::Contacts(contacts) => Body::Contacts { contacts },
        Said::Buttons { text, header, footer, list, buttons } => Body::Buttons { text, header, footer, list, buttons },
        Said::Template { name, language, header, body, buttons } => {
            Body::Template(TemplateCall { name, language, header, media: None, body, buttons })
        }
    };
    Outgoing {
        to: address(&of.to),
        correlation: of.correlation,
        body,
        reply_to: of.reply_to.as_deref().map(message),
        first: false,
        link_preview: of.link_preview,
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    rustls::crypto::ring::default_provider().install_default().expect("nobody has chosen before");
    let work: Work = serde_json::from_reader(stdin()).expect("standard input says what is to be done");
    let mut link = Link {
        http: client().no_proxy().build().expect("a client without files or certificates"),
        url: work.url.parse().expect("url is a URL"),
        key: work.token.into(),
        external_name: work.number,
        build: Build { version: Some("v26.0".into()), ..Build::default() },
        secrets: Secrets::default(),
        extras: Extras { waba_id: Some(work.account), ..Extras::default() },
    };
    for call in work.calls {
        println!("{}", call.make(&mut link).await);
    }
}

impl Call {
    async fn make(self, link: &mut Link) -> Value {
        match self {
            Call::Send(of) => told(Cloud.send(link, &outgoing(of)).await.map(|sent| sent.provider_id)),
            Call::React { to, message: id, emoji } => {
                let to = MessageRef { chat: address(&to), ..message(&id) };
                told(Cloud.react(link, &to, &emoji).await)
            }
            Call::Read(id) => told(Cloud.mark_read(link, &message(&id).chat, &[message(&id)]).await),
            Call::Typing(id) => {
                let last = message(&id);
                told(Cloud.typing(link, &last.chat, PresenceState::Typing, Some(&last)).await)
            }
            Call::Download(id) => {
                let media = MediaRef { id: Some(id), ..MediaRef::default() };
                let source = MediaSource { media, message: message("wamid.any") };
                let bytes = match Cloud.download(link, &source, 1 << 20).await {
                    Ok(download) => download.bytes().await,
                    Err(error) => Err(error),
                };
                told(bytes.map(|bytes| BASE64_STANDARD.encode(bytes)))
            }
            Call::Templates => told(Cloud.templates(link, None).await.map(|page| page.items.len())),
            Call::Submit(template) => told(Cloud.submit_template(link, &template).await.map(|made| made.state)),
            Call::Remove(template) => told(Cloud.delete_template(link, &template).await),
            Call::Hooks { url, verify_token } => {
                link.secrets.verify_token = Some(verify_token.into());
                let hook_url = url.parse().expect("url is a URL");
                let setup = Setup { hook_url, instance: "ins_1".into(), device: "Indaba".into(), full_history: false };
                told(Cloud.create(link, &setup).await.map(|_| ()))
            }
            Call::Status => told(Cloud.status(link).await.map(|session| session.phone)),
        }
    }
}

fn told<T: Into<Value>>(came: Result<T, impl std::fmt::Display>) -> Value {
    match came {
        Ok(done) => json!({ "done": done.into() }),
        Err(error) => json!({ "failed": error.to_string() }),
    }
}
