//! Posture: the dashboard's numbers, read from counters and what has turned since.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::assignment::RuntimeOwner;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::WaveId;
use domain::posture::{DutyCoverage, Posture, UnitPosture, WavePosture};

use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, marks};
use crate::error::Error;

/// What the clock alone changed since the counters were last folded, by facet.
pub async fn turned(db: &Db, now: DateTime<Utc>) -> Result<BTreeMap<String, i64>, Error> {
    db.all("SELECT facet, CAST(SUM(delta) AS BIGINT) FROM turn WHERE at <= $1 GROUP BY facet", args![now])
        .await?
        .iter()
        .map(|r| Ok((r.get(0)?, r.get(1)?)))
        .collect()
}

/// The counters that the dashboard reads, and that are kept of each day.
pub(crate) fn facets() -> Vec<String> {
    let mut facets: Vec<String> = vec!["agents".into()];
    facets.extend(Lifecycle::ALL.iter().map(|s| format!("state:{s}")));
    for s in RuntimeOwner::ALL {
        facets.extend([format!("owner:{s}"), format!("stop:running:{s}"), format!("stop:idle:{s}")]);
    }
    facets.extend(Duty::ALL.iter().flat_map(|d| [format!("required:{d}"), format!("held:{d}")]));
    facets.extend(FindingKey::ALL.iter().flat_map(|k| [format!("finding:{k}"), format!("excepted:{k}")]));
    facets
}

/// The dashboard's numbers at this moment.
pub async fn posture(db: &Db, by: By<'_>) -> Result<Posture, Error> {
    can(by.actor, Action::PostureRead, Relation::None)?;
    let facets = facets();
    let sql = format!("SELECT facet, n FROM tally WHERE facet IN {}", marks(1, facets.len()));
    let mut n: BTreeMap<String, i64> = BTreeMap::new();
    for r in db.all(sql, facets.iter().map(|f| Arg::from(f.as_str())).collect()).await? {
        n.insert(r.get(0)?, r.get(1)?);
    }
    for (facet, delta) in turned(db, by.now).await? {
        *n.entry(facet).or_default() += delta;
    }
    let get = |facet: String| n.get(&facet).copied().unwrap_or(0);
    Ok(Posture {
        as_of: by.now,
        total: get("agents".into()),
        by_state: Lifecycle::ALL.iter().map(|s| (s.key().to_owned(), get(format!("state:{s}")))).collect(),
        runtime_owner: RuntimeOwner::ALL.iter().map(|s| (s.key().to_owned(), get(format!("owner:{s}")))).collect(),
        duties: Duty::ALL
            .iter()
            .map(|d| DutyCoverage { duty: *d, required: get(format!("required:{d}")), held: get(format!("held:{d}")) })
            .collect(),
        findings: FindingKey::ALL.iter().map(|k| (k.key().to_owned(), get(format!("finding:{k}")))).collect(),
        excepted: FindingKey::ALL.iter().map(|k| (k.key().to_owned(), get(format!("excepted:{k}")))).collect(),
        running: RuntimeOwner::ALL.iter().map(|s| (*s, get(format!("stop:running:{s}")))).collect(),
        idle: RuntimeOwner::ALL.iter().map(|s| (*s, get(format!("stop:idle:{s}")))).collect(),
        onboarding: onboarding(db, by.now).await?,
        units: units(db).await?,
        waves: waves(db, by.now).await?,
    })
}

/// Business units by how many agents run that nobody can stop, worst first. A unit is called
/// as its first agent writes it: the counters know only its folded form.
async fn units(db: &Db) -> Result<Vec<UnitPosture>, Error> {
    let rows = db
        .all(
            "SELECT t.n, (SELECT r.n FROM tally r WHERE r.facet = 'unit-running:' || substr(t.facet, 11)), \
             (SELECT a.business_unit FROM agent a WHERE a.unit_folded = substr(t.facet, 11) ORDER BY a.id LIMIT 1) \
             FROM tally t WHERE t.facet >= 'unit-open:' AND t.facet < 'unit-open;' AND t.n > 0 \
             ORDER BY t.n DESC, t.facet LIMIT 20",
            Vec::new(),
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok(UnitPosture {
                unstoppable: r.get(0)?,
                running: r.get::<Option<i64>>(1)?.unwrap_or(0),
                business_unit: r.get::<Option<String>>(2)?.unwrap_or_default(),
            })
        })
        .collect()
}

/// Gaps that wait for the target date of their import, by finding.
pub(crate) async fn onboarding(db: &Db, now: DateTime<Utc>) -> Result<BTreeMap<String, i64>, Error> {
    let rows = db
        .all(
            "SELECT t.facet, t.n FROM wave w JOIN tally t ON t.facet >= 'wave-gap:IM-' || w.id || ':' \
             AND t.facet < 'wave-gap:IM-' || w.id || ';' WHERE w.target_at > $1 AND t.n > 0 \
             UNION ALL SELECT t.facet, t.delta FROM turn t JOIN wave w ON t.facet >= 'wave-gap:IM-' || w.id || ':' \
             AND t.facet < 'wave-gap:IM-' || w.id || ';' WHERE t.at <= $1 AND w.target_at > $1",
            args![now],
        )
        .await?;
    let mut out = BTreeMap::new();
    for r in rows {
        let facet: String = r.get(0)?;
        if let Some((_, key)) = facet.rsplit_once(':') {
            *out.entry(key.to_owned()).or_insert(0) += r.get::<i64>(1)?;
        }
    }
    Ok(out)
}

async fn waves(db: &Db, now: DateTime<Utc>) -> Result<Vec<WavePosture>, Error> {
    let rows = db
        .all(
            "SELECT w.id, w.title, p.name, w.target_at, t.n FROM wave w LEFT JOIN person p ON p.id = w.owner_id \
             LEFT JOIN tally t ON t.facet = 'wave:IM-' || w.id WHERE w.target_at > $1 ORDER BY w.target_at, w.id LIMIT 10",
            args![now],
        )
        .await?;
    rows.iter()
        .map(|r| {
            Ok(WavePosture {
                id: r.get::<WaveId>(0)?.to_string(),
                title: r.get(1)?,
                owner: r.get::<Option<String>>(2)?.unwrap_or_default(),
                target: r.get(3)?,
                agents: r.get::<Option<i64>>(4)?.unwrap_or(0),
            })
        })
        .collect()
}
