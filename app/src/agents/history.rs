//! The past of an agent: who was accountable on a day, and every change in its record.

use chrono::{DateTime, Utc};
use domain::duty::Duty;
use domain::id::{AgentId, ExceptionId, PersonId, RequestId};
use domain::party::Party as Who;
use leptos::prelude::*;

use crate::audit::{EventView, History as Events};
use crate::components::{Crumb, Crumbs, IntoPiece, PageHead, Piece, Section, TableFrame, exact, thousands};

/// Who answered for what at a moment.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The moment.
    pub at: DateTime<Utc>,
    /// Who held what.
    pub duties: Vec<Holder>,
    /// The approval in force then: its request, when it was given, and by whom in which capacity.
    pub approval: Option<(RequestId, DateTime<Utc>, Vec<(Duty, PersonId, String)>)>,
    /// The exceptions in force then.
    pub exceptions: Vec<ExceptedThen>,
    /// Its boundary's hash then, when the agent has not changed since.
    pub boundary_sha256: Option<String>,
    /// The record began later.
    pub before_record: bool,
}

/// An exception in force at a moment.
#[derive(Debug, Clone)]
pub struct ExceptedThen {
    /// The exception.
    pub exception: ExceptionId,
    /// What it was about.
    pub title: String,
    /// What was excepted, as people read it.
    pub control: String,
    /// Until when.
    pub until: DateTime<Utc>,
    /// Who agreed, in which capacity, with their names.
    pub by: Vec<(Duty, PersonId, String)>,
}

/// Who held a duty at a moment.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The duty.
    pub duty: Duty,
    /// The party.
    pub party: Who,
    /// Its name today.
    pub name: String,
    /// The person named by it: themself, or who led the team at that moment.
    pub named: Option<(PersonId, String)>,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// The page of an agent's past.
#[derive(Debug, Clone)]
pub struct History {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// The moment asked about, as the field of a browser takes it: `2026-07-03T14:05:00`.
    pub asked: String,
    /// What is wrong with it.
    pub error: Option<String>,
    /// The answer.
    pub answer: Option<Answer>,
    /// Its events, newest first.
    pub events: Vec<EventView>,
    /// How many there are in all, if that is known.
    pub total: Option<i64>,
    /// Where newer ones are.
    pub previous: Option<String>,
    /// Where older ones are.
    pub next: Option<String>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The past of an agent; goes inside `Layout`.
#[component]
pub fn HistoryPage(
    /// What it shows.
    history: History,
) -> impl IntoView {
    let History { agent, name, asked, error, answer, events, total, previous, next, now } = history;
    let error_id = error.is_some().then_some("field-at-error");
    let shown = events.len();
    let count = match total.and_then(|n| u64::try_from(n).ok()) {
        Some(total) if total > shown as u64 => format!("{shown} of {} changes", thousands(total)),
        Some(1) => "1 change".to_owned(),
        _ => format!("{shown} changes"),
    };
    view! {
        <Crumbs trail=vec![Crumb::new("Agents", "/agents"), Crumb::new(agent.to_string(), format!("/agents/{agent}")), Crumb::here("History")]/>
        <PageHead title=format!("History: {name}") reference=agent.to_string()/>
        <Section title="Who was accountable on…" id="then">
            <form method="get" class="row ask-when" novalidate>
                <label for="field-at" class="visually-hidden">"Date and time, UTC"</label>
                <input class="input short" type="datetime-local" step="1" id="field-at" name="at" value=asked required=true
                    aria-invalid=error.is_some().then_some("true") aria-describedby=error_id/>
                <span class="small muted">"UTC"</span>
                <button class="button">"Show"</button>
            </form>
            {error.map(|error| view! { <p class="vacant small" id="field-at-error" role="alert">{error}</p> })}
            {answer.map(answered)}
        </Section>
        <Section title="Changes" id="changes">
            <Events events=events now=now of_one=true count=count previous=previous next=next/>
        </Section>
    }
    .piece()
}

fn excepted(e: ExceptedThen) -> Piece {
    let by: Vec<String> =
        e.by.iter().map(|(duty, _, name)| format!("{name} as {}", duty.owner_title().to_lowercase())).collect();
    let agreed = if by.is_empty() { String::new() } else { format!("; agreed by {}", by.join(", ")) };
    let (id, until) = (e.exception.to_string(), exact(e.until));
    view! {
        <li><a href=format!("/exceptions/{id}")>{id.clone()}</a> " " <span dir="auto">{e.title}</span> {format!(" ({}), until {until}", e.control)} <span dir="auto">{agreed}</span></li>
    }
    .piece()
}

fn answered(answer: Answer) -> impl IntoView {
    let moment = exact(answer.at);
    if answer.before_record {
        return view! { <p>{format!("At {moment} it was not on record yet.")}</p> }.piece();
    }
    let boundary = match answer.boundary_sha256 {
        Some(hash) => view! { <p class="small muted">"Its boundary was the present one, " <span class="ref hash">{hash}</span></p> }.piece(),
        None => view! { <p class="small muted">"What is written about it has changed since; the changes are below."</p> }.piece(),
    };
    let approval = match answer.approval {
        None => view! { <p class="small">"No approval by request was in force."</p> }.piece(),
        Some((request, at, by)) => {
            let by = by
                .into_iter()
                .map(|(duty, id, name)| view! { <li><a href=format!("/people/{id}") dir="auto">{name}</a> {format!(" as {}", duty.owner_title().to_lowercase())}</li> }.piece())
                .collect_view();
            view! { <p class="small">"Approved by " <a href=format!("/requests/{request}")>{request.to_string()}</a> {format!(", {}:", exact(at))}</p> <ul class="small plain-list">{by}</ul> }.piece()
        }
    };
    let exceptions = if answer.exceptions.is_empty() {
        view! { <p class="small">"No exception was in force."</p> }.piece()
    } else {
        let lines = answer.exceptions.into_iter().map(excepted).collect_view();
        view! { <p class="small">"Exceptions in force:"</p> <ul class="small plain-list">{lines}</ul> }.piece()
    };
    let boundary = view! { {approval} {exceptions} {boundary} }.piece();
    if answer.duties.is_empty() {
        return view! { <p><span class="vacant">"Nobody"</span> {format!(" was accountable for anything at {moment}.")}</p> {boundary} }.piece();
    }
    let rows = answer
        .duties
        .into_iter()
        .map(|Holder { duty, party, name, named, since }| {
            let named = match named {
                Some((id, name)) => view! { <a href=format!("/people/{id}") dir="auto">{name}</a> " " <span class="ref muted">{id.to_string()}</span> }.piece(),
                None => view! { <span class="vacant">"nobody led it"</span> }.piece(),
            };
            view! {
                <tr>
                    <th scope="row">{duty.owner_title()}</th>
                    <td data-label="Held by"><a href=party.path() dir="auto">{name}</a> " " <span class="ref muted">{party.to_string()}</span></td>
                    <td data-label="Named owner">{named}</td>
                    <td data-label="Since"><time title=exact(since)>{exact(since)}</time></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <p>{format!("At {moment}:")}</p>
        <TableFrame label="Who was accountable" stacks=true compact=true>
            <thead><tr><th scope="col">"Duty"</th><th scope="col">"Held by"</th><th scope="col">"Named owner"</th><th scope="col">"Since"</th></tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
        {boundary}
    }
    .piece()
}
