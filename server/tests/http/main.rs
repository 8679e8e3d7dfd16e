//! The server as a browser or a program sees it: requests to the router, in process.

mod agents;
mod api_document;
mod assignments;
mod audit;
mod auth;
mod contract;
mod home;
mod people;
mod record_commands;
mod rights;
mod security;
mod support;
mod teams;
