//! Asks a page that a stranger named. Each address is checked, also after DNS and at each redirect; nothing is read for longer or further
//! than a preview needs, and a picture is drawn anew, so that none of its bytes reach a browser.
use super::head;
use crate::{
    app::App,
    blobs::BlobKey,
    id::TenantId,
    media::{self, Media, MediaId},
};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use image::{ImageFormat, ImageReader, Limits};
use reqwest::header;
use std::{io::Cursor, time::Duration};
use tokio::sync::{Semaphore, SemaphorePermit};
use url::Url;

/// All of it together.
const PATIENCE: Duration = Duration::from_secs(20);
/// One answer, from the first byte asked to the last read.
const ONE: Duration = Duration::from_secs(8);
const REDIRECTS: usize = 4;
const MOST_PAGE: usize = 512 * 1024;
const MOST_PICTURE: usize = 3 << 20;
/// The longest edge of a picture, in pixels: before, and as it is kept.
const WIDEST: u32 = 8_192;
const EDGE: u32 = 640;
/// Smaller ones are dots that count visitors.
const SMALLEST: u32 = 32;
/// Pictures that are drawn at a time: each may take tens of megabytes.
static DRAWING: Semaphore = Semaphore::const_new(2);
/// Pages that are asked at a time, whosever they are: slow ones may not take all the workers there are.
static LOOKING: Semaphore = Semaphore::const_new(8);

/// What a page says of itself.
pub struct Found {
    pub site: String,
    pub title: String,
    pub description: Option<String>,
    /// Stored already, but for its row; with its hash.
    pub picture: Option<(Media, Vec<u8>)>,
}

/// A turn to look at a page, kept until it was looked at; None while too many are.
pub fn turn() -> Option<SemaphorePermit<'static>> {
    LOOKING.try_acquire().ok()
}

/// Looks at a page. None: it does not answer, is no page, or says nothing.
pub async fn look(app: &App, tenant: TenantId, url: &Url) -> Option<Found> {
    tokio::time::timeout(PATIENCE, page(app, tenant, url)).await.ok().flatten()
}

async fn page(app: &App, tenant: TenantId, url: &Url) -> Option<Found> {
    let html = |kind: &str| matches!(kind, "text/html" | "application/xhtml+xml");
    let (at, kind, bytes) =
        tokio::time::timeout(ONE, get(app, url.clone(), "text/html", html, MOST_PAGE, true)).await.ok()??;
    let head = head::read(&head::decode(&bytes, &kind));
    let title = head.title?;
    let site = head.site.or_else(|| at.host_str().map(|host| host.trim_start_matches("www.").to_owned()))?;
    let picture = match head.picture.and_then(|picture| at.join(&picture).ok()) {
        Some(from) => picture(app, tenant, from).await,
        None => None,
    };
    Some(Found { site, title, description: head.description, picture })
}

/// What lies there: where it was in the end, what it says it is, and its first `most` bytes. `cut`: what is longer is not refused.
async fn get(
    app: &App,
    mut at: Url,
    accept: &'static str,
    wanted: impl Fn(&str) -> bool,
    most: usize,
    cut: bool,
) -> Option<(Url, String, Bytes)> {
    for _ in 0..=REDIRECTS {
        // a stranger's link may not make us knock at other doors than those of the web
        let door = at.port().is_none() || app.pages.lists(&at);
        if !door || app.pages.check(at.as_str()).is_err() || !at.username().is_empty() || at.password().is_some() {
            return None;
        }
        let ask = app.pages.guarded().get(at.clone()).header(header::ACCEPT, accept).timeout(ONE);
        let answer = ask.send().await.ok()?;
        if answer.status().is_redirection() {
            at = at.join(answer.headers().get(header::LOCATION)?.to_str().ok()?).ok()?;
            continue;
        }
        let kind = answer.headers().get(header::CONTENT_TYPE)?.to_str().ok()?.to_ascii_lowercase();
        let plain = kind.split(';').next().unwrap_or_default().trim();
        let long = answer.content_length().is_some_and(|length| length > most as u64);
        if !answer.status().is_success() || !wanted(plain) || (long && !cut) {
            return None;
        }
        let mut body = answer.bytes_stream();
        let mut bytes = BytesMut::new();
        while let Some(piece) = body.next().await {
            bytes.extend_from_slice(&piece.ok()?);
            if bytes.len() > most {
                if !cut {
                    return None;
                }
                bytes.truncate(most);
                break;
            }
        }
        return Some((at, kind, bytes.freeze()));
    }
    None
}

/// Fetches a picture, draws it anew and stores it.
async fn picture(app: &App, tenant: TenantId, from: Url) -> Option<(Media, Vec<u8>)> {
    if app.disk.is_low() {
        return None;
    }
    let raster = |kind: &str| matches!(kind, "image/jpeg" | "image/png" | "image/webp" | "image/gif");
    let (_, _, bytes) =
        tokio::time::timeout(ONE, get(app, from, "image/*", raster, MOST_PICTURE, false)).await.ok()??;
    let (width, height, jpeg) = in_turn(&DRAWING, move || draw(&bytes)).await??;
    let now = app.clock.now();
    let id = MediaId::at(now);
    let key = BlobKey::new(tenant, now, id);
    let most = media::most_bytes(media::Kind::Image);
    let written = app.blobs.write(&key, most, futures_util::stream::iter([Ok(jpeg)])).await.ok()?;
    let media = Media {
        id,
        instance_id: None,
        state: media::State::Ready,
        kind: media::Kind::Image,
        mime: "image/jpeg".into(),
        name: None,
        size_bytes: i64::try_from(written.size).ok(),
        width: Some(width.into()),
        height: Some(height.into()),
        duration_ms: None,
        blob_key: Some(key.as_str().to_owned()),
        source: None,
        error: None,
    };
    Some((media, written.sha256.to_vec()))
}

/// Does work that blocks. It cannot be stopped: its turn ends when it does, not when nobody waits for it any more.
async fn in_turn<T: Send + 'static>(turns: &'static Semaphore, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let turn = turns.acquire().await.ok()?;
    let done = tokio::task::spawn_blocking(move || {
        let _turn = turn;
        work()
    });
    done.await.ok()
}

/// A picture as a JPEG of at most [`EDGE`] pixels; what it is, its bytes say. None if it is none, or too large to be opened.
fn draw(bytes: &Bytes) -> Option<(u32, u32, Bytes)> {
    let format = ImageFormat::from_mime_type(media::look(bytes.get(..8192).unwrap_or(bytes), None).mime)?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(WIDEST);
    limits.max_image_height = Some(WIDEST);
    limits.max_alloc = Some(96 << 20);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let picture = reader.decode().ok()?;
    if picture.width() < SMALLEST || picture.height() < SMALLEST {
        return None;
    }
    let small = if picture.width().max(picture.height()) > EDGE { picture.thumbnail(EDGE, EDGE) } else { picture };
    // JPEG knows no transparency, and black is not what was meant
    let mut paper = image::RgbaImage::from_pixel(small.width(), small.height(), image::Rgba([255, 255, 255, 255]));
    image::imageops::overlay(&mut paper, &small.to_rgba8(), 0, 0);
    let mut jpeg = Cursor::new(Vec::new());
    image::DynamicImage::ImageRgba8(paper).to_rgb8().write_to(&mut jpeg, ImageFormat::Jpeg).ok()?;
    Some((small.width(), small.height(), jpeg.into_inner().into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn only_so_many_pages_are_asked_at_a_time() {
        let turns: Vec<_> = std::iter::from_fn(turn).take(100).collect();
        assert_eq!(turns.len(), 8);
        drop(turns);
        assert!(turn().is_some());
    }

    #[tokio::test]
    async fn a_turn_lasts_as_long_as_the_work_though_nobody_waits_for_it() {
        static TURNS: Semaphore = Semaphore::const_new(1);
        let (begin, begun) = tokio::sync::oneshot::channel();
        let (end, ended) = mpsc::channel::<()>();
        let work = tokio::spawn(in_turn(&TURNS, move || {
            begin.send(()).unwrap();
            ended.recv().unwrap();
        }));
        begun.await.unwrap();
        work.abort();
        assert!(work.await.unwrap_err().is_cancelled());
        assert!(TURNS.try_acquire().is_err(), "it still works");
        end.send(()).unwrap();
        assert!(TURNS.acquire().await.is_ok());
    }
}
