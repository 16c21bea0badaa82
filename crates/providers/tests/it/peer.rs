//! A peer that answers what it is told, byte for byte, and remembers what it was asked. And a link to it.

use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use indaba_providers::{Build, Extras, Link, Secrets};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What it does with one request.
#[derive(Clone)]
pub enum Answer {
    /// Reads it, writes this.
    Bytes(Vec<u8>),
    /// Closes the connection without reading.
    CutBefore,
    /// Reads it, closes the connection.
    CutAfter,
    /// Reads it, begins to answer, closes the connection.
    CutWithin,
    /// Reads it, says nothing.
    Hang,
    /// Reads it, answers without end.
    Endless,
}

impl Answer {
    /// A whole answer with this status line, these header lines and this body.
    pub fn new(status: &str, headers: &str, body: &str) -> Answer {
        Answer::Bytes(
            format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
                .into(),
        )
    }
}

/// One request, as it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    pub method: String,
    /// Path and query.
    pub target: String,
    pub headers: String,
    pub body: Value,
}

pub struct Peer {
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Peer {
    /// Answers the first request with the first answer and so on; the last one serves for all that follow.
    pub async fn that_answers(answers: Vec<Answer>) -> Peer {
        Peer::that_answers_itself(|_| answers).await
    }

    /// The same, with answers that name its own URL.
    pub async fn that_answers_itself(answers: impl FnOnce(&str) -> Vec<Answer>) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = asked.clone();
        let mut answers = answers(&url).into_iter();
        let task = tokio::spawn(async move {
            let mut current = answers.next().unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let next = answers.next();
                tokio::spawn(serve(stream, current.clone(), notes.clone()));
                current = next.unwrap_or(current);
            }
        });
        Peer { url, asked, task }
    }

    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(mut stream: TcpStream, answer: Answer, notes: Arc<Mutex<Vec<Asked>>>) {
    if let Answer::CutBefore = answer {
        return;
    }
    let Some(request) = request(&mut stream).await else { return };
    notes.lock().unwrap().push(request);
    match answer {
        Answer::Bytes(bytes) => drop(stream.write_all(&bytes).await),
        Answer::CutWithin => {
            drop(stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 500\r\n\r\n{\"id\":\"true_").await)
        }
        Answer::CutBefore | Answer::CutAfter => {}
        Answer::Hang => tokio::time::sleep(Duration::from_secs(600)).await,
        Answer::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n").await;
            while stream.write_all(&[b' '; 1 << 16]).await.is_ok() {}
        }
    }
    let _ = stream.shutdown().await;
}

async fn request(stream: &mut TcpStream) -> Option<Asked> {
    let mut bytes = Vec::new();
    let mut piece = [0; 8192];
    loop {
        if let Some(asked) = parse(&bytes) {
            return Some(asked);
        }
        match stream.read(&mut piece).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
        }
    }
}

/// A whole request with its body, or nothing yet.
pub fn parse(bytes: &[u8]) -> Option<Asked> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let (line, headers) = head.split_once("\r\n").unwrap_or((head, ""));
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let body = bytes[end + 4..].get(..length(headers))?;
    Some(Asked {
        method,
        target,
        headers: headers.to_owned(),
        body: serde_json::from_slice(body).unwrap_or(Value::Null),
    })
}

/// `Content-Length`, or 0.
pub fn length(headers: &str) -> usize {
    header(headers, "content-length").and_then(|value| value.parse().ok()).unwrap_or(0)
}

pub fn header<'a>(headers: &'a str, name: &str) -> Option<&'a str> {
    headers
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

/// A link to an instance of any provider, running its reference version.
pub fn link_of(provider: &dyn indaba_providers::Provider, url: &str) -> Link {
    match provider.kind() {
        "waha" => link(url, "2026.6.1"),
        "evolution" => link(url, "2.3.7"),
        "cloud" => Link {
            url: format!("{url}/v26.0").parse().unwrap(),
            external_name: "106540352242922".into(),
            build: Build { version: Some("v26.0".into()), engine: None, tier: None },
            secrets: Secrets {
                keys: vec!["indaba-app-secret".to_owned().into()],
                verify_token: Some("vt".to_owned().into()),
            },
            extras: Extras { waba_id: Some("102290129340398".into()), ..Extras::default() },
            ..link(url, "v26.0")
        },
        kind => panic!("how is {kind} reached?"),
    }
}

/// A link to the session `default` of a gateway at `url` that runs this version with engine NOWEB.
pub fn link(url: &str, version: &str) -> Link {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    Link {
        http: indaba_providers::client().no_proxy().build().unwrap(),
        url: url.parse().unwrap(),
        key: "key".to_owned().into(),
        external_name: "default".into(),
        build: Build { version: Some(version.into()), engine: Some("NOWEB".into()), tier: Some("CORE".into()) },
        secrets: Secrets { keys: vec!["my-secret-key".to_owned().into()], verify_token: None },
        extras: Extras::default(),
    }
}
