//! How an agent is stopped: the written procedure of its runtime owner. A new text is a
//! new version, and what was shown with the old one proves nothing of the new.

use domain::can::{Action, can};
use domain::id::AgentId;
use domain::text;
use serde_json::{Value, json};

use crate::agents::assess::reassess;
use crate::agents::read::visible;
use crate::agents::relation::{capacity, relation};
use crate::agents::stored;
use crate::args;
use crate::change::{self, By, Change};
use crate::db::Db;
use crate::error::Error;

/// Longest procedure, in characters.
pub const PROCEDURE_MAX: usize = 8000;

/// Records the manual procedure by which an agent is stopped.
pub async fn record_procedure(db: &Db, by: By<'_>, agent: AgentId, procedure: &str) -> Result<(), Error> {
    let procedure = text::prose(procedure, "The procedure", PROCEDURE_MAX)
        .map_err(|e| Error::field("/procedure", e.to_string()))?;
    if procedure.is_empty() {
        return Err(Error::field("/procedure", "Write down, step by step, how the agent is stopped."));
    }
    let mut change = Change::begin(db, by).await?;
    let found = stored::load(&mut change.tx, &[agent], by.now).await?;
    let Some(record) = found.first() else { return Err(Error::NotFound(format!("agent {agent}"))) };
    let stands = relation(&mut change.tx, by.actor, record).await?;
    visible(by.actor, record, stands)?;
    can(by.actor, Action::StopMethodWrite, stands)?;
    if record.state == domain::agent::Lifecycle::Retired {
        return Err(Error::Conflict(format!("{agent} is retired: there is nothing left to stop.")));
    }
    let old = change
        .tx
        .one(
            "SELECT id, version, procedure_text FROM stop_method WHERE agent_id = $1 AND valid_to IS NULL",
            args![agent],
        )
        .await?;
    let last: i64 = change
        .tx
        .one("SELECT COALESCE(MAX(version), 0) FROM stop_method WHERE agent_id = $1", args![agent])
        .await?
        .map(|r| r.get(0))
        .transpose()?
        .unwrap_or(0);
    let event = change.event(capacity(by.actor, stands), "stop-method.recorded", agent);
    let mut before = Value::Null;
    if let Some(old) = old {
        let (id, version, text): (i64, i64, String) = (old.get(0)?, old.get(1)?, old.get(2)?);
        if text == procedure {
            return Ok(());
        }
        before = json!({"version": version, "procedure": text});
        let args = args![id, by.now, change.id(event)];
        change.tx.run("UPDATE stop_method SET valid_to = $2, event_id = $3 WHERE id = $1", args).await?;
        change.wrote(event, &change::STOP_METHOD, id);
    }
    change.describe(event, before, json!({"version": last + 1, "kind": "manual", "procedure": procedure}));
    let id = change.next("stop", 1).await?;
    let row = args![id, change.id(event), agent, last + 1, "manual", &procedure, by.now, Option::<i64>::None];
    change
        .tx
        .insert(
            "stop_method",
            &["id", "event_id", "agent_id", "version", "kind", "procedure_text", "valid_from", "valid_to"],
            vec![row],
            "",
        )
        .await?;
    change.wrote(event, &change::STOP_METHOD, id);
    reassess(&mut change, &[agent], false).await?;
    change.commit().await?;
    Ok(())
}
