//! Exceptions: the register of them as a list and as a timeline, one of them, and asking for one.

pub mod form;
pub mod list;
pub mod one;
pub mod section;
pub mod timeline;

use chrono::{DateTime, Utc};
use domain::exception::{ExceptionState as State, days_until};
use domain::id::AgentId;
use leptos::prelude::*;

use crate::components::{Badge, IntoPiece, Piece, Tone};

pub use form::{ExceptionForm, Foreseen, FormPage, Forming, TypedControl};
pub use list::{Figures, Line, ListPage, Listed, Look};
pub use one::{Control, ExceptionPage, OneForm, Shown};
pub use section::{OfAgent, of_agent};

/// What is excepted: its key, and how it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// The key of a finding, or the words of a control of the organisation's own.
    pub key: String,
    /// How it reads.
    pub label: String,
}

/// The agents that an exception covers, as a list shows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// One of them that the reader may see: its reference and its name.
    pub first: Option<(AgentId, String)>,
    /// How many there are.
    pub count: i64,
}

/// How a state is shown.
pub(crate) const fn tone(state: State) -> Tone {
    match state {
        State::Requested | State::Scheduled => Tone::Note,
        State::Active => Tone::Good,
        State::Expired => Tone::Warn,
        State::Closed => Tone::Plain,
        State::Revoked | State::Rejected => Tone::Off,
    }
}

/// How good or bad it is that so many days are left, counted upward: 1 on the last day.
pub(crate) const fn urgency(days: i64) -> Tone {
    match days {
        ..=7 => Tone::Bad,
        8..=30 => Tone::Warn,
        _ => Tone::Good,
    }
}

/// What is left until a moment, in words.
pub(crate) fn left_words(until: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let hours = (until - now).num_hours();
    match days_until(until, now) {
        0 => match (now - until).num_days() {
            0 => "ended today".to_owned(),
            1 => "ended 1 day ago".to_owned(),
            days => format!("ended {days} days ago"),
        },
        1 if hours == 0 => "less than an hour left".to_owned(),
        1 if hours == 1 => "1 hour left".to_owned(),
        1 if hours < 24 => format!("{hours} hours left"),
        1 => "1 day left".to_owned(),
        days => format!("{days} days left"),
    }
}

/// How an exception stands: its state, and how long it has yet.
pub(crate) fn standing(state: State, breached: bool, expires: DateTime<Utc>, now: DateTime<Utc>) -> Piece {
    if state == State::Active {
        let tone = urgency(days_until(expires, now));
        let words = left_words(expires, now);
        return view! { <Badge tone=tone>{words}</Badge> }.piece();
    }
    if breached {
        return view! { <Badge tone=Tone::Severe>"Expired, still breached"</Badge> }.piece();
    }
    view! { <Badge tone=tone(state)>{state.label()}</Badge> }.piece()
}

/// A step of one to five in words.
pub(crate) const fn likelihood_words(n: i64) -> &'static str {
    match n {
        1 => "rare",
        2 => "unlikely",
        3 => "possible",
        4 => "likely",
        _ => "almost certain",
    }
}

/// A step of one to five in words.
pub(crate) const fn impact_words(n: i64) -> &'static str {
    match n {
        1 => "negligible",
        2 => "minor",
        3 => "moderate",
        4 => "major",
        _ => "severe",
    }
}

/// The product of both in a word, and how it looks.
pub(crate) const fn risk_words(product: i64) -> (&'static str, &'static str) {
    match product {
        ..5 => ("low", "level l1"),
        5..10 => ("moderate", "level l2"),
        10..17 => ("high", "level l3"),
        _ => ("very high", "level l4"),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn the_days_left_are_whole_days() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let told = |d: TimeDelta| left_words(now + d, now);
        assert_eq!(told(TimeDelta::days(30)), "30 days left");
        assert_eq!(told(TimeDelta::days(1) + TimeDelta::seconds(1)), "2 days left");
        assert_eq!(told(TimeDelta::days(1)), "1 day left");
        assert_eq!(told(TimeDelta::hours(23)), "23 hours left");
        assert_eq!(told(TimeDelta::minutes(3)), "less than an hour left");
        assert_eq!(told(TimeDelta::seconds(-1)), "ended today");
        assert_eq!(told(TimeDelta::days(-3)), "ended 3 days ago");
        assert_eq!(urgency(7), Tone::Bad);
        assert_eq!(urgency(8), Tone::Warn);
        assert_eq!(urgency(31), Tone::Good);
    }

    #[test]
    fn each_field_of_the_scale_has_a_word() {
        let words: Vec<&str> = (1..=5).flat_map(|l| (1..=5).map(move |i| risk_words(l * i).0)).collect();
        assert_eq!(words.iter().filter(|w| **w == "low").count(), 8);
        assert_eq!(risk_words(25).0, "very high");
        assert_eq!(risk_words(16).0, "high");
        assert_eq!(risk_words(9).0, "moderate");
    }
}
