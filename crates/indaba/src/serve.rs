//! The running server, from opening the database to the last answer: `indaba serve`, the demo and the tests start it here.
use crate::{
    app::{App, Basis},
    config::{Config, LogFormat},
    db::Dialect,
    health,
    http::{limits, server},
    instances::{gateways, routes},
    jobs, registry, router,
    users::Identities,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{net::TcpListener, task::JoinSet};
use tracing_subscriber::EnvFilter;

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Everything.
    All,
    /// Answers requests; leaves the jobs to others.
    Web,
    /// Does the jobs; answers only about its health.
    Worker,
}

impl Part {
    fn answers(self) -> bool {
        self != Part::Worker
    }

    fn works(self) -> bool {
        self != Part::Web
    }
}

/// How long requests that are being answered may take once the server stops.
const LAST: Duration = Duration::from_secs(7);

/// A server that runs.
pub struct Server {
    /// Its parts.
    pub app: App,
    /// Where it listens.
    pub address: SocketAddr,
    tasks: JoinSet<()>,
    worker: Option<jobs::Running>,
}

/// Puts the parts together with the rooms. Errors: a sentence for the operator.
pub async fn assemble(basis: Basis) -> Result<App, String> {
    let _ = rustls::crypto::ring::default_provider().install_default(); // the client for other servers panics without; a second time does no harm
    let app = App::assemble(basis, |bus| Arc::new(Identities::new(bus))).await?;
    gateways::from_config(&app, &app.config.gateway)
        .await
        .map_err(|e| format!("the gateway of the configuration: {e}"))?;
    tokio::spawn(routes::follow(app.clone(), app.stop.clone()));
    Ok(app)
}

impl Server {
    /// Starts what `part` says. With port 0 in `listen` it takes a free one, and says it is reached there.
    /// Errors: a sentence for the operator.
    pub async fn start(config: Config, part: Part) -> Result<Server, String> {
        let busy = |at: SocketAddr| move |e: std::io::Error| format!("cannot listen on {at}: {e}");
        let listener = TcpListener::bind(config.listen).await.map_err(busy(config.listen))?;
        let address = listener.local_addr().map_err(|e| e.to_string())?;
        let config = config.listening_at(address);
        let metrics = match config.metrics_listen() {
            Some(at) => Some(TcpListener::bind(at).await.map_err(busy(at))?),
            None => None,
        };
        health::recorder();
        let basis = tokio::task::spawn_blocking(move || Basis::open(config)).await.map_err(|e| e.to_string())??;
        let app = assemble(basis).await?;
        if app.db.dialect() == Dialect::Sqlite {
            app.db.system("take back what a crash left running", jobs::adopt).await.map_err(|e| e.to_string())?;
        }

        let mut tasks = JoinSet::new();
        let routes = if part.answers() { router::router(&app) } else { router::health_only(&app) };
        tasks.spawn(server::serve(listener, routes, app.stop.clone(), LAST));
        tasks.spawn(limits::share(app.clone(), app.stop.clone()));
        if let Some(listener) = metrics {
            let routes = axum::Router::new().route("/metrics", axum::routing::get(health::metrics_text));
            tasks.spawn(server::serve(listener, routes, app.stop.clone(), LAST));
        }
        let worker = part.works().then(|| {
            let (lease, workers) = (Duration::from_secs(app.config.jobs.lease_s), app.config.jobs.workers);
            let options = jobs::Options { workers, lease, ..jobs::Options::default() };
            jobs::start(app.clone(), Arc::new(registry::kinds()), options)
        });
        Ok(Server { app, address, tasks, worker })
    }

    /// Takes no more work, finishes what is in hand, closes the database.
    pub async fn stop(mut self) {
        self.app.stop.cancel();
        let answered = async { while self.tasks.join_next().await.is_some() {} };
        let worked = async {
            if let Some(worker) = self.worker {
                worker.stop().await;
            }
        };
        tokio::join!(answered, worked);
        let db = self.app.db.clone();
        let _ = tokio::task::spawn_blocking(move || db.close()).await;
    }
}

/// Log lines go to standard error, as the configuration says. Once, at start-up.
pub fn log(config: &Config) {
    let filter = EnvFilter::try_new(&config.log.filter).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.log.format {
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(true).with_span_list(false).init(),
        LogFormat::Text => lines.init(),
    }
}
