//! The record: read, exported, checked. Nothing here writes; events are written by
//! [`crate::change`] with the change they account for.

mod export;
mod file;
mod list;
mod names;
mod verify;

pub use export::{Export, export};
pub use file::verify_file;
#[doc(hidden)]
pub use list::plan;
pub(crate) use list::since;
pub use list::{Filter, actions, history, list};
pub use names::names;
pub use verify::{Broken, Verified, verify};

use domain::can::{Action, Relation, can};
use domain::record::{Event, Head, timestamp};
use serde_json::Value;

use crate::args;
use crate::change::By;
use crate::db::{Db, DbError, Reads, Row, time};
use crate::error::Error;

/// The columns of an event as [`event`] reads them.
fn columns() -> String {
    crate::change::EVENT_COLUMNS.join(", ")
}

/// An event from a row of [`columns`]. What is not JSON any more is kept as text, so that
/// it is shown as it stands, and found not to give its hash.
fn event(row: &Row) -> Result<Event, DbError> {
    let json = |at: usize| -> Result<Value, DbError> {
        let text: String = row.get(at)?;
        Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
    };
    Ok(Event {
        seq: row.get(0)?,
        id: row.get(1)?,
        at: timestamp(time(row.get(2)?)),
        actor: row.get(3)?,
        capacity: row.get(4)?,
        action: row.get(5)?,
        subject: row.get(6)?,
        before: json(7)?,
        after: json(8)?,
        reason: row.get(9)?,
        prev: row.get(10)?,
        hash: row.get(11)?,
    })
}

/// The events that follow a position, at most so many.
async fn following(reads: &mut impl Reads, after: i64, to: i64, most: i64) -> Result<Vec<Event>, DbError> {
    let sql = format!("SELECT {} FROM audit_event WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3", columns());
    reads.rows(sql, args![after, to, most]).await?.iter().map(event).collect()
}

async fn stored_head(reads: &mut impl Reads) -> Result<Option<Head>, DbError> {
    let rows = reads.rows("SELECT seq, hash FROM chain_head WHERE id = 1", args![]).await?;
    rows.first().map(|r| Ok(Head { seq: r.get(0)?, hash: r.get(1)? })).transpose()
}

/// The last position and its hash: to be kept elsewhere, so that a record cut off later is
/// found.
pub async fn head(db: &Db, by: By<'_>) -> Result<Head, Error> {
    can(by.actor, Action::AuditRead, Relation::None)?;
    let mut reads = db;
    Ok(stored_head(&mut reads).await?.unwrap_or_default())
}
