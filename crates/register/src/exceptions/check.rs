//! Checking a compensating control: its owner says what they found.

use domain::can::Relation;
use domain::exception::may_check;
use domain::id::ExceptionId;
use serde_json::{Value, json};

use super::{Kept, held, stands, stored, view};
use crate::agents::assess::reassess;
use crate::args;
use crate::change::{self, By, Change};
use crate::db::Db;
use crate::error::Error;
use crate::requests::words;

/// Notes that a compensating control was checked, and what was found.
pub async fn check(db: &Db, by: By<'_>, id: ExceptionId, place: i64, note: &str) -> Result<Kept, Error> {
    let mut change = Change::begin(db, by).await?;
    let kept = held(&mut change, id).await?;
    stands(&mut change.tx, by, &kept).await?;
    let e = &kept.exception;
    let relation = view::check(by, id, e, place)?;
    let note = words(note, "/note", Some("Say what you found, or where that can be seen."))?;
    may_check(e, place, by.now).map_err(|r| Error::Conflict(r.to_string()))?;
    let capacity = if relation == Relation::Owner {
        "compensating control's owner".to_owned()
    } else {
        crate::agents::relation::capacity(by.actor, relation)
    };
    let text = e.controls.iter().find(|c| c.place == place).map(|c| c.text.as_str());
    let event = change.event(capacity, "exception.checked", id);
    let found = change
        .tx
        .one(
            "SELECT id FROM compensating_control WHERE exception_id = $1 AND place = $2 AND dropped_at IS NULL",
            args![id, place],
        )
        .await?;
    let number: i64 = found.ok_or_else(|| Error::NotFound(format!("compensating control {place} of {id}")))?.get(0)?;
    let args = args![number, change.id(event), by.now, by.actor.who.to_string(), &note];
    let sql = "UPDATE compensating_control SET event_id = $2, checked_at = $3, checked_by = $4, note = $5 \
               WHERE id = $1 AND checked_at IS NULL";
    if change.tx.run(sql, args).await? != 1 {
        return Err(Error::Conflict("Somebody else checked it at the same moment.".into()));
    }
    change.wrote(event, &change::COMPENSATING_CONTROL, number);
    change.describe(event, Value::Null, json!({"control": place, "text": text}));
    change.because(event, note);
    reassess(&mut change, &e.agents, false).await?;
    let out = stored::load(&mut change.tx, id).await?;
    change.commit().await?;
    Ok(out)
}
