//! What belongs to one agent: tools, credentials, findings, history, how it is stopped.

use axum::extract::State;
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use domain::can::{Action, can};
use domain::duty::Duty;
use domain::finding::{FindingKey, Severity};
use domain::id::{AgentId, ExceptionId};
use register::agents::{self, View};
use register::{Error, audit};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::object::{Credential, Tool};
use super::write;
use crate::App;
use crate::api::answer::{Answer, List, ok, versioned};
use crate::api::asked::{Listed, NoFilter, Paging};
use crate::api::audit::Event;
use crate::api::sent::{At, Expected, read, reason_of};
use crate::api::words;
use crate::json::Json as Sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default()
        .routes(routes!(read_tools, put_tools))
        .routes(routes!(read_credentials, put_credentials))
        .routes(routes!(read_findings))
        .routes(routes!(read_history))
}

/// For those who may see findings, credentials and stop state of this agent.
pub(super) fn controls(caller: &ApiActor, view: &View) -> Result<(), Problem> {
    can(&caller.actor, Action::AgentReadControls, view.relation).map_err(Error::from)?;
    Ok(())
}

/// Read an agent's tools
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/tools",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    responses((
        status = 200, description = "Its tools.", body = List<Tool>,
        headers(("ETag" = String, description = "The agent's version, for `If-Match`."))
    ))
)]
async fn read_tools(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>) -> Answer {
    let agent = agents::read(&app.db, caller.by(), id).await?.judged.agent;
    versioned(agent.version, List::whole(agent.facts.tools.into_iter().map(Tool::from).collect()))
}

/// The tools that an agent is to have.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Tools {
    /// All of them.
    items: Vec<Tool>,
    /// Why, for the record.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
}

/// Replace an agent's tools
#[utoipa::path(
    put,
    path = "/api/v1/agents/{id}/tools",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = Tools,
    responses((
        status = 200, description = "Its tools as they are now.", body = List<Tool>,
        headers(("ETag" = String, description = "The agent's new version."))
    ))
)]
async fn put_tools(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<AgentId>,
    headers: HeaderMap,
    Sent(body): Sent<Value>,
) -> Answer {
    let agent = replace(&app, &caller, id, &headers, "tools", body, |body| {
        let Tools { items, reason } = read(body)?;
        Ok((json!(items), reason))
    })
    .await?;
    versioned(agent.version, List::whole(agent.facts.tools.into_iter().map(Tool::from).collect()))
}

/// Read an agent's credentials
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/credentials",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    responses((
        status = 200, description = "What it signs in with, never a secret.", body = List<Credential>,
        headers(("ETag" = String, description = "The agent's version, for `If-Match`."))
    ))
)]
async fn read_credentials(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    controls(&caller, &view)?;
    let agent = view.judged.agent;
    versioned(agent.version, List::whole(agent.facts.credentials.into_iter().map(Credential::from).collect()))
}

/// The credentials that an agent is to have.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// All of them.
    items: Vec<Credential>,
    /// Why, for the record.
    #[serde(default)]
    #[schema(max_length = 1000)]
    reason: String,
}

/// Replace an agent's credentials
#[utoipa::path(
    put,
    path = "/api/v1/agents/{id}/credentials",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    request_body = Credentials,
    responses((
        status = 200, description = "Its credentials as they are now.", body = List<Credential>,
        headers(("ETag" = String, description = "The agent's new version."))
    ))
)]
async fn put_credentials(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<AgentId>,
    headers: HeaderMap,
    Sent(body): Sent<Value>,
) -> Answer {
    let agent = replace(&app, &caller, id, &headers, "credentials", body, |body| {
        let Credentials { items, reason } = read(body)?;
        Ok((json!(items), reason))
    })
    .await?;
    versioned(agent.version, List::whole(agent.facts.credentials.into_iter().map(Credential::from).collect()))
}

/// Replaces one list of an agent's facts. What is wrong with an item is said where it was
/// sent: at `/items`.
async fn replace(
    app: &App,
    caller: &ApiActor,
    id: AgentId,
    headers: &HeaderMap,
    member: &str,
    body: Value,
    items: impl FnOnce(Value) -> Result<(Value, String), Problem>,
) -> Result<agents::Agent, Problem> {
    let view = agents::read(&app.db, caller.by(), id).await?;
    write::may_edit(caller, &view)?;
    let version = Expected::of(headers).is(view.judged.agent.version)?;
    let (items, reason) = items(body)?;
    let reason = reason_of(&reason)?;
    let (facts, _) = write::changed(app, view.judged.agent, json!({ member: items })).await?;
    agents::edit(&app.db, caller.by(), id, version, facts, &reason).await.map_err(|error| match error {
        Error::Invalid(mut wrong) => {
            for w in &mut wrong {
                if let Some(rest) = w.pointer.strip_prefix(&format!("/{member}")) {
                    w.pointer = format!("/items{rest}");
                }
            }
            Error::Invalid(wrong).into()
        }
        error => error.into(),
    })
}

/// One thing that is wrong with an agent now.
#[derive(Debug, Serialize, ToSchema)]
struct Finding {
    /// Which check.
    #[schema(value_type = words::FindingKey)]
    key: FindingKey,
    #[schema(value_type = words::Severity)]
    severity: Severity,
    /// Which duty it concerns, if one.
    #[schema(value_type = Option<words::Duty>, required)]
    duty: Option<Duty>,
    /// What is wrong, in a sentence.
    message: String,
    /// Since when.
    since: DateTime<Utc>,
    /// When the clock alone ends it; null if never.
    #[schema(required)]
    until: Option<DateTime<Utc>>,
    /// What mends it.
    fix: &'static str,
    /// The exception under which it does not count until then; null while it counts.
    #[schema(value_type = Option<words::ExceptionRef>, required)]
    excepted: Option<ExceptionId>,
}

/// Read what is wrong with an agent now
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/findings",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent.")),
    responses((status = 200, description = "Its findings, worst first; those that an exception covers at last.", body = List<Finding>))
)]
async fn read_findings(State(app): State<App>, caller: ApiActor, At(id): At<AgentId>) -> Answer {
    let view = agents::read(&app.db, caller.by(), id).await?;
    controls(&caller, &view)?;
    let mut found = view.judged.assessment.findings;
    found.retain(|f| f.holds_at(caller.now));
    // What an exception covers comes last.
    found.sort_by_key(|f| f.excepted.is_some());
    let items = found
        .into_iter()
        .map(|f| Finding {
            key: f.key,
            severity: f.severity,
            duty: f.duty,
            message: f.sentence(),
            since: f.from,
            until: f.until,
            fix: f.fix_label(),
            excepted: f.excepted,
        })
        .collect();
    ok(List::whole(items))
}

/// Read what was done to an agent
///
/// The events of the record about it, newest first.
#[utoipa::path(
    get,
    path = "/api/v1/agents/{id}/history",
    tag = "agents",
    params(("id" = inline(words::AgentRef), Path, description = "The agent."), Paging),
    responses((status = 200, description = "A page of events.", body = List<Event>))
)]
async fn read_history(
    State(app): State<App>,
    caller: ApiActor,
    At(id): At<AgentId>,
    asked: Listed<NoFilter>,
) -> Answer {
    asked.page.unsorted()?;
    let cursor = asked.page.cursor.as_deref();
    let page = audit::history(&app.db, caller.by(), &id.to_string(), cursor, asked.page.limit()?).await?;
    ok(List::from(page.map(Event::from)))
}
