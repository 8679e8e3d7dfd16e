//! `/retirements`, `/retirements/{id}` and `/agents/{id}/retire`: how agents end.

use app::components::{Address, FieldErrors, Flash, Refused};
use app::retirements::{
    Answer as Cited, Board, BoardPage, Line, Next, RetireForm, RetirementPage, Row, Shown, Sign, Signature, Start,
    StartForm, StartPage,
};
use axum::extract::multipart::{Multipart, MultipartError, MultipartRejection};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::handler::Handler as _;
use axum::http::StatusCode;
use domain::agent::Lifecycle;
use domain::can::{Action, Relation, can};
use domain::id::{AgentId, RequestId};
use domain::party::Party;
use domain::request::{RequestState, Verdict, Via};
use domain::stop::EVIDENCE_MAX;
use leptos::prelude::*;
use register::Error;
use register::requests;
use register::retirements::{self, Shown as Evidence, board, life};
use register::stops::evidence::File;

use super::people::refuse;
use crate::App;
use crate::page::{Answer, Fault, Fields, Here, Page, field_errors, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// Signs of life, and agents without a retirement, that the board shows.
const SHOWN: i64 = 20;
/// A form with its file: a little more than the file.
const BODY: usize = EVIDENCE_MAX + (1 << 20);

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/retirements", list)
        .get("/retirements/{id}", show)
        .post("/retirements/{id}", act)
        .post("/retirements/{id}/evidence", bring.layer(DefaultBodyLimit::max(BODY)))
        .get("/agents/{id}/retire", foresee)
        .post("/agents/{id}/retire", start)
}

fn sign(s: life::Sign) -> Sign {
    Sign { agent: (s.agent, s.name), source: s.source, state: s.state, seen: (s.first_at, s.last_at) }
}

async fn list(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let by = signed.by();
    let Some(view) = Board::view_of(here.get("state")) else {
        return Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "There is no such view of the retirements.")
            .back("/retirements"));
    };
    let filter = board::Filter { state: view.parse::<RequestState>().ok(), agent: None };
    let cursor = here.get("cursor").or_else(|| here.get("before"));
    let page = board::list(&app.db, by, &filter, cursor, None).await?;
    let first =
        if view == "open" { Address::new("/retirements") } else { Address::new("/retirements").with("state", view) };
    let whole = view == "open" && cursor.is_none();
    let board = Board {
        view,
        lines: page.items.into_iter().map(line).collect(),
        newer: page.previous.map(|c| first.with("before", &c).href()),
        older: page.next.map(|c| first.with("cursor", &c).href()),
        signs: if whole { board::signs(&app.db, by, SHOWN).await?.into_iter().map(sign).collect() } else { Vec::new() },
        stranded: if whole { board::stranded(&app.db, by, SHOWN).await? } else { Vec::new() },
        now: signed.now,
    };
    Ok(Page::new(&app, &signed, "Retirements").show(move || view! { <BoardPage board=board/> }))
}

fn line(l: board::Line) -> Line {
    Line {
        id: l.id,
        agent: (l.agent, l.agent_name),
        tier: l.tier,
        requester: l.requester,
        opened_at: l.opened_at,
        state: l.state,
        closed_at: l.closed_at,
        closed: l.closed,
        waived: l.waived,
        next: match l.next {
            board::Next::Row(place, what, turn) => Next::Row(place, what, turn),
            board::Next::Watch(until) => Next::Watch(until),
            board::Next::Signatures(duties) => Next::Signatures(duties),
            board::Next::Ended => Next::Ended,
        },
        alive: l.alive,
    }
}

async fn foresee(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>) -> Answer {
    start_page(&app, &signed, id, Refused::default(), StatusCode::OK).await
}

async fn start_page(app: &App, signed: &Signed, id: AgentId, form: Refused<StartForm>, status: StatusCode) -> Answer {
    let found = retirements::foresee(&app.db, signed.by(), id).await?;
    let start = Start {
        id,
        name: found.agent.facts.name.clone(),
        retired: found.agent.state == Lifecycle::Retired,
        running: found.agent.facts.running,
        tier: found.tier,
        watch_days: found.watch_days,
        rows: found.rows,
        voids: found.voids.into_iter().map(|(id, kind)| (id, kind.label())).collect(),
        open: found.open,
        form,
    };
    Ok(Page::new(app, signed, format!("Retire {id}")).status(status).show(move || view! { <StartPage start=start/> }))
}

async fn start(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, fields: Fields) -> Answer {
    let reason = fields.get("reason").to_owned();
    match retirements::start(&app.db, signed.by(), id, &reason).await {
        Ok(request) => {
            let flash = Flash::good(format!("{id} is retiring. Each row waits for its owner."));
            Ok(see_other_saying(&app, format!("/retirements/{request}"), &flash))
        }
        Err(error) => {
            let mut errors = FieldErrors::new();
            let status = refuse(error, &mut errors)?;
            start_page(&app, &signed, id, Refused { values: StartForm { reason }, errors }, status).await
        }
    }
}

async fn show(State(app): State<App>, signed: Signed, Path(id): Path<RequestId>) -> Answer {
    page(&app, &signed, id, Refused::default(), StatusCode::OK).await
}

/// By virtue of what a signature is somebody's, when it is not their own.
fn via(via: Via) -> Option<&'static str> {
    match via {
        Via::Owner => None,
        Via::Manager => Some("The owner's manager: the owner asked for it, or has the other part"),
        Via::Acting => Some("Appointed while the capacity is vacant"),
        Via::Delegate => Some("The signer's delegate"),
        Via::Waiver => Some("Waived: security signed for a vacant signer"),
    }
}

async fn page(app: &App, signed: &Signed, id: RequestId, refused: Refused<RetireForm>, status: StatusCode) -> Answer {
    let view = retirements::read(&app.db, signed.by(), id).await?;
    let agent = view.request.kept.agent;
    let mut reads = &app.db;
    let stands = register::agents::relation::relation(&mut reads, &signed.actor, &view.request.agent)
        .await
        .map_err(Error::from)?;
    let who = Party::Person(view.request.kept.requester);
    let request = &view.request;
    let signatures = request
        .steps
        .iter()
        .map(|s| {
            let step = &s.kept.step;
            Signature {
                place: step.place,
                duty: step.duty,
                signer: s.decider.map(|d| (Party::Person(d.person), request.name(d.person))),
                via: s.decider.and_then(|d| via(d.via)),
                signed: step.decided.as_ref().map(|d| {
                    let signed = d.verdict == Verdict::Approve;
                    (signed, request.name(d.by), d.at, s.kept.via.and_then(via), s.kept.reason.clone())
                }),
                mine: s.mine && s.ready,
                not_mine: s.not_mine.clone(),
                may_waive: view.waivable.contains(&step.place),
            }
        })
        .collect();
    let shown = Shown {
        id,
        agent: (agent, request.agent_name.clone()),
        state: request.state,
        open: !request.state.ended(),
        tier: request.kept.tier,
        running: request.agent.facts.running,
        asked: (who, request.name(request.kept.requester), request.kept.opened_at, request.kept.reason.clone()),
        closed: request.kept.closed.map(|(_, at)| (at, request.kept.closing.clone())),
        lapses_at: request.kept.lapses_at,
        watched_until: view.watched_until,
        signs: view.signs.iter().cloned().map(sign).collect(),
        signatures,
        subject_sha256: request.kept.subject_sha256.clone(),
        owners: view.owners.iter().map(|o| (o.duty, o.party, o.name.clone())).collect(),
        reads_evidence: can(&signed.actor, Action::AgentReadControls, stands).is_ok(),
        may_withdraw: request.may_withdraw,
        rows: view.rows.into_iter().map(row).collect(),
        refused,
        now: signed.now,
    };
    let title = format!("Retirement {id}");
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <RetirementPage shown=shown/> }))
}

fn row(r: retirements::ShownRow) -> Row {
    let answers = r.answers.iter().map(|a| Cited {
        delivery: a.delivery.clone(),
        label: format!("{} webhook, stopped {}", a.surface.label(), a.at.format("%-d %b %Y, %H:%M UTC")),
    });
    Row {
        place: r.kept.place,
        kind: r.kept.kind,
        answers: answers.collect(),
        doer: r.doer,
        proof: r.kept.proof,
        done: r.kept.done.as_ref().map(|(at, _)| (*at, r.closed_by.clone())),
        waived: r.kept.waived.as_ref().map(|(at, _, why)| (*at, r.closed_by.clone(), why.clone())),
        file: r.kept.evidence_sha256.map(|sha256| (sha256, r.file)),
        subject: r.kept.subject,
        link: r.kept.link,
        delivery: r.kept.delivery,
        note: r.kept.note,
        carried_from: r.kept.carried_from,
        may_close: r.may_close,
        may_waive: r.may_waive,
    }
}

/// The page with what was typed, and what stopped it beside its field.
async fn again(app: &App, signed: &Signed, id: RequestId, form: RetireForm, error: Error) -> Answer {
    let status =
        if matches!(error, Error::Conflict(_)) { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
    let mut errors = FieldErrors::new();
    let signing = matches!(form.what.as_str(), "sign" | "refuse" | "waive-signature");
    for (field, message) in field_errors(error)?.iter() {
        let field = match field {
            "" => String::new(),
            "reason" if signing => format!("said-{}", form.place),
            field if form.place.is_empty() => field.to_owned(),
            field => format!("{field}-{}", form.place),
        };
        errors.add(field, message);
    }
    page(app, signed, id, Refused { values: form, errors }, status).await
}

async fn act(State(app): State<App>, signed: Signed, Path(id): Path<RequestId>, fields: Fields) -> Answer {
    let by = signed.by();
    let place = fields.get("place").to_owned();
    let what = fields.get("do").to_owned();
    let reason = match what.as_str() {
        "sign" | "refuse" | "waive-signature" => fields.get(&format!("said-{place}")),
        "waive" => fields.get(&format!("reason-{place}")),
        _ => fields.get("reason"),
    };
    let form =
        RetireForm { what: what.clone(), place: place.clone(), reason: reason.to_owned(), ..RetireForm::default() };
    let number = place.parse::<i64>().unwrap_or(0);
    let to = format!("/retirements/{id}");
    let done = match what.as_str() {
        "waive" => retirements::waive(&app.db, by, id, number, &form.reason)
            .await
            .map(|()| (format!("{to}#row-{number}"), "Waived. The reason stays on the tombstone.")),
        "sign" | "refuse" => {
            let answer = requests::Answer {
                verdict: if what == "sign" { Verdict::Approve } else { Verdict::Reject },
                reason: form.reason.clone(),
                conditions: Vec::new(),
                subject_sha256: fields.get("subject_sha256").to_owned(),
            };
            // It is a retirement that is meant, and one that the reader may see.
            retirements::read(&app.db, by, id).await?;
            requests::decide(&app.db, by, id, &[number], &answer).await.map(|state| (to.clone(), signed_words(state)))
        }
        "waive-signature" => retirements::waive_signature(&app.db, by, id, number, &form.reason)
            .await
            .map(|state| (to.clone(), signed_words(state))),
        "withdraw" => {
            retirements::read(&app.db, by, id).await?;
            requests::withdraw(&app.db, by, id, &form.reason)
                .await
                .map(|()| (to.clone(), "Taken back. The agent stays retiring."))
        }
        _ => {
            retirements::read(&app.db, by, id).await?;
            Err(Error::Conflict("That button is not on this page any more.".into()))
        }
    };
    match done {
        Ok((to, sentence)) => Ok(see_other_saying(&app, to, &Flash::good(sentence))),
        Err(error) => again(&app, &signed, id, form, error).await,
    }
}

const fn signed_words(state: RequestState) -> &'static str {
    match state {
        RequestState::Approved => "Signed. It is retired: this page is its tombstone.",
        RequestState::Rejected => "Refused. This retirement has ended; the agent stays retiring.",
        _ => "Signed. The other signature is awaited.",
    }
}

/// The form of a row, with its file.
async fn sent(form: Result<Multipart, MultipartRejection>) -> Result<(RetireForm, File), Fault> {
    let broken = |e: MultipartError| {
        if e.status() == StatusCode::PAYLOAD_TOO_LARGE {
            Fault::new(StatusCode::PAYLOAD_TOO_LARGE, "The file has more than 10 MiB. Cut it to what shows the row.")
        } else {
            Fault::malformed(e.body_text())
        }
    };
    let mut parts = form.map_err(|e| Fault::malformed(e.body_text()))?;
    let (mut form, mut file) = (RetireForm { what: "done".into(), ..RetireForm::default() }, File::default());
    while let Some(part) = parts.next_field().await.map_err(broken)? {
        let name = part.name().unwrap_or_default().to_owned();
        let called = part.file_name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(broken)?;
        let text = || String::from_utf8_lossy(&bytes).into_owned();
        match name.split('-').next().unwrap_or_default() {
            "place" => form.place = text(),
            "link" => form.link = text(),
            "delivery" => form.delivery = text(),
            "note" => form.note = text(),
            "evidence" => file = File { name: called, bytes: bytes.to_vec() },
            _ => {}
        }
    }
    Ok((form, file))
}

async fn bring(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<RequestId>,
    form: Result<Multipart, MultipartRejection>,
) -> Answer {
    // Who may not see it, or can close none of its rows, is told so before a file is read.
    let view = retirements::read(&app.db, signed.by(), id).await?;
    if !view.rows.iter().any(|r| r.may_close) {
        can(&signed.actor, Action::RetirementRow, Relation::None).map_err(Error::from)?;
    }
    let (form, file) = sent(form).await?;
    let place = form.place.trim().parse::<i64>().unwrap_or(0);
    let evidence = if !file.bytes.is_empty() {
        Evidence::File(file)
    } else if !form.delivery.trim().is_empty() {
        Evidence::Call(form.delivery.clone())
    } else if !form.link.trim().is_empty() {
        Evidence::Link(form.link.clone())
    } else {
        Evidence::File(File::default())
    };
    match retirements::close(&app.db, signed.by(), id, place, evidence, &form.note).await {
        Ok(()) => Ok(see_other_saying(
            &app,
            format!("/retirements/{id}#row-{place}"),
            &Flash::good("Kept: the row is closed."),
        )),
        Err(error) => again(&app, &signed, id, form, error).await,
    }
}

/// What an agent's page says of its retirement.
pub(super) async fn of_agent(app: &App, signed: &Signed, id: AgentId) -> Result<Option<app::agents::Ending>, Error> {
    let mut reads = &app.db;
    let found = retirements::of_agent(&app.db, signed.by(), id).await?;
    let signs: Vec<Sign> =
        life::of(&mut reads, &[id]).await?.remove(&id).unwrap_or_default().into_iter().map(sign).collect();
    let Some((request, state, owners)) = found else {
        return Ok((!signs.is_empty()).then(|| app::agents::Ending { request: None, owners: Vec::new(), signs }));
    };
    // Who may not open it is not led there.
    let opens = match retirements::read(&app.db, signed.by(), request).await {
        Ok(_) => true,
        Err(Error::Denied(_) | Error::NotFound(_)) => false,
        Err(error) => return Err(error),
    };
    let owners: Vec<_> = owners.into_iter().map(|o| (o.duty, o.party, o.name)).collect();
    Ok(Some(app::agents::Ending { request: Some((request, state, opens)), owners, signs }))
}
