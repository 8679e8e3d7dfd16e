//! What Muster shows: one component per page with typed props, shared components, islands.
//! It is given what it shows; it fetches nothing.

// A view's type nests as deeply as its markup.
#![recursion_limit = "256"]

pub mod account;
pub mod agents;
pub mod api;
pub mod audit;
pub mod components;
pub mod errors;
pub mod help;
pub mod home;
pub mod imports;
pub mod islands;
pub mod login;
pub mod people;
pub mod settings;
pub mod setup;
pub mod shell;
pub mod systems;
pub mod teams;

/// Starts the islands; the module script in the page calls it.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_islands();
}
