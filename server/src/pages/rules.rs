//! `/rules`: standing rules, one of them, its form.

use app::components::{Address, Choice, FieldErrors, Flash, Refused};
use app::rules::{EditRule, Editor, Foreseen, List, Made, Rule, RuleForm, RulePage, RulesPage, Shown};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::RuleId;
use domain::party::Party;
use domain::rule::{AtImport, Condition, RuleState};
use leptos::prelude::*;
use register::agents::known;
use register::people::Among;
use register::rules::{self, Fields as Given};
use register::{By, Error, agents, paging, systems, teams};

use super::assignments::suggested;
use super::people::{may, named_in, refuse};
use crate::App;
use crate::page::{Answer, Fault, Fields, Here, Page, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// Offers of a rule that its page lists.
const MADE: i64 = 50;
/// Business units that the form suggests.
const SUGGESTED: i64 = 200;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/rules", list)
        .post("/rules", run_all)
        .get("/rules/new", new)
        .post("/rules/new", create)
        .get("/rules/{id}", show)
        .post("/rules/{id}", act)
        .get("/rules/{id}/edit", edit)
        .post("/rules/{id}/edit", save)
}

/// The rules in words: names of the teams and systems that their conditions name.
async fn worded(app: &App, by: By<'_>, list: Vec<rules::Rule>) -> Result<Vec<Rule>, Error> {
    let references: Vec<String> = list
        .iter()
        .flat_map(|r| {
            let c = &r.condition;
            [c.operated_by.map(|t| t.to_string()), c.system.map(|s| s.to_string())]
        })
        .flatten()
        .collect();
    let asked: Vec<&str> = references.iter().map(String::as_str).collect();
    let names = if asked.is_empty() { Vec::new() } else { known::named(&app.db, by, &asked).await? };
    let called = |reference: &str| {
        names.iter().find(|(r, _)| r == reference).map_or_else(|| reference.to_owned(), |(_, name)| name.clone())
    };
    Ok(list
        .into_iter()
        .map(|r| Rule {
            id: r.id,
            name: r.name,
            about: r.condition.sentence(called),
            duty: r.duty,
            party: r.party,
            party_name: r.party_name,
            standing: r.standing,
            at_import: r.at_import.label(),
            state: r.state,
        })
        .collect())
}

async fn list(State(app): State<App>, signed: Signed) -> Answer {
    let found = rules::list(&app.db, signed.by()).await?;
    let list =
        List { rules: worded(&app, signed.by(), found).await?, may_write: may(&signed.actor, Action::RuleWrite) };
    Ok(Page::new(&app, &signed, "Standing rules").show(move || view! { <RulesPage list=list/> }))
}

fn told(ran: &rules::Ran) -> Flash {
    let broken = ran.rules.iter().filter(|r| r.broken).count();
    let mut sentence = match ran.asked() {
        0 => "Nobody was asked: nothing that the rules are about is empty.".to_owned(),
        1 => "1 duty is offered.".to_owned(),
        n => format!("{n} duties are offered."),
    };
    if broken > 0 {
        sentence.push_str(" A rule asks nobody: whoever it names is gone.");
    }
    if ran.rules.iter().any(|r| r.asked.len() >= rules::MOST) {
        sentence.push_str(" There are more: run it again.");
    }
    if ran.asked() == 0 && broken > 0 { Flash::bad(sentence) } else { Flash::good(sentence) }
}

async fn run_all(State(app): State<App>, signed: Signed) -> Answer {
    let ran = rules::run(&app.db, signed.by(), None).await?;
    Ok(see_other_saying(&app, "/rules", &told(&ran)))
}

/// The filters of the inventory that say what a condition says, for as far as they can.
fn inventory(condition: &Condition, duty: Duty) -> Option<String> {
    if condition.kind.is_some()
        || condition.hosting.is_some()
        || condition.source.is_some()
        || condition.label.is_some()
    {
        return None;
    }
    let mut here = Address::new("/agents").with("vacant", duty.key());
    let said = [
        ("business_unit", condition.business_unit.clone()),
        ("environment", condition.environment.map(|v| v.key().to_owned())),
        ("tier", condition.tier.map(|v| v.key().to_owned())),
        ("vendor", condition.vendor.clone()),
        ("operated_by", condition.operated_by.map(|v| v.to_string())),
        ("system", condition.system.map(|v| v.to_string())),
        ("runs", condition.runs.map(|v| if v { "yes" } else { "no" }.to_owned())),
    ];
    for (key, value) in said {
        if let Some(value) = value {
            here = here.with(key, &value);
        }
    }
    Some(here.href())
}

fn seen(found: rules::Foreseen, condition: &Condition, duty: Duty) -> Foreseen {
    Foreseen {
        count: found.count as u64,
        more: found.more,
        first: found.first,
        left: found.left.into_iter().map(|(bar, n)| (bar.to_string(), n as u64)).collect(),
        inventory: inventory(condition, duty),
    }
}

async fn show(State(app): State<App>, signed: Signed, Path(id): Path<RuleId>, Here(here): Here) -> Answer {
    let preview = here.get("preview").is_some();
    page(&app, &signed, id, preview, FieldErrors::new(), StatusCode::OK).await
}

async fn page(
    app: &App,
    signed: &Signed,
    id: RuleId,
    preview: bool,
    errors: FieldErrors,
    status: StatusCode,
) -> Answer {
    let by = signed.by();
    let rule = rules::read(&app.db, by, id).await?;
    let foreseen = if preview {
        Some(seen(rules::foresee_rule(&app.db, by, id).await?, &rule.condition, rule.duty))
    } else {
        None
    };
    let made = rules::made(&app.db, by, id, MADE).await?;
    let mut reads = &app.db;
    let made_by = match rule.made_by.parse::<Party>() {
        Ok(party) => agents::assess::party_names(&mut reads, [party])
            .await
            .map_err(Error::from)?
            .remove(&party)
            .unwrap_or_else(|| rule.made_by.clone()),
        Err(_) if rule.made_by == "cli" => "the command line".to_owned(),
        Err(_) => rule.made_by.clone(),
    };
    let created_at = rule.created_at;
    let Some(rule) = worded(app, by, vec![rule]).await?.pop() else { return Err(Fault::not_found()) };
    let title = rule.name.clone();
    let shown = Shown {
        rule,
        made_by,
        created_at,
        foreseen,
        made: made
            .into_iter()
            .map(|m| Made {
                agent: m.agent,
                name: m.name,
                at: m.at,
                outcome: match (m.ended.as_str(), m.accepted) {
                    ("", true) => "Accepted",
                    ("", false) => "Waits for an answer",
                    ("declined", _) => "Declined",
                    ("withdrawn", _) => "Taken back",
                    (_, true) => "Accepted, and over",
                    (_, false) => "Somebody else was asked",
                },
            })
            .collect(),
        may_write: may(&signed.actor, Action::RuleWrite),
        may_audit: may(&signed.actor, Action::AuditRead),
        errors,
        now: by.now,
    };
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <RulePage shown=shown/> }))
}

async fn act(State(app): State<App>, signed: Signed, Path(id): Path<RuleId>, fields: Fields) -> Answer {
    let by = signed.by();
    rules::read(&app.db, by, id).await?;
    can(&signed.actor, Action::RuleWrite, Relation::None).map_err(Error::from)?;
    let reason = fields.get("reason");
    let state = |state| rules::set_state(&app.db, by, id, None, state, reason);
    let here = format!("/rules/{id}");
    let done = match fields.get("do") {
        "run" => rules::run(&app.db, by, Some(id)).await.map(|ran| (told(&ran), here)),
        "pause" => state(RuleState::Paused).await.map(|r| (Flash::good(format!("{} is paused.", r.id)), here)),
        "resume" => state(RuleState::Active).await.map(|r| (Flash::good(format!("{} is active.", r.id)), here)),
        "remove" => state(RuleState::Removed)
            .await
            .map(|r| (Flash::good(format!("{} is removed: {}.", r.id, r.name)), "/rules".to_owned())),
        "earlier" | "later" => rules::shift(&app.db, by, id, fields.get("do") == "earlier")
            .await
            .map(|()| (Flash::good("The order is changed."), "/rules".to_owned())),
        _ => Err(Error::Conflict("Press one of the buttons.".into())),
    };
    match done {
        Ok((flash, to)) => Ok(see_other_saying(&app, to, &flash)),
        Err(error) => {
            let mut errors = FieldErrors::new();
            let status = refuse(error, &mut errors)?;
            page(&app, &signed, id, false, errors, status).await
        }
    }
}

async fn editor(
    app: &App,
    signed: &Signed,
    rule: Option<(RuleId, String)>,
    form: Refused<RuleForm>,
    preview: Option<(Foreseen, Duty, String)>,
    status: StatusCode,
) -> Answer {
    let by = signed.by();
    let teams = teams::directory(&app.db, by, 1_000).await?;
    let query = systems::Query { limit: paging::MAX_LIMIT, ..systems::Query::default() };
    let systems = systems::list(&app.db, by, &query).await?.items;
    let known = known::known(&app.db, by, SUGGESTED).await?;
    let title = rule.as_ref().map_or_else(|| "Make a rule".to_owned(), |(_, name)| format!("Edit {name}"));
    let editor = Editor {
        rule,
        form,
        suggested: suggested(&app.db, signed).await?,
        units: known.units,
        teams: teams.into_iter().map(|(id, name, _)| Choice::new(id.to_string(), name)).collect(),
        systems: systems.into_iter().map(|s| Choice::new(s.id.to_string(), s.name)).collect(),
        preview,
    };
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <EditRule editor=editor/> }))
}

async fn new(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    can(&signed.actor, Action::RuleWrite, Relation::None).map_err(Error::from)?;
    let form = RuleForm::read(|name| here.get(name).unwrap_or_default());
    editor(&app, &signed, None, Refused::fresh(form), None, StatusCode::OK).await
}

/// A word that may be left out.
fn word<T: std::str::FromStr<Err: std::fmt::Display>>(
    typed: &str,
    field: &'static str,
    errors: &mut FieldErrors,
) -> Option<T> {
    if typed.is_empty() {
        return None;
    }
    typed.parse().map_err(|e: T::Err| errors.add(field, e.to_string())).ok()
}

/// What was typed, as the register takes it; what cannot be read is noted.
async fn given(app: &App, form: &RuleForm, errors: &mut FieldErrors) -> Result<Option<(Given, String)>, Fault> {
    let some = |typed: &str| (!typed.trim().is_empty()).then(|| typed.to_owned());
    let condition = Condition {
        business_unit: some(&form.business_unit),
        environment: word(&form.environment, "environment", errors),
        tier: word(&form.tier, "tier", errors),
        kind: word(&form.kind, "kind", errors),
        hosting: word(&form.hosting, "hosting", errors),
        vendor: some(&form.vendor),
        operated_by: word(&form.operated_by, "operated_by", errors),
        system: word(&form.system, "system", errors),
        source: some(&form.source),
        label: some(&form.label),
        runs: match form.runs.as_str() {
            "" => None,
            "yes" => Some(true),
            "no" => Some(false),
            _ => {
                errors.add("runs", "Choose one of: runs, does not run.");
                None
            }
        },
    };
    let duty: Option<Duty> = form.duty.parse().ok();
    if duty.is_none() {
        errors.add("duty", "Choose a duty.");
    }
    if form.name.trim().is_empty() {
        errors.add("name", "Enter a name.");
    }
    let at_import: Option<AtImport> =
        if form.at_import.is_empty() { Some(AtImport::Offer) } else { word(&form.at_import, "at_import", errors) };
    let party = named_in(&app.db, &form.party, "party", Among::Parties, errors).await?;
    Ok(match (duty, party, at_import) {
        (Some(duty), Some((party, name)), Some(at_import)) if errors.is_empty() => {
            Some((Given { name: form.name.clone(), condition, duty, party, at_import }, name))
        }
        _ => None,
    })
}

/// What the register refused, by the field of this form.
fn by_field(error: Error, errors: &mut FieldErrors) -> Result<StatusCode, Fault> {
    let mut found = FieldErrors::new();
    let status = refuse(error, &mut found)?;
    for (at, message) in found.iter() {
        errors.add(at.strip_prefix("condition/").unwrap_or(at).to_owned(), message);
    }
    Ok(status)
}

/// Preview, then keep.
async fn written(app: &App, signed: &Signed, rule: Option<(RuleId, String)>, fields: &Fields) -> Answer {
    let mut form = RuleForm::read(|name| fields.get(name));
    if let Some((_, chosen)) = fields.chosen() {
        chosen.clone_into(&mut form.party);
        return editor(app, signed, rule, Refused::fresh(form), None, StatusCode::OK).await;
    }
    let pressed = fields.get("do");
    if !matches!(pressed, "preview" | "keep") {
        return editor(app, signed, rule, Refused::fresh(form), None, StatusCode::OK).await;
    }
    let by = signed.by();
    let mut errors = FieldErrors::new();
    let refused = StatusCode::UNPROCESSABLE_ENTITY;
    let Some((given, name)) = given(app, &form, &mut errors).await? else {
        return editor(app, signed, rule, Refused { values: form, errors }, None, refused).await;
    };
    if pressed == "keep" {
        let version = form.version.parse().ok();
        let kept = match &rule {
            None => rules::create(&app.db, by, &given, &form.reason).await,
            Some((id, _)) => rules::edit(&app.db, by, *id, version, &given, &form.reason).await,
        };
        return match kept {
            Ok(kept) => {
                let flash = Flash::good(format!("{} is kept: {}.", kept.id, kept.name));
                Ok(see_other_saying(app, format!("/rules/{}?preview=yes", kept.id), &flash))
            }
            Err(error) => {
                let status = by_field(error, &mut errors)?;
                editor(app, signed, rule, Refused { values: form, errors }, None, status).await
            }
        };
    }
    match rules::foresee(&app.db, by, &given).await {
        Ok(found) => {
            // From here on whoever was meant is named by reference: what one keeps is what one saw.
            form.party = format!("{name} ({})", given.party);
            let preview = Some((seen(found, &given.condition, given.duty), given.duty, name));
            editor(app, signed, rule, Refused::fresh(form), preview, StatusCode::OK).await
        }
        Err(error) => {
            let status = by_field(error, &mut errors)?;
            editor(app, signed, rule, Refused { values: form, errors }, None, status).await
        }
    }
}

async fn create(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    can(&signed.actor, Action::RuleWrite, Relation::None).map_err(Error::from)?;
    written(&app, &signed, None, &fields).await
}

/// The rule, for somebody who may change it.
async fn editable(app: &App, signed: &Signed, id: RuleId) -> Result<rules::Rule, Fault> {
    let rule = rules::read(&app.db, signed.by(), id).await?;
    can(&signed.actor, Action::RuleWrite, Relation::None).map_err(Error::from)?;
    if rule.state == RuleState::Removed {
        return Err(Fault::conflict(format!("{id} was removed; make a new rule.")).back("/rules"));
    }
    Ok(rule)
}

async fn edit(State(app): State<App>, signed: Signed, Path(id): Path<RuleId>) -> Answer {
    let rule = editable(&app, &signed, id).await?;
    let c = rule.condition;
    let key = |word: Option<&'static str>| word.unwrap_or_default().to_owned();
    let form = RuleForm {
        name: rule.name.clone(),
        business_unit: c.business_unit.unwrap_or_default(),
        environment: key(c.environment.map(domain::agent::Environment::key)),
        tier: key(c.tier.map(domain::tier::Tier::key)),
        kind: key(c.kind.map(domain::agent::AgentKind::key)),
        hosting: key(c.hosting.map(domain::agent::Hosting::key)),
        vendor: c.vendor.unwrap_or_default(),
        operated_by: c.operated_by.map_or_else(String::new, |t| t.to_string()),
        system: c.system.map_or_else(String::new, |s| s.to_string()),
        source: c.source.unwrap_or_default(),
        label: c.label.unwrap_or_default(),
        runs: key(c.runs.map(|runs| if runs { "yes" } else { "no" })),
        duty: rule.duty.key().to_owned(),
        party: format!("{} ({})", rule.party_name, rule.party),
        at_import: rule.at_import.key().to_owned(),
        reason: String::new(),
        version: rule.version.to_string(),
    };
    editor(&app, &signed, Some((id, rule.name)), Refused::fresh(form), None, StatusCode::OK).await
}

async fn save(State(app): State<App>, signed: Signed, Path(id): Path<RuleId>, fields: Fields) -> Answer {
    let rule = editable(&app, &signed, id).await?;
    written(&app, &signed, Some((id, rule.name)), &fields).await
}
