//! `/approvals`, `/requests/{id}`, and asking: what is asked about agents, and decided.

use app::components::{Address, FieldErrors, Flash, Refused};
use app::requests::{
    AlikePage, AskForm, AskPage, Asking, CardForm, DecisionCard, Life, Line, ListPage, Listed, Message, One, Past,
    Shown, ShownStep, Step, Task, Together, View as Which, WaitingLine,
};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use chrono::{NaiveDate, NaiveTime};
use domain::agent::Lifecycle;
use domain::can::{Action, Relation, can};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::party::Party;
use domain::request::{RequestKind, RequestState, Verdict};
use leptos::prelude::*;
use register::agents::assess::party_names;
use register::requests::{self, Answer as Decision, NewCondition, Submission, acting, conditions, list, many};
use register::{Error, agents, people};

use super::people::refuse;
use crate::App;
use crate::page::{Answer, Fault, Fields, Here, Page, see_other, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// Rows of a page.
const ROWS: i64 = 50;
/// Requests shown on the page of an agent.
const PAST: i64 = 20;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/approvals", listed)
        .get("/approvals/alike", together)
        .post("/approvals/alike", approve_together)
        .get("/requests/{id}", show)
        .post("/requests/{id}", act)
        .get("/agents/{id}/submit", ask)
        .post("/agents/{id}/submit", asked)
        .get("/agents/{id}/resume", ask_resume)
        .post("/agents/{id}/resume", asked_resume)
        .post("/agents/{id}/life", live)
}

async fn listed(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    lists(&app, &signed, &here, &[], FieldErrors::new(), StatusCode::OK).await
}

async fn lists(
    app: &App,
    signed: &Signed,
    here: &Address,
    ticked: &[RequestId],
    refused: FieldErrors,
    status: StatusCode,
) -> Answer {
    let by = signed.by();
    let sees_all = can(&signed.actor, Action::RequestRead, Relation::None).is_ok();
    let appoints = can(&signed.actor, Action::ActingAppoint, Relation::None).is_ok();
    let view = match here.get("view") {
        Some("vacant") if appoints => Which::Vacant,
        Some("escalated") => Which::Escalated,
        Some("open") => Which::Open,
        Some("all") => Which::All,
        _ => Which::Waiting,
    };
    let cursor = here.get("cursor");
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let waits = count(list::count_waiting(&app.db, by, signed.id, list::COUNTED + 1).await?);
    let vacant = if appoints { Some(count(list::count_vacant(&app.db, by, list::COUNTED + 1).await?)) } else { None };
    let escalated = count(list::count_escalated(&app.db, by, list::COUNTED + 1).await?);
    let mut shown = Listed {
        refused,
        ticked: ticked.to_vec(),
        view,
        waits,
        escalated: (appoints || escalated > 0 || view == Which::Escalated).then_some(escalated),
        vacant,
        steps: Vec::new(),
        lines: Vec::new(),
        sees_all,
        previous: None,
        next: None,
        now: signed.now,
    };
    match view {
        Which::Waiting => {
            let page = list::waiting(&app.db, by, signed.id, cursor, ROWS).await?;
            shown.next = page.next.map(|c| format!("/approvals?cursor={c}"));
            shown.steps = waiting(app, page.items).await?;
        }
        Which::Vacant => shown.steps = waiting(app, list::vacant(&app.db, by, 200).await?).await?,
        Which::Escalated => {
            let page = list::escalated(&app.db, by, cursor, ROWS).await?;
            shown.next = page.next.map(|c| format!("/approvals?view=escalated&cursor={c}"));
            shown.steps = waiting(app, page.items).await?;
        }
        Which::Open | Which::All => {
            let open = view == Which::Open;
            let filter = list::Filter { state: open.then_some(RequestState::Open), ..list::Filter::default() };
            let page = list::list(&app.db, by, &filter, cursor, Some(ROWS)).await?;
            let at = |c: String| format!("/approvals?view={}&cursor={c}", if open { "open" } else { "all" });
            shown.previous = page.previous.map(at);
            shown.next = page.next.map(at);
            shown.lines = page.items.into_iter().map(line).collect();
        }
    }
    Ok(Page::new(app, signed, "Approvals").status(status).show(move || view! { <ListPage listed=shown/> }))
}

/// The approvals that were ticked, to be decided together.
async fn together(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let ids: Vec<RequestId> = here.all("request").filter_map(|r| r.parse().ok()).collect();
    match many::alike(&app.db, signed.by(), &ids).await {
        Ok(alike) => Ok(alike_page(&app, &signed, alike, Refused::default(), StatusCode::OK)),
        Err(error) => {
            let mut errors = FieldErrors::new();
            let status = refuse(error, &mut errors)?;
            lists(&app, &signed, &here, &ids, errors, status).await
        }
    }
}

fn alike_page(app: &App, signed: &Signed, alike: many::Alike, form: Refused<String>, status: StatusCode) -> Response {
    let together = Together {
        facts: alike.facts,
        tier: alike.tier,
        duties: alike.duties,
        all: alike
            .all
            .into_iter()
            .map(|o| One {
                request: o.request,
                agent: o.agent,
                name: o.name,
                purpose: o.purpose,
                subject_sha256: o.subject_sha256,
            })
            .collect(),
        form,
    };
    Page::new(app, signed, "Decide together").status(status).show(move || view! { <AlikePage together=together/> })
}

async fn approve_together(State(app): State<App>, signed: Signed, Here(here): Here, fields: Fields) -> Answer {
    let given: Vec<(RequestId, String)> = fields
        .all("given")
        .filter_map(|g| g.split_once(':'))
        .filter_map(|(id, sha)| Some((id.parse().ok()?, sha.to_owned())))
        .collect();
    let reason = fields.get("reason").to_owned();
    let error = match many::approve(&app.db, signed.by(), &given, &reason).await {
        Ok(done) => {
            let count = done.done.len();
            let mut told = if count == 1 { "1 is approved.".to_owned() } else { format!("{count} are approved.") };
            for (id, why) in &done.left {
                told.push_str(&format!(" {id} is not: {why}"));
            }
            let flash = if done.left.is_empty() { Flash::good(told) } else { Flash::bad(told) };
            return Ok(see_other_saying(&app, "/approvals", &flash));
        }
        Err(error) => error,
    };
    let mut errors = FieldErrors::new();
    let status = refuse(error, &mut errors)?;
    let ids: Vec<RequestId> = given.iter().map(|(id, _)| *id).collect();
    match many::alike(&app.db, signed.by(), &ids).await {
        Ok(alike) => Ok(alike_page(&app, &signed, alike, Refused { values: reason, errors }, status)),
        Err(_) => lists(&app, &signed, &here, &ids, errors, status).await,
    }
}

pub(super) async fn waiting(app: &App, items: Vec<list::Waiting>) -> Result<Vec<WaitingLine>, Error> {
    let mut reads = &app.db;
    let names = party_names(&mut reads, items.iter().filter_map(|w| w.on_behalf_of).map(Party::Person)).await?;
    Ok(items
        .into_iter()
        .map(|w| WaitingLine {
            request: w.request,
            kind: w.kind,
            duty: w.duty,
            agent: w.agent,
            agent_name: w.agent_name,
            tier: w.tier,
            requester: w.requester,
            due_at: w.due_at,
            on_behalf_of: w.on_behalf_of.and_then(|p| names.get(&Party::Person(p)).cloned()),
        })
        .collect())
}

fn line(l: list::Line) -> Line {
    Line {
        id: l.id,
        kind: l.kind,
        agent: l.agent,
        agent_name: l.agent_name,
        tier: l.tier,
        requester: l.requester,
        opened_at: l.opened_at,
        state: l.state,
        decided: l.decided,
        due_at: l.due_at,
        closed_at: l.closed_at,
    }
}

async fn show(State(app): State<App>, signed: Signed, Path(id): Path<RequestId>) -> Answer {
    let kind = requests::read(&app.db, signed.by(), id).await?.kept.kind;
    if matches!(kind, RequestKind::Review | RequestKind::Retirement) {
        return Ok(see_other(kind.path(id)));
    }
    // An exception is decided on its own page; a request whose controls were written anew has none.
    if kind == RequestKind::Exception
        && let Some(exception) = register::exceptions::one::of_request(&app.db, id).await?
    {
        return Ok(see_other(format!("/exceptions/{exception}")));
    }
    card(&app, &signed, id, Refused::default(), StatusCode::OK).await
}

async fn card(app: &App, signed: &Signed, id: RequestId, form: Refused<CardForm>, status: StatusCode) -> Answer {
    let shown = shown(app, signed, id, form).await?;
    let title = format!("{} {id}", shown.kind.label());
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <DecisionCard shown=shown/> }))
}

/// A request as its card shows it.
pub(super) async fn shown(app: &App, signed: &Signed, id: RequestId, form: Refused<CardForm>) -> Result<Shown, Error> {
    let view = requests::read(&app.db, signed.by(), id).await?;
    let name = |p: PersonId| (p, view.name(p));
    let kept = &view.kept;
    let facts = kept.facts();
    let changes = match (&facts, kept.kind) {
        (Some((before, after)), RequestKind::ScopeChange) => {
            domain::import::changes(before, after).into_iter().filter(|c| c.boundary).collect()
        }
        _ => Vec::new(),
    };
    let lapsed = (view.state == RequestState::Lapsed)
        .then(|| (kept.lapses_at, "Not everybody decided in time; nothing was approved.".to_owned()));
    let met_by: Vec<Party> = view.conditions.iter().filter_map(|c| c.met.as_ref()?.1.parse().ok()).collect();
    let mut reads = &app.db;
    let met_by = party_names(&mut reads, met_by).await?;
    let security = can(&signed.actor, Action::ConditionMeet, Relation::None).is_ok();
    Ok(Shown {
        id,
        kind: kept.kind,
        state: view.state,
        agent: kept.agent,
        name: view.agent_name.clone(),
        agent_state: view.agent.state,
        tier: kept.tier,
        requester: name(kept.requester),
        opened_at: kept.opened_at,
        reason: kept.reason.clone(),
        reviewer: kept.reviewer.map(name),
        facts: facts.map(|(_, after)| after),
        changes,
        subject_sha256: kept.subject_sha256.clone(),
        unchanged: view.unchanged || view.state.ended(),
        policy_version: kept.policy_version,
        lapses_at: kept.lapses_at,
        closed: kept.closed.map(|(_, at)| (at, kept.closing.clone())).or(lapsed),
        steps: view
            .steps
            .iter()
            .map(|s| ShownStep {
                place: s.kept.step.place,
                duty: s.kept.step.duty,
                agent: (kept.agents().len() > 1).then_some(s.kept.agent),
                because: s.kept.because.clone(),
                last: s.kept.step.last,
                due_at: s.kept.step.due_at,
                urgency: s.urgency,
                ready: s.ready,
                decider: s.decider.map(|d| (d.person, view.name(d.person), d.via)),
                decided: s.kept.step.decided.as_ref().map(|d| {
                    (d.verdict, view.name(d.by), d.on_behalf_of.map(|p| view.name(p)), d.at, s.kept.reason.clone())
                }),
                mine: s.mine,
                not_mine: s.not_mine.clone(),
            })
            .collect(),
        thread: view
            .thread
            .iter()
            .map(|m| Message {
                place: m.place,
                question: m.question,
                at: m.at,
                by: view.name(m.by),
                words: m.words.clone(),
            })
            .collect(),
        tasks: view
            .conditions
            .iter()
            .map(|c| Task {
                id: c.id,
                words: c.words.clone(),
                owner: c.owner.clone(),
                due_at: c.due_at,
                met: c.met.clone().map(|(at, by, note)| {
                    let by = by.parse::<Party>().ok().and_then(|p| met_by.get(&p).cloned()).unwrap_or(by);
                    (at, by, note)
                }),
                mine: c.owner.0 == signed.id || security,
            })
            .collect(),
        asked_by_me: view.asked_by_me,
        may_withdraw: view.may_withdraw,
        may_appoint: view.may_appoint,
        form,
        now: signed.now,
    })
}

/// What was typed on the card.
fn typed(fields: &Fields) -> CardForm {
    let pressed = fields.get("do").to_owned();
    let reason = match pressed.as_str() {
        "answer" => fields.get("answer"),
        "appoint" => fields.get("appoint-reason"),
        "withdraw" => fields.get("withdraw-reason"),
        _ => fields.get("reason"),
    };
    let part = |part: &str, n: usize| fields.get(&format!("condition-{part}-{n}")).to_owned();
    CardForm {
        reason: reason.to_owned(),
        conditions: (0..3).map(|n| (part("text", n), part("owner", n), part("due", n))).collect(),
        person: fields.get("person").to_owned(),
        duty: fields.get("duty").to_owned(),
        note: fields.get(&format!("note-{}", fields.get("condition"))).to_owned(),
        pressed,
    }
}

/// One person by what was typed.
async fn person(app: &App, typed: &str) -> Result<Result<PersonId, String>, Error> {
    let mut reads = &app.db;
    Ok(match people::resolve(&mut reads, typed).await? {
        Ok(named) => Ok(named.id),
        Err(unclear) => Err(unclear.told(typed)),
    })
}

/// The conditions that were typed; rows left empty are none.
async fn typed_conditions(app: &App, form: &CardForm, errors: &mut FieldErrors) -> Result<Vec<NewCondition>, Error> {
    let mut out = Vec::new();
    for (n, (words, owner, due)) in form.conditions.iter().enumerate() {
        if [words, owner, due].iter().all(|s| s.trim().is_empty()) {
            continue;
        }
        let due_at = NaiveDate::parse_from_str(due.trim(), "%Y-%m-%d").ok();
        if due_at.is_none() {
            errors.add(format!("condition-due-{n}"), "A date, for instance 2027-01-31.");
        }
        match (person(app, owner).await?, due_at) {
            (Ok(owner), Some(day)) => {
                let due_at = day.and_time(NaiveTime::MIN).and_utc() + chrono::TimeDelta::days(1);
                out.push(NewCondition { words: words.clone(), owner, due_at });
            }
            (Err(sentence), _) => errors.add(format!("condition-owner-{n}"), sentence),
            (Ok(_), None) => {}
        }
    }
    Ok(out)
}

async fn act(State(app): State<App>, signed: Signed, Path(id): Path<RequestId>, fields: Fields) -> Answer {
    match press(&app, &signed, id, &fields).await? {
        Ok(sentence) => Ok(see_other_saying(&app, format!("/requests/{id}"), &Flash::good(sentence))),
        Err((refused, status)) => card(&app, &signed, id, refused, status).await,
    }
}

/// What was typed on a card, and what is wrong with it.
type Pressed = Result<String, (Refused<CardForm>, StatusCode)>;

/// What is pressed on a card: what was done, in a sentence, or the form as it was sent.
pub(super) async fn press(app: &App, signed: &Signed, id: RequestId, fields: &Fields) -> Result<Pressed, Fault> {
    let by = signed.by();
    let form = typed(fields);
    let mut errors = FieldErrors::new();
    let places: Vec<i64> = fields.all("step").filter_map(|s| s.parse().ok()).collect();
    let first = places.first().copied().unwrap_or(0);
    let done: Result<String, Error> = match form.pressed.as_str() {
        "approve" | "reject" | "approve_with_conditions" => {
            let given = if form.pressed == "approve_with_conditions" {
                typed_conditions(app, &form, &mut errors).await?
            } else {
                Vec::new()
            };
            if places.is_empty() {
                errors.add("step", "Tick in which capacity you decide.");
            }
            if errors.is_empty() {
                let verdict = match form.pressed.as_str() {
                    "approve" => Verdict::Approve,
                    "reject" => Verdict::Reject,
                    _ => Verdict::ApproveWithConditions,
                };
                let answer = Decision {
                    verdict,
                    reason: form.reason.clone(),
                    conditions: given,
                    subject_sha256: fields.get("subject_sha256").to_owned(),
                };
                decide(app, signed, id, &places, &answer).await
            } else {
                Err(Error::Invalid(Vec::new()))
            }
        }
        "ask" => {
            requests::ask(&app.db, by, id, first, &form.reason).await.map(|()| "Your question is asked.".to_owned())
        }
        "answer" => {
            requests::reply(&app.db, by, id, first, &form.reason).await.map(|()| "Your answer is sent.".to_owned())
        }
        "withdraw" => requests::withdraw(&app.db, by, id, &form.reason).await.map(|()| format!("{id} is taken back.")),
        "appoint" => {
            let about = requests::read(&app.db, by, id).await?.kept.agent;
            // Of several agents, the duty says of which.
            let (duty, about) = match form.duty.split_once(':') {
                Some((duty, agent)) => (duty, agent.parse().unwrap_or(about)),
                None => (form.duty.as_str(), about),
            };
            match (duty.parse::<Duty>(), person(app, &form.person).await?) {
                (Ok(duty), Ok(who)) => acting::appoint(&app.db, by, about, duty, who, &form.reason)
                    .await
                    .map(|until| format!("Appointed until {}.", until.format("%-d %B"))),
                (_, Err(sentence)) => {
                    errors.add("person", sentence);
                    Err(Error::Invalid(Vec::new()))
                }
                (Err(_), _) => Err(Error::Conflict("Choose for which capacity.".into())),
            }
        }
        "met" => match fields.get("condition").parse() {
            Ok(number) => {
                conditions::meet(&app.db, by, number, &form.note).await.map(|_| "The condition is met.".to_owned())
            }
            Err(_) => Err(Error::Conflict("Open the page again: it is not known which condition is meant.".into())),
        },
        _ => {
            requests::read(&app.db, by, id).await?;
            Err(Error::Conflict("Press one of the buttons.".into()))
        }
    };
    match done {
        Ok(sentence) => Ok(Ok(sentence)),
        Err(error) => {
            let error = renamed(error, &form, fields.get("condition"));
            let status = refuse(error, &mut errors)?;
            Ok(Err((Refused { values: form, errors }, status)))
        }
    }
}

/// Decides the ticked steps, and says how the request stands then.
async fn decide(app: &App, signed: &Signed, id: RequestId, places: &[i64], answer: &Decision) -> Result<String, Error> {
    let state = requests::decide(&app.db, signed.by(), id, places, answer).await?;
    Ok(match state {
        RequestState::Open => "Your decision is recorded; others have still to decide.".to_owned(),
        ended => format!("Your decision is recorded. {id}: {}.", ended.label().to_lowercase()),
    })
}

/// The field of the form that an error's pointer means.
fn renamed(error: Error, form: &CardForm, condition: &str) -> Error {
    let Error::Invalid(list) = error else { return error };
    let list = list
        .into_iter()
        .map(|mut e| {
            let said = e.pointer.trim_start_matches('/').to_owned();
            let field = match (said.as_str(), form.pressed.as_str()) {
                ("reason", "answer") => "answer".to_owned(),
                ("reason", "appoint") => "appoint-reason".to_owned(),
                ("reason", "withdraw") => "withdraw-reason".to_owned(),
                ("note", _) => format!("note-{condition}"),
                (path, _) => match path.strip_prefix("conditions/").and_then(|p| p.split_once('/')) {
                    Some((n, part)) => format!("condition-{part}-{n}"),
                    None => path.to_owned(),
                },
            };
            e.pointer = format!("/{field}");
            e
        })
        .collect();
    Error::Invalid(list)
}

async fn ask(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>) -> Answer {
    asking(&app, &signed, id, Refused::default(), StatusCode::OK).await
}

async fn asking(app: &App, signed: &Signed, id: AgentId, form: Refused<AskForm>, status: StatusCode) -> Answer {
    let foreseen = requests::foresee(&app.db, signed.by(), id).await?;
    let view = agents::read(&app.db, signed.by(), id).await?;
    let state = view.judged.agent.state;
    let mut blocked = foreseen.blocked;
    match state {
        Lifecycle::Discovered => blocked.insert(0, "It is discovered: adopt it first, which makes it a draft.".into()),
        Lifecycle::Retiring | Lifecycle::Retired => blocked.insert(0, "It is on its way out.".into()),
        _ => {}
    }
    let asking = Asking {
        agent: id,
        name: foreseen.name,
        again: state.boundary_is_approved(),
        facts: foreseen.facts,
        steps: steps(foreseen.steps),
        blocked,
        needs_reviewer: foreseen.needs_reviewer,
        lapses_at: foreseen.lapses_at,
        policy_version: foreseen.policy_version,
        form,
        now: signed.now,
    };
    let title = format!("Ask for approval of {id}");
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <AskPage asking=asking/> }))
}

pub(super) fn steps(list: Vec<requests::ForeseenStep>) -> Vec<Step> {
    list.into_iter()
        .map(|s| Step {
            duty: s.wanted.duty,
            because: s.wanted.because,
            last: s.wanted.last,
            decider: s.decider,
            due_at: s.due_at,
        })
        .collect()
}

async fn asked(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, fields: Fields) -> Answer {
    let values = AskForm { reason: fields.get("reason").to_owned(), reviewer: fields.get("reviewer").to_owned() };
    let mut errors = FieldErrors::new();
    let said = submission(&app, &values, &mut errors).await?;
    let done = if let Some(said) = said {
        requests::submit(&app.db, signed.by(), id, &said).await
    } else {
        requests::foresee(&app.db, signed.by(), id).await?;
        Err(Error::Invalid(Vec::new()))
    };
    match done {
        Ok(request) => {
            Ok(see_other_saying(&app, format!("/requests/{request}"), &Flash::good(format!("{request} is asked."))))
        }
        Err(error) => {
            let status = refuse(error, &mut errors)?;
            asking(&app, &signed, id, Refused { values, errors }, status).await
        }
    }
}

/// What is said when asking; `None` when the reviewer is nobody that can be told apart.
pub(super) async fn submission(
    app: &App,
    values: &AskForm,
    errors: &mut FieldErrors,
) -> Result<Option<Submission>, Error> {
    let reviewer = if values.reviewer.trim().is_empty() {
        None
    } else {
        match person(app, &values.reviewer).await? {
            Ok(person) => Some(person),
            Err(sentence) => {
                errors.add("reviewer", sentence);
                return Ok(None);
            }
        }
    };
    Ok(Some(Submission { reason: values.reason.clone(), reviewer }))
}

async fn ask_resume(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>) -> Answer {
    resuming(&app, &signed, id, Refused::default(), StatusCode::OK).await
}

async fn resuming(app: &App, signed: &Signed, id: AgentId, form: Refused<AskForm>, status: StatusCode) -> Answer {
    let foreseen = requests::foresee_resumption(&app.db, signed.by(), id).await?;
    let asking = Asking {
        agent: id,
        name: foreseen.name,
        again: false,
        facts: foreseen.facts,
        steps: steps(foreseen.steps),
        blocked: foreseen.blocked,
        needs_reviewer: false,
        lapses_at: foreseen.lapses_at,
        policy_version: foreseen.policy_version,
        form,
        now: signed.now,
    };
    let title = format!("Ask to resume {id}");
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <AskPage asking=asking resume=true/> }))
}

async fn asked_resume(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, fields: Fields) -> Answer {
    let values = AskForm { reason: fields.get("reason").to_owned(), reviewer: String::new() };
    let said = Submission { reason: values.reason.clone(), reviewer: None };
    match requests::resume(&app.db, signed.by(), id, &said).await {
        Ok(request) => {
            Ok(see_other_saying(&app, format!("/requests/{request}"), &Flash::good(format!("{request} is asked."))))
        }
        Err(error) => {
            let mut errors = FieldErrors::new();
            let status = refuse(error, &mut errors)?;
            resuming(&app, &signed, id, Refused { values, errors }, status).await
        }
    }
}

/// What is pressed about an agent's life on its page.
async fn live(State(app): State<App>, signed: Signed, Path(id): Path<AgentId>, fields: Fields) -> Answer {
    let by = signed.by();
    let done = match fields.get("do") {
        "adopt" => requests::adopt(&app.db, by, id, "").await.map(|()| format!("{id} is adopted: it is a draft now.")),
        "activate" => requests::activate(&app.db, by, id, "").await.map(|()| format!("{id} is active.")),
        _ => {
            agents::read(&app.db, by, id).await?;
            Err(Error::Conflict("Press one of the buttons.".into()))
        }
    };
    let flash = match done {
        Ok(sentence) => Flash::good(sentence),
        Err(Error::Conflict(sentence)) => Flash::bad(sentence),
        Err(error) => return Err(error.into()),
    };
    Ok(see_other_saying(&app, format!("/agents/{id}#requests"), &flash))
}

/// What can happen to an agent next, for its page.
pub(super) async fn life(app: &App, signed: &Signed, view: &agents::View) -> Result<Life, Error> {
    let agent = &view.judged.agent;
    let by = signed.by();
    let mut reads = &app.db;
    let may = |action| can(&signed.actor, action, view.relation).is_ok();
    let reads_all = may(Action::RequestRead);
    let past = if reads_all { requests::stored::of_agent(&mut reads, agent.id, PAST).await? } else { Vec::new() };
    let names = party_names(&mut reads, past.iter().map(|p| Party::Person(p.requester))).await?;
    let lacks = if agent.state == Lifecycle::Approved && view.controls {
        requests::lacks(&app.db, by, agent.id).await?.into_iter().map(|l| l.sentence).collect()
    } else {
        Vec::new()
    };
    Ok(Life {
        agent: agent.id,
        state: agent.state,
        approved: agent.approved.as_ref().map(|a| (a.at, a.request)),
        holds: agent.boundary_holds(),
        lacks,
        may_ask: may(Action::RequestOpen),
        may_adopt: may(Action::AgentEdit),
        may_activate: may(Action::AgentActivate),
        drift: view.judged.governance.drift.is_some(),
        past: past
            .into_iter()
            .map(|p| Past {
                id: p.id,
                kind: p.kind,
                requester: names.get(&Party::Person(p.requester)).cloned().unwrap_or_else(|| p.requester.to_string()),
                opened_at: p.opened_at,
                state: p.state(by.now),
            })
            .collect(),
        now: by.now,
    })
}
