//! Periodic review: in whose name one is asked, how far it may be put off, and how each agent
//! of a campaign stands.

use chrono::{DateTime, TimeDelta, Utc};

use crate::agent::Lifecycle;
use crate::id::PersonId;
use crate::request::RequestState;

/// What is said of an agent's activity where no source reports it.
pub const NOT_OBSERVED: &str = "not observed";

/// Most agents of one campaign: it is begun in one transaction.
pub const CAMPAIGN_MOST: usize = 2_000;

/// The furthest date of a campaign.
pub const CAMPAIGN_WITHIN: TimeDelta = TimeDelta::days(366);

/// Who begins a review, of what.
#[derive(Debug, Clone, Copy)]
pub struct Opening<'a> {
    /// Who begins it.
    pub opener: PersonId,
    /// Who would decide it, as things stand.
    pub reviewer: Option<PersonId>,
    /// Since when the policy's cadence demands it, or from when it will.
    pub due_at: Option<DateTime<Utc>>,
    /// In whose name the policy asks, first to last: the security owner and whoever is above
    /// them, then the business owner, then the security leads.
    pub answerable: &'a [PersonId],
}

/// Why a review is not begun by whoever would decide it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotBegun {
    /// It is not due, so nobody but they ask for it.
    #[error(
        "You review it yourself, and nobody decides their own request. {}a risk analyst, a security lead or another owner of it may ask for a review now.",
        .0.map_or_else(String::new, |at| format!("You can begin it when it falls due, on {}; until then ", at.format("%-d %B %Y")))
    )]
    NotDue(Option<DateTime<Utc>>),
    /// There is nobody else in whose name it could be asked.
    #[error(
        "You review it yourself, and there is nobody else in whose name it could be asked: give it a security owner, or make somebody else security lead."
    )]
    Alone,
}

/// In whose name a review is asked. Whoever asks never decides, so a review that its own
/// reviewer begins is asked by the policy: in the name of whoever answers for it, and only
/// once it is due.
pub fn requester(o: Opening<'_>, now: DateTime<Utc>) -> Result<PersonId, NotBegun> {
    if o.reviewer != Some(o.opener) {
        return Ok(o.opener);
    }
    if o.due_at.is_none_or(|at| now < at) {
        return Err(NotBegun::NotDue(o.due_at));
    }
    o.answerable.iter().copied().find(|p| *p != o.opener).ok_or(NotBegun::Alone)
}

/// Whether an agent in this state is reviewed: one that was approved, or runs as if it were.
pub const fn reviewable(state: Lifecycle) -> bool {
    state.boundary_is_approved()
}

/// Why a review is not put off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotDeferred {
    /// It was before.
    #[error("It was put off once already, and a review is put off once: attest, ask for a change, or retire it.")]
    Twice,
    /// The new date is no later.
    #[error("It is due on {} as it is: choose a later day, or decide now.", .0.format("%-d %B %Y"))]
    NoLater(DateTime<Utc>),
    /// The new date is too late.
    #[error("The latest day is {}: half of what the policy allows between two reviews of this tier.", .0.format("%-d %B %Y"))]
    TooLate(DateTime<Utc>),
}

/// The latest date to which a review may be put off: half of the tier's cadence from now.
pub fn latest(cadence_days: i64, now: DateTime<Utc>) -> DateTime<Utc> {
    now + TimeDelta::days((cadence_days / 2).max(1))
}

/// Whether a review that is due at a moment may be put off to another.
pub fn may_defer(
    deferred: bool,
    due_at: DateTime<Utc>,
    until: DateTime<Utc>,
    cadence_days: i64,
    now: DateTime<Utc>,
) -> Result<(), NotDeferred> {
    if deferred {
        return Err(NotDeferred::Twice);
    }
    if until <= due_at || until <= now {
        return Err(NotDeferred::NoLater(due_at.max(now)));
    }
    let last = latest(cadence_days, now);
    if until > last { Err(NotDeferred::TooLate(last)) } else { Ok(()) }
}

crate::words! {
    /// How an agent of a campaign stands.
    pub enum Progress {
        /// Nobody has answered, and its date has passed.
        Overdue = "overdue", "Overdue";
        Open = "open", "Waiting";
        /// The reviewer put it off, and that date has not come.
        Deferred = "deferred", "Put off";
        Done = "done", "Reviewed";
        /// It was voided, taken back or lapsed.
        Ended = "ended", "Ended without an answer";
        /// No review could be asked.
        Skipped = "skipped", "Left out";
    }
}

/// How a review stands, for the campaign that it belongs to.
pub fn progress(state: RequestState, due_at: DateTime<Utc>, deferred: bool, now: DateTime<Utc>) -> Progress {
    match state {
        RequestState::Completed => Progress::Done,
        RequestState::Open if due_at <= now => Progress::Overdue,
        RequestState::Open if deferred => Progress::Deferred,
        RequestState::Open => Progress::Open,
        _ => Progress::Ended,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(n)
    }

    #[test]
    fn a_reviewer_begins_what_is_due_in_the_name_of_the_policy() {
        let people = [PersonId(1), PersonId(2)];
        let o =
            Opening { opener: PersonId(1), reviewer: Some(PersonId(1)), due_at: Some(day(10)), answerable: &people };
        assert_eq!(requester(o, day(9)), Err(NotBegun::NotDue(Some(day(10)))));
        assert_eq!(requester(o, day(10)), Ok(PersonId(2)), "the first who is not the reviewer");
        assert_eq!(requester(Opening { opener: PersonId(3), ..o }, day(1)), Ok(PersonId(3)));
        assert_eq!(requester(Opening { reviewer: None, ..o }, day(1)), Ok(PersonId(1)));
        assert_eq!(requester(Opening { answerable: &people[..1], ..o }, day(11)), Err(NotBegun::Alone));
        assert_eq!(requester(Opening { due_at: None, ..o }, day(99)), Err(NotBegun::NotDue(None)));
    }

    #[test]
    fn it_is_put_off_once_later_and_not_too_far() {
        assert_eq!(may_defer(false, day(3), day(15), 30, day(0)), Ok(()));
        assert_eq!(may_defer(false, day(3), day(16), 30, day(0)), Err(NotDeferred::TooLate(day(15))));
        assert_eq!(may_defer(false, day(3), day(3), 30, day(0)), Err(NotDeferred::NoLater(day(3))));
        assert_eq!(may_defer(false, day(3), day(4), 30, day(5)), Err(NotDeferred::NoLater(day(5))));
        assert_eq!(may_defer(true, day(3), day(9), 30, day(0)), Err(NotDeferred::Twice));
    }

    proptest! {
        /// Whoever begins a review, of whichever agent, whoever holds what: the requester is
        /// never the reviewer.
        #[test]
        fn nobody_is_asked_by_themself(
            opener in 0..5i64, reviewer in proptest::option::of(0..5i64), due in proptest::option::of(0..20i64),
            answerable in proptest::collection::vec(0..5i64, 0..5), now in 0..20i64,
        ) {
            let people: Vec<PersonId> = answerable.into_iter().map(PersonId).collect();
            let o = Opening {
                opener: PersonId(opener), reviewer: reviewer.map(PersonId), due_at: due.map(day), answerable: &people,
            };
            if let Ok(who) = requester(o, day(now)) {
                prop_assert_ne!(Some(who), o.reviewer);
                prop_assert!(who == o.opener || due.is_some_and(|d| d <= now));
            }
        }
    }
}
