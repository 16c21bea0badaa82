//! `fixtures/<provider>/<name>.http` is a request and its answer, or a hook, as it was on the wire; `<name>.expected.json` is what it must
//! become, written by hand:
//!
//! - a hook: `{"hook":{"key","to","collapse"?},"says":[…]}`, with the key that signed it;
//! - an exchange: `{"call":{"op",…},"gives":…}` or `"fails":…`; `"answers"` names the captures that answer, when it takes several; with
//!   `"sameRequest"` our first request must equal the captured one in method, path, query and body.
//!
//! A fixture without its value fails.

use std::fs;
use std::path::{Path, PathBuf};

use indaba_providers::{
    Address, Addressee, Body, CallError, File, History, Hook, Link, LookedUp, MediaRef, MediaSource, MessageRef,
    Outgoing, Page, PresenceState, Provider, SendError, Setup,
};
use serde::Serialize;
use serde_json::{Value, json};

use crate::peer::{self, Answer, Peer};

pub fn folder(provider: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(provider)
}

/// Every capture of a provider: its name and bytes.
pub fn captures(provider: &str) -> Vec<(String, Vec<u8>)> {
    let mut captures: Vec<_> = fs::read_dir(folder(provider))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "http"))
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
    let peer = Peer::that_answers(names.iter().map(read).collect()).await;
    let call = &expected["call"];
    let mut link = peer::link(&peer.url, call["version"].as_str().unwrap_or("2026.4.1"));
    link.external_name = match (call["op"].as_str(), call["session"].as_str()) {
        (_, Some(session)) => session.into(),
        (Some("check"), None) => String::new(),
        _ => "default".into(),
    };
    let (what, got) = match perform(provider, &link, call).await {
        Ok(value) => ("gives", value),
        Err(value) => ("fails", value),
    };
    same(&got, expected.get(what).ok_or_else(|| format!("it {what} {got}"))?)?;
    if expected["sameRequest"] == true {
        let (ours, theirs) = (peer.asked()[0].clone(), peer::parse(capture).expect("a request"));
        same(&json!([ours.method, ours.target, ours.body]), &json!([theirs.method, theirs.target, theirs.body]))?;
        assert_eq!(peer::header(&ours.headers, "x-api-key"), Some("key"));
    }
    Ok(())
}

fn check_hook(provider: &dyn Provider, hook: &Hook, told: &Value, says: &Value) -> Result<(), String> {
    let mut secrets = peer::link("http://localhost", "").secrets;
    secrets.keys = vec![told["key"].as_str().unwrap().to_owned().into()];
    provider.verify(&secrets, hook).map_err(|refused| format!("refused: {refused}"))?;
    let [part] = &provider.split(hook)[..] else { return Err("more than one part".into()) };
    same(&json!(part.collapse), &told["collapse"])?;
    let to = match &part.to {
        Addressee::Instance(name) => json!(name),
        other => json!(format!("{other:?}")),
    };
    same(&to, &told["to"])?;
    // read from the store: the headers are gone by then
    let incoming = provider.read(&Hook::stored(part.body.clone())).map_err(|error| error.to_string())?;
    let got = serde_json::to_value(&incoming).unwrap();
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
    let chat = Address::parse("+27820001001").unwrap();
    let message = |reference: &str| {
        let provider_id = reference.rsplit('_').next().unwrap_or_default().to_owned();
        MessageRef {
            provider_id,
            reference: reference.into(),
            chat: chat.clone(),
            from_me: reference.starts_with("true_"),
        }
    };
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
            Ok(json!({ "session": made.session, "without": made.without }))
        }
        "delete" => told(provider.delete(link).await),
        "start" => told(provider.start(link).await),
        "stop" => told(provider.stop(link).await),
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
        "sendImage" => {
            use base64::Engine as _;
            let bytes = base64::engine::general_purpose::STANDARD.decode(text("base64")).unwrap().into();
            let file = File { mime: text("mime"), name: text("name"), bytes };
            send(Body::Image { file, caption: call["caption"].as_str().map(str::to_owned) }).await
        }
        "sendLocation" => {
            let degrees = |name: &str| call[name].as_f64().unwrap();
            let name = Some(text("name"));
            send(Body::Location { latitude: degrees("latitude"), longitude: degrees("longitude"), name, address: None })
                .await
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
            told(provider.typing(link, &address("to"), state, None).await)
        }
        "download" => {
            let media = MediaRef { url: Some(text("url")), ..MediaRef::default() };
            let source = MediaSource { media, message: message("false_27820001001@c.us_3EB0AAAA0000000011") };
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
