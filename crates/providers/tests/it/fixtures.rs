//! `fixtures/<provider>/<name>.http` is a request and its answer, or a hook, as it was on the wire; `<name>.expected.json` is what it must
//! become, written by hand:
//!
//! - a hook: `{"hook":{"key","to","collapse"?},"says":[…]}`, with the key that signed it;
//! - an exchange: `{"call":{"op",…},"gives":…}` or `"fails":…`; `"answers"` names the captures that answer, when it takes several; with
//!   `"sameRequest"` our first request must equal the captured one in method, path, query and body.
//!
//! A collection, `<name>.jsonl`, has a capture in each line and its value in the same line of `<name>.expected.jsonl`: exchanges, whose `"answers"` are
//! then line numbers (or answers made by hand), events, and whole hooks. `"unused"` says why we never make that call. A request from an API description is
//! compared with our last one: `"sameBody"` in full, `"sameShape"` by its names and types; both name what one of us has besides.
//!
//! A fixture without its value fails.

use std::fs;
use std::path::{Path, PathBuf};

use indaba_providers::{
    Address, Addressee, Body, CallError, File, History, Hook, Link, LookedUp, MediaRef, MediaSource, MessageRef,
    Outgoing, Page, PresenceState, Provider, SendError, Setup, Template, TemplateCall,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::peer::{self, Answer, Asked, Peer};

pub fn folder(provider: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(provider)
}

/// Every capture of a provider: its name and bytes.
pub fn captures(provider: &str) -> Vec<(String, Vec<u8>)> {
    files(provider, "http")
}

/// Every event in the collections of a provider, as the body of a hook.
pub fn events(provider: &str) -> Vec<Value> {
    let lines = collections(provider).into_iter().flat_map(|(_, lines, _)| lines);
    let body = |line: Value| match (&line["hook"], line["event"].is_string()) {
        (Value::Object(hook), _) => Some(hook.clone().into()),
        (_, true) => Some(event(&line)),
        _ => None,
    };
    lines.filter_map(body).collect()
}

fn event(line: &Value) -> Value {
    json!({ "event": line["event"], "instance": "t7-i3", "data": line["data"] })
}

/// The lines of every collection of a provider, each with its value.
fn collections(provider: &str) -> Vec<(String, Vec<Value>, Vec<Value>)> {
    let lines = |bytes: &[u8]| -> Vec<Value> {
        std::str::from_utf8(bytes).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let files = files(provider, "jsonl");
    let of = |name: &str| files.iter().find(|(other, _)| other == name).map(|(_, bytes)| lines(bytes));
    let names = files.iter().map(|(name, _)| name).filter(|name| !name.ends_with(".expected"));
    names
        .map(|name| {
            let captures = of(name).unwrap();
            let values = of(&format!("{name}.expected")).unwrap_or_else(|| panic!("no values for {provider}/{name}"));
            assert_eq!(captures.len(), values.len(), "{provider}/{name} has lines without a value");
            (name.clone(), captures, values)
        })
        .collect()
}

fn files(provider: &str, extension: &str) -> Vec<(String, Vec<u8>)> {
    let mut captures: Vec<_> = fs::read_dir(folder(provider))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .map(|path| (path.file_stem().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect();
    captures.sort();
    captures
}

/// The hook in a capture.
pub fn hook(capture: &[u8]) -> Hook {
    let end = capture.windows(4).position(|four| four == b"\r\n\r\n").expect("headers end");
    let head = std::str::from_utf8(&capture[..end]).unwrap();
    let mut hook = Hook::stored(capture[end + 4..].to_vec());
    for (name, value) in head.lines().skip(1).filter_map(|line| line.split_once(':')) {
        hook.headers.insert(name.parse::<reqwest::header::HeaderName>().unwrap(), value.trim().parse().unwrap());
    }
    hook.body.truncate(peer::length(head));
    hook
}

/// The answer in a capture.
fn answer(capture: &[u8]) -> Answer {
    let at = capture.windows(11).position(|window| window == b"\r\nHTTP/1.1 ").expect("an answer");
    Answer::Bytes(capture[at + 2..].to_vec())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_capture_becomes_what_it_must() {
    let folders = fs::read_dir(folder("")).unwrap().map(|entry| entry.unwrap()).filter(|entry| entry.path().is_dir());
    let folders = folders.map(|entry| entry.file_name().into_string().unwrap());
    let mut wrong = Vec::new();
    let mut count = 0;
    for kind in folders {
        let provider =
            indaba_providers::find(&kind).unwrap_or_else(|| panic!("fixtures of {kind}, which is no provider"));
        for (name, capture) in captures(&kind) {
            count += 1;
            if let Err(difference) = check(provider, &kind, &name, &capture).await {
                wrong.push(format!("{kind}/{name}: {difference}"));
            }
        }
        for (name, lines, values) in collections(&kind) {
            for (at, value) in values.iter().enumerate() {
                count += 1;
                if let Err(difference) = check_line(provider, &lines, at, value).await {
                    wrong.push(format!("{kind}/{name}:{}: {difference}", at + 1));
                }
            }
        }
    }
    assert!(count > 100, "only {count} fixtures were found");
    assert!(wrong.is_empty(), "{} of {count} fixtures differ:\n{}", wrong.len(), wrong.join("\n"));
}

async fn check(provider: &dyn Provider, kind: &str, name: &str, capture: &[u8]) -> Result<(), String> {
    let expected =
        fs::read(folder(kind).join(format!("{name}.expected.json"))).map_err(|_| "no value is written for it")?;
    let expected: Value =
        serde_json::from_slice(&expected).map_err(|error| format!("its value is no JSON: {error}"))?;
    if let Some(told) = expected.get("hook") {
        return check_hook(provider, &hook(capture), told, &expected["says"]);
    }
    let names = expected["answers"].as_array().cloned().unwrap_or_else(|| vec![name.into()]);
    let read = |name: &Value| answer(&fs::read(folder(kind).join(format!("{}.http", name.as_str().unwrap()))).unwrap());
    let theirs = || peer::parse(capture).expect("a request");
    check_exchange(provider, "2026.4.1", names.iter().map(read).collect(), &expected, theirs).await
}

/// One line of a collection: an event (`event`, `data`) or an exchange (`method`, `path`, `request`, `status`, `response`).
async fn check_line(provider: &dyn Provider, lines: &[Value], at: usize, expected: &Value) -> Result<(), String> {
    let line = &lines[at];
    if line["hook"].is_object() {
        let (mut to, mut all) = (Vec::new(), Vec::new());
        for part in provider.split(&Hook::stored(line["hook"].to_string())) {
            to.push(match &part.to {
                Addressee::Instance(name) => format!("I:{name}"),
                Addressee::Account(name) => format!("A:{name}"),
                Addressee::Caller => "caller".to_owned(),
            });
            all.extend(provider.read(&Hook::stored(part.body)).map_err(|error| error.to_string())?);
        }
        same(&json!(to), &expected["to"])?;
        return check_all(&all, &expected["says"]);
    }
    if line["event"].is_string() {
        return check_says(provider, &Hook::stored(event(line).to_string()), &expected["says"]);
    }
    if let Some(reason) = expected["unused"].as_str() {
        assert!(reason.len() > 10, "say why");
        return Ok(());
    }
    let made = |status: &Value, body: &Value| {
        let headers = "Content-Type: application/json\r\n";
        Answer::new(&format!("{status} Some"), headers, &body.to_string())
    };
    let answers = expected["answers"].as_array().cloned().unwrap_or_else(|| vec![(at + 1).into()]);
    let answers = answers.iter().map(|answer| match answer.as_u64() {
        Some(line) => made(&lines[line as usize - 1]["status"], &lines[line as usize - 1]["response"]),
        None => made(&answer["status"], &answer["body"]),
    });
    let theirs = || Asked {
        method: line["method"].as_str().unwrap_or_default().to_owned(),
        target: line["path"].as_str().unwrap_or_default().to_owned(),
        headers: String::new(),
        body: line["request"].clone(),
    };
    let version = line["version"].as_str().unwrap_or_default();
    check_exchange(provider, version, answers.collect(), expected, theirs).await
}

async fn check_exchange(
    provider: &dyn Provider,
    version: &str,
    answers: Vec<Answer>,
    expected: &Value,
    theirs: impl Fn() -> Asked,
) -> Result<(), String> {
    let peer = Peer::that_answers(answers).await;
    let call = &expected["call"];
    let mut link = peer::link_of(provider, &peer.url);
    if provider.kind() != "cloud" {
        link.build.version = Some(call["version"].as_str().unwrap_or(version).to_owned());
        link.external_name = match (call["op"].as_str(), call["session"].as_str()) {
            (_, Some(session)) => session.into(),
            (Some("check"), None) => String::new(),
            _ => "default".into(),
        };
    }
    let (what, got) = match perform(provider, &link, call).await {
        Ok(value) => ("gives", value),
        Err(value) => ("fails", value),
    };
    same(&got, expected.get(what).ok_or_else(|| format!("it {what} {got}"))?)?;
    // a list names what we send besides, or otherwise
    let besides = expected["sameRequest"].as_array().cloned().unwrap_or_default();
    if expected["sameRequest"] == true || !besides.is_empty() {
        let (mut ours, mut theirs) = (peer.asked()[0].clone(), theirs());
        for name in besides.iter().filter_map(Value::as_str) {
            for body in [&mut ours.body, &mut theirs.body] {
                body.as_object_mut().map(|body| body.remove(name));
            }
        }
        same(&json!([ours.method, ours.target, ours.body]), &json!([theirs.method, theirs.target, theirs.body]))?;
        let key = peer::header(&ours.headers, "x-api-key").or(peer::header(&ours.headers, "apikey"));
        assert_eq!(key, Some("key"));
    }
    for how in ["sameBody", "sameShape"] {
        let Some(besides) = expected[how].as_array() else { continue };
        let (mut ours, mut theirs) = (peer.asked().pop().expect("a request").body, theirs().body);
        for name in besides.iter().filter_map(Value::as_str) {
            for body in [&mut ours, &mut theirs] {
                body.as_object_mut().map(|body| body.remove(name));
            }
        }
        if how == "sameShape" {
            (ours, theirs) = (shape(&ours), shape(&theirs));
        }
        same(&ours, &theirs)?;
    }
    Ok(())
}

/// Names and types without values.
fn shape(value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect(),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::String(_) => "text".into(),
        Value::Number(_) => "number".into(),
        Value::Bool(_) => "flag".into(),
        Value::Null => "nothing".into(),
    }
}

fn check_hook(provider: &dyn Provider, hook: &Hook, told: &Value, says: &Value) -> Result<(), String> {
    let mut secrets = peer::link("http://localhost", "").secrets;
    match (told["key"].as_str(), told["refused"].as_str()) {
        (Some(key), _) => {
            secrets.keys = vec![key.to_owned().into()];
            provider.verify(&secrets, hook).map_err(|refused| format!("refused: {refused}"))?;
        }
        (None, refused) => {
            let got = provider.verify(&secrets, hook).map_err(|refused| refused.to_string());
            same(&json!(got.err()), &json!(refused.expect("a key, or why it is refused")))?;
        }
    }
    let [part] = &provider.split(hook)[..] else { return Err("more than one part".into()) };
    same(&json!(part.collapse), &told["collapse"])?;
    let to = match &part.to {
        Addressee::Instance(name) => json!(name),
        other => json!(format!("{other:?}")),
    };
    same(&to, &told["to"])?;
    // read from the store: the headers are gone by then
    check_says(provider, &Hook::stored(part.body.clone()), says)
}

fn check_says(provider: &dyn Provider, hook: &Hook, says: &Value) -> Result<(), String> {
    check_all(&provider.read(hook).map_err(|error| error.to_string())?, says)
}

fn check_all(incoming: &[indaba_providers::Incoming], says: &Value) -> Result<(), String> {
    let got = serde_json::to_value(incoming).unwrap();
    let back: Vec<indaba_providers::Incoming> =
        serde_json::from_value(got.clone()).map_err(|error| format!("cannot be read back: {error}"))?;
    if back != incoming {
        return Err("it is another one when read back".into());
    }
    same(&got, says)
}

fn same(got: &Value, expected: &Value) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("\n     got {got}\nexpected {expected}")) }
}

/// Does what a value describes; an error becomes its sentence, or its JSON when it is one of sending.
async fn perform(provider: &dyn Provider, link: &Link, call: &Value) -> Result<Value, Value> {
    let text = |name: &str| call[name].as_str().unwrap_or_default().to_owned();
    let address = |name: &str| Address::parse(&text(name)).unwrap_or_else(|| panic!("{name} is no address"));
    let limit = call["limit"].as_u64().unwrap_or(20) as u32;
    let chat = Address::parse(call["to"].as_str().unwrap_or("+27820001001")).unwrap();
    let message = |reference: &str| {
        let provider_id = reference.rsplit('_').next().unwrap_or_default().to_owned();
        MessageRef {
            provider_id,
            reference: reference.into(),
            chat: chat.clone(),
            from_me: reference.starts_with("true_"),
        }
    };
    let template = || -> Template { serde_json::from_value(call["template"].clone()).unwrap() };
    let send = async |body: Body| {
        let mut outgoing = Outgoing::text(chat.clone(), "msg_1", "");
        outgoing.body = body;
        outgoing.reply_to = call["replyTo"].as_str().map(message);
        outgoing.link_preview = call["linkPreview"] != false;
        value(provider.send(link, &outgoing).await)
    };
    match call["op"].as_str().unwrap_or_default() {
        "check" => told(provider.check(link).await),
        "create" => {
            let setup = Setup {
                hook_url: "https://indaba.example/api/webhooks/waha/hook".parse().unwrap(),
                instance: "ins_1".into(),
                device: "Indaba".into(),
                full_history: false,
            };
            let made = provider.create(link, &setup).await.map_err(sentence)?;
            let mut told = json!({ "session": made.session, "without": made.without });
            if let Some(key) = made.key {
                use secrecy::ExposeSecret;
                told["key"] = key.expose_secret().into();
            }
            Ok(told)
        }
        "delete" => told(provider.delete(link).await),
        "start" => told(provider.start(link).await),
        "stop" => told(provider.stop(link).await),
        "restart" => told(provider.restart(link).await),
        "logout" => told(provider.logout(link).await),
        "status" => told(provider.status(link).await),
        "qr" => told(provider.qr(link).await),
        "pairingCode" => told(provider.pairing_code(link, &address("phone")).await),
        "chats" => page(provider.chats(link, None, limit).await),
        "people" => page(provider.people(link, None, limit).await),
        "aliases" => page(provider.aliases(link, None, limit).await),
        "history" => {
            let of = History { chat: call["chat"].as_str().and_then(Address::parse), since: None, after: None, limit };
            page(provider.history(link, &of).await)
        }
        "person" => told(provider.person(link, &address("of")).await),
        "otherNames" => told(provider.other_names(link, &address("of")).await),
        "onWhatsapp" => told(provider.on_whatsapp(link, &address("phone")).await),
        "sendText" => send(Body::Text { text: text("text") }).await,
        op @ ("sendImage" | "sendVideo" | "sendAudio" | "sendSticker" | "sendDocument") => {
            use base64::Engine as _;
            let bytes = base64::engine::general_purpose::STANDARD.decode(text("base64")).unwrap().into();
            let file = File { mime: text("mime"), name: text("name"), bytes };
            let caption = call["caption"].as_str().map(str::to_owned);
            send(match op {
                "sendImage" => Body::Image { file, caption },
                "sendVideo" => Body::Video { file, caption },
                "sendAudio" => Body::Audio { file },
                "sendSticker" => Body::Sticker { file },
                _ => Body::Document { file, caption },
            })
            .await
        }
        "sendButtons" => {
            let buttons = serde_json::from_value(call["buttons"].clone()).unwrap();
            send(Body::Buttons { text: text("text"), header: None, footer: None, list: None, buttons }).await
        }
        "sendTemplate" => {
            send(Body::Template(TemplateCall {
                name: text("name"),
                language: text("language"),
                header: vec![],
                media: None,
                body: vec![],
                buttons: vec![],
            }))
            .await
        }
        "templates" => page(provider.templates(link, None).await),
        "submitTemplate" => told(provider.submit_template(link, &template()).await),
        "deleteTemplate" => told(provider.delete_template(link, &template()).await),
        "sendLocation" => {
            let degrees = |name: &str| call[name].as_f64().unwrap();
            let name = Some(text("name"));
            let address = call["address"].as_str().map(str::to_owned);
            send(Body::Location { latitude: degrees("latitude"), longitude: degrees("longitude"), name, address }).await
        }
        "sendPoll" => {
            let options = serde_json::from_value(call["options"].clone()).unwrap();
            send(Body::Poll { question: text("question"), options, multiple: false }).await
        }
        "findSent" => {
            let found = provider.find_sent(link, &address("to"), &text("correlation")).await.map_err(sentence)?;
            Ok(match found {
                LookedUp::NotSeen => "notSeen".into(),
                LookedUp::Found { sent, state } => json!({ "sent": sent, "state": state }),
            })
        }
        "react" => value(provider.react(link, &message(&text("message")), &text("emoji")).await),
        "edit" => value(provider.edit(link, &message(&text("message")), &text("text")).await),
        "revoke" => value(provider.revoke(link, &message(&text("message"))).await),
        "markRead" => {
            let messages: Vec<_> =
                call["messages"].as_array().unwrap().iter().map(|id| message(id.as_str().unwrap())).collect();
            told(provider.mark_read(link, &address("to"), &messages).await)
        }
        "typing" => {
            let state: PresenceState = serde_json::from_value(call["state"].clone()).unwrap();
            let last = call["last"].as_str().map(message);
            told(provider.typing(link, &address("to"), state, last.as_ref()).await)
        }
        "download" => {
            let media = MediaRef { url: Some(text("url")), ..MediaRef::default() };
            let named = call["message"].as_str().unwrap_or("false_27820001001@c.us_3EB0AAAA0000000011");
            let source = MediaSource { media, message: message(named) };
            match provider.download(link, &source, 1 << 20).await {
                Ok(download) => told(download.bytes().await.map(|bytes| bytes.len())),
                Err(error) => Err(sentence(error)),
            }
        }
        op => panic!("no operation {op:?}"),
    }
}

fn sentence(error: CallError) -> Value {
    error.to_string().into()
}

fn told(result: Result<impl Serialize, CallError>) -> Result<Value, Value> {
    result.map(|value| serde_json::to_value(value).unwrap()).map_err(sentence)
}

fn page(result: Result<Page<impl Serialize>, CallError>) -> Result<Value, Value> {
    result.map(|page| json!({ "items": page.items, "next": page.next })).map_err(sentence)
}

fn value(result: Result<impl Serialize, SendError>) -> Result<Value, Value> {
    result.map(|value| serde_json::to_value(value).unwrap()).map_err(|error| serde_json::to_value(error).unwrap())
}
