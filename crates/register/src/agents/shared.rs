//! Shared records by name: what is known already of what a program names.

use std::collections::HashMap;

use domain::agent::{Sensitivity, ToolKind};
use domain::text;

use crate::db::{Arg, Db, DbError, marks};

/// What is recorded of the tools with these names, by folded name; tools that nobody has
/// recorded are absent.
pub async fn tools(db: &Db, names: &[&str]) -> Result<HashMap<String, (ToolKind, Sensitivity)>, DbError> {
    let mut out = HashMap::new();
    for batch in names.chunks(500) {
        let sql =
            format!("SELECT name_folded, kind, sensitivity FROM tool WHERE name_folded IN {}", marks(1, batch.len()));
        for r in db.all(sql, batch.iter().map(|n| Arg::from(text::fold(n))).collect()).await? {
            out.insert(r.get(0)?, (r.get(1)?, r.get(2)?));
        }
    }
    Ok(out)
}
