//! Asking for an approval, or for a suspended agent to run again: what it takes, then the words.

use chrono::{DateTime, Utc};
use domain::agent::AgentFacts;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId};
use leptos::prelude::*;

use super::{boundary, date};
use crate::components::{
    Button, Crumb, Crumbs, ErrorSummary, Field, IntoPiece, Kind, Notice, PageHead, Piece, PostForm, Refused, Section,
    TableFrame, TextArea, Tone, When,
};

/// A step as it would be asked.
#[derive(Debug, Clone)]
pub struct Step {
    /// Whose owner decides.
    pub duty: Duty,
    /// Why.
    pub because: Vec<String>,
    /// Only after every other.
    pub last: bool,
    /// Who that is now.
    pub decider: Option<(PersonId, String)>,
    /// Until when.
    pub due_at: DateTime<Utc>,
}

/// What was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AskForm {
    /// What the deciders must know.
    pub reason: String,
    /// Who reviews what tools of high sensitivity do, by name.
    pub reviewer: String,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// It was approved before: this asks again.
    pub again: bool,
    /// What is decided on.
    pub facts: AgentFacts,
    /// Who decides.
    pub steps: Vec<Step>,
    /// What must be mended first.
    pub blocked: Vec<String>,
    /// A human reviewer must be named.
    pub needs_reviewer: bool,
    /// When it would lapse.
    pub lapses_at: DateTime<Utc>,
    /// The version of the policy.
    pub policy_version: i64,
    /// The form.
    pub form: Refused<AskForm>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The steps as a table: whom the policy asks, and why.
#[component]
pub fn StepsTable(
    /// The steps.
    steps: Vec<Step>,
    /// The clock of this page.
    now: DateTime<Utc>,
) -> impl IntoView {
    let rows = steps
        .into_iter()
        .map(|s| {
            let who = match s.decider {
                Some((id, name)) => view! { <a href=format!("/people/{id}") dir="auto">{name}</a> }.piece(),
                None => view! { <span class="warning">"nobody yet: security appoints somebody"</span> }.piece(),
            };
            let last =
                s.last.then(|| view! { <span class="small muted block">"Last: a formal second approval."</span> });
            view! {
                <tr>
                    <th scope="row">{s.duty.owner_title()}</th>
                    <td data-label="Who">{who}</td>
                    <td class="text" data-label="Why">{s.because.join(" ")} {last}</td>
                    <td data-label="Until"><When at=s.due_at now=now/></td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    view! {
        <TableFrame label="Who decides" stacks=true columns=4>
            <thead><tr><th scope="col">"As"</th><th scope="col">"Who"</th><th scope="col">"Why"</th><th scope="col">"Until"</th></tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}

/// The page at `/agents/AG-1/submit`; goes inside `Layout`.
#[component]
pub fn AskPage(
    /// What it shows.
    asking: Asking,
    /// For a suspended agent to run again, not for an approval.
    #[prop(optional)]
    resume: bool,
) -> impl IntoView {
    let agent = asking.agent;
    let title = match (resume, asking.again) {
        (true, _) => "Ask to resume",
        (false, true) => "Ask for a fresh approval",
        (false, false) => "Ask for approval",
    };
    let n = asking.steps.len();
    let lead = format!(
        "{n} {} decide on exactly this boundary. If it changes meanwhile, what was decided is void.",
        if n == 1 { "person’s capacity is asked to" } else { "capacities" }
    );
    let blocked = (!asking.blocked.is_empty()).then(|| {
        let list = asking.blocked.iter().map(|b| view! { <li>{b.clone()}</li> }).collect_view();
        let edit = format!("/agents/{agent}/edit");
        view! {
            <Notice tone=Tone::Bad title="It cannot be asked for yet">
                <ul>{list}</ul>
                <p><a href=edit>"Edit the agent"</a></p>
            </Notice>
        }
    });
    let form = asking.blocked.is_empty().then(|| ask_form(&asking));
    let purpose = asking.facts.purpose.clone();
    let facts = boundary(&asking.facts);
    let (steps, now) = (asking.steps.clone(), asking.now);
    let policy = format!("Computed by version {} of the ", asking.policy_version);
    let lapses = format!(" It lapses on {} if somebody has not decided by then.", date(asking.lapses_at));
    view! {
        <Crumbs trail=vec![Crumb::new("Agents", "/agents"), Crumb::new(agent.to_string(), format!("/agents/{agent}")), Crumb::here(title)]/>
        <PageHead title=format!("{title}: {}", asking.name) reference=agent.to_string() lead=lead/>
        {blocked}
        <Section title="Who decides" id="steps">
            <StepsTable steps=steps now=now/>
            <p class="small muted">{policy} " " <a href="/policy">"policy"</a> ". " {lapses}</p>
        </Section>
        <Section title="On what" id="boundary">
            <blockquote class="purpose" dir="auto">{purpose}</blockquote>
            {facts}
        </Section>
        {form}
    }
    .piece()
}

fn ask_form(asking: &Asking) -> Piece {
    let errors = asking.form.errors.clone();
    let values = asking.form.values.clone();
    let summary = errors.clone();
    let (reason_error, reviewer_error) = (errors.of("reason"), errors.of("reviewer"));
    let reviewer = asking.needs_reviewer.then(|| {
        view! {
            <Field name="reviewer" label="Human reviewer" value=values.reviewer.clone() error=reviewer_error required=true
                hint="It uses a tool of high sensitivity: who looks at what it does with it? A name, an e-mail address or a reference."/>
        }
    });
    view! {
        <PostForm>
            <ErrorSummary errors=summary/>
            {reviewer}
            <TextArea name="reason" label="What the deciders must know" value=values.reason error=reason_error rows=3 hint="Why now, what is at stake. Kept in the record."/>
            <div class="actions"><Button kind=Kind::Primary>"Ask for it"</Button></div>
        </PostForm>
    }
    .piece()
}
