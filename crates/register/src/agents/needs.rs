//! Which conditions of the policy hold for an agent: a derived column and a counter, so that
//! what a change of the policy would do is known without reading the agents.

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::id::AgentId;
use domain::policy::effect::Alike;
use domain::policy::{Conditions, When};
use domain::tier;

use super::assess::reassess;
use super::stored::Agent;
use crate::args;
use crate::change::{By, Change};
use crate::db::{Db, DbError, Reads};
use crate::error::Error;

/// What the column holds for a retired agent: it needs no approval any more.
const RETIRED: i64 = -1;

/// What the derived column holds.
pub(crate) fn stored(agent: &Agent) -> i64 {
    if agent.state == Lifecycle::Retired { RETIRED } else { Conditions::of(&agent.facts).0.into() }
}

/// Whether an agent in this state holds an approval.
pub(crate) const fn approved(state: Lifecycle) -> bool {
    matches!(state, Lifecycle::Approved | Lifecycle::Active | Lifecycle::Suspended)
}

/// The counter of an agent that is not retired: `needs:approved:high:37`.
pub(crate) fn facet(agent: &Agent) -> String {
    let class = if approved(agent.state) { "approved" } else { "other" };
    format!("needs:{class}:{}:{}", tier::score(&agent.facts).tier, Conditions::of(&agent.facts).0)
}

fn parsed(facet: &str, count: i64) -> Option<Alike> {
    let mut parts = facet.strip_prefix("needs:")?.split(':');
    let (class, tier, set) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    Some(Alike { approved: class == "approved", tier, conditions: Conditions(set), count: u64::try_from(count).ok()? })
}

/// The agents that are not retired, counted by what a policy reads: a thousand counters at most.
pub(crate) async fn alike(reads: &mut impl Reads) -> Result<Vec<Alike>, DbError> {
    let rows = reads
        .rows("SELECT facet, n FROM tally WHERE facet >= 'needs:' AND facet < 'needs;' AND n > 0", args![])
        .await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        out.extend(parsed(&r.get::<String>(0)?, r.get(1)?));
    }
    Ok(out)
}

/// Every set of conditions that an agent may have, with one condition in it and another not.
pub(crate) fn sets(with: Option<When>, without: Option<When>) -> Vec<Conditions> {
    (0..1_u16 << When::ALL.len())
        .map(Conditions)
        .filter(|set| set.has(When::Always) && !set.has(When::Never))
        .filter(|set| with.is_none_or(|w| set.has(w)) && without.is_none_or(|w| !set.has(w)))
        .collect()
}

/// Whether agents are there that were not assessed since the column came: what is counted lacks
/// them.
pub async fn behind(reads: &mut impl Reads) -> Result<bool, DbError> {
    Ok(!reads.rows("SELECT id FROM agent WHERE needs IS NULL LIMIT 1", args![]).await?.is_empty())
}

/// Assesses agents that were not since the column came, a batch at a time; answers how many. A
/// server does so when it starts after an update.
pub async fn catch_up(db: &Db, now: DateTime<Utc>) -> Result<usize, Error> {
    let rows = db.all("SELECT id FROM agent WHERE needs IS NULL LIMIT 200", args![]).await?;
    let ids = rows.iter().map(|r| r.get::<AgentId>(0)).collect::<Result<Vec<_>, _>>()?;
    if !ids.is_empty() {
        let actor = domain::can::Actor::muster();
        let mut change = Change::begin(db, By { actor: &actor, now }).await?;
        reassess(&mut change, &ids, false).await?;
        change.commit().await?;
    }
    Ok(ids.len())
}
