//! The pages of agents: the inventory, one agent, its form, who answers for it, its past.
//! The form and the points of a tier are the browser's too, for the tier's preview.

pub mod form;
pub mod points;

pub use form::AgentForm;
pub use points::Points;

#[cfg(feature = "ssr")]
pub mod assign;
#[cfg(feature = "ssr")]
pub mod catalogue;
#[cfg(feature = "ssr")]
pub mod edit;
#[cfg(feature = "ssr")]
mod ending;
#[cfg(feature = "ssr")]
pub mod history;
#[cfg(feature = "ssr")]
pub mod list;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
mod sentence;

#[cfg(feature = "ssr")]
pub use assign::{Assign, AssignForm, AssignPage, Assigning, BulkAssign, BulkAssignPage, Picked, Preview};
#[cfg(feature = "ssr")]
pub(crate) use assign::{agents, carried};
#[cfg(feature = "ssr")]
pub use catalogue::{Findings, Tiers};
#[cfg(feature = "ssr")]
pub use edit::{AgentEditor, Conflict, Editor, Known, Scope};
#[cfg(feature = "ssr")]
pub use ending::Ending;
#[cfg(feature = "ssr")]
pub use history::{Answer, ExceptedThen, History, HistoryPage, Holder};
#[cfg(feature = "ssr")]
pub use list::{Inventory, Line, List, Rights};
#[cfg(feature = "ssr")]
pub use page::{AgentPage, Do, May, OpenOffer, Shown};

/// Every value of a vocabulary, to choose from.
#[cfg(feature = "ssr")]
macro_rules! choices {
    ($words:ty) => {
        <$words>::ALL.iter().map(|word| $crate::components::Choice::new(word.key(), word.label())).collect::<Vec<_>>()
    };
}
#[cfg(feature = "ssr")]
pub(crate) use choices;
