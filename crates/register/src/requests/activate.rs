//! Adopting a discovered agent, and making an approved one active.

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::can::{Action, can};
use domain::id::AgentId;
use domain::request::{Lack, before_active};
use serde_json::json;

use super::{agent, words};
use crate::agents::assess::{judge, reassess};
use crate::agents::moves;
use crate::agents::relation::capacity;
use crate::change::{By, Change};
use crate::db::{Db, Reads};
use crate::error::Error;

/// What an agent lacks before it may become active.
pub(super) async fn missing(reads: &mut impl Reads, id: AgentId, now: DateTime<Utc>) -> Result<Vec<Lack>, Error> {
    let judged = judge(reads, &[id], now).await?.pop().ok_or_else(|| Error::NotFound(format!("agent {id}")))?;
    let due = judged.governance.approval_due.as_ref().is_some_and(|(at, _)| *at <= now);
    let holds = judged.agent.boundary_holds();
    let owner = judged.assessment.runtime_owner.map(|o| o.state);
    Ok(before_active(&judged.agent.facts, judged.agent.tier, &judged.held, owner, holds, due))
}

/// What an agent lacks before it may become active, for whoever may see it.
pub async fn lacks(db: &Db, by: By<'_>, id: AgentId) -> Result<Vec<Lack>, Error> {
    let mut reads = db;
    agent(&mut reads, by, id).await?;
    missing(&mut reads, id, by.now).await
}

/// Makes an approved agent active. What it lacks is named.
pub async fn activate(db: &Db, by: By<'_>, id: AgentId, why: &str) -> Result<(), Error> {
    let why = words(why, "/reason", None)?;
    let mut change = Change::begin(db, by).await?;
    moves::hold(&mut change, id).await?;
    let (record, stands) = agent(&mut change.tx, by, id).await?;
    can(by.actor, Action::AgentActivate, stands)?;
    if record.state == Lifecycle::Suspended {
        return Err(Error::Conflict(format!(
            "{id} is suspended: it runs again by a request, which the business owner and whoever holds the capacity \
             that suspended it decide."
        )));
    }
    if record.state != Lifecycle::Approved {
        let state = record.state.label().to_lowercase();
        return Err(Error::Conflict(format!("{id} is {state}: only what is approved becomes active.")));
    }
    let lacks = missing(&mut change.tx, id, by.now).await?;
    if !lacks.is_empty() {
        let list: Vec<String> = lacks.into_iter().map(|l| l.sentence).collect();
        return Err(Error::Conflict(format!("{id} cannot become active yet. {}", list.join(" "))));
    }
    let event = change.event(capacity(by.actor, stands), "agent.activated", id);
    moves::to(&mut change, event, &record, Lifecycle::Active).await?;
    change.describe(event, json!({"state": record.state}), json!({"state": Lifecycle::Active}));
    change.because(event, why);
    reassess(&mut change, &[id], false).await?;
    change.commit().await?;
    Ok(())
}

/// Adopts a discovered agent: it becomes a draft, whose approval can be asked. Whether it runs
/// does not change.
pub async fn adopt(db: &Db, by: By<'_>, id: AgentId, why: &str) -> Result<(), Error> {
    let why = words(why, "/reason", None)?;
    let mut change = Change::begin(db, by).await?;
    moves::hold(&mut change, id).await?;
    let (record, stands) = agent(&mut change.tx, by, id).await?;
    can(by.actor, Action::AgentEdit, stands)?;
    if record.state != Lifecycle::Discovered {
        let state = record.state.label().to_lowercase();
        return Err(Error::Conflict(format!("{id} is {state}: only what was discovered is adopted.")));
    }
    let event = change.event(capacity(by.actor, stands), "agent.adopted", id);
    moves::to(&mut change, event, &record, Lifecycle::Draft).await?;
    change.describe(event, json!({"state": record.state}), json!({"state": Lifecycle::Draft}));
    change.because(event, why);
    reassess(&mut change, &[id], false).await?;
    change.commit().await?;
    Ok(())
}
