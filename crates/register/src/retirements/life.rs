//! Signs of life: something acts as an agent that was stopped for good.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::id::AgentId;
use serde_json::{Value, json};

use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Arg, Db, DbError, Reads, Row, marks};
use crate::error::Error;

/// A sign of life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sign {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// Who saw it.
    pub source: String,
    /// Where the agent was in its life when it was first seen.
    pub state: Lifecycle,
    /// When it was first seen.
    pub first_at: DateTime<Utc>,
    /// When it was last seen.
    pub last_at: DateTime<Utc>,
}

const SELECT: &str = "SELECT l.agent_id, a.name, l.source, l.state, l.first_at, l.last_at FROM sign_of_life l JOIN agent a ON a.id = l.agent_id";

fn read(r: &Row) -> Result<Sign, DbError> {
    Ok(Sign {
        agent: r.get(0)?,
        name: r.get(1)?,
        source: r.get(2)?,
        state: r.get(3)?,
        first_at: r.get(4)?,
        last_at: r.get(5)?,
    })
}

/// Notes that a source says of these agents that they run. Of those that are neither retired
/// nor being retired and stopped it is no news, and nothing is kept.
pub(crate) async fn seen(
    change: &mut Change<'_>,
    capacity: &str,
    source: &str,
    agents: &[AgentId],
) -> Result<usize, Error> {
    let mut dead: Vec<(AgentId, Lifecycle)> = Vec::new();
    for batch in agents.chunks(500) {
        let sql = format!(
            "SELECT a.id, a.state FROM agent a WHERE a.id IN {} AND (a.state = 'retired' OR (a.state = 'retiring' \
             AND EXISTS (SELECT 1 FROM retirement_row w WHERE w.agent_id = a.id AND w.kind = 'stop-execution' \
             AND (w.done_at IS NOT NULL OR w.waived_at IS NOT NULL)))) ORDER BY a.id",
            marks(1, batch.len())
        );
        for r in change.tx.all(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            dead.push((r.get(0)?, r.get(1)?));
        }
    }
    let now = change.by.now;
    for (agent, state) in &dead {
        let event = change.event(capacity, "agent.sign-of-life", *agent);
        let told = json!({"source": source, "state": state, "running": "yes"});
        change.describe(event, Value::Null, told);
        let known = "SELECT id FROM sign_of_life WHERE agent_id = $1 AND source = $2 AND state = $3";
        let known = change.tx.one(known, args![*agent, source, state.key()]).await?;
        let id = if let Some(r) = known {
            let id: i64 = r.get(0)?;
            let sql = "UPDATE sign_of_life SET event_id = $2, last_at = $3 WHERE id = $1 AND last_at <= $3";
            change.tx.run(sql, args![id, change.id(event), now]).await?;
            id
        } else {
            let id = change.next("sign-of-life", 1).await?;
            let row = args![id, change.id(event), *agent, source, state.key(), now, now];
            let columns = ["id", "event_id", "agent_id", "source", "state", "first_at", "last_at"];
            change.tx.insert("sign_of_life", &columns, vec![row], "").await?;
            id
        };
        change.wrote(event, &change::SIGN_OF_LIFE, id);
    }
    Ok(dead.len())
}

/// Keeps a report that an agent runs, when it ought to be dead. Answers whether it ought. The
/// caller has asked whether the actor may report.
pub async fn report(db: &Db, by: By<'_>, agent: AgentId, source: &str) -> Result<bool, Error> {
    let mut change = Change::begin(db, by).await?;
    crate::agents::moves::hold(&mut change, agent).await?;
    let found = seen(&mut change, "discovery", source, &[agent]).await?;
    if found > 0 {
        change.commit().await?;
    }
    Ok(found > 0)
}

/// When an agent last gave a sign of life.
pub(crate) async fn newest_of(reads: &mut impl Reads, agent: AgentId) -> Result<Option<DateTime<Utc>>, Error> {
    let rows = reads.rows("SELECT MAX(last_at) FROM sign_of_life WHERE agent_id = $1", args![agent]).await?;
    Ok(rows.first().map(|r| r.get(0)).transpose()?.flatten())
}

/// The signs of life of some agents, newest first.
pub async fn of(reads: &mut impl Reads, agents: &[AgentId]) -> Result<HashMap<AgentId, Vec<Sign>>, Error> {
    let mut out: HashMap<AgentId, Vec<Sign>> = HashMap::new();
    for batch in agents.chunks(500) {
        let sql = format!("{SELECT} WHERE l.agent_id IN {} ORDER BY l.last_at DESC, l.id", marks(1, batch.len()));
        for r in reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
            let sign = read(&r)?;
            out.entry(sign.agent).or_default().push(sign);
        }
    }
    Ok(out)
}

/// The newest signs of life of all retired agents.
pub(super) async fn newest(reads: &mut impl Reads, most: i64) -> Result<Vec<Sign>, Error> {
    let sql = format!("{SELECT} ORDER BY l.last_at DESC, l.id DESC LIMIT {most}");
    let rows = reads.rows(sql, args![]).await?;
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}
