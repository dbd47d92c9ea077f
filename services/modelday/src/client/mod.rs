//! The client for people and scripts. It knows the HTTP API and nothing else of the servers.

pub(crate) mod command;
pub(crate) mod exit;
mod hkuds;
pub(crate) mod http;
pub(crate) mod names;
mod report;
mod watching;
