//! Requests: the list, the decision card, and asking.

pub mod alike;
pub mod ask;
pub mod card;
pub mod life;
pub mod list;

pub use alike::{AlikePage, One, Together};
pub use ask::{AskForm, AskPage, Asking, Step, StepsTable};
pub use card::{CardForm, DecisionCard, Message, Met, Shown, ShownStep, Task};
pub use life::{Life, LifeSection, Past};
pub use list::{Line, ListPage, Listed, View, WaitingLine};

use chrono::{DateTime, Utc};
use domain::agent::AgentFacts;
use domain::request::{RequestState, Urgency};
use leptos::prelude::*;

use crate::components::{Badge, Fact, Facts, IntoPiece, Piece, Tone};

/// How a state of a request is shown.
pub(crate) const fn tone(state: RequestState) -> Tone {
    match state {
        RequestState::Open => Tone::Note,
        RequestState::Approved | RequestState::Completed => Tone::Good,
        RequestState::Rejected => Tone::Bad,
        RequestState::Voided | RequestState::Lapsed => Tone::Warn,
        RequestState::Withdrawn => Tone::Plain,
    }
}

/// How a step stands to the clock, where that is worth a badge.
pub(crate) fn pressing(urgency: Urgency) -> Option<Piece> {
    let tone = match urgency {
        Urgency::Waits => return None,
        Urgency::Soon => Tone::Warn,
        Urgency::Overdue => Tone::Bad,
        Urgency::Escalated => Tone::Severe,
    };
    Some(view! { <Badge tone=tone>{urgency.label()}</Badge> }.piece())
}

/// The boundary as a list of facts: what is decided on.
pub(crate) fn boundary(facts: &AgentFacts) -> Piece {
    let tools = if facts.tools.is_empty() {
        view! { <span class="muted">"none"</span> }.piece()
    } else {
        let rows = facts
            .tools
            .iter()
            .map(|t| {
                let scope = if t.scope.is_empty() { String::new() } else { format!(", {}", t.scope) };
                let what = format!(
                    ": {}, {} sensitivity{scope}",
                    t.access.label().to_lowercase(),
                    t.sensitivity.label().to_lowercase()
                );
                view! { <li><bdi>{t.name.clone()}</bdi> {what}</li> }
            })
            .collect_view();
        view! { <ul class="plain-list">{rows}</ul> }.piece()
    };
    let credentials = if facts.credentials.is_empty() {
        view! { <span class="muted">"none"</span> }.piece()
    } else {
        let rows = facts
            .credentials
            .iter()
            .map(|c| view! { <li><bdi>{c.name.clone()}</bdi> {format!(": {}", c.kind.label().to_lowercase())}</li> })
            .collect_view();
        view! { <ul class="plain-list">{rows}</ul> }.piece()
    };
    let hosted = if facts.vendor.is_empty() {
        facts.hosting.label().to_owned()
    } else {
        format!("{}: {}", facts.hosting.label(), facts.vendor)
    };
    let regulated = if facts.regulated { "Yes" } else { "No" };
    let models = facts.models.join(", ");
    let (autonomy, exposure, data) = (facts.autonomy.label(), facts.exposure.label(), facts.data.label());
    let environment = facts.environment.label();
    let identity = facts.workload_identity.clone();
    view! {
        <Facts>
            <Fact term="Tools">{tools}</Fact>
            <Fact term="Data it reaches" value=data/>
            <Fact term="Autonomy" value=autonomy/>
            <Fact term="Who meets it" value=exposure/>
            <Fact term="Environment" value=environment/>
            <Fact term="Hosted" value=hosted/>
            <Fact term="Regulated" value=regulated/>
            <Fact term="Models" value=models/>
            <Fact term="Workload identity" value=identity/>
            <Fact term="Signs in with">{credentials}</Fact>
        </Facts>
    }
    .piece()
}

/// A moment as a date for a sentence.
pub(crate) fn date(at: DateTime<Utc>) -> String {
    at.format("%-d %B %Y").to_string()
}
