//! On call: whose turn it is in a team, by a simple rotation, with absences and overrides.
//! Pure and total: at every moment the answer is one person, or nobody and why.

use chrono::{DateTime, TimeDelta, Utc};

use crate::id::PersonId;
use crate::reach::Span;

/// Shortest and longest turn.
pub const TURN: (TimeDelta, TimeDelta) = (TimeDelta::hours(1), TimeDelta::days(56));

/// Most people in a rotation.
pub const PEOPLE_MAX: usize = 50;

/// Longest override.
pub const OVERRIDE_MAX: TimeDelta = TimeDelta::days(92);

/// How far the next change is looked for.
const SIGHT: TimeDelta = TimeDelta::days(366);

/// Most moments at which a change is looked for.
const STEPS: usize = 5_000;

/// People who take turns, one after another, over the span in which the rotation is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// In their order.
    pub people: Vec<PersonId>,
    /// When the first of them began, or will.
    pub starts: DateTime<Utc>,
    /// How long a turn is; more than nothing.
    pub turn: TimeDelta,
    /// While it is in force.
    pub span: Span,
}

impl Rotation {
    /// Which turn it is at the moment, counted from 0; `None` before the first.
    pub fn turn_at(&self, at: DateTime<Utc>) -> Option<i64> {
        let long = self.turn.num_microseconds().filter(|n| *n > 0)?;
        let gone = (at - self.starts).num_microseconds()?;
        (gone >= 0 && !self.people.is_empty()).then(|| gone / long)
    }

    /// When a turn begins.
    pub fn begins(&self, turn: i64) -> Option<DateTime<Utc>> {
        let long = self.turn.num_microseconds()?.checked_mul(turn)?;
        self.starts.checked_add_signed(TimeDelta::microseconds(long))
    }

    /// Whose place a turn is.
    fn place(&self, turn: i64) -> usize {
        let many = i64::try_from(self.people.len()).unwrap_or(1).max(1);
        usize::try_from(turn.rem_euclid(many)).unwrap_or(0)
    }

    /// The same rotation without some people, from `at` on: whoever has the turn keeps it, or
    /// the next who stays takes it over. `None` when nobody stays.
    #[must_use]
    pub fn without(&self, gone: &[PersonId], at: DateTime<Utc>) -> Option<Self> {
        let turn = self.turn_at(at);
        let first = turn.map_or(0, |t| self.place(t));
        let many = self.people.len();
        let people: Vec<PersonId> =
            (0..many).map(|n| self.people[(first + n) % many]).filter(|p| !gone.contains(p)).collect();
        let starts = turn.and_then(|t| self.begins(t)).unwrap_or(self.starts);
        let from = self.span.from.max(at);
        (!people.is_empty()).then_some(Self { people, starts, turn: self.turn, span: Span { from, ..self.span } })
    }
}

/// Somebody takes over for a while. What was cancelled ends there and then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Override {
    /// Its number; of several at once the latest made holds.
    pub id: i64,
    /// Who takes over.
    pub person: PersonId,
    /// When.
    pub span: Span,
}

/// Somebody is not there. Who left is away without end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// Who.
    pub person: PersonId,
    /// When.
    pub span: Span,
}

/// Everything that decides who is on call in one team.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Present and past rotations; their spans lie apart.
    pub rotations: Vec<Rotation>,
    /// Overrides.
    pub overrides: Vec<Override>,
    /// Absences of anybody who may be asked.
    pub absences: Vec<Absence>,
}

/// Why the answer is what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It is their turn.
    Turn,
    /// They took over.
    Override(i64),
    /// Whose turn it is, and whoever comes before them, is away.
    StandsIn(Vec<PersonId>),
    /// Nobody: the team has no rotation then.
    NoRotation,
    /// Nobody: the first turn has not begun.
    NotBegun,
    /// Nobody: everybody in the rotation is away.
    AllAway,
}

/// Who is on call at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OnCall {
    /// Who; `None` when nobody is.
    pub person: Option<PersonId>,
    /// Why.
    pub why: Why,
    /// When the answer changes next; `None` when it does not within a year.
    pub until: Option<DateTime<Utc>>,
}

impl Schedule {
    fn away(&self, person: PersonId, at: DateTime<Utc>) -> bool {
        self.absences.iter().any(|a| a.person == person && a.span.holds_at(at))
    }

    fn rotation(&self, at: DateTime<Utc>) -> Option<&Rotation> {
        self.rotations.iter().find(|r| r.span.holds_at(at))
    }

    /// The answer at a moment, without its end.
    fn answer(&self, at: DateTime<Utc>) -> (Option<PersonId>, Why) {
        let taken = self.overrides.iter().filter(|o| o.span.holds_at(at) && !self.away(o.person, at));
        if let Some(o) = taken.max_by_key(|o| o.id) {
            return (Some(o.person), Why::Override(o.id));
        }
        let Some(rotation) = self.rotation(at).filter(|r| !r.people.is_empty()) else {
            return (None, Why::NoRotation);
        };
        let Some(turn) = rotation.turn_at(at) else { return (None, Why::NotBegun) };
        let (first, many) = (rotation.place(turn), rotation.people.len());
        let mut absent = Vec::new();
        for n in 0..many {
            let person = rotation.people[(first + n) % many];
            if !self.away(person, at) {
                return (Some(person), if absent.is_empty() { Why::Turn } else { Why::StandsIn(absent) });
            }
            if !absent.contains(&person) {
                absent.push(person);
            }
        }
        (None, Why::AllAway)
    }

    /// The first moment after this one at which the answer may be another.
    fn boundary(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let ends = |s: &Span| [Some(s.from), s.until];
        let fixed = self
            .overrides
            .iter()
            .flat_map(|o| ends(&o.span))
            .chain(self.absences.iter().flat_map(|a| ends(&a.span)))
            .chain(self.rotations.iter().flat_map(|r| [Some(r.span.from), r.span.until, Some(r.starts)]))
            .flatten();
        let turns = self.rotation(at).and_then(|r| r.begins(r.turn_at(at)? + 1));
        fixed.chain(turns).filter(|m| *m > at).min()
    }

    /// Who is on call at a moment, why, and until when.
    pub fn on_call(&self, at: DateTime<Utc>) -> OnCall {
        let (person, why) = self.answer(at);
        let mut moment = at;
        let mut until = None;
        for _ in 0..STEPS {
            let Some(next) = self.boundary(moment).filter(|n| *n - at <= SIGHT) else { break };
            if self.answer(next) != (person, why.clone()) {
                until = Some(next);
                break;
            }
            moment = next;
        }
        OnCall { person, why, until }
    }

    /// Who is on call from one moment until another, in order; at most `most` rows.
    pub fn plan(&self, from: DateTime<Utc>, until: DateTime<Utc>, most: usize) -> Vec<(Span, OnCall)> {
        let mut out = Vec::new();
        let mut at = from;
        while at < until && out.len() < most {
            let now = self.on_call(at);
            let end = now.until.map_or(until, |u| u.min(until));
            out.push((Span { from: at, until: Some(end) }, now));
            at = end;
        }
        out
    }
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

    fn people(list: &[i64]) -> Vec<PersonId> {
        list.iter().map(|n| PersonId(*n)).collect()
    }

    fn weekly(list: &[i64]) -> Schedule {
        let rotation = Rotation {
            people: people(list),
            starts: at(100),
            turn: TimeDelta::days(7),
            span: Span { from: at(90), until: None },
        };
        Schedule { rotations: vec![rotation], ..Schedule::default() }
    }

    #[test]
    fn turns_follow_each_other() {
        let s = weekly(&[1, 2, 3]);
        assert_eq!(s.on_call(at(80)), OnCall { person: None, why: Why::NoRotation, until: Some(at(90)) });
        assert_eq!(s.on_call(at(95)), OnCall { person: None, why: Why::NotBegun, until: Some(at(100)) });
        for (week, who) in [(0, 1), (1, 2), (2, 3), (3, 1), (52, 2)] {
            let now = s.on_call(at(100 + week * 168));
            assert_eq!((now.person, &now.why), (Some(PersonId(who)), &Why::Turn), "week {week}");
            assert_eq!(now.until, Some(at(100 + (week + 1) * 168)));
        }
        assert_eq!(weekly(&[7]).on_call(at(300)).until, None, "one alone has it for good");
    }

    #[test]
    fn whoever_is_away_is_stood_in_for_by_the_next() {
        let mut s = weekly(&[1, 2, 3]);
        s.absences = vec![
            Absence { person: PersonId(1), span: span(110, 120) },
            Absence { person: PersonId(2), span: Span::since(at(115)) },
        ];
        assert_eq!(s.on_call(at(100)).until, Some(at(110)));
        assert_eq!(s.on_call(at(111)).person, Some(PersonId(2)));
        assert_eq!(s.on_call(at(116)).why, Why::StandsIn(people(&[1, 2])));
        assert_eq!(s.on_call(at(121)).person, Some(PersonId(1)));
        s.absences.push(Absence { person: PersonId(3), span: span(115, 118) });
        assert_eq!(s.on_call(at(116)), OnCall { person: None, why: Why::AllAway, until: Some(at(118)) });
    }

    #[test]
    fn the_latest_override_of_somebody_present_wins() {
        let mut s = weekly(&[1, 2]);
        s.overrides = vec![
            Override { id: 1, person: PersonId(9), span: span(110, 130) },
            Override { id: 2, person: PersonId(8), span: span(115, 120) },
        ];
        assert_eq!(s.on_call(at(112)).why, Why::Override(1));
        assert_eq!(s.on_call(at(117)).why, Why::Override(2));
        s.absences = vec![Absence { person: PersonId(8), span: Span::since(at(0)) }];
        assert_eq!(s.on_call(at(117)).why, Why::Override(1), "whoever is away does not take over");
        assert_eq!(s.plan(at(100), at(140), 10).len(), 3);
    }

    #[test]
    fn who_leaves_a_rotation_does_not_move_the_turns_of_those_who_stay() {
        let s = weekly(&[1, 2, 3]);
        let now = at(100 + 168 + 24);
        let stays = s.rotations[0].without(&[PersonId(1)], now).unwrap();
        assert_eq!((stays.people.clone(), stays.starts), (people(&[2, 3]), at(100 + 168)));
        let taken = s.rotations[0].without(&[PersonId(2)], now).unwrap();
        assert_eq!((taken.people.clone(), taken.starts), (people(&[3, 1]), at(100 + 168)));
        assert_eq!(s.rotations[0].without(&people(&[1, 2, 3]), now), None);
    }

    fn schedule() -> impl Strategy<Value = Schedule> {
        let span = || {
            (0..900_i64, 1..300_i64, any::<bool>())
                .prop_map(|(from, long, ends)| Span { from: at(from), until: ends.then(|| at(from + long)) })
        };
        let rotation = (proptest::collection::vec(1..5_i64, 0..5), 0..500_i64, 1..60_i64, span()).prop_map(
            |(list, starts, turn, span)| Rotation {
                people: people(&list),
                starts: at(starts),
                turn: TimeDelta::hours(turn),
                span,
            },
        );
        let overrides = proptest::collection::vec((1..7_i64, span()), 0..4).prop_map(|list| {
            (1..).zip(list).map(|(id, (p, span))| Override { id, person: PersonId(p), span }).collect::<Vec<_>>()
        });
        let absences = proptest::collection::vec((1..7_i64, span()), 0..6)
            .prop_map(|list| list.into_iter().map(|(p, span)| Absence { person: PersonId(p), span }).collect());
        (proptest::collection::vec(rotation, 0..3), overrides, absences)
            .prop_map(|(rotations, overrides, absences)| Schedule { rotations, overrides, absences })
    }

    proptest! {
        /// One person or nobody, never one who is away, an override before any turn, and the
        /// answer holds until the moment that is told.
        #[test]
        fn the_rules_hold_at_every_moment(s in schedule(), hour in 0..1_200_i64) {
            let now = s.on_call(at(hour));
            if let Some(person) = now.person {
                prop_assert!(!s.away(person, at(hour)));
            }
            let over: Vec<_> =
                s.overrides.iter().filter(|o| o.span.holds_at(at(hour)) && !s.away(o.person, at(hour))).collect();
            prop_assert_eq!(over.is_empty(), !matches!(now.why, Why::Override(_)));
            if let Why::Override(id) = now.why {
                prop_assert_eq!(id, over.iter().map(|o| o.id).max().unwrap());
            }
            prop_assert_eq!(now.person.is_none(), matches!(now.why, Why::NoRotation | Why::NotBegun | Why::AllAway));
            let until = now.until.map_or(hour + 400, |u| u.timestamp() / 3600);
            prop_assert!(until > hour);
            for h in hour..until {
                prop_assert_eq!(s.answer(at(h)), (now.person, now.why.clone()));
            }
            if now.until.is_some() {
                prop_assert_ne!(s.answer(at(until)), (now.person, now.why.clone()));
            }
        }

        /// A plan covers its whole span, each row right where the last ends.
        #[test]
        fn a_plan_has_no_holes(s in schedule(), hour in 0..1_000_i64) {
            let plan = s.plan(at(hour), at(hour + 336), 1_000);
            prop_assert_eq!(plan.first().map(|p| p.0.from), Some(at(hour)));
            prop_assert_eq!(plan.last().and_then(|p| p.0.until), Some(at(hour + 336)));
            for pair in plan.windows(2) {
                prop_assert_eq!(pair[0].0.until, Some(pair[1].0.from));
            }
        }
    }
}
