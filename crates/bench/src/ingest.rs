//! Hooks on their way to disk: through the real route of the real program, from callers in a process of their own.
use crate::{
    account::{Account, Number},
    bare,
    calls::{Called, Calls, Hooks},
    process::{self, Line, Memory, Server, Setup},
};
use anyhow::{Context, Result, ensure};
use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// A database with one workspace and one number.
pub struct House {
    program: PathBuf,
    dir: PathBuf,
    settings: Vec<(&'static str, String)>,
    account: Account,
    number: Number,
    /// The number of the next hook: none is used twice, so none is a double.
    next: AtomicU64,
}

/// What callers got, and what it cost the server.
pub struct Taken {
    /// On the callers' side.
    pub called: Called,
    /// The server's CPU, in seconds.
    pub cpu_s: f64,
    /// Its memory at the end.
    pub memory: Memory,
}

impl Taken {
    /// The server's CPU for one call, in microseconds.
    pub fn cpu_us(&self) -> f64 {
        self.cpu_s * 1e6 / self.called.count.max(1) as f64
    }
}

/// What came of a minute with everything switched on.
pub struct Processed {
    /// Hooks a second that were offered.
    pub offered: f64,
    /// What callers got.
    pub taken: Taken,
    /// Jobs, of up to 32 hooks each, that waited at every twelfth of the time.
    pub backlog: Vec<u64>,
    /// How long it took at the end until none waited.
    pub drained: Duration,
    /// CPU of the server from the first hook until none waited, in seconds.
    pub cpu_s: f64,
    /// Messages in the database, of hooks answered 200.
    pub messages: (u64, u64),
}

impl Processed {
    /// The server's CPU for one message, from the socket to the inbox, in microseconds.
    pub fn cpu_us(&self) -> f64 {
        self.cpu_s * 1e6 / self.taken.called.count.max(1) as f64
    }

    /// Whether the backlog is no longer at the end than after a quarter of the time, but for what half a second brings.
    pub fn is_flat(&self) -> bool {
        let (first, last) = (self.backlog.get(self.backlog.len() / 4), self.backlog.last());
        first.zip(last).is_some_and(|(first, last)| *last as f64 <= *first as f64 + self.offered / 2.0 / 32.0)
    }
}

impl House {
    /// Makes it in `dir`, or in the PostgreSQL database of this URL.
    pub async fn make(program: &Path, dir: &Path, database: Option<String>) -> Result<House> {
        let simulator = indaba_simulator::Simulator::start(indaba_simulator::Config::fast()).await?;
        let mut settings = vec![("INDABA_PRIVATE_HOSTS", simulator.address().to_string())];
        settings.extend(database.map(|url| ("INDABA_DATABASE_URL", url)));
        let setup = Setup { program, dir, role: "web", settings: settings.clone() };
        let server = tokio::task::block_in_place(|| Server::start(&setup))?;
        let account = Account::sign_up(&server.url()).await?;
        let number = Number::link(&server.url(), &account.key, simulator.url()).await?;
        simulator.stop().await;
        tokio::task::block_in_place(|| server.stop())?;
        let (program, dir, next) = (program.to_owned(), dir.to_owned(), AtomicU64::new(1));
        Ok(House { program, dir, settings, account, number, next })
    }

    /// The server on it, with these settings besides.
    pub fn server(&self, role: &str, more: &[(&'static str, String)]) -> Result<Server> {
        let settings = self.settings.iter().chain(more).cloned().collect();
        Server::start(&Setup { program: &self.program, dir: &self.dir, role, settings })
    }

    /// Calls that post hooks, none of which was posted before.
    fn calls(&self, server: &Server, callers: usize, run: Duration, rate: Option<f64>) -> Result<Calls> {
        let first = self.next.fetch_add(20_000_000, Ordering::Relaxed);
        let hooks = Hooks {
            secret: self.number.secret.clone(),
            session: self.number.session.clone(),
            people: 1_000,
            first,
            at_s: now_s()?,
        };
        Ok(Calls {
            at: server.at,
            path: self.number.hook_path.clone(),
            callers,
            seconds: run.as_secs_f64(),
            expect: 200,
            rate,
            hooks: Some(hooks),
        })
    }

    /// Hooks from so many callers at once, each as soon as the one before is answered.
    pub fn post(&self, server: &Server, callers: usize, run: Duration) -> Result<Taken> {
        take(server, &self.calls(server, callers, run, None)?)
    }

    /// The same route without the database: the number's budget is used up, so that everything is done but the storing, and the
    /// answer is 503.
    pub fn post_in_vain(&self, callers: usize, run: Duration) -> Result<Taken> {
        let server = self.server("web", &[("INDABA_LIMITS_HOOKS_PER_MINUTE", "1".into())])?;
        let one = take(&server, &self.calls(&server, 1, Duration::from_millis(50), None)?)?;
        ensure!(one.called.count <= 1, "the budget of one hook a minute let {} through", one.called.count);
        let taken = take(&server, &Calls { expect: 503, ..self.calls(&server, callers, run, None)? })?;
        server.stop()?;
        Ok(taken)
    }

    /// Hooks at a steady rate for `run`, with everything that follows from them. The rate is 0.7 of what a short burst shows to be possible.
    pub fn process(&self, run: Duration) -> Result<Processed> {
        let server = self.server("all", &[])?;
        let burst = self.calls(&server, 64, (run / 15).max(Duration::from_millis(500)), None)?;
        let start = Instant::now();
        let warm = take(&server, &burst)?;
        self.drain(&server)?;
        let possible = warm.called.count as f64 / start.elapsed().as_secs_f64();
        let offered = possible * 0.7;

        let calls = self.calls(&server, 64, run, Some(offered))?;
        let (over, mut backlog) = (AtomicBool::new(false), Vec::new());
        let mut before = Duration::ZERO;
        let taken = thread::scope(|scope| {
            let looking = scope.spawn(|| -> Result<Vec<u64>> {
                let mut seen = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    thread::sleep(run / 12);
                    if !over.load(Ordering::Relaxed) {
                        seen.push(self.backlog(&server)?);
                    }
                }
                Ok(seen)
            });
            let taken = calls.run_apart(|| before = process::cpu(server.pid()).unwrap_or_default());
            over.store(true, Ordering::Relaxed);
            backlog = looking.join().expect("no panic while looking")?;
            taken
        })?;
        let end = Instant::now();
        let memory = process::memory(server.pid())?;
        self.drain(&server)?;
        let (drained, cpu_s) = (end.elapsed(), (process::cpu(server.pid())? - before).as_secs_f64());
        let answered = warm.called.count + taken.count;
        server.stop()?;
        let file = self.dir.join("indaba.db");
        let db = rusqlite::Connection::open_with_flags(&file, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let messages: i64 = db.query_row("select count(*) from messages", [], |row| row.get(0))?;
        let taken = Taken { called: taken, cpu_s, memory };
        Ok(Processed { offered, taken, backlog, drained, cpu_s, messages: (messages.unsigned_abs(), answered) })
    }

    /// How many jobs with hooks to be understood wait.
    fn backlog(&self, server: &Server) -> Result<u64> {
        let summary = Line::open(server.at, Some(&self.account.key))?.json("/api/jobs/summary")?;
        let kinds = summary["kinds"].as_array().context("kinds of jobs")?;
        let of = |kind: &serde_json::Value| kind["ready"].as_u64().unwrap_or(0) + kind["running"].as_u64().unwrap_or(0);
        Ok(kinds.iter().filter(|kind| kind["kind"] == "hook.process").map(of).sum())
    }

    fn drain(&self, server: &Server) -> Result<()> {
        let until = Instant::now() + Duration::from_secs(120);
        while self.backlog(server)? > 0 {
            ensure!(Instant::now() < until, "after two minutes hooks still wait to be understood");
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

/// The bare route on the PostgreSQL database of this URL.
pub fn post_bare(url: &str, callers: usize, run: Duration) -> Result<Called> {
    let route = bare::start(url)?;
    let hooks = Some(bare::hooks(now_s()?));
    let calls = Calls {
        at: route.at,
        path: "/hooks".into(),
        callers,
        seconds: run.as_secs_f64(),
        expect: 200,
        rate: None,
        hooks,
    };
    calls.run_apart(|| ())
}

fn now_s() -> Result<i64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs().try_into()?)
}

fn take(server: &Server, calls: &Calls) -> Result<Taken> {
    let mut before = Duration::ZERO;
    let called = calls.run_apart(|| before = process::cpu(server.pid()).unwrap_or_default())?;
    let cpu_s = (process::cpu(server.pid())? - before).as_secs_f64();
    Ok(Taken { called, cpu_s, memory: process::memory(server.pid())? })
}
