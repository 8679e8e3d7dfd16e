//! The decision card: what is asked, on exactly what, who else decides, and what happens if one
//! says no. It fits a phone.

use chrono::{DateTime, Utc};
use domain::agent::{AgentFacts, Lifecycle};
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, RequestId};
use domain::import::FieldChange;
use domain::request::{RequestKind, RequestState, Urgency, Verdict, Via, worst_case};
use domain::tier::Tier as Level;
use leptos::prelude::*;

use super::{boundary, date, pressing, tone};
use crate::components::{
    Badge, Button, Choice, Crumb, Crumbs, ErrorSummary, Field, IntoPiece, Kind, Notice, PageHead, Piece, PostForm,
    Refused, Section, Select, TableFrame, TextArea, Tier, Tone, When,
};

/// How many conditions the form has room for.
pub const ROOM: usize = 3;

/// A step as the card shows it.
#[derive(Debug, Clone)]
pub struct ShownStep {
    /// Its number.
    pub place: i64,
    /// Whose owner decides.
    pub duty: Duty,
    /// Of which agent, where the request is about several.
    pub agent: Option<AgentId>,
    /// Why.
    pub because: Vec<String>,
    /// Only after every other.
    pub last: bool,
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// How it stands to the clock, while it is open.
    pub urgency: Option<Urgency>,
    /// Whether it is its turn.
    pub ready: bool,
    /// Who decides it now.
    pub decider: Option<(PersonId, String, Via)>,
    /// How it was decided, by whom, for whom, when, and what they said.
    pub decided: Option<(Verdict, String, Option<String>, DateTime<Utc>, String)>,
    /// The reader decides it.
    pub mine: bool,
    /// Why the reader, whose step it would be, does not.
    pub not_mine: Option<String>,
}

impl ShownStep {
    /// In which capacity, and of which agent where there are several.
    pub fn title(&self) -> String {
        let title = self.duty.owner_title();
        self.agent.map_or_else(|| title.to_owned(), |agent| format!("{title} of {agent}"))
    }
}

/// A message of the thread.
#[derive(Debug, Clone)]
pub struct Message {
    /// The step.
    pub place: i64,
    /// A question, or an answer.
    pub question: bool,
    /// When.
    pub at: DateTime<Utc>,
    /// By whom.
    pub by: String,
    /// What.
    pub words: String,
}

/// How a task was done: when, by whom, and what they said.
pub type Met = (DateTime<Utc>, String, String);

/// A condition.
#[derive(Debug, Clone)]
pub struct Task {
    /// Its number.
    pub id: i64,
    /// What must be done.
    pub words: String,
    /// By whom.
    pub owner: (PersonId, String),
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// How it was met.
    pub met: Option<Met>,
    /// The reader may say that it is met.
    pub mine: bool,
}

/// What was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardForm {
    /// What was pressed.
    pub pressed: String,
    /// Why.
    pub reason: String,
    /// Conditions: what, who, until when (a date).
    pub conditions: Vec<(String, String, String)>,
    /// Whom to appoint.
    pub person: String,
    /// For which duty.
    pub duty: String,
    /// How a condition was met.
    pub note: String,
}

/// What the card shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The request.
    pub id: RequestId,
    /// What is asked.
    pub kind: RequestKind,
    /// Where it stands.
    pub state: RequestState,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub agent_state: Lifecycle,
    /// Its tier when it was asked.
    pub tier: Level,
    /// Who asked.
    pub requester: (PersonId, String),
    /// When.
    pub opened_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
    /// Who reviews what tools of high sensitivity do.
    pub reviewer: Option<(PersonId, String)>,
    /// What is decided on.
    pub facts: Option<AgentFacts>,
    /// What differs from what was approved.
    pub changes: Vec<FieldChange>,
    /// The hash that a decision names.
    pub subject_sha256: String,
    /// What it is about is still what is there.
    pub unchanged: bool,
    /// The version of the policy.
    pub policy_version: i64,
    /// When it lapses.
    pub lapses_at: DateTime<Utc>,
    /// How it ended: when and why.
    pub closed: Option<(DateTime<Utc>, String)>,
    /// Its steps.
    pub steps: Vec<ShownStep>,
    /// Its thread.
    pub thread: Vec<Message>,
    /// Its conditions.
    pub tasks: Vec<Task>,
    /// The reader asked for it.
    pub asked_by_me: bool,
    /// The reader may take it back.
    pub may_withdraw: bool,
    /// The reader may appoint.
    pub may_appoint: bool,
    /// The form.
    pub form: Refused<CardForm>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

const fn if_no(kind: RequestKind) -> &'static str {
    match kind {
        RequestKind::Approval => {
            "The request ends, and a draft stays a draft. What was approved before stays approved until it falls due."
        }
        RequestKind::ScopeChange => "The request ends, and what was approved stays as it is.",
        RequestKind::Resumption => "The request ends, and the agent stays suspended.",
        RequestKind::Review => "A review has no no: attest it, ask for a change, or have it retired.",
        RequestKind::Retirement => "The request ends, and the agent stays where it is in its retirement.",
        RequestKind::Exception => {
            "The request ends, and nothing is excepted: what is wrong stays wrong until it is mended."
        }
    }
}

/// The card; goes inside `Layout`.
#[component]
pub fn DecisionCard(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let (agent, id, kind, state, tier) = (shown.agent, shown.id, shown.kind, shown.state, shown.tier);
    let lead = match kind {
        RequestKind::Approval => "May this agent do what is written here?",
        RequestKind::ScopeChange => "May this agent’s boundary change so?",
        RequestKind::Resumption => "May this agent run again?",
        RequestKind::Review => "Is this agent still what it should be?",
        RequestKind::Retirement => "Is this agent ready to be gone?",
        RequestKind::Exception => "May this rule be broken so, for this long?",
    };
    let ended = closing(&shown);
    let asked = asked(&shown);
    let changes = (!shown.changes.is_empty()).then(|| changes(&shown.changes));
    let what = shown.facts.as_ref().map(|facts| {
        let (purpose, worst, list) = (facts.purpose.clone(), worst_case(facts), boundary(facts));
        view! {
            <Section title="On what" id="boundary">
                <blockquote class="purpose" dir="auto">{purpose}</blockquote>
                <p><strong>"At worst: "</strong> {worst}</p>
                {list}
            </Section>
        }
    });
    let decide = decide(&shown);
    let refused = refused(&shown);
    let steps = steps(&shown);
    let thread = thread(&shown);
    let tasks = tasks(&shown);
    let back = back(&shown);
    let (agent_state, name) = (shown.agent_state, shown.name.clone());
    let fine = format!(
        "Decided on the SHA-256 {}. Steps by version {} of the policy.",
        &shown.subject_sha256, shown.policy_version
    );
    view! {
        <Crumbs trail=vec![Crumb::new("Approvals", "/approvals"), Crumb::here(id.to_string())]/>
        <PageHead title=format!("{}: {name}", kind.label()) reference=id.to_string() lead=lead
            badges=move || view! {
                <Badge tone=tone(state)>{state.label()}</Badge>
                <Tier tier=tier.key()/>
                <span class="muted"><a href=format!("/agents/{agent}")>{agent.to_string()}</a> " is " {agent_state.label().to_lowercase()}</span>
            }/>
        {refused}
        {ended}
        {asked}
        {changes}
        {decide}
        {what}
        {steps}
        {thread}
        {tasks}
        {back}
        <p class="small muted wrap">{fine}</p>
    }
    .piece()
}

/// The parts of a card that a page of its own shows: what was refused, how it ended, the decision, who decides, the
/// thread, and taking it back.
pub(crate) struct Parts {
    pub(crate) refused: Option<Piece>,
    pub(crate) closing: Option<Piece>,
    pub(crate) decide: Option<Piece>,
    pub(crate) steps: Piece,
    pub(crate) thread: Option<Piece>,
    pub(crate) back: Option<Piece>,
}

/// The parts of a card, for the page of what it decides.
pub(crate) fn parts(shown: &Shown) -> Parts {
    Parts {
        refused: refused(shown),
        closing: closing(shown),
        decide: decide(shown),
        steps: steps(shown),
        thread: thread(shown),
        back: back(shown),
    }
}

/// What was refused, where no form on the card says so itself.
fn refused(shown: &Shown) -> Option<Piece> {
    let may = shown.unchanged && shown.steps.iter().any(|s| s.mine && s.ready);
    let own = ["appoint", "answer", "withdraw"].contains(&shown.form.values.pressed.as_str());
    (!may && !own).then(|| view! { <ErrorSummary errors=shown.form.errors.clone()/> }.piece())
}

fn closing(shown: &Shown) -> Option<Piece> {
    let now = shown.now;
    if let Some((at, why)) = shown.closed.clone() {
        let words = why;
        return Some(
            view! { <Notice tone=tone(shown.state) title=shown.state.label()><p><When at=at now=now/> ". " <span dir="auto">{words}</span></p></Notice> }
                .piece(),
        );
    }
    (!shown.unchanged).then(|| {
        view! { <Notice tone=Tone::Warn title="What it is about has changed"><p>"Nothing can be decided on it any more; it has to be asked again."</p></Notice> }.piece()
    })
}

fn asked(shown: &Shown) -> Piece {
    let now = shown.now;
    let (who, at) = (shown.requester.clone(), shown.opened_at);
    let said = (!shown.reason.is_empty()).then(|| {
        let words = shown.reason.clone();
        view! { <blockquote dir="auto">{words}</blockquote> }
    });
    let reviewer = shown.reviewer.clone().map(|(id, name)| {
        view! { <p>"What it does with tools of high sensitivity is reviewed by " <a href=format!("/people/{id}") dir="auto">{name}</a> "."</p> }
    });
    view! {
        <p><a href=format!("/people/{}", who.0) dir="auto">{who.1}</a> " asked for it " <When at=at now=now/> "."</p>
        {said}
        {reviewer}
    }
    .piece()
}

fn changes(list: &[FieldChange]) -> Piece {
    let rows = list
        .iter()
        .map(|c| {
            let side = |s: &str| {
                if s.is_empty() {
                    view! { <span class="muted">"nothing"</span> }.piece()
                } else {
                    view! { <span dir="auto">{s.to_owned()}</span> }.piece()
                }
            };
            view! {
                <tr>
                    <th scope="row">{c.label.clone()}</th>
                    <td class="text" data-label="Approved">{side(&c.before)}</td>
                    <td class="text" data-label="Asked for">{side(&c.after)}</td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    view! {
        <Section title="What changes" id="changes">
            <TableFrame label="What changes" stacks=true columns=3>
                <thead><tr><th scope="col">"Part"</th><th scope="col">"Approved"</th><th scope="col">"Asked for"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

fn decide(shown: &Shown) -> Option<Piece> {
    let mine: Vec<&ShownStep> = shown.steps.iter().filter(|s| s.mine).collect();
    if mine.is_empty() || !shown.unchanged {
        let why: Vec<String> = shown.steps.iter().filter_map(|s| s.not_mine.clone()).collect();
        let why = why.into_iter().next()?;
        return Some(view! { <Notice tone=Tone::Note><p>{why}</p></Notice> }.piece());
    }
    let ready: Vec<&&ShownStep> = mine.iter().filter(|s| s.ready).collect();
    if ready.is_empty() {
        return Some(
            view! { <Notice tone=Tone::Note><p>"Yours is the formal second approval: it is decided once every other step is."</p></Notice> }
                .piece(),
        );
    }
    let errors = shown.form.errors.clone();
    let values = shown.form.values.clone();
    let summary = errors.clone();
    let reason_error = errors.of("reason");
    let titles: Vec<String> = ready.iter().map(|s| s.title().to_lowercase()).collect();
    let as_what = if titles.len() == 1 {
        let step = ready[0].place.to_string();
        view! { <p>"You decide as " <strong>{titles[0].clone()}</strong> "."</p> <input type="hidden" name="step" value=step/> }.piece()
    } else {
        let boxes = ready
            .iter()
            .map(|s| {
                let (place, title) = (s.place.to_string(), s.title());
                let id = format!("field-step-{place}");
                let target = id.clone();
                view! { <label class="check" for=target><input type="checkbox" id=id name="step" value=place checked=true/> <span>{title}</span></label> }
            })
            .collect_view();
        view! { <fieldset><legend>"You decide as"</legend>{boxes}<p class="hint">"One decision for all that are ticked; each is recorded apart."</p></fieldset> }.piece()
    };
    let open = values.pressed == "approve_with_conditions";
    // Of an exception, what is done instead are its conditions.
    let conditional = shown.kind.verdicts().contains(&Verdict::ApproveWithConditions);
    let rows = (0..ROOM)
        .map(|n| {
            let (words, owner, due) = values.conditions.get(n).cloned().unwrap_or_default();
            let error = |part: &str| errors.of(&format!("condition-{part}-{n}"));
            view! {
                <fieldset>
                    <legend>{format!("Condition {}", n + 1)}</legend>
                    <Field name=format!("condition-text-{n}") label="What must be done" value=words error=error("text")/>
                    <Field name=format!("condition-owner-{n}") label="By whom" value=owner error=error("owner") hint="A name, an e-mail address or a reference."/>
                    <Field name=format!("condition-due-{n}") label="Until" kind="date" value=due error=error("due")/>
                </fieldset>
            }
            .piece()
        })
        .collect_view();
    let no = if_no(shown.kind);
    let sha = shown.subject_sha256.clone();
    let with_conditions = conditional.then(|| {
        let error = errors.of("conditions").map(|e| view! { <p class="error">{e}</p> });
        view! {
            <details open=open>
                <summary>"Approve with conditions"</summary>
                {error}
                {rows}
                <div class="actions"><Button name="do" value="approve_with_conditions">"Approve with these conditions"</Button></div>
            </details>
        }
    });
    Some(
        view! {
            <Section title="Your decision" id="decide">
                <PostForm>
                    <ErrorSummary errors=summary/>
                    <input type="hidden" name="subject_sha256" value=sha/>
                    {as_what}
                    <TextArea name="reason" label="Reason or question" value=values.reason error=reason_error rows=3 hint="Needed to reject, and to ask. Kept in the record."/>
                    <div class="actions">
                        <Button kind=Kind::Primary name="do" value="approve">"Approve"</Button>
                        <Button name="do" value="ask">"Ask"</Button>
                        <Button kind=Kind::Danger name="do" value="reject">"Reject"</Button>
                    </div>
                    <p class="small muted">"If you say no: " {no}</p>
                    {with_conditions}
                </PostForm>
            </Section>
        }
        .piece(),
    )
}

fn steps(shown: &Shown) -> Piece {
    let now = shown.now;
    let rows = shown
        .steps
        .iter()
        .map(|s| {
            let last = s.last.then(|| view! { <span class="small muted block">"Last: a formal second approval."</span> });
            let where_is = match (&s.decided, &s.decider) {
                (Some((verdict, by, whose, at, said)), _) => {
                    let (by, at, label) = (by.clone(), *at, verdict.label());
                    let tone = if *verdict == Verdict::Reject { Tone::Bad } else { Tone::Good };
                    let whose = whose.clone().map(|w| view! { " for " <bdi>{w}</bdi> });
                    let said = (!said.is_empty()).then(|| view! { <span class="small block" dir="auto">{format!("“{said}”")}</span> });
                    view! { <Badge tone=tone>{label}</Badge> " " <bdi>{by}</bdi> {whose} ", " <When at=at now=now/> {said} }.piece()
                }
                (None, _) if shown.state.ended() => view! { <span class="muted">"not decided"</span> }.piece(),
                (None, Some((id, name, via))) => {
                    let how = match via {
                        Via::Owner => None,
                        Via::Manager => Some("in the owner’s place, who asked for it or has another part"),
                        Via::Acting => Some("acting, while the capacity is vacant"),
                        Via::Delegate => Some("as a delegate"),
                        Via::Waiver => Some("by waiver"),
                    };
                    let how = how.map(|h| view! { <span class="small muted block">{h}</span> });
                    let late = s.urgency.and_then(pressing);
                    view! { "waits for " <a href=format!("/people/{id}") dir="auto">{name.clone()}</a> ", due " <When at=s.due_at now=now/> " " {late} {how} }.piece()
                }
                (None, None) => {
                    let late = s.urgency.and_then(pressing);
                    view! { <span class="warning">"nobody decides: the capacity is vacant"</span> ", due " <When at=s.due_at now=now/> " " {late} }.piece()
                }
            };
            view! {
                <tr id=format!("step-{}", s.place)>
                    <th scope="row">{s.title()}</th>
                    <td class="text" data-label="Why">{s.because.join(" ")} {last}</td>
                    <td class="text" data-label="State">{where_is}</td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    let appoint = appoint(shown);
    let lapses = (!shown.state.ended())
        .then(|| view! { <p class="small muted">{format!("It lapses on {} if somebody has not decided by then. Nothing is approved by silence.", date(shown.lapses_at))}</p> });
    view! {
        <Section title="Who decides" id="steps">
            <TableFrame label="Who decides" stacks=true columns=3>
                <thead><tr><th scope="col">"As"</th><th scope="col">"Why"</th><th scope="col">"State"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            {lapses}
            {appoint}
        </Section>
    }
    .piece()
}

fn appoint(shown: &Shown) -> Option<Piece> {
    let vacant: Vec<Choice> = shown
        .steps
        .iter()
        .filter(|s| s.decided.is_none() && s.decider.is_none() && shown.may_appoint)
        .map(|s| Choice::new(s.agent.map_or_else(|| s.duty.key().to_owned(), |a| format!("{}:{a}", s.duty)), s.title()))
        .collect();
    if vacant.is_empty() {
        return None;
    }
    let errors = &shown.form.errors;
    let values = shown.form.values.clone();
    let mine = values.pressed == "appoint";
    let (person_error, reason_error) = (errors.of("person"), errors.of("appoint-reason"));
    let summary = if mine { errors.clone() } else { crate::components::FieldErrors::default() };
    let why = if mine { values.reason } else { String::new() };
    Some(
        view! {
            <details open=mine>
                <summary>"Appoint who decides meanwhile"</summary>
                <PostForm>
                    <ErrorSummary errors=summary/>
                    <Select name="duty" label="For" options=vacant selected=values.duty required=true/>
                    <Field name="person" label="Who" value=values.person error=person_error required=true hint="A name, an e-mail address or a reference. For 14 days."/>
                    <Field name="appoint-reason" label="Why" value=why error=reason_error required=true/>
                    <div class="actions"><Button name="do" value="appoint">"Appoint"</Button></div>
                </PostForm>
            </details>
        }
        .piece(),
    )
}

fn thread(shown: &Shown) -> Option<Piece> {
    if shown.thread.is_empty() {
        return None;
    }
    let now = shown.now;
    let title_of = |place: i64| {
        shown.steps.iter().find(|s| s.place == place).map_or("a step", |s| s.duty.owner_title()).to_lowercase()
    };
    let lines = shown
        .thread
        .iter()
        .map(|m| {
            let what = if m.question { format!(" asks as {}, ", title_of(m.place)) } else { " answers, ".to_owned() };
            view! {
                <li>
                    <p><strong dir="auto">{m.by.clone()}</strong> {what} <When at=m.at now=now/> ":"</p>
                    <blockquote dir="auto">{m.words.clone()}</blockquote>
                </li>
            }
            .piece()
        })
        .collect_view();
    let last = shown.thread.last().filter(|m| m.question && shown.asked_by_me && !shown.state.ended());
    let answer = last.map(|m| {
        let place = m.place.to_string();
        let mine = shown.form.values.pressed == "answer";
        let error = shown.form.errors.of("answer");
        let summary = if mine { shown.form.errors.clone() } else { crate::components::FieldErrors::default() };
        let typed = if mine { shown.form.values.reason.clone() } else { String::new() };
        view! {
            <PostForm>
                <ErrorSummary errors=summary/>
                <input type="hidden" name="step" value=place/>
                <TextArea name="answer" label="Your answer" value=typed error=error rows=3 required=true/>
                <div class="actions"><Button kind=Kind::Primary name="do" value="answer">"Answer"</Button></div>
            </PostForm>
        }
    });
    Some(view! { <Section title="Questions" id="thread"><ul class="plain-list">{lines}</ul>{answer}</Section> }.piece())
}

fn tasks(shown: &Shown) -> Option<Piece> {
    if shown.tasks.is_empty() {
        return None;
    }
    let now = shown.now;
    let rows = shown
        .tasks
        .iter()
        .map(|t| {
            let state = match &t.met {
                Some((at, by, note)) => view! { <Badge tone=Tone::Good>"Met"</Badge> " " <bdi>{by.clone()}</bdi> ", " <When at=*at now=now/> <span class="small block" dir="auto">{note.clone()}</span> }.piece(),
                None if t.due_at <= now => view! { <Badge tone=Tone::Bad>"Overdue"</Badge> " since " <When at=t.due_at now=now/> }.piece(),
                None => view! { <Badge tone=Tone::Note>"Open"</Badge> " until " <When at=t.due_at now=now/> }.piece(),
            };
            let form = (t.met.is_none() && t.mine).then(|| {
                let id = t.id.to_string();
                let error = shown.form.errors.of(&format!("note-{id}"));
                let name = format!("note-{id}");
                let typed = shown.form.values.note.clone();
                view! {
                    <PostForm>
                        <input type="hidden" name="condition" value=id/>
                        <Field name=name label="How it was met" value=typed error=error required=true/>
                        <div class="actions"><Button name="do" value="met">"It is met"</Button></div>
                    </PostForm>
                }
            });
            view! {
                <tr id=format!("condition-{}", t.id)>
                    <th scope="row" dir="auto">{t.words.clone()}</th>
                    <td data-label="By"><a href=format!("/people/{}", t.owner.0) dir="auto">{t.owner.1.clone()}</a></td>
                    <td class="text" data-label="State">{state} {form}</td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    Some(
        view! {
            <Section title="Conditions" id="conditions">
                <TableFrame label="Conditions" stacks=true columns=3>
                    <thead><tr><th scope="col">"What"</th><th scope="col">"By"</th><th scope="col">"State"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </TableFrame>
            </Section>
        }
        .piece(),
    )
}

fn back(shown: &Shown) -> Option<Piece> {
    shown.may_withdraw.then(|| {
        let mine = shown.form.values.pressed == "withdraw";
        let summary = if mine { shown.form.errors.clone() } else { crate::components::FieldErrors::default() };
        view! {
            <details open=mine>
                <summary>"Take it back"</summary>
                <PostForm>
                    <ErrorSummary errors=summary/>
                    <Field name="withdraw-reason" label="Why" value=""/>
                    <div class="actions"><Button kind=Kind::Danger name="do" value="withdraw">"Take the request back"</Button></div>
                </PostForm>
            </details>
        }
        .piece()
    })
}
