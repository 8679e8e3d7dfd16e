//! One person: who they are, what they answer for, what would follow if they left.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::agent::{Environment, Lifecycle as State};
use domain::assignment::OFFER_ESCALATES_AFTER;
use domain::duty::Duty;
use domain::id::{AgentId, PersonId, SystemId, TeamId};
use domain::party::{Party as Who, Role, Roles, TeamKind};
use domain::system::Subject;
use domain::tier::Tier as Risk;
use leptos::prelude::*;

use super::edit::sole_words;
use super::handover::{Away, Handover, HandoverForm, away};
use super::list::Status;
use super::proposals::{Proposal, waiting};
use super::{Named, chain, counted, link, link_or, links};
use crate::components::{
    Address, Badge, Button, Confirm, Crumb, Crumbs, Day, ErrorSummary, Fact, Facts, IntoPiece, Kind, LinkButton,
    Notice, PageHead, Pager, Piece, Refused, Section, Swatch, Tab, TableFrame, Tabs, TextArea, Tier, Tone, When,
    thousands,
};

/// One duty of one agent that they hold.
#[derive(Debug, Clone)]
pub struct Held {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// The duty.
    pub duty: Duty,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Where the agent is in its life.
    pub state: State,
    /// Where it is deployed.
    pub environment: Environment,
    /// Its tier.
    pub tier: Risk,
    /// Whether it counts as running.
    pub runs: bool,
}

/// A duty of a system, held by the party whose page it is.
#[derive(Debug, Clone)]
pub struct OfSystem {
    /// The system.
    pub system: SystemId,
    /// Its name.
    pub name: String,
    /// The duty.
    pub duty: Duty,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// A page of what a party holds, under one letter.
#[derive(Debug, Clone)]
pub struct Holdings {
    /// Where it is: the page's own address.
    pub here: Address,
    /// Whether what they are Responsible for is shown, not what they are Accountable for.
    pub does: bool,
    /// The rows.
    pub rows: Vec<Held>,
    /// The duties of systems that they hold under the same letter.
    pub systems: Vec<OfSystem>,
    /// How many duties they are Accountable for; `None` above a thousand.
    pub accountable: Option<u64>,
    /// How many they are Responsible for; `None` above a thousand.
    pub responsible: Option<u64>,
    /// Where the page before is.
    pub previous: Option<String>,
    /// Where the page after is.
    pub next: Option<String>,
}

/// A duty on offer to them, or to a team they answer for.
#[derive(Debug, Clone)]
pub struct Offer {
    /// The agent or the system.
    pub of: Subject,
    /// Its name.
    pub name: String,
    /// The duty.
    pub duty: Duty,
    /// To whom.
    pub party: Who,
    /// Since when.
    pub offered_at: DateTime<Utc>,
    /// Why.
    pub reason: String,
}

/// A team they belong to.
#[derive(Debug, Clone)]
pub struct Membership {
    /// The team.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: TeamKind,
    /// `Lead`, `Deputy` or `Member`.
    pub part: &'static str,
}

/// A duty that would have no owner.
#[derive(Debug, Clone)]
pub struct Orphan {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// The duty.
    pub duty: Duty,
    /// The team through which they answer for it.
    pub team: Option<TeamId>,
    /// Its tier.
    pub tier: Risk,
    /// Whether it counts as running.
    pub runs: bool,
}

/// A team that would have no lead.
#[derive(Debug, Clone)]
pub struct Led {
    /// The team.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// Who would be asked next.
    pub next: Vec<Named>,
}

/// What would follow if they left, or followed when they did.
#[derive(Debug, Clone)]
pub struct Impact {
    /// The duties, worst first, as many as are listed.
    pub orphans: Vec<Orphan>,
    /// How many there are.
    pub total: u64,
    /// How many of them are theirs alone, not a team's that they lead.
    pub own: u64,
    /// Duties of systems that would have no owner: the system, its name, the duty, and whether
    /// it is theirs alone.
    pub systems: Vec<(SystemId, String, Duty, bool)>,
    /// How many agents that count as running nobody could stop.
    pub unstoppable: u64,
    /// How many different agents.
    pub agents: u64,
    /// Each duty with its count.
    pub duties: Vec<(Duty, u64)>,
    /// The teams that would have no lead.
    pub teams: Vec<Led>,
    /// Who would be asked next.
    pub next: Vec<Named>,
    /// Roles that nobody else who is here has.
    pub sole: Vec<Role>,
}

/// How they sign in, for administrators.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// They have a password here.
    pub has_password: bool,
    /// The password just set: the only moment at which it is shown.
    pub fresh: Option<String>,
    /// The reader sets passwords.
    pub may_set: bool,
}

/// Why somebody leaves or returns, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reason {
    /// The reason.
    pub reason: String,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Who.
    pub id: PersonId,
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// What they do.
    pub title: String,
    /// Their business unit.
    pub business_unit: String,
    /// Since when they are gone, if they are.
    pub left_at: Option<DateTime<Utc>>,
    /// Their roles.
    pub roles: Roles,
    /// Their version, for the forms.
    pub version: i64,
    /// When they were recorded.
    pub created_at: DateTime<Utc>,
    /// When that last changed.
    pub updated_at: DateTime<Utc>,
    /// The managers above them, from the nearest up.
    pub above: Vec<Named>,
    /// Who stands in for them.
    pub deputy: Option<Named>,
    /// Who reports to them.
    pub reports: Vec<Named>,
    /// How many report to them.
    pub report_count: u64,
    /// For whom they stand in.
    pub stands_in_for: Vec<Named>,
    /// Their teams.
    pub teams: Vec<Membership>,
    /// What they hold.
    pub holdings: Holdings,
    /// What waits for them, oldest first.
    pub offers: Vec<Offer>,
    /// How many offers wait; `None` above a thousand.
    pub offer_count: Option<u64>,
    /// What of theirs is on offer to others.
    pub away: Vec<Away>,
    /// What about them waits for a second person.
    pub proposals: Vec<Proposal>,
    /// Who decides in whose place; `None` when the reader has no business knowing.
    pub delegations: Option<crate::delegations::Of>,
    /// What would follow if they left.
    pub impact: Impact,
    /// How they sign in; `None` when the reader has no business knowing.
    pub sign_in: Option<SignIn>,
    /// The reader is this person.
    pub is_me: bool,
    /// The reader keeps people.
    pub may_write: bool,
    /// The reader may offer any agent's duties.
    pub may_offer: bool,
    /// The reader reads the record.
    pub may_audit: bool,
    /// The form of leaving and returning, fresh or refused.
    pub reason: Refused<Reason>,
    /// The form of handing over, fresh or refused.
    pub handover: Refused<HandoverForm>,
    /// People to suggest.
    pub suggested: Vec<Named>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

impl Shown {
    fn left(&self) -> bool {
        self.left_at.is_some()
    }

    fn path(&self) -> String {
        format!("/people/{}", self.id)
    }
}

/// The page of a person; goes inside `Layout`.
#[component]
pub fn PersonPage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let lead = [shown.title.as_str(), shown.business_unit.as_str()]
        .into_iter()
        .filter(|t| !t.is_empty())
        .collect::<Vec<_>>()
        .join(", ");
    let (left, may_write, may_audit) = (shown.left(), shown.may_write, shown.may_audit);
    let (edit, audit) = (format!("{}/edit", shown.path()), format!("/audit?subject={}", shown.id));
    let roles = shown.roles;
    let head = view! {
        <Crumbs trail=vec![Crumb::new("People", "/people"), Crumb::here(shown.id.to_string())]/>
        <PageHead title=shown.name.clone() reference=shown.id.to_string() lead=lead
            badges=move || view! {
                <Status left=left/>
                {roles.iter().map(|role| view! { <Badge>{role.label()}</Badge> }).collect_view()}
            }
            actions=move || view! {
                {may_audit.then(|| view! { <LinkButton href=audit kind=Kind::Quiet>"History"</LinkButton> })}
                {may_write.then(|| view! { <LinkButton href=edit>"Edit"</LinkButton> })}
            }/>
    };
    view! {
        {head}
        {gone(&shown)}
        {fresh_password(&shown)}
        <div class="with-aside">
            <div class="stack loose">
                {waiting(&shown.proposals, shown.now)}
                {offers(&shown)}
                {crate::delegations::section(shown.delegations.as_ref(), shown.is_me, shown.now)}
                {left.then(|| impact(&shown))}
                {holdings(shown.holdings.clone(), &shown.id.to_string(), if left { Voice::Gone } else { Voice::Person })}
                {(!left).then(|| impact(&shown))}
                {keeping(&shown)}
            </div>
            <aside class="stack loose" aria-label="Facts">{facts(&shown)}{teams(&shown)}</aside>
        </div>
    }
    .piece()
}

fn gone(shown: &Shown) -> Option<impl IntoView + use<>> {
    let at = shown.left_at?;
    let now = shown.now;
    let gaps = shown.impact.total > 0;
    let name = shown.name.clone();
    Some(view! {
        <Notice tone=if gaps { Tone::Bad } else { Tone::Plain }>
            <p>
                <bdi>{name}</bdi> " left " <When at=at now=now/> ". "
                {if gaps {
                    view! { "What they answered for has had no owner since: " <a href="#impact">"see the gaps"</a> "." }.piece()
                } else {
                    "They left no gap.".piece()
                }}
            </p>
        </Notice>
    })
}

fn fresh_password(shown: &Shown) -> Option<impl IntoView + use<>> {
    let password = shown.sign_in.as_ref()?.fresh.clone()?;
    let email = shown.email.clone();
    Some(view! {
        <Notice tone=Tone::Good title="A new password is set">
            <p>"Shown this once. Give it to them over a channel you trust; they sign in with " <span class="ref">{email}</span> " and then choose their own under Your account."</p>
            <p><code class="secret">{password}</code></p>
        </Notice>
    })
}

/// What waits for them.
fn offers(shown: &Shown) -> Option<impl IntoView + use<>> {
    if shown.offers.is_empty() {
        return None;
    }
    let (now, me) = (shown.now, Who::Person(shown.id));
    let total = shown.offer_count;
    let listed = shown.offers.len() as u64;
    let rows = shown
        .offers
        .iter()
        .map(|offer| {
            let late = now - offer.offered_at > OFFER_ESCALATES_AFTER;
            let team = (offer.party != me).then(|| {
                let href = offer.party.path();
                // they lead it or stand in for its lead, so it is among their teams
                let name = shown.teams.iter().find(|team| Who::Team(team.id) == offer.party);
                let name = name.map_or_else(|| offer.party.to_string(), |team| team.name.clone());
                view! { " " <span class="small muted">"to " <a href=href dir="auto">{name}</a></span> }
            });
            let href = match offer.of {
                Subject::Agent(agent) => format!("/agents/{agent}#offers"),
                Subject::System(system) => format!("/systems/{system}/raci"),
            };
            let reason = (!offer.reason.is_empty())
                .then(|| view! { <span class="small muted" dir="auto">{format!("“{}”", offer.reason)}</span> });
            view! {
                <tr>
                    <th scope="row"><a href=href dir="auto">{offer.name.clone()}</a> " " <span class="ref muted">{offer.of.to_string()}</span></th>
                    <td data-label="Duty">{offer.duty.owner_title()}{team}</td>
                    <td data-label="Offered"><When at=offer.offered_at now=now/>{late.then(|| view! { " " <Badge tone=Tone::Warn>"Late"</Badge> })}</td>
                    <td data-label="Reason">{reason}</td>
                </tr>
            }
        })
        .collect_view();
    let rest = match total {
        Some(total) if total > listed => Some(format!("{listed} of {} are shown, the oldest first.", thousands(total))),
        None => Some(format!("The oldest {listed} of more than 1,000 are shown.")),
        Some(_) => None,
    };
    let title = if shown.is_me { "Offered to you" } else { "Offers waiting for them" };
    Some(view! {
        <Section title=title id="offers" count=total.unwrap_or(listed)>
            <TableFrame label="Offers" stacks=true>
                <thead><tr><th scope="col">"Agent or system"</th><th scope="col">"To be its"</th><th scope="col">"Offered"</th><th scope="col">"Reason"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            {rest.map(|words| view! { <p class="small muted">{words}</p> })}
        </Section>
    })
}

/// Of whom the page speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voice {
    /// Somebody who is here.
    Person,
    /// Somebody who left.
    Gone,
    /// A team.
    Team,
}

/// What a party holds: a tab for each letter, and pages. The party is `PE-7` or `TE-2`.
pub(crate) fn holdings(holdings: Holdings, party: &str, voice: Voice) -> Piece {
    let Holdings { here, does, rows, systems, accountable, responsible, previous, next } = holdings;
    let first = here.first_page();
    let mut tabs = Vec::new();
    for (label, count, current, value) in
        [("Accountable", accountable, !does, ""), ("Responsible", responsible, does, "R")]
    {
        let tab = Tab::new(label, format!("{}#owns", first.with("as", value).href()), current);
        tabs.push(match count {
            Some(count) => tab.counting(count),
            None => Tab { label: format!("{label} 1,000+"), ..tab },
        });
    }
    let count = if does { responsible } else { accountable };
    let inventory = (!does && !rows.is_empty())
        .then(|| view! { <a class="small" href=format!("/agents?owner={party}")>"Open in the inventory"</a> });
    let shown = rows.len();
    let body = if rows.is_empty() {
        let words = match (voice, does) {
            (Voice::Team, true) => "It does the work of no duty.",
            (Voice::Team, false) => "It is Accountable for no duty of any agent.",
            (_, true) => "They do the work of no duty themselves.",
            (_, false) => "They are Accountable for no duty themselves.",
        };
        view! { <p class="muted">{words}</p> }.piece()
    } else {
        let lines = rows.into_iter().map(held).collect_view();
        let words = match count {
            Some(count) if count > shown as u64 => format!("{shown} of {}", thousands(count)),
            Some(count) => counted(count, "duty", "duties"),
            None => format!("{shown} of more than 1,000"),
        };
        view! {
            <TableFrame label="Duties held" stacks=true>
                <thead><tr><th scope="col">"Agent"</th><th scope="col">"Duty"</th><th scope="col">"Runs"</th><th scope="col">"Tier"</th><th scope="col">"Since"</th></tr></thead>
                <tbody>{lines}</tbody>
            </TableFrame>
            <Pager count=words previous=previous next=next/>
        }
        .piece()
    };
    let systems = of_systems(systems);
    let title = match voice {
        Voice::Person => "What they answer for",
        Voice::Gone => "Still in their name",
        Voice::Team => "What it answers for",
    };
    view! {
        <Section title=title id="owns" actions=move || inventory>
            <Tabs label="By letter" tabs=tabs/>
            {body}
            {systems}
        </Section>
    }
    .piece()
}

/// What they hold of systems; agents inherit from a platform what is held of it.
fn of_systems(systems: Vec<OfSystem>) -> Option<Piece> {
    (!systems.is_empty()).then(|| {
        let lines = systems
            .into_iter()
            .map(|held| {
                view! {
                    <tr>
                        <th scope="row"><a href=format!("/systems/{}", held.system) dir="auto">{held.name}</a> " " <span class="ref muted">{held.system.to_string()}</span></th>
                        <td data-label="Duty">{held.duty.owner_title()}</td>
                        <td data-label="Since"><Day at=held.since/></td>
                    </tr>
                }
            })
            .collect_view();
        view! {
            <TableFrame label="Duties of systems held" stacks=true>
                <thead><tr><th scope="col">"System"</th><th scope="col">"Duty"</th><th scope="col">"Since"</th></tr></thead>
                <tbody>{lines}</tbody>
            </TableFrame>
        }
        .piece()
    })
}

fn held(held: Held) -> impl IntoView + use<> {
    let href = format!("/agents/{}", held.agent);
    let runs = if held.runs {
        view! { <span>{format!("{}, runs", held.environment.label())}</span> }.piece()
    } else if held.state == State::Retired {
        view! { <span class="muted">"retired"</span> }.piece()
    } else {
        view! { <span class="muted">{format!("{}, does not run", held.environment.label())}</span> }.piece()
    };
    view! {
        <tr>
            <th scope="row"><a href=href dir="auto">{held.name}</a> " " <span class="ref muted">{held.agent.to_string()}</span></th>
            <td data-label="Duty">{held.duty.owner_title()}</td>
            <td data-label="Runs">{runs}</td>
            <td data-label="Tier"><Tier tier=held.tier.key()/></td>
            <td data-label="Since"><Day at=held.since/></td>
        </tr>
    }
    .piece()
}

/// What would have no owner.
fn impact(shown: &Shown) -> Piece {
    let impact = &shown.impact;
    let left = shown.left();
    let title = if left { "Since they left" } else { "If they left" };
    let nothing = impact.total == 0 && impact.teams.is_empty() && impact.systems.is_empty();
    if nothing {
        let words = if left { "They left nothing without an owner." } else { "Nothing would be without an owner." };
        return view! { <Section title=title id="impact"><p class="row"><Swatch tone=Tone::Good/>{words}</p></Section> }
            .piece();
    }
    let agents = counted(impact.agents, "agent", "agents");
    let verb = match (left, impact.total == 1) {
        (true, true) => "has no owner now",
        (true, false) => "have no owner now",
        (false, _) => "would have no owner at once",
    };
    let sentence = format!("{} on {agents} {verb}", counted(impact.total, "duty", "duties"));
    let loud = (impact.unstoppable > 0).then(|| {
        let what = counted(impact.unstoppable, "agent that runs", "agents that run");
        let could = if left { "can be stopped by nobody" } else { "could be stopped by nobody" };
        view! { "; " <strong class="loud">{format!("{what} {could}")}</strong> }
    });
    let next = impact.next.clone();
    let teams = (!impact.teams.is_empty()).then(|| {
        let lines = impact
            .teams
            .iter()
            .map(|team| {
                let href = format!("/teams/{}", team.id);
                view! { <li><a href=href dir="auto">{team.name.clone()}</a> " " {if left { "has" } else { "would have" }} " no lead. Next in line: " {chain(&team.next)} "." </li> }
            })
            .collect_view();
        view! { <ul>{lines}</ul> }
    });
    let split = (impact.duties.len() > 1).then(|| {
        let parts = impact
            .duties
            .iter()
            .map(|(duty, count)| view! { <li><span class="num">{thousands(*count)}</span> " " {duty.owner_title()}</li> })
            .collect_view();
        view! { <ul class="row split" aria-label="By duty">{parts}</ul> }
    });
    // Of who left and led no team, the list of what is in their name says the same.
    let told = left && impact.teams.is_empty() && impact.orphans.len() <= shown.holdings.rows.len();
    let table = (!impact.orphans.is_empty() && !told).then(|| orphans(impact, &shown.id.to_string()));
    let own = impact.own > 0;
    let of_systems = (!impact.systems.is_empty()).then(|| {
        let lines = impact
            .systems
            .iter()
            .map(|(id, name, duty, _)| {
                view! { <li><a href=format!("/systems/{id}") dir="auto">{name.clone()}</a> " " {if left { "has" } else { "would have" }} " no " {duty.owner_title().to_lowercase().replace("api", "API")} "." </li> }
            })
            .collect_view();
        view! { <ul>{lines}</ul> }
    });
    let theirs = impact.own + impact.systems.iter().filter(|(_, _, _, alone)| *alone).count() as u64;
    let offered = away(&shown.away);
    let pressed = one_press(shown);
    let handover = (theirs > 0 && (shown.may_offer || shown.is_me)).then(|| {
        let what = counted(theirs, "duty", "duties");
        view! {
            <Handover action=format!("{}/handover", shown.path()) form=shown.handover.clone() what=what offered=shown.away.clone() suggested=shown.suggested.clone()/>
        }
    });
    view! {
        <Section title=title id="impact">
            <p>{sentence}{loud}". "{own.then(|| view! { "Next in line for what is theirs alone: " {chain(&next)} ". " })}"Nothing is reassigned by itself."</p>
            {teams}
            {of_systems}
            {split}
            {offered}
            {pressed}
            {table}
            {handover}
        </Section>
    }
    .piece()
}

/// Of who left: one press for each who is next in line, that offers them all of it.
fn one_press(shown: &Shown) -> Option<impl IntoView + use<>> {
    let next: Vec<Named> = shown.impact.next.iter().filter(|n| n.active).cloned().collect();
    if !shown.left() || !shown.may_offer || shown.impact.own == 0 || !shown.away.is_empty() || next.is_empty() {
        return None;
    }
    let what = counted(shown.impact.own, "duty", "duties");
    let buttons = next
        .into_iter()
        .map(|n| {
            let words = format!("Offer {what} to ");
            view! { <Button name="to" value=n.written()><span>{words}<bdi>{n.name}</bdi></span></Button> }
        })
        .collect_view();
    let reason = format!("Next in line: {} has left.", shown.name);
    Some(view! {
        <form method="post" action=format!("{}/handover", shown.path()) class="row">
            <input type="hidden" name="handover_reason" value=reason/>
            {buttons}
        </form>
    })
}

/// One agent with the duties of it that would have no owner.
struct Bereft<'a> {
    first: &'a Orphan,
    /// The duties they hold themself, then those through each team they lead.
    through: Vec<(Option<TeamId>, Vec<Duty>)>,
}

impl<'a> Bereft<'a> {
    /// A row for each agent, in the order in which the worst of its duties is listed.
    fn of(orphans: &'a [Orphan]) -> Vec<Self> {
        let mut out: Vec<Self> = Vec::new();
        let mut known: HashMap<AgentId, usize> = HashMap::new();
        for orphan in orphans {
            let at = *known.entry(orphan.agent).or_insert_with(|| {
                out.push(Self { first: orphan, through: Vec::new() });
                out.len() - 1
            });
            let through = &mut out[at].through;
            match through.iter_mut().find(|(team, _)| *team == orphan.team) {
                Some((_, duties)) => duties.push(orphan.duty),
                None => through.push((orphan.team, vec![orphan.duty])),
            }
        }
        for one in &mut out {
            one.through.sort_by_key(|(team, _)| team.is_some());
            for (_, duties) in &mut one.through {
                duties.sort_by_key(|d| (*d != Duty::Containment, *d));
            }
        }
        out
    }
}

/// Duties in one line; who can stop it comes first and stands out.
fn titles(duties: &[Duty]) -> impl IntoView + use<> {
    duties
        .iter()
        .enumerate()
        .map(|(at, duty)| {
            let comma = (at > 0).then_some(", ");
            let title = duty.owner_title();
            if *duty == Duty::Containment {
                view! { {comma}<strong>{title}</strong> }.piece()
            } else {
                view! { {comma}{title} }.piece()
            }
        })
        .collect_view()
}

fn orphans(impact: &Impact, person: &str) -> impl IntoView + use<> {
    const AT_FIRST: usize = 10;
    let agents = Bereft::of(&impact.orphans);
    let (first, rest) = agents.split_at(agents.len().min(AT_FIRST));
    let unlisted = (impact.orphans.len() as u64) < impact.total;
    let rows = |part: &[Bereft<'_>]| {
        part.iter()
            .map(|one| {
                let Orphan { agent, name, tier, runs, .. } = one.first;
                let href = format!("/agents/{agent}");
                let duties = one
                    .through
                    .iter()
                    .map(|(team, duties)| {
                        let via = team.map(|t| {
                            let name = impact.teams.iter().find(|led| led.id == t);
                            let name = name.map_or_else(|| t.to_string(), |led| led.name.clone());
                            view! { " " <span class="small muted">"through " <a href=format!("/teams/{t}") dir="auto">{name}</a></span> }
                        });
                        view! { <p>{titles(duties)}{via}</p> }
                    })
                    .collect_view();
                view! {
                    <tr>
                        <th scope="row"><a href=href dir="auto">{name.clone()}</a> " " <span class="ref muted">{agent.to_string()}</span></th>
                        <td data-label="Duties" class="text">{duties}</td>
                        <td data-label="Runs">{if *runs { "Runs" } else { "Does not run" }}</td>
                        <td data-label="Tier"><Tier tier=tier.key()/></td>
                    </tr>
                }
            })
            .collect_view()
    };
    let head = || view! { <thead><tr><th scope="col">"Agent"</th><th scope="col">"Duties"</th><th scope="col">"Runs"</th><th scope="col">"Tier"</th></tr></thead> };
    let listed = rows(first);
    let more = (!rest.is_empty()).then(|| {
        let words = counted(rest.len() as u64, "more agent", "more agents");
        let rows = rows(rest);
        view! {
            <details class="unfold">
                <summary>{words}</summary>
                <TableFrame label="More agents" stacks=true>{head()}<tbody>{rows}</tbody></TableFrame>
            </details>
        }
    });
    let all = unlisted.then(|| {
        let words = format!("{} duties are listed, the worst first. ", thousands(impact.orphans.len() as u64));
        view! { <p class="small muted">{words}<a href=format!("/agents?owner={person}")>"All agents they are Accountable for themselves"</a>"."</p> }
    });
    view! {
        <TableFrame label="Agents without these owners" stacks=true>{head()}<tbody>{listed}</tbody></TableFrame>
        {more}
        {all}
    }
    .piece()
}

/// Leaving, returning, signing in: what only those who keep people see.
fn keeping(shown: &Shown) -> Option<impl IntoView + use<>> {
    if !shown.may_write && !shown.sign_in.as_ref().is_some_and(|s| s.may_set) {
        return None;
    }
    let sign_in = shown.sign_in.as_ref().filter(|s| s.may_set && !shown.left() && !shown.is_me).map(|s| {
        let (label, words) = if s.has_password {
            ("Set a new password…", "They have a password. A new one ends every session of theirs.")
        } else {
            ("Set a first password…", "They have no password here, so they cannot sign in with one yet.")
        };
        let action = format!("{}/password", shown.path());
        view! {
            <p class="small muted">{words}</p>
            <Confirm label=label action=action confirm="Make a password and show it once" calm=true>
                <p>"Muster makes one and shows it to you this once. Of somebody who owns anything or is administrator or security lead, a second person confirms it first, and sees it, once there are two of these."</p>
            </Confirm>
        }
    });
    let turn = shown.may_write.then(|| leaving(shown));
    Some(view! {
        <Section title="Administration" id="keeping">
            {sign_in}
            {turn}
        </Section>
    })
}

fn leaving(shown: &Shown) -> Piece {
    let Refused { values, errors } = shown.reason.clone();
    let open = !errors.is_empty();
    let version = shown.version.to_string();
    let field = view! {
        <ErrorSummary errors=errors.clone()/>
        <input type="hidden" name="version" value=version/>
        <TextArea name="reason" label="Reason" value=values.reason error=errors.of("reason") rows=2 required=true/>
    }
    .piece();
    if shown.left() {
        return view! {
            <Confirm label="They are back…" action=format!("{}/return", shown.path()) confirm="Mark as active again" calm=true open=open>
                <p>"They answer again for what nobody took over meanwhile. Their roles and, if they had one, their password are as they were."</p>
                {field}
            </Confirm>
        }
        .piece();
    }
    if shown.impact.sole.contains(&Role::Administrator) {
        let told = shown.reason.errors.clone();
        return view! { <ErrorSummary errors=told/>{sole_words(&[Role::Administrator])} }.piece();
    }
    let gaps = (shown.impact.total > 0).then(|| {
        view! { <p><strong>{format!("{} will have no owner at once.", counted(shown.impact.total, "duty", "duties"))}</strong> " " <a href="#impact">"See which"</a> "." </p> }
    });
    let security = shown.impact.sole.contains(&Role::SecurityLead).then(|| sole_words(&[Role::SecurityLead]));
    view! {
        <Confirm label="They have left…" action=format!("{}/leave", shown.path()) confirm=format!("Mark {} as left", shown.id) open=open>
            {gaps}
            {security}
            <p>"Their sessions end and their tokens stop working. Nothing is reassigned by itself, and it can be taken back."</p>
            {field}
        </Confirm>
    }
    .piece()
}

fn facts(shown: &Shown) -> impl IntoView + use<> {
    let none = shown.roles.is_empty();
    let reports = (!shown.reports.is_empty()).then(|| {
        let rest = shown.report_count.saturating_sub(shown.reports.len() as u64);
        let people = links(&shown.reports);
        view! { <Fact term="Reports to them">{people}{(rest > 0).then(|| format!(" and {} more", thousands(rest)))}</Fact> }
    });
    let stands_in = (!shown.stands_in_for.is_empty())
        .then(|| links(&shown.stands_in_for))
        .map(|people| view! { <Fact term="Stands in for">{people}</Fact> });
    let above = shown.above.clone();
    let managers = if above.is_empty() {
        view! { <span class="unset">"nobody"</span> }.piece()
    } else {
        let steps = above
            .iter()
            .enumerate()
            .map(|(at, manager)| view! { <li>{(at > 0).then(|| view! { <span class="muted">"under "</span> })}{link(manager)}</li> })
            .collect_view();
        view! { <ul class="stack tight">{steps}</ul> }.piece()
    };
    let deputy = link_or(shown.deputy.as_ref(), "nobody");
    let (email, created, updated, now) = (shown.email.clone(), shown.created_at, shown.updated_at, shown.now);
    let (title, unit) = (shown.title.clone(), shown.business_unit.clone());
    let reach = format!("{}/reach", shown.path());
    let (user, host) = email.split_at(email.find('@').unwrap_or(email.len()));
    let (user, host) = (user.to_owned(), host.to_owned());
    view! {
        <Facts>
            <Fact term="E-mail address">{user}<wbr/>{host}</Fact>
            <Fact term="Title" value=title/>
            <Fact term="Business unit" value=unit/>
            {none.then(|| view! { <Fact term="Roles"><span class="unset">"none"</span></Fact> })}
            <Fact term="Manager">{managers}</Fact>
            <Fact term="Deputy">{deputy}</Fact>
            <Fact term="Reached"><a href=reach>"channels and absences"</a></Fact>
            {reports}
            {stands_in}
            <Fact term="Recorded"><Day at=created/></Fact>
            <Fact term="Changed"><When at=updated now=now/></Fact>
        </Facts>
    }
    .piece()
}

fn teams(shown: &Shown) -> impl IntoView + use<> {
    let lines = shown
        .teams
        .iter()
        .map(|team| {
            let href = format!("/teams/{}", team.id);
            let tone = if team.part == "Lead" { Tone::Good } else { Tone::Plain };
            let part = team.part;
            view! { <li><a href=href dir="auto">{team.name.clone()}</a> " " <Badge tone=tone>{part}</Badge></li> }
        })
        .collect_view();
    let none = shown.teams.is_empty().then(|| view! { <p class="muted">"They are in no team."</p> });
    view! {
        <Section title="Teams" id="teams" count=shown.teams.len() as u64>
            {none}
            <ul class="stack tight">{lines}</ul>
        </Section>
    }
    .piece()
}
