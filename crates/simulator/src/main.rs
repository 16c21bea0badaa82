//! `indaba-simulator`: the simulator as a program of its own.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use indaba_simulator::{Config, Engine, Release, Simulator};
use tracing_subscriber::EnvFilter;

/// WhatsApp gateways that need no WhatsApp. Open the printed address for the phone page.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// The key that WAHA's callers must send.
    #[arg(long, default_value = "simulator")]
    api_key: String,
    /// What is kept when it stops. There is only `none`: everything is in memory.
    #[arg(long, value_enum, default_value_t = State::None)]
    state: State,
    /// Which of WAHA's engines answers: NOWEB, GOWS or WEBJS.
    #[arg(long, value_enum, ignore_case = true, default_value_t = EngineArg::Noweb)]
    engine: EngineArg,
    /// Play the old free image (2026.4.1): one session named `default`, no media.
    #[arg(long)]
    old: bool,
    /// What WAHA believes its own address to be; media URLs start with it.
    #[arg(long, default_value = "http://localhost:3000")]
    base_url: String,
    /// What waits, waits a hundredth: for tests.
    #[arg(long)]
    fast: bool,
    /// Fill this number with sample conversations, to be found by whoever links it.
    #[arg(long, value_name = "PHONE")]
    sample: Option<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum State {
    None,
}

#[derive(Clone, Copy, ValueEnum)]
enum EngineArg {
    Noweb,
    Gows,
    Webjs,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info")))
        .init();
    let args = Args::parse();
    let State::None = args.state;
    let config = Config {
        listen: args.listen,
        api_key: args.api_key,
        engine: match args.engine {
            EngineArg::Noweb => Engine::Noweb,
            EngineArg::Gows => Engine::Gows,
            EngineArg::Webjs => Engine::Webjs,
        },
        release: if args.old { Release::V2026_4_1 } else { Release::V2026_6_1 },
        base_url: args.base_url,
        ..if args.fast { Config::fast() } else { Config::default() }
    };
    let mut running = Simulator::start(config).await?;
    if let Some(phone) = &args.sample {
        let now_ms = jiff::Timestamp::now().as_millisecond();
        let filled = indaba_simulator::sample::fill(running.url(), phone, now_ms).await?;
        tracing::info!("{} customers have written {} sample messages", filled.customers, filled.messages);
    }
    // A line that a script can wait for and read the port from.
    println!("simulator listening on {}", running.url());
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).context("listen for SIGTERM")?;
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
        () = running.ended() => anyhow::bail!("the simulator stopped by itself"),
    }
    running.stop().await;
    Ok(())
}
