//! One campaign: how it stands, its agents, attesting several at once.

use chrono::{DateTime, Utc};
use domain::review::Progress;
use leptos::prelude::*;

use super::{Campaign, Line, Turns, table};
use crate::components::{
    Button, Confirm, Crumb, Crumbs, Day, Empty, ErrorSummary, Fact, Facts, IntoPiece, Kind, Notice, PageHead, Pager,
    Piece, Refused, Section, Tab, Tabs, TextArea, Tone, When, thousands,
};

/// Everything the page shows.
#[derive(Debug, Clone)]
pub struct CampaignShown {
    /// The campaign.
    pub campaign: Campaign,
    /// Why it was made.
    pub reason: String,
    /// When.
    pub made_at: DateTime<Utc>,
    /// Where the agents are that its filter finds today.
    pub selection: Option<String>,
    /// How many agents it has.
    pub agents: u64,
    /// When it was closed early, by whom, why.
    pub closed: Option<(DateTime<Utc>, String, String)>,
    /// Only the reader's own reviews are shown.
    pub own: bool,
    /// Only those that stand so are listed.
    pub which: Option<Progress>,
    /// The rows.
    pub lines: Vec<Line>,
    /// Pages of them.
    pub turns: Turns,
    /// The reader may close it.
    pub may_close: bool,
    /// What was typed and refused: the reason.
    pub form: Refused<String>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page of a campaign; goes inside `Layout`.
#[component]
pub fn CampaignPage(
    /// What it shows.
    shown: CampaignShown,
) -> impl IntoView {
    let g = shown.campaign.clone();
    let (id, now) = (g.id, shown.now);
    let at = format!("/reviews/{id}");
    let mut tabs = vec![Tab::new("All", at.clone(), shown.which.is_none()).counting(g.all())];
    for &p in Progress::ALL {
        let n = g.of(p);
        if n > 0 || shown.which == Some(p) {
            tabs.push(Tab::new(p.label(), format!("{at}?stands={p}"), shown.which == Some(p)).counting(n));
        }
    }
    let badge = g.badge();
    let (done, all) = (g.of(Progress::Done), g.all());
    let lead = if shown.own {
        format!("{} of your {} are reviewed.", thousands(done), thousands(all))
    } else {
        format!("{} of {} are reviewed; {} wait for an answer.", thousands(done), thousands(all), thousands(g.left()))
    };
    let closed = shown.closed.clone().map(|(at, by, why)| {
        view! {
            <Notice tone=Tone::Plain title="Closed early">
                <p>"By "<span dir="auto">{by}</span>", "<When at=at now=now/>": “"<span dir="auto">{why}</span>"” What nobody had answered was taken back."</p>
            </Notice>
        }
    });
    let rows = rows(&shown);
    let close = close(&shown);
    let own = shown.own.then(|| view! { <p class="small muted">"The reviews of this campaign that are yours. Risk and security see all of it."</p> });
    view! {
        <Crumbs trail=vec![Crumb::new("Reviews", "/reviews"), Crumb::new("Campaigns", "/reviews?show=campaigns"), Crumb::here(id.to_string())]/>
        <PageHead title=g.name.clone() reference=id.to_string() lead=lead badges=move || badge/>
        <ErrorSummary errors=shown.form.errors.clone()/>
        {closed}
        <div class="with-aside">
            <div class="stack loose">
                <Tabs label="How they stand" tabs=tabs/>
                {own}
                {rows}
                {close}
            </div>
            {aside(&shown, now)}
        </div>
    }
    .piece()
}

fn rows(shown: &CampaignShown) -> Piece {
    if shown.lines.is_empty() {
        return view! { <Empty title="None stands so"><p>"Choose another tab to see the rest."</p></Empty> }.piece();
    }
    let plain = shown.lines.iter().filter(|l| l.plain.is_some()).count();
    let mine = shown.lines.iter().any(|l| l.mine);
    let body = table("Agents of the campaign", &shown.lines, plain > 0, shown.now);
    let Turns { previous, next } = shown.turns.clone();
    let count = format!("{} on this page", shown.lines.len());
    let pages = view! { <Pager count=count previous=previous next=next/> };
    if plain == 0 {
        let why = mine.then(|| view! { <p class="small muted">"Each of yours is answered on its own page: only reviews of agents with which nothing is wrong are attested together."</p> });
        return view! { {body}{pages}{why} }.piece();
    }
    let (value, error) = (shown.form.values.clone(), shown.form.errors.of("reason"));
    // The form holds the table, whose boxes it sends.
    view! {
        <form method="post" action=format!("/reviews/{}", shown.campaign.id) class="stack" novalidate>
            {body}
            {pages}
            <Section title="Attest those that are ticked" id="attest">
                <p class="small muted">"Only reviews of yours have a box, and only where nothing is wrong with the agent. Each is recorded as a decision of its own; what the agents did is not observed."</p>
                <TextArea name="reason" label="What you attest" value=value error=error rows=2 hint="Kept in the record of each."/>
                <div class="actions"><Button kind=Kind::Primary name="do" value="attest">"Attest those that are ticked"</Button></div>
            </Section>
        </form>
    }
    .piece()
}

fn close(shown: &CampaignShown) -> Piece {
    if !shown.may_close || shown.closed.is_some() || shown.campaign.left() == 0 {
        return ().piece();
    }
    let left = shown.campaign.left();
    let words = if left == 1 { "1 review".to_owned() } else { format!("{} reviews", thousands(left)) };
    let open = shown.form.errors.of("closing").is_some();
    let error = shown.form.errors.of("closing");
    view! {
        <Confirm label="Close it early…" action=format!("/reviews/{}", shown.campaign.id) confirm="Yes, close it" open=open>
            <input type="hidden" name="do" value="close"/>
            <p>{format!("{words} that nobody has answered are taken back, except those that were open before. Nothing is attested by it.")}</p>
            <TextArea name="closing" label="Reason" rows=2 error=error required=true hint="Kept in the record."/>
        </Confirm>
    }
    .piece()
}

fn aside(shown: &CampaignShown, now: DateTime<Utc>) -> Piece {
    let g = shown.campaign.clone();
    let agents = thousands(shown.agents);
    let made_at = shown.made_at;
    let (who, name) = g.made_by.clone();
    let reason = Some(shown.reason.clone())
        .filter(|why| !why.is_empty())
        .map(|why| view! { <Fact term="Why"><span dir="auto">{format!("“{why}”")}</span></Fact> });
    let chosen = match shown.selection.clone() {
        Some(href) => view! { <a href=href>"by a filter"</a><span class="small muted block">"The link finds what it finds today; the campaign keeps what it found then."</span> }.piece(),
        None => "picked one by one".piece(),
    };
    view! {
        <aside aria-label="Facts">
            <Facts>
                <Fact term="Due"><Day at=g.due_at/>" ("<When at=g.due_at now=now/>")"</Fact>
                <Fact term="Agents" value=agents/>
                <Fact term="Made"><When at=made_at now=now/>" by "<a href=format!("/people/{who}") dir="auto">{name}</a></Fact>
                <Fact term="Chosen">{chosen}</Fact>
                {reason}
            </Facts>
        </aside>
    }
    .piece()
}
