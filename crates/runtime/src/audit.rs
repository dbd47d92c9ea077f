//! The audit log: one line on the target `audit` for everything that a caller changed.

use std::fmt::Display;

use crate::http::Caller;

/// Writes that `caller` did `action`, such as `triggered`, to `subject`, such as `job 019a…`.
pub fn record(caller: &Caller, action: &str, subject: impl Display) {
    let by = caller.name();
    tracing::info!(target: "audit", by, client.address = %caller.address(), action, "{by} {action} {subject}");
}

/// The same for what no request did: `by` is the start of a process, or a signal.
pub fn record_of_process(by: &str, action: &str, subject: impl Display) {
    tracing::info!(target: "audit", by, action, "{by} {action} {subject}");
}
