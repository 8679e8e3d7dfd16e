//! Assigning a duty: of one agent, and of many at once.

use app::agents::{Assign, AssignForm, AssignPage, Assigning, BulkAssign, BulkAssignPage, Picked, Preview};
use app::components::{Address, FieldErrors, Fit, Flash, Refused};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, Utc};
use domain::agent::Lifecycle;
use domain::assignment::RaciRole;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId};
use domain::party::{Party, Standing};
use leptos::prelude::*;
use register::agents::list::{self, Query};
use register::assignments::{self, Mode};
use register::people::Among;
use register::{Db, Error, agents, people, teams};

use super::agents::query;
use super::people::named_in;
use crate::App;
use crate::page::{Answer, Fault, Fields, Here, Page, field_errors, local, see_other, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// People and teams that a field suggests; whoever is not among them is found by what is typed.
const SUGGESTED: i64 = 200;
/// Agents that one bulk assignment may be about.
const MOST: i64 = 10_000;
/// Agents named beside a bulk assignment, to recognise it by.
pub(super) const NAMED: usize = 12;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/agents/assign", begin)
        .post("/agents/assign", many)
        .get("/agents/{id}/assign", ask)
        .post("/agents/{id}/assign", one)
        .post("/agents/{id}/succession", succeed)
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

pub(super) async fn suggested(db: &Db, signed: &Signed) -> Result<Vec<Fit>, Error> {
    let by = signed.by();
    let mut out: Vec<Fit> = teams::directory(db, by, SUGGESTED)
        .await?
        .into_iter()
        .map(|(id, name, kind)| Fit { reference: id.to_string(), name, note: format!("{} team", kind.label()) })
        .collect();
    out.extend(people::directory(db, by, SUGGESTED).await?.into_iter().map(|p| Fit {
        reference: p.id.to_string(),
        name: p.name,
        note: String::new(),
    }));
    Ok(out)
}

async fn assigning(app: &App, signed: &Signed, form: Refused<AssignForm>) -> Result<Assigning, Error> {
    Ok(Assigning {
        form,
        suggested: suggested(&app.db, signed).await?,
        record: can(&signed.actor, Action::AssignmentRecord, Relation::None).is_ok(),
    })
}

async fn ask(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, Here(here): Here) -> Answer {
    let get = |key| here.get(key).unwrap_or_default().to_owned();
    let form = AssignForm { duty: get("duty"), role: get("role"), next: get("next"), ..AssignForm::default() };
    page(&app, &signed, id, Refused::fresh(form), StatusCode::OK).await
}

async fn page(app: &App, signed: &Signed, id: AgentId, form: Refused<AssignForm>, status: StatusCode) -> Answer {
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
    let offers = offered(app, signed, id).await?;
    let assign = Assign {
        agent: id,
        name: view.judged.agent.facts.name.clone(),
        facts: view.judged.agent.facts,
        owners,
        offers,
        assigning: assigning(app, signed, form).await?,
    };
    let title = format!("Assign {id}");
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <AssignPage assign=assign/> }))
}

/// What of an agent is on offer: the duty, to whom, their name, since when.
async fn offered(app: &App, signed: &Signed, id: AgentId) -> Result<Vec<(Duty, Party, String, DateTime<Utc>)>, Error> {
    let open = assignments::offers(&app.db, signed.by(), id).await?;
    let mut reads = &app.db;
    let names = agents::assess::party_names(&mut reads, open.iter().map(|o| o.party).collect::<Vec<_>>()).await?;
    let name = |party: Party| names.get(&party).cloned().unwrap_or_else(|| party.to_string());
    Ok(open.into_iter().map(|o| (o.duty, o.party, name(o.party), o.offered_at)).collect())
}

/// Where to go when it is done: where one came from, if that is of this site.
pub(super) fn then(next: &str, otherwise: String) -> String {
    match local(next) {
        "/" => otherwise,
        next => next.to_owned(),
    }
}

async fn one(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, fields: Fields) -> Answer {
    let mut form = typed(&fields);
    if let Some((_, chosen)) = fields.chosen() {
        chosen.clone_into(&mut form.party);
        return page(&app, &signed, id, Refused::fresh(form), StatusCode::OK).await;
    }
    let by = signed.by();
    let mut errors = FieldErrors::new();
    let duty = duty(&form, &mut errors);
    let role = form.role.parse().unwrap_or(RaciRole::Accountable);
    let mode = mode(&form);
    let party = party(&app.db, &form, &mut errors).await?;
    let (Some(duty), Some((party, name))) = (duty, party) else {
        return page(&app, &signed, id, Refused { values: form, errors }, StatusCode::UNPROCESSABLE_ENTITY).await;
    };
    let title = duty.owner_title().to_lowercase();
    let ends = match role {
        RaciRole::Accountable => offered(&app, &signed, id).await?,
        _ => Vec::new(),
    };
    let ends = ends.into_iter().find(|(d, to, ..)| *d == duty && *to != party);
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
        Ok(mut sentence) => {
            if let Some((_, _, former, _)) = ends {
                sentence.push_str(&format!(" The offer to {former} is taken back."));
            }
            let to = then(&form.next, format!("/agents/{id}"));
            Ok(see_other_saying(&app, to, &Flash::good(sentence)))
        }
        Err(error) => {
            let status = status(&error);
            let errors = field_errors(error)?;
            page(&app, &signed, id, Refused { values: form, errors }, status).await
        }
    }
}

/// One press: a duty whose owner is gone is offered to who is next in line.
async fn succeed(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, fields: Fields) -> Answer {
    let by = signed.by();
    let view = agents::read(&app.db, by, id).await?;
    can(&signed.actor, Action::AssignmentOffer, view.relation).map_err(Error::from)?;
    let back = then(fields.get("next"), format!("/agents/{id}"));
    let pressed = fields.get("offer").split_once(':');
    let meant = pressed.and_then(|(duty, person)| Some((duty.parse::<Duty>().ok()?, person.parse::<PersonId>().ok()?)));
    let Some((duty, person)) = meant else {
        return Err(Fault::conflict("That button is not on this page any more.").back(back));
    };
    let mut reads = &app.db;
    let next = people::next_in_line(&mut reads, &[id], signed.now).await?.remove(&id).unwrap_or_default();
    // What one saw may have changed: who is offered it is next in line now.
    let next = next.get(&duty).and_then(|list| list.iter().find(|n| n.id == person && n.active));
    let Some(next) = next.cloned() else {
        let title = duty.owner_title().to_lowercase();
        let sentence = format!("{person} is not next in line for {title} of {id} any more, or it is on offer already.");
        return Err(Fault::conflict(sentence).back(back));
    };
    let title = duty.owner_title().to_lowercase();
    let reason = format!("Next in line: whoever was {title} is gone.");
    match assignments::assign(&app.db, by, id, duty, Party::Person(person), Mode::Offer, &reason).await {
        Ok(()) => {
            let flash = Flash::good(format!("{} is asked to be {title} of {id}.", next.name));
            Ok(see_other_saying(&app, back, &flash))
        }
        Err(error) => Err(Fault::from(error).back(back)),
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

async fn party(db: &Db, form: &AssignForm, errors: &mut FieldErrors) -> Result<Option<(Party, String)>, Fault> {
    named_in(db, &form.party, "party", Among::Parties, errors).await
}

/// The agents of a bulk assignment: those picked, or all that a query of the inventory finds.
pub(super) async fn picked<'a>(
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

pub(super) fn none_picked() -> Flash {
    Flash::bad("Pick the agents first: tick their rows, then press the button.")
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
    bulk(&app, &signed, picked, &ids, Refused::fresh(form), None, StatusCode::OK).await
}

async fn bulk(
    app: &App,
    signed: &Signed,
    picked: Picked,
    ids: &[AgentId],
    form: Refused<AssignForm>,
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
    let page =
        BulkAssign { picked, count: ids.len() as u64, first, assigning: assigning(app, signed, form).await?, preview };
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
    if let Some((_, chosen)) = fields.chosen() {
        chosen.clone_into(&mut form.party);
        return bulk(&app, &signed, picked, &ids, Refused::fresh(form), None, StatusCode::OK).await;
    }
    let pressed = fields.get("do");
    if !matches!(pressed, "preview" | "confirm") {
        return bulk(&app, &signed, picked, &ids, Refused::fresh(form), None, StatusCode::OK).await;
    }
    let by = signed.by();
    let mut errors = FieldErrors::new();
    let duty = duty(&form, &mut errors);
    let mode = mode(&form);
    if mode == Mode::Record && form.reason.trim().is_empty() {
        errors.add("reason", "Enter how you know that they hold it.");
    }
    let party = party(&app.db, &form, &mut errors).await?;
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let (Some(duty), Some((party, name)), true) = (duty, party, errors.is_empty()) else {
        return bulk(&app, &signed, picked, &ids, Refused { values: form, errors }, None, refused).await;
    };
    if pressed == "confirm" {
        return match assignments::assign_many(&app.db, by, &ids, duty, party, mode, &form.reason).await {
            Ok(outcome) => Ok(told(&app, &form, duty, mode, &name, &outcome)),
            Err(error) => {
                let status = status(&error);
                let errors = field_errors(error)?;
                bulk(&app, &signed, picked, &ids, Refused { values: form, errors }, None, status).await
            }
        };
    }
    let foreseen = match assignments::foresee(&app.db, by, &ids, duty, party, mode).await {
        Ok(foreseen) => foreseen,
        Err(error) => {
            let errors = field_errors(error)?;
            return bulk(&app, &signed, picked, &ids, Refused { values: form, errors }, None, refused).await;
        }
    };
    // From here on whoever was meant is named by reference: what one confirms is what one saw.
    form.party = format!("{name} ({party})");
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
    bulk(&app, &signed, picked, &ids, Refused::fresh(form), Some(preview), StatusCode::OK).await
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
