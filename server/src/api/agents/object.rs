//! An agent as the API tells it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::agent::{
    Access, AgentFacts, AgentKind, Autonomy, CredentialKind, CredentialUse, DataClass, Environment, Exposure, Hosting,
    Lifecycle, Running, Sensitivity, ToolGrant, ToolKind,
};
use domain::assignment;
use domain::id::{AgentId, SystemId, TeamId, WaveId};
use domain::tier::{self, Tier};
use register::agents as register;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::api::sent::said;
use crate::api::words;

/// An agent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "AG-42", "version": 3, "created_at": "2026-07-03T14:05:00Z", "updated_at": "2026-07-04T08:00:00Z",
    "created_by": "PE-7", "state": "discovered", "state_at": "2026-07-03T14:05:00Z", "name": "Claims triage",
    "purpose": "Sorts incoming claims by urgency.", "kind": "workflow", "running": "yes", "environment": "production",
    "hosting": "internal", "vendor": "", "contract": "", "business_unit": "Claims", "built_by": null,
    "operated_by": "TE-3", "parent": null, "platform": "SY-2", "tier": "moderate", "tier_points": 8,
    "runtime_owner": {"state": "untested", "party": "TE-3"},
    "boundary_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "external_ids": [{"source": "cmdb", "id": "APP-17"}], "labels": {"cost-centre": "4711"},
    "workload_identity": "spiffe://example.org/claims-triage", "models": ["gpt-x"], "autonomy": "acts-under-supervision",
    "exposure": "internal", "data": "confidential", "regulated": false,
    "tools": [{"name": "claims-api", "kind": "internal-api", "sensitivity": "medium", "access": "read", "scope": "claims"}],
    "credentials": [{"name": "claims-triage token", "kind": "short-lived", "ttl_seconds": 3600, "kept_in": "vault", "last_rotated": null}],
    "confidential": false, "wave": null
}))]
pub(in crate::api) struct Agent {
    /// Its reference.
    #[schema(value_type = words::AgentRef)]
    id: AgentId,
    /// Counts its changes; the number in its `ETag`.
    version: i64,
    /// When the record began.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// Who registered it.
    #[schema(value_type = words::ActorRef)]
    created_by: String,
    #[schema(value_type = words::Lifecycle)]
    state: Lifecycle,
    /// Since when it is in this state.
    state_at: DateTime<Utc>,
    /// What people call it.
    name: String,
    /// Why it exists.
    purpose: String,
    #[schema(value_type = words::AgentKind)]
    kind: AgentKind,
    #[schema(value_type = words::Running)]
    running: Running,
    #[schema(value_type = words::Environment)]
    environment: Environment,
    #[schema(value_type = words::Hosting)]
    hosting: Hosting,
    /// The vendor that hosts it, else empty.
    vendor: String,
    /// The contract with the vendor, else empty.
    contract: String,
    /// Its business unit, as the organisation names it; may be empty.
    business_unit: String,
    /// The team that built it.
    #[schema(value_type = Option<words::TeamRef>)]
    built_by: Option<TeamId>,
    /// The team that operates it.
    #[schema(value_type = Option<words::TeamRef>)]
    operated_by: Option<TeamId>,
    /// The system it is a member of.
    #[schema(value_type = Option<words::SystemRef>)]
    parent: Option<SystemId>,
    /// The shared platform it runs on, whose duties it inherits.
    #[schema(value_type = Option<words::SystemRef>)]
    platform: Option<SystemId>,
    #[schema(value_type = words::Tier)]
    tier: Tier,
    /// The points that gave the tier.
    tier_points: i64,
    /// Which fact gave how many points; only where one agent is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tier_because: Option<Vec<Point>>,
    /// Who can stop it. Null once it is retired.
    #[schema(required)]
    runtime_owner: Option<RuntimeOwner>,
    /// SHA-256 of its boundary in canonical form (RFC 8785): of every fact that policy reads.
    #[schema(value_type = words::Sha256)]
    boundary_sha256: String,
    /// What other systems call it.
    external_ids: Vec<ExternalId>,
    /// Free labels.
    labels: BTreeMap<String, String>,
    /// SPIFFE id, OIDC subject or cloud principal; may be empty.
    workload_identity: String,
    /// Models it uses.
    models: Vec<String>,
    #[schema(value_type = words::Autonomy)]
    autonomy: Autonomy,
    #[schema(value_type = words::Exposure)]
    exposure: Exposure,
    #[schema(value_type = words::DataClass)]
    data: DataClass,
    /// Whether a law or a regulator has a say.
    regulated: bool,
    /// What it may use.
    tools: Vec<Tool>,
    /// What it signs in with; absent for whoever may not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    credentials: Option<Vec<Credential>>,
    /// Only its owners, security, risk and auditors may know of it.
    confidential: bool,
    /// The import wave it came with.
    #[schema(value_type = Option<words::WaveRef>)]
    wave: Option<WaveId>,
}

/// Who can stop an agent.
#[derive(Debug, Serialize, ToSchema)]
struct RuntimeOwner {
    /// Null for whoever may not see findings and stop state.
    #[schema(value_type = Option<words::RuntimeOwnerState>, required)]
    state: Option<assignment::RuntimeOwner>,
    /// Accountable for containment or, while nobody is, to whom that is offered.
    #[schema(value_type = Option<words::PartyRef>, required)]
    party: Option<domain::party::Party>,
}

/// A fact that counted for the tier.
#[derive(Debug, Serialize, ToSchema)]
struct Point {
    /// Which fact.
    fact: String,
    /// How many points it gave.
    points: u32,
}

/// What another system calls the agent.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct ExternalId {
    /// The other system.
    #[schema(min_length = 1, max_length = 100)]
    pub(in crate::api) source: String,
    /// Its reference there.
    #[schema(min_length = 1, max_length = 500)]
    pub(in crate::api) id: String,
}

/// A tool as the agent may use it. Tools are shared: name, kind and sensitivity are the
/// tool's and the same for every agent; access and scope are this agent's. What is left out
/// of the tool's own is as it is recorded, else `other` and `medium`; access left out counts
/// as `write`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Tool {
    /// The shared tool's name.
    #[schema(min_length = 1, max_length = 200)]
    pub(in crate::api) name: String,
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::ToolKind, required = false)]
    pub(in crate::api) kind: Option<ToolKind>,
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::Sensitivity, required = false)]
    pub(in crate::api) sensitivity: Option<Sensitivity>,
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::Access, required = false)]
    access: Option<Access>,
    /// Which part of it, in the tool's own words; may be empty.
    #[serde(default)]
    #[schema(max_length = 300)]
    scope: String,
}

impl From<ToolGrant> for Tool {
    fn from(t: ToolGrant) -> Self {
        Self {
            name: t.name,
            kind: Some(t.kind),
            sensitivity: Some(t.sensitivity),
            access: Some(t.access),
            scope: t.scope,
        }
    }
}

impl From<Tool> for ToolGrant {
    fn from(t: Tool) -> Self {
        Self {
            name: t.name,
            kind: t.kind.unwrap_or(ToolKind::Other),
            sensitivity: t.sensitivity.unwrap_or(Sensitivity::Medium),
            access: t.access.unwrap_or(Access::Write),
            scope: t.scope,
        }
    }
}

/// A credential as the agent uses it, never the secret itself. Credentials are shared: what
/// is written here is so for every agent that uses one of this name.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::api) struct Credential {
    /// The shared credential's name.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    #[schema(value_type = words::CredentialKind)]
    kind: CredentialKind,
    /// Longest life of what it issues; null when unknown or without end.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 3_153_600_000_i64)]
    ttl_seconds: Option<i64>,
    /// Where it is kept; may be empty.
    #[serde(default)]
    #[schema(max_length = 300)]
    kept_in: String,
    /// The day it was last rotated; null when unknown.
    #[serde(default)]
    #[schema(format = Date)]
    last_rotated: Option<String>,
}

impl From<CredentialUse> for Credential {
    fn from(c: CredentialUse) -> Self {
        Self {
            name: c.name,
            kind: c.kind,
            ttl_seconds: c.ttl_seconds,
            kept_in: c.kept_in,
            last_rotated: Some(c.last_rotated).filter(|day| !day.is_empty()),
        }
    }
}

impl From<Credential> for CredentialUse {
    fn from(c: Credential) -> Self {
        Self {
            name: c.name,
            kind: c.kind,
            ttl_seconds: c.ttl_seconds,
            kept_in: c.kept_in,
            last_rotated: c.last_rotated.unwrap_or_default(),
        }
    }
}

fn listed<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(U::from).collect()
}

impl Agent {
    /// An agent as a list tells it. `controls`: the reader may see credentials and stop
    /// state.
    pub(in crate::api) fn new(a: register::Agent, controls: bool) -> Self {
        let f = a.facts;
        Self {
            id: a.id,
            version: a.version,
            created_at: a.created_at,
            updated_at: a.updated_at,
            created_by: a.created_by,
            state: a.state,
            state_at: a.state_at,
            name: f.name,
            purpose: f.purpose,
            kind: f.kind,
            running: f.running,
            environment: f.environment,
            hosting: f.hosting,
            vendor: f.vendor,
            contract: f.contract,
            business_unit: f.business_unit,
            built_by: f.built_by,
            operated_by: f.operated_by,
            parent: f.parent,
            platform: f.platform,
            tier: a.tier,
            tier_points: a.tier_points,
            tier_because: None,
            runtime_owner: (a.state != Lifecycle::Retired).then_some(RuntimeOwner {
                state: if controls { a.runtime_owner } else { None },
                party: a.runtime_party,
            }),
            boundary_sha256: a.boundary_sha256,
            external_ids: f.external_ids.into_iter().map(|e| ExternalId { source: e.source, id: e.id }).collect(),
            labels: f.labels,
            workload_identity: f.workload_identity,
            models: f.models,
            autonomy: f.autonomy,
            exposure: f.exposure,
            data: f.data,
            regulated: f.regulated,
            tools: listed(f.tools),
            credentials: controls.then(|| listed(f.credentials)),
            confidential: f.confidential,
            wave: a.wave,
        }
    }

    /// An agent by itself, with what its tier was computed from.
    pub(in crate::api) fn whole(a: register::Agent, controls: bool) -> Self {
        let because = tier::score(&a.facts).because;
        let points = because.into_iter().map(|p| Point { fact: p.fact, points: p.points }).collect();
        Self { tier_because: Some(points), ..Self::new(a, controls) }
    }

    /// Its version.
    pub(in crate::api) const fn version(&self) -> i64 {
        self.version
    }

    /// Its reference.
    pub(in crate::api) const fn id(&self) -> AgentId {
        self.id
    }
}

/// What is written about an agent. Only the name is needed: what is left out is unknown,
/// and counts as riskier than the least.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Claims triage", "purpose": "Sorts incoming claims by urgency.", "environment": "production",
    "running": "yes", "business_unit": "Claims", "operated_by": "TE-3",
    "external_ids": [{"source": "cmdb", "id": "APP-17"}],
    "tools": [{"name": "claims-api", "kind": "internal-api", "sensitivity": "medium", "access": "read"}]
}))]
pub(in crate::api) struct AgentNew {
    /// What people call it.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// `draft` (the default), or `discovered` when a program saw it.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::Lifecycle, required = false)]
    pub(in crate::api) state: Option<Lifecycle>,
    /// Why it exists.
    #[serde(default)]
    #[schema(max_length = 4000)]
    purpose: String,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::AgentKind, required = false)]
    kind: Option<AgentKind>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::Running, required = false)]
    running: Option<Running>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::Environment, required = false)]
    environment: Option<Environment>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::Hosting, required = false)]
    hosting: Option<Hosting>,
    /// Needed when it is vendor-managed, and only then.
    #[serde(default)]
    #[schema(max_length = 200)]
    vendor: String,
    /// The contract with the vendor.
    #[serde(default)]
    #[schema(max_length = 300)]
    contract: String,
    /// Its business unit.
    #[serde(default)]
    #[schema(max_length = 200)]
    business_unit: String,
    /// The team that built it.
    #[serde(default)]
    #[schema(value_type = Option<words::TeamRef>)]
    built_by: Option<TeamId>,
    /// The team that operates it.
    #[serde(default)]
    #[schema(value_type = Option<words::TeamRef>)]
    operated_by: Option<TeamId>,
    /// The system it is a member of.
    #[serde(default)]
    #[schema(value_type = Option<words::SystemRef>)]
    parent: Option<SystemId>,
    /// The shared platform it runs on; it inherits that platform's owners.
    #[serde(default)]
    #[schema(value_type = Option<words::SystemRef>)]
    platform: Option<SystemId>,
    /// What other systems call it. An id of a source names one agent.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub(in crate::api) external_ids: Vec<ExternalId>,
    /// Free labels.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// SPIFFE id, OIDC subject or cloud principal.
    #[serde(default)]
    #[schema(max_length = 300)]
    workload_identity: String,
    /// Models it uses.
    #[serde(default)]
    #[schema(max_items = 200)]
    models: Vec<String>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::Autonomy, required = false)]
    autonomy: Option<Autonomy>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::Exposure, required = false)]
    exposure: Option<Exposure>,
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::DataClass, required = false)]
    data: Option<DataClass>,
    /// Whether a law or a regulator has a say.
    #[serde(default)]
    regulated: bool,
    /// What it may use.
    #[serde(default)]
    #[schema(max_items = 200)]
    pub(in crate::api) tools: Vec<Tool>,
    /// What it signs in with.
    #[serde(default)]
    #[schema(max_items = 200)]
    credentials: Vec<Credential>,
    /// Only its owners, security, risk and auditors may know of it.
    #[serde(default)]
    confidential: bool,
}

impl From<AgentFacts> for AgentNew {
    fn from(f: AgentFacts) -> Self {
        Self {
            name: f.name,
            state: None,
            purpose: f.purpose,
            kind: Some(f.kind),
            running: Some(f.running),
            environment: Some(f.environment),
            hosting: Some(f.hosting),
            vendor: f.vendor,
            contract: f.contract,
            business_unit: f.business_unit,
            built_by: f.built_by,
            operated_by: f.operated_by,
            parent: f.parent,
            platform: f.platform,
            external_ids: f.external_ids.into_iter().map(|e| ExternalId { source: e.source, id: e.id }).collect(),
            labels: f.labels,
            workload_identity: f.workload_identity,
            models: f.models,
            autonomy: Some(f.autonomy),
            exposure: Some(f.exposure),
            data: Some(f.data),
            regulated: f.regulated,
            tools: listed(f.tools),
            credentials: listed(f.credentials),
            confidential: f.confidential,
        }
    }
}

impl From<AgentNew> for AgentFacts {
    fn from(n: AgentNew) -> Self {
        let unsaid = Self::named("");
        Self {
            name: n.name,
            purpose: n.purpose,
            kind: n.kind.unwrap_or(unsaid.kind),
            business_unit: n.business_unit,
            environment: n.environment.unwrap_or(unsaid.environment),
            hosting: n.hosting.unwrap_or(unsaid.hosting),
            vendor: n.vendor,
            contract: n.contract,
            built_by: n.built_by,
            operated_by: n.operated_by,
            parent: n.parent,
            platform: n.platform,
            external_ids: n
                .external_ids
                .into_iter()
                .map(|e| domain::agent::ExternalId { source: e.source, id: e.id })
                .collect(),
            labels: n.labels,
            workload_identity: n.workload_identity,
            models: n.models,
            autonomy: n.autonomy.unwrap_or(unsaid.autonomy),
            exposure: n.exposure.unwrap_or(unsaid.exposure),
            data: n.data.unwrap_or(unsaid.data),
            regulated: n.regulated,
            tools: listed(n.tools),
            credentials: listed(n.credentials),
            running: n.running.unwrap_or(unsaid.running),
            confidential: n.confidential,
        }
    }
}
