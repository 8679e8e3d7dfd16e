//! `/agents/{id}/handover`: from the team that built an agent to the team that operates it.

use app::components::{FieldErrors, Flash, Refused};
use app::handovers::{Handover, HandoverForm, HandoverPage, Shown};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use domain::id::{AgentId, HandoverId};
use domain::party::Party;
use leptos::prelude::*;
use register::agents::assess::party_names;
use register::handovers;
use register::{Error, handovers::Handover as Kept};

use super::people::refuse;
use crate::App;
use crate::page::{Answer, Fields, Page, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

pub(super) fn routes() -> Routes {
    Routes::page().get("/agents/{id}/handover", show).post("/agents/{id}/handover", act)
}

/// Handovers as pages show them, everybody by name.
pub(super) async fn named(app: &App, list: Vec<Kept>) -> Result<Vec<Handover>, Error> {
    let mut reads = &app.db;
    let who: Vec<Party> =
        list.iter().flat_map(|h| [h.offered_by.parse().ok(), h.answered_by.parse().ok()]).flatten().collect();
    let names = party_names(&mut reads, who).await?;
    let called = |reference: &str| match reference.parse::<Party>() {
        Ok(party) => names.get(&party).cloned().unwrap_or_else(|| reference.to_owned()),
        Err(_) if reference == "cli" => "the command line".to_owned(),
        Err(_) => reference.to_owned(),
    };
    Ok(list
        .into_iter()
        .map(|h| Handover {
            id: h.id,
            agent: h.agent,
            agent_name: h.agent_name,
            from: (h.from, h.from_name),
            to: (h.to, h.to_name),
            offered_at: h.offered_at,
            offered_by: called(&h.offered_by),
            reason: h.reason,
            state: h.state,
            answer: h.answered_at.map(|at| (called(&h.answered_by), at, h.answer)),
            mine: h.mine,
            withdraw: h.withdraw,
        })
        .collect())
}

async fn show(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>) -> Answer {
    page(&app, &signed, id, Refused::default(), StatusCode::OK).await
}

async fn page(app: &App, signed: &Signed, id: AgentId, form: Refused<HandoverForm>, status: StatusCode) -> Answer {
    let view = handovers::of_agent(&app.db, signed.by(), id).await?;
    let shown = Shown {
        agent: id,
        name: view.name,
        pair: view.needed.zip(view.names).map(|(pair, (from, to))| ((pair.from, from), (pair.to, to))),
        done: view.done,
        past: named(app, view.past).await?,
        may_offer: view.may_offer,
        form,
        now: signed.now,
    };
    let title = format!("Handover of {id}");
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <HandoverPage shown=shown/> }))
}

async fn act(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, fields: Fields) -> Answer {
    let by = signed.by();
    let (pressed, reason) = (fields.get("do"), fields.get("reason"));
    let which = || {
        fields
            .get("handover")
            .parse::<HandoverId>()
            .map_err(|_| Error::Conflict("Open the page again: it is not known which handover is meant.".into()))
    };
    let done = match pressed {
        "offer" => handovers::offer(&app.db, by, id, reason)
            .await
            .map(|h| format!("{id} is offered to {}; their lead answers.", h.to_name)),
        "accept" | "decline" => match which() {
            Ok(which) => handovers::answer(&app.db, by, which, pressed == "accept", reason).await.map(|h| {
                let verb = if pressed == "accept" { "accepted" } else { "declined" };
                format!("{} has {verb} {}.", h.to_name, h.agent)
            }),
            Err(error) => Err(error),
        },
        "withdraw" => match which() {
            Ok(which) => {
                handovers::withdraw(&app.db, by, which, reason).await.map(|h| format!("{} is taken back.", h.id))
            }
            Err(error) => Err(error),
        },
        _ => {
            // Whoever may not even see the agent is told nothing of it.
            handovers::of_agent(&app.db, by, id).await?;
            Err(Error::Conflict("Press one of the buttons.".into()))
        }
    };
    match done {
        Ok(sentence) => Ok(see_other_saying(&app, format!("/agents/{id}/handover"), &Flash::good(sentence))),
        Err(error) => {
            let mut errors = FieldErrors::new();
            let status = refuse(error, &mut errors)?;
            let values = HandoverForm { pressed: pressed.to_owned(), reason: reason.to_owned() };
            page(&app, &signed, id, Refused { values, errors }, status).await
        }
    }
}
