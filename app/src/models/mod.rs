//! Operating models: choosing one, choosing who fills its functions, and what it would do.

pub mod preview;

use domain::agent::AgentFacts;
use domain::duty::Duty;
use domain::id::AgentId;
use domain::model::{Model, Slot as Function};
use leptos::prelude::*;

use crate::agents::{Picked, agents, carried};
use crate::components::{
    Address, Button, Choice, Crumb, Crumbs, DidYouMean, ErrorSummary, Field, FieldErrors, FieldGroup, Fit, IntoPiece,
    Kind, LinkButton, PageHead, Piece, PostForm, RadioGroup, Refused, Suggestions, TextArea, thousands,
};

pub use preview::{Act, Cell, Matrix, Preview, Row, Tally, What};

/// The field of a function, as it is sent.
pub const fn field(slot: Function) -> &'static str {
    match slot {
        Function::Business => "slot-business",
        Function::Team => "slot-team",
        Function::Platform => "slot-platform",
        Function::Identity => "slot-identity",
        Function::Api => "slot-api",
        Function::Security => "slot-security",
        Function::Incident => "slot-incident",
        Function::VendorManager => "slot-vendor-manager",
        Function::Legal => "slot-legal",
    }
}

/// As typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ModelForm {
    /// Who fills each function.
    pub slots: Vec<(Function, String)>,
    /// `keep` or `replace`.
    pub present: String,
    /// Why.
    pub reason: String,
    /// Why control points lie in one hand.
    pub justification: String,
    /// Until when: `2027-11-21`.
    pub until: String,
    /// Where one came from.
    pub next: String,
}

impl ModelForm {
    fn of(&self, slot: Function) -> String {
        self.slots.iter().find(|(s, _)| *s == slot).map(|(_, typed)| typed.clone()).unwrap_or_default()
    }
}

/// The page.
#[derive(Debug, Clone)]
pub struct Apply {
    /// Which agents.
    pub picked: Picked,
    /// How many that is.
    pub count: u64,
    /// The first of them.
    pub first: Vec<(AgentId, String)>,
    /// The one agent's facts, when it is one.
    pub facts: Option<AgentFacts>,
    /// The team that operates it, by name, when it is one and has one.
    pub operated_by: Option<String>,
    /// The model, once it is chosen.
    pub model: Option<Model>,
    /// The form.
    pub form: Refused<ModelForm>,
    /// People and teams to suggest.
    pub suggested: Vec<Fit>,
    /// The reader may let control points lie in one hand.
    pub may_justify: bool,
    /// The last day on which a justification may end.
    pub last_day: String,
    /// What it would do, once it was asked.
    pub preview: Option<Preview>,
}

impl Apply {
    fn back(&self) -> String {
        if self.form.values.next.is_empty() { "/agents".to_owned() } else { self.form.values.next.clone() }
    }

    /// This page with the same agents, without a model.
    fn again(&self) -> String {
        let here = match &self.picked {
            Picked::Matching(query) => {
                let here = query.pairs().iter().fold(Address::new("/agents/model"), |here, (k, v)| here.and(k, v));
                here.with("all", "yes")
            }
            Picked::These(ids) => {
                ids.iter().fold(Address::new("/agents/model"), |here, id| here.and("id", &id.to_string()))
            }
        };
        here.with("next", &self.back()).href()
    }

    /// The duties in question: those that the one agent needs, or all.
    fn duties(&self) -> Vec<Duty> {
        match &self.facts {
            Some(facts) => Duty::all_required(facts).collect(),
            None => Duty::ALL.to_vec(),
        }
    }
}

/// The page at `/agents/model`; goes inside `Layout`.
#[component]
pub fn ApplyPage(
    /// What it shows.
    apply: Apply,
) -> impl IntoView {
    let one = match (apply.count, apply.first.first()) {
        (1, Some((id, name))) => Some((*id, name.clone())),
        _ => None,
    };
    let mut trail = vec![Crumb::new("Agents", "/agents")];
    if let Some((id, _)) = &one {
        trail.push(Crumb::new(id.to_string(), format!("/agents/{id}")));
        trail.push(Crumb::new("RACI matrix", format!("/agents/{id}/raci")));
    }
    trail.push(Crumb::here("Operating model"));
    let (title, reference) = match &one {
        Some((id, name)) => (format!("Apply a model: {name}"), id.to_string()),
        None => (format!("Apply a model to {}", agents(apply.count)), String::new()),
    };
    let body = match (apply.model, &apply.preview) {
        (None, _) => choose(&apply),
        (Some(model), None) => functions(apply.clone(), model),
        (Some(model), Some(preview)) => confirm(apply.clone(), model, preview.clone()),
    };
    let aside = one.is_none().then(|| {
        let named = apply
            .first
            .iter()
            .map(|(id, name)| view! { <li><a href=format!("/agents/{id}") dir="auto">{name.clone()}</a> " " <span class="ref muted">{id.to_string()}</span></li> })
            .collect_view();
        let more = apply.count.saturating_sub(apply.first.len() as u64);
        let more = (more > 0).then(|| view! { <li class="muted">{format!("and {} more", thousands(more))}</li> });
        view! {
            <aside class="panel" aria-labelledby="picked-title">
                <h2 id="picked-title">{agents(apply.count)}</h2>
                <ul class="plain-list picked-list">{named}{more}</ul>
            </aside>
        }
    });
    let head = view! {
        <Crumbs trail=trail/>
        <PageHead title=title reference=reference
            lead="A model says which function holds which duty. It fills the matrix: each new owner is asked first, and R, C and I hold at once."/>
    };
    match aside {
        Some(aside) if apply.preview.is_none() => {
            view! { {head}<div class="with-aside"><div>{body}</div>{aside}</div> }.piece()
        }
        _ => view! { {head}{body} }.piece(),
    }
}

/// Which model.
fn choose(apply: &Apply) -> Piece {
    let options = Model::ALL
        .iter()
        .filter(|m| apply.may_justify || !m.needs_justification())
        .map(|m| Choice::new(m.key(), m.label()).hint(m.fits()))
        .collect::<Vec<_>>();
    // Nothing is decided yet: the choice is an address, which can be gone back to.
    view! {
        <form method="get" action="/agents/model" class="form">
            {carried_in_address(&apply.picked)}
            <input type="hidden" name="next" value=apply.form.values.next.clone()/>
            <RadioGroup name="model" legend="Model" options=options selected="" error=apply.form.errors.of("model") required=true/>
            <div class="actions">
                <Button kind=Kind::Primary>"Next: who fills it"</Button>
                <LinkButton href=apply.back() kind=Kind::Quiet>"Cancel"</LinkButton>
            </div>
        </form>
    }
    .piece()
}

/// The agents as an address names them.
fn carried_in_address(picked: &Picked) -> Piece {
    match picked {
        Picked::These(_) => carried(picked),
        Picked::Matching(query) => {
            let pairs = query
                .pairs()
                .iter()
                .map(|(k, v)| view! { <input type="hidden" name=k.clone() value=v.clone()/> })
                .collect_view();
            view! { {pairs}<input type="hidden" name="all" value="yes"/> }.piece()
        }
    }
}

/// What a function would answer for, of these duties.
fn answers(model: Model, slot: Function, duties: &[Duty]) -> String {
    let owned: Vec<String> =
        model.accountable(slot).into_iter().filter(|d| duties.contains(d)).map(|d| d.label().to_lowercase()).collect();
    if owned.is_empty() {
        "Answers for nothing here; does work, is asked or told.".to_owned()
    } else {
        format!("Answers for {}.", owned.join(", "))
    }
}

/// Who fills each function.
fn functions(apply: Apply, model: Model) -> Piece {
    let errors: FieldErrors = apply.form.errors.clone();
    let values = apply.form.values.clone();
    let duties = apply.duties();
    let fields = model
        .slots(&duties)
        .into_iter()
        .map(|slot| {
            let name = field(slot);
            let mut hint = answers(model, slot, &duties);
            if slot == Function::Team {
                hint.push_str(&match &apply.operated_by {
                    Some(team) => format!(" Left empty: {team}, who operates it."),
                    None if apply.facts.is_some() => String::new(),
                    None => " Left empty: of each agent, the team that operates it.".to_owned(),
                });
            }
            view! {
                <Field name=name label=slot.label() value=values.of(slot) error=errors.of(name) list="parties" autocomplete="off" hint=hint/>
                <DidYouMean field=name errors=errors.clone()/>
            }
            .piece()
        })
        .collect_view();
    let suggested = apply.suggested.iter().map(|f| Choice::new(f.written(), f.note.clone())).collect::<Vec<_>>();
    let (words, until) = (values.justification.clone(), values.until.clone());
    let (words_error, until_error) = (errors.of("justification"), errors.of("until"));
    let last_day = apply.last_day.clone();
    let justification = model.needs_justification().then(move || {
        view! {
            <FieldGroup legend="Several control points in one hand">
                <TextArea name="justification" label="Why, and what will change it" value=words error=words_error rows=3 required=true
                    hint="Shown on the agent’s matrix until it ends."/>
                <Field name="until" label="Until" kind="date" value=until error=until_error max=last_day required=true short=true
                    hint="At most twelve months from today. After that it is a finding."/>
            </FieldGroup>
        }
    });
    let present = if values.present.is_empty() { "keep".to_owned() } else { values.present.clone() };
    view! {
        <PostForm action="/agents/model">
            <ErrorSummary errors=errors.clone()/>
            {carried(&apply.picked)}
            <input type="hidden" name="model" value=model.key()/>
            <input type="hidden" name="next" value=values.next.clone()/>
            // Enter in a field previews; it must not choose one of those who fit
            <button class="visually-hidden" tabindex="-1" aria-hidden="true" name="do" value="preview">"Preview"</button>
            <p><strong>{model.label()}</strong>". "{model.fits()} " " <a href=apply.again()>"Choose another model"</a></p>
            <fieldset>
                <legend class="legend-title">"Who fills each function"</legend>
                <p class="small muted">"A person or a team: a whole name, an e-mail address, or a reference. Left empty, the duties of the function stay as they are."</p>
                <div class="stack">{fields}</div>
                <Suggestions id="parties" values=suggested/>
            </fieldset>
            {justification}
            <RadioGroup name="present" legend="Where somebody holds a duty, or is asked" required=true selected=present error=errors.of("present") options=vec![
                Choice::new("keep", "Leave it as it is").hint("Only what is empty is filled. An owner who is gone counts as empty."),
                Choice::new("replace", "Make it what the model says").hint("The duty is offered to the model’s party; the present owner stays until they accept. Other letters of the row end."),
            ]/>
            <TextArea name="reason" label="Reason" value=values.reason.clone() error=errors.of("reason") rows=2 required=true hint="They read it with the offer. Kept in the record."/>
            <div class="actions">
                <Button kind=Kind::Primary name="do" value="preview">"Preview"</Button>
                <LinkButton href=apply.back() kind=Kind::Quiet>"Cancel"</LinkButton>
            </div>
        </PostForm>
    }
    .piece()
}

/// What it would do, and the press that does it.
fn confirm(apply: Apply, model: Model, preview: Preview) -> Piece {
    let values = apply.form.values.clone();
    let slots = values
        .slots
        .iter()
        .map(|(slot, typed)| view! { <input type="hidden" name=field(*slot) value=typed.clone()/> })
        .collect_view();
    let words = match (preview.changes, apply.count) {
        (_, 1) => "Yes, apply it".to_owned(),
        (n, _) => format!("Yes, apply it to {}", agents(n)),
    };
    view! {
        {preview::shown(&preview, model)}
        <PostForm action="/agents/model">
            <ErrorSummary errors=apply.form.errors.clone()/>
            {carried(&apply.picked)}
            <input type="hidden" name="model" value=model.key()/>
            <input type="hidden" name="next" value=values.next.clone()/>
            {slots}
            <input type="hidden" name="present" value=values.present.clone()/>
            <input type="hidden" name="reason" value=values.reason.clone()/>
            <input type="hidden" name="justification" value=values.justification.clone()/>
            <input type="hidden" name="until" value=values.until.clone()/>
            <input type="hidden" name="seen" value=preview.digest.clone()/>
            {(!values.reason.is_empty()).then(|| view! { <p class="small muted" dir="auto">{format!("“{}”", values.reason)}</p> })}
            <div class="actions">
                {(preview.changes > 0).then(|| view! { <Button kind=Kind::Primary name="do" value="confirm">{words}</Button> })}
                <Button name="do" value="change">"Change"</Button>
                <LinkButton href=apply.back() kind=Kind::Quiet>"Cancel"</LinkButton>
            </div>
        </PostForm>
    }
    .piece()
}
