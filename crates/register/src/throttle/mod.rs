//! Sign-ins that failed, by account and by address. An attempt is counted before the
//! password is looked at, so that a hundred at once are a hundred failures, and taken
//! back when it succeeds.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use crate::args;
use crate::db::{Db, DbError};

/// Failures are forgotten after this long without another.
const FORGOTTEN: TimeDelta = TimeDelta::minutes(15);
/// The first wait; each failure doubles it.
const FIRST: i64 = 30;
/// The longest wait, in seconds.
const LONGEST: i64 = 15 * 60;

/// What failures are counted under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    stored: String,
    /// Failures that cost nothing.
    free: i64,
}

impl Key {
    /// An account, known or not: by its address as typed, which is not kept.
    pub fn account(email: &str) -> Self {
        let digest = Sha256::digest(domain::text::fold(email));
        Self { stored: format!("account:{}", hex::encode(&digest[..16])), free: 5 }
    }

    /// Where the attempt comes from. Many people may share one, so more is free.
    pub fn address(address: &str) -> Self {
        Self { stored: format!("address:{address}"), free: 20 }
    }
}

/// The wait in seconds that so many failures cost from the last of them.
fn wait(failures: i64, free: i64) -> i64 {
    let beyond = failures - free;
    if beyond < 0 { 0 } else { (FIRST << beyond.min(10)).min(LONGEST) }
}

/// Counts an attempt under every key, unless one of them has to wait: then the seconds.
pub async fn attempt(db: &Db, keys: &[Key], now: DateTime<Utc>) -> Result<Result<(), i64>, DbError> {
    let mut tx = db.begin().await?;
    let mut longest = 0;
    for key in keys {
        // The row is written before it is read, so that two attempts at once cannot both
        // be the last free one.
        let row = tx
            .one(
                "INSERT INTO throttle (key, failures, last_at) VALUES ($1, 1, $2) \
                 ON CONFLICT (key) DO UPDATE SET \
                   failures = CASE WHEN throttle.last_at <= $3 THEN 1 ELSE throttle.failures + 1 END, \
                   last_at = throttle.last_at \
                 RETURNING failures, last_at",
                args![&key.stored, now, now - FORGOTTEN],
            )
            .await?;
        let Some(row) = row else { continue };
        let (failures, last): (i64, DateTime<Utc>) = (row.get(0)?, row.get(1)?);
        let until = last + TimeDelta::seconds(wait(failures - 1, key.free));
        // Rounded up: who comes when told is let in.
        longest = longest.max((until - now).num_milliseconds().max(0).saturating_add(999) / 1000);
    }
    if longest > 0 {
        // Dropped without commit: who waits is not counted again.
        return Ok(Err(longest.min(LONGEST)));
    }
    for key in keys {
        tx.run("UPDATE throttle SET last_at = $2 WHERE key = $1", args![&key.stored, now]).await?;
    }
    tx.commit().await?;
    Ok(Ok(()))
}

/// Takes the attempt back: it succeeded. The account begins anew; the address keeps its
/// other failures, or one good account would pay for guesses at all the others.
pub async fn succeeded(db: &Db, account: &Key, address: &Key) -> Result<(), DbError> {
    db.run("DELETE FROM throttle WHERE key = $1", args![&account.stored]).await?;
    db.run("UPDATE throttle SET failures = failures - 1 WHERE key = $1 AND failures > 0", args![&address.stored])
        .await?;
    Ok(())
}

/// Removes what is forgotten.
pub async fn sweep(db: &Db, now: DateTime<Utc>) -> Result<u64, DbError> {
    db.run("DELETE FROM throttle WHERE last_at <= $1", args![now - FORGOTTEN]).await
}

#[cfg(test)]
mod tests {
    use super::wait;

    #[test]
    fn the_wait_doubles_up_to_a_quarter_of_an_hour() {
        let waits: Vec<i64> = (3..13).map(|failures| wait(failures, 5)).collect();
        assert_eq!(waits, [0, 0, 30, 60, 120, 240, 480, 900, 900, 900]);
    }
}
