//! One event to many sockets: the server's live stream, and a bare axum broadcast that does the same without it.
//!
//! Both servers are processes of their own (`indaba-bench bare`, `indaba-bench live`), told over their standard input to send events;
//! the sockets are here: they count frames and look into none.
use crate::{
    process::{self, Listening},
    serve,
};
use anyhow::{Context, Result, ensure};
use axum::{
    Router,
    extract::{
        State,
        ws::{Message, Utf8Bytes, WebSocket, WebSocketUpgrade},
    },
    response::Response,
    routing::get,
};
use futures_util::SinkExt;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::broadcast::{self, error::RecvError},
};

/// Events that may be under way at a time: a socket that is further behind is given up by either server.
const WINDOW: u64 = 192;
const AT_ONCE: u64 = 64;
/// What an event says; with its ids and number a frame is of about 800 bytes, as those of a message are.
pub const PATCH: &str = r#"{"message":{"id":"msg_01h455vb4pex5vsknk084sn02q","conversationId":"cnv_01h455vb4pex5vsknk084sn02q","direction":"inbound","author":{"kind":"contact","id":"con_01h455vb4pex5vsknk084sn02q","name":"Thandiwe Mokoena"},"kind":"text","body":"Good morning, is the two-bedroom flat in Observatory still to be had?","content":{},"state":"received","error":null,"replyTo":null,"quoted":null,"reactions":[],"media":null,"createdAt":"2026-11-20T07:01:02.003Z","editedAt":null,"deletedAt":null,"sentAt":null,"deliveredAt":null,"readAt":null}}"#;

/// axum hello, and axum broadcast.
pub async fn serve_bare() -> Result<()> {
    let to = broadcast::Sender::<Utf8Bytes>::new(512);
    let routes =
        Router::new().route("/hello", get(async || "hello")).route("/live", get(upgrade)).with_state(to.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    process::listening(listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, routes).await });
    let text = format!(
        r#"{{"seq":1234567,"kind":"message.received","at":"2026-11-20T07:01:02.003Z","ids":{},"patch":{PATCH}}}"#,
        serve::ids()
    );
    orders(async |count| {
        for _ in 0..count {
            let _ = to.send(text.as_str().into());
        }
        Ok(())
    })
    .await
}

async fn upgrade(upgrade: WebSocketUpgrade, State(to): State<broadcast::Sender<Utf8Bytes>>) -> Response {
    let told = to.subscribe();
    upgrade.read_buffer_size(4 << 10).write_buffer_size(4 << 10).on_upgrade(|socket| pass_on(socket, told))
}

async fn pass_on(mut socket: WebSocket, mut told: broadcast::Receiver<Utf8Bytes>) {
    loop {
        tokio::select! {
            next = told.recv() => {
                let text = match next {
                    Ok(text) => text,
                    Err(RecvError::Lagged(_)) => continue, // what was missed is counted on the other side
                    Err(RecvError::Closed) => return,
                };
                let mut sent = socket.feed(Message::Text(text)).await;
                while let (Ok(()), Ok(text)) = (&sent, told.try_recv()) {
                    sent = socket.feed(Message::Text(text)).await;
                }
                if sent.is_err() || socket.flush().await.is_err() {
                    return;
                }
            }
            said = socket.recv() => if said.is_none_or(|said| said.is_err()) { return },
        }
    }
}

/// Follows `send <n>` until the standard input ends.
pub async fn orders(mut send: impl AsyncFnMut(u64) -> Result<()>) -> Result<()> {
    let (to, mut lines) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || std::io::stdin().lines().map_while(Result::ok).try_for_each(|line| to.send(line)));
    while let Some(line) = lines.recv().await {
        let count = line
            .strip_prefix("send ")
            .and_then(|count| count.parse().ok())
            .with_context(|| format!("send <n>, not {line}"))?;
        send(count).await?;
    }
    Ok(())
}

/// One of the two servers.
pub struct Fan {
    /// Its process.
    pub server: Listening,
    path: &'static str,
    key: Option<String>,
}

/// What came of it.
pub struct Fanned {
    /// Frames that arrived.
    pub frames: u64,
    /// Frames that should have.
    pub lost: u64,
    /// In this time.
    pub took: Duration,
    /// What the server used for them.
    pub cpu: Duration,
    /// What a socket that waits takes up in the server.
    pub socket_bytes: f64,
    /// What the server took up at the end.
    pub memory: process::Memory,
}

impl Fan {
    /// axum alone.
    pub fn bare() -> Result<Fan> {
        Ok(Fan { server: Listening::start(&["bare"])?, path: "/live", key: None })
    }

    /// The server with a fresh database in `dir`.
    pub async fn live(dir: &Path) -> Result<Fan> {
        let start = || Listening::start(&["live", dir.to_str().context("a path in UTF-8")?]);
        // somebody signs up at a process that ends: hashing a password leaves memory behind, in which a thousand sockets would not show
        let mut first = start()?;
        let account = crate::account::Account::sign_up(&format!("http://{}", first.at)).await?;
        first.tell(&account.tenant)?;
        first.stop()?;
        let mut server = start()?;
        server.tell(&account.tenant)?;
        Ok(Fan { server, path: "/api/live", key: Some(account.key) })
    }

    /// Opens `sockets`, then sends events for `run`, as fast as the slowest socket has them.
    pub async fn measure(&mut self, sockets: usize, run: Duration) -> Result<Fanned> {
        let pid = self.server.pid();
        let counts: Vec<Arc<AtomicU64>> = (0..sockets).map(|_| Arc::default()).collect();
        let hello = u64::from(self.key.is_some());
        // the first socket brings what all share into being
        let mut tasks = vec![self.open(counts[0].clone()).await?];
        ensure!(arrived(&counts[..1], hello).await.0, "the first socket was not greeted");
        let empty = process::memory_at_rest(pid).await?;
        for count in &counts[1..] {
            tasks.push(self.open(count.clone()).await?);
        }
        ensure!(arrived(&counts, hello).await.0, "not every socket was greeted");
        let full = process::memory_at_rest(pid).await?;
        let socket_bytes = full.anonymous.saturating_sub(empty.anonymous) as f64 / (sockets.max(2) - 1) as f64;

        counts.iter().for_each(|count| count.store(0, Ordering::Relaxed));
        let (start, before, mut sent) = (Instant::now(), process::cpu(pid)?, 0);
        while start.elapsed() < run {
            if sent < least(&counts) + WINDOW - AT_ONCE {
                self.server.tell(&format!("send {AT_ONCE}"))?;
                sent += AT_ONCE;
            } else {
                tokio::time::sleep(Duration::from_micros(200)).await;
            }
        }
        // the clock stops with the last frame: waiting for those that are lost is no work
        let (_, end) = arrived(&counts, sent).await;
        let frames = counts.iter().map(|count| count.load(Ordering::Relaxed)).sum();
        let (took, cpu, memory) = (end - start, process::cpu(pid)? - before, process::memory(pid)?);
        tasks.iter().for_each(tokio::task::JoinHandle::abort);
        let lost = (sent * sockets as u64).saturating_sub(frames);
        Ok(Fanned { frames, lost, took, cpu, socket_bytes, memory })
    }

    async fn open(&self, count: Arc<AtomicU64>) -> Result<tokio::task::JoinHandle<()>> {
        let mut line = TcpStream::connect(self.server.at).await?;
        let key = self.key.as_ref().map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
        let ask = format!(
            "GET {} HTTP/1.1\r\nhost: {}\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n{key}\r\n",
            self.path, self.server.at
        );
        line.write_all(ask.as_bytes()).await?;
        // byte by byte to the end of the head, so that no frame is swallowed with it
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(line.read_u8().await?);
        }
        ensure!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        Ok(tokio::spawn(async move {
            let (mut frames, mut bytes) = (Frames::default(), vec![0; 16 << 10]);
            while let Ok(more @ 1..) = line.read(&mut bytes).await {
                count.fetch_add(frames.count(&bytes[..more]), Ordering::Relaxed);
            }
        }))
    }
}

/// The frames of the socket that has fewest.
fn least(counts: &[Arc<AtomicU64>]) -> u64 {
    counts.iter().map(|count| count.load(Ordering::Relaxed)).min().unwrap_or(0)
}

/// Waits until each socket has so many frames, or nothing more has come for a second: whether they are all there, and when the last came.
async fn arrived(counts: &[Arc<AtomicU64>], wanted: u64) -> (bool, Instant) {
    let (mut last, mut since) = (0, Instant::now());
    loop {
        let now: u64 = counts.iter().map(|count| count.load(Ordering::Relaxed)).sum();
        if now > last {
            (last, since) = (now, Instant::now());
        }
        if least(counts) >= wanted {
            return (true, since);
        }
        if since.elapsed() > Duration::from_secs(1) {
            return (false, since);
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// Counts the text frames in a server's stream; what they say is passed over.
#[derive(Default)]
struct Frames {
    head: Vec<u8>,
    skip: usize,
}

impl Frames {
    fn count(&mut self, mut bytes: &[u8]) -> u64 {
        let mut count = 0;
        while !bytes.is_empty() {
            if self.skip > 0 {
                let passed = self.skip.min(bytes.len());
                self.skip -= passed;
                bytes = &bytes[passed..];
                continue;
            }
            self.head.push(bytes[0]);
            bytes = &bytes[1..];
            let length = match self.head[..] {
                [_, 126, a, b] => usize::from(u16::from_be_bytes([a, b])),
                [_, 127, a, b, c, d, e, f, g, h] => u64::from_be_bytes([a, b, c, d, e, f, g, h]) as usize,
                [_, short] if short < 126 => short.into(),
                _ => continue,
            };
            count += u64::from(self.head[0] == 0x81);
            self.head.clear();
            self.skip = length;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_counted_however_they_are_cut() {
        let mut stream = vec![0x81, 2, b'h', b'i', 0x89, 0];
        stream.extend([0x81, 126, 0x01, 0x00]);
        stream.extend([0x81; 256]);
        stream.extend([0x81, 0, 0x88, 2, 3, 232]);
        for size in [1, 2, 3, 7, 1000] {
            let mut frames = Frames::default();
            let count: u64 = stream.chunks(size).map(|piece| frames.count(piece)).sum();
            assert_eq!(count, 3, "in pieces of {size}");
        }
    }
}
