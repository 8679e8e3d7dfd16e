//! People: the list, one person with what they answer for, their form.

pub mod edit;
pub mod handover;
pub mod list;
pub mod page;
pub mod proposals;

use domain::id::PersonId;
use domain::party::Roles;
use leptos::prelude::*;

pub use edit::{EditPerson, PersonEditor, PersonForm};
pub use handover::{Away, HandoverForm};
pub use list::{Line, List, People};
pub use page::{Held, Holdings, Impact, Led, Membership, OfSystem, Offer, Orphan, PersonPage, Reason, Shown, SignIn};
pub(crate) use page::{Voice, holdings};
pub use proposals::Proposal;

use crate::components::{Choice, IntoPiece, Piece, Suggestions, thousands};

/// A person as others mention them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Their reference.
    pub id: PersonId,
    /// Their name.
    pub name: String,
    /// Whether they are still there.
    pub active: bool,
}

impl Named {
    /// As a field is filled when this one is chosen: the name, and the reference that decides.
    pub fn written(&self) -> String {
        format!("{} ({})", self.name, self.id)
    }
}

/// A person's name as a link to what they own; who left is marked.
pub(crate) fn link(person: &Named) -> impl IntoView + use<> {
    let gone = (!person.active).then(|| view! { " " <span class="gone small">"(left)"</span> });
    view! { <a href=format!("/people/{}", person.id) dir="auto">{person.name.clone()}</a>{gone} }
}

/// A person, or that there is none.
pub(crate) fn link_or(person: Option<&Named>, none: &'static str) -> Piece {
    match person {
        Some(person) => link(person).piece(),
        None => view! { <span class="unset">{none}</span> }.piece(),
    }
}

/// Several people in one line.
pub(crate) fn links(people: &[Named]) -> impl IntoView + use<> {
    people
        .iter()
        .enumerate()
        .map(|(at, person)| {
            let comma = (at > 0).then_some(", ");
            view! { {comma}{link(person)} }
        })
        .collect_view()
}

/// Who would be asked next: deputy, then manager, then nobody.
pub(crate) fn chain(next: &[Named]) -> impl IntoView + use<> {
    let steps = next.iter().map(|person| view! { {link(person)}", then " }).collect_view();
    view! { {steps}<span class="unset">"nobody"</span> }
}

/// Roles as words: `Administrator, Security lead`.
pub(crate) fn role_words(roles: Roles) -> String {
    roles.iter().map(domain::party::Role::label).collect::<Vec<_>>().join(", ")
}

/// The suggestions of a field that asks for a person.
pub(crate) fn suggestions(id: &'static str, people: &[Named]) -> impl IntoView + use<> {
    let values = people.iter().map(|person| Choice::new(person.written(), "")).collect::<Vec<_>>();
    view! { <Suggestions id=id values=values/> }
}

/// What a field that asks for a person takes.
pub(crate) const WHO: &str = "A whole name, an e-mail address, or a reference such as PE-7.";

/// `1 duty`, `3 duties`.
pub(crate) fn counted(n: u64, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{} {many}", thousands(n)) }
}
