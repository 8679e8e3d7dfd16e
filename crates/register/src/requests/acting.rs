//! Acting deciders: whoever security appoints while a capacity is vacant.

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId};
use domain::request::{ACTS_FOR, Request, Seat, decider};
use serde_json::{Value, json};

use super::seats::seats;
use super::stored::{Kept, unclosed};
use super::{agent, words};
use crate::agents::assess::reassess;
use crate::agents::moves;
use crate::args;
use crate::change::{self, By, Change};
use crate::db::Db;
use crate::error::Error;

/// Appoints who decides for a vacant capacity of an agent, for fourteen days.
pub async fn appoint(
    db: &Db,
    by: By<'_>,
    id: AgentId,
    duty: Duty,
    person: PersonId,
    why: &str,
) -> Result<DateTime<Utc>, Error> {
    let why = words(why, "/reason", Some("Say why this person decides meanwhile."))?;
    let mut change = Change::begin(db, by).await?;
    moves::hold(&mut change, id).await?;
    agent(&mut change.tx, by, id).await?;
    can(by.actor, Action::ActingAppoint, Relation::None)?;
    let who = crate::people::load(&mut change.tx, person).await?.filter(crate::people::Person::active);
    let Some(who) = who else {
        return Err(Error::field("/person", format!("There is no active person {person}.")));
    };
    let found = seats(&mut change.tx, &[(id, duty)], by.now).await?;
    let seat = Seat { acting: None, ..found.get(&(id, duty)).cloned().unwrap_or_default() };
    let open = unclosed(&mut change.tx, &[id]).await?;
    let mut all: Vec<AgentId> = open.iter().flat_map(Kept::agents).chain([id]).collect();
    all.sort_unstable();
    all.dedup();
    let justified = crate::models::justified(&mut change.tx, &all).await?;
    let small = |r: &Kept| r.agents().iter().all(|a| justified.get(a).is_some_and(|u| *u > by.now));
    let asked: Vec<Request> = open
        .iter()
        .filter(|r| r.steps.iter().any(|s| s.agent == id && s.step.duty == duty && s.step.decided.is_none()))
        .map(|r| r.rules(small(r)))
        .collect();
    let vacant =
        if asked.is_empty() { seat.holder.is_none() } else { asked.iter().any(|r| decider(r, duty, &seat).is_none()) };
    if !vacant {
        let owner = duty.owner_title();
        return Err(Error::Conflict(format!(
            "The {} is there and can decide: somebody is appointed only while the capacity is vacant.",
            owner.to_lowercase()
        )));
    }
    if asked.iter().any(|r| domain::request::barred(r, duty, person).is_some()) {
        return Err(Error::Conflict(format!(
            "{} asked for this, or has another part in it: appoint somebody else.",
            who.name
        )));
    }
    let event = change.event("security-lead", "acting.appointed", id);
    let closed = "UPDATE acting SET event_id = $3, ended_at = $4 WHERE agent_id = $1 AND duty = $2 AND ended_at IS NULL \
                  RETURNING id";
    let args = args![id, duty.key(), change.id(event), by.now];
    for r in change.tx.all(closed, args).await? {
        change.wrote(event, &change::ACTING, r.get::<i64>(0)?);
    }
    let number = change.next("acting", 1).await?;
    let until = by.now + ACTS_FOR;
    let row = args![number, change.id(event), id, duty.key(), person, by.now, until, by.actor.who.to_string(), &why,];
    let columns = ["id", "event_id", "agent_id", "duty", "person_id", "at", "until_at", "made_by", "reason"];
    change.tx.insert("acting", &columns, vec![row], "").await?;
    change.wrote(event, &change::ACTING, number);
    change.describe(
        event,
        Value::Null,
        json!({"duty": duty, "person": person, "until": domain::record::timestamp(until)}),
    );
    change.because(event, why);
    reassess(&mut change, &[id], false).await?;
    change.commit().await?;
    Ok(until)
}
