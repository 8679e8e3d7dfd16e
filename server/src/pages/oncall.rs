//! `/teams/TE-1/on-call`: who is on call in a team, who comes next, and what changes it.

use std::collections::BTreeMap;

use app::components::{FieldErrors, Flash, Refused};
use app::oncall::{Cover, OnCallForm, OnCallPage, Reached, Shown, length};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::id::{PersonId, TeamId};
use leptos::prelude::*;
use register::oncall::{self, NewCover, NewRotation};
use register::{Error, people, reach};

use super::agents::moment;
use super::people::{named, refuse, suggested, who};
use crate::App;
use crate::page::{Answer, Fault, Fields, Page, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

pub(super) fn routes() -> Routes {
    Routes::page().get("/teams/{id}/on-call", show).post("/teams/{id}/on-call", change)
}

async fn show(State(app): State<App>, signed: Signed, Path(id): Path<TeamId>) -> Answer {
    page(&app, &signed, id, None, StatusCode::OK).await
}

/// The forms as they are before anybody types: the present rotation, to be changed.
fn fresh(view: &oncall::View, names: &BTreeMap<PersonId, app::people::Named>) -> OnCallForm {
    let mut form = OnCallForm {
        turn: "1".into(),
        unit: "weeks".into(),
        version: view.version.to_string(),
        ..OnCallForm::default()
    };
    let written = |p: &PersonId| names.get(p).map_or_else(|| p.to_string(), app::people::Named::written);
    if let Some(rotation) = &view.rotation {
        form.people = rotation.people.iter().map(written).collect::<Vec<_>>().join("\n");
        let (n, unit) = length(rotation);
        form.turn = n.to_string();
        unit.clone_into(&mut form.unit);
    } else {
        form.people = view.people.iter().map(|p| written(&p.id)).collect::<Vec<_>>().join("\n");
    }
    form
}

async fn page(
    app: &App,
    signed: &Signed,
    id: TeamId,
    refused: Option<Refused<OnCallForm>>,
    status: StatusCode,
) -> Answer {
    let view = oncall::view(&app.db, signed.by(), id).await?;
    let names: BTreeMap<PersonId, app::people::Named> =
        view.names.iter().chain(&view.people).map(|n| (n.id, named(n.clone()))).collect();
    let form = match refused {
        // The forms that were not sent are as they are before anybody types.
        Some(Refused { values, errors }) if values.what != "rotation" => {
            let kept = OnCallForm {
                what: values.what,
                person: values.person,
                from: values.from,
                until: values.until,
                reason: values.reason,
                ..fresh(&view, &names)
            };
            Refused { values: kept, errors }
        }
        Some(refused) => refused,
        None => Refused::fresh(fresh(&view, &names)),
    };
    let reached = reach::of_team(&app.db, signed.by(), id).await?;
    let people = if view.may_cover { suggested(app, signed).await? } else { Vec::new() };
    let title = format!("On call: {}", view.team.name);
    let shown = Shown {
        team: id,
        name: view.team.name,
        rotation: view.rotation,
        present: view.now,
        plan: view.plan,
        covers: view
            .covers
            .into_iter()
            .map(|c| Cover { id: c.id, person: c.person, span: c.span, reason: c.reason })
            .collect(),
        absences: view.absences,
        reached: reached.map(|list| list.into_iter().map(|(n, not)| Reached { person: named(n), not }).collect()),
        names,
        may_write: view.may_write,
        may_cover: view.may_cover,
        form,
        suggested: people,
        now: signed.now,
    };
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <OnCallPage shown=shown/> }))
}

fn typed(fields: &Fields) -> OnCallForm {
    let get = |name: &str| match fields.chosen() {
        Some((field, value)) if field == name => value.to_owned(),
        _ => fields.get(name).to_owned(),
    };
    OnCallForm {
        what: get("do"),
        people: get("people"),
        turn: get("turn"),
        unit: get("unit"),
        starts: get("starts"),
        version: get("version"),
        person: get("person"),
        from: get("from"),
        until: get("until"),
        // Each form names its own, so that no two fields of the page are called alike.
        reason: if fields.get("do") == "cover" { get("why") } else { get("reason") },
    }
}

/// A moment as typed, or `None` where nothing was; what cannot be read is noted.
pub(super) fn when(text: &str, field: &'static str, errors: &mut FieldErrors) -> Option<DateTime<Utc>> {
    if text.trim().is_empty() {
        return None;
    }
    let at = moment(text);
    if at.is_none() {
        errors.add(field, "Write a date and a time in UTC, such as 2026-07-03T14:05.");
    }
    at
}

async fn rotation(app: &App, form: &OnCallForm, errors: &mut FieldErrors) -> Result<NewRotation, Fault> {
    let mut list = Vec::new();
    for line in form.people.lines().map(str::trim).filter(|l| !l.is_empty()).take(60) {
        let mut reads = &app.db;
        match people::resolve(&mut reads, line).await? {
            Ok(person) => list.push(person.id),
            Err(unclear) if errors.of("people").is_none() => errors.add("people", unclear.told(line)),
            Err(_) => {}
        }
    }
    if list.is_empty() && errors.of("people").is_none() {
        errors.add("people", "Name at least one person, in the order of their turns.");
    }
    let count = form.turn.trim().parse::<i64>().ok().filter(|n| (1..=10_000).contains(n));
    if count.is_none() {
        errors.add("turn", "Enter a whole number, such as 1.");
    }
    let hours = match form.unit.as_str() {
        "hours" => 1,
        "days" => 24,
        "weeks" => 168,
        _ => {
            errors.add("unit", "Choose hours, days or weeks.");
            1
        }
    };
    let starts = when(&form.starts, "starts", errors);
    Ok(NewRotation { people: list, starts, turn: TimeDelta::hours(count.unwrap_or(1) * hours) })
}

/// `/people/3` is about the one field in which all of them are typed, and so on.
fn by_field(error: Error, form: &str) -> Error {
    let Error::Invalid(mut wrong) = error else { return error };
    for w in &mut wrong {
        if w.pointer.starts_with("/people/") {
            w.pointer = "/people".into();
        }
        match w.pointer.as_str() {
            "/turn_hours" => w.pointer = "/turn".into(),
            "/starts_at" => w.pointer = "/starts".into(),
            "/reason" if form == "cover" => w.pointer = "/why".into(),
            _ => {}
        }
    }
    Error::Invalid(wrong)
}

async fn change(State(app): State<App>, signed: Signed, Path(id): Path<TeamId>, fields: Fields) -> Answer {
    let view = oncall::view(&app.db, signed.by(), id).await?;
    let form = typed(&fields);
    let (may, action) = match form.what.as_str() {
        "cover" | "cancel" => (view.may_cover, Action::OnCallCover),
        _ => (view.may_write, Action::OnCallWrite),
    };
    if !may {
        can(&signed.actor, action, Relation::None).map_err(Error::from)?;
    }
    if fields.chosen().is_some() {
        return page(&app, &signed, id, Some(Refused::fresh(form)), StatusCode::OK).await;
    }
    let by = signed.by();
    let mut errors = FieldErrors::new();
    let version = form.version.parse().ok();
    let done = match form.what.as_str() {
        "rotation" => {
            let new = rotation(&app, &form, &mut errors).await?;
            if !errors.is_empty() {
                return page(
                    &app,
                    &signed,
                    id,
                    Some(Refused { values: form, errors }),
                    StatusCode::UNPROCESSABLE_ENTITY,
                )
                .await;
            }
            oncall::rotate(&app.db, by, id, version, &new, &form.reason).await.map(|_| "The rotation is saved.")
        }
        "end" => oncall::end_rotation(&app.db, by, id, version, "").await.map(|()| "Nobody takes turns any more."),
        "cover" => {
            let person = who(&app.db, &form.person, "person", &mut errors).await?;
            if form.person.trim().is_empty() {
                errors.add("person", "Enter a name, an e-mail address or a reference such as PE-7.");
            }
            let from = when(&form.from, "from", &mut errors).unwrap_or(by.now);
            let until = when(&form.until, "until", &mut errors);
            if form.until.trim().is_empty() {
                errors.add("until", "Enter until when, in UTC.");
            }
            let (Some(person), Some(until), true) = (person, until, errors.is_empty()) else {
                return page(
                    &app,
                    &signed,
                    id,
                    Some(Refused { values: form, errors }),
                    StatusCode::UNPROCESSABLE_ENTITY,
                )
                .await;
            };
            let new = NewCover { person, from, until, reason: form.reason.clone() };
            oncall::cover(&app.db, by, id, &new).await.map(|_| "Recorded: they take over then.")
        }
        "cancel" => match fields.get("cover").parse() {
            Ok(cover) => oncall::cancel(&app.db, by, id, cover, "").await.map(|()| "Cancelled."),
            Err(_) => Err(Error::NotFound("such an override".into())),
        },
        _ => Err(Error::Conflict("That button is not on this page any more.".into())),
    };
    match done {
        Ok(said) => Ok(see_other_saying(&app, format!("/teams/{id}/on-call"), &Flash::good(said))),
        Err(error) => {
            let status = refuse(by_field(error, &form.what), &mut errors)?;
            page(&app, &signed, id, Some(Refused { values: form, errors }), status).await
        }
    }
}
