//! Rows of assignments that a model or a rule opens, each under its event.

use domain::assignment::RaciRole;
use domain::duty::Duty;
use domain::id::{AgentId, RuleId};
use domain::party::Party;

use crate::args;
use crate::assignments::lapse;
use crate::change::{self, Change, EventRef};
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
    /// Whether it holds at once; an A that does not is an offer.
    pub(crate) accepted: bool,
    /// Whether it is recorded as what is so already.
    pub(crate) recorded: bool,
    /// The rule whose offer it is.
    pub(crate) rule: Option<RuleId>,
}

const COLUMNS: [&str; 18] = [
    "id",
    "event_id",
    "agent_id",
    "system_id",
    "duty",
    "role",
    "party_kind",
    "party_id",
    "offered_at",
    "offered_by",
    "accepted_at",
    "accepted_by",
    "recorded",
    "reason",
    "valid_from",
    "valid_to",
    "ended",
    "rule_id",
];

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
    let actor = change.by.actor.who.to_string();
    let now = change.by.now;
    let mut rows = Vec::with_capacity(list.len());
    for o in list {
        rows.push(args![
            next,
            change.id(o.event),
            o.agent,
            Option::<i64>::None,
            o.duty.key(),
            o.role.key(),
            o.party.kind(),
            o.party.number(),
            now,
            o.rule.map_or_else(|| actor.clone(), |r| r.to_string()),
            o.accepted.then_some(now),
            if o.accepted { actor.as_str() } else { "" },
            o.recorded,
            reason,
            o.accepted.then_some(now),
            Option::<i64>::None,
            "",
            o.rule.map(|r| r.0),
        ]);
        change.wrote(o.event, &change::ASSIGNMENT, next);
        next += 1;
    }
    change
        .tx
        .insert("assignment", &COLUMNS, rows, "")
        .await
        .map_err(|e| Error::unique(e, "Somebody else changed a duty at the same moment; look at it again."))?;
    Ok(())
}
