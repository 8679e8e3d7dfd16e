//! Standing rules: the list in its order, one rule with what it would do, its form.

pub mod edit;

use chrono::{DateTime, Utc};
use domain::duty::Duty;
use domain::id::{AgentId, RuleId};
use domain::party::{Party as Who, Standing};
use domain::rule::RuleState;
use leptos::prelude::*;

use crate::agents::agents;
use crate::components::{
    Badge, Button, Confirm, Crumb, Crumbs, Day, Empty, ErrorSummary, Fact, Facts, FieldErrors, Glyph, Icon, IntoPiece,
    Kind, LinkButton, Notice, PageHead, Piece, PostForm, Section, TableFrame, TextArea, Tone, When, thousands,
};

pub use edit::{EditRule, Editor, RuleForm};

/// A rule as pages show it.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its reference.
    pub id: RuleId,
    /// What it is called.
    pub name: String,
    /// Which agents it is about, in words; empty for all.
    pub about: String,
    /// Which duty it fills.
    pub duty: Duty,
    /// Whom it asks.
    pub party: Who,
    /// Their name.
    pub party_name: String,
    /// Whether they can be asked.
    pub standing: Standing,
    /// What it does at imports, in words.
    pub at_import: &'static str,
    /// Whether it acts.
    pub state: RuleState,
}

impl Rule {
    fn broken(&self) -> bool {
        self.state == RuleState::Active && self.standing != Standing::Active
    }

    /// What it says, as a sentence.
    pub fn sentence(&self) -> String {
        let about = if self.about.is_empty() { "Every agent".to_owned() } else { format!("Agents {}", self.about) };
        format!("{about}, without {}: {} is asked.", article(self.duty), self.party_name)
    }
}

/// `a runtime owner`.
fn article(duty: Duty) -> String {
    let title = duty.owner_title();
    let title = if title.starts_with("API") { title.to_owned() } else { title.to_lowercase() };
    let an = title.starts_with(['a', 'e', 'i', 'o', 'u', 'A']);
    format!("{} {title}", if an { "an" } else { "a" })
}

fn state(rule: &Rule) -> Piece {
    let (tone, words) = match (rule.state, rule.standing) {
        (RuleState::Removed, _) => (Tone::Plain, "Removed"),
        (RuleState::Paused, _) => (Tone::Plain, "Paused"),
        (RuleState::Active, Standing::Active) => (Tone::Good, "Active"),
        (RuleState::Active, Standing::Left) => (Tone::Bad, "Broken: they left"),
        (RuleState::Active, Standing::Leaderless) => (Tone::Bad, "Broken: no active lead"),
    };
    view! { <Badge tone=tone>{words}</Badge> }.piece()
}

/// The list.
#[derive(Debug, Clone, Default)]
pub struct List {
    /// In the order in which they are asked.
    pub rules: Vec<Rule>,
    /// The reader keeps rules.
    pub may_write: bool,
}

/// The page at `/rules`; goes inside `Layout`.
#[component]
pub fn RulesPage(
    /// What it shows.
    list: List,
) -> impl IntoView {
    let may_write = list.may_write;
    let count = list.rules.len();
    let any = list.rules.iter().any(|r| r.state == RuleState::Active);
    let rows = list
        .rules
        .iter()
        .enumerate()
        .map(|(at, rule)| {
            let (id, name) = (rule.id, rule.name.clone());
            let turn = |to: &'static str, words: &'static str, off: bool| {
                let said = format!("{words}: {name}");
                view! { <Button kind=Kind::Small name="do" value=to disabled=off>{words}<span class="visually-hidden">{said}</span></Button> }
            };
            let order = may_write.then(|| {
                view! {
                    <td data-label="Order">
                        <form method="post" action=format!("/rules/{id}") class="pair">
                            {turn("earlier", "Earlier", at == 0)}
                            {turn("later", "Later", at + 1 == count)}
                        </form>
                    </td>
                }
            });
            view! {
                <tr>
                    <td class="num" data-label="Place">{at + 1}</td>
                    <th scope="row"><a href=format!("/rules/{id}") dir="auto">{rule.name.clone()}</a> " " <span class="ref muted">{id.to_string()}</span></th>
                    <td class="text" data-label="Agents"><bdi>{if rule.about.is_empty() { "All".to_owned() } else { rule.about.clone() }}</bdi></td>
                    <td data-label="Lacking">{rule.duty.owner_title()}</td>
                    <td data-label="Asks"><a href=rule.party.path() dir="auto">{rule.party_name.clone()}</a></td>
                    <td data-label="State">{state(rule)}</td>
                    {order}
                </tr>
            }
            .piece()
        })
        .collect_view();
    let body = if count == 0 {
        view! {
            <Empty title="No standing rules yet">
                <p>"A rule asks a party for a duty that agents of some sort lack, for instance: agents of Claims without a runtime owner, the platform team. It is asked at every import and when it is run, and never overrides what a person chose."</p>
                {may_write.then(|| view! { <div class="actions"><LinkButton href="/rules/new" kind=Kind::Primary>"Make a rule"</LinkButton></div> })}
            </Empty>
        }
        .piece()
    } else {
        view! {
            <TableFrame label="Standing rules" stacks=true columns=7>
                <thead><tr><th scope="col" class="num">"Place"</th><th scope="col">"Rule"</th><th scope="col">"Agents"</th><th scope="col">"Lacking"</th><th scope="col">"Asks"</th><th scope="col">"State"</th>{may_write.then(|| view! { <th scope="col">"Order"</th> })}</tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
            <p class="small muted">"They are asked in this order at the end of every import, for the agents that came or changed. The first that fits asks; those after it find the duty on offer."</p>
        }
        .piece()
    };
    view! {
        <PageHead title="Standing rules" lead="Who is asked where agents of some sort lack an owner. A rule fills what is empty, and never overrides what a person chose."
            actions=move || view! {
                {(may_write && any).then(|| view! {
                    <Confirm label="Run all…" action="/rules" confirm="Yes, run every active rule" calm=true>
                        <p>"Every active rule is asked now, in this order, for every agent. Open a rule to see first what it would do."</p>
                    </Confirm>
                })}
                {may_write.then(|| view! { <LinkButton href="/rules/new" kind=Kind::Primary><Icon glyph=Glyph::Plus/>"Make a rule"</LinkButton> })}
            }/>
        {body}
    }
    .piece()
}

/// What a rule would do now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Foreseen {
    /// Agents for which it would ask.
    pub count: u64,
    /// There are more than were counted.
    pub more: bool,
    /// The first of them.
    pub first: Vec<(AgentId, String)>,
    /// Agents that lack the duty and that it leaves: why, and how many.
    pub left: Vec<(String, u64)>,
    /// The agents of these that lack the duty, in the inventory, where its filters can say so.
    pub inventory: Option<String>,
}

/// What it would do, in a notice.
pub(crate) fn foreseen(f: &Foreseen, duty: Duty, party: &str) -> Piece {
    let title = if duty.owner_title().starts_with("API") {
        duty.owner_title().to_owned()
    } else {
        duty.owner_title().to_lowercase()
    };
    let head = match f.count {
        0 => "Nobody would be asked: no agent lacks the duty, or somebody decided about it.".to_owned(),
        n if f.more => format!("{party} would be asked to be {title} of {} agents and more.", thousands(n)),
        n => format!("{party} would be asked to be {title} of {}.", agents(n)),
    };
    let rest = f.count.saturating_sub(f.first.len() as u64);
    let first = f
        .first
        .iter()
        .map(|(id, name)| view! { <li><a href=format!("/agents/{id}") dir="auto">{name.clone()}</a> " " <span class="ref muted">{id.to_string()}</span></li> })
        .collect_view();
    let left =
        f.left.iter().map(|(why, n)| view! { <li>{format!("{} left alone: {why}.", agents(*n))}</li> }).collect_view();
    let tone = if f.count == 0 { Tone::Plain } else { Tone::Note };
    let left = (!f.left.is_empty()).then(|| view! { <ul class="notes">{left}</ul> });
    let first = (!f.first.is_empty()).then(|| {
        view! { <ul class="plain-list picked-list">{first}{(rest > 0).then(|| view! { <li class="muted">{format!("and {} more", thousands(rest))}</li> })}</ul> }
    });
    let inventory = f
        .inventory
        .clone()
        .map(|href| view! { <p class="small"><a href=href>"The agents that lack it, in the inventory"</a></p> });
    view! {
        <Notice tone=tone title="What it would do now">
            <p>{head}</p>
            {left}
            {inventory}
        </Notice>
        {first}
    }
    .piece()
}

/// An offer that a rule made.
#[derive(Debug, Clone)]
pub struct Made {
    /// Of which agent.
    pub agent: AgentId,
    /// Its name.
    pub name: String,
    /// When.
    pub at: DateTime<Utc>,
    /// What became of it.
    pub outcome: &'static str,
}

/// What the page of a rule shows.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The rule.
    pub rule: Rule,
    /// Who made it, by name.
    pub made_by: String,
    /// When.
    pub created_at: DateTime<Utc>,
    /// What it would do now, once it was asked.
    pub foreseen: Option<Foreseen>,
    /// The newest offers that it made.
    pub made: Vec<Made>,
    /// The reader keeps rules.
    pub may_write: bool,
    /// The reader reads the record.
    pub may_audit: bool,
    /// What was refused.
    pub errors: FieldErrors,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page of a rule; goes inside `Layout`.
#[component]
pub fn RulePage(
    /// What it shows.
    shown: Shown,
) -> impl IntoView {
    let rule = shown.rule.clone();
    let (id, broken) = (rule.id, rule.broken());
    let writes = shown.may_write && rule.state != RuleState::Removed;
    let may_audit = shown.may_audit;
    let badge = state(&rule);
    let preview = shown.foreseen.as_ref().map(|f| {
        let run = (writes && rule.state == RuleState::Active && f.count > 0).then(|| {
            let words = if f.more { "Run it".to_owned() } else { format!("Run it: ask for {}", agents(f.count)) };
            view! { <PostForm action=format!("/rules/{id}")><div class="actions"><Button kind=Kind::Primary name="do" value="run">{words}</Button></div></PostForm> }
        });
        view! { <section class="section" id="preview" aria-label="What it would do now">{foreseen(f, rule.duty, &rule.party_name)}{run}</section> }
    });
    let ask = shown.foreseen.is_none() && !broken && rule.state != RuleState::Removed;
    let gone = broken.then(|| {
        let name = rule.party_name.clone();
        view! { <Notice tone=Tone::Bad title="It asks nobody"><p><span dir="auto">{name}</span>" has left, or has no active lead. Edit the rule to ask somebody who is here."</p></Notice> }
    });
    let rows = shown
        .made
        .iter()
        .map(|m| {
            view! {
                <tr>
                    <th scope="row"><a href=format!("/agents/{}", m.agent) dir="auto">{m.name.clone()}</a> " " <span class="ref muted">{m.agent.to_string()}</span></th>
                    <td data-label="Asked"><When at=m.at now=shown.now/></td>
                    <td data-label="Outcome">{m.outcome}</td>
                </tr>
            }
        })
        .collect_view();
    let made = if shown.made.is_empty() {
        view! { <p class="muted">"It has asked for nothing yet."</p> }.piece()
    } else {
        view! {
            <TableFrame label="Offers of the rule" stacks=true>
                <thead><tr><th scope="col">"Agent"</th><th scope="col">"Asked"</th><th scope="col">"Outcome"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        }
        .piece()
    };
    let change = writes.then(|| {
        let (to, words, confirm) = match rule.state {
            RuleState::Active => ("pause", "Pause…", "Yes, pause it"),
            _ => ("resume", "Resume…", "Yes, make it active"),
        };
        view! {
            <Section title="Change its state" id="state">
                <div class="row">
                    <Confirm label=words action=format!("/rules/{id}") confirm=confirm calm=true>
                        <input type="hidden" name="do" value=to/>
                        <TextArea name="reason" label="Reason" rows=2 hint="Kept in the record."/>
                    </Confirm>
                    <Confirm label="Remove…" action=format!("/rules/{id}") confirm="Yes, remove it">
                        <input type="hidden" name="do" value="remove"/>
                        <p>"Offers that it made stay. A rule that was removed does not come back."</p>
                    </Confirm>
                </div>
            </Section>
        }
    });
    let (edit, audit, look) =
        (format!("/rules/{id}/edit"), format!("/audit?subject={id}"), format!("/rules/{id}?preview=yes"));
    view! {
        <Crumbs trail=vec![Crumb::new("Standing rules", "/rules"), Crumb::here(id.to_string())]/>
        <PageHead title=rule.name.clone() reference=id.to_string() lead=rule.sentence()
            badges=move || badge
            actions=move || view! {
                {may_audit.then(|| view! { <LinkButton href=audit kind=Kind::Quiet>"History"</LinkButton> })}
                {writes.then(|| view! { <LinkButton href=edit>"Edit"</LinkButton> })}
                {ask.then(|| view! { <LinkButton href=look kind=Kind::Primary>"See what it would do"</LinkButton> })}
            }/>
        <ErrorSummary errors=shown.errors.clone()/>
        {gone}
        <div class="with-aside">
            <div class="stack loose">
                {preview}
                <Section title="What it asked for" id="made">
                    {made}
                    {(shown.made.len() >= 50).then(|| view! { <p class="small muted">"The newest 50 are listed."</p> })}
                </Section>
                {change}
            </div>
            <aside aria-label="Facts">
                <Facts>
                    <Fact term="Agents" value=if rule.about.is_empty() { "All".to_owned() } else { rule.about.clone() }/>
                    <Fact term="Lacking" value=rule.duty.owner_title()/>
                    <Fact term="Asks"><a href=rule.party.path() dir="auto">{rule.party_name.clone()}</a></Fact>
                    <Fact term="At imports" value=rule.at_import/>
                    <Fact term="Made"><Day at=shown.created_at/>" by "<span dir="auto">{shown.made_by.clone()}</span></Fact>
                </Facts>
            </aside>
        </div>
    }
    .piece()
}
