//! The program: `indaba serve` and its small companions.
use clap::{Parser, Subcommand};
use indaba::{
    app::{App, Basis},
    config::Config,
    demo::Demo,
    id, registry, router,
    serve::{self, Part, Server},
    users,
};
use std::{path::PathBuf, process::ExitCode, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A self-hosted WhatsApp workspace.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// A file of settings; INDABA_… variables override it.
    #[arg(long, global = true, env = "INDABA_CONFIG")]
    config: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Runs the server until it is told to stop (SIGTERM, Ctrl-C).
    Serve {
        /// What this process does.
        #[arg(long, value_enum, default_value_t = Part::All, env = "INDABA_ROLE")]
        role: Part,
    },
    /// Runs the server and a simulated WhatsApp together, with sample data, until Ctrl-C. Everything is gone afterwards.
    Demo,
    /// Prints the OpenAPI document.
    Openapi,
    /// Shows an id in all its forms: TypeID, UUID, hex, and when it was made.
    Id {
        /// In any of them.
        id: String,
    },
    /// Makes a person the operator of this installation, who runs it and sees its health.
    Operator {
        /// The e-mail they signed up with.
        email: String,
        /// No longer, instead.
        #[arg(long)]
        remove: bool,
    },
    /// After a new key was put in front: seals with it everything that an older one had sealed, which may then be dropped.
    Reseal,
    /// Asks a running server whether it is ready; ends with 0 if it is. For containers.
    Health,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("indaba: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), String> {
    let settings = || Config::load(cli.config.as_deref(), Config::environment());
    match cli.command {
        Command::Openapi => {
            print!("{}", router::openapi());
            Ok(())
        }
        Command::Id { id } => {
            let told = id::describe(&id).ok_or("this is no id: give a TypeID, a UUID or 32 hex digits")?;
            println!("{told}");
            Ok(())
        }
        Command::Demo => runtime()?.block_on(demo(cli.config)),
        Command::Operator { email, remove } => runtime()?.block_on(operator(settings()?, email, !remove)),
        Command::Reseal => runtime()?.block_on(reseal(settings()?)),
        Command::Health => runtime()?.block_on(ask(settings()?)),
        Command::Serve { role } => {
            let config = settings()?;
            serve::log(&config);
            runtime()?.block_on(serve(config, role))
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, String> {
    // the HTTP clients need to know which cryptography they are to use
    let _ = rustls::crypto::ring::default_provider().install_default();
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|e| format!("no runtime: {e}"))
}

async fn demo(file: Option<PathBuf>) -> Result<(), String> {
    let mut terminate = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    let demo = Demo::start(file.as_deref(), Config::environment()).await?;
    println!("{}", demo.guide);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    demo.stop().await;
    Ok(())
}

async fn serve(config: Config, role: Part) -> Result<(), String> {
    let start = std::time::Instant::now();
    let mut terminate = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    let server = Server::start(config, role).await?;
    let (url, took_ms) = (server.app.config.public_url(), start.elapsed().as_millis());
    tracing::info!(listen = %server.address, took_ms, version = env!("CARGO_PKG_VERSION"), "ready at {url}");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
        () = server.app.db.died() => return Err("a database thread died of a defect: start again, and send us the log".into()),
    }
    tracing::info!("stopping: no more work is taken");
    match tokio::time::timeout(Duration::from_millis(9_500), server.stop()).await {
        Ok(()) => tracing::info!("stopped"),
        Err(_) => tracing::warn!("stopped before everything was finished; the next start puts it right"),
    }
    Ok(())
}

/// Opens the rows for a command. On SQLite the server must not be running.
async fn open(config: Config) -> Result<App, String> {
    let basis = tokio::task::spawn_blocking(move || Basis::open(config)).await.map_err(|e| e.to_string())??;
    serve::assemble(basis).await
}

async fn close(app: App) {
    let _ = tokio::task::spawn_blocking(move || app.db.close()).await;
}

async fn operator(config: Config, email: String, operator: bool) -> Result<(), String> {
    let app = open(config).await?;
    let of = email.clone();
    let found = app.db.system("name the operator", move |tx| users::set_operator(tx, &of, operator)).await;
    close(app).await;
    match found.map_err(|e| e.to_string())? {
        true if operator => println!("{email} is an operator now"),
        true => println!("{email} is no operator any more"),
        false => return Err(format!("nobody has signed up as {email}")),
    }
    Ok(())
}

async fn reseal(config: Config) -> Result<(), String> {
    let app = open(config).await?;
    let mut count = 0;
    for column in registry::SEALED {
        let mut next = Some([0; 16]);
        while let Some(after) = next {
            let secrets = app.secrets.clone();
            let (sealed, last) = app
                .db
                .system("seal with the new key", move |tx| secrets.reseal(tx, column, after))
                .await
                .map_err(|e| e.to_string())?;
            (count, next) = (count + sealed, last);
        }
    }
    close(app).await;
    println!("{count} secrets were sealed anew; the older keys may be dropped in a day");
    Ok(())
}

async fn ask(config: Config) -> Result<(), String> {
    let url = format!("http://{}/api/health/ready", config.listen);
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build();
    let answer = client.map_err(|e| e.to_string())?.get(&url).send().await.map_err(|e| e.to_string())?;
    match answer.status().is_success() {
        true => Ok(()),
        false => Err(format!("{url} answered {}", answer.status())),
    }
}
