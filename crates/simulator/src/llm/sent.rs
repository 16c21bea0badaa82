//! How an answer goes out: whole, in pieces, late, broken, or not at all.

use std::{io, time::Duration};

use axum::{
    Json,
    body::Body,
    http::{StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};
use bytes::Bytes;
use futures_util::stream;

use super::{
    Play, Side, Wrong, error, pieces,
    think::{Prompt, answer},
};

/// Answers, in the way the play says.
pub async fn send<S: Side>(prompt: &Prompt, play: Option<Play>, number: u64) -> Response {
    match &play {
        Some(Play::Slow { ms }) => tokio::time::sleep(Duration::from_millis(*ms)).await,
        Some(Play::Hang) => std::future::pending().await,
        Some(Play::Html) => {
            return Html("<!doctype html><title>Sign in</title><p>Please sign in to continue.").into_response();
        }
        Some(Play::Redirect { to }) => return (StatusCode::FOUND, [(header::LOCATION, to.clone())]).into_response(),
        Some(Play::Endless) => {
            let kind = if prompt.stream { "text/event-stream" } else { "application/json" };
            let flood = stream::repeat_with(|| Ok(Bytes::from_static(&[b' '; 65_536])));
            return ([(header::CONTENT_TYPE, kind)], pieces(flood)).into_response();
        }
        _ => {}
    }
    let said = answer(prompt, play.as_ref());
    let broken = matches!(play, Some(Play::CutOff | Play::Malformed | Play::Breaks));
    if !prompt.stream {
        let body = S::whole(prompt, &said, number);
        if !broken {
            return Json(body).into_response();
        }
        let text = body.to_string();
        let half = text.floor_char_boundary(text.len() / 2);
        return match play {
            Some(Play::Malformed) => {
                ([(header::CONTENT_TYPE, "application/json")], text[..half].to_owned()).into_response()
            }
            Some(Play::Breaks) => error::<S::Vendor>(&Wrong::new(500, "api_error", "Internal server error"), number),
            _ => {
                let half = Bytes::copy_from_slice(&text.as_bytes()[..half]);
                cut_after(vec![half], "application/json")
            }
        };
    }
    let mut events = S::events(prompt, &said, number);
    if broken {
        events.truncate((events.len() / 2).max(1));
    }
    let frame = |(name, data): (Option<&str>, String)| {
        Bytes::from(name.map_or_else(|| format!("data: {data}\n\n"), |name| format!("event: {name}\ndata: {data}\n\n")))
    };
    let mut frames: Vec<Bytes> = events.into_iter().map(frame).collect();
    match play {
        Some(Play::CutOff) => return cut_after(frames, "text/event-stream"),
        Some(Play::Malformed) => frames.push(Bytes::from_static(b"data: {\"type\": \"cont\n\n")),
        Some(Play::Breaks) => {
            frames.push(frame(S::error_event(&Wrong::new(529, "overloaded_error", "Overloaded"), number)))
        }
        _ => {}
    }
    let body = pieces(stream::iter(frames.into_iter().map(Ok)));
    ([(header::CONTENT_TYPE, "text/event-stream; charset=utf-8"), (header::CACHE_CONTROL, "no-cache")], body)
        .into_response()
}

/// Sends these and then cuts the connection.
fn cut_after(frames: Vec<Bytes>, kind: &'static str) -> Response {
    let all = frames.into_iter().map(Ok).chain([Err(io::Error::other("cut off"))]);
    // without a pause between them the server would notice the error before it had written anything
    let paced = stream::unfold(all, |mut all| async move {
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_millis(5)).await;
        all.next().map(|next| (next, all))
    });
    let body: Body = pieces(paced);
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}
