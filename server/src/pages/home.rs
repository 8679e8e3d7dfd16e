//! `/`: what waits for the reader and, for leadership, who can stop what runs.

use app::components::{FieldErrors, Flash, Refused};
use app::home::{AnswerForm, First, Home, HomePage, Mine, Waiting, Witnessing};
use axum::extract::State;
use axum::http::StatusCode;
use chrono::Days;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::party::Party;
use domain::system::Subject;
use leptos::prelude::*;
use register::agents::list::{self, Query, Sort};
use register::assignments::confirm;
use register::clock::days;
use register::requests::list as decisions;
use register::stops::rehearsals;
use register::{Error, assignments, handovers, people, posture, proposals};

use super::agents::nothing;
use super::stops::testified;
use crate::App;
use crate::page::{Answer, Fields, Page, field_errors, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// Offers shown at a time.
const OFFERS: i64 = 20;
/// Decisions shown.
const DECISIONS: i64 = 8;
/// Days of the trend.
const TREND: u64 = 30;
/// Own agents shown.
const MINE: i64 = 8;

pub(super) fn routes() -> Routes {
    Routes::page().get("/", show).post("/", answer)
}

async fn show(State(app): State<App>, signed: Signed) -> Answer {
    page(&app, &signed, Refused::default(), StatusCode::OK).await
}

/// One answer to the offers that were ticked.
async fn answer(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    let all = fields.get("answer") == "accept-all";
    let typed = AnswerForm {
        offers: fields.all(if all { "seen" } else { "offer" }).map(str::to_owned).collect(),
        answer: if all { "accept" } else { fields.get("answer") }.to_owned(),
        reason: fields.get("reason").to_owned(),
    };
    let mut errors = FieldErrors::new();
    if let what @ ("saw" | "unseen") = fields.get("do") {
        let saw = what == "saw";
        let refused = match rehearsals::testify(&app.db, signed.by(), fields.get("delivery"), saw).await {
            Ok(_) => return Ok(see_other_saying(&app, "/", &testified(saw))),
            Err(error) => Refused { values: typed, errors: field_errors(error)? },
        };
        return page(&app, &signed, refused, StatusCode::CONFLICT).await;
    }
    let offers: Option<Vec<(Subject, Duty)>> = typed
        .offers
        .iter()
        .map(|key| key.split_once('/').and_then(|(of, duty)| Some((of.parse().ok()?, duty.parse().ok()?))))
        .collect();
    let accept = typed.answer == "accept";
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    match offers {
        None => errors.add("offer", "One of the offers is not known. Tick them again."),
        Some(offers) if offers.is_empty() => errors.add("offer", "Tick the offers that you answer."),
        Some(_) if !accept && typed.answer != "decline" => errors.add("", "Press Accept or Decline."),
        Some(offers) => {
            let reason = if accept { "" } else { typed.reason.as_str() };
            match assignments::answer(&app.db, signed.by(), &offers, accept, reason).await {
                Ok(count) => {
                    let did = if accept { "Accepted" } else { "Declined" };
                    let what = if count == 1 { "1 offer".to_owned() } else { format!("{count} offers") };
                    return Ok(see_other_saying(&app, "/", &Flash::good(format!("{did}: {what}."))));
                }
                Err(error) => {
                    if matches!(error, Error::Conflict(_)) {
                        status = StatusCode::CONFLICT;
                    }
                    errors = field_errors(error)?;
                }
            }
        }
    }
    page(&app, &signed, Refused { values: typed, errors }, status).await
}

async fn page(app: &App, signed: &Signed, refused: Refused<AnswerForm>, status: StatusCode) -> Answer {
    let home = home(app, signed, refused).await?;
    let title = if home.posture.is_some() && home.first.is_none() { "Who can stop it?" } else { "Home" };
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <HomePage home=home/> }))
}

async fn home(app: &App, signed: &Signed, refused: Refused<AnswerForm>) -> Result<Home, Error> {
    let by = signed.by();
    let may = |action| can(&signed.actor, action, Relation::None).is_ok();
    let posture = if may(Action::PostureRead) { Some(posture::posture(&app.db, by).await?) } else { None };
    let empty = match &posture {
        Some(posture) => posture.total == 0,
        None => nothing(app, by).await?,
    };
    let first = empty.then(|| First {
        import: may(Action::ImportRun),
        register: may(Action::AgentCreate),
        people: may(Action::PersonWrite),
    });
    let (waiting, waiting_total) = assignments::waiting(&app.db, signed.id, signed.now, OFFERS).await?;
    let mut reads = &app.db;
    let parties: Vec<Party> =
        waiting.iter().flat_map(|offer| [Some(offer.party), offer.offered_by.parse().ok()]).flatten().collect();
    let names = register::agents::assess::party_names(&mut reads, parties).await?;
    let called = |party: Party| names.get(&party).cloned().unwrap_or_else(|| party.to_string());
    let controls = may(Action::AgentReadControls);
    let query = Query {
        owner: Some(Party::Person(signed.id)),
        sort: if controls { Sort::RuntimeOwner } else { Sort::Name },
        limit: MINE,
        ..Query::default()
    };
    // Of more than these, finding the worst would be to sort all of them: the inventory does.
    let owned = list::owned(&app.db, Party::Person(signed.id), decisions::COUNTED + 1).await?;
    let few = owned <= decisions::COUNTED;
    let mine = if few { list::list(&app.db, by, &query).await?.items } else { Vec::new() };
    let teams = people::teams_of(&mut reads, signed.id).await?;
    Ok(Home {
        me: signed.id.to_string(),
        waiting: waiting
            .into_iter()
            .map(|offer| Waiting {
                of: offer.of,
                name: offer.name,
                duty: offer.duty,
                team: matches!(offer.party, Party::Team(_)).then(|| (offer.party, called(offer.party))),
                offered_at: offer.offered_at,
                offered_by: match offer.offered_by.parse::<Party>() {
                    Ok(party) => called(party),
                    Err(_) if offer.offered_by == "cli" => "the command line".to_owned(),
                    Err(_) if offer.offered_by.starts_with("SR-") => format!("standing rule {}", offer.offered_by),
                    Err(_) => offer.offered_by,
                },
                reason: offer.reason,
            })
            .collect(),
        waiting_total: u64::try_from(waiting_total).unwrap_or(0),
        drills: rehearsals::waiting(&app.db, by, signed.id)
            .await?
            .into_iter()
            .map(|w| Witnessing {
                delivery: w.delivery,
                agent: w.agent,
                name: w.name,
                surface: w.surface.label().to_lowercase(),
                begun_by: w.begun_by,
                begun_at: w.begun_at,
                seconds: w.seconds,
                note: w.note,
                evidence: w.evidence,
            })
            .collect(),
        due: u64::try_from(confirm::due_count(&app.db, by.now, signed.id).await?).unwrap_or(0),
        proposals: proposals::waiting(&app.db, by)
            .await?
            .into_iter()
            .filter(|p| p.may_confirm)
            .map(super::people::proposal)
            .collect(),
        handovers: super::handovers::named(app, handovers::waiting(&app.db, by).await?).await?,
        decisions: super::requests::waiting(
            app,
            decisions::waiting(&app.db, by, signed.id, None, DECISIONS).await?.items,
        )
        .await?,
        decisions_total: u64::try_from(decisions::count_waiting(&app.db, by, signed.id, decisions::COUNTED + 1).await?)
            .unwrap_or(0),
        vacant: if may(Action::ActingAppoint) {
            u64::try_from(decisions::count_vacant(&app.db, by, decisions::COUNTED + 1).await?).unwrap_or(0)
        } else {
            0
        },
        escalated: u64::try_from(decisions::count_escalated(&app.db, by, decisions::COUNTED + 1).await?).unwrap_or(0),
        conditions: register::requests::conditions::waiting(&mut reads, signed.id)
            .await?
            .into_iter()
            .map(|c| (c.request, c.words, c.due_at))
            .collect(),
        refused,
        mine: mine
            .into_iter()
            .map(|line| Mine {
                id: line.id,
                name: line.name,
                state: line.state,
                running: line.running,
                runtime_owner: line.runtime_owner,
            })
            .collect(),
        mine_total: u64::try_from(owned).ok().filter(|_| few),
        teams: teams.into_iter().map(|team| (team.team.to_string(), team.name)).collect(),
        trend: if may(Action::PostureRead) {
            let from = by.now.date_naive().checked_sub_days(Days::new(TREND)).unwrap_or_default();
            days::unstoppable(&app.db, by, from).await?
        } else {
            Vec::new()
        },
        posture,
        exceptions: if may(Action::ExceptionRead) {
            Some(super::exceptions::counted(register::exceptions::figures::figures(&app.db, by).await?))
        } else {
            None
        },
        first,
        now: by.now,
    })
}
