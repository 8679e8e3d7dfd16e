//! Terms and their values.

use leptos::prelude::*;

use super::piece::{IntoPiece, Slot};
/// A list of facts; put [`Fact`]s in it.
#[component]
pub fn Facts(
    /// The facts.
    children: Slot,
) -> impl IntoView {
    view! { <dl class="facts">{children.run()}</dl> }.piece()
}

/// One fact. With no value given it reads "not recorded".
#[component]
pub fn Fact(
    /// What it is.
    #[prop(into)]
    term: String,
    /// The value as text; leave out when the value is given as children.
    #[prop(optional, into)]
    value: String,
    /// The value, where it is more than text.
    #[prop(optional)]
    children: Option<Slot>,
) -> impl IntoView {
    let value = match children {
        Some(children) => children.run(),
        None if value.is_empty() => view! { <span class="unset">"not recorded"</span> }.piece(),
        None => value.piece(),
    };
    view! { <div><dt>{term}</dt><dd>{value}</dd></div> }.piece()
}
