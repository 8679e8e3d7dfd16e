//! Matrices: any table's check, and an agent's own.

#[cfg(feature = "ssr")]
pub mod check;

#[cfg(feature = "ssr")]
pub use check::{CheckForm, CheckPage, Outcome};
