//! A job's life in the executor: planned, kept in memory while it runs, ended or cancelled.

pub(crate) mod cache;
pub(crate) mod cancel;
pub(crate) mod finish;
pub(crate) mod plan;
pub(crate) mod stop_signal;
