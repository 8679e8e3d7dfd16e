//! `/posture`: the dashboard's numbers.

use std::collections::BTreeMap;

use axum::extract::State;
use chrono::{DateTime, Days, NaiveDate, Utc};
use domain::agent::Lifecycle;
use domain::assignment::RuntimeOwner;
use domain::duty::Duty;
use domain::finding::FindingKey;
use register::clock::days;
use register::posture;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, ok};
use super::asked::Asked;
use super::words;
use crate::App;
use crate::problem::Problem;
use crate::signed::ApiActor;

pub(super) fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::default().routes(routes!(read_posture)).routes(routes!(read_posture_history))
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
    /// How many agents have a finding that an exception covers now, which does not count above.
    excepted: BTreeMap<String, i64>,
    /// Of the findings, those that count as onboarding until the target date of their import; keys
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
        excepted: p.excepted,
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

/// The posture of days.
#[derive(Debug, Serialize, ToSchema)]
struct History {
    /// Each day of the range from the first that was ever recorded, the oldest first.
    days: Vec<Day>,
}

/// The posture of a UTC day, as the counters said when it had ended.
#[derive(Debug, Serialize, ToSchema)]
struct Day {
    /// The day.
    #[schema(format = Date, example = "2026-11-30")]
    day: String,
    /// Whether it was recorded; if not, its numbers are null: nothing is filled in.
    recorded: bool,
    /// All agents, retired ones included.
    total: Option<i64>,
    /// By lifecycle state.
    by_state: Option<BTreeMap<String, i64>>,
    /// By runtime-owner state, retired agents apart.
    runtime_owner: Option<BTreeMap<String, i64>>,
    /// How many agents needed a duty, and how many of them had an owner for it who was there.
    duties: Option<Vec<Coverage>>,
    /// How many agents had each finding. A check that was added later found nothing before.
    findings: Option<BTreeMap<String, i64>>,
    /// Agents that counted as running and that nobody could stop.
    unstoppable: Option<i64>,
}

impl Day {
    fn of(kept: days::Day) -> Self {
        let mut out = Self {
            day: kept.day.to_string(),
            recorded: kept.figures.is_some(),
            total: None,
            by_state: None,
            runtime_owner: None,
            duties: None,
            findings: None,
            unstoppable: None,
        };
        let Some(n) = kept.figures else { return out };
        let get = |facet: String| n.get(&facet).copied().unwrap_or(0);
        let of = |keys: Vec<&'static str>, facet: &str| {
            keys.into_iter().map(|k| (k.to_owned(), get(format!("{facet}:{k}")))).collect()
        };
        out.total = Some(get("agents".to_owned()));
        out.by_state = Some(of(Lifecycle::ALL.iter().map(|s| s.key()).collect(), "state"));
        out.runtime_owner = Some(of(RuntimeOwner::ALL.iter().map(|s| s.key()).collect(), "owner"));
        out.findings = Some(of(FindingKey::ALL.iter().map(|k| k.key()).collect(), "finding"));
        out.unstoppable = Some(RuntimeOwner::NOBODY.iter().map(|s| get(format!("stop:running:{s}"))).sum());
        let coverage =
            |d: &Duty| Coverage { duty: *d, required: get(format!("required:{d}")), held: get(format!("held:{d}")) };
        out.duties = Some(Duty::ALL.iter().map(coverage).collect());
        out
    }
}

/// Which days.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Range {
    /// The first UTC day; 90 days before the last unless given.
    #[serde(default)]
    #[param(format = Date, example = "2026-11-01")]
    from: Option<String>,
    /// The last UTC day; today unless given. At most 400 days at once.
    #[serde(default)]
    #[param(format = Date, example = "2026-11-30")]
    to: Option<String>,
}

fn day(at: &str, given: Option<String>, usual: NaiveDate) -> Result<NaiveDate, Problem> {
    let Some(given) = given else { return Ok(usual) };
    NaiveDate::parse_from_str(&given, "%Y-%m-%d")
        .map_err(|_| Problem::field(at, "Write the day as YYYY-MM-DD, for instance 2026-11-30."))
}

/// Read posture by day
///
/// The trend: what the counters said at the end of each UTC day. A day on which no server ran at
/// midnight is there and not recorded.
#[utoipa::path(
    get,
    path = "/api/v1/posture/history",
    tag = "posture",
    params(Range),
    responses((status = 200, description = "The days.", body = History))
)]
async fn read_posture_history(State(app): State<App>, caller: ApiActor, Asked(range): Asked<Range>) -> Answer {
    let by = caller.by();
    let to = day("/to", range.to, by.now.date_naive())?;
    let from = day("/from", range.from, to.checked_sub_days(Days::new(90)).unwrap_or(to))?;
    let kept = days::history(&app.db, by, from, to).await?;
    ok(History { days: kept.into_iter().map(Day::of).collect() })
}
