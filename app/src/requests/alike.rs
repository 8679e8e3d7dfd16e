//! Several approvals of agents that are alike, decided together.

use domain::agent::AgentFacts;
use domain::duty::Duty;
use domain::id::{AgentId, RequestId};
use domain::request::worst_case;
use domain::tier::Tier as Level;
use leptos::prelude::*;

use super::boundary;
use crate::components::{
    Button, Crumb, Crumbs, ErrorSummary, IntoPiece, Kind, LinkButton, PageHead, PostForm, Refused, Section, TableFrame,
    TextArea, Tier,
};

/// One of the requests.
#[derive(Debug, Clone)]
pub struct One {
    /// The request.
    pub request: RequestId,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub purpose: String,
    /// The hash of what is decided on.
    pub subject_sha256: String,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Together {
    /// What the agents share.
    pub facts: AgentFacts,
    /// Their tier.
    pub tier: Level,
    /// In which capacities the reader decides.
    pub duties: Vec<Duty>,
    /// The requests.
    pub all: Vec<One>,
    /// The reason that was typed, and what was refused.
    pub form: Refused<String>,
}

/// The page at `/approvals/alike`; goes inside `Layout`.
#[component]
pub fn AlikePage(
    /// What it shows.
    together: Together,
) -> impl IntoView {
    let Together { facts, tier, duties, all, form } = together;
    let count = all.len();
    let rows = all
        .iter()
        .map(|o| {
            view! {
                <tr>
                    <th scope="row"><bdi>{o.name.clone()}</bdi> <a class="ref" href=format!("/agents/{}", o.agent)>{o.agent.to_string()}</a></th>
                    <td class="text" data-label="Purpose" dir="auto">{o.purpose.clone()}</td>
                    <td data-label="Request"><a class="ref" href=format!("/requests/{}", o.request)>{o.request.to_string()}</a></td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    let given = all
        .iter()
        .map(|o| view! { <input type="hidden" name="given" value=format!("{}:{}", o.request, o.subject_sha256)/> })
        .collect_view();
    let titles: Vec<String> = duties.iter().map(|d| d.owner_title().to_lowercase()).collect();
    let (worst, list) = (worst_case(&facts), boundary(&facts));
    let error = form.errors.of("reason");
    let press = if count == 1 { "Approve it".to_owned() } else { format!("Approve all {count}") };
    view! {
        <Crumbs trail=vec![Crumb::new("Approvals", "/approvals"), Crumb::here("Together")]/>
        <PageHead title="Decide together" lead="These agents reach equally far: what is written below holds for each. Each decision is recorded apart."
            badges=move || view! { <Tier tier=tier.key()/> }/>
        <div class="stack loose">
            <Section title="Which agents" id="agents" count=count as u64>
                <TableFrame label="Agents" stacks=true columns=3>
                    <thead><tr><th scope="col">"Agent"</th><th scope="col">"Purpose"</th><th scope="col">"Request"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </TableFrame>
            </Section>
            <Section title="On what" id="boundary">
                <p><strong>"At worst: "</strong> {worst}</p>
                {list}
            </Section>
            <Section title="Your decision" id="decide">
                <PostForm action="/approvals/alike">
                    <ErrorSummary errors=form.errors.clone()/>
                    {given}
                    <p>"You decide as " <strong>{titles.join(", ")}</strong> "."</p>
                    <TextArea name="reason" label="Reason" value=form.values error=error rows=3 hint="Kept in the record of each."/>
                    <div class="actions">
                        <Button kind=Kind::Primary name="do" value="approve">{press}</Button>
                        <LinkButton href="/approvals" kind=Kind::Quiet>"Back"</LinkButton>
                    </div>
                    <p class="small muted">"To reject, to ask, or to set conditions, open a request on its own."</p>
                </PostForm>
            </Section>
        </div>
    }
    .piece()
}
