//! What a person chose: how each kind reaches them, when they want to be left alone, when the
//! digest comes. From that and the clock follows when a notice goes out.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use super::{How, NoticeKind};

/// Minutes of a day.
pub const DAY: u16 = 24 * 60;
/// The furthest that a time zone lies from UTC, in minutes.
pub const OFFSET_MAX: i32 = 14 * 60;

/// What a person chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preferences {
    /// How far their clock is ahead of UTC, in minutes.
    pub offset: i32,
    /// From when until when, in minutes of their day, nothing but what is critical goes out. It
    /// may reach over midnight.
    pub quiet: Option<(u16, u16)>,
    /// When the digest comes, in minutes of their day.
    pub digest_at: u16,
    /// How the kinds reach them that they chose differently from the usual.
    pub hows: BTreeMap<NoticeKind, How>,
}

impl Default for Preferences {
    fn default() -> Self {
        Self { offset: 0, quiet: None, digest_at: 8 * 60, hows: BTreeMap::new() }
    }
}

/// What goes out of a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// Nothing: it is read in Muster.
    InApp,
    /// An e-mail at this moment. One that goes alone is never folded together with others.
    Mail {
        /// When.
        at: DateTime<Utc>,
        /// It is critical.
        alone: bool,
    },
}

impl Preferences {
    /// How a kind reaches them.
    pub fn how(&self, kind: NoticeKind) -> How {
        self.hows.get(&kind).copied().unwrap_or(kind.usual())
    }

    /// Chooses for a kind; the usual is not kept.
    pub fn choose(&mut self, kind: NoticeKind, how: How) {
        if how == kind.usual() {
            self.hows.remove(&kind);
        } else {
            self.hows.insert(kind, how);
        }
    }

    /// The minute of their day, from 0 to 1439.
    fn minute(&self, at: DateTime<Utc>) -> u16 {
        let seconds = (at.timestamp() + i64::from(self.offset) * 60).rem_euclid(86_400);
        u16::try_from(seconds / 60).unwrap_or(0)
    }

    /// The first moment after `at` at which their clock shows this minute.
    pub fn next(&self, at: DateTime<Utc>, minute: u16) -> DateTime<Utc> {
        let whole = at - TimeDelta::microseconds(at.timestamp_micros().rem_euclid(60_000_000));
        let ahead = (i64::from(minute) - i64::from(self.minute(at))).rem_euclid(i64::from(DAY));
        let found = whole + TimeDelta::minutes(ahead);
        if found > at { found } else { found + TimeDelta::days(1) }
    }

    /// Until when they are to be left alone, if they are at this moment.
    pub fn quiet_until(&self, at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let (from, until) = self.quiet?;
        let minute = self.minute(at);
        let within = if from < until { from <= minute && minute < until } else { from <= minute || minute < until };
        within.then(|| self.next(at, until))
    }

    /// What goes out of a notice, and when. What is critical goes at once; muted stays muted.
    pub fn plan(&self, kind: NoticeKind, critical: bool, now: DateTime<Utc>) -> Plan {
        let at = match self.how(kind) {
            How::InApp => return Plan::InApp,
            _ if critical => return Plan::Mail { at: now, alone: true },
            How::AtOnce => now,
            How::Digest => self.next(now, self.digest_at),
        };
        Plan::Mail { at: self.quiet_until(at).unwrap_or(at), alone: false }
    }

    /// What differs from the usual, as it is stored.
    pub fn stored(&self) -> String {
        self.hows.iter().map(|(kind, how)| format!("{kind}={how}")).collect::<Vec<_>>().join(" ")
    }

    /// Reads what was stored; what is not known any more is the usual again.
    pub fn read(text: &str) -> BTreeMap<NoticeKind, How> {
        text.split(' ')
            .filter_map(|one| one.split_once('='))
            .filter_map(|(kind, how)| Some((kind.parse().ok()?, how.parse().ok()?)))
            .collect()
    }
}

/// A time of day such as `07:30`, in minutes.
pub fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two = |s: &str| (1..=2).contains(&s.len()) && s.bytes().all(|b| b.is_ascii_digit());
    if !two(hours) || !two(minutes) {
        return None;
    }
    let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// Minutes of a day as `07:30`.
pub fn clock(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// How far a clock is ahead of UTC, from `+01:00`, `-3:30`, `+2` or `0`, in minutes.
pub fn offset(text: &str) -> Option<i32> {
    let text = text.trim().trim_start_matches("UTC");
    let (sign, rest) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let whole = if rest.is_empty() && sign == 1 && text.is_empty() { "0" } else { rest };
    let found = if whole.contains(':') { minutes(whole)? } else { minutes(&format!("{whole}:00"))? };
    let found = sign * i32::from(found);
    (found.abs() <= OFFSET_MAX).then_some(found)
}

/// How far a clock is ahead of UTC, as `+01:00`.
pub fn offset_text(offset: i32) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    format!("{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        format!("2026-07-{text}Z").parse().unwrap()
    }

    #[test]
    fn a_decision_goes_at_once_and_a_report_in_the_morning() {
        let usual = Preferences::default();
        let now = at("03T14:05:06");
        assert_eq!(usual.plan(NoticeKind::DecisionWaits, false, now), Plan::Mail { at: now, alone: false });
        assert_eq!(
            usual.plan(NoticeKind::Report, false, now),
            Plan::Mail { at: at("04T08:00:00"), alone: false },
            "the next digest"
        );
        assert_eq!(usual.plan(NoticeKind::Report, true, now), Plan::Mail { at: now, alone: true });
        let on_time = at("04T08:00:00");
        assert_eq!(
            usual.plan(NoticeKind::Report, false, on_time),
            Plan::Mail { at: at("05T08:00:00"), alone: false },
            "what comes with the digest waits for the next"
        );
    }

    #[test]
    fn quiet_hours_reach_over_midnight_in_ones_own_time() {
        // 22:00 to 07:00 in UTC+02:00 is 20:00 to 05:00 in UTC.
        let quiet =
            Preferences { offset: 120, quiet: Some((22 * 60, 7 * 60)), digest_at: 6 * 60, ..Preferences::default() };
        assert_eq!(quiet.quiet_until(at("03T19:59:59")), None);
        assert_eq!(quiet.quiet_until(at("03T20:00:00")), Some(at("04T05:00:00")));
        assert_eq!(quiet.quiet_until(at("04T04:59:59.999999")), Some(at("04T05:00:00")));
        assert_eq!(quiet.quiet_until(at("04T05:00:00")), None);
        let now = at("03T23:00:00");
        let held = Plan::Mail { at: at("04T05:00:00"), alone: false };
        assert_eq!(quiet.plan(NoticeKind::DecisionWaits, false, now), held);
        assert_eq!(quiet.plan(NoticeKind::Report, false, now), held, "a digest within quiet hours waits for their end");
        assert_eq!(quiet.plan(NoticeKind::DecisionWaits, true, now), Plan::Mail { at: now, alone: true });
    }

    #[test]
    fn muted_stays_muted_and_the_usual_is_not_kept() {
        let mut mine = Preferences::default();
        mine.choose(NoticeKind::AgentStopped, How::InApp);
        mine.choose(NoticeKind::Report, How::Digest);
        assert_eq!(mine.plan(NoticeKind::AgentStopped, true, at("03T00:00:00")), Plan::InApp);
        assert_eq!(mine.stored(), "agent-stopped=in-app");
        assert_eq!(Preferences::read(&mine.stored()), mine.hows);
        assert!(Preferences::read("gone=at-once report").is_empty());
    }

    #[test]
    fn times_and_offsets_are_read_as_people_write_them() {
        assert_eq!([minutes("07:30"), minutes("0:00"), minutes("23:59")], [Some(450), Some(0), Some(1439)]);
        assert!(["", "24:00", "7", "07:60", "a:b", "007:00", "-1:00", "+1:00"].iter().all(|t| minutes(t).is_none()));
        for (text, expected) in [("+02:00", 120), ("-3:30", -210), ("2", 120), ("UTC+1", 60), ("0", 0), ("", 0)] {
            assert_eq!(offset(text), Some(expected), "{text}");
        }
        assert!(["+15:00", "east", "-", "+-1", "1:75"].iter().all(|t| offset(t).is_none()));
        assert_eq!(offset_text(-210), "-03:30");
    }

    proptest! {
        #[test]
        fn nothing_goes_out_in_quiet_hours_nor_more_than_two_days_late(
            offset in -OFFSET_MAX..=OFFSET_MAX,
            quiet in proptest::option::of((0..DAY, 0..DAY)),
            digest_at in 0..DAY,
            kind in 0..NoticeKind::ALL.len(),
            micros in 0..40_000_000_000_000_i64,
        ) {
            let quiet = quiet.filter(|(a, b)| a != b);
            let mine = Preferences { offset, quiet, digest_at, ..Preferences::default() };
            let now = DateTime::from_timestamp_micros(micros).unwrap();
            let kind = NoticeKind::ALL[kind];
            let Plan::Mail { at, alone } = mine.plan(kind, false, now) else { panic!("nothing is muted") };
            prop_assert!(!alone && at >= now && at - now <= TimeDelta::days(2));
            prop_assert_eq!(mine.quiet_until(at), None);
            prop_assert_eq!(super::offset(&offset_text(offset)), Some(offset));
            prop_assert_eq!(minutes(&clock(digest_at)), Some(digest_at));
        }
    }
}
