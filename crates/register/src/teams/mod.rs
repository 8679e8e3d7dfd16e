//! Teams: their kind, lead, deputy and members. A team can be Accountable only while its
//! lead is there, so who leads is as weighty as who owns.

mod list;
mod read;
mod write;

pub use list::{Line, Query, directory, list};
pub use read::{Member, Team, View, load, load_many, read};
pub use write::{Fields, create, edit, insert, join, part};
