//! Evidence: a file stored once under its SHA-256, whose content never changes.

use domain::can::{Action, can};
use domain::id::AgentId;
use domain::stop::EVIDENCE_MAX;
use sha2::{Digest as _, Sha256};

use crate::agents::read::visible;
use crate::agents::relation::relation;
use crate::agents::stored;
use crate::args;
use crate::change::{self, By, Change, EventRef};
use crate::db::Db;
use crate::error::Error;

/// A file as it is brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct File {
    /// What it is called.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl File {
    fn clean_name(&self) -> String {
        let name: String = self
            .name
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect();
        if name.trim().is_empty() { "evidence".to_owned() } else { name }
    }

    /// Whether it may be kept.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.bytes.is_empty() {
            return Err(Error::field("/evidence", "Choose the file that shows it: a recording, a log, a picture."));
        }
        if self.bytes.len() > EVIDENCE_MAX {
            return Err(Error::field("/evidence", "The file has more than 10 MiB. Cut it to what shows the stop."));
        }
        Ok(())
    }
}

/// Stores a file under the event, unless the very same is there. Answers its SHA-256.
pub(crate) async fn store(change: &mut Change<'_>, event: EventRef, file: File) -> Result<String, Error> {
    file.check()?;
    let sha256 = hex::encode(Sha256::digest(&file.bytes));
    let size = i64::try_from(file.bytes.len()).unwrap_or(i64::MAX);
    let row = args![&sha256, change.id(event), file.clean_name(), size, change.by.now, file.bytes];
    let columns = ["sha256", "event_id", "name", "size", "stored_at", "content"];
    let stored = change.tx.insert("evidence_file", &columns, vec![row], "ON CONFLICT (sha256) DO NOTHING").await?;
    if stored == 1 {
        change.wrote(event, &change::EVIDENCE_FILE, &sha256);
    }
    Ok(sha256)
}

/// A file that was brought as evidence about an agent: for whoever may see how it is
/// stopped, and for the witness.
pub async fn read(db: &Db, by: By<'_>, agent: AgentId, sha256: &str) -> Result<File, Error> {
    let missing = || Error::NotFound("such evidence".into());
    let mut reads = db;
    let record = stored::load(&mut reads, &[agent], by.now).await?.pop().ok_or_else(missing)?;
    let stands = relation(&mut reads, by.actor, &record).await?;
    let witness = by.actor.person_id().map_or(0, |p| p.0);
    let row = db
        .one(
            "SELECT f.name, f.content, (SELECT COUNT(*) FROM stop_call c WHERE c.agent_id = $1 AND c.evidence_sha256 = $2 \
             AND c.witness_id = $3) FROM evidence_file f WHERE f.sha256 = $2 \
             AND (EXISTS (SELECT 1 FROM stop_call c WHERE c.agent_id = $1 AND c.evidence_sha256 = $2) \
             OR EXISTS (SELECT 1 FROM retirement_row w WHERE w.agent_id = $1 AND w.evidence_sha256 = $2))",
            args![agent, sha256, witness],
        )
        .await?;
    visible(by.actor, &record, stands)?;
    let allowed = can(by.actor, Action::AgentReadControls, stands);
    let Some(row) = row else { return Err(allowed.map_or_else(Into::into, |()| missing())) };
    if row.get::<i64>(2)? == 0 {
        allowed?;
    }
    Ok(File { name: row.get(0)?, bytes: row.get(1)? })
}
