//! From what was sent to the facts of an agent.

use domain::agent::{AgentFacts, Lifecycle};
use domain::can::{Action, can};
use domain::text;
use register::agents::{self, View};
use register::{Checked, Error};
use serde_json::{Map, Value};

use super::object::{Agent, AgentNew, ExternalId};
use crate::App;
use crate::api::sent;
use crate::problem::Problem;
use crate::signed::ApiActor;

/// An agent to be registered.
pub(super) struct New {
    pub(super) facts: AgentFacts,
    pub(super) state: Lifecycle,
}

/// An agent to be registered, as a body tells it.
pub(super) async fn read(app: &App, body: Value) -> Result<New, Problem> {
    let new: AgentNew = sent::read(body)?;
    let state = new.state.unwrap_or(Lifecycle::Draft);
    Ok(New { facts: facts(app, new).await?, state })
}

/// Whether this caller may edit this agent. Whoever may also sees all of it: what is hidden
/// from a reader would be lost when they write it back.
pub(super) fn may_edit(caller: &ApiActor, view: &View) -> Result<(), Problem> {
    can(&caller.actor, Action::AgentEdit, view.relation).map_err(Error::from)?;
    can(&caller.actor, Action::AgentReadControls, view.relation).map_err(Error::from)?;
    Ok(())
}

/// The facts that a merge patch makes of an agent, and the reason it gives.
pub(super) async fn changed(app: &App, agent: agents::Agent, body: Value) -> Result<(AgentFacts, String), Problem> {
    let (patch, reason) = sent::patch(body)?;
    let written = value(&AgentNew::from(agent.facts.clone()))?;
    let shown = value(&Agent::whole(agent, true))?;
    let patch = sent::without_echo(patch, &shown, &written)?;
    Ok((merged(app, written, patch).await?, reason))
}

/// The facts of an agent that a program saw and nobody knew.
pub(super) async fn seen(app: &App, external: ExternalId, body: Value) -> Result<AgentFacts, Problem> {
    let (mut patch, _) = sent::patch(body)?;
    born_discovered(&mut patch)?;
    let mut facts = merged(app, Value::Object(Map::new()), patch).await?;
    keep(&mut facts, external);
    Ok(facts)
}

/// The facts that a program's report makes of an agent that is known.
pub(super) async fn seen_again(
    app: &App,
    agent: agents::Agent,
    external: ExternalId,
    body: Value,
) -> Result<(AgentFacts, String), Problem> {
    let mut body = body;
    if let Some(members) = body.as_object_mut() {
        born_discovered(members)?;
    }
    let (mut facts, reason) = changed(app, agent, body).await?;
    keep(&mut facts, external);
    Ok((facts, reason))
}

/// A program may say each time how what it sees is registered.
fn born_discovered(members: &mut Map<String, Value>) -> Result<(), Problem> {
    match members.remove("state") {
        None => Ok(()),
        Some(state) if state == Lifecycle::Discovered.key() => Ok(()),
        Some(_) => Err(Problem::field("/state", "What a program sees is discovered; people decide the rest.")),
    }
}

fn keep(facts: &mut AgentFacts, external: ExternalId) {
    let external = domain::agent::ExternalId { source: external.source, id: external.id };
    if !facts.external_ids.contains(&external) {
        facts.external_ids.push(external);
    }
}

async fn merged(app: &App, mut written: Value, patch: Map<String, Value>) -> Result<AgentFacts, Problem> {
    sent::merge(&mut written, Value::Object(patch));
    let new: AgentNew = sent::read(written)?;
    facts(app, new).await
}

/// What is left out of a shared tool is as it is recorded.
pub(super) async fn facts(app: &App, mut new: AgentNew) -> Result<AgentFacts, Problem> {
    let unsaid: Vec<&str> = new
        .tools
        .iter()
        .filter(|t| (t.kind.is_none() || t.sensitivity.is_none()) && !t.name.contains('\0'))
        .map(|t| t.name.as_str())
        .collect();
    if !unsaid.is_empty() {
        let known = agents::shared::tools(&app.db, &unsaid).await?;
        for tool in &mut new.tools {
            if let Some((kind, sensitivity)) = known.get(&text::fold(&tool.name)) {
                tool.kind.get_or_insert(*kind);
                tool.sensitivity.get_or_insert(*sensitivity);
            }
        }
    }
    Ok(new.into())
}

/// What another system calls an agent, as a path tells it.
pub(super) fn external(source: &str, id: &str) -> Result<ExternalId, Problem> {
    let mut wrong = Checked::default();
    let source = wrong.take("/source", text::required_line(source, "a source", 100));
    let id = wrong.take("/id", text::required_line(id, "an id", 500));
    wrong.done()?;
    Ok(ExternalId { source, id })
}

fn value<T: serde::Serialize>(of: &T) -> Result<Value, Problem> {
    serde_json::to_value(of).map_err(Problem::internal)
}
