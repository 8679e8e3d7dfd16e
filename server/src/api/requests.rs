//! `/requests`: what is asked about agents, who decides, and their decisions.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::IntoResponse as _;
use chrono::{DateTime, Utc};
use domain::agent::AgentFacts;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::request::{RequestKind, RequestState, Urgency, Verdict, Via};
use domain::tier::Tier;
use register::requests::{self, Answer as Decision, NewCondition, conditions, list};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::agents::AgentNew;
use super::answer::{Answer, List, ok};
use super::asked::{Listed, Paging};
use super::sent::{At, Maybe, read};
use super::words;
use crate::App;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_requests))
        .routes(routes!(read_request))
        .routes(routes!(decide_step))
        .routes(routes!(answer_question))
        .routes(routes!(withdraw_request))
        .routes(routes!(meet_condition))
}

/// Which requests are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RequestFilter {
    /// Only of this kind.
    #[param(value_type = Option<words::RequestKind>)]
    kind: Option<RequestKind>,
    /// Only in this state.
    #[param(value_type = Option<words::RequestState>)]
    state: Option<RequestState>,
    /// Only about this agent.
    #[param(value_type = Option<words::AgentRef>)]
    agent: Option<AgentId>,
    /// `true`: only those with a step that waits for you, and those that you asked for.
    #[serde(default, deserialize_with = "super::asked::truth")]
    #[param(value_type = Option<bool>)]
    mine: Option<bool>,
    /// `true`: only those with a step that is late beyond the days of the policy; a security lead
    /// gets all of them, anybody else those that wait for the people they manage.
    #[serde(default, deserialize_with = "super::asked::truth")]
    #[param(value_type = Option<bool>)]
    escalated: Option<bool>,
}

/// A request in a list.
#[derive(Debug, Serialize, ToSchema)]
struct RequestLine {
    #[schema(value_type = words::RequestRef)]
    id: RequestId,
    #[schema(value_type = words::RequestKind)]
    kind: RequestKind,
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    #[schema(value_type = words::RequestState)]
    state: RequestState,
    /// Tier of the agent when it was asked.
    #[schema(value_type = words::Tier)]
    tier: Tier,
    /// Who asked.
    #[schema(value_type = words::PersonRef)]
    requester: PersonId,
    /// When.
    created_at: DateTime<Utc>,
    /// When it ended.
    #[schema(required)]
    closed_at: Option<DateTime<Utc>>,
    /// How many steps are decided.
    decided: i64,
    /// How many there are.
    steps: i64,
    /// When the next step is due, while it is open.
    #[schema(required)]
    due_at: Option<DateTime<Utc>>,
}

impl From<list::Line> for RequestLine {
    fn from(l: list::Line) -> Self {
        Self {
            id: l.id,
            kind: l.kind,
            agent: l.agent,
            state: l.state,
            tier: l.tier,
            requester: l.requester.0,
            created_at: l.opened_at,
            closed_at: l.closed_at,
            decided: l.decided.0,
            steps: l.decided.1,
            due_at: l.due_at,
        }
    }
}

/// List requests
///
/// Newest first. Security leads, risk analysts and auditors see all; everybody else those that
/// they asked for, decided, or are to decide.
#[utoipa::path(
    get,
    path = "/api/v1/requests",
    tag = "requests",
    params(RequestFilter, Paging),
    responses((status = 200, description = "A page of requests.", body = List<RequestLine>))
)]
async fn list_requests(State(app): State<App>, caller: ApiActor, asked: Listed<RequestFilter>) -> Answer {
    asked.page.unsorted()?;
    let f = asked.filter;
    let filter = list::Filter {
        kind: f.kind,
        state: f.state,
        agent: f.agent,
        mine: f.mine.unwrap_or(false),
        escalated: f.escalated.unwrap_or(false),
    };
    let limit = asked.page.limit()?;
    let page = list::list(&app.db, caller.by(), &filter, asked.page.cursor.as_deref(), Some(limit)).await?;
    ok(List::from(page.map(RequestLine::from)))
}

/// Who decides a step, or decided it.
#[derive(Debug, Serialize, ToSchema)]
struct StepDecider {
    #[schema(value_type = words::PersonRef)]
    person: PersonId,
    #[schema(value_type = words::Via)]
    via: Via,
    /// Whose decision it is, when somebody decides for them.
    #[schema(value_type = Option<words::PersonRef>, required)]
    on_behalf_of: Option<PersonId>,
}

/// A decision.
#[derive(Debug, Serialize, ToSchema)]
struct StepDecision {
    #[schema(value_type = words::Verdict)]
    decision: Verdict,
    /// By whom.
    by: StepDecider,
    /// When.
    at: DateTime<Utc>,
    /// What they said.
    reason: String,
    /// The SHA-256 of exactly what they decided on.
    subject_sha256: String,
}

/// A step of a request.
#[derive(Debug, Serialize, ToSchema)]
struct RequestStep {
    /// Its number.
    step: i64,
    /// Whose owner decides it.
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// Why it is asked.
    because: Vec<String>,
    /// Only once every other step is decided.
    last: bool,
    /// Until when it should be decided.
    due_at: DateTime<Utc>,
    /// How it stands to the clock; null once it is decided or the request ended.
    #[schema(value_type = Option<words::Urgency>, required)]
    urgency: Option<Urgency>,
    /// Whether it may be decided now, as far as the other steps go.
    ready: bool,
    /// Who decides it now; null while nobody does, for the capacity is vacant, and once it is decided.
    #[schema(required)]
    decider: Option<StepDecider>,
    #[schema(required)]
    decision: Option<StepDecision>,
}

/// One message about a request.
#[derive(Debug, Serialize, ToSchema)]
struct RequestMessage {
    /// The step.
    step: i64,
    /// A question of its decider, or an answer.
    question: bool,
    /// When.
    at: DateTime<Utc>,
    /// By whom.
    #[schema(value_type = words::PersonRef)]
    by: PersonId,
    /// What.
    text: String,
}

/// A condition of an approval.
#[derive(Debug, Serialize, ToSchema)]
struct RequestCondition {
    /// Its number.
    id: i64,
    /// The step.
    step: i64,
    /// What must be done.
    text: String,
    /// By whom.
    #[schema(value_type = words::PersonRef)]
    owner: PersonId,
    /// Until when.
    due: DateTime<Utc>,
    /// When it was met.
    #[schema(required)]
    met_at: Option<DateTime<Utc>>,
    /// How.
    note: String,
}

/// A request, whole.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Request {
    #[schema(value_type = words::RequestRef)]
    id: RequestId,
    #[schema(value_type = words::RequestKind)]
    kind: RequestKind,
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    #[schema(value_type = words::RequestState)]
    state: RequestState,
    /// Who asked.
    #[schema(value_type = words::PersonRef)]
    requester: PersonId,
    /// When.
    created_at: DateTime<Utc>,
    /// Why, in the requester's words.
    reason: String,
    /// Who reviews what its tools of high sensitivity do.
    #[schema(value_type = Option<words::PersonRef>, required)]
    reviewer: Option<PersonId>,
    /// The version of the policy by which its steps were computed.
    policy_version: i64,
    /// Tier of the agent then.
    #[schema(value_type = words::Tier)]
    tier: Tier,
    /// The SHA-256 of what is decided on: a decision names it.
    subject_sha256: String,
    /// What it is about is still what is there.
    unchanged: bool,
    /// The facts of the agent that are asked for; null where a request is about something else.
    #[schema(value_type = Option<AgentNew>, required)]
    facts: Option<Value>,
    /// Of a change of scope, the facts before it.
    #[schema(value_type = Option<AgentNew>, required)]
    before: Option<Value>,
    /// When it lapses if it is still open.
    lapses_at: DateTime<Utc>,
    /// When it ended.
    #[schema(required)]
    closed_at: Option<DateTime<Utc>>,
    /// Why it ended as it did.
    closing: String,
    steps: Vec<RequestStep>,
    thread: Vec<RequestMessage>,
    conditions: Vec<RequestCondition>,
}

fn as_written(facts: AgentFacts) -> Result<Value, Problem> {
    serde_json::to_value(AgentNew::from(facts)).map_err(Problem::internal)
}

impl Request {
    /// As somebody who may read it sees it.
    pub(super) fn new(view: requests::View) -> Result<Self, Problem> {
        let kept = view.kept;
        let facts = kept.facts();
        let changed = kept.kind == RequestKind::ScopeChange;
        let (before, after) = match facts {
            Some((before, after)) => (changed.then_some(before), Some(after)),
            None => (None, None),
        };
        let lapsed = (view.state == RequestState::Lapsed).then_some(kept.lapses_at);
        Ok(Self {
            id: kept.id,
            kind: kept.kind,
            agent: kept.agent,
            state: view.state,
            requester: kept.requester,
            created_at: kept.opened_at,
            reason: kept.reason,
            reviewer: kept.reviewer,
            policy_version: kept.policy_version,
            tier: kept.tier,
            subject_sha256: kept.subject_sha256,
            unchanged: view.unchanged,
            facts: after.map(as_written).transpose()?,
            before: before.map(as_written).transpose()?,
            lapses_at: kept.lapses_at,
            closed_at: kept.closed.map(|(_, at)| at).or(lapsed),
            closing: kept.closing,
            steps: view.steps.into_iter().map(RequestStep::from).collect(),
            thread: view
                .thread
                .into_iter()
                .map(|m| RequestMessage { step: m.place, question: m.question, at: m.at, by: m.by, text: m.words })
                .collect(),
            conditions: view
                .conditions
                .into_iter()
                .map(|c| RequestCondition {
                    id: c.id,
                    step: c.place,
                    text: c.words,
                    owner: c.owner.0,
                    due: c.due_at,
                    met_at: c.met.as_ref().map(|m| m.0),
                    note: c.met.map(|m| m.2).unwrap_or_default(),
                })
                .collect(),
        })
    }
}

impl From<requests::ShownStep> for RequestStep {
    fn from(s: requests::ShownStep) -> Self {
        let kept = s.kept;
        let via = kept.via.unwrap_or(Via::Owner);
        Self {
            step: kept.step.place,
            duty: kept.step.duty,
            because: kept.because,
            last: kept.step.last,
            due_at: kept.step.due_at,
            urgency: s.urgency,
            ready: s.ready,
            decider: s.decider.map(|d| StepDecider { person: d.person, via: d.via, on_behalf_of: d.on_behalf_of }),
            decision: kept.step.decided.map(|d| StepDecision {
                decision: d.verdict,
                by: StepDecider { person: d.by, via, on_behalf_of: d.on_behalf_of },
                at: d.at,
                reason: kept.reason,
                subject_sha256: kept.decided_sha256,
            }),
        }
    }
}

/// 201, and where it is.
pub(super) async fn made(app: &App, caller: &ApiActor, id: RequestId) -> Answer {
    let view = requests::read(&app.db, caller.by(), id).await?;
    let mut response = Sent(Request::new(view)?).into_response();
    *response.status_mut() = axum::http::StatusCode::CREATED;
    if let Ok(at) = HeaderValue::from_str(&format!("/api/v1/requests/{id}")) {
        response.headers_mut().insert(axum::http::header::LOCATION, at);
    }
    Ok(response)
}

async fn shown(app: &App, caller: &ApiActor, id: RequestId) -> Answer {
    ok(Request::new(requests::read(&app.db, caller.by(), id).await?)?)
}

/// Read a request
///
/// For whoever asked, its deciders, the agent's owners, security leads, risk analysts and auditors.
#[utoipa::path(
    get,
    path = "/api/v1/requests/{id}",
    tag = "requests",
    params(("id" = inline(words::RequestRef), Path, description = "The request.")),
    responses((status = 200, description = "The request.", body = Request))
)]
async fn read_request(State(app): State<App>, caller: ApiActor, At(id): At<RequestId>) -> Answer {
    shown(&app, &caller, id).await
}

/// A condition, as a decider sets it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConditionNew {
    /// What must be done.
    #[schema(min_length = 1, max_length = 2000)]
    text: String,
    /// By whom.
    #[schema(value_type = words::PersonRef)]
    owner: PersonId,
    /// Until when; within 366 days.
    due: DateTime<Utc>,
}

/// How a step is decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "decision": "approve", "reason": "Within the purpose.",
    "subject_sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
}))]
struct DecisionNew {
    /// `ask` asks the requester a question, the reason, and decides nothing.
    /// Of an approval, a change of scope or a resumption: `approve`, `approve_with_conditions`,
    /// `reject`; of a review: `attest`, `change`, `retire`; of a retirement: `approve`, `reject`.
    decision: String,
    /// Why; needed to reject, and the question when one is asked.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
    /// On what the approval depends; needed for `approve_with_conditions`, and only there.
    #[serde(default)]
    conditions: Vec<ConditionNew>,
    /// The `subject_sha256` of the request as you read it; not needed to ask.
    #[serde(default)]
    subject_sha256: String,
}

/// Decide a step
///
/// A person's own decision, for which a token needs an owner: by whoever is Accountable for
/// the step's duty at that moment, never by whoever asked, and one person never has two parts
/// that are to check each other. 409 when the step was decided, the request has ended, or what
/// it is about is not what you read.
#[utoipa::path(
    post,
    path = "/api/v1/requests/{id}/steps/{step}/decision",
    tag = "requests",
    params(
        ("id" = inline(words::RequestRef), Path, description = "The request."),
        ("step" = i64, Path, description = "The step's number.")
    ),
    request_body = DecisionNew,
    responses((status = 200, description = "The request as it is now.", body = Request))
)]
async fn decide_step(
    State(app): State<App>,
    caller: ApiActor,
    At((id, step)): At<(RequestId, i64)>,
    Sent(body): Sent<Value>,
) -> Answer {
    // Whoever may not read it learns nothing from how a body is refused.
    requests::read(&app.db, caller.by(), id).await?;
    let new: DecisionNew = read(body)?;
    if new.decision == "ask" {
        requests::ask(&app.db, caller.by(), id, step, &new.reason).await?;
        return shown(&app, &caller, id).await;
    }
    let verdict: Verdict =
        new.decision.parse().map_err(|e: domain::words::UnknownWord| Problem::field("/decision", e.to_string()))?;
    let answer = Decision {
        verdict,
        reason: new.reason,
        conditions: new
            .conditions
            .into_iter()
            .map(|c| NewCondition { words: c.text, owner: c.owner, due_at: c.due })
            .collect(),
        subject_sha256: new.subject_sha256,
    };
    requests::decide(&app.db, caller.by(), id, &[step], &answer).await?;
    shown(&app, &caller, id).await
}

/// Words for the record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestWords {
    /// Why, or what is said.
    #[serde(default)]
    #[schema(max_length = 2000)]
    pub(super) reason: String,
}

/// Answer a question about a request
///
/// By whoever asked for it.
#[utoipa::path(
    post,
    path = "/api/v1/requests/{id}/steps/{step}/answer",
    tag = "requests",
    params(
        ("id" = inline(words::RequestRef), Path, description = "The request."),
        ("step" = i64, Path, description = "The step whose decider asked.")
    ),
    request_body = RequestWords,
    responses((status = 200, description = "The request as it is now.", body = Request))
)]
async fn answer_question(
    State(app): State<App>,
    caller: ApiActor,
    At((id, step)): At<(RequestId, i64)>,
    Sent(body): Sent<Value>,
) -> Answer {
    requests::read(&app.db, caller.by(), id).await?;
    let RequestWords { reason } = read(body)?;
    requests::reply(&app.db, caller.by(), id, step, &reason).await?;
    shown(&app, &caller, id).await
}

/// Take a request back
///
/// By whoever asked for it, or a security lead, while it is open.
#[utoipa::path(
    post,
    path = "/api/v1/requests/{id}/withdrawal",
    tag = "requests",
    params(("id" = inline(words::RequestRef), Path, description = "The request.")),
    request_body = RequestWords,
    responses((status = 200, description = "The request as it is now.", body = Request))
)]
async fn withdraw_request(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<RequestId>,
    Maybe(body): Maybe,
) -> Answer {
    requests::read(&app.db, caller.by(), id).await?;
    let RequestWords { reason } = read(body)?;
    requests::withdraw(&app.db, caller.by(), id, &reason).await?;
    shown(&app, &caller, id).await
}

/// A condition that is met.
#[derive(Debug, Serialize, ToSchema)]
struct ConditionTold {
    /// Its number.
    id: i64,
    /// The request whose approval depends on it.
    #[schema(value_type = words::RequestRef)]
    request: RequestId,
    /// When it was met.
    met_at: DateTime<Utc>,
}

/// How a condition was met.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ConditionMet {
    /// How, or where that can be seen.
    #[schema(min_length = 1, max_length = 2000)]
    note: String,
}

/// Say that a condition is met
///
/// By its owner, or a security lead.
#[utoipa::path(
    post,
    path = "/api/v1/conditions/{id}/met",
    tag = "requests",
    params(("id" = i64, Path, description = "The condition's number.")),
    request_body = ConditionMet,
    responses((status = 200, description = "It is met.", body = ConditionTold))
)]
async fn meet_condition(State(app): State<App>, caller: ApiActor, At(id): At<i64>, Sent(body): Sent<Value>) -> Answer {
    conditions::may_meet(&app.db, caller.by(), id).await?;
    let ConditionMet { note } = read(body)?;
    let request = conditions::meet(&app.db, caller.by(), id, &note).await?;
    ok(ConditionTold { id, request, met_at: caller.by().now })
}
