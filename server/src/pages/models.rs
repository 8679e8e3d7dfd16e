//! `/agents/model`: an operating model for one agent, or for many at once.

use std::collections::BTreeMap;

use app::agents::Picked;
use app::components::{FieldErrors, Fit, Flash, Refused};
use app::models::{Act, Apply, ApplyPage, Cell, Matrix, ModelForm, Preview, Row, Tally, What, field};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use domain::assignment::RaciRole;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::AgentId;
use domain::model::{Fate, Filled, Model, Slot, justified_until};
use domain::party::Party;
use leptos::prelude::*;
use register::models::{self, Filler, Plan, Wish};
use register::people::Among;
use register::{By, Error, agents, teams};

use super::assignments::{NAMED, none_picked, picked, suggested, then};
use super::people::named_in;
use crate::App;
use crate::page::{Answer, Fault, Fields, Here, Page, field_errors, local, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// Agents named behind each number of a preview.
const SHOWN: usize = 100;

pub(super) fn routes() -> Routes {
    Routes::page().get("/agents/model", begin).post("/agents/model", act)
}

/// Which agents, which model, and what was typed.
struct Asked {
    picked: Picked,
    ids: Vec<AgentId>,
    model: Option<Model>,
    form: Refused<ModelForm>,
}

async fn begin(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let all = here.get("all").is_some();
    let text = here.without("model").without("next").href();
    let text = text.split_once('?').map_or("", |(_, query)| query);
    let (picked, ids) = picked(&app, &signed, all, text, here.all("id")).await?;
    let next = match (&picked, here.get("next").unwrap_or_default()) {
        (Picked::Matching(query), "") => query.href(),
        (_, next) => then(next, "/agents".to_owned()),
    };
    if ids.is_empty() {
        return Ok(see_other_saying(&app, local(&next), &none_picked()));
    }
    let mut errors = FieldErrors::new();
    let model = here
        .get("model")
        .and_then(|key| key.parse().map_err(|_| errors.add("model", "Choose one of the models.")).ok());
    let values = match model {
        Some(model) => guessed(&app, &signed, model, next).await?,
        None => ModelForm { next, ..ModelForm::default() },
    };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    show(&app, &signed, Asked { picked, ids, model, form: Refused { values, errors } }, None, status).await
}

/// Where one team alone is of the kind that a function usually is, it is suggested.
async fn guessed(app: &App, signed: &Signed, model: Model, next: String) -> Result<ModelForm, Error> {
    let known = teams::directory(&app.db, signed.by(), 1_000).await?;
    let of = |slot: Slot| {
        let kind = slot.kind()?;
        let mut of_kind = known.iter().filter(|(_, _, k)| *k == kind);
        match (of_kind.next(), of_kind.next()) {
            (Some((id, name, _)), None) => {
                Some(Fit { reference: id.to_string(), name: name.clone(), note: String::new() }.written())
            }
            _ => None,
        }
    };
    let slots = model.slots(Duty::ALL).into_iter().filter_map(|s| Some((s, of(s)?))).collect();
    Ok(ModelForm { slots, next, ..ModelForm::default() })
}

fn typed(fields: &Fields) -> ModelForm {
    let get = |name| fields.get(name).to_owned();
    ModelForm {
        slots: Slot::ALL.iter().map(|s| (*s, get(field(*s)))).filter(|(_, typed)| !typed.trim().is_empty()).collect(),
        present: get("present"),
        reason: get("reason"),
        justification: get("justification"),
        until: get("until"),
        next: get("next"),
    }
}

async fn show(app: &App, signed: &Signed, asked: Asked, preview: Option<Preview>, status: StatusCode) -> Answer {
    // Whoever could not offer a duty even of an agent of their own has no use for the page.
    can(&signed.actor, Action::AssignmentOffer, Relation::Owner).map_err(Error::from)?;
    let by = signed.by();
    let Asked { picked, ids, model, form } = asked;
    let mut first = Vec::new();
    let mut facts = None;
    let mut operated_by = None;
    let mut reads = &app.db;
    for agent in agents::stored::load(&mut reads, &ids[..ids.len().min(NAMED)], by.now).await? {
        let stands = agents::relation::relation(&mut reads, &signed.actor, &agent).await?;
        agents::read::visible(&signed.actor, &agent, stands)?;
        first.push((agent.id, agent.facts.name.clone()));
        if ids.len() == 1 {
            can(&signed.actor, Action::AssignmentOffer, stands).map_err(Error::from)?;
            if let Some(team) = agent.facts.operated_by.map(Party::Team) {
                operated_by = agents::assess::party_names(&mut reads, [team]).await?.remove(&team);
            }
            facts = Some(agent.facts);
        }
    }
    if ids.len() == 1 && first.is_empty() {
        return Err(Fault::not_found());
    }
    let page = Apply {
        picked,
        count: ids.len() as u64,
        first,
        facts,
        operated_by,
        model,
        form,
        suggested: suggested(&app.db, signed).await?,
        may_justify: can(&signed.actor, Action::JustificationWrite, Relation::None).is_ok(),
        last_day: justified_until(by.now).date_naive().to_string(),
        preview,
    };
    Ok(Page::new(app, signed, "Operating model").status(status).show(move || view! { <ApplyPage apply=page/> }))
}

/// The wish that was typed; what cannot be read is noted.
async fn wish(app: &App, form: &ModelForm, model: Model, errors: &mut FieldErrors) -> Result<Wish, Fault> {
    let mut slots = BTreeMap::new();
    let wanted = model.slots(Duty::ALL);
    for (slot, typed) in form.slots.iter().filter(|(slot, _)| wanted.contains(slot)) {
        if let Some((party, _)) = named_in(&app.db, typed, field(*slot), Among::Parties, errors).await? {
            slots.insert(*slot, Filler::Party(party));
        }
    }
    slots.entry(Slot::Team).or_insert(Filler::OperatedBy);
    let until = match form.until.trim() {
        "" => None,
        day => {
            let day = NaiveDate::parse_from_str(day, "%Y-%m-%d").ok();
            if day.is_none() {
                errors.add("until", "Enter a date such as 2027-11-21.");
            }
            day.map(|day| DateTime::<Utc>::from_naive_utc_and_offset(day.and_time(NaiveTime::MIN), Utc))
        }
    };
    Ok(Wish {
        slots,
        replace: form.present == "replace",
        reason: form.reason.clone(),
        justification: form.justification.clone(),
        until,
    })
}

/// What the register refused, by the field of this form.
fn by_field(error: Error, errors: &mut FieldErrors) -> Result<StatusCode, Fault> {
    let status =
        if matches!(error, Error::Conflict(_)) { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
    for (at, message) in field_errors(error)?.iter() {
        let slot = at.strip_prefix("slots/").and_then(|s| s.parse::<Slot>().ok());
        match slot {
            Some(slot) => errors.add(field(slot), message),
            None if at == "slots" || at == "agents" => errors.add("", message),
            None if errors.of(at).is_none() => errors.add(at.to_owned(), message),
            None => {}
        }
    }
    Ok(status)
}

/// Preview, then do.
async fn act(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    let all = !fields.get("all").is_empty();
    let (picked, ids) = picked(&app, &signed, all, fields.get("query"), fields.all("id")).await?;
    let mut form = typed(&fields);
    if ids.is_empty() {
        return Ok(see_other_saying(&app, then(&form.next, "/agents".to_owned()), &none_picked()));
    }
    let mut errors = FieldErrors::new();
    let asked = |model, form| Asked { picked: picked.clone(), ids: ids.clone(), model, form };
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let Ok(model) = fields.get("model").parse::<Model>() else {
        errors.add("model", "Choose one of the models.");
        return show(&app, &signed, asked(None, Refused { values: form, errors }), None, refused).await;
    };
    if let Some((at, chosen)) = fields.chosen() {
        if let Some(slot) = Slot::ALL.iter().find(|s| field(**s) == at) {
            form.slots.retain(|(s, _)| s != slot);
            form.slots.push((*slot, chosen.to_owned()));
        }
        return show(&app, &signed, asked(Some(model), Refused::fresh(form)), None, StatusCode::OK).await;
    }
    let pressed = fields.get("do");
    if !matches!(pressed, "preview" | "confirm") {
        return show(&app, &signed, asked(Some(model), Refused::fresh(form)), None, StatusCode::OK).await;
    }
    let by = signed.by();
    let wish = wish(&app, &form, model, &mut errors).await?;
    if !matches!(form.present.as_str(), "" | "keep" | "replace") {
        errors.add("present", "Choose what becomes of what is there.");
    }
    if wish.reason.trim().is_empty() {
        errors.add("reason", "Say why, for the record and for those who are asked.");
    }
    let plan = match models::preview(&app.db, by, &ids, model, &wish).await {
        Ok(plan) if errors.is_empty() => plan,
        Ok(_) => return show(&app, &signed, asked(Some(model), Refused { values: form, errors }), None, refused).await,
        Err(error) => {
            let status = by_field(error, &mut errors)?;
            return show(&app, &signed, asked(Some(model), Refused { values: form, errors }), None, status).await;
        }
    };
    if pressed == "confirm" {
        let seen = fields.get("seen");
        match models::apply(&app.db, by, &ids, model, &wish, (!seen.is_empty()).then_some(seen)).await {
            Ok(done) => return Ok(told(&app, &form, model, &done)),
            // What was shown is not what would be done now: it is shown again.
            Err(Error::Conflict(sentence)) => {
                errors.add("", sentence);
                let asked = asked(Some(model), Refused { values: form, errors });
                return show(&app, &signed, asked, Some(shown(&plan)), StatusCode::CONFLICT).await;
            }
            Err(error) => {
                let status = by_field(error, &mut errors)?;
                return show(&app, &signed, asked(Some(model), Refused { values: form, errors }), None, status).await;
            }
        }
    }
    // From here on whoever was meant is named by reference: what one confirms is what one saw.
    for (slot, typed) in &mut form.slots {
        if let Some(Filler::Party(party)) = wish.slots.get(slot) {
            let name = plan.names.get(party).cloned().unwrap_or_else(|| party.to_string());
            *typed = format!("{name} ({party})");
        }
    }
    let mut preview = shown(&plan);
    if preview.changes == 0 && model.needs_justification() {
        preview.changes = plan.agents.iter().filter(|a| a.fate.is_ok()).count() as u64;
    }
    show(&app, &signed, asked(Some(model), Refused::fresh(form)), Some(preview), StatusCode::OK).await
}

/// What was done, said on the page one came from.
fn told(app: &App, form: &ModelForm, model: Model, done: &models::Done) -> Response {
    let agents = |n: usize| if n == 1 { "1 agent".to_owned() } else { format!("{n} agents") };
    let mut sentence = match done.agents.len() {
        0 => "Nothing was changed.".to_owned(),
        n => format!(
            "{} is applied to {}: {} offered.",
            model.label(),
            agents(n),
            match done.offered {
                1 => "1 duty is".to_owned(),
                n => format!("{n} duties are"),
            }
        ),
    };
    if let Some((_, why)) = done.skipped.first() {
        let verb = if done.skipped.len() == 1 { "stays as it was" } else { "stay as they were" };
        sentence.push_str(&format!(" {} {verb}: {why}.", agents(done.skipped.len())));
    }
    let flash = if done.agents.is_empty() { Flash::bad(sentence) } else { Flash::good(sentence) };
    see_other_saying(app, then(&form.next, "/agents".to_owned()), &flash)
}

fn shown(plan: &Plan) -> Preview {
    let one = plan.agents.len() == 1;
    let mut skipped: BTreeMap<&str, Vec<(AgentId, String)>> = BTreeMap::new();
    let mut tallies: BTreeMap<Duty, Tally> = BTreeMap::new();
    let mut matrix = None;
    for drawn in &plan.agents {
        let who = || (drawn.agent, drawn.name.clone());
        let filled = match &drawn.fate {
            Err(why) => {
                skipped.entry(why).or_default().push(who());
                continue;
            }
            Ok(filled) => filled,
        };
        if one {
            matrix = Some(whole(filled, &plan.names));
        }
        for row in &filled.rows {
            let tally = tallies.entry(row.duty).or_insert_with(|| Tally {
                duty: row.duty,
                offered: (0, Vec::new()),
                kept: (0, Vec::new()),
                already: (0, Vec::new()),
                lettered: Vec::new(),
                nobody: (0, Vec::new()),
                letters: 0,
                ends: 0,
                withdrawn: 0,
            });
            tally.letters += row.add.len() as u64;
            tally.ends += row.end.len() as u64;
            tally.withdrawn += u64::from(matches!(row.fate, Fate::Withdraw { .. }));
            if !(row.add.is_empty() && row.end.is_empty()) && tally.lettered.len() < SHOWN {
                tally.lettered.push(who());
            }
            let (count, first) = match row.fate {
                Fate::Offer { .. } => &mut tally.offered,
                Fate::Kept { .. } => &mut tally.kept,
                Fate::Open(_) => &mut tally.nobody,
                Fate::Held(_) | Fate::Withdraw { .. } | Fate::Offered(_) => &mut tally.already,
            };
            *count += 1;
            if first.len() < SHOWN {
                first.push(who());
            }
        }
    }
    Preview {
        digest: plan.digest.clone(),
        changes: plan.changes() as u64,
        skipped: skipped
            .into_iter()
            .map(|(why, mut list)| {
                let n = list.len() as u64;
                list.truncate(SHOWN);
                (why.to_owned(), n, list)
            })
            .collect(),
        matrix,
        tallies: tallies.into_values().collect(),
    }
}

/// The matrix of one agent as it would be.
fn whole(filled: &Filled, names: &BTreeMap<Party, String>) -> Matrix {
    let cell = |role, party: Party, act| Cell {
        role,
        name: names.get(&party).cloned().unwrap_or_else(|| party.to_string()),
        href: party.path(),
        act,
    };
    let a = RaciRole::Accountable;
    let rows = filled
        .rows
        .iter()
        .map(|row| {
            let (what, mut cells) = match row.fate {
                Fate::Offer { to, owner, instead_of } => {
                    let mut cells = vec![cell(a, to, Act::Asked)];
                    cells.extend(owner.map(|p| cell(a, p, Act::Until)));
                    cells.extend(instead_of.map(|p| cell(a, p, Act::Ends)));
                    (What::Filled, cells)
                }
                Fate::Held(p) => (What::Already, vec![cell(a, p, Act::Stays)]),
                Fate::Withdraw { owner, asked } => {
                    (What::Already, vec![cell(a, owner, Act::Stays), cell(a, asked, Act::Ends)])
                }
                Fate::Offered(p) => (What::Already, vec![cell(a, p, Act::Waits)]),
                Fate::Kept { owner, offered } => {
                    let mut cells: Vec<Cell> = owner.map(|p| cell(a, p, Act::Stays)).into_iter().collect();
                    cells.extend(offered.map(|p| cell(a, p, Act::Waits)));
                    (What::Kept, cells)
                }
                Fate::Open(slot) => (What::Nobody(slot.label()), Vec::new()),
            };
            cells.extend(row.stay.iter().map(|(role, p)| cell(*role, *p, Act::Stays)));
            cells.extend(row.add.iter().map(|(role, p)| cell(*role, *p, Act::Added)));
            cells.extend(row.end.iter().map(|(role, p)| cell(*role, *p, Act::Ends)));
            let what = if what == What::Already && row.changes() { What::Filled } else { what };
            Row { duty: row.duty, what, cells }
        })
        .collect();
    Matrix { rows }
}

/// The line that an agent's matrix says of its model and its justification.
pub(super) async fn under(app: &App, by: By<'_>, id: AgentId) -> Result<app::raci::Under, Error> {
    let applied = models::applied(&app.db, by, id).await?;
    let justification = models::justification(&app.db, by, id).await?;
    let mut reads = &app.db;
    let who: Vec<Party> = [applied.as_ref().map(|a| &a.by), justification.as_ref().map(|j| &j.made_by)]
        .into_iter()
        .flatten()
        .filter_map(|r| r.parse().ok())
        .collect();
    let names = agents::assess::party_names(&mut reads, who).await?;
    let called = |reference: &str| match reference.parse::<Party>() {
        Ok(party) => names.get(&party).cloned().unwrap_or_else(|| reference.to_owned()),
        Err(_) if reference == "cli" => "the command line".to_owned(),
        Err(_) => reference.to_owned(),
    };
    Ok(app::raci::Under {
        model: applied.map(|a| (a.model.label(), called(&a.by), a.at)),
        justification: justification.map(|j| app::raci::Justified {
            ended: j.until <= by.now,
            by: called(&j.made_by),
            words: j.words,
            made_at: j.made_at,
            until: j.until,
        }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_a_field_of_its_own() {
        let mut fields: Vec<&str> = Slot::ALL.iter().map(|s| field(*s)).collect();
        for (slot, name) in Slot::ALL.iter().zip(&fields) {
            assert_eq!(*name, format!("slot-{slot}"));
        }
        fields.sort_unstable();
        fields.dedup();
        assert_eq!(fields.len(), Slot::ALL.len());
    }
}
