//! One team: who leads it, who is in it, what it answers for.

use chrono::{DateTime, Utc};
use domain::id::TeamId;
use domain::party::TeamKind;
use leptos::prelude::*;

use crate::components::{
    Badge, Confirm, Crumb, Crumbs, Day, DidYouMean, ErrorSummary, Fact, Facts, Field, IntoPiece, Kind, LinkButton,
    Notice, PageHead, Refused, Section, TableFrame, Tone, When, thousands,
};
use crate::people::{Holdings, Named, Voice, WHO, chain, counted, holdings, link, link_or, suggestions};

/// A member.
#[derive(Debug, Clone)]
pub struct Member {
    /// Who.
    pub person: Named,
    /// What they do.
    pub title: String,
    /// Since when they are in it.
    pub since: DateTime<Utc>,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Which team.
    pub id: TeamId,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: TeamKind,
    /// Its lead.
    pub lead: Option<Named>,
    /// Since when they lead.
    pub lead_since: Option<DateTime<Utc>>,
    /// Its deputy.
    pub deputy: Option<Named>,
    /// Who would be asked if the lead were gone.
    pub next: Vec<Named>,
    /// Who is on call now.
    pub on_call: Option<Named>,
    /// Its members.
    pub members: Vec<Member>,
    /// What it holds.
    pub holdings: Holdings,
    /// How many offers wait for it; `None` above a thousand.
    pub offers: Option<u64>,
    /// When it was recorded.
    pub created_at: DateTime<Utc>,
    /// When that last changed.
    pub updated_at: DateTime<Utc>,
    /// The reader keeps teams.
    pub may_write: bool,
    /// The reader reads the record.
    pub may_audit: bool,
    /// Who is to join, as typed, when it was refused.
    pub join: Refused<String>,
    /// People to suggest.
    pub suggested: Vec<Named>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page of a team; goes inside `Layout`.
#[component]
pub fn TeamPage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let path = format!("/teams/{}", shown.id);
    let (may_write, may_audit) = (shown.may_write, shown.may_audit);
    let (edit, audit) = (format!("{path}/edit"), format!("/audit?subject={}", shown.id));
    let leaderless = !shown.lead.as_ref().is_some_and(|l| l.active);
    let kind = shown.kind;
    let warning = leaderless.then(|| leaderless_words(&shown, &edit));
    let waits = match shown.offers {
        Some(0) => None,
        Some(n) => Some(counted(n, "offer waits", "offers wait")),
        None => Some("More than 1,000 offers wait".to_owned()),
    }
    .map(|words| {
        let lead = link_or(shown.lead.as_ref(), "somebody to lead it");
        let deputy = shown.deputy.as_ref().map(link).map(|deputy| view! { " or " {deputy} });
        view! { <Notice tone=Tone::Note><p>{words}" for the answer of "{lead}{deputy}"."</p></Notice> }
    });
    view! {
        <Crumbs trail=vec![Crumb::new("Teams", "/teams"), Crumb::here(shown.id.to_string())]/>
        <PageHead title=shown.name.clone() reference=shown.id.to_string()
            badges=move || view! { <Badge>{kind.label()}</Badge>{leaderless.then(|| view! { <Badge tone=Tone::Bad>"Nobody leads it"</Badge> })} }
            actions=move || view! {
                {may_audit.then(|| view! { <LinkButton href=audit kind=Kind::Quiet>"History"</LinkButton> })}
                {may_write.then(|| view! { <LinkButton href=edit>"Edit"</LinkButton> })}
            }/>
        {warning}
        {waits}
        <div class="with-aside">
            <div class="stack loose">
                {members(&shown, &path)}
                {holdings(shown.holdings.clone(), &shown.id.to_string(), Voice::Team)}
            </div>
            <aside aria-label="Facts">{facts(&shown)}</aside>
        </div>
    }
    .piece()
}

fn leaderless_words(shown: &Shown, edit: &str) -> impl IntoView + use<> {
    let gone = shown.lead.as_ref().map(|lead| view! { "Its lead, " {link(lead)} ", is gone. " });
    let holds = shown.holdings.accountable != Some(0);
    let next = chain(&shown.next);
    let mend = shown.may_write.then(|| view! { " " <a href=format!("{edit}#field-lead")>"Give it a lead"</a> "." });
    view! {
        <Notice tone=if holds { Tone::Bad } else { Tone::Warn } title="Nobody leads it">
            <p>
                {gone}
                {if holds { "Whatever it holds has no owner until somebody leads it." } else { "It cannot be made Accountable for anything." }}
                " Next in line: " {next} "."
                {mend}
            </p>
        </Notice>
    }
    .piece()
}

/// How many members are listed before the rest is folded away.
const AT_FIRST: usize = 10;

fn table(label: &'static str, members: &[Member], path: &str, may_write: bool) -> impl IntoView + use<> {
    let rows = members
        .iter()
        .map(|member| {
            let remove = may_write.then(|| {
                let action = format!("{path}/members/{}/remove", member.person.id);
                let label = format!("Remove {} from the team", member.person.name);
                view! { <form method="post" action=action><button class="button small" aria-label=label>"Remove"</button></form> }
            });
            view! {
                <tr>
                    <th scope="row">{link(&member.person)} " " <span class="ref muted">{member.person.id.to_string()}</span></th>
                    <td data-label="Title"><bdi>{member.title.clone()}</bdi></td>
                    <td data-label="Since"><Day at=member.since/></td>
                    {may_write.then(|| view! { <td data-label="">{remove}</td> })}
                </tr>
            }
        })
        .collect_view();
    view! {
        <TableFrame label=label stacks=true>
            <thead>
                <tr>
                    <th scope="col">"Person"</th>
                    <th scope="col">"Title"</th>
                    <th scope="col">"Since"</th>
                    {may_write.then(|| view! { <th scope="col"><span class="visually-hidden">"Remove"</span></th> })}
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}

fn members(shown: &Shown, path: &str) -> impl IntoView + use<> {
    let may_write = shown.may_write;
    let (first, rest) = shown.members.split_at(shown.members.len().min(AT_FIRST));
    let listed = (!first.is_empty()).then(|| table("Members", first, path, may_write));
    let folded = (!rest.is_empty()).then(|| {
        let words = format!("{} more", thousands(rest.len() as u64));
        let rest = table("More members", rest, path, may_write);
        view! { <details class="unfold"><summary>{words}</summary>{rest}</details> }
    });
    let none =
        shown.members.is_empty().then(|| view! { <p class="muted">"Nobody but its lead and deputy acts for it."</p> });
    let add = may_write.then(|| {
        let Refused { values, errors } = shown.join.clone();
        let open = !errors.is_empty() || !values.is_empty();
        let people = suggestions("people", &shown.suggested);
        view! {
            <Confirm label="Add a member…" action=format!("{path}/members") confirm="Add" calm=true open=open>
                <ErrorSummary errors=errors.clone()/>
                <Field name="person" label="Who" value=values error=errors.of("person") required=true list="people"
                    autocomplete="off" hint=WHO/>
                {people}
                <DidYouMean field="person" errors=errors.clone()/>
            </Confirm>
        }
    });
    view! {
        <Section title="Members" id="members" count=shown.members.len() as u64>
            {none}
            {listed}
            {folded}
            {add}
        </Section>
    }
    .piece()
}

fn facts(shown: &Shown) -> impl IntoView + use<> {
    let since = shown
        .lead_since
        .filter(|_| shown.lead.is_some())
        .map(|at| view! { " " <span class="small muted">"since " <Day at=at/></span> });
    let (lead, deputy) = (link_or(shown.lead.as_ref(), "nobody"), link_or(shown.deputy.as_ref(), "nobody"));
    let next = chain(&shown.next);
    let operates = format!("/agents?operated_by={}", shown.id);
    let (on_call, present) = (format!("/teams/{}/on-call", shown.id), link_or(shown.on_call.as_ref(), "nobody"));
    let (kind, created, updated, now) = (shown.kind.label(), shown.created_at, shown.updated_at, shown.now);
    view! {
        <Facts>
            <Fact term="Lead">{lead}{since}</Fact>
            <Fact term="Deputy">{deputy}</Fact>
            <Fact term="Next in line">{next}</Fact>
            <Fact term="On call">{present}" "<span class="small">"("<a href=on_call>"who is next"</a>")"</span></Fact>
            <Fact term="Kind" value=kind/>
            <Fact term="Operates"><a href=operates>"agents it operates"</a></Fact>
            <Fact term="Recorded"><Day at=created/></Fact>
            <Fact term="Changed"><When at=updated now=now/></Fact>
        </Facts>
    }
    .piece()
}
