//! What Muster decides: types, states, transitions, RACI rules, tiers, `assess`, `can`.
//!
//! Pure: no input or output, no clock, no randomness. The clock and the actor are
//! arguments. Compiles for the browser too, so that a form shows while one types what
//! the server will say.

pub mod agent;
pub mod alarm;
pub mod assignment;
pub mod calendar;
pub mod can;
pub mod canonical;
pub mod delegation;
pub mod duty;
pub mod exception;
pub mod facts;
pub mod finding;
#[cfg(not(target_arch = "wasm32"))]
pub mod framework;
pub mod handover;
pub mod id;
pub mod import;
pub mod model;
pub mod notice;
pub mod oncall;
pub mod party;
pub mod policy;
pub mod posture;
pub mod proposal;
pub mod raci;
pub mod reach;
pub mod record;
pub mod request;
pub mod retirement;
pub mod review;
pub mod rule;
pub mod stop;
pub mod system;
pub mod text;
pub mod tiding;
pub mod tier;
pub mod words;
