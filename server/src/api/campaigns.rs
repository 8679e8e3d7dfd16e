//! `/campaigns`: review campaigns, their agents, closing one early.

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse as _;
use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::id::{AgentId, CampaignId, PersonId, RequestId};
use domain::review::Progress;
use register::reviews::{self, NewCampaign};
use register::{Error, paging};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, ok};
use super::asked::{Listed, NoFilter, Paging};
use super::reviews::ReviewLine;
use super::sent::{At, Maybe, read};
use super::words;
use crate::App;
use crate::json::Json as Sent;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_campaigns, create_campaign))
        .routes(routes!(read_campaign))
        .routes(routes!(list_campaign_agents))
        .routes(routes!(close_campaign))
}

/// How the agents of a campaign stand: each is counted once.
#[derive(Debug, Serialize, ToSchema)]
struct CampaignCounts {
    /// Nobody has answered, and the date has passed.
    overdue: i64,
    /// Waits.
    open: i64,
    /// Put off, and that date has not come.
    deferred: i64,
    /// Reviewed.
    done: i64,
    /// Voided, taken back or lapsed.
    ended: i64,
    /// No review could be asked.
    skipped: i64,
}

/// A review campaign.
#[derive(Debug, Serialize, ToSchema)]
struct Campaign {
    #[schema(value_type = words::CampaignRef)]
    id: CampaignId,
    /// What it is called.
    name: String,
    /// Why.
    reason: String,
    /// When it was made.
    created_at: DateTime<Utc>,
    /// By whom.
    #[schema(value_type = words::PersonRef)]
    made_by: PersonId,
    /// Until when they answer.
    due_at: DateTime<Utc>,
    /// The filter of the inventory that chose its agents; empty where each was named.
    selection: String,
    /// How many agents it has.
    agents: i64,
    /// How they stand now; of who does not read all, their own reviews.
    counts: CampaignCounts,
    /// When it was closed early.
    #[schema(required)]
    closed_at: Option<DateTime<Utc>>,
    /// By whom.
    #[schema(value_type = Option<words::ActorRef>, required)]
    closed_by: Option<String>,
    /// Why.
    closing: String,
}

impl From<reviews::Campaign> for Campaign {
    fn from(g: reviews::Campaign) -> Self {
        let of = |p| g.counts.of(p);
        let counts = CampaignCounts {
            overdue: of(Progress::Overdue),
            open: of(Progress::Open),
            deferred: of(Progress::Deferred),
            done: of(Progress::Done),
            ended: of(Progress::Ended),
            skipped: of(Progress::Skipped),
        };
        let (closed_at, closed_by, closing) = match g.closed {
            Some((at, by, why)) => (Some(at), Some(by), why),
            None => (None, None, String::new()),
        };
        Self {
            id: g.id,
            name: g.name,
            reason: g.reason,
            created_at: g.made_at,
            made_by: g.made_by.0,
            due_at: g.due_at,
            selection: g.selection,
            agents: g.agents,
            counts,
            closed_at,
            closed_by,
            closing,
        }
    }
}

/// List review campaigns
///
/// Newest first. Who reads neither security's nor risk's sees those of which reviews wait for
/// them.
#[utoipa::path(
    get,
    path = "/api/v1/campaigns",
    tag = "requests",
    params(Paging),
    responses((status = 200, description = "A page of campaigns.", body = List<Campaign>))
)]
async fn list_campaigns(State(app): State<App>, caller: ApiActor, asked: Listed<NoFilter>) -> Answer {
    asked.page.unsorted()?;
    let limit = asked.page.limit()?;
    let page = reviews::campaigns(&app.db, caller.by(), asked.page.cursor.as_deref(), limit).await?;
    ok(List::from(page.map(Campaign::from)))
}

/// What a campaign is made of.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "Payments agents, spring", "due_at": "2027-04-30T00:00:00Z", "agents": ["AG-1", "AG-2"]
}))]
struct CampaignNew {
    /// What it is called; the reviewers see it.
    #[schema(min_length = 1, max_length = 120)]
    name: String,
    /// Until when they answer: within 366 days.
    due_at: DateTime<Utc>,
    /// The agents, at most 2000.
    #[schema(value_type = Vec<words::AgentRef>)]
    agents: Vec<AgentId>,
    /// Why; the reviewers read it.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
}

/// Make a review campaign
///
/// A review is asked for each agent; one that is open joins; what was never approved, or is on
/// its way out, is left out with the reason. By risk analysts and security leads: a person's
/// own request, for which a token needs an owner.
#[utoipa::path(
    post,
    path = "/api/v1/campaigns",
    tag = "requests",
    request_body = CampaignNew,
    responses((
        status = 201, description = "Made.", body = Campaign,
        headers(("Location" = String, description = "Where it is."))
    ))
)]
async fn create_campaign(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    can(&caller.actor, Action::CampaignWrite, Relation::None).map_err(Error::from)?;
    let new: CampaignNew = read(body)?;
    let new = NewCampaign {
        name: new.name,
        reason: new.reason,
        due_at: new.due_at,
        selection: String::new(),
        agents: new.agents,
    };
    let id = reviews::make(&app.db, caller.by(), &new).await?;
    let made = Campaign::from(reviews::campaign(&app.db, caller.by(), id).await?);
    let mut response = Sent(made).into_response();
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(at) = HeaderValue::from_str(&format!("/api/v1/campaigns/{id}")) {
        response.headers_mut().insert(header::LOCATION, at);
    }
    Ok(response)
}

/// Read a review campaign
#[utoipa::path(
    get,
    path = "/api/v1/campaigns/{id}",
    tag = "requests",
    params(("id" = inline(words::CampaignRef), Path, description = "The campaign.")),
    responses((status = 200, description = "The campaign.", body = Campaign))
)]
async fn read_campaign(State(app): State<App>, caller: ApiActor, At(id): At<CampaignId>) -> Answer {
    ok(Campaign::from(reviews::campaign(&app.db, caller.by(), id).await?))
}

/// Which agents of a campaign are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct CampaignFilter {
    /// Only those that stand so.
    #[param(value_type = Option<words::ReviewProgress>)]
    stands: Option<Progress>,
}

/// An agent of a campaign.
#[derive(Debug, Serialize, ToSchema)]
struct CampaignAgent {
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    #[schema(value_type = words::ReviewProgress)]
    stands: Progress,
    /// The reference of its review.
    #[schema(value_type = Option<words::RequestRef>, required)]
    id: Option<RequestId>,
    /// Its review.
    #[schema(required)]
    review: Option<ReviewLine>,
    /// The review was open before the campaign.
    joined: bool,
    /// Why no review could be asked; empty where one is.
    skipped: String,
}

/// List the agents of a review campaign
///
/// In the order of the agents. Who does not read all sees the reviews that are theirs.
#[utoipa::path(
    get,
    path = "/api/v1/campaigns/{id}/agents",
    tag = "requests",
    params(("id" = inline(words::CampaignRef), Path, description = "The campaign."), CampaignFilter, Paging),
    responses((status = 200, description = "A page of agents.", body = List<CampaignAgent>))
)]
async fn list_campaign_agents(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<CampaignId>,
    asked: Listed<CampaignFilter>,
) -> Answer {
    asked.page.unsorted()?;
    let limit = asked.page.limit()?;
    let cursor = asked.page.cursor.as_deref();
    let page: paging::Page<reviews::Line> =
        reviews::list_of_campaign(&app.db, caller.by(), id, asked.filter.stands, cursor, Some(limit)).await?;
    ok(List::from(page.map(|l| CampaignAgent {
        agent: l.agent,
        stands: l.progress,
        id: l.id,
        joined: l.joined,
        skipped: l.skipped.clone(),
        review: ReviewLine::of(l),
    })))
}

/// Why it is closed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CampaignClosing {
    /// Why.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
}

/// Close a review campaign early
///
/// The reviews that it asked for and nobody has answered are taken back; those that were open
/// before go on.
#[utoipa::path(
    post,
    path = "/api/v1/campaigns/{id}/close",
    tag = "requests",
    params(("id" = inline(words::CampaignRef), Path, description = "The campaign.")),
    request_body = CampaignClosing,
    responses((status = 200, description = "Closed.", body = Campaign))
)]
async fn close_campaign(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<CampaignId>,
    Maybe(body): Maybe,
) -> Answer {
    can(&caller.actor, Action::CampaignWrite, Relation::None).map_err(Error::from)?;
    let CampaignClosing { reason } = read(body)?;
    reviews::close(&app.db, caller.by(), id, &reason).await?;
    ok(Campaign::from(reviews::campaign(&app.db, caller.by(), id).await?))
}
