//! The document around every page: head, navigation, top bar, foot.

mod frame;
pub mod layout;
mod nav;
#[cfg(feature = "ssr")]
mod render;

pub use frame::{Frame, Signed, Theme};
pub use layout::{Layout, Plain};
pub use nav::{Nav, NavGroup, NavItem};
#[cfg(feature = "ssr")]
pub use render::{Rendered, render};
