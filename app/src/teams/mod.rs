//! Teams: the list, one team with its people and duties, its form.

pub mod edit;
pub mod list;
pub mod page;

pub use edit::{EditTeam, TeamEditor, TeamForm};
pub use list::{Line, List, Teams};
pub use page::{Member, Shown, TeamPage};
