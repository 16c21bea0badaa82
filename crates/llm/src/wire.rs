//! The network, as far as a vendor needs it. It is handed in, so that a test needs none.

use bytes::Bytes;
use futures_util::{
    FutureExt, Stream, StreamExt,
    future::BoxFuture,
    stream::{self, BoxStream},
};
use reqwest::header::HeaderMap;

use crate::{Body, Call, Class, Error};

/// Sends calls.
pub trait Wire: Send + Sync {
    /// Sends one and answers as soon as the head of the answer is there. Follows no redirect.
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Answer, Cut>>;
}

/// The network failed. Holds no URL: a test server's may have a key in it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Cut(pub String);

/// An answer whose body is still to be read.
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, decompressed.
    pub body: BoxStream<'static, Result<Bytes, Cut>>,
}

impl Answer {
    /// An answer that is all there.
    pub fn whole(status: u16, headers: HeaderMap, body: impl Into<Bytes>) -> Self {
        let body = body.into();
        Self { status, headers, body: stream::once(async move { Ok(body) }).boxed() }
    }

    /// The body, if it is at most `most` bytes.
    pub(crate) async fn read(&mut self, most: usize) -> Result<Vec<u8>, Error> {
        let mut all = Vec::new();
        while let Some(piece) = self.body.next().await {
            let piece = piece.map_err(|cut| Error::new(Class::Transient, format!("the answer broke off: {cut}")))?;
            if all.len() + piece.len() > most {
                return Err(Error::unreadable(format!("the answer is larger than {} KiB", most >> 10)));
            }
            all.extend_from_slice(&piece);
        }
        Ok(all)
    }
}

/// A client that is fit to carry keys: it follows no redirect (only `authorization` would be dropped on the way to another
/// host, not `x-api-key`) and says nothing about where it comes from. The caller adds its proxy, its DNS and its limits first.
pub fn client(builder: reqwest::ClientBuilder) -> reqwest::Result<reqwest::Client> {
    builder
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(std::time::Duration::from_secs(5))
        .user_agent(concat!("indaba/", env!("CARGO_PKG_VERSION")))
        .build()
}

impl Wire for reqwest::Client {
    fn send(&self, call: Call) -> BoxFuture<'_, Result<Answer, Cut>> {
        let asked = call.url.clone();
        let mut request =
            self.request(call.method, call.url).header("accept", "application/json").headers(call.headers);
        request = match call.body {
            Body::Empty => request,
            Body::Json(value) => request.json(&value),
            Body::Form(form) => {
                let mut parts = reqwest::multipart::Form::new();
                for (name, value) in form.fields {
                    parts = parts.text(name, value);
                }
                let file = reqwest::multipart::Part::stream(form.bytes).file_name(form.name);
                let Ok(file) = file.mime_str(&form.mime) else {
                    return async move { Err(Cut(format!("{:?} is no media type", form.mime))) }.boxed();
                };
                request.multipart(parts.part("file", file))
            }
        };
        async move {
            let answer = request.send().await.map_err(cut)?;
            if answer.url() != &asked {
                return Err(Cut("the client that was handed in follows redirects".into()));
            }
            Ok(Answer {
                status: answer.status().as_u16(),
                headers: answer.headers().clone(),
                body: boxed(answer.bytes_stream()),
            })
        }
        .boxed()
    }
}

fn boxed(body: impl Stream<Item = reqwest::Result<Bytes>> + Send + 'static) -> BoxStream<'static, Result<Bytes, Cut>> {
    body.map(|piece| piece.map_err(cut)).boxed()
}

/// The deepest cause: `connection refused` says more than `error sending request`.
fn cut(error: reqwest::Error) -> Cut {
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    Cut(cause.to_string())
}
