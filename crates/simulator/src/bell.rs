//! Tells open phone pages that something changed. Losing a ring costs a page one reload of its data.

use serde_json::Value;
use tokio::sync::broadcast;

/// The bell.
#[derive(Clone)]
pub struct Bell(broadcast::Sender<String>);

impl Default for Bell {
    fn default() -> Self {
        Bell(broadcast::Sender::new(256))
    }
}

impl Bell {
    /// Tells everyone who listens.
    pub fn ring(&self, what: &Value) {
        // Nobody listens: nothing to tell.
        if self.0.receiver_count() > 0 {
            let _ = self.0.send(what.to_string());
        }
    }

    /// Listens from now on.
    pub fn listen(&self) -> broadcast::Receiver<String> {
        self.0.subscribe()
    }
}
