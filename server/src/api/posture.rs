//! `/posture`: the dashboard's numbers.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Utc};
use domain::assignment::RuntimeOwner;
use domain::duty::Duty;
use register::posture;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, ok};
use super::asked::Asked;
use super::words;
use crate::App;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(read_posture))
}

/// The dashboard's numbers at a moment.
#[derive(Debug, Serialize, ToSchema)]
struct Posture {
    /// The moment.
    as_of: DateTime<Utc>,
    /// All agents, retired ones included.
    total: i64,
    /// By lifecycle state.
    by_state: BTreeMap<String, i64>,
    /// By runtime-owner state, retired agents apart.
    runtime_owner: BTreeMap<String, i64>,
    /// How many agents need a duty, and how many of them have an owner for it who is here.
    duties: Vec<Coverage>,
    /// How many agents have each finding now.
    findings: BTreeMap<String, i64>,
    /// Of these, those that count as onboarding until the target date of their import; keys
    /// that have none are left out.
    onboarding: BTreeMap<String, i64>,
    /// Agents that count as running, by runtime-owner state.
    running: BTreeMap<String, i64>,
    /// Agents that do not run yet, by runtime-owner state.
    idle: BTreeMap<String, i64>,
    /// Agents that count as running and that nobody can stop: the loudest number.
    unstoppable: i64,
    /// Business units by how many of theirs run that nobody can stop, worst first; at most 20.
    units: Vec<Unit>,
    /// Import waves whose target date lies ahead, soonest first; at most 10.
    waves: Vec<Wave>,
}

/// How many agents need a duty, and how many have it.
#[derive(Debug, Serialize, ToSchema)]
struct Coverage {
    #[schema(value_type = words::Duty)]
    duty: Duty,
    /// Agents that need it, retired ones apart.
    required: i64,
    /// Of these, how many have it.
    held: i64,
}

/// What runs in a business unit and nobody can stop.
#[derive(Debug, Serialize, ToSchema)]
struct Unit {
    /// The business unit; empty for agents of none.
    business_unit: String,
    /// How many count as running.
    running: i64,
    /// Of these, how many nobody can stop.
    unstoppable: i64,
}

/// An import wave that still has gaps to close.
#[derive(Debug, Serialize, ToSchema)]
struct Wave {
    /// Its reference.
    #[schema(value_type = words::WaveRef)]
    id: String,
    /// What it is called.
    title: String,
    /// Who answers for it, by name; may be empty.
    owner: String,
    /// Until when its gaps count as onboarding.
    target_at: DateTime<Utc>,
    /// How many agents came with it.
    agents: i64,
}

/// Nothing is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Read posture
///
/// Which agents nobody can stop, how well duties are held, and what is wrong how often.
#[utoipa::path(
    get,
    path = "/api/v1/posture",
    tag = "posture",
    responses((status = 200, description = "The numbers now.", body = Posture))
)]
async fn read_posture(State(app): State<App>, caller: ApiActor, _: Asked<Nothing>) -> Answer {
    let p = posture::posture(&app.db, caller.by()).await?;
    let unstoppable = p.unstoppable();
    let by_owner =
        |share: BTreeMap<RuntimeOwner, i64>| share.into_iter().map(|(s, n)| (s.key().to_owned(), n)).collect();
    ok(Posture {
        as_of: p.as_of,
        total: p.total,
        by_state: p.by_state,
        runtime_owner: p.runtime_owner,
        duties: p.duties.into_iter().map(|d| Coverage { duty: d.duty, required: d.required, held: d.held }).collect(),
        findings: p.findings,
        onboarding: p.onboarding,
        running: by_owner(p.running),
        idle: by_owner(p.idle),
        unstoppable,
        units: p
            .units
            .into_iter()
            .map(|u| Unit { business_unit: u.business_unit, running: u.running, unstoppable: u.unstoppable })
            .collect(),
        waves: p
            .waves
            .into_iter()
            .map(|w| Wave { id: w.id, title: w.title, owner: w.owner, target_at: w.target, agents: w.agents })
            .collect(),
    })
}
