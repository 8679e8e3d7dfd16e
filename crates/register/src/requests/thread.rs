//! Questions about a request, and answers: the thread that its deciders and its requester share.

use domain::can::{Action, Relation, can};
use domain::id::{PersonId, RequestId};
use domain::request::decider;
use domain::tiding;
use serde_json::{Value, json};

use super::ends::hidden;
use super::seats::seats;
use super::{agent, stored, words};
use crate::agents::moves;
use crate::args;
use crate::change::{self, By, Change};
use crate::db::Db;
use crate::error::Error;
use crate::tidings::To;

/// Asks the requester something about a step that waits for the actor. It decides nothing.
pub async fn ask(db: &Db, by: By<'_>, id: RequestId, place: i64, question: &str) -> Result<(), Error> {
    let question = words(question, "/reason", Some("Write the question."))?;
    let (mut change, kept) = open(db, by, id).await?;
    let rules = kept.rules(false);
    let step = rules.step(place).ok_or_else(|| Error::NotFound(format!("step {place} of {id}")))?;
    let about = kept.about(place);
    let found = seats(&mut change.tx, &[(about, step.duty)], by.now).await?;
    let seat = found.get(&(about, step.duty)).cloned().unwrap_or_default();
    let principal = decider(&rules, step.duty, &seat).map(|d| d.person);
    let me = by.actor.person_id();
    let mine = principal.is_some()
        && (principal == me || seat.delegates.iter().any(|(from, to)| Some(*from) == principal && Some(*to) == me));
    if !mine {
        agent(&mut change.tx, by, kept.agent).await.map_err(|e| hidden(e, id))?;
    }
    can(by.actor, Action::RequestAsk, if mine { Relation::Owner } else { Relation::None })?;
    if step.decided.is_some() {
        return Err(Error::Conflict("This step was decided already.".into()));
    }
    let capacity = step.duty.owner_title().to_lowercase();
    write(change, &kept, place, true, capacity, "request.asked", &question, vec![kept.requester]).await
}

/// Answers, as whoever asked for the request.
pub async fn reply(db: &Db, by: By<'_>, id: RequestId, place: i64, answer: &str) -> Result<(), Error> {
    let answer = words(answer, "/reason", Some("Write the answer."))?;
    let (mut change, kept) = open(db, by, id).await?;
    let mine = by.actor.person_id() == Some(kept.requester);
    if !mine {
        agent(&mut change.tx, by, kept.agent).await.map_err(|e| hidden(e, id))?;
    }
    can(by.actor, Action::RequestAsk, if mine { Relation::Requester } else { Relation::None })?;
    if kept.steps.iter().all(|s| s.step.place != place) {
        return Err(Error::NotFound(format!("step {place} of {id}")));
    }
    let sql = "SELECT DISTINCT by_id FROM request_message WHERE request_id = $1 AND place = $2 AND question";
    let rows = change.tx.all(sql, args![id, place]).await?;
    let askers = rows.iter().map(|r| r.get(0)).collect::<Result<Vec<_>, _>>()?;
    write(change, &kept, place, false, "requester".to_owned(), "request.answered", &answer, askers).await
}

async fn open<'a>(db: &Db, by: By<'a>, id: RequestId) -> Result<(Change<'a>, stored::Kept), Error> {
    let mut change = Change::begin(db, by).await?;
    let about = stored::load(&mut change.tx, id).await?.agent;
    moves::hold(&mut change, about).await?;
    let kept = stored::load(&mut change.tx, id).await?;
    let state = kept.state(by.now);
    if state.ended() {
        agent(&mut change.tx, by, about).await.map_err(|e| hidden(e, id))?;
        return Err(Error::Conflict(format!("{id} is not open any more: {}.", state.label().to_lowercase())));
    }
    Ok((change, kept))
}

#[expect(clippy::too_many_arguments, reason = "one row, written in one place")]
async fn write(
    mut change: Change<'_>,
    kept: &stored::Kept,
    place: i64,
    question: bool,
    capacity: String,
    told: &'static str,
    said: &str,
    whom: Vec<PersonId>,
) -> Result<(), Error> {
    let Some(PersonId(me)) = change.by.actor.person_id() else {
        return Err(Error::Denied(domain::can::Denied::Forbidden("A person asks and answers.".into())));
    };
    let number = change.next("request-message", 1).await?;
    let event = change.event(capacity, told, kept.agent);
    let row = args![number, change.id(event), kept.id, place, question, change.by.now, me, said];
    let columns = ["id", "event_id", "request_id", "place", "question", "at", "by_id", "words"];
    change.tx.insert("request_message", &columns, vec![row], "").await?;
    change.wrote(event, &change::REQUEST_MESSAGE, number);
    change.describe(event, Value::Null, json!({"request": kept.id, "step": place}));
    change.because(event, said);
    let tell = if question { tiding::asked } else { tiding::answered };
    for person in whom {
        change.tell(To::Person(person), tell(kept.id, kept.kind, kept.agent, number, said));
    }
    change.commit().await?;
    Ok(())
}
