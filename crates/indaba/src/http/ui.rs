//! The web UI, carried in the binary: files of `web/dist`, compressed when they were built. What is no file is a page of the app.
//! A debug build reads the folder itself each time.
use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../../web/dist"]
struct Files;

/// Answers every path that is no route.
pub async fn serve(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "GET, HEAD")]).into_response();
    }
    let headers = request.headers();
    let hidden = path.split('/').any(|part| part.starts_with('.')) || path.ends_with(".br") || path.ends_with(".gz");
    match find(path, headers).filter(|_| !hidden && !path.is_empty()) {
        Some(found) => answer(path, found, headers),
        // a page of the app has no dot in its name; what has one is a file that we do not have
        None if path.rsplit('/').next().is_some_and(|name| name.contains('.')) => StatusCode::NOT_FOUND.into_response(),
        None => match find("index.html", headers) {
            Some(found) => answer("index.html", found, headers),
            None => StatusCode::NOT_FOUND.into_response(),
        },
    }
}

struct Found {
    file: EmbeddedFile,
    encoding: Option<&'static str>,
}

/// The file, in the best form that the browser takes.
fn find(path: &str, headers: &HeaderMap) -> Option<Found> {
    let packed = [("br", "br"), ("gz", "gzip")].into_iter().find_map(|(ending, encoding)| {
        let file = takes(headers, encoding).then(|| Files::get(&format!("{path}.{ending}"))).flatten()?;
        Some(Found { file, encoding: Some(encoding) })
    });
    packed.or_else(|| Some(Found { file: Files::get(path)?, encoding: None }))
}

fn takes(headers: &HeaderMap, encoding: &str) -> bool {
    let told = headers.get_all(header::ACCEPT_ENCODING).into_iter().filter_map(|line| line.to_str().ok());
    told.flat_map(|line| line.split(',')).any(|item| {
        let mut parts = item.split(';').map(str::trim);
        let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let refused = parts.any(|q| q.strip_prefix("q=").is_some_and(|q| q.parse::<f32>().is_ok_and(|q| q <= 0.0)));
        named && !refused
    })
}

fn answer(path: &str, found: Found, headers: &HeaderMap) -> Response {
    let sum = hex::encode(&found.file.metadata.sha256_hash()[..12]);
    let etag = format!("\"{sum}\"");
    let known = headers.get(header::IF_NONE_MATCH).and_then(|told| told.to_str().ok());
    let known = known.is_some_and(|told| told.split(',').any(|tag| tag.trim().trim_start_matches("W/") == etag));
    let mut answer = match known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => found.file.data.into_owned().into_response(),
    };
    // names under assets/ hold a hash of what is in them
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let out = answer.headers_mut();
    out.insert(header::ETAG, HeaderValue::try_from(etag).expect("hex digits"));
    out.insert(header::CACHE_CONTROL, HeaderValue::from_static(cache));
    out.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    out.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind(path)));
    if let Some(encoding) = found.encoding.filter(|_| !known) {
        out.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    answer
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_may_be_refused_by_its_weight() {
        let headers =
            |text: &'static str| HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(text))]);
        assert!(takes(&headers("gzip, deflate, br"), "br") && takes(&headers("BR;q=0.5"), "br"));
        assert!(
            !takes(&headers("br;q=0, gzip"), "br")
                && !takes(&headers("brotli"), "br")
                && !takes(&HeaderMap::new(), "br")
        );
    }
}
