//! Files: up, where they are, down, and gone. And the pieces of the resumable upload that template samples come by.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{FromRequest as _, Multipart, Path, Query, Request, State as FromState, rejection::QueryRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{
    account::{Caller, MESSAGING, Media, State, Upload, new_id},
    apps::Words,
    refusal::{Answer, Refusal, ok, success, trace_id},
    shape,
};
use crate::{range, sim::Sim, world::File};

/// What goes up can be used for thirty days.
const UPLOAD_LIVES_MS: i64 = 30 * 24 * 3_600_000;
/// An address holds for five minutes.
const ADDRESS_LIVES_MS: i64 = 5 * 60_000;
/// Nothing is larger.
pub const LARGEST: usize = 100 * 1024 * 1024;
const MB: usize = 1024 * 1024;

/// Types that can go up, and how large they may be.
const TYPES: &[(&str, usize)] = &[
    ("audio/aac", 16 * MB),
    ("audio/mp4", 16 * MB),
    ("audio/mpeg", 16 * MB),
    ("audio/amr", 16 * MB),
    ("audio/ogg", 16 * MB),
    ("audio/opus", 16 * MB),
    ("application/vnd.ms-powerpoint", LARGEST),
    ("application/msword", LARGEST),
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", LARGEST),
    ("application/vnd.openxmlformats-officedocument.presentationml.presentation", LARGEST),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", LARGEST),
    ("application/pdf", LARGEST),
    ("text/plain", LARGEST),
    ("application/vnd.ms-excel", LARGEST),
    ("image/jpeg", 5 * MB),
    ("image/png", 5 * MB),
    ("image/webp", 500 * 1024),
    ("video/mp4", 16 * MB),
    ("video/3gpp", 16 * MB),
    ("application/octet-stream", LARGEST),
];

/// A file and what is known of it.
pub struct Source {
    pub mime: String,
    pub bytes: Bytes,
    pub name: Option<String>,
}

/// The type without what stands behind it.
fn plain(mime: &str) -> String {
    mime.split(';').next().unwrap_or_default().trim().to_lowercase()
}

/// A file by its id, for a message of this account. The inner error is told later.
pub fn stored(sim: &Sim, waba: &str, kind: &str, id: &str) -> Result<Result<Source, String>, Refusal> {
    let wrong =
        || Refusal::param(format!("Param {kind}['id'] is not a valid whatsapp business account media attachment ID"));
    let media = {
        let state = sim.cloud.state();
        let now = state.now(sim);
        let found = state.media.get(id).filter(|media| media.waba == waba && media.expires_ms > now);
        found.cloned().ok_or_else(wrong)?
    };
    let file = sim.world().shelf.get(&media.file).cloned().ok_or_else(wrong)?;
    Ok(Ok(Source { mime: media.mime, bytes: file.bytes, name: file.filename }))
}

/// A file at a link: fetched as Meta does, at once and not for long.
pub async fn fetched(sim: &Sim, link: &str) -> Result<Source, String> {
    let failed = |why: &str| format!("Downloading media from weblink failed with {why}");
    let answer = sim.hooks.client().get(link).timeout(sim.seconds(30).max(std::time::Duration::from_secs(5))).send();
    let answer = answer.await.map_err(|_| failed("a connection error"))?;
    if !answer.status().is_success() {
        return Err(failed(&format!("http code {}, status message {}", answer.status().as_u16(), answer.status())));
    }
    let mime = answer
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or("application/octet-stream");
    let mime = mime.to_owned();
    let name = answer
        .url()
        .path_segments()
        .and_then(|mut path| path.next_back())
        .filter(|name| !name.is_empty())
        .map(str::to_owned);
    let mut bytes = Vec::new();
    let mut stream = answer.bytes_stream();
    while let Some(piece) = stream.next().await {
        bytes.extend_from_slice(&piece.map_err(|_| failed("a cut connection"))?);
        if bytes.len() > LARGEST {
            return Err(failed("a file that is too large"));
        }
    }
    Ok(Source { mime, bytes: bytes.into(), name })
}

/// Whether a file is what a message of this kind can carry; else what a status says later.
pub fn suits(kind: &str, voice: bool, source: &Source) -> Result<(), String> {
    let mime = plain(&source.mime);
    let (fits, most) = match kind {
        "image" => (matches!(mime.as_str(), "image/jpeg" | "image/png"), 5 * MB),
        "video" => (matches!(mime.as_str(), "video/mp4" | "video/3gpp"), 16 * MB),
        "audio" if voice => (mime == "audio/ogg", 16 * MB),
        "audio" => (mime.starts_with("audio/"), 16 * MB),
        "sticker" => (mime == "image/webp", 500 * 1024),
        _ => (true, LARGEST),
    };
    if !fits {
        return Err(format!("Unsupported {kind} mime type {mime}. Please use one of the supported types."));
    }
    if source.bytes.len() > most {
        return Err(format!("File size {} exceeds the maximum of {most} bytes for {kind}", source.bytes.len()));
    }
    Ok(())
}

/// `POST /{number}/media`: fields in any order.
pub async fn upload(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Words>,
    request: Request,
) -> Answer {
    let waba = {
        let mut state = sim.cloud.state();
        let number = state.number(&caller, "post", &id)?;
        caller.needs(MESSAGING)?;
        number.waba.clone()
    };
    let form = Multipart::from_request(request, &()).await;
    let mut form = form.map_err(|_| Refusal::missing("file"))?;
    let cut = |_| Refusal::param("The request body is not a whole multipart form");
    // Graph takes a field from the query as well: whatsapp-api-js has `messaging_product` there.
    let product =
        query.get("messaging_product").map(|product| ("messaging_product".to_owned(), product.clone().into()));
    let (mut fields, mut file) = (serde_json::Map::from_iter(product), None);
    while let Some(field) = form.next_field().await.map_err(cut)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == "file" {
            let (filename, mime) = (field.file_name().map(str::to_owned), field.content_type().map(str::to_owned));
            file = Some((filename, mime, field.bytes().await.map_err(cut)?));
        } else {
            let text = field.text().await.map_err(cut)?;
            fields.insert(name, text.into());
        }
    }
    shape::product(&Value::Object(fields.clone()))?;
    let (filename, mime, bytes) = file.ok_or_else(|| Refusal::missing("file"))?;
    // The part's own type is what counts; `type` stands in where there is none.
    let mime = mime.or_else(|| fields.get("type").and_then(Value::as_str).map(str::to_owned));
    let mime = mime.unwrap_or_else(|| "application/octet-stream".into());
    let Some((_, most)) = TYPES.iter().find(|(known, _)| *known == plain(&mime)) else {
        let known: Vec<&str> = TYPES.iter().map(|(known, _)| *known).collect();
        return Err(Refusal::param(format!(
            "Param file must be a file with one of the following types: {}. Received file of type '{mime}'.",
            known.join(", ")
        )));
    };
    if bytes.is_empty() || bytes.len() > *most {
        let why = format!("File size {} is not within the limit of {most} bytes for type {mime}", bytes.len());
        return Err(Refusal::because(131_053, why));
    }
    let file = sim.world().shelf.put(File { mimetype: mime.clone(), filename, bytes });
    let mut state = sim.cloud.state();
    let expires_ms = state.now(&sim) + UPLOAD_LIVES_MS;
    let id = state.keep(Media { waba, number: id, file, mime, expires_ms });
    Ok(ok(&json!({"id": id})))
}

/// Where a file is: on the host that was asked.
pub fn show(sim: &Sim, media: &Media, id: &str, host: &str) -> Answer {
    let file = sim.world().shelf.get(&media.file).cloned().ok_or_else(|| Refusal::object("get", id))?;
    let expires = (sim.cloud.state().now(sim) + ADDRESS_LIVES_MS).div_euclid(1_000);
    let url = format!(
        "http://{host}/whatsapp_business/attachments/?mid={id}&source=getMedia&ext={expires}&hash={}",
        hash(id, expires)
    );
    Ok(ok(&json!({
        "url": url, "mime_type": media.mime, "sha256": hex::encode(Sha256::digest(&file.bytes)),
        "file_size": file.bytes.len(), "id": id, "messaging_product": "whatsapp",
    })))
}

/// So that nobody makes an address up.
fn hash(id: &str, expires: i64) -> String {
    let hash = Sha256::digest(format!("{id}/{expires}/attachment"));
    format!("A{}", hex::encode(&hash[..12]))
}

/// What stands in the address of a file.
#[derive(Deserialize)]
pub struct Where {
    mid: String,
    ext: i64,
    hash: String,
}

/// The file itself. Not in Meta's usual shape of errors: it is another host.
pub async fn download(
    FromState(sim): FromState<Arc<Sim>>,
    headers: HeaderMap,
    place: Result<Query<Where>, QueryRejection>,
) -> Response {
    let missing = || (StatusCode::NOT_FOUND, "").into_response();
    if headers.get(header::USER_AGENT).is_none() {
        return (StatusCode::BAD_REQUEST, "Bad request").into_response();
    }
    let Ok(Query(place)) = place else { return missing() };
    let (file, mime) = {
        let state = sim.cloud.state();
        let now = state.now(&sim);
        let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = bearer.and_then(|value| value.strip_prefix("Bearer "));
        let Ok(caller) = state.caller(token, now) else {
            return (StatusCode::UNAUTHORIZED, "").into_response();
        };
        let good = place.hash == hash(&place.mid, place.ext) && place.ext.saturating_mul(1_000) > now;
        let media =
            state.media.get(&place.mid).filter(|media| good && media.expires_ms > now && caller.reaches(&media.waba));
        let Some(media) = media else { return missing() };
        (media.file.clone(), media.mime.clone())
    };
    let Some(file) = sim.world().shelf.get(&file).cloned() else { return missing() };
    let mut answer = range::answer(&headers, file.bytes).into_response();
    if let Ok(mime) = mime.parse() {
        answer.headers_mut().insert(header::CONTENT_TYPE, mime);
    }
    answer.headers_mut().insert(header::CONTENT_DISPOSITION, "attachment".parse().expect("it is visible ASCII"));
    answer
}

/// `DELETE /{media}`.
pub fn remove(state: &mut State, id: &str) -> Answer {
    state.media.remove(id);
    success()
}

/// `POST /{app}/uploads`: a file is announced.
#[derive(Deserialize)]
pub struct Announced {
    file_length: usize,
    file_type: String,
}

pub async fn announce(
    FromState(sim): FromState<Arc<Sim>>,
    caller: Caller,
    Path(id): Path<String>,
    query: Result<Query<Announced>, QueryRejection>,
) -> Answer {
    let mut state = sim.cloud.state();
    if caller.app != id {
        return Err(Refusal::object("post", &id));
    }
    let Ok(Query(announced)) = query else { return Err(Refusal::missing("file_length")) };
    if announced.file_length == 0 || announced.file_length > LARGEST {
        return Err(Refusal::param("Param file_length is not within the limits"));
    }
    if state.uploads.len() > 1_000 {
        state.uploads.pop_first();
    }
    let name = format!("MTphdHRhY2htZW50{}?sig={}", new_id(), trace_id());
    let upload = Upload { app: id, length: announced.file_length, mime: announced.file_type, bytes: Vec::new() };
    state.uploads.insert(format!("upload:{}", name.split('?').next().unwrap_or_default()), upload);
    Ok(ok(&json!({"id": format!("upload:{name}")})))
}

/// `POST /upload:…`: a piece, from `file_offset` on. The last one is answered with the handle.
pub fn piece(sim: &Sim, caller: &Caller, id: &str, headers: &HeaderMap, bytes: &[u8]) -> Answer {
    let mut state = sim.cloud.state();
    let upload = state.uploads.get_mut(id).filter(|upload| upload.app == caller.app);
    let upload = upload.ok_or_else(|| Refusal::object("post", id))?;
    let offset = headers.get("file_offset").and_then(|value| value.to_str().ok()?.trim().parse::<usize>().ok());
    let offset = offset.ok_or_else(|| Refusal::param("The header file_offset is required."))?;
    if offset > upload.bytes.len() || offset + bytes.len() > upload.length {
        return Err(Refusal::param("Param file_offset does not fit what is there"));
    }
    upload.bytes.truncate(offset);
    upload.bytes.extend_from_slice(bytes);
    if upload.bytes.len() < upload.length {
        return Ok(ok(&json!({"id": id, "file_offset": upload.bytes.len()})));
    }
    let handle = format!("4::{}:{}:e:{}", BASE64_STANDARD.encode(&upload.mime), trace_id(), sim.now_ms() / 1_000);
    Ok(ok(&json!({"h": handle})))
}

/// `GET /upload:…`: how far it is.
pub fn progress(state: &State, caller: &Caller, id: &str) -> Answer {
    let upload = state.uploads.get(id).filter(|upload| upload.app == caller.app);
    let upload = upload.ok_or_else(|| Refusal::object("get", id))?;
    Ok(ok(&json!({"id": id, "file_offset": upload.bytes.len()})))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{Source, suits};

    #[test]
    fn files_must_suit_their_messages() {
        let of =
            |mime: &str, length: usize| Source { mime: mime.into(), bytes: Bytes::from(vec![0; length]), name: None };
        assert!(suits("image", false, &of("image/jpeg", 10)).is_ok());
        assert!(suits("image", false, &of("image/webp", 10)).is_err());
        assert!(suits("audio", true, &of("audio/ogg; codecs=opus", 10)).is_ok());
        assert!(suits("audio", true, &of("audio/mpeg", 10)).is_err());
        assert!(suits("sticker", false, &of("image/webp", 600 * 1024)).is_err());
        assert!(suits("document", false, &of("application/x-anything", 10)).is_ok());
    }
}
