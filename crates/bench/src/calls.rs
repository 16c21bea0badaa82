//! The other end of the wire: callers that cost little, in a process of their own, so that what they cost is known.
//!
//! Each caller is one keep-alive connection. Hooks are signed before the clock starts; while it runs a caller only writes the number and
//! the signature into a prepared request, sends it and looks for the status in the answer.
use crate::process;
use anyhow::{Context, Result, bail, ensure};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha512;
use std::{
    io::{BufRead, Write},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

/// What callers are to do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Calls {
    /// Whom to call; loopback only.
    pub at: SocketAddr,
    /// With this path.
    pub path: String,
    /// At once.
    pub callers: usize,
    /// For so long.
    pub seconds: f64,
    /// The status that counts; every other one is counted as wrong.
    pub expect: u16,
    /// So many a second, all callers together. None: each calls again as soon as it has its answer.
    pub rate: Option<f64>,
    /// Hooks to post; without it the callers GET.
    pub hooks: Option<Hooks>,
}

/// Hooks as a WAHA gateway posts them: one inbound text each, 1 KiB, all different.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hooks {
    /// What they are signed with.
    pub secret: String,
    /// The gateway's name of the number.
    pub session: String,
    /// From so many people in turn.
    pub people: u64,
    /// The number of the first one: a hook with a number that was used before is a double.
    pub first: u64,
    /// When the messages are said to have been written, seconds since 1970.
    pub at_s: i64,
}

/// What became of the calls.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Called {
    /// Answered as they should be.
    pub count: u64,
    /// Answered otherwise.
    pub wrong: u64,
    /// From the first to the last.
    pub took_s: f64,
    /// Latency of half of them, in microseconds.
    pub p50_us: f64,
    /// Of 99 in 100.
    pub p99_us: f64,
    /// What the callers themselves cost.
    pub cpu_s: f64,
}

impl Called {
    /// Calls a second.
    pub fn rate(&self) -> f64 {
        self.count as f64 / self.took_s.max(1e-9)
    }

    /// Callers' CPU for one call, in microseconds.
    pub fn cpu_us(&self) -> f64 {
        self.cpu_s * 1e6 / self.count.max(1) as f64
    }
}

/// More calls than any machine answers in a second: signatures are made for so many, and no caller goes on beyond.
const MOST: f64 = 60_000.0;

impl Calls {
    /// Runs them in a process of their own (`indaba-bench call`), which is ready before `begin` is called; then the clock starts.
    pub fn run_apart(&self, begin: impl FnOnce()) -> Result<Called> {
        ensure!(self.at.ip().is_loopback(), "{} is not this machine", self.at);
        let (mut child, mut to, mut from) = process::Child::of_us(&["call", &serde_json::to_string(self)?])?;
        let mut line = String::new();
        from.read_line(&mut line)?;
        ensure!(line.trim() == "ready", "the callers did not get ready: {line}");
        begin();
        writeln!(to, "go")?;
        line.clear();
        from.read_line(&mut line)?;
        ensure!(child.ended(Duration::from_secs(10))?.success(), "the callers gave up: {line}");
        Ok(serde_json::from_str(&line)?)
    }

    /// The process of [`Calls::run_apart`].
    pub fn serve(&self) -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let called = runtime.block_on(self.run())?;
        println!("{}", serde_json::to_string(&called)?);
        Ok(())
    }

    async fn run(&self) -> Result<Called> {
        let most = (self.seconds * self.rate.unwrap_or(MOST)).ceil() as u64;
        let request = Arc::new(Request::new(self, most)?);
        let mut lines = Vec::with_capacity(self.callers);
        for _ in 0..self.callers {
            let line = TcpStream::connect(self.at).await?;
            line.set_nodelay(true)?;
            lines.push(line);
        }
        println!("ready");
        let mut go = String::new();
        std::io::stdin().read_line(&mut go)?;
        ensure!(go.trim() == "go", "nobody said go");

        let (start, before) = (Instant::now(), process::cpu(std::process::id())?);
        let until = start + Duration::from_secs_f64(self.seconds);
        let next = Arc::new(AtomicU64::new(0));
        let tasks: Vec<_> = lines
            .into_iter()
            .map(|line| {
                let pace = self.rate.map(|rate| (start, Duration::from_secs_f64(1.0 / rate)));
                tokio::spawn(caller(line, request.clone(), next.clone(), (most, until), pace, self.expect))
            })
            .collect();
        let (mut steps, mut wrong) = (Vec::new(), 0);
        for task in tasks {
            let (mut own, refused) = task.await??;
            steps.append(&mut own);
            wrong += refused;
        }
        let took_s = start.elapsed().as_secs_f64();
        let cpu_s = (process::cpu(std::process::id())? - before).as_secs_f64();
        steps.sort_unstable();
        let at = |part: f64| {
            steps.get(((steps.len().saturating_sub(1)) as f64 * part) as usize).map_or(0.0, |ns| *ns as f64 / 1e3)
        };
        Ok(Called { count: steps.len() as u64, wrong, took_s, p50_us: at(0.5), p99_us: at(0.99), cpu_s })
    }
}

/// Calls until there is nothing more to call, or no more time; how long each call took in nanoseconds, and how many went wrong.
async fn caller(
    mut line: TcpStream,
    request: Arc<Request>,
    next: Arc<AtomicU64>,
    (most, until): (u64, Instant),
    pace: Option<(Instant, Duration)>,
    expect: u16,
) -> Result<(Vec<u64>, u64)> {
    let (mut steps, mut wrong) = (Vec::new(), 0);
    let (mut out, mut answer) = (request.template.clone(), vec![0; 16 << 10]);
    loop {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n >= most {
            break;
        }
        if let Some((start, gap)) = pace {
            let due = start + gap.mul_f64(n as f64);
            if due > Instant::now() {
                tokio::time::sleep_until(due.into()).await;
            }
        }
        let begin = Instant::now();
        if begin >= until {
            break;
        }
        request.fill(n, &mut out);
        line.write_all(&out).await?;
        if read_status(&mut line, &mut answer).await? == expect {
            steps.push(u64::try_from(begin.elapsed().as_nanos()).unwrap_or(u64::MAX));
        } else {
            wrong += 1;
        }
    }
    Ok((steps, wrong))
}

/// The status of one answer, whose body is read and dropped.
async fn read_status(line: &mut TcpStream, buffer: &mut [u8]) -> Result<u16> {
    let mut have = 0;
    loop {
        let more = line.read(&mut buffer[have..]).await?;
        ensure!(more > 0, "the server closed the connection, or answers with more than 16 KiB");
        have += more;
        if let Some(answer) = Answer::read(&buffer[..have])?
            && have >= answer.end
        {
            return Ok(answer.status);
        }
    }
}

/// The head of an HTTP answer.
pub struct Answer {
    /// 200, as a rule.
    pub status: u16,
    /// Where the body begins,
    pub body: usize,
    /// and where it ends.
    pub end: usize,
}

impl Answer {
    /// Reads the head; `None` while it is not all there. Errors: no length.
    pub fn read(bytes: &[u8]) -> Result<Option<Answer>> {
        // an empty body: the head is the end of what is there
        let body = if bytes.ends_with(b"\r\n\r\n") {
            bytes.len()
        } else {
            match bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(at) => at + 4,
                None => return Ok(None),
            }
        };
        let status =
            bytes.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok()).context("a status")?;
        let name = b"\r\ncontent-length: ";
        let Some(at) = bytes[..body].windows(name.len()).position(|window| window.eq_ignore_ascii_case(name)) else {
            bail!("an answer {status} without a length");
        };
        let digits: String =
            bytes[at + name.len()..body].iter().take_while(|b| b.is_ascii_digit()).map(|&b| char::from(b)).collect();
        Ok(Some(Answer { status, body, end: body + digits.parse::<usize>()? }))
    }
}

/// A request that is ready but for its number and its signature.
struct Request {
    template: Vec<u8>,
    /// Where the number stands, ten digits, and the person's, seven.
    numbers: Vec<usize>,
    people: Vec<usize>,
    signature: usize,
    signatures: Vec<[u8; 64]>,
    first: u64,
    crowd: u64,
}

const NUMBER: &[u8] = b"NNNNNNNNNN";
const PERSON: &[u8] = b"PPPPPPP";

impl Request {
    fn new(of: &Calls, most: u64) -> Result<Request> {
        let Some(hooks) = &of.hooks else {
            let template = format!("GET {} HTTP/1.1\r\nhost: {}\r\n\r\n", of.path, of.at).into_bytes();
            let none = || Vec::new();
            return Ok(Request {
                template,
                numbers: none(),
                people: none(),
                signature: 0,
                signatures: Vec::new(),
                first: 0,
                crowd: 1,
            });
        };
        let body = body(hooks)?;
        let head = format!(
            "POST {} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nx-webhook-hmac-algorithm: sha512\r\nx-webhook-hmac: ",
            of.path,
            of.at,
            body.len()
        );
        let signature = head.len();
        let mut template = [head.as_bytes(), &[b'0'; 128], b"\r\n\r\n"].concat();
        let start = template.len();
        template.extend_from_slice(body.as_bytes());
        let places = |what: &[u8]| -> Vec<usize> {
            (start..=template.len() - what.len()).filter(|&at| &template[at..at + what.len()] == what).collect()
        };
        let (numbers, people) = (places(NUMBER), places(PERSON));
        let mut request = Request {
            template,
            numbers,
            people,
            signature,
            signatures: Vec::new(),
            first: hooks.first,
            crowd: hooks.people.max(1),
        };
        let key = <Hmac<Sha512> as KeyInit>::new_from_slice(hooks.secret.as_bytes())
            .context("HMAC takes keys of any length")?;
        let mut out = request.template.clone();
        for n in 0..most {
            request.number(n, &mut out);
            let mut mac = key.clone();
            mac.update(&out[start..]);
            request.signatures.push(mac.finalize().into_bytes().into());
        }
        Ok(request)
    }

    fn number(&self, n: u64, out: &mut [u8]) {
        let write = |out: &mut [u8], at: usize, digits: usize, mut number: u64| {
            for place in (at..at + digits).rev() {
                out[place] = b'0' + (number % 10) as u8;
                number /= 10;
            }
        };
        self.numbers.iter().for_each(|&at| write(out, at, NUMBER.len(), self.first + n));
        self.people.iter().for_each(|&at| write(out, at, PERSON.len(), (self.first + n) % self.crowd));
    }

    /// Makes `out` the request with this number.
    fn fill(&self, n: u64, out: &mut [u8]) {
        let Some(signature) = usize::try_from(n).ok().and_then(|n| self.signatures.get(n)) else { return };
        self.number(n, out);
        hex::encode_to_slice(signature, &mut out[self.signature..self.signature + 128])
            .expect("64 bytes are 128 digits");
    }
}

/// What WAHA posts for one inbound text, filled up to 1 KiB.
pub(crate) fn body(of: &Hooks) -> Result<String> {
    kibibyte(|text| {
        let at = of.at_s;
        json!({
            "id": "evt_00000000000000NNNNNNNNNN", "timestamp": at * 1000, "event": "message.any", "session": of.session,
            "me": { "id": "27820001000@c.us", "pushName": "Sales" }, "engine": "NOWEB", "environment": { "version": "2026.6.1", "engine": "NOWEB" },
            "payload": {
                "id": "false_2782PPPPPPP@c.us_3EB0C0FFEENNNNNNNNNN", "timestamp": at, "from": "2782PPPPPPP@c.us", "fromMe": false,
                "source": "app", "body": text, "hasMedia": false, "media": null, "ack": 2, "ackName": "DEVICE", "replyTo": null,
                "_data": { "key": { "remoteJid": "2782PPPPPPP@s.whatsapp.net", "fromMe": false, "id": "3EB0C0FFEENNNNNNNNNN" }, "pushName": "Customer PPPPPPP" },
            },
        })
    })
}

/// A body with a text that fills it up to 1 KiB.
pub(crate) fn kibibyte(body: impl Fn(&str) -> Value) -> Result<String> {
    let text = "Good morning, is the two-bedroom flat in Observatory with the balcony still to be had? We are four people, we have a cat, \
                and would like to move in on the first of next month if the rent is what your page says. When could we come and look at \
                it: on Saturday after ten, or on Monday evening? And is there a garage for a small car? Many thanks and kind regards. "
        .repeat(2);
    let room =
        1024usize.checked_sub(body("").to_string().len()).context("the rest of the body is longer than 1 KiB")?;
    let text = text.get(..room).context("the text is too short for a body of 1 KiB")?;
    Ok(body(text).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hook_has_one_kibibyte_and_its_own_number_and_signature() {
        let hooks =
            Hooks { secret: "s".repeat(32), session: "ten_1-ins_2".into(), people: 3, first: 41, at_s: 1_795_150_000 };
        let calls = Calls {
            at: "127.0.0.1:1".parse().unwrap(),
            path: "/x".into(),
            callers: 1,
            seconds: 1.0,
            expect: 200,
            rate: Some(4.0),
            hooks: Some(hooks),
        };
        let request = Request::new(&calls, 4).unwrap();
        let mut out = request.template.clone();
        request.fill(1, &mut out);
        let text = String::from_utf8(out).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert_eq!(body.len(), 1024);
        assert!(body.contains("3EB0C0FFEE0000000042") && body.contains("27820000000@c.us"), "{body}");
        let mut mac = <Hmac<Sha512> as KeyInit>::new_from_slice("s".repeat(32).as_bytes()).unwrap();
        mac.update(body.as_bytes());
        assert!(head.ends_with(&hex::encode(mac.finalize().into_bytes())));
        serde_json::from_str::<serde_json::Value>(body).unwrap();
    }

    #[test]
    fn an_answer_is_read_to_its_end() {
        let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
        let answer = Answer::read(whole).unwrap().unwrap();
        assert_eq!((answer.status, &whole[answer.body..answer.end]), (200, &b"hello"[..]));
        assert!(Answer::read(&whole[..20]).unwrap().is_none());
        let empty = Answer::read(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n").unwrap().unwrap();
        assert_eq!((empty.status, empty.body), (503, empty.end));
        assert!(Answer::read(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
