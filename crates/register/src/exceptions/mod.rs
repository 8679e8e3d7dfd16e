//! Exceptions: asked, decided by the request engine, in force by the clock, ended early, and what
//! was promised in exchange checked. Every use case holds the agents first, in order.

mod ask;
pub mod board;
mod check;
mod end;
mod ends;
pub mod export;
pub mod figures;
pub mod list;
pub mod one;
pub mod stored;
mod view;

pub use ask::{Again, Foreseen, NewControl, NewException, Scope, ask, controls, foresee, may_ask, renew};
pub use check::check;
pub use end::{close, revoke};
pub(crate) use ends::{approve, demands, moved, refused};
pub use stored::Kept;
pub use view::{Act, View, ViewControl, may, read};

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::exception::{Cover, Exception, Unchecked, covered};
use domain::finding::FindingKey;
use domain::id::{AgentId, ExceptionId, PersonId};

use crate::agents::moves;
use crate::change::{By, Change};
use crate::db::{Arg, DbError, Reads, marks};
use crate::error::Error;

/// Holds the agents of an exception for this change, in the order of their numbers.
async fn hold(change: &mut Change<'_>, agents: &[AgentId]) -> Result<(), Error> {
    let mut agents = agents.to_vec();
    agents.sort_unstable();
    agents.dedup();
    for agent in agents {
        moves::hold(change, agent).await?;
    }
    Ok(())
}

/// An exception, its agents held for this change.
async fn held(change: &mut Change<'_>, id: ExceptionId) -> Result<Kept, Error> {
    let agents = stored::load(&mut change.tx, id).await?.exception.agents;
    hold(change, &agents).await?;
    stored::load(&mut change.tx, id).await
}

/// How somebody stands to an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stands {
    /// To read it.
    pub read: Relation,
    /// To close it: owner of the control, business owner, or whoever asked.
    pub close: Relation,
    /// To revoke it: owner of the control.
    pub revoke: Relation,
}

/// How the actor stands to an exception. Whoever may not see any of its agents and has no part in
/// it does not learn that it exists.
pub(crate) async fn stands(reads: &mut impl Reads, by: By<'_>, kept: &Kept) -> Result<Stands, Error> {
    let mut out = Stands { read: Relation::None, close: Relation::None, revoke: Relation::None };
    let e = &kept.exception;
    let Some(me) = by.actor.person_id() else {
        can(by.actor, Action::ExceptionRead, Relation::None)?;
        return Ok(out);
    };
    let keys: Vec<(AgentId, Duty)> = e.agents.iter().flat_map(|a| [(*a, e.duty), (*a, Duty::Purpose)]).collect();
    let seats = crate::requests::seats::seats(reads, &keys, by.now).await?;
    let holds = |duty| e.agents.iter().any(|a| seats.get(&(*a, duty)).is_some_and(|s| s.holder == Some(me)));
    if holds(e.duty) {
        out.revoke = Relation::Owner;
        out.close = Relation::Owner;
    } else if holds(Duty::Purpose) {
        out.close = Relation::Owner;
    } else if e.requester == me {
        out.close = Relation::Requester;
    }
    out.read = crate::agents::relation::relations(reads, by.actor, &e.agents, by.now)
        .await?
        .into_values()
        .min()
        .unwrap_or(Relation::None);
    let mut part = e.requester == me || e.controls.iter().any(|c| c.owner == me) || out.close == Relation::Owner;
    if !part {
        part = decides(reads, by, me, kept).await?;
    }
    if part {
        out.read = out.read.min(Relation::Requester);
    }
    can(by.actor, Action::ExceptionRead, out.read)
        .map_err(|_| Error::NotFound(format!("exception {}", kept.exception.id)))?;
    Ok(out)
}

/// Whether a person decides a step of it, or did.
async fn decides(reads: &mut impl Reads, by: By<'_>, me: PersonId, kept: &Kept) -> Result<bool, Error> {
    let whose = crate::requests::list::decides_for(reads, by, me).await?;
    let request = crate::requests::stored::load(reads, kept.request).await?;
    Ok(request.steps.iter().any(|s| match &s.step.decided {
        Some(d) => d.by == me || d.on_behalf_of == Some(me),
        None => s.waits_for.is_some_and(|p| whose.contains(&p)),
    }))
}

/// The names of those of some agents that the actor may know of.
async fn names(reads: &mut impl Reads, by: By<'_>, agents: &[AgentId]) -> Result<HashMap<AgentId, String>, Error> {
    let mut out = HashMap::new();
    let mut confidential = Vec::new();
    for batch in agents.chunks(500) {
        let sql = format!("SELECT id, name, confidential FROM agent WHERE id IN {}", marks(1, batch.len()));
        for r in reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            let (id, hidden): (AgentId, bool) = (r.get(0)?, r.get(2)?);
            if hidden {
                confidential.push(id);
            }
            out.insert(id, r.get::<String>(1)?);
        }
    }
    if !confidential.is_empty() {
        let relations = crate::agents::relation::relations(reads, by.actor, &confidential, by.now).await?;
        for id in confidential {
            let stands = relations.get(&id).copied().unwrap_or(Relation::None);
            if can(by.actor, Action::AgentReadConfidential, stands).is_err() {
                out.remove(&id);
            }
        }
    }
    Ok(out)
}

/// What approved exceptions keep from counting for these agents, and what was promised for them and
/// is, or will be, looked at too late.
pub(crate) async fn of_findings(
    reads: &mut impl Reads,
    agents: &[AgentId],
) -> Result<HashMap<AgentId, (Vec<Cover>, Vec<Unchecked>)>, DbError> {
    let mut out: HashMap<AgentId, (Vec<Cover>, Vec<Unchecked>)> = HashMap::new();
    for kept in stored::of_agents(reads, agents).await? {
        let e: &Exception = &kept.exception;
        if e.approved_at.is_none() {
            continue;
        }
        for agent in e.agents.iter().filter(|a| agents.contains(a)) {
            let slot = out.entry(*agent).or_default();
            slot.0.extend(e.cover());
            slot.1.extend(e.overdue_controls());
        }
    }
    Ok(out)
}

/// Whether an exception in force covers the standing credentials of an agent at the moment.
pub(crate) async fn credentials_covered(
    reads: &mut impl Reads,
    agent: AgentId,
    now: DateTime<Utc>,
) -> Result<bool, DbError> {
    let found = of_findings(reads, &[agent]).await?;
    let spans = found.get(&agent).map(|(covers, _)| covered(covers, FindingKey::LongLivedCredential));
    Ok(spans.into_iter().flatten().any(|s| s.holds_at(now)))
}
