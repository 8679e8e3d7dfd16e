//! Links to nouns by their reference: `AG-42`, `PE-7`.

use leptos::prelude::*;

use super::piece::IntoPiece;
/// Where a reference leads: `AG-42` to `/agents/AG-42`. An unknown prefix leads nowhere.
pub fn href_of(reference: &str) -> Option<String> {
    let (prefix, _) = reference.split_once('-')?;
    let page = match prefix {
        "AG" => "agents",
        "PE" => "people",
        "TE" => "teams",
        "SY" => "systems",
        "RQ" => "approvals",
        "EX" => "exceptions",
        "AL" => "alerts",
        "IN" => "incidents",
        _ => return None,
    };
    Some(format!("/{page}/{reference}"))
}

/// A reference in monospace, as a link where it leads somewhere.
#[component]
pub fn Ref(
    /// `AG-42`.
    #[prop(into)]
    id: String,
) -> impl IntoView {
    match href_of(&id) {
        Some(href) => view! { <a class="ref" href=href>{id}</a> }.piece(),
        None => view! { <span class="ref">{id}</span> }.piece(),
    }
}

/// A person or a team by name, as a link to what they own. Vacant when there is no name.
#[component]
pub fn Party(
    /// The name; empty reads "nobody".
    #[prop(into)]
    name: String,
    /// `PE-7` or `TE-2`; empty for no link.
    #[prop(optional, into)]
    reference: String,
    /// Left, inactive, or a team that nobody leads.
    #[prop(optional)]
    gone: bool,
) -> impl IntoView {
    if name.is_empty() {
        return view! { <span class="unset">"nobody"</span> }.piece();
    }
    let who = match href_of(&reference) {
        Some(href) => view! { <a href=href dir="auto">{name}</a> }.piece(),
        None => view! { <span dir="auto">{name}</span> }.piece(),
    };
    view! {
        {who}
        {gone.then(|| view! { " " <span class="gone small">"(gone)"</span> })}
    }
    .piece()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_reference_leads_to_its_page() {
        assert_eq!(view! { <Ref id="AG-42"/> }.to_html(), r#"<a href="/agents/AG-42" class="ref">AG-42</a>"#);
        assert_eq!(href_of("XX-1"), None);
        assert!(view! { <Party name="" /> }.to_html().contains("nobody"));
    }
}
