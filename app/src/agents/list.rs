//! The inventory: every agent the reader may see, found, sorted and picked.

use chrono::{DateTime, Utc};
use domain::agent::{Environment, Hosting, Lifecycle, Running};
use domain::assignment::RuntimeOwner;
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::AgentId;
use domain::party::Party;
use domain::policy::When;
use domain::stop::Uses;
use domain::tier::Tier;
use leptos::prelude::*;

use super::choices;
use super::page::stop_words;
use crate::components::tone::{life_words, running_words, tier_words};
use crate::components::{
    Address, Bulk, Choice, Column, Empty, Filter, Glyph, Icon, IntoPiece, Kind, LinkButton, Listing, Markup, PageHead,
    Piece, Tone, When, stop_state_words, thousands,
};
use crate::islands::Picks;
use crate::people::Named;
use crate::stops::href_of_uses;

/// A row.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its reference.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// Its business unit; may be empty.
    pub business_unit: String,
    /// Where it is deployed.
    pub environment: Environment,
    /// Who hosts it.
    pub hosting: Hosting,
    /// Where it is in its life.
    pub state: Lifecycle,
    /// Whether it runs.
    pub running: Running,
    /// Its tier.
    pub tier: Tier,
    /// The tier's points.
    pub tier_points: i64,
    /// Whether somebody can stop it; `None` once retired, or when the reader may not know.
    pub runtime_owner: Option<RuntimeOwner>,
    /// Who is to stop it, or was asked to.
    pub runtime_party: Option<(Party, String)>,
    /// They were only asked.
    pub offered: bool,
    /// They hold it, and are not there any more.
    pub gone: bool,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// In a view of owners who are gone: of which duty, and who is next in line for it.
    pub next: Vec<(Duty, Named)>,
}

/// What the reader may do with the inventory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rights {
    /// Register an agent.
    pub register: bool,
    /// Import an inventory.
    pub import: bool,
    /// Take the rows away as a file.
    pub export: bool,
    /// Offer duties of any agent, in bulk too.
    pub assign: bool,
    /// See findings and stop state.
    pub controls: bool,
    /// Make review campaigns.
    pub review: bool,
}

impl Rights {
    /// Whether rows are picked for anything.
    const fn picks(self) -> bool {
        self.assign || self.review
    }
}

/// A page of the inventory.
#[derive(Debug, Clone)]
pub struct List {
    /// Where it is.
    pub here: Address,
    /// The rows.
    pub rows: Vec<Line>,
    /// How many there are in all, if that is known.
    pub total: Option<u64>,
    /// Where the page before is.
    pub previous: Option<String>,
    /// Where the page after is.
    pub next: Option<String>,
    /// Whether the register holds no agent at all.
    pub none_at_all: bool,
    /// Business units to choose from.
    pub units: Vec<String>,
    /// Words for the values in the address that are references: `PE-7`, `IM-1`.
    pub names: Vec<(String, String)>,
    /// What the reader may do.
    pub may: Rights,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

impl List {
    /// The filters: those one chooses, and those that only links set, shown while in force.
    fn filters(&self) -> Vec<Filter> {
        let mut filters = vec![
            Filter::new("runs", "Runs", vec![Choice::new("yes", "Runs or may run"), Choice::new("no", "Does not run")]),
            Filter::new("state", "State", choices!(Lifecycle)),
            Filter::new("environment", "Environment", choices!(Environment)),
            Filter::new("tier", "Tier", choices!(Tier)),
        ];
        if self.may.controls {
            let states = RuntimeOwner::ALL.iter().map(|s| Choice::new(s.key(), stop_state_words(s.key()).0)).collect();
            filters.insert(0, Filter::new("runtime_owner", "Who can stop it", states));
            filters.push(Filter::new("finding", "Finding", choices!(FindingKey)));
        }
        let units = self.units.iter().map(|unit| Choice::new(unit, unit)).collect::<Vec<_>>();
        if !units.is_empty() {
            filters.push(Filter::new("business_unit", "Business unit", units));
        }
        if let Some(key) = self.here.get("excepted").and_then(|key| key.parse::<FindingKey>().ok()) {
            filters.push(Filter::new("excepted", "Excepted", vec![Choice::new(key.key(), key.label())]));
        }
        if let Some(duty) = self.here.get("vacant").and_then(|key| key.parse::<Duty>().ok()) {
            let words = format!("no {}", duty.owner_title().to_lowercase());
            filters.push(Filter::new("vacant", "Vacant", vec![Choice::new(duty.key(), words)]));
        }
        for (key, label) in [("condition", "Policy"), ("without_condition", "Policy, not")] {
            if let Some(when) = self.here.get(key).and_then(|key| key.parse::<When>().ok()) {
                filters.push(Filter::new(key, label, vec![Choice::new(when.key(), when.in_sentence())]));
            }
        }
        for (key, label) in [
            ("business_unit", "Business unit"),
            ("running", "Running"),
            ("due", "When"),
            ("owner", "Owner"),
            ("wave", "Import"),
            ("system", "System"),
            ("platform", "Runs on"),
            ("operated_by", "Operated by"),
            ("vendor", "Vendor"),
            ("tool", "Tool"),
            ("credential", "Credential"),
        ] {
            if let (Some(value), false) = (self.here.get(key), filters.iter().any(|filter| filter.key == key)) {
                let words = match (key, value) {
                    ("due", "yes") => "due now",
                    ("due", "no") => "waits for its import’s date",
                    _ => self
                        .names
                        .iter()
                        .find(|(reference, _)| reference == value)
                        .map_or(value, |(_, name)| name.as_str()),
                };
                filters.push(Filter::new(key, label, vec![Choice::new(value, words)]));
            }
        }
        filters
    }

    fn columns(&self) -> Vec<Column> {
        let stop = if self.may.controls {
            Column::new("runtime_owner", "Who can stop it").sorts()
        } else {
            Column::new("runtime_owner", "Runtime owner")
        };
        let all = vec![
            Column::new("name", "Agent").sorts().fixed(),
            stop,
            Column::new("running", "Runs"),
            Column::new("state", "State"),
            Column::new("tier", "Tier").sorts(),
            Column::new("business_unit", "Business unit").sorts(),
            Column::new("environment", "Environment").extra(),
            Column::new("hosting", "Hosting").extra(),
            Column::new("id", "Reference").sorts().extra(),
            Column::new("updated_at", "Changed").sorts().extra(),
        ];
        Column::choose(all, &self.here)
    }

    fn filtered(&self) -> bool {
        self.here.pairs().iter().any(|(key, _)| !matches!(key.as_str(), "sort" | "columns" | "cursor" | "before"))
    }
}

/// Which cells a row has.
#[derive(Clone, Copy)]
struct Cells {
    stop: bool,
    running: bool,
    state: bool,
    tier: bool,
    unit: bool,
    environment: bool,
    hosting: bool,
    id: bool,
    updated: bool,
}

impl Cells {
    fn of(columns: &[Column]) -> Self {
        let shows = |key| Column::shows(columns, key);
        Self {
            stop: shows("runtime_owner"),
            running: shows("running"),
            state: shows("state"),
            tier: shows("tier"),
            unit: shows("business_unit"),
            environment: shows("environment"),
            hosting: shows("hosting"),
            id: shows("id"),
            updated: shows("updated_at"),
        }
    }
}

/// The way to the blast radius, named by what the reader does there.
fn radius(href: String, stops: bool) -> Piece {
    if stops {
        view! { <LinkButton href=href kind=Kind::Danger>"Stop all of them"</LinkButton> }.piece()
    } else {
        view! { <LinkButton href=href>"Blast radius"</LinkButton> }.piece()
    }
}

/// Where everything that uses one thing is stopped, when that is all that the list is about.
fn everything(here: &Address) -> Option<String> {
    let about = |key: &str| !["sort", "cursor", "before", "columns"].contains(&key);
    let mut named = here.pairs().iter().filter(|(key, _)| about(key));
    match (named.next(), named.next()) {
        (Some((key, value)), None) => Uses::parse(key, value).map(|uses| href_of_uses(&uses)),
        _ => None,
    }
}

/// The inventory page; goes inside `Layout`.
#[component]
pub fn Inventory(
    /// What it shows.
    list: List,
) -> impl IntoView {
    let may = list.may;
    let columns = list.columns();
    let cells = Cells::of(&columns);
    let filters = list.filters();
    let filtered = list.filtered();
    let shown = list.rows.len();
    let export = if may.export && shown > 0 {
        elsewhere(&list.here.first_page(), "/agents/export.csv").href()
    } else {
        String::new()
    };
    let all =
        elsewhere(&list.here.first_page().without("sort").without("columns"), "/agents/assign").with("all", "yes");
    let all = match list.here.get("vacant") {
        Some(duty) => all.with("duty", duty),
        None if list.here.get("runtime_owner").is_some() => all.with("duty", Duty::Containment.key()),
        None => all,
    }
    .href();
    let model = elsewhere(&list.here.first_page().without("sort").without("columns"), "/agents/model")
        .with("all", "yes")
        .href();
    let review = elsewhere(&list.here.first_page().without("sort").without("columns"), "/agents/review")
        .with("all", "yes")
        .href();
    let total = list.total;
    // A press in a row comes back to the view.
    let next = list.rows.iter().any(|line| !line.next.is_empty()).then(|| list.here.href());
    // What a view asks about is what its rows lack.
    let duty =
        list.here.get("vacant").or(list.here.get("runtime_owner").map(|_| Duty::Containment.key())).map(str::to_owned);
    let bulk = (may.picks() && shown > 0).then(|| Bulk {
        action: if may.assign { "/agents/assign" } else { "/agents/review" }.to_owned(),
        controls: (move || {
            let everything = match total {
                Some(total) if total > shown as u64 => Some(format!("all {} that match", thousands(total))),
                None => Some("all that match".to_owned()),
                Some(_) => None,
            };
            let reviewed = everything.clone().filter(|_| may.review).map(|words| format!("Review {words}"));
            let everything = everything.filter(|_| may.assign).map(|words| format!("Assign {words}"));
            let assign = may.assign.then(|| {
                view! {
                    <button class="button primary" formmethod="get">"Assign…"</button>
                    <button class="button" formmethod="get" formaction="/agents/model">"Apply a model…"</button>
                }
            });
            let pick_review = may.review.then(|| {
                view! { <button class="button" formmethod="get" formaction="/agents/review">"Review…"</button> }
            });
            view! {
                <Picks/>
                {duty.map(|duty| view! { <input type="hidden" name="duty" value=duty/> })}
                {next.map(|next| view! { <input type="hidden" name="next" value=next/> })}
                {assign}
                {pick_review}
                {everything.map(|words| view! { <a class="button quiet" href=all>{words}</a> <a class="button quiet" href=model>"Apply a model to all"</a> })}
                {reviewed.map(|words| view! { <a class="button quiet" href=review>{words}</a> })}
            }
        })
        .into(),
    });
    let (now, none_at_all) = (list.now, list.none_at_all);
    let stop = everything(&list.here).filter(|_| may.controls && shown > 0);
    let clear = Address::new(list.here.path()).href();
    let mut rows = Markup::with_capacity(list.rows.len() * 1024);
    for line in &list.rows {
        row(&mut rows, line, cells, may, now);
    }
    let rows = rows.piece();
    view! {
        <PageHead title="Agents" actions=move || view! {
            {stop.map(|href| radius(href, may.assign))}
            {may.import.then(|| view! { <LinkButton href="/agents/import">"Import"</LinkButton> })}
            {may.register.then(|| view! { <LinkButton href="/agents/new" kind=Kind::Primary><Icon glyph=Glyph::Plus/>"Register"</LinkButton> })}
        }/>
        <Listing
            here=list.here
            label="Agents"
            columns=columns
            shown=shown
            total=total
            search="Search agents"
            filters=filters
            default_sort="id"
            previous=list.previous
            next=list.next
            export=export
            bulk=bulk
            stacks=true
            empty=move || view! { <Nothing none_at_all=none_at_all filtered=filtered may=may clear=clear/> }
        >
            {rows}
        </Listing>
    }
    .piece()
}

/// The same query at another path.
fn elsewhere(here: &Address, path: &str) -> Address {
    here.pairs().iter().fold(Address::new(path), |to, (key, value)| to.and(key, value))
}

#[component]
fn Nothing(none_at_all: bool, filtered: bool, may: Rights, clear: String) -> impl IntoView {
    if filtered && !none_at_all {
        return view! {
            <Empty title="No agent matches">
                <p>"Every word of a search must begin a word of the agent: its name, purpose, unit, vendor, tools or reference."</p>
                <div class="actions"><LinkButton href=clear>"Show all agents"</LinkButton></div>
            </Empty>
        }
        .piece();
    }
    view! {
        <Empty title="No agents yet">
            <p>"An agent is registered by hand, or comes with an inventory you already keep as a table."</p>
            <div class="actions">
                {may.import.then(|| view! { <LinkButton href="/agents/import" kind=Kind::Primary>"Import an inventory"</LinkButton> })}
                {may.register.then(|| view! { <LinkButton href="/agents/new">"Register an agent"</LinkButton> })}
            </div>
        </Empty>
    }
    .piece()
}

/// A row, written straight into the page: there are fifty, and each is eight cells.
fn row(m: &mut Markup, line: &Line, cells: Cells, may: Rights, now: DateTime<Utc>) {
    let reference = line.id.to_string();
    m.raw("<tr>");
    if may.picks() {
        m.raw("<td class=\"pick\"><input type=\"checkbox\" name=\"id\" value=\"").text(&reference);
        m.raw("\" aria-label=\"Pick ").text(&line.name).raw("\"></td>");
    }
    m.raw("<th scope=\"row\" class=\"agent\"><a href=\"/agents/").text(&reference).raw("\" dir=\"auto\">");
    m.text(&line.name).raw("</a>");
    if !cells.id {
        m.raw("<span class=\"ref muted\">").text(&reference).raw("</span>");
    }
    for (duty, next) in &line.next {
        // The row lies in the form of the bulk bar: the button posts elsewhere.
        m.raw("<button class=\"button small next\" formmethod=\"post\" formaction=\"/agents/").text(&reference);
        m.raw("/succession\" name=\"offer\" value=\"").text(&format!("{duty}:{}", next.id)).raw("\">Offer ");
        m.text(&lower(duty.owner_title())).raw(" to <bdi>").text(&next.name).raw("</bdi></button>");
    }
    m.raw("</th>");
    if cells.stop {
        stop(m, line, &reference, may);
    }
    if cells.running {
        m.raw("<td data-label=\"Runs\">");
        if line.state != Lifecycle::Retired {
            badge(m, running_words(line.running.key()));
        }
        m.raw("</td>");
    }
    if cells.state {
        m.raw("<td data-label=\"State\">");
        badge(m, life_words(line.state.key()));
        m.raw("</td>");
    }
    if cells.tier {
        let (word, level) = tier_words(line.tier.key());
        m.raw("<td data-label=\"Tier\"><span class=\"").raw(level).raw("\">").raw(word).raw("</span></td>");
    }
    if cells.unit {
        m.raw("<td class=\"unit\" data-label=\"Business unit\" dir=\"auto\">").text(&line.business_unit).raw("</td>");
    }
    if cells.environment {
        m.raw("<td data-label=\"Environment\">").raw(line.environment.label()).raw("</td>");
    }
    if cells.hosting {
        m.raw("<td data-label=\"Hosting\">").raw(line.hosting.label()).raw("</td>");
    }
    if cells.id {
        m.raw("<td data-label=\"Reference\" class=\"ref\">").text(&reference).raw("</td>");
    }
    if cells.updated {
        let at = line.updated_at;
        m.raw("<td class=\"changed\" data-label=\"Changed\">").view(view! { <When at=at now=now/> }).raw("</td>");
    }
    m.raw("</tr>");
}

fn badge(m: &mut Markup, (word, tone): (&'static str, Tone)) {
    m.raw("<span class=\"").raw(tone.badge()).raw("\">").raw(word).raw("</span>");
}

fn lower(title: &str) -> String {
    if title.starts_with("API") { title.to_owned() } else { title.to_lowercase() }
}

/// Who can stop it: the state, and the party or the link that mends it.
fn stop(m: &mut Markup, line: &Line, reference: &str, may: Rights) {
    m.raw("<td class=\"stop\" data-label=\"Who can stop it\">");
    if let Some(state) = line.runtime_owner {
        badge(m, stop_words(state, line.running));
    }
    match &line.runtime_party {
        Some((party, name)) => {
            // Where the state is shown its word says so already.
            match line.runtime_owner {
                None if line.offered => m.raw("<span class=\"unset\">nobody, offered to</span> "),
                None if line.gone => m.raw("<span class=\"unset\">nobody, gone is</span> "),
                _ => m,
            };
            m.raw("<a href=\"").text(&party.path()).raw("\" dir=\"auto\" class=\"who\">").text(name).raw("</a>");
        }
        None if line.state == Lifecycle::Retired => {}
        None => {
            if may.assign {
                m.raw("<a href=\"/agents/").text(reference);
                m.raw("/assign?duty=containment\" class=\"assign\">Assign<span class=\"visually-hidden\"> a runtime owner to ");
                m.text(reference).raw("</span></a>");
            }
            if line.runtime_owner.is_none() {
                m.raw("<span class=\"unset\">nobody</span>");
            }
        }
    }
    m.raw("</td>");
}
