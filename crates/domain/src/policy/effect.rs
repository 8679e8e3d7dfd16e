//! What a change of the policy does: to its rules in words, and to the agents there are in
//! numbers. Agents with the same conditions, of the same tier, are treated alike, so that
//! counts of those are enough.

use super::{Approver, ByTier, Conditions, Policy, When};
use crate::duty::Duty;
use crate::exception::NEVER;
use crate::finding::FindingKey;
use crate::tier::Tier;

/// Agents that every policy treats alike, and how many there are. Retired ones are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alike {
    /// They hold an approval: approved, active or suspended.
    pub approved: bool,
    /// Their tier.
    pub tier: Tier,
    /// The conditions that hold for them.
    pub conditions: Conditions,
    /// How many they are.
    pub count: u64,
}

/// What becomes of one approver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DutyEffect {
    /// Whose owner approves.
    pub duty: Duty,
    /// When they were asked.
    pub before: When,
    /// When they are asked now.
    pub after: When,
    /// Agents that need them and did not.
    pub more: u64,
    /// Those of these that hold an approval, which falls due again.
    pub more_approved: u64,
    /// Agents that needed them and do not any more.
    pub fewer: u64,
}

/// What becomes of the agents of one tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierEffect {
    /// The tier.
    pub tier: Tier,
    /// How many agents it has.
    pub agents: u64,
    /// What changes for them, each a sentence.
    pub changes: Vec<String>,
}

/// What a policy does to the agents there are, beside another.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Effect {
    /// Approvers whose condition changes.
    pub duties: Vec<DutyEffect>,
    /// Tiers whose days change.
    pub tiers: Vec<TierEffect>,
    /// Agents that hold an approval and are asked a step more.
    pub due: u64,
}

/// A table of days: its name, and where it is.
type Table = (&'static str, fn(&Policy) -> &ByTier);

/// The tables, in the order of the page.
const TABLES: [Table; 4] = [
    ("A step may take", |p| &p.step_days),
    ("An approval lasts", |p| &p.approval_days),
    ("A review is due every", |p| &p.review_days),
    ("An exception lasts at most", |p| &p.exception_days),
];

fn days(n: i64) -> String {
    if n == 1 { "1 day".to_owned() } else { format!("{n} days") }
}

impl Policy {
    /// The same policy in one form: rules in the order of the duties, those that never ask
    /// left out. Two policies that say the same are then equal.
    #[must_use]
    pub fn normal(mut self) -> Self {
        self.approvers.retain(|a| a.when != When::Never);
        self.approvers.sort_by_key(|a| a.duty);
        self.never_excepted.retain(|k| !NEVER.contains(k));
        self.never_excepted.sort_unstable();
        self.never_excepted.dedup();
        self
    }

    /// When the owner of a duty approves.
    pub fn when(&self, duty: Duty) -> When {
        self.rule(duty).map_or(When::Never, |a| a.when)
    }

    /// Whether the owner of a duty decides after every other.
    pub fn last(&self, duty: Duty) -> bool {
        self.rule(duty).is_some_and(|a| a.last && a.when != When::Never)
    }

    fn rule(&self, duty: Duty) -> Option<&Approver> {
        self.approvers.iter().find(|a| a.duty == duty)
    }

    /// What differs from another policy, each a sentence; empty when nothing does.
    pub fn changes(&self, before: &Self) -> Vec<String> {
        let mut out = Vec::new();
        for duty in Duty::ALL.iter().copied() {
            let title = duty.owner_title();
            let (now, then) = (self.when(duty), before.when(duty));
            if now != then {
                out.push(format!("{title}: asked “{}” instead of “{}”.", now.in_sentence(), then.in_sentence()));
            }
            match (before.last(duty), self.last(duty)) {
                (false, true) => out.push(format!("{title}: decides after every other.")),
                (true, false) if now != When::Never => {
                    out.push(format!("{title}: no longer decides after every other."));
                }
                _ => {}
            }
        }
        for (name, table) in TABLES {
            for tier in Tier::ALL.iter().copied() {
                let (now, then) = (table(self).of(tier), table(before).of(tier));
                if now != then {
                    let tier = tier.label().to_lowercase();
                    out.push(format!("{name} {} instead of {} ({tier} tier).", days(now), days(then)));
                }
            }
        }
        for (name, now, then) in [
            ("A step that is late is escalated after", self.escalate_days, before.escalate_days),
            ("A request lapses after", self.lapse_days, before.lapse_days),
        ] {
            if now != then {
                out.push(format!("{name} {} instead of {}.", days(now.into()), days(then.into())));
            }
        }
        if self.exception_renewals != before.exception_renewals {
            let times = |n: u16| if n == 1 { "once".to_owned() } else { format!("{n} times") };
            let (now, then) = (times(self.exception_renewals), times(before.exception_renewals));
            out.push(format!("An exception is renewed at most {now} instead of {then}."));
        }
        for key in FindingKey::ALL.iter().copied() {
            let label = key.label();
            match (self.no_exception(key).is_some(), before.no_exception(key).is_some()) {
                (true, false) => out.push(format!("“{label}”: is never excepted any more.")),
                (false, true) => out.push(format!("“{label}”: may be excepted.")),
                _ => {}
            }
        }
        out
    }

    /// Whether agents with these conditions are asked a step that another policy does not ask.
    pub fn asks_more(&self, before: &Self, conditions: Conditions) -> bool {
        let old: Vec<Duty> = before.asked(conditions).collect();
        self.asked(conditions).any(|duty| !old.contains(&duty))
    }

    /// Whether an approval that these agents hold may fall due at another moment than under
    /// another policy: they are asked a step more, or it lasts otherwise.
    pub fn moves_approval(&self, before: &Self, tier: Tier, conditions: Conditions) -> bool {
        self.asks_more(before, conditions) || self.approval_days.of(tier) != before.approval_days.of(tier)
    }

    /// What it does to the agents there are, beside another.
    pub fn effect(&self, before: &Self, agents: &[Alike]) -> Effect {
        let count = |which: &dyn Fn(&Alike) -> bool| agents.iter().filter(|a| which(a)).map(|a| a.count).sum();
        let mut out =
            Effect { due: count(&|a| a.approved && self.asks_more(before, a.conditions)), ..Effect::default() };
        for duty in Duty::ALL.iter().copied() {
            let (now, then) = (self.when(duty), before.when(duty));
            if now != then {
                let newly = |a: &Alike| a.conditions.has(now) && !a.conditions.has(then);
                out.duties.push(DutyEffect {
                    duty,
                    before: then,
                    after: now,
                    more: count(&newly),
                    more_approved: count(&|a| a.approved && newly(a)),
                    fewer: count(&|a| a.conditions.has(then) && !a.conditions.has(now)),
                });
            }
        }
        for tier in Tier::ALL.iter().copied() {
            let changes: Vec<String> = TABLES
                .iter()
                .map(|(name, table)| (name, table(self).of(tier), table(before).of(tier)))
                .filter(|(_, now, then)| now != then)
                .map(|(name, now, then)| format!("{name} {} instead of {}.", days(now), days(then)))
                .collect();
            if !changes.is_empty() {
                out.tiers.push(TierEffect { tier, agents: count(&|a| a.tier == tier), changes });
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Sets of conditions that some agent can have.
    fn conditions() -> impl Strategy<Value = Conditions> {
        (0..256_u16).prop_map(|bits| {
            let mut set = Conditions(bits | 1);
            if set.has(When::HighSensitivity) {
                set.0 |= 1 << When::ALL.iter().position(|w| *w == When::Tools).unwrap();
            }
            set
        })
    }

    fn policy() -> impl Strategy<Value = Policy> {
        proptest::collection::vec((0..Duty::ALL.len(), 0..When::ALL.len(), any::<bool>()), 0..8).prop_map(|more| {
            let mut p = Policy::default();
            for (duty, when, last) in more {
                let duty = Duty::ALL[duty];
                p.approvers.retain(|a| a.duty != duty);
                p.approvers.push(Approver { duty, when: When::ALL[when], last });
            }
            p
        })
    }

    fn alike() -> impl Strategy<Value = Vec<Alike>> {
        let one = (any::<bool>(), 0..Tier::ALL.len(), conditions(), 0..50_u64).prop_map(
            |(approved, tier, conditions, count)| Alike { approved, tier: Tier::ALL[tier], conditions, count },
        );
        proptest::collection::vec(one, 0..12)
    }

    proptest! {
        /// The numbers are those of counting agent by agent.
        #[test]
        fn the_effect_counts_each_agent(a in policy(), b in policy(), agents in alike()) {
            let effect = b.effect(&a, &agents);
            for duty in Duty::ALL {
                let asked = |p: &Policy, c| p.asked(c).any(|d| d == *duty);
                let (mut more, mut fewer) = (0, 0);
                for one in &agents {
                    match (asked(&a, one.conditions), asked(&b, one.conditions)) {
                        (false, true) => more += one.count,
                        (true, false) => fewer += one.count,
                        _ => {}
                    }
                }
                let told = effect.duties.iter().find(|e| e.duty == *duty).map_or((0, 0), |e| (e.more, e.fewer));
                prop_assert_eq!(told, (more, fewer), "{}", duty);
            }
            let due: u64 = agents.iter().filter(|x| x.approved && b.asks_more(&a, x.conditions)).map(|x| x.count).sum();
            prop_assert_eq!(effect.due, due);
        }

        /// Whatever drops an approver of any agent is weaker, and what is not weaker drops none.
        #[test]
        fn weaker_is_what_drops_an_approver(a in policy(), b in policy(), set in conditions()) {
            let now: Vec<Duty> = b.asked(set).collect();
            if a.asked(set).any(|d| !now.contains(&d)) {
                prop_assert!(!b.weaker_than(&a).is_empty(), "{a:?} {b:?}");
            }
        }

        /// One form for what says the same: nothing changes between it and itself.
        #[test]
        fn the_normal_form_says_the_same(p in policy(), set in conditions()) {
            let normal = p.clone().normal();
            prop_assert_eq!(normal.changes(&p), Vec::<String>::new());
            let (mut a, mut b): (Vec<Duty>, Vec<Duty>) = (p.asked(set).collect(), normal.asked(set).collect());
            a.sort();
            b.sort();
            prop_assert_eq!(a, b);
            prop_assert_eq!(normal.clone().normal(), normal);
        }
    }

    #[test]
    fn a_change_is_told_in_words() {
        let before = Policy::default();
        let mut after = before.clone();
        after.approvers.retain(|a| a.duty != Duty::Identity);
        after.approvers.push(Approver { duty: Duty::Monitoring, when: When::Production, last: true });
        after.review_days.critical = 20;
        after.lapse_days = 60;
        assert_eq!(
            after.changes(&before),
            [
                "Identity owner: asked “never” instead of “anything beyond read-only”.",
                "Monitoring owner: asked “in production” instead of “never”.",
                "Monitoring owner: decides after every other.",
                "A review is due every 20 days instead of 30 days (critical tier).",
                "A request lapses after 60 days instead of 90 days.",
            ]
        );
        assert_eq!(after.weaker_than(&before).len(), 1);
    }

    #[test]
    fn what_asks_wider_is_not_weaker() {
        let mut narrow = Policy::default();
        narrow.approvers.retain(|a| a.duty != Duty::Requests);
        let mut wide = narrow.clone();
        narrow.approvers.push(Approver { duty: Duty::Requests, when: When::HighSensitivity, last: false });
        wide.approvers.push(Approver { duty: Duty::Requests, when: When::Tools, last: false });
        assert!(wide.weaker_than(&narrow).is_empty());
        assert_eq!(narrow.weaker_than(&wide).len(), 1);
        let mut early = Policy::default();
        early.approvers.iter_mut().for_each(|a| a.last = false);
        assert_eq!(
            early.weaker_than(&Policy::default()),
            ["Regulatory approver: no longer decides after every other."]
        );
    }
}
