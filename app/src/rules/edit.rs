//! The form of a rule: which agents, which duty, whom to ask; previewed, then kept.

use domain::agent::{AgentKind, Environment, Hosting};
use domain::duty::Duty;
use domain::id::RuleId;
use domain::rule::AtImport;
use domain::tier::Tier;
use leptos::prelude::*;

use super::{Foreseen, foreseen};
use crate::agents::choices;
use crate::components::{
    Button, Choice, Crumb, Crumbs, DidYouMean, ErrorSummary, Field, FieldGroup, Fit, IntoPiece, Kind, LinkButton,
    PageHead, Piece, PostForm, RadioGroup, Refused, Select, Suggestions, TextArea,
};

/// As typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleForm {
    /// What it is called.
    pub name: String,
    /// Which business unit.
    pub business_unit: String,
    /// Deployed where.
    pub environment: String,
    /// Of which tier.
    pub tier: String,
    /// Of which kind.
    pub kind: String,
    /// Hosted how.
    pub hosting: String,
    /// By which vendor.
    pub vendor: String,
    /// Operated by which team: a reference.
    pub operated_by: String,
    /// Of which system: a reference.
    pub system: String,
    /// Known to which source.
    pub source: String,
    /// Labelled how: `name` or `name=value`.
    pub label: String,
    /// `yes`, `no` or nothing.
    pub runs: String,
    /// Which duty.
    pub duty: String,
    /// Whom to ask.
    pub party: String,
    /// `offer` or `record`.
    pub at_import: String,
    /// Why.
    pub reason: String,
    /// The version that was read.
    pub version: String,
}

impl RuleForm {
    /// Its fields by the names they are sent as.
    pub fn pairs(&self) -> [(&'static str, &str); 17] {
        [
            ("name", &self.name),
            ("business_unit", &self.business_unit),
            ("environment", &self.environment),
            ("tier", &self.tier),
            ("kind", &self.kind),
            ("hosting", &self.hosting),
            ("vendor", &self.vendor),
            ("operated_by", &self.operated_by),
            ("system", &self.system),
            ("source", &self.source),
            ("label", &self.label),
            ("runs", &self.runs),
            ("duty", &self.duty),
            ("party", &self.party),
            ("at_import", &self.at_import),
            ("reason", &self.reason),
            ("version", &self.version),
        ]
    }

    /// Of what was sent.
    pub fn read<'a>(get: impl Fn(&str) -> &'a str) -> Self {
        let get = |name: &str| get(name).to_owned();
        Self {
            name: get("name"),
            business_unit: get("business_unit"),
            environment: get("environment"),
            tier: get("tier"),
            kind: get("kind"),
            hosting: get("hosting"),
            vendor: get("vendor"),
            operated_by: get("operated_by"),
            system: get("system"),
            source: get("source"),
            label: get("label"),
            runs: get("runs"),
            duty: get("duty"),
            party: get("party"),
            at_import: get("at_import"),
            reason: get("reason"),
            version: get("version"),
        }
    }
}

/// What the form is given.
#[derive(Debug, Clone)]
pub struct Editor {
    /// The rule, when it is kept already.
    pub rule: Option<(RuleId, String)>,
    /// As typed.
    pub form: Refused<RuleForm>,
    /// People and teams to suggest.
    pub suggested: Vec<Fit>,
    /// Business units that agents have.
    pub units: Vec<String>,
    /// Teams.
    pub teams: Vec<Choice>,
    /// Systems.
    pub systems: Vec<Choice>,
    /// What it would do now, once it was asked; and who would be asked, by name.
    pub preview: Option<(Foreseen, Duty, String)>,
}

/// The page at `/rules/new` and `/rules/SR-1/edit`; goes inside `Layout`.
#[component]
pub fn EditRule(
    /// What it shows.
    editor: Editor,
) -> impl IntoView {
    let mut trail = vec![Crumb::new("Standing rules", "/rules")];
    let (title, back) = if let Some((id, name)) = &editor.rule {
        trail.push(Crumb::new(id.to_string(), format!("/rules/{id}")));
        trail.push(Crumb::here("Edit"));
        (format!("Edit {name}"), format!("/rules/{id}"))
    } else {
        trail.push(Crumb::here("New"));
        ("Make a rule".to_owned(), "/rules".to_owned())
    };
    let body = match &editor.preview {
        Some(_) => kept(editor.clone(), back),
        None => asked(editor.clone(), back),
    };
    view! {
        <Crumbs trail=trail/>
        <PageHead title=title lead="You see what it would do before it is kept. It acts when it is run, and at imports."/>
        {body}
    }
    .piece()
}

/// What it would do, and the press that keeps it.
fn kept(editor: Editor, back: String) -> Piece {
    let values = editor.form.values.clone();
    let errors = editor.form.errors.clone();
    let seen = editor.preview.as_ref().map(|(seen, duty, party)| foreseen(seen, *duty, party));
    let fields = values
        .pairs()
        .into_iter()
        .map(|(name, value)| view! { <input type="hidden" name=name value=value.to_owned()/> })
        .collect_view();
    view! {
        {seen}
        <p class="small muted">"Keeping the rule asks nobody yet. Run it on its page, or let the next import ask it."</p>
        <PostForm>
            <ErrorSummary errors=errors/>
            {fields}
            <div class="actions">
                <Button kind=Kind::Primary name="do" value="keep">"Keep the rule"</Button>
                <Button name="do" value="change">"Change"</Button>
                <LinkButton href=back kind=Kind::Quiet>"Cancel"</LinkButton>
            </div>
        </PostForm>
    }
    .piece()
}

fn asked(editor: Editor, back: String) -> Piece {
    let Refused { values, errors } = editor.form.clone();
    let duties = Duty::ALL
        .iter()
        .map(|d| Choice::new(d.key(), format!("{}: {}", d.owner_title(), d.answers_for())))
        .collect::<Vec<_>>();
    let suggested = editor.suggested.iter().map(|f| Choice::new(f.written(), f.note.clone())).collect::<Vec<_>>();
    let which = condition(editor.clone());
    let at_import =
        if values.at_import.is_empty() { AtImport::Offer.key().to_owned() } else { values.at_import.clone() };
    view! {
        <PostForm>
            <ErrorSummary errors=errors.clone()/>
            <input type="hidden" name="version" value=values.version.clone()/>
            <button class="visually-hidden" tabindex="-1" aria-hidden="true" name="do" value="preview">"Preview"</button>
            <Field name="name" label="Name" value=values.name error=errors.of("name") required=true maxlength=200 autocomplete="off"
                hint="What it says, in a few words: whoever is asked reads it."/>
            <Select name="duty" label="Where nobody is" options=duties selected=values.duty blank="Choose a duty" error=errors.of("duty") required=true/>
            <Field name="party" label="Ask" value=values.party error=errors.of("party") required=true list="parties" autocomplete="off"
                hint="A person or a team: a whole name, an e-mail address, or a reference such as TE-2."/>
            <Suggestions id="parties" values=suggested/>
            <DidYouMean field="party" errors=errors.clone()/>
            {which}
            <RadioGroup name="at_import" legend="At imports" required=true selected=at_import error=errors.of("at_import") options=vec![
                Choice::new(AtImport::Offer.key(), AtImport::Offer.label()).hint("They own it once they accept."),
                Choice::new(AtImport::Record.key(), AtImport::Record.label()).hint("Only where a security lead imports and says that owners hold their duties already; else it is an offer."),
            ]/>
            <TextArea name="reason" label="Reason" value=values.reason error=errors.of("reason") rows=2 hint="Why there is this rule. Kept in the record."/>
            <div class="actions">
                <Button kind=Kind::Primary name="do" value="preview">"See what it would do"</Button>
                <LinkButton href=back kind=Kind::Quiet>"Cancel"</LinkButton>
            </div>
        </PostForm>
    }
    .piece()
}

/// The condition's fields.
fn condition(editor: Editor) -> Piece {
    let Refused { values, errors } = editor.form;
    let units = editor.units.iter().map(|u| Choice::new(u.clone(), "")).collect::<Vec<_>>();
    let (teams, systems) = (editor.teams, editor.systems);
    let runs = vec![Choice::new("yes", "Runs, or may"), Choice::new("no", "Does not run")];
    view! {
        <FieldGroup legend="Which agents" hint=move || view! { "Everything that is said narrows. Left empty, it is about every agent." }>
                <Field name="business_unit" label="Business unit" value=values.business_unit.clone() error=errors.of("business_unit") list="units" autocomplete="off"/>
                <Suggestions id="units" values=units.clone()/>
                        <Select name="environment" label="Environment" options=choices!(Environment) selected=values.environment.clone() blank="Any" error=errors.of("environment")/>
                    <Select name="tier" label="Tier" options=choices!(Tier) selected=values.tier.clone() blank="Any" error=errors.of("tier")/>
                    <Select name="kind" label="Kind" options=choices!(AgentKind) selected=values.kind.clone() blank="Any" error=errors.of("kind")/>
                    <Select name="runs" label="Running" options=runs selected=values.runs.clone() blank="Either" error=errors.of("runs")/>
                    <Select name="hosting" label="Hosting" options=choices!(Hosting) selected=values.hosting.clone() blank="Any" error=errors.of("hosting")/>
                    <Field name="vendor" label="Vendor" value=values.vendor.clone() error=errors.of("vendor") autocomplete="off"/>
                    <Select name="operated_by" label="Operated by" options=teams.clone() selected=values.operated_by.clone() blank="Any team" error=errors.of("operated_by")/>
                    <Select name="system" label="System" options=systems.clone() selected=values.system.clone() blank="Any" error=errors.of("system")/>
                    <Field name="source" label="Known to source" value=values.source.clone() error=errors.of("source") autocomplete="off" hint="As external ids name it, for instance cmdb."/>
                    <Field name="label" label="Label" value=values.label.clone() error=errors.of("label") autocomplete="off" hint="A name, or name=value."/>
            </FieldGroup>
    }
    .piece()
}
