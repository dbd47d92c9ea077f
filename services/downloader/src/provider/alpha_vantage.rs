//! Alpha Vantage: a call returns a symbol's whole history, or its last 100 sessions.
//!
//! `client` sends, `classify` decides what a response is, `limits` are those of a key.

mod actions;
mod classify;
mod client;
mod history;
mod limits;
mod query;
mod series;

pub(crate) use client::AlphaVantage;
pub(crate) use history::History;

pub(crate) use client::{NAME, TITLE};
pub(crate) use history::COMPACT_SESSIONS;
pub(crate) use limits::{KeyPlan, quota_windows};

#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
