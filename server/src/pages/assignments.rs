//! Assigning a duty: of one agent, and of many at once.

use app::agents::{Assign, AssignForm, AssignPage, Assigning, BulkAssign, BulkAssignPage, Fits, Picked, Preview};
use app::components::{Address, FieldErrors, Flash, Refused};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::agent::Lifecycle;
use domain::assignment::RaciRole;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::AgentId;
use domain::party::{Party, PersonStatus, Standing};
use domain::text;
use leptos::prelude::*;
use register::agents::list::{self, Query};
use register::assignments::{self, Mode};
use register::{Db, Error, agents, people, teams};

use super::agents::query;
use crate::App;
use crate::page::{Answer, Fault, Fields, Here, Page, field_errors, local, see_other, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// People and teams that a field suggests; whoever is not among them is found by what is typed.
const SUGGESTED: i64 = 200;
/// Agents that one bulk assignment may be about.
const MOST: i64 = 10_000;
/// Agents named beside a bulk assignment, to recognise it by.
const NAMED: usize = 12;
/// Whom a name that fits several is narrowed down to.
const FITS: i64 = 8;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/agents/assign", begin)
        .post("/agents/assign", many)
        .get("/agents/{id}/assign", ask)
        .post("/agents/{id}/assign", one)
}

fn typed(fields: &Fields) -> AssignForm {
    let get = |name| fields.get(name).to_owned();
    AssignForm {
        duty: get("duty"),
        role: get("role"),
        party: get("party"),
        mode: get("mode"),
        reason: get("reason"),
        next: get("next"),
    }
}

/// Who is meant: found, or a sentence with those who fit.
pub(super) enum Meant {
    This(Party, String),
    Unclear(String, Vec<Fits>),
}

/// Finds the one person or team that a text means.
pub(super) async fn meant(db: &Db, signed: &Signed, typed: &str) -> Result<Meant, Error> {
    let mut reads = db;
    let unclear = |sentence: String| Ok(Meant::Unclear(sentence, Vec::new()));
    let reference = typed.trim().strip_suffix(')').and_then(|t| t.rsplit_once('(')).map_or(typed.trim(), |(_, id)| id);
    match reference.parse::<Party>() {
        Ok(Party::Team(_)) => {
            return match teams::resolve(&mut reads, typed).await? {
                Ok((id, name)) => Ok(Meant::This(Party::Team(id), name)),
                Err(sentence) => unclear(sentence),
            };
        }
        Ok(Party::Person(_)) => {
            return match people::resolve(&mut reads, typed).await? {
                Ok(named) => Ok(Meant::This(Party::Person(named.id), named.name)),
                Err(sentence) => unclear(sentence),
            };
        }
        Err(_) if typed.trim().is_empty() => return unclear("Enter a person or a team.".to_owned()),
        Err(_) => {}
    }
    let person = people::resolve(&mut reads, typed).await?;
    if typed.contains('@') {
        return match person {
            Ok(named) => Ok(Meant::This(Party::Person(named.id), named.name)),
            Err(sentence) => unclear(sentence),
        };
    }
    let team = teams::resolve(&mut reads, typed).await?;
    let whole = |name: &str| text::fold(name) == text::fold(typed);
    match (person, team) {
        (Ok(p), Err(_)) => return Ok(Meant::This(Party::Person(p.id), p.name)),
        (Err(_), Ok((id, name))) => return Ok(Meant::This(Party::Team(id), name)),
        (Ok(p), Ok((_, team))) if whole(&p.name) && !whole(&team) => {
            return Ok(Meant::This(Party::Person(p.id), p.name));
        }
        (Ok(p), Ok((id, team))) if whole(&team) && !whole(&p.name) => return Ok(Meant::This(Party::Team(id), team)),
        _ => {}
    }
    let fits = fits(db, signed, typed).await?;
    let sentence = if fits.is_empty() {
        format!("Nobody and no team is called “{}”.", typed.trim())
    } else {
        "Say whom you mean: choose one below, or enter a reference.".to_owned()
    };
    Ok(Meant::Unclear(sentence, fits))
}

/// People and teams with a word that begins as typed.
async fn fits(db: &Db, signed: &Signed, typed: &str) -> Result<Vec<Fits>, Error> {
    let q = typed.trim().to_owned();
    let query =
        people::Query { q: q.clone(), status: Some(PersonStatus::Active), limit: FITS, ..people::Query::default() };
    let found = people::list(db, signed.by(), &query).await?.items;
    let mut out: Vec<Fits> = found
        .into_iter()
        .map(|line| Fits { party: Party::Person(line.id), name: line.name, note: line.email })
        .collect();
    let query = teams::Query { q, limit: FITS, ..teams::Query::default() };
    let found = teams::list(db, signed.by(), &query).await?.items;
    out.extend(found.into_iter().map(|line| Fits {
        party: Party::Team(line.id),
        name: line.name,
        note: format!("{} team", line.kind.label()),
    }));
    Ok(out)
}

pub(super) async fn suggested(db: &Db, signed: &Signed) -> Result<Vec<Fits>, Error> {
    let by = signed.by();
    let mut out: Vec<Fits> = teams::directory(db, by, SUGGESTED)
        .await?
        .into_iter()
        .map(|(id, name, kind)| Fits { party: Party::Team(id), name, note: format!("{} team", kind.label()) })
        .collect();
    out.extend(people::directory(db, by, SUGGESTED).await?.into_iter().map(|p| Fits {
        party: Party::Person(p.id),
        name: p.name,
        note: String::new(),
    }));
    Ok(out)
}

async fn assigning(app: &App, signed: &Signed, form: Refused<AssignForm>, fits: Vec<Fits>) -> Result<Assigning, Error> {
    Ok(Assigning {
        form,
        suggested: suggested(&app.db, signed).await?,
        fits,
        record: can(&signed.actor, Action::AssignmentRecord, Relation::None).is_ok(),
    })
}

async fn ask(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, Here(here): Here) -> Answer {
    let get = |key| here.get(key).unwrap_or_default().to_owned();
    let form = AssignForm { duty: get("duty"), role: get("role"), next: get("next"), ..AssignForm::default() };
    page(&app, &signed, id, Refused::fresh(form), Vec::new(), StatusCode::OK).await
}

async fn page(
    app: &App,
    signed: &Signed,
    id: AgentId,
    form: Refused<AssignForm>,
    fits: Vec<Fits>,
    status: StatusCode,
) -> Answer {
    let view = agents::read(&app.db, signed.by(), id).await?;
    can(&signed.actor, Action::AssignmentOffer, view.relation).map_err(Error::from)?;
    if view.judged.agent.state == Lifecycle::Retired {
        return Err(Fault::conflict(format!("{id} is retired: its matrix is closed.")).back(format!("/agents/{id}")));
    }
    let owners = view
        .judged
        .held
        .iter()
        .filter(|held| held.role == RaciRole::Accountable)
        .map(|held| {
            let name = view.names.get(&held.party).cloned().unwrap_or_else(|| held.party.to_string());
            (held.duty, held.party, name, held.standing != Standing::Active)
        })
        .collect();
    let assign = Assign {
        agent: id,
        name: view.judged.agent.facts.name.clone(),
        facts: view.judged.agent.facts,
        owners,
        assigning: assigning(app, signed, form, fits).await?,
    };
    let title = format!("Assign {id}");
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <AssignPage assign=assign/> }))
}

/// Where to go when it is done: where one came from, if that is of this site.
fn then(next: &str, otherwise: String) -> String {
    match local(next) {
        "/" => otherwise,
        next => next.to_owned(),
    }
}

async fn one(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, fields: Fields) -> Answer {
    let mut form = typed(&fields);
    if !fields.get("choose").is_empty() {
        fields.get("choose").clone_into(&mut form.party);
        return page(&app, &signed, id, Refused::fresh(form), Vec::new(), StatusCode::OK).await;
    }
    let by = signed.by();
    let mut errors = FieldErrors::new();
    let duty = duty(&form, &mut errors);
    let role = form.role.parse().unwrap_or(RaciRole::Accountable);
    let mode = mode(&form);
    let (party, fits) = party(&app.db, &signed, &form, &mut errors).await?;
    let (Some(duty), Some((party, name))) = (duty, party) else {
        return page(&app, &signed, id, Refused { values: form, errors }, fits, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let title = duty.owner_title().to_lowercase();
    let done = match role {
        RaciRole::Accountable => {
            assignments::assign(&app.db, by, id, duty, party, mode, &form.reason).await.map(|()| match mode {
                Mode::Offer => format!("{name} is asked to be {title} of {id}."),
                Mode::Record => format!("{name} is {title} of {id}."),
            })
        }
        role => assignments::add(&app.db, by, id, duty, role, party, &form.reason)
            .await
            .map(|()| format!("{name} is {} for {} of {id}.", role.label(), duty.label().to_lowercase())),
    };
    match done {
        Ok(sentence) => {
            let to = then(&form.next, format!("/agents/{id}"));
            Ok(see_other_saying(&app, to, &Flash::good(sentence)))
        }
        Err(error) => {
            let status = status(&error);
            let errors = field_errors(error)?;
            page(&app, &signed, id, Refused { values: form, errors }, Vec::new(), status).await
        }
    }
}

fn status(error: &Error) -> StatusCode {
    if matches!(error, Error::Conflict(_)) { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY }
}

fn duty(form: &AssignForm, errors: &mut FieldErrors) -> Option<Duty> {
    let duty = form.duty.parse().ok();
    if duty.is_none() {
        errors.add("duty", "Choose a duty.");
    }
    duty
}

fn mode(form: &AssignForm) -> Mode {
    if form.mode == "record" { Mode::Record } else { Mode::Offer }
}

async fn party(
    db: &Db,
    signed: &Signed,
    form: &AssignForm,
    errors: &mut FieldErrors,
) -> Result<(Option<(Party, String)>, Vec<Fits>), Error> {
    Ok(match meant(db, signed, &form.party).await? {
        Meant::This(party, name) => (Some((party, name)), Vec::new()),
        Meant::Unclear(sentence, fits) => {
            errors.add("party", sentence);
            (None, fits)
        }
    })
}

/// The agents of a bulk assignment: those picked, or all that a query of the inventory finds.
async fn picked<'a>(
    app: &App,
    signed: &Signed,
    all: bool,
    query_text: &str,
    ids: impl Iterator<Item = &'a str>,
) -> Result<(Picked, Vec<AgentId>), Fault> {
    if !all {
        let ids: Option<Vec<AgentId>> = ids.map(|id| id.parse().ok()).collect();
        let mut ids = ids.ok_or_else(Fault::not_found)?;
        ids.sort_unstable();
        ids.dedup();
        return Ok((Picked::These(ids.clone()), ids));
    }
    let matching = Address::parse("/agents", query_text).first_page().without("all");
    let query = query(&matching)
        .map_err(|wrong| Fault::new(StatusCode::UNPROCESSABLE_ENTITY, wrong.join(" ")).back("/agents"))?;
    let ids = list::ids(&app.db, signed.by(), &Query { cursor: None, ..query }, MOST + 1).await?;
    if i64::try_from(ids.len()).unwrap_or(i64::MAX) > MOST {
        return Err(Fault::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "At most 10,000 agents are assigned at once. Narrow the list with filters, then assign what is left.",
        )
        .back(matching.href()));
    }
    Ok((Picked::Matching(matching), ids))
}

fn none_picked() -> Flash {
    Flash::bad("Pick the agents first: tick their rows, then press Assign.")
}

/// The form, opened from the inventory.
async fn begin(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let all = here.get("all").is_some();
    let text = here.href();
    let text = text.split_once('?').map_or("", |(_, query)| query);
    let (picked, ids) = picked(&app, &signed, all, text, here.all("id")).await?;
    let next = match &picked {
        Picked::Matching(query) => query.href(),
        Picked::These(_) => local(here.get("next").unwrap_or("/agents")).to_owned(),
    };
    if ids.is_empty() {
        return Ok(see_other_saying(&app, next, &none_picked()));
    }
    let form = AssignForm { duty: here.get("duty").unwrap_or_default().to_owned(), next, ..AssignForm::default() };
    bulk(&app, &signed, picked, &ids, Refused::fresh(form), Vec::new(), None, StatusCode::OK).await
}

#[expect(clippy::too_many_arguments, reason = "what one page shows")]
async fn bulk(
    app: &App,
    signed: &Signed,
    picked: Picked,
    ids: &[AgentId],
    form: Refused<AssignForm>,
    fits: Vec<Fits>,
    preview: Option<Preview>,
    status: StatusCode,
) -> Answer {
    // Whoever could not offer a duty even of an agent of their own has no use for the page.
    can(&signed.actor, Action::AssignmentOffer, Relation::Owner).map_err(Error::from)?;
    let by = signed.by();
    let mut first = Vec::new();
    let mut reads = &app.db;
    for agent in agents::stored::load(&mut reads, &ids[..ids.len().min(NAMED)], by.now).await? {
        let stands = agents::relation::relation(&mut reads, &signed.actor, &agent).await?;
        agents::read::visible(&signed.actor, &agent, stands)?;
        first.push((agent.id, agent.facts.name));
    }
    let page = BulkAssign {
        picked,
        count: ids.len() as u64,
        first,
        assigning: assigning(app, signed, form, fits).await?,
        preview,
    };
    Ok(Page::new(app, signed, "Assign").status(status).show(move || view! { <BulkAssignPage bulk=page/> }))
}

/// Preview, then do.
async fn many(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    let all = !fields.get("all").is_empty();
    let (picked, ids) = picked(&app, &signed, all, fields.get("query"), fields.all("id")).await?;
    let mut form = typed(&fields);
    if ids.is_empty() {
        return Ok(see_other_saying(&app, then(&form.next, "/agents".to_owned()), &none_picked()));
    }
    if !fields.get("choose").is_empty() {
        fields.get("choose").clone_into(&mut form.party);
        return bulk(&app, &signed, picked, &ids, Refused::fresh(form), Vec::new(), None, StatusCode::OK).await;
    }
    let pressed = fields.get("do");
    if !matches!(pressed, "preview" | "confirm") {
        return bulk(&app, &signed, picked, &ids, Refused::fresh(form), Vec::new(), None, StatusCode::OK).await;
    }
    let by = signed.by();
    let mut errors = FieldErrors::new();
    let duty = duty(&form, &mut errors);
    let mode = mode(&form);
    if mode == Mode::Record && form.reason.trim().is_empty() {
        errors.add("reason", "Enter how you know that they hold it.");
    }
    let (party, fits) = party(&app.db, &signed, &form, &mut errors).await?;
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let (Some(duty), Some((party, name)), true) = (duty, party, errors.is_empty()) else {
        return bulk(&app, &signed, picked, &ids, Refused { values: form, errors }, fits, None, refused).await;
    };
    if pressed == "confirm" {
        return match assignments::assign_many(&app.db, by, &ids, duty, party, mode, &form.reason).await {
            Ok(outcome) => Ok(told(&app, &form, duty, mode, &name, &outcome)),
            Err(error) => {
                let status = status(&error);
                let errors = field_errors(error)?;
                bulk(&app, &signed, picked, &ids, Refused { values: form, errors }, Vec::new(), None, status).await
            }
        };
    }
    let foreseen = match assignments::foresee(&app.db, by, &ids, duty, party, mode).await {
        Ok(foreseen) => foreseen,
        Err(error) => {
            let errors = field_errors(error)?;
            return bulk(&app, &signed, picked, &ids, Refused { values: form, errors }, Vec::new(), None, refused)
                .await;
        }
    };
    // From here on whoever was meant is named by reference: what one confirms is what one saw.
    form.party = Fits { party, name: name.clone(), note: String::new() }.written();
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let preview = Preview {
        duty: Some(duty),
        party: name,
        record: mode == Mode::Record,
        changes: count(foreseen.changes),
        held: count(foreseen.held),
        reoffered: count(foreseen.reoffered),
        skipped: foreseen.skipped.into_iter().map(|(why, n)| (why, count(n))).collect(),
    };
    bulk(&app, &signed, picked, &ids, Refused::fresh(form), Vec::new(), Some(preview), StatusCode::OK).await
}

/// What a bulk assignment did, said on the page one came from.
fn told(app: &App, form: &AssignForm, duty: Duty, mode: Mode, name: &str, outcome: &assignments::Outcome) -> Response {
    let agents = |n: usize| if n == 1 { "1 agent".to_owned() } else { format!("{n} agents") };
    let title = duty.owner_title().to_lowercase();
    let done = outcome.done.len();
    let mut sentence = match (done, mode) {
        (0, _) => "Nothing was changed.".to_owned(),
        (n, Mode::Offer) => format!("{name} is asked to be {title} of {}.", agents(n)),
        (n, Mode::Record) => format!("{name} is {title} of {}.", agents(n)),
    };
    if let Some((_, why)) = outcome.skipped.first() {
        let skipped = outcome.skipped.len();
        sentence.push_str(&format!(
            " {} left as before: {why}",
            if skipped == 1 { "1 was".to_owned() } else { format!("{skipped} were") }
        ));
        if skipped > 1 {
            sentence.push_str(" And so on.");
        }
    }
    let flash = if done == 0 { Flash::bad(sentence) } else { Flash::good(sentence) };
    let to = then(&form.next, "/agents".to_owned());
    if to.is_empty() { see_other("/agents") } else { see_other_saying(app, to, &flash) }
}
