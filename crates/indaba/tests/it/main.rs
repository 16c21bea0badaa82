//! Stories: each runs on SQLite and on PostgreSQL (see `support/databases.rs`).
mod db;
mod jobs;
mod support;
