//! Standing rules: agents of some sort that lack the owner of a duty get a party asked for
//! it. A rule fills what is empty; it never overrides what a person chose.

use serde::{Deserialize, Serialize};

use crate::agent::{AgentFacts, AgentKind, Environment, Hosting};
use crate::assignment::Ended;
use crate::facts::Wrong;
use crate::id::{RuleId, SystemId, TeamId};
use crate::party::Party;
use crate::text::{self, fold};
use crate::tier::Tier;

crate::words! {
    /// Whether a rule acts.
    pub enum RuleState {
        Active = "active", "Active";
        /// Kept, and not acting.
        Paused = "paused", "Paused";
        /// Over; kept because its offers name it.
        Removed = "removed", "Removed";
    }
}

crate::words! {
    /// What a rule does to the agents of an import.
    pub enum AtImport {
        Offer = "offer", "Offer the duty";
        /// Only where a security lead says at that import that its owners hold their duties
        /// already; else it is an offer.
        Record = "record", "Record it where the import records its owners";
    }
}

/// Longest name of a rule, in characters.
pub const NAME_MAX: usize = 200;
/// Most rules that are not removed: each is asked about each agent of an import.
pub const MANY_MAX: i64 = 100;

/// Which agents a rule is about: every member that is said narrows. Texts are compared
/// folded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Condition {
    /// Of this business unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub business_unit: Option<String>,
    /// Deployed there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    /// Of this tier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tier: Option<Tier>,
    /// Of this kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<AgentKind>,
    /// Hosted so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hosting: Option<Hosting>,
    /// Hosted by this vendor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor: Option<String>,
    /// Operated by this team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operated_by: Option<TeamId>,
    /// Member of this system.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub system: Option<SystemId>,
    /// Known to this source, by an external id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Labelled: `name`, or `name=value`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Whether it counts as running.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<bool>,
}

impl Condition {
    /// Trims and checks; what is empty is not said. Pointers are into the condition.
    pub fn check(mut self) -> Result<Self, Vec<Wrong>> {
        let mut wrong = Vec::new();
        let fields = [
            ("/business_unit", &mut self.business_unit, "The business unit", 200),
            ("/vendor", &mut self.vendor, "The vendor", 200),
            ("/source", &mut self.source, "The source", 100),
            ("/label", &mut self.label, "The label", 401),
        ];
        for (at, field, what, most) in fields {
            let Some(given) = field.take() else { continue };
            match text::line(&given, what, most) {
                Ok(line) => *field = (!line.is_empty()).then_some(line),
                Err(e) => wrong.push((at.to_owned(), e.to_string())),
            }
        }
        if self.label.as_deref().is_some_and(|l| label(l).0.is_empty()) {
            wrong.push(("/label".to_owned(), "Enter a label’s name, or name=value.".to_owned()));
        }
        if wrong.is_empty() { Ok(self) } else { Err(wrong) }
    }

    /// Whether an agent is meant. `runs` is whether it counts as running.
    pub fn matches(&self, facts: &AgentFacts, tier: Tier, runs: bool) -> bool {
        let same = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|w| fold(w) == fold(is));
        same(&self.business_unit, &facts.business_unit)
            && same(&self.vendor, &facts.vendor)
            && self.environment.is_none_or(|w| w == facts.environment)
            && self.tier.is_none_or(|w| w == tier)
            && self.kind.is_none_or(|w| w == facts.kind)
            && self.hosting.is_none_or(|w| w == facts.hosting)
            && self.operated_by.is_none_or(|w| Some(w) == facts.operated_by)
            && self.system.is_none_or(|w| Some(w) == facts.parent)
            && self.runs.is_none_or(|w| w == runs)
            && self.source.as_deref().is_none_or(|w| facts.external_ids.iter().any(|e| fold(&e.source) == fold(w)))
            && self.label.as_deref().is_none_or(|w| {
                let (name, value) = label(w);
                facts.labels.iter().any(|(k, v)| fold(k) == fold(name) && value.is_none_or(|w| fold(w) == fold(v)))
            })
    }

    /// The condition in words, after “agents”; references are called by `name`.
    pub fn sentence(&self, name: impl Fn(&str) -> String) -> String {
        let mut out = Vec::new();
        if let Some(v) = self.runs {
            out.push(if v { "that run".to_owned() } else { "that do not run".to_owned() });
        }
        if let Some(v) = &self.business_unit {
            out.push(format!("of business unit {v}"));
        }
        if let Some(v) = self.environment {
            out.push(format!("in {}", v.label().to_lowercase()));
        }
        if let Some(v) = self.tier {
            out.push(format!("of {} tier", v.label().to_lowercase()));
        }
        if let Some(v) = self.kind {
            out.push(format!("of kind {}", v.label().to_lowercase()));
        }
        if let Some(v) = self.hosting {
            out.push(match v {
                Hosting::Internal => "hosted internally".to_owned(),
                Hosting::VendorManaged => "hosted by a vendor".to_owned(),
            });
        }
        if let Some(v) = &self.vendor {
            out.push(format!("hosted by {v}"));
        }
        if let Some(v) = self.operated_by {
            out.push(format!("operated by {}", name(&v.to_string())));
        }
        if let Some(v) = self.system {
            out.push(format!("of system {}", name(&v.to_string())));
        }
        if let Some(v) = &self.source {
            out.push(format!("known to {v}"));
        }
        if let Some(v) = &self.label {
            out.push(format!("labelled {v}"));
        }
        out.join(", ")
    }
}

/// A label as it is written: its name, and its value if one is meant.
fn label(written: &str) -> (&str, Option<&str>) {
    written.split_once('=').map_or((written.trim(), None), |(name, value)| (name.trim(), Some(value.trim())))
}

/// An A of a duty, or an offer of it, present or past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// Whose.
    pub party: Party,
    /// Why it ended; `None` while it is open.
    pub ended: Option<Ended>,
    /// Whether it was accepted.
    pub accepted: bool,
    /// The rule that made the offer, if one did.
    pub rule: Option<RuleId>,
}

/// Why a rule does not act on an agent that it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Bar {
    /// The agent does not need the duty.
    #[error("it does not need the duty")]
    NotNeeded,
    /// Somebody holds it.
    #[error("somebody holds the duty")]
    Held,
    /// Somebody is asked.
    #[error("it is on offer already")]
    Asked,
    /// The party said no.
    #[error("the party declined it before")]
    Declined,
    /// Somebody took the party's offer back, or ended what it held.
    #[error("somebody took it from the party before")]
    TakenBack,
}

/// Whether a rule may ask its party: only for what is needed, empty and not on offer, and
/// never against what a person decided about this party or this rule's offer.
pub fn may_ask(rule: Option<RuleId>, party: Party, needed: bool, past: &[Past]) -> Result<(), Bar> {
    if !needed {
        return Err(Bar::NotNeeded);
    }
    if past.iter().any(|p| p.ended.is_none() && p.accepted) {
        return Err(Bar::Held);
    }
    if past.iter().any(|p| p.ended.is_none()) {
        return Err(Bar::Asked);
    }
    let mine = |p: &&Past| p.party == party || (rule.is_some() && p.rule == rule);
    for p in past.iter().filter(mine) {
        match p.ended {
            Some(Ended::Declined) => return Err(Bar::Declined),
            Some(Ended::Removed | Ended::Withdrawn) => return Err(Bar::TakenBack),
            // Silence decides nothing.
            Some(Ended::Replaced | Ended::Retired | Ended::Lapsed) | None => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::ExternalId;
    use crate::id::PersonId;

    fn facts() -> AgentFacts {
        let mut f = AgentFacts::named("x");
        f.business_unit = "Claims".into();
        f.environment = Environment::Production;
        f.operated_by = Some(TeamId(3));
        f.external_ids = vec![ExternalId { source: "CMDB".into(), id: "1".into() }];
        f.labels.insert("Cost centre".into(), "4711".into());
        f
    }

    #[test]
    fn what_is_said_narrows_and_nothing_else_does() {
        let is = |c: Condition| c.matches(&facts(), Tier::High, true);
        assert!(is(Condition::default()));
        let some = |s: &str| Some(s.to_owned());
        for (yes, no) in [
            (
                Condition { business_unit: some("CLAIMS"), ..Condition::default() },
                Condition { business_unit: some("Claim"), ..Condition::default() },
            ),
            (
                Condition { environment: Some(Environment::Production), ..Condition::default() },
                Condition { environment: Some(Environment::Staging), ..Condition::default() },
            ),
            (
                Condition { tier: Some(Tier::High), ..Condition::default() },
                Condition { tier: Some(Tier::Low), ..Condition::default() },
            ),
            (
                Condition { source: some("cmdb"), ..Condition::default() },
                Condition { source: some("cm"), ..Condition::default() },
            ),
            (
                Condition { label: some("cost centre"), ..Condition::default() },
                Condition { label: some("cost"), ..Condition::default() },
            ),
            (
                Condition { label: some("cost centre = 4711"), ..Condition::default() },
                Condition { label: some("cost centre=47"), ..Condition::default() },
            ),
            (
                Condition { operated_by: Some(TeamId(3)), ..Condition::default() },
                Condition { operated_by: Some(TeamId(4)), ..Condition::default() },
            ),
            (
                Condition { runs: Some(true), ..Condition::default() },
                Condition { runs: Some(false), ..Condition::default() },
            ),
            (
                Condition { hosting: Some(Hosting::Internal), ..Condition::default() },
                Condition { vendor: some("Acme"), ..Condition::default() },
            ),
        ] {
            assert!(is(yes.clone()), "{yes:?}");
            assert!(!is(no.clone()), "{no:?}");
            assert!(!yes.sentence(str::to_owned).is_empty());
        }
    }

    #[test]
    fn a_condition_is_checked_and_what_is_empty_is_not_said() {
        let given = Condition { business_unit: Some("  ".into()), label: Some(" =x ".into()), ..Condition::default() };
        assert_eq!(given.check().unwrap_err()[0].0, "/label");
        let given =
            Condition { business_unit: Some(" Claims ".into()), vendor: Some(String::new()), ..Condition::default() };
        let kept = Condition { business_unit: Some("Claims".into()), ..Condition::default() };
        assert_eq!(given.check(), Ok(kept.clone()));
        let stored = serde_json::to_string(&kept).unwrap();
        assert_eq!(stored, r#"{"business_unit":"Claims"}"#);
        assert_eq!(serde_json::from_str::<Condition>(&stored).unwrap(), kept);
        assert!(serde_json::from_str::<Condition>(r#"{"unit":"x"}"#).is_err());
    }

    #[test]
    fn a_rule_asks_only_for_what_nobody_decided() {
        let (one, two) = (Party::Person(PersonId(1)), Party::Person(PersonId(2)));
        let rule = Some(RuleId(7));
        let past = |party, ended, accepted, rule| Past { party, ended, accepted, rule };
        assert_eq!(may_ask(rule, one, true, &[]), Ok(()));
        assert_eq!(may_ask(rule, one, false, &[]), Err(Bar::NotNeeded));
        assert_eq!(may_ask(rule, one, true, &[past(two, None, true, None)]), Err(Bar::Held));
        assert_eq!(may_ask(rule, one, true, &[past(two, None, false, None)]), Err(Bar::Asked));
        assert_eq!(may_ask(rule, one, true, &[past(one, Some(Ended::Declined), false, None)]), Err(Bar::Declined));
        assert_eq!(may_ask(rule, one, true, &[past(one, Some(Ended::Withdrawn), false, None)]), Err(Bar::TakenBack));
        assert_eq!(may_ask(rule, one, true, &[past(one, Some(Ended::Removed), true, None)]), Err(Bar::TakenBack));
        // Another's answer to somebody else's offer says nothing of this rule; to this rule's it does.
        assert_eq!(may_ask(rule, one, true, &[past(two, Some(Ended::Declined), false, None)]), Ok(()));
        assert_eq!(may_ask(rule, one, true, &[past(two, Some(Ended::Declined), false, rule)]), Err(Bar::Declined));
        assert_eq!(may_ask(rule, one, true, &[past(one, Some(Ended::Replaced), true, None)]), Ok(()));
    }

    proptest! {
        /// Nothing that a person chose is ever overridden.
        #[test]
        fn never_over_a_choice(rows in prop::collection::vec((1..3_i64, 0..6_usize, any::<bool>()), 0..6)) {
            let past: Vec<Past> = rows
                .into_iter()
                .map(|(n, ended, accepted)| Past {
                    party: Party::Person(PersonId(n)),
                    ended: Ended::ALL.get(ended).copied(),
                    accepted,
                    rule: None,
                })
                .collect();
            let one = Party::Person(PersonId(1));
            if may_ask(Some(RuleId(1)), one, true, &past).is_ok() {
                prop_assert!(past.iter().all(|p| p.ended.is_some()));
                prop_assert!(!past.iter().any(|p| p.party == one && p.ended == Some(Ended::Declined)));
            }
        }
    }
}
