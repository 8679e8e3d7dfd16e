//! The policy, to be changed: one form, seen with its effect before it is kept.

use std::collections::BTreeMap;

use domain::duty::Duty;
use domain::exception::NEVER;
use domain::finding::FindingKey;
use domain::policy::effect::Effect;
use domain::policy::{Policy, When};
use domain::tier::Tier as Risk;
use leptos::prelude::*;

use super::{TABLES, table, title_of};
use crate::components::form::grouped;
use crate::components::{
    Button, Choice, Crumb, Crumbs, ErrorSummary, Field, FieldGroup, IntoPiece, Kind, LinkButton, Notice, PageHead,
    Piece, PostForm, Refused, Section, TableFrame, TextArea, Tier, Tone, thousands,
};

/// The form as typed: every field by its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PolicyForm(BTreeMap<String, String>);

/// The field that says when a duty's owner approves.
pub fn when_field(duty: Duty) -> String {
    format!("when-{duty}")
}

/// The field that says whether they decide after every other.
pub fn last_field(duty: Duty) -> String {
    format!("last-{duty}")
}

/// The field of a number of days.
pub fn days_field(key: &str, tier: Risk) -> String {
    format!("{key}-{tier}")
}

/// The field that says that a finding is never excepted.
pub fn never_field(key: FindingKey) -> String {
    format!("never-{key}")
}

impl PolicyForm {
    /// The form of a policy.
    pub fn of(policy: &Policy, version: i64) -> Self {
        let mut out = BTreeMap::new();
        for duty in Duty::ALL.iter().copied() {
            out.insert(when_field(duty), policy.when(duty).key().to_owned());
            if policy.last(duty) {
                out.insert(last_field(duty), "yes".to_owned());
            }
        }
        for (key, ..) in TABLES {
            for tier in Risk::ALL.iter().copied() {
                out.insert(days_field(key, tier), table(policy, key).of(tier).to_string());
            }
        }
        out.insert("exception_renewals".to_owned(), policy.exception_renewals.to_string());
        for key in &policy.never_excepted {
            out.insert(never_field(*key), "yes".to_owned());
        }
        out.insert("escalate_days".to_owned(), policy.escalate_days.to_string());
        out.insert("lapse_days".to_owned(), policy.lapse_days.to_string());
        out.insert("version".to_owned(), version.to_string());
        Self(out)
    }

    /// The form as it was sent.
    pub fn read(pairs: &[(String, String)]) -> Self {
        Self(pairs.iter().rev().cloned().collect())
    }

    /// What a field holds; empty when it was not sent.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// Puts something into a field.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }
}

/// What the policy of the form would do.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    /// What changes, each a sentence; empty when nothing does.
    pub changes: Vec<String>,
    /// How it is weaker, each a sentence.
    pub weaker: Vec<String>,
    /// Being weaker, it needs a second person.
    pub second_person: bool,
    /// What it does to the agents there are.
    pub effect: Effect,
    /// The numbers lack agents that Muster has not assessed yet.
    pub behind: bool,
}

/// What the page of the form shows.
#[derive(Debug, Clone)]
pub struct Editor {
    /// As typed, with what is wrong.
    pub form: Refused<PolicyForm>,
    /// What it would do, once it was asked.
    pub preview: Option<Preview>,
    /// Something happened meanwhile, said above.
    pub notice: Option<String>,
}

/// The page at `/policy/edit`; goes inside `Layout`.
#[component]
pub fn EditPolicy(
    /// What it shows.
    editor: Editor,
) -> impl IntoView {
    let Refused { values, errors } = editor.form.clone();
    let notice = editor.notice.clone().map(|text| view! { <Notice tone=Tone::Warn><p>{text}</p></Notice> });
    let preview = editor.preview.as_ref().map(effect);
    let save = editor.preview.as_ref().filter(|p| !p.changes.is_empty()).map(|p| {
        let words = if p.second_person { "Propose it to a second person" } else { "Save: in force at once" };
        view! { <Button kind=Kind::Primary name="do" value="save">{words}</Button> }
    });
    let look = if save.is_some() { Kind::Secondary } else { Kind::Primary };
    let (version, seen) = (values.get("version").to_owned(), values.get("seen").to_owned());
    let number = |name: &'static str, label: &'static str, hint: &'static str| {
        let (value, error) = (values.get(name).to_owned(), errors.of(name));
        view! { <Field name=name label=label value=value error=error hint=hint required=true short=true inputmode="numeric"/> }
    };
    let escalate = number(
        "escalate_days",
        "Days late before a step is escalated",
        "Then the decider’s manager and security see it too.",
    );
    let lapse = number("lapse_days", "Days until an open request lapses", "Then nothing was approved.");
    let renewals = number(
        "exception_renewals",
        "Times an exception may be renewed",
        "Each time with a new reason and new decisions.",
    );
    let never = never(&editor.form);
    let (rules, days) = (rules(&editor.form), days(&editor.form));
    let (reason, wrong) = (values.get("reason").to_owned(), errors.of("reason"));
    view! {
        <Crumbs trail=vec![Crumb::new("Policy", "/policy"), Crumb::here("Change")]/>
        <PageHead title="Change the policy" lead="Nothing is written until you have seen what it does to the agents there are."/>
        {notice}
        <ErrorSummary errors=errors.clone()/>
        {preview}
        <PostForm wide=true>
            // Enter in a field looks first.
            <button class="visually-hidden" tabindex="-1" aria-hidden="true" name="do" value="preview">"See what it does"</button>
            <input type="hidden" name="version" value=version/>
            <input type="hidden" name="seen" value=seen/>
            {rules}
            {days}
            <FieldGroup>{escalate}{lapse}{renewals}</FieldGroup>
            {never}
            <TextArea name="reason" label="Reason" value=reason error=wrong rows=3 required=true maxlength=1000
                hint="Kept beside the version, and read by everybody."/>
            <div class="actions">
                {save}
                <Button kind=look name="do" value="preview">"See what it does"</Button>
                <LinkButton href="/policy" kind=Kind::Quiet>"Cancel"</LinkButton>
            </div>
        </PostForm>
    }
    .piece()
}

fn rules(form: &Refused<PolicyForm>) -> Piece {
    let rows = Duty::ALL
        .iter()
        .copied()
        .map(|duty| {
            let (name, last) = (when_field(duty), last_field(duty));
            let title = duty.owner_title();
            let fixed = matches!(duty, Duty::Purpose | Duty::Policy);
            let when = if fixed {
                view! { <input type="hidden" name=name value=When::Always.key()/> "Always" <div class="small muted">"This one is not to be changed."</div> }.piece()
            } else {
                let choices = When::ALL.iter().map(|w| Choice::new(w.key(), w.label())).collect();
                let options = grouped(choices, form.values.get(&name));
                let invalid = form.errors.of(&name).map(|_| "true");
                let (id, label) = (format!("field-{name}"), format!("When the {} approves", title_of(duty)));
                view! { <select class="input" id=id name=name aria-label=label aria-invalid=invalid>{options}</select> }.piece()
            };
            let checked = form.values.get(&last) == "yes";
            let label = format!("The {} decides after every other", title_of(duty));
            let id = format!("field-{last}");
            view! {
                <tr>
                    <th scope="row"><div>{title}<span class="under small muted">{duty.answers_for()}</span></div></th>
                    <td data-label="When">{when}</td>
                    <td data-label="After every other"><input type="checkbox" id=id name=last value="yes" checked=checked aria-label=label/></td>
                </tr>
            }
            .piece()
        })
        .collect_view();
    view! {
        <Section title="Who approves" id="approvers">
            <TableFrame label="Who approves" stacks=true>
                <thead><tr><th scope="col">"Approver"</th><th scope="col">"When"</th><th scope="col">"After every other"</th></tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

/// Which findings nobody may except.
fn never(form: &Refused<PolicyForm>) -> Piece {
    let boxes = FindingKey::ALL
        .iter()
        .copied()
        .map(|key| {
            if NEVER.contains(&key) {
                let label = format!("{} (no policy allows it)", key.label());
                return view! { <label class="check"><input type="checkbox" checked=true disabled=true/> <span>{label}</span></label> }.piece();
            }
            let name = never_field(key);
            let (id, checked) = (format!("field-{name}"), form.values.get(&name) == "yes");
            let target = id.clone();
            view! { <label class="check" for=target><input type="checkbox" id=id name=name value="yes" checked=checked/> <span>{key.label()}</span></label> }.piece()
        })
        .collect_view();
    let open = FindingKey::ALL.iter().any(|key| form.values.get(&never_field(*key)) == "yes");
    view! {
        <details open=open>
            <summary>"Findings that are never excepted"</summary>
            <fieldset><legend class="visually-hidden">"Never excepted"</legend>{boxes}</fieldset>
        </details>
    }
    .piece()
}

fn days(form: &Refused<PolicyForm>) -> Piece {
    let rows = TABLES
        .iter()
        .map(|(key, name, meaning)| {
            let error = form.errors.of(key);
            let said = error.clone().map(|text| view! { <div class="field"><p class="error">{text}</p></div> });
            let cells = Risk::ALL
                .iter()
                .enumerate()
                .map(|(at, tier)| {
                    let field = days_field(key, *tier);
                    // The first keeps the id to which the summary leads.
                    let id = if at == 0 { format!("field-{key}") } else { format!("field-{field}") };
                    let label = format!("{name}, {} tier, days", tier.label().to_lowercase());
                    let value = form.values.get(&field).to_owned();
                    let invalid = error.as_ref().map(|_| "true");
                    view! { <td class="num" data-label=tier.label()><input class="input short" id=id name=field value=value inputmode="numeric" aria-label=label aria-invalid=invalid/></td> }
                })
                .collect_view();
            view! { <tr><th scope="row"><div>{*name}<span class="under small muted">{*meaning}</span>{said}</div></th>{cells}</tr> }.piece()
        })
        .collect_view();
    let heads = Risk::ALL.iter().map(|tier| view! { <th scope="col"><Tier tier=tier.key()/></th> }).collect_view();
    view! {
        <Section title="Days, by risk tier" id="days">
            <TableFrame label="Days by risk tier" stacks=true>
                <thead><tr><th scope="col">"What"</th>{heads}</tr></thead>
                <tbody>{rows}</tbody>
            </TableFrame>
        </Section>
    }
    .piece()
}

fn agents(n: u64) -> String {
    if n == 1 { "1 agent".to_owned() } else { format!("{} agents", thousands(n)) }
}

/// `a regulatory approver`.
fn article(duty: Duty) -> String {
    let title = title_of(duty);
    let an = title.starts_with(['a', 'e', 'i', 'o', 'u', 'A']);
    format!("{} {title}", if an { "an" } else { "a" })
}

/// The agents that have one condition and not another, in the inventory.
fn inventory(with: When, without: When, state: &str) -> String {
    let mut out = "/agents?".to_owned();
    if with != When::Always || without == When::Never {
        out.push_str(&format!("condition={with}&"));
    }
    if without != When::Never {
        out.push_str(&format!("without_condition={without}&"));
    }
    out.push_str(state);
    out.trim_end_matches(['&', '?']).to_owned()
}

fn list(lines: &[String]) -> Piece {
    let lines = lines.iter().map(|l| view! { <li>{l.clone()}</li> }).collect_view();
    view! { <ul class="notes">{lines}</ul> }.piece()
}

/// What it would do.
fn effect(p: &Preview) -> Piece {
    if p.changes.is_empty() {
        return view! {
            <Notice tone=Tone::Plain title="It changes nothing"><p>"The form says what the policy in force says."</p></Notice>
        }
        .piece();
    }
    let touched = touched(&p.effect, p.behind);
    let weaker = (!p.weaker.is_empty()).then(|| {
        let next = if p.second_person {
            "It needs a second person: another administrator or security lead confirms it within 7 days, and until then the policy stays as it is."
        } else {
            "You alone govern, so it goes through at once. From two administrators or security leads on, another one confirms it."
        };
        let how = list(&p.weaker);
        view! { <Notice tone=Tone::Warn title="It is weaker">{how}<p>{next}</p></Notice> }
    });
    let changes = list(&p.changes);
    view! {
        <section class="section" id="preview" aria-label="What it does">
            <Notice tone=Tone::Note title="What changes">{changes}</Notice>
            <Notice tone=Tone::Note title="What that does to the agents there are">{touched}</Notice>
            {weaker}
        </section>
    }
    .piece()
}

/// What a change does to the agents there are, each number a link to them.
pub(super) fn touched(effect: &Effect, behind: bool) -> Piece {
    let mut lines: Vec<Piece> = Vec::new();
    for d in &effect.duties {
        let needs = article(d.duty);
        if d.more > 0 {
            let href = inventory(d.after, d.before, "");
            let approved = if d.more_approved > 0 {
                format!(", {} of them approved already", thousands(d.more_approved))
            } else {
                String::new()
            };
            let more =
                if d.more == 1 { "1 more agent".to_owned() } else { format!("{} more agents", thousands(d.more)) };
            lines.push(view! { <li><a href=href>{more}</a>{format!(" would need {needs}{approved}.")}</li> }.piece());
        }
        if d.fewer > 0 {
            let href = inventory(d.before, d.after, "");
            lines.push(
                view! { <li><a href=href>{agents(d.fewer)}</a>{format!(" would not need {needs} any more.")}</li> }
                    .piece(),
            );
        }
        if d.more == 0 && d.fewer == 0 {
            let title = d.duty.owner_title();
            lines.push(view! { <li>{format!("{title}: no agent there is now is touched.")}</li> }.piece());
        }
    }
    for t in &effect.tiers {
        let href = format!("/agents?tier={}&condition=always", t.tier);
        let words = format!(" of {} tier. {}", t.tier.label().to_lowercase(), t.changes.join(" "));
        lines.push(view! { <li><a href=href>{agents(t.agents)}</a>{words}</li> }.piece());
    }
    let due = (effect.due > 0).then(|| {
        let verb = if effect.due == 1 { "is" } else { "are" };
        view! { <p>{format!("{} that hold an approval {verb} asked a step more: the approval falls due again.", agents(effect.due))}</p> }
    });
    let behind = behind.then(|| {
        view! { <p class="small muted">"Muster is still assessing agents after an update; the numbers lack those. Look again in a few minutes."</p> }
    });
    let none = lines.is_empty();
    let what = if none {
        view! { <p>"No agent there is now is touched."</p> }.piece()
    } else {
        view! { <ul class="notes">{lines.into_iter().collect_view()}</ul> }.piece()
    };
    view! { {what}{due}{behind} }.piece()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_agents_that_are_touched_have_an_address() {
        assert_eq!(inventory(When::Regulated, When::Never, ""), "/agents?condition=regulated");
        assert_eq!(inventory(When::Always, When::Tools, ""), "/agents?without_condition=tools");
        assert_eq!(inventory(When::Always, When::Never, ""), "/agents?condition=always");
        assert_eq!(
            inventory(When::Tools, When::Production, ""),
            "/agents?condition=tools&without_condition=production"
        );
    }

    #[test]
    fn a_form_says_what_its_policy_says() {
        let form = PolicyForm::of(&Policy::default(), 4);
        assert_eq!(form.get("when-regulatory"), "regulated");
        assert_eq!((form.get("last-regulatory"), form.get("last-purpose")), ("yes", ""));
        assert_eq!((form.get("review_days-critical"), form.get("version")), ("30", "4"));
        let again = PolicyForm::read(&[("a".into(), "first".into()), ("a".into(), "second".into())]);
        assert_eq!(again.get("a"), "first", "a field sent twice counts once");
    }
}
