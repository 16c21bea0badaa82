//! Sample conversations: what an estate agency in South Africa finds on its phone on an ordinary day.
//!
//! [`fill`] writes them through the control API, as customers and from the owner's phone, so that they reach whoever
//! is linked by the same way as anything else. All people, numbers and places in them are made up.

mod paper;
mod photos;
mod talks;

use anyhow::{Context as _, ensure};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use talks::{TALKS, What};

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filled {
    /// Customers.
    pub customers: usize,
    /// Messages.
    pub messages: usize,
}

/// Fills a number of the simulator at `url` with sample conversations, the oldest message first. Doing it again adds
/// nothing to what is there. Their times lie within the last two days before `now_ms`.
pub async fn fill(url: &str, number: &str, now_ms: i64) -> anyhow::Result<Filled> {
    let client = reqwest::Client::builder().build().context("make an HTTP client")?;
    let post = async |path: &str, body: &Value| {
        let answer = client.post(format!("{url}/control{path}")).json(body).send().await?;
        let status = answer.status();
        ensure!(status.is_success(), "{path}: {status} {}", answer.text().await.unwrap_or_default());
        anyhow::Ok(())
    };
    post("/numbers", &json!({"phone": number})).await?;
    let mut messages = Vec::new();
    for (at, talk) in TALKS.iter().enumerate() {
        let person = json!({"phone": talk.phone, "name": talk.name, "shown": talk.shown});
        post("/customers", &person).await?;
        for (place, said) in talk.said.iter().enumerate() {
            let sent_ms = now_ms - said.minutes_ago * 60_000;
            // Ids of their own, the same each time: written twice, they are there once.
            let id = |place: usize| format!("3EB0{at:02X}{place:02X}5A3D1E000000");
            let mut body = content(&said.what);
            body["from"] = json!(if said.by_us { "me" } else { talk.phone });
            body["chat"] = json!(talk.phone);
            body["id"] = json!(id(place));
            body["at"] = json!(sent_ms);
            if let Some(answered) = said.answers {
                body["replyTo"] = json!(id(answered));
            }
            messages.push((sent_ms, body));
        }
    }
    messages.sort_by_key(|(at, _)| *at);
    for (_, body) in &messages {
        post(&format!("/numbers/{number}/messages"), body).await?;
    }
    // They have read what we wrote, but for the last.
    for talk in TALKS.iter().filter(|talk| talk.read) {
        post(&format!("/numbers/{number}/chats/{}/open", talk.phone), &json!({})).await?;
    }
    Ok(Filled { customers: TALKS.len(), messages: messages.len() })
}

fn content(what: &What) -> Value {
    let file = |mimetype: &str, name: Option<&str>, bytes: &[u8]| json!({"mimetype": mimetype, "filename": name, "data": BASE64_STANDARD.encode(bytes)});
    match what {
        What::Text(body) => json!({"kind": "text", "body": body}),
        What::Photo(scene, caption) => {
            let photo = photos::draw(*scene);
            json!({"kind": "image", "body": caption, "file": file("image/jpeg", None, &photo)})
        }
        What::Voice => {
            json!({"kind": "voice", "file": file("audio/ogg; codecs=opus", None, crate::phone::VOICE_NOTE)})
        }
        What::Paper(name, lines) => {
            let pdf = paper::pdf(lines);
            json!({"kind": "document", "file": file("application/pdf", Some(name), &pdf)})
        }
        What::Place(name, latitude, longitude) => {
            json!({"kind": "location", "place": name, "latitude": latitude, "longitude": longitude})
        }
        What::Card(name, phone) => {
            let card = format!(
                "BEGIN:VCARD\nVERSION:3.0\nFN:{name}\nTEL;type=CELL;type=VOICE;waid={phone}:+{phone}\nEND:VCARD"
            );
            json!({"kind": "contacts", "contacts": [card]})
        }
        What::Poll(name, options) => {
            json!({"kind": "poll", "poll": {"name": name, "options": options, "multiple": false}})
        }
    }
}
