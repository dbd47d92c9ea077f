//! `modelday mcp`: an MCP client starts it and trades by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod days;
mod hand;
mod start;
mod tools;
