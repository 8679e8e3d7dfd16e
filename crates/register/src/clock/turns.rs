//! What the clock alone has changed of agents is folded into what is kept of them, and becomes word to whoever can mend it: once, by
//! whatever assesses the agent first after it turned.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use domain::assignment::accountable;
use domain::can::Actor;
use domain::duty::Duty;
use domain::finding::{Finding, FindingKey, Severity};
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Standing};
use domain::tiding::{began, mender, told};

use crate::agents::assess::{Judged, reassess, runs};
use crate::agents::moves;
use crate::change::Change;
use crate::db::{Arg, Db, DbError, Reads, marks};
use crate::error::Error;
use crate::tidings::To;
use crate::{args, assignments, requests};

/// What is due of agents, soonest first: some of it.
pub const DUE: &str = "SELECT agent_id FROM turn WHERE at <= $1 ORDER BY at, agent_id, facet LIMIT 800";
/// How many agents are folded at a time.
const FOLDED: usize = 200;

/// Assesses the agents whose turn has come, the soonest first, a batch at a time, so that reads
/// need not add them up for ever. Answers how many were folded. Nothing shown depends on its
/// having run.
///
/// # Errors
/// When none of them could be folded. One that cannot be keeps no other waiting: it is tried
/// again each time, and said in the log.
pub async fn fold(db: &Db, now: DateTime<Utc>) -> Result<usize, Error> {
    let ids = due(&mut &*db, now).await?;
    let error = match some(db, now, &ids).await {
        Ok(folded) => return Ok(folded),
        Err(error) => error,
    };
    let mut folded = 0;
    for id in &ids {
        match some(db, now, &[*id]).await {
            Ok(n) => folded += n,
            Err(Error::Store(error)) if error.unreachable() => return Err(error.into()),
            Err(error) => tracing::error!(%error, agent = %id, "an agent could not be assessed by the clock"),
        }
    }
    if folded == 0 { Err(error) } else { Ok(folded) }
}

async fn due(reads: &mut impl Reads, now: DateTime<Utc>) -> Result<Vec<AgentId>, DbError> {
    let mut ids = BTreeSet::new();
    for r in reads.rows(DUE, args![now]).await? {
        ids.insert(r.get::<AgentId>(0)?);
        if ids.len() == FOLDED {
            break;
        }
    }
    Ok(ids.into_iter().collect())
}

/// Folds those of these whose turn it is still: another server may have been here meanwhile.
async fn some(db: &Db, now: DateTime<Utc>, ids: &[AgentId]) -> Result<usize, Error> {
    if ids.is_empty() {
        return Ok(0);
    }
    let muster = Actor::muster();
    let mut change = super::begin(db, &muster, now).await?;
    let sql = format!("SELECT DISTINCT agent_id FROM turn WHERE at <= $1 AND agent_id IN {}", marks(2, ids.len()));
    let mut list = args![now];
    list.extend(ids.iter().map(|id| Arg::from(*id)));
    let mut left = Vec::new();
    for r in change.tx.all(sql, list).await? {
        left.push(r.get::<AgentId>(0)?);
    }
    left.sort_unstable();
    // In one order everywhere, and before anything of them is read.
    for id in &left {
        moves::hold(&mut change, *id).await?;
    }
    assignments::lapse::of_agents(&mut change, &left).await?;
    requests::lapse(&mut change, &left).await?;
    reassess(&mut change, &left, false).await?;
    change.commit().await?;
    Ok(left.len())
}

/// A counter that has turned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Turned {
    pub(crate) at: DateTime<Utc>,
    pub(crate) agent: AgentId,
    pub(crate) facet: String,
    pub(crate) delta: i64,
}

/// Which check has begun to find something, if that is what turned.
fn begun(turned: &Turned) -> Option<FindingKey> {
    let key = turned.facet.strip_prefix("finding:")?.parse().ok()?;
    (turned.delta > 0 && told(key)).then_some(key)
}

/// Tells those who can mend what has begun by the clock, if it still holds. A gap that waits for
/// the target date of an import tells nobody.
pub(crate) async fn tell(change: &mut Change<'_>, turned: &[Turned], judged: &[Judged]) -> Result<(), DbError> {
    let now = change.by.now;
    let mut found: Vec<(&Judged, &Finding)> = Vec::new();
    for (turn, key) in turned.iter().filter_map(|t| Some((t, begun(t)?))) {
        let Some(j) = judged.iter().find(|j| j.agent.id == turn.agent) else { continue };
        let holds = |f: &&Finding| f.key == key && f.holds_at(now) && f.severity != Severity::Onboarding;
        if let Some(finding) = j.assessment.findings.iter().find(holds)
            && !found.iter().any(|(o, f)| o.agent.id == j.agent.id && f.key == key)
        {
            found.push((j, finding));
        }
    }
    let overdue: Vec<AgentId> =
        found.iter().filter(|(_, f)| f.key == FindingKey::ConditionOverdue).map(|(j, _)| j.agent.id).collect();
    let conditions = conditions(change, &overdue).await?;
    for (j, finding) in found {
        let tiding = began(j.agent.id, finding, runs(&j.agent));
        for to in whom(j, finding, &conditions, now) {
            change.tell(to, tiding.clone());
        }
    }
    Ok(())
}

/// Who was to meet the conditions that are overdue.
async fn conditions(change: &mut Change<'_>, agents: &[AgentId]) -> Result<HashMap<AgentId, Vec<PersonId>>, DbError> {
    let mut out: HashMap<AgentId, Vec<PersonId>> = HashMap::new();
    for batch in agents.chunks(500) {
        let sql = format!(
            "SELECT agent_id, owner_id FROM condition WHERE met_at IS NULL AND due_at <= $1 AND agent_id IN {}",
            marks(2, batch.len())
        );
        let mut list = args![change.by.now];
        list.extend(batch.iter().map(|a| Arg::from(*a)));
        for r in change.tx.all(sql, list).await? {
            out.entry(r.get(0)?).or_default().push(r.get(1)?);
        }
    }
    Ok(out)
}

/// The one who can mend it: the owner of the duty that it is about, the security owner while that
/// is vacant, security leads while both are.
fn whom(j: &Judged, finding: &Finding, conditions: &HashMap<AgentId, Vec<PersonId>>, now: DateTime<Utc>) -> Vec<To> {
    let here = |duty| accountable(&j.held, duty).filter(|h| h.standing == Standing::Active).map(|h| To::Owner(h.party));
    let owner = |duty| here(duty).or_else(|| here(Duty::Policy)).unwrap_or(To::Security);
    match finding.key {
        FindingKey::OwnershipUnconfirmed => {
            // What falls due within the week after is told with it.
            let week = now + TimeDelta::days(7);
            let due = |h: &&domain::assignment::Held| {
                h.standing == Standing::Active && h.confirm_due(j.agent.tier).is_some_and(|at| at < week)
            };
            let mut parties: Vec<Party> = j.held.iter().filter(due).map(|h| h.party).collect();
            parties.sort_unstable();
            parties.dedup();
            parties.into_iter().map(To::Owner).collect()
        }
        FindingKey::ConditionOverdue => match conditions.get(&j.agent.id) {
            Some(people) => people.iter().map(|p| To::Person(*p)).collect(),
            None => Vec::new(),
        },
        // Whoever may approve a way out, and whoever can assign at all.
        FindingKey::NoRuntimeOwner => vec![owner(Duty::Purpose), To::Security],
        FindingKey::OwnerUnreachable => vec![owner(Duty::Containment), owner(Duty::Policy)],
        key => vec![owner(mender(key))],
    }
}
