//! Pages for what went wrong. Each says what happened, who can help, and what to do; causes are
//! in the log. Put one inside `Layout` when somebody is signed in, inside `Plain` when not.

use leptos::prelude::*;

use crate::components::{IntoPiece, Kind, LinkButton, Slot};

/// A page that could not be shown: the shape of all of them.
#[component]
pub fn Fault(
    /// The HTTP status.
    status: u16,
    /// What happened, in a few words.
    #[prop(into)]
    title: String,
    /// What to do: a sentence, and links.
    children: Slot,
) -> impl IntoView {
    view! {
        <div class="fault prose">
            <p class="code">{format!("Error {status}")}</p>
            <h1>{title}</h1>
            {children.run()}
        </div>
    }
    .piece()
}

/// 404: not there, or not for this person; the two look alike on purpose.
#[component]
pub fn NotFound() -> impl IntoView {
    view! {
        <Fault status=404 title="Nothing here that you can see">
            <p>"The address may be mistyped, or it belongs to something that you have no duty for. Whoever sent you the link can tell you which."</p>
            <div class="actions">
                <LinkButton href="/agents">"All agents"</LinkButton>
                <LinkButton href="/" kind=Kind::Quiet>"Home"</LinkButton>
            </div>
        </Fault>
    }
    .piece()
}

/// 500: our fault.
#[component]
pub fn Broken(
    /// Finds this failure in the log.
    #[prop(optional, into)]
    incident: String,
) -> impl IntoView {
    view! {
        <Fault status=500 title="Something broke on our side">
            <p>"Nothing was changed. Try again; if it happens twice, tell an administrator."</p>
            {(!incident.is_empty()).then(|| view! { <p>"They find it in the log as " <span class="ref">{incident}</span> "."</p> })}
            <div class="actions"><LinkButton href="/">"Home"</LinkButton></div>
        </Fault>
    }
    .piece()
}

/// 409 and 422: a rule said no, where there is no form to say it on.
#[component]
pub fn Declined(
    /// The HTTP status.
    #[prop(default = 422)]
    status: u16,
    /// Which rule stopped it, who can allow it, and what to do.
    #[prop(into)]
    reason: String,
    /// Where to go back to.
    #[prop(default = "/".to_owned(), into)]
    back: String,
) -> impl IntoView {
    view! {
        <Fault status=status title="That was not done">
            <p>{reason}</p>
            <div class="actions"><LinkButton href=back>"Go back"</LinkButton></div>
        </Fault>
    }
    .piece()
}

/// 413: too much at once.
#[component]
pub fn TooLarge(
    /// "64 MiB".
    #[prop(into)]
    most: String,
) -> impl IntoView {
    view! {
        <Fault status=413 title="That is too large">
            <p>{format!("At most {most} fit into one request. Split the file and send the parts.")}</p>
            <div class="actions"><LinkButton href="/">"Home"</LinkButton></div>
        </Fault>
    }
    .piece()
}

/// 503: starting, or the database cannot be reached.
#[component]
pub fn NotReady() -> impl IntoView {
    view! {
        <Fault status=503 title="Muster is not ready">
            <p>"It is starting, or cannot reach its database. Reload in a moment; an administrator sees the cause in the log."</p>
        </Fault>
    }
    .piece()
}

/// After signing out, or when a session has ended.
#[component]
pub fn SignedOut(
    /// The session ended by itself.
    #[prop(optional)]
    expired: bool,
    /// Where to return to after signing in.
    #[prop(optional, into)]
    next: String,
) -> impl IntoView {
    let (title, text) = if expired {
        ("Your session has ended", "Sign in again to go on where you were.")
    } else {
        ("You are signed out", "Nobody can act as you from this browser now.")
    };
    let href = crate::components::Address::new("/login").with("next", &next).href();
    view! {
        <div class="fault prose">
            <h1>{title}</h1>
            <p>{text}</p>
            <div class="actions"><LinkButton href=href kind=Kind::Primary>"Sign in"</LinkButton></div>
        </div>
    }
    .piece()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_escapes_its_reason_and_a_session_returns_where_it_was() {
        let html = view! { <Declined reason="<i>no</i>" back="/agents"/> }.to_html();
        assert!(html.contains("&lt;i&gt;no") && html.contains("Error 422"), "{html}");
        let html = view! { <SignedOut expired=true next="/agents?q=a b"/> }.to_html();
        assert!(html.contains("/login?next=%2Fagents%3Fq%3Da%20b"), "{html}");
    }
}
