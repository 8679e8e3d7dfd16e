//! Secrets that are shown once: kept in memory for the session that made them until its
//! next page shows them, never in an address, a cookie, the store or the log. What restarts
//! or waits too long has forgotten them.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use domain::id::{PersonId, TokenId};
use domain::reach::ChannelKind;

/// How long a secret waits for the page that shows it.
const WAITS: TimeDelta = TimeDelta::minutes(2);

/// A secret just made.
pub enum Secret {
    /// A service token.
    Token {
        /// Its reference.
        id: TokenId,
        /// `mst_…`.
        secret: String,
        /// When it ends.
        expires_at: DateTime<Utc>,
    },
    /// Somebody's password.
    Password {
        /// Whose.
        person: PersonId,
        /// What to tell them.
        password: String,
    },
    /// The address of a calendar.
    Calendar {
        /// Whose.
        person: PersonId,
        /// The whole address, its secret in it.
        url: String,
    },
    /// The secret of a signed webhook that takes notices.
    Outlet {
        /// What the channel is called.
        name: String,
        /// `msk_…`.
        secret: String,
    },
    /// The code of a test, to be passed on by the channel that is tested.
    Code {
        /// Whose channel.
        person: PersonId,
        /// Six digits.
        code: String,
        /// Of what kind the channel is.
        kind: ChannelKind,
        /// Its number, name or address.
        address: String,
    },
}

/// The secrets that wait, one a session.
#[derive(Default)]
pub struct Notes(Mutex<HashMap<String, (DateTime<Utc>, Secret)>>);

/// Says how many there are and nothing of them.
impl std::fmt::Debug for Notes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Notes").field(&self.0.lock().unwrap_or_else(PoisonError::into_inner).len()).finish()
    }
}

impl Notes {
    /// Keeps a secret for a session's next page.
    pub fn keep(&self, session: &str, secret: Secret, now: DateTime<Utc>) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        notes.retain(|_, (at, _)| now - *at < WAITS);
        notes.insert(session.to_owned(), (now, secret));
    }

    /// Takes the session's secret, if it is the one wanted; after that nobody has it.
    pub fn take(&self, session: &str, wanted: impl FnOnce(&Secret) -> bool, now: DateTime<Utc>) -> Option<Secret> {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, secret) = notes.get(session)?;
        if now - *at >= WAITS {
            notes.remove(session);
            return None;
        }
        if !wanted(secret) {
            return None;
        }
        notes.remove(session).map(|(_, secret)| secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password() -> Secret {
        Secret::Password { person: PersonId(1), password: "hunter2".into() }
    }

    #[test]
    fn a_secret_is_shown_once_to_its_session_and_soon() {
        let notes = Notes::default();
        let now = DateTime::UNIX_EPOCH;
        notes.keep("mine", password(), now);
        assert!(!format!("{notes:?}").contains("hunter2"));
        assert!(notes.take("other", |_| true, now).is_none());
        assert!(notes.take("mine", |_| false, now).is_none(), "another page leaves it");
        assert!(notes.take("mine", |_| true, now).is_some());
        assert!(notes.take("mine", |_| true, now).is_none(), "once");
        notes.keep("mine", password(), now);
        assert!(notes.take("mine", |_| true, now + WAITS).is_none(), "soon");
    }
}
