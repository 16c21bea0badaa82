//! Indaba: a self-hosted, multi-tenant WhatsApp workspace. The floor comes first, then the rooms that stand on it.
#[macro_use]
pub mod id;
#[macro_use]
pub mod db;
pub mod app;
pub mod blobs;
pub mod bus;
pub mod clock;
pub mod config;
pub mod error;
pub mod events;
pub mod http;
pub mod jobs;
pub mod net;
pub mod request;
pub mod secrets;

pub mod registry;
pub mod router;
pub mod search;

pub use error::{Error, Result};
