//! The record: every event, and the chain that holds them together.

pub mod history;
pub mod page;
pub mod view;

pub use history::History;
pub use page::{Audit, Checked};
pub use view::{EventView, references};
