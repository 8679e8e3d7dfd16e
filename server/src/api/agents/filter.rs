//! Which agents: the filter of the list, and of a bulk assignment.
#![expect(clippy::large_stack_arrays, reason = "the derive lists the parameters in one array")]

use domain::agent::{Environment, Lifecycle, Running};
use domain::assignment::RuntimeOwner;
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::{SystemId, TeamId, WaveId};
use domain::party::Party;
use domain::policy::When;
use domain::tier::Tier;
use register::agents::list::{Query, Sort};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::api::asked::{Paging, truth};
use crate::api::words;
use crate::problem::Problem;

/// How far agents are counted where several filters are set.
const COUNT_TO: i64 = 10_000;

/// Which agents; every filter narrows.
#[derive(Debug, Default, Deserialize, IntoParams, ToSchema)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(in crate::api) struct AgentFilter {
    /// In this state.
    #[serde(default)]
    #[param(value_type = Option<words::Lifecycle>, inline)]
    #[schema(value_type = Option<words::Lifecycle>)]
    state: Option<Lifecycle>,
    /// Deployed there.
    #[serde(default)]
    #[param(value_type = Option<words::Environment>, inline)]
    #[schema(value_type = Option<words::Environment>)]
    environment: Option<Environment>,
    /// Of this tier.
    #[serde(default)]
    #[param(value_type = Option<words::Tier>, inline)]
    #[schema(value_type = Option<words::Tier>)]
    tier: Option<Tier>,
    /// Whether somebody can stop it. Retired agents have no such state.
    #[serde(default)]
    #[param(value_type = Option<words::RuntimeOwnerState>, inline)]
    #[schema(value_type = Option<words::RuntimeOwnerState>)]
    runtime_owner: Option<RuntimeOwner>,
    /// Needs this duty, and nobody who is there holds it.
    #[serde(default)]
    #[param(value_type = Option<words::Duty>, inline)]
    #[schema(value_type = Option<words::Duty>)]
    vacant: Option<Duty>,
    /// With this finding now.
    #[serde(default)]
    #[param(value_type = Option<words::FindingKey>, inline)]
    #[schema(value_type = Option<words::FindingKey>)]
    finding: Option<FindingKey>,
    /// With this finding, under an exception now: it does not count as a finding.
    #[serde(default)]
    #[param(value_type = Option<words::FindingKey>, inline)]
    #[schema(value_type = Option<words::FindingKey>)]
    excepted: Option<FindingKey>,
    /// With `finding`: true for what is due now, false for what waits for the target date of
    /// its import.
    #[serde(default, deserialize_with = "truth")]
    #[param(value_type = Option<bool>)]
    #[schema(value_type = Option<bool>)]
    due: Option<bool>,
    /// Of this business unit, in whatever case; empty for agents of none.
    #[serde(default)]
    business_unit: Option<String>,
    /// For any duty of which this person or team is Accountable.
    #[serde(default)]
    #[param(value_type = Option<words::PartyRef>, inline)]
    #[schema(value_type = Option<words::PartyRef>)]
    owner: Option<Party>,
    /// Each word must begin a word of the name, reference, business unit, vendor, workload
    /// identity, external ids or labels.
    #[serde(default)]
    q: String,
    /// Running, as it is stated.
    #[serde(default)]
    #[param(value_type = Option<words::Running>, inline)]
    #[schema(value_type = Option<words::Running>)]
    running: Option<Running>,
    /// Whether it counts as running: unknown does, retired does not.
    #[serde(default, deserialize_with = "truth")]
    #[param(value_type = Option<bool>)]
    #[schema(value_type = Option<bool>)]
    runs: Option<bool>,
    /// Came with this import wave.
    #[serde(default)]
    #[param(value_type = Option<words::WaveRef>, inline)]
    #[schema(value_type = Option<words::WaveRef>)]
    wave: Option<WaveId>,
    /// Member of this system.
    #[serde(default)]
    #[param(value_type = Option<words::SystemRef>, inline)]
    #[schema(value_type = Option<words::SystemRef>)]
    system: Option<SystemId>,
    /// Runs on this platform.
    #[serde(default)]
    #[param(value_type = Option<words::SystemRef>, inline)]
    #[schema(value_type = Option<words::SystemRef>)]
    platform: Option<SystemId>,
    /// Operated by this team.
    #[serde(default)]
    #[param(value_type = Option<words::TeamRef>, inline)]
    #[schema(value_type = Option<words::TeamRef>)]
    operated_by: Option<TeamId>,
    /// Hosted by the vendor of this name.
    #[serde(default)]
    vendor: Option<String>,
    /// Uses the tool of this name.
    #[serde(default)]
    tool: Option<String>,
    /// Uses the credential of this name.
    #[serde(default)]
    credential: Option<String>,
    /// For which this condition of the policy holds. Retired agents are left out.
    #[serde(default)]
    #[param(value_type = Option<words::When>, inline)]
    #[schema(value_type = Option<words::When>)]
    condition: Option<When>,
    /// For which this condition of the policy does not hold. Retired agents are left out.
    #[serde(default)]
    #[param(value_type = Option<words::When>, inline)]
    #[schema(value_type = Option<words::When>)]
    without_condition: Option<When>,
}

impl AgentFilter {
    /// The query of a page.
    pub(in crate::api) fn query(self, page: &Paging) -> Result<Query, Problem> {
        let (sort, down) = match page.sort.as_deref() {
            None => (Sort::default(), false),
            Some(key) => Sort::parse(key).ok_or_else(|| {
                let keys: Vec<&str> = Sort::ALL.iter().map(|(key, _)| *key).collect();
                Problem::field("/sort", format!("Sort by one of {}, downwards with - before it.", keys.join(", ")))
            })?,
        };
        Ok(Query { sort, down, cursor: page.cursor.clone(), limit: page.limit()?, ..self.all() })
    }

    /// The query of every agent that it leaves.
    pub(in crate::api) fn all(self) -> Query {
        Query {
            state: self.state,
            environment: self.environment,
            tier: self.tier,
            runtime_owner: self.runtime_owner.into_iter().collect(),
            vacant: self.vacant,
            running: self.running,
            runs: self.runs,
            finding: self.finding,
            excepted: self.excepted,
            due: self.due,
            business_unit: self.business_unit,
            owner: self.owner,
            wave: self.wave,
            system: self.system,
            platform: self.platform,
            operated_by: self.operated_by,
            vendor: self.vendor,
            tool: self.tool,
            credential: self.credential,
            condition: self.condition,
            without_condition: self.without_condition,
            q: self.q,
            count_to: COUNT_TO,
            ..Query::default()
        }
    }
}
