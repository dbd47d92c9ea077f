//! Metrics as Prometheus, its rules and Grafana's dashboards read them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should say so"
)]

mod alerts;
mod dashboards;
mod exposition;
mod rules;
mod stage;
