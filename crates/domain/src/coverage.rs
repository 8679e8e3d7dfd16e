//! Coverage: how far what is on record about agents bears on the nodes of frameworks.
//!
//! It is decided in two steps. For each agent each product control of the crosswalk is met,
//! missing, excepted or not for it: together its [`Signature`], which follows from its assessment
//! and the clock. For each node the signatures of agents then say how it stands: [`Rule::standing`].
//! A register counts agents by business unit and signature; a node is never counted agent by agent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::agent::{AgentFacts, Autonomy, Environment, Exposure, Hosting, Lifecycle, ToolKind};
use crate::duty::Duty;
use crate::exception::Cover;
use crate::finding::{Finding, FindingKey};
use crate::framework::{self, Node, Strength};
use crate::handover;
use crate::mapping::Amendments;
use crate::text;

crate::words! {
    /// A kind of record that Muster keeps, of which the crosswalk says what it bears on.
    pub enum ControlKey {
        AgentInventoryEntry = "agent-inventory-entry", "Agent registered, with purpose, scope and identities";
        NamedBusinessOwner = "named-business-owner", "Named business owner";
        NamedRuntimeOwner = "named-runtime-owner", "Named runtime owner";
        ControlOwnershipMatrix = "control-ownership-matrix", "Control ownership matrix (RACI by control surface)";
        ApprovalRecord = "approval-record", "Approval record before production";
        ToolBoundary = "tool-boundary-and-action-approval", "Tool boundary and high-risk action approval";
        AlertRouting = "alert-routing-to-control-owner", "Alert routing to the control owner";
        EscalationPath = "escalation-path-tested", "Escalation path, on record and tried";
        IncidentCommander = "incident-commander", "Incident commander with authority to suspend";
        KillSwitch = "kill-switch-tested", "Kill switch and credential cut-off, tested";
        IncidentRecord = "incident-record-and-review", "Incident record with evidence and review";
        ExceptionWithExpiry = "exception-with-expiry", "Exception with expiry at the control owner";
        PeriodicReview = "periodic-review", "Periodic review and recertification";
        OwnershipHandover = "ownership-handover", "Handover of ownership";
        RetirementRecord = "retirement-record", "Retirement record with credential revocation";
        AuditLog = "audit-log", "Audit log that cannot be quietly changed";
        DelegatedAccess = "delegated-access-record", "Identity and delegated access record";
        MultiAgentOwnership = "multi-agent-ownership", "Ownership of the system and of each agent in it";
        OrphanDetection = "orphan-and-gap-detection", "Detection of orphans and gaps";
        VendorAgentOwner = "vendor-agent-internal-owner", "Internal owner of a vendor-run agent";
        SecondApprover = "second-approver", "Second approver for sensitive workflows";
    }
}

use ControlKey as C;
use FindingKey as F;

impl ControlKey {
    /// Its bit in a mask.
    const fn bit(self) -> u32 {
        1 << self as u32
    }

    /// Whether anything in the register shows it of an agent. What is not measured is never met.
    pub const fn measured(self) -> bool {
        !matches!(
            self,
            C::AlertRouting
                | C::EscalationPath
                | C::IncidentCommander
                | C::IncidentRecord
                | C::RetirementRecord
                | C::MultiAgentOwnership
        )
    }

    /// When it is met for an agent, and when it is not for that agent, in words.
    pub const fn formula(self) -> &'static str {
        match self {
            C::AgentInventoryEntry => {
                "Met when its name, purpose and workload identity are recorded and it is not recorded twice."
            }
            C::NamedBusinessOwner => {
                "Met when a party that is here accepted to answer for its purpose; a team counts while it has an active lead."
            }
            C::NamedRuntimeOwner => {
                "Met when its runtime owner is verified, and can be reached. Whether a deputy is named is not read."
            }
            C::ControlOwnershipMatrix => {
                "Met when every duty that its facts require has an owner who is here and somebody who does the work, and no rule of the matrix is broken."
            }
            C::ApprovalRecord => {
                "Met when its boundary was approved, that has not fallen due again, no condition is overdue, and nothing else was seen."
            }
            C::ToolBoundary => {
                "Met when its boundary, tools included, was approved and nothing else was seen. Not for an agent without tools. Approvals of single actions are not read."
            }
            C::KillSwitch => {
                "Met when its runtime owner has shown within the tier’s cadence that this version of the stop works. What the drill cut off besides is not read."
            }
            C::ExceptionWithExpiry => {
                "Met while every standing credential has an exception in force, none has ended with its rule still broken, and no compensating control is unchecked."
            }
            C::PeriodicReview => {
                "Met when it was reviewed in time and its owners said in time that their duties are still theirs. Only for active and suspended agents."
            }
            C::OwnershipHandover => {
                "Met when the team that operates it accepted it from the team that built it, and no owner is gone. Only where these are two teams, or an owner is gone."
            }
            C::AuditLog => {
                "Met for every agent of the register: no change of it is written without its event in the chain. Whether the chain is whole is shown by verifying it."
            }
            C::DelegatedAccess => {
                "Met when a workload identity or a credential is recorded, an owner of identity is here, and none of its credentials is long-lived or shared."
            }
            C::OrphanDetection => {
                "Met for every agent of the register: each is assessed with every change of it, and again by the clock."
            }
            C::VendorAgentOwner => {
                "Met when a vendor-managed agent has an owner of vendor oversight and a runtime owner who are here. Only for vendor-managed agents."
            }
            C::SecondApprover => {
                "Met when its approval stands, with the approvers whom the policy asks for besides, and the regulatory approver is not the business owner. Only for regulated, customer-facing and public agents."
            }
            C::AlertRouting => "Not measured: nothing in the register shows to whom an alert of it went.",
            C::EscalationPath => "Not measured: nothing in the register shows that an escalation was tried.",
            C::IncidentCommander => "Not measured: nothing in the register shows who led an incident.",
            C::IncidentRecord => "Not measured: nothing in the register shows what became of an incident.",
            C::RetirementRecord => {
                "Not measured of agents that live: a retired agent has its record, and is not counted here."
            }
            C::MultiAgentOwnership => "Not measured: the owners of a system are on its own page.",
        }
    }
}

crate::words! {
    /// How a product control stands for an agent.
    pub enum Outcome {
        Missing = "missing", "Missing";
        Met = "met", "Met";
        Excepted = "excepted", "Excepted";
        NotApplicable = "not-applicable", "Not for this agent";
    }
}

crate::words! {
    /// For which agents a node can count.
    pub enum Condition {
        HasTools = "has-tools", "The agent has tools";
        UsesMcp = "uses-mcp", "It uses an MCP server";
        RunsCode = "runs-code", "It runs code";
        HasCredentials = "has-credentials", "It has credentials";
        Acts = "acts", "It does more than suggest";
        VendorManaged = "vendor-managed", "A vendor hosts it";
        Regulated = "regulated", "It is regulated";
        MeetsCustomers = "meets-customers", "It meets customers or the public";
        Production = "production", "It is in production";
        InSystem = "in-system", "It belongs to a multi-agent system";
    }
}

impl Condition {
    /// Whether it holds for an agent.
    pub fn holds(self, facts: &AgentFacts) -> bool {
        match self {
            Self::HasTools => !facts.tools.is_empty(),
            Self::UsesMcp => facts.tools.iter().any(|t| t.kind == ToolKind::McpServer),
            Self::RunsCode => facts.tools.iter().any(|t| t.kind == ToolKind::CodeExecution),
            Self::HasCredentials => !facts.credentials.is_empty(),
            Self::Acts => facts.autonomy != Autonomy::Suggests,
            Self::VendorManaged => facts.hosting == Hosting::VendorManaged,
            Self::Regulated => facts.regulated,
            Self::MeetsCustomers => facts.exposure != Exposure::Internal,
            Self::Production => facts.environment == Environment::Production,
            Self::InSystem => facts.parent.is_some(),
        }
    }
}

/// Outcomes take two bits each, conditions one each above them.
#[expect(clippy::cast_possible_truncation, reason = "a handful")]
const CONDITIONS_FROM: u32 = 2 * ControlKey::ALL.len() as u32;

/// How every product control stands for an agent, and which conditions hold for it: one number.
/// Agents with one signature stand alike for every node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Signature(i64);

impl Signature {
    /// Of outcomes by control (in the order of [`ControlKey::ALL`]) and of conditions that hold.
    pub fn new(outcome: impl Fn(ControlKey) -> Outcome, holds: impl Fn(Condition) -> bool) -> Self {
        let outcomes = ControlKey::ALL.iter().fold(0, |n, c| n | (outcome(*c) as i64) << (2 * *c as u32));
        let conditions = Condition::ALL.iter().filter(|c| holds(**c));
        Self(conditions.fold(outcomes, |n, c| n | 1 << (CONDITIONS_FROM + *c as u32)))
    }

    /// As it is kept.
    pub const fn number(self) -> i64 {
        self.0
    }

    /// One that was kept.
    pub const fn kept(number: i64) -> Self {
        Self(number)
    }

    /// How a control stands.
    pub const fn outcome(self, control: ControlKey) -> Outcome {
        match self.0 >> (2 * control as u32) & 3 {
            0 => Outcome::Missing,
            1 => Outcome::Met,
            2 => Outcome::Excepted,
            _ => Outcome::NotApplicable,
        }
    }

    /// Whether a condition holds.
    pub const fn holds(self, condition: Condition) -> bool {
        self.0 >> (CONDITIONS_FROM + condition as u32) & 1 == 1
    }

    fn masks(self) -> Masks {
        let mut out = Masks::default();
        for control in ControlKey::ALL {
            let bit = control.bit();
            match self.outcome(*control) {
                Outcome::Missing => {}
                Outcome::Met => out.met |= bit,
                Outcome::Excepted => out.excepted |= bit,
                Outcome::NotApplicable => out.apart |= bit,
            }
        }
        out
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Masks {
    met: u32,
    excepted: u32,
    apart: u32,
}

/// What a signature is made from: an agent and its assessment.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// What is written about the agent.
    pub facts: &'a AgentFacts,
    /// Where it is in its life.
    pub state: Lifecycle,
    /// Whether a boundary of it was ever approved.
    pub approved: bool,
    /// Its findings, over their spans.
    pub findings: &'a [Finding],
    /// The exceptions about it, past ones too.
    pub covers: &'a [Cover],
}

const GONE: [F; 2] = [F::OwnerInactive, F::RuntimeOwnerInactive];
const NOBODY: [F; 3] = [F::NoRuntimeOwner, F::RuntimeOwnerInactive, F::RuntimeOwnerPending];
const UNPROVEN: [F; 5] = [
    F::NoRuntimeOwner,
    F::RuntimeOwnerInactive,
    F::RuntimeOwnerPending,
    F::RuntimeOwnerUnable,
    F::RuntimeOwnerUntested,
];
const UNAPPROVED: [F; 4] = [F::ApprovalDue, F::Drift, F::NeverApproved, F::ConditionOverdue];

impl Evidence<'_> {
    /// The worst of these checks: uncovered is missing, covered is excepted, not found is met.
    fn worst(&self, at: DateTime<Utc>, about: impl Fn(&Finding) -> bool) -> Outcome {
        let mut out = Outcome::Met;
        for f in self.findings.iter().filter(|f| f.holds_at(at) && about(f)) {
            match f.excepted {
                None => return Outcome::Missing,
                Some(_) => out = Outcome::Excepted,
            }
        }
        out
    }

    fn checks(&self, at: DateTime<Utc>, keys: &[F]) -> Outcome {
        self.worst(at, |f| keys.contains(&f.key))
    }

    /// Whether whoever answers for a duty is there.
    fn owned(&self, at: DateTime<Utc>, duty: Duty) -> Outcome {
        self.worst(at, |f| f.duty == Some(duty) && matches!(f.key, F::NoOwner | F::OwnerInactive))
    }

    fn approval(&self, at: DateTime<Utc>) -> Outcome {
        if self.approved { self.checks(at, &UNAPPROVED) } else { Outcome::Missing }
    }

    /// How a control stands for the agent at a moment.
    pub fn outcome(&self, control: ControlKey, at: DateTime<Utc>) -> Outcome {
        let f = self.facts;
        let only = |applies: bool, then: Outcome| if applies { then } else { Outcome::NotApplicable };
        let needs = |there: bool, then: Outcome| if there { then } else { Outcome::Missing };
        match control {
            C::AgentInventoryEntry => {
                let written = !f.purpose.is_empty() && !f.workload_identity.is_empty();
                needs(written, self.checks(at, &[F::NameMissing, F::PossibleDuplicate]))
            }
            C::NamedBusinessOwner => self.owned(at, Duty::Purpose),
            C::NamedRuntimeOwner => self.worst(at, |f| UNPROVEN.contains(&f.key) || f.key == F::OwnerUnreachable),
            C::ControlOwnershipMatrix => self.worst(at, |f| {
                NOBODY.contains(&f.key)
                    || matches!(
                        f.key,
                        F::NoOwner
                            | F::OwnerInactive
                            | F::NoResponsible
                            | F::RegulatoryConflict
                            | F::LifecycleSplit
                            | F::JustificationEnded
                    )
            }),
            C::ApprovalRecord => self.approval(at),
            C::ToolBoundary => only(!f.tools.is_empty(), self.approval(at)),
            C::KillSwitch => self.checks(at, &UNPROVEN),
            C::ExceptionWithExpiry => {
                let ended =
                    |f: &Finding| self.covers.iter().any(|c| c.key == f.key && c.until <= at && c.until == f.from);
                let loose = self
                    .findings
                    .iter()
                    .filter(|f| f.holds_at(at) && f.excepted.is_none())
                    .any(|f| matches!(f.key, F::LongLivedCredential | F::ControlUnchecked) || ended(f));
                needs(!loose, Outcome::Met)
            }
            C::PeriodicReview => only(
                matches!(self.state, Lifecycle::Active | Lifecycle::Suspended),
                self.checks(at, &[F::ReviewOverdue, F::OwnershipUnconfirmed]),
            ),
            C::OwnershipHandover => {
                let gone = self.checks(at, &GONE) != Outcome::Met;
                only(
                    handover::needed(f).is_some() || gone,
                    self.worst(at, |f| f.key == F::HandoverMissing || GONE.contains(&f.key)),
                )
            }
            C::AuditLog | C::OrphanDetection => Outcome::Met,
            C::DelegatedAccess => {
                let known = !f.workload_identity.is_empty() || !f.credentials.is_empty();
                let rest = self.worst(at, |f| {
                    f.key == F::LongLivedCredential
                        || (f.duty == Some(Duty::Identity) && matches!(f.key, F::NoOwner | F::OwnerInactive))
                });
                needs(known, rest)
            }
            C::VendorAgentOwner => only(
                f.hosting == Hosting::VendorManaged,
                self.worst(at, |f| {
                    NOBODY.contains(&f.key)
                        || (f.duty == Some(Duty::Vendor) && matches!(f.key, F::NoOwner | F::OwnerInactive))
                }),
            ),
            C::SecondApprover => {
                let sensitive = f.regulated || matches!(f.exposure, Exposure::CustomerFacing | Exposure::Public);
                let keys: Vec<F> = UNAPPROVED.into_iter().chain([F::RegulatoryConflict]).collect();
                only(sensitive, needs(self.approved, self.checks(at, &keys)))
            }
            C::AlertRouting
            | C::EscalationPath
            | C::IncidentCommander
            | C::IncidentRecord
            | C::RetirementRecord
            | C::MultiAgentOwnership => Outcome::Missing,
        }
    }

    /// The signature of the agent at a moment; `None` once it is retired: it is not counted.
    pub fn signature(&self, at: DateTime<Utc>) -> Option<Signature> {
        (self.state != Lifecycle::Retired)
            .then(|| Signature::new(|control| self.outcome(control, at), |condition| condition.holds(self.facts)))
    }

    /// When the clock alone will change the signature, from what into what, in order.
    pub fn turns(&self, now: DateTime<Utc>) -> Vec<(DateTime<Utc>, Signature, Signature)> {
        let mut moments: Vec<DateTime<Utc>> = (self.findings.iter())
            .flat_map(|f| [Some(f.from), f.until])
            .chain(self.covers.iter().map(|c| Some(c.until)))
            .flatten()
            .filter(|at| *at > now)
            .collect();
        moments.sort_unstable();
        moments.dedup();
        let Some(mut last) = self.signature(now) else { return Vec::new() };
        let mut out = Vec::new();
        for at in moments {
            if let Some(next) = self.signature(at).filter(|next| *next != last) {
                out.push((at, last, next));
                last = next;
            }
        }
        out
    }

    /// When the first of the exceptions that hold for some controls ends.
    pub fn excepted_until(&self, controls: impl Fn(ControlKey) -> bool, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if !ControlKey::ALL.iter().any(|c| controls(*c) && self.outcome(*c, now) == Outcome::Excepted) {
            return None;
        }
        self.turns(now)
            .into_iter()
            .find(|(_, from, to)| {
                let ends =
                    |c: &ControlKey| from.outcome(*c) == Outcome::Excepted && to.outcome(*c) != Outcome::Excepted;
                ControlKey::ALL.iter().any(|c| controls(*c) && ends(c))
            })
            .map(|(at, ..)| at)
    }
}

crate::words! {
    /// How a node stands for an agent, best first.
    pub enum Standing {
        Met = "met", "Met";
        Partly = "partly", "Partly met";
        Excepted = "excepted", "Excepted";
        Missing = "missing", "Missing";
        NotAssessed = "not-assessed", "Not assessed";
        NotApplicable = "not-applicable", "Not applicable";
    }
}

impl Standing {
    /// When it stands so, in words.
    pub const fn formula(self) -> &'static str {
        match self {
            Self::Met => {
                "Every control that is a whole answer to the node is met; or somebody attested it, with evidence, and that has not ended."
            }
            Self::Partly => {
                "A control that contributes is met, and none that is a whole answer, or not all of them. Contributions never add up to met."
            }
            Self::Excepted => "What is not met is under an exception in force.",
            Self::Missing => "Controls are mapped to it, and none of them is met or excepted.",
            Self::NotAssessed => {
                "No control that Muster measures is mapped to it, or none is for this agent. It stays in the denominator."
            }
            Self::NotApplicable => {
                "Somebody decided that it counts only for some agents, and this is none of them. That ends by its date; it leaves the denominator until then."
            }
        }
    }
}

/// What says how a node stands: the controls mapped to it, and for whom it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Rule {
    /// The measured controls that contribute or are a whole answer.
    any: u32,
    /// Of these, those that are a whole answer.
    full: u32,
    /// A control that is a whole answer is not measured.
    beyond: bool,
    /// For which agents alone it counts, while that decision holds.
    only: Option<Condition>,
}

impl Rule {
    /// Adds a control.
    pub fn add(&mut self, control: ControlKey, strength: Strength) {
        if !control.measured() {
            self.beyond |= strength == Strength::Full;
            return;
        }
        self.any |= control.bit();
        if strength == Strength::Full {
            self.full |= control.bit();
        }
    }

    /// Makes it count only for the agents for which this holds.
    #[must_use]
    pub const fn only(mut self, condition: Option<Condition>) -> Self {
        self.only = condition;
        self
    }

    /// Whether this control is mapped, and measured.
    pub const fn reads(self, control: ControlKey) -> bool {
        self.any & control.bit() != 0
    }

    /// How the node stands for agents of a signature, attested for their business unit or not.
    pub fn standing(self, signature: Signature, attested: bool) -> Standing {
        self.decide(signature, signature.masks(), attested)
    }

    fn decide(self, signature: Signature, masks: Masks, attested: bool) -> Standing {
        if self.only.is_some_and(|c| !signature.holds(c)) {
            return Standing::NotApplicable;
        }
        if attested {
            return Standing::Met;
        }
        let (any, full) = (self.any & !masks.apart, self.full & !masks.apart);
        if any == 0 {
            return Standing::NotAssessed;
        }
        if full != 0 && !self.beyond {
            if full & !masks.met == 0 {
                return Standing::Met;
            }
            if full & !(masks.met | masks.excepted) == 0 {
                return Standing::Excepted;
            }
        }
        if any & masks.met != 0 {
            Standing::Partly
        } else if any & masks.excepted != 0 {
            Standing::Excepted
        } else {
            Standing::Missing
        }
    }
}

/// How many agents stand how for a node, or how many pairs of node and agent for several.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counts([i64; Standing::ALL.len()]);

impl Counts {
    /// How many stand so.
    pub const fn of(&self, standing: Standing) -> i64 {
        self.0[standing as usize]
    }

    /// Adds some.
    pub const fn add(&mut self, standing: Standing, n: i64) {
        self.0[standing as usize] += n;
    }

    /// Adds as often as said what others counted.
    pub fn join(&mut self, other: &Self, times: i64) {
        for (n, m) in self.0.iter_mut().zip(other.0) {
            *n += m * times;
        }
    }

    /// What it is measured against: everything but what is not applicable.
    pub fn denominator(&self) -> i64 {
        self.0.iter().sum::<i64>() - self.of(Standing::NotApplicable)
    }

    /// The part that is met, in whole percent, downwards; `None` of nothing.
    pub fn percent(&self) -> Option<i64> {
        let whole = self.denominator();
        (whole > 0).then(|| self.of(Standing::Met) * 100 / whole)
    }
}

/// Agents of one business unit with one signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The place of the business unit among those counted.
    pub unit: usize,
    /// The signature.
    pub signature: Signature,
    /// How many.
    pub agents: i64,
}

/// The nodes of all catalogues with their rules as shipped, in the order of the catalogues.
static SHIPPED: LazyLock<Vec<(&'static Node, Rule)>> = LazyLock::new(|| {
    let mut rules: BTreeMap<(&str, &str), Rule> = BTreeMap::new();
    for control in &framework::crosswalk().product_controls {
        let Ok(key) = control.id.parse::<ControlKey>() else { continue };
        for s in &control.supports {
            rules.entry((&s.framework, &s.reference)).or_default().add(key, s.strength);
        }
    }
    let rule = |n: &Node| rules.get(&(n.catalogue.as_str(), n.reference.as_str())).copied().unwrap_or_default();
    framework::catalogues().iter().flat_map(|c| &c.nodes).map(|n| (n, rule(n))).collect()
});

/// The rules of the nodes of all catalogues at a moment, and which nodes are attested for whom.
#[derive(Debug, Clone)]
pub struct Mapping {
    nodes: Vec<(&'static Node, Rule)>,
    /// By the place of a node: for which business units, by folded name; `None` for all.
    attested: BTreeMap<usize, Vec<Option<String>>>,
}

impl Mapping {
    /// As shipped, and as the organisation changed it.
    pub fn at(amendments: &Amendments, now: DateTime<Utc>) -> Self {
        let mut out = Self { nodes: SHIPPED.clone(), attested: BTreeMap::new() };
        let links = amendments.links.iter().map(|l| (l.framework.as_str(), l.reference.as_str()));
        let only = amendments.only.iter().map(|o| (o.framework.as_str(), o.reference.as_str()));
        let changed: BTreeSet<(&str, &str)> = links.chain(only).collect();
        for (node, rule) in out.nodes.iter_mut().filter(|(n, _)| !changed.is_empty() && changed.contains(&key(n))) {
            *rule = amendments.rule(node, now);
        }
        for a in amendments.attested.iter().filter(|a| a.holds_at(now)) {
            if let Some(place) =
                out.nodes.iter().position(|(n, _)| key(n) == (a.framework.as_str(), a.reference.as_str()))
            {
                let unit = a.business_unit.as_deref().map(text::fold);
                out.attested.entry(place).or_default().push(unit);
            }
        }
        out
    }

    /// Each node with its rule, in the order of the catalogues.
    pub fn nodes(&self) -> &[(&'static Node, Rule)] {
        &self.nodes
    }

    /// The place of a node and its rule.
    pub fn of(&self, node: &Node) -> Option<(usize, Rule)> {
        let place = self.nodes.iter().position(|(n, _)| key(n) == key(node))?;
        Some((place, self.nodes[place].1))
    }

    /// Whether the node at a place is attested for a business unit, by its folded name.
    pub fn attests(&self, place: usize, unit: &str) -> bool {
        let holds = |of: &Option<String>| of.as_ref().is_none_or(|u| u == unit);
        self.attested.get(&place).is_some_and(|list| list.iter().any(holds))
    }
}

fn key(node: &Node) -> (&str, &str) {
    (&node.catalogue, &node.reference)
}

/// How many agents of each business unit stand how for each node: `[node][unit]`. `attested` says
/// whether a node, by its place, is attested for a unit.
pub fn by_node(
    mapping: &Mapping,
    shares: &[Share],
    units: usize,
    attested: impl Fn(usize, usize) -> bool,
) -> Vec<Vec<Counts>> {
    // Nodes with one rule stand alike wherever nobody attested anything: they are counted once.
    let mut places: BTreeMap<Rule, usize> = BTreeMap::new();
    let mut rules: Vec<Rule> = Vec::new();
    let kinds: Vec<usize> = (mapping.nodes.iter())
        .map(|(_, rule)| {
            *places.entry(*rule).or_insert_with(|| {
                rules.push(*rule);
                rules.len() - 1
            })
        })
        .collect();
    let mut plain = vec![vec![Counts::default(); units]; rules.len()];
    let mut proven = plain.clone();
    let any_attested = (0..mapping.nodes.len()).any(|n| (0..units).any(|u| attested(n, u)));
    for share in shares.iter().filter(|s| s.unit < units) {
        let masks = share.signature.masks();
        for (kind, rule) in rules.iter().enumerate() {
            plain[kind][share.unit].add(rule.decide(share.signature, masks, false), share.agents);
            if any_attested {
                proven[kind][share.unit].add(rule.decide(share.signature, masks, true), share.agents);
            }
        }
    }
    let row = |(node, kind): (usize, &usize)| {
        (0..units).map(|u| if attested(node, u) { proven[*kind][u] } else { plain[*kind][u] }).collect()
    };
    kinds.iter().enumerate().map(row).collect()
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::finding::Severity;
    use crate::id::ExceptionId;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(n)
    }

    #[test]
    fn controls_are_those_of_the_crosswalk() {
        let ours: Vec<(&str, &str)> = ControlKey::ALL.iter().map(|c| (c.key(), c.label())).collect();
        let theirs: Vec<(&str, &str)> =
            framework::crosswalk().product_controls.iter().map(|c| (c.id.as_str(), c.title.as_str())).collect();
        assert_eq!(ours, theirs);
        assert!(CONDITIONS_FROM as usize + Condition::ALL.len() < 63, "a signature is one number that is not negative");
    }

    #[test]
    fn a_signature_says_what_went_into_it() {
        for shift in 0..4 {
            let outcome = |c: ControlKey| Outcome::ALL[(c as usize + shift) % 4];
            let holds = |c: Condition| (c as usize + shift).is_multiple_of(3);
            let signature = Signature::kept(Signature::new(outcome, holds).number());
            assert!(signature.number() >= 0);
            assert!(ControlKey::ALL.iter().all(|c| signature.outcome(*c) == outcome(*c)));
            assert!(Condition::ALL.iter().all(|c| signature.holds(*c) == holds(*c)));
        }
    }

    fn signature(outcomes: &[(ControlKey, Outcome)]) -> Signature {
        let of = |c| outcomes.iter().find(|(k, _)| *k == c).map_or(Outcome::Missing, |(_, o)| *o);
        Signature::new(of, |_| false)
    }

    #[test]
    fn contributions_never_add_up_to_met() {
        let mut rule = Rule::default();
        for control in ControlKey::ALL {
            rule.add(*control, Strength::Partial);
        }
        let all_met = Signature::new(|_| Outcome::Met, |_| true);
        assert_eq!(rule.standing(all_met, false), Standing::Partly);
        assert_eq!(Rule::default().standing(all_met, false), Standing::NotAssessed);
        assert_eq!(Rule::default().standing(all_met, true), Standing::Met, "attested");
        // A whole answer that nothing measures is not given by the others.
        rule.add(ControlKey::AlertRouting, Strength::Full);
        rule.add(ControlKey::ApprovalRecord, Strength::Full);
        assert_eq!(rule.standing(all_met, false), Standing::Partly);
    }

    #[test]
    fn a_node_stands_as_its_controls_do() {
        let mut rule = Rule::default();
        rule.add(C::KillSwitch, Strength::Full);
        rule.add(C::AuditLog, Strength::Partial);
        let of = |kill, log| rule.standing(signature(&[(C::KillSwitch, kill), (C::AuditLog, log)]), false);
        assert_eq!(of(Outcome::Met, Outcome::Missing), Standing::Met);
        assert_eq!(of(Outcome::Excepted, Outcome::Met), Standing::Excepted);
        assert_eq!(of(Outcome::Missing, Outcome::Met), Standing::Partly);
        assert_eq!(of(Outcome::Missing, Outcome::Excepted), Standing::Excepted);
        assert_eq!(of(Outcome::Missing, Outcome::NotApplicable), Standing::Missing);
        assert_eq!(of(Outcome::NotApplicable, Outcome::Met), Standing::Partly);
        assert_eq!(of(Outcome::NotApplicable, Outcome::NotApplicable), Standing::NotAssessed);
        let tools_only = rule.only(Some(Condition::HasTools));
        assert_eq!(tools_only.standing(signature(&[(C::KillSwitch, Outcome::Met)]), true), Standing::NotApplicable);
    }

    /// The slow, obvious way: agent by agent, node by node, from the words of the formulas.
    fn obvious(
        links: &[(ControlKey, Strength)],
        only: Option<Condition>,
        attested: bool,
        outcome: &dyn Fn(ControlKey) -> Outcome,
        holds: &dyn Fn(Condition) -> bool,
    ) -> Standing {
        if let Some(condition) = only
            && !holds(condition)
        {
            return Standing::NotApplicable;
        }
        if attested {
            return Standing::Met;
        }
        let count = |full_only: bool, wanted: &[Outcome]| {
            let fits = |l: &&(ControlKey, Strength)| !full_only || l.1 == Strength::Full;
            links.iter().filter(fits).filter(|l| l.0.measured() && wanted.contains(&outcome(l.0))).count()
        };
        let unmeasured_whole = links.iter().any(|l| l.1 == Strength::Full && !l.0.measured());
        let mapped = count(false, &[Outcome::Met, Outcome::Missing, Outcome::Excepted]);
        let whole = count(true, &[Outcome::Met, Outcome::Missing, Outcome::Excepted]);
        if mapped == 0 {
            return Standing::NotAssessed;
        }
        if !unmeasured_whole && whole > 0 && count(true, &[Outcome::Met]) == whole {
            return Standing::Met;
        }
        if !unmeasured_whole && whole > 0 && count(true, &[Outcome::Met, Outcome::Excepted]) == whole {
            return Standing::Excepted;
        }
        if count(false, &[Outcome::Met]) > 0 {
            return Standing::Partly;
        }
        if count(false, &[Outcome::Excepted]) > 0 {
            return Standing::Excepted;
        }
        Standing::Missing
    }

    #[derive(Debug, Clone)]
    struct AgentOf {
        unit: usize,
        outcomes: Vec<u8>,
        holds: Vec<bool>,
    }

    const UNITS: usize = 4;
    type Links = Vec<(ControlKey, Strength)>;

    fn agents() -> impl Strategy<Value = Vec<AgentOf>> {
        let outcomes = prop::collection::vec(0..4_u8, ControlKey::ALL.len());
        let holds = prop::collection::vec(any::<bool>(), Condition::ALL.len());
        let one = (0..UNITS, outcomes, holds).prop_map(|(unit, outcomes, holds)| AgentOf { unit, outcomes, holds });
        prop::collection::vec(one, 0..40)
    }

    fn rules() -> impl Strategy<Value = Vec<(Links, Option<Condition>, [bool; UNITS])>> {
        let link = (prop::sample::select(ControlKey::ALL), prop::sample::select(Strength::ALL));
        let links = prop::collection::btree_map(link.clone().prop_map(|l| l.0), link.prop_map(|l| l.1), 0..6);
        let only = prop::option::weighted(0.3, prop::sample::select(Condition::ALL));
        let attested = prop::array::uniform4(prop::bool::weighted(0.2));
        let rule = (links.prop_map(|m| m.into_iter().collect()), only, attested);
        prop::collection::vec(rule, 1..12)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn coverage_is_what_counting_one_by_one_gives(agents in agents(), rules in rules()) {
            let all = framework::catalogues().iter().flat_map(|c| &c.nodes);
            let made = |links: &Links, only| {
                let mut rule = Rule::default().only(only);
                for (c, s) in links {
                    rule.add(*c, *s);
                }
                rule
            };
            let nodes = all.zip(&rules).map(|(n, (links, only, _))| (n, made(links, *only))).collect();
            let outcome = |a: &AgentOf, c: ControlKey| Outcome::ALL[usize::from(a.outcomes[c as usize])];
            let mut counted: BTreeMap<(usize, i64), i64> = BTreeMap::new();
            for a in &agents {
                let signature = Signature::new(|c| outcome(a, c), |c| a.holds[c as usize]);
                *counted.entry((a.unit, signature.number())).or_default() += 1;
            }
            let shares: Vec<Share> = counted.into_iter()
                .map(|((unit, n), agents)| Share { unit, signature: Signature::kept(n), agents })
                .collect();
            let fast = by_node(&Mapping { nodes, attested: BTreeMap::new() }, &shares, UNITS, |n, u| rules[n].2[u]);
            for (n, (links, only, attested)) in rules.iter().enumerate() {
                for unit in 0..UNITS {
                    let mut slow = Counts::default();
                    for a in agents.iter().filter(|a| a.unit == unit) {
                        let stands = obvious(links, *only, attested[unit], &|c| outcome(a, c), &|c| a.holds[c as usize]);
                        slow.add(stands, 1);
                    }
                    prop_assert_eq!(fast[n][unit], slow);
                    prop_assert_eq!(slow.denominator() + slow.of(Standing::NotApplicable), agents.iter().filter(|a| a.unit == unit).count() as i64);
                }
            }
        }

        /// What the clock does is known in advance: at any later moment the signature is what the
        /// turns until then have made of it.
        #[test]
        fn turns_lead_to_what_is_read_later(
            spans in prop::collection::vec((0..FindingKey::ALL.len(), 0..20_i64, prop::option::of(1..20_i64), any::<bool>(), 0..Duty::ALL.len()), 0..12),
            covers in prop::collection::vec((0..FindingKey::ALL.len(), 1..30_i64), 0..3),
            later in 0..45_i64,
            active in any::<bool>(),
        ) {
            let mut facts = AgentFacts::named("A");
            facts.workload_identity = "spiffe://a".into();
            facts.purpose = "P".into();
            facts.regulated = active;
            let findings: Vec<Finding> = spans.iter().map(|(key, from, length, excepted, duty)| Finding {
                key: FindingKey::ALL[*key],
                duty: Some(Duty::ALL[*duty]),
                severity: Severity::Low,
                from: day(*from),
                until: length.map(|l| day(from + l)),
                detail: String::new(),
                excepted: excepted.then_some(ExceptionId(1)),
            }).collect();
            let covers: Vec<Cover> = covers.iter()
                .map(|(key, until)| Cover { exception: ExceptionId(1), key: FindingKey::ALL[*key], from: day(0), until: day(*until) })
                .collect();
            let state = if active { Lifecycle::Active } else { Lifecycle::Draft };
            let evidence = Evidence { facts: &facts, state, approved: active, findings: &findings, covers: &covers };
            let now = day(5);
            let mut at = evidence.signature(now).unwrap();
            for (when, from, to) in evidence.turns(now) {
                prop_assert_eq!(from, if when <= day(5 + later) { at } else { from });
                if when <= day(5 + later) {
                    at = to;
                }
            }
            prop_assert_eq!(at, evidence.signature(day(5 + later)).unwrap());
        }
    }

    #[test]
    fn a_lapse_of_the_drill_or_the_exception_is_a_turn() {
        let mut facts = AgentFacts::named("A");
        facts.workload_identity = "spiffe://a".into();
        let finding = |key, from, until: Option<i64>, excepted: Option<i64>| Finding {
            key,
            duty: Some(Duty::Containment),
            severity: Severity::Low,
            from: day(from),
            until: until.map(day),
            detail: String::new(),
            excepted: excepted.map(ExceptionId),
        };
        let findings = [
            finding(F::RuntimeOwnerUntested, 10, None, None),
            finding(F::LongLivedCredential, 0, Some(20), Some(1)),
            finding(F::LongLivedCredential, 20, None, None),
        ];
        let covers = [Cover { exception: ExceptionId(1), key: F::LongLivedCredential, from: day(0), until: day(20) }];
        let e =
            Evidence { facts: &facts, state: Lifecycle::Active, approved: true, findings: &findings, covers: &covers };
        let of = |c, at| e.outcome(c, day(at));
        assert_eq!([of(C::KillSwitch, 9), of(C::KillSwitch, 10)], [Outcome::Met, Outcome::Missing]);
        assert_eq!([of(C::DelegatedAccess, 19), of(C::DelegatedAccess, 20)], [Outcome::Excepted, Outcome::Missing]);
        assert_eq!([of(C::ExceptionWithExpiry, 19), of(C::ExceptionWithExpiry, 20)], [Outcome::Met, Outcome::Missing]);
        let when: Vec<DateTime<Utc>> = e.turns(day(5)).into_iter().map(|(at, ..)| at).collect();
        assert_eq!(when, [day(10), day(20)]);
        assert_eq!(e.excepted_until(|c| c == C::DelegatedAccess, day(5)), Some(day(20)));
        assert_eq!(e.excepted_until(|c| c == C::KillSwitch, day(5)), None);
        let retired = Evidence { state: Lifecycle::Retired, ..e };
        assert!(retired.signature(day(5)).is_none() && retired.turns(day(5)).is_empty());
    }
}
