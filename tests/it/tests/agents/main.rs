//! Agents over HTTP, with real processes and a stand-in for the endpoint.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod attacks;
mod budget;
mod bundle;
mod canary;
mod cancel;
mod development;
mod failures;
mod frameworks;
mod mcp_client;
mod month;
mod odd_days;
mod own_agent;
mod plan;
mod providers;
mod rehearsal;
mod replay;
mod resume;
mod retry;
mod search;
mod splits_of_2024;
mod stage;
