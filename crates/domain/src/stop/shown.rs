//! Methods, calls and stops as they are read: what the register remembers of them and pages and
//! programs show.

use chrono::{DateTime, TimeDelta, Utc};

use super::{CallState, MethodKind, Outcome, Residual, Step, Surface};
use crate::agent::Lifecycle;
use crate::id::PersonId;

/// How one surface of an agent is stopped now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Its row.
    pub id: i64,
    /// What it stops.
    pub surface: Surface,
    /// Counts the versions of the surface's method.
    pub version: i64,
    /// How.
    pub kind: MethodKind,
    /// What people do, or what the webhook does.
    pub procedure: String,
    /// What Muster calls; `None` for a procedure.
    pub url: Option<String>,
    /// How long the signed callback is awaited; `None` for a procedure.
    pub timeout: Option<TimeDelta>,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// A call of a webhook, or a rehearsal of a procedure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Its id.
    pub delivery: String,
    /// What is stopped.
    pub surface: Surface,
    /// The version of the method.
    pub version: i64,
    /// A rehearsal, not a stop.
    pub drill: bool,
    /// Who began it, by name.
    pub begun_by: String,
    /// When.
    pub begun_at: DateTime<Utc>,
    /// Where it stands.
    pub state: CallState,
    /// How the call went.
    pub outcome: Option<Outcome>,
    /// When it was answered, for better or worse.
    pub answered_at: Option<DateTime<Utc>>,
    /// What the receiver answered, in short.
    pub detail: String,
    /// When it is over if nothing shows that it stopped.
    pub due_at: DateTime<Utc>,
    /// How many seconds it took, once shown.
    pub seconds: Option<i64>,
    /// Who watched or is to say what they saw.
    pub witness: Option<(PersonId, String)>,
    /// SHA-256 of the file that shows it.
    pub evidence: Option<String>,
    /// What was written with it.
    pub note: String,
    /// The reader is the witness, and has not said yet.
    pub mine: bool,
}

/// A step of a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepSeen {
    /// Its number.
    pub id: i64,
    /// Which.
    pub step: Step,
    /// The credential it is about; empty otherwise.
    pub subject: String,
    /// When it was done, and by whom: a name, or `webhook` where a signed callback showed it.
    pub done: Option<(DateTime<Utc>, String)>,
    /// The call that was made for it, if its surface has a webhook.
    pub call: Option<Call>,
}

/// What a second person found of a stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reviewed {
    /// When.
    pub at: DateTime<Utc>,
    /// By whom, by name.
    pub by: String,
    /// What.
    pub found: String,
}

/// A stop with its steps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Its number.
    pub id: i64,
    /// When it was pressed.
    pub at: DateTime<Utc>,
    /// By whom: a reference.
    pub stopped_by: String,
    /// The same, by name.
    pub stopped_by_name: String,
    /// Why.
    pub reason: String,
    /// The state in which the agent was.
    pub was: Lifecycle,
    /// By when it is to be reviewed.
    pub review_due: DateTime<Utc>,
    /// What the review found.
    pub review: Option<Reviewed>,
    /// What is to be done.
    pub steps: Vec<StepSeen>,
    /// What remains at worst.
    pub residual: Residual,
}

/// One of an agent's stops, in a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastStop {
    /// Its number.
    pub id: i64,
    /// When it was pressed.
    pub at: DateTime<Utc>,
    /// By whom, by name.
    pub by: String,
    /// Why.
    pub reason: String,
    /// By when it is, or was, to be reviewed.
    pub review_due: DateTime<Utc>,
    /// When it was reviewed.
    pub reviewed_at: Option<DateTime<Utc>>,
    /// How many of its steps are open.
    pub open_steps: i64,
}

/// The stop that an agent is under, with what became of its calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastStop {
    /// Its number.
    pub id: i64,
    /// When it was pressed.
    pub at: DateTime<Utc>,
    /// That it is paused was shown, or noted by who did it.
    pub paused: bool,
    /// Where each call stands, and how it went.
    pub calls: Vec<(Surface, CallState, Option<Outcome>)>,
}
