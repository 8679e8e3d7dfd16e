//! One review: what the reviewer is shown, and the answer.

use chrono::{DateTime, Utc};
use domain::agent::AgentFacts;
use domain::duty::Duty;
use domain::id::{AgentId, CampaignId, PersonId, RequestId};
use domain::party::Party as Who;
use domain::request::{RequestState, Verdict};
use domain::tier::Tier as Level;
use leptos::prelude::*;

use crate::audit::{EventView, History};
use crate::components::{
    Badge, Button, Choice, Confirm, Crumb, Crumbs, Day, ErrorSummary, Fact, Facts, Field, IntoPiece, Kind, Notice,
    PageHead, Piece, PostForm, RadioGroup, Refused, Section, TextArea, Tier, Tone, When,
};

/// What is typed to answer.
#[derive(Debug, Clone, Default)]
pub struct DecideForm {
    /// `attest`, `change`, `retire` or `defer`.
    pub answer: String,
    /// Why.
    pub reason: String,
    /// Until when it is put off, as a day.
    pub until: String,
}

/// Everything the page shows.
#[derive(Debug, Clone)]
pub struct Review {
    /// Its reference.
    pub id: RequestId,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// Its tier when it was asked.
    pub tier: Level,
    /// The facts that the review is about.
    pub facts: AgentFacts,
    /// Where it stands.
    pub state: RequestState,
    /// In whose name it was asked.
    pub requester: (PersonId, String),
    /// By whom it was begun, where that is somebody else.
    pub begun_by: Option<(PersonId, String)>,
    /// When.
    pub opened_at: DateTime<Utc>,
    /// Why, in their words.
    pub reason: String,
    /// Whose owner reviews.
    pub duty: Duty,
    /// Who that is now.
    pub reviewer: Option<(PersonId, String)>,
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// The answer: how, who, when, their words.
    pub answer: Option<(Verdict, PersonId, String, DateTime<Utc>, String)>,
    /// How it was closed.
    pub closing: String,
    /// What it is about is still what is there.
    pub unchanged: bool,
    /// The reader answers it.
    pub mine: bool,
    /// Why the reader, whose it would be, may not.
    pub not_mine: Option<String>,
    /// The reader may take it back.
    pub may_withdraw: bool,
    /// The hash of what is decided on.
    pub subject_sha256: String,
    /// Campaigns it belongs to.
    pub campaigns: Vec<(CampaignId, String)>,
    /// When it was put off, and why.
    pub deferral: Option<(DateTime<Utc>, String)>,
    /// The latest day to which it may be put off.
    pub latest: DateTime<Utc>,
    /// Since when things are listed.
    pub since: DateTime<Utc>,
    /// The review before: when, who, how.
    pub last: Option<(RequestId, DateTime<Utc>, String, Verdict)>,
    /// Who answers for what.
    pub owners: Vec<(Duty, Who, String)>,
    /// Duties without an owner.
    pub vacant: Vec<Duty>,
    /// What is wrong now, and whether it is new.
    pub findings: Vec<(String, bool)>,
    /// What was wrong when it began and is not any more.
    pub mended: Vec<String>,
    /// Stops: number, when, why, whether reviewed.
    pub stops: Vec<(i64, DateTime<Utc>, String, bool)>,
    /// Drills: when, whether passed, seconds, of what.
    pub drills: Vec<(DateTime<Utc>, bool, i64, String)>,
    /// What changed, newest first.
    pub changes: Vec<EventView>,
    /// There are more changes.
    pub more: bool,
    /// What is still to be done: what, by whom, until when.
    pub conditions: Vec<(String, PersonId, String, DateTime<Utc>)>,
    /// What was seen that differs: by whom, since when, field by field.
    pub drift: Option<(String, DateTime<Utc>, Vec<(String, String, String)>)>,
    /// What was typed and refused.
    pub form: Refused<DecideForm>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page of a review; goes inside `Layout`.
#[component]
pub fn ReviewPage(
    /// What it shows.
    review: Review,
) -> impl IntoView {
    let (id, agent, now) = (review.id, review.agent, review.now);
    let (tone, word) = state(&review);
    let head = head(&review);
    let said = answered(&review);
    let due_at = review.due_at;
    let due = (review.state == RequestState::Open)
        .then(|| view! { <span class="small muted">"due "<When at=due_at now=now/></span> });
    let decide = decide(&review);
    let back = withdraw(&review);
    view! {
        <Crumbs trail=vec![Crumb::new("Reviews", "/reviews"), Crumb::here(id.to_string())]/>
        <PageHead title=format!("Review: {}", review.name) reference=id.to_string() lead=head
            badges=move || view! { <Badge tone=tone>{word}</Badge> {due} }
            actions=move || view! { <a class="button quiet" href=format!("/agents/{agent}")>"The agent’s page"</a> }/>
        {said}
        <div class="with-aside">
            <div class="stack loose">
                {purpose(&review)}
                {activity(&review)}
                {wrong(&review)}
                {boundary(&review.facts)}
                {owners(&review)}
                {happened(&review)}
                {decide}
                {changes(&review)}
                {back}
            </div>
            {aside(&review, now)}
        </div>
    }
    .piece()
}

fn state(review: &Review) -> (Tone, &'static str) {
    match (&review.answer, review.state) {
        (Some((Verdict::Attest, ..)), _) => (Tone::Good, Verdict::Attest.label()),
        (Some((verdict, ..)), _) => (Tone::Warn, verdict.label()),
        (None, RequestState::Open) if review.due_at <= review.now => (Tone::Bad, "Overdue"),
        (None, RequestState::Open) if review.deferral.is_some() => (Tone::Warn, "Put off"),
        (None, RequestState::Open) => (Tone::Note, "Waits for an answer"),
        (None, state) => (Tone::Off, state.label()),
    }
}

/// What is asked, in a sentence.
fn head(review: &Review) -> String {
    match (&review.answer, review.state) {
        (None, RequestState::Open) => {
            "Does it still do only what it is for? Attest it, ask for a change, or have it retired.".to_owned()
        }
        _ => review.closing.clone(),
    }
}

/// What was answered, or why nobody can answer now.
fn answered(review: &Review) -> Piece {
    let now = review.now;
    if let Some((verdict, who, name, at, words)) = review.answer.clone() {
        let tone = if verdict == Verdict::Attest { Tone::Good } else { Tone::Warn };
        let words = (!words.is_empty()).then(|| view! { <p class="keep" dir="auto">{format!("“{words}”")}</p> });
        let about = match verdict {
            Verdict::Attest => "The attestation is about what is shown here. What the agent did was not observed.",
            _ => "It became a task with an owner and a date. What the agent did was not observed.",
        };
        return view! {
            <Notice tone=tone title=verdict.label()>
                <p>"By " <a href=format!("/people/{who}") dir="auto">{name}</a> ", " <When at=at now=now/> "."</p>
                {words}
                <p class="small muted">{about}</p>
            </Notice>
        }
        .piece();
    }
    if review.state == RequestState::Open && !review.unchanged {
        return view! { <Notice tone=Tone::Bad title="What it is about has changed"><p>"So this review is void, and has to be asked again."</p></Notice> }.piece();
    }
    if let Some(why) = review.not_mine.clone().filter(|_| review.state == RequestState::Open) {
        return view! { <Notice tone=Tone::Note><p>{why}</p></Notice> }.piece();
    }
    ().piece()
}

fn purpose(review: &Review) -> Piece {
    let text = review.facts.purpose.clone();
    let body = if text.trim().is_empty() {
        view! { <p class="vacant">"No purpose is written."</p> }.piece()
    } else {
        view! { <p class="keep written" dir="auto">{text}</p> }.piece()
    };
    view! { <Section title="What it is for" id="purpose">{body}</Section> }.piece()
}

/// What it actually did. No source reports it yet, and that is said, not left out.
fn activity(_review: &Review) -> Piece {
    view! {
        <Section title="What it did" id="activity">
            <Notice tone=Tone::Warn><p>"Not observed: no source reports what this agent does."</p></Notice>
        </Section>
    }
    .piece()
}

fn wrong(review: &Review) -> Piece {
    let count = review.findings.len() as u64;
    let lines = review
        .findings
        .iter()
        .map(|(sentence, new)| view! { <li>{sentence.clone()}{new.then(|| view! { " " <Badge tone=Tone::Note>"since it was asked"</Badge> })}</li> }.piece())
        .collect_view();
    let mended = review
        .mended
        .iter()
        .map(|sentence| view! { <li class="muted"><del>{sentence.clone()}</del>" Mended since it was asked."</li> })
        .collect_view();
    let conditions = review
        .conditions
        .iter()
        .map(|(words, who, name, due)| {
            let late = *due <= review.now;
            view! {
                <li>"Due "<When at=*due now=review.now/>", by "<a href=format!("/people/{who}") dir="auto">{name.clone()}</a>": "<span dir="auto">{words.clone()}</span>
                    {late.then(|| view! { " " <Badge tone=Tone::Bad>"Overdue"</Badge> })}</li>
            }
            .piece()
        })
        .collect_view();
    let drift = review.drift.clone().map(|(source, since, fields)| {
        let fields = fields
            .into_iter()
            .map(|(label, was, is)| view! { <li>{label}": "<del dir="auto">{if was.is_empty() { "nothing".to_owned() } else { was }}</del>" → "<ins dir="auto">{if is.is_empty() { "nothing".to_owned() } else { is }}</ins></li> })
            .collect_view();
        view! { <li>"Seen by " <span dir="auto">{source}</span> " to differ from what was approved, since " <When at=since now=review.now/> "." <ul class="notes import-changes">{fields}</ul></li> }
    });
    let none = count == 0 && review.conditions.is_empty() && review.drift.is_none();
    let nothing = none.then(|| view! { <Notice tone=Tone::Good><p>"Nothing is wrong with it, and nothing is left to be done."</p></Notice> });
    view! {
        <Section title="What is wrong, and left to be done" id="findings">
            {nothing}
            <ul class="notes">{lines}{drift}{conditions}{mended}</ul>
        </Section>
    }
    .piece()
}

/// The boundary as a list that can be read.
fn boundary(f: &AgentFacts) -> Piece {
    let f = f.clone();
    let vendor = f.vendor_managed().then(|| format!("{}, by {} ({})", f.hosting.label(), f.vendor, f.contract));
    let tools = f
        .tools
        .iter()
        .map(|t| {
            let scope = if t.scope.is_empty() { String::new() } else { format!(", {}", t.scope) };
            let about = format!(
                ": {}, {} sensitivity{scope}",
                t.access.label().to_lowercase(),
                t.sensitivity.label().to_lowercase()
            );
            view! { <li><span dir="auto">{t.name.clone()}</span>{about}</li> }
        })
        .collect_view();
    let keys = f
        .credentials
        .iter()
        .map(|c| {
            let word = c.kind.label();
            let warn = c.kind.is_standing().then(|| view! { " " <Badge tone=Tone::Warn>{word}</Badge> });
            let kind = (!c.kind.is_standing()).then(|| format!(": {}", c.kind.label().to_lowercase()));
            view! { <li><span dir="auto">{c.name.clone()}</span>{kind}{warn}</li> }
        })
        .collect_view();
    let none = || view! { <span class="muted">"none"</span> }.piece();
    let tools = if f.tools.is_empty() { none() } else { view! { <ul class="plain-list">{tools}</ul> }.piece() };
    let keys = if f.credentials.is_empty() { none() } else { view! { <ul class="plain-list">{keys}</ul> }.piece() };
    let models = if f.models.is_empty() { "not recorded".to_owned() } else { f.models.join(", ") };
    let identity = if f.workload_identity.is_empty() { "not recorded".to_owned() } else { f.workload_identity.clone() };
    view! {
        <Section title="What it may do" id="boundary">
            <Facts>
                <Fact term="Acts" value=f.autonomy.label()/>
                <Fact term="Met by" value=f.exposure.label()/>
                <Fact term="Data" value=f.data.label()/>
                <Fact term="Tools">{tools}</Fact>
                <Fact term="Credentials">{keys}</Fact>
                <Fact term="Identity"><span class="ref keep">{identity}</span></Fact>
                <Fact term="Models" value=models/>
                <Fact term="Environment" value=f.environment.label()/>
                <Fact term="Hosting" value=vendor.unwrap_or_else(|| f.hosting.label().to_owned())/>
                <Fact term="Regulated" value=if f.regulated { "Yes" } else { "No" }/>
            </Facts>
        </Section>
    }
    .piece()
}

fn lower(title: &str) -> String {
    if title.starts_with("API") { title.to_owned() } else { title.to_lowercase() }
}

fn owners(review: &Review) -> Piece {
    let last = review.owners.len().saturating_sub(1);
    let named = review
        .owners
        .iter()
        .enumerate()
        .map(|(n, (duty, party, name))| {
            let end = if n == last { "." } else { ", " };
            view! { {lower(duty.owner_title())}" "<a href=party.path() dir="auto">{name.clone()}</a>{end} }.piece()
        })
        .collect_view();
    let vacant = (!review.vacant.is_empty()).then(|| {
        let titles: Vec<String> = review.vacant.iter().map(|d| lower(d.owner_title())).collect();
        view! { " "<span class="vacant">{format!("Nobody is {}.", titles.join(", nor "))}</span> }
    });
    view! { <Section title="Who answers for it" id="owners"><p>{named}{vacant}</p></Section> }.piece()
}

/// Stops and drills since the last review.
fn happened(review: &Review) -> Piece {
    let (now, agent) = (review.now, review.agent);
    let stops = review
        .stops
        .iter()
        .map(|(number, at, why, reviewed)| {
            let open = (!reviewed).then(|| view! { " " <Badge tone=Tone::Warn>"not reviewed"</Badge> });
            view! { <li><a href=format!("/agents/{agent}/stop?stop={number}")>"Stopped"</a>" "<When at=*at now=now/>": “"<span dir="auto">{why.clone()}</span>"”"{open}</li> }.piece()
        })
        .collect_view();
    let drills = review
        .drills
        .iter()
        .map(|(at, passed, seconds, of)| {
            let how = if *passed { format!(" in {seconds} s") } else { ": failed".to_owned() };
            view! { <li>{format!("Drill of {of}{how}, ")}<When at=*at now=now/></li> }.piece()
        })
        .collect_view();
    let none = review.stops.is_empty() && review.drills.is_empty();
    let nothing = none.then(|| view! { <p class="muted">"It was neither stopped nor drilled since then."</p> });
    view! {
        <Section title="Stops and drills since the last review" id="stops">
            {nothing}
            <ul class="notes">{stops}{drills}</ul>
        </Section>
    }
    .piece()
}

fn changes(review: &Review) -> Piece {
    let agent = review.agent;
    let body = if review.changes.is_empty() {
        view! { <p class="muted">"Nothing about it was changed since then."</p> }.piece()
    } else {
        view! { <History events=review.changes.clone() now=review.now of_one=true/> }.piece()
    };
    let more = review
        .more
        .then(|| view! { <p class="small"><a href=format!("/agents/{agent}/history")>"All of its history"</a></p> });
    view! { <Section title="Changes since the last review" id="changes">{body}{more}</Section> }.piece()
}

/// The answer.
fn decide(review: &Review) -> Piece {
    let errors = review.form.errors.clone();
    if !(review.mine && review.state == RequestState::Open && review.unchanged) {
        return view! { <ErrorSummary errors=errors/> }.piece();
    }
    let values = review.form.values.clone();
    let (id, sha256) = (review.id, review.subject_sha256.clone());
    let mut options = vec![
        Choice::new("attest", "Attest").hint("It still does only what it is for, as far as is shown here. What it did is not observed, and the attestation says so."),
        Choice::new("change", "Ask for a change").hint("Say what must change. The system owner gets it as a task with a date."),
        Choice::new("retire", "Retire it").hint("Say why. The retirement owner gets it as a task with a date."),
    ];
    let once = review.deferral.is_none();
    if once {
        let latest = review.latest.format("%-d %B %Y").to_string();
        options.push(
            Choice::new("defer", "Put it off, once").hint(format!("Say why, and until when: {latest} at the latest.")),
        );
    }
    let until = once.then(|| {
        let (value, error) = (values.until.clone(), errors.of("until"));
        let max = review.latest.format("%Y-%m-%d").to_string();
        view! { <Field name="until" label="Until" kind="date" value=value error=error max=max short=true hint="Only to put it off."/> }
    });
    view! {
        <Section title="Your answer" id="answer">
            <PostForm action=format!("/reviews/{id}")>
                <ErrorSummary errors=errors.clone()/>
                <input type="hidden" name="sha256" value=sha256/>
                <RadioGroup name="answer" legend="Answer" options=options selected=values.answer.clone() error=errors.of("answer") required=true/>
                {until}
                <TextArea name="reason" label="Reason" value=values.reason.clone() error=errors.of("reason") rows=3 hint="Kept in the record. Needed for everything but attesting."/>
                <div class="actions"><Button kind=Kind::Primary name="do" value="answer">"Answer"</Button></div>
            </PostForm>
        </Section>
    }
    .piece()
}

fn withdraw(review: &Review) -> Piece {
    if !review.may_withdraw {
        return ().piece();
    }
    let action = format!("/reviews/{}", review.id);
    view! {
        <Confirm label="Take it back…" action=action confirm="Yes, take the review back">
            <input type="hidden" name="do" value="withdraw"/>
            <p>"Nothing is attested then. What is due stays due."</p>
            <TextArea name="reason" label="Reason" rows=2 hint="Kept in the record."/>
        </Confirm>
    }
    .piece()
}

fn aside(review: &Review, now: DateTime<Utc>) -> Piece {
    let review = review.clone();
    let reviewer = match &review.reviewer {
        Some((id, name)) => view! { <a href=format!("/people/{id}") dir="auto">{name.clone()}</a> }.piece(),
        None if review.state == RequestState::Open => {
            let href = format!("/agents/{}/assign?duty={}", review.agent, review.duty);
            view! { <a class="vacant" href=href>{format!("nobody: it has no {}", lower(review.duty.owner_title()))}</a> }.piece()
        }
        None => view! { <span class="muted">"–"</span> }.piece(),
    };
    let (who, name) = review.requester.clone();
    let begun = review.begun_by.clone().map(|(id, name)| {
        view! { <Fact term="Begun by"><a href=format!("/people/{id}") dir="auto">{name}</a>", because it is due"</Fact> }
    });
    let campaigns = review
        .campaigns
        .clone()
        .into_iter()
        .map(|(id, name)| view! { <Fact term="Campaign"><a href=format!("/reviews/{id}") dir="auto">{name}</a></Fact> })
        .collect_view();
    let put_off = review.deferral.clone().map(|(at, why)| {
        view! { <Fact term="Put off"><When at=at now=now/>": “"<span dir="auto">{why}</span>"”"</Fact> }
    });
    let last = match review.last.clone() {
        Some((id, at, who, verdict)) => view! { <a href=format!("/reviews/{id}")>{verdict.label()}</a>" by "<span dir="auto">{who}</span>", "<When at=at now=now/> }.piece(),
        None => view! { <span class="muted">"none: this is the first"</span> }.piece(),
    };
    let reason = Some(review.reason.clone())
        .filter(|why| !why.is_empty())
        .map(|why| view! { <Fact term="Why"><span dir="auto">{format!("“{why}”")}</span></Fact> });
    let due_at = review.due_at;
    let due = review.answer.is_none().then(|| view! { <Fact term="Due"><When at=due_at now=now/></Fact> });
    view! {
        <aside aria-label="Facts">
            <Facts>
                <Fact term="Agent"><a href=format!("/agents/{}", review.agent) dir="auto">{review.name.clone()}</a></Fact>
                <Fact term="Tier"><Tier tier=review.tier.key()/></Fact>
                <Fact term="Reviewer">{reviewer}</Fact>
                {due}
                {put_off}
                <Fact term="Asked"><When at=review.opened_at now=now/>" by "<a href=format!("/people/{who}") dir="auto">{name}</a></Fact>
                {begun}
                {reason}
                {campaigns}
                <Fact term="Last review">{last}</Fact>
                <Fact term="Listed since"><Day at=review.since/></Fact>
                <Fact term="About"><span class="ref hash" title="SHA-256 of everything that is decided on">{review.subject_sha256.clone()}</span></Fact>
            </Facts>
        </aside>
    }
    .piece()
}
