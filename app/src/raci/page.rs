//! A matrix, to be read: duties down, parties across, what is wrong beside.

use domain::assignment::RaciRole;
use domain::duty::Duty;
use domain::id::SystemId;
use domain::party::{Party, Standing};
use domain::raci::{Breach, Breached, Seat, Ward};
use domain::system::Subject;
use leptos::prelude::*;

use super::cells::Column;
use super::under::{self, Under};
use crate::components::{
    Badge, Crumb, Crumbs, Empty, IntoPiece, Kind, LinkButton, Notice, PageHead, Piece, TableFrame, Tone,
};

/// Whose matrix it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whose {
    /// The agent or the system.
    pub of: Subject,
    /// Its name.
    pub name: String,
}

impl Whose {
    /// A page of its matrix: `/edit`, or nothing for the matrix itself.
    pub fn raci(&self, page: &str) -> String {
        format!("{}/raci{page}", self.of.href())
    }

    /// The way to a page of its matrix.
    pub fn crumbs(&self, last: Option<&'static str>) -> Vec<Crumb> {
        let (list, href) = match self.of {
            Subject::Agent(_) => ("Agents", "/agents"),
            Subject::System(_) => ("Systems", "/systems"),
        };
        let mut trail = vec![Crumb::new(list, href), Crumb::new(self.of.to_string(), self.of.href())];
        match last {
            None => trail.push(Crumb::here("RACI matrix")),
            Some(last) => {
                trail.push(Crumb::new("RACI matrix", self.raci("")));
                trail.push(Crumb::here(last));
            }
        }
        trail
    }
}

/// What the platform of an agent gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The platform.
    pub system: SystemId,
    /// Its name.
    pub name: String,
    /// Who holds what of it.
    pub seats: Vec<(Seat, String)>,
}

impl Given {
    /// The head of its column.
    pub(super) fn head(&self) -> Piece {
        view! {
            <th scope="col" class="given">
                <span class="small muted">"Inherited from"</span>
                <a href=format!("/systems/{}/raci", self.system) dir="auto">{self.name.clone()}</a>
                <span class="ref muted">{self.system.to_string()}</span>
            </th>
        }
        .piece()
    }

    /// What it gives of a duty; `own` says that the agent has an A of its own, which overrides it.
    pub(super) fn cell(&self, duty: Duty, own: bool) -> Piece {
        let lines = self
            .seats
            .iter()
            .filter(|(seat, _)| seat.duty == duty)
            .map(|(seat, name)| {
                let (key, label) = (seat.role.key(), seat.role.label());
                let gone = (seat.standing != Standing::Active).then(|| view! { " " <Badge tone=Tone::Bad>"gone"</Badge> });
                view! { <p><abbr class="letter" title=label>{key}</abbr> " " <a href=seat.party.path() dir="auto">{name.clone()}</a>{gone}</p> }
                    .piece()
            })
            .collect_view();
        let some = self.seats.iter().any(|(seat, _)| seat.duty == duty);
        let note = (own && some).then(|| view! { <p class="muted">"overridden here"</p> });
        let class = if own { "given small overridden" } else { "given small" };
        view! { <td class=class>{lines}{note}</td> }.piece()
    }
}

/// One letter that somebody holds, or is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The duty.
    pub duty: Duty,
    /// Whose.
    pub party: Party,
    /// The letter.
    pub role: RaciRole,
    /// It holds; an offer that nobody answered does not.
    pub accepted: bool,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Whose matrix.
    pub whose: Whose,
    /// What the rules know of it.
    pub ward: Ward,
    /// The parties.
    pub columns: Vec<Column>,
    /// The letters.
    pub cells: Vec<Cell>,
    /// What the agent's platform gives it.
    pub given: Option<Given>,
    /// What is wrong; `None` for whoever may not know.
    pub breaches: Option<Vec<Breach>>,
    /// The reader may change it.
    pub edit: bool,
    /// It is closed: nothing of it is required any more.
    pub closed: bool,
    /// The model that filled it, and what is justified.
    pub under: Under,
    /// Where a model is applied to it, for whoever may.
    pub model: Option<String>,
}

/// The head of a column.
pub(super) fn head(column: &Column) -> Piece {
    let gone = match column.standing {
        Standing::Active => None,
        Standing::Left => Some("left"),
        Standing::Leaderless => Some("no active lead"),
    };
    let gone = gone.map(|words| view! { " " <Badge tone=Tone::Bad>{words}</Badge> });
    view! {
        <th scope="col" class="party">
            <a href=column.party.path() dir="auto">{column.name.clone()}</a>
            <span class="ref muted">{column.party.to_string()}</span>
            {gone}
        </th>
    }
    .piece()
}

/// The head of a row.
pub(super) fn duty_head(ward: &Ward, duty: Duty) -> Piece {
    let required = if ward.required.contains(&duty) { "" } else { ", not required" };
    view! {
        <th scope="row">{duty.label()}<span class="since small muted">{format!("{}{required}", duty.owner_title())}</span></th>
    }
    .piece()
}

fn letter(cell: &Cell) -> Piece {
    let (key, label) = (cell.role.key(), cell.role.label());
    if cell.accepted {
        view! { <abbr class="letter" title=label>{key}</abbr> " " }.piece()
    } else {
        view! { <span class="offered"><abbr class="letter" title=label>{key}</abbr> " offered"</span> " " }.piece()
    }
}

/// Where a breach is mended.
fn mend(whose: &Whose, breach: &Breach) -> String {
    if whose.of.system().is_some() {
        return whose.raci("/edit");
    }
    let (href, back) = (whose.of.href(), whose.raci(""));
    let assign = format!("{href}/assign?duty={}", breach.duty);
    match breach.rule {
        Breached::Pending => format!("{href}#offers"),
        Breached::NoResponsible => format!("{assign}&role=R&next={back}"),
        _ => format!("{assign}&next={back}"),
    }
}

/// The page of a matrix; goes inside `Layout`.
#[component]
pub fn MatrixPage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let Whose { of, name } = shown.whose.clone();
    let reference = of.to_string();
    let (edit, closed) = (shown.edit && !shown.closed, shown.closed);
    let (csv, to_edit) = (shown.whose.raci(".csv"), shown.whose.raci("/edit"));
    let model = shown.model.clone().filter(|_| edit);
    let from_model = model.clone();
    let count = shown.breaches.as_ref().map(Vec::len);
    let told = match count {
        _ if closed => view! { <Notice><p>"It is retired: its matrix is closed."</p></Notice> }.piece(),
        None => ().piece(),
        Some(0) => view! { <Notice tone=Tone::Good><p>"Every rule is kept: each required duty has one A and an R."</p></Notice> }.piece(),
        Some(1) => view! { <Notice tone=Tone::Warn><p>"One rule is broken."</p></Notice> }.piece(),
        Some(n) => view! { <Notice tone=Tone::Warn><p>{format!("{n} rules are broken.")}</p></Notice> }.piece(),
    };
    let none = (shown.columns.is_empty() && shown.given.is_none()).then(|| {
        let href = to_edit.clone();
        view! {
            <Empty title="Nobody holds anything yet">
                <p>"Name the parties, then give each its letters; a new owner is asked first."</p>
                {edit.then(|| view! {
                    <div class="actions">
                        <LinkButton href=href kind=Kind::Primary>"Fill the matrix"</LinkButton>
                        {from_model.map(|href| view! { <LinkButton href=href>"Apply a model"</LinkButton> })}
                    </div>
                })}
            </Empty>
        }
    });
    view! {
        <Crumbs trail=shown.whose.crumbs(None)/>
        <PageHead title=format!("RACI matrix: {name}") reference=reference
            lead="Responsible does the work, Accountable answers for it, Consulted is asked before, Informed is told after."
            actions=move || view! {
                <LinkButton href=csv kind=Kind::Quiet>"Download CSV"</LinkButton>
                {model.map(|href| view! { <LinkButton href=href>"Apply a model"</LinkButton> })}
                {edit.then(|| view! { <LinkButton href=to_edit kind=Kind::Primary>"Edit"</LinkButton> })}
            }/>
        {told}
        {under::shown(&shown.under)}
        {none}
        {table(&shown)}
    }
    .piece()
}

fn table(shown: &Shown) -> Piece {
    let heads = shown.columns.iter().map(head).collect_view();
    let given_head = shown.given.as_ref().map(Given::head);
    let tells = shown.breaches.as_ref().is_some_and(|b| !b.is_empty()) && !shown.closed;
    let wrong_head = tells.then(|| view! { <th scope="col">"What is wrong"</th> });
    let rows = shown
        .ward
        .duties
        .iter()
        .map(|&duty| {
            let own = shown.cells.iter().any(|c| c.duty == duty && c.role == RaciRole::Accountable && c.accepted);
            let given = shown.given.as_ref().map(|g| g.cell(duty, own));
            let cells = shown
                .columns
                .iter()
                .map(|column| {
                    let mut here: Vec<&Cell> =
                        shown.cells.iter().filter(|c| c.duty == duty && c.party == column.party).collect();
                    here.sort_by_key(|c| c.role);
                    let letters = here.into_iter().map(letter).collect_view();
                    view! { <td class="cell">{letters}</td> }.piece()
                })
                .collect_view();
            let wrong = tells.then(|| wrong(shown, duty));
            view! { <tr>{duty_head(&shown.ward, duty)}{cells}{given}{wrong}</tr> }.piece()
        })
        .collect_view();
    view! {
        <div class="raci-grid">
            <TableFrame label="RACI matrix" compact=true>
                <thead><tr><th scope="col">"Duty"</th>{heads}{given_head}{wrong_head}</tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </div>
    }
    .piece()
}

fn wrong(shown: &Shown, duty: Duty) -> Piece {
    let given = |party: Party| shown.given.iter().flat_map(|g| &g.seats).find(|(s, _)| s.party == party);
    let name = |party: Party| match shown.columns.iter().find(|c| c.party == party) {
        Some(column) => column.name.clone(),
        None => given(party).map_or_else(|| party.to_string(), |(_, name)| name.clone()),
    };
    let lines = shown
        .breaches
        .iter()
        .flatten()
        .filter(|b| b.duty == duty)
        .map(|breach| {
            let fix = shown.edit.then(|| {
                let (href, label) = (mend(&shown.whose, breach), breach.fix_label());
                view! { " " <a href=href>{label}<span class="visually-hidden">{format!(": {}", duty.label())}</span></a> }
            });
            view! { <p><span dir="auto">{breach.sentence(name)}</span>{fix}</p> }.piece()
        })
        .collect_view();
    view! { <td class="wrong small">{lines}</td> }.piece()
}
