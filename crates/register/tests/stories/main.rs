//! Every use case as a story, told to both engines. One binary: add a module a noun.

mod support;

mod agents;
mod audit;
mod backup;
