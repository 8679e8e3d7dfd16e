//! What an organisation says of the crosswalk itself: which record evidences which node beyond what
//! is shipped, for which agents a node counts, and what somebody attests. One document, kept version
//! by version; what it says of agents that a node does not count for, and what is attested, ends by
//! its date.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::coverage::{Condition, ControlKey, Rule};
use crate::framework::{self, Node, Strength};
use crate::id::PersonId;
use crate::text;

/// How long a decision about a node, or an attestation, may hold at most.
pub const LONGEST: TimeDelta = TimeDelta::days(366);
/// Longest reason or statement, in characters.
pub const WORDS_MAX: usize = 1000;
/// Most entries of each kind.
pub const MANY_MAX: usize = 2000;

/// A link that differs from what is shipped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkChange {
    /// The catalogue.
    pub framework: String,
    /// The node.
    #[serde(rename = "ref")]
    pub reference: String,
    /// The record.
    pub control: ControlKey,
    /// How far it bears on the node; `None` for not at all.
    pub strength: Option<Strength>,
    /// Why.
    pub reason: String,
}

/// That a node counts only for some agents.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Only {
    /// The catalogue.
    pub framework: String,
    /// The node.
    #[serde(rename = "ref")]
    pub reference: String,
    /// For which agents it counts.
    pub condition: Condition,
    /// Why.
    pub reason: String,
    /// Who decided it, and answers for it.
    pub owner: PersonId,
    /// Until when, exclusive.
    pub until: DateTime<Utc>,
}

/// That somebody attests a node, with evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attestation {
    /// The catalogue.
    pub framework: String,
    /// The node.
    #[serde(rename = "ref")]
    pub reference: String,
    /// For which business unit; `None` for all of them.
    pub business_unit: Option<String>,
    /// What is attested.
    pub says: String,
    /// Where the evidence is.
    pub evidence: String,
    /// Who attests it, and answers for it.
    pub owner: PersonId,
    /// From when.
    pub from: DateTime<Utc>,
    /// Until when, exclusive.
    pub until: DateTime<Utc>,
}

impl Attestation {
    /// Whether it holds at a moment.
    pub fn holds_at(&self, now: DateTime<Utc>) -> bool {
        self.from <= now && now < self.until
    }
}

/// All that differs from what is shipped.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Amendments {
    /// Links.
    pub links: Vec<LinkChange>,
    /// For whom nodes count.
    pub only: Vec<Only>,
    /// Attestations.
    pub attested: Vec<Attestation>,
}

fn same(node: &Node, framework: &str, reference: &str) -> bool {
    node.catalogue == framework && node.reference == reference
}

impl Amendments {
    /// What is said of one node.
    #[must_use]
    pub fn of(&self, node: &Node) -> Self {
        Self {
            links: self.links.iter().filter(|l| same(node, &l.framework, &l.reference)).cloned().collect(),
            only: self.only.iter().filter(|o| same(node, &o.framework, &o.reference)).cloned().collect(),
            attested: self.attested.iter().filter(|a| same(node, &a.framework, &a.reference)).cloned().collect(),
        }
    }

    /// Which records bear on a node now, how far and why: as shipped, then as changed.
    pub fn links_of(&self, node: &Node) -> BTreeMap<ControlKey, (Strength, String)> {
        let mut out: BTreeMap<ControlKey, (Strength, String)> = node
            .supported_by()
            .into_iter()
            .filter_map(|(c, s)| Some((c.id.parse().ok()?, (s.strength, s.reason.clone()))))
            .collect();
        for l in self.links.iter().filter(|l| same(node, &l.framework, &l.reference)) {
            match l.strength {
                Some(strength) => drop(out.insert(l.control, (strength, l.reason.clone()))),
                None => drop(out.remove(&l.control)),
            }
        }
        out
    }

    /// The decision for whom a node counts that holds at a moment.
    pub fn only_of(&self, node: &Node, now: DateTime<Utc>) -> Option<&Only> {
        self.only.iter().rev().find(|o| same(node, &o.framework, &o.reference) && now < o.until)
    }

    /// The rule of a node at a moment.
    pub fn rule(&self, node: &Node, now: DateTime<Utc>) -> Rule {
        let mut rule = Rule::default();
        for (control, (strength, _)) in self.links_of(node) {
            rule.add(control, strength);
        }
        rule.only(self.only_of(node, now).map(|o| o.condition))
    }

    /// Whether a node is attested at a moment for a business unit, by its folded name.
    pub fn attests(&self, node: &Node, unit: &str, now: DateTime<Utc>) -> bool {
        self.attested.iter().any(|a| {
            same(node, &a.framework, &a.reference)
                && a.holds_at(now)
                && a.business_unit.as_ref().is_none_or(|u| text::fold(u) == unit)
        })
    }

    /// Says how far each record bears on a node. What is as shipped is no change.
    pub fn map(&mut self, node: &Node, wanted: &BTreeMap<ControlKey, Strength>, reason: &str) {
        let shipped = Self::default().links_of(node);
        let before = self.of(node).links;
        self.links.retain(|l| !same(node, &l.framework, &l.reference));
        for control in ControlKey::ALL {
            let strength = wanted.get(control).copied();
            if strength == shipped.get(control).map(|(s, _)| *s) {
                continue;
            }
            let kept = before.iter().find(|l| l.control == *control && l.strength == strength);
            self.links.push(kept.cloned().unwrap_or_else(|| LinkChange {
                framework: node.catalogue.clone(),
                reference: node.reference.clone(),
                control: *control,
                strength,
                reason: reason.to_owned(),
            }));
        }
    }

    /// Says for whom a node counts; `None` for all agents.
    pub fn count_only(&mut self, node: &Node, only: Option<Only>) {
        self.only.retain(|o| !same(node, &o.framework, &o.reference));
        self.only.extend(only);
    }

    /// Adds an attestation, in place of one of the same node for the same business unit.
    pub fn attest(&mut self, attestation: Attestation) {
        self.end(&attestation.framework, &attestation.reference, attestation.business_unit.as_deref());
        self.attested.push(attestation);
    }

    /// Ends the attestation of a node for a business unit; answers whether there was one.
    pub fn end(&mut self, framework: &str, reference: &str, unit: Option<&str>) -> bool {
        let before = self.attested.len();
        let folded = unit.map(text::fold);
        self.attested.retain(|a| {
            let here = a.framework == framework && a.reference == reference;
            !(here && a.business_unit.as_deref().map(text::fold) == folded)
        });
        self.attested.len() < before
    }

    /// Whether every node that it speaks of is there, and it is not too much.
    pub fn sound(&self) -> bool {
        let there = |framework: &str, reference: &str| framework::within(framework, reference).is_some();
        self.links.iter().all(|l| there(&l.framework, &l.reference))
            && self.only.iter().all(|o| there(&o.framework, &o.reference))
            && self.attested.iter().all(|a| there(&a.framework, &a.reference))
            && [self.links.len(), self.only.len(), self.attested.len()].iter().all(|n| *n <= MANY_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coverage::{Outcome, Signature, Standing};

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(n)
    }

    fn node(reference: &str) -> &'static Node {
        framework::node(reference).unwrap()
    }

    #[test]
    fn what_is_as_shipped_is_no_change() {
        let gov = node("MANAGE 2.4");
        let mut a = Amendments::default();
        let shipped: BTreeMap<ControlKey, Strength> = a.links_of(gov).into_iter().map(|(c, (s, _))| (c, s)).collect();
        a.map(gov, &shipped, "Nothing.");
        assert_eq!(a, Amendments::default());
        let mut wanted = shipped.clone();
        wanted.remove(&ControlKey::KillSwitch);
        wanted.insert(ControlKey::ApprovalRecord, Strength::Full);
        a.map(gov, &wanted, "Ours is another reading.");
        assert_eq!(a.links.len(), 2);
        let links = a.links_of(gov);
        assert!(!links.contains_key(&ControlKey::KillSwitch));
        assert_eq!(links[&ControlKey::ApprovalRecord], (Strength::Full, "Ours is another reading.".into()));
        assert!(a.sound() && a.of(node("MANAGE 2.3")).links.is_empty());
        // A second change keeps the reason of the first where it says the same.
        wanted.insert(ControlKey::AuditLog, Strength::Partial);
        a.map(gov, &wanted, "And the log.");
        assert_eq!(a.links_of(gov)[&ControlKey::ApprovalRecord].1, "Ours is another reading.");
        a.map(gov, &shipped, "Back.");
        assert_eq!(a, Amendments::default());
    }

    #[test]
    fn decisions_and_attestations_end_the_second_they_end() {
        let gov = node("MANAGE 2.4");
        let (framework, reference) = (gov.catalogue.clone(), gov.reference.clone());
        let mut a = Amendments::default();
        a.count_only(
            gov,
            Some(Only {
                framework: framework.clone(),
                reference: reference.clone(),
                condition: Condition::HasTools,
                reason: "It is about tools.".into(),
                owner: PersonId(1),
                until: day(10),
            }),
        );
        let none = Signature::new(|_| Outcome::Missing, |_| false);
        let stands = |a: &Amendments, at| {
            let attested = a.attests(gov, "claims", at);
            a.rule(gov, at).standing(none, attested)
        };
        let micro = TimeDelta::microseconds(1);
        assert_eq!([stands(&a, day(10) - micro), stands(&a, day(10))], [Standing::NotApplicable, Standing::Missing]);
        a.attest(Attestation {
            framework: framework.clone(),
            reference: reference.clone(),
            business_unit: Some("Claims ".into()),
            says: "Done.".into(),
            evidence: "https://evidence.example".into(),
            owner: PersonId(1),
            from: day(11),
            until: day(20),
        });
        assert_eq!(
            [stands(&a, day(11) - micro), stands(&a, day(11)), stands(&a, day(20) - micro), stands(&a, day(20))],
            [Standing::Missing, Standing::Met, Standing::Met, Standing::Missing]
        );
        assert!(!a.attests(gov, "roads", day(12)));
        assert!(!a.end(&framework, &reference, None) && a.end(&framework, &reference, Some("CLAIMS")));
        assert_eq!(stands(&a, day(12)), Standing::Missing);
        let kept: Amendments = serde_json::from_value(serde_json::to_value(&a).unwrap()).unwrap();
        assert_eq!(kept, a);
    }
}
