//! Files in pieces: browsers ask for the end of a voice note first, to know how long it is.

use axum::{
    body::Bytes,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

/// The whole file, or the one piece that `Range` asks for.
pub fn answer(asked: &HeaderMap, bytes: Bytes) -> Response {
    let range = asked.get(header::RANGE).and_then(|range| piece(range.to_str().ok()?, bytes.len()));
    let mut answer = match range {
        None => bytes.into_response(),
        Some(None) => StatusCode::RANGE_NOT_SATISFIABLE.into_response(),
        Some(Some((first, last))) => {
            let of = format!("bytes {first}-{last}/{}", bytes.len());
            (StatusCode::PARTIAL_CONTENT, [(header::CONTENT_RANGE, of)], bytes.slice(first..=last)).into_response()
        }
    };
    // Bytes alone would say octet-stream; the caller says what it is.
    answer.headers_mut().remove(header::CONTENT_TYPE);
    answer.headers_mut().insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    answer
}

/// First and last byte of `bytes=a-b`, `a-` or `-n`. Outside: nothing when it is no single range of bytes (then the
/// whole file is the answer). Inside: nothing when the file does not have them.
fn piece(range: &str, size: usize) -> Option<Option<(usize, usize)>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let found = match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.min(size.saturating_sub(1))),
        (Ok(first), Err(_)) if last.is_empty() => (first, size.saturating_sub(1)),
        (Err(_), Ok(count)) if first.is_empty() && count > 0 => (size.saturating_sub(count), size.saturating_sub(1)),
        _ => return None,
    };
    Some((found.0 < size).then_some(found))
}

#[cfg(test)]
mod tests {
    use super::piece;

    #[test]
    fn ranges_as_browsers_ask() {
        assert_eq!(piece("bytes=0-", 10), Some(Some((0, 9))));
        assert_eq!(piece("bytes=2-4", 10), Some(Some((2, 4))));
        assert_eq!(piece("bytes=8-99", 10), Some(Some((8, 9))));
        assert_eq!(piece("bytes=-3", 10), Some(Some((7, 9))));
        assert_eq!(piece("bytes=-30", 10), Some(Some((0, 9))));
        assert_eq!(piece("bytes=10-", 10), Some(None));
        assert_eq!(piece("bytes=0-", 0), Some(None));
        for other in ["bytes=4-2", "bytes=0-1,4-5", "lines=0-1", "bytes=-", "bytes=-0", "bytes=a-b"] {
            assert_eq!(piece(other, 10), None, "{other}");
        }
    }
}
