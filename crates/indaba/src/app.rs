//! What every handler and every job has at hand: one value, cheap to clone.
use crate::{
    blobs::{Blobs, Disk},
    bus::{self, Bus},
    clock::Clock,
    config::Config,
    db::{Db, Settings},
    events::Live,
    http::{limits::Limits, who::Identify},
    instances::routes::HookRoutes,
    messages::Intake,
    net::Net,
    passwords::Hasher,
    secrets::Secrets,
};
use secrecy::ExposeSecret;
use std::{ops::Deref, sync::Arc};
use tokio_util::sync::CancellationToken;

/// The running server.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// What it is made of.
pub struct Parts {
    /// What the operator has set.
    pub config: Config,
    /// The time, or a test's.
    pub clock: Clock,
    /// All rows.
    pub db: Db,
    /// The bell between nodes.
    pub bus: Arc<dyn Bus>,
    /// Media and exports.
    pub blobs: Blobs,
    /// How much room they have.
    pub disk: Disk,
    /// The way out to other servers.
    pub net: Net,
    /// The way out to pages that anybody may have named.
    pub pages: Net,
    /// Where hooks go.
    pub hook_routes: HookRoutes,
    /// Takes hooks in.
    pub intake: Intake,
    /// Seals what must be read again.
    pub secrets: Secrets,
    /// Counts requests.
    pub limits: Limits,
    /// Makes and checks hashes of passwords.
    pub hasher: Hasher,
    /// Says whom a credential names.
    pub identify: Arc<dyn Identify>,
    /// The open live streams.
    pub live: Live,
    /// Cancelled when the server is to stop: take no more work, finish or give back what is in hand.
    pub stop: CancellationToken,
}

/// What differs between a server and a test: everything else is made from it by [`App::assemble`].
pub struct Basis {
    /// What the operator has set.
    pub config: Config,
    /// The time, or a test's.
    pub clock: Clock,
    /// All rows.
    pub db: Db,
    /// The bell between nodes.
    pub bus: Arc<dyn Bus>,
    /// Seals what must be read again.
    pub secrets: Secrets,
    /// Makes and checks hashes of passwords.
    pub hasher: Hasher,
}

impl Basis {
    /// What the configuration says, on the machine's clock. Blocks for some milliseconds. Errors: a sentence for the operator.
    pub fn open(config: Config) -> Result<Basis, String> {
        std::fs::create_dir_all(&config.data_dir)
            .map_err(|e| format!("cannot make the data directory {}: {e}", config.data_dir.display()))?;
        let settings = Settings {
            url: config.database_url.as_ref().map(|url| url.expose_secret().to_owned()),
            synchronous: config.database.sqlite_sync,
            readers: config.database.sqlite_readers,
            connections: config.database.postgres_connections,
            ..Settings::in_dir(&config.data_dir)
        };
        let db = Db::open(&settings).map_err(|e| e.to_string())?;
        let secrets = Secrets::load(config.secret_key.as_ref(), &config.data_dir)?;
        let bus = bus::open(settings.url.as_deref()).map_err(|e| e.to_string())?;
        Ok(Basis { config, clock: Clock::System, db, bus, secrets, hasher: Hasher::new() })
    }
}

impl App {
    /// Makes the other parts and puts all together: the one place where a part is added. `identify` comes from the rooms.
    /// Errors: a sentence for the operator.
    pub async fn assemble(
        basis: Basis,
        identify: impl FnOnce(&Arc<dyn Bus>) -> Arc<dyn Identify>,
    ) -> Result<App, String> {
        let Basis { config, clock, db, bus, secrets, hasher } = basis;
        db.keep_time(clock.clone());
        bus::attach(&bus, &db);
        let (keys, now) = (secrets.clone(), clock.now());
        db.system("introduce the keys", move |tx| keys.introduce(tx, now)).await.map_err(|e| e.to_string())?;
        let (net, limits, identify) =
            (Net::new(&config.private_hosts)?, Limits::new(&config.limits, db.dialect()), identify(&bus));
        let pages = Net::new(&config.links.private_hosts).map_err(|why| format!("links.{why}"))?;
        let blobs = Blobs::directory(&config.data_dir.join("blobs")).map_err(|e| e.to_string())?;
        let (disk, live, stop) = (Disk::of(&config.data_dir, clock.clone()), Live::default(), CancellationToken::new());
        let hook_routes = HookRoutes::default();
        let intake = Intake::new(&db, config.limits.hooks_per_minute);
        Ok(App(Arc::new(Parts {
            config,
            clock,
            db,
            bus,
            blobs,
            disk,
            net,
            pages,
            hook_routes,
            intake,
            secrets,
            limits,
            hasher,
            identify,
            live,
            stop,
        })))
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
