//! Pages that are told what is new while they are open, by server-sent events: how many there
//! may be, and that they end when Muster stops.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// So many pages of one session are told at a time: a browser keeps few connections to a site.
const OF_ONE: usize = 2;
/// So many pages are told in all.
const OF_ALL: usize = 2_000;

/// The open pages.
#[derive(Debug, Clone)]
pub struct Live(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sessions: Mutex<HashMap<String, usize>>,
    closing: watch::Sender<bool>,
}

/// A page that is told, until this is dropped.
#[derive(Debug)]
pub struct Seat {
    live: Live,
    session: String,
}

impl Default for Live {
    fn default() -> Self {
        Self(Arc::new(Inner { sessions: Mutex::default(), closing: watch::Sender::new(false) }))
    }
}

impl Live {
    /// A place for one more page of a session; `None` when there is none, and the page asks again
    /// from time to time.
    pub fn seat(&self, session: &str) -> Option<Seat> {
        let mut sessions = self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if sessions.values().sum::<usize>() >= OF_ALL || sessions.get(session).is_some_and(|n| *n >= OF_ONE) {
            return None;
        }
        *sessions.entry(session.to_owned()).or_default() += 1;
        Some(Seat { live: self.clone(), session: session.to_owned() })
    }

    /// Muster stops: every page is let go.
    pub fn close(&self) {
        self.0.closing.send_replace(true);
    }

    /// Comes when Muster stops.
    pub async fn closed(&self) {
        let mut closing = self.0.closing.subscribe();
        // The sender lives as long as this.
        let _ = closing.wait_for(|closing| *closing).await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut sessions = self.live.0.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = sessions.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                sessions.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn places_are_few_and_come_back() {
        let live = Live::default();
        let first = live.seat("a");
        let second = live.seat("a");
        assert!(first.is_some() && second.is_some() && live.seat("a").is_none());
        assert!(live.seat("b").is_some());
        drop(first);
        assert!(live.seat("a").is_some());
        live.close();
        live.closed().await;
    }
}
