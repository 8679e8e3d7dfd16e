//! What a policy would do, before it is in force.

use std::collections::BTreeMap;

use domain::can::{Action, Relation, can};
use domain::policy::effect::Effect;
use domain::policy::{Policy, When};
use domain::proposal::{self, Matter, Way};

use super::{present, sound};
use crate::agents::needs;
use crate::change::By;
use crate::db::Db;
use crate::error::Error;
use crate::proposals::{self, Proposal};

/// What a policy would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// The version in force, beside which it was read.
    pub against: i64,
    /// What changes, each a sentence; empty when nothing does.
    pub changes: Vec<String>,
    /// How it is weaker, each a sentence; empty when nowhere.
    pub weaker: Vec<String>,
    /// Being weaker, it needs a second person.
    pub second_person: bool,
    /// What it does to the agents there are.
    pub effect: Effect,
    /// The numbers lack agents that Muster has not assessed yet after an update.
    pub behind: bool,
}

/// What a policy would do now. Nothing is written.
pub async fn preview(db: &Db, by: By<'_>, policy: &Policy) -> Result<Preview, Error> {
    can(by.actor, Action::PolicyWrite, Relation::None)?;
    let policy = sound(policy)?;
    let mut reads = db;
    let before = present(&mut reads).await?;
    let weaker = policy.weaker_than(&before.policy);
    let governing = proposals::governing(&mut reads, by.now).await?;
    let alone = matches!(proposal::way(by.actor, Matter::Policy, None, governing), Ok(Way::AtOnce));
    Ok(Preview {
        against: before.version,
        changes: policy.changes(&before.policy),
        second_person: !weaker.is_empty() && !alone,
        weaker,
        effect: policy.effect(&before.policy, &needs::alike(&mut reads).await?),
        behind: needs::behind(&mut reads).await?,
    })
}

/// What a proposed policy would do to the agents there are, for whoever confirms it or not; and
/// whether the numbers lack some. `None` for a proposal about something else.
pub async fn proposed(db: &Db, by: By<'_>, proposal: &Proposal) -> Result<Option<(Effect, bool)>, Error> {
    can(by.actor, Action::PersonConfirm, Relation::None)?;
    let Some((policy, _)) = &proposal.policy else { return Ok(None) };
    let mut reads = db;
    let before = present(&mut reads).await?;
    let effect = policy.effect(&before.policy, &needs::alike(&mut reads).await?);
    Ok(Some((effect, needs::behind(&mut reads).await?)))
}

/// How many agents that are not retired each condition holds for, for those who read posture;
/// nobody else is told.
pub async fn holding(db: &Db, by: By<'_>) -> Result<Option<BTreeMap<When, u64>>, Error> {
    if can(by.actor, Action::PostureRead, Relation::None).is_err() {
        return Ok(None);
    }
    let mut reads = db;
    let alike = needs::alike(&mut reads).await?;
    let count = |when| alike.iter().filter(|a| a.conditions.has(when)).map(|a| a.count).sum();
    Ok(Some(When::ALL.iter().map(|w| (*w, count(*w))).collect()))
}
