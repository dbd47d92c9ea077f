//! A job's life in the executor: planned, kept in memory while it runs, ended or cancelled.

pub(crate) mod cache;
pub(crate) mod cancellation;
pub(crate) mod job_end;
mod lane_traces;
pub(crate) mod planner;
mod portfolio_plan;
pub(crate) mod stop_signal;
