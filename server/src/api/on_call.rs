//! `/teams/{id}/on-call`, the absences of people, and what owners are asked again.

use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, TeamId};
use domain::oncall::Why;
use domain::party::Party;
use domain::tier::Tier;
use register::assignments::confirm;
use register::oncall::{self, NewCover, NewRotation};
use register::{Error, reach};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, ok, versioned};
use super::asked::{Asked, Listed, Paging, moment};
use super::sent::{At, Expected, Maybe, read};
use super::words;
use crate::App;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(read_on_call, put_rotation))
        .routes(routes!(add_override))
        .routes(routes!(cancel_override))
        .routes(routes!(list_absences, add_absence))
        .routes(routes!(end_absence))
        .routes(routes!(list_due))
        .routes(routes!(confirm_duties))
}

/// A moment that is asked about.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Moment {
    /// The moment, past, present or to come; now if left out.
    #[serde(default, deserialize_with = "moment")]
    #[param(value_type = Option<DateTime<Utc>>)]
    at: Option<DateTime<Utc>>,
}

/// Who is on call, and the schedule from which that follows.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "at": "2026-07-03T14:05:00Z", "person": "PE-7", "name": "Ana Sousa", "why": "turn", "absent": [],
    "until": "2026-07-06T08:00:00Z",
    "rotation": {"people": ["PE-7", "PE-9"], "turn_hours": 168, "starts_at": "2026-06-01T08:00:00Z"},
    "overrides": [{"id": 4, "person": "PE-9", "from": "2026-07-10T08:00:00Z", "until": "2026-07-11T08:00:00Z", "reason": ""}]
}))]
struct OnCall {
    /// The moment that was asked about.
    at: DateTime<Utc>,
    /// Who; null when nobody is.
    #[schema(value_type = Option<words::PersonRef>, required)]
    person: Option<PersonId>,
    /// Their name.
    #[schema(required)]
    name: Option<String>,
    /// `turn`, `override`, `stands-in` (whose turn it is is away), or of nobody `no-rotation`,
    /// `not-begun`, `all-away`.
    why: &'static str,
    /// Who is away, for whom they stand in.
    #[schema(value_type = Vec<words::PersonRef>)]
    absent: Vec<PersonId>,
    /// When the answer changes next; null when not within a year.
    #[schema(required)]
    until: Option<DateTime<Utc>>,
    /// The rotation that is in force now or begins later.
    #[schema(required)]
    rotation: Option<Rotation>,
    /// Overrides that are in force now or begin later.
    overrides: Vec<Override>,
}

/// People who take turns.
#[derive(Debug, Serialize, ToSchema)]
struct Rotation {
    /// In their order.
    #[schema(value_type = Vec<words::PersonRef>)]
    people: Vec<PersonId>,
    /// How long a turn is, in hours.
    turn_hours: i64,
    /// When the first turn began, or will begin.
    starts_at: DateTime<Utc>,
}

/// Somebody takes over for a while.
#[derive(Debug, Serialize, ToSchema)]
struct Override {
    /// Its number.
    id: i64,
    #[schema(value_type = words::PersonRef)]
    person: PersonId,
    /// From when.
    from: DateTime<Utc>,
    /// Until when.
    until: DateTime<Utc>,
    /// Why.
    reason: String,
}

async fn answered(app: &App, caller: &ApiActor, id: TeamId, at: DateTime<Utc>) -> Result<(i64, OnCall), Problem> {
    let view = oncall::view(&app.db, caller.by(), id).await?;
    let (answer, names) = oncall::on_call(&app.db, caller.by(), id, at).await?;
    let (why, absent) = match answer.why {
        Why::Turn => ("turn", Vec::new()),
        Why::Override(_) => ("override", Vec::new()),
        Why::StandsIn(absent) => ("stands-in", absent),
        Why::NoRotation => ("no-rotation", Vec::new()),
        Why::NotBegun => ("not-begun", Vec::new()),
        Why::AllAway => ("all-away", Vec::new()),
    };
    let rotation =
        view.rotation.map(|r| Rotation { people: r.people, turn_hours: r.turn.num_hours(), starts_at: r.starts });
    let overrides = view.covers.into_iter().filter_map(|c| {
        Some(Override { id: c.id, person: c.person, from: c.span.from, until: c.span.until?, reason: c.reason })
    });
    let name = answer.person.and_then(|p| names.into_iter().find(|n| n.id == p)).map(|n| n.name);
    let body = OnCall {
        at,
        person: answer.person,
        name,
        why,
        absent,
        until: answer.until,
        rotation,
        overrides: overrides.collect(),
    };
    Ok((view.version, body))
}

/// Read who is on call
///
/// At any moment: schedules are dated and never overwritten. The rotation and the overrides are
/// those of now, and the `ETag` is the rotation's.
#[utoipa::path(
    get,
    path = "/api/v1/teams/{id}/on-call",
    tag = "people",
    params(("id" = inline(words::TeamRef), Path, description = "The team."), Moment),
    responses((
        status = 200, description = "Who is on call.", body = OnCall,
        headers(("ETag" = String, description = "The rotation's version, for `If-Match`."))
    ))
)]
async fn read_on_call(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<TeamId>,
    Asked(asked): Asked<Moment>,
) -> Answer {
    let (version, body) = answered(&app, &caller, id, asked.at.unwrap_or(caller.now)).await?;
    versioned(version, body)
}

/// What is written of a rotation, and why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RotationNew {
    /// In their order; people of the team.
    #[schema(value_type = Vec<words::PersonRef>, min_items = 1, max_items = 50)]
    people: Vec<PersonId>,
    /// How long a turn is, in hours.
    #[schema(minimum = 1, maximum = 1344)]
    turn_hours: i64,
    /// When the first turn begins, or began; now if left out or null. When it lies ahead the
    /// present rotation stays until then.
    #[serde(default)]
    starts_at: Option<DateTime<Utc>>,
    /// Why it changes, for the record.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
}

/// Say who takes turns
///
/// For the team's lead and deputy and security leads. What was in force before stays readable.
#[utoipa::path(
    put,
    path = "/api/v1/teams/{id}/on-call",
    tag = "people",
    params(("id" = inline(words::TeamRef), Path, description = "The team.")),
    request_body = RotationNew,
    responses((
        status = 200, description = "Who is on call now.", body = OnCall,
        headers(("ETag" = String, description = "The rotation's new version."))
    ))
)]
async fn put_rotation(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<TeamId>,
    headers: HeaderMap,
    Sent(body): Sent<Value>,
) -> Answer {
    let view = oncall::view(&app.db, caller.by(), id).await?;
    if !view.may_write {
        can(&caller.actor, Action::OnCallWrite, Relation::None).map_err(Error::from)?;
    }
    let version = Expected::of(&headers).is(view.version)?;
    let RotationNew { people, turn_hours, starts_at, reason } = read(body)?;
    let turn = TimeDelta::try_hours(turn_hours).unwrap_or(TimeDelta::MAX);
    let new = NewRotation { people, starts: starts_at, turn };
    oncall::rotate(&app.db, caller.by(), id, Some(version), &new, &reason).await?;
    let (version, body) = answered(&app, &caller, id, caller.now).await?;
    versioned(version, body)
}

/// Who takes over, and when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OverrideNew {
    #[schema(value_type = words::PersonRef)]
    person: PersonId,
    /// From when; what has passed counts from now. Now if left out.
    #[serde(default)]
    from: Option<DateTime<Utc>>,
    /// Until when, at most 92 days later.
    until: DateTime<Utc>,
    /// Why, for the record.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
}

/// Take over
///
/// For the team's people and security leads. Who takes over need not belong to the team, and
/// may stop its agents for that time.
#[utoipa::path(
    post,
    path = "/api/v1/teams/{id}/on-call/overrides",
    tag = "people",
    params(("id" = inline(words::TeamRef), Path, description = "The team.")),
    request_body = OverrideNew,
    responses((status = 200, description = "Recorded.", body = Override))
)]
async fn add_override(State(app): State<App>, caller: ApiActor, At(id): At<TeamId>, Sent(body): Sent<Value>) -> Answer {
    let view = oncall::view(&app.db, caller.by(), id).await?;
    if !view.may_cover {
        can(&caller.actor, Action::OnCallCover, Relation::None).map_err(Error::from)?;
    }
    let OverrideNew { person, from, until, reason } = read(body)?;
    let from = from.unwrap_or(caller.now).max(caller.now);
    let new = NewCover { person, from, until, reason };
    let id = oncall::cover(&app.db, caller.by(), id, &new).await?;
    ok(Override { id, person, from, until, reason: new.reason })
}

/// Why it ends.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct OnCallBecause {
    /// Why, for the record.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
}

/// That it is done.
#[derive(Debug, Serialize, ToSchema)]
struct Done {
    /// When it ended.
    ended_at: DateTime<Utc>,
}

/// Cancel an override
///
/// What of it has passed stays.
#[utoipa::path(
    post,
    path = "/api/v1/teams/{id}/on-call/overrides/{override}/cancellation",
    tag = "people",
    params(
        ("id" = inline(words::TeamRef), Path, description = "The team."),
        ("override" = i64, Path, description = "Its number.")
    ),
    request_body = OnCallBecause,
    responses((status = 200, description = "Cancelled.", body = Done))
)]
async fn cancel_override(
    State(app): State<App>,
    caller: ApiActor,
    At((id, number)): At<(TeamId, i64)>,
    Maybe(body): Maybe,
) -> Answer {
    let OnCallBecause { reason } = read(body)?;
    oncall::cancel(&app.db, caller.by(), id, number, &reason).await?;
    ok(Done { ended_at: caller.now })
}

/// When somebody is away.
#[derive(Debug, Serialize, ToSchema)]
struct Absence {
    /// Its number.
    id: i64,
    /// From when.
    from: DateTime<Utc>,
    /// Until when.
    until: DateTime<Utc>,
}

/// Nothing is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// List when a person is away
///
/// What is or will be, by when it begins; at most a hundred.
#[utoipa::path(
    get,
    path = "/api/v1/people/{id}/absences",
    tag = "people",
    params(("id" = inline(words::PersonRef), Path, description = "The person.")),
    responses((status = 200, description = "Absences.", body = List<Absence>))
)]
async fn list_absences(State(app): State<App>, caller: ApiActor, At(id): At<PersonId>, _: Asked<Nothing>) -> Answer {
    let view = reach::view(&app.db, caller.by(), id).await?;
    let items = view.absences.into_iter();
    let items = items.filter_map(|a| Some(Absence { id: a.id, from: a.span.from, until: a.span.until? }));
    ok(List::whole(items.collect()))
}

/// From when until when.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AbsenceNew {
    /// From when; what has passed counts from now. Now if left out.
    #[serde(default)]
    from: Option<DateTime<Utc>>,
    /// Until when, at most 750 days later.
    until: DateTime<Utc>,
}

/// Say when a person is away
///
/// For the person, their manager, whoever leads a team of theirs, security leads and
/// administrators. They are not asked to be on call then, and not counted as reached.
#[utoipa::path(
    post,
    path = "/api/v1/people/{id}/absences",
    tag = "people",
    params(("id" = inline(words::PersonRef), Path, description = "The person.")),
    request_body = AbsenceNew,
    responses((status = 200, description = "Recorded.", body = Absence))
)]
async fn add_absence(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<PersonId>,
    Sent(body): Sent<Value>,
) -> Answer {
    let view = reach::view(&app.db, caller.by(), id).await?;
    if !view.may_away {
        can(&caller.actor, Action::AbsenceWrite, Relation::None).map_err(Error::from)?;
    }
    let AbsenceNew { from, until } = read(body)?;
    let from = from.unwrap_or(caller.now).max(caller.now);
    let id = reach::absences::add(&app.db, caller.by(), id, from, until).await?;
    ok(Absence { id, from, until })
}

/// End an absence
///
/// They are back, or not away after all. What of it has passed stays.
#[utoipa::path(
    post,
    path = "/api/v1/people/{id}/absences/{absence}/end",
    tag = "people",
    params(
        ("id" = inline(words::PersonRef), Path, description = "The person."),
        ("absence" = i64, Path, description = "Its number.")
    ),
    request_body = OnCallBecause,
    responses((status = 200, description = "Ended.", body = Done))
)]
async fn end_absence(
    State(app): State<App>,
    caller: ApiActor,
    At((id, number)): At<(PersonId, i64)>,
    Maybe(body): Maybe,
) -> Answer {
    let OnCallBecause { reason } = read(body)?;
    reach::absences::end(&app.db, caller.by(), id, number, &reason).await?;
    ok(Done { ended_at: caller.now })
}

/// A duty of which its owner is to say that it is still theirs.
#[derive(Debug, Serialize, ToSchema)]
struct Due {
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    /// The agent's name.
    name: String,
    #[schema(value_type = words::Tier)]
    tier: Tier,
    #[schema(value_type = words::Duty)]
    duty: Duty,
    #[schema(value_type = words::PartyRef)]
    party: Party,
    /// When that was last said.
    said_at: DateTime<Utc>,
    /// Since when it is due.
    due_at: DateTime<Utc>,
    /// Whether it is due because they, or the team's lead, changed department.
    moved: bool,
}

/// List what is to be confirmed
///
/// What the caller owns, or a team that they lead or stand in for, and is asked about again. A
/// person's own: a token needs an owner.
#[utoipa::path(
    get,
    path = "/api/v1/assignments/due",
    tag = "ownership",
    params(Paging),
    responses((status = 200, description = "A page of duties.", body = List<Due>))
)]
async fn list_due(State(app): State<App>, caller: ApiActor, asked: Listed<Nothing>) -> Answer {
    if asked.page.sort.is_some() {
        return Err(Problem::field("/sort", "This list has one order; leave it out."));
    }
    let page = confirm::due(&app.db, caller.by(), asked.page.cursor.as_deref(), asked.page.limit()?).await?;
    let items = page.items.into_iter();
    let items = items.map(|d| Due {
        agent: d.agent,
        name: d.name,
        tier: d.tier,
        duty: d.duty,
        party: d.party,
        said_at: d.said_at,
        due_at: d.due_at,
        moved: d.moved.is_some(),
    });
    ok(List::new(items.collect(), page.next, page.total))
}

/// Duties that are still one's own.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirmations {
    /// Each must be the caller's, or none is confirmed.
    #[schema(min_items = 1, max_items = 200)]
    confirmations: Vec<Confirmation>,
}

/// One of them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    #[schema(value_type = words::Duty)]
    duty: Duty,
}

/// How many were confirmed.
#[derive(Debug, Serialize, ToSchema)]
struct Confirmed {
    /// How many.
    confirmed: usize,
}

/// Confirm duties
///
/// Says that they are still the caller's, or a team's that they lead or stand in for. All of
/// them, or none. A person's own decision: a token needs an owner.
#[utoipa::path(
    post,
    path = "/api/v1/assignments/confirmation",
    tag = "ownership",
    request_body = Confirmations,
    responses((status = 200, description = "Confirmed.", body = Confirmed))
)]
async fn confirm_duties(State(app): State<App>, caller: ApiActor, Sent(body): Sent<Value>) -> Answer {
    can(&caller.actor, Action::AssignmentConfirm, Relation::Owner).map_err(Error::from)?;
    let Confirmations { confirmations } = read(body)?;
    if confirmations.is_empty() {
        return Err(Problem::field("/confirmations", "Name from 1 to 200 duties."));
    }
    let named: Vec<(AgentId, Duty)> = confirmations.iter().map(|c| (c.agent, c.duty)).collect();
    let confirmed = confirm::confirm(&app.db, caller.by(), &named).await?;
    ok(Confirmed { confirmed })
}
