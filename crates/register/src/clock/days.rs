//! The posture of each day: what the counters said when it had ended. A day that nobody was there
//! to keep stays missing.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::assignment::RuntimeOwner;
use domain::can::{Action, Actor, Relation, can};
use domain::posture::{HISTORY_DAYS, day_to_keep};

use super::begin;
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, DbError, Reads, marks};
use crate::error::Error;
use crate::posture::facets;

/// Asks an index for the last day that was kept.
pub const LAST: &str = "SELECT MAX(day) FROM posture_day";

fn parsed(day: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(day, "%Y-%m-%d").ok()
}

/// The last day that was kept, or else the day before the first event: of what was before, there
/// is nothing to keep.
pub(crate) async fn last(reads: &mut impl Reads, now: DateTime<Utc>) -> Result<NaiveDate, DbError> {
    let rows = reads.rows(LAST, args![]).await?;
    let day: Option<String> = rows.first().map(|r| r.get(0)).transpose()?.flatten();
    if let Some(day) = day.as_deref().and_then(parsed) {
        return Ok(day);
    }
    let rows = reads.rows("SELECT at FROM audit_event WHERE seq = 1", args![]).await?;
    let first: Option<DateTime<Utc>> = rows.first().map(|r| r.get(0)).transpose()?;
    Ok(first.map_or(now, |at| at - TimeDelta::days(1)).date_naive())
}

/// What the counters say at this moment, in one statement: a counter that turned is counted once.
async fn figures(reads: &mut impl Reads, now: DateTime<Utc>) -> Result<BTreeMap<String, i64>, DbError> {
    let facets = facets();
    let list = marks(2, facets.len());
    let sql = format!(
        "SELECT x.facet, CAST(SUM(x.n) AS BIGINT) FROM (SELECT facet, n FROM tally WHERE facet IN {list} \
         UNION ALL SELECT facet, delta FROM turn WHERE at <= $1 AND facet IN {list}) x GROUP BY x.facet"
    );
    let mut args = args![now];
    args.extend(facets.iter().map(|f| Arg::from(f.as_str())));
    // What nothing counts under is nought, and recorded so.
    let mut out: BTreeMap<String, i64> = facets.into_iter().map(|f| (f, 0)).collect();
    for r in reads.rows(sql, args).await? {
        out.insert(r.get(0)?, r.get::<i64>(1)?.max(0));
    }
    Ok(out)
}

/// Keeps the day that has just ended, once. Answers whether it did.
pub(crate) async fn keep(db: &Db, now: DateTime<Utc>) -> Result<bool, Error> {
    let muster = Actor::muster();
    let mut change = begin(db, &muster, now).await?;
    let Some(day) = day_to_keep(last(&mut change.tx, now).await?, now) else { return Ok(false) };
    let figures = figures(&mut change.tx, now).await?;
    let day = day.to_string();
    let rows = figures.into_iter().map(|(facet, n)| args![&day, facet, n]).collect();
    change.tx.insert("posture_day", &["day", "facet", "n"], rows, "ON CONFLICT (day, facet) DO NOTHING").await?;
    change.commit().await?;
    Ok(true)
}

/// The posture of a day: how many agents counted under each facet, or that it was not recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// The UTC day.
    pub day: NaiveDate,
    /// The counters at its end; `None` where it was not recorded.
    pub figures: Option<BTreeMap<String, i64>>,
}

/// How many agents ran that nobody could stop, on each day from one on that was recorded, the oldest
/// first.
pub async fn unstoppable(db: &Db, by: By<'_>, from: NaiveDate) -> Result<Vec<(NaiveDate, i64)>, Error> {
    can(by.actor, Action::PostureRead, Relation::None)?;
    let facets: Vec<String> = RuntimeOwner::NOBODY.iter().map(|s| format!("stop:running:{s}")).collect();
    let sql = format!(
        "SELECT day, CAST(SUM(n) AS BIGINT) FROM posture_day WHERE facet IN {} AND day >= $1 GROUP BY day ORDER BY day",
        marks(2, facets.len())
    );
    let mut list = args![from.to_string()];
    list.extend(facets.into_iter().map(Arg::from));
    let rows = db.all(sql, list).await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        out.extend(parsed(&r.get::<String>(0)?).zip(Some(r.get(1)?)));
    }
    Ok(out)
}

/// The posture of the days from one to another, both included, the oldest first: from the first
/// that was ever recorded, each of them. At most [`HISTORY_DAYS`].
pub async fn history(db: &Db, by: By<'_>, from: NaiveDate, to: NaiveDate) -> Result<Vec<Day>, Error> {
    can(by.actor, Action::PostureRead, Relation::None)?;
    if from > to {
        return Err(Error::field("/from", "The first day lies after the last."));
    }
    if (to - from).num_days() >= HISTORY_DAYS {
        return Err(Error::field("/from", format!("At most {HISTORY_DAYS} days at once.")));
    }
    let first = db.one("SELECT MIN(day) FROM posture_day", args![]).await?;
    let first: Option<String> = first.map(|r| r.get(0)).transpose()?.flatten();
    let Some(first) = first.as_deref().and_then(parsed) else { return Ok(Vec::new()) };
    let sql = "SELECT day, facet, n FROM posture_day WHERE day >= $1 AND day <= $2 ORDER BY day, facet";
    let mut kept: BTreeMap<NaiveDate, BTreeMap<String, i64>> = BTreeMap::new();
    for r in db.all(sql, args![from.to_string(), to.to_string()]).await? {
        if let Some(day) = parsed(&r.get::<String>(0)?) {
            kept.entry(day).or_default().insert(r.get(1)?, r.get(2)?);
        }
    }
    // Days that are not over are no gap.
    let until = to.min(by.now.date_naive().pred_opt().unwrap_or(to));
    Ok(from
        .max(first)
        .iter_days()
        .take_while(|d| *d <= until)
        .map(|day| Day { day, figures: kept.remove(&day) })
        .collect())
}
