//! A list of events, newest first; each opens to what changed.

use chrono::{DateTime, Utc};
use leptos::prelude::*;

use super::view::{Changed, EventView, Named, Shown};
use crate::components::{Fact, Facts, IntoPiece, Pager, Piece, TableFrame, When, href_of};

/// Events of the record, or of one thing: for the audit page and for any noun's own page.
#[component]
pub fn History(
    /// The events, newest first.
    events: Vec<EventView>,
    /// The clock of this page.
    now: DateTime<Utc>,
    /// What the events are about is said by the page, so not by each line.
    #[prop(optional)]
    of_one: bool,
    /// "1–50 of 312"; empty for no line about pages.
    #[prop(optional, into)]
    count: String,
    /// Where newer events are.
    #[prop(optional_no_strip, into)]
    previous: Option<String>,
    /// Where older events are.
    #[prop(optional_no_strip, into)]
    next: Option<String>,
) -> impl IntoView {
    let pager = (!count.is_empty()).then(|| view! { <Pager count=count previous=previous next=next/> });
    let events = events.into_iter().map(|event| one(event, now, of_one)).collect_view();
    let class = if of_one { "events of-one" } else { "events" };
    view! { <ol class=class>{events}</ol>{pager} }.piece()
}

fn one(event: EventView, now: DateTime<Utc>, of_one: bool) -> Piece {
    let what = event.what();
    let EventView { seq, id, at, at_text, actor, capacity, action, subject, was, changed, rows, reason, prev, hash } =
        event;
    let when = match at {
        Some(at) => view! { <When at=at now=now/> }.piece(),
        None => view! { <span>{at_text.clone()}</span> }.piece(),
    };
    let on = (!of_one).then(|| view! { " " <span class="on">{short(&subject)}</span> });
    let by = if actor.name.is_empty() { actor.id.clone() } else { actor.name.clone() };
    let why = (!reason.is_empty()).then(|| view! { <span class="why">{reason.clone()}</span> });
    let changes = (!changed.is_empty()).then(|| changes(changed, was));
    view! {
        <li>
            <details>
                <summary>
                    <span class="seq">{seq}</span>
                    <span class="when">{when}</span>
                    <span class="what">{what}{on}{why}</span>
                    <span class="who">{by}<span class="muted">{format!(" as {capacity}")}</span></span>
                </summary>
                <div class="inside">
                    <Facts>
                        <Fact term="When"><span>{at_text}</span></Fact>
                        <Fact term="Who">{long(actor)}{format!(", as {capacity}")}</Fact>
                        <Fact term="What"><span class="ref">{action}</span></Fact>
                        <Fact term="On">{long(subject)}</Fact>
                        {(!reason.is_empty()).then(|| view! { <Fact term="Why" value=reason/> })}
                    </Facts>
                    {changes}
                    <Facts>
                        <Fact term="Hash"><code class="hash">{hash}</code></Fact>
                        <Fact term="Hash before"><code class="hash">{prev}</code></Fact>
                        <Fact term="Event id"><code class="hash">{id}</code></Fact>
                        {(!rows.is_empty()).then(|| view! { <Fact term="Rows written">{written(rows)}</Fact> })}
                    </Facts>
                </div>
            </details>
        </li>
    }
    .piece()
}

/// A reference in a line that is pressed as a whole: words, no link.
fn short(named: &Named) -> Piece {
    let id = view! { <span class="ref">{named.id.clone()}</span> };
    match named.name.as_str() {
        "" => id.piece(),
        name => view! { {id}" "{name.to_owned()} }.piece(),
    }
}

fn long(named: Named) -> Piece {
    let words = short(&named);
    match href_of(&named.id) {
        Some(href) => view! { <a href=href>{words}</a> }.piece(),
        None => words,
    }
}

fn changes(changed: Vec<Changed>, was: bool) -> Piece {
    let rows = changed
        .into_iter()
        .map(|Changed { field, before, after }| {
            let before = was.then(|| view! { <td data-label="Before">{value(before)}</td> });
            let label = if was { "After" } else { "Value" };
            view! { <tr><th scope="row">{field}</th>{before}<td data-label=label>{value(after)}</td></tr> }
        })
        .collect_view();
    view! {
        <TableFrame label="What changed" compact=true stacks=true>
            <thead>
                <tr>
                    <th scope="col">"Field"</th>
                    {was.then(|| view! { <th scope="col">"Before"</th> })}
                    <th scope="col">{if was { "After" } else { "Value" }}</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}

fn value(shown: Shown) -> Piece {
    match shown {
        Shown::Nothing => view! { <span class="unset">"none"</span> }.piece(),
        Shown::Named(named) => long(named),
        Shown::Lines(lines) => match <[String; 1]>::try_from(lines) {
            Ok([line]) => view! { <span class="said">{line}</span> }.piece(),
            Err(lines) => {
                let lines = lines.into_iter().map(|line| view! { <li>{line}</li> }).collect_view();
                view! { <ul class="said">{lines}</ul> }.piece()
            }
        },
    }
}

fn written(rows: Vec<(String, String)>) -> Piece {
    let rows = rows
        .into_iter()
        .map(|(row, digest)| view! { <li><span class="ref">{row}</span>" "<code class="hash">{digest}</code></li> })
        .collect_view();
    view! { <ul class="digests">{rows}</ul> }.piece()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use domain::record::Event;
    use serde_json::json;

    #[test]
    fn an_event_opens_to_what_changed_and_escapes_it() {
        let nasty = "<script>alert(1)</script>";
        let event = Event {
            seq: 3,
            id: "018f".into(),
            at: "2026-07-03T14:05:09.000001Z".into(),
            actor: "PE-1".into(),
            capacity: "owner".into(),
            action: "agent.edited".into(),
            subject: "AG-42".into(),
            before: json!({"name": "Old"}),
            after: json!({"name": nasty, "rows": {"agent/42": "abcd"}}),
            reason: nasty.into(),
            prev: "0000".into(),
            hash: "ffff".into(),
        };
        let names = BTreeMap::from([("PE-1".to_owned(), nasty.to_owned())]);
        let now = DateTime::from_timestamp(1_783_100_000, 0).unwrap_or_default();
        let views = vec![EventView::new(&event, &names)];
        let html = view! { <History events=views now=now count="1 event"/> }.to_html();
        assert!(!html.contains("<script>"), "{html}");
        for part in ["Agent edited", "Old", "ffff", "0000", "2026-07-03T14:05:09.000001Z", "/agents/AG-42", "agent/42"]
        {
            assert!(html.contains(part), "{part}: {html}");
        }
    }
}
