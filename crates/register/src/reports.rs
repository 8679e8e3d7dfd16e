//! The posture report: what the counters say now and said on past days, by business unit too. It
//! reads counters and a few indexes, and never walks over the estate.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;

use crate::args;
use crate::change::By;
use crate::clock::days;
use crate::db::{Db, DbError, Reads};
use crate::error::Error;

/// The facet of a day that the demonstration made up.
pub const MADE_UP: &str = "made-up";

/// How far rows are counted that no counter holds.
const COUNTED: i64 = 10_000;
/// Most business units of a report.
const UNITS: usize = 200;

/// How old open approvals are: the name of the counter, and the days from which it counts.
pub const AGES: [(&str, i64); 4] =
    [("approval-age:15", 15), ("approval-age:8", 8), ("approval-age:3", 3), ("approval-age:0", 0)];

/// How long exceptions have left.
pub const LEFT: [&str; 4] =
    ["exception-left:breached", "exception-left:7", "exception-left:30", "exception-left:later"];

/// A business unit.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unit {
    /// As its first agent writes it; empty for agents without one.
    pub name: String,
    /// As the counters know it.
    pub folded: String,
    /// Agents that run.
    pub running: i64,
    /// Of these, those nobody can stop.
    pub unstoppable: i64,
    /// Agents that need each duty, retired ones apart, and how many of them have nobody for it.
    pub duties: BTreeMap<Duty, (i64, i64)>,
}

/// The report.
#[derive(Debug, Clone)]
pub struct Report {
    /// The moment.
    pub as_of: DateTime<Utc>,
    /// What the counters say now.
    pub now: BTreeMap<String, i64>,
    /// Business units, the worst first.
    pub units: Vec<Unit>,
    /// The days that were recorded, the oldest first.
    pub days: Vec<(NaiveDate, BTreeMap<String, i64>)>,
}

impl Report {
    /// The day with which it is compared: the last that was recorded until then.
    pub fn at(&self, day: NaiveDate) -> Option<&(NaiveDate, BTreeMap<String, i64>)> {
        self.days.iter().rev().find(|(d, _)| *d <= day)
    }

    /// What the counters said on each day, added up over facets; days that lack them all are left out.
    pub fn trend(&self, facets: &[String]) -> Vec<(NaiveDate, i64)> {
        self.days
            .iter()
            .filter_map(|(day, n)| {
                let found: Vec<i64> = facets.iter().filter_map(|f| n.get(f).copied()).collect();
                (!found.is_empty()).then(|| (*day, found.iter().sum()))
            })
            .collect()
    }
}

/// What is kept of a day beside the counters of the dashboard.
pub(crate) async fn beside(reads: &mut impl Reads, now: DateTime<Utc>) -> Result<BTreeMap<String, i64>, DbError> {
    let mut out = BTreeMap::new();
    let sql = "SELECT facet, n FROM tally WHERE (facet >= 'unit-running:' AND facet < 'unit-running;') \
               OR (facet >= 'unit-open:' AND facet < 'unit-open;')";
    for r in reads.rows(sql, args![]).await? {
        out.insert(r.get(0)?, r.get::<i64>(1)?.max(0));
    }
    let sql = format!(
        "SELECT opened_at FROM request WHERE outcome = '' AND kind IN ('approval', 'scope-change', 'resumption') \
         AND lapses_at > $1 LIMIT {COUNTED}"
    );
    for (facet, _) in AGES {
        out.insert(facet.to_owned(), 0);
    }
    for r in reads.rows(sql, args![now]).await? {
        let age = (now - r.get::<DateTime<Utc>>(0)?).num_days();
        if let Some((facet, _)) = AGES.iter().find(|(_, from)| age >= *from) {
            *out.entry((*facet).to_owned()).or_default() += 1;
        }
    }
    let sql = format!(
        "SELECT e.expires_at FROM exception e WHERE e.approved_at IS NOT NULL AND e.ended_at IS NULL \
         AND e.expires_at > $1 AND e.starts_at <= $1 LIMIT {COUNTED}"
    );
    for facet in LEFT {
        out.insert(facet.to_owned(), 0);
    }
    for r in reads.rows(sql, args![now]).await? {
        let left = r.get::<DateTime<Utc>>(0)? - now;
        let facet = if left <= TimeDelta::days(7) {
            LEFT[1]
        } else if left <= TimeDelta::days(30) {
            LEFT[2]
        } else {
            LEFT[3]
        };
        *out.entry(facet.to_owned()).or_default() += 1;
    }
    let sql = format!(
        "SELECT COUNT(DISTINCT w.exception_id) FROM (SELECT b.exception_id FROM exception_breach b \
         WHERE b.from_at <= $1 AND b.until_at > $1 LIMIT {COUNTED}) AS w"
    );
    for r in reads.rows(sql, args![now]).await? {
        out.insert(LEFT[0].to_owned(), r.get(0)?);
    }
    Ok(out)
}

/// The report of this moment, with the days from one on.
pub async fn posture(db: &Db, by: By<'_>, from: NaiveDate) -> Result<Report, Error> {
    can(by.actor, Action::PostureRead, Relation::None)?;
    let mut snapshot = db.snapshot().await?;
    let now = days::figures(&mut snapshot, by.now).await?;
    let units = units(&mut snapshot).await?;
    drop(snapshot);
    let days = days::history(db, by, from, by.now.date_naive()).await?;
    let days = days.into_iter().filter_map(|d| d.figures.map(|n| (d.day, n))).collect();
    Ok(Report { as_of: by.now, now, units, days })
}

async fn units(reads: &mut impl Reads) -> Result<Vec<Unit>, Error> {
    let mut found: BTreeMap<String, Unit> = BTreeMap::new();
    let sql = "SELECT facet, n FROM tally WHERE facet >= 'unit-' AND facet < 'unit.' AND n > 0 LIMIT 100000";
    for r in reads.rows(sql, args![]).await? {
        let (facet, n): (String, i64) = (r.get(0)?, r.get(1)?);
        let Some((what, rest)) = facet.split_once(':') else { continue };
        let (key, folded) = match what {
            "unit-needs" | "unit-vacant" => match rest.split_once(':') {
                Some(parts) => parts,
                None => continue,
            },
            _ => ("", rest),
        };
        let unit = found.entry(folded.to_owned()).or_default();
        match what {
            "unit-running" => unit.running = n,
            "unit-open" => unit.unstoppable = n,
            "unit-needs" => {
                let set: u16 = key.parse().unwrap_or(0);
                for duty in Duty::ALL.iter().filter(|d| Duty::is_in(**d, set)) {
                    unit.duties.entry(*duty).or_default().0 += n;
                }
            }
            "unit-vacant" => {
                if let Ok(duty) = key.parse::<Duty>() {
                    unit.duties.entry(duty).or_default().1 += n;
                }
            }
            _ => {}
        }
    }
    let mut out: Vec<Unit> = found.into_iter().map(|(folded, unit)| Unit { folded, ..unit }).collect();
    // As home has them; those where somebody can stop everything by what nobody holds.
    let gaps = |u: &Unit| if u.unstoppable > 0 { 0 } else { u.duties.values().map(|(_, vacant)| vacant).sum::<i64>() };
    out.sort_by_key(|u| (-u.unstoppable, -gaps(u), u.folded.clone()));
    out.truncate(UNITS);
    let asked: BTreeSet<&str> = out.iter().map(|u| u.folded.as_str()).collect();
    let mut names = BTreeMap::new();
    for folded in asked {
        let sql = "SELECT business_unit FROM agent WHERE unit_folded = $1 ORDER BY id LIMIT 1";
        if let Some(r) = reads.rows(sql, args![folded]).await?.first() {
            names.insert(folded.to_owned(), r.get::<String>(0)?);
        }
    }
    for unit in &mut out {
        unit.name = names.remove(&unit.folded).unwrap_or_default();
    }
    Ok(out)
}
