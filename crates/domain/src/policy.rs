//! The policy: who must approve what, how long each step may take, and how often things fall
//! due again. Data, edited and versioned; the rules that read it are here.
//!
//! Every condition grows with risk: an agent that reaches further meets at least the
//! conditions it met before, so a riskier boundary never needs fewer approvers.

pub mod effect;

use serde::{Deserialize, Serialize};

use crate::agent::{AgentFacts, Autonomy, Environment, Exposure, Sensitivity, ToolKind};
use crate::duty::Duty;
use crate::exception::NEVER;
use crate::finding::FindingKey;
use crate::tier::Tier;

crate::words! {
    /// When a rule of the policy asks for its approver. Each holds for every boundary that
    /// reaches further than one for which it holds.
    pub enum When {
        Always = "always", "Always";
        BeyondReadOnly = "beyond-read-only", "Anything beyond read-only";
        Tools = "tools", "Uses tools or MCP servers";
        HighSensitivity = "high-sensitivity", "Uses a tool of high sensitivity";
        Production = "production", "In production";
        CustomerFacing = "customer-facing", "Customer-facing or public";
        VendorManaged = "vendor-managed", "Vendor-managed";
        Regulated = "regulated", "Regulated";
        Never = "never", "Never";
    }
}

impl When {
    /// Whether the condition holds for an agent with these facts.
    pub fn holds(self, facts: &AgentFacts) -> bool {
        match self {
            Self::Always => true,
            Self::BeyondReadOnly => {
                facts.autonomy != Autonomy::Suggests
                    || facts
                        .tools
                        .iter()
                        .any(|t| t.access != crate::agent::Access::Read || t.kind == ToolKind::CodeExecution)
            }
            Self::Tools => !facts.tools.is_empty(),
            Self::HighSensitivity => facts.tools.iter().any(|t| t.sensitivity == Sensitivity::High),
            Self::Production => facts.environment == Environment::Production,
            Self::CustomerFacing => matches!(facts.exposure, Exposure::CustomerFacing | Exposure::Public),
            Self::VendorManaged => facts.vendor_managed(),
            Self::Regulated => facts.regulated,
            Self::Never => false,
        }
    }

    /// The label within a sentence: “in production”, “uses tools or MCP servers”.
    pub fn in_sentence(self) -> String {
        let label = self.label();
        format!("{}{}", label[..1].to_lowercase(), &label[1..])
    }

    /// Whether another condition holds for every agent for which this one does.
    pub fn implies(self, other: Self) -> bool {
        self == other
            || self == Self::Never
            || other == Self::Always
            || (self == Self::HighSensitivity && other == Self::Tools)
    }

    /// Why the approver is asked, as one sentence.
    pub const fn because(self) -> &'static str {
        match self {
            Self::Always => "Every agent needs this approval.",
            Self::BeyondReadOnly => "It does more than read and suggest.",
            Self::Tools => "It uses tools: what it does with them must be logged.",
            Self::HighSensitivity => "It uses a tool of high sensitivity.",
            Self::Production => "It runs in production.",
            Self::CustomerFacing => "Customers or the public meet it.",
            Self::VendorManaged => "A vendor hosts it.",
            Self::Regulated => "It is regulated.",
            Self::Never => "",
        }
    }
}

/// Which conditions hold for an agent, as a set of bits in the order of [`When::ALL`]. Two
/// agents with the same set and tier need the same approvers under any policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Conditions(pub u16);

impl Conditions {
    /// The conditions that hold for these facts.
    pub fn of(facts: &AgentFacts) -> Self {
        let mut bits = 0;
        for (at, when) in When::ALL.iter().enumerate() {
            bits |= u16::from(when.holds(facts)) << at;
        }
        Self(bits)
    }

    /// Whether a condition is among them.
    pub fn has(self, when: When) -> bool {
        When::ALL.iter().position(|w| *w == when).is_some_and(|at| self.0 & (1 << at) != 0)
    }
}

/// One rule: whoever is Accountable for a duty approves when the condition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approver {
    /// Whose owner approves.
    pub duty: Duty,
    /// When.
    pub when: When,
    /// Only once every other step has been decided: a formal second approval.
    #[serde(default)]
    pub last: bool,
}

/// A number of days for each tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByTier {
    /// For agents of low tier.
    pub low: u16,
    /// For agents of moderate tier.
    pub moderate: u16,
    /// For agents of high tier.
    pub high: u16,
    /// For agents of critical tier.
    pub critical: u16,
}

impl ByTier {
    /// The days of a tier.
    pub const fn of(&self, tier: Tier) -> i64 {
        (match tier {
            Tier::Low => self.low,
            Tier::Moderate => self.moderate,
            Tier::High => self.high,
            Tier::Critical => self.critical,
        }) as i64
    }

    const fn in_order(self) -> [u16; 4] {
        [self.low, self.moderate, self.high, self.critical]
    }
}

/// The policy as one version holds it. Times are whole days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Who approves, one rule for each duty that may be asked.
    pub approvers: Vec<Approver>,
    /// How long one step may take before it is overdue.
    pub step_days: ByTier,
    /// How long after that it is escalated: the decider's manager and security see it too.
    pub escalate_days: u16,
    /// How long a request may stay open at all; then it lapses, and nothing was approved.
    pub lapse_days: u16,
    /// How long an approval lasts before it falls due again.
    pub approval_days: ByTier,
    /// How often the agent is reviewed.
    pub review_days: ByTier,
    /// How long an exception may last.
    pub exception_days: ByTier,
    /// How often an exception may be renewed, each time with a new reason and new decisions.
    #[serde(default = "renewals")]
    pub exception_renewals: u16,
    /// Findings that are never excepted, beside those that no policy lets anybody except.
    #[serde(default)]
    pub never_excepted: Vec<FindingKey>,
}

const fn renewals() -> u16 {
    2
}

impl Default for Policy {
    /// The policy that Muster begins with.
    fn default() -> Self {
        let rule = |duty, when| Approver { duty, when, last: false };
        Self {
            approvers: vec![
                rule(Duty::Purpose, When::Always),
                rule(Duty::Implementation, When::Always),
                rule(Duty::Containment, When::Always),
                rule(Duty::Policy, When::Always),
                rule(Duty::Identity, When::BeyondReadOnly),
                rule(Duty::Requests, When::Tools),
                rule(Duty::Platform, When::Production),
                rule(Duty::CustomerImpact, When::CustomerFacing),
                rule(Duty::Vendor, When::VendorManaged),
                Approver { duty: Duty::Regulatory, when: When::Regulated, last: true },
            ],
            step_days: ByTier { low: 10, moderate: 7, high: 5, critical: 3 },
            escalate_days: 3,
            lapse_days: 90,
            approval_days: ByTier { low: 730, moderate: 365, high: 365, critical: 180 },
            review_days: ByTier { low: 365, moderate: 180, high: 90, critical: 30 },
            exception_days: ByTier { low: 180, moderate: 90, high: 60, critical: 30 },
            exception_renewals: renewals(),
            never_excepted: Vec::new(),
        }
    }
}

/// A step that the policy asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wanted {
    /// Whose owner decides it.
    pub duty: Duty,
    /// Why, one sentence each.
    pub because: Vec<String>,
    /// Only after every other.
    pub last: bool,
}

impl Policy {
    /// What is wrong with a policy, by JSON pointer: nothing is approved without the business
    /// owner and the security owner, and a riskier tier never waits longer.
    pub fn wrong(&self) -> Vec<(String, String)> {
        let mut out = Vec::new();
        let mut add = |pointer: &str, message: String| out.push((pointer.to_owned(), message));
        for duty in [Duty::Purpose, Duty::Policy] {
            if !self.approvers.iter().any(|a| a.duty == duty && a.when == When::Always) {
                add("/approvers", format!("The {} always approves.", duty.owner_title().to_lowercase()));
            }
        }
        for (at, rule) in self.approvers.iter().enumerate() {
            if self.approvers[..at].iter().any(|a| a.duty == rule.duty) {
                add(&format!("/approvers/{at}"), format!("There are two rules for {}.", rule.duty.key()));
            }
        }
        let limits = [
            ("/step_days", self.step_days, 90),
            ("/approval_days", self.approval_days, 1830),
            ("/review_days", self.review_days, 730),
            ("/exception_days", self.exception_days, 366),
        ];
        for (pointer, days, most) in limits {
            let list = days.in_order();
            if list.iter().any(|d| *d == 0 || *d > most) {
                add(pointer, format!("Each is between 1 and {most} days."));
            } else if list.windows(2).any(|w| w[0] < w[1]) {
                add(pointer, "A riskier tier never has more days than a less risky one.".into());
            }
        }
        if self.lapse_days < 7 || self.lapse_days > 366 {
            add("/lapse_days", "A request stays open between 7 and 366 days.".into());
        }
        if self.escalate_days > 90 {
            add("/escalate_days", "At most 90 days.".into());
        }
        if self.exception_renewals > 12 {
            add("/exception_renewals", "At most 12 times.".into());
        }
        out
    }

    /// Why a finding is not excepted, if it is not.
    pub fn no_exception(&self, key: FindingKey) -> Option<String> {
        let label = key.label();
        if NEVER.contains(&key) {
            let why = if key == FindingKey::ControlUnchecked {
                "it is what an exception was given for"
            } else {
                "an agent that runs can always be stopped by somebody"
            };
            return Some(format!("“{label}” cannot be excepted: {why}. No policy changes that; mend it instead."));
        }
        self.never_excepted.contains(&key).then(|| {
            format!(
                "The policy lets nobody except “{label}”. A security lead may change the policy; or mend it instead."
            )
        })
    }

    /// The steps of an approval, in the order of the duties.
    pub fn steps(&self, facts: &AgentFacts) -> Vec<Wanted> {
        let mut out: Vec<Wanted> = self
            .approvers
            .iter()
            .filter(|a| a.when.holds(facts))
            .map(|a| Wanted { duty: a.duty, because: vec![a.when.because().to_owned()], last: a.last })
            .collect();
        out.sort_by_key(|w| (w.last, w.duty));
        out
    }

    /// The duties that approve an agent with these conditions.
    pub fn asked(&self, conditions: Conditions) -> impl Iterator<Item = Duty> + '_ {
        self.approvers.iter().filter(move |a| conditions.has(a.when)).map(|a| a.duty)
    }

    /// The steps of a change of scope: what it touches is approved again, and what the policy
    /// asks for now and did not before. The business owner always decides; of a regulated agent
    /// the regulatory approver too. Empty when the boundary is the same.
    pub fn scope_steps(&self, before: &AgentFacts, after: &AgentFacts) -> Vec<Wanted> {
        let touched = touched(before, after);
        if touched.is_empty() {
            return Vec::new();
        }
        let old: Vec<Duty> = self.steps(before).into_iter().map(|w| w.duty).collect();
        let mut out = self.steps(after);
        for w in &mut out {
            w.because = touched.iter().filter(|t| t.duties.contains(&w.duty)).map(Touched::sentence).collect();
            if !old.contains(&w.duty) {
                w.because.push("The change asks for this approval for the first time.".into());
            }
            if w.because.is_empty() && w.duty == Duty::Purpose {
                w.because.push("The business owner decides every change of scope.".into());
            }
            if w.because.is_empty() && w.duty == Duty::Regulatory && after.regulated {
                w.because.push("It is regulated: a change of scope needs both.".into());
            }
        }
        out.retain(|w| !w.because.is_empty());
        out
    }

    /// The steps for a suspended agent to run again: the business owner and the present holder of
    /// the duty in whose name it was stopped; of a regulated agent the regulatory approver too.
    pub fn resumption_steps(&self, facts: &AgentFacts, stopped_as: Duty) -> Vec<Wanted> {
        let want = |duty, because: &str, last| Wanted { duty, because: vec![because.to_owned()], last };
        let mut out = vec![
            want(Duty::Purpose, "The business owner decides whether it runs again.", false),
            want(stopped_as, "It was suspended in this capacity, whose present holder agrees.", false),
        ];
        if facts.regulated && self.approvers.iter().any(|a| a.duty == Duty::Regulatory && a.when.holds(facts)) {
            out.push(want(Duty::Regulatory, "It is regulated: resuming needs both.", true));
        }
        out
    }

    /// How the policy is weaker than another, as sentences; empty when nowhere.
    pub fn weaker_than(&self, before: &Self) -> Vec<String> {
        let mut out = Vec::new();
        for rule in &before.approvers {
            let now = self.approvers.iter().find(|a| a.duty == rule.duty).map_or(When::Never, |a| a.when);
            if !rule.when.implies(now) {
                out.push(format!(
                    "{}: asked “{}” instead of “{}”.",
                    rule.duty.owner_title(),
                    now.in_sentence(),
                    rule.when.in_sentence()
                ));
            }
        }
        for rule in before.approvers.iter().filter(|r| r.last && r.when != When::Never) {
            let now = self.approvers.iter().find(|a| a.duty == rule.duty);
            if now.is_some_and(|a| !a.last && a.when != When::Never) {
                out.push(format!("{}: no longer decides after every other.", rule.duty.owner_title()));
            }
        }
        let longer = |name: &str, a: [u16; 4], b: [u16; 4]| {
            a.iter().zip(b).any(|(a, b)| *a > b).then(|| format!("{name}: more days than before."))
        };
        out.extend(longer("An approval lasts", self.approval_days.in_order(), before.approval_days.in_order()));
        out.extend(longer("Reviews", self.review_days.in_order(), before.review_days.in_order()));
        out.extend(longer("Exceptions", self.exception_days.in_order(), before.exception_days.in_order()));
        if self.exception_renewals > before.exception_renewals {
            out.push("Exceptions: renewed more often than before.".into());
        }
        for key in before.never_excepted.iter().filter(|k| self.no_exception(**k).is_none()) {
            out.push(format!("“{}”: may be excepted.", key.label()));
        }
        out
    }
}

/// One part of a boundary that changed, and whose approval it touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched {
    /// The part's name in the boundary, for instance `tools`.
    pub part: &'static str,
    /// The duties whose owners approve it again, where the policy asks for them at all.
    pub duties: &'static [Duty],
}

impl Touched {
    fn sentence(&self) -> String {
        format!("{} changes.", part_label(self.part))
    }
}

/// The name of a part of the boundary, for people.
pub fn part_label(part: &str) -> &'static str {
    match part {
        "purpose" => "The purpose",
        "tools" => "What tools it may use",
        "data" => "The class of data",
        "autonomy" => "How far it goes alone",
        "exposure" => "Who meets it",
        "environment" => "Where it is deployed",
        "regulated" => "Whether it is regulated",
        "hosting" => "Who hosts it",
        "vendor" => "The vendor",
        "models" => "The models",
        "workload_identity" => "The workload identity",
        "credentials" => "What it signs in with",
        _ => "The boundary",
    }
}

/// The parts of the boundary that differ, in the order in which a card shows them.
pub fn touched(before: &AgentFacts, after: &AgentFacts) -> Vec<Touched> {
    use Duty::{
        Containment, CustomerImpact, Identity, Implementation, Platform, Policy, Purpose, Regulatory, Requests, Vendor,
    };
    const PARTS: [(&str, &[Duty]); 12] = [
        ("purpose", &[Purpose, Policy, Regulatory]),
        ("tools", &[Purpose, Policy, Containment, Requests, Identity]),
        ("data", &[Purpose, Policy, Regulatory]),
        ("autonomy", &[Purpose, Policy, Containment, CustomerImpact]),
        ("exposure", &[Purpose, Policy, CustomerImpact]),
        ("environment", &[Purpose, Containment, Policy, Platform, Identity]),
        ("regulated", &[Purpose, Policy, Regulatory]),
        ("hosting", &[Purpose, Policy, Containment, Platform, Vendor]),
        ("vendor", &[Purpose, Policy, Vendor]),
        ("models", &[Implementation, Policy]),
        ("workload_identity", &[Identity, Policy]),
        ("credentials", &[Identity, Policy, Containment]),
    ];
    let (a, b) = (before.boundary(), after.boundary());
    PARTS.iter().filter(|(part, _)| a[*part] != b[*part]).map(|(part, duties)| Touched { part, duties }).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::agent::{Access, CredentialKind, CredentialUse, DataClass, Hosting, ToolGrant};

    fn tool() -> impl Strategy<Value = ToolGrant> {
        ("[a-c]", 0..5usize, 0..3usize, 0..3usize).prop_map(|(name, kind, access, sensitivity)| ToolGrant {
            name,
            kind: ToolKind::ALL[kind],
            access: Access::ALL[access],
            sensitivity: Sensitivity::ALL[sensitivity],
            scope: String::new(),
        })
    }

    fn facts() -> impl Strategy<Value = AgentFacts> {
        (
            0..Autonomy::ALL.len(),
            0..Exposure::ALL.len(),
            0..DataClass::ALL.len(),
            0..Environment::ALL.len(),
            any::<bool>(),
            any::<bool>(),
            proptest::collection::vec(tool(), 0..3),
            any::<bool>(),
        )
            .prop_map(|(autonomy, exposure, data, environment, regulated, vendor, tools, standing)| {
                let mut f = AgentFacts::named("x");
                f.autonomy = Autonomy::ALL[autonomy];
                f.exposure = Exposure::ALL[exposure];
                f.data = DataClass::ALL[data];
                f.environment = Environment::ALL[environment];
                f.regulated = regulated;
                f.hosting = if vendor { Hosting::VendorManaged } else { Hosting::Internal };
                f.tools = tools;
                if standing {
                    f.credentials = vec![CredentialUse {
                        name: "key".into(),
                        kind: CredentialKind::LongLived,
                        ttl_seconds: None,
                        kept_in: String::new(),
                        last_rotated: String::new(),
                    }];
                }
                f
            })
    }

    /// One step further in some direction.
    fn riskier(mut f: AgentFacts, which: usize, extra: ToolGrant) -> AgentFacts {
        match which {
            0 => f.regulated = true,
            1 => f.environment = Environment::Production,
            2 => f.exposure = Exposure::Public,
            3 => f.hosting = Hosting::VendorManaged,
            4 => f.autonomy = Autonomy::ActsAlone,
            5 => f.data = DataClass::Restricted,
            6 => f.tools.push(extra),
            _ => f.tools.iter_mut().for_each(|t| {
                t.access = Access::Admin;
                t.sensitivity = Sensitivity::High;
            }),
        }
        f
    }

    fn duties(steps: &[Wanted]) -> Vec<Duty> {
        steps.iter().map(|w| w.duty).collect()
    }

    fn policy() -> impl Strategy<Value = Policy> {
        proptest::collection::vec((0..Duty::ALL.len(), 0..When::ALL.len(), any::<bool>()), 0..8).prop_map(|more| {
            let mut p = Policy::default();
            for (duty, when, last) in more {
                let duty = Duty::ALL[duty];
                if !matches!(duty, Duty::Purpose | Duty::Policy) {
                    p.approvers.retain(|a| a.duty != duty);
                    p.approvers.push(Approver { duty, when: When::ALL[when], last });
                }
            }
            p
        })
    }

    proptest! {
        /// Under any policy, whatever reaches further needs at least the same approvers, for
        /// an approval and for a change to it.
        #[test]
        fn a_riskier_boundary_never_needs_fewer(p in policy(), f in facts(), which in 0..8usize, extra in tool()) {
            prop_assert!(p.wrong().is_empty(), "{:?}", p.wrong());
            let more = riskier(f.clone(), which, extra);
            let (few, many) = (duties(&p.steps(&f)), duties(&p.steps(&more)));
            prop_assert!(few.iter().all(|d| many.contains(d)), "{few:?} {many:?}");
            // What a change asks for the first time is asked of the change.
            let change = duties(&p.scope_steps(&f, &more));
            prop_assert!(many.iter().filter(|d| !few.contains(d)).all(|d| change.contains(d)));
            prop_assert_eq!(change.is_empty(), f.boundary_sha256() == more.boundary_sha256());
            if !change.is_empty() {
                prop_assert!(change.contains(&Duty::Purpose));
                prop_assert!(!more.regulated || !many.contains(&Duty::Regulatory) || change.contains(&Duty::Regulatory));
            }
        }

        /// The set of conditions says all that a policy reads.
        #[test]
        fn conditions_decide_the_steps(p in policy(), f in facts()) {
            let mut asked: Vec<Duty> = p.asked(Conditions::of(&f)).collect();
            let mut steps = duties(&p.steps(&f));
            asked.sort();
            steps.sort();
            prop_assert_eq!(asked, steps);
        }
    }

    #[test]
    fn the_first_policy_is_sound_and_asks_as_written() {
        let p = Policy::default();
        assert_eq!(p.wrong(), Vec::new());
        let mut f = AgentFacts::named("x");
        f.autonomy = Autonomy::Suggests;
        assert_eq!(duties(&p.steps(&f)), [Duty::Purpose, Duty::Implementation, Duty::Containment, Duty::Policy]);
        f.regulated = true;
        f.environment = Environment::Production;
        let steps = p.steps(&f);
        assert!(duties(&steps).contains(&Duty::Platform));
        assert!(steps.last().is_some_and(|w| w.duty == Duty::Regulatory && w.last), "a second approval comes last");
    }

    #[test]
    fn weaker_is_seen_and_stronger_is_not() {
        let p = Policy::default();
        let mut q = p.clone();
        q.approvers.retain(|a| a.duty != Duty::Identity);
        assert_eq!(q.weaker_than(&p).len(), 1);
        assert!(p.weaker_than(&q).is_empty());
        let mut longer = p.clone();
        longer.review_days.critical = 31;
        assert_eq!(longer.weaker_than(&p).len(), 1);
        let mut bad = p;
        bad.review_days.critical = 400;
        bad.approvers.retain(|a| a.duty != Duty::Purpose);
        assert_eq!(bad.wrong().len(), 2);
    }
}
