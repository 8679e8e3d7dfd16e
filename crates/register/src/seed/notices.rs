//! How the demonstration's people are told: what they are told of, the use cases have said. No
//! channel that calls out.

use chrono::{DateTime, Utc};
use domain::can::Actor;
use domain::id::PersonId;
use domain::notice::{How, NoticeKind, Preferences};
use domain::party::{Role, Roles};

use crate::change::By;
use crate::db::Db;
use crate::error::Error;
use crate::notices::{list, preferences};

/// Somebody of the demonstration, by position.
const BEA: usize = 3;

/// Bea has read one of hers, and is left alone at night. `person` finds a person by position.
pub(super) async fn notices(db: &Db, now: DateTime<Utc>, person: impl Fn(usize) -> PersonId) -> Result<(), Error> {
    let bea = Actor::person(person(BEA), Roles::NONE.with(Role::Member));
    let by = By { actor: &bea, now };
    let page = list::page(db, by, &list::Query::default()).await?;
    if let Some(oldest) = page.items.last() {
        list::mark(db, by, &oldest.item.id, true).await?;
    }
    let mut chosen = Preferences { offset: 60, quiet: Some((22 * 60, 6 * 60)), ..Preferences::default() };
    chosen.choose(NoticeKind::ReviewDue, How::AtOnce);
    preferences::write(db, by, &chosen).await?;
    Ok(())
}
