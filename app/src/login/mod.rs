//! Sign-in.

use leptos::prelude::*;

use crate::components::{Button, ErrorSummary, Field, IntoPiece, Kind, Notice, PostForm, Refused, Tone};

/// What was typed; the password is never sent back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginForm {
    /// The e-mail address.
    pub email: String,
    /// Where to go on, an address of this site.
    pub next: String,
}

/// The page at `/login`.
#[component]
pub fn Login(
    /// The form, fresh or refused.
    form: Refused<LoginForm>,
    /// A session had been open and has ended by itself.
    #[prop(optional)]
    ended: bool,
) -> impl IntoView {
    let Refused { values, errors } = form;
    let first = values.email.is_empty();
    view! {
        <h1>"Sign in"</h1>
        {ended.then(|| view! { <Notice tone=Tone::Note><p>"Your session has ended. Sign in again to go on where you were."</p></Notice> })}
        <PostForm action="/login">
            <ErrorSummary errors=errors.clone()/>
            <input type="hidden" name="next" value=values.next/>
            <Field name="email" label="E-mail address" kind="email" value=values.email error=errors.of("email")
                autocomplete="username" required=true autofocus=first/>
            <Field name="password" label="Password" kind="password" value="" error=errors.of("password")
                autocomplete="current-password" required=true autofocus=!first/>
            <div class="actions"><Button kind=Kind::Primary>"Sign in"</Button></div>
        </PostForm>
        <p class="muted small">"No account, or a forgotten password? An administrator of this Muster helps."</p>
    }
    .piece()
}
