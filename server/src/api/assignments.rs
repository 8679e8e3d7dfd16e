//! `/assignments`: one duty of many agents at once, and the offers that wait for an answer.

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::can::{Action, Actor, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, SystemId};
use domain::party::Party;
use domain::system::Subject;
use register::agents::list;
use register::assignments::{self, Mode};
use register::{By, Error};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::agents::AgentFilter;
use super::answer::{Answer, List, ok};
use super::asked::{Listed, truth};
use super::sent::{read, read_at, said};
use super::words;
use crate::App;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

/// Most agents of one bulk assignment: it is one transaction.
const AGENTS_MAX: i64 = 10_000;
/// Most offers of one answer.
const OFFERS_MAX: usize = 1000;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_offers, assign_duty))
        .routes(routes!(preview_assignment))
        .routes(routes!(accept_duties))
        .routes(routes!(refuse_duties))
}

/// Whose offers.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// Those that wait for the caller’s answer, which is also meant when it is left out: it
    /// is `true` or nothing.
    #[serde(default, deserialize_with = "truth")]
    #[param(value_type = Option<bool>, default = true)]
    mine: Option<bool>,
}

/// An offer of a duty that waits for the caller's answer.
#[derive(Debug, Serialize, ToSchema)]
struct Offer {
    /// The agent; absent for a duty of a system.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::AgentRef, required = false)]
    agent: Option<AgentId>,
    /// The agent's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    agent_name: Option<String>,
    /// The system; absent for a duty of an agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::SystemRef, required = false)]
    system: Option<SystemId>,
    /// The system's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    system_name: Option<String>,
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// To whom: the caller, or a team that they lead or deputise for.
    #[schema(value_type = words::PartyRef)]
    party: Party,
    /// Since when.
    offered_at: DateTime<Utc>,
    /// By whom.
    #[schema(value_type = words::ActorRef)]
    offered_by: String,
    /// Why.
    reason: String,
}

/// List the offers that wait for you
///
/// Oldest first. Nothing waits for a token without an owner.
#[utoipa::path(
    get,
    path = "/api/v1/assignments",
    tag = "ownership",
    params(
        Whose,
        ("limit" = Option<i64>, Query, description = "How many items at most.", minimum = 1, maximum = 200)
    ),
    responses((status = 200, description = "The offers, oldest first; the rest follows as they are answered.", body = List<Offer>))
)]
async fn list_offers(State(app): State<App>, caller: ApiActor, asked: Listed<Whose>) -> Answer {
    asked.page.unsorted()?;
    if asked.page.cursor.is_some() {
        return Err(Problem::field("/cursor", "This list has one page."));
    }
    if asked.filter.mine == Some(false) {
        return Err(Problem::field("/mine", "Only the offers that wait for you are listed: true, or leave it out."));
    }
    can(&caller.actor, Action::AgentRead, Relation::None).map_err(Error::from)?;
    let Some(me) = caller.actor.person_id() else { return ok(List::<Offer>::new(Vec::new(), None, Some(0))) };
    let (waiting, total) = assignments::waiting(&app.db, me, caller.now, asked.page.limit()?).await?;
    let items = waiting
        .into_iter()
        .map(|w| Offer {
            agent: w.of.agent(),
            agent_name: w.of.agent().map(|_| w.name.clone()),
            system: w.of.system(),
            system_name: w.of.system().map(|_| w.name),
            duty: w.duty,
            party: w.party,
            offered_at: w.offered_at,
            offered_by: w.offered_by,
            reason: w.reason,
        })
        .collect();
    ok(List::new(items, None, Some(total)))
}

/// One duty of many agents.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "query": {"business_unit": "Claims", "runtime_owner": "none"}, "duty": "containment", "party": "TE-3",
    "mode": "offer", "reason": "Platform operates everything of Claims."
}))]
struct Assignment {
    /// The agents; or `query`.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Vec<words::AgentRef>, required = false, min_items = 1, max_items = 10_000)]
    agents: Option<Vec<AgentId>>,
    /// Every agent that this filter leaves, with the names and values of the list of agents;
    /// at most 10,000.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = AgentFilter, required = false)]
    query: Option<Map<String, Value>>,
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// Who is to be Accountable.
    #[schema(value_type = words::PartyRef)]
    party: Party,
    #[serde(default)]
    mode: How,
    /// Why, for the record; who records says how they know.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
}

/// `offer`: they own it once they accept. `record`: a security lead states who owns it
/// already, once, where nobody ever did on record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum How {
    #[default]
    Offer,
    Record,
}

impl From<How> for Mode {
    fn from(how: How) -> Self {
        match how {
            How::Offer => Self::Offer,
            How::Record => Self::Record,
        }
    }
}

/// What a bulk assignment did.
#[derive(Debug, Serialize, ToSchema)]
struct Outcome {
    /// Agents whose duty was offered or recorded.
    #[schema(value_type = Vec<words::AgentRef>)]
    done: Vec<AgentId>,
    /// Agents that stay as they were.
    skipped: Vec<Skipped>,
}

/// An agent that stays as it was.
#[derive(Debug, Serialize, ToSchema)]
struct Skipped {
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    /// Why.
    reason: String,
}

/// Whoever could not do it for any agent is told so, before anything is looked at.
fn may(actor: &Actor, mode: Mode) -> Result<(), Problem> {
    match mode {
        Mode::Offer => can(actor, Action::AssignmentOffer, Relation::Owner),
        Mode::Record => can(actor, Action::AssignmentRecord, Relation::None),
    }
    .map_err(|denied| Error::from(denied).into())
}

/// The agents that are meant.
pub(super) async fn meant(
    app: &App,
    by: By<'_>,
    agents: Option<Vec<AgentId>>,
    query: Option<Map<String, Value>>,
) -> Result<Vec<AgentId>, Problem> {
    match (agents, query) {
        (Some(agents), None) => {
            if agents.is_empty() {
                return Err(Problem::field("/agents", "Name at least one agent."));
            }
            if agents.len() as i64 > AGENTS_MAX {
                return Err(Problem::field("/agents", format!("At most {AGENTS_MAX} agents at once.")));
            }
            let mut seen = std::collections::HashSet::new();
            Ok(agents.into_iter().filter(|a| seen.insert(*a)).collect())
        }
        (None, Some(query)) => {
            let filter: AgentFilter = read_at("/query", Value::Object(query))?;
            let ids = list::ids(&app.db, by, &filter.all(), AGENTS_MAX + 1).await?;
            if ids.len() as i64 > AGENTS_MAX {
                return Err(Problem::field("/query", format!("It leaves more than {AGENTS_MAX} agents; narrow it.")));
            }
            Ok(ids)
        }
        (None, None) => Err(Problem::field("/agents", "Name agents, or a query that finds them.")),
        (Some(_), Some(_)) => Err(Problem::field("/query", "Name agents or a query, not both.")),
    }
}

/// An agent that does not exist was named in the body: that is what is wrong with it.
pub(super) fn at_agent(agents: &[AgentId]) -> impl FnOnce(Error) -> Problem + '_ {
    |error| match error {
        Error::NotFound(what) => {
            let at = agents.iter().position(|a| format!("agent {a}") == what);
            let pointer = at.map_or_else(|| "/agents".to_owned(), |at| format!("/agents/{at}"));
            Problem::field(pointer, format!("There is no {what}."))
        }
        error => error.into(),
    }
}

/// Offer or record a duty of many agents
///
/// One transaction, one event of the record for each agent. Agents for which it cannot be
/// done are skipped, each with the reason.
#[utoipa::path(
    post,
    path = "/api/v1/assignments",
    tag = "ownership",
    request_body = Assignment,
    responses((status = 200, description = "What was done, and what not.", body = Outcome))
)]
async fn assign_duty(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    may(&caller.actor, Mode::Offer)?;
    let Assignment { agents, query, duty, party, mode, reason } = read(body)?;
    let mode = mode.into();
    may(&caller.actor, mode)?;
    let agents = meant(&app, caller.by(), agents, query).await?;
    let outcome = assignments::assign_many(&app.db, caller.by(), &agents, duty, party, mode, &reason)
        .await
        .map_err(at_agent(&agents))?;
    let skipped = outcome.skipped.into_iter().map(|(agent, reason)| Skipped { agent, reason }).collect();
    ok(Outcome { done: outcome.done, skipped })
}

/// What a bulk assignment would do.
#[derive(Debug, Serialize, ToSchema)]
struct Foreseen {
    /// Agents whose duty would be offered or recorded.
    changes: i64,
    /// Of these, those whose present owner stays until the offer is accepted.
    held: i64,
    /// Of these, those whose open offer to another party would end.
    reoffered: i64,
    /// Agents that would stay as they are.
    skipped: Vec<Kept>,
}

/// Agents that would stay as they are, for one reason.
#[derive(Debug, Serialize, ToSchema)]
struct Kept {
    /// Why.
    reason: String,
    /// How many.
    agents: i64,
}

/// Preview a bulk assignment
///
/// What the same body would do if it were sent to `/api/v1/assignments` now. Nothing is
/// written.
#[utoipa::path(
    post,
    path = "/api/v1/assignments/preview",
    tag = "ownership",
    request_body = Assignment,
    responses((status = 200, description = "What it would do.", body = Foreseen))
)]
async fn preview_assignment(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    may(&caller.actor, Mode::Offer)?;
    let Assignment { agents, query, duty, party, mode, .. } = read(body)?;
    let mode = mode.into();
    may(&caller.actor, mode)?;
    let agents = meant(&app, caller.by(), agents, query).await?;
    let found =
        assignments::foresee(&app.db, caller.by(), &agents, duty, party, mode).await.map_err(at_agent(&agents))?;
    ok(Foreseen {
        changes: found.changes,
        held: found.held,
        reoffered: found.reoffered,
        skipped: found.skipped.into_iter().map(|(reason, agents)| Kept { reason, agents }).collect(),
    })
}

/// Offers to be answered together.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Offers {
    /// Each must wait for the caller, or none is answered.
    #[schema(min_items = 1, max_items = 1000)]
    offers: Vec<Named>,
    /// Why, for the record; who declines says it.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
}

/// An offer.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// The agent; or `system`.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::AgentRef, required = false)]
    agent: Option<AgentId>,
    /// The system.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::SystemRef, required = false)]
    system: Option<SystemId>,
    #[schema(value_type = words::Duty)]
    duty: Duty,
}

/// How many offers were answered.
#[derive(Debug, Serialize, ToSchema)]
struct Count {
    /// How many.
    answered: usize,
}

/// Accept several duties
///
/// All of them, or none. A person's own decision: a token needs an owner.
#[utoipa::path(
    post,
    path = "/api/v1/assignments/acceptance",
    tag = "ownership",
    request_body = Offers,
    responses((status = 200, description = "Accepted.", body = Count))
)]
async fn accept_duties(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    respond(&app, &caller, body, true).await
}

/// Decline several duties
#[utoipa::path(
    post,
    path = "/api/v1/assignments/refusal",
    tag = "ownership",
    request_body = Offers,
    responses((status = 200, description = "Declined.", body = Count))
)]
async fn refuse_duties(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    respond(&app, &caller, body, false).await
}

async fn respond(app: &App, caller: &ApiActor, body: Value, accept: bool) -> Answer {
    can(&caller.actor, Action::AssignmentAnswer, Relation::Owner).map_err(Error::from)?;
    let Offers { offers, reason } = read(body)?;
    if offers.is_empty() || offers.len() > OFFERS_MAX {
        return Err(Problem::field("/offers", format!("Answer from 1 to {OFFERS_MAX} offers at once.")));
    }
    let mut named: Vec<(Subject, Duty)> = Vec::with_capacity(offers.len());
    for (at, o) in offers.iter().enumerate() {
        let of = match (o.agent, o.system) {
            (Some(agent), None) => agent.into(),
            (None, Some(system)) => system.into(),
            _ => return Err(Problem::field(format!("/offers/{at}"), "Name an agent or a system.")),
        };
        named.push((of, o.duty));
    }
    let answered = assignments::answer(&app.db, caller.by(), &named, accept, &reason).await?;
    ok(Count { answered })
}
