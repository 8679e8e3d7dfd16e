//! The policy, its versions, and what another would do.

use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::policy::effect::Effect;
use domain::policy::{self, Approver, ByTier, When};
use domain::tier::Tier;
use register::Error;
use register::paging::Cursor;
use register::policies::{self, Past, Preview, Versioned, Written};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, ok, versioned};
use super::asked::{Asked, Listed, NoFilter};
use super::sent::{Expected, read};
use super::words;
use crate::App;
use crate::json::Json as Sent;
use crate::problem::{Kind, Problem};
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(read_policy, write_policy))
        .routes(routes!(list_policy_versions))
        .routes(routes!(preview_policy))
}

/// Nothing is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Who approves, and when.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PolicyApprover {
    /// Whose owner approves.
    #[schema(value_type = words::Duty)]
    duty: Duty,
    #[schema(value_type = words::When)]
    when: When,
    /// Only once every other step is decided.
    #[serde(default)]
    #[schema(required = false)]
    last: bool,
}

/// A number of days for each tier; a riskier tier never has more.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct PolicyDays {
    #[schema(minimum = 1)]
    low: u16,
    #[schema(minimum = 1)]
    moderate: u16,
    #[schema(minimum = 1)]
    high: u16,
    #[schema(minimum = 1)]
    critical: u16,
}

impl From<ByTier> for PolicyDays {
    fn from(d: ByTier) -> Self {
        Self { low: d.low, moderate: d.moderate, high: d.high, critical: d.critical }
    }
}

impl From<PolicyDays> for ByTier {
    fn from(d: PolicyDays) -> Self {
        Self { low: d.low, moderate: d.moderate, high: d.high, critical: d.critical }
    }
}

/// What a policy says.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "approvers": [
        {"duty": "purpose", "when": "always"}, {"duty": "policy", "when": "always"},
        {"duty": "regulatory", "when": "regulated", "last": true}
    ],
    "step_days": {"low": 10, "moderate": 7, "high": 5, "critical": 3},
    "approval_days": {"low": 730, "moderate": 365, "high": 365, "critical": 180},
    "review_days": {"low": 365, "moderate": 180, "high": 90, "critical": 30},
    "exception_days": {"low": 180, "moderate": 90, "high": 60, "critical": 30},
    "escalate_days": 3, "lapse_days": 90
}))]
struct PolicyBody {
    /// One rule for each duty that may be asked. `purpose` and `policy` are always asked.
    approvers: Vec<PolicyApprover>,
    /// How long one step may take before it is overdue.
    step_days: PolicyDays,
    /// How long an approval lasts before it falls due again.
    approval_days: PolicyDays,
    /// How often an agent is reviewed.
    review_days: PolicyDays,
    /// How long an exception may last.
    exception_days: PolicyDays,
    /// How often an exception may be renewed; 2 if it is left out.
    #[serde(default = "renewals")]
    #[schema(maximum = 12, required = false)]
    exception_renewals: u16,
    /// Findings that are never excepted, beside those of which no policy lets anybody.
    #[serde(default)]
    #[schema(value_type = Vec<words::FindingKey>, required = false)]
    never_excepted: Vec<FindingKey>,
    /// How many days late a step is escalated.
    #[schema(maximum = 90)]
    escalate_days: u16,
    /// After how many days an open request lapses; then nothing was approved.
    #[schema(minimum = 7, maximum = 366)]
    lapse_days: u16,
}

fn renewals() -> u16 {
    policy::Policy::default().exception_renewals
}

impl From<policy::Policy> for PolicyBody {
    fn from(p: policy::Policy) -> Self {
        let p = p.normal();
        Self {
            approvers: p
                .approvers
                .iter()
                .map(|a| PolicyApprover { duty: a.duty, when: a.when, last: a.last })
                .collect(),
            step_days: p.step_days.into(),
            approval_days: p.approval_days.into(),
            review_days: p.review_days.into(),
            exception_days: p.exception_days.into(),
            exception_renewals: p.exception_renewals,
            never_excepted: p.never_excepted,
            escalate_days: p.escalate_days,
            lapse_days: p.lapse_days,
        }
    }
}

impl From<PolicyBody> for policy::Policy {
    fn from(p: PolicyBody) -> Self {
        Self {
            approvers: p.approvers.into_iter().map(|a| Approver { duty: a.duty, when: a.when, last: a.last }).collect(),
            step_days: p.step_days.into(),
            approval_days: p.approval_days.into(),
            review_days: p.review_days.into(),
            exception_days: p.exception_days.into(),
            exception_renewals: p.exception_renewals,
            never_excepted: p.never_excepted,
            escalate_days: p.escalate_days,
            lapse_days: p.lapse_days,
        }
    }
}

/// A version of the policy.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyVersion {
    /// Its number; 0 is the policy that Muster begins with.
    version: i64,
    /// When it came into force; null for version 0.
    #[schema(required)]
    at: Option<DateTime<Utc>>,
    /// Who wrote it; null for version 0.
    #[schema(required, value_type = Option<words::ActorRef>)]
    made_by: Option<String>,
    /// Who confirmed it, being weaker; null where that was not needed.
    #[schema(required, value_type = Option<words::ActorRef>)]
    confirmed_by: Option<String>,
    /// Why.
    reason: String,
    /// What it says.
    policy: PolicyBody,
}

impl From<Versioned> for PolicyVersion {
    fn from(v: Versioned) -> Self {
        Self {
            version: v.version,
            at: v.at,
            made_by: Some(v.made_by).filter(|who| !who.is_empty()),
            confirmed_by: v.confirmed_by,
            reason: v.reason,
            policy: v.policy.into(),
        }
    }
}

/// Read the policy in force
#[utoipa::path(
    get,
    path = "/api/v1/policy",
    tag = "policy",
    responses((
        status = 200, description = "The policy.", body = PolicyVersion,
        headers(("ETag" = String, description = "Its version, for `If-Match`."))
    ))
)]
async fn read_policy(State(app): State<App>, caller: ApiActor, _: Asked<Nothing>) -> Answer {
    let present = policies::read(&app.db, caller.by()).await?;
    versioned(present.version, PolicyVersion::from(present))
}

/// A version of the policy, and what it changed.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyPast {
    /// Its number; 0 is the policy that Muster begins with.
    version: i64,
    /// When it came into force; null for version 0.
    #[schema(required)]
    at: Option<DateTime<Utc>>,
    /// Who wrote it; null for version 0.
    #[schema(required, value_type = Option<words::ActorRef>)]
    made_by: Option<String>,
    /// Who confirmed it, being weaker; null where that was not needed.
    #[schema(required, value_type = Option<words::ActorRef>)]
    confirmed_by: Option<String>,
    /// Why.
    reason: String,
    /// What it says.
    policy: PolicyBody,
    /// What it changed of the version before, each a sentence.
    changes: Vec<String>,
    /// How it was weaker than the version before, each a sentence.
    weaker: Vec<String>,
}

impl From<Past> for PolicyPast {
    fn from(p: Past) -> Self {
        let PolicyVersion { version, at, made_by, confirmed_by, reason, policy } = p.version.into();
        Self { version, at, made_by, confirmed_by, reason, policy, changes: p.changes, weaker: p.weaker }
    }
}

/// What the cursor of this list belongs to.
const VERSIONS: &str = "policy";

/// List the versions of the policy
///
/// Newest first; the last is version 0, the policy that Muster begins with.
#[utoipa::path(
    get,
    path = "/api/v1/policy/versions",
    tag = "policy",
    params(super::asked::Paging),
    responses((status = 200, description = "A page of them.", body = List<PolicyPast>))
)]
async fn list_policy_versions(State(app): State<App>, caller: ApiActor, asked: Listed<NoFilter>) -> Answer {
    asked.page.unsorted()?;
    let before = asked.page.cursor.as_deref().map(|c| Cursor::decode(c, VERSIONS)).transpose()?.map(|c| c.i);
    let limit = asked.page.limit()?;
    let found = policies::past(&app.db, caller.by(), before, limit).await?;
    let present = policies::read(&app.db, caller.by()).await?;
    let next = found
        .last()
        .map(|p| p.version.version)
        .filter(|n| *n > 0)
        .map(|n| Cursor { s: VERSIONS.into(), k: String::new(), i: n, b: false }.encode());
    ok(List::new(found.into_iter().map(PolicyPast::from).collect(), next, Some(present.version + 1)))
}

/// What becomes of one approver.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyDutyEffect {
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// When they are asked under the policy in force.
    #[schema(value_type = words::When)]
    before: When,
    /// When they would be asked.
    #[schema(value_type = words::When)]
    after: When,
    /// Agents that would need them and do not now: those with condition `after` and without `before`.
    more: u64,
    /// Those of these that hold an approval.
    more_approved: u64,
    /// Agents that need them and would not any more: those with condition `before` and without `after`.
    fewer: u64,
}

/// What becomes of the agents of one tier.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyTierEffect {
    #[schema(value_type = words::Tier)]
    tier: Tier,
    /// How many agents it has, retired ones left out.
    agents: u64,
    /// What changes for them, each a sentence.
    changes: Vec<String>,
}

/// What a policy would do.
#[derive(Debug, Serialize, ToSchema)]
struct PolicyPreview {
    /// The version in force, which it was read beside.
    against: i64,
    /// What changes, each a sentence; empty when nothing does.
    changes: Vec<String>,
    /// How it is weaker, each a sentence.
    weaker: Vec<String>,
    /// Being weaker, it needs a second person.
    second_person: bool,
    /// Approvers whose condition changes.
    duties: Vec<PolicyDutyEffect>,
    /// Tiers whose days change.
    tiers: Vec<PolicyTierEffect>,
    /// Agents that hold an approval and are asked a step more: it falls due again.
    approvals_due: u64,
    /// The numbers lack agents that Muster has not assessed yet after an update.
    incomplete: bool,
}

impl From<Preview> for PolicyPreview {
    fn from(p: Preview) -> Self {
        let Effect { duties, tiers, due } = p.effect;
        Self {
            against: p.against,
            changes: p.changes,
            weaker: p.weaker,
            second_person: p.second_person,
            duties: duties
                .into_iter()
                .map(|d| PolicyDutyEffect {
                    duty: d.duty,
                    before: d.before,
                    after: d.after,
                    more: d.more,
                    more_approved: d.more_approved,
                    fewer: d.fewer,
                })
                .collect(),
            tiers: tiers
                .into_iter()
                .map(|t| PolicyTierEffect { tier: t.tier, agents: t.agents, changes: t.changes })
                .collect(),
            approvals_due: due,
            incomplete: p.behind,
        }
    }
}

/// Preview a policy
///
/// What it would change, and what that would do to the agents there are now. Nothing is written.
#[utoipa::path(
    post,
    path = "/api/v1/policy/preview",
    tag = "policy",
    request_body = PolicyBody,
    responses((status = 200, description = "What it would do.", body = PolicyPreview))
)]
async fn preview_policy(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    can(&caller.actor, Action::PolicyWrite, Relation::None).map_err(Error::from)?;
    let body: PolicyBody = read(body)?;
    ok(PolicyPreview::from(policies::preview(&app.db, caller.by(), &body.into()).await?))
}

/// A policy to be written.
#[derive(Debug, Deserialize, ToSchema)]
#[expect(dead_code, reason = "the shape of a body, for the document; read in two steps")]
struct PolicyNew {
    /// One rule for each duty that may be asked. `purpose` and `policy` are always asked.
    approvers: Vec<PolicyApprover>,
    /// How long one step may take before it is overdue.
    step_days: PolicyDays,
    /// How long an approval lasts before it falls due again.
    approval_days: PolicyDays,
    /// How often an agent is reviewed.
    review_days: PolicyDays,
    /// How long an exception may last.
    exception_days: PolicyDays,
    /// How many days late a step is escalated.
    #[schema(maximum = 90)]
    escalate_days: u16,
    /// After how many days an open request lapses; then nothing was approved.
    #[schema(minimum = 7, maximum = 366)]
    lapse_days: u16,
    /// Why: kept beside the version.
    #[schema(min_length = 1, max_length = 1000)]
    reason: String,
}

/// Write the policy
///
/// All of it, as a new version. A weaker policy needs a second person once there are two
/// administrators or security leads: then it becomes a proposal, which the 409 names, and
/// nothing changes until another of them confirms it on the page `/policy`.
#[utoipa::path(
    put,
    path = "/api/v1/policy",
    tag = "policy",
    request_body = PolicyNew,
    responses((
        status = 200, description = "The policy, in force.", body = PolicyVersion,
        headers(("ETag" = String, description = "Its new version."))
    ))
)]
async fn write_policy(State(app): State<App>, caller: ApiActor, headers: HeaderMap, Sent(body): Sent<Value>) -> Answer {
    let by = caller.by();
    can(&caller.actor, Action::PolicyWrite, Relation::None).map_err(Error::from)?;
    let present = policies::read(&app.db, by).await?;
    let expected = Expected::of(&headers).is(present.version)?;
    let Value::Object(mut members) = body else {
        return Err(Problem::field("", "Send an object with the whole policy and a reason."));
    };
    let reason = match members.remove("reason") {
        Some(reason) => super::sent::read_at::<String>("/reason", reason)?,
        None => String::new(),
    };
    let body: PolicyBody = read(Value::Object(members))?;
    match policies::write(&app.db, by, Some(expected), &body.into(), &reason).await? {
        Written::InForce(version) => {
            let written = policies::read_version(&app.db, by, version).await?;
            versioned(version, PolicyVersion::from(written))
        }
        Written::Asked(next) => Err(Problem::new(Kind::Conflict, next)),
    }
}
