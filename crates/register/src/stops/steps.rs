//! What follows a stop: its steps are done, each by its duty, and somebody else reviews it.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::assignment::RaciRole;
use domain::can::{Action, Denied, Relation, can};
use domain::id::AgentId;
use domain::stop::Step;
use serde_json::{Value, json};

use super::holds;
use super::press::sentence;
use crate::agents::assess::reassess;
use crate::agents::read::visible;
use crate::agents::relation::{capacity, relation};
use crate::agents::stored;
use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Arg, Db, Reads};
use crate::error::Error;

/// Whether the actor may note that such a step of this agent is done; the refusal says who may.
pub async fn may(db: &Db, by: By<'_>, agent: AgentId, step: Step) -> Result<(), Error> {
    let mut reads = db;
    theirs(&mut reads, by, agent, step).await?;
    Ok(())
}

/// How the actor stands to the duty of a step, if they may do it.
async fn theirs(reads: &mut impl Reads, by: By<'_>, agent: AgentId, step: Step) -> Result<Relation, Error> {
    let does = [RaciRole::Accountable, RaciRole::Responsible];
    let relation = match holds(reads, by.actor, agent, step.duty(), &does, by.now).await? {
        Some(_) => Relation::Owner,
        None => Relation::None,
    };
    can(by.actor, Action::StopStep, relation)?;
    Ok(relation)
}

/// Notes that a step is done: by who holds its duty as A or R, or a security lead.
pub async fn done(db: &Db, by: By<'_>, agent: AgentId, step: i64) -> Result<(), Error> {
    let missing = || Error::NotFound("such a step".into());
    let mut change = Change::begin(db, by).await?;
    let record = stored::load(&mut change.tx, &[agent], by.now).await?.pop().ok_or_else(missing)?;
    let stands = relation(&mut change.tx, by.actor, &record).await?;
    visible(by.actor, &record, stands)?;
    let row = change
        .tx
        .one(
            "SELECT t.step, t.subject FROM stop_step t JOIN stopping s ON s.id = t.stopping_id \
             WHERE t.id = $1 AND s.agent_id = $2",
            args![step, agent],
        )
        .await?
        .ok_or_else(missing)?;
    let what: Step = row.get(0)?;
    let relation = theirs(&mut change.tx, by, agent, what).await?;
    let event = change.event(capacity(by.actor, relation), "stop-step.done", agent);
    change.describe(event, Value::Null, json!({"step": what, "subject": row.get::<String>(1)?}));
    let args = args![step, by.now, by.actor.who.to_string(), change.id(event)];
    let sql = "UPDATE stop_step SET done_at = $2, done_by = $3, event_id = $4 WHERE id = $1 AND done_at IS NULL";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Conflict("That step was done before.".into()));
    }
    change.wrote(event, &change::STOP_STEP, step);
    change.commit().await?;
    Ok(())
}

/// Somebody else than who stopped it says whether that was right.
pub async fn review(db: &Db, by: By<'_>, agent: AgentId, stopping: i64, found: &str) -> Result<(), Error> {
    let missing = || Error::NotFound("such a stop".into());
    let mut change = Change::begin(db, by).await?;
    let record = stored::load(&mut change.tx, &[agent], by.now).await?.pop().ok_or_else(missing)?;
    let stands = relation(&mut change.tx, by.actor, &record).await?;
    visible(by.actor, &record, stands)?;
    can(by.actor, Action::StopReview, stands)?;
    let row = change
        .tx
        .one("SELECT stopped_by FROM stopping WHERE id = $1 AND agent_id = $2", args![stopping, agent])
        .await?
        .ok_or_else(missing)?;
    let me = by.actor.who.to_string();
    if row.get::<String>(0)? == me {
        return Err(Error::Denied(Denied::Forbidden(
            "Nobody reviews what they did: another security lead reviews this stop.".into(),
        )));
    }
    let found = sentence(found, "The review", "/review", "Say what you found: was it right, and what follows.")?;
    let event = change.event(capacity(by.actor, stands), "stop.reviewed", agent);
    change.because(event, &found);
    let args = args![stopping, by.now, &me, &found, change.id(event)];
    let sql = "UPDATE stopping SET reviewed_at = $2, reviewed_by = $3, review = $4, event_id = $5 \
               WHERE id = $1 AND reviewed_at IS NULL";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Conflict("That stop was reviewed before.".into()));
    }
    change.wrote(event, &change::STOPPING, stopping);
    reassess(&mut change, &[agent], false).await?;
    change.commit().await?;
    Ok(())
}

/// When the oldest unreviewed stop of each agent is due for review.
pub(crate) async fn reviews_due(
    reads: &mut impl Reads,
    ids: &[AgentId],
) -> Result<HashMap<AgentId, DateTime<Utc>>, Error> {
    let mut out = HashMap::new();
    for batch in ids.chunks(500) {
        let sql = format!(
            "SELECT agent_id, MIN(review_due) FROM stopping WHERE reviewed_at IS NULL AND agent_id IN {} GROUP BY agent_id",
            crate::db::marks(1, batch.len())
        );
        for r in reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            out.insert(r.get(0)?, r.get(1)?);
        }
    }
    Ok(out)
}
