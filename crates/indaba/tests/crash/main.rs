//! Kills the server at random moments under hooks and sends, and looks at what is left.
//!
//! `scripts/crash [N]` (also `make crash N=200`) runs it with the built server in a scratch directory, against the simulator: on
//! SQLite, and on PostgreSQL when `TEST_POSTGRES` is the URL of a superuser of a scratch cluster. Each round: load, SIGKILL, a look at the database as the kill left it, a fresh start. A run counts how many kills fell
//! while hooks were in flight, between a commit and its 200, and between `sending` and settled; it goes on (to a bound) until none
//! of these is 0. On PostgreSQL, the
//! cluster is restarted under the same load once. At the end each hook answered 200 must be one message, the gateway must have received no message twice, and a
//! message whose fate nobody can know must say so.
mod load;
mod place;
mod server;

use anyhow::{Context, Result, ensure};
use load::{Load, Posted};
use place::Place;
use server::{Account, Server};
use std::{collections::HashSet, path::Path, time::Duration};

/// Rounds beyond those asked for, while one of the three kinds has not happened yet.
const MORE_ROUNDS: usize = 40;

#[derive(Default)]
struct Seen {
    in_flight: usize,
    committed_unanswered: usize,
    sending: usize,
}

impl Seen {
    fn all(&self) -> bool {
        self.in_flight > 0 && self.committed_unanswered > 0 && self.sending > 0
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let rounds: usize = std::env::var("CRASH_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(3);
    let cluster = std::env::var("TEST_POSTGRES").ok();
    let databases = [("SQLite", Some(None)), ("PostgreSQL", cluster.map(Some))];
    for (name, superuser) in databases {
        let Some(superuser) = superuser else {
            println!("{name} is left out: TEST_POSTGRES is not set");
            continue;
        };
        println!("{name}:");
        let scratch = std::env::temp_dir().join(format!("indaba-crash-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&scratch)?;
        let place = Place::new(&scratch.join("data"), superuser)?;
        run(rounds, &scratch, &place).await.with_context(|| format!("on {name}; see {}", scratch.display()))?;
        place.clear()?;
        std::fs::remove_dir_all(&scratch)?;
    }
    Ok(())
}

async fn run(rounds: usize, scratch: &Path, place: &Place) -> Result<()> {
    let simulator = indaba_simulator::Simulator::start(indaba_simulator::Config::fast()).await?;
    let gateway = simulator.url().to_owned();
    // a send that takes a while can be cut off in its middle
    server::control(
        &gateway,
        "faults",
        serde_json::json!({ "on": { "path": "/api/sendText" }, "do": { "kind": "delay", "ms": 40 } }),
    )
    .await?;
    let mut server = Server::start(scratch, place, &gateway).await?;
    let account = Account::make(&server, &gateway).await.context("sign up and link a number")?;
    let mut load = Load::new(account);
    load.greet(&server).await.context("make the conversations")?;

    let (mut seen, mut kills) = (Seen::default(), 0);
    let mut cut_off = HashSet::new();
    while kills < rounds || (!seen.all() && kills < rounds + MORE_ROUNDS) {
        let flight = load.start(&server);
        load.under_way(&flight).await;
        tokio::time::sleep(Duration::from_millis(u64::from(rand::random::<u16>()) % 300)).await;
        server.kill()?;
        kills += 1;
        let unanswered = load.stop(flight).await;
        let left = place.left_by_the_dead()?;
        let committed = unanswered.iter().filter(|id| left.hooks.contains(*id)).count();
        seen.in_flight += usize::from(!unanswered.is_empty());
        seen.committed_unanswered += usize::from(committed > 0);
        seen.sending += usize::from(!left.sending.is_empty());
        println!(
            "kill {kills}: {} hooks in flight, {committed} of them on disk without their 200, {} messages mid-send",
            unanswered.len(),
            left.sending.len()
        );
        cut_off.extend(left.sending);
        server = Server::start(scratch, place, &gateway).await?;
        load.post_again(&server, unanswered).await.context("what a gateway repeats after no answer")?;
    }
    if place.restarts() {
        cut_off.extend(restart(place, &server, &mut load).await.context("PostgreSQL restarted under load")?);
    }
    server.settle(&load.account).await.context("wait until no work is left")?;
    check(place, &load, &gateway, &cut_off).await?;
    println!(
        "{kills} kills: {} while hooks were in flight, {} between commit and 200, {} between sending and settled",
        seen.in_flight, seen.committed_unanswered, seen.sending
    );
    ensure!(seen.all(), "one of the three kinds never happened: nothing is proved about it");
    server.stop()?;
    simulator.stop().await;
    Ok(())
}

/// The database goes and comes back under the same load, and the server stays. The messages that were being sent meanwhile.
async fn restart(place: &Place, server: &Server, load: &mut Load) -> Result<HashSet<String>> {
    let flight = load.start(server);
    load.under_way(&flight).await;
    let (there, before) = (place.clone(), flight.answered());
    tokio::task::spawn_blocking(move || there.restart()).await??;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let after = flight.answered() - before;
    let unanswered = load.stop(flight).await;
    let left = place.look()?;
    println!("restarted under load: {before} hooks answered before, {after} since it went, {} not", unanswered.len());
    ensure!(after > 0, "no hook was answered once it was back");
    load.post_again(server, unanswered).await?;
    let unclear = left.outbound.into_iter().filter(|(_, state)| ["sending", "unknown"].contains(&state.as_str()));
    Ok(unclear.map(|(id, _)| id).collect())
}

/// What must hold, whatever was killed when.
async fn check(place: &Place, load: &Load, gateway: &str, cut_off: &HashSet<String>) -> Result<()> {
    let left = place.look()?;
    let mut answered = 0;
    for (id, posted) in &load.posted {
        let messages = left.inbound.get(id).copied().unwrap_or(0);
        match posted {
            Posted::Answered => ensure!(messages == 1, "the hook of {id} was answered 200 and is {messages} messages"),
            Posted::Unanswered => ensure!(messages <= 1, "the hook of {id} is {messages} messages"),
        }
        answered += usize::from(matches!(posted, Posted::Answered));
    }
    let effects = server::control_get(gateway, "effects").await?;
    let most = effects["mostOften"].as_u64().unwrap_or(0);
    ensure!(most == 1, "the gateway received a message {most} times: {effects}");
    let received: HashSet<&str> =
        effects["items"].as_array().into_iter().flatten().filter_map(|effect| effect["body"].as_str()).collect();
    let mut count = std::collections::BTreeMap::<&str, usize>::new();
    for (id, body) in &load.accepted {
        let state = left.outbound.get(id).with_context(|| format!("{id} was accepted with 201 and is gone"))?;
        *count.entry(state).or_default() += 1;
        let there = received.contains(body.as_str());
        match state.as_str() {
            "sent" | "delivered" | "read" => ensure!(there, "{id} says {state}, and the gateway never had it"),
            "unknown" => ensure!(cut_off.contains(id), "{id} is unknown, and no kill cut it off"),
            other => anyhow::bail!("{id} is {other} at the end"),
        }
        ensure!(!there || state != "failed", "{id} says failed, and the gateway has it");
    }
    println!(
        "{answered} hooks answered 200, each one message; {} messages accepted to be sent: {count:?}",
        load.accepted.len()
    );
    ensure!(answered > 0 && !load.accepted.is_empty(), "nothing was put to the test");
    Ok(())
}
