//! Coverage of frameworks: how many agents of which business unit stand how, read from counters
//! and what has turned since; and the rows behind each number.

pub mod mapping;
mod rows;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::coverage::{Counts, Evidence, Mapping, Share, Signature, by_node};
use domain::framework::Node;
use domain::text;

use crate::agents::assess::Judged;
use crate::agents::needs;
use crate::args;
use crate::change::By;
use crate::db::{Arg, Db, Reads};
use crate::error::Error;

pub use rows::{Query, Row, rows};

/// What the derived column holds for a retired agent: it is not counted.
const RETIRED: i64 = -1;

/// What coverage reads of an agent and its assessment.
pub fn evidence(j: &Judged) -> Evidence<'_> {
    Evidence {
        facts: &j.agent.facts,
        state: j.agent.state,
        approved: j.agent.approved.is_some(),
        findings: &j.assessment.findings,
        covers: &j.governance.covers,
    }
}

/// What the derived column holds.
pub(crate) fn stored(j: &Judged, now: DateTime<Utc>) -> i64 {
    evidence(j).signature(now).map_or(RETIRED, Signature::number)
}

/// The counter of agents of a business unit with a signature: `cover:37:claims`.
fn facet(signature: Signature, unit: &str) -> String {
    format!("cover:{}:{unit}", signature.number())
}

fn parsed(facet: &str) -> Option<(Signature, &str)> {
    let (signature, unit) = facet.strip_prefix("cover:")?.split_once(':')?;
    Some((Signature::kept(signature.parse().ok()?), unit))
}

/// The counter that an agent counts under; none once it is retired.
pub(crate) fn counter(j: &Judged, now: DateTime<Utc>) -> Option<String> {
    Some(facet(evidence(j).signature(now)?, &text::fold(&j.agent.facts.business_unit)))
}

/// What the clock alone will change of that.
pub(crate) fn turns(j: &Judged, now: DateTime<Utc>) -> Vec<(DateTime<Utc>, String, i64)> {
    let unit = text::fold(&j.agent.facts.business_unit);
    let both = |(at, from, to)| [(at, facet(from, &unit), -1), (at, facet(to, &unit), 1)];
    evidence(j).turns(now).into_iter().flat_map(both).collect()
}

/// A business unit that has agents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unit {
    /// As its first agent writes it; empty for agents without one.
    pub name: String,
    /// In the form in which units are compared.
    pub folded: String,
    /// Its agents, retired ones apart.
    pub agents: i64,
}

/// The agents that are counted, by business unit and signature.
#[derive(Debug, Clone)]
pub struct Estate {
    /// The moment.
    pub as_of: DateTime<Utc>,
    /// The business units, most agents first.
    pub units: Vec<Unit>,
    /// The shares of each.
    pub shares: Vec<Share>,
    /// Agents are there that were not assessed since coverage is counted: what is counted lacks
    /// them until the server has come to them.
    pub behind: bool,
    /// The rules of the nodes.
    pub mapping: Mapping,
}

impl Estate {
    /// The agents that are counted.
    pub fn agents(&self) -> i64 {
        self.units.iter().map(|u| u.agents).sum()
    }

    /// The place of a business unit, however it is written.
    pub fn unit(&self, name: &str) -> Option<usize> {
        let folded = text::fold(name);
        self.units.iter().position(|u| u.folded == folded)
    }

    /// How many agents stand how for a node.
    pub fn of_node(&self, node: &Node) -> Counts {
        let mut out = Counts::default();
        let Some((place, rule)) = self.mapping.of(node) else { return out };
        for share in &self.shares {
            let attested = self.units.get(share.unit).is_some_and(|u| self.mapping.attests(place, &u.folded));
            out.add(rule.standing(share.signature, attested), share.agents);
        }
        out
    }

    /// How many agents of each business unit stand how for each node: `[node][unit]`.
    pub fn by_node(&self) -> Vec<Vec<Counts>> {
        let attested =
            |node: usize, unit: usize| self.units.get(unit).is_some_and(|u| self.mapping.attests(node, &u.folded));
        by_node(&self.mapping, &self.shares, self.units.len(), attested)
    }
}

/// Counts the agents at this moment: counters, and what has turned since they were last folded.
pub async fn estate(db: &Db, by: By<'_>) -> Result<Estate, Error> {
    can(by.actor, Action::PostureRead, Relation::None)?;
    let mut reads = db.snapshot().await?;
    let mut counted: BTreeMap<String, i64> = BTreeMap::new();
    let sql = "SELECT facet, n FROM tally WHERE facet >= 'cover:' AND facet < 'cover;' AND n <> 0";
    for r in reads.rows(sql, args![]).await? {
        counted.insert(r.get(0)?, r.get(1)?);
    }
    let sql = "SELECT facet, CAST(SUM(delta) AS BIGINT) FROM turn \
               WHERE at <= $1 AND facet >= 'cover:' AND facet < 'cover;' GROUP BY facet";
    for r in reads.rows(sql, args![by.now]).await? {
        *counted.entry(r.get(0)?).or_default() += r.get::<i64>(1)?;
    }
    let mut units: BTreeMap<&str, i64> = BTreeMap::new();
    let all: Vec<(Signature, &str, i64)> = (counted.iter())
        .filter(|(_, n)| **n > 0)
        .filter_map(|(facet, n)| parsed(facet).map(|(signature, unit)| (signature, unit, *n)))
        .collect();
    for (_, unit, n) in &all {
        *units.entry(unit).or_default() += n;
    }
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for batch in units.keys().copied().collect::<Vec<_>>().chunks(500) {
        let values: Vec<String> = (1..=batch.len()).map(|n| format!("(CAST(${n} AS TEXT))")).collect();
        let sql = format!(
            "WITH v (unit) AS (VALUES {}) SELECT v.unit, (SELECT a.business_unit FROM agent a \
             WHERE a.unit_folded = v.unit ORDER BY a.id LIMIT 1) FROM v",
            values.join(", ")
        );
        for r in reads.rows(sql, batch.iter().map(|u| Arg::from(*u)).collect()).await? {
            names.insert(r.get(0)?, r.get::<Option<String>>(1)?.unwrap_or_default());
        }
    }
    let behind = needs::behind(&mut reads).await?;
    let mapping = Mapping::at(&mapping::present(&mut reads).await?.amendments, by.now);
    let mut listed: Vec<Unit> = units
        .iter()
        .map(|(folded, n)| Unit {
            name: names.get(*folded).cloned().unwrap_or_default(),
            folded: (*folded).to_owned(),
            agents: *n,
        })
        .collect();
    listed.sort_by(|a, b| b.agents.cmp(&a.agents).then_with(|| a.folded.cmp(&b.folded)));
    let places: BTreeMap<&str, usize> = listed.iter().enumerate().map(|(i, u)| (u.folded.as_str(), i)).collect();
    let shares = all
        .iter()
        .filter_map(|(signature, unit, n)| Some(Share { unit: *places.get(unit)?, signature: *signature, agents: *n }))
        .collect();
    Ok(Estate { as_of: by.now, units: listed, shares, behind, mapping })
}
