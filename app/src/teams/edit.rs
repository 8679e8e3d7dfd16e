//! The form of a team: new, or as it is recorded.

use domain::id::TeamId;
use domain::party::TeamKind;
use leptos::prelude::*;

use crate::components::{
    Button, Choice, Crumb, Crumbs, DidYouMean, ErrorSummary, Field, IntoPiece, Kind, LinkButton, PageHead, PostForm,
    Refused, Select, TextArea,
};
use crate::people::{Named, WHO, suggestions};

/// As typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TeamForm {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: String,
    /// Its lead, as typed.
    pub lead: String,
    /// Its deputy, as typed.
    pub deputy: String,
    /// Its members, one a line.
    pub members: String,
    /// Why; for changes.
    pub reason: String,
    /// The version that was read.
    pub version: String,
}

/// The page of the form.
#[derive(Debug, Clone)]
pub struct TeamEditor {
    /// The team, when it is recorded already.
    pub team: Option<(TeamId, String)>,
    /// The form, fresh or refused.
    pub form: Refused<TeamForm>,
    /// People to suggest.
    pub suggested: Vec<Named>,
}

/// The page at `/teams/new` and `/teams/TE-1/edit`; goes inside `Layout`.
#[component]
pub fn EditTeam(
    /// What it shows.
    editor: TeamEditor,
) -> impl IntoView {
    let TeamEditor { team, form, suggested } = editor;
    let Refused { values, errors } = form;
    let known = team.is_some();
    let (title, last, back) = match team {
        Some((id, name)) => (
            format!("Edit {name}"),
            vec![Crumb::new(id.to_string(), format!("/teams/{id}")), Crumb::here("Edit")],
            format!("/teams/{id}"),
        ),
        None => ("Add a team".to_owned(), vec![Crumb::here("New")], "/teams".to_owned()),
    };
    let mut trail = vec![Crumb::new("Teams", "/teams")];
    trail.extend(last);
    let kinds = TeamKind::ALL.iter().map(|k| Choice::new(k.key(), k.label())).collect::<Vec<_>>();
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
            <Select name="kind" label="Kind" options=kinds selected=values.kind blank="Choose what it is for" error=errors.of("kind")
                required=true/>
            <Field name="lead" label="Lead" value=values.lead error=errors.of("lead") list="people" autocomplete="off"
                hint=format!("{WHO} The named owner of whatever the team holds; without one it owns nothing.")/>
            <DidYouMean field="lead" errors=errors.clone()/>
            <Field name="deputy" label="Deputy" value=values.deputy error=errors.of("deputy") list="people"
                autocomplete="off" hint="Stands in for the lead, and may accept offers to the team."/>
            <DidYouMean field="deputy" errors=errors.clone()/>
            {suggestions("people", &suggested)}
            <TextArea name="members" label="Members" value=values.members error=errors.of("members") rows=6
                hint="One a line: a whole name, an e-mail address, or a reference such as PE-7. They act for the team on what it holds."/>
            {reason}
            <div class="actions">
                <Button kind=Kind::Primary>{if known { "Save" } else { "Add" }}</Button>
                <LinkButton href=back kind=Kind::Quiet>"Cancel"</LinkButton>
            </div>
        </PostForm>
    }
    .piece()
}
