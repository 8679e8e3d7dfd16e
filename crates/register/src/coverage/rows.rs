//! The agents behind a number of the coverage, those alike next to each other.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::coverage::{ControlKey, Outcome, Signature, Standing};
use domain::framework::Node;
use domain::id::AgentId;
use domain::text;
use domain::tier::Tier;

use super::{Estate, estate, evidence, parsed};
use crate::agents::assess::judge;
use crate::args;
use crate::change::By;
use crate::db::{Db, Reads};
use crate::error::Error;
use crate::paging::{Cursor, Page, limit};

/// Which agents.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Those that stand so; all without.
    pub standing: Option<Standing>,
    /// Of this business unit, however it is written; empty is the unit of those without one.
    pub unit: Option<String>,
    /// The page.
    pub cursor: Option<String>,
    /// How many at most.
    pub limit: Option<i64>,
}

/// How a node stands for an agent, and why.
#[derive(Debug, Clone)]
pub struct Row {
    /// The agent.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// Its business unit.
    pub business_unit: String,
    /// Its tier.
    pub tier: Tier,
    /// How the node stands.
    pub standing: Standing,
    /// How each control that the node reads stands.
    pub controls: Vec<(ControlKey, Outcome)>,
    /// When the first of the exceptions that it reads ends.
    pub excepted_until: Option<DateTime<Utc>>,
}

const SORT: &str = "coverage";

/// A page of agents, by business unit, those alike together. Each is judged again at this moment:
/// what is shown is what was counted.
pub async fn rows(db: &Db, by: By<'_>, node: &Node, query: &Query) -> Result<Page<Row>, Error> {
    can(by.actor, Action::PostureRead, Relation::None)?;
    let limit = limit(query.limit)?;
    let counted = estate(db, by).await?;
    let Some((place, rule)) = counted.mapping.of(node) else { return Err(Error::NotFound(node.reference.clone())) };
    let stands = |unit: &str, signature| rule.standing(signature, counted.mapping.attests(place, unit));
    let fits = |unit: &str, signature| query.standing.is_none_or(|s| stands(unit, signature) == s);
    let unit = query.unit.as_deref().map(text::fold);
    let wanted = wanted(&counted, unit.as_deref(), fits);
    let total = wanted.values().sum();
    let from = query.cursor.as_deref().map(|c| Cursor::decode(c, SORT)).transpose()?;
    let edge = from.as_ref().map(edge).transpose()?;
    let mut reads = db.snapshot().await?;
    let moved = moved(&mut reads, by.now).await?;
    let mut found: Vec<(String, Signature, AgentId)> = Vec::new();
    // What the clock has moved and nobody has folded yet comes first: their column is of before.
    if edge.is_none() {
        found.extend(
            (moved.iter())
                .filter(|(_, (u, s))| fits(u, *s) && unit.as_ref().is_none_or(|unit| unit == u))
                .map(|(id, (u, s))| (u.clone(), *s, *id)),
        );
    }
    let at_head = found.len();
    let wants = |n: usize| i64::try_from(n - at_head).is_ok_and(|n| n <= limit);
    for (unit, signature) in wanted.keys() {
        let here = (unit.as_str(), *signature);
        let after = match &edge {
            Some((u, s, id)) if here == (u.as_str(), *s) => *id,
            Some((u, s, _)) if here < (u.as_str(), *s) => continue,
            _ => AgentId(0),
        };
        let sql = "SELECT id FROM agent WHERE unit_folded = $1 AND evidence = $2 AND id > $3 ORDER BY id LIMIT $4";
        let most = limit + 1 + i64::try_from(moved.len()).unwrap_or(0);
        for r in reads.rows(sql, args![unit, signature.number(), after, most]).await? {
            let id: AgentId = r.get(0)?;
            if !moved.contains_key(&id) {
                found.push((unit.clone(), *signature, id));
            }
        }
        if !wants(found.len()) {
            break;
        }
    }
    let kept = at_head + usize::try_from(limit).unwrap_or(0);
    let more = found.len() > kept;
    found.truncate(kept);
    let next = found.last().filter(|_| more).map(|(unit, signature, id)| {
        Cursor { s: SORT.into(), k: format!("{}:{unit}", signature.number()), i: id.0, b: false }.encode()
    });
    let ids: Vec<AgentId> = found.iter().map(|(.., id)| *id).collect();
    let mut judged: BTreeMap<AgentId, Row> = BTreeMap::new();
    for j in judge(&mut reads, &ids, by.now).await? {
        let evidence = evidence(&j);
        let Some(signature) = evidence.signature(by.now) else { continue };
        let controls: Vec<(ControlKey, Outcome)> =
            ControlKey::ALL.iter().filter(|c| rule.reads(**c)).map(|c| (*c, signature.outcome(*c))).collect();
        let row = Row {
            standing: stands(&text::fold(&j.agent.facts.business_unit), signature),
            excepted_until: evidence.excepted_until(|c| rule.reads(c), by.now),
            controls,
            id: j.agent.id,
            tier: j.agent.tier,
            name: j.agent.facts.name,
            business_unit: j.agent.facts.business_unit,
        };
        judged.insert(row.id, row);
    }
    let items = ids.iter().filter_map(|id| judged.remove(id)).collect();
    Ok(Page { items, next, previous: None, total: Some(total) })
}

/// The business units and signatures that are asked for, in order, and how many agents each has.
fn wanted(
    counted: &Estate,
    unit: Option<&str>,
    fits: impl Fn(&str, Signature) -> bool,
) -> BTreeMap<(String, Signature), i64> {
    let mut out = BTreeMap::new();
    for share in &counted.shares {
        let Some(of) = counted.units.get(share.unit) else { continue };
        if unit.is_none_or(|u| u == of.folded) && fits(&of.folded, share.signature) {
            *out.entry((of.folded.clone(), share.signature)).or_default() += share.agents;
        }
    }
    out
}

fn edge(cursor: &Cursor) -> Result<(String, Signature, AgentId), Error> {
    let wrong = || Error::field("/cursor", "The cursor does not belong to this list; begin again without it.");
    let (signature, unit) = cursor.k.split_once(':').ok_or_else(wrong)?;
    let signature = signature.parse().map_err(|_| wrong())?;
    Ok((unit.to_owned(), Signature::kept(signature), AgentId(cursor.i)))
}

/// Agents that the clock has moved since they were assessed: their unit and what they are now.
async fn moved(reads: &mut impl Reads, now: DateTime<Utc>) -> Result<BTreeMap<AgentId, (String, Signature)>, Error> {
    let sql = "SELECT agent_id, facet FROM turn \
               WHERE at <= $1 AND facet >= 'cover:' AND facet < 'cover;' AND delta = 1 ORDER BY at";
    let mut out = BTreeMap::new();
    for r in reads.rows(sql, args![now]).await? {
        if let Some((signature, unit)) = parsed(&r.get::<String>(1)?) {
            out.insert(r.get(0)?, (unit.to_owned(), signature));
        }
    }
    Ok(out)
}
