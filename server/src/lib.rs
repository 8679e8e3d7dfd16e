//! What serves Muster: command line, router, page handlers, REST, sessions.

// A view's type nests as deeply as its markup.
#![recursion_limit = "256"]

pub mod api;
pub mod assets;
pub mod cli;
pub mod clock;
pub mod config;
pub mod delivery;
pub mod due;
pub mod health;
pub mod hooks;
pub mod housekeeping;
pub mod json;
pub mod live;
pub mod mail;
pub mod metrics;
pub mod notes;
pub mod page;
pub mod pages;
pub mod problem;
pub mod router;
pub mod routes;
pub mod scheduler;
pub mod security;
pub mod serve;
pub mod session;
pub mod setup;
pub mod signed;
pub mod state;
pub mod sweeps;

pub use state::App;
