//! A matrix, to be changed: a select a cell, saved as one change with a reason.
//! The browser makes a grid of the selects; the form it sends is the same.

use std::collections::BTreeMap;

use domain::assignment::RaciRole;
use domain::duty::Duty;
use domain::party::Party;
use domain::raci::{Letters, Ward, breaches, letters};
use leptos::prelude::*;

use super::cells::{CYCLE, Column, cell_name, planned};
use super::page::{Given, Whose, duty_head, head};
use crate::components::{
    Button, Choice, Crumbs, ErrorSummary, Field, FieldErrors, Fit, IntoPiece, Kind, LinkButton, Notice, PageHead,
    Piece, PostForm, Refused, Suggestions, TableFrame, TextArea, Tone,
};
use crate::islands::RaciGrid;

/// As typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GridForm {
    /// Which version of the matrix one began with.
    pub version: String,
    /// Letters by the name of the cell's field.
    pub cells: BTreeMap<String, String>,
    /// Parties to add, by name.
    pub add: String,
    /// Why.
    pub reason: String,
    /// A table to read into the form.
    pub table: String,
}

impl GridForm {
    /// What stands in a cell.
    pub fn cell(&self, duty: Duty, party: Party) -> &str {
        self.cells.get(&cell_name(duty, party)).map_or("", String::as_str)
    }

    /// Every cell that is not empty.
    pub fn letters(&self, columns: &[Column]) -> Vec<(Duty, Party, Letters)> {
        let mut out = Vec::new();
        for &duty in Duty::ALL {
            for column in columns {
                let found = letters(self.cell(duty, column.party));
                if !found.roles.is_empty() {
                    out.push((duty, column.party, found));
                }
            }
        }
        out
    }
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Editing {
    /// Whose matrix.
    pub whose: Whose,
    /// What the rules know of it.
    pub ward: Ward,
    /// The parties, those added included.
    pub columns: Vec<Column>,
    /// What the agent's platform gives it.
    pub given: Option<Given>,
    /// What is on offer now.
    pub offered: Vec<(Duty, Party)>,
    /// Letters as they are on record, by the name of the cell's field.
    pub stored: BTreeMap<String, String>,
    /// Says beside each cell that differs what is on record.
    pub compare: bool,
    /// What happened, above the form.
    pub notice: Option<(Tone, String)>,
    /// As typed, with what is wrong.
    pub form: Refused<GridForm>,
    /// People and teams to suggest.
    pub suggested: Vec<Fit>,
    /// Those who fit a name that was not one.
    pub fits: Vec<Fit>,
}

/// The form's id, by which the grid finds it.
const FORM: &str = "raci-form";

/// The page at `…/raci/edit`; goes inside `Layout`.
#[component]
pub fn EditMatrix(
    /// What it shows.
    editing: Editing,
) -> impl IntoView {
    let Whose { of, name } = editing.whose.clone();
    let reference = of.to_string();
    let back = editing.whose.raci("");
    let values = editing.form.values.clone();
    let errors = editing.form.errors.clone();
    let notice =
        editing.notice.clone().map(|(tone, text)| view! { <Notice tone=tone><p dir="auto">{text}</p></Notice> });
    let suggested = editing.suggested.iter().map(|f| Choice::new(f.written(), f.note.clone())).collect::<Vec<_>>();
    let parties = editing
        .columns
        .iter()
        .map(|c| view! { <input type="hidden" name="party" value=c.party.to_string()/> })
        .collect_view();
    let (ward, columns, offered) = (editing.ward.clone(), editing.columns.clone(), editing.offered.clone());
    view! {
        <Crumbs trail=editing.whose.crumbs(Some("Edit"))/>
        <PageHead title=format!("Edit the matrix: {name}") reference=reference
            lead="R, C and I hold at once. A new A is an offer: whoever answers now still does until it is accepted."/>
        {notice}
        <PostForm files=true wide=true id=FORM>
            <ErrorSummary errors=errors.clone()/>
            <input type="hidden" name="version" value=values.version.clone()/>
            {parties}
            // Enter in a field saves, or adds whom one named; it must not choose one of those who fit
            <button class="visually-hidden" tabindex="-1" aria-hidden="true" name="do" value="save">"Save"</button>
            <RaciGrid form=FORM.to_owned() ward=ward columns=columns offered=offered/>
            {table(&editing)}
            <div class="raci-add">
                <Field name="add" label="Add parties" value=values.add.clone() error=errors.of("add") list="parties" autocomplete="off"
                    hint="A name, an e-mail address, a reference such as PE-7 or TE-2; several separated by semicolons."/>
                <Suggestions id="parties" values=suggested/>
                {fits(&editing.fits)}
                <Button name="do" value="add">"Add columns"</Button>
            </div>
            {csv(&values, &errors)}
            <TextArea name="reason" label="Reason" value=values.reason.clone() error=errors.of("reason") rows=2 required=true maxlength=1000
                hint="Why it changes. It goes with the offers and stays in the record."/>
            <div class="actions">
                <Button kind=Kind::Primary name="do" value="save">"Save as one change"</Button>
                <LinkButton href=back kind=Kind::Quiet>"Cancel"</LinkButton>
            </div>
        </PostForm>
    }
    .piece()
}

fn fits(fits: &[Fit]) -> Option<Piece> {
    (!fits.is_empty()).then(|| {
        let rows = fits
            .iter()
            .map(|f| {
                view! { <li><button class="link" name="choose" value=f.written() dir="auto">{f.name.clone()}</button> " " <span class="ref muted">{f.reference.clone()}</span> " " <span class="small muted">{f.note.clone()}</span></li> }
            })
            .collect_view();
        view! { <div class="fits"><p class="small">"Did you mean"</p><ul class="plain-list">{rows}</ul></div> }.piece()
    })
}

fn csv(values: &GridForm, errors: &FieldErrors) -> Piece {
    let open = !values.table.is_empty() || errors.of("table").is_some() || errors.of("file").is_some();
    view! {
        <details class="folded" open=open>
            <summary>"Read a table into the form"</summary>
            <div class="stack">
                <TextArea name="table" label="Table" value=values.table.clone() error=errors.of("table") rows=6
                    hint="As downloaded: duties down, parties across. It replaces the letters of the duties it names; you see every difference, and nothing is saved until you save."/>
                <Field name="file" label="Or a file" kind="file" error=errors.of("file") accept=".csv,.tsv,.tab,.txt,text/csv,text/tab-separated-values,text/plain"/>
                <Button name="do" value="read">"Read it"</Button>
            </div>
        </details>
    }
    .piece()
}

fn table(editing: &Editing) -> Piece {
    let heads = editing.columns.iter().map(head).collect_view();
    let given_head = editing.given.as_ref().map(Given::head);
    let values = &editing.form.values;
    let seats = planned(&values.letters(&editing.columns), &editing.columns, &editing.offered);
    let broken = breaches(&editing.ward, &seats);
    let name = |party: Party| {
        editing.columns.iter().find(|c| c.party == party).map_or_else(|| party.to_string(), |c| c.name.clone())
    };
    let rows = editing
        .ward
        .duties
        .iter()
        .map(|&duty| {
            let own = seats.iter().any(|s| s.duty == duty && s.role == RaciRole::Accountable && s.accepted);
            let given = editing.given.as_ref().map(|g| g.cell(duty, own));
            let cells = editing.columns.iter().map(|column| cell(editing, duty, column)).collect_view();
            let lines = broken
                .iter()
                .filter(|b| b.duty == duty)
                .map(|b| view! { <p dir="auto">{b.sentence(name)}</p> })
                .collect_view();
            view! {
                <tr>
                    {duty_head(&editing.ward, duty)}
                    {cells}
                    {given}
                    <td class="wrong small" data-duty=duty.key()>{lines}</td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    view! {
        <div class="raci-grid editing">
            <TableFrame label="RACI matrix" compact=true>
                <thead><tr><th scope="col">"Duty"</th>{heads}{given_head}<th scope="col">"What would be wrong"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </div>
    }
    .piece()
}

fn cell(editing: &Editing, duty: Duty, column: &Column) -> Piece {
    let name = cell_name(duty, column.party);
    let typed = editing.form.values.cell(duty, column.party).to_owned();
    let error = editing.form.errors.of(&name);
    let stored = editing.stored.get(&name).map_or("", String::as_str);
    let mut options: Vec<String> = CYCLE.iter().map(|c| (*c).to_owned()).collect();
    options.push("C/I".to_owned());
    for more in [typed.as_str(), stored] {
        if !options.iter().any(|o| o == more) {
            options.push(more.to_owned());
        }
    }
    let options = options
        .into_iter()
        .map(|value| {
            let chosen = value == typed;
            let label = if value.is_empty() { "–".to_owned() } else { value.clone() };
            view! { <option value=value selected=chosen>{label}</option> }
        })
        .collect_view();
    let offered =
        editing.offered.contains(&(duty, column.party)).then(|| view! { <span class="offered small">"offered"</span> });
    let was = (editing.compare && letters(stored) != letters(&typed)).then(|| {
        let words = if stored.is_empty() { "now empty".to_owned() } else { format!("now {stored}") };
        view! { <span class="was small">{words}</span> }
    });
    let (id, label) = (format!("field-{name}"), format!("{}: {}", duty.label(), column.name));
    let error_id = format!("{id}-error");
    let described = error.as_ref().map(|_| error_id.clone());
    let error = error.map(|error| view! { <span class="error small" id=error_id>{error}</span> });
    view! {
        <td class="cell">
            <select class="input" id=id name=name aria-label=label aria-describedby=described.clone() aria-invalid=described.map(|_| "true")>
                {options}
            </select>
            {offered}
            {was}
            {error}
        </td>
    }
    .piece()
}
