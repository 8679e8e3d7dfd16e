//! How pages and their parts begin, and how one moves between them.

use leptos::prelude::*;

use super::piece::{IntoPiece, Slot};
use super::table::thousands;

/// The head of a page: its one `h1`, what it is about, and what one can do here.
#[component]
pub fn PageHead(
    /// The heading.
    #[prop(into)]
    title: String,
    /// `AG-42`, shown beside the heading.
    #[prop(optional, into)]
    reference: String,
    /// One sentence below.
    #[prop(optional, into)]
    lead: String,
    /// States of the thing, as badges below.
    #[prop(optional, into)]
    badges: Option<Slot>,
    /// Buttons at the end: `actions=move || view! { … }`.
    #[prop(optional, into)]
    actions: Option<Slot>,
) -> impl IntoView {
    view! {
        <div class="page-head">
            <div class="titles">
                <h1>
                    <span dir="auto">{title}</span>
                    {(!reference.is_empty()).then(|| view! { <span class="ref">{reference}</span> })}
                </h1>
                {(!lead.is_empty()).then(|| view! { <p class="lead">{lead}</p> })}
                {badges.map(|badges| view! { <div class="row badges">{badges.run()}</div> })}
            </div>
            {actions.map(|actions| view! { <div class="actions">{actions.run()}</div> })}
        </div>
    }
    .piece()
}

/// A part of a page with its heading. The id makes it a target of links.
#[component]
pub fn Section(
    /// The heading.
    #[prop(into)]
    title: String,
    /// Letters and dashes; names the part in the address.
    #[prop(into)]
    id: String,
    /// How many rows it holds.
    #[prop(default = None, into)]
    count: Option<u64>,
    /// Buttons or links at the end of the heading's line.
    #[prop(optional, into)]
    actions: Option<Slot>,
    /// The part.
    children: Slot,
) -> impl IntoView {
    let heading = format!("{id}-title");
    view! {
        <section class="section" id=id aria-labelledby=heading>
            <header>
                <h2 id=heading.clone()>{title}</h2>
                {count.map(|count| view! { <span class="count">{thousands(count)}</span> })}
                {actions.map(|actions| view! { <div class="actions">{actions.run()}</div> })}
            </header>
            {children.run()}
        </section>
    }
    .piece()
}

/// One view of several.
#[derive(Debug, Clone, Default)]
pub struct Tab {
    /// The words.
    pub label: String,
    /// Where it leads.
    pub href: String,
    /// How many rows it holds.
    pub count: Option<u64>,
    /// How far they were counted: more than that is said to be more.
    pub most: Option<u64>,
    /// It is the one shown.
    pub current: bool,
}

impl Tab {
    /// A tab without a count.
    pub fn new(label: impl Into<String>, href: impl Into<String>, current: bool) -> Self {
        Self { label: label.into(), href: href.into(), count: None, most: None, current }
    }

    /// Adds a count.
    #[must_use]
    pub fn counting(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Adds a count of rows that were counted as far as one more than this.
    #[must_use]
    pub fn counting_to(mut self, count: u64, most: u64) -> Self {
        (self.count, self.most) = (Some(count), Some(most));
        self
    }
}

/// A number, or that it is more than was counted.
fn counted(count: u64, most: Option<u64>) -> String {
    match most {
        Some(most) if count > most => format!("{}+", thousands(most)),
        _ => thousands(count),
    }
}

/// Views of one thing, as links.
#[component]
pub fn Tabs(
    /// What they are views of, for a screen reader.
    #[prop(into)]
    label: String,
    /// The views.
    tabs: Vec<Tab>,
) -> impl IntoView {
    let tabs = tabs
        .into_iter()
        .map(|tab| {
            view! {
                <li>
                    <a href=tab.href aria-current=tab.current.then_some("page")>
                        {tab.label}
                        {tab.count.map(|count| view! { <span class="count">{counted(count, tab.most)}</span> })}
                    </a>
                </li>
            }
        })
        .collect_view();
    view! { <nav class="tabs" aria-label=label><ul>{tabs}</ul></nav> }.piece()
}

/// One step of the way here.
#[derive(Debug, Clone)]
pub struct Crumb {
    /// The words.
    pub label: String,
    /// Where it leads; empty for the last one.
    pub href: String,
}

impl Crumb {
    /// A step that leads back.
    pub fn new(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self { label: label.into(), href: href.into() }
    }

    /// Where one is.
    pub fn here(label: impl Into<String>) -> Self {
        Self { label: label.into(), href: String::new() }
    }
}

/// The way here, above the page's heading.
#[component]
pub fn Crumbs(
    /// From the outside in.
    trail: Vec<Crumb>,
) -> impl IntoView {
    let trail = trail
        .into_iter()
        .map(|Crumb { label, href }| {
            if href.is_empty() {
                view! { <li aria-current="page">{label}</li> }.piece()
            } else {
                view! { <li><a href=href>{label}</a></li> }.piece()
            }
        })
        .collect_view();
    view! { <nav class="trail" aria-label="Breadcrumb"><ol class="crumbs">{trail}</ol></nav> }.piece()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn the_shown_tab_says_so() {
        let tabs = vec![Tab::new("All", "/a", true).counting(3), Tab::new("Mine", "/a?mine=1", false)];
        let html = view! { <Tabs label="Agents" tabs=tabs/> }.to_html();
        assert_eq!(html.matches("aria-current=\"page\"").count(), 1, "{html}");
    }
}
