//! `/agents`: the inventory.

mod drills;
mod filter;
mod lifecycle;
mod methods;
mod object;
mod parts;
mod stops;
mod write;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use domain::can::{Action, Relation, can};
use domain::id::AgentId;
use register::Error;
use register::agents::{self, list};
use serde_json::Value;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, created, ok, versioned};
use super::asked::{Listed, Paging};
use super::patch::AgentPatch;
use super::sent::{At, Expected};
use super::words;
use crate::App;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) use drills::{DRILL_MAX, callback};
pub(super) use filter::AgentFilter;
pub(super) use object::{Agent, AgentNew};
pub(super) use stops::StopCalled;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_agents, create_agent))
        .routes(routes!(read_agent, change_agent))
        .routes(routes!(find_agent, upsert_agent))
        .merge(parts::routes())
        .merge(methods::routes())
        .merge(drills::routes())
        .merge(stops::routes())
        .merge(lifecycle::routes())
}

/// List agents
///
/// Every state is listed unless filtered; `total` is exact with no filter or one. Sorts: `id`
/// (the default), `name`, `business_unit`, `tier`, `runtime_owner`, `updated_at`, each also
/// downwards with `-` before it. Confidential agents are listed for those who may know of
/// them. The filters `runtime_owner`, `finding` and `credential` and the sort
/// `runtime_owner` are for those who may see findings.
#[utoipa::path(
    get,
    path = "/api/v1/agents",
    tag = "agents",
    params(AgentFilter, Paging),
    responses((status = 200, description = "A page of agents.", body = List<Agent>))
)]
async fn list_agents(State(app): State<App>, caller: ApiActor, asked: Listed<AgentFilter>) -> Answer {
    let query = asked.filter.query(&asked.page)?;
    let page = list::list_whole(&app.db, caller.by(), &query).await?;
    ok(List::from(page.map(|whole| Agent::new(whole.agent, whole.controls))))
}

/// Register an agent
#[utoipa::path(
    post,
    path = "/api/v1/agents",
    tag = "agents",
    request_body = AgentNew,
    responses((
        status = 201, description = "Registered.", body = Agent,
        headers(("Location" = String, description = "Where it is."), ("ETag" = String, description = "Its version."))
    ))
)]
async fn create_agent(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    can(&caller.actor, Action::AgentCreate, Relation::None).map_err(Error::from)?;
    let new = write::read(&app, body).await?;
    let made = agents::create(&app.db, caller.by(), new.facts, new.state).await?;
    let made = Agent::whole(made, true);
    created(&format!("/api/v1/agents/{}", made.id()), made.version(), made)
}

/// Read an agent
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    responses((
        status = 200, description = "The agent.", body = Agent,
        headers(("ETag" = String, description = "Its version, for `If-Match`."))
    ))
)]
async fn read_agent(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    shown(view)
}

fn shown(view: agents::View) -> Answer {
    let agent = Agent::whole(view.judged.agent, view.controls);
    versioned(agent.version(), agent)
}

/// Change an agent
///
/// By merge patch. The boundary of an agent that was approved (purpose, tools, data, autonomy,
/// exposure, environment, hosting, models, identity and credential kinds) is not edited in
/// place: 409. State, owners and whatever is computed are not members that can be written.
#[utoipa::path(
    patch,
    path = "/api/v1/agents/{id}",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body(content((AgentPatch = "application/merge-patch+json"), (AgentPatch = "application/json"))),
    responses((
        status = 200, description = "The agent as it is now.", body = Agent,
        headers(("ETag" = String, description = "Its new version."))
    ))
)]
async fn change_agent(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<AgentId>,
    headers: HeaderMap,
    Sent(body): Sent<Value>,
) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    write::may_edit(&caller, &view)?;
    let version = Expected::of(&headers).is(view.judged.agent.version)?;
    let (facts, reason) = write::changed(&app, view.judged.agent, body).await?;
    let agent = agents::edit(&app.db, caller.by(), id, version, facts, &reason).await?;
    let agent = Agent::whole(agent, true);
    versioned(agent.version(), agent)
}

/// Find an agent by what another system calls it
#[utoipa::path(
    get,
    path = "/api/v1/agents/by-external-id/{source}/{id}",
    tag = "agents",
    params(
        ("source" = String, Path, description = "The other system, for instance `cmdb`."),
        ("id" = String, Path, description = "Its reference there.")
    ),
    responses((
        status = 200, description = "The agent.", body = Agent,
        headers(("ETag" = String, description = "Its version, for `If-Match`."))
    ))
)]
async fn find_agent(State(app): State<App>, caller: ApiActor, At((source, external)): At<(String, String)>) -> Answer {
    let external = write::external(&source, &external).map_err(|_| Problem::not_found())?;
    let id =
        agents::read::by_external_id(&app.db, &external.source, &external.id).await?.ok_or_else(Problem::not_found)?;
    shown(agents::read(&app.db, caller.by(), id).await?)
}

/// Register or change an agent by what another system calls it
///
/// For discovery: one request, whether the agent is known or not. One that is not known is
/// registered as `discovered` and needs a name (201). Of one that is known, the members that
/// are sent are set, and those that are left out stay as people wrote them (200). The
/// boundary of an approved agent is never overwritten: what was seen of it is kept beside,
/// flagged as drift, and offered as a change of scope. Of one that is retired, or was stopped
/// for good, `running: yes` is kept as a sign of life.
///
/// A change of an agent that is known needs `If-Match`, else 428: its `ETag`, or `*` for
/// “whatever is there, or nothing yet”, which a program that only reports what it sees sends
/// always. Without it, a new agent is registered, and a report that changes nothing is
/// answered by 200. With `If-None-Match: *` only a new agent is registered.
#[utoipa::path(
    put,
    path = "/api/v1/agents/by-external-id/{source}/{id}",
    tag = "agents",
    params(
        ("source" = String, Path, description = "The other system, for instance `cmdb`."),
        ("id" = String, Path, description = "Its reference there."),
        ("If-Match" = Option<String>, Header, description = "The version that was read, or `*`."),
        ("If-None-Match" = Option<String>, Header, description = "`*`: only if it is not known yet.")
    ),
    request_body(content((AgentPatch = "application/json"), (AgentPatch = "application/merge-patch+json"))),
    responses(
        (
            status = 200, description = "It was known, and is now so.", body = Agent,
            headers(("ETag" = String, description = "Its version."))
        ),
        (
            status = 201, description = "It was not known, and is registered.", body = Agent,
            headers(("Location" = String, description = "Where it is."), ("ETag" = String, description = "Its version."))
        )
    )
)]
async fn upsert_agent(
    State(app): State<App>,
    caller: ApiActor,
    At((source, external)): At<(String, String)>,
    headers: HeaderMap,
    Sent(body): Sent<Value>,
) -> Answer {
    let external = write::external(&source, &external)?;
    let expected = Expected::of(&headers);
    let Some(id) = agents::read::by_external_id(&app.db, &external.source, &external.id).await? else {
        can(&caller.actor, Action::AgentCreate, Relation::None).map_err(Error::from)?;
        if let Expected::Versions(_) = expected {
            return Err(Error::Stale(0).into());
        }
        let facts = write::seen(&app, external, body).await?;
        let made = agents::create(&app.db, caller.by(), facts, domain::agent::Lifecycle::Discovered).await?;
        let made = Agent::whole(made, true);
        return created(&format!("/api/v1/agents/{}", made.id()), made.version(), made);
    };
    let view = agents::read(&app.db, caller.by(), id).await?;
    write::may_edit(&caller, &view)?;
    let known = view.judged.agent.clone();
    let source = external.source.clone();
    let (facts, reason) = write::seen_again(&app, known, external, body).await?;
    // Whatever becomes of the edit: that something acts as an agent that is dead is kept.
    if facts.running == domain::agent::Running::Yes {
        register::retirements::life::report(&app.db, caller.by(), id, &source).await?;
    }
    if expected == Expected::Unsaid && agents::write::checked(facts.clone())? == view.judged.agent.facts {
        return shown(view);
    }
    let version = expected.is(view.judged.agent.version)?;
    let source = source.as_str();
    let agent = agents::write::report(&app.db, caller.by(), id, version, facts, source, &reason).await?;
    let agent = Agent::whole(agent, true);
    Ok(versioned(agent.version(), agent).into_response())
}
