//! `/people`: the list, one person, their form, leaving and returning.

use app::components::{Choice, FieldErrors, Fit, Flash, Refused};
use app::people::{
    Away, EditPerson, HandoverForm, Held, Holdings, Impact, Led, Line, List, Membership, Named, OfSystem, Offer,
    Orphan, People, PersonEditor, PersonForm, PersonPage, Proposal, Reason, Shown, SignIn,
};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use domain::assignment::RaciRole;
use domain::can::{Action, Actor, Relation, can};
use domain::id::PersonId;
use domain::party::{Party, Role, Roles};
use leptos::prelude::*;

use register::people::{self, Among, HoldingsQuery, Part};
use register::proposals::{self, Decided};
use register::{Db, Error, delegations, passwords, systems, teams};
use serde::Deserialize;

use crate::App;
use crate::notes::Secret;
use crate::page::{Answer, Fault, Fields, Form, Here, Page, chosen, field_errors, see_other, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// Most people that a field suggests; whoever is not among them is found by what is typed.
const SUGGESTED: i64 = 500;
/// Most teams that the list can be filtered by in its menu; a team's page links to the rest.
const TEAMS: i64 = 200;
/// Most offers that a person's page lists.
const OFFERS: i64 = 50;
/// Rows of a page of what somebody holds.
const HELD: i64 = 25;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/people", list)
        .get("/people/new", new)
        .post("/people/new", create)
        .get("/people/{id}", show)
        .get("/people/{id}/edit", edit)
        .post("/people/{id}/edit", save)
        .post("/people/{id}/leave", leave)
        .post("/people/{id}/return", come_back)
        .get("/people/{id}/password", to_person)
        .post("/people/{id}/password", set_password)
        .post("/people/{id}/proposals/{proposal}/confirm", confirm)
        .post("/people/{id}/proposals/{proposal}/refuse", refuse_proposal)
        .post("/people/{id}/handover", hand_over)
}

pub(super) fn may(actor: &Actor, action: Action) -> bool {
    can(actor, action, Relation::None).is_ok()
}

pub(super) fn named(n: people::Named) -> Named {
    Named { id: n.id, name: n.name, active: n.active }
}

fn all_named(list: Vec<people::Named>) -> Vec<Named> {
    list.into_iter().map(named).collect()
}

/// People to suggest while somebody types.
pub(super) async fn suggested(app: &App, signed: &Signed) -> Result<Vec<Named>, Fault> {
    Ok(all_named(people::directory(&app.db, signed.by(), SUGGESTED).await?))
}

/// The person that a field names, if it names one; what is wrong is noted beside the field.
pub(super) async fn who(
    db: &Db,
    typed: &str,
    field: &'static str,
    errors: &mut FieldErrors,
) -> Result<Option<PersonId>, Fault> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    Ok(match named_in(db, typed, field, Among::People, errors).await? {
        Some((Party::Person(id), _)) => Some(id),
        _ => None,
    })
}

/// The one party that a field names; what is wrong, with those who fit, is noted beside it.
pub(super) async fn named_in(
    mut db: &Db,
    typed: &str,
    field: &'static str,
    among: Among,
    errors: &mut FieldErrors,
) -> Result<Option<(Party, String)>, Fault> {
    match people::meant(&mut db, typed, among).await? {
        Ok(found) => Ok(Some(found)),
        Err(unclear) => {
            let fits = unclear.fits.into_iter();
            let fits = fits.map(|f| Fit { name: f.name, reference: f.party.to_string(), note: f.note }).collect();
            errors.unclear(field, unclear.sentence, fits);
            Ok(None)
        }
    }
}

/// Adds what a use case refused to what was wrong before. Answers the status of the page:
/// 409 when somebody else changed it meanwhile, else 422.
pub(super) fn refuse(error: Error, errors: &mut FieldErrors) -> Result<StatusCode, Fault> {
    let status = match &error {
        Error::Stale(_) | Error::Conflict(_) => StatusCode::CONFLICT,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    };
    for (field, message) in field_errors(error)?.iter() {
        if errors.of(field).is_none() || field.is_empty() {
            errors.add(field.to_owned(), message);
        }
    }
    Ok(status)
}

/// The version that a form was read at; a form without one is as if it were never read.
pub(super) fn version(typed: &str) -> i64 {
    typed.parse().unwrap_or(0)
}

async fn list(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let get = |key: &str| here.get(key).unwrap_or_default();
    let query = people::Query {
        q: get("q").to_owned(),
        status: get("status").parse().ok(),
        role: get("role").parse().ok(),
        team: get("team").parse().ok(),
        down: get("sort") == "-name",
        cursor: here.get("cursor").or_else(|| here.get("before")).map(str::to_owned),
        ..people::Query::default()
    };
    let found = people::list(&app.db, signed.by(), &query).await?;
    let directory = teams::directory(&app.db, signed.by(), TEAMS + 1).await?;
    let mut choices: Vec<Choice> = Vec::new();
    if directory.len() as i64 <= TEAMS {
        choices.extend(directory.into_iter().map(|(id, name, _)| Choice::new(id.to_string(), name)));
    }
    if let Some(id) = query.team
        && choices.iter().all(|c| c.value != id.to_string())
    {
        let mut reads = &app.db;
        let name = teams::load(&mut reads, id).await?.map_or_else(|| id.to_string(), |t| t.name);
        choices.push(Choice::new(id.to_string(), name));
    }
    let rows = found
        .items
        .into_iter()
        .map(|p| Line {
            id: p.id,
            name: p.name,
            email: p.email,
            title: p.title,
            business_unit: p.business_unit,
            status: p.status,
            roles: p.roles,
            accountable: p.accountable,
            leads: p.leads,
        })
        .collect();
    let first = here.first_page();
    let list = List {
        rows,
        total: found.total.and_then(|n| u64::try_from(n).ok()),
        previous: found.previous.map(|c| first.with("before", &c).href()),
        next: found.next.map(|c| first.with("cursor", &c).href()),
        teams: choices,
        may_write: may(&signed.actor, Action::PersonWrite),
        here,
    };
    Ok(Page::new(&app, &signed, "People").show(move || view! { <People list=list/> }))
}

async fn new(State(app): State<App>, signed: Signed) -> Answer {
    can(&signed.actor, Action::PersonWrite, Relation::None).map_err(Error::from)?;
    let values = PersonForm { roles: vec![Role::Member.key().to_owned()], ..PersonForm::default() };
    editor(&app, &signed, None, Refused::fresh(values), StatusCode::OK).await
}

/// The page of the form.
async fn editor(
    app: &App,
    signed: &Signed,
    person: Option<&people::Person>,
    form: Refused<PersonForm>,
    status: StatusCode,
) -> Answer {
    let mut sole = Vec::new();
    if let Some(p) = person {
        let mut reads = &app.db;
        sole = people::sole_holder_of(&mut reads, p).await?;
    }
    let editor = PersonEditor {
        person: person.map(|p| Named { id: p.id, name: p.name.clone(), active: p.active() }),
        form,
        may_grant: may(&signed.actor, Action::PersonGrant),
        suggested: suggested(app, signed).await?,
        sole,
    };
    let title = person.map_or_else(|| "Add a person".to_owned(), |p| format!("Edit {}", p.name));
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <EditPerson editor=editor/> }))
}

fn typed(fields: &Fields) -> PersonForm {
    let get = |name: &str| match fields.chosen() {
        Some((field, value)) if field == name => value.to_owned(),
        _ => fields.get(name).to_owned(),
    };
    PersonForm {
        name: get("name"),
        email: get("email"),
        title: get("title"),
        business_unit: get("business_unit"),
        manager: get("manager"),
        deputy: get("deputy"),
        roles: fields.all("roles").map(str::to_owned).collect(),
        reason: get("reason"),
        version: get("version"),
    }
}

/// What was typed, as the register takes it; what cannot be read is noted.
async fn given(
    app: &App,
    signed: &Signed,
    form: &PersonForm,
    errors: &mut FieldErrors,
) -> Result<(people::Fields, Option<Roles>), Fault> {
    let manager = who(&app.db, &form.manager, "manager", errors).await?;
    let deputy = who(&app.db, &form.deputy, "deputy", errors).await?;
    let roles = may(&signed.actor, Action::PersonGrant)
        .then(|| form.roles.iter().filter_map(|key| key.parse::<Role>().ok()).collect::<Roles>());
    let fields = people::Fields {
        name: form.name.clone(),
        email: form.email.clone(),
        title: form.title.clone(),
        business_unit: form.business_unit.clone(),
        manager,
        deputy,
    };
    Ok((fields, roles))
}

async fn create(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    can(&signed.actor, Action::PersonWrite, Relation::None).map_err(Error::from)?;
    let form = typed(&fields);
    if fields.chosen().is_some() {
        return editor(&app, &signed, None, Refused::fresh(form), StatusCode::OK).await;
    }
    let mut errors = FieldErrors::new();
    let (given, roles) = given(&app, &signed, &form, &mut errors).await?;
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if errors.is_empty() {
        match people::create(&app.db, signed.by(), &given, roles.unwrap_or_default()).await {
            Ok(person) => {
                let next = person.asked.as_deref().unwrap_or_default();
                let flash = Flash::good(format!("{} is recorded. {next}", person.name).trim_end());
                let flash = if may(&signed.actor, Action::PersonCredential) {
                    flash.and_link("Set a first password", format!("/people/{}#keeping", person.id))
                } else {
                    flash
                };
                return Ok(see_other_saying(&app, format!("/people/{}", person.id), &flash));
            }
            Err(error) => status = refuse(error, &mut errors)?,
        }
    }
    editor(&app, &signed, None, Refused { values: form, errors }, status).await
}

async fn found(app: &App, signed: &Signed, id: PersonId) -> Result<people::Person, Fault> {
    can(&signed.actor, Action::PersonRead, Relation::None).map_err(Error::from)?;
    let mut reads = &app.db;
    people::load(&mut reads, id).await?.ok_or_else(Fault::not_found)
}

async fn edit(State(app): State<App>, signed: Signed, Path(id): Path<PersonId>) -> Answer {
    let person = found(&app, &signed, id).await?;
    can(&signed.actor, Action::PersonWrite, Relation::None).map_err(Error::from)?;
    let around: Vec<PersonId> = [person.manager, person.deputy].into_iter().flatten().collect();
    let mut reads = &app.db;
    let around = all_named(people::named(&mut reads, &around).await?);
    let written = |id: Option<PersonId>| {
        id.and_then(|id| around.iter().find(|n| n.id == id)).map(Named::written).unwrap_or_default()
    };
    let values = PersonForm {
        name: person.name.clone(),
        email: person.email.clone(),
        title: person.title.clone(),
        business_unit: person.business_unit.clone(),
        manager: written(person.manager),
        deputy: written(person.deputy),
        roles: person.roles.iter().map(|r| r.key().to_owned()).collect(),
        reason: String::new(),
        version: person.version.to_string(),
    };
    editor(&app, &signed, Some(&person), Refused::fresh(values), StatusCode::OK).await
}

async fn save(State(app): State<App>, signed: Signed, Path(id): Path<PersonId>, fields: Fields) -> Answer {
    let person = found(&app, &signed, id).await?;
    can(&signed.actor, Action::PersonWrite, Relation::None).map_err(Error::from)?;
    let form = typed(&fields);
    if fields.chosen().is_some() {
        return editor(&app, &signed, Some(&person), Refused::fresh(form), StatusCode::OK).await;
    }
    let mut errors = FieldErrors::new();
    let (given, roles) = given(&app, &signed, &form, &mut errors).await?;
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if errors.is_empty() {
        match people::edit(&app.db, signed.by(), id, version(&form.version), &given, roles, &form.reason).await {
            Ok(saved) => {
                let text = match (saved.asked.as_deref(), saved.version == person.version) {
                    (Some(next), true) => next.to_owned(),
                    (Some(next), false) => format!("Saved. {next}"),
                    (None, true) => "Nothing was changed.".to_owned(),
                    (None, false) => "Saved.".to_owned(),
                };
                return Ok(see_other_saying(&app, format!("/people/{id}"), &Flash::good(text)));
            }
            Err(error) => status = refuse(error, &mut errors)?,
        }
    }
    editor(&app, &signed, Some(&person), Refused { values: form, errors }, status).await
}

/// What changes from one showing of a person's page to another.
#[derive(Default)]
struct Around {
    status: StatusCode,
    reason: Refused<Reason>,
    handover: Refused<HandoverForm>,
    fresh: Option<String>,
}

async fn show(State(app): State<App>, signed: Signed, Path(id): Path<PersonId>, here: Here) -> Answer {
    let mine = |s: &Secret| matches!(s, Secret::Password { person, .. } if *person == id);
    let fresh = match app.notes.take(&signed.session, mine, signed.now) {
        Some(Secret::Password { password, .. }) => Some(password),
        _ => None,
    };
    page(&app, &signed, id, here, Around { fresh, ..Around::default() }).await
}

/// A page of what a party holds, under the letter that the address asks for.
pub(super) async fn holdings(app: &App, signed: &Signed, party: Party, here: Here) -> Result<Holdings, Fault> {
    let Here(here) = here;
    // A form that is shown again stands at its own address: links lead to the page's.
    let here = here.pairs().iter().fold(app::components::Address::new(party.path()), |to, (k, v)| to.and(k, v));
    let does = here.get("as") == Some(RaciRole::Responsible.key());
    let role = if does { RaciRole::Responsible } else { RaciRole::Accountable };
    let other = if does { RaciRole::Accountable } else { RaciRole::Responsible };
    let cursor = here.get("cursor").or_else(|| here.get("before")).map(str::to_owned);
    let query = HoldingsQuery { role, cursor, limit: HELD };
    let held = people::holdings(&app.db, signed.by(), party, &query).await?;
    let rest = HoldingsQuery { role: other, cursor: None, limit: 1 };
    let rest = people::holdings(&app.db, signed.by(), party, &rest).await?.total;
    let count = |n: Option<i64>| n.and_then(|n| u64::try_from(n).ok());
    let (accountable, responsible) = if does { (rest, held.total) } else { (held.total, rest) };
    let first = here.first_page();
    let systems = systems::holdings(&app.db, signed.by(), party).await?;
    Ok(Holdings {
        systems: systems
            .into_iter()
            .filter(|h| h.role == role)
            .map(|h| OfSystem { system: h.system, name: h.name, duty: h.duty, since: h.since })
            .collect(),
        does,
        rows: held
            .items
            .into_iter()
            .map(|h| Held {
                agent: h.agent,
                name: h.name,
                duty: h.duty,
                since: h.since,
                state: h.state,
                environment: h.environment,
                tier: h.tier,
                runs: h.runs,
            })
            .collect(),
        accountable: count(accountable),
        responsible: count(responsible),
        previous: held.previous.map(|c| format!("{}#owns", first.with("before", &c).href())),
        next: held.next.map(|c| format!("{}#owns", first.with("cursor", &c).href())),
        here,
    })
}

fn impact_shown(impact: people::Impact) -> Impact {
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    Impact {
        orphans: impact
            .orphans
            .into_iter()
            .map(|o| Orphan { agent: o.agent, name: o.name, duty: o.duty, team: o.team, tier: o.tier, runs: o.runs })
            .collect(),
        total: count(impact.total),
        own: count(impact.own),
        systems: impact.systems.into_iter().map(|(team, h)| (h.system, h.name, h.duty, team.is_none())).collect(),
        unstoppable: count(impact.unstoppable),
        agents: impact.agents as u64,
        duties: impact.duties.into_iter().map(|(d, n)| (d, count(n))).collect(),
        teams: impact.teams.into_iter().map(|t| Led { id: t.id, name: t.name, next: all_named(t.next) }).collect(),
        next: all_named(impact.next),
        sole: impact.sole,
    }
}

pub(super) fn proposal(p: proposals::Proposal) -> Proposal {
    Proposal {
        until: p.until(),
        id: p.id,
        person: p.person,
        name: p.name,
        matter: p.matter,
        roles: p.roles,
        changes: p.changes,
        asked_by: (p.asked_by, p.asked_by_name),
        asked_at: p.asked_at,
        reason: p.reason,
        may_confirm: p.may_confirm,
        may_refuse: p.may_refuse,
    }
}

async fn page(app: &App, signed: &Signed, id: PersonId, here: Here, around: Around) -> Answer {
    let by = signed.by();
    let view = people::read(&app.db, by, id).await?;
    let holdings = holdings(app, signed, Party::Person(id), here).await?;
    let mut parties = vec![Party::Person(id)];
    parties.extend(view.teams.iter().filter(|t| t.part != Part::Member).map(|t| Party::Team(t.team)));
    let (offers, offer_count) = people::offers_to(&app.db, by, &parties, OFFERS).await?;
    let impact = impact_shown(people::impact(&app.db, by, id).await?);
    let away = people::away(&app.db, by, id).await?;
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let away = away
        .into_iter()
        .map(|a| Away { party: a.party, name: a.name, count: count(a.count), since: a.since })
        .collect();
    let may_offer = may(&signed.actor, Action::AssignmentOffer);
    let is_me = signed.id == id;
    // A security lead who confirmed a new password is shown it, and nothing else of sign-in.
    let sign_in = match (view.has_password, around.fresh) {
        (Some(has_password), fresh) => Some(SignIn { has_password, fresh, may_set: true }),
        (None, Some(fresh)) => Some(SignIn { has_password: true, fresh: Some(fresh), may_set: false }),
        (None, None) => None,
    };
    let people = if may_offer || is_me { suggested(app, signed).await? } else { Vec::new() };
    let person = view.person;
    let title = person.name.clone();
    let shown = Shown {
        id,
        name: person.name,
        email: person.email,
        title: person.title,
        business_unit: person.business_unit,
        left_at: person.left_at,
        roles: person.roles,
        version: person.version,
        created_at: person.created_at,
        updated_at: person.updated_at,
        above: all_named(view.above),
        deputy: view.deputy.map(named),
        reports: all_named(view.reports),
        report_count: u64::try_from(view.report_count).unwrap_or(0),
        stands_in_for: all_named(view.stands_in_for),
        teams: view
            .teams
            .into_iter()
            .map(|t| Membership {
                id: t.team,
                name: t.name,
                kind: t.kind,
                part: match t.part {
                    Part::Lead => "Lead",
                    Part::Deputy => "Deputy",
                    Part::Member => "Member",
                },
            })
            .collect(),
        holdings,
        offers: offers
            .into_iter()
            .map(|o| Offer {
                of: o.of,
                name: o.name,
                duty: o.duty,
                party: o.party,
                offered_at: o.offered_at,
                reason: o.reason,
            })
            .collect(),
        offer_count: offer_count.and_then(|n| u64::try_from(n).ok()),
        away,
        proposals: proposals::about(&app.db, by, id).await?.into_iter().map(proposal).collect(),
        delegations: delegations::of(&app.db, by, id).await?.map(super::delegation::of),
        impact,
        sign_in,
        is_me,
        may_write: may(&signed.actor, Action::PersonWrite),
        may_offer,
        may_audit: may(&signed.actor, Action::AuditRead),
        reason: around.reason,
        handover: around.handover,
        suggested: people,
        now: signed.now,
    };
    Ok(Page::new(app, signed, title).status(around.status).show(move || view! { <PersonPage shown=shown/> }))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Turning {
    reason: String,
    version: String,
}

async fn leave(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<PersonId>,
    here: Here,
    Form(typed): Form<Turning>,
) -> Answer {
    let done = people::leave(&app.db, signed.by(), id, Some(version(&typed.version)), &typed.reason).await;
    turned(&app, &signed, id, here, typed, done).await
}

async fn come_back(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<PersonId>,
    here: Here,
    Form(typed): Form<Turning>,
) -> Answer {
    let done = people::come_back(&app.db, signed.by(), id, Some(version(&typed.version)), &typed.reason).await;
    turned(&app, &signed, id, here, typed, done).await
}

/// The page again, saying what followed or what was refused.
async fn turned(
    app: &App,
    signed: &Signed,
    id: PersonId,
    here: Here,
    typed: Turning,
    done: Result<people::Departure, Error>,
) -> Answer {
    match done {
        Ok(people::Departure { person, agents }) => {
            let name = &person.name;
            let looked = match agents {
                0 => String::new(),
                1 => " 1 agent was assessed again.".to_owned(),
                n => format!(" {n} agents were assessed again."),
            };
            let flash = if person.active() {
                Flash::good(format!("{name} is active again.{looked}"))
            } else {
                let flash = Flash::good(format!("{name} is marked as left.{looked}"));
                if agents > 0 {
                    flash.and_link("See what has no owner now", format!("/people/{id}#impact"))
                } else {
                    flash
                }
            };
            Ok(see_other_saying(app, format!("/people/{id}"), &flash))
        }
        Err(error) => {
            let mut errors = FieldErrors::new();
            let status = refuse(error, &mut errors)?;
            let reason = Refused { values: Reason { reason: typed.reason }, errors };
            page(app, signed, id, here, Around { status, reason, ..Around::default() }).await
        }
    }
}

/// Letters and digits that nobody mistakes for another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// A password such as `k7qm-2xpd-9rtw-hhc4`, to be read aloud: 80 random bits.
fn one_time() -> String {
    let letters = register::random::bytes::<16>().map(|byte| char::from(ALPHABET[usize::from(byte % 32)]));
    let groups: Vec<String> = letters.chunks(4).map(|group| group.iter().collect()).collect();
    groups.join("-")
}

async fn set_password(State(app): State<App>, signed: Signed, Path(id): Path<PersonId>) -> Answer {
    let back = format!("/people/{id}");
    if id == signed.id {
        return Err(Fault::conflict(
            "Your own password is changed under Your account, where the present one is asked for.",
        )
        .back("/account"));
    }
    let password = one_time();
    match passwords::set(&app.db, signed.by(), id, &password).await {
        Ok(None) => {
            app.notes.keep(&signed.session, Secret::Password { person: id, password }, signed.now);
            Ok(see_other(back))
        }
        Ok(Some(next)) => Ok(see_other_saying(&app, back, &Flash::good(next))),
        Err(error) => Err(Fault::from(error).back(back)),
    }
}

/// Where the form posts is no page of its own.
async fn to_person(_: Signed, Path(id): Path<PersonId>) -> Response {
    see_other(format!("/people/{id}"))
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Deciding {
    reason: String,
}

async fn confirm(
    State(app): State<App>,
    signed: Signed,
    Path((id, proposal)): Path<(PersonId, i64)>,
    Form(typed): Form<Deciding>,
) -> Answer {
    let password = one_time();
    let done = proposals::confirm(&app.db, signed.by(), id, proposal, &password, &typed.reason).await;
    if matches!(done, Ok(Decided::PasswordSet)) {
        app.notes.keep(&signed.session, Secret::Password { person: id, password }, signed.now);
    }
    decided(&app, id, done)
}

async fn refuse_proposal(
    State(app): State<App>,
    signed: Signed,
    Path((id, proposal)): Path<(PersonId, i64)>,
    Form(typed): Form<Deciding>,
) -> Answer {
    decided(&app, id, proposals::refuse(&app.db, signed.by(), id, proposal, &typed.reason).await)
}

/// The page again, saying what was decided.
fn decided(app: &App, id: PersonId, done: Result<Decided, Error>) -> Answer {
    let back = format!("/people/{id}");
    match done {
        Ok(Decided::PasswordSet) => Ok(see_other(back)),
        Ok(Decided::Granted(roles)) => {
            let words: Vec<&str> = roles.iter().map(Role::label).collect();
            Ok(see_other_saying(app, back, &Flash::good(format!("Confirmed: they are {} now.", words.join(", ")))))
        }
        Ok(Decided::PolicyInForce(version)) => {
            let flash = Flash::good(format!("Confirmed: version {version} of the policy is in force."));
            Ok(see_other_saying(app, "/policy", &flash))
        }
        Ok(Decided::Refused) => Ok(see_other_saying(app, back, &Flash::good("It is not done; nothing changed."))),
        Err(error) => Err(Fault::from(error).back(back)),
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct HandingOver {
    choose: String,
    to: String,
    take_back: String,
    handover_reason: String,
}

async fn hand_over(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<PersonId>,
    here: Here,
    Form(typed): Form<HandingOver>,
) -> Answer {
    if signed.id != id {
        can(&signed.actor, Action::AssignmentOffer, Relation::None).map_err(Error::from)?;
    }
    if let Some((_, to)) = chosen(&typed.choose) {
        let take_back = !typed.take_back.is_empty();
        let values = HandoverForm { to: to.to_owned(), reason: typed.handover_reason, take_back };
        let handover = Refused::fresh(values);
        return page(&app, &signed, id, here, Around { handover, ..Around::default() }).await;
    }
    let take_back = !typed.take_back.is_empty();
    let mut errors = FieldErrors::new();
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if let Some((to, name)) = named_in(&app.db, &typed.to, "to", Among::Parties, &mut errors).await? {
        match people::hand_over(&app.db, signed.by(), id, to, take_back, &typed.handover_reason).await {
            Ok(done) => {
                let mut words = match done.offered {
                    1 => format!("1 duty is offered to {name}."),
                    n => format!("{n} duties are offered to {name}."),
                };
                words.push_str(" Each changes hands when it is accepted.");
                for back in &done.taken_back {
                    let what = if back.count == 1 { "1 offer".to_owned() } else { format!("{} offers", back.count) };
                    words.push_str(&format!(" {what} to {} taken back.", back.name));
                }
                if let Some((_, why)) = done.skipped.first() {
                    let count = done.skipped.len();
                    words = format!("{words} {count} were left as they were: {why}");
                }
                if done.more {
                    words.push_str(" There is more: do it again when these are answered.");
                }
                return Ok(see_other_saying(&app, format!("/people/{id}"), &Flash::good(words)));
            }
            Err(Error::Invalid(wrong)) => {
                for w in wrong {
                    let field = if w.pointer == "/reason" { "handover_reason" } else { "to" };
                    errors.add(field, w.message);
                }
            }
            Err(error) => status = refuse(error, &mut errors)?,
        }
    }
    let handover = Refused { values: HandoverForm { to: typed.to, reason: typed.handover_reason, take_back }, errors };
    page(&app, &signed, id, here, Around { status, handover, ..Around::default() }).await
}
