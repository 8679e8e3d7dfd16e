//! Whose matrix it is: an agent's or a system's, and how the actor stands to it.

use domain::agent::Lifecycle;
use domain::can::{Action, Actor, Relation, can};
use domain::duty::Duty;
use domain::id::AgentId;
use domain::raci::Ward;
use domain::system::{Subject, SystemKind};

use crate::agents::assess::reassess;
use crate::agents::read::visible;
use crate::agents::relation::{self, capacity};
use crate::agents::{Agent, stored};
use crate::change::{By, Change};
use crate::db::Reads;
use crate::error::Error;
use crate::systems::{self, System, stays};

/// The record whose matrix it is.
#[derive(Debug)]
enum Record {
    Agent(Box<Agent>),
    System(System),
}

/// Whose matrix it is, seen by an actor who may know of it.
#[derive(Debug)]
pub(super) struct Ground {
    record: Record,
    /// How the actor stands to it.
    pub(super) relation: Relation,
}

impl Ground {
    /// Finds it, and refuses whoever may not even know of it.
    pub(super) async fn find(reads: &mut impl Reads, by: By<'_>, of: Subject) -> Result<Self, Error> {
        match of {
            Subject::Agent(id) => {
                let found = stored::load(reads, &[id], by.now).await?.pop();
                let agent = found.ok_or_else(|| Error::NotFound(format!("agent {id}")))?;
                let relation = relation::relation(reads, by.actor, &agent).await?;
                visible(by.actor, &agent, relation)?;
                Ok(Self { record: Record::Agent(Box::new(agent)), relation })
            }
            Subject::System(id) => {
                can(by.actor, Action::AgentRead, Relation::None)?;
                let system = systems::load(reads, id).await?;
                let relation = stays::relation(reads, by, id).await?;
                Ok(Self { record: Record::System(system), relation })
            }
        }
    }

    /// The agent, if it is one.
    pub(super) fn agent(&self) -> Option<&Agent> {
        match &self.record {
            Record::Agent(agent) => Some(agent),
            Record::System(_) => None,
        }
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        match &self.record {
            Record::Agent(agent) => &agent.facts.name,
            Record::System(system) => &system.name,
        }
    }

    /// What the rules must know of it.
    pub(super) fn ward(&self) -> Ward {
        match &self.record {
            Record::Agent(agent) => Ward::of_agent(&agent.facts),
            Record::System(system) => Ward::of_system(system.kind),
        }
    }

    /// Refuses a change of a matrix that is closed.
    pub(super) fn open(&self) -> Result<(), Error> {
        match &self.record {
            Record::Agent(agent) if agent.state == Lifecycle::Retired => {
                Err(Error::Conflict(format!("{} is retired: its matrix is closed.", agent.id)))
            }
            _ => Ok(()),
        }
    }

    /// Whether it may have an owner of this duty; the refusal says why not.
    pub(super) fn takes(&self, duty: Duty) -> Result<(), String> {
        match &self.record {
            Record::System(system) if !system.kind.duties().contains(&duty) => {
                Err(format!("A shared platform has owners of {} alone: what its agents share.", list(system.kind)))
            }
            _ => Ok(()),
        }
    }

    /// The capacity in which the actor acts on it, for the record.
    pub(super) fn capacity(&self, actor: &Actor) -> String {
        capacity(actor, self.relation)
    }
}

fn list(kind: SystemKind) -> String {
    let names: Vec<String> = kind.duties().iter().map(|d| d.label().to_lowercase()).collect();
    match names.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.join(""),
    }
}

/// The column that names whose matrix it is.
pub(super) const fn column(of: Subject) -> &'static str {
    match of {
        Subject::Agent(_) => "agent_id",
        Subject::System(_) => "system_id",
    }
}

/// The agents whose assessment a change of these matrices touches: the agents themselves, and
/// those that run on the platforms.
async fn touched(reads: &mut impl Reads, of: &[Subject]) -> Result<Vec<AgentId>, Error> {
    let mut out: Vec<AgentId> = of.iter().filter_map(|s| s.agent()).collect();
    for system in of.iter().filter_map(|s| s.system()) {
        out.extend(stays::agents_on(reads, system).await?);
    }
    out.sort_unstable();
    out.dedup();
    Ok(out)
}

/// Assesses again what a change of these matrices touches.
pub(crate) async fn settle(change: &mut Change<'_>, of: &[Subject]) -> Result<(), Error> {
    let agents = touched(&mut change.tx, of).await?;
    reassess(change, &agents, false).await
}
