//! What a party holds and what is offered to it, with the names of the agents. Agents that
//! the reader may not know of are left out.

use chrono::{DateTime, Utc};
use domain::agent::{Environment, Lifecycle};
use domain::assignment::RaciRole;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::AgentId;
use domain::party::Party;
use domain::system::Subject;
use domain::tier::Tier;

use super::list::paged;
use crate::agents::relation::parties_of;
use crate::args;
use crate::assignments::{lapse, subject};
use crate::change::By;
use crate::db::{Arg, Db, DbError};
use crate::error::Error;
use crate::paging::{Cursor, DEFAULT_LIMIT, Page};

/// How far is counted: a party may hold a duty of every agent there is.
const COUNTED: i64 = 1000;

/// Which of a party's duties to list.
#[derive(Debug, Clone)]
pub struct HoldingsQuery {
    /// As which letter.
    pub role: RaciRole,
    /// Where the page begins.
    pub cursor: Option<String>,
    /// How many rows at most.
    pub limit: i64,
}

impl Default for HoldingsQuery {
    fn default() -> Self {
        Self { role: RaciRole::Accountable, cursor: None, limit: DEFAULT_LIMIT }
    }
}

/// One duty of one agent, held by the party asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// The duty.
    pub duty: Duty,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Where the agent is in its life.
    pub state: Lifecycle,
    /// Where it is deployed.
    pub environment: Environment,
    /// Its tier.
    pub tier: Tier,
    /// Whether it counts as running.
    pub runs: bool,
    id: i64,
}

/// A condition on the agent `a` and its arguments, numbered from `from`: what the reader
/// may know of.
pub(crate) async fn visible_to(db: &Db, by: By<'_>, from: usize) -> Result<(String, Vec<Arg>), Error> {
    can(by.actor, Action::PersonRead, Relation::None)?;
    can(by.actor, Action::AgentRead, Relation::None)?;
    if can(by.actor, Action::AgentReadConfidential, Relation::None).is_ok() {
        return Ok(("1 = 1".into(), Vec::new()));
    }
    let Some(me) = by.actor.person_id() else { return Ok(("NOT a.confidential".into(), Vec::new())) };
    let mut reads = db;
    let mut list = args![me.to_string()];
    let mut sql = format!("(NOT a.confidential OR a.created_by = ${from}");
    for party in parties_of(&mut reads, me).await? {
        let n = from + list.len();
        let (kind, number) = (format!("${n}"), format!("${}", n + 1));
        sql.push_str(" OR EXISTS (SELECT 1 FROM assignment v WHERE v.agent_id = a.id AND v.party_kind = ");
        sql.push_str(&kind);
        sql.push_str(" AND v.party_id = ");
        sql.push_str(&number);
        sql.push_str(&format!(
            ") OR EXISTS (SELECT 1 FROM platform_stay y JOIN assignment v ON v.system_id = y.system_id \
             WHERE y.agent_id = a.id AND y.valid_to IS NULL AND v.party_kind = {kind} AND v.party_id = {number} \
             AND v.role IN ('A', 'R') AND v.valid_to IS NULL AND v.accepted_at IS NOT NULL)"
        ));
        list.extend(args![party.kind(), party.number()]);
    }
    sql.push(')');
    Ok((sql, list))
}

/// A page of what a party holds, by agent. The total is exact up to a thousand.
pub async fn holdings(db: &Db, by: By<'_>, party: Party, query: &HoldingsQuery) -> Result<Page<Holding>, Error> {
    let sort = query.role.key();
    let cursor = query.cursor.as_deref().map(|c| Cursor::decode(c, sort)).transpose()?;
    let (visible, seen) = visible_to(db, by, 4).await?;
    let mut list = args![party.kind(), party.number(), query.role.key()];
    list.extend(seen);
    let from = format!(
        "FROM assignment s JOIN agent a ON a.id = s.agent_id WHERE s.party_kind = $1 AND s.party_id = $2 \
         AND s.role = $3 AND s.valid_to IS NULL AND s.accepted_at IS NOT NULL AND {visible}"
    );
    let count = format!("SELECT COUNT(*) FROM (SELECT 1 {from} LIMIT {}) counted", COUNTED + 1);
    let total: i64 = db.one(count, list.clone()).await?.map(|r| r.get(0)).transpose()?.unwrap_or(0);
    let back = cursor.as_ref().is_some_and(|c| c.b);
    let (sign, direction) = if back { ("<", "DESC") } else { (">", "ASC") };
    let mut after = String::new();
    if let Some(c) = &cursor {
        let n = list.len();
        after = format!(" AND (s.agent_id, s.id) {sign} (${}, ${})", n + 1, n + 2);
        list.extend(args![c.k.parse::<i64>().ok(), c.i]);
    }
    list.push(Arg::from(query.limit + 1));
    let sql = format!(
        "SELECT a.id, a.name, s.duty, s.valid_from, a.state, a.environment, a.tier, a.runs, s.id {from}{after} \
         ORDER BY s.agent_id {direction}, s.id {direction} LIMIT ${}",
        list.len()
    );
    let rows = db.all(sql, list).await?;
    let rows = rows
        .iter()
        .map(|r| {
            Ok(Holding {
                agent: r.get(0)?,
                name: r.get(1)?,
                duty: r.get(2)?,
                since: r.get(3)?,
                state: r.get(4)?,
                environment: r.get(5)?,
                tier: r.get(6)?,
                runs: r.get(7)?,
                id: r.get(8)?,
            })
        })
        .collect::<Result<Vec<_>, DbError>>()?;
    let total = (total <= COUNTED).then_some(total);
    Ok(paged(rows, query.limit, cursor.as_ref(), total, |h, b| Cursor {
        s: sort.to_owned(),
        k: h.agent.0.to_string(),
        i: h.id,
        b,
    }))
}

/// A duty on offer to the party asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    /// The agent or the system.
    pub of: Subject,
    /// Its name.
    pub name: String,
    /// The duty.
    pub duty: Duty,
    /// To whom: the person, or a team they answer for.
    pub party: Party,
    /// Since when.
    pub offered_at: DateTime<Utc>,
    /// By whom.
    pub offered_by: String,
    /// Why.
    pub reason: String,
}

/// What is on offer to these parties, oldest first, at most `most` rows of it, and how
/// many there are; `None` above a thousand. Each party is asked for by itself: an `OR` of
/// several makes SQLite walk the whole index.
pub async fn offers_to(
    db: &Db,
    by: By<'_>,
    parties: &[Party],
    most: i64,
) -> Result<(Vec<Offered>, Option<i64>), Error> {
    let (visible, seen) = visible_to(db, by, 4).await?;
    let from = format!(
        "FROM assignment s LEFT JOIN agent a ON a.id = s.agent_id WHERE s.party_kind = $1 AND s.party_id = $2 \
         AND s.role = 'A' AND s.valid_to IS NULL AND s.accepted_at IS NULL AND s.offered_at > $3 \
         AND (s.agent_id IS NULL OR {visible})"
    );
    let mut out: Vec<Offered> = Vec::new();
    let mut total = 0;
    for party in parties {
        let mut list = args![party.kind(), party.number(), lapse::since(by.now)];
        list.extend(seen.clone());
        let count = format!("SELECT COUNT(*) FROM (SELECT 1 {from} LIMIT {}) counted", COUNTED + 1);
        let n: i64 = db.one(count, list.clone()).await?.map(|r| r.get(0)).transpose()?.unwrap_or(0);
        total += n;
        if n == 0 {
            continue;
        }
        list.push(Arg::from(most));
        let sql = format!(
            "SELECT s.agent_id, s.system_id, COALESCE(a.name, (SELECT name FROM system y WHERE y.id = s.system_id)), \
             s.duty, s.offered_at, s.offered_by, s.reason {from} ORDER BY s.offered_at, s.id LIMIT ${}",
            list.len()
        );
        for r in db.all(sql, list).await? {
            let Some(of) = subject(r.get(0)?, r.get(1)?) else { continue };
            out.push(Offered {
                of,
                name: r.get(2)?,
                duty: r.get(3)?,
                party: *party,
                offered_at: r.get(4)?,
                offered_by: r.get(5)?,
                reason: r.get(6)?,
            });
        }
    }
    out.sort_by_key(|o| (o.offered_at, o.of, o.duty));
    out.truncate(usize::try_from(most).unwrap_or(0));
    Ok((out, (total <= COUNTED).then_some(total)))
}
