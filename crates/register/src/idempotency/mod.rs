//! Keys that make a request safe to repeat: the first answer is kept for a day and given
//! again, and what was asked is done once.
//!
//! A key is claimed before the change and its answer kept after it, each in a transaction
//! of its own, so a server may stop between the change and the keeping. Nothing is guessed
//! then: a change and its event are one transaction and carry the moment of the request,
//! so the record knows whether it was made. If it was not, the repeat does it; if it was,
//! the repeat is told so ([`Claim::Done`]), though the answer itself is lost.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::args;
use crate::db::{Db, DbError};

/// How long an answer is kept.
pub const KEPT: TimeDelta = TimeDelta::hours(24);
/// How long another server may be at it before it is taken to have stopped: longer than any
/// request that may carry a key.
const AT_IT: TimeDelta = TimeDelta::minutes(2);

/// Which request, and who is at it.
#[derive(Debug, Clone)]
pub struct Request {
    /// Who asks: keys of different actors have nothing to do with each other.
    pub actor: String,
    /// The key.
    pub key: String,
    /// What is asked: a digest of method, address and body.
    pub sha256: String,
    /// When: the moment that its change, if it makes one, is recorded at.
    pub at: DateTime<Utc>,
    /// The running server: another one may have stopped halfway.
    pub server: String,
}

/// An answer, as it is given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers that belong to the answer itself.
    pub headers: Vec<Named>,
    /// The body.
    pub body: String,
}

/// A header.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// What a key says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// New: do it, then [`keep`] or [`release`].
    Mine,
    /// Done before: give this answer again.
    Answered(Answer),
    /// Being done now.
    Running,
    /// The key was used for something else.
    Other,
    /// It was done, and a server stopped before the answer was kept: the event's action and
    /// subject.
    Done(Made),
}

/// What a request brought about, by its first event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// `agent.created`.
    pub action: String,
    /// `AG-7`.
    pub subject: String,
}

/// Claims the key for a request, or says what became of it.
pub async fn claim(db: &Db, request: &Request) -> Result<Claim, DbError> {
    let fresh = db
        .run(
            "INSERT INTO idempotency (actor, key, request_sha256, status, headers, body, at) \
             VALUES ($1, $2, $3, 0, '', $4, $5) ON CONFLICT (actor, key) DO UPDATE SET \
             request_sha256 = excluded.request_sha256, status = 0, headers = '', body = excluded.body, \
             at = excluded.at WHERE idempotency.at <= $6",
            args![&request.actor, &request.key, &request.sha256, &request.server, request.at, request.at - KEPT],
        )
        .await?;
    if fresh == 1 {
        return Ok(Claim::Mine);
    }
    let row = db
        .one(
            "SELECT request_sha256, status, headers, body, at FROM idempotency WHERE actor = $1 AND key = $2",
            args![&request.actor, &request.key],
        )
        .await?;
    // Released this very moment: whoever asks again will find it free.
    let Some(row) = row else { return Ok(Claim::Running) };
    if row.get::<String>(0)? != request.sha256 {
        return Ok(Claim::Other);
    }
    let (status, body, at): (i64, String, DateTime<Utc>) = (row.get(1)?, row.get(3)?, row.get(4)?);
    if let Some(status) = u16::try_from(status).ok().filter(|s| *s != 0) {
        let headers = serde_json::from_str(&row.get::<String>(2)?).unwrap_or_default();
        return Ok(Claim::Answered(Answer { status, headers, body }));
    }
    // While it is at it, a row's body names the server; our own always comes to an end.
    if body == request.server {
        return Ok(Claim::Running);
    }
    if let Some(made) = made(db, &request.actor, at).await? {
        return Ok(Claim::Done(made));
    }
    if request.at - at < AT_IT {
        return Ok(Claim::Running);
    }
    let taken = db
        .run(
            "UPDATE idempotency SET body = $3, at = $4 WHERE actor = $1 AND key = $2 AND status = 0 AND at = $5",
            args![&request.actor, &request.key, &request.server, request.at, at],
        )
        .await?;
    Ok(if taken == 1 { Claim::Mine } else { Claim::Running })
}

/// What an actor did at a moment, if anything.
pub async fn made(db: &Db, actor: &str, at: DateTime<Utc>) -> Result<Option<Made>, DbError> {
    db.one(
        "SELECT action, subject FROM audit_event WHERE at = $1 AND actor || '' = $2 ORDER BY seq LIMIT 1",
        args![at, actor],
    )
    .await?
    .map(|r| Ok(Made { action: r.get(0)?, subject: r.get(1)? }))
    .transpose()
}

/// Keeps the answer of a claimed request.
pub async fn keep(db: &Db, request: &Request, answer: &Answer) -> Result<(), DbError> {
    let headers = serde_json::to_string(&answer.headers).unwrap_or_default();
    db.run(
        "UPDATE idempotency SET status = $4, headers = $5, body = $6 \
         WHERE actor = $1 AND key = $2 AND at = $3 AND status = 0",
        args![&request.actor, &request.key, request.at, i64::from(answer.status), headers, &answer.body],
    )
    .await?;
    Ok(())
}

/// Gives the key back: nothing was done, so that the same key may be sent again, corrected.
pub async fn release(db: &Db, request: &Request) -> Result<(), DbError> {
    db.run(
        "DELETE FROM idempotency WHERE actor = $1 AND key = $2 AND at = $3 AND status = 0",
        args![&request.actor, &request.key, request.at],
    )
    .await?;
    Ok(())
}
