//! Notices: what people are told. A use case calls [`tell`] within its change, so that what is
//! told and what happened are written together or not at all; what goes out of it is decided
//! and sent afterwards.

pub mod list;
pub mod outlets;
pub mod plan;
pub mod preferences;
pub mod queue;
pub mod send;
pub mod written;

use std::collections::BTreeSet;

use domain::id::PersonId;
pub use domain::notice::New;
use domain::notice::TEXT_MAX;

use crate::args;
use crate::change::{By, Change};
use crate::db::{Arg, DbError, marks};
use crate::error::Error;

/// The columns of a notice that is new.
const COLUMNS: &[&str] =
    &["id", "person_id", "kind", "critical", "subject", "what", "why", "todo", "link", "key", "at"];

/// Tells these people, in the transaction of the change: who has left is passed over, and so is
/// whoever acts unless the notice says otherwise. Who was told under the same key before is not
/// told again. Channels of the organisation that take this kind get it too, once for a key, even
/// when `to` is empty.
pub async fn tell(change: &mut Change<'_>, to: &[PersonId], notice: &New) -> Result<(), DbError> {
    let actor = change.by.actor.person_id().filter(|_| !notice.to_actor);
    let readers: Vec<PersonId> =
        to.iter().copied().filter(|p| Some(*p) != actor).collect::<BTreeSet<_>>().into_iter().collect();
    let mut whom: Vec<Option<PersonId>> = Vec::with_capacity(readers.len() + 1);
    for batch in readers.chunks(500) {
        let sql =
            format!("SELECT id FROM person WHERE status = 'active' AND id IN {} ORDER BY id", marks(1, batch.len()));
        for r in change.tx.all(sql, batch.iter().map(|p| Arg::from(*p)).collect()).await? {
            whom.push(Some(r.get(0)?));
        }
    }
    if !notice.confidential && to_outlets(change, notice).await? {
        whom.push(None);
    }
    if whom.is_empty() {
        return Ok(());
    }
    let [what, why, todo] = [&notice.what, &notice.why, &notice.todo].map(|text| cut(text));
    let mut rows = Vec::with_capacity(whom.len());
    for person in whom {
        rows.push(args![
            change.fresh_id(),
            person,
            notice.kind.key(),
            notice.critical,
            &notice.subject,
            &what,
            &why,
            &todo,
            &notice.link,
            &notice.key,
            change.by.now
        ]);
        change.told(person);
    }
    change.tx.insert("notice", COLUMNS, rows, "ON CONFLICT DO NOTHING").await?;
    Ok(())
}

/// Whether a channel of the organisation takes this kind.
async fn to_outlets(change: &mut Change<'_>, notice: &New) -> Result<bool, DbError> {
    let rows =
        change.tx.all("SELECT kinds FROM outlet WHERE removed_at IS NULL ORDER BY id LIMIT 100", args![]).await?;
    for r in rows {
        if r.get::<String>(0)?.split(' ').any(|kind| kind == notice.kind.key()) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// At most [`TEXT_MAX`] characters.
fn cut(text: &str) -> String {
    match text.char_indices().nth(TEXT_MAX) {
        Some((at, _)) => text[..at].to_owned(),
        None => text.to_owned(),
    }
}

/// The person who acts: notices are read and chosen by oneself.
fn oneself(by: By<'_>) -> Result<PersonId, Error> {
    by.actor.person_id().ok_or_else(|| Error::Conflict("Only a person has notices.".into()))
}
