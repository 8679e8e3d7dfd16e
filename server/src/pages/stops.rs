//! `/agents/{id}/stop`: how an agent is stopped, and the drills that show it.

use app::components::{Choice, FieldErrors, Flash, Refused};
use app::stops::{CallShown, CardShown, MethodShown, StepShown, StopForm, Stops, StopsPage, SurfaceShown};
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
use domain::stop::{EVIDENCE_MAX, MethodKind, Outcome, Surface};
use leptos::prelude::*;
use register::stops::calls::{self, ManualDrill};
use register::stops::card;
use register::stops::evidence::{self, File};
use register::stops::{self, NewMethod};
use register::{Error, agents, people};

use crate::App;
use crate::hooks;
use crate::page::{Answer, Fault, Fields, Page, field_errors, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// Drills and calls that are shown.
const SHOWN: i64 = 30;
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
}

async fn show(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>) -> Answer {
    page(&app, &signed, id, Also::default()).await
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
            method: method.map(|m| MethodShown {
                version: m.version,
                kind: m.kind,
                procedure: m.procedure.clone(),
                url: m.url.clone().unwrap_or_default(),
                timeout: m.timeout,
                since: m.since,
            }),
            write: may_write(signed, &view, &mine, surface),
            drill,
        });
    }
    let calls = calls::shown(&app.db, by, id, SHOWN).await?.into_iter().map(call_shown).collect();
    let card = card_shown(app, signed, &view, &mine).await?;
    let suggest = surfaces.iter().any(|s| s.drill);
    let people = if suggest { people::directory(&app.db, by, SUGGESTED).await? } else { Vec::new() };
    let people = people.into_iter().filter(|p| p.id != signed.id);
    let stops = Stops {
        id,
        name: agent.facts.name.clone(),
        state: agent.state,
        card,
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

/// The newest stop, with who must do each step of it.
async fn card_shown(
    app: &App,
    signed: &Signed,
    view: &agents::View,
    mine: &[Party],
) -> Result<Option<CardShown>, Error> {
    let Some(card) = card::latest(&app.db, signed.by(), view.judged.agent.id).await? else { return Ok(None) };
    let held = &view.judged.held;
    let may_review = card.review.is_none()
        && card.stopped_by != signed.id.to_string()
        && can(&signed.actor, Action::StopReview, view.relation).is_ok();
    let steps = card.steps.into_iter().map(|s| {
        let duty = s.step.duty();
        let does = held.iter().any(|h| {
            h.duty == duty && matches!(h.role, RaciRole::Accountable | RaciRole::Responsible) && mine.contains(&h.party)
        });
        let relation = if does { Relation::Owner } else { Relation::None };
        let owner = accountable(held, duty).map(|h| h.party);
        StepShown {
            id: s.id,
            step: s.step,
            subject: s.subject,
            owner: owner.map(|o| (o, view.names.get(&o).cloned().unwrap_or_else(|| o.to_string()))),
            mine: s.done_at.is_none() && can(&signed.actor, Action::StopStep, relation).is_ok(),
            done: s.done_at.map(|at| (at, s.done_by)),
        }
    });
    Ok(Some(CardShown {
        id: card.id,
        at: card.at,
        by: card.stopped_by_name,
        reason: card.reason,
        review_due: card.review_due,
        review: card.review,
        may_review,
        steps: steps.collect(),
        residual: card.residual,
    }))
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

fn call_shown(c: calls::Shown) -> CallShown {
    CallShown {
        delivery: c.delivery,
        surface: c.surface,
        version: c.version,
        drill: c.drill,
        begun_by: c.begun_by,
        begun_at: c.begun_at,
        state: c.state,
        outcome: c.outcome,
        detail: c.detail,
        due_at: c.due_at,
        seconds: c.seconds,
        witness: c.witness,
        evidence: c.evidence,
        note: c.note,
        mine: c.mine,
    }
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
    let status = status(&error);
    let errors = beside(error, &form.surface)?;
    page(app, signed, id, Also { refused: Refused { values: form, errors }, status, secret: None }).await
}

async fn act(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, fields: Fields) -> Answer {
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
            match card::done(&app.db, signed.by(), id, step).await {
                Ok(()) => {
                    Ok(see_other_saying(&app, format!("/agents/{id}/stop#card"), &Flash::good("Noted: it is done.")))
                }
                Err(error) => refused(&app, &signed, id, form, error).await,
            }
        }
        ("review", _) => {
            let stopping = fields.get("stopping").parse().unwrap_or(0);
            match card::review(&app.db, signed.by(), id, stopping, &form.review).await {
                Ok(()) => {
                    Ok(see_other_saying(&app, format!("/agents/{id}/stop#card"), &Flash::good("The review is kept.")))
                }
                Err(error) => refused(&app, &signed, id, form, error).await,
            }
        }
        ("drill", Ok(surface)) => drill(&app, &signed, id, surface, form).await,
        ("saw" | "unseen", _) => {
            let saw = form.what == "saw";
            match calls::testify(&app.db, signed.by(), fields.get("delivery"), saw).await {
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
    let pressed = match card::press(&app.db, signed.by(), id, &reason).await {
        Ok(pressed) => pressed,
        Err(error) => return refused(app, signed, id, form, error).await,
    };
    let went = match pressed.call {
        Some(call) => Some(hooks::carry_out(app, &signed.actor, call).await?.outcome),
        None => None,
    };
    let stopped = if pressed.suspended { "It is suspended." } else { "The stop is recorded." };
    let sentence = format!("{stopped} {}", went.map_or(card::BY_HAND, Outcome::sentence));
    let flash = if went == Some(Outcome::Accepted) { Flash::good(sentence) } else { Flash::bad(sentence) };
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
    let mine = agents::relation::acts_for(&mut reads, signed.id, signed.now).await.map_err(Error::from)?;
    // Who shows none of its surfaces is told so before a file is read.
    let shows = |s: &Surface| accountable(&view.judged.held, s.duty()).is_some_and(|h| mine.contains(&h.party));
    let relation = if Surface::ALL.iter().any(shows) { Relation::Owner } else { Relation::None };
    can(&signed.actor, Action::StopDrill, relation).map_err(Error::from)?;
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
    match calls::rehearse(&app.db, signed.by(), id, surface, drill).await {
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
