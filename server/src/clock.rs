//! The only place that reads the system's clock. Everything else is given `now`.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::watch;

/// Nothing is slept for longer at once.
const FURTHEST: Duration = Duration::from_hours(24);

/// Where `now` comes from.
#[derive(Debug, Clone, Default)]
pub enum Clock {
    /// The system.
    #[default]
    System,
    /// A test: it stands still until it is moved.
    Set(Arc<Still>),
}

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub struct Still {
    micros: AtomicI64,
    moved: watch::Sender<()>,
}

impl Clock {
    /// A clock that stands still.
    pub fn set(at: DateTime<Utc>) -> Self {
        Self::Set(Arc::new(Still { micros: AtomicI64::new(at.timestamp_micros()), moved: watch::Sender::new(()) }))
    }

    /// The present moment, cut to microseconds: what both engines keep faithfully.
    #[expect(clippy::disallowed_methods, reason = "this is where the time comes from")]
    pub fn now(&self) -> DateTime<Utc> {
        let micros = match self {
            Self::System => Utc::now().timestamp_micros(),
            Self::Set(still) => still.micros.load(Ordering::Relaxed),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or_default()
    }

    /// Moves a clock that stands still; the system's goes its own way.
    pub fn advance(&self, by: TimeDelta) {
        if let Self::Set(still) = self {
            still.micros.fetch_add(by.num_microseconds().unwrap_or_default(), Ordering::Relaxed);
            still.moved.send_replace(());
        }
    }

    /// Waits until an instant: of a clock that stands still, until it was moved there.
    pub async fn reaches(&self, at: DateTime<Utc>) {
        match self {
            Self::System => {
                let left = (at - self.now()).to_std().unwrap_or_default();
                tokio::time::sleep(left.min(FURTHEST)).await;
            }
            Self::Set(still) => {
                let mut moved = still.moved.subscribe();
                while self.now() < at && moved.changed().await.is_ok() {}
            }
        }
    }
}
