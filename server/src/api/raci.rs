//! `/agents/{id}/raci` and `/systems/{id}/raci`: who answers for what, who did at a moment, and
//! the answers to offers.

use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use domain::assignment::RaciRole;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::finding::{FindingKey, Severity};
use domain::id::{AgentId, ExceptionId, PersonId, RequestId, SystemId};
use domain::party::Party;
use domain::request::RequestKind;
use domain::system::Subject;
use register::assignments::{self, Wanted};
use register::{Checked, Error};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, ok, versioned};
use super::asked::{Asked, moment};
use super::sent::{At, Expected, Maybe, read, reason_of};
use super::words;
use crate::App;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(read_raci, put_raci))
        .routes(routes!(read_accountability))
        .routes(routes!(accept_duty))
        .routes(routes!(refuse_duty))
        .routes(routes!(withdraw_duty))
        .routes(routes!(read_system_raci, put_system_raci))
        .routes(routes!(accept_system_duty))
        .routes(routes!(refuse_system_duty))
        .routes(routes!(withdraw_system_duty))
}

/// The matrix of an agent or a system.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "version": 4,
    "cells": [
        {"duty": "containment", "party": "TE-3", "name": "Platform", "role": "A",
         "offered_at": "2026-07-03T14:05:00Z", "accepted_at": "2026-07-03T15:00:00Z"},
        {"duty": "purpose", "party": "PE-7", "name": "Ana Sousa", "role": "A",
         "offered_at": "2026-07-04T08:00:00Z", "accepted_at": null}
    ],
    "inherited": [],
    "violations": [{"duty": "purpose", "rule": "no-owner", "severity": "high",
        "message": "It has no business owner: nobody answers for the use case, the task boundary, the approval to deploy."}]
}))]
struct Raci {
    /// Counts its changes; the number in its `ETag`.
    version: i64,
    /// Who is what, by duty.
    cells: Vec<Cell>,
    /// What the agent inherits from the platform it runs on: of the duties that have no A of its
    /// own. Changed at the platform, or overridden by an A in `cells`.
    inherited: Vec<Inherited>,
    /// What is wrong with it now; empty for whoever may not see findings.
    violations: Vec<Violation>,
}

/// One cell of the matrix.
#[derive(Debug, Serialize, ToSchema)]
struct Cell {
    #[schema(value_type = words::Duty)]
    duty: Duty,
    #[schema(value_type = words::PartyRef)]
    party: Party,
    /// The party's name.
    name: String,
    #[schema(value_type = words::RaciRole)]
    role: RaciRole,
    /// When it was offered or, if nobody had to be asked, written down.
    offered_at: DateTime<Utc>,
    /// Since when it holds; null while an A is offered and not accepted.
    #[schema(required)]
    accepted_at: Option<DateTime<Utc>>,
}

/// A cell that an agent inherits.
#[derive(Debug, Serialize, ToSchema)]
struct Inherited {
    #[schema(value_type = words::SystemRef)]
    system: SystemId,
    #[serde(flatten)]
    cell: Cell,
}

/// A rule that the matrix breaks.
#[derive(Debug, Serialize, ToSchema)]
struct Violation {
    #[schema(value_type = Option<words::Duty>, required)]
    duty: Option<Duty>,
    #[schema(value_type = words::FindingKey)]
    rule: FindingKey,
    #[schema(value_type = words::Severity)]
    severity: Severity,
    /// What is wrong, in a sentence.
    message: String,
}

impl From<assignments::Cell> for Cell {
    fn from(c: assignments::Cell) -> Self {
        Self {
            duty: c.duty,
            party: c.party,
            name: c.name,
            role: c.role,
            offered_at: c.offered_at,
            accepted_at: c.accepted_at,
        }
    }
}

impl From<assignments::Matrix> for Raci {
    fn from(m: assignments::Matrix) -> Self {
        let own = |duty: Duty| {
            m.cells.iter().any(|c| c.duty == duty && c.role == RaciRole::Accountable && c.accepted_at.is_some())
        };
        let inherited = m
            .platform
            .iter()
            .flat_map(|p| p.cells.iter().filter(|c| !own(c.duty)).map(|c| (p.system, c.clone())))
            .map(|(system, cell)| Inherited { system, cell: cell.into() })
            .collect();
        Self {
            version: m.version,
            inherited,
            cells: m.cells.into_iter().map(Cell::from).collect(),
            violations: m
                .violations
                .into_iter()
                .map(|v| Violation { duty: v.duty, rule: v.rule, severity: v.severity, message: v.message })
                .collect(),
        }
    }
}

/// Read the RACI matrix of an agent, with its violations
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/raci",
    tag = "ownership",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    responses((
        status = 200, description = "The matrix.", body = Raci,
        headers(("ETag" = String, description = "Its version, for `If-Match`."))
    ))
)]
async fn read_raci(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>) -> Answer {
    raci(&app, &caller, id).await
}

/// Read the RACI matrix of a system, with its violations
#[utoipa::path(
    get,
    path = "/api/v1/systems/{id}/raci",
    tag = "ownership",
    params(("id" = inline(words::SystemRef), Path, description = "The system.")),
    responses((
        status = 200, description = "The matrix.", body = Raci,
        headers(("ETag" = String, description = "Its version, for `If-Match`."))
    ))
)]
async fn read_system_raci(State(app): State<App>, caller: ApiActor, At(id): At<SystemId>) -> Answer {
    raci(&app, &caller, id).await
}

async fn raci(app: &App, caller: &ApiActor, of: impl Into<Subject>) -> Answer {
    let matrix = assignments::matrix(&app.db, caller.by(), of).await?;
    versioned(matrix.version, Raci::from(matrix))
}

/// The matrix as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "cells": [{"duty": "containment", "party": "TE-3", "role": "A"}, {"duty": "containment", "party": "PE-7", "role": "R"}],
    "reason": "Platform runs it since the move."
}))]
struct RaciWrite {
    /// Every cell.
    #[schema(max_items = 2000)]
    cells: Vec<CellWrite>,
    /// Why, for the record.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
    /// As it was read; ignored.
    #[serde(default, rename = "version")]
    #[schema(value_type = Option<i64>)]
    _version: Option<i64>,
    /// As it was read; ignored.
    #[serde(default, rename = "inherited")]
    #[schema(value_type = Option<Vec<Value>>)]
    _inherited: Option<Vec<Value>>,
    /// As they were read; ignored.
    #[serde(default, rename = "violations")]
    #[schema(value_type = Option<Vec<Value>>)]
    _violations: Option<Vec<Value>>,
}

/// A cell as it is to be.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CellWrite {
    #[schema(value_type = words::Duty)]
    duty: Duty,
    #[schema(value_type = words::PartyRef)]
    party: Party,
    #[schema(value_type = words::RaciRole)]
    role: RaciRole,
    /// As it was read. An owner accepts by themself, so a new one has none.
    #[serde(default)]
    accepted_at: Option<DateTime<Utc>>,
    /// As it was read; ignored.
    #[serde(default, rename = "offered_at")]
    #[schema(value_type = Option<String>)]
    _offered_at: Option<Value>,
    /// As it was read; ignored.
    #[serde(default, rename = "name")]
    #[schema(value_type = Option<String>)]
    _name: Option<Value>,
}

/// Most cells: more than duties, letters and parties could sensibly make.
const CELLS_MAX: usize = 2000;

/// Replace the RACI matrix of an agent
///
/// One change with one reason. R, C and I are so at once. A new A is an offer: the present one
/// stays Accountable until it is accepted, and both are shown. An A that is left out, with no
/// other for its duty, ends. What was read may be sent back as it is.
#[utoipa::path(
    put,
    path = "/api/v1/agents/{id}/raci",
    tag = "ownership",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = RaciWrite,
    responses((
        status = 200, description = "The matrix as it is now.", body = Raci,
        headers(("ETag" = String, description = "Its new version."))
    ))
)]
async fn put_raci(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<AgentId>,
    headers: HeaderMap,
    Sent(body): Sent<Value>,
) -> Answer {
    replace(&app, &caller, id.into(), &headers, body).await
}

/// Replace the RACI matrix of a system
///
/// As that of an agent. A shared platform has owners of identity, requests and platform alone;
/// agents that run on it inherit them.
#[utoipa::path(
    put,
    path = "/api/v1/systems/{id}/raci",
    tag = "ownership",
    params(("id" = inline(words::SystemRef), Path, description = "The system.")),
    request_body = RaciWrite,
    responses((
        status = 200, description = "The matrix as it is now.", body = Raci,
        headers(("ETag" = String, description = "Its new version."))
    ))
)]
async fn put_system_raci(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<SystemId>,
    headers: HeaderMap,
    Sent(body): Sent<Value>,
) -> Answer {
    replace(&app, &caller, id.into(), &headers, body).await
}

async fn replace(app: &App, caller: &ApiActor, of: Subject, headers: &HeaderMap, body: Value) -> Answer {
    let present = assignments::matrix(&app.db, caller.by(), of).await?;
    if !present.edit {
        can(&caller.actor, Action::AssignmentOffer, Relation::None).map_err(Error::from)?;
    }
    let version = Expected::of(headers).is(present.version)?;
    let sent: RaciWrite = read(body)?;
    let wanted = wanted(&present, sent.cells)?;
    let matrix = assignments::put(&app.db, caller.by(), of, Some(version), &wanted, &sent.reason).await?;
    versioned(matrix.version, Raci::from(matrix))
}

/// The cells that are wanted.
fn wanted(present: &assignments::Matrix, cells: Vec<CellWrite>) -> Result<Vec<Wanted>, Problem> {
    let mut wrong = Checked::default();
    if cells.len() > CELLS_MAX {
        wrong.refuse("/cells", format!("A matrix has at most {CELLS_MAX} cells."));
    }
    let mut out = Vec::with_capacity(cells.len());
    for (at, c) in cells.into_iter().enumerate() {
        let known = present.cells.iter().find(|p| (p.duty, p.party, p.role) == (c.duty, c.party, c.role));
        if c.accepted_at.is_some() && known.is_none_or(|k| k.accepted_at != c.accepted_at) {
            wrong.refuse(
                &format!("/cells/{at}/accepted_at"),
                "It says when a party accepted; leave it out, and they are asked.",
            );
        }
        out.push(Wanted { duty: c.duty, party: c.party, role: c.role });
    }
    wrong.done()?;
    Ok(present.meant(out))
}

/// Which moment.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Moment {
    /// The moment; now if left out.
    #[serde(default, deserialize_with = "moment")]
    #[param(value_type = Option<DateTime<Utc>>)]
    at: Option<DateTime<Utc>>,
}

/// Who answered for what at a moment.
#[derive(Debug, Serialize, ToSchema)]
struct Accountability {
    /// The moment.
    at: DateTime<Utc>,
    /// Every duty that had an owner then.
    duties: Vec<Accountable>,
    /// The approval in force then: none, or one.
    approvals: Vec<ApprovalThen>,
    /// Exceptions in force then.
    exceptions: Vec<ExceptionThen>,
    /// The hash of the boundary then; null before the record of the agent began.
    #[schema(value_type = Option<words::Sha256>, required)]
    boundary_sha256: Option<String>,
}

/// An approval that was in force at a moment.
#[derive(Debug, Serialize, ToSchema)]
struct ApprovalThen {
    #[schema(value_type = words::RequestRef)]
    request: RequestId,
    #[schema(value_type = words::RequestKind)]
    kind: RequestKind,
    /// When it was given.
    at: DateTime<Utc>,
    /// The hash of the boundary that was approved.
    #[schema(value_type = words::Sha256)]
    boundary_sha256: String,
    /// Who gave it.
    by: Vec<ApproverThen>,
}

/// An exception that was in force at a moment.
#[derive(Debug, Serialize, ToSchema)]
struct ExceptionThen {
    #[schema(value_type = words::ExceptionRef)]
    id: ExceptionId,
    /// What it was about.
    title: String,
    /// What was excepted.
    control: String,
    /// From when it was in force.
    from: DateTime<Utc>,
    /// Until when, exclusive: its expiry, or its early end.
    until: DateTime<Utc>,
    /// Who agreed for this agent.
    by: Vec<ApproverThen>,
}

/// Who approved, in which capacity.
#[derive(Debug, Serialize, ToSchema)]
struct ApproverThen {
    #[schema(value_type = words::Duty)]
    duty: Duty,
    #[schema(value_type = words::PersonRef)]
    person: PersonId,
}

/// Who was Accountable for a duty.
#[derive(Debug, Serialize, ToSchema)]
struct Accountable {
    #[schema(value_type = words::Duty)]
    duty: Duty,
    #[schema(value_type = words::PartyRef)]
    party: Party,
    /// What the party is called now.
    name: String,
    /// The named owner: the person themself, or who led the team at that moment; null when
    /// nobody led it.
    #[schema(value_type = Option<words::PersonRef>, required)]
    named: Option<PersonId>,
    /// Since when.
    since: DateTime<Utc>,
    /// The platform from which it was inherited; null for a duty of the agent's own.
    #[schema(value_type = Option<words::SystemRef>, required)]
    inherited: Option<SystemId>,
}

/// Read who was Accountable at a moment
///
/// Exact for any moment since the record began: assignments are dated and never overwritten.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/accountability",
    tag = "ownership",
    params(("id" = inline(words::AgentRef), Path, description = "The agent."), Moment),
    responses((status = 200, description = "Who answered for what.", body = Accountability))
)]
async fn read_accountability(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<AgentId>,
    Asked(asked): Asked<Moment>,
) -> Answer {
    let at = asked.at.unwrap_or(caller.now);
    let then = assignments::accountability(&app.db, caller.by(), id, at).await?;
    ok(Accountability {
        at: then.at,
        duties: then
            .duties
            .into_iter()
            .map(|d| Accountable {
                duty: d.duty,
                party: d.party,
                name: d.name,
                named: d.named.map(|(id, _)| id),
                since: d.since,
                inherited: d.inherited,
            })
            .collect(),
        approvals: then
            .approval
            .into_iter()
            .map(|a| ApprovalThen {
                request: a.request,
                kind: a.kind,
                at: a.at,
                boundary_sha256: a.boundary_sha256,
                by: a.by.into_iter().map(|(duty, person, _)| ApproverThen { duty, person }).collect(),
            })
            .collect(),
        exceptions: then
            .exceptions
            .into_iter()
            .map(|e| ExceptionThen {
                id: e.exception,
                title: e.title,
                control: e.control.key().to_owned(),
                from: e.from,
                until: e.until,
                by: e.by.into_iter().map(|(duty, person, _)| ApproverThen { duty, person }).collect(),
            })
            .collect(),
        boundary_sha256: then.boundary_sha256,
    })
}

/// Why.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Because {
    /// Why, for the record; who declines says it.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
}

/// What became of an offer.
#[derive(Debug, Serialize, ToSchema)]
struct Answered {
    /// The agent; absent for a system.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::AgentRef, required = false)]
    agent: Option<AgentId>,
    /// The system; absent for an agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = words::SystemRef, required = false)]
    system: Option<SystemId>,
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// `accepted`, `declined` or `withdrawn`.
    answer: &'static str,
    /// When.
    at: DateTime<Utc>,
}

/// Accept a duty
///
/// For the person to whom it was offered, or who leads or deputises for the team. From this
/// moment they are Accountable, and whoever was before is not. A person's own decision: a
/// token needs an owner.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/raci/{duty}/acceptance",
    tag = "ownership",
    params(
        ("id" = inline(words::AgentRef), Path, description = "The agent."),
        ("duty" = inline(words::Duty), Path, description = "The duty on offer.")
    ),
    request_body(content = Option<Because>, content_type = "application/json"),
    responses((status = 200, description = "Accepted.", body = Answered))
)]
async fn accept_duty(
    State(app): State<App>,
    caller: ApiActor,
    At((id, duty)): At<(AgentId, Duty)>,
    Maybe(body): Maybe,
) -> Answer {
    respond(&app, &caller, id.into(), duty, true, body).await
}

/// Decline a duty
///
/// For whoever may accept it, with a reason. Whoever was Accountable before stays so.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/raci/{duty}/refusal",
    tag = "ownership",
    params(
        ("id" = inline(words::AgentRef), Path, description = "The agent."),
        ("duty" = inline(words::Duty), Path, description = "The duty on offer.")
    ),
    request_body = Because,
    responses((status = 200, description = "Declined.", body = Answered))
)]
async fn refuse_duty(
    State(app): State<App>,
    caller: ApiActor,
    At((id, duty)): At<(AgentId, Duty)>,
    Maybe(body): Maybe,
) -> Answer {
    respond(&app, &caller, id.into(), duty, false, body).await
}

async fn respond(app: &App, caller: &ApiActor, of: Subject, duty: Duty, accept: bool, body: Value) -> Answer {
    assignments::offers(&app.db, caller.by(), of).await?;
    can(&caller.actor, Action::AssignmentAnswer, Relation::Owner).map_err(Error::from)?;
    let Because { reason } = read(body)?;
    assignments::answer(&app.db, caller.by(), &[(of, duty)], accept, &reason).await?;
    answered(of, duty, if accept { "accepted" } else { "declined" }, caller.now)
}

fn answered(of: Subject, duty: Duty, answer: &'static str, at: DateTime<Utc>) -> Answer {
    ok(Answered { agent: of.agent(), system: of.system(), duty, answer, at })
}

/// Take an offer back
///
/// For whoever made it, and security leads.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/raci/{duty}/withdrawal",
    tag = "ownership",
    params(
        ("id" = inline(words::AgentRef), Path, description = "The agent."),
        ("duty" = inline(words::Duty), Path, description = "The duty on offer.")
    ),
    request_body(content = Option<Because>, content_type = "application/json"),
    responses((status = 200, description = "Withdrawn.", body = Answered))
)]
async fn withdraw_duty(
    State(app): State<App>,
    caller: ApiActor,
    At((id, duty)): At<(AgentId, Duty)>,
    Maybe(body): Maybe,
) -> Answer {
    take_back(&app, &caller, id.into(), duty, body).await
}

async fn take_back(app: &App, caller: &ApiActor, of: Subject, duty: Duty, body: Value) -> Answer {
    assignments::offers(&app.db, caller.by(), of).await?;
    can(&caller.actor, Action::AssignmentWithdraw, Relation::Requester).map_err(Error::from)?;
    let Because { reason } = read(body)?;
    assignments::withdraw(&app.db, caller.by(), of, duty, &reason_of(&reason)?).await?;
    answered(of, duty, "withdrawn", caller.now)
}

/// Accept a duty of a system
///
/// As that of an agent.
#[utoipa::path(
    post,
    path = "/api/v1/systems/{id}/raci/{duty}/acceptance",
    tag = "ownership",
    params(
        ("id" = inline(words::SystemRef), Path, description = "The system."),
        ("duty" = inline(words::Duty), Path, description = "The duty on offer.")
    ),
    request_body(content = Option<Because>, content_type = "application/json"),
    responses((status = 200, description = "Accepted.", body = Answered))
)]
async fn accept_system_duty(
    State(app): State<App>,
    caller: ApiActor,
    At((id, duty)): At<(SystemId, Duty)>,
    Maybe(body): Maybe,
) -> Answer {
    respond(&app, &caller, id.into(), duty, true, body).await
}

/// Decline a duty of a system
///
/// With a reason.
#[utoipa::path(
    post,
    path = "/api/v1/systems/{id}/raci/{duty}/refusal",
    tag = "ownership",
    params(
        ("id" = inline(words::SystemRef), Path, description = "The system."),
        ("duty" = inline(words::Duty), Path, description = "The duty on offer.")
    ),
    request_body = Because,
    responses((status = 200, description = "Declined.", body = Answered))
)]
async fn refuse_system_duty(
    State(app): State<App>,
    caller: ApiActor,
    At((id, duty)): At<(SystemId, Duty)>,
    Maybe(body): Maybe,
) -> Answer {
    respond(&app, &caller, id.into(), duty, false, body).await
}

/// Take an offer of a system’s duty back
///
/// For whoever made it, and security leads.
#[utoipa::path(
    post,
    path = "/api/v1/systems/{id}/raci/{duty}/withdrawal",
    tag = "ownership",
    params(
        ("id" = inline(words::SystemRef), Path, description = "The system."),
        ("duty" = inline(words::Duty), Path, description = "The duty on offer.")
    ),
    request_body(content = Option<Because>, content_type = "application/json"),
    responses((status = 200, description = "Withdrawn.", body = Answered))
)]
async fn withdraw_system_duty(
    State(app): State<App>,
    caller: ApiActor,
    At((id, duty)): At<(SystemId, Duty)>,
    Maybe(body): Maybe,
) -> Answer {
    take_back(&app, &caller, id.into(), duty, body).await
}
