//! `/stop`: every agent that uses a credential, a tool, a vendor or a system, and the press that
//! stops them all. The address names what is used as the inventory's filters do.

use app::components::{Address, Flash, Refused, thousands};
use app::stops::{Everything, PressForm, RadiusPage, Under, count_words, href_of_uses};
use axum::extract::State;
use axum::http::StatusCode;
use domain::can::{Action, Relation, can};
use domain::party::Party;
use domain::stop::{Part, Radius, Uses};
use leptos::prelude::*;
use register::Error;
use register::agents::assess::party_names;
use register::paging::DEFAULT_LIMIT;
use register::stops::sweep::{Sweep, Swept};
use register::stops::{cut, radius};

use crate::App;
use crate::hooks::{self, Progress};
use crate::page::{Answer, Fault, Fields, Here, Page, field_errors, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

pub(super) fn routes() -> Routes {
    Routes::page().get("/stop", show).post("/stop", act)
}

/// What the address names.
fn uses(here: &Address) -> Result<Uses, Fault> {
    let mut named = Uses::KEYS.iter().filter_map(|key| here.get(key).map(|value| (*key, value)));
    let sentence = match (named.next(), named.next()) {
        (Some((key, value)), None) => match Uses::parse(key, value) {
            Some(uses) => return Ok(uses),
            None => format!("“{value}” is no {key}. Follow a link on an agent’s page."),
        },
        _ => "Name one thing that agents use: a credential, a tool, a vendor or a system. An agent’s page has a link \
              for each of its own."
            .to_owned(),
    };
    Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, sentence).back("/agents"))
}

async fn show(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    page(&app, &signed, here, Refused::default(), StatusCode::OK).await
}

async fn page(app: &App, signed: &Signed, here: Address, refused: Refused<PressForm>, status: StatusCode) -> Answer {
    // Whoever may see nothing of it is told so, whatever they ask for.
    if !radius::sees_all(&signed.actor) {
        can(&signed.actor, Action::AgentReadControls, Relation::Owner).map_err(Error::from)?;
    }
    let uses = uses(&here)?;
    let by = signed.by();
    let (shared, radius) = radius::radius(&app.db, by, &uses).await?;
    let part = match here.get("show") {
        None => Part::All,
        Some(show) => show.parse().map_err(|e: domain::words::UnknownWord| {
            Fault::new(StatusCode::UNPROCESSABLE_ENTITY, e.to_string()).back(href_of_uses(&uses))
        })?,
    };
    let cursor = here.get("cursor").or_else(|| here.get("before"));
    let found = radius::list(&app.db, by, &shared, part, cursor, DEFAULT_LIMIT).await?;
    let first = here.first_page();
    let progress = progress(app, signed, &shared, &radius).await?;
    let shown = Everything {
        name: shared.name,
        progress,
        radius,
        part,
        rows: found.items,
        previous: found.previous.map(|c| first.with("before", &c).href()),
        next: found.next.map(|c| first.with("cursor", &c).href()),
        own_only: !radius::sees_all(&signed.actor),
        only_reads: can(&signed.actor, Action::StopPress, Relation::Owner).is_err(),
        refused,
        now: by.now,
        here,
        uses,
    };
    let title = format!("What uses {}", shown.name);
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <RadiusPage shown=shown/> }))
}

/// Whether they are being stopped now, or a stop of them did not reach all.
async fn progress(
    app: &App,
    signed: &Signed,
    shared: &radius::Shared,
    radius: &Radius,
) -> Result<Option<Under>, Error> {
    if app.sweeps.going(&shared.called()) {
        return Ok(Some(Under::Way));
    }
    let left = radius.of(Part::All) - radius.of(Part::Stopped);
    if left == 0 || radius.of(Part::Stopped) == 0 {
        return Ok(None);
    }
    let Some(last) = cut::last(&app.db, signed.by(), shared).await? else { return Ok(None) };
    let mut reads = &app.db;
    let name = match last.by.parse::<Party>() {
        Ok(party) => party_names(&mut reads, [party]).await?.remove(&party).unwrap_or(last.by),
        Err(_) if last.by == "cli" => "the command line".to_owned(),
        Err(_) => last.by,
    };
    Ok(Some(Under::Cut { by: name, at: last.at, reason: last.reason, left }))
}

/// Stops every one of them that the reader may stop.
async fn act(State(app): State<App>, signed: Signed, Here(here): Here, fields: Fields) -> Answer {
    let form = PressForm { why: fields.get("why").to_owned(), reason: fields.get("reason").to_owned() };
    let reason = format!("{} {}", form.why, form.reason);
    let uses = uses(&here)?;
    let sweep = match Sweep::begin(&app.db, signed.by(), &uses, &reason).await {
        Ok(sweep) => sweep,
        Err(error) => {
            let status = match error {
                Error::Conflict(_) => StatusCode::CONFLICT,
                _ => StatusCode::UNPROCESSABLE_ENTITY,
            };
            let errors = field_errors(error)?;
            return page(&app, &signed, here, Refused { values: form, errors }, status).await;
        }
    };
    let progress = hooks::stop_everything(&app, &signed.actor, sweep).await;
    Ok(see_other_saying(&app, href_of_uses(&uses), &said(&progress)))
}

/// What a stop of many has done, in a few sentences.
fn said(progress: &Progress) -> Flash {
    match progress {
        Progress::Done(done) => {
            let sentence = told(done);
            if done.by_hand == 0 { Flash::good(sentence) } else { Flash::bad(sentence) }
        }
        Progress::Going(done) => {
            Flash::bad(format!("{} so far, and Muster goes on. Look again to see how far it is.", stopped(done)))
        }
        Progress::BrokeOff(done) => Flash::bad(format!(
            "{}, then it broke off: the rest is not stopped. Press again to stop the rest.",
            stopped(done)
        )),
    }
}

fn stopped(done: &Swept) -> String {
    format!("{} {} stopped", count_words(done.stopped), if done.stopped == 1 { "is" } else { "are" })
}

fn told(done: &Swept) -> String {
    let mut out = format!("{}.", stopped(done));
    match done.calls {
        0 => {}
        1 => out.push_str(" Muster is calling one webhook: the list shows what becomes of it."),
        n => out.push_str(&format!(
            " Muster is calling {} webhooks: the list shows what becomes of each.",
            thousands(n.unsigned_abs())
        )),
    }
    match done.by_hand {
        0 => {}
        1 => out.push_str(" One has no webhook that pauses it: a person must, now."),
        n => out.push_str(&format!(
            " {} have no webhook that pauses them: a person must, now.",
            thousands(n.unsigned_abs())
        )),
    }
    out
}
