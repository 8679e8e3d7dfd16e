//! The form of a person: new, or as they are recorded.

use domain::id::PersonId;
use domain::party::Role;
use leptos::prelude::*;

use super::{Named, WHO, suggestions};
use crate::components::{
    Button, CheckboxGroup, Choice, Crumb, Crumbs, DidYouMean, ErrorSummary, Field, FieldErrors, IntoPiece, Kind,
    LinkButton, Notice, PageHead, PostForm, Refused, TextArea, Tone,
};

/// As typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PersonForm {
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// What they do.
    pub title: String,
    /// Their business unit.
    pub business_unit: String,
    /// To whom they report, as typed.
    pub manager: String,
    /// Who stands in for them, as typed.
    pub deputy: String,
    /// The roles ticked.
    pub roles: Vec<String>,
    /// Why; for changes.
    pub reason: String,
    /// The version that was read.
    pub version: String,
}

/// The page of the form.
#[derive(Debug, Clone)]
pub struct PersonEditor {
    /// The person, when they are recorded already.
    pub person: Option<Named>,
    /// The form, fresh or refused.
    pub form: Refused<PersonForm>,
    /// Whether the reader grants roles.
    pub may_grant: bool,
    /// People to suggest as manager and deputy.
    pub suggested: Vec<Named>,
    /// Roles that nobody else who is here has.
    pub sole: Vec<Role>,
}

/// The page at `/people/new` and `/people/PE-1/edit`; goes inside `Layout`.
#[component]
pub fn EditPerson(
    /// What it shows.
    editor: PersonEditor,
) -> impl IntoView {
    let PersonEditor { person, form, may_grant, suggested, sole } = editor;
    let Refused { values, errors } = form;
    let known = person.is_some();
    let (title, trail, back) = match &person {
        Some(p) => (
            format!("Edit {}", p.name),
            vec![Crumb::new("People", "/people"), Crumb::new(p.id.to_string(), path(p.id)), Crumb::here("Edit")],
            path(p.id),
        ),
        None => {
            ("Add a person".to_owned(), vec![Crumb::new("People", "/people"), Crumb::here("New")], "/people".to_owned())
        }
    };
    let version = known.then(|| view! { <input type="hidden" name="version" value=values.version/> });
    let reason = known.then(|| {
        view! {
            <TextArea name="reason" label="Reason" value=values.reason error=errors.of("reason") rows=2
                hint="Why it changes. The record keeps it."/>
        }
    });
    view! {
        <Crumbs trail=trail/>
        <PageHead title=title/>
        <PostForm>
            <ErrorSummary errors=errors.clone()/>
            {version}
            <Field name="name" label="Name" value=values.name error=errors.of("name") required=true maxlength=200
                autocomplete="off" autofocus=!known/>
            <Field name="email" label="E-mail address" kind="email" value=values.email error=errors.of("email")
                required=true maxlength=254 autocomplete="off" hint="They sign in with it, and notices go there."/>
            <Field name="title" label="Title" value=values.title error=errors.of("title") maxlength=200
                autocomplete="off" hint="What they do, such as Head of customer care."/>
            <Field name="business_unit" label="Business unit" value=values.business_unit
                error=errors.of("business_unit") maxlength=200 autocomplete="off"/>
            <Field name="manager" label="Manager" value=values.manager error=errors.of("manager") list="people"
                autocomplete="off" hint=format!("{WHO} Decides for them what they asked for themselves.")/>
            <DidYouMean field="manager" errors=errors.clone()/>
            <Field name="deputy" label="Deputy" value=values.deputy error=errors.of("deputy") list="people"
                autocomplete="off" hint=format!("{WHO} Asked first when they are gone.")/>
            <DidYouMean field="deputy" errors=errors.clone()/>
            {suggestions("people", &suggested)}
            {may_grant.then(|| roles(values.roles, &errors, &sole))}
            {reason}
            <div class="actions">
                <Button kind=Kind::Primary>{if known { "Save" } else { "Add" }}</Button>
                <LinkButton href=back kind=Kind::Quiet>"Cancel"</LinkButton>
            </div>
        </PostForm>
    }
    .piece()
}

fn path(id: PersonId) -> String {
    format!("/people/{id}")
}

fn roles(selected: Vec<String>, errors: &FieldErrors, sole: &[Role]) -> impl IntoView + use<> {
    let hint = |role: Role| match role {
        Role::Administrator => "Keeps people, teams, settings and tokens; decides nothing about agents.",
        Role::SecurityLead => {
            "Sets policy, changes the owners of any agent, records present owners, may stop any agent."
        }
        Role::RiskAnalyst => "Keeps exceptions, reviews and reports; imports inventories.",
        Role::Member => "Registers agents, and decides and acts where a duty says so.",
        Role::Auditor => "Reads everything, changes nothing.",
    };
    let options =
        Role::ALL.iter().map(|role| Choice::new(role.key(), role.label()).hint(hint(*role))).collect::<Vec<_>>();
    let alone = sole_words(sole);
    view! {
        <CheckboxGroup name="roles" legend="Roles" options=options selected=selected error=errors.of("roles")
            hint="What they may do beyond what their duties say. Without any role they can read nothing. Administrator and security lead need a second person once there are two of these."/>
        {alone}
    }
    .piece()
}

/// Says which roles nobody else has, and what follows.
pub(super) fn sole_words(sole: &[Role]) -> Option<impl IntoView + use<>> {
    let administrator = sole.contains(&Role::Administrator);
    let security = sole.contains(&Role::SecurityLead);
    (administrator || security).then(|| {
        view! {
            <Notice tone=Tone::Warn>
                {administrator.then(|| view! { <p>"They are the last active administrator. Make somebody else one before they give it up."</p> })}
                {security.then(|| view! { <p>"They are the only active security lead. Without one, nobody can change the owners of every agent or record present owners."</p> })}
            </Notice>
        }
    })
}
