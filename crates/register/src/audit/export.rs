//! The record as JSON Lines, piece by piece: a long record takes no more memory than a
//! short one, and a slow reader holds no connection.

use domain::can::{Action, Relation, can};

use super::{following, head};
use crate::change::By;
use crate::db::Db;
use crate::error::Error;

/// How many events one piece holds at most.
const PIECE: i64 = 500;

/// An export under way.
#[derive(Debug)]
pub struct Export {
    db: Db,
    after: i64,
    to: i64,
}

/// Begins an export of every event after a position (0 for all), as far as the record
/// reaches now.
pub async fn export(db: &Db, by: By<'_>, after: i64) -> Result<Export, Error> {
    can(by.actor, Action::AuditRead, Relation::None)?;
    if after < 0 {
        return Err(Error::field("/after", "An export begins after an event's number, or after 0."));
    }
    let to = head(db, by).await?.seq;
    Ok(Export { db: db.clone(), after, to })
}

impl Export {
    /// How many events are still to come.
    pub fn left(&self) -> i64 {
        (self.to - self.after).max(0)
    }

    /// The next events, each a line of JSON; `None` at the end.
    pub async fn lines(&mut self) -> Result<Option<String>, Error> {
        let Some(events) = self.events().await? else { return Ok(None) };
        let mut out = String::new();
        for event in &events {
            out.push_str(&serde_json::json!(event).to_string());
            out.push('\n');
        }
        Ok(Some(out))
    }

    /// The next events; `None` at the end.
    pub async fn events(&mut self) -> Result<Option<Vec<domain::record::Event>>, Error> {
        let mut db = &self.db;
        let events = following(&mut db, self.after, self.to, PIECE).await?;
        Ok(events.last().map(|e| e.seq).map(|last| {
            self.after = last;
            events
        }))
    }
}
