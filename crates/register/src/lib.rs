//! What Muster remembers: the use cases and their SQL, one folder per noun, on both engines.
//!
//! Every change travels one way: parse, load, `can`, transition, guarded write with its
//! audit event in one transaction, answer.

pub mod agents;
pub mod assignments;
pub mod change;
pub mod db;
pub mod error;
pub mod paging;
pub mod posture;
pub mod random;
pub mod stops;
pub mod tally;

pub use change::By;
pub use db::Db;
pub use error::{Checked, Error, FieldError};
