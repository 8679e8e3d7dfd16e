//! The figures of the register: counters, moved in the transaction of the change, and what the
//! clock alone has changed since. Nothing is counted over all exceptions.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::exception::Exception;

use crate::args;
use crate::change::{By, Change};
use crate::db::{Arg, Db, DbError, marks};
use crate::error::Error;

/// How far rows are counted that no counter holds.
const COUNTED: i64 = 10_000;

/// In force.
const ACTIVE: &str = "exception:active";
/// In force, and renewals of others.
const RENEWED: &str = "exception:renewed";
/// The days on which those in force began, since the epoch, added up.
const BEGAN: &str = "exception:began";

/// The figures at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// In force.
    pub active: i64,
    /// In force, and over within seven days.
    pub within_7: i64,
    /// In force, and over within thirty.
    pub within_30: i64,
    /// Expired, and what they excepted is still so.
    pub breached: i64,
    /// Asked, and not decided.
    pub requested: i64,
    /// In force, and renewals of others.
    pub renewed: i64,
    /// Whole days since those in force began, on average; `None` when none is.
    pub mean_age: Option<i64>,
}

fn day(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(86_400)
}

/// What an exception counts under while it is in force.
fn counts(exception: &Exception, from: DateTime<Utc>) -> Vec<(&'static str, i64)> {
    let mut out = vec![(ACTIVE, 1), (BEGAN, day(from))];
    if exception.renewals > 0 {
        out.push((RENEWED, 1));
    }
    out
}

/// Notes when an exception that has just been approved begins and ends to count.
pub(crate) async fn approved(change: &mut Change<'_>, exception: &Exception) -> Result<(), DbError> {
    let Some(span) = exception.span() else { return Ok(()) };
    let mut rows: Vec<Vec<Arg>> = Vec::new();
    for (facet, n) in counts(exception, span.from) {
        if span.from <= change.by.now {
            change.tally.add(facet, n);
        } else {
            rows.push(args![span.from, exception.id, facet, n]);
        }
        rows.extend(span.until.map(|until| args![until, exception.id, facet, -n]));
    }
    change.tx.insert("exception_turn", &["at", "exception_id", "facet", "delta"], rows, "").await?;
    Ok(())
}

/// Notes that an exception ends before its time: `exception` is as it was before.
pub(crate) async fn ended(change: &mut Change<'_>, exception: &Exception) -> Result<(), DbError> {
    let now = change.by.now;
    let sql = "DELETE FROM exception_turn WHERE exception_id = $1 AND at > $2";
    change.tx.run(sql, args![exception.id, now]).await?;
    let Some(span) = exception.span().filter(|s| s.holds_at(now)) else { return Ok(()) };
    for (facet, n) in counts(exception, span.from) {
        change.tally.add(facet, -n);
    }
    Ok(())
}

/// Adds what has turned to the counters, so that reads need not add it up for ever. Answers how
/// many rows were folded. Nothing shown depends on its having run.
pub async fn fold(db: &Db, now: DateTime<Utc>) -> Result<usize, Error> {
    if db.one("SELECT 1 FROM exception_turn WHERE at <= $1 LIMIT 1", args![now]).await?.is_none() {
        return Ok(0);
    }
    let actor = domain::can::Actor::muster();
    let mut change = Change::begin(db, By { actor: &actor, now }).await?;
    let sql = "DELETE FROM exception_turn WHERE at <= $1 RETURNING facet, delta";
    let rows = change.tx.all(sql, args![now]).await?;
    for r in &rows {
        change.tally.add(&r.get::<String>(0)?, r.get(1)?);
    }
    let folded = rows.len();
    change.commit().await?;
    Ok(folded)
}

/// The figures now, for whoever reads every exception.
pub async fn figures(db: &Db, by: By<'_>) -> Result<Figures, Error> {
    can(by.actor, Action::ExceptionRead, Relation::None)?;
    let facets = [ACTIVE, RENEWED, BEGAN];
    let mut n: BTreeMap<String, i64> = BTreeMap::new();
    let sql = format!("SELECT facet, n FROM tally WHERE facet IN {}", marks(1, facets.len()));
    for r in db.all(sql, facets.iter().map(|f| Arg::from(*f)).collect()).await? {
        *n.entry(r.get(0)?).or_default() += r.get::<i64>(1)?;
    }
    let sql = "SELECT facet, CAST(SUM(delta) AS BIGINT) FROM exception_turn WHERE at <= $1 GROUP BY facet";
    for r in db.all(sql, args![by.now]).await? {
        *n.entry(r.get(0)?).or_default() += r.get::<i64>(1)?;
    }
    let get = |facet: &str| n.get(facet).copied().unwrap_or(0);
    let active = get(ACTIVE);
    let mean_age = (active > 0).then(|| day(by.now) - get(BEGAN).div_euclid(active));
    Ok(Figures {
        active,
        within_7: within(db, by.now, 7).await?,
        within_30: within(db, by.now, 30).await?,
        breached: breached(db, by.now).await?,
        requested: requested(db, by.now).await?,
        renewed: get(RENEWED),
        mean_age,
    })
}

async fn count(db: &Db, sql: String, list: Vec<Arg>) -> Result<i64, Error> {
    Ok(db.one(sql, list).await?.map(|r| r.get(0)).transpose()?.unwrap_or(0))
}

/// Those in force that end within so many days: a stretch of the index by their ends.
async fn within(db: &Db, now: DateTime<Utc>, days: i64) -> Result<i64, Error> {
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM exception e WHERE e.approved_at IS NOT NULL AND e.ended_at IS NULL \
         AND e.expires_at > $1 AND e.expires_at <= $2 AND e.starts_at <= $1 LIMIT {COUNTED}) AS w"
    );
    count(db, sql, args![now, now + TimeDelta::days(days)]).await
}

/// Those that expired while what they excepted is still so.
async fn breached(db: &Db, now: DateTime<Utc>) -> Result<i64, Error> {
    let sql = format!(
        "SELECT COUNT(DISTINCT w.exception_id) FROM (SELECT b.exception_id FROM exception_breach b \
         WHERE b.from_at <= $1 AND b.until_at > $1 LIMIT {COUNTED}) AS w"
    );
    count(db, sql, args![now]).await
}

async fn requested(db: &Db, now: DateTime<Utc>) -> Result<i64, Error> {
    let sql = format!(
        "SELECT COUNT(*) FROM (SELECT 1 FROM exception e WHERE e.approved_at IS NULL AND e.rejected_at IS NULL \
         AND e.lapses_at > $1 LIMIT {COUNTED}) AS w"
    );
    count(db, sql, args![now]).await
}
