//! Requests: approval, change of scope, resumption, review, retirement, exception. One engine: steps that
//! each address a duty, decided by whoever is Accountable for it at that moment, on exactly
//! what the request pinned.
//!
//! Nobody decides their own request, nobody fills two parts that are to check each other, and
//! nothing is approved by silence: every request reaches a named end, at the latest by the clock.

mod alike;
mod decide;
mod missing;
mod worst;

pub use alike::unlike;
pub use decide::{Asked, Decider, Refused, Seat, Via, barred, decider, may_decide};
pub use missing::{Lack, Missing, before_active, before_asking, may_submit, standing_credentials};
pub use worst::worst_case;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::duty::Duty;
use crate::id::{PersonId, RequestId};

crate::words! {
    /// What is asked.
    pub enum RequestKind {
        Approval = "approval", "Approval";
        ScopeChange = "scope-change", "Change of scope";
        Resumption = "resumption", "Resumption";
        Review = "review", "Review";
        Retirement = "retirement", "Retirement";
        Exception = "exception", "Exception";
    }
}

impl RequestKind {
    /// The address of the page on which such a request is decided.
    pub fn path(self, id: RequestId) -> String {
        match self {
            Self::Review => format!("/reviews/{id}"),
            Self::Retirement => format!("/retirements/{id}"),
            Self::Approval | Self::ScopeChange | Self::Resumption | Self::Exception => format!("/requests/{id}"),
        }
    }

    /// The answers that decide a step of it. Asking a question decides nothing.
    pub const fn verdicts(self) -> &'static [Verdict] {
        match self {
            Self::Approval | Self::ScopeChange | Self::Resumption => {
                &[Verdict::Approve, Verdict::ApproveWithConditions, Verdict::Reject]
            }
            Self::Review => &[Verdict::Attest, Verdict::Change, Verdict::Retire],
            // What is done instead is part of what is asked: it takes no further conditions.
            Self::Retirement | Self::Exception => &[Verdict::Approve, Verdict::Reject],
        }
    }
}

crate::words! {
    /// How a step was decided.
    pub enum Verdict {
        Approve = "approve", "Approved";
        ApproveWithConditions = "approve_with_conditions", "Approved with conditions";
        Reject = "reject", "Rejected";
        /// Of a review: all is as it should be.
        Attest = "attest", "Attested";
        /// Of a review: something must change.
        Change = "change", "Change asked";
        /// Of a review: the agent is to be retired.
        Retire = "retire", "To be retired";
    }
}

crate::words! {
    /// Where a request stands.
    pub enum RequestState {
        Open = "open", "Waits for decisions";
        Approved = "approved", "Approved";
        Rejected = "rejected", "Rejected";
        /// Whoever asked took it back.
        Withdrawn = "withdrawn", "Taken back";
        /// What it was about changed, so what had been decided counts no more.
        Voided = "voided", "Void: what it was about changed";
        /// Not everybody decided in time; nothing was approved.
        Lapsed = "lapsed", "Lapsed";
        /// A review that was answered.
        Completed = "completed", "Completed";
    }
}

impl RequestState {
    /// Whether nothing can change it any more.
    pub const fn ended(self) -> bool {
        !matches!(self, Self::Open)
    }
}

/// Most conditions of one decision.
pub const CONDITIONS_MAX: usize = 20;

/// The furthest date of a condition.
pub const CONDITION_WITHIN: TimeDelta = TimeDelta::days(366);

/// How long somebody who was appointed for a vacant capacity decides for it.
pub const ACTS_FOR: TimeDelta = TimeDelta::days(14);

/// Technical capacities answer how, and one person may answer several of them. Business,
/// security, customers, vendor and law check each other, and everybody else: each of these is
/// somebody's only part in a request.
pub const fn technical(duty: Duty) -> bool {
    !matches!(duty, Duty::Purpose | Duty::Policy | Duty::CustomerImpact | Duty::Vendor | Duty::Regulatory)
}

/// Whether one person may fill both steps of a request. In small-organisation mode, with its
/// justification in force, one hand may hold several parts, but the formal second approval is
/// never by the business owner.
pub fn compatible(a: Duty, b: Duty, small_organisation: bool) -> bool {
    if matches!((a, b), (Duty::Purpose, Duty::Regulatory) | (Duty::Regulatory, Duty::Purpose)) {
        return false;
    }
    small_organisation || (technical(a) && technical(b))
}

/// How a step was decided, and by whom.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decided {
    /// Who decided.
    pub by: PersonId,
    /// Whose decision it was, when somebody decided for them: they remain accountable.
    pub on_behalf_of: Option<PersonId>,
    /// How.
    pub verdict: Verdict,
    /// When.
    pub at: DateTime<Utc>,
}

/// A step, as far as the rules read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number in the request, from 1.
    pub place: i64,
    /// Whose owner decides.
    pub duty: Duty,
    /// Only once every other step is decided.
    pub last: bool,
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// The decision, once made.
    pub decided: Option<Decided>,
}

/// A request, as far as the rules read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// What is asked.
    pub kind: RequestKind,
    /// Who asked.
    pub requester: PersonId,
    /// The SHA-256 of exactly what is decided on.
    pub subject_sha256: String,
    /// When it lapses if it is still open.
    pub lapses_at: DateTime<Utc>,
    /// How and when it was closed, as written.
    pub closed: Option<(RequestState, DateTime<Utc>)>,
    /// A justification for several parts in one hand is in force for its agent.
    pub small_organisation: bool,
    /// Of a retirement, the rows of its checklist that are open: it is signed once none is.
    pub rows_open: Vec<String>,
    /// Its steps by number.
    pub steps: Vec<Step>,
}

impl Request {
    /// Where it stands at a moment: an open one lapses by the clock.
    pub fn state(&self, now: DateTime<Utc>) -> RequestState {
        match self.closed {
            Some((state, _)) => state,
            None if now >= self.lapses_at => RequestState::Lapsed,
            None => RequestState::Open,
        }
    }

    /// The step with this number.
    pub fn step(&self, place: i64) -> Option<&Step> {
        self.steps.iter().find(|s| s.place == place)
    }

    /// Whether a step may be decided as far as the others go: a formal second approval waits
    /// for all the rest, and a signature for the checklist.
    pub fn ready(&self, step: &Step) -> bool {
        step.decided.is_none()
            && self.rows_open.is_empty()
            && (!step.last || self.steps.iter().all(|s| s.last || s.decided.is_some()))
    }

    /// The end that its decisions bring, if they do: one rejection ends it, and so does the
    /// last approval.
    pub fn end(&self) -> Option<RequestState> {
        let verdicts: Vec<Option<Verdict>> = self.steps.iter().map(|s| s.decided.as_ref().map(|d| d.verdict)).collect();
        if verdicts.contains(&Some(Verdict::Reject)) {
            return Some(RequestState::Rejected);
        }
        if verdicts.is_empty() || verdicts.iter().any(Option::is_none) {
            return None;
        }
        Some(if self.kind == RequestKind::Review { RequestState::Completed } else { RequestState::Approved })
    }
}

crate::words! {
    /// How a step stands to the clock.
    pub enum Urgency {
        Waits = "waits", "Waits";
        /// Within two days of its date.
        Soon = "soon", "Due soon";
        Overdue = "overdue", "Overdue";
        /// The decider's manager and security see it too.
        Escalated = "escalated", "Escalated";
    }
}

/// How a step that is not decided stands to the clock.
pub fn urgency(due_at: DateTime<Utc>, escalate_days: u16, now: DateTime<Utc>) -> Urgency {
    if now >= due_at + TimeDelta::days(i64::from(escalate_days)) {
        Urgency::Escalated
    } else if now >= due_at {
        Urgency::Overdue
    } else if due_at - now <= TimeDelta::days(2) {
        Urgency::Soon
    } else {
        Urgency::Waits
    }
}
