//! What the machine can do, without a line of Indaba: the disk, SQLite and PostgreSQL, each used as well as it can be used.
use crate::Measured;
use anyhow::Result;
use rusqlite::{Connection, params};
use std::{
    fs::File,
    io::Write,
    path::Path,
    thread,
    time::{Duration, Instant},
};

/// Appends 4 KiB to a file in `dir` and waits until it is on the disk (`fdatasync`), over and over. One step: one append.
pub fn append(dir: &Path, run: Duration) -> Result<Measured> {
    let (mut file, block) = (File::create(dir.join("append"))?, [7u8; 4096]);
    Measured::repeat(run, || {
        file.write_all(&block)?;
        file.sync_data()?;
        Ok(1)
    })
}

/// A row of the size of a hook with the key that keeps doubles out. Keys are random, as those of gateways are.
fn row() -> (String, [u8; 1024]) {
    (format!("{:032x}", rand::random::<u128>()), [7; 1024])
}

fn sqlite(dir: &Path) -> Result<Connection> {
    let conn = Connection::open(dir.join("probe.db"))?;
    conn.execute_batch(
        "pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -65536;
         create table if not exists rows (id integer primary key, key text not null unique, body blob not null)",
    )?;
    Ok(conn)
}

/// Inserts rows of 1 KiB with a unique key into SQLite (WAL, synchronous FULL), 512 in a transaction. One step: one transaction.
pub fn sqlite_grouped(dir: &Path, run: Duration) -> Result<Measured> {
    let mut conn = sqlite(dir)?;
    Measured::repeat(run, || {
        let tx = conn.transaction()?;
        {
            let mut insert =
                tx.prepare_cached("insert into rows (key, body) values (?1, ?2) on conflict do nothing")?;
            for _ in 0..512 {
                let (key, body) = row();
                insert.execute(params![key, body])?;
            }
        }
        tx.commit()?;
        Ok(512)
    })
}

/// Takes rows that [`sqlite_grouped`] left out of the same table, the oldest first, 128 in a transaction, until it is over or none is left.
pub fn sqlite_queue(dir: &Path, run: Duration) -> Result<Measured> {
    let mut conn = sqlite(dir)?;
    let (start, mut all) = (Instant::now(), Measured::default());
    while start.elapsed() < run {
        let begin = Instant::now();
        let tx = conn.transaction()?;
        let taken = tx
            .prepare_cached(
                "delete from rows where id in (select id from rows order by id limit 128) returning key, length(body)",
            )?
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))?
            .count();
        tx.commit()?;
        if taken == 0 {
            break;
        }
        all.count += u64::try_from(taken)?;
        all.steps.push(begin.elapsed());
    }
    all.took = start.elapsed();
    all.steps.sort_unstable();
    Ok(all)
}

/// Inserts rows of 1 KiB with a unique key into PostgreSQL on four connections, 128 in a statement. `url` is a scratch database's.
/// One step: one statement.
pub fn postgres_rows(url: &str, run: Duration) -> Result<Measured> {
    let connect = || postgres::Client::connect(url, postgres::NoTls);
    connect()?.batch_execute(
        "drop table if exists probe;
         create table probe (id bigint generated always as identity primary key, key text not null unique, body bytea not null)",
    )?;
    let lanes = (0..4).map(|_| {
        let url = url.to_owned();
        thread::spawn(move || -> Result<Measured> {
            let mut client = postgres::Client::connect(&url, postgres::NoTls)?;
            let insert = client.prepare(
                "insert into probe (key, body) select * from unnest($1::text[], $2::bytea[]) on conflict do nothing",
            )?;
            Measured::repeat(run, || {
                let (keys, bodies): (Vec<String>, Vec<Vec<u8>>) =
                    (0..128).map(|_| row()).map(|(key, body)| (key, body.to_vec())).unzip();
                Ok(client.execute(&insert, &[&keys, &bodies])?)
            })
        })
    });
    let lanes: Vec<_> = lanes.collect();
    let parts: Result<Vec<Measured>> = lanes.into_iter().map(|lane| lane.join().expect("no panic in a lane")).collect();
    connect()?.batch_execute("drop table probe")?;
    Ok(Measured::together(parts?))
}
