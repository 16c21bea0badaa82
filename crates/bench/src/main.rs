//! `indaba-bench [seconds]`: the probes, and the database layer beside them. PostgreSQL's when `TEST_POSTGRES` names a superuser
//! (`scripts/postgres run …`).
use anyhow::Result;
use indaba::{
    app::{App, Basis},
    bus,
    clock::Clock,
    config::Config,
    db::{Db, Settings},
    passwords::Hasher,
    secrets::Secrets,
    serve,
};
use indaba_bench::{
    Measured,
    jobs::{self, How},
    layer, probes,
};
use std::{env, fs, path::Path, sync::Arc, time::Duration};

fn line(name: &str, measured: &Measured) {
    println!("{name:<44} {measured}");
}

#[tokio::main]
async fn main() -> Result<()> {
    let run = Duration::from_secs_f64(env::args().nth(1).map_or(Ok(3.0), |text| text.parse())?);
    let dir = env::temp_dir().join(format!("indaba-bench-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    let done = measure(run, &dir).await;
    fs::remove_dir_all(&dir)?;
    done
}

async fn measure(run: Duration, dir: &Path) -> Result<()> {
    line("probe: append 4 KiB + fdatasync", &probes::append(dir, run)?);
    line("probe: SQLite, 512 rows of 1 KiB a commit", &probes::sqlite_grouped(dir, run)?);
    line("probe: SQLite, queue emptied by 128", &probes::sqlite_queue(dir, run)?);
    let db = layer::open(Settings::in_dir(dir.join("db")))?;
    of("SQLite", &db, dir, run).await?;
    let Ok(admin) = env::var("TEST_POSTGRES") else {
        println!("PostgreSQL is left out: TEST_POSTGRES is not set (scripts/postgres run …)");
        return Ok(());
    };
    let url = tokio::task::spawn_blocking(move || -> Result<String> {
        line("probe: PostgreSQL, 4 x 128 rows of 1 KiB", &probes::postgres_rows(&admin, run)?);
        postgres::Client::connect(&admin, postgres::NoTls)?.batch_execute(
            "drop database if exists indaba_bench; drop role if exists indaba_bench;
             create role indaba_bench login; ",
        )?;
        postgres::Client::connect(&admin, postgres::NoTls)?
            .batch_execute("create database indaba_bench owner indaba_bench")?;
        let (scheme, rest) = admin.split_once("://").unwrap_or(("postgres", &admin));
        let (host, _) = rest.rsplit_once('/').unwrap_or((rest, ""));
        let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
        Ok(format!("{scheme}://indaba_bench@{host}/indaba_bench"))
    })
    .await??;
    let db = layer::open(Settings { url: Some(url), ..Settings::in_dir(dir) })?;
    of("PostgreSQL", &db, dir, run).await
}

async fn of(name: &str, db: &Db, dir: &Path, run: Duration) -> Result<()> {
    for callers in [1, 16, 64, 256] {
        line(&format!("{name}: units of 3 statements, {callers} callers"), &layer::writes(db, callers, run).await?);
    }
    line(&format!("{name}: pages of 50 out of 50,000"), &layer::pages(db, 50_000, run).await?);
    work(name, &app(db, dir).await?, run).await?;
    let closing = db.clone();
    Ok(tokio::task::spawn_blocking(move || closing.close()).await?)
}

async fn app(db: &Db, dir: &Path) -> Result<App> {
    let dir = ("INDABA_DATA_DIR".to_owned(), dir.display().to_string());
    let basis = Basis {
        config: Config::load(None, [dir]).map_err(anyhow::Error::msg)?,
        clock: Clock::System,
        db: db.clone(),
        bus: Arc::new(bus::Memory::default()),
        secrets: Secrets::random(),
        hasher: Hasher::cheap(),
    };
    serve::assemble(basis).await.map_err(anyhow::Error::msg)
}

/// Jobs: the probe and a worker on the same rows, with few and with many waiting (`BENCH_JOBS`, else a million).
async fn work(name: &str, app: &App, run: Duration) -> Result<()> {
    let many = env::var("BENCH_JOBS").map_or(Ok(1_000_000), |text| text.parse())?;
    for (how, count) in [(How::Alone, many / 20), (How::Batched, many / 20), (How::Batched, many)] {
        jobs::fill(&app.db, how, count).await?;
        let probe = jobs::probe(&app.db, run.min(Duration::from_secs(1))).await?;
        line(&format!("{name}: probe, queue of {count}"), &probe);
        let ran = jobs::run(app, run).await?;
        line(&format!("{name}: jobs, {how:?}, {count} waiting"), &ran);
        println!("{:<44} {:.2}", "  of the probe", ran.rate() / probe.rate());
        app.db.system("empty the queue of a benchmark", |tx| tx.run("delete from jobs", &[])).await?;
    }
    Ok(())
}
