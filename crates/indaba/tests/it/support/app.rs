//! A running server without its front door: for stories about the floor.
use super::MORNING;
use async_trait::async_trait;
use indaba::{
    Error, Result,
    app::{App, Basis},
    bus,
    clock::Clock,
    config::Config,
    db::Db,
    http::who::{Credential, Identify, Who},
    passwords::Hasher,
    secrets::Secrets,
};
use std::sync::{Arc, Once};

/// The parts put together around a database. The clock stands at [`MORNING`]; nobody is known.
pub async fn app(db: &Db) -> App {
    app_with(db, Clock::held(MORNING), Arc::new(Nobody)).await
}

/// The same with another clock, and someone who knows people.
pub async fn app_with(db: &Db, clock: Clock, identify: Arc<dyn Identify>) -> App {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| drop(rustls::crypto::ring::default_provider().install_default()));
    let dir = std::env::temp_dir().join(format!("indaba-test-{}", std::process::id()));
    let dir = ("INDABA_DATA_DIR".to_owned(), dir.to_str().unwrap().to_owned());
    let basis = Basis {
        config: Config::load(None, [dir]).expect("the defaults"),
        clock,
        db: db.clone(),
        bus: Arc::new(bus::Memory::default()),
        secrets: Secrets::random(),
        hasher: Hasher::cheap(),
    };
    App::assemble(basis, |_| identify).await.expect("the parts fit together")
}

/// Nobody is known.
pub struct Nobody;

#[async_trait]
impl Identify for Nobody {
    async fn identify(&self, _: &App, _: &Credential) -> Result<Who> {
        Err(Error::Unauthorized)
    }

    async fn again(&self, _: &App, _: &Who) -> Result<Who> {
        Err(Error::Unauthorized)
    }
}
