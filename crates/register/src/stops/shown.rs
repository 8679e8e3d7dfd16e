//! Calls and rehearsals as they are read.

use domain::can::Actor;
use domain::id::{AgentId, PersonId};
use domain::party::Party;
use domain::stop::{Call, CallState, Told};

use crate::agents::assess::party_names;
use crate::args;
use crate::change::By;
use crate::db::{Db, DbError, Reads, Row};
use crate::error::Error;

/// Outcome, due, stopped, denied and whether it is manual, from these columns on.
pub(super) fn told(r: &Row, at: usize) -> Result<Told, DbError> {
    Ok(Told {
        outcome: r.get::<Option<String>>(at)?.and_then(|o| o.parse().ok()),
        due_at: r.get(at + 1)?,
        stopped_at: r.get(at + 2)?,
        denied_at: r.get(at + 3)?,
        manual: r.get(at + 4)?,
    })
}

/// What [`calls`] reads, in its order.
const COLUMNS: &str = "delivery, surface, method_version, stopping_id IS NULL, begun_by, begun_at, outcome, due_at, \
     stopped_at, denied_at, evidence_sha256 IS NOT NULL, detail, seconds, witness_id, evidence_sha256, note, answered_at";

/// The newest calls and rehearsals of an agent, for whoever may see them.
pub async fn shown(db: &Db, by: By<'_>, agent: AgentId, limit: i64) -> Result<Vec<Call>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM stop_call WHERE agent_id = $1 ORDER BY id DESC LIMIT $2");
    calls(db, by, db.all(sql, args![agent, limit]).await?).await
}

/// One call of an agent; `None` if it has no such call.
pub async fn one(db: &Db, by: By<'_>, agent: AgentId, delivery: &str) -> Result<Option<Call>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM stop_call WHERE delivery = $1 AND agent_id = $2");
    Ok(calls(db, by, db.all(sql, args![delivery, agent]).await?).await?.pop())
}

/// The calls that a stop made, in the order of their making.
pub(super) async fn of_stop(db: &Db, by: By<'_>, stopping: i64) -> Result<Vec<Call>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM stop_call WHERE stopping_id = $1 ORDER BY id");
    calls(db, by, db.all(sql, args![stopping]).await?).await
}

async fn calls(db: &Db, by: By<'_>, rows: Vec<Row>) -> Result<Vec<Call>, Error> {
    let mut out = Vec::with_capacity(rows.len());
    let mut people = Vec::new();
    for r in &rows {
        people.extend(r.get::<String>(4)?.parse::<Party>());
        people.extend(r.get::<Option<PersonId>>(13)?.map(Party::Person));
    }
    let mut reads = db;
    let names = party_names(&mut reads, people).await?;
    let called = |p: Party| names.get(&p).cloned().unwrap_or_else(|| p.to_string());
    for r in rows {
        let call = told(&r, 6)?;
        let state = call.state(by.now);
        let begun_by: String = r.get(4)?;
        let witness: Option<PersonId> = r.get(13)?;
        out.push(Call {
            delivery: r.get(0)?,
            surface: r.get(1)?,
            version: r.get(2)?,
            drill: r.get(3)?,
            begun_by: begun_by.parse::<Party>().map_or(begun_by, called),
            begun_at: r.get(5)?,
            state,
            outcome: call.outcome,
            answered_at: r.get(16)?,
            detail: r.get(11)?,
            due_at: call.due_at,
            seconds: r.get::<Option<i64>>(12)?,
            evidence: r.get(14)?,
            note: r.get(15)?,
            mine: awaits_me(state, witness, by.actor),
            witness: witness.map(|w| (w, called(Party::Person(w)))),
        });
    }
    Ok(out)
}

fn awaits_me(state: CallState, witness: Option<PersonId>, actor: &Actor) -> bool {
    state == CallState::Witness && witness.is_some() && witness == actor.person_id()
}

/// Whether a call with this id is one of the agent's: for an address that names both.
pub async fn agent_of(reads: &mut impl Reads, delivery: &str) -> Result<Option<AgentId>, DbError> {
    let rows = reads.rows("SELECT agent_id FROM stop_call WHERE delivery = $1", args![delivery]).await?;
    rows.first().map(|r| r.get(0)).transpose()
}
