//! What vendors send and are sent, beside what it must become. Written by hand.
//!
//! In `fixtures/<kind>/`: `x.chat.json` or `x.embed.json` must become `x.call.json`; `x.answer.json` or `x.stream.txt` must
//! become `x.value.json`. A file without its partner fails.

use std::{collections::BTreeSet, fs, path::Path};

use bytes::Bytes;
use indaba_llm::{Ask, Audio, Auth, Body, Call, Chat, Class, Delta, Embed, Error, Failed, Model, Pace, all};
use serde_json::{Map, Value, json};

use crate::{Does, MINUTE, Script, hello, model};

fn each(kind: &str, ending: &str) -> Vec<(String, String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(kind);
    let mut found = Vec::new();
    for file in fs::read_dir(&folder).unwrap_or_else(|_| panic!("{kind} has no folder of fixtures")) {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if let Some(stem) = name.strip_suffix(ending) {
            let partner = folder.join(format!(
                "{stem}{}",
                if matches!(ending, ".chat.json" | ".embed.json") { ".call.json" } else { ".value.json" }
            ));
            let must = fs::read_to_string(&partner).unwrap_or_else(|_| panic!("{kind}/{name} has no partner"));
            found.push((format!("{kind}/{stem}"), fs::read_to_string(&path).unwrap(), must));
        }
    }
    found
}

fn parse(text: &str, whose: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{whose}: {error}"))
}

fn asked_of(kind: &str, fixture: &Value) -> Model {
    let mut model = model(kind, fixture["model"].as_str().unwrap());
    if let Some(base) = fixture["base"].as_str() {
        model.at.base = base.parse().unwrap();
    }
    model.at.version = fixture["version"].as_str().map(Into::into);
    model.at.auth = serde_json::from_value::<Option<Auth>>(fixture["auth"].clone()).unwrap();
    model
}

fn printed(call: Call) -> Value {
    assert!(!format!("{call:?}").contains("k-123"), "the key prints");
    let headers: Map<String, Value> =
        call.headers.iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().into())).collect();
    let Body::Json(body) = call.body else { panic!("the body is not JSON") };
    json!({ "url": call.url.as_str(), "headers": headers, "body": body })
}

#[test]
fn every_vendor_asks_as_its_fixtures_say() {
    for vendor in all() {
        let kind = vendor.kind();
        let chats = each(kind, ".chat.json");
        assert!(!chats.is_empty(), "{kind} has no fixture of a question");
        for (name, fixture, must) in chats {
            let fixture = parse(&fixture, &name);
            let model = asked_of(kind, &fixture);
            let chat: Chat =
                serde_json::from_value(fixture["chat"].clone()).unwrap_or_else(|error| panic!("{name}: {error}"));
            let ask = Ask { model: &model, chat: &chat, stream: fixture["stream"] == true, learned: &BTreeSet::new() };
            assert_eq!(printed(vendor.chat(&ask).unwrap()), parse(&must, &name), "{name}");
        }
        for (name, fixture, must) in each(kind, ".embed.json") {
            let fixture = parse(&fixture, &name);
            let embed: Embed = serde_json::from_value(fixture["embed"].clone()).unwrap();
            assert_eq!(
                printed(vendor.embed(&asked_of(kind, &fixture), &embed).unwrap()),
                parse(&must, &name),
                "{name}"
            );
        }
    }
}

fn printed_error(error: &Error) -> Value {
    let output = error.usage.map(|usage| usage.output);
    json!({ "error": { "class": format!("{:?}", error.class), "status": error.status, "code": error.code, "detail": error.detail,
        "requestId": error.request_id, "output": output } })
}

/// One try, so that the answer is the fixture's and nothing else's.
async fn ask(kind: &str, does: Does, fixture: &Value, stream: bool) -> (Value, String) {
    let pace = Pace { tries: 1, ..Pace::default() };
    let twice = Script::of([does.clone(), does]); // a complaint about a parameter is tried without it
    let llm = indaba_llm::Llm::over(twice, pace, || "2026-11-20T07:00:00Z".parse().unwrap(), || 0.5);
    let model = model(kind, "a-model");
    let mut shown = String::new();
    let text = |part: &str| -> Vec<String> { serde_json::from_value(fixture[part].clone()).unwrap_or_default() };
    let failed = |failed: Failed| printed_error(failed.last());
    let value = if !text("embed").is_empty() {
        let embed = Embed { texts: text("embed"), dimensions: None, purpose: Default::default() };
        llm.embed(&model, &embed, MINUTE).await.map_or_else(failed, |done| json!({ "embedded": done.value }))
    } else if let Some(mime) = fixture["hear"].as_str() {
        let audio = Audio { mime: mime.into(), bytes: Bytes::from_static(b"OggS"), language: None };
        llm.transcribe(&[model], &audio, MINUTE).await.map_or_else(failed, |done| json!({ "transcript": done.value }))
    } else if stream {
        let mut show = |delta| {
            if let Delta::Text { text } = delta {
                shown.push_str(&text)
            }
        };
        let done = llm.chat_streamed(&[model], &hello(), MINUTE, &mut show).await;
        done.map_or_else(failed, |done| json!({ "reply": done.value }))
    } else {
        llm.chat(&[model], &hello(), MINUTE).await.map_or_else(failed, |done| json!({ "reply": done.value }))
    };
    (value, shown)
}

#[tokio::test(start_paused = true)]
async fn every_answer_becomes_what_its_fixture_says() {
    for vendor in all() {
        let kind = vendor.kind();
        let answers = each(kind, ".answer.json");
        assert!(answers.len() > 3, "{kind} has hardly any fixtures of answers");
        for (name, fixture, must) in answers {
            let fixture = parse(&fixture, &name);
            let mut headers = vec![("content-type", "application/json".to_owned())];
            for (key, value) in fixture["headers"].as_object().into_iter().flatten() {
                headers.retain(|(name, _)| name != key);
                headers.push((key.clone().leak(), value.as_str().unwrap().into()));
            }
            let body = fixture["text"].as_str().map_or_else(|| fixture["body"].to_string(), Into::into);
            let status = u16::try_from(fixture["status"].as_u64().unwrap()).unwrap();
            let (value, _) = ask(kind, Does::Answers(status, headers, body.into()), &fixture, false).await;
            assert_eq!(value, parse(&must, &name), "{name}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_stream_becomes_what_its_fixture_says_however_it_is_cut_up() {
    for vendor in all() {
        let kind = vendor.kind();
        let streams = each(kind, ".stream.txt");
        assert!(!streams.is_empty(), "{kind} has no fixture of a stream");
        for (name, fixture, must) in streams {
            for size in [1, 7, 100_000] {
                let pieces = fixture.as_bytes().chunks(size).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
                let (mut value, shown) = ask(kind, Does::Streams(pieces), &Value::Null, true).await;
                value["shown"] = shown.into();
                assert_eq!(value, parse(&must, &name), "{name} in pieces of {size}");
            }
        }
    }
}

#[test]
fn a_refusal_an_overload_no_money_and_a_retired_model_have_a_fixture_at_every_vendor_that_tells_them() {
    for kind in ["claude", "gemini", "openai"] {
        let values: Vec<String> = [".answer.json", ".stream.txt"]
            .iter()
            .flat_map(|ending| each(kind, ending))
            .map(|(_, _, must)| must)
            .collect();
        for class in ["Refused(", "Overloaded(", "Money", "Retired", "Key", "Rate(", "TooLong", "Transient"] {
            let class = format!("\"class\": \"{class}");
            assert!(values.iter().any(|value| value.contains(&class)), "{kind} shows no {class}");
        }
    }
    assert_eq!(format!("{:?}", Class::Money), "Money");
}

#[test]
fn what_is_written_without_its_question_is_found() {
    for vendor in all() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(vendor.kind());
        let names: BTreeSet<String> =
            fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
        for name in &names {
            let (stem, ending) = name.split_once('.').unwrap();
            let partners: &[&str] = match ending {
                "value.json" => &["answer.json", "stream.txt"],
                "call.json" => &["chat.json", "embed.json"],
                "answer.json" | "stream.txt" => &["value.json"],
                "chat.json" | "embed.json" => &["call.json"],
                other => panic!("what is {}/{stem}.{other}?", vendor.kind()),
            };
            let has = partners.iter().filter(|partner| names.contains(&format!("{stem}.{partner}"))).count();
            assert_eq!(has, 1, "{}/{name}", vendor.kind());
        }
    }
}
