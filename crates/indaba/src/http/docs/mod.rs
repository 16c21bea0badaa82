//! `/api/docs`: the OpenAPI document as a page. Three small files of our own: no inline script, nothing from elsewhere.
use axum::{Router, http::header, routing::get};

/// Its routes.
pub fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let file = |kind: &'static str, text: &'static str| {
        get(move || async move { ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")], text) })
    };
    Router::new()
        .route("/api/docs", file("text/html; charset=utf-8", include_str!("docs.html")))
        .route("/api/docs/docs.js", file("text/javascript; charset=utf-8", include_str!("docs.js")))
        .route("/api/docs/docs.css", file("text/css; charset=utf-8", include_str!("docs.css")))
}
