//! Posture: the numbers of the dashboard.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::assignment::RuntimeOwner;
use crate::duty::Duty;

/// How long after the end of a day its posture is still kept as that day's. Later the counters
/// tell of another day, and the day stays missing.
pub const KEPT_WITHIN: TimeDelta = TimeDelta::minutes(15);

/// Most days of history that are read at once.
pub const HISTORY_DAYS: i64 = 400;

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(NaiveTime::MIN).and_utc()
}

/// The day whose posture is to be kept now: the one that has just ended, unless it is kept.
/// `last` is the last day that was kept, or that nobody could keep.
pub fn day_to_keep(last: NaiveDate, now: DateTime<Utc>) -> Option<NaiveDate> {
    let today = now.date_naive();
    let ended = today.pred_opt()?;
    (ended > last && now - midnight(today) <= KEPT_WITHIN).then_some(ended)
}

/// When a day is to be kept next: at the last midnight while the day before it still is to be, else
/// at the coming one.
pub fn day_due(last: NaiveDate, now: DateTime<Utc>) -> DateTime<Utc> {
    let today = now.date_naive();
    match day_to_keep(last, now) {
        Some(_) => midnight(today),
        None => midnight(today.checked_add_days(Days::new(1)).unwrap_or(today)),
    }
}

/// How many agents require a duty and how many of them have an owner for it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DutyCoverage {
    /// The duty.
    pub duty: Duty,
    /// Agents, retired ones apart, whose facts require it.
    pub required: i64,
    /// Of these, how many have a current, accepted A with good standing.
    pub held: i64,
}

/// Agents by runtime-owner state, for one share of the estate.
pub type ByOwner = BTreeMap<RuntimeOwner, i64>;

/// A business unit's share of what runs and nobody can stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitPosture {
    /// The business unit; empty for agents without one.
    pub business_unit: String,
    /// Agents of the unit that count as running.
    pub running: i64,
    /// Of these, those nobody can stop (none, owner gone, only offered).
    pub unstoppable: i64,
}

/// An import wave that still has gaps to close.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WavePosture {
    /// Its reference, `IM-1`.
    pub id: String,
    /// What it was called, for instance the file's name.
    pub title: String,
    /// Who answers for it.
    pub owner: String,
    /// Until when its gaps count as onboarding.
    pub target: DateTime<Utc>,
    /// Agents that came with it.
    pub agents: i64,
}

/// The dashboard at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posture {
    /// The moment.
    pub as_of: DateTime<Utc>,
    /// All agents, retired ones included.
    pub total: i64,
    /// By lifecycle state; every state is present.
    pub by_state: BTreeMap<String, i64>,
    /// By runtime-owner state, retired agents apart; every state is present.
    pub runtime_owner: BTreeMap<String, i64>,
    /// Coverage per duty.
    pub duties: Vec<DutyCoverage>,
    /// Agents with a finding of this key now; every key is present.
    pub findings: BTreeMap<String, i64>,
    /// Agents with a finding of this key that an exception covers now; every key is present. It
    /// does not count among the findings.
    #[serde(default)]
    pub excepted: BTreeMap<String, i64>,
    /// Of the findings, those whose gap counts as onboarding until the target date of their import;
    /// keys that have none are left out.
    pub onboarding: BTreeMap<String, i64>,
    /// Agents that count as running, by runtime-owner state.
    pub running: ByOwner,
    /// Agents that do not run yet, by runtime-owner state.
    pub idle: ByOwner,
    /// Business units, worst first, at most twenty.
    pub units: Vec<UnitPosture>,
    /// Import waves whose target date lies ahead, soonest first, at most ten.
    pub waves: Vec<WavePosture>,
}

impl Posture {
    /// Agents that count as running and that nobody can stop: no owner, owner gone, or only offered.
    pub fn unstoppable(&self) -> i64 {
        self.running.iter().filter(|(s, _)| s.nobody_can_stop()).map(|(_, n)| n).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_kept_just_after_its_end_once_and_never_later() {
        let day = NaiveDate::from_ymd_opt(2026, 11, 30).unwrap();
        let at = |minutes| midnight(day) + TimeDelta::minutes(minutes);
        let (yesterday, before) = (day - Days::new(1), day - Days::new(2));
        assert_eq!(day_to_keep(before, at(0)), Some(yesterday));
        assert_eq!(day_to_keep(before, at(15)), Some(yesterday));
        assert_eq!(day_to_keep(before, at(16)), None, "the counters tell of another day by then");
        assert_eq!(day_to_keep(yesterday, at(1)), None);
        assert_eq!(day_due(before, at(1)), at(0));
        assert_eq!(day_due(yesterday, at(1)), at(24 * 60));
        assert_eq!(day_due(before, at(16)), at(24 * 60));
    }
}
