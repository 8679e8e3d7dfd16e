//! Moves of an agent's life, within a change.

use domain::agent::Lifecycle;
use domain::duty::Duty;
use domain::id::{AgentId, RequestId};

use super::stored::Agent;
use crate::args;
use crate::change::{self, Change, EventRef};
use crate::error::Error;

/// Holds the agent for this change: whatever is decided about it waits its turn, on both engines.
pub(crate) async fn hold(change: &mut Change<'_>, agent: AgentId) -> Result<(), Error> {
    let sql = "UPDATE agent SET version = version WHERE id = $1";
    if change.tx.run(sql, args![agent]).await? == 1 { Ok(()) } else { Err(Error::NotFound(format!("agent {agent}"))) }
}

/// Moves an agent to another state. The move must exist.
pub(crate) async fn to(change: &mut Change<'_>, event: EventRef, agent: &Agent, state: Lifecycle) -> Result<(), Error> {
    if !agent.state.may_become(state) {
        return Err(Error::Conflict(format!(
            "{} is {}: from there it cannot become {}.",
            agent.id,
            agent.state.label().to_lowercase(),
            state.label().to_lowercase()
        )));
    }
    let args = args![agent.id, agent.version, change.id(event), change.by.now, state.key()];
    let sql = "UPDATE agent SET version = version + 1, event_id = $3, updated_at = $4, state = $5, state_at = $4 \
               WHERE id = $1 AND version = $2";
    moved(change.tx.run(sql, args).await?, agent.id)?;
    change.wrote(event, &change::AGENT, agent.id.0);
    Ok(())
}

fn moved(rows: u64, agent: AgentId) -> Result<(), Error> {
    if rows == 1 {
        return Ok(());
    }
    Err(Error::Conflict(format!("{agent} was changed by somebody else at the same moment; try again.")))
}

/// Writes what was approved, by which request and for which duties, and the state it brings.
pub(crate) async fn approve(
    change: &mut Change<'_>,
    event: EventRef,
    agent: &Agent,
    request: RequestId,
    sha256: &str,
    by: &[Duty],
) -> Result<(), Error> {
    let state = if agent.state == Lifecycle::Proposed { Lifecycle::Approved } else { agent.state };
    let state_at = if state == agent.state { agent.state_at } else { change.by.now };
    let duties: Vec<&str> = by.iter().map(|d| d.key()).collect();
    let args = args![
        agent.id,
        agent.version,
        change.id(event),
        change.by.now,
        state.key(),
        state_at,
        sha256,
        request,
        duties.join(" "),
    ];
    let sql = "UPDATE agent SET version = version + 1, event_id = $3, updated_at = $4, state = $5, state_at = $6, \
               approved_sha256 = $7, approved_at = $4, approved_request = $8, approved_by = $9 \
               WHERE id = $1 AND version = $2";
    moved(change.tx.run(sql, args).await?, agent.id)?;
    change.wrote(event, &change::AGENT, agent.id.0);
    Ok(())
}
