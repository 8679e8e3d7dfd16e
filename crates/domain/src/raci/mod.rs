//! The rules of a RACI matrix: of any published table ([`table`]), and of an agent's own
//! while it is written ([`matrix`]). A cell is read the same way in both ([`letters`]).

pub mod letters;
pub mod matrix;
pub mod table;

pub use letters::{Letters, letters};
pub use matrix::{Breach, Breached, Seat, Ward, breaches};
pub use table::{Checked, Rule, Violation, check, check_bytes};
