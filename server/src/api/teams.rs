//! `/teams`.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::id::{PersonId, TeamId};
use domain::party::TeamKind;
use register::Error;
use register::teams::{self, Fields};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, created, ok, versioned};
use super::asked::{Listed, Paging, truth};
use super::patch::TeamPatch;
use super::sent::{At, Expected, merge, patch, read, said, without_echo};
use super::words;
use crate::App;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(list_teams, create_team)).routes(routes!(read_team, change_team))
}

/// A team.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "TE-3", "version": 2, "created_at": "2026-07-03T14:05:00Z", "updated_at": "2026-07-04T08:00:00Z",
    "name": "Platform", "kind": "platform", "lead": "PE-7", "lead_since": "2026-07-03T14:05:00Z", "deputy": null,
    "led": true, "member_count": 2, "members": ["PE-7", "PE-9"]
}))]
struct Team {
    #[schema(value_type = words::TeamRef)]
    id: TeamId,
    /// Counts changes; the number in the `ETag`.
    version: i64,
    /// When the record began.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// Its name, unique.
    name: String,
    #[schema(value_type = words::TeamKind)]
    kind: TeamKind,
    /// Its named owner, who may be gone.
    #[schema(value_type = Option<words::PersonRef>, required)]
    lead: Option<PersonId>,
    /// Since when.
    #[schema(required)]
    lead_since: Option<DateTime<Utc>>,
    /// Who stands in for the lead.
    #[schema(value_type = Option<words::PersonRef>, required)]
    deputy: Option<PersonId>,
    /// Whether somebody who is here leads it; if not, nothing it is Accountable for has an
    /// owner.
    led: bool,
    /// How many members it has.
    member_count: i64,
    /// Its members by name, at most 1000; only where one team is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<words::PersonRef>>, nullable = false)]
    members: Option<Vec<PersonId>>,
}

impl Team {
    fn new(t: teams::Team, led: bool, member_count: i64, members: Option<Vec<PersonId>>) -> Self {
        Self {
            id: t.id,
            version: t.version,
            created_at: t.created_at,
            updated_at: t.updated_at,
            name: t.name,
            kind: t.kind,
            lead: t.lead,
            lead_since: t.lead_since,
            deputy: t.deputy,
            led,
            member_count,
            members,
        }
    }
}

impl From<teams::View> for Team {
    fn from(v: teams::View) -> Self {
        let members: Vec<PersonId> = v.members.into_iter().map(|m| m.person.id).collect();
        Self::new(v.team, !v.leaderless, members.len() as i64, Some(members))
    }
}

/// Which teams; every filter narrows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Each word must begin a word of the name.
    #[serde(default)]
    q: String,
    /// What it is for.
    #[serde(default)]
    #[param(value_type = Option<words::TeamKind>, inline)]
    kind: Option<TeamKind>,
    /// Whether somebody who is here leads it.
    #[serde(default, deserialize_with = "truth")]
    #[param(value_type = Option<bool>)]
    led: Option<bool>,
}

/// List teams
///
/// Sorts: `name` (the default), `-name`.
#[utoipa::path(
    get,
    path = "/api/v1/teams",
    tag = "people",
    params(Filter, Paging),
    responses((status = 200, description = "A page of teams.", body = List<Team>))
)]
async fn list_teams(State(app): State<App>, caller: ApiActor, asked: Listed<Filter>) -> Answer {
    let query = teams::Query {
        q: asked.filter.q,
        kind: asked.filter.kind,
        led: asked.filter.led,
        down: asked.page.by_name()?,
        limit: asked.page.limit()?,
        cursor: asked.page.cursor,
    };
    let page = teams::list(&app.db, caller.by(), &query).await?;
    let ids: Vec<TeamId> = page.items.iter().map(|l| l.id).collect();
    let mut reads = &app.db;
    let mut whole: HashMap<TeamId, teams::Team> =
        teams::load_many(&mut reads, &ids).await?.into_iter().map(|t| (t.id, t)).collect();
    let items = page
        .items
        .into_iter()
        .filter_map(|l| Some(Team::new(whole.remove(&l.id)?, l.lead.is_some_and(|p| p.active), l.members, None)))
        .collect();
    ok(List::new(items, page.next, page.total))
}

/// What is written about a team.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Platform", "kind": "platform", "lead": "PE-7", "members": ["PE-7", "PE-9"]}))]
pub(super) struct TeamNew {
    /// Its name, unique.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What it is for; `business` if left out.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = words::TeamKind, required = false)]
    kind: Option<TeamKind>,
    /// Who leads it; must be here.
    #[serde(default)]
    #[schema(value_type = Option<words::PersonRef>)]
    lead: Option<PersonId>,
    /// Who stands in for the lead; somebody else.
    #[serde(default)]
    #[schema(value_type = Option<words::PersonRef>)]
    deputy: Option<PersonId>,
    /// Who belongs to it.
    #[serde(default)]
    #[schema(value_type = Vec<words::PersonRef>, max_items = 1000)]
    members: Vec<PersonId>,
}

impl From<TeamNew> for Fields {
    fn from(n: TeamNew) -> Self {
        Self {
            name: n.name,
            kind: n.kind.unwrap_or(TeamKind::Business),
            lead: n.lead,
            deputy: n.deputy,
            members: Some(n.members),
        }
    }
}

/// Make a team
#[utoipa::path(
    post,
    path = "/api/v1/teams",
    tag = "people",
    request_body = TeamNew,
    responses((
        status = 201, description = "Made.", body = Team,
        headers(("Location" = String, description = "Where it is."), ("ETag" = String, description = "Its version."))
    ))
)]
async fn create_team(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    can(&caller.actor, Action::TeamWrite, Relation::None).map_err(Error::from)?;
    let new: TeamNew = read(body)?;
    let team = teams::create(&app.db, caller.by(), &new.into()).await?;
    let team = Team::from(teams::read(&app.db, caller.by(), team.id).await?);
    created(&format!("/api/v1/teams/{}", team.id), team.version, team)
}

/// Read a team
#[utoipa::path(
    get,
    path = "/api/v1/teams/{id}",
    tag = "people",
    params(("id" = inline(words::TeamRef), Path, description = "The team.")),
    responses((
        status = 200, description = "The team.", body = Team,
        headers(("ETag" = String, description = "Its version, for `If-Match`."))
    ))
)]
async fn read_team(State(app): State<App>, caller: ApiActor, At(id): At<TeamId>) -> Answer {
    let team = Team::from(teams::read(&app.db, caller.by(), id).await?);
    versioned(team.version, team)
}

/// Change a team
///
/// By merge patch; a list of members replaces the list. Who leads decides who owns, so the
/// agents concerned are assessed again at once.
#[utoipa::path(
    patch,
    path = "/api/v1/teams/{id}",
    tag = "people",
    params(("id" = inline(words::TeamRef), Path, description = "The team.")),
    request_body(content((TeamPatch = "application/merge-patch+json"), (TeamPatch = "application/json"))),
    responses((
        status = 200, description = "The team as it is now.", body = Team,
        headers(("ETag" = String, description = "Its new version."))
    ))
)]
async fn change_team(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<TeamId>,
    headers: HeaderMap,
    Sent(body): Sent<Value>,
) -> Answer {
    let known = Team::from(teams::read(&app.db, caller.by(), id).await?);
    can(&caller.actor, Action::TeamWrite, Relation::None).map_err(Error::from)?;
    let version = Expected::of(&headers).is(known.version)?;
    let (patch, reason) = patch(body)?;
    let shown = serde_json::to_value(&known).map_err(Problem::internal)?;
    let now = TeamNew {
        name: known.name,
        kind: Some(known.kind),
        lead: known.lead,
        deputy: known.deputy,
        members: known.members.unwrap_or_default(),
    };
    let mut written = serde_json::to_value(now).map_err(Problem::internal)?;
    let patch = without_echo(patch, &shown, &written)?;
    let members = patch.contains_key("members");
    merge(&mut written, Value::Object(patch));
    let mut fields = Fields::from(read::<TeamNew>(written)?);
    if !members {
        fields.members = None;
    }
    teams::edit(&app.db, caller.by(), id, Some(version), &fields, &reason).await?;
    let team = Team::from(teams::read(&app.db, caller.by(), id).await?);
    versioned(team.version, team)
}
