//! What an import would do, row by row, before it is done.

use domain::agent::{Environment, Lifecycle as State, Running};
use domain::id::AgentId;
use leptos::prelude::*;

use super::{Counts, Step, WaveTerms, rows, steps};
use crate::components::{
    Button, Crumb, Crumbs, Day, Empty, ErrorSummary, Fact, Facts, FieldErrors, IntoPiece, Kind, Lifecycle, LinkButton,
    PageHead, Pager, Party, Piece, Ref, RunningState, Section, Swatch, TableFrame, Tabs, Tone, thousands,
};

/// Which rows are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tab {
    /// Rows that become agents.
    New,
    /// Rows that change an agent.
    Changed,
    /// Rows that change nothing.
    Unchanged,
    /// Rows that cannot be taken.
    Refused,
    /// Rows whose approved boundary the file contradicts.
    Drift,
    /// Rows of which something is said.
    Noted,
}

impl Tab {
    /// Every view, in order.
    pub const ALL: [Self; 6] = [Self::New, Self::Changed, Self::Unchanged, Self::Refused, Self::Drift, Self::Noted];

    /// In the address.
    pub const fn key(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Drift => "drift",
            Self::Noted => "noted",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::New => "New",
            Self::Changed => "Changed",
            Self::Unchanged => "Unchanged",
            Self::Refused => "Refused",
            Self::Drift => "Drift",
            Self::Noted => "To look at",
        }
    }
}

/// One fact that differs.
#[derive(Debug, Clone)]
pub struct FactChange {
    /// Which.
    pub label: String,
    /// As it is.
    pub before: String,
    /// As the file says.
    pub after: String,
}

/// One row.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// Its number in the file.
    pub row: u64,
    /// What it calls the agent.
    pub name: String,
    /// The agent on record.
    pub agent: Option<AgentId>,
    /// Where a new record begins.
    pub state: Option<State>,
    /// Whether a new agent runs.
    pub running: Option<Running>,
    /// Where a new agent is deployed.
    pub environment: Option<Environment>,
    /// A new agent's business unit.
    pub unit: String,
    /// What changes.
    pub changes: Vec<FactChange>,
    /// What an approved boundary keeps out.
    pub drift: Vec<FactChange>,
    /// Owners that are asked or recorded: title and name.
    pub owners: Vec<(String, String)>,
    /// Why it is refused.
    pub reason: String,
    /// What else is said.
    pub notes: Vec<String>,
}

/// New agents, told apart.
#[derive(Debug, Clone, Copy, Default)]
pub struct Coming {
    /// They run.
    pub running: u64,
    /// Nobody knows, so they count as running.
    pub unknown: u64,
    /// They do not run yet.
    pub idle: u64,
    /// They were retired before they came.
    pub retired: u64,
    /// Rows without a name.
    pub unnamed: u64,
    /// Rows whose key was seen before.
    pub duplicates: u64,
}

/// The page.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The staged file's id.
    pub id: String,
    /// The file's name.
    pub file: String,
    /// The source.
    pub source: String,
    /// How many rows of each sort.
    pub counts: Counts,
    /// Rows whose approved boundary the file contradicts.
    pub drifting: u64,
    /// Rows of which something is said.
    pub noted: u64,
    /// New agents, told apart.
    pub coming: Coming,
    /// Owners and teams that are nobody on record: capacity, name, rows.
    pub unmatched: Vec<(String, String, u64)>,
    /// How many of them there are in all.
    pub unmatched_total: u64,
    /// Owners that are asked or recorded.
    pub appointed: u64,
    /// They are recorded as accepted.
    pub recorded: bool,
    /// Which rows are shown.
    pub tab: Tab,
    /// The rows.
    pub rows: Vec<Row>,
    /// Which of them: first, last, of how many.
    pub range: (u64, u64, u64),
    /// The page before.
    pub previous: Option<String>,
    /// The page after.
    pub next: Option<String>,
    /// Who answers for it, until when.
    pub terms: WaveTerms,
    /// The digest of what is shown.
    pub seen: String,
    /// What is wrong with applying it.
    pub errors: FieldErrors,
    /// Whether who imports may add people.
    pub may_add_people: bool,
}

/// The page at `/agents/import/{id}/diff`; goes inside `Layout`.
#[component]
pub fn DifferencePage(
    /// What it shows.
    page: Difference,
) -> impl IntoView {
    let base = format!("/agents/import/{}", page.id);
    let Counts { rows: all, new, changed, unchanged, refused } = page.counts;
    let lead = format!(
        "{} of {}: {} new, {} changed, {} unchanged, {} refused. Nothing is written yet.",
        rows(all),
        page.source,
        thousands(new),
        thousands(changed),
        thousands(unchanged),
        thousands(refused)
    );
    let count_of = |tab: Tab| match tab {
        Tab::New => new,
        Tab::Changed => changed,
        Tab::Unchanged => unchanged,
        Tab::Refused => refused,
        Tab::Drift => page.drifting,
        Tab::Noted => page.noted,
    };
    let tabs = Tab::ALL
        .into_iter()
        .filter(|t| !matches!(t, Tab::Drift | Tab::Noted) || count_of(*t) > 0)
        .map(|t| {
            crate::components::Tab::new(t.label(), format!("{base}/diff?show={}", t.key()), t == page.tab)
                .counting(count_of(t))
        })
        .collect::<Vec<_>>();
    let (first, last, total) = page.range;
    let unmatched = (!page.unmatched.is_empty()).then(|| {
        unmatched_section(
            page.unmatched.clone(),
            page.unmatched_total,
            page.may_add_people,
            page.appointed,
            page.recorded,
        )
    });
    let download = (page.tab == Tab::Refused && refused > 0).then(|| {
        view! { <LinkButton href=format!("{base}/refused.csv")>"Refused rows as CSV"</LinkButton> }
    });
    let pager = (total > 0).then(|| {
        let count = format!("{}–{} of {}", thousands(first), thousands(last), thousands(total));
        view! { <Pager count=count previous=page.previous.clone() next=page.next.clone()/> }
    });
    view! {
        <Crumbs trail=vec![Crumb::new("Agents", "/agents"), Crumb::new("Import", "/agents/import"), Crumb::here(page.file.clone())]/>
        <PageHead title=page.file.clone() lead=lead/>
        {steps(&page.id, Step::Difference)}
        <ErrorSummary errors=page.errors.clone()/>
        <div class="with-aside import-review">
            <div class="stack">
                <Tabs label="Rows" tabs=tabs/>
                {what_it_means(page.tab)}
                {table(page.tab, &page.rows)}
                {pager}
                <div class="actions">{download}</div>
                {unmatched}
            </div>
            {apply(&page, &base)}
        </div>
    }
    .piece()
}

fn what_it_means(tab: Tab) -> Option<impl IntoView> {
    let text = match tab {
        Tab::Drift => "The boundary of these agents was approved and stays as it is; only their other facts change.",
        Tab::Noted => "Taken, but not quite as they are written.",
        _ => return None,
    };
    Some(view! { <p class="muted">{text}</p> })
}

fn apply(page: &Difference, base: &str) -> impl IntoView + use<> {
    let Counts { new, changed, refused, .. } = page.counts;
    let WaveTerms { owner, target } = page.terms.clone();
    let owner = match owner {
        Some((id, name)) => view! { <Party name=name reference=id.to_string()/> }.piece(),
        None => view! { <span class="unset">"nobody"</span> }.piece(),
    };
    let coming = page.coming;
    let line = |n: u64, words: &'static str, tone: Tone| {
        (n > 0).then(|| view! { <li><Swatch tone=tone/>" "<strong>{thousands(n)}</strong>" "{words}</li> })
    };
    let apart = (new > 0).then(|| {
        view! {
            <ul class="import-coming">
                {line(coming.running, "run, and were never approved here", Tone::Severe)}
                {line(coming.unknown, "may run: their stage is not known", Tone::Warn)}
                {line(coming.idle, "do not run yet", Tone::Plain)}
                {line(coming.retired, "are retired already", Tone::Off)}
                {line(coming.duplicates, "share a key with an earlier row", Tone::Note)}
                {line(coming.unnamed, "have no name", Tone::Note)}
            </ul>
        }
    });
    let what = match (new, changed) {
        (0, 0) => "Nothing to import".to_owned(),
        (n, 0) => format!("Import {} agents", thousands(n)),
        (0, c) => format!("Change {} agents", thousands(c)),
        (n, c) => format!("Import {}, change {}", thousands(n), thousands(c)),
    };
    let left = (refused > 0).then(|| {
        view! { <p class="small muted">{format!("{} left out: download, mend, send again.", rows(refused))}</p> }
    });
    let owners = (page.appointed > 0).then(|| {
        let text = if page.recorded { "recorded as accepted" } else { "asked to accept" };
        view! { <Fact term="Owners">{format!("{} {text}", thousands(page.appointed))}</Fact> }
    });
    let seen = page.seen.clone();
    let nothing = new + changed == 0;
    view! {
        <aside class="panel stack" aria-label="The import">
            {apart}
            <Facts>
                <Fact term="Answers for it">{owner}</Fact>
                <Fact term="Target date"><Day at=target/></Fact>
                {owners}
            </Facts>
            {left}
            <form method="post" action=format!("{base}/diff")>
                <input type="hidden" name="seen" value=seen/>
                <div class="actions">
                    <Button kind=Kind::Primary disabled=nothing>{what}</Button>
                    <LinkButton href=base.to_owned() kind=Kind::Quiet>"Back to the columns"</LinkButton>
                </div>
            </form>
        </aside>
    }
    .piece()
}

fn unmatched_section(
    list: Vec<(String, String, u64)>,
    total: u64,
    may_add: bool,
    appointed: u64,
    recorded: bool,
) -> impl IntoView {
    let lines = list
        .iter()
        .map(|(what, name, n)| {
            view! {
                <tr>
                    <th scope="row" dir="auto">{name.clone()}</th>
                    <td data-label="As">{what.clone()}</td>
                    <td class="num" data-label="Rows">{thousands(*n)}</td>
                </tr>
            }
        })
        .collect_view();
    let more = (total > list.len() as u64).then(|| {
        view! { <p class="muted small">{format!("And {} more.", thousands(total - list.len() as u64))}</p> }
    });
    let add = may_add.then(|| view! { <LinkButton href="/people/new">"Add a person"</LinkButton> });
    let matched = (appointed > 0).then(|| {
        let what = if recorded { "recorded" } else { "asked" };
        format!(" {} were matched and are {what}.", thousands(appointed))
    });
    view! {
        <Section title="Owners who match nobody" id="unmatched" count=total actions=move || add>
            <p class="muted">"No name is kept as text. Add these people or teams, or give their e-mail addresses, and load this page again; or import now and assign owners later."{matched}</p>
            <TableFrame label="Owners who match nobody" stacks=true compact=true>
                <thead><tr><th scope="col">"In the file"</th><th scope="col">"As"</th><th scope="col" class="num">"Rows"</th></tr></thead>
                <tbody>{lines}</tbody>
            </TableFrame>
            {more}
        </Section>
    }
    .piece()
}

fn table(tab: Tab, list: &[Row]) -> Piece {
    if list.is_empty() {
        let title = match tab {
            Tab::New => "No row is a new agent",
            Tab::Changed => "No row changes an agent",
            Tab::Unchanged => "No row is on record unchanged",
            Tab::Refused => "No row is refused",
            Tab::Drift => "No approved boundary is contradicted",
            Tab::Noted => "Nothing to look at",
        };
        return view! { <Empty title=title><p>"The other views have the rest."</p></Empty> }.piece();
    }
    let heads: &[&str] = match tab {
        Tab::New => &["State", "Runs", "Environment", "Business unit", "Notes"],
        Tab::Changed => &["What changes", "Notes"],
        Tab::Unchanged | Tab::Noted => &["Notes"],
        Tab::Refused => &["Why"],
        Tab::Drift => &["Approved, and in the file", "Notes"],
    };
    let head = heads.iter().map(|h| view! { <th scope="col">{*h}</th> }).collect_view();
    let lines = list.iter().map(|r| line(tab, r)).collect_view();
    view! {
        <TableFrame label="Rows" stacks=true>
            <thead><tr><th scope="col" class="num">"Row"</th><th scope="col">"Agent"</th>{head}</tr></thead>
            <tbody class="import-rows">{lines}</tbody>
        </TableFrame>
    }
    .piece()
}

fn line(tab: Tab, r: &Row) -> impl IntoView + use<> {
    let name = if r.name.is_empty() { "(cannot be told)".to_owned() } else { r.name.clone() };
    let agent = match r.agent {
        Some(id) => view! { <Ref id=id.to_string()/>" "<a href=format!("/agents/{id}") dir="auto">{name}</a> }.piece(),
        None => view! { <span dir="auto">{name}</span> }.piece(),
    };
    let notes = || notes(&r.notes, &r.owners);
    let cells = match tab {
        Tab::New => view! {
            <td data-label="State">{r.state.map(|s| view! { <Lifecycle state=s.key()/> })}</td>
            <td data-label="Runs">{r.running.map(|s| view! { <RunningState state=s.key()/> })}</td>
            <td data-label="Environment">{r.environment.map(Environment::label)}</td>
            <td data-label="Business unit" dir="auto">{r.unit.clone()}</td>
            <td class="text" data-label="Notes">{notes()}</td>
        }
        .piece(),
        Tab::Changed => view! {
            <td class="text" data-label="What changes">{changes(&r.changes)}</td>
            <td class="text" data-label="Notes">{notes()}</td>
        }
        .piece(),
        Tab::Unchanged | Tab::Noted => view! { <td class="text" data-label="Notes">{notes()}</td> }.piece(),
        Tab::Refused => view! { <td class="text" data-label="Why">{r.reason.clone()}</td> }.piece(),
        Tab::Drift => view! {
            <td class="text" data-label="Approved, and in the file">{changes(&r.drift)}</td>
            <td class="text" data-label="Notes">{notes()}</td>
        }
        .piece(),
    };
    view! {
        <tr>
            <td class="num" data-label="Row">{r.row}</td>
            <th scope="row">{agent}</th>
            {cells}
        </tr>
    }
    .piece()
}

fn changes(list: &[FactChange]) -> Piece {
    let lines = list
        .iter()
        .map(|c| {
            let side = |text: &str, what: &'static str| {
                let short: String = text.chars().take(160).collect();
                let cut = short.len() < text.len();
                let shown = if text.is_empty() {
                    "nothing".to_owned()
                } else if cut {
                    format!("{short}…")
                } else {
                    short
                };
                let class = if text.is_empty() { "unset" } else { what };
                view! { <span class=class dir="auto">{shown}</span> }
            };
            let removed = if c.before.is_empty() {
                view! { <span class="unset">"nothing"</span> }.piece()
            } else {
                view! { <del>{side(&c.before, "was")}</del> }.piece()
            };
            view! {
                <li>
                    <span class="muted">{c.label.clone()}": "</span>
                    {removed}
                    <span aria-hidden="true">" → "</span>
                    <span class="visually-hidden">" becomes "</span>
                    <ins>{side(&c.after, "is")}</ins>
                </li>
            }
        })
        .collect_view();
    view! { <ul class="import-changes">{lines}</ul> }.piece()
}

fn notes(list: &[String], owners: &[(String, String)]) -> Option<Piece> {
    if list.is_empty() && owners.is_empty() {
        return None;
    }
    let owners = owners
        .iter()
        .map(|(title, name)| view! { <li>{title.clone()}": "<span dir="auto">{name.clone()}</span></li> })
        .collect_view();
    let notes = list.iter().map(|n| view! { <li dir="auto">{n.clone()}</li> }).collect_view();
    Some(view! { <ul class="import-notes small">{owners}{notes}</ul> }.piece())
}
