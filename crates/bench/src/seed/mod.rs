//! A workspace with many conversations, as fast as the database takes them: for the benchmark of pages, and for browser tests.
//!
//! The person, the number and the key are made through the API, all else is written in large statements. Everything follows from the
//! index of a message, so two runs differ only in ids of the person and the number, and in the time. Nothing in it is real.
mod rows;
mod town;
mod words;

use crate::{
    account::{Account, Number},
    serve,
};
use anyhow::{Result, anyhow, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use indaba::{
    db::Arg,
    id::TenantId,
    serve::{Part, Server},
};
use rows::Batch;
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};
use town::Town;
pub use words::to_find;

/// What was made.
pub struct Seeded {
    /// Who signs in.
    pub account: Account,
    /// The number that all conversations are on.
    pub number: Number,
    /// How long the rows took.
    pub took: Duration,
}

/// Rows of one statement.
const ROWS: u64 = 500;
/// Statements that are made while one is written.
const AHEAD: usize = 4;

/// Fills the empty data directory `dir` (or the database that the environment names) with conversations and messages; every conversation has
/// a message as long as there are enough. Errors: somebody has signed up there already.
pub async fn seed(dir: &Path, conversations: u64, messages: u64, settings: &[(&str, String)]) -> Result<Seeded> {
    ensure!(conversations > 0, "at least one conversation");
    let simulator = indaba_simulator::Simulator::start(indaba_simulator::Config::fast()).await?;
    let mut all = vec![
        ("INDABA_PRIVATE_HOSTS", simulator.address().to_string()),
        ("INDABA_DATABASE_SQLITE_SYNC", "normal".to_owned()), // a power cut while seeding means to seed again
    ];
    all.extend_from_slice(settings);
    let server = Server::start(serve::config(dir, &all)?, Part::All).await.map_err(|e| anyhow!(e))?;
    let url = format!("http://{}", server.address);
    let account = Account::sign_up(&url).await?;
    let number = Number::link(&url, &account.key, simulator.url()).await?;
    number.connected(&url, &account.key).await?;

    let start = Instant::now();
    let tenant: TenantId = account.tenant.parse().map_err(|_| anyhow!("a tenant: {}", account.tenant))?;
    let town = Arc::new(Town::new(conversations, messages, &account, &number)?);
    let db = &server.app.db;
    let write = async |count: u64, what: fn(&Town, u64, u64) -> Batch| -> Result<()> {
        let batches = stream::iter((0..count).step_by(ROWS as usize)).map(|from| {
            let batch = what(&town, from, (from + ROWS).min(count));
            db.write(tenant, move |tx| batch.write(tx))
        });
        Ok(batches.buffered(AHEAD).try_for_each(|()| async { Ok(()) }).await?)
    };
    write(conversations, Town::people).await?;
    write(conversations, Town::places).await?;
    write(messages, Town::messages).await?;
    let counts = town.counts();
    db.write(tenant, move |tx| {
        tx.insert_only(
            "insert into conversation_counts (tenant_id, assignee_id, open, unread) values ($1, $2, $3, $4)
             on conflict (tenant_id, assignee_id) do update set open = excluded.open, unread = excluded.unread",
            counts.iter().map(|(assignee, open, unread)| [assignee.arg(), open.arg(), unread.arg()]),
        )
    })
    .await?;
    let took = start.elapsed();
    server.stop().await;
    simulator.stop().await;
    Ok(Seeded { account, number, took })
}

/// Scrambles a number: the same one always in the same way.
fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
