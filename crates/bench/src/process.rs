//! Processes that are measured: what they cost and how large they are, as `/proc` tells, and the server as one of them.
use crate::calls::Answer;
use anyhow::{Context, Result, bail, ensure};
use std::{
    collections::BTreeSet,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

/// CPU that all threads of a process have used so far, those that have ended too; in steps of 10 ms.
pub fn cpu(pid: u32) -> Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // the name of the program may hold anything; what follows its last bracket does not
    let fields: Vec<&str> =
        text.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<u64>().ok()).context("/proc/…/stat");
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}

/// The same in nanoseconds, of the threads that live: for the cost of one request.
pub fn cpu_exact(pid: u32) -> Result<Duration> {
    let mut sum = 0;
    for thread in fs::read_dir(format!("/proc/{pid}/task"))? {
        let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        sum += text.split(' ').next().and_then(|ns| ns.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(Duration::from_nanos(sum))
}

/// Resident memory, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Memory {
    /// Its own.
    pub anonymous: u64,
    /// Pages of files: the program itself, for the most part. The system can drop them at any time.
    pub file: u64,
}

/// The resident memory of a process.
pub fn memory(pid: u32) -> Result<Memory> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let of = |name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
        line.split_whitespace().next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or(0) * 1024
    };
    Ok(Memory { anonymous: of("RssAnon:"), file: of("RssFile:") + of("RssShmem:") })
}

/// The same once it stands still: as much of its own as 100 ms before. Errors: not within 10 s.
pub async fn memory_at_rest(pid: u32) -> Result<Memory> {
    let mut before = memory(pid)?;
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let now = memory(pid)?;
        if now.anonymous == before.anonymous {
            return Ok(now);
        }
        before = now;
    }
    bail!("the memory of process {pid} did not come to rest within 10 s")
}

static ALIVE: Mutex<BTreeSet<u32>> = Mutex::new(BTreeSet::new());

/// A process of ours, killed when this value is dropped: none outlives us.
pub struct Child(std::process::Child);

impl Child {
    /// Starts it.
    pub fn start(command: &mut Command) -> Result<Child> {
        let child = command.spawn().with_context(|| format!("start {}", command.get_program().display()))?;
        ALIVE.lock().expect("no panic under this lock").insert(child.id());
        Ok(Child(child))
    }

    /// This program again, told what to do; its standard input, and what it prints.
    pub fn of_us(args: &[&str]) -> Result<(Child, ChildStdin, BufReader<ChildStdout>)> {
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = Child::start(command.args(args).stdin(Stdio::piped()).stdout(Stdio::piped()))?;
        let (to, from) = (child.0.stdin.take().context("stdin")?, child.0.stdout.take().context("stdout")?);
        Ok((child, to, BufReader::new(from)))
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// How it ended. Errors: it has not, within this time.
    pub fn ended(&mut self, within: Duration) -> Result<ExitStatus> {
        let until = Instant::now() + within;
        loop {
            if let Some(status) = self.0.try_wait()? {
                return Ok(status);
            }
            ensure!(Instant::now() < until, "process {} did not end within {within:?}", self.pid());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        ALIVE.lock().expect("no panic under this lock").remove(&self.pid());
    }
}

/// Tells every process of ours to end.
pub fn end_all() {
    for pid in ALIVE.lock().expect("no panic under this lock").iter() {
        let _ = signal(*pid, "TERM");
    }
}

fn signal(pid: u32, name: &str) -> Result<()> {
    ensure!(Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status()?.success(), "kill {pid}");
    Ok(())
}

/// A server of this program's own, in another process: it says where it listens, and ends with its standard input.
pub struct Listening {
    child: Child,
    to: ChildStdin,
    /// Where it answers.
    pub at: SocketAddr,
}

const LISTENING: &str = "listening ";

/// What such a server says first.
pub fn listening(at: SocketAddr) {
    println!("{LISTENING}{at}");
}

impl Listening {
    /// Starts `indaba-bench` with these arguments.
    pub fn start(args: &[&str]) -> Result<Listening> {
        let (child, to, mut from) = Child::of_us(args)?;
        let mut line = String::new();
        from.read_line(&mut line)?;
        let at = line.trim().strip_prefix(LISTENING).with_context(|| format!("`{args:?}` said {line}"))?.parse()?;
        Ok(Listening { child, to, at })
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// One line to its standard input.
    pub fn tell(&mut self, line: &str) -> Result<()> {
        Ok(writeln!(self.to, "{line}")?)
    }

    /// Ends it. Errors: it took longer than 10 s (then it was killed).
    pub fn stop(self) -> Result<()> {
        let Listening { mut child, to, .. } = self;
        drop(to);
        child.ended(Duration::from_secs(10)).map(drop)
    }
}

/// A server that runs: the real program, in a process of its own.
pub struct Server {
    child: Child,
    /// Where it answers.
    pub at: SocketAddr,
    /// From its start to its first answer that it is ready.
    pub started_in: Duration,
}

/// How a server is started.
#[derive(Clone)]
pub struct Setup<'a> {
    /// `indaba`.
    pub program: &'a Path,
    /// Its data directory.
    pub dir: &'a Path,
    /// `all`, or `web`: without anybody who does the jobs.
    pub role: &'a str,
    /// Settings, `INDABA_…`.
    pub settings: Vec<(&'static str, String)>,
}

/// No limit that a benchmark would meet, and no log.
pub fn boundless() -> Vec<(&'static str, String)> {
    let many = "1000000000".to_owned();
    vec![
        ("INDABA_LIMITS_USER_PER_MINUTE", many.clone()),
        ("INDABA_LIMITS_SOCKETS_PER_USER", many.clone()),
        ("INDABA_LIMITS_TENANT_PER_MINUTE", many.clone()),
        ("INDABA_LIMITS_SIGN_IN_PER_MINUTE", many.clone()),
        ("INDABA_LIMITS_HOOKS_PER_MINUTE", many),
        ("INDABA_LOG_FILTER", "error".into()),
    ]
}

impl Server {
    /// Starts it on a free port and waits until it is ready. Errors: it ended, or took half a minute.
    pub fn start(setup: &Setup) -> Result<Server> {
        let at = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        fs::create_dir_all(setup.dir)?;
        let log = fs::File::options().create(true).append(true).open(setup.dir.join("server.log"))?;
        let mut command = Command::new(setup.program);
        command.args(["serve", "--role", setup.role]).stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        command.env("INDABA_DATA_DIR", setup.dir).env("INDABA_LISTEN", at.to_string());
        command.env("INDABA_PUBLIC_URL", format!("http://{at}"));
        command.envs(boundless()).envs(setup.settings.iter().cloned());
        let start = Instant::now();
        let mut server = Server { child: Child::start(&mut command)?, at, started_in: Duration::ZERO };
        loop {
            if let Ok(answer) = Line::open(at, None).and_then(|mut line| line.get("/api/health/ready"))
                && answer.0 == 200
            {
                server.started_in = start.elapsed();
                return Ok(server);
            }
            if let Some(status) = server.child.0.try_wait()? {
                let log = fs::read_to_string(setup.dir.join("server.log")).unwrap_or_default();
                bail!("the server ended with {status}: {}", log.lines().last().unwrap_or_default());
            }
            ensure!(start.elapsed() < Duration::from_secs(30), "the server was not ready within 30 s");
            thread::sleep(Duration::from_micros(500));
        }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// `http://127.0.0.1:…`
    pub fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    /// SIGTERM, and its process is gone when this returns. Errors: it took longer than 15 s (then it was killed).
    pub fn stop(mut self) -> Result<()> {
        signal(self.pid(), "TERM")?;
        self.child.ended(Duration::from_secs(15)).map(drop)
    }
}

/// A keep-alive connection that asks one thing at a time.
pub struct Line {
    stream: TcpStream,
    at: SocketAddr,
    key: Option<String>,
}

impl Line {
    /// Opens it; requests carry the API key.
    pub fn open(at: SocketAddr, key: Option<&str>) -> Result<Line> {
        let stream = TcpStream::connect_timeout(&at, Duration::from_secs(5))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Line { stream, at, key: key.map(str::to_owned) })
    }

    /// GET: the status and the body.
    pub fn get(&mut self, path: &str) -> Result<(u16, Vec<u8>)> {
        let key = self.key.as_ref().map(|key| format!("authorization: Bearer {key}\r\n")).unwrap_or_default();
        self.stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: {}\r\n{key}\r\n", self.at).as_bytes())?;
        let (mut bytes, mut piece) = (Vec::new(), [0; 64 << 10]);
        loop {
            let more = self.stream.read(&mut piece)?;
            ensure!(more > 0, "{path}: the server closed the connection");
            bytes.extend_from_slice(&piece[..more]);
            if let Some(answer) = Answer::read(&bytes)?
                && bytes.len() >= answer.end
            {
                return Ok((answer.status, bytes[answer.body..answer.end].to_vec()));
            }
        }
    }

    /// GET of something that must be there, as JSON.
    pub fn json(&mut self, path: &str) -> Result<serde_json::Value> {
        let (status, body) = self.get(path)?;
        ensure!(status == 200, "{path}: {status} {}", String::from_utf8_lossy(&body));
        Ok(serde_json::from_slice(&body)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_process_costs_can_be_told() {
        let (pid, before) = (std::process::id(), cpu_exact(std::process::id()).unwrap());
        let start = Instant::now();
        while start.elapsed() < Duration::from_millis(50) {
            std::hint::black_box(start.elapsed());
        }
        // the tests' other threads come and go: what they cost is counted while they live
        assert!(cpu_exact(pid).unwrap() > Duration::ZERO && before > Duration::ZERO);
        assert!(cpu(pid).unwrap() > Duration::ZERO);
        let memory = memory(pid).unwrap();
        assert!(memory.anonymous > 100_000 && memory.file > 100_000, "{memory:?}");
    }
}
