//! What the words of other people's inventories mean in ours. What is not understood is
//! said to be so, never guessed at.

use crate::agent::{
    Access, AgentKind, Autonomy, CredentialKind, DataClass, Environment, Exposure, Hosting, Lifecycle, Running,
    Sensitivity, ToolKind,
};
use crate::text::fold;

crate::words! {
    /// What an inventory's stage says at once about state, running and environment. What
    /// operates was never approved here, so it is discovered.
    pub enum Stage {
        Operating = "operating", "In operation: discovered, runs, production";
        Piloting = "piloting", "In a pilot: draft, may run, staging";
        Testing = "testing", "Being tested: draft, does not run, staging";
        Building = "building", "Planned, being built or put aside: draft, does not run, sandbox";
        Retired = "retired", "Retired: does not run";
        Unknown = "unknown", "Not known: draft, counts as running";
    }
}

impl Stage {
    /// Where such an agent's record begins.
    pub const fn state(self) -> Lifecycle {
        match self {
            Self::Operating => Lifecycle::Discovered,
            Self::Retired => Lifecycle::Retired,
            Self::Piloting | Self::Testing | Self::Building | Self::Unknown => Lifecycle::Draft,
        }
    }

    /// Whether such an agent runs.
    pub const fn running(self) -> Running {
        match self {
            Self::Operating => Running::Yes,
            Self::Piloting | Self::Unknown => Running::Unknown,
            Self::Testing | Self::Building | Self::Retired => Running::No,
        }
    }

    /// Where such an agent is deployed, when the stage says so.
    pub const fn environment(self) -> Option<Environment> {
        match self {
            Self::Operating => Some(Environment::Production),
            Self::Piloting | Self::Testing => Some(Environment::Staging),
            Self::Building => Some(Environment::Sandbox),
            Self::Retired | Self::Unknown => None,
        }
    }
}

/// Words that say nothing.
pub fn says_nothing(value: &str) -> bool {
    let value = fold(value);
    let value = value.trim_matches(|c: char| matches!(c, '.' | '-' | '–' | '—' | '_' | '*' | '?' | '(' | ')' | ' '));
    matches!(
        value,
        "" | "n/a"
            | "na"
            | "n.a"
            | "n.a."
            | "none"
            | "null"
            | "nil"
            | "nan"
            | "tbd"
            | "tbc"
            | "to be determined"
            | "not applicable"
            | "not available"
            | "not reported"
            | "not provided"
            | "not stated"
            | "not known"
            | "blank/not provided"
            | "unknown"
            | "undefined"
            | "#n/a"
            | "#ref!"
    )
}

/// Whether a folded value is the phrase, or begins with it and goes on with something else
/// than a letter or digit (“retired - replaced by X”).
fn begins(value: &str, phrase: &str) -> bool {
    value
        .strip_prefix(phrase)
        .is_some_and(|rest| rest.chars().next().is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '/' | '\'' | '’')))
}

fn table<T: Copy>(value: &str, words: &[(T, &[&str])]) -> Option<T> {
    let value = fold(value);
    let exact = words.iter().find(|(_, list)| list.contains(&value.as_str()));
    exact.or_else(|| words.iter().find(|(_, list)| list.iter().any(|w| begins(&value, w)))).map(|(t, _)| *t)
}

fn own<T: std::str::FromStr + Copy>(value: &str, all: &[T], label: impl Fn(T) -> &'static str) -> Option<T> {
    let value = fold(value);
    value
        .parse()
        .or_else(|_| value.replace([' ', '_'], "-").parse())
        .ok()
        .or_else(|| all.iter().copied().find(|t| fold(label(*t)) == value))
}

/// Reads a stage of development or a status.
pub fn stage(value: &str) -> Option<Stage> {
    own(value, Stage::ALL, Stage::label).or_else(|| {
        table(
            value,
            &[
                (
                    Stage::Operating,
                    &[
                        "operation and maintenance",
                        "operations and maintenance",
                        "operation & maintenance",
                        "operations & maintenance",
                        "o&m",
                        "in production",
                        "production",
                        "in mission",
                        "in operation",
                        "in operations",
                        "operational",
                        "in use",
                        "in service",
                        "deployed",
                        "live",
                        "active",
                        "running",
                        "released",
                        "launched",
                        "generally available",
                        "ga",
                        "prod",
                        "discovered",
                    ],
                ),
                (Stage::Piloting, &["pilot", "in pilot", "pilot phase", "beta", "limited release", "early access"]),
                (
                    Stage::Testing,
                    &[
                        "implementation and assessment",
                        "implementation & assessment",
                        "implementation",
                        "in implementation",
                        "assessment",
                        "evaluation",
                        "test",
                        "testing",
                        "in testing",
                        "in test",
                        "uat",
                        "staging",
                        "pre-production",
                        "preproduction",
                        "pre-prod",
                        "validation",
                        "pre-deployment",
                    ],
                ),
                (
                    Stage::Building,
                    &[
                        "acquisition and/or development",
                        "acquisition and development",
                        "acquisition or development",
                        "acquisition",
                        "development",
                        "in development",
                        "under development",
                        "dev",
                        "initiated",
                        "initiation",
                        "planned",
                        "planning",
                        "in planning",
                        "ideation",
                        "idea",
                        "concept",
                        "design",
                        "proposed",
                        "proposal",
                        "proof of concept",
                        "poc",
                        "prototype",
                        "prototyping",
                        "experiment",
                        "experimental",
                        "research",
                        "research or administrative action complete",
                        "research and development",
                        "r&d",
                        "exploration",
                        "backlog",
                        "not started",
                        "pending",
                        "draft",
                        "active development",
                        "on hold",
                        "paused",
                        "suspended",
                        "sandbox",
                        "not deployed",
                        "pre-acquisition",
                    ],
                ),
                (
                    Stage::Retired,
                    &[
                        "retired",
                        "retirement",
                        "decommissioned",
                        "sunset",
                        "sunsetted",
                        "terminated",
                        "discontinued",
                        "inactive",
                        "archived",
                        "end of life",
                        "eol",
                        "closed",
                        "cancelled",
                        "canceled",
                        "withdrawn",
                        "disposed",
                        "no longer in use",
                    ],
                ),
            ],
        )
    })
}

/// Reads yes or no.
pub fn yes_or_no(value: &str) -> Option<bool> {
    let value = fold(value);
    match value.trim_end_matches('.') {
        "yes" | "y" | "true" | "t" | "1" | "x" | "✓" | "✔" | "ja" | "oui" | "sí" | "si" => Some(true),
        "no" | "n" | "false" | "f" | "0" | "nein" | "non" => Some(false),
        v if begins(v, "yes") => Some(true),
        v if begins(v, "no") => Some(false),
        _ => None,
    }
}

/// Reads whether a law or a regulator has a say.
pub fn regulated(value: &str) -> Option<bool> {
    table(
        value,
        &[
            (
                true,
                &[
                    "both",
                    "rights-impacting",
                    "rights impacting",
                    "safety-impacting",
                    "safety impacting",
                    "rights-impacting and safety-impacting",
                    "high-impact",
                    "high impact",
                    "high-risk",
                    "high risk",
                    "regulated",
                    "case-by-case assessment",
                ],
            ),
            (
                false,
                &[
                    "neither",
                    "not regulated",
                    "unregulated",
                    "not high-impact",
                    "not high impact",
                    "minimal risk",
                    "limited risk",
                ],
            ),
        ],
    )
    .or_else(|| yes_or_no(value))
}

/// Reads whether it runs.
pub fn running(value: &str) -> Option<Running> {
    own(value, Running::ALL, Running::label)
        .or_else(|| yes_or_no(value).map(|yes| if yes { Running::Yes } else { Running::No }))
        .or_else(|| {
            table(
                value,
                &[
                    (Running::Yes, &["running", "runs", "active", "enabled", "online", "up", "on", "started", "live"]),
                    (
                        Running::No,
                        &["stopped", "inactive", "disabled", "offline", "down", "off", "paused", "does not run"],
                    ),
                ],
            )
        })
}

/// Reads a state; only those that a record may begin in.
pub fn state(value: &str) -> Option<Lifecycle> {
    let state: Lifecycle = own(value, Lifecycle::ALL, Lifecycle::label)?;
    state.may_be_born(true).then_some(state)
}

/// Reads an environment.
pub fn environment(value: &str) -> Option<Environment> {
    own(value, Environment::ALL, Environment::label).or_else(|| {
        table(
            value,
            &[
                (Environment::Production, &["prod", "prd", "live", "production", "in production"]),
                (
                    Environment::Staging,
                    &[
                        "stage",
                        "stg",
                        "test",
                        "testing",
                        "qa",
                        "uat",
                        "pre-production",
                        "preproduction",
                        "pre-prod",
                        "preprod",
                        "pilot",
                        "acceptance",
                    ],
                ),
                (
                    Environment::Sandbox,
                    &["dev", "development", "lab", "local", "poc", "experiment", "experimental", "research"],
                ),
            ],
        )
    })
}

/// Reads who hosts it.
pub fn hosting(value: &str) -> Option<Hosting> {
    own(value, Hosting::ALL, Hosting::label).or_else(|| {
        table(
            value,
            &[
                (
                    Hosting::Internal,
                    &[
                        "in-house",
                        "in house",
                        "inhouse",
                        "self-hosted",
                        "self hosted",
                        "on-premises",
                        "on-premise",
                        "on premises",
                        "on premise",
                        "on-prem",
                        "own cloud",
                        "private cloud",
                        "own",
                    ],
                ),
                (
                    Hosting::VendorManaged,
                    &[
                        "vendor",
                        "vendor managed",
                        "vendor-hosted",
                        "vendor hosted",
                        "saas",
                        "software as a service",
                        "third party",
                        "third-party",
                        "external",
                        "externally hosted",
                        "hosted by vendor",
                    ],
                ),
            ],
        )
    })
}

/// Reads what sort of agent it is.
pub fn kind(value: &str) -> Option<AgentKind> {
    own(value, AgentKind::ALL, AgentKind::label).or_else(|| {
        table(
            value,
            &[
                (AgentKind::Orchestrator, &["orchestrator", "orchestration", "multi-agent", "multi-agent system"]),
                (
                    AgentKind::CustomerService,
                    &["customer service", "customer support", "customer service agent", "call centre", "call center"],
                ),
                (
                    AgentKind::SecurityOperations,
                    &["security operations", "security agent", "soc", "soc agent", "threat detection", "cybersecurity"],
                ),
                (
                    AgentKind::Coding,
                    &["coding", "code", "coding assistant", "code assistant", "developer", "code generation", "devops"],
                ),
                (
                    AgentKind::Analysis,
                    &["analytics", "data analysis", "data analytics", "prediction", "predictive", "classification"],
                ),
                (AgentKind::Workflow, &["workflow", "automation", "rpa", "process automation", "task automation"]),
                (
                    AgentKind::Assistant,
                    &["chatbot", "chat bot", "copilot", "co-pilot", "virtual assistant", "personal assistant", "chat"],
                ),
            ],
        )
    })
}

/// Reads how far it goes without a person.
pub fn autonomy(value: &str) -> Option<Autonomy> {
    own(value, Autonomy::ALL, Autonomy::label).or_else(|| {
        table(
            value,
            &[
                (
                    Autonomy::Suggests,
                    &["suggest", "suggestion", "advisory", "advises", "recommends", "recommendation", "read only"],
                ),
                (
                    Autonomy::ActsWithApproval,
                    &["human in the loop", "human-in-the-loop", "hitl", "with approval", "approval required"],
                ),
                (
                    Autonomy::ActsUnderSupervision,
                    &["human on the loop", "human-on-the-loop", "hotl", "supervised", "semi-autonomous", "monitored"],
                ),
                (
                    Autonomy::ActsAlone,
                    &[
                        "autonomous",
                        "fully autonomous",
                        "full autonomy",
                        "full",
                        "human out of the loop",
                        "unsupervised",
                        "automated",
                        "fully automated",
                    ],
                ),
            ],
        )
    })
}

/// Reads who meets it.
pub fn exposure(value: &str) -> Option<Exposure> {
    own(value, Exposure::ALL, Exposure::label).or_else(|| {
        table(
            value,
            &[
                (
                    Exposure::Internal,
                    &["employees", "staff", "internal only", "internal users", "internal use", "workforce", "private"],
                ),
                (
                    Exposure::CustomerFacing,
                    &["customer", "customers", "customer facing", "client", "clients", "client-facing", "partners"],
                ),
                (Exposure::Public, &["public", "public-facing", "public facing", "internet", "external", "citizens"]),
            ],
        )
    })
}

/// Reads the highest class of data it reaches.
pub fn data(value: &str) -> Option<DataClass> {
    own(value, DataClass::ALL, DataClass::label).or_else(|| {
        table(
            value,
            &[
                (
                    DataClass::Restricted,
                    &[
                        "restricted",
                        "secret",
                        "top secret",
                        "highly confidential",
                        "strictly confidential",
                        "phi",
                        "pci",
                        "special category",
                        "highly sensitive",
                        "regulated",
                        "cui",
                    ],
                ),
                (
                    DataClass::Confidential,
                    &["pii", "personal", "personal data", "sensitive", "private", "proprietary", "customer data"],
                ),
                (DataClass::Internal, &["internal use only", "internal only", "business"]),
                (DataClass::Public, &["open", "open data", "non-sensitive", "unclassified"]),
            ],
        )
    })
}

/// Reads what a tool is.
pub fn tool_kind(value: &str) -> Option<ToolKind> {
    own(value, ToolKind::ALL, ToolKind::label)
}

/// Reads what may be done with a tool.
pub fn access(value: &str) -> Option<Access> {
    own(value, Access::ALL, Access::label)
}

/// Reads how much harm a tool can do.
pub fn sensitivity(value: &str) -> Option<Sensitivity> {
    own(value, Sensitivity::ALL, Sensitivity::label)
}

/// Reads what kind of credential it is.
pub fn credential_kind(value: &str) -> Option<CredentialKind> {
    own(value, CredentialKind::ALL, CredentialKind::label).or_else(|| {
        table(
            value,
            &[
                (CredentialKind::JustInTime, &["jit", "ephemeral", "workload identity", "oidc"]),
                (CredentialKind::ShortLived, &["short lived", "token", "oauth", "session token"]),
                (
                    CredentialKind::LongLived,
                    &["long lived", "api key", "static", "static key", "secret", "password", "access key"],
                ),
                (CredentialKind::SharedAccount, &["shared", "service account", "shared service account"]),
            ],
        )
    })
}
