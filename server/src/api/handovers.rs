//! `/handovers`: from the team that built an agent to the team that operates it.

use axum::extract::State;
use axum::http::HeaderValue;
use axum::response::IntoResponse as _;
use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::handover::HandoverState;
use domain::id::{AgentId, HandoverId, TeamId};
use register::{Error, handovers};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, ok};
use super::asked::Asked;
use super::sent::{At, Maybe, read};
use super::words;
use crate::App;
use crate::json::Json;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_handovers))
        .routes(routes!(offer_handover))
        .routes(routes!(accept_handover))
        .routes(routes!(refuse_handover))
        .routes(routes!(withdraw_handover))
}

/// Nothing is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// A handover of an agent between two teams.
#[derive(Debug, Serialize, ToSchema)]
struct Handover {
    #[schema(value_type = words::HandoverRef)]
    id: HandoverId,
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    /// The team that built it.
    #[schema(value_type = words::TeamRef)]
    from: TeamId,
    /// The team that operates it.
    #[schema(value_type = words::TeamRef)]
    to: TeamId,
    /// When it was offered.
    offered_at: DateTime<Utc>,
    /// By whom.
    #[schema(value_type = words::ActorRef)]
    offered_by: String,
    /// What goes with it.
    reason: String,
    #[schema(value_type = words::HandoverState)]
    state: HandoverState,
    /// When it was answered, or taken back.
    #[schema(required)]
    answered_at: Option<DateTime<Utc>>,
    /// By whom.
    #[schema(value_type = Option<words::ActorRef>, required)]
    answered_by: Option<String>,
    /// What they said.
    answer: String,
}

impl From<handovers::Handover> for Handover {
    fn from(h: handovers::Handover) -> Self {
        Self {
            id: h.id,
            agent: h.agent,
            from: h.from,
            to: h.to,
            offered_at: h.offered_at,
            offered_by: h.offered_by,
            reason: h.reason,
            state: h.state,
            answered_at: h.answered_at,
            answered_by: (!h.answered_by.is_empty()).then_some(h.answered_by),
            answer: h.answer,
        }
    }
}

/// List the handovers that are open between your teams and others
///
/// Oldest first: those that wait for a team that you lead or deputise for, and those that
/// such a team waits for. Nothing waits for a token without an owner.
#[utoipa::path(
    get,
    path = "/api/v1/handovers",
    tag = "ownership",
    responses((status = 200, description = "The handovers; at most 50.", body = List<Handover>))
)]
async fn list_handovers(State(app): State<App>, caller: ApiActor, _: Asked<Nothing>) -> Answer {
    can(&caller.actor, Action::AgentRead, Relation::None).map_err(Error::from)?;
    let found = handovers::waiting(&app.db, caller.by()).await?;
    ok(List::whole(found.into_iter().map(Handover::from).collect()))
}

/// Words for the record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct HandoverWords {
    /// Why; who declines says it.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
}

/// Offer an agent to the team that operates it
///
/// In the name of the team that built it: by its lead or deputy, or a security lead. The two
/// teams are those of the agent; where they are one, or one is not said, it is 409.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/actions/handover",
    tag = "ownership",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = HandoverWords,
    responses((
        status = 201, description = "Offered.", body = Handover,
        headers(("Location" = String, description = "Where it is answered."))
    ))
)]
async fn offer_handover(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>, Maybe(body): Maybe) -> Answer {
    let HandoverWords { reason } = read(body)?;
    let made = handovers::offer(&app.db, caller.by(), id, &reason).await?;
    let at = format!("/api/v1/handovers/{}", made.id);
    let mut response = Json(Handover::from(made)).into_response();
    *response.status_mut() = axum::http::StatusCode::CREATED;
    if let Ok(at) = HeaderValue::from_str(&at) {
        response.headers_mut().insert(axum::http::header::LOCATION, at);
    }
    Ok(response)
}

/// Accept a handover
///
/// In the name of the team that receives the agent, by its lead or deputy: a person's own
/// decision, for which a token needs an owner.
#[utoipa::path(
    post,
    path = "/api/v1/handovers/{id}/acceptance",
    tag = "ownership",
    params(("id" = inline(words::HandoverRef), Path, description = "The handover.")),
    request_body = HandoverWords,
    responses((status = 200, description = "Accepted.", body = Handover))
)]
async fn accept_handover(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<HandoverId>,
    Maybe(body): Maybe,
) -> Answer {
    let HandoverWords { reason } = read::<HandoverWords>(body)?;
    ok(Handover::from(handovers::answer(&app.db, caller.by(), id, true, &reason).await?))
}

/// Decline a handover
#[utoipa::path(
    post,
    path = "/api/v1/handovers/{id}/refusal",
    tag = "ownership",
    params(("id" = inline(words::HandoverRef), Path, description = "The handover.")),
    request_body = HandoverWords,
    responses((status = 200, description = "Declined.", body = Handover))
)]
async fn refuse_handover(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<HandoverId>,
    Maybe(body): Maybe,
) -> Answer {
    let HandoverWords { reason } = read::<HandoverWords>(body)?;
    ok(Handover::from(handovers::answer(&app.db, caller.by(), id, false, &reason).await?))
}

/// Take a handover back
///
/// In the name of the team that offered it.
#[utoipa::path(
    post,
    path = "/api/v1/handovers/{id}/withdrawal",
    tag = "ownership",
    params(("id" = inline(words::HandoverRef), Path, description = "The handover.")),
    request_body = HandoverWords,
    responses((status = 200, description = "Taken back.", body = Handover))
)]
async fn withdraw_handover(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<HandoverId>,
    Maybe(body): Maybe,
) -> Answer {
    let HandoverWords { reason } = read::<HandoverWords>(body)?;
    ok(Handover::from(handovers::withdraw(&app.db, caller.by(), id, &reason).await?))
}
