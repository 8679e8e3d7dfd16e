//! Handing an agent over from the team that built it to the team that operates it: both
//! must have said so, of exactly these two teams.

use chrono::{DateTime, Utc};

use crate::agent::AgentFacts;
use crate::id::TeamId;

crate::words! {
    /// Where a handover stands.
    pub enum HandoverState {
        /// The receiving team has not answered.
        Open = "open", "Waits for an answer";
        Accepted = "accepted", "Accepted";
        Declined = "declined", "Declined";
        /// Whoever offered it took it back.
        Withdrawn = "withdrawn", "Taken back";
        /// The agent is built or operated by other teams now: there is nothing to answer.
        Overtaken = "overtaken", "Overtaken: the teams have changed";
    }
}

/// From whom to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Pair {
    /// The team that built it.
    pub from: TeamId,
    /// The team that operates it.
    pub to: TeamId,
}

/// The handover that an agent needs: two different teams build and operate it.
pub fn needed(facts: &AgentFacts) -> Option<Pair> {
    let (from, to) = (facts.built_by?, facts.operated_by?);
    (from != to).then_some(Pair { from, to })
}

/// Where a handover stands, whatever was written of it: an open one whose teams are not the
/// agent's any more is overtaken.
pub fn state(answered: Option<(HandoverState, DateTime<Utc>)>, pair: Pair, now: Option<Pair>) -> HandoverState {
    match answered {
        Some((state, _)) => state,
        None if now == Some(pair) => HandoverState::Open,
        None => HandoverState::Overtaken,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_different_teams_hand_over() {
        let mut facts = AgentFacts::named("x");
        assert_eq!(needed(&facts), None);
        facts.built_by = Some(TeamId(1));
        assert_eq!(needed(&facts), None);
        facts.operated_by = Some(TeamId(1));
        assert_eq!(needed(&facts), None);
        facts.operated_by = Some(TeamId(2));
        assert_eq!(needed(&facts), Some(Pair { from: TeamId(1), to: TeamId(2) }));
    }

    #[test]
    fn what_is_open_is_overtaken_when_the_teams_change() {
        let pair = Pair { from: TeamId(1), to: TeamId(2) };
        let other = Pair { from: TeamId(1), to: TeamId(3) };
        assert_eq!(state(None, pair, Some(pair)), HandoverState::Open);
        assert_eq!(state(None, pair, Some(other)), HandoverState::Overtaken);
        assert_eq!(state(None, pair, None), HandoverState::Overtaken);
        let accepted = Some((HandoverState::Accepted, DateTime::UNIX_EPOCH));
        assert_eq!(state(accepted, pair, Some(other)), HandoverState::Accepted);
    }
}
