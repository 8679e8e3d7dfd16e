//! Changing a team's schedule.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::id::{PersonId, TeamId};
use domain::oncall::{OVERRIDE_MAX, PEOPLE_MAX, Rotation, TURN};
use domain::reach::Span;
use domain::text;
use serde_json::{Value, json};

use super::{Row, people_of, rotations, stands, told};
use crate::args;
use crate::change::{self, By, Change, EventRef};
use crate::db::{Db, DbError};
use crate::error::{Checked, Error};
use crate::people;
use crate::teams::{self, Team};

/// Longest reason, in characters.
const REASON_MAX: usize = 1000;
/// How far back or ahead a first turn may begin.
const START: TimeDelta = TimeDelta::days(366);

/// Who takes turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRotation {
    /// In their order.
    pub people: Vec<PersonId>,
    /// When the first turn begins, or began; now if not said.
    pub starts: Option<DateTime<Utc>>,
    /// How long a turn is.
    pub turn: TimeDelta,
}

/// Somebody takes over for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCover {
    /// Who.
    pub person: PersonId,
    /// From when; what has passed counts from now.
    pub from: DateTime<Utc>,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Why; may be empty.
    pub reason: String,
}

fn capacity(by: By<'_>, stands: Relation) -> String {
    match stands {
        Relation::Owner => "team-lead".to_owned(),
        Relation::Delegate => "team-member".to_owned(),
        other => crate::agents::relation::capacity(by.actor, other),
    }
}

async fn begin<'a>(db: &Db, by: By<'a>, id: TeamId, action: Action) -> Result<(Change<'a>, Team, String), Error> {
    let mut change = Change::begin(db, by).await?;
    let team = teams::load(&mut change.tx, id).await?.ok_or_else(|| Error::NotFound(format!("team {id}")))?;
    let stands = stands(&mut change.tx, by, &team).await?;
    can(by.actor, action, stands)?;
    let capacity = capacity(by, stands);
    Ok((change, team, capacity))
}

fn raced(e: DbError) -> Error {
    Error::unique(e, "Somebody else changed the rotation at the same moment; look again.")
}

/// Ends what is in force from a moment on; a rotation that had not begun by then never is.
async fn cut(change: &mut Change<'_>, event: EventRef, rows: &[Row], at: DateTime<Utc>) -> Result<(), Error> {
    for row in rows.iter().filter(|r| r.rotation.span.until.is_none_or(|u| u > at)) {
        let args = args![row.id, at.max(row.rotation.span.from), change.id(event)];
        change.tx.run("UPDATE rotation SET valid_to = $2, event_id = $3 WHERE id = $1", args).await?;
        change.wrote(event, &change::ROTATION, row.id);
    }
    Ok(())
}

async fn open(change: &mut Change<'_>, event: EventRef, team: TeamId, r: &Rotation) -> Result<i64, Error> {
    let id = change.next("rotation", 1).await?;
    let people: Vec<String> = r.people.iter().map(|p| p.0.to_string()).collect();
    let row =
        args![id, change.id(event), team, people.join(" "), r.starts, r.turn.num_seconds(), r.span.from, r.span.until,];
    let columns = ["id", "event_id", "team_id", "people", "starts_at", "turn_seconds", "valid_from", "valid_to"];
    change.tx.insert("rotation", &columns, vec![row], "").await.map_err(raced)?;
    change.wrote(event, &change::ROTATION, id);
    Ok(id)
}

fn described(r: &Rotation) -> Value {
    json!({
        "people": r.people,
        "starts": r.starts.to_rfc3339(),
        "turn_seconds": r.turn.num_seconds(),
        "from": r.span.from.to_rfc3339(),
    })
}

fn current(rows: &[Row]) -> Option<&Row> {
    rows.iter().rev().find(|r| r.rotation.span.until.is_none())
}

fn as_read(rows: &[Row], version: Option<i64>) -> Result<(), Error> {
    let now = current(rows).map_or(0, |r| r.id);
    if version.is_some_and(|v| v != now) { Err(Error::Stale(now)) } else { Ok(()) }
}

/// Says who takes turns from now on, or from a first turn that is still to come: until then
/// the present rotation stays. `version` is the one that was read. Answers the new version.
pub async fn rotate(
    db: &Db,
    by: By<'_>,
    id: TeamId,
    version: Option<i64>,
    new: &NewRotation,
    reason: &str,
) -> Result<i64, Error> {
    let (mut change, team, capacity) = begin(db, by, id, Action::OnCallWrite).await?;
    let rows = rotations(&mut change.tx, id, by.now).await?;
    as_read(&rows, version)?;
    let mut wrong = Checked::default();
    let reason = wrong.take("/reason", text::prose(reason, "The reason", REASON_MAX));
    if new.people.is_empty() {
        wrong.refuse("/people", "Name at least one person, in the order of their turns.");
    }
    if new.people.len() > PEOPLE_MAX {
        wrong.refuse("/people", format!("A rotation has at most {PEOPLE_MAX} people."));
    }
    let inside = people_of(&mut change.tx, &team).await?;
    for (at, person) in new.people.iter().enumerate().take(PEOPLE_MAX) {
        let pointer = format!("/people/{at}");
        if new.people[..at].contains(person) {
            wrong.refuse(&pointer, format!("{person} is named twice."));
        } else if !inside.iter().any(|p| p.id == *person) {
            let name = people::load(&mut change.tx, *person).await?.map_or_else(|| person.to_string(), |p| p.name);
            wrong.refuse(&pointer, format!("{name} is not in {} or has left; make them a member first.", team.name));
        }
    }
    if new.turn < TURN.0 || new.turn > TURN.1 {
        wrong.refuse("/turn_hours", "A turn is 1 hour to 56 days long.");
    } else if new.turn.subsec_nanos() != 0 {
        wrong.refuse("/turn_hours", "A turn is a whole number of seconds.");
    }
    let starts = new.starts.unwrap_or(by.now);
    if starts < by.now - START || starts > by.now + START {
        wrong.refuse("/starts_at", "The first turn begins within a year of today.");
    }
    wrong.done()?;
    let from = by.now.max(starts);
    let rotation = Rotation { people: new.people.clone(), starts, turn: new.turn, span: Span::since(from) };
    let event = change.event(capacity, "on-call.rotation-changed", id);
    change.describe(event, current(&rows).map_or(Value::Null, |r| described(&r.rotation)), described(&rotation));
    change.because(event, reason);
    cut(&mut change, event, &rows, from).await?;
    let version = open(&mut change, event, id, &rotation).await?;
    change.commit().await.map_err(raced)?;
    Ok(version)
}

/// Writes the first rotation of a team, within a change that makes an estate.
pub(crate) async fn seed(change: &mut Change<'_>, team: TeamId, rotation: &Rotation) -> Result<(), Error> {
    let event = change.event("administrator", "on-call.rotation-changed", team);
    change.describe(event, Value::Null, described(rotation));
    open(change, event, team, rotation).await?;
    Ok(())
}

/// Ends the rotation now: from then on only who takes over is on call.
pub async fn end_rotation(db: &Db, by: By<'_>, id: TeamId, version: Option<i64>, reason: &str) -> Result<(), Error> {
    let (mut change, team, capacity) = begin(db, by, id, Action::OnCallWrite).await?;
    let reason = text::prose(reason, "The reason", REASON_MAX).map_err(|e| Error::field("/reason", e.to_string()))?;
    let rows = rotations(&mut change.tx, id, by.now).await?;
    as_read(&rows, version)?;
    let Some(now) = current(&rows) else {
        return Err(Error::Conflict(format!("{} has no rotation.", team.name)));
    };
    let event = change.event(capacity, "on-call.rotation-ended", id);
    change.describe(event, described(&now.rotation), json!({}));
    change.because(event, reason);
    cut(&mut change, event, &rows, by.now).await?;
    change.commit().await?;
    Ok(())
}

/// Takes people who leave the team out of its rotation, within that change. Whoever has the
/// turn keeps it, or the next takes it over; when nobody stays the rotation ends.
pub(crate) async fn without(
    change: &mut Change<'_>,
    event: EventRef,
    team: TeamId,
    gone: &[PersonId],
) -> Result<(), Error> {
    let now = change.by.now;
    let rows = rotations(&mut change.tx, team, now).await?;
    for row in rows.into_iter().filter(|r| r.rotation.people.iter().any(|p| gone.contains(p))) {
        let stays = row.rotation.without(gone, now);
        cut(change, event, std::slice::from_ref(&row), now).await?;
        if let Some(rotation) = stays {
            open(change, event, team, &rotation).await?;
        }
    }
    Ok(())
}

/// Somebody takes over for a while. Whoever belongs to the team may take over themself or
/// give it to somebody; who takes over need not belong to it, and may then stop its agents.
pub async fn cover(db: &Db, by: By<'_>, id: TeamId, new: &NewCover) -> Result<i64, Error> {
    let (mut change, _, capacity) = begin(db, by, id, Action::OnCallCover).await?;
    let mut wrong = Checked::default();
    let reason = wrong.take("/reason", text::prose(&new.reason, "The reason", REASON_MAX));
    match people::load(&mut change.tx, new.person).await? {
        None => wrong.refuse("/person", format!("There is no {}.", new.person)),
        Some(p) if !p.active() => wrong.refuse("/person", format!("{} has left; choose somebody who is here.", p.name)),
        Some(_) => {}
    }
    let from = new.from.max(by.now);
    if new.until <= from {
        wrong.refuse("/until", "It ends before it begins, or has passed: choose a later end.");
    } else if new.until - from > OVERRIDE_MAX {
        wrong.refuse("/until", "Somebody takes over for 92 days at most; longer is a rotation.");
    }
    if from > by.now + START {
        wrong.refuse("/from", "It begins within a year of today.");
    }
    wrong.done()?;
    let number = change.next("cover", 1).await?;
    let event = change.event(capacity, "on-call.covered", id);
    change.describe(
        event,
        Value::Null,
        json!({"cover": number, "person": new.person, "from": told(from), "until": told(new.until)}),
    );
    change.because(event, &reason);
    let made_by = by.actor.who.to_string();
    let row = args![number, change.id(event), id, new.person, from, new.until, &reason, made_by];
    let columns = ["id", "event_id", "team_id", "person_id", "from_at", "until_at", "reason", "made_by"];
    change.tx.insert("cover", &columns, vec![row], "").await?;
    change.wrote(event, &change::COVER, number);
    change.commit().await?;
    Ok(number)
}

/// Takes back an override that has not ended: what of it has passed stays in the record.
pub async fn cancel(db: &Db, by: By<'_>, id: TeamId, cover: i64, reason: &str) -> Result<(), Error> {
    let (mut change, _, capacity) = begin(db, by, id, Action::OnCallCover).await?;
    let reason = text::prose(reason, "The reason", REASON_MAX).map_err(|e| Error::field("/reason", e.to_string()))?;
    let sql = "SELECT person_id, until_at, cancelled_at IS NOT NULL FROM cover WHERE id = $1 AND team_id = $2";
    let Some(row) = change.tx.one(sql, args![cover, id]).await? else {
        return Err(Error::NotFound("such an override".into()));
    };
    if row.get::<bool>(2)? || row.get::<DateTime<Utc>>(1)? <= by.now {
        return Err(Error::Conflict("It has ended already.".into()));
    }
    let event = change.event(capacity, "on-call.cover-cancelled", id);
    change.describe(event, json!({"cover": cover, "person": row.get::<PersonId>(0)?}), json!({}));
    change.because(event, reason);
    let args = args![cover, by.now, change.id(event)];
    let n = change
        .tx
        .run("UPDATE cover SET cancelled_at = $2, event_id = $3 WHERE id = $1 AND cancelled_at IS NULL", args)
        .await?;
    if n != 1 {
        return Err(Error::Conflict("Somebody else cancelled it at the same moment.".into()));
    }
    change.wrote(event, &change::COVER, cover);
    change.commit().await?;
    Ok(())
}
