//! `/teams`: the list, one team, its form, its members.

use app::components::{FieldErrors, Flash, Refused};
use app::people::Named;
use app::teams::{EditTeam, Line, List, Member, Shown, TeamEditor, TeamForm, TeamPage, Teams};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::can::{Action, Relation, can};
use domain::id::{PersonId, TeamId};
use domain::party::{Party, TeamKind};
use leptos::prelude::*;
use register::{Error, oncall, people, teams};
use serde::Deserialize;

use super::people::{holdings, may, named, refuse, suggested, version, who};
use crate::App;
use crate::page::{Answer, Fault, Form, Here, Page, chosen, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/teams", list)
        .get("/teams/new", new)
        .post("/teams/new", create)
        .get("/teams/{id}", show)
        .get("/teams/{id}/edit", edit)
        .post("/teams/{id}/edit", save)
        .post("/teams/{id}/members", join)
        .post("/teams/{id}/members/{person}/remove", part)
}

async fn list(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let get = |key: &str| here.get(key).unwrap_or_default();
    let query = teams::Query {
        q: get("q").to_owned(),
        kind: get("kind").parse().ok(),
        led: match get("led") {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        },
        down: get("sort") == "-name",
        cursor: here.get("cursor").or_else(|| here.get("before")).map(str::to_owned),
        ..teams::Query::default()
    };
    let found = teams::list(&app.db, signed.by(), &query).await?;
    let first = here.first_page();
    let rows = found
        .items
        .into_iter()
        .map(|t| Line {
            id: t.id,
            name: t.name,
            kind: t.kind,
            lead: t.lead.map(named),
            members: u64::try_from(t.members).unwrap_or(0),
            accountable: t.accountable,
        })
        .collect();
    let list = List {
        rows,
        total: found.total.and_then(|n| u64::try_from(n).ok()),
        previous: found.previous.map(|c| first.with("before", &c).href()),
        next: found.next.map(|c| first.with("cursor", &c).href()),
        may_write: may(&signed.actor, Action::TeamWrite),
        here,
    };
    Ok(Page::new(&app, &signed, "Teams").show(move || view! { <Teams list=list/> }))
}

async fn new(State(app): State<App>, signed: Signed) -> Answer {
    can(&signed.actor, Action::TeamWrite, Relation::None).map_err(Error::from)?;
    editor(&app, &signed, None, Refused::default(), StatusCode::OK).await
}

async fn editor(
    app: &App,
    signed: &Signed,
    team: Option<(TeamId, String)>,
    form: Refused<TeamForm>,
    status: StatusCode,
) -> Answer {
    let title = team.as_ref().map_or_else(|| "Add a team".to_owned(), |(_, name)| format!("Edit {name}"));
    let editor = TeamEditor { team, form, suggested: suggested(app, signed).await? };
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <EditTeam editor=editor/> }))
}

/// What was typed, as the register takes it; what cannot be read is noted.
async fn given(app: &App, form: &TeamForm, errors: &mut FieldErrors) -> Result<Option<teams::Fields>, Fault> {
    let kind = form.kind.parse::<TeamKind>();
    if kind.is_err() {
        errors.add("kind", "Choose what the team is for.");
    }
    let lead = who(&app.db, &form.lead, "lead", errors).await?;
    let deputy = who(&app.db, &form.deputy, "deputy", errors).await?;
    let mut members = Vec::new();
    for (at, line) in form.members.lines().map(str::trim).filter(|l| !l.is_empty()).enumerate() {
        if at == 1000 {
            errors.add("members", "A team has at most 1,000 members.");
            break;
        }
        let mut reads = &app.db;
        match people::resolve(&mut reads, line).await? {
            Ok(person) => members.push(person.id),
            // One sentence for the field: the first line that names nobody.
            Err(unclear) if errors.of("members").is_none() => errors.add("members", unclear.told(line)),
            Err(_) => {}
        }
    }
    let Ok(kind) = kind else { return Ok(None) };
    Ok(Some(teams::Fields { name: form.name.clone(), kind, lead, deputy, members: Some(members) }))
}

/// `/members/3` is about the one field in which all members are typed.
fn gathered(error: Error) -> Error {
    match error {
        Error::Invalid(mut wrong) => {
            for w in &mut wrong {
                if w.pointer.starts_with("/members/") {
                    w.pointer = "/members".into();
                }
            }
            Error::Invalid(wrong)
        }
        e => e,
    }
}

async fn create(State(app): State<App>, signed: Signed, Form(typed): Form<Typed>) -> Answer {
    can(&signed.actor, Action::TeamWrite, Relation::None).map_err(Error::from)?;
    let choosing = chosen(&typed.choose).is_some();
    let form = TeamForm::from(typed);
    if choosing {
        return editor(&app, &signed, None, Refused::fresh(form), StatusCode::OK).await;
    }
    let mut errors = FieldErrors::new();
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if let Some(given) = given(&app, &form, &mut errors).await?
        && errors.is_empty()
    {
        match teams::create(&app.db, signed.by(), &given).await {
            Ok(team) => {
                let flash = Flash::good(format!("{} is recorded.", team.name));
                return Ok(see_other_saying(&app, format!("/teams/{}", team.id), &flash));
            }
            Err(error) => status = refuse(gathered(error), &mut errors)?,
        }
    }
    editor(&app, &signed, None, Refused { values: form, errors }, status).await
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Typed {
    choose: String,
    name: String,
    kind: String,
    lead: String,
    deputy: String,
    members: String,
    reason: String,
    version: String,
}

impl From<Typed> for TeamForm {
    fn from(t: Typed) -> Self {
        let typed = |field: &str, typed: String| match chosen(&t.choose) {
            Some((chosen, value)) if chosen == field => value.to_owned(),
            _ => typed,
        };
        Self {
            name: t.name,
            kind: t.kind,
            lead: typed("lead", t.lead),
            deputy: typed("deputy", t.deputy),
            members: t.members,
            reason: t.reason,
            version: t.version,
        }
    }
}

async fn edit(State(app): State<App>, signed: Signed, Path(id): Path<TeamId>) -> Answer {
    let view = teams::read(&app.db, signed.by(), id).await?;
    can(&signed.actor, Action::TeamWrite, Relation::None).map_err(Error::from)?;
    let written = |n: Option<people::Named>| n.map(|n| named(n).written()).unwrap_or_default();
    let members: Vec<String> = view.members.into_iter().map(|m| named(m.person).written()).collect();
    let values = TeamForm {
        name: view.team.name.clone(),
        kind: view.team.kind.key().to_owned(),
        lead: written(view.lead),
        deputy: written(view.deputy),
        members: members.join("\n"),
        reason: String::new(),
        version: view.team.version.to_string(),
    };
    editor(&app, &signed, Some((id, view.team.name)), Refused::fresh(values), StatusCode::OK).await
}

async fn save(State(app): State<App>, signed: Signed, Path(id): Path<TeamId>, Form(typed): Form<Typed>) -> Answer {
    let before = teams::read(&app.db, signed.by(), id).await?.team;
    can(&signed.actor, Action::TeamWrite, Relation::None).map_err(Error::from)?;
    let choosing = chosen(&typed.choose).is_some();
    let form = TeamForm::from(typed);
    if choosing {
        return editor(&app, &signed, Some((id, before.name)), Refused::fresh(form), StatusCode::OK).await;
    }
    let mut errors = FieldErrors::new();
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if let Some(given) = given(&app, &form, &mut errors).await?
        && errors.is_empty()
    {
        match teams::edit(&app.db, signed.by(), id, Some(version(&form.version)), &given, &form.reason).await {
            Ok(saved) => {
                let text = if saved.version == before.version { "Nothing was changed." } else { "Saved." };
                return Ok(see_other_saying(&app, format!("/teams/{id}"), &Flash::good(text)));
            }
            Err(error) => status = refuse(gathered(error), &mut errors)?,
        }
    }
    editor(&app, &signed, Some((id, before.name)), Refused { values: form, errors }, status).await
}

async fn show(State(app): State<App>, signed: Signed, Path(id): Path<TeamId>, here: Here) -> Answer {
    page(&app, &signed, id, here, Refused::default(), StatusCode::OK).await
}

async fn page(app: &App, signed: &Signed, id: TeamId, here: Here, join: Refused<String>, status: StatusCode) -> Answer {
    let view = teams::read(&app.db, signed.by(), id).await?;
    let mut reads = &app.db;
    let next = people::succession(&mut reads, Party::Team(id)).await?;
    let (_, offers) = people::offers_to(&app.db, signed.by(), &[Party::Team(id)], 1).await?;
    let may_write = may(&signed.actor, Action::TeamWrite);
    let people: Vec<Named> = if may_write { suggested(app, signed).await? } else { Vec::new() };
    let (present, names) = oncall::on_call(&app.db, signed.by(), id, signed.now).await?;
    let on_call = present.person.and_then(|p| names.into_iter().find(|n| n.id == p)).map(named);
    let team = view.team;
    let title = team.name.clone();
    let shown = Shown {
        id,
        name: team.name,
        kind: team.kind,
        lead: view.lead.map(named),
        lead_since: team.lead_since,
        deputy: view.deputy.map(named),
        next: next.into_iter().map(named).collect(),
        on_call,
        members: view
            .members
            .into_iter()
            .map(|m| Member { person: named(m.person), title: m.title, since: m.since })
            .collect(),
        holdings: holdings(app, signed, Party::Team(id), here).await?,
        offers: offers.and_then(|n| u64::try_from(n).ok()),
        created_at: team.created_at,
        updated_at: team.updated_at,
        may_write,
        may_audit: may(&signed.actor, Action::AuditRead),
        join,
        suggested: people,
        now: signed.now,
    };
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <TeamPage shown=shown/> }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Joining {
    choose: String,
    person: String,
}

async fn join(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<TeamId>,
    here: Here,
    Form(typed): Form<Joining>,
) -> Answer {
    can(&signed.actor, Action::TeamWrite, Relation::None).map_err(Error::from)?;
    if let Some((_, person)) = chosen(&typed.choose) {
        return page(&app, &signed, id, here, Refused::fresh(person.to_owned()), StatusCode::OK).await;
    }
    let mut errors = FieldErrors::new();
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if typed.person.trim().is_empty() {
        errors.add("person", "Enter a name, an e-mail address or a reference such as PE-7.");
    }
    if let Some(person) = who(&app.db, &typed.person, "person", &mut errors).await? {
        match teams::join(&app.db, signed.by(), id, person).await {
            Ok(()) => {
                let mut reads = &app.db;
                let name = people::load(&mut reads, person).await?.map_or_else(|| person.to_string(), |p| p.name);
                let flash = Flash::good(format!("{name} is a member now."));
                return Ok(see_other_saying(&app, format!("/teams/{id}"), &flash));
            }
            Err(error) => status = refuse(error, &mut errors)?,
        }
    }
    page(&app, &signed, id, here, Refused { values: typed.person, errors }, status).await
}

async fn part(State(app): State<App>, signed: Signed, Path((id, person)): Path<(TeamId, PersonId)>) -> Answer {
    let back = format!("/teams/{id}");
    match teams::part(&app.db, signed.by(), id, person).await {
        Ok(()) => Ok(see_other_saying(
            &app,
            back,
            &Flash::good("They are a member no more. What they own themselves stays theirs."),
        )),
        Err(error) => Err(Fault::from(error).back(back)),
    }
}
