//! The HTTP floor: what every route has in common. Rooms take from here extractors, answers and pages; `router.rs` puts it around them.
pub mod client;
pub mod csv;
pub mod docs;
pub mod extract;
pub mod idempotency;
pub mod limits;
pub mod origin;
pub mod page;
pub mod problem;
pub mod server;
pub mod stack;
pub mod ui;
pub mod who;

pub use extract::{Check, Json, Path, Query, given};
pub use page::{After, Page};
pub use problem::Problem;
pub use who::{Actor, Admin, Agent, Anyone, Manager, Role, Viewer, Who};
