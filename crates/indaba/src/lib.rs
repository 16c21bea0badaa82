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
pub mod health;
pub mod http;
pub mod instances;
pub mod jobs;
pub mod net;
pub mod passwords;
pub mod request;
pub mod search;
pub mod secrets;

pub mod audit;
pub mod contacts;
pub mod conversations;
pub mod media;
pub mod messages;
pub mod quick_replies;
pub mod registry;
pub mod tenants;
pub mod users;

pub mod demo;
pub mod router;
pub mod serve;

pub use error::{Error, Result};
