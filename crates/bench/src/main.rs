//! `indaba-bench [seconds]`: the probes, and the database layer beside them. PostgreSQL's when `TEST_POSTGRES` names a superuser
//! (`scripts/postgres run …`).
use anyhow::Result;
use indaba::db::{Db, Settings};
use indaba_bench::{Measured, layer, probes};
use std::{env, fs, time::Duration};

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

async fn measure(run: Duration, dir: &std::path::Path) -> Result<()> {
    line("probe: append 4 KiB + fdatasync", &probes::append(dir, run)?);
    line("probe: SQLite, 512 rows of 1 KiB a commit", &probes::sqlite_grouped(dir, run)?);
    line("probe: SQLite, queue emptied by 128", &probes::sqlite_queue(dir, run)?);
    let db = layer::open(Settings::in_dir(dir.join("db")))?;
    of("SQLite", &db, run).await?;
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
    of("PostgreSQL", &db, run).await
}

async fn of(name: &str, db: &Db, run: Duration) -> Result<()> {
    for callers in [1, 16, 64, 256] {
        line(&format!("{name}: units of 3 statements, {callers} callers"), &layer::writes(db, callers, run).await?);
    }
    line(&format!("{name}: pages of 50 out of 50,000"), &layer::pages(db, 50_000, run).await?);
    let closing = db.clone();
    Ok(tokio::task::spawn_blocking(move || closing.close()).await?)
}
