//! A node of a framework: what it says, what it is related to, and what bears on it here.

use chrono::{DateTime, Utc};
use domain::coverage::ControlKey;
use domain::framework::{Link, LinkSource, Node, Strength, TextKind};
use domain::mapping::{Attestation, Only};
use leptos::prelude::*;

use super::coverage::{Stands, stands};
use super::{licence, link, title};
use crate::components::{Badge, Crumb, Crumbs, IntoPiece, Notice, PageHead, Piece, Section, TableFrame, Tone, When};

/// An attestation, and the name of the person who answers for it.
#[derive(Debug, Clone)]
pub struct Attested {
    /// What is attested.
    pub attestation: Attestation,
    /// Who answers for it.
    pub owner: String,
}

/// What the page of a node shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The node.
    pub node: &'static Node,
    /// The words that it was opened by, where they are not its reference.
    pub cited_as: Option<String>,
    /// Which records bear on it now, how far, and why.
    pub links: Vec<(ControlKey, Strength, String)>,
    /// For which agents alone it counts, and who answers for that.
    pub only: Option<(Only, String)>,
    /// The attestations that hold.
    pub attested: Vec<Attested>,
    /// The reader changes what is said of it.
    pub may_write: bool,
    /// The clock of this page.
    pub now: DateTime<Utc>,
    /// How it stands for the agents; `None` where the reader does not see that.
    pub stands: Option<Stands>,
}

/// The page at `/frameworks/{id}/{node}`; goes inside `Layout`.
#[component]
pub fn NodePage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let node = shown.node;
    let mut trail = vec![Crumb::new("Frameworks", "/frameworks")];
    if let Some(c) = node.catalogue() {
        trail.push(Crumb::new(c.name.clone(), format!("/frameworks/{}", c.id)));
    }
    if let Some(above) = node.above() {
        trail.push(Crumb::new(above.reference.clone(), above.path()));
    }
    trail.push(Crumb::here(node.reference.clone()));
    let evidence = evidence(&shown);
    let cited = shown.cited_as.map(|words| view! { <Badge tone=Tone::Note>{format!("cited as {words}")}</Badge> });
    let kind = node.kind.label();
    let heading = if title(node).is_empty() { node.reference.clone() } else { node.title.clone() };
    view! {
        <Crumbs trail=trail/>
        <PageHead title=heading reference=node.reference.clone() badges=move || view! { <Badge>{kind}</Badge>{cited} }/>
        <div class="stack loose">
            {text(node)}
            {evidence}
            {shown.stands.map(|s| stands(node, s))}
            {below(node)}
            {related(node)}
            {citations(node)}
        </div>
    }
    .piece()
}

fn text(node: &'static Node) -> Piece {
    let says = match &node.text {
        Some(text) => {
            let text = text.clone();
            if node.text_kind == TextKind::Verbatim {
                view! { <blockquote class="prose" dir="auto">{text}</blockquote> }.piece()
            } else {
                view! { <p class="prose" dir="auto">{text}</p> }.piece()
            }
        }
        None => view! { <p class="muted">"Its words may not be shown here."</p> }.piece(),
    };
    let variants = (!node.title_variants.is_empty()).then(|| {
        let all = node.title_variants.join("; ");
        view! { <p class="small muted">"Also called: " <span dir="auto">{all}</span></p> }
    });
    let note = node.note.clone().map(|n| view! { <p class="small muted" dir="auto">{n}</p> });
    let terms = node.catalogue().map(|c| licence(&c.licence));
    view! {
        <Section title="What it says" id="text" actions=move || view! { <span class="small muted">{node.text_kind.label()}</span> }>
            {says} {variants} {note} {terms}
        </Section>
    }
    .piece()
}

/// Until when something holds, and how long that is from now.
fn until(at: DateTime<Utc>, now: DateTime<Utc>) -> Piece {
    view! { "until " <When at=at now=now/> }.piece()
}

fn evidence(shown: &Shown) -> Piece {
    let count = shown.links.len() as u64;
    let rows = shown
        .links
        .iter()
        .cloned()
        .map(|(control, strength, reason)| {
            let tone = if strength == Strength::Full { Tone::Good } else { Tone::Plain };
            view! {
                <tr>
                    <th scope="row">{control.label()}</th>
                    <td data-label="How far"><Badge tone=tone>{strength.label()}</Badge></td>
                    <td data-label="Why" class="text" dir="auto">{reason}</td>
                    <td data-label="When it counts" class="text">{control.formula()}</td>
                </tr>
            }
        })
        .collect_view()
        .piece();
    let body = if count == 0 {
        view! { <p class="muted">"No record that Muster keeps is mapped to it: it is not assessed."</p> }.piece()
    } else {
        view! {
            <TableFrame label="What evidences it here" stacks=true>
                <thead><tr><th scope="col">"Record"</th><th scope="col">"How far"</th><th scope="col">"Why"</th><th scope="col">"When it counts for an agent"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .piece()
    };
    let only = shown.only.clone().map(|(only, owner)| {
        let (who, ends) = (format!("/people/{}", only.owner), until(only.until, shown.now));
        view! {
            <Notice tone=Tone::Note>
                <p>"Counts only while: " {only.condition.label()} ". " <a href=who dir="auto">{owner}</a> " answers for that, " {ends} ": " <span dir="auto">{only.reason}</span></p>
            </Notice>
        }
        .piece()
    });
    let attested = shown
        .attested
        .iter()
        .cloned()
        .map(|Attested { attestation: a, owner }| {
            let of = a.business_unit.map_or_else(|| "all agents".to_owned(), |u| format!("the agents of {u}"));
            let (who, ends) = (format!("/people/{}", a.owner), until(a.until, shown.now));
            view! {
                <Notice tone=Tone::Good title=format!("Attested for {of}")>
                    <p><span dir="auto">{a.says}</span> " Shown by: " <span dir="auto">{a.evidence}</span> ". " <a href=who dir="auto">{owner}</a> " answers for that, " {ends} "."</p>
                </Notice>
            }
            .piece()
        })
        .collect_view()
        .piece();
    let edit = shown.may_write.then(|| format!("{}/mapping", shown.node.path()));
    view! {
        <Section title="What evidences it here" id="evidence" count=count actions=move || view! { {edit.map(|href| view! { <a class="small" href=href>"Change or attest"</a> })} }>
            {only}
            {attested}
            {body}
        </Section>
    }
    .piece()
}

fn below(node: &'static Node) -> Piece {
    let nodes: Vec<&'static Node> = node.below().collect();
    if nodes.is_empty() {
        return ().piece();
    }
    let count = nodes.len() as u64;
    let lines =
        nodes.into_iter().map(|n| view! { <li>{link(n)} " " <span dir="auto">{title(n)}</span></li> }).collect_view();
    view! { <Section title="Below it" id="below" count=count><ul class="plain-list">{lines}</ul></Section> }.piece()
}

fn related(node: &'static Node) -> Piece {
    let pairs = node.related();
    let count = pairs.len() as u64;
    let rows = pairs.into_iter().map(|(n, l)| pair(n, l)).collect_view();
    let body = if count == 0 {
        view! { <p class="muted">"The crosswalk joins it with no other node."</p> }.piece()
    } else {
        view! {
            <TableFrame label="Related nodes" stacks=true>
                <thead><tr><th scope="col">"Node"</th><th scope="col">"Title"</th><th scope="col">"Who says so"</th><th scope="col">"Why"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .piece()
    };
    view! { <Section title="Related nodes" id="related" count=count>{body}</Section> }.piece()
}

fn pair(node: &'static Node, link_: &'static Link) -> Piece {
    let tone = if link_.source == LinkSource::Published { Tone::Good } else { Tone::Plain };
    let catalogue = node.catalogue().map(|c| c.name.clone()).unwrap_or_default();
    let address =
        link_.address.clone().map(|a| view! { " " <a href=a rel="external noreferrer">"Where it is to be read"</a> });
    view! {
        <tr>
            <th scope="row">{link(node)}</th>
            <td data-label="Title" class="text"><span dir="auto">{title(node)}</span><span class="since small muted" dir="auto">{catalogue}</span></td>
            <td data-label="Who says so"><Badge tone=tone>{link_.source.label()}</Badge></td>
            <td data-label="Why" class="text"><span dir="auto">{link_.told()}</span>{address}</td>
        </tr>
    }
    .piece()
}

fn citations(node: &'static Node) -> Piece {
    let cited = node.cited_as();
    if cited.is_empty() {
        return ().piece();
    }
    let lines = cited
        .into_iter()
        .map(|c| {
            let words = match &c.cited_ref {
                Some(reference) => format!("{} {reference}", c.cited_framework),
                None => c.cited_framework.clone(),
            };
            view! { <li><strong dir="auto">{words}</strong> ": " <span dir="auto">{c.reason.clone()}</span> " (" {c.confidence.clone()} ")"</li> }
        })
        .collect_view();
    view! { <Section title="Cited as" id="cited"><ul class="plain-list">{lines}</ul></Section> }.piece()
}
