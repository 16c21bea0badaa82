//! `indaba-bench`: the figures of docs/benchmarks.md, and a large sample workspace. `scripts/bench` builds and runs it.
use anyhow::{Context, Result, bail};
use clap::{Parser, Subcommand};
use indaba::db::{Db, Settings};
use indaba_bench::{
    Measured, bare,
    calls::Calls,
    fan, layer, process,
    reading::Counting,
    seed, serve,
    sitting::{PARTS, Sitting, fresh},
    table::Table,
};
use std::{env, fs, path::PathBuf, process::ExitCode, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

#[global_allocator]
static ALLOCATOR: Counting<mimalloc::MiMalloc> = Counting(mimalloc::MiMalloc);

/// Measures Indaba and the machine it runs on, in one sitting.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measures, and prints one table. PostgreSQL's lines when TEST_POSTGRES names a superuser (scripts/postgres run …).
    Run {
        /// With five million messages, too.
        #[arg(long)]
        full: bool,
        /// How long each rate is measured.
        #[arg(long, default_value_t = 5.0)]
        seconds: f64,
        /// Less than 1: fewer rows, sockets and seconds, for a quick look that proves nothing.
        #[arg(long, default_value_t = 1.0)]
        scale: f64,
        /// Only these parts, with commas.
        #[arg(long, value_delimiter = ',', value_parser = clap::builder::PossibleValuesParser::new(PARTS))]
        only: Vec<String>,
        /// The server; the one beside this program.
        #[arg(long)]
        server: Option<PathBuf>,
        /// Where to write, on the disk that is to be measured; a directory of its own is made there and removed.
        #[arg(long)]
        scratch: Option<PathBuf>,
    },
    /// Fills an empty data directory with conversations, and says how to sign in.
    Seed {
        /// Made if it is not there.
        #[arg(long)]
        data_dir: PathBuf,
        /// How many conversations, each with a contact of its own.
        #[arg(long, default_value_t = 100_000)]
        conversations: u64,
        /// How many messages in all.
        #[arg(long, default_value_t = 500_000)]
        messages: u64,
    },
    /// The database layer alone.
    Layer {
        /// How long each rate is measured.
        #[arg(default_value_t = 3.0)]
        seconds: f64,
    },
    /// The callers' process.
    #[command(hide = true)]
    Call { calls: String },
    /// axum alone.
    #[command(hide = true)]
    Bare,
    /// A hook route alone.
    #[command(hide = true)]
    Route { url: String },
    /// The live stream's server.
    #[command(hide = true)]
    Live { dir: PathBuf },
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let _ = rustls::crypto::ring::default_provider().install_default();
    match run(cli.command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("indaba-bench: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<()> {
    if let Command::Call { calls } = command {
        return serde_json::from_str::<Calls>(&calls)?.serve();
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            Command::Bare => fan::serve_bare().await,
            Command::Route { url } => bare::serve(url).await,
            Command::Live { dir } => serve::serve_live(&dir).await,
            Command::Seed { data_dir, conversations, messages } => sow(data_dir, conversations, messages).await,
            Command::Layer { seconds } => database(Duration::from_secs_f64(seconds)).await,
            Command::Run { full, seconds, scale, only, server, scratch } => {
                let program = match server {
                    Some(program) => program,
                    None => env::current_exe()?.with_file_name("indaba"),
                };
                if !program.exists() {
                    bail!("there is no {}: build it first (scripts/bench does)", program.display());
                }
                let scratch =
                    scratch.unwrap_or_else(env::temp_dir).join(format!("indaba-bench-{}", std::process::id()));
                fs::create_dir_all(&scratch)?;
                let (run, postgres) = (Duration::from_secs_f64(seconds), env::var("TEST_POSTGRES").ok());
                let mut sitting = Sitting {
                    program,
                    scratch: scratch.clone(),
                    postgres,
                    run,
                    scale,
                    full,
                    only,
                    table: Table::default(),
                };
                let measured = tokio::select! {
                    measured = sitting.run() => measured,
                    () = told_to_stop() => {
                        process::end_all();
                        Err(anyhow::anyhow!("stopped"))
                    }
                };
                println!("\n{}", sitting.table.text());
                fs::remove_dir_all(&scratch)?;
                measured
            }
            Command::Call { .. } => unreachable!("it has a runtime of its own"),
        }
    })
}

async fn told_to_stop() {
    let interrupted = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! { _ = terminate.recv() => {} _ = interrupted => {} },
        Err(_) => drop(interrupted.await),
    }
}

async fn sow(data_dir: PathBuf, conversations: u64, messages: u64) -> Result<()> {
    fs::create_dir_all(&data_dir)?;
    let data_dir = data_dir.canonicalize()?;
    let settings: Vec<(&str, String)> =
        env::var("INDABA_DATABASE_URL").ok().map(|url| ("INDABA_DATABASE_URL", url)).into_iter().collect();
    let seeded = seed::seed(&data_dir, conversations, messages, &settings)
        .await
        .context("seed (a data directory that was used before is not filled again)")?;
    println!("{conversations} conversations with {messages} messages in {:.1} s", seeded.took.as_secs_f64());
    println!("start    INDABA_DATA_DIR={} indaba serve", data_dir.display());
    println!("sign in  {} with the password {}", seeded.account.email, seeded.account.password);
    println!("API key  {}", seeded.account.key);
    println!("number   {} (its gateway was a simulator that has ended)", seeded.number.id);
    Ok(())
}

fn line(name: &str, measured: &Measured) {
    println!("{name:<44} {measured}");
}

/// The layer on both databases.
async fn database(run: Duration) -> Result<()> {
    let dir = env::temp_dir().join(format!("indaba-bench-{}", std::process::id()));
    fs::create_dir_all(&dir)?;
    let done = async {
        let db = layer::open(Settings::in_dir(dir.join("db")))?;
        of("SQLite", &db, run).await?;
        let Ok(admin) = env::var("TEST_POSTGRES") else {
            println!("PostgreSQL is left out: TEST_POSTGRES is not set (scripts/postgres run …)");
            return Ok(());
        };
        let url = tokio::task::spawn_blocking(move || fresh(&admin)).await??;
        let db = layer::open(Settings { url: Some(url), ..Settings::in_dir(&dir) })?;
        of("PostgreSQL", &db, run).await
    }
    .await;
    fs::remove_dir_all(&dir)?;
    done
}

async fn of(name: &str, db: &Db, run: Duration) -> Result<()> {
    for callers in [1, 16, 64, 256] {
        line(&format!("{name}: units of 3 statements, {callers} callers"), &layer::writes(db, callers, run).await?);
    }
    line(&format!("{name}: pages of 50 out of 50,000"), &layer::pages(db, 50_000, run).await?);
    let closing = db.clone();
    Ok(tokio::task::spawn_blocking(move || closing.close()).await?)
}
