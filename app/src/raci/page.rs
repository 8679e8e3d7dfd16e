//! The matrix of one agent, to be read: duties down, parties across, what is wrong beside.

use domain::assignment::RaciRole;
use domain::duty::Duty;
use domain::party::{Party, Standing};
use domain::raci::{Breach, Breached, Ward};
use leptos::prelude::*;

use super::cells::Column;
use super::under::{self, Under};
use crate::components::{
    Badge, Crumb, Crumbs, Empty, IntoPiece, Kind, LinkButton, Notice, PageHead, Piece, TableFrame, Tone,
};

/// Whose matrix it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// Its reference.
    pub reference: String,
    /// Its name.
    pub name: String,
    /// Its page.
    pub href: String,
    /// The list it is in: words and address.
    pub list: (&'static str, &'static str),
}

impl Subject {
    /// The way to a page of its matrix.
    pub fn crumbs(&self, last: Option<&'static str>) -> Vec<Crumb> {
        let mut trail =
            vec![Crumb::new(self.list.0, self.list.1), Crumb::new(self.reference.clone(), self.href.clone())];
        match last {
            None => trail.push(Crumb::here("RACI matrix")),
            Some(last) => {
                trail.push(Crumb::new("RACI matrix", format!("{}/raci", self.href)));
                trail.push(Crumb::here(last));
            }
        }
        trail
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
    pub subject: Subject,
    /// What the rules know of it.
    pub ward: Ward,
    /// The parties.
    pub columns: Vec<Column>,
    /// The letters.
    pub cells: Vec<Cell>,
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
fn mend(subject: &Subject, breach: &Breach) -> String {
    let assign = format!("{}/assign?duty={}", subject.href, breach.duty);
    match breach.rule {
        Breached::Pending => format!("{}#offers", subject.href),
        Breached::NoResponsible => format!("{assign}&role=R&next={}/raci", subject.href),
        _ => format!("{assign}&next={}/raci", subject.href),
    }
}

/// The page of a matrix; goes inside `Layout`.
#[component]
pub fn MatrixPage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let Subject { reference, name, href, .. } = shown.subject.clone();
    let (edit, closed) = (shown.edit && !shown.closed, shown.closed);
    let csv = format!("{href}/raci.csv");
    let to_edit = format!("{href}/raci/edit");
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
    let none = shown.columns.is_empty().then(|| {
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
        <Crumbs trail=shown.subject.crumbs(None)/>
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
    let tells = shown.breaches.as_ref().is_some_and(|b| !b.is_empty()) && !shown.closed;
    let wrong_head = tells.then(|| view! { <th scope="col">"What is wrong"</th> });
    let rows = Duty::ALL
        .iter()
        .map(|&duty| {
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
            view! { <tr>{duty_head(&shown.ward, duty)}{cells}{wrong}</tr> }.piece()
        })
        .collect_view();
    view! {
        <div class="raci-grid">
            <TableFrame label="RACI matrix" compact=true>
                <thead><tr><th scope="col">"Duty"</th>{heads}{wrong_head}</tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </div>
    }
    .piece()
}

fn wrong(shown: &Shown, duty: Duty) -> Piece {
    let name = |party: Party| {
        shown.columns.iter().find(|c| c.party == party).map_or_else(|| party.to_string(), |c| c.name.clone())
    };
    let lines = shown
        .breaches
        .iter()
        .flatten()
        .filter(|b| b.duty == duty)
        .map(|breach| {
            let fix = shown.edit.then(|| {
                let (href, label) = (mend(&shown.subject, breach), breach.fix_label());
                view! { " " <a href=href>{label}<span class="visually-hidden">{format!(": {}", duty.label())}</span></a> }
            });
            view! { <p><span dir="auto">{breach.sentence(name)}</span>{fix}</p> }.piece()
        })
        .collect_view();
    view! { <td class="wrong small">{lines}</td> }.piece()
}
