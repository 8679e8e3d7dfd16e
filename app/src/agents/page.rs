//! One agent: a sentence, what is wrong now, who answers for what, how it is stopped, the facts.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::agent::{AgentFacts, CredentialUse, Lifecycle as State, Running, ToolGrant};
use domain::assignment::{Held, OFFER_ESCALATES_AFTER, RaciRole, RuntimeOwner, accountable};
use domain::duty::Duty;
use domain::finding::{Finding, FindingKey, Severity as Weight};
use domain::id::{AgentId, SystemId};
use domain::party::{Party as Who, Standing};
use domain::tier;
use leptos::prelude::*;

use super::Points;
use super::form::lifetime;
use super::sentence::{duration, sentence};
use crate::components::{
    Address, Badge, Button, Confirm, Crumb, Crumbs, Day, ErrorSummary, Fact, Facts, IntoPiece, Kind, Lifecycle,
    LinkButton, PageHead, Party, Piece, Refused, RunningState, Section, Severity, Swatch, TableFrame, TextArea, Tier,
    Tone, When, stop_state_words,
};
use crate::people::{Named, chain};

/// What the reader may do with this agent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct May {
    /// See findings, credentials and stop state.
    pub controls: bool,
    /// Edit what is written about it.
    pub edit: bool,
    /// Offer its duties.
    pub assign: bool,
    /// Record how it is stopped.
    pub stop: bool,
    /// Stop it at once.
    pub press: bool,
    /// Read its past.
    pub history: bool,
    /// Start its retirement.
    pub retire: bool,
    /// Ask for a decision about it: an exception of a finding.
    pub ask: bool,
}

impl May {
    /// Whether a retirement that ended otherwise can be started again.
    const fn may_start(self, state: State) -> bool {
        matches!(state, State::Retiring) && self.edit
    }
}

/// An offer that nobody has answered yet.
#[derive(Debug, Clone)]
pub struct OpenOffer {
    /// The duty.
    pub duty: Duty,
    /// To whom.
    pub party: Who,
    /// Since when.
    pub offered_at: DateTime<Utc>,
    /// By whom, by name.
    pub offered_by: String,
    /// Why.
    pub reason: String,
    /// The reader may accept or decline it.
    pub mine: bool,
    /// The reader may take it back.
    pub withdraw: bool,
}

/// What was pressed on the page, as sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Do {
    /// `accept`, `decline`, `withdraw` or `stop`.
    pub what: String,
    /// The duty it is about, if one.
    pub duty: String,
    /// Why.
    pub reason: String,
    /// How it is stopped.
    pub procedure: String,
}

/// Everything the page of an agent shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its reference.
    pub id: AgentId,
    /// What is written about it; without credentials when the reader may not see them.
    pub facts: AgentFacts,
    /// What can happen to it next, and what was asked about it.
    pub life: crate::requests::Life,
    /// Where it is in its life.
    pub state: State,
    /// Since when.
    pub state_at: DateTime<Utc>,
    /// When the record began.
    pub created_at: DateTime<Utc>,
    /// Who registered it: name and, for a person, the reference.
    pub created_by: (String, String),
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// Its tier.
    pub tier: domain::tier::Tier,
    /// The tier's points.
    pub tier_points: i64,
    /// Its boundary's hash.
    pub boundary_sha256: String,
    /// The import it came with: reference and title.
    pub wave: Option<(String, String)>,
    /// The system it is part of: reference and name.
    pub parent: Option<(String, String)>,
    /// The platform it runs on: reference and name.
    pub platform: Option<(SystemId, String)>,
    /// Who holds what now.
    pub held: Vec<Held>,
    /// What is offered now.
    pub offers: Vec<OpenOffer>,
    /// Names of every party it mentions.
    pub names: BTreeMap<Who, String>,
    /// Whether somebody can stop it; `None` once retired, or when the reader may not know.
    pub runtime_owner: Option<RuntimeOwner>,
    /// What is wrong now, worst first.
    pub findings: Vec<Finding>,
    /// The newest exceptions that cover it, and whether there are more.
    pub exceptions: (Vec<crate::exceptions::OfAgent>, bool),
    /// The checks that the policy lets somebody except.
    pub exceptable: Vec<FindingKey>,
    /// Of each duty whose owner is gone and that is on offer to nobody: who is asked next.
    pub next: BTreeMap<Duty, Vec<Named>>,
    /// The reader answers for one of its duties.
    pub mine: bool,
    /// How it is paused: version, text and, if Muster calls a webhook, its address.
    pub method: Option<(i64, String, Option<String>)>,
    /// The present runtime owner's newest passed drill: when, and how many seconds it took.
    pub drill: Option<(DateTime<Utc>, Option<i64>)>,
    /// What the reader may do.
    pub may: May,
    /// What it shares with others: what, its name, and how many agents use it; empty when the
    /// reader may not see stop states.
    pub shared: Vec<(domain::stop::Uses, String, i64)>,
    /// How it ends, if it does.
    pub ending: Option<super::Ending>,
    /// What was pressed and refused.
    pub refused: Refused<Do>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

impl Shown {
    pub(super) fn name_of(&self, party: Who) -> String {
        self.names.get(&party).cloned().unwrap_or_else(|| party.to_string())
    }

    fn assign_href(&self, duty: Duty) -> String {
        format!("/agents/{}/assign?duty={duty}", self.id)
    }
}

/// The page of an agent; goes inside `Layout`.
#[component]
pub fn AgentPage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let id = shown.id;
    let may = shown.may;
    let retired = shown.state == State::Retired;
    // Its tombstone says who owned it; that nobody does now is no news.
    let buried = retired && shown.ending.as_ref().is_some_and(|e| !e.owners.is_empty());
    let (state, running, tier, stop) = (shown.state, shown.facts.running, shown.tier, shown.runtime_owner);
    let confidential = shown.facts.confidential;
    let hidden = (!may.controls).then(|| {
        view! { <p class="small muted">"Findings, credentials and how it is stopped are for its owners, security, risk and auditors."</p> }
    });
    view! {
        <Crumbs trail=vec![Crumb::new("Agents", "/agents"), Crumb::here(id.to_string())]/>
        <PageHead
            title=shown.facts.name.clone()
            reference=id.to_string()
            badges=move || view! {
                {stop.map(|stop| stop_badge(stop, running))}
                {(!retired).then(|| view! { <RunningState state=running.key()/> })}
                <Lifecycle state=state.key()/>
                <Tier tier=tier.key()/>
                {confidential.then(|| view! { <Badge tone=Tone::Note>"Confidential"</Badge> })}
            }
            actions=move || view! {
                {may.history.then(|| view! { <LinkButton href=format!("/agents/{id}/history") kind=Kind::Quiet>"History"</LinkButton> })}
                {may.press.then(|| view! { <LinkButton href=format!("/agents/{id}/stop#now") kind=Kind::Danger>"Stop"</LinkButton> })}
                {may.retire.then(|| view! { <LinkButton href=format!("/agents/{id}/retire") kind=Kind::Quiet>"Retire"</LinkButton> })}
                {(may.assign && !retired).then(|| view! { <LinkButton href=format!("/agents/{id}/assign")>"Assign"</LinkButton> })}
                {(may.edit && !retired).then(|| view! { <LinkButton href=format!("/agents/{id}/edit")>"Edit"</LinkButton> })}
            }
        />
        {sentence(&shown)}
        {super::ending::ending(id, state, shown.state_at, shown.ending.clone(), may.may_start(state), shown.now)}
        <ErrorSummary errors=shown.refused.errors.clone()/>
        {offers(&shown)}
        {may.controls.then(|| wrong(&shown))}
        <div class="with-aside">
            <div class="stack loose">
                <crate::requests::LifeSection life=shown.life.clone()/>
                {crate::exceptions::of_agent(id, &shown.exceptions.0, shown.exceptions.1, shown.now)}
                {(!buried).then(|| owners(&shown))}
                {(may.controls && !retired).then(|| stopping(&shown))}
                {tools(shown.facts.tools.clone())}
                {may.controls.then(|| credentials(shown.facts.credentials.clone(), shown.now))}
                {crate::stops::shared(&shown.shared)}
                {may.history.then(|| asked_when(id))}
                {hidden}
            </div>
            <aside class="stack" aria-label="Facts">
                {facts(&shown)}
            </aside>
        </div>
    }
    .piece()
}

/// The runtime-owner state; on an agent that does not run even the worst is said quietly.
pub(super) fn stop_words(state: RuntimeOwner, running: Running) -> (&'static str, Tone) {
    let (word, tone) = stop_state_words(state.key());
    if running.counts() || !state.nobody_can_stop() { (word, tone) } else { (word, Tone::Plain) }
}

fn stop_badge(state: RuntimeOwner, running: Running) -> impl IntoView {
    let (word, tone) = stop_words(state, running);
    view! { <Badge tone=tone>{word}</Badge> }
}

/// A button that does something to an offer, as a form of its own.
fn answer(id: AgentId, duty: Duty, what: &'static str, words: &'static str, kind: Kind) -> impl IntoView + use<> {
    view! {
        <form method="post" action=format!("/agents/{id}")>
            <input type="hidden" name="duty" value=duty.key()/>
            <Button kind=kind name="do" value=what>{words}</Button>
        </form>
    }
    .piece()
}

/// The same behind a question, with a reason.
fn ask(
    shown: &Shown,
    duty: Duty,
    what: &'static str,
    label: &'static str,
    confirm: String,
    required: bool,
) -> impl IntoView + use<> {
    let name = format!("reason-{what}-{duty}");
    let Do { what: pressed, duty: about, reason, .. } = &shown.refused.values;
    let open = pressed == what && about == duty.key();
    let (value, error) = if open { (reason.clone(), shown.refused.errors.of(&name)) } else { (String::new(), None) };
    view! {
        <Confirm label=label action=format!("/agents/{}", shown.id) confirm=confirm calm=true open=open>
            <input type="hidden" name="duty" value=duty.key()/>
            <input type="hidden" name="do" value=what/>
            <TextArea name=name label="Why" value=value error=error rows=2 required=required/>
        </Confirm>
    }
    .piece()
}

/// Offers that wait for an answer: first those the reader may give.
fn offers(shown: &Shown) -> Option<impl IntoView + use<>> {
    if shown.offers.is_empty() || shown.state == State::Retired {
        return None;
    }
    let id = shown.id;
    let mut offers: Vec<&OpenOffer> = shown.offers.iter().collect();
    offers.sort_by_key(|offer| (!offer.mine, offer.duty));
    let lines = offers
        .into_iter()
        .map(|offer| {
            let late = shown.now - offer.offered_at > OFFER_ESCALATES_AFTER;
            let title = offer.duty.owner_title();
            let party = view! { <a href=offer.party.path() dir="auto">{shown.name_of(offer.party)}</a> };
            let words = if offer.mine {
                view! { "You are asked to be its " <strong>{lower(title)}</strong> ", for " {party} ": " {offer.duty.answers_for()} "." }.piece()
            } else {
                view! { <strong>{title}</strong> " is offered to " {party} "." }.piece()
            };
            let reason = (!offer.reason.is_empty()).then(|| view! { <span dir="auto">{format!(" “{}”", offer.reason)}</span> });
            view! {
                <li class="offer">
                    <div class="text">
                        <p>{words}</p>
                        <p class="small muted">"By " <span dir="auto">{offer.offered_by.clone()}</span> ", " <When at=offer.offered_at now=shown.now/> {late.then_some(": unanswered for more than ten days")} "." {reason}</p>
                    </div>
                    <div class="actions">
                        {offer.mine.then(|| answer(id, offer.duty, "accept", "Accept", Kind::Primary))}
                        {offer.mine.then(|| ask(shown, offer.duty, "decline", "Decline…", "Decline".to_owned(), true))}
                        {offer.withdraw.then(|| ask(shown, offer.duty, "withdraw", "Withdraw…", "Withdraw the offer".to_owned(), false))}
                    </div>
                </li>
            }
        })
        .collect_view();
    Some(view! {
        <Section title="Offered, not yet accepted" id="offers" count=shown.offers.len() as u64>
            <ul class="offers panel flush">{lines}</ul>
        </Section>
    })
}

/// What is wrong now, one line each, with the one button that mends it.
fn wrong(shown: &Shown) -> Piece {
    if shown.state == State::Retired {
        return ().piece();
    }
    let (excepted, counts): (Vec<&Finding>, Vec<&Finding>) =
        shown.findings.iter().partition(|finding| finding.excepted.is_some());
    let (waiting, now): (Vec<&Finding>, Vec<&Finding>) =
        counts.into_iter().partition(|finding| finding.severity == Weight::Onboarding);
    if now.is_empty() && waiting.is_empty() && excepted.is_empty() {
        return view! {
            <Section title="What is wrong now" id="findings">
                <p class="row"><Swatch tone=Tone::Good/>"Nothing. Every check passes."</p>
            </Section>
        }
        .piece();
    }
    let until = waiting.iter().filter_map(|finding| finding.until).min();
    let waiting_none = waiting.is_empty();
    let count = now.len() as u64;
    let lines = now.into_iter().map(|finding| line(shown, finding)).collect_view();
    let later = (!waiting.is_empty()).then(|| {
        let words = match waiting.len() {
            1 => "1 gap of its import".to_owned(),
            n => format!("{n} gaps of its import"),
        };
        let lines = waiting.iter().map(|finding| line(shown, finding)).collect_view();
        view! {
            <details class="folded" open=count == 0>
                <summary>{words}{until.map(|until| view! { ", to be closed by " <Day at=until/> })}</summary>
                <ul class="findings">{lines}</ul>
            </details>
        }
    });
    let list = (count > 0).then(|| view! { <ul class="findings">{lines}</ul> });
    let none = (count == 0 && waiting_none)
        .then(|| view! { <p class="pad row"><Swatch tone=Tone::Good/>"Nothing that is not excepted."</p> });
    let apart = (!excepted.is_empty()).then(|| {
        let words =
            if excepted.len() == 1 { "1 is excepted".to_owned() } else { format!("{} are excepted", excepted.len()) };
        let lines = excepted.iter().map(|finding| excepted_line(shown, finding)).collect_view();
        view! {
            <details class="folded" id="excepted" open=count == 0>
                <summary>{words}</summary>
                <ul class="findings">{lines}</ul>
            </details>
        }
    });
    let body = view! { <div class="panel flush">{list}{none}{later}{apart}</div> };
    let catalogue = || view! { <a class="small" href="/help/findings">"What each check means"</a> };
    if count == 0 {
        view! { <Section title="What is wrong now" id="findings" actions=catalogue>{body}</Section> }.piece()
    } else {
        view! { <Section title="What is wrong now" id="findings" count=count actions=catalogue>{body}</Section> }
            .piece()
    }
}

/// A finding that does not count while an exception is in force: until when, and which.
fn excepted_line(shown: &Shown, finding: &Finding) -> impl IntoView + use<> {
    let id = finding.excepted.map(|id| id.to_string()).unwrap_or_default();
    let href = format!("/exceptions/{id}");
    let until = finding.until.map(|until| {
        let left = domain::exception::days_until(until, shown.now);
        let left = if left == 1 { "1 day left".to_owned() } else { format!("{left} days left") };
        view! { "Excepted until " <Day at=until/> ", " {left} }
    });
    view! {
        <li>
            <span class="weight"></span>
            <div class="what">{finding.sentence()}<span class="small muted block">{until} " (" <a href=href>{id.clone()}</a> ")"</span></div>
            <span class="since small muted">"since " <When at=finding.from now=shown.now/></span>
            <span class="mend"></span>
        </li>
    }
    .piece()
}

/// Where an exception of a finding is asked, for whoever may, if the policy allows one.
fn except(shown: &Shown, finding: &Finding) -> Option<impl IntoView + use<>> {
    if !shown.may.ask || finding.excepted.is_some() || !shown.exceptable.contains(&finding.key) {
        return None;
    }
    let href = format!("/exceptions/new?agent={}&control={}", shown.id, finding.key);
    Some(view! { <a class="small" href=href>"Except this"</a> })
}

fn line(shown: &Shown, finding: &Finding) -> impl IntoView + use<> {
    let label = finding.fix_label();
    let mend = mend(shown, finding).map(|href| view! { <LinkButton href=href kind=Kind::Small>{label}</LinkButton> });
    let except = except(shown, finding);
    let weight = match finding.severity {
        Weight::Onboarding => None,
        severity => Some(view! { <Severity severity=severity.key()/> }),
    };
    view! {
        <li>
            <span class="weight">{weight}</span>
            <div class="what">{finding.sentence()}{next_in_line(shown, finding)}</div>
            <span class="since small muted">"since " <When at=finding.from now=shown.now/></span>
            <span class="mend">{mend}{except}</span>
        </li>
    }
    .piece()
}

/// Who is asked next where an owner is gone, each with the one press that offers it to them.
fn next_in_line(shown: &Shown, finding: &Finding) -> Option<impl IntoView + use<>> {
    if !matches!(finding.key, FindingKey::OwnerInactive | FindingKey::RuntimeOwnerInactive) {
        return None;
    }
    let duty = finding.duty?;
    let next = shown.next.get(&duty)?;
    let action = format!("/agents/{}/succession", shown.id);
    let offers = (shown.may.assign && next.iter().any(|n| n.active)).then(|| {
        let buttons = next
            .iter()
            .filter(|n| n.active)
            .map(|n| {
                let name = n.name.clone();
                view! { <Button kind=Kind::Small name="offer" value=format!("{duty}:{}", n.id)><span>"Offer to "<bdi>{name}</bdi></span></Button> }
            })
            .collect_view();
        view! { <form method="post" action=action class="row">{buttons}</form> }
    });
    Some(view! { <span class="small muted block">"Next in line: "{chain(next)}"."</span>{offers} })
}

/// Where a finding is mended, for whoever may.
fn mend(shown: &Shown, finding: &Finding) -> Option<String> {
    let may = shown.may;
    let edit = |part: &str| may.edit.then(|| format!("/agents/{}/edit#{part}", shown.id));
    let duty = finding.duty.unwrap_or(Duty::Purpose);
    match finding.key {
        FindingKey::NoRuntimeOwner
        | FindingKey::RuntimeOwnerInactive
        | FindingKey::NoOwner
        | FindingKey::OwnerInactive
        | FindingKey::LifecycleSplit
        | FindingKey::JustificationEnded
        | FindingKey::RegulatoryConflict => may.assign.then(|| shown.assign_href(duty)),
        FindingKey::OwnerUnreachable => accountable(&shown.held, Duty::Containment).map(|h| match h.party {
            Who::Team(_) => format!("{}/on-call", h.party.path()),
            Who::Person(_) => format!("{}/reach", h.party.path()),
        }),
        FindingKey::OwnershipUnconfirmed => Some(if shown.mine { "/still-yours" } else { "#owners" }.to_owned()),
        FindingKey::NoResponsible => may.assign.then(|| format!("{}&role=R", shown.assign_href(duty))),
        FindingKey::RuntimeOwnerPending => Some("#offers".to_owned()),
        FindingKey::RuntimeOwnerUnable => may.stop.then(|| "#stop".to_owned()),
        FindingKey::RuntimeOwnerUntested => Some("#stop".to_owned()),
        FindingKey::StopReviewOverdue => Some(format!("/agents/{}/stop#card", shown.id)),
        FindingKey::HandoverMissing => Some(format!("/agents/{}/handover", shown.id)),
        FindingKey::ApprovalDue => Some(format!("/agents/{}/submit", shown.id)),
        FindingKey::Drift => Some(format!("/agents/{}/scope?from=observed", shown.id)),
        FindingKey::ReviewOverdue => Some(format!("/reviews/new?agent={}", shown.id)),
        FindingKey::ConditionOverdue | FindingKey::DecisionOverdue => Some("#requests".to_owned()),
        FindingKey::ControlUnchecked => Some(match finding.detail.split_once(',') {
            Some((exception, _)) => format!("/exceptions/{exception}"),
            None => "/exceptions".to_owned(),
        }),
        FindingKey::NeverApproved => edit("what"),
        FindingKey::LongLivedCredential => edit("credentials"),
        FindingKey::NameMissing | FindingKey::PossibleDuplicate => edit("field-name"),
    }
}

fn lower(title: &str) -> String {
    if title.starts_with("API") { title.to_owned() } else { title.to_lowercase() }
}

/// The matrix, to be read: duties down, letters across.
fn owners(shown: &Shown) -> impl IntoView + use<> {
    let id = shown.id;
    let shows = |duty: Duty| {
        duty.required(&shown.facts)
            || shown.held.iter().any(|held| held.duty == duty)
            || shown.offers.iter().any(|offer| offer.duty == duty)
    };
    let (rows, rest): (Vec<Duty>, Vec<Duty>) = Duty::ALL.iter().copied().partition(|duty| shows(*duty));
    let required = rows.iter().filter(|duty| duty.required(&shown.facts)).count();
    let held = rows
        .iter()
        .filter(|duty| duty.required(&shown.facts))
        .filter(|duty| accountable(&shown.held, **duty).is_some_and(|held| held.standing == Standing::Active))
        .count();
    let rows = rows.into_iter().map(|duty| owner_row(shown, duty)).collect_view();
    let rest = (!rest.is_empty()).then(|| {
        let list = rest
            .iter()
            .map(|duty| view! { <li>{duty.owner_title()} <span class="muted">{format!(": {}", duty.required_when())}</span></li> })
            .collect_view();
        let words = match rest.len() {
            1 => "1 more duty is not required of it".to_owned(),
            n => format!("{n} more duties are not required of it"),
        };
        view! { <details class="small"><summary>{words}</summary><ul class="plain-list">{list}</ul></details> }
    });
    let change = shown.may.assign && shown.state != State::Retired;
    let acts = change.then(|| view! { <th scope="col"><span class="visually-hidden">"Change"</span></th> });
    view! {
        <Section title="Who answers for what" id="owners" actions=move || view! { <a class="small" href=format!("/agents/{id}/raci")>"RACI matrix"</a> }>
            <p class="small muted">{format!("{held} of {required} required duties are held.")} " The owner is the one party that is Accountable."</p>
            <TableFrame label="Who answers for what" stacks=true compact=true>
                <thead>
                    <tr>
                        <th scope="col">"Duty"</th>
                        <th scope="col">"Owner (A)"</th>
                        <th scope="col">"Does the work (R)"</th>
                        <th scope="col">"Is asked (C)"</th>
                        <th scope="col">"Is told (I)"</th>
                        {acts}
                    </tr>
                </thead>
                <tbody class="owners">{rows}</tbody>
            </TableFrame>
            {rest}
        </Section>
    }
    .piece()
}

fn owner_row(shown: &Shown, duty: Duty) -> impl IntoView + use<> {
    let owner = accountable(&shown.held, duty);
    let offer = shown.offers.iter().find(|offer| offer.duty == duty);
    let required = duty.required(&shown.facts);
    let retired = shown.state == State::Retired;
    let holder = match owner {
        Some(held) => {
            let gone = (held.standing != Standing::Active).then(|| {
                let why = if held.standing == Standing::Leaderless { "no active lead" } else { "left" };
                view! { " " <Badge tone=Tone::Bad>{why}</Badge> }
            });
            let source = held.inherited.map(|system| {
                let name = shown.platform.as_ref().map_or_else(|| system.to_string(), |(_, name)| name.clone());
                view! { ", inherited from " <a href=format!("/systems/{system}") dir="auto">{name}</a> }
            });
            view! {
                <a href=held.party.path() dir="auto">{shown.name_of(held.party)}</a>{gone}
                <span class="since small muted">"since " <Day at=held.since/>{source}</span>
            }
            .piece()
        }
        None if required && !retired => view! { <span class="vacant">"Nobody"</span> }.piece(),
        None => view! { <span class="unset">"nobody"</span> }.piece(),
    };
    let offered = offer.map(|offer| {
        view! { <span class="since small muted">"offered to " <a href=offer.party.path() dir="auto">{shown.name_of(offer.party)}</a></span> }
    });
    let letters = |role: RaciRole| {
        shown
            .held
            .iter()
            .filter(|held| held.duty == duty && held.role == role)
            .map(|held| {
                let gone = (held.standing != Standing::Active).then(|| view! { " " <span class="gone small">"(gone)"</span> });
                view! { <span class="one"><a href=held.party.path() dir="auto">{shown.name_of(held.party)}</a>{gone}</span> }
            })
            .collect_view()
    };
    let change = (shown.may.assign && !retired).then(|| {
        let words = match owner {
            Some(held) if held.inherited.is_some() => "Override",
            Some(_) => "Change",
            None => "Assign",
        };
        let title = lower(duty.owner_title());
        view! { <td class="act"><a href=shown.assign_href(duty)>{words}<span class="visually-hidden">{format!(" the {title}")}</span></a></td> }
    });
    view! {
        <tr>
            <th scope="row">{duty.owner_title()}<span class="since small muted">{duty.label()}</span></th>
            <td data-label="Owner">{holder}{offered}</td>
            <td data-label="Does the work">{letters(RaciRole::Responsible)}</td>
            <td data-label="Is asked">{letters(RaciRole::Consulted)}</td>
            <td data-label="Is told">{letters(RaciRole::Informed)}</td>
            {change}
        </tr>
    }
    .piece()
}

/// How it is stopped, by whom it was shown, and the form that records it.
fn stopping(shown: &Shown) -> impl IntoView + use<> {
    let cadence = shown.tier.drill_cadence_days();
    let proof = match (&shown.method, shown.drill, shown.runtime_owner) {
        (None, ..) => None,
        (Some(_), Some((at, seconds)), state) => {
            let took = seconds.map(|s| format!(" in {}", duration(s))).unwrap_or_default();
            let due = at + TimeDelta::days(cadence);
            let next = if state == Some(RuntimeOwner::Verified) {
                view! { " Due again by " <Day at=due/> "." }.piece()
            } else {
                view! { " That proves nothing for this version of the method, or is too long ago." }.piece()
            };
            Some(view! { "Its runtime owner showed that it works " <When at=at now=shown.now/> {took} "." {next} }.piece())
        }
        (Some(_), None, _) => Some(
            view! { {format!("Its runtime owner has not shown yet that it works. At this tier a drill proves it for {cadence} days.")} }
                .piece(),
        ),
    };
    let text = match &shown.method {
        Some((version, text, url)) => {
            let kind = if url.is_some() { "Webhook" } else { "Written procedure" };
            let url = url.clone().map(|url| view! { <p><span class="ref">{url}</span></p> });
            view! {
                <div class="panel procedure">
                    <p class="small muted">{format!("{kind}, version {version}")}</p>
                    {url}
                    <div class="written" dir="auto">{text.clone()}</div>
                </div>
            }
            .piece()
        }
        None => view! { <p>"No way to stop it is recorded."</p> }.piece(),
    };
    let all = format!("/agents/{}/stop", shown.id);
    let Refused { values, errors } = &shown.refused;
    let refused = values.what == "stop";
    let webhook = shown.method.as_ref().is_some_and(|(_, _, url)| url.is_some());
    let form = (shown.may.stop && !webhook).then(|| {
        let typed = if refused { values.procedure.clone() } else { shown.method.as_ref().map(|(_, text, _)| text.clone()).unwrap_or_default() };
        let (label, save) =
            if shown.method.is_some() { ("Write a new version…", "Record the new version") } else { ("Record how to stop it…", "Record") };
        let error = errors.of("procedure");
        view! {
            <Confirm label=label action=format!("/agents/{}", shown.id) confirm=save calm=true open=refused>
                <input type="hidden" name="do" value="stop"/>
                <TextArea name="procedure" label="How it is stopped" value=typed error=error rows=6 required=true
                    hint="Step by step, for somebody woken at three in the morning: where, with what, and how one sees that it stopped. A drill of an older version proves nothing of the new one."/>
            </Confirm>
        }
    });
    view! {
        <Section title="How it is stopped" id="stop" actions=move || view! { <a class="small" href=all>"Drills, and every surface"</a> }>
            {text}
            {proof.map(|proof| view! { <p class="small muted">{proof}</p> })}
            {form}
        </Section>
    }
    .piece()
}

fn tools(tools: Vec<ToolGrant>) -> impl IntoView {
    let count = tools.len() as u64;
    let rows = tools
        .into_iter()
        .map(|tool| {
            let agents = Address::new("/agents").with("tool", &tool.name).href();
            view! {
                <tr>
                    <th scope="row"><a href=agents dir="auto">{tool.name}</a></th>
                    <td data-label="Kind">{tool.kind.label()}</td>
                    <td data-label="Access">{tool.access.label()}</td>
                    <td data-label="Sensitivity">{tool.sensitivity.label()}</td>
                    <td data-label="Scope"><span dir="auto">{tool.scope}</span></td>
                </tr>
            }
        })
        .collect_view();
    (count > 0).then(|| {
        view! {
            <Section title="Tools" id="tools" count=count>
                <TableFrame label="Tools" stacks=true compact=true>
                    <thead><tr><th scope="col">"Tool"</th><th scope="col">"Kind"</th><th scope="col">"Access"</th><th scope="col">"Sensitivity"</th><th scope="col">"Scope"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </TableFrame>
            </Section>
        }
    })
}

fn credentials(credentials: Vec<CredentialUse>, now: DateTime<Utc>) -> impl IntoView {
    let count = credentials.len() as u64;
    let rows = credentials
        .into_iter()
        .map(|c| {
            let agents = Address::new("/agents").with("credential", &c.name).href();
            let kind = if c.kind.is_standing() {
                view! { <Badge tone=Tone::Warn>{c.kind.label()}</Badge> }.piece()
            } else {
                c.kind.label().piece()
            };
            let rotated = chrono::NaiveDate::parse_from_str(&c.last_rotated, "%Y-%m-%d")
                .ok()
                .and_then(|day| day.and_hms_opt(0, 0, 0))
                .map(|day| view! { <When at=day.and_utc() now=now/> });
            view! {
                <tr>
                    <th scope="row"><a href=agents dir="auto">{c.name}</a></th>
                    <td data-label="Kind">{kind}</td>
                    <td data-label="Lifetime">{c.ttl_seconds.map_or_else(|| "until revoked".to_owned(), lifetime)}</td>
                    <td data-label="Kept in"><span dir="auto">{c.kept_in}</span></td>
                    <td data-label="Last rotated">{rotated}</td>
                </tr>
            }
        })
        .collect_view();
    (count > 0).then(|| {
        view! {
            <Section title="Credentials" id="credentials" count=count>
                <TableFrame label="Credentials" stacks=true compact=true>
                    <thead><tr><th scope="col">"Credential"</th><th scope="col">"Kind"</th><th scope="col">"Lifetime"</th><th scope="col">"Kept in"</th><th scope="col">"Last rotated"</th></tr></thead>
                    <tbody>{rows}</tbody>
                </TableFrame>
            </Section>
        }
    })
}

fn asked_when(id: AgentId) -> impl IntoView {
    view! {
        <Section title="Who was accountable on…" id="then">
            <form method="get" action=format!("/agents/{id}/history") class="row ask-when">
                <label for="field-at" class="visually-hidden">"Date and time, UTC"</label>
                <input class="input short" type="datetime-local" id="field-at" name="at" required=true/>
                <span class="small muted">"UTC"</span>
                <button class="button">"Show"</button>
            </form>
        </Section>
    }
    .piece()
}

fn unset() -> Piece {
    view! { <span class="unset">"not recorded"</span> }.piece()
}

fn party_fact(shown: &Shown, team: Option<domain::id::TeamId>) -> Piece {
    let Some(team) = team else { return unset() };
    let party = Who::Team(team);
    view! { <a href=party.path() dir="auto">{shown.name_of(party)}</a> }.piece()
}

fn facts(shown: &Shown) -> impl IntoView + use<> {
    let f = &shown.facts;
    let built_by = party_fact(shown, f.built_by);
    let handover = domain::handover::needed(f)
        .map(|_| view! { " " <a class="small" href=format!("/agents/{}/handover", shown.id)>"Handover"</a> });
    let operated_by = party_fact(shown, f.operated_by);
    let purpose = if f.purpose.is_empty() {
        view! { <p class="unset">"Its purpose is not recorded."</p> }.piece()
    } else {
        view! { <div class="written" dir="auto">{f.purpose.clone()}</div> }.piece()
    };
    let identity = if f.workload_identity.is_empty() {
        unset()
    } else {
        view! { <span class="ref">{f.workload_identity.clone()}</span> }.piece()
    };
    let (kind, environment, hosting, autonomy, exposure, data) = (
        f.kind.label(),
        f.environment.label(),
        f.hosting.label(),
        f.autonomy.label(),
        f.exposure.label(),
        f.data.label(),
    );
    let regulated = if f.regulated { "Yes" } else { "No" };
    let parent = shown.parent.clone().map(|(system, name)| {
        let href = Address::new("/agents").with("system", &system).href();
        view! { <Fact term="Part of"><a href=href dir="auto">{name}</a></Fact> }
    });
    let platform = shown.platform.clone().map(|(system, name)| {
        view! { <Fact term="Runs on"><a href=format!("/systems/{system}") dir="auto">{name}</a></Fact> }
    });
    let wave = shown.wave.clone().map(|(wave, title)| {
        let href = Address::new("/agents").with("wave", &wave).href();
        view! { <Fact term="Came with"><a href=href dir="auto">{title}</a></Fact> }
    });
    let (now, created_at, updated_at, state_at) = (shown.now, shown.created_at, shown.updated_at, shown.state_at);
    let boundary = shown.boundary_sha256.clone();
    let tier_key = shown.tier.key();
    let models = if f.models.is_empty() { String::new() } else { f.models.join(", ") };
    let unit = (!f.business_unit.is_empty()).then(|| {
        let href = Address::new("/agents").with("business_unit", &f.business_unit).href();
        view! { <a href=href dir="auto">{f.business_unit.clone()}</a> }
    });
    let vendor = f.vendor_managed().then(|| {
        let href = Address::new("/agents").with("vendor", &f.vendor).href();
        let contract = (!f.contract.is_empty()).then(
            || view! { <span class="small muted">" contract " <span dir="auto">{f.contract.clone()}</span></span> },
        );
        let vendor = f.vendor.clone();
        view! { <Fact term="Vendor"><a href=href dir="auto">{vendor}</a>{contract}</Fact> }
    });
    let external = (!f.external_ids.is_empty()).then(|| {
        let list = f.external_ids.iter().map(|e| view! { <li><span class="muted">{e.source.clone()}</span> " " <span class="ref">{e.id.clone()}</span></li> }).collect_view();
        view! { <Fact term="Ids elsewhere"><ul class="plain-list">{list}</ul></Fact> }
    });
    let labels = (!f.labels.is_empty()).then(|| {
        let list = f
            .labels
            .iter()
            .map(|(key, value)| view! { <li dir="auto"><span class="muted">{key.clone()}</span> " " {value.clone()}</li> })
            .collect_view();
        view! { <Fact term="Labels"><ul class="plain-list">{list}</ul></Fact> }
    });
    let (by, reference) = shown.created_by.clone();
    let score = tier::score(f);
    let tier_points = shown.tier_points;
    let points = shown.may.controls.then(|| {
        view! { <details class="small"><summary>{format!("{tier_points} points: which fact gave how many")}</summary><Points because=score.because/></details> }
    });
    view! {
        <section class="panel" aria-labelledby="facts-title">
            <h2 id="facts-title">"Facts"</h2>
            {purpose}
            <Facts>
                <Fact term="Kind" value=kind/>
                <Fact term="Business unit">{unit.map_or_else(unset, IntoPiece::piece)}</Fact>
                <Fact term="Environment" value=environment/>
                <Fact term="Hosting" value=hosting/>
                {vendor}
                <Fact term="Autonomy" value=autonomy/>
                <Fact term="Who meets it" value=exposure/>
                <Fact term="Data" value=data/>
                <Fact term="Regulated" value=regulated/>
                <Fact term="Built by">{built_by}{handover}</Fact>
                <Fact term="Operated by">{operated_by}</Fact>
                {parent}
                {platform}
                <Fact term="Workload identity">{identity}</Fact>
                <Fact term="Models" value=models/>
                {external}
                {labels}
            </Facts>
        </section>
        <section class="panel" aria-labelledby="tier-title">
            <h2 id="tier-title">"Risk tier"</h2>
            <p class="row"><Tier tier=tier_key/></p>
            {points}
            <p class="small muted"><a href="/help/tiers">"How the tier is computed"</a></p>
        </section>
        <section class="panel" aria-labelledby="record-title">
            <h2 id="record-title">"Record"</h2>
            <Facts>
                <Fact term="Registered"><When at=created_at now=now/> " by " {if reference.is_empty() { by.piece() } else { view! { <Party name=by reference=reference/> }.piece() }}</Fact>
                <Fact term="Changed"><When at=updated_at now=now/></Fact>
                <Fact term="In this state"><When at=state_at now=now/></Fact>
                {wave}
                <Fact term="Boundary"><span class="ref hash" title="SHA-256 of every fact that policy reads">{boundary}</span></Fact>
            </Facts>
        </section>
    }
    .piece()
}
