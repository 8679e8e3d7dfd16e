//! One file for each command.

mod demo;
pub(super) mod doctor;
pub(super) mod serve;
pub(super) mod token;
pub(super) mod user;
