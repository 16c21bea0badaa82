//! Jobs: claimed, run and written down, beside the same rows claimed and deleted by nothing but SQL.
use crate::Measured;
use anyhow::Result;
use indaba::{
    app::App,
    clock::Time,
    db::{Db, Dialect},
    id::TenantId,
    jobs::{self, BatchJob, Given, Job, JobCx, JobError, Kinds, New, Options},
};
use serde::{Deserialize, Serialize};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

static DONE: AtomicU64 = AtomicU64::new(0);

/// Does nothing, one at a time.
#[derive(Serialize, Deserialize)]
struct Nothing {
    of: TenantId,
}

impl Job for Nothing {
    const KIND: &'static str = "bench.nothing";

    async fn run(&self, _: &JobCx) -> Result<(), JobError> {
        DONE.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Does nothing, many at a time.
#[derive(Serialize, Deserialize)]
struct Nothings {
    of: TenantId,
}

impl BatchJob for Nothings {
    const KIND: &'static str = "bench.nothings";

    async fn run(_: &App, jobs: &[Given<Nothings>]) -> Vec<Result<(), JobError>> {
        DONE.fetch_add(jobs.len() as u64, Ordering::Relaxed);
        jobs.iter().map(|_| Ok(())).collect()
    }
}

/// How jobs run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// One at a time, side by side.
    Alone,
    /// Up to 128 in one go.
    Batched,
}

/// Adds so many jobs for 50 tenants.
pub async fn fill(db: &Db, how: How, count: usize) -> Result<()> {
    let tenants: Vec<TenantId> = (0..50).map(|_| TenantId::at(Time(1))).collect();
    for first in (0..count).step_by(2000) {
        let add: Vec<(TenantId, New)> = (first..(first + 2000).min(count))
            .map(|i| {
                let of = tenants[i % tenants.len()];
                (of, if how == How::Alone { New::of(&Nothing { of }) } else { New::of_batch(&Nothings { of }) })
            })
            .collect();
        db.system("fill the queue of a benchmark", move |tx| jobs::enqueue_across(tx, &add)).await?;
    }
    Ok(())
}

/// Runs what waits with one worker, for so long or until nothing waits.
pub async fn run(app: &App, run: Duration) -> Result<Measured> {
    let kinds = Arc::new(Kinds::default().job::<Nothing>().batch::<Nothings>());
    let before = DONE.load(Ordering::Relaxed);
    let start = Instant::now();
    let worker = jobs::start(app.clone(), kinds, Options::default());
    let (mut seen, mut quiet) = (before, Instant::now());
    while start.elapsed() < run && quiet.elapsed() < Duration::from_millis(1500) {
        tokio::time::sleep(Duration::from_millis(5)).await;
        let now = DONE.load(Ordering::Relaxed);
        if now != seen {
            (seen, quiet) = (now, Instant::now());
        }
    }
    let took = if quiet.elapsed() >= Duration::from_millis(1500) { quiet - start } else { start.elapsed() };
    let count = DONE.load(Ordering::Relaxed) - before;
    worker.stop().await;
    Ok(Measured { count, took, steps: Vec::new() })
}

/// Claims 128 rows of the same table and deletes them, over and over, in a transaction each: what a queue can do at best on this database.
pub async fn probe(db: &Db, run: Duration) -> Result<Measured> {
    const CLAIM: &str = "
        update jobs set state = 'running', attempt = attempt + 1
         where (tenant_id, id) in (select tenant_id, id from jobs where state = 'ready' and priority = 2
                                    order by priority, tenant_id, id limit 128 for update skip locked)
        returning tenant_id, id, kind, payload, attempt";
    const DELETE: &str = "delete from jobs where tenant_id = $1 and id = $2";
    // as many at a time as keep the database busy: SQLite has one writer
    let lanes = if db.dialect() == Dialect::Sqlite { 1 } else { 4 };
    let tasks: Vec<_> = (0..lanes)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                let (start, mut all) = (Instant::now(), Measured::default());
                while start.elapsed() < run {
                    let begin = Instant::now();
                    let rows: Vec<(TenantId, TenantId, String, String, i64)> =
                        db.system("a probe claims", |tx| tx.all(CLAIM, &[])).await?;
                    if rows.is_empty() {
                        break;
                    }
                    let count = rows.len() as u64;
                    db.system("a probe deletes", move |tx| {
                        use indaba::db::Arg;
                        tx.run_for(DELETE, rows.iter().map(|row| [row.0.arg(), row.1.arg()]))
                    })
                    .await?;
                    all.count += count;
                    all.steps.push(begin.elapsed());
                }
                all.took = start.elapsed();
                anyhow::Ok(all)
            })
        })
        .collect();
    let mut parts = Vec::new();
    for task in tasks {
        parts.push(task.await??);
    }
    Ok(Measured::together(parts))
}
