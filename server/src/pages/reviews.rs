//! `/reviews`: what waits and what is due, one review, campaigns; `/agents/review`: making one.

use app::components::{Address, FieldErrors, Flash, Refused};
use app::reviews::{
    Begin, BeginPage, Campaign, CampaignPage, CampaignShown, DecideForm, Due, Line, NewCampaignForm, NewCampaignPage,
    Review, ReviewPage, Reviews, ReviewsPage, Selected, Tabbed, Turns,
};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use domain::can::{Action, Relation, can};
use domain::id::{AgentId, CampaignId, PersonId, RequestId};
use domain::party::Party;
use domain::request::{RequestKind, Verdict};
use domain::review::{CAMPAIGN_WITHIN, Progress, reviewable};
use leptos::prelude::*;
use register::paging::{DEFAULT_LIMIT, Page as Paged};
use register::requests::{self, Answer as Decision};
use register::reviews::{self, Filter, NewCampaign};
use register::{Error, agents};

use super::assignments::{NAMED, none_picked, picked, then};
use crate::App;
use crate::page::{Answer, Fault, Fields, Here, Page, field_errors, local, see_other, see_other_saying};
use crate::routes::Routes;
use crate::signed::Signed;

/// Up to where agents that are due are counted.
const COUNTED: i64 = 1_000;
/// Campaigns of a page.
const CAMPAIGNS: i64 = 20;

pub(super) fn routes() -> Routes {
    Routes::page()
        .get("/reviews", lists)
        .post("/reviews", begin)
        .get("/reviews/new", new)
        .get("/reviews/{id}", one)
        .post("/reviews/{id}", act)
        .get("/agents/review", choose)
        .post("/agents/review", make)
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

fn status(error: &Error) -> StatusCode {
    if matches!(error, Error::Conflict(_)) { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY }
}

/// The pages before and after, of an address.
fn turns<T>(page: &Paged<T>, here: &Address) -> Turns {
    let first = here.first_page();
    Turns {
        previous: page.previous.as_ref().map(|c| first.with("before", c).href()),
        next: page.next.as_ref().map(|c| first.with("cursor", c).href()),
    }
}

fn line(l: reviews::Line) -> Line {
    Line {
        plain: l.plain.then(|| l.subject_sha256.clone()),
        id: l.id,
        agent: l.agent,
        name: l.agent_name,
        tier: l.tier,
        state: l.state,
        progress: l.progress,
        reviewer: l.reviewer,
        due_at: l.due_at,
        answer: l.verdict.zip(l.decided_at),
        mine: l.mine,
        joined: l.joined,
        skipped: l.skipped,
    }
}

fn due(d: reviews::Due) -> Due {
    Due { agent: d.agent, name: d.name, tier: d.tier, due_at: d.due_at, open: d.open }
}

fn campaign(g: &reviews::Campaign) -> Campaign {
    Campaign {
        id: g.id,
        name: g.name.clone(),
        made_by: g.made_by.clone(),
        due_at: g.due_at,
        closed: g.closed.is_some(),
        counts: Progress::ALL.iter().map(|p| (*p, count(g.counts.of(*p)))).collect(),
    }
}

async fn lists(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    listed(&app, &signed, here, FieldErrors::new(), StatusCode::OK).await
}

async fn listed(app: &App, signed: &Signed, here: Address, errors: FieldErrors, status: StatusCode) -> Answer {
    let (db, by) = (&app.db, signed.by());
    let cursor = here.get("cursor").or_else(|| here.get("before")).filter(|c| !c.is_empty());
    let reads = can(&signed.actor, Action::CampaignRead, Relation::None).is_ok();
    let (tab, turns) = match here.get("show") {
        None | Some("mine") => {
            let page = reviews::waiting(db, by, cursor, DEFAULT_LIMIT).await?;
            let turns = turns(&page, &here);
            // What may be begun is short, and on the first page.
            let begun = if cursor.is_none() { reviews::due_mine(db, by, DEFAULT_LIMIT).await? } else { Vec::new() };
            (Tabbed::Mine(page.items.into_iter().map(line).collect(), begun.into_iter().map(due).collect()), turns)
        }
        Some(which @ ("overdue" | "soon")) => {
            let page = reviews::due(db, by, which == "overdue", cursor, DEFAULT_LIMIT).await?;
            let turns = turns(&page, &here);
            (Tabbed::Due(which == "overdue", page.items.into_iter().map(due).collect()), turns)
        }
        Some("all") => {
            let page = reviews::list(db, by, Filter::default(), cursor, None).await?;
            let turns = turns(&page, &here);
            (Tabbed::All(page.items.into_iter().map(line).collect()), turns)
        }
        Some("campaigns") => {
            let page = reviews::campaigns(db, by, cursor, CAMPAIGNS).await?;
            let turns = turns(&page, &here);
            (Tabbed::Campaigns(page.items.iter().map(campaign).collect()), turns)
        }
        Some(_) => return Err(Fault::not_found()),
    };
    let due = if reads {
        let n = async |overdue| reviews::due_count(db, by, overdue, COUNTED).await;
        Some((count(n(true).await?), count(n(false).await?)))
    } else {
        None
    };
    let page = Reviews {
        tab,
        mine: signed.reviews,
        due,
        counted_to: count(COUNTED),
        may_make: can(&signed.actor, Action::CampaignWrite, Relation::None).is_ok(),
        turns,
        errors,
        now: signed.now,
    };
    Ok(Page::new(app, signed, "Reviews").status(status).show(move || view! { <ReviewsPage reviews=page/> }))
}

/// Begins the review of an agent, from a list or from its own form.
async fn begin(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    let Ok(agent) = fields.get("agent").parse::<AgentId>() else {
        return Err(Fault::new(StatusCode::UNPROCESSABLE_ENTITY, "Choose the agent to review.").back("/reviews"));
    };
    let reason = fields.get("reason");
    match reviews::open(&app.db, signed.by(), agent, reason).await {
        Ok(id) => {
            let flash = Flash::good(format!("The review of {agent} is begun: {id}."));
            Ok(see_other_saying(&app, format!("/reviews/{id}"), &flash))
        }
        Err(error) => {
            let status = status(&error);
            let errors = field_errors(error)?;
            if fields.get("from") == "new" {
                return form(&app, &signed, agent, reason, errors, status).await;
            }
            listed(&app, &signed, Address::new("/reviews"), errors, status).await
        }
    }
}

async fn new(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    let agent = here.get("agent").unwrap_or_default().parse::<AgentId>().map_err(|_| Fault::not_found())?;
    form(&app, &signed, agent, "", FieldErrors::new(), StatusCode::OK).await
}

async fn form(
    app: &App,
    signed: &Signed,
    agent: AgentId,
    reason: &str,
    errors: FieldErrors,
    status: StatusCode,
) -> Answer {
    let view = agents::read(&app.db, signed.by(), agent).await?;
    can(&signed.actor, Action::ReviewOpen, view.relation).map_err(Error::from)?;
    let state = view.judged.agent.state;
    let open = reviews::open_of(&app.db, signed.by(), agent).await?;
    if let Some(id) = open.filter(|_| errors.is_empty()) {
        return Ok(see_other(format!("/reviews/{id}")));
    }
    let barred = (!reviewable(state))
        .then(|| format!("{agent} is {}, and only what was approved is reviewed.", state.label().to_lowercase()));
    let begin = Begin {
        agent,
        name: view.judged.agent.facts.name,
        due_at: view.judged.governance.review_due,
        barred,
        reason: reason.to_owned(),
        errors,
        now: signed.now,
    };
    Ok(Page::new(app, signed, "Begin a review").status(status).show(move || view! { <BeginPage begin=begin/> }))
}

/// What the page at `/reviews/…` is about.
enum About {
    Review(RequestId),
    Campaign(CampaignId),
}

fn about(id: &str) -> Result<About, Fault> {
    id.parse()
        .map(About::Review)
        .or_else(|_| id.parse().map(About::Campaign))
        .map_err(|_: domain::id::BadReference| Fault::not_found())
}

async fn one(State(app): State<App>, signed: Signed, Path(id): Path<String>, Here(here): Here) -> Answer {
    match about(&id)? {
        About::Review(id) => review(&app, &signed, id, Refused::default(), StatusCode::OK).await,
        About::Campaign(id) => shown(&app, &signed, id, &here, Refused::default(), StatusCode::OK).await,
    }
}

async fn act(
    State(app): State<App>,
    signed: Signed,
    Path(id): Path<String>,
    Here(here): Here,
    fields: Fields,
) -> Answer {
    match about(&id)? {
        About::Review(id) => answer(&app, &signed, id, &fields).await,
        About::Campaign(id) => run(&app, &signed, id, &here, &fields).await,
    }
}

async fn review(app: &App, signed: &Signed, id: RequestId, form: Refused<DecideForm>, status: StatusCode) -> Answer {
    let (db, by) = (&app.db, signed.by());
    let view = requests::read(db, by, id).await?;
    if view.kept.kind != RequestKind::Review {
        return Err(Fault::not_found());
    }
    let sheet = reviews::sheet(db, by, &view).await?;
    let Some(step) = view.steps.first() else { return Err(Fault::not_found()) };
    let references: Vec<String> = app::audit::references(&sheet.changes).into_iter().collect();
    let known = register::audit::names(db, by, references.iter().map(String::as_str)).await?;
    let begun_by = view.kept.content["begun_by"].as_str().and_then(|p| p.parse::<PersonId>().ok());
    let mut reads = db;
    let names = agents::assess::party_names(&mut reads, begun_by.map(Party::Person)).await?;
    let facts = view.kept.facts().map_or_else(|| view.agent.facts.clone(), |(_, facts)| facts);
    let decided = step.kept.step.decided.clone();
    let review = Review {
        id,
        agent: view.kept.agent,
        name: view.agent_name.clone(),
        tier: view.kept.tier,
        facts,
        state: view.state,
        requester: (view.kept.requester, view.name(view.kept.requester)),
        begun_by: begun_by
            .filter(|p| *p != view.kept.requester)
            .map(|p| (p, names.get(&Party::Person(p)).cloned().unwrap_or_else(|| p.to_string()))),
        opened_at: view.kept.opened_at,
        reason: view.kept.reason.clone(),
        duty: step.kept.step.duty,
        reviewer: decided.as_ref().map(|d| d.by).or_else(|| step.decider.map(|d| d.person)).map(|p| (p, view.name(p))),
        due_at: step.kept.step.due_at,
        answer: decided.map(|d| (d.verdict, d.by, view.name(d.by), d.at, step.kept.reason.clone())),
        closing: view.kept.closing.clone(),
        unchanged: view.unchanged,
        mine: step.mine && step.ready,
        not_mine: step.not_mine.clone(),
        may_withdraw: view.may_withdraw,
        subject_sha256: view.kept.subject_sha256.clone(),
        campaigns: sheet.campaigns,
        deferral: sheet.deferral.map(|d| (d.at, d.reason)),
        latest: sheet.latest,
        since: sheet.since,
        last: sheet.last,
        owners: sheet.owners,
        vacant: sheet.vacant,
        findings: sheet.findings.into_iter().map(|f| (f.sentence, f.new)).collect(),
        mended: sheet.mended,
        stops: sheet.stops.into_iter().map(|s| (s.id, s.at, s.reason, s.reviewed)).collect(),
        drills: sheet.drills.into_iter().map(|d| (d.at, d.passed, d.seconds, surface(&d.surface))).collect(),
        changes: sheet.changes.iter().map(|e| app::audit::EventView::new(e, &known)).collect(),
        more: sheet.more,
        conditions: sheet.conditions.into_iter().map(|c| (c.words, c.owner.0, c.owner.1, c.due_at)).collect(),
        drift: sheet.drift.map(|(source, at, fields)| {
            (source, at, fields.into_iter().map(|f| (f.label, f.before, f.after)).collect())
        }),
        form,
        now: signed.now,
    };
    let title = format!("Review of {}", view.kept.agent);
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <ReviewPage review=review/> }))
}

fn surface(key: &str) -> String {
    key.parse::<domain::stop::Surface>().map_or_else(|_| key.to_owned(), |s| s.label().to_lowercase())
}

/// The beginning of a day that was typed.
fn day(typed: &str) -> Option<DateTime<Utc>> {
    NaiveDate::parse_from_str(typed.trim(), "%Y-%m-%d").ok().and_then(|d| d.and_hms_opt(0, 0, 0)).map(|d| d.and_utc())
}

async fn answer(app: &App, signed: &Signed, id: RequestId, fields: &Fields) -> Answer {
    let (db, by) = (&app.db, signed.by());
    let to = format!("/reviews/{id}");
    if fields.get("do") == "withdraw" {
        return match requests::withdraw(db, by, id, fields.get("reason")).await {
            Ok(()) => Ok(see_other_saying(app, to, &Flash::good(format!("{id} is taken back.")))),
            Err(error) => Err(Fault::from(error).back(to)),
        };
    }
    let typed = DecideForm {
        answer: fields.get("answer").to_owned(),
        reason: fields.get("reason").to_owned(),
        until: fields.get("until").to_owned(),
    };
    let done = match typed.answer.as_str() {
        "defer" => match day(&typed.until) {
            None => Err(Error::field("/until", "Choose the day until which it is put off.")),
            Some(until) => reviews::defer(db, by, id, until, &typed.reason)
                .await
                .map(|()| format!("It is put off until {}.", until.format("%-d %B %Y"))),
        },
        "attest" | "change" | "retire" => {
            let verdict = match typed.answer.as_str() {
                "attest" => Verdict::Attest,
                "change" => Verdict::Change,
                _ => Verdict::Retire,
            };
            let decision = Decision {
                verdict,
                reason: typed.reason.clone(),
                conditions: Vec::new(),
                subject_sha256: fields.get("sha256").to_owned(),
            };
            let told = match verdict {
                Verdict::Attest => "It is attested. What it did is not observed, and the attestation says so.",
                Verdict::Change => "The change is asked for: its system owner has it as a task.",
                _ => "It is to be retired: its retirement owner has that as a task.",
            };
            let place = requests::read(db, by, id).await?.steps.first().map_or(1, |s| s.kept.step.place);
            requests::decide(db, by, id, &[place], &decision).await.map(|_| told.to_owned())
        }
        _ => {
            // Whoever may not even read it learns nothing of it.
            requests::read(db, by, id).await?;
            Err(Error::field("/answer", "Choose an answer."))
        }
    };
    match done {
        Ok(told) => Ok(see_other_saying(app, to, &Flash::good(told))),
        Err(error @ (Error::Denied(_) | Error::NotFound(_))) => Err(Fault::from(error).back(to)),
        Err(error) => {
            let status = status(&error);
            let errors = field_errors(error)?;
            review(app, signed, id, Refused { values: typed, errors }, status).await
        }
    }
}

async fn shown(
    app: &App,
    signed: &Signed,
    id: CampaignId,
    here: &Address,
    form: Refused<String>,
    status: StatusCode,
) -> Answer {
    let (db, by) = (&app.db, signed.by());
    let which = match here.get("stands") {
        None | Some("") => None,
        Some(key) => Some(key.parse::<Progress>().map_err(|_| Fault::not_found())?),
    };
    let cursor = here.get("cursor").or_else(|| here.get("before")).filter(|c| !c.is_empty());
    let g = reviews::campaign(db, by, id).await?;
    let page = reviews::list_of_campaign(db, by, id, which, cursor, None).await?;
    let turns = turns(&page, here);
    let mut reads = db;
    let closer = g.closed.as_ref().and_then(|(_, by, _)| by.parse::<Party>().ok());
    let names = agents::assess::party_names(&mut reads, closer).await?;
    let shown = CampaignShown {
        campaign: campaign(&g),
        made_at: g.made_at,
        selection: (!g.selection.is_empty()).then(|| Address::parse("/agents", &g.selection).href()),
        agents: count(g.agents),
        closed: g.closed.map(|(at, by, why)| (at, closer.and_then(|p| names.get(&p).cloned()).unwrap_or(by), why)),
        reason: g.reason,
        own: g.own,
        which,
        lines: page.items.into_iter().map(line).collect(),
        turns,
        may_close: can(&signed.actor, Action::CampaignWrite, Relation::None).is_ok(),
        form,
        now: signed.now,
    };
    let title = format!("Campaign {id}");
    Ok(Page::new(app, signed, title).status(status).show(move || view! { <CampaignPage shown=shown/> }))
}

/// Attests what is ticked, or closes the campaign.
async fn run(app: &App, signed: &Signed, id: CampaignId, here: &Address, fields: &Fields) -> Answer {
    let (db, by) = (&app.db, signed.by());
    let to = format!("/reviews/{id}");
    reviews::campaign(db, by, id).await?;
    let (typed, done) = match fields.get("do") {
        "close" => {
            let typed = fields.get("closing").to_owned();
            let done = reviews::close(db, by, id, &typed).await.map(|n| match n {
                0 => Flash::good(format!("{id} is closed.")),
                1 => Flash::good(format!("{id} is closed; 1 review is taken back.")),
                n => Flash::good(format!("{id} is closed; {n} reviews are taken back.")),
            });
            // Its reason has a field of its own name on this page.
            (String::new(), done.map_err(|e| renamed(e, "/reason", "/closing")))
        }
        "attest" => {
            let ticked: Option<Vec<(RequestId, String)>> = fields
                .all("review")
                .map(|v| v.split_once(':').and_then(|(id, sha)| Some((id.parse().ok()?, sha.to_owned()))))
                .collect();
            let Some(ticked) = ticked else {
                return Err(Fault::conflict("One of the reviews is not known. Tick them again.").back(to));
            };
            let typed = fields.get("reason").to_owned();
            let done = reviews::attest_many(db, by, &ticked, &typed).await.map(|done| attested(&done));
            (typed, done)
        }
        _ => return Err(Fault::conflict("That button is not on this page any more.").back(to)),
    };
    match done {
        Ok(flash) => Ok(see_other_saying(app, to, &flash)),
        Err(error) => {
            let status = status(&error);
            let errors = field_errors(error)?;
            shown(app, signed, id, here, Refused { values: typed, errors }, status).await
        }
    }
}

fn renamed(error: Error, from: &str, to: &str) -> Error {
    match error {
        Error::Invalid(mut list) => {
            for e in list.iter_mut().filter(|e| e.pointer == from) {
                to.clone_into(&mut e.pointer);
            }
            Error::Invalid(list)
        }
        error => error,
    }
}

fn attested(done: &reviews::Attested) -> Flash {
    let n = done.done.len();
    let mut sentence = match n {
        0 => "Nothing was attested.".to_owned(),
        1 => "1 review is attested.".to_owned(),
        n => format!("{n} reviews are attested, each recorded apart."),
    };
    if let Some((id, why)) = done.left.first() {
        let others = done.left.len() - 1;
        sentence.push_str(&format!(" {id} is not: {}.", why.trim_end_matches('.')));
        if others > 0 {
            sentence.push_str(&format!(" Nor are {others} others."));
        }
    }
    if n == 0 { Flash::bad(sentence) } else { Flash::good(sentence) }
}

/// The form of a campaign, opened from the inventory.
async fn choose(State(app): State<App>, signed: Signed, Here(here): Here) -> Answer {
    can(&signed.actor, Action::CampaignWrite, Relation::None).map_err(Error::from)?;
    let all = here.get("all").is_some();
    let text = here.without("next").href();
    let text = text.split_once('?').map_or("", |(_, query)| query);
    let (picked, ids) = picked(&app, &signed, all, text, here.all("id")).await?;
    let next = match &picked {
        app::agents::Picked::Matching(query) => query.href(),
        app::agents::Picked::These(_) => local(here.get("next").unwrap_or("/agents")).to_owned(),
    };
    if ids.is_empty() {
        return Ok(see_other_saying(&app, then(&next, "/agents".to_owned()), &none_picked()));
    }
    let due = (signed.now + TimeDelta::days(21)).date_naive().to_string();
    let form = NewCampaignForm { next, due, ..NewCampaignForm::default() };
    selected(&app, &signed, picked, &ids, Refused::fresh(form), StatusCode::OK).await
}

async fn selected(
    app: &App,
    signed: &Signed,
    picked: app::agents::Picked,
    ids: &[AgentId],
    form: Refused<NewCampaignForm>,
    status: StatusCode,
) -> Answer {
    let mut reads = &app.db;
    let mut first = Vec::new();
    for agent in agents::stored::load(&mut reads, &ids[..ids.len().min(NAMED)], signed.now).await? {
        let stands = agents::relation::relation(&mut reads, &signed.actor, &agent).await?;
        agents::read::visible(&signed.actor, &agent, stands)?;
        first.push((agent.id, agent.facts.name));
    }
    if first.is_empty() {
        return Err(Fault::not_found());
    }
    let last = signed.now + CAMPAIGN_WITHIN;
    let days = ((signed.now + TimeDelta::days(1)).date_naive().to_string(), last.date_naive().to_string());
    let page = Selected { picked, count: ids.len() as u64, first, form, days };
    Ok(Page::new(app, signed, "Review campaign")
        .status(status)
        .show(move || view! { <NewCampaignPage selected=page/> }))
}

async fn make(State(app): State<App>, signed: Signed, fields: Fields) -> Answer {
    can(&signed.actor, Action::CampaignWrite, Relation::None).map_err(Error::from)?;
    let all = !fields.get("all").is_empty();
    let (picked, ids) = picked(&app, &signed, all, fields.get("query"), fields.all("id")).await?;
    let get = |name| fields.get(name).to_owned();
    let form = NewCampaignForm { name: get("name"), due: get("due"), reason: get("reason"), next: get("next") };
    if ids.is_empty() {
        return Ok(see_other_saying(&app, then(&form.next, "/agents".to_owned()), &none_picked()));
    }
    let selection = match &picked {
        app::agents::Picked::These(_) => String::new(),
        app::agents::Picked::Matching(query) => {
            query.href().split_once('?').map_or_else(String::new, |(_, q)| q.to_owned())
        }
    };
    let made = match day(&form.due) {
        None => Err(Error::field("/due", "Choose the day until which they answer.")),
        Some(due_at) => {
            let new = NewCampaign {
                name: form.name.clone(),
                reason: form.reason.clone(),
                due_at,
                selection,
                agents: ids.clone(),
            };
            reviews::make(&app.db, signed.by(), &new).await.map_err(|e| renamed(e, "/due_at", "/due"))
        }
    };
    match made {
        Ok(id) => {
            let flash = Flash::good(format!("{id} is begun."));
            Ok(see_other_saying(&app, format!("/reviews/{id}"), &flash))
        }
        Err(error) => {
            let status = status(&error);
            let errors = field_errors(renamed(error, "/agents", ""))?;
            selected(&app, &signed, picked, &ids, Refused { values: form, errors }, status).await
        }
    }
}
