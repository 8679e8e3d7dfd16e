//! What an import or a program saw of an approved agent that differs from what was approved.
//! It is kept beside and flagged; a change of scope can take it over.

use chrono::{DateTime, Utc};
use domain::agent::AgentFacts;
use domain::canonical;
use domain::id::AgentId;
use domain::import::FieldChange;
use serde_json::{Value, json};

use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Db, DbError, Reads};
use crate::error::Error;

/// What was seen.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// Where it was seen: the import's or the program's name.
    pub source: String,
    /// The facts as they were seen.
    pub facts: AgentFacts,
    /// The SHA-256 of that boundary.
    pub sha256: String,
    /// When it was seen first.
    pub first_at: DateTime<Utc>,
}

struct Row {
    id: i64,
    seen: Observed,
}

async fn row(reads: &mut impl Reads, agent: AgentId) -> Result<Option<Row>, DbError> {
    let sql = "SELECT id, source, facts, boundary_sha256, first_at FROM observed \
               WHERE agent_id = $1 AND closed_at IS NULL";
    let rows = reads.rows(sql, args![agent]).await?;
    let Some(r) = rows.first() else { return Ok(None) };
    let facts =
        serde_json::from_str(&r.get::<String>(2)?).map_err(|e| DbError::Other(sqlx::Error::Decode(Box::new(e))))?;
    let seen = Observed { source: r.get(1)?, facts, sha256: r.get(3)?, first_at: r.get(4)? };
    Ok(Some(Row { id: r.get(0)?, seen }))
}

/// What was last seen of an agent that differs from what was approved, for whoever may ask a
/// change of scope, with the differences.
pub async fn read(db: &Db, by: By<'_>, id: AgentId) -> Result<Option<(Observed, Vec<FieldChange>)>, Error> {
    let mut reads = db;
    let (agent, _) = super::asked_by(&mut reads, by, id).await?;
    let Some(found) = row(&mut reads, id).await? else { return Ok(None) };
    let differs = domain::import::changes(&agent.facts, &found.seen.facts);
    let differs = differs.into_iter().filter(|c| c.boundary).collect();
    Ok(Some((found.seen, differs)))
}

/// What was last seen of an agent that differs from what was approved, for a page that its
/// reader may see.
pub(crate) async fn open(reads: &mut impl Reads, id: AgentId) -> Result<Option<Observed>, DbError> {
    Ok(row(reads, id).await?.map(|r| r.seen))
}

/// Records what was seen of approved agents: the facts, where they differ from what was
/// approved, or that they are as approved again. The caller assesses the agents again.
pub(crate) async fn record(
    change: &mut Change<'_>,
    capacity: &str,
    id: AgentId,
    source: &str,
    approved_sha256: &str,
    seen: &AgentFacts,
) -> Result<bool, Error> {
    let sha256 = seen.boundary_sha256();
    if sha256 == approved_sha256 {
        return settle(change, id, approved_sha256, "as approved").await;
    }
    let open = row(&mut change.tx, id).await?;
    if open.as_ref().is_some_and(|r| r.seen.sha256 == sha256) {
        return Ok(false);
    }
    let event = change.event(capacity, "agent.drift-seen", id);
    if let Some(old) = &open {
        let args = args![old.id, change.id(event), change.by.now, "something else was seen"];
        change.tx.run("UPDATE observed SET event_id = $2, closed_at = $3, closing = $4 WHERE id = $1", args).await?;
        change.wrote(event, &change::OBSERVED, old.id);
    }
    let number = change.next("observed", 1).await?;
    let now = change.by.now;
    let columns = ["id", "event_id", "agent_id", "source", "facts", "boundary_sha256", "first_at", "closing"];
    let facts = canonical::to_string(&json!(seen));
    let values = args![number, change.id(event), id, source, facts, &sha256, now, ""];
    change.tx.insert("observed", &columns, vec![values], "").await?;
    change.wrote(event, &change::OBSERVED, number);
    change.describe(
        event,
        json!({"approved_sha256": approved_sha256}),
        json!({"source": source, "seen_sha256": sha256}),
    );
    Ok(true)
}

/// Closes what was seen of an agent once it is what was approved.
pub(crate) async fn settle(change: &mut Change<'_>, id: AgentId, sha256: &str, why: &str) -> Result<bool, Error> {
    let Some(open) = row(&mut change.tx, id).await? else { return Ok(false) };
    if why == "approved" && open.seen.sha256 != sha256 {
        return Ok(false);
    }
    let event = change.event("muster", "agent.drift-settled", id);
    let args = args![open.id, change.id(event), change.by.now, why];
    change.tx.run("UPDATE observed SET event_id = $2, closed_at = $3, closing = $4 WHERE id = $1", args).await?;
    change.wrote(event, &change::OBSERVED, open.id);
    change.describe(event, Value::Null, json!({"seen_sha256": open.seen.sha256, "closing": why}));
    Ok(true)
}
