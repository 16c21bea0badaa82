//! Routes that send what is more than words.

use std::sync::Arc;

use axum::{Extension, extract::State, http::StatusCode};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{
    answer::{Answer, Refusal, created},
    channel::only_baileys,
    input::{Input, Kind, Property, check as check_part},
    send::{Order, check, doing, send, shown, whom},
};
use crate::{
    gate::Seq,
    sim::Sim,
    world::{Author, Content, File, Form, Via},
};

type Call = (State<Arc<Sim>>, Extension<Seq>);

const API: Author = Author::Me(Via::Api);
/// What it fetches at most.
const LARGEST: u64 = 100 * 1024 * 1024;
/// Words of a file's kind.
const MEDIA: [&str; 4] = ["image", "document", "video", "audio"];

pub async fn media((State(sim), Extension(Seq(seq))): Call, input: Input) -> Answer {
    let own: [Property; 5] = [
        ("mediatype", Kind::OneOf(&MEDIA), true),
        ("mimetype", Kind::Text, false),
        ("media", Kind::Text, false),
        ("fileName", Kind::Text, false),
        ("caption", Kind::Text, false),
    ];
    check(&input, &own)?;
    let kind = input.text("mediatype").unwrap_or_default();
    let given = input.text("media").unwrap_or_default();
    let name = input.text("fileName").filter(|name| !name.is_empty());
    if kind == "document" && name.is_none() && decoded(given).is_some() {
        return Err(Refusal::bad("For base64 the file name must be informed."));
    }
    let mut file = fetched(&sim, given, "Owned media must be a url or base64").await?;
    file.filename = name.map(str::to_owned).or(match kind {
        "image" => Some("image.jpg".into()),
        "video" => Some("video.mp4".into()),
        _ => file.filename,
    });
    // A name decides what it is; what the caller says counts only without one.
    let named = file.filename.as_deref().map(type_of);
    file.mimetype = match kind {
        "image" => "image/jpeg".into(),
        _ => named.or(input.text("mimetype")).unwrap_or(&file.mimetype).to_owned(),
    };
    let form = match kind {
        "image" => Form::Image,
        "video" => Form::Video,
        "audio" => Form::Audio,
        _ => Form::Document,
    };
    let caption = input.text("caption").filter(|caption| !caption.is_empty()).map(str::to_owned);
    can_upload(&sim, &input)?;
    put(&sim, seq, &input, form, file, caption).await
}

pub async fn audio((State(sim), Extension(Seq(seq))): Call, input: Input) -> Answer {
    check(&input, &[("audio", Kind::Text, false)])?;
    let why = "Owned media must be a url, base64, or valid file with buffer";
    let mut file = fetched(&sim, input.text("audio").unwrap_or_default(), why).await?;
    // Converted or not, this is what it is sent as.
    file.mimetype = "audio/ogg; codecs=opus".into();
    put(&sim, seq, &input, Form::Voice, file, None).await
}

pub async fn sticker((State(sim), Extension(Seq(seq))): Call, input: Input) -> Answer {
    check(&input, &[("sticker", Kind::Text, false)])?;
    let why = "Owned media must be a url or base64";
    let mut file = fetched(&sim, input.text("sticker").unwrap_or_default(), why).await?;
    file.mimetype = "image/webp".into();
    put(&sim, seq, &input, Form::Sticker, file, None).await
}

pub async fn ptv((State(sim), Extension(Seq(seq))): Call, input: Input) -> Answer {
    check(&input, &[("video", Kind::Text, false)])?;
    let why = "Owned media must be a url or base64";
    let mut file = fetched(&sim, input.text("video").unwrap_or_default(), why).await?;
    file.mimetype = "video/mp4".into();
    can_upload(&sim, &input)?;
    put(&sim, seq, &input, Form::Video, file, None).await
}

/// Some files are uploaded before anybody asks whether the person is there.
fn can_upload(sim: &Sim, input: &Input) -> Result<(), Refusal> {
    let ready = sim.evolution.ready(&input.instance, "waUploadToServer");
    ready.map(drop).map_err(|why| Refusal::failed(&[&Refusal::thrown(&why)]))
}

async fn put(sim: &Arc<Sim>, seq: u64, input: &Input, form: Form, file: File, caption: Option<String>) -> Answer {
    let bytes = file.bytes.clone();
    let file = sim.world().shelf.put(file);
    send(sim, seq, input, Order { content: Content::Media { form, file, caption }, file: bytes }).await
}

/// Base64 without anything before it.
fn decoded(text: &str) -> Option<Vec<u8>> {
    // As the server's own check: whole groups of four.
    if text.is_empty() || !text.len().is_multiple_of(4) { None } else { BASE64_STANDARD.decode(text).ok() }
}

/// A file as it was given: an address to fetch it from, or base64.
async fn fetched(sim: &Arc<Sim>, given: &str, why: &str) -> Result<File, Refusal> {
    if let Some(bytes) = decoded(given) {
        return Ok(File { mimetype: "application/octet-stream".into(), filename: None, bytes: bytes.into() });
    }
    let url = url::Url::parse(given).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| Refusal::bad(why))?;
    let name = url.path_segments().and_then(|mut path| path.next_back().map(str::to_owned));
    let failed = || Refusal(StatusCode::INTERNAL_SERVER_ERROR, json!(["AxiosError: Request failed"]));
    let answer = sim.hooks.client().get(url).send().await.map_err(|_| failed())?;
    if !answer.status().is_success() || answer.content_length().is_some_and(|length| length > LARGEST) {
        return Err(failed());
    }
    let bytes = answer.bytes().await.map_err(|_| failed())?;
    let filename = name.filter(|name| !name.is_empty());
    Ok(File { mimetype: "application/octet-stream".into(), filename, bytes })
}

/// The type of a name's ending. Nothing that it knows is the word `false`, as the server writes it.
fn type_of(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).as_deref() {
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("png") => "image/png",
        Some("webp") => "image/webp",
        Some("gif") => "image/gif",
        Some("mp4") => "video/mp4",
        Some("mp3") => "audio/mpeg",
        Some("ogg" | "oga" | "opus") => "audio/ogg",
        Some("m4a") => "audio/mp4",
        Some("pdf") => "application/pdf",
        Some("txt") => "text/plain",
        Some("csv") => "text/csv",
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        _ => "false",
    }
}

pub async fn location((State(sim), Extension(Seq(seq))): Call, input: Input) -> Answer {
    let own: [Property; 4] = [
        ("latitude", Kind::Number, true),
        ("longitude", Kind::Number, true),
        ("name", Kind::Text, true),
        ("address", Kind::Text, true),
    ];
    check(&input, &own)?;
    only_baileys(&sim, &input)?;
    let degrees = |name: &str| input.body[name].as_f64().unwrap_or_default();
    let name = input.text("name").filter(|name| !name.is_empty()).map(str::to_owned);
    let place = Content::Location { latitude: degrees("latitude"), longitude: degrees("longitude"), name };
    send(&sim, seq, &input, Order::of(place)).await
}

pub async fn contact((State(sim), Extension(Seq(seq))): Call, input: Input) -> Answer {
    check(&input, &[("contact", Kind::List(1), true)])?;
    let cards = input.body["contact"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (at, card) in cards.iter().enumerate() {
        let at = format!("contact[{at}]");
        check_part(card, &at, &[("fullName", Kind::Text, true), ("phoneNumber", Kind::Text, true)])?;
        let short = |name: &str| card[name].as_str().is_some_and(|text| text.chars().count() < 10);
        let wrong: Vec<String> = ["wuid", "phoneNumber"]
            .into_iter()
            .filter(|name| short(name))
            .map(|name| format!("{at}.{name} does not meet minimum length of 10"))
            .collect();
        if !wrong.is_empty() {
            return Err(Refusal::schema(wrong));
        }
    }
    only_baileys(&sim, &input)?;
    send(&sim, seq, &input, Order::of(Content::Contacts(cards.iter().map(card).collect()))).await
}

/// A vCard as the server makes it.
fn card(contact: &Value) -> String {
    let text = |name: &str| contact[name].as_str().filter(|text| !text.is_empty());
    let name = text("fullName").unwrap_or_default();
    let mut lines = vec!["BEGIN:VCARD".to_owned(), "VERSION:3.0".into(), format!("N:{name}"), format!("FN:{name}")];
    lines.extend(text("organization").map(|organization| format!("ORG:{organization};")));
    lines.extend(text("email").map(|email| format!("EMAIL:{email}")));
    lines.extend(text("url").map(|url| format!("URL:{url}")));
    let phone = text("phoneNumber").unwrap_or_default();
    let known = text("wuid").map_or_else(|| super::send::jid(phone), str::to_owned);
    lines.push(format!("item1.TEL;waid={known}:{phone}"));
    lines.extend(["item1.X-ABLabel:Celular".into(), "END:VCARD".into()]);
    lines.join("\n")
}

pub async fn poll((State(sim), Extension(Seq(seq))): Call, input: Input) -> Answer {
    let own: [Property; 3] =
        [("name", Kind::Text, true), ("selectableCount", Kind::Integer, true), ("values", Kind::List(2), true)];
    check(&input, &own)?;
    let options: Vec<String> =
        input.body["values"].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect();
    let mut once = options.clone();
    once.sort();
    once.dedup();
    let most = input.body["selectableCount"].as_u64();
    let wrong = match most {
        _ if options.len() > 10 => Some("values does not meet maximum length of 10"),
        _ if once.len() < options.len() => Some("values contains duplicate item"),
        Some(0..=10) => None,
        Some(_) => Some("selectableCount must be less than or equal to 10"),
        None => Some("selectableCount must be greater than or equal to 0"),
    };
    if let Some(wrong) = wrong {
        return Err(Refusal::schema(vec![wrong.into()]));
    }
    only_baileys(&sim, &input)?;
    let name = input.text("name").unwrap_or_default().to_owned();
    send(&sim, seq, &input, Order::of(Content::Poll { name, options, multiple: most != Some(1) })).await
}

pub async fn reaction((State(sim), Extension(Seq(seq))): Call, input: Input) -> Answer {
    input.check(&[("key", Kind::Object, true), ("reaction", Kind::Text, true)])?;
    let key = &input.body["key"];
    check_part(key, "key", &[("id", Kind::Text, true), ("remoteJid", Kind::Text, true), ("fromMe", Kind::Bool, true)])?;
    only_baileys(&sim, &input)?;
    let emoji = input.text("reaction").unwrap_or_default();
    // One sign that is no letter, or none: what follows it in one picture is part of it.
    if emoji.chars().any(|sign| sign.is_ascii_alphanumeric()) || emoji.chars().count() > 12 {
        return Err(Refusal::bad("Reaction must be a single emoji or empty string"));
    }
    let line = sim.evolution.ready(&input.instance, "onWhatsApp").map_err(Refusal::crash)?;
    let chat = whom(&sim.world(), key["remoteJid"].as_str().unwrap_or_default())?;
    let to = key["id"].as_str().unwrap_or_default().to_owned();
    let at_ms = sim.now_ms();
    doing(&sim, &input.instance, &to, true);
    let acted = sim.act(&line, |world, out| {
        let id = world.react(&line, &to, API, emoji, out)?;
        sim.recording.effect(
            seq,
            &input.instance,
            &line,
            &id,
            &chat.to_string(),
            "reaction",
            Some(emoji),
            to.as_bytes(),
        );
        Ok(id)
    });
    doing(&sim, &input.instance, &to, false);
    let id = acted?;
    let answer = shown(&sim, &input.instance, &line, |lens| {
        let message = lens.world.line(&line).and_then(|line| line.message(&to));
        message.map_or(Value::Null, |message| lens.reaction(&id, &API, message, emoji, at_ms, true))
    });
    created(&answer.ok_or_else(|| Refusal::no_instance(&input.instance))?)
}

/// Over a linked device 2.3 cannot: the library breaks on it, and its words are passed on.
pub async fn list((State(sim), _): Call, input: Input) -> Answer {
    let own: [Property; 4] = [
        ("title", Kind::Text, true),
        ("footerText", Kind::Text, true),
        ("buttonText", Kind::Text, true),
        ("sections", Kind::List(1), true),
    ];
    check(&input, &own)?;
    only_baileys(&sim, &input)?;
    sim.evolution.ready(&input.instance, "onWhatsApp").map_err(Refusal::crash)?;
    whom(&sim.world(), input.text("number").unwrap_or_default())?;
    Err(Refusal::bad("TypeError: this.isZero is not a function"))
}

/// It is sent, but phones do not show it: what stands in the chat is the words.
pub async fn buttons((State(sim), Extension(Seq(seq))): Call, input: Input) -> Answer {
    check(&input, &[("title", Kind::Text, false), ("buttons", Kind::List(0), false)])?;
    let kinds: Vec<&str> =
        input.body["buttons"].as_array().into_iter().flatten().filter_map(|one| one["type"].as_str()).collect();
    let replies = kinds.iter().filter(|kind| **kind == "reply").count();
    let why = match kinds.len() {
        0 => Some("At least one button is required"),
        4.. if replies > 0 => Some("Maximum of 3 reply buttons allowed"),
        all if replies > 0 && replies < all => Some("Reply buttons cannot be mixed with other button types"),
        _ => None,
    };
    if let Some(why) = why {
        return Err(Refusal::bad(why));
    }
    let mut words = format!("*{}*", input.text("title").unwrap_or_default());
    if let Some(more) = input.text("description") {
        words = format!("{words}\n\n{more}\n");
    }
    send(&sim, seq, &input, Order::of(Content::Text(words))).await
}

/// Templates are Meta's, and for that channel alone.
pub async fn template(_: Call, input: Input) -> Answer {
    input.check(&[("name", Kind::Text, true), ("language", Kind::Text, true)])?;
    Err(Refusal::crash("Method not available in the Baileys service"))
}
