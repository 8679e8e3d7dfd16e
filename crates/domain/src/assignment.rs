//! Assignments: who is R, A, C or I for which duty, and since when. The one table of ownership.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::duty::Duty;
use crate::id::SystemId;
use crate::party::{Party, Standing};
use crate::system::SHARED;
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
        /// Nobody answered in time.
        Lapsed = "lapsed", "Lapsed";
        /// The agent was retired.
        Retired = "retired", "Agent retired";
    }
}

/// An offer of A that is unanswered for this long escalates.
pub const OFFER_ESCALATES_AFTER: TimeDelta = TimeDelta::days(10);

/// An offer of A that is unanswered for this long is no offer any more. That is a question of
/// the clock: the row is closed by whatever is written to the duty next.
pub const OFFER_LAPSES_AFTER: TimeDelta = TimeDelta::days(30);

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
    /// The platform whose duty it is, when an agent inherits it.
    #[serde(default)]
    pub inherited: Option<SystemId>,
    /// Of an A, when its party last said that it is theirs: by accepting, or since then.
    pub confirmed_at: DateTime<Utc>,
    /// When the person who holds it, or since they lead it the lead of the team, last changed
    /// department, if they did.
    pub moved_at: Option<DateTime<Utc>>,
}

impl Held {
    /// When its owner is to say again that an A is theirs: by the tier's cadence, and at once
    /// when they changed department since they last said so. `None` for another letter, and for what
    /// is inherited: its owner is asked at the platform.
    pub fn confirm_due(&self, tier: Tier) -> Option<DateTime<Utc>> {
        if self.role != RaciRole::Accountable || self.inherited.is_some() {
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

impl Offer {
    /// When it lapses, if nobody answers.
    pub fn lapses_at(&self) -> DateTime<Utc> {
        self.offered_at + OFFER_LAPSES_AFTER
    }

    /// Whether it can be answered at the moment.
    pub fn open_at(&self, now: DateTime<Utc>) -> bool {
        now < self.lapses_at()
    }
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

    /// What it becomes by the clock alone, once its time is over: a verified owner has to show
    /// it again, an offer that nobody answered is none.
    #[must_use]
    pub const fn lapsed(self) -> Self {
        match self {
            Self::Verified => Self::Untested,
            Self::Pending => Self::None,
            state => state,
        }
    }

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
    /// When the state becomes [`RuntimeOwner::lapsed`] though nobody does anything; `None` if
    /// never.
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
        return match offers.iter().find(|o| o.duty == Duty::Containment && o.open_at(now)) {
            Some(offer) => RuntimeOwnerNow { state: RuntimeOwner::Pending, until: Some(offer.lapses_at()) },
            None => forever(RuntimeOwner::None),
        };
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

/// What an agent has with what it inherits from its platform: duty by duty, an A of its own
/// overrides the whole row. Whoever is R, C or I of its own is so beside the platform's.
pub fn with_platform(own: &mut Vec<Held>, platform: SystemId, theirs: &[Held]) {
    for duty in SHARED {
        if accountable(own, duty).is_some() {
            continue;
        }
        let more: Vec<Held> = theirs
            .iter()
            .filter(|t| t.duty == duty)
            .filter(|t| !own.iter().any(|o| (o.duty, o.role, o.party) == (t.duty, t.role, t.party)))
            .map(|t| Held { inherited: Some(platform), ..t.clone() })
            .collect();
        own.extend(more);
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
            inherited: None,
            confirmed_at: at(0),
            moved_at: None,
        }]
    }

    #[test]
    fn an_agent_inherits_what_it_has_no_owner_of_its_own_for() {
        let row =
            |duty, role, n| Held { duty, role, party: Party::Person(PersonId(n)), ..held(Standing::Active).remove(0) };
        use RaciRole::{Accountable, Consulted, Responsible};
        let theirs = [
            row(Duty::Identity, Accountable, 7),
            row(Duty::Identity, Responsible, 8),
            row(Duty::Platform, Accountable, 7),
            row(Duty::Purpose, Accountable, 7),
        ];
        let mut own = vec![row(Duty::Identity, Consulted, 3), row(Duty::Platform, Accountable, 2)];
        with_platform(&mut own, SystemId(4), &theirs);
        assert_eq!(accountable(&own, Duty::Identity).unwrap().inherited, Some(SystemId(4)));
        assert_eq!(own.iter().filter(|h| h.duty == Duty::Identity).count(), 3);
        assert_eq!(accountable(&own, Duty::Platform).unwrap().inherited, None, "its own A overrides");
        assert!(accountable(&own, Duty::Purpose).is_none(), "a platform's purpose is not the agent's");
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
        assert_eq!(state(&[], &offer, &no_stop, 29), RuntimeOwner::Pending);
        assert_eq!(state(&[], &offer, &no_stop, 30), RuntimeOwner::None, "the offer has lapsed");
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
