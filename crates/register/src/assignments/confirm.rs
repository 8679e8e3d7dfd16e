//! "Still yours?": what an owner is to say again, and saying it. Accepting a duty is the first
//! word; it counts for the tier's cadence, and ends when its owner changes department.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId};
use domain::party::Party;
use domain::tier::Tier;
use serde_json::json;

use super::answerable;
use crate::agents::assess::{party_names, reassess};
use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Arg, Db, DbError, Row};
use crate::error::Error;
use crate::paging::{Cursor, Page};
use crate::people::paged;

/// How far is counted.
const COUNTED: i64 = 1_000;
/// Most duties that are confirmed at once.
const MOST: usize = 200;

/// A duty of which its owner is to say that it is still theirs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// Its tier.
    pub tier: Tier,
    /// The duty.
    pub duty: Duty,
    /// Who holds it: the person, or a team they answer for.
    pub party: Party,
    /// The party's name.
    pub party_name: String,
    /// When that was last said.
    pub said_at: DateTime<Utc>,
    /// Since when it is due.
    pub due_at: DateTime<Utc>,
    /// Who changed department, where it is due for that: the person, or the team's lead.
    pub moved: Option<Mover>,
    id: i64,
}

/// Who changed department while they answered for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mover {
    /// Who.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// Which rows of `s` and `a` are due, with its arguments; the first has number 3.
fn condition(now: DateTime<Utc>, moved: Option<DateTime<Utc>>) -> (String, Vec<Arg>) {
    let since = |tier: Tier| now - TimeDelta::days(tier.ownership_cadence_days());
    let never = DateTime::<Utc>::UNIX_EPOCH;
    let moved = moved.unwrap_or(never);
    let latest = Tier::ALL.iter().map(|t| since(*t)).max().unwrap_or(never).max(moved);
    let said = "COALESCE(s.confirmed_at, s.accepted_at)";
    let sql = format!(
        "s.party_kind = $1 AND s.party_id = $2 AND s.role = 'A' AND s.valid_to IS NULL AND s.accepted_at IS NOT NULL \
         AND s.agent_id IS NOT NULL AND a.state <> 'retired' AND {said} <= $3 \
         AND ({said} < $4 OR {said} <= CASE a.tier WHEN 'critical' THEN $5 WHEN 'high' THEN $6 WHEN 'moderate' THEN $7 \
         ELSE $8 END)"
    );
    let list = args![latest, moved, since(Tier::Critical), since(Tier::High), since(Tier::Moderate), since(Tier::Low)];
    (sql, list)
}

/// The last change of department that asks about what a party holds: the person's own, or that
/// of the team's lead since they lead it.
async fn mover(db: &Db, party: Party) -> Result<Option<Mover>, Error> {
    let sql = match party {
        Party::Person(_) => "SELECT id, name, moved_at FROM person WHERE id = $1 AND moved_at IS NOT NULL",
        Party::Team(_) => {
            "SELECT p.id, p.name, p.moved_at FROM team t JOIN person p ON p.id = t.lead_id \
             WHERE t.id = $1 AND p.moved_at >= t.lead_since"
        }
    };
    let row = db.one(sql, args![party.number()]).await?;
    Ok(row.map(|r| Ok::<_, DbError>(Mover { person: r.get(0)?, name: r.get(1)?, at: r.get(2)? })).transpose()?)
}

/// How many duties a person is asked about, their own and those of teams they answer for, up
/// to a thousand.
pub async fn due_count(db: &Db, now: DateTime<Utc>, person: PersonId) -> Result<i64, Error> {
    let mut total = 0;
    for party in answerable(db, person).await? {
        let (sql, more) = condition(now, mover(db, party).await?.map(|m| m.at));
        let mut list = args![party.kind(), party.number()];
        list.extend(more);
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM assignment s JOIN agent a ON a.id = s.agent_id WHERE {sql} \
             LIMIT {COUNTED}) counted"
        );
        total += db.one(sql, list).await?.map(|r| r.get::<i64>(0)).transpose()?.unwrap_or(0);
        if total >= COUNTED {
            return Ok(COUNTED);
        }
    }
    Ok(total)
}

/// A row of what is due.
fn asked(r: &Row, party: Party, mover: Option<&Mover>) -> Result<Due, Error> {
    let (tier, said_at): (Tier, DateTime<Utc>) = (r.get(2)?, r.get(4)?);
    let by_tier = said_at + TimeDelta::days(tier.ownership_cadence_days());
    let moved = mover.filter(|m| m.at > said_at).cloned();
    Ok(Due {
        agent: r.get(0)?,
        name: r.get(1)?,
        tier,
        duty: r.get(3)?,
        party,
        party_name: String::new(),
        said_at,
        due_at: moved.as_ref().map_or(by_tier, |m| m.at.min(by_tier)),
        moved,
        id: r.get(5)?,
    })
}

/// What these parties are asked about until a moment that may lie ahead, at most so many of
/// each, without the parties' names.
pub(crate) async fn due_by(db: &Db, parties: &[Party], until: DateTime<Utc>, most: i64) -> Result<Vec<Due>, Error> {
    let mut out = Vec::new();
    for party in parties.iter().copied() {
        let mover = mover(db, party).await?;
        let (sql, more) = condition(until, mover.as_ref().map(|m| m.at));
        let mut list = args![party.kind(), party.number()];
        list.extend(more);
        list.push(Arg::from(most));
        let sql = format!(
            "SELECT a.id, a.name, a.tier, s.duty, COALESCE(s.confirmed_at, s.accepted_at), s.id FROM assignment s \
             JOIN agent a ON a.id = s.agent_id WHERE {sql} ORDER BY s.agent_id, s.id LIMIT ${}",
            list.len()
        );
        for r in db.all(sql, list).await? {
            out.push(asked(&r, party, mover.as_ref())?);
        }
    }
    Ok(out)
}

/// A page of what a person is asked about, by agent.
pub async fn due(db: &Db, by: By<'_>, cursor: Option<&str>, limit: i64) -> Result<Page<Due>, Error> {
    can(by.actor, Action::AssignmentConfirm, Relation::Owner)?;
    let Some(me) = by.actor.person_id() else {
        return Err(Error::Conflict("Only a person is asked what is theirs.".into()));
    };
    let cursor = cursor.map(|c| Cursor::decode(c, "due")).transpose()?;
    let back = cursor.as_ref().is_some_and(|c| c.b);
    let (sign, direction) = if back { ("<", "DESC") } else { (">", "ASC") };
    let mut items: Vec<Due> = Vec::new();
    for party in answerable(db, me).await? {
        let mover = mover(db, party).await?;
        let (sql, more) = condition(by.now, mover.as_ref().map(|m| m.at));
        let mut list = args![party.kind(), party.number()];
        list.extend(more);
        let mut after = String::new();
        if let Some(c) = &cursor {
            let n = list.len();
            after = format!(" AND (s.agent_id, s.id) {sign} (${}, ${})", n + 1, n + 2);
            list.extend(args![c.k.parse::<i64>().unwrap_or(0), c.i]);
        }
        list.push(Arg::from(limit + 1));
        let sql = format!(
            "SELECT a.id, a.name, a.tier, s.duty, COALESCE(s.confirmed_at, s.accepted_at), s.id FROM assignment s \
             JOIN agent a ON a.id = s.agent_id WHERE {sql}{after} ORDER BY s.agent_id {direction}, s.id {direction} \
             LIMIT ${}",
            list.len()
        );
        for r in db.all(sql, list).await? {
            items.push(asked(&r, party, mover.as_ref())?);
        }
    }
    items.sort_by_key(|d| (d.agent, d.id));
    if back {
        items.reverse();
    }
    let mut reads = db;
    let names = party_names(&mut reads, items.iter().map(|d| d.party).collect::<Vec<_>>()).await?;
    for item in &mut items {
        item.party_name = names.get(&item.party).cloned().unwrap_or_else(|| item.party.to_string());
    }
    let total = due_count(db, by.now, me).await?;
    let total = (total < COUNTED).then_some(total);
    Ok(paged(items, limit, cursor.as_ref(), total, |d, b| Cursor {
        s: "due".into(),
        k: d.agent.0.to_string(),
        i: d.id,
        b,
    }))
}

/// Says that duties are still one's own, or one's team's. All of them or none.
pub async fn confirm(db: &Db, by: By<'_>, duties: &[(AgentId, Duty)]) -> Result<usize, Error> {
    can(by.actor, Action::AssignmentConfirm, Relation::Owner)?;
    let Some(me) = by.actor.person_id() else {
        return Err(Error::Conflict("Only a person says what is theirs.".into()));
    };
    if duties.len() > MOST {
        return Err(Error::field("/confirmations", format!("At most {MOST} duties are confirmed at once.")));
    }
    let mine = answerable(db, me).await?;
    let mut change = Change::begin(db, by).await?;
    let mut agents = Vec::new();
    for (agent, duty) in duties {
        let row = change
            .tx
            .one(
                "SELECT id, party_kind, party_id, COALESCE(confirmed_at, accepted_at) FROM assignment \
                 WHERE agent_id = $1 AND duty = $2 AND role = 'A' AND valid_to IS NULL AND accepted_at IS NOT NULL",
                args![*agent, duty.key()],
            )
            .await?;
        let held = match &row {
            Some(r) => Party::from_stored(&r.get::<String>(1)?, r.get(2)?).filter(|p| mine.contains(p)),
            None => None,
        };
        // Of what is not theirs they learn only that it is not.
        let (Some(row), Some(party)) = (row, held) else {
            let denied = can(by.actor, Action::AssignmentConfirm, Relation::None);
            return Err(denied.err().map_or_else(|| Error::NotFound("such a duty of yours".into()), Error::Denied));
        };
        let id: i64 = row.get(0)?;
        let event = change.event("owner", "assignment.confirmed", agent);
        change.describe(
            event,
            json!({"said_at": crate::oncall::told(row.get(3)?)}),
            json!({"duty": duty, "role": "A", "party": party, "said_at": crate::oncall::told(by.now)}),
        );
        let args = args![id, by.now, change.id(event)];
        let n = change
            .tx
            .run("UPDATE assignment SET confirmed_at = $2, event_id = $3 WHERE id = $1 AND valid_to IS NULL", args)
            .await?;
        if n != 1 {
            return Err(Error::Conflict(format!(
                "{} of {agent} changed hands at the same moment.",
                duty.owner_title()
            )));
        }
        change.wrote(event, &change::ASSIGNMENT, id);
        agents.push(*agent);
    }
    agents.sort_unstable();
    agents.dedup();
    reassess(&mut change, &agents, false).await?;
    change.commit().await?;
    Ok(duties.len())
}
