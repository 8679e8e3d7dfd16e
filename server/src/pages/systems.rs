//! `/systems`: the list, one system, its form.

use app::components::{Choice, FieldErrors, Flash, Refused};
use app::systems::{EditSystem, Line, List, Member, Owner, Shown, SystemForm, SystemPage, Systems};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::assignment::RaciRole;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::SystemId;
use domain::system::SystemKind;
use leptos::prelude::*;
use register::systems;
use register::{Error, assignments};
use serde::Deserialize;

use super::people::{may, refuse, version};
use crate::App;
use crate::page::{Answer, Form, Here, Page, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/systems", list)
        .get("/systems/new", new)
        .post("/systems/new", create)
        .get("/systems/{id}", show)
        .get("/systems/{id}/edit", edit)
        .post("/systems/{id}/edit", save)
}

fn kinds() -> Vec<Choice> {
    SystemKind::ALL
        .iter()
        .map(|k| {
            let hint = match k {
                SystemKind::MultiAgent => "Several agents that do one job together.",
                SystemKind::Platform => {
                    "What several agents run on: they inherit its owners of identity, requests and platform."
                }
            };
            Choice::new(k.key(), k.label()).hint(hint)
        })
        .collect()
}

async fn list(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let query = systems::Query {
        q: here.get("q").unwrap_or_default().to_owned(),
        kind: here.get("kind").and_then(|k| k.parse().ok()),
        down: here.get("sort") == Some("-name"),
        cursor: here.get("cursor").or_else(|| here.get("before")).map(str::to_owned),
        ..systems::Query::default()
    };
    let found = systems::list(&app.db, signed.by(), &query).await?;
    let first = here.first_page();
    let gaps = systems::gaps(&app.db, &found.items).await?;
    let rows = found
        .items
        .into_iter()
        .map(|s| Line {
            gaps: gaps.get(&s.id).copied().unwrap_or(0),
            id: s.id,
            name: s.name,
            kind: s.kind.label(),
            purpose: s.purpose,
        })
        .collect();
    let list = List {
        rows,
        total: found.total.and_then(|n| u64::try_from(n).ok()),
        previous: found.previous.map(|c| first.with("before", &c).href()),
        next: found.next.map(|c| first.with("cursor", &c).href()),
        kinds: kinds(),
        may_write: may(&signed.actor, Action::SystemWrite),
        here,
    };
    Ok(Page::new(&app, &signed, "Systems").show(move || view! { <Systems list=list/> }))
}

async fn show(State(app): State<App>, signed: Signed, Path(id): Path<SystemId>) -> Answer {
    let view = systems::read(&app.db, signed.by(), id).await?;
    let matrix = assignments::matrix(&app.db, signed.by(), id).await?;
    let owners = matrix
        .ward
        .duties
        .iter()
        .filter_map(|&duty| {
            let accountable = |accepted: bool| {
                let found = matrix
                    .cells
                    .iter()
                    .find(|c| c.duty == duty && c.role == RaciRole::Accountable && c.accepted_at.is_some() == accepted);
                found.map(|c| (c.party, c.name.clone()))
            };
            let required = matrix.ward.required.contains(&duty);
            let owner = Owner { duty, required, holder: accountable(true), offered: accountable(false) };
            (required || owner.holder.is_some() || owner.offered.is_some()).then_some(owner)
        })
        .collect();
    let s = view.system;
    let title = s.name.clone();
    let shown = Shown {
        id,
        name: s.name,
        kind: s.kind,
        owners,
        wrong: matrix.violations.into_iter().map(|v| (v.duty.map_or("", Duty::owner_title), v.message)).collect(),
        may_assign: matrix.edit,
        purpose: s.purpose,
        created_at: s.created_at,
        updated_at: s.updated_at,
        members: view
            .members
            .into_iter()
            .map(|m| Member { id: m.id, name: m.name, state: m.state, tier: m.tier, runs: m.runs })
            .collect(),
        more: view.more,
        controls: may(&signed.actor, Action::AgentReadControls),
        may_stop: may(&signed.actor, Action::StopPress),
        may_write: may(&signed.actor, Action::SystemWrite),
        may_audit: may(&signed.actor, Action::AuditRead),
        now: signed.now,
    };
    Ok(Page::new(&app, &signed, title).show(move || view! { <SystemPage shown=shown/> }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    name: String,
    kind: String,
    purpose: String,
    reason: String,
    version: String,
}

impl From<Typed> for SystemForm {
    fn from(t: Typed) -> Self {
        Self { name: t.name, kind: t.kind, purpose: t.purpose, reason: t.reason, version: t.version }
    }
}

fn editor(
    app: &App,
    signed: &Signed,
    system: Option<(SystemId, String)>,
    form: Refused<SystemForm>,
    status: StatusCode,
) -> Response {
    let title = system.as_ref().map_or_else(|| "Add a system".to_owned(), |(_, name)| format!("Edit {name}"));
    Page::new(app, signed, title)
        .status(status)
        .show(move || view! { <EditSystem system=system form=form kinds=kinds()/> })
}

/// What was typed, as the register takes it; what cannot be read is noted.
fn given(form: &SystemForm, errors: &mut FieldErrors) -> Option<systems::Fields> {
    let Ok(kind) = form.kind.parse() else {
        errors.add("kind", "Choose what it is.");
        return None;
    };
    Some(systems::Fields { name: form.name.clone(), kind, purpose: form.purpose.clone() })
}

async fn new(State(app): State<App>, signed: Signed) -> Answer {
    can(&signed.actor, Action::SystemWrite, Relation::None).map_err(Error::from)?;
    Ok(editor(&app, &signed, None, Refused::default(), StatusCode::OK))
}

async fn create(State(app): State<App>, signed: Signed, Form(typed): Form<Typed>) -> Answer {
    can(&signed.actor, Action::SystemWrite, Relation::None).map_err(Error::from)?;
    let form = SystemForm::from(typed);
    let mut errors = FieldErrors::new();
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if let Some(given) = given(&form, &mut errors) {
        match systems::create(&app.db, signed.by(), &given).await {
            Ok(made) => {
                let flash = Flash::good(format!("{} is recorded.", made.name));
                return Ok(see_other_saying(&app, format!("/systems/{}", made.id), &flash));
            }
            Err(error) => status = refuse(error, &mut errors)?,
        }
    }
    Ok(editor(&app, &signed, None, Refused { values: form, errors }, status))
}

async fn edit(State(app): State<App>, signed: Signed, Path(id): Path<SystemId>) -> Answer {
    let system = systems::read(&app.db, signed.by(), id).await?.system;
    can(&signed.actor, Action::SystemWrite, Relation::None).map_err(Error::from)?;
    let values = SystemForm {
        name: system.name.clone(),
        kind: system.kind.key().to_owned(),
        purpose: system.purpose,
        reason: String::new(),
        version: system.version.to_string(),
    };
    Ok(editor(&app, &signed, Some((id, system.name)), Refused::fresh(values), StatusCode::OK))
}

async fn save(State(app): State<App>, signed: Signed, Path(id): Path<SystemId>, Form(typed): Form<Typed>) -> Answer {
    let before = systems::read(&app.db, signed.by(), id).await?.system;
    can(&signed.actor, Action::SystemWrite, Relation::None).map_err(Error::from)?;
    let form = SystemForm::from(typed);
    let mut errors = FieldErrors::new();
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if let Some(given) = given(&form, &mut errors) {
        match systems::edit(&app.db, signed.by(), id, Some(version(&form.version)), &given, &form.reason).await {
            Ok(saved) => {
                let text = if saved.version == before.version { "Nothing was changed." } else { "Saved." };
                return Ok(see_other_saying(&app, format!("/systems/{id}"), &Flash::good(text)));
            }
            Err(error) => status = refuse(error, &mut errors)?,
        }
    }
    Ok(editor(&app, &signed, Some((id, before.name)), Refused { values: form, errors }, status))
}
