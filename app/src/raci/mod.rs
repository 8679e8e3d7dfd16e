//! Matrices: any table's check, and those of agents and systems.

pub mod cells;
#[cfg(feature = "ssr")]
pub mod check;
#[cfg(feature = "ssr")]
pub mod edit;
#[cfg(feature = "ssr")]
pub mod page;
#[cfg(feature = "ssr")]
pub mod under;

pub use cells::Column;
#[cfg(feature = "ssr")]
pub use check::{CheckForm, CheckPage, Outcome};
#[cfg(feature = "ssr")]
pub use edit::{EditMatrix, Editing, GridForm};
#[cfg(feature = "ssr")]
pub use page::{Cell, Given, MatrixPage, Shown, Whose};
#[cfg(feature = "ssr")]
pub use under::{Justified, Under};
