//! `/still-yours`: what an owner is to say again.

use app::components::{FieldErrors, Flash, Refused};
use app::yours::{Due, Mover, StillYours, Yours};
use axum::extract::State;
use axum::http::StatusCode;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::AgentId;
use domain::party::Party;
use leptos::prelude::*;
use register::Error;
use register::assignments::confirm;
use register::paging::DEFAULT_LIMIT;

use super::people::refuse;
use crate::App;
use crate::page::{Answer, Fields, Here, Page, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

pub(super) fn routes() -> Routes {
    Routes::page().get("/still-yours", show).post("/still-yours", answer)
}

async fn show(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    page(&app, &signed, Here(here), Refused::default(), StatusCode::OK).await
}

async fn page(
    app: &App,
    signed: &Signed,
    Here(here): Here,
    refused: Refused<Vec<String>>,
    status: StatusCode,
) -> Answer {
    let cursor = here.get("cursor").or_else(|| here.get("before"));
    let found = confirm::due(&app.db, signed.by(), cursor, DEFAULT_LIMIT).await?;
    let first = here.first_page();
    let rows = found
        .items
        .into_iter()
        .map(|d| Due {
            agent: d.agent,
            name: d.name,
            tier: d.tier,
            duty: d.duty,
            team: matches!(d.party, Party::Team(_)).then_some((d.party, d.party_name)),
            said_at: d.said_at,
            due_at: d.due_at,
            moved: d.moved.map(|m| if m.person == signed.id { Mover::Reader } else { Mover::Lead(m.name) }),
        })
        .collect();
    let yours = Yours {
        rows,
        total: found.total.and_then(|n| u64::try_from(n).ok()),
        previous: found.previous.map(|c| first.with("before", &c).href()),
        next: found.next.map(|c| first.with("cursor", &c).href()),
        refused,
    };
    Ok(Page::new(app, signed, "Still yours?").status(status).show(move || view! { <StillYours yours=yours/> }))
}

async fn answer(State(app): State<App>, signed: Signed, here: Here, fields: Fields) -> Answer {
    can(&signed.actor, Action::AssignmentConfirm, Relation::Owner).map_err(Error::from)?;
    let all = fields.get("do") == "all";
    let keys: Vec<String> = fields.all(if all { "seen" } else { "duty" }).map(str::to_owned).collect();
    let duties: Option<Vec<(AgentId, Duty)>> = keys
        .iter()
        .map(|key| key.split_once('/').and_then(|(agent, duty)| Some((agent.parse().ok()?, duty.parse().ok()?))))
        .collect();
    let mut errors = FieldErrors::new();
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    match duties {
        None => errors.add("duty", "One of the duties is not known. Tick them again."),
        Some(duties) if duties.is_empty() => errors.add("duty", "Tick the duties that are still yours."),
        Some(duties) => match confirm::confirm(&app.db, signed.by(), &duties).await {
            Ok(count) => {
                let what = if count == 1 { "1 duty is".to_owned() } else { format!("{count} duties are") };
                return Ok(see_other_saying(&app, "/still-yours", &Flash::good(format!("Confirmed: {what} yours."))));
            }
            Err(error) => status = refuse(error, &mut errors)?,
        },
    }
    page(&app, &signed, here, Refused { values: keys, errors }, status).await
}
