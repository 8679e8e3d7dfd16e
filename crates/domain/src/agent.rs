//! The agent: what is written about it, its boundary, and whether it runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::id::{SystemId, TeamId};

crate::words! {
    /// What sort of agent it is.
    pub enum AgentKind {
        Assistant = "assistant", "Assistant";
        Workflow = "workflow", "Workflow automation";
        Coding = "coding", "Coding agent";
        Analysis = "analysis", "Analysis";
        CustomerService = "customer-service", "Customer service";
        SecurityOperations = "security", "Security operations";
        Orchestrator = "orchestrator", "Orchestrator of other agents";
        Other = "other", "Other";
    }
}

crate::words! {
    /// Where the agent is deployed.
    pub enum Environment {
        Sandbox = "sandbox", "Sandbox";
        Staging = "staging", "Staging";
        Production = "production", "Production";
    }
}

crate::words! {
    /// Who hosts the agent.
    pub enum Hosting {
        Internal = "internal", "Internal";
        VendorManaged = "vendor-managed", "Vendor-managed";
    }
}

crate::words! {
    /// How far the agent goes without a person.
    pub enum Autonomy {
        Suggests = "suggests", "Suggests";
        ActsWithApproval = "acts-with-approval", "Acts with approval";
        ActsUnderSupervision = "acts-under-supervision", "Acts under supervision";
        ActsAlone = "acts-alone", "Acts alone";
        Unknown = "unknown", "Not stated";
    }
}

crate::words! {
    /// Who meets the agent.
    pub enum Exposure {
        Internal = "internal", "Internal";
        CustomerFacing = "customer-facing", "Customer-facing";
        Public = "public", "Public";
        Unknown = "unknown", "Not stated";
    }
}

crate::words! {
    /// The highest class of data the agent reaches.
    pub enum DataClass {
        Public = "public", "Public";
        Internal = "internal", "Internal";
        Confidential = "confidential", "Confidential";
        Restricted = "restricted", "Restricted";
        Unknown = "unknown", "Not stated";
    }
}

crate::words! {
    /// Whether it runs: a fact from a source, from activity or from a statement,
    /// apart from the lifecycle. Unknown counts as yes.
    pub enum Running {
        Yes = "yes", "Runs";
        No = "no", "Does not run";
        Unknown = "unknown", "Not known, counts as running";
    }
}

impl Running {
    /// Whether the agent must be treated as running.
    pub const fn counts(self) -> bool {
        !matches!(self, Self::No)
    }
}

crate::words! {
    /// Where the agent is in its life. No other state exists.
    pub enum Lifecycle {
        /// Seen, never approved.
        Discovered = "discovered", "Discovered";
        Draft = "draft", "Draft";
        Proposed = "proposed", "Proposed";
        Approved = "approved", "Approved";
        Active = "active", "Active";
        Suspended = "suspended", "Suspended";
        Retiring = "retiring", "Retiring";
        /// Leaves a tombstone: reference, owners, evidence.
        Retired = "retired", "Retired";
    }
}

impl Lifecycle {
    /// Whether the move exists at all; what it takes to make it is asked elsewhere.
    pub const fn may_become(self, next: Self) -> bool {
        use Lifecycle::{Active, Approved, Discovered, Draft, Proposed, Retired, Retiring, Suspended};
        matches!(
            (self, next),
            (Discovered | Proposed, Draft)
                | (Draft, Proposed)
                | (Proposed, Approved)
                | (Approved | Suspended, Active)
                | (Active, Suspended)
                | (Discovered | Draft | Proposed | Approved | Active | Suspended, Retiring)
                | (Retiring, Retired)
        )
    }

    /// Whether an agent may begin its record in this state (`retired` by import only).
    pub const fn may_be_born(self, by_import: bool) -> bool {
        matches!(self, Self::Draft | Self::Discovered) || (by_import && matches!(self, Self::Retired))
    }

    /// Whether a boundary has been approved, so that it is no longer edited in place.
    pub const fn boundary_is_approved(self) -> bool {
        matches!(self, Self::Approved | Self::Active | Self::Suspended)
    }
}

crate::words! {
    /// What a tool is.
    pub enum ToolKind {
        McpServer = "mcp-server", "MCP server";
        InternalApi = "internal-api", "Internal API";
        Saas = "saas", "SaaS";
        CodeExecution = "code-execution", "Code execution";
        Other = "other", "Other";
    }
}

crate::words! {
    /// What the agent may do with a tool.
    pub enum Access {
        Read = "read", "Read";
        Write = "write", "Write";
        Admin = "admin", "Admin";
    }
}

crate::words! {
    /// How much harm a tool can do.
    pub enum Sensitivity {
        Low = "low", "Low";
        Medium = "medium", "Medium";
        High = "high", "High";
    }
}

crate::words! {
    /// What kind of credential an agent holds.
    pub enum CredentialKind {
        JustInTime = "just-in-time", "Just in time";
        ShortLived = "short-lived", "Short-lived";
        LongLived = "long-lived", "Long-lived secret";
        SharedAccount = "shared-account", "Shared account";
    }
}

impl CredentialKind {
    /// Kinds that outlive a task or a person, and so block approval without an exception.
    pub const fn is_standing(self) -> bool {
        matches!(self, Self::LongLived | Self::SharedAccount)
    }
}

/// A tool as one agent may use it. Tools are shared records: the name, kind and
/// sensitivity are the tool's, access and scope are this agent's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ToolGrant {
    /// The shared tool's name, unique by folded form.
    pub name: String,
    /// What the tool is.
    pub kind: ToolKind,
    /// How much harm it can do.
    pub sensitivity: Sensitivity,
    /// What this agent may do with it.
    pub access: Access,
    /// Which part of it, in the tool's own words; may be empty.
    #[serde(default)]
    pub scope: String,
}

impl ToolGrant {
    /// Reads something of no great sensitivity, and runs no code.
    pub fn harmless(&self) -> bool {
        self.access == Access::Read && self.sensitivity != Sensitivity::High && self.kind != ToolKind::CodeExecution
    }
}

/// A credential as one agent uses it. Credentials are shared records, so that one
/// sees how many agents use a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CredentialUse {
    /// The shared credential's name, unique by folded form. Never the secret itself.
    pub name: String,
    /// What kind it is.
    pub kind: CredentialKind,
    /// Longest life of what it issues, in seconds; `None` when unknown or without end.
    #[serde(default)]
    pub ttl_seconds: Option<i64>,
    /// Where it is kept, for instance a vault's path; never the secret.
    #[serde(default)]
    pub kept_in: String,
    /// When it was last rotated (RFC 3339 date), empty when unknown.
    #[serde(default)]
    pub last_rotated: String,
}

/// The reference another system has for the same agent.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ExternalId {
    /// The other system, for instance `cmdb`.
    pub source: String,
    /// Its reference there.
    pub id: String,
}

/// Everything that is written about an agent, as opposed to what is computed from it
/// (tier, boundary hash, findings) or decided about it (state, owners).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgentFacts {
    /// What people call it.
    pub name: String,
    /// Why it exists.
    pub purpose: String,
    /// What sort of agent it is.
    pub kind: AgentKind,
    /// Business unit, as the organisation names it; may be empty.
    pub business_unit: String,
    /// Where it is deployed.
    pub environment: Environment,
    /// Who hosts it.
    pub hosting: Hosting,
    /// The vendor's name when vendor-managed (a shared record), else empty.
    pub vendor: String,
    /// The contract with the vendor, else empty.
    pub contract: String,
    /// The team that built it.
    pub built_by: Option<TeamId>,
    /// The team that operates it.
    pub operated_by: Option<TeamId>,
    /// The multi-agent system it is a member of.
    pub parent: Option<SystemId>,
    /// The shared platform it runs on, whose duties it inherits.
    #[serde(default)]
    pub platform: Option<SystemId>,
    /// References elsewhere.
    pub external_ids: Vec<ExternalId>,
    /// Free labels.
    pub labels: BTreeMap<String, String>,
    /// SPIFFE id, OIDC subject or cloud principal; may be empty.
    pub workload_identity: String,
    /// Models it uses.
    pub models: Vec<String>,
    /// How far it goes without a person.
    pub autonomy: Autonomy,
    /// Who meets it.
    pub exposure: Exposure,
    /// The highest class of data it reaches.
    pub data: DataClass,
    /// Whether a law or a regulator has a say.
    pub regulated: bool,
    /// What it may use.
    pub tools: Vec<ToolGrant>,
    /// What it signs in with.
    pub credentials: Vec<CredentialUse>,
    /// Whether it runs.
    pub running: Running,
    /// Only its owners, security, risk and auditors may know of it.
    pub confidential: bool,
}

impl AgentFacts {
    /// An agent of which only the name is known. Unknown facts are said to be
    /// unknown; an agent nobody has spoken for counts as running.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            purpose: String::new(),
            kind: AgentKind::Other,
            business_unit: String::new(),
            environment: Environment::Sandbox,
            hosting: Hosting::Internal,
            vendor: String::new(),
            contract: String::new(),
            built_by: None,
            operated_by: None,
            parent: None,
            platform: None,
            external_ids: Vec::new(),
            labels: BTreeMap::new(),
            workload_identity: String::new(),
            models: Vec::new(),
            autonomy: Autonomy::Unknown,
            exposure: Exposure::Unknown,
            data: DataClass::Unknown,
            regulated: false,
            tools: Vec::new(),
            credentials: Vec::new(),
            running: Running::Unknown,
            confidential: false,
        }
    }

    /// Whether a vendor hosts it.
    pub fn vendor_managed(&self) -> bool {
        self.hosting == Hosting::VendorManaged
    }

    /// The boundary: every fact that policy reads, in canonical form (RFC 8785).
    /// Order of tools, models and credentials does not matter.
    pub fn boundary(&self) -> serde_json::Value {
        let mut tools = self.tools.clone();
        tools.sort();
        tools.dedup();
        let mut models = self.models.clone();
        models.sort();
        models.dedup();
        let mut credentials: Vec<(&str, &str)> =
            self.credentials.iter().map(|c| (c.name.as_str(), c.kind.key())).collect();
        credentials.sort_unstable();
        credentials.dedup();
        serde_json::json!({
            "purpose": self.purpose,
            "tools": tools,
            "data": self.data,
            "autonomy": self.autonomy,
            "exposure": self.exposure,
            "environment": self.environment,
            "regulated": self.regulated,
            "hosting": self.hosting,
            "vendor": self.vendor,
            "models": models,
            "workload_identity": self.workload_identity,
            "credentials": credentials.iter().map(|(n, k)| serde_json::json!({"name": n, "kind": k})).collect::<Vec<_>>(),
        })
    }

    /// SHA-256 of the boundary's canonical form, in lower-case hexadecimal. What is
    /// approved is a boundary; one that differs is drift.
    pub fn boundary_sha256(&self) -> String {
        canonical::sha256_hex(&self.boundary())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boundary_ignores_order_and_what_policy_does_not_read() {
        let tool = |name: &str| ToolGrant {
            name: name.into(),
            kind: ToolKind::Saas,
            sensitivity: Sensitivity::Low,
            access: Access::Read,
            scope: String::new(),
        };
        let mut a = AgentFacts::named("A");
        a.tools = vec![tool("x"), tool("y")];
        let mut b = AgentFacts::named("B");
        b.tools = vec![tool("y"), tool("x")];
        b.business_unit = "Elsewhere".into();
        assert_eq!(a.boundary_sha256(), b.boundary_sha256());
        b.tools[0].access = Access::Admin;
        assert_ne!(a.boundary_sha256(), b.boundary_sha256());
    }

    #[test]
    fn only_the_documented_moves_exist() {
        use Lifecycle::*;
        let mut moves = Vec::new();
        for &a in Lifecycle::ALL {
            for &b in Lifecycle::ALL {
                if a.may_become(b) {
                    moves.push((a, b));
                }
            }
        }
        assert_eq!(moves.len(), 14, "{moves:?}");
        assert!(!Retired.may_become(Active) && !Retired.may_become(Retiring) && !Draft.may_become(Active));
        assert!(Retired.may_be_born(true) && !Retired.may_be_born(false) && !Active.may_be_born(true));
    }
}
