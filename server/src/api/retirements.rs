//! `/retirements`: how agents end, row by row.

use axum::extract::{DefaultBodyLimit, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::party::Party;
use domain::request::{RequestState, Verdict, Via};
use domain::retirement::{Proof, RowKind};
use domain::stop::EVIDENCE_MAX;
use domain::tier::Tier;
use register::retirements::{self, Shown, board};
use register::stops::evidence::File;
use register::{Error, requests};
use serde::{Deserialize, Serialize};

use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, List, created, ok};
use super::asked::{Listed, Paging};
use super::sent::{At, Maybe, read};
use super::words;
use crate::App;
use crate::problem::Problem;
use crate::signed::ApiActor;

/// A row with its file in base64: four thirds of the file, and a little more.
const ROW_MAX: usize = EVIDENCE_MAX / 3 * 4 + (1 << 20);

pub(super) fn routes() -> OpenApiRouter<App> {
    let close = OpenApiRouter::default().routes(routes!(close_row)).layer(DefaultBodyLimit::max(ROW_MAX));
    OpenApiRouter::default()
        .routes(routes!(retire_agent))
        .routes(routes!(list_retirements))
        .routes(routes!(read_retirement))
        .routes(routes!(waive_row))
        .routes(routes!(waive_signature))
        .merge(close)
}

/// A row of the checklist.
#[derive(Debug, Serialize, ToSchema)]
struct RetirementRow {
    /// Its number, from 1.
    place: i64,
    #[schema(value_type = words::RetirementRowKind)]
    kind: RowKind,
    /// Which credential, tool or identity; empty for the rest.
    subject: String,
    /// Whose owner does it.
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// Whose turn it is now; null once it is closed, and while nobody is there.
    #[schema(value_type = Option<words::PartyRef>, required)]
    turn: Option<Party>,
    /// How good the evidence is; null while it is open, and of a waived row.
    #[schema(value_type = Option<words::Proof>, required)]
    evidence: Option<Proof>,
    /// Where the evidence is said to be.
    link: String,
    /// The stop call whose signed callback shows it.
    #[schema(required)]
    delivery: Option<String>,
    /// SHA-256 of the file that shows it.
    #[schema(value_type = Option<words::Sha256>, required)]
    evidence_sha256: Option<String>,
    /// What was said with it.
    note: String,
    /// When it was done.
    #[schema(required)]
    done_at: Option<DateTime<Utc>>,
    /// By whom.
    #[schema(value_type = Option<words::ActorRef>, required)]
    done_by: Option<String>,
    /// When security waived it.
    #[schema(required)]
    waived_at: Option<DateTime<Utc>>,
    /// Who waived it.
    #[schema(value_type = Option<words::PersonRef>, required)]
    waived_by: Option<PersonId>,
    /// Why.
    waiver: String,
    /// The retirement in which it was done, when that one ended without retiring.
    #[schema(value_type = Option<words::RetirementRef>, required)]
    carried_from: Option<RequestId>,
}

impl From<retirements::ShownRow> for RetirementRow {
    fn from(r: retirements::ShownRow) -> Self {
        let (waived_at, waived_by, waiver) = match r.kept.waived {
            Some((at, by, why)) => (Some(at), Some(by), why),
            None => (None, None, String::new()),
        };
        Self {
            place: r.kept.place,
            kind: r.kept.kind,
            subject: r.kept.subject,
            duty: r.kept.duty,
            turn: r.doer.map(|(_, party, _)| party),
            evidence: r.kept.proof,
            link: r.kept.link,
            delivery: r.kept.delivery,
            evidence_sha256: r.kept.evidence_sha256,
            note: r.kept.note,
            done_at: r.kept.done.as_ref().map(|(at, _)| *at),
            done_by: r.kept.done.map(|(_, by)| by),
            waived_at,
            waived_by,
            waiver,
            carried_from: r.kept.carried_from,
        }
    }
}

/// One of the two signatures, which are the request's steps.
#[derive(Debug, Serialize, ToSchema)]
struct RetirementSignature {
    /// The step's number.
    step: i64,
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// Who signs now; null while the capacity is vacant, and once it is decided.
    #[schema(value_type = Option<words::PersonRef>, required)]
    signer: Option<PersonId>,
    /// Whether it was signed; null while nobody has decided.
    #[schema(required)]
    signed: Option<bool>,
    /// By whom.
    #[schema(value_type = Option<words::PersonRef>, required)]
    by: Option<PersonId>,
    /// When.
    #[schema(required)]
    at: Option<DateTime<Utc>>,
    /// Security signed for a vacant signer.
    waived: bool,
    /// What was said with it.
    reason: String,
}

/// An owner at the end.
#[derive(Debug, Serialize, ToSchema)]
struct TombstoneOwner {
    #[schema(value_type = words::Duty)]
    duty: Duty,
    #[schema(value_type = words::PartyRef)]
    party: Party,
    /// By name, then.
    name: String,
}

/// A sign of life.
#[derive(Debug, Serialize, ToSchema)]
struct SignOfLife {
    /// Who saw it.
    source: String,
    /// When it was first seen.
    first_at: DateTime<Utc>,
    /// When it was last seen.
    last_at: DateTime<Utc>,
}

/// A retirement, whole.
#[derive(Debug, Serialize, ToSchema)]
struct Retirement {
    #[schema(value_type = words::RetirementRef)]
    id: RequestId,
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    #[schema(value_type = words::RetirementState)]
    state: RequestState,
    /// The tier it began with, which says what evidence it takes.
    #[schema(value_type = words::Tier)]
    tier: Tier,
    /// Who asked.
    #[schema(value_type = words::PersonRef)]
    requester: PersonId,
    /// When.
    opened_at: DateTime<Utc>,
    /// Why.
    reason: String,
    /// When it lapses if it is still open.
    lapses_at: DateTime<Utc>,
    /// When it ended.
    #[schema(required)]
    closed_at: Option<DateTime<Utc>>,
    /// Until when the agent is watched; null while it is not stopped.
    #[schema(required)]
    watched_until: Option<DateTime<Utc>>,
    /// What a signature is given on.
    #[schema(value_type = words::Sha256)]
    subject_sha256: String,
    /// How many rows are closed.
    closed: usize,
    /// The checklist.
    rows: Vec<RetirementRow>,
    /// The signatures: `POST /api/v1/requests/{id}/steps/{step}/decision` once every row is closed.
    signatures: Vec<RetirementSignature>,
    /// Who owned it at the end; empty until it is retired.
    owners: Vec<TombstoneOwner>,
    /// Signs of life, newest first.
    signs_of_life: Vec<SignOfLife>,
}

impl From<retirements::View> for Retirement {
    fn from(v: retirements::View) -> Self {
        let (closed, _) = v.closed();
        let signatures = v.request.steps.iter().map(|s| {
            let decided = s.kept.step.decided.as_ref();
            RetirementSignature {
                step: s.kept.step.place,
                duty: s.kept.step.duty,
                signer: s.decider.map(|d| d.person),
                signed: decided.map(|d| d.verdict == Verdict::Approve),
                by: decided.map(|d| d.by),
                at: decided.map(|d| d.at),
                waived: s.kept.via == Some(Via::Waiver),
                reason: s.kept.reason.clone(),
            }
        });
        let kept = &v.request.kept;
        Self {
            id: kept.id,
            agent: kept.agent,
            state: v.request.state,
            tier: kept.tier,
            requester: kept.requester,
            opened_at: kept.opened_at,
            reason: kept.reason.clone(),
            lapses_at: kept.lapses_at,
            closed_at: kept.closed.map(|(_, at)| at),
            watched_until: v.watched_until,
            subject_sha256: kept.subject_sha256.clone(),
            closed,
            signatures: signatures.collect(),
            rows: v.rows.into_iter().map(RetirementRow::from).collect(),
            owners: v
                .owners
                .into_iter()
                .map(|o| TombstoneOwner { duty: o.duty, party: o.party, name: o.name })
                .collect(),
            signs_of_life: v
                .signs
                .into_iter()
                .map(|s| SignOfLife { source: s.source, first_at: s.first_at, last_at: s.last_at })
                .collect(),
        }
    }
}

/// A retirement in a list.
#[derive(Debug, Serialize, ToSchema)]
struct RetirementLine {
    #[schema(value_type = words::RetirementRef)]
    id: RequestId,
    #[schema(value_type = words::AgentRef)]
    agent: AgentId,
    #[schema(value_type = words::RetirementState)]
    state: RequestState,
    #[schema(value_type = words::Tier)]
    tier: Tier,
    /// Who asked.
    #[schema(value_type = words::PersonRef)]
    requester: PersonId,
    /// When.
    opened_at: DateTime<Utc>,
    /// When it ended.
    #[schema(required)]
    closed_at: Option<DateTime<Utc>>,
    /// How many rows are closed.
    closed: usize,
    /// How many rows there are.
    rows: usize,
    /// How many of the closed were waived.
    waived: usize,
    /// The next open row; null when none is, and once it ended.
    #[schema(required)]
    next_row: Option<i64>,
    /// Whose turn that row is; null while nobody is there.
    #[schema(value_type = Option<words::PartyRef>, required)]
    turn: Option<Party>,
    /// Until when only the watch is waited for.
    #[schema(required)]
    watched_until: Option<DateTime<Utc>>,
    /// It gave a sign of life.
    sign_of_life: bool,
}

impl From<board::Line> for RetirementLine {
    fn from(l: board::Line) -> Self {
        let (next_row, turn, watched_until) = match l.next {
            board::Next::Row(place, _, turn) => (Some(place), turn.map(|(_, party, _)| party), None),
            board::Next::Watch(until) => (None, None, Some(until)),
            board::Next::Signatures(_) | board::Next::Ended => (None, None, None),
        };
        Self {
            id: l.id,
            agent: l.agent,
            state: l.state,
            tier: l.tier,
            requester: l.requester.0,
            opened_at: l.opened_at,
            closed_at: l.closed_at,
            closed: l.closed.0,
            rows: l.closed.1,
            waived: l.waived,
            next_row,
            turn,
            watched_until,
            sign_of_life: l.alive,
        }
    }
}

/// Which retirements are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct RetirementFilter {
    /// Only in this state.
    #[serde(default)]
    #[param(value_type = Option<words::RetirementState>)]
    state: Option<RequestState>,
    /// Only of this agent.
    #[serde(default)]
    #[param(value_type = Option<words::AgentRef>)]
    agent: Option<AgentId>,
}

/// List retirements
///
/// Newest first. Whoever does not read all requests sees those that they asked for, sign, or
/// own a duty of.
#[utoipa::path(
    get,
    path = "/api/v1/retirements",
    tag = "agents",
    params(RetirementFilter, Paging),
    responses((status = 200, description = "A page of retirements.", body = List<RetirementLine>))
)]
async fn list_retirements(State(app): State<App>, caller: ApiActor, asked: Listed<RetirementFilter>) -> Answer {
    asked.page.unsorted()?;
    let filter = board::Filter { state: asked.filter.state, agent: asked.filter.agent };
    let limit = asked.page.limit()?;
    let page = board::list(&app.db, caller.by(), &filter, asked.page.cursor.as_deref(), Some(limit)).await?;
    ok(List::from(page.map(RetirementLine::from)))
}

/// Read a retirement
///
/// Its checklist while it is under way, and the tombstone once the agent is retired.
#[utoipa::path(
    get,
    path = "/api/v1/retirements/{id}",
    tag = "agents",
    params(("id" = inline(words::RetirementRef), Path, description = "The retirement.")),
    responses((status = 200, description = "The retirement.", body = Retirement))
)]
async fn read_retirement(State(app): State<App>, caller: ApiActor, At(id): At<RequestId>) -> Answer {
    shown(&app, &caller, id).await
}

async fn shown(app: &App, caller: &ApiActor, id: RequestId) -> Answer {
    ok(Retirement::from(retirements::read(&app.db, caller.by(), id).await?))
}

/// Why, in the caller's words.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reason": "The mailbox it answered is closed."}))]
struct RetirementWords {
    /// Why; it stays on the tombstone.
    #[serde(default)]
    #[schema(max_length = 2000)]
    reason: String,
}

/// Retire an agent
///
/// Starts its retirement, from any state: it is retiring at once and does not come back, and
/// what else was asked about it is void. 409 if it is retired, or being retired, already.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/actions/retire",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = RetirementWords,
    responses((
        status = 201, description = "It is retiring.", body = Retirement,
        headers(("Location" = String, description = "Where the checklist is."), ("ETag" = String, description = "Its version."))
    ))
)]
async fn retire_agent(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>, Maybe(body): Maybe) -> Answer {
    // Who may not is told so before the body is looked at.
    retirements::foresee(&app.db, caller.by(), id).await?;
    let RetirementWords { reason } = read(body)?;
    let request = retirements::start(&app.db, caller.by(), id, &reason).await?;
    let view = retirements::read(&app.db, caller.by(), request).await?;
    created(&format!("/api/v1/retirements/{request}"), view.request.agent.version, Retirement::from(view))
}

/// What shows that a row is done: one of `link`, `file` and `delivery`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"link": "https://tickets.example.org/4711", "note": "Revoked at the issuer."}))]
struct RowDone {
    /// A link, which only claims it; not enough for high and critical tiers.
    #[serde(default)]
    #[schema(max_length = 2000)]
    link: Option<String>,
    /// A file that shows it, kept under its SHA-256.
    #[serde(default)]
    file: Option<RowFile>,
    /// The delivery of a stop in earnest whose signed callback shows it.
    #[serde(default)]
    delivery: Option<String>,
    /// What is to be known of it.
    #[serde(default)]
    #[schema(max_length = 2000)]
    note: String,
}

/// A file in JSON.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RowFile {
    /// What it is called.
    #[serde(default)]
    name: String,
    /// Its bytes in base64; at most 10 MiB before.
    #[schema(format = Byte)]
    base64: String,
}

/// What was sent, as evidence.
fn evidence(sent: RowDone) -> Result<(Shown, String), Problem> {
    let shown = match (sent.link, sent.file, sent.delivery) {
        (Some(link), None, None) => Shown::Link(link),
        (None, Some(file), None) => {
            let bytes = STANDARD
                .decode(file.base64.as_bytes())
                .map_err(|_| Problem::field("/file/base64", "Send the file's bytes in base64, with its padding."))?;
            Shown::File(File { name: file.name, bytes })
        }
        (None, None, Some(delivery)) => Shown::Call(delivery),
        (None, None, None) => {
            return Err(Problem::field("/link", "Send what shows it: one of link, file and delivery."));
        }
        _ => return Err(Problem::field("", "Send one of link, file and delivery, not several.")),
    };
    Ok((shown, sent.note))
}

/// Show that a row is done
///
/// For the owner of the row's duty, whoever does that work, and security leads. Once.
#[utoipa::path(
    post,
    path = "/api/v1/retirements/{id}/rows/{place}/done",
    tag = "agents",
    params(
        ("id" = inline(words::RetirementRef), Path, description = "The retirement."),
        ("place" = i64, Path, description = "The row's number.")
    ),
    request_body = RowDone,
    responses((status = 200, description = "The retirement as it is now.", body = Retirement))
)]
async fn close_row(
    State(app): State<App>,
    caller: ApiActor,
    At((id, place)): At<(RequestId, i64)>,
    Maybe(body): Maybe,
) -> Answer {
    let view = retirements::read(&app.db, caller.by(), id).await?;
    if !view.rows.iter().any(|r| r.may_close) {
        can(&caller.actor, Action::RetirementRow, Relation::None).map_err(Error::from)?;
    }
    let (shows, note) = evidence(read(body)?)?;
    retirements::close(&app.db, caller.by(), id, place, shows, &note).await?;
    shown(&app, &caller, id).await
}

/// Waive a row
///
/// For security leads other than whoever asked: a person, signed in or through a token of
/// theirs. The reason stays on the tombstone.
#[utoipa::path(
    post,
    path = "/api/v1/retirements/{id}/rows/{place}/waive",
    tag = "agents",
    params(
        ("id" = inline(words::RetirementRef), Path, description = "The retirement."),
        ("place" = i64, Path, description = "The row's number.")
    ),
    request_body = RetirementWords,
    responses((status = 200, description = "The retirement as it is now.", body = Retirement))
)]
async fn waive_row(
    State(app): State<App>,
    caller: ApiActor,
    At((id, place)): At<(RequestId, i64)>,
    Maybe(body): Maybe,
) -> Answer {
    may_waive(&app, &caller, id).await?;
    let RetirementWords { reason } = read(body)?;
    retirements::waive(&app.db, caller.by(), id, place, &reason).await?;
    shown(&app, &caller, id).await
}

/// Waive the signature of a vacant signer
///
/// For security leads other than whoever asked, once every row is closed; one person never
/// waives both.
#[utoipa::path(
    post,
    path = "/api/v1/retirements/{id}/signatures/{step}/waive",
    tag = "agents",
    params(
        ("id" = inline(words::RetirementRef), Path, description = "The retirement."),
        ("step" = i64, Path, description = "The signature's step.")
    ),
    request_body = RetirementWords,
    responses((status = 200, description = "The retirement as it is now.", body = Retirement))
)]
async fn waive_signature(
    State(app): State<App>,
    caller: ApiActor,
    At((id, step)): At<(RequestId, i64)>,
    Maybe(body): Maybe,
) -> Answer {
    may_waive(&app, &caller, id).await?;
    let RetirementWords { reason } = read(body)?;
    retirements::waive_signature(&app.db, caller.by(), id, step, &reason).await?;
    shown(&app, &caller, id).await
}

/// Who may not waive is told so before the body is looked at.
async fn may_waive(app: &App, caller: &ApiActor, id: RequestId) -> Result<(), Problem> {
    requests::read(&app.db, caller.by(), id).await?;
    can(&caller.actor, Action::RetirementWaive, Relation::None).map_err(Error::from)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(body: serde_json::Value) -> Result<Shown, Problem> {
        evidence(serde_json::from_value(body).unwrap()).map(|(shown, _)| shown)
    }

    #[test]
    fn evidence_is_one_thing() {
        let file = serde_json::json!({"name": "a.log", "base64": "b3V0"});
        assert_eq!(
            sent(serde_json::json!({"file": file})).unwrap(),
            Shown::File(File { name: "a.log".into(), bytes: b"out".to_vec() })
        );
        assert!(sent(serde_json::json!({})).is_err());
        assert!(sent(serde_json::json!({"link": "https://x.example", "delivery": "d"})).is_err());
        assert!(sent(serde_json::json!({"file": {"base64": "?"}})).is_err());
    }
}
