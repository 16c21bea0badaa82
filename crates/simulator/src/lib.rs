//! The other side of Indaba: WhatsApp gateways that need no WhatsApp, over real HTTP.
//!
//! The simulator stands outside the server and is spoken to only over HTTP, by the real provider code. One
//! [`World`](world::World) of people, chats and messages is shared by all gateways it plays; each gateway is a module
//! of its own that turns what happens in the world into its hooks, and its API calls into deeds in the world. Today
//! these are [`waha`], [`evolution`] and, under `/graph`, Meta's own [`cloud`]. A phone page at `/` and the control API
//! under `/control` play the people. Apart from all this, the vendors of language models are simulated under `/llm` ([`llm`]). See README.md.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use indaba_simulator::{Config, Simulator};
//! let simulator = Simulator::start(Config::fast()).await?;
//! println!("WAHA is at {}", simulator.url());
//! simulator.stop().await;
//! # Ok(()) }
//! ```

mod bell;
mod chance;
pub mod cloud;
mod code;
mod control;
pub mod evolution;
mod faults;
mod gate;
mod hooks;
mod link;
pub mod llm;
mod ogg;
mod phone;
mod range;
mod recording;
pub mod sample;
mod serve;
mod sim;
pub mod waha;
pub mod world;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::Context as _;
use axum::{Json, Router, extract::Request, http::header, middleware, response::Response, routing::get};
use tokio::task::JoinHandle;
use tower::ServiceExt as _;

pub use sim::Sim;
pub use waha::{Engine, Release, Webhook};
pub use world::{AckPolicy, Clock, Step};

/// How a simulator is set up. All of it can be left as it is.
#[derive(Clone)]
pub struct Config {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The key that callers must send: WAHA's as `X-Api-Key`, Evolution's as `apikey`.
    pub api_key: String,
    /// Which of WAHA's engines answers.
    pub engine: Engine,
    /// Which WAHA this is.
    pub release: Release,
    /// What WAHA believes its own address to be: the start of every media URL. Wrong on purpose, as it often is.
    pub base_url: String,
    /// Webhooks for every session, besides those in the sessions' own configuration.
    pub global_hooks: Vec<Webhook>,
    /// How long one of WAHA's seconds lasts: waits between retries, the life of a file, the wait for a status.
    pub second: Duration,
    /// How long the first QR code lives, and each after it. They are real times.
    pub qr_life: [Duration; 2],
    /// How long one of Evolution's codes lives: a real time, too.
    pub evolution_qr_life: Duration,
    /// How long a session takes from STARTING to its next status.
    pub link_delay: Duration,
    /// How long a fetched file can be had, in WAHA's seconds; 0 is for ever.
    pub files_lifetime_s: u64,
    /// When ticks move.
    pub acks: AckPolicy,
    /// The time.
    pub clock: Clock,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            api_key: "simulator".into(),
            engine: Engine::Noweb,
            release: Release::V2026_6_1,
            base_url: "http://localhost:3000".into(),
            global_hooks: Vec::new(),
            second: Duration::from_secs(1),
            qr_life: [Duration::from_secs(60), Duration::from_secs(20)],
            evolution_qr_life: Duration::from_secs(45),
            link_delay: Duration::from_millis(700),
            files_lifetime_s: 180,
            acks: AckPolicy::default(),
            clock: Arc::new(|| jiff::Timestamp::now().as_millisecond()),
        }
    }
}

impl Config {
    /// For tests: everything that waits, waits a hundredth. Ticks up to DEVICE come at once, READ when the chat is
    /// opened.
    pub fn fast() -> Config {
        Config {
            second: Duration::from_millis(10),
            link_delay: Duration::from_millis(5),
            files_lifetime_s: 0,
            acks: AckPolicy { server: Step::After(1), device: Step::After(1), read: Step::Open, played: Step::Open },
            ..Config::default()
        }
    }
}

/// The program; see [`Simulator::start`].
pub struct Simulator;

/// A simulator that runs. Dropping it stops it at once.
pub struct Running {
    address: SocketAddr,
    url: String,
    sim: Arc<Sim>,
    models: llm::Models,
    task: JoinHandle<()>,
}

impl Simulator {
    /// Listens and answers until it is stopped. It is ready when this returns.
    pub async fn start(config: Config) -> anyhow::Result<Running> {
        // Another part of the same program may have chosen already; then its choice holds.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener =
            serve::Lines::bind(config.listen).await.with_context(|| format!("listen on {}", config.listen))?;
        let address = listener.address()?;
        let sim = Sim::new(config)?;
        let models = llm::Models::new();
        let app = router(sim.clone(), models.clone()).into_make_service_with_connect_info::<serve::Line>();
        let (closed, open) = (sim.closed.clone(), listener.open());
        let task = tokio::spawn(async move {
            tokio::select! {
                end = axum::serve(listener, app) => if let Err(error) = end { tracing::error!(%error, "the simulator stopped") },
                // Not a graceful stop: a caller that is hanging by our own fault would hold it up for ever.
                () = closed.cancelled() => {}
            }
            open.cut();
        });
        Ok(Running { address, url: format!("http://{address}"), sim, models, task })
    }
}

impl Running {
    /// Where it answers, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same as an address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the simulated Evolution answers.
    pub fn evolution_url(&self) -> String {
        format!("{}{}", self.url, evolution::MOUNT)
    }

    /// The simulated model vendors, whose base is `{url}/llm`: what they do next, and what they were asked.
    pub fn models(&self) -> &llm::Models {
        &self.models
    }

    /// Resolves when it has stopped by itself.
    pub async fn ended(&mut self) {
        // A task that has been waited for may not be waited for again.
        if !self.task.is_finished() {
            let _ = (&mut self.task).await;
        }
    }

    /// Stops it: connections are cut and hooks that wait for a retry are lost, as when a real gateway is killed.
    pub async fn stop(mut self) {
        self.sim.closed.cancel();
        self.ended().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.sim.closed.cancel();
    }
}

/// The answer with its `Date` by the simulator's clock, which may be wrong on purpose.
fn dated(sim: &Sim, mut answer: Response) -> Response {
    let now = jiff::Timestamp::from_millisecond(sim.now_ms()).ok();
    let text = now.and_then(|now| jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&now).ok());
    if let Some(date) = text.and_then(|text| text.parse().ok()) {
        answer.headers_mut().insert(header::DATE, date);
    }
    answer
}

fn router(sim: Arc<Sim>, models: llm::Models) -> Router {
    let clock = sim.clone();
    Router::new()
        .route("/ready", get(async || Json(serde_json::json!({"status": "ready"}))))
        .nest("/control", control::router(sim.clone()))
        .nest("/llm", llm::router(models))
        .nest_service(evolution::MOUNT, evolution::router(sim.clone()))
        .merge(phone::router())
        // Everything else is a gateway's, also what it does not know.
        .fallback_service(gateways(sim))
        .layer(middleware::map_response(move |answer: Response| std::future::ready(dated(&clock, answer))))
}

/// Meta where a path is one of Meta's, and else WAHA.
fn gateways(sim: Arc<Sim>) -> Router {
    let (waha, meta) = (waha::router(sim.clone()), cloud::router(sim));
    Router::new().fallback(move |request: Request| {
        let gateway = if cloud::is_ours(request.uri().path()) { meta.clone() } else { waha.clone() };
        gateway.oneshot(request)
    })
}
