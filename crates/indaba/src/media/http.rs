//! The routes of media: in, out, and once more.
use super::{FetchMedia, Kind, Look, Media, MediaId, State as Doing, View, get, keep, look, ready, store};
use crate::{
    Error, Result,
    app::App,
    audit,
    blobs::BlobKey,
    http::{Agent, Json, Path, Problem, Viewer},
    jobs,
};
use axum::{
    body::Body,
    extract::{DefaultBodyLimit, Multipart, State, multipart::Field},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::{ops::Range, time::Duration};
use utoipa_axum::{router::OpenApiRouter, routes};

/// This room's routes.
pub fn routes() -> OpenApiRouter<App> {
    // the limit is that of the kind, counted while the bytes are written
    let uploads = OpenApiRouter::new().routes(routes!(upload)).layer(DefaultBodyLimit::disable());
    uploads.merge(OpenApiRouter::new().routes(routes!(download)).routes(routes!(fetch_again)))
}

/// One file, in the field `file`.
#[derive(utoipa::ToSchema)]
#[allow(dead_code, reason = "only for the document")]
struct Upload {
    #[schema(value_type = String, format = Binary)]
    file: Vec<u8>,
}

/// Takes in a file that a message may then carry.
#[utoipa::path(post, path = "/api/media", tag = "media", request_body(content = Upload, content_type = "multipart/form-data"),
    responses((status = 201, body = View), (status = 413, body = Problem), (status = 415, body = Problem), (status = 422, body = Problem)))]
async fn upload(State(app): State<App>, who: Agent, mut form: Multipart) -> Result<(StatusCode, Json<View>)> {
    if app.disk.is_low() {
        return Err(Error::Unavailable("The disk is nearly full. Ask the operator to make room.".into()));
    }
    while let Some(field) = form.next_field().await.map_err(broken)? {
        if field.name() == Some("file") {
            let Taken { media, sha256, key } = take(&app, &who, field).await?;
            let stored = app.db.write(who.tenant, move |tx| {
                keep(tx, &media, &sha256)?;
                let view = media.view();
                audit::record(tx, &who, "media.create", &(), &view)?;
                Ok(view)
            });
            let stored = stored.await;
            if stored.is_err() {
                let _ = app.blobs.delete(&key).await; // nothing points at it
            }
            return Ok((StatusCode::CREATED, Json(stored?)));
        }
    }
    Err(Error::field("/file", "is missing"))
}

/// A file that was written, and what it was found to be.
struct Taken {
    media: Media,
    sha256: Vec<u8>,
    key: BlobKey,
}

fn broken(e: axum::extract::multipart::MultipartError) -> Error {
    match e.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::TooLarge("This file is too large.".into()),
        _ => Error::Malformed("The upload broke off or is no multipart/form-data.".into()),
    }
}

async fn take(app: &App, who: &Agent, field: Field<'_>) -> Result<Taken> {
    let name = field.file_name().and_then(look::file_name);
    let said = field.content_type().map(str::to_owned);
    let id = MediaId::at(app.clock.now());
    let patience = Duration::from_secs(app.config.limits.request_s);
    let mut bits = Box::pin(stream::try_unfold(field, move |mut field| async move {
        let piece = tokio::time::timeout(patience, field.chunk()).await;
        let piece = piece.map_err(|_| Error::Malformed("The upload stood still.".into()))?.map_err(broken)?;
        Ok::<_, Error>(piece.map(|piece| (piece, field)))
    }));
    let (mut head, mut first) = (Vec::new(), Vec::new());
    while head.len() < 8192 {
        let Some(piece) = bits.next().await else { break };
        let piece: Bytes = piece?;
        head.extend_from_slice(&piece[..piece.len().min(8192)]);
        first.push(piece);
    }
    if head.is_empty() {
        return Err(Error::field("/file", "This file is empty."));
    }
    let Look { kind, mime } = look::look(&head, said.as_deref());
    let pretends = said.as_deref().map(look::declared).filter(|said| look::kind_of(said) != Kind::Document);
    if pretends.is_some_and(|said| look::kind_of(&said) != kind) {
        return Err(Error::Unsupported("This file is not what it says it is.".into()));
    }
    let key = BlobKey::new(who.tenant, app.clock.now(), id);
    let most = look::most_bytes(kind).min(app.config.limits.media_bytes as u64);
    let written = app.blobs.write(&key, most, stream::iter(first.into_iter().map(Ok)).chain(bits)).await?;
    let mut size = None;
    if kind == Kind::Image {
        let bytes = app.blobs.bytes(&key).await?;
        let of = mime.clone();
        let measured = tokio::task::spawn_blocking(move || look::measure(&bytes, &of, true)).await;
        match measured.unwrap_or_else(|_| Err(Error::field("/file", "This picture is damaged."))) {
            Ok(found) => size = Some(found),
            Err(e) => {
                let _ = app.blobs.delete(&key).await; // the refusal is the one to tell
                return Err(e);
            }
        }
    }
    let media = Media {
        id,
        instance_id: None,
        state: Doing::Ready,
        kind,
        mime,
        name,
        size_bytes: i64::try_from(written.size).ok(),
        width: size.map(|size| size.0),
        height: size.map(|size| size.1),
        duration_ms: None,
        blob_key: Some(key.as_str().to_owned()),
        source: None,
        error: None,
    };
    Ok(Taken { media, sha256: written.sha256.to_vec(), key })
}

/// The bytes of a file, or with `Range` a part of them. Pictures, recordings and films are shown, everything else is saved.
#[utoipa::path(get, path = "/api/media/{id}", tag = "media", params(("id" = MediaId, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>), (status = 206, description = "A part of it"),
              (status = 404, body = Problem), (status = 409, body = Problem), (status = 416, description = "No such part")))]
async fn download(
    State(app): State<App>,
    who: Viewer,
    Path(id): Path<MediaId>,
    headers: HeaderMap,
) -> Result<Response> {
    let media = app.db.read(who.tenant, move |tx| get(tx, id)).await?;
    ready(&media)?;
    let key = BlobKey::of(who.tenant, media.blob_key.as_deref().ok_or(Error::Missing)?)?;
    let size = u64::try_from(media.size_bytes.unwrap_or(0)).unwrap_or(0);
    let etag = format!("\"{id}\"");
    let mut answer = Response::new(Body::empty());
    let known = headers.get(header::IF_NONE_MATCH).is_some_and(|tag| tag.as_bytes() == etag.as_bytes());
    let part = headers.get(header::RANGE).and_then(|range| range.to_str().ok()).map(|range| part(range, size));
    let length = match part {
        _ if known => {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            0
        }
        Some(Some(None)) => {
            *answer.status_mut() = StatusCode::RANGE_NOT_SATISFIABLE;
            set(&mut answer, header::CONTENT_RANGE, format!("bytes */{size}"));
            0
        }
        Some(Some(Some(part))) => {
            *answer.status_mut() = StatusCode::PARTIAL_CONTENT;
            set(&mut answer, header::CONTENT_RANGE, format!("bytes {}-{}/{size}", part.start, part.end - 1));
            let length = part.end - part.start;
            *answer.body_mut() = Body::from_stream(app.blobs.open(&key, Some(part)).await?);
            length
        }
        Some(None) | None => {
            *answer.body_mut() = Body::from_stream(app.blobs.open(&key, None).await?);
            size
        }
    };
    let inline = look::is_inline(&media.mime);
    let safe = inline
        || matches!(media.mime.as_str(), "application/pdf" | "text/plain" | "text/csv")
        || media.mime.starts_with("application/vnd.");
    let mime = if safe { media.mime.clone() } else { "application/octet-stream".into() };
    set(&mut answer, header::CONTENT_TYPE, mime);
    if !known {
        set(&mut answer, header::CONTENT_LENGTH, length.to_string());
    }
    set(&mut answer, header::ETAG, etag);
    set(&mut answer, header::ACCEPT_RANGES, "bytes".into());
    set(&mut answer, header::CACHE_CONTROL, "private, max-age=31536000, immutable".into());
    set(&mut answer, header::X_CONTENT_TYPE_OPTIONS, "nosniff".into());
    set(&mut answer, header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'".into());
    set(&mut answer, header::CONTENT_DISPOSITION, disposition(inline, media.name.as_deref()));
    Ok(answer)
}

fn set(answer: &mut Response, name: header::HeaderName, value: String) {
    if let Ok(value) = HeaderValue::from_str(&value) {
        answer.headers_mut().insert(name, value);
    }
}

/// `attachment; filename*=UTF-8''…` (RFC 6266).
fn disposition(inline: bool, name: Option<&str>) -> String {
    let how = if inline { "inline" } else { "attachment" };
    let Some(name) = name else { return how.into() };
    let mut out = format!("{how}; filename*=UTF-8''");
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// The part a `Range` header asks for. `None`: it asks for something that may be ignored (several parts, other units);
/// `Some(None)`: there is no such part.
fn part(range: &str, size: u64) -> Option<Option<Range<u64>>> {
    let (first, last) = range.trim().strip_prefix("bytes=")?.split_once('-')?;
    let part = match (first.trim(), last.trim()) {
        ("", last) => size.saturating_sub(last.parse().ok()?)..size,
        (first, "") => first.parse().ok()?..size,
        (first, last) => first.parse().ok()?..last.parse::<u64>().ok()?.saturating_add(1).min(size),
    };
    Some((part.start < part.end).then_some(part))
}

/// Fetches a file again that could not be had.
#[utoipa::path(post, path = "/api/media/{id}/fetch", tag = "media", params(("id" = MediaId, Path)),
    responses((status = 200, body = View), (status = 404, body = Problem)))]
async fn fetch_again(State(app): State<App>, who: Agent, Path(id): Path<MediaId>) -> Result<Json<View>> {
    let again = app.db.write(who.tenant, move |tx| {
        let media = get(tx, id)?;
        if media.state == Doing::Failed && media.source.is_some() {
            store::set_state(tx, id, Doing::Pending, None)?;
            jobs::enqueue(tx, &FetchMedia { media: id })?;
            let again = get(tx, id)?;
            audit::record(tx, &who, "media.fetch", &media.view(), &again.view())?;
        }
        Ok(get(tx, id)?.view())
    });
    again.await.map(Json)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_one_part_that_exists() {
        for (asked, found) in [
            ("bytes=0-4", Some(Some(0..5))),
            ("bytes=5-", Some(Some(5..10))),
            ("bytes=-3", Some(Some(7..10))),
            ("bytes=-99", Some(Some(0..10))),
            ("bytes=8-99", Some(Some(8..10))),
            ("bytes=10-", Some(None)),
            ("bytes=4-2", Some(None)),
            ("bytes=-0", Some(None)),
            ("bytes=0-1,3-4", None),
            ("lines=0-1", None),
            ("bytes=x-", None),
            ("bytes=99999999999999999999-", None),
        ] {
            assert_eq!(part(asked, 10), found, "{asked}");
        }
    }

    #[test]
    fn a_name_cannot_leave_its_header() {
        assert_eq!(disposition(true, Some("a\"b\r\n;é.png")), "inline; filename*=UTF-8''a%22b%0D%0A%3B%C3%A9.png");
        assert_eq!(disposition(false, None), "attachment");
    }
}
