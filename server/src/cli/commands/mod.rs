//! One file for each command.

pub(super) mod audit;
pub(super) mod backup;
mod demo;
pub(super) mod doctor;
pub(super) mod export;
pub(super) mod import;
pub(super) mod raci;
pub(super) mod restore;
pub(super) mod seed;
pub(super) mod serve;
pub(super) mod token;
pub(super) mod user;
