//! The policy: who must approve what, how long things take, and how often they fall due; its
//! versions, and its form.

pub mod edit;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use domain::duty::Duty;
use domain::finding::FindingKey;
use domain::policy::effect::Effect;
use domain::policy::{ByTier, Policy, When};
use domain::tier::Tier as Risk;
use leptos::prelude::*;

use crate::components::{
    Badge, Crumb, Crumbs, Fact, Facts, IntoPiece, Kind, LinkButton, Notice, PageHead, Piece, Section, TableFrame, Tier,
    Tone, When as Moment, thousands,
};
use crate::people::Proposal;
use crate::people::proposals::waiting;

pub use edit::{EditPolicy, Editor, PolicyForm, Preview};

/// Somebody in the record: their reference and name.
pub type Named = (String, String);

/// A version, and what it changed.
#[derive(Debug, Clone, Default)]
pub struct Version {
    /// Its number; 0 is the policy that Muster begins with.
    pub number: i64,
    /// When it came into force; `None` for the first.
    pub at: Option<DateTime<Utc>>,
    /// Who wrote it.
    pub made_by: Named,
    /// Who confirmed it, being weaker.
    pub confirmed_by: Option<Named>,
    /// Why.
    pub reason: String,
    /// What it changed of the one before, each a sentence.
    pub changes: Vec<String>,
    /// It was weaker than the one before.
    pub weaker: bool,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Which version.
    pub version: Version,
    /// What it says.
    pub policy: Policy,
    /// The number of the version in force.
    pub present: i64,
    /// How many agents each condition holds for, where the reader may know.
    pub holding: Option<BTreeMap<When, u64>>,
    /// What waits for a second person about it.
    pub proposals: Vec<Proposal>,
    /// What that would do to the agents there are, and whether the numbers lack some.
    pub proposed: Option<(Effect, bool)>,
    /// Versions, newest first.
    pub past: Vec<Version>,
    /// Where earlier ones are.
    pub earlier: Option<String>,
    /// The reader changes it.
    pub may_write: bool,
    /// The reader reads the record.
    pub may_audit: bool,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The days that a policy sets by tier: the key of its fields, what it is called, and what it
/// means.
pub(crate) const TABLES: [(&str, &str, &str); 4] = [
    ("step_days", "A step may take", "Then it is overdue."),
    ("approval_days", "An approval lasts", "Then it falls due again."),
    ("review_days", "A review is due every", "Of what the agent does."),
    ("exception_days", "An exception lasts at most", "Then it expires."),
];

/// The table of a policy by the key of its fields.
pub(crate) fn table<'p>(policy: &'p Policy, key: &str) -> &'p ByTier {
    match key {
        "step_days" => &policy.step_days,
        "approval_days" => &policy.approval_days,
        "review_days" => &policy.review_days,
        _ => &policy.exception_days,
    }
}

/// The title of a duty's owner within a sentence.
pub(crate) fn title_of(duty: Duty) -> String {
    let title = duty.owner_title();
    if title.starts_with("API") { title.to_owned() } else { title.to_lowercase() }
}

fn days(n: i64) -> String {
    if n == 1 { "1 day".to_owned() } else { format!("{} days", thousands(u64::try_from(n).unwrap_or(0))) }
}

/// Somebody by name, a link where their page is.
fn named((reference, name): &Named) -> Piece {
    match crate::components::href_of(reference) {
        Some(href) => view! { <a href=href dir="auto">{name.clone()}</a> }.piece(),
        None => view! { <span dir="auto">{name.clone()}</span> }.piece(),
    }
}

/// The page at `/policy`; goes inside `Layout`.
#[component]
pub fn PolicyPage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let (number, present) = (shown.version.number, shown.present);
    let old = number != present;
    let crumbs = old.then(
        || view! { <Crumbs trail=vec![Crumb::new("Policy", "/policy"), Crumb::here(format!("Version {number}"))]/> },
    );
    let note = old.then(|| {
        let words = format!("This is version {number}. Version {present} is in force.");
        view! { <Notice tone=Tone::Note><p>{words}" "<a href="/policy">"The policy in force"</a></p></Notice> }
    });
    let title = if old { format!("Policy, version {number}") } else { "Policy".to_owned() };
    let proposed = shown.proposed.as_ref().map(|(effect, behind)| {
        let what = edit::touched(effect, *behind);
        view! { <Notice tone=Tone::Note title="What it would do to the agents there are">{what}</Notice> }
    });
    let (edits, audits) = (shown.may_write && !old, shown.may_audit);
    view! {
        {crumbs}
        <PageHead title=title lead="Who must approve an agent and a change of what it may do, how long each step may take, and how often things fall due again."
            actions=move || view! {
                {audits.then(|| view! { <LinkButton href="/audit?subject=policy" kind=Kind::Quiet>"History"</LinkButton> })}
                {edits.then(|| view! { <LinkButton href="/policy/edit" kind=Kind::Primary>"Change the policy"</LinkButton> })}
            }/>
        {note}
        {waiting(&shown.proposals, shown.now)}
        {proposed}
        <div class="with-aside">
            <div class="stack loose">
                {approvers(&shown)}
                {cadences(&shown.policy)}
                {versions(&shown)}
            </div>
            <aside aria-label="This version">{about(&shown.version, shown.now)}</aside>
        </div>
    }
    .piece()
}

fn about(version: &Version, now: DateTime<Utc>) -> Piece {
    let Some(at) = version.at else {
        return view! {
            <Facts>
                <Fact term="Version" value="0"/>
                <Fact term="Written" value="Nobody changed it yet: it is the policy that Muster begins with."/>
            </Facts>
        }
        .piece();
    };
    let by = named(&version.made_by);
    let confirmed = version.confirmed_by.as_ref().map(|who| {
        let who = named(who);
        view! { <Fact term="Confirmed by">{who}</Fact> }
    });
    let (number, reason) = (version.number.to_string(), version.reason.clone());
    view! {
        <Facts>
            <Fact term="Version" value=number/>
            <Fact term="In force since"><Moment at=at now=now/></Fact>
            <Fact term="Written by">{by}</Fact>
            {confirmed}
            <Fact term="Why"><span dir="auto">{reason}</span></Fact>
        </Facts>
    }
    .piece()
}

fn approvers(shown: &Shown) -> Piece {
    let policy = &shown.policy;
    let asked: Vec<Duty> = Duty::ALL.iter().copied().filter(|d| policy.when(*d) != When::Never).collect();
    let never: Vec<String> = Duty::ALL.iter().filter(|d| !asked.contains(d)).map(|d| title_of(*d)).collect();
    let rows = asked
        .iter()
        .map(|duty| {
            let when = policy.when(*duty);
            let count = shown.holding.as_ref().map(|all| {
                let n = all.get(&when).copied().unwrap_or(0);
                let href = format!("/agents?condition={when}");
                let said = format!(" agents need the {}", title_of(*duty));
                view! { <td class="num" data-label="Agents now"><a href=href>{thousands(n)}<span class="visually-hidden">{said}</span></a></td> }
            });
            let last = policy.last(*duty).then(|| view! { <Badge tone=Tone::Note>"After every other"</Badge> });
            view! {
                <tr>
                    <th scope="row"><div>{duty.owner_title()}<span class="under small muted">{duty.answers_for()}</span></div></th>
                    <td data-label="When">{when.label()}</td>
                    <td data-label="Order">{last}</td>
                    {count}
                </tr>
            }
        })
        .collect_view();
    let never =
        (!never.is_empty()).then(|| view! { <p class="small muted">{format!("Not asked: {}.", never.join(", "))}</p> });
    let head = shown.holding.is_some().then(|| view! { <th scope="col" class="num">"Agents now"</th> });
    view! {
        <Section title="Who approves" id="approvers" count=asked.len() as u64>
            <p class="small muted">"Whoever is Accountable for the duty decides its step. The condition is read from the agent’s boundary: what reaches further never needs fewer approvers."</p>
            <TableFrame label="Who approves" stacks=true>
                <thead><tr><th scope="col">"Approver"</th><th scope="col">"When"</th><th scope="col">"Order"</th>{head}</tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            {never}
        </Section>
    }
    .piece()
}

fn cadences(policy: &Policy) -> Piece {
    let rows = TABLES
        .iter()
        .map(|(key, name, meaning)| {
            let days_of = table(policy, key);
            let cells = Risk::ALL
                .iter()
                .map(|tier| view! { <td class="num" data-label=tier.label()>{days(days_of.of(*tier))}</td> })
                .collect_view();
            view! { <tr><th scope="row"><div>{*name}<span class="under small muted">{*meaning}</span></div></th>{cells}</tr> }
        })
        .collect_view();
    let heads =
        Risk::ALL.iter().map(|tier| view! { <th scope="col" class="num"><Tier tier=tier.key()/></th> }).collect_view();
    let times = match policy.exception_renewals {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        n => format!("{n} times"),
    };
    let keys: Vec<String> = (FindingKey::ALL.iter())
        .filter(|k| policy.no_exception(**k).is_some())
        .map(|k| format!("“{}”", k.label()))
        .collect();
    let never = format!("Never excepted: {}.", keys.join(", "));
    let (escalate, lapse) = (days(policy.escalate_days.into()), days(policy.lapse_days.into()));
    view! {
        <Section title="How long, by risk tier" id="days">
            <TableFrame label="Days by risk tier" stacks=true>
                <thead><tr><th scope="col">"What"</th>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            <p>{format!("A step that is {escalate} late is escalated: the decider’s manager and security see it too. A request that is open for {lapse} lapses, and nothing was approved.")}</p>
            <p>{format!("An exception may be renewed {times}. {never}")}</p>
            <p class="small muted"><a href="/help/tiers">"What gives an agent its tier"</a></p>
        </Section>
    }
    .piece()
}

fn versions(shown: &Shown) -> Piece {
    let items = shown
        .past
        .iter()
        .map(|v| {
            let href = format!("/policy?version={}", v.number);
            let head = if v.number == shown.present { " (in force)" } else { "" };
            let Some(at) = v.at else {
                return view! {
                    <li class="panel"><h3><a href=href>"Version 0"</a>{head}</h3><p class="small muted">"What Muster begins with."</p></li>
                }
                .piece();
            };
            let by = named(&v.made_by);
            let confirmed = v.confirmed_by.as_ref().map(|who| {
                let who = named(who);
                view! { ", confirmed by "{who} }
            });
            let weaker = v.weaker.then(|| view! { " " <Badge tone=Tone::Warn>"Weaker"</Badge> });
            let changes = v.changes.iter().map(|c| view! { <li>{c.clone()}</li> }).collect_view();
            let reason = v.reason.clone();
            view! {
                <li class="panel">
                    <h3><a href=href>{format!("Version {}", v.number)}</a>{head}{weaker}</h3>
                    <p class="small muted"><Moment at=at now=shown.now/>" by "{by}{confirmed}</p>
                    <p dir="auto">{format!("“{reason}”")}</p>
                    <ul class="notes">{changes}</ul>
                </li>
            }
            .piece()
        })
        .collect_view();
    let earlier = shown.earlier.clone().map(|href| view! { <p><a href=href>"Earlier versions"</a></p> });
    view! { <Section title="Versions" id="versions"><ul class="plain-list stack">{items}</ul>{earlier}</Section> }
        .piece()
}
