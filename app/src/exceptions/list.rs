//! The register of exceptions: figures, filters, and the rows as a table or as a timeline.

use chrono::{DateTime, Utc};
use domain::exception::ExceptionState as State;
use domain::id::ExceptionId;
use domain::party::Party as Who;
use domain::tier::Tier as Level;
use leptos::prelude::*;

use super::timeline::timeline;
use super::{Covered, Rule, standing};
use crate::agents::choices;
use crate::components::{
    Address, Chips, Choice, Column, Day, Empty, Filter, FilterMenu, IntoPiece, Kind, LinkButton, Listing, PageHead,
    Pager, Piece, Stat, Stats, Tab, Tabs, Tier, Tone, When, thousands,
};

/// The date by which a compensating control is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    /// When.
    pub at: DateTime<Utc>,
    /// It was checked.
    pub checked: bool,
}

/// An exception in the register.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its reference.
    pub id: ExceptionId,
    /// What it is called.
    pub title: String,
    /// What is excepted.
    pub rule: Rule,
    /// The node of a framework; may be empty.
    pub node: String,
    /// Whom it covers.
    pub covers: Covered,
    /// Who owns the control now.
    pub owner: Option<(Who, String)>,
    /// The tier of the riskiest of its agents.
    pub tier: Level,
    /// Likelihood times impact.
    pub risk: i64,
    /// Where it stands.
    pub state: State,
    /// It has expired, and what it excepted is still so.
    pub breached: bool,
    /// From when.
    pub starts_at: DateTime<Utc>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// When it was ended before its time.
    pub ended_at: Option<DateTime<Utc>>,
    /// How often it was renewed.
    pub renewals: i64,
    /// When its controls are checked.
    pub checks: Vec<Check>,
}

/// The figures at the head.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    /// In force.
    pub active: u64,
    /// In force, and over within seven days.
    pub within_7: u64,
    /// In force, and over within thirty.
    pub within_30: u64,
    /// Expired, and what they excepted is still so.
    pub breached: u64,
    /// Asked, not yet decided.
    pub requested: u64,
    /// In force, and renewals of others.
    pub renewed: u64,
    /// Days since those in force began, on average; `None` when none is.
    pub mean_age: Option<u64>,
}

/// How the rows are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// A table.
    Table,
    /// A timeline.
    Timeline,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Listed {
    /// Where it is.
    pub here: Address,
    /// Table or timeline.
    pub look: Look,
    /// The figures, for whoever sees every exception.
    pub figures: Option<Figures>,
    /// The rows.
    pub rows: Vec<Line>,
    /// How many there are in all, if that is known.
    pub total: Option<u64>,
    /// Words for the values in the address that are references: `PE-7`, `AG-1`.
    pub names: Vec<(String, String)>,
    /// Nodes of frameworks that exceptions name.
    pub nodes: Vec<Choice>,
    /// The reader may ask for one.
    pub may_ask: bool,
    /// How many wait for the reader.
    pub waits: u64,
    /// Where the page before is.
    pub previous: Option<String>,
    /// Where the page after is.
    pub next: Option<String>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// Views of the register that have a tab: the value of `state`, its words.
const VIEWS: [(&str, &str); 5] = [
    ("active", "In force"),
    ("requested", "Asked"),
    ("breached", "Expired, still breached"),
    ("expired", "Expired"),
    ("all", "All"),
];

impl Listed {
    /// The state that the address asks for; those in force unless it says.
    fn view(&self) -> &str {
        self.here.get("state").unwrap_or("active")
    }

    fn filters(&self) -> Vec<Filter> {
        let days = [7, 14, 30, 90].map(|n| Choice::new(n.to_string(), format!("{n} days")));
        let mut states: Vec<Choice> = State::ALL.iter().map(|s| Choice::new(s.key(), s.label())).collect();
        states.retain(|s| s.value != State::Active.key());
        states.push(Choice::new("breached", "Expired, still breached"));
        states.push(Choice::new("all", "All"));
        let mut filters = vec![
            Filter::new("state", "State", states).otherwise("In force"),
            Filter::new("within", "Ends within", days.to_vec()),
            Filter::new("tier", "Tier", choices!(Level)),
            Filter::new("renewed", "Renewal", vec![Choice::new("yes", "renewed"), Choice::new("no", "not renewed")]),
        ];
        if !self.nodes.is_empty() {
            filters.push(Filter::new("node", "Framework node", self.nodes.clone()));
        }
        for (key, label) in [
            ("control_owner", "Control owner"),
            ("agent", "Agent"),
            ("control", "Control"),
            ("node", "Framework node"),
            ("beyond", "Ends later than, days"),
        ] {
            if let (Some(value), false) = (self.here.get(key), filters.iter().any(|f| f.key == key)) {
                let named = self.names.iter().find(|(reference, _)| reference == value);
                let words = named.map_or(value, |(_, name)| name.as_str());
                filters.push(Filter::new(key, label, vec![Choice::new(value, words)]));
            }
        }
        filters
    }

    fn columns(&self) -> Vec<Column> {
        let all = vec![
            Column::new("title", "Exception").fixed(),
            Column::new("state", "Stands"),
            Column::new("rule", "What is excepted"),
            Column::new("agents", "Agents"),
            Column::new("owner", "Control owner"),
            Column::new("tier", "Tier"),
            Column::new("expires_at", "Until").sorts(),
            Column::new("starts_at", "From").extra(),
            Column::new("node", "Node").extra(),
            Column::new("risk", "Risk").numeric().extra(),
            Column::new("renewals", "Renewals").numeric().extra(),
        ];
        Column::choose(all, &self.here)
    }

    fn filtered(&self) -> bool {
        let about = |key: &str| !matches!(key, "sort" | "columns" | "cursor" | "before" | "view" | "state");
        self.here.pairs().iter().any(|(key, _)| about(key))
    }
}

/// The figures, each a link to its rows.
fn figures(f: Figures) -> Piece {
    let at = |query: &str| format!("/exceptions?{query}");
    let loud = |n: u64, tone: Tone| if n == 0 { Tone::Plain } else { tone };
    let age = f.mean_age.map_or_else(|| "–".to_owned(), |days| format!("{} d", thousands(days)));
    view! {
        <Stats>
            <Stat label="expired, still breached" value=thousands(f.breached) href=at("state=breached") tone=loud(f.breached, Tone::Bad)/>
            <Stat label="in force" value=thousands(f.active) href=at("state=active")/>
            <Stat label="end within 30 days" value=thousands(f.within_30) href=at("state=active&within=30") tone=loud(f.within_30, Tone::Warn)/>
            <Stat label="renewals in force" value=thousands(f.renewed) href=at("state=active&renewed=yes")/>
            <Stat label="mean age of those in force" value=age href=at("state=active")/>
        </Stats>
    }
    .piece()
}

/// The page; goes inside `Layout`.
#[component]
pub fn ListPage(
    /// What it shows.
    listed: Listed,
) -> impl IntoView {
    let here = listed.here.first_page();
    let view = listed.view().to_owned();
    let counted = |key: &str| {
        listed.figures.and_then(|f| match key {
            "active" => Some(f.active),
            "requested" => Some(f.requested),
            "breached" => Some(f.breached),
            _ => None,
        })
    };
    let tabs = VIEWS
        .iter()
        .map(|(key, label)| {
            let to = if *key == "active" { here.without("state") } else { here.with("state", key) };
            Tab { label: (*label).to_owned(), href: to.href(), count: counted(key), most: None, current: *key == view }
        })
        .collect();
    let lead = match listed.waits {
        0 => "What may break a rule for a while, why, what is done instead, and until when.".to_owned(),
        1 => "One waits for your decision.".to_owned(),
        n => format!("{n} wait for your decision."),
    };
    let waiting = (listed.waits > 0).then(|| view! { <p><a href="/approvals">"Decide what waits for you"</a></p> });
    let may_ask = listed.may_ask;
    let body = match listed.look {
        Look::Table => table(&listed),
        Look::Timeline => drawn(&listed),
    };
    view! {
        <PageHead title="Exceptions" lead=lead actions=move || view! {
            {may_ask.then(|| view! { <LinkButton href="/exceptions/new" kind=Kind::Primary>"Ask for one"</LinkButton> })}
        }/>
        {waiting}
        {listed.figures.map(figures)}
        <Tabs label="Exceptions by state" tabs=tabs/>
        {body}
    }
    .piece()
}

/// The switch between the two looks.
fn looks(listed: &Listed) -> Piece {
    let here = &listed.here;
    let drawn = listed.look == Look::Timeline;
    let table = (!drawn).then_some("page");
    let line = drawn.then_some("page");
    view! {
        <nav class="segmented" aria-label="Look">
            <a href=here.without("view").href() aria-current=table>"Table"</a>
            <a href=here.with("view", "timeline").href() aria-current=line>"Timeline"</a>
        </nav>
    }
    .piece()
}

fn export(listed: &Listed) -> String {
    if listed.rows.is_empty() {
        return String::new();
    }
    let here = listed.here.first_page().without("view").without("columns");
    here.pairs().iter().fold(Address::new("/exceptions.csv"), |to, (key, value)| to.and(key, value)).href()
}

fn empty(listed: &Listed) -> Piece {
    let clear = Address::new("/exceptions").href();
    if listed.filtered() {
        return view! {
            <Empty title="No exception matches">
                <p>"Take a filter away, or look at another state."</p>
                <div class="actions"><LinkButton href=clear>"Show those in force"</LinkButton></div>
            </Empty>
        }
        .piece();
    }
    let (title, told) = match listed.view() {
        "active" => (
            "No exception is in force",
            "Each rule of Muster holds for each agent. Where one cannot be kept for a while, ask from the finding on the agent’s page: Except this.",
        ),
        "requested" => ("Nothing is asked", "What is asked waits here until each of its deciders has answered."),
        "breached" => {
            ("None", "Whatever an expired exception allowed has been mended, or is covered by another exception.")
        }
        _ => ("None", "There is no such exception among those that you may see."),
    };
    view! { <Empty title=title><p>{told}</p></Empty> }.piece()
}

fn table(listed: &Listed) -> Piece {
    let columns = listed.columns();
    let now = listed.now;
    let rows = listed.rows.iter().map(|line| row(line, &columns, now)).collect_view();
    let nothing = empty(listed);
    let look = looks(listed);
    view! {
        <Listing
            here=listed.here.clone()
            label="Exceptions"
            columns=columns
            shown=listed.rows.len()
            total=listed.total
            filters=listed.filters()
            default_sort="expires_at"
            previous=listed.previous.clone()
            next=listed.next.clone()
            export=export(listed)
            actions=move || look
            stacks=true
            empty=move || nothing
        >
            {rows}
        </Listing>
    }
    .piece()
}

fn drawn(listed: &Listed) -> Piece {
    let count = match listed.rows.len() {
        1 => "1 row".to_owned(),
        n => format!("{n} rows"),
    };
    let body = if listed.rows.is_empty() { empty(listed) } else { timeline(&listed.rows, listed.now) };
    let pager = (!listed.rows.is_empty()).then(|| {
        let (previous, next) = (listed.previous.clone(), listed.next.clone());
        view! { <Pager count=count.clone() previous=previous next=next/> }
    });
    view! {
        <div class="listing">
            <div class="toolbar">
                <FilterMenu here=listed.here.clone() filters=listed.filters()/>
                <div class="tail">{looks(listed)}</div>
            </div>
            <Chips here=listed.here.clone() filters=listed.filters()/>
            {body}
            {pager}
        </div>
    }
    .piece()
}

/// Whom an exception covers.
pub(super) fn covered(covers: &Covered) -> Piece {
    let more = covers.count - i64::from(covers.first.is_some());
    let rest = (more > 0).then(|| match (&covers.first, more) {
        (Some(_), n) => format!(" and {} more", thousands(u64::try_from(n).unwrap_or(0))),
        (None, 1) => "1 agent".to_owned(),
        (None, n) => format!("{} agents", thousands(u64::try_from(n).unwrap_or(0))),
    });
    let first = covers.first.clone().map(|(id, name)| {
        view! { <a href=format!("/agents/{id}") dir="auto">{name}</a> " " <span class="ref muted">{id.to_string()}</span> }
    });
    view! { {first} {rest.map(|r| view! { <span class="muted">{r}</span> })} }.piece()
}

fn row(line: &Line, columns: &[Column], now: DateTime<Utc>) -> Piece {
    let shows = |key| Column::shows(columns, key);
    let href = format!("/exceptions/{}", line.id);
    let owner = match &line.owner {
        Some((who, name)) => view! { <a href=who.path() dir="auto">{name.clone()}</a> }.piece(),
        None => view! { <span class="vacant mild">"nobody"</span> }.piece(),
    };
    let state = shows("state")
        .then(|| view! { <td data-label="Stands">{standing(line.state, line.breached, line.expires_at, now)}</td> });
    let rule = shows("rule")
        .then(|| view! { <td class="text" data-label="What is excepted" dir="auto">{line.rule.label.clone()}</td> });
    let agents = shows("agents").then(|| view! { <td class="agent" data-label="Agents">{covered(&line.covers)}</td> });
    let owner = shows("owner").then(|| view! { <td data-label="Control owner">{owner}</td> });
    let tier = shows("tier").then(|| view! { <td data-label="Tier"><Tier tier=line.tier.key()/></td> });
    let until = shows("expires_at")
        .then(|| view! { <td data-label="Until"><Day at=line.ended_at.unwrap_or(line.expires_at)/></td> });
    let from = shows("starts_at").then(|| view! { <td data-label="From"><When at=line.starts_at now=now/></td> });
    let node = shows("node").then(|| view! { <td class="ref" data-label="Node">{line.node.clone()}</td> });
    let risk = shows("risk").then(|| view! { <td class="num" data-label="Risk">{line.risk.to_string()}</td> });
    let renewals =
        shows("renewals").then(|| view! { <td class="num" data-label="Renewals">{line.renewals.to_string()}</td> });
    view! {
        <tr>
            <th scope="row" class="agent"><a href=href dir="auto">{line.title.clone()}</a> <span class="ref muted">{line.id.to_string()}</span></th>
            {state} {rule} {agents} {owner} {tier} {until} {from} {node} {risk} {renewals}
        </tr>
    }
    .piece()
}
