//! What is due for a person, as a calendar that a secret link opens. Of the secret only its
//! SHA-256 is kept.

mod due;

use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::id::PersonId;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::args;
use crate::change::{self, By, Change, EventRef};
use crate::db::Db;
use crate::error::Error;
use crate::{people, random};

pub use due::{AHEAD, Due, due};

/// Since when a person has a link that opens; `None` without one.
pub async fn link(db: &Db, by: By<'_>) -> Result<Option<DateTime<Utc>>, Error> {
    let Some(me) = by.actor.person_id() else { return Ok(None) };
    let sql = "SELECT made_at FROM calendar_link WHERE person_id = $1 AND revoked_at IS NULL";
    Ok(db.one(sql, args![me]).await?.map(|r| r.get(0)).transpose()?)
}

fn digest(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

async fn begin<'a>(db: &Db, by: By<'a>) -> Result<(Change<'a>, PersonId), Error> {
    can(by.actor, Action::CalendarWrite, Relation::Owner)?;
    let me = by.actor.person_id().ok_or_else(|| Error::Conflict("Only a person has a calendar here.".into()))?;
    let mut change = Change::begin(db, by).await?;
    // One at a time, so that nobody has two.
    change.tx.run("UPDATE sequence SET last = last WHERE noun = 'calendar'", args![]).await?;
    Ok((change, me))
}

/// Ends the link that is there; answers whether there was one.
async fn end(change: &mut Change<'_>, event: EventRef, me: PersonId) -> Result<bool, Error> {
    let sql = "SELECT id FROM calendar_link WHERE person_id = $1 AND revoked_at IS NULL";
    let Some(row) = change.tx.one(sql, args![me]).await? else { return Ok(false) };
    let id: i64 = row.get(0)?;
    let args = args![id, change.by.now, change.id(event)];
    change.tx.run("UPDATE calendar_link SET revoked_at = $2, event_id = $3 WHERE id = $1", args).await?;
    change.wrote(event, &change::CALENDAR_LINK, id);
    Ok(true)
}

/// Makes a link, in the place of the one that is there. Answers the secret, which nobody can
/// read again.
pub async fn make(db: &Db, by: By<'_>) -> Result<String, Error> {
    let (mut change, me) = begin(db, by).await?;
    let id = change.next("calendar", 1).await?;
    let event = change.event("self", "calendar.link-made", me);
    let replaced = end(&mut change, event, me).await?;
    let secret = random::secret();
    let row = args![id, change.id(event), me, digest(&secret), by.now];
    let columns = ["id", "event_id", "person_id", "sha256", "made_at"];
    change.tx.insert("calendar_link", &columns, vec![row], "").await?;
    change.describe(event, Value::Null, json!({"link": id, "replaced": replaced}));
    change.wrote(event, &change::CALENDAR_LINK, id);
    change.commit().await?;
    Ok(secret)
}

/// Ends the link: from this moment it opens nothing.
pub async fn revoke(db: &Db, by: By<'_>) -> Result<(), Error> {
    let (mut change, me) = begin(db, by).await?;
    let event = change.event("self", "calendar.link-ended", me);
    if !end(&mut change, event, me).await? {
        return Err(Error::Conflict("There is no link to end.".into()));
    }
    change.commit().await?;
    Ok(())
}

/// What a link opens.
#[derive(Debug, Clone)]
pub struct Feed {
    /// Whose calendar.
    pub person: PersonId,
    /// Their name.
    pub name: String,
    /// What is due, soonest first.
    pub due: Vec<Due>,
}

/// What a secret opens; `None` where it opens nothing: it was never made, was replaced or
/// revoked, or its person has left.
pub async fn feed(db: &Db, secret: &str, now: DateTime<Utc>) -> Result<Option<Feed>, Error> {
    let sql = "SELECT person_id FROM calendar_link WHERE sha256 = $1 AND revoked_at IS NULL";
    let Some(row) = db.one(sql, args![digest(secret)]).await? else { return Ok(None) };
    let mut reads = db;
    let person = people::load(&mut reads, row.get(0)?).await?;
    let Some(person) = person.filter(people::Person::active) else { return Ok(None) };
    let due = due(db, person.id, now).await?;
    Ok(Some(Feed { person: person.id, name: person.name, due }))
}
