//! Notices: what people are told, and when each reaches them. That a decision waits is a row
//! of its queue; a notice only says so, and may be muted. What a notice says is fixed when it
//! is written: what happened, why this person, what to do, and where.

pub mod choice;
pub mod letter;
pub mod message;
pub mod retry;

pub use choice::{Plan, Preferences};

crate::words! {
    /// What a notice is about.
    pub enum NoticeKind {
        DecisionWaits = "decision-waits", "A decision waits for you";
        DecisionDue = "decision-due", "A decision is nearly due, or overdue";
        DecisionEscalated = "decision-escalated", "A decision was escalated to you";
        RequestEnded = "request-ended", "A request of yours has ended";
        QuestionAsked = "question-asked", "Somebody asks you before they decide";
        QuestionAnswered = "question-answered", "Your question was answered";
        OwnershipOffered = "ownership-offered", "A duty is offered to you";
        OwnershipEnded = "ownership-ended", "A duty of yours has ended";
        OfferLapsing = "offer-lapsing", "An offer is about to lapse";
        HandoverOffered = "handover-offered", "An agent is handed over to your team";
        ConfirmationDue = "confirmation-due", "Say whether a duty is still yours";
        DrillDue = "drill-due", "A stop drill is due";
        ReviewDue = "review-due", "A review is due";
        ConditionDue = "condition-due", "A condition of an approval is due";
        FindingRaised = "finding-raised", "Something is wrong with an agent of yours";
        ExceptionExpiring = "exception-expiring", "An exception is about to expire";
        ExceptionExpired = "exception-expired", "An exception has expired";
        ControlCheckDue = "control-check-due", "A compensating control is to be checked";
        AgentStopped = "agent-stopped", "An agent was stopped";
        Account = "account", "Your password or your roles changed";
        Report = "report", "A report is ready";
    }
}

impl NoticeKind {
    /// How it goes out unless its reader chose otherwise: what waits for them or cannot wait at
    /// once, the rest once a day.
    pub const fn usual(self) -> How {
        match self {
            Self::DecisionWaits
            | Self::DecisionEscalated
            | Self::QuestionAsked
            | Self::OwnershipOffered
            | Self::HandoverOffered
            | Self::ExceptionExpired
            | Self::AgentStopped
            | Self::Account => How::AtOnce,
            Self::DecisionDue
            | Self::RequestEnded
            | Self::QuestionAnswered
            | Self::OwnershipEnded
            | Self::OfferLapsing
            | Self::ConfirmationDue
            | Self::DrillDue
            | Self::ReviewDue
            | Self::ConditionDue
            | Self::FindingRaised
            | Self::ExceptionExpiring
            | Self::ControlCheckDue
            | Self::Report => How::Digest,
        }
    }
}

crate::words! {
    /// How the notices of a kind reach their reader, beside the list in Muster that has them all.
    pub enum How {
        AtOnce = "at-once", "At once";
        Digest = "digest", "In the daily digest";
        InApp = "in-app", "Only in Muster";
    }
}

/// A notice to be written: `New { what: …, ..New::of(kind, key) }`. Longer texts than
/// [`TEXT_MAX`] are cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct New {
    /// What it is about.
    pub kind: NoticeKind,
    /// It cannot wait for the morning: it goes out at once, in quiet hours too.
    pub critical: bool,
    /// It names what not everybody may see: it goes to its readers, and never to a channel of
    /// the organisation.
    pub confidential: bool,
    /// The reference that it is about, such as `AG-42`; may be empty.
    pub subject: String,
    /// What happened, as a sentence.
    pub what: String,
    /// Why this reader is told, as a sentence: "You answer for its containment."
    pub why: String,
    /// What to do, as a sentence; may be empty.
    pub todo: String,
    /// The page where it is done, from the root: `/requests/RQ-7`.
    pub link: String,
    /// It is written once for a person and this key, however often it is told:
    /// `exception-expiring/EX-7/14`.
    pub key: String,
    /// Whoever causes it is told too, if they are among the readers.
    pub to_actor: bool,
}

impl New {
    /// A notice of a kind under its key, with nothing said yet.
    pub fn of(kind: NoticeKind, key: impl Into<String>) -> Self {
        Self {
            kind,
            critical: false,
            confidential: false,
            subject: String::new(),
            what: String::new(),
            why: String::new(),
            todo: String::new(),
            link: "/".into(),
            key: key.into(),
            to_actor: false,
        }
    }
}

/// Longest sentence of a notice, in characters.
pub const TEXT_MAX: usize = 600;

crate::words! {
    /// What a channel of the organisation speaks.
    pub enum OutletKind {
        Webhook = "webhook", "Signed webhook";
        Slack = "slack", "Slack-compatible webhook";
        Teams = "teams", "Teams-compatible webhook";
    }
}

crate::words! {
    /// How far a message has come.
    pub enum DeliveryState {
        Waits = "waits", "Waiting";
        Sent = "sent", "Sent";
        Dead = "dead", "Given up";
    }
}

/// A notice as it was written, for the messages that carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// What it is about.
    pub kind: NoticeKind,
    /// It cannot wait.
    pub critical: bool,
    /// The reference that it is about; may be empty.
    pub subject: String,
    /// What happened.
    pub what: String,
    /// Why its reader is told; empty for a channel of the organisation.
    pub why: String,
    /// What to do; may be empty.
    pub todo: String,
    /// The page, from the root.
    pub link: String,
    /// When it happened.
    pub at: chrono::DateTime<chrono::Utc>,
}
