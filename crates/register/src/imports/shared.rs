//! Vendors, tools and credentials of a file, as the shared records have them: a record
//! that many agents use is not an import's to redefine.

use std::collections::{BTreeMap, HashMap};

use domain::agent::{AgentFacts, CredentialKind, CredentialUse, Sensitivity, ToolGrant, ToolKind};
use domain::import::row::Said;
use domain::import::{Imported, Mapping, Note};
use domain::text::fold;

use crate::db::{Arg, DbError, Reads, Row, marks};

/// The shared records that the rows mention, by folded name.
#[derive(Debug, Default)]
pub(super) struct Shared {
    vendors: HashMap<String, String>,
    tools: HashMap<String, (String, ToolKind, Sensitivity)>,
    credentials: HashMap<String, CredentialUse>,
    access_stated: bool,
    kind_stated: bool,
}

impl Shared {
    pub(super) async fn of(reads: &mut impl Reads, rows: &[&Imported], mapping: &Mapping) -> Result<Self, DbError> {
        let stated = |f: fn(&domain::import::mapping::ListRule) -> bool| mapping.tools.as_ref().is_some_and(f);
        let mut out = Self {
            access_stated: stated(|t| t.access.is_some()),
            kind_stated: stated(|t| t.kind.is_some() || t.sensitivity.is_some()),
            ..Self::default()
        };
        // Within the file, the first spelling of a name is its name.
        let mut tools: BTreeMap<String, &ToolGrant> = BTreeMap::new();
        let mut credentials: BTreeMap<String, &CredentialUse> = BTreeMap::new();
        let mut vendors: BTreeMap<String, &str> = BTreeMap::new();
        for row in rows {
            for t in row.said.tools.iter().flatten() {
                tools.entry(fold(&t.name)).or_insert(t);
            }
            for c in row.said.credentials.iter().flatten() {
                credentials.entry(fold(&c.name)).or_insert(c);
            }
            if let Some(v) = &row.said.vendor {
                vendors.entry(fold(v)).or_insert(v);
            }
        }
        out.tools = tools.iter().map(|(f, t)| (f.clone(), (t.name.clone(), t.kind, t.sensitivity))).collect();
        out.credentials = credentials.iter().map(|(f, c)| (f.clone(), (*c).clone())).collect();
        out.vendors = vendors.iter().map(|(f, v)| (f.clone(), (*v).to_owned())).collect();
        for r in recorded(reads, "tool", "name_folded, name, kind, sensitivity", tools.keys()).await? {
            out.tools.insert(r.get(0)?, (r.get(1)?, r.get(2)?, r.get(3)?));
        }
        let columns = "name_folded, name, kind, ttl_seconds, kept_in, last_rotated";
        for r in recorded(reads, "credential", columns, credentials.keys()).await? {
            let kind: CredentialKind = r.get(2)?;
            out.credentials.insert(
                r.get(0)?,
                CredentialUse {
                    name: r.get(1)?,
                    kind,
                    ttl_seconds: r.get(3)?,
                    kept_in: r.get(4)?,
                    last_rotated: r.get(5)?,
                },
            );
        }
        for r in recorded(reads, "vendor", "name_folded, name", vendors.keys()).await? {
            out.vendors.insert(r.get(0)?, r.get(1)?);
        }
        Ok(out)
    }

    /// What the row says, in the words of the shared records. What the mapping does not
    /// state about a tool stays as the agent has it.
    pub(super) fn settle(&self, said: &mut Said, base: Option<&AgentFacts>, notes: &mut Vec<Note>) {
        if let Some(v) = &mut said.vendor
            && let Some(name) = self.vendors.get(&fold(v))
        {
            v.clone_from(name);
        }
        for t in said.tools.iter_mut().flatten() {
            let folded = fold(&t.name);
            if let Some((name, kind, sensitivity)) = self.tools.get(&folded) {
                if self.kind_stated && (*kind, *sensitivity) != (t.kind, t.sensitivity) {
                    notes.push(Note::SharedRecordHolds { name: name.clone() });
                }
                t.name.clone_from(name);
                t.kind = *kind;
                t.sensitivity = *sensitivity;
            }
            if let Some(had) = base.and_then(|b| b.tools.iter().find(|b| fold(&b.name) == folded)) {
                t.scope.clone_from(&had.scope);
                if !self.access_stated {
                    t.access = had.access;
                }
            }
        }
        for c in said.credentials.iter_mut().flatten() {
            if let Some(record) = self.credentials.get(&fold(&c.name)) {
                if record.kind != c.kind {
                    notes.push(Note::SharedRecordHolds { name: record.name.clone() });
                }
                c.clone_from(record);
            }
        }
    }
}

async fn recorded(
    reads: &mut impl Reads,
    table: &str,
    columns: &str,
    folded: impl Iterator<Item = &String>,
) -> Result<Vec<Row>, DbError> {
    let names: Vec<&String> = folded.collect();
    let mut rows = Vec::new();
    for batch in names.chunks(500) {
        let sql = format!("SELECT {columns} FROM {table} WHERE name_folded IN {}", marks(1, batch.len()));
        rows.extend(reads.rows(sql, batch.iter().map(|n| Arg::from(n.as_str())).collect()).await?);
    }
    Ok(rows)
}
