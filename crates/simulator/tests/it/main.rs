//! The simulator, spoken to as the server speaks to it: over HTTP only.

mod captures;
mod engines;
mod evolution;
mod faults;
mod hooks;
mod house;
mod meta;
mod people;
mod phone;
mod sessions;
mod story;
