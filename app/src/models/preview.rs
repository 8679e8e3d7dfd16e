//! What a model would do: for one agent its matrix as it would be, for many a table of
//! counts, each with the agents behind it.

use domain::assignment::RaciRole;
use domain::duty::Duty;
use domain::id::AgentId;
use domain::model::Model;
use leptos::prelude::*;

use crate::agents::agents;
use crate::components::{Badge, IntoPiece, Notice, Piece, Section, TableFrame, Tone, thousands};

/// What becomes of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// It holds already, and stays.
    Stays,
    /// It is asked for: an A.
    Asked,
    /// It was asked for before.
    Waits,
    /// It holds at once.
    Added,
    /// It ends.
    Ends,
    /// The owner stays until the new one accepts.
    Until,
}

/// One letter of the matrix as it would be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The letter.
    pub role: RaciRole,
    /// Whose, by name.
    pub name: String,
    /// Their page.
    pub href: String,
    /// What becomes of it.
    pub act: Act,
}

/// What becomes of a duty, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Filled by the model.
    Filled,
    /// As the model says already.
    Already,
    /// Somebody chose otherwise, and it stays.
    Kept,
    /// The function that would hold it has nobody.
    Nobody(&'static str),
}

/// A duty of one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which.
    pub duty: Duty,
    /// What becomes of it.
    pub what: What,
    /// Its letters.
    pub cells: Vec<Cell>,
}

/// The matrix of one agent as it would be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Matrix {
    /// By duty.
    pub rows: Vec<Row>,
}

/// One duty of many agents: how many of which sort, and the first of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Which.
    pub duty: Duty,
    /// Those for which it is offered.
    pub offered: (u64, Vec<(AgentId, String)>),
    /// Those where somebody holds it, or is asked, and that stays.
    pub kept: (u64, Vec<(AgentId, String)>),
    /// Those whose owner, or whose offer, is as the model says.
    pub already: (u64, Vec<(AgentId, String)>),
    /// Those for which nobody fills the function.
    pub nobody: (u64, Vec<(AgentId, String)>),
    /// R, C and I that are added.
    pub letters: u64,
    /// R, C and I that end.
    pub ends: u64,
    /// Offers to somebody else that end, since the model's party holds the duty.
    pub withdrawn: u64,
    /// The agents of these letters.
    pub lettered: Vec<(AgentId, String)>,
}

/// What applying a model would do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// Its digest: what is done is what was shown.
    pub digest: String,
    /// How many agents change.
    pub changes: u64,
    /// Agents that stay as they are: why, how many, and the first of them.
    pub skipped: Vec<(String, u64, Vec<(AgentId, String)>)>,
    /// Of one agent.
    pub matrix: Option<Matrix>,
    /// Of many.
    pub tallies: Vec<Tally>,
}

pub(super) fn shown(preview: &Preview, model: Model) -> Piece {
    let offered: u64 = preview.tallies.iter().map(|t| t.offered.0).sum();
    let letters: u64 = preview.tallies.iter().map(|t| t.letters).sum();
    let ends: u64 = preview.tallies.iter().map(|t| t.ends).sum();
    let withdrawn: u64 = preview.tallies.iter().map(|t| t.withdrawn).sum();
    let head = match preview.changes {
        0 => "Nothing would change.".to_owned(),
        n => {
            let mut words = format!("{} changes {}: ", model.label(), agents(n));
            words.push_str(&format!("{} offered", duties(offered)));
            if letters > 0 {
                words.push_str(&format!(", {} of R, C and I added", thousands(letters)));
            }
            if ends > 0 {
                words.push_str(&format!(", {} ended", thousands(ends)));
            }
            match withdrawn {
                0 => {}
                1 => words.push_str(", 1 offer taken back"),
                n => words.push_str(&format!(", {} offers taken back", thousands(n))),
            }
            words.push('.');
            words
        }
    };
    let skipped = preview
        .skipped
        .iter()
        .map(|(why, n, first)| {
            let verb = if *n == 1 { "stays as it is" } else { "stay as they are" };
            view! { <li>{format!("{} {verb}: {why}. ", agents(*n))}{named(first, *n)}</li> }
        })
        .collect_view();
    let skipped = (!preview.skipped.is_empty()).then(|| view! { <ul class="notes">{skipped}</ul> });
    let tone = if preview.changes == 0 { Tone::Plain } else { Tone::Note };
    let body = match &preview.matrix {
        Some(matrix) => one(matrix),
        None => many(&preview.tallies),
    };
    view! {
        <Notice tone=tone title="What will happen"><p>{head}</p>{skipped}</Notice>
        {body}
    }
    .piece()
}

fn duties(n: u64) -> String {
    if n == 1 { "1 duty is".to_owned() } else { format!("{} duties are", thousands(n)) }
}

/// Links to agents, in words.
fn named(first: &[(AgentId, String)], all: u64) -> Piece {
    let links = first
        .iter()
        .map(|(id, name)| {
            let words = if name.is_empty() { id.to_string() } else { name.clone() };
            view! { <a href=format!("/agents/{id}") dir="auto">{words}</a> " " }
        })
        .collect_view();
    let more = all.saturating_sub(first.len() as u64);
    view! { {links}{(more > 0).then(|| format!("and {} more", thousands(more)))} }.piece()
}

fn letter(cell: &Cell) -> Piece {
    let (tone, words) = match cell.act {
        Act::Stays => (Tone::Plain, ""),
        Act::Asked => (Tone::Note, "asked"),
        Act::Waits => (Tone::Note, "asked before"),
        Act::Added => (Tone::Good, "new"),
        Act::Ends => (Tone::Warn, "ends"),
        Act::Until => (Tone::Plain, "until then"),
    };
    let badge = (!words.is_empty()).then(|| view! { " " <Badge tone=tone>{words}</Badge> });
    view! { <li><a href=cell.href.clone() dir="auto">{cell.name.clone()}</a>{badge}</li> }.piece()
}

/// The matrix of one agent as it would be.
fn one(matrix: &Matrix) -> Piece {
    let rows = matrix
        .rows
        .iter()
        .map(|row| {
            let of = |role: RaciRole| {
                let cells: Vec<Piece> = row.cells.iter().filter(|c| c.role == role).map(letter).collect();
                if cells.is_empty() {
                    return view! { <td></td> }.piece();
                }
                view! { <td data-label=role.label()><ul class="plain-list">{cells}</ul></td> }.piece()
            };
            let (tone, words) = match row.what {
                What::Filled => (Tone::Good, "Filled".to_owned()),
                What::Already => (Tone::Plain, "As it is".to_owned()),
                What::Kept => (Tone::Plain, "Left as it is: somebody chose".to_owned()),
                What::Nobody(slot) => (Tone::Warn, format!("Left as it is: nobody fills “{slot}”")),
            };
            view! {
                <tr>
                    <th scope="row">{row.duty.label()}<span class="since small muted">{row.duty.owner_title()}</span></th>
                    {of(RaciRole::Accountable)}
                    {of(RaciRole::Responsible)}
                    {of(RaciRole::Consulted)}
                    {of(RaciRole::Informed)}
                    <td data-label="Outcome"><Badge tone=tone>{words}</Badge></td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    if matrix.rows.is_empty() {
        return ().piece();
    }
    view! {
        <Section title="The matrix as it would be" id="matrix">
            <TableFrame label="The matrix as it would be" stacks=true columns=6>
                <thead><tr><th scope="col">"Duty"</th><th scope="col">"Accountable"</th><th scope="col">"Responsible"</th><th scope="col">"Consulted"</th><th scope="col">"Informed"</th><th scope="col">"Outcome"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

/// A count of the table; a small screen, where each has a line, leaves zeros out.
fn figure(tally: &Tally, label: &'static str, n: u64) -> Piece {
    match n {
        0 => view! { <td class="num zero" data-label=label><span class="muted">"0"</span></td> }.piece(),
        n => view! { <td class="num" data-label=label><a href=format!("#{}", tally.duty)>{thousands(n)}</a></td> }
            .piece(),
    }
}

/// Counts by duty, and the agents behind them.
fn many(tallies: &[Tally]) -> Piece {
    let rows = tallies
        .iter()
        .map(|t| {
            view! {
                <tr>
                    <th scope="row">{t.duty.label()}<span class="since small muted">{t.duty.owner_title()}</span></th>
                    {figure(t, "Offered", t.offered.0)}
                    {figure(t, "R, C, I added", t.letters)}
                    {figure(t, "Left as chosen", t.kept.0)}
                    {figure(t, "As the model says", t.already.0)}
                    {figure(t, "Nobody fills it", t.nobody.0)}
                </tr>
            }
            .piece()
        })
        .collect_view();
    let details = tallies
        .iter()
        .map(|t| {
            let part = |words: &'static str, (n, first): &(u64, Vec<(AgentId, String)>)| {
                (*n > 0).then(|| view! { <p class="small"><strong>{words}</strong>": "{named(first, *n)}</p> })
            };
            view! {
                <details class="small">
                    <summary>{format!("{}: which agents", t.duty.label())}</summary>
                    // A link to what is folded away opens it.
                    <div id=t.duty.key()>
                    {part("Offered", &t.offered)}
                    {(!t.lettered.is_empty()).then(|| view! { <p class="small"><strong>"R, C and I"</strong>": "{named(&t.lettered, t.lettered.len() as u64)}</p> })}
                    {part("As the model says", &t.already)}
                    {part("Left as somebody chose", &t.kept)}
                    {part("Nobody fills the function", &t.nobody)}
                    </div>
                </details>
            }
            .piece()
        })
        .collect_view();
    if tallies.is_empty() {
        return ().piece();
    }
    view! {
        <Section title="By duty" id="by-duty">
            <TableFrame label="What will happen, by duty" stacks=true columns=6>
                <thead><tr><th scope="col">"Duty"</th><th scope="col" class="num">"Offered"</th><th scope="col" class="num">"R, C, I added"</th><th scope="col" class="num">"Left as chosen"</th><th scope="col" class="num">"As the model says"</th><th scope="col" class="num">"Nobody fills it"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            {details}
        </Section>
    }
    .piece()
}
