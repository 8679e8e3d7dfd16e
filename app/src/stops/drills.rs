//! Drills and calls, newest first.

use domain::stop::{Call, CallState, Outcome};
use leptos::prelude::*;

use super::page::Stops;
use crate::components::{Badge, Button, Empty, IntoPiece, Kind, Piece, Section, TableFrame, Tone, When};

pub(super) fn tone(state: CallState) -> Tone {
    match state {
        CallState::Stopped => Tone::Good,
        CallState::Failed | CallState::Lapsed => Tone::Bad,
        CallState::Calling | CallState::Accepted | CallState::Witness => Tone::Note,
    }
}

/// Where a call stands, in a sentence.
pub fn said(state: CallState, outcome: Option<Outcome>) -> &'static str {
    match (state, outcome) {
        (CallState::Stopped, _) => "It is shown that it stopped.",
        (CallState::Lapsed, Some(Outcome::Accepted)) => {
            "The webhook accepted the call, and no signed callback came in time. Whether it stopped is not shown."
        }
        (CallState::Lapsed, _) => "Nothing showed in time that it stopped.",
        (CallState::Witness, _) => "It counts once the witness has said that they saw it.",
        (CallState::Calling, _) => "Muster is calling.",
        (CallState::Failed, None) => "The witness did not see it stop.",
        (_, Some(outcome)) => outcome.sentence(),
        (CallState::Accepted, None) => "Its callback is awaited.",
    }
}

pub(super) fn drills(stops: &Stops) -> impl IntoView + use<> {
    let cadence = stops.cadence;
    let rows = stops.calls.iter().map(|call| row(stops, call)).collect_view();
    let (passed, now) = (stops.passed_at, stops.now);
    let passed = passed.map(
        |at| view! { <p>"The present runtime owner last showed that pausing works " <When at=at now=now/> "."</p> },
    );
    let body = if stops.calls.is_empty() && passed.is_some() {
        ().piece()
    } else if stops.calls.is_empty() {
        view! { <Empty title="Nothing was rehearsed yet">"A drill changes nothing about the agent. It shows that stopping works, and how long it takes."</Empty> }.piece()
    } else {
        view! {
            <TableFrame label="Drills" stacks=true>
                <thead><tr><th scope="col">"What"</th><th scope="col">"State"</th><th scope="col">"Began"</th><th scope="col">"Took"</th><th scope="col">"Shown by"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .piece()
    };
    view! {
        <Section title="Drills" id="drills">
            <p class="small muted">{format!("At this tier a drill of pausing proves it for {cadence} days, for the owner who showed it and for that version of the method.")}</p>
            {passed}
            {body}
        </Section>
    }
    .piece()
}

fn row(stops: &Stops, call: &Call) -> impl IntoView + use<> {
    let what =
        format!("{}{}, version {}", call.surface.label(), if call.drill { "" } else { " (in earnest)" }, call.version);
    let (state, begun_at, now) = (call.state, call.begun_at, stops.now);
    let took = call
        .seconds
        .filter(|_| state == CallState::Stopped)
        .map(|s| if s == 1 { "1 second".to_owned() } else { format!("{s} seconds") });
    let by = match (&call.witness, state) {
        (Some((id, name)), _) => {
            view! { "witness " <a href=format!("/people/{id}") dir="auto">{name.clone()}</a> }.piece()
        }
        (None, CallState::Stopped) => view! { "signed callback" }.piece(),
        (None, _) => ().piece(),
    };
    let evidence = call
        .evidence
        .clone()
        .map(|sha256| view! { " " <a href=format!("/agents/{}/evidence/{sha256}", stops.id)>"evidence"</a> });
    let mine = call.mine.then(|| testimony(&format!("/agents/{}/stop", stops.id), &call.delivery));
    let note = (!call.note.is_empty())
        .then(|| view! { <span class="since small" dir="auto">{format!("“{}”", call.note)}</span> });
    let detail = (!call.detail.is_empty())
        .then(|| view! { <span class="since small muted" dir="auto">{call.detail.clone()}</span> });
    view! {
        <tr>
            <th scope="row">{what}</th>
            <td data-label="State" class="text"><Badge tone=tone(state)>{state.label()}</Badge><span class="since small muted">{said(state, call.outcome)}</span>{detail}{mine}</td>
            <td data-label="Began"><When at=begun_at now=now/><span class="since small muted">"by " <span dir="auto">{call.begun_by.clone()}</span></span></td>
            <td data-label="Took">{took}</td>
            <td data-label="Shown by">{by}{evidence}{note}</td>
        </tr>
    }
    .piece()
}

/// The two answers of a witness.
pub fn testimony(action: &str, delivery: &str) -> Piece {
    view! {
        <form method="post" action=action.to_owned() class="row">
            <input type="hidden" name="delivery" value=delivery.to_owned()/>
            <Button kind=Kind::Primary name="do" value="saw">"I saw it stop"</Button>
            <Button name="do" value="unseen">"I did not"</Button>
        </form>
    }
    .piece()
}
