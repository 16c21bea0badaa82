//! Every request of Meta's own examples is taken.

use serde_json::{Value, json};

use super::{ASHA, Meta, examples};
use crate::house::{Hook, until};

/// Puts what exists where an example has a name for it.
fn filled(value: &mut Value, meta: &Values, under: &str) {
    match value {
        Value::Object(map) => {
            for (key, inside) in map {
                let place = match key.as_str() {
                    "id" | "link" | "message_id" | "to" | "type" => key.clone(),
                    _ => String::new(),
                };
                match (place.as_str(), under) {
                    ("to", _) => *inside = ASHA.into(),
                    ("message_id", _) => *inside = meta.message.as_str().into(),
                    ("id", "image" | "video" | "audio" | "document" | "sticker") => *inside = meta.file(under).into(),
                    ("type", "header") if inside.as_str().is_some_and(|kind| kind.starts_with('<')) => {
                        *inside = "text".into()
                    }
                    ("link", _) => *inside = format!("{}/{under}", meta.files).into(),
                    _ => filled(inside, meta, key),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| filled(item, meta, under)),
        // Letters that stand for something are longer than what they stand for.
        Value::String(text) if text.starts_with('<') => {
            *text = text.chars().filter(char::is_ascii_digit).chain("x".chars()).collect()
        }
        _ => {}
    }
}

struct Values {
    message: String,
    files: String,
    ids: Vec<(&'static str, String)>,
}

impl Values {
    fn file(&self, kind: &str) -> String {
        self.ids.iter().find(|(name, _)| *name == kind).unwrap().1.clone()
    }
}

/// A template that this call fits.
fn template(call: &Value) -> Value {
    let (mut components, mut buttons) = (vec![], vec![]);
    let body =
        |count: usize| (1..=count).map(|n| format!("word {{{{{n}}}}} and")).collect::<Vec<_>>().join(" ") + " so on.";
    let mut words = body(0);
    for component in call["components"].as_array().into_iter().flatten() {
        let parameters = component["parameters"].as_array().cloned().unwrap_or_default();
        match component["type"].as_str().unwrap_or_default() {
            "header" => {
                let format = parameters[0]["type"].as_str().unwrap_or_default().to_uppercase();
                components.push(json!({"type": "HEADER", "format": format, "text": "Word {{1}}"}));
            }
            "body" => words = body(parameters.len()),
            _ => buttons.push(match component["sub_type"].as_str().unwrap_or_default().to_lowercase().as_str() {
                "url" => json!({"type": "URL", "text": "Go", "url": "https://x.example/{{1}}"}),
                kind => json!({"type": kind.to_uppercase(), "text": "Tap"}),
            }),
        }
    }
    components.push(json!({"type": "BODY", "text": words}));
    if !buttons.is_empty() {
        components.push(json!({"type": "BUTTONS", "buttons": buttons}));
    }
    json!({"name": call["name"], "language": call["language"]["code"], "components": components})
}

#[tokio::test]
async fn each_message_of_metas_examples_is_taken() {
    let meta = Meta::warm().await;
    let files = axum::Router::new().fallback(async |uri: axum::http::Uri| {
        let kind = match uri.path() {
            "/image" => "image/png",
            "/video" => "video/mp4",
            "/audio" => "audio/mpeg",
            "/sticker" => "image/webp",
            _ => "application/pdf",
        };
        ([("content-type", kind)], "bytes")
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, files).await });
    let hello = until("a hook", || meta.house.hooks.all().first().map(Hook::json)).await;
    let message = hello["entry"][0]["changes"][0]["value"]["messages"][0]["id"].as_str().unwrap().to_owned();
    let mut ids = Vec::new();
    for (kind, mime) in [
        ("image", "image/jpeg"),
        ("video", "video/mp4"),
        ("audio", "audio/ogg"),
        ("document", "application/pdf"),
        ("sticker", "image/webp"),
    ] {
        ids.push((kind, meta.upload(mime).await));
    }
    let values = Values { message, files: url, ids };
    let mut taken = 0;
    for example in examples("meta-messages.jsonl") {
        let case = example["case"].as_str().unwrap();
        let Some(mut body) = example.get("request").cloned() else { continue };
        // Meta's own example has no type, without which a message is a text.
        if case == "Send Reply to List Message" {
            body["type"] = "interactive".into();
        }
        filled(&mut body, &values, "");
        if body["type"] == "template" {
            let path = format!("/control/cloud/accounts/{}/templates", meta.waba);
            meta.house.good("POST", &path, template(&body["template"])).await;
        }
        let (status, answer) = meta.call("POST", &format!("{}/messages", meta.number), body.clone()).await;
        assert_eq!(status, 200, "{case}: {body} gives {answer}");
        match body.get("status") {
            Some(_) => assert_eq!(answer, json!({"success": true}), "{case}"),
            None => {
                let id = answer["messages"][0]["id"].as_str().unwrap();
                assert!(id.starts_with("wamid.") && answer["contacts"][0]["wa_id"] == ASHA, "{case}: {answer}");
            }
        }
        taken += 1;
    }
    assert_eq!(taken, 50);
}

#[tokio::test]
async fn each_template_of_metas_examples_is_made() {
    let meta = Meta::new(json!({})).await;
    let mut made = 0;
    for (n, example) in examples("meta-templates-phones.jsonl").into_iter().enumerate() {
        let Some(mut body) = example.get("request").cloned() else { continue };
        body["name"] = format!("template_{n}").into();
        let answer = meta.good("POST", &format!("{}/message_templates", meta.waba), body.clone()).await;
        assert_eq!(
            (&answer["status"], &answer["category"]),
            (&json!("PENDING"), &body["category"]),
            "{}",
            example["case"]
        );
        made += 1;
    }
    assert_eq!(made, 11);
}
