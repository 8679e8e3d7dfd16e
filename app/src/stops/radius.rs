//! The page at `/stop`: every agent that uses one thing, and the press that stops them all.

use chrono::{DateTime, Utc};
use domain::stop::{CallState, LastStop, MethodKind, Part, Radius, Reached, Surface, Uses};
use leptos::prelude::*;

use super::drills::tone;
use super::{REASONS, reasons};
use crate::components::{
    Address, Badge, Choice, Column, Confirm, Crumb, Crumbs, Empty, ErrorSummary, Filter, IntoPiece, Lifecycle,
    LinkButton, Listing, Notice, PageHead, Piece, RadioGroup, Refused, Section, Stat, Stats, StopState, TextArea, Tier,
    Tone, When, thousands,
};

/// Where everything that uses something is shown and stopped.
pub fn href_of_uses(uses: &Uses) -> String {
    Address::new("/stop").with(uses.key(), &uses.value()).href()
}

/// "1 agent", "40 agents".
pub fn count_words(count: i64) -> String {
    match count {
        1 => "1 agent".to_owned(),
        n => format!("{} agents", thousands(n.unsigned_abs())),
    }
}

/// How far the agents are counted here.
const MOST: i64 = 1000;

/// What an agent shares with others, each a way to its blast radius.
pub(crate) fn shared(shared: &[(Uses, String, i64)]) -> Option<Piece> {
    if shared.is_empty() {
        return None;
    }
    let lines = shared
        .iter()
        .map(|(uses, name, count)| {
            let href = href_of_uses(uses);
            let what = noun(uses);
            let count = match (*count, uses) {
                (1, Uses::Credential(_) | Uses::Tool(_)) => "only this agent uses it".to_owned(),
                (1, _) => "only this agent".to_owned(),
                (n, _) if n > MOST => "more than 1,000 agents".to_owned(),
                (n, Uses::Credential(_) | Uses::Tool(_)) => format!("{} use it", count_words(n)),
                (n, _) => count_words(n),
            };
            view! { <li><span class="muted">{what}</span> " " <bdi>{name.clone()}</bdi> ": " <a href=href>{count}</a></li> }
        })
        .collect_view();
    Some(
        view! {
            <Section title="What it shares" id="shared">
                <p class="small muted">"Where one of these is in other hands, everything that uses it can be stopped at once: each link shows first what that would touch."</p>
                <ul class="plain-list">{lines}</ul>
            </Section>
        }
        .piece(),
    )
}

const fn noun(uses: &Uses) -> &'static str {
    match uses {
        Uses::Credential(_) => "Credential",
        Uses::Tool(_) => "Tool",
        Uses::Vendor(_) => "Vendor",
        Uses::System(_) => "System",
    }
}

/// As pressed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PressForm {
    /// One of [`REASONS`].
    pub why: String,
    /// More, in one's own words.
    pub reason: String,
}

/// A stop of all of them that is not at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Under {
    /// Agents are being stopped now.
    Way,
    /// It ended before it reached all.
    Cut {
        /// Who pressed, by name.
        by: String,
        /// When the last of them was stopped.
        at: DateTime<Utc>,
        /// Why they were stopped.
        reason: String,
        /// How many are not stopped.
        left: i64,
    },
}

/// Everything the page shows.
#[derive(Debug, Clone)]
pub struct Everything {
    /// What is used.
    pub uses: Uses,
    /// Its name.
    pub name: String,
    /// Where the page is.
    pub here: Address,
    /// How many agents each part has.
    pub radius: Radius,
    /// The part that is listed.
    pub part: Part,
    /// A page of it.
    pub rows: Vec<Reached>,
    /// Where the page before is.
    pub previous: Option<String>,
    /// Where the page after is.
    pub next: Option<String>,
    /// The reader sees only agents that they may stop; others may use it too.
    pub own_only: bool,
    /// The reader stops no agent, whatever they own.
    pub only_reads: bool,
    /// What of a stop of them is under way, or was cut off.
    pub progress: Option<Under>,
    /// What was pressed and refused.
    pub refused: Refused<PressForm>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// Every agent that uses one thing; goes inside `Layout`.
#[component]
pub fn RadiusPage(
    /// What it shows.
    shown: Everything,
) -> impl IntoView {
    let (uses, all) = (shown.uses.clone(), shown.radius.of(Part::All));
    let mut trail = vec![Crumb::new("Agents", "/agents")];
    if let Uses::System(id) = uses {
        trail = vec![Crumb::new("Systems", "/systems"), Crumb::new(id.to_string(), format!("/systems/{id}"))];
    }
    trail.push(Crumb::here("Stop everything"));
    let lead = match (&uses, all) {
        (Uses::Credential(_), 1) => "One agent signs in with it.".to_owned(),
        (Uses::Credential(_), n) => format!("{} sign in with it.", count_words(n)),
        (Uses::Tool(_), 1) => "One agent has this tool.".to_owned(),
        (Uses::Tool(_), n) => format!("{} have this tool.", count_words(n)),
        (Uses::Vendor(_), 1) => "One agent is hosted by this vendor.".to_owned(),
        (Uses::Vendor(_), n) => format!("{} are hosted by this vendor.", count_words(n)),
        (Uses::System(_), 1) => "One agent belongs to it.".to_owned(),
        (Uses::System(_), n) => format!("{} belong to it.", count_words(n)),
    };
    let kind = noun(&uses);
    let own = shown.own_only.then(|| {
        view! { <p class="small muted">"You see the agents of which you hold a duty, or deputise for who does. Others may use it too; security, risk and auditors see them all."</p> }
    });
    view! {
        <Crumbs trail=trail/>
        <PageHead title=shown.name.clone() badges=move || view! { <Badge>{kind}</Badge> } lead=lead/>
        <ErrorSummary errors=shown.refused.errors.clone()/>
        <div class="stack loose">
            {progress(&shown)}
            {own}
            {numbers(&shown)}
            {press(&shown)}
            {list(&shown)}
        </div>
    }
    .piece()
}

/// That it goes on, with a link that looks again; or that it did not reach all.
fn progress(shown: &Everything) -> Option<Piece> {
    let again = shown.here.href();
    let again = view! { <a href=again>"Look again"</a> };
    let calling = |agent: &Reached| {
        let calls = agent.stop.iter().flat_map(|stop| &stop.calls);
        calls.into_iter().any(|(_, state, _)| matches!(state, CallState::Calling | CallState::Accepted))
    };
    let piece = match &shown.progress {
        Some(Under::Way) => {
            let (done, all) = (shown.radius.of(Part::Stopped), shown.radius.of(Part::All));
            let words = format!("{} of {} so far. ", thousands(done.unsigned_abs()), count_words(all));
            view! { <Notice tone=Tone::Note title="They are being stopped"><p>{words}{again}</p></Notice> }.piece()
        }
        Some(Under::Cut { by, at, reason, left }) => {
            let (by, at, reason, now) = (by.clone(), *at, format!("“{reason}”"), shown.now);
            let words = if *left == 1 { "1 agent is not stopped".to_owned() } else { format!("{} are not stopped", count_words(*left)) };
            view! {
                <Notice tone=Tone::Warn title="Not all of them are stopped">
                    <p><bdi>{by}</bdi>" stopped what they could of these "<When at=at now=now/>": "<bdi>{reason}</bdi>" "{words}". Such an agent was not theirs to stop, came or was resumed since, or the server ended before it was reached. Look at what is left below, and stop it."</p>
                </Notice>
            }
            .piece()
        }
        None if shown.rows.iter().any(calling) => {
            view! { <Notice tone=Tone::Note><p>"Muster is calling webhooks: the list says how each went. "{again}</p></Notice> }
                .piece()
        }
        None => return None,
    };
    Some(piece)
}

fn part_href(shown: &Everything, part: Part) -> String {
    let at = Address::new("/stop").with(shown.uses.key(), &shown.uses.value());
    if part == Part::All { at.href() } else { at.with("show", part.key()).href() + "#agents" }
}

fn numbers(shown: &Everything) -> Piece {
    let plain = [Part::All, Part::Runs, Part::Production, Part::Critical, Part::High, Part::Moderate, Part::Low];
    let parts = [
        (Part::Unable, Tone::Bad),
        (Part::Webhook, Tone::Plain),
        (Part::Person, Tone::Warn),
        (Part::Stopped, Tone::Plain),
        (Part::Failed, Tone::Bad),
    ];
    let stat = |part: Part, tone: Tone| {
        let count = shown.radius.of(part);
        let tone = if count == 0 { Tone::Plain } else { tone };
        let label = if part == Part::All { "Agents" } else { part.label() };
        view! { <Stat label=label value=thousands(count.unsigned_abs()) href=part_href(shown, part) tone=tone/> }
    };
    let stats = parts.into_iter().map(|(part, tone)| stat(part, tone)).collect_view();
    let plain = plain.map(|part| stat(part, Tone::Plain)).collect_view();
    let retired = shown.radius.of(Part::Retired);
    let retired = (retired > 0).then(|| {
        let words = if retired == 1 { "1 retired agent names".to_owned() } else { format!("{} retired agents name", thousands(retired.unsigned_abs())) };
        view! { <p class="small muted"><a href=part_href(shown, Part::Retired)>{words}" it too"</a> ", and "{if retired == 1 { "is" } else { "are" }}" left."</p> }
    });
    view! {
        <Section title="What it touches" id="radius">
            <Stats>{plain}</Stats>
            <Stats>{stats}</Stats>
            {retired}
        </Section>
    }
    .piece()
}

fn press(shown: &Everything) -> Piece {
    if shown.only_reads {
        return view! { <p class="small muted">"You read this and stop nothing: security leads, and whoever holds a duty of an agent, may."</p> }.piece();
    }
    let (all, yours, stopped) =
        (shown.radius.of(Part::All), shown.radius.of(Part::Yours), shown.radius.of(Part::Stopped));
    if yours == 0 {
        let words = if all == 0 {
            "There is nothing to stop."
        } else if all == stopped {
            "A stop of every one of them is recorded."
        } else {
            "None of the others is yours to stop: their owners, their deputies and security leads may."
        };
        let failed = shown.radius.of(Part::Failed);
        let tone = if failed > 0 { Tone::Bad } else { Tone::Note };
        let which = part_href(shown, Part::Failed);
        let failed = (failed > 0).then(|| {
            view! { " Of " <a href=which>{count_words(failed)}</a> " a webhook failed: each stop card says which, and who must act now." }
        });
        return view! { <Notice tone=tone><p>{words}{failed}</p></Notice> }.piece();
    }
    let left = all - yours;
    let Refused { values, errors } = &shown.refused;
    let refused = !errors.is_empty();
    let (why, reason, error) = (values.why.clone(), values.reason.clone(), errors.of("reason"));
    let why = if why.is_empty() { REASONS[1].to_owned() } else { why };
    let many = count_words(yours);
    let (label, confirm) = (format!("Stop {many}…"), format!("Yes, stop {many}"));
    let action = Address::new("/stop").with(shown.uses.key(), &shown.uses.value()).href();
    let which = part_href(shown, Part::Left);
    let left = (left > 0).then(|| {
        let parts = [
            (stopped > 0).then(|| format!("{} stopped already", thousands(stopped.unsigned_abs()))),
            (left > stopped).then(|| format!("{} not yours to stop", thousands((left - stopped).unsigned_abs()))),
        ];
        format!(": {}.", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
    });
    view! {
        <Section title="Stop all of them now" id="now">
            <p>"Active agents become suspended; every webhook that is recorded for them is called; what needs a person is a step of each agent's stop card. It only removes access. Each stop is an event of its own, and somebody else reviews it within 24 hours."</p>
            <Confirm label=label action=action confirm=confirm open=refused>
                <RadioGroup name="why" legend="Why" options=reasons() selected=why required=true/>
                <TextArea name="reason" label="More" value=reason error=error rows=2/>
                {left.map(|left| view! { <p class="small"><a href=which>"Left as they are"</a>{left}</p> })}
            </Confirm>
        </Section>
    }
    .piece()
}

fn list(shown: &Everything) -> Piece {
    let options = Part::ALL.iter().filter(|p| **p != Part::All).map(|p| Choice::new(p.key(), p.label())).collect();
    let columns = vec![
        Column::new("agent", "Agent").fixed(),
        Column::new("tier", "Tier").fixed(),
        Column::new("state", "State").fixed(),
        Column::new("owner", "Who can stop it").fixed(),
        Column::new("pause", "Paused by").fixed(),
        Column::new("stop", "Stop").fixed(),
    ];
    let rows = shown.rows.iter().map(|agent| row(agent, shown)).collect_view();
    let total = u64::try_from(shown.radius.of(shown.part)).ok();
    let all = part_href(shown, Part::All);
    let filtered = shown.part != Part::All;
    let (here, count) = (shown.here.clone(), shown.rows.len());
    let (previous, next) = (shown.previous.clone(), shown.next.clone());
    // The inventory's filter by credential is for those who see every agent's stop state.
    let inventory =
        (!shown.own_only).then(|| Address::new("/agents").with(shown.uses.key(), &shown.uses.value()).href());
    view! {
        <Section title="Which they are" id="agents" actions=move || inventory.map(|href| view! { <a class="small" href=href>"Open in the inventory"</a> })>
            <Listing here=here label="Agents" columns=columns shown=count total=total
                filters=vec![Filter::new("show", "Show", options)]
                previous=previous next=next stacks=true
                empty=move || if filtered {
                    view! { <Empty title="None of them"><p>"No agent here is in that part."</p><div class="actions"><LinkButton href=all>"Show all"</LinkButton></div></Empty> }.piece()
                } else {
                    view! { <Empty title="No agent uses it"><p>"Nothing would be stopped."</p></Empty> }.piece()
                }>
                {rows}
            </Listing>
        </Section>
    }
    .piece()
}

fn row(agent: &Reached, shown: &Everything) -> Piece {
    let id = agent.id;
    let environment = agent.environment.label();
    let runs = if agent.runs { "Runs" } else { "Does not run" };
    let owner = agent.owner.map(|owner| view! { <StopState state=owner.key()/> });
    let pause = match agent.pause {
        Some(MethodKind::Webhook) => "Muster’s webhook",
        Some(MethodKind::Manual) => "A person, by procedure",
        None => "A person; nothing is written",
    };
    let stop = match (&agent.stop, agent.left()) {
        (Some(stop), _) => stopped(agent, stop, shown.now),
        (None, Some(left)) => view! { <span class="small muted">{left.label()}</span> }.piece(),
        (None, None) => view! { <a class="small" href=format!("/agents/{id}/stop#now")>"Stop it alone"</a> }.piece(),
    };
    view! {
        <tr>
            <th scope="row"><a href=format!("/agents/{id}") dir="auto">{agent.name.clone()}</a> " " <span class="ref muted">{id.to_string()}</span></th>
            <td data-label="Tier"><Tier tier=agent.tier.key()/></td>
            <td data-label="State"><Lifecycle state=agent.state.key()/><span class="since small muted">{format!("{environment}, {}", runs.to_lowercase())}</span></td>
            <td data-label="Who can stop it">{owner}</td>
            <td data-label="Paused by">{pause}</td>
            <td data-label="Stop"><div>{stop}</div></td>
        </tr>
    }
    .piece()
}

/// That it is stopped, and what became of each webhook: a failure is said as such.
fn stopped(agent: &Reached, stop: &LastStop, now: DateTime<Utc>) -> Piece {
    let calls = stop
        .calls
        .iter()
        .map(|(surface, state, outcome)| {
            let failed = matches!(state, CallState::Failed | CallState::Lapsed);
            let words = match outcome {
                Some(outcome) if failed && *state == CallState::Failed => outcome.label(),
                _ => state.label(),
            };
            view! { <span class="since small"><Badge tone=tone(*state)>{format!("{}: {}", surface.label(), words.to_lowercase())}</Badge></span> }
        })
        .collect_view();
    let called = stop.calls.iter().any(|(surface, ..)| *surface == Surface::Pause);
    let paused = match (stop.paused, called) {
        (true, _) => Some(view! { <span class="since small"><Badge tone=Tone::Good>"Paused"</Badge></span> }.piece()),
        (false, false) => Some(
            view! { <span class="since small"><Badge tone=Tone::Bad>"A person must pause it"</Badge></span> }.piece(),
        ),
        (false, true) => None,
    };
    let at = stop.at;
    view! { <a href=format!("/agents/{}/stop?stop={}#card", agent.id, stop.id)>"Stopped " <When at=at now=now/></a>{paused}{calls} }.piece()
}
