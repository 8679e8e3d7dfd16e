//! The stop card: breaking the glass, what is to be done of a stop, and earlier ones.

use domain::stop::{Call, CallState, Reviewed};
use leptos::prelude::*;

use super::drills::{said, tone};
use super::page::{StepShown, Stops};
use super::{REASONS, reasons};
use crate::components::{
    Badge, Button, Confirm, IntoPiece, Kind, Notice, Pager, Piece, RadioGroup, Refused, Section, TableFrame, TextArea,
    Tone, When,
};

pub(super) fn break_glass(stops: &Stops) -> Option<impl IntoView + use<>> {
    if !stops.press {
        return None;
    }
    let Refused { values, errors } = &stops.refused;
    let open = values.what == "press";
    let (reason, error) = if open { (values.reason.clone(), errors.of("reason")) } else { (String::new(), None) };
    let id = stops.id;
    Some(view! {
        <Section title="Stop it now" id="now">
            <p>"Anyone who holds a duty of this agent, their deputies and security leads may stop it at once. It only removes access; somebody else reviews it within 24 hours."</p>
            <Confirm label="Stop it now…" action=format!("/agents/{id}/stop#card") confirm=format!("Yes, stop {id}") open=open>
                <input type="hidden" name="do" value="press"/>
                <RadioGroup name="why" legend="Why" options=reasons() selected=REASONS[0] required=true/>
                <TextArea name="reason" label="More" value=reason error=error rows=2/>
            </Confirm>
        </Section>
    })
}

/// Where the call made for a step stands, in a line.
fn called(stops: &Stops, call: &Call) -> Piece {
    let at = call.answered_at.unwrap_or(call.begun_at);
    let (now, state, outcome) = (stops.now, call.state, call.outcome);
    let detail =
        (!call.detail.is_empty()).then(|| view! { " " <span class="muted" dir="auto">{call.detail.clone()}</span> });
    let took = call.seconds.filter(|_| call.state == CallState::Stopped).map(|s| format!(" In {s} s."));
    view! {
        <span class="since small">
            "Webhook: " <Badge tone=tone(state)>{state.label()}</Badge> " " <When at=at now=now/> ". "
            {said(state, outcome)} {took} {detail}
        </span>
    }
    .piece()
}

fn step(stops: &Stops, shown: StepShown, at: &str) -> Piece {
    let StepShown { seen, owner, mine } = shown;
    let now = stops.now;
    let what = if seen.subject.is_empty() {
        seen.step.label().to_owned()
    } else {
        format!("{} {}", seen.step.label(), seen.subject)
    };
    let title = seen.step.duty().owner_title();
    let owner = match owner {
        Some((who, name)) => view! { <a href=who.path() dir="auto">{name}</a> }.piece(),
        None => view! { <span class="vacant">"nobody"</span> }.piece(),
    };
    let done = seen.done.is_some();
    let state = match seen.done {
        Some((at, by)) => {
            let by = if by == "webhook" { "by signed callback".to_owned() } else { by };
            view! { <Badge tone=Tone::Good>"Done"</Badge><span class="since small muted"><When at=at now=now/> ", " <span dir="auto">{by}</span></span> }.piece()
        }
        None => ().piece(),
    };
    let call = seen.call.map(|call| called(stops, &call));
    let about = format!(": {what}");
    let press = mine.then(|| {
        view! {
            <form method="post" action=at.to_owned()>
                <input type="hidden" name="step" value=seen.id.to_string()/>
                <Button kind=Kind::Small name="do" value="done">"It is done"<span class="visually-hidden">{about}</span></Button>
            </form>
        }
    });
    let open = (!done).then(|| view! { <div class="row"><Badge tone=Tone::Bad>"Open"</Badge>{press}</div> });
    view! {
        <tr>
            <th scope="row" dir="auto">{what}</th>
            <td data-label="Who">{owner}<span class="since small muted">{title}</span></td>
            <td data-label="State" class="text">{state}{open}{call}</td>
        </tr>
    }
    .piece()
}

pub(super) fn card(stops: &Stops) -> Option<impl IntoView + use<>> {
    let card = stops.card.clone()?;
    let (id, now) = (stops.id, stops.now);
    let shown = card.stop;
    let here = if card.newest {
        format!("/agents/{id}/stop#card")
    } else {
        format!("/agents/{id}/stop?stop={}#card", shown.id)
    };
    let rows = card.steps.into_iter().map(|shown| step(stops, shown, &here)).collect_view();
    let residual = shown.residual.sentence(now);
    let left = if shown.residual.is_over() { Tone::Good } else { Tone::Warn };
    let (due, late) = (shown.review_due, shown.review.is_none() && now >= shown.review_due);
    let review = if let Some(Reviewed { at, by, found }) = shown.review {
        view! { <p>"Reviewed by " <span dir="auto">{by}</span> ", " <When at=at now=now/> ": " <span dir="auto">{format!("“{found}”")}</span></p> }.piece()
    } else {
        let words = if late {
            "Nobody has reviewed it; that was due "
        } else {
            "To be reviewed by somebody else, at the latest "
        };
        view! { <p>{words} <When at=due now=now/> "."</p> }.piece()
    };
    let Refused { values, errors } = &stops.refused;
    let open = values.what == "review";
    let (text, error) = if open { (values.review.clone(), errors.of("review")) } else { (String::new(), None) };
    let form = card.may_review.then(|| view! {
        <Confirm label="Review it…" action=here confirm="Keep the review" calm=true open=open>
            <input type="hidden" name="do" value="review"/>
            <input type="hidden" name="stopping" value=shown.id.to_string()/>
            <TextArea name="review" label="What you found" value=text error=error rows=3 required=true hint="Was it right, and what follows."/>
        </Confirm>
    });
    let (at, by, reason) = (shown.at, shown.stopped_by_name, shown.reason);
    let title = if card.newest { "The last stop" } else { "An earlier stop" };
    let newest = (!card.newest)
        .then(|| view! { <p class="small"><a href=format!("/agents/{id}/stop#card")>"Show the last stop"</a></p> });
    Some(view! {
        <Section title=title id="card">
            {newest}
            <p><span dir="auto">{by}</span> " stopped it " <When at=at now=now/> ": " <span dir="auto">{format!("“{reason}”")}</span></p>
            <Notice tone=left title="Access that remains at worst"><p>{residual}</p></Notice>
            <TableFrame label="Steps" stacks=true>
                <thead><tr><th scope="col">"Step"</th><th scope="col">"Who"</th><th scope="col">"State"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            {review}
            {form}
        </Section>
    })
}

/// Every stop of the agent, each a link to its card.
pub(super) fn past(stops: &Stops) -> Option<Piece> {
    let past = &stops.past;
    let shown = stops.card.as_ref().map(|card| card.stop.id);
    // One stop is shown above as a whole.
    if past.newer.is_none() && past.older.is_none() && past.stops.len() < 2 {
        return None;
    }
    let (id, now) = (stops.id, stops.now);
    let rows = past
        .stops
        .iter()
        .map(|stop| {
            let (at, due) = (stop.at, stop.review_due);
            let review = match stop.reviewed_at {
                Some(at) => view! { <Badge tone=Tone::Good>"Reviewed"</Badge> " " <When at=at now=now/> }.piece(),
                None if now >= due => view! { <Badge tone=Tone::Bad>"Review overdue"</Badge> " since " <When at=due now=now/> }.piece(),
                None => view! { <Badge tone=Tone::Note>"To be reviewed"</Badge> " " <When at=due now=now/> }.piece(),
            };
            let open = match stop.open_steps {
                0 => view! { <Badge tone=Tone::Good>"All done"</Badge> }.piece(),
                1 => view! { <Badge tone=Tone::Bad>"1 open"</Badge> }.piece(),
                n => view! { <Badge tone=Tone::Bad>{format!("{n} open")}</Badge> }.piece(),
            };
            let here = (shown == Some(stop.id)).then_some("true");
            view! {
                <tr aria-current=here>
                    <th scope="row"><a href=format!("/agents/{id}/stop?stop={}#card", stop.id)><When at=at now=now/></a></th>
                    <td data-label="By"><span dir="auto">{stop.by.clone()}</span></td>
                    <td data-label="Why" class="text"><span dir="auto">{stop.reason.clone()}</span></td>
                    <td data-label="Steps">{open}</td>
                    <td data-label="Review">{review}</td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    let count = if past.older.is_some() {
        format!("{} and older ones", past.stops.len())
    } else {
        format!("{} stops", past.stops.len())
    };
    let (newer, older) = (past.newer.clone(), past.older.clone());
    Some(
        view! {
            <Section title="Every stop of it" id="past">
                <TableFrame label="Stops" stacks=true compact=true>
                    <thead><tr><th scope="col">"When"</th><th scope="col">"By"</th><th scope="col">"Why"</th><th scope="col">"Steps"</th><th scope="col">"Review"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </TableFrame>
                <Pager count=count previous=newer next=older/>
            </Section>
        }
        .piece(),
    )
}
