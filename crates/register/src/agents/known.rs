//! Names already in use, to suggest while one types and to choose from in a filter.

use domain::can::{Action, Relation, can};

use crate::args;
use crate::change::By;
use crate::db::{Db, SEPARATOR};
use crate::error::Error;

/// What there is to suggest, each by name, at most so many of each.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Business units, as they are written.
    pub units: Vec<String>,
    /// Vendors.
    pub vendors: Vec<String>,
    /// Tools.
    pub tools: Vec<String>,
    /// Credentials; none for whoever may not see them.
    pub credentials: Vec<String>,
}

/// The names of shared records and of business units.
pub async fn known(db: &Db, by: By<'_>, most: i64) -> Result<Known, Error> {
    can(by.actor, Action::AgentRead, Relation::None)?;
    let names = async |table: &str| -> Result<Vec<String>, Error> {
        let sql = format!("SELECT name FROM {table} ORDER BY name_folded LIMIT $1");
        Ok(db.all(sql, args![most]).await?.iter().map(|r| r.get(0)).collect::<Result<_, _>>()?)
    };
    let controls = can(by.actor, Action::AgentReadControls, Relation::None).is_ok();
    Ok(Known {
        units: units(db, most).await?,
        vendors: names("vendor").await?,
        tools: names("tool").await?,
        credentials: if controls { names("credential").await? } else { Vec::new() },
    })
}

/// The business units that have agents, as they are written, in one row; `$1` is the most.
pub(super) fn units_in_one(db: &Db) -> String {
    format!(
        "SELECT {} FROM (SELECT (SELECT a.business_unit FROM agent a WHERE a.unit_folded = substr(t.facet, 6) \
         ORDER BY a.id LIMIT 1) AS name \
         FROM tally t WHERE t.facet > 'unit:' AND t.facet < 'unit;' AND t.n > 0 ORDER BY t.facet LIMIT $1) u",
        db.joined()
    )
}

/// The units of a joined row; agents without a unit have an empty one.
pub(super) fn units_of(joined: Option<String>) -> Vec<String> {
    joined.unwrap_or_default().split(SEPARATOR).filter(|unit| !unit.is_empty()).map(str::to_owned).collect()
}

/// Business units that have agents, by name as it is written.
async fn units(db: &Db, most: i64) -> Result<Vec<String>, Error> {
    let row = db.one(units_in_one(db), args![most]).await?;
    Ok(units_of(row.map(|r| r.get(0)).transpose()?.flatten()))
}

/// What references in an address are called: people, teams, systems, imports.
pub async fn named(db: &Db, by: By<'_>, references: &[&str]) -> Result<Vec<(String, String)>, Error> {
    can(by.actor, Action::AgentRead, Relation::None)?;
    let mut out = Vec::new();
    for (prefix, sql) in [
        ("PE-", "SELECT name FROM person WHERE id = $1"),
        ("TE-", "SELECT name FROM team WHERE id = $1"),
        ("SY-", "SELECT name FROM system WHERE id = $1"),
        ("IM-", "SELECT title FROM wave WHERE id = $1"),
    ] {
        for reference in references {
            let Some(id) = reference.strip_prefix(prefix).and_then(|n| n.parse::<i64>().ok()) else { continue };
            if let Some(row) = db.one(sql, args![id]).await? {
                out.push(((*reference).to_owned(), row.get(0)?));
            }
        }
    }
    Ok(out)
}
