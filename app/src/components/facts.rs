//! Terms and their values.

use leptos::prelude::*;

/// A list of facts; put [`Fact`]s in it.
#[component]
pub fn Facts(
    /// The facts.
    children: Children,
) -> impl IntoView {
    view! { <dl class="facts">{children()}</dl> }.into_any()
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
    children: Option<Children>,
) -> impl IntoView {
    let value = match children {
        Some(children) => children(),
        None if value.is_empty() => view! { <span class="unset">"not recorded"</span> }.into_any(),
        None => value.into_any(),
    };
    view! { <div><dt>{term}</dt><dd>{value}</dd></div> }.into_any()
}
