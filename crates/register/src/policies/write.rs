//! Writing a version of the policy. One that is weaker needs a second person.

use std::collections::BTreeMap;

use domain::can::{Action, Relation, can};
use domain::id::{AgentId, PersonId};
use domain::party::Role;
use domain::policy::Policy;
use domain::proposal::{self, Matter, Way};
use domain::text;
use domain::tier::Tier;
use serde_json::{Value, json};

use super::{SUBJECT, Versioned, content, present, sound};
use crate::agents::assess::reassess;
use crate::agents::needs;
use crate::args;
use crate::change::{self, By, Change};
use crate::db::Db;
use crate::error::{Checked, Error};
use crate::{people, proposals};

/// Longest reason, in characters.
pub const REASON_MAX: usize = 1000;
/// How many agents are assessed at a time.
const BATCH: i64 = 500;

/// What became of a policy that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    /// It is in force, as this version.
    InForce(i64),
    /// It is weaker and waits for a second person: what happens next, as a sentence.
    Asked(String),
}

/// Writes a policy. `expected` is the version that was read. A weaker one goes through at once
/// only while one person alone governs.
pub async fn write(
    db: &Db,
    by: By<'_>,
    expected: Option<i64>,
    policy: &Policy,
    reason: &str,
) -> Result<Written, Error> {
    can(by.actor, Action::PolicyWrite, Relation::None)?;
    let mut wrong = Checked::default();
    let reason = wrong.take("/reason", text::prose(reason, "The reason", REASON_MAX));
    if reason.is_empty() {
        wrong.refuse("/reason", "Say why: it stays beside the version for as long as there is a record.");
    }
    let policy = match sound(policy) {
        Ok(policy) => policy,
        Err(Error::Invalid(list)) => {
            for e in list {
                wrong.refuse(&e.pointer, e.message);
            }
            Policy::default()
        }
        Err(other) => return Err(other),
    };
    wrong.done()?;
    let mut change = Change::begin(db, by).await?;
    people::one_at_a_time(&mut change).await?;
    let before = locked(&mut change).await?;
    if expected.is_some_and(|e| e != before.version) {
        return Err(Error::Stale(before.version));
    }
    if policy == before.policy.clone().normal() {
        return Err(Error::Conflict("It says what the policy in force says; change something.".into()));
    }
    let capacity = people::keeper(by.actor, &[Role::SecurityLead]);
    if !policy.weaker_than(&before.policy).is_empty() {
        let governing = proposals::governing(&mut change.tx, by.now).await?;
        if let Way::Ask(me) = proposal::way(by.actor, Matter::Policy, None, governing)? {
            let what = proposals::What::Policy(&policy, before.version);
            let next = proposals::ask(&mut change, capacity, &what, me, &reason).await?;
            change.commit().await?;
            return Ok(Written::Asked(next));
        }
    }
    let made_by = by.actor.who.to_string();
    let version = put(&mut change, capacity, &before, &policy, (&reason, &made_by, None)).await?;
    change.commit().await?;
    Ok(Written::InForce(version))
}

/// The policy in force, which nobody else changes until this change is over.
async fn locked(change: &mut Change<'_>) -> Result<Versioned, Error> {
    change.tx.run("UPDATE sequence SET last = last WHERE noun = 'policy'", args![]).await?;
    Ok(present(&mut change.tx).await?)
}

/// A weaker policy that a second person confirmed, within that change. Refused when another
/// version came in between: what was confirmed was a change of the one before.
pub(crate) async fn confirmed(
    change: &mut Change<'_>,
    capacity: &str,
    policy: &Policy,
    against: i64,
    (reason, asked_by): (&str, PersonId),
) -> Result<i64, Error> {
    let before = locked(change).await?;
    if before.version != against {
        return Err(Error::Conflict(format!(
            "The policy was changed since this was proposed: it was version {against}, and is version {} now. Refuse it, \
             and propose it again from the policy in force.",
            before.version
        )));
    }
    let policy = sound(policy)?;
    let by = change.by.actor.who.to_string();
    put(change, capacity, &before, &policy, (reason, &asked_by.to_string(), Some(&by))).await
}

fn told(version: i64, policy: &Policy) -> Value {
    let mut out = serde_json::to_value(policy).unwrap_or_default();
    out["version"] = json!(version);
    out
}

async fn put(
    change: &mut Change<'_>,
    capacity: &str,
    before: &Versioned,
    policy: &Policy,
    (reason, made_by, confirmed_by): (&str, &str, Option<&str>),
) -> Result<i64, Error> {
    let version = change.next("policy", 1).await?;
    let event = change.event(capacity, "policy.changed", SUBJECT);
    change.describe(event, told(before.version, &before.policy.clone().normal()), told(version, policy));
    change.because(event, reason);
    let row = args![version, change.id(event), change.by.now, made_by, reason, content(policy), confirmed_by];
    let columns = ["version", "event_id", "at", "made_by", "reason", "content", "confirmed_by"];
    change.tx.insert("policy", &columns, vec![row], "").await?;
    change.wrote(event, &change::POLICY, version);
    assess_again(change, &before.policy, policy).await?;
    Ok(version)
}

/// Assesses the agents whose approval may fall due at another moment than before: found by the
/// conditions that hold for them, and by nothing else.
async fn assess_again(change: &mut Change<'_>, before: &Policy, after: &Policy) -> Result<(), Error> {
    let mut sets: BTreeMap<u16, Vec<Tier>> = BTreeMap::new();
    for alike in needs::alike(&mut change.tx).await? {
        if alike.approved && after.moves_approval(before, alike.tier, alike.conditions) {
            sets.entry(alike.conditions.0).or_default().push(alike.tier);
        }
    }
    for (set, tiers) in sets {
        // Keys of a vocabulary, never input.
        let tiers: Vec<String> = tiers.iter().map(|t| format!("'{}'", t.key())).collect();
        // The other indexes are hidden: this one knows the few.
        let sql = format!(
            "SELECT id FROM agent WHERE needs = $1 AND id > $2 AND tier || '' IN ({}) \
             AND state || '' IN ('approved', 'active', 'suspended') ORDER BY id LIMIT {BATCH}",
            tiers.join(", ")
        );
        let mut after = 0;
        loop {
            let rows = change.tx.all(sql.clone(), args![i64::from(set), after]).await?;
            let ids = rows.iter().map(|r| r.get::<AgentId>(0)).collect::<Result<Vec<_>, _>>()?;
            let Some(last) = ids.last() else { break };
            after = last.0;
            reassess(change, &ids, false).await?;
        }
    }
    Ok(())
}
