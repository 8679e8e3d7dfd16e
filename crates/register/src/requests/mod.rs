//! Requests: what is asked about an agent, who decides each step, and what follows. Every use
//! case holds the agent first, so that two decisions, or a decision and an edit, never miss
//! each other.

pub mod acting;
mod activate;
pub mod conditions;
pub(crate) mod decide;
pub(crate) mod ends;
pub(crate) mod governance;
pub mod list;
pub mod many;
pub mod observed;
pub(crate) mod open;
pub(crate) mod seats;
pub mod stored;
mod thread;
mod view;

pub use activate::{activate, adopt, lacks};
pub use decide::{Answer, NewCondition, decide};
pub use ends::withdraw;
pub(crate) use ends::{lapse, void};
pub use open::{Foreseen, ForeseenStep, Submission, foresee, foresee_resumption, foresee_scope, resume, scope, submit};
pub use stored::{Kept, KeptStep};
pub use thread::{ask, reply};
pub use view::{Message, ShownStep, View, read};

use domain::can::{Action, Relation, can};
use domain::id::AgentId;

use crate::agents::read::visible;
use crate::agents::relation::relation;
use crate::agents::{Agent, stored as agents_stored};
use crate::change::By;
use crate::db::Reads;
use crate::error::Error;

/// Longest reason, question or answer, in characters.
pub const WORDS_MAX: usize = 2000;

/// The agent, for an actor who may see it.
pub(crate) async fn agent(reads: &mut impl Reads, by: By<'_>, id: AgentId) -> Result<(Agent, Relation), Error> {
    let record =
        agents_stored::load(reads, &[id], by.now).await?.pop().ok_or_else(|| Error::NotFound(format!("agent {id}")))?;
    let stands = relation(reads, by.actor, &record).await?;
    visible(by.actor, &record, stands)?;
    Ok((record, stands))
}

/// The agent, for an actor who may ask something about it.
pub(crate) async fn asked_by(reads: &mut impl Reads, by: By<'_>, id: AgentId) -> Result<(Agent, Relation), Error> {
    let (record, stands) = agent(reads, by, id).await?;
    can(by.actor, Action::RequestOpen, stands)?;
    Ok((record, stands))
}

pub(crate) fn words(given: &str, pointer: &str, ask: Option<&str>) -> Result<String, Error> {
    let given = domain::text::prose(given, "The text", WORDS_MAX).map_err(|e| Error::field(pointer, e.to_string()))?;
    match ask {
        Some(ask) if given.is_empty() => Err(Error::field(pointer, ask)),
        _ => Ok(given),
    }
}
