//! The server as a browser or a program sees it: requests to the router, in process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod agents;
mod api_agents;
mod api_document;
mod api_fuzz;
mod api_idempotency;
mod api_lists;
mod api_ownership;
mod api_people;
mod assignments;
mod audit;
mod auth;
mod commands;
mod contract;
mod delegation;
mod handovers;
mod home;
mod imports;
mod models;
mod on_call;
mod people;
mod plans;
mod policy;
mod raci;
mod record_commands;
mod requests;
mod retirements;
mod reviews;
mod rights;
mod rules;
mod security;
mod stops;
mod support;
mod teams;
