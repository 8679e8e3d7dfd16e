//! Set-up: the first administrator.

use leptos::prelude::*;

use crate::components::{Button, ErrorSummary, Field, IntoPiece, Kind, PostForm, Refused};

/// What was typed; passwords are never sent back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SetupForm {
    /// The code printed at start.
    pub code: String,
    /// The person's name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
    /// What the organisation is called; may be empty.
    pub organisation: String,
    /// The security team on call; may be empty.
    pub team: String,
}

/// The page at `/setup`, while nobody can sign in.
#[component]
pub fn Setup(
    /// The form, fresh or refused.
    form: Refused<SetupForm>,
) -> impl IntoView {
    let Refused { values, errors } = form;
    view! {
        <h1>"Set up Muster"</h1>
        <p class="muted">
            "You become the first administrator and the first security lead. Everybody else is invited by you."
        </p>
        <PostForm action="/setup">
            <ErrorSummary errors=errors.clone()/>
            <Field name="code" label="One-time code" value=values.code error=errors.of("code") required=true
                hint="Muster printed it where it was started. Start it again for a new one." autocomplete="off"/>
            <Field name="name" label="Your name" value=values.name error=errors.of("name") required=true
                autocomplete="name" maxlength=200/>
            <Field name="email" label="Your e-mail address" kind="email" value=values.email error=errors.of("email")
                required=true autocomplete="username"/>
            <Field name="password" label="Password" kind="password" value="" error=errors.of("password") required=true
                hint="At least 12 characters; a sentence is easy to remember." autocomplete="new-password"/>
            <Field name="again" label="Password, again" kind="password" value="" error=errors.of("again") required=true
                autocomplete="new-password"/>
            <Field name="organisation" label="Organisation" value=values.organisation error=errors.of("organisation")
                autocomplete="organization" maxlength=200/>
            <Field name="team" label="Security team on call" value=values.team error=errors.of("team") maxlength=200
                hint="Where an alert ends that reaches nobody else. You lead it until you name somebody else."/>
            <div class="actions"><Button kind=Kind::Primary>"Set up"</Button></div>
        </PostForm>
    }
    .piece()
}
