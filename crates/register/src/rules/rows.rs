//! Rows of assignments that a model or a rule opens, each under its event.

use domain::assignment::RaciRole;
use domain::duty::Duty;
use domain::id::{AgentId, RuleId};
use domain::party::Party;

use crate::assignments::{self, Mode, Wanted, lapse};
use crate::change::{Change, EventRef};
use crate::error::Error;

/// A row to be opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Opened {
    /// The event that accounts for it.
    pub(crate) event: EventRef,
    /// Of which agent.
    pub(crate) agent: AgentId,
    /// Of which duty.
    pub(crate) duty: Duty,
    /// Which letter.
    pub(crate) role: RaciRole,
    /// Whose.
    pub(crate) party: Party,
    /// Whether an A is offered, or recorded as what is so already.
    pub(crate) mode: Mode,
    /// The rule whose offer it is.
    pub(crate) rule: Option<RuleId>,
}

/// Opens rows; a rule's offer is made by the rule.
pub(crate) async fn open(change: &mut Change<'_>, list: Vec<Opened>, reason: &str) -> Result<(), Error> {
    if list.is_empty() {
        return Ok(());
    }
    let mut agents: Vec<AgentId> = list.iter().map(|o| o.agent).collect();
    agents.sort_unstable();
    agents.dedup();
    lapse::of_agents(change, &agents).await?;
    let mut next = change.next("assignment", i64::try_from(list.len()).unwrap_or(0)).await?;
    let mut rows = Vec::with_capacity(list.len());
    for o in list {
        let wanted = Wanted { duty: o.duty, party: o.party, role: o.role };
        rows.push(assignments::ruled(change, o.event, next, o.agent.into(), (wanted, o.mode, o.rule), reason));
        next += 1;
    }
    assignments::insert(change, rows).await
}
