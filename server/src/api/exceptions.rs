//! `/exceptions`: what is excepted, of which agents, until when, and in exchange for what.

use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use domain::duty::Duty;
use domain::exception::{Asked as Terms, Control, ExceptionState};
use domain::id::{AgentId, ExceptionId, PersonId, RequestId, SystemId};
use domain::party::Party;
use domain::request::{RequestState, Verdict, compatible};
use domain::tier::Tier;
use register::exceptions::{self, Act, Again, NewControl, NewException, Scope, list};
use register::requests::{self, Answer as Decision};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, created, ok, versioned};
use super::asked::{Listed, Paging};
use super::sent::{At, Expected, read};
use super::words;
use crate::App;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_exceptions, request_exception))
        .routes(routes!(read_exception))
        .routes(routes!(change_controls))
        .routes(routes!(decide_exception))
        .routes(routes!(renew_exception))
        .routes(routes!(close_exception))
        .routes(routes!(revoke_exception))
        .routes(routes!(check_control))
}

/// Which exceptions are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ExceptionFilter {
    /// Only in this state.
    #[param(value_type = Option<words::ExceptionState>)]
    state: Option<ExceptionState>,
    /// Only those that expire before this moment, whether or not they are over.
    #[serde(default, deserialize_with = "super::asked::moment")]
    #[param(value_type = Option<DateTime<Utc>>)]
    expires_before: Option<DateTime<Utc>>,
    /// Only those whose control this person or team owns now, for any of their agents.
    #[param(value_type = Option<words::PartyRef>)]
    control_owner: Option<Party>,
    /// Only those about this rule or control.
    control: Option<String>,
    /// Only those about this node of a framework.
    node: Option<String>,
    /// Only those whose riskiest agent was of this tier when they were asked.
    #[param(value_type = Option<words::Tier>)]
    tier: Option<Tier>,
    /// Only those for this agent.
    #[param(value_type = Option<words::AgentRef>)]
    agent: Option<AgentId>,
    /// `true`: only renewals; `false`: only first ones.
    #[serde(default, deserialize_with = "super::asked::truth")]
    #[param(value_type = Option<bool>)]
    renewal: Option<bool>,
    /// `true`: only those that you asked for, decide, or look after.
    #[serde(default, deserialize_with = "super::asked::truth")]
    #[param(value_type = Option<bool>)]
    mine: Option<bool>,
}

/// What is done meanwhile instead.
#[derive(Debug, Serialize, ToSchema)]
struct CompensatingControl {
    /// Its number in the exception, from 1.
    number: i64,
    /// What is done.
    text: String,
    /// By whom.
    #[schema(value_type = words::PersonRef)]
    owner: PersonId,
    /// Until when somebody looks whether it is.
    check_at: DateTime<Utc>,
    /// When that was.
    #[schema(required)]
    checked_at: Option<DateTime<Utc>>,
    /// By whom.
    #[schema(value_type = Option<words::ActorRef>, required)]
    checked_by: Option<String>,
    /// What they found.
    note: String,
}

/// An exception.
#[derive(Debug, Serialize, ToSchema)]
struct Exception {
    #[schema(value_type = words::ExceptionRef)]
    id: ExceptionId,
    /// Counts changes.
    version: i64,
    /// When it was asked.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    #[schema(value_type = words::ExceptionState)]
    state: ExceptionState,
    /// What it is about, in a line.
    title: String,
    /// Its agents that you may know of; they never change.
    #[schema(value_type = Vec<words::AgentRef>)]
    agents: Vec<AgentId>,
    /// How its agents were chosen: empty where each was named, a system's reference, or
    /// `label:key=value`.
    selection: String,
    /// What is excepted: the key of a finding, or a control of the organisation's own.
    control: String,
    /// The node of a framework.
    #[schema(required)]
    node: Option<String>,
    /// Whose control it is.
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// Who owns it now, of the first of its agents; null while nobody does.
    #[schema(value_type = Option<words::PartyRef>, required)]
    control_owner: Option<Party>,
    /// Who asked.
    #[schema(value_type = words::PersonRef)]
    requester: PersonId,
    /// From 1 to 5.
    likelihood: u8,
    /// From 1 to 5.
    impact: u8,
    /// Why it is needed.
    justification: String,
    compensating_controls: Vec<CompensatingControl>,
    /// The tier of the riskiest of its agents when it was asked, which caps how long it lasts.
    #[schema(value_type = words::Tier)]
    tier: Tier,
    /// From when, at the earliest: it is in force once it is approved too.
    starts_at: DateTime<Utc>,
    /// Until when, exclusive.
    expires_at: DateTime<Utc>,
    /// Whole days until it ends, upward; 0 once it has ended.
    days_left: i64,
    /// What is still wrong at its end stops its agents then.
    suspends: bool,
    /// The exception that it renews.
    #[schema(value_type = Option<words::ExceptionRef>, required)]
    renews: Option<ExceptionId>,
    /// How often it has been renewed until now.
    renewals: u16,
    /// The request that decides it.
    #[schema(value_type = words::RequestRef)]
    request: RequestId,
    /// The SHA-256 of exactly what is decided on: a decision names it.
    #[schema(value_type = words::Sha256)]
    subject_sha256: String,
    /// When it was approved.
    #[schema(required)]
    approved_at: Option<DateTime<Utc>>,
    /// When it was closed, revoked, or not allowed.
    #[schema(required)]
    ended_at: Option<DateTime<Utc>>,
    /// Why, in the words of whoever ended it; how its request ended where it was not allowed.
    ending: String,
}

impl From<list::Line> for Exception {
    fn from(l: list::Line) -> Self {
        let (e, state) = (l.kept.exception, l.state);
        let days_left = e.days_left(l.as_of);
        // A request that nobody decided in time ended then, whether or not that was written.
        let lapsed = (state == ExceptionState::Rejected && e.rejected.is_none()).then_some(e.lapses_at);
        let (ended_at, ending) = match (e.ended, e.rejected) {
            (Some(x), _) => (Some(x.at), x.why),
            (None, Some((at, how))) => (Some(at), how),
            (None, None) => (lapsed, lapsed.map(|_| RequestState::Lapsed.key().to_owned()).unwrap_or_default()),
        };
        Self {
            id: e.id,
            version: l.kept.version,
            created_at: l.kept.created_at,
            updated_at: l.kept.updated_at,
            state,
            title: e.title,
            agents: l.agents.into_iter().map(|(id, _)| id).collect(),
            selection: e.selection.to_string(),
            control: e.control.key().to_owned(),
            node: (!e.node.is_empty()).then_some(e.node),
            duty: e.duty,
            control_owner: l.owner.map(|(party, _)| party),
            requester: e.requester,
            likelihood: e.likelihood,
            impact: e.impact,
            justification: e.justification,
            compensating_controls: e
                .controls
                .into_iter()
                .map(|c| {
                    let (checked_at, checked_by, note) = match c.checked {
                        Some(x) => (Some(x.at), Some(x.by), x.note),
                        None => (None, None, String::new()),
                    };
                    CompensatingControl {
                        number: c.place,
                        text: c.text,
                        owner: c.owner,
                        check_at: c.check_at,
                        checked_at,
                        checked_by,
                        note,
                    }
                })
                .collect(),
            tier: e.tier,
            starts_at: e.starts_at,
            expires_at: e.expires_at,
            days_left,
            suspends: e.suspends,
            renews: e.renews,
            renewals: e.renewals,
            request: l.kept.request,
            subject_sha256: l.kept.subject_sha256,
            approved_at: e.approved_at,
            ended_at,
            ending,
        }
    }
}

/// List exceptions
///
/// Newest first, or by `expires_at`. Security leads, risk analysts and auditors see all;
/// everybody else those that they asked for, decide, or look after.
#[utoipa::path(
    get,
    path = "/api/v1/exceptions",
    tag = "exceptions",
    params(ExceptionFilter, Paging),
    responses((status = 200, description = "A page of exceptions.", body = List<Exception>))
)]
async fn list_exceptions(State(app): State<App>, caller: ApiActor, asked: Listed<ExceptionFilter>) -> Answer {
    let sort = match asked.page.sort.as_deref() {
        None => list::Sort::Newest,
        Some(sort) => sort
            .parse()
            .map_err(|_| Problem::field("/sort", format!("This list is sorted by one of: {}.", list::Sort::keys())))?,
    };
    let f = asked.filter;
    let filter = list::Filter {
        state: f.state,
        expires_before: f.expires_before,
        control_owner: f.control_owner,
        control: f.control,
        node: f.node,
        tier: f.tier,
        agent: f.agent,
        renewal: f.renewal,
        mine: f.mine.unwrap_or(false),
        ..list::Filter::default()
    };
    let limit = asked.page.limit()?;
    let cursor = asked.page.cursor.as_deref();
    let page = list::list(&app.db, caller.by(), &filter, sort, cursor, Some(limit)).await?;
    ok(List::from(page.map(Exception::from)))
}

/// A compensating control as it is asked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ControlNew {
    /// What is done instead.
    #[schema(min_length = 1, max_length = 1000)]
    text: String,
    /// By whom.
    #[schema(value_type = words::PersonRef)]
    owner: PersonId,
    /// Until when somebody looks whether it is; before the exception ends.
    check_at: DateTime<Utc>,
}

impl From<ControlNew> for NewControl {
    fn from(c: ControlNew) -> Self {
        Self { text: c.text, owner: c.owner, check_at: c.check_at }
    }
}

/// An exception as it is asked. One of `agents`, `system` and `label` says for which agents.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "title": "The payroll key until the vault is there", "agents": ["AG-1"], "control": "long-lived-credential",
    "node": "NHI7", "duty": "identity", "likelihood": 2, "impact": 4,
    "justification": "The vendor signs in with a key; the vault goes live in January.",
    "compensating_controls": [{"text": "The key is used from one address only.", "owner": "PE-7", "check_at": "2027-01-10T00:00:00Z"}],
    "expires_at": "2027-01-31T00:00:00Z"
}))]
struct ExceptionNew {
    /// What it is about, in a line.
    #[schema(min_length = 1, max_length = 200)]
    title: String,
    /// For these agents, at most 200.
    #[serde(default)]
    #[schema(value_type = Vec<words::AgentRef>, required = false)]
    agents: Option<Vec<AgentId>>,
    /// For the members of this system as they are now.
    #[serde(default)]
    #[schema(value_type = Option<words::SystemRef>)]
    system: Option<SystemId>,
    /// For the agents with this label, `key=value`. When the last step is decided they must be
    /// the same; if they are not, the request is void.
    #[serde(default)]
    label: Option<String>,
    /// What is excepted: the key of a finding, or a control of the organisation's own.
    #[schema(min_length = 1, max_length = 100)]
    control: String,
    /// The node of a framework, for instance `ASI03`.
    #[serde(default)]
    node: Option<String>,
    /// Whose control it is. Of a finding that has a duty of its own, it may be left out.
    #[serde(default)]
    #[schema(value_type = Option<words::Duty>)]
    duty: Option<Duty>,
    /// From 1 to 5.
    #[schema(minimum = 1, maximum = 5)]
    likelihood: i64,
    /// From 1 to 5.
    #[schema(minimum = 1, maximum = 5)]
    impact: i64,
    /// Why it is needed.
    #[schema(min_length = 1, max_length = 4000)]
    justification: String,
    /// What is done meanwhile instead. Nothing is approved without any.
    #[serde(default)]
    compensating_controls: Vec<ControlNew>,
    /// From when; at once if it is left out.
    #[serde(default)]
    starts_at: Option<DateTime<Utc>>,
    /// Until when: within the days that the policy allows for the riskiest of its agents.
    #[serde(default)]
    #[schema(value_type = DateTime<Utc>, required)]
    expires_at: Option<DateTime<Utc>>,
    /// What is still wrong at its end stops its agents then.
    #[serde(default)]
    suspends: bool,
}

/// The node as it is kept.
fn node(given: Option<String>) -> String {
    given.unwrap_or_default().trim().to_owned()
}

impl ExceptionNew {
    fn parsed(self) -> Result<NewException, Problem> {
        let scope = match (self.agents, self.system, self.label) {
            (Some(agents), None, None) => Scope::Agents(agents),
            (None, Some(system), None) => Scope::System(system),
            (None, None, Some(label)) => Scope::Label(label),
            (None, None, None) => {
                return Err(Problem::field("/agents", "Say for which agents: give agents, a system, or a label."));
            }
            _ => return Err(Problem::field("/agents", "Give one of agents, system and label, not several.")),
        };
        let control = Control::parse(&self.control).map_err(|e| Problem::field("/control", e))?;
        Ok(NewException {
            scope,
            asked: Terms {
                title: self.title,
                control,
                node: node(self.node),
                duty: self.duty,
                likelihood: self.likelihood,
                impact: self.impact,
                justification: self.justification,
                controls: self.compensating_controls.into_iter().map(NewControl::from).collect(),
                starts_at: self.starts_at,
                expires_at: self.expires_at,
                suspends: self.suspends,
            },
        })
    }
}

async fn made(app: &App, caller: &ApiActor, id: ExceptionId) -> Answer {
    let view = exceptions::read(&app.db, caller.by(), id).await?;
    created(&format!("/api/v1/exceptions/{id}"), view.line.kept.version, Exception::from(view.line))
}

async fn shown(app: &App, caller: &ApiActor, id: ExceptionId) -> Answer {
    let view = exceptions::read(&app.db, caller.by(), id).await?;
    versioned(view.line.kept.version, Exception::from(view.line))
}

/// Ask for an exception
///
/// By the agents' owners, whoever registered them, risk analysts and security leads; a token
/// needs an owner. It is `requested`: the owner of the control, the business owner and security
/// decide, of regulated agents the regulatory approver too, never whoever asks. A new one for the
/// same rule and any of the same agents within 90 days of the end of another is a renewal of it.
#[utoipa::path(
    post,
    path = "/api/v1/exceptions",
    tag = "exceptions",
    request_body = ExceptionNew,
    responses((
        status = 201, description = "Asked.", body = Exception,
        headers(("Location" = String, description = "Where it is."), ("ETag" = String, description = "The version."))
    ))
)]
async fn request_exception(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    exceptions::may_ask(caller.by())?;
    let new: ExceptionNew = read(body)?;
    let id = exceptions::ask(&app.db, caller.by(), &new.parsed()?).await?;
    made(&app, &caller, id).await
}

/// Read an exception
///
/// For whoever asked, its deciders, the owners of its agents and compensating controls, security
/// leads, risk analysts and auditors.
#[utoipa::path(
    get,
    path = "/api/v1/exceptions/{id}",
    tag = "exceptions",
    params(("id" = inline(words::ExceptionRef), Path, description = "The exception.")),
    responses((
        status = 200, description = "The exception.", body = Exception,
        headers(("ETag" = String, description = "The version, for `If-Match`."))
    ))
)]
async fn read_exception(State(app): State<App>, caller: ApiActor, At(id): At<ExceptionId>) -> Answer {
    shown(&app, &caller, id).await
}

/// What is done meanwhile instead.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ControlsNew {
    /// All of it.
    compensating_controls: Vec<ControlNew>,
}

/// Change what is done instead
///
/// By whoever asked, while it waits for its decisions. What was decided on the other terms counts
/// no more: it is asked again as it is then, by another request.
#[utoipa::path(
    put,
    path = "/api/v1/exceptions/{id}/controls",
    tag = "exceptions",
    params(("id" = inline(words::ExceptionRef), Path, description = "The exception.")),
    request_body = ControlsNew,
    responses((
        status = 200, description = "The exception as it is now.", body = Exception,
        headers(("ETag" = String, description = "The new version."))
    ))
)]
async fn change_controls(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<ExceptionId>,
    headers: HeaderMap,
    Sent(body): Sent<Value>,
) -> Answer {
    let version = exceptions::may(&app.db, caller.by(), id, Act::Amend).await?;
    let version = Expected::of(&headers).is(version)?;
    let new: ControlsNew = read(body)?;
    let asked: Vec<NewControl> = new.compensating_controls.into_iter().map(NewControl::from).collect();
    exceptions::controls(&app.db, caller.by(), id, version, &asked).await?;
    shown(&app, &caller, id).await
}

/// How an exception is decided.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ExceptionDecision {
    /// `approve` or `reject`; `ask` asks the requester a question, the reason, and decides nothing.
    decision: String,
    /// Why; needed to reject, and the question when one is asked.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
    /// None: what is done instead is part of what is decided on.
    #[serde(default)]
    #[schema(value_type = Vec<Object>, max_items = 0)]
    conditions: Vec<Value>,
    /// The `subject_sha256` of the exception as you read it; not needed to ask.
    #[serde(default)]
    subject_sha256: String,
}

/// Decide an exception
///
/// A person's own decision, for which a token needs an owner: of every step that waits for the
/// caller, each recorded apart. Never by whoever asked.
#[utoipa::path(
    post,
    path = "/api/v1/exceptions/{id}/decision",
    tag = "exceptions",
    params(("id" = inline(words::ExceptionRef), Path, description = "The exception.")),
    request_body = ExceptionDecision,
    responses((
        status = 200, description = "The exception as it is now.", body = Exception,
        headers(("ETag" = String, description = "The version."))
    ))
)]
async fn decide_exception(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<ExceptionId>,
    Sent(body): Sent<Value>,
) -> Answer {
    let by = caller.by();
    let view = exceptions::read(&app.db, by, id).await?;
    let new: ExceptionDecision = read(body)?;
    if !new.conditions.is_empty() {
        return Err(Problem::field("/conditions", "An exception has none: what is done instead is what it asks for."));
    }
    let request = view.line.kept.request;
    let (steps, small) = view.request.map(|r| (r.steps, r.small_organisation)).unwrap_or_default();
    // Of parts that check each other, the first: the rest is somebody else's then.
    let mut duties: Vec<Duty> = Vec::new();
    let mut mine: Vec<i64> = Vec::new();
    for s in steps.iter().filter(|s| s.mine && s.ready) {
        let duty = s.kept.step.duty;
        if duties.iter().all(|d| *d == duty || compatible(*d, duty, small)) {
            duties.push(duty);
            mine.push(s.kept.step.place);
        }
    }
    let other = steps.iter().find(|s| s.mine || s.kept.step.decided.is_none()).or(steps.first());
    let first = mine.first().copied().or(other.map(|s| s.kept.step.place)).unwrap_or(1);
    if new.decision == "ask" {
        requests::ask(&app.db, by, request, first, &new.reason).await?;
        return shown(&app, &caller, id).await;
    }
    let verdict: Verdict =
        new.decision.parse().map_err(|e: domain::words::UnknownWord| Problem::field("/decision", e.to_string()))?;
    let answer = Decision { verdict, reason: new.reason, conditions: Vec::new(), subject_sha256: new.subject_sha256 };
    // Where none waits for the caller, the answer says why of the next.
    let places = if mine.is_empty() { vec![first] } else { mine };
    requests::decide(&app.db, by, request, &places, &answer).await?;
    shown(&app, &caller, id).await
}

/// What a renewal says anew.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RenewalNew {
    /// Why it is still needed: other words than before.
    #[schema(min_length = 1, max_length = 4000)]
    justification: String,
    /// Until when.
    #[serde(default)]
    #[schema(value_type = DateTime<Utc>, required)]
    expires_at: Option<DateTime<Utc>>,
    /// What is done meanwhile instead; if it is left out, the same, checked halfway.
    #[serde(default)]
    compensating_controls: Option<Vec<ControlNew>>,
}

/// Renew an exception
///
/// Asks for it again: a new exception that is decided anew. The policy limits how often, and a
/// compensating control that was not checked in time blocks it (409).
#[utoipa::path(
    post,
    path = "/api/v1/exceptions/{id}/renew",
    tag = "exceptions",
    params(("id" = inline(words::ExceptionRef), Path, description = "The exception.")),
    request_body = RenewalNew,
    responses((
        status = 201, description = "The renewal that is asked.", body = Exception,
        headers(("Location" = String, description = "Where it is."), ("ETag" = String, description = "The version."))
    ))
)]
async fn renew_exception(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<ExceptionId>,
    Sent(body): Sent<Value>,
) -> Answer {
    exceptions::may(&app.db, caller.by(), id, Act::Renew).await?;
    let new: RenewalNew = read(body)?;
    let again = Again {
        justification: new.justification,
        expires_at: new.expires_at,
        controls: new.compensating_controls.map(|list| list.into_iter().map(NewControl::from).collect()),
    };
    let next = exceptions::renew(&app.db, caller.by(), id, &again).await?;
    made(&app, &caller, next).await
}

/// Why an exception is ended.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EndingNew {
    /// Why.
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

/// Close an exception early
///
/// Because it is not needed any more: by the owner of the control, the business owner, whoever
/// asked, or a security lead. What it covers counts again at once.
#[utoipa::path(
    post,
    path = "/api/v1/exceptions/{id}/close",
    tag = "exceptions",
    params(("id" = inline(words::ExceptionRef), Path, description = "The exception.")),
    request_body = EndingNew,
    responses((
        status = 200, description = "The exception as it is now.", body = Exception,
        headers(("ETag" = String, description = "The new version."))
    ))
)]
async fn close_exception(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<ExceptionId>,
    Sent(body): Sent<Value>,
) -> Answer {
    exceptions::may(&app.db, caller.by(), id, Act::Close).await?;
    let EndingNew { reason } = read(body)?;
    exceptions::close(&app.db, caller.by(), id, &reason).await?;
    shown(&app, &caller, id).await
}

/// Revoke an exception
///
/// Because it is not allowed any more: by the owner of the control or a security lead. What it
/// covers counts again at once.
#[utoipa::path(
    post,
    path = "/api/v1/exceptions/{id}/revoke",
    tag = "exceptions",
    params(("id" = inline(words::ExceptionRef), Path, description = "The exception.")),
    request_body = EndingNew,
    responses((
        status = 200, description = "The exception as it is now.", body = Exception,
        headers(("ETag" = String, description = "The new version."))
    ))
)]
async fn revoke_exception(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<ExceptionId>,
    Sent(body): Sent<Value>,
) -> Answer {
    exceptions::may(&app.db, caller.by(), id, Act::Revoke).await?;
    let EndingNew { reason } = read(body)?;
    exceptions::revoke(&app.db, caller.by(), id, &reason).await?;
    shown(&app, &caller, id).await
}

/// What was found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CheckNew {
    /// What was found, or where that can be seen.
    #[schema(min_length = 1, max_length = 2000)]
    note: String,
}

/// Say that a compensating control was checked
///
/// By its owner, or a security lead; also after the exception has ended.
#[utoipa::path(
    post,
    path = "/api/v1/exceptions/{id}/controls/{number}/check",
    tag = "exceptions",
    params(
        ("id" = inline(words::ExceptionRef), Path, description = "The exception."),
        ("number" = i64, Path, description = "The number of the compensating control.")
    ),
    request_body = CheckNew,
    responses((
        status = 200, description = "The exception as it is now.", body = Exception,
        headers(("ETag" = String, description = "The version."))
    ))
)]
async fn check_control(
    State(app): State<App>,
    caller: ApiActor,
    At((id, number)): At<(ExceptionId, i64)>,
    Sent(body): Sent<Value>,
) -> Answer {
    exceptions::may(&app.db, caller.by(), id, Act::Check(number)).await?;
    let CheckNew { note } = read(body)?;
    exceptions::check(&app.db, caller.by(), id, number, &note).await?;
    shown(&app, &caller, id).await
}
