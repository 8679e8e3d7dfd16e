//! The list of teams.

use domain::id::TeamId;
use domain::party::TeamKind;
use leptos::prelude::*;

use crate::components::{
    Address, Badge, Choice, Column, Empty, Filter, Glyph, Icon, IntoPiece, Kind, LinkButton, Listing, PageHead, Tone,
    thousands,
};
use crate::people::{Named, link_or};

/// A row.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its reference.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: TeamKind,
    /// Its lead, who may be gone.
    pub lead: Option<Named>,
    /// How many members it has.
    pub members: u64,
    /// Whether it is Accountable for anything.
    pub accountable: bool,
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
    /// Whether the reader keeps teams.
    pub may_write: bool,
}

/// The page at `/teams`; goes inside `Layout`.
#[component]
pub fn Teams(
    /// What it shows.
    list: List,
) -> impl IntoView {
    let kinds = TeamKind::ALL.iter().map(|k| Choice::new(k.key(), k.label())).collect();
    let led = vec![Choice::new("yes", "Has an active lead"), Choice::new("no", "Nobody leads it")];
    let filters = vec![Filter::new("kind", "Kind", kinds), Filter::new("led", "Lead", led)];
    let filtered = list.here.get("q").is_some() || filters.iter().any(|f| list.here.get(f.key).is_some());
    let columns = vec![
        Column::new("name", "Team").sorts().fixed(),
        Column::new("kind", "Kind").fixed(),
        Column::new("lead", "Lead").fixed(),
        Column::new("members", "Members").numeric().fixed(),
        Column::new("owns", "Answers for").fixed(),
    ];
    let (may_write, shown) = (list.may_write, list.rows.len());
    let rows = list.rows.into_iter().map(row).collect_view();
    view! {
        <PageHead title="Teams" lead="A team answers for agents only while somebody who is here leads it: that person is the named owner."
            actions=move || may_write.then(|| view! { <LinkButton href="/teams/new" kind=Kind::Primary><Icon glyph=Glyph::Plus/>"Add a team"</LinkButton> })/>
        <Listing
            here=list.here
            label="Teams"
            columns=columns
            shown=shown
            total=list.total
            search="Search teams"
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
            <Empty title="No team matches">
                <p>"Every word of a search must begin a word of the name; or write a reference such as TE-2."</p>
                <div class="actions"><LinkButton href="/teams">"Show all teams"</LinkButton></div>
            </Empty>
        }
        .piece();
    }
    view! {
        <Empty title="No teams yet">
            <p>"Identity, platform, security and incident response are usually held by teams, so that somebody answers when one person is away."</p>
            <div class="actions">
                {may_write.then(|| view! { <LinkButton href="/teams/new" kind=Kind::Primary>"Add a team"</LinkButton> })}
            </div>
        </Empty>
    }
    .piece()
}

fn row(line: Line) -> impl IntoView + use<> {
    let reference = line.id.to_string();
    let leaderless = !line.lead.as_ref().is_some_and(|l| l.active);
    let (members, owns) = (format!("/people?team={reference}"), format!("/agents?owner={reference}"));
    let owns = match (line.accountable, leaderless) {
        (false, _) => view! { <span class="muted">"nothing"</span> }.piece(),
        (true, false) => view! { <a href=owns>"agents"</a> }.piece(),
        (true, true) => view! { <a href=owns>"agents"</a> " " <Badge tone=Tone::Bad>"Nobody leads"</Badge> }.piece(),
    };
    view! {
        <tr>
            <th scope="row">
                <a href=format!("/teams/{reference}") dir="auto">{line.name}</a>
                " "
                <span class="ref muted">{reference.clone()}</span>
            </th>
            <td data-label="Kind">{line.kind.label()}</td>
            <td data-label="Lead">{link_or(line.lead.as_ref(), "nobody")}</td>
            <td data-label="Members" class="num"><a href=members>{thousands(line.members)}</a></td>
            <td data-label="Answers for">{owns}</td>
        </tr>
    }
    .piece()
}
