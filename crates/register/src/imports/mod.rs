//! Imports: an inventory in, as one wave. The file is read and compared outside, then
//! applied in one transaction: all of it or none.
//!
//! [`stage`] reads without the register, [`compare`] says what would change, [`apply`]
//! does it. The page and the command line go the same way.

mod apply;
mod mappings;
mod parties;
mod plan;
mod refused;
mod shared;
mod stage;
mod uploads;
mod waves;

pub use apply::{Applied, Progress, Wish, apply};
pub use mappings::{mapping_for, mappings};
pub use parties::Appointment;
pub use plan::{Counts, Fate, Line, Plan, compare, preview};
pub use refused::refused_csv;
pub use stage::{Looked, Staged, look, stage};
pub use uploads::{KEPT_HOURS, Upload, discard, put, remember, upload, uploads};
pub use waves::{Wave, wave, waves};
