//! Indaba: a self-hosted, multi-tenant WhatsApp workspace. The floor comes first, then the rooms that stand on it.
#[macro_use]
pub mod id;
pub mod app;
pub mod bus;
pub mod clock;
pub mod db;
pub mod error;
pub mod request;

pub use error::{Error, Result};
