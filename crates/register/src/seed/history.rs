//! Ninety days of posture for the demonstration: made up, and marked so. They end at what the
//! counters say today, and each day adds up in itself.

use std::collections::BTreeMap;

use chrono::Days;
use domain::agent::Lifecycle;
use domain::assignment::RuntimeOwner;
use domain::duty::Duty;
use domain::finding::FindingKey;

use crate::args;
use crate::change::{By, Change};
use crate::clock::days;
use crate::db::Db;
use crate::error::Error;
use crate::reports::MADE_UP;

/// How many days.
const DAYS: u64 = 90;

type Figures = BTreeMap<String, i64>;

/// A part of a number, rounded; `of` thousandths.
fn part(n: i64, of: i64) -> i64 {
    ((n * of + 500) / 1000).max(0)
}

/// A whole in the proportions of parts, each a whole number: what is left over goes to the greatest.
fn shared(whole: i64, parts: &[i64]) -> Vec<i64> {
    let sum: i64 = parts.iter().sum();
    let mut out: Vec<i64> = parts.iter().map(|p| if sum == 0 { 0 } else { whole * p / sum }).collect();
    let rest = whole - out.iter().sum::<i64>();
    let most = parts.iter().enumerate().max_by_key(|(_, p)| **p).map_or(0, |(at, _)| at);
    if let Some(greatest) = out.get_mut(most) {
        *greatest += rest;
    }
    out
}

/// What the counters said so many days ago, in the story that the demonstration tells: the estate
/// grew by half, what nobody could stop fell until a month ago, and has risen since.
fn then(today: &Figures, ago: i64) -> Figures {
    let grown = 1000 - ago * 350 / 90;
    let open = if ago <= 30 { 1000 - ago * 450 / 30 } else { 550 + (ago - 30) * 750 / 60 };
    let of = |f: &str| today.get(f).copied().unwrap_or(0);
    let mut out = Figures::new();
    let (mut running, mut nobody) = (0, 0);
    for (facet, n) in today {
        let Some(unit) = facet.strip_prefix("unit-running:") else { continue };
        let all = part(*n, grown);
        let left = part(of(&format!("unit-open:{unit}")), open).min(all);
        running += all;
        nobody += left;
        out.insert(facet.clone(), all);
        out.insert(format!("unit-open:{unit}"), left);
    }
    let split = |states: Vec<RuntimeOwner>, whole: i64, out: &mut Figures| {
        let facets: Vec<String> = states.iter().map(|s| format!("stop:running:{s}")).collect();
        let n = shared(whole, &facets.iter().map(|f| of(f)).collect::<Vec<_>>());
        out.extend(facets.into_iter().zip(n));
    };
    let (lost, kept): (Vec<_>, Vec<_>) = RuntimeOwner::ALL.iter().copied().partition(|s| s.nobody_can_stop());
    split(lost, nobody, &mut out);
    split(kept, running - nobody, &mut out);
    let mut living = 0;
    for s in RuntimeOwner::ALL {
        let idle = part(of(&format!("stop:idle:{s}")), grown);
        let all = idle + out.get(&format!("stop:running:{s}")).copied().unwrap_or(0);
        living += all;
        out.insert(format!("stop:idle:{s}"), idle);
        out.insert(format!("owner:{s}"), all);
    }
    let retired = part(of("state:retired"), grown);
    let states: Vec<String> =
        Lifecycle::ALL.iter().filter(|s| **s != Lifecycle::Retired).map(|s| format!("state:{s}")).collect();
    let n = shared(living, &states.iter().map(|f| of(f)).collect::<Vec<_>>());
    out.extend(states.into_iter().zip(n));
    out.insert("state:retired".into(), retired);
    out.insert("agents".into(), living + retired);
    for d in Duty::ALL {
        let required = part(of(&format!("required:{d}")), grown).min(living);
        let held = part(of(&format!("held:{d}")), grown - ago * 80 / 90).min(required);
        out.insert(format!("required:{d}"), required);
        out.insert(format!("held:{d}"), held);
    }
    for (at, key) in FindingKey::ALL.iter().enumerate() {
        // Some got better and some worse.
        let went = if at % 2 == 0 { 1000 + ago * 400 / 90 } else { 1000 - ago * 600 / 90 };
        out.insert(format!("finding:{key}"), part(of(&format!("finding:{key}")), went).min(living));
        out.insert(format!("excepted:{key}"), part(of(&format!("excepted:{key}")), grown));
    }
    for (at, (facet, n)) in today.iter().filter(|(f, _)| f.contains("-age:") || f.contains("-left:")).enumerate() {
        let went = if at % 2 == 0 { 1000 - ago * 700 / 90 } else { 1000 + ago * 500 / 90 };
        out.insert(facet.clone(), part(*n, went));
    }
    out.insert(MADE_UP.into(), 1);
    out
}

/// Keeps the days that came before the demonstration was loaded; nothing else makes any up.
pub async fn history(db: &Db, by: By<'_>) -> Result<(), Error> {
    let mut reads = db;
    let today = days::figures(&mut reads, by.now).await?;
    let mut change = Change::begin(db, by).await?;
    let last = by.now.date_naive();
    let mut rows = Vec::new();
    for ago in 1..=DAYS {
        let Some(day) = last.checked_sub_days(Days::new(ago)) else { break };
        let figures = then(&today, i64::try_from(ago).unwrap_or(0));
        rows.extend(figures.into_iter().map(|(facet, n)| args![day.to_string(), facet, n]));
    }
    change.tx.insert("posture_day", &["day", "facet", "n"], rows, "ON CONFLICT (day, facet) DO NOTHING").await?;
    change.commit().await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_adds_up_and_ends_at_today() {
        let mut today = Figures::new();
        for (facet, n) in [
            ("unit-running:a", 30),
            ("unit-running:b", 12),
            ("unit-open:a", 4),
            ("unit-open:b", 3),
            ("stop:running:none", 4),
            ("stop:running:inactive", 2),
            ("stop:running:pending", 1),
            ("stop:running:verified", 30),
            ("stop:running:untested", 5),
            ("stop:idle:none", 6),
            ("state:active", 42),
            ("state:draft", 6),
            ("state:retired", 3),
            ("required:purpose", 48),
            ("held:purpose", 40),
        ] {
            today.insert(facet.to_owned(), n);
        }
        for ago in 0..=90 {
            let day = then(&today, ago);
            let sum = |p: &str| day.iter().filter(|(f, _)| f.starts_with(p)).map(|(_, n)| n).sum::<i64>();
            assert_eq!(sum("state:"), day["agents"], "{ago}");
            assert_eq!(sum("owner:"), sum("stop:"), "{ago}");
            assert_eq!(sum("unit-running:"), sum("stop:running:"), "{ago}");
            let nobody: i64 = RuntimeOwner::NOBODY.iter().map(|s| day[&format!("stop:running:{s}")]).sum();
            assert_eq!(sum("unit-open:"), nobody, "{ago}");
            assert!(day["held:purpose"] <= day["required:purpose"], "{ago}");
            assert!(day.values().all(|n| *n >= 0), "{ago}: {day:?}");
            if ago == 0 {
                assert_eq!((day["agents"], nobody, day["held:purpose"]), (51, 7, 40));
            }
        }
    }
}
