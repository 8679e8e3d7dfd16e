//! How requests end: by their decisions, by being taken back, by the clock, or because what
//! they were about changed.

use domain::agent::Lifecycle;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, RequestId};
use domain::request::{RequestKind, RequestState, Verdict};
use domain::tiding;
use serde_json::{Value, json};

use super::stored::{self, Kept};
use super::{agent, words};
use crate::agents::assess::reassess;
use crate::agents::relation::capacity;
use crate::agents::{Agent, moves, stored as agents_stored};
use crate::args;
use crate::change::{self, By, Change, EventRef};
use crate::db::Db;
use crate::error::Error;
use crate::tidings::To;

/// Closes a request. Answers false when somebody else did.
pub(crate) async fn close(
    change: &mut Change<'_>,
    event: EventRef,
    id: RequestId,
    outcome: RequestState,
    why: &str,
) -> Result<bool, Error> {
    let by = change.by.actor.who.to_string();
    let args = args![id, change.id(event), outcome.key(), change.by.now, by, why];
    let sql = "UPDATE request SET event_id = $2, outcome = $3, closed_at = $4, closed_by = $5, closing = $6 \
               WHERE id = $1 AND outcome = '' RETURNING kind, agent_id, requester_id";
    let row = change.tx.one(sql, args).await?;
    if let Some(row) = &row {
        let (kind, agent, requester) = (row.get(0)?, row.get(1)?, row.get(2)?);
        change.tell(To::Person(requester), tiding::request_ended(id, kind, agent, outcome, why));
        change.wrote(event, &change::REQUEST, id.0);
        // Its open steps wait for nobody any more.
        let sql =
            "UPDATE request_step SET waits_for = NULL, ready = FALSE WHERE request_id = $1 AND decided_at IS NULL";
        change.tx.run(sql, args![id]).await?;
        if outcome != RequestState::Approved {
            crate::exceptions::refused(change, event, id, outcome).await?;
        }
    }
    Ok(row.is_some())
}

/// An agent whose first approval ends without one is a draft again.
async fn back_to_draft(change: &mut Change<'_>, event: EventRef, kept: &Kept, agent: &Agent) -> Result<bool, Error> {
    let back = kept.kind == RequestKind::Approval && agent.state == Lifecycle::Proposed;
    if back {
        moves::to(change, event, agent, Lifecycle::Draft).await?;
    }
    Ok(back)
}

/// Takes an open request back.
pub async fn withdraw(db: &Db, by: By<'_>, id: RequestId, why: &str) -> Result<(), Error> {
    let why = words(why, "/reason", None)?;
    let mut change = Change::begin(db, by).await?;
    let about = stored::load(&mut change.tx, id).await?.agent;
    moves::hold(&mut change, about).await?;
    let (record, stands) = agent(&mut change.tx, by, about).await.map_err(|e| hidden(e, id))?;
    let kept = stored::load(&mut change.tx, id).await?;
    for other in kept.agents().into_iter().filter(|a| *a != about) {
        moves::hold(&mut change, other).await?;
    }
    let mine = by.actor.person_id() == Some(kept.requester);
    can(by.actor, Action::RequestWithdraw, if mine { Relation::Requester } else { Relation::None })?;
    let state = kept.state(by.now);
    if state.ended() {
        return Err(Error::Conflict(format!("{id} is not open any more: {}.", state.label().to_lowercase())));
    }
    let event = change.event(
        if mine { "requester".to_owned() } else { capacity(by.actor, stands) },
        "request.withdrawn",
        about,
    );
    close(&mut change, event, id, RequestState::Withdrawn, &why).await?;
    let mut after = json!({"request": id, "outcome": RequestState::Withdrawn});
    if back_to_draft(&mut change, event, &kept, &record).await? {
        after["state"] = Lifecycle::Draft.key().into();
    }
    change.describe(event, json!({"outcome": RequestState::Open}), after);
    change.because(event, why);
    reassess(&mut change, &kept.agents(), false).await?;
    change.commit().await?;
    Ok(())
}

/// Whoever may not see the agent does not see its requests.
pub(crate) fn hidden(e: Error, id: RequestId) -> Error {
    match e {
        Error::NotFound(_) | Error::Denied(domain::can::Denied::Hidden) => Error::NotFound(format!("request {id}")),
        e => e,
    }
}

/// Closes what has lapsed of these agents' requests, as of now; nothing shown waits for it.
/// The caller assesses them again.
pub(crate) async fn lapse(change: &mut Change<'_>, agents: &[AgentId]) -> Result<(), Error> {
    let now = change.by.now;
    for kept in stored::unclosed(&mut change.tx, agents).await? {
        if kept.state(now) == RequestState::Lapsed {
            let why = "Not everybody decided in time; nothing was approved.";
            finish(change, &kept, RequestState::Lapsed, "request.lapsed", why).await?;
        }
    }
    Ok(())
}

/// Voids the open requests about agents whose boundary was changed to something else than
/// they are about. The caller assesses the agents again.
pub(crate) async fn void(change: &mut Change<'_>, agents: &[AgentId]) -> Result<(), Error> {
    let open = stored::unclosed(&mut change.tx, agents).await?;
    for kept in open {
        let Some(agent) = agents_stored::load(&mut change.tx, &[kept.agent], change.by.now).await?.pop() else {
            continue;
        };
        if kept.present_sha256(&agent) != kept.subject_sha256 {
            let decided = kept.steps.iter().filter(|s| s.step.decided.is_some()).count();
            let why = match decided {
                0 => "What it was about changed.".to_owned(),
                1 => "What it was about changed, so 1 decision on it counts no more.".to_owned(),
                n => format!("What it was about changed, so {n} decisions on it count no more."),
            };
            finish(change, &kept, RequestState::Voided, "request.voided", &why).await?;
        }
    }
    Ok(())
}

pub(crate) async fn finish(
    change: &mut Change<'_>,
    kept: &Kept,
    outcome: RequestState,
    told: &'static str,
    why: &str,
) -> Result<(), Error> {
    let Some(agent) = agents_stored::load(&mut change.tx, &[kept.agent], change.by.now).await?.pop() else {
        return Ok(());
    };
    let event = change.event("muster", told, kept.agent);
    if close(change, event, kept.id, outcome, why).await? {
        let mut after = json!({"request": kept.id, "outcome": outcome});
        if back_to_draft(change, event, kept, &agent).await? {
            after["state"] = Lifecycle::Draft.key().into();
        }
        change.describe(event, json!({"outcome": RequestState::Open}), after);
        change.because(event, why);
        // Its other agents, which the caller knows nothing of.
        let others: Vec<AgentId> = kept.agents().into_iter().filter(|a| *a != kept.agent).collect();
        for other in &others {
            moves::hold(change, *other).await?;
        }
        reassess(change, &others, false).await?;
    }
    Ok(())
}

/// What follows when the decisions end a request, under the event of the last of them. `after`
/// is the event's side of things, to which what follows is added. Answers how it ended.
pub(crate) async fn follow(
    change: &mut Change<'_>,
    event: EventRef,
    kept: &Kept,
    agent: &Agent,
    outcome: RequestState,
    after: &mut Value,
) -> Result<RequestState, Error> {
    let void = kept.kind == RequestKind::Exception
        && outcome == RequestState::Approved
        && crate::exceptions::moved(change, kept.id).await?;
    let outcome = if void { RequestState::Voided } else { outcome };
    let why = match outcome {
        RequestState::Rejected => "A step was rejected.",
        RequestState::Completed => crate::reviews::closing(kept),
        RequestState::Voided => "What it covers changed since it was asked, so no decision on it counts; ask again.",
        _ => "Every step was decided.",
    };
    close(change, event, kept.id, outcome, why).await?;
    after["outcome"] = outcome.key().into();
    if outcome == RequestState::Rejected {
        if back_to_draft(change, event, kept, agent).await? {
            after["state"] = Lifecycle::Draft.key().into();
        }
        return Ok(outcome);
    }
    if outcome == RequestState::Voided {
        return Ok(outcome);
    }
    let mut by: Vec<Duty> = kept.steps.iter().map(|s| s.step.duty).collect();
    match kept.kind {
        RequestKind::Approval => {
            moves::approve(change, event, agent, kept.id, &kept.subject_sha256, &by).await?;
            if agent.state == Lifecycle::Proposed {
                after["state"] = Lifecycle::Approved.key().into();
            }
        }
        RequestKind::ScopeChange => {
            let Some((_, facts)) = kept.facts() else {
                return Err(Error::Conflict("What was asked cannot be read; ask again.".into()));
            };
            // What the change does not touch stays as it is now.
            let mut merged = agent.facts.clone();
            domain::import::hold_boundary(&facts, &mut merged);
            let who = change.by.actor.who.to_string();
            let reason = format!("{} was approved; the last decision was {who}'s.", kept.id);
            crate::agents::write::edit_many(change, "request", vec![(agent.id, merged)], &reason).await?;
            let now_is = agents_stored::load(&mut change.tx, &[agent.id], change.by.now)
                .await?
                .pop()
                .ok_or_else(|| Error::NotFound(format!("agent {}", agent.id)))?;
            by.extend(agent.approved.iter().flat_map(|a| a.by.iter().copied()));
            by.sort_unstable();
            by.dedup();
            moves::approve(change, event, &now_is, kept.id, &kept.subject_sha256, &by).await?;
            super::observed::settle(change, agent.id, &kept.subject_sha256, "approved").await?;
        }
        RequestKind::Resumption => {
            let lacks = super::activate::missing(&mut change.tx, agent.id, change.by.now).await?;
            if !lacks.is_empty() {
                let list: Vec<String> = lacks.into_iter().map(|l| l.sentence).collect();
                return Err(Error::Conflict(format!("It cannot run again yet. {}", list.join(" "))));
            }
            moves::to(change, event, agent, Lifecycle::Active).await?;
            after["state"] = Lifecycle::Active.key().into();
        }
        RequestKind::Review => crate::reviews::follow(change, event, kept, agent, after).await?,
        RequestKind::Retirement => crate::retirements::ends::retire(change, event, kept, agent, after).await?,
        RequestKind::Exception => crate::exceptions::approve(change, event, kept.id, after).await?,
    }
    Ok(outcome)
}

/// Whether a verdict lets the thing go ahead.
pub(super) const fn consents(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Approve | Verdict::ApproveWithConditions)
}
