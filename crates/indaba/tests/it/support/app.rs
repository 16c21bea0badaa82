//! A running server without its front door: for stories about the floor.
use async_trait::async_trait;
use indaba::{
    Error, Result,
    app::{App, Parts},
    bus,
    clock::{Clock, Time},
    config::Config,
    db::Db,
    http::who::{Credential, Identify, Who},
    secrets::Secrets,
};
use std::sync::Arc;

/// 2026-11-20T07:00:00Z, a Friday.
pub const MORNING: Time = Time(1_795_158_000_000);

/// The parts put together around a database. The clock stands at [`MORNING`]; nobody is known.
pub fn app(db: &Db) -> App {
    app_with(db, Clock::held(MORNING), Arc::new(Nobody))
}

/// The same with another clock, and someone who knows people.
pub fn app_with(db: &Db, clock: Clock, identify: Arc<dyn Identify>) -> App {
    App::new(Parts {
        config: Config::load(None, []).expect("the defaults"),
        clock,
        db: db.clone(),
        bus: Arc::new(bus::Memory::default()),
        secrets: Secrets::random(),
        identify,
    })
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
