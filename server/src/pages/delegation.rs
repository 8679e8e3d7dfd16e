//! `/account/delegation`: who decides in one's place.

use app::components::{FieldErrors, Flash, Refused};
use app::delegations::{Delegation, DelegationForm, DelegationPage, Of, Shown};
use axum::extract::State;
use axum::http::StatusCode;
use domain::can::{Action, Relation, can};
use leptos::prelude::*;
use register::{Error, delegations};

use super::oncall::when;
use super::people::{refuse, suggested, who};
use crate::App;
use crate::page::{Answer, Fields, Page, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

const HERE: &str = "/account/delegation";

pub(super) fn routes() -> Routes {
    Routes::page().get(HERE, show).post(HERE, change)
}

/// As the pages show them.
pub(super) fn of(found: delegations::Of) -> Of {
    let one = |d: delegations::Delegation, given: bool| Delegation {
        id: d.id,
        other: if given { (d.to, d.to_name) } else { (d.from, d.from_name) },
        from: d.from_at,
        until: d.until_at,
        reason: d.reason,
    };
    Of {
        given: found.given.into_iter().map(|d| one(d, true)).collect(),
        received: found.received.into_iter().map(|d| one(d, false)).collect(),
    }
}

async fn show(State(app): State<App>, signed: Signed) -> Answer {
    page(&app, &signed, Refused::default(), StatusCode::OK).await
}

async fn page(app: &App, signed: &Signed, form: Refused<DelegationForm>, status: StatusCode) -> Answer {
    let found = delegations::of(&app.db, signed.by(), signed.id).await?.unwrap_or_default();
    let may_write = can(&signed.actor, Action::DelegationWrite, Relation::Owner).is_ok();
    let mut people = if may_write { suggested(app, signed).await? } else { Vec::new() };
    people.retain(|p| p.id != signed.id && p.active);
    let shown = Shown { of: of(found), may_write, form, suggested: people, now: signed.now };
    Ok(Page::new(app, signed, "Delegation").status(status).show(move || view! { <DelegationPage shown=shown/> }))
}

async fn change(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    can(&signed.actor, Action::DelegationWrite, Relation::Owner).map_err(Error::from)?;
    let by = signed.by();
    let mut form = DelegationForm {
        to: fields.get("to").to_owned(),
        from: fields.get("from").to_owned(),
        until: fields.get("until").to_owned(),
        reason: fields.get("reason").to_owned(),
    };
    if let Some((_, chosen)) = fields.chosen() {
        chosen.clone_into(&mut form.to);
        return page(&app, &signed, Refused::fresh(form), StatusCode::OK).await;
    }
    let mut errors = FieldErrors::new();
    let done = match fields.get("do") {
        "end" => {
            let id = fields.get("delegation").parse().unwrap_or(0);
            delegations::end(&app.db, by, id, fields.get("reason")).await.map(|d| {
                if d.from == signed.id {
                    format!("{} does not decide in your place any more.", d.to_name)
                } else {
                    format!("You do not decide in the place of {} any more.", d.from_name)
                }
            })
        }
        "give" => {
            if form.to.trim().is_empty() {
                errors.add("to", "Name who is to decide.");
            }
            let to = who(&app.db, &form.to, "to", &mut errors).await?;
            let from = when(&form.from, "from", &mut errors).unwrap_or(by.now);
            let until = when(&form.until, "until", &mut errors);
            if form.until.trim().is_empty() {
                errors.add("until", "Enter until when, in UTC.");
            }
            let (Some(to), Some(until), true) = (to, until, errors.is_empty()) else {
                return page(&app, &signed, Refused { values: form, errors }, StatusCode::UNPROCESSABLE_ENTITY).await;
            };
            delegations::create(&app.db, by, to, from, until, &form.reason)
                .await
                .map(|_| "Recorded. You stay accountable for what is decided.".to_owned())
        }
        _ => Err(Error::Conflict("That button is not on this page any more.".into())),
    };
    match done {
        Ok(said) => Ok(see_other_saying(&app, HERE, &Flash::good(said))),
        Err(error) => {
            let status = refuse(error, &mut errors)?;
            page(&app, &signed, Refused { values: form, errors }, status).await
        }
    }
}
