//! How many duties a person is asked about again, for the navigation of every page: counted once
//! a minute, and again after whatever they press, since counting walks what they own.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Actor, Relation, can};
use domain::id::PersonId;
use register::assignments::confirm;
use register::{Db, Error};

/// How long a count is told again.
const HOLDS: TimeDelta = TimeDelta::minutes(1);

/// The last counts, by person.
#[derive(Debug, Default)]
pub struct Due(Mutex<HashMap<PersonId, (DateTime<Utc>, i64)>>);

impl Due {
    /// How many duties wait for this actor to say that they are still theirs, as counted within
    /// the last minute; none for who is never asked.
    pub async fn of(&self, db: &Db, actor: &Actor, now: DateTime<Utc>) -> Result<i64, Error> {
        let Some(person) = actor.person_id() else { return Ok(0) };
        if can(actor, Action::AssignmentConfirm, Relation::Owner).is_err() {
            return Ok(0);
        }
        if let Some(count) = self.told(person, now) {
            return Ok(count);
        }
        let count = confirm::due_count(db, now, person).await?;
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|_, (at, _)| now - *at < HOLDS);
        counts.insert(person, (now, count));
        Ok(count)
    }

    /// Counts again next time.
    pub fn forget(&self, person: PersonId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&person);
    }

    fn told(&self, person: PersonId, now: DateTime<Utc>) -> Option<i64> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&person).filter(|(at, _)| *at <= now && now - *at < HOLDS).map(|(_, count)| *count)
    }
}
