//! Frameworks: the catalogues of others, their nodes, and what of the register bears on them.

pub mod coverage;
pub mod edit;
pub mod node;

use domain::framework::{Catalogue, Licence, Node};
use leptos::prelude::*;

use crate::components::{
    Address, Badge, Crumb, Crumbs, Empty, Fact, Facts, IntoPiece, Kind, LinkButton, Notice, PageHead, Piece, SearchBox,
    Section, TableFrame, Tone, thousands,
};

pub use node::{NodePage, Shown};

/// The most hits that a search shows.
pub const HITS: usize = 100;

/// What the page of all catalogues shows.
#[derive(Debug, Clone)]
pub struct Library {
    /// Where it is.
    pub here: Address,
    /// The catalogues.
    pub catalogues: &'static [Catalogue],
    /// What a search has found; `None` without one.
    pub found: Option<Vec<&'static Node>>,
    /// The reader sees coverage.
    pub may_cover: bool,
}

/// The line that a licence asks for, what was changed, and where the licence is.
pub(crate) fn licence(licence: &Licence) -> Piece {
    let attribution = licence.attribution.clone().map(|line| view! { <span dir="auto">{line}</span> ". " });
    let name = match licence.url.clone() {
        Some(url) => view! { <a href=url rel="external noreferrer" dir="auto">{licence.name.clone()}</a> }.piece(),
        None => view! { <span dir="auto">{licence.name.clone()}</span> }.piece(),
    };
    let changes = licence.changes.clone().map(|c| view! { " Changed: " <span dir="auto">{c}</span> });
    view! { <p class="small muted">{attribution} "Licence: " {name} "." {changes}</p> }.piece()
}

/// A node's reference as a link.
pub(crate) fn link(node: &Node) -> Piece {
    view! { <a class="ref" href=node.path()>{node.reference.clone()}</a> }.piece()
}

/// The title, where it says more than the reference.
pub(crate) fn title(node: &Node) -> String {
    if node.title == node.reference { String::new() } else { node.title.clone() }
}

/// The page at `/frameworks`; goes inside `Layout`.
#[component]
pub fn LibraryPage(
    /// What it shows.
    library: Library,
) -> impl IntoView {
    let here = library.here;
    let asked = here.get("q").unwrap_or_default().to_owned();
    let body = match library.found {
        Some(found) => hits(&asked, &found),
        None => shelf(library.catalogues),
    };
    view! {
        <PageHead title="Frameworks" lead="What others ask of an organisation that runs AI agents, and what of this register bears on it."
            actions=move || library.may_cover.then(|| view! { <LinkButton href="/frameworks/coverage" kind=Kind::Primary>"Coverage"</LinkButton> })/>
        <div class="stack loose">
            <SearchBox here=here label="Search nodes: ASI03, NHI1, revocation"/>
            {body}
        </div>
    }
    .piece()
}

fn shelf(catalogues: &'static [Catalogue]) -> Piece {
    let rows = catalogues
        .iter()
        .map(|c| {
            view! {
                <tr>
                    <th scope="row"><a href=format!("/frameworks/{}", c.id) dir="auto">{c.name.clone()}</a><span class="since small muted" dir="auto">{c.status.clone()}</span></th>
                    <td data-label="Publisher" class="text" dir="auto">{c.publisher.clone()}</td>
                    <td data-label="Version" class="text" dir="auto">{c.version.clone()}</td>
                    <td data-label="Nodes" class="num">{thousands(c.nodes.len() as u64)}</td>
                </tr>
            }
        })
        .collect_view();
    let terms = catalogues
        .iter()
        .map(|c| view! { <li><strong dir="auto">{c.name.clone()}</strong>{licence(&c.licence)}</li> })
        .collect_view();
    view! {
        <Section title="Catalogues" id="catalogues" count=catalogues.len() as u64>
            <TableFrame label="Catalogues" stacks=true>
                <thead><tr><th scope="col">"Catalogue"</th><th scope="col">"Publisher"</th><th scope="col">"Version"</th><th scope="col" class="num">"Nodes"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </Section>
        <Section title="Sources and licences" id="licences">
            <ul class="plain-list">{terms}</ul>
        </Section>
    }
    .piece()
}

fn hits(asked: &str, found: &[&'static Node]) -> Piece {
    if found.is_empty() {
        return view! {
            <Empty title="No node matches">
                <p>"Every word must be in the reference, the title or the text of a node; or write a reference such as ASI03."</p>
                <div class="actions"><LinkButton href="/frameworks">"Show all catalogues"</LinkButton></div>
            </Empty>
        }
        .piece();
    }
    let cited = domain::framework::cite(asked).and_then(|c| c.cited_as).map(|words| {
        view! { <Notice tone=Tone::Note><p>"“" <span dir="auto">{words}</span> "” is not a reference of these catalogues as it stands. What it is taken for comes first."</p></Notice> }
    });
    let rows = found.iter().take(HITS).map(|n| row(n, true, 0)).collect_view();
    let more =
        (found.len() > HITS).then(|| view! { <p class="small muted">{format!("The first {HITS} are listed.")}</p> });
    view! {
        {cited}
        <Section title="Nodes" id="nodes" count=found.len() as u64 actions=move || view! { <a class="small" href="/frameworks">"All catalogues"</a> }>
            <TableFrame label="Nodes" stacks=true>
                <thead><tr><th scope="col">"Node"</th><th scope="col">"Title"</th><th scope="col">"Kind"</th><th scope="col">"Catalogue"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            {more}
        </Section>
    }
    .piece()
}

fn row(node: &'static Node, whole: bool, depth: usize) -> Piece {
    let name = node.catalogue().map(|c| c.name.clone()).unwrap_or_default();
    let catalogue = whole.then(|| {
        view! { <td data-label="Catalogue" class="text"><a href=format!("/frameworks/{}", node.catalogue) dir="auto">{name}</a></td> }
    });
    let mark = "– ".repeat(depth);
    view! {
        <tr>
            <th scope="row"><span class="muted" aria-hidden="true">{mark}</span>{link(node)}</th>
            <td data-label="Title" class="text" dir="auto">{title(node)}</td>
            <td data-label="Kind">{node.kind.label()}</td>
            {catalogue}
        </tr>
    }
    .piece()
}

/// How deep a node lies in its catalogue.
fn depth(node: &'static Node) -> usize {
    std::iter::successors(node.above(), |n| n.above()).filter(|n| n.catalogue == node.catalogue).take(5).count()
}

/// What the page of a catalogue shows.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Where it is.
    pub here: Address,
    /// The catalogue.
    pub catalogue: &'static Catalogue,
    /// Its nodes, or those that a search leaves.
    pub nodes: Vec<&'static Node>,
    /// The reader sees coverage.
    pub may_cover: bool,
}

/// The page at `/frameworks/{id}`; goes inside `Layout`.
#[component]
pub fn CataloguePage(
    /// What it shows.
    opened: Opened,
) -> impl IntoView {
    let c = opened.catalogue;
    let searched = opened.here.get("q").is_some();
    let rows = opened.nodes.iter().map(|n| row(n, false, if searched { 0 } else { depth(n) })).collect_view();
    let notes = c.notes.iter().map(|n| view! { <li dir="auto">{n.clone()}</li> }).collect_view();
    let export = format!("/frameworks/{}/nodes.csv", c.id);
    let counts = c.counts.iter().map(|(kind, n)| format!("{n} {kind}")).collect::<Vec<_>>().join(", ");
    let table = if opened.nodes.is_empty() {
        view! {
            <Empty title="No node matches">
                <p>"Every word must be in the reference, the title or the text of a node."</p>
                <div class="actions"><LinkButton href=format!("/frameworks/{}", c.id)>"Show all nodes"</LinkButton></div>
            </Empty>
        }
        .piece()
    } else {
        view! {
            <TableFrame label="Nodes" stacks=true>
                <thead><tr><th scope="col">"Node"</th><th scope="col">"Title"</th><th scope="col">"Kind"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .piece()
    };
    let covered = opened.may_cover.then(|| format!("/frameworks/{}/coverage", c.id));
    let (count, status) = (opened.nodes.len() as u64, c.status.clone());
    view! {
        <Crumbs trail=vec![Crumb::new("Frameworks", "/frameworks"), Crumb::here(c.name.clone())]/>
        <PageHead title=c.name.clone()
            badges=move || view! { <Badge>{status}</Badge> }
            actions=move || view! {
                {covered.map(|href| view! { <LinkButton href=href>"Coverage"</LinkButton> })}
                <LinkButton href=export kind=Kind::Quiet>"Export CSV"</LinkButton>
            }/>
        <div class="with-aside">
            <div class="stack loose">
                <SearchBox here=opened.here label="Search its nodes"/>
                <Section title="Nodes" id="nodes" count=count>{table}</Section>
            </div>
            <aside aria-label="Facts" class="stack">
                <Facts>
                    <Fact term="Publisher" value=c.publisher.clone()/>
                    <Fact term="Version" value=c.version.clone()/>
                    <Fact term="Published" value=c.published.clone().unwrap_or_default()/>
                    <Fact term="Nodes" value=counts/>
                </Facts>
                {licence(&c.licence)}
                <ul class="notes small muted">{notes}</ul>
            </aside>
        </div>
    }
    .piece()
}
