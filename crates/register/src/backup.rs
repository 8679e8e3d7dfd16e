//! Backup and restore. A backup is one SQLite file, from either engine and for either:
//! with it one also moves from one engine to the other.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use domain::record::Head;

use crate::args;
use crate::audit::{self, Broken, Verified};
use crate::change::By;
use crate::db::{self, Db, DbError, Found, Seized};
use crate::error::Error;

/// What was restored.
#[derive(Debug)]
pub struct Restored {
    /// The record of the copy, checked before it was put in place.
    pub verified: Verified,
    /// Where the database that was there before is now.
    pub aside: Option<PathBuf>,
}

/// Writes a backup into a new file, readable by its owner alone, while others go on
/// writing. Answers the head of the copy's record.
pub async fn write(db: &Db, by: By<'_>, file: &Path) -> Result<Head, Error> {
    if file.exists() {
        return Err(Error::Conflict(format!("{} exists; a backup overwrites nothing.", file.display())));
    }
    let partial = Scratch::beside(file, "partial")?;
    db.copy_into(&partial.0).await?;
    let copy = Db::connect_file(&partial.0).await?;
    let head = audit::head(&copy, by).await?;
    copy.close().await;
    if db::seize(&partial.0).await != Seized::Yes {
        return Err(unclosed());
    }
    keep(&partial.0, file)?;
    Ok(head)
}

/// Puts a backup in the place that `url` names. What is there already stays unless `force`,
/// and is then moved aside, never deleted.
pub async fn restore(url: &str, by: By<'_>, file: &Path, force: bool) -> Result<Restored, Error> {
    refuse_foreign(file).await?;
    match db::file_of(url)? {
        Some(target) => restore_file(&target, by, file, force).await,
        None => restore_rows(url, by, file, force).await,
    }
}

async fn restore_file(target: &Path, by: By<'_>, file: &Path, force: bool) -> Result<Restored, Error> {
    let name = target.display();
    if same(target, file) {
        return Err(Error::Conflict(format!("{name} cannot be restored from itself.")));
    }
    let found = db::look(target).await;
    if !force {
        match found {
            Found::Nothing | Found::Muster(0) => {}
            Found::Muster(events) => {
                return Err(Error::Conflict(format!(
                    "{name} holds a record of {events} events. --force moves it aside and restores in its place."
                )));
            }
            Found::Other => {
                return Err(Error::Conflict(format!(
                    "{name} is there, and is no database that Muster can read. --force moves it aside."
                )));
            }
        }
    }
    let scratch = Scratch::beside(target, "restoring")?;
    scratch.fill(file)?;
    let copy = Db::connect_file(&scratch.0).await?;
    let verified = checked(&copy, by, file).await?;
    copy.close().await;
    if db::seize(&scratch.0).await != Seized::Yes {
        return Err(unclosed());
    }
    let aside = if found == Found::Nothing { None } else { Some(put_aside(target, by, force).await?) };
    keep(&scratch.0, target)?;
    // What was put aside held nothing: an empty database is not worth keeping.
    if let (Found::Muster(0), Some(aside)) = (found, &aside) {
        let _ = fs::remove_file(aside);
        return Ok(Restored { verified, aside: None });
    }
    Ok(Restored { verified, aside })
}

async fn restore_rows(url: &str, by: By<'_>, file: &Path, force: bool) -> Result<Restored, Error> {
    let target = Db::connect(url).await?;
    let events = audit::head(&target, by).await?.seq;
    if events > 0 {
        let advice = if force {
            "--force moves a SQLite file aside, which PostgreSQL has none of: create an empty database and name that."
        } else {
            "Create an empty database and name that."
        };
        return Err(Error::Conflict(format!("The database holds a record of {events} events. {advice}")));
    }
    let scratch = Scratch::beside(&std::env::temp_dir().join("muster"), "restoring")?;
    scratch.fill(file)?;
    let copy = Db::connect_file(&scratch.0).await?;
    checked(&copy, by, file).await?;
    target.take_over(&copy).await?;
    copy.close().await;
    let verified = audit::verify(&target, by, None, |_| {}).await.map_err(|e| broken(file, e))?;
    target.close().await;
    Ok(Restored { verified, aside: None })
}

/// Refuses what is no backup before anything is opened for writing.
async fn refuse_foreign(file: &Path) -> Result<(), Error> {
    let name = file.display();
    if !file.is_file() {
        return Err(Error::NotFound(format!("file {name}")));
    }
    if fs::metadata(with(file, "-wal")).is_ok_and(|m| m.len() > 0) {
        return Err(Error::Conflict(format!(
            "{name} is a database in use, whose newest changes are in another file: make a backup of it, and restore that."
        )));
    }
    match db::look(file).await {
        Found::Muster(_) => Ok(()),
        Found::Nothing | Found::Other => Err(Error::Conflict(format!("{name} is no backup of Muster, or is damaged."))),
    }
}

/// Checks a copy before it is used. Sessions stay behind: one that was revoked since must
/// not come back.
async fn checked(copy: &Db, by: By<'_>, file: &Path) -> Result<Verified, Error> {
    if !copy.sound().await? {
        return Err(Error::Conflict(format!("{} is damaged; nothing was restored.", file.display())));
    }
    let verified = audit::verify(copy, by, None, |_| {}).await.map_err(|e| broken(file, e))?;
    copy.run("DELETE FROM session", args![]).await?;
    Ok(verified)
}

fn broken(file: &Path, e: Broken) -> Error {
    match e {
        Broken::Link(link) => {
            Error::Conflict(format!("The record in {} is broken: {link}. Nothing was restored.", file.display()))
        }
        Broken::Failed(e) => e,
    }
}

/// Moves the database that is there out of the way, with all that belongs to it.
async fn put_aside(target: &Path, by: By<'_>, force: bool) -> Result<PathBuf, Error> {
    let seized = db::seize(target).await;
    if seized == Seized::InUse {
        return Err(Error::Conflict(format!("{} is in use: stop Muster, then restore.", target.display())));
    }
    if seized == Seized::Damaged && !force {
        return Err(Error::Conflict(format!("{} is damaged. --force moves it aside.", target.display())));
    }
    let stamp = by.now.format("%Y%m%dT%H%M%SZ");
    let aside = (0..1_000)
        .map(|n| if n == 0 { format!(".before-{stamp}") } else { format!(".before-{stamp}-{n}") })
        .map(|suffix| with(target, &suffix))
        .find(|path| !path.exists())
        .ok_or_else(|| Error::Conflict(format!("There is no free name to move {} to.", target.display())))?;
    for part in ["-wal", "-shm"] {
        let from = with(target, part);
        if from.exists() {
            fs::rename(from, with(&aside, part)).map_err(failed)?;
        }
    }
    fs::rename(target, &aside).map_err(failed)?;
    Ok(aside)
}

/// A file under way; gone, with what SQLite put beside it, unless it was kept.
struct Scratch(PathBuf);

impl Scratch {
    /// A new empty file in the folder of another, for its owner alone.
    fn beside(file: &Path, what: &str) -> Result<Self, Error> {
        let path = with(file, &format!(".{what}-{}", hex::encode(crate::random::bytes::<4>())));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&path).map_err(failed)?;
        Ok(Self(path))
    }
}

impl Scratch {
    /// Fills it with the bytes of another file, whose permissions stay behind.
    fn fill(&self, from: &Path) -> Result<(), Error> {
        let mut to = OpenOptions::new().write(true).truncate(true).open(&self.0).map_err(failed)?;
        io::copy(&mut File::open(from).map_err(failed)?, &mut to).map_err(failed)?;
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for part in ["", "-wal", "-shm", "-journal"] {
            let _ = fs::remove_file(with(&self.0, part));
        }
    }
}

/// Puts a finished file in its place, so that it is there whole or not at all.
fn keep(finished: &Path, place: &Path) -> Result<(), Error> {
    File::open(finished).and_then(|f| f.sync_all()).map_err(failed)?;
    fs::rename(finished, place).map_err(failed)?;
    let folder = place.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder).and_then(|f| f.sync_all()).map_err(failed)
}

fn same(a: &Path, b: &Path) -> bool {
    matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}

fn with(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn unclosed() -> Error {
    Error::Store(DbError::Url("the copy could not be closed".into()))
}

fn failed(e: io::Error) -> Error {
    Error::Conflict(format!("The file could not be written: {e}."))
}
