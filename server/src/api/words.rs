//! The vocabularies and references of the API as its document describes them. The values
//! are the domain's own; these types are never made, only named in schemas.

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

macro_rules! vocabulary {
    ($($(#[doc = $text:literal])+ $name:ident: $word:path;)+) => { $(
        $(#[doc = $text])+
        #[derive(Debug)]
        pub(super) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .enum_values(Some(<$word>::ALL.iter().map(|w| w.key())))
                    .description(Some(told(&[$($text),+], <$word>::ALL.iter().map(|w| (w.key(), w.label())))))
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )+ };
}

/// The sentence, and each key with what it means.
fn told<'w>(text: &[&str], words: impl Iterator<Item = (&'w str, &'w str)>) -> String {
    let mut out: String = text.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
    let words: Vec<String> =
        words.filter(|(k, l)| k != &l.to_lowercase()).map(|(k, l)| format!("`{k}`: {l}")).collect();
    if !words.is_empty() {
        out.push_str(&format!(" ({})", words.join("; ")));
    }
    out
}

vocabulary! {
    /// Where the agent is in its life.
    Lifecycle: domain::agent::Lifecycle;
    /// What sort of agent it is.
    AgentKind: domain::agent::AgentKind;
    /// Where the agent is deployed.
    Environment: domain::agent::Environment;
    /// Who hosts the agent.
    Hosting: domain::agent::Hosting;
    /// How far the agent goes without a person.
    Autonomy: domain::agent::Autonomy;
    /// Who meets the agent.
    Exposure: domain::agent::Exposure;
    /// The highest class of data that the agent reaches.
    DataClass: domain::agent::DataClass;
    /// Whether it runs, apart from its lifecycle. Unknown counts as yes.
    Running: domain::agent::Running;
    /// What a tool is.
    ToolKind: domain::agent::ToolKind;
    /// What the agent may do with a tool.
    Access: domain::agent::Access;
    /// How much harm a tool can do.
    Sensitivity: domain::agent::Sensitivity;
    /// What kind of credential it is.
    CredentialKind: domain::agent::CredentialKind;
    /// What is asked about an agent.
    RequestKind: domain::request::RequestKind;
    /// Where a request stands.
    RequestState: domain::request::RequestState;
    /// How a step was decided.
    Verdict: domain::request::Verdict;
    /// Where an exception stands.
    ExceptionState: domain::exception::ExceptionState;
    /// By virtue of what somebody decides.
    Via: domain::request::Via;
    /// How an undecided step stands to the clock.
    Urgency: domain::request::Urgency;
    /// How a review stands to the clock, and an agent in its campaign.
    ReviewProgress: domain::review::Progress;
    /// Risk tier, computed from the facts.
    Tier: domain::tier::Tier;
    /// A row of the RACI matrix.
    Duty: domain::duty::Duty;
    /// A way to reach a person.
    ChannelKind: domain::reach::ChannelKind;
    /// A letter of the matrix.
    RaciRole: domain::assignment::RaciRole;
    /// Whether somebody can stop the agent, worst first.
    RuntimeOwnerState: domain::assignment::RuntimeOwner;
    /// Where harm is stopped.
    Surface: domain::stop::Surface;
    /// How a surface is stopped.
    MethodKind: domain::stop::MethodKind;
    /// Where a drill, or a call in earnest, stands.
    CallState: domain::stop::CallState;
    /// One thing that a stop consists of.
    StopStep: domain::stop::Step;
    /// How a call of a webhook ended.
    CallOutcome: domain::stop::Outcome;
    /// A part of the agents that use one thing.
    RadiusPart: domain::stop::Part;
    /// Why an agent is left as it is when all are stopped.
    LeftWhy: domain::stop::Left;
    /// A check.
    FindingKey: domain::finding::FindingKey;
    /// How bad a finding is.
    Severity: domain::finding::Severity;
    /// What one may do by virtue of a role.
    Role: domain::party::Role;
    /// Whether a person is there.
    PersonStatus: domain::party::PersonStatus;
    /// What a team is for.
    TeamKind: domain::party::TeamKind;
    /// How an organisation shares duties out.
    Model: domain::model::Model;
    /// A function of an organisation.
    Slot: domain::model::Slot;
    /// When the policy asks for an approver.
    When: domain::policy::When;
    /// Whether a rule acts.
    RuleState: domain::rule::RuleState;
    /// Where a handover stands.
    HandoverState: domain::handover::HandoverState;
    /// What a rule does to the agents of an import.
    AtImport: domain::rule::AtImport;
    /// What would become of a duty.
    ModelOutcome: crate::api::models::Outcome;
    /// What a system is.
    SystemKind: domain::system::SystemKind;
    /// What a row of a retirement is about.
    RetirementRowKind: domain::retirement::RowKind;
    /// How good the evidence of a row is.
    Proof: domain::retirement::Proof;
    /// Where a retirement stands.
    RetirementState: domain::request::RequestState;
}

macro_rules! reference {
    ($($(#[doc = $text:literal])+ $name:ident: $pattern:literal, $example:literal;)+) => { $(
        $(#[doc = $text])+
        #[derive(Debug)]
        pub(super) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::String))
                    .pattern(Some($pattern))
                    .description(Some(told(&[$($text),+], std::iter::empty())))
                    .examples([$example])
                    .into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )+ };
}

reference! {
    /// An agent.
    AgentRef: "^AG-[1-9][0-9]{0,17}$", "AG-42";
    /// A person.
    PersonRef: "^PE-[1-9][0-9]{0,17}$", "PE-7";
    /// A team.
    TeamRef: "^TE-[1-9][0-9]{0,17}$", "TE-3";
    /// A multi-agent system or a shared platform.
    SystemRef: "^SY-[1-9][0-9]{0,17}$", "SY-1";
    /// An import wave.
    WaveRef: "^IM-[1-9][0-9]{0,17}$", "IM-1";
    /// A person or a team.
    PartyRef: "^(PE|TE)-[1-9][0-9]{0,17}$", "PE-7";
    /// Who did it: a person, a token, a standing rule, `cli` for the command line, `muster` for Muster itself.
    ActorRef: "^((PE|TK|SR)-[1-9][0-9]{0,17}|cli|muster)$", "PE-7";
    /// A standing rule.
    RuleRef: "^SR-[1-9][0-9]{0,17}$", "SR-1";
    /// A request.
    RequestRef: "^RQ-[1-9][0-9]{0,17}$", "RQ-1";
    /// An exception.
    ExceptionRef: "^EX-[1-9][0-9]{0,17}$", "EX-7";
    /// A review campaign.
    CampaignRef: "^CA-[1-9][0-9]{0,17}$", "CA-1";
    /// A retirement, which is a request.
    RetirementRef: "^RQ-[1-9][0-9]{0,17}$", "RQ-9";
    /// A handover.
    HandoverRef: "^HO-[1-9][0-9]{0,17}$", "HO-1";
    /// A SHA-256 in lower-case hexadecimal.
    Sha256: "^[0-9a-f]{64}$", "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
}
