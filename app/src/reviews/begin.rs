//! Beginning: a review of one agent, and a campaign over a selection.

use chrono::{DateTime, Utc};
use domain::id::AgentId;
use leptos::prelude::*;

use crate::agents::{Picked, agents, carried};
use crate::components::{
    Button, Crumb, Crumbs, ErrorSummary, Field, FieldErrors, IntoPiece, Kind, LinkButton, Notice, PageHead, PostForm,
    Refused, TextArea, Tone, When, thousands,
};

/// A review that is about to be begun.
#[derive(Debug, Clone)]
pub struct Begin {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// When it is due by the clock, for who may know.
    pub due_at: Option<DateTime<Utc>>,
    /// Why it cannot be begun, as a sentence.
    pub barred: Option<String>,
    /// What was typed.
    pub reason: String,
    /// What was refused.
    pub errors: FieldErrors,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page at `/reviews/new`; goes inside `Layout`.
#[component]
pub fn BeginPage(
    /// What it shows.
    begin: Begin,
) -> impl IntoView {
    let (agent, now) = (begin.agent, begin.now);
    let due = begin.due_at.map(|at| {
        let (tone, words) =
            if at <= now { (Tone::Warn, "Its review was due ") } else { (Tone::Plain, "Its review falls due ") };
        view! { <Notice tone=tone><p>{words}<When at=at now=now/>"."</p></Notice> }
    });
    let body = match begin.barred {
        Some(why) => view! { <Notice tone=Tone::Bad title="It cannot be begun"><p>{why}</p></Notice> }.piece(),
        None => view! {
            <PostForm action="/reviews">
                <ErrorSummary errors=begin.errors.clone()/>
                <input type="hidden" name="agent" value=agent.to_string()/>
                <input type="hidden" name="from" value="new"/>
                <TextArea name="reason" label="Why" value=begin.reason.clone() error=begin.errors.of("reason") rows=3 hint="The reviewer reads it. Kept in the record."/>
                <div class="actions">
                    <Button kind=Kind::Primary name="do" value="begin">"Begin the review"</Button>
                    <LinkButton href=format!("/agents/{agent}") kind=Kind::Quiet>"Cancel"</LinkButton>
                </div>
            </PostForm>
        }
        .piece(),
    };
    view! {
        <Crumbs trail=vec![Crumb::new("Reviews", "/reviews"), Crumb::here("New")]/>
        <PageHead title=format!("Review: {}", begin.name) reference=agent.to_string()
            lead="Whoever is accountable for its review sees its purpose, its boundary and what happened, and answers."/>
        {due}
        {body}
    }
    .piece()
}

/// What is typed for a campaign.
#[derive(Debug, Clone, Default)]
pub struct NewCampaignForm {
    /// What it is called.
    pub name: String,
    /// Until when, as a day.
    pub due: String,
    /// Why.
    pub reason: String,
    /// Where to go when it is cancelled.
    pub next: String,
}

/// A campaign that is about to be made.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Which agents.
    pub picked: Picked,
    /// How many that is.
    pub count: u64,
    /// The first of them, to recognise them by.
    pub first: Vec<(AgentId, String)>,
    /// What was typed.
    pub form: Refused<NewCampaignForm>,
    /// The first and last day that may be chosen.
    pub days: (String, String),
}

/// The page at `/agents/review`; goes inside `Layout`.
#[component]
pub fn NewCampaignPage(
    /// What it shows.
    selected: Selected,
) -> impl IntoView {
    let Selected { picked, count, first, form, days } = selected;
    let Refused { values, errors } = form;
    let back = if values.next.is_empty() { "/agents".to_owned() } else { values.next.clone() };
    let named = first
        .iter()
        .map(|(id, name)| view! { <li><a href=format!("/agents/{id}") dir="auto">{name.clone()}</a> " " <span class="ref muted">{id.to_string()}</span></li> })
        .collect_view();
    let more = count.saturating_sub(first.len() as u64);
    let more = (more > 0).then(|| view! { <li class="muted">{format!("and {} more", thousands(more))}</li> });
    view! {
        <Crumbs trail=vec![Crumb::new("Agents", "/agents"), Crumb::here("Review campaign")]/>
        <PageHead title=format!("Review {}", agents(count))
            lead="A review is asked for each, of whoever reviews it. One that is open joins; what was never approved, or is on its way out, is left out and named."/>
        <div class="with-aside">
            <div>
                <PostForm action="/agents/review">
                    <ErrorSummary errors=errors.clone()/>
                    {carried(&picked)}
                    <input type="hidden" name="next" value=values.next.clone()/>
                    <Field name="name" label="Name" value=values.name.clone() error=errors.of("name") required=true hint="The reviewers see it: “Payments agents, spring”."/>
                    <Field name="due" label="Answers due" kind="date" value=values.due.clone() error=errors.of("due") min=days.0 max=days.1 required=true short=true/>
                    <TextArea name="reason" label="Why" value=values.reason.clone() error=errors.of("reason") rows=3 hint="The reviewers read it. Kept in the record."/>
                    <div class="actions">
                        <Button kind=Kind::Primary name="do" value="make">{format!("Begin the review of {}", agents(count))}</Button>
                        <LinkButton href=back kind=Kind::Quiet>"Cancel"</LinkButton>
                    </div>
                </PostForm>
            </div>
            <aside class="panel" aria-labelledby="picked-title">
                <h2 id="picked-title">{agents(count)}</h2>
                <ul class="plain-list picked-list">{named}{more}</ul>
            </aside>
        </div>
    }
    .piece()
}
