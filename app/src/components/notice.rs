//! Messages on a page, and what a page says when it has nothing to show.

use leptos::prelude::*;

use super::piece::{IntoPiece, Slot};
use super::tone::{Swatch, Tone};

/// What the last press did, shown once at the head of the next page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flash {
    /// How good or bad.
    pub tone: Tone,
    /// One sentence.
    pub text: String,
    /// What to look at next: words and address.
    pub link: Option<(String, String)>,
}

impl Flash {
    /// It worked.
    pub fn good(text: impl Into<String>) -> Self {
        Self { tone: Tone::Good, text: text.into(), link: None }
    }

    /// It did not.
    pub fn bad(text: impl Into<String>) -> Self {
        Self { tone: Tone::Bad, text: text.into(), link: None }
    }

    /// Adds what to look at next.
    #[must_use]
    pub fn and_link(mut self, words: impl Into<String>, href: impl Into<String>) -> Self {
        self.link = Some((words.into(), href.into()));
        self
    }
}

/// A message in the page. Bad and severe ones are announced.
#[component]
pub fn Notice(
    /// How good or bad.
    #[prop(optional)]
    tone: Tone,
    /// A short title above the text.
    #[prop(optional, into)]
    title: String,
    /// The text, and what can be done.
    children: Slot,
) -> impl IntoView {
    let role = matches!(tone, Tone::Severe | Tone::Bad).then_some("alert");
    view! {
        <div class=format!("notice {}", tone.class()) role=role>
            <Swatch tone=tone/>
            <div class="body">
                {(!title.is_empty()).then(|| view! { <h2>{title}</h2> })}
                {children.run()}
            </div>
        </div>
    }
    .piece()
}

/// Nothing to show, and what to do about it.
#[component]
pub fn Empty(
    /// "No agents yet".
    #[prop(into)]
    title: String,
    /// What to do: a sentence and, in `<div class="actions">`, a link or two.
    children: Slot,
) -> impl IntoView {
    view! { <div class="empty"><h2>{title}</h2>{children.run()}</div> }.piece()
}
