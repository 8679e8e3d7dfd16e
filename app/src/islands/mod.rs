//! What lives in the browser. Each island stands on HTML that works without it; it only makes
//! that quicker to use.

pub mod grid;
pub mod palette;
pub mod picks;
pub mod tier;

pub use grid::RaciGrid;
#[cfg(feature = "ssr")]
pub use palette::palette;
pub use palette::{Palette, Place};
pub use picks::Picks;
pub use tier::{TierPreview, points_words};
