//! Waves: what came in, when, who answers for it, and until when its gaps may wait.

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::id::{PersonId, WaveId};

use crate::args;
use crate::change::By;
use crate::db::{Db, DbError, Row};
use crate::error::Error;

/// One import that changed something.
#[derive(Debug, Clone)]
pub struct Wave {
    /// Its reference.
    pub id: WaveId,
    /// What it is called: the file's name.
    pub title: String,
    /// Its source.
    pub source: String,
    /// SHA-256 of the file.
    pub file_sha256: String,
    /// Who answers for it.
    pub owner: Option<(PersonId, String)>,
    /// Until when its gaps count as onboarding.
    pub target_at: DateTime<Utc>,
    /// When it was applied.
    pub at: DateTime<Utc>,
    /// Rows of the file.
    pub rows: i64,
    /// Rows that became agents.
    pub new: i64,
    /// Rows that changed an agent.
    pub changed: i64,
    /// Rows that changed nothing.
    pub unchanged: i64,
    /// Rows that were refused.
    pub refused: i64,
}

const SELECT: &str = "SELECT w.id, w.title, w.source, w.file_sha256, w.owner_id, p.name, w.target_at, w.at, w.row_count, \
     w.created, w.changed, w.unchanged, w.refused FROM wave w LEFT JOIN person p ON p.id = w.owner_id";

fn read(r: &Row) -> Result<Wave, DbError> {
    let owner: Option<PersonId> = r.get(4)?;
    let name: Option<String> = r.get(5)?;
    Ok(Wave {
        id: r.get(0)?,
        title: r.get(1)?,
        source: r.get(2)?,
        file_sha256: r.get(3)?,
        owner: owner.zip(name),
        target_at: r.get(6)?,
        at: r.get(7)?,
        rows: r.get(8)?,
        new: r.get(9)?,
        changed: r.get(10)?,
        unchanged: r.get(11)?,
        refused: r.get(12)?,
    })
}

/// The newest waves.
pub async fn waves(db: &Db, by: By<'_>, most: i64) -> Result<Vec<Wave>, Error> {
    can(by.actor, Action::ImportRun, Relation::None)?;
    let rows = db.all(format!("{SELECT} ORDER BY w.id DESC LIMIT $1"), args![most]).await?;
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}

/// One wave.
pub async fn wave(db: &Db, by: By<'_>, id: WaveId) -> Result<Wave, Error> {
    can(by.actor, Action::ImportRun, Relation::None)?;
    let row = db.one(format!("{SELECT} WHERE w.id = $1"), args![id]).await?;
    row.as_ref().map(read).transpose()?.ok_or_else(|| Error::NotFound(format!("import {id}")))
}
