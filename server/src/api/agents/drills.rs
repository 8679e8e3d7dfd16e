//! The drills that show that an agent can be stopped.

use axum::body::Bytes;
use axum::extract::multipart::{Multipart, MultipartError};
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use domain::can::{Action, can};
use domain::id::{AgentId, PersonId};
use domain::stop::{Call, CallState, EVIDENCE_MAX, Outcome, Surface};
use register::stops::calls::{self, Callback};
use register::stops::evidence::File;
use register::stops::rehearsals::{self, ManualDrill};
use register::stops::shown;
use register::{Error, agents};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::methods::pause;
use super::parts::controls;
use crate::App;
use crate::api::answer::{Answer, List, created, ok};
use crate::api::sent::{At, Maybe, read};
use crate::api::words;
use crate::hooks;
use crate::json::Json as Sent;
use crate::problem::{Kind, Problem};
use crate::signed::ApiActor;

/// The newest drills and calls that are listed.
const LISTED: i64 = 50;
/// A drill with its file: a little more than the file.
pub(crate) const DRILL_MAX: usize = EVIDENCE_MAX + (1 << 20);

pub(super) fn routes() -> OpenApiRouter<App> {
    let bring =
        OpenApiRouter::default().routes(routes!(read_drills, bring_drill)).layer(DefaultBodyLimit::max(DRILL_MAX));
    OpenApiRouter::default()
        .routes(routes!(read_drill))
        .routes(routes!(testify))
        .routes(routes!(drill_agent))
        .merge(bring)
}

/// A drill, or a call of a webhook in earnest.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StopCall {
    /// Its id, as sent in `Muster-Delivery`.
    delivery: String,
    #[schema(value_type = words::Surface)]
    surface: Surface,
    /// The version of the method.
    method_version: i64,
    /// A rehearsal, not a stop.
    drill: bool,
    /// When it began.
    begun_at: DateTime<Utc>,
    #[schema(value_type = words::CallState)]
    state: CallState,
    /// How the call of a webhook went; null while it is under way, and for a procedure.
    #[schema(value_type = Option<words::CallOutcome>, required)]
    outcome: Option<Outcome>,
    /// When it was answered.
    #[schema(required)]
    answered_at: Option<DateTime<Utc>>,
    /// The status and the beginning of what was answered.
    detail: String,
    /// When it lapses if nothing shows that it stopped.
    due_at: DateTime<Utc>,
    /// How long it took until it was shown.
    #[schema(required)]
    seconds: Option<i64>,
    /// Who watched a procedure.
    #[schema(value_type = Option<words::PersonRef>, required)]
    witness: Option<PersonId>,
    /// SHA-256 of the file that shows it.
    #[schema(value_type = Option<words::Sha256>, required)]
    evidence_sha256: Option<String>,
}

impl From<Call> for StopCall {
    fn from(c: Call) -> Self {
        Self {
            delivery: c.delivery,
            surface: c.surface,
            method_version: c.version,
            drill: c.drill,
            begun_at: c.begun_at,
            state: c.state,
            outcome: c.outcome,
            answered_at: c.answered_at,
            detail: c.detail,
            due_at: c.due_at,
            seconds: c.seconds,
            witness: c.witness.map(|(id, _)| id),
            evidence_sha256: c.evidence,
        }
    }
}

/// Read the drills of an agent
///
/// The newest fifty, and the calls of its webhooks in earnest.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/drills",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    responses((status = 200, description = "Newest first.", body = List<StopCall>))
)]
async fn read_drills(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    controls(&caller, &view)?;
    let calls = shown::shown(&app.db, caller.by(), id, LISTED).await?;
    ok(List::whole(calls.into_iter().map(StopCall::from).collect()))
}

/// What is rehearsed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DrillNew {
    /// Which surface; `pause` if left out.
    #[serde(default = "pause")]
    #[schema(value_type = Option<words::Surface>)]
    surface: Surface,
}

/// Rehearse a stop
///
/// Calls the webhook with `"drill": true`; nothing about the agent changes. A 2xx means
/// accepted; only the signed callback means stopped, and counts as a drill passed by the
/// present owner of the duty, who alone may ask for it. Without one the drill lapses after the
/// method's time. A written procedure is carried out by people instead: `POST
/// /api/v1/agents/{id}/drills` brings the file that shows it and names the witness.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/actions/drill",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body(content = Option<DrillNew>, content_type = "application/json"),
    responses((status = 200, description = "How the call went.", body = StopCall))
)]
async fn drill_agent(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>, Maybe(body): Maybe) -> Answer {
    agents::read(&app.db, caller.by(), id).await?;
    can(&caller.actor, Action::StopDrill, domain::can::Relation::Owner).map_err(Error::from)?;
    let DrillNew { surface } = read(body)?;
    let begun = calls::begin_drill(&app.db, caller.by(), id, surface).await?;
    let delivery = begun.delivery.clone();
    hooks::carry_out(&app, &caller.actor, begun).await?;
    let now = register::By { actor: &caller.actor, now: app.clock.now() };
    let Some(call) = shown::one(&app.db, now, id, &delivery).await? else {
        return Err(Problem::internal("a drill that was begun is not there"));
    };
    ok(StopCall::from(call))
}

/// A rehearsal of a written procedure, as a form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it describes a form, which is read part by part")]
struct DrillForm {
    /// Which surface; `pause` if left out.
    #[schema(value_type = Option<words::Surface>)]
    surface: Option<Surface>,
    /// How many seconds it took until it had stopped, from 1 to 86400.
    seconds: i64,
    /// A second person, who watched.
    #[schema(value_type = words::PersonRef)]
    witness: PersonId,
    /// What is to be known of it.
    #[schema(max_length = 1000)]
    note: Option<String>,
    /// The file that shows it: a recording, a log, a picture; at most 10 MiB.
    #[schema(value_type = String, format = Binary)]
    evidence: Vec<u8>,
}

/// Read a drill
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/drills/{delivery}",
    tag = "agents",
    params(
        ("id" = inline(words::AgentRef), Path, description = "The agent."),
        ("delivery" = String, Path, description = "The drill's id.")
    ),
    responses((status = 200, description = "The drill, or the call in earnest.", body = StopCall))
)]
async fn read_drill(State(app): State<App>, caller: ApiActor, At((id, delivery)): At<(AgentId, String)>) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    controls(&caller, &view)?;
    ok(StopCall::from(shown::one(&app.db, caller.by(), id, &delivery).await?.ok_or_else(Problem::not_found)?))
}

/// Bring a drill of a written procedure
///
/// As `multipart/form-data`: how long it took, who watched, and the file that shows it, which is
/// kept as it is under its SHA-256. It counts once the witness has said that they saw it. For the
/// present owner of the surface's duty.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/drills",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body(content = DrillForm, content_type = "multipart/form-data"),
    responses((
        status = 201, description = "It waits for its witness.", body = StopCall,
        headers(("Location" = String, description = "Where it is."), ("ETag" = String, description = "The method's version."))
    ))
)]
async fn bring_drill(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>, request: Request) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    rehearsals::may(&app.db, caller.by(), &view).await?;
    let (surface, drill) = sent(request).await?;
    let delivery = rehearsals::rehearse(&app.db, caller.by(), id, surface, drill).await?;
    let call = shown::one(&app.db, caller.by(), id, &delivery).await?;
    let Some(call) = call else { return Err(Problem::internal("a drill that was brought is not there")) };
    created(&format!("/api/v1/agents/{id}/drills/{delivery}"), call.version, StopCall::from(call))
}

/// The parts of the form. A part that it does not have is refused, so that none is lost by a
/// slip of the pen.
async fn sent(request: Request) -> Result<(Surface, ManualDrill), Problem> {
    let form = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if !form.to_ascii_lowercase().starts_with("multipart/form-data") {
        return Err(Problem::new(Kind::UnsupportedMediaType, "Send `Content-Type: multipart/form-data`."));
    }
    let broken = |e: MultipartError| match e.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            Problem::new(Kind::TooLarge, "The file has more than 10 MiB. Cut it to what shows the stop.")
        }
        _ => Problem::new(Kind::Malformed, format!("The form did not arrive whole: {}.", e.body_text())),
    };
    let mut parts = Multipart::from_request(request, &())
        .await
        .map_err(|e| Problem::new(Kind::Malformed, format!("The form is not understood: {}.", e.body_text())))?;
    let (mut surface, mut drill) = (Surface::Pause, ManualDrill::default());
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        let called = part.file_name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(broken)?;
        if name == "evidence" {
            drill.evidence = File { name: called, bytes: bytes.to_vec() };
            continue;
        }
        let wrong = |sentence: String| Problem::field(format!("/{name}"), sentence);
        let text = std::str::from_utf8(&bytes).map_err(|_| wrong("Send it as UTF-8.".into()))?.trim();
        match name.as_str() {
            "surface" => surface = text.parse().map_err(|e: domain::words::UnknownWord| wrong(e.to_string()))?,
            "seconds" => drill.seconds = text.parse().ok(),
            "witness" => {
                drill.witness = Some(text.parse().map_err(|e: domain::id::BadReference| wrong(e.to_string()))?);
            }
            "note" => text.clone_into(&mut drill.note),
            _ => {
                let known = "surface, seconds, witness, note, evidence";
                return Err(Problem::field("", format!("The form has no part of that name; its parts are {known}.")));
            }
        }
    }
    Ok((surface, drill))
}

/// What a witness saw.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"saw": true}))]
struct Testimony {
    /// Whether they saw it stop.
    saw: bool,
}

/// Say what one saw of a drill
///
/// For the witness alone: a person, signed in or through a token of theirs. Once.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/drills/{delivery}/testimony",
    tag = "agents",
    params(
        ("id" = inline(words::AgentRef), Path, description = "The agent."),
        ("delivery" = String, Path, description = "The drill's id.")
    ),
    request_body = Testimony,
    responses((status = 200, description = "The drill as it is now.", body = StopCall))
)]
async fn testify(
    State(app): State<App>,
    caller: ApiActor,
    At((id, delivery)): At<(AgentId, String)>,
    Sent(body): Sent<Value>,
) -> Answer {
    let call = shown::one(&app.db, caller.by(), id, &delivery).await?.ok_or_else(Problem::not_found)?;
    if !call.mine {
        // It refuses, and says why.
        rehearsals::testify(&app.db, caller.by(), &delivery, false).await?;
    }
    let Testimony { saw } = read(body)?;
    rehearsals::testify(&app.db, caller.by(), &delivery, saw).await?;
    ok(StopCall::from(shown::one(&app.db, caller.by(), id, &delivery).await?.ok_or_else(Problem::not_found)?))
}

/// Largest callback.
const CALLBACK_MAX: usize = 64 * 1024;

/// `POST /api/v1/stop-callbacks/{delivery}`: a receiver shows, by its signature, that it
/// stopped. Its door is public: the method's secret is what opens it.
pub(crate) async fn callback(
    State(app): State<App>,
    Path(delivery): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    if body.len() > CALLBACK_MAX {
        return Err(Problem::new(Kind::TooLarge, "A callback has at most 64 KiB."));
    }
    let header = |name: &str| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let sent = Callback {
        delivery: &delivery,
        timestamp: header("muster-timestamp"),
        signature: header("muster-signature"),
        body: &body,
    };
    let seconds = calls::callback(&app.db, app.clock.now(), sent).await?;
    Ok(crate::json::Json(json!({"delivery": delivery, "state": "stopped", "seconds": seconds})).into_response())
}
