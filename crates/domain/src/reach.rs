//! Reaching people: a channel counts while its last test is in date, and somebody who is
//! away or gone is not reached by any. When nobody of a party can be reached is known in
//! advance, as spans.

use chrono::{DateTime, TimeDelta, Utc};

crate::words! {
    /// A way to reach a person.
    pub enum ChannelKind {
        Phone = "phone", "Phone";
        Chat = "chat", "Chat";
        Email = "email", "E-mail";
        Pager = "pager", "Pager";
    }
}

/// How long a passed test of a channel counts.
pub const TEST_HOLDS: TimeDelta = TimeDelta::days(180);

/// Within how long the code of a test is typed in.
pub const CODE_HOLDS: TimeDelta = TimeDelta::minutes(15);

/// How often a code may be typed wrong before a new test is needed.
pub const CODE_TRIES: i64 = 5;

/// How many spans ahead are told: each that begins brings the next into sight.
pub const SPANS_AHEAD: usize = 4;

/// From a moment, inclusive, until another, exclusive; `None` is without end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Span {
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: Option<DateTime<Utc>>,
}

impl Span {
    /// From a moment on, without end.
    pub const fn since(from: DateTime<Utc>) -> Self {
        Self { from, until: None }
    }

    /// Whether it holds at the moment.
    pub fn holds_at(&self, at: DateTime<Utc>) -> bool {
        self.from <= at && self.until.is_none_or(|u| at < u)
    }

    /// What of it lies at or after the moment; `None` when nothing does.
    pub fn after(&self, at: DateTime<Utc>) -> Option<Self> {
        let cut = Self { from: self.from.max(at), until: self.until };
        cut.until.is_none_or(|u| cut.from < u).then_some(cut)
    }
}

/// What is known of reaching one person.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// When each of their channels was last tested; one that never was is left out.
    pub tests: Vec<DateTime<Utc>>,
    /// When they are away. Whoever left is away without end.
    pub away: Vec<Span>,
}

impl Reach {
    /// Whether they can be reached at the moment.
    pub fn reached_at(&self, at: DateTime<Utc>) -> bool {
        self.tests.iter().any(|t| *t <= at && at < *t + TEST_HOLDS) && !self.away.iter().any(|a| a.holds_at(at))
    }

    /// When they can be reached, in order, apart from each other.
    fn spans(&self) -> Vec<Span> {
        let tested =
            joined(self.tests.iter().map(|t| Span { from: *t, until: Some(*t + TEST_HOLDS) }).collect::<Vec<_>>());
        let away = joined(self.away.clone());
        let mut out = Vec::new();
        for span in tested {
            let mut rest = Some(span);
            for a in &away {
                let Some(now) = rest else { break };
                if a.from > now.from {
                    let until = now.until.map_or(a.from, |u| u.min(a.from));
                    out.push(Span { from: now.from, until: Some(until) });
                }
                rest = a.until.and_then(|back| now.after(back));
            }
            out.extend(rest);
        }
        out
    }
}

/// Spans in order, those that touch or overlap made one; empty ones are dropped.
pub fn joined(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|s| s.until.is_none_or(|u| s.from < u));
    spans.sort_unstable();
    let mut out: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match out.last_mut() {
            Some(last) if last.until.is_none_or(|u| span.from <= u) => {
                last.until = match (last.until, span.until) {
                    (Some(a), Some(b)) => Some(a.max(b)),
                    _ => None,
                };
            }
            _ => out.push(span),
        }
    }
    out
}

/// When nobody of these people can be reached: what has not ended by `now`, in order, at most
/// [`SPANS_AHEAD`]. The first may have begun long ago. Of nobody at all, always.
pub fn nobody(people: &[Reach], now: DateTime<Utc>) -> Vec<Span> {
    let reached = joined(people.iter().flat_map(Reach::spans).collect());
    let mut out = Vec::new();
    let mut at = Some(DateTime::<Utc>::MIN_UTC);
    for span in reached {
        let Some(begin) = at else { break };
        if begin < span.from && now < span.from {
            out.push(Span { from: begin, until: Some(span.from) });
        }
        at = span.until;
    }
    out.extend(at.map(Span::since));
    out.truncate(SPANS_AHEAD);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(hours * 3600, 0).unwrap()
    }

    fn span(from: i64, until: i64) -> Span {
        Span { from: at(from), until: Some(at(until)) }
    }

    #[test]
    fn a_test_counts_for_180_days_and_not_while_one_is_away() {
        let day = |d: i64| at(d * 24);
        let one = Reach { tests: vec![day(0)], away: vec![Span { from: day(10), until: Some(day(20)) }] };
        let gaps = nobody(std::slice::from_ref(&one), day(1));
        assert_eq!(gaps, [Span { from: day(10), until: Some(day(20)) }, Span::since(day(180))]);
        assert_eq!(nobody(std::slice::from_ref(&one), day(12))[0].from, day(10), "since when");
        let gone = Reach { away: vec![Span::since(day(5))], ..one.clone() };
        assert_eq!(nobody(&[gone], day(1)), [Span::since(day(5))]);
        // A colleague bridges it.
        let other = Reach { tests: vec![day(8)], away: vec![] };
        assert_eq!(nobody(&[one, other], day(1)), [Span::since(day(188))]);
        assert_eq!(nobody(&[], day(3)), [Span::since(DateTime::<Utc>::MIN_UTC)], "of nobody, nobody is reached");
    }

    #[test]
    fn spans_that_touch_are_one() {
        assert_eq!(joined(vec![span(5, 9), span(1, 5), span(20, 20), span(30, 31)]), [span(1, 9), span(30, 31)]);
        assert_eq!(joined(vec![Span::since(at(3)), span(1, 4), span(9, 10)]), [Span::since(at(1))]);
    }

    fn reach() -> impl Strategy<Value = Reach> {
        let span = (0..9_000_i64, 0..3_000_i64, any::<bool>())
            .prop_map(|(from, long, ends)| Span { from: at(from), until: ends.then(|| at(from + long)) });
        (proptest::collection::vec(0..9_000_i64, 0..3), proptest::collection::vec(span, 0..4))
            .prop_map(|(tests, away)| Reach { tests: tests.into_iter().map(at).collect(), away })
    }

    proptest! {
        /// Interval arithmetic says at every moment what looking at that moment says.
        #[test]
        fn spans_agree_with_looking(people in proptest::collection::vec(reach(), 0..4), from in 0..9_000_i64) {
            let gaps = nobody(&people, at(from));
            let told = gaps.last().map_or(0, |g| g.from.timestamp() / 3600).max(from) + 1;
            prop_assert!(gaps.iter().all(|g| g.until.is_none_or(|u| u > at(from))));
            for hour in (from..told).chain([told + 7, told + 5_000]) {
                let look = !people.iter().any(|p| p.reached_at(at(hour)));
                let span = gaps.iter().any(|g| g.holds_at(at(hour)));
                if hour < told || gaps.len() < SPANS_AHEAD {
                    prop_assert_eq!(look, span, "hour {}", hour);
                }
            }
            for pair in gaps.windows(2) {
                prop_assert!(pair[0].until.is_some_and(|u| u < pair[1].from));
            }
        }
    }
}
