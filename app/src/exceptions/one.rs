//! One exception: what is excepted and for whom, why, what is done instead, until when, who decided;
//! and what can be pressed about it.

use chrono::{DateTime, Utc};
use domain::duty::Duty;
use domain::exception::ExceptionState as State;
use domain::id::{AgentId, ExceptionId, PersonId, RequestId};
use domain::party::Party as Who;
use domain::tier::Tier as Level;
use leptos::prelude::*;

use super::{Rule, impact_words, left_words, likelihood_words, risk_words, standing};
use crate::components::{
    Badge, Confirm, Crumb, Crumbs, Day, ErrorSummary, Fact, Facts, Field, IntoPiece, Kind, LinkButton, Notice,
    PageHead, Piece, Refused, Section, TableFrame, TextArea, Tier, Tone, When, thousands,
};
use crate::requests::card;

/// A compensating control.
#[derive(Debug, Clone)]
pub struct Control {
    /// Its number.
    pub place: i64,
    /// What is done instead.
    pub words: String,
    /// By whom, and whether they are still there.
    pub owner: (PersonId, String, bool),
    /// By when it is checked.
    pub check_at: DateTime<Utc>,
    /// When it was checked, by whom, and what they found.
    pub checked: Option<(DateTime<Utc>, String, String)>,
    /// The reader may say that it was checked.
    pub may_check: bool,
}

/// An agent that it covers.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Its reference.
    pub id: AgentId,
    /// Its name.
    pub name: String,
    /// Its tier.
    pub tier: Level,
    /// What is excepted holds for it now: `None` when it is a control of the organisation's own.
    pub breaks: Option<bool>,
    /// Who owns the control there.
    pub owner: Option<(Who, String)>,
}

/// The node of a framework.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its reference.
    pub reference: String,
    /// What it is called; empty for one that no catalogue has.
    pub title: String,
    /// The catalogue, and the line that its licence asks for.
    pub catalogue: String,
    /// The attribution.
    pub attribution: String,
    /// As it was cited, where that differs.
    pub cited_as: Option<String>,
}

/// What was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OneForm {
    /// What was pressed.
    pub pressed: String,
    /// Which control.
    pub place: String,
    /// Why, or what was found.
    pub reason: String,
}

/// Another exception for the same rule and agent, before or after this one.
#[derive(Debug, Clone)]
pub struct Link {
    /// Its reference.
    pub id: ExceptionId,
    /// Where it stands.
    pub state: State,
    /// From when.
    pub starts_at: DateTime<Utc>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// Why it was asked.
    pub justification: String,
}

/// What the reader may press.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct May {
    /// Ask for its renewal.
    pub renew: bool,
    /// End it because it is not needed any more.
    pub close: bool,
    /// Take it away.
    pub revoke: bool,
    /// Write its compensating controls anew while it is asked.
    pub change: bool,
    /// Read its past.
    pub history: bool,
}

/// Everything the page shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its reference.
    pub id: ExceptionId,
    /// What it is called.
    pub title: String,
    /// Where it stands.
    pub state: State,
    /// It has expired, and what it excepted is still so.
    pub breached: bool,
    /// Who asked.
    pub requester: (PersonId, String),
    /// When.
    pub created_at: DateTime<Utc>,
    /// What is excepted.
    pub rule: Rule,
    /// The node of a framework.
    pub node: Option<Node>,
    /// Whose control it is.
    pub duty: Duty,
    /// How likely harm is, of five.
    pub likelihood: i64,
    /// How bad it would be, of five.
    pub impact: i64,
    /// Why it is needed.
    pub justification: String,
    /// How its agents were chosen, in words; empty where each was named.
    pub selection: String,
    /// The agents that the reader may see.
    pub agents: Vec<Agent>,
    /// How many more there are.
    pub more: u64,
    /// What is done instead.
    pub controls: Vec<Control>,
    /// The tier of the riskiest agent.
    pub tier: Level,
    /// From when.
    pub starts_at: DateTime<Utc>,
    /// Until when.
    pub expires_at: DateTime<Utc>,
    /// What is still wrong at the end suspends its agents then.
    pub suspends: bool,
    /// What came before and after it, oldest first, itself among them.
    pub chain: Vec<Link>,
    /// How often it may be renewed in all.
    pub renewals_most: i64,
    /// How it ended before its time, or was refused: when, by whom, and why.
    pub ended: Option<(DateTime<Utc>, String, String)>,
    /// The request that decides or decided it.
    pub request: RequestId,
    /// That request, as its card shows it, for whoever may read it.
    pub card: Option<card::Shown>,
    /// What may be pressed.
    pub may: May,
    /// Why it cannot be renewed now, where one might expect it.
    pub not_renewable: Option<String>,
    /// The form.
    pub form: Refused<OneForm>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page; goes inside `Layout`.
#[component]
pub fn ExceptionPage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let (id, now, state, breached, expires) = (shown.id, shown.now, shown.state, shown.breached, shown.expires_at);
    let (may, tier) = (shown.may, shown.tier);
    let parts = shown.card.as_ref().map(card::parts);
    let (refused, closing, decide, steps, thread, back) = match parts {
        Some(p) => (p.refused, p.closing, p.decide, Some(p.steps), p.thread, p.back),
        None => (None, None, None, None, None, None),
    };
    let pressed = shown.form.values.pressed.clone();
    // The forms of the card bring their own summary.
    let summary = (!pressed.is_empty()).then(|| view! { <ErrorSummary errors=shown.form.errors.clone()/> });
    let requested = state == State::Requested;
    let closing = closing.filter(|_| matches!(state, State::Rejected) || requested);
    view! {
        <Crumbs trail=vec![Crumb::new("Exceptions", "/exceptions"), Crumb::here(id.to_string())]/>
        <PageHead title=shown.title.clone() reference=id.to_string() lead=lead(&shown)
            badges=move || view! {
                {standing(state, breached, expires, now)}
                <Tier tier=tier.key()/>
            }
            actions=move || view! {
                {may.history.then(|| view! { <LinkButton href=format!("/audit?subject={id}") kind=Kind::Quiet>"History"</LinkButton> })}
                {may.renew.then(|| view! { <LinkButton href=format!("/exceptions/{id}/renew")>"Renew"</LinkButton> })}
            }/>
        {summary}
        {refused}
        {ended(&shown)}
        {closing}
        <div class="with-aside">
            <div class="stack loose">
                {why(&shown)}
                {decide}
                {controls(&shown)}
                {agents(&shown)}
                {steps}
                {thread}
                {chain(&shown)}
                {back}
                {end(&shown)}
            </div>
            <aside class="stack" aria-label="Facts">{facts(&shown)}</aside>
        </div>
    }
    .piece()
}

/// What it means at this moment, in a sentence.
fn lead(shown: &Shown) -> String {
    let date = |at: DateTime<Utc>| at.format("%-d %B %Y").to_string();
    match shown.state {
        State::Requested => {
            format!("Asked, and in force only once everybody below has agreed; then until {}.", date(shown.expires_at))
        }
        State::Scheduled => {
            format!("Agreed, and in force from {} until {}.", date(shown.starts_at), date(shown.expires_at))
        }
        State::Active => {
            format!("In force until {}: {}.", date(shown.expires_at), left_words(shown.expires_at, shown.now))
        }
        State::Expired if shown.breached => {
            format!(
                "It ended on {}, and what it allowed is still so: out of policy since then.",
                date(shown.expires_at)
            )
        }
        State::Expired => format!("It ended on {}.", date(shown.expires_at)),
        State::Closed => "It was ended early: it was not needed any more.".to_owned(),
        State::Revoked => "It was taken away before its time.".to_owned(),
        State::Rejected => "It was never in force.".to_owned(),
    }
}

fn ended(shown: &Shown) -> Option<Piece> {
    let now = shown.now;
    let (at, by, why) = shown.ended.clone()?;
    let title = shown.state.label();
    let by = (!by.is_empty()).then(|| view! { " by " <bdi>{by}</bdi> });
    let why = (!why.is_empty()).then(|| view! { <blockquote dir="auto">{why}</blockquote> });
    Some(
        view! { <Notice tone=super::tone(shown.state) title=title><p><When at=at now=now/> {by} "."</p>{why}</Notice> }
            .piece(),
    )
}

fn why(shown: &Shown) -> Piece {
    let now = shown.now;
    let (who, at) = (shown.requester.clone(), shown.created_at);
    let product = shown.likelihood * shown.impact;
    let (word, level) = risk_words(product);
    let risk = format!(
        "likelihood {} of 5 ({}) times impact {} of 5 ({}): ",
        shown.likelihood,
        likelihood_words(shown.likelihood),
        shown.impact,
        impact_words(shown.impact),
    );
    let words = shown.justification.clone();
    view! {
        <Section title="Why" id="why">
            <blockquote dir="auto" class="written">{words}</blockquote>
            <p><a href=format!("/people/{}", who.0) dir="auto">{who.1}</a> " asked for it " <When at=at now=now/> "."</p>
            <p><strong>"Risk: "</strong> {risk} <span class=level>{format!("{product} of 25, {word}")}</span></p>
        </Section>
    }
    .piece()
}

/// How a control stands.
fn state_of(control: &Control, running: bool, now: DateTime<Utc>) -> Piece {
    match &control.checked {
        Some((at, by, note)) => {
            let (at, by) = (*at, by.clone());
            let note =
                (!note.is_empty()).then(|| view! { <span class="small block" dir="auto">{format!("“{note}”")}</span> });
            view! { <Badge tone=Tone::Good>"Checked"</Badge> " " <When at=at now=now/> " by " <bdi>{by}</bdi> {note} }
                .piece()
        }
        None if control.check_at <= now && running => {
            view! { <Badge tone=Tone::Bad>"Not checked in time"</Badge> " since " <When at=control.check_at now=now/> }
                .piece()
        }
        None if control.check_at <= now => view! { <Badge tone=Tone::Off>"Never checked"</Badge> }.piece(),
        None => {
            view! { <Badge tone=Tone::Note>"To be checked"</Badge> " " <When at=control.check_at now=now/> }.piece()
        }
    }
}

fn controls(shown: &Shown) -> Piece {
    let now = shown.now;
    let change = shown.may.change.then(|| {
        view! { <p><LinkButton href=format!("/exceptions/{}/controls", shown.id)>"Write them anew"</LinkButton></p> }
    });
    if shown.controls.is_empty() {
        return view! {
            <Section title="What is done instead" id="controls">
                <p><span class="warning">"Nothing yet."</span> " It can be agreed only once there is a compensating control with an owner and a date by which it is checked."</p>
                {change}
            </Section>
        }
        .piece();
    }
    let running = matches!(shown.state, State::Active | State::Scheduled);
    let rows = shown
        .controls
        .iter()
        .map(|c| {
            let (owner, name, there) = c.owner.clone();
            let gone = (!there).then(|| view! { " " <Badge tone=Tone::Bad>"left"</Badge> });
            let form = c.may_check.then(|| {
                let place = c.place.to_string();
                let field = format!("note-{place}");
                let mine = shown.form.values.pressed == "check" && shown.form.values.place == place;
                let (typed, error) = if mine { (shown.form.values.reason.clone(), shown.form.errors.of(&field)) } else { (String::new(), None) };
                view! {
                    <Confirm label="It was checked…" action=format!("/exceptions/{}", shown.id) confirm="Record the check" calm=true open=mine>
                        <input type="hidden" name="do" value="check"/>
                        <input type="hidden" name="place" value=place/>
                        <Field name=field label="What was looked at, and found" value=typed error=error required=true/>
                    </Confirm>
                }
            });
            view! {
                <tr id=format!("control-{}", c.place)>
                    <th scope="row" class="text" dir="auto">{c.words.clone()}</th>
                    <td data-label="By"><a href=format!("/people/{owner}") dir="auto">{name}</a>{gone}</td>
                    <td data-label="Check by"><Day at=c.check_at/></td>
                    <td data-label="State" class="text">{state_of(c, running, now)}{form}</td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    view! {
        <Section title="What is done instead" id="controls" count=shown.controls.len() as u64>
            <TableFrame label="Compensating controls" stacks=true columns=4>
                <thead><tr><th scope="col">"Control"</th><th scope="col">"By"</th><th scope="col">"Check by"</th><th scope="col">"State"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            {change}
        </Section>
    }
    .piece()
}

fn agents(shown: &Shown) -> Piece {
    let over = matches!(shown.state, State::Closed | State::Revoked | State::Rejected);
    let rows = shown
        .agents
        .iter()
        .map(|a| {
            let owner = match &a.owner {
                Some((who, name)) => view! { <a href=who.path() dir="auto">{name.clone()}</a> }.piece(),
                None => view! { <span class="vacant mild">"nobody"</span> }.piece(),
            };
            let breaks = match a.breaks {
                None => view! { <span class="muted">"–"</span> }.piece(),
                Some(true) if shown.state == State::Active => view! { <Badge tone=Tone::Note>"excepted"</Badge> }.piece(),
                Some(true) if over || shown.state == State::Expired => view! { <Badge tone=Tone::Bad>"yes"</Badge> }.piece(),
                Some(true) => view! { <Badge tone=Tone::Warn>"yes"</Badge> }.piece(),
                Some(false) => view! { <Badge tone=Tone::Good>"no"</Badge> }.piece(),
            };
            view! {
                <tr>
                    <th scope="row" class="agent"><a href=format!("/agents/{}", a.id) dir="auto">{a.name.clone()}</a> <span class="ref muted">{a.id.to_string()}</span></th>
                    <td data-label="Tier"><Tier tier=a.tier.key()/></td>
                    <td data-label="Control owner">{owner}</td>
                    <td data-label="Breaks the rule now">{breaks}</td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    let more = (shown.more > 0).then(|| {
        let words = if shown.more == 1 {
            "1 more, which you may not see.".to_owned()
        } else {
            format!("{} more, which you may not see.", thousands(shown.more))
        };
        view! { <p class="small muted">{words}</p> }
    });
    let chosen = (!shown.selection.is_empty()).then(|| view! { <p class="small muted">{shown.selection.clone()}</p> });
    view! {
        <Section title="For which agents" id="agents" count=shown.agents.len() as u64 + shown.more>
            {chosen}
            <TableFrame label="Agents" stacks=true columns=4>
                <thead><tr><th scope="col">"Agent"</th><th scope="col">"Tier"</th><th scope="col">"Control owner"</th><th scope="col">"Breaks the rule now"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            {more}
        </Section>
    }
    .piece()
}

/// What came before and after it.
fn chain(shown: &Shown) -> Option<Piece> {
    if shown.chain.len() < 2 {
        return None;
    }
    let now = shown.now;
    let lines = shown
        .chain
        .iter()
        .map(|l| {
            let here = l.id == shown.id;
            let name = if here {
                view! { <strong class="ref">{l.id.to_string()}</strong> ", this one" }.piece()
            } else {
                view! { <a class="ref" href=format!("/exceptions/{}", l.id)>{l.id.to_string()}</a> }.piece()
            };
            view! {
                <li>
                    <p>{name} ": " <Day at=l.starts_at/> " to " <Day at=l.expires_at/> " " {standing(l.state, false, l.expires_at, now)}</p>
                    <p class="small muted" dir="auto">{l.justification.clone()}</p>
                </li>
            }
            .piece()
        })
        .collect_view();
    let most = format!("At most {} renewals; each is decided again, with a reason of its own.", shown.renewals_most);
    Some(
        view! {
            <Section title="Renewals" id="renewals" count=shown.chain.len() as u64 - 1>
                <p class="small muted">{most}</p>
                <ol class="notes">{lines}</ol>
            </Section>
        }
        .piece(),
    )
}

/// What ends it early.
fn end(shown: &Shown) -> Option<Piece> {
    let may = shown.may;
    let renew = shown.not_renewable.clone().map(|why| view! { <p class="small muted">{why}</p> });
    if !may.close && !may.revoke {
        return renew.map(|renew| view! { <Section title="Renewing it" id="end">{renew}</Section> }.piece());
    }
    let form = |what: &'static str, label: &'static str, confirm: String, told: &'static str, calm: bool| {
        let mine = shown.form.values.pressed == what;
        let field = format!("{what}-reason");
        let (typed, error) =
            if mine { (shown.form.values.reason.clone(), shown.form.errors.of(&field)) } else { (String::new(), None) };
        view! {
            <Confirm label=label action=format!("/exceptions/{}", shown.id) confirm=confirm calm=calm open=mine>
                <input type="hidden" name="do" value=what/>
                <p>{told}</p>
                <TextArea name=field label="Why" value=typed error=error rows=2 required=true/>
            </Confirm>
        }
        .piece()
    };
    let id = shown.id;
    let close = may.close.then(|| {
        form(
            "close",
            "Close it…",
            format!("Close {id}"),
            "It is not needed any more. What it excepted counts again from this moment.",
            true,
        )
    });
    let revoke = may.revoke.then(|| {
        form(
            "revoke",
            "Revoke it…",
            format!("Revoke {id}"),
            "It is taken away: what it excepted is out of policy from this moment.",
            false,
        )
    });
    Some(
        view! {
            <Section title="Ending it early" id="end">
                {renew}
                <div class="row">{close}{revoke}</div>
            </Section>
        }
        .piece(),
    )
}

fn facts(shown: &Shown) -> Piece {
    let now = shown.now;
    let duty = shown.duty;
    let owners: Vec<&(Who, String)> = {
        let mut seen: Vec<&(Who, String)> = Vec::new();
        for owner in shown.agents.iter().filter_map(|a| a.owner.as_ref()) {
            if !seen.iter().any(|o| o.0 == owner.0) {
                seen.push(owner);
            }
        }
        seen
    };
    let owner = if owners.is_empty() {
        view! { <span class="vacant mild">"nobody"</span> }.piece()
    } else {
        let rest = owners.len().saturating_sub(3);
        let names = owners
            .iter()
            .take(3)
            .map(|(who, name)| view! { <span class="block"><a href=who.path() dir="auto">{name.clone()}</a></span> })
            .collect_view();
        view! { {names} {(rest > 0).then(|| format!("and {rest} more"))} }.piece()
    };
    let node = shown.node.clone().map(|n| {
        let cited = n.cited_as.map(|words| view! { <span class="small muted block">{format!("cited as {words}")}</span> });
        let title = (!n.title.is_empty()).then(|| view! { " " {n.title} });
        let source = (!n.attribution.is_empty()).then(|| view! { <span class="small muted block">{n.attribution}</span> });
        let catalogue = n.catalogue;
        view! { <Fact term="Framework"><span class="ref" title=catalogue>{n.reference}</span>{title}{cited}{source}</Fact> }
    });
    let rule = shown.rule.clone();
    let key = rule.key.clone();
    let listed = crate::components::Address::new("/exceptions").with("state", "all").with("control", &key).href();
    let suspends = if shown.suspends { "stops its agents" } else { "they are out of policy" };
    let (request, from, until) = (shown.request, shown.starts_at, shown.expires_at);
    view! {
        <section class="panel" aria-labelledby="facts-title">
            <h2 id="facts-title">"Facts"</h2>
            <Facts>
                <Fact term="Excepted"><a href=listed dir="auto">{rule.label}</a></Fact>
                {node}
                <Fact term="Control of"><span class="block">{duty.owner_title()}</span>{owner}</Fact>
                <Fact term="From"><When at=from now=now/><span class="small muted block"><Day at=from/></span></Fact>
                <Fact term="Until"><When at=until now=now/><span class="small muted block"><Day at=until/></span></Fact>
                <Fact term="At its end" value=format!("What is still wrong then: {suspends}.")/>
                <Fact term="Decided by"><a class="ref" href=format!("/requests/{request}")>{request.to_string()}</a></Fact>
            </Facts>
        </section>
    }
    .piece()
}
