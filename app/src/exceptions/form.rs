//! Asking for an exception, or for another one in the place of one that ends: the form, and what
//! it would take.

use chrono::{DateTime, NaiveDate, Utc};
use domain::duty::Duty;
use domain::exception::duty_of;
use domain::finding::FindingKey;
use domain::id::{AgentId, ExceptionId};
use domain::tier::Tier as Level;
use leptos::prelude::*;

use super::{impact_words, likelihood_words};
use crate::components::{
    Button, Checkbox, Choice, Crumb, Crumbs, ErrorSummary, Field, FieldGroup, IntoPiece, Kind, Notice, PageHead, Piece,
    PostForm, Refused, Section, Select, Suggestions, TextArea, Tier, Tone, When, thousands,
};
use crate::requests::Step;

/// How many compensating controls the form has room for at first.
pub const ROOM: usize = 2;
/// And at most.
pub const MOST_ROOM: usize = 10;

/// A compensating control as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypedControl {
    /// What is done instead.
    pub text: String,
    /// By whom.
    pub owner: String,
    /// By when it is checked, a date.
    pub check: String,
}

impl TypedControl {
    /// Whether nothing was typed.
    pub fn is_empty(&self) -> bool {
        [&self.text, &self.owner, &self.check].iter().all(|s| s.trim().is_empty())
    }
}

/// The form as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExceptionForm {
    /// What it is called.
    pub title: String,
    /// References of agents, as typed.
    pub agents: String,
    /// A system, whose members are meant.
    pub system: String,
    /// A label, `key=value`.
    pub label: String,
    /// The key of a finding; `other` for a control of one's own.
    pub control: String,
    /// That control.
    pub other: String,
    /// Whose control it is.
    pub duty: String,
    /// The node of a framework.
    pub node: String,
    /// One to five.
    pub likelihood: String,
    /// One to five.
    pub impact: String,
    /// Why it is needed.
    pub justification: String,
    /// What is done instead.
    pub controls: Vec<TypedControl>,
    /// From when, a date; empty for at once.
    pub starts: String,
    /// Until and with which day.
    pub expires: String,
    /// What is still wrong at the end stops its agents.
    pub suspends: bool,
}

impl ExceptionForm {
    /// The form as fields carry it.
    pub fn read<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let mut form = Self::default();
        for (name, value) in pairs {
            let text = value.to_owned();
            match name {
                "title" => form.title = text,
                "agents" => form.agents = text,
                "system" => form.system = text,
                "label" => form.label = text,
                "control" => form.control = text,
                "other" => form.other = text,
                "duty" => form.duty = text,
                "node" => form.node = text,
                "likelihood" => form.likelihood = text,
                "impact" => form.impact = text,
                "justification" => form.justification = text,
                "starts" => form.starts = text,
                "expires" => form.expires = text,
                "suspends" => form.suspends = value == "true",
                _ => form.control_part(name, text),
            }
        }
        form
    }

    /// `control-text-0` and the like.
    fn control_part(&mut self, name: &str, value: String) {
        let Some((part, n)) = name.strip_prefix("control-").and_then(|rest| rest.rsplit_once('-')) else { return };
        let Some(n) = n.parse::<usize>().ok().filter(|n| *n < MOST_ROOM) else { return };
        while self.controls.len() <= n {
            self.controls.push(TypedControl::default());
        }
        match part {
            "text" => self.controls[n].text = value,
            "owner" => self.controls[n].owner = value,
            "check" => self.controls[n].check = value,
            _ => {}
        }
    }

    /// What is excepted, as typed: a finding's key, or one's own words.
    pub fn rule(&self) -> &str {
        if self.control == "other" { self.other.trim() } else { self.control.trim() }
    }

    /// The duty that a chosen finding is about, where that is fixed.
    fn fixed(&self) -> Option<Duty> {
        self.control.parse::<FindingKey>().ok().and_then(duty_of)
    }
}

/// What asking would take.
#[derive(Debug, Clone)]
pub struct Foreseen {
    /// The agents, the first of them.
    pub agents: Vec<(AgentId, String, Level)>,
    /// How many there are.
    pub count: u64,
    /// The tier of the riskiest.
    pub tier: Level,
    /// For how many days at most.
    pub days: i64,
    /// The last day it may be in force, when it begins as typed.
    pub latest: Option<NaiveDate>,
    /// Who decides.
    pub steps: Vec<Step>,
    /// The exception that it renews, how often that makes, and how often it may be.
    pub renews: Option<(ExceptionId, u16, u16)>,
    /// Why it cannot be asked as it is.
    pub blocked: Vec<String>,
    /// The version of the policy.
    pub policy_version: i64,
}

/// What the page shows.
#[derive(Debug, Clone)]
pub struct Forming {
    /// The exception that is to be renewed.
    pub renews: Option<(ExceptionId, String)>,
    /// The agent that it came from.
    pub agent: Option<(AgentId, String)>,
    /// Only its compensating controls are written anew: of which exception.
    pub only_controls: Option<(ExceptionId, String)>,
    /// The form.
    pub form: Refused<ExceptionForm>,
    /// What it would take, once it is known for whom and what.
    pub foreseen: Option<Foreseen>,
    /// Findings that may be excepted: key and words.
    pub rules: Vec<Choice>,
    /// Systems to choose from.
    pub systems: Vec<Choice>,
    /// Nodes of frameworks that are suggested.
    pub nodes: Vec<Choice>,
    /// The clock of this page.
    pub now: DateTime<Utc>,
}

/// The page; goes inside `Layout`.
#[component]
pub fn FormPage(
    /// What it shows.
    forming: Forming,
) -> impl IntoView {
    let (title, lead, mut trail) = heading(&forming);
    if let (Some((agent, _)), true) = (&forming.agent, forming.renews.is_none()) {
        trail.insert(1, Crumb::new(agent.to_string(), format!("/agents/{agent}")));
    }
    let summary = forming.form.errors.clone();
    let body = match forming.only_controls {
        Some(_) => only_controls(&forming),
        None => whole(&forming),
    };
    view! {
        <Crumbs trail=trail/>
        <PageHead title=title lead=lead/>
        <ErrorSummary errors=summary/>
        {body}
    }
    .piece()
}

fn heading(forming: &Forming) -> (String, String, Vec<Crumb>) {
    let first = Crumb::new("Exceptions", "/exceptions");
    if let Some((id, name)) = &forming.only_controls {
        let trail =
            vec![first, Crumb::new(id.to_string(), format!("/exceptions/{id}")), Crumb::here("What is done instead")];
        let lead = "What was decided so far is void: it is asked again with these controls.".to_owned();
        return (format!("What is done instead: {name}"), lead, trail);
    }
    if let Some((id, name)) = &forming.renews {
        let trail = vec![first, Crumb::new(id.to_string(), format!("/exceptions/{id}")), Crumb::here("Renew")];
        let lead = format!(
            "A renewal of {id} is an exception of its own: it needs a new reason, and everybody decides again."
        );
        return (format!("Renew: {name}"), lead, trail);
    }
    let lead = "A dated permission to break a rule, with something done in its place. It ends by itself.".to_owned();
    ("Ask for an exception".to_owned(), lead, vec![first, Crumb::here("New")])
}

fn only_controls(forming: &Forming) -> Piece {
    let controls = controls(&forming.form, false);
    view! {
        <PostForm wide=true>
            {controls}
            <div class="actions"><Button kind=Kind::Primary name="do" value="save">"Ask again with these"</Button></div>
        </PostForm>
    }
    .piece()
}

fn whole(forming: &Forming) -> Piece {
    let foreseen = forming.foreseen.as_ref().map(|f| foreseen(f, forming.now));
    let Refused { values, errors } = forming.form.clone();
    let renewing = forming.renews.is_some();
    let scale = |words: fn(i64) -> &'static str| {
        (1..=5).map(|n| Choice::new(n.to_string(), format!("{n} – {}", words(n)))).collect::<Vec<_>>()
    };
    let latest = forming.foreseen.as_ref().and_then(|f| f.latest);
    let until = match (&forming.foreseen, latest) {
        (Some(f), Some(day)) => format!(
            "To the end of that day, UTC. {} tier: at most {} days, so {} at the latest.",
            f.tier.label(),
            f.days,
            day.format("%-d %B %Y")
        ),
        _ => "To the end of that day, UTC. How long it may last depends on the agents’ tier.".to_owned(),
    };
    let max = latest.map(|day| day.format("%Y-%m-%d").to_string());
    let today = forming.now.format("%Y-%m-%d").to_string();
    let justification_hint = if renewing {
        "What is new since the last time: the reason before is not enough. Kept in the record."
    } else {
        "Why the rule cannot be kept for now, and what is done so that it can be. Kept in the record."
    };
    let (whom, what, controls) = (whom(forming), what(forming), controls(&forming.form, true));
    let earliest = today.clone();
    let (likelihood, impact) = (scale(likelihood_words), scale(impact_words));
    let (why_error, likely_error, bad_error) =
        (errors.of("justification"), errors.of("likelihood"), errors.of("impact"));
    let (from_error, until_error) = (errors.of("starts"), errors.of("expires"));
    let ExceptionForm { justification, likelihood: likely, impact: bad, starts, expires, suspends, .. } = values;
    view! {
        <div class="with-aside exception-form">
            <PostForm wide=true>
                {whom}
                {what}
                <Section title="Why" id="why">
                    <TextArea name="justification" label="Justification" value=justification error=why_error rows=4 required=true hint=justification_hint/>
                    <FieldGroup>
                        <Select name="likelihood" label="How likely is harm" options=likelihood selected=likely blank="Choose" error=likely_error required=true/>
                        <Select name="impact" label="How bad would it be" options=impact selected=bad blank="Choose" error=bad_error required=true/>
                    </FieldGroup>
                </Section>
                {controls}
                <Section title="How long" id="how-long">
                    <FieldGroup>
                        <Field name="starts" label="From" kind="date" value=starts error=from_error min=earliest hint="At once, unless you say."/>
                        <Field name="expires" label="Until" kind="date" value=expires error=until_error min=today max=max.unwrap_or_default() required=true hint=until/>
                    </FieldGroup>
                    <Checkbox name="suspends" label="What is still wrong at its end stops its agents" checked=suspends hint="Otherwise they are out of policy from that second, and everybody concerned is told."/>
                </Section>
                <div class="actions">
                    <Button name="do" value="preview">"See who decides"</Button>
                    <Button kind=Kind::Primary name="do" value="ask">"Ask for it"</Button>
                </div>
            </PostForm>
            <aside class="stack" aria-label="What it takes">{foreseen.unwrap_or_else(unknown)}</aside>
        </div>
    }
    .piece()
}

/// For which agents.
fn whom(forming: &Forming) -> Piece {
    let Refused { values, errors } = &forming.form;
    let group = !values.system.is_empty()
        || !values.label.is_empty()
        || errors.of("system").is_some()
        || errors.of("label").is_some();
    let systems = forming.systems.clone();
    let system = (!systems.is_empty()).then(|| {
        view! { <Select name="system" label="The members of a system" options=systems selected=values.system.clone() blank="None" error=errors.of("system")/> }
    });
    let (label, label_error) = (values.label.clone(), errors.of("label"));
    let named = view! {
        <Field name="agents" label="Agents" value=values.agents.clone() error=errors.of("agents") hint="Their references: AG-7, AG-12. At most 200."/>
    };
    view! {
        <Section title="For which agents" id="agents">
            {named}
            <details class="small" open=group>
                <summary>"All of a system, or all with a label"</summary>
                <FieldGroup>
                    {system}
                    <Field name="label" label="Every agent with a label" value=label error=label_error hint="key=value, for instance team=finance. Looked up now, and again when the last decision falls."/>
                </FieldGroup>
            </details>
        </Section>
    }
    .piece()
}

/// What is excepted.
fn what(forming: &Forming) -> Piece {
    let Refused { values, errors } = &forming.form;
    let mut rules = forming.rules.clone();
    rules.push(Choice::new("other", "Another control, named below").group("Your own"));
    let own = values.control == "other" || !values.other.is_empty() || errors.of("other").is_some();
    let duties = Duty::ALL.iter().map(|d| Choice::new(d.key(), d.owner_title())).collect::<Vec<_>>();
    let fixed = values.fixed();
    let (selected, hint) = match fixed {
        Some(duty) => (duty.key().to_owned(), "This check has one owner."),
        None => (values.duty.clone(), "Whose control it is: that owner agrees what is done instead."),
    };
    let other = view! { <Field name="other" label="Another control" value=values.other.clone() error=errors.of("other") hint="Its name in your own catalogue of controls."/> };
    let other = if own {
        view! { {other} }.piece()
    } else {
        view! { <details class="small"><summary>"Another control than those that Muster checks"</summary>{other}</details> }.piece()
    };
    let Refused { values, errors } = forming.form.clone();
    let nodes = forming.nodes.clone();
    let (title_error, control_error) = (errors.of("title"), errors.of("control"));
    let (duty_error, node_error) = (errors.of("duty"), errors.of("node"));
    let (title, control, node) = (values.title, values.control, values.node);
    view! {
        <Section title="What is excepted" id="what">
            <Field name="title" label="In a few words" value=title error=title_error required=true maxlength=200 hint="As lists show it: “Shared key until the vault is there”."/>
            <FieldGroup>
                <Select name="control" label="The rule" options=rules selected=control blank="Choose" error=control_error required=true/>
                <Select name="duty" label="Its owner" options=duties selected=selected blank="Choose" error=duty_error hint=hint/>
            </FieldGroup>
            {other}
            <Field name="node" label="Node of a framework" value=node error=node_error list="nodes" short=true hint="Its reference, such as ASI03, NHI7 or GOVERN 1.6."/>
            <Suggestions id="nodes" values=nodes/>
        </Section>
    }
    .piece()
}

/// What is done instead.
fn controls(form: &Refused<ExceptionForm>, more: bool) -> Piece {
    let Refused { values, errors } = form;
    let shown = values.controls.len().clamp(ROOM, MOST_ROOM);
    let rows = (0..shown)
        .map(|n| {
            let typed = values.controls.get(n).cloned().unwrap_or_default();
            let name = |part: &str| format!("control-{part}-{n}");
            let error = |part: &str| errors.of(&name(part));
            view! {
                <fieldset class="panel">
                    <legend class="legend-title">{format!("Control {}", n + 1)}</legend>
                    <Field name=name("text") label="What is done" value=typed.text error=error("text")/>
                    <div class="fields">
                        <Field name=name("owner") label="By whom" value=typed.owner error=error("owner") hint="A name, an e-mail address or a reference."/>
                        <Field name=name("check") label="Checked by" kind="date" value=typed.check error=error("check") hint="A day before it ends."/>
                    </div>
                </fieldset>
            }
            .piece()
        })
        .collect_view();
    let another = (more && shown < MOST_ROOM)
        .then(|| view! { <Button kind=Kind::Small name="do" value="more">"Room for one more"</Button> });
    let error = errors.of("compensating_controls").map(|e| view! { <p class="error">{e}</p> });
    view! {
        <Section title="What is done instead" id="controls">
            <p class="small muted" id="field-compensating_controls" tabindex="-1">"Compensating controls. They may come later, but nothing is agreed without one; a control that is not checked in time is a finding and stops a renewal."</p>
            {error}
            <div class="stack">{rows}</div>
            {another}
        </Section>
    }
    .piece()
}

fn unknown() -> Piece {
    view! {
        <section class="panel" aria-labelledby="takes-title">
            <h2 id="takes-title">"What it takes"</h2>
            <p class="small muted">"Once it is known for which agents and which rule, this says who decides and how long it may last. Press “See who decides”."</p>
        </section>
    }
    .piece()
}

/// Who would decide, one below the other: there is no room for a table beside the form.
fn deciders(steps: &[Step], now: DateTime<Utc>) -> Piece {
    let lines = steps
        .iter()
        .map(|s| {
            let who = match s.decider.clone() {
                Some((id, name)) => view! { <a href=format!("/people/{id}") dir="auto">{name}</a> }.piece(),
                None => view! { <span class="warning">"nobody yet: security appoints somebody"</span> }.piece(),
            };
            let last = s.last.then_some(" Last: a formal second approval.");
            view! {
                <li>
                    <p><strong>{s.duty.owner_title()}</strong> ": " {who}</p>
                    <p class="small muted">{s.because.join(" ")} {last} " Due " <When at=s.due_at now=now/> "."</p>
                </li>
            }
            .piece()
        })
        .collect_view();
    view! { <h3>"Who decides"</h3><ul class="plain-list deciders">{lines}</ul> }.piece()
}

/// Who would decide, and what stands against it.
fn foreseen(f: &Foreseen, now: DateTime<Utc>) -> Piece {
    let blocked = (!f.blocked.is_empty()).then(|| {
        let list = f.blocked.iter().map(|b| view! { <li>{b.clone()}</li> }).collect_view();
        view! { <Notice tone=Tone::Bad title="It cannot be asked like this"><ul>{list}</ul></Notice> }
    });
    let renewal = f.renews.map(|(id, n, most)| {
        view! { <p>"It counts as a renewal of " <a href=format!("/exceptions/{id}")>{id.to_string()}</a> {format!(": number {n} of at most {most}.")}</p> }
    });
    let names = f
        .agents
        .iter()
        .map(|(id, name, tier)| {
            view! { <li><a href=format!("/agents/{id}") dir="auto">{name.clone()}</a> " " <span class="ref muted">{id.to_string()}</span> " " <Tier tier=tier.key()/></li> }
        })
        .collect_view();
    let rest = f.count.saturating_sub(f.agents.len() as u64);
    let rest = (rest > 0).then(|| view! { <li class="muted">{format!("and {} more", thousands(rest))}</li> });
    let steps = (!f.steps.is_empty()).then(|| deciders(&f.steps, now));
    let latest = f.latest.map(|day| view! { <p><strong>{format!("At most {} days", f.days)}</strong> {format!(" ({} tier): until {} at the latest.", f.tier.label().to_lowercase(), day.format("%-d %B %Y"))}</p> });
    let policy = format!("By version {} of the ", f.policy_version);
    view! {
        <section class="panel" aria-labelledby="takes-title" id="takes">
            <h2 id="takes-title">"What it takes"</h2>
            {blocked}
            {latest}
            {renewal}
            <ul class="plain-list">{names}{rest}</ul>
            {steps}
            <p class="small muted">{policy} <a href="/policy">"policy"</a> "."</p>
        </section>
    }
    .piece()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_it_was_sent() {
        let sent = [
            ("title", "One"),
            ("control", "other"),
            ("other", " Change freeze "),
            ("suspends", "true"),
            ("control-text-1", "Look daily"),
            ("control-check-1", "2027-01-01"),
            ("control-text-99", "too many"),
            ("control-nothing", "x"),
        ];
        let form = ExceptionForm::read(sent.into_iter());
        assert_eq!(form.rule(), "Change freeze");
        assert!(form.suspends);
        assert_eq!(form.controls.len(), 2);
        assert!(form.controls[0].is_empty());
        assert_eq!(form.controls[1].text, "Look daily");
    }
}
