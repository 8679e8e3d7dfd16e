//! Agents: registering, reading, editing, listing, assessing.

pub mod assess;
pub mod export;
pub mod known;
pub mod list;
pub(crate) mod moves;
pub mod needs;
pub mod read;
pub mod relation;
pub mod shared;
pub mod stored;
pub mod write;

pub use read::{View, read};
pub use stored::Agent;
pub use write::{create, edit};
