//! A stop of many that did not reach all of them: the server that wrote it ended, or some agents
//! were not its presser's to stop, or came since. Told from what was stopped, never from a note
//! that somebody meant to stop more.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use super::radius::{Over, Scope, Shared};
use crate::args;
use crate::change::By;
use crate::db::Db;
use crate::error::Error;

/// How long a stop of many is told beside the agents that it did not reach.
pub const TOLD_FOR: TimeDelta = TimeDelta::hours(24);

/// The last stop of everything that uses something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pressed {
    /// When the last agent was stopped by it.
    pub at: DateTime<Utc>,
    /// By whom: a reference, or `cli`.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// The newest stop among the agents that use something and that the actor sees, if it was pressed
/// for all of them within [`TOLD_FOR`] and nobody has reviewed it.
pub async fn last(db: &Db, by: By<'_>, shared: &Shared) -> Result<Option<Pressed>, Error> {
    let scope = Scope::of(by.actor)?;
    let mut reads = db;
    let over = Over::new(&mut reads, by, shared, scope).await?;
    let sql = format!(
        "SELECT MAX((SELECT MAX(z.id) FROM stopping z WHERE z.agent_id = a.id AND z.at >= a.state_at)) {}",
        over.from()
    );
    let newest = db.one(sql, over.args).await?.map(|r| r.get::<Option<i64>>(0)).transpose()?.flatten();
    let Some(newest) = newest else { return Ok(None) };
    let row = db
        .one(
            "SELECT z.at, z.stopped_by, z.reason, e.after FROM stopping z JOIN audit_event e ON e.id = z.event_id \
             WHERE z.id = $1 AND z.at > $2",
            args![newest, by.now - TOLD_FOR],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let after: Value = serde_json::from_str(&row.get::<String>(3)?).unwrap_or_default();
    if after["everything_that_uses"] != shared.called() {
        return Ok(None);
    }
    Ok(Some(Pressed { at: row.get(0)?, by: row.get(1)?, reason: row.get(2)? }))
}
