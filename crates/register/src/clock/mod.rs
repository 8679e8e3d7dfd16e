//! The clock: what is due by it, done once however many servers there are, however late. What is
//! shown never waits for it: everything is computed from facts and `now`. What the clock does is
//! to fold counters, to tell people in time, to stop what was to stop at an instant, and to keep
//! the posture of each day.
//!
//! It asks a few indexes for the earliest instant, so what it costs does not grow with the estate.
//! Each piece of work takes what is due out of its table in the transaction of its effect.

pub mod alarms;
pub mod bell;
pub mod days;
pub(crate) mod exceptions;
pub mod turns;

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::Actor;

use crate::args;
use crate::change::{By, Change};
use crate::db::{Db, DbError};
use crate::error::Error;
use crate::stops::calls::Begun;

/// The earliest instant of each index that is asked.
pub const EARLIEST: [&str; 2] = ["SELECT MIN(at) FROM turn", "SELECT MIN(at) FROM alarm"];

/// A piece of work that was due and is done.
#[derive(Debug, Default)]
pub struct Done {
    /// How many agents were assessed again.
    pub turns: usize,
    /// How many alarms went off.
    pub alarms: usize,
    /// How many days were kept.
    pub days: usize,
    /// How late the first of it was.
    pub lag: TimeDelta,
    /// The webhooks that are to be called for what was stopped.
    pub calls: Vec<Begun>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Turn,
    Alarm,
    Day,
}

async fn sources(db: &Db, now: DateTime<Utc>) -> Result<[(Option<DateTime<Utc>>, Source); 3], DbError> {
    let mut at = [None, None];
    for (at, sql) in at.iter_mut().zip(EARLIEST) {
        *at = db.one(sql, args![]).await?.map(|r| r.get(0)).transpose()?.flatten();
    }
    let mut reads = db;
    let day = domain::posture::day_due(days::last(&mut reads, now).await?, now);
    Ok([(at[0], Source::Turn), (at[1], Source::Alarm), (Some(day), Source::Day)])
}

/// When the clock is next needed.
pub async fn next(db: &Db, now: DateTime<Utc>) -> Result<DateTime<Utc>, DbError> {
    let found = sources(db, now).await?;
    Ok(found.into_iter().filter_map(|(at, _)| at).min().unwrap_or(now + TimeDelta::days(1)))
}

/// Does a batch of what is due, the earliest first; `None` when nothing is. What fails keeps
/// nothing else from being done.
///
/// # Errors
/// When something is due and nothing of it could be done.
pub async fn step(db: &Db, now: DateTime<Utc>) -> Result<Option<Done>, Error> {
    let mut due: Vec<_> =
        sources(db, now).await?.into_iter().filter_map(|(at, s)| Some((at.filter(|at| *at <= now)?, s))).collect();
    due.sort_unstable();
    let mut failed = None;
    for (at, source) in due {
        match work(db, now, source).await {
            Ok(done) => return Ok(Some(Done { lag: now - at, ..done })),
            Err(error) => failed = failed.or(Some(error)),
        }
    }
    failed.map_or(Ok(None), Err)
}

async fn work(db: &Db, now: DateTime<Utc>, source: Source) -> Result<Done, Error> {
    Ok(match source {
        Source::Turn => Done { turns: turns::fold(db, now).await?, ..Done::default() },
        Source::Alarm => alarms::go_off(db, now).await?,
        Source::Day => Done { days: usize::from(days::keep(db, now).await?), ..Done::default() },
    })
}

/// Muster's own change, while no other server's clock works: what was due is looked up within it.
pub(crate) async fn begin<'a>(db: &Db, muster: &'a Actor, now: DateTime<Utc>) -> Result<Change<'a>, DbError> {
    let mut change = Change::begin(db, By { actor: muster, now }).await?;
    change.tx.run("UPDATE sequence SET last = last WHERE noun = 'clock'", args![]).await?;
    Ok(change)
}
