//! The stop card: an agent's stops, each with its steps, its calls and what remains at worst.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::agent::CredentialKind;
use domain::id::AgentId;
use domain::party::Party;
use domain::stop::{PastStop, Reviewed, Step, StepSeen, Stop, Token, residual};

use super::shown;
use crate::agents::assess::party_names;
use crate::args;
use crate::change::By;
use crate::db::Db;
use crate::error::Error;
use crate::paging::{Cursor, Page};

/// Names of whoever is a party; others are called as they are written.
struct Names(BTreeMap<Party, String>);

impl Names {
    async fn of<'a>(db: &Db, who: impl Iterator<Item = &'a str>) -> Result<Self, Error> {
        let mut reads = db;
        Ok(Self(party_names(&mut reads, who.filter_map(|p| p.parse().ok()).collect::<Vec<Party>>()).await?))
    }

    fn call(&self, who: &str) -> String {
        who.parse().ok().and_then(|p: Party| self.0.get(&p).cloned()).unwrap_or_else(|| who.to_owned())
    }
}

/// A stop of an agent, the newest unless one is named; for whoever may see how it is stopped.
/// `None` if there is none.
pub async fn read(db: &Db, by: By<'_>, agent: AgentId, stop: Option<i64>) -> Result<Option<Stop>, Error> {
    let row = db
        .one(
            "SELECT id, at, stopped_by, reason, was, review_due, reviewed_at, reviewed_by, review FROM stopping \
             WHERE agent_id = $1 AND id = COALESCE($2, (SELECT MAX(id) FROM stopping WHERE agent_id = $1))",
            args![agent, stop],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let id: i64 = row.get(0)?;
    let rows = db
        .all(
            "SELECT id, step, subject, credential_kind, ttl_seconds, done_at, done_by FROM stop_step \
             WHERE stopping_id = $1 ORDER BY id",
            args![id],
        )
        .await?;
    let calls = shown::of_stop(db, by, id).await?;
    let (stopped_by, reviewed_by): (String, String) = (row.get(2)?, row.get(7)?);
    let mut who = vec![stopped_by.clone(), reviewed_by.clone()];
    for r in &rows {
        who.push(r.get(6)?);
    }
    let names = Names::of(db, who.iter().map(String::as_str)).await?;
    let (mut steps, mut tokens, mut paused_at) = (Vec::new(), Vec::new(), None);
    for r in rows {
        let (step, done_at): (Step, Option<DateTime<Utc>>) = (r.get(1)?, r.get(5)?);
        if step == Step::Pause {
            paused_at = done_at;
        }
        if let Ok(kind) = r.get::<String>(3)?.parse::<CredentialKind>()
            && step == Step::Revoke
        {
            tokens.push(Token { kind, ttl_seconds: r.get(4)?, revoked_at: done_at });
        }
        let done_by = names.call(&r.get::<String>(6)?);
        let call = calls.iter().find(|c| step.surface() == Some(c.surface)).cloned();
        steps.push(StepSeen { id: r.get(0)?, step, subject: r.get(2)?, done: done_at.map(|at| (at, done_by)), call });
    }
    let reviewed_at: Option<DateTime<Utc>> = row.get(6)?;
    let found: String = row.get(8)?;
    Ok(Some(Stop {
        id,
        at: row.get(1)?,
        stopped_by_name: names.call(&stopped_by),
        stopped_by,
        reason: row.get(3)?,
        was: row.get(4)?,
        review_due: row.get(5)?,
        review: reviewed_at.map(|at| Reviewed { at, by: names.call(&reviewed_by), found }),
        steps,
        residual: residual(&tokens, paused_at, by.now),
    }))
}

/// The order of an agent's stops, for cursors.
const NEWEST: &str = "stops";

/// A page of an agent's stops, newest first; for whoever may see how it is stopped.
pub async fn list(db: &Db, agent: AgentId, cursor: Option<&str>, limit: i64) -> Result<Page<PastStop>, Error> {
    let cursor = cursor.map(|c| Cursor::decode(c, NEWEST)).transpose()?;
    let back = cursor.as_ref().is_some_and(|c| c.b);
    let (sign, order) = if back { (">", "ASC") } else { ("<", "DESC") };
    let sql = format!(
        "SELECT s.id, s.at, s.stopped_by, s.reason, s.review_due, s.reviewed_at, \
         (SELECT COUNT(*) FROM stop_step t WHERE t.stopping_id = s.id AND t.done_at IS NULL) \
         FROM stopping s WHERE s.agent_id = $1 AND s.id {sign} $2 ORDER BY s.id {order} LIMIT $3"
    );
    let from = cursor.as_ref().map_or(i64::MAX, |c| c.i);
    let rows = db.all(sql, args![agent, from, limit + 1]).await?;
    let mut who = Vec::new();
    for r in &rows {
        who.push(r.get::<String>(2)?);
    }
    let names = Names::of(db, who.iter().map(String::as_str)).await?;
    let mut items = Vec::new();
    for r in rows {
        items.push(PastStop {
            id: r.get(0)?,
            at: r.get(1)?,
            by: names.call(&r.get::<String>(2)?),
            reason: r.get(3)?,
            review_due: r.get(4)?,
            reviewed_at: r.get(5)?,
            open_steps: r.get(6)?,
        });
    }
    Ok(Page::cut(items, limit, cursor.as_ref(), |s, b| Cursor { s: NEWEST.into(), k: String::new(), i: s.id, b }))
}
