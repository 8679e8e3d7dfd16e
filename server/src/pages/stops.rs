//! `/agents/{id}/stop`: how an agent is stopped, and the drills that show it.

use app::components::{Address, Choice, FieldErrors, Flash, Refused};
use app::stops::{CardShown, Past, StepShown, StopForm, Stops, StopsPage, SurfaceShown};
use axum::extract::multipart::{Multipart, MultipartRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::handler::Handler as _;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use chrono::TimeDelta;
use domain::assignment::{RaciRole, accountable};
use domain::can::{Action, Relation, can};
use domain::id::{AgentId, PersonId};
use domain::party::Party;
use domain::stop::{EVIDENCE_MAX, MethodKind, Outcome, Surface, Uses, went};
use leptos::prelude::*;
use register::stops::evidence::{self, File};
use register::stops::rehearsals::{self, ManualDrill};
use register::stops::{self, NewMethod, calls, card, press, radius, shown, steps};
use register::{Error, agents, people};

use crate::App;
use crate::hooks;
use crate::page::{Answer, Fault, Fields, Here, Page, field_errors, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// Drills and calls that are shown.
const SHOWN: i64 = 30;
/// Stops on one page of them.
const PAST: i64 = 10;
/// People that the witness's field suggests.
const SUGGESTED: i64 = 200;
/// A form with its file: a little more than the file.
const BODY: usize = EVIDENCE_MAX + (1 << 20);

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/agents/{id}/stop", show)
        .post("/agents/{id}/stop", act)
        .post("/agents/{id}/stop/drill", rehearse.layer(DefaultBodyLimit::max(BODY)))
        .get("/agents/{id}/evidence/{sha256}", file)
}

/// What the page shows beside the store.
#[derive(Default)]
struct Also {
    refused: Refused<StopForm>,
    secret: Option<(Surface, String)>,
    status: StatusCode,
    here: Address,
}

async fn show(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, Here(here): Here) -> Answer {
    page(&app, &signed, id, Also { here, ..Also::default() }).await
}

/// The stop that an address asks for; `None` for the newest. What is no number is no stop.
fn asked(here: &Address) -> Option<i64> {
    here.get("stop").map(|stop| stop.parse().unwrap_or(0))
}

/// Where the card of the stop that is looked at is shown.
fn card_at(id: AgentId, here: &Address) -> String {
    match asked(here) {
        Some(stop) => format!("/agents/{id}/stop?stop={stop}#card"),
        None => format!("/agents/{id}/stop#card"),
    }
}

/// A page of the agent's stops.
async fn past(app: &App, id: AgentId, here: &Address) -> Result<Past, Error> {
    let cursor = here.get("cursor").or_else(|| here.get("before"));
    let page = card::list(&app.db, id, cursor, PAST).await?;
    let first = match here.get("stop") {
        Some(stop) => Address::new(format!("/agents/{id}/stop")).with("stop", stop),
        None => Address::new(format!("/agents/{id}/stop")),
    };
    let at = |key: &str, cursor: String| first.with(key, &cursor).href() + "#past";
    Ok(Past {
        stops: page.items,
        newer: page.previous.map(|c| at("before", c)),
        older: page.next.map(|c| at("cursor", c)),
    })
}

async fn page(app: &App, signed: &Signed, id: AgentId, also: Also) -> Answer {
    let by = signed.by();
    let view = agents::read(&app.db, by, id).await?;
    can(&signed.actor, Action::AgentReadControls, view.relation).map_err(Error::from)?;
    let mut reads = &app.db;
    let mine = agents::relation::acts_for(&mut reads, signed.id, signed.now).await.map_err(Error::from)?;
    let agent = &view.judged.agent;
    let mut surfaces = Vec::new();
    for &surface in Surface::ALL {
        let owner = accountable(&view.judged.held, surface.duty()).map(|h| h.party);
        let drill =
            owner.is_some_and(|o| mine.contains(&o)) && can(&signed.actor, Action::StopDrill, Relation::Owner).is_ok();
        let method = view.methods.iter().find(|m| m.surface == surface);
        surfaces.push(SurfaceShown {
            surface,
            owner: owner.map(|o| (o, view.names.get(&o).cloned().unwrap_or_else(|| o.to_string()))),
            method: method.cloned(),
            write: may_write(signed, &view, &mine, surface),
            drill,
        });
    }
    let calls = shown::shown(&app.db, by, id, SHOWN).await?;
    let mut card = card_shown(app, signed, &view, &mine, asked(&also.here)).await?;
    if let Some(card) = card.as_mut().filter(|_| asked(&also.here).is_some()) {
        let newest = card::list(&app.db, id, None, 1).await?;
        card.newest = newest.items.first().is_none_or(|s| s.id == card.stop.id);
    }
    let past = past(app, id, &also.here).await?;
    let shared = shared(app, &view).await?;
    let suggest = surfaces.iter().any(|s| s.drill);
    let people = if suggest { people::directory(&app.db, by, SUGGESTED).await? } else { Vec::new() };
    let people = people.into_iter().filter(|p| p.id != signed.id);
    let stops = Stops {
        id,
        name: agent.facts.name.clone(),
        state: agent.state,
        card,
        past,
        shared,
        press: can(&signed.actor, Action::StopPress, view.relation).is_ok(),
        surfaces,
        calls,
        secret: also.secret,
        people: people.map(|p| Choice::new(format!("{} ({})", p.name, p.id), "")).collect(),
        passed_at: view.judged.stop.drill.as_ref().map(|d| d.at),
        cadence: agent.tier.drill_cadence_days(),
        refused: also.refused,
        now: by.now,
    };
    let title = format!("How {id} is stopped");
    Ok(Page::new(app, signed, title).status(also.status).show(move || view! { <StopsPage stops=stops/> }))
}

/// The stop that is looked at, with who must do each step of it.
async fn card_shown(
    app: &App,
    signed: &Signed,
    view: &agents::View,
    mine: &[Party],
    stop: Option<i64>,
) -> Result<Option<CardShown>, Error> {
    let id = view.judged.agent.id;
    let Some(mut stop) = card::read(&app.db, signed.by(), id, stop).await? else {
        return if stop.is_some() { Err(Error::NotFound("such a stop".into())) } else { Ok(None) };
    };
    let held = &view.judged.held;
    let may_review = stop.review.is_none()
        && stop.stopped_by != signed.id.to_string()
        && can(&signed.actor, Action::StopReview, view.relation).is_ok();
    let steps = std::mem::take(&mut stop.steps).into_iter().map(|seen| {
        let duty = seen.step.duty();
        let does = held.iter().any(|h| {
            h.duty == duty && matches!(h.role, RaciRole::Accountable | RaciRole::Responsible) && mine.contains(&h.party)
        });
        let relation = if does { Relation::Owner } else { Relation::None };
        let owner = accountable(held, duty).map(|h| h.party);
        StepShown {
            owner: owner.map(|o| (o, view.names.get(&o).cloned().unwrap_or_else(|| o.to_string()))),
            mine: seen.done.is_none() && can(&signed.actor, Action::StopStep, relation).is_ok(),
            seen,
        }
    });
    let steps = steps.collect();
    Ok(Some(CardShown { newest: true, may_review, steps, stop }))
}

/// What an agent shares with others, by name.
pub(super) async fn shared(app: &App, view: &agents::View) -> Result<Vec<(Uses, String, i64)>, Error> {
    let shared = radius::shared_by(&app.db, view.judged.agent.id).await?;
    let named = |id| view.parent.iter().chain(&view.platform).find(|(system, _)| *system == id);
    Ok(shared
        .into_iter()
        .map(|(uses, count)| {
            let name = match &uses {
                Uses::System(id) => named(*id).map_or_else(|| uses.value(), |(_, name)| name.clone()),
                _ => uses.value(),
            };
            (uses, name, count)
        })
        .collect())
}

/// Whether a form to record the method is shown; the register decides again.
fn may_write(signed: &Signed, view: &agents::View, mine: &[Party], surface: Surface) -> bool {
    let relation = if surface == Surface::Pause {
        view.relation
    } else {
        let does = view.judged.held.iter().any(|h| {
            h.duty == surface.duty()
                && matches!(h.role, RaciRole::Accountable | RaciRole::Responsible)
                && mine.contains(&h.party)
        });
        if does { Relation::Owner } else { Relation::None }
    };
    can(&signed.actor, Action::StopMethodWrite, relation).is_ok()
}

/// The errors of one surface's form, beside its fields.
fn beside(error: Error, surface: &str) -> Result<FieldErrors, Fault> {
    let mut errors = FieldErrors::new();
    for (field, message) in field_errors(error)?.iter() {
        let name = if field.is_empty() || surface.is_empty() { field.to_owned() } else { format!("{field}-{surface}") };
        errors.add(name, message);
    }
    Ok(errors)
}

fn status(error: &Error) -> StatusCode {
    if matches!(error, Error::Conflict(_)) { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY }
}

async fn refused(app: &App, signed: &Signed, id: AgentId, form: StopForm, error: Error) -> Answer {
    refused_at(app, signed, id, Address::default(), form, error).await
}

/// The same where an earlier stop is looked at.
async fn refused_at(app: &App, signed: &Signed, id: AgentId, here: Address, form: StopForm, error: Error) -> Answer {
    let status = status(&error);
    let errors = beside(error, &form.surface)?;
    page(app, signed, id, Also { refused: Refused { values: form, errors }, status, here, secret: None }).await
}

async fn act(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<AgentId>,
    Here(here): Here,
    fields: Fields,
) -> Answer {
    let key = fields.get("surface").to_owned();
    let get = |name: &str| fields.get(&format!("{name}-{key}")).to_owned();
    let form = StopForm {
        what: fields.get("do").to_owned(),
        kind: get("kind"),
        procedure: get("procedure"),
        url: get("url"),
        timeout: get("timeout_seconds"),
        surface: key.clone(),
        reason: fields.get("reason").to_owned(),
        review: fields.get("review").to_owned(),
        ..StopForm::default()
    };
    match (form.what.as_str(), key.parse::<Surface>()) {
        ("method", Ok(surface)) => record(&app, &signed, id, surface, form).await,
        ("press", _) => press(&app, &signed, id, fields.get("why"), form).await,
        ("done", _) => {
            let step = fields.get("step").parse().unwrap_or(0);
            match steps::done(&app.db, signed.by(), id, step).await {
                Ok(()) => Ok(see_other_saying(&app, card_at(id, &here), &Flash::good("Noted: it is done."))),
                Err(error) => refused_at(&app, &signed, id, here, form, error).await,
            }
        }
        ("review", _) => {
            let stopping = fields.get("stopping").parse().unwrap_or(0);
            match steps::review(&app.db, signed.by(), id, stopping, &form.review).await {
                Ok(()) => Ok(see_other_saying(&app, card_at(id, &here), &Flash::good("The review is kept."))),
                Err(error) => refused_at(&app, &signed, id, here, form, error).await,
            }
        }
        ("drill", Ok(surface)) => drill(&app, &signed, id, surface, form).await,
        ("saw" | "unseen", _) => {
            let saw = form.what == "saw";
            match rehearsals::testify(&app.db, signed.by(), fields.get("delivery"), saw).await {
                Ok(_) => Ok(see_other_saying(&app, format!("/agents/{id}/stop#drills"), &testified(saw))),
                Err(error) => refused(&app, &signed, id, form, error).await,
            }
        }
        _ => {
            let gone = Error::Conflict("That button is not on this page any more.".into());
            refused(&app, &signed, id, form, gone).await
        }
    }
}

/// What is said once a witness has spoken.
pub(super) fn testified(saw: bool) -> Flash {
    Flash::good(if saw { "Noted: you saw it stop. The drill counts." } else { "Noted: you did not see it stop." })
}

async fn record(app: &App, signed: &Signed, id: AgentId, surface: Surface, form: StopForm) -> Answer {
    let kind = form.kind.parse().unwrap_or(MethodKind::Manual);
    let seconds = match (kind, form.timeout.trim()) {
        (MethodKind::Manual, _) | (_, "") => None,
        // What is no number is out of bounds, and said to be beside the field.
        (MethodKind::Webhook, text) => Some(text.parse::<i64>().unwrap_or(0).clamp(0, 1_000_000)),
    };
    let new = NewMethod {
        surface,
        kind,
        procedure: form.procedure.clone(),
        url: form.url.clone(),
        timeout: seconds.map(TimeDelta::seconds),
        new_secret: false,
        plain: app.config.allow_private_targets,
    };
    match stops::record(&app.db, signed.by(), id, new).await {
        // Shown in the answer itself and nowhere else: no redirect carries a secret.
        Ok(recorded) if recorded.secret.is_some() => {
            let secret = recorded.secret.map(|secret| (surface, secret));
            page(app, signed, id, Also { secret, ..Also::default() }).await
        }
        Ok(_) => {
            let flash = Flash::good("Recorded. What was shown with an older version proves nothing of this one.");
            Ok(see_other_saying(app, format!("/agents/{id}/stop#{surface}"), &flash))
        }
        Err(error) => refused(app, signed, id, form, error).await,
    }
}

/// Breaks the glass. The stop stands whatever becomes of the call, and that is said plainly.
async fn press(app: &App, signed: &Signed, id: AgentId, why: &str, form: StopForm) -> Answer {
    let reason = format!("{why} {}", form.reason);
    let pressed = match press::press(&app.db, signed.by(), id, &reason).await {
        Ok(pressed) => pressed,
        Err(error) => return refused(app, signed, id, form, error).await,
    };
    let mut sentences = vec![if pressed.suspended { "It is suspended." } else { "The stop is recorded." }.to_owned()];
    let by_hand = pressed.by_hand();
    if by_hand {
        sentences.push(press::BY_HAND.to_owned());
    }
    let outcomes = hooks::carry_out_all(app, &signed.actor, pressed.calls).await?;
    sentences.push(went(&outcomes));
    let sentence = sentences.join(" ");
    let well = !by_hand && outcomes.iter().all(|(_, outcome)| *outcome == Outcome::Accepted);
    let flash = if well { Flash::good(sentence.trim()) } else { Flash::bad(sentence.trim()) };
    Ok(see_other_saying(app, format!("/agents/{id}/stop#card"), &flash))
}

async fn drill(app: &App, signed: &Signed, id: AgentId, surface: Surface, form: StopForm) -> Answer {
    let begun = match calls::begin_drill(&app.db, signed.by(), id, surface).await {
        Ok(begun) => begun,
        Err(error) => return refused(app, signed, id, form, error).await,
    };
    let went = hooks::carry_out(app, &signed.actor, begun).await?;
    let sentence = went.outcome.sentence();
    let flash = if went.outcome == Outcome::Accepted { Flash::good(sentence) } else { Flash::bad(sentence) };
    Ok(see_other_saying(app, format!("/agents/{id}/stop#drills"), &flash))
}

/// The form of a rehearsal, with its file.
async fn sent(form: Result<Multipart, MultipartRejection>) -> Result<(StopForm, File), Fault> {
    let broken = |e: axum::extract::multipart::MultipartError| {
        if e.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "The file has more than 10 MiB. Cut it to what shows the stop.")
        } else {
            Fault::malformed(e.body_text())
        }
    };
    let mut parts = form.map_err(|e| Fault::malformed(e.body_text()))?;
    let (mut form, mut file) = (StopForm { what: "rehearse".into(), ..StopForm::default() }, File::default());
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        let called = part.file_name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(broken)?;
        let text = || String::from_utf8_lossy(&bytes).into_owned();
        match name.split('-').next().unwrap_or_default() {
            "surface" => form.surface = text(),
            "seconds" => form.seconds = text(),
            "witness" => form.witness = text(),
            "note" => form.note = text(),
            "evidence" => file = File { name: called, bytes: bytes.to_vec() },
            _ => {}
        }
    }
    Ok((form, file))
}

async fn rehearse(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<AgentId>,
    form: Result<Multipart, MultipartRejection>,
) -> Answer {
    let view = agents::read(&app.db, signed.by(), id).await?;
    let mut reads = &app.db;
    // Who shows none of its surfaces is told so before a file is read.
    rehearsals::may(&app.db, signed.by(), &view).await?;
    let (form, evidence) = sent(form).await?;
    let Ok(surface) = form.surface.parse::<Surface>() else {
        return Err(Fault::malformed("a drill of no surface").back(format!("/agents/{id}/stop")));
    };
    let (mut witness, mut unclear) = (None::<PersonId>, None);
    if !form.witness.trim().is_empty() {
        match people::resolve(&mut reads, &form.witness).await.map_err(Error::from)? {
            Ok(named) => witness = Some(named.id),
            Err(why) => unclear = Some(why.told(&form.witness)),
        }
    }
    let drill = ManualDrill { seconds: form.seconds.trim().parse().ok(), witness, note: form.note.clone(), evidence };
    match rehearsals::rehearse(&app.db, signed.by(), id, surface, drill).await {
        Ok(_) => {
            let flash = Flash::good("Sent to the witness. It counts once they have said that they saw it.");
            Ok(see_other_saying(&app, format!("/agents/{id}/stop#drills"), &flash))
        }
        Err(Error::Invalid(mut fields)) => {
            for field in &mut fields {
                if let Some(sentence) = unclear.take_if(|_| field.pointer == "/witness") {
                    field.message = sentence;
                }
            }
            refused(&app, &signed, id, form, Error::Invalid(fields)).await
        }
        Err(error) => refused(&app, &signed, id, form, error).await,
    }
}

/// A file that shows a drill: always to be saved, never shown as a page of ours.
async fn file(State(app): State<App>, signed: Signed, Path((id, sha256)): Path<(AgentId, String)>) -> Answer {
    let File { name, bytes } = evidence::read(&app.db, signed.by(), id, &sha256).await?;
    let plain: String =
        name.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' }).collect();
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{plain}\"")) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}
