//! `/agents/{id}/raci` and `/systems/{id}/raci`: the matrix, its table as CSV, and its form.

use std::collections::BTreeMap;

use app::components::{FieldErrors, Fit, Flash, Refused, Tone};
use app::raci::cells::{cell_name, cell_of, written};
use app::raci::{Cell, Column, EditMatrix, Editing, Given, GridForm, MatrixPage, Shown, Under, Whose};
use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::handler::Handler as _;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use domain::assignment::RaciRole;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, SystemId};
use domain::import::Table;
use domain::import::neutral::{restored, write_row};
use domain::party::{Party, Standing};
use domain::raci::{Seat, Ward, breaches, letters};
use domain::system::Subject;
use domain::text::fold;
use leptos::prelude::*;
use register::Error;
use register::agents::assess::party_standing;
use register::assignments::{self, Matrix, Wanted};
use register::people::{self, Among, Unclear};

use super::assignments::suggested;
use super::raci::{sent, table_of};
use crate::App;
use crate::page::{Answer, Fault, Fields, Page, field_errors, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;
use serde::de::DeserializeOwned;

/// Parties of one matrix: more would be no matrix that anybody reads.
const COLUMNS_MAX: usize = 40;
/// Most bytes of the form, a table within it included.
const FORM_MAX: usize = 4 << 20;

pub(super) fn routes() -> Routes {
    let form = DefaultBodyLimit::max(FORM_MAX);
    Routes::page()
        .get("/agents/{id}/raci", show::<AgentId>)
        .get("/agents/{id}/raci.csv", download::<AgentId>)
        .get("/agents/{id}/raci/edit", edit::<AgentId>)
        .post("/agents/{id}/raci/edit", save::<AgentId>.layer(form))
        .get("/systems/{id}/raci", show::<SystemId>)
        .get("/systems/{id}/raci.csv", download::<SystemId>)
        .get("/systems/{id}/raci/edit", edit::<SystemId>)
        .post("/systems/{id}/raci/edit", save::<SystemId>.layer(form))
}

/// An agent or a system by its reference in an address.
pub(super) trait Reference: DeserializeOwned + Into<Subject> + Send + Sync + 'static {}

impl<T: DeserializeOwned + Into<Subject> + Send + Sync + 'static> Reference for T {}

/// A matrix with what its pages need around it.
struct Board {
    whose: Whose,
    ward: Ward,
    columns: Vec<Column>,
    given: Option<Given>,
    matrix: Matrix,
}

async fn board(app: &App, signed: &Signed, of: Subject) -> Result<Board, Error> {
    let matrix = assignments::matrix(&app.db, signed.by(), of).await?;
    let mut columns: Vec<Column> = Vec::new();
    for cell in &matrix.cells {
        if !columns.iter().any(|c| c.party == cell.party) {
            let standing = party_standing(&mut &app.db, cell.party).await?.unwrap_or(Standing::Left);
            columns.push(Column { party: cell.party, name: cell.name.clone(), standing });
        }
    }
    columns.sort_by_key(|c| (fold(&c.name), c.party));
    let mut ward = matrix.ward.clone();
    let mut given = None;
    if let Some(platform) = &matrix.platform {
        let mut seats = Vec::new();
        for c in &platform.cells {
            let standing = party_standing(&mut &app.db, c.party).await?.unwrap_or(Standing::Left);
            let seat = Seat { duty: c.duty, role: c.role, party: c.party, standing, accepted: true };
            seats.push((seat, c.name.clone()));
        }
        ward.inherited = seats.iter().map(|(seat, _)| *seat).collect();
        given = Some(Given { system: platform.system, name: platform.name.clone(), seats });
    }
    Ok(Board { whose: Whose { of, name: matrix.name.clone() }, ward, columns, given, matrix })
}

impl Board {
    fn seats(&self) -> Vec<Seat> {
        let standing = |party| self.columns.iter().find(|c| c.party == party).map_or(Standing::Active, |c| c.standing);
        self.matrix
            .cells
            .iter()
            .map(|c| Seat {
                duty: c.duty,
                role: c.role,
                party: c.party,
                standing: standing(c.party),
                accepted: c.accepted_at.is_some(),
            })
            .collect()
    }

    fn offered(&self) -> Vec<(Duty, Party)> {
        self.matrix.cells.iter().filter(|c| c.accepted_at.is_none()).map(|c| (c.duty, c.party)).collect()
    }

    /// What stands in each cell, by the name of its field; with `offers`, those too.
    fn stored(&self, offers: bool) -> BTreeMap<String, String> {
        let mut out = BTreeMap::new();
        for cell in &self.matrix.cells {
            let has = |role| {
                self.matrix.cells.iter().any(|c| {
                    (c.duty, c.party, c.role) == (cell.duty, cell.party, role) && (offers || c.accepted_at.is_some())
                })
            };
            out.insert(cell_name(cell.duty, cell.party), written(has));
        }
        out
    }
}

async fn show<R: Reference>(State(app): State<App>, signed: Signed, Path(id): Path<R>) -> Answer {
    let board = board(&app, &signed, id.into()).await?;
    let seats = board.seats();
    let shown = Shown {
        breaches: board.matrix.controls.then(|| breaches(&board.ward, &seats)),
        cells: seats
            .into_iter()
            .map(|s| Cell { duty: s.duty, party: s.party, role: s.role, accepted: s.accepted })
            .collect(),
        given: board.given,
        ward: board.ward,
        columns: board.columns,
        edit: board.matrix.edit,
        closed: board.matrix.closed,
        under: match board.whose.of {
            Subject::Agent(id) => super::models::under(&app, signed.by(), id).await?,
            Subject::System(_) => Under::default(),
        },
        model: board.whose.of.agent().map(|id| format!("/agents/model?id={id}&next=/agents/{id}/raci")),
        whose: board.whose,
    };
    let title = format!("RACI matrix of {}", shown.whose.of);
    Ok(Page::new(&app, &signed, title).show(move || view! { <MatrixPage shown=shown/> }))
}

/// The matrix as a table that [`domain::raci::check`] reads, and the form reads back: what
/// holds, without what is only offered.
async fn download<R: Reference>(State(app): State<App>, signed: Signed, Path(id): Path<R>) -> Answer {
    let board = board(&app, &signed, id.into()).await?;
    let stored = board.stored(false);
    let heads: Vec<String> = board
        .columns
        .iter()
        .map(|c| Fit { reference: c.party.to_string(), name: c.name.clone(), note: String::new() }.written())
        .collect();
    let mut out = String::new();
    write_row(&mut out, std::iter::once("Duty").chain(heads.iter().map(String::as_str)));
    for &duty in &board.ward.duties {
        let cells: Vec<&str> =
            board.columns.iter().map(|c| stored.get(&cell_name(duty, c.party)).map_or("", String::as_str)).collect();
        if board.ward.required.contains(&duty) || cells.iter().any(|c| !c.is_empty()) {
            write_row(&mut out, std::iter::once(duty.label()).chain(cells));
        }
    }
    let name = format!("attachment; filename=\"{}-raci.csv\"", board.whose.of);
    Ok(([(header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()), (header::CONTENT_DISPOSITION, name)], out)
        .into_response())
}

/// The matrix, for somebody who may change it.
async fn editable(app: &App, signed: &Signed, of: Subject) -> Result<Board, Fault> {
    let board = board(app, signed, of).await?;
    if !board.matrix.edit {
        can(&signed.actor, Action::AssignmentOffer, Relation::None).map_err(Error::from)?;
    }
    if board.matrix.closed {
        return Err(Fault::conflict(format!("{of} is retired: its matrix is closed.")).back(board.whose.raci("")));
    }
    Ok(board)
}

async fn edit<R: Reference>(State(app): State<App>, signed: Signed, Path(id): Path<R>) -> Answer {
    let board = editable(&app, &signed, id.into()).await?;
    let form = GridForm { version: board.matrix.version.to_string(), cells: board.stored(true), ..GridForm::default() };
    form_page(&app, &signed, board, Refused::fresh(form), Told::default(), StatusCode::OK).await
}

/// What the form says besides what was typed.
#[derive(Default)]
struct Told {
    notice: Option<(Tone, String)>,
    compare: bool,
    fits: Vec<Fit>,
}

async fn form_page(
    app: &App,
    signed: &Signed,
    board: Board,
    form: Refused<GridForm>,
    told: Told,
    status: StatusCode,
) -> Answer {
    let title = format!("Edit the matrix of {}", board.whose.of);
    let editing = Editing {
        offered: board.offered(),
        stored: board.stored(true),
        whose: board.whose,
        given: board.given,
        ward: board.ward,
        columns: board.columns,
        compare: told.compare,
        notice: told.notice,
        form,
        suggested: suggested(&app.db, signed).await?,
        fits: told.fits,
    };
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <EditMatrix editing=editing/> }))
}

/// As typed. A party that has come since the form was shown keeps what it has.
fn typed(fields: &Fields, board: &Board) -> GridForm {
    let mut cells = board.stored(true);
    for (name, value) in fields.pairs() {
        if cell_of(name).is_some() {
            cells.insert(name.clone(), value.clone());
        }
    }
    let get = |name| fields.get(name).to_owned();
    GridForm { version: get("version"), cells, add: get("add"), reason: get("reason"), table: get("table") }
}

/// Adds a column, unless it is there.
async fn add_column(app: &App, board: &mut Board, party: Party, name: String) -> Result<(), Error> {
    if !board.columns.iter().any(|c| c.party == party) {
        let standing = party_standing(&mut &app.db, party).await?.unwrap_or(Standing::Left);
        board.columns.push(Column { party, name, standing });
    }
    Ok(())
}

fn fit(found: people::Fit) -> Fit {
    Fit { name: found.name, reference: found.party.to_string(), note: found.note }
}

/// Adds the columns that are named; names that are none stay in the field.
async fn add_named(
    app: &App,
    board: &mut Board,
    names: &str,
    errors: &mut FieldErrors,
) -> Result<(String, Vec<Fit>), Error> {
    let (mut left, mut fits) = (Vec::new(), Vec::new());
    for name in names.split([';', '\n']).map(str::trim).filter(|n| !n.is_empty()) {
        if board.columns.len() >= COLUMNS_MAX {
            errors.add("add", format!("At most {COLUMNS_MAX} parties stand in one matrix."));
            left.push(name);
            break;
        }
        match people::meant(&mut &app.db, name, Among::Parties).await? {
            Ok((party, name)) => add_column(app, board, party, name).await?,
            Err(Unclear { sentence, fits: found }) => {
                errors.add("add", sentence);
                fits.extend(found.into_iter().map(fit));
                left.push(name);
            }
        }
    }
    Ok((left.join("; "), fits))
}

async fn save<R: Reference>(State(app): State<App>, signed: Signed, Path(id): Path<R>, request: Request) -> Answer {
    let of: Subject = id.into();
    let mut board = editable(&app, &signed, of).await?;
    let (fields, file) = sent(&app, request).await?;
    let mut form = typed(&fields, &board);
    let mut errors = FieldErrors::new();
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    for party in fields.all("party").filter_map(|p| p.parse::<Party>().ok()).take(COLUMNS_MAX) {
        if let Ok((party, name)) = people::meant(&mut &app.db, &party.to_string(), Among::Parties).await? {
            add_column(&app, &mut board, party, name).await?;
        }
    }
    let chosen = fields.get("choose");
    let pressed = if chosen.is_empty() { fields.get("do") } else { "add" };
    if pressed == "read" || file.is_some() {
        return read(&app, &signed, board, form, &fields, file).await;
    }
    if pressed == "add" || !form.add.trim().is_empty() {
        let names = if chosen.is_empty() { form.add.clone() } else { chosen.to_owned() };
        let (left, fits) = add_named(&app, &mut board, &names, &mut errors).await?;
        form.add = left;
        let status = if errors.is_empty() { StatusCode::OK } else { refused };
        let told = Told { fits, ..Told::default() };
        return form_page(&app, &signed, board, Refused { values: form, errors }, told, status).await;
    }
    let wanted = wanted(&form, &board, &mut errors);
    if form.reason.trim().is_empty() {
        errors.add("reason", "Say why it changes, for the record.");
    }
    if !errors.is_empty() {
        return form_page(&app, &signed, board, Refused { values: form, errors }, Told::default(), refused).await;
    }
    // A version that is no number is an old one.
    let version = form.version.parse().unwrap_or(0);
    let wanted = board.matrix.meant(wanted);
    match assignments::put(&app.db, signed.by(), of, Some(version), &wanted, &form.reason).await {
        Ok(saved) => {
            let text = saved_words(&board.matrix, &saved);
            Ok(see_other_saying(&app, board.whose.raci(""), &Flash::good(text)))
        }
        Err(Error::Stale(now)) => {
            form.version = now.to_string();
            let sentence = "Somebody changed the matrix since you opened it. What you wrote is kept; beside each cell that differs stands what is on record now. Saving again makes it what you wrote.";
            let told = Told { notice: Some((Tone::Bad, sentence.to_owned())), compare: true, ..Told::default() };
            form_page(&app, &signed, board, Refused::fresh(form), told, StatusCode::CONFLICT).await
        }
        Err(error) => {
            let status = if matches!(error, Error::Conflict(_)) { StatusCode::CONFLICT } else { refused };
            for (field, message) in field_errors(error)?.iter() {
                let cell = field.strip_prefix("cells/").and_then(|rest| rest.split('/').next()?.parse::<usize>().ok());
                let field = match cell.and_then(|at| wanted.get(at)) {
                    Some(w) => cell_name(w.duty, w.party),
                    None => field.to_owned(),
                };
                errors.add(field, message);
            }
            form_page(&app, &signed, board, Refused { values: form, errors }, Told::default(), status).await
        }
    }
}

/// What saving did, in a sentence.
fn saved_words(before: &Matrix, saved: &Matrix) -> String {
    if before.version == saved.version {
        return "Nothing was changed.".to_owned();
    }
    let asked = saved
        .cells
        .iter()
        .filter(|c| c.accepted_at.is_none())
        .filter(|c| !before.cells.iter().any(|b| (b.duty, b.party, b.role) == (c.duty, c.party, c.role)))
        .count();
    match asked {
        0 => "The matrix is saved.".to_owned(),
        1 => "The matrix is saved. One duty is offered; it is held once that is accepted.".to_owned(),
        n => format!("The matrix is saved. {n} duties are offered; each is held once it is accepted."),
    }
}

/// The letters that are wanted; what is no letter is noted beside its cell.
fn wanted(form: &GridForm, board: &Board, errors: &mut FieldErrors) -> Vec<Wanted> {
    let mut out = Vec::new();
    for (name, value) in &form.cells {
        let Some((duty, party)) = cell_of(name) else { continue };
        if !board.columns.iter().any(|c| c.party == party) {
            continue;
        }
        let found = letters(value);
        if let Some(word) = found.unknown.first() {
            errors.add(name.clone(), format!("“{word}” is no letter: R, A, C or I."));
        }
        out.extend(found.roles.into_iter().map(|role| Wanted { duty, party, role }));
    }
    out
}

/// Reads a table into the form. What is on offer stays, since a table only says what holds.
async fn read(
    app: &App,
    signed: &Signed,
    mut board: Board,
    mut form: GridForm,
    fields: &Fields,
    file: Option<(String, Vec<u8>)>,
) -> Answer {
    let mut errors = FieldErrors::new();
    let mut told = Told::default();
    if let Some((field, _, text)) = table_of(fields, file, &mut errors) {
        form.table.clone_from(&text);
        match table(app, &mut board, &text, &mut told.fits).await? {
            Ok(read) => {
                let offered = board.offered();
                for (duty, party, value) in read {
                    let keeps = offered.contains(&(duty, party));
                    let found = letters(&value);
                    let value = written(|role| found.has(role) || (keeps && role == RaciRole::Accountable));
                    form.cells.insert(cell_name(duty, party), value);
                }
                let stored = board.stored(true);
                let differ = form.cells.iter().filter(|(name, value)| {
                    letters(value).written() != letters(stored.get(*name).map_or("", String::as_str)).written()
                });
                let words = match differ.count() {
                    0 => "The table says what is on record; there is nothing to save.".to_owned(),
                    1 => "One cell differs from what is on record. Nothing is saved yet.".to_owned(),
                    n => format!("{n} cells differ from what is on record. Nothing is saved yet."),
                };
                told.notice = Some((Tone::Note, words));
                told.compare = true;
                form.table.clear();
            }
            Err(wrong) => {
                for sentence in wrong.into_iter().take(20) {
                    errors.add(field, sentence);
                }
            }
        }
    }
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    form_page(app, signed, board, Refused { values: form, errors }, told, status).await
}

/// The cells of a table: every duty that it names, for every party that it names.
async fn table(
    app: &App,
    board: &mut Board,
    text: &str,
    fits: &mut Vec<Fit>,
) -> Result<Result<Vec<(Duty, Party, String)>, Vec<String>>, Error> {
    let table = match Table::read(text) {
        Ok(table) => table,
        Err(error) => return Ok(Err(vec![error.to_string()])),
    };
    let mut wrong = Vec::new();
    let mut parties = Vec::new();
    if table.header().len() - 1 > COLUMNS_MAX {
        return Ok(Err(vec![format!("At most {COLUMNS_MAX} parties stand in one matrix.")]));
    }
    for heading in &table.header()[1..] {
        match people::meant(&mut &app.db, restored(heading), Among::Parties).await? {
            Ok((party, name)) => {
                add_column(app, board, party, name).await?;
                parties.push(party);
            }
            Err(Unclear { sentence, fits: found }) => {
                wrong.push(format!("“{heading}”: {sentence}"));
                fits.extend(found.into_iter().map(fit));
            }
        }
    }
    if !wrong.is_empty() {
        return Ok(Err(wrong));
    }
    let mut out = Vec::new();
    for record in table.rows().take(200) {
        if let Some(why) = record.refusal() {
            wrong.push(format!("Row {}: {why}", record.row));
            continue;
        }
        let Some((first, cells)) = record.cells.split_first() else { continue };
        let named = fold(first.trim());
        let duty = Duty::ALL.iter().find(|d| [d.key(), d.label(), d.owner_title()].iter().any(|n| fold(n) == named));
        let Some(&duty) = duty else {
            wrong.push(format!("Row {}: “{}” is no duty.", record.row, first.trim()));
            continue;
        };
        for (party, cell) in parties.iter().zip(cells) {
            let found = letters(cell);
            if let Some(word) = found.unknown.first() {
                wrong.push(format!("Row {}: “{word}” is no letter: R, A, C or I.", record.row));
            }
            out.push((duty, *party, written(|role| found.has(role))));
        }
        // Of a duty that is named, whoever is not named holds nothing.
        for column in &board.columns {
            if !parties.contains(&column.party) {
                out.push((duty, column.party, String::new()));
            }
        }
    }
    Ok(if wrong.is_empty() { Ok(out) } else { Err(wrong) })
}
