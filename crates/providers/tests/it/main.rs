//! Every provider against captures of its real peer, against faults, and against what nobody would send.

#[path = "../../../../tests/broken.rs"]
mod broken;
mod cloud;
mod evolution;
mod faults;
mod fixtures;
mod house;
mod meta;
mod mutations;
mod peer;
mod signatures;
mod simulator;
mod story;
