//! `/people`.

use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, SystemId, TeamId};
use domain::party::{PersonStatus, Role, Roles, TeamKind};
use domain::tier::Tier;
use register::Error;
use register::people::{self, Fields, Named, Part};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, created, ok, versioned};
use super::asked::{Listed, Paging};
use super::patch::PersonPatch;
use super::sent::{At, Expected, merge, patch, read, said, without_echo};
use super::words;
use crate::App;
use crate::json::Json as Sent;
use crate::problem::{Kind, Problem};
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(list_people, create_person))
        .routes(routes!(read_person, change_person))
        .routes(routes!(read_impact))
}

/// A person.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "id": "PE-7", "version": 2, "created_at": "2026-07-03T14:05:00Z", "updated_at": "2026-07-04T08:00:00Z",
    "name": "Ana Sousa", "email": "ana@example.org", "title": "Head of claims", "business_unit": "Claims",
    "status": "active", "left_at": null, "manager": "PE-2", "deputy": null, "roles": ["member"]
}))]
struct Person {
    #[schema(value_type = words::PersonRef)]
    id: PersonId,
    /// Counts changes; the number in the `ETag`.
    version: i64,
    /// When the record began.
    created_at: DateTime<Utc>,
    /// When it last changed.
    updated_at: DateTime<Utc>,
    /// What people call them.
    name: String,
    /// Where notices go and by what they sign in; unique.
    email: String,
    /// What they do; may be empty.
    title: String,
    /// Their business unit; may be empty.
    business_unit: String,
    #[schema(value_type = words::PersonStatus)]
    status: PersonStatus,
    /// Since when they are gone.
    #[schema(required)]
    left_at: Option<DateTime<Utc>>,
    /// To whom they report.
    #[schema(value_type = Option<words::PersonRef>, required)]
    manager: Option<PersonId>,
    /// Who stands in for them.
    #[schema(value_type = Option<words::PersonRef>, required)]
    deputy: Option<PersonId>,
    /// What they may do by role.
    #[schema(value_type = Vec<words::Role>)]
    roles: Roles,
    /// Their teams; only where one person is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    teams: Option<Vec<Belonging>>,
    /// How many report to them; only where one person is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    report_count: Option<i64>,
    /// A privileged role that was asked for and needs a second person: what happens next;
    /// only where a person was just recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    asked: Option<String>,
}

/// A team that a person belongs to.
#[derive(Debug, Serialize, ToSchema)]
struct Belonging {
    #[schema(value_type = words::TeamRef)]
    team: TeamId,
    /// Its name.
    name: String,
    #[schema(value_type = words::TeamKind)]
    kind: TeamKind,
    /// `lead`, `deputy` or `member`.
    part: &'static str,
}

impl From<people::Person> for Person {
    fn from(p: people::Person) -> Self {
        Self {
            id: p.id,
            version: p.version,
            created_at: p.created_at,
            updated_at: p.updated_at,
            name: p.name,
            email: p.email,
            title: p.title,
            business_unit: p.business_unit,
            status: p.status,
            left_at: p.left_at,
            manager: p.manager,
            deputy: p.deputy,
            roles: p.roles,
            teams: None,
            report_count: None,
            asked: None,
        }
    }
}

impl From<people::View> for Person {
    fn from(v: people::View) -> Self {
        let teams = v
            .teams
            .into_iter()
            .map(|b| Belonging {
                team: b.team,
                name: b.name,
                kind: b.kind,
                part: match b.part {
                    Part::Lead => "lead",
                    Part::Deputy => "deputy",
                    Part::Member => "member",
                },
            })
            .collect();
        Self { teams: Some(teams), report_count: Some(v.report_count), ..Self::from(v.person) }
    }
}

/// Which people; every filter narrows.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Each word must begin a word of the name, or the whole begin the e-mail address.
    #[serde(default)]
    q: String,
    /// Whether they are there.
    #[serde(default)]
    #[param(value_type = Option<words::PersonStatus>, inline)]
    status: Option<PersonStatus>,
    /// With this role.
    #[serde(default)]
    #[param(value_type = Option<words::Role>, inline)]
    role: Option<Role>,
    /// Member, lead or deputy of this team.
    #[serde(default)]
    #[param(value_type = Option<words::TeamRef>, inline)]
    team: Option<TeamId>,
}

/// List people
///
/// Sorts: `name` (the default), `-name`.
#[utoipa::path(
    get,
    path = "/api/v1/people",
    tag = "people",
    params(Filter, Paging),
    responses((status = 200, description = "A page of people.", body = List<Person>))
)]
async fn list_people(State(app): State<App>, caller: ApiActor, asked: Listed<Filter>) -> Answer {
    let query = people::Query {
        q: asked.filter.q,
        status: asked.filter.status,
        role: asked.filter.role,
        team: asked.filter.team,
        down: asked.page.by_name()?,
        limit: asked.page.limit()?,
        cursor: asked.page.cursor,
    };
    let page = people::list(&app.db, caller.by(), &query).await?;
    let ids: Vec<PersonId> = page.items.iter().map(|l| l.id).collect();
    let mut reads = &app.db;
    let whole = people::load_many(&mut reads, &ids).await?;
    ok(List::new(whole.into_iter().map(Person::from).collect(), page.next, page.total))
}

/// What is written about a person.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Ana Sousa", "email": "ana@example.org", "title": "Head of claims", "roles": ["member"]}))]
pub(super) struct PersonNew {
    /// What people call them.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// Where notices go and by what they sign in.
    #[schema(min_length = 3, max_length = 254)]
    email: String,
    /// What they do.
    #[serde(default)]
    #[schema(max_length = 200)]
    title: String,
    /// Their business unit.
    #[serde(default)]
    #[schema(max_length = 200)]
    business_unit: String,
    /// To whom they report.
    #[serde(default)]
    #[schema(value_type = Option<words::PersonRef>)]
    manager: Option<PersonId>,
    /// Who stands in for them.
    #[serde(default)]
    #[schema(value_type = Option<words::PersonRef>)]
    deputy: Option<PersonId>,
    /// What they may do by role; none if left out.
    #[serde(default)]
    #[schema(value_type = Vec<words::Role>)]
    roles: Roles,
    /// `left` when they leave: from that second what they answer for has no owner. A change
    /// of its own, of somebody who is recorded.
    #[serde(default, deserialize_with = "said", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::PersonStatus, required = false)]
    status: Option<PersonStatus>,
}

impl From<&people::Person> for PersonNew {
    fn from(p: &people::Person) -> Self {
        Self {
            name: p.name.clone(),
            email: p.email.clone(),
            title: p.title.clone(),
            business_unit: p.business_unit.clone(),
            manager: p.manager,
            deputy: p.deputy,
            roles: p.roles,
            status: Some(p.status),
        }
    }
}

impl From<PersonNew> for Fields {
    fn from(n: PersonNew) -> Self {
        Self {
            name: n.name,
            email: n.email,
            title: n.title,
            business_unit: n.business_unit,
            manager: n.manager,
            deputy: n.deputy,
        }
    }
}

/// Record a person
///
/// For administrators. They cannot sign in until they are given a password.
#[utoipa::path(
    post,
    path = "/api/v1/people",
    tag = "people",
    request_body = PersonNew,
    responses((
        status = 201, description = "Recorded.", body = Person,
        headers(("Location" = String, description = "Where they are."), ("ETag" = String, description = "The version."))
    ))
)]
async fn create_person(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    can(&caller.actor, Action::PersonWrite, Relation::None).map_err(Error::from)?;
    let new: PersonNew = read(body)?;
    if new.status.is_some_and(|s| s != PersonStatus::Active) {
        return Err(Problem::field("/status", "Record them first; whoever left is marked as gone then."));
    }
    let roles = new.roles;
    let person = people::create(&app.db, caller.by(), &new.into(), roles).await?;
    let answer = Person { asked: person.asked, ..Person::from(person.person) };
    created(&format!("/api/v1/people/{}", answer.id), answer.version, answer)
}

/// Read a person
#[utoipa::path(
    get,
    path = "/api/v1/people/{id}",
    tag = "people",
    params(("id" = inline(words::PersonRef), Path, description = "The person.")),
    responses((
        status = 200, description = "The person.", body = Person,
        headers(("ETag" = String, description = "The version, for `If-Match`."))
    ))
)]
async fn read_person(State(app): State<App>, caller: ApiActor, At(id): At<PersonId>) -> Answer {
    let view = people::read(&app.db, caller.by(), id).await?;
    versioned(view.person.version, Person::from(view))
}

/// What the record says when somebody leaves or comes back and no reason was sent.
const BY_PROGRAM: &str = "Changed through the API, without a reason.";

/// Change a person
///
/// By merge patch, for administrators. `status` changes by itself: `left` ends their sessions
/// and opens a gap for everything they answer for, at once; nothing is reassigned. The last
/// administrator stays (409). Granting `administrator` or `security-lead` needs a second
/// person once there are two of these: then it becomes a proposal, which the 409 names, and
/// everything else in the patch is changed.
#[utoipa::path(
    patch,
    path = "/api/v1/people/{id}",
    tag = "people",
    params(("id" = inline(words::PersonRef), Path, description = "The person.")),
    request_body(content((PersonPatch = "application/merge-patch+json"), (PersonPatch = "application/json"))),
    responses((
        status = 200, description = "The person as they are now.", body = Person,
        headers(("ETag" = String, description = "The new version."))
    ))
)]
async fn change_person(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<PersonId>,
    headers: HeaderMap,
    Sent(body): Sent<Value>,
) -> Answer {
    let view = people::read(&app.db, caller.by(), id).await?;
    can(&caller.actor, Action::PersonWrite, Relation::None).map_err(Error::from)?;
    let known = view.person.clone();
    let version = Expected::of(&headers).is(known.version)?;
    let (patch, reason) = patch(body)?;
    let mut written = serde_json::to_value(PersonNew::from(&known)).map_err(Problem::internal)?;
    let shown = serde_json::to_value(Person::from(view)).map_err(Problem::internal)?;
    let patch = without_echo(patch, &shown, &written)?;
    merge(&mut written, Value::Object(patch));
    let new: PersonNew = read(written)?;
    let (roles, status) = (new.roles, new.status.unwrap_or(PersonStatus::Active));
    let fields = Fields::from(new);
    if status != known.status {
        if fields != Fields::from(&known) || roles != known.roles {
            return Err(Problem::field("/status", "Whether they are here is a change of its own; send it alone."));
        }
        let reason = if reason.is_empty() { BY_PROGRAM } else { &reason };
        let turned = match status {
            PersonStatus::Left => people::leave(&app.db, caller.by(), id, Some(version), reason).await?,
            PersonStatus::Active => people::come_back(&app.db, caller.by(), id, Some(version), reason).await?,
        };
        return versioned(turned.person.version, Person::from(turned.person));
    }
    let written = people::edit(&app.db, caller.by(), id, version, &fields, Some(roles), &reason).await?;
    if let Some(next) = written.asked {
        let rest = if written.person.version == version { "" } else { " Everything else is changed." };
        return Err(Problem::new(Kind::Conflict, format!("{next}{rest}")));
    }
    versioned(written.person.version, Person::from(written.person))
}

/// What would follow if a person left, or followed when they did.
#[derive(Debug, Serialize, ToSchema)]
struct Impact {
    #[schema(value_type = words::PersonRef)]
    person: PersonId,
    #[schema(value_type = words::PersonStatus)]
    status: PersonStatus,
    /// How many duties would have no owner.
    total: i64,
    /// Whether there are more than are listed.
    more: bool,
    /// How many different agents these are of.
    agents: usize,
    /// How many of each duty.
    duties: BTreeMap<String, i64>,
    /// The duties: of what runs and by containment first, at most 200.
    orphans: Vec<Orphan>,
    /// The duties of systems that would have no owner.
    systems: Vec<SystemOrphan>,
    /// The teams that would have no lead.
    teams: Vec<Led>,
    /// Who would be asked next: the deputy, then the manager.
    next: Vec<Someone>,
    /// Roles that nobody else who is here has.
    #[schema(value_type = Vec<words::Role>)]
    sole_roles: Vec<Role>,
}

/// One duty of a system that would have no owner.
#[derive(Debug, Serialize, ToSchema)]
struct SystemOrphan {
    #[schema(value_type = words::SystemRef)]
    system: SystemId,
    /// The system's name.
    name: String,
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// The team through which they answer for it.
    #[schema(value_type = Option<words::TeamRef>, required)]
    team: Option<TeamId>,
}

/// One duty of one agent that would have no owner.
#[derive(Debug, Serialize, ToSchema)]
struct Orphan {
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    /// The agent's name.
    name: String,
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// The team through which they answer for it, when they do as its lead.
    #[schema(value_type = Option<words::TeamRef>, required)]
    team: Option<TeamId>,
    #[schema(value_type = words::Lifecycle)]
    state: Lifecycle,
    #[schema(value_type = words::Tier)]
    tier: Tier,
    /// Whether it counts as running.
    runs: bool,
}

/// A team that would have no lead.
#[derive(Debug, Serialize, ToSchema)]
struct Led {
    #[schema(value_type = words::TeamRef)]
    team: TeamId,
    /// Its name.
    name: String,
    /// Who would be asked next: its deputy, then the lead's manager.
    next: Vec<Someone>,
}

/// A person as others mention them.
#[derive(Debug, Serialize, ToSchema)]
struct Someone {
    #[schema(value_type = words::PersonRef)]
    person: PersonId,
    /// Their name.
    name: String,
    /// Whether they are there.
    active: bool,
}

impl From<Named> for Someone {
    fn from(n: Named) -> Self {
        Self { person: n.id, name: n.name, active: n.active }
    }
}

/// Read what would be orphaned if a person left
#[utoipa::path(
    get,
    path = "/api/v1/people/{id}/impact",
    tag = "people",
    params(("id" = inline(words::PersonRef), Path, description = "The person.")),
    responses((status = 200, description = "What would have no owner.", body = Impact))
)]
async fn read_impact(State(app): State<App>, caller: ApiActor, At(id): At<PersonId>) -> Answer {
    let found = people::impact(&app.db, caller.by(), id).await?;
    let people = |named: Vec<Named>| named.into_iter().map(Someone::from).collect();
    ok(Impact {
        person: found.person.id,
        status: found.person.status,
        total: found.total,
        more: found.more,
        agents: found.agents,
        duties: found.duties.into_iter().map(|(duty, n)| (duty.key().to_owned(), n)).collect(),
        orphans: found
            .orphans
            .into_iter()
            .map(|o| Orphan {
                agent: o.agent,
                name: o.name,
                duty: o.duty,
                team: o.team,
                state: o.state,
                tier: o.tier,
                runs: o.runs,
            })
            .collect(),
        systems: found
            .systems
            .into_iter()
            .map(|(team, h)| SystemOrphan { system: h.system, name: h.name, duty: h.duty, team })
            .collect(),
        teams: found.teams.into_iter().map(|t| Led { team: t.id, name: t.name, next: people(t.next) }).collect(),
        next: people(found.next),
        sole_roles: found.sole,
    })
}
