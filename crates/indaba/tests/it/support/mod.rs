//! What every story stands on.
#![allow(dead_code)] // each story uses a part of it
mod app;
mod databases;
mod house;
pub mod office;
mod shop;
pub mod source;

#[allow(unused_imports)]
pub use app::{Nobody, app, app_with};
#[allow(unused_imports)]
pub use databases::{ScratchDir, each_database, each_database_with, scratch_dir, superuser};
#[allow(unused_imports)]
pub use house::{Caller, House, KEY, MORNING, PASSWORD, Reply, each_db, each_db_with};
#[allow(unused_imports)]
pub use shop::{ASHA, BRISK, OWN, Shop, config_at, in_a_shop, in_a_shop_with, in_an_open_shop, written};
