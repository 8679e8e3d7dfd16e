//! Deciding in somebody's place: dated, given by the person themself, and never passed on.
//! Whoever delegates remains accountable.

use chrono::{DateTime, TimeDelta, Utc};

use crate::id::PersonId;
use crate::reach::Span;

/// The longest that one may last.
pub const AT_MOST: TimeDelta = TimeDelta::days(90);

/// How far ahead one may begin.
pub const AHEAD: TimeDelta = TimeDelta::days(366);

/// Who may decide in whose place, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delegation {
    /// Whose decisions they are.
    pub from: PersonId,
    /// Who takes them.
    pub to: PersonId,
    /// From when until when.
    pub span: Span,
}

/// What is wrong with the times of one that begins at `from`: the field, and what to do.
pub fn wrong(from: DateTime<Utc>, until: DateTime<Utc>, now: DateTime<Utc>) -> Option<(&'static str, &'static str)> {
    if until <= from {
        Some(("/until", "It ends before it begins, or has passed: choose a later end."))
    } else if until - from > AT_MOST {
        Some(("/until", "It lasts at most 90 days; whoever is away for longer hands the duty over."))
    } else if from > now + AHEAD {
        Some(("/from", "It begins within a year of today."))
    } else {
        None
    }
}

/// In whose place somebody may decide at a moment. What was delegated to those is not theirs
/// to pass on, so that no chain is followed.
pub fn deciding_for(all: &[Delegation], person: PersonId, now: DateTime<Utc>) -> Vec<PersonId> {
    let mut out: Vec<PersonId> =
        all.iter().filter(|d| d.to == person && d.from != person && d.span.holds_at(now)).map(|d| d.from).collect();
    out.sort_unstable();
    out.dedup();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(n)
    }

    #[test]
    fn it_is_dated_and_short() {
        assert_eq!(wrong(day(1), day(91), day(0)), None);
        assert_eq!(wrong(day(1), day(92), day(0)).map(|w| w.0), Some("/until"));
        assert_eq!(wrong(day(1), day(1), day(0)).map(|w| w.0), Some("/until"));
        assert_eq!(wrong(day(400), day(410), day(0)).map(|w| w.0), Some("/from"));
    }

    #[test]
    fn it_holds_for_its_days_and_is_not_passed_on() {
        let [a, b, c] = [1, 2, 3].map(PersonId);
        let one = |from, to| Delegation { from, to, span: Span { from: day(1), until: Some(day(5)) } };
        let all = [one(a, b), one(b, c)];
        assert_eq!(deciding_for(&all, b, day(1)), [a]);
        assert_eq!(deciding_for(&all, c, day(4)), [b], "never a’s");
        assert!(deciding_for(&all, b, day(0)).is_empty() && deciding_for(&all, b, day(5)).is_empty());
        assert!(deciding_for(&all, a, day(2)).is_empty());
    }
}
