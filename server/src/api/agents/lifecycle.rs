//! An agent's life through the API: ask, take back, make active, adopt, resume, change of scope.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId};
use domain::request::{RequestKind, RequestState};
use register::Error;
use register::agents;
use register::requests::{self, Submission, acting, list, observed};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::object::{Agent, AgentNew};
use super::write;
use crate::App;
use crate::api::answer::{Answer, ok, versioned};
use crate::api::patch::AgentPatch;
use crate::api::requests::{Request, RequestWords, made};
use crate::api::sent::{At, Maybe, read, read_at, said};
use crate::api::words;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(submit_agent))
        .routes(routes!(foresee_approval))
        .routes(routes!(withdraw_agent))
        .routes(routes!(activate_agent))
        .routes(routes!(adopt_agent))
        .routes(routes!(resume_agent))
        .routes(routes!(change_scope))
        .routes(routes!(read_observed))
        .routes(routes!(appoint_decider))
}

/// What is said when an approval is asked for.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SubmissionNew {
    /// What the deciders must know.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
    /// Who reviews what a tool of high sensitivity does; needed where one is used.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::PersonRef, required = false)]
    reviewer: Option<PersonId>,
}

/// Who may ask about an agent, checked before its body is looked at.
async fn asks(app: &App, caller: &ApiActor, id: AgentId, action: Action) -> Result<agents::View, Problem> {
    let view = agents::read(&app.db, caller.by(), id).await?;
    can(&caller.actor, action, view.relation).map_err(Error::from)?;
    Ok(view)
}

/// Ask for an agent to be approved
///
/// A draft for the first time, an approved agent again; its boundary is what is decided on.
/// 409 names what stands in the way.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/actions/submit",
    tag = "requests",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = SubmissionNew,
    responses((
        status = 201, description = "Asked.", body = Request,
        headers(("Location" = String, description = "Where the request is."))
    ))
)]
async fn submit_agent(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>, Maybe(body): Maybe) -> Answer {
    asks(&app, &caller, id, Action::RequestOpen).await?;
    let SubmissionNew { reason, reviewer } = read(body)?;
    let request = requests::submit(&app.db, caller.by(), id, &Submission { reason, reviewer }).await?;
    made(&app, &caller, request).await
}

/// A step as it would be asked.
#[derive(Debug, Serialize, ToSchema)]
struct StepForeseen {
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// Why.
    because: Vec<String>,
    /// Only once every other step is decided.
    last: bool,
    /// Who would decide it now; null while the capacity is vacant.
    #[schema(value_type = Option<words::PersonRef>, required)]
    decider: Option<PersonId>,
    /// Until when.
    due_at: DateTime<Utc>,
}

/// What asking would take.
#[derive(Debug, Serialize, ToSchema)]
struct ApprovalForeseen {
    /// The SHA-256 of what would be decided on.
    subject_sha256: String,
    /// The version of the policy.
    policy_version: i64,
    steps: Vec<StepForeseen>,
    /// What must be mended before it can be asked.
    blocked: Vec<String>,
    /// Whether a human reviewer must be named.
    needs_reviewer: bool,
    /// When it would lapse.
    lapses_at: DateTime<Utc>,
}

/// See what an approval would take
///
/// Whom the policy asks about the agent as it is, why, and what stands in the way. Nothing is written.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/approval-preview",
    tag = "requests",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    responses((status = 200, description = "What it would take.", body = ApprovalForeseen))
)]
async fn foresee_approval(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>) -> Answer {
    let f = requests::foresee(&app.db, caller.by(), id).await?;
    ok(ApprovalForeseen {
        subject_sha256: f.subject_sha256,
        policy_version: f.policy_version,
        steps: f
            .steps
            .into_iter()
            .map(|s| StepForeseen {
                duty: s.wanted.duty,
                because: s.wanted.because,
                last: s.wanted.last,
                decider: s.decider.map(|d| d.0),
                due_at: s.due_at,
            })
            .collect(),
        blocked: f.blocked,
        needs_reviewer: f.needs_reviewer,
        lapses_at: f.lapses_at,
    })
}

/// Take back what is asked about an agent
///
/// Its open approval, by whoever asked or a security lead; the agent is a draft again.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/actions/withdraw",
    tag = "requests",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = RequestWords,
    responses((status = 200, description = "The request as it is now.", body = Request))
)]
async fn withdraw_agent(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>, Maybe(body): Maybe) -> Answer {
    agents::read(&app.db, caller.by(), id).await?;
    let filter = list::Filter {
        kind: Some(RequestKind::Approval),
        state: Some(RequestState::Open),
        agent: Some(id),
        mine: false,
        escalated: false,
    };
    let open = list::list(&app.db, caller.by(), &filter, None, Some(1)).await?.items.pop();
    let Some(open) = open else {
        asks(&app, &caller, id, Action::RequestOpen).await?;
        return Err(Error::Conflict(format!("No approval of {id} is open.")).into());
    };
    let mine = caller.actor.person_id() == Some(open.requester.0);
    let stands = if mine { Relation::Requester } else { Relation::None };
    can(&caller.actor, Action::RequestWithdraw, stands).map_err(Error::from)?;
    let RequestWords { reason } = read(body)?;
    requests::withdraw(&app.db, caller.by(), open.id, &reason).await?;
    ok(Request::new(requests::read(&app.db, caller.by(), open.id).await?)?)
}

async fn as_it_is(app: &App, caller: &ApiActor, id: AgentId) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    let agent = Agent::whole(view.judged.agent, view.controls);
    versioned(agent.version(), agent)
}

/// Make an approved agent active
///
/// 409 names what it lacks: an accepted runtime owner who can stop it (and at high or critical
/// tier in production has shown it), an owner for each required duty, a current approval of its
/// present boundary.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/actions/activate",
    tag = "requests",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = RequestWords,
    responses((
        status = 200, description = "The agent as it is now.", body = Agent,
        headers(("ETag" = String, description = "Its version."))
    ))
)]
async fn activate_agent(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>, Maybe(body): Maybe) -> Answer {
    asks(&app, &caller, id, Action::AgentActivate).await?;
    let RequestWords { reason } = read(body)?;
    requests::activate(&app.db, caller.by(), id, &reason).await?;
    as_it_is(&app, &caller, id).await
}

/// Adopt a discovered agent
///
/// It becomes a draft, whose approval can be asked for. Whether it runs does not change.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/actions/adopt",
    tag = "requests",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = RequestWords,
    responses((
        status = 200, description = "The agent as it is now.", body = Agent,
        headers(("ETag" = String, description = "Its version."))
    ))
)]
async fn adopt_agent(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>, Maybe(body): Maybe) -> Answer {
    asks(&app, &caller, id, Action::AgentEdit).await?;
    let RequestWords { reason } = read(body)?;
    requests::adopt(&app.db, caller.by(), id, &reason).await?;
    as_it_is(&app, &caller, id).await
}

/// Ask for a suspended agent to run again
///
/// The business owner and the present holder of the capacity that suspended it decide; of a
/// regulated agent the regulatory approver too.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/actions/resume",
    tag = "requests",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = RequestWords,
    responses((
        status = 201, description = "Asked.", body = Request,
        headers(("Location" = String, description = "Where the request is."))
    ))
)]
async fn resume_agent(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>, Maybe(body): Maybe) -> Answer {
    asks(&app, &caller, id, Action::RequestOpen).await?;
    let RequestWords { reason } = read(body)?;
    let request = requests::resume(&app.db, caller.by(), id, &Submission { reason, reviewer: None }).await?;
    made(&app, &caller, request).await
}

/// A change of an approved agent's boundary.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "reason": "It mails the drivers too.",
    "facts": {"purpose": "Plans the rounds and mails them to the drivers."}
}))]
struct ScopeChangeNew {
    /// Why; the deciders read it.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
    /// Who reviews what a tool of high sensitivity does; needed where one is used.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::PersonRef, required = false)]
    reviewer: Option<PersonId>,
    /// What changes, as a merge patch of the agent.
    #[schema(value_type = AgentPatch)]
    facts: Value,
}

/// Ask for another boundary of an approved agent
///
/// Nothing of it is written before it is approved; what the change touches is approved again,
/// and whatever the policy asks for now and did not before.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/scope-changes",
    tag = "requests",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = ScopeChangeNew,
    responses((
        status = 201, description = "Asked.", body = Request,
        headers(("Location" = String, description = "Where the request is."))
    ))
)]
async fn change_scope(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<AgentId>,
    Sent(body): Sent<Value>,
) -> Answer {
    let view = asks(&app, &caller, id, Action::RequestOpen).await?;
    can(&caller.actor, Action::AgentReadControls, view.relation).map_err(Error::from)?;
    let ScopeChangeNew { reason, reviewer, facts } = read(body)?;
    let _: &serde_json::Map<String, Value> =
        facts.as_object().ok_or_else(|| Problem::field("/facts", "Send an object with the members that change."))?;
    if facts.get("reason").is_some() {
        return Err(read_at::<()>("/facts/reason", Value::Bool(true)).err().unwrap_or_else(Problem::not_found));
    }
    let (facts, _) = write::changed(&app, view.judged.agent, facts).await?;
    let request = requests::scope(&app.db, caller.by(), id, facts, &Submission { reason, reviewer }).await?;
    made(&app, &caller, request).await
}

/// What was seen of an approved agent that differs from what was approved.
#[derive(Debug, Serialize, ToSchema)]
struct AgentObserved {
    /// Where it was seen.
    source: String,
    /// When it was seen first.
    first_at: DateTime<Utc>,
    /// The SHA-256 of the boundary that was seen.
    boundary_sha256: String,
    /// The facts as they were seen.
    #[schema(value_type = AgentNew)]
    facts: Value,
}

/// Read what was seen of an approved agent that differs from what was approved
///
/// 404 while nothing does.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/observed",
    tag = "requests",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    responses((status = 200, description = "What was seen.", body = AgentObserved))
)]
async fn read_observed(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>) -> Answer {
    let found = observed::read(&app.db, caller.by(), id).await?;
    let Some((seen, _)) = found else { return Err(Problem::not_found()) };
    ok(AgentObserved {
        source: seen.source,
        first_at: seen.first_at,
        boundary_sha256: seen.sha256,
        facts: serde_json::to_value(AgentNew::from(seen.facts)).map_err(Problem::internal)?,
    })
}

/// Who decides for a vacant capacity.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"duty": "policy", "person": "PE-2", "reason": "Until the post is filled."}))]
struct ActingNew {
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// Who.
    #[schema(value_type = words::PersonRef)]
    person: PersonId,
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// Who decides meanwhile.
#[derive(Debug, Serialize, ToSchema)]
struct ActingTold {
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// Who.
    #[schema(value_type = words::PersonRef)]
    person: PersonId,
    /// Until when.
    until: DateTime<Utc>,
}

/// Appoint who decides for a vacant capacity
///
/// By a security lead, for 14 days.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/actions/appoint",
    tag = "requests",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = ActingNew,
    responses((status = 200, description = "Appointed.", body = ActingTold))
)]
async fn appoint_decider(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<AgentId>,
    Sent(body): Sent<Value>,
) -> Answer {
    agents::read(&app.db, caller.by(), id).await?;
    can(&caller.actor, Action::ActingAppoint, Relation::None).map_err(Error::from)?;
    let ActingNew { duty, person, reason } = read(body)?;
    let until = acting::appoint(&app.db, caller.by(), id, duty, person, &reason).await?;
    ok(ActingTold { duty, person, until })
}
