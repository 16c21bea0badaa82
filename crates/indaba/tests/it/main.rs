//! Stories: each runs on SQLite and on PostgreSQL (see `support/databases.rs`).
mod bus;
mod db;
mod jobs;
mod statements;
mod support;
