//! Justifications for control points in one hand: one at a time for an agent, dated, kept.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::can::{Action, can};
use domain::id::AgentId;
use domain::model::Model;

use crate::agents::read::visible;
use crate::agents::relation::relation;
use crate::agents::stored;
use crate::args;
use crate::change::{self, By, Change, EventRef};
use crate::db::{Arg, Db, DbError, Reads, marks};
use crate::error::Error;

/// Why control points of an agent lie in one hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Justification {
    /// Why.
    pub words: String,
    /// Who said so: a reference, `cli`, …
    pub made_by: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// Until when it holds.
    pub until: DateTime<Utc>,
}

/// The justification of an agent, ended or not, for whoever may read its controls.
pub async fn justification(db: &Db, by: By<'_>, agent: AgentId) -> Result<Option<Justification>, Error> {
    if !readable(db, by, agent).await? {
        return Ok(None);
    }
    let row = db
        .one(
            "SELECT words, made_by, made_at, until_at FROM justification WHERE agent_id = $1 AND closed_at IS NULL",
            args![agent],
        )
        .await?;
    let Some(r) = row else { return Ok(None) };
    Ok(Some(Justification { words: r.get(0)?, made_by: r.get(1)?, made_at: r.get(2)?, until: r.get(3)? }))
}

/// The model that was applied to an agent last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Which.
    pub model: Model,
    /// Who applied it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// The model that was applied to an agent last, as the record has it, for whoever may read
/// its controls.
pub async fn applied(db: &Db, by: By<'_>, agent: AgentId) -> Result<Option<Applied>, Error> {
    if !readable(db, by, agent).await? {
        return Ok(None);
    }
    let row = db
        .one(
            "SELECT after, actor, at FROM audit_event WHERE subject = $1 AND action = 'assignment.model-applied' \
             ORDER BY seq DESC LIMIT 1",
            args![agent.to_string()],
        )
        .await?;
    let Some(r) = row else { return Ok(None) };
    let after: serde_json::Value = serde_json::from_str(&r.get::<String>(0)?).unwrap_or_default();
    let Some(model) = after["model"].as_str().and_then(|m| m.parse().ok()) else { return Ok(None) };
    Ok(Some(Applied { model, by: r.get(1)?, at: r.get(2)? }))
}

async fn readable(db: &Db, by: By<'_>, agent: AgentId) -> Result<bool, Error> {
    let mut reads = db;
    let record = stored::load(&mut reads, &[agent], by.now)
        .await?
        .pop()
        .ok_or_else(|| Error::NotFound(format!("agent {agent}")))?;
    let stands = relation(&mut reads, by.actor, &record).await?;
    visible(by.actor, &record, stands)?;
    Ok(can(by.actor, Action::AgentReadControls, stands).is_ok())
}

/// When the justification of each of these agents ends, for those that have one.
pub(crate) async fn justified(
    reads: &mut impl Reads,
    ids: &[AgentId],
) -> Result<HashMap<AgentId, DateTime<Utc>>, DbError> {
    let mut out = HashMap::new();
    for batch in ids.chunks(500) {
        let sql = format!(
            "SELECT agent_id, until_at FROM justification WHERE closed_at IS NULL AND agent_id IN {}",
            marks(1, batch.len())
        );
        for r in reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            out.insert(r.get(0)?, r.get(1)?);
        }
    }
    Ok(out)
}

/// Writes a justification in the place of the one before, which is kept.
pub(crate) async fn put(
    change: &mut Change<'_>,
    event: EventRef,
    agent: AgentId,
    words: &str,
    until: DateTime<Utc>,
) -> Result<(), Error> {
    let now = change.by.now;
    let before = change
        .tx
        .one("SELECT id FROM justification WHERE agent_id = $1 AND closed_at IS NULL", args![agent])
        .await?
        .map(|r| r.get::<i64>(0))
        .transpose()?;
    if let Some(before) = before {
        let args = args![before, now, change.id(event)];
        let sql = "UPDATE justification SET closed_at = $2, event_id = $3 WHERE id = $1 AND closed_at IS NULL";
        change.tx.run(sql, args).await?;
        change.wrote(event, &change::JUSTIFICATION, before);
    }
    let id = change.next("justification", 1).await?;
    let row =
        args![id, change.id(event), agent, words, now, change.by.actor.who.to_string(), until, Option::<i64>::None,];
    let columns = ["id", "event_id", "agent_id", "words", "made_at", "made_by", "until_at", "closed_at"];
    change
        .tx
        .insert("justification", &columns, vec![row], "")
        .await
        .map_err(|e| Error::unique(e, "Somebody else justified it at the same moment; look at it again."))?;
    change.wrote(event, &change::JUSTIFICATION, id);
    Ok(())
}
