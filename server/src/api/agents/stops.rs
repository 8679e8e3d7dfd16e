//! How an agent is stopped, and the drills that show it.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::Lifecycle;
use domain::can::{Action, can};
use domain::id::{AgentId, PersonId};
use domain::party::Party;
use domain::stop::{CallState, MethodKind, Outcome, Step, Surface};
use register::Error;
use register::agents::{self, View};
use register::stops::calls::{self, Callback};
use register::stops::card;
use register::stops::{self, NewMethod};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::parts::controls;
use crate::App;
use crate::api::answer::{Answer, List, created, ok};
use crate::api::sent::{At, Maybe, read};
use crate::api::words;
use crate::hooks;
use crate::json::Json as Sent;
use crate::problem::{Kind, Problem};
use crate::signed::ApiActor;

/// The newest drills and calls that are listed.
const LISTED: i64 = 50;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(read_stop_methods, record_stop_method))
        .routes(routes!(read_drills))
        .routes(routes!(drill_agent))
        .routes(routes!(suspend_agent))
}

/// How one surface of an agent is stopped.
#[derive(Debug, Serialize, ToSchema)]
struct StopMethod {
    #[schema(value_type = words::Surface)]
    surface: Surface,
    /// Counts its versions: what was shown with an older one proves nothing of this.
    version: i64,
    #[schema(value_type = words::MethodKind)]
    kind: MethodKind,
    /// What to do, step by step; of a webhook, what it does, if that is written.
    procedure: String,
    /// What Muster calls; null for a procedure.
    #[schema(required)]
    url: Option<String>,
    /// How long the signed callback is awaited; null for a procedure.
    #[schema(required)]
    timeout_seconds: Option<i64>,
    /// The secret of a webhook, in the answer that records it and never again.
    #[schema(required)]
    secret: Option<String>,
    /// The last drill of pausing that the present runtime owner passed.
    #[schema(required)]
    drill: Option<Drill>,
}

/// A stop drill that was passed.
#[derive(Debug, Serialize, ToSchema)]
struct Drill {
    /// Who showed it.
    #[schema(value_type = words::PartyRef)]
    party: Party,
    /// With which version of the method.
    method_version: i64,
    /// When.
    at: DateTime<Utc>,
    /// How long it took.
    #[schema(required)]
    seconds: Option<i64>,
}

fn stop_methods(view: View) -> Vec<StopMethod> {
    let (drill, seconds) = (view.judged.stop.drill, view.drill_seconds);
    view.methods
        .into_iter()
        .map(|m| StopMethod {
            surface: m.surface,
            version: m.version,
            kind: m.kind,
            procedure: m.procedure,
            url: m.url,
            timeout_seconds: m.timeout.map(|t| t.num_seconds()),
            secret: None,
            drill: drill.as_ref().filter(|_| m.surface == Surface::Pause).map(|d| Drill {
                party: d.party,
                method_version: d.method_version,
                at: d.at,
                seconds,
            }),
        })
        .collect()
}

/// Read how an agent is stopped
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/stop-methods",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    responses((
        status = 200, description = "The methods in force, one a surface; none if nothing is recorded.",
        body = List<StopMethod>
    ))
)]
async fn read_stop_methods(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    controls(&caller, &view)?;
    ok(List::whole(stop_methods(view)))
}

/// How one surface of an agent is to be stopped.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"surface": "pause", "kind": "webhook", "url": "https://ops.example.org/stop", "timeout_seconds": 120}))]
struct StopMethodNew {
    /// What is stopped; `pause` if left out.
    #[serde(default = "pause")]
    #[schema(value_type = Option<words::Surface>)]
    surface: Surface,
    /// How; `manual` if left out.
    #[serde(default = "manual")]
    #[schema(value_type = Option<words::MethodKind>)]
    kind: MethodKind,
    /// What to do, step by step.
    #[serde(default)]
    #[schema(max_length = 8000)]
    procedure: String,
    /// What Muster calls: `https`.
    #[serde(default)]
    #[schema(max_length = 1000)]
    url: String,
    /// How long the signed callback is awaited; 60 if left out.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1800)]
    timeout_seconds: Option<i64>,
    /// A new version with a new secret, though nothing else changed.
    #[serde(default)]
    new_secret: bool,
}

const fn pause() -> Surface {
    Surface::Pause
}

const fn manual() -> MethodKind {
    MethodKind::Manual
}

/// Record how an agent is stopped
///
/// A written procedure, or a webhook that Muster calls. Another text is a new version, which is
/// to be shown again; the same text changes nothing. The secret of a webhook is in this answer
/// and never again. `pause` is for the agent's owners; the other surfaces are for the owner of
/// their duty and whoever does that work; all of them for security leads.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/stop-methods",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = StopMethodNew,
    responses((
        status = 201, description = "Recorded.", body = StopMethod,
        headers(("Location" = String, description = "Where it is."), ("ETag" = String, description = "Its version."))
    ))
)]
async fn record_stop_method(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<AgentId>,
    Sent(body): Sent<Value>,
) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    let asked = body.get("surface").and_then(Value::as_str).and_then(|s| s.parse().ok()).unwrap_or(Surface::Pause);
    stops::may_write(&app.db, caller.by(), &view.judged.agent, asked).await?;
    let sent: StopMethodNew = read(body)?;
    if sent.kind == MethodKind::Manual && (!sent.url.is_empty() || sent.timeout_seconds.is_some()) {
        return Err(Problem::field("/kind", "A written procedure has no address and no time; say `webhook`."));
    }
    let new = NewMethod {
        surface: sent.surface,
        kind: sent.kind,
        procedure: sent.procedure,
        url: sent.url,
        timeout: sent.timeout_seconds.map(|s| TimeDelta::seconds(s.clamp(0, 1_000_000))),
        new_secret: sent.new_secret,
        plain: app.config.allow_private_targets,
    };
    let recorded = stops::record(&app.db, caller.by(), id, new).await?;
    let view = agents::read(&app.db, caller.by(), id).await?;
    let Some(mut method) = stop_methods(view).into_iter().find(|m| m.surface == sent.surface) else {
        return Err(Problem::internal("a stop method that was recorded is not there"));
    };
    method.secret = recorded.secret;
    created(&format!("/api/v1/agents/{id}/stop-methods"), method.version, method)
}

/// A drill, or a call of a webhook in earnest.
#[derive(Debug, Serialize, ToSchema)]
struct StopCall {
    /// Its id, as sent in `Muster-Delivery`.
    delivery: String,
    #[schema(value_type = words::Surface)]
    surface: Surface,
    /// The version of the method.
    method_version: i64,
    /// A rehearsal, not a stop.
    drill: bool,
    /// When it began.
    begun_at: DateTime<Utc>,
    #[schema(value_type = words::CallState)]
    state: CallState,
    /// How the call of a webhook went; null while it is under way, and for a procedure.
    #[schema(value_type = Option<words::CallOutcome>, required)]
    outcome: Option<Outcome>,
    /// The status and the beginning of what was answered.
    detail: String,
    /// When it lapses if nothing shows that it stopped.
    due_at: DateTime<Utc>,
    /// How long it took until it was shown.
    #[schema(required)]
    seconds: Option<i64>,
    /// Who watched a procedure.
    #[schema(value_type = Option<words::PersonRef>, required)]
    witness: Option<PersonId>,
    /// SHA-256 of the file that shows it.
    #[schema(value_type = Option<words::Sha256>, required)]
    evidence_sha256: Option<String>,
}

impl From<calls::Shown> for StopCall {
    fn from(c: calls::Shown) -> Self {
        Self {
            delivery: c.delivery,
            surface: c.surface,
            method_version: c.version,
            drill: c.drill,
            begun_at: c.begun_at,
            state: c.state,
            outcome: c.outcome,
            detail: c.detail,
            due_at: c.due_at,
            seconds: c.seconds,
            witness: c.witness.map(|(id, _)| id),
            evidence_sha256: c.evidence,
        }
    }
}

/// Read the drills of an agent
///
/// The newest fifty, and the calls of its webhooks in earnest.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/drills",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    responses((status = 200, description = "Newest first.", body = List<StopCall>))
)]
async fn read_drills(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    controls(&caller, &view)?;
    let calls = calls::shown(&app.db, caller.by(), id, LISTED).await?;
    ok(List::whole(calls.into_iter().map(StopCall::from).collect()))
}

/// What is rehearsed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DrillNew {
    /// Which surface; `pause` if left out.
    #[serde(default = "pause")]
    #[schema(value_type = Option<words::Surface>)]
    surface: Surface,
}

/// Rehearse a stop
///
/// Calls the webhook with `"drill": true`; nothing about the agent changes. A 2xx means
/// accepted; only the signed callback means stopped, and counts as a drill passed by the
/// present owner of the duty, who alone may ask for it. Without one the drill lapses after the
/// method's time. A written procedure is rehearsed on the agent's page, with a file and a
/// witness.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/actions/drill",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body(content = Option<DrillNew>, content_type = "application/json"),
    responses((status = 200, description = "How the call went.", body = StopCall))
)]
async fn drill_agent(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>, Maybe(body): Maybe) -> Answer {
    agents::read(&app.db, caller.by(), id).await?;
    can(&caller.actor, Action::StopDrill, domain::can::Relation::Owner).map_err(Error::from)?;
    let DrillNew { surface } = read(body)?;
    let begun = calls::begin_drill(&app.db, caller.by(), id, surface).await?;
    let delivery = begun.delivery.clone();
    hooks::carry_out(&app, &caller.actor, begun).await?;
    let now = register::By { actor: &caller.actor, now: app.clock.now() };
    let found = calls::shown(&app.db, now, id, LISTED).await?.into_iter().find(|c| c.delivery == delivery);
    let Some(call) = found else { return Err(Problem::internal("a drill that was begun is not there")) };
    ok(StopCall::from(call))
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

/// A stop, as it is at first.
#[derive(Debug, Serialize, ToSchema)]
struct Stopped {
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    /// When it was pressed.
    at: DateTime<Utc>,
    /// The agent's state now: an active one is suspended, any other stays what it is.
    #[schema(value_type = words::Lifecycle)]
    state: Lifecycle,
    /// By when somebody else reviews it.
    review_due: DateTime<Utc>,
    /// How the call of the webhook went; null where pausing has none.
    #[schema(value_type = Option<words::CallOutcome>, required)]
    outcome: Option<Outcome>,
    /// What that means, in a sentence.
    message: String,
    /// What is to be done, by the owners of these duties.
    steps: Vec<StepTold>,
    /// The access that remains at worst.
    residual: String,
}

/// A step of a stop.
#[derive(Debug, Serialize, ToSchema)]
struct StepTold {
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
}

/// Stop an agent at once
///
/// For anyone who holds a duty of the agent as A or R, in person or through a team, their
/// deputies, and security leads; with a reason. It only ever removes access and works in every
/// state: an active agent is suspended, and the webhook of pausing is called. The stop is
/// recorded though the call fails, which `outcome` and `message` then say. Somebody else reviews
/// it within 24 hours.
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
    let pressed = card::press(&app.db, caller.by(), id, &reason).await?;
    let outcome = match pressed.call {
        Some(call) => Some(hooks::carry_out(&app, &caller.actor, call).await?.outcome),
        None => None,
    };
    let by = register::By { actor: &caller.actor, now: app.clock.now() };
    let Some(card) = card::latest(&app.db, by, id).await? else {
        return Err(Problem::internal("a stop that was pressed is not there"));
    };
    let steps = card.steps.into_iter().map(|s| StepTold {
        step: s.step,
        credential: s.subject,
        duty: s.step.duty(),
        done_at: s.done_at,
    });
    ok(Stopped {
        agent: id,
        at: card.at,
        state: if pressed.suspended { Lifecycle::Suspended } else { view.judged.agent.state },
        review_due: card.review_due,
        outcome,
        message: outcome.map_or(card::BY_HAND, Outcome::sentence).to_owned(),
        steps: steps.collect(),
        residual: card.residual.sentence(by.now),
    })
}

/// Largest callback.
const CALLBACK_MAX: usize = 64 * 1024;

/// `POST /api/v1/stop-callbacks/{delivery}`: a receiver shows, by its signature, that it
/// stopped. Its door is public: the method's secret is what opens it.
pub(crate) async fn callback(
    State(app): State<App>,
    Path(delivery): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    if body.len() > CALLBACK_MAX {
        return Err(Problem::new(Kind::TooLarge, "A callback has at most 64 KiB."));
    }
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let sent = Callback {
        delivery: &delivery,
        timestamp: header("muster-timestamp"),
        signature: header("muster-signature"),
        body: &body,
    };
    let seconds = calls::callback(&app.db, app.clock.now(), sent).await?;
    Ok(crate::json::Json(json!({"delivery": delivery, "state": "stopped", "seconds": seconds})).into_response())
}
