//! Files on their way in: staged outside the record, seen by whoever sent them, forgotten
//! after a day.

use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::id::PersonId;
use domain::import::MAX_BYTES;
use sha2::{Digest as _, Sha256};

use crate::args;
use crate::change::By;
use crate::db::Db;
use crate::error::Error;
use crate::random;

/// How many hours a file waits.
pub const KEPT_HOURS: i64 = 24;
/// Files of one person that wait at once; an older one makes room.
const WAITING: i64 = 10;

/// A file on its way in.
#[derive(Debug, Clone)]
pub struct Upload {
    /// Its id, in addresses.
    pub id: String,
    /// What it was called.
    pub name: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
    /// What was chosen so far, in the page's own form.
    pub form: String,
    /// When it came.
    pub at: DateTime<Utc>,
}

/// Only people send files; a program uses the command line.
fn sender(by: By<'_>) -> Result<PersonId, Error> {
    can(by.actor, Action::ImportRun, Relation::None)?;
    by.actor.person_id().ok_or_else(|| {
        Error::Denied(domain::can::Denied::Forbidden("A person sends a file; a program runs `muster import`.".into()))
    })
}

/// Stages a file.
pub async fn put(db: &Db, by: By<'_>, name: &str, bytes: Vec<u8>, form: &str) -> Result<String, Error> {
    let me = sender(by)?;
    if bytes.len() > MAX_BYTES {
        return Err(Error::field("/file", "The file has more than 64 MiB."));
    }
    db.run("DELETE FROM upload WHERE at < $1", args![by.now - TimeDelta::hours(KEPT_HOURS)]).await?;
    db.run(
        "DELETE FROM upload WHERE person_id = $1 AND id NOT IN \
         (SELECT id FROM upload WHERE person_id = $1 ORDER BY at DESC LIMIT $2)",
        args![me, WAITING - 1],
    )
    .await?;
    let id = hex::encode(random::bytes::<12>());
    let name: String =
        name.rsplit(['/', '\\']).next().unwrap_or(name).chars().filter(|c| !c.is_control()).take(200).collect();
    let name = if name.trim().is_empty() { "inventory.csv".to_owned() } else { name };
    let sha256 = hex::encode(Sha256::digest(&bytes));
    db.run(
        "INSERT INTO upload (id, person_id, name, sha256, content, form, at) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        args![&id, me, name, sha256, bytes, form, by.now],
    )
    .await?;
    Ok(id)
}

/// A staged file of the actor's own, with its bytes.
pub async fn upload(db: &Db, by: By<'_>, id: &str) -> Result<(Upload, Vec<u8>), Error> {
    let me = sender(by)?;
    let row = db
        .one("SELECT id, name, sha256, form, at, content FROM upload WHERE id = $1 AND person_id = $2", args![id, me])
        .await?
        .ok_or_else(|| Error::NotFound("staged file by this address; send it again".into()))?;
    let upload = Upload { id: row.get(0)?, name: row.get(1)?, sha256: row.get(2)?, form: row.get(3)?, at: row.get(4)? };
    Ok((upload, row.get(5)?))
}

/// The actor's staged files, newest first.
pub async fn uploads(db: &Db, by: By<'_>) -> Result<Vec<Upload>, Error> {
    let me = sender(by)?;
    let rows = db
        .all(
            "SELECT id, name, sha256, form, at FROM upload WHERE person_id = $1 ORDER BY at DESC LIMIT $2",
            args![me, WAITING],
        )
        .await?;
    rows.iter()
        .map(|r| Ok(Upload { id: r.get(0)?, name: r.get(1)?, sha256: r.get(2)?, form: r.get(3)?, at: r.get(4)? }))
        .collect()
}

/// Remembers what was chosen for a staged file.
pub async fn remember(db: &Db, by: By<'_>, id: &str, form: &str) -> Result<(), Error> {
    let me = sender(by)?;
    let n = db.run("UPDATE upload SET form = $3 WHERE id = $1 AND person_id = $2", args![id, me, form]).await?;
    if n == 1 { Ok(()) } else { Err(Error::NotFound("staged file by this address; send it again".into())) }
}

/// Forgets a staged file.
pub async fn discard(db: &Db, by: By<'_>, id: &str) -> Result<(), Error> {
    let me = sender(by)?;
    db.run("DELETE FROM upload WHERE id = $1 AND person_id = $2", args![id, me]).await?;
    Ok(())
}
