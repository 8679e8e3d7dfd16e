//! `/systems`: multi-agent systems and shared platforms.

use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::can::{Action, Relation, can};
use domain::id::{AgentId, SystemId};
use domain::system::SystemKind;
use domain::tier::Tier;
use register::Error;
use register::systems::{self, Fields};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, created, ok, versioned};
use super::asked::{Listed, Paging};
use super::patch::SystemPatch;
use super::sent::{At, Expected, merge, patch, read, said, without_echo};
use super::words;
use crate::App;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_systems, create_system)).routes(routes!(read_system, change_system))
}

/// A system.
#[derive(Debug, Serialize, ToSchema)]
struct System {
    #[schema(value_type = words::SystemRef)]
    id: SystemId,
    /// Counts changes; the number in the `ETag`.
    version: i64,
    /// When the record began.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// Its name, unique.
    name: String,
    #[schema(value_type = words::SystemKind)]
    kind: SystemKind,
    /// What it is for; may be empty.
    purpose: String,
    /// Its agents by reference, at most 200; only where one system is read: those that belong to
    /// it or, of a platform, run on it. All of them are found by the filter `system` or
    /// `platform` of the list of agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    members: Option<Vec<Member>>,
}

/// An agent of a system.
#[derive(Debug, Serialize, ToSchema)]
struct Member {
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
}

impl From<systems::System> for System {
    fn from(s: systems::System) -> Self {
        Self {
            id: s.id,
            version: s.version,
            created_at: s.created_at,
            updated_at: s.updated_at,
            name: s.name,
            kind: s.kind,
            purpose: s.purpose,
            members: None,
        }
    }
}

impl From<systems::View> for System {
    fn from(v: systems::View) -> Self {
        let members = v
            .members
            .into_iter()
            .map(|m| Member { agent: m.id, name: m.name, state: m.state, tier: m.tier, runs: m.runs })
            .collect();
        Self { members: Some(members), ..Self::from(v.system) }
    }
}

/// Which systems; every filter narrows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Each word must begin a word of the name.
    #[serde(default)]
    q: String,
    /// What it is.
    #[serde(default)]
    #[param(value_type = Option<words::SystemKind>, inline)]
    kind: Option<SystemKind>,
}

/// List systems
///
/// Sorts: `name` (the default), `-name`.
#[utoipa::path(
    get,
    path = "/api/v1/systems",
    tag = "people",
    params(Filter, Paging),
    responses((status = 200, description = "A page of systems.", body = List<System>))
)]
async fn list_systems(State(app): State<App>, caller: ApiActor, asked: Listed<Filter>) -> Answer {
    let query = systems::Query {
        q: asked.filter.q,
        kind: asked.filter.kind,
        down: asked.page.by_name()?,
        limit: asked.page.limit()?,
        cursor: asked.page.cursor,
    };
    ok(List::from(systems::list(&app.db, caller.by(), &query).await?.map(System::from)))
}

/// What is written about a system.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Claims desk", "kind": "multi-agent", "purpose": "Handles a claim from arrival to payment."}))]
pub(super) struct SystemNew {
    /// Its name, unique.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What it is; `multi-agent` if left out.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::SystemKind, required = false)]
    kind: Option<SystemKind>,
    /// What it is for.
    #[serde(default)]
    #[schema(max_length = 4000)]
    purpose: String,
}

impl From<SystemNew> for Fields {
    fn from(n: SystemNew) -> Self {
        Self { name: n.name, kind: n.kind.unwrap_or(SystemKind::MultiAgent), purpose: n.purpose }
    }
}

/// Record a system
#[utoipa::path(
    post,
    path = "/api/v1/systems",
    tag = "people",
    request_body = SystemNew,
    responses((
        status = 201, description = "Recorded.", body = System,
        headers(("Location" = String, description = "Where it is."), ("ETag" = String, description = "Its version."))
    ))
)]
async fn create_system(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    can(&caller.actor, Action::SystemWrite, Relation::None).map_err(Error::from)?;
    let new: SystemNew = read(body)?;
    let system = systems::create(&app.db, caller.by(), &new.into()).await?;
    created(&format!("/api/v1/systems/{}", system.id), system.version, System::from(system))
}

/// Read a system
#[utoipa::path(
    get,
    path = "/api/v1/systems/{id}",
    tag = "people",
    params(("id" = inline(words::SystemRef), Path, description = "The system.")),
    responses((
        status = 200, description = "The system.", body = System,
        headers(("ETag" = String, description = "Its version, for `If-Match`."))
    ))
)]
async fn read_system(State(app): State<App>, caller: ApiActor, At(id): At<SystemId>) -> Answer {
    let system = System::from(systems::read(&app.db, caller.by(), id).await?);
    versioned(system.version, system)
}

/// Change a system
///
/// By merge patch, for security leads.
#[utoipa::path(
    patch,
    path = "/api/v1/systems/{id}",
    tag = "people",
    params(("id" = inline(words::SystemRef), Path, description = "The system.")),
    request_body(content((SystemPatch = "application/merge-patch+json"), (SystemPatch = "application/json"))),
    responses((
        status = 200, description = "The system as it is now.", body = System,
        headers(("ETag" = String, description = "Its new version."))
    ))
)]
async fn change_system(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<SystemId>,
    headers: HeaderMap,
    Sent(body): Sent<Value>,
) -> Answer {
    let known = System::from(systems::read(&app.db, caller.by(), id).await?);
    can(&caller.actor, Action::SystemWrite, Relation::None).map_err(Error::from)?;
    let version = Expected::of(&headers).is(known.version)?;
    let (patch, reason) = patch(body)?;
    let shown = serde_json::to_value(&known).map_err(Problem::internal)?;
    let now = SystemNew { name: known.name, kind: Some(known.kind), purpose: known.purpose };
    let mut written = serde_json::to_value(now).map_err(Problem::internal)?;
    let patch = without_echo(patch, &shown, &written)?;
    merge(&mut written, Value::Object(patch));
    let fields = Fields::from(read::<SystemNew>(written)?);
    let system = systems::edit(&app.db, caller.by(), id, Some(version), &fields, &reason).await?;
    versioned(system.version, System::from(system))
}
