//! The page at `/agents/{id}/retire`: what it takes, before it is started.

use domain::agent::Running;
use domain::duty::Duty;
use domain::id::{AgentId, RequestId};
use domain::party::Party as Who;
use domain::retirement::Planned;
use leptos::prelude::*;

use super::party;
use crate::components::{
    Button, Crumb, Crumbs, ErrorSummary, IntoPiece, Kind, LinkButton, Notice, PageHead, PostForm, Refused, Section,
    TableFrame, TextArea, Tone,
};

/// The form that starts a retirement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartForm {
    /// Why.
    pub reason: String,
}

/// Everything the page shows.
#[derive(Debug, Clone)]
pub struct Start {
    /// The agent.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// It is retired already.
    pub retired: bool,
    /// Whether it runs.
    pub running: Running,
    /// Its tier.
    pub tier: domain::tier::Tier,
    /// For how many days it is watched.
    pub watch_days: i64,
    /// The rows, and who would do each.
    pub rows: Vec<(Planned, Option<(Duty, Who, String)>)>,
    /// Requests that would be void, by name.
    pub voids: Vec<(RequestId, &'static str)>,
    /// The retirement that is open already.
    pub open: Option<RequestId>,
    /// The form.
    pub form: Refused<StartForm>,
}

/// Starting a retirement; goes inside `Layout`.
#[component]
pub fn StartPage(
    /// What it shows.
    start: Start,
) -> impl IntoView {
    let id = start.id;
    let crumbs = view! {
        <Crumbs trail=vec![Crumb::new("Agents", "/agents"), Crumb::new(id.to_string(), format!("/agents/{id}")), Crumb::here("Retire")]/>
    };
    let Refused { values, errors } = start.form.clone();
    let error = errors.of("reason");
    let form = if let Some(open) = start.open {
        view! {
            <Notice tone=Tone::Note title="It is being retired already">
                <p><LinkButton href=format!("/retirements/{open}")>{format!("Open {open}")}</LinkButton></p>
            </Notice>
        }
        .piece()
    } else if start.retired {
        view! { <Notice><p>"It is retired. What is left is its tombstone, on its page."</p></Notice> }.piece()
    } else {
        let runs = start.running.counts().then(|| {
            let words = if start.running == Running::Yes { "It runs. " } else { "Whether it runs is not known, which counts as running. " };
            view! {
                <Notice tone=Tone::Warn>
                    <p>{words} "Starting its retirement does not stop it: that is the second row. If it must stop now, " <a href=format!("/agents/{id}/stop#now")>"stop it first"</a> "."</p>
                </Notice>
            }
        });
        let voids = (!start.voids.is_empty()).then(|| {
            let list = start
                .voids
                .iter()
                .map(|(id, kind)| format!("{id} ({})", kind.to_lowercase()))
                .collect::<Vec<_>>()
                .join(", ");
            view! { <p>{format!("What else was asked about it becomes void: {list}.")}</p> }
        });
        view! {
            {runs}
            <PostForm>
                <TextArea name="reason" label="Why it is retired" value=values.reason.clone() error=error rows=3 required=true hint="Whoever relies on it reads it, and it stays on the tombstone."/>
                {voids}
                <p class="small muted">"It is retiring from that moment and does not come back: it can no longer become active, and nothing but a tombstone follows."</p>
                <div class="actions"><Button kind=Kind::Final>{format!("Start retiring {id}")}</Button></div>
            </PostForm>
        }
        .piece()
    };
    let tier = start.tier;
    let evidence = if domain::retirement::enough(tier, domain::retirement::Proof::Claimed) {
        "A link, a file or a system's answer shows a row."
    } else {
        "At this tier a bare link is not enough: a file or a system's answer shows a row."
    };
    let rows = start
        .rows
        .iter()
        .zip(1_usize..)
        .map(|((planned, who), n)| {
            let title = who.as_ref().map_or(planned.kind.duty(), |(duty, ..)| *duty).owner_title();
            let subject = (!planned.subject.is_empty())
                .then(|| view! { <span class="since small told" dir="auto">{planned.subject.clone()}</span> });
            let who = party(who.clone().map(|(_, who, name)| (who, name)));
            view! {
                <tr>
                    <td data-label="Row" class="num">{n}</td>
                    <th scope="row" class="text"><div>{planned.kind.label()}{subject}</div></th>
                    <td data-label="Who">{who}<span class="since small muted">{title}</span></td>
                    <td data-label="What it takes" class="text">{planned.kind.told()}</td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    let count = start.rows.len() as u64;
    let watched = start.watch_days;
    view! {
        {crumbs}
        <PageHead title=format!("Retire {}", start.name) reference=id.to_string()
            lead="Row by row, each with its owner and its evidence; the business owner and the identity owner sign at the end."/>
        <ErrorSummary errors=errors/>
        <div class="stack loose">
            {form}
            <Section title="What it takes" id="rows" count=count>
                <p class="small muted">{format!("{evidence} After it was stopped it is watched for {watched} days ({} tier).", tier.label().to_lowercase())}</p>
                <TableFrame label="The checklist" stacks=true>
                    <thead><tr><th scope="col">"Row"</th><th scope="col">"What"</th><th scope="col">"Who"</th><th scope="col">"What it takes"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </TableFrame>
            </Section>
        </div>
    }
    .piece()
}
