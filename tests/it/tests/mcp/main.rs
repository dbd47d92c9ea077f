//! `modelday mcp`: an MCP client starts it and calls the tools.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod client;
mod days;
mod start;
mod tools;
