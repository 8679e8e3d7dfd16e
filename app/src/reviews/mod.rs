//! Reviews: what waits and what is due, one review, campaigns.

pub mod begin;
pub mod campaign;
pub mod sheet;

use chrono::{DateTime, Utc};
use domain::id::{AgentId, CampaignId, PersonId, RequestId};
use domain::request::{RequestState, Verdict};
use domain::review::Progress;
use domain::tier::Tier as Level;
use leptos::prelude::*;

use crate::components::{
    Badge, Button, Empty, FieldErrors, IntoPiece, Kind, LinkButton, Notice, PageHead, Pager, Piece, Section, Tab,
    TableFrame, Tabs, Tier, Tone, When, thousands,
};

pub use begin::{Begin, BeginPage, NewCampaignForm, NewCampaignPage, Selected};
pub use campaign::{CampaignPage, CampaignShown};
pub use sheet::{DecideForm, Review, ReviewPage};

/// A review as lists show it.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its reference; `None` of an agent that a campaign left out.
    pub id: Option<RequestId>,
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// Its tier.
    pub tier: Level,
    /// Where the request stands.
    pub state: Option<RequestState>,
    /// How it stands to the clock.
    pub progress: Progress,
    /// Who decided, or for whom it waits.
    pub reviewer: Option<(PersonId, String)>,
    /// Until when.
    pub due_at: Option<DateTime<Utc>>,
    /// The answer, and when.
    pub answer: Option<(Verdict, DateTime<Utc>)>,
    /// It may be attested together with others like it: the hash of what is decided on.
    pub plain: Option<String>,
    /// It waits for the reader.
    pub mine: bool,
    /// It was open before the campaign.
    pub joined: bool,
    /// Why the campaign left the agent out.
    pub skipped: String,
}

/// How good or bad a standing is.
pub(crate) const fn tone(progress: Progress) -> Tone {
    match progress {
        Progress::Overdue => Tone::Bad,
        Progress::Open => Tone::Note,
        Progress::Deferred => Tone::Warn,
        Progress::Done => Tone::Good,
        Progress::Ended | Progress::Skipped => Tone::Off,
    }
}

/// How a review stands, as a badge: the answer, where there is one.
fn standing(line: &Line) -> Piece {
    let (word, tone) = match (line.answer, line.progress, line.state) {
        (Some((Verdict::Attest, _)), Progress::Done, _) => (Verdict::Attest.label(), Tone::Good),
        (Some((verdict, _)), Progress::Done, _) => (verdict.label(), Tone::Warn),
        (_, Progress::Ended, Some(state)) => (state.label(), Tone::Off),
        (_, progress, _) => (progress.label(), tone(progress)),
    };
    view! { <Badge tone=tone>{word}</Badge> }.piece()
}

/// Rows of reviews. With `ticks`, those that may be attested together have a box.
pub(crate) fn table(label: &'static str, lines: &[Line], ticks: bool, now: DateTime<Utc>) -> Piece {
    let rows = lines.iter().map(|line| row(line, ticks, now)).collect_view();
    let columns = if ticks { 6 } else { 5 };
    view! {
        <TableFrame label=label stacks=true columns=columns>
            <thead><tr>
                {ticks.then(|| view! { <th scope="col"><span class="visually-hidden">"Attest"</span></th> })}
                <th scope="col">"Agent"</th><th scope="col">"Tier"</th><th scope="col">"Reviewer"</th><th scope="col">"Due"</th><th scope="col">"State"</th>
            </tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}

fn row(line: &Line, ticks: bool, now: DateTime<Utc>) -> Piece {
    let href = line.id.map_or_else(|| format!("/agents/{}", line.agent), |id| format!("/reviews/{id}"));
    let reference = line.id.map_or_else(|| line.agent.to_string(), |id| id.to_string());
    let tick = ticks.then(|| {
        let boxed = line.plain.clone().zip(line.id).map(|(sha256, id)| {
            let label = format!("Attest {}", line.name);
            view! { <input type="checkbox" name="review" value=format!("{id}:{sha256}") aria-label=label/> }
        });
        view! { <td class="pick">{boxed}</td> }
    });
    let reviewer = match &line.reviewer {
        Some((id, name)) => view! { <a href=format!("/people/{id}") dir="auto">{name.clone()}</a> }.piece(),
        None if line.id.is_some() && line.state == Some(RequestState::Open) => {
            view! { <span class="vacant">"nobody"</span> }.piece()
        }
        None => view! { <span class="muted">"–"</span> }.piece(),
    };
    let due = match (line.answer, line.due_at) {
        (Some((_, at)), _) => view! { <span class="muted">"answered "</span><When at=at now=now/> }.piece(),
        (None, Some(at)) => view! { <When at=at now=now/> }.piece(),
        (None, None) => view! { <span class="muted">"–"</span> }.piece(),
    };
    let why =
        (!line.skipped.is_empty()).then(|| view! { <span class="small muted block">{line.skipped.clone()}</span> });
    let joined = line.joined.then(|| view! { <span class="small muted block">"was open before"</span> });
    view! {
        <tr>
            {tick}
            <th scope="row"><a href=href dir="auto">{line.name.clone()}</a> " " <span class="ref muted">{reference}</span></th>
            <td data-label="Tier"><Tier tier=line.tier.key()/></td>
            <td data-label="Reviewer">{reviewer}</td>
            <td data-label="Due">{due}</td>
            <td class="text" data-label="State">{standing(line)}{why}{joined}</td>
        </tr>
    }
    .piece()
}

/// An agent that is due by the clock.
#[derive(Debug, Clone)]
pub struct Due {
    /// The agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// Its tier.
    pub tier: Level,
    /// Since when, or from when.
    pub due_at: DateTime<Utc>,
    /// The review that is open.
    pub open: Option<RequestId>,
}

/// Rows of what is due; each opens its review, or begins it.
fn due_table(label: &'static str, list: &[Due], asks: bool, now: DateTime<Utc>) -> Piece {
    let rows = list
        .iter()
        .map(|due| {
            let act = match due.open {
                Some(id) => view! { <a href=format!("/reviews/{id}")>"open: "<span class="ref">{id.to_string()}</span></a> }.piece(),
                None if asks && due.due_at <= now => {
                    let said = format!(": {}", due.name);
                    view! {
                        <form method="post" action="/reviews">
                            <input type="hidden" name="agent" value=due.agent.to_string()/>
                            <Button kind=Kind::Small name="do" value="begin">"Review it"<span class="visually-hidden" dir="auto">{said}</span></Button>
                        </form>
                    }
                    .piece()
                }
                None if asks => view! { <span class="muted">"not yet"</span> }.piece(),
                None => view! { <a href=format!("/reviews/new?agent={}", due.agent)>"Ask for it"<span class="visually-hidden" dir="auto">{format!(": {}", due.name)}</span></a> }.piece(),
            };
            view! {
                <tr>
                    <th scope="row"><a href=format!("/agents/{}", due.agent) dir="auto">{due.name.clone()}</a> " " <span class="ref muted">{due.agent.to_string()}</span></th>
                    <td data-label="Tier"><Tier tier=due.tier.key()/></td>
                    <td data-label="Due"><When at=due.due_at now=now/></td>
                    <td data-label="Review">{act}</td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    view! {
        <TableFrame label=label stacks=true columns=4>
            <thead><tr><th scope="col">"Agent"</th><th scope="col">"Tier"</th><th scope="col">"Due"</th><th scope="col">"Review"</th></tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}

/// A campaign as lists show it.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// Its reference.
    pub id: CampaignId,
    /// What it is called.
    pub name: String,
    /// Who made it.
    pub made_by: (PersonId, String),
    /// Until when.
    pub due_at: DateTime<Utc>,
    /// It was closed early.
    pub closed: bool,
    /// How many stand how.
    pub counts: Vec<(Progress, u64)>,
}

impl Campaign {
    /// How many there are, as counted.
    pub fn all(&self) -> u64 {
        self.counts.iter().map(|(_, n)| n).sum()
    }

    /// How many stand so.
    pub fn of(&self, progress: Progress) -> u64 {
        self.counts.iter().find(|(p, _)| *p == progress).map_or(0, |(_, n)| *n)
    }

    /// How many still wait for an answer.
    pub fn left(&self) -> u64 {
        [Progress::Open, Progress::Overdue, Progress::Deferred].into_iter().map(|p| self.of(p)).sum()
    }

    /// Its state, as a badge.
    pub(crate) fn badge(&self) -> Piece {
        let (tone, word) = match (self.closed, self.left()) {
            (true, _) => (Tone::Off, "Closed early"),
            (false, 0) => (Tone::Good, "All answered"),
            _ if self.of(Progress::Overdue) > 0 => (Tone::Bad, "Overdue"),
            _ => (Tone::Note, "Under way"),
        };
        view! { <Badge tone=tone>{word}</Badge> }.piece()
    }
}

fn campaigns(list: &[Campaign], now: DateTime<Utc>) -> Piece {
    let rows = list
        .iter()
        .map(|g| {
            let (id, done, all) = (g.id, g.of(Progress::Done), g.all());
            let numbers = Progress::ALL
                .iter()
                .filter(|p| **p != Progress::Done && g.of(**p) > 0)
                .map(|p| view! { <li><a href=format!("/reviews/{id}?stands={p}")>{format!("{} {}", thousands(g.of(*p)), p.label().to_lowercase())}</a></li> })
                .collect_view();
            view! {
                <tr>
                    <th scope="row"><a href=format!("/reviews/{id}") dir="auto">{g.name.clone()}</a> " " <span class="ref muted">{id.to_string()}</span></th>
                    <td data-label="Made by"><a href=format!("/people/{}", g.made_by.0) dir="auto">{g.made_by.1.clone()}</a></td>
                    <td data-label="Due"><When at=g.due_at now=now/></td>
                    <td data-label="State">{g.badge()}</td>
                    <td class="text" data-label="Reviewed"><a href=format!("/reviews/{id}?stands=done")>{format!("{} of {}", thousands(done), thousands(all))}</a><ul class="inline small">{numbers}</ul></td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    view! {
        <TableFrame label="Campaigns" stacks=true columns=5>
            <thead><tr><th scope="col">"Campaign"</th><th scope="col">"Made by"</th><th scope="col">"Due"</th><th scope="col">"State"</th><th scope="col">"Reviewed"</th></tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}

/// Where the pages before and after are.
#[derive(Debug, Clone, Default)]
pub struct Turns {
    /// Before.
    pub previous: Option<String>,
    /// After.
    pub next: Option<String>,
}

/// What one tab shows.
#[derive(Debug, Clone)]
pub enum Tabbed {
    /// What waits for the reader, and what they may begin.
    Mine(Vec<Line>, Vec<Due>),
    /// What is overdue, or soon due.
    Due(bool, Vec<Due>),
    /// Every review.
    All(Vec<Line>),
    /// Campaigns.
    Campaigns(Vec<Campaign>),
}

/// The page at `/reviews`.
#[derive(Debug, Clone)]
pub struct Reviews {
    /// What is shown.
    pub tab: Tabbed,
    /// How many wait for the reader.
    pub mine: u64,
    /// How many agents are overdue, and soon due, for who may know: counted up to a bound.
    pub due: Option<(u64, u64)>,
    /// Up to where those are counted.
    pub counted_to: u64,
    /// The reader makes campaigns.
    pub may_make: bool,
    /// Pages of the tab.
    pub turns: Turns,
    /// What was refused.
    pub errors: FieldErrors,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page at `/reviews`; goes inside `Layout`.
#[component]
pub fn ReviewsPage(
    /// What it shows.
    reviews: Reviews,
) -> impl IntoView {
    let now = reviews.now;
    let may_make = reviews.may_make;
    let is = |n: u8| {
        n == match reviews.tab {
            Tabbed::Mine(..) => 0,
            Tabbed::Due(true, _) => 1,
            Tabbed::Due(false, _) => 2,
            Tabbed::All(_) => 3,
            Tabbed::Campaigns(_) => 4,
        }
    };
    let bounded = |label: &str, n: u64| {
        if n >= reviews.counted_to { format!("{label} ({} and more)", thousands(n)) } else { label.to_owned() }
    };
    let counted = |tab: Tab, n: u64| if n >= reviews.counted_to { tab } else { tab.counting(n) };
    let mut tabs = vec![Tab::new("Waits for you", "/reviews", is(0)).counting(reviews.mine)];
    if let Some((overdue, soon)) = reviews.due {
        tabs.push(counted(Tab::new(bounded("Overdue", overdue), "/reviews?show=overdue", is(1)), overdue));
        tabs.push(counted(Tab::new(bounded("Due in 30 days", soon), "/reviews?show=soon", is(2)), soon));
    }
    tabs.push(Tab::new("All reviews", "/reviews?show=all", is(3)));
    tabs.push(Tab::new("Campaigns", "/reviews?show=campaigns", is(4)));
    let refused = (!reviews.errors.is_empty()).then(|| {
        let said = reviews.errors.iter().map(|(_, words)| words.to_owned()).collect::<Vec<_>>().join(" ");
        view! { <Notice tone=Tone::Bad title="Not begun"><p>{said}</p></Notice> }
    });
    let (body, shown) = match &reviews.tab {
        Tabbed::Mine(lines, due) => (mine(lines, due, now), lines.len()),
        Tabbed::Due(overdue, list) => (
            if list.is_empty() {
                let title = if *overdue { "Nothing is overdue" } else { "Nothing falls due within 30 days" };
                view! { <Empty title=title><p>"The cadence of each tier is set by the policy, and counted from an agent’s last review or approval."</p></Empty> }.piece()
            } else {
                due_table(if *overdue { "Overdue" } else { "Due in 30 days" }, list, false, now)
            },
            list.len(),
        ),
        Tabbed::All(lines) if lines.is_empty() => {
            (view! { <Empty title="No review yet"><p>"A review is begun when it falls due, when somebody asks for it, or by a campaign."</p></Empty> }.piece(), 0)
        }
        Tabbed::All(lines) => (table("Reviews", lines, false, now), lines.len()),
        Tabbed::Campaigns(list) if list.is_empty() => (
            view! {
                <Empty title="No campaign">
                    <p>"A campaign asks for a review of each agent of a selection, until one day. Pick the agents, or filter them, and press “Review…”."</p>
                    {may_make.then(|| view! { <div class="actions"><LinkButton href="/agents" kind=Kind::Primary>"Choose the agents"</LinkButton></div> })}
                </Empty>
            }
            .piece(),
            0,
        ),
        Tabbed::Campaigns(list) => (campaigns(list, now), list.len()),
    };
    let Turns { previous, next } = reviews.turns;
    let pages = (previous.is_some() || next.is_some()).then(|| {
        view! { <Pager count=format!("{shown} on this page") previous=previous next=next/> }
    });
    view! {
        <PageHead title="Reviews" lead="Does each agent still do only what it is for? Whoever is asked attests it, asks for a change, or has it retired."
            actions=move || view! { {may_make.then(|| view! { <LinkButton href="/agents">"New campaign"</LinkButton> })} }/>
        <Tabs label="Reviews" tabs=tabs/>
        {refused}
        <div class="stack loose">{body}{pages}</div>
    }
    .piece()
}

fn mine(lines: &[Line], due: &[Due], now: DateTime<Utc>) -> Piece {
    if lines.is_empty() && due.is_empty() {
        return view! { <Empty title="No review waits for you"><p>"What you review appears here once it is asked for or falls due."</p></Empty> }.piece();
    }
    let count = lines.len() as u64;
    let open = (count > 0).then(|| {
        let rows = table("Asked of you", lines, false, now);
        view! { <Section title="Asked of you" id="asked">{rows}</Section> }
    });
    let begin = (!due.is_empty()).then(|| {
        let rows = due_table("Due, and yours to begin", due, true, now);
        view! {
            <Section title="Due, and yours to begin" id="due">
                <p class="small muted">"Nobody has to ask you: a review that is due is begun by whoever does it, in the name of the security owner."</p>
                {rows}
            </Section>
        }
    });
    view! { {open}{begin} }.piece()
}
