//! Word within this process that notices were written, for the sender and for open pages.
//! Other processes on the same database are not heard here: whoever listens also looks by
//! itself now and then.

use std::sync::{Arc, LazyLock};

use domain::id::PersonId;
use tokio::sync::broadcast;

/// So many changes are kept for a listener that is slow; one that missed some is told so.
const KEPT: usize = 256;

static WRITTEN: LazyLock<broadcast::Sender<Arc<[Option<PersonId>]>>> = LazyLock::new(|| broadcast::channel(KEPT).0);

/// Hears of every notice that is committed here from now on: whom it tells, `None` for the
/// organisation.
pub fn listen() -> broadcast::Receiver<Arc<[Option<PersonId>]>> {
    WRITTEN.subscribe()
}

/// Says that these were told.
pub(crate) fn say(told: Vec<Option<PersonId>>) {
    if !told.is_empty() {
        // Nobody listening is no failure.
        let _ = WRITTEN.send(told.into());
    }
}

/// Says that a notice of theirs was read, for their other open pages.
pub(crate) fn say_read(person: PersonId) {
    say(vec![Some(person)]);
}
