//! Findings: what is wrong with an agent, computed from facts. Each holds over a span
//! known in advance, so that `now` only filters.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::agent::{AgentFacts, Lifecycle};
use crate::assignment::{Held, Offer, RuntimeOwner, RuntimeOwnerNow, StopFacts, accountable, runtime_owner};
use crate::duty::Duty;
use crate::exception::{self, Cover, Unchecked};
use crate::handover;
use crate::id::ExceptionId;
use crate::model::one_hand;
use crate::party::Standing;
use crate::raci::{Breach, Breached, Seat, Ward, breaches};
use crate::reach::Span;
use crate::tier::Tier;

crate::words! {
    /// Every check. The catalogue page explains each.
    pub enum FindingKey {
        NoRuntimeOwner = "no-runtime-owner", "Nobody can stop it";
        RuntimeOwnerInactive = "runtime-owner-inactive", "Whoever could stop it is gone";
        RuntimeOwnerPending = "runtime-owner-pending", "The runtime owner has not accepted";
        RuntimeOwnerUnable = "runtime-owner-unable", "No way to stop it is recorded";
        RuntimeOwnerUntested = "runtime-owner-untested", "Stopping it was not shown in time";
        StopReviewOverdue = "stop-review-overdue", "A stop was not reviewed in time";
        OwnerUnreachable = "owner-unreachable", "Whoever could stop it cannot be reached";
        OwnershipUnconfirmed = "ownership-unconfirmed", "An owner has not said in time that a duty is still theirs";
        NoOwner = "no-owner", "A required duty has no owner";
        OwnerInactive = "owner-inactive", "The owner of a duty is gone";
        NoResponsible = "no-responsible", "A duty has nobody who does the work";
        JustificationEnded = "justification-ended", "The justification for duties in one hand has ended";
        HandoverMissing = "handover-missing", "Built by one team, operated by another, never handed over";
        LifecycleSplit = "lifecycle-split", "Lifecycle duties lie outside the operating team";
        RegulatoryConflict = "regulatory-conflict", "Regulatory approver and business owner are the same";
        ApprovalDue = "approval-due", "Its approval has fallen due again";
        Drift = "drift", "It was seen to differ from what was approved";
        ReviewOverdue = "review-overdue", "It was not reviewed in time";
        ConditionOverdue = "condition-overdue", "A condition of an approval or a review was not met in time";
        DecisionOverdue = "decision-overdue", "A decision about it is long overdue";
        ControlUnchecked = "control-unchecked", "What an exception was given for was not checked in time";
        NeverApproved = "never-approved", "Runs without ever having been approved";
        LongLivedCredential = "long-lived-credential", "Uses a long-lived or shared credential";
        NameMissing = "name-missing", "Came without a name";
        PossibleDuplicate = "possible-duplicate", "May be recorded twice";
    }
}

impl FindingKey {
    /// How the check decides, in one sentence, for the catalogue page.
    pub const fn formula(self) -> &'static str {
        match self {
            Self::NoRuntimeOwner => "No party is Accountable for containment and no offer is open.",
            Self::RuntimeOwnerInactive => {
                "The party Accountable for containment left, or is a team without an active lead."
            }
            Self::RuntimeOwnerPending => {
                "Nobody is Accountable for containment; an offer is open, and nobody answered it yet. It lapses after 30 days."
            }
            Self::RuntimeOwnerUnable => "There is a runtime owner, and no stop method is recorded.",
            Self::RuntimeOwnerUntested => {
                "This runtime owner has not passed a stop drill with this version of the stop method within the tier's cadence (low 365, moderate 180, high 90, critical 30 days)."
            }
            Self::StopReviewOverdue => {
                "It was stopped by breaking the glass, and nobody else reviewed that within 24 hours."
            }
            Self::OwnerUnreachable => {
                "The party Accountable for containment is there, and nobody of it can be reached: nobody has a channel tested within 180 days, or whoever has one is away."
            }
            Self::OwnershipUnconfirmed => {
                "An owner has not said within the tier's cadence (low and moderate 365, high 180, critical 90 days) that a duty is still theirs, or changed department since they said so. For a team its lead does both."
            }
            Self::NoOwner => "A duty that the agent's facts require, containment apart, has no Accountable party.",
            Self::OwnerInactive => {
                "The Accountable party of a duty, containment apart, left or is a team without an active lead."
            }
            Self::NoResponsible => {
                "A required duty has an Accountable party and nobody Responsible. A harmless sandbox agent's owner may do the work too."
            }
            Self::JustificationEnded => {
                "One party is Accountable for several of identity, requests and platform, and the justification for that has ended."
            }
            Self::HandoverMissing => {
                "The team that built it and the team that operates it differ, and no handover between exactly these two was accepted."
            }
            Self::LifecycleSplit => {
                "Containment, monitoring, review or retirement is held outside the team that operates the agent."
            }
            Self::RegulatoryConflict => "The same party is Accountable for purpose and for regulatory approval.",
            Self::ApprovalDue => {
                "The approval of its boundary is older than the policy allows for its tier, or the policy asks for an approver who has not approved it."
            }
            Self::Drift => {
                "An import or a program saw a boundary that differs from the approved one. What was approved stays until a change of scope is."
            }
            Self::ReviewOverdue => {
                "It is active or suspended, and its last review or approval is older than the policy's review cadence for its tier."
            }
            Self::ConditionOverdue => {
                "An approval was given on a condition, or a review asked for a change, and the date has passed unmet."
            }
            Self::DecisionOverdue => {
                "A step of an open request was not decided within its days and the days until it escalates."
            }
            Self::ControlUnchecked => {
                "An exception is in force, and a compensating control of it was not checked by its date."
            }
            Self::NeverApproved => "The agent is discovered, counts as running, and was never approved.",
            Self::LongLivedCredential => "A credential is a long-lived secret or a shared account.",
            Self::NameMissing => "The row it was imported from had no name.",
            Self::PossibleDuplicate => "Another row of the same import has the same key.",
        }
    }
}

crate::words! {
    /// How bad it is, worst first.
    pub enum Severity {
        Critical = "critical", "Critical";
        High = "high", "High";
        Medium = "medium", "Medium";
        Low = "low", "Low";
        /// A gap of a fresh import, until its target date.
        Onboarding = "onboarding", "Onboarding";
    }
}

/// One thing that is wrong, over a span.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// Which check.
    pub key: FindingKey,
    /// Which duty it concerns, if one.
    pub duty: Option<Duty>,
    /// How bad.
    pub severity: Severity,
    /// Since when it holds, inclusive.
    pub from: DateTime<Utc>,
    /// Until when it holds, exclusive; `None` while nothing changes.
    pub until: Option<DateTime<Utc>>,
    /// What it is about, for instance a credential's name; may be empty.
    pub detail: String,
    /// Under which exception it does not count, over its whole span.
    #[serde(default)]
    pub excepted: Option<ExceptionId>,
}

impl Finding {
    /// Whether it holds at the moment.
    pub fn holds_at(&self, now: DateTime<Utc>) -> bool {
        self.from <= now && self.until.is_none_or(|u| now < u)
    }

    /// The finding as one plain sentence.
    pub fn sentence(&self) -> String {
        let owner = self.duty.map_or("owner", Duty::owner_title);
        match self.key {
            FindingKey::NoRuntimeOwner => "Nobody can stop it: it has no runtime owner.".into(),
            FindingKey::RuntimeOwnerInactive => "Nobody can stop it: its runtime owner is gone.".into(),
            FindingKey::RuntimeOwnerPending => "Nobody can stop it yet: the runtime owner has not accepted.".into(),
            FindingKey::RuntimeOwnerUnable => "Its runtime owner has no recorded way to stop it.".into(),
            FindingKey::RuntimeOwnerUntested => {
                "Its runtime owner has not shown in time that stopping it works.".into()
            }
            FindingKey::StopReviewOverdue => "It was stopped at once, and nobody has reviewed that in time.".into(),
            FindingKey::OwnerUnreachable => "Its runtime owner cannot be reached: no tested channel, or away.".into(),
            FindingKey::OwnershipUnconfirmed => {
                format!("It was not confirmed in time who still owns it: {}.", self.detail)
            }
            FindingKey::NoOwner => {
                format!("It has no {}: nobody answers for {}.", lower(owner), self.duty.map_or("it", Duty::answers_for))
            }
            FindingKey::OwnerInactive => format!("Its {} is gone.", lower(owner)),
            FindingKey::NoResponsible => format!(
                "{owner} is named, but nobody does the work (no R for {}).",
                self.duty.map_or("the duty", Duty::key)
            ),
            FindingKey::JustificationEnded => {
                format!("Several control points lie in one hand ({}), and the justification has ended.", self.detail)
            }
            FindingKey::HandoverMissing => {
                "The team that operates it never accepted it from the team that built it.".into()
            }
            FindingKey::LifecycleSplit => format!(
                "{} is held outside the team that operates it, without a reason.",
                self.duty.map_or("A duty", Duty::label)
            ),
            FindingKey::RegulatoryConflict => "Its regulatory approver is also its business owner.".into(),
            FindingKey::ApprovalDue => format!("Its approval has fallen due again: {}.", self.detail),
            FindingKey::Drift => format!("It was seen to differ from what was approved ({}).", self.detail),
            FindingKey::ReviewOverdue => "It was not reviewed in time.".into(),
            FindingKey::ConditionOverdue => {
                format!("What was to be done is overdue: {}.", self.detail.trim_end_matches('.'))
            }
            FindingKey::DecisionOverdue => format!("A decision about it is long overdue: {}.", self.detail),
            FindingKey::ControlUnchecked => {
                format!("What is done instead was not checked in time: {}.", self.detail.trim_end_matches('.'))
            }
            FindingKey::NeverApproved => "It counts as running and was never approved.".into(),
            FindingKey::LongLivedCredential => format!("It uses a standing credential: {}.", self.detail),
            FindingKey::NameMissing => "It came without a name.".into(),
            FindingKey::PossibleDuplicate => format!("It may be recorded twice: {}.", self.detail),
        }
    }

    /// The sentence, and until when which exception keeps it from counting.
    pub fn told(&self) -> String {
        match (self.excepted, self.until) {
            (Some(id), Some(until)) => {
                format!("{} Excepted until {} ({id}).", self.sentence(), until.format("%-d %B %Y"))
            }
            _ => self.sentence(),
        }
    }

    /// What the one button that fixes it says.
    pub const fn fix_label(&self) -> &'static str {
        match self.key {
            FindingKey::NoRuntimeOwner => "Assign a runtime owner",
            FindingKey::RuntimeOwnerInactive | FindingKey::OwnerInactive => "Assign a successor",
            FindingKey::RuntimeOwnerPending => "See the offer",
            FindingKey::RuntimeOwnerUnable => "Record how to stop it",
            FindingKey::RuntimeOwnerUntested => "See how it is stopped",
            FindingKey::StopReviewOverdue => "Review the stop",
            FindingKey::OwnerUnreachable => "See who is on call",
            FindingKey::OwnershipUnconfirmed => "See who owns it",
            FindingKey::NoOwner => "Assign an owner",
            FindingKey::NoResponsible => "Name who does the work",
            FindingKey::LifecycleSplit | FindingKey::RegulatoryConflict => "Change the owner",
            FindingKey::HandoverMissing => "Hand it over",
            FindingKey::JustificationEnded => "Share the duties out, or justify it again",
            FindingKey::ApprovalDue => "Ask for a fresh approval",
            FindingKey::Drift => "Look at the difference",
            FindingKey::ReviewOverdue => "Review it",
            FindingKey::ConditionOverdue | FindingKey::DecisionOverdue => "Open the request",
            FindingKey::ControlUnchecked => "Open the exception",
            FindingKey::NeverApproved | FindingKey::LongLivedCredential => "Review the facts",
            FindingKey::NameMissing => "Give it a name",
            FindingKey::PossibleDuplicate => "Compare and correct",
        }
    }
}

pub(crate) fn lower(title: &str) -> String {
    if title.starts_with("API") { title.to_owned() } else { title.to_lowercase() }
}

/// What an import noticed about the row an agent came from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ImportNotes {
    /// The row had no name.
    pub name_missing: bool,
    /// The key of the row was seen before in the same file: which one.
    pub duplicate_of: Option<String>,
}

/// What was decided about the agent and is to be decided, as far as findings read it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Governance {
    /// When its approval falls due again, and why.
    pub approval_due: Option<(DateTime<Utc>, String)>,
    /// Since when what was seen differs from what was approved, and where.
    pub drift: Option<(DateTime<Utc>, String)>,
    /// When its next review is due.
    pub review_due: Option<DateTime<Utc>>,
    /// The date of the first condition that is not met, and what it says.
    pub condition_due: Option<(DateTime<Utc>, String)>,
    /// From when an open request is escalated until it lapses, and of which step.
    pub decision_due: Vec<(Span, String)>,
    /// When an open request about it lapses.
    pub request_lapses: Option<DateTime<Utc>>,
    /// When somebody's appointment to decide about it ends.
    pub acting_until: Option<DateTime<Utc>>,
    /// The approved exceptions about checks of it, past ones too.
    pub covers: Vec<Cover>,
    /// Compensating controls that are, or will be, checked too late.
    pub unchecked: Vec<Unchecked>,
}

/// Everything `assess` reads.
#[derive(Debug, Clone)]
pub struct Assessed<'a> {
    /// What is written about the agent.
    pub facts: &'a AgentFacts,
    /// Where it is in its life.
    pub state: Lifecycle,
    /// Its tier.
    pub tier: Tier,
    /// When the record began.
    pub recorded_at: DateTime<Utc>,
    /// Current, accepted assignments.
    pub held: &'a [Held],
    /// Open offers.
    pub offers: &'a [Offer],
    /// When the last A of a duty ended, for duties that had one.
    pub vacated: &'a [(Duty, DateTime<Utc>)],
    /// Stop method and drill.
    pub stop: &'a StopFacts,
    /// When the oldest stop that nobody has reviewed is due for it.
    pub review_due: Option<DateTime<Utc>>,
    /// Whether the team that operates it accepted it from the team that built it.
    pub handed_over: bool,
    /// When the justification for control points in one hand ends, if there is one.
    pub justified_until: Option<DateTime<Utc>>,
    /// Target date of the import wave the agent came with, if it still belongs to one.
    pub onboarding_until: Option<DateTime<Utc>>,
    /// What the import noticed.
    pub notes: &'a ImportNotes,
    /// Members of the team that operates the agent hold lifecycle duties by default;
    /// these duties are held outside it without a reason.
    pub split: &'a [Duty],
    /// When nobody of the party Accountable for containment can be reached, in order.
    pub unreachable: &'a [Span],
    /// Approval, review, conditions and open requests.
    pub governance: &'a Governance,
}

/// The outcome: the runtime-owner state and every finding, over their spans.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// The runtime-owner state; a retired agent has none and is not counted.
    pub runtime_owner: Option<RuntimeOwnerNow>,
    /// Findings, worst first at `now`.
    pub findings: Vec<Finding>,
}

/// Pure, fast and total. A retired agent has no findings.
///
/// The gaps of an agent that came with an import wave count as *onboarding* until the
/// wave's target date, except the one that never waits: running, and nobody able to stop it.
pub fn assess(a: &Assessed<'_>, now: DateTime<Utc>) -> Assessment {
    if a.state == Lifecycle::Retired {
        return Assessment { runtime_owner: None, findings: Vec::new() };
    }
    let mut out = Findings { a, list: Vec::new() };
    let owner = runtime_owner(a.held, a.offers, a.stop, a.tier, now);
    let running = a.facts.running.counts();

    match owner.state {
        RuntimeOwner::None => {
            let lapsed = a.offers.iter().filter(|o| o.duty == Duty::Containment).map(Offer::lapses_at).max();
            let since = out.vacant_since(Duty::Containment);
            out.nobody(running, lapsed.map_or(since, |at| at.max(since)));
        }
        RuntimeOwner::Inactive => {
            let since = accountable(a.held, Duty::Containment).map_or(a.recorded_at, gone_since);
            let severity = if running { Severity::Critical } else { Severity::Medium };
            out.add_now(FindingKey::RuntimeOwnerInactive, Some(Duty::Containment), severity, since);
        }
        RuntimeOwner::Pending => {
            let since = a.offers.iter().find(|o| o.duty == Duty::Containment).map_or(a.recorded_at, |o| o.offered_at);
            let severity = if running { Severity::High } else { Severity::Low };
            // It holds in advance: when the offer lapses, there is none.
            let (key, duty) = (FindingKey::RuntimeOwnerPending, Some(Duty::Containment));
            out.list.push(Finding {
                key,
                duty,
                severity,
                from: since,
                until: owner.until,
                detail: String::new(),
                excepted: None,
            });
            if let Some(lapses) = owner.until {
                out.nobody(running, lapses);
            }
        }
        RuntimeOwner::Unable => {
            let since = accountable(a.held, Duty::Containment).map_or(a.recorded_at, |h| h.since);
            let severity = if running { Severity::High } else { Severity::Low };
            out.add_now(FindingKey::RuntimeOwnerUnable, Some(Duty::Containment), severity, since);
        }
        RuntimeOwner::Untested => {
            let since = accountable(a.held, Duty::Containment).map_or(a.recorded_at, |h| h.since);
            out.untested(running, since);
        }
        // It holds in advance: the span begins when the drill lapses.
        RuntimeOwner::Verified => {
            if let Some(lapses) = owner.until {
                out.untested(running, lapses);
            }
        }
    }

    if let Some(owner) = accountable(a.held, Duty::Containment).filter(|h| h.standing == Standing::Active) {
        let severity = if running { Severity::Medium } else { Severity::Low };
        for span in a.unreachable {
            if let Some(span) = span.after(owner.since) {
                out.gap_over(FindingKey::OwnerUnreachable, Some(Duty::Containment), severity, span, "");
            }
        }
    }
    out.unconfirmed();

    out.governed();

    // It holds in advance: the span begins when the review is due.
    if let Some(due) = a.review_due {
        out.add_now(FindingKey::StopReviewOverdue, Some(Duty::Policy), Severity::High, due);
    }

    for breach in breaches(&Ward::of_agent(a.facts), &Seat::now(a.held, a.offers)) {
        out.breach(&breach, running);
    }
    // It holds in advance: the span begins when the justification ends.
    if let (Some(until), Some((_, duties))) = (a.justified_until, one_hand(a.held)) {
        out.add_now(FindingKey::JustificationEnded, duties.first().copied(), Severity::Medium, until);
        let detail = duties.iter().map(|d| d.label().to_lowercase()).collect::<Vec<_>>().join(", ");
        for f in out.list.iter_mut().filter(|f| f.key == FindingKey::JustificationEnded) {
            f.detail.clone_from(&detail);
        }
    }
    if handover::needed(a.facts).is_some() && !a.handed_over {
        out.gap(FindingKey::HandoverMissing, None, Severity::Medium, a.recorded_at);
    }
    for &duty in a.split {
        let since = accountable(a.held, duty).map_or(a.recorded_at, |h| h.since);
        out.gap(FindingKey::LifecycleSplit, Some(duty), Severity::Low, since);
    }
    if a.state == Lifecycle::Discovered && running {
        out.gap(FindingKey::NeverApproved, None, Severity::High, a.recorded_at);
    }
    let standing: Vec<&str> =
        a.facts.credentials.iter().filter(|c| c.kind.is_standing()).map(|c| c.name.as_str()).collect();
    if !standing.is_empty() {
        out.gap(FindingKey::LongLivedCredential, Some(Duty::Identity), Severity::High, a.recorded_at);
        let detail = standing.join(", ");
        for f in out.list.iter_mut().filter(|f| f.key == FindingKey::LongLivedCredential) {
            f.detail.clone_from(&detail);
        }
    }
    if a.notes.name_missing {
        out.gap(FindingKey::NameMissing, None, Severity::Low, a.recorded_at);
    }
    if let Some(other) = &a.notes.duplicate_of {
        out.gap(FindingKey::PossibleDuplicate, None, Severity::Low, a.recorded_at);
        for f in out.list.iter_mut().filter(|f| f.key == FindingKey::PossibleDuplicate) {
            f.detail.clone_from(other);
        }
    }
    out.promised();
    out.list = exception::split(out.list, &a.governance.covers, now);
    out.list.sort_by_key(|f| (f.severity, f.key, f.duty, f.from));
    Assessment { runtime_owner: Some(owner), findings: out.list }
}

fn gone_since(h: &Held) -> DateTime<Utc> {
    h.standing_since.unwrap_or(h.since).max(h.since)
}

struct Findings<'a, 'b> {
    a: &'a Assessed<'b>,
    list: Vec<Finding>,
}

impl Findings<'_, '_> {
    fn vacant_since(&self, duty: Duty) -> DateTime<Utc> {
        self.a.vacated.iter().find(|(d, _)| *d == duty).map_or(self.a.recorded_at, |(_, at)| *at)
    }

    /// A rule of the matrix that is broken. Containment without a present owner is told by the
    /// runtime-owner state.
    fn breach(&mut self, breach: &Breach, running: bool) {
        let duty = breach.duty;
        match (breach.rule, accountable(self.a.held, duty)) {
            (Breached::NoAccountable | Breached::Pending, _) if duty != Duty::Containment => {
                let severity = match duty {
                    Duty::Purpose | Duty::Policy if running => Severity::High,
                    _ => Severity::Medium,
                };
                self.gap(FindingKey::NoOwner, Some(duty), severity, self.vacant_since(duty));
            }
            (Breached::Gone, Some(h)) if duty != Duty::Containment => {
                self.add_now(FindingKey::OwnerInactive, Some(duty), Severity::High, gone_since(h));
            }
            (Breached::NoResponsible, Some(h)) => {
                self.gap(FindingKey::NoResponsible, Some(duty), Severity::Low, h.since);
            }
            (Breached::SameParty, Some(h)) => {
                let since = accountable(self.a.held, Duty::Purpose).map_or(h.since, |p| p.since.max(h.since));
                self.add_now(FindingKey::RegulatoryConflict, Some(duty), Severity::High, since);
            }
            _ => {}
        }
    }

    fn add_now(&mut self, key: FindingKey, duty: Option<Duty>, severity: Severity, from: DateTime<Utc>) {
        self.list.push(Finding { key, duty, severity, from, until: None, detail: String::new(), excepted: None });
    }

    /// What follows from approvals, reviews and requests. Each holds in advance, from its date.
    fn governed(&mut self) {
        let g = self.a.governance;
        let told = |o: &Option<(DateTime<Utc>, String)>| o.clone();
        for (key, due, severity) in [
            (FindingKey::ApprovalDue, told(&g.approval_due), Severity::Medium),
            (FindingKey::Drift, told(&g.drift), Severity::High),
            (FindingKey::ReviewOverdue, g.review_due.map(|at| (at, String::new())), Severity::Medium),
            (FindingKey::ConditionOverdue, told(&g.condition_due), Severity::High),
        ] {
            let Some((from, detail)) = due else { continue };
            let duty = (key == FindingKey::ReviewOverdue).then_some(Duty::Review);
            self.list.push(Finding { key, duty, severity, from, until: None, detail, excepted: None });
        }
        let mut late: Vec<&(Span, String)> = g.decision_due.iter().collect();
        late.sort_by_key(|(span, _)| (span.from, std::cmp::Reverse(span.until)));
        // Of two that begin together the longer one tells of both.
        late.dedup_by_key(|(span, _)| span.from);
        for (span, detail) in late {
            let (key, severity) = (FindingKey::DecisionOverdue, Severity::Medium);
            let (from, until, detail) = (span.from, span.until, detail.clone());
            self.list.push(Finding { key, duty: None, severity, from, until, detail, excepted: None });
        }
    }

    /// What exceptions were given for and nobody looked at: one finding for each moment at which
    /// that begins.
    fn promised(&mut self) {
        for u in &self.a.governance.unchecked {
            let (key, detail) = (FindingKey::ControlUnchecked, format!("{}, {}", u.exception, u.text));
            if self.list.iter().any(|f| f.key == key && f.from == u.from) {
                continue;
            }
            let (from, until) = (u.from, Some(u.until));
            self.list.push(Finding { key, duty: None, severity: Severity::High, from, until, detail, excepted: None });
        }
    }

    /// The A's of which nobody said in time that they are still theirs: one
    /// finding, from the first of them on. It holds in advance. An owner who is gone is told apart.
    fn unconfirmed(&mut self) {
        let mut due: Vec<(DateTime<Utc>, Duty)> = (self.a.held.iter())
            .filter(|h| h.standing == Standing::Active)
            .filter_map(|h| Some((h.confirm_due(self.a.tier)?, h.duty)))
            .collect();
        due.sort_unstable();
        let Some((first, _)) = due.first().copied() else { return };
        // What falls due within the week after the first is told with it.
        let told = due.iter().filter(|(at, _)| *at < first + TimeDelta::days(7));
        let detail: Vec<&str> = told.map(|(_, duty)| duty.label()).collect();
        self.gap_over(FindingKey::OwnershipUnconfirmed, None, Severity::Low, Span::since(first), &detail.join(", "));
    }

    /// A gap over a span: what of it lies before the target date waits, what lies after does not.
    fn gap_over(&mut self, key: FindingKey, duty: Option<Duty>, severity: Severity, span: Span, detail: &str) {
        let mut add = |severity, span: Span| {
            let detail = detail.to_owned();
            self.list.push(Finding { key, duty, severity, from: span.from, until: span.until, detail, excepted: None });
        };
        let Some(target) = self.a.onboarding_until.filter(|t| span.from < *t) else { return add(severity, span) };
        let waits = span.until.map_or(target, |u| u.min(target));
        add(Severity::Onboarding, Span { from: span.from, until: Some(waits) });
        if let Some(rest) = span.after(target) {
            add(severity, rest);
        }
    }

    /// A gap waits while the agent is being onboarded.
    fn gap(&mut self, key: FindingKey, duty: Option<Duty>, severity: Severity, from: DateTime<Utc>) {
        match self.a.onboarding_until {
            Some(target) if from < target => {
                self.list.push(Finding {
                    key,
                    duty,
                    severity: Severity::Onboarding,
                    from,
                    until: Some(target),
                    detail: String::new(),
                    excepted: None,
                });
                self.add_now(key, duty, severity, target);
            }
            _ => self.add_now(key, duty, severity, from),
        }
    }

    /// Nobody can stop it: what never waits when it runs.
    fn nobody(&mut self, running: bool, from: DateTime<Utc>) {
        if running {
            self.add_now(FindingKey::NoRuntimeOwner, Some(Duty::Containment), Severity::Critical, from);
        } else {
            self.gap(FindingKey::NoRuntimeOwner, Some(Duty::Containment), Severity::Medium, from);
        }
    }

    fn untested(&mut self, running: bool, from: DateTime<Utc>) {
        let severity = if running { Severity::Medium } else { Severity::Low };
        self.add_now(FindingKey::RuntimeOwnerUntested, Some(Duty::Containment), severity, from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::{Environment, Running};
    use crate::assignment::RaciRole;
    use crate::id::TeamId;
    use crate::party::{Party, Standing};

    fn at(day: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(day * 86_400, 0).unwrap()
    }

    fn assessed<'a>(facts: &'a AgentFacts, notes: &'a ImportNotes, stop: &'a StopFacts) -> Assessed<'a> {
        Assessed {
            facts,
            state: Lifecycle::Draft,
            tier: Tier::Low,
            recorded_at: at(0),
            held: &[],
            offers: &[],
            vacated: &[],
            stop,
            review_due: None,
            handed_over: false,
            justified_until: None,
            governance: Box::leak(Box::default()),
            onboarding_until: None,
            notes,
            split: &[],
            unreachable: &[],
        }
    }

    #[test]
    fn not_being_reached_and_not_having_confirmed_are_known_in_advance() {
        let mut facts = AgentFacts::named("x");
        facts.running = Running::Yes;
        let (notes, stop) = (ImportNotes::default(), StopFacts::default());
        let held = [Held {
            duty: Duty::Containment,
            role: crate::assignment::RaciRole::Accountable,
            party: crate::party::Party::Person(crate::id::PersonId(1)),
            standing: Standing::Active,
            standing_since: None,
            since: at(5),
            inherited: None,
            confirmed_at: at(5),
            moved_at: None,
        }];
        let mut a = assessed(&facts, &notes, &stop);
        let spans = [Span { from: at(0), until: Some(at(10)) }, Span::since(at(50))];
        (a.held, a.unreachable, a.onboarding_until) = (&held, &spans, Some(at(60)));
        let got = assess(&a, at(6));
        let of = |key, day| {
            got.findings.iter().filter(|f| f.key == key && f.holds_at(at(day))).map(|f| f.severity).collect::<Vec<_>>()
        };
        assert_eq!(of(FindingKey::OwnerUnreachable, 4), [], "nobody answered for it then");
        assert_eq!(of(FindingKey::OwnerUnreachable, 6), [Severity::Onboarding]);
        assert_eq!(of(FindingKey::OwnerUnreachable, 10), []);
        assert_eq!(of(FindingKey::OwnerUnreachable, 55), [Severity::Onboarding]);
        assert_eq!(of(FindingKey::OwnerUnreachable, 60), [Severity::Medium]);
        assert_eq!(of(FindingKey::OwnershipUnconfirmed, 369), []);
        assert_eq!(of(FindingKey::OwnershipUnconfirmed, 370), [Severity::Low]);
        let told = got.findings.iter().find(|f| f.key == FindingKey::OwnershipUnconfirmed).unwrap();
        assert!(told.sentence().ends_with("Containment."), "{}", told.sentence());
    }

    #[test]
    fn an_agent_that_runs_and_nobody_can_stop_never_waits_for_onboarding() {
        let mut facts = AgentFacts::named("x");
        facts.running = Running::Yes;
        facts.environment = Environment::Production;
        let (notes, stop) = (ImportNotes::default(), StopFacts::default());
        let mut a = assessed(&facts, &notes, &stop);
        a.onboarding_until = Some(at(30));
        let got = assess(&a, at(1));
        let now: Vec<_> = got.findings.iter().filter(|f| f.holds_at(at(1))).collect();
        assert_eq!(now[0].key, FindingKey::NoRuntimeOwner);
        assert_eq!(now[0].severity, Severity::Critical);
        assert!(now[1..].iter().all(|f| f.severity == Severity::Onboarding), "{now:?}");
        let later: Vec<_> = got.findings.iter().filter(|f| f.holds_at(at(30))).collect();
        assert_eq!(now.len(), later.len());
        assert!(later.iter().all(|f| f.severity != Severity::Onboarding));
    }

    #[test]
    fn a_stop_that_nobody_reviews_is_a_finding_from_the_moment_it_is_due() {
        let facts = AgentFacts::named("x");
        let (notes, stop) = (ImportNotes::default(), StopFacts::default());
        let mut a = assessed(&facts, &notes, &stop);
        a.review_due = Some(at(3));
        let got = assess(&a, at(1));
        let overdue = got.findings.iter().find(|f| f.key == FindingKey::StopReviewOverdue).unwrap();
        assert!(!overdue.holds_at(at(2)) && overdue.holds_at(at(3)));
    }

    #[test]
    fn control_points_in_one_hand_are_a_finding_once_the_justification_has_ended() {
        let facts = AgentFacts::named("x");
        let (notes, stop) = (ImportNotes::default(), StopFacts::default());
        let held = |duty, n| Held {
            duty,
            role: RaciRole::Accountable,
            party: Party::Team(TeamId(n)),
            standing: Standing::Active,
            standing_since: None,
            since: at(0),
            inherited: None,
            confirmed_at: at(0),
            moved_at: None,
        };
        let ended = |held: &[Held]| {
            let a = Assessed { held, justified_until: Some(at(9)), ..assessed(&facts, &notes, &stop) };
            assess(&a, at(1)).findings.into_iter().find(|f| f.key == FindingKey::JustificationEnded)
        };
        let one_hand = ended(&[held(Duty::Identity, 1), held(Duty::Platform, 1)]).unwrap();
        assert!(!one_hand.holds_at(at(8)) && one_hand.holds_at(at(9)));
        assert!(one_hand.sentence().contains("identity, platform"));
        assert_eq!(ended(&[held(Duty::Identity, 1), held(Duty::Platform, 2)]), None);
    }

    #[test]
    fn two_teams_need_a_handover() {
        let mut facts = AgentFacts::named("x");
        (facts.built_by, facts.operated_by) = (Some(TeamId(1)), Some(TeamId(2)));
        let (notes, stop) = (ImportNotes::default(), StopFacts::default());
        let missing = |handed_over| {
            let a = Assessed { handed_over, ..assessed(&facts, &notes, &stop) };
            assess(&a, at(1)).findings.iter().any(|f| f.key == FindingKey::HandoverMissing)
        };
        assert!(missing(false) && !missing(true));
    }

    #[test]
    fn a_retired_agent_is_left_in_peace() {
        let facts = AgentFacts::named("x");
        let (notes, stop) = (ImportNotes::default(), StopFacts::default());
        let mut a = assessed(&facts, &notes, &stop);
        a.state = Lifecycle::Retired;
        assert_eq!(assess(&a, at(1)), Assessment { runtime_owner: None, findings: vec![] });
    }
}
