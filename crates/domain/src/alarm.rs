//! Alarms: at which instants somebody is to be told something, known from the moment it begins.
//! At its instant the facts are read again, and only what still holds is told.

use chrono::{DateTime, TimeDelta, Utc};

crate::words! {
    /// What an alarm is about.
    pub enum AlarmKind {
        /// A step of a request is due within [`SOON`].
        DecisionSoon = "decision-soon", "A decision is due soon";
        DecisionDue = "decision-due", "A decision is due";
        /// It was not decided within the days that the policy gives after that.
        DecisionEscalates = "decision-escalates", "A decision is long overdue";
        /// A request lapses within [`LAPSING`].
        RequestLapses = "request-lapses", "A request lapses soon";
        /// Nobody answered an offer within [`UNANSWERED`].
        OfferUnanswered = "offer-unanswered", "An offer was not answered";
        /// Nobody answered it at all.
        OfferLapses = "offer-lapses", "An offer lapses";
        ExceptionEnding = "exception-ending", "An exception ends soon";
        ExceptionEnded = "exception-ended", "An exception has ended";
        /// An exception has ended since [`UNMENDED`], and what it excepted still holds.
        ExceptionUnmended = "exception-unmended", "What an exception covered was not mended";
        ControlCheck = "control-check", "A compensating control is to be checked";
        /// An exception ends of which was decided that its agents stop then.
        ExceptionSuspends = "exception-suspends", "The end of an exception suspends";
    }
}

/// How long before a step is due its decider is told, unless half of its time is shorter.
pub const SOON: TimeDelta = TimeDelta::days(2);

/// How long before a request lapses those for whom it waits are told.
pub const LAPSING: TimeDelta = TimeDelta::days(3);

/// How long an offer waits until others are told that nobody answers.
pub const UNANSWERED: TimeDelta = TimeDelta::days(10);

/// How many days before an exception ends its control owner is told.
pub const BEFORE_END: [i64; 4] = [30, 14, 7, 1];

/// How long after the end of an exception it is told further, if nothing was mended.
pub const UNMENDED: TimeDelta = TimeDelta::days(3);

/// An instant, and what for.
pub type Alarm = (DateTime<Utc>, AlarmKind);

/// When a step that is asked at `asked` and due at `due` is told of as due soon; `None` where it is
/// due at once.
pub fn soon(asked: DateTime<Utc>, due: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (due > asked).then(|| due - SOON.min((due - asked) / 2))
}

/// The alarms of steps that are due at `due`: soon, due, and escalated that much later.
pub fn of_steps(asked: DateTime<Utc>, due: DateTime<Utc>, escalates: TimeDelta) -> Vec<Alarm> {
    let soon = soon(asked, due).map(|at| (at, AlarmKind::DecisionSoon));
    soon.into_iter()
        .chain([(due, AlarmKind::DecisionDue), (due + escalates, AlarmKind::DecisionEscalates)])
        .filter(|(at, _)| *at > asked)
        .collect()
}

/// The alarm of a request that lapses at `lapses`; `None` where that is at once.
pub fn of_lapse(asked: DateTime<Utc>, lapses: DateTime<Utc>) -> Option<Alarm> {
    (lapses > asked).then(|| (lapses - LAPSING.min((lapses - asked) / 2), AlarmKind::RequestLapses))
}

/// The alarms of an exception that was decided at `decided` and ends at `ends`, with the days left
/// at each: thirty, fourteen, seven and one day before, at its end, and after it.
pub fn of_exception(decided: DateTime<Utc>, ends: DateTime<Utc>) -> Vec<(Alarm, i64)> {
    let before = BEFORE_END.into_iter().map(|days| ((ends - TimeDelta::days(days), AlarmKind::ExceptionEnding), days));
    before
        .chain([((ends, AlarmKind::ExceptionEnded), 0), ((ends + UNMENDED, AlarmKind::ExceptionUnmended), 0)])
        .filter(|((at, _), _)| *at > decided)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(hours * 3_600, 0).unwrap()
    }

    #[test]
    fn an_exception_of_ten_days_is_told_of_seven_and_one_day_before_and_when_it_ends() {
        let found: Vec<(AlarmKind, i64)> = of_exception(at(0), at(240)).iter().map(|((_, k), d)| (*k, *d)).collect();
        let ending = AlarmKind::ExceptionEnding;
        let ended = [(AlarmKind::ExceptionEnded, 0), (AlarmKind::ExceptionUnmended, 0)];
        assert_eq!(found, [[(ending, 7), (ending, 1)], ended].concat());
    }

    #[test]
    fn a_step_of_one_day_is_told_of_at_noon() {
        assert_eq!(soon(at(0), at(24)), Some(at(12)));
        assert_eq!(soon(at(0), at(240)), Some(at(192)));
        assert_eq!(soon(at(5), at(5)), None);
    }

    proptest! {
        #[test]
        fn alarms_lie_after_what_they_are_about_began_and_in_order(hours in 0_i64..9_000, days in 0_i64..40) {
            let list = of_steps(at(0), at(hours), TimeDelta::days(days));
            prop_assert!(list.iter().all(|(when, _)| *when > at(0)));
            prop_assert!(list.is_sorted_by_key(|(when, _)| *when));
            let due = list.iter().find(|(_, k)| *k == AlarmKind::DecisionDue);
            prop_assert_eq!(due.is_some(), hours > 0);
            prop_assert!(of_exception(at(0), at(hours)).is_sorted_by_key(|((when, _), _)| *when));
            if let Some((when, _)) = of_lapse(at(0), at(hours)) {
                prop_assert!(when > at(0) && when < at(hours));
            }
        }
    }
}
