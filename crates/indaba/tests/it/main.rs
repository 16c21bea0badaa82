//! Stories: each runs on SQLite and on PostgreSQL (see `support/databases.rs`).
mod bus;
mod db;
mod each_route;
mod events;
mod hooks;
mod house;
mod http;
mod inbound;
mod jobs;
mod live;
mod numbers;
mod program;
mod secrets;
mod statements;
mod support;
mod users;
