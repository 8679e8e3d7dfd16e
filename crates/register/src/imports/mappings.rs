//! The mapping of each source, kept with the import that used it, so that the next edition
//! of the inventory needs no mapping again.

use std::collections::HashSet;

use domain::can::{Action, Relation, can};
use domain::import::Mapping;
use domain::text::fold;

use crate::args;
use crate::change::{self, By, Change, EventRef};
use crate::db::Db;
use crate::error::Error;

/// Keeps the mapping of a source under an event, if it is not kept already.
pub(super) async fn keep(change: &mut Change<'_>, event: EventRef, mapping: &Mapping) -> Result<(), Error> {
    let toml = mapping.to_toml();
    let source = &mapping.source;
    let row = change.tx.one("SELECT toml FROM import_mapping WHERE source = $1", args![source]).await?;
    if row.map(|r| r.get::<String>(0)).transpose()?.as_deref() == Some(toml.as_str()) {
        return Ok(());
    }
    let row = args![source, change.id(event), toml];
    change
        .tx
        .insert(
            "import_mapping",
            &["source", "event_id", "toml"],
            vec![row],
            "ON CONFLICT (source) DO UPDATE SET event_id = excluded.event_id, toml = excluded.toml",
        )
        .await?;
    change.wrote(event, &change::IMPORT_MAPPING, source);
    Ok(())
}

/// Every kept mapping, by source.
pub async fn mappings(db: &Db, by: By<'_>) -> Result<Vec<Mapping>, Error> {
    can(by.actor, Action::ImportRun, Relation::None)?;
    let rows = db.all("SELECT toml, source FROM import_mapping ORDER BY source", args![]).await?;
    let mut out = Vec::with_capacity(rows.len());
    for r in rows {
        // One that an older Muster wrote and this one cannot read is guessed again.
        if let Ok(mapping) = Mapping::from_toml(&r.get::<String>(0)?) {
            out.push(Mapping { source: r.get(1)?, ..mapping });
        }
    }
    Ok(out)
}

/// The kept mapping for a file: that of its source, if the file has all its columns; and
/// when nobody named a source, the one whose columns are these.
pub async fn mapping_for(
    db: &Db,
    by: By<'_>,
    source: &str,
    named: bool,
    header: &[String],
) -> Result<Option<Mapping>, Error> {
    let kept: Vec<Mapping> = mappings(db, by).await?.into_iter().filter(|m| m.missing(header).is_empty()).collect();
    if let Some(own) = kept.iter().find(|m| m.source == source) {
        return Ok(Some(own.clone()));
    }
    if named {
        return Ok(None);
    }
    // Of those that fit, the one that uses most of the columns, if it uses several.
    let used = |m: &Mapping| m.columns().iter().map(|c| fold(c)).collect::<HashSet<_>>().len();
    Ok(kept.into_iter().filter(|m| used(m) >= 4).max_by_key(used))
}
