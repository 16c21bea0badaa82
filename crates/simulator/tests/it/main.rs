//! The simulator, spoken to as the server speaks to it: over HTTP only.

mod house;
mod story;
