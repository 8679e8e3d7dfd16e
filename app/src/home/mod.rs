//! Home: what waits for the reader and, for leadership, who can stop what runs.

use chrono::{DateTime, NaiveDate, Utc};
use domain::agent::{Lifecycle as State, Running};
use domain::assignment::RuntimeOwner;
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::id::AgentId;
use domain::party::Party as Who;
use domain::posture::{Posture, UnitPosture, WavePosture};
use domain::system::Subject;
use leptos::prelude::*;

use crate::components::{
    Address, Badge, Button, ErrorSummary, IntoPiece, Kind, Lifecycle, LinkButton, Meter, PageHead, Piece, PostForm,
    Refused, Section, Segment, Sparkline, StackedBar, StopState, Swatch, TableFrame, TextArea, Tone, When,
    stop_state_words, thousands,
};
use crate::people::Proposal;
use crate::people::proposals::waiting as proposals;
use crate::stops::testimony;

/// An offer that waits for the reader.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// The agent or the system.
    pub of: Subject,
    /// Its name.
    pub name: String,
    /// The duty.
    pub duty: Duty,
    /// The team it was offered to, when it was not the reader in person.
    pub team: Option<(Who, String)>,
    /// Since when.
    pub offered_at: DateTime<Utc>,
    /// By whom, by name.
    pub offered_by: String,
    /// Why.
    pub reason: String,
}

impl Waiting {
    /// As the form sends it: `AG-7/containment`.
    pub fn key(&self) -> String {
        format!("{}/{}", self.of, self.duty)
    }
}

/// A drill that waits for the reader, its witness.
#[derive(Debug, Clone)]
pub struct Witnessing {
    /// The drill.
    pub delivery: String,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// What was rehearsed, in words.
    pub surface: String,
    /// Who did it, by name.
    pub begun_by: String,
    /// When.
    pub begun_at: DateTime<Utc>,
    /// How long it took, as they say.
    pub seconds: i64,
    /// What they wrote.
    pub note: String,
    /// SHA-256 of the file that shows it.
    pub evidence: String,
}

/// An agent that the reader answers for.
#[derive(Debug, Clone)]
pub struct Mine {
    /// The agent.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// Where it is in its life.
    pub state: State,
    /// Whether it runs.
    pub running: Running,
    /// Whether somebody can stop it.
    pub runtime_owner: Option<RuntimeOwner>,
}

/// As pressed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswerForm {
    /// The offers ticked: `AG-7/containment`.
    pub offers: Vec<String>,
    /// `accept` or `decline`.
    pub answer: String,
    /// Why.
    pub reason: String,
}

/// What the reader may begin on an empty register.
#[derive(Debug, Clone, Copy, Default)]
pub struct First {
    /// Import an inventory.
    pub import: bool,
    /// Register an agent.
    pub register: bool,
    /// Enter people.
    pub people: bool,
}

/// Everything that home shows.
#[derive(Debug, Clone)]
pub struct Home {
    /// The reader: `PE-7`.
    pub me: String,
    /// Offers that wait for the reader, oldest first.
    pub waiting: Vec<Waiting>,
    /// How many there are.
    pub waiting_total: u64,
    /// Drills of which the reader is to say what they saw.
    pub drills: Vec<Witnessing>,
    /// How many duties the reader is to say are still theirs.
    pub due: u64,
    /// What waits for a second person whom the reader may be.
    pub proposals: Vec<Proposal>,
    /// Agents that are handed over between the reader's teams and others.
    pub handovers: Vec<crate::handovers::Handover>,
    /// Decisions that wait for the reader, the soonest due of them.
    pub decisions: Vec<crate::requests::WaitingLine>,
    /// How many there are, up to a thousand.
    pub decisions_total: u64,
    /// Steps whose capacity is vacant, for whoever appoints.
    pub vacant: u64,
    /// Steps escalated to the reader: of people they manage, or all of them to security.
    pub escalated: u64,
    /// Conditions that the reader is to meet: request, what, and until when.
    pub conditions: Vec<(domain::id::RequestId, String, DateTime<Utc>)>,
    /// The answer that was refused.
    pub refused: Refused<AnswerForm>,
    /// Agents the reader answers for.
    pub mine: Vec<Mine>,
    /// How many there are; nothing, when they are more than anybody counts here.
    pub mine_total: Option<u64>,
    /// Teams the reader belongs to: reference and name.
    pub teams: Vec<(String, String)>,
    /// The dashboard, for whoever may see it.
    pub posture: Option<Posture>,
    /// How exceptions stand, for whoever may see all of them.
    pub exceptions: Option<crate::exceptions::Figures>,
    /// How many agents ran that nobody could stop, at the end of each day that was recorded of the
    /// last month, the oldest first.
    pub trend: Vec<(NaiveDate, i64)>,
    /// Set when the register holds no agent.
    pub first: Option<First>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page; goes inside `Layout`.
#[component]
pub fn HomePage(
    /// What it shows.
    home: Home,
) -> impl IntoView {
    if let Some(first) = home.first {
        return view! {
            <PageHead title="Welcome" lead="Muster shows who answers for each of your AI agents, and who can stop it. It is empty yet."/>
            <Begin first=first/>
        }
        .piece();
    }
    let posture = home.posture.clone();
    // What was refused is said even when nothing is left to answer.
    let refused = home.waiting.is_empty().then(|| view! { <ErrorSummary errors=home.refused.errors.clone()/> });
    let (offers, drills) = (waits(&home), drills(&home));
    let (due, second) = (still_yours(home.due), proposals(&home.proposals, home.now));
    let handovers = crate::handovers::waiting(&home.handovers, home.now);
    let decisions = decisions(&home);
    let any = decisions.is_some()
        || offers.is_some()
        || drills.is_some()
        || handovers.is_some()
        || due.is_some()
        || second.is_some();
    let waits = any.then(
        || view! { <div class="waits-here stack loose">{decisions}{offers}{drills}{handovers}{second}{due}</div> },
    );
    let yours = yours(&home).map(|yours| view! { <div class="yours-here">{yours}</div> });
    if let Some(posture) = posture {
        view! {
            <PageHead title="Who can stop it?" lead=lead(&posture)/>
            {refused}
            <div class="home">
                {waits}
                <div class="stack loose answer-here">
                    <Stopping posture=posture.clone() trend=home.trend.clone()/>
                    <Apart posture=posture.clone() now=home.now/>
                    <div class="columns">
                        <Units units=posture.units.clone()/>
                        <Wrong posture=posture.clone()/>
                    </div>
                    {home.exceptions.and_then(exceptions)}
                    <Coverage posture=posture/>
                </div>
                {yours}
            </div>
        }
        .piece()
    } else {
        let others = home.drills.len() + home.proposals.len() + home.handovers.len() + home.conditions.len();
        let others = others as u64 + home.decisions_total + home.vacant + home.escalated;
        let lead = match (home.waiting_total + home.due + others, home.mine_total) {
            (0, Some(0)) => "Nothing waits for you, and you answer for no agent.",
            (0, _) => "Nothing waits for you.",
            _ => "",
        };
        view! {
            <PageHead title="Home" lead=lead/>
            {refused}
            <div class="stack loose">{waits}{yours}</div>
        }
        .piece()
    }
}

/// Decisions, vacant capacities and conditions that wait.
fn decisions(home: &Home) -> Option<Piece> {
    if home.decisions.is_empty() && home.vacant == 0 && home.escalated == 0 && home.conditions.is_empty() {
        return None;
    }
    let now = home.now;
    let lines = home
        .decisions
        .iter()
        .map(|d| {
            let href = d.kind.path(d.request);
            let late = (d.due_at <= now).then(|| view! { " " <Badge tone=Tone::Bad>"Overdue"</Badge> });
            let what = d.kind.label();
            view! {
                <li class="offer">
                    <div class="text">
                        <p><strong>{what}</strong> ": " <bdi>{d.agent_name.clone()}</bdi> " " <a href=format!("/agents/{}", d.agent)>{d.agent.to_string()}</a></p>
                        <p class="small muted">"As " {d.duty.owner_title().to_lowercase()} ", asked by " <bdi>{d.requester.clone()}</bdi> ", due " <When at=d.due_at now=now/> {late}</p>
                    </div>
                    <LinkButton href=href kind=Kind::Primary>"Decide"</LinkButton>
                </li>
            }
            .piece()
        })
        .collect_view();
    let tasks = home
        .conditions
        .iter()
        .map(|(request, words, due)| {
            let late = (*due <= now).then(|| view! { " " <Badge tone=Tone::Bad>"Overdue"</Badge> });
            view! {
                <li class="offer">
                    <div class="text"><p><strong>"Condition"</strong> ": " <span dir="auto">{words.clone()}</span></p><p class="small muted">"due " <When at=*due now=now/> {late}</p></div>
                    <LinkButton href=format!("/requests/{request}#conditions")>"Open"</LinkButton>
                </li>
            }
            .piece()
        })
        .collect_view();
    let more = (home.decisions_total > home.decisions.len() as u64)
        .then(|| view! { <p class="small"><a href="/approvals">"All that wait for you"</a></p> });
    let vacant = (home.vacant > 0).then(|| {
        let words = if home.vacant == 1 {
            "1 step has nobody who decides".to_owned()
        } else {
            format!("{} steps have nobody who decides", many(home.vacant))
        };
        view! { <p><a href="/approvals?view=vacant">{words}</a></p> }
    });
    let escalated = (home.escalated > 0).then(|| {
        let words = if home.escalated == 1 {
            "1 decision is escalated to you".to_owned()
        } else {
            format!("{} decisions are escalated to you", many(home.escalated))
        };
        view! { <p><a href="/approvals?view=escalated">{words}</a></p> }
    });
    let total = Some(home.decisions_total + home.conditions.len() as u64).filter(|n| *n <= COUNTED);
    Some(
        view! {
            <Section title="To decide and to do" id="decisions" count=total>
                <ul class="offers panel flush">{lines}{tasks}</ul>
                {more}
                {vacant}
                {escalated}
            </Section>
        }
        .piece(),
    )
}

/// How far steps are counted here.
const COUNTED: u64 = 100;

fn many(count: u64) -> String {
    if count > COUNTED { format!("More than {COUNTED}") } else { count.to_string() }
}

fn running(posture: &Posture) -> u64 {
    posture.running.values().map(|n| count(*n)).sum()
}

fn lead(posture: &Posture) -> String {
    let all = running(posture);
    let retired = posture.by_state.get(State::Retired.key()).map_or(0, |n| count(*n));
    let idle: u64 = posture.idle.values().map(|n| count(*n)).sum();
    let run = if all == 1 {
        "1 agent runs or may run".to_owned()
    } else {
        format!("{} agents run or may run", thousands(all))
    };
    let rest = |n: u64, one: &str, many: &str| format!("{} {}", thousands(n), if n == 1 { one } else { many });
    format!("{run}, {}, {}.", rest(idle, "does not", "do not"), rest(retired, "is retired", "are retired"))
}

fn count(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// What to do first.
#[component]
fn Begin(first: First) -> impl IntoView {
    let nothing = !(first.import || first.register || first.people);
    view! {
        <ol class="begin">
            {first.import.then(|| view! {
                <li class="panel">
                    <h2>"Import the inventory you have"</h2>
                    <p>"Any table with one agent a row, saved as CSV. You see what would happen before anything is written."</p>
                    <LinkButton href="/agents/import" kind=Kind::Primary>"Import"</LinkButton>
                </li>
            })}
            {first.people.then(|| view! {
                <li class="panel">
                    <h2>"Enter people and teams"</h2>
                    <p>"Owners are people, or teams with a lead. An import finds owners by their name, so people come before it where you can."</p>
                    <div class="row"><LinkButton href="/people/new">"Add a person"</LinkButton><LinkButton href="/teams/new">"Add a team"</LinkButton></div>
                </li>
            })}
            {first.register.then(|| view! {
                <li class="panel">
                    <h2>"Register one agent"</h2>
                    <p>"Only its name is needed. Its page then says what is missing, and who could mend it."</p>
                    <LinkButton href="/agents/new">"Register an agent"</LinkButton>
                </li>
            })}
            {nothing.then(|| view! { <li class="panel"><p>"A security lead or a risk analyst imports or registers the first agents."</p></li> })}
        </ol>
    }
    .piece()
}

/// Offers to answer, right here; one answer may cover several.
fn waits(home: &Home) -> Option<impl IntoView + use<>> {
    if home.waiting.is_empty() {
        return None;
    }
    let Refused { values, errors } = home.refused.clone();
    let several = home.waiting.len() > 1;
    let fresh = values == AnswerForm::default();
    let lines = home
        .waiting
        .iter()
        .enumerate()
        .map(|(at, offer)| {
            let key = offer.key();
            let id = format!("offer-{at}");
            let ticked = if fresh { !several } else { values.offers.contains(&key) };
            let team = offer.team.clone().map(|(party, name)| view! { ", for " <a href=party.path() dir="auto">{name}</a> });
            let reason = (!offer.reason.is_empty()).then(|| view! { <p class="small" dir="auto">{format!("“{}”", offer.reason)}</p> });
            view! {
                <li class="choice">
                    <input type="checkbox" id=id.clone() name="offer" value=key checked=ticked/>
                    <div>
                        <label for=id><strong>{offer.duty.owner_title()}</strong>" of "<span dir="auto">{offer.name.clone()}</span></label>
                        <p class="small muted">
                            <a href=offer.of.href()>{offer.of.to_string()}</a> {team} ". Asked by "
                            <span dir="auto">{offer.offered_by.clone()}</span> ", " <When at=offer.offered_at now=home.now/> "."
                        </p>
                        {reason}
                    </div>
                </li>
            }
        })
        .collect_view();
    let rest = home.waiting_total.saturating_sub(home.waiting.len() as u64);
    let declining = values.answer == "decline";
    // All means all that were shown: what came since is not accepted unseen.
    let seen = several.then(|| {
        home.waiting.iter().map(|offer| view! { <input type="hidden" name="seen" value=offer.key()/> }).collect_view()
    });
    let all_words = format!("Accept all {}", home.waiting.len());
    Some(view! {
        <Section title="Waits for you" id="waits" count=home.waiting_total>
            <PostForm action="/" wide=true>
                <ErrorSummary errors=errors.clone()/>
                <ul class="panel offers-mine" id="field-offer" tabindex="-1">{lines}</ul>
                {(rest > 0).then(|| view! { <p class="small muted">{format!("{} more follow when these are answered.", thousands(rest))}</p> })}
                {seen}
                <div class="actions">
                    <Button kind=Kind::Primary name="answer" value="accept">{if several { "Accept those ticked" } else { "Accept" }}</Button>
                    {several.then(|| view! { <Button name="answer" value="accept-all">{all_words}</Button> })}
                </div>
                <details class="small" open=declining>
                    <summary>"Decline instead"</summary>
                    <div class="stack tight">
                        <TextArea name="reason" label="Why" value=values.reason.clone() error=errors.of("reason") rows=2 required=true hint="So that a better owner can be found."/>
                        <Button name="answer" value="decline">{if several { "Decline those ticked" } else { "Decline" }}</Button>
                    </div>
                </details>
            </PostForm>
        </Section>
    })
}

/// Drills that count once the reader has said what they saw.
fn drills(home: &Home) -> Option<impl IntoView + use<>> {
    if home.drills.is_empty() {
        return None;
    }
    let lines = home
        .drills
        .iter()
        .map(|drill| {
            let evidence = format!("/agents/{}/evidence/{}", drill.agent, drill.evidence);
            let (begun_at, now) = (drill.begun_at, home.now);
            let note = (!drill.note.is_empty()).then(|| view! { <p class="small" dir="auto">{format!("“{}”", drill.note)}</p> });
            view! {
                <li class="offer">
                    <div class="text">
                        <p><span dir="auto">{drill.begun_by.clone()}</span> {format!(" says that you watched this drill ({}, {} s): ", drill.surface, drill.seconds)} <strong dir="auto">{drill.name.clone()}</strong> " " <a href=format!("/agents/{}", drill.agent)>{drill.agent.to_string()}</a></p>
                        <p class="small muted"><When at=begun_at now=now/> ". " <a href=evidence>"The evidence"</a></p>
                        {note}
                    </div>
                    {testimony("/", &drill.delivery)}
                </li>
            }
        })
        .collect_view();
    Some(view! {
        <Section title="Did you see it stop?" id="drills" count=home.drills.len() as u64>
            <ul class="offers panel flush">{lines}</ul>
        </Section>
    })
}

/// The duties that the reader is asked about again.
fn still_yours(due: u64) -> Option<impl IntoView + use<>> {
    let words = match due {
        0 => return None,
        1 => "1 duty of yours is to be confirmed.".to_owned(),
        1_000.. => "More than 1,000 duties of yours are to be confirmed.".to_owned(),
        n => format!("{n} duties of yours are to be confirmed."),
    };
    Some(view! {
        <Section title="Still yours?" id="still-yours" count=due>
            <div class="panel row"><p>{words}</p><LinkButton href="/still-yours">"Answer"</LinkButton></div>
        </Section>
    })
}

/// What the reader answers for.
fn yours(home: &Home) -> Option<impl IntoView + use<>> {
    let href = Address::new("/agents").with("owner", &home.me).href();
    if home.mine_total == Some(0) && home.teams.is_empty() {
        return None;
    }
    let rows = home
        .mine
        .iter()
        .map(|agent| {
            let state = match agent.runtime_owner {
                Some(state) => view! { <StopState state=state.key()/> }.piece(),
                None => view! { <Lifecycle state=agent.state.key()/> }.piece(),
            };
            view! { <li><a href=format!("/agents/{}", agent.id) dir="auto">{agent.name.clone()}</a>{state}</li> }
        })
        .collect_view();
    let more = match home.mine_total {
        None => Some(format!("More than {COUNTED} that you answer for")),
        Some(total) => (total > home.mine.len() as u64).then(|| format!("All {total} you answer for")),
    };
    let teams = (!home.teams.is_empty()).then(|| {
        let list = home
            .teams
            .iter()
            .map(|(reference, name)| {
                let href = Address::new("/agents").with("owner", reference).href();
                view! { <li><a href=href dir="auto">{name.clone()}</a></li> }
            })
            .collect_view();
        view! { <div class="small"><p class="muted">"Through your teams"</p><ul class="plain-list">{list}</ul></div> }
    });
    let list = (!home.mine.is_empty()).then(|| view! { <ul class="panel flush mine">{rows}</ul> });
    let none =
        (home.mine_total == Some(0)).then(|| view! { <p class="small muted">"You answer for no agent in person."</p> });
    Some(view! {
        <Section title="Yours" id="yours">
            {list}
            {none}
            {more.map(|words| view! { <p class="small"><a href=href>{words}</a></p> })}
            {teams}
        </Section>
    })
}

/// Words, tone and address of a runtime-owner state among those that run.
fn part(state: RuntimeOwner, n: u64, runs: &str) -> Segment {
    let (words, tone) = stop_state_words(state.key());
    Segment::new(words, n, format!("/agents?runs={runs}&runtime_owner={state}"), tone)
}

/// The agents that run and that nobody can stop, of one business unit or of all.
fn nobody_can_stop(unit: Option<&str>) -> String {
    let here = Address::new("/agents").with("runs", "yes");
    let here = unit.map_or(here.clone(), |unit| here.with("business_unit", unit));
    RuntimeOwner::NOBODY.iter().fold(here, |here, state| here.and("runtime_owner", state.key())).href()
}

/// The question, its answer as a number, and the bar.
#[component]
fn Stopping(posture: Posture, trend: Vec<(NaiveDate, i64)>) -> impl IntoView {
    let all = running(&posture);
    let of = |state: RuntimeOwner| posture.running.get(&state).map_or(0, |n| count(*n));
    let nobody = count(posture.unstoppable());
    let segments = RuntimeOwner::ALL.iter().map(|state| part(*state, of(*state), "yes")).collect::<Vec<_>>();
    let bar = view! { <StackedBar title="Agents that run, by who can stop them" id="who-can-stop" segments=segments/> };
    if all == 0 {
        return view! { <section class="hero" aria-label="Running"><p class="row"><Swatch tone=Tone::Plain/>"No agent runs."</p></section> }.piece();
    }
    let verdict = if nobody == 0 {
        let untested = of(RuntimeOwner::Unable) + of(RuntimeOwner::Untested);
        view! {
            <p class="verdict good">
                <span class="figure">{thousands(all)}</span>
                <span>{if untested == 0 { "Everything that runs can be stopped, and it was shown.".to_owned() } else { format!("Everything that runs has somebody to stop it. For {} it was not shown.", thousands(untested)) }}</span>
            </p>
        }
        .piece()
    } else {
        let parts = [
            (RuntimeOwner::None, "have no runtime owner"),
            (RuntimeOwner::Inactive, "have one who is gone"),
            (RuntimeOwner::Pending, "have only been offered to somebody"),
        ];
        let parts = parts
            .into_iter()
            .filter(|(state, _)| of(*state) > 0)
            .map(|(state, words)| {
                view! { <li><a href=format!("/agents?runs=yes&runtime_owner={state}")>{format!("{} {words}", thousands(of(state)))}</a></li> }
            })
            .collect_view();
        view! {
            <div class="verdict severe">
                <a class="figure" href=nobody_can_stop(None)>{thousands(nobody)}</a>
                <div>
                    <p class="words">{if nobody == 1 { "agent runs and nobody can stop it" } else { "agents run and nobody can stop them" }}</p>
                    <ul class="small parts">{parts}</ul>
                </div>
            </div>
        }
        .piece()
    };
    let trend = trending(&trend);
    view! { <section class="hero" aria-label="Who can stop what runs">{verdict}{bar}{trend}</section> }.piece()
}

/// How what nobody can stop has gone in the days that were recorded, with the numbers behind it.
/// Nothing, before there are two.
fn trending(days: &[(NaiveDate, i64)]) -> Option<Piece> {
    let ((first_day, first), (last_day, last)) = (*days.first()?, *days.last()?);
    if days.len() < 2 {
        return None;
    }
    let span = (last_day - first_day).num_days();
    let how = if first == last {
        format!("{} now as {span} days ago", thousands(count(last)))
    } else {
        format!("from {} to {} in {span} days", thousands(count(first)), thousands(count(last)))
    };
    let tone = if last == 0 { Tone::Good } else { Tone::Severe };
    #[expect(clippy::cast_precision_loss, reason = "counts of agents, drawn on thirty units")]
    let values: Vec<f64> = days.iter().map(|(_, n)| *n as f64).collect();
    let rows = days
        .iter()
        .rev()
        .map(|(day, n)| view! { <tr><td>{day.to_string()}</td><td class="num">{thousands(count(*n))}</td></tr> })
        .collect_view();
    let title = "Agents that ran and nobody could stop";
    Some(
        view! {
            <div class="trend">
                <Sparkline title=title description=how.clone() values=values tone=tone/>
                <details class="unfold">
                    <summary>"Nobody can stop: " {how}</summary>
                    <table class="table">
                        <caption class="visually-hidden">{title} ", at the end of each UTC day that was recorded"</caption>
                        <thead><tr><th scope="col">"Day"</th><th scope="col" class="num">"Agents"</th></tr></thead>
                        <tbody>{rows}</tbody>
                    </table>
                </details>
            </div>
        }
        .piece(),
    )
}

/// What is not loud: what does not run yet, what is retired, what is being onboarded.
#[component]
fn Apart(posture: Posture, now: DateTime<Utc>) -> impl IntoView {
    let idle: u64 = posture.idle.values().map(|n| count(*n)).sum();
    let retired = posture.by_state.get(State::Retired.key()).map_or(0, |n| count(*n));
    let parts = RuntimeOwner::ALL
        .iter()
        .filter_map(|state| {
            let n = posture.idle.get(state).map_or(0, |n| count(*n));
            // What does not run is not loud, whoever could stop it.
            let tone = if *state == RuntimeOwner::Verified { Tone::Good } else { Tone::Plain };
            let words = stop_state_words(state.key()).0;
            (n > 0).then(|| {
                view! { <li><a href=format!("/agents?runs=no&runtime_owner={state}")><Swatch tone=tone/>{words} " " <strong>{thousands(n)}</strong></a></li> }
            })
        })
        .collect_view();
    let waves = posture.waves.iter().map(|wave| onboarding(wave, now)).collect_view();
    let onboarding = (!posture.waves.is_empty()).then(|| {
        view! {
            <div>
                <dt>"Being onboarded"</dt>
                <dd>
                    <ul class="waves">{waves}</ul>
                    <p class="small muted">"Their gaps wait for that date, except one that never waits: running, and nobody able to stop it."</p>
                </dd>
            </div>
        }
    });
    let idle_words =
        if idle == 1 { "1 does not run yet".to_owned() } else { format!("{} do not run yet", thousands(idle)) };
    let retired_words =
        if retired == 1 { "1 is retired".to_owned() } else { format!("{} are retired", thousands(retired)) };
    view! {
        <Section title="Counted apart" id="apart">
            <dl class="apart panel">
                {(idle > 0).then(|| view! { <div><dt>{idle_words}</dt><dd><ul class="inline">{parts}</ul></dd></div> })}
                {(retired > 0).then(|| view! { <div><dt><a href="/agents?state=retired">{retired_words}</a></dt><dd class="small muted">"Any sign of life of theirs is an alert."</dd></div> })}
                {onboarding}
            </dl>
        </Section>
    }
    .piece()
}

fn onboarding(wave: &WavePosture, now: DateTime<Utc>) -> impl IntoView + use<> {
    let owner = if wave.owner.is_empty() {
        view! { <span class="vacant">"nobody"</span> }.piece()
    } else {
        view! { <span dir="auto">{wave.owner.clone()}</span> }.piece()
    };
    let agents =
        if wave.agents == 1 { "1 agent".to_owned() } else { format!("{} agents", thousands(count(wave.agents))) };
    view! {
        <li>
            <a href=format!("/agents?wave={}", wave.id) dir="auto">{wave.title.clone()}</a>
            ": " {agents} ", " {owner} " answers for it, due " <When at=wave.target now=now/>
        </li>
    }
    .piece()
}

/// Business units, worst first.
#[component]
fn Units(units: Vec<UnitPosture>) -> impl IntoView {
    if units.is_empty() {
        return ().piece();
    }
    let count_all = units.len();
    let row = |unit: UnitPosture| {
        let (open, all) = (count(unit.unstoppable), count(unit.running));
        let name = if unit.business_unit.is_empty() {
            view! { <span class="unset">"no business unit"</span> }.piece()
        } else {
            let href = Address::new("/agents").with("business_unit", &unit.business_unit).with("runs", "yes").href();
            view! { <a href=href dir="auto">{unit.business_unit.clone()}</a> }.piece()
        };
        let loud = (!unit.business_unit.is_empty()).then(|| nobody_can_stop(Some(&unit.business_unit)));
        let words = format!("{} of {}", thousands(open), thousands(all));
        let figure = match loud {
            Some(href) => view! { <a href=href>{words}</a> }.piece(),
            None => words.piece(),
        };
        view! {
            <tr>
                <th scope="row">{name}</th>
                <td class="num">{figure}</td>
                <td class="thin roomy"><Meter label=format!("{}: nobody can stop", unit.business_unit) value=open of=all tone=Tone::Severe/></td>
            </tr>
        }
    };
    let mut units = units.into_iter();
    let first = units.by_ref().take(8).map(row).collect_view();
    let rest = units.map(row).collect_view();
    let head = || view! { <thead><tr><th scope="col">"Business unit"</th><th scope="col" class="num">"Nobody can stop"</th><th scope="col" class="thin roomy"><span class="visually-hidden">"Share"</span></th></tr></thead> };
    view! {
        <Section title="Worst business units" id="units">
            <TableFrame label="Business units" compact=true>{head()}<tbody>{first}</tbody></TableFrame>
            {(count_all > 8).then(|| view! {
                <details class="small">
                    <summary>{format!("{} more", count_all - 8)}</summary>
                    <TableFrame label="More business units" compact=true>{head()}<tbody>{rest}</tbody></TableFrame>
                </details>
            })}
        </Section>
    }
    .piece()
}

/// Exceptions by the days they have left, the worst first; nothing where there are none.
fn exceptions(f: crate::exceptions::Figures) -> Option<Piece> {
    if f.active + f.breached + f.requested == 0 {
        return None;
    }
    let soon = f.within_30.saturating_sub(f.within_7);
    let later = f.active.saturating_sub(f.within_30);
    let segments = vec![
        Segment::new("Ended, still breached", f.breached, "/exceptions?state=breached", Tone::Severe),
        Segment::new("7 days or less", f.within_7, "/exceptions?within=7", Tone::Bad),
        Segment::new("30 days or less", soon, "/exceptions?within=30&beyond=7", Tone::Warn),
        Segment::new("Later", later, "/exceptions?beyond=30", Tone::Good),
    ];
    let asked = match f.requested {
        0 => None,
        1 => Some("1 more is asked and not decided".to_owned()),
        n => Some(format!("{} more are asked and not decided", thousands(n))),
    };
    let asked =
        asked.map(|words| view! { <p class="small muted"><a href="/exceptions?state=requested">{words}</a></p> });
    Some(
        view! {
            <Section title="Exceptions by days left" id="exceptions" actions=move || view! { <a class="small" href="/exceptions?view=timeline">"Timeline"</a> }>
                <StackedBar title="Exceptions by the days they have left" id="exceptions-left" segments=segments/>
                {asked}
            </Section>
        }
        .piece(),
    )
}

/// How many agents need each duty, and how many have an owner for it.
#[component]
fn Coverage(posture: Posture) -> impl IntoView {
    let rows = posture
        .duties
        .iter()
        .filter(|coverage| coverage.required > 0)
        .map(|coverage| {
            let (required, held) = (count(coverage.required), count(coverage.held));
            let gap = required.saturating_sub(held);
            let href = format!("/agents?vacant={}", coverage.duty);
            let tone = if gap == 0 { Tone::Good } else { Tone::Note };
            let gap = if gap == 0 {
                view! { <span class="muted">"none"</span> }.piece()
            } else {
                view! { <a href=href>{thousands(gap)}</a> }.piece()
            };
            view! {
                <tr>
                    <th scope="row">{coverage.duty.owner_title()}</th>
                    <td><Meter label=format!("{} held", coverage.duty.owner_title()) value=held of=required tone=tone/></td>
                    <td class="num roomy">{thousands(held)}</td>
                    <td class="num roomy">{thousands(required)}</td>
                    <td class="num">{gap}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Section title="Ownership by duty" id="coverage">
            <TableFrame label="Ownership by duty" compact=true>
                <thead><tr><th scope="col">"Owner"</th><th scope="col">"Share held"</th><th scope="col" class="num roomy">"Held"</th><th scope="col" class="num roomy">"Required"</th><th scope="col" class="num">"Missing"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

/// Findings by key, those that exist.
#[component]
fn Wrong(posture: Posture) -> impl IntoView {
    let found: Vec<(FindingKey, u64)> = FindingKey::ALL
        .iter()
        .map(|key| (*key, posture.findings.get(key.key()).map_or(0, |n| count(*n))))
        .filter(|(_, n)| *n > 0)
        .collect();
    let quiet = FindingKey::ALL.len() - found.len();
    // What waits for the date of its import is set apart, so that what is due is not lost in it.
    let onboarding = !posture.onboarding.is_empty();
    let rows = found
        .iter()
        .map(|(key, n)| {
            let waits = posture.onboarding.get(key.key()).map_or(0, |n| count(*n));
            let due = n.saturating_sub(waits);
            let at = |due: &str| Address::new("/agents").with("finding", key.key()).with("due", due).href();
            let figure = |n: u64, href: String| match n {
                0 => view! { <span class="muted">"0"</span> }.piece(),
                n => view! { <a href=href>{thousands(n)}</a> }.piece(),
            };
            let due = figure(due, if onboarding { at("yes") } else { format!("/agents?finding={key}") });
            let waits =
                onboarding.then(|| view! { <td class="num" data-label="Onboarding">{figure(waits, at("no"))}</td> });
            view! { <tr><th scope="row">{key.label()}</th><td class="num" data-label="Due now">{due}</td>{waits}</tr> }
        })
        .collect_view();
    let quiet = match quiet {
        0 => String::new(),
        1 => "1 check finds nothing.".to_owned(),
        n => format!("{n} checks find nothing."),
    };
    view! {
        <Section title="Findings" id="findings" actions=move || view! { <a class="small" href="/help/findings">"What each check means"</a> }>
            {(!found.is_empty()).then(|| view! {
                <TableFrame label="Findings" compact=true>
                    <thead><tr><th scope="col">"Finding"</th><th scope="col" class="num">{if onboarding { "Due now" } else { "Agents" }}</th>{onboarding.then(|| view! { <th scope="col" class="num">"Onboarding"</th> })}</tr></thead>
                    <tbody>{rows}</tbody>
                </TableFrame>
            })}
            <p class="small muted">{quiet}</p>
        </Section>
    }
    .piece()
}
