//! Systems: several agents that work together, or a platform that agents share.

use chrono::{DateTime, Utc};
use domain::agent::Lifecycle as State;
use domain::duty::Duty;
use domain::id::{AgentId, SystemId};
use domain::party::Party;
use domain::system::SystemKind;
use domain::tier::Tier as Risk;
use leptos::prelude::*;

use crate::components::{
    Address, Badge, Button, Choice, Column, Crumb, Crumbs, Day, Empty, ErrorSummary, Fact, Facts, Field, Filter, Glyph,
    Icon, IntoPiece, Kind, Lifecycle, LinkButton, Listing, Notice, PageHead, Piece, PostForm, RadioGroup, Refused,
    Section, Swatch, TableFrame, TextArea, Tier, Tone, When,
};

/// A system as the list shows it.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its reference.
    pub id: SystemId,
    /// Its name.
    pub name: String,
    /// What it is, in words.
    pub kind: &'static str,
    /// What it is for.
    pub purpose: String,
    /// How many rules its matrix breaks.
    pub gaps: usize,
}

/// A page of the list.
#[derive(Debug, Clone)]
pub struct List {
    /// Where it is.
    pub here: Address,
    /// The rows.
    pub rows: Vec<Line>,
    /// How many there are in all.
    pub total: Option<u64>,
    /// Where the page before is.
    pub previous: Option<String>,
    /// Where the page after is.
    pub next: Option<String>,
    /// What a system may be.
    pub kinds: Vec<Choice>,
    /// Whether the reader keeps systems.
    pub may_write: bool,
}

/// The page at `/systems`; goes inside `Layout`.
#[component]
pub fn Systems(
    /// What it shows.
    list: List,
) -> impl IntoView {
    let filters = vec![Filter::new("kind", "Kind", list.kinds)];
    let filtered = list.here.get("q").is_some() || list.here.get("kind").is_some();
    let columns = vec![
        Column::new("name", "System").sorts().fixed(),
        Column::new("kind", "Kind").fixed(),
        Column::new("purpose", "Purpose").fixed(),
        Column::new("owners", "Owners").fixed(),
    ];
    let (may_write, shown) = (list.may_write, list.rows.len());
    let rows = list
        .rows
        .into_iter()
        .map(|line| {
            let reference = line.id.to_string();
            let owners = match line.gaps {
                0 => view! { <Swatch tone=Tone::Good/>"Every rule kept" }.piece(),
                1 => view! { <Swatch tone=Tone::Warn/><a href=format!("/systems/{reference}/raci")>"1 gap"</a> }.piece(),
                n => view! { <Swatch tone=Tone::Warn/><a href=format!("/systems/{reference}/raci")>{format!("{n} gaps")}</a> }.piece(),
            };
            view! {
                <tr>
                    <th scope="row"><a href=format!("/systems/{reference}") dir="auto">{line.name}</a> " " <span class="ref muted">{reference.clone()}</span></th>
                    <td data-label="Kind">{line.kind}</td>
                    <td data-label="Purpose" class="text"><bdi>{line.purpose}</bdi></td>
                    <td data-label="Owners"><span class="row">{owners}</span></td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <PageHead title="Systems" lead="Agents that work together, and platforms that agents share. A system’s owner never stands in for a member’s."
            actions=move || may_write.then(|| view! { <LinkButton href="/systems/new" kind=Kind::Primary><Icon glyph=Glyph::Plus/>"Add a system"</LinkButton> })/>
        <Listing
            here=list.here
            label="Systems"
            columns=columns
            shown=shown
            total=list.total
            search="Search systems"
            filters=filters
            default_sort="name"
            previous=list.previous
            next=list.next
            stacks=true
            empty=move || view! { <Nothing filtered=filtered may_write=may_write/> }
        >
            {rows}
        </Listing>
    }
    .piece()
}

#[component]
fn Nothing(filtered: bool, may_write: bool) -> impl IntoView {
    if filtered {
        return view! {
            <Empty title="No system matches">
                <p>"Every word of a search must begin a word of the name; or write a reference such as SY-1."</p>
                <div class="actions"><LinkButton href="/systems">"Show all systems"</LinkButton></div>
            </Empty>
        }
        .piece();
    }
    view! {
        <Empty title="No systems yet">
            <p>"Where several agents do one job together, or run on one platform, record that once; where an agent is edited, one says that it belongs to it."</p>
            <div class="actions">
                {may_write.then(|| view! { <LinkButton href="/systems/new" kind=Kind::Primary>"Add a system"</LinkButton> })}
            </div>
        </Empty>
    }
    .piece()
}

/// An agent of a system.
#[derive(Debug, Clone)]
pub struct Member {
    /// The agent.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub state: State,
    /// Its tier.
    pub tier: Risk,
    /// Whether it counts as running.
    pub runs: bool,
}

/// Who answers for a duty of a system.
#[derive(Debug, Clone)]
pub struct Owner {
    /// The duty.
    pub duty: Duty,
    /// Whether somebody must.
    pub required: bool,
    /// Who does, and by what name.
    pub holder: Option<(Party, String)>,
    /// To whom it is offered.
    pub offered: Option<(Party, String)>,
}

impl Owner {
    fn row(&self) -> Piece {
        let holder = match &self.holder {
            Some((party, name)) => view! { <a href=party.path() dir="auto">{name.clone()}</a> }.piece(),
            None if self.required => view! { <span class="vacant">"Nobody"</span> }.piece(),
            None => view! { <span class="unset">"nobody"</span> }.piece(),
        };
        let offered = self.offered.as_ref().map(|(party, name)| {
            view! { <span class="since small muted">"offered to " <a href=party.path() dir="auto">{name.clone()}</a></span> }
        });
        view! {
            <tr>
                <th scope="row">{self.duty.owner_title()}<span class="since small muted">{self.duty.label()}</span></th>
                <td data-label="Owner">{holder}{offered}</td>
            </tr>
        }
        .piece()
    }
}

/// What the page of a system shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Which system.
    pub id: SystemId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: SystemKind,
    /// The owners of its duties, vacant ones included.
    pub owners: Vec<Owner>,
    /// What is wrong with its matrix: the title of the duty's owner, and a sentence.
    pub wrong: Vec<(&'static str, String)>,
    /// The reader may change its matrix.
    pub may_assign: bool,
    /// What it is for.
    pub purpose: String,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When that last changed.
    pub updated_at: DateTime<Utc>,
    /// Its agents.
    pub members: Vec<Member>,
    /// Whether there are more.
    pub more: bool,
    /// The reader sees the stop state of every agent of it.
    pub controls: bool,
    /// The reader may stop any agent.
    pub may_stop: bool,
    /// The reader keeps systems.
    pub may_write: bool,
    /// The reader reads the record.
    pub may_audit: bool,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page of a system; goes inside `Layout`.
#[component]
pub fn SystemPage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let (may_write, may_audit, kind) = (shown.may_write, shown.may_audit, shown.kind);
    let stop = (shown.controls && !shown.members.is_empty()).then(|| format!("/stop?system={}", shown.id));
    let (stop_words, stop_kind) =
        if shown.may_stop { ("Stop all of it", Kind::Danger) } else { ("Blast radius", Kind::Secondary) };
    let (edit, audit) = (format!("/systems/{}/edit", shown.id), format!("/audit?subject={}", shown.id));
    let platform = shown.kind == SystemKind::Platform;
    let all = format!("/agents?{}={}", if platform { "platform" } else { "system" }, shown.id);
    let raci = format!("/systems/{}/raci", shown.id);
    let kind = kind.label();
    let lead = if platform {
        "Agents that run on it inherit these owners; an agent with an owner of its own for a duty overrides that row."
    } else {
        "A system’s owners never stand in for a member’s: each agent has its own."
    };
    let owners = shown.owners.iter().map(Owner::row).collect_view();
    let wrong = (!shown.wrong.is_empty()).then(|| {
        let lines = shown.wrong.iter().map(|(title, line)| view! { <li><strong>{*title}</strong> ": " <span dir="auto">{line.clone()}</span></li> }).collect_view();
        view! { <Notice tone=Tone::Warn><ul class="plain-list">{lines}</ul></Notice> }
    });
    let fill = shown.may_assign.then(|| {
        let href = format!("/systems/{}/raci/edit", shown.id);
        view! { <a class="small" href=href>"Edit"</a> " " }
    });
    let rows = shown
        .members
        .iter()
        .map(|m| {
            view! {
                <tr>
                    <th scope="row"><a href=format!("/agents/{}", m.id) dir="auto">{m.name.clone()}</a> " " <span class="ref muted">{m.id.to_string()}</span></th>
                    <td data-label="State"><Lifecycle state=m.state.key()/></td>
                    <td data-label="Runs">{if m.runs { "Runs" } else { "Does not run" }}</td>
                    <td data-label="Tier"><Tier tier=m.tier.key()/></td>
                </tr>
            }
        })
        .collect_view();
    let table = if shown.members.is_empty() {
        view! { <p class="muted">{if platform {
            "No agent that you can see runs on it. Where an agent is edited, one says on which platform it runs."
        } else {
            "No agent that you can see belongs to it. An agent is made a member where it is edited."
        }}</p> }
        .piece()
    } else {
        view! {
            <TableFrame label="Agents of the system" stacks=true>
                <thead><tr><th scope="col">"Agent"</th><th scope="col">"State"</th><th scope="col">"Runs"</th><th scope="col">"Tier"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .piece()
    };
    let count = shown.members.len() as u64;
    let more = shown.more.then(|| view! { <p class="small muted">{format!("The first {count} are listed.")}</p> });
    view! {
        <Crumbs trail=vec![Crumb::new("Systems", "/systems"), Crumb::here(shown.id.to_string())]/>
        <PageHead title=shown.name reference=shown.id.to_string()
            badges=move || view! { <Badge>{kind}</Badge> }
            actions=move || view! {
                {may_audit.then(|| view! { <LinkButton href=audit kind=Kind::Quiet>"History"</LinkButton> })}
                {stop.map(|href| view! { <LinkButton href=href kind=stop_kind>{stop_words}</LinkButton> })}
                {may_write.then(|| view! { <LinkButton href=edit>"Edit"</LinkButton> })}
            }/>
        <div class="with-aside">
            <div class="stack loose">
            <Section title="Owners" id="owners" actions=move || view! { {fill}<a class="small" href=raci>"The whole matrix"</a> }>
                <p class="small muted">{lead}</p>
                {wrong}
                <TableFrame label="Owners of the system" stacks=true>
                    <thead><tr><th scope="col">"Duty"</th><th scope="col">"Owner"</th></tr></thead>
                    <tbody class="owners">{owners}</tbody>
                </TableFrame>
            </Section>
            <Section title="Agents" id="agents" count=count actions=move || view! { <a class="small" href=all>"Open in the inventory"</a> }>
                {table}
                {more}
            </Section>
            </div>
            <aside aria-label="Facts">
                <Facts>
                    <Fact term="Purpose" value=shown.purpose/>
                    <Fact term="Recorded"><Day at=shown.created_at/></Fact>
                    <Fact term="Changed"><When at=shown.updated_at now=shown.now/></Fact>
                </Facts>
            </aside>
        </div>
    }
    .piece()
}

/// As typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SystemForm {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: String,
    /// What it is for.
    pub purpose: String,
    /// Why; for changes.
    pub reason: String,
    /// The version that was read.
    pub version: String,
}

/// The page at `/systems/new` and `/systems/SY-1/edit`; goes inside `Layout`.
#[component]
pub fn EditSystem(
    /// The system, when it is recorded already.
    system: Option<(SystemId, String)>,
    /// The form, fresh or refused.
    form: Refused<SystemForm>,
    /// What a system may be.
    kinds: Vec<Choice>,
) -> impl IntoView {
    let Refused { values, errors } = form;
    let known = system.is_some();
    let mut trail = vec![Crumb::new("Systems", "/systems")];
    let (title, back) = if let Some((id, name)) = system {
        trail.push(Crumb::new(id.to_string(), format!("/systems/{id}")));
        trail.push(Crumb::here("Edit"));
        (format!("Edit {name}"), format!("/systems/{id}"))
    } else {
        trail.push(Crumb::here("New"));
        ("Add a system".to_owned(), "/systems".to_owned())
    };
    let version = known.then(|| view! { <input type="hidden" name="version" value=values.version/> });
    let reason = known.then(|| {
        view! {
            <TextArea name="reason" label="Reason" value=values.reason error=errors.of("reason") rows=2
                hint="Why it changes. The record keeps it."/>
        }
    });
    view! {
        <Crumbs trail=trail/>
        <PageHead title=title/>
        <PostForm>
            <ErrorSummary errors=errors.clone()/>
            {version}
            <Field name="name" label="Name" value=values.name error=errors.of("name") required=true maxlength=200
                autocomplete="off" autofocus=!known/>
            <RadioGroup name="kind" legend="Kind" options=kinds selected=values.kind error=errors.of("kind") required=true/>
            <TextArea name="purpose" label="Purpose" value=values.purpose error=errors.of("purpose") rows=3
                hint="What it is for, in a sentence or two."/>
            {reason}
            <div class="actions">
                <Button kind=Kind::Primary>{if known { "Save" } else { "Add" }}</Button>
                <LinkButton href=back kind=Kind::Quiet>"Cancel"</LinkButton>
            </div>
        </PostForm>
    }
    .piece()
}
