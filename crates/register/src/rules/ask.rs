//! Asking by rule: which agents a rule acts on now, and doing it, a batch a transaction;
//! at the end of an import within the import's own.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::{AgentId, RuleId};
use domain::party::{Party, Standing};
use domain::rule::{AtImport, Bar, Condition, Past, RuleState, may_ask};
use domain::text::fold;
use serde_json::{Value, json};

use super::rows::{Opened, open};
use super::{Fields, Rule, checked, load, standing};
use crate::agents::assess::{reassess, runs};
use crate::agents::{Agent, stored};
use crate::args;
use crate::assignments::{Mode, lapse};
use crate::change::{By, Change};
use crate::db::{Arg, Db, DbError, Reads, marks};
use crate::error::Error;

/// Agents looked at, and asked for, at a time.
const BATCH: i64 = 500;
/// Agents that a preview counts, and one run acts on: who has more runs it again.
pub const MOST: usize = 10_000;
/// Agents that a preview names.
const NAMED: usize = 50;

/// What a rule would do now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// Agents for which it would ask.
    pub count: usize,
    /// There are more than were counted.
    pub more: bool,
    /// The first of them, by reference.
    pub first: Vec<(AgentId, String)>,
    /// Agents that it is about and lack the duty, and that it leaves: why, and how many.
    pub left: BTreeMap<Bar, usize>,
}

/// Agents that need a duty and have no owner for it, after a reference, that the plain
/// parts of a condition leave.
async fn vacant(
    reads: &mut impl Reads,
    duty: Duty,
    condition: &Condition,
    after: AgentId,
) -> Result<Vec<AgentId>, DbError> {
    let key = if duty == Duty::Containment { FindingKey::NoRuntimeOwner } else { FindingKey::NoOwner };
    let mut list: Vec<Arg> = args![duty.key(), key.key(), after];
    let mut about = String::new();
    let mut narrow = |column: &str, value: Arg| {
        list.push(value);
        about.push_str(&format!(" AND a.{column} = ${}", list.len()));
    };
    if let Some(v) = &condition.business_unit {
        narrow("unit_folded", fold(v).into());
    }
    if let Some(v) = condition.environment {
        narrow("environment", v.key().into());
    }
    if let Some(v) = condition.tier {
        narrow("tier", v.key().into());
    }
    if let Some(v) = condition.kind {
        narrow("kind", v.key().into());
    }
    if let Some(v) = condition.hosting {
        narrow("hosting", v.key().into());
    }
    if let Some(v) = condition.operated_by {
        narrow("operated_by", v.0.into());
    }
    if let Some(v) = condition.system {
        narrow("parent_id", v.0.into());
    }
    // Agent by agent along the index of findings, so that a page costs what it finds.
    let narrowed = if about.is_empty() {
        String::new()
    } else {
        format!(" AND EXISTS (SELECT 1 FROM agent a WHERE a.id = x.agent_id{about})")
    };
    list.push(Arg::from(BATCH));
    let sql = format!(
        "SELECT DISTINCT x.agent_id FROM finding x WHERE x.duty = $1 AND x.key = $2 AND x.agent_id > $3{narrowed} \
         ORDER BY x.agent_id LIMIT ${}",
        list.len()
    );
    reads.rows(sql, list).await?.iter().map(|r| r.get(0)).collect()
}

/// Every A and offer of a duty of these agents, past ones included.
async fn past(
    reads: &mut impl Reads,
    duty: Duty,
    agents: &[AgentId],
    now: DateTime<Utc>,
) -> Result<HashMap<AgentId, Vec<Past>>, DbError> {
    let mut out: HashMap<AgentId, Vec<Past>> = HashMap::new();
    for batch in agents.chunks(500) {
        let sql = format!(
            "SELECT agent_id, party_kind, party_id, \
                    CASE WHEN valid_to IS NULL AND accepted_at IS NULL AND offered_at <= $2 THEN 'lapsed' ELSE ended END, \
                    accepted_at IS NOT NULL, rule_id FROM assignment \
             WHERE role = 'A' AND duty = $1 AND agent_id IN {}",
            marks(3, batch.len())
        );
        let mut list = args![duty.key(), lapse::since(now)];
        list.extend(batch.iter().map(|id| Arg::from(*id)));
        for r in reads.rows(sql, list).await? {
            let Some(party) = Party::from_stored(&r.get::<String>(1)?, r.get(2)?) else { continue };
            out.entry(r.get(0)?).or_default().push(Past {
                party,
                ended: r.get::<String>(3)?.parse().ok(),
                accepted: r.get(4)?,
                rule: r.get::<Option<i64>>(5)?.map(RuleId),
            });
        }
    }
    Ok(out)
}

/// The agents of some that a rule is about: for which it may ask, and why not for others.
async fn sorted(
    reads: &mut impl Reads,
    rule: Option<RuleId>,
    about: (&Condition, Duty, Party),
    agents: &[Agent],
    now: DateTime<Utc>,
) -> Result<Vec<(AgentId, Result<(), Bar>)>, DbError> {
    let (condition, duty, party) = about;
    let meant: Vec<&Agent> = agents
        .iter()
        .filter(|a| a.state != Lifecycle::Retired && condition.matches(&a.facts, a.tier, runs(a)))
        .collect();
    let ids: Vec<AgentId> = meant.iter().map(|a| a.id).collect();
    let past = past(reads, duty, &ids, now).await?;
    Ok(meant
        .into_iter()
        .map(|a| {
            let past = past.get(&a.id).map_or(&[][..], Vec::as_slice);
            (a.id, may_ask(rule, party, duty.required(&a.facts), past))
        })
        .collect())
}

/// What a rule that is not made yet would do if it were run now. Nothing is written.
pub async fn foresee(db: &Db, by: By<'_>, given: &Fields) -> Result<Foreseen, Error> {
    can(by.actor, Action::RuleWrite, Relation::None)?;
    let mut reads = db;
    let given = checked(&mut reads, given).await?;
    counted(db, by, None, (&given.condition, given.duty, given.party)).await
}

/// What a rule would do if it were run now. Nothing is written.
pub async fn foresee_rule(db: &Db, by: By<'_>, id: RuleId) -> Result<Foreseen, Error> {
    can(by.actor, Action::RuleRead, Relation::None)?;
    let mut reads = db;
    let rule = load(&mut reads, id).await?;
    if rule.standing != Standing::Active || rule.state == RuleState::Removed {
        return Ok(Foreseen::default());
    }
    counted(db, by, Some(id), (&rule.condition, rule.duty, rule.party)).await
}

async fn counted(
    db: &Db,
    by: By<'_>,
    rule: Option<RuleId>,
    about: (&Condition, Duty, Party),
) -> Result<Foreseen, Error> {
    let mut reads = db;
    let mut out = Foreseen::default();
    let mut after = AgentId(0);
    loop {
        let ids = vacant(&mut reads, about.1, about.0, after).await?;
        let Some(last) = ids.last() else { break };
        after = *last;
        let agents = stored::load(&mut reads, &ids, by.now).await?;
        for (id, bar) in sorted(&mut reads, rule, about, &agents, by.now).await? {
            if let Err(bar) = bar {
                *out.left.entry(bar).or_default() += 1;
                continue;
            }
            out.count += 1;
            if out.first.len() < NAMED {
                let name = agents.iter().find(|a| a.id == id).map(|a| a.facts.name.clone());
                out.first.push((id, name.unwrap_or_default()));
            }
        }
        if out.count >= MOST {
            out.more = true;
            break;
        }
        if ids.len() < usize::try_from(BATCH).unwrap_or(0) {
            break;
        }
    }
    Ok(out)
}

/// What one rule did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruled {
    /// The rule.
    pub rule: RuleId,
    /// What it is called.
    pub name: String,
    /// Agents for which it asked.
    pub asked: Vec<AgentId>,
    /// Whoever it asks is gone: it did nothing.
    pub broken: bool,
}

/// What a run did, by rule, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ran {
    /// The rules that were active.
    pub rules: Vec<Ruled>,
}

impl Ran {
    /// How many duties were offered in all.
    pub fn asked(&self) -> usize {
        self.rules.iter().map(|r| r.asked.len()).sum()
    }
}

/// Runs one rule, or every active one in their order: each batch of agents is one
/// transaction, and what the rule may do is asked again within it.
pub async fn run(db: &Db, by: By<'_>, which: Option<RuleId>) -> Result<Ran, Error> {
    can(by.actor, Action::RuleWrite, Relation::None)?;
    let mut reads = db;
    let rules = match which {
        Some(id) => vec![load(&mut reads, id).await?],
        None => standing(&mut reads).await?.into_iter().filter(|r| r.state == RuleState::Active).collect(),
    };
    if let Some(rule) = rules.first().filter(|r| which.is_some() && r.state != RuleState::Active) {
        return Err(Error::Conflict(format!(
            "{} is {}: make it active, then run it.",
            rule.id,
            rule.state.label().to_lowercase()
        )));
    }
    let mut out = Ran::default();
    for rule in rules {
        let mut ruled = Ruled { rule: rule.id, name: rule.name.clone(), asked: Vec::new(), broken: rule.broken() };
        let mut after = AgentId(0);
        while !ruled.broken && ruled.asked.len() < MOST {
            let mut change = Change::begin(db, by).await?;
            let ids = vacant(&mut change.tx, rule.duty, &rule.condition, after).await?;
            let Some(last) = ids.last() else { break };
            after = *last;
            // It may have been paused, or its party may have left, since the batch before.
            let now = load(&mut change.tx, rule.id).await?;
            if now.version != rule.version || now.standing != Standing::Active {
                break;
            }
            let agents = stored::load(&mut change.tx, &ids, by.now).await?;
            let asked = ask(&mut change, &rule, &agents, false).await?;
            if !asked.is_empty() {
                reassess(&mut change, &asked, false).await?;
                change.commit().await?;
                ruled.asked.extend(asked);
            }
            if ids.len() < usize::try_from(BATCH).unwrap_or(0) {
                break;
            }
        }
        out.rules.push(ruled);
    }
    Ok(out)
}

/// Offers, or records, a rule's duty to its party for those of some agents that it may.
async fn ask(change: &mut Change<'_>, rule: &Rule, agents: &[Agent], record: bool) -> Result<Vec<AgentId>, Error> {
    let about = (&rule.condition, rule.duty, rule.party);
    let meant: Vec<AgentId> = sorted(&mut change.tx, Some(rule.id), about, agents, change.by.now)
        .await?
        .into_iter()
        .filter_map(|(id, bar)| bar.is_ok().then_some(id))
        .collect();
    let record = record && rule.at_import == AtImport::Record;
    let action = if record { "assignment.recorded" } else { "assignment.offered" };
    let reason = format!("Standing rule {}: {}", rule.id, rule.name);
    let mut rows = Vec::with_capacity(meant.len());
    for &agent in &meant {
        let event = change.event("standing rule", action, agent);
        let after = json!({
            "duty": rule.duty, "role": "A", "party": rule.party, "name": rule.party_name, "rule": rule.id,
        });
        change.describe(event, Value::Null, after);
        change.because(event, &reason);
        let row = Opened::offer(event, agent, rule.duty, rule.party);
        let mode = if record { Mode::Record } else { Mode::Offer };
        rows.push(Opened { mode, rule: Some(rule.id), ..row });
    }
    open(change, rows, &reason).await?;
    Ok(meant)
}

/// At the end of an import, within its transaction: every active rule in its order, for the
/// agents that came or changed. `record` is whether a security lead said at this import
/// that owners hold their duties already. Answers how many duties were offered or recorded.
pub(crate) async fn at_import(change: &mut Change<'_>, agents: &[AgentId], record: bool) -> Result<usize, Error> {
    let rules = standing(&mut change.tx).await?;
    let rules: Vec<Rule> = rules.into_iter().filter(|r| r.state == RuleState::Active && !r.broken()).collect();
    if rules.is_empty() {
        return Ok(0);
    }
    let mut count = 0;
    let now = change.by.now;
    for batch in agents.chunks(usize::try_from(BATCH).unwrap_or(500)) {
        let loaded = stored::load(&mut change.tx, batch, now).await?;
        let mut touched = Vec::new();
        for rule in &rules {
            let asked = ask(change, rule, &loaded, record).await?;
            count += asked.len();
            touched.extend(asked);
        }
        touched.sort_unstable();
        touched.dedup();
        if !touched.is_empty() {
            reassess(change, &touched, false).await?;
        }
    }
    Ok(count)
}
