//! The database layer alone: a unit of three statements (a note, its thread, a job's worth of a row) from many callers, and a page of 50.
use crate::Measured;
use anyhow::Result;
use indaba::{
    args,
    clock::Time,
    db::{Db, Settings},
    id::TenantId,
};
use std::time::{Duration, Instant};

/// Sixteen bytes are sixteen bytes: the rows below need no kind of id of their own.
type RowId = TenantId;

/// Beside the server's own tables.
pub const TABLES: &[(&str, &str)] = &[(
    "9001_bench.sql",
    "create table bench_threads (
       tenant_id uuid not null, id uuid not null, unread bigint not null default 0, last_at bigint not null default 0,
       primary key (tenant_id, id)
     );
     create table bench_notes (
       tenant_id uuid not null, id uuid not null, thread_id uuid not null, key text collate \"C\" not null, body text,
       primary key (tenant_id, id), unique (tenant_id, key),
       foreign key (tenant_id, thread_id) references bench_threads (tenant_id, id)
     );
     create index bench_notes_thread on bench_notes (tenant_id, thread_id, id);
     create table bench_work (tenant_id uuid not null, id uuid not null, payload text not null, primary key (tenant_id, id));",
)];

/// A database to measure, with [`TABLES`].
pub fn open(settings: Settings) -> Result<Db> {
    Ok(Db::open(&Settings { extra: TABLES, ..settings })?)
}

/// Units a second from so many callers at once, each with a tenant and a thread of his own.
pub async fn writes(db: &Db, callers: usize, run: Duration) -> Result<Measured> {
    let tasks: Vec<_> = (0..callers)
        .map(|_| {
            let db = db.clone();
            tokio::spawn(async move {
                let tenant = TenantId::at(Time(1));
                let thread = RowId::at(Time(1));
                let open = "insert into bench_threads (tenant_id, id) values ($1, $2)";
                db.write(tenant, move |tx| tx.run(open, args![thread])).await?;
                let (start, mut all) = (Instant::now(), Measured::default());
                while start.elapsed() < run {
                    let begin = Instant::now();
                    db.write(tenant, move |tx| {
                        let (note, work, now) = (RowId::at(tx.now()), RowId::at(tx.now()), tx.now());
                        tx.run(
                            "insert into bench_notes (tenant_id, id, thread_id, key, body) values ($1, $2, $3, $4, $5)
                             on conflict (tenant_id, key) do nothing",
                            args![note, thread, note.to_string(), "Is the shop open on Saturday?"],
                        )?;
                        tx.run(
                            "update bench_threads set unread = unread + 1, last_at = $3 where tenant_id = $1 and id = $2",
                            args![thread, now],
                        )?;
                        tx.run(
                            "insert into bench_work (tenant_id, id, payload) values ($1, $2, $3)",
                            args![work, "{}"],
                        )
                    })
                    .await?;
                    all.count += 1;
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

/// Pages of 50 notes out of `rows`, one after the other, from places all over the thread.
pub async fn pages(db: &Db, rows: u32, run: Duration) -> Result<Measured> {
    use indaba::db::Arg;
    let (tenant, thread) = (TenantId::at(Time(1)), RowId::at(Time(1)));
    let open = "insert into bench_threads (tenant_id, id) values ($1, $2)";
    db.write(tenant, move |tx| tx.run(open, args![thread])).await?;
    for first in (0..rows).step_by(500) {
        db.write(tenant, move |tx| {
            let ids: Vec<(RowId, String)> = (first..(first + 500).min(rows))
                .map(|i| RowId::at(Time(i64::from(i))))
                .map(|id| (id, id.to_string()))
                .collect();
            tx.insert_only(
                "insert into bench_notes (tenant_id, id, thread_id, key, body) values ($1, $2, $3, $4, $5)",
                ids.iter().map(|(id, key)| [id.arg(), thread.arg(), key.arg(), "Yes, until six.".arg()]),
            )
        })
        .await?;
    }
    let (start, mut all) = (Instant::now(), Measured::default());
    while start.elapsed() < run {
        let before = RowId::at(Time(i64::from(rand::random::<u32>() % rows)));
        let begin = Instant::now();
        let page: Vec<(RowId, String, Option<String>)> = db
            .read(tenant, move |tx| {
                tx.all(
                    "select id, key, body from bench_notes where tenant_id = $1 and thread_id = $2 and id < $3 order by id desc limit 50",
                    args![thread, before],
                )
            })
            .await?;
        all.count += u64::from(!page.is_empty());
        all.steps.push(begin.elapsed());
    }
    all.took = start.elapsed();
    all.steps.sort_unstable();
    Ok(all)
}
