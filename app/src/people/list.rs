//! The list of people.

use domain::id::PersonId;
use domain::party::{PersonStatus, Role, Roles};
use leptos::prelude::*;

use super::role_words;
use crate::components::{
    Address, Badge, Choice, Column, Empty, Filter, Glyph, Icon, IntoPiece, Kind, LinkButton, Listing, PageHead, Piece,
    Tone,
};

/// A row.
#[derive(Debug, Clone)]
pub struct Line {
    /// Their reference.
    pub id: PersonId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// What they do.
    pub title: String,
    /// Their business unit.
    pub business_unit: String,
    /// Whether they are there.
    pub status: PersonStatus,
    /// Their roles.
    pub roles: Roles,
    /// Whether they are Accountable for anything themselves.
    pub accountable: bool,
    /// Whether they lead a team.
    pub leads: bool,
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
    /// Teams to filter by.
    pub teams: Vec<Choice>,
    /// Whether the reader keeps people.
    pub may_write: bool,
}

impl List {
    fn filters(&self) -> Vec<Filter> {
        let roles = Role::ALL.iter().map(|r| Choice::new(r.key(), r.label())).collect();
        let status = vec![Choice::new("active", "Active"), Choice::new("left", "Left")];
        let mut filters = vec![Filter::new("status", "Status", status), Filter::new("role", "Role", roles)];
        if !self.teams.is_empty() {
            filters.push(Filter::new("team", "Team", self.teams.clone()));
        }
        filters
    }
}

/// The page at `/people`; goes inside `Layout`.
#[component]
pub fn People(
    /// What it shows.
    list: List,
) -> impl IntoView {
    let filters = list.filters();
    let columns = Column::choose(
        vec![
            Column::new("name", "Person").sorts().fixed(),
            Column::new("title", "Title"),
            Column::new("business_unit", "Business unit"),
            Column::new("email", "E-mail address").extra(),
            Column::new("roles", "Roles"),
            Column::new("owns", "Answers for"),
            Column::new("status", "Status"),
        ],
        &list.here,
    );
    let shows = |key| Column::shows(&columns, key);
    let cells = Cells {
        title: shows("title"),
        unit: shows("business_unit"),
        email: shows("email"),
        roles: shows("roles"),
        owns: shows("owns"),
        status: shows("status"),
    };
    let filtered = list.here.get("q").is_some() || filters.iter().any(|f| list.here.get(f.key).is_some());
    let (may_write, shown) = (list.may_write, list.rows.len());
    let rows = list.rows.into_iter().map(|line| row(line, cells)).collect_view();
    view! {
        <PageHead title="People" lead="Who can answer for an agent, and what they may do here."
            actions=move || may_write.then(|| view! { <LinkButton href="/people/new" kind=Kind::Primary><Icon glyph=Glyph::Plus/>"Add a person"</LinkButton> })/>
        <Listing
            here=list.here
            label="People"
            columns=columns
            shown=shown
            total=list.total
            search="Search people"
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
            <Empty title="Nobody matches">
                <p>"Every word of a search must begin a word of the name; or write the beginning of an e-mail address, or a reference such as PE-7."</p>
                <div class="actions"><LinkButton href="/people">"Show everybody"</LinkButton></div>
            </Empty>
        }
        .piece();
    }
    view! {
        <Empty title="Nobody yet">
            <p>"Owners are people, or teams that a person leads. Add those who answer for your agents."</p>
            <div class="actions">
                {may_write.then(|| view! { <LinkButton href="/people/new" kind=Kind::Primary>"Add a person"</LinkButton> })}
            </div>
        </Empty>
    }
    .piece()
}

/// Which cells a row has.
#[derive(Clone, Copy)]
struct Cells {
    title: bool,
    unit: bool,
    email: bool,
    roles: bool,
    owns: bool,
    status: bool,
}

fn row(line: Line, cells: Cells) -> impl IntoView + use<> {
    let reference = line.id.to_string();
    let href = format!("/people/{reference}");
    let left = line.status == PersonStatus::Left;
    view! {
        <tr>
            <th scope="row">
                <a href=href dir="auto">{line.name}</a>
                " "
                <span class="ref muted">{reference.clone()}</span>
            </th>
            {cells.title.then(|| view! { <td data-label="Title"><bdi>{line.title}</bdi></td> })}
            {cells.unit.then(|| view! { <td data-label="Business unit"><bdi>{line.business_unit}</bdi></td> })}
            {cells.email.then(|| view! { <td data-label="E-mail address">{line.email}</td> })}
            {cells.roles.then(|| view! { <td data-label="Roles">{role_words(line.roles)}</td> })}
            {cells.owns.then(|| view! { <td data-label="Answers for">{owns(&reference, line.accountable, line.leads, left)}</td> })}
            {cells.status.then(|| view! { <td data-label="Status"><Status left=left/></td> })}
        </tr>
    }
    .piece()
}

/// What they answer for, as links; for who left, the gaps they left behind.
fn owns(reference: &str, accountable: bool, leads: bool, left: bool) -> Piece {
    if !accountable && !leads {
        return view! { <span class="muted">"nothing"</span> }.piece();
    }
    if left {
        return view! { <a href=format!("/people/{reference}#impact")>"left gaps"</a> }.piece();
    }
    let agents = accountable.then(|| view! { <a href=format!("/agents?owner={reference}")>"agents"</a> });
    let teams = leads.then(|| view! { <a href=format!("/people/{reference}#teams")>"teams they lead"</a> });
    view! { {agents}{(accountable && leads).then_some(", ")}{teams} }.piece()
}

/// Whether somebody is there.
#[component]
pub fn Status(
    /// They are gone.
    left: bool,
) -> impl IntoView {
    if left {
        view! { <Badge tone=Tone::Off>"Left"</Badge> }.piece()
    } else {
        view! { <Badge tone=Tone::Good>"Active"</Badge> }.piece()
    }
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_shown_as_it_is_and_who_left_shows_the_gaps() {
        let line = Line {
            id: PersonId(7),
            name: "نور <b>".into(),
            email: "n@example.org".into(),
            title: String::new(),
            business_unit: String::new(),
            status: PersonStatus::Left,
            roles: Roles::NONE,
            accountable: true,
            leads: false,
        };
        let list = List {
            here: Address::parse("/people", "status=left"),
            rows: vec![line],
            total: Some(1),
            previous: None,
            next: None,
            teams: Vec::new(),
            may_write: false,
        };
        let html = view! { <People list=list/> }.to_html();
        assert!(html.contains(r#"<a href="/people/PE-7" dir="auto">نور &lt;b&gt;</a>"#), "{html}");
        assert!(html.contains("/people/PE-7#impact") && !html.contains("/people/new"), "{html}");
    }
}
