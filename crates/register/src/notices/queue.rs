//! What waits, what went, what was given up: for the page of settings and for Prometheus.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::id::PersonId;

use crate::args;
use crate::change::By;
use crate::db::{Db, DbError};
use crate::error::Error;

/// So far is counted.
pub const COUNTED: i64 = 10_000;
/// Messages that were given up are shown so many at a time.
const SHOWN: i64 = 100;
/// What was sent is forgotten after this.
const SENT_KEPT: TimeDelta = TimeDelta::days(30);
/// What was read is forgotten after this.
const READ_KEPT: TimeDelta = TimeDelta::days(180);
/// Rows that go at a time.
const BATCH: i64 = 500;

/// Figures, each counted up to [`COUNTED`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// Messages that wait, digests among them.
    pub waiting: i64,
    /// Messages that were tried and did not arrive yet.
    pub failing: i64,
    /// Messages sent within the last 24 hours.
    pub sent: i64,
    /// Messages that were given up.
    pub dead: i64,
}

/// A message that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dead {
    /// Its id.
    pub delivery: String,
    /// To whom it goes, if to a person.
    pub person: Option<(PersonId, String)>,
    /// The channel it goes to, if to one.
    pub outlet: Option<String>,
    /// How many notices it carries.
    pub notices: i64,
    /// What the first of them says.
    pub what: String,
    /// How often it was tried.
    pub attempts: i64,
    /// What went wrong last.
    pub error: String,
    /// When it was given up.
    pub ended_at: DateTime<Utc>,
}

/// The figures.
pub async fn count(db: &Db, now: DateTime<Utc>) -> Result<Figures, DbError> {
    let count = async |which: &str, list: Vec<crate::db::Arg>| -> Result<i64, DbError> {
        let sql = format!("SELECT COUNT(*) FROM (SELECT 1 FROM delivery WHERE {which} LIMIT {COUNTED}) few");
        db.one(sql, list).await?.map_or(Ok(0), |r| r.get(0))
    };
    Ok(Figures {
        waiting: count("state = 'waits'", args![]).await?,
        failing: count("state = 'waits' AND attempts > 0", args![]).await?,
        sent: count("state = 'sent' AND ended_at > $1", args![now - TimeDelta::days(1)]).await?,
        dead: count("state = 'dead'", args![]).await?,
    })
}

/// The figures, for those who read settings.
pub async fn figures(db: &Db, by: By<'_>) -> Result<Figures, Error> {
    can(by.actor, Action::SettingsRead, Relation::None)?;
    Ok(count(db, by.now).await?)
}

/// Messages that were given up, newest first; `None` for who may not see to whom they go.
pub async fn dead(db: &Db, by: By<'_>) -> Result<Option<Vec<Dead>>, Error> {
    can(by.actor, Action::SettingsRead, Relation::None)?;
    let may = |action| can(by.actor, action, Relation::None).is_ok();
    if !may(Action::SettingsWrite) && !may(Action::AuditRead) {
        return Ok(None);
    }
    let sql = format!(
        "SELECT d.id, p.id, p.name, o.name, d.attempts, d.last_error, d.ended_at, \
         (SELECT COUNT(*) FROM notice n WHERE n.delivery_id = d.id), \
         COALESCE((SELECT n.what FROM notice n WHERE n.delivery_id = d.id ORDER BY n.id LIMIT 1), \
           (SELECT n.what FROM delivery_notice c JOIN notice n ON n.id = c.notice_id WHERE c.delivery_id = d.id), '') \
         FROM delivery d LEFT JOIN person p ON p.id = d.person_id LEFT JOIN outlet o ON o.id = d.outlet_id \
         WHERE d.state = 'dead' AND d.id > '' ORDER BY d.id DESC LIMIT {SHOWN}"
    );
    let mut out = Vec::new();
    for r in db.all(sql, args![]).await? {
        out.push(Dead {
            delivery: r.get(0)?,
            person: r.get::<Option<PersonId>>(1)?.zip(r.get::<Option<String>>(2)?),
            outlet: r.get(3)?,
            attempts: r.get(4)?,
            error: r.get(5)?,
            ended_at: r.get(6)?,
            notices: r.get::<i64>(7)?.max(1),
            what: r.get(8)?,
        });
    }
    Ok(Some(out))
}

/// Tries a message again that was given up, or every one. Answers how many.
pub async fn resend(db: &Db, by: By<'_>, delivery: Option<&str>) -> Result<u64, Error> {
    can(by.actor, Action::SettingsWrite, Relation::None)?;
    let which = if delivery.is_some() { "AND id = $2" } else { "" };
    let sql = format!(
        "UPDATE delivery SET state = 'waits', next_at = $1, attempts = 0, ended_at = NULL WHERE state = 'dead' {which}"
    );
    let mut list = args![by.now];
    list.extend(delivery.map(crate::db::Arg::from));
    let count = db.run(sql, list).await?;
    if count == 0 && delivery.is_some() {
        return Err(Error::Conflict("It is not among what was given up any more.".into()));
    }
    if count > 0 {
        super::written::say(vec![None]);
    }
    Ok(count)
}

/// Forgets what was sent long ago and what was read long ago, a batch. Answers how many went.
pub async fn forget(db: &Db, now: DateTime<Utc>) -> Result<u64, DbError> {
    let old = format!(
        "SELECT id FROM notice WHERE at < $1 AND (read_at IS NOT NULL OR person_id IS NULL) ORDER BY at LIMIT {BATCH}"
    );
    let mut tx = db.begin().await?;
    let mut gone = 0;
    let rows = tx.all(old, args![now - READ_KEPT]).await?;
    for r in rows {
        let id: String = r.get(0)?;
        tx.run("DELETE FROM delivery_notice WHERE notice_id = $1", args![&id]).await?;
        gone += tx.run("DELETE FROM notice WHERE id = $1", args![&id]).await?;
    }
    let sent =
        format!("SELECT id FROM delivery WHERE state = 'sent' AND ended_at < $1 ORDER BY ended_at LIMIT {BATCH}");
    let rows = tx.all(sent, args![now - SENT_KEPT]).await?;
    for r in rows {
        let id: String = r.get(0)?;
        tx.run("UPDATE notice SET delivery_id = NULL WHERE delivery_id = $1", args![&id]).await?;
        tx.run("DELETE FROM delivery_notice WHERE delivery_id = $1", args![&id]).await?;
        gone += tx.run("DELETE FROM delivery WHERE id = $1", args![&id]).await?;
    }
    tx.commit().await?;
    Ok(gone)
}
