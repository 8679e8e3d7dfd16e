//! How an agent is stopped, surface by surface.

use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use domain::id::AgentId;
use domain::party::Party;
use domain::stop::{MethodKind, Surface};
use register::agents::{self, View};
use register::stops::{self, NewMethod};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::parts::controls;
use crate::App;
use crate::api::answer::{Answer, List, created, ok};
use crate::api::sent::{At, read};
use crate::api::words;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(read_stop_methods, record_stop_method))
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

pub(super) const fn pause() -> Surface {
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
