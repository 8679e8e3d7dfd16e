//! The inventory as a table: every agent of a query, page by page, so that an export of any
//! size needs the memory of one page.

use domain::can::{Action, Relation, can};
use domain::party::Party;

use super::Agent;
use super::list::{Query, Whole, list_whole};
use crate::change::By;
use crate::db::Db;
use crate::error::Error;

/// Rows that are read at a time.
const BATCH: i64 = 500;

/// The headings of [`cells`].
pub const HEADINGS: [&str; 28] = [
    "reference",
    "name",
    "purpose",
    "kind",
    "business_unit",
    "environment",
    "hosting",
    "vendor",
    "contract",
    "state",
    "running",
    "tier",
    "tier_points",
    "runtime_owner_state",
    "runtime_owner",
    "runtime_owner_name",
    "autonomy",
    "exposure",
    "data",
    "regulated",
    "workload_identity",
    "models",
    "tools",
    "external_ids",
    "labels",
    "boundary_sha256",
    "created_at",
    "updated_at",
];

/// One agent, a cell for each of [`HEADINGS`].
pub fn cells(agent: &Agent, party: Option<&(Party, String)>) -> Vec<String> {
    let f = &agent.facts;
    let joined = |list: &mut dyn Iterator<Item = String>| list.collect::<Vec<_>>().join("; ");
    vec![
        agent.id.to_string(),
        f.name.clone(),
        f.purpose.clone(),
        f.kind.key().to_owned(),
        f.business_unit.clone(),
        f.environment.key().to_owned(),
        f.hosting.key().to_owned(),
        f.vendor.clone(),
        f.contract.clone(),
        agent.state.key().to_owned(),
        f.running.key().to_owned(),
        agent.tier.key().to_owned(),
        agent.tier_points.to_string(),
        agent.runtime_owner.map(|s| s.key().to_owned()).unwrap_or_default(),
        party.map(|(p, _)| p.to_string()).unwrap_or_default(),
        party.map(|(_, name)| name.clone()).unwrap_or_default(),
        f.autonomy.key().to_owned(),
        f.exposure.key().to_owned(),
        f.data.key().to_owned(),
        if f.regulated { "yes" } else { "no" }.to_owned(),
        f.workload_identity.clone(),
        f.models.join("; "),
        joined(&mut f.tools.iter().map(|t| format!("{} ({})", t.name, t.access))),
        joined(&mut f.external_ids.iter().map(|e| format!("{}={}", e.source, e.id))),
        joined(&mut f.labels.iter().map(|(k, v)| format!("{k}={v}"))),
        agent.boundary_sha256.clone(),
        domain::record::timestamp(agent.created_at),
        domain::record::timestamp(agent.updated_at),
    ]
}

/// An export under way.
#[derive(Debug)]
pub struct Export {
    query: Query,
    done: bool,
}

impl Export {
    /// An export of what a query finds, in its order.
    pub fn new(by: By<'_>, query: Query) -> Result<Self, Error> {
        can(by.actor, Action::AgentExport, Relation::None)?;
        // Nobody reads the total, so nothing is counted for it.
        Ok(Self { query: Query { cursor: None, limit: BATCH, count_to: 0, ..query }, done: false })
    }

    /// The next agents; `None` when there are no more.
    pub async fn next(&mut self, db: &Db, by: By<'_>) -> Result<Option<Vec<Whole>>, Error> {
        if self.done {
            return Ok(None);
        }
        let page = list_whole(db, by, &self.query).await?;
        self.done = page.next.is_none();
        self.query.cursor = page.next;
        Ok(Some(page.items))
    }
}
