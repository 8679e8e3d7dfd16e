//! "Still yours?": the duties of which their owner is to say again that they are theirs.

use chrono::{DateTime, Utc};
use domain::duty::Duty;
use domain::id::AgentId;
use domain::party::Party as Who;
use domain::tier::Tier as Risk;
use leptos::prelude::*;

use crate::components::{
    Badge, Button, Crumb, Crumbs, Day, Empty, ErrorSummary, IntoPiece, Kind, LinkButton, PageHead, Pager, PostForm,
    Refused, Tier, Tone, thousands,
};

/// A duty that is asked about.
#[derive(Debug, Clone)]
pub struct Due {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// Its tier.
    pub tier: Risk,
    /// The duty.
    pub duty: Duty,
    /// The team that holds it, when it is not the reader in person.
    pub team: Option<(Who, String)>,
    /// When that was last said.
    pub said_at: DateTime<Utc>,
    /// Since when it is asked.
    pub due_at: DateTime<Utc>,
    /// Who changed department, when it is asked for that.
    pub moved: Option<Mover>,
}

/// Whose change of department makes a duty due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mover {
    /// The reader's own.
    Reader,
    /// That of the team's lead, by name.
    Lead(String),
}

impl Due {
    /// As the form sends it: `AG-7/purpose`.
    pub fn key(&self) -> String {
        format!("{}/{}", self.agent, self.duty)
    }
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Yours {
    /// The rows of this page, an agent's together.
    pub rows: Vec<Due>,
    /// How many there are; `None` above a thousand.
    pub total: Option<u64>,
    /// Where the page before is.
    pub previous: Option<String>,
    /// Where the page after is.
    pub next: Option<String>,
    /// What was ticked, when that was refused.
    pub refused: Refused<Vec<String>>,
}

/// The page at `/still-yours`; goes inside `Layout`.
#[component]
pub fn StillYours(
    /// What it shows.
    yours: Yours,
) -> impl IntoView {
    let Yours { rows, total, previous, next, refused } = yours;
    let head = view! {
        <Crumbs trail=vec![Crumb::new("Home", "/"), Crumb::here("Still yours?")]/>
        <PageHead title="Still yours?" lead="What you own is asked again by the agent’s tier, and at once when you change department. What you say is kept in the record."/>
        <ErrorSummary errors=refused.errors.clone()/>
    };
    if rows.is_empty() {
        return view! {
            {head}
            <Empty title="Nothing is asked of you">
                <p>"Everything you own was confirmed in time."</p>
                <div class="actions"><LinkButton href="/">"Home"</LinkButton></div>
            </Empty>
        }
        .piece();
    }
    let fresh = refused.values.is_empty();
    let seen = rows.iter().map(|due| view! { <input type="hidden" name="seen" value=due.key()/> }).collect_view();
    let count = rows.len();
    let mut groups: Vec<Vec<Due>> = Vec::new();
    for due in rows {
        match groups.last_mut() {
            Some(group) if group.first().is_some_and(|d| d.agent == due.agent) => group.push(due),
            _ => groups.push(vec![due]),
        }
    }
    let groups = groups
        .into_iter()
        .filter_map(|group| {
            let first = group.first()?.clone();
            let lines = group.iter().map(|due| line(due, !fresh && refused.values.contains(&due.key()))).collect_view();
            Some(view! {
                <li class="panel">
                    <h2><a href=format!("/agents/{}", first.agent) dir="auto">{first.name}</a>" "<span class="ref muted">{first.agent.to_string()}</span>" "<Tier tier=first.tier.key()/></h2>
                    <ul class="plain-list">{lines}</ul>
                </li>
            })
        })
        .collect_view();
    let words = match total {
        Some(total) if total > count as u64 => format!("{count} of {}", thousands(total)),
        Some(1) => "1 duty".to_owned(),
        Some(total) => format!("{} duties", thousands(total)),
        None => format!("{count} of more than 1,000"),
    };
    let all = if count == 1 { "Still mine".to_owned() } else { format!("All {count} are still mine") };
    view! {
        {head}
        <PostForm action="/still-yours" wide=true>
            {seen}
            <ul class="stack loose plain-list yours-list" id="field-duty" tabindex="-1">{groups}</ul>
            <div class="actions">
                <Button kind=Kind::Primary name="do" value="all">{all}</Button>
                {(count > 1).then(|| view! { <Button name="do" value="picked">"Those ticked are still mine"</Button> })}
            </div>
        </PostForm>
        <Pager count=words previous=previous next=next/>
    }
    .piece()
}

fn line(due: &Due, ticked: bool) -> impl IntoView + use<> {
    let key = due.key();
    let id = format!("duty-{}-{}", due.agent, due.duty);
    let why = match (&due.moved, due.due_at) {
        (Some(Mover::Reader), _) => view! { " " <Badge tone=Tone::Note>"You changed department"</Badge> }.piece(),
        (Some(Mover::Lead(name)), _) => {
            let words = format!("{name} changed department");
            view! { " " <Badge tone=Tone::Note><bdi>{words}</bdi></Badge> }.piece()
        }
        (None, at) => view! { ", due since " <Day at=at/> }.piece(),
    };
    let team = due.team.clone().map(|(party, name)| view! { ", for " <a href=party.path() dir="auto">{name}</a> });
    let away = format!("/agents/{}/assign?duty={}&next=%2Fstill-yours", due.agent, due.duty);
    let label = format!("{} of {} is not mine any more", due.duty.owner_title(), due.agent);
    view! {
        <li class="choice">
            <input type="checkbox" id=id.clone() name="duty" value=key checked=ticked/>
            <div>
                <label for=id><strong>{due.duty.owner_title()}</strong></label>{team}
                <p class="small muted">"Last said "<Day at=due.said_at/>{why}</p>
                <p class="small"><a href=away aria-label=label>"Not mine any more"</a></p>
            </div>
        </li>
    }
    .piece()
}
