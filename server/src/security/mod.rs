//! What every request passes, whatever it asks for.

mod csrf;
mod door;
mod guard;
mod headers;

pub(crate) use door::caller;
pub use door::{api, page, unknown};
pub use guard::{RequestId, guard};
