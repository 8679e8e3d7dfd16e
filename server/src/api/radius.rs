//! `/blast-radius`: every agent that uses one thing, and a stop of them all.

use axum::extract::State;
use domain::agent::{Environment, Lifecycle};
use domain::can::{Action, Relation, can};
use domain::id::{AgentId, SystemId};
use domain::stop::{Left, MethodKind, Part, Radius, Reached, Uses};
use domain::tier::Tier;
use register::Error;
use register::paging::MAX_LIMIT;
use register::stops::radius::{self, Shared};
use register::stops::sweep::Sweep;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::agents::StopCalled;
use super::answer::{Answer, ok};
use super::asked::{Listed, Paging};
use super::sent::read;
use super::words;
use crate::App;
use crate::hooks::{self, Progress};
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(read_blast_radius)).routes(routes!(stop_blast_radius))
}

/// What agents use: exactly one of these.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// A shared credential, by name.
    #[serde(default)]
    credential: Option<String>,
    /// A shared tool, by name.
    #[serde(default)]
    tool: Option<String>,
    /// A vendor, by name.
    #[serde(default)]
    vendor: Option<String>,
    /// A multi-agent system.
    #[serde(default)]
    #[param(value_type = Option<words::SystemRef>, inline)]
    system: Option<SystemId>,
    /// Which of them are listed; all but the retired if left out.
    #[serde(default)]
    #[param(value_type = Option<words::RadiusPart>, inline)]
    show: Option<Part>,
}

fn one(
    credential: Option<String>,
    tool: Option<String>,
    vendor: Option<String>,
    system: Option<SystemId>,
) -> Result<Uses, Problem> {
    let named =
        [credential.map(Uses::Credential), tool.map(Uses::Tool), vendor.map(Uses::Vendor), system.map(Uses::System)];
    let mut named = named.into_iter().flatten();
    match (named.next(), named.next()) {
        (Some(uses), None) => Ok(uses),
        _ => Err(Problem::field("", "Name exactly one of credential, tool, vendor and system.")),
    }
}

/// What is not there is said where it was named.
fn at(uses: &Uses, error: Error) -> Problem {
    match error {
        Error::NotFound(what) => Problem::field(format!("/{}", uses.key()), format!("There is no {what}.")),
        error => error.into(),
    }
}

/// How many of the agents that use something are of each part.
#[derive(Debug, Serialize, ToSchema)]
struct RadiusCounts {
    /// All but the retired.
    agents: i64,
    /// They run, or nobody knows.
    runs: i64,
    /// They are in production.
    production: i64,
    /// By tier.
    critical: i64,
    /// By tier.
    high: i64,
    /// By tier.
    moderate: i64,
    /// By tier.
    low: i64,
    /// No accepted owner who is there and has a method.
    unable: i64,
    /// Muster's webhook pauses them.
    webhook: i64,
    /// A person must pause them.
    person: i64,
    /// A stop is recorded since their state last changed.
    stopped: i64,
    /// A webhook of that stop failed or lapsed.
    failed: i64,
    /// You may stop them, and they are not stopped.
    yours: i64,
    /// They are retired, and not among `agents`.
    retired: i64,
}

impl From<Radius> for RadiusCounts {
    fn from(r: Radius) -> Self {
        Self {
            agents: r.of(Part::All),
            runs: r.of(Part::Runs),
            production: r.of(Part::Production),
            critical: r.of(Part::Critical),
            high: r.of(Part::High),
            moderate: r.of(Part::Moderate),
            low: r.of(Part::Low),
            unable: r.of(Part::Unable),
            webhook: r.of(Part::Webhook),
            person: r.of(Part::Person),
            stopped: r.of(Part::Stopped),
            failed: r.of(Part::Failed),
            yours: r.of(Part::Yours),
            retired: r.of(Part::Retired),
        }
    }
}

/// An agent that uses it.
#[derive(Debug, Serialize, ToSchema)]
struct ReachedTold {
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    /// Its name.
    name: String,
    #[schema(value_type = words::Lifecycle)]
    state: Lifecycle,
    #[schema(value_type = words::Tier)]
    tier: Tier,
    /// Whether it counts as running.
    runs: bool,
    #[schema(value_type = words::Environment)]
    environment: Environment,
    /// Whether somebody can stop it; null once retired.
    #[schema(value_type = Option<words::RuntimeOwnerState>, required)]
    runtime_owner: Option<domain::assignment::RuntimeOwner>,
    /// How it is paused; null if that is not recorded.
    #[schema(value_type = Option<words::MethodKind>, required)]
    pause: Option<MethodKind>,
    /// The number of the stop that it is under; null if it is under none.
    #[schema(required)]
    stop: Option<i64>,
    /// What became of each webhook that this stop called.
    calls: Vec<StopCalled>,
    /// Why a stop of all would leave it; null if it would stop it.
    #[schema(value_type = Option<words::LeftWhy>, required)]
    left: Option<Left>,
}

impl From<Reached> for ReachedTold {
    fn from(a: Reached) -> Self {
        let left = a.left();
        let (stop, calls) = a.stop.map_or_else(Default::default, |s| (Some(s.id), s.calls));
        Self {
            agent: a.id,
            name: a.name,
            state: a.state,
            tier: a.tier,
            runs: a.runs,
            environment: a.environment,
            runtime_owner: a.owner,
            pause: a.pause,
            stop,
            calls: calls.into_iter().map(|(surface, state, outcome)| StopCalled { surface, state, outcome }).collect(),
            left,
        }
    }
}

/// A blast radius, with a page of its agents.
#[derive(Debug, Serialize, ToSchema)]
struct BlastRadius {
    /// What is used, as it is written.
    name: String,
    counts: RadiusCounts,
    /// A page of those that were asked for, by reference.
    items: Vec<ReachedTold>,
    /// The `cursor` of the page after this one; null at the end.
    #[schema(required)]
    next_cursor: Option<String>,
    /// How many were asked for in all.
    total: i64,
}

/// Read who uses a credential, a tool, a vendor or a system
///
/// What a stop of everything that uses it would touch. Security, risk and auditors see every
/// agent; others those of which they hold a duty, or deputise for who does.
#[utoipa::path(
    get,
    path = "/api/v1/blast-radius",
    tag = "agents",
    params(Filter, Paging),
    responses((status = 200, description = "The counts, and a page of agents.", body = BlastRadius))
)]
async fn read_blast_radius(State(app): State<App>, caller: ApiActor, asked: Listed<Filter>) -> Answer {
    let Filter { credential, tool, vendor, system, show } = asked.filter;
    let uses = one(credential, tool, vendor, system)?;
    asked.page.unsorted()?;
    let limit = asked.page.limit()?;
    let (shared, counts) = radius::radius(&app.db, caller.by(), &uses).await.map_err(|e| at(&uses, e))?;
    let part = show.unwrap_or(Part::All);
    let page = radius::list(&app.db, caller.by(), &shared, part, asked.page.cursor.as_deref(), limit).await?;
    ok(BlastRadius {
        name: shared.name,
        counts: counts.into(),
        items: page.items.into_iter().map(ReachedTold::from).collect(),
        next_cursor: page.next,
        total: counts.of(part),
    })
}

/// What is stopped, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"credential": "payments API key", "reason": "It was found in a public repository."}))]
struct EverythingStop {
    /// A shared credential, by name. Exactly one of the four is named.
    #[serde(default)]
    credential: Option<String>,
    /// A shared tool, by name.
    #[serde(default)]
    tool: Option<String>,
    /// A vendor, by name.
    #[serde(default)]
    vendor: Option<String>,
    /// A multi-agent system.
    #[serde(default)]
    #[schema(value_type = Option<words::SystemRef>)]
    system: Option<SystemId>,
    /// Why; whoever reviews the stops reads it.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
}

/// An agent that was left as it was.
#[derive(Debug, Serialize, ToSchema)]
struct LeftTold {
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    /// Its name.
    name: String,
    #[schema(value_type = words::LeftWhy)]
    why: Left,
    /// Why, in a sentence.
    message: &'static str,
}

/// What a stop of everything has done.
#[derive(Debug, Serialize, ToSchema)]
struct EverythingStopped {
    /// What is used, as it is written.
    name: String,
    /// Every agent is stopped. If false, Muster goes on; read the blast radius to see how far.
    finished: bool,
    /// The store failed on the way: what is stopped stays so, and the rest is not. Ask again.
    broke_off: bool,
    /// How many agents it has stopped.
    stopped: i64,
    /// How many of these were active, and are suspended now.
    suspended: i64,
    /// How many webhooks are being called; the blast radius shows what becomes of each.
    webhooks: i64,
    /// How many of the agents no webhook pauses: a person must, now.
    by_people: i64,
    /// How many were left as they were, the retired apart.
    left_count: i64,
    /// The first 200 of these, each with the reason.
    left: Vec<LeftTold>,
}

async fn left(app: &App, caller: &ApiActor, shared: &Shared) -> Result<Vec<LeftTold>, Error> {
    let page = radius::list(&app.db, caller.by(), shared, Part::Left, None, MAX_LIMIT).await?;
    Ok(page
        .items
        .into_iter()
        .filter_map(|a| a.left().map(|why| LeftTold { agent: a.id, name: a.name, why, message: why.label() }))
        .collect())
}

/// Stop everything that uses a credential, a tool, a vendor or a system
///
/// Every agent that you may stop and that is not stopped, each with an event of its own: security
/// leads any, others those of which they hold a duty, or deputise for who does. Active agents are
/// suspended. Webhooks are called after the answer, so many at once; their outcomes are in the
/// blast radius and on each stop. Each stop is reviewed by somebody else within 24 hours.
#[utoipa::path(
    post,
    path = "/api/v1/blast-radius/stop",
    tag = "agents",
    request_body = EverythingStop,
    responses((status = 200, description = "Stopped, as far as Muster can.", body = EverythingStopped))
)]
async fn stop_blast_radius(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    can(&caller.actor, Action::StopPress, Relation::Owner).map_err(Error::from)?;
    let EverythingStop { credential, tool, vendor, system, reason } = read(body)?;
    let uses = one(credential, tool, vendor, system)?;
    let (_, counts) = radius::radius(&app.db, caller.by(), &uses).await.map_err(|e| at(&uses, e))?;
    let sweep = Sweep::begin(&app.db, caller.by(), &uses, &reason).await.map_err(|e| at(&uses, e))?;
    let shared = sweep.shared().clone();
    let left = left(&app, &caller, &shared).await?;
    let progress = hooks::stop_everything(&app, &caller.actor, sweep).await;
    let (finished, broke_off) = (matches!(progress, Progress::Done(_)), matches!(progress, Progress::BrokeOff(_)));
    let (Progress::Done(done) | Progress::Going(done) | Progress::BrokeOff(done)) = progress;
    ok(EverythingStopped {
        name: shared.name,
        finished,
        broke_off,
        stopped: done.stopped,
        suspended: done.suspended,
        webhooks: done.calls,
        by_people: done.by_hand,
        left_count: counts.of(Part::Left),
        left,
    })
}
