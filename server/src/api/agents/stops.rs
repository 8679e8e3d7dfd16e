//! Stopping an agent, and what follows of it.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::can::{Action, can};
use domain::id::AgentId;
use domain::stop::{self, CallState, Outcome, PastStop, Step, Surface, went};
use register::stops::{card, press, steps};
use register::{Error, agents};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::drills::StopCall;
use super::parts::controls;
use crate::App;
use crate::api::answer::{Answer, List, ok};
use crate::api::asked::{Listed, NoFilter, Paging};
use crate::api::sent::{At, Maybe, read};
use crate::api::words;
use crate::hooks;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(suspend_agent))
        .routes(routes!(list_stops))
        .routes(routes!(read_stop))
        .routes(routes!(do_step))
        .routes(routes!(review_stop))
}

/// Why an agent is stopped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "It writes to customers outside its task."}))]
struct StopNew {
    /// Why; whoever reviews the stop reads it.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
}

/// Where the call of one webhook stands.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::api) struct StopCalled {
    #[schema(value_type = words::Surface)]
    pub(in crate::api) surface: Surface,
    #[schema(value_type = words::CallState)]
    pub(in crate::api) state: CallState,
    /// How the call went; null while it is under way.
    #[schema(value_type = Option<words::CallOutcome>, required)]
    pub(in crate::api) outcome: Option<Outcome>,
}

/// How one webhook was called.
#[derive(Debug, Serialize, ToSchema)]
struct Called {
    #[schema(value_type = words::Surface)]
    surface: Surface,
    #[schema(value_type = words::CallOutcome)]
    outcome: Outcome,
}

/// A stop, as it is at first.
#[derive(Debug, Serialize, ToSchema)]
struct Stopped {
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    /// The stop's number.
    stop: i64,
    /// When it was pressed.
    at: DateTime<Utc>,
    /// The agent's state now: an active one is suspended, any other stays what it is.
    #[schema(value_type = words::Lifecycle)]
    state: Lifecycle,
    /// By when somebody else reviews it.
    review_due: DateTime<Utc>,
    /// How the call of the webhook that pauses went; null where pausing has none.
    #[schema(value_type = Option<words::CallOutcome>, required)]
    outcome: Option<Outcome>,
    /// How each webhook that was called answered, one a surface that has one.
    calls: Vec<Called>,
    /// What that means, in sentences.
    message: String,
    /// What is to be done, by the owners of these duties.
    steps: Vec<StepTold>,
    /// The access that remains at worst.
    residual: String,
}

/// A step of a stop.
#[derive(Debug, Serialize, ToSchema)]
struct StepTold {
    /// Its number.
    id: i64,
    #[schema(value_type = words::StopStep)]
    step: Step,
    /// The credential it is about; empty otherwise.
    credential: String,
    /// Whose owner must do it.
    #[schema(value_type = words::Duty)]
    duty: domain::duty::Duty,
    /// When it was done.
    #[schema(required)]
    done_at: Option<DateTime<Utc>>,
    /// By whom: a name, or `webhook` where a signed callback showed it.
    #[schema(required)]
    done_by: Option<String>,
    /// The webhook that was called for it.
    #[schema(required)]
    call: Option<StopCall>,
}

impl From<stop::StepSeen> for StepTold {
    fn from(s: stop::StepSeen) -> Self {
        let (done_at, done_by) = s.done.unzip();
        Self {
            id: s.id,
            step: s.step,
            credential: s.subject,
            duty: s.step.duty(),
            done_at,
            done_by,
            call: s.call.map(StopCall::from),
        }
    }
}

/// Stop an agent at once
///
/// For anyone who holds a duty of the agent as A or R, in person or through a team, their
/// deputies, and security leads; with a reason. It only ever removes access and works in every
/// state: an active agent is suspended, and the webhook of every surface that has one is called.
/// The stop is recorded though a call fails, which `outcome`, `calls` and `message` then say.
/// Somebody else reviews it within 24 hours.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/actions/suspend",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = StopNew,
    responses((status = 200, description = "Stopped, as far as Muster can.", body = Stopped))
)]
async fn suspend_agent(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<AgentId>,
    Sent(body): Sent<Value>,
) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    can(&caller.actor, Action::StopPress, view.relation).map_err(Error::from)?;
    let StopNew { reason } = read(body)?;
    let pressed = press::press(&app.db, caller.by(), id, &reason).await?;
    let (by_hand, number) = (pressed.by_hand(), pressed.id);
    let outcomes = hooks::carry_out_all(&app, &caller.actor, pressed.calls).await?;
    let by = register::By { actor: &caller.actor, now: app.clock.now() };
    let Some(card) = card::read(&app.db, by, id, Some(number)).await? else {
        return Err(Problem::internal("a stop that was pressed is not there"));
    };
    let outcome = outcomes.iter().find(|(surface, _)| *surface == Surface::Pause).map(|(_, outcome)| *outcome);
    let message = [if by_hand { press::BY_HAND } else { "" }, &went(&outcomes)].join(" ").trim().to_owned();
    ok(Stopped {
        agent: id,
        stop: number,
        at: card.at,
        state: if pressed.suspended { Lifecycle::Suspended } else { view.judged.agent.state },
        review_due: card.review_due,
        outcome,
        calls: outcomes.into_iter().map(|(surface, outcome)| Called { surface, outcome }).collect(),
        message,
        steps: card.steps.into_iter().map(StepTold::from).collect(),
        residual: card.residual.sentence(by.now),
    })
}

/// A stop of an agent, in a line.
#[derive(Debug, Serialize, ToSchema)]
struct StopLine {
    /// Its number.
    stop: i64,
    /// When it was pressed.
    at: DateTime<Utc>,
    /// By whom, by name.
    by: String,
    /// Why.
    reason: String,
    /// How many of its steps are open.
    open_steps: i64,
    /// By when somebody else reviews it.
    review_due: DateTime<Utc>,
    /// When it was reviewed.
    #[schema(required)]
    reviewed_at: Option<DateTime<Utc>>,
}

impl From<PastStop> for StopLine {
    fn from(s: PastStop) -> Self {
        Self {
            stop: s.id,
            at: s.at,
            by: s.by,
            reason: s.reason,
            open_steps: s.open_steps,
            review_due: s.review_due,
            reviewed_at: s.reviewed_at,
        }
    }
}

/// List the stops of an agent
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/stops",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent."), Paging),
    responses((status = 200, description = "A page of stops, newest first.", body = List<StopLine>))
)]
async fn list_stops(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>, asked: Listed<NoFilter>) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    controls(&caller, &view)?;
    asked.page.unsorted()?;
    let page = card::list(&app.db, id, asked.page.cursor.as_deref(), asked.page.limit()?).await?;
    ok(List::from(page.map(StopLine::from)))
}

/// What a second person found of a stop.
#[derive(Debug, Serialize, ToSchema)]
struct ReviewTold {
    /// When.
    at: DateTime<Utc>,
    /// By whom, by name.
    by: String,
    /// What.
    review: String,
}

/// A stop with its steps.
#[derive(Debug, Serialize, ToSchema)]
struct StopTold {
    /// Its number.
    stop: i64,
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    /// When it was pressed.
    at: DateTime<Utc>,
    /// By whom.
    #[schema(value_type = words::ActorRef)]
    by: String,
    /// Why.
    reason: String,
    /// The state in which the agent was.
    #[schema(value_type = words::Lifecycle)]
    was: Lifecycle,
    /// By when somebody else reviews it.
    review_due: DateTime<Utc>,
    /// What the review found; null until then.
    #[schema(required)]
    review: Option<ReviewTold>,
    /// What is to be done, by the owners of these duties.
    steps: Vec<StepTold>,
    /// The access that remains at worst.
    residual: String,
}

async fn told(app: &App, caller: &ApiActor, id: AgentId, stop: i64) -> Answer {
    let card = card::read(&app.db, caller.by(), id, Some(stop)).await?.ok_or_else(Problem::not_found)?;
    ok(StopTold {
        stop: card.id,
        agent: id,
        at: card.at,
        by: card.stopped_by,
        reason: card.reason,
        was: card.was,
        review_due: card.review_due,
        review: card.review.map(|r| ReviewTold { at: r.at, by: r.by, review: r.found }),
        steps: card.steps.into_iter().map(StepTold::from).collect(),
        residual: card.residual.sentence(caller.now),
    })
}

/// Read a stop of an agent
///
/// With its steps, the webhook that was called for each, and the access that remains at worst.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/stops/{stop}",
    tag = "agents",
    params(
        ("id" = inline(words::AgentRef), Path, description = "The agent."),
        ("stop" = i64, Path, description = "The stop's number.")
    ),
    responses((status = 200, description = "The stop.", body = StopTold))
)]
async fn read_stop(State(app): State<App>, caller: ApiActor, At((id, stop)): At<(AgentId, i64)>) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    controls(&caller, &view)?;
    told(&app, &caller, id, stop).await
}

/// Nothing is said of it but that it is done.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct StepDone {}

/// Note that a step of a stop is done
///
/// For who holds the step's duty as A or R, and for security leads. Once.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/stops/{stop}/steps/{step}/done",
    tag = "agents",
    params(
        ("id" = inline(words::AgentRef), Path, description = "The agent."),
        ("stop" = i64, Path, description = "The stop's number."),
        ("step" = i64, Path, description = "The step's number.")
    ),
    request_body(content = Option<StepDone>, content_type = "application/json"),
    responses((status = 200, description = "The stop as it is now.", body = StopTold))
)]
async fn do_step(
    State(app): State<App>,
    caller: ApiActor,
    At((id, stop, step)): At<(AgentId, i64, i64)>,
    Maybe(body): Maybe,
) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    controls(&caller, &view)?;
    let card = card::read(&app.db, caller.by(), id, Some(stop)).await?.ok_or_else(Problem::not_found)?;
    let Some(seen) = card.steps.iter().find(|s| s.id == step) else { return Err(Problem::not_found()) };
    steps::may(&app.db, caller.by(), id, seen.step).await?;
    let StepDone {} = read(body)?;
    steps::done(&app.db, caller.by(), id, step).await?;
    told(&app, &caller, id, stop).await
}

/// What a review found.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"review": "It was right. The prompt is corrected before it resumes."}))]
struct ReviewNew {
    /// Whether it was right, and what follows.
    #[serde(default)]
    #[schema(max_length = 1000)]
    review: String,
}

/// Review a stop
///
/// For a security lead other than the one who stopped it: a person, signed in or through a token
/// of theirs. Once, and within 24 hours of the stop.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/stops/{stop}/review",
    tag = "agents",
    params(
        ("id" = inline(words::AgentRef), Path, description = "The agent."),
        ("stop" = i64, Path, description = "The stop's number.")
    ),
    request_body = ReviewNew,
    responses((status = 200, description = "The stop as it is now.", body = StopTold))
)]
async fn review_stop(
    State(app): State<App>,
    caller: ApiActor,
    At((id, stop)): At<(AgentId, i64)>,
    Sent(body): Sent<Value>,
) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    can(&caller.actor, Action::StopReview, view.relation).map_err(Error::from)?;
    let ReviewNew { review } = read(body)?;
    steps::review(&app.db, caller.by(), id, stop, &review).await?;
    told(&app, &caller, id, stop).await
}
