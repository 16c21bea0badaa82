//! What a file is, by its first bytes.
use super::Kind;
use crate::{Error, Result};
use bytes::Bytes;
use image::{ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// A picture of more pixels is not opened: 100 million are 400 MB in memory.
pub const MOST_PIXELS: u32 = 16_384;

/// What a look at the beginning of a file tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    /// What it is to WhatsApp.
    pub kind: Kind,
    /// Its type.
    pub mime: String,
}

/// Looks at the first bytes of a file. `declared` is what the sender says it is: it counts for documents, whose types do not show in
/// their bytes, and names the codec of a recording.
pub fn look(head: &[u8], declared: Option<&str>) -> Look {
    let said = declared.map(self::declared);
    let seen = infer::get(head).map(|found| found.mime_type());
    let mime: String = match (seen, said.as_deref()) {
        // containers that hold sound as well as film: the sender knows which, within the same container
        (
            Some("video/mp4" | "video/quicktime"),
            Some(said @ ("audio/mp4" | "audio/m4a" | "audio/x-m4a" | "audio/aac")),
        ) => said.into(),
        (Some("video/webm" | "video/x-matroska"), Some("audio/webm")) => "audio/webm".into(),
        (Some("audio/opus"), _) => "audio/ogg; codecs=opus".into(), // that is what WhatsApp calls it
        (Some("audio/x-wav"), _) => "audio/wav".into(),
        (Some("audio/m4a" | "audio/x-m4a"), _) => "audio/mp4".into(),
        // office files are zip archives inside, and their own types say more
        (Some("application/zip"), Some(said)) if is_plain_document(said) => said.into(),
        (Some(seen), _) => seen.into(),
        (None, Some(said)) if is_plain_document(said) && !looks_like_markup(head) => said.into(),
        (None, _) => "application/octet-stream".into(),
    };
    Look { kind: kind_of(&mime), mime }
}

/// A declared type without what could break a header; `application/octet-stream` for what is none.
pub fn declared(mime: &str) -> String {
    let kind = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let opus = kind == "audio/ogg" && mime.to_ascii_lowercase().contains("opus");
    let good = |part: &str| {
        (1..=100).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-+._".contains(&b))
    };
    match kind.split_once('/') {
        _ if opus => "audio/ogg; codecs=opus".into(),
        Some((of, which)) if good(of) && good(which) => kind,
        _ => "application/octet-stream".into(),
    }
}

/// What WhatsApp takes a type for. Pictures and films of other types go as documents.
pub fn kind_of(mime: &str) -> Kind {
    match mime.split(';').next().unwrap_or_default() {
        "image/jpeg" | "image/png" | "image/webp" | "image/gif" => Kind::Image,
        "video/mp4" | "video/3gpp" | "video/quicktime" | "video/webm" => Kind::Video,
        kind if kind.starts_with("audio/") => Kind::Audio,
        _ => Kind::Document,
    }
}

/// May be shown inside a page. Never markup: an SVG runs scripts.
pub fn is_inline(mime: &str) -> bool {
    kind_of(mime) != Kind::Document
}

/// A type that no program runs and no page shows.
fn is_plain_document(mime: &str) -> bool {
    let markup = ["html", "xml", "svg", "javascript", "ecmascript", "json", "xhtml"];
    mime == "application/pdf"
        || mime == "text/plain"
        || mime == "text/csv"
        || mime == "text/vcard"
        || mime == "text/calendar"
        || (mime.starts_with("application/vnd.") && !markup.iter().any(|word| mime.ends_with(word)))
        || mime == "application/msword"
        || mime == "application/zip"
        || mime == "application/rtf"
}

fn looks_like_markup(head: &[u8]) -> bool {
    let start =
        head.iter().position(|b| !b.is_ascii_whitespace() && !b"\xef\xbb\xbf".contains(b)).unwrap_or(head.len());
    head[start..].starts_with(b"<")
}

/// The most bytes WhatsApp takes of a kind.
pub fn most_bytes(kind: Kind) -> u64 {
    match kind {
        Kind::Image | Kind::Audio => 16 << 20,
        Kind::Video => 64 << 20,
        Kind::Document => 100 << 20,
    }
}

/// What a file was called, without its folders and without what breaks a header or a file system. `None` if nothing is left.
pub fn file_name(told: &str) -> Option<String> {
    let last = told.rsplit(['/', '\\']).next().unwrap_or_default();
    // characters that turn the direction of writing make `gpj.exe` look like `exe.jpg`
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let plain: String = last.chars().filter(|c| !c.is_control() && !turns(*c) && !"\"<>|:*?".contains(*c)).collect();
    let plain = plain.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let name: String = if plain.chars().count() <= 120 {
        plain.into()
    } else {
        let end: String =
            plain.rsplit_once('.').map(|(_, end)| format!(".{end}")).filter(|end| end.len() <= 10).unwrap_or_default();
        plain.chars().take(120 - end.chars().count()).chain(end.chars()).collect()
    };
    (!name.is_empty()).then_some(name)
}

/// Width and height of a picture. With `whole` every pixel is decoded, so that a truncated file is found out.
/// Errors: 422 with a sentence. Slow: call it off the runtime.
pub fn measure(bytes: &Bytes, mime: &str, whole: bool) -> Result<(i64, i64)> {
    let wrong = |detail: &str| Error::field("/file", detail);
    let format = ImageFormat::from_mime_type(mime).ok_or_else(|| wrong("This kind of picture cannot be opened."))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MOST_PIXELS);
    limits.max_image_height = Some(MOST_PIXELS);
    limits.max_alloc = Some(256 << 20);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits.clone());
    let size = reader.into_dimensions().map_err(|_| wrong("This picture is damaged."))?;
    if size.0 > MOST_PIXELS || size.1 > MOST_PIXELS || size.0 == 0 || size.1 == 0 {
        return Err(wrong("This picture is too large: at most 16,384 pixels in each direction."));
    }
    if whole {
        let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
        reader.limits(limits);
        reader.decode().map_err(|_| wrong("This picture is damaged or incomplete."))?;
    }
    Ok((size.0.into(), size.1.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        image::RgbImage::from_fn(width, height, |x, y| image::Rgb([x as u8, y as u8, 7]))
            .write_to(&mut out, ImageFormat::Png)
            .unwrap();
        out.into_inner()
    }

    #[test]
    fn the_bytes_say_what_it_is_and_not_the_sender() {
        let seen = |head: &[u8], said: &str| {
            let look = look(head, Some(said));
            (look.kind, look.mime)
        };
        let png = png(3, 2);
        assert_eq!(seen(&png, "text/html"), (Kind::Image, "image/png".into()));
        assert_eq!(seen(b"<svg xmlns='http://www.w3.org/2000/svg'>", "image/png").0, Kind::Document);
        assert_eq!(seen(b"<!doctype html><script>", "application/pdf").0, Kind::Document);
        assert!(!is_inline(&seen(b"  <html>", "text/plain").1));
        assert_eq!(seen(b"<x>", "text/plain"), (Kind::Document, "application/octet-stream".into()));
        assert_eq!(seen(b"hello", "text/plain"), (Kind::Document, "text/plain".into()));
        assert_eq!(seen(b"hello", "image/jpeg"), (Kind::Document, "application/octet-stream".into()));
        assert_eq!(
            seen(b"PK\x03\x04xxxxxxxxxxxxxxxxxxxxxxxxxxxx", "application/vnd.ms-excel").1,
            "application/vnd.ms-excel"
        );
        assert_eq!(seen(b"%PDF-1.7", "x"), (Kind::Document, "application/pdf".into()));
        let ogg = [&b"OggS\0\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\x13OpusHead"[..], &[0; 20]].concat();
        assert_eq!(seen(&ogg, "audio/ogg").1, "audio/ogg; codecs=opus");
        assert_eq!(declared("image/png\r\nx: y"), "application/octet-stream");
        assert_eq!(declared("Audio/OGG; codecs=opus"), "audio/ogg; codecs=opus");
    }

    #[test]
    fn a_name_is_only_a_name() {
        for (told, name) in [
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Users\\x\\a b.pdf", Some("a b.pdf")),
            ("a\0\r\nb\".png", Some("ab.png")),
            ("invoice\u{202e}gpj.exe", Some("invoicegpj.exe")),
            ("...", None),
            ("/", None),
            ("", None),
            ("Zoë's 北京.jpg", Some("Zoë's 北京.jpg")),
        ] {
            assert_eq!(file_name(told).as_deref(), name, "{told:?}");
        }
        let long = file_name(&format!("{}.pdf", "x".repeat(999))).unwrap();
        assert!(long.chars().count() == 120 && long.ends_with("x.pdf"));
    }

    #[test]
    fn a_picture_is_measured_and_a_broken_one_found_out() {
        let whole = Bytes::from(png(300, 200));
        assert_eq!(measure(&whole, "image/png", true), Ok((300, 200)));
        let half = whole.slice(..whole.len() / 2);
        assert!(measure(&half, "image/png", true).is_err());
        assert!(measure(&Bytes::from_static(b"no"), "image/png", false).is_err());
        // a picture that says it is far larger than it is
        let mut bomb = whole.to_vec();
        bomb[16..24].copy_from_slice(&[0, 1, 0, 0, 0, 1, 0, 0]);
        assert!(measure(&Bytes::from(bomb), "image/png", true).is_err());
    }
}
