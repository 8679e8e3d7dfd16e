//! People: who they are, what they may do, what they answer for, and what follows when
//! they leave.

mod handover;
mod holdings;
mod impact;
mod list;
mod read;
mod stored;
mod write;

pub use handover::{HandedOver, hand_over};
pub(crate) use holdings::visible_to;
pub use holdings::{Holding, HoldingsQuery, Offered, holdings, offers_to};
pub use impact::{Impact, Led, Orphan, SHOWN, impact};
pub use list::{Line, Query, directory, list};
pub(crate) use list::{paged, plain, searched};
pub use read::{Belonging, Part, View, chain_of_managers, read, succession, teams_of};
pub use stored::{Named, Person, by_email, load, load_many, named, resolve};
pub use write::{Departure, Fields, come_back, create, edit, insert, insert_first, leave, sole_holder_of};
pub(crate) use write::{keeper, one_at_a_time};
