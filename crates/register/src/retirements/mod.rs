//! Retirement: a request with a checklist. It opens when somebody starts it, and the agent is
//! retiring from that moment; each row is closed by evidence or waived by security; then the
//! business owner and the identity owner sign, and what stays is a tombstone.

pub mod board;
pub(crate) mod ends;
pub mod life;
pub mod rows;
mod sign;
mod start;
pub mod stored;
mod view;

pub use rows::{Shown, close, waive};
pub use sign::waive_signature;
pub use start::{Foreseen, foresee, start, start_from_review};
pub use stored::KeptRow;
pub use view::{Answer, Owned, ShownRow, View, of_agent, read};

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::assignment::{Held, RaciRole, accountable};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Standing};
use domain::retirement::{RowKind, doer};

use crate::agents::assess::ownership;
use crate::agents::relation::acts_for;
use crate::db::Reads;
use crate::error::Error;

/// Who does the rows of some agents now, as far as one reader must know.
pub(crate) struct Doers {
    held: HashMap<AgentId, Vec<Held>>,
    acting: HashMap<(AgentId, Duty), (PersonId, DateTime<Utc>)>,
    me: Option<PersonId>,
    mine: Vec<Party>,
}

impl Doers {
    pub(crate) async fn read(
        reads: &mut impl Reads,
        agents: &[AgentId],
        me: Option<PersonId>,
        now: DateTime<Utc>,
    ) -> Result<Self, Error> {
        let mine = match me {
            Some(me) => acts_for(reads, me, now).await?,
            None => Vec::new(),
        };
        let held = ownership(reads, agents).await?.held;
        Ok(Self { held, acting: crate::requests::seats::acting(reads, agents, now).await?, me, mine })
    }

    fn active(&self, agent: AgentId, duty: Duty) -> Option<Party> {
        let held = self.held.get(&agent)?;
        accountable(held, duty).filter(|h| h.standing == Standing::Active).map(|h| h.party)
    }

    /// Whose turn a row is: in which capacity, and who. Whoever was appointed for the vacant
    /// duty comes before the duties that stand in for it.
    pub(crate) fn of(&self, agent: AgentId, kind: RowKind) -> Option<(Duty, Party)> {
        if self.active(agent, kind.duty()).is_none()
            && let Some((person, _)) = self.acting.get(&(agent, kind.duty()))
        {
            return Some((kind.duty(), Party::Person(*person)));
        }
        let duty = doer(kind, |d| self.active(agent, d).is_some())?;
        Some((duty, self.active(agent, duty)?))
    }

    /// Whether the reader does it: the owner, who does that duty's work, or who was appointed.
    pub(crate) fn mine(&self, agent: AgentId, kind: RowKind) -> bool {
        let Some((duty, party)) = self.of(agent, kind) else { return false };
        let works = |h: &Held| {
            h.duty == duty
                && matches!(h.role, RaciRole::Accountable | RaciRole::Responsible)
                && self.mine.contains(&h.party)
        };
        self.me.is_some_and(|me| party == Party::Person(me))
            || self.held.get(&agent).is_some_and(|held| held.iter().any(works))
    }

    /// The named owners of an agent's duties.
    pub(crate) fn owners(&self, agent: AgentId) -> Vec<&Held> {
        let held = self.held.get(&agent).map(Vec::as_slice).unwrap_or_default();
        held.iter().filter(|h| h.role == RaciRole::Accountable).collect()
    }
}
