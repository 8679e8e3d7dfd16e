//! What an agent lacks before it may be asked for, approved, or made active.

use serde::{Deserialize, Serialize};

use crate::agent::{AgentFacts, Environment, Lifecycle};
use crate::assignment::{Held, RuntimeOwner, accountable};
use crate::duty::Duty;
use crate::party;
use crate::tier::Tier;

crate::words! {
    /// What is missing.
    pub enum Missing {
        /// The boundary there is now was never approved.
        Approval = "approval", "Approval of its present boundary";
        /// The approval fell due again.
        ApprovalDue = "approval-due", "A fresh approval";
        /// Nobody accepted being its runtime owner, or they cannot stop it.
        RuntimeOwner = "runtime-owner", "An accepted runtime owner who can stop it";
        /// High and critical tier in production: they must have shown it.
        Drill = "drill", "A passed stop drill by its runtime owner";
        /// A required duty has no active owner.
        Owner = "owner", "An owner for a required duty";
    }
}

/// One thing that is missing, with what it is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lack {
    /// What.
    pub missing: Missing,
    /// Of which duty, if one.
    pub duty: Option<Duty>,
    /// The sentence.
    pub sentence: String,
}

/// What an agent lacks before it may become active; empty when nothing. `approved` says that
/// its present boundary is the approved one, `due` that the approval has fallen due again.
pub fn before_active(
    facts: &AgentFacts,
    tier: Tier,
    held: &[Held],
    runtime_owner: Option<RuntimeOwner>,
    approved: bool,
    due: bool,
) -> Vec<Lack> {
    let mut out = Vec::new();
    let mut add = |missing, duty, sentence: String| out.push(Lack { missing, duty, sentence });
    if !approved {
        add(Missing::Approval, None, "Its present boundary is not approved.".into());
    } else if due {
        add(Missing::ApprovalDue, None, "Its approval has fallen due again: ask for a fresh one.".into());
    }
    match runtime_owner {
        Some(RuntimeOwner::Verified) => {}
        Some(RuntimeOwner::Untested) => {
            if facts.environment == Environment::Production && tier >= Tier::High {
                add(
                    Missing::Drill,
                    Some(Duty::Containment),
                    format!(
                        "An agent of {} tier in production needs a runtime owner who has shown that stopping it works.",
                        tier.label().to_lowercase()
                    ),
                );
            }
        }
        Some(RuntimeOwner::Unable) => {
            add(
                Missing::RuntimeOwner,
                Some(Duty::Containment),
                "Its runtime owner has no recorded way to stop it.".into(),
            );
        }
        Some(RuntimeOwner::Pending) => {
            add(Missing::RuntimeOwner, Some(Duty::Containment), "Its runtime owner has not accepted.".into());
        }
        Some(RuntimeOwner::Inactive) => {
            add(Missing::RuntimeOwner, Some(Duty::Containment), "Its runtime owner is gone.".into());
        }
        Some(RuntimeOwner::None) | None => {
            add(Missing::RuntimeOwner, Some(Duty::Containment), "It has no runtime owner.".into());
        }
    }
    for duty in Duty::all_required(facts).filter(|d| *d != Duty::Containment) {
        let held = accountable(held, duty).is_some_and(|h| h.standing == party::Standing::Active);
        if !held {
            add(Missing::Owner, Some(duty), format!("It has no {}.", crate::finding::lower(duty.owner_title())));
        }
    }
    out
}

/// The credentials that block an approval unless an exception in force covers them: their
/// names. A long-lived secret or a shared account outlives the task and the person.
pub fn standing_credentials(facts: &AgentFacts) -> Vec<&str> {
    facts.credentials.iter().filter(|c| c.kind.is_standing()).map(|c| c.name.as_str()).collect()
}

/// What stands in the way of asking for these facts to be approved, as sentences. `covered` says
/// that an exception in force covers standing credentials.
pub fn before_asking(facts: &AgentFacts, covered: bool) -> Vec<String> {
    let mut out = Vec::new();
    if facts.purpose.trim().is_empty() {
        out.push("It has no purpose: write what it is for, since that is what is approved.".to_owned());
    }
    for name in standing_credentials(facts).into_iter().filter(|_| !covered) {
        out.push(format!(
            "“{name}” is a long-lived secret or a shared account. That blocks approval unless an exception in force \
             covers it: replace it by a short-lived one, or ask for an exception."
        ));
    }
    if facts.name.trim().is_empty() {
        out.push("It has no name.".to_owned());
    }
    out
}

/// Whether an agent in this state may be asked to be approved: a draft for the first time, an
/// approved one again.
pub const fn may_submit(state: Lifecycle) -> bool {
    matches!(state, Lifecycle::Draft) || state.boundary_is_approved()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_one_by_one() {
        let mut f = AgentFacts::named("x");
        f.environment = Environment::Production;
        let all = before_active(&f, Tier::High, &[], None, false, false);
        let kinds: Vec<Missing> = all.iter().map(|s| s.missing).collect();
        assert_eq!(kinds[..2], [Missing::Approval, Missing::RuntimeOwner]);
        assert_eq!(all.len(), 2 + Duty::all_required(&f).count() - 1);
        let untested = |tier| {
            before_active(&f, tier, &[], Some(RuntimeOwner::Untested), true, true)
                .into_iter()
                .map(|s| s.missing)
                .filter(|m| *m != Missing::Owner)
                .collect::<Vec<_>>()
        };
        assert_eq!(untested(Tier::High), [Missing::ApprovalDue, Missing::Drill]);
        assert_eq!(untested(Tier::Moderate), [Missing::ApprovalDue]);
    }
}
