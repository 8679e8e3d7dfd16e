//! Duties: the rows of the RACI matrix, and when each is required.

use crate::agent::{AgentFacts, Autonomy, DataClass, Environment, Exposure};

crate::words! {
    /// A duty towards an agent. The Accountable party of a duty is its owner;
    /// there is no other owner anywhere.
    pub enum Duty {
        /// Use case, acceptable task boundary, approval to deploy.
        Purpose = "purpose", "Purpose";
        /// Technical implementation, runtime controls, logging.
        Implementation = "implementation", "Implementation";
        /// Pause the agent in production, inspect its traces, restore service.
        Containment = "containment", "Containment";
        /// Policy, exceptions, review.
        Policy = "policy", "Policy";
        /// Workload identity, trust policy, credential lifecycle.
        Identity = "identity", "Identity";
        /// Request-level enforcement, schema validation, rate limits, abuse detection.
        Requests = "requests", "Requests";
        /// Runtime boundary, isolation, secret delivery, telemetry, runtime guards.
        Platform = "platform", "Platform";
        /// Watching behaviour, triaging alerts.
        Monitoring = "monitoring", "Monitoring";
        /// Incident response, evidence.
        Incident = "incident", "Incident response";
        /// Model and workflow remediation, root cause.
        Improvement = "improvement", "Improvement";
        /// Periodic review of actions against the original purpose.
        Review = "review", "Review";
        /// Offboarding, revocation, evidence.
        Retirement = "retirement", "Retirement";
        /// Customer-impact review, emergency shutdown.
        CustomerImpact = "customer-impact", "Customer impact";
        /// Accountability that stays inside when a vendor hosts the agent.
        Vendor = "vendor", "Vendor oversight";
        /// Formal second approval (legal, risk).
        Regulatory = "regulatory", "Regulatory approval";
    }
}

impl Duty {
    /// The title of the duty's Accountable party.
    pub const fn owner_title(self) -> &'static str {
        match self {
            Self::Purpose => "Business owner",
            Self::Implementation => "System owner",
            Self::Containment => "Runtime owner",
            Self::Policy => "Security owner",
            Self::Identity => "Identity owner",
            Self::Requests => "API owner",
            Self::Platform => "Platform owner",
            Self::Monitoring => "Monitoring owner",
            Self::Incident => "Incident lead",
            Self::Improvement => "Improvement owner",
            Self::Review => "Review owner",
            Self::Retirement => "Retirement owner",
            Self::CustomerImpact => "Customer-impact owner",
            Self::Vendor => "Vendor-oversight owner",
            Self::Regulatory => "Regulatory approver",
        }
    }

    /// What the owner answers for, as one line.
    pub const fn answers_for(self) -> &'static str {
        match self {
            Self::Purpose => "the use case, the task boundary, the approval to deploy",
            Self::Implementation => "the technical implementation, runtime controls and logging",
            Self::Containment => "pausing the agent in production, inspecting its traces, restoring service",
            Self::Policy => "policy, exceptions and review",
            Self::Identity => "workload identity, trust policy, issuing, rotating and revoking credentials",
            Self::Requests => "request enforcement, schema validation, rate limits, abuse detection",
            Self::Platform => "the runtime boundary, isolation, secret delivery, telemetry and guards",
            Self::Monitoring => "watching behaviour and triaging alerts",
            Self::Incident => "incident response and its evidence",
            Self::Improvement => "model and workflow remediation and root cause",
            Self::Review => "the periodic review of actions against the purpose",
            Self::Retirement => "offboarding, revocation and its evidence",
            Self::CustomerImpact => "customer-impact review and emergency shutdown",
            Self::Vendor => "keeping accountability inside when a vendor hosts the agent",
            Self::Regulatory => "the formal second approval, legal or risk",
        }
    }

    /// When the duty is required, for the page that explains it.
    pub const fn required_when(self) -> &'static str {
        match self {
            Self::Purpose | Self::Containment | Self::Policy => "always",
            Self::Implementation | Self::Identity | Self::Platform | Self::Retirement => {
                "always, except for a harmless sandbox agent"
            }
            Self::Requests => "the agent has tools or calls APIs",
            Self::Monitoring | Self::Incident | Self::Improvement | Self::Review => "in production",
            Self::CustomerImpact => "customer-facing or public",
            Self::Vendor => "vendor-managed",
            Self::Regulatory => "regulated",
        }
    }

    /// Whether an agent with these facts must have an owner for this duty.
    pub fn required(self, facts: &AgentFacts) -> bool {
        if harmless_sandbox(facts) {
            return matches!(self, Self::Purpose | Self::Containment | Self::Policy);
        }
        match self {
            Self::Purpose
            | Self::Implementation
            | Self::Containment
            | Self::Policy
            | Self::Identity
            | Self::Platform
            | Self::Retirement => true,
            Self::Requests => !facts.tools.is_empty(),
            Self::Monitoring | Self::Incident | Self::Improvement | Self::Review => {
                facts.environment == Environment::Production
            }
            Self::CustomerImpact => {
                matches!(facts.exposure, Exposure::CustomerFacing | Exposure::Public)
            }
            Self::Vendor => facts.vendor_managed(),
            Self::Regulatory => facts.regulated,
        }
    }

    /// The duties an agent with these facts must have an owner for.
    pub fn all_required(facts: &AgentFacts) -> impl Iterator<Item = Self> {
        Self::ALL.iter().copied().filter(move |d| d.required(facts))
    }
}

/// A sandbox agent that only suggests and touches nothing sensitive: three duties
/// are enough, and its A may be its own R.
pub fn harmless_sandbox(facts: &AgentFacts) -> bool {
    facts.environment == Environment::Sandbox
        && facts.autonomy == Autonomy::Suggests
        && matches!(facts.data, DataClass::Public | DataClass::Internal)
        && matches!(facts.exposure, Exposure::Internal)
        && !facts.regulated
        && !facts.vendor_managed()
        && facts.tools.iter().all(super::agent::ToolGrant::harmless)
}
