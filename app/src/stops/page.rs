//! The page at `/agents/{id}/stop`.

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle as State;
use domain::id::AgentId;
use domain::party::Party as Who;
use domain::stop::{Call, Method, PastStop, StepSeen, Stop, Surface, Uses};
use leptos::prelude::*;

use super::StopForm;
use super::card::{break_glass, card, past};
use super::drills::drills;
use super::radius::shared;
use super::surfaces::surface;
use crate::components::{Choice, Crumb, Crumbs, ErrorSummary, IntoPiece, Notice, PageHead, Refused, Suggestions, Tone};

/// One surface.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SurfaceShown {
    /// Which.
    pub surface: Surface,
    /// Who stops it: the A of its duty.
    pub owner: Option<(Who, String)>,
    /// How, if it is recorded.
    pub method: Option<Method>,
    /// The reader may record how.
    pub write: bool,
    /// The reader may show that it works.
    pub drill: bool,
}

/// A step of a stop, with who is to do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepShown {
    /// The step.
    pub seen: StepSeen,
    /// Who must do it: the A of its duty.
    pub owner: Option<(Who, String)>,
    /// The reader may note that it is done.
    pub mine: bool,
}

/// A stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardShown {
    /// The stop; its steps are apart.
    pub stop: Stop,
    /// It is the newest.
    pub newest: bool,
    /// The reader may review it.
    pub may_review: bool,
    /// What is to be done.
    pub steps: Vec<StepShown>,
}

/// A page of the agent's stops.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Past {
    /// Newest first.
    pub stops: Vec<PastStop>,
    /// Where newer ones are.
    pub newer: Option<String>,
    /// Where older ones are.
    pub older: Option<String>,
}

/// Everything the page shows.
#[derive(Debug, Clone)]
pub struct Stops {
    /// The agent.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub state: State,
    /// The stop that is looked at: the newest, unless an earlier one was asked for.
    pub card: Option<CardShown>,
    /// All of them, page by page.
    pub past: Past,
    /// The reader may stop it at once.
    pub press: bool,
    /// What it shares with others: what, its name, and how many agents use it.
    pub shared: Vec<(Uses, String, i64)>,
    /// The surfaces.
    pub surfaces: Vec<SurfaceShown>,
    /// Newest first.
    pub calls: Vec<Call>,
    /// A secret just made: the only moment at which it is shown.
    pub secret: Option<(Surface, String)>,
    /// People to suggest as a witness.
    pub people: Vec<Choice>,
    /// When the present runtime owner last showed that pausing works.
    pub passed_at: Option<DateTime<Utc>>,
    /// How many days a drill proves it, at this tier.
    pub cadence: i64,
    /// What was pressed and refused.
    pub refused: Refused<StopForm>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// How an agent is stopped; goes inside `Layout`.
#[component]
pub fn StopsPage(
    /// What it shows.
    stops: Stops,
) -> impl IntoView {
    let id = stops.id;
    let retired = stops.state == State::Retired;
    let secret = stops.secret.clone().map(|(surface, secret)| {
        view! {
            <Notice tone=Tone::Good title="The webhook is recorded">
                <p>{format!("Its secret ({}), shown now and never again. The receiver checks each call with it, and signs its callback:", surface.label().to_lowercase())}</p>
                <p><code class="secret">{secret}</code></p>
                <p class="small"><a href="/help#webhook">"How a call is signed"</a></p>
            </Notice>
        }
    });
    let surfaces = stops.surfaces.iter().map(|s| surface(&stops, s, retired)).collect_view();
    view! {
        <Crumbs trail=vec![Crumb::new("Agents", "/agents"), Crumb::new(id.to_string(), format!("/agents/{id}")), Crumb::here("Stop")]/>
        <PageHead title=format!("How it is stopped: {}", stops.name) reference=id.to_string()/>
        <ErrorSummary errors=stops.refused.errors.clone()/>
        {secret}
        <Suggestions id="people" values=stops.people.clone()/>
        <div class="stack loose">
            {break_glass(&stops)}
            {card(&stops)}
            {past(&stops)}
            {shared(&stops.shared)}
            {surfaces}
            {drills(&stops)}
        </div>
    }
    .piece()
}
