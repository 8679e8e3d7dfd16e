//! People: who they are, what they may do, what they answer for, and what follows when
//! they leave.

mod handover;
mod holdings;
mod impact;
mod list;
mod meant;
mod next;
mod read;
mod stored;
mod write;

pub use handover::{Away, HandedOver, away, hand_over};
pub(crate) use holdings::visible_to;
pub use holdings::{Holding, HoldingsQuery, Offered, holdings, offers_to};
pub use impact::{Impact, Led, Orphan, SHOWN, impact};
pub use list::{Line, Query, directory, list};
pub(crate) use list::{paged, plain, searched};
pub use meant::{Among, Fit, Meant, Unclear, meant, resolve};
pub use next::next_in_line;
pub use read::{Belonging, Part, View, chain_of_managers, read, succession, teams_of};
pub use stored::{Named, Person, by_email, load, load_many, named};
pub use write::{Departure, Fields, Recorded, come_back, create, edit, insert, insert_first, leave, sole_holder_of};
pub(crate) use write::{grant, keeper, one_at_a_time};
