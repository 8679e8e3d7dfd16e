//! Coverage: how far what is on record about the agents bears on each framework, by business unit;
//! the nodes of one framework; the agents behind a number; and how all of it is counted.

use chrono::{DateTime, Utc};
use domain::coverage::{ControlKey, Counts, Outcome, Standing};
use domain::exception::days_until;
use domain::framework::{Catalogue, Node};
use domain::id::AgentId;
use domain::tier::Tier as Risk;
use leptos::prelude::*;

use super::{licence, link, title};
use crate::components::{
    Address, Badge, Crumb, Crumbs, Empty, Fact, Facts, IntoPiece, Kind, LinkButton, Meter, Notice, PageHead, Pager,
    Piece, Section, TableFrame, Tier, Tone, thousands,
};

/// The most business units that the map shows; the file has them all.
pub const UNITS: usize = 100;

/// A business unit, or all of them.
#[derive(Debug, Clone)]
pub struct UnitRow {
    /// As it is written; empty for agents without one. `None` for all of them.
    pub name: Option<String>,
    /// Its agents.
    pub agents: i64,
    /// Pairs of node and agent, by catalogue.
    pub cells: Vec<Counts>,
}

/// What the map shows.
#[derive(Debug, Clone)]
pub struct Map {
    /// The catalogues.
    pub catalogues: &'static [Catalogue],
    /// All units first, then each.
    pub rows: Vec<UnitRow>,
    /// There are more units.
    pub more: bool,
    /// Agents by outcome of each control, in the order of `Outcome::ALL`.
    pub controls: Vec<(ControlKey, [i64; 4])>,
    /// Agents are there that are not counted yet.
    pub behind: bool,
}

fn count(n: i64) -> String {
    thousands(u64::try_from(n).unwrap_or(0))
}

fn whole(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

const fn tone(standing: Standing) -> Tone {
    match standing {
        Standing::Met => Tone::Good,
        Standing::Partly => Tone::Note,
        Standing::Excepted => Tone::Warn,
        Standing::Missing => Tone::Bad,
        Standing::NotAssessed => Tone::Plain,
        Standing::NotApplicable => Tone::Off,
    }
}

const fn outcome_tone(outcome: Outcome) -> Tone {
    match outcome {
        Outcome::Met => Tone::Good,
        Outcome::Excepted => Tone::Warn,
        Outcome::Missing => Tone::Bad,
        Outcome::NotApplicable => Tone::Off,
    }
}

/// What a business unit is called.
fn unit_name(name: &str) -> String {
    if name.is_empty() { "No business unit".to_owned() } else { name.to_owned() }
}

/// A catalogue in a heading: its name up to the first dash or bracket.
fn short(catalogue: &Catalogue) -> &str {
    catalogue.name.split([':', '(', '–']).next().unwrap_or_default().trim()
}

fn cell(catalogue: &Catalogue, name: &str, unit: Option<&str>, counts: &Counts) -> Piece {
    let mut here = Address::new(format!("/frameworks/{}/coverage", catalogue.id));
    if let Some(unit) = unit {
        // An empty business unit is asked for as `-`.
        here = here.with("unit", if unit.is_empty() { "-" } else { unit });
    }
    let told = Standing::ALL
        .iter()
        .filter(|s| counts.of(**s) > 0)
        .map(|s| format!("{} {}", count(counts.of(*s)), s.label().to_lowercase()))
        .collect::<Vec<_>>()
        .join(", ");
    let (met, of) = (whole(counts.of(Standing::Met)), whole(counts.denominator()));
    let partly = whole(counts.of(Standing::Partly) + counts.of(Standing::Met));
    let some = (partly * 100).checked_div(of).map(|percent| format!("{percent}% touched"));
    let label = format!("{}, {name}: met", catalogue.name);
    view! {
        <td data-label=short(catalogue).to_owned()>
            <a href=here.href() title=told><Meter label=label value=met of=of tone=Tone::Good/></a>
            <span class="since small muted">{some}</span>
        </td>
    }
    .piece()
}

/// The page at `/frameworks/coverage`; goes inside `Layout`.
#[component]
pub fn MapPage(
    /// What it shows.
    map: Map,
) -> impl IntoView {
    let headings = map
        .catalogues
        .iter()
        .map(|c| view! { <th scope="col"><a href=format!("/frameworks/{}", c.id) title=c.name.clone()>{short(c).to_owned()}</a></th> })
        .collect_view();
    let rows = map
        .rows
        .iter()
        .map(|row| {
            let name = row.name.as_deref().map_or_else(|| "All agents".to_owned(), unit_name);
            let cells = map
                .catalogues
                .iter()
                .zip(&row.cells)
                .map(|(c, counts)| cell(c, &name, row.name.as_deref(), counts))
                .collect_view();
            view! {
                <tr>
                    <th scope="row" dir="auto">{name}<span class="since small muted">{format!("{} agents", count(row.agents))}</span></th>
                    {cells}
                </tr>
            }
        })
        .collect_view();
    let nothing = map.rows.iter().all(|r| r.agents == 0);
    let table = if nothing {
        view! { <Empty title="Nothing to cover yet"><p>"Coverage counts agents that are not retired, and there is none."</p></Empty> }.piece()
    } else {
        view! {
            <TableFrame label="Coverage by framework and business unit" boxed=true>
                <thead><tr><th scope="col">"Business unit"</th>{headings}</tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .piece()
    };
    let more = map.more.then(|| view! { <p class="small muted">{format!("The {UNITS} largest units are listed; the file has all of them.")}</p> });
    let behind = map.behind.then(|| view! { <Notice tone=Tone::Note><p>"Agents are still being counted after an update: these numbers lack some of them."</p></Notice> });
    view! {
        <Crumbs trail=vec![Crumb::new("Frameworks", "/frameworks"), Crumb::here("Coverage")]/>
        <PageHead title="Coverage" lead="How far what is on record about the agents, at this moment, bears on each framework. Every number leads to its rows."
            actions=move || view! { <LinkButton href="/frameworks/coverage.csv" kind=Kind::Quiet>"Export CSV"</LinkButton> }/>
        <div class="stack loose">
            {behind}
            <Section title="Framework by business unit" id="map">{table}{more}
                <p class="small muted">"The percentage is met; “touched” is met or partly met. Both are of all pairs of node and agent but those that are not applicable, and nodes that are not assessed stay among them."</p>
            </Section>
            {formula()}
            {controls(&map.controls)}
        </div>
    }
    .piece()
}

/// How a node stands, in words.
fn formula() -> Piece {
    let rows = Standing::ALL
        .iter()
        .map(|s| {
            view! { <tr><th scope="row"><Badge tone=tone(*s)>{s.label()}</Badge></th><td class="text">{s.formula()}</td></tr> }
        })
        .collect_view();
    view! {
        <Section title="How it is counted" id="formula">
            <p class="prose">"A node and an agent make a pair, and each pair stands in one way. The share that is met is pairs met, of all pairs but those not applicable. A pair follows the clock: the second a drill, a review, an approval, an exception or an attestation lapses, it stands otherwise."</p>
            <TableFrame label="How a node stands for an agent">
                <thead><tr><th scope="col">"Stands"</th><th scope="col">"When"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

/// What the controls count.
fn controls(counted: &[(ControlKey, [i64; 4])]) -> Piece {
    let rows = counted
        .iter()
        .map(|(control, n)| {
            let cells = if control.measured() {
                Outcome::ALL
                    .iter()
                    .map(|o| view! { <td class="num" data-label=o.label()>{count(n[*o as usize])}</td> })
                    .collect_view()
                    .piece()
            } else {
                view! { <td colspan="4" class="muted">"Not measured"</td> }.piece()
            };
            view! { <tr><th scope="row">{control.label()}<span class="since small muted">{control.formula()}</span></th>{cells}</tr> }
        })
        .collect_view();
    let headings = Outcome::ALL.iter().map(|o| view! { <th scope="col" class="num">{o.label()}</th> }).collect_view();
    view! {
        <Section title="What is counted, and what is not" id="controls">
            <p class="prose">"Each kind of record that the crosswalk maps to nodes, and for how many agents it stands how. What is not measured is never met."</p>
            <TableFrame label="Records that evidence nodes">
                <thead><tr><th scope="col">"Record"</th>{headings}</tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

/// A node of one framework, counted.
#[derive(Debug, Clone)]
pub struct NodeRow {
    /// The node.
    pub node: &'static Node,
    /// The agents.
    pub counts: Counts,
}

/// What the coverage of a framework shows.
#[derive(Debug, Clone)]
pub struct OfFramework {
    /// The catalogue.
    pub catalogue: &'static Catalogue,
    /// Of which business unit alone.
    pub unit: Option<String>,
    /// The nodes.
    pub rows: Vec<NodeRow>,
    /// The agents that are counted.
    pub agents: i64,
    /// Where the same is as a file.
    pub export: String,
}

/// Where the agents of a node are that stand so.
fn agents_at(node: &Node, standing: Option<Standing>, unit: Option<&str>) -> String {
    let mut here = Address::new(format!("{}/agents", node.path()));
    if let Some(standing) = standing {
        here = here.with("standing", standing.key());
    }
    if let Some(unit) = unit {
        here = here.with("unit", if unit.is_empty() { "-" } else { unit });
    }
    here.href()
}

/// The page at `/frameworks/{id}/coverage`; goes inside `Layout`.
#[component]
pub fn FrameworkCoverage(
    /// What it shows.
    shown: OfFramework,
) -> impl IntoView {
    let c = shown.catalogue;
    let unit = shown.unit.clone();
    let mut all = Counts::default();
    let rows = shown
        .rows
        .iter()
        .map(|row| {
            all.join(&row.counts, 1);
            let cells = Standing::ALL
                .iter()
                .map(|s| {
                    let n = row.counts.of(*s);
                    let number = if n == 0 {
                        view! { <span class="muted">"0"</span> }.piece()
                    } else {
                        view! { <a href=agents_at(row.node, Some(*s), unit.as_deref())>{count(n)}</a> }.piece()
                    };
                    view! { <td class="num" data-label=s.label()>{number}</td> }
                })
                .collect_view();
            view! { <tr><th scope="row">{link(row.node)}<span class="since small muted" dir="auto">{title(row.node)}</span></th>{cells}</tr> }
        })
        .collect_view();
    let headings = Standing::ALL.iter().map(|s| view! { <th scope="col" class="num">{s.label()}</th> }).collect_view();
    let percent = all.percent().map_or_else(|| "Nothing to measure".to_owned(), |p| format!("{p}%"));
    let of = shown.unit.as_deref().map(unit_name);
    let lead = of.as_ref().map_or_else(
        || "All agents that are not retired.".to_owned(),
        |name| format!("Agents of {name} that are not retired."),
    );
    let wider = of.is_some().then(|| {
        view! { <LinkButton href=format!("/frameworks/{}/coverage", c.id) kind=Kind::Quiet>"All agents"</LinkButton> }
    });
    let export = shown.export;
    view! {
        <Crumbs trail=vec![Crumb::new("Frameworks", "/frameworks"), Crumb::new("Coverage", "/frameworks/coverage"), Crumb::here(c.name.clone())]/>
        <PageHead title=format!("Coverage of {}", short(c)) lead=lead
            actions=move || view! { {wider}<LinkButton href=export kind=Kind::Quiet>"Export CSV"</LinkButton> }/>
        <div class="stack loose">
            <Facts>
                <Fact term="Agents" value=count(shown.agents)/>
                <Fact term="Met" value=percent/>
                <Fact term="Pairs counted" value=count(all.denominator())/>
                <Fact term="Not assessed among them" value=count(all.of(Standing::NotAssessed))/>
                <Fact term="Not applicable, left out" value=count(all.of(Standing::NotApplicable))/>
            </Facts>
            <Section title="Agents by node" id="nodes" count=shown.rows.len() as u64 actions=move || view! { <a class="small" href="/frameworks/coverage#formula">"How it is counted"</a> }>
                <TableFrame label="Agents by node and how it stands" columns=7>
                    <thead><tr><th scope="col">"Node"</th>{headings}</tr></thead>
                    <tbody>{rows}</tbody>
                </TableFrame>
            </Section>
            {licence(&c.licence)}
        </div>
    }
    .piece()
}

/// An agent behind a number.
#[derive(Debug, Clone)]
pub struct AgentRow {
    /// The agent.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// Its business unit.
    pub business_unit: String,
    /// Its tier.
    pub tier: Risk,
    /// How the node stands.
    pub standing: Standing,
    /// How each control that the node reads stands.
    pub controls: Vec<(ControlKey, Outcome)>,
    /// When the first exception that the node reads ends.
    pub excepted_until: Option<DateTime<Utc>>,
}

/// What the agents of a node are shown with.
#[derive(Debug, Clone)]
pub struct Behind {
    /// The node.
    pub node: &'static Node,
    /// Those that stand so alone.
    pub standing: Option<Standing>,
    /// Those of this business unit alone.
    pub unit: Option<String>,
    /// The rows.
    pub rows: Vec<AgentRow>,
    /// How many in all.
    pub total: u64,
    /// Where the page after is.
    pub next: Option<String>,
    /// Where the same is as a file.
    pub export: String,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page at `/frameworks/{id}/{node}/agents`; goes inside `Layout`.
#[component]
pub fn AgentsPage(
    /// What it shows.
    behind: Behind,
) -> impl IntoView {
    let node = behind.node;
    let now = behind.now;
    let unit = behind.unit.clone();
    let tabs = std::iter::once(None)
        .chain(Standing::ALL.iter().copied().map(Some))
        .map(|s| {
            let label = s.map_or("All", Standing::label);
            crate::components::Tab::new(label, agents_at(node, s, unit.as_deref()), s == behind.standing)
        })
        .collect::<Vec<_>>();
    let rows = behind
        .rows
        .iter()
        .map(|row| {
            let left = row.excepted_until.map(|at| {
                let days = days_until(at, now);
                let words = if days == 1 { "1 day left".to_owned() } else { format!("{days} days left") };
                view! { <span class="since small muted">{words}</span> }
            });
            let standing = row.standing;
            let why = row
                .controls
                .iter()
                .copied()
                .map(|(control, outcome)| view! { <li><Badge tone=outcome_tone(outcome)>{outcome.label()}</Badge>" "{control.label()}</li> })
                .collect_view();
            view! {
                <tr>
                    <th scope="row"><a href=format!("/agents/{}", row.id) dir="auto">{row.name.clone()}</a>" "<span class="ref muted">{row.id.to_string()}</span></th>
                    <td data-label="Business unit" class="text" dir="auto">{unit_name(&row.business_unit)}</td>
                    <td data-label="Tier"><Tier tier=row.tier.key()/></td>
                    <td data-label="Stands"><Badge tone=tone(standing)>{standing.label()}</Badge>{left}</td>
                    <td data-label="Why" class="text"><ul class="plain-list">{why}</ul></td>
                </tr>
            }
        })
        .collect_view()
        .piece();
    let table = if behind.rows.is_empty() {
        view! {
            <Empty title="No agent stands so">
                <p>"No agent that is counted here stands in this way at this moment."</p>
                <div class="actions"><LinkButton href=agents_at(node, None, None)>"Show all agents"</LinkButton></div>
            </Empty>
        }
        .piece()
    } else {
        let words = format!("{} of {}", thousands(behind.rows.len() as u64), thousands(behind.total));
        view! {
            <TableFrame label="Agents" stacks=true columns=5>
                <thead><tr><th scope="col">"Agent"</th><th scope="col">"Business unit"</th><th scope="col">"Tier"</th><th scope="col">"Stands"</th><th scope="col">"Why"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            <Pager count=words next=behind.next/>
        }
        .piece()
    };
    let lead = behind
        .unit
        .as_deref()
        .map_or_else(|| "All business units.".to_owned(), |name| format!("Business unit: {}.", unit_name(name)));
    let (export, framework) = (behind.export, node.catalogue().map(|c| c.name.clone()).unwrap_or_default());
    view! {
        <Crumbs trail=vec![
            Crumb::new("Frameworks", "/frameworks"),
            Crumb::new(framework, format!("/frameworks/{}/coverage", node.catalogue)),
            Crumb::new(node.reference.clone(), node.path()),
            Crumb::here("Agents"),
        ]/>
        <PageHead title=format!("Agents and {}", node.reference) lead=lead
            actions=move || view! { <LinkButton href=export kind=Kind::Quiet>"Export CSV"</LinkButton> }/>
        <crate::components::Tabs label="How the node stands" tabs=tabs/>
        <Section title="Agents" id="agents" count=behind.total>{table}</Section>
    }
    .piece()
}

/// What the page of a node says of the agents.
#[derive(Debug, Clone, Copy)]
pub struct Stands {
    /// The agents.
    pub counts: Counts,
}

/// The agents of a node by how it stands, each number a link to them.
pub(super) fn stands(node: &'static Node, stands: Stands) -> Piece {
    let rows = Standing::ALL
        .iter()
        .map(|s| {
            let n = stands.counts.of(*s);
            view! { <Fact term=s.label()><a href=agents_at(node, Some(*s), None)>{count(n)}</a></Fact> }
        })
        .collect_view();
    let rows = rows.piece();
    view! {
        <Section title="Agents" id="agents" count=whole(stands.counts.denominator()) actions=move || view! { <a class="small" href="/frameworks/coverage#formula">"How it is counted"</a> }>
            <Facts>{rows}</Facts>
        </Section>
    }
    .piece()
}
