//! Every use case as a story, told to both engines. One binary: add a module a noun.

#![expect(clippy::unwrap_used, reason = "a story that cannot go on fails")]

mod support;

mod agents;
mod audit;
mod backup;
mod calendar;
mod clock;
mod confirm;
mod delegations;
mod exception_board;
mod exceptions;
mod handovers;
mod idempotency;
mod imports;
mod models;
mod notices;
mod on_call;
mod past;
mod people;
mod policies;
mod proposals;
mod reach;
mod requests;
mod retirements;
mod reviews;
mod rules;
mod sign_in;
mod stops;
mod sweeps;
mod systems;
mod teams;
