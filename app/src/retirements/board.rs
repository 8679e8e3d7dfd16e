//! The page at `/retirements`: what is being retired, how far it is, and whose turn it is.

use chrono::{DateTime, Utc};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::party::Party as Who;
use domain::request::RequestState;
use leptos::prelude::*;

use super::{Sign, party, signs, tone, words};
use crate::components::{
    Badge, Empty, IntoPiece, LinkButton, Meter, Notice, PageHead, Pager, Piece, Tab, TableFrame, Tabs, Tier, Tone, When,
};

/// What a retirement waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// A row: its number, what, and whose turn it is.
    Row(i64, String, Option<(Duty, Who, String)>),
    /// The days of the watch.
    Watch(DateTime<Utc>),
    /// Signatures of these duties.
    Signatures(Vec<Duty>),
    /// Nothing: it ended.
    Ended,
}

/// A retirement on the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The retirement.
    pub id: RequestId,
    /// The agent and its name.
    pub agent: (AgentId, String),
    /// Its tier.
    pub tier: domain::tier::Tier,
    /// Who asked.
    pub requester: (PersonId, String),
    /// When.
    pub opened_at: DateTime<Utc>,
    /// Where it stands.
    pub state: RequestState,
    /// When it ended.
    pub closed_at: Option<DateTime<Utc>>,
    /// Rows closed, and rows in all.
    pub closed: (usize, usize),
    /// How many of the closed were waived.
    pub waived: usize,
    /// What it waits for.
    pub next: Next,
    /// It gave a sign of life.
    pub alive: bool,
}

/// Everything the board shows.
#[derive(Debug, Clone)]
pub struct Board {
    /// `open`, `retired`, `ended` or `all`.
    pub view: &'static str,
    /// The retirements, newest first.
    pub lines: Vec<Line>,
    /// Where newer ones are.
    pub newer: Option<String>,
    /// Where older ones are.
    pub older: Option<String>,
    /// Signs of life.
    pub signs: Vec<Sign>,
    /// Agents that are retiring without a retirement that is open.
    pub stranded: Vec<(AgentId, String)>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The views of the board, by key.
pub(crate) const VIEWS: [(&str, &str); 4] =
    [("open", "Under way"), ("approved", "Retired"), ("rejected", "Refused"), ("all", "All")];

/// The board; goes inside `Layout`.
#[component]
pub fn BoardPage(
    /// What it shows.
    board: Board,
) -> impl IntoView {
    let now = board.now;
    let tabs = VIEWS
        .iter()
        .map(|(key, label)| Tab {
            label: (*label).to_owned(),
            href: if *key == "open" { "/retirements".to_owned() } else { format!("/retirements?state={key}") },
            count: None,
            most: None,
            current: *key == board.view,
        })
        .collect();
    let body = if board.lines.is_empty() {
        let (title, told) = match board.view {
            "open" => ("Nothing is being retired", "An agent is retired from its own page: open it, and press Retire."),
            "approved" => {
                ("No agent was retired here yet", "What was retired leaves a tombstone, which is listed here.")
            }
            _ => ("None", "There is no such retirement among those that you may see."),
        };
        view! { <Empty title=title><p>{told}</p><div class="actions"><LinkButton href="/agents">"Agents"</LinkButton></div></Empty> }.piece()
    } else {
        let rows = board.lines.iter().map(|l| line(l, now)).collect_view();
        let count = match board.lines.len() {
            1 => "1 on this page".to_owned(),
            n => format!("{n} on this page"),
        };
        view! {
            <TableFrame label="Retirements" stacks=true columns=6>
                <thead><tr>
                    <th scope="col">"Agent"</th><th scope="col">"Tier"</th><th scope="col">"Progress"</th>
                    <th scope="col">"Next"</th><th scope="col">"Whose turn"</th><th scope="col">"Since"</th>
                </tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            <Pager count=count previous=board.newer.clone() next=board.older.clone()/>
        }
        .piece()
    };
    let stranded = stranded(&board.stranded);
    view! {
        <PageHead title="Retirements"
            lead="An agent ends row by row: stopped, its keys revoked, its tools taken away, watched. Nothing ends while a row is open."/>
        <div class="stack loose">
            {signs(&board.signs, now)}
            {stranded}
            <Tabs label="Retirements" tabs=tabs/>
            {body}
        </div>
    }
    .piece()
}

fn stranded(list: &[(AgentId, String)]) -> Option<Piece> {
    if list.is_empty() {
        return None;
    }
    let lines = list
        .iter()
        .map(|(id, name)| {
            view! {
                <li>
                    <a href=format!("/agents/{id}") dir="auto">{name.clone()}</a> " " <span class="ref">{id.to_string()}</span> " "
                    <a href=format!("/agents/{id}/retire")>"Start it again"</a>
                </li>
            }
            .piece()
        })
        .collect_view();
    Some(
        view! {
            <Notice tone=Tone::Warn title="On their way out, and nobody is at it">
                <p>"Their retirement was taken back, refused, void or lapsed. They do not come back; what was done is carried over."</p>
                <ul>{lines}</ul>
            </Notice>
        }
        .piece(),
    )
}

fn line(l: &Line, now: DateTime<Utc>) -> Piece {
    let (agent, name) = l.agent.clone();
    let state = l.state;
    let here = format!("/retirements/{}", l.id);
    let (closed, of) = l.closed;
    let waived = (l.waived > 0).then(|| format!(", {} waived", l.waived));
    let (next, turn) = match l.next.clone() {
        Next::Row(place, what, turn) => {
            let title = turn.as_ref().map(|(duty, ..)| duty.owner_title());
            let who = party(turn.map(|(_, who, name)| (who, name)));
            (
                view! { <a href=format!("{here}#row-{place}") dir="auto">{what}</a> }.piece(),
                view! { {who} {title.map(|t| view! { <span class="since small muted">{t}</span> })} }.piece(),
            )
        }
        Next::Watch(until) => (
            view! { "Watched until " <When at=until now=now/> }.piece(),
            view! { <span class="muted">"the clock"</span> }.piece(),
        ),
        Next::Signatures(duties) => {
            let who = duties.iter().map(|d| d.owner_title()).collect::<Vec<_>>().join(", ");
            (view! { <a href=format!("{here}#signatures")>"Signatures"</a> }.piece(), who.piece())
        }
        Next::Ended => {
            let at = l.closed_at.map(|at| view! { <span class="since small muted"><When at=at now=now/></span> });
            (
                view! { <Badge tone=tone(state)>{words(state)}</Badge> {at} }.piece(),
                view! { <span class="muted">"–"</span> }.piece(),
            )
        }
    };
    let alive = l.alive.then(|| view! { " " <Badge tone=Tone::Severe>"Sign of life"</Badge> });
    let who = Who::Person(l.requester.0);
    view! {
        <tr>
            <th scope="row" class="text"><div><a href=here.clone() dir="auto">{name}</a> {alive}<span class="since small muted"><span class="ref">{l.id.to_string()}</span> " " <span class="ref">{agent.to_string()}</span></span></div></th>
            <td data-label="Tier"><Tier tier=l.tier.key()/></td>
            <td data-label="Progress"><Meter label="Rows closed" value=closed as u64 of=of as u64/><span class="since small muted">{format!("{closed} of {of}")}{waived}</span></td>
            <td data-label="Next" class="text">{next}</td>
            <td data-label="Whose turn">{turn}</td>
            <td data-label="Since"><When at=l.opened_at now=now/><span class="since small muted">"by " <a href=who.path() dir="auto">{l.requester.1.clone()}</a></span></td>
        </tr>
    }
    .piece()
}

impl Board {
    /// The key of a view that an address asks for.
    pub fn view_of(asked: Option<&str>) -> Option<&'static str> {
        match asked {
            None => Some("open"),
            Some(key) => VIEWS.iter().map(|(k, _)| *k).find(|k| *k == key),
        }
    }
}
