//! Import: from the bytes of somebody's inventory to facts about agents, and to the
//! difference from what is on record. Pure: nothing here is written anywhere.
//!
//! Bytes become text ([`encoding`]), text becomes rows ([`table`]), a mapping says which
//! column is which fact ([`mapping`], guessed by [`guess`]), a row becomes facts ([`row`]),
//! facts are compared with those on record ([`diff`]). Whatever is taken otherwise than it
//! was written is said in a [`note`].

pub mod diff;
pub mod encoding;
pub mod guess;
pub mod mapping;
pub mod neutral;
pub mod note;
pub mod profile;
pub mod row;
pub mod table;
pub mod vocabulary;

pub use diff::{Compared, FieldChange, changes, compare, hold_boundary};
pub use encoding::{Decoded, Encoding, Unreadable, decode};
pub use guess::guess;
pub use mapping::{Field, Mapping, Rule};
pub use note::Note;
pub use profile::{Column, profile};
pub use row::{Imported, Outcome, Reader};
pub use table::{Record, Table};
pub use vocabulary::Stage;

/// Most bytes of a file.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;
/// Most data rows of a file.
pub const MAX_ROWS: usize = 200_000;
/// Most columns of a file.
pub const MAX_COLUMNS: usize = 2_000;

/// Column that a file of refused rows carries: why. Never mapped.
pub const REASON_COLUMN: &str = "Muster: why it was refused";
/// Column that a file of refused rows carries: the key that the row had in its first file,
/// number included, so that a mended row is not taken for another with the same key.
pub const KEY_COLUMN: &str = "Muster: key";

#[cfg(test)]
mod tests;
