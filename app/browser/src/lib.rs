//! The islands.
#[cfg(target_arch = "wasm32")]
pub use app::hydrate;
