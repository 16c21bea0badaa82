//! One sitting: all probes and all paths in turn, and what each of them should be.
use crate::{
    Measured,
    calls::Calls,
    fan::Fan,
    ingest::{self, House, Taken},
    jobs::{self, How},
    pages::{self, Page},
    probes,
    process::{self, Server, Setup},
    reading, seed, serve,
    table::{Row, Table, mb, rate},
};
use anyhow::{Context, Result};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// What is to be measured.
pub struct Sitting {
    /// `indaba`.
    pub program: PathBuf,
    /// An empty directory on the disk that is to be measured.
    pub scratch: PathBuf,
    /// A PostgreSQL superuser's URL.
    pub postgres: Option<String>,
    /// How long each rate is measured.
    pub run: Duration,
    /// 1; less for a quick look: fewer rows, sockets and seconds. Goals mean nothing then.
    pub scale: f64,
    /// Five million messages besides.
    pub full: bool,
    /// Only these parts; empty: all.
    pub only: Vec<String>,
    /// What came of it.
    pub table: Table,
}

/// The parts, in order.
pub const PARTS: [&str; 7] = ["machine", "hooks", "ingest", "process", "jobs", "live", "pages"];

fn us(of: Duration) -> f64 {
    of.as_secs_f64() * 1e6
}

fn ms(of: Duration) -> String {
    format!("{:.2} ms", of.as_secs_f64() * 1e3)
}

/// What two steps make that are done one after the other by whoever is busiest.
fn both(a: f64, b: f64) -> f64 {
    1.0 / (1.0 / a + 1.0 / b)
}

impl Sitting {
    /// Measures all that is asked for. Errors: something did not run at all; what was measured before is in the table.
    pub async fn run(&mut self) -> Result<()> {
        for part in PARTS {
            if !self.only.is_empty() && !self.only.iter().any(|only| only == part) {
                continue;
            }
            eprintln!("== {part}");
            match part {
                "machine" => self.machine().await,
                "hooks" => self.hooks(),
                "ingest" => self.ingest().await,
                "process" => self.process().await,
                "jobs" => self.jobs().await,
                "live" => self.live().await,
                _ => self.pages().await,
            }
            .with_context(|| format!("the part {part}"))?;
        }
        Ok(())
    }

    fn dir(&self, name: &str) -> Result<PathBuf> {
        let dir = self.scratch.join(name);
        fs::create_dir_all(&dir)?;
        Ok(dir)
    }

    fn scaled(&self, count: u64) -> u64 {
        ((count as f64 * self.scale) as u64).max(20)
    }

    /// A probe, off the runtime's threads.
    fn probe<T>(&self, name: &str, what: impl FnOnce(&Path, Duration) -> Result<T>) -> Result<T> {
        let (dir, run) = (self.dir(name)?, self.run);
        tokio::task::block_in_place(|| what(&dir, run))
    }

    fn grouped(&self) -> Result<Measured> {
        let measured = self.probe("grouped", probes::sqlite_grouped);
        fs::remove_dir_all(self.scratch.join("grouped"))?;
        measured
    }

    async fn machine(&mut self) -> Result<()> {
        let sync = self.probe("sync", probes::append)?;
        let figure = format!("{}, p50 {}", rate(sync.rate()), ms(sync.at(0.5)));
        self.table.add(Row { path: "probe: append 4 KiB + fdatasync".into(), figure, ..Row::default() });
        let (grouped, queue) =
            self.probe("queue", |dir, run| Ok((probes::sqlite_grouped(dir, run)?, probes::sqlite_queue(dir, run)?)))?;
        fs::remove_dir_all(self.scratch.join("queue"))?;
        self.table.add(Row {
            path: "probe: SQLite grouped insert, 512 rows of 1 KiB".into(),
            figure: rate(grouped.rate()),
            ..Row::default()
        });
        self.table.add(Row {
            path: "probe: the same table claimed and deleted by 128".into(),
            figure: rate(queue.rate()),
            ..Row::default()
        });
        let bare = Fan::bare()?;
        let calls = Calls {
            at: bare.server.at,
            path: "/hello".into(),
            callers: 64,
            seconds: self.run.as_secs_f64(),
            expect: 200,
            rate: None,
            hooks: None,
        };
        let called = tokio::task::block_in_place(|| calls.run_apart(|| ()))?;
        let figure = format!("{}, p50 {:.2} ms", rate(called.rate()), called.p50_us / 1e3);
        self.table.add(Row { path: "probe: axum hello, 64 callers".into(), figure, ..Row::default() });
        bare.server.stop()
    }

    /// What providers make of hooks.
    fn hooks(&mut self) -> Result<()> {
        for read in tokio::task::block_in_place(|| reading::measure(self.run / 3))? {
            let told =
                |cost: &reading::Cost| format!("{}, {} allocations", rate(cost.measured.rate()), cost.allocations);
            self.table.add(Row {
                path: format!("hook read: {} ({} bytes)", read.name, read.bytes),
                figure: told(&read.ours),
                probe: format!("serde_json alone: {}", told(&read.bare)),
                ratio: Some(read.ours.measured.rate() / read.bare.measured.rate()),
                cpu_us: Some(1e6 / read.ours.measured.rate()),
                ..Row::default()
            });
        }
        Ok(())
    }

    async fn ingest(&mut self) -> Result<()> {
        let sync = self.probe("sync", probes::append)?;
        let before = self.grouped()?;
        let house = House::make(&self.program, &self.dir("ingest")?, None).await?;
        let vain = tokio::task::block_in_place(|| house.post_in_vain(256, self.run))?;
        let a = vain.called.rate();
        self.table.add(taken("hook route without the database, 256 callers", &vain));
        let posted = self.posted(&house)?;
        let b = (before.rate() + self.grouped()?.rate()) / 2.0;
        self.table.add(Row {
            path: "probe: SQLite grouped insert, 512 rows of 1 KiB".into(),
            figure: rate(b),
            ..Row::default()
        });
        for (callers, of) in posted {
            let (path, goal) = (format!("ingest, SQLite, {}", crowd(callers)), both(a, b));
            let mut row = taken(&path, &of);
            match callers {
                1 => {
                    let (p50, sync) = (of.called.p50_us, us(sync.at(0.5)));
                    row.probe = format!("sync {:.2} ms", sync / 1e3);
                    row.ratio = Some(p50 / sync);
                    row.goal = format!("p50 <= {:.2} ms (1.3 syncs + 1 ms)", (1.3 * sync + 1e3) / 1e3);
                    row.met = Some(p50 <= 1.3 * sync + 1e3);
                }
                _ => {
                    row.probe = format!("{} = 1/(1/a + 1/b)", rate(goal));
                    row.ratio = Some(of.called.rate() / goal);
                    if callers == 256 {
                        row.goal = ">= 0.75".into();
                        row.met = Some(of.called.rate() >= 0.75 * goal);
                    }
                }
            }
            self.table.add(row);
        }
        let Some(admin) = self.postgres.clone() else {
            self.table.skip("ingest on PostgreSQL: TEST_POSTGRES is not set");
            return Ok(());
        };
        let run = self.run;
        let (url, rows, bare) = tokio::task::spawn_blocking(move || -> Result<_> {
            let rows = probes::postgres_rows(&admin, run)?;
            let bare = ingest::post_bare(&fresh(&admin)?, 256, run)?;
            Ok((fresh(&admin)?, rows, bare))
        })
        .await??;
        let house = House::make(&self.program, &self.dir("ingest-postgres")?, Some(url)).await?;
        let posted = self.posted(&house)?;
        let p = rows.rate();
        self.table.add(Row {
            path: "probe: PostgreSQL, 4 x 128 rows of 1 KiB".into(),
            figure: rate(p),
            ..Row::default()
        });
        let (p50, p99) = (bare.p50_us / 1e3, bare.p99_us / 1e3);
        self.table.add(Row {
            path: "probe: a hook route with nothing around it, PostgreSQL, 256 callers".into(),
            figure: format!("{}, p50 {p50:.2} ms, p99 {p99:.2} ms", rate(bare.rate())),
            ..Row::default()
        });
        for (callers, of) in posted {
            let mut row = taken(&format!("ingest, PostgreSQL, {}", crowd(callers)), &of);
            row.probe = format!("{} = 1/(1/a + 1/p)", rate(both(a, p)));
            row.ratio = Some(of.called.rate() / both(a, p));
            if callers == 256 {
                row.probe = format!("{} by the bare route", rate(bare.rate()));
                row.ratio = Some(of.called.rate() / bare.rate());
                row.goal = ">= 30,000/s where the bare route makes 34,000 (0.88)".into();
                row.met = Some(of.called.rate() >= 30_000.0_f64.min(bare.rate() * 30.0 / 34.0));
            }
            self.table.add(row);
        }
        Ok(())
    }

    /// One, 64 and 256 callers in turn on one server.
    fn posted(&self, house: &House) -> Result<Vec<(usize, Taken)>> {
        tokio::task::block_in_place(|| {
            let server = house.server("web", &[])?;
            let all: Result<_> = [1, 64, 256]
                .into_iter()
                .map(|callers| Ok((callers, house.post(&server, callers, self.run)?)))
                .collect();
            server.stop()?;
            all
        })
    }

    async fn process(&mut self) -> Result<()> {
        let house = House::make(&self.program, &self.dir("process")?, None).await?;
        let minute = Duration::from_secs_f64((60.0 * self.scale).max(3.0));
        let done = tokio::task::block_in_place(|| house.process(minute))?;
        let (messages, answered) = done.messages;
        anyhow::ensure!(messages == answered, "{answered} hooks were answered 200 and became {messages} messages");
        let most = done.backlog.iter().max().copied().unwrap_or(0);
        let flat = if done.is_flat() { "flat" } else { "GROWING" };
        self.table.add(Row {
            path: format!("ingest with full processing, SQLite, {:.0} s", minute.as_secs_f64()),
            figure: format!(
                "{} messages, backlog {flat} (at most {most}), drained in {}",
                rate(done.taken.called.rate()),
                ms(done.drained)
            ),
            goal: "<= 150 µs of CPU a message, flat".into(),
            met: Some(done.cpu_us() <= 150.0 && done.is_flat()),
            cpu_us: Some(done.cpu_us()),
            memory: Some(done.taken.memory),
            ..Row::default()
        });
        Ok(())
    }

    async fn jobs(&mut self) -> Result<()> {
        for (how, waiting) in [(How::Alone, 100_000), (How::Batched, 100_000), (How::Batched, 1_000_000)] {
            let (dir, count) = (self.dir(&format!("jobs-{how:?}-{waiting}"))?, self.scaled(waiting) as usize);
            let app = serve::parts(&dir).await?;
            jobs::fill(&app.db, how, count).await?;
            let before = process::cpu(std::process::id())?;
            let ran = jobs::run(&app, self.run).await?;
            let cpu = process::cpu(std::process::id())? - before;
            app.db
                .system("empty the queue of a benchmark", |tx| tx.run("delete from jobs where state = 'done'", &[]))
                .await?;
            jobs::fill(&app.db, how, usize::try_from(ran.count)?.min(count)).await?; // as many wait as before
            let probe = jobs::probe(&app.db, self.run).await?;
            serve::close(app).await?;
            fs::remove_dir_all(&dir)?;
            let ratio = ran.rate() / probe.rate();
            self.table.add(Row {
                path: format!("jobs, {}, {count} waiting", if how == How::Alone { "one by one" } else { "in batches" }),
                figure: rate(ran.rate()),
                probe: format!("{} claimed and deleted by 128", rate(probe.rate())),
                ratio: Some(ratio),
                goal: ">= 0.60".into(),
                met: Some(ratio >= 0.6),
                cpu_us: Some(us(cpu) / ran.count.max(1) as f64),
                memory: None,
            });
        }
        Ok(())
    }

    async fn live(&mut self) -> Result<()> {
        let sockets = self.scaled(1_000) as usize;
        let mut bare = Fan::bare()?;
        let probe = bare.measure(sockets, self.run).await?;
        bare.server.stop()?;
        let told = |of: &crate::fan::Fanned| {
            let lost = if of.lost > 0 { format!(", {} LOST", of.lost) } else { String::new() };
            format!(
                "{} frames{lost}, {:.1} kB a socket",
                rate(of.frames as f64 / of.took.as_secs_f64()),
                of.socket_bytes / 1e3
            )
        };
        let cpu = |of: &crate::fan::Fanned| Some(us(of.cpu) / of.frames.max(1) as f64);
        self.table.add(Row {
            path: format!("probe: axum broadcast, {sockets} sockets"),
            figure: told(&probe),
            cpu_us: cpu(&probe),
            memory: Some(probe.memory),
            ..Row::default()
        });
        let mut live = Fan::live(&self.dir("live")?).await?;
        let ours = live.measure(sockets, self.run).await?;
        live.server.stop()?;
        let (theirs, here) =
            (probe.frames as f64 / probe.took.as_secs_f64(), ours.frames as f64 / ours.took.as_secs_f64());
        self.table.add(Row {
            path: format!("live stream, {sockets} sockets"),
            figure: told(&ours),
            probe: format!("{} frames", rate(theirs)),
            ratio: Some(here / theirs),
            goal: ">= 0.7, <= 12 kB a socket".into(),
            met: Some(here >= 0.7 * theirs && ours.socket_bytes <= 12_000.0 && ours.lost == 0),
            cpu_us: cpu(&ours),
            memory: Some(ours.memory),
        });
        Ok(())
    }

    async fn pages(&mut self) -> Result<()> {
        let mut sizes = vec![(10_000, 50_000), (100_000, 500_000)];
        if self.full {
            sizes.push((100_000, 5_000_000));
        }
        let mut before: Option<Vec<Page>> = None;
        let count = sizes.len();
        for (at, (conversations, messages)) in sizes.into_iter().enumerate() {
            let (conversations, messages) = (self.scaled(conversations), self.scaled(messages));
            let dir = self.dir(&format!("pages-{at}"))?;
            let seeded = seed::seed(&dir, conversations, messages, &[]).await?;
            let per_s = rate(messages as f64 / seeded.took.as_secs_f64());
            eprintln!("  seeded {conversations} conversations with {messages} messages, {per_s}");
            let setup = Setup { program: &self.program, dir: &dir, role: "web", settings: Vec::new() };
            let pages = tokio::task::block_in_place(|| -> Result<_> {
                let server = Server::start(&setup)?;
                let pages = pages::measure(
                    &server,
                    &seeded.account.key,
                    &seeded.account.user,
                    if self.scale < 1.0 { 40 } else { 300 },
                )?;
                let memory = process::memory(server.pid())?;
                server.stop()?;
                Ok((pages, memory))
            })?;
            let (pages, memory) = pages;
            for (i, page) in pages.iter().enumerate() {
                let p95 = page.cpu.at(0.95);
                let smaller = before.as_ref().map(|pages| pages[i].cpu.at(0.95));
                let growth = smaller.map(|smaller| us(p95) / us(smaller).max(1.0));
                self.table.add(Row {
                    path: format!("{}, {conversations} conversations, {messages} messages", page.name),
                    figure: format!(
                        "p50 {}, p95 {}; CPU p95 {}",
                        ms(page.wait.at(0.5)),
                        ms(page.wait.at(0.95)),
                        ms(p95)
                    ),
                    probe: smaller.map(|smaller| format!("a tenth: CPU p95 {}", ms(smaller))).unwrap_or_default(),
                    ratio: growth,
                    goal: if growth.is_some() { "CPU p95 <= 5 ms, <= 1.3 of a tenth" } else { "CPU p95 <= 5 ms" }
                        .into(),
                    met: Some(p95 <= Duration::from_millis(5) && growth.is_none_or(|growth| growth <= 1.3)),
                    cpu_us: Some(us(page.cpu.at(0.5))),
                    memory: Some(memory),
                });
            }
            before = Some(pages);
            if at + 1 == count {
                tokio::task::block_in_place(|| self.footprint(&dir, messages))?;
            }
            fs::remove_dir_all(&dir)?;
        }
        Ok(())
    }

    /// How soon a server answers on the big database, and how large it is when nobody asks anything.
    fn footprint(&mut self, dir: &Path, messages: u64) -> Result<()> {
        let setup = Setup { program: &self.program, dir, role: "all", settings: Vec::new() };
        let mut starts = Measured::default();
        for _ in 0..11 {
            let server = Server::start(&setup)?;
            starts.steps.push(server.started_in);
            server.stop()?;
        }
        starts.steps.sort_unstable();
        let p50 = starts.at(0.5);
        self.table.add(Row {
            path: format!("cold start to ready, {messages} messages"),
            figure: format!("{} (median of 11; slowest {})", ms(p50), ms(starts.at(1.0))),
            goal: "<= 30 ms".into(),
            met: Some(p50 <= Duration::from_millis(30)),
            ..Row::default()
        });
        let server = Server::start(&setup)?;
        let (ready, cpu) = (process::memory(server.pid())?, process::cpu(server.pid())?);
        std::thread::sleep(Duration::from_secs(10));
        let (memory, cpu) = (process::memory(server.pid())?, process::cpu(server.pid())? - cpu);
        server.stop()?;
        let whole = memory.anonymous + memory.file;
        self.table.add(Row {
            path: format!("idle for 10 s, {messages} messages"),
            figure: format!(
                "{} MB resident ({} when ready), {} of CPU",
                mb(whole),
                mb(ready.anonymous + ready.file),
                ms(cpu)
            ),
            goal: "<= 22 MB".into(),
            met: Some(whole <= 22_000_000),
            memory: Some(memory),
            ..Row::default()
        });
        Ok(())
    }
}

fn taken(path: &str, of: &Taken) -> Row {
    let wrong = if of.called.wrong > 0 { format!(", {} WRONG", of.called.wrong) } else { String::new() };
    let (p50, p99) = (of.called.p50_us / 1e3, of.called.p99_us / 1e3);
    Row {
        path: path.into(),
        figure: format!(
            "{}{wrong}, p50 {p50:.2} ms, p99 {p99:.2} ms (callers {:.1} µs each)",
            rate(of.called.rate()),
            of.called.cpu_us()
        ),
        cpu_us: Some(of.cpu_us()),
        memory: Some(of.memory),
        ..Row::default()
    }
}

/// A database of its own with a role that the server accepts; its URL.
pub fn fresh(admin: &str) -> Result<String> {
    let connect = || postgres::Client::connect(admin, postgres::NoTls);
    let mut admin_line = connect()?;
    admin_line.batch_execute("drop database if exists indaba_bench")?;
    admin_line.batch_execute("drop role if exists indaba_bench; create role indaba_bench login")?;
    admin_line.batch_execute("create database indaba_bench owner indaba_bench")?;
    let (scheme, rest) = admin.split_once("://").unwrap_or(("postgres", admin));
    let (host, _) = rest.rsplit_once('/').unwrap_or((rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    Ok(format!("{scheme}://indaba_bench@{host}/indaba_bench"))
}

fn crowd(callers: usize) -> String {
    if callers == 1 { "1 caller".into() } else { format!("{callers} callers") }
}
