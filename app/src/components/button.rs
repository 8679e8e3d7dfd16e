//! What can be pressed.

use leptos::prelude::*;

use super::piece::{IntoPiece, Slot};
/// How a button looks, by what it means.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// The one thing this page is for.
    Primary,
    /// Anything else.
    #[default]
    Secondary,
    /// Small print: cancel, more.
    Quiet,
    /// Removes access or ends something; the first press.
    Danger,
    /// The press that does it.
    Final,
    /// In a row or a toolbar.
    Small,
    /// Looks like a link.
    Link,
}

impl Kind {
    const fn class(self) -> &'static str {
        match self {
            Self::Primary => "button primary",
            Self::Secondary => "button",
            Self::Quiet => "button quiet",
            Self::Danger => "button danger",
            Self::Final => "button danger final",
            Self::Small => "button small",
            Self::Link => "link",
        }
    }
}

/// A submit button. In a form with several, `name` and `value` say which was pressed.
#[component]
pub fn Button(
    /// How it looks.
    #[prop(optional)]
    kind: Kind,
    /// Sent with the form.
    #[prop(optional, into)]
    name: Option<String>,
    /// Sent with the form.
    #[prop(optional, into)]
    value: Option<String>,
    /// Posts somewhere else than the form.
    #[prop(optional, into)]
    formaction: Option<String>,
    /// The id of a form elsewhere on the page.
    #[prop(optional, into)]
    form: Option<String>,
    /// Cannot be pressed now; say why beside it.
    #[prop(optional)]
    disabled: bool,
    /// The words.
    children: Slot,
) -> impl IntoView {
    view! {
        <button type="submit" class=kind.class() name=name value=value formaction=formaction form=form disabled=disabled>
            {children.run()}
        </button>
    }
    .piece()
}

/// A link that looks like a button.
#[component]
pub fn LinkButton(
    /// Where it leads.
    #[prop(into)]
    href: String,
    /// How it looks.
    #[prop(optional)]
    kind: Kind,
    /// The words.
    children: Slot,
) -> impl IntoView {
    view! { <a class=kind.class() href=href>{children.run()}</a> }
}

/// Two deliberate presses, without JavaScript: the first opens the question, the second posts.
#[component]
pub fn Confirm(
    /// The words of the first press: "Suspend".
    #[prop(into)]
    label: String,
    /// Where the second press posts.
    #[prop(into)]
    action: String,
    /// The words of the second press: "Yes, suspend AG-42".
    #[prop(into)]
    confirm: String,
    /// Nothing is lost by it: looks like an ordinary button.
    #[prop(optional)]
    calm: bool,
    /// Open from the start, as after a refusal.
    #[prop(optional)]
    open: bool,
    /// What will happen, and the fields that go with it.
    children: Slot,
) -> impl IntoView {
    let (class, first, second) =
        if calm { ("confirm calm", Kind::Secondary, Kind::Primary) } else { ("confirm", Kind::Danger, Kind::Final) };
    view! {
        <details class=class open=open>
            <summary class=first.class()>{label}</summary>
            <div class="ask">
                <form method="post" action=action novalidate>
                    {children.run()}
                    <div><Button kind=second>{confirm}</Button></div>
                </form>
            </div>
        </details>
    }
    .piece()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_deliberate_press_is_a_form_behind_a_question() {
        let html = view! { <Confirm label="Suspend" action="/agents/AG-1/suspend" confirm="Yes, suspend"><p>"Why"</p></Confirm> }
            .to_html();
        assert!(html.starts_with(r#"<details class="confirm"><summary"#), "{html}");
        assert!(html.contains(r#"<form method="post" action="/agents/AG-1/suspend" novalidate>"#), "{html}");
    }
}
