//! `/approvals`: what waits for the reader, and every request.

use chrono::{DateTime, Utc};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::request::{RequestKind, RequestState};
use domain::tier::Tier as Level;
use leptos::prelude::*;

use super::tone;
use crate::components::{
    Badge, Button, Empty, ErrorSummary, FieldErrors, IntoPiece, Kind, PageHead, Pager, Piece, Tab, TableFrame, Tabs,
    Tier, Tone, When,
};

/// How far the steps of each list are counted.
const COUNTED: u64 = 100;

/// Which of the lists is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// What waits for the reader.
    Waiting,
    /// Vacant capacities, for security.
    Vacant,
    /// Steps that are late beyond the days of the policy, for the decider's manager and security.
    Escalated,
    /// Open requests.
    Open,
    /// Every request.
    All,
}

/// A step that waits.
#[derive(Debug, Clone)]
pub struct WaitingLine {
    /// The request.
    pub request: RequestId,
    /// What is asked.
    pub kind: RequestKind,
    /// In which capacity.
    pub duty: Duty,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: String,
    /// Its tier.
    pub tier: Level,
    /// Who asked.
    pub requester: String,
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// For whom, when somebody delegated it.
    pub on_behalf_of: Option<String>,
}

/// A request in a list.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its reference.
    pub id: RequestId,
    /// What is asked.
    pub kind: RequestKind,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: String,
    /// Its tier.
    pub tier: Level,
    /// Who asked.
    pub requester: (PersonId, String),
    /// When.
    pub opened_at: DateTime<Utc>,
    /// Where it stands.
    pub state: RequestState,
    /// Steps decided, and steps in all.
    pub decided: (i64, i64),
    /// When the next step is due.
    pub due_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub closed_at: Option<DateTime<Utc>>,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Why those that were ticked are not decided together.
    pub refused: FieldErrors,
    /// Those that were ticked.
    pub ticked: Vec<RequestId>,
    /// Which list.
    pub view: View,
    /// How many steps wait for the reader.
    pub waits: u64,
    /// How many capacities are vacant, for security.
    pub vacant: Option<u64>,
    /// How many steps are escalated to the reader, when any are or their role is to look.
    pub escalated: Option<u64>,
    /// The steps, of the first three lists.
    pub steps: Vec<WaitingLine>,
    /// The requests, of the others.
    pub lines: Vec<Line>,
    /// The reader sees every request, not only those they have a part in.
    pub sees_all: bool,
    /// Where the page before is.
    pub previous: Option<String>,
    /// Where the page after is.
    pub next: Option<String>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page; goes inside `Layout`.
#[component]
pub fn ListPage(
    /// What it shows.
    listed: Listed,
) -> impl IntoView {
    let here = listed.view;
    let mut tabs =
        vec![Tab::new("Waits for you", "/approvals", here == View::Waiting).counting_to(listed.waits, COUNTED)];
    if let Some(vacant) = listed.vacant {
        tabs.push(
            Tab::new("Nobody decides", "/approvals?view=vacant", here == View::Vacant).counting_to(vacant, COUNTED),
        );
    }
    if let Some(escalated) = listed.escalated {
        tabs.push(
            Tab::new("Escalated", "/approvals?view=escalated", here == View::Escalated).counting_to(escalated, COUNTED),
        );
    }
    tabs.push(Tab::new("Open", "/approvals?view=open", here == View::Open));
    tabs.push(Tab::new("All", "/approvals?view=all", here == View::All));
    let lead = match here {
        View::Waiting => "What you decide, soonest due first.",
        View::Vacant => "Steps whose capacity is vacant. Appoint who decides, or fill the duty.",
        View::Escalated => {
            "Steps that are late beyond the days of the policy. Remind whoever decides; their manager and security see them here."
        }
        View::Open | View::All if listed.sees_all => "Requests about every agent, newest first.",
        View::Open | View::All => "Requests that you asked for or decide, newest first.",
    };
    let body = match here {
        View::Waiting | View::Vacant | View::Escalated => steps(&listed),
        View::Open | View::All => lines(&listed),
    };
    let count = match listed.steps.len() + listed.lines.len() {
        1 => "1 row".to_owned(),
        n => format!("{n} rows"),
    };
    let pager = (listed.previous.is_some() || listed.next.is_some())
        .then(|| view! { <Pager count=count previous=listed.previous.clone() next=listed.next.clone()/> });
    view! {
        <PageHead title="Approvals" lead=lead/>
        <Tabs label="Lists" tabs=tabs/>
        {body}
        {pager}
    }
    .piece()
}

fn steps(listed: &Listed) -> Piece {
    if listed.steps.is_empty() {
        let (title, words) = match listed.view {
            View::Vacant => ("Every step has somebody", "No open step is without a decider."),
            View::Escalated => ("Nothing is escalated", "No step is late beyond the days of the policy."),
            _ => (
                "Nothing waits for you",
                "When something is asked of a duty that you hold, it appears here and on your home.",
            ),
        };
        return view! { <Empty title=title><p>{words}</p></Empty> }.piece();
    }
    let now = listed.now;
    // Approvals of agents that are alike may be decided together.
    let ticks =
        listed.view == View::Waiting && listed.steps.iter().filter(|s| s.kind == RequestKind::Approval).count() > 1;
    let rows = listed
        .steps
        .iter()
        .map(|s| {
            let tick = ticks.then(|| {
                let boxed = (s.kind == RequestKind::Approval).then(|| {
                    let (value, label) = (s.request.to_string(), format!("Pick {}: {}", s.request, s.agent_name));
                    view! { <input type="checkbox" name="request" value=value checked=listed.ticked.contains(&s.request) aria-label=label/> }
                });
                view! { <td class="pick">{boxed}</td> }
            });
            let href = s.kind.path(s.request);
            let late = (s.due_at <= now).then(|| view! { " " <Badge tone=Tone::Bad>"Overdue"</Badge> });
            let whose = match (&s.on_behalf_of, listed.view) {
                (Some(n), View::Escalated) => Some(("waits for ", n.clone())),
                (None, View::Escalated) => Some(("nobody decides: ", "the capacity is vacant".to_owned())),
                (n, _) => n.clone().map(|n| ("for ", n)),
            }
            .map(|(how, n)| view! { <span class="small muted block">{how} <bdi>{n}</bdi></span> });
            view! {
                <tr>
                    {tick}
                    <th scope="row"><a href=href>{s.kind.label()}</a> " " <span class="ref muted">{s.request.to_string()}</span></th>
                    <td data-label="Agent"><bdi>{s.agent_name.clone()}</bdi> " " <a class="ref" href=format!("/agents/{}", s.agent)>{s.agent.to_string()}</a></td>
                    <td data-label="Tier"><Tier tier=s.tier.key()/></td>
                    <td data-label="As">{s.duty.owner_title()} {whose}</td>
                    <td data-label="Asked by"><bdi>{s.requester.clone()}</bdi></td>
                    <td data-label="Due"><When at=s.due_at now=now/> {late}</td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    let columns = if ticks { 7 } else { 6 };
    let table = view! {
        <TableFrame label="Steps" stacks=true columns=columns>
            <thead><tr>{ticks.then(|| view! { <th scope="col"><span class="visually-hidden">"Pick"</span></th> })}<th scope="col">"Request"</th><th scope="col">"Agent"</th><th scope="col">"Tier"</th><th scope="col">"As"</th><th scope="col">"Asked by"</th><th scope="col">"Due"</th></tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece();
    if !ticks {
        return table;
    }
    view! {
        <ErrorSummary errors=listed.refused.clone()/>
        <form method="get" action="/approvals/alike">
            {table}
            <div class="bulk"><span class="small muted">"Approvals of agents that reach equally far are decided together; each is recorded apart."</span> <Button kind=Kind::Primary>"Decide together…"</Button></div>
        </form>
    }
    .piece()
}

fn lines(listed: &Listed) -> Piece {
    if listed.lines.is_empty() {
        return view! { <Empty title="No request"><p>"Ask for an approval from the page of an agent that is a draft."</p></Empty> }.piece();
    }
    let now = listed.now;
    let rows = listed
        .lines
        .iter()
        .map(|l| {
            let when = match (l.due_at, l.closed_at) {
                (_, Some(at)) => view! { <When at=at now=now/> }.piece(),
                (Some(at), None) => view! { "due " <When at=at now=now/> }.piece(),
                (None, None) => view! { <span class="muted">"–"</span> }.piece(),
            };
            let (state, decided) = (l.state, format!("{} of {}", l.decided.0, l.decided.1));
            view! {
                <tr>
                    <th scope="row"><a href=l.kind.path(l.id)>{l.kind.label()}</a> " " <span class="ref muted">{l.id.to_string()}</span></th>
                    <td data-label="Agent"><bdi>{l.agent_name.clone()}</bdi> " " <a class="ref" href=format!("/agents/{}", l.agent)>{l.agent.to_string()}</a></td>
                    <td data-label="Tier"><Tier tier=l.tier.key()/></td>
                    <td data-label="State"><Badge tone=tone(state)>{state.label()}</Badge></td>
                    <td class="num" data-label="Decided">{decided}</td>
                    <td data-label="Asked by"><a href=format!("/people/{}", l.requester.0) dir="auto">{l.requester.1.clone()}</a></td>
                    <td data-label="When">{when}</td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    view! {
        <TableFrame label="Requests" stacks=true columns=7>
            <thead><tr><th scope="col">"Request"</th><th scope="col">"Agent"</th><th scope="col">"Tier"</th><th scope="col">"State"</th><th scope="col" class="num">"Decided"</th><th scope="col">"Asked by"</th><th scope="col">"When"</th></tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}
