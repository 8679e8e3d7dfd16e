//! When people are away: said in advance, and never rewritten once it has passed.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::id::PersonId;
use domain::reach::Span;
use domain::text;
use serde_json::{Value, json};

use super::{AWAY_MAX, before, parties, settle};
use crate::args;
use crate::change::{self, By, Change, EventRef};
use crate::db::{Db, DbError, Reads};
use crate::error::{Checked, Error};
use crate::oncall::told;
use crate::people::{self, Person};

/// An absence that is or will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absence {
    /// Its number.
    pub id: i64,
    /// From when until when.
    pub span: Span,
}

/// How the actor stands to the absences of a person: oneself, or whoever manages them or leads
/// a team of theirs.
pub(super) async fn stands(reads: &mut impl Reads, by: By<'_>, person: &Person) -> Result<Relation, DbError> {
    let Some(me) = by.actor.person_id() else { return Ok(Relation::None) };
    if me == person.id {
        return Ok(Relation::Owner);
    }
    if person.manager == Some(me) {
        return Ok(Relation::Requester);
    }
    let led = reads
        .rows(
            "SELECT 1 FROM team_member m JOIN team t ON t.id = m.team_id WHERE m.person_id = $1 AND m.until IS NULL \
             AND (t.lead_id = $2 OR t.deputy_id = $2) LIMIT 1",
            args![person.id, me],
        )
        .await?;
    Ok(if led.is_empty() { Relation::None } else { Relation::Requester })
}

/// A person's absences that are or will be, by when they begin.
pub(super) async fn of(reads: &mut impl Reads, person: PersonId, now: DateTime<Utc>) -> Result<Vec<Absence>, DbError> {
    let sql = "SELECT id, from_at, until_at FROM absence WHERE person_id = $1 AND until_at > $2 AND ended_at IS NULL \
               ORDER BY until_at, id LIMIT 100";
    let rows = reads.rows(sql, args![person, now]).await?;
    let mut out = rows
        .iter()
        .map(|r| Ok(Absence { id: r.get(0)?, span: Span { from: r.get(1)?, until: Some(r.get(2)?) } }))
        .collect::<Result<Vec<_>, DbError>>()?;
    out.sort_by_key(|a| (a.span.from, a.id));
    Ok(out)
}

async fn begin<'a>(db: &Db, by: By<'a>, id: PersonId) -> Result<(Change<'a>, Person, String), Error> {
    let mut change = Change::begin(db, by).await?;
    let person = people::load(&mut change.tx, id).await?.ok_or_else(|| Error::NotFound(format!("person {id}")))?;
    let stands = stands(&mut change.tx, by, &person).await?;
    can(by.actor, Action::AbsenceWrite, stands)?;
    let capacity = match stands {
        Relation::Owner => "self".to_owned(),
        Relation::Requester => "manager".to_owned(),
        other => crate::agents::relation::capacity(by.actor, other),
    };
    Ok((change, person, capacity))
}

/// Says when a person is away: they are not asked to be on call then, and not reached. What has
/// passed counts from now. Answers its number.
pub async fn add(db: &Db, by: By<'_>, id: PersonId, from: DateTime<Utc>, until: DateTime<Utc>) -> Result<i64, Error> {
    let (mut change, person, capacity) = begin(db, by, id).await?;
    let from = from.max(by.now);
    let mut wrong = Checked::default();
    if until <= from {
        wrong.refuse("/until", "It ends before it begins, or has passed: choose a later end.");
    } else if until - from > AWAY_MAX {
        wrong.refuse("/until", "An absence is at most two years long; whoever stays away longer has left.");
    }
    if from > by.now + TimeDelta::days(750) {
        wrong.refuse("/from", "It begins within two years of today.");
    }
    wrong.done()?;
    if !person.active() {
        return Err(Error::Conflict(format!("{} has left.", person.name)));
    }
    let parties = parties(&mut change.tx, id).await?;
    let before = before(&mut change, &parties).await?;
    let number = change.next("absence", 1).await?;
    let event = change.event(capacity, "person.away", id);
    change.describe(event, Value::Null, json!({"absence": number, "from": told(from), "until": told(until)}));
    write(&mut change, event, number, id, from, until).await?;
    settle(change, before).await?;
    Ok(number)
}

async fn write(
    change: &mut Change<'_>,
    event: EventRef,
    number: i64,
    id: PersonId,
    from: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<(), Error> {
    let row = args![number, change.id(event), id, from, until, change.by.actor.who.to_string()];
    let columns = ["id", "event_id", "person_id", "from_at", "until_at", "made_by"];
    change.tx.insert("absence", &columns, vec![row], "").await?;
    change.wrote(event, &change::ABSENCE, number);
    Ok(())
}

/// Keeps that somebody who comes back was away since they left, within that change.
pub(crate) async fn were_away(
    change: &mut Change<'_>,
    event: EventRef,
    id: PersonId,
    left: DateTime<Utc>,
) -> Result<(), Error> {
    let number = change.next("absence", 1).await?;
    let now = change.by.now;
    write(change, event, number, id, left, now).await
}

/// They are back, or not away after all: what of it has passed stays in the record.
pub async fn end(db: &Db, by: By<'_>, id: PersonId, absence: i64, reason: &str) -> Result<(), Error> {
    let (mut change, _, capacity) = begin(db, by, id).await?;
    let reason = text::prose(reason, "The reason", 1000).map_err(|e| Error::field("/reason", e.to_string()))?;
    let sql = "SELECT until_at, ended_at IS NOT NULL FROM absence WHERE id = $1 AND person_id = $2";
    let Some(row) = change.tx.one(sql, args![absence, id]).await? else {
        return Err(Error::NotFound("such an absence".into()));
    };
    if row.get::<bool>(1)? || row.get::<DateTime<Utc>>(0)? <= by.now {
        return Err(Error::Conflict("It has ended already.".into()));
    }
    let parties = parties(&mut change.tx, id).await?;
    let before = before(&mut change, &parties).await?;
    let event = change.event(capacity, "person.back", id);
    change.describe(event, json!({"absence": absence}), json!({}));
    change.because(event, reason);
    let args = args![absence, by.now, change.id(event)];
    let n = change
        .tx
        .run("UPDATE absence SET ended_at = $2, event_id = $3 WHERE id = $1 AND ended_at IS NULL", args)
        .await?;
    if n != 1 {
        return Err(Error::Conflict("Somebody else ended it at the same moment.".into()));
    }
    change.wrote(event, &change::ABSENCE, absence);
    settle(change, before).await?;
    Ok(())
}
