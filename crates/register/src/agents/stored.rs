//! An agent as its row has it, and the facts that the row and the shared records give.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use domain::agent::{
    Access, AgentFacts, CredentialKind, CredentialUse, ExternalId, Lifecycle, Sensitivity, ToolGrant, ToolKind,
};
use domain::assignment::RuntimeOwner;
use domain::duty::Duty;
use domain::finding::ImportNotes;
use domain::id::{AgentId, RequestId, WaveId};
use domain::party::Party;
use domain::tier::Tier;
use serde::{Deserialize, Serialize};

use crate::db::{Arg, DbError, Reads, Row, marks};
use crate::error::Error;

/// A tool by its record, as the agent's row keeps it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ToolRef {
    /// The shared record.
    pub tool: i64,
    /// What this agent may do.
    pub access: Access,
    /// Which part of it.
    pub scope: String,
}

/// The approval that an agent has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approved {
    /// The SHA-256 of the boundary that was approved.
    pub sha256: String,
    /// When.
    pub at: DateTime<Utc>,
    /// By which request; `None` where a synthetic estate says so.
    pub request: Option<RequestId>,
    /// The duties whose owners approved it.
    pub by: Vec<Duty>,
}

/// An agent, whole.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Its reference.
    pub id: AgentId,
    /// Counts changes; guards against lost updates.
    pub version: i64,
    /// When the record began.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Who registered it.
    pub created_by: String,
    /// Where it is in its life.
    pub state: Lifecycle,
    /// Since when.
    pub state_at: DateTime<Utc>,
    /// What is written about it.
    pub facts: AgentFacts,
    /// Its boundary's hash.
    pub boundary_sha256: String,
    /// The import wave it came with.
    pub wave: Option<WaveId>,
    /// What the import noticed.
    pub notes: ImportNotes,
    /// Its tier.
    pub tier: Tier,
    /// The tier's points.
    pub tier_points: i64,
    /// Runtime-owner state at the moment it was read; `None` once retired.
    pub runtime_owner: Option<RuntimeOwner>,
    /// Who is Accountable for containment, or to whom it is offered.
    pub runtime_party: Option<Party>,
    /// What was approved, if anything was.
    pub approved: Option<Approved>,
    /// When it was last reviewed.
    pub reviewed_at: Option<DateTime<Utc>>,
    /// The moment at which it was read.
    pub as_of: DateTime<Utc>,
}

impl Agent {
    /// Whether its present boundary is the one that was approved.
    pub fn boundary_holds(&self) -> bool {
        self.approved.as_ref().is_some_and(|a| a.sha256 == self.facts.boundary_sha256())
    }

    /// Takes out what is an attack map: the stop state, credentials, and a party that was
    /// only asked to be able to stop it.
    pub(crate) fn hide_controls(&mut self) {
        if self.runtime_owner == Some(RuntimeOwner::Pending) {
            self.runtime_party = None;
        }
        self.runtime_owner = None;
        self.facts.credentials.clear();
    }
}

/// The columns of an agent, in the order [`read`] expects.
pub(crate) const COLUMNS: &str = "a.id, a.version, a.created_at, a.updated_at, a.created_by, a.state, a.state_at, a.name, \
     a.purpose, a.kind, a.business_unit, a.environment, a.hosting, a.vendor_id, a.contract, a.built_by, a.operated_by, \
     a.parent_id, a.external_ids, a.labels, a.workload_identity, a.models, a.autonomy, a.exposure, a.data_class, \
     a.regulated, a.tools, a.credentials, a.running, a.confidential, a.boundary_sha256, a.wave_id, a.name_missing, \
     a.duplicate_of, a.tier, a.tier_points, a.runtime_owner, a.runtime_owner_until, a.runtime_party_kind, \
     a.runtime_party_id, (SELECT y.system_id FROM platform_stay y WHERE y.agent_id = a.id AND y.valid_to IS NULL), \
     a.approved_sha256, a.approved_at, a.approved_request, a.approved_by, a.reviewed_at";

/// The agents with these ids, in the order of their ids; those that do not exist are absent.
pub async fn load(reads: &mut impl Reads, ids: &[AgentId], now: DateTime<Utc>) -> Result<Vec<Agent>, Error> {
    let mut rows = Vec::with_capacity(ids.len());
    for batch in ids.chunks(500) {
        let sql = format!("SELECT {COLUMNS} FROM agent a WHERE a.id IN {} ORDER BY a.id", marks(1, batch.len()));
        rows.extend(reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await?);
    }
    let mut raw = rows.iter().map(|r| read(r, now)).collect::<Result<Vec<_>, _>>()?;
    let tools = shared(
        reads,
        "tool",
        "id, name, kind, sensitivity",
        raw.iter().flat_map(|r| r.tools.iter().map(|t| t.tool)).collect(),
    )
    .await?
    .into_iter()
    .map(|r| Ok((r.get::<i64>(0)?, (r.get::<String>(1)?, r.get::<ToolKind>(2)?, r.get::<Sensitivity>(3)?))))
    .collect::<Result<HashMap<_, _>, DbError>>()?;
    let credentials = shared(
        reads,
        "credential",
        "id, name, kind, ttl_seconds, kept_in, last_rotated",
        raw.iter().flat_map(|r| r.credentials.iter().copied()).collect(),
    )
    .await?
    .into_iter()
    .map(|r| {
        Ok((
            r.get::<i64>(0)?,
            CredentialUse {
                name: r.get(1)?,
                kind: r.get::<CredentialKind>(2)?,
                ttl_seconds: r.get(3)?,
                kept_in: r.get(4)?,
                last_rotated: r.get(5)?,
            },
        ))
    })
    .collect::<Result<HashMap<_, _>, DbError>>()?;
    let vendors = shared(reads, "vendor", "id, name", raw.iter().filter_map(|r| r.vendor).collect())
        .await?
        .into_iter()
        .map(|r| Ok((r.get::<i64>(0)?, r.get::<String>(1)?)))
        .collect::<Result<HashMap<_, _>, DbError>>()?;
    for r in &mut raw {
        r.agent.facts.tools = r
            .tools
            .iter()
            .filter_map(|t| {
                let (name, kind, sensitivity) = tools.get(&t.tool)?;
                Some(ToolGrant {
                    name: name.clone(),
                    kind: *kind,
                    sensitivity: *sensitivity,
                    access: t.access,
                    scope: t.scope.clone(),
                })
            })
            .collect();
        r.agent.facts.credentials = r.credentials.iter().filter_map(|c| credentials.get(c).cloned()).collect();
        r.agent.facts.vendor = r.vendor.and_then(|v| vendors.get(&v).cloned()).unwrap_or_default();
    }
    Ok(raw.into_iter().map(|r| r.agent).collect())
}

async fn shared(reads: &mut impl Reads, table: &str, columns: &str, mut ids: Vec<i64>) -> Result<Vec<Row>, DbError> {
    ids.sort_unstable();
    ids.dedup();
    let mut rows = Vec::new();
    for batch in ids.chunks(500) {
        let sql = format!("SELECT {columns} FROM {table} WHERE id IN {}", marks(1, batch.len()));
        rows.extend(reads.rows(sql, batch.iter().map(|id| Arg::from(*id)).collect()).await?);
    }
    Ok(rows)
}

struct Raw {
    agent: Agent,
    tools: Vec<ToolRef>,
    credentials: Vec<i64>,
    vendor: Option<i64>,
}

/// What a derived column says at `now`: a `verified` whose drill has lapsed is `untested`, a
/// `pending` whose offer has is `none`, whether or not anything was folded since.
pub(crate) fn owner_at(stored: &str, until: i64, now: DateTime<Utc>) -> Option<RuntimeOwner> {
    let state: RuntimeOwner = stored.parse().ok()?;
    Some(if until <= crate::db::micros(now) { state.lapsed() } else { state })
}

/// Duties as a row keeps them: keys between spaces.
fn duties(text: &str) -> Vec<Duty> {
    text.split_whitespace().filter_map(|d| d.parse().ok()).collect()
}

fn json<T: for<'de> Deserialize<'de>>(text: &str) -> Result<T, DbError> {
    serde_json::from_str(text).map_err(|e| DbError::Other(sqlx::Error::Decode(Box::new(e))))
}

fn read(r: &Row, now: DateTime<Utc>) -> Result<Raw, DbError> {
    let external_ids: Vec<ExternalId> = json(&r.get::<String>(18)?)?;
    let labels: BTreeMap<String, String> = json(&r.get::<String>(19)?)?;
    let models: Vec<String> = json(&r.get::<String>(21)?)?;
    let duplicate_of: String = r.get(33)?;
    let facts = AgentFacts {
        name: r.get(7)?,
        purpose: r.get(8)?,
        kind: r.get(9)?,
        business_unit: r.get(10)?,
        environment: r.get(11)?,
        hosting: r.get(12)?,
        vendor: String::new(),
        contract: r.get(14)?,
        built_by: r.get(15)?,
        operated_by: r.get(16)?,
        parent: r.get(17)?,
        platform: r.get(40)?,
        external_ids,
        labels,
        workload_identity: r.get(20)?,
        models,
        autonomy: r.get(22)?,
        exposure: r.get(23)?,
        data: r.get(24)?,
        regulated: r.get(25)?,
        tools: Vec::new(),
        credentials: Vec::new(),
        running: r.get(28)?,
        confidential: r.get(29)?,
    };
    let runtime_owner = owner_at(&r.get::<String>(36)?, r.get(37)?, now);
    Ok(Raw {
        tools: json(&r.get::<String>(26)?)?,
        credentials: json(&r.get::<String>(27)?)?,
        vendor: r.get(13)?,
        agent: Agent {
            id: r.get(0)?,
            version: r.get(1)?,
            created_at: r.get(2)?,
            updated_at: r.get(3)?,
            created_by: r.get(4)?,
            state: r.get(5)?,
            state_at: r.get(6)?,
            facts,
            boundary_sha256: r.get(30)?,
            wave: r.get(31)?,
            notes: ImportNotes {
                name_missing: r.get(32)?,
                duplicate_of: (!duplicate_of.is_empty()).then_some(duplicate_of),
            },
            tier: r.get(34)?,
            tier_points: r.get(35)?,
            runtime_owner,
            // Whoever was only asked, and did not answer in time, is nobody.
            runtime_party: Party::from_stored(&r.get::<String>(38)?, r.get(39)?)
                .filter(|_| runtime_owner != Some(RuntimeOwner::None)),
            approved: match (r.get::<Option<String>>(41)?, r.get(42)?) {
                (Some(sha256), Some(at)) => Some(Approved {
                    sha256,
                    at,
                    request: r.get::<Option<i64>>(43)?.map(RequestId),
                    by: duties(&r.get::<Option<String>>(44)?.unwrap_or_default()),
                }),
                _ => None,
            },
            reviewed_at: r.get(45)?,
            as_of: now,
        },
    })
}
