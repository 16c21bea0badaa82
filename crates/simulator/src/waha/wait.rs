//! Calls wait for their session before they give up: 5 s for it to run, 10 s for the right status.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};

use super::{refusal::Refusal, session::Status};
use crate::sim::Sim;

/// A session that is ready for a call.
pub struct Ready {
    /// Its name.
    pub session: String,
    /// The business's phone; empty while it waits for a scan.
    pub line: String,
}

/// Waits for a session to be WORKING.
pub async fn working(sim: &Arc<Sim>, name: &str) -> Result<Ready, Refusal> {
    status(sim, name, Status::Working).await
}

/// Waits for a session to have this status.
pub async fn status(sim: &Arc<Sim>, name: &str, wanted: Status) -> Result<Ready, Refusal> {
    let mut changes = sim.waha.changed.subscribe();
    let begin = Instant::now();
    loop {
        let seen = {
            let mut state = sim.waha.state();
            match state.sessions.get_mut(name) {
                Some(session) if session.status() == wanted => {
                    session.activity = Some(sim.now_ms());
                    return Ok(Ready { session: name.to_owned(), line: session.line().unwrap_or_default().to_owned() });
                }
                Some(session) => Some(session.status()),
                None => None,
            }
        };
        // One that does not run gets 5 s; one that runs gets 10, also with a status that cannot lead there.
        let patience = if seen.is_none_or(|status| status == Status::Stopped) { 5 } else { 10 };
        if timeout_at(begin + sim.seconds(patience), changes.changed()).await.is_err() {
            return Err(match seen {
                None => Refusal::NoSession(name.to_owned()),
                Some(status) => {
                    Refusal::Status { session: name.to_owned(), status: status.name(), expected: vec![wanted.name()] }
                }
            });
        }
    }
}
