//! `/exceptions`: the register as a table and a timeline, one exception, asking for one, and what
//! an agent's page says of its own.

use app::components::{Address, Choice, FieldErrors, Flash, Refused};
use app::exceptions::form::MOST_ROOM;
use app::exceptions::list::Check;
use app::exceptions::one::{Agent, Link, May, Node};
use app::exceptions::{
    Control, Covered, ExceptionForm, ExceptionPage, Figures, Foreseen, FormPage, Forming, Line, ListPage, Listed, Look,
    OfAgent, OneForm, Rule, Shown, TypedControl,
};
use app::requests::Step;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::can::{Action, Denied, Relation, can};
use domain::duty::Duty;
use domain::exception::{Asked, AskedControl, Control as Excepted, ExceptionState, Selection, duty_of};
use domain::finding::FindingKey;
use domain::framework;
use domain::id::{AgentId, ExceptionId, PersonId};
use domain::import::neutral::write_row;
use domain::party::Party;
use domain::tier::Tier;
use futures_util::stream;
use leptos::prelude::*;
use register::agents::known;
use register::exceptions::{self, NewException, Scope, board, figures, one};
use register::{Error, paging, people, policies, systems};

use super::people::refuse;
use super::requests;
use crate::App;
use crate::page::{Answer, Fault, Fields, Here, Page, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// Nodes of frameworks offered in the filter.
const NODES: i64 = 100;
/// Systems offered in the form.
const SYSTEMS: i64 = 200;
/// Exceptions shown on the page of an agent.
const OF_AGENT: i64 = 8;
/// Agents named in the preview.
const NAMED: usize = 8;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/exceptions", listed)
        .get("/exceptions.csv", export)
        .get("/exceptions/new", blank)
        .post("/exceptions/new", asked)
        .get("/exceptions/{id}", show)
        .post("/exceptions/{id}", act)
        .get("/exceptions/{id}/renew", renewing)
        .post("/exceptions/{id}/renew", renewed)
        .get("/exceptions/{id}/controls", writing)
        .post("/exceptions/{id}/controls", written)
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn rule(control: &Excepted) -> Rule {
    Rule { key: control.key().to_owned(), label: control.label().to_owned() }
}

/// The query that an address names, or a sentence for each value that is none.
fn query(here: &Address) -> Result<board::Query, Vec<String>> {
    let mut wrong = Vec::new();
    let which = match here.get("state").unwrap_or("active").parse() {
        Ok(which) => which,
        Err(error) => {
            wrong.push(format!("{error}, breached, all"));
            board::Which::All
        }
    };
    let (sort, down) = match here.get("sort").map(board::Sort::parse) {
        Some(Some(sort)) => sort,
        Some(None) => {
            wrong.push("Exceptions are sorted by expires_at or id.".to_owned());
            (board::Sort::Expires, false)
        }
        // What ends soonest comes first; what is over or undecided, newest first.
        None if which == board::Which::State(ExceptionState::Active) => (board::Sort::Expires, false),
        None => (board::Sort::Expires, true),
    };
    let mut days = |key: &str| {
        let value = here.get(key)?;
        let days = value.parse::<i64>().ok().filter(|n| (0..=3660).contains(n));
        if days.is_none() {
            wrong.push(format!("“{value}” is no number of days."));
        }
        days
    };
    let (within, beyond) = (days("within"), days("beyond"));
    fn word<T: std::str::FromStr<Err: std::fmt::Display>>(
        here: &Address,
        key: &str,
        wrong: &mut Vec<String>,
    ) -> Option<T> {
        here.get(key)?.parse().map_err(|e: T::Err| wrong.push(e.to_string())).ok()
    }
    let owner = word::<Party>(here, "control_owner", &mut wrong);
    let tier = word::<Tier>(here, "tier", &mut wrong);
    let agent = word::<AgentId>(here, "agent", &mut wrong);
    let renewed = match here.get("renewed") {
        None => None,
        Some("yes") => Some(true),
        Some("no") => Some(false),
        Some(other) => {
            wrong.push(format!("“{other}” is not one of: yes, no"));
            None
        }
    };
    let text = |key: &str| here.get(key).map(str::to_owned);
    let query = board::Query {
        which,
        within,
        beyond,
        owner,
        node: text("node"),
        tier,
        renewed,
        agent,
        control: text("control"),
        sort,
        down,
        cursor: here.get("cursor").or_else(|| here.get("before")).map(str::to_owned),
        limit: None,
    };
    if wrong.is_empty() { Ok(query) } else { Err(wrong) }
}

fn unreadable(wrong: &[String]) -> Fault {
    let sentence = format!("{} Go back, or begin with all exceptions.", wrong.join(" "));
    Fault::new(StatusCode::UNPROCESSABLE_ENTITY, sentence).back("/exceptions")
}

/// A node as a choice: its reference and what it is called.
fn node_choice(reference: &str) -> Choice {
    let label = framework::node(reference).map_or_else(|| reference.to_owned(), named_node);
    Choice::new(reference, label)
}

fn named_node(node: &framework::Node) -> String {
    if node.title == node.reference { node.reference.clone() } else { format!("{} {}", node.reference, node.title) }
}

async fn listed(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let query = query(&here).map_err(|wrong| unreadable(&wrong))?;
    let by = signed.by();
    let page = board::board(&app.db, by, &query).await?;
    let all = board::sees_all(by);
    let figures = if all { Some(figures::figures(&app.db, by).await?) } else { None };
    let mut names = known::named(&app.db, by, &here.get("control_owner").into_iter().collect::<Vec<_>>()).await?;
    if let Some(agent) = query.agent
        && let Ok(view) = register::agents::read(&app.db, by, agent).await
    {
        names.push((agent.to_string(), view.judged.agent.facts.name));
    }
    if let Some(key) = &query.control {
        let label = key.parse::<FindingKey>().map_or_else(|_| key.clone(), |k| k.label().to_owned());
        names.push((key.clone(), label));
    }
    let nodes = if all { board::nodes(&app.db, by, NODES).await? } else { Vec::new() };
    let first = here.first_page();
    let plain = here.pairs().iter().all(|(key, _)| matches!(key.as_str(), "state" | "sort" | "view" | "columns"));
    let total = figures.filter(|_| plain).and_then(|f| match query.which {
        board::Which::State(ExceptionState::Active) => Some(count(f.active)),
        board::Which::State(ExceptionState::Requested) => Some(count(f.requested)),
        board::Which::Breached => Some(count(f.breached)),
        _ => None,
    });
    let listed = Listed {
        look: if here.get("view") == Some("timeline") { Look::Timeline } else { Look::Table },
        figures: figures.map(counted),
        total,
        names,
        nodes: nodes.iter().map(|n| node_choice(n)).collect(),
        may_ask: can(&signed.actor, Action::RequestOpen, Relation::Owner).is_ok(),
        waits: signed.exceptions,
        next: page.next.map(|c| first.with("cursor", &c).href()),
        previous: page.previous.map(|c| first.with("before", &c).href()),
        rows: page.items.into_iter().map(line).collect(),
        now: signed.now,
        here,
    };
    Ok(Page::new(&app, &signed, "Exceptions").show(move || view! { <ListPage listed=listed/> }))
}

/// The figures, as pages show them.
pub(super) fn counted(f: figures::Figures) -> Figures {
    Figures {
        active: count(f.active),
        within_7: count(f.within_7),
        within_30: count(f.within_30),
        breached: count(f.breached),
        requested: count(f.requested),
        renewed: count(f.renewed),
        mean_age: f.mean_age.map(count),
    }
}

fn line(l: board::Line) -> Line {
    Line {
        id: l.id,
        rule: rule(&l.control),
        title: l.title,
        node: l.node,
        covers: Covered { first: l.first, count: l.agents },
        owner: l.owner,
        tier: l.tier,
        risk: l.risk,
        state: l.state,
        breached: l.breached,
        starts_at: l.starts_at,
        expires_at: l.expires_at,
        ended_at: l.ended_at,
        renewals: l.renewals,
        checks: l.checks.into_iter().map(|c| Check { at: c.at, checked: c.checked }).collect(),
    }
}

/// The headings of the file.
const HEADINGS: [&str; 15] = [
    "reference",
    "title",
    "state",
    "still_breached",
    "control",
    "node",
    "agents",
    "first_agent",
    "control_owner",
    "control_owner_name",
    "tier",
    "risk",
    "from",
    "until",
    "renewals",
];

fn cells(l: &board::Line) -> [String; 15] {
    [
        l.id.to_string(),
        l.title.clone(),
        l.state.key().to_owned(),
        if l.breached { "yes" } else { "no" }.to_owned(),
        l.control.key().to_owned(),
        l.node.clone(),
        l.agents.to_string(),
        l.first.as_ref().map(|(id, _)| id.to_string()).unwrap_or_default(),
        l.owner.as_ref().map(|(party, _)| party.to_string()).unwrap_or_default(),
        l.owner.as_ref().map(|(_, name)| name.clone()).unwrap_or_default(),
        l.tier.key().to_owned(),
        l.risk.to_string(),
        domain::record::timestamp(l.starts_at),
        domain::record::timestamp(l.ended_at.unwrap_or(l.expires_at)),
        l.renewals.to_string(),
    ]
}

/// The rows of a view as a file, made while it is sent.
async fn export(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let mut query = query(&here).map_err(|wrong| unreadable(&wrong))?;
    query.cursor = None;
    query.limit = Some(paging::MAX_LIMIT);
    let page = board::board(&app.db, signed.by(), &query).await?;
    let mut text = String::from("\u{feff}");
    write_row(&mut text, HEADINGS);
    let rows = |text: &mut String, lines: &[board::Line]| {
        for l in lines {
            write_row(text, cells(l).iter().map(String::as_str));
        }
    };
    rows(&mut text, &page.items);
    query.cursor = page.next;
    let name = format!("attachment; filename=\"muster-exceptions-{}.csv\"", signed.now.format("%Y%m%dT%H%M%SZ"));
    let rest = stream::try_unfold((app, signed, query), move |(app, signed, mut query)| async move {
        if query.cursor.is_none() {
            return Ok(None);
        }
        match board::board(&app.db, signed.by(), &query).await {
            Ok(page) => {
                let mut text = String::new();
                rows(&mut text, &page.items);
                query.cursor = page.next;
                Ok(Some((Bytes::from(text), (app, signed, query))))
            }
            Err(error) => {
                tracing::error!(%error, "an export of exceptions broke off");
                Err(std::io::Error::other("the export broke off"))
            }
        }
    });
    let pieces = stream::StreamExt::chain(stream::iter([Ok(Bytes::from(text))]), rest);
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, name.as_str()),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(pieces)).into_response())
}

/// What an agent's page says of its exceptions; whether there are more.
pub(super) async fn of_agent(app: &App, signed: &Signed, agent: AgentId) -> Result<(Vec<OfAgent>, bool), Error> {
    let query = board::Query {
        agent: Some(agent),
        sort: board::Sort::Id,
        down: true,
        limit: Some(OF_AGENT),
        ..board::Query::default()
    };
    let page = board::board(&app.db, signed.by(), &query).await?;
    let more = page.next.is_some();
    let list = page
        .items
        .into_iter()
        .map(|l| OfAgent {
            id: l.id,
            rule: rule(&l.control),
            title: l.title,
            state: l.state,
            breached: l.breached,
            starts_at: l.starts_at,
            expires_at: l.expires_at,
            ended_at: l.ended_at,
        })
        .collect();
    Ok((list, more))
}

async fn show(State(app): State<App>, signed: Signed, Path(id): Path<ExceptionId>) -> Answer {
    let card = Refused::default();
    page(&app, &signed, id, Refused::default(), card, StatusCode::OK).await
}

/// The node of a framework, with the line that its licence asks for.
fn node(typed: &str) -> Option<Node> {
    if typed.is_empty() {
        return None;
    }
    let unknown = || Node {
        reference: typed.to_owned(),
        title: String::new(),
        catalogue: String::new(),
        attribution: String::new(),
        cited_as: None,
    };
    let Some(citation) = framework::cite(typed) else { return Some(unknown()) };
    let catalogue = citation.catalogue;
    let first = citation.nodes.first();
    let (reference, title) = match first {
        Some(n) if n.title == n.reference => (n.reference.clone(), String::new()),
        Some(n) => (n.reference.clone(), n.title.clone()),
        None => (catalogue.name.clone(), String::new()),
    };
    Some(Node {
        reference,
        title,
        catalogue: format!("{}, {}", catalogue.name, catalogue.version),
        attribution: catalogue.licence.attribution.clone().unwrap_or_default(),
        cited_as: citation.cited_as,
    })
}

/// How its agents were chosen, in words.
fn selected(selection: &Selection) -> String {
    match selection {
        Selection::Named => String::new(),
        Selection::System(id) => format!("The members of {id} when it was asked."),
        Selection::Label { key, value } => format!("Every agent with the label {key}={value}."),
    }
}

async fn page(
    app: &App,
    signed: &Signed,
    id: ExceptionId,
    form: Refused<OneForm>,
    card: Refused<app::requests::CardForm>,
    status: StatusCode,
) -> Answer {
    let by = signed.by();
    let found = one::read(&app.db, by, id).await?;
    let view = found.view;
    let e = &view.line.kept.exception;
    let request = view.line.kept.request;
    let card = if view.request.is_some() { Some(requests::shown(app, signed, request, card).await?) } else { None };
    let name = |p: PersonId| view.names.get(&Party::Person(p)).cloned().unwrap_or_else(|| p.to_string());
    let actor = |who: &str| who.parse::<PersonId>().map_or_else(|_| who.to_owned(), name);
    let state = view.line.state;
    let ended = match (&e.ended, &e.rejected) {
        (Some(end), _) => Some((end.at, actor(&end.by), end.why.clone())),
        (None, Some((at, _))) if card.is_none() => Some((*at, String::new(), String::new())),
        _ => None,
    };
    let history = can(&signed.actor, Action::AuditRead, Relation::None).is_ok();
    let shown = Shown {
        id,
        title: e.title.clone(),
        state,
        breached: found.breached,
        requester: (e.requester, view.line.requester.clone()),
        created_at: view.line.kept.created_at,
        rule: rule(&e.control),
        node: node(&e.node),
        duty: e.duty,
        likelihood: e.likelihood.into(),
        impact: e.impact.into(),
        justification: e.justification.clone(),
        selection: selected(&e.selection),
        agents: found
            .agents
            .into_iter()
            .map(|a| Agent { id: a.id, name: a.name, tier: a.tier, breaks: a.breaks, owner: a.owner })
            .collect(),
        more: view.hidden as u64,
        controls: view
            .controls
            .iter()
            .map(|c| Control {
                place: c.kept.place,
                words: c.kept.text.clone(),
                owner: (c.kept.owner, c.owner.clone(), !found.gone.contains(&c.kept.owner)),
                check_at: c.kept.check_at,
                checked: c.kept.checked.as_ref().map(|k| (k.at, actor(&k.by), k.note.clone())),
                may_check: c.may_check,
            })
            .collect(),
        tier: e.tier,
        starts_at: e.approved_at.map_or(e.starts_at, |at| e.starts_at.max(at)),
        expires_at: e.expires_at,
        suspends: e.suspends,
        chain: found
            .chain
            .into_iter()
            .map(|l| Link {
                id: l.id,
                state: l.state,
                starts_at: l.starts_at,
                expires_at: l.expires_at,
                justification: l.justification,
            })
            .collect(),
        renewals_most: i64::from(view.most_renewals),
        ended,
        request,
        card,
        may: May {
            renew: view.may_renew && found.not_renewable.is_none(),
            close: view.may_close,
            revoke: view.may_revoke,
            change: view.may_amend,
            history,
        },
        not_renewable: found.not_renewable.filter(|_| view.may_renew),
        form,
        now: signed.now,
    };
    let title = format!("{id} {}", shown.title);
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <ExceptionPage shown=shown/> }))
}

/// What is pressed on the page: about the exception itself, or on the card of its request.
async fn act(State(app): State<App>, signed: Signed, Path(id): Path<ExceptionId>, fields: Fields) -> Answer {
    let by = signed.by();
    let pressed = fields.get("do").to_owned();
    let here = format!("/exceptions/{id}");
    let place = fields.get("place").to_owned();
    let (field, done) = match pressed.as_str() {
        "check" => {
            let field = format!("note-{place}");
            // A number that is none is nobody's control.
            let number = place.parse().unwrap_or(0);
            let done = exceptions::check(&app.db, by, id, number, fields.get(&field)).await;
            (field, done.map(|_| "The check is recorded.".to_owned()))
        }
        "close" => {
            let done = exceptions::close(&app.db, by, id, fields.get("close-reason")).await;
            ("close-reason".to_owned(), done.map(|_| format!("{id} is closed: what it excepted counts again.")))
        }
        "revoke" => {
            let done = exceptions::revoke(&app.db, by, id, fields.get("revoke-reason")).await;
            ("revoke-reason".to_owned(), done.map(|_| format!("{id} is revoked.")))
        }
        _ => {
            let request = one::read(&app.db, by, id).await?.view.line.kept.request;
            return match requests::press(&app, &signed, request, &fields).await? {
                Ok(sentence) => Ok(see_other_saying(&app, here, &Flash::good(sentence))),
                Err((refused, status)) => page(&app, &signed, id, Refused::default(), refused, status).await,
            };
        }
    };
    match done {
        Ok(sentence) => Ok(see_other_saying(&app, here, &Flash::good(sentence))),
        Err(error) => {
            let mut errors = FieldErrors::new();
            let status = refuse(moved(error, |_| field.clone()), &mut errors)?;
            let values = OneForm { pressed, place, reason: fields.get(&field).to_owned() };
            page(&app, &signed, id, Refused { values, errors }, Refused::default(), status).await
        }
    }
}

/// The same error, about other fields.
fn moved(error: Error, to: impl Fn(&str) -> String) -> Error {
    let Error::Invalid(list) = error else { return error };
    Error::Invalid(
        list.into_iter()
            .map(|mut e| {
                e.pointer = format!("/{}", to(e.pointer.trim_start_matches('/')));
                e
            })
            .collect(),
    )
}

/// The last second of a day that was typed.
fn day(typed: &str) -> Option<DateTime<Utc>> {
    let day = NaiveDate::parse_from_str(typed.trim(), "%Y-%m-%d").ok()?;
    day.and_hms_opt(23, 59, 59).map(|at| at.and_utc())
}

/// When it begins: at once where nothing or the present day was typed.
fn start(typed: &str, now: DateTime<Utc>) -> Result<Option<DateTime<Utc>>, &'static str> {
    if typed.trim().is_empty() {
        return Ok(None);
    }
    let day = NaiveDate::parse_from_str(typed.trim(), "%Y-%m-%d").map_err(|_| "A date, for instance 2027-01-31.")?;
    if day == now.date_naive() {
        return Ok(None);
    }
    Ok(day.and_hms_opt(0, 0, 0).map(|at| at.and_utc()))
}

/// The agents that were typed, a system or a label: one of the three.
fn scope(values: &ExceptionForm, errors: &mut FieldErrors) -> Option<Scope> {
    let typed = [&values.agents, &values.system, &values.label];
    match typed.iter().filter(|t| !t.trim().is_empty()).count() {
        0 => {
            errors.add("agents", "Say for which agents, by their references; or choose a system or a label.");
            return None;
        }
        1 => {}
        _ => {
            errors.add("agents", "One of the three: agents, a system, or a label.");
            return None;
        }
    }
    if !values.label.trim().is_empty() {
        return Some(Scope::Label(values.label.trim().to_owned()));
    }
    if !values.system.trim().is_empty() {
        return if let Ok(id) = values.system.trim().parse() {
            Some(Scope::System(id))
        } else {
            errors.add("system", "Choose one of the systems.");
            None
        };
    }
    let mut agents = Vec::new();
    for word in values.agents.split([',', ';', ' ', '\n', '\t']).filter(|w| !w.is_empty()) {
        if let Ok(id) = word.to_uppercase().parse::<AgentId>() {
            agents.push(id);
        } else {
            errors.add("agents", format!("“{word}” is no reference of an agent, such as AG-7."));
            return None;
        }
    }
    Some(Scope::Agents(agents))
}

/// What is excepted, as typed.
fn excepted(values: &ExceptionForm, errors: &mut FieldErrors) -> Option<Excepted> {
    if values.rule().is_empty() {
        let (field, words) = if values.control == "other" {
            ("other", "Name the control.")
        } else {
            ("control", "Choose which rule is excepted.")
        };
        errors.add(field, words);
        return None;
    }
    match Excepted::parse(values.rule()) {
        Ok(control) => Some(control),
        Err(sentence) => {
            errors.add(if values.control == "other" { "other" } else { "control" }, sentence);
            None
        }
    }
}

/// Whose control it is; of a finding that has one owner nothing is asked.
fn whose(values: &ExceptionForm, control: &Excepted) -> Option<Duty> {
    match control {
        Excepted::Finding(key) if duty_of(*key).is_some() => None,
        _ => values.duty.parse().ok(),
    }
}

/// The compensating controls that were typed, each with the row it stood in.
async fn typed_controls(
    app: &App,
    values: &ExceptionForm,
    errors: &mut FieldErrors,
) -> Result<(Vec<AskedControl>, Vec<usize>), Error> {
    let (mut out, mut rows) = (Vec::new(), Vec::new());
    let mut reads = &app.db;
    for (n, typed) in values.controls.iter().enumerate().filter(|(_, c)| !c.is_empty()) {
        let check_at = day(&typed.check);
        if check_at.is_none() {
            errors.add(format!("control-check-{n}"), "A date, for instance 2027-01-31.");
        }
        if typed.text.trim().is_empty() {
            errors.add(format!("control-text-{n}"), "Say what is done instead.");
        }
        match (people::resolve(&mut reads, &typed.owner).await?, check_at) {
            (Ok(named), Some(check_at)) => {
                out.push(AskedControl { text: typed.text.clone(), owner: named.id, check_at });
                rows.push(n);
            }
            (Ok(_), None) => {}
            (Err(unclear), _) => errors.add(format!("control-owner-{n}"), unclear.told(&typed.owner)),
        }
    }
    Ok((out, rows))
}

/// The field of the form that an error of the register is about.
fn field_of(pointer: &str, values: &ExceptionForm, rows: &[usize]) -> String {
    if let Some((at, part)) = pointer.strip_prefix("compensating_controls/").and_then(|p| p.split_once('/')) {
        let part = if part == "check_at" { "check" } else { part };
        let row = at.parse::<usize>().ok().and_then(|at| rows.get(at)).copied().unwrap_or(0);
        return format!("control-{part}-{row}");
    }
    match pointer {
        "expires_at" => "expires".to_owned(),
        "starts_at" => "starts".to_owned(),
        "control" if values.control == "other" => "other".to_owned(),
        pointer if pointer.starts_with("agents/") => {
            let scope = if !values.system.trim().is_empty() {
                "system"
            } else if values.label.trim().is_empty() {
                "agents"
            } else {
                "label"
            };
            scope.to_owned()
        }
        pointer => pointer.to_owned(),
    }
}

/// What asking for what was typed would take; nothing while it is not known for whom or what.
async fn foreseen(app: &App, signed: &Signed, values: &ExceptionForm) -> Result<Option<Foreseen>, Error> {
    let mut unread = FieldErrors::new();
    let (Some(scope), Some(control)) = (scope(values, &mut unread), excepted(values, &mut unread)) else {
        return Ok(None);
    };
    let found = match exceptions::foresee(&app.db, signed.by(), &scope, &control, whose(values, &control)).await {
        Ok(found) => found,
        // What is wrong with it is said beside its field when it is asked.
        Err(Error::Invalid(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut reads = &app.db;
    let policy = policies::present(&mut reads).await?;
    let due = signed.now + TimeDelta::days(policy.policy.step_days.of(found.tier));
    let begins = start(&values.starts, signed.now).ok().flatten().unwrap_or(signed.now);
    let latest = begins + TimeDelta::days(found.most_days) - TimeDelta::days(1) + TimeDelta::seconds(1);
    let tiers = one::tiers(&app.db, found.agents.iter().take(NAMED).map(|(id, _)| *id)).await?;
    Ok(Some(Foreseen {
        count: found.agents.len() as u64,
        agents: found
            .agents
            .iter()
            .take(NAMED)
            .map(|(id, name)| (*id, name.clone(), tiers.get(id).copied().unwrap_or(found.tier)))
            .collect(),
        tier: found.tier,
        days: found.most_days,
        latest: Some(latest.date_naive()),
        steps: folded(found.steps, due),
        renews: found.renews.map(|r| (r.of, r.renewals, policy.policy.exception_renewals)),
        blocked: found.blocked.into_iter().collect(),
        policy_version: policy.version,
    }))
}

/// Steps of several agents as one row for each capacity and decider.
fn folded(steps: Vec<(domain::exception::AgentStep, Option<(PersonId, String)>)>, due_at: DateTime<Utc>) -> Vec<Step> {
    let mut out: Vec<(Step, Vec<AgentId>)> = Vec::new();
    for (step, decider) in steps {
        let same = out.iter_mut().find(|(s, _)| {
            s.duty == step.wanted.duty
                && s.last == step.wanted.last
                && s.decider.as_ref().map(|d| d.0) == decider.as_ref().map(|d| d.0)
        });
        match same {
            Some((_, agents)) => agents.push(step.agent),
            None => out.push((
                Step { duty: step.wanted.duty, because: step.wanted.because, last: step.wanted.last, decider, due_at },
                vec![step.agent],
            )),
        }
    }
    let several = out.iter().any(|(_, agents)| agents.len() > 1) || {
        let mut agents: Vec<AgentId> = out.iter().flat_map(|(_, a)| a.iter().copied()).collect();
        agents.sort_unstable();
        agents.dedup();
        agents.len() > 1
    };
    out.into_iter()
        .map(|(mut step, agents)| {
            if several {
                let named = agents.iter().take(3).map(ToString::to_string).collect::<Vec<_>>().join(", ");
                let more = agents.len().saturating_sub(3);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                step.because.push(format!("For {named}{more}."));
            }
            step
        })
        .collect()
}

/// Nodes that the form suggests: what lists call risks, threats, layers and functions.
fn suggested() -> Vec<Choice> {
    framework::catalogues()
        .iter()
        .flat_map(|c| &c.nodes)
        .filter(|n| n.parent.is_none() && n.parent_framework.is_none() && !n.reference.contains('.'))
        .filter(|n| !matches!(n.kind, framework::NodeKind::Control))
        .map(|n| Choice::new(&n.reference, named_node(n)))
        .collect()
}

async fn forming(
    app: &App,
    signed: &Signed,
    form: Refused<ExceptionForm>,
    renews: Option<(ExceptionId, String)>,
) -> Result<Forming, Error> {
    let by = signed.by();
    let mut reads = &app.db;
    let policy = policies::present(&mut reads).await?.policy;
    let rules = FindingKey::ALL
        .iter()
        .filter(|key| policy.no_exception(**key).is_none())
        .map(|key| Choice::new(key.key(), key.label()).group("What Muster checks"))
        .collect();
    let query = systems::Query { limit: SYSTEMS, ..systems::Query::default() };
    let systems = systems::list(&app.db, by, &query).await?.items;
    let agent = match form.values.agents.trim().to_uppercase().parse::<AgentId>() {
        Ok(id) => match register::agents::read(&app.db, by, id).await {
            Ok(view) => Some((id, view.judged.agent.facts.name)),
            Err(Error::NotFound(_) | Error::Denied(_)) => None,
            Err(error) => return Err(error),
        },
        Err(_) => None,
    };
    Ok(Forming {
        renews,
        agent,
        only_controls: None,
        foreseen: foreseen(app, signed, &form.values).await?,
        form,
        rules,
        systems: systems.into_iter().map(|s| Choice::new(s.id.to_string(), s.name)).collect(),
        nodes: suggested(),
        now: signed.now,
    })
}

fn formed(app: &App, signed: &Signed, status: StatusCode, forming: Forming) -> axum::response::Response {
    let title = match (&forming.renews, &forming.only_controls) {
        (Some((id, _)), _) => format!("Renew {id}"),
        (_, Some((id, _))) => format!("What is done instead: {id}"),
        _ => "Ask for an exception".to_owned(),
    };
    Page::new(app, signed, title).status(status).show(move || view! { <FormPage forming=forming/> })
}

/// The form, filled in from a finding: `?agent=AG-1&control=KEY`.
async fn blank(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    can(&signed.actor, Action::RequestOpen, Relation::Owner).map_err(Error::from)?;
    let get = |key: &str| here.get(key).unwrap_or_default().to_owned();
    let agents: Vec<&str> = here.all("agent").collect();
    let control = get("control");
    let known = control.is_empty() || control.parse::<FindingKey>().is_ok();
    let values = ExceptionForm {
        agents: agents.join(", "),
        system: get("system"),
        label: get("label"),
        other: if known { String::new() } else { control.clone() },
        control: if known { control } else { "other".to_owned() },
        duty: get("duty"),
        node: get("node"),
        ..ExceptionForm::default()
    };
    let forming = forming(&app, &signed, Refused::fresh(values), None).await?;
    Ok(formed(&app, &signed, StatusCode::OK, forming))
}

fn typed(fields: &Fields) -> ExceptionForm {
    ExceptionForm::read(fields.pairs().iter().map(|(name, value)| (name.as_str(), value.as_str())))
}

async fn asked(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    can(&signed.actor, Action::RequestOpen, Relation::Owner).map_err(Error::from)?;
    answer(&app, &signed, &fields, None).await
}

/// What a press on the form brings: the preview, room for one more, or the exception.
async fn answer(app: &App, signed: &Signed, fields: &Fields, renews: Option<(ExceptionId, String)>) -> Answer {
    let mut values = typed(fields);
    if matches!(fields.get("do"), "preview" | "more") {
        if fields.get("do") == "more" {
            let room = values.controls.len().clamp(app::exceptions::form::ROOM, MOST_ROOM - 1) + 1;
            values.controls.resize(room, TypedControl::default());
        }
        let forming = forming(app, signed, Refused::fresh(values), renews).await?;
        return Ok(formed(app, signed, StatusCode::OK, forming));
    }
    let mut errors = FieldErrors::new();
    let (controls, rows) = typed_controls(app, &values, &mut errors).await?;
    let (scope, control) = (scope(&values, &mut errors), excepted(&values, &mut errors));
    let starts_at = start(&values.starts, signed.now).unwrap_or_else(|sentence| {
        errors.add("starts", sentence);
        None
    });
    let expires_at = day(&values.expires);
    if expires_at.is_none() && !values.expires.trim().is_empty() {
        errors.add("expires", "A date, for instance 2027-01-31.");
    }
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if let (Some(scope), Some(control), true) = (scope, control, errors.is_empty()) {
        let number = |typed: &str| typed.trim().parse().unwrap_or(0);
        let new = NewException {
            scope,
            asked: Asked {
                title: values.title.clone(),
                duty: whose(&values, &control),
                control,
                node: values.node.trim().to_owned(),
                likelihood: number(&values.likelihood),
                impact: number(&values.impact),
                justification: values.justification.clone(),
                controls,
                starts_at,
                expires_at,
                suspends: values.suspends,
            },
        };
        match exceptions::ask(&app.db, signed.by(), &new).await {
            Ok(id) => {
                let flash = Flash::good(format!("{id} is asked. It is in force once everybody has agreed."));
                return Ok(see_other_saying(app, format!("/exceptions/{id}"), &flash));
            }
            Err(error) => {
                status = refuse(moved(error, |pointer| field_of(pointer, &values, &rows)), &mut errors)?;
            }
        }
    }
    let forming = forming(app, signed, Refused { values, errors }, renews).await?;
    Ok(formed(app, signed, status, forming))
}

/// The exception that is to be renewed, for somebody who may ask for it again.
async fn again(app: &App, signed: &Signed, id: ExceptionId) -> Result<one::One, Error> {
    can(&signed.actor, Action::RequestOpen, Relation::Owner)?;
    let found = one::read(&app.db, signed.by(), id).await?;
    if let Some(why) = found.not_renewable.clone() {
        return Err(Error::Conflict(why));
    }
    if !found.view.may_renew {
        let state = found.view.line.state.label().to_lowercase();
        return Err(Error::Conflict(format!("{id} cannot be renewed by you now ({state}).")));
    }
    Ok(found)
}

async fn renewing(State(app): State<App>, signed: Signed, Path(id): Path<ExceptionId>) -> Answer {
    let back = |e: Error| Fault::from(e).back(format!("/exceptions/{id}"));
    let found = again(&app, &signed, id).await.map_err(back)?;
    let e = &found.view.line.kept.exception;
    let known = matches!(e.control, Excepted::Finding(_));
    let (mut agents, mut system, mut label) = (String::new(), String::new(), String::new());
    match &e.selection {
        Selection::Named => {
            agents = e.agents.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        }
        Selection::System(id) => system = id.to_string(),
        Selection::Label { key, value } => label = format!("{key}={value}"),
    }
    let controls = found
        .view
        .controls
        .iter()
        .map(|c| TypedControl {
            text: c.kept.text.clone(),
            owner: format!("{} ({})", c.owner, c.kept.owner),
            check: String::new(),
        })
        .collect();
    let values = ExceptionForm {
        title: e.title.clone(),
        agents,
        system,
        label,
        control: if known { e.control.key().to_owned() } else { "other".to_owned() },
        other: if known { String::new() } else { e.control.key().to_owned() },
        duty: e.duty.key().to_owned(),
        node: e.node.clone(),
        likelihood: e.likelihood.to_string(),
        impact: e.impact.to_string(),
        justification: String::new(),
        controls,
        starts: String::new(),
        expires: String::new(),
        suspends: e.suspends,
    };
    let renews = Some((id, e.title.clone()));
    let forming = forming(&app, &signed, Refused::fresh(values), renews).await?;
    Ok(formed(&app, &signed, StatusCode::OK, forming))
}

async fn renewed(State(app): State<App>, signed: Signed, Path(id): Path<ExceptionId>, fields: Fields) -> Answer {
    let back = |e: Error| Fault::from(e).back(format!("/exceptions/{id}"));
    let found = again(&app, &signed, id).await.map_err(back)?;
    let title = found.view.line.kept.exception.title.clone();
    answer(&app, &signed, &fields, Some((id, title))).await
}

/// The exception, for whoever asked for it, while it is not decided.
async fn asker(app: &App, signed: &Signed, id: ExceptionId) -> Result<one::One, Error> {
    let found = one::read(&app.db, signed.by(), id).await?;
    if found.view.line.kept.exception.requester != signed.id {
        let sentence = format!("What is done instead is written anew by {}, who asked.", found.view.line.requester);
        return Err(Error::Denied(Denied::Forbidden(sentence)));
    }
    if !found.view.may_amend {
        return Err(Error::Conflict("What is done instead is written anew only until the last decision falls.".into()));
    }
    Ok(found)
}

fn controls_forming(found: &one::One, form: Refused<ExceptionForm>, now: DateTime<Utc>) -> Forming {
    let e = &found.view.line.kept.exception;
    Forming {
        renews: None,
        agent: None,
        only_controls: Some((e.id, e.title.clone())),
        form,
        foreseen: None,
        rules: Vec::new(),
        systems: Vec::new(),
        nodes: Vec::new(),
        now,
    }
}

async fn writing(State(app): State<App>, signed: Signed, Path(id): Path<ExceptionId>) -> Answer {
    let found = asker(&app, &signed, id).await.map_err(|e| Fault::from(e).back(format!("/exceptions/{id}")))?;
    let controls: Vec<TypedControl> = found
        .view
        .controls
        .iter()
        .map(|c| TypedControl {
            text: c.kept.text.clone(),
            owner: format!("{} ({})", c.owner, c.kept.owner),
            check: c.kept.check_at.format("%Y-%m-%d").to_string(),
        })
        .collect();
    // Room for two more than there are.
    let room = (controls.len() + 2).min(MOST_ROOM);
    let mut values = ExceptionForm { controls, ..ExceptionForm::default() };
    values.controls.resize(room, TypedControl::default());
    let forming = controls_forming(&found, Refused::fresh(values), signed.now);
    Ok(formed(&app, &signed, StatusCode::OK, forming))
}

async fn written(State(app): State<App>, signed: Signed, Path(id): Path<ExceptionId>, fields: Fields) -> Answer {
    let found = asker(&app, &signed, id).await.map_err(|e| Fault::from(e).back(format!("/exceptions/{id}")))?;
    let values = typed(&fields);
    let mut errors = FieldErrors::new();
    let (controls, rows) = typed_controls(&app, &values, &mut errors).await?;
    let mut status = StatusCode::UNPROCESSABLE_ENTITY;
    if errors.is_empty() {
        let version = found.view.line.kept.version;
        match exceptions::controls(&app.db, signed.by(), id, version, &controls).await {
            Ok(_) => {
                let flash = Flash::good("Asked again with these controls.");
                return Ok(see_other_saying(&app, format!("/exceptions/{id}"), &flash));
            }
            Err(error) => status = refuse(moved(error, |p| field_of(p, &values, &rows)), &mut errors)?,
        }
    }
    let forming = controls_forming(&found, Refused { values, errors }, signed.now);
    Ok(formed(&app, &signed, status, forming))
}
