//! `/policy`: the policy, its versions, its form, and what waits for a second person.

use std::collections::BTreeMap;

use app::components::{FieldErrors, Flash, Refused};
use app::policy::{EditPolicy, Editor, Named, PolicyForm, PolicyPage, Preview, Shown, Version, edit};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::can::{Action, Relation, can};
use domain::canonical;
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::policy::{Approver, ByTier, Policy, When};
use domain::tier::Tier;
use leptos::prelude::*;
use register::policies::{self, Versioned, Written};
use register::proposals::{self, Decided};
use register::{Error, audit};
use serde::Deserialize;

use super::people::{may, refuse};
use crate::App;
use crate::page::{Answer, Fault, Fields, Form, Here, Page, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// Versions shown at a time.
const VERSIONS: i64 = 20;
/// Most days that any field takes; the register says the limit of each.
const DAYS: u16 = 9_999;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/policy", show)
        .get("/policy/edit", edit)
        .post("/policy/edit", save)
        .post("/policy/proposals/{proposal}/confirm", confirm)
        .post("/policy/proposals/{proposal}/refuse", refuse_proposal)
}

/// A number in the address, if one is there.
fn number(here: &Here, key: &str) -> Result<Option<i64>, Fault> {
    let Some(text) = here.get(key) else { return Ok(None) };
    match text.parse::<i64>() {
        Ok(n) if n >= 0 => Ok(Some(n)),
        _ => Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, format!("“{text}” is no number of a version."))
            .back("/policy")),
    }
}

fn version(v: Versioned, changes: Vec<String>, weaker: bool, names: &BTreeMap<String, String>) -> Version {
    let named = |reference: String| -> Named {
        let name = names.get(&reference).cloned().unwrap_or_else(|| reference.clone());
        (reference, name)
    };
    Version {
        number: v.version,
        at: v.at,
        made_by: named(v.made_by),
        confirmed_by: v.confirmed_by.map(named),
        reason: v.reason,
        changes,
        weaker,
    }
}

async fn show(State(app): State<App>, signed: Signed, here: Here) -> Answer {
    let by = signed.by();
    let present = policies::read(&app.db, by).await?;
    let shown = match number(&here, "version")? {
        Some(n) if n != present.version => policies::read_version(&app.db, by, n).await?,
        _ => present.clone(),
    };
    let past = policies::past(&app.db, by, number(&here, "before")?, VERSIONS).await?;
    let earlier =
        past.last().filter(|p| p.version.version > 0).map(|p| format!("/policy?before={}#versions", p.version.version));
    let people: Vec<String> = past
        .iter()
        .map(|p| &p.version)
        .chain([&shown])
        .flat_map(|v| [Some(v.made_by.clone()), v.confirmed_by.clone()])
        .flatten()
        .collect();
    let proposal = proposals::about_policy(&app.db, by).await?;
    let names = audit::names(&app.db, by, people.iter().map(String::as_str)).await?;
    let policy = shown.policy.clone();
    let title = if shown.version == present.version {
        "Policy".to_owned()
    } else {
        format!("Policy, version {}", shown.version)
    };
    let shown = Shown {
        version: version(shown, Vec::new(), false, &names),
        policy,
        present: present.version,
        holding: policies::holding(&app.db, by).await?,
        proposed: match &proposal {
            Some(p) => policies::proposed(&app.db, by, p).await?,
            None => None,
        },
        proposals: proposal.into_iter().map(super::people::proposal).collect(),
        past: past.into_iter().map(|p| version(p.version, p.changes, !p.weaker.is_empty(), &names)).collect(),
        earlier,
        may_write: may(&signed.actor, Action::PolicyWrite),
        may_audit: may(&signed.actor, Action::AuditRead),
        now: by.now,
    };
    Ok(Page::new(&app, &signed, title).show(move || view! { <PolicyPage shown=shown/> }))
}

fn edited(app: &App, signed: &Signed, status: StatusCode, editor: Editor) -> Answer {
    Ok(Page::new(app, signed, "Change the policy").status(status).show(move || view! { <EditPolicy editor=editor/> }))
}

async fn edit(State(app): State<App>, signed: Signed) -> Answer {
    can(&signed.actor, Action::PolicyWrite, Relation::None).map_err(Error::from)?;
    let present = policies::read(&app.db, signed.by()).await?;
    let form = Refused::fresh(PolicyForm::of(&present.policy, present.version));
    edited(&app, &signed, StatusCode::OK, Editor { form, preview: None, notice: None })
}

/// The days that a field holds.
fn days(form: &PolicyForm, field: &str, named: &'static str, errors: &mut FieldErrors) -> u16 {
    let typed = form.get(field).trim();
    match typed.parse::<u16>() {
        Ok(n) if n <= DAYS => n,
        _ => {
            if errors.of(named).is_none() {
                errors.add(named, format!("“{typed}” is no number: enter a whole number."));
            }
            0
        }
    }
}

/// What was typed, as a policy; what cannot be read is noted.
fn typed(form: &PolicyForm, errors: &mut FieldErrors) -> Policy {
    let mut approvers = Vec::new();
    for duty in Duty::ALL.iter().copied() {
        let field = edit::when_field(duty);
        match form.get(&field).parse::<When>() {
            Ok(when) => {
                let last = form.get(&edit::last_field(duty)) == "yes";
                approvers.push(Approver { duty, when, last });
            }
            Err(_) => errors.add(field, format!("Choose when the {} approves.", duty.owner_title().to_lowercase())),
        }
    }
    let mut table = |key: &'static str| {
        let mut of = |tier| days(form, &edit::days_field(key, tier), key, errors);
        ByTier { low: of(Tier::Low), moderate: of(Tier::Moderate), high: of(Tier::High), critical: of(Tier::Critical) }
    };
    let (step_days, approval_days) = (table("step_days"), table("approval_days"));
    let (review_days, exception_days) = (table("review_days"), table("exception_days"));
    Policy {
        approvers,
        step_days,
        approval_days,
        review_days,
        exception_days,
        exception_renewals: days(form, "exception_renewals", "exception_renewals", errors),
        never_excepted: FindingKey::ALL
            .iter()
            .copied()
            .filter(|key| form.get(&edit::never_field(*key)) == "yes")
            .collect(),
        escalate_days: days(form, "escalate_days", "escalate_days", errors),
        lapse_days: days(form, "lapse_days", "lapse_days", errors),
    }
    .normal()
}

/// What tells whether the policy that is kept is the one that was seen.
fn digest(policy: &Policy) -> String {
    serde_json::to_value(policy).map_or_else(|_| String::new(), |v| canonical::sha256_hex(&v))
}

/// Sees what it does, then keeps it.
async fn save(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    can(&signed.actor, Action::PolicyWrite, Relation::None).map_err(Error::from)?;
    let by = signed.by();
    let mut form = PolicyForm::read(fields.pairs());
    let mut errors = FieldErrors::new();
    let policy = typed(&form, &mut errors);
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    let mut notice = None;
    let seen = form.get("seen") == digest(&policy);
    if errors.is_empty() && fields.get("do") == "save" && seen {
        let expected = form.get("version").parse().ok();
        let expected = expected.ok_or_else(|| Fault::malformed("the form names no version"))?;
        match policies::write(&app.db, by, Some(expected), &policy, form.get("reason")).await {
            Ok(Written::InForce(version)) => {
                let flash = Flash::good(format!("Version {version} of the policy is in force."));
                return Ok(see_other_saying(&app, "/policy", &flash));
            }
            Ok(Written::Asked(next)) => return Ok(see_other_saying(&app, "/policy", &Flash::good(next))),
            Err(Error::Stale(version)) => {
                status = StatusCode::CONFLICT;
                notice = Some(format!(
                    "Somebody changed the policy while you did: version {version} is in force. What you typed is kept. \
                     Below is what it would change of version {version}, what they wrote included; look again before \
                     you save it."
                ));
            }
            Err(error) => status = refuse(error, &mut errors)?,
        }
    } else if errors.is_empty() {
        status = StatusCode::OK;
        if fields.get("do") == "save" {
            notice = Some("You changed something since you saw what it does. Look again, then save it.".to_owned());
        }
    }
    // Whatever is shown next, the effect is of what is in the form now.
    let mut preview = None;
    if errors.iter().all(|(field, _)| field == "reason" || field.is_empty()) {
        match policies::preview(&app.db, by, &policy).await {
            Ok(p) => {
                let read: Option<i64> = form.get("version").parse().ok();
                if notice.is_none() && read != Some(p.against) {
                    notice = Some(format!(
                        "Version {} of the policy came into force while you typed. What follows is what yours would \
                         change of it.",
                        p.against
                    ));
                }
                form.set("version", p.against.to_string());
                form.set("seen", digest(&policy));
                preview = Some(Preview {
                    changes: p.changes,
                    weaker: p.weaker,
                    second_person: p.second_person,
                    effect: p.effect,
                    behind: p.behind,
                });
            }
            Err(error) => status = refuse(error, &mut errors)?,
        }
    }
    edited(&app, &signed, status, Editor { form: Refused { values: form, errors }, preview, notice })
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Deciding {
    reason: String,
}

async fn confirm(
    State(app): State<App>,
    signed: Signed,
    Path(proposal): Path<i64>,
    Form(typed): Form<Deciding>,
) -> Answer {
    decided(&app, proposals::confirm_policy(&app.db, signed.by(), proposal, &typed.reason).await)
}

async fn refuse_proposal(
    State(app): State<App>,
    signed: Signed,
    Path(proposal): Path<i64>,
    Form(typed): Form<Deciding>,
) -> Answer {
    decided(&app, proposals::refuse_policy(&app.db, signed.by(), proposal, &typed.reason).await)
}

/// The page again, saying what was decided.
fn decided(app: &App, done: Result<Decided, Error>) -> Answer {
    match done {
        Ok(Decided::PolicyInForce(version)) => {
            let flash = Flash::good(format!("Confirmed: version {version} of the policy is in force."));
            Ok(see_other_saying(app, "/policy", &flash))
        }
        Ok(_) => Ok(see_other_saying(app, "/policy", &Flash::good("It is not done; the policy stays as it is."))),
        Err(error) => Err(Fault::from(error).back("/policy")),
    }
}
