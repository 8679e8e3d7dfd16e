//! Operating models: previewing what one would do to agents, and applying it as one change.
//! A model fills matrices and is then over; nothing follows from it later but the end of a
//! justification.

mod draw;
mod justifications;
mod write;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::id::AgentId;
use domain::model::{Filled, Model, Slot};
use domain::party::Party;

use crate::change::{By, Change};
use crate::db::Db;
use crate::error::Error;

pub(crate) use justifications::justified;
pub use justifications::{Applied, Justification, applied, justification};

/// Most agents to which a model is applied at once: it is one transaction.
pub const MOST: usize = 2_000;

/// Who fills a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Filler {
    /// This person or team.
    Party(Party),
    /// Of each agent, the team that operates it.
    OperatedBy,
}

/// What is to be applied.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The functions that are filled; a function that is not leaves its duties as they are.
    pub slots: BTreeMap<Slot, Filler>,
    /// Whether rows that somebody holds, or is asked to hold, are made what the model says.
    pub replace: bool,
    /// Why.
    pub reason: String,
    /// Why control points lie in one hand; for models that need it.
    pub justification: String,
    /// Until when that holds.
    pub until: Option<DateTime<Utc>>,
}

/// What becomes of one agent.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// The agent.
    pub agent: AgentId,
    /// Its name; empty where the reader may not know it.
    pub name: String,
    /// What becomes of its matrix, or why nothing does.
    pub fate: Result<Filled, String>,
}

/// What applying a model would do.
#[derive(Debug, Clone)]
pub struct Plan {
    /// By agent.
    pub agents: Vec<Drawn>,
    /// Names of everybody in it.
    pub names: BTreeMap<Party, String>,
    /// The digest of all of it: what was shown is what is done.
    pub digest: String,
}

impl Plan {
    /// How many agents change.
    pub fn changes(&self) -> usize {
        self.agents.iter().filter(|a| a.fate.as_ref().is_ok_and(Filled::changes)).count()
    }

    /// How many stay as they are because of what, worst first in number.
    pub fn skipped(&self) -> Vec<(&str, usize)> {
        let mut out: BTreeMap<&str, usize> = BTreeMap::new();
        for why in self.agents.iter().filter_map(|a| a.fate.as_ref().err()) {
            *out.entry(why).or_default() += 1;
        }
        let mut out: Vec<_> = out.into_iter().collect();
        out.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        out
    }
}

/// What was done.
#[derive(Debug, Clone, Default)]
pub struct Done {
    /// Agents whose matrix changed, or whose justification was written.
    pub agents: Vec<AgentId>,
    /// Duties that were offered.
    pub offered: usize,
    /// Letters R, C and I that were added.
    pub added: usize,
    /// Agents that stay as they were, and why.
    pub skipped: Vec<(AgentId, String)>,
}

/// What [`apply`] would do now. Nothing is written.
pub async fn preview(db: &Db, by: By<'_>, agents: &[AgentId], model: Model, wish: &Wish) -> Result<Plan, Error> {
    let mut reads = db;
    let justified = draw::check(&mut reads, by, model, wish, false).await?;
    draw::draw(&mut reads, by, agents, model, wish, justified.is_some()).await
}

/// Applies a model to agents as one change with a reason, one event an agent: a duty is
/// offered to the model's party, R, C and I hold at once, and what somebody chose before
/// stays unless the wish says otherwise. `seen` is the digest of the plan that was shown,
/// if one was; nothing else is done.
pub async fn apply(
    db: &Db,
    by: By<'_>,
    agents: &[AgentId],
    model: Model,
    wish: &Wish,
    seen: Option<&str>,
) -> Result<Done, Error> {
    let mut change = Change::begin(db, by).await?;
    let justification = draw::check(&mut change.tx, by, model, wish, true).await?;
    let plan = draw::draw(&mut change.tx, by, agents, model, wish, justification.is_some()).await?;
    if seen.is_some_and(|seen| seen != plan.digest) {
        return Err(Error::Conflict(
            "The matrices have changed since this was shown. Look at what would happen now, then apply it.".into(),
        ));
    }
    let done = write::write(&mut change, model, wish, justification, plan).await?;
    change.commit().await.map_err(write::raced)?;
    Ok(done)
}
