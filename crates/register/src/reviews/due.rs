//! What is due for review by the clock, computed from the last review, the policy's cadence
//! and the moment: no job has to have run.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::id::{AgentId, RequestId};
use domain::party::Party;
use domain::tier::Tier;

use crate::args;
use crate::change::By;
use crate::db::{Db, DbError, Reads, Row, micros};
use crate::error::Error;
use crate::paging::{Cursor, Page};

/// How far ahead a review is soon.
const SOON: TimeDelta = TimeDelta::days(30);

/// An agent that is due for review.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// Since when, or from when.
    pub due_at: DateTime<Utc>,
    /// The review that is open, if one is.
    pub open: Option<RequestId>,
}

fn read(r: &Row) -> Result<Due, DbError> {
    Ok(Due {
        agent: r.get(0)?,
        name: r.get(1)?,
        tier: r.get(2)?,
        due_at: r.get(3)?,
        open: r.get::<Option<i64>>(4)?.map(RequestId),
    })
}

/// The columns, of the tables f and a; the time is the first argument.
const COLUMNS: &str = "f.agent_id, a.name, a.tier, f.from_at, (SELECT r.id FROM request r WHERE r.agent_id = f.agent_id \
     AND r.kind = 'review' AND r.outcome = '' AND r.lapses_at > $1)";

/// The test of being overdue, or soon due: `$1` is the moment, `$2` how far ahead soon is.
const fn test(overdue: bool) -> &'static str {
    if overdue {
        "f.key = 'review-overdue' AND f.from_at <= $1 AND f.until_at > $1 AND f.excepted IS NULL AND $2 > 0"
    } else {
        // Of what is overdue already, only its severity may begin anew.
        "f.key = 'review-overdue' AND f.from_at > $1 AND f.from_at <= $2 AND f.excepted IS NULL AND NOT EXISTS (SELECT 1 FROM finding e \
         WHERE e.agent_id = f.agent_id AND e.key = f.key AND e.from_at < f.from_at)"
    }
}

/// The agents whose review is overdue, or due within thirty days, soonest first: for those
/// who read campaigns.
pub async fn due(db: &Db, by: By<'_>, overdue: bool, cursor: Option<&str>, limit: i64) -> Result<Page<Due>, Error> {
    can(by.actor, Action::CampaignRead, Relation::None)?;
    let sort = if overdue { "reviews-overdue" } else { "reviews-soon" };
    let cursor = cursor.map(|c| Cursor::decode(c, sort)).transpose()?;
    let back = cursor.as_ref().is_some_and(|c| c.b);
    let (beyond, order) = if back { ("<", "DESC") } else { (">", "ASC") };
    let mut list = args![by.now, by.now + SOON];
    let mut edge = String::new();
    if let Some((at, id)) = cursor.as_ref().and_then(|c| Some((c.k.parse::<i64>().ok()?, c.i))) {
        list.extend(args![at, id]);
        edge = format!(" AND (f.from_at {beyond} $3 OR (f.from_at = $3 AND f.agent_id {beyond} $4))");
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM finding f JOIN agent a ON a.id = f.agent_id WHERE {}{edge} \
         ORDER BY f.from_at {order}, f.agent_id {order} LIMIT {}",
        test(overdue),
        limit + 1
    );
    let items = db.all(sql, list).await?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    Ok(Page::cut(items, limit, cursor.as_ref(), |d, b| Cursor {
        s: sort.to_owned(),
        k: micros(d.due_at).to_string(),
        i: d.agent.0,
        b,
    }))
}

/// How many agents are overdue, or soon due, counted up to a bound.
pub async fn due_count(db: &Db, by: By<'_>, overdue: bool, most: i64) -> Result<i64, Error> {
    can(by.actor, Action::CampaignRead, Relation::None)?;
    let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM finding f WHERE {} LIMIT {most}) AS d", test(overdue));
    let row = db.one(sql, args![by.now, by.now + SOON]).await?;
    Ok(row.map_or(Ok(0), |r| r.get(0))?)
}

/// The agents that the reader reviews, that are due now or within thirty days, of which no
/// review is open, and for which nothing that a review asked for is still to be done: soonest
/// first, up to a bound.
pub async fn due_mine(db: &Db, by: By<'_>, most: i64) -> Result<Vec<Due>, Error> {
    let Some(me) = by.actor.person_id() else { return Ok(Vec::new()) };
    let mut reads = db;
    let mut parties = vec![Party::Person(me)];
    for r in reads.rows("SELECT id FROM team WHERE lead_id = $1 ORDER BY id", args![me]).await? {
        parties.push(Party::Team(domain::id::TeamId(r.get(0)?)));
    }
    let mut out: Vec<Due> = Vec::new();
    for party in parties {
        // From the duties that one holds, never from all that is due.
        let sql = format!(
            "SELECT {COLUMNS} FROM assignment h CROSS JOIN finding f CROSS JOIN agent a \
             WHERE h.party_kind = $3 AND h.party_id = $4 AND h.role = 'A' AND h.valid_to IS NULL \
             AND h.accepted_at IS NOT NULL AND h.agent_id IS NOT NULL AND f.agent_id = h.agent_id \
             AND f.key = 'review-overdue' AND f.from_at <= $2 AND f.until_at > $1 AND f.excepted IS NULL AND a.id = h.agent_id \
             AND (h.duty = 'review' OR (h.duty = 'purpose' AND a.environment <> 'production' \
               AND NOT EXISTS (SELECT 1 FROM assignment o WHERE o.agent_id = h.agent_id AND o.duty = 'review' \
               AND o.role = 'A' AND o.valid_to IS NULL AND o.accepted_at IS NOT NULL))) \
             AND NOT EXISTS (SELECT 1 FROM request q WHERE q.agent_id = h.agent_id AND q.kind = 'review' \
               AND q.outcome = '' AND q.lapses_at > $1) \
             AND NOT EXISTS (SELECT 1 FROM condition k CROSS JOIN request q WHERE k.agent_id = h.agent_id \
               AND k.met_at IS NULL AND q.id = k.request_id AND q.kind = 'review') \
             ORDER BY f.from_at, f.agent_id LIMIT {most}"
        );
        let list = args![by.now, by.now + SOON, party.kind(), party.number()];
        for r in reads.rows(sql, list).await? {
            let due = read(&r)?;
            if !out.iter().any(|d| d.agent == due.agent) {
                out.push(due);
            }
        }
    }
    out.sort_by_key(|d| (d.due_at, d.agent));
    out.truncate(usize::try_from(most).unwrap_or(0));
    Ok(out)
}
