//! Conditions of approvals: dated tasks, each with an owner.

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::id::{AgentId, PersonId, RequestId};
use serde_json::{Value, json};

use super::{agent, words};
use crate::agents::assess::reassess;
use crate::agents::moves;
use crate::agents::relation::capacity;
use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Arg, Db, DbError, Reads, Row};
use crate::error::Error;

/// A condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Its number.
    pub id: i64,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: String,
    /// The request whose approval depends on it.
    pub request: RequestId,
    /// The step.
    pub place: i64,
    /// What must be done.
    pub words: String,
    /// By whom.
    pub owner: (PersonId, String),
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// When it was met, by whom as in the record, and what they said.
    pub met: Option<(DateTime<Utc>, String, String)>,
}

const SELECT: &str = "SELECT c.id, c.agent_id, a.name, c.request_id, c.place, c.words, c.owner_id, p.name, c.due_at, \
     c.met_at, c.met_by, c.note FROM condition c JOIN agent a ON a.id = c.agent_id JOIN person p ON p.id = c.owner_id";

fn read(r: &Row) -> Result<Condition, DbError> {
    let met_at: Option<DateTime<Utc>> = r.get(9)?;
    let (by, note): (String, String) = (r.get(10)?, r.get(11)?);
    Ok(Condition {
        id: r.get(0)?,
        agent: r.get(1)?,
        agent_name: r.get(2)?,
        request: r.get(3)?,
        place: r.get(4)?,
        words: r.get(5)?,
        owner: (r.get(6)?, r.get(7)?),
        due_at: r.get(8)?,
        met: met_at.map(|at| (at, by, note)),
    })
}

/// The conditions of a request.
pub(crate) async fn of_request(reads: &mut impl Reads, id: RequestId) -> Result<Vec<Condition>, DbError> {
    let sql = format!("{SELECT} WHERE c.request_id = $1 ORDER BY c.id");
    reads.rows(sql, vec![Arg::from(id)]).await?.iter().map(read).collect()
}

/// The unmet conditions of an agent, soonest first.
pub async fn of_agent(reads: &mut impl Reads, id: AgentId) -> Result<Vec<Condition>, DbError> {
    let sql = format!("{SELECT} WHERE c.agent_id = $1 AND c.met_at IS NULL ORDER BY c.due_at, c.id LIMIT 100");
    reads.rows(sql, vec![Arg::from(id)]).await?.iter().map(read).collect()
}

/// The unmet conditions that a person owns, soonest first.
pub async fn waiting(reads: &mut impl Reads, person: PersonId) -> Result<Vec<Condition>, DbError> {
    let sql = format!("{SELECT} WHERE c.owner_id = $1 AND c.met_at IS NULL ORDER BY c.due_at, c.id LIMIT 100");
    reads.rows(sql, vec![Arg::from(person)]).await?.iter().map(read).collect()
}

/// Whether the actor may say that a condition is met.
pub async fn may_meet(db: &Db, by: By<'_>, id: i64) -> Result<(), Error> {
    let missing = || Error::NotFound("such condition".into());
    let mut reads = db;
    let found = reads.rows(format!("{SELECT} WHERE c.id = $1"), args![id]).await?;
    let condition = found.first().map(read).transpose()?.ok_or_else(missing)?;
    stands(&mut reads, by, &condition).await?;
    Ok(())
}

/// How the actor stands to a condition, if they may say that it is met.
async fn stands(reads: &mut impl Reads, by: By<'_>, condition: &Condition) -> Result<Relation, Error> {
    let stands = if by.actor.person_id() == Some(condition.owner.0) {
        Relation::Owner
    } else {
        let seen = agent(reads, by, condition.agent).await;
        // Owning the agent is not owning the condition.
        seen.map_err(|_| Error::NotFound("such condition".into()))?.1.max(Relation::Requester)
    };
    can(by.actor, Action::ConditionMeet, stands)?;
    Ok(stands)
}

/// Says that a condition is met, and how.
pub async fn meet(db: &Db, by: By<'_>, id: i64, how: &str) -> Result<RequestId, Error> {
    let how = words(how, "/note", Some("Say how it was met, or where that can be seen."))?;
    let missing = || Error::NotFound("such condition".into());
    let mut change = Change::begin(db, by).await?;
    let sql = format!("{SELECT} WHERE c.id = $1");
    let found = change.tx.rows(sql.clone(), args![id]).await?;
    let about = found.first().map(read).transpose()?.ok_or_else(missing)?.agent;
    moves::hold(&mut change, about).await?;
    let found = change.tx.rows(sql, args![id]).await?;
    let condition = found.first().map(read).transpose()?.ok_or_else(missing)?;
    let stands = stands(&mut change.tx, by, &condition).await?;
    let mine = stands == Relation::Owner;
    if condition.met.is_some() {
        return Err(Error::Conflict("It was met already.".into()));
    }
    let event = change.event(
        if mine { "condition's owner".to_owned() } else { capacity(by.actor, stands) },
        "condition.met",
        about,
    );
    let args = args![id, change.id(event), by.now, by.actor.who.to_string(), &how];
    let sql =
        "UPDATE condition SET event_id = $2, met_at = $3, met_by = $4, note = $5 WHERE id = $1 AND met_at IS NULL";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Conflict("Somebody else said so at the same moment.".into()));
    }
    change.wrote(event, &change::CONDITION, id);
    change.describe(event, Value::Null, json!({"request": condition.request, "condition": condition.words}));
    change.because(event, how);
    reassess(&mut change, &[about], false).await?;
    change.commit().await?;
    Ok(condition.request)
}
