//! `/reviews`: what is reviewed, what is due; beginning a review and putting one off. The
//! answer is a decision of `/requests`.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse as _;
use chrono::{DateTime, Utc};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::request::{RequestState, Verdict};
use domain::review::{NOT_OBSERVED, Progress};
use domain::tier::Tier;
use register::reviews::{self, Filter, Line};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, ok};
use super::asked::{Listed, Paging};
use super::sent::{At, Maybe, read};
use super::words;
use crate::App;
use crate::json::Json;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_reviews))
        .routes(routes!(list_reviews_due))
        .routes(routes!(begin_review))
        .routes(routes!(defer_review))
}

/// Which reviews are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct ReviewFilter {
    /// Only in this state.
    #[param(value_type = Option<words::RequestState>)]
    state: Option<RequestState>,
    /// Only of this agent.
    #[param(value_type = Option<words::AgentRef>)]
    agent: Option<AgentId>,
    /// `true`: only those that wait for you.
    #[serde(default, deserialize_with = "super::asked::truth")]
    #[param(value_type = Option<bool>)]
    mine: Option<bool>,
}

/// A review: a request of kind `review`.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReviewLine {
    #[schema(value_type = words::RequestRef)]
    id: RequestId,
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    #[schema(value_type = words::Tier)]
    tier: Tier,
    /// The number of its one step, for the decision.
    step: i64,
    /// Whose owner reviews.
    #[schema(value_type = Option<words::Duty>, required)]
    duty: Option<Duty>,
    #[schema(value_type = Option<words::RequestState>, required)]
    state: Option<RequestState>,
    /// How it stands to the clock.
    #[schema(value_type = words::ReviewProgress)]
    stands: Progress,
    /// When it was asked.
    #[schema(required)]
    created_at: Option<DateTime<Utc>>,
    /// In whose name; never the reviewer.
    #[schema(value_type = Option<words::PersonRef>, required)]
    requester: Option<PersonId>,
    /// Who answered, or for whom it waits.
    #[schema(value_type = Option<words::PersonRef>, required)]
    reviewer: Option<PersonId>,
    /// Until when.
    #[schema(required)]
    due_at: Option<DateTime<Utc>>,
    /// It was put off, which is possible once.
    deferred: bool,
    /// The answer.
    #[schema(value_type = Option<words::Verdict>, required)]
    verdict: Option<Verdict>,
    /// When it was given.
    #[schema(required)]
    decided_at: Option<DateTime<Utc>>,
    /// The hash of what is decided on.
    #[schema(value_type = words::Sha256)]
    subject_sha256: String,
    /// What the agent did, as far as a source reports it.
    #[schema(example = "not observed")]
    activity: &'static str,
}

impl ReviewLine {
    /// A line that is a review: what a campaign left out is none.
    pub(super) fn of(l: Line) -> Option<Self> {
        Some(Self {
            id: l.id?,
            agent: l.agent,
            tier: l.tier,
            step: l.place,
            duty: l.duty,
            state: l.state,
            stands: l.progress,
            created_at: l.opened_at,
            requester: l.requester.map(|(p, _)| p),
            reviewer: l.reviewer.map(|(p, _)| p),
            due_at: l.due_at,
            deferred: l.deferred,
            verdict: l.verdict,
            decided_at: l.decided_at,
            subject_sha256: l.subject_sha256,
            activity: NOT_OBSERVED,
        })
    }
}

/// List reviews
///
/// Newest first. Security leads, risk analysts and auditors see all; everybody else those that
/// they asked for, answered, or are to answer.
#[utoipa::path(
    get,
    path = "/api/v1/reviews",
    tag = "requests",
    params(ReviewFilter, Paging),
    responses((status = 200, description = "A page of reviews.", body = List<ReviewLine>))
)]
async fn list_reviews(State(app): State<App>, caller: ApiActor, asked: Listed<ReviewFilter>) -> Answer {
    asked.page.unsorted()?;
    let f = asked.filter;
    let filter = Filter { state: f.state, agent: f.agent, mine: f.mine.unwrap_or(false) };
    let limit = asked.page.limit()?;
    let page = reviews::list(&app.db, caller.by(), filter, asked.page.cursor.as_deref(), Some(limit)).await?;
    let (next, total) = (page.next, page.total);
    ok(List::new(page.items.into_iter().filter_map(ReviewLine::of).collect(), next, total))
}

/// What of the clock is listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct DueFilter {
    /// `false`: what falls due within thirty days, instead of what is overdue.
    #[serde(default, deserialize_with = "super::asked::truth")]
    #[param(value_type = Option<bool>, default = true)]
    overdue: Option<bool>,
}

/// An agent that is due for review.
#[derive(Debug, Serialize, ToSchema)]
struct ReviewDue {
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    #[schema(value_type = words::Tier)]
    tier: Tier,
    /// Since when, or from when.
    due_at: DateTime<Utc>,
    /// The review that is open.
    #[schema(value_type = Option<words::RequestRef>, required)]
    review: Option<RequestId>,
}

/// List the agents that are due for review
///
/// By the policy's cadence for their tier, counted from the last review or approval, at this
/// moment. Soonest first.
#[utoipa::path(
    get,
    path = "/api/v1/reviews/due",
    tag = "requests",
    params(DueFilter, Paging),
    responses((status = 200, description = "A page of agents.", body = List<ReviewDue>))
)]
async fn list_reviews_due(State(app): State<App>, caller: ApiActor, asked: Listed<DueFilter>) -> Answer {
    asked.page.unsorted()?;
    let (overdue, limit) = (asked.filter.overdue.unwrap_or(true), asked.page.limit()?);
    let page = reviews::due(&app.db, caller.by(), overdue, asked.page.cursor.as_deref(), limit).await?;
    ok(List::from(page.map(|d| ReviewDue { agent: d.agent, tier: d.tier, due_at: d.due_at, review: d.open })))
}

/// Words for the record.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReviewWords {
    /// Why; the reviewer reads it.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
}

/// Ask for a review of an agent
///
/// By its owners, risk analysts and security leads. Its own reviewer begins one that is due:
/// then it is asked in the name of the security owner, since nobody decides their own request.
/// The answer goes to `POST /api/v1/requests/{id}/steps/{step}/decision`.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/actions/review",
    tag = "requests",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = ReviewWords,
    responses((
        status = 201, description = "Asked.", body = ReviewLine,
        headers(("Location" = String, description = "Where the request is."))
    ))
)]
async fn begin_review(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>, Maybe(body): Maybe) -> Answer {
    let ReviewWords { reason } = read(body)?;
    let made = reviews::open(&app.db, caller.by(), id, &reason).await?;
    let line = ReviewLine::of(reviews::read(&app.db, caller.by(), made).await?);
    let mut response = Json(line).into_response();
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(at) = HeaderValue::from_str(&format!("/api/v1/requests/{made}")) {
        response.headers_mut().insert(header::LOCATION, at);
    }
    Ok(response)
}

/// Until when, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReviewDeferral {
    /// The new date, later than the present one, at most half the tier's cadence from now.
    until: DateTime<Utc>,
    /// Why.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
}

/// Put a review off
///
/// Once, by whoever would answer it. It stays open, and is not overdue before the new date.
#[utoipa::path(
    post,
    path = "/api/v1/requests/{id}/defer",
    tag = "requests",
    params(("id" = inline(words::RequestRef), Path, description = "The review.")),
    request_body = ReviewDeferral,
    responses((status = 200, description = "Put off.", body = ReviewLine))
)]
async fn defer_review(State(app): State<App>, caller: ApiActor, At(id): At<RequestId>, Maybe(body): Maybe) -> Answer {
    // Whoever may not see it learns nothing by what they send.
    register::requests::read(&app.db, caller.by(), id).await?;
    let ReviewDeferral { until, reason } = read(body)?;
    reviews::defer(&app.db, caller.by(), id, until, &reason).await?;
    ok(ReviewLine::of(reviews::read(&app.db, caller.by(), id).await?))
}
