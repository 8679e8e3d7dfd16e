//! The pages of agents: the inventory, one agent, its form, who answers for it, its past.

pub mod assign;
pub mod catalogue;
pub mod edit;
pub mod form;
pub mod history;
pub mod list;
pub mod page;
mod sentence;

pub use assign::{Assign, AssignForm, AssignPage, Assigning, BulkAssign, BulkAssignPage, Fits, Picked, Preview};
pub use catalogue::{Findings, Tiers};
pub use edit::{AgentEditor, Conflict, Editor, Known};
pub use form::AgentForm;
pub use history::{Answer, History, HistoryPage};
pub use list::{Inventory, Line, List, Rights};
pub use page::{AgentPage, Do, May, OpenOffer, Points, Shown};

/// Every value of a vocabulary, to choose from.
macro_rules! choices {
    ($words:ty) => {
        <$words>::ALL.iter().map(|word| $crate::components::Choice::new(word.key(), word.label())).collect::<Vec<_>>()
    };
}
pub(crate) use choices;
