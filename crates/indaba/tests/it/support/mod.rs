//! What every story stands on.
#![allow(dead_code)] // each story uses a part of it
mod app;
mod databases;
pub mod source;

#[allow(unused_imports)]
pub use app::{MORNING, Nobody, app, app_with};
#[allow(unused_imports)]
pub use databases::{ScratchDir, each_database, each_database_with, scratch_dir};
