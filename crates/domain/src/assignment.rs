//! Assignments: who is R, A, C or I for which duty, and since when. The one table of ownership.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::duty::Duty;
use crate::party::{Party, Standing};
use crate::tier::Tier;

crate::words! {
    /// The letters of the matrix.
    pub enum RaciRole {
        Responsible = "R", "Responsible";
        Accountable = "A", "Accountable";
        Consulted = "C", "Consulted";
        Informed = "I", "Informed";
    }
}

crate::words! {
    /// Why an assignment or an offer ended.
    pub enum Ended {
        /// Another party took over.
        Replaced = "replaced", "Replaced";
        /// Taken away without a successor.
        Removed = "removed", "Removed";
        /// The addressee said no.
        Declined = "declined", "Declined";
        /// Whoever offered took it back.
        Withdrawn = "withdrawn", "Withdrawn";
        /// The agent was retired.
        Retired = "retired", "Agent retired";
    }
}

/// An offer of A that is unanswered for this long escalates.
pub const OFFER_ESCALATES_AFTER: TimeDelta = TimeDelta::days(10);

/// One current, accepted row of the matrix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// The duty.
    pub duty: Duty,
    /// R, A, C or I.
    pub role: RaciRole,
    /// By whom.
    pub party: Party,
    /// Whether the party can be Accountable now.
    pub standing: Standing,
    /// Since when the standing is what it is, when known.
    pub standing_since: Option<DateTime<Utc>>,
    /// Since when the assignment holds.
    pub since: DateTime<Utc>,
    /// Of an A, when its party last said that it is theirs: by accepting, or since then.
    pub confirmed_at: DateTime<Utc>,
    /// When the person who holds it last changed department, if they did.
    pub moved_at: Option<DateTime<Utc>>,
}

impl Held {
    /// When its owner is to say again that an A is theirs: by the tier's cadence, and at once
    /// when they changed department since they last said so. `None` for another letter.
    pub fn confirm_due(&self, tier: Tier) -> Option<DateTime<Utc>> {
        if self.role != RaciRole::Accountable {
            return None;
        }
        let due = self.confirmed_at + TimeDelta::days(tier.ownership_cadence_days());
        Some(self.moved_at.filter(|moved| *moved > self.confirmed_at).map_or(due, |moved| due.min(moved)))
    }
}

/// An offer of A that nobody has answered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The duty.
    pub duty: Duty,
    /// To whom.
    pub party: Party,
    /// Since when.
    pub offered_at: DateTime<Utc>,
}

/// A stop drill that was passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PassedDrill {
    /// Who showed it.
    pub party: Party,
    /// With which version of the stop method.
    pub method_version: i64,
    /// When.
    pub at: DateTime<Utc>,
}

/// What is known of stopping the agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StopFacts {
    /// Version of the recorded stop method; `None` when there is none.
    pub method_version: Option<i64>,
    /// The newest passed drill of the present runtime owner, if any.
    pub drill: Option<PassedDrill>,
}

crate::words! {
    /// Whether somebody can stop the agent, worst first.
    pub enum RuntimeOwner {
        /// Nobody is Accountable for containment and nobody was asked.
        None = "none", "Nobody";
        /// The one who is Accountable left, or leads no one.
        Inactive = "inactive", "Owner gone";
        /// Nobody is Accountable, an offer is open.
        Pending = "pending", "Offered";
        /// There is an owner, but no way to stop is recorded.
        Unable = "unable", "No stop method";
        /// There is a way, but this owner has not shown it in time.
        Untested = "untested", "Untested";
        /// This owner has shown it with this version of the method, within the cadence.
        Verified = "verified", "Verified";
    }
}

impl RuntimeOwner {
    /// The states in which nobody can stop the agent, worst first.
    pub const NOBODY: [Self; 3] = [Self::None, Self::Inactive, Self::Pending];

    /// `none` and `inactive` on an agent that runs are the loudest thing on every dashboard.
    pub const fn nobody_can_stop(self) -> bool {
        matches!(self, Self::None | Self::Inactive | Self::Pending)
    }
}

/// The runtime-owner state and the moment at which the clock alone changes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuntimeOwnerNow {
    /// The state at the moment asked about.
    pub state: RuntimeOwner,
    /// When the state becomes `untested` though nobody does anything; `None` if never.
    pub until: Option<DateTime<Utc>>,
}

/// With no A: `pending` if an offer is open, else `none`. With one: the first that holds
/// of `inactive`, `unable`, `untested`, and at last `verified`.
pub fn runtime_owner(
    held: &[Held],
    offers: &[Offer],
    stop: &StopFacts,
    tier: Tier,
    now: DateTime<Utc>,
) -> RuntimeOwnerNow {
    let forever = |state| RuntimeOwnerNow { state, until: None };
    let Some(owner) = accountable(held, Duty::Containment) else {
        return forever(if offers.iter().any(|o| o.duty == Duty::Containment) {
            RuntimeOwner::Pending
        } else {
            RuntimeOwner::None
        });
    };
    if owner.standing != Standing::Active {
        return forever(RuntimeOwner::Inactive);
    }
    let Some(version) = stop.method_version else {
        return forever(RuntimeOwner::Unable);
    };
    match &stop.drill {
        Some(d) if d.party == owner.party && d.method_version == version => {
            let until = d.at + TimeDelta::days(tier.drill_cadence_days());
            if now < until {
                RuntimeOwnerNow { state: RuntimeOwner::Verified, until: Some(until) }
            } else {
                forever(RuntimeOwner::Untested)
            }
        }
        _ => forever(RuntimeOwner::Untested),
    }
}

/// The current Accountable party of a duty, whatever its standing.
pub fn accountable(held: &[Held], duty: Duty) -> Option<&Held> {
    held.iter().find(|h| h.duty == duty && h.role == RaciRole::Accountable)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::PersonId;

    fn at(day: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(day * 86_400, 0).unwrap()
    }

    fn held(standing: Standing) -> Vec<Held> {
        vec![Held {
            duty: Duty::Containment,
            role: RaciRole::Accountable,
            party: Party::Person(PersonId(1)),
            standing,
            standing_since: None,
            since: at(0),
            confirmed_at: at(0),
            moved_at: None,
        }]
    }

    #[test]
    fn an_owner_is_asked_again_by_the_tier_and_at_once_after_a_move() {
        let mut h = held(Standing::Active).remove(0);
        for (tier, day) in [(Tier::Low, 365), (Tier::Moderate, 365), (Tier::High, 180), (Tier::Critical, 90)] {
            assert_eq!(h.confirm_due(tier), Some(at(day)));
        }
        h.moved_at = Some(at(30));
        assert_eq!(h.confirm_due(Tier::High), Some(at(30)));
        h.confirmed_at = at(31);
        assert_eq!(h.confirm_due(Tier::High), Some(at(211)), "said after the move");
        h.role = RaciRole::Responsible;
        assert_eq!(h.confirm_due(Tier::High), None);
    }

    #[test]
    fn each_state_is_the_first_that_holds() {
        let no_stop = StopFacts::default();
        let offer = [Offer { duty: Duty::Containment, party: Party::Person(PersonId(2)), offered_at: at(0) }];
        let state = |h: &[Held], o: &[Offer], s: &StopFacts, day| runtime_owner(h, o, s, Tier::High, at(day)).state;
        assert_eq!(state(&[], &[], &no_stop, 1), RuntimeOwner::None);
        assert_eq!(state(&[], &offer, &no_stop, 1), RuntimeOwner::Pending);
        assert_eq!(state(&held(Standing::Left), &offer, &no_stop, 1), RuntimeOwner::Inactive);
        assert_eq!(state(&held(Standing::Leaderless), &[], &no_stop, 1), RuntimeOwner::Inactive);
        assert_eq!(state(&held(Standing::Active), &[], &no_stop, 1), RuntimeOwner::Unable);
        let mut stop = StopFacts { method_version: Some(2), drill: None };
        assert_eq!(state(&held(Standing::Active), &[], &stop, 1), RuntimeOwner::Untested);
        stop.drill = Some(PassedDrill { party: Party::Person(PersonId(1)), method_version: 1, at: at(0) });
        assert_eq!(state(&held(Standing::Active), &[], &stop, 1), RuntimeOwner::Untested, "older method");
        stop.drill = Some(PassedDrill { party: Party::Person(PersonId(9)), method_version: 2, at: at(0) });
        assert_eq!(state(&held(Standing::Active), &[], &stop, 1), RuntimeOwner::Untested, "somebody else's drill");
        stop.drill = Some(PassedDrill { party: Party::Person(PersonId(1)), method_version: 2, at: at(0) });
        assert_eq!(state(&held(Standing::Active), &[], &stop, 89), RuntimeOwner::Verified);
        assert_eq!(state(&held(Standing::Active), &[], &stop, 90), RuntimeOwner::Untested, "the cadence has passed");
    }
}
