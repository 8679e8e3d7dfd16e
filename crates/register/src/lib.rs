//! What Muster remembers: the use cases and their SQL, one folder per noun, on both engines.
//!
//! Every change travels one way: parse, load, `can`, transition, guarded write with its
//! audit event in one transaction, answer.

pub mod agents;
pub mod assignments;
pub mod audit;
pub mod backup;
pub mod calendar;
pub mod change;
pub mod clock;
pub mod db;
pub mod delegations;
pub mod error;
pub mod exceptions;
pub mod handovers;
pub mod idempotency;
pub mod imports;
pub mod models;
pub mod notices;
pub mod oncall;
pub mod paging;
pub mod passwords;
pub mod people;
pub mod policies;
pub mod posture;
pub mod proposals;
pub mod random;
pub mod reach;
pub mod requests;
pub mod retirements;
pub mod reviews;
pub mod rules;
pub mod seed;
pub mod sessions;
pub mod settings;
pub mod stops;
pub mod systems;
pub mod tally;
pub mod teams;
pub mod throttle;
mod tidings;
pub mod tokens;

pub use change::By;
pub use db::Db;
pub use error::{Checked, Error, FieldError};
