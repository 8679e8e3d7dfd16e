//! What each person chose of their notices.

use std::collections::HashMap;

use domain::can::{Action, Relation, can};
use domain::id::PersonId;
use domain::notice::Preferences;
use domain::notice::choice::{DAY, OFFSET_MAX, clock, offset_text};
use serde_json::{Value, json};

use crate::args;
use crate::change::{self, By, Change};
use crate::db::{Arg, Db, DbError, Reads, Row, marks};
use crate::error::{Checked, Error};

const SELECT: &str =
    "SELECT person_id, offset_minutes, quiet_from, quiet_until, digest_at, hows FROM notice_preference";

fn read(r: &Row) -> Result<(PersonId, Preferences), DbError> {
    let minute = |at| -> Result<Option<u16>, DbError> {
        Ok(r.get::<Option<i64>>(at)?.and_then(|m| u16::try_from(m).ok()).filter(|m| *m < DAY))
    };
    let usual = Preferences::default();
    let of = Preferences {
        offset: i32::try_from(r.get::<i64>(1)?).unwrap_or(0),
        quiet: minute(2)?.zip(minute(3)?),
        digest_at: minute(4)?.unwrap_or(usual.digest_at),
        hows: Preferences::read(&r.get::<String>(5)?),
    };
    Ok((r.get(0)?, of))
}

/// What these people chose; who never did is left out.
pub(super) async fn of_many(
    reads: &mut impl Reads,
    people: &[PersonId],
) -> Result<HashMap<PersonId, Preferences>, DbError> {
    let mut out = HashMap::new();
    for batch in people.chunks(500) {
        let sql = format!("{SELECT} WHERE person_id IN {}", marks(1, batch.len()));
        for r in reads.rows(sql, batch.iter().map(|p| Arg::from(*p)).collect()).await? {
            let (person, of) = read(&r)?;
            out.insert(person, of);
        }
    }
    Ok(out)
}

/// What the person who acts chose, and who they are.
pub async fn mine(mut db: &Db, by: By<'_>) -> Result<Preferences, Error> {
    can(by.actor, Action::NoticeRead, Relation::Owner)?;
    let me = super::oneself(by)?;
    Ok(of_many(&mut db, &[me]).await?.remove(&me).unwrap_or_default())
}

/// Keeps what the person who acts chose.
pub async fn write(db: &Db, by: By<'_>, given: &Preferences) -> Result<(), Error> {
    can(by.actor, Action::NoticeSet, Relation::Owner)?;
    let me = super::oneself(by)?;
    let mut wrong = Checked::default();
    if given.offset.abs() > OFFSET_MAX {
        wrong.refuse("/offset", "A time zone is at most 14 hours from UTC.");
    }
    if given.digest_at >= DAY {
        wrong.refuse("/digest_at", "Enter a time of day such as 08:00.");
    }
    match given.quiet {
        Some((from, until)) if from >= DAY || until >= DAY => {
            wrong.refuse("/quiet_from", "Enter times of day such as 22:00.");
        }
        Some((from, until)) if from == until => {
            wrong.refuse("/quiet_until", "Quiet hours end at another time than they begin; leave both empty for none.");
        }
        _ => {}
    }
    wrong.done()?;
    let mut change = Change::begin(db, by).await?;
    let before = of_many(&mut change.tx, &[me]).await?.remove(&me).unwrap_or_default();
    if before == *given {
        return Ok(());
    }
    let event = change.event("self", "notices.chosen", me);
    change.describe(event, told(&before), told(given));
    let row = args![
        me,
        change.id(event),
        i64::from(given.offset),
        given.quiet.map(|q| i64::from(q.0)),
        given.quiet.map(|q| i64::from(q.1)),
        i64::from(given.digest_at),
        given.stored(),
    ];
    let columns = ["person_id", "event_id", "offset_minutes", "quiet_from", "quiet_until", "digest_at", "hows"];
    let tail = "ON CONFLICT (person_id) DO UPDATE SET event_id = excluded.event_id, \
                offset_minutes = excluded.offset_minutes, quiet_from = excluded.quiet_from, \
                quiet_until = excluded.quiet_until, digest_at = excluded.digest_at, hows = excluded.hows";
    change.tx.insert("notice_preference", &columns, vec![row], tail).await?;
    change.wrote(event, &change::NOTICE_PREFERENCE, me.0);
    change.commit().await?;
    Ok(())
}

/// As the record tells it.
fn told(of: &Preferences) -> Value {
    json!({
        "time_zone": offset_text(of.offset),
        "quiet_hours": of.quiet.map(|(from, until)| format!("{}-{}", clock(from), clock(until))),
        "digest_at": clock(of.digest_at),
        "chosen": of.stored(),
    })
}
