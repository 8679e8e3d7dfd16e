//! Word within this process that something became due at an instant, for the scheduler. Other
//! processes on the same database are not heard here: the scheduler also looks by itself.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use tokio::sync::broadcast;

/// So many changes are kept for a scheduler that is busy; one that missed some looks anew.
const KEPT: usize = 256;

static RUNG: LazyLock<broadcast::Sender<DateTime<Utc>>> = LazyLock::new(|| broadcast::channel(KEPT).0);

/// Hears from now on of every instant at which something was made due here.
pub fn listen() -> broadcast::Receiver<DateTime<Utc>> {
    RUNG.subscribe()
}

/// Says that something is due at an instant.
pub(crate) fn ring(at: Option<DateTime<Utc>>) {
    if let Some(at) = at {
        // Nobody listening is no failure.
        let _ = RUNG.send(at);
    }
}
