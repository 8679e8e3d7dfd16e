//! Agents: registering, reading, editing, listing, assessing.

pub mod assess;
pub mod stored;

pub use stored::Agent;
