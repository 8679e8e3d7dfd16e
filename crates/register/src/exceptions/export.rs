//! The register of exceptions, row by row, for files.

use domain::can::{Action, Relation, can};

use super::list::{Line, lines};
use super::stored::{COLUMNS, with_parts};
use crate::args;
use crate::change::By;
use crate::db::Reads;
use crate::error::Error;

/// How many are read at a time.
pub const BATCH: i64 = 200;

/// The next exceptions after a number, oldest first, with where each stands at the moment. Empty
/// when there are no more.
pub async fn after(reads: &mut impl Reads, by: By<'_>, number: i64) -> Result<Vec<Line>, Error> {
    can(by.actor, Action::ExceptionRead, Relation::None)?;
    let sql = format!("SELECT {COLUMNS} FROM exception e WHERE e.id > $1 ORDER BY e.id LIMIT {BATCH}");
    let rows = reads.rows(sql, args![number]).await?;
    let kept = with_parts(reads, &rows).await?;
    lines(reads, by, kept).await
}
