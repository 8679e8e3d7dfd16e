//! `/agents`: the inventory, one agent, its form, its past.

use std::collections::{BTreeMap, HashMap};

use app::agents::{
    AgentEditor, AgentForm, AgentPage, Answer as Then, Conflict, Do, Editor, ExceptedThen, Findings, History,
    HistoryPage, Holder, Inventory, Known, Line, List, May, OpenOffer, Rights, Scope, Shown, Tiers, form,
};
use app::audit::{EventView, references};
use app::components::{Address, Choice, FieldErrors, Flash, Refused};
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use domain::agent::Lifecycle;
use domain::assignment::RuntimeOwner;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::AgentId;
use domain::import::neutral::write_row;
use domain::party::Party;
use domain::stop::Surface;
use domain::system::SystemKind;
use futures_util::stream;
use leptos::prelude::*;
use register::agents::export::{self, Export};
use register::agents::list::{self, Query, Sort, Whole};
use register::agents::{self, View, known};
use register::{By, Error, assignments, audit, paging, people, stops, systems, teams};

use super::people::named;
use crate::App;
use crate::page::{Answer, Fault, Fields, Here, Page, field_errors, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// Names of each sort that a form suggests.
const SUGGESTED: i64 = 200;
/// How far rows are counted when several filters are set.
const COUNT_TO: i64 = 10_000;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/agents", inventory)
        .get("/agents/export.csv", export)
        .get("/agents/new", blank)
        .post("/agents/new", create)
        .get("/agents/{id}", show)
        .post("/agents/{id}", act)
        .get("/agents/{id}/scope", scope)
        .post("/agents/{id}/scope", ask_scope)
        .get("/agents/{id}/edit", edit)
        .post("/agents/{id}/edit", save)
        .get("/agents/{id}/history", history)
        .get("/help/findings", findings)
        .get("/help/tiers", tiers)
}

async fn findings(State(app): State<App>, signed: Signed) -> Answer {
    Ok(Page::new(&app, &signed, "Findings").show(|| view! { <Findings/> }))
}

async fn tiers(State(app): State<App>, signed: Signed) -> Answer {
    Ok(Page::new(&app, &signed, "Risk tiers").show(|| view! { <Tiers/> }))
}

/// The query that an address names, or a sentence for each value that is none.
pub(super) fn query(here: &Address) -> Result<Query, Vec<String>> {
    let mut wrong = Vec::new();
    let mut read = Reader { here, wrong: &mut wrong };
    let (sort, down) = match here.get("sort") {
        None => (Sort::default(), false),
        Some(key) => Sort::parse(key).unwrap_or_else(|| {
            read.wrong.push(format!("Agents cannot be sorted by “{key}”."));
            (Sort::default(), false)
        }),
    };
    let runs = match here.get("runs") {
        None => None,
        Some("yes") => Some(true),
        Some("no") => Some(false),
        Some(other) => {
            read.wrong.push(format!("“{other}” is not one of: yes, no"));
            None
        }
    };
    let due = match here.get("due") {
        Some("yes") => Some(true),
        Some("no") => Some(false),
        _ => None,
    };
    let text = |key: &str| here.get(key).map(str::to_owned);
    let query = Query {
        state: read.word("state"),
        environment: read.word("environment"),
        tier: read.word("tier"),
        runtime_owner: read.words("runtime_owner"),
        vacant: read.word("vacant"),
        running: read.word("running"),
        runs,
        finding: read.word("finding"),
        excepted: read.word("excepted"),
        due,
        business_unit: text("business_unit"),
        owner: read.word("owner"),
        wave: read.word("wave"),
        system: read.word("system"),
        platform: read.word("platform"),
        operated_by: read.word("operated_by"),
        vendor: text("vendor"),
        tool: text("tool"),
        credential: text("credential"),
        condition: read.word("condition"),
        without_condition: read.word("without_condition"),
        q: text("q").unwrap_or_default(),
        sort,
        down,
        cursor: here.get("cursor").or_else(|| here.get("before")).map(str::to_owned),
        limit: paging::DEFAULT_LIMIT,
        count_to: COUNT_TO,
    };
    if wrong.is_empty() { Ok(query) } else { Err(wrong) }
}

struct Reader<'a> {
    here: &'a Address,
    wrong: &'a mut Vec<String>,
}

impl Reader<'_> {
    /// Every value of a key that may be given more than once.
    fn words<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, key: &str) -> Vec<T> {
        let values: Vec<String> = self.here.all(key).filter(|value| !value.is_empty()).map(str::to_owned).collect();
        values
            .iter()
            .filter_map(|value| value.parse().map_err(|e: T::Err| self.wrong.push(e.to_string())).ok())
            .collect()
    }

    fn word<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, key: &str) -> Option<T> {
        let value = self.here.get(key)?;
        value.parse().map_err(|e: T::Err| self.wrong.push(e.to_string())).ok()
    }
}

fn rights(signed: &Signed) -> Rights {
    let may = |action| can(&signed.actor, action, Relation::None).is_ok();
    Rights {
        register: may(Action::AgentCreate),
        import: may(Action::ImportRun),
        export: may(Action::AgentExport),
        assign: may(Action::AssignmentOffer),
        controls: may(Action::AgentReadControls),
        review: may(Action::CampaignWrite),
    }
}

async fn inventory(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let query = match query(&here) {
        Ok(query) => query,
        Err(wrong) => {
            let sentence = format!("{} Go back, or begin with all agents.", wrong.join(" "));
            return Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, sentence).back("/agents"));
        }
    };
    let by = signed.by();
    let (page, units) = list::list_with_units(&app.db, by, &query, SUGGESTED).await?;
    let asked: Vec<&str> =
        ["owner", "wave", "system", "platform", "operated_by"].iter().filter_map(|key| here.get(key)).collect();
    let names = if asked.is_empty() { Vec::new() } else { known::named(&app.db, by, &asked).await? };
    let none_at_all = page.items.is_empty() && nothing(&app, by).await?;
    let first = here.first_page();
    let may = rights(&signed);
    let gone = matches!(query.finding, Some(FindingKey::OwnerInactive | FindingKey::RuntimeOwnerInactive))
        || query.runtime_owner.contains(&RuntimeOwner::Inactive);
    let mut next = HashMap::new();
    if gone && may.assign {
        let ids: Vec<AgentId> = page.items.iter().map(|line| line.id).collect();
        let mut reads = &app.db;
        next = people::next_in_line(&mut reads, &ids, signed.now).await?;
    }
    let list = List {
        next: page.next.map(|cursor| first.with("cursor", &cursor).href()),
        previous: page.previous.map(|cursor| first.with("before", &cursor).href()),
        total: page.total.and_then(|n| u64::try_from(n).ok()),
        rows: page
            .items
            .into_iter()
            .map(|found| {
                // The first in line who is there, for two duties at most: its page shows the rest.
                let mut first: Vec<_> = next.remove(&found.id).unwrap_or_default().into_iter().collect();
                first.sort_by_key(|(duty, _)| (*duty != Duty::Containment, *duty));
                let first = first
                    .into_iter()
                    .filter_map(|(duty, list)| Some((duty, named(list.into_iter().find(|n| n.active)?))));
                Line { next: first.take(2).collect(), ..line(found) }
            })
            .collect(),
        none_at_all,
        units,
        names,
        may,
        now: signed.now,
        here,
    };
    Ok(Page::new(&app, &signed, "Agents").show(move || view! { <Inventory list=list/> }))
}

/// Whether the reader sees no agent at all.
pub(super) async fn nothing(app: &App, by: By<'_>) -> Result<bool, Error> {
    let query = Query { limit: 1, count_to: 1, ..Query::default() };
    Ok(list::list(&app.db, by, &query).await?.items.is_empty())
}

fn line(line: list::Line) -> Line {
    Line {
        id: line.id,
        name: line.name,
        business_unit: line.business_unit,
        environment: line.environment,
        hosting: line.hosting,
        state: line.state,
        running: line.running,
        tier: line.tier,
        tier_points: line.tier_points,
        runtime_owner: line.runtime_owner,
        runtime_party: line.runtime_party,
        offered: line.offered,
        gone: line.gone,
        updated_at: line.updated_at,
        next: Vec::new(),
    }
}

/// The rows of a view as a file, made while it is sent.
async fn export(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let query =
        query(&here).map_err(|wrong| Fault::new(StatusCode::UNPROCESSABLE_ENTITY, wrong.join(" ")).back("/agents"))?;
    let mut export = Export::new(signed.by(), query)?;
    // The first page is read before the answer begins, so that a refusal is a page.
    let mut text = String::from("\u{feff}");
    write_row(&mut text, export::HEADINGS);
    if let Some(rows) = export.next(&app.db, signed.by()).await? {
        write(&mut text, &rows);
    }
    let name = format!("attachment; filename=\"muster-agents-{}.csv\"", signed.now.format("%Y%m%dT%H%M%SZ"));
    let rest = stream::try_unfold((app, signed, export), |(app, signed, mut export)| async move {
        match export.next(&app.db, signed.by()).await {
            Ok(None) => Ok(None),
            Ok(Some(rows)) => {
                let mut text = String::new();
                write(&mut text, &rows);
                Ok(Some((Bytes::from(text), (app, signed, export))))
            }
            Err(error) => {
                tracing::error!(%error, "an export of agents broke off");
                Err(std::io::Error::other("the export broke off"))
            }
        }
    });
    let pieces = stream::StreamExt::chain(stream::iter([Ok(Bytes::from(text))]), rest);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, name.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

fn write(text: &mut String, rows: &[Whole]) {
    for row in rows {
        let cells = export::cells(&row.agent, row.party.as_ref());
        write_row(text, cells.iter().map(String::as_str));
    }
}

/// The systems of a kind, to choose from.
async fn of_kind(app: &App, signed: &Signed, kind: SystemKind) -> Result<Vec<Choice>, Error> {
    let query = systems::Query { kind: Some(kind), limit: paging::MAX_LIMIT, ..systems::Query::default() };
    let found = systems::list(&app.db, signed.by(), &query).await?.items;
    Ok(found.into_iter().map(|s| Choice::new(s.id.to_string(), s.name)).collect())
}

/// What every view of the form is given beside what was typed.
async fn editor(app: &App, signed: &Signed, form: Refused<AgentForm>) -> Result<AgentEditor, Error> {
    let by = signed.by();
    let teams = teams::directory(&app.db, by, 1_000).await?;
    let (systems, platforms) =
        (of_kind(app, signed, SystemKind::MultiAgent).await?, of_kind(app, signed, SystemKind::Platform).await?);
    let known = known::known(&app.db, by, SUGGESTED).await?;
    Ok(AgentEditor {
        agent: None,
        form,
        teams: teams.into_iter().map(|(id, name, _)| Choice::new(id.to_string(), name)).collect(),
        systems,
        platforms,
        known: Known { units: known.units, vendors: known.vendors, tools: known.tools, credentials: known.credentials },
        more: String::new(),
        conflict: None,
        approved: false,
        scope: None,
    })
}

fn edited(app: &App, signed: &Signed, status: StatusCode, editor: AgentEditor) -> Response {
    let title = match &editor.agent {
        None => "Register an agent".to_owned(),
        Some((reference, _)) => format!("Edit {reference}"),
    };
    Page::new(app, signed, title).status(status).show(move || view! { <Editor editor=editor/> })
}

async fn blank(State(app): State<App>, signed: Signed) -> Answer {
    can(&signed.actor, Action::AgentCreate, Relation::None).map_err(Error::from)?;
    let editor = editor(&app, &signed, Refused::fresh(AgentForm::blank())).await?;
    Ok(edited(&app, &signed, StatusCode::OK, editor))
}

fn typed(fields: &Fields) -> AgentForm {
    AgentForm::read(fields.pairs().iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

/// The part of the form that more rows are asked for, when that is what was pressed; empty
/// for a preview of the tier.
fn not_yet(fields: &Fields) -> Option<String> {
    match fields.get("do") {
        "preview" => Some(String::new()),
        pressed => pressed.strip_prefix("more-").map(str::to_owned),
    }
}

/// What the register refused, by the field of this form.
fn by_field(error: Error) -> Result<FieldErrors, Fault> {
    let Error::Invalid(wrong) = error else { return field_errors(error) };
    let mut errors = FieldErrors::new();
    for wrong in wrong {
        errors.add(form::field_of(&wrong.pointer), wrong.message);
    }
    Ok(errors)
}

async fn create(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    can(&signed.actor, Action::AgentCreate, Relation::None).map_err(Error::from)?;
    let typed = typed(&fields);
    if let Some(more) = not_yet(&fields) {
        let editor = AgentEditor { more, ..editor(&app, &signed, Refused::fresh(typed)).await? };
        return Ok(edited(&app, &signed, StatusCode::OK, editor));
    }
    let errors = match typed.facts() {
        Err(errors) => errors,
        Ok(facts) => match agents::create(&app.db, signed.by(), facts, Lifecycle::Draft).await {
            Ok(agent) => {
                let flash = Flash::good(format!("{} is registered.", agent.id));
                return Ok(see_other_saying(&app, format!("/agents/{}", agent.id), &flash));
            }
            Err(error) => by_field(error)?,
        },
    };
    let editor = editor(&app, &signed, Refused { values: typed, errors }).await?;
    Ok(edited(&app, &signed, StatusCode::UNPROCESSABLE_ENTITY, editor))
}

/// The agent, for somebody who may edit it.
async fn editable(app: &App, signed: &Signed, id: AgentId) -> Result<View, Error> {
    let view = agents::read(&app.db, signed.by(), id).await?;
    can(&signed.actor, Action::AgentEdit, view.relation)?;
    if view.judged.agent.state == Lifecycle::Retired {
        return Err(Error::Conflict(format!("{id} is retired: its record is closed.")));
    }
    Ok(view)
}

async fn edit(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>) -> Answer {
    let agent = editable(&app, &signed, id).await?.judged.agent;
    let values = AgentForm { version: agent.version.to_string(), ..AgentForm::of(&agent.facts) };
    let editor = AgentEditor {
        agent: Some((id.to_string(), agent.facts.name)),
        approved: agent.state.boundary_is_approved(),
        ..editor(&app, &signed, Refused::fresh(values)).await?
    };
    Ok(edited(&app, &signed, StatusCode::OK, editor))
}

async fn save(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, fields: Fields) -> Answer {
    let agent = editable(&app, &signed, id).await?.judged.agent;
    let mut values = typed(&fields);
    if agent.state.boundary_is_approved() {
        let sent = |name: &str| fields.pairs().iter().any(|(sent, _)| sent == name);
        values.keep_boundary(&AgentForm::of(&agent.facts), sent);
    }
    let mut shown = AgentEditor {
        agent: Some((id.to_string(), agent.facts.name.clone())),
        approved: agent.state.boundary_is_approved(),
        ..editor(&app, &signed, Refused::fresh(AgentForm::default())).await?
    };
    if let Some(more) = not_yet(&fields) {
        shown.more = more;
        shown.form = Refused::fresh(values);
        return Ok(edited(&app, &signed, StatusCode::OK, shown));
    }
    let facts = match values.facts() {
        Ok(facts) => facts,
        Err(errors) => {
            shown.form = Refused { values, errors };
            return Ok(edited(&app, &signed, StatusCode::UNPROCESSABLE_ENTITY, shown));
        }
    };
    // A version that is no number is an old one.
    let version = values.version.parse().unwrap_or(0);
    match agents::edit(&app.db, signed.by(), id, version, facts, &values.reason).await {
        Ok(_) => Ok(see_other_saying(&app, format!("/agents/{id}"), &Flash::good(format!("{id} is changed.")))),
        Err(Error::Stale(now)) => {
            let stored = AgentForm::of(&agent.facts);
            shown.conflict = Some(Conflict {
                sentence: format!("It is at version {now} now; you began with version {version}."),
                differences: stored.differences(&values),
            });
            values.version = now.to_string();
            shown.form = Refused::fresh(values);
            Ok(edited(&app, &signed, StatusCode::CONFLICT, shown))
        }
        Err(error) => {
            let status = match error {
                Error::Conflict(_) => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            shown.form = Refused { values, errors: by_field(error)? };
            Ok(edited(&app, &signed, status, shown))
        }
    }
}

/// The agent, for somebody who may ask for another boundary of it.
async fn scoped(app: &App, signed: &Signed, id: AgentId) -> Result<View, Error> {
    let view = agents::read(&app.db, signed.by(), id).await?;
    can(&signed.actor, Action::RequestOpen, view.relation)?;
    can(&signed.actor, Action::AgentReadControls, view.relation)?;
    let state = view.judged.agent.state;
    if !state.boundary_is_approved() {
        let state = state.label().to_lowercase();
        return Err(Error::Conflict(format!("{id} is {state}: only what was approved is changed by a request.")));
    }
    Ok(view)
}

async fn scope(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, Here(here): Here) -> Answer {
    let agent = scoped(&app, &signed, id).await?.judged.agent;
    let (mut facts, mut seen) = (agent.facts.clone(), None);
    if here.get("from") == Some("observed")
        && let Some((found, _)) = register::requests::observed::read(&app.db, signed.by(), id).await?
    {
        (facts, seen) = (found.facts, Some(found.source));
    }
    let values = AgentForm { version: agent.version.to_string(), ..AgentForm::of(&facts) };
    let part = Scope { seen, now: signed.now, ..Scope::default() };
    let shown = scope_editor(&app, &signed, &agent, Refused::fresh(values), part).await?;
    Ok(edited(&app, &signed, StatusCode::OK, shown))
}

async fn scope_editor(
    app: &App,
    signed: &Signed,
    agent: &agents::Agent,
    form: Refused<AgentForm>,
    part: Scope,
) -> Result<AgentEditor, Error> {
    Ok(AgentEditor {
        agent: Some((agent.id.to_string(), agent.facts.name.clone())),
        scope: Some(part),
        ..editor(app, signed, form).await?
    })
}

/// Shows who would decide, or asks for the change.
async fn ask_scope(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, fields: Fields) -> Answer {
    let by = signed.by();
    let agent = scoped(&app, &signed, id).await?.judged.agent;
    let values = typed(&fields);
    let reviewer = fields.get("reviewer").to_owned();
    let mut part = Scope { reviewer: reviewer.clone(), now: signed.now, ..Scope::default() };
    let pressed = fields.get("do");
    if let Some(more) = pressed.strip_prefix("more-") {
        let shown = scope_editor(&app, &signed, &agent, Refused::fresh(values), part).await?;
        return Ok(edited(&app, &signed, StatusCode::OK, AgentEditor { more: more.to_owned(), ..shown }));
    }
    let facts = match values.facts() {
        Ok(facts) => facts,
        Err(errors) => {
            let shown = scope_editor(&app, &signed, &agent, Refused { values, errors }, part).await?;
            return Ok(edited(&app, &signed, StatusCode::UNPROCESSABLE_ENTITY, shown));
        }
    };
    let mut errors = FieldErrors::new();
    let asked = if pressed == "ask" {
        let form = app::requests::AskForm { reason: values.reason.clone(), reviewer };
        match super::requests::submission(&app, &form, &mut errors).await? {
            Some(said) => register::requests::scope(&app.db, by, id, facts, &said).await.map(Some),
            None => Err(Error::Invalid(Vec::new())),
        }
    } else {
        register::requests::foresee_scope(&app.db, by, id, facts).await.map(|foreseen| {
            if foreseen.steps.is_empty() {
                part.blocked = vec!["Nothing of the boundary changes yet.".to_owned()];
            } else {
                part.blocked = foreseen.blocked;
            }
            part.steps = super::requests::steps(foreseen.steps);
            None
        })
    };
    match asked {
        Ok(Some(request)) => {
            Ok(see_other_saying(&app, format!("/requests/{request}"), &Flash::good(format!("{request} is asked."))))
        }
        Ok(None) => {
            let shown = scope_editor(&app, &signed, &agent, Refused::fresh(values), part).await?;
            Ok(edited(&app, &signed, StatusCode::OK, shown))
        }
        Err(error) => {
            let status = match error {
                Error::Conflict(_) => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            for (field, message) in by_field(error)?.iter() {
                errors.add(field.to_owned(), message);
            }
            let shown = scope_editor(&app, &signed, &agent, Refused { values, errors }, part).await?;
            Ok(edited(&app, &signed, status, shown))
        }
    }
}

async fn show(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>) -> Answer {
    page(&app, &signed, id, Refused::default(), StatusCode::OK).await
}

/// What is pressed on the page of an agent: an answer to an offer, or how it is stopped.
async fn act(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, fields: Fields) -> Answer {
    let what = fields.get("do").to_owned();
    let duty_key = fields.get("duty").to_owned();
    let reason_field = format!("reason-{what}-{duty_key}");
    let typed = Do {
        reason: fields.get(&reason_field).to_owned(),
        procedure: fields.get("procedure").to_owned(),
        duty: duty_key,
        what,
    };
    let by = signed.by();
    let duty: Option<Duty> = typed.duty.parse().ok();
    let title = duty.map(|d| d.owner_title().to_lowercase()).unwrap_or_default();
    let done = match (typed.what.as_str(), duty) {
        ("accept", Some(duty)) => assignments::answer(&app.db, by, &[(id, duty)], true, "")
            .await
            .map(|_| Flash::good(format!("Accepted: {title} of {id}."))),
        ("decline", Some(duty)) => assignments::answer(&app.db, by, &[(id, duty)], false, &typed.reason)
            .await
            .map(|_| Flash::good(format!("Declined: {title} of {id}."))),
        ("withdraw", Some(duty)) => assignments::withdraw(&app.db, by, id, duty, &typed.reason)
            .await
            .map(|()| Flash::good(format!("The offer is withdrawn: {title} of {id}."))),
        ("stop", _) => stops::record_procedure(&app.db, by, id, &typed.procedure)
            .await
            .map(|()| Flash::good("Recorded. What was shown with an older version proves nothing of this one.")),
        _ => Err(Error::Conflict("That button is not on this page any more.".into())),
    };
    match done {
        Ok(flash) => Ok(see_other_saying(&app, format!("/agents/{id}"), &flash)),
        Err(error) => {
            let status = match error {
                Error::Conflict(_) => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            let mut errors = FieldErrors::new();
            for (field, message) in field_errors(error)?.iter() {
                let field = if field == "reason" { reason_field.clone() } else { field.to_owned() };
                errors.add(field, message);
            }
            page(&app, &signed, id, Refused { values: typed, errors }, status).await
        }
    }
}

async fn page(app: &App, signed: &Signed, id: AgentId, refused: Refused<Do>, status: StatusCode) -> Answer {
    let shown = shown(app, signed, id, refused).await?;
    let title = shown.facts.name.clone();
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <AgentPage shown=shown/> }))
}

async fn shown(app: &App, signed: &Signed, id: AgentId, refused: Refused<Do>) -> Result<Shown, Error> {
    let by = signed.by();
    let view = agents::read(&app.db, by, id).await?;
    let open = assignments::offers(&app.db, by, id).await?;
    let may = |action| can(&signed.actor, action, view.relation).is_ok();
    let may = May {
        controls: view.controls,
        edit: may(Action::AgentEdit),
        assign: may(Action::AssignmentOffer),
        stop: may(Action::StopMethodWrite),
        press: may(Action::StopPress) && view.judged.agent.state != Lifecycle::Retired,
        history: may(Action::AgentHistory),
        ask: may(Action::RequestOpen) && view.judged.agent.state != Lifecycle::Retired,
        retire: may(Action::RequestOpen)
            && !matches!(view.judged.agent.state, Lifecycle::Retiring | Lifecycle::Retired),
    };
    let mut ending = super::retirements::of_agent(app, signed, id).await?;
    if let Some(ending) = ending.as_mut().filter(|_| !view.controls) {
        ending.signs.clear();
    }
    let shared = if view.controls { super::stops::shared(app, &view).await? } else { Vec::new() };
    let life = super::requests::life(app, signed, &view).await?;
    let exceptions = super::exceptions::of_agent(app, signed, id).await?;
    let View { judged, mut names, parent, platform, methods, drill_seconds, relation, .. } = view;
    let agent = judged.agent;
    let mut next = BTreeMap::new();
    if may.controls && agent.state != Lifecycle::Retired {
        let mut reads = &app.db;
        let found = people::next_in_line(&mut reads, &[id], signed.now).await?.remove(&id).unwrap_or_default();
        next = found.into_iter().map(|(duty, list)| (duty, list.into_iter().map(named).collect())).collect();
    }
    let policy = register::policies::present(&mut &app.db).await.map_err(Error::from)?.policy;
    let exceptable = FindingKey::ALL.iter().copied().filter(|k| policy.no_exception(*k).is_none()).collect();
    let by_people: Vec<Party> = open.iter().filter_map(|offer| offer.offered_by.parse().ok()).collect();
    let mut reads = &app.db;
    names.extend(agents::assess::party_names(&mut reads, by_people).await?);
    let called = |reference: &str| match reference.parse::<Party>() {
        Ok(party) => names.get(&party).cloned().unwrap_or_else(|| reference.to_owned()),
        Err(_) => match reference {
            "cli" => "the command line".to_owned(),
            "muster" => "Muster".to_owned(),
            other => other.to_owned(),
        },
    };
    let offers = open
        .into_iter()
        .map(|offer| OpenOffer {
            duty: offer.duty,
            party: offer.party,
            offered_at: offer.offered_at,
            offered_by: called(&offer.offered_by),
            reason: offer.reason,
            mine: offer.mine,
            withdraw: offer.withdraw,
        })
        .collect();
    let wave = match agent.wave {
        None => None,
        Some(wave) => known::named(&app.db, by, &[&wave.to_string()]).await?.pop(),
    };
    let created_by = match agent.created_by.parse::<Party>() {
        Ok(_) => (called(&agent.created_by), agent.created_by.clone()),
        Err(_) => (called(&agent.created_by), String::new()),
    };
    Ok(Shown {
        id,
        life,
        state: agent.state,
        state_at: agent.state_at,
        created_at: agent.created_at,
        created_by,
        updated_at: agent.updated_at,
        tier: agent.tier,
        tier_points: agent.tier_points,
        boundary_sha256: agent.boundary_sha256,
        wave,
        parent: parent.map(|(system, name)| (system.to_string(), name)),
        platform,
        held: judged.held,
        offers,
        names,
        runtime_owner: agent.runtime_owner,
        exceptions,
        exceptable,
        findings: judged.assessment.findings.into_iter().filter(|f| f.holds_at(by.now)).collect(),
        next,
        mine: relation == Relation::Owner,
        method: methods.into_iter().find(|m| m.surface == Surface::Pause).map(|m| (m.version, m.procedure, m.url)),
        drill: judged.stop.drill.map(|drill| (drill.at, drill_seconds)),
        shared,
        ending,
        facts: agent.facts,
        may,
        refused,
        now: by.now,
    })
}

/// A moment as it is typed: `2026-07-03T14:05`, in UTC, or a day.
pub(super) fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim().trim_end_matches('Z').replacen(' ', "T", 1);
    ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S%.f"]
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok())
        .or_else(|| text.parse::<NaiveDate>().ok().and_then(|day| day.and_hms_opt(0, 0, 0)))
        .map(|at| at.and_utc())
}

/// Who was accountable at a moment, and every change.
async fn history(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, Here(here): Here) -> Answer {
    let by = signed.by();
    let view = agents::read(&app.db, by, id).await?;
    can(&signed.actor, Action::AgentHistory, view.relation).map_err(Error::from)?;
    let asked = here.get("at").unwrap_or_default();
    let (mut error, mut answer) = (None, None);
    match (asked, moment(asked)) {
        ("", _) => {}
        (_, None) => error = Some("Write a date and a time in UTC, such as 2026-07-03T14:05.".to_owned()),
        (_, Some(at)) if at > by.now => error = Some("That moment has not come yet.".to_owned()),
        (_, Some(at)) => {
            let then = assignments::accountability(&app.db, by, id, at).await?;
            answer = Some(Then {
                at,
                duties: then
                    .duties
                    .into_iter()
                    .map(|d| Holder { duty: d.duty, party: d.party, name: d.name, named: d.named, since: d.since })
                    .collect(),
                approval: then.approval.map(|a| (a.request, a.at, a.by)),
                exceptions: then
                    .exceptions
                    .into_iter()
                    .map(|e| ExceptedThen {
                        exception: e.exception,
                        title: e.title,
                        control: e.control.label().to_owned(),
                        until: e.until,
                        by: e.by,
                    })
                    .collect(),
                boundary_sha256: then.boundary_sha256,
                before_record: at < view.judged.agent.created_at,
            });
        }
    }
    let cursor = here.get("cursor").or_else(|| here.get("before"));
    let found = audit::history(&app.db, by, &id.to_string(), cursor, paging::DEFAULT_LIMIT).await?;
    let referred = references(&found.items);
    let names = audit::names(&app.db, by, referred.iter().map(String::as_str)).await?;
    let first = here.first_page();
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    let history = History {
        agent: id,
        name: view.judged.agent.facts.name,
        asked: moment(asked).map_or_else(|| asked.to_owned(), |at| at.format("%Y-%m-%dT%H:%M:%S").to_string()),
        error,
        answer,
        events: found.items.iter().map(|event| EventView::new(event, &names)).collect(),
        total: found.total,
        previous: found.previous.map(|cursor| first.with("before", &cursor).href()),
        next: found.next.map(|cursor| first.with("cursor", &cursor).href()),
        now: by.now,
    };
    let title = format!("History of {id}");
    Ok(Page::new(&app, &signed, title).status(status).show(move || view! { <HistoryPage history=history/> }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_a_query() {
        let here = Address::parse("/agents", "runs=yes&runtime_owner=none&sort=-tier&owner=TE-2&q=ledger&before=x");
        let query = query(&here).unwrap();
        assert_eq!((query.runs, query.sort, query.down), (Some(true), Sort::Tier, true));
        assert_eq!(query.owner.map(|p| p.to_string()).as_deref(), Some("TE-2"));
        assert_eq!((query.q.as_str(), query.cursor.as_deref()), ("ledger", Some("x")));
        let wrong = self::query(&Address::parse("/agents", "tier=huge&owner=me&sort=mood&runs=maybe")).unwrap_err();
        assert_eq!(wrong.len(), 4, "{wrong:?}");
    }

    #[test]
    fn a_moment_is_utc() {
        for (text, expected) in [
            ("2026-07-03T14:05", "2026-07-03T14:05:00+00:00"),
            ("2026-07-03 14:05:09Z", "2026-07-03T14:05:09+00:00"),
            ("2026-07-03", "2026-07-03T00:00:00+00:00"),
        ] {
            assert_eq!(moment(text).map(|at| at.to_rfc3339()).as_deref(), Some(expected), "{text}");
        }
        assert!(moment("soon").is_none());
    }
}
