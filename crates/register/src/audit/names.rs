//! What references in events are called now.

use std::collections::{BTreeMap, BTreeSet};

use domain::can::{Action, Relation, can};

use crate::change::By;
use crate::db::{Arg, Db, marks};
use crate::error::Error;

/// Where names are: the reference's beginning, the table, the column, and whether whoever
/// may read people may read it.
const TABLES: &[(&str, &str, &str, bool)] = &[
    ("PE-", "person", "name", true),
    ("TE-", "team", "name", true),
    ("SY-", "system", "name", true),
    ("AG-", "agent", "name", false),
    ("IM-", "wave", "title", false),
    ("TK-", "token", "name", false),
    ("SR-", "rule", "name", false),
    ("CA-", "campaign", "name", false),
    ("EX-", "exception", "title", false),
    ("vendor/", "vendor", "name", false),
    ("tool/", "tool", "name", false),
    ("credential/", "credential", "name", false),
];

/// The names of the references that the reader may know, by reference.
pub async fn names<'r>(
    db: &Db,
    by: By<'_>,
    references: impl IntoIterator<Item = &'r str>,
) -> Result<BTreeMap<String, String>, Error> {
    let people = can(by.actor, Action::PersonRead, Relation::None).is_ok();
    let all = can(by.actor, Action::AuditRead, Relation::None).is_ok();
    let references: BTreeSet<&str> = references.into_iter().collect();
    let mut out = BTreeMap::new();
    for (beginning, table, column, of_people) in TABLES {
        if !(all || (*of_people && people)) {
            continue;
        }
        let ids: Vec<i64> = references.iter().filter_map(|r| r.strip_prefix(beginning)?.parse().ok()).collect();
        for batch in ids.chunks(500) {
            let sql = format!("SELECT id, {column} FROM {table} WHERE id IN {}", marks(1, batch.len()));
            for row in db.all(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await? {
                out.insert(format!("{beginning}{}", row.get::<i64>(0)?), row.get(1)?);
            }
        }
    }
    if references.contains("cli") {
        out.insert("cli".to_owned(), "the command line".to_owned());
    }
    if references.contains("muster") {
        out.insert("muster".to_owned(), "Muster".to_owned());
    }
    Ok(out)
}
