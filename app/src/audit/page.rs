//! The audit page: filters, events, the head of the chain, and the check of all of it.

use chrono::{DateTime, Utc};
use domain::record::Head;
use leptos::prelude::*;

use super::{EventView, History};
use crate::components::{
    Address, Button, Chips, Choice, Empty, Field, FieldErrors, Filter, Glyph, Icon, IntoPiece, Kind, LinkButton,
    Notice, PageHead, Piece, PostForm, Suggestions, Tone, thousands,
};

/// What a check of the record found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Checked {
    /// It holds.
    Holds {
        /// How many events.
        events: i64,
        /// How many rows.
        rows: i64,
        /// The last event.
        head: Head,
    },
    /// It does not: the first broken link, a sentence.
    Broken(String),
    /// It took too long for a page.
    Unfinished,
}

/// The filters of the page, as its address names them.
const FILTERS: [(&str, &str); 5] =
    [("actor", "Who"), ("action", "What"), ("subject", "On"), ("from", "From"), ("until", "Until")];

/// Everything that was ever done.
#[component]
pub fn Audit(
    /// Where the page is.
    here: Address,
    /// The events of this page of the list.
    events: Vec<EventView>,
    /// How many there are in all, if that is known.
    total: Option<i64>,
    /// Where newer events are.
    #[prop(optional_no_strip)]
    previous: Option<String>,
    /// Where older events are.
    #[prop(optional_no_strip)]
    next: Option<String>,
    /// Every action that the record holds.
    actions: Vec<String>,
    /// The last event.
    head: Head,
    /// What a check found, if one was just made.
    #[prop(optional_no_strip)]
    checked: Option<Checked>,
    /// What is wrong with the filters.
    errors: FieldErrors,
    /// The clock of this page.
    now: DateTime<Utc>,
) -> impl IntoView {
    let filters: Vec<Filter> = FILTERS.iter().map(|(key, label)| Filter::new(key, label, Vec::new())).collect();
    let filtered = FILTERS.iter().any(|(key, _)| here.get(key).is_some());
    let shown = events.len();
    let count = count(shown, total);
    let list = if shown == 0 {
        none(filtered)
    } else {
        view! { <History events=events now=now count=count previous=previous next=next/> }.piece()
    };
    view! {
        <PageHead
            title="Audit"
            lead="Every change, with who, why and what it was before. The events form a chain that shows when one was altered, removed or slipped in."
            actions=move || view! {
                <a class="button" href="/audit/export.jsonl" download=""><Icon glyph=Glyph::Export/>"Export"</a>
            }
        />
        {checked.map(found)}
        <div class="with-aside">
            <div class="listing">
                {filter_form(&here, actions, errors)}
                <Chips here=here.clone() filters=filters/>
                {list}
            </div>
            {chain(&here, &head)}
        </div>
    }
    .piece()
}

fn count(shown: usize, total: Option<i64>) -> String {
    let total = total.and_then(|n| u64::try_from(n).ok());
    match total {
        Some(1) => "1 event".to_owned(),
        Some(total) if usize::try_from(total).is_ok_and(|total| total > shown) => {
            format!("{shown} of {} events", thousands(total))
        }
        Some(total) => format!("{} events", thousands(total)),
        None => format!("{shown} of more than 10,000 events"),
    }
}

fn none(filtered: bool) -> Piece {
    if filtered {
        view! {
            <Empty title="No event matches">
                <p>"Remove a filter. A reference is written as AG-42, an action begins as agent. or team. does."</p>
                <div class="actions"><LinkButton href="/audit">"Show every event"</LinkButton></div>
            </Empty>
        }
        .piece()
    } else {
        view! { <Empty title="No events yet"><p>"The first change begins the chain."</p></Empty> }.piece()
    }
}

fn filter_form(here: &Address, actions: Vec<String>, errors: FieldErrors) -> Piece {
    let value = |key: &str| here.get(key).unwrap_or_default().to_owned();
    let open = !errors.is_empty();
    // Each noun with its dot finds everything done to it.
    let mut known: Vec<String> =
        actions.iter().filter_map(|a| a.split_once('.')).map(|(noun, _)| format!("{noun}.")).collect();
    known.extend(actions);
    known.sort();
    known.dedup();
    let known: Vec<Choice> = known.into_iter().map(|a| Choice::new(a.clone(), a)).collect();
    view! {
        <div class="toolbar">
            <details class="drop" open=open>
                <summary class="button"><Icon glyph=Glyph::Filter/>"Filter"</summary>
                <div class="drawer">
                    <form method="get" action="/audit" novalidate>
                        <Field name="actor" label="Who" value=value("actor") error=errors.of("actor") hint="PE-7, TK-2, cli or muster"/>
                        <Field name="action" label="What" value=value("action") error=errors.of("action") hint="How the action begins: agent. finds every change of agents" list="known-actions"/>
                        <Suggestions id="known-actions" values=known/>
                        <Field name="subject" label="On" value=value("subject") error=errors.of("subject") hint="A reference: AG-42, PE-7, TE-2"/>
                        <Field name="from" label="From" kind="datetime-local" value=value("from") error=errors.of("from") hint="UTC"/>
                        <Field name="until" label="Until" kind="datetime-local" value=value("until") error=errors.of("until") hint="UTC; the moment itself is not included"/>
                        <div><button class="button primary">"Show"</button></div>
                    </form>
                </div>
            </details>
        </div>
    }
    .piece()
}

fn chain(here: &Address, head: &Head) -> Piece {
    let text = head.to_string();
    view! {
        <aside class="panel stack chain" aria-labelledby="chain-title">
            <h2 id="chain-title">"The chain"</h2>
            <p>"Its last event is number "<strong>{head.seq}</strong>". This is its head:"</p>
            <code class="hash all">{text}</code>
            <p class="small muted">
                "Keep a copy outside Muster. Given it later, "<code>"muster audit verify --head"</code>
                " finds a record whose end was cut off or rewritten."
            </p>
            <PostForm action=here.href()>
                <Button kind=Kind::Primary>"Verify now"</Button>
            </PostForm>
            <p class="small muted">"Checks every event, and that every row is what its last event says."</p>
        </aside>
    }
    .piece()
}

fn found(checked: Checked) -> Piece {
    match checked {
        Checked::Holds { events, rows, head } => {
            let number = |n: i64| thousands(u64::try_from(n).unwrap_or(0));
            view! {
                <Notice tone=Tone::Good title="The record holds">
                    <p>{format!("{} events and {} rows were checked, up to the head:", number(events), number(rows))}</p>
                    <code class="hash all">{head.to_string()}</code>
                </Notice>
            }
            .piece()
        }
        Checked::Broken(link) => view! {
            <Notice tone=Tone::Severe title="The record is broken">
                <p>{format!("The first broken link: {link}.")}</p>
                <p>
                    "Somebody went around Muster, or the database is damaged. Keep this database as it is, restore a backup
                    beside it, and compare the two. No event can be mended."
                </p>
            </Notice>
        }
        .piece(),
        Checked::Unfinished => view! {
            <Notice tone=Tone::Warn title="Not finished">
                <p>"The record is too long to be checked while a page waits. On the server, "<code>"muster audit verify"</code>" takes the time it needs."</p>
            </Notice>
        }
        .piece(),
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    fn shown(query: &str, checked: Option<Checked>) -> String {
        let here = Address::parse("/audit", query);
        let now = DateTime::from_timestamp(1_783_100_000, 0).unwrap_or_default();
        view! {
            <Audit here=here events=Vec::new() total=Some(0) actions=vec!["agent.created".into(), "agent.edited".into()]
                head=Head::default() checked=checked errors=FieldErrors::new() now=now/>
        }
        .to_html()
    }

    #[test]
    fn filters_stay_and_can_be_removed() {
        let html = shown("actor=PE-1&action=agent.&cursor=x", None);
        assert!(html.contains(r#"value="PE-1""#) && html.contains("Who: PE-1"), "{html}");
        assert!(html.contains("No event matches"), "{html}");
        assert!(html.contains(r#"<option value="agent.">"#), "{html}");
    }

    #[test]
    fn a_broken_link_is_named() {
        let html = shown("", Some(Checked::Broken("event 3 was edited".into())));
        assert!(html.contains("The first broken link: event 3 was edited."), "{html}");
        assert!(html.contains(r#"role="alert""#), "{html}");
    }
}
