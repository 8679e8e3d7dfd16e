//! One form to register an agent and to edit it.

use domain::agent::{
    Access, AgentKind, Autonomy, CredentialKind, DataClass, Environment, Exposure, Hosting, Running, Sensitivity,
    ToolKind,
};
use domain::tier;
use leptos::prelude::*;

use super::form::{AgentForm, CredentialForm, ToolForm};
use super::{Points, choices};
use crate::components::{
    Button, Checkbox, Choice, Crumb, Crumbs, ErrorSummary, Field, FieldErrors, FieldGroup, Glyph, Icon, IntoPiece,
    Kind, LinkButton, Notice, PageHead, Piece, PostForm, RadioGroup, Refused, Section, Select, Suggestions, TableFrame,
    TextArea, Tier, Tone,
};
use crate::islands::{TierPreview, points_words};

const FORM: &str = "agent-form";

/// Somebody else was quicker.
#[derive(Debug, Clone)]
pub struct Conflict {
    /// What it is about, a sentence.
    pub sentence: String,
    /// Field, what is stored now, what was typed.
    pub differences: Vec<(&'static str, String, String)>,
}

/// What the form's page shows.
#[derive(Debug, Clone, Default)]
pub struct AgentEditor {
    /// Reference and name of the agent; `None` for a new one.
    pub agent: Option<(String, String)>,
    /// As typed, with what is wrong.
    pub form: Refused<AgentForm>,
    /// Teams to choose from.
    pub teams: Vec<Choice>,
    /// Multi-agent systems to choose from.
    pub systems: Vec<Choice>,
    /// Shared platforms to choose from.
    pub platforms: Vec<Choice>,
    /// Vendors, tools and credentials already known, to suggest.
    pub known: Known,
    /// The part that more rows were asked for: `tools` or `credentials`.
    pub more: String,
    /// Somebody else was quicker.
    pub conflict: Option<Conflict>,
    /// The boundary was approved and is not edited in place: says so above the form.
    pub approved: bool,
    /// Asks for another boundary instead of writing it.
    pub scope: Option<Scope>,
}

/// What a change of scope takes, beside the facts.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    /// Where the facts in the form come from, when not from the record.
    pub seen: Option<String>,
    /// Who would decide, once that was asked.
    pub steps: Vec<crate::requests::Step>,
    /// What stands in the way.
    pub blocked: Vec<String>,
    /// Who reviews what tools of high sensitivity do, as typed.
    pub reviewer: String,
    /// The clock of this page.
    pub now: chrono::DateTime<chrono::Utc>,
}

/// Names of shared records, to suggest while one types.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// Business units.
    pub units: Vec<String>,
    /// Vendors.
    pub vendors: Vec<String>,
    /// Tools.
    pub tools: Vec<String>,
    /// Credentials.
    pub credentials: Vec<String>,
}

fn suggestions(names: Vec<String>) -> Vec<Choice> {
    names.into_iter().map(|name| Choice::new(name, "")).collect()
}

/// The page of the form; goes inside `Layout`.
#[component]
pub fn Editor(
    /// What it shows.
    editor: AgentEditor,
) -> impl IntoView {
    let AgentEditor { agent, form, teams, systems, platforms, known, more, conflict, approved, scope } = editor;
    let Refused { values, errors } = form;
    let score = tier::score(&values.facts_so_far().0);
    // What gives points is the boundary: where that stays, so does the tier.
    let tier = if approved {
        view! {
            <p class="row"><Tier tier=score.tier.key()/> <span class="muted">{points_words(score.points)}</span></p>
            <Points because=score.because/>
        }
        .piece()
    } else {
        view! { <TierPreview form=FORM.to_owned() start=score/> }.piece()
    };
    let (title, back, save) = match &agent {
        None => ("Register an agent".to_owned(), "/agents".to_owned(), "Register"),
        Some((reference, name)) if scope.is_some() => {
            (format!("Change of scope: {name}"), format!("/agents/{reference}"), "See who decides")
        }
        Some((reference, name)) => (format!("Edit {name}"), format!("/agents/{reference}"), "Save"),
    };
    let changes_scope = scope.is_some();
    let press = if changes_scope { "preview" } else { "save" };
    let editing = agent.is_some();
    let trail = match agent {
        None => vec![Crumb::new("Agents", "/agents"), Crumb::here("Register")],
        Some((reference, _)) => {
            vec![
                Crumb::new("Agents", "/agents"),
                Crumb::new(reference, back.clone()),
                Crumb::here(if changes_scope { "Change of scope" } else { "Edit" }),
            ]
        }
    };
    let lead = if changes_scope {
        "What was approved stays until the change is. Only the boundary is asked for: the other facts are edited in place."
    } else if editing {
        ""
    } else {
        "Only the name is needed now. What is not stated counts as unknown, and unknown is not taken for harmless."
    };
    view! {
        <Crumbs trail=trail/>
        <PageHead title=title lead=lead/>
        {conflict.map(conflicting)}
        {approved.then(|| view! {
            <Notice tone=Tone::Note title="Its boundary is approved">
                <p>"Purpose, tools, data, autonomy, exposure, environment, hosting, models, identity and credentials were approved as they are: they are shown, and not changed here. Name, unit, teams, labels and the like may be."</p>
            </Notice>
        })}
        <div class="with-aside editor">
            <PostForm id=FORM wide=true>
                <ErrorSummary errors=errors.clone()/>
                <input type="hidden" name="version" value=values.version.clone()/>
                // Enter in a field saves; it must not press one of the buttons that only add rows
                <button class="visually-hidden" tabindex="-1" aria-hidden="true" name="do" value=press>{save}</button>
                <What form=values.clone() errors=errors.clone() known=known.clone() locked=approved/>
                <Where form=values.clone() errors=errors.clone() teams=teams systems=systems platforms=platforms vendors=known.vendors locked=approved/>
                <Reach form=values.clone() errors=errors.clone() locked=approved/>
                <Tools tools=values.tools.clone() errors=errors.clone() known=known.tools more=more == "tools" locked=approved/>
                <Credentials credentials=values.credentials.clone() errors=errors.clone() known=known.credentials more=more == "credentials" locked=approved/>
                {scope.map(|scope| scope_part(scope, &errors))}
                {editing.then(|| view! {
                    <Section title="Why" id="why">
                        <TextArea name="reason" label="Reason for the change" value=values.reason.clone() error=errors.of("reason") hint="Kept in the record beside what changed." rows=2/>
                    </Section>
                })}
                <div class="actions">
                    <Button kind=Kind::Primary name="do" value=press>{save}</Button>
                    {changes_scope.then(|| view! { <Button name="do" value="ask">"Ask for the change"</Button> })}
                    <LinkButton href=back kind=Kind::Quiet>"Cancel"</LinkButton>
                </div>
            </PostForm>
            <aside class="panel sticky" aria-labelledby="tier-title">
                <h2 id="tier-title">"Risk tier"</h2>
                {tier}
                <p class="small muted">"Computed from the facts beside. " <a href="/help/tiers">"The formula"</a></p>
            </aside>
        </div>
    }
    .piece()
}

/// Who would decide, what stands in the way, and who reviews.
fn scope_part(scope: Scope, errors: &FieldErrors) -> impl IntoView + use<> {
    let seen = scope.seen.map(|source| view! {
        <Notice tone=Tone::Note title="As it was seen"><p>"The form holds what " <bdi>{source}</bdi> " saw. Ask for it as it is, or for less."</p></Notice>
    });
    let blocked = (!scope.blocked.is_empty()).then(|| {
        let list = scope.blocked.into_iter().map(|b| view! { <li>{b}</li> }).collect_view();
        view! { <Notice tone=Tone::Bad title="It cannot be asked for yet"><ul>{list}</ul></Notice> }
    });
    let now = scope.now;
    let steps = (!scope.steps.is_empty()).then(|| view! {
        <Section title="Who decides this change" id="steps"><crate::requests::StepsTable steps=scope.steps now=now/></Section>
    });
    let error = errors.of("reviewer");
    view! {
        {seen}
        {blocked}
        {steps}
        <Field name="reviewer" label="Human reviewer" value=scope.reviewer error=error hint="Needed for a tool of high sensitivity: who looks at what it does with it? A name, an e-mail address or a reference."/>
    }
    .piece()
}

fn conflicting(conflict: Conflict) -> impl IntoView {
    let rows = conflict
        .differences
        .into_iter()
        .map(|(label, stored, typed)| {
            view! {
                <tr>
                    <th scope="row">{label}</th>
                    <td class="text keep" data-label="Recorded now">{stored}</td>
                    <td class="text keep" data-label="You typed">{typed}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <Notice tone=Tone::Bad title="Somebody else changed it first">
            <p>{conflict.sentence}</p>
            <p>"Nothing is lost: your text is still in the form. Where both differ is below. Saving again writes what the form says."</p>
        </Notice>
        <TableFrame label="Where the record and your text differ" stacks=true compact=true>
            <thead><tr><th scope="col">"Field"</th><th scope="col">"Recorded now"</th><th scope="col">"You typed"</th></tr></thead>
            <tbody>{rows}</tbody>
        </TableFrame>
    }
    .piece()
}

/// Copies of what the form says, for parts that are closures of their own.
fn readers(
    form: AgentForm,
    errors: FieldErrors,
) -> (impl Fn(fn(&AgentForm) -> &String) -> String + Copy + use<>, impl Fn(&'static str) -> Option<String> + Copy + use<>)
{
    let (form, errors) = (StoredValue::new(form), StoredValue::new(errors));
    (
        move |field: fn(&AgentForm) -> &String| form.with_value(|form| field(form).clone()),
        move |field| errors.with_value(|errors| errors.of(field)),
    )
}

/// What stands by a field: why it is not changed, where its boundary is approved.
fn or_approved(locked: bool, hint: &'static str) -> &'static str {
    if locked { "Part of the approved boundary." } else { hint }
}

#[component]
fn What(form: AgentForm, errors: FieldErrors, known: Known, locked: bool) -> impl IntoView {
    let (v, e) = readers(form, errors);
    view! {
        <Section title="What it is" id="what">
            <Field name="name" label="Name" value=v(|f| &f.name) error=e("name") required=true maxlength=200 autocomplete="off"/>
            <TextArea name="purpose" label="Purpose" value=v(|f| &f.purpose) error=e("purpose") rows=3 readonly=locked
                hint=or_approved(locked, "What it is for, and where its task ends. Approvals are given for this text.")/>
            <FieldGroup>
                <Select name="kind" label="Kind" options=choices!(AgentKind) selected=v(|f| &f.kind) error=e("kind") required=true/>
                <Field name="business_unit" label="Business unit" value=v(|f| &f.business_unit) error=e("business_unit") list="known-units"/>
            </FieldGroup>
            <Suggestions id="known-units" values=suggestions(known.units)/>
            <FieldGroup>
                <TextArea name="labels" label="Labels" value=v(|f| &f.labels) error=e("labels") hint="One a line: key=value" rows=3/>
                <TextArea name="external_ids" label="Ids elsewhere" value=v(|f| &f.external_ids) error=e("external_ids") hint="One a line: source=id, such as cmdb=CI-1042" rows=3/>
            </FieldGroup>
            <Checkbox name="confidential" label="Confidential" checked=!v(|f| &f.confidential).is_empty() error=e("confidential")
                hint="Only its owners, security, risk and auditors know that it exists."/>
        </Section>
    }
    .piece()
}

#[component]
fn Where(
    form: AgentForm,
    errors: FieldErrors,
    teams: Vec<Choice>,
    systems: Vec<Choice>,
    platforms: Vec<Choice>,
    vendors: Vec<String>,
    locked: bool,
) -> impl IntoView {
    let (v, e) = readers(form, errors);
    let operators = teams.clone();
    view! {
        <Section title="Where it runs, and whose it is" id="where">
            <RadioGroup name="running" legend="Does it run now?" options=choices!(Running) selected=v(|f| &f.running) error=e("running") required=true/>
            <FieldGroup>
                <Select name="environment" label="Environment" options=choices!(Environment) selected=v(|f| &f.environment) error=e("environment") required=true disabled=locked hint=or_approved(locked, "")/>
                <Select name="hosting" label="Hosting" options=choices!(Hosting) selected=v(|f| &f.hosting) error=e("hosting") required=true disabled=locked hint=or_approved(locked, "")/>
            </FieldGroup>
            <FieldGroup>
                <Field name="vendor" label="Vendor" value=v(|f| &f.vendor) error=e("vendor") readonly=locked hint=or_approved(locked, "When a vendor hosts it.") list="known-vendors"/>
                <Field name="contract" label="Contract" value=v(|f| &f.contract) error=e("contract") hint="Its reference."/>
            </FieldGroup>
            <Suggestions id="known-vendors" values=suggestions(vendors)/>
            <FieldGroup>
                <Select name="built_by" label="Built by" options=teams selected=v(|f| &f.built_by) blank="Not recorded" error=e("built_by")/>
                <Select name="operated_by" label="Operated by" options=operators selected=v(|f| &f.operated_by) blank="Not recorded" error=e("operated_by")/>
            </FieldGroup>
            <FieldGroup>
                <Select name="parent" label="Part of the system" options=systems selected=v(|f| &f.parent) blank="None" error=e("parent")/>
                <Select name="platform" label="Runs on the platform" options=platforms selected=v(|f| &f.platform) blank="None" error=e("platform")
                    hint="It inherits the platform’s owners of identity, requests and platform."/>
            </FieldGroup>
            <FieldGroup>
                <Field name="workload_identity" label="Workload identity" value=v(|f| &f.workload_identity) error=e("workload_identity") readonly=locked hint=or_approved(locked, "SPIFFE id, OIDC subject or cloud principal.")/>
                <TextArea name="models" label="Models" value=v(|f| &f.models) error=e("models") readonly=locked hint=or_approved(locked, "One a line.") rows=2/>
            </FieldGroup>
        </Section>
    }
    .piece()
}

#[component]
fn Reach(form: AgentForm, errors: FieldErrors, locked: bool) -> impl IntoView {
    let (v, e) = readers(form, errors);
    view! {
        <Section title="What it may do" id="reach">
            <FieldGroup>
                <Select name="autonomy" label="Autonomy" options=choices!(Autonomy) selected=v(|f| &f.autonomy) error=e("autonomy") required=true disabled=locked hint=or_approved(locked, "")/>
                <Select name="exposure" label="Who meets it" options=choices!(Exposure) selected=v(|f| &f.exposure) error=e("exposure") required=true disabled=locked hint=or_approved(locked, "")/>
                <Select name="data" label="Highest class of data" options=choices!(DataClass) selected=v(|f| &f.data) error=e("data") required=true disabled=locked hint=or_approved(locked, "")/>
            </FieldGroup>
            <Checkbox name="regulated" label="Regulated" checked=!v(|f| &f.regulated).is_empty() error=e("regulated") disabled=locked
                hint=or_approved(locked, "A law or a regulator has a say in what it does.")/>
        </Section>
    }
    .piece()
}

/// How many empty rows follow those that are filled; none where rows are not added.
fn blanks(filled: usize, more: bool, locked: bool) -> usize {
    match (locked, more, filled) {
        (true, ..) => 0,
        (_, true, _) => 5,
        (_, false, 0) => 2,
        (_, false, _) => 1,
    }
}

/// A cell of a repeated row: the label is the column's for the eye, its own for a screen reader.
fn text_cell(
    label: &'static str,
    row: usize,
    name: String,
    value: String,
    list: &'static str,
    errors: &FieldErrors,
    locked: bool,
) -> Piece {
    let error = errors.of(&name);
    let id = format!("field-{name}");
    let error_id = format!("{id}-error");
    view! {
        <td data-label=label>
            <input class="input" id=id name=name value=value list=(!list.is_empty()).then_some(list) autocomplete="off" readonly=locked
                aria-label=format!("{label}, row {}", row + 1)
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=error.is_some().then(|| error_id.clone())/>
            {error.map(|error| view! { <p class="error" id=error_id>{error}</p> })}
        </td>
    }
    .piece()
}

fn choice_cell(
    label: &'static str,
    row: usize,
    name: String,
    value: &str,
    options: Vec<Choice>,
    errors: &FieldErrors,
    locked: bool,
) -> Piece {
    let error = errors.of(&name);
    let id = format!("field-{name}");
    let error_id = format!("{id}-error");
    // a choice that is locked is not sent: its copy is, so that the row is whole
    let copy = locked.then(|| view! { <input type="hidden" name=name.clone() value=value.to_owned()/> });
    let options = options
        .into_iter()
        .map(|choice| {
            let chosen = choice.value == value;
            view! { <option value=choice.value selected=chosen>{choice.label}</option> }
        })
        .collect_view();
    view! {
        <td data-label=label>
            {copy}
            <select class="input" id=id name=name disabled=locked aria-label=format!("{label}, row {}", row + 1)
                aria-invalid=error.is_some().then_some("true")
                aria-describedby=error.is_some().then(|| error_id.clone())>
                {options}
            </select>
            {error.map(|error| view! { <p class="error" id=error_id>{error}</p> })}
        </td>
    }
    .piece()
}

#[component]
fn Tools(tools: Vec<ToolForm>, errors: FieldErrors, known: Vec<String>, more: bool, locked: bool) -> impl IntoView {
    let empty = ToolForm {
        kind: ToolKind::Other.key().to_owned(),
        sensitivity: Sensitivity::Medium.key().to_owned(),
        access: Access::Read.key().to_owned(),
        ..ToolForm::default()
    };
    let count = blanks(tools.len(), more, locked);
    let about = if locked {
        "Part of the approved boundary: which tools it has, and how it may use them."
    } else {
        "What it may use. A tool is a shared record: its kind and sensitivity are the same for every agent that uses it. Empty the name and the scope to remove a row."
    };
    let rows = tools
        .into_iter()
        .chain(std::iter::repeat_n(empty, count))
        .enumerate()
        .map(|(row, tool)| {
            let at = |field: &str| format!("tool-{row}-{field}");
            view! {
                <tr>
                    {text_cell("Tool", row, at("name"), tool.name, "known-tools", &errors, locked)}
                    {choice_cell("Kind", row, at("kind"), &tool.kind, choices!(ToolKind), &errors, locked)}
                    {choice_cell("Access", row, at("access"), &tool.access, choices!(Access), &errors, locked)}
                    {choice_cell("Sensitivity", row, at("sensitivity"), &tool.sensitivity, choices!(Sensitivity), &errors, locked)}
                    {text_cell("Scope", row, at("scope"), tool.scope, "", &errors, locked)}
                </tr>
            }
        })
        .collect_view();
    view! {
        <Section title="Tools" id="tools">
            <p class="small muted">{about}</p>
            <TableFrame label="Tools" stacks=true compact=true>
                <thead><tr><th scope="col">"Tool"</th><th scope="col">"Kind"</th><th scope="col">"Access"</th><th scope="col">"Sensitivity"</th><th scope="col">"Scope"</th></tr></thead>
                <tbody class="rows">{rows}</tbody>
            </TableFrame>
            <Suggestions id="known-tools" values=suggestions(known)/>
            {(!locked).then(|| view! { <div class="actions"><Button kind=Kind::Small name="do" value="more-tools"><Icon glyph=Glyph::Plus/>"More rows"</Button></div> })}
        </Section>
    }
    .piece()
}

#[component]
fn Credentials(
    credentials: Vec<CredentialForm>,
    errors: FieldErrors,
    known: Vec<String>,
    more: bool,
    locked: bool,
) -> impl IntoView {
    let empty = CredentialForm { kind: CredentialKind::ShortLived.key().to_owned(), ..CredentialForm::default() };
    let count = blanks(credentials.len(), more, locked);
    let about = if locked {
        "Which credentials it has is part of the approved boundary. Lifetime such as 15m, 8h or 90d, empty when it has no end; rotated as a date, 2026-11-21."
    } else {
        "What it signs in with: a name, never the secret itself. Lifetime such as 15m, 8h or 90d, empty when it has no end; rotated as a date, 2026-11-21."
    };
    let rows = credentials
        .into_iter()
        .chain(std::iter::repeat_n(empty, count))
        .enumerate()
        .map(|(row, c)| {
            let at = |field: &str| format!("credential-{row}-{field}");
            view! {
                <tr>
                    {text_cell("Credential", row, at("name"), c.name, "known-credentials", &errors, locked)}
                    {choice_cell("Kind", row, at("kind"), &c.kind, choices!(CredentialKind), &errors, locked)}
                    {text_cell("Lifetime", row, at("lifetime"), c.lifetime, "", &errors, false)}
                    {text_cell("Kept in", row, at("kept_in"), c.kept_in, "", &errors, false)}
                    {text_cell("Last rotated", row, at("last_rotated"), c.last_rotated, "", &errors, false)}
                </tr>
            }
        })
        .collect_view();
    view! {
        <Section title="Credentials" id="credentials">
            <p class="small muted">{about}</p>
            <TableFrame label="Credentials" stacks=true compact=true>
                <thead><tr><th scope="col">"Credential"</th><th scope="col">"Kind"</th><th scope="col">"Lifetime"</th><th scope="col">"Kept in"</th><th scope="col">"Last rotated"</th></tr></thead>
                <tbody class="rows">{rows}</tbody>
            </TableFrame>
            <Suggestions id="known-credentials" values=suggestions(known)/>
            {(!locked).then(|| view! { <div class="actions"><Button kind=Kind::Small name="do" value="more-credentials"><Icon glyph=Glyph::Plus/>"More rows"</Button></div> })}
        </Section>
    }
    .piece()
}
